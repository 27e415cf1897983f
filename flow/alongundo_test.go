package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// What an onboarding made was opened on the first day by a run of its own, and went with the undo of the onboarding: that run is taken
// back, too, for whoever asks, and there is nothing of it to undo once more. What policies give again afterwards is not.
func TestWhatTheUndoOfAnEarlierRunTookIsTakenBack(t *testing.T) {
	t.Parallel()
	h, p, r, opened := erinOpened(t)
	if gone, err := h.TakenBack(ctx, r, opened); err != nil || len(gone) > 0 {
		t.Fatalf("before the undo: %+v, %v", gone, err)
	}
	undo := h.undoes(r.ID)
	for _, runs := range [][]dayone.Run{{opened}, {opened, r, undo}} {
		gone, err := h.TakenBack(ctx, runs...)
		if b := gone[opened.ID]; err != nil || !b.Whole || b.Under || b.By != undo.ID || b.Of != r.ID {
			t.Errorf("of %d runs, what opened them is taken back: %+v, %v", len(runs), b, err)
		}
		for id, b := range gone {
			if !b.Whole || b.By != undo.ID || b.Of != r.ID || id == undo.ID {
				t.Errorf("%s is taken back: %+v", id, b)
			}
		}
	}
	_, err := h.UndoPreview(ctx, opened.ID, nil)
	is(t, err, dayone.ErrConflict)
	if err == nil || !strings.Contains(err.Error(), string(undo.ID)+" has taken this run back already") {
		t.Errorf("a second undo: %v", err)
	}

	holds, err := h.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 {
		t.Fatal(holds, err)
	}
	if err := h.EndHold(ctx, holds[0].ID, "kim@company.com", "she starts after all"); err != nil {
		t.Fatal(err)
	}
	again := h.rests(p, undo.ID)
	gone, err := h.TakenBack(ctx, again, opened)
	if _, is := gone[again.ID]; err != nil || is || !gone[opened.ID].Whole {
		t.Errorf("given again: %+v, %v", gone, err)
	}
}

// The run of the first day opened one account. The undo of another one is no matter of it; once its own is closed it is taken back.
func TestAnUndoOfSomethingElseLeavesALaterRun(t *testing.T) {
	t.Parallel()
	h, _, r, opened := erinOpened(t)
	h.undoes(r.ID, "gitlab/account account.create")
	if gone, err := h.TakenBack(ctx, opened); err != nil || len(gone) > 0 {
		t.Errorf("taken back: %+v, %v", gone, err)
	}
	if _, err := h.UndoPreview(ctx, opened.ID, nil); err != nil {
		t.Errorf("it is no conflict to ask what an undo of it would do: %v", err)
	}
	undo := h.undoes(r.ID, "okta/account account.create")
	gone, err := h.TakenBack(ctx, opened)
	if b := gone[opened.ID]; err != nil || !b.Whole || b.By != undo.ID || b.Of != r.ID || len(b.Steps) != 1 || !b.Steps["okta/account account.enable"] {
		t.Errorf("taken back: %+v, %v", b, err)
	}
}

// What a run took away before an undo of an earlier one is not given back by that, nor is the run taken back.
func TestWhatALaterRunTookIsNotTakenBack(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	moved := h.changes(p, r.ID, employee("1", "start_date", "2024-11-14", "department", "Legal", "effective_date", "2024-11-14"))
	if f := failures(moved); len(f) > 0 {
		t.Fatal(f)
	}
	h.rested(p)
	h.undoes(r.ID)
	gone, err := h.TakenBack(ctx, moved)
	if b := gone[moved.ID]; err != nil || b.Whole {
		t.Errorf("the move is taken back: %+v, %v", b, err)
	}
}

// erinOpened is Erin's house on her first day: her onboarding, and the run that opened the accounts it had made.
func erinOpened(t *testing.T) (h *house, p dayone.PersonID, onboarded, opened dayone.Run) {
	t.Helper()
	h = newWorld(t).open()
	p, onboarded = h.hires(employee("1", "start_date", "2024-11-18"))
	h.rested(p)
	h.clock.Jump(time.Date(2024, 11, 18, 18, 0, 0, 0, time.UTC))
	h.rests(p, onboarded.ID)
	h.gitlab.Login(erinMail)
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	opened = until(h, "everything is confirmed", func() (dayone.Run, bool) {
		r := h.rests(p, onboarded.ID)
		return r, r.State == dayone.RunDone
	})
	h.rested(p)
	return h, p, onboarded, opened
}
