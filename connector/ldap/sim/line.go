package sim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// line is where a directory is reached.
type line struct {
	ca   string
	cert tls.Certificate

	linemu sync.Mutex
	on     net.Listener
	conns  map[net.Conn]bool
	ended  sync.WaitGroup
}

// open makes the certificate that is shown.
func (l *line) open() {
	l.conns = map[net.Conn]bool{}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // no entropy
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dc1.corp.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		panic(err)
	}
	l.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	l.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Listen begins to answer, and returns where: ldaps://127.0.0.1:port.
func (s *Server) Listen() (string, error) {
	on, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return "", err
	}
	s.linemu.Lock()
	s.on = on
	s.linemu.Unlock()
	s.ended.Go(func() {
		for {
			conn, err := on.Accept()
			if err != nil {
				return
			}
			s.linemu.Lock()
			s.conns[conn] = true
			s.linemu.Unlock()
			s.ended.Go(func() { s.serve(conn) })
		}
	})
	return "ldaps://" + on.Addr().String(), nil
}

// Addr is where it listens.
func (s *Server) Addr() string { s.linemu.Lock(); defer s.linemu.Unlock(); return s.on.Addr().String() }

// Close ends every connection.
func (s *Server) Close() {
	s.linemu.Lock()
	if s.on != nil {
		_ = s.on.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.linemu.Unlock()
	s.ended.Wait()
}

// session is one connection: who signed in, and the pages that are still to be read.
type session struct {
	in    bool
	pages map[string][]found
}

// serve answers one request after the other; a client that leaves ends the one under way.
func (s *Server) serve(conn net.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	requests := make(chan *ber.Packet)
	s.ended.Go(func() {
		defer cancel()
		defer close(requests)
		for {
			p, err := ber.ReadPacket(conn)
			if err != nil || len(p.Children) < 2 || p.Children[1].ClassType != ber.ClassApplication {
				return
			}
			select {
			case requests <- p:
			case <-ctx.Done():
				return
			}
		}
	})
	at := &session{pages: map[string][]found{}}
	for p := range requests {
		if !s.answer(ctx, conn, at, p) {
			break
		}
	}
	cancel()
	_ = conn.Close()
	s.linemu.Lock()
	delete(s.conns, conn)
	s.linemu.Unlock()
}

// Operations by their tags. RFC 4511, section 4.
const (
	bindRequest, unbindRequest, searchRequest, modifyRequest, addRequest, delRequest, moveRequest = 0, 2, 3, 6, 8, 10, 12
	abandonRequest, extendedRequest                                                               = 16, 23
	searchEntry, searchDone                                                                       = 4, 5
)

var verbs = map[ber.Tag]string{
	bindRequest: "bind", searchRequest: "search", modifyRequest: "modify", addRequest: "add", delRequest: "delete", moveRequest: "move", extendedRequest: "extended",
}

// answer carries one request out behind the door, which sees it as a call by HTTP: the operation's name is method and path.
// false: the line is cut.
func (s *Server) answer(ctx context.Context, conn net.Conn, at *session, p *ber.Packet) (goOn bool) {
	op := p.Children[1]
	verb := verbs[op.Tag]
	if verb == "" {
		return op.Tag != unbindRequest
	}
	r, err := http.NewRequestWithContext(ctx, strings.ToUpper(verb), "http://dc1/"+verb, bytes.NewReader(op.Bytes()))
	if err != nil {
		return false
	}
	w := &writer{header: http.Header{}}
	defer func() {
		if e := recover(); e != nil {
			if err, ok := e.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(e)
			}
			goOn = false
		}
	}()
	s.door.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, packet := range s.carryOut(at, p) {
			_, _ = w.Write(packet.Bytes())
		}
	})).ServeHTTP(w, r)
	if ctx.Err() != nil {
		return false
	}
	if code, injected := refusals[w.status]; injected {
		w.body.Reset()
		w.body.Write(message(p, response(op.Tag), refused(code, w.said())).Bytes())
	}
	if w.status == http.StatusOK { // a fault's own bytes: no LDAP at all
		_, _ = conn.Write(w.body.Bytes())
		return false
	}
	_, err = conn.Write(w.body.Bytes())
	return err == nil
}

// refusals are faults of the door in LDAP's words.
var refusals = map[int]uint16{400: 53, 401: 49, 403: 50, 409: 68, 429: 51, 500: 80, 502: 52, 503: 52}

// writer takes what the door lets through.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) WriteHeader(status int)      { w.status = status }
func (w *writer) Write(b []byte) (int, error) { return w.body.Write(b) }
func (w *writer) said() string                { return w.body.String() }

func response(request ber.Tag) ber.Tag {
	if request == searchRequest {
		return searchDone
	}
	return request + 1
}

// refusal is a result other than success.
type refusal struct {
	code uint16
	text string
}

func (r *refusal) Error() string { return strconv.Itoa(int(r.code)) + " " + r.text }

func refused(code uint16, text string) *refusal { return &refusal{code, text} }

// message is one answer; a nil refusal is success. controls may be none.
func message(p *ber.Packet, tag ber.Tag, r *refusal, controls ...*ber.Packet) *ber.Packet {
	if r == nil {
		r = &refusal{}
	}
	body := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "answer")
	body.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(r.code), "code"))
	body.AppendChild(octets(""))
	body.AppendChild(octets(r.text))
	return envelope(p, body, controls)
}

func envelope(p, body *ber.Packet, controls []*ber.Packet) *ber.Packet {
	out := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "message")
	out.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.Children[0].Value, "id"))
	out.AppendChild(body)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
		for _, c := range controls {
			list.AppendChild(c)
		}
		out.AppendChild(list)
	}
	return out
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// text of a primitive packet, of whatever class.
func text(p *ber.Packet) string {
	if s, ok := p.Value.(string); ok {
		return s
	}
	if len(p.ByteValue) > 0 {
		return string(p.ByteValue)
	}
	if p.Data != nil {
		return p.Data.String()
	}
	return ""
}

// ServeHTTP is none: a directory speaks LDAP.
func (s *Server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = io.WriteString(w, "this speaks LDAP")
}
