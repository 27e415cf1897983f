package flow_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

const erinMail = "e1@company.com"

// preview fails unless an undo can be shown.
func (h *house) preview(r dayone.RunID, steps ...dayone.StepID) flow.Undoing {
	h.t.Helper()
	u, err := h.UndoPreview(ctx, r, steps)
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// undoes does what a preview shows and waits for its end.
func (h *house) undoes(r dayone.RunID, steps ...dayone.StepID) dayone.Run {
	h.t.Helper()
	u := h.preview(r, steps...)
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r, Steps: steps, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.over(by)
}

// rested waits until nobody is due.
func (h *house) rested(p dayone.PersonID) {
	h.t.Helper()
	until(h, "somebody is looked at", func() (bool, bool) {
		row, err := h.Person(ctx, p)
		return true, err == nil && (row.Wake.IsZero() || row.Wake.After(h.clock.Now()))
	})
}

// says finds what a preview has to say about a key.
func says(u flow.Undoing, key string) string {
	for _, f := range u.Plan.Findings {
		if f.Key.String() == key {
			return f.Kind + ": " + f.Text
		}
	}
	return ""
}

// erinWorks is an engineer at work, whose last run is done.
func erinWorks(t *testing.T) (*house, dayone.PersonID, dayone.Run) {
	t.Helper()
	return newWorld(t).erinWorks()
}

func (w *world) erinWorks() (*house, dayone.PersonID, dayone.Run) {
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-14"))
	h.gitlab.Login(erinMail)
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	r := until(h, "everything is confirmed", func() (dayone.Run, bool) {
		r := h.rests(p, "")
		return r, r.State == dayone.RunDone
	})
	h.rested(p)
	return h, p, r
}

func TestUndoTakesBackAndPoliciesLeaveItAlone(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	u := h.preview(r.ID)
	if got := says(u, "gitlab/account"); !strings.Contains(got, "closed, not deleted: its system does not tell") && !strings.Contains(got, "signed in") {
		t.Errorf("the account that was used: %q", got)
	}
	if got := says(u, "okta/account"); !strings.Contains(got, "the account is deleted, since nobody ever signed in") {
		t.Errorf("the account that nobody used: %q", got)
	}
	undo := h.undoes(r.ID)
	if f := failures(undo); len(f) > 0 || undo.State != dayone.RunDone {
		t.Fatalf("%s: %v", undo.State, f)
	}
	same(t, "title", undo.Title, "Undo: Onboard Erin No 1")
	same(t, "of", undo.Of, r.ID)
	if _, there := account(h.okta, erinMail); there {
		t.Error("the account at Okta is still there")
	}
	h.shows(h.gitlab, erinMail, dayone.Disabled)
	h.rested(p)
	before, calls := writes(h.okta)+writes(h.gitlab), 0
	h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "job_title", "Principal Engineer")))[0].ID)
	for range 3 {
		h.clock.Jump(h.clock.Now().Add(24 * time.Hour))
		h.rested(p)
	}
	calls = writes(h.okta) + writes(h.gitlab) - before
	same(t, "writes while the hold stands", calls, 0)
	list, err := h.UndoneBy(ctx, r.ID)
	if err != nil || len(list) != 1 || list[0].ID != undo.ID {
		t.Errorf("undone by %v, %v", list, err)
	}
	if _, err := h.UndoPreview(ctx, undo.ID, nil); err == nil || !strings.Contains(err.Error(), "end its hold") {
		t.Errorf("an undo of an undo: %v", err)
	}
	x, err := h.Explain(ctx, p, dayone.Key{System: "okta", Kind: "group", Name: "base-employee"})
	if err != nil || !strings.Contains(x.Finding, "held until 22 November 2024 by kim@company.com") || !strings.Contains(x.Finding, "a mistake") {
		t.Errorf("explained as %q, %v", x.Finding, err)
	}
}

// Who signed in keeps a closed account; so does whoever was given something beside us.
func TestUndoDeletesNoAccountThatWasUsed(t *testing.T) {
	t.Parallel()
	h, _, r := erinWorks(t)
	h.okta.Login(erinMail)
	if got := says(h.preview(r.ID), "okta/account"); got != "instead: the account is closed, not deleted: somebody signed in on 15 November 2024" {
		t.Errorf("it says %q", got)
	}
	h.undoes(r.ID)
	h.shows(h.okta, erinMail, dayone.Disabled)
}

func TestUndoDeletesNothingUnseen(t *testing.T) {
	t.Parallel()
	h, _, r := erinWorks(t)
	h.okta.Door().Inject(sim.Fault{Times: -1, Status: 503})
	if got := says(h.preview(r.ID), "okta/account"); !strings.Contains(got, "closed, not deleted: its system could not be asked") {
		t.Errorf("it says %q", got)
	}
}

// At its end a hold stands until somebody decides: for longer, or that policies count again.
func TestAHoldEndsByADecision(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	h.undoes(r.ID)
	h.rested(p)
	before := writes(h.okta)
	h.clock.Jump(h.clock.Now().Add(flow.HoldFor))
	ask := func() dayone.Task {
		return until(h, "somebody is asked", func() (dayone.Task, bool) {
			ts, err := h.Tasks(ctx, p, "")
			if err != nil || len(ts) == 0 {
				return dayone.Task{}, false
			}
			return ts[0], true
		})
	}
	task := ask()
	h.rested(p)
	same(t, "writes before the decision", writes(h.okta)-before, 0)
	for _, role := range []dayone.Role{dayone.Approver, dayone.HR} { // holds are for operators, by whatever door
		for _, decision := range []string{"follow policies", "2024-12-24"} {
			_, err := h.CompleteTask(loggedIn("wim@company.com", role), string(task.ID), "wim@company.com", dayone.Attrs{"decision": dayone.Text(decision)})
			is(t, err, dayone.ErrForbidden)
		}
	}
	_, err := h.CompleteTask(ctx, string(task.ID), "ada@company.com", dayone.Attrs{"decision": dayone.Text("maybe")})
	is(t, err, dayone.ErrInvalid)
	if _, err = h.CompleteTask(ctx, string(task.ID), "ada@company.com", dayone.Attrs{"decision": dayone.Text("2024-12-24")}); err != nil {
		t.Fatal(err)
	}
	h.rested(p)
	same(t, "writes while it is held for longer", writes(h.okta)-before, 0)
	h.clock.Jump(at(t, "2024-12-24T08:00:00Z"))
	task = ask()
	if _, err = h.CompleteTask(ctx, string(task.ID), "ada@company.com", dayone.Attrs{"decision": dayone.Text("Follow policies")}); err != nil {
		t.Fatal(err)
	}
	until(h, "everything is given again", func() (bool, bool) {
		a, ok := account(h.okta, erinMail)
		return true, ok && a.State == dayone.Active && slices.Contains(a.Entitlements, "group:base-employee")
	})
	if holds, err := h.Holds(ctx, flow.HoldFilter{Person: p}); err != nil || len(holds) > 0 {
		t.Errorf("holds: %v, %v", holds, err)
	}
}

func TestChosenStepsAreUndoneAlone(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	steps, err := flow.StepsNamed(r, []string{"gitlab/group:platform"})
	if err != nil || len(steps) != 1 {
		t.Fatal(steps, err)
	}
	_, err = flow.StepsNamed(r, []string{"gitlab/group:nothing"})
	is(t, err, dayone.ErrInvalid)
	h.undoes(r.ID, steps...)
	h.shows(h.gitlab, erinMail, dayone.Active)
	h.shows(h.okta, erinMail, dayone.Active, "group:base-employee")
	h.rested(p)
	holds, err := h.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 || len(holds[0].Keys) != 1 {
		t.Fatalf("holds: %+v, %v", holds, err)
	}
	if err := h.EndHold(ctx, holds[0].ID, "kim@company.com", ""); err != nil {
		t.Fatal(err)
	}
	is(t, h.EndHold(ctx, holds[0].ID, "kim@company.com", ""), dayone.ErrConflict)
	until(h, "it is given again", func() (bool, bool) {
		a, _ := account(h.gitlab, erinMail)
		return true, slices.Contains(a.Entitlements, "group:platform=developer")
	})
}

// What another reason justifies now stays, and with it the account that it hangs on; what somebody put on an account since
// keeps it from being deleted; what moved after the preview is not undone.
func TestUndoRespectsWhatCameLater(t *testing.T) {
	t.Parallel()
	h, p, first := erinWorks(t)
	r := h.changes(p, first.ID, employee("1", "start_date", "2024-11-14", "department", "Sales", "effective_date", "2024-11-14"))
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.rested(p)
	u := h.preview(first.ID)
	if got := says(u, "okta/account"); !strings.Contains(got, "what hangs on it stays: okta/group:sales-team") {
		t.Errorf("the account: %q", got)
	}
	if got := says(u, "gitlab/group:platform"); !strings.Contains(got, "not there any more") {
		t.Errorf("what the move took: %q", got)
	}
	// the move alone, as a whole: what it gave goes, what it took comes back
	u = h.preview(r.ID)
	var does []string
	for _, s := range u.Plan.Steps {
		does = append(does, string(s.Key.System+" "+string(s.Action)))
	}
	for _, want := range []string{"okta entitlement.remove", "gitlab account.enable", "gitlab entitlement.add"} {
		if !slices.Contains(does, want) {
			t.Errorf("there is no %s in %v", want, does)
		}
	}
	undo := h.undoes(r.ID)
	if f := failures(undo); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erinMail, dayone.Active, "group:base-employee")
	h.shows(h.gitlab, erinMail, dayone.Active, "group:platform=developer")

	_, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Reason: "again", Hash: u.Hash})
	is(t, err, dayone.ErrConflict)
	_, err = h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Reason: "again"})
	is(t, err, dayone.ErrInvalid)
	_, err = h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Hash: u.Hash})
	is(t, err, dayone.ErrInvalid)
}

// What could not be taken back is tried again like everything else.
func TestAFailedUndoIsRetried(t *testing.T) {
	t.Parallel()
	h, _, r := erinWorks(t)
	steps, _ := flow.StepsNamed(r, []string{"gitlab/group:platform"})
	u := h.preview(r.ID, steps...)
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodDelete, Times: -1, Status: 400, Body: `{"message":"no"}`})
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, Steps: steps, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	undo := h.over(by)
	same(t, "state", undo.State, dayone.RunIncomplete)
	h.gitlab.Door().Heal()
	if err := h.Decide(ctx, by, undo.Steps[0].Step.ID, engine.Human{By: "kim@company.com", Verb: engine.Retry}); err != nil {
		t.Fatal(err)
	}
	until(h, "the retry", func() (bool, bool) {
		r, err := h.RunOf(ctx, by)
		return true, err == nil && r.State == dayone.RunDone
	})
	h.shows(h.gitlab, erinMail, dayone.Active)
}

// A leaver is opened again and stays so until the hold ends; then everything is closed again. A hold of another kind never
// keeps somebody who has left.
func TestUndoOfALeaver(t *testing.T) {
	t.Parallel()
	h, p, first := erinWorks(t)
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "end_date", "2024-11-15")))
	h.clock.Jump(at(t, "2024-11-15T23:00:00Z"))
	left := h.over(h.rests(p, first.ID).ID)
	same(t, "title", left.Title, "Offboard Erin No 1")
	h.shows(h.okta, erinMail, dayone.Disabled)
	h.rested(p)
	undo := h.undoes(left.ID)
	if f := failures(undo); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erinMail, dayone.Active, "group:base-employee")
	h.shows(h.gitlab, erinMail, dayone.Active, "group:platform=developer")
	h.rested(p)
	h.clock.Jump(h.clock.Now().Add(6 * 24 * time.Hour))
	h.rested(p)
	h.shows(h.okta, erinMail, dayone.Active, "group:base-employee")
	h.clock.Jump(h.clock.Now().Add(24 * time.Hour))
	until(h, "it is closed again by itself", func() (bool, bool) {
		a, _ := account(h.okta, erinMail)
		b, _ := account(h.gitlab, erinMail)
		return true, a.State == dayone.Disabled && b.State == dayone.Disabled
	})
}

func TestAHoldOfAnOnboardingKeepsNoLeaver(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	steps, _ := flow.StepsNamed(r, []string{"gitlab/group:platform"})
	undo := h.undoes(r.ID, steps...)
	h.rested(p)
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "end_date", "2024-11-15")))
	h.clock.Jump(at(t, "2024-11-15T23:00:00Z"))
	left := h.over(h.rests(p, undo.ID).ID)
	same(t, "title", left.Title, "Offboard Erin No 1")
	h.shows(h.okta, erinMail, dayone.Disabled)
	h.shows(h.gitlab, erinMail, dayone.Disabled)
}

func TestAJournalIsNotKeptForEver(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	h.clock.Jump(r.Ended.Add(flow.UndoFor))
	h.rested(p)
	_, err := h.UndoPreview(ctx, r.ID, nil)
	is(t, err, dayone.ErrConflict)
	if err == nil || !strings.Contains(err.Error(), "kept for undoing until 15 December 2024") {
		t.Errorf("it says %v", err)
	}
}

// Turned back in the middle, and the server falls while it is: afterwards nothing is left, and nothing comes back.
func TestAnUndoUnderWaySurvivesARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-16")))[0].ID)
	r := h.rests(in.Person, "")
	same(t, "it waits for the first login", r.State, dayone.RunWaiting)
	reached := make(chan struct{})
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodDelete, Cut: true, Before: func(*http.Request) { close(reached) }})
	u := h.preview(r.ID)
	same(t, "under way", u.Live, true)
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil || by != r.ID {
		t.Fatal(by, err)
	}
	<-reached
	h.stop()
	h = w.open()
	r = h.over(r.ID)
	same(t, "state", r.State, dayone.RunUndone)
	if _, there := account(h.okta, erinMail); there {
		t.Error("the account at Okta is still there")
	}
	h.rested(in.Person)
	runs, err := h.Runs(ctx, flow.RunFilter{Person: in.Person})
	if err != nil || len(runs) != 1 {
		t.Errorf("runs: %v, %v", runs, err)
	}
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	h.rested(in.Person)
	if _, there := account(h.okta, erinMail); there {
		t.Error("it has come back")
	}
}

// An event that comes while an undo is under way waits for its end; whoever has left meanwhile is cut at once.
func TestAnUndoIsNotCutShortByAnEvent(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	reached, release := make(chan struct{}), make(chan struct{})
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodDelete, Before: func(*http.Request) { close(reached); <-release }, Hang: time.Nanosecond})
	steps, _ := flow.StepsNamed(r, []string{"gitlab/group:platform"})
	u := h.preview(r.ID, steps...)
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, Steps: steps, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	<-reached
	got := h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "department", "Sales", "effective_date", "2024-11-14")))[0].ID
	until(h, "the event is looked at", func() (bool, bool) {
		in, err := h.Event(ctx, got)
		return true, err == nil && in.State != dayone.EventReceived
	})
	close(release)
	same(t, "the undo", h.over(by).State, dayone.RunDone)
	until(h, "the move is carried out afterwards", func() (bool, bool) {
		a, _ := account(h.okta, erinMail)
		return true, slices.Contains(a.Entitlements, "group:sales-team")
	})
	_ = p
}

func TestALeaverIsCutThoughAnAccountWasTakenBack(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-16"))
	h.undoes(r.ID, "gitlab/account account.create")
	h.rested(p)
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-16", "end_date", "2024-11-14")))
	h.closed("e1@company.com")
}

func TestALeaverIsCutThoughHerRunWasPaused(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11"))
	h.rested(p)
	if err := h.DecideRun(ctx, r.ID, engine.Pause, "kim@company.com", "wait"); err != nil {
		t.Fatal(err)
	}
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11", "end_date", "2024-11-13"))) // before the run began
	h.closed("e1@company.com")
}

// A preview passes over nothing: each step of the run is taken back, goes with another one, or stays, and it is said why.
func TestAnUndoSaysSomethingOfEveryStep(t *testing.T) {
	t.Parallel()
	h, _, r := erinWorks(t)
	for _, chosen := range [][]dayone.StepID{nil, {r.Steps[0].Step.ID}} {
		u := h.preview(r.ID, chosen...)
		for _, s := range r.Steps {
			if chosen != nil && !slices.Contains(chosen, s.Step.ID) {
				continue
			}
			said := slices.ContainsFunc(u.Plan.Steps, func(o dayone.Step) bool { return o.Undoes == s.Step.ID }) ||
				slices.ContainsFunc(u.Along, func(a planner.Along) bool { return a.Step.ID == s.Step.ID }) ||
				slices.ContainsFunc(u.Stays(), func(f dayone.Finding) bool { return f.Key == s.Step.Key })
			if !said {
				t.Errorf("nothing is said of %s (%s)", s.Step.ID, s.State)
			}
		}
	}
}

// An undo that is refused leaves the run under way alone, and promises nothing.
func TestAnUndoThatIsRefusedGivesUpNothing(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	var told dayone.StepID
	until(h, "a message is out", func() (bool, bool) {
		r, err := h.RunOf(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Steps {
			if s.Step.Action == dayone.MessageSend && s.State == dayone.StepDone {
				told = s.Step.ID
			}
		}
		return true, told != ""
	})
	u := h.preview(r.ID, told)
	if !u.Nothing() || len(u.Keys) != 0 || len(u.Stays()) != 1 || u.GivesUp != r.ID {
		t.Fatalf("the preview: %d steps, %d keys, %v, gives up %q", len(u.Plan.Steps), len(u.Keys), u.Stays(), u.GivesUp)
	}
	_, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, Steps: []dayone.StepID{told}, By: "kim", Reason: "a mistake", Hash: u.Hash})
	is(t, err, dayone.ErrConflict)
	now, err := h.RunOf(ctx, r.ID)
	if err != nil || now.State != dayone.RunWaiting {
		t.Errorf("the run under way is %s, %v", now.State, err)
	}
	same(t, "approval", h.request(p).State, dayone.ApprovalOpen)
}

// Whoever answers a hold's task while somebody else ends the hold does not make it stand again.
func TestAHoldThatHasEndedStaysEnded(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	h.undoes(r.ID)
	holds, err := h.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 {
		t.Fatalf("%+v %v", holds, err)
	}
	hold := holds[0]
	h.clock.Jump(hold.Until.Add(time.Minute))
	task := until(h, "somebody is asked", func() (dayone.Task, bool) {
		ts, err := h.Store.Tasks(ctx, p, "")
		if err != nil || len(ts) == 0 {
			return dayone.Task{}, false
		}
		return ts[0], true
	})
	answers := make(chan error, 2)
	begin := make(chan struct{})
	go func() { <-begin; answers <- h.EndHold(ctx, hold.ID, "kim", "") }()
	go func() {
		<-begin
		_, err := h.CompleteTask(ctx, string(task.ID), "ada", dayone.Attrs{"decision": dayone.Text("follow policies")})
		answers <- err
	}()
	close(begin)
	a, b := <-answers, <-answers
	if (a == nil) == (b == nil) {
		t.Errorf("both, or neither, ended it: %v, %v", a, b)
	}
	same(t, "hold ended", h.ledger(p, "hold ended"), 1)
}

// Erin's accounts at GitLab are worked at by hand: the preview says which steps open a task and who gets it, and just these do.
func TestAnUndoSaysBeforehandWhatPeopleDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) { d.Asking.Owners = map[string]string{"gitlab": "group:git-admins"} }
	h, p, r := w.erinWorks()
	same(t, "steps by hand while all is called", len(h.preview(r.ID).Handed), 0)
	if _, err := h.Order(ctx, dayone.Order{System: "gitlab", Kind: dayone.OrderManual, By: "kim@company.com", Reason: "its API is gone"}); err != nil {
		t.Fatal(err)
	}
	u := h.preview(r.ID)
	said := map[dayone.StepID]bool{}
	for id, to := range u.Handed {
		said[id] = true
		same(t, "who gets "+string(id), to.To, "group:git-admins")
	}
	if len(said) == 0 || len(said) == len(u.Plan.Steps) {
		t.Fatalf("%d of %d steps are said to open a task", len(said), len(u.Plan.Steps))
	}
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	tasks := until(h, "everything else is taken back", func() ([]dayone.Task, bool) {
		run, err := h.RunOf(ctx, by)
		if err != nil || run.State != dayone.RunWaiting {
			return nil, false
		}
		list, err := h.Tasks(ctx, p, by)
		return list, err == nil && len(list) > 0
	})
	for _, task := range tasks {
		if !said[task.Step] {
			t.Errorf("nobody was told of the task %s", task.Title)
		}
	}
}
