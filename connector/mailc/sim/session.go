package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxSize       = 1 << 20
	maxRecipients = 100
	maxLine       = 998 // without CRLF, RFC 5321
)

// session is one connection.
type session struct {
	s     *Server
	conn  net.Conn
	r     *bufio.Reader
	tls   bool
	hello bool
	user  string
	from  *string // nil: no MAIL yet
	to    []string
	utf8  bool
}

func (s *Server) serve(conn net.Conn) {
	c := &session{s: s, conn: conn}
	if s.TLS == "tls" {
		c.conn, c.tls = tls.Server(conn, s.config()), true
	}
	c.r = bufio.NewReader(c.conn)
	if !c.answer("CONNECT", "CONNECT", func() (int, string) { return 220, "sim.company.com ESMTP" }) {
		return
	}
	for {
		line, err := c.line()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		ok := true
		switch verb {
		case "STARTTLS":
			upgrade := false
			ok = c.answer(verb, line, func() (int, string) {
				code, text := c.startTLS(rest)
				upgrade = code == 220
				return code, text
			})
			if ok && upgrade { // all that was said in the clear is forgotten
				secure := tls.Server(c.conn, s.config())
				c = &session{s: s, conn: secure, r: bufio.NewReader(secure), tls: true}
			}
		case "DATA":
			begun := false
			ok = c.answer(verb, line, func() (int, string) {
				if begun = len(c.to) > 0; !begun {
					return 503, "5.5.1 need RCPT command"
				}
				return 354, "end data with <CR><LF>.<CR><LF>"
			})
			if ok && begun {
				ok = c.receive()
			}
		case "QUIT":
			c.answer(verb, line, func() (int, string) { return 221, "2.0.0 bye" })
			return
		default:
			ok = c.answer(verb, line, func() (int, string) { return c.command(verb, rest) })
		}
		if !ok {
			return
		}
	}
}

func (s *Server) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12}
}

// answer carries a command out, unless a fault strikes, and replies. It says whether the session goes on.
func (c *session) answer(verb, line string, do func() (int, string)) bool {
	logged := line
	if verb == "AUTH" {
		mechanism, _, _ := strings.Cut(strings.TrimPrefix(line[len(verb):], " "), " ")
		logged = verb + " " + mechanism
	}
	c.s.mu.Lock()
	c.s.commands = append(c.s.commands, logged)
	f := c.s.strike(verb, line)
	c.s.mu.Unlock()
	if c.s.opt.Latency > 0 {
		t := time.NewTimer(c.s.opt.Latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.s.ended:
			return false
		}
	}
	if f != nil && f.Drop {
		return false
	}
	if f != nil && !f.Cut && f.Code != 0 {
		return c.reply(f.Code, f.Text)
	}
	code, text := do()
	if f != nil && f.Cut || code == 0 {
		return false
	}
	return c.reply(code, text) && code != 421
}

// strike finds the fault that this command meets.
func (s *Server) strike(verb, line string) *Fault {
	for i, f := range s.faults {
		if f.Verb != "" && f.Verb != verb || !strings.Contains(line, f.With) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

// reply writes one line for each of text's, the last without a dash.
func (c *session) reply(code int, text string) bool {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		if _, err := fmt.Fprintf(c.conn, "%d%s%s\r\n", code, sep, l); err != nil {
			return false
		}
	}
	return true
}

// line reads up to CRLF; a bare line feed ends the session.
func (c *session) line() (string, error) {
	b, err := c.r.ReadBytes('\n')
	if err != nil {
		return "", err
	}
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		c.reply(521, "5.5.2 bare <LF> received")
		return "", fmt.Errorf("bare line feed")
	}
	return string(b[:len(b)-2]), nil
}

func (c *session) startTLS(rest string) (int, string) {
	switch {
	case cmp.Or(c.s.TLS, "starttls") != "starttls" || c.tls:
		return 503, "5.5.1 STARTTLS is not offered here"
	case rest != "":
		return 501, "5.5.4 STARTTLS takes no argument"
	case c.r.Buffered() > 0:
		return 0, "" // commands smuggled in before the encryption
	}
	return 220, "2.0.0 go ahead"
}

func (c *session) command(verb, rest string) (int, string) {
	switch verb {
	case "EHLO":
		if rest == "" || strings.ContainsAny(rest, " _") {
			return 501, "5.5.4 EHLO wants a domain"
		}
		c.hello, c.from, c.to = true, nil, nil
		offers := []string{"sim.company.com", "SIZE " + strconv.Itoa(maxSize), "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8"}
		if cmp.Or(c.s.TLS, "starttls") == "starttls" && !c.tls {
			offers = append(offers, "STARTTLS")
		}
		lacks := func(offer string) bool { return slices.Contains(c.s.Lacks, offer) }
		if !c.s.Open && (c.tls || c.s.TLS == "none") {
			offers = append(offers, "AUTH "+strings.Join(slices.DeleteFunc([]string{"PLAIN", "LOGIN"}, lacks), " "))
		}
		return 250, strings.Join(slices.DeleteFunc(offers, lacks), "\n")
	case "NOOP":
		return 250, "2.0.0 ok"
	case "RSET":
		c.from, c.to = nil, nil
		return 250, "2.0.0 ok"
	}
	if !c.hello {
		return 503, "5.5.1 say EHLO first"
	}
	switch verb {
	case "AUTH":
		return c.auth(rest)
	case "MAIL":
		return c.mail(rest)
	case "RCPT":
		return c.rcpt(rest)
	}
	return 502, "5.5.2 command not recognized: " + verb + " " + rest
}

func (c *session) auth(rest string) (int, string) {
	switch {
	case c.s.Open:
		return 502, "5.5.1 AUTH is not offered here"
	case !c.tls && c.s.TLS != "none":
		return 530, "5.7.0 must issue a STARTTLS command first"
	case c.user != "":
		return 503, "5.5.1 already authenticated"
	}
	mechanism, initial, _ := strings.Cut(rest, " ")
	var user, password string
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		raw, err := base64.StdEncoding.DecodeString(initial)
		parts := strings.Split(string(raw), "\x00")
		if err != nil || len(parts) != 3 {
			return 501, "5.5.2 cannot decode " + initial
		}
		user, password = parts[1], parts[2]
	case "LOGIN":
		for _, ask := range []struct {
			prompt string
			to     *string
		}{{"Username:", &user}, {"Password:", &password}} {
			if !c.reply(334, base64.StdEncoding.EncodeToString([]byte(ask.prompt))) {
				return 0, ""
			}
			line, err := c.line()
			if err != nil {
				return 0, ""
			}
			raw, err := base64.StdEncoding.DecodeString(line)
			if err != nil {
				return 501, "5.5.2 cannot decode " + line
			}
			*ask.to = string(raw)
		}
	default:
		return 504, "5.5.4 unrecognized authentication type"
	}
	if user != User || password != Password {
		return 535, "5.7.8 authentication credentials invalid"
	}
	c.user = user
	return 235, "2.7.0 authentication successful"
}

func (c *session) mail(rest string) (int, string) {
	if c.user == "" && !c.s.Open {
		return 530, "5.7.0 authentication required"
	}
	if c.from != nil {
		return 503, "5.5.1 nested MAIL command"
	}
	from, params, ok := path(rest, "FROM:")
	if !ok {
		return 501, "5.5.4 syntax: MAIL FROM:<address>"
	}
	c.utf8 = false
	for _, p := range params {
		name, value, _ := strings.Cut(strings.ToUpper(p), "=")
		switch name {
		case "SMTPUTF8":
			c.utf8 = !slices.Contains(c.s.Lacks, name)
		case "BODY":
			if value != "7BIT" && value != "8BITMIME" {
				return 501, "5.5.4 bad BODY " + value
			}
		case "SIZE":
			if n, err := strconv.Atoi(value); err != nil || n > maxSize {
				return 552, "5.3.4 message size exceeds fixed limit"
			}
		default:
			return 555, "5.5.4 unsupported option: " + p
		}
	}
	if !c.utf8 && !ascii(from) {
		return 553, "5.6.7 address needs SMTPUTF8"
	}
	if c.user != "" && !strings.EqualFold(from, c.user) {
		return 553, "5.7.1 <" + from + ">: sender address rejected: not owned by user " + c.user
	}
	c.from = &from
	return 250, "2.1.0 ok"
}

func (c *session) rcpt(rest string) (int, string) {
	to, params, ok := path(rest, "TO:")
	switch {
	case c.from == nil:
		return 503, "5.5.1 need MAIL command"
	case !ok || len(params) > 0:
		return 501, "5.5.4 syntax: RCPT TO:<address>"
	case !c.utf8 && !ascii(to):
		return 553, "5.6.7 address needs SMTPUTF8"
	case len(c.to) >= maxRecipients:
		return 452, "4.5.3 too many recipients"
	}
	if _, err := mail.ParseAddress(to); err != nil {
		return 553, "5.1.3 <" + to + ">: bad recipient address syntax"
	}
	c.to = append(c.to, to)
	return 250, "2.1.5 ok"
}

// path reads "FROM:<a@b> PARAM=x".
func path(s, prefix string) (addr string, params []string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", nil, false
	}
	s, ok = strings.CutPrefix(s[len(prefix):], "<")
	i := strings.LastIndexByte(s, '>')
	if !ok || i < 0 {
		return "", nil, false
	}
	return s[:i], strings.Fields(s[i+1:]), true
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) }

// receive takes the message itself and answers whether it is accepted.
func (c *session) receive() bool {
	var raw bytes.Buffer
	longest := 0
	for {
		line, err := c.line()
		if err != nil {
			return false
		}
		if line == "." {
			break
		}
		line = strings.TrimPrefix(line, ".")
		longest = max(longest, len(line))
		if raw.Len() <= maxSize {
			raw.WriteString(line + "\r\n")
		}
	}
	from, to, utf8 := *c.from, c.to, c.utf8
	c.from, c.to = nil, nil
	return c.answer(".", ".", func() (int, string) {
		switch {
		case raw.Len() > maxSize:
			return 552, "5.3.4 message size exceeds fixed limit"
		case longest > maxLine:
			return 550, fmt.Sprintf("5.6.0 maximum allowed line length is %d octets, got %d", maxLine, longest)
		}
		m, err := parse(raw.Bytes(), utf8)
		if err != nil {
			return 550, "5.6.0 " + err.Error()
		}
		m.From, m.To, m.User, m.TLS, m.Received = from, to, c.user, c.tls, c.s.opt.Time()
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		if err := c.s.write(m); err != nil {
			return 451, "4.3.0 it cannot be kept"
		}
		c.s.messages = append(c.s.messages, m)
		return 250, fmt.Sprintf("2.0.0 ok: queued as %08X", len(c.s.messages))
	})
}
