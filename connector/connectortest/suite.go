// Package connectortest is the suite that every connector passes, against its simulator or a real server. What it asserts
// is the contract: a connector's own test file begins at a dozen lines and adds what is peculiar to its vendor.
package connectortest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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
		if size, ok := strings.CutPrefix(at.Secret, "digits:"); ok { // what is typed on a telephone has nothing else
			n, err := strconv.Atoi(size)
			if err != nil {
				n = 8
			}
			out[name] = dayone.NewSecret(strings.Repeat("5820394716", n/10+1)[:n])
		}
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
