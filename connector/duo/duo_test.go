package duo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/duo"
	duosim "github.com/dayone-hq/dayone/connector/duo/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const login = "sarah.chen@company.com"

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"login": dayone.Text(login), "email": dayone.Text(login), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"),
		"display_name": dayone.Text("Sarah Chen"), "employee_number": dayone.Text("emp_789"),
	}
}

func suite(version int, path string) connectortest.Suite {
	return connectortest.Suite{
		Factory: duo.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return duosim.New(o).Version(version) },
		Person:  sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "group", Name: "vpn"}},
			{Key: dayone.Key{Kind: "phone"}, Attrs: dayone.Attrs{"number": dayone.Text("+1 (408) 526-7209")}},
		},
		CreateMethod: "POST", CreatePath: path, ReadPath: "/admin/v1/users",
	}
}

func TestDuo(t *testing.T)         { connectortest.Run(t, suite(2, "/admin/v1/users/enroll")) }
func TestDuoVersion5(t *testing.T) { connectortest.Run(t, suite(5, "/admin/v1/users/enroll")) }

// bench is an account of Duo's with a connector to it.
type bench struct {
	*connectortest.Story[*duosim.Sim]
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	return &bench{connectortest.Begin(t, connectortest.Stage[*duosim.Sim]{Factory: duo.Factory, System: "duo", New: duosim.New, Options: o, Settings: settings})}
}

const code = "123456789"

func (b *bench) account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	return b.Account(action, ref, want, map[string]dayone.Secret{"bypass_code": dayone.NewSecret(code)})
}

func (b *bench) create(attrs dayone.Attrs) dayone.Act {
	return b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: attrs})
}

func grant(action dayone.Action, account, kind, name string, attrs dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "duo", Kind: kind, Name: name}
	a := dayone.Act{Once: "0123456789abcdef", Action: action, Key: key, Account: account, Attempt: 1, Since: time.Now()}
	if action != dayone.EntitlementRemove {
		a.Want = &dayone.Item{Key: key, State: dayone.Active, Attrs: attrs}
	}
	return a
}

// A hire is mailed a link and has a code for her first day; she enrols, moves to another group, and leaves.
func TestStory(t *testing.T) {
	b := open(t, sim.Options{})
	r := b.Do(b.create(sarah()))
	ref := r.Now.Ref
	if r.Now.State != dayone.Pending || r.Wait == nil || r.Wait.Kind != dayone.WaitAcceptance || r.Before != nil {
		t.Fatalf("whoever has not enrolled is %+v and waits for %+v", r.Now, r.Wait)
	}
	if got := b.Sim.Mails(); !slices.Equal(got, []string{login}) {
		t.Errorf("enrolments went to %v", got)
	}
	b.Later(9 * 24 * time.Hour)
	if !b.Sim.Enter(login, code) || b.Sim.Enter(login, code) {
		t.Error("the code for the first day is not good once")
	}
	b.Sim.Enrol(login)
	if r := b.Do(b.account(dayone.AccountConfirm, ref, &dayone.Item{State: dayone.Active})); r.Now.State != dayone.Active || r.Wait != nil {
		t.Errorf("after she enrolled it is %+v and waits for %+v", r.Now, r.Wait)
	}
	b.Do(grant(dayone.EntitlementAdd, ref, "group", "employees", nil))
	b.Do(grant(dayone.EntitlementAdd, ref, "phone", "", dayone.Attrs{"number": dayone.Text("+14085267209")}))

	b.Do(b.account(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"last_name": dayone.Text("Chen-Łukasiewicz"), "login": dayone.Text("s.chen@company.com")}}))
	b.Do(grant(dayone.EntitlementRemove, ref, "group", "employees", nil))
	b.Do(grant(dayone.EntitlementAdd, ref, "group", "vpn", nil))
	if a := b.Sim.Accounts()[0]; a.LastName != "Chen-Łukasiewicz" || a.Login != "s.chen@company.com" || a.EmployeeNumber != "emp_789" || strings.Join(a.Entitlements, " ") != "group:vpn phone" {
		t.Errorf("after the move there is %+v", a)
	}

	again := b.Do(b.account(dayone.AccountCreate, ref, &dayone.Item{State: dayone.Active}))
	if again.Before == nil || b.Sim.Codes("s.chen@company.com") != 0 {
		t.Error("a user who was there gets another code")
	}
	b.Do(b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	found, _, unread, err := b.Guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || len(unread) > 0 || len(found) != 2 {
		t.Errorf("there remains %+v, %v, %v", found, unread, err)
	}
	phone := grant(dayone.EntitlementRemove, ref, "phone", "", nil)
	phone.Have = &dayone.Item{Ref: found[0].Ref}
	b.Do(phone)
	if a := b.Sim.Accounts()[0]; a.State != dayone.Disabled || b.Sim.Phones() != 0 {
		t.Errorf("the leaver is %+v with %d phones", a, b.Sim.Phones())
	}
}

// Closing ends codes that nobody used; a failure leaves the step to be done again.
func TestLeaverLosesCodes(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.Do(b.create(sarah())).Now.Ref
	b.Sim.Door().Inject(sim.Fault{Method: "DELETE", Path: "/admin/v1/bypass_codes", Status: 500, Body: `{"stat":"FAIL","code":50000,"message":"later"}`})
	leave := b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled})
	if _, err := b.Guard.Apply(t.Context(), leave); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("says %v", err)
	}
	if b.Sim.Enter(login, code) {
		t.Error("a disabled user is let in")
	}
	leave.Attempt = 2
	b.Do(leave)
	if b.Sim.Codes(login) != 0 {
		t.Error("a code outlives its owner's account")
	}
}

// "User already exists": the user that the books know is a success that says it was there, whoever carries her number is
// taken up, and a namesake is a conflict that shows the user.
func TestUserAlreadyExists(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.Sim.Seed(sim.Account{Login: login, Email: login, State: dayone.Active, Created: time.Now().Add(-48 * time.Hour)})
	_, err := connectortest.Apply(t.Context(), b.Guard, b.create(sarah()))
	connectortest.Refused(t, err, dayone.ErrConflict, "an account with this login exists")
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Found == nil || f.Found.Ref != ref {
		t.Errorf("the conflict shows %+v", f.Found)
	}
	bound := b.create(sarah())
	bound.Subject = dayone.Subject{Ref: ref}
	if r := b.Do(bound); r.Before == nil || r.Now.Ref != ref || r.Now.Attrs.Text("employee_number") != "emp_789" {
		t.Errorf("the user that the books know is %+v -> %+v", r.Before, r.Now)
	}
	if b.Sim.Codes(login) != 0 || len(b.Sim.Mails()) != 0 || len(b.Sim.Accounts()) != 1 {
		t.Error("a user who was there was enrolled again")
	}
	if r := b.Do(b.create(sarah())); r.Before == nil || r.Now.Ref != ref {
		t.Errorf("whoever carries the number is %+v -> %+v", r.Before, r.Now)
	}

	other := sarah().With(dayone.Attrs{"employee_number": dayone.Text("emp_790")})
	_, err = connectortest.Apply(t.Context(), b.Guard, b.create(other))
	connectortest.Refused(t, err, dayone.ErrConflict, "belongs to employee emp_789")
	alias := other.With(dayone.Attrs{"login": dayone.Text("emp_789"), "email": dayone.Text("kim@company.com")})
	_, err = connectortest.Apply(t.Context(), b.Guard, b.create(alias))
	connectortest.Refused(t, err, dayone.ErrConflict, "belongs to employee emp_789")
}

// Somebody else makes the user between our look and our create.
func TestUserAppearsMeanwhile(t *testing.T) {
	b := open(t, sim.Options{}, "employee_number", "none")
	b.Sim.Door().Inject(sim.Fault{Method: "POST", Path: "/admin/v1/users/enroll", Status: 400, Body: `{"stat":"FAIL","code":40003,"message":"User already exists"}`})
	_, err := connectortest.Apply(t.Context(), b.Guard, b.create(sarah()))
	connectortest.Refused(t, err, dayone.ErrConflict, "User already exists")
}

// Whatever is cut off on the way, one user comes of it, with all fields and the code.
func TestCutOffAnywhere(t *testing.T) {
	for _, path := range []string{"/admin/v1/users/enroll", "/admin/v1/users/DU"} {
		for skip := range 2 {
			t.Run(path, func(t *testing.T) {
				b := open(t, sim.Options{})
				b.Sim.Door().Inject(sim.Fault{Method: "POST", Path: path, Skip: skip, Cut: true})
				a := b.create(sarah())
				if _, err := b.Guard.Apply(t.Context(), a); err == nil && !(skip == 1 && strings.HasSuffix(path, "enroll")) {
					t.Fatal("the call was not cut off")
				}
				a.Attempt = 2
				r := b.Do(a)
				all := b.Sim.Accounts()
				if len(all) != 1 || all[0].LastName != "Chen" || all[0].EmployeeNumber != "emp_789" || r.Before != nil || !b.Sim.Enter(login, code) {
					t.Errorf("there is %+v, %+v -> %+v", all, r.Before, r.Now)
				}
			})
		}
	}
}

func TestWithoutEnrolment(t *testing.T) {
	b := open(t, sim.Options{}, "enrol", "false", "bypass_days", "2")
	b.Do(b.create(sarah()))
	if len(b.Sim.Mails()) != 0 {
		t.Error("somebody was told")
	}
	b.Later(3 * 24 * time.Hour)
	if b.Sim.Enter(login, code) {
		t.Error("the code is good for more than two days")
	}
}

// Where no alias holds the employee number, a user who is as she should be is left alone.
func TestNumberHasNoPlace(t *testing.T) {
	b := open(t, sim.Options{}, "employee_number", "none")
	ref := b.Do(b.create(sarah())).Now.Ref
	b.Sim.Door().Forget()
	if r := b.Do(b.account(dayone.AccountUpdate, ref, &dayone.Item{State: dayone.Active, Attrs: sarah()})); r.Changed() || r.Wait == nil {
		t.Errorf("it is %+v -> %+v", r.Before, r.Now)
	}
	for _, r := range b.Sim.Door().Requests() {
		if r.Method != "GET" {
			t.Errorf("%s changes what is as it should be", r)
		}
	}
}

func TestNoRoom(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	b.Sim.Seed(sim.Account{Login: "kim@company.com", Email: "kim@company.com", EmployeeNumber: "emp_1", State: dayone.Active})
	_, err := connectortest.Apply(t.Context(), b.Guard, b.create(sarah()))
	connectortest.Refused(t, err, dayone.ErrNoSeat, "user limit")
}

// A user of a directory refuses edits, and whoever is in the trash is restored by people.
func TestNotOursToChange(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.Sim.Seed(sim.Account{Login: login, Email: login, EmployeeNumber: "emp_789", State: dayone.Active})
	b.Sim.Edit(login, "", true)
	for _, a := range []dayone.Act{
		b.account(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"last_name": dayone.Text("Z")}}),
		b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}),
		grant(dayone.EntitlementAdd, ref, "group", "vpn", nil),
	} {
		_, err := b.Guard.Apply(t.Context(), a)
		connectortest.Refused(t, err, dayone.ErrUnsupported, "from a directory")
	}
	gone := b.Sim.Seed(sim.Account{Login: "kim@company.com", State: dayone.Active})
	b.Sim.Edit("kim@company.com", "pending deletion", false)
	_, err := b.Guard.Apply(t.Context(), b.account(dayone.AccountEnable, gone, &dayone.Item{State: dayone.Active}))
	connectortest.Refused(t, err, dayone.ErrUnsupported, "Users > Trash")
}

// Two people share a phone: taken off one, it stays with the other.
func TestSharedPhone(t *testing.T) {
	b := open(t, sim.Options{})
	number := dayone.Attrs{"number": dayone.Text("+49 30 1234567")}
	var refs []string
	for _, who := range []string{"kim@company.com", login} {
		ref := b.Sim.Seed(sim.Account{Login: who, Email: who, State: dayone.Active})
		refs = append(refs, ref)
		b.Do(grant(dayone.EntitlementAdd, ref, "phone", "", number))
	}
	if b.Sim.Phones() != 1 {
		t.Fatalf("there are %d phones", b.Sim.Phones())
	}
	for i, ref := range refs {
		seen := b.Do(grant(dayone.EntitlementAdd, ref, "phone", "", number))
		gone := grant(dayone.EntitlementRemove, ref, "phone", "", nil)
		gone.Have = seen.Now
		b.Do(gone)
		if want := 1 - i; b.Sim.Phones() != want {
			t.Errorf("after %d of two there are %d phones", i+1, b.Sim.Phones())
		}
	}
	_, err := b.Guard.Apply(t.Context(), grant(dayone.EntitlementAdd, refs[0], "phone", "", dayone.Attrs{"number": dayone.Text("030 12")}))
	connectortest.Refused(t, err, dayone.ErrInvalid, "number")
}

// Whoever is not let in is told what to do about it in the Admin Panel.
func TestNotLetIn(t *testing.T) {
	t.Run("secret reset", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.Reset()
		connectortest.Refused(t, b.Guard.Check(t.Context()), dayone.ErrAuth, "check secret_key")
	})
	t.Run("another account's key", func(t *testing.T) {
		b := open(t, sim.Options{}, "integration_key", "DIOTHEROTHEROTHEROTH")
		connectortest.Refused(t, b.Guard.Check(t.Context()), dayone.ErrAuth, "not known at this address")
	})
	t.Run("grant missing", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.Deny("POST")
		if err := b.Guard.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := connectortest.Apply(t.Context(), b.Guard, b.create(sarah()))
		connectortest.Refused(t, err, dayone.ErrForbidden, "Grant write resource")
	})
	t.Run("clock", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.Skew(3 * time.Hour)
		if err := b.Guard.Check(t.Context()); err != nil {
			t.Errorf("by a clock that is off it says %v", err)
		}
		if n := len(b.Sim.Door().Requests()); n != 3 {
			t.Errorf("it took %d calls, want 3: one was refused", n)
		}
	})
	t.Run("days", func(t *testing.T) {
		s := duosim.New(sim.Options{})
		all := s.Settings("https://api-1.duosecurity.com")
		all["bypass_days"] = "0"
		if _, err := connector.Open(duo.Factory, "duo", time.Now, connector.Options{Settings: all}); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("no days says %v", err)
		}
	})
}

// Duo throttles without saying when to come back.
func TestThrottled(t *testing.T) {
	b := open(t, sim.Options{})
	b.Sim.Door().Inject(sim.Fault{Status: 429, Body: `{"stat":"FAIL","code":42901,"message":"Too Many Requests"}`})
	err := b.Guard.Check(t.Context())
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrThrottled) || !errors.As(err, &f) || !f.RetryAt.After(b.Now()) {
		t.Errorf("says %v", err)
	}
}
