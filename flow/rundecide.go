package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// RunVerbs are what can be decided about a whole run.
var RunVerbs = []engine.Verb{engine.Cancel, engine.Pause, engine.GoOn}

// DecideRun carries a human's decision about a whole run out, which needs a reason.
//
// Cancel gives it up: calls under way come back, nothing new starts, waits and tasks are closed. Its person is not planned
// again by herself until HR says something new or somebody resumes. Pause starts nothing until somebody resumes. In both,
// somebody who leaves meanwhile is cut off all the same.
func (f *Flow) DecideRun(ctx context.Context, run dayone.RunID, v engine.Verb, by, reason string) error {
	reason = strings.TrimSpace(reason)
	switch {
	case !slices.Contains(RunVerbs, v):
		return fmt.Errorf("%q is no decision about a run; cancel, pause and resume are: %w", v, dayone.ErrInvalid)
	case reason == "":
		return fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	r, err := f.RunOf(ctx, run)
	if err != nil {
		return err
	}
	if err := f.Engine.Decide(ctx, run, "", engine.Human{By: by, Verb: v, Reason: reason}); err != nil || v != engine.GoOn {
		return err
	}
	// what HR has said meanwhile counts now, also if a look that is under way saw the pause
	defer f.lock(r.Person)()
	if err := f.Store.SetWake(ctx, r.Person, f.Clock.Now()); err != nil {
		return err
	}
	f.look()
	return nil
}

// kept says that a person is not planned now because somebody paused her run or cancelled it. Whoever has left since is
// planned whatever anybody said of a run before.
func (f *Flow) kept(ctx context.Context, l Look, event dayone.EventID) (bool, error) {
	last, err := f.Store.Runs(ctx, store.RunFilter{Person: l.Person.ID, Limit: 1})
	if err != nil || len(last) == 0 {
		return false, err
	}
	r := last[0]
	if l.Person.Status == dayone.Left && (r.State == dayone.RunHeld || r.State == dayone.RunCancelled) {
		if r, err = f.RunOf(ctx, r.ID); err != nil || !r.Plan.Leaves {
			return false, err
		}
	}
	switch r.State {
	case dayone.RunHeld:
		return true, nil
	case dayone.RunCancelled:
		return event == "" && r.Ending != "", nil
	}
	return false, nil
}

// cancelling says that the run under way is being given up by a human: what comes next is decided when it is over.
func (f *Flow) cancelling(ctx context.Context, run dayone.RunID) (bool, error) {
	r, err := f.Engine.Snapshot(ctx, run)
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	return r.Ending == dayone.RunCancelled, err
}
