package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

const reviewing = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    match: everyone
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
      - {to: okta/group:sales-team, review: 90d}
`

// task waits for an open task of a person whose title says something.
func (h *house) task(p dayone.PersonID, says string) dayone.Task {
	h.t.Helper()
	return until(h, "a task: "+says, func() (dayone.Task, bool) {
		open, err := h.Tasks(ctx, p, "")
		if err != nil {
			h.t.Fatal(err)
		}
		for _, t := range open {
			if strings.Contains(t.Title, says) {
				return t, true
			}
		}
		return dayone.Task{}, false
	})
}

func TestWhatIsReviewedStaysIfSomebodyConfirmsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(reviewing)
	h := w.open()
	p, r := h.atWork("1")
	h.settledAt(p)
	h.clock.Jump(at(t, "2025-02-18T00:00:00Z"))
	if open, err := h.Tasks(ctx, p, ""); err != nil || len(open) != 0 {
		t.Fatalf("asked too early: %v, %v", open, err)
	}
	h.clock.Jump(at(t, "2025-02-20T00:00:00Z")) // 90 days after it was given
	q := h.task(p, "Does Erin No 1 still need okta/group:sales-team?")
	same(t, "who is asked", q.Assignee, "john.doe@company.com")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")

	_, err := h.CompleteTask(ctx, string(q.ID), "e1@company.com", dayone.Attrs{"keep": dayone.Text("yes")})
	is(t, err, dayone.ErrForbidden)
	_, err = h.CompleteTask(ctx, string(q.ID), "kim@company.com", dayone.Attrs{"keep": dayone.Text("perhaps")})
	is(t, err, dayone.ErrInvalid)
	_, err = h.CompleteTask(ctx, string(q.ID), "kim@company.com", dayone.Attrs{"keep": dayone.Text("no")})
	is(t, err, dayone.ErrInvalid) // without a reason
	if _, err := h.CompleteTask(ctx, string(q.ID), "kim@company.com", dayone.Attrs{"keep": dayone.Text("yes")}); err != nil {
		t.Fatal(err)
	}
	h.settledAt(p)
	h.stop()
	h = w.open()
	h.clock.Jump(at(t, "2025-03-20T00:00:00Z"))
	h.settledAt(p)
	if open, err := h.Tasks(ctx, p, ""); err != nil || len(open) != 0 {
		t.Fatalf("asked again too early: %v, %v", open, err)
	}

	// a no takes it away, holds through the next event, and whoever answers for the policy hears of it
	h.clock.Jump(at(t, "2025-05-22T00:00:00Z"))
	q = h.task(p, "still need")
	if _, err := h.CompleteTask(ctx, string(q.ID), "kim@company.com", dayone.Attrs{"keep": dayone.Text("no"), "note": dayone.Text("never used")}); err != nil {
		t.Fatal(err)
	}
	r = h.rests(p, r.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	same(t, "who hears of it", h.task(p, "A review took okta/group:sales-team from Erin No 1").Assignee, "it@company.com")
	h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales", "work_arrangement", "Remote")))[0].ID)
	h.settledAt(p)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")

	// and comes back when its hold is ended
	holds, err := h.Store.Holds(ctx, flow.HoldFilter{Person: p})
	if err != nil || len(holds) != 1 {
		t.Fatalf("holds: %v, %v", holds, err)
	}
	if err := h.EndHold(ctx, holds[0].ID, "it@company.com", "needed after all"); err != nil {
		t.Fatal(err)
	}
	r = h.rests(p, r.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")

	// nobody is asked about somebody who has left
	h.clock.Jump(h.clock.Now().Add(100 * 24 * time.Hour))
	h.task(p, "still need")
	day := h.clock.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	h.hears(h.hr.Put(employee("1", "department", "Sales", "end_date", day)))
	h.closed("e1@company.com")
	until(h, "the task is closed", func() (bool, bool) {
		open, err := h.Tasks(ctx, p, "")
		for _, t := range open {
			if strings.Contains(t.Title, "still need") {
				return false, false
			}
		}
		return true, err == nil
	})
}
