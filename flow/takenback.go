package flow

import (
	"context"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// TakenBack is how far later undos have taken a run back.
type TakenBack struct {
	By    dayone.RunID           // the undo that began last
	Whole bool                   // nothing of it is left but what nobody can take back
	Under bool                   // an undo is under way
	Steps map[dayone.StepID]bool // that are taken back
}

// TakenBack says of runs how far undos have taken them back; of those of which none has taken anything it says nothing. A run that
// was turned back itself says so by its state.
func (f *Flow) TakenBack(ctx context.Context, runs ...dayone.Run) (map[dayone.RunID]TakenBack, error) {
	ids := make([]dayone.RunID, 0, len(runs))
	for i := range runs {
		ids = append(ids, runs[i].ID)
	}
	undos, err := f.Store.UndosOf(ctx, ids)
	if err != nil || len(undos) == 0 {
		return nil, err
	}
	ids = ids[:0]
	for i := range undos {
		if ids = append(ids, undos[i].ID); !slices.Contains(ids, undos[i].Of) {
			ids = append(ids, undos[i].Of)
		}
	}
	read, err := f.Store.RunsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	all, of := map[dayone.RunID]dayone.Run{}, map[dayone.RunID][]dayone.Run{}
	for _, r := range read {
		all[r.ID] = r
	}
	for _, u := range undos {
		of[u.Of] = append(of[u.Of], all[u.ID])
	}
	out := map[dayone.RunID]TakenBack{}
	for id, by := range of {
		if t := takenBack(all[id], by, f.Clock.Now()); t.Under || len(t.Steps) > 0 {
			out[id] = t
		}
	}
	return out, nil
}

// takenBack is how far undos, the newest first, had taken a run back at an instant.
func takenBack(r dayone.Run, undos []dayone.Run, at time.Time) TakenBack {
	t := TakenBack{Steps: map[dayone.StepID]bool{}}
	gone := backs(r, at)
	for _, u := range undos {
		if t.By == "" {
			t.By = u.ID
		}
		t.Under = t.Under || !u.State.Over()
		gone = append(gone, backs(u, at)...)
	}
	left := false
	for i := range r.Steps {
		s := &r.Steps[i]
		switch {
		case !counts(*s):
		case slices.ContainsFunc(gone, func(b *dayone.StepRun) bool { return takesBack(b, s.Step) }):
			t.Steps[s.Step.ID] = true
		default:
			left = left || stands(s) && !slices.ContainsFunc(undos, func(u dayone.Run) bool { return absent(u, s.Step.Key, at) })
		}
	}
	t.Whole = len(t.Steps) > 0 && !left
	return t
}

// absent says that an undo which had begun at an instant found nothing left of something.
func absent(undo dayone.Run, k dayone.Key, at time.Time) bool {
	return !undo.Started.After(at) && slices.ContainsFunc(undo.Plan.Findings, func(f dayone.Finding) bool { return f.Kind == planner.Absent && f.Key == k })
}

// stands says whether a step has brought something about that is still there, and could go.
func stands(s *dayone.StepRun) bool {
	return (s.State == dayone.StepDone || s.State == dayone.StepWaiting) && s.Result.Changed() && s.Step.Undo.Possible()
}
