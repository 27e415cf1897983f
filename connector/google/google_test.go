package google_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/google"
	googlesim "github.com/dayone-hq/dayone/connector/google/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func person() dayone.Attrs {
	return dayone.Attrs{
		"email": dayone.Text("sarah.chen@company.com"), "first_name": dayone.Text("Sarah"), "last_name": dayone.Text("Chen"), "title": dayone.Text("Sales Engineer"),
		"department": dayone.Text("Sales"), "manager": dayone.Text("john.doe@company.com"), "employee_number": dayone.Text("emp_789"), "license": dayone.Text("business-plus"),
	}
}

func suite() connectortest.Suite {
	return connectortest.Suite{
		Factory:       google.Factory,
		Sim:           func(o sim.Options) sim.Simulator { return googlesim.New(o) },
		Person:        person(),
		Grants:        []dayone.Grant{{Key: dayone.Key{Kind: "group", Name: "sales@company.com"}}},
		CreateMethod:  "POST",
		CreatePath:    "/admin/directory/v1/users",
		Specification: discovery,
	}
}

func TestGoogle(t *testing.T) { connectortest.Run(t, suite()) }

// bench is a customer with a connector to it.
type bench struct {
	t     *testing.T
	sim   *googlesim.Sim
	guard *connector.Guard
}

func open(t *testing.T, o sim.Options, settings ...string) *bench {
	t.Helper()
	t.Parallel()
	s := googlesim.New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Door().Validate(discovery(t).Validate)
	t.Cleanup(func() {
		for _, err := range s.Door().Invalid() {
			t.Errorf("against the vendor's specification: %v", err)
		}
	})
	all := s.Settings(server.URL)
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		all[k] = v
	}
	g, err := connector.Open(google.Factory, "google", time.Now, connector.Options{Settings: all})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, s, g}
}

func account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{
		Action: action, Key: dayone.Key{System: "google", Kind: "account"}, Want: want, Subject: dayone.Subject{Ref: ref}, Since: time.Now(), Attempt: 1,
		Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("Secret-passw0rd!")},
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": want.Attrs.Text("employee_number"), "email": want.Attrs.Text("email")}
	}
	return a
}

func (b *bench) join(attrs dayone.Attrs) (dayone.Act, dayone.Result, error) {
	a := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Disabled, Attrs: attrs})
	r, err := b.guard.Apply(b.t.Context(), a)
	return a, r, err
}

func (b *bench) made(attrs dayone.Attrs) dayone.Item {
	b.t.Helper()
	_, r, err := b.join(attrs)
	if err != nil {
		b.t.Fatal(err)
	}
	return *r.Now
}

// again calls as the engine does, until the system has caught up with itself.
func (b *bench) again(a dayone.Act) (dayone.Result, int, error) {
	for {
		r, err := connectortest.Apply(b.t.Context(), b.guard, a)
		if !errors.Is(err, dayone.ErrNotYet) || a.Attempt > 20 {
			return r, a.Attempt, err
		}
		a.Attempt++
	}
}

// A user is not there, then not complete, then nameless: each is "not yet", and in the end there is one user with all she
// should have.
func TestConsistency(t *testing.T) {
	b := open(t, sim.Options{Lag: 3})
	a := account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Disabled, Attrs: person()})
	r, attempts, err := b.again(a)
	if err != nil || attempts < 2 {
		t.Fatalf("after %d attempts: %v", attempts, err)
	}
	all := b.sim.Accounts()
	if len(all) != 1 || all[0].Ref != r.Now.Ref || !slices.Contains(all[0].Entitlements, "license:business-plus") {
		t.Errorf("the customer has %+v", all)
	}
	if r.Before != nil {
		t.Errorf("the user we made is taken for somebody's: %+v", r.Before)
	}

	key := dayone.Key{System: "google", Kind: "group", Name: "sales@company.com"}
	fresh := b.sim.Accounts()[0].Ref
	if _, _, err := b.again(dayone.Act{Action: dayone.EntitlementAdd, Key: key, Account: fresh, Want: &dayone.Item{Key: key}, Since: time.Now(), Attempt: 1}); err != nil {
		t.Errorf("the group: %v", err)
	}
}

// The answer to a create is lost while reads lag behind: the retry meets "duplicate" before it can see the user.
func TestLostAnswerBehindLag(t *testing.T) {
	b := open(t, sim.Options{Lag: 6})
	b.sim.Door().Inject(sim.Fault{Method: "POST", Path: "/admin/directory/v1/users", Cut: true})
	a, _, err := b.join(person())
	if !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a lost answer says %v", err)
	}
	a.Attempt = 2
	if r, _, err := b.again(a); err != nil || r.Now == nil || r.Before != nil || len(b.sim.Accounts()) != 1 {
		t.Errorf("the retries end with %+v, %v; the customer has %v", r, err, b.sim.Accounts())
	}
}

func TestUpdateAnsweredWithConflict(t *testing.T) {
	b := open(t, sim.Options{})
	it := b.made(person())
	b.sim.ConflictAfterUpdate(1)
	r, err := b.guard.Apply(t.Context(), account(dayone.AccountUpdate, it.Ref, &dayone.Item{Attrs: dayone.Attrs{"title": dayone.Text("Manager")}}))
	if err != nil || r.Now.Attrs.Text("title") != "Manager" {
		t.Errorf("an update that was carried out says %v: %+v", err, r.Now)
	}
	b.sim.ConflictAfterUpdate(1)
	r, err = b.guard.Apply(t.Context(), account(dayone.AccountEnable, it.Ref, &dayone.Item{State: dayone.Active}))
	if err != nil || r.Now.State != dayone.Active {
		t.Errorf("a change of state that was carried out says %v: %+v", err, r.Now)
	}
	b.sim.Seed(sim.Account{Login: "taken@company.com", State: dayone.Active})
	_, err = b.guard.Apply(t.Context(), account(dayone.AccountUpdate, it.Ref, &dayone.Item{Attrs: dayone.Attrs{"email": dayone.Text("taken@company.com")}}))
	if !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("an address that is taken says %v", err)
	}
}

// Lists are written whole: what others wrote into them has to survive.
func TestUpdateKeepsWhatOthersWrote(t *testing.T) {
	b := open(t, sim.Options{})
	it := b.made(person())
	entry := func(kv ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	b.sim.Set(it.Ref, "externalIds", []any{entry("type", "login_id", "value", "sc"), entry("type", "organization", "value", "emp_789")})
	b.sim.Set(it.Ref, "organizations", []any{entry("type", "school", "title", "Alumna"), entry("primary", true, "title", "SE", "costCenter", "4711")})
	b.sim.Set(it.Ref, "relations", []any{entry("type", "assistant", "value", "kim@company.com"), entry("type", "manager", "value", "john.doe@company.com")})
	changed := dayone.Attrs{"title": dayone.Text("Staff SE"), "employee_number": dayone.Text("emp_790"), "manager": dayone.Text("")}
	if _, err := b.guard.Apply(t.Context(), account(dayone.AccountUpdate, it.Ref, &dayone.Item{Attrs: changed})); err != nil {
		t.Fatal(err)
	}
	if _, err := b.guard.Apply(t.Context(), account(dayone.AccountUpdate, it.Ref, &dayone.Item{Attrs: dayone.Attrs{"title": dayone.Text("")}})); err != nil {
		t.Fatal(err)
	}
	for property, want := range map[string]string{
		"externalIds":   `[{"type":"login_id","value":"sc"},{"type":"organization","value":"emp_790"}]`,
		"organizations": `[{"title":"Alumna","type":"school"},{"costCenter":"4711","primary":true}]`,
		"relations":     `[{"type":"assistant","value":"kim@company.com"}]`,
		"name":          `{"familyName":"Chen","givenName":"Sarah"}`,
	} {
		if got, _ := json.Marshal(b.sim.Get(it.Ref, property)); string(got) != want {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
}

func TestLicences(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	first := b.made(person())
	second := person().With(dayone.Attrs{"email": dayone.Text("kim@company.com"), "employee_number": dayone.Text("emp_790")})
	a, _, err := b.join(second)
	if !errors.Is(err, dayone.ErrNoSeat) {
		t.Fatalf("without a seat left it says %v", err)
	}
	license := func(ref, name string) error {
		_, err := b.guard.Apply(t.Context(), account(dayone.AccountUpdate, ref, &dayone.Item{Attrs: dayone.Attrs{"license": dayone.Text(name)}}))
		return err
	}
	if err := license(first.Ref, "enterprise-plus"); err != nil {
		t.Fatalf("changing a licence: %v", err)
	}
	a.Attempt++
	r, err := connectortest.Apply(t.Context(), b.guard, a)
	if err != nil || r.Now.Attrs.Text("license") != "business-plus" || len(b.sim.Accounts()) != 2 {
		t.Errorf("with a seat again: %+v, %v", r.Now, err)
	}
	if err := license(first.Ref, ""); err != nil {
		t.Errorf("removing a licence: %v", err)
	}
	if err := license(first.Ref, "gold"); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "business-plus") {
		t.Errorf("a licence that is not configured says %v", err)
	}
	shown := map[string]string{}
	for seen, err := range b.guard.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		shown[seen.Account().Attrs.Text("email")] = seen.Account().Attrs["license"].Text
	}
	if want := map[string]string{"sarah.chen@company.com": "", "kim@company.com": "business-plus"}; !maps.Equal(shown, want) {
		t.Errorf("List shows the licences %v, want %v", shown, want)
	}
}

// Without the scope for licences all else works, and the account shows no licence rather than none being held.
func TestLicencesNotAuthorised(t *testing.T) {
	b := open(t, sim.Options{})
	b.sim.Withdraw("https://www.googleapis.com/auth/apps.licensing")
	attrs := person()
	delete(attrs, "license")
	it := b.made(attrs)
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: it.Ref})
	if err != nil {
		t.Fatal(err)
	}
	if v, shown := seen.Account().Attrs["license"]; shown {
		t.Errorf("the licence is shown as %q", v)
	}
	for _, err := range b.guard.List(t.Context()) {
		if err != nil {
			t.Error(err)
		}
	}
	_, err = b.guard.Apply(t.Context(), account(dayone.AccountUpdate, it.Ref, &dayone.Item{Attrs: dayone.Attrs{"license": dayone.Text("business-plus")}}))
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrAuth) || !errors.As(err, &f) || f.Next == "" {
		t.Errorf("giving a licence says %v", err)
	}
}

func TestErrors(t *testing.T) {
	body := func(code int, reason, message string) string {
		return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`, code, message, message, reason)
	}
	for _, c := range []struct {
		name   string
		method string
		status int
		body   string
		want   error
		after  time.Duration
	}{
		{"user rate", "GET", 403, body(403, "userRateLimitExceeded", "User Rate Limit Exceeded"), dayone.ErrThrottled, 0},
		{"rate", "GET", 403, body(403, "rateLimitExceeded", "Rate Limit Exceeded"), dayone.ErrThrottled, 0},
		{"newer rate", "GET", 403, `{"error":{"code":403,"message":"Quota exceeded","status":"PERMISSION_DENIED","details":[{"reason":"RATE_LIMIT_EXCEEDED"}]}}`, dayone.ErrThrottled, 0},
		{"quota", "GET", 403, body(403, "quotaExceeded", "Quota exceeded"), dayone.ErrThrottled, 50 * time.Minute},
		{"no rights", "GET", 403, body(403, "forbidden", "Not Authorized to access this resource/api"), dayone.ErrForbidden, 0},
		{"backend", "GET", 503, body(503, "backendError", "Service unavailable."), dayone.ErrUnavailable, 0},
		{"unmanaged", "POST", 202, `{"primaryEmail":"sarah.chen@company.com"}`, dayone.ErrConflict, 0},
		{"group's address", "POST", 409, body(409, "duplicate", "Entity already exists."), dayone.ErrConflict, 0},
		{"full", "POST", 412, body(412, "limitExceeded", "Domain user limit reached."), dayone.ErrNoSeat, 0},
		{"not complete", "POST", 404, body(404, "notFound", "User creation is not complete."), dayone.ErrNotYet, 0},
		{"invalid", "POST", 400, body(400, "invalid", "Invalid Input: primary_user_email"), dayone.ErrInvalid, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, sim.Options{})
			b.sim.Door().Inject(sim.Fault{Method: c.method, Path: "/admin/directory/v1/users", Status: c.status, Body: c.body})
			_, _, err := b.join(person())
			var f *dayone.Fault
			if !errors.Is(err, c.want) || !errors.As(err, &f) {
				t.Fatalf("says %v, want %v", err, c.want)
			}
			if c.after > 0 && time.Until(f.RetryAt) < c.after {
				t.Errorf("may be called again at %s", f.RetryAt)
			}
		})
	}
}

// Whoever is not let in is told what to do about it.
func TestSignIn(t *testing.T) {
	for name, setting := range map[string]string{"admin": "admin=somebody@company.com", "key": `credentials={"client_email":"x"}`, "licence": "licenses=gold"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := googlesim.New(sim.Options{})
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			all := s.Settings(server.URL)
			k, v, _ := strings.Cut(setting, "=")
			all[k] = v
			g, err := connector.Open(google.Factory, "google", time.Now, connector.Options{Settings: all})
			if name != "admin" {
				if !errors.Is(err, dayone.ErrInvalid) {
					t.Errorf("%s says %v", setting, err)
				}
				return
			}
			var f *dayone.Fault
			if err := g.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) || !errors.As(err, &f) || f.Next == "" {
				t.Errorf("%s says %v", setting, err)
			}
		})
	}
	t.Run("scope", func(t *testing.T) {
		b := open(t, sim.Options{})
		b.sim.Withdraw("https://www.googleapis.com/auth/admin.directory.user")
		if err := b.guard.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
			t.Errorf("a scope that is not authorised says %v", err)
		}
	})
}

// An access token is used until shortly before its end, or until it is refused, and then replaced.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	at := time.Now()
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	s := googlesim.New(sim.Options{Now: now})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	g, err := connector.Open(google.Factory, "google", now, connector.Options{Settings: s.Settings(server.URL)})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for range 2 {
			if err := g.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		at = at.Add(10 * time.Second)
		mu.Unlock()
	}
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	refusal := sim.Fault{Method: "GET", Status: 401, Body: `{"error":{"code":401,"message":"Invalid Credentials","errors":[{"reason":"authError"}]}}`}
	s.Door().Inject(refusal)
	if err := g.Check(t.Context()); err != nil {
		t.Errorf("a token that is refused before its end says %v", err)
	}
	refusal.Times = 2
	s.Door().Inject(refusal)
	if err := g.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("a new token that is refused, too, says %v", err)
	}
	fetched := 0
	for _, r := range s.Door().Requests() {
		if r.Path == "/token" {
			fetched++
		}
	}
	if fetched != 6 {
		t.Errorf("%d tokens were fetched, want 6", fetched)
	}
}

func TestArchivedStaysArchived(t *testing.T) {
	b := open(t, sim.Options{})
	it := b.made(person())
	b.sim.Set(it.Ref, "archived", true)
	_, err := b.guard.Apply(t.Context(), account(dayone.AccountEnable, it.Ref, &dayone.Item{State: dayone.Active}))
	if !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("opening an archived user says %v", err)
	}
}

// discovery validates requests against Google's discovery documents: method, path, query, and the body's properties.
func discovery(t *testing.T) connectortest.Validator {
	t.Helper()
	docs, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) == 0 {
		t.Log("requests are not validated: the discovery documents are not here; set DAYONE_SPECS to the folder that has them")
	}
	return docs
}

type schemas map[string]struct {
	Properties map[string]property `json:"properties"`
}

type property struct {
	Ref        string    `json:"$ref"`
	Type       string    `json:"type"`
	ReadOnly   bool      `json:"readOnly"`
	Items      *property `json:"items"`
	Annotation struct {
		Required []string `json:"required"`
	} `json:"annotations"`
}

type method struct {
	ID         string               `json:"id"`
	HTTPMethod string               `json:"httpMethod"`
	Path       string               `json:"path"`
	Parameters map[string]parameter `json:"parameters"`
	Request    *property            `json:"request"`

	match   *regexp.Regexp
	schemas schemas
}

type parameter struct {
	Type     string   `json:"type"`
	Location string   `json:"location"`
	Required bool     `json:"required"`
	Enum     []string `json:"enum"`
}

type methods []method

var documents = sync.OnceValues(func() (methods, error) {
	var out methods
	for _, name := range []string{"google/admin-directory_v1.json", "google/licensing_v1.json"} {
		file := connectortest.SpecificationFile(name)
		if file == "" {
			return nil, nil
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var doc struct {
			Schemas   schemas
			Resources map[string]struct{ Methods map[string]method }
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return nil, err
		}
		for _, resource := range doc.Resources {
			for _, m := range resource.Methods {
				path := regexp.MustCompile(`\\\{\+?\w+\\\}`).ReplaceAllString(regexp.QuoteMeta("/"+m.Path), `[^/]+`)
				m.match, m.schemas = regexp.MustCompile("^"+path+"$"), doc.Schemas
				out = append(out, m)
			}
		}
	}
	return out, nil
})

func (ms methods) Validate(r *http.Request, body []byte) error {
	switch {
	case len(ms) == 0:
		return sim.ErrUnspecified
	case r.URL.Path == "/token":
		return nil
	}
	i := slices.IndexFunc(ms, func(m method) bool { return m.HTTPMethod == r.Method && m.match.MatchString(r.URL.EscapedPath()) })
	if i < 0 {
		return errors.New("there is no such method")
	}
	m := ms[i]
	query := r.URL.Query()
	for name := range query {
		p, ok := m.Parameters[name]
		switch {
		case !ok || p.Location != "query":
			return fmt.Errorf("%s has no query parameter %q", m.ID, name)
		case len(p.Enum) > 0 && !slices.Contains(p.Enum, query.Get(name)):
			return fmt.Errorf("%s: %s is none of %v", m.ID, name, p.Enum)
		case p.Type == "integer" && strings.Trim(query.Get(name), "0123456789") != "":
			return fmt.Errorf("%s: %s is no integer", m.ID, name)
		}
	}
	for name, p := range m.Parameters {
		if p.Required && p.Location == "query" && query.Get(name) == "" {
			return fmt.Errorf("%s lacks the query parameter %q", m.ID, name)
		}
	}
	if m.Request == nil {
		if len(body) > 0 {
			return fmt.Errorf("%s takes no body", m.ID)
		}
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return m.check(*m.Request, m.Request.Ref, v)
}

// untyped are properties of type any, and what their items are all the same.
var untyped = map[string]string{"externalIds": "UserExternalId", "organizations": "UserOrganization", "relations": "UserRelation"}

func (m method) check(p property, at string, v any) error {
	if p.Ref == "" {
		return p.fits(at, v)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is no object", at)
	}
	known := m.schemas[p.Ref].Properties
	for name, v := range object {
		q, ok := known[name]
		switch {
		case !ok:
			return fmt.Errorf("%s has no property %q", at, name)
		case q.ReadOnly:
			return fmt.Errorf("%s.%s is read-only", at, name)
		}
		if item := untyped[name]; item != "" && p.Ref == "User" {
			list, ok := v.([]any)
			if !ok {
				return fmt.Errorf("%s.%s is no list", at, name)
			}
			for _, e := range list {
				if err := m.check(property{Ref: item}, at+"."+name, e); err != nil {
					return err
				}
			}
			continue
		}
		if err := m.check(q, at+"."+name, v); err != nil {
			return err
		}
	}
	for name, q := range known {
		if _, has := object[name]; !has && slices.Contains(q.Annotation.Required, m.ID) {
			return fmt.Errorf("%s lacks %q", at, name)
		}
	}
	return nil
}

func (p property) fits(at string, v any) error {
	ok := true
	switch p.Type {
	case "string":
		_, ok = v.(string)
	case "boolean":
		_, ok = v.(bool)
	case "integer":
		_, ok = v.(float64)
	case "array":
		_, ok = v.([]any)
	}
	if !ok {
		return fmt.Errorf("%s is %T, want %s", at, v, p.Type)
	}
	return nil
}

func TestDiscoveryIsStrict(t *testing.T) {
	v := discovery(t)
	if len(v.(methods)) == 0 {
		t.Skip("the discovery documents are not here; set DAYONE_SPECS to the folder that has the vendors' specifications")
	}
	const users = "http://x/admin/directory/v1/users"
	for _, c := range []struct{ method, url, body, want string }{
		{"POST", users, `{"primaryEmail":"a@b.c","name":{"givenName":"A","familyName":"B"},"password":"12345678"}`, ""},
		{"POST", users, `{"primaryEmail":"a@b.c"}`, "lacks"},
		{"POST", users, `{"nickName":"a"}`, "no property"},
		{"PATCH", users + "/1", `{"isAdmin":true}`, "read-only"},
		{"PATCH", users + "/1", `{"suspended":"true"}`, "want boolean"},
		{"PATCH", users + "/1", `{"organizations":[{"salary":1}]}`, "no property"},
		{"GET", users + "?limit=1", "", "no query parameter"},
		{"GET", users + "?projection=all", "", "none of"},
		{"GET", "http://x/apps/licensing/v1/product/p/users", "", "lacks the query parameter"},
		{"GET", "http://x/admin/directory/v1/people", "", "no such method"},
		{"DELETE", users + "/1", `{}`, "takes no body"},
	} {
		r, err := http.NewRequestWithContext(context.Background(), c.method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := v.Validate(r, []byte(c.body))
		if (got == nil) != (c.want == "") || got != nil && !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s %s %s says %v, want %q", c.method, c.url, c.body, got, c.want)
		}
	}
}
