package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Planning somebody anew: what is under way is carried on if it still fits, else a newer run takes its place.

// Replan brings a person up to date: it plans, gives up a run that is no longer right, and starts one if anything is to
// be done. "" means that nothing is. Without an event it is we who look again: what a run has just tried is not tried
// again then. title is what the run is called; "": what the plan looks like.
func (f *Flow) Replan(ctx context.Context, id dayone.PersonID, event dayone.EventID, title string) (dayone.RunID, error) {
	return f.planAnew(ctx, id, event, title, false)
}

// planAnew is Replan; asked: a human wants just this, so that it is done though a run has just tried it.
func (f *Flow) planAnew(ctx context.Context, id dayone.PersonID, event dayone.EventID, title string, asked bool) (dayone.RunID, error) {
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
	l.began, l.seen = began, seen
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
		l.began, l.seen = began, seen
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
	if event == "" && !asked {
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
// one that was cut short is made good. run is the one under way: if it has come to its end or to rest meanwhile, that is
// looked at first.
func (f *Flow) keepRow(ctx context.Context, l Look, run dayone.RunID) error {
	if err := f.unveil(ctx, l.Person); err != nil {
		return err
	}
	f.follow(l.Person, l.laid)
	if err := errors.Join(f.planned(ctx, l), f.timed(ctx, l), f.askReviews(ctx, &l), f.remindSponsors(ctx, &l), f.askPreHire(ctx, &l), f.certifyLater(ctx, l), f.succeedLater(ctx, l), f.askAboutHeld(ctx, l)); err != nil {
		return err
	}
	if err := f.Store.SaveRow(ctx, f.afterwards(l), l.began, f.Clock.Now()); err != nil {
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
	if err != nil || !r.State.Over() && !rests(r, l.seen) {
		return err
	}
	f.look()
	return f.Store.SetWake(ctx, l.Person.ID, f.Clock.Now())
}

// rests says that the run of a leaver came to wait, for long maybe, and did something that a look has not seen: the row of
// that look has written over when she was due for it.
func rests(r dayone.Run, seen map[dayone.StepID]bool) bool {
	return r.State == dayone.RunWaiting && slices.ContainsFunc(r.Plan.Steps, func(s dayone.Step) bool { return s.Urgent }) &&
		slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.State == dayone.StepDone && !seen[s.Step.ID] })
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
		return fmt.Sprintf("Offboard %s", name)
	case creates > 0 && !slices.ContainsFunc(l.Have, func(h dayone.Holding) bool { return h.State != dayone.Gone }):
		return fmt.Sprintf("Onboard %s", name)
	case opens > 0 && creates+others == 0:
		return fmt.Sprintf("Open the accounts of %s", name)
	default:
		return fmt.Sprintf("Change the access of %s", name)
	}
}
