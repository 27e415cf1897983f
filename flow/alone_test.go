package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// withoutSales takes the sales team's group away.
func (h *house) withoutSales() flow.Proposal {
	return h.proposal(strings.Replace(housePolicy, "      - {to: okta/group:sales-team}", "      - {to: gitlab/account}", 1), nil)
}

// ends waits until an act is at its end.
func (h *house) ends(id string) dayone.PolicyAct {
	h.t.Helper()
	return until(h, "an act at its end", func() (dayone.PolicyAct, bool) {
		all, err := h.Acts(ctx, 10)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, a := range all {
			if a.ID == id {
				return a, a.State != dayone.ActWaiting && a.Told == a.State
			}
		}
		return dayone.PolicyAct{}, false
	})
}

func (h *house) recorded(what string) int {
	h.t.Helper()
	lines, err := h.Store.Records(ctx, flow.RecordFilter{Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	n := 0
	for _, l := range lines {
		if l.What == what {
			n++
		}
	}
	return n
}

func TestWhatItsAuthorAloneApprovesWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	before := h.Active().Hash
	pr := h.withoutSales()
	e := h.everybody(pr)
	_, err := h.ApplyAlone(ctx, pr, e, pr.Author, "", "")
	is(t, err, dayone.ErrInvalid) // whoever sees it coming has to know why
	a, err := h.ApplyAlone(ctx, pr, e, pr.Author, "CHG-7", "")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "it waits for a day", a.Due.Sub(a.Made), 24*time.Hour)
	until(h, "the notice in the ledger", func() (bool, bool) { return true, h.recorded("policies announced") == 1 })

	h.stop() // it survives a restart, and nothing happens early
	w.clock.Jump(a.Due.Add(-time.Minute))
	h = w.open()
	waiting, err := h.Waiting(ctx)
	if err != nil || len(waiting) != 1 || waiting[0].Reason != "CHG-7" || !waiting[0].Due.Equal(a.Due) {
		t.Fatalf("it waits as %+v, %v", waiting, err)
	}
	same(t, "in force before the end of the notice", h.Active().Hash, before)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")

	w.clock.Jump(a.Due)
	same(t, "at its end", h.ends(a.ID).State, dayone.ActApplied)
	same(t, "in force", h.Active().Hash, pr.Set.Hash)
	until(h, "the access of the new policies", func() (bool, bool) {
		a, ok := account(h.okta, "e1@company.com")
		return true, ok && len(a.Entitlements) == 1
	})
	stands, err := h.Policies(ctx)
	if last := stands.Stages[len(stands.Stages)-1]; err != nil || last.Approver != pr.Author || !strings.Contains(last.Reason, "alone") {
		t.Errorf("the stage is %+v, %v", last, err)
	}
	same(t, "said once that it was announced", h.recorded("policies announced"), 1)
	same(t, "said once that it counts", h.recorded("policies applied"), 1)
	_, err = h.Withdraw(ctx, "", "kim@company.com", "")
	is(t, err, dayone.ErrNotFound)
	_ = p
}

func TestWhatWaitsCanBeWithdrawn(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	before := h.Active().Hash
	pr := h.withoutSales()
	a, err := h.ApplyAlone(ctx, pr, h.everybody(pr), pr.Author, "CHG-8", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Withdraw(ctx, "act_nonsense", "priya@company.com", "")
	is(t, err, dayone.ErrNotFound)
	if _, err := h.Withdraw(ctx, a.Version[:12], "priya@company.com", "not now"); err != nil {
		t.Fatal(err)
	}
	end := h.ends(a.ID)
	if end.State != dayone.ActWithdrawn || end.By != "priya@company.com" || end.Why != "not now" {
		t.Errorf("it ended as %+v", end)
	}
	h.clock.Jump(a.Due.Add(time.Hour))
	same(t, "hears", len(h.hears(h.hr.Put(employee("2", "start_date", "2024-11-11")))), 1) // the world goes on
	until(h, "another hire", func() (bool, bool) {
		_, ok := account(h.okta, "e2@company.com")
		return true, ok
	})
	same(t, "in force", h.Active().Hash, before)
	same(t, "said that it was withdrawn", h.recorded("policies withdrawn"), 1)
}

func TestWhatWaitsIsRefusedWhenItIsNotTheSameAnyMore(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	before := h.Active().Hash
	pr := h.withoutSales()
	a, err := h.ApplyAlone(ctx, pr, h.everybody(pr), pr.Author, "CHG-9", "")
	if err != nil {
		t.Fatal(err)
	}
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "department", "Legal"))
	h.clock.Jump(a.Due)
	end := h.ends(a.ID)
	if end.State != dayone.ActRefused || !strings.Contains(end.Why, string(p)) {
		t.Errorf("it does not say for whom: %+v", end)
	}
	same(t, "in force", h.Active().Hash, before)
	same(t, "said that it was refused", h.recorded("policies refused"), 1)

	pr = h.proposal(strings.Replace(housePolicy, "- {to: okta/group:base-employee}", "- {to: okta/group:base-employee}\n      - {to: gitlab/account}", 1), nil)
	first, err := h.ApplyAlone(ctx, pr, h.everybody(pr), pr.Author, "CHG-10", "")
	if err != nil {
		t.Fatal(err)
	}
	other := h.withoutSales()
	if _, err := h.Apply(ctx, other, h.everybody(other), "priya@company.com", "", ""); err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(first.Due)
	if end := h.ends(first.ID); end.State != dayone.ActRefused || !strings.Contains(end.Why, "other policies were applied") {
		t.Errorf("after other policies it ended as %+v", end)
	}
	same(t, "in force", h.Active().Hash, other.Set.Hash)
}

// Whoever announces the same plan again, such as a command that is repeated, hears that it stands. Another plan is another announcement.
func TestAnAnnouncementThatIsRepeatedStands(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	pr := h.withoutSales()
	e := h.everybody(pr)
	_, is1, err := h.AlreadyAnnounced(ctx, pr, e)
	is(t, err, nil)
	same(t, "it is announced before anybody did", is1, false)
	first, err := h.ApplyAlone(ctx, pr, e, pr.Author, "CHG-7", "the team is called off")
	is(t, err, nil)
	again, err := h.ApplyAlone(ctx, pr, e, pr.Author, "CHG-7", "the team is called off")
	is(t, err, nil)
	same(t, "the second", again.ID, first.ID)
	stands, is2, err := h.AlreadyAnnounced(ctx, pr, e)
	is(t, err, nil)
	same(t, "it stands", is2 && stands.ID == first.ID, true)
	waiting, err := h.Waiting(ctx)
	is(t, err, nil)
	same(t, "what waits", len(waiting), 1)
}

func TestABrakeIsReleasedAloneAfterItsNotice(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		h.hires(employee(id, "start_date", "2024-11-11", "department", "Sales"))
	}
	pr := h.withoutSales()
	e := h.everybody(pr)
	_, err := h.ApplyAlone(ctx, pr, e, pr.Author, "CHG-11", "")
	is(t, err, dayone.ErrForbidden) // a reason for the change is none for passing a limit
	a, err := h.ApplyAlone(ctx, pr, e, pr.Author, "CHG-11", "the team is called off")
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(a.Due)
	same(t, "at its end", h.ends(a.ID).State, dayone.ActApplied)

	h.stop() // a house at work reads its settings: they change when it opens anew
	h.joined = func(d *flow.Deps) { d.TwoPersons = true }
	h = h.open()
	back := h.proposal(housePolicy, nil)
	_, err = h.ApplyAlone(ctx, back, h.everybody(back), back.Author, "CHG-12", "")
	is(t, err, dayone.ErrForbidden)
}
