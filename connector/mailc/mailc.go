// Package mailc is what connectors share for mail: one message, built, sent over SMTP, and the server's reply sorted
// into our kinds of failure. It must not know what a message is about, retry or sleep.
package mailc

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Client sends through one server. It opens a connection for each message: they are few, and a kept one goes stale.
type Client struct {
	System   string
	Host     string
	Port     int
	TLS      string         // starttls, tls or none
	Roots    *x509.CertPool // nil: those of the machine
	User     string
	Password dayone.Secret
	From     mail.Address
	ReplyTo  *mail.Address // nil: none
	Domain   string        // in message ids and in EHLO
	Now      func() time.Time
}

var domainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// New reads the settings that all senders of mail have: host, port, tls, ca, user, password, from, from_name, reply_to
// and domain.
func New(cfg connector.Config) (*Client, error) {
	c := &Client{
		System: cfg.System, Host: cfg.Settings["host"], TLS: cmp.Or(cfg.Settings["tls"], "starttls"), User: cfg.Settings["user"],
		Password: cfg.Secrets["password"], Domain: cfg.Settings["domain"], Now: cfg.Now,
	}
	bad := func(format string, args ...any) (*Client, error) {
		return nil, fmt.Errorf(format+": %w", append(args, dayone.ErrInvalid)...)
	}
	if c.Host == "" {
		return bad("setting host is missing: the mail server's name")
	}
	var err error
	if c.Port, err = strconv.Atoi(cmp.Or(cfg.Settings["port"], map[string]string{"tls": "465"}[c.TLS], "587")); err != nil || c.Port < 1 || c.Port > 65535 {
		return bad("setting port is %q, no port", cfg.Settings["port"])
	}
	if c.TLS == "none" && !loopback(c.Host) {
		return bad("setting tls is none, which sends passwords and links in the clear; only a server on this machine may be reached so")
	}
	if c.User == "" != c.Password.IsZero() {
		return bad("settings user and password belong together")
	}
	from, err := address(cfg.Settings["from"])
	if err != nil {
		return bad("setting from: %w", err)
	}
	c.From = mail.Address{Name: heading(cmp.Or(cfg.Settings["from_name"], from.Name)), Address: from.Address}
	if s := cfg.Settings["reply_to"]; s != "" {
		if c.ReplyTo, err = address(s); err != nil {
			return bad("setting reply_to: %w", err)
		}
	}
	if c.Domain == "" {
		c.Domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	}
	if !domainName.MatchString(c.Domain) {
		return bad("setting domain: %q is no domain", c.Domain)
	}
	if pem := cfg.Settings["ca"]; pem != "" {
		c.Roots = x509.NewCertPool()
		if !c.Roots.AppendCertsFromPEM([]byte(pem)) {
			return bad("setting ca holds no certificate in PEM")
		}
	}
	return c, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Check says hello and logs in, and sends nothing.
func (c *Client) Check(ctx context.Context) error {
	s, done, err := c.open(ctx, "checking")
	if err != nil {
		return err
	}
	defer done()
	_ = s.Quit()
	return nil
}

// Send sends one mail to all of its recipients, or to none: the first that is refused ends it. A mail that was accepted
// while its answer was lost is sent again under the same Message-ID. It returns that id.
func (c *Client) Send(ctx context.Context, m Message) (string, error) {
	raw, to, id, err := c.build(m)
	if err != nil {
		return "", &dayone.Fault{System: c.System, Op: m.Op, Err: dayone.ErrInvalid, Detail: err.Error()}
	}
	s, done, err := c.open(ctx, m.Op)
	if err != nil {
		return "", err
	}
	defer done()
	international := !ascii(c.From.Address)
	for _, a := range to {
		international = international || !ascii(a.Address)
	}
	if able, _ := s.Extension("SMTPUTF8"); international && !able {
		return "", &dayone.Fault{System: c.System, Op: m.Op, Err: dayone.ErrInvalid, Detail: "the mail server takes no addresses with letters beyond ASCII"}
	}
	s.SkipSMTPUTF8(!international)
	if err := s.Mail(envelope(c.From.Address)); err != nil {
		return "", c.fault(ctx, m.Op, atSender, err)
	}
	for _, a := range to {
		if err := s.Rcpt(envelope(a.Address)); err != nil {
			fault := c.fault(ctx, m.Op, atRecipient, err)
			_ = s.Quit()
			return "", fault
		}
	}
	w, err := s.Data()
	if err == nil {
		_, err = w.Write(raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", c.fault(ctx, m.Op, atContent, err)
	}
	_ = s.Quit() // it is accepted, however the goodbye goes
	return id, nil
}

// open connects, encrypts and logs in. The connection ends with ctx, or by done.
func (c *Client) open(ctx context.Context, op string) (s *smtp.Client, done func(), err error) {
	config := &tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return nil, nil, c.fault(ctx, op, atDoor, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	done = func() {
		stop()
		_ = conn.Close()
	}
	fail := func(err error) (*smtp.Client, func(), error) {
		err = c.fault(ctx, op, atDoor, err)
		done()
		return nil, nil, err
	}
	secure := conn
	if c.TLS == "tls" {
		secure = tls.Client(conn, config)
	}
	if s, err = smtp.NewClient(secure, c.Host); err != nil {
		return fail(err)
	}
	if err := s.Hello(c.Domain); err != nil {
		return fail(err)
	}
	if c.TLS == "starttls" {
		if able, _ := s.Extension("STARTTLS"); !able {
			return fail(&dayone.Fault{
				Err: dayone.ErrInvalid, Detail: "the mail server offers no STARTTLS",
				Next: "set tls to tls and port to 465 if it encrypts from the start",
			})
		}
		if err := s.StartTLS(config); err != nil {
			return fail(err)
		}
	}
	if c.User == "" {
		return s, done, nil
	}
	_, offered := s.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	inClear := c.TLS == "none" // New has seen that the host is this machine
	for _, m := range mechanisms {
		switch m {
		case "PLAIN":
			err = s.Auth(smtp.PlainAuth("", c.User, c.Password.Reveal(), c.Host, inClear))
		case "LOGIN":
			err = s.Auth(smtp.LoginAuth(c.User, c.Password.Reveal(), c.Host, inClear))
		default:
			continue
		}
		if err != nil {
			return fail(err)
		}
		return s, done, nil
	}
	return fail(&dayone.Fault{
		Err: dayone.ErrInvalid, Detail: "the mail server takes neither AUTH PLAIN nor LOGIN; it offers " + cmp.Or(offered, "no login"),
		Next: "take user and password out if it needs none, or use its submission port",
	})
}

// secrets are the forms in which a server may repeat what we logged in with.
func (c *Client) secrets() []string {
	plain := c.Password.Reveal()
	if plain == "" {
		return nil
	}
	b64 := base64.StdEncoding.EncodeToString
	return []string{b64([]byte("\x00" + c.User + "\x00" + plain)), b64([]byte(plain)), plain}
}

func envelope(addr string) string { return (&mail.Address{Address: addr}).String() }
