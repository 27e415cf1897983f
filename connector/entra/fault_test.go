package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Every way to be kept out says what the administrator has to do, and where.
func TestNotLetIn(t *testing.T) {
	b := open(t, sim.Options{})
	for _, c := range []struct{ setting, next string }{
		{"tenant=elsewhere.onmicrosoft.com", "check the setting tenant"},
		{"client_id=5f3c0000-0000-4000-8000-000000000000", "check client_id and tenant"},
		{"client_secret=wrong", "not its id"},
	} {
		b.refused(b.reach(b.sim.Settings(b.base), c.setting).Check(t.Context()), dayone.ErrAuth, c.next)
	}
	if err := b.guard.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.sim.EndSecret()
	b.refused(b.guard.Check(t.Context()), dayone.ErrAuth, "add a new one")
	b.sim.Withdraw("User.ReadWrite.All")
	b.refused(b.reach(b.sim.CertificateSettings(b.base)).Check(t.Context()), dayone.ErrForbidden, "User.ReadWrite.All")
}

// A certificate signs by either algorithm; one that has ended, or that is another's, is told before or after it is sent.
func TestCertificate(t *testing.T) {
	b := open(t, sim.Options{})
	for _, alg := range []string{"PS256", "RS256"} {
		g := b.reach(b.sim.CertificateSettings(b.base), "algorithm="+alg)
		if err := g.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		b.sim.EndTokens()
		if err := g.Check(t.Context()); err != nil {
			t.Errorf("%s, after the token was ended: %v", alg, err)
		}
	}
	other := entrasim.New(sim.Options{Now: func() time.Time { return *b.clock }}).CertificateSettings(b.base)
	b.refused(b.reach(other).Check(t.Context()), dayone.ErrAuth, "upload it")
	g := b.reach(b.sim.CertificateSettings(b.base))
	*b.clock = b.clock.Add(2 * 365 * 24 * time.Hour)
	b.refused(g.Check(t.Context()), dayone.ErrAuth, "upload a new certificate")
}

// A token is fetched once and kept until its end.
func TestTokenIsKept(t *testing.T) {
	b := open(t, sim.Options{})
	count := func() (n int) {
		for _, q := range b.sim.Door().Requests() {
			if strings.HasSuffix(q.Path, "/token") {
				n++
			}
		}
		return n
	}
	for range 5 {
		if err := b.guard.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(); n != 1 {
		t.Errorf("five calls fetched %d tokens", n)
	}
	*b.clock = b.clock.Add(10 * time.Second)
	if err := b.guard.Check(t.Context()); err != nil || count() != 2 {
		t.Errorf("after its end: %v, %d tokens", err, count())
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	s := entrasim.New(sim.Options{})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	another := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	bundle := s.CertificateSettings("")["certificate"]
	cert, private, _ := strings.Cut(bundle, "-----BEGIN PRIVATE KEY-----")
	for name, set := range map[string]map[string]string{
		"neither secret nor certificate": {"client_secret": ""},
		"both":                           {"certificate": bundle},
		"no key":                         {"client_secret": "", "certificate": cert},
		"no certificate":                 {"client_secret": "", "certificate": "-----BEGIN PRIVATE KEY-----" + private},
		"another's key":                  {"client_secret": "", "certificate": cert + another},
		"no PEM":                         {"client_secret": "", "certificate": "MIIC"},
	} {
		all := s.Settings("http://127.0.0.1:1")
		for k, v := range set {
			all[k] = v
		}
		_, err := connector.Open(entra.Factory, "entra", time.Now, connector.Options{Settings: all})
		if !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "MII") || strings.Contains(err.Error(), "BEGIN")) {
			t.Errorf("%s: the error holds the secret", name)
		}
	}
}

func TestErrors(t *testing.T) {
	body := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{"request-id":"x"}}}`, code, message)
	}
	for _, c := range []struct {
		name, method string
		status       int
		body         string
		want         error
	}{
		{"throttled", "GET", 429, body("TooManyRequests", "Too many requests"), dayone.ErrThrottled},
		{"busy", "GET", 503, body("serviceNotAvailable", "The service is temporarily unavailable."), dayone.ErrUnavailable},
		{"gateway", "GET", 504, `<html></html>`, dayone.ErrUnavailable},
		{"no rights", "GET", 403, body("Authorization_RequestDenied", "Insufficient privileges to complete the operation."), dayone.ErrForbidden},
		{"no list", "GET", 200, `{"error":"none"}`, dayone.ErrUnavailable},
		{"full", "POST", 400, body("Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded."), dayone.ErrNoSeat},
		{"concurrent", "POST", 409, body("Request_ConcurrencyViolation", "A conflicting object was written."), dayone.ErrNotYet},
		{"invalid", "POST", 400, body("Request_BadRequest", "Invalid value specified for property 'jobTitle' of resource 'User'."), dayone.ErrInvalid},
		{"taken", "POST", 400, `{"error":{"code":"Request_BadRequest","message":"x","details":[{"code":"ObjectConflict","target":"userPrincipalName"}]}}`, dayone.ErrConflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, sim.Options{})
			b.sim.Door().Inject(sim.Fault{Method: c.method, Path: "/v1.0/users", Status: c.status, Body: c.body, Header: map[string]string{"Retry-After": "10"}})
			_, err := b.guard.Apply(t.Context(), b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: person()}))
			b.refused(err, c.want, "")
			var f *dayone.Fault
			if errors.As(err, &f) && c.status == 429 && !f.RetryAt.Equal(b.clock.Add(10*time.Second)) {
				t.Errorf("it may come back at %v", f.RetryAt)
			}
		})
	}
}

// A login of another tenant's domain is refused, and nothing is left of it.
func TestForeignDomain(t *testing.T) {
	b := open(t, sim.Options{})
	attrs := person()
	attrs["login"] = dayone.Text("sarah@other.example")
	_, err := b.try(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: attrs}))
	b.refused(err, dayone.ErrInvalid, "Custom domain names")
	if n := len(b.sim.Accounts()); n > 0 {
		t.Errorf("%d accounts were made", n)
	}
}

// A manager without an account keeps nobody's first day waiting, and is a human's to set later.
func TestManagerUnknown(t *testing.T) {
	b := open(t, sim.Options{})
	attrs := person()
	attrs["manager"] = dayone.Text("o'neil@company.com")
	ref := b.joins(attrs)
	_, err := b.try(b.act(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"manager": dayone.Text("nobody@company.com")}}))
	b.refused(err, dayone.ErrUnsupported, "by hand")
}

// Messages and invitations go out from one mailbox; the same invitation is one meeting, and a cancelled one is told.
func TestMailAndMeetings(t *testing.T) {
	b := open(t, sim.Options{})
	send := func(kind string, attrs dayone.Attrs) dayone.Act {
		a := b.grant("", kind, "welcome")
		a.Action, a.Want.Attrs = dayone.MessageSend, attrs
		return a
	}
	mail := dayone.Attrs{
		"to": dayone.List("Sarah Chen <sarah@home.example>", "john@company.com"), "subject": dayone.Text("Willkommen,\r\nZoë"), "text": dayone.Text("Hallo"),
		"reply_to": dayone.Text("it@company.com"),
	}
	b.apply(send("message", mail))
	if sent := fmt.Sprintf("%+v", b.sim.Sent()); sent != "[{To:[sarah@home.example john@company.com] Subject:Willkommen, Zoë Type:text Text:Hallo ReplyTo:it@company.com}]" {
		t.Errorf("sent was %s", sent)
	}
	for name, bad := range map[string]dayone.Value{"to": dayone.List("nobody"), "subject": dayone.Text(" "), "text": dayone.Text("")} {
		attrs := mail.Clone()
		attrs[name] = bad
		_, err := b.try(send("message", attrs))
		b.refused(err, dayone.ErrInvalid, "")
	}
	meet := dayone.Attrs{
		"to": dayone.List("sarah.chen@company.com"), "summary": dayone.Text("Coffee"), "description": dayone.Text("Hi"), "location": dayone.Text("Lobby"),
		"start": dayone.Text("2025-01-31T09:00:00-08:00"), "end": dayone.Text("2025-01-31T09:30:00-08:00"), "zone": dayone.Text("America/Los_Angeles"),
	}
	first := b.apply(send("invitation", meet))
	again := send("invitation", meet)
	again.Attempt = 2
	b.apply(again)
	moved := send("invitation", meet.Clone())
	moved.Have = first.Now
	moved.Want.Attrs["start"] = dayone.Text("2025-01-31T09:15:00-08:00")
	b.apply(moved)
	if m := b.sim.Meetings(); len(m) != 1 || m[0].Start != "2025-01-31T17:15:00 UTC" {
		t.Errorf("the meetings are %+v", m)
	}
	b.apply(b.takes(moved, first.Now))
	if m := b.sim.Meetings(); !m[0].Cancelled {
		t.Error("it was not cancelled")
	}
	meet["end"] = meet["start"]
	_, err := b.try(send("invitation", meet))
	b.refused(err, dayone.ErrInvalid, "ends before")
	b.sim.Withdraw("Mail.Send")
	_, err = b.try(send("message", mail))
	b.refused(err, dayone.ErrForbidden, "Mail.Send")
	b.guard = b.reach(b.sim.Settings(b.base), "sender=")
	_, err = b.try(send("message", mail))
	b.refused(err, dayone.ErrInvalid, "setting sender")
}
