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
	ready    map[dayone.StepID]bool
	calls    map[dayone.StepID]int // under way: attempt
	alarms   map[dayone.StepID]time.Time
	started  []dayone.StepID
	records  []string
	holdings map[dayone.Key]dayone.Item
	tasks    map[string]bool
	cfg      engine.Config
}

func newWorld(t interface{ Fatalf(string, ...any) }, plan dayone.Plan, outcomes map[dayone.StepID]outcome) *world {
	w := &world{
		t: t, now: at, outcomes: outcomes, ready: map[dayone.StepID]bool{}, calls: map[dayone.StepID]int{}, alarms: map[dayone.StepID]time.Time{},
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
	for _, c := range eff.Commands {
		switch {
		case c.Ready:
			w.ready[c.Step] = true
		case c.Call != nil:
			if _, under := w.calls[c.Step]; under {
				w.t.Fatalf("%s is called while a call is under way", c.Step)
			}
			w.checkNeeds(c.Step)
			w.calls[c.Step] = c.Call.Attempt
			w.started = append(w.started, c.Step)
		case !c.Alarm.IsZero():
			w.alarms[c.Step] = c.Alarm
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
	for _, t := range eff.Opened {
		w.tasks[t.Once] = true
	}
	for _, t := range eff.Closed {
		delete(w.tasks, t.Once)
	}
}

// checkNeeds: never before its needs.
func (w *world) checkNeeds(id dayone.StepID) {
	s := w.run.Step(id)
	for _, n := range s.Step.Needs {
		o := w.run.Step(n.Step)
		ok := false
		switch n.When {
		case dayone.Done:
			ok = o.State == dayone.StepDone || o.State == dayone.StepWaiting && o.Wait.Kind.There()
		case dayone.Tried:
			ok = o.Attempt > 0 || o.State.Over() || o.State == dayone.StepPending // one that will never be tried
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
	return out
}

func (w *world) answer(id dayone.StepID) {
	attempt := w.calls[id]
	delete(w.calls, id)
	s := w.run.Step(id)
	os := w.outcomes[id]
	var a answer
	if len(os) > 0 {
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
		if len(w.alarms) == 0 {
			return
		}
		ids := slices.Sorted(maps.Keys(w.alarms))
		first := slices.MinFunc(ids, func(a, b dayone.StepID) int {
			return cmp.Or(w.alarms[a].Compare(w.alarms[b]), cmp.Compare(a, b))
		})
		if w.alarms[first].After(w.now) {
			w.now = w.alarms[first]
		}
		delete(w.alarms, first)
		w.feed(engine.Event{What: engine.Alarm, Step: first})
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
	if rapid.Bool().Draw(t, "message") {
		k := dayone.Key{System: "mail", Kind: "message", Name: "m"}
		s := dayone.Step{
			ID: "zz message", Action: dayone.MessageSend, Key: k, Once: "m", Want: &dayone.Item{Key: k}, On: []dayone.Moment{rapid.SampledFrom([]dayone.Moment{dayone.OnReady, dayone.OnFailed}).Draw(t, "on")},
			Critical: dayone.Continue,
		}
		for _, o := range p.Steps {
			s.Needs = append(s.Needs, dayone.Need{Step: o.ID, When: dayone.Settled})
		}
		p.Steps = append(p.Steps, s)
	}
	return p
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
		p := plans(t)
		o := outcomes(t, p)
		rollback := slices.ContainsFunc(p.Steps, func(s dayone.Step) bool { return s.Critical == dayone.Rollback })
		var want string
		for i := range 4 {
			w := newWorld(t, p, o)
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
		p := plans(t)
		for i := range p.Steps {
			if p.Steps[i].Critical == dayone.Rollback {
				p.Steps[i].Critical = dayone.Stop
			}
		}
		o := outcomes(t, p)
		for id, os := range o { // hiccups count attempts, and a crash costs one: only the last word matters here
			o[id] = os[len(os)-1:]
		}
		w := newWorld(t, p, o)
		w.finish(func(int) int { return 0 })
		want := w.states()

		w = newWorld(t, p, o)
		for range rapid.IntRange(0, 30).Draw(t, "before the crash") {
			ms := w.moves()
			if len(ms) == 0 {
				break
			}
			ms[rapid.IntRange(0, len(ms)-1).Draw(t, "next")]()
		}
		clear(w.calls)
		clear(w.ready)
		clear(w.alarms)
		if !w.run.State.Over() {
			w.feed(engine.Event{What: engine.Resume})
			for _, s := range w.run.Steps { // a resumed driver arms what it finds
				if !s.Next.IsZero() && !s.State.Over() {
					w.alarms[s.Step.ID] = s.Next
				} else if s.State == dayone.StepWaiting && s.Wait.Kind == dayone.WaitTask {
					w.alarms[s.Step.ID] = s.Waited.Add(w.cfg.Patience)
				}
			}
			w.finish(func(int) int { return 0 })
		}
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
	w := newWorld(t, p, map[dayone.StepID]outcome{"okta/account": {{err: dayone.ErrForbidden}}})
	w.finish(first)
	if got, want := w.states(), "incomplete | okta/account failed | okta/group:a blocked | slack/account done | slack/channel:x done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// a human mends it and tries again
	w.outcomes = nil
	w.feed(engine.Event{What: engine.Decide, Step: "okta/account", Human: engine.Human{By: "priya", Verb: engine.Retry, Reason: "rights granted"}})
	w.finish(first)
	if got, want := w.states(), "done | okta/account done | okta/group:a done | slack/account done | slack/channel:x done"; got != want {
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
