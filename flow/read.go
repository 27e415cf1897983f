package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// What pages and the command line read. They know the store only through these.
type (
	Row          = store.Row
	Leader       = store.Leader
	PeopleFilter = store.PeopleFilter
	TaskFilter   = store.TaskFilter
	RunFilter    = store.RunFilter
	EventFilter  = store.EventFilter
	RecordFilter = store.RecordFilter
	Line         = store.Line
)

// People lists people, a page at a time.
func (f *Flow) People(ctx context.Context, q PeopleFilter) ([]Row, error) {
	q.Within = scopeOf(ctx)
	rows, err := f.Store.People(ctx, q)
	if !mayKnow(ctx) {
		for i := range rows {
			rows[i].Veil, rows[i].Unveil = dayone.Unveiled, time.Time{}
		}
	}
	return rows, err
}

// CountPeople counts by status.
func (f *Flow) CountPeople(ctx context.Context) (map[dayone.Status]int, error) {
	if s := scopeOf(ctx); !s.AllPeople() {
		return f.Store.CountPeople(ctx, s)
	}
	return f.counted.get(ctx, f.Clock, &f.errands.WaitGroup, func(ctx context.Context) (map[dayone.Status]int, error) {
		return f.Store.CountPeople(ctx, nil)
	})
}

// Offers is the catalogue of a system, as last read.
func (f *Flow) Offers(ctx context.Context, system string) (map[dayone.Key]dayone.Offer, error) {
	return f.Store.Catalogue(ctx, system)
}

// Departments that anybody is in.
func (f *Flow) Departments(ctx context.Context) ([]string, error) {
	return f.Store.Departments(ctx, scopeOf(ctx))
}

// Named finds one person by id, mail address or name.
func (f *Flow) Named(ctx context.Context, who string) (Row, error) {
	row, err := f.Store.NamedWithin(ctx, who, scopeOf(ctx))
	if !mayKnow(ctx) {
		row.Veil, row.Unveil = dayone.Unveiled, time.Time{}
	}
	return row, err
}

// Person is one person as lists show her.
func (f *Flow) Person(ctx context.Context, id dayone.PersonID) (Row, error) {
	row, err := f.Store.Person(ctx, id)
	if err == nil && row.Veil != dayone.Unveiled {
		row, err = f.rowFor(ctx, row)
	}
	if err == nil && !scopeOf(ctx).Has(row.Country, row.Company) {
		err = fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	if err != nil {
		return Row{}, err
	}
	return row, nil
}

// Timeline is everything that whoever asks may know of a person.
func (f *Flow) Timeline(ctx context.Context, id dayone.PersonID) (dayone.Timeline, error) {
	if err := f.inSight(ctx, id); err != nil {
		return dayone.Timeline{}, err
	}
	t, err := f.Store.Timeline(ctx, id)
	switch {
	case err != nil:
		return t, err
	case mayKnow(ctx):
		return people.Lifted(t), nil
	}
	return f.public(t)
}

// Access is one line of what a person has, is to have, or is losing.
type Access struct {
	Key     dayone.Key
	Title   string // of the system
	Kind    string // title of the kind
	Role    string
	State   AccessState
	Note    string // what it waits for
	Since   time.Time
	From    time.Time // later: when it begins
	Until   time.Time
	Reasons []Reason
	Holding *dayone.Holding // nil: not there yet
	Implied bool            // brought along by another grant
	Closed  bool            // nobody gets in by it: the account is closed, or the one that it is part of
}

// Reason is why, with the policy's title.
type Reason struct {
	dayone.Reason
	Title string
}

// AccessState is how an access stands against what is wanted.
type AccessState string

const (
	AsWanted   AccessState = "as wanted"
	WaitsLogin AccessState = "waiting"         // there, but somebody must act
	ToCome     AccessState = "to come"         // wanted, not there
	ToChange   AccessState = "to change"       // there, but otherwise
	ToGo       AccessState = "to go"           // there, not wanted any more
	Kept       AccessState = "kept"            // a condition is unknown: it stays
	NotOurs    AccessState = "not from policy" // it was there before us
	Observed   AccessState = "observed"        // others decide about it
	Planned    AccessState = "later"
	Asks       AccessState = "needs approval"
	Held       AccessState = "held"        // somebody took it back: it is neither given nor taken for a while
	StaysOpen  AccessState = "stays open"  // there, not wanted any more, and no plan takes it
	NotPlanned AccessState = "not planned" // a policy has a word on it, but nothing is planned for this person
)

// AccessClosed is the note of an account that is closed for good, as it is wanted.
const AccessClosed = "closed"

// Problem is why no plan can be made, as rows keep it and pages show it: the error without its kind.
func Problem(err error) string {
	text := err.Error()
	if k := dayone.KindOf(err); k != nil {
		text = strings.TrimSuffix(text, ": "+k.Error())
	}
	return text
}

// unplanned keeps why somebody could not be planned, and looks again later; at once if something made her due since the
// look began.
func (f *Flow) unplanned(ctx context.Context, id dayone.PersonID, began time.Time, err error) error {
	again := time.Minute
	if errors.Is(err, dayone.ErrInvalid) { // somebody has to change a policy or a setting first
		again = time.Hour
	}
	return f.Store.SetProblem(ctx, id, Problem(err), began, f.Clock.Now().Add(again))
}

// Access lays want and holdings side by side. ErrInvalid: no plan can be made; what is wanted and what is there come all
// the same.
func (f *Flow) Access(ctx context.Context, id dayone.PersonID) (Look, []Access, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return Look{}, nil, err
	}
	l, err := f.Preview(ctx, id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return l, nil, err
	}
	if !l.Person.Managed {
		err = nil // nobody tries to plan
	}
	set := f.Active()
	var out []Access
	seen := map[dayone.Key]bool{}
	titles := map[string]string{}
	for _, p := range set.Policies {
		titles[p.ID] = p.Title
	}
	line := func(k dayone.Key, because []dayone.Reason) Access {
		seen[k] = true
		sys := set.Systems[k.System]
		a := Access{Key: k, Title: cmp.Or(sys.Title, k.System), Kind: cmp.Or(sys.Kinds[k.Kind].Title, k.Kind)}
		for _, r := range because {
			a.Reasons = append(a.Reasons, Reason{r, cmp.Or(titles[r.Policy], r.Policy)})
		}
		return a
	}
	held := map[dayone.Key]*dayone.Holding{}
	for i := range l.Have {
		if l.Have[i].State != dayone.Gone {
			held[l.Have[i].Key] = &l.Have[i]
		}
	}
	for _, g := range l.Want.Grants {
		a := line(g.Key, g.Because)
		a.Role, a.Until, a.Holding = g.Role, g.Until, held[g.Key]
		switch h := a.Holding; {
		case h == nil:
			a.State = ToCome
		case h.State == dayone.Pending:
			a.State, a.Since, a.Note = WaitsLogin, h.Since, "waiting for first login"
		case h.Role != g.Role, g.Key.IsAccount() && !set.Systems[g.Key.System].Meets(h.State, g.State):
			a.State, a.Since = ToChange, h.Since
		default:
			a.State, a.Since = AsWanted, h.Since
		}
		out = append(out, a)
	}
	for _, g := range l.Want.Pending {
		if !seen[g.Key] {
			a := line(g.Key, g.Because)
			a.State = Asks
			out = append(out, a)
		}
	}
	for _, g := range l.Want.Later {
		if !seen[g.Key] {
			a := line(g.Key, g.Because)
			a.State, a.From = Planned, g.From
			out = append(out, a)
		}
	}
	losing := map[dayone.Key]bool{}
	for _, s := range l.Plan.Steps {
		losing[s.Key] = losing[s.Key] || s.Action.Takes()
	}
	for k, h := range held {
		if seen[k] || k.Kind == "message" || k.Kind == "invitation" {
			continue
		}
		a := line(k, h.Because)
		a.Role, a.Since, a.Holding = h.Role, h.Since, h
		switch {
		case losing[k]:
			a.State = ToGo
		case slices.Contains(l.Want.Keep, k):
			a.State = Kept
		case !k.IsAccount() && set.Systems[k.System].Authority(k) == dayone.Observe:
			a.State = Observed
		case len(h.Because) > 0 && h.Because[0].Policy == dayone.Baseline:
			a.State = NotOurs
		case h.State == dayone.Disabled:
			a.State, a.Note = AsWanted, AccessClosed
		default:
			a.State, a.Implied = AsWanted, true
		}
		out = append(out, a)
	}
	if err != nil || !l.Person.Managed {
		idle(out)
	}
	f.unclosed(out, l)
	for i := range out {
		if h, is := holdOf(l.Holds, out[i].Key, l.Person.Status); is {
			out[i].State, out[i].Note = Held, "until "+h.Until.UTC().Format("2 Jan 2006")
		}
	}
	closed(out)
	slices.SortFunc(out, func(a, b Access) int {
		switch {
		case a.Key.Less(b.Key):
			return -1
		case b.Key.Less(a.Key):
			return 1
		}
		return 0
	})
	return l, out, err
}

// closed marks accounts that were taken back, or whose owner has left, and what is part of them: it is in the books, and nobody gets in by
// it. One that only waits for a first day, or for the end of a leave, is as it is wanted.
func closed(list []Access) {
	shut := map[dayone.Key]bool{}
	for i := range list {
		a := &list[i]
		a.Closed = a.Holding != nil && a.Holding.State == dayone.Disabled && (a.State == Held || a.Note == AccessClosed)
		shut[a.Key] = a.Closed
	}
	for i := range list {
		a := &list[i]
		a.Closed = a.Closed || a.Holding != nil && shut[a.Key.Account()] && (a.State == Held || a.State == AsWanted && a.Implied)
	}
}

// unclosed marks what is not wanted any more and stays: open, or closed and kept by a legal hold.
func (f *Flow) unclosed(list []Access, l Look) {
	stays := map[dayone.Key]Staying{}
	for _, x := range f.Stays(l) {
		stays[x.Key] = x
	}
	for i := range list {
		a := &list[i]
		held := slices.ContainsFunc(l.Plan.Findings, func(x dayone.Finding) bool { return x.Key == a.Key && x.Kind == planner.UnderLegalHold })
		switch x, open := stays[a.Key]; {
		case a.Holding == nil:
		case open && x.Legal:
			a.State, a.Note, a.Implied = StaysOpen, "a legal hold keeps it; a human closes it by hand", false
		case open && x.Ended:
			a.State, a.Note, a.Implied = StaysOpen, "Dayone does not manage its system any more; a human closes it by hand", false
		case open:
			a.State, a.Note, a.Implied = StaysOpen, "Dayone cannot close it; a human closes it by hand", false
		case held:
			a.State, a.Note = Held, "closed, and not deleted while the legal hold stands"
		}
	}
}

// idle takes back what only a plan would bring about. Without one nothing is given, changed or taken.
func idle(list []Access) {
	for i := range list {
		switch a := &list[i]; {
		case a.State == ToCome, a.State == ToChange, a.State == Planned, a.State == Asks, a.Implied:
			a.State = NotPlanned
		}
	}
}

// Explain says why a person has something, or why not. ErrInvalid: neither is there such a thing nor has she it.
func (f *Flow) Explain(ctx context.Context, id dayone.PersonID, key dayone.Key) (policy.Explanation, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return policy.Explanation{}, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return policy.Explanation{}, err
	}
	have, err := f.Store.Holdings(ctx, id, false)
	if err != nil {
		return policy.Explanation{}, err
	}
	as, err := f.Store.Approvals(ctx, store.ApprovalFilter{Person: id, Live: true})
	if err != nil {
		return policy.Explanation{}, err
	}
	holds, err := f.Store.Holds(ctx, HoldFilter{Person: id})
	if err != nil {
		return policy.Explanation{}, err
	}
	asked, err := f.Store.Requests(ctx, id, true)
	if err != nil {
		return policy.Explanation{}, err
	}
	now, held, set := f.Clock.Now(), heldOf(have), f.Active()
	p := people.At(&t, now, now, set)
	x := set.Explain(p, policy.Context{Now: now, Held: held, Requested: set.Asked(asked), Approved: agreed(id, set, held, as)}, key)
	if _, has := held[key]; !has && len(x.Lines)+len(x.By) == 0 && x.Grant == nil && x.Asked == nil { // nothing speaks of it: is there such a thing?
		if err := set.Offered(key); err != nil {
			return policy.Explanation{}, err
		}
	}
	return answers(as).agreedTo(id, sourced(&t, set, now, f.noteRetired(withHold(x, holds, p.Status)))), nil
}

// RunOf is a run as it stands, in flight or over.
func (f *Flow) RunOf(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	r, err := f.Engine.Snapshot(ctx, id)
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrUnavailable) {
		return f.Store.Run(ctx, id)
	}
	return r, err
}

// RunsOf are several, as RunOf has each: those under way as they stand, the rest in one reading of the books.
func (f *Flow) RunsOf(ctx context.Context, ids []dayone.RunID) ([]dayone.Run, error) {
	out := make([]dayone.Run, len(ids))
	var stored []dayone.RunID
	var at []int
	for i, id := range ids {
		r, err := f.Engine.Snapshot(ctx, id)
		switch {
		case errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrUnavailable):
			stored, at = append(stored, id), append(at, i)
		case err != nil:
			return nil, err
		default:
			out[i] = r
		}
	}
	list, err := f.Store.RunsOf(ctx, stored)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		out[at[i]] = r
	}
	return out, nil
}

// Runs lists runs, newest first, without their steps.
func (f *Flow) Runs(ctx context.Context, q RunFilter) ([]dayone.Run, error) {
	q.Within = scopeOf(ctx)
	return f.Store.Runs(ctx, q)
}

// CountRuns is how many runs the list of a filter has, its limit at the most.
func (f *Flow) CountRuns(ctx context.Context, q RunFilter) (int, error) {
	q.Within = scopeOf(ctx)
	return f.Store.CountRuns(ctx, q)
}

// Next is the run that a person had after a given one, without its steps. ErrNotFound: that was the last.
func (f *Flow) Next(ctx context.Context, of dayone.Run) (dayone.Run, error) {
	var next dayone.Run
	q := RunFilter{Person: of.Person, Limit: 100}
	for {
		list, err := f.Store.Runs(ctx, q)
		if err != nil {
			return next, err
		}
		for _, r := range list {
			if r.ID <= of.ID {
				list = nil
				break
			}
			next = r
		}
		if len(list) < q.Limit {
			break
		}
		q.Before = list[len(list)-1].ID
	}
	if next.ID == "" {
		return next, fmt.Errorf("no run came after %s: %w", of.ID, dayone.ErrNotFound)
	}
	return next, nil
}

// Watch tells what moves in a run, or in all if id is "".
func (f *Flow) Watch(id dayone.RunID) *engine.Watcher { return f.Engine.Watch(id) }

// Events lists what sources said.
func (f *Flow) Events(ctx context.Context, q EventFilter) ([]dayone.Intake, error) {
	q.Public, q.Within = !mayKnow(ctx), scopeOf(ctx)
	return f.Store.Events(ctx, q)
}

// Event is one of them.
func (f *Flow) Event(ctx context.Context, id dayone.EventID) (dayone.Intake, error) {
	in, err := f.Store.Event(ctx, id)
	if err == nil && in.Veiled && !mayKnow(ctx) {
		err = fmt.Errorf("event: %w", dayone.ErrNotFound)
	}
	if err == nil && f.inSight(ctx, in.Person) != nil {
		err = fmt.Errorf("event: %w", dayone.ErrNotFound)
	}
	if err != nil {
		return dayone.Intake{}, err
	}
	return in, nil
}

// Replay looks at a quarantined event again: after the source, the mapping or people.yaml was mended.
func (f *Flow) Replay(ctx context.Context, id dayone.EventID, by string) error {
	in, err := f.Event(ctx, id)
	if err != nil {
		return err
	}
	if in.State != dayone.EventQuarantined {
		return fmt.Errorf("event %s is %s; only a quarantined one is replayed: %w", id, in.State, dayone.ErrConflict)
	}
	if err := f.Store.MarkEvent(ctx, id, dayone.EventReceived, "replayed by "+by); err != nil {
		return err
	}
	replayed := dayone.Record{At: f.Clock.Now(), Person: in.Person, What: "event replayed", System: in.Source, By: by, Detail: &dayone.Detail{Note: string(id)}}
	if in.Veiled {
		err = f.Store.HushedRecord(ctx, id, replayed)
	} else {
		err = f.Store.Record(ctx, replayed)
	}
	if err != nil {
		return err
	}
	f.look()
	return nil
}

// Tasks lists all open tasks; of one person or run, if named.
func (f *Flow) Tasks(ctx context.Context, person dayone.PersonID, run dayone.RunID) ([]dayone.Task, error) {
	return f.TasksBy(ctx, TaskFilter{Person: person, Run: run})
}

// TasksBy lists open tasks, by the time they are due; those without one come first.
func (f *Flow) TasksBy(ctx context.Context, q TaskFilter) ([]dayone.Task, error) {
	q.Within = scopeOf(ctx)
	return f.Store.TasksBy(ctx, q)
}

// CountTasks is how many of them there are, on all pages.
func (f *Flow) CountTasks(ctx context.Context, q TaskFilter) (int, error) {
	q.Within = scopeOf(ctx)
	return f.Store.CountTasks(ctx, q)
}

// Task is one task.
func (f *Flow) Task(ctx context.Context, id string) (dayone.Task, error) {
	return f.Store.Task(ctx, id)
}

// Records lists ledger lines, newest first.
func (f *Flow) Records(ctx context.Context, q RecordFilter) ([]Line, error) {
	q.Within = scopeOf(ctx)
	q.Told = append(decisions(), reasoned()...)
	return f.Store.Records(ctx, q)
}

// decisions are the records that say nothing without their detail: the ledger knows who entered it, the detail who decided.
func decisions() []string {
	return []string{"approval given", "approval " + string(dayone.ApprovalRefused), "approved", "refused"}
}

// reasoned are the records whose detail is the reason that a human gave.
func reasoned() []string {
	return []string{
		"undo decided", "hold", "hold extended", "hold ended", "pause decided", "resume decided", "cancel decided", "retry decided",
		"brake " + string(dayone.BrakeReleased), "brake " + string(dayone.BrakeDiscarded), "lay-off announced",
	}
}

// Entered says whether the one whom a record names entered what somebody else may have decided.
func Entered(rec dayone.Record) bool { return slices.Contains(decisions(), rec.What) }

// CountRecords is the length of the ledger. Whoever has a scope is not told how long it is.
func (f *Flow) CountRecords(ctx context.Context) (int64, error) {
	if !scopeOf(ctx).Whole() {
		return 0, nil
	}
	return f.Store.CountRecords(ctx)
}

// Ready says whether the database answers, and has room.
func (f *Flow) Ready(ctx context.Context) error { return f.Store.Ready(ctx) }

// NoRoom says that the disk of the database is full.
func NoRoom(err error) bool { return errors.Is(err, store.ErrFull) }

// Leader is the process that works on the database.
func (f *Flow) Leader(ctx context.Context) (Leader, error) { return f.Store.Leader(ctx) }

// Progress is what a manager sees of a new hire: no addresses, no secrets, no other people.
type Progress struct {
	Row    Row
	Look   Look
	Access []Access
	Run    *dayone.Run // the latest
	Code   string      // the hand-over code; "" when there is nothing to open
	Shows  time.Time   // from when the code is shown
	Opens  time.Time   // from when links open
	Stuck  bool        // no plan can be made: somebody has to mend that first
}

// Progress checks the path's token and shows how far the new hire is.
func (f *Flow) Progress(ctx context.Context, id dayone.PersonID, token string) (Progress, error) {
	if !f.Keeper.Verify("progress "+string(id), token) {
		return Progress{}, fmt.Errorf("this address is not right: %w", dayone.ErrNotFound)
	}
	return f.progress(ctx, id)
}

func (f *Flow) progress(ctx context.Context, id dayone.PersonID) (Progress, error) {
	row, err := f.Person(ctx, id)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Row: row}
	p.Look, p.Access, err = f.Access(ctx, id)
	if p.Stuck = errors.Is(err, dayone.ErrInvalid); err != nil && !p.Stuck {
		return p, err
	}
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: 1})
	if err != nil {
		return p, err
	}
	if len(runs) > 0 {
		r, err := f.RunOf(ctx, runs[0].ID)
		if err != nil {
			return p, err
		}
		p.Run = &r
	}
	p.Code = f.Keeper.Code(string(id))
	p.Opens, p.Shows = f.opens(p.Look.Person), p.Look.Person.Start // on the day itself: what is not known cannot be passed on
	if p.Opens.Before(p.Shows) {
		p.Shows = p.Opens
	}
	return p, nil
}

// opens is when the one-time links of a person open: at a set hour of her first day.
func (f *Flow) opens(p dayone.Person) time.Time {
	if p.Start.IsZero() {
		return time.Time{}
	}
	return p.Start.Add(f.OpensAt)
}

// Now is what the clock shows that everything goes by: the demo's is moved.
func (f *Flow) Now() time.Time { return f.Clock.Now() }

// Starters are people who have not begun, and those who have since a day ago: the next one first.
func (f *Flow) Starters(ctx context.Context, limit int) ([]Row, error) {
	return f.Store.People(ctx, PeopleFilter{Since: f.Clock.Now().Add(-24 * time.Hour), Limit: limit, Within: scopeOf(ctx)})
}

// Why explains a look that is at hand already.
func (f *Flow) Why(l Look, key dayone.Key) policy.Explanation { return f.Reasons(l)(key) }

// Reasons explains many things to the one who was looked at, and decides once for all of them. One at a time.
func (f *Flow) Reasons(l Look) func(dayone.Key) policy.Explanation {
	set, held := f.Active(), heldOf(l.Have)
	x := set.Explaining(l.Person, policy.Context{Now: l.Person.At, Held: held, Requested: set.Asked(l.Requests), Approved: agreed(l.Person.ID, set, held, l.answers)})
	return func(key dayone.Key) policy.Explanation {
		return l.answers.agreedTo(l.Person.ID, f.noteRetired(withHold(x.Of(key), l.Holds, l.Person.Status)))
	}
}

// RecordOf reads a ledger line as the record it was made of; the detail only if it was asked for and not erased.
func RecordOf(l Line) (dayone.Record, error) {
	r := dayone.Record{Seq: l.Seq, At: time.UnixMicro(l.At).UTC(), Person: l.Person, Run: l.Run, What: l.What, System: l.System}
	var leaf struct {
		Step    dayone.StepID
		By      string
		Because []dayone.Reason
		Digest  string
	}
	if err := json.Unmarshal([]byte(l.Leaf), &leaf); err != nil {
		return r, fmt.Errorf("ledger line %d: %w", l.Seq, err)
	}
	r.Step, r.By, r.Because = leaf.Step, leaf.By, leaf.Because
	if len(l.Detail) == 0 {
		return r, nil
	}
	d, err := ledger.DetailOf(leaf.Digest, l.Detail)
	r.Detail = &d
	return r, err
}
