package mailc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/mailc"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var now = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

// setup makes a server, changed before it listens, and a client that is let in.
func setup(t *testing.T, change func(*mailsim.Server)) (*mailsim.Server, *mailc.Client) {
	t.Helper()
	s := mailsim.New(sim.Options{Now: func() time.Time { return now }})
	if change != nil {
		change(s)
	}
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := client(s.Settings(addr))
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

func client(settings map[string]string) (*mailc.Client, error) {
	return mailc.New(connector.Config{
		System: "mail", Settings: settings, Secrets: map[string]dayone.Secret{"password": dayone.NewSecret(settings["password"])},
		Now: func() time.Time { return now },
	})
}

func hello() mailc.Message {
	return mailc.Message{Op: "sending message", ID: "0123abcd", To: []string{"sarah@home.example"}, Subject: "Welcome", Text: "Hello\n"}
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	for mode, encrypted := range map[string]bool{"starttls": true, "tls": true, "none": false} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, c := setup(t, func(s *mailsim.Server) { s.TLS = mode })
			if _, err := c.Send(t.Context(), hello()); err != nil {
				t.Fatal(err)
			}
			if m := s.Messages()[0]; m.TLS != encrypted || m.User != mailsim.User {
				t.Errorf("it came as %+v", m)
			}
			for _, said := range s.Commands() {
				if strings.HasPrefix(said, "EHLO") && said != "EHLO company.com" {
					t.Errorf("the greeting is %q", said)
				}
			}
		})
	}
	s, c := setup(t, func(s *mailsim.Server) { s.TLS = "none" })
	c.TLS = "starttls"
	if _, err := c.Send(t.Context(), hello()); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without STARTTLS says %v", err)
	}
	for _, said := range s.Commands() {
		if strings.HasPrefix(said, "AUTH") || strings.HasPrefix(said, "MAIL") {
			t.Errorf("%q went over the wire in the clear", said)
		}
	}
	_, c = setup(t, nil)
	c.Roots = nil
	if err := c.Check(t.Context()); !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "ca") {
		t.Errorf("a certificate of nobody we know says %v", err)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s, c := setup(t, func(s *mailsim.Server) { s.Open = true })
	if _, err := c.Send(t.Context(), hello()); err != nil || s.Messages()[0].User != "" {
		t.Errorf("a server that wants no login says %v", err)
	}
	c.User, c.Password = "x", dayone.NewSecret("secret")
	if err := c.Check(t.Context()); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("a login that nobody asks for says %v", err)
	}
	s, c = setup(t, func(s *mailsim.Server) { s.Lacks = []string{"PLAIN"} })
	if err := c.Check(t.Context()); err != nil || !strings.Contains(strings.Join(s.Commands(), "\n"), "AUTH LOGIN") {
		t.Errorf("AUTH LOGIN says %v", err)
	}
	c.Password = dayone.NewSecret("wrong")
	if err := c.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) || errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("a wrong password says %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := map[string]string{"host": "smtp.company.com", "from": "Onboarding <onboarding@company.com>"}
	c, err := client(good)
	if err != nil {
		t.Fatal(err)
	}
	if c.Port != 587 || c.TLS != "starttls" || c.Domain != "company.com" || c.From.Name != "Onboarding" {
		t.Errorf("the defaults are %+v", c)
	}
	for name, bad := range map[string]map[string]string{
		"no host":             {"host": ""},
		"port":                {"port": "seventy"},
		"port out of range":   {"port": "70000"},
		"clear to the world":  {"tls": "none"},
		"user alone":          {"user": "x"},
		"password alone":      {"password": "secret"},
		"from":                {"from": "nobody"},
		"from with a newline": {"from": "a@b.example\r\nBcc: x@y.example"},
		"reply_to":            {"reply_to": "a@b.example, c@d.example"},
		"domain":              {"domain": "company.com>\r\nBcc: x@y.example"},
		"ca":                  {"ca": "no certificate"},
	} {
		s := maps.Clone(good)
		maps.Copy(s, bad)
		if _, err := client(s); !errors.Is(err, dayone.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		if _, err := client(map[string]string{"host": host, "tls": "none", "from": "a@b.example"}); err != nil {
			t.Errorf("%s in the clear: %v", host, err)
		}
	}
	c, err = client(map[string]string{"host": "x", "tls": "tls", "from": "a@b.example", "from_name": "x\r\nBcc: y@z.example"})
	if err != nil || c.Port != 465 || c.From.Name != "x Bcc: y@z.example" {
		t.Errorf("the port of tls and a name of two lines make %+v, %v", c, err)
	}
}

// Whatever is written into a message stays in its place; the server takes no doubled, raw or overlong header.
func TestNothingBecomesAHeader(t *testing.T) {
	t.Parallel()
	s, c := setup(t, nil)
	evil := "x\r\nBcc: victim@elsewhere.example\r\n\r\n<script>"
	for i, m := range []mailc.Message{
		{Subject: evil, Text: evil, HTML: evil},
		{Subject: "a\nb\u2028c\u0085d\x00e", Text: ".\r\n..\r\n.leading\r\nQUIT\r\n"},
		{Subject: strings.Repeat("x", 5000), Text: strings.Repeat("y", 5000)},
		{Subject: strings.Repeat("山田 ", 400), Text: strings.Repeat("山田", 2000)},
		{Subject: "=?utf-8?q?not=0Aencoded?= \xff", Text: "broken \xff"},
		{Subject: `"quotes" & <tags> ${okta.account.ref}`, Text: "x", To: []string{`"a\"b@c" <sarah@home.example>`, strings.Repeat("山", 300) + " <sarah@home.example>"}},
	} {
		m.Op, m.ID = "sending message", fmt.Sprintf("once%d", i)
		if m.To == nil {
			m.To = []string{"sarah@home.example"}
		}
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, m := range s.Messages() {
		if m.Header.Get("Bcc") != "" || strings.ContainsAny(m.Subject, "\r\n\x00") {
			t.Errorf("%d came as %q with %v", i, m.Subject, m.Header)
		}
		for _, to := range m.To {
			if to != "sarah@home.example" {
				t.Errorf("%d went to %s", i, to)
			}
		}
		for _, line := range strings.Split(string(m.Raw), "\r\n") {
			if len(line) > 300 {
				t.Errorf("%d has a line of %d octets", i, len(line))
			}
		}
	}
	if got := s.Messages()[1].Text; got != ".\n..\n.leading\nQUIT\n" {
		t.Errorf("dots came as %q", got)
	}
	if got, want := s.Messages()[0].Text, strings.ReplaceAll(evil, "\r\n", "\n"); strings.TrimRight(got, "\n") != want {
		t.Errorf("the text came as %q", got)
	}
	if got := s.Messages()[3].Subject; !strings.HasPrefix(got, "山田 山田 ") || len([]rune(got)) != 250 || !strings.HasSuffix(got, "…") {
		t.Errorf("a long subject came as %q", got)
	}
	sent := len(s.Messages())
	for name, change := range map[string]func(*mailc.Message){
		"recipient":        func(m *mailc.Message) { m.To = []string{"a@b.example\r\nRCPT TO:<victim@elsewhere.example>"} },
		"two in one":       func(m *mailc.Message) { m.To = []string{"a@b.example, victim@elsewhere.example"} },
		"reply":            func(m *mailc.Message) { m.ReplyTo = "a@b.example\nBcc: x@y.example" },
		"id":               func(m *mailc.Message) { m.ID = "a>\r\nBcc: <x" },
		"no id":            func(m *mailc.Message) { m.ID = "" },
		"endless":          func(m *mailc.Message) { m.To = []string{strings.Repeat("a", 300) + "@b.example"} },
		"to nobody":        func(m *mailc.Message) { m.To = nil },
		"about nothing":    func(m *mailc.Message) { m.Subject = " \r\n" },
		"without any text": func(m *mailc.Message) { m.Text = "\n" },
	} {
		m := hello()
		change(&m)
		if _, err := c.Send(t.Context(), m); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.Messages()) != sent {
		t.Error("one of them was sent")
	}
}

func TestUnicode(t *testing.T) {
	t.Parallel()
	s, c := setup(t, nil)
	c.From.Name = "Überraschung & Söhne"
	m := hello()
	m.To = []string{"Zoë Łukasiewicz-Ørsted <zoe@home.example>", "نور <nour@home.example>"}
	m.Subject, m.Text, m.HTML = "Willkommen, 美咲", "Grüße\n", "<p>Grüße</p>"
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()[0]
	to, err := got.Header.AddressList("To")
	if err != nil || to[0].Name != "Zoë Łukasiewicz-Ørsted" || to[1].Name != "نور" {
		t.Errorf("To is %v, %v", to, err)
	}
	if got.FromName != c.From.Name || got.Subject != m.Subject || got.Text != m.Text || strings.TrimSpace(got.HTML) != m.HTML || !got.Received.Equal(now) {
		t.Errorf("it came as %+v", got)
	}
	if date, err := got.Header.Date(); err != nil || !date.Equal(now) {
		t.Errorf("it is dated %v", date)
	}
	m.To = []string{"用户@例子.example"} // SMTPUTF8
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	_, c = setup(t, func(s *mailsim.Server) { s.Lacks = []string{"SMTPUTF8"} })
	if _, err := c.Send(t.Context(), m); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "ASCII") {
		t.Errorf("a server without SMTPUTF8 says %v", err)
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verb string
		code int
		text string
		want error
	}{
		{"CONNECT", 421, "4.3.2 shutting down", dayone.ErrThrottled},
		{"CONNECT", 554, "no mail from you", dayone.ErrForbidden},
		{"EHLO", 500, "5.5.2 what", dayone.ErrInvalid},
		{"STARTTLS", 454, "4.7.0 TLS not available", dayone.ErrUnavailable},
		{"AUTH", 535, "5.7.8 no", dayone.ErrAuth},
		{"AUTH", 534, "5.7.9 application-specific password required", dayone.ErrAuth},
		{"AUTH", 454, "4.7.0 temporary", dayone.ErrUnavailable},
		{"MAIL", 530, "5.7.0 login first", dayone.ErrAuth},
		{"MAIL", 550, "5.7.1 sender not owned", dayone.ErrForbidden},
		{"MAIL", 553, "sender not allowed", dayone.ErrInvalid},
		{"MAIL", 452, "4.3.1 disk full", dayone.ErrThrottled},
		{"RCPT", 450, "4.2.0 grey-listed", dayone.ErrThrottled},
		{"RCPT", 451, "4.7.1 later", dayone.ErrThrottled},
		{"RCPT", 550, "5.1.1 no such user", dayone.ErrNotFound},
		{"RCPT", 550, "no such user", dayone.ErrNotFound},
		{"RCPT", 550, "5.1.2 no such domain", dayone.ErrNotFound},
		{"RCPT", 551, "user not local", dayone.ErrNotFound},
		{"RCPT", 553, "5.1.3 bad address", dayone.ErrInvalid},
		{"RCPT", 554, "5.7.1 relay access denied", dayone.ErrForbidden},
		{"RCPT", 552, "5.2.2 mailbox full", dayone.ErrInvalid},
		{"DATA", 451, "try again", dayone.ErrThrottled},
		{".", 552, "5.3.4 too big", dayone.ErrInvalid},
		{".", 554, "transaction failed", dayone.ErrInvalid},
		{".", 550, "5.7.1 spam", dayone.ErrForbidden},
		{".", 432, "4.0.0 something", dayone.ErrUnavailable},
	} {
		t.Run(fmt.Sprint(c.verb, c.code), func(t *testing.T) {
			t.Parallel()
			s, client := setup(t, nil)
			s.Inject(mailsim.Fault{Verb: c.verb, Code: c.code, Text: c.text, Times: -1})
			_, err := client.Send(t.Context(), hello())
			if !strings.Contains(err.Error(), fmt.Sprint(c.code)) {
				t.Errorf("the code is lost: %v", err)
			}
			var f *dayone.Fault
			if !errors.As(err, &f) || f.Err != c.want || f.System != "mail" || f.Op != "sending message" {
				t.Fatalf("%d %s says %v, want %v", c.code, c.text, err, c.want)
			}
			if errors.Is(err, dayone.ErrThrottled) != f.RetryAt.Equal(now.Add(time.Minute)) {
				t.Errorf("it is tried again at %v", f.RetryAt)
			}
			if len(s.Messages()) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

// A connection that breaks anywhere is "unavailable"; the mail is sent again, and is the same.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "."} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			s, c := setup(t, nil)
			s.Inject(mailsim.Fault{Verb: verb, Drop: true, Times: 2})
			for range 2 {
				if _, err := c.Send(t.Context(), hello()); !errors.Is(err, dayone.ErrUnavailable) {
					t.Errorf("says %v", err)
				}
			}
			s.Heal()
			if _, err := c.Send(t.Context(), hello()); err != nil || len(s.Messages()) != 1 {
				t.Errorf("then it says %v", err)
			}
		})
	}
	s, c := setup(t, nil)
	s.Inject(mailsim.Fault{Verb: "QUIT", Drop: true}) // the mail is accepted, whatever comes after
	if id, err := c.Send(t.Context(), hello()); err != nil || id != "0123abcd@company.com" {
		t.Errorf("without a goodbye it says %q, %v", id, err)
	}
	s.Close()
	if _, err := c.Send(t.Context(), hello()); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("nobody there says %v", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	s := mailsim.New(sim.Options{Latency: time.Hour})
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := client(s.Settings(addr))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := c.Send(ctx, hello()); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call says %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Send(ctx, hello()); !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "in time") {
		t.Errorf("a silent server says %v", err)
	}
}

// A server may repeat what it was told; what an operator reads holds neither password nor link.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	const link = "https://dayone.company.com/once/8f3kq0"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + mailsim.User + "\x00" + mailsim.Password))
	for _, f := range []mailsim.Fault{
		{Verb: "AUTH", Code: 502, Text: "5.5.2 command not recognized: AUTH PLAIN " + plain},
		{Verb: "AUTH", Code: 501, Text: "5.5.2 cannot decode " + base64.StdEncoding.EncodeToString([]byte(mailsim.Password))},
		{Verb: "RCPT", Code: 550, Text: "5.1.1 " + mailsim.Password},
		{Verb: ".", Code: 554, Text: "5.7.1 listed: " + link + "\n5.7.1 see " + strings.ToUpper(link)},
	} {
		s, c := setup(t, nil)
		s.Inject(f)
		m := hello()
		m.Text = "Your password: " + link
		_, err := c.Send(t.Context(), m)
		if err == nil {
			t.Fatalf("%s did not strike", f.Verb)
		}
		for _, secret := range []string{mailsim.Password, base64.StdEncoding.EncodeToString([]byte(mailsim.Password)), plain, "8f3kq0", "8F3KQ0"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("%s: the error tells %q: %v", f.Verb, secret, err)
			}
		}
		for _, said := range s.Commands() {
			if strings.Contains(said, plain) {
				t.Errorf("the simulator keeps %q", said)
			}
		}
	}
}

// The mailbox page shows what came.
func TestMailbox(t *testing.T) {
	t.Parallel()
	s, c := setup(t, nil)
	if _, err := c.Send(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	var shown []mailsim.Message
	if err := json.NewDecoder(w.Body).Decode(&shown); err != nil || len(shown) != 1 || shown[0].Subject != "Welcome" || shown[0].Text != "Hello\n" {
		t.Errorf("it shows %+v, %v", shown, err)
	}
	if _, err := mail.ReadMessage(strings.NewReader(string(shown[0].Raw))); err != nil {
		t.Error(err)
	}
}
