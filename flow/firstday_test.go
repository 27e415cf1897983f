package flow_test

import (
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
	before, found, err := h.FirstDay(ctx, p)
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
	after, _, err := h.FirstDay(ctx, p)
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
		run, found, err := h.FirstDay(ctx, p)
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
