package entra_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/entra"
	entrasim "github.com/dayone-hq/dayone/connector/entra/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

var specification = connectortest.CSDL("msgraph/graph-v1.0-lifecycle.csdl.xml", "/v1.0")

func person() dayone.Attrs {
	return dayone.Attrs{
		"login": dayone.Text("sarah.chen@company.com"), "display_name": dayone.Text("Sarah Chen"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
		"title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "usage_location": dayone.Text("US"), "employee_number": dayone.Text("emp_789"),
		"hire_date": dayone.Text("2025-01-31"),
	}
}

func TestEntra(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: entra.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return entrasim.New(o) },
		Person:  person(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "sales-team"}},
			{Key: dayone.Key{Kind: "license", Name: "SPE_E3"}},
			{Key: dayone.Key{Kind: "pass"}},
			{Key: dayone.Key{Kind: "message", Name: "welcome"}, Attrs: dayone.Attrs{
				"to": dayone.List("Sarah Chen <sarah@home.example>"), "subject": dayone.Text("Welcome"), "text": dayone.Text("Hello Sarah"),
			}},
			{Key: dayone.Key{Kind: "invitation", Name: "intro"}, Attrs: dayone.Attrs{
				"to": dayone.List("sarah.chen@company.com"), "summary": dayone.Text("Intro call"), "zone": dayone.Text("America/Los_Angeles"),
				"start": dayone.Text("2050-01-31T09:00:00-08:00"), "end": dayone.Text("2050-01-31T09:15:00-08:00"),
			}},
		},
		CreateMethod:  "POST",
		CreatePath:    "/v1.0/users",
		Specification: specification,
	})
}

// bench is a tenant with a connector to it.
type bench struct {
	*testing.T
	sim   *entrasim.Sim
	base  string
	clock *time.Time
	guard *connector.Guard
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	t.Parallel()
	now := time.Date(2025, 1, 31, 8, 0, 0, 0, time.UTC)
	b := &bench{T: t, clock: &now}
	if o.Now == nil {
		o.Now = func() time.Time { return *b.clock }
	}
	b.sim = entrasim.New(o)
	server := httptest.NewServer(b.sim)
	t.Cleanup(server.Close)
	b.base = server.URL
	b.sim.Door().Validate(specification(t).Validate)
	t.Cleanup(func() {
		for _, err := range b.sim.Door().Invalid() {
			t.Errorf("against the vendor's specification: %v", err)
		}
		if n := b.sim.Disasters(); n > 0 {
			t.Errorf("%d users were deleted by a path without /$ref", n)
		}
	})
	b.guard = b.reach(b.sim.Settings(b.base), settings...)
	return b
}

// reach opens a connector with other settings.
func (b *bench) reach(all map[string]string, settings ...string) *connector.Guard {
	b.Helper()
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		all[k] = v
	}
	g, err := connector.Open(entra.Factory, "entra", func() time.Time { return *b.clock }, connector.Options{Settings: all, PerMinute: map[string]int{"default": 600000}})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func (b *bench) act(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{
		Once: "0123456789abcdef", Action: action, Key: dayone.Key{System: "entra", Kind: "account"}, Want: want, Subject: dayone.Subject{Ref: ref}, Since: *b.clock, Attempt: 1,
		Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("Secret-passw0rd!")},
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "login": want.Attrs.Text("login")}
	}
	return a
}

// try calls as the engine does, until the tenant has caught up with itself.
func (b *bench) try(a dayone.Act) (dayone.Result, error) {
	for {
		r, err := connectortest.Apply(b.Context(), b.guard, a)
		if !errors.Is(err, dayone.ErrNotYet) || a.Attempt > 30 {
			return r, err
		}
		a.Attempt++
	}
}

func (b *bench) apply(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := b.try(a)
	if err != nil {
		b.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func (b *bench) joins(attrs dayone.Attrs) string {
	b.Helper()
	return b.apply(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: attrs})).Now.Ref
}

func (b *bench) grant(ref, kind, name string) dayone.Act {
	k := dayone.Key{System: "entra", Kind: kind, Name: name}
	return dayone.Act{Once: "fedcba9876543210", Action: dayone.EntitlementAdd, Key: k, Account: ref, Want: &dayone.Item{Key: k, State: dayone.Active}, Since: *b.clock, Attempt: 1}
}

func (b *bench) takes(a dayone.Act, have *dayone.Item) dayone.Act {
	a.Action, a.Have, a.Want = dayone.EntitlementRemove, have, nil
	return a
}

// refused is the fault of an error of a kind, which says what an administrator has to do if next is not empty.
func (b *bench) refused(err, kind error, next string) {
	b.Helper()
	var f *dayone.Fault
	if !errors.Is(err, kind) || !errors.As(err, &f) {
		b.Errorf("it says %v, want %v", err, kind)
		return
	}
	if !strings.Contains(f.Next+" "+f.Detail, next) {
		b.Errorf("it advises %q and says %q, want %q in it", f.Next, f.Detail, next)
	}
}

func (b *bench) account(login string) sim.Account {
	b.Helper()
	for _, a := range b.sim.Accounts() {
		if a.Login == login {
			return a
		}
	}
	b.Fatalf("there is no %s", login)
	return sim.Account{}
}
