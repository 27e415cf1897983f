package webex_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/connector/webex"
	webexsim "github.com/dayone-hq/dayone/connector/webex/sim"
)

const mail = "sarah.chen@company.com"

func sarah() dayone.Attrs {
	return dayone.Attrs{
		"email": dayone.Text(mail), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"), "display_name": dayone.Text("Sarah Chen"),
		"title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"),
	}
}

func TestWebex(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: webex.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return webexsim.New(o).Eager() },
		Person:  sarah(),
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "license", Name: "Messaging"}},
			{Key: dayone.Key{Kind: "license", Name: "Meeting - Webex Meeting Center (acme.webex.com)"}},
			{Key: dayone.Key{Kind: "device"}, Attrs: dayone.Attrs{"model": dayone.Text("DMS Cisco 8875")}},
			{Key: dayone.Key{Kind: "phone"}, Attrs: dayone.Attrs{"model": dayone.Text("DMS Cisco 8865"), "mac": dayone.Text("D82E3EEF4E5C")}},
			{Key: dayone.Key{Kind: "workspace"}, Attrs: dayone.Attrs{"name": dayone.Text("Office of Sarah Chen")}},
			{Key: dayone.Key{Kind: "license", Name: "Webex Calling - Professional"}, Attrs: dayone.Attrs{"location": dayone.Text("loc-1"), "extension": dayone.Text("133")}},
		},
		CreateMethod: "POST", CreatePath: "/people", ReadPath: "/identity/scim",
		Specification: specification,
	})
}

// specs are the vendor's: devices and workspaces have a file of their own.
type specs struct{ admin, device connectortest.Validator }

func specification(t *testing.T) connectortest.Validator {
	t.Helper()
	return specs{connectortest.OpenAPI("webex/webex-admin.trimmed.json", "")(t), connectortest.OpenAPI("webex/webex-device.trimmed.json", "")(t)}
}

// Validate leaves the token out, which the specification does not have. Its schema of a PATCH on users takes lists of roles
// for values, against its own text: values are not checked there.
func (s specs) Validate(r *http.Request, body []byte) error {
	switch {
	case r.URL.Path == "/access_token":
		return nil
	case strings.HasPrefix(r.URL.Path, "/devices"), strings.HasPrefix(r.URL.Path, "/workspaces"):
		return s.device.Validate(r, body)
	case r.Method == "PATCH" && strings.Contains(r.URL.Path, "/v2/Users/"):
		var patch map[string]any
		if err := json.Unmarshal(body, &patch); err != nil {
			return err
		}
		for _, o := range patch["Operations"].([]any) {
			delete(o.(map[string]any), "value")
		}
		body, _ = json.Marshal(patch)
	}
	return s.admin.Validate(r, body)
}

// bench is an organisation with a connector to it.
type bench struct {
	*connectortest.Story[*webexsim.Sim]
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	return &bench{connectortest.Begin(t, connectortest.Stage[*webexsim.Sim]{Factory: webex.Factory, System: "webex", New: webexsim.New, Options: o, Specification: specification, Settings: settings})}
}

func (b *bench) account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	return b.Account(action, ref, want, nil)
}

// try calls as the engine does, until Webex has caught up with itself.
func (b *bench) try(a dayone.Act) (dayone.Result, error) {
	for {
		r, err := connectortest.Apply(b.Context(), b.Guard, a)
		if !errors.Is(err, dayone.ErrNotYet) || a.Attempt > 20 {
			return r, err
		}
		a.Attempt++
	}
}

func (b *bench) do(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := b.try(a)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *bench) join(attrs dayone.Attrs, state dayone.State) dayone.Result {
	b.Helper()
	return b.do(b.account(dayone.AccountCreate, "", &dayone.Item{State: state, Attrs: attrs}))
}

func thing(action dayone.Action, account, kind, name string, attrs dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "webex", Kind: kind, Name: name}
	a := dayone.Act{Once: "0123456789abcdef", Action: action, Key: key, Account: account, Attempt: 1, Since: time.Now()}
	if action != dayone.EntitlementRemove {
		a.Want = &dayone.Item{Key: key, State: dayone.Active, Attrs: attrs}
	}
	return a
}

// A hire, a move and a leaving: made closed, opened, licensed, given a desk phone that she activates; another title and
// licence; then closed and signed out everywhere, with what she holds taken back.
func TestStory(t *testing.T) {
	b := open(t, sim.Options{Lag: 1})
	b.Sim.Invite()
	ref := b.join(sarah(), dayone.Disabled).Now.Ref
	if got := b.Sim.State(mail); got != dayone.Disabled {
		t.Fatalf("before her first day she is %s", got)
	}
	if r := b.do(b.account(dayone.AccountEnable, ref, &dayone.Item{State: dayone.Active})); r.Wait == nil || r.Wait.Kind != dayone.WaitFirstLogin {
		t.Errorf("an account that nobody has signed in to is %+v and waits for %+v", r.Now, r.Wait)
	}
	b.Sim.SignIn(mail, "Webex App")
	if r := b.do(b.account(dayone.AccountConfirm, ref, &dayone.Item{State: dayone.Active})); r.Now.State != dayone.Active || r.Wait != nil {
		t.Errorf("after she signed in it is %+v and waits for %+v", r.Now, r.Wait)
	}
	b.do(thing(dayone.EntitlementAdd, ref, "license", "Messaging", nil))
	calling := dayone.Attrs{"phone_number": dayone.Text("+14085267209")}
	b.do(thing(dayone.EntitlementAdd, ref, "license", "Webex Calling - Professional", calling))
	if r := b.do(thing(dayone.EntitlementAdd, ref, "license", "Webex Calling - Professional", calling)); r.Changed() {
		t.Errorf("the number given twice changes: %+v -> %+v", r.Before, r.Now)
	}

	phone := thing(dayone.EntitlementAdd, ref, "device", "desk", dayone.Attrs{"model": dayone.Text("DMS Cisco 8865")})
	r := b.do(phone)
	code := r.Secrets["activation_code"]
	if r.Now.State != dayone.Pending || r.Wait == nil || code.IsZero() || strings.Contains(r.Wait.Note, code.Reveal()) {
		t.Fatalf("a phone that waits for its code is %+v, %+v", r.Now, r.Wait)
	}
	phone.Have, phone.Action = r.Now, dayone.EntitlementConfirm
	if r := b.do(phone); r.Wait == nil || len(r.Secrets) > 0 || b.Sim.Codes() != 1 {
		t.Errorf("asked how it stands it is %+v with %d codes", r.Now, b.Sim.Codes())
	}
	b.Later(8 * 24 * time.Hour)
	if b.Sim.Enter(code.Reveal()) {
		t.Fatal("an old code was taken")
	}
	r = b.do(phone)
	if r.Secrets["activation_code"].IsZero() || r.Secrets["activation_code"] == code {
		t.Fatalf("after a week there is no new code: %+v", r)
	}
	phone.Have = r.Now
	b.Sim.Enter(r.Secrets["activation_code"].Reveal())
	r = b.do(phone)
	if r.Now.State != dayone.Active || r.Now.Attrs.Text("serial") == "" || r.Wait != nil {
		t.Fatalf("an activated phone is %+v, %+v", r.Now, r.Wait)
	}
	desk := r.Now

	b.do(b.account(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"title": dayone.Text("Manager"), "email": dayone.Text("s.chen@company.com")}}))
	seen, err := b.Guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || seen.Account().Attrs.Text("email") != "s.chen@company.com" || seen.Account().Attrs.Text("employee_number") != "emp_789" || len(seen.Items) != 3 {
		t.Errorf("after the move there is %+v, %v", seen, err)
	}

	_, checked, unread, err := b.Guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || len(unread) > 0 || len(checked) != 2 {
		t.Errorf("what remains: %v %v %v", checked, unread, err)
	}
	b.do(b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	if b.Sim.State("s.chen@company.com") != dayone.Disabled || b.Sim.Grants("s.chen@company.com") != 0 {
		t.Errorf("the leaver is %s with %d authorisations", b.Sim.State("s.chen@company.com"), b.Sim.Grants("s.chen@company.com"))
	}
	for _, name := range []string{"Messaging", "Webex Calling - Professional"} {
		b.do(thing(dayone.EntitlementRemove, ref, "license", name, nil))
	}
	gone := thing(dayone.EntitlementRemove, ref, "device", "desk", nil)
	gone.Have = desk
	found, _, _, _ := b.Guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if len(found) != 1 || found[0].Class != dayone.Unreturned {
		t.Errorf("before the phone is taken back there remains %+v", found)
	}
	b.do(gone)
	if found, _, _, _ = b.Guard.Remains(t.Context(), dayone.Item{Ref: ref}); len(found) > 0 || b.Sim.Devices() != 0 || len(b.Sim.Accounts()[0].Entitlements) > 0 {
		t.Errorf("there remains %+v; Webex has %+v", found, b.Sim.Accounts())
	}
}

// Webex answers 400 to a create that it has carried out: whoever was made is recognised by reading, and gets her number.
func TestCreateAnsweredWith400(t *testing.T) {
	b := open(t, sim.Options{Lag: 2})
	b.Sim.Half(1)
	r := b.join(sarah(), dayone.Active)
	all := b.Sim.Accounts()
	if len(all) != 1 || all[0].Ref != r.Now.Ref || all[0].EmployeeNumber != "emp_789" || r.Before != nil {
		t.Errorf("the organisation has %+v, the answer is %+v -> %+v", all, r.Before, r.Now)
	}

	bad := sarah().With(dayone.Attrs{"email": dayone.Text("nobody"), "employee_number": dayone.Text("emp_1")})
	_, err := b.try(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: bad}))
	connectortest.Refused(t, err, dayone.ErrInvalid, "valid email")
	if len(b.Sim.Accounts()) != 1 {
		t.Errorf("a create that was refused made somebody: %+v", b.Sim.Accounts())
	}
}

// The answer to a create is lost while Identity lags behind.
func TestLostAnswerBehindLag(t *testing.T) {
	b := open(t, sim.Options{Lag: 4})
	b.Sim.Door().Inject(sim.Fault{Method: "POST", Path: "/people", Cut: true})
	a := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()})
	if _, err := b.Guard.Apply(t.Context(), a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a lost answer says %v", err)
	}
	a.Attempt = 2
	r := b.do(a)
	if all := b.Sim.Accounts(); len(all) != 1 || all[0].EmployeeNumber != "emp_789" || r.Before != nil {
		t.Errorf("the retries end with %+v; the organisation has %+v", r, all)
	}
}

func TestAnotherOrganisation(t *testing.T) {
	b := open(t, sim.Options{})
	b.Sim.Abroad(mail)
	_, err := b.try(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()}))
	connectortest.Refused(t, err, dayone.ErrConflict, "claim the user in Control Hub")
}

func TestSeats(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	first := b.join(sarah(), dayone.Active).Now.Ref
	kim := b.join(sarah().With(dayone.Attrs{"email": dayone.Text("kim@company.com"), "employee_number": dayone.Text("emp_790")}), dayone.Active).Now.Ref
	b.do(thing(dayone.EntitlementAdd, first, "license", "Messaging", nil))
	_, err := b.try(thing(dayone.EntitlementAdd, kim, "license", "Messaging", nil))
	connectortest.Refused(t, err, dayone.ErrNoSeat, "all 1 of Messaging are in use")
	b.do(thing(dayone.EntitlementRemove, first, "license", "Messaging", nil))
	b.do(thing(dayone.EntitlementAdd, kim, "license", "Messaging", nil))

	calling := thing(dayone.EntitlementAdd, kim, "license", "Webex Calling - Professional", dayone.Attrs{"phone_number": dayone.Text("+49301234567")})
	_, err = b.try(calling)
	connectortest.Refused(t, err, dayone.ErrInvalid, "phone number that is free")
	calling.Want.Attrs = dayone.Attrs{"extension": dayone.Text("133"), "location": dayone.Text("loc-1")}
	b.do(calling)
	calling.Want.Attrs = dayone.Attrs{"extension": dayone.Text("134"), "location": dayone.Text("loc-1")}
	_, err = b.try(calling)
	connectortest.Refused(t, err, dayone.ErrUnsupported, "Control Hub")
	_, err = b.try(thing(dayone.EntitlementAdd, kim, "license", "Contact Center", nil))
	connectortest.Refused(t, err, dayone.ErrNotFound, "")
	if got := strings.Join(b.Sim.Accounts()[0].Entitlements, ", "); got != "license:Messaging, license:Webex Calling - Professional" {
		t.Errorf("Kim has %s", got)
	}
}

func TestPhoneByAddress(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.join(sarah(), dayone.Active).Now.Ref
	attrs := dayone.Attrs{"model": dayone.Text("DMS Cisco 8865"), "mac": dayone.Text("d8:2e:3e:ef:4e:5c")}
	r := b.do(thing(dayone.EntitlementAdd, ref, "phone", "desk", attrs))
	if r.Now.State != dayone.Active || r.Now.Attrs.Text("mac") != "D82E3EEF4E5C" || len(r.Secrets) > 0 {
		t.Errorf("a phone whose address is known is %+v", r)
	}
	if r := b.do(thing(dayone.EntitlementAdd, ref, "phone", "desk", attrs)); r.Changed() || b.Sim.Devices() != 1 {
		t.Errorf("registered twice it is %+v -> %+v", r.Before, r.Now)
	}
	kim := b.join(sarah().With(dayone.Attrs{"email": dayone.Text("kim@company.com"), "employee_number": dayone.Text("emp_790")}), dayone.Active).Now.Ref
	_, err := b.try(thing(dayone.EntitlementAdd, kim, "phone", "desk", attrs))
	connectortest.Refused(t, err, dayone.ErrConflict, "delete it there first")
	_, err = b.try(thing(dayone.EntitlementAdd, kim, "phone", "desk", dayone.Attrs{"mac": dayone.Text("D82E3EEF4E5D")}))
	connectortest.Refused(t, err, dayone.ErrInvalid, "and its model")
}

func TestWorkspace(t *testing.T) {
	b := open(t, sim.Options{})
	attrs := dayone.Attrs{"name": dayone.Text("Office of Sarah"), "type": dayone.Text("focus")}
	add := thing(dayone.EntitlementAdd, "", "workspace", "office", attrs)
	r := b.do(add)
	if again := b.do(add); again.Changed() || again.Now.Ref != r.Now.Ref {
		t.Errorf("made twice it is %+v", again)
	}
	other := add
	other.Once = "fedcba9876543210"
	_, err := b.try(other)
	connectortest.Refused(t, err, dayone.ErrConflict, "is not ours")
	gone := thing(dayone.EntitlementRemove, "", "workspace", "office", nil)
	gone.Have = r.Now
	b.Sim.PutInto("Office of Sarah")
	_, err = b.try(gone)
	connectortest.Refused(t, err, dayone.ErrConflict, "move or delete them")
}

// Whoever is not let in is told what to do about it in Control Hub.
func TestNotLetIn(t *testing.T) {
	t.Run("secret renewed", func(t *testing.T) {
		b := open(t, sim.Options{})
		if err := b.Guard.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.Sim.Renew()
		connectortest.Refused(t, b.Guard.Check(t.Context()), dayone.ErrAuth, "authorise the app again")
	})
	t.Run("wrong organisation", func(t *testing.T) {
		b := open(t, sim.Options{}, "org", "00000000-3dcc-11e5-a152-fe34819cdc9a")
		connectortest.Refused(t, b.Guard.Check(t.Context()), dayone.ErrForbidden, "setting org")
	})
	t.Run("scope missing", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.Sim.Deny("/licenses")
		connectortest.Refused(t, b.Guard.Check(t.Context()), dayone.ErrForbidden, "scopes of the notes")
	})
	t.Run("token ends", func(t *testing.T) {
		b := open(t, sim.Options{})
		for range 3 {
			if err := b.Guard.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.Later(15 * 24 * time.Hour)
		}
		n := 0
		for _, r := range b.Sim.Door().Requests() {
			if r.Path == "/access_token" {
				n++
			}
		}
		if n != 3 {
			t.Errorf("%d tokens were fetched in six weeks, want 3", n)
		}
	})
}

// Without the scope for authorisations a leaver is closed all the same, and what could not be read is not gone.
func TestAuthorisationsUnreadable(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.join(sarah(), dayone.Active).Now.Ref
	b.Sim.SignIn(mail, "Webex App")
	b.Sim.Deny("/authorizations", "/licenses")
	b.do(b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled}))
	_, _, unread, err := b.Guard.Remains(t.Context(), dayone.Item{Ref: ref})
	if err != nil || !slices.Equal(unread, []dayone.RemainClass{dayone.KeptToken}) {
		t.Errorf("unread is %v, %v", unread, err)
	}
}

// A revocation that fails leaves the step to be done again.
func TestRevocationFails(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.join(sarah(), dayone.Active).Now.Ref
	b.Sim.SignIn(mail, "Webex App")
	b.Sim.SignIn(mail, "Outlook")
	b.Sim.Door().Inject(sim.Fault{Method: "DELETE", Path: "/authorizations", Skip: 1, Status: 503})
	leave := b.account(dayone.AccountDisable, ref, &dayone.Item{State: dayone.Disabled})
	if _, err := b.Guard.Apply(t.Context(), leave); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("says %v", err)
	}
	leave.Attempt = 2
	b.do(leave)
	if b.Sim.Grants(mail) != 0 {
		t.Error("an authorisation outlives its owner's account")
	}
}

func TestLockedAndLimited(t *testing.T) {
	for status, want := range map[int]error{423: dayone.ErrUnavailable, 429: dayone.ErrThrottled} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			b := open(t, sim.Options{})
			b.Sim.Door().Inject(sim.Fault{Path: "/people", Status: status, Header: map[string]string{"Retry-After": "40"}, Body: `{"message":"later","trackingId":"ROUTER_1"}`})
			_, err := b.Guard.Apply(t.Context(), b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah()}))
			var f *dayone.Fault
			if !errors.Is(err, want) || !errors.As(err, &f) || f.RetryAt.Sub(b.Now()) < 39*time.Second {
				t.Errorf("says %v, to be tried again at %s", err, f.RetryAt)
			}
		})
	}
}
