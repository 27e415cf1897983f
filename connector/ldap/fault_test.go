package ldap_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/ldap"
	adsim "github.com/dayone-hq/dayone/connector/ldap/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func simulated(t *testing.T, change map[string]string) (*adsim.Server, *connector.Guard) {
	t.Helper()
	s := adsim.Directory(sim.Options{})
	settings := s.Settings(serve(t, s))
	for name, v := range change {
		settings[name] = v
	}
	g, err := connector.Open(ldap.Factory, "directory", time.Now, connector.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

func create(attrs dayone.Attrs, password string) dayone.Act {
	key := dayone.Key{System: "directory", Kind: dayone.AccountKindName}
	return dayone.Act{
		Once: "0123456789abcdef", Action: dayone.AccountCreate, Key: key, Want: &dayone.Item{Key: key, State: dayone.Active, Attrs: attrs}, Since: time.Now(), Attempt: 1,
		Subject: dayone.Subject{Keys: map[string]string{"employee_number": attrs.Text("employee_number"), "login": attrs.Text("login")}},
		Secrets: map[string]dayone.Secret{"password": dayone.NewSecret(password)},
	}
}

// TestRefusals: each ends in the right kind, with what the administrator has to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		change   map[string]string
		password string
		attrs    dayone.Attrs
		fault    sim.Fault
		want     error
		says     string
	}{
		{name: "a password that the policy refuses", password: "short", want: dayone.ErrInvalid, says: "password policy"},
		{name: "no right to make users", fault: sim.Fault{Path: "/add", Status: 403, Body: "00002098: SecErr"}, want: dayone.ErrForbidden, says: "delegate"},
		{name: "a wrong password of ours", change: map[string]string{"bind_password": "Wr0ng-one!"}, want: dayone.ErrAuth, says: "bind_password is wrong"},
		{name: "nobody of that name", change: map[string]string{"bind_dn": "nobody@corp.test"}, want: dayone.ErrAuth, says: "nobody has the name"},
		{name: "a certificate of somebody else's", change: map[string]string{"ca": ""}, want: dayone.ErrAuth, says: "setting ca"},
		{name: "no such place", attrs: dayone.Attrs{"ou": dayone.Text("Staff/Paris")}, want: dayone.ErrInvalid, says: "there is no OU=Paris"},
		{name: "another base", change: map[string]string{"base": "DC=other,DC=test"}, want: dayone.ErrNotFound},
		{name: "a server that is busy", fault: sim.Fault{Path: "/add", Status: 429}, want: dayone.ErrThrottled},
		{name: "a day that is none", attrs: dayone.Attrs{"expires": dayone.Text("tomorrow")}, want: dayone.ErrInvalid, says: "2025-01-31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, g := simulated(t, c.change)
			if c.fault.Path != "" {
				s.Door().Inject(c.fault)
			}
			password := firstPassword
			if c.password != "" {
				password = c.password
			}
			_, err := g.Apply(t.Context(), create(sarah.With(c.attrs), password))
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, want %v and %q", err, c.want, c.says)
			}
			if n := len(s.Accounts()); n != 0 {
				t.Errorf("%d accounts were made", n)
			}
		})
	}
}

// TestBadSettings are refused before anybody is called.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]string{
		"urls": "https://dc1.corp.test", "base": "corp.test", "ca": "no certificate", "filter": "objectClass=user", "group_base": "Groups", "page": "0", "flavour": "novell",
	} {
		s := adsim.Directory(sim.Options{})
		settings := s.Settings("ldaps://127.0.0.1:1")
		settings[name] = v
		_, err := connector.Open(ldap.Factory, "directory", time.Now, connector.Options{Settings: settings})
		var wrong *connector.SettingError
		if !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %q is %v", name, v, err)
		}
	}
}

// TestAnotherServer: while the first one is away the second one answers, and nobody asks the first for each call.
func TestAnotherServer(t *testing.T) {
	t.Parallel()
	s := adsim.Directory(sim.Options{})
	settings := s.Settings(serve(t, s))
	settings["urls"] = "ldaps://127.0.0.1:1, " + settings["urls"]
	g, err := connector.Open(ldap.Factory, "directory", time.Now, connector.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(t.Context(), create(sarah, firstPassword)); err != nil {
		t.Fatal(err)
	}
	if got := s.Accounts(); len(got) != 1 || got[0].State != dayone.Active {
		t.Errorf("there is %+v", got)
	}
	if s.LetsIn("sarah.chen", firstPassword) {
		t.Error("the first password need not be changed")
	}
}
