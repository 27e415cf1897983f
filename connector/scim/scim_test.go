package scim_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/scim"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// tuned is a simulator of a dialect with the settings that tell the connector of it.
type tuned struct {
	*scimsim.Sim
	settings map[string]string
}

func (s tuned) Settings(base string) map[string]string {
	out := s.Sim.Settings(base)
	maps.Copy(out, s.settings)
	return out
}

func suite(d scimsim.Dialect, settings map[string]string) connectortest.Suite {
	d.Names = []string{"staff", "sales", "engineering"}
	return connectortest.Suite{
		Factory: scim.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return tuned{scimsim.NewSim(o, d), settings} },
		Person: dayone.Attrs{
			"login": dayone.Text("sarah.chen@company.com"), "email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"),
			"last_name": dayone.Text("Chen"), "display_name": dayone.Text("Sarah Chen"), "title": dayone.Text("Sales Engineer"),
			"department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"), "phone": dayone.Text("+4989123"),
		},
		Grants:       []dayone.Grant{{Key: dayone.Key{Kind: "group", Name: "sales"}}, {Key: dayone.Key{Kind: "group", Name: "engineering"}}},
		CreateMethod: "POST",
		CreatePath:   "/scim/v2/Users",
	}
}

func TestSCIM(t *testing.T) {
	s := suite(scimsim.Dialect{}, nil)
	s.Specification = schemas
	connectortest.Run(t, s)
}

// TestDialects passes the whole suite against servers that are not by the book, each with the settings that say so.
func TestDialects(t *testing.T) {
	for _, c := range []struct {
		name     string
		dialect  scimsim.Dialect
		settings map[string]string
		skip     map[string]string
	}{
		{
			"capital operations, text and values",
			scimsim.Dialect{CapitalOps: true, ActiveText: true, RemoveByValue: true, ContentType: "application/json"},
			map[string]string{"operations": "capital", "active": "text", "member_removal": "value", "content_type": "application/json"},
			nil,
		},
		{"without paths", scimsim.Dialect{ByValueOnly: true, Silent: true, ShowsGroups: true}, map[string]string{"patch": "value", "memberships": "user"}, nil},
		{"put only", scimsim.Dialect{PutOnly: true}, map[string]string{"patch": "put"}, nil},
		{
			"few filters",
			scimsim.Dialect{Number: scimsim.Enterprise + ":employeeNumber", Filters: map[string]map[string]string{"User": {"username": "username"}}},
			map[string]string{"employee_number": "employeeNumber", "no_filter": "employee_number"},
			nil,
		},
		{"filters ignored", scimsim.Dialect{IgnoresFilters: true, Filters: map[string]map[string]string{"User": {}}}, nil, nil},
		{"groups by filter", scimsim.Dialect{Silent: true}, map[string]string{"memberships": "filter"}, nil},
		{
			"delete disables",
			scimsim.Dialect{DeleteDisables: true},
			map[string]string{"disable": "delete"},
			map[string]string{"JoinAndLeave": "nothing is ever deleted there; TestDeleteDisables instead"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := suite(c.dialect, c.settings)
			s.Skip, s.Variant = c.skip, true
			connectortest.Run(t, s)
		})
	}
}

// bench is a connector to a simulator of a dialect.
func bench(t *testing.T, d scimsim.Dialect, settings map[string]string) (*connector.Guard, *scimsim.Sim) {
	t.Helper()
	d.Names = []string{"staff", "sales"}
	s := scimsim.NewSim(sim.Options{}, d)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	all := s.Settings(server.URL)
	maps.Copy(all, settings)
	g, err := connector.Open(scim.Factory, "app", time.Now, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

func act(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	return dayone.Act{Action: action, Key: dayone.Key{System: "app", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
}

func TestDeleteDisables(t *testing.T) {
	t.Parallel()
	g, s := bench(t, scimsim.Dialect{DeleteDisables: true}, map[string]string{"disable": "delete"})
	ref := s.Seed(sim.Account{Login: "sarah.chen@company.com"})
	r, err := g.Apply(t.Context(), act(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if err != nil || r.Now.State != dayone.Disabled {
		t.Fatalf("disable says %+v, %v", r, err)
	}
	if r, err = g.Apply(t.Context(), act(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})); err != nil || r.Now.State != dayone.Active {
		t.Fatalf("enable says %+v, %v", r, err)
	}
	if _, err = g.Apply(t.Context(), act(dayone.AccountDelete, ref, nil)); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("delete says %v, want %v", err, dayone.ErrUnsupported)
	}
}

// TestMail: the address that is shown is the one that is changed, and no other is touched.
func TestMail(t *testing.T) {
	t.Parallel()
	type list = []any
	mail := func(value, typ string, primary bool) map[string]any {
		m := map[string]any{"value": value}
		if typ != "" {
			m["type"] = typ
		}
		if primary {
			m["primary"] = true
		}
		return m
	}
	for name, c := range map[string]struct{ have, want list }{
		"primary":      {list{mail("a@x.de", "work", false), mail("b@x.de", "home", true)}, list{mail("a@x.de", "work", false), mail("new@x.de", "home", true)}},
		"work":         {list{mail("a@x.de", "home", false), mail("b@x.de", "work", false)}, list{mail("a@x.de", "home", false), mail("new@x.de", "work", false)}},
		"two for work": {list{mail("a@x.de", "work", false), mail("b@x.de", "work", true)}, list{mail("a@x.de", "work", false), mail("new@x.de", "work", true)}},
		"no type":      {list{mail("a@x.de", "", false)}, list{mail("new@x.de", "", false)}},
		"none":         {nil, list{mail("new@x.de", "work", true)}},
	} {
		for way, d := range map[string]scimsim.Dialect{"path": {}, "value": {ByValueOnly: true}, "put": {PutOnly: true}} {
			t.Run(name+" by "+way, func(t *testing.T) {
				g, s := bench(t, d, map[string]string{"patch": way})
				u := scimsim.Resource{"userName": "sarah"}
				if c.have != nil {
					u["emails"] = c.have
				}
				ref := s.Put("User", u)
				changed := dayone.Attrs{"email": dayone.Text("new@x.de")}
				r, err := g.Apply(t.Context(), act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: changed}))
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Now.Attrs.Differ(changed)) > 0 {
					t.Errorf("it shows %v", r.Now.Attrs)
				}
				if got := s.All("User")[0]["emails"]; !reflect.DeepEqual(got, c.want) {
					t.Errorf("the server has %v, want %v", got, c.want)
				}
			})
		}
	}
}

// TestEmptied: what is said to be empty is taken out, whether it was there or not.
func TestEmptied(t *testing.T) {
	t.Parallel()
	for way, d := range map[string]scimsim.Dialect{"path": {}, "value": {ByValueOnly: true}, "put": {PutOnly: true}} {
		t.Run(way, func(t *testing.T) {
			g, s := bench(t, d, map[string]string{"patch": way})
			ref := s.Put("User", scimsim.Resource{"userName": "sarah", "title": "Engineer", "phoneNumbers": []any{
				map[string]any{"value": "+49 89 1", "type": "work"}, map[string]any{"value": "+49 170 1", "type": "mobile"},
			}})
			empty := dayone.Attrs{"title": dayone.Text(""), "department": dayone.Text(""), "phone": dayone.Text("")}
			r, err := g.Apply(t.Context(), act(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: empty}))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Now.Attrs.Differ(empty)) > 0 {
				t.Errorf("it shows %v", r.Now.Attrs)
			}
			if phones := s.All("User")[0]["phoneNumbers"].([]any); len(phones) != 1 || phones[0].(map[string]any)["type"] != "mobile" {
				t.Errorf("the phones are %v", phones)
			}
		})
	}
}

// TestExtra: a vendor's folder adds what its users need beside the attributes, and what they show.
func TestExtra(t *testing.T) {
	t.Parallel()
	s := scimsim.NewSim(sim.Options{}, scimsim.Dialect{Token: "t"})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	accounts := scim.Accounts{
		Client: client(server.URL+"/scim/v2", "t", scim.Quirks{}), Attrs: map[string]string{"login": "userName"},
		Extra: func(a dayone.Act) (scim.Resource, error) {
			return scim.Resource{"entitlements": []any{map[string]any{"value": "00e1"}}}, nil
		},
		Finish: func(_ context.Context, r scim.Resource, it *dayone.Item) error {
			it.State = dayone.Pending
			it.Attrs["profile"] = dayone.Text(r.Values("entitlements")[0])
			return nil
		},
	}
	r, err := accounts.Create(t.Context(), dayone.Act{Want: &dayone.Item{Attrs: dayone.Attrs{"login": dayone.Text("sarah"), "unknown": dayone.Text("x")}}})
	if err != nil || r.Now.State != dayone.Pending || r.Now.Attrs.Text("profile") != "00e1" {
		t.Errorf("it is %+v, %v", r.Now, err)
	}
}

// TestChangingList: a list that changes while it is read, or ends too early, is no list: what it misses would look gone.
func TestChangingList(t *testing.T) {
	t.Parallel()
	g, s := bench(t, scimsim.Dialect{}, nil)
	for i := range 5 {
		s.Seed(sim.Account{Login: fmt.Sprintf("p%d", i)})
	}
	var last error
	n := 0
	for _, err := range g.List(t.Context()) {
		if last = err; err != nil {
			break
		}
		if n++; n == 2 {
			s.Seed(sim.Account{Login: "new"})
		}
	}
	if !errors.Is(last, dayone.ErrUnavailable) {
		t.Errorf("the list ends with %v after %d", last, n)
	}
}
