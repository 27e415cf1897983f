package gitlab_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/gitlab"
	gitlabsim "github.com/dayone-hq/dayone/connector/gitlab/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var sarah = dayone.Attrs{
	"login": dayone.Text("sarah.chen"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
	"last_name": dayone.Text("Chen"), "employee_number": dayone.Text("emp_789"),
}

func TestGitLab(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: gitlab.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return gitlabsim.New(o) },
		Person:  sarah,
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "customer-solutions"}, Role: "reporter"},
			{Key: dayone.Key{Kind: "group", Name: "platform"}, Role: "owner"},
		},
		CreateMethod: "POST",
		CreatePath:   "/api/scim/v2/groups/acme/Users",
	})
}

// bench is a connector to a gitlab.com.
type bench struct {
	*testing.T
	guard *connector.Guard
	sim   *gitlabsim.Sim
}

func setup(t *testing.T, o sim.Options, settings ...string) bench {
	t.Helper()
	s := gitlabsim.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	all := s.Settings(server.URL)
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	g, err := connector.Open(gitlab.Factory, "gitlab", time.Now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, g, s}
}

func (b bench) account(action dayone.Action, ref string, want *dayone.Item) (dayone.Result, error) {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "gitlab", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range []string{"employee_number", "login", "email"} {
			a.Subject.Keys[k] = want.Attrs.Text(k)
		}
	}
	return b.guard.Apply(b.Context(), a)
}

func (b bench) join(as dayone.Attrs) dayone.Result {
	b.Helper()
	r, err := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b bench) group(action dayone.Action, account, name, role string) (dayone.Result, error) {
	key := dayone.Key{System: "gitlab", Kind: "group", Name: name}
	a := dayone.Act{Action: action, Key: key, Account: account, Attempt: 1, Since: time.Now()}
	if action != dayone.EntitlementRemove {
		a.Want = &dayone.Item{Key: key, State: dayone.Active, Role: role}
	}
	return b.guard.Apply(b.Context(), a)
}

func (b bench) give(account, name, role string) dayone.Result {
	b.Helper()
	r, err := b.group(dayone.EntitlementAdd, account, name, role)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// entitlements of the only account, from the simulator.
func (b bench) entitlements() string {
	return strings.Join(b.sim.Accounts()[0].Entitlements, " ")
}

// TestFirstLogin: account and memberships are there at once and usable after the first sign-in, which a confirmation sees.
func TestFirstLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{})
	made := b.join(sarah)
	if made.Now.State != dayone.Pending || made.Wait == nil || made.Wait.Kind != dayone.WaitFirstLogin {
		t.Fatalf("a new account is %+v and waits for %+v", made.Now, made.Wait)
	}
	ref := made.Now.Ref
	given := b.give(ref, "platform", "developer")
	if given.Now.State != dayone.Pending || given.Wait == nil || given.Wait.Kind != dayone.WaitFirstLogin {
		t.Errorf("a membership of a pending account is %+v and waits for %+v", given.Now, given.Wait)
	}
	if b.entitlements() != "group:platform=developer" {
		t.Errorf("GitLab has %s", b.entitlements())
	}
	want := &dayone.Item{Ref: ref, State: dayone.Active}
	if r, err := b.account(dayone.AccountConfirm, ref, want); err != nil || r.Wait == nil {
		t.Errorf("before the sign-in the account is confirmed as %+v, %v", r, err)
	}

	b.sim.Login("sarah.chen@company.com")

	if r, err := b.account(dayone.AccountConfirm, ref, want); err != nil || r.Wait != nil || r.Now.State != dayone.Active {
		t.Errorf("after the sign-in the account is confirmed as %+v, %v", r, err)
	}
	if r, err := b.group(dayone.EntitlementConfirm, ref, "platform", "developer"); err != nil || r.Wait != nil || r.Now.State != dayone.Active {
		t.Errorf("after the sign-in the membership is confirmed as %+v, %v", r, err)
	}
	for seen, err := range b.guard.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range seen.Items {
			if it.State != dayone.Active {
				t.Errorf("the list shows %+v", it)
			}
		}
	}
}

// TestDisable takes the memberships along, and enabling does not bring them back.
func TestDisable(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{})
	ref := b.join(sarah).Now.Ref
	b.sim.Login("sarah.chen")
	b.give(ref, "platform", "developer")
	r, err := b.account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
	if err != nil || r.Now.State != dayone.Disabled || b.entitlements() != "" {
		t.Fatalf("disabled it is %+v with %s, %v", r.Now, b.entitlements(), err)
	}
	if r, err = b.group(dayone.EntitlementRemove, ref, "platform", ""); err != nil || r.Changed() {
		t.Errorf("taking what is gone says %+v, %v", r, err)
	}
	r, err = b.account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})
	if err != nil || r.Now.State != dayone.Active || b.entitlements() != "" { // the SAML identity has stayed
		t.Errorf("enabled again it is %+v with %s, %v", r.Now, b.entitlements(), err)
	}
}

// TestRoles: a role is changed in place, a membership below is a grant of its own, and cannot be lower than above.
func TestRoles(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{Names: map[string][]string{"group": {"platform", "platform/infra"}}})
	ref := b.join(sarah).Now.Ref
	b.give(ref, "platform", "reporter")
	r := b.give(ref, "platform", "maintainer")
	if r.Before == nil || r.Before.Role != "reporter" || r.Now.Role != "maintainer" {
		t.Errorf("the role went from %+v to %+v", r.Before, r.Now)
	}
	if _, err := b.group(dayone.EntitlementAdd, ref, "platform/infra", "guest"); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "inherited membership") {
		t.Errorf("a role lower than above says %v", err)
	}
	if _, err := b.group(dayone.EntitlementAdd, ref, "platform/infra", ""); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("no role says %v", err)
	}
	b.give(ref, "platform/infra", "owner")
	if _, err := b.group(dayone.EntitlementRemove, ref, "platform", ""); err != nil {
		t.Fatal(err)
	}
	if b.entitlements() != "group:platform/infra=owner" {
		t.Errorf("after the removal above there is %s", b.entitlements())
	}
}

// TestOnlyGroups: what the setting does not name is neither offered nor seen.
func TestOnlyGroups(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{}, "groups", "platform, platform/infra")
	b.sim.Seed(sim.Account{Login: "a", Email: "a@company.com", EmployeeNumber: "E-1", Entitlements: []string{"group:customer-solutions=guest", "group:platform=guest"}})
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: "E-1"})
	if err != nil || len(seen.Items) != 2 || seen.Items[1].Key.Name != "platform" {
		t.Errorf("it shows %+v, %v", seen.Items, err)
	}
	for o, err := range b.guard.Catalogue(t.Context()) {
		if err != nil || o.Key.Name != "platform" {
			t.Errorf("it offers %+v, %v", o, err)
		}
	}
}

// TestForeign: an account of gitlab.com with this mail address is tied to the group only if SAML has linked it by the same
// external id.
func TestForeign(t *testing.T) {
	t.Parallel()
	want := &dayone.Item{State: dayone.Active, Attrs: sarah}
	b := setup(t, sim.Options{})
	b.sim.Seed(sim.Account{Login: "schen", Email: "sarah.chen@company.com"})
	conflict := func(because string) {
		t.Helper()
		_, err := b.account(dayone.AccountCreate, "", want)
		var f *dayone.Fault
		if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil || !strings.Contains(f.Detail, because) {
			t.Errorf("create says %v, want a conflict because of %q", err, because)
		}
	}
	conflict("not linked to a SAML account")
	b.sim.Link("sarah.chen@company.com", "somebody-else")
	conflict("another external id")
	b.sim.Link("sarah.chen@company.com", "emp_789")
	r, err := b.account(dayone.AccountCreate, "", want)
	if err != nil || r.Now.State != dayone.Active || r.Now.Attrs.Text("login") != "schen" {
		t.Errorf("a linked account is %+v, %v", r.Now, err)
	}
}

// TestUsername: GitLab makes its own name of a login; an account is found by it all the same.
func TestUsername(t *testing.T) {
	t.Parallel()
	b := setup(t, sim.Options{})
	b.sim.Seed(sim.Account{Login: "sarah.chen", Email: "other@company.com"})
	as := sarah.Clone()
	delete(as, "login")
	if made := b.join(as).Now; made.Attrs.Text("login") != "sarah.chen1" || made.Attrs.Text("display_name") != "Sarah Chen" {
		t.Errorf("it shows %v", made.Attrs)
	}
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"email": "sarah.chen@company.com"}})
	if err != nil || seen.Account() == nil || seen.Account().Ref != "emp_789" {
		t.Errorf("by mail is seen %+v, %v", seen.Items, err)
	}
}

// TestErrors: plain text, words in every shape, and the two cases that only words tell.
func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    sim.Fault
		want error
		says string
	}{
		"plain text": {sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "30"}, Body: "Retry later\n"}, dayone.ErrThrottled, "Retry later"},
		"object":     {sim.Fault{Status: 400, Body: `{"message":{"email":["is invalid","is too long"]}}`}, dayone.ErrInvalid, "email is invalid, is too long"},
		"scope":      {sim.Fault{Status: 403, Body: `{"error":"insufficient_scope","error_description":"needs api"}`}, dayone.ErrForbidden, "needs api"},
		"enforced":   {sim.Fault{Status: 400, Body: `{"message":{"user":["is not linked to a SAML account or has an inactive SCIM identity."]}}`}, dayone.ErrNotYet, "not linked"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, sim.Options{})
			ref := b.join(sarah).Now.Ref
			c.f.Method, c.f.Path = "POST", "/api/v4/groups/"
			b.sim.Door().Inject(c.f)
			_, err := b.group(dayone.EntitlementAdd, ref, "platform", "guest")
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, want %v: %s", err, c.want, c.says)
			}
			var f *dayone.Fault
			if name == "plain text" && errors.As(err, &f) && time.Until(f.RetryAt) < 25*time.Second {
				t.Errorf("it may come back at %v", f.RetryAt)
			}
		})
	}
	t.Run("seats", func(t *testing.T) {
		b := setup(t, sim.Options{Seats: 1})
		b.sim.Seed(sim.Account{Login: "a", Email: "a@company.com", EmployeeNumber: "E-1", Entitlements: []string{"group:platform=guest"}})
		ref := b.join(sarah).Now.Ref
		if _, err := b.group(dayone.EntitlementAdd, ref, "platform", "guest"); !errors.Is(err, dayone.ErrNoSeat) {
			t.Errorf("without a seat it says %v", err)
		}
	})
}

// TestRights: either token alone lets nobody in.
func TestRights(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"token", "scim_token"} {
		if err := setup(t, sim.Options{}, name, "wrong").guard.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
			t.Errorf("with a wrong %s Check says %v", name, err)
		}
	}
}
