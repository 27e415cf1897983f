package flow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

func (h *house) stops(system string) {
	h.t.Helper()
	if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, System: system, Reason: "INC-1", By: "kim"}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) newest(p dayone.PersonID) dayone.Run {
	h.t.Helper()
	runs, err := h.Runs(ctx, store.RunFilter{Person: p, Limit: 1})
	if err != nil || len(runs) == 0 {
		h.t.Fatal(runs, err)
	}
	return runs[0]
}

// lookedAt waits until a person was looked at since now, and is at rest.
func (h *house) lookedAt(p dayone.PersonID) {
	h.t.Helper()
	now := h.clock.Now()
	if err := h.Store.SetWake(ctx, p, now); err != nil {
		h.t.Fatal(err)
	}
	h.clock.Jump(now.Add(6 * time.Second)) // at the latest it looks now
	until(h, "a look at the person", func() (bool, bool) {
		row, err := h.Person(ctx, p)
		return true, err == nil && (row.Wake.IsZero() || row.Wake.After(now))
	})
}

// A cancelled run is not begun again by a look, nor by her first day; HR's next word or a resume begins anew.
func TestACancelledRunIsNotBegunAgainByItself(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"an event", "a resume"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			h.stops("okta")
			p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
			same(t, "the run", r.State, dayone.RunWaiting)
			is(t, h.DecideRun(ctx, r.ID, engine.Cancel, "kim", " "), dayone.ErrInvalid)
			is(t, h.DecideRun(ctx, r.ID, "explode", "kim", "why not"), dayone.ErrInvalid)
			if err := h.DecideRun(ctx, r.ID, engine.Cancel, "kim", "wrong person"); err != nil {
				t.Fatal(err)
			}
			until(h, "its end", func() (bool, bool) {
				r, err := h.RunOf(ctx, r.ID)
				return true, err == nil && r.State == dayone.RunCancelled
			})
			if err := h.LiftStop(ctx, "okta", "kim", "solved"); err != nil {
				t.Fatal(err)
			}
			h.lookedAt(p)
			h.clock.Jump(at(t, "2024-11-12T08:00:00Z"))
			h.lookedAt(p)
			if n := h.newest(p); n.ID != r.ID {
				t.Fatalf("%q has begun by itself", n.Title)
			}
			if how == "an event" {
				h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "department", "Legal"))
				h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
				return
			}
			if err := h.DecideRun(ctx, r.ID, engine.GoOn, "kim", "the right one after all"); err != nil {
				t.Fatal(err)
			}
			h.rests(p, r.ID)
			h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
			is(t, h.DecideRun(ctx, r.ID, engine.GoOn, "kim", "again"), dayone.ErrConflict)
		})
	}
}

// Whoever leaves is cut off though her last run was cancelled, and though one is paused.
func TestALeaverIsCutOffWhateverWasDecidedBefore(t *testing.T) {
	t.Parallel()
	for _, v := range []engine.Verb{engine.Cancel, engine.Pause} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
			h.clock.Jump(at(t, "2024-11-12T08:00:00Z"))
			until(h, "her first day", func() (bool, bool) {
				r = h.newest(p)
				a, _ := account(h.okta, "e1@company.com")
				return true, h.settled(p) && a.State == dayone.Active
			})
			h.stops("okta")
			r = h.changes(p, h.newest(p).ID, employee("1", "start_date", "2024-11-11", "department", "Legal", "end_date", "2024-11-20"))
			if err := h.DecideRun(ctx, r.ID, v, "kim", "wait for legal"); err != nil {
				t.Fatal(err)
			}
			if err := h.LiftStop(ctx, "okta", "kim", "solved"); err != nil {
				t.Fatal(err)
			}
			h.clock.Jump(at(t, "2024-11-15T08:00:00Z"))
			h.lookedAt(p)
			if n := h.newest(p); n.ID != r.ID {
				t.Fatalf("%q has begun by itself", n.Title)
			}
			h.clock.Jump(at(t, "2024-11-22T08:00:00Z"))
			h.lookedAt(p)
			h.rests(p, r.ID)
			until(h, "she is cut off", func() (bool, bool) {
				a, _ := account(h.okta, "e1@company.com")
				return true, a.State == dayone.Disabled
			})
		})
	}
}

// A pause holds through a word of HR, which counts once it is over.
func TestAPauseHoldsThroughAnEvent(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.stops("okta")
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	if err := h.DecideRun(ctx, r.ID, engine.Pause, "kim", "wait"); err != nil {
		t.Fatal(err)
	}
	if err := h.LiftStop(ctx, "okta", "kim", "solved"); err != nil {
		t.Fatal(err)
	}
	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11", "department", "Legal")))
	h.lookedAt(p)
	if n := h.newest(p); n.ID != r.ID || n.State != dayone.RunHeld {
		t.Fatalf("the newest is %q, %s", n.Title, n.State)
	}
	if err := h.DecideRun(ctx, r.ID, engine.GoOn, "kim", "go"); err != nil {
		t.Fatal(err)
	}
	until(h, "what HR said counts", func() (bool, bool) {
		a, ok := account(h.okta, "e1@company.com")
		return true, ok && len(a.Entitlements) == 1 && h.settled(p)
	})
}

// Where people work by hand, what they say is read back; where nothing can be read they say how they know.
func TestWhatIsDoneByHandIsReadBack(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderManual, System: "okta", Reason: "new tenant", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Legal"))
	task := func() dayone.Task {
		t.Helper()
		return until(h, "a task", func() (dayone.Task, bool) {
			list, err := h.Tasks(ctx, p, r.ID)
			if err != nil || len(list) != 1 {
				return dayone.Task{}, false
			}
			return list[0], true
		})
	}
	complete := func(attrs dayone.Attrs) error {
		_, err := h.CompleteTask(ctx, string(task().ID), "kim", attrs)
		return err
	}
	var not *flow.Unconfirmed
	if err := complete(dayone.Attrs{"ref": dayone.Text("00u-nobody")}); !errors.As(err, &not) || !strings.Contains(not.Text, "shows no okta/account") {
		t.Fatalf("an account that is not there: %v", err)
	}
	id := h.okta.Seed(sim.Account{Login: "e1@company.com", Email: "e1@company.com", EmployeeNumber: "1", FirstName: "E", LastName: "1", State: dayone.Active})
	if err := complete(dayone.Attrs{"ref": dayone.Text(id)}); err != nil {
		t.Fatal(err)
	}
	until(h, "the group's task", func() (bool, bool) {
		list, err := h.Tasks(ctx, p, r.ID)
		return true, err == nil && len(list) == 1 && strings.Contains(string(list[0].Step), "group")
	})
	if err := complete(nil); !errors.As(err, &not) || !strings.Contains(not.Text, "shows no okta/group") {
		t.Fatalf("a group she is not in: %v", err)
	}
	h.stops("okta") // nobody may ask now
	if err := complete(nil); !errors.As(err, &not) || !errors.Is(err, dayone.ErrInvalid) {
		t.Fatalf("without evidence: %v", err)
	}
	if err := complete(dayone.Attrs{dayone.Evidence: dayone.Text("seen in the console, ticket 7")}); err != nil {
		t.Fatal(err)
	}
	r, err := h.RunOf(ctx, r.ID)
	if err != nil || r.Steps[0].Attempt+r.Steps[1].Attempt > 0 {
		t.Errorf("it was called: %+v %v", r.Steps, err)
	}
}

// A task belongs to what it is about: planned anew, it is still the same task, and whoever has it keeps it.
func TestATaskGoesOnOverRuns(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	if _, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderManual, System: "okta", Reason: "new tenant", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Legal"))
	task := func(not dayone.RunID) dayone.Task {
		t.Helper()
		return until(h, "a task", func() (dayone.Task, bool) {
			list, err := h.Tasks(ctx, p, "")
			if err != nil || len(list) != 1 || list[0].Run == not {
				return dayone.Task{}, false
			}
			return list[0], true
		})
	}
	was := task("")
	if _, err := h.Assign(ctx, string(was.ID), "kim@company.com", "lead@company.com"); err != nil {
		t.Fatal(err)
	}
	h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11", "department", "Engineering")))[0].ID)
	is := task(r.ID)
	if is.ID != was.ID || is.Assignee != "kim@company.com" || !is.Opened.Equal(was.Opened) || is.Left != "" {
		t.Errorf("the task went on as %+v", is)
	}
	if err := h.DecideRun(ctx, is.Run, engine.Cancel, "lead@company.com", "by mistake"); err != nil {
		t.Fatal(err)
	}
	left := until(h, "the task to be left", func() (dayone.Task, bool) {
		is, err := h.Task(ctx, string(was.ID))
		return is, err == nil && !is.Closed.IsZero()
	})
	if left.Left == "" {
		t.Errorf("nobody did it, and it is %+v", left)
	}
}

// An order that another process gave is heeded within seconds, and stands in the ledger.
func TestAnOrderOfAnotherProcessIsHeeded(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	now := h.clock.Now()
	if err := h.Store.SaveOrder(ctx, dayone.Order{ID: "ord_1", Kind: dayone.OrderStop, From: now, Made: now, Reason: "INC-2", By: "lee"}); err != nil {
		t.Fatal(err)
	}
	h.clock.Jump(now.Add(6 * time.Second))
	until(h, "a line in the ledger", func() (bool, bool) {
		lines, err := h.Store.Records(ctx, store.RecordFilter{System: flow.Everywhere})
		return true, err == nil && len(lines) == 1 && lines[0].What == "stopped"
	})
	_, r := h.hires(employee("1", "start_date", "2024-11-11"))
	if r.Steps[0].Parked.IsZero() || r.Steps[0].Attempt > 0 {
		t.Errorf("it was called: %+v", r.Steps[0])
	}
	for what, o := range map[string]dayone.Order{
		"no reason":     {Kind: dayone.OrderStop, System: "okta"},
		"no end":        {Kind: dayone.OrderMaintenance, System: "okta", Reason: "x"},
		"over already":  {Kind: dayone.OrderMaintenance, System: "okta", Reason: "x", From: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)},
		"of all":        {Kind: dayone.OrderManual, System: flow.Everywhere, Reason: "x"},
		"no such thing": {Kind: "explode", System: "okta", Reason: "x"},
	} {
		if _, err := h.Order(ctx, o); !errors.Is(err, dayone.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := h.Order(ctx, dayone.Order{Kind: dayone.OrderStop, System: "oktta", Reason: "x"})
	is(t, err, dayone.ErrNotFound)
	is(t, h.LiftStop(ctx, "okta", "kim", "x"), dayone.ErrConflict) // it is everything that is stopped
	if err := h.LiftStop(ctx, flow.Everywhere, "kim", "solved"); err != nil {
		t.Fatal(err)
	}
	is(t, h.LiftStop(ctx, flow.Everywhere, "kim", "solved"), dayone.ErrNotFound)
}
