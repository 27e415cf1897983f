package atlassian_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/atlassian"
	atlassiansim "github.com/dayone-hq/dayone/connector/atlassian/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Sarah joins, moves and leaves: the account is deactivated, and no API token of hers is left. It is so whether the directory
// shows deactivated users or says 404 of them.
func TestJoinMoveLeave(t *testing.T) {
	t.Parallel()
	for _, hides := range []bool{false, true} {
		s := atlassiansim.New(sim.Options{})
		if hides {
			s.Hide()
		}
		b := setup(t, s)
		ref := b.joins(sarah)
		seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
		if err != nil || seen.Account().Attrs.Text("account_id") == "" || seen.Account().Attrs["suspended"].Bool() {
			t.Fatalf("she is seen as %+v, %v", seen.Items, err)
		}
		b.apply(b.grant(dayone.EntitlementAdd, ref, "group", "jira-users"))
		b.apply(b.grant(dayone.EntitlementAdd, ref, "role", "ENG/Developers"))
		moved := dayone.Attrs{"title": dayone.Text("Leiterin"), "department": dayone.Text("Vertrieb"), "last_name": dayone.Text("Chen-Łukasiewicz")}
		if r := b.apply(b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: moved})); len(r.Now.Attrs.Differ(moved)) > 0 {
			t.Errorf("moved she is %v", r.Now.Attrs)
		}
		b.apply(b.grant(dayone.EntitlementAdd, ref, "role", "OPS/Service Desk Team"))
		b.apply(b.grant(dayone.EntitlementRemove, ref, "role", "ENG/Developers"))
		if got := b.has(mail); got != "active group:jira-users role:OPS/Service Desk Team" {
			t.Errorf("after the move she is %s", got)
		}
		s.Issue(mail, "laptop", "script")
		for range 2 {
			if r := b.apply(b.closing(ref)); r.Now.State != dayone.Disabled || s.Tokens(mail) != 0 || !strings.HasPrefix(b.has(mail), "disabled") {
				t.Errorf("after she left she is %+v, with %d tokens; Atlassian has %s", r.Now, s.Tokens(mail), b.has(mail))
			}
		}
		found, checked, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
		if err != nil || len(found) > 0 || !slices.Equal(checked, []dayone.RemainClass{dayone.KeptToken}) || (len(unread) > 0) != hides {
			t.Errorf("hidden %v: there remain %v, unread %v of %v, %v", hides, found, unread, checked, err)
		}
		if seen, err = b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || seen.Account() == nil || seen.Account().State != dayone.Disabled {
			t.Errorf("closed she is seen as %v, %v", seen.Items, err)
		}
		_, err = b.guard.Apply(t.Context(), b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Head")}}))
		if (err != nil) != hides || hides && !errors.Is(err, dayone.ErrNotYet) {
			t.Errorf("hidden %v: changed while it is closed it says %v", hides, err)
		}
		b.apply(b.opening(ref))
		if got := b.has(mail); !strings.HasPrefix(got, "active") {
			t.Errorf("back again she is %s", got)
		}
	}
}

// A directory that is not there is never a directory in which everybody is deactivated.
func TestDirectoryIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t, atlassiansim.New(sim.Options{}), "directory", "another")
	_, err := b.guard.Apply(t.Context(), b.closing("635cdb2f"))
	b.refused(err, dayone.ErrInvalid, "check the setting directory")
	if _, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: "635cdb2f"}); err == nil {
		t.Error("nobody is there, and it is no error")
	}
	b.refused(b.guard.Check(t.Context()), dayone.ErrInvalid, "check the setting directory")
}

// Suspended is not deactivated: it shows, it does not count as closed, and it ends when she is let in again.
func TestSuspended(t *testing.T) {
	t.Parallel()
	b := setup(t, atlassiansim.New(sim.Options{}))
	ref := b.joins(sarah)
	b.sim.Suspend(mail)
	for seen, err := range b.guard.List(t.Context()) {
		if err != nil || !seen.Account().Attrs["suspended"].Bool() || seen.Account().State != dayone.Active {
			t.Errorf("suspended she is %+v, %v", seen.Items, err)
		}
	}
	if r := b.apply(b.closing(ref)); r.Now.State != dayone.Disabled || !strings.HasPrefix(b.has(mail), "disabled") {
		t.Error("who is suspended is not deactivated on leaving")
	}
	if b.apply(b.opening(ref)); b.sim.Suspended(mail) {
		t.Error("back again she is still suspended")
	}
	b.apply(b.closing(ref))
	b.apply(b.opening(ref)) // there is no suspension to end

	b = setup(t, atlassiansim.New(sim.Options{}))
	ref = b.joins(sarah)
	b.apply(b.closing(ref))
	b.sim.Directories("a", "b")
	_, err := b.guard.Apply(t.Context(), b.opening(ref))
	b.refused(err, dayone.ErrInvalid, "set organization_directory to the one in which people are: a, b")
}

// Tokens that cannot be deleted keep no account open, and are not called checked.
func TestTokens(t *testing.T) {
	t.Parallel()
	b := setup(t, atlassiansim.New(sim.Options{}))
	ref := b.joins(sarah)
	b.sim.Issue(mail, "laptop")
	b.sim.Release(mail)
	b.apply(b.closing(ref))
	if _, _, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref}); err != nil || len(unread) != 1 {
		t.Errorf("of an account that is not managed tokens are read: %v, %v", unread, err)
	}

	b = setup(t, atlassiansim.New(sim.Options{}))
	ref = b.joins(sarah)
	b.sim.Issue(mail, "laptop")
	b.sim.Door().Inject(sim.Fault{Path: "/users/", Status: 503, Body: "busy"})
	_, err := b.guard.Apply(t.Context(), b.closing(ref))
	if b.refused(err, dayone.ErrUnavailable, ""); !strings.HasPrefix(b.has(mail), "disabled") {
		t.Error("because of her tokens the account stayed open")
	}
	b.apply(b.closing(ref))
	if b.sim.Tokens(mail) != 0 {
		t.Error("the retry left a token")
	}

	b = setup(t, atlassiansim.New(sim.Options{}), "organization_key", "")
	ref = b.joins(sarah)
	b.sim.Issue(mail, "laptop")
	b.apply(b.closing(ref))
	if _, checked, _, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref}); err != nil || len(checked) > 0 {
		t.Errorf("without the organization's key there are checked %v, %v", checked, err)
	}
}

// On a site she is invited, suspended with her tokens, and restored. Without the organization's key a human closes her.
func TestSiteStory(t *testing.T) {
	t.Parallel()
	b := setup(t, atlassiansim.NewSite(sim.Options{}))
	ref := b.joins(sarah)
	b.apply(b.grant(dayone.EntitlementAdd, ref, "group", "confluence-users"))
	b.apply(b.grant(dayone.EntitlementAdd, ref, "role", "ENG/Developers"))
	if r := b.apply(b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Head")}})); r.Changed() {
		t.Errorf("a profile that is hers was changed: %+v", r)
	}
	b.sim.Issue(mail, "laptop")
	b.apply(b.closing(ref))
	if got := b.has(mail); got != "disabled group:confluence-users role:ENG/Developers" || !b.sim.Suspended(mail) || b.sim.Tokens(mail) != 0 {
		t.Errorf("closed she is %s, with %d tokens", got, b.sim.Tokens(mail))
	}
	b.apply(b.opening(ref))
	if got := b.has(mail); got != "active group:confluence-users role:ENG/Developers" {
		t.Errorf("opened again she is %s", got)
	}
	b = setup(t, atlassiansim.NewSite(sim.Options{}), "organization_key", "")
	ref = b.joins(sarah)
	_, err := b.guard.Apply(t.Context(), b.closing(ref))
	b.refused(err, dayone.ErrUnsupported, "Directory > Users")
}

// Whoever is on the site already is a question, also if they are suspended, which its search forgets.
func TestSiteIsNobodys(t *testing.T) {
	t.Parallel()
	for _, state := range []dayone.State{dayone.Active, dayone.Disabled} {
		b := setup(t, atlassiansim.NewSite(sim.Options{}))
		for _, n := range []string{"a", "b", "c"} {
			b.sim.Seed(sim.Account{Email: n + "." + mail})
		}
		ref := b.sim.Seed(sim.Account{Email: mail, State: state})
		a := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah})
		a.Attempt = 2
		_, err := b.guard.Apply(t.Context(), a)
		var f *dayone.Fault
		if !errors.As(err, &f) || f.Found == nil || f.Found.Ref != ref || a.Hers(*f.Found) {
			t.Errorf("%s: it says %v", state, err)
		}
		a.Subject = dayone.Subject{Ref: ref} // a human said that it is hers
		b.apply(a)
		if got := b.has(mail); got != "active" {
			t.Errorf("taken up it is %s", got)
		}
	}
	b := setup(t, atlassiansim.NewSite(sim.Options{}))
	b.sim.Seed(sim.Account{Email: mail, State: dayone.Disabled})
	b.sim.HideMail(mail)
	_, err := b.guard.Apply(t.Context(), b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah}))
	b.refused(err, dayone.ErrConflict, "suspended account")
}

// What is refused says what has to be done, at which door.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		site     bool
		settings []string
		do       func(b bench) error
		want     error
		says     string
	}{
		"directory's key":    {false, []string{"scim_token", "wrong"}, nil, dayone.ErrAuth, "put it into scim_token"},
		"site's token":       {false, []string{"site_token", "wrong"}, nil, dayone.ErrAuth, "put it into site_token"},
		"organization's key": {false, []string{"organization_key", "wrong"}, nil, dayone.ErrAuth, "put it into organization_key"},
		"organization":       {false, []string{"organization", "other"}, nil, dayone.ErrForbidden, "no such organization"},
		"rights": {true, nil, func(b bench) error {
			b.sim.Withdraw("ADMINISTER")
			return b.guard.Check(b.Context())
		}, dayone.ErrForbidden, "site administrator"},
		"domain": {false, nil, func(b bench) error {
			as := sarah.With(dayone.Attrs{"login": dayone.Text("sarah@gmail.example"), "email": dayone.Text("sarah@gmail.example")})
			_, err := b.guard.Apply(b.Context(), b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as}))
			return err
		}, dayone.ErrInvalid, "Settings > Domains"},
		"synchronised group": {true, nil, func(b bench) error {
			b.sim.Synchronise("jira-users")
			_, err := b.guard.Apply(b.Context(), b.grant(dayone.EntitlementAdd, b.joins(bySite), "group", "jira-users"))
			return err
		}, dayone.ErrForbidden, "identity provider synchronises"},
		"role": {false, []string{"project_roles", "ENG/Nobody, NONE/Developers"}, func(b bench) error {
			_, err := b.guard.Apply(b.Context(), b.grant(dayone.EntitlementAdd, b.joins(sarah), "role", "ENG/Nobody"))
			return err
		}, dayone.ErrNotFound, "does not exist"},
		"throttled": {true, nil, func(b bench) error {
			b.sim.Door().Inject(sim.Fault{Status: 429, Header: map[string]string{"X-RateLimit-Reset": time.Now().Add(5 * time.Minute).UTC().Format("2006-01-02T15:04Z")}})
			err := b.guard.Check(b.Context())
			var f *dayone.Fault
			if errors.As(err, &f) && time.Until(f.RetryAt) < 3*time.Minute {
				b.Errorf("it may come back at %v", f.RetryAt)
			}
			return err
		}, dayone.ErrThrottled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := atlassiansim.New(sim.Options{})
			if c.site {
				s = atlassiansim.NewSite(sim.Options{})
			}
			b := setup(t, s, c.settings...)
			if c.do == nil {
				c.do = func(b bench) error { return b.guard.Check(b.Context()) }
			}
			b.refused(c.do(b), c.want, c.says)
		})
	}
	b := setup(t, atlassiansim.NewSite(sim.Options{Seats: 1}))
	b.sim.Seed(sim.Account{Email: "a@company.com"})
	_, err := b.guard.Apply(t.Context(), b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: bySite}))
	b.refused(err, dayone.ErrNoSeat, "buy seats")
}

// Settings that do not go together are told before anything is called.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"organization", ""}, {"site_user", ""}, {"directory", ""}, {"scim_token", ""}, {"project_roles", "ENG"}, {"site_token", ""}} {
		all := atlassiansim.New(sim.Options{}).Settings("https://api.atlassian.com")
		all[c[0]] = c[1]
		if _, err := connector.Open(atlassian.Factory, "atlassian", time.Now, connector.Options{Settings: all}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("with %v it says %v", c, err)
		}
	}
}
