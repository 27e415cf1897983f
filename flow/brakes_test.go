package flow_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/flow"
)

// feed is HR whose list is altered on its way.
type feed struct {
	connector.Source
	alter func([]dayone.Event) ([]dayone.Event, error)
}

func (s *feed) Everybody(ctx context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) {
		var all []dayone.Event
		for ev, err := range s.Source.Everybody(ctx) {
			if err != nil {
				yield(ev, err)
				return
			}
			all = append(all, ev)
		}
		all, err := s.alter(all)
		for _, ev := range all {
			if !yield(ev, nil) {
				return
			}
		}
		if err != nil {
			yield(dayone.Event{}, err)
		}
	}
}

// town is a house with so many people at work, whose HR can be altered.
func town(t *testing.T, n int, set func(*flow.Source)) (*house, *feed) {
	t.Helper()
	w, f := newWorld(t), &feed{}
	plain := func(all []dayone.Event) ([]dayone.Event, error) { return all, nil }
	f.alter = plain
	w.joined = func(d *flow.Deps) {
		s := d.Sources["hr"]
		f.Source = s.Source
		s.Source = f
		if set != nil {
			set(&s)
		}
		d.Sources["hr"] = s
	}
	h := w.open()
	var ids []dayone.EventID
	for i := range n {
		ids = append(ids, h.hears(h.hr.Put(employee(strconv.Itoa(i+1), "start_date", here)))[0].ID)
	}
	for _, id := range ids {
		h.judged(id)
	}
	h.clock.Jump(h.clock.Now().Add(time.Hour))
	if _, err := h.ReadSource(ctx, "hr", "kim"); err != nil { // from now on lists have a length
		t.Fatal(err)
	}
	return h, f
}

// count is how many people are in a status.
func (h *house) count(s dayone.Status) int {
	h.t.Helper()
	rows, err := h.People(ctx, flow.PeopleFilter{Status: s, Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(rows)
}

// calm waits until nothing is left to be looked at.
func (h *house) calm() {
	h.t.Helper()
	until(h, "every event is looked at", func() (bool, bool) {
		list, err := h.Events(ctx, flow.EventFilter{State: dayone.EventReceived, Limit: 1})
		return true, err == nil && len(list) == 0
	})
}

func (h *house) braked(rule string) flow.BrakeView {
	h.t.Helper()
	list, err := h.Brakes(ctx, true, 100)
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(b dayone.Brake) bool { return strings.HasPrefix(b.Rule, rule) })
	if i < 0 {
		h.t.Fatalf("no brake %s is on: %+v", rule, list)
	}
	v, err := h.Brake(ctx, list[i].ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestAListTakesAwayWhatItShouldAndNothingMore(t *testing.T) {
	t.Parallel()
	const all = 40
	cut := func(n int) func([]dayone.Event) ([]dayone.Event, error) {
		return func(list []dayone.Event) ([]dayone.Event, error) { return list[n:], nil } // the newest ones stay: it is no old list
	}
	managers := func(n int, to string) func([]dayone.Event) ([]dayone.Event, error) {
		return func(list []dayone.Event) ([]dayone.Event, error) {
			for i := range list[:n] {
				list[i].Fields["manager_email"] = dayone.Text(to)
				list[i].At = list[i].At.Add(time.Minute)
			}
			return list, nil
		}
	}
	for name, c := range map[string]struct {
		leaves        bool
		alter         func([]dayone.Event) ([]dayone.Event, error)
		held          string // why; "": it counts
		absent, after int    // missing, and terminated
		moved         int
		fails         error
	}{
		"as it was":                         {alter: cut(0)},
		"empty":                             {alter: cut(all), held: "empty"},
		"empty, and missing is leaving":     {leaves: true, alter: cut(all), held: "empty"},
		"5 % gone":                          {alter: cut(2), absent: 2},
		"5 % gone, and missing is leaving":  {leaves: true, alter: cut(2), absent: 2, after: 2},
		"15 % gone, and missing is leaving": {leaves: true, alter: cut(6), held: "ends 6 employments"},
		"30 % gone":                         {alter: cut(12), held: "the list has 28 records"},
		"30 % gone, and missing is leaving": {leaves: true, alter: cut(12), held: "ends 12 employments"},
		"5 % with another manager":          {alter: managers(2, "kim@company.com"), moved: 2},
		"30 % with another manager":         {alter: managers(12, "kim@company.com"), held: "changes the manager of 12 people"},
		"30 % without a manager":            {alter: managers(12, ""), held: "changes the manager of 12 people"},
		"broken off": {leaves: true, fails: dayone.ErrUnavailable, alter: func(list []dayone.Event) ([]dayone.Event, error) {
			return list[:10], fmt.Errorf("page 2: %w", dayone.ErrUnavailable)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, f := town(t, all, func(s *flow.Source) { s.AbsentLeaves = c.leaves })
			f.alter = c.alter
			got, err := h.ReadSource(ctx, "hr", "kim")
			if !errors.Is(err, c.fails) || c.fails == nil && err != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			h.calm()
			h.clock.Jump(at(t, "2024-11-16T23:30:00Z")) // the day is over
			if c.held != "" {
				v := h.braked(dayone.BrakeRead)
				if !strings.Contains(v.Note, c.held) {
					t.Errorf("held since %q", v.Note)
				}
			} else if list, err := h.Brakes(ctx, true, 10); err != nil || len(list) > 0 {
				t.Errorf("%+v, %v", list, err)
			}
			until(h, "those who leave have left", func() (bool, bool) { return true, h.count(dayone.Left) >= c.after })
			same(t, "at work", h.count(dayone.Working), all-c.after)
			absent, err := h.Absent(ctx, 100)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "missing", len(absent), c.absent)
			moved, err := h.People(ctx, flow.PeopleFilter{Manager: "kim@company.com", Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "with another manager", len(moved), c.moved)

			again, err := h.ReadSource(ctx, "hr", "kim") // sent twice
			if !errors.Is(err, c.fails) || c.fails == nil && err != nil {
				t.Fatalf("%+v, %v", again, err)
			}
			h.calm()
			same(t, "at work after the second time", h.count(dayone.Working), all-c.after)
			if c.held == "" && again.New+again.Changed > 0 {
				t.Errorf("sent twice it says something new: %+v", again)
			}
			on, err := h.Brakes(ctx, true, 10)
			if err != nil || c.held != "" && len(on) != 1 {
				t.Errorf("the newer list replaces the older one: %+v, %v", on, err)
			}
		})
	}
}

func TestYesterdaysListChangesNothing(t *testing.T) {
	t.Parallel()
	h, f := town(t, 10, func(s *flow.Source) { s.AbsentLeaves = true })
	var old []dayone.Event
	f.alter = func(list []dayone.Event) ([]dayone.Event, error) {
		old = slices.Clone(list)
		return list, nil
	}
	if _, err := h.ReadSource(ctx, "hr", "kim"); err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	h.judged(h.hears(h.hr.Put(employee("11", "start_date", "2024-11-18")))[0].ID)
	f.alter = func([]dayone.Event) ([]dayone.Event, error) { return slices.Clone(old), nil }
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil || got.New+got.Changed+got.Absent > 0 {
		t.Errorf("whoever was hired since is missing from it: %+v, %v", got, err)
	}
	h.judged(h.hears(h.hr.Put(employee("1", "start_date", here, "department", "Sales", "effective_date", "2024-11-18")))[0].ID)
	h.hr.Remove("2") // and of an old list nobody knows who is really missing
	f.alter = func([]dayone.Event) ([]dayone.Event, error) {
		return slices.DeleteFunc(slices.Clone(old), func(e dayone.Event) bool { return e.Subject == "2" }), nil
	}
	got, err = h.ReadSource(ctx, "hr", "kim")
	if err != nil || got.New+got.Changed+got.Absent > 0 || got.Behind != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	h.calm()
	same(t, "at work", h.count(dayone.Working), 11)
	sales, err := h.People(ctx, flow.PeopleFilter{Department: "Sales", Limit: 10})
	if err != nil || len(sales) != 1 {
		t.Errorf("%+v, %v", sales, err)
	}
}

func TestAListIsReadAtNightAndBringsWhatAWebhookLost(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 6, func(s *flow.Source) { s.ReadAt, s.AbsentLeaves = "02:00", true })
	h.hr.Put(employee("7", "start_date", "2024-11-15")) // its webhook is lost
	h.hr.Put(employee("1", "start_date", here, "department", "Sales"))
	h.clock.Jump(at(t, "2024-11-16T00:59:00Z"))
	h.calm()
	same(t, "before two", h.count(dayone.Working), 6)
	h.clock.Jump(at(t, "2024-11-16T10:01:00Z")) // two in the company's zone
	until(h, "the lost hire is known", func() (bool, bool) { return true, h.count(dayone.Working) == 7 })
	until(h, "and so is the move", func() (bool, bool) {
		rows, err := h.People(ctx, flow.PeopleFilter{Department: "Sales", Limit: 10})
		return true, err == nil && len(rows) == 1
	})

	h.hr.Remove("2")
	h.hr.Put(employee("3", "start_date", here, "work_arrangement", "Remote")) // the list is newer than the last word about 2
	until(h, "the reading of the night is over, and another is taken", func() (bool, bool) {
		_, err := h.ReadSource(ctx, "hr", "kim")
		if err != nil && !errors.Is(err, dayone.ErrConflict) {
			t.Fatal(err)
		}
		return true, err == nil
	})
	h.calm()
	h.clock.Jump(at(t, "2024-11-17T12:00:00Z"))
	until(h, "she has left", func() (bool, bool) { return true, h.count(dayone.Left) == 1 })
	h.hr.Put(employee("2", "start_date", here))
	if _, err := h.ReadSource(ctx, "hr", "kim"); err != nil {
		t.Fatal(err)
	}
	until(h, "she is in the list again", func() (bool, bool) { return true, h.count(dayone.Left) == 0 })
}

// leave lets HR say that somebody's last day was.
func (h *house) leave(id string) dayone.Intake {
	h.t.Helper()
	return h.looked(h.hears(h.hr.Put(employee(id, "start_date", here, "end_date", "2024-11-14")))[0].ID)
}

func TestAStreamPassesItsLimitAndTheRestWaits(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 12, nil)
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	for i := 1; i <= 3; i++ {
		same(t, "state", h.leave(strconv.Itoa(i)).State, dayone.EventApplied)
	}
	h.stop() // the count is in the books
	h = h.open()
	for i := 4; i <= 8; i++ {
		want := dayone.EventApplied
		if i > 5 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}
	h.judged(h.hears(h.hr.Put(employee("20", "start_date", "2024-11-18")))[0].ID) // a hire goes on
	v := h.braked(dayone.BrakeTerminations)
	same(t, "held", len(v.Items), 3)
	if v.Items[0].Name != "Erin No 6" || v.Items[0].Lines[0] != (dayone.HeldLine{What: "last day", Was: "", Is: "2024-11-14"}) {
		t.Errorf("%+v", v.Items[0])
	}
	same(t, "left", h.count(dayone.Left), 5)

	_, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "they do leave"})
	is(t, err, dayone.ErrInvalid)
	_, err = h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Hash: v.Hash})
	is(t, err, dayone.ErrInvalid)
	same(t, "one joins", h.leave("9").State, dayone.EventHeld)
	_, err = h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "they do leave", Hash: v.Hash})
	is(t, err, dayone.ErrConflict)
	h.hr.Put(employee("9", "start_date", here, "end_date", "2024-12-31")) // and is not what was reviewed when it is looked at again
	v = h.braked(dayone.BrakeTerminations)
	b, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "they do leave", Hash: v.Hash})
	if err != nil || b.State != dayone.BrakeReleased || b.Held != 4 {
		t.Fatalf("%+v, %v", b, err)
	}
	h.calm()
	same(t, "left", h.count(dayone.Left), 8)
	changed := h.braked(dayone.BrakeChanged)
	same(t, "who is not what was reviewed waits", changed.Items[0].Name, "Erin No 9")
	if _, err := h.DiscardBrake(ctx, changed.ID, flow.BrakeDecision{By: "kim", Reason: "HR was wrong"}); err != nil {
		t.Fatal(err)
	}
	if list, err := h.Brakes(ctx, true, 10); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "again", Hash: v.Hash})
	is(t, err, dayone.ErrConflict)

	h.clock.Jump(at(t, "2024-11-19T10:00:00Z")) // another day
	same(t, "state", h.leave("10").State, dayone.EventApplied)
}

func TestAnUrgentTerminationIsNeverBraked(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 8, nil)
	rows, err := h.People(ctx, flow.PeopleFilter{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		tl, err := h.Store.Timeline(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		in, err := h.Enter(ctx, flow.Entry{Type: dayone.Terminated, Subject: string(tl.Employments[0].ID), Fields: map[string]string{"end_date": "2024-11-14"}, By: "kim", Reason: "at once"})
		if err != nil || in.State != dayone.EventApplied {
			t.Errorf("%+v, %v", in, err)
		}
	}
	same(t, "left", h.count(dayone.Left), 8)
}

func TestABodyThatEndsTooManyIsHeldWhole(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 10, nil)
	body := []byte("[")
	for i := 1; i <= 6; i++ {
		body = append(body, h.hr.Put(employee(strconv.Itoa(i), "start_date", here, "end_date", "2024-11-14"))...)
		body = append(body, ',')
	}
	body = append(append(body, h.hr.Put(employee("30", "start_date", here))...), ']')
	got := h.hears(body)
	for _, r := range got {
		same(t, "state", r.State, dayone.EventHeld)
	}
	v := until(h, "all of it was looked at", func() (flow.BrakeView, bool) {
		v := h.braked(dayone.BrakeBody)
		return v, v.Unseen == 0
	})
	same(t, "held", len(v.Items), 7)
	same(t, "left", h.count(dayone.Left), 0)
	for _, r := range h.hears(body) { // HR says it again, since it heard no answer
		if !r.Again {
			t.Errorf("%+v", r)
		}
	}
	if list, err := h.Brakes(ctx, true, 10); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "a team is sold", Hash: v.Hash}); err != nil {
		t.Fatal(err)
	}
	h.calm()
	same(t, "left", h.count(dayone.Left), 6)
	same(t, "hired", h.count(dayone.Working), 5)
}

func TestALayOffIsAnnounced(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 14, nil)
	now := h.clock.Now()
	a := dayone.Announcement{Source: "hr", Count: 3, From: now, Until: now.Add(48 * time.Hour), Reason: "site closes", By: "kim"}
	a, err := h.Announce(in("e13@company.com"), a)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.ConfirmAnnouncement(in("E13@company.com"), a.ID, "e14@company.com")
	is(t, err, dayone.ErrForbidden)
	if a, err = h.ConfirmAnnouncement(in("e14@company.com"), a.ID, ""); err != nil || a.By != "kim (logged in as e13@company.com)" || a.Second != "e14@company.com" {
		t.Fatalf("%+v (%v)", a, err)
	}
	for i := 1; i <= 9; i++ {
		want := dayone.EventApplied
		if i > 8 {
			want = dayone.EventHeld
		}
		same(t, fmt.Sprint("state of ", i), h.leave(strconv.Itoa(i)).State, want)
	}
	list, err := h.Announced(ctx)
	if err != nil || len(list) != 1 || list[0].Used != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := h.EndAnnouncement(ctx, a.ID, "kim"); err != nil {
		t.Fatal(err)
	}
	is(t, h.EndAnnouncement(ctx, a.ID, "kim"), dayone.ErrConflict)
}

// inSales is how many okta shows in the group of sales.
func (h *house) inSales() (n int) {
	for _, a := range h.okta.Accounts() {
		if slices.Contains(a.Entitlements, "group:sales-team") {
			n++
		}
	}
	return n
}

func TestARenamedDepartmentTakesNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 0, func(s *flow.Source) { s.Brakes.Off = "the systems' own brakes are looked at" })
	for i := 1; i <= 8; i++ {
		h.hires(employee(strconv.Itoa(i), "start_date", here, "department", "Sales"))
	}
	same(t, "in sales", h.inSales(), 8)
	move := func(i int, to string) {
		h.judged(h.hears(h.hr.Put(employee(strconv.Itoa(i), "start_date", here, "department", to, "effective_date", "2024-11-15")))[0].ID)
	}
	for i := 1; i <= 8; i++ {
		move(i, "Finance")
	}
	until(h, "five have lost it", func() (bool, bool) { return true, h.inSales() == 3 })
	v := until(h, "three are held", func() (flow.BrakeView, bool) {
		v := h.braked(dayone.BrakeRemovals)
		return v, len(v.Items) == 3
	})
	same(t, "scope", v.Scope, "system:okta")
	held := map[string]dayone.PersonID{}
	for _, it := range v.Items {
		held[it.Name] = it.Person
		l, err := h.Preview(ctx, it.Person)
		if err != nil || len(l.Holds) != 1 || l.Holds[0].Brake != v.ID {
			t.Errorf("%+v, %v", l.Holds, err)
		}
		is(t, h.EndHold(ctx, l.Holds[0].ID, "kim", "around the brake"), dayone.ErrConflict)
	}

	move(8, "Sales") // HR was wrong about her: nothing is to be taken away any more
	v = until(h, "she is not held any more", func() (flow.BrakeView, bool) {
		v := h.braked(dayone.BrakeRemovals)
		return v, len(v.Items) == 2
	})
	in := h.looked(h.hears(h.hr.Put(employee("7", "start_date", here, "department", "Finance", "end_date", "2024-11-14")))[0].ID)
	same(t, "who leaves is not braked", in.State, dayone.EventApplied)
	h.closed("e7@company.com")
	v = until(h, "and is not held", func() (flow.BrakeView, bool) {
		v := h.braked(dayone.BrakeRemovals)
		return v, len(v.Items) == 1
	})
	h.stop() // a hold survives
	h = h.open()
	if _, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "the department is called so now", Hash: v.Hash}); err != nil {
		t.Fatal(err)
	}
	until(h, "the last one has lost it, and 8 keeps it", func() (bool, bool) {
		a, _ := account(h.okta, "e6@company.com")
		return true, !slices.Contains(a.Entitlements, "group:sales-team")
	})
	h.shows(h.okta, "e8@company.com", dayone.Active, "group:base-employee", "group:sales-team")
}

func TestAnEntitlementIsNotEmptied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		s := d.Sources["hr"]
		s.Brakes.Off = "the systems' own brakes are looked at"
		d.Sources["hr"] = s
		d.Removals.People = 100
	}
	h := w.open()
	for i := 1; i <= 6; i++ {
		h.hires(employee(strconv.Itoa(i), "start_date", here, "department", "Sales"))
	}
	for i := 1; i <= 6; i++ {
		h.judged(h.hears(h.hr.Put(employee(strconv.Itoa(i), "start_date", here, "department", "Finance", "effective_date", "2024-11-15")))[0].ID)
	}
	until(h, "one is left", func() (bool, bool) { return true, h.inSales() == 1 })
	v := h.braked(dayone.BrakeEmpty)
	same(t, "rule", v.Rule, "empty:okta/group:sales-team")
	if _, err := h.DiscardBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "somebody has to stay"}); err != nil {
		t.Fatal(err)
	}
	l, err := h.Preview(ctx, v.Items[0].Person)
	if err != nil || len(l.Holds) != 1 || l.Holds[0].Brake != "" || l.Holds[0].By != "kim" {
		t.Errorf("what was thrown away stays for a while: %+v, %v", l.Holds, err)
	}
}
