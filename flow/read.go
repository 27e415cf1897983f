package flow

import (
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
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// What pages and the command line read. They know the store only through these.
type (
	Row          = store.Row
	Leader       = store.Leader
	PeopleFilter = store.PeopleFilter
	PeopleSort   = store.PeopleSort
	TaskFilter   = store.TaskFilter
	RunFilter    = store.RunFilter
	EventFilter  = store.EventFilter
	RecordFilter = store.RecordFilter
	Line         = store.Line
)

// What the list of people is sorted by.
const (
	ByName       = store.ByName
	ByFirstDay   = store.ByFirstDay
	ByLastDay    = store.ByLastDay
	ByDepartment = store.ByDepartment
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
	if err != nil {
		return Row{}, err
	}
	return f.seen(ctx, row)
}

// PeopleOf are several people, as Person has each; who is not there, or not in sight, is left out.
func (f *Flow) PeopleOf(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]Row, error) {
	rows, err := f.Store.PeopleOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, row := range rows {
		switch rows[id], err = f.seen(ctx, row); {
		case errors.Is(err, dayone.ErrNotFound):
			delete(rows, id)
		case err != nil:
			return nil, err
		}
	}
	return rows, nil
}

// seen is a person as whoever asks may see her. ErrNotFound: she is out of their scope, or hidden from them.
func (f *Flow) seen(ctx context.Context, row Row) (Row, error) {
	var err error
	if row.Veil != dayone.Unveiled {
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
		"brake " + string(dayone.BrakeReleased), "brake " + string(dayone.BrakeDiscarded), "brake release proposed", "brake release taken back", "lay-off announced", "lay-off confirmed",
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

// Ready says whether the database answers, and takes writes.
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

	Lacks  map[dayone.Key]bool // there by the books, and not as its system showed it last
	Unseen bool                // no telephone system has shown a number of theirs yet
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
	if p.Lacks, err = f.Lacks(ctx, id); err != nil {
		return p, err
	}
	numbers, err := f.numbersOf(ctx, id, nil)
	if err != nil {
		return p, err
	}
	p.Unseen = slices.ContainsFunc(numbers, PersonNumber.Unseen)
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
	x := set.Explaining(l.Person, policy.Context{Now: l.Person.At, Held: held, Requested: set.Asked(l.Requests), Approved: agreed(l.Person.ID, set, held, l.asked, l.answers)})
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

// NoDisk says that the disk of the database takes no writes for another reason than that it is full.
func NoDisk(err error) bool { return errors.Is(err, store.ErrDisk) }
