// Package connectortest is the suite that every connector passes, against its simulator or a real server. What it asserts
// is the contract: a connector's own test file begins at a dozen lines and adds what is peculiar to its vendor.
package connectortest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Suite describes a connector to be tested.
type Suite struct {
	Factory connector.Factory
	Sim     func(o sim.Options) sim.Simulator
	// Serve makes a simulator reachable that does not speak HTTP, and returns its base; nil: by HTTP.
	Serve func(t *testing.T, s sim.Simulator) string
	// Person is the account that is made; the suite fills in what it varies. Attribute names are the manifest's.
	Person dayone.Attrs
	// Grants are entitlements to give and take, one per kind at least; Role and Attrs as in a policy.
	Grants []dayone.Grant
	// Specification validates every request; nil: there is none (see Specification functions of this package).
	Specification func(t *testing.T) Validator
	// WriteProbe is method and path of the call that creates an account, for faults.
	CreateMethod, CreatePath string
	// ReadPath is the path prefix of reading accounts, for faults; "": CreatePath.
	ReadPath string
	// Skip names parts that do not apply here, with the reason: they are not run.
	Skip map[string]string
	// Elsewhere are parts that speak of HTTP, which this system does not: its own tests have them as they happen to it.
	Elsewhere []string
	// Variant says that another run of the suite in this package does every action, such as that of the dialect by the book.
	Variant bool
	// DoneBy are actions that the suite cannot do, each with the test of this package that does it by Try.
	DoneBy map[string]string

	tried *tried
}

const system = "target"

// bench is one simulator with a connector to it.
type bench struct {
	t     *testing.T
	s     Suite
	sim   sim.Simulator
	guard *connector.Guard
	man   *connector.Manifest
	now   func() time.Time
	ctx   context.Context
}

func (s Suite) setup(t *testing.T, change ...func(*sim.Options, map[string]string)) *bench {
	t.Helper()
	opt := sim.Options{Now: time.Now}
	for _, c := range change {
		c(&opt, map[string]string{})
	}
	simulator := s.Sim(opt)
	var base string
	var transport http.RoundTripper
	if s.Serve != nil {
		base = s.Serve(t, simulator)
	} else {
		server := httptest.NewServer(simulator)
		t.Cleanup(server.Close)
		base, transport = server.URL, server.Client().Transport
	}
	b := &bench{t: t, s: s, sim: simulator, now: time.Now}
	if s.Specification != nil {
		v := s.Specification(t)
		simulator.Door().Validate(v.Validate)
		t.Cleanup(func() {
			for _, err := range simulator.Door().Invalid() {
				t.Errorf("against the vendor's specification: %v", err)
			}
		})
	}
	settings := simulator.Settings(base)
	for _, c := range change {
		c(&sim.Options{}, settings)
	}
	g, err := connector.Open(s.Factory, system, time.Now, connector.Options{Settings: settings, Transport: transport, PerMinute: fast(s.Factory)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	b.guard, b.man, b.ctx = g, g.Manifest, ctx
	return b
}

// fast lifts the rate limits, which are not what is tested here.
func fast(f connector.Factory) map[string]int {
	m, err := connector.ParseManifest(f.Manifest)
	if err != nil {
		return nil
	}
	out := map[string]int{}
	for name := range m.Limits.Buckets {
		out[name] = 600_000
	}
	return out
}

// Run tests everything.
func Run(t *testing.T, s Suite) {
	t.Helper()
	m, err := connector.ParseManifest(s.Factory.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	s.tried = &tried{by: map[string]connector.Evidence{}, ran: map[string]bool{}}
	var parts []string
	part := func(name string, f func(*testing.T, Suite)) {
		if slices.Contains(s.Elsewhere, name) {
			return
		}
		if s.Skip[name] != "" {
			return
		}
		parts = append(parts, name)
		t.Run(name, func(t *testing.T) {
			s.tried.ran[name] = true
			t.Parallel()
			f(t, s)
		})
	}
	t.Cleanup(func() {
		if s.tried.whole(parts) {
			s.tried.compare(t, s, m)
		}
	})
	part("BadCredentials", badCredentials)
	part("Manifest", manifest)
	part("Cancel", cancelled)
	part("DryRun", dryRun)
	if m.Account != nil {
		part("JoinAndLeave", joinAndLeave)
		part("TwiceIsOnce", twiceIsOnce)
		part("Namesake", namesake)
		if slices.Contains(m.Account.Match, "employee_number") {
			part("EmployeeNumberBinds", employeeNumberBinds)
		}
		part("ErrorKinds", errorKinds)
		part("CutAnswer", cutAnswer)
		part("List", list)
		if m.Account.Attributes["first_name"].From != "" {
			part("Names", names)
		}
		part("NoSecrets", noSecrets)
		part("ObserveNothing", observeNothing)
	}
	if len(s.Grants) > 0 {
		part("Catalogue", catalogue)
		part("GiveAndTake", giveAndTake)
	}
}

// act makes an act on an account.
func (b *bench) act(action dayone.Action, want *dayone.Item, ref string) dayone.Act {
	a := dayone.Act{
		Once: "0123456789abcdef", Action: action, Key: dayone.Key{System: system, Kind: dayone.AccountKindName}, Want: want,
		Subject: dayone.Subject{Ref: ref}, Since: b.now(), Attempt: 1,
	}
	if want != nil {
		want.Key = a.Key
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range b.man.Account.Match {
			if want != nil {
				a.Subject.Keys[k] = want.Attrs.Text(k)
			}
		}
	}
	a.Secrets = secretsOf(b.man.Account.Attributes)
	return a
}

// secretsOf are secrets as the engine makes them for a step; those of kinds that their system makes are none of ours.
func secretsOf(as map[string]connector.Attribute) map[string]dayone.Secret {
	var out map[string]dayone.Secret
	for name, at := range as {
		if at.Secret == "" || at.Secret == "vendor" {
			continue
		}
		if out == nil {
			out = map[string]dayone.Secret{}
		}
		out[name] = dayone.NewSecret("Secret-passw0rd!" + name)
	}
	return out
}

func (b *bench) system() dayone.System { return b.man.System(system) }

// opening is the state in which accounts are made, and open the one in which they work.
func (b *bench) opening() dayone.State { return b.system().As(dayone.Staged) }

func (b *bench) has(action string) bool { return slices.Contains(b.man.Account.Actions, action) }

func (b *bench) apply(a dayone.Act) dayone.Result {
	b.t.Helper()
	r, err := b.try(a)
	if err != nil {
		b.t.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

// try calls as the engine would: again, while the system has not caught up with itself.
func (b *bench) try(a dayone.Act) (dayone.Result, error) {
	began := arrived(b.sim)
	for {
		r, err := Apply(b.ctx, b.guard, a)
		if err != nil && errors.Is(err, dayone.ErrNotYet) && a.Attempt < 30 {
			a.Attempt++
			a.Fresh = false
			continue
		}
		if err == nil && r.Changed() { // what was so already proves nothing
			b.s.tried.saw(a, evidence(b.sim, r, began))
		}
		return r, err
	}
}

func (b *bench) join(state dayone.State) dayone.Result {
	b.t.Helper()
	return b.apply(b.act(dayone.AccountCreate, &dayone.Item{State: state, Attrs: b.s.Person.Clone()}, ""))
}

// Apply does one step as the engine does, whose books call every account nobody's: one that the connector shows in the way,
// and that is the subject's all the same, is taken up by its id.
func Apply(ctx context.Context, g *connector.Guard, a dayone.Act) (dayone.Result, error) {
	r, err := g.Apply(ctx, a)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil || !a.Hers(*f.Found) {
		return r, err
	}
	a.Subject = dayone.Subject{Ref: f.Found.Ref}
	return g.Apply(ctx, a)
}

// mine is the account of the suite's person in the simulator itself.
func (b *bench) mine() *sim.Account {
	for _, a := range b.sim.Accounts() {
		if strings.EqualFold(a.Login, b.login()) || (a.Email != "" && strings.EqualFold(a.Email, b.s.Person.Text("email"))) {
			return &a
		}
	}
	return nil
}

func (b *bench) login() string {
	return cmp.Or(b.s.Person.Text("login"), b.s.Person.Text("user_name"), b.s.Person.Text("email"))
}

func badCredentials(t *testing.T, s Suite) {
	b := s.setup(t, func(_ *sim.Options, settings map[string]string) {
		m, _ := connector.ParseManifest(s.Factory.Manifest)
		for name := range settings {
			if m.Settings[name].Type == "secret" {
				settings[name] = wrong(settings[name])
			}
		}
	})
	err := b.guard.Check(b.ctx)
	if !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("Check with wrong credentials says %v, want %v", err, dayone.ErrAuth)
	}
	good := s.setup(t)
	if err := good.guard.Check(good.ctx); err != nil {
		t.Errorf("Check with good credentials says %v", err)
	}
}

// wrong keeps a key's shape where that is what has to be parsed: a PEM block stays one, and in a JSON object all is wrong but
// addresses.
func wrong(v string) string {
	if strings.HasPrefix(v, "-----BEGIN") {
		return v
	}
	var object map[string]string
	if json.Unmarshal([]byte(v), &object) != nil {
		return "wrong-" + v
	}
	for name, text := range object {
		if !strings.HasPrefix(text, "http") {
			object[name] = wrong(text)
		}
	}
	b, _ := json.Marshal(object) // a map of texts always encodes
	return string(b)
}

func manifest(t *testing.T, s Suite) {
	m, err := connector.ParseManifest(s.Factory.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if m.Title == "" || m.Summary == "" || m.Docs == "" {
		t.Error("title, summary and docs are what the generated page is made of")
	}
	if m.Account != nil {
		for name := range s.Person {
			if _, ok := m.Account.Attributes[name]; !ok {
				t.Errorf("the suite's person has %q, which the manifest does not list", name)
			}
		}
		for name, a := range m.Account.Attributes {
			if a.Required && a.From == "" && a.Secret == "" {
				t.Errorf("attribute %s is required but nothing fills it by default", name)
			}
		}
	}
	exercised := map[string]bool{}
	for _, g := range s.Grants {
		exercised[g.Key.Kind] = true
	}
	for name, k := range m.Kinds {
		if !exercised[name] && len(k.Actions) > 0 {
			t.Errorf("kind %s is in the manifest but the suite gives none of it", name)
		}
	}
}

func cancelled(t *testing.T, s Suite) {
	b := s.setup(t, func(o *sim.Options, _ map[string]string) { o.Latency = 10 * time.Second })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.guard.Check(ctx) }()
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a cancelled call says nothing went wrong")
		}
	case <-time.After(5 * time.Second):
		t.Error("a cancelled call goes on")
	}
}

func dryRun(t *testing.T, s Suite) {
	b := s.setup(t)
	g, err := connector.Open(s.Factory, system, time.Now, connector.Options{Settings: b.sim.Settings("http://127.0.0.1:1"), DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Apply(b.ctx, dayone.Act{Action: dayone.AccountCreate, Key: dayone.Key{System: system, Kind: dayone.AccountKindName}})
	if !errors.Is(err, dayone.ErrDryRun) {
		t.Errorf("a dry run says %v", err)
	}
}

// joinAndLeave walks an account through its life: staged, opened, changed, closed, opened again, deleted.
func joinAndLeave(t *testing.T, s Suite) {
	b := s.setup(t)
	r := b.join(b.opening())
	if r.Before != nil {
		t.Errorf("a new account has a state from before: %+v", r.Before)
	}
	if r.Now == nil || r.Now.Ref == "" {
		t.Fatal("the answer names no account")
	}
	ref := r.Now.Ref
	b.shows(b.opening())
	seen, err := b.guard.Observe(b.ctx, dayone.Subject{Ref: ref})
	if err != nil {
		t.Fatal(err)
	}
	if a := seen.Account(); a == nil || a.Ref != ref {
		t.Fatalf("Observe shows %+v", seen.Items)
	}
	for name, v := range b.s.Person {
		if at := b.man.Account.Attributes[name]; at.Secret != "" {
			continue
		}
		if got, shown := seen.Account().Attrs[name]; shown && got != v && !strings.EqualFold(got.Text, v.Text) {
			t.Errorf("%s reads back as %q, want %q", name, got, v)
		}
	}
	step := func(action dayone.Action, to dayone.State) {
		t.Helper()
		a := b.act(action, &dayone.Item{State: to, Ref: ref}, ref)
		if got := b.apply(a); got.Now == nil || !(got.Now.State == to || to == dayone.Active && got.Now.State == dayone.Pending) {
			t.Fatalf("after %s it is %+v", action, got.Now)
		}
		b.shows(to)
		if again := b.apply(a); again.Changed() {
			t.Errorf("%s twice changes twice: %+v -> %+v", action, again.Before, again.Now)
		}
	}
	if b.opening() != dayone.Active && b.has("enable") {
		step(dayone.AccountEnable, dayone.Active)
	}
	if b.has("update") {
		changed := dayone.Attrs{}
		for _, name := range []string{"title", "department", "last_name"} {
			if at, ok := b.man.Account.Attributes[name]; ok && !at.ReadOnly && b.s.Person.Text(name) != "" {
				changed[name] = dayone.Text("Zweite Ärztin")
				break
			}
		}
		if len(changed) > 0 {
			r := b.apply(b.act(dayone.AccountUpdate, &dayone.Item{Ref: ref, Attrs: changed}, ref))
			if len(r.Now.Attrs.Differ(changed)) > 0 {
				t.Errorf("after the update it shows %v, want %v", r.Now.Attrs, changed)
			}
			if r.Before == nil || len(r.Before.Attrs.Differ(changed)) == 0 {
				t.Error("the update does not tell the state from before")
			}
		}
	}
	if off := b.system().As(dayone.Disabled); b.has("disable") && off != dayone.Gone {
		step(dayone.AccountDisable, off)
		if b.has("enable") {
			step(dayone.AccountEnable, dayone.Active)
			step(dayone.AccountDisable, off)
		}
	}
	if b.has("delete") {
		r := b.apply(b.act(dayone.AccountDelete, nil, ref))
		if r.Now != nil {
			t.Errorf("after the delete there is %+v", r.Now)
		}
		if m := b.mine(); m != nil && m.State != dayone.Disabled {
			t.Errorf("after the delete the simulator has %+v", m)
		}
		b.apply(b.act(dayone.AccountDelete, nil, ref)) // gone is gone
	}
}

func (b *bench) shows(want dayone.State) {
	b.t.Helper()
	m := b.mine()
	switch {
	case m == nil:
		b.t.Fatalf("the simulator has no such account; it has %v", b.sim.Accounts())
	case m.State != want && !(want == dayone.Active && m.State == dayone.Pending):
		b.t.Errorf("the simulator shows it as %s, want %s", m.State, want)
	}
}

func twiceIsOnce(t *testing.T, s Suite) {
	b := s.setup(t)
	first := b.join(b.opening())
	before := len(b.sim.Accounts())
	again := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	if !slices.Contains(b.man.Account.Match, "employee_number") {
		again.Subject.Recorded = first.Now.Created.Add(-time.Second) // else nothing tells that it is hers
	}
	second := b.apply(again)
	if first.Now.Ref != second.Now.Ref {
		t.Errorf("the second create made %s beside %s", second.Now.Ref, first.Now.Ref)
	}
	if got := len(b.sim.Accounts()); got != before {
		t.Errorf("the second create left %d accounts, want %d", got, before)
	}
	if second.Before == nil {
		t.Error("the second create claims that nothing was there before")
	}
}

// namesake: an account of the same login or mail that is somebody else's, or nobody's, is never taken over.
func namesake(t *testing.T, s Suite) {
	for name, number := range map[string]string{"of another employee": "E-other", "of nobody": ""} {
		t.Run(name, func(t *testing.T) {
			b := s.setup(t)
			b.sim.Seed(sim.Account{Login: b.login(), Email: b.s.Person.Text("email"), EmployeeNumber: number, State: dayone.Active, Created: time.Now().Add(-48 * time.Hour)})
			before := fmt.Sprint(b.sim.Accounts())
			_, err := b.try(b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, ""))
			if !errors.Is(err, dayone.ErrConflict) {
				t.Fatalf("create says %v, want a conflict", err)
			}
			var f *dayone.Fault
			if errors.As(err, &f) && f.Found == nil {
				t.Error("the conflict does not show the account that is in the way")
			}
			if after := fmt.Sprint(b.sim.Accounts()); after != before {
				t.Errorf("the other account was changed:\n%s\n%s", before, after)
			}
		})
	}
}

// employeeNumberBinds: an account that carries the employee number is taken up, whatever its name. The connector only shows
// it; that it is nobody else's in the books is for the engine to say.
func employeeNumberBinds(t *testing.T, s Suite) {
	b := s.setup(t)
	ref := b.sim.Seed(sim.Account{Login: "older." + b.login(), Email: "older." + b.s.Person.Text("email"), EmployeeNumber: b.s.Person.Text("employee_number"), State: dayone.Active})
	a := b.act(dayone.AccountCreate, &dayone.Item{State: dayone.Active, Attrs: dayone.Attrs{"employee_number": b.s.Person["employee_number"]}}, "")
	before := fmt.Sprint(b.sim.Accounts())
	_, err := b.guard.Apply(b.ctx, a)
	var f *dayone.Fault
	if !errors.Is(err, dayone.ErrConflict) || !errors.As(err, &f) || f.Found == nil || f.Found.Ref != ref {
		t.Errorf("create says %v, want a conflict that shows %s", err, ref)
	}
	if after := fmt.Sprint(b.sim.Accounts()); after != before {
		t.Errorf("before anybody said whose it is it was changed:\n%s\n%s", before, after)
	}
	r := b.apply(a)
	if r.Now.Ref != ref {
		t.Errorf("the account %s was not taken up; there is %s", ref, r.Now.Ref)
	}
	if r.Before == nil {
		t.Error("an adopted account claims that nothing was there before")
	}
}

func errorKinds(t *testing.T, s Suite) {
	for _, c := range []struct {
		name string
		f    sim.Fault
		want error
	}{
		{"503", sim.Fault{Status: 503, Body: "<html>busy</html>"}, dayone.ErrUnavailable},
		{"502", sim.Fault{Status: 502, Body: "<html>bad gateway</html>"}, dayone.ErrUnavailable},
		{"429", sim.Fault{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{}`}, dayone.ErrThrottled},
		{"dropped", sim.Fault{Drop: true, Times: -1}, dayone.ErrUnavailable},
		{"no JSON", sim.Fault{Status: 200, Body: `{"truncated": `}, dayone.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := s.setup(t)
			b.sim.Door().Validate(nil)
			c.f.Path = cmp.Or(s.ReadPath, s.CreatePath)
			b.sim.Door().Inject(c.f)
			began := time.Now()
			_, err := b.guard.Apply(b.ctx, b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, ""))
			if !errors.Is(err, c.want) {
				t.Errorf("says %v, want %v", err, c.want)
			}
			if time.Since(began) > 3*time.Second {
				t.Error("a connector must not sleep or retry")
			}
			var f *dayone.Fault
			if !errors.As(err, &f) || f.System != system {
				t.Errorf("the error does not name the system: %v", err)
			}
			if c.name == "429" && (f == nil || f.RetryAt.Sub(began) < 6*time.Second) {
				t.Errorf("Retry-After is not honoured: %v", f)
			}
		})
	}
}

// cutAnswer: the call is carried out, its answer is lost, and the retry finds what was made.
func cutAnswer(t *testing.T, s Suite) {
	b := s.setup(t)
	a := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	b.sim.Door().Inject(sim.Fault{Method: s.CreateMethod, Path: s.CreatePath, Cut: true})
	if _, err := b.guard.Apply(b.ctx, a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Fatalf("a cut answer says %v", err)
	}
	before := len(b.sim.Accounts())
	if before == 0 || b.mine() == nil {
		t.Fatal("the simulator did not carry the call out; is CreatePath right?")
	}
	a.Attempt = 2
	r, err := b.try(a)
	if err != nil {
		t.Fatalf("the retry says %v", err)
	}
	if r.Now == nil || r.Now.Ref != b.mine().Ref {
		t.Errorf("the retry found %+v", r.Now)
	}
	if got := len(b.sim.Accounts()); got != before {
		t.Errorf("%d accounts after the retry, want %d", got, before)
	}
}

// list streams every account over several pages.
func list(t *testing.T, s Suite) {
	b := s.setup(t)
	want := map[string]bool{}
	for i := range 7 {
		want[b.sim.Seed(sim.Account{Login: fmt.Sprintf("p%d.%s", i, b.login()), Email: fmt.Sprintf("p%d.%s", i, b.s.Person.Text("email")), EmployeeNumber: fmt.Sprintf("E-%d", i), State: dayone.Active})] = true
	}
	for seen, err := range b.guard.List(b.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if a := seen.Account(); a != nil {
			delete(want, a.Ref)
		}
	}
	if len(want) > 0 {
		t.Errorf("List misses %v", want)
	}
	n := 0
	for range b.guard.List(b.ctx) { // a reader may stop early
		if n++; n == 2 {
			break
		}
	}
}

// names: letters of every script, and a name far longer than you like.
func names(t *testing.T, s Suite) {
	for i, c := range []struct{ first, last string }{
		{"Zoë", "Łukasiewicz-Ørsted"},
		{"美咲", "山田"},
		{"نور", "الزهراني"},
		{`Ann "Bob" \O'Neil`, "${okta.account.ref} & <b>Sons</b>"},
		{strings.Repeat("Maximiliane", 2), strings.Repeat("Wolfeschlegelstein", 2)},
	} {
		b := s.setup(t)
		p := b.s.Person.Clone()
		for name, v := range p {
			switch name {
			case "first_name":
				p[name] = dayone.Text(c.first)
			case "last_name":
				p[name] = dayone.Text(c.last)
			case "name", "display_name":
				p[name] = dayone.Text(c.first + " " + c.last)
			default:
				_ = v
			}
		}
		r, err := b.try(b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: p}, ""))
		if err != nil {
			t.Errorf("%s %s: %v", c.first, c.last, err)
			continue
		}
		seen, err := b.guard.Observe(b.ctx, dayone.Subject{Ref: r.Now.Ref})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"first_name", "last_name", "name", "display_name"} {
			got, shown := seen.Account().Attrs[name]
			if w, asked := p[name]; shown && asked && got != w {
				t.Errorf("case %d: %s reads back as %q, want %q", i, name, got, w)
			}
		}
	}
}

// noSecrets: whatever goes wrong, no error holds a token or a password.
func noSecrets(t *testing.T, s Suite) {
	b := s.setup(t)
	b.sim.Door().Validate(nil)
	a := b.act(dayone.AccountCreate, &dayone.Item{State: b.opening(), Attrs: b.s.Person.Clone()}, "")
	var secrets []string
	settings := b.sim.Settings("http://x.invalid")
	for name, st := range b.man.Settings {
		if st.Type == "secret" && settings[name] != "" {
			secrets = append(secrets, settings[name])
		}
	}
	for _, s := range a.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	echo := fmt.Sprintf(`{"errorCode":"E1","message":%q,"detail":%q,"error":%q}`, strings.Join(secrets, " "), strings.Join(secrets, " "), strings.Join(secrets, " "))
	for _, status := range []int{400, 401, 403, 409, 500} {
		b.sim.Door().Inject(sim.Fault{Path: cmp.Or(s.ReadPath, s.CreatePath), Status: status, Body: echo})
		_, err := b.guard.Apply(b.ctx, a)
		b.sim.Door().Heal()
		if err == nil {
			continue
		}
		for _, sec := range secrets {
			if strings.Contains(err.Error(), sec) || strings.Contains(fmt.Sprintf("%+v", err), sec) {
				t.Errorf("status %d: the error holds a secret", status)
			}
		}
	}
}

func observeNothing(t *testing.T, s Suite) {
	b := s.setup(t)
	keys := map[string]string{}
	for _, k := range b.man.Account.Match {
		keys[k] = b.s.Person.Text(k)
	}
	seen, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: keys})
	if err != nil || len(seen.Items) > 0 {
		t.Errorf("nothing is seen as %+v, %v", seen, err)
	}
	b.sim.Door().Validate(nil)
	b.sim.Door().Inject(sim.Fault{Path: cmp.Or(s.ReadPath, s.CreatePath), Status: 503, Times: -1})
	if _, err := b.guard.Observe(b.ctx, dayone.Subject{Keys: keys}); err == nil {
		t.Error("what cannot be read is seen as nothing")
	}
}

func catalogue(t *testing.T, s Suite) {
	b := s.setup(t)
	have := map[string]string{}
	for o, err := range b.guard.Catalogue(b.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Ref == "" || o.Key.System != system {
			t.Errorf("offer %+v has no id or no system", o)
		}
		have[o.Key.Kind+":"+o.Key.Name] = o.Ref
	}
	for _, g := range s.Grants {
		if b.man.Kinds[g.Key.Kind].Catalogue && have[g.Key.Kind+":"+g.Key.Name] == "" {
			t.Errorf("the catalogue misses %s:%s; it has %v", g.Key.Kind, g.Key.Name, have)
		}
	}
}

// giveAndTake gives every grant, twice; then takes it, twice. The simulator itself is asked, not the connector.
func giveAndTake(t *testing.T, s Suite) {
	b := s.setup(t)
	account := ""
	if b.man.Account != nil {
		account = b.join(dayone.Active).Now.Ref
	}
	for _, g := range s.Grants {
		kind := b.man.Kinds[g.Key.Kind]
		key := dayone.Key{System: system, Kind: g.Key.Kind, Name: g.Key.Name}
		a := dayone.Act{
			Once: "fedcba9876543210", Action: dayone.EntitlementAdd, Key: key, Account: account, Attempt: 1, Since: b.now(),
			Want: &dayone.Item{Key: key, State: dayone.Active, Role: g.Role, Attrs: g.Attrs}, Secrets: secretsOf(kind.Attributes),
		}
		sends := slices.Contains(kind.Actions, "send")
		if sends {
			a.Action = dayone.MessageSend
		}
		first := b.apply(a)
		if first.Now == nil {
			t.Errorf("%s: nothing is there after it was given", key)
			continue
		}
		if first.Wait != nil && first.Wait.Kind == dayone.WaitTask {
			continue // the rest is a human's
		}
		label := g.Key.Kind
		if g.Key.Name != "" {
			label += ":" + g.Key.Name
		}
		if g.Role != "" {
			label += "=" + g.Role
		}
		if m := b.mine(); m != nil && !sends && !slices.Contains(m.Entitlements, label) {
			t.Errorf("the simulator shows %v, not %s", m.Entitlements, label)
		}
		if sends { // what the books know is not sent twice; that of a lost answer may be
			a.Have = first.Now
		} else if again := b.apply(a); again.Changed() {
			t.Errorf("%s given twice changes twice: %+v -> %+v", key, again.Before, again.Now)
		}
		if !slices.Contains(kind.Actions, "remove") {
			continue
		}
		a.Action, a.Have, a.Want = dayone.EntitlementRemove, first.Now, nil
		gone := b.apply(a)
		if gone.Now != nil {
			t.Errorf("%s: there is still %+v", key, gone.Now)
		}
		if gone.Before == nil {
			t.Errorf("%s: the removal does not tell what was there", key)
		}
		if m := b.mine(); m != nil && slices.Contains(m.Entitlements, label) {
			t.Errorf("after the removal the simulator shows %v", m.Entitlements)
		}
		if sends { // a cancellation cannot be seen either
			continue
		}
		if again := b.apply(a); again.Changed() {
			t.Errorf("%s taken twice changes twice", key)
		}
	}
}
