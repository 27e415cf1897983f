package flow_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Whoever would take another's place by what is typed, or come back by another door, is told no.

func TestACorrectionMakesNobodySomebodyElse(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", here, "employee_number", "1"))
	q, _ := h.hires(employee("2", "start_date", here, "employee_number", "2", "personal_email", "two@home.example"))
	correct := func(p dayone.PersonID, attr, value string) error {
		_, err := h.Correct(ctx, p, flow.Correction{Values: map[string]string{attr: value}, Until: "2024-12-31", By: "kim@company.com", Reason: "x"})
		return err
	}
	for _, bad := range [][2]string{
		{"email", "a@b.c\r\nBcc: x@y.z"},
		{"email", "<script>"},
		{"email", "nobody"},
		{"email", strings.Repeat("a", 5000) + "@b.c"},
		{"first_name", "A\x00B"},
		{"first_name", "\x1b[2JAda"},
		{"first_name", "Ada\u202egnp"},
		{"last_name", "<script>"},
		{"last_name", strings.Repeat("x", 5000)},
		{"mobile", "call me"},
		{"employee_number", "1\x1b]0;x\a"},
		{"employee_number", strings.Repeat("1", 5000)},
		{"manager", "the boss"},
	} {
		if err := correct(p, bad[0], bad[1]); dayone.KindOf(err) != dayone.ErrInvalid {
			t.Errorf("%s = %.20q: %v", bad[0], bad[1], err)
		}
	}
	for _, theirs := range [][2]string{{"email", "E2@company.com"}, {"email", "two@home.example"}, {"personal_email", "e2@company.com"}, {"employee_number", "2"}} {
		err := correct(p, theirs[0], theirs[1])
		is(t, err, dayone.ErrConflict)
		if err == nil || !strings.Contains(err.Error(), "another person") || strings.Contains(err.Error(), string(q)) {
			t.Errorf("%s: %v", theirs[0], err)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, who := range []dayone.PersonID{p, q} { // both at once
		wg.Go(func() { errs[i] = correct(who, "email", "fresh@company.com") })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("both or none has it: %v", errs)
	}
}

func TestNoNameOfHRsIsObeyedByAScreen(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", here, "first_name", "\x1b[2JAda\u202e", "last_name", "Love\nlace\u2066"))
	same(t, "name", h.person(p).Name(), "[2JAda Love lace")
}

func TestAStopStandsForThePersonWhoeverBringsAnotherEmployment(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	p, run := h.added(ngozi())
	h.fired(p, run.ID)
	h.later(time.Minute)
	in := h.looked(h.hears(h.hr.Put(employee("77", "first_name", "Ngozi", "last_name", "Eze", "email", "ngozi@partner.example", "start_date", here)))[0].ID)
	same(t, "state", in.State, dayone.EventAsked)
	ms, err := h.Matches(ctx, true, 10)
	if err != nil || len(ms) != 1 {
		t.Fatalf("matches: %+v, %v", ms, err)
	}
	if since, err := h.StoppedSince(ctx, p); err != nil || since.IsZero() {
		t.Errorf("nobody is told beforehand: %v, %v", since, err)
	}
	if _, err := h.DecideMatch(ctx, ms[0].ID, p, "kim@company.com", "the same"); err != nil {
		t.Fatal(err)
	}
	in = h.judged(ms[0].Event)
	same(t, "whose", in.Person, p)
	same(t, "engagements", len(h.person(p).Engagements), 2)
	same(t, "she is cut off still", h.status(p), dayone.Left)
	h.shows(h.okta, "ngozi@partner.example", dayone.Disabled)
	if _, err := h.Reinstate(ctx, p, "kim@company.com", "it was somebody else"); err != nil {
		t.Fatal(err)
	}
	same(t, "she is back", h.status(p), dayone.Working)
	if since, err := h.StoppedSince(ctx, p); err != nil || !since.IsZero() {
		t.Errorf("stopped still: %v, %v", since, err)
	}
}

func TestEightWishesToAskAgainAreOneMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) { d.PreHire = flow.PreHireSettings{Ask: []string{"home_address"}} }
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "personal_email", "erin@home.example", "work_arrangement", "Remote", "start_date", "2024-12-02")))[0].ID)
	links := func(n int) (out []string) {
		return until(h, "she is asked", func() ([]string, bool) {
			var out []string
			for _, m := range h.mail.Messages() {
				if got := preHireLink.FindStringSubmatch(m.Text); got != nil {
					out = append(out, got[1])
				}
			}
			return out, len(out) >= n
		})
	}
	links(1)
	h.later(2 * time.Minute)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = h.SendPreHire(ctx, in.Person, "kim@company.com") })
	}
	wg.Wait()
	sent := 0
	for _, err := range errs {
		if err == nil {
			sent++
			continue
		}
		is(t, err, dayone.ErrConflict)
	}
	same(t, "sent", sent, 1)
	links(2)
	h.later(2 * time.Minute)
	if _, err := h.SendPreHire(ctx, in.Person, "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	got := links(3)
	same(t, "mails", len(got), 3)
	for i, token := range got {
		_, err := h.PreHireForm(ctx, token)
		if works := err == nil; works != (i == 2) {
			t.Errorf("link %d: %v", i, err)
		}
	}
}

func TestWhoeverIsInHRIsNotAddedByHand(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	o := ngozi()
	o.Type = "FTE"
	_, err := h.AddOutsider(ctx, o)
	is(t, err, dayone.ErrInvalid)
}
