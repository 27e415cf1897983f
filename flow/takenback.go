package flow

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// TakenBack is how far later undos have taken a run back.
type TakenBack struct {
	By    dayone.RunID           // the undo that began last
	Of    dayone.RunID           // of which run that is the undo: of this one, or of an earlier one, with which this went
	Whole bool                   // nothing of it is left but what nobody can take back
	Under bool                   // an undo is under way
	Steps map[dayone.StepID]bool // that are taken back
}

// TakenBack says of runs how far undos have taken them back, their own and those of earlier runs of the same person; of those of which
// none has taken anything it says nothing. A run that was turned back itself says so by its state. However many runs are asked for, it
// asks once for all.
func (f *Flow) TakenBack(ctx context.Context, runs ...dayone.Run) (map[dayone.RunID]TakenBack, error) {
	ids := make([]dayone.RunID, 0, len(runs))
	for i := range runs {
		ids = append(ids, runs[i].ID)
	}
	undos, err := f.Store.UndosOf(ctx, ids)
	if err != nil || len(undos) == 0 {
		return nil, err
	}
	hers := map[dayone.PersonID][]dayone.Run{}
	for _, u := range undos {
		hers[u.Person] = append(hers[u.Person], u)
	}
	all, of := map[dayone.RunID]dayone.Run{}, map[dayone.RunID][]dayone.RunID{}
	for i := range runs {
		r := &runs[i]
		for _, u := range hers[r.Person] {
			if u.Of == r.ID || u.Of < r.ID && r.ID < u.ID && (r.Of == "" || r.Of == r.ID) {
				of[r.ID] = append(of[r.ID], u.ID)
				all[r.ID], all[u.ID] = dayone.Run{}, dayone.Run{}
			}
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	read, err := f.Store.RunsOf(ctx, slices.Sorted(maps.Keys(all)))
	if err != nil {
		return nil, err
	}
	for _, r := range read {
		all[r.ID] = r
	}
	out := map[dayone.RunID]TakenBack{}
	for id, by := range of {
		those := make([]dayone.Run, 0, len(by))
		for _, u := range by {
			those = append(those, all[u])
		}
		if t := takenBack(all[id], those, f.Clock.Now()); t.Under || len(t.Steps) > 0 {
			out[id] = t
		}
	}
	return out, nil
}

// takenBack is how far undos, the newest first, had taken a run back at an instant.
func takenBack(r dayone.Run, undos []dayone.Run, at time.Time) TakenBack {
	t := TakenBack{Steps: map[dayone.StepID]bool{}}
	gone, along := backs(r, at), []*dayone.StepRun(nil)
	undos = slices.DeleteFunc(slices.Clone(undos), func(u dayone.Run) bool { return u.Of != r.ID && !meets(r, u, at) })
	for _, u := range undos {
		if t.By == "" {
			t.By, t.Of = u.ID, u.Of
		}
		t.Under = t.Under || !u.State.Over()
		if u.Of == r.ID {
			gone = append(gone, backs(u, at)...)
		} else {
			along = append(along, backs(u, at)...)
		}
	}
	left := false
	for i := range r.Steps {
		s := &r.Steps[i]
		switch {
		case !counts(*s):
		case slices.ContainsFunc(gone, func(b *dayone.StepRun) bool { return takesBack(b, s.Step) }),
			slices.ContainsFunc(along, func(b *dayone.StepRun) bool { return takesAlong(b, s) }):
			t.Steps[s.Step.ID] = true
		default:
			left = left || stands(s) && !slices.ContainsFunc(undos, func(u dayone.Run) bool { return (u.Of == r.ID || !s.Step.Action.Takes()) && absent(u, s.Step.Key, at) })
		}
	}
	t.Whole = len(t.Steps) > 0 && !left
	return t
}

// meets says whether the undo of an earlier run takes something that a run has brought about: it had by an instant, or is still at it.
func meets(r, undo dayone.Run, at time.Time) bool {
	took := backs(undo, at)
	for i := range undo.Steps {
		b := &undo.Steps[i]
		if (!undo.State.Over() && b.Step.Undoes != "" || slices.Contains(took, b)) && slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return counts(s) && takesAlong(b, &s) }) {
			return true
		}
	}
	return false
}

// takesAlong says whether a step that takes an earlier run back takes what a later one had brought about as well: the same access, or the
// account that it is part of. What a later run took away or wrote into an account stays as long as there is the account.
func takesAlong(b, s *dayone.StepRun) bool {
	if !stands(s) {
		return false
	}
	opens := s.Step.Action.Gives() && s.Step.Action != dayone.AccountUpdate
	switch account := b.Step.Key == s.Step.Key.Account(); b.Step.Action {
	case dayone.AccountDelete:
		return account
	case dayone.AccountDisable:
		return account && opens
	case dayone.EntitlementRemove:
		return b.Step.Key == s.Step.Key && opens
	default:
		return false
	}
}

// absent says that an undo which had begun at an instant found nothing left of something.
func absent(undo dayone.Run, k dayone.Key, at time.Time) bool {
	return !undo.Started.After(at) && slices.ContainsFunc(undo.Plan.Findings, func(f dayone.Finding) bool { return f.Kind == planner.Absent && f.Key == k })
}

// stands says whether a step has brought something about that is still there, and could go.
func stands(s *dayone.StepRun) bool {
	return (s.State == dayone.StepDone || s.State == dayone.StepWaiting) && s.Result.Changed() && s.Step.Undo.Possible()
}
