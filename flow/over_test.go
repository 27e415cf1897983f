package flow_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Stories of runs that are over, or ought to be.

func TestALeaverDoesNotWaitForTheRunThatMakesHerAccounts(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	reached, release := make(chan struct{}), make(chan struct{})
	h.okta.Door().Inject(sim.Fault{Method: http.MethodPost, Path: "/api/v1/users", Before: func(*http.Request) {
		close(reached)
		<-release
	}, Hang: time.Nanosecond})
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11")))[0].ID)
	<-reached
	end := h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11", "end_date", "2024-11-14")))[0].ID // yesterday
	until(h, "the joiner run is given up", func() (bool, bool) {
		r, err := h.RunOf(ctx, in.Run)
		return true, err == nil && r.Ending != ""
	})
	close(release)
	h.judged(end)
	until(h, "okta is closed", func() (bool, bool) {
		a, ok := account(h.okta, "e1@company.com")
		return true, ok && a.State == dayone.Disabled
	})
	if a, ok := account(h.gitlab, "e1@company.com"); ok && a.State != dayone.Disabled {
		t.Errorf("gitlab: %+v", a)
	}
}

func TestBackInTheOldDepartment(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	r = h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "department", "Legal"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	h.clock.Jump(at(t, "2024-11-20T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "department", "Sales"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
}

func TestAnOldRunGivesNothingToALeaver(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 400, Body: `{"message":"no"}`})
	p, r := h.hires(employee("1", "start_date", "2024-11-11"))
	h.gitlab.Door().Heal()
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "end_date", "2024-11-16"))
	err := h.Decide(context.Background(), r.ID, "gitlab/account account.create", engine.Human{By: "kim", Verb: engine.Retry})
	is(t, err, dayone.ErrConflict)
	is(t, h.Decide(context.Background(), r.ID, "no such step", engine.Human{By: "kim", Verb: engine.Retry}), dayone.ErrNotFound)
	if _, made := account(h.gitlab, "e1@company.com"); made {
		t.Error("the leaver got an account")
	}
}

func TestALeaverWhoseRunIsIncompleteIsFinished(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11"))
	h.gitlab.Login("e1@company.com")
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	r = until(h, "the first login", func() (dayone.Run, bool) {
		r, err := h.RunOf(ctx, r.ID)
		return r, err == nil && r.State == dayone.RunDone
	})
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 400, Body: `{"message":"no"}`})
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	r = h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "end_date", "2024-11-17"))
	same(t, "the leaver's run", r.State, dayone.RunWaiting) // a cut that was refused is somebody's task, and goes on being tried
	tasks, err := h.Tasks(ctx, p, r.ID)
	if err != nil || len(tasks) != 1 || tasks[0].System != "gitlab" {
		t.Errorf("the tasks are %+v, %v", tasks, err)
	}
	until(h, "a wake-up for the deletion", func() (bool, bool) {
		row, err := h.Person(ctx, p)
		return true, err == nil && row.Wake.After(h.clock.Now())
	})
	if runs, _ := h.Runs(ctx, store.RunFilter{Person: p, Limit: 9}); runs[0].ID != r.ID {
		t.Error("what failed is tried again by itself, round and round")
	}
	h.gitlab.Door().Heal()
	h.clock.Jump(at(t, "2025-03-01T00:00:00Z"))
	h.rests(p, r.ID)
	if a, there := account(h.okta, "e1@company.com"); there {
		t.Errorf("okta three months later: %+v", a)
	}
	if a, _ := account(h.gitlab, "e1@company.com"); a.State == dayone.Active {
		t.Errorf("gitlab three months later: %+v", a)
	}
}

func TestATaskIsCompletedWithWhatItAsksFor(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.okta.Seed(sim.Account{Login: "e1@company.com", Email: "e1@company.com", EmployeeNumber: "77", FirstName: "Erin", LastName: "Old", State: dayone.Active})
	p, r := h.hires(employee("1", "start_date", "2024-11-11"))
	tasks, err := h.Tasks(ctx, p, r.ID)
	if err != nil || len(tasks) == 0 {
		t.Fatal(tasks, err)
	}
	_, err = h.CompleteTask(ctx, string(tasks[0].ID), "kim", dayone.Attrs{"note": dayone.Text("done")})
	is(t, err, dayone.ErrInvalid)
	_, err = h.CompleteTask(ctx, string(tasks[0].ID), "kim", dayone.Attrs{"adopt": dayone.Text("x"), "colour": dayone.Text("red")})
	is(t, err, dayone.ErrInvalid)
}

func TestOneBodyDoesNotFillTheDisk(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	one := func(i int) string {
		return fmt.Sprintf(`{"event_type":"employee.deleted","event_id":"m%d","data":{"employee_id":"z%d"}}`, i, i)
	}
	list := func(n int) []byte {
		var all []string
		for i := range n {
			all = append(all, one(i))
		}
		return []byte("[" + strings.Join(all, ",") + "]")
	}
	say := func(body []byte) error {
		_, err := h.Receive(ctx, "hr", http.Header{"X-Signature": {hrsim.Sign(body)}}, body)
		return err
	}
	if err := say(list(50)); err != nil {
		t.Error(err)
	}
	is(t, say(list(2000)), dayone.ErrInvalid)
}
