package ise_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/ise"
	isesim "github.com/dayone-hq/dayone/connector/ise/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const login = "sarah.chen@company.com"

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"login": dayone.Text(login), "email": dayone.Text(login), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"), "employee_number": dayone.Text("emp_789"),
	}
}

func TestISE(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: ise.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return isesim.New(o) },
		Person:  sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "Employee"}},
			{Key: dayone.Key{Kind: "group", Name: "OWN_ACCOUNTS (default)"}},
		},
		CreateMethod: "POST", CreatePath: "/ers/config/internaluser",
	})
}

// bench is a deployment with a connector to it.
type bench struct {
	*connectortest.Story[*isesim.Sim]
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	return &bench{connectortest.Begin(t, connectortest.Stage[*isesim.Sim]{Factory: ise.Factory, System: "ise", New: isesim.New, Options: o, Settings: settings})}
}

const secret = "Xk7-mq9WdP2xRt4Zb!+a"

func (b *bench) act(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	return b.Account(action, ref, want, map[string]dayone.Secret{"password": dayone.NewSecret(secret)})
}

func (b *bench) group(action dayone.Action, account, name string) dayone.Act {
	key := dayone.Key{System: "ise", Kind: "group", Name: name}
	a := dayone.Act{Action: action, Key: key, Account: account, Attempt: 1, Since: time.Now()}
	if action == dayone.EntitlementAdd {
		a.Want = &dayone.Item{Key: key, State: dayone.Active}
	}
	return a
}

// A hire is made disabled, opened on her first day, moves to another group, is called otherwise, and leaves: what somebody
// else gave her stays as long as she does, and her password through every change.
func TestStory(t *testing.T) {
	b := open(t, sim.Options{})
	r := b.Do(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Disabled, Attrs: sarah()}))
	ref := r.Now.Ref
	if r.Before != nil || r.Now.State != dayone.Disabled || b.Sim.Enters(login, secret) {
		t.Fatalf("before her first day she is %+v", r.Now)
	}
	b.Do(b.act(dayone.AccountEnable, ref, &dayone.Item{State: dayone.Active}))
	b.Do(b.group(dayone.EntitlementAdd, ref, "Employee"))
	b.Sim.Join(login, "OWN_ACCOUNTS (default)")
	if !b.Sim.Enters(login, secret) {
		t.Error("on her first day she is not let in")
	}
	b.Do(b.group(dayone.EntitlementAdd, ref, "Contractor"))
	b.Do(b.group(dayone.EntitlementRemove, ref, "Employee"))
	r = b.Do(b.act(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"last_name": dayone.Text("Łukasiewicz"), "email": dayone.Text("s.łukasiewicz@company.com")}}))
	if a := b.Sim.Accounts()[0]; a.LastName != "Łukasiewicz" || a.Login != login || a.EmployeeNumber != "emp_789" || strings.Join(a.Entitlements, " ") != "group:Contractor group:OWN_ACCOUNTS (default)" || !b.Sim.Enters(login, secret) {
		t.Errorf("after the move there is %+v", a)
	}
	b.Do(b.act(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	if b.Sim.Enters(login, secret) {
		t.Error("whoever left is let in")
	}
	for _, name := range []string{"Contractor", "OWN_ACCOUNTS (default)"} {
		b.Do(b.group(dayone.EntitlementRemove, ref, name))
	}
	if a := b.Sim.Accounts()[0]; len(a.Entitlements) != 0 || a.State != dayone.Disabled {
		t.Errorf("the leaver is %+v", a)
	}
	if _, checked, _, err := b.Guard.Remains(t.Context(), dayone.Item{Ref: ref}); err != nil || len(checked) != 0 {
		t.Errorf("sessions that nobody can read are said to be checked: %v, %v", checked, err)
	}
}

// Groups of one user that are given at the same time are all there in the end.
func TestGroupsAtTheSameTime(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f"}
	b := open(t, sim.Options{Names: map[string][]string{"group": names}, Page: 100})
	ref := b.Do(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})).Now.Ref
	var wg sync.WaitGroup
	for _, n := range names {
		wg.Go(func() {
			if _, err := b.Guard.Apply(t.Context(), b.group(dayone.EntitlementAdd, ref, n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := b.Sim.Accounts()[0].Entitlements; len(got) != len(names) {
		t.Errorf("there are %v", got)
	}
}

// Whoever is not let in is told what to do about it in the administration of ISE.
func TestNotLetIn(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*isesim.Sim)
		want error
		says string
	}{
		"password ended": {(*isesim.Sim).Expire, dayone.ErrAuth, "Administrators"},
		"ERS is off":     {(*isesim.Sim).SwitchOff, dayone.ErrInvalid, "switch ERS on"},
		"CSRF check":     {(*isesim.Sim).CheckCSRF, dayone.ErrForbidden, "CSRF check of ERS off"},
		"XML": {func(s *isesim.Sim) {
			s.Door().Inject(sim.Fault{Status: 403, Body: `<?xml version="1.0"?><ns2:ersResponse operation="GET" xmlns:ns2="ers.ise.cisco.com"><messages><message type="ERROR" code="E1"><title>Not for operators</title></message></messages></ns2:ersResponse>`})
		}, dayone.ErrForbidden, "Not for operators"},
		"unavailable": {func(s *isesim.Sim) { s.Door().Inject(sim.Fault{Status: 503, Times: -1}) }, dayone.ErrUnavailable, ""},
		"busy": {func(s *isesim.Sim) {
			s.Door().Inject(sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "3"}})
		}, dayone.ErrThrottled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, sim.Options{})
			c.do(b.Sim)
			connectortest.Refused(t, b.Guard.Check(t.Context()), c.want, c.says)
		})
	}
	t.Run("not the primary node", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.Secondary()
		if err := b.Guard.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := connectortest.Apply(t.Context(), b.Guard, b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()}))
		connectortest.Refused(t, err, dayone.ErrForbidden, "primary administration node")
	})
}

// No room, a name that ISE does not take, a name that somebody took between look and create, and a node that is late.
func TestRefused(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	b.Sim.Seed(sim.Account{Login: "kim", EmployeeNumber: "emp_1"})
	create := b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
	_, err := connectortest.Apply(t.Context(), b.Guard, create)
	connectortest.Refused(t, err, dayone.ErrNoSeat, "maximum number")
	bad := sarah().With(dayone.Attrs{"login": dayone.Text("sarah;chen")})
	_, err = connectortest.Apply(t.Context(), b.Guard, b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: bad}))
	connectortest.Refused(t, err, dayone.ErrInvalid, "User Name")
	b.Sim.Door().Inject(sim.Fault{Method: "POST", Status: 500, Body: `{"ERSResponse":{"messages":[{"title":"User already exists","type":"ERROR","code":"CRUD operation exception"}]}}`})
	_, err = connectortest.Apply(t.Context(), b.Guard, create)
	connectortest.Refused(t, err, dayone.ErrConflict, "already exists")
	gone := b.group(dayone.EntitlementAdd, "9e4c2f60-1a77-11ee-8d5c-000000000099", "Employee")
	gone.Since = time.Now().Add(-time.Hour)
	_, err = b.Guard.Apply(t.Context(), gone)
	if !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a user who is not there says %v", err)
	}
	t.Run("late", func(t *testing.T) {
		b := open(t, sim.Options{Lag: 2})
		a := b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
		_, err := connectortest.Apply(t.Context(), b.Guard, a)
		connectortest.Refused(t, err, dayone.ErrNotYet, "not shown yet")
		for a.Attempt = 2; err != nil && a.Attempt < 8; a.Attempt++ {
			_, err = connectortest.Apply(t.Context(), b.Guard, a)
			if err != nil && !errors.Is(err, dayone.ErrNotYet) && !errors.Is(err, dayone.ErrConflict) {
				t.Fatal(err)
			}
		}
		if all := b.Sim.Accounts(); err != nil || len(all) != 1 || all[0].State != dayone.Active {
			t.Errorf("there is %+v, %v", all, err)
		}
	})
}

// Where the description is somebody else's, the employee number is neither written nor missed.
func TestNumberHasNoPlace(t *testing.T) {
	b := open(t, sim.Options{}, "employee_number", "none", "change_password", "true")
	ref := b.Do(b.act(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})).Now.Ref
	b.Sim.Door().Forget()
	if r := b.Do(b.act(dayone.AccountUpdate, ref, &dayone.Item{State: dayone.Active, Attrs: sarah()})); r.Changed() || b.Sim.Accounts()[0].EmployeeNumber != "" {
		t.Errorf("it is %+v -> %+v", r.Before, r.Now)
	}
	for _, r := range b.Sim.Door().Requests() {
		if r.Method != "GET" {
			t.Errorf("%s changes what is as it should be", r)
		}
	}
}
