package salesforce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/salesforce"
	salesforcesim "github.com/dayone-hq/dayone/connector/salesforce/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const mail = "sarah.chen@company.com"

var sarah = dayone.Attrs{
	"login": dayone.Text(mail), "email": dayone.Text(mail), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"), "title": dayone.Text("Sales Engineer"),
	"department": dayone.Text("Sales"), "employee_number": dayone.Text("emp_789"), "federation_id": dayone.Text(mail),
}

// There is no specification to hold requests to: Salesforce's is made for each org. The simulator is strict instead.
func TestSalesforce(t *testing.T) {
	connectortest.Run(t, connectortest.Suite{
		Factory: salesforce.Factory,
		Sim:     func(o sim.Options) sim.Simulator { return salesforcesim.New(o) },
		Person:  sarah,
		Grants: []dayone.Grant{
			{Key: dayone.Key{Kind: "profile", Name: "sales-engineer"}},
			{Key: dayone.Key{Kind: "profile", Name: "account-executive"}},
			{Key: dayone.Key{Kind: "queue", Name: "enterprise"}},
			{Key: dayone.Key{Kind: "queue", Name: "mid-market"}},
			{Key: dayone.Key{Kind: "permset", Name: "quote-author"}},
		},
		CreateMethod: "POST",
		CreatePath:   "/services/scim/v2/Users",
		ReadPath:     "/services/data/v62.0/query",
	})
}

func bench(t *testing.T, o sim.Options) (*connector.Guard, *salesforcesim.Sim, string) {
	t.Helper()
	s := salesforcesim.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	g, err := connector.Open(salesforce.Factory, "salesforce", time.Now, connector.Options{Settings: s.Settings(server.URL), PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		t.Fatal(err)
	}
	return g, s, server.URL
}

func account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{Action: action, Key: dayone.Key{System: "salesforce", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: time.Now()}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "login": want.Attrs.Text("login"), "email": want.Attrs.Text("email")}
	}
	return a
}

func grant(account, kind, name string) dayone.Act {
	k := dayone.Key{System: "salesforce", Kind: kind, Name: name}
	return dayone.Act{Action: dayone.EntitlementAdd, Key: k, Account: account, Want: &dayone.Item{Key: k, State: dayone.Active}, Attempt: 1, Since: time.Now()}
}

func apply(t *testing.T, g *connector.Guard, a dayone.Act) dayone.Result {
	t.Helper()
	r, err := connectortest.Apply(t.Context(), g, a)
	if err != nil {
		t.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

func join(t *testing.T, g *connector.Guard, as dayone.Attrs, state dayone.State) string {
	t.Helper()
	return apply(t, g, account(dayone.AccountCreate, "", &dayone.Item{State: state, Attrs: as})).Now.Ref
}

// A session that ends is begun anew on the way; nobody is told.
func TestSession(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Active)
	s.Expire()
	update := account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("")}})
	if r := apply(t, g, update); r.Now.Attrs.Text("title") != "" || r.Now.Attrs.Text("department") != "Sales" {
		t.Errorf("the call leaves %v", r.Now.Attrs)
	}
}

// TestLimits: the same code means two things, and only one of them goes by soon.
func TestLimits(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Limit(0)
	var f *dayone.Fault
	err := g.Check(t.Context())
	if !errors.Is(err, dayone.ErrThrottled) || !errors.As(err, &f) || time.Until(f.RetryAt) < 10*time.Minute || !strings.Contains(f.Detail, "api-usage=") {
		t.Errorf("without requests left it says %v", err)
	}
	s.Limit(1000)
	s.Door().Inject(sim.Fault{Path: "/services/data", Status: 403, Body: `[{"message":"ConcurrentPerOrgLongTxn Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`})
	if err := g.Check(t.Context()); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("too many calls at once says %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Active)
	for code, want := range map[string]error{
		"UNABLE_TO_LOCK_ROW": dayone.ErrUnavailable, "INVALID_SESSION_ID": dayone.ErrAuth, "LICENSE_LIMIT_EXCEEDED": dayone.ErrNoSeat,
		"INSUFFICIENT_ACCESS_OR_READONLY": dayone.ErrForbidden, "ENTITY_IS_DELETED": dayone.ErrNotFound, "STRING_TOO_LONG": dayone.ErrInvalid,
		"DUPLICATE_USERNAME": dayone.ErrConflict,
	} {
		s.Door().Inject(sim.Fault{Method: "PATCH", Status: 400, Body: `[{"message":"no","errorCode":"` + code + `","fields":["X"]}]`})
		_, err := g.Apply(t.Context(), account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"title": dayone.Text("Director")}}))
		var f *dayone.Fault
		if !errors.Is(err, want) || !errors.As(err, &f) || f.Code != code {
			t.Errorf("%s says %v, want %v", code, err, want)
		}
	}
}

// TestSeats: an inactive user takes none; one that is opened waits for one.
func TestSeats(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{Seats: 1})
	s.Seed(sim.Account{Login: "first@company.com"})
	ref := join(t, g, sarah, dayone.Disabled)
	open := account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})
	if _, err := g.Apply(t.Context(), open); !errors.Is(err, dayone.ErrNoSeat) {
		t.Errorf("without a licence it says %v", err)
	}
	other := sarah.With(dayone.Attrs{"login": dayone.Text("kim@company.com"), "email": dayone.Text("kim@company.com"), "federation_id": dayone.Text("kim"), "employee_number": dayone.Text("E-2")})
	if _, err := g.Apply(t.Context(), account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: other})); !errors.Is(err, dayone.ErrNoSeat) {
		t.Errorf("by SCIM it says %v", err)
	}
}

// TestElsewhere: a username can be taken where we cannot look.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	s.Elsewhere("Sarah.Chen@company.com")
	_, err := g.Apply(t.Context(), account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah}))
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found != nil || !strings.Contains(f.Next, "another org") {
		t.Errorf("says %v", err)
	}
}

// TestOwner: who cannot be deactivated is frozen at once, and a human does the rest.
func TestOwner(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Active)
	s.Own(ref, true)
	closing := account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled})
	if _, err := g.Apply(t.Context(), closing); !errors.Is(err, dayone.ErrUnsupported) || !s.Frozen(ref) {
		t.Fatalf("says %v, frozen %v", err, s.Frozen(ref))
	}
	s.Own(ref, false)
	if r := apply(t, g, closing); r.Now.State != dayone.Disabled {
		t.Errorf("it shows %s", r.Now.State)
	}
	if apply(t, g, account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})); s.Frozen(ref) {
		t.Error("the account is open and still frozen")
	}
}

// TestProfile: the slot always holds one; a new one takes the place of the old.
func TestProfile(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Disabled)
	for _, step := range []struct{ from, to string }{{"minimum-access", "sales-engineer"}, {"sales-engineer", "account-executive"}, {"account-executive", "minimum-access"}} {
		r := apply(t, g, grant(ref, "profile", step.to))
		if r.Before == nil || r.Before.Key.Name != step.from || r.Now.Key.Name != step.to || !slices.Contains(s.Accounts()[0].Entitlements, "profile:"+step.to) {
			t.Errorf("after %s there is %+v: %v", r.Before, r.Now, s.Accounts()[0].Entitlements)
		}
	}
	seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 2 { // the permission set that belongs to a profile is nobody's grant
		t.Errorf("it holds %v, %v", seen.Items, err)
	}
}

// TestTakesOne: of several grants only the one that is meant goes.
func TestTakesOne(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Active)
	for _, a := range []dayone.Act{
		grant(ref, "queue", "enterprise"), grant(ref, "queue", "mid-market"), grant(ref, "permset", "quote-author"), grant(ref, "permset", "discount-approver"),
	} {
		apply(t, g, a)
	}
	for _, a := range []dayone.Act{grant(ref, "queue", "mid-market"), grant(ref, "permset", "discount-approver")} {
		a.Action, a.Want = dayone.EntitlementRemove, nil
		apply(t, g, a)
	}
	if got := s.Accounts()[0].Entitlements; !slices.Equal(got, []string{"permset:quote-author", "profile:minimum-access", "queue:enterprise"}) {
		t.Errorf("it holds %v", got)
	}
}

// TestQuotes: no value gets out of its quotes.
func TestQuotes(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	s.Seed(sim.Account{Login: "a@company.com", EmployeeNumber: "E-1"})
	s.Seed(sim.Account{Login: "b@company.com", EmployeeNumber: `\' "x"`})
	for number, want := range map[string]int{`' OR Id != '`: 0, `\' "x"`: 1, `\`: 0, `E-1`: 1, "a\nb": 0} {
		seen, err := g.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"employee_number": number}})
		if got := len(seen.Items); err != nil || got != 2*want { // a user and its profile
			t.Errorf("%q finds %v, %v", number, seen.Items, err)
		}
	}
}

// TestNoProfile: the setting is named where it is wrong.
func TestNoProfile(t *testing.T) {
	t.Parallel()
	s := salesforcesim.New(sim.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	settings := s.Settings(server.URL)
	settings["profile"] = "No such"
	g, err := connector.Open(salesforce.Factory, "salesforce", time.Now, connector.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(t.Context(), account(dayone.AccountCreate, "", &dayone.Item{Attrs: sarah})); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "setting profile") {
		t.Errorf("says %v", err)
	}
}

// TestOktaProvisions: Okta makes the user and opens it; we wait, confirm, and give what Okta does not.
func TestOktaProvisions(t *testing.T) {
	t.Parallel()
	g, s, url := bench(t, sim.Options{})
	idp := oktasim.New(sim.Options{})
	door := httptest.NewServer(idp)
	t.Cleanup(door.Close)
	base, token, extra := s.ProvisionTarget(url)
	idp.Provision(oktasim.Provision{App: "salesforce", Base: base, Token: token, Extra: extra, Staged: true})

	made := call[struct{ ID string }](t, idp, door.URL, "POST", "/api/v1/users?activate=false", map[string]any{"profile": map[string]string{
		"login": mail, "email": mail, "firstName": "Sarah", "lastName": "Chen", "title": "Sales Engineer", "department": "Sales", "employeeNumber": "emp_789",
	}})
	apps := call[[]struct{ ID, Label string }](t, idp, door.URL, "GET", "/api/v1/apps?limit=200", nil)
	app := apps[slices.IndexFunc(apps, func(a struct{ ID, Label string }) bool { return a.Label == "salesforce" })].ID

	via := dayone.Key{System: "okta", Kind: "app", Name: "salesforce"}
	create := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Disabled, Attrs: sarah})
	create.Via = via
	if r := apply(t, g, create); r.Now != nil || r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation || len(s.Accounts()) != 0 {
		t.Fatalf("before Okta knows, it shows %+v, waits %+v", r.Now, r.Wait)
	}
	call[any](t, idp, door.URL, "POST", "/api/v1/apps/"+app+"/users", map[string]string{"id": made.ID, "scope": "USER"})
	idp.Wait()
	create.Attempt = 2
	r := apply(t, g, create)
	if r.Wait != nil || r.Now == nil || r.Now.State != dayone.Disabled || r.Now.Attrs.Text("employee_number") != "emp_789" || !r.Changed() {
		t.Fatalf("after the assignment it shows %+v, waits %+v", r.Now, r.Wait)
	}
	ref := r.Now.Ref
	if apply(t, g, grant(ref, "profile", "sales-engineer")).Now == nil || apply(t, g, grant(ref, "queue", "enterprise")).Now == nil {
		t.Error("profile and queue were not given before the first day")
	}

	open := account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active})
	open.Via = via
	if r := apply(t, g, open); r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation || s.Accounts()[0].State != dayone.Disabled {
		t.Fatalf("before Okta opens it, it waits %+v and is %s", r.Wait, s.Accounts()[0].State)
	}
	call[any](t, idp, door.URL, "POST", "/api/v1/users/"+made.ID+"/lifecycle/activate?sendEmail=false", nil)
	idp.Wait()
	open.Attempt = 2
	if r := apply(t, g, open); r.Wait != nil || r.Now.State != dayone.Active || r.Now.Ref != ref {
		t.Errorf("after Okta opened it, it shows %+v, waits %+v", r.Now, r.Wait)
	}
	if got := s.Accounts()[0].Entitlements; !slices.Equal(got, []string{"profile:sales-engineer", "queue:enterprise"}) {
		t.Errorf("it holds %v", got)
	}
	for _, r := range s.Door().Requests() {
		if r.Method == "PATCH" && strings.Contains(string(r.Body), "IsActive") {
			t.Error("we wrote what is Okta's to write")
		}
	}
}

// TestDefaultProfile: SCIM refuses a user without a profile, unless the org has one for it.
func TestDefaultProfile(t *testing.T) {
	t.Parallel()
	_, s, url := bench(t, sim.Options{})
	idp := oktasim.New(sim.Options{Names: map[string][]string{"app": {"salesforce"}}})
	door := httptest.NewServer(idp)
	t.Cleanup(door.Close)
	base, token, _ := s.ProvisionTarget(url)
	app := call[[]struct{ ID string }](t, idp, door.URL, "GET", "/api/v1/apps", nil)[0].ID
	who := map[string]string{"id": idp.Seed(sim.Account{Login: mail}), "scope": "USER"}
	for _, profile := range []string{"", "sales-engineer"} {
		if profile != "" {
			s.Default(profile)
		}
		idp.Provision(oktasim.Provision{App: "salesforce", Base: base, Token: token})
		call[any](t, idp, door.URL, "POST", "/api/v1/apps/"+app+"/users", who)
		idp.Wait()
		all := s.Accounts()
		if made := len(all) == 1 && slices.Contains(all[0].Entitlements, "profile:"+profile); made != (profile != "") {
			t.Errorf("with the default %q there is %v", profile, all)
		}
	}
}

// call is one call to Okta as its administrator makes it.
func call[T any](t *testing.T, idp *oktasim.Sim, base, method, path string, body any) T {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "SSWS "+idp.Settings(base)["token"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: HTTP %d %s %v", method, path, resp.StatusCode, raw, err)
	}
	var out T
	if err := json.Unmarshal(raw, &out); err != nil && len(raw) > 0 {
		t.Fatal(err)
	}
	return out
}

// TestSeatsAreTold: profiles tell of the licences behind them, which they share, and how many active users take.
func TestSeatsAreTold(t *testing.T) {
	t.Parallel()
	g, _, _ := bench(t, sim.Options{Seats: 5})
	seats := func() *dayone.Seats {
		t.Helper()
		for o, err := range g.Catalogue(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if o.Key.Kind == "profile" && o.Key.Name == "sales-engineer" {
				return o.Seats
			}
		}
		return nil
	}
	before := seats()
	if before == nil || before.Total != 5 || before.Pool != "Salesforce" {
		t.Fatalf("seats are %+v", before)
	}
	r, err := g.Apply(t.Context(), account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah}))
	if err != nil || r.Now == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if after := seats(); after.Used != before.Used+1 || after.Free() != before.Free()-1 {
		t.Errorf("with one more user they are %+v, before %+v", after, before)
	}
}
