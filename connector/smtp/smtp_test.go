package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/smtp"
	"github.com/dayone-hq/dayone/internal/lab"
)

func serve(t *testing.T, s sim.Simulator) string {
	t.Helper()
	addr, err := s.(*mailsim.Server).Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.(*mailsim.Server).Close)
	return addr
}

func TestSMTP(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: smtp.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return mailsim.New(o) },
		Serve:   serve,
		Grants:  []dayone.Grant{{Key: welcome().Key, Attrs: welcome().Want.Attrs}},
	})
}

func open(t *testing.T, settings map[string]string) *connector.Guard {
	t.Helper()
	return openWith(t, connector.Options{Settings: settings})
}

func openWith(t *testing.T, o connector.Options) *connector.Guard {
	t.Helper()
	g, err := connector.Open(smtp.Factory, "mail", time.Now, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func setup(t *testing.T) (*mailsim.Server, *connector.Guard) {
	t.Helper()
	s := mailsim.New(sim.Options{})
	return s, open(t, s.Settings(serve(t, s)))
}

const link = "https://dayone.company.com/once/8f3kq0"

func welcome() dayone.Act {
	key := dayone.Key{System: "mail", Kind: "message", Name: "welcome"}
	return dayone.Act{
		Once: "0123456789abcdef0123456789abcdef", Action: dayone.MessageSend, Key: key, Attempt: 1, Since: time.Now(),
		Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: dayone.Attrs{
			"template": dayone.Text("welcome"), "to": dayone.List("sarah@home.example", "john.doe@company.com"),
			"subject": dayone.Text("Welcome, Sarah"), "text": dayone.Text("Your first password: " + link + "\n"),
			"html": dayone.Text(`<p>Your first password: <a href="` + link + `">here</a></p>`), "reply_to": dayone.Text("it-help@company.com"),
		}},
	}
}

func TestOneMailToAll(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	r, err := g.Apply(t.Context(), welcome())
	if err != nil {
		t.Fatal(err)
	}
	if r.Before != nil || r.Wait != nil || r.Now.State != dayone.Active || r.Now.Key.Name != "welcome" {
		t.Errorf("the answer is %+v", r)
	}
	id := "0123456789abcdef0123456789abcdef@company.com"
	want := dayone.Attrs{"to": dayone.List("sarah@home.example", "john.doe@company.com"), "subject": dayone.Text("Welcome, Sarah"), "message_id": dayone.Text(id)}
	if fmt.Sprint(r.Now.Attrs) != fmt.Sprint(want) || r.Now.Ref != id {
		t.Errorf("what is kept is %v", r.Now)
	}
	ms := s.Messages()
	if len(ms) != 1 {
		t.Fatalf("%d mails were sent", len(ms))
	}
	m := ms[0]
	if strings.Join(m.To, " ") != "john.doe@company.com sarah@home.example" || m.ID != id || m.Subject != "Welcome, Sarah" || m.FromName != "Company Onboarding" ||
		m.Header.Get("Reply-To") != "<it-help@company.com>" || !strings.Contains(m.Text, link) || !strings.Contains(m.HTML, link) || !m.TLS || m.User == "" {
		t.Errorf("it came as %+v", m)
	}
	if seen, err := g.Observe(t.Context(), dayone.Subject{}); err != nil || len(seen.Items)+len(seen.Unread) > 0 {
		t.Errorf("Observe says %+v, %v", seen, err)
	}
}

// What was sent once is the same mail when it is sent again; what the books know is not sent again at all.
func TestTwiceIsOnce(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	s.Inject(mailsim.Fault{Verb: ".", Cut: true})
	a := welcome()
	if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	a.Attempt = 2
	r, err := g.Apply(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	ms := s.Messages()
	if len(ms) != 2 || ms[0].ID != ms[1].ID {
		t.Errorf("there are %d mails: %v", len(ms), ms)
	}
	a.Have = r.Now
	if again, err := g.Apply(t.Context(), a); err != nil || again.Changed() || len(s.Messages()) != 2 {
		t.Errorf("what is known as sent was sent again: %+v, %v", again, err)
	}
	a.Want = nil
	if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("taking a message back says %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault mailsim.Fault
		want  error
	}{
		"no such user": {mailsim.Fault{Verb: "RCPT", With: "sarah@", Code: 550, Text: "5.1.1 <sarah@home.example>: user unknown"}, dayone.ErrNotFound},
		"grey-listed":  {mailsim.Fault{Verb: "RCPT", Code: 451, Text: "4.7.1 try again later"}, dayone.ErrThrottled},
		"quoted":       {mailsim.Fault{Verb: ".", Code: 554, Text: "5.7.1 refused: bad link " + link + " of " + mailsim.Password}, dayone.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g := setup(t)
			s.Inject(c.fault)
			began := time.Now()
			_, err := g.Apply(t.Context(), welcome())
			if !errors.Is(err, c.want) {
				t.Errorf("says %v, want %v", err, c.want)
			}
			if len(s.Messages()) != 0 {
				t.Error("somebody got the mail")
			}
			for _, secret := range []string{link, mailsim.Password} {
				if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
					t.Errorf("the error tells %s", secret)
				}
			}
			var f *dayone.Fault
			if !errors.As(err, &f) || f.System != "mail" || (c.want == dayone.ErrThrottled) != f.RetryAt.After(began) {
				t.Errorf("the fault is %+v", f)
			}
			if _, err := g.Apply(t.Context(), welcome()); err != nil { // it struck once
				t.Error(err)
			}
		})
	}
}

func TestNothingToSay(t *testing.T) {
	t.Parallel()
	s, g := setup(t)
	for _, name := range []string{"to", "subject", "text"} {
		a := welcome()
		delete(a.Want.Attrs, name)
		if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("without %s it says %v", name, err)
		}
	}
	if n := len(s.Commands()); n != 0 {
		t.Errorf("%d commands were sent for it", n)
	}
}

// Through a real Postfix, with a login over STARTTLS, and back out of a real mailbox.
func TestRealServer(t *testing.T) {
	t.Parallel()
	server := lab.Mail(t)
	g := openWith(t, connector.Options{Settings: server.Settings("onboarding"), Observe: connectortest.Real(t, smtp.Factory)})
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := welcome()
	a.Want.Attrs["to"] = dayone.List("sarah@corp.test", "Jürgen Große <john@corp.test>")
	a.Want.Attrs["subject"] = dayone.Text("Willkommen, 美咲 und Zoë: " + strings.Repeat("Grüße ", 30))
	r, err := g.Apply(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"sarah", "john"} {
		raw := server.Read(t, who, r.Now.Ref)
		m, err := mail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 2 || !strings.Contains(raw, "Auto-Submitted: auto-generated") {
			t.Errorf("%s got\n%s", who, raw)
		}
	}
	wrong := server.Settings("onboarding")
	wrong["password"] = "not-the-password"
	if err := open(t, wrong).Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("a wrong password says %v", err)
	}
	a.Want.Attrs["to"] = dayone.List("somebody@elsewhere.test")
	a.Once = "fedcba98"
	if _, err := g.Apply(t.Context(), a); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("outside mail says %v", err)
	}
	stranger := server.Settings("onboarding")
	delete(stranger, "user")
	delete(stranger, "password")
	if _, err := open(t, stranger).Apply(t.Context(), a); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("mail without a login says %v", err)
	}
	if err := func() error {
		s := server.Settings("onboarding")
		delete(s, "ca")
		return open(t, s).Check(context.Background())
	}(); !errors.Is(err, dayone.ErrUnavailable) || !strings.Contains(err.Error(), "setting ca") {
		t.Errorf("an unknown certificate says %v", err)
	}
}
