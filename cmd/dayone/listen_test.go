package main

import (
	"errors"
	"net"
	"testing"
)

// One more than there may be waits until another ends; closing ends whoever waits.
func TestConnectionsAreNotWithoutNumber(t *testing.T) {
	t.Parallel()
	l, err := listen("127.0.0.1:0", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 5 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	accepted := make(chan net.Conn)
	over := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				over <- err
				return
			}
			accepted <- c
		}
	}()
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Error("a third one is accepted")
	default:
	}
	for range 2 { // closing twice makes room once
		_ = first.Close()
	}
	third := <-accepted
	select {
	case <-accepted:
		t.Error("room was made twice")
	default:
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-over; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	_ = second.Close()
	_ = third.Close()
}
