// Package enginetest is the suite that every driver of the run machine passes on every database: stories told through what
// a driver can do and what the books say afterwards. It must not know how a driver works, so that a new one finds here what
// it has to hold.
package enginetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// Driver carries runs out.
type Driver interface {
	// Start returns nil when the run is durable.
	Start(ctx context.Context, r dayone.Run) error
	Decide(ctx context.Context, run dayone.RunID, step dayone.StepID, h engine.Human) error
}

// Books are what a driver keeps, wherever it works.
type Books interface {
	engine.Store
	Holdings(ctx context.Context, person dayone.PersonID, gone bool) ([]dayone.Holding, error)
	// Said is what the ledger says of a run, the first first.
	Said(ctx context.Context, run dayone.RunID) ([]string, error)
}

// Setup is what a driver works with.
type Setup struct {
	Systems map[string]*System
	Clock   engine.Clock // nil: the system's
}

// Lab is an empty database, and drivers that work on it, one after the other.
type Lab struct {
	Books Books
	// Begin starts a driver. stop ends its process: calls under way are not waited for, and nothing is stored any more. over
	// tells why it ended by itself.
	Begin func(t testing.TB, s Setup) (d Driver, stop func(), over <-chan error)
}

// System is a system made of functions.
type System struct {
	Do    func(ctx context.Context, a dayone.Act) (dayone.Result, error) // nil: Done
	Most  int                                                            // calls at once; 0: many
	Opens func() time.Time

	busy, peak, calls atomic.Int64
}

// Apply counts, and does.
func (s *System) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	s.calls.Add(1)
	n := s.busy.Add(1)
	defer s.busy.Add(-1)
	for old := s.peak.Load(); n > old && !s.peak.CompareAndSwap(old, n); old = s.peak.Load() {
	}
	if s.Do != nil {
		return s.Do(ctx, a)
	}
	return Done(a), nil
}

// Width is how many calls it takes at once.
func (s *System) Width() int {
	if s.Most == 0 {
		return 1000
	}
	return s.Most
}

// Open is when it takes the next one.
func (s *System) Open() time.Time {
	if s.Opens == nil {
		return time.Time{}
	}
	return s.Opens()
}

// Done is the answer of a system that did what it was asked to.
func Done(a dayone.Act) dayone.Result {
	r := dayone.Result{Before: a.Have}
	if a.Want != nil {
		now := *a.Want
		now.Ref = "ref-" + a.Key.String()
		r.Now = &now
	}
	return r
}

// Step makes an account, or adds an entitlement, after others.
func Step(id string, needs ...string) dayone.Step {
	k, err := dayone.ParseKey(id)
	if err != nil {
		panic(err)
	}
	s := dayone.Step{ID: dayone.StepID(id), Key: k, Action: dayone.EntitlementAdd, Want: &dayone.Item{Key: k, State: dayone.Active}, Once: "once-" + id, Undo: dayone.UndoRestore, Critical: dayone.Stop}
	if k.IsAccount() {
		s.Action = dayone.AccountCreate
	}
	for _, n := range needs {
		s.Needs = append(s.Needs, dayone.Need{Step: dayone.StepID(n)})
	}
	return s
}

// ARun is a run of somebody of her own.
func ARun(id string, steps ...dayone.Step) dayone.Run {
	p := dayone.Plan{Person: dayone.PersonID("per_" + id), Steps: steps}
	return dayone.Run{ID: dayone.RunID("run_" + id), Person: p.Person, Plan: p, Hash: p.Hash()}
}

// bench is a lab with a driver at work.
type bench struct {
	t testing.TB
	Lab
	Driver
	stop func()
	over <-chan error
}

func (l Lab) begin(t testing.TB, s Setup) *bench {
	t.Helper()
	b := &bench{t: t, Lab: l}
	var stop func()
	b.Driver, stop, b.over = l.Begin(t, s)
	b.stop = sync.OnceFunc(stop)
	t.Cleanup(b.stop)
	return b
}

func (l Lab) with(t testing.TB, systems map[string]*System) *bench {
	t.Helper()
	return l.begin(t, Setup{Systems: systems})
}

func (b *bench) starts(r dayone.Run) {
	b.t.Helper()
	if err := b.Start(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
}

// until reads a run again and again, as whoever looks into the books does.
func (b *bench) until(id dayone.RunID, what string, is func(dayone.Run) bool) dayone.Run {
	b.t.Helper()
	end, again := time.NewTimer(20*time.Second), time.NewTicker(time.Millisecond)
	defer end.Stop()
	defer again.Stop()
	for {
		r, err := b.Books.Run(context.Background(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if is(r) {
			return r
		}
		select {
		case <-again.C:
		case <-end.C:
			b.t.Fatalf("run %s is not %s but %s: %+v", id, what, r.State, r.Steps)
		}
	}
}

// rests waits until nothing moves in a run by itself.
func (b *bench) rests(id dayone.RunID) dayone.Run {
	b.t.Helper()
	return b.until(id, "at rest", func(r dayone.Run) bool { return r.State.Over() || r.State == dayone.RunWaiting })
}

func (b *bench) is(id dayone.RunID, want dayone.RunState) dayone.Run {
	b.t.Helper()
	return b.until(id, string(want), func(r dayone.Run) bool { return r.State == want })
}

// stillWorks fails unless the driver carries out a run of somebody else.
func (b *bench) stillWorks(system string) {
	b.t.Helper()
	id := "bystander-" + system
	b.starts(ARun(id, Step(system+"/group:x")))
	if r := b.rests(dayone.RunID("run_" + id)); r.State != dayone.RunDone {
		b.t.Errorf("somebody else's run is %s: %s", r.State, r.Steps[0].Error)
	}
}

// binds makes an account somebody's in the books.
func (l Lab) binds(t testing.TB, person dayone.PersonID, key, ref string) {
	t.Helper()
	k, err := dayone.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	r := dayone.Run{ID: dayone.RunID("run_of_" + person), Person: person, State: dayone.RunDone}
	if err := l.Books.Commit(t.Context(), []dayone.Progress{{Run: r, New: true, Holdings: []dayone.Holding{{Item: dayone.Item{Key: k, Ref: ref, State: dayone.Active}}}}}); err != nil {
		t.Fatal(err)
	}
}

// Run tells every story on a lab of its own.
func Run(t *testing.T, lab func(t *testing.T) Lab) {
	for _, s := range []struct {
		name string
		tell func(*testing.T, Lab)
	}{
		{"a run is carried out, with its retries", carriedOut},
		{"one run a person at a time", oneRunAPerson},
		{"a call that was under way is called again", resumes},
		{"what waits, waits on after a restart", waitsOn},
		{"a system is asked for no more than it takes", widthAndLocks},
		{"a used up limit parks its own steps only", limitParks},
		{"a broken connector harms only itself", brokenConnector},
		{"a start that fails frees others", startFails},
		{"an old run is not taken up again", oldRun},
		{"a namesake made after the hire is hers", namesake},
		{"whose an account is the books say", whose},
		{"no task is completed with somebody else's account", taskOfOthers},
		{"one account handed out twice is bound once", handedOutTwice},
		{"a run of a newer machine is not touched", newerMachine},
		{"a clock that jumps ahead wakes what is due", clockAhead},
		{"a clock that is set back loses nothing", clockBack},
		{"many runs end though the process dies again and again", diesAgainAndAgain},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(t, lab(t))
		})
	}
}

func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func states(r dayone.Run) string {
	out := string(r.State)
	for _, s := range r.Steps {
		out += fmt.Sprintf(" %s", s.State)
	}
	return out
}

// settable is a clock that somebody sets, ahead and back, and that stands still otherwise.
type settable struct {
	mu      sync.Mutex
	at      time.Time
	waiting map[chan struct{}]time.Time
}

func newSettable(at time.Time) *settable {
	return &settable{at: at, waiting: map[chan struct{}]time.Time{}}
}

// Now is what it was set to.
func (c *settable) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// After closes the channel once it is set to t or later.
func (c *settable) After(t time.Time) (<-chan struct{}, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan struct{})
	if !t.After(c.at) {
		close(ch)
		return ch, func() {}
	}
	c.waiting[ch] = t
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, ch)
	}
}

func (c *settable) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = to
	for ch, at := range c.waiting {
		if !at.After(to) {
			delete(c.waiting, ch)
			close(ch)
		}
	}
}
