package engine_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

var at = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

// outcome of every call of one step, by attempt; the last one repeats.
type outcome []answer

type answer struct {
	err  error
	wait dayone.WaitKind
}

// world drives the machine by hand, in whatever order it is told.
type world struct {
	t        interface{ Fatalf(string, ...any) }
	run      dayone.Run
	now      time.Time
	outcomes map[dayone.StepID]outcome
	say      func(dayone.Step) answer // instead of outcomes
	ready    map[dayone.StepID]bool
	calls    map[dayone.StepID]int // under way: attempt
	alarms   []alarm
	started  []dayone.StepID
	records  []string
	holdings map[dayone.Key]dayone.Item
	tasks    map[string]bool
	cfg      engine.Config
	refused  error                  // what became of the last decision
	handed   map[dayone.StepID]bool // given to a human when its needs were met, and taken back since

	verdicts map[dayone.StepID]engine.Verb // of those who are asked; without one they stay silent
}

type alarm struct {
	at   time.Time
	step dayone.StepID
}

func newWorld(t interface{ Fatalf(string, ...any) }, plan dayone.Plan, outcomes map[dayone.StepID]outcome) *world {
	w := &world{
		t: t, now: at, outcomes: outcomes, ready: map[dayone.StepID]bool{}, calls: map[dayone.StepID]int{},
		holdings: map[dayone.Key]dayone.Item{}, tasks: map[string]bool{}, cfg: engine.DefaultConfig,
	}
	w.run = dayone.Run{ID: "run_1", Person: "per_1", Plan: plan}
	for _, s := range plan.Steps {
		w.run.Steps = append(w.run.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
	}
	w.feed(engine.Event{What: engine.Begin})
	return w
}

func (w *world) feed(ev engine.Event) {
	ev.At = w.now
	eff := engine.Next(&w.run, ev, w.cfg)
	w.refused = eff.Refused
	for _, c := range eff.Commands {
		switch {
		case c.Ready:
			w.ready[c.Step] = true
		case c.Call != nil:
			if _, under := w.calls[c.Step]; under {
				w.t.Fatalf("%s is called while a call is under way", c.Step)
			}
			w.checkAgreed(c.Step)
			if c.Call.Attempt == 1 && !w.handed[c.Step] { // later its needs may be looked at again, too
				w.checkNeeds(c.Step)
			}
			w.calls[c.Step] = c.Call.Attempt
			w.started = append(w.started, c.Step)
		case !c.Alarm.IsZero():
			w.alarms = append(w.alarms, alarm{c.Alarm, c.Step})
		}
	}
	for _, r := range eff.Records {
		w.records = append(w.records, fmt.Sprint(r.Step, " ", r.What))
	}
	for _, h := range eff.Holdings {
		w.holdings[h.Key] = h.Item
	}
	for _, h := range eff.Gone {
		delete(w.holdings, h.Key)
	}
	for _, t := range eff.Closed { // in the order of a store
		delete(w.tasks, t.Once)
	}
	for _, t := range eff.Opened {
		w.tasks[t.Once] = true
	}
}

// decide tells a decision and returns why it was refused.
func (w *world) decide(id dayone.StepID, h engine.Human) error {
	w.feed(engine.Event{What: engine.Decide, Step: id, Human: h})
	return w.refused
}

// crash loses what was under way, and resumes.
func (w *world) crash() {
	clear(w.calls)
	clear(w.ready)
	w.alarms = nil
	if !w.run.State.Over() {
		w.feed(engine.Event{What: engine.Resume})
	}
}

// ring goes on to the next alarm; false: there is none.
func (w *world) ring() bool {
	if len(w.alarms) == 0 {
		return false
	}
	slices.SortFunc(w.alarms, func(a, b alarm) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.step, b.step)) })
	next := w.alarms[0]
	w.alarms = w.alarms[1:]
	if next.at.After(w.now) {
		w.now = next.at
	}
	w.feed(engine.Event{What: engine.Alarm, Step: next.step})
	return true
}

// checkAgreed: never before somebody agreed to it, or to what brings it along.
func (w *world) checkAgreed(id dayone.StepID) {
	s := w.run.Step(id)
	if s.Step.Approval != nil && (!s.Agreed || w.verdicts[id] != engine.Approve) {
		w.t.Fatalf("%s starts and nobody has agreed", id)
	}
	if len(s.Step.Along) > 0 && !slices.ContainsFunc(s.Step.Along, func(p dayone.StepID) bool { return w.verdicts[p] == engine.Approve }) {
		w.t.Fatalf("%s starts and nobody has agreed to any of %v", id, s.Step.Along)
	}
}

// checkNeeds: never before its needs.
func (w *world) checkNeeds(id dayone.StepID) {
	s := w.run.Step(id)
	if !s.Step.After.IsZero() && !w.now.Before(s.Step.After) {
		return // it waits no longer
	}
	for _, n := range s.Step.Needs {
		o := w.run.Step(n.Step)
		ok := false
		switch n.When {
		case dayone.Done:
			ok = o.State == dayone.StepDone || o.State == dayone.StepWaiting && o.Wait.Kind.There()
		case dayone.Tried:
			ok = o.Attempt > 0 || o.State.Over() || o.State == dayone.StepPending || // one that will never be tried
				o.State == dayone.StepWaiting && (o.Wait.Kind.Human() || !o.Parked.IsZero() && !w.now.Before(at.Add(w.cfg.HeadStart))) // or not now
		case dayone.Settled:
			ok = o.State.Over() || o.State == dayone.StepWaiting && o.Wait.Kind.Human() || o.State == dayone.StepPending
		}
		if !ok {
			w.t.Fatalf("%s starts although %s is %s (needs it %q)", id, n.Step, o.State, n.When)
		}
	}
}

// moves are what may happen next, in a fixed order.
func (w *world) moves() []func() {
	var out []func()
	for _, id := range slices.Sorted(maps.Keys(w.calls)) {
		out = append(out, func() { w.answer(id) })
	}
	for _, id := range slices.Sorted(maps.Keys(w.ready)) {
		out = append(out, func() {
			delete(w.ready, id)
			w.feed(engine.Event{What: engine.Start, Step: id})
		})
	}
	for _, s := range w.run.Steps {
		if v := w.verdicts[s.Step.ID]; v != "" && s.State == dayone.StepWaiting && s.Wait.Kind == dayone.WaitApproval {
			out = append(out, func() {
				if err := w.decide(s.Step.ID, engine.Human{By: "kim", Verb: v}); err != nil {
					w.t.Fatalf("%s %s: %v", v, s.Step.ID, err)
				}
			})
		}
	}
	return out
}

func (w *world) answer(id dayone.StepID) {
	attempt := w.calls[id]
	delete(w.calls, id)
	s := w.run.Step(id)
	os := w.outcomes[id]
	var a answer
	switch {
	case w.say != nil:
		a = w.say(s.Step)
	case len(os) > 0:
		a = os[min(attempt-1, len(os)-1)]
	}
	ev := engine.Event{What: engine.Answer, Step: id, Attempt: attempt, Err: a.err}
	if a.err == nil {
		ev.Result = result(s.Step, a.wait)
	}
	w.feed(ev)
}

func result(s dayone.Step, wait dayone.WaitKind) dayone.Result {
	r := dayone.Result{Before: s.Have}
	if s.Want != nil {
		now := *s.Want
		now.Ref = "ref of " + s.Key.String()
		r.Now = &now
	}
	if wait != "" {
		r.Wait = &dayone.Wait{Kind: wait, Note: "wait"}
		if r.Now != nil {
			r.Now.State = dayone.Pending
		}
		if wait == dayone.WaitPropagation {
			r.Now, r.Wait.Check = nil, at.Add(time.Second)
		}
	}
	return r
}

// finish plays to the end; pick chooses among what may happen next.
func (w *world) finish(pick func(n int) int) {
	for range 10_000 {
		if ms := w.moves(); len(ms) > 0 {
			ms[pick(len(ms))]()
			continue
		}
		if !w.ring() {
			return
		}
	}
	w.t.Fatalf("the run does not end: %s", w.run.State)
}

func (w *world) states() string {
	out := string(w.run.State)
	for _, s := range w.run.Steps {
		out += fmt.Sprintf(" | %s %s", s.Step.ID, s.State)
	}
	return out
}

// plans draws a random plan: a graph without circles, with every kind of need, criticality and message.
func plans(t *rapid.T) dayone.Plan {
	n := rapid.IntRange(1, 9).Draw(t, "steps")
	p := dayone.Plan{Person: "per_1", At: at}
	for i := range n {
		k := dayone.Key{System: fmt.Sprintf("s%d", i%3), Kind: "group", Name: fmt.Sprint(i)}
		a := rapid.SampledFrom([]dayone.Action{dayone.EntitlementAdd, dayone.EntitlementAdd, dayone.AccountCreate, dayone.EntitlementRemove}).Draw(t, "action")
		if a == dayone.AccountCreate {
			k = dayone.Key{System: fmt.Sprintf("a%d", i), Kind: "account"}
		}
		s := dayone.Step{
			ID: dayone.StepID(fmt.Sprintf("%02d", i)), Action: a, Key: k, Once: fmt.Sprint(i), Want: &dayone.Item{Key: k, State: dayone.Active}, Undo: dayone.UndoRestore,
			Critical: rapid.SampledFrom([]dayone.Critical{dayone.Stop, dayone.Stop, dayone.Continue, dayone.Rollback}).Draw(t, "critical"),
		}
		if a == dayone.EntitlementRemove {
			s.Have, s.Want = s.Want, nil
		}
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
				s.Needs = append(s.Needs, dayone.Need{Step: dayone.StepID(fmt.Sprintf("%02d", j)), When: rapid.SampledFrom([]dayone.When{dayone.Done, dayone.Done, dayone.Settled, dayone.Tried}).Draw(t, "when")})
			}
		}
		p.Steps = append(p.Steps, s)
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action != dayone.EntitlementRemove && rapid.IntRange(0, 4).Draw(t, "asks") == 0 {
			s.Approval = &dayone.Approval{By: []string{"manager"}, Need: "any"}
		}
	}
	for i := range p.Steps {
		bring(&p.Steps[i], p.Steps, rapid.Bool().Draw(t, "along"))
	}
	if rapid.Bool().Draw(t, "message") {
		k := dayone.Key{System: "mail", Kind: "message", Name: "m"}
		s := dayone.Step{
			ID: "zz message", Action: dayone.MessageSend, Key: k, Once: "m", Want: &dayone.Item{Key: k}, On: []dayone.Moment{rapid.SampledFrom([]dayone.Moment{dayone.OnReady, dayone.OnFailed, dayone.OnWaiting, dayone.OnAtRisk}).Draw(t, "on")},
			Critical: dayone.Continue,
		}
		if s.On[0] == dayone.OnAtRisk && rapid.Bool().Draw(t, "by an hour") {
			s.After = at.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "after")) * time.Second)
		}
		for _, o := range p.Steps {
			s.Needs = append(s.Needs, dayone.Need{Step: o.ID, When: dayone.Settled})
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// timeless is a plan in which nothing goes by the hour: what does depends on how long the rest takes.
func timeless(p dayone.Plan) dayone.Plan {
	for i := range p.Steps {
		p.Steps[i].After = time.Time{}
	}
	return p
}

// bring makes a step one that is only there because of others, if only such that ask for an approval need it.
func bring(s *dayone.Step, all []dayone.Step, along bool) {
	var by []dayone.StepID
	for _, o := range all {
		for _, n := range o.Needs {
			if n.Step != s.ID {
				continue
			}
			if o.Approval == nil || n.When != dayone.Done {
				return
			}
			by = append(by, o.ID)
		}
	}
	if along && s.Approval == nil && s.Action != dayone.EntitlementRemove {
		s.Along = by
	}
}

// verdicts of those who are asked: yes, no, or silence. No message waits for them: what it tells depends on who is faster.
func verdicts(t *rapid.T, p dayone.Plan) map[dayone.StepID]engine.Verb {
	out := map[dayone.StepID]engine.Verb{}
	if p.Steps[len(p.Steps)-1].Action == dayone.MessageSend {
		return out
	}
	for _, s := range p.Steps {
		if s.Approval != nil {
			out[s.ID] = rapid.SampledFrom([]engine.Verb{engine.Approve, engine.Approve, engine.Refuse, ""}).Draw(t, "verdict")
		}
	}
	return out
}

func outcomes(t *rapid.T, p dayone.Plan) map[dayone.StepID]outcome {
	out := map[dayone.StepID]outcome{}
	for _, s := range p.Steps {
		var o outcome
		for range rapid.IntRange(0, 3).Draw(t, "hiccups") {
			o = append(o, answer{err: fmt.Errorf("x: %w", rapid.SampledFrom([]error{dayone.ErrUnavailable, dayone.ErrThrottled, dayone.ErrNotYet}).Draw(t, "hiccup"))})
		}
		if rapid.IntRange(0, 9).Draw(t, "propagates") == 0 && s.Action != dayone.MessageSend {
			o = append(o, answer{wait: dayone.WaitPropagation})
		}
		switch rapid.IntRange(0, 9).Draw(t, "end") {
		case 0:
			o = append(o, answer{err: fmt.Errorf("x: %w", dayone.ErrInvalid)})
		case 1:
			o = append(o, answer{err: fmt.Errorf("x: %w", dayone.ErrUnavailable)}) // for good
		case 2:
			if s.Action != dayone.MessageSend {
				o = append(o, answer{wait: rapid.SampledFrom([]dayone.WaitKind{dayone.WaitFirstLogin, dayone.WaitTask}).Draw(t, "human")})
				break
			}
			fallthrough
		default:
			o = append(o, answer{})
		}
		out[s.ID] = o
	}
	return out
}

// Whatever comes in whatever order: no step starts before its needs, none is called twice at once, every run comes to
// rest, and what it has become does not depend on the order.
func TestAnyOrderOfAnswersEndsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := timeless(plans(t))
		o, v := outcomes(t, p), verdicts(t, p)
		rollback := slices.ContainsFunc(p.Steps, func(s dayone.Step) bool { return s.Critical == dayone.Rollback })
		var want string
		for i := range 4 {
			w := newWorld(t, p, o)
			w.verdicts = v
			w.finish(func(n int) int {
				switch i {
				case 0:
					return 0
				case 1:
					return n - 1
				default:
					return rapid.IntRange(0, n-1).Draw(t, "next")
				}
			})
			if len(w.calls) > 0 {
				t.Fatalf("calls are left: %v", w.calls)
			}
			switch {
			case w.run.State == dayone.RunRunning, w.run.State == dayone.RunUndoing:
				t.Fatalf("nothing moves and the run is %s", w.states())
			case i == 0:
				want = w.states()
			case w.states() != want && !rollback: // when a run turns back, what was under way depends on the order, as it must
				t.Fatalf("in another order it ends as\n%s\nnot\n%s", w.states(), want)
			}
		}
	})
}

// A run that is interrupted at any moment and resumed ends as one that was not.
func TestResumeEndsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := timeless(plans(t))
		for i := range p.Steps {
			if p.Steps[i].Critical == dayone.Rollback {
				p.Steps[i].Critical = dayone.Stop
			}
		}
		o, v := outcomes(t, p), verdicts(t, p)
		for id, os := range o { // hiccups count attempts, and a crash costs one: only the last word matters here
			o[id] = os[len(os)-1:]
		}
		w := newWorld(t, p, o)
		w.verdicts = v
		w.finish(func(int) int { return 0 })
		want := w.states()

		w = newWorld(t, p, o)
		w.verdicts = v
		for range rapid.IntRange(0, 30).Draw(t, "before the crash") {
			ms := w.moves()
			if len(ms) == 0 {
				break
			}
			ms[rapid.IntRange(0, len(ms)-1).Draw(t, "next")]()
		}
		w.crash()
		w.finish(func(int) int { return 0 })
		if got := w.states(); got != want {
			t.Fatalf("after a crash it ends as\n%s\nnot\n%s", got, want)
		}
	})
}

// What a run that turns back gave is gone again at its end: holdings are what they were.
func TestRollbackReturnsToTheStart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := plans(t)
		for i := range p.Steps {
			p.Steps[i].Undo = dayone.UndoRestore
			if p.Steps[i].Action == dayone.AccountCreate {
				p.Steps[i].Undo = dayone.UndoDelete
			}
			if p.Steps[i].Action == dayone.EntitlementRemove {
				p.Steps[i].Action, p.Steps[i].Want, p.Steps[i].Have = dayone.EntitlementAdd, p.Steps[i].Have, nil
			}
		}
		o := map[dayone.StepID]outcome{}
		bad := rapid.IntRange(0, len(p.Steps)-1).Draw(t, "bad")
		if p.Steps[bad].Action == dayone.MessageSend {
			return
		}
		p.Steps[bad].Critical = dayone.Rollback
		o[p.Steps[bad].ID] = outcome{{err: dayone.ErrInvalid}}
		w := newWorld(t, p, o)
		w.verdicts = verdicts(t, p)
		w.finish(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") })
		if s := w.run.Step(p.Steps[bad].ID); s.State != dayone.StepFailed {
			return // it was never reached
		}
		for k := range w.holdings {
			if k.Kind != "message" {
				t.Fatalf("after the rollback there is still %s:\n%s", k, w.states())
			}
		}
		if w.run.State != dayone.RunUndone {
			t.Fatalf("the run is %s", w.states())
		}
	})
}

func step(id string, needs ...string) dayone.Step {
	k, err := dayone.ParseKey(id)
	if err != nil {
		panic(err)
	}
	a := dayone.EntitlementAdd
	if k.IsAccount() {
		a = dayone.AccountCreate
	}
	s := dayone.Step{ID: dayone.StepID(id), Action: a, Key: k, Once: id, Want: &dayone.Item{Key: k, State: dayone.Active}, Undo: dayone.UndoRestore, Critical: dayone.Stop}
	for _, n := range needs {
		s.Needs = append(s.Needs, dayone.Need{Step: dayone.StepID(n)})
	}
	return s
}

func first(int) int { return 0 }

func TestFailureBlocksOnlyWhatNeedsIt(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("okta/account"), step("okta/group:a", "okta/account"), step("slack/account"), step("slack/channel:x", "slack/account")}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"okta/account": {{err: dayone.ErrForbidden}}, "slack/account": {{wait: dayone.WaitFirstLogin}}})
	w.finish(first)
	if got, want := w.states(), "waiting | okta/account failed | okta/group:a blocked | slack/account waiting | slack/channel:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// a human mends it and tries again
	w.outcomes = nil
	if err := w.decide("okta/account", engine.Human{By: "priya", Verb: engine.Retry, Reason: "rights granted"}); err != nil {
		t.Fatal(err)
	}
	w.finish(first)
	if got, want := w.states(), "waiting | okta/account done | okta/group:a done | slack/account waiting | slack/channel:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestSystemDownIsTriedAgainUntilItsTime(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("okta/account")}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"okta/account": {{err: dayone.ErrUnavailable}, {err: dayone.ErrUnavailable}, {err: dayone.ErrUnavailable}, {}}})
	w.finish(first)
	if s := w.run.Steps[0]; s.State != dayone.StepDone || s.Attempt != 4 {
		t.Errorf("%+v", s)
	}
	if took := w.now.Sub(at); took < 2*time.Second || took > 6*time.Second {
		t.Errorf("three pauses took %v", took)
	}
	w = newWorld(t, p, map[dayone.StepID]outcome{"okta/account": {{err: dayone.ErrUnavailable}}})
	w.finish(first)
	if s := w.run.Steps[0]; s.State != dayone.StepFailed || s.Attempt != engine.DefaultConfig.Tries {
		t.Errorf("%s after %d attempts", s.State, s.Attempt)
	}
}

// Waiting is not failing: what was polled for an hour has all its tries when its system does not answer once.
func TestOneFailureAfterALongWaitIsTheFirst(t *testing.T) {
	t.Parallel()
	s := step("gitlab/account")
	r := begun(s)
	made := dayone.Item{Key: s.Key, Ref: "7", State: dayone.Pending}
	for i := range 5 {
		now := at.Add(time.Duration(i) * 20 * time.Minute)
		_, _ = tell(t, r, s.ID, now, dayone.Result{Now: &made, Wait: &dayone.Wait{Kind: dayone.WaitFirstLogin, Check: now.Add(20 * time.Minute), Note: "sign in"}}, nil)
	}
	waited := r.Steps[0].Waited
	now := at.Add(100 * time.Minute)
	_, _ = tell(t, r, s.ID, now, dayone.Result{}, dayone.ErrUnavailable)
	if s := r.Steps[0]; s.State != dayone.StepRetrying || s.Tries != 1 {
		t.Fatalf("one 503 after an hour makes it %s", s.State)
	}
	_, e := tell(t, r, s.ID, now.Add(time.Minute), dayone.Result{Before: &made, Now: &made, Wait: &dayone.Wait{Kind: dayone.WaitFirstLogin, Check: now.Add(time.Hour), Note: "sign in"}}, nil)
	if s := r.Steps[0]; s.State != dayone.StepWaiting || !s.Waited.Equal(waited) || len(e.Records) > 0 {
		t.Errorf("after the hiccup it waits since %v, not %v, and the ledger is told %v", s.Waited, waited, e.Records)
	}
}

// In a row it fails in the end, by time as well as by tries; but not for time in which nobody was there to try.
func TestFailingHasItsTime(t *testing.T) {
	t.Parallel()
	s := step("okta/account")
	fails := func(r *dayone.Run, now time.Time) dayone.StepState {
		_, _ = tell(t, r, s.ID, now, dayone.Result{}, &dayone.Fault{Err: dayone.ErrThrottled, RetryAt: now.Add(10 * time.Minute)})
		return r.Steps[0].State
	}
	r := begun(s)
	for i, want := range []dayone.StepState{dayone.StepRetrying, dayone.StepRetrying, dayone.StepRetrying, dayone.StepFailed} {
		if got := fails(r, at.Add(time.Duration(i)*10*time.Minute)); got != want {
			t.Errorf("after %d minutes it is %s", i*10, got)
		}
	}
	r = begun(s)
	fails(r, at)
	back := at.Add(40 * time.Minute) // the machine was down
	engine.Next(r, engine.Event{What: engine.Resume, At: back}, engine.DefaultConfig)
	if got := fails(r, back); got != dayone.StepRetrying {
		t.Errorf("the first failure after the restart makes it %s", got)
	}
	if got := fails(r, back.Add(30*time.Minute)); got != dayone.StepFailed {
		t.Errorf("30 minutes after the restart it is %s", got)
	}
}

// A restart in the middle of a wait forgets nothing of it: messages go when the patience with a task has ended.
func TestPatienceSurvivesARestart(t *testing.T) {
	t.Parallel()
	mail := dayone.Step{
		ID: "mail/message:x", Action: dayone.MessageSend, Key: dayone.Key{System: "mail", Kind: "message", Name: "x"}, Once: "m", Want: &dayone.Item{}, On: []dayone.Moment{dayone.OnReady},
		Needs: []dayone.Need{{Step: "shop/order", When: dayone.Settled}},
	}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("shop/order"), mail}}, map[dayone.StepID]outcome{"shop/order": {{wait: dayone.WaitTask}}})
	for len(w.moves()) > 0 {
		w.moves()[0]()
	}
	w.now = w.now.Add(time.Minute)
	w.crash()
	w.finish(first)
	if got, want := w.states(), "waiting | shop/order waiting | mail/message:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if waited := w.now.Sub(at); waited != w.cfg.Patience {
		t.Errorf("it went after %v", waited)
	}
}

// A system's wait that names no instant is looked at all the same, and fails when its time is over; a human is only late.
func TestASystemsWaitEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind dayone.WaitKind
		want dayone.StepState
	}{{dayone.WaitSystem, dayone.StepFailed}, {dayone.WaitTask, dayone.StepWaiting}} {
		s := step("okta/account")
		r := begun(s)
		until := at.Add(time.Hour)
		_, e := tell(t, r, s.ID, at, dayone.Result{Wait: &dayone.Wait{Kind: c.kind, Until: until}}, nil)
		if looks := !r.Steps[0].Next.IsZero(); looks == c.kind.Human() {
			t.Errorf("%s is looked at by itself: %v", c.kind, looks)
		}
		for _, again := range []engine.Effects{e, engine.Next(r, engine.Event{What: engine.Resume, At: at.Add(time.Minute)}, engine.DefaultConfig)} {
			if armed := slices.ContainsFunc(again.Commands, func(c engine.Command) bool { return c.Alarm.Equal(until) }); armed == c.kind.Human() {
				t.Errorf("%s has an alarm at its end: %v", c.kind, armed)
			}
		}
		engine.Next(r, engine.Event{What: engine.Alarm, At: until, Step: s.ID}, engine.DefaultConfig)
		if got := r.Steps[0].State; got != c.want {
			t.Errorf("after its time %s is %s, want %s", c.kind, got, c.want)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("okta/account")}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"okta/account": {{err: &dayone.Fault{Err: dayone.ErrThrottled, RetryAt: at.Add(90 * time.Second)}}, {}}})
	w.finish(first)
	if w.now.Before(at.Add(90 * time.Second)) {
		t.Errorf("tried again at %v", w.now)
	}
}

func TestConflictWaitsForAHuman(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("gitlab/account"), step("gitlab/group:a", "gitlab/account")}}
	found := &dayone.Item{Ref: "42"}
	w := newWorld(t, p, map[dayone.StepID]outcome{"gitlab/account": {{err: &dayone.Fault{System: "gitlab", Op: "creating account", Err: dayone.ErrConflict, Found: found}}, {}}})
	w.finish(first)
	if got, want := w.states(), "waiting | gitlab/account waiting | gitlab/group:a pending"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	if len(w.tasks) != 1 {
		t.Errorf("tasks: %v", w.tasks)
	}
	if note := w.run.Steps[0].Wait.Note; engine.Adoptable(note) != "42" || engine.Adoptable("it said: adopt = 7; "+note) != "42" || engine.Adoptable("adopt = 7; no") != "" {
		t.Errorf("the note %q asks about %q", note, engine.Adoptable(note))
	}
	w.feed(engine.Event{What: engine.Decide, Step: "gitlab/account", Human: engine.Human{By: "priya", Verb: engine.Complete, Attrs: dayone.Attrs{"adopt": dayone.Text("42")}}})
	if w.run.Steps[0].Step.Subject.Ref != "42" {
		t.Errorf("the account is looked for as %+v", w.run.Steps[0].Step.Subject)
	}
	w.finish(first)
	if w.run.State != dayone.RunDone || len(w.tasks) != 0 {
		t.Errorf("%s, tasks %v", w.states(), w.tasks)
	}
}

func TestTaskSuppliesWhatOthersNeed(t *testing.T) {
	t.Parallel()
	device := step("jamf/device", "shop/order")
	device.Want.Attrs = dayone.Attrs{"serial": {Kind: dayone.TemplateValue, Text: "${shop.order.serial}"}}
	mail := dayone.Step{
		ID: "mail/message:x", Action: dayone.MessageSend, Key: dayone.Key{System: "mail", Kind: "message", Name: "x"}, Once: "m", Want: &dayone.Item{}, On: []dayone.Moment{dayone.OnReady},
		Needs: []dayone.Need{{Step: "shop/order", When: dayone.Settled}, {Step: "jamf/device", When: dayone.Settled}},
	}
	p := dayone.Plan{Steps: []dayone.Step{step("shop/order"), device, mail}}
	slow := map[dayone.StepID]outcome{"shop/order": {{wait: dayone.WaitTask}}}
	w := newWorld(t, p, slow)
	for len(w.moves()) > 0 {
		w.moves()[0]()
	}
	if got, want := w.states(), "waiting | shop/order waiting | jamf/device pending | mail/message:x pending"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	w.now = w.now.Add(time.Minute)
	w.feed(engine.Event{What: engine.Decide, Step: "shop/order", Human: engine.Human{By: "reseller", Verb: engine.Complete, Attrs: dayone.Attrs{"serial": dayone.Text("C02XK1ABCD"), "tracking": dayone.Text("1Z")}}})
	w.finish(first)
	if w.run.State != dayone.RunDone {
		t.Fatal(w.states())
	}
	if got := w.run.Steps[1].Asked.Text("serial"); got != "C02XK1ABCD" {
		t.Errorf("the device was asked for with serial %q", got)
	}
	// nobody answers: messages do not wait for ever
	w = newWorld(t, p, slow)
	w.finish(first)
	if got, want := w.states(), "waiting | shop/order waiting | jamf/device pending | mail/message:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestFirstLoginHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	group := step("gitlab/group:a", "gitlab/account")
	group.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${gitlab.account.ref}"}
	p := dayone.Plan{Steps: []dayone.Step{step("gitlab/account"), group}}
	w := newWorld(t, p, map[dayone.StepID]outcome{"gitlab/account": {{wait: dayone.WaitFirstLogin}}, "gitlab/group:a": {{wait: dayone.WaitFirstLogin}}})
	w.finish(first)
	if got, want := w.states(), "waiting | gitlab/account waiting | gitlab/group:a waiting"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if w.holdings[dayone.Key{System: "gitlab", Kind: "account"}].State != dayone.Pending {
		t.Errorf("the books say %v", w.holdings)
	}
}

func TestTypedTextIsNoReference(t *testing.T) {
	t.Parallel()
	s := step("okta/account")
	s.Want.Attrs = dayone.Attrs{
		"first_name": dayone.Text("${okta.account.ref}"),
		"note":       {Kind: dayone.TemplateValue, Text: "costs $$5 ${x.account.ref} $"},
	}
	p := dayone.Plan{Steps: []dayone.Step{step("x/account"), s}}
	p.Steps[1].Needs = []dayone.Need{{Step: "x/account"}}
	w := newWorld(t, p, nil)
	w.finish(first)
	asked := w.run.Steps[1].Asked
	if asked.Text("first_name") != "${okta.account.ref}" || asked.Text("note") != "costs $5 ref of x/account $" {
		t.Errorf("asked %v", asked)
	}
}

func TestSupersededRunStartsNothingMore(t *testing.T) {
	t.Parallel()
	p := dayone.Plan{Steps: []dayone.Step{step("a/account"), step("b/account"), step("b/group:x", "b/account")}}
	w := newWorld(t, p, nil)
	w.moves()[0]() // a starts
	w.feed(engine.Event{What: engine.Decide, Human: engine.Human{Verb: engine.Supersede}})
	if w.run.State.Over() {
		t.Fatal("it is over while a call is under way")
	}
	for _, id := range slices.Sorted(maps.Keys(w.ready)) {
		w.feed(engine.Event{What: engine.Start, Step: id})
	}
	if len(w.started) != 1 {
		t.Errorf("started %v", w.started)
	}
	w.answer("a/account")
	if got, want := w.states(), "superseded | a/account done | b/account skipped | b/group:x skipped"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestLateAnswerIsNotOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("a/account")}}, nil)
	w.moves()[0]()
	clear(w.calls) // the process dies
	w.feed(engine.Event{What: engine.Resume})
	w.feed(engine.Event{What: engine.Start, Step: "a/account"})
	w.feed(engine.Event{What: engine.Answer, Step: "a/account", Attempt: 1, Err: errors.New("of another life")})
	if w.run.Steps[0].State != dayone.StepRunning {
		t.Errorf("an old answer made it %s", w.run.Steps[0].State)
	}
}

func BenchmarkNext(b *testing.B) {
	var p dayone.Plan
	p.Steps = append(p.Steps, step("okta/account"))
	for i := range 23 {
		p.Steps = append(p.Steps, step(fmt.Sprintf("okta/group:%d", i), "okta/account"))
	}
	b.ReportAllocs()
	steps := 0
	for b.Loop() {
		w := newWorld(b, p, nil)
		w.finish(first)
		steps += len(p.Steps)
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
}
