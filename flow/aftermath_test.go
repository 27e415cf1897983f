package flow_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// A slot of an account cannot be emptied, so it stays in the books when its account is closed. Nobody gets in by it: it is closed
// with its account, for those who were taken back and for those who left.
func TestWhatIsPartOfAClosedAccountIsClosedWithIt(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"undo", "leave"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files.(fstest.MapFS)["catalog/catalog.yaml"].Data = []byte(strings.Replace(houseCatalog, "sales-team], needs", "sales-team], exclusive: true, needs", 1))
			h, p, r := w.erinWorks()
			h.okta.Login(erinMail)
			if end == "undo" {
				h.undoes(r.ID)
			} else {
				h.hears(h.hr.Put(employee("1", "start_date", "2024-11-14", "end_date", "2024-11-15")))
				h.clock.Jump(at(t, "2024-11-15T23:00:00Z"))
				h.over(h.rests(p, r.ID).ID)
			}
			h.shows(h.okta, erinMail, dayone.Disabled, "group:base-employee")
			h.rested(p)
			_, list, err := h.Access(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			there := 0
			for _, a := range list {
				if a.Holding != nil {
					there++
					same(t, a.Key.String()+" is closed", a.Closed, true)
				}
			}
			same(t, "accounts and what is part of them", there, 3)
		})
	}
}

// Erin moved, which took a part of what her onboarding gave. The undo of the onboarding finds nothing left of that, which is neither
// something that stays nor something to undo once more.
func TestWhatWasGoneBeforeAnUndoDoesNotStay(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	moved := h.changes(p, r.ID, employee("1", "start_date", "2024-11-14", "department", "Legal", "effective_date", "2024-11-14"))
	if f := failures(moved); len(f) > 0 {
		t.Fatal(f)
	}
	h.rested(p)
	u := h.preview(r.ID)
	for _, key := range []string{"gitlab/account", "gitlab/group:platform"} {
		if got := says(u, key); !strings.HasPrefix(got, "absent: ") {
			t.Errorf("%s: %q", key, got)
		}
	}
	for _, f := range u.Stays() {
		if f.Key.Kind != "message" {
			t.Errorf("%s is said to stay: %s", f.Key, f.Text)
		}
	}
	undo := h.undoes(r.ID)
	gone, err := h.TakenBack(ctx, r)
	if err != nil || !gone[r.ID].Whole || gone[r.ID].By != undo.ID {
		t.Errorf("taken back: %+v, %v", gone[r.ID], err)
	}
	_, err = h.UndoPreview(ctx, r.ID, nil)
	is(t, err, dayone.ErrConflict)
	if err == nil || !strings.Contains(err.Error(), string(undo.ID)+" has taken this run back already") {
		t.Errorf("the second undo: %v", err)
	}
	order, err := h.OrderOf(ctx, undo)
	if err != nil || order.By != "kim@company.com" || order.Reason != "a mistake" {
		t.Errorf("asked for by %q: %q, %v", order.By, order.Reason, err)
	}
}

// An undo that people carry out may take days: who is kept waiting by it is told where it stands, and what is to be done.
func TestAnUndoThatWaitsForPeopleSaysSoToTheNext(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	if _, err := h.Order(ctx, dayone.Order{System: "gitlab", Kind: dayone.OrderManual, By: "kim@company.com", Reason: "its API is gone"}); err != nil {
		t.Fatal(err)
	}
	u := h.preview(r.ID, "gitlab/group:platform entitlement.add")
	by, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, Steps: u.Steps, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	task := until(h, "a human is asked", func() (dayone.Task, bool) {
		list, err := h.Tasks(ctx, p, by)
		if err != nil || len(list) == 0 {
			return dayone.Task{}, false
		}
		return list[0], true
	})
	u, err = h.UndoPreview(ctx, r.ID, nil)
	is(t, err, dayone.ErrConflict)
	if err == nil || !strings.Contains(err.Error(), string(by)) || !strings.Contains(err.Error(), string(task.ID)) || !strings.Contains(err.Error(), task.Title) {
		t.Errorf("the next undo: %v", err)
	}
	if u.Waits != by || len(u.Tasks) != 1 || u.Tasks[0].ID != task.ID {
		t.Errorf("it waits for %q, %+v", u.Waits, u.Tasks)
	}
	if err := h.Decide(ctx, by, task.Step, engine.Human{By: "kim@company.com", Verb: engine.Skip, Reason: "later"}); err != nil {
		t.Fatal(err)
	}
	h.over(by)
	if u = h.preview(r.ID); u.Waits != "" || u.Nothing() {
		t.Errorf("afterwards it waits for %q", u.Waits)
	}
}

// Erin's last account goes with her onboarding. What she had asked for beside it waits for her manager: nobody has to answer that any
// more, and no answer brings anything about while the hold stands. As long as an account of hers is left, it stands.
func TestWhoeverHasNoAccountLeftWaitsForNoApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(strings.Replace(offering, "for: 30d}", "for: 30d, approval: {by: [manager]}}", 1))
	h, p, r := w.erinWorks()
	h.hires(employee("100", "email", john, "department", "Sales", "start_date", "2024-01-08", "manager_email", ""))
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	if _, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: "lead@company.com", Reason: "covers for Max"}); err != nil {
		t.Fatal(err)
	}
	waits := h.rests(p, r.ID)
	q := until(h, "her manager is asked", func() (dayone.Petition, bool) {
		q := h.request(p)
		return q, q.State == dayone.ApprovalOpen && q.Run == waits.ID && len(q.Deciders) > 0
	})
	if u := h.preview(r.ID, "gitlab/account account.create"); slices.Contains(u.Keys, key) {
		t.Errorf("an undo of one account holds %s", key)
	}
	u := h.preview(r.ID)
	same(t, "it is held, too", slices.Contains(u.Keys, key), true)
	undo := h.undoes(r.ID)
	h.rested(p)
	q = h.answered(p, dayone.ApprovalWithdrawn)
	if !strings.Contains(q.Why, "a hold of kim@company.com leaves it alone") {
		t.Errorf("nobody has to answer, since %q", q.Why)
	}
	_, err := h.Answer(ctx, q.ID, flow.Reply{Of: john, By: john, Yes: true})
	is(t, err, dayone.ErrConflict)
	h.rested(p)
	if runs, err := h.Runs(ctx, flow.RunFilter{Person: p, Limit: 1}); err != nil || runs[0].ID != undo.ID {
		t.Errorf("something came after the undo: %+v, %v", runs, err)
	}
}
