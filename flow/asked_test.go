package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// offersWithApproval is a house in which John agrees to what policies offer to Erin.
func offersWithApproval(t *testing.T) (*world, *house, dayone.PersonID, dayone.Key) {
	t.Helper()
	w := newWorld(t)
	w.files = w.folder(strings.Replace(offering, "okta/group:sales-team, for: 30d}", "okta/group:sales-team, for: 30d, approval: {by: [manager], within: 10d}}", 1))
	h := w.open()
	h.hires(employee("101", "email", vera, "department", "Sales", "start_date", "2024-01-08", "manager_email", ""))
	h.hires(employee("100", "email", john, "department", "Sales", "start_date", "2024-01-08", "manager_email", vera))
	p, _ := h.hires(employee("2", "start_date", "2024-11-04"))
	return w, h, p, dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
}

// asked waits until somebody is asked to agree to something of a person.
func (h *house) asked(p dayone.PersonID) dayone.Petition {
	h.t.Helper()
	until(h, "somebody is asked", func() (bool, bool) {
		rs, err := h.Approvals(ctx, flow.ApprovalFilter{Person: p, Open: true})
		return true, err == nil && len(rs) > 0
	})
	return h.request(p)
}

// carriedOut waits until Erin has what was approved.
func (h *house) carriedOut(p dayone.PersonID) {
	h.t.Helper()
	h.answered(p, dayone.ApprovalGiven)
	until(h, "she has it", func() (bool, bool) {
		a, _ := account(h.okta, erin)
		return true, slices.Contains(a.Entitlements, "group:sales-team")
	})
}

// The login that several share enters what one of them asks for and what another one decides.
func TestWhatASharedLoginRequestsIsDecidedByIt(t *testing.T) {
	t.Parallel()
	_, h, p, key := offersWithApproval(t)
	_, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: "administrator", Login: "administrator", Reason: "covers for Max"})
	is(t, err, dayone.ErrInvalid) // that is nobody's mail address
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, Login: "administrator", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	q := h.asked(p)
	if len(q.Asks) != 1 || q.Asks[0].By != "administrator" || q.Requester() != "" || q.Reason() != "covers for Max" || q.Anew {
		t.Fatalf("asked: %+v", q)
	}
	until(h, "John reads why", func() (bool, bool) {
		for _, m := range h.mail.Messages() {
			if strings.Contains(m.Subject, "May Erin") {
				return true, strings.Contains(m.Text, "- Needed for: covers for Max") && !strings.Contains(m.Text, "Asked anew")
			}
		}
		return false, false
	})
	if _, err := h.Answer(ctx, q.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.carriedOut(p)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
}

func TestNobodyEverDecidesWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	_, h, p, key := offersWithApproval(t)
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: strings.ToUpper(john), Login: "administrator", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	q := h.asked(p)
	if len(q.Deciders) != 1 || q.Deciders[0].Mail != vera {
		t.Fatalf("who decides what John asked for: %+v", q.Deciders)
	}
	_, err := h.Answer(ctx, q.ID, flow.Reply{Of: vera, By: john, Reason: "no"})
	is(t, err, dayone.ErrForbidden) // nor enters it, where he is logged in by his own name
	if _, err := h.Answer(ctx, q.ID, flow.Reply{Of: vera, By: "administrator", Reason: "no"}); err != nil {
		t.Fatal(err)
	}
	h.answered(p, dayone.ApprovalRefused)
	fresh, err := h.AskAnew(ctx, q.ID, dayone.Ask{By: "administrator", Reason: "Max is ill"})
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err = h.Approval(ctx, fresh.ID); err != nil || len(fresh.Deciders) != 1 || fresh.Deciders[0].Mail != vera || len(fresh.Asks) != 2 || fresh.Reason() != "Max is ill" {
		t.Fatalf("asked anew: %+v %v", fresh, err)
	}
	_, err = h.Answer(ctx, fresh.ID, flow.Reply{Of: john, By: "administrator", Yes: true})
	is(t, err, dayone.ErrForbidden)
	if _, err := h.Answer(ctx, fresh.ID, flow.Reply{Of: vera, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.carriedOut(p)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
}

// Whoever ends a request and asks for it again at once has still asked for it.
func TestARequestThatTakesAnothersPlaceIsKnown(t *testing.T) {
	t.Parallel()
	w, h, p, key := offersWithApproval(t)
	first, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: john, Login: "administrator", Reason: "covers for Max"})
	if err != nil {
		t.Fatal(err)
	}
	h.asked(p)
	h.stopRun()
	if _, err := h.EndRequest(ctx, first.ID, "administrator", ""); err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(h.clock.Now().Add(time.Minute))
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: vera, Login: "administrator", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h = w.open()
	until(h, "both are known", func() (bool, bool) {
		q := h.request(p)
		return true, len(q.Askers()) == 2 && q.Requester() == vera
	})
}

// An approval is for one request: while what it gave is still being taken back, whoever asks for it again asks anew, and an answer keeps it.
func TestAnEndedRequestsApprovalIsSpent(t *testing.T) {
	t.Parallel()
	_, h, p, key := offersWithApproval(t)
	first, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: vera, Login: "administrator", Reason: "covers for Max"})
	if err != nil {
		t.Fatal(err)
	}
	old := h.asked(p)
	if _, err := h.Answer(ctx, old.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.carriedOut(p)
	until(h, "the books have it", func() (bool, bool) {
		have, err := h.Store.Holdings(ctx, p, false)
		return true, err == nil && slices.ContainsFunc(have, func(x dayone.Holding) bool { return x.Key == key && x.State == dayone.Active })
	})
	h.clock.Jump(h.clock.Now().Add(time.Minute))
	h.okta.Door().Inject(sim.Fault{Status: 503, Times: -1})
	if _, err := h.EndRequest(ctx, first.ID, "administrator", ""); err != nil {
		t.Fatal(err)
	}
	until(h, "it is being taken back", func() (bool, bool) {
		id, err := h.Store.ActiveRun(ctx, p)
		if err != nil {
			return false, false
		}
		r, err := h.RunOf(ctx, id)
		return true, err == nil && slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.Step.Key == key && s.Step.Action == dayone.EntitlementRemove })
	})
	h.clock.Jump(h.clock.Now().Add(time.Minute))
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: vera, Login: "administrator", Reason: "Max is ill"}); err != nil {
		t.Fatal(err)
	}
	l, err := h.Preview(ctx, p)
	if err != nil || slices.ContainsFunc(l.Want.Grants, func(g dayone.Grant) bool { return g.Key == key }) || !slices.ContainsFunc(l.Want.Pending, func(g dayone.Grant) bool { return g.Key == key }) {
		t.Fatalf("without an approval she is to have %+v, and %+v waits: %v", l.Want.Grants, l.Want.Pending, err)
	}
	fresh := h.asked(p)
	if fresh.ID == old.ID || fresh.Reason() != "Max is ill" {
		t.Fatalf("asked: %+v", fresh)
	}
	h.okta.Door().Heal()
	until(h, "it is taken back", func() (bool, bool) {
		h.clock.Jump(h.clock.Now().Add(time.Minute))
		a, _ := account(h.okta, erin)
		return true, !slices.Contains(a.Entitlements, "group:sales-team")
	})
	if _, err := h.Answer(ctx, fresh.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.carriedOut(p)
}

// A cancelled run's approval rests: nobody is reminded, nobody answers in vain, and it is asked for again later.
func TestWhatWasCancelledAsksNobody(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	h.tells(john, 2)
	q := h.request(p)
	if err := h.DecideRun(ctx, r.ID, engine.Cancel, "kim", "wrong"); err != nil {
		t.Fatal(err)
	}
	h.over(r.ID)
	_, err := h.Answer(ctx, q.ID, flow.Reply{Of: john, By: "administrator", Yes: true})
	is(t, err, dayone.ErrConflict)
	q = h.answered(p, dayone.ApprovalWithdrawn)
	if !strings.Contains(q.Why, "cancelled") || q.Ended.IsZero() || !q.Next.IsZero() {
		t.Errorf("%+v", q)
	}
	_, err = h.Answer(ctx, q.ID, flow.Reply{Of: john, By: "administrator", Yes: true})
	is(t, err, dayone.ErrConflict)
	if !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("it is refused with %v", err)
	}
	h.clock.Jump(h.clock.Now().AddDate(0, 0, 4))
	h.rested(p)
	if _, err := h.Replan(ctx, p, "", ""); err != nil { // looked at again, nobody is asked
		t.Fatal(err)
	}
	same(t, "approval", h.request(p).ID, q.ID)
	same(t, "mails to John", len(h.told(john)), 2)
	same(t, "approval withdrawn", h.ledger(p, "approval withdrawn"), 1)

	if err := h.DecideRun(ctx, r.ID, engine.GoOn, "kim", "it was right"); err != nil {
		t.Fatal(err)
	}
	fresh := h.asked(p)
	if fresh.ID == q.ID || fresh.Why != "" {
		t.Fatalf("taken up again: %+v", fresh)
	}
	h.tells(john, 3)
	if _, err := h.Answer(ctx, fresh.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.carriedOut(p)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
}

// What a hold leaves alone is not asked for until the hold ends; who had asked for it is still known then.
func TestWhatIsHeldAsksNobody(t *testing.T) {
	t.Parallel()
	_, h, p, key := offersWithApproval(t)
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: john, Login: "administrator", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	q := h.asked(p)
	until(h, "its run waits", func() (bool, bool) { q = h.request(p); return true, q.Run != "" })
	u := h.preview(q.Run)
	if _, err := h.Undo(ctx, flow.UndoOrder{Run: q.Run, By: "kim", Reason: "a mistake", Hash: u.Hash}); err != nil {
		t.Fatal(err)
	}
	h.over(q.Run)
	_, err := h.Answer(ctx, q.ID, flow.Reply{Of: vera, By: "administrator", Yes: true})
	is(t, err, dayone.ErrConflict)
	q = h.answered(p, dayone.ApprovalWithdrawn)
	if !strings.Contains(q.Why, "hold of kim") {
		t.Errorf("why: %q", q.Why)
	}
	holds, err := h.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 {
		t.Fatalf("%+v %v", holds, err)
	}
	if err := h.EndHold(ctx, holds[0].ID, "kim", ""); err != nil {
		t.Fatal(err)
	}
	fresh := h.asked(p)
	if fresh.ID == q.ID || fresh.Requester() != john || len(fresh.Asks) != 1 || fresh.Deciders[0].Mail != vera {
		t.Errorf("taken up again: %+v", fresh)
	}
}
