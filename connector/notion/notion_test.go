package notion_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/notion"
	notionsim "github.com/dayone-hq/dayone/connector/notion/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var sarah = dayone.Attrs{
	"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "display_name": dayone.Text("Sarah Chen"),
	"title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "manager": dayone.Text("tom.lee@company.com"),
	"employee_number": dayone.Text("emp_789"),
}

func TestNotion(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory:      notion.Factory,
		Sim:          func(o sim.Options) sim.Simulator { return notionsim.New(o) },
		Person:       sarah,
		Grants:       []dayone.Grant{{Key: dayone.Key{Kind: "space", Name: "company"}}, {Key: dayone.Key{Kind: "space", Name: "gdpr-handbook"}}},
		CreateMethod: "POST",
		CreatePath:   "/scim/v2/Users",
	})
}

func bench(t *testing.T) (*connector.Guard, *notionsim.Sim) {
	t.Helper()
	s := notionsim.New(sim.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	g, err := connector.Open(notion.Factory, "notion", time.Now, connector.Options{Settings: s.Settings(server.URL), PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

func act(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "notion", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
	if ref == "" {
		a.Subject.Keys = map[string]string{"login": want.Attrs.Text("login"), "employee_number": want.Attrs.Text("employee_number")}
	}
	return a
}

func join(t *testing.T, g *connector.Guard, as dayone.Attrs) dayone.Item {
	t.Helper()
	r, err := g.Apply(t.Context(), act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as}))
	if err != nil {
		t.Fatal(err)
	}
	return *r.Now
}

// TestRemovalKeepsAccount: whoever leaves and comes back has the same Notion account, without the groups.
func TestRemovalKeepsAccount(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := join(t, g, sarah).Ref
	space := dayone.Key{System: "notion", Kind: "space", Name: "sales"}
	if _, err := g.Apply(t.Context(), dayone.Act{Action: dayone.EntitlementAdd, Key: space, Account: ref, Want: &dayone.Item{Key: space}, Attempt: 1, Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(t.Context(), act(dayone.AccountDelete, ref, nil)); err != nil {
		t.Fatal(err)
	}
	if left := s.Accounts(); len(left) > 0 {
		t.Errorf("after the removal there is %v", left)
	}
	again := join(t, g, sarah)
	if again.Ref != ref {
		t.Errorf("the account is %s, and was %s", again.Ref, ref)
	}
	seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 1 {
		t.Errorf("it shows %v, %v", seen.Items, err)
	}
	if !again.Created.IsZero() {
		t.Error("a time that Notion calls meaningless is believed")
	}
}

// TestProtected: the maker of the token stays, and a profile outside of the verified domains is not ours to change.
func TestProtected(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	owner := s.Seed(sim.Account{Login: "owner@company.com"})
	s.Own(owner)
	if _, err := g.Apply(t.Context(), act(dayone.AccountDelete, owner, nil)); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("removing the owner says %v", err)
	}
	s.Verify("other.com")
	ref := join(t, g, sarah).Ref
	_, err := g.Apply(t.Context(), act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Director")}}))
	if !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("changing a foreign profile says %v", err)
	}
	s.Verify("company.com")
	changed := dayone.Attrs{"title": dayone.Text("Director"), "display_name": dayone.Text("Zoë Łukasiewicz-美咲"), "login": dayone.Text("zoe@company.com"), "email": dayone.Text("zoe@company.com")}
	r, err := g.Apply(t.Context(), act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: changed}))
	if err != nil || len(r.Now.Attrs.Differ(changed)) > 0 {
		t.Errorf("after the change it shows %+v, %v", r.Now, err)
	}
}

// TestNames: Notion has one name, hence no part of the suite that tries names; these are of the same kind.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Zoë Łukasiewicz-Ørsted", "山田 美咲", "نور الزهراني", `Ann "Bob" \O'Neil & <b>Sons</b> ${okta.account.ref}`, strings.Repeat("Wolfeschlegelstein", 8)} {
		g, _ := bench(t)
		as := sarah.With(dayone.Attrs{"display_name": dayone.Text(name)})
		if got := join(t, g, as).Attrs.Text("display_name"); got != name {
			t.Errorf("%q reads back as %q", name, got)
		}
	}
}

// TestInactiveIsGone: an administrator who sets active to false has removed the member.
func TestInactiveIsGone(t *testing.T) {
	t.Parallel()
	g, s := bench(t)
	ref := s.Put("User", map[string]any{"userName": "sarah.chen@company.com", "active": false})
	seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) > 0 {
		t.Errorf("a removed member is seen as %v, %v", seen.Items, err)
	}
}

// TestErrors: errors of the public API come through the same door as SCIM's.
func TestErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"rate_limited": dayone.ErrThrottled, "restricted_resource": dayone.ErrForbidden, "object_not_found": dayone.ErrNotFound,
		"conflict_error": dayone.ErrNotYet, "internal_server_error": dayone.ErrUnavailable, "unauthorized": dayone.ErrAuth,
	} {
		g, s := bench(t)
		s.Door().Inject(sim.Fault{Status: 400, Body: `{"object":"error","status":400,"code":"` + code + `","message":"no"}`})
		if err := g.Check(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s is %v, want %v", code, err, want)
		}
	}
}
