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
		{name: "another base", change: map[string]string{"base": "DC=other,DC=test"}, want: dayone.ErrForbidden, says: "there is no DC=other,DC=test"},
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

// leaver has an account with a group, and Dayone's settings are then changed for the worse.
func leaver(t *testing.T, change map[string]string) (s *adsim.Server, g *connector.Guard, ref string, take dayone.Act) {
	t.Helper()
	s, g = simulated(t, nil)
	r, err := g.Apply(t.Context(), create(sarah, firstPassword))
	if err != nil {
		t.Fatal(err)
	}
	ref = r.Now.Ref
	key := dayone.Key{System: "directory", Kind: "group", Name: "sales-team"}
	give := dayone.Act{Once: "fedcba9876543210", Action: dayone.EntitlementAdd, Key: key, Account: ref, Want: &dayone.Item{Key: key, State: dayone.Active}, Attempt: 1, Since: time.Now(), Subject: dayone.Subject{Ref: ref}}
	if r, err = g.Apply(t.Context(), give); err != nil {
		t.Fatal(err)
	}
	take = give
	take.Action, take.Want, take.Have = dayone.EntitlementRemove, nil, r.Now
	off := create(nil, "")
	off.Action, off.Want, off.Subject = dayone.AccountDisable, &dayone.Item{State: dayone.Disabled}, dayone.Subject{Ref: ref}
	if _, err := g.Apply(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	settings := s.Settings("ldaps://" + s.Addr())
	for name, v := range change {
		settings[name] = v
	}
	if g, err = connector.Open(ldap.Factory, "directory", time.Now, connector.Options{Settings: settings}); err != nil {
		t.Fatal(err)
	}
	return s, g, ref, take
}

// TestWhatMayNotBeSeenIsNotGone: a server says that there is no such thing of what it does not show. No group of a leaver is
// done by that, and no certificate sees an empty hand.
func TestWhatMayNotBeSeenIsNotGone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]string{
		"no base":           {"base": "DC=other,DC=test", "group_base": adsim.Base},
		"nobody in base":    {"base": "OU=Closed," + adsim.Base, "people_ou": "", "group_base": adsim.Base},
		"a lost unit":       {"base": "CN=Users," + adsim.Base, "group_base": adsim.Base},
		"no base of groups": {"group_base": "OU=Groups," + adsim.Base},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g, ref, take := leaver(t, change)
			if _, err := g.Apply(t.Context(), take); !errors.Is(err, dayone.ErrForbidden) || !strings.Contains(err.Error(), "let the account of bind_dn read") {
				t.Errorf("taking her out of a group says %v", err)
			}
			if is := s.Accounts()[0].Entitlements; len(is) != 1 {
				t.Errorf("she is in %v", is)
			}
			seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref})
			if !errors.Is(err, dayone.ErrForbidden) && len(seen.Unread) == 0 {
				t.Errorf("a certificate would see %+v, %v", seen, err)
			}
		})
	}
}

// TestAFilterThatLeavesOutTheClosed still has their groups taken.
func TestAFilterThatLeavesOutTheClosed(t *testing.T) {
	t.Parallel()
	s, g, ref, take := leaver(t, map[string]string{"filter": "(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"})
	if seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 2 || seen.Account().State != dayone.Disabled {
		t.Errorf("she is seen as %+v, %v", seen, err)
	}
	if _, err := g.Apply(t.Context(), take); err != nil {
		t.Error(err)
	}
	if is := s.Accounts()[0].Entitlements; len(is) != 0 {
		t.Errorf("she is still in %v", is)
	}
}
