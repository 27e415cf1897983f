// Package sim is a mail server in memory: submission with STARTTLS and AUTH, strict about order, line ends, line lengths
// and headers as careful servers are, and a mailbox that shows what came. All that send mail share it.
package sim

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Who may log in, unless the server is open.
const (
	User     = "onboarding@company.com"
	Password = "sim-mail-password"
)

// Fault is one thing that goes wrong, once unless Times says otherwise.
type Fault struct {
	Verb  string // "RCPT"; "CONNECT" is the greeting, "." the end of a message; "": any
	With  string // what the line must contain; "": anything
	Skip  int    // let so many matching commands pass first
	Times int    // 0: once; -1: for ever
	// What happens, first match:
	Cut  bool   // carry it out, then cut the connection before the reply
	Drop bool   // cut the connection without carrying it out
	Code int    // reply with this instead of carrying it out
	Text string // of that reply, with its enhanced code: "5.1.1 no such user"
}

// Server is the mail server. Its exported fields are set before Listen.
type Server struct {
	TLS   string   // starttls, tls or none, as in the settings of a sender; "": starttls
	Open  bool     // takes mail without a login
	Lacks []string // extensions and logins that it does not offer: SMTPUTF8, PLAIN

	opt  sim.Options
	door *sim.Door
	cert tls.Certificate
	ca   string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	ended    chan struct{}
	faults   []*Fault
	commands []string
	messages []Message
	file     *os.File // where they are kept, too; nil: nowhere
	sessions sync.WaitGroup
}

// New makes a server that does not listen yet.
func New(o sim.Options) *Server {
	s := &Server{opt: o, door: sim.NewDoor(o), conns: map[net.Conn]bool{}, ended: make(chan struct{})}
	s.cert, s.ca = certificate()
	return s
}

// certificate signs itself, for this machine.
func certificate() (tls.Certificate, string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "mail simulator"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Listen opens a free port of this machine and serves it until Close.
func (s *Server) Listen() (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !s.keep(conn) {
				return
			}
			s.sessions.Go(func() {
				s.serve(conn)
				_ = conn.Close()
				s.mu.Lock()
				delete(s.conns, conn)
				s.mu.Unlock()
			})
		}
	})
	return l.Addr().String(), nil
}

// keep remembers a connection, unless the server has ended.
func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
		_ = conn.Close()
		return false
	default:
		s.conns[conn] = true
		return true
	}
}

// Close ends the server and every connection to it. What came stays.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
	if s.listener != nil {
		_ = s.listener.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.sessions.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}

// Journal keeps every message in a file before it is accepted, so that the mailbox outlives the process that simulates it. What the
// file holds already is there again. A last line that was cut is a message that was never accepted.
func (s *Server) Journal(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1]
	var kept []Message
	for line := range bytes.Lines(whole) {
		var m Message
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		kept = append(kept, m)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := file.Truncate(int64(len(whole))); err != nil {
		return errors.Join(err, file.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.file = append(kept, s.messages...), file
	return nil
}

// write keeps a message, if messages are kept.
func (s *Server) write(m Message) error {
	if s.file == nil {
		return nil
	}
	line, err := json.Marshal(m)
	if err == nil {
		_, err = s.file.Write(append(line, '\n'))
	}
	return err
}

// Messages are those that were accepted, in order of arrival. One that came twice is there twice.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Commands as they arrived, from all connections; logins without what they carry.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// Heal takes all faults out.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Settings of a sender that is let in; base is what Listen returned, with or without a scheme.
func (s *Server) Settings(base string) map[string]string {
	host, port, _ := net.SplitHostPort(base[strings.LastIndexByte(base, '/')+1:])
	out := map[string]string{
		"host": host, "port": port, "tls": cmp.Or(s.TLS, "starttls"), "ca": s.ca, "from": User, "from_name": "Company Onboarding",
	}
	if !s.Open {
		out["user"], out["password"] = User, Password
	}
	return out
}

// ServeHTTP shows the mailbox as JSON.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.door.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sim.JSON(w, http.StatusOK, append([]Message{}, s.Messages()...))
	})).ServeHTTP(w, r)
}

// Door is that of the mailbox page. Faults of the mail server itself are injected here.
func (s *Server) Door() *sim.Door { return s.door }

// Accounts are none: a mail server that only takes mail has nobody's.
func (s *Server) Accounts() []sim.Account { return nil }
func (s *Server) Seed(sim.Account) string { return "" }
