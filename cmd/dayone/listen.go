package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// mostConnections are open at once; one more waits until another ends. A proxy keeps a few, a live page has one of its own.
const mostConnections = 2048

// newHTTP is a server with an end to everything that a client may draw out: how long a body may take the handler says,
// and a page that lives renews the time for its answer with each word.
func newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		DisableGeneralOptionsHandler: true, // it answers past our guard
	}
}

// listen opens an address for so many connections at once.
func listen(at string, most int) (net.Listener, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, err
	}
	return &limited{Listener: l, free: make(chan struct{}, most), over: make(chan struct{})}, nil
}

// limited accepts only so many connections at once.
type limited struct {
	net.Listener
	free chan struct{} // holds one for each that is open
	over chan struct{}
	once sync.Once
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.over:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &counted{Conn: c, leave: sync.OnceFunc(func() { <-l.free })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.over) })
	return l.Listener.Close()
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
