package rest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/rest"
	restsim "github.com/dayone-hq/dayone/connector/rest/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// bench is the intranet with a connector to it.
type bench struct {
	*testing.T
	sim   *restsim.Sim
	guard *connector.Guard
	at    time.Time
}

func (b *bench) now() time.Time { return b.at }

// open changes the definition by pairs of old and new text; what is not in it fails.
func open(t *testing.T, o sim.Options, oldNew ...string) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{T: t, at: time.Now()}
	o.Now = b.now
	b.sim = restsim.New(o)
	b.guard = b.reach(b.sim, nil, oldNew...)
	return b
}

func (b *bench) reach(h http.Handler, settings map[string]string, oldNew ...string) *connector.Guard {
	b.Helper()
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	if settings == nil {
		settings = b.sim.Settings(server.URL)
	} else {
		settings["url"] = server.URL + settings["url"]
	}
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(settings["definition"], oldNew[i]) {
			b.Fatalf("%q is not in the definition", oldNew[i])
		}
		settings["definition"] = strings.ReplaceAll(settings["definition"], oldNew[i], oldNew[i+1])
	}
	g, err := connector.Open(rest.Factory, "intranet", b.now, connector.Options{Settings: settings, PerMinute: map[string]int{"default": 600_000}})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func (b *bench) account(action dayone.Action, ref string, want *dayone.Item) dayone.Act {
	a := dayone.Act{
		Action: action, Key: dayone.Key{System: "intranet", Kind: "account"}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: b.now(),
		Secrets: map[string]dayone.Secret{"password": dayone.NewSecret("First-passw0rd")},
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range []string{"employee_number", "login", "email"} {
			a.Subject.Keys[k] = want.Attrs.Text(k)
		}
	}
	return a
}

func (b *bench) do(a dayone.Act) dayone.Result {
	b.Helper()
	r, err := connectortest.Apply(b.Context(), b.guard, a)
	if err != nil {
		b.Fatalf("%s: %v", a.Action, err)
	}
	return r
}

func (b *bench) join(as dayone.Attrs) string {
	b.Helper()
	return b.do(b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: as})).Now.Ref
}

func (b *bench) role(action dayone.Action, account, name, level string) dayone.Act {
	key := dayone.Key{System: "intranet", Kind: "role", Name: name}
	a := dayone.Act{Action: action, Key: key, Account: account, Attempt: 1, Since: b.now()}
	if action == dayone.EntitlementAdd {
		a.Want = &dayone.Item{Key: key, State: dayone.Active, Role: level}
	} else {
		a.Have = &dayone.Item{Key: key, State: dayone.Active, Role: level}
	}
	return a
}

func (b *bench) only() sim.Account {
	b.Helper()
	all := b.sim.Accounts()
	if len(all) != 1 {
		b.Fatalf("the intranet has %+v", all)
	}
	return all[0]
}

// A life: made closed before the first day, opened, moved, closed with what was open, and deleted.
func TestJoinsMovesLeaves(t *testing.T) {
	b := open(t, sim.Options{})
	staged := b.guard.Manifest.System("intranet").As(dayone.Staged)
	ref := b.do(b.account(dayone.AccountCreate, "", &dayone.Item{State: staged, Attrs: sarah.With(dayone.Attrs{"cost_center": dayone.Text("4711")})})).Now.Ref
	if got := b.only(); got.State != dayone.Disabled || got.Ref != ref || ref <= "9007199254740992" {
		t.Fatalf("before her first day: %+v", got)
	}
	b.do(b.account(dayone.AccountEnable, ref, &dayone.Item{Ref: ref, State: dayone.Active}))
	b.do(b.role(dayone.EntitlementAdd, ref, "time sheets", "reader"))
	b.do(b.role(dayone.EntitlementAdd, ref, "news", "reader"))
	b.sim.SignIn(ref)

	moved := dayone.Attrs{"title": dayone.Text(""), "department": dayone.Text("Vertrieb & Kunden"), "cost_center": dayone.Text("12")}
	r := b.do(b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: moved}))
	if len(r.Now.Attrs.Differ(moved)) > 0 || r.Now.Attrs.Text("first_name") != "Sarah" || r.Before.Attrs.Text("title") != "Sales Engineer" {
		t.Errorf("after she moved: %+v, before %+v", r.Now.Attrs, r.Before.Attrs)
	}
	b.do(b.role(dayone.EntitlementAdd, ref, "time sheets", "editor"))
	b.do(b.role(dayone.EntitlementRemove, ref, "news", "reader"))
	if got := b.only().Entitlements; len(got) != 1 || got[0] != "role:time sheets=editor" {
		t.Errorf("she has %v", got)
	}

	b.do(b.account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if got := b.only(); got.State != dayone.Disabled || b.sim.Sessions(ref) != 0 {
		t.Errorf("after she left: %+v, %d sessions", got, b.sim.Sessions(ref))
	}
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 2 || seen.Items[1].Role != "editor" || seen.Account().Attrs.Text("last_login") == "" {
		t.Errorf("seen is %+v, %v", seen, err)
	}
	b.do(b.role(dayone.EntitlementRemove, ref, "time sheets", "editor"))
	b.do(b.account(dayone.AccountDelete, ref, nil))
	if left := b.sim.Accounts(); len(left) != 0 {
		t.Errorf("there is still %+v", left)
	}
	if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("what is gone is seen as %+v, %v", seen, err)
	}
}

// What cannot be read is never gone: neither a kind, nor an account behind a proxy, nor one whose path has a slip in it.
func TestUnreadIsNotGone(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.join(sarah)
	b.do(b.role(dayone.EntitlementAdd, ref, "news", "reader"))
	b.sim.Door().Inject(sim.Fault{Path: "/api/users/" + ref + "/roles", Status: 503})
	if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Unread) != 1 || seen.Account() == nil {
		t.Errorf("it is seen as %+v, %v", seen, err)
	}
	b.sim.Door().Inject(sim.Fault{Path: "/api/users", Status: 404, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>no route</html>"})
	_, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	connectortest.Told(t, err, dayone.ErrUnavailable, "url")

	slip := b.reach(b.sim, nil, `get: {path: "/users/${id}"`, `get: {path: "/users/${id}x"`)
	connectortest.Told(t, slip.Check(t.Context()), dayone.ErrInvalid, "accounts.get", "would look gone")
	_, err = slip.Observe(t.Context(), dayone.Subject{Ref: ref}) // whether or not anybody has checked it
	connectortest.Told(t, err, dayone.ErrInvalid, "accounts.get")
	slip = b.reach(b.sim, nil, `query: {mail: "${value}"}`, `query: {mail: "x${value}"}`)
	connectortest.Told(t, slip.Check(t.Context()), dayone.ErrInvalid, "accounts.find.email")
	slip = b.reach(b.sim, nil, `list: {path: /users,`, `list: {path: /user,`)
	connectortest.Told(t, slip.Check(t.Context()), dayone.ErrUnavailable)
	slip = b.reach(b.sim, nil, `held: {path: "/users/${account}/roles"`, `held: {path: "/users/${account}x/roles"`)
	_, err = slip.Apply(t.Context(), b.role(dayone.EntitlementRemove, ref, "news", "reader"))
	connectortest.Told(t, err, dayone.ErrUnavailable, "held")
	slip = b.reach(b.sim, nil, `delete: {method: DELETE, path: "/users/${id}"}`, `delete: {method: DELETE, path: "/users/0${id}"}`)
	_, err = slip.Apply(t.Context(), b.account(dayone.AccountDelete, ref, nil))
	connectortest.Told(t, err, dayone.ErrInvalid, "accounts.delete")
	if b.only().Entitlements == nil {
		t.Error("something was taken by a call that finds nothing")
	}
	if err := b.guard.Check(t.Context()); err != nil {
		t.Errorf("the definition as it should be: %v", err)
	}
}

// A state that nobody has named is not taken for closed, and one that is only remembered is gone.
func TestStates(t *testing.T) {
	b := open(t, sim.Options{})
	ref := b.join(sarah)
	b.do(b.account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	unknown := b.reach(b.sim, nil, "disabled: LOCKED", "disabled: CLOSED")
	_, err := unknown.Observe(t.Context(), dayone.Subject{Ref: ref})
	connectortest.Told(t, err, dayone.ErrInvalid, `"LOCKED"`, "accounts.state")
	remembered := b.reach(b.sim, nil, "disabled: LOCKED", "disabled: CLOSED, gone: LOCKED")
	if seen, err := remembered.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("it is seen as %+v, %v", seen, err)
	}
	if err := remembered.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Lists come in four ways, and none is believed that shows something twice or ends too early.
func TestPaging(t *testing.T) {
	for way, with := range map[string]string{
		"page": "by: page, parameter: page, size: per_page, most: 3, total: /meta/total", "offset": "by: offset, parameter: offset", "link": "by: link",
		"cursor": "by: cursor, parameter: cursor, next: /meta/next",
	} {
		t.Run(way, func(t *testing.T) {
			b := open(t, sim.Options{Page: 3}, "by: page, parameter: page, size: per_page, most: 3, total: /meta/total", with)
			b.sim.PageBy(way)
			want := map[string]bool{}
			for i := range 8 {
				want[b.sim.Seed(sim.Account{Login: strings.Repeat("x", i+1)})] = true
			}
			for seen, err := range b.guard.List(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				delete(want, seen.Account().Ref)
			}
			if len(want) > 0 {
				t.Errorf("it misses %v", want)
			}
		})
	}
	t.Run("changes", func(t *testing.T) {
		b := open(t, sim.Options{})
		for i := range 5 {
			b.sim.Seed(sim.Account{Login: strings.Repeat("x", i+1)})
		}
		var last error
		n := 0
		for _, err := range b.guard.List(t.Context()) {
			if last = err; err != nil {
				break
			}
			if n++; n == 2 {
				b.sim.Seed(sim.Account{Login: "new"})
			}
		}
		connectortest.Told(t, last, dayone.ErrUnavailable, "changed")
	})
	t.Run("not as defined", func(t *testing.T) {
		b := open(t, sim.Options{}, "by: page, parameter: page, size: per_page, most: 2, total: /meta/total", "by: page, parameter: cursor")
		for i := range 5 {
			b.sim.Seed(sim.Account{Login: strings.Repeat("x", i+1)})
		}
		var last error
		for _, err := range b.guard.List(t.Context()) {
			last = err
		}
		connectortest.Told(t, last, dayone.ErrUnavailable, "twice", "paging")
	})
}

func TestCredentials(t *testing.T) {
	for _, kind := range []string{"bearer", "header", "basic", "oauth2", "oauth2 body"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := &bench{T: t, at: time.Now()}
			b.sim = restsim.New(sim.Options{Now: b.now})
			server := httptest.NewServer(b.sim)
			t.Cleanup(server.Close)
			with := func(change func(map[string]string)) *connector.Guard {
				settings := b.sim.Settings(server.URL)
				if kind != "bearer" {
					settings = b.sim.As(kind, server.URL)
				}
				if change != nil {
					change(settings)
				}
				g, err := connector.Open(rest.Factory, "intranet", b.now, connector.Options{Settings: settings, PerMinute: map[string]int{"default": 600_000}})
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			g := with(nil)
			if err := g.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(kind, "oauth2") {
				b.sim.EndTokens() // one that was revoked is fetched anew
				if err := g.Check(t.Context()); err != nil {
					t.Error(err)
				}
				b.at = b.at.Add(time.Hour) // and one that has ended
				if err := g.Check(t.Context()); err != nil {
					t.Error(err)
				}
				connectortest.Told(t, with(func(s map[string]string) { s["scope"] = "users" }).Check(t.Context()), dayone.ErrForbidden)
			}
			expired := with(func(s map[string]string) {
				for _, name := range []string{"token", "password", "client_secret"} {
					if s[name] != "" {
						s[name] += "-old"
					}
				}
			})
			err := expired.Check(t.Context())
			connectortest.Told(t, err, dayone.ErrAuth, "expired")
			if strings.Contains(err.Error(), "-old") {
				t.Errorf("%v holds a secret", err)
			}
		})
	}
	if _, err := connector.Open(rest.Factory, "x", time.Now, connector.Options{Settings: map[string]string{"url": "https://x.de", "definition": restsim.Definition, "auth": "basic", "user": "u"}}); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("basic without a password says %v", err)
	}
}

// What refusals mean, and what an administrator does about them.
func TestRefusals(t *testing.T) {
	b := open(t, sim.Options{Seats: 1})
	ref := b.join(sarah)
	_, err := b.guard.Apply(t.Context(), b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah.With(dayone.Attrs{
		"login": dayone.Text("tom"), "email": dayone.Text("tom@company.com"), "employee_number": dayone.Text("emp_1"),
	})}))
	connectortest.Told(t, err, dayone.ErrNoSeat, "NO_LICENCE", "buy licences")
	b.sim.Door().Inject(sim.Fault{Path: "/api/users", Status: 403, Body: `{"error":{"code":"SCOPE","message":"read only"}}`})
	_, err = b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	connectortest.Told(t, err, dayone.ErrForbidden, "SCOPE", "right", "Intranet")
	_, err = b.guard.Apply(t.Context(), b.account(dayone.AccountUpdate, ref, &dayone.Item{Ref: ref, Attrs: dayone.Attrs{"cost_center": dayone.Text("north")}}))
	connectortest.Told(t, err, dayone.ErrInvalid, "cost_center", "whole number")
	for _, evil := range []string{"..", "."} {
		_, err = b.guard.Observe(t.Context(), dayone.Subject{Ref: evil})
		connectortest.Told(t, err, dayone.ErrInvalid, "path")
	}
	if seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref + "/../" + ref}); err != nil || len(seen.Items) > 0 {
		t.Errorf("a path in an id reaches %+v, %v", seen, err)
	}
}

// What was just made is not shown at once; that is no reason to make it twice.
func TestLate(t *testing.T) {
	b := open(t, sim.Options{Lag: 2})
	a := b.account(dayone.AccountCreate, "", &dayone.Item{State: dayone.Active, Attrs: sarah})
	_, err := b.guard.Apply(t.Context(), a)
	connectortest.Told(t, err, dayone.ErrNotYet)
	for a.Attempt = 2; err != nil && a.Attempt < 9; a.Attempt++ {
		_, err = connectortest.Apply(t.Context(), b.guard, a)
	}
	if err != nil || b.only().State != dayone.Active {
		t.Errorf("at last it says %v", err)
	}
}

// A value is a value: it ends no text, opens no field and is no template.
func TestValuesStayValues(t *testing.T) {
	b := open(t, sim.Options{})
	odd := dayone.Attrs{"title": dayone.Text(`","status":"LOCKED","x":"`), "department": dayone.Text("${password} $$ {{.}}"), "last_name": dayone.Text("O'Neil\n\"\\\u2028")}
	ref := b.join(sarah.With(odd))
	seen, err := b.guard.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Account().Attrs.Differ(odd)) > 0 || seen.Account().State != dayone.Active {
		t.Errorf("it shows %+v, %v", seen, err)
	}
	if hers := b.only(); hers.Login != "sarah.chen" {
		t.Errorf("the intranet has %+v", hers)
	}
}

// The example of the documentation is the definition that the tests use.
func TestExample(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("example.md")
	if err != nil || !strings.Contains(string(raw), "```yaml\n"+restsim.Definition+"```\n") {
		t.Errorf("example.md does not hold sim/intranet.yaml: %v", err)
	}
}
