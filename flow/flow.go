// Package flow is the use-case layer: READ THIS FIRST. One story: a source says something (receive.go), it is looked at in
// its turn (intake.go) and becomes a person's timeline (process.go), policies say what she is to have and the planner says
// what is missing (look.go), the engine brings it about (replan.go), and at each instant at which that can change she is looked
// at again (Run). Every other file is one thing that somebody does, or asks.
//
// Web, command line and tests call flow and nothing below it; nobody else strings packages together. Flow must not talk
// to a vendor by itself, hold state that a restart would lose, or decide what policies and planner decide.
package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// Source is a configured source.
type Source struct {
	connector.Source
	// StaleAfter is how much time of working days may pass without a word of it; zero: 24 hours, below: any.
	StaleAfter time.Duration
	// Since: people who started before are known, but nothing is planned for them unless somebody says so (Manage).
	Since time.Time
	// ReadAt is the time of day, in the company's zone, at which the whole list is read again: "02:00"; "": only when
	// somebody asks.
	ReadAt string
	// AbsentLeaves: whoever is missing from a list that counts is terminated, within the brakes. Else it is only reported.
	AbsentLeaves bool
	Brakes       SourceBrakes
	// Confidential: its terminations are, unless it says otherwise. Discreet: what it says is shown to those alone who may
	// know what is confidential until it was judged.
	Confidential, Discreet bool
}

// Deps are what flow joins.
type Deps struct {
	Store     *store.DB
	Engine    *engine.Driver
	Clock     engine.Clock
	IDs       *dayone.IDs
	Keeper    *secret.Keeper
	Sources   map[string]Source
	Systems   map[string]*connector.Guard
	Templates message.Templates
	Policy    *policy.Set
	Files     fs.FS // the policy folder
	// Planned asks another process, which has everybody in memory, for a plan of what is to be applied. Whatever it says, a
	// plan that it fails to make is made here; nil: it always is.
	Planned func(context.Context, Proposal) (Everybody, error)
	// Load reads a policy folder for the configured systems. Without it, Policy counts for ever.
	Load     func(fs.FS) (*policy.Set, []policy.Diagnostic)
	Base     string // the portal's address, without a slash at the end
	Company  string
	Mail     string // system that sends mail; "": none
	Calendar string // system that sends invitations; "": none
	Beside   bool   // the engine is that of another process: what is ordered here it takes up by itself
	Log      *slog.Logger
	Asking   Asking
	// OpensAt is the hour of the first day from which one-time links open, where the person works.
	OpensAt time.Duration
	// KeepBodies is how long what sources sent is kept as they sent it; zero: 30 days.
	KeepBodies time.Duration
	// KeepCalls is how long the log of requests is kept; zero: 14 days.
	KeepCalls time.Duration
	// AloneNotice is how long waits what its author alone approved; zero: Notice. With TwoPersons nobody approves alone.
	AloneNotice time.Duration
	TwoPersons  bool
	// UndoFor is how long after its end a run can be undone; zero: 30 days.
	UndoFor  time.Duration
	Removals RemovalBrakes
	// PhonesAt is the time of day at which a telephone system is read, where its numbers are: "02:00". Who is not in it is read
	// only when somebody asks.
	PhonesAt map[string]string
	Alerts   AlertSettings
	Webhooks []Webhook
	// LongestOutside is how many days the last day of somebody may be away who is in no HR system; zero: 365.
	LongestOutside int
	PreHire        PreHireSettings
	Language       string // of messages to whoever has none of her own; "": English
	// RetainFor is how long after her last day somebody is kept before she may be erased; zero: RetainFor of this package.
	RetainFor time.Duration
	// Retain is the same by type of employment and country, either of which may be Any.
	Retain map[string]map[string]time.Duration
	// Room is how much of the database's volume is free; nil: the store says it.
	Room func() (free, total uint64, err error)
}

// Flow joins people, policy, planner, engine, ledger and messages.
type Flow struct {
	Deps
	force      atomic.Pointer[inForce]
	looks      atomic.Pointer[dayone.Brand]
	folder     atomic.Pointer[folder]   // as it was last read
	ends       atomic.Pointer[retiring] // systems that are being retired
	crowd      crowd
	ahead      foresight
	intake     intake
	errands    errands
	watched    watched
	ledgerLook ledgerLook
	claims     claims
	marking    sync.Mutex // by what people are found is written once
	correcting sync.Mutex // one correction is looked at after the other
	marked     bool       // it was
	finished   bool       // brakes that a crash left half made are on; only Run asks
	lately     lately
	sizes      sizes
	lists      lists
	counting   counting
	pasts      pasts
	counted    remembered[map[dayone.Status]int]
	passed     passed // runs that could not be counted
	offerings  remembered[[]Offering]
	heldAt     remembered[map[string]store.HeldAt]
	parkedAt   remembered[map[string]store.WaitsAt]
	tiles      tiles
	pictures   photos
	numbers    numbering
	phones     phoneReads
	audited    numberAudits
	placedBy   atomic.Pointer[string] // by what policies it was last written where people are
	wake       chan struct{}          // something is to be looked at
	entering   sync.Mutex             // an entry is looked at once
	hashing    sync.Mutex             // one password at a time
	orders     sync.Mutex             // an order about a system is recorded once
	locks      sync.Map               // a mutex per person: two looks at one person never meet
}

// New joins them. It wires itself into the engine as the one who writes messages.
func New(d Deps) *Flow {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Flow{Deps: d, wake: make(chan struct{}, 1)}
	f.force.Store(&inForce{base: d.Policy})
	d.Engine.Compose = f
	alerts := d.Alerts.Hook != nil && d.Alerts.Runs
	if alerts || len(d.Webhooks) > 0 {
		d.Store.Over = func(r dayone.Run) (out []dayone.Letter) {
			if alerts {
				out = f.over(r)
			}
			return append(out, f.overFor(r)...)
		}
	}
	d.Engine.Leads = d.Store.Leads
	d.Engine.Target = func(system string) (engine.Target, bool) {
		if system == DigestSystem {
			return digests{f}, true
		}
		g, ok := d.Systems[system]
		return g, ok
	}
	d.Engine.Config.Manual = byHand(d.Systems)
	return f
}

// byHand is what vendors' manifests say that a human does who does a step instead.
func byHand(systems map[string]*connector.Guard) map[string]string {
	out := map[string]string{}
	for name, g := range systems {
		if g == nil || g.Manifest == nil {
			continue
		}
		for act, text := range g.Manifest.ByHand() {
			out[engine.ManualKey(name, act.Kind, act.Action)] = text
		}
	}
	return out
}

// ---- 1. receive: durable before it is answered ----

// MaxBody is the most that a source may say at once.
const MaxBody = 1 << 20

// Run looks at what was received and at who is due, until ctx ends.
func (f *Flow) Run(ctx context.Context) error {
	runs := f.Engine.Watch("")
	defer runs.Stop()
	defer f.intake.Wait()
	defer f.errands.Wait()
	for {
		retry, err := f.round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			f.Log.Error("looking at people", "error", err)
			retry = f.Clock.Now().Add(5 * time.Second)
		}
		next, err := f.Store.NextWake(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("reading wake-ups", "error", err)
		}
		if next.IsZero() || !retry.IsZero() && retry.Before(next) {
			next = retry
		}
		if again := f.Clock.Now().Add(newPolicies); f.Load != nil && (next.IsZero() || again.Before(next)) {
			next = again
		}
		var woken <-chan struct{}
		off := func() {}
		if !next.IsZero() {
			woken, off = f.Clock.After(next)
		}
	waiting:
		for {
			select {
			case <-ctx.Done():
				off()
				return nil
			case <-f.wake:
				break waiting
			case <-woken:
				break waiting
			case <-runs.Ready():
				// the commit that ended a run has made its person due: what it confirmed may ask for more
				if slices.ContainsFunc(runs.Take(), func(u engine.Update) bool { return u.State.Over() || u.State == dayone.RunWaiting }) {
					break waiting
				}
			}
		}
		off()
	}
}

// newPolicies is how soon policies count here that another process put into force.
const newPolicies = 5 * time.Second

// Decide carries a human's decision about a step to its run. A run that is over is not simply gone on with: its plan may
// be old. A step of it is tried again only if it is still wanted as it was; else the person is planned afresh.
func (f *Flow) Decide(ctx context.Context, run dayone.RunID, step dayone.StepID, h engine.Human) error {
	if h.Verb != engine.Retry {
		return f.Engine.Decide(ctx, run, step, h)
	}
	r, err := f.RunOf(ctx, run)
	if err != nil {
		return err
	}
	if !r.State.Over() {
		return f.Engine.Decide(ctx, run, step, h)
	}
	l, err := f.Preview(ctx, r.Person)
	if err != nil {
		return err
	}
	o := r.Step(step)
	if o == nil {
		return fmt.Errorf("this run has no step %q: %w", step, dayone.ErrNotFound)
	}
	if l.Legal && (o.Step.Action == dayone.AccountDelete || o.Step.Undo == dayone.UndoDelete) {
		return fmt.Errorf("a legal hold stands, and %s may be deleted by this; release it first: %w", o.Step.Key, dayone.ErrConflict)
	}
	wanted := r.Of != "" || slices.ContainsFunc(l.Plan.Steps, func(s dayone.Step) bool { return s.Once == o.Step.Once && does(o.Step, s) })
	_, err = f.Store.ActiveRun(ctx, r.Person)
	switch free := errors.Is(err, dayone.ErrNotFound); {
	case !wanted && o.Step.Action != dayone.MessageSend:
		return fmt.Errorf("%s is not wanted like this any more, so it is not tried again; look at the latest run: %w", o.Step.Key, dayone.ErrConflict)
	case !free && err != nil:
		return err
	case !free:
		return fmt.Errorf("another run of this person is under way; decide there: %w", dayone.ErrConflict)
	}
	return f.Engine.Decide(ctx, run, step, h)
}

// Callback takes what a system says by itself about a step of its own that waits: an order that ships. It knows the step
// by its Once. ErrAuth: not signed by it.
func (f *Flow) Callback(ctx context.Context, system string, header http.Header, body []byte) error {
	g, ok := f.Systems[system]
	if !ok {
		return fmt.Errorf("there is no system %q: %w", system, dayone.ErrNotFound)
	}
	c, err := g.Callback(header, body)
	if err != nil {
		return err
	}
	if c.Attrs.Text("serial") == "" && c.Attrs.Text("ref") == "" {
		return nil // it is on its way to be known: the step goes on waiting
	}
	t, err := f.Store.Task(ctx, c.Once)
	if err != nil {
		return err
	}
	if t.System != system {
		return fmt.Errorf("%s speaks of a task that is not its own: %w", system, dayone.ErrForbidden)
	}
	if !t.Closed.IsZero() {
		return nil // said before
	}
	return f.complete(ctx, t, system, c.Attrs)
}

// PullCatalogues reads what every system offers. A system that cannot be read keeps its last catalogue.
func (f *Flow) PullCatalogues(ctx context.Context) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Systems)) {
		errs = append(errs, f.pullCatalogue(ctx, name))
	}
	return errors.Join(errs...)
}

func (f *Flow) pullCatalogue(ctx context.Context, name string) error {
	var offers []dayone.Offer
	for o, err := range f.Systems[name].Catalogue(ctx) {
		if err != nil {
			return fmt.Errorf("catalogue of %s: %w", name, err)
		}
		offers = append(offers, o)
	}
	return f.Store.SaveCatalogue(ctx, name, offers, f.Clock.Now())
}

// lock holds a person; the result lets go. Whoever holds her may change what the books say of her.
func (f *Flow) lock(id dayone.PersonID) func() {
	m, _ := f.locks.LoadOrStore(id, &sync.Mutex{})
	mu := m.(*sync.Mutex)
	mu.Lock()
	f.ahead.drop(id)
	return mu.Unlock
}

// tryLock holds a person unless somebody else does, to read and to write her row.
func (f *Flow) tryLock(id dayone.PersonID) (free func(), ok bool) {
	m, _ := f.locks.LoadOrStore(id, &sync.Mutex{})
	mu := m.(*sync.Mutex)
	return mu.Unlock, mu.TryLock()
}
