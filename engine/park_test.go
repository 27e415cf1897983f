package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

func decided(v engine.Verb) engine.Human {
	return engine.Human{By: "kim", Verb: v, Reason: "CHG-1"}
}

// shut is a world in which systems come and go, as their driver sees it.
type shut struct {
	*world
	closed map[string]dayone.WaitKind
}

// parks does what a driver does with a step that is ready at a system that is shut; false: it is open.
func (s shut) parks(id dayone.StepID) bool {
	kind, is := s.closed[s.run.Step(id).Step.Key.System]
	if !is {
		return false
	}
	delete(s.ready, id)
	if kind == dayone.WaitTask {
		if s.handed == nil {
			s.handed = map[dayone.StepID]bool{}
		}
		s.handed[id] = true
	}
	s.feed(engine.Event{What: engine.Park, Step: id, Wait: &dayone.Wait{Kind: kind, Note: "shut"}})
	before := len(s.started)
	s.feed(engine.Event{What: engine.Start, Step: id}) // a driver that is mistaken must do no harm
	if r := s.run.Step(id); len(s.started) > before || r.Parked.IsZero() && !r.State.Over() && s.run.Ending == "" {
		s.t.Fatalf("%s is parked and %s, and was called %d times", id, r.State, len(s.started)-before)
	}
	return true
}

func (s shut) open(system string) {
	delete(s.closed, system)
	for i := range s.run.Steps {
		if r := &s.run.Steps[i]; !r.Parked.IsZero() && r.Step.Key.System == system {
			s.feed(engine.Event{What: engine.Unpark, Step: r.Step.ID})
		}
	}
}

// go on until nothing moves; pick chooses, trouble may do something in between.
func (s shut) play(pick func(n int) int, trouble func()) {
	for range 10_000 {
		trouble()
		for id := range s.ready {
			s.parks(id)
		}
		if ms := s.moves(); len(ms) > 0 {
			ms[pick(len(ms))]()
			continue
		}
		if !s.ring() {
			return
		}
	}
	s.t.Fatalf("the run does not end: %s", s.run.State)
}

func rollbacks(p dayone.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s dayone.Step) bool { return s.Critical == dayone.Rollback })
}

// timed says that a message of the plan goes at an hour, with what is known then.
func timed(p dayone.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s dayone.Step) bool { return !s.After.IsZero() })
}

// without are a run's states; where a human had a step for long, messages have gone with what they knew then.
func without(w *world, messages bool) string {
	if !messages {
		return w.states()
	}
	var out []string
	for _, s := range w.run.Steps {
		if s.Step.Action != dayone.MessageSend {
			out = append(out, fmt.Sprint(s.Step.ID, " ", s.State))
		}
	}
	return strings.Join(out, " | ")
}

// Systems come and go as they like: no step is called while its system is shut, and once all are back the run ends as if
// none had ever gone: no try is used up, no wait is lost.
func TestParkedStepsLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := plans(t)
		o := outcomes(t, p)
		calm := newWorld(t, p, o)
		calm.finish(first)
		s := shut{newWorld(t, p, o), map[string]dayone.WaitKind{}}
		s.cfg.Elapsed = 1000 * time.Hour // hours go by in one move, for those too who are not parked
		left := 12                       // changes
		s.play(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") }, func() {
			if left == 0 || rapid.IntRange(0, 3).Draw(t, "trouble") > 0 {
				return
			}
			left--
			system := p.Steps[rapid.IntRange(0, len(p.Steps)-1).Draw(t, "of")].Key.System
			if _, is := s.closed[system]; is {
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
				s.open(system)
				return
			}
			s.closed[system] = rapid.SampledFrom([]dayone.WaitKind{dayone.WaitSystem, dayone.WaitSystem, dayone.WaitTask}).Draw(t, "kind")
		})
		if s.run.State == dayone.RunRunning && len(s.closed) > 0 {
			t.Fatalf("nothing moves and the run is %s", s.states())
		}
		if rapid.Bool().Draw(t, "crash") {
			s.crash()
		}
		for len(s.closed) > 0 {
			for _, step := range p.Steps {
				s.open(step.Key.System)
			}
		}
		s.play(first, func() {})
		if s.run.State == dayone.RunRunning || s.run.State == dayone.RunUndoing || len(s.calls) > 0 {
			t.Fatalf("all systems are back and the run is %s", s.states())
		}
		for _, r := range s.run.Steps {
			if !r.Parked.IsZero() {
				t.Fatalf("%s is parked still: %s", r.Step.ID, s.states())
			}
		}
		if got, want := without(s.world, len(s.handed) > 0 || timed(p)), without(calm, len(s.handed) > 0 || timed(p)); !rollbacks(p) && got != want {
			t.Fatalf("it ends as\n%s\nnot as without trouble\n%s", s.states(), calm.states())
		}
	})
}

// A pause starts nothing, and afterwards all goes on as if there had been none.
func TestAPauseLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := plans(t)
		o := outcomes(t, p)
		calm := newWorld(t, p, o)
		calm.finish(first)
		s := shut{newWorld(t, p, o), map[string]dayone.WaitKind{}}
		s.cfg.Elapsed = 1000 * time.Hour
		left, held := 6, 0
		s.play(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") }, func() {
			if s.run.State == dayone.RunHeld && len(s.started) > held {
				t.Fatalf("started while held: %v", s.started[held:])
			}
			if left == 0 || rapid.IntRange(0, 3).Draw(t, "decide") > 0 {
				return
			}
			left--
			if s.run.State == dayone.RunHeld {
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minutes")) * time.Minute)
				if err := s.decide("", decided(engine.GoOn)); err != nil {
					t.Fatalf("going on: %v", err)
				}
				return
			}
			err := s.decide("", decided(engine.Pause))
			if refused := s.run.State.Over() || s.run.State == dayone.RunUndoing; (err != nil) != refused {
				t.Fatalf("pausing a run that is %s: %v", s.run.State, err)
			}
			held = len(s.started)
		})
		if s.run.State == dayone.RunHeld {
			if rapid.Bool().Draw(t, "crash") {
				s.crash()
			}
			if err := s.decide("", decided(engine.GoOn)); err != nil {
				t.Fatal(err)
			}
			s.play(first, func() {})
		}
		if s.run.State == dayone.RunRunning || s.run.State == dayone.RunUndoing {
			t.Fatalf("nothing moves and the run is %s", s.states())
		}
		if !rollbacks(p) && without(s.world, timed(p)) != without(calm, timed(p)) {
			t.Fatalf("it ends as\n%s\nnot as without a pause\n%s", s.states(), calm.states())
		}
	})
}

// Whenever a run is cancelled: nothing new is called, calls under way come back and are booked, and it ends with no task
// left open.
func TestACancelledRunEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := plans(t)
		s := shut{newWorld(t, p, outcomes(t, p)), map[string]dayone.WaitKind{}}
		if rapid.Bool().Draw(t, "one is shut") {
			s.closed[p.Steps[0].Key.System] = rapid.SampledFrom([]dayone.WaitKind{dayone.WaitSystem, dayone.WaitTask}).Draw(t, "kind")
		}
		after, started, over := rapid.IntRange(0, 12).Draw(t, "after"), -1, false
		s.play(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") }, func() {
			if after--; after != -1 {
				return
			}
			over = s.run.State.Over()
			if rapid.Bool().Draw(t, "held") {
				_ = s.decide("", decided(engine.Pause))
			}
			started = len(s.started)
			if err := s.decide("", decided(engine.Cancel)); (err != nil) != over {
				t.Fatalf("cancelling a run that is over (%v): %v", over, err)
			}
		})
		if started < 0 || over {
			return // it was over before
		}
		switch {
		case s.run.State != dayone.RunCancelled:
			t.Fatalf("it is %s", s.states())
		case len(s.started) > started:
			t.Fatalf("started after the cancel: %v", s.started[started:])
		case len(s.tasks) > 0:
			t.Fatalf("tasks are left: %v", s.tasks)
		}
		if err := s.decide("", decided(engine.GoOn)); err != nil || s.run.State != dayone.RunCancelled || s.run.Ending != "" {
			t.Fatalf("resumed it is %s, %q: %v", s.run.State, s.run.Ending, err)
		}
		if err := s.decide("", decided(engine.GoOn)); !errors.Is(err, engine.ErrOver) {
			t.Fatalf("resumed twice: %v", err)
		}
	})
}

func TestTheReasonOfACancelIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("a/account")}}, nil)
	if err := w.decide("", decided(engine.Cancel)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.records, ","); got != " run started, cancel decided, run cancelled" {
		t.Errorf("the ledger says %q", got)
	}
	for _, v := range []engine.Verb{engine.Cancel, engine.Pause} {
		if err := w.decide("", decided(v)); !errors.Is(err, engine.ErrOver) {
			t.Errorf("%s afterwards: %v", v, err)
		}
	}
	w = newWorld(t, dayone.Plan{Steps: []dayone.Step{step("a/account")}}, nil)
	if err := w.decide("a/account", decided(engine.Cancel)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("cancelling one step: %v", err)
	}
	if err := w.decide("", decided(engine.GoOn)); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("resuming what runs: %v", err)
	}
}

func cut(id string, needs ...string) dayone.Step {
	s := step(id, needs...)
	s.Action, s.Urgent = dayone.AccountDisable, true
	s.Have = &dayone.Item{Key: s.Key, Ref: "1", State: dayone.Active}
	s.Want = &dayone.Item{Key: s.Key, Ref: "1", State: dayone.Disabled}
	return s
}

// Others give the cut at the identity provider a head start, and no more: they begin after a minute though it was never
// answered.
func TestNobodyWaitsForTheCutLongerThanAMinute(t *testing.T) {
	t.Parallel()
	slack := cut("slack/account")
	slack.Needs = []dayone.Need{{Step: "okta/account", When: dayone.Tried}}
	for name, how := range map[string]func(*world){
		"it hangs":  func(w *world) { w.moves()[0]() },
		"it queues": func(*world) {},
		"it is parked": func(w *world) {
			w.feed(engine.Event{What: engine.Park, Step: "okta/account", Wait: &dayone.Wait{Kind: dayone.WaitSystem, Note: "stopped"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dayone.Plan{Steps: []dayone.Step{cut("okta/account"), slack}}, nil)
			how(w)
			w.now = at.Add(59 * time.Second)
			w.feed(engine.Event{What: engine.Alarm, Step: "okta/account"})
			if w.ready["slack/account"] {
				t.Fatal("it does not wait at all")
			}
			if !w.ring() || !w.ready["slack/account"] {
				t.Errorf("at %s: %s", w.now.Sub(at), w.states())
			}
		})
	}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{cut("okta/account"), slack}}, nil)
	w.crash()
	if w.now = at.Add(time.Minute); !w.ring() || !w.ready["slack/account"] {
		t.Errorf("after a restart: %s", w.states())
	}
}

// A cut that is not confirmed within a quarter of an hour is a human's task, with an alarm in the ledger, and is tried all
// the same for as long as it takes.
func TestAnUnconfirmedCutRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	var down error = &dayone.Fault{System: "okta", Op: "suspending", Err: dayone.ErrUnavailable, Code: "HTTP 503"}
	for name, c := range map[string]struct {
		err  error
		park bool
		soon bool
		note string
	}{
		"it is down":        {err: down, note: "HTTP 503"},
		"it is stopped":     {park: true, note: "stopped by kim"},
		"it is refused":     {err: fmt.Errorf("no right: %w", dayone.ErrForbidden), soon: true, note: "no right"},
		"it is throttled":   {err: fmt.Errorf("x: %w", dayone.ErrThrottled), note: "throttled"},
		"nobody lets us in": {err: fmt.Errorf("x: %w", dayone.ErrAuth), soon: true, note: "not let in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dayone.Plan{Steps: []dayone.Step{cut("okta/account")}}, nil)
			w.cfg.Manual = map[string]string{engine.ManualKey("okta", "account", dayone.AccountDisable): "In Okta: Directory, People, Suspend"}
			w.say = func(dayone.Step) answer { return answer{err: c.err} }
			if c.park {
				delete(w.ready, "okta/account")
				w.feed(engine.Event{What: engine.Park, Step: "okta/account", Wait: &dayone.Wait{Kind: dayone.WaitSystem, Note: "stopped by kim"}})
			}
			raised := time.Duration(0)
			for w.now.Before(at.Add(3 * time.Hour)) {
				if ms := w.moves(); len(ms) > 0 {
					ms[0]()
				} else if !w.ring() {
					break
				}
				if len(w.tasks) > 0 && raised == 0 {
					raised = max(w.now.Sub(at), 1)
				}
			}
			s := w.run.Step("okta/account")
			if want := 15 * time.Minute; !c.soon && raised != want || c.soon && raised > time.Minute || raised == 0 {
				t.Errorf("a human hears of it after %s", raised)
			}
			if s.State.Over() || !c.park && len(w.started) < 20 {
				t.Errorf("it is %s after %d calls", s.State, len(w.started))
			}
			if s.Wait == nil || !strings.Contains(s.Wait.Note, c.note) || !strings.Contains(s.Wait.Note, "Suspend") {
				t.Errorf("the task says %+v", s.Wait)
			}
			if n := strings.Count(strings.Join(w.records, ","), "alarm"); n != 1 {
				t.Errorf("%d alarms in the ledger: %v", n, w.records)
			}
			w.crash() // a restart raises it no second time
			if n := strings.Count(strings.Join(w.records, ","), "alarm"); n != 1 || len(w.tasks) != 1 {
				t.Errorf("after a restart %d alarms, tasks %v", n, w.tasks)
			}
			w.say = func(dayone.Step) answer { return answer{} } // it is back
			w.feed(engine.Event{What: engine.Unpark, Step: "okta/account"})
			w.finish(first)
			if w.run.State != dayone.RunDone || len(w.tasks) != 0 {
				t.Errorf("%s, tasks %v", w.states(), w.tasks)
			}
		})
	}
}

// A human may be faster than the system: her word ends it.
func TestAHumanConfirmsTheCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{cut("okta/account")}}, nil)
	w.say = func(dayone.Step) answer { return answer{err: fmt.Errorf("x: %w", dayone.ErrUnavailable)} }
	for len(w.tasks) == 0 {
		if ms := w.moves(); len(ms) > 0 {
			ms[0]()
		} else if !w.ring() {
			t.Fatal("nobody is told")
		}
	}
	if err := w.decide("okta/account", kim(engine.Complete, dayone.Attrs{"note": dayone.Text("done in the console")})); err != nil {
		t.Fatal(err)
	}
	if w.run.State != dayone.RunDone || w.holdings[dayone.Key{System: "okta", Kind: "account"}].State != dayone.Disabled {
		t.Errorf("%s, %v", w.states(), w.holdings)
	}
}

// What waited for something else when its system was shut waits for that afterwards, and for as long as it might have.
func TestAParkedWaitHasItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("crm/account")}}, nil)
	w.moves()[0]()
	attempt := w.calls["crm/account"]
	delete(w.calls, "crm/account")
	w.feed(engine.Event{What: engine.Answer, Step: "crm/account", Attempt: attempt, Result: dayone.Result{
		Wait: &dayone.Wait{Kind: dayone.WaitPropagation, Note: "on its way", Check: at.Add(time.Minute), Until: at.Add(4 * time.Hour)},
	}})
	w.ring()
	w.feed(engine.Event{What: engine.Park, Step: "crm/account", Wait: &dayone.Wait{Kind: dayone.WaitSystem, Note: "shut"}})
	s := w.run.Step("crm/account")
	if s.Wait.Kind != dayone.WaitPropagation {
		t.Errorf("it waits for %s", s.Wait.Kind)
	}
	w.now = at.Add(9 * time.Hour)
	w.feed(engine.Event{What: engine.Alarm, Step: "crm/account"})
	if s.State != dayone.StepWaiting {
		t.Fatalf("parked it is %s: %s", s.State, s.Error)
	}
	w.feed(engine.Event{What: engine.Unpark, Step: "crm/account"})
	if left := s.Wait.Until.Sub(w.now); left != 4*time.Hour-time.Minute {
		t.Errorf("%s are left", left)
	}
	w.finish(first)
	if w.run.State != dayone.RunDone {
		t.Error(w.states())
	}
}

// A step that failed before its system was shut has the rest of its time afterwards, and all of its tries.
func TestParkedTimeIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("okta/account")}}, nil)
	w.say = func(dayone.Step) answer { return answer{err: fmt.Errorf("x: %w", dayone.ErrUnavailable)} }
	s := w.run.Step("okta/account")
	for s.Tries < 3 {
		if ms := w.moves(); len(ms) > 0 {
			ms[0]()
		} else if !w.ring() {
			t.Fatal(w.states())
		}
	}
	spent := w.now.Sub(s.Failing)
	for range 3 { // once by itself, and once more through a restart, and a last time
		w.feed(engine.Event{What: engine.Park, Step: "okta/account", Wait: &dayone.Wait{Kind: dayone.WaitSystem, Note: "down"}})
		if w.run.State != dayone.RunWaiting || s.Tries != 3 {
			t.Fatalf("parked: %s after %d tries", w.states(), s.Tries)
		}
		w.now = w.now.Add(48 * time.Hour)
		w.feed(engine.Event{What: engine.Unpark, Step: "okta/account"})
		if got := w.now.Sub(s.Failing); got != spent || s.State != dayone.StepRetrying || !w.ready["okta/account"] {
			t.Fatalf("it has failed for %s, not %s, and is %s", got, spent, s.State)
		}
	}
	w.feed(engine.Event{What: engine.Start, Step: "okta/account"})
	delete(w.calls, "okta/account")
	delete(w.ready, "okta/account")
	w.feed(engine.Event{What: engine.Answer, Step: "okta/account", Attempt: s.Attempt, Err: dayone.ErrUnavailable, Spare: true})
	if s.Tries != 3 || s.State != dayone.StepRetrying {
		t.Errorf("a call that found its system down uses up a try: %d, %s", s.Tries, s.State)
	}
	w.finish(first)
	if w.run.State != dayone.RunIncomplete || s.Tries != w.cfg.Tries {
		t.Errorf("in the end %s after %d tries", w.states(), s.Tries)
	}
}
