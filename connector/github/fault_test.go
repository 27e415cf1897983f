package github_test

import (
	"errors"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/github"
	githubsim "github.com/dayone-hq/dayone/connector/github/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// GitHub throttles in its own words. After them nobody calls before the time that it names.
func TestThrottled(t *testing.T) {
	t.Parallel()
	const second = `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest"}`
	for name, c := range map[string]struct {
		f    sim.Fault
		wait time.Duration
	}{
		"secondary":       {sim.Fault{Status: 403, Header: map[string]string{"Retry-After": "90", "X-RateLimit-Remaining": "4990"}, Body: second}, 90 * time.Second},
		"without a time":  {sim.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "4990", "X-RateLimit-Reset": "1738573000"}, Body: second}, time.Minute},
		"primary":         {sim.Fault{Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1738571400"}, Body: `{"message":"API rate limit exceeded"}`}, 30 * time.Minute},
		"primary, as 429": {sim.Fault{Status: 429, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1738571400"}, Body: `{"message":"API rate limit exceeded"}`}, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, githubsim.New, sim.Options{})
			began := *b.clock
			b.sim.Door().Inject(c.f)
			a := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah})
			_, err := b.try(a)
			var f *dayone.Fault
			if !errors.As(err, &f) || f.Err != dayone.ErrThrottled || f.RetryAt.Sub(began).Round(time.Second) != c.wait {
				t.Fatalf("it says %v, and may come back after %v", err, f.RetryAt.Sub(began))
			}
			before := len(b.sim.Door().Requests())
			*b.clock = began.Add(c.wait - time.Second)
			if _, err := b.try(a); !errors.Is(err, dayone.ErrThrottled) || len(b.sim.Door().Requests()) != before {
				t.Errorf("before its time it was called: %v", err)
			}
			*b.clock = began.Add(c.wait + time.Second)
			b.apply(a)
		})
	}
}

// The invitations of a day are used up: this waits, all else goes on.
func TestInvitationsUsedUp(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{})
	b.sim.Limit(1)
	ref := b.joins(sarah).Now.Ref
	mia := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"login": dayone.Text("mialong")}})
	_, err := b.try(mia)
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Err != dayone.ErrThrottled || f.RetryAt.Sub(*b.clock) != time.Hour {
		t.Fatalf("it says %v", err)
	}
	b.apply(b.team(dayone.EntitlementAdd, ref, "platform", "member"))
	*b.clock = b.clock.Add(24 * time.Hour)
	b.apply(mia)
}

func TestSeats(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]func(sim.Options) *githubsim.Sim{"invite": githubsim.New, "scim": githubsim.NewSSO} {
		b := setup(t, s, sim.Options{Seats: 1})
		b.sim.Seed(sim.Account{Login: "mialong", Email: "mia@company.com", EmployeeNumber: "emp_9", State: dayone.Active})
		as := sarah
		if name == "scim" {
			as = byMail()
		}
		_, err := b.try(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as}))
		b.refused(err, dayone.ErrNoSeat, "buy a seat")
	}
}

// An app signs for an hour's token, gets a new one when it ends, early or late, and is told what is wrong with its key.
func TestApp(t *testing.T) {
	t.Parallel()
	b := setup(t, githubsim.New, sim.Options{}, "app")
	if err := b.guard.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.sim.EndTokens()
	ref := b.joins(sarah).Now.Ref
	*b.clock = b.clock.Add(2 * time.Hour)
	if r := b.apply(b.confirm(ref)); r.Wait == nil {
		t.Errorf("she is %+v", r.Now)
	}
	b = setup(t, githubsim.New, sim.Options{}, "app", "app_id", "1")
	b.refused(b.guard.Check(t.Context()), dayone.ErrAuth, "make a new one")
	b = setup(t, githubsim.New, sim.Options{}, "app", "installation_id", "1")
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "check the setting organization")
}

// Wrong settings are told with what has to be done.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := githubsim.New(sim.Options{})
	for _, c := range []map[string]string{
		{"token": ""}, {"private_key": "x"}, {"token": "", "private_key": "x"}, {"token": "", "private_key": "x", "app_id": "1", "installation_id": "2"},
	} {
		all := s.Settings("https://api.github.com")
		for k, v := range c {
			all[k] = v
		}
		if _, err := connector.Open(github.Factory, "github", time.Now, connector.Options{Settings: all}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("with %v it says %v", c, err)
		}
	}
	b := setup(t, githubsim.New, sim.Options{}, "organization", "other")
	b.sim.Door().Validate(nil)
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "check the setting organization")
	b = setup(t, githubsim.New, sim.Options{}, "sso", "true")
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "set sso to false")
	b = setup(t, githubsim.New, sim.Options{}, "accounts", "scim")
	b.sim.Door().Inject(sim.Fault{Path: "/orgs/acme/credential-authorizations", Status: 200, Body: "[]"})
	b.refused(b.guard.Check(t.Context()), dayone.ErrInvalid, "no SAML single sign-on")
	b = setup(t, githubsim.New, sim.Options{})
	b.sim.Door().Inject(sim.Fault{
		Status: 403, Header: map[string]string{"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"},
		Body: `{"message":"Resource protected by organization SAML enforcement."}`,
	})
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "Configure SSO")
	b.sim.Door().Inject(sim.Fault{Status: 403, Body: `{"message":"Must have admin rights"}`})
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "admin:org")
	b = setup(t, githubsim.NewSSO, sim.Options{})
	b.sim.Door().Inject(sim.Fault{Path: "/graphql", Status: 200, Body: `{"errors":[{"type":"INSUFFICIENT_SCOPES","message":"read:org"}]}`})
	b.refused(b.guard.Check(t.Context()), dayone.ErrForbidden, "admin:org")
}
