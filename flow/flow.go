// Package flow is the use-case layer: READ THIS FIRST. One story: a source says something (receive.go), it is looked at in
// its turn (intake.go) and becomes a person's timeline (process.go), policies say what she is to have and the planner says
// what is missing (Preview), the engine brings it about (Replan), and at each instant at which that can change she is looked
// at again (Run). Every other file is one thing that somebody does, or asks.
//
// Web, command line and tests call flow and nothing below it; nobody else strings packages together. Flow must not talk
// to a vendor by itself, hold state that a restart would lose, or decide what policies and planner decide.
package flow

import (
	"cmp"
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
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
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
	// AloneNotice is how long waits what its author alone approved; zero: Notice. With TwoPersons nobody approves alone.
	AloneNotice time.Duration
	TwoPersons  bool
	// UndoFor is how long after its end a run can be undone; zero: 30 days.
	UndoFor  time.Duration
	Removals RemovalBrakes
	Alerts   AlertSettings
	// LongestOutside is how many days the last day of somebody may be away who is in no HR system; zero: 365.
	LongestOutside int
	PreHire        PreHireSettings
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
	folder     atomic.Pointer[policy.Set] // as it was last read
	ends       atomic.Pointer[retiring]   // systems that are being retired
	crowd      crowd
	ahead      foresight
	intake     intake
	errands    errands
	watched    watched
	claims     claims
	marking    sync.Mutex // by what people are found is written once
	correcting sync.Mutex // one correction is looked at after the other
	marked     bool       // it was
	finished   bool       // brakes that a crash left half made are on; only Run asks
	lately     lately
	sizes      sizes
	lists      lists
	counting   counting
	tiles      tiles
	pictures   photos
	numbers    numbering
	wake       chan struct{} // something is to be looked at
	entering   sync.Mutex    // an entry is looked at once
	orders     sync.Mutex    // an order about a system is recorded once
	locks      sync.Map      // a mutex per person: two looks at one person never meet
}

// New joins them. It wires itself into the engine as the one who writes messages.
func New(d Deps) *Flow {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	f := &Flow{Deps: d, wake: make(chan struct{}, 1)}
	f.force.Store(&inForce{base: d.Policy})
	d.Engine.Compose = f
	if d.Alerts.Hook != nil && d.Alerts.Runs {
		d.Store.Over = f.over
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

// Look is a person as she stands now, with what she is to have, what she has, and the plan between the two.
type Look struct {
	Person dayone.Person
	Want   dayone.Want
	Have   []dayone.Holding
	Plan   dayone.Plan
	Holds  []dayone.Hold // what policies leave alone
	Legal  bool          // a legal hold stands: nothing is deleted

	Requests []dayone.Request                // that stand
	asked    map[dayone.Key][]dayone.Request // by what they are for

	stage int64 // of the policies that decided
	ends  *retiring
	told  dayone.Told
	began time.Time    // holds that had ended by then were seen to
	fell  []dayone.Key // went with their account, which the books do not know yet
	quiet bool         // nobody is told now of what changed: it is told once the person is planned again
	laid  laid

	answers answers
}

// Preview decides and plans for a person, and does nothing.
func (f *Flow) Preview(ctx context.Context, id dayone.PersonID) (Look, error) {
	return f.preview(ctx, id, false)
}

// preview is Preview; unbraked, as if no brake held anything.
func (f *Flow) preview(ctx context.Context, id dayone.PersonID, unbraked bool) (Look, error) {
	stage := f.force.Load().seq
	b, err := f.booksOf(ctx, id)
	if err != nil {
		return Look{}, err
	}
	if unbraked {
		b.holds = slices.DeleteFunc(b.holds, func(h dayone.Hold) bool { return h.Brake != "" })
	}
	l, err := f.lookAt(b)
	l.stage = stage
	return l, err
}

// books are what a look at somebody goes by, and when they were opened.
type books struct {
	at       time.Time
	line     dayone.Timeline
	have     []dayone.Holding
	holds    []dayone.Hold
	legal    bool // a legal hold stands
	requests []dayone.Request
	answers  answers
	unsaid   []dayone.Occasion
	offers   map[dayone.Key]dayone.Offer
}

func (f *Flow) booksOf(ctx context.Context, id dayone.PersonID) (b books, err error) {
	if b.line, err = f.Store.Timeline(ctx, id); err != nil {
		return b, err
	}
	b.at = f.Clock.Now()
	if b.have, err = f.Store.Holdings(ctx, id, true); err != nil {
		return b, err
	}
	if b.unsaid, err = f.unsaid(ctx, id); err != nil {
		return b, err
	}
	if b.requests, err = f.Store.Requests(ctx, id, true); err != nil {
		return b, err
	}
	if b.answers, err = f.Store.Approvals(ctx, store.ApprovalFilter{Person: id, Live: true}); err != nil {
		return b, err
	}
	err = f.standing(ctx, id, &b)
	return b, err
}

// standing adds what systems offer, and the holds of a person.
func (f *Flow) standing(ctx context.Context, id dayone.PersonID, b *books) (err error) {
	if b.offers, err = f.Store.Catalogue(ctx, ""); err != nil {
		return err
	}
	if b.holds, err = f.Store.Holds(ctx, HoldFilter{Person: id}); err != nil {
		return err
	}
	b.legal, err = f.Store.UnderLegalHold(ctx, id)
	return err
}

// lookAt is what the books say of somebody.
func (f *Flow) lookAt(b books) (Look, error) {
	set, t, now := f.Active(), &b.line, b.at
	p := people.At(t, now, now, set)
	fallen := fell(f.ActiveFor(p).Systems, b.have)
	l, err := f.decide(p, b, f.tellOf(b.unsaid, t, p))
	next := people.Next(t, now, set)
	l.fell, l.told, l.laid = fallen, t.Told, laid{set, turnsBy(t, now, next)}
	if !next.IsZero() && (l.Want.Next.IsZero() || next.Before(l.Want.Next)) {
		l.Want.Next = next
	}
	return l, err
}

// decide is pure: a person and what the books say of her in, want and plan out.
func (f *Flow) decide(p dayone.Person, b books, tell []dayone.Occasion) (Look, error) {
	set := f.ActiveFor(p)
	l := Look{Person: p, Have: b.have, Holds: b.holds, Legal: b.legal, Requests: b.requests, answers: b.answers, asked: set.Asked(b.requests)}
	held := heldOf(b.have)
	l.Want = set.Want(p, policy.Context{Now: p.At, Held: held, Requested: l.asked, Approved: agreed(p.ID, set, held, b.answers)})
	l.ends = f.retires()
	withoutRetired(&l, *l.ends)
	var err error
	l.Plan, err = planner.Make(f.inputOf(l, set, b.offers, tell))
	for _, later := range l.Plan.Later {
		if l.Want.Next.IsZero() || later.From.Before(l.Want.Next) {
			l.Want.Next = later.From
		}
	}
	for _, h := range l.Holds {
		if h.Until.After(p.At) && (l.Want.Next.IsZero() || h.Until.Before(l.Want.Next)) {
			l.Want.Next = h.Until
		}
	}
	return l, err
}

// inputOf is what a plan is made of.
func (f *Flow) inputOf(l Look, set *policy.Set, offers map[dayone.Key]dayone.Offer, tell []dayone.Occasion) planner.Input {
	p := l.Person
	return planner.Input{
		Person: p.ID, At: p.At, Subject: subjectOf(p), Recorded: p.Recorded, Want: l.Want, Have: l.Have, Holds: l.Holds, Systems: set.Systems, Offers: offers,
		Leaves:  p.Status == dayone.Left,
		AtOnce:  p.Stopped,
		Heir:    heirOf(p),
		Legal:   l.Legal,
		Mapped:  func(g dayone.Grant) dayone.Grant { return set.Mapped(p, p.At, g) },
		Deliver: func(n dayone.Notice) []dayone.Notice { return f.deliver(p, n) },
		Refused: func(g dayone.Grant) string { return refusal(l.answers.of(p.ID, g.Key, g.Role)) },
		Tell:    tell, Risk: risk(p),
	}
}

// subjectOf is how systems may recognise a person.
func subjectOf(p dayone.Person) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"employee_number", "email"} {
		if v := p.Attrs.Text(name); v != "" {
			out[name] = v
		}
	}
	return out
}

// Replan brings a person up to date: it plans, gives up a run that is no longer right, and starts one if anything is to
// be done. "" means that nothing is. Without an event it is we who look again: what a run has just tried is not tried
// again then. title is what the run is called; "": what the plan looks like.
func (f *Flow) Replan(ctx context.Context, id dayone.PersonID, event dayone.EventID, title string) (dayone.RunID, error) {
	defer f.lock(id)()
	began := f.Clock.Now()
	if err := f.dueHolds(ctx, id); err != nil {
		return "", err
	}
	seen, err := f.doneBefore(ctx, id)
	if err != nil {
		return "", err
	}
	l, err := f.eased(ctx, id)
	if err != nil {
		return "", err
	}
	l.began = began
	if !l.Person.Managed {
		return "", f.keepRow(ctx, l, "")
	}
	switch made, err := f.nameless(ctx, l.Person); {
	case err != nil:
		return "", err
	case made:
		if l, err = f.eased(ctx, id); err != nil {
			return "", err
		}
		l.began = began
	}
	if err := f.consider(ctx, &l, event); err != nil {
		return "", err
	}
	active, err := f.Store.ActiveRun(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
	case err != nil:
		return "", err
	default:
		switch kept, err := f.kept(ctx, l, event); {
		case err != nil:
			return "", err
		case kept: // until somebody resumes it
			l.quiet = true
			return "", f.keepRow(ctx, l, active)
		}
		if err := f.tellRun(ctx, active, l.answers); err != nil {
			return "", err
		}
		switch ok, err := f.carries(ctx, active, l, seen); {
		case err != nil:
			return "", err
		case ok:
			l.quiet = f.untold(ctx, active, l)
			return "", f.keepRow(ctx, l, active)
		}
		if event == "" {
			switch given, err := f.cancelling(ctx, active); {
			case err != nil:
				return "", err
			case given: // its end is looked at
				l.quiet = true
				return "", f.keepRow(ctx, l, active)
			}
		}
		if err := f.supersede(ctx, active); err != nil {
			return "", err
		}
		if l, err = f.eased(ctx, id); err != nil { // from what the calls under way have left
			return "", err
		}
		l.began = began
		if err := f.consider(ctx, &l, event); err != nil {
			return "", err
		}
	}
	if len(l.Plan.Steps) == 0 {
		return "", f.keepRow(ctx, l, "")
	}
	switch kept, err := f.kept(ctx, l, event); {
	case err != nil:
		return "", err
	case kept:
		l.quiet = true
		return "", f.keepRow(ctx, l, "")
	}
	if event == "" {
		switch tried, err := f.tried(ctx, l); {
		case err != nil:
			return "", err
		case tried:
			return "", f.keepRow(ctx, l, "")
		}
	}
	run := dayone.Run{
		ID: dayone.RunID(f.IDs.New("run")), Person: id, Event: event, Title: cmp.Or(title, titleOf(l)), Plan: l.Plan, Have: l.Have, Hash: l.Plan.Hash(),
	}
	f.Log.Info("run starts", "run", run.ID, "person", id, "steps", len(l.Plan.Steps))
	if err := f.Engine.Start(ctx, run); err != nil {
		return "", err
	}
	if err := f.tellRun(ctx, run.ID, l.answers); err != nil {
		return "", err
	}
	return run.ID, f.keepRow(ctx, l, run.ID)
}

// keepRow keeps the person as lists show them and when they are to be looked at again: the last thing of a look, so that
// one that was cut short is made good. run is the one under way: if it has ended meanwhile, its end is looked at first.
func (f *Flow) keepRow(ctx context.Context, l Look, run dayone.RunID) error {
	if err := f.unveil(ctx, l.Person); err != nil {
		return err
	}
	f.follow(l.Person, l.laid)
	if err := errors.Join(f.planned(ctx, l), f.timed(ctx, l), f.askReviews(ctx, &l), f.remindSponsors(ctx, &l), f.askPreHire(ctx, &l), f.certifyLater(ctx, l), f.succeedLater(ctx, l), f.askAboutHeld(ctx, l)); err != nil {
		return err
	}
	if err := f.Store.SaveRow(ctx, f.afterwards(l)); err != nil {
		return err
	}
	if last, err := f.Store.LastStage(ctx); err != nil || last != l.stage && f.Load != nil {
		if err = errors.Join(err, f.reload(ctx)); err != nil {
			return err
		}
		f.look() // other policies count since she was looked at; whoever applied them made her due, and the row has not
		return f.Store.SetWake(ctx, l.Person.ID, f.Clock.Now())
	}
	if l.ends != f.retires() { // a system is being retired, or is not any more, since she was looked at
		f.look()
		return f.Store.SetWake(ctx, l.Person.ID, f.Clock.Now())
	}
	if again, err := f.unheard(ctx, l); err != nil || again {
		f.look()
		return errors.Join(err, f.Store.SetWake(ctx, l.Person.ID, f.Clock.Now()))
	}
	if run == "" {
		return nil
	}
	r, err := f.Store.Run(ctx, run)
	if err != nil || !r.State.Over() {
		return err
	}
	f.look()
	return f.Store.SetWake(ctx, l.Person.ID, f.Clock.Now())
}

// doneBefore are the steps of the run under way that the books show as done. Asked before a look, it tells what the look
// has seen: by the clock alone a step may be done before the look, and booked after it.
func (f *Flow) doneBefore(ctx context.Context, id dayone.PersonID) (map[dayone.StepID]bool, error) {
	active, err := f.Store.ActiveRun(ctx, id)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := f.Store.Run(ctx, active)
	if err != nil {
		return nil, err
	}
	out := map[dayone.StepID]bool{}
	for _, s := range r.Steps {
		out[s.Step.ID] = s.State == dayone.StepDone
	}
	return out, nil
}

// carries says whether the run under way does just what the plan asks for: then it goes on undisturbed. seen are the steps
// whose effect the plan knows.
func (f *Flow) carries(ctx context.Context, active dayone.RunID, l Look, seen map[dayone.StepID]bool) (bool, error) {
	p := l.Plan
	r, err := f.Engine.Snapshot(ctx, active)
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	if err != nil || r.Ending != "" {
		return false, err // one that is being given up carries nothing
	}
	if undoes(r, l) {
		return true, nil // what somebody takes back comes first; its end is looked at
	}
	wanted := map[dayone.Key]bool{}
	for _, s := range p.Steps {
		if s.Action == dayone.MessageSend {
			if tells(s, "") && r.Step(s.ID) == nil {
				return false, nil // somebody is to be told of what happened since it began
			}
			continue
		}
		wanted[s.Key] = true
		if !slices.ContainsFunc(r.Steps, func(o dayone.StepRun) bool {
			asks := o.Step.Approval != nil && !o.Agreed && s.Approval == nil                                         // nobody has to agree any more
			return (awaits(o.State) && !asks || (o.State == dayone.StepDone && !seen[o.Step.ID])) && does(o.Step, s) // or it was done since we looked
		}) {
			return false, nil
		}
	}
	for _, o := range r.Steps { // and nothing else: what nobody wants any more is not gone on with
		if !o.State.Over() && o.Step.Action != dayone.MessageSend && !wanted[o.Step.Key] {
			return false, nil
		}
	}
	return true, nil
}

// awaits: the step is still to come, or a human decides about it.
func awaits(s dayone.StepState) bool {
	return !s.Over() || s == dayone.StepFailed || s == dayone.StepBlocked
}

// does says whether step a of a run brings about what b of a plan asks for. What only waits to be confirmed is what the
// step that made it waits for.
func does(a, b dayone.Step) bool {
	if a.Key != b.Key || (a.Want == nil) != (b.Want == nil) {
		return false
	}
	confirms := b.Action == dayone.AccountConfirm || b.Action == dayone.EntitlementConfirm
	if a.Action != b.Action && !confirms {
		return false
	}
	return b.Want == nil || (a.Want.State == b.Want.State && a.Want.Role == b.Want.Role && (confirms || maps.Equal(a.Want.Attrs, b.Want.Attrs)))
}

// settled is how long after a run's end its effects are still looked at as its own.
const settled = time.Hour

// tried says that the last run did or tried all of the plan already: done by ourselves again, it would go round in
// circles. Its failures wait for a human, or for the next event.
func (f *Flow) tried(ctx context.Context, l Look) (bool, error) {
	runs, err := f.Store.Runs(ctx, store.RunFilter{Person: l.Person.ID, Limit: 1})
	if err != nil || len(runs) == 0 {
		return false, err
	}
	last, err := f.Store.Run(ctx, runs[0].ID)
	if err != nil {
		return false, err
	}
	if last.Of == last.ID { // what a human took back was not tried in vain: if it is wanted now, its hold has ended
		return false, nil
	}
	if last.State == dayone.RunSuperseded || last.State == dayone.RunCancelled || (last.State == dayone.RunDone && l.Person.At.Sub(last.Ended) > settled) {
		return false, nil
	}
	for _, s := range l.Plan.Steps {
		if tells(s, "") && last.Step(s.ID) == nil {
			return false, nil
		}
		if s.Action != dayone.MessageSend && !slices.ContainsFunc(last.Steps, func(o dayone.StepRun) bool { return o.Step.Once == s.Once && does(o.Step, s) && !l.unasked(o, last.ID) }) {
			return false, nil
		}
	}
	if last.State == dayone.RunDone {
		f.Log.Warn("steps are done and still wanted", "run", last.ID, "person", l.Person.ID)
	}
	return true, nil
}

// supersede ends a run: nothing new starts, calls under way come back, waits are given up.
func (f *Flow) supersede(ctx context.Context, id dayone.RunID) error {
	return f.end(ctx, id, engine.Human{Verb: engine.Supersede})
}

// end gives a run up by a word, and waits until it is over.
func (f *Flow) end(ctx context.Context, id dayone.RunID, word engine.Human) error {
	moved := f.Engine.Watch(id)
	defer moved.Stop()
	err := f.Engine.Decide(ctx, id, "", word)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		if _, err := f.Engine.Snapshot(ctx, id); errors.Is(err, dayone.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		select {
		case <-moved.Ready():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func titleOf(l Look) string {
	name := l.Person.Name()
	creates, opens, others := 0, 0, 0
	for _, s := range l.Plan.Steps {
		switch s.Action {
		case dayone.AccountCreate:
			creates++
		case dayone.AccountEnable, dayone.AccountConfirm, dayone.EntitlementConfirm:
			opens++
		case dayone.MessageSend:
		default:
			others++
		}
	}
	switch {
	case l.Person.Status == dayone.Left:
		return "Offboard " + name
	case creates > 0 && !slices.ContainsFunc(l.Have, func(h dayone.Holding) bool { return h.State != dayone.Gone }):
		return "Onboard " + name
	case opens > 0 && creates+others == 0:
		return "Open the accounts of " + name
	default:
		return "Change the access of " + name
	}
}

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
