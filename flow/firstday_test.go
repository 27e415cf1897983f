package flow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

// What somebody asks for on top fails: her first day is not at risk for that. What policies give fails: it is.
func TestARequestPutsNoFirstDayAtRisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files, w.joined = w.folder(offering), toldIT
	h := w.open()
	p := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID).Person
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	first := h.rests(p, "")
	before, found, err := h.firstDay(ctx, p)
	if err != nil || !found || before.ID != first.ID {
		t.Fatalf("the first day is told by %s, %v, %v; want %s", before.ID, found, err, first.ID)
	}

	h.okta.Door().Inject(sim.Fault{Method: "PUT", Status: 403, Times: -1, Body: `{"errorCode":"E0000006"}`})
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: "lead@company.com", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	last := h.rests(p, first.ID)
	same(t, "the request", last.Step("okta/group:sales-team entitlement.add").State, dayone.StepFailed)
	after, _, err := h.firstDay(ctx, p)
	if err != nil || after.Step("okta/group:sales-team entitlement.add") != nil || after.State != before.State {
		t.Errorf("the first day is told by %s, %s; %v", after.ID, after.State, err)
	}
	h.clock.Jump(at(t, "2024-11-24T21:00:00Z"))
	h.later(5 * time.Minute)
	h.rested(p)
	if list := h.openOf("day-one-at-risk"); len(list) != 0 {
		t.Errorf("the alert is on: %+v", list)
	}

	// another one's group of the policies is refused, too
	q := h.judged(h.hears(h.hr.Put(employee("2")))[0].ID).Person
	h.rests(q, "")
	h.later(5 * time.Minute)
	if a := h.alerted("day-one-at-risk", 1)[0]; a.Person != q {
		t.Errorf("%+v", a)
	}
}

// What policies give to everyone, and fails, stays a matter of her first day when somebody asks for a product that holds it.
func TestAPolicysFailedStepStaysWhenAProductHoldsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files, w.joined = withProducts(w.folder(houseOffers), strings.Replace(houseProducts, "      - {to: gitlab/account}\n", "      - {to: gitlab/account}\n      - {to: okta/group:base-employee}\n", 1)), toldIT
	h := w.open()
	h.okta.Door().Inject(sim.Fault{Method: "PUT", Status: 403, Times: -1, Body: `{"errorCode":"E0000006"}`})
	p := h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID).Person
	h.clock.Jump(at(t, "2024-11-24T23:30:00Z"))
	h.rests(p, "")
	const base = "okta/group:base-employee entitlement.add"
	risk := func(when string) {
		t.Helper()
		run, found, err := h.firstDay(ctx, p)
		if err != nil || !found || run.State == dayone.RunDone || run.Step(base) == nil || run.Step(base).State != dayone.StepFailed {
			t.Errorf("%s the first day is told by %s (%s), %v", when, run.ID, run.State, err)
		}
	}
	risk("before anybody asks")
	rs, err := h.PickProducts(ctx, flow.Pick{Person: p, Products: []string{"code"}, By: "lead@company.com", Reason: "a customer's repository"})
	if err != nil || len(rs) != 1 {
		t.Fatal(rs, err)
	}
	risk("once it is asked for")
}

// ready waits until all that ended is counted, and says of how many starters it is known when they were ready.
func (h *house) ready() int {
	h.t.Helper()
	h.worth()
	r, err := h.Readiness(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	return r[0].N
}

// An onboarding that was undone is not there: nobody is ready with it, an alert says so, and once its hold is over another run tells.
func TestWhatWasTakenBackIsNotReady(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	first, found, err := h.firstDay(ctx, p)
	if err != nil || !found || first.ID != r.ID || first.State != dayone.RunDone || first.Away != 0 || first.Undo != "" {
		t.Fatalf("before the undo: %s, %s, %d away by %q; %v", first.ID, first.State, first.Away, first.Undo, err)
	}
	same(t, "starters who were ready", h.ready(), 1)

	undo := h.undoes(r.ID)
	first, found, err = h.firstDay(ctx, p)
	if err != nil || !found || !first.Whole || first.Away == 0 || first.Undo != undo.ID || first.Under {
		t.Errorf("after it: whole %v, %d away by %q; %v, %v", first.Whole, first.Away, first.Undo, found, err)
	}
	for _, s := range first.Steps {
		if s.State == dayone.StepDone && s.Result.Changed() && s.Step.Undo.Possible() && s.Step.Action != dayone.MessageSend {
			t.Errorf("%s counts as done", s.Step.ID)
		}
	}
	gone, err := h.TakenBack(ctx, r, undo)
	if b := gone[r.ID]; err != nil || len(gone) != 1 || b.By != undo.ID || !b.Whole || b.Under {
		t.Errorf("taken back: %+v, %v", gone, err)
	}
	same(t, "starters who are ready after it", h.ready(), 0)
	h.later(5 * time.Minute)
	if a := h.alerted("day-one-at-risk", 1)[0]; !strings.Contains(a.Note, "taken back and are held") {
		t.Errorf("the alert says %q", a.Note)
	}

	holds, err := h.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 {
		t.Fatal(holds, err)
	}
	if err := h.EndHold(ctx, holds[0].ID, "kim@company.com", "she starts after all"); err != nil {
		t.Fatal(err)
	}
	again := h.rests(p, undo.ID)
	first, _, err = h.firstDay(ctx, p)
	if err != nil || first.ID != again.ID || first.Whole || first.Away != 0 {
		t.Errorf("given again: %s by %s, whole %v, %d away; %v", first.ID, again.ID, first.Whole, first.Away, err)
	}
}

// Of what was undone in part, just that is away.
func TestAPartThatWasTakenBackIsNotDone(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	const group = "gitlab/group:platform entitlement.add"
	undo := h.undoes(r.ID, group)
	first, _, err := h.firstDay(ctx, p)
	if err != nil || first.ID != r.ID || first.Whole || first.Away != 1 || first.Undo != undo.ID || first.Step(group) == nil || first.Step(group).State != dayone.StepUndone {
		t.Errorf("%s, whole %v, %d away by %q, %+v; %v", first.ID, first.Whole, first.Away, first.Undo, first.Step(group), err)
	}
	gone, err := h.TakenBack(ctx, r)
	if b := gone[r.ID]; err != nil || b.Whole || len(b.Steps) != 1 || b.By != undo.ID {
		t.Errorf("taken back: %+v, %v", gone, err)
	}
	same(t, "starters who are ready", h.ready(), 1)
}

// firstDay is what is told of somebody's first day; false: nothing.
func (h *house) firstDay(ctx context.Context, id dayone.PersonID) (flow.First, bool, error) {
	days, err := h.FirstDays(ctx, []dayone.PersonID{id})
	first, found := days[id]
	return first, found, err
}

// Accounts were opened on the first day by a run that went on for the onboarding: whoever takes the onboarding back takes those back, too.
func TestAnOnboardingThatWentOnIsTakenBackWhole(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-18"))
	h.rested(p)
	h.clock.Jump(time.Date(2024, 11, 18, 18, 0, 0, 0, time.UTC))
	opened := h.rests(p, r.ID)
	h.rested(p)
	if first, _, err := h.firstDay(ctx, p); err != nil || first.ID != opened.ID || first.Whole {
		t.Fatalf("opened: %s by %s, whole %v; %v", first.ID, opened.ID, first.Whole, err)
	}
	undo := h.undoes(r.ID)
	first, found, err := h.firstDay(ctx, p)
	if err != nil || !found || first.ID != r.ID || !first.Whole || first.Away == 0 || first.Undo != undo.ID {
		t.Errorf("after the undo of %s: %s, whole %v, %d away by %q; %v, %v", r.ID, first.ID, first.Whole, first.Away, first.Undo, found, err)
	}
}
