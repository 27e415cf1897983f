package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// undoable is a drawn plan in which every step has a way back, and what is there before it.
func undoable(t *rapid.T) (dayone.Plan, map[dayone.Key]dayone.Item) {
	p := timeless(plans(t))
	start := map[dayone.Key]dayone.Item{}
	for i := range p.Steps {
		s := &p.Steps[i]
		switch s.Action {
		case dayone.MessageSend:
			continue
		case dayone.AccountCreate:
			s.Undo = dayone.UndoDelete
			switch rapid.IntRange(0, 2).Draw(t, "account") {
			case 0: // it is there, and closed
				have := dayone.Item{Key: s.Key, Ref: "ref of " + s.Key.String(), State: dayone.Active}
				start[s.Key] = have
				s.Action, s.Have, s.Undo = dayone.AccountDisable, &have, dayone.UndoRestore
				s.Want = &dayone.Item{Key: s.Key, Ref: have.Ref, State: dayone.Disabled}
			case 1: // it is closed, and opened
				have := dayone.Item{Key: s.Key, Ref: "ref of " + s.Key.String(), State: dayone.Disabled}
				start[s.Key] = have
				s.Action, s.Have, s.Undo = dayone.AccountEnable, &have, dayone.UndoRestore
				s.Want = &dayone.Item{Key: s.Key, Ref: have.Ref, State: dayone.Active}
			}
			s.Subject.Ref = start[s.Key].Ref
		case dayone.EntitlementRemove:
			s.Have.Ref = "ref of " + s.Key.String()
			start[s.Key] = *s.Have
		}
		if s.Critical == dayone.Rollback {
			s.Critical = dayone.Stop
		}
	}
	return p, start
}

// wide lets a run wait for a human at its end, so that it is under way however much of it is done.
func wide(p dayone.Plan) dayone.Plan {
	k := dayone.Key{System: "zz", Kind: "task"}
	p.Steps = append(p.Steps, dayone.Step{
		ID: "zzz waits", Action: dayone.EntitlementAdd, Key: k, Once: "zzz", Want: &dayone.Item{Key: k, State: dayone.Active}, Undo: dayone.UndoNone + "by hand", Critical: dayone.Stop,
	})
	return p
}

// pictured is what there is, in words, without what has no way back: messages and the order that waits.
func pictured(items map[dayone.Key]dayone.Item) string {
	var out []string
	for k, it := range items {
		if k.Kind != "message" && k.System != "zz" {
			out = append(out, fmt.Sprintf("%s %s %s", k, it.Ref, it.State))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

var undoHold = &dayone.Hold{ID: "hld_1", Person: "per_1", Run: "run_1", By: "kim@company.com", Reason: "a mistake", Until: at.AddDate(0, 0, 7)}

// undone plays a plan for a while, turns it back, and plays to the end.
func undone(t *rapid.T, p dayone.Plan, start map[dayone.Key]dayone.Item, o map[dayone.StepID]outcome, moves int, pick func(int) int) *world {
	w := newWorld(t, p, o)
	maps.Copy(w.holdings, start)
	for range moves {
		ms := w.moves()
		if len(ms) == 0 {
			break
		}
		ms[pick(len(ms))]()
	}
	if w.run.State.Over() {
		t.Fatalf("the run is over: %s", w.states())
	}
	if err := w.decide("", engine.Human{By: "kim@company.com", Verb: engine.Undo, Reason: "a mistake", Hold: undoHold}); err != nil {
		t.Fatalf("the undo is refused: %v", err)
	}
	w.finish(pick)
	return w
}

// Undone at any moment, with answers in any order, everything is as it was before, and nobody is told anything more.
func TestUndoReturnsToTheStart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, start := undoable(t)
		o := map[dayone.StepID]outcome{"zzz waits": {{wait: dayone.WaitTask}}}
		for _, s := range p.Steps {
			for range rapid.IntRange(0, 2).Draw(t, "hiccups") {
				o[s.ID] = append(o[s.ID], answer{err: fmt.Errorf("x: %w", dayone.ErrUnavailable)})
			}
			o[s.ID] = append(o[s.ID], answer{})
		}
		w := undone(t, wide(p), start, o, rapid.IntRange(0, 60).Draw(t, "moves"), func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") })
		if got, want := pictured(w.holdings), pictured(start); got != want {
			t.Fatalf("after the undo there is\n%s\nnot\n%s\n%s", got, want, w.states())
		}
		if w.run.State != dayone.RunUndone {
			t.Fatalf("the run is %s", w.states())
		}
		if !slices.Contains(w.records, " undo decided") || !slices.Contains(w.records, " hold") {
			t.Fatalf("the ledger does not say so: %v", w.records)
		}
	})
}

// Whatever systems answer, an undo comes to rest; and from the same moment on, the order of answers does not matter.
func TestAnyOrderOfAnswersUndoesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, start := undoable(t)
		o := outcomes(t, p)
		for _, s := range p.Steps { // what the way back meets
			for _, a := range []dayone.Action{dayone.AccountDelete, dayone.AccountDisable, dayone.AccountEnable, dayone.EntitlementAdd, dayone.EntitlementRemove} {
				id := dayone.StepID(s.Key.String() + " " + string(a) + " (undo)")
				if rapid.IntRange(0, 4).Draw(t, "back") == 0 {
					o[id] = outcome{{err: fmt.Errorf("x: %w", rapid.SampledFrom([]error{dayone.ErrInvalid, dayone.ErrUnavailable}).Draw(t, "how"))}}
				}
			}
		}
		o["zzz waits"] = outcome{{wait: dayone.WaitTask}}
		var want string
		for i := range 4 {
			w := newWorld(t, wide(p), o)
			maps.Copy(w.holdings, start)
			w.finish(func(int) int { return 0 }) // it has come to rest, always the same
			if err := w.decide("", engine.Human{By: "kim", Verb: engine.Undo, Hold: undoHold}); err != nil {
				t.Fatalf("the undo is refused: %v", err)
			}
			w.finish(func(n int) int {
				switch i {
				case 0:
					return 0
				case 1:
					return n - 1
				}
				return rapid.IntRange(0, n-1).Draw(t, "next")
			})
			got := w.states() + " " + pictured(w.holdings)
			switch {
			case w.run.State != dayone.RunUndone && w.run.State != dayone.RunUndoIncomplete:
				t.Fatalf("nothing moves and the run is %s", w.states())
			case i == 0:
				want = got
			case got != want:
				t.Fatalf("in another order it ends as\n%s\nnot\n%s", got, want)
			}
		}
	})
}

// A crash in the middle of an undo changes nothing.
func TestAnUndoSurvivesACrash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, start := undoable(t)
		o := map[dayone.StepID]outcome{"zzz waits": {{wait: dayone.WaitTask}}}
		w := newWorld(t, wide(p), o)
		maps.Copy(w.holdings, start)
		w.finish(first)
		if err := w.decide("", engine.Human{By: "kim", Verb: engine.Undo, Hold: undoHold}); err != nil {
			t.Fatalf("the undo is refused: %v", err)
		}
		for range rapid.IntRange(0, 20).Draw(t, "before the crash") {
			ms := w.moves()
			if len(ms) == 0 {
				break
			}
			ms[rapid.IntRange(0, len(ms)-1).Draw(t, "next")]()
		}
		w.crash()
		w.finish(first)
		if got, want := pictured(w.holdings), pictured(start); got != want || w.run.State != dayone.RunUndone {
			t.Fatalf("after a crash there is\n%s\nnot\n%s\n%s", got, want, w.states())
		}
	})
}

func TestUndoIsRefusedWhereItMeansNothing(t *testing.T) {
	t.Parallel()
	undo := engine.Human{By: "kim", Verb: engine.Undo, Hold: undoHold}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("okta/account")}}, nil)
	w.finish(first)
	if err := w.decide("", undo); !isConflict(err) {
		t.Errorf("a run that is over is turned back: %v", err)
	}
	w = newWorld(t, wide(dayone.Plan{Steps: []dayone.Step{step("okta/account")}}), map[dayone.StepID]outcome{"zzz waits": {{wait: dayone.WaitTask}}})
	if err := w.decide("", undo); err != nil {
		t.Fatal(err)
	}
	w2 := newWorld(t, wide(dayone.Plan{Steps: []dayone.Step{step("okta/account")}}), nil)
	w2.moves()[0]() // under way
	if err := w2.decide("", undo); err != nil {
		t.Fatal(err)
	}
	if err := w2.decide("", undo); !isConflict(err) {
		t.Errorf("it goes back twice: %v", err)
	}
}

// An account that somebody may have used is closed where it would be deleted, also after a restart.
func TestUndoClosesWhatMayBeInUse(t *testing.T) {
	t.Parallel()
	s := step("okta/account")
	s.Undo = dayone.UndoDelete
	w := newWorld(t, wide(dayone.Plan{Steps: []dayone.Step{s}}), map[dayone.StepID]outcome{"zzz waits": {{wait: dayone.WaitTask}}})
	w.finish(first)
	if err := w.decide("", engine.Human{By: "kim", Verb: engine.Undo, Hold: undoHold, Ways: map[dayone.StepID]dayone.Undo{s.ID: dayone.UndoDisable}}); err != nil {
		t.Fatal(err)
	}
	if w.run.Step(s.ID).Step.Undo != dayone.UndoDisable {
		t.Error("what was decided of the account is not part of the run, so a restart would forget it")
	}
	w.crash()
	w.finish(first)
	if it := w.holdings[s.Key]; it.State != dayone.Disabled {
		t.Errorf("the account is %q\n%s", it.State, w.states())
	}
}

// A meeting is called off, as long as it has not begun; what was read stays read.
func TestUndoCancelsInvitations(t *testing.T) {
	t.Parallel()
	meeting := func(name string, start time.Time) dayone.Step {
		k := dayone.Key{System: "calendar", Kind: "invitation", Name: name}
		return dayone.Step{
			ID: dayone.StepID(k.String()), Action: dayone.MessageSend, Key: k, Once: name, Critical: dayone.Continue,
			Want: &dayone.Item{Key: k, State: dayone.Active, Attrs: dayone.Attrs{"start": dayone.Text(start.Format(time.RFC3339))}},
		}
	}
	p := wide(dayone.Plan{Steps: []dayone.Step{meeting("past", at.Add(-time.Hour)), meeting("to-come", at.Add(72*time.Hour))}})
	w := newWorld(t, p, map[dayone.StepID]outcome{"zzz waits": {{wait: dayone.WaitTask}}})
	w.finish(first)
	if err := w.decide("", engine.Human{By: "kim", Verb: engine.Undo, Hold: undoHold}); err != nil {
		t.Fatal(err)
	}
	w.finish(first)
	if got := pictured(w.holdings); got != "calendar/invitation:past ref of calendar/invitation:past active" {
		t.Errorf("there is %s\n%s", got, w.states())
	}
}

func isConflict(err error) bool { return err != nil && dayone.KindOf(err) == dayone.ErrConflict }
