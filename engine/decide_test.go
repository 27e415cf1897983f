package engine_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

func kim(v engine.Verb, attrs dayone.Attrs) engine.Human {
	return engine.Human{By: "kim@company.com", Verb: v, Attrs: attrs}
}

func TestASeatThatWasBoughtIsAskedForAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("slack/account")}}, map[dayone.StepID]outcome{"slack/account": {{err: dayone.ErrNoSeat}, {}}})
	w.moves()[0]()
	w.moves()[0]()
	if got := w.states(); got != "waiting | slack/account waiting" || len(w.tasks) != 1 {
		t.Fatalf("%s, tasks %v", got, w.tasks)
	}
	if err := w.decide("slack/account", kim(engine.Complete, dayone.Attrs{"note": dayone.Text("bought ten")})); err != nil {
		t.Fatal(err)
	}
	if len(w.holdings) > 0 {
		t.Fatalf("the books say %v, and nobody has asked the system", w.holdings)
	}
	w.finish(first)
	if got := w.states(); got != "done | slack/account done" || len(w.tasks) > 0 {
		t.Errorf("%s, tasks %v", got, w.tasks)
	}
	if h := w.holdings[dayone.Key{System: "slack", Kind: "account"}]; h.Ref == "" {
		t.Errorf("the books say %+v", h)
	}
}

func TestASeatThatIsFoundByItselfClosesItsTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("slack/account")}}, map[dayone.StepID]outcome{"slack/account": {{err: dayone.ErrNoSeat}, {wait: dayone.WaitFirstLogin}}})
	w.finish(first)
	if got := w.states(); got != "waiting | slack/account waiting" || len(w.tasks) > 0 {
		t.Errorf("%s, tasks %v", got, w.tasks)
	}
}

func TestAConflictIsNotCompletedByANoteAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("gitlab/account")}}, map[dayone.StepID]outcome{"gitlab/account": {{err: &dayone.Fault{Err: dayone.ErrConflict, Found: &dayone.Item{Ref: "42"}}}}})
	w.finish(first)
	before := w.states()
	err := w.decide("gitlab/account", kim(engine.Complete, dayone.Attrs{"note": dayone.Text("done")}))
	if !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(err.Error(), "adopt") {
		t.Errorf("it says %v", err)
	}
	if w.states() != before || len(w.tasks) != 1 || len(w.holdings) > 0 {
		t.Errorf("%s, tasks %v, books %v", w.states(), w.tasks, w.holdings)
	}
}

// What a human has done by hand is in the books as it was asked for: with an id, else nobody could close it again, and in
// the state that was wanted.
func TestWhatWasDoneByHandIsBookedAsItWasWanted(t *testing.T) {
	t.Parallel()
	by := map[dayone.StepID]outcome{"paper/account": {{err: dayone.ErrUnsupported}}}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("paper/account")}}, by)
	w.finish(first)
	if err := w.decide("paper/account", kim(engine.Complete, nil)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("an account without an id: %v", err)
	}
	if err := w.decide("paper/account", kim(engine.Complete, dayone.Attrs{"ref": dayone.Text("7"), "note": dayone.Text("drawer 3")})); err != nil {
		t.Fatal(err)
	}
	k := dayone.Key{System: "paper", Kind: "account"}
	if h := w.holdings[k]; h.Ref != "7" || h.State != dayone.Active || len(h.Attrs) > 0 {
		t.Errorf("the books say %+v", h)
	}
	closing := step("paper/account")
	closing.Action, closing.Have, closing.Want = dayone.AccountDisable, &dayone.Item{Key: k, Ref: "7", State: dayone.Active}, &dayone.Item{Key: k, State: dayone.Disabled}
	w = newWorld(t, dayone.Plan{Steps: []dayone.Step{closing}}, by)
	w.finish(first)
	if err := w.decide("paper/account", kim(engine.Complete, nil)); err != nil {
		t.Fatal(err)
	}
	if h := w.holdings[k]; h.Ref != "7" || h.State != dayone.Disabled {
		t.Errorf("after it was closed by hand the books say %+v", h)
	}
}

// A decision that cannot be carried out says so, and what to do: it does not vanish.
func TestDecisionsThatCannotBeCarriedOutAreRefused(t *testing.T) {
	t.Parallel()
	outcomes := map[dayone.StepID]outcome{
		"a/account": {{err: dayone.ErrForbidden}}, "b/account": {{wait: dayone.WaitFirstLogin}}, "d/order": {{wait: dayone.WaitTask}},
	}
	p := dayone.Plan{Steps: []dayone.Step{step("a/account"), step("a/group:x", "a/account"), step("b/account"), step("c/account"), step("d/order"), step("e/account", "d/order"), step("f/account")}}
	w := newWorld(t, p, outcomes)
	for w.calls["f/account"] == 0 {
		w.moves()[0]()
	}
	if got, want := w.states(), "running | a/account failed | a/group:x blocked | b/account waiting | c/account done | d/order waiting | e/account pending | f/account running"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	for _, c := range []struct {
		step string
		verb engine.Verb
		says string
	}{
		{"nobody/account", engine.Retry, "has no step"},
		{"", engine.Skip, "has no step"},
		{"a/account", engine.Complete, "retry looks again"},
		{"a/group:x", engine.Retry, "needs a/account, so retry that one"},
		{"b/account", engine.Complete, "no task"},
		{"c/account", engine.Complete, "no task"},
		{"c/account", engine.Retry, "only what failed or waits"},
		{"c/account", engine.Skip, "only what has not ended"},
		{"e/account", engine.Retry, "only what failed or waits"},
		{"f/account", engine.Retry, "only what failed or waits"},
		{"f/account", engine.Skip, "only what has not ended"},
	} {
		before, records := w.written(), len(w.records)
		err := w.decide(dayone.StepID(c.step), kim(c.verb, nil))
		if !errors.Is(err, dayone.ErrConflict) || errors.Is(err, engine.ErrOver) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s says %v", c.verb, c.step, err)
		}
		if w.written() != before || len(w.records) != records {
			t.Errorf("%s %s is refused and changes the run", c.verb, c.step)
		}
	}
	if err := w.decide("a/account", kim("explode", nil)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("an unknown verb says %v", err)
	}
	if err := w.decide("", kim(engine.Supersede, nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.decide("a/account", kim(engine.Retry, nil)); !errors.Is(err, engine.ErrOver) {
		t.Errorf("a retry while the run is given up says %v", err)
	}
}

func (w *world) written() string {
	raw, err := json.Marshal(w.run)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	return string(raw)
}

// What a run wanted when it ended may not be wanted any more: she may have left since. Nothing of it is called again, and
// its end is its end. Only what an incomplete run has lost is still open.
func TestARunThatIsOverIsNotTakenUpAgain(t *testing.T) {
	t.Parallel()
	bad := step("b/account")
	critical := step("c/account", "a/account")
	critical.Critical = dayone.Rollback
	undoable := step("a/account")
	undoable.Undo = dayone.UndoDelete
	for _, c := range []struct {
		state    dayone.RunState
		plan     []dayone.Step
		outcomes map[dayone.StepID]outcome
	}{
		{dayone.RunDone, []dayone.Step{step("a/account")}, nil},
		{dayone.RunIncomplete, []dayone.Step{step("a/account"), bad}, map[dayone.StepID]outcome{bad.ID: {{err: dayone.ErrForbidden}}}},
		{dayone.RunUndone, []dayone.Step{undoable, critical}, map[dayone.StepID]outcome{critical.ID: {{err: dayone.ErrForbidden}}}},
		{dayone.RunUndoIncomplete, []dayone.Step{undoable, critical}, map[dayone.StepID]outcome{critical.ID: {{err: dayone.ErrForbidden}}, "a/account account.delete (undo)": {{err: dayone.ErrForbidden}}}},
		{dayone.RunSuperseded, []dayone.Step{step("a/account"), bad}, map[dayone.StepID]outcome{bad.ID: {{err: dayone.ErrForbidden}}}},
	} {
		w := newWorld(t, dayone.Plan{Steps: c.plan}, c.outcomes)
		if c.state == dayone.RunSuperseded {
			w.moves()[0]()
			if err := w.decide("", kim(engine.Supersede, nil)); err != nil {
				t.Fatal(err)
			}
		}
		w.finish(first)
		if w.run.State != c.state {
			t.Fatalf("%s, want %s", w.states(), c.state)
		}
		before := w.written()
		w.now = w.now.Add(30 * 24 * time.Hour)
		clear(w.ready)
		for _, s := range w.run.Steps {
			for _, v := range []engine.Verb{engine.Retry, engine.Complete} {
				if c.state == dayone.RunIncomplete && v == engine.Retry && s.State == dayone.StepFailed {
					continue
				}
				if err := w.decide(s.Step.ID, kim(v, nil)); !errors.Is(err, engine.ErrOver) || !errors.Is(err, dayone.ErrConflict) {
					t.Errorf("%s of %s, %s, in a run that is %s: %v", v, s.Step.ID, s.State, c.state, err)
				}
			}
		}
		if err := w.decide("", kim(engine.Supersede, nil)); err != nil {
			t.Errorf("superseding what is over has nothing to do, and says %v", err)
		}
		if w.written() != before || len(w.moves()) > 0 {
			t.Errorf("it was %s and is %s:\n%s\n%s", c.state, w.run.State, before, w.written())
		}
	}
}

// An incomplete run is gone on with where it stopped; what that brings about is in its books beside what it had.
func TestWhatAnIncompleteRunLostIsTriedAgain(t *testing.T) {
	t.Parallel()
	mail := step("mail/message:x", "a/account")
	mail.Action, mail.On = dayone.MessageSend, []dayone.Moment{dayone.OnReady}
	mail.Needs = []dayone.Need{{Step: "a/account", When: dayone.Settled}, {Step: "b/group:x", When: dayone.Settled}}
	p := dayone.Plan{Steps: []dayone.Step{step("a/account"), step("b/account"), step("b/group:x", "b/account"), mail}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"b/account": {{err: dayone.ErrForbidden}}})
	w.finish(first)
	if got, want := w.states(), "incomplete | a/account done | b/account failed | b/group:x blocked | mail/message:x skipped"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	if err := w.decide("b/group:x", kim(engine.Retry, nil)); !errors.Is(err, dayone.ErrConflict) || w.run.State != dayone.RunIncomplete {
		t.Errorf("a retry of what is blocked says %v, and the run is %s", err, w.run.State)
	}
	w.outcomes = nil
	if err := w.decide("b/account", kim(engine.Retry, nil)); err != nil {
		t.Fatal(err)
	}
	if w.run.State != dayone.RunRunning || !w.run.Ended.IsZero() {
		t.Errorf("it is %s and ended at %v", w.run.State, w.run.Ended)
	}
	w.finish(first)
	if got, want := w.states(), "done | a/account done | b/account done | b/group:x done | mail/message:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Or a human says that what it has lost is not missed.
func TestWhatAnIncompleteRunLostCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("a/account"), step("b/account"), step("b/group:x", "b/account")}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"b/account": {{err: dayone.ErrForbidden}}})
	w.finish(first)
	ended := w.run.Ended
	w.now = w.now.Add(24 * time.Hour)
	if err := w.decide("a/account", kim(engine.Skip, nil)); !errors.Is(err, engine.ErrOver) {
		t.Errorf("skipping what is done says %v", err)
	}
	for i, id := range []dayone.StepID{"b/account", "b/group:x"} {
		if want := []dayone.RunState{dayone.RunIncomplete, dayone.RunIncomplete}[i]; w.run.State != want {
			t.Errorf("before %s is skipped the run is %s", id, w.run.State)
		}
		if err := w.decide(id, engine.Human{By: "kim@company.com", Verb: engine.Skip, Reason: "not needed"}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := w.states(), "done | a/account done | b/account skipped | b/group:x skipped"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if !w.run.Ended.Equal(ended) || len(w.moves()) > 0 {
		t.Errorf("it ended at %v, not %v", w.run.Ended, ended)
	}
}

// While a run takes back what it gave, nothing is given again.
func TestARunThatTurnsBackGivesNothingAgain(t *testing.T) {
	t.Parallel()
	a := step("a/account")
	a.Undo = dayone.UndoDelete
	bad := step("c/account", "a/account")
	bad.Critical = dayone.Rollback
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{a, bad}}, map[dayone.StepID]outcome{"c/account": {{err: dayone.ErrForbidden}}, "a/account account.delete (undo)": {{err: dayone.ErrUnsupported}, {}}})
	w.finish(first)
	if w.run.State != dayone.RunUndoing || len(w.tasks) != 1 {
		t.Fatalf("%s, tasks %v", w.states(), w.tasks)
	}
	if err := w.decide("c/account", kim(engine.Retry, nil)); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a retry of what failed says %v", err)
	}
	if err := w.decide("a/account account.delete (undo)", kim(engine.Complete, nil)); err != nil {
		t.Error(err)
	}
	w.finish(first)
	if w.run.State != dayone.RunUndone || len(w.holdings) > 0 || len(w.tasks) > 0 {
		t.Errorf("%s, books %v, tasks %v", w.states(), w.holdings, w.tasks)
	}
}

// anyAnswer is whatever a system may say, so that a run can be found in every state.
func anyAnswer(t *rapid.T, s dayone.Step) answer {
	a := rapid.SampledFrom([]answer{
		{},
		{},
		{err: dayone.ErrUnavailable},
		{err: dayone.ErrForbidden},
		{err: dayone.ErrNoSeat},
		{err: dayone.ErrUnsupported},
		{err: &dayone.Fault{Err: dayone.ErrConflict, Found: &dayone.Item{Ref: "42"}}},
		{err: dayone.ErrDryRun},
		{err: errors.New("a fault of our own")},
		{wait: dayone.WaitPropagation},
		{wait: dayone.WaitSystem},
		{wait: dayone.WaitFirstLogin},
		{wait: dayone.WaitTask},
		{wait: dayone.WaitSeat},
	}).Draw(t, "answer")
	if s.Action == dayone.MessageSend {
		a.wait = ""
	}
	return a
}

// Whatever order of answers, restarts, alarms and decisions: a run never stands still unless it is over or waits for a
// human. A decision that is refused changes nothing, and what is over stays as it is.
func TestARunNeverStandsStill(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := plans(t)
		for i := range p.Steps {
			if s := &p.Steps[i]; s.Action == dayone.AccountCreate {
				s.Undo = rapid.SampledFrom([]dayone.Undo{dayone.UndoDelete, dayone.UndoDisable}).Draw(t, "undo")
			}
		}
		w := newWorld(t, p, nil)
		w.say = func(s dayone.Step) answer { return anyAnswer(t, s) }
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			before, over, decided := "", w.run.State.Over(), false
			what := rapid.IntRange(0, 9).Draw(t, "what")
			if over || what == 1 || what == 2 {
				before = w.written()
			}
			switch {
			case what == 0:
				w.crash()
			case what <= 2:
				decided = true
				id := dayone.StepID("none")
				if i := rapid.IntRange(-1, len(w.run.Steps)-1).Draw(t, "of"); i >= 0 {
					id = w.run.Steps[i].Step.ID
				}
				verb := rapid.SampledFrom([]engine.Verb{engine.Complete, engine.Complete, engine.Retry, engine.Retry, engine.Skip, engine.Supersede}).Draw(t, "verb")
				attrs := rapid.SampledFrom([]dayone.Attrs{nil, {"adopt": dayone.Text("42")}, {"ref": dayone.Text("43")}}).Draw(t, "attrs")
				if err := w.decide(id, kim(verb, attrs)); err != nil {
					if dayone.KindOf(err) == nil {
						t.Fatalf("%s says %v, which is of no kind", verb, err)
					}
					if w.written() != before {
						t.Fatalf("%s of %s is refused (%v) and changes the run:\n%s\n%s", verb, id, err, before, w.written())
					}
				}
			case what == 3:
				w.ring()
			default:
				if ms := w.moves(); len(ms) > 0 {
					ms[rapid.IntRange(0, len(ms)-1).Draw(t, "next")]()
				} else {
					w.ring()
				}
			}
			if over && !decided && w.written() != before {
				t.Fatalf("it was over and is changed:\n%s\n%s", before, w.written())
			}
			w.mustMove(t)
		}
		for range 100 { // nobody decides any more: it comes to rest, but for what is looked at for ever
			if ms := w.moves(); len(ms) > 0 {
				ms[0]()
			} else if !w.ring() {
				break
			}
			w.mustMove(t)
		}
	})
}

// mustMove fails if nothing will ever move the run: nothing is under way, no alarm is set, and nobody is asked.
func (w *world) mustMove(t *rapid.T) {
	if w.run.State.Over() {
		if open := w.openTasks(); len(w.calls) > 0 || len(open) > 0 {
			t.Fatalf("%s with calls %v and tasks %v", w.states(), w.calls, open)
		}
		return
	}
	if len(w.calls)+len(w.ready)+len(w.alarms) > 0 {
		return
	}
	for _, s := range w.run.Steps {
		if s.State == dayone.StepWaiting && s.Wait.Kind.Human() {
			return
		}
	}
	t.Fatalf("nothing moves, and nobody is asked: %s", w.states())
}

// openTasks are those that are open although their run is over. One for something that is there, such as an order under
// way, goes on with the next run.
func (w *world) openTasks() []string {
	there := map[string]bool{}
	for _, s := range w.run.Steps {
		there[s.Step.Once] = there[s.Step.Once] || s.Result.Now != nil
	}
	var out []string
	for once := range w.tasks {
		if !there[once] || w.run.State != dayone.RunSuperseded {
			out = append(out, once)
		}
	}
	return out
}
