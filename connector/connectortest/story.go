package connectortest

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Story is a simulator with a connector to it, on a clock that stands still until it is moved: for what is peculiar to a
// vendor, beside the suite.
type Story[S sim.Simulator] struct {
	*testing.T
	Sim   S
	Guard *connector.Guard

	mu sync.Mutex
	at time.Time
}

// Stage is how a story begins.
type Stage[S sim.Simulator] struct {
	Factory connector.Factory
	System  string // as it is configured
	New     func(sim.Options) S
	Options sim.Options
	// Specification judges every request; nil: there is none.
	Specification func(t *testing.T) Validator
	// Settings over those of the simulator: name, value, name, value.
	Settings []string
	// Beside finds other systems, which the settings name.
	Beside func(system string) *connector.Guard
	// Observe hears how each call of the connector ended; nil: nobody does.
	Observe func(system, op string, took time.Duration, err error)
}

// Begin opens one, beside all others.
func Begin[S sim.Simulator](t *testing.T, g Stage[S]) *Story[S] {
	t.Helper()
	t.Parallel()
	s := &Story[S]{T: t, at: time.Now()}
	g.Options.Now = s.Now
	s.Sim = g.New(g.Options)
	server := httptest.NewServer(s.Sim)
	t.Cleanup(server.Close)
	if g.Specification != nil {
		s.Sim.Door().Validate(g.Specification(t).Validate)
		t.Cleanup(func() {
			for _, err := range s.Sim.Door().Invalid() {
				t.Errorf("against the vendor's specification: %v", err)
			}
		})
	}
	all := s.Sim.Settings(server.URL)
	for i := 0; i < len(g.Settings); i += 2 {
		all[g.Settings[i]] = g.Settings[i+1]
	}
	var err error
	if s.Guard, err = connector.Open(g.Factory, g.System, s.Now, connector.Options{Settings: all, PerMinute: fast(g.Factory), Observe: g.Observe, Beside: g.Beside}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Now is the story's time.
func (s *Story[S]) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// Later lets time pass.
func (s *Story[S]) Later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

// Do does one step as the engine would, and it has to go well.
func (s *Story[S]) Do(a dayone.Act) dayone.Result {
	s.Helper()
	r, err := Apply(s.Context(), s.Guard, a)
	if err != nil {
		s.Fatalf("%s %s: %v", a.Action, a.Key, err)
	}
	return r
}

// Account is an act on an account: by its id, or by what somebody is recognised by.
func (s *Story[S]) Account(action dayone.Action, ref string, want *dayone.Item, secrets map[string]dayone.Secret) dayone.Act {
	a := dayone.Act{
		Action: action, Key: dayone.Key{System: s.Guard.System, Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref}, Want: want, Attempt: 1, Since: s.Now(),
		Secrets: secrets,
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{}
		for _, k := range s.Guard.Manifest.Account.Match {
			a.Subject.Keys[k] = want.Attrs.Text(k)
		}
	}
	return a
}

// Refused says that an error is a system's, of a kind, and tells what is to be done.
func Refused(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	var f *dayone.Fault
	if err != nil && !errors.As(err, &f) {
		t.Errorf("%v is no fault of a system", err)
	}
	Told(t, err, kind, words...)
}

// Told says that an error, of a system or of its settings, is of a kind and tells what is to be done.
func Told(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("says %v, want %v", err, kind)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
