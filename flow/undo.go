package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/planner"
)

// Undo takes back what a run did: the whole of it, or chosen steps, while it is under way or afterwards, for as long as
// its journal is kept. What it will do, what stays and why is shown first, and just that is done. It writes a hold: else
// policies would give everything again at the next look.

// UndoFor is how long runs can be undone if nobody says otherwise.
const UndoFor = 30 * 24 * time.Hour

// HoldFor is how long a hold stands if nobody says otherwise.
const HoldFor = 7 * 24 * time.Hour

// Undoing is what an undo of a run would do now.
type Undoing struct {
	Run     dayone.Run
	Steps   []dayone.StepID          // chosen; empty: all
	Plan    dayone.Plan              // what will be done, and as findings what stays and why
	Live    bool                     // the run is under way: it is turned back
	GivesUp dayone.RunID             // the run under way that is given up for it; "": none
	Along   []planner.Along          // steps that go with what is done
	Handed  map[dayone.StepID]Handed // steps of the plan that people do: each opens a task
	Keys    []dayone.Key             // what policies then leave alone; none, if nothing can be taken back
	Held    int                      // of these, what policies would give: the accesses that are held back then
	Given   int                      // of these, what is given back
	Keep    bool                     // also though their owner has left
	Until   time.Time                // of the hold
	Expires time.Time                // from when it can no longer be undone; zero: the run has not ended
	Hash    string                   // of all this: what was shown is what is done

	Waits dayone.RunID  // another undo that is under way, so that this one is refused; "": none
	Tasks []dayone.Task // that people have to do for that one first

	ways map[dayone.StepID]dayone.Undo // for a run that is turned back: what is not as was planned
}

// Nothing says that nothing of it can be taken back, so that an order is refused. A run under way is turned back all the same:
// what it has not done yet is not done then.
func (u Undoing) Nothing() bool { return len(u.Plan.Steps) == 0 && (!u.Live || len(u.Steps) > 0) }

// Stays are the findings about what is not taken back.
func (u Undoing) Stays() []dayone.Finding { return u.found(planner.Stays) }

// Absent are the findings about what is not there to be taken back any more.
func (u Undoing) Absent() []dayone.Finding { return u.found(planner.Absent) }

// Instead are the findings about what is taken back otherwise than one would expect.
func (u Undoing) Instead() []dayone.Finding { return u.found(planner.Instead) }

func (u Undoing) found(kind string) []dayone.Finding {
	return slices.DeleteFunc(slices.Clone(u.Plan.Findings), func(f dayone.Finding) bool { return f.Kind != kind })
}

// StepsNamed finds steps of a run by number from 1, by key, or by id.
func StepsNamed(r dayone.Run, names []string) ([]dayone.StepID, error) {
	var out []dayone.StepID
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		var found []dayone.StepID
		n, notNumber := strconv.Atoi(name)
		for i, s := range r.Steps {
			if s.Of == "" && (notNumber == nil && n == i+1 || string(s.Step.ID) == name || s.Step.Key.String() == name) {
				found = append(found, s.Step.ID)
			}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("run %s has no step %q; name steps by number or as system/kind:name: %w", r.ID, name, dayone.ErrInvalid)
		}
		for _, id := range found {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out, nil
}

// UndoPreview says what an undo would do, and does nothing. Systems are only read: whether anybody used the accounts that
// the run made. ErrConflict: it cannot be undone, and why.
func (f *Flow) UndoPreview(ctx context.Context, id dayone.RunID, steps []dayone.StepID) (Undoing, error) {
	r, err := f.RunOf(ctx, id)
	if err != nil {
		return Undoing{}, err
	}
	return f.undoing(ctx, r, steps)
}

func (f *Flow) undoing(ctx context.Context, r dayone.Run, steps []dayone.StepID) (Undoing, error) {
	now := f.Clock.Now()
	u := Undoing{Run: r, Steps: steps, Live: !r.State.Over(), Until: now.Add(HoldFor)}
	chosen, err := choice(r, steps)
	if err != nil {
		return u, err
	}
	if err := f.undoable(ctx, &u, now); err != nil {
		return u, err
	}
	l, err := f.Preview(ctx, r.Person)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) { // a plan that cannot be made hinders nobody from taking back
		return u, err
	}
	systems := f.ActiveFor(l.Person).Systems
	back, err := planner.TakeBack(planner.Past{
		Run: r, Steps: chosen, At: now, Have: l.Have, Want: l.Want, Systems: systems, Legal: l.Legal, Seen: f.sight(ctx, r, l.Have),
	})
	if err != nil {
		return u, err
	}
	u.Plan, u.Along, u.Keys, u.Keep = back.Plan, back.Along, back.Keys, back.Keep
	if err := f.shownElse(ctx, r.Person, &u.Plan); err != nil {
		return u, err
	}
	if u.Nothing() {
		u.Keys = nil
	}
	u.Held, u.Given = accessesOf(u, l)
	if u.Handed, err = f.handed(ctx, u.Plan.Steps); err != nil {
		return u, err
	}
	u.ways = waysBack(r, u.Plan)
	u.Hash = u.hash()
	return u, nil
}

// accessesOf counts how many of the accesses of somebody an undo holds back, which are those that her page will count so, and how many
// it gives back.
func accessesOf(u Undoing, l Look) (held, given int) {
	there, gives := map[dayone.Key]bool{}, map[dayone.Key]bool{}
	for _, h := range l.Have {
		there[h.Key] = h.State != dayone.Gone && h.State != dayone.Disabled
	}
	for _, s := range u.Plan.Steps {
		gives[s.Key] = s.Action.Gives() && !there[s.Key]
		there[s.Key] = !s.Action.Takes()
	}
	wanted := map[dayone.Key]bool{}
	for _, g := range slices.Concat(l.Want.Grants, l.Want.Pending, l.Want.Later) {
		wanted[g.Key] = true
	}
	for _, k := range u.Keys {
		account, hangs := there[k.Account()]
		switch {
		case gives[k]:
			given++
		case wanted[k] && (!there[k] || hangs && !account):
			held++
		}
	}
	return held, given
}

// shownElse says in a plan of an undo what is known to be so already, since its system was seen to differ from the books. The step
// stays: what was seen may be a day old, and somebody may have let them in again since.
func (f *Flow) shownElse(ctx context.Context, id dayone.PersonID, p *dayone.Plan) error {
	rows, err := f.Store.Drift(ctx, DriftFilter{Person: id, Limit: MostDrift})
	if err != nil {
		return err
	}
	for _, s := range p.Steps {
		i := slices.IndexFunc(rows, func(x DriftRow) bool { return x.Key == s.Key })
		if i < 0 || !s.Action.Takes() || rows[i].Kind != dayone.DriftMissing && rows[i].Kind != dayone.DriftClosed {
			continue
		}
		text := "its system did not show it any more on %s; this makes sure of that and puts the books right"
		if rows[i].Kind == dayone.DriftClosed {
			text = "its system showed it closed already on %s; this makes sure of that and puts the books right"
		}
		p.Findings = append(p.Findings, dayone.Finding{Kind: planner.Instead, Key: s.Key, Text: fmt.Sprintf(text, rows[i].Seen.UTC().Format("2 January 2006"))})
	}
	return nil
}

// waysBack are the steps of a run that are taken back otherwise than was planned: accounts that are closed, not deleted,
// and what stays. What has no result yet is taken back as planned: it will be as young as its answer.
func waysBack(r dayone.Run, p dayone.Plan) map[dayone.StepID]dayone.Undo {
	out := map[dayone.StepID]dayone.Undo{}
	for _, s := range r.Steps {
		if s.Step.Action == dayone.MessageSend || s.Of != "" || !planner.Done(&r, &s).Changed() {
			continue
		}
		i := slices.IndexFunc(p.Steps, func(o dayone.Step) bool { return o.Undoes == s.Step.ID })
		switch {
		case i < 0 && s.Step.Undo.Possible():
			out[s.Step.ID] = dayone.UndoNone + "it stays"
		case i >= 0 && p.Steps[i].Action == dayone.AccountDisable && s.Step.Undo == dayone.UndoDelete:
			out[s.Step.ID] = dayone.UndoDisable
		}
	}
	return out
}

// choice is a set of steps; nil: all of them.
func choice(r dayone.Run, steps []dayone.StepID) (map[dayone.StepID]bool, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	out := map[dayone.StepID]bool{}
	for _, id := range steps {
		if r.Step(id) == nil {
			return nil, fmt.Errorf("run %s has no step %q; look at the run again: %w", r.ID, id, dayone.ErrInvalid)
		}
		out[id] = true
	}
	return out, nil
}

// undoable says why a run cannot be undone at all.
func (f *Flow) undoable(ctx context.Context, u *Undoing, now time.Time) error {
	r := u.Run
	switch {
	case r.Of != "" && r.Of != r.ID:
		return fmt.Errorf("this run takes back run %s; to let policies give it again, end its hold: %w", r.Of, dayone.ErrConflict)
	case r.State == dayone.RunUndoing:
		return f.busy(ctx, u, r)
	case r.State == dayone.RunUndone:
		return fmt.Errorf("the run is undone already: %w", dayone.ErrConflict)
	case r.Ending == dayone.RunSuperseded && !r.State.Over():
		return fmt.Errorf("the run is being superseded; undo it when it has ended: %w", dayone.ErrConflict)
	case r.Ending != "" && !r.State.Over():
		return fmt.Errorf("the run is being cancelled; undo it when it has ended: %w", dayone.ErrConflict)
	}
	switch to, err := f.Store.PersonOfMerged(ctx, r.Person); {
	case err != nil:
		return err
	case to != "":
		return fmt.Errorf("this run was for an id that is merged into person %s; split that first: %w", to, dayone.ErrConflict)
	}
	if !u.Live {
		if u.Expires = r.Ended.Add(cmp.Or(f.UndoFor, UndoFor)); !u.Expires.After(now) {
			return fmt.Errorf("the run's journal was kept for undoing until %s; it is not undoable any more, so change policies or write an exception instead: %w",
				u.Expires.UTC().Format("2 January 2006"), dayone.ErrConflict)
		}
	}
	gone, err := f.TakenBack(ctx, r)
	if err != nil {
		return err
	}
	if back := gone[r.ID]; back.Whole && !back.Under {
		return fmt.Errorf("run %s has taken this run back already; to let policies give it again, end its hold: %w", back.By, dayone.ErrConflict)
	}
	active, err := f.Store.ActiveRun(ctx, r.Person)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && active == r.ID && len(u.Steps) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	other, err := f.RunOf(ctx, active)
	if err == nil && (other.Of != "" || other.State == dayone.RunUndoing) {
		return f.busy(ctx, u, other)
	}
	u.GivesUp = active
	return err
}

// busy refuses an undo while another one is under way, and says what that waits for: an undo that people carry out may take days.
func (f *Flow) busy(ctx context.Context, u *Undoing, other dayone.Run) error {
	tasks, err := f.Tasks(ctx, other.Person, other.ID)
	if err != nil {
		return err
	}
	u.Waits, u.Tasks = other.ID, tasks
	if len(tasks) == 0 {
		return fmt.Errorf("run %s takes something back already; wait for its end: %w", other.ID, dayone.ErrConflict)
	}
	named := make([]string, 0, len(tasks))
	for _, t := range tasks {
		named = append(named, fmt.Sprintf("%s (%s)", t.ID, t.Title))
	}
	return fmt.Errorf("run %s takes something back already, and waits until people have done %s; do that first, or skip the step in that run: %w",
		other.ID, strings.Join(named, ", "), dayone.ErrConflict)
}

// sight reads the accounts that a run made, as their systems show them now.
func (f *Flow) sight(ctx context.Context, r dayone.Run, have []dayone.Holding) map[dayone.Key]planner.Sighting {
	out := map[dayone.Key]planner.Sighting{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, s := range r.Steps {
		k := s.Step.Key
		g, ok := f.Systems[k.System]
		i := slices.IndexFunc(have, func(h dayone.Holding) bool { return h.Key == k && h.State != dayone.Gone && h.Ref != "" })
		if !ok || i < 0 || s.Of != "" || s.Step.Action != dayone.AccountCreate || s.Result.Now == nil {
			continue
		}
		all.Go(func() {
			seen, err := g.Observe(ctx, dayone.Subject{Ref: have[i].Ref})
			if err != nil {
				f.Log.Warn("an account cannot be looked at before an undo, so it is not deleted", "system", k.System, "run", r.ID, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[k] = planner.Sighting{Account: seen.Account(), Items: seen.Items, Unread: seen.Unread}
		})
	}
	all.Wait()
	return out
}

// hash is over what was shown. A run under way moves on while it is looked at: there it is over which one it is, since it
// is turned back from wherever it is.
func (u Undoing) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %v %v %s\n", u.Run.ID, u.Steps, u.Live, u.GivesUp)
	if !u.Live || len(u.Steps) > 0 {
		fmt.Fprintf(h, "%s %v %v\n", u.Plan.Hash(), u.Keys, u.Keep)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// UndoOrder is what somebody decided after they had seen it.
type UndoOrder struct {
	Run    dayone.RunID
	Steps  []dayone.StepID // empty: all
	By     string
	Reason string
	Hash   string    // of the preview
	Until  time.Time // of the hold; zero: HoldFor from now
}

// longestHold is for how long a hold may stand without being decided on again.
const longestHold = 366 * 24 * time.Hour

// Undo does what a preview showed, and returns the run that does it: the run itself if it is under way and turned back as
// a whole, else a run of its own. ErrConflict: something has changed since the preview, so nothing was done.
func (f *Flow) Undo(ctx context.Context, o UndoOrder) (dayone.RunID, error) {
	r, err := f.RunOf(ctx, o.Run)
	if err != nil {
		return "", err
	}
	defer f.lock(r.Person)()
	now := f.Clock.Now()
	switch {
	case o.Hash == "":
		return "", fmt.Errorf("look at what it would do first, and pass the hash of that: %w", dayone.ErrInvalid)
	case strings.TrimSpace(o.Reason) == "":
		return "", fmt.Errorf("say why it is undone; the reason stands beside the hold: %w", dayone.ErrInvalid)
	case !o.Until.IsZero() && (!o.Until.After(now) || o.Until.After(now.Add(longestHold))):
		return "", fmt.Errorf("the hold has to end after now and within a year: %w", dayone.ErrInvalid)
	}
	if r, err = f.RunOf(ctx, o.Run); err != nil {
		return "", err
	}
	u, err := f.undoing(ctx, r, o.Steps)
	if err == nil && u.Hash != o.Hash {
		err = errMoved
	}
	if err != nil {
		return "", err
	}
	if u.Nothing() { // before a run is given up for it
		return "", fmt.Errorf("nothing of it can be taken back; the preview says why: %w", dayone.ErrConflict)
	}
	if given := u.GivesUp; given != "" {
		if err := f.supersede(ctx, given); err != nil {
			return "", err
		}
		switch u, err = f.again(ctx, u); {
		case errors.Is(err, errMoved):
			return "", fmt.Errorf("run %s was given up for this, and what its last calls did has changed what can be taken back, so nothing was undone; what is still wanted goes on in a new run, so look again: %w", given, dayone.ErrConflict)
		case err != nil:
			return "", fmt.Errorf("run %s was given up for this, but nothing was undone: %w", given, err)
		}
	}
	hold := &dayone.Hold{
		ID: dayone.HoldID(f.IDs.New("hld")), Person: r.Person, Run: r.ID, Keys: u.Keys, Keep: u.Keep, Reason: strings.TrimSpace(o.Reason), By: o.By, From: now,
		Until: cmp.Or(o.Until, u.Until),
	}
	if u.Live && len(u.Steps) == 0 {
		f.Log.Info("run is turned back", "run", r.ID, "person", r.Person)
		return r.ID, f.Engine.Decide(ctx, r.ID, "", engine.Human{By: o.By, Verb: engine.Undo, Reason: hold.Reason, Hold: hold, Ways: u.ways})
	}
	run := dayone.Run{
		ID: dayone.RunID(f.IDs.New("run")), Person: r.Person, Title: fmt.Sprintf("Undo: %s", r.Title), Plan: u.Plan, Hash: u.Plan.Hash(), Of: r.ID,
	}
	if run.Have, err = f.Store.Holdings(ctx, r.Person, true); err != nil {
		return "", err
	}
	f.Log.Info("run is undone", "run", run.ID, "of", r.ID, "person", r.Person, "steps", len(u.Plan.Steps))
	return run.ID, f.Engine.StartBy(ctx, run, engine.Human{By: o.By, Reason: hold.Reason, Hold: hold})
}

var errMoved = fmt.Errorf("something has changed since that was shown, and nothing was undone; look again: %w", dayone.ErrConflict)

// again looks once more when calls that were under way have come back: what was shown must still be what is done.
func (f *Flow) again(ctx context.Context, was Undoing) (Undoing, error) {
	r, err := f.RunOf(ctx, was.Run.ID)
	if err != nil {
		return was, err
	}
	u, err := f.undoing(ctx, r, was.Steps)
	if err == nil && (u.GivesUp != "" || u.Nothing() || u.Plan.Hash() != was.Plan.Hash()) {
		err = errMoved
	}
	return u, err
}

// UndoneBy are the runs that took a run back, newest first.
func (f *Flow) UndoneBy(ctx context.Context, id dayone.RunID) ([]dayone.Run, error) {
	return f.Store.Runs(ctx, RunFilter{Of: id, Limit: 20})
}

// OrderOf is the hold that an undo wrote: by whom and why it was asked for. ErrNotFound: the run takes nothing back, or it is not known any more.
func (f *Flow) OrderOf(ctx context.Context, run dayone.Run) (dayone.Hold, error) {
	if run.Of == "" {
		return dayone.Hold{}, dayone.ErrNotFound
	}
	holds, err := f.Holds(ctx, HoldFilter{Person: run.Person, Ended: true})
	if err != nil {
		return dayone.Hold{}, err
	}
	for _, h := range holds { // the newest first
		if h.Run == run.Of && !h.Away && h.Brake == "" && (run.Of == run.ID || !h.From.After(run.Started)) {
			return h, nil
		}
	}
	return dayone.Hold{}, dayone.ErrNotFound
}

// undoes says whether a run takes something back and is to be left alone with that, to its end: what a human has to do for it
// would be forgotten otherwise. Somebody who has left is cut first.
func undoes(r dayone.Run, l Look) bool {
	return r.Of != "" && (l.Person.Status != dayone.Left || keeps(r))
}

// keeps says that an undo gives something back: that of a leaver.
func keeps(r dayone.Run) bool {
	return slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return (r.Of != r.ID || s.Of != "") && s.Step.Action.Gives() })
}
