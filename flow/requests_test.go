package flow_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

const offering = housePolicy + `
  - id: help-sales
    title: Whoever helps Sales for a while
    owner: it@company.com
    match: {department: Engineering}
    offer:
      - {to: okta/group:sales-team, for: 30d}
`

func TestWhatIsOfferedIsGivenOnRequestAndForAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(offering)
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID)
	p := in.Person
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	r := h.rests(p, "")
	h.clock.Jump(at(t, "2024-11-25T09:00:00Z"))
	h.rests(p, r.ID)
	h.gitlab.Login("e1@company.com")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	ask := func(who dayone.PersonID, k dayone.Key) error {
		_, err := h.Request(ctx, dayone.Request{Person: who, Key: k, By: "lead@company.com", Reason: "covers for Max"})
		return err
	}

	other := key
	other.Name = "base-employee"
	is(t, ask(p, other), dayone.ErrConflict) // she has it
	other.Name = "admins"
	is(t, ask(p, other), dayone.ErrForbidden) // nobody offers it
	_, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: "lead@company.com"})
	is(t, err, dayone.ErrInvalid) // without a reason

	last := h.rests(p, "")
	if err := ask(p, key); err != nil {
		t.Fatal(err)
	}
	last = h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	is(t, ask(p, key), dayone.ErrConflict)
	why, err := h.Explain(ctx, p, key)
	if err != nil || why.Answer != "given" || why.Asked == nil || why.Asked.By != "lead@company.com" {
		t.Errorf("explained as %+v, %v", why, err)
	}
	if why, _, err = h.WhyAt(ctx, p, key, time.Time{}); err != nil || why.Answer != "given" || why.Asked == nil {
		t.Errorf("why: %+v, %v", why, err)
	}
	if most := h.Lasts(key, ""); most != 30*24*time.Hour {
		t.Errorf("the offer lasts %v", most)
	}

	// its end comes by itself, after a restart too, and does not come back
	h.settledAt(p)
	h.stop()
	h = w.open()
	h.clock.Jump(at(t, "2024-12-25T08:00:00Z"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.clock.Jump(at(t, "2024-12-25T10:00:00Z"))
	last = h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	h.settledAt(p)
	h.clock.Jump(at(t, "2024-12-27T10:00:00Z"))
	h.settledAt(p)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")

	// asked again for longer than it is offered, and ended by hand
	long, err := h.Request(ctx, dayone.Request{Person: p, Key: key, By: "lead@company.com", Reason: "covers for Max", Until: at(t, "2027-12-31T00:00:00Z")})
	if err != nil || long.Until.Sub(at(t, "2025-01-26T10:00:00Z")).Abs() > time.Minute {
		t.Fatalf("until %v: %v", long.Until, err)
	}
	last = h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	all, err := h.Requests(ctx, p)
	if err != nil || len(all) != 2 || !all[0].Ended.IsZero() || all[1].Ended.IsZero() {
		t.Fatalf("requests: %+v, %v", all, err)
	}
	if _, err := h.EndRequest(ctx, all[0].ID, "lead@company.com", "Max is back"); err != nil {
		t.Fatal(err)
	}
	h.rests(p, last.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	_, err = h.EndRequest(ctx, all[0].ID, "lead@company.com", "")
	is(t, err, dayone.ErrConflict)
}

// settledAt waits until a person's row is that of a look at which nothing was left to do.
func (h *house) settledAt(p dayone.PersonID) {
	h.t.Helper()
	until(h, "nothing is left to do", func() (bool, bool) {
		row, err := h.Store.Person(ctx, p)
		return true, err == nil && h.settled(p) && (row.Wake.IsZero() || row.Wake.After(h.clock.Now()))
	})
}
