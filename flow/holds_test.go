package flow_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Nobody has to write that policies end with the employment: none of the house's has a clause about status.
func TestAPolicyWithoutAStatusClauseGivesALeaverNothing(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	look, err := h.Preview(ctx, p)
	if err != nil || len(look.Want.Grants) == 0 {
		t.Fatalf("at work she is to have %+v, %v", look.Want.Grants, err)
	}
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "end_date", "2024-11-16", "department", "Sales"))
	if look, err = h.Preview(ctx, p); err != nil || len(look.Want.Grants)+len(look.Want.Pending)+len(look.Want.Keep) != 0 {
		t.Errorf("after the last day she is to have %+v, %v", look.Want, err)
	}
	h.shows(h.okta, "e1@company.com", dayone.Disabled)
}

// A hire that is known long before costs nothing until her window: no account, no seat, no call that changes anything.
func TestAHireKnownNinetyDaysAheadCostsNothingYet(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	start := begin.AddDate(0, 0, 90)
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", start.Format(time.DateOnly))))[0].ID)
	same(t, "the hire", in.State, dayone.EventApplied)
	still := func(when string) {
		t.Helper()
		if n := writes(h.okta) + writes(h.gitlab); n != 0 {
			t.Errorf("%s: %d calls that change something", when, n)
		}
		if _, ok := account(h.okta, "e1@company.com"); ok {
			t.Errorf("%s: she has an account", when)
		}
	}
	still("when she is known")
	day := start.AddDate(0, 0, -4)
	h.clock.Jump(time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, time.UTC))
	until(h, "the day before her window", func() (bool, bool) {
		look, err := h.Preview(ctx, in.Person)
		return true, err == nil && look.Person.Status == dayone.PreHire && len(look.Plan.Steps) == 0
	})
	still("the day before her window")
	h.clock.Jump(start.AddDate(0, 0, -2))
	h.rests(in.Person, "")
	if a, ok := account(h.okta, "e1@company.com"); !ok || a.State == dayone.Active {
		t.Errorf("in her window she has %+v, %t", a, ok)
	}
}
