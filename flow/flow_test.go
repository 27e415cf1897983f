package flow_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	hrsim "github.com/dayone-hq/dayone/connector/webhook/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

var ctx = context.Background()

// gitlabUsers is where GitLab's accounts are made.
const gitlabUsers = "/api/scim/v2/groups/acme/Users"

func TestHireMoveAndLeave(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	const erin = "e1@company.com"
	in := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID)
	p := in.Person
	same(t, "ten days before: calls", writes(h.okta), 0)

	h.clock.Jump(at(t, "2024-11-21T23:00:00Z")) // three days before, where she works
	r := h.rests(p, "")
	same(t, "title", r.Title, "Onboard Erin No 1")
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erin, dayone.Staged, "group:base-employee")
	h.shows(h.gitlab, erin, dayone.Pending, "group:platform=developer")

	h.clock.Jump(at(t, "2024-11-24T23:00:00Z")) // her Monday begins
	r = h.rests(p, r.ID)
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erin, dayone.Active, "group:base-employee")
	h.gitlab.Login(erin)
	h.clock.Jump(h.clock.Now().Add(20 * time.Minute))
	r = until(h, "the first login is seen", func() (dayone.Run, bool) {
		r, err := h.RunOf(ctx, r.ID)
		return r, err == nil && r.State == dayone.RunDone
	})
	if l, err := h.Preview(ctx, p); err != nil || len(l.Plan.Steps) > 0 {
		t.Errorf("something is still to be done: %+v, %v", l.Plan.Steps, err)
	}

	r = h.changes(p, r.ID, employee("1", "department", "Sales", "effective_date", "2024-11-20"))
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	h.shows(h.gitlab, erin, dayone.Disabled)

	h.hears(h.hr.Put(employee("1", "department", "Sales", "effective_date", "2024-11-20", "end_date", "2024-12-06")))
	h.clock.Jump(at(t, "2024-12-06T22:59:00Z"))
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	h.clock.Jump(at(t, "2024-12-06T23:00:00Z")) // the last day is over in Berlin
	r = h.rests(p, r.ID)
	same(t, "title", r.Title, "Offboard Erin No 1")
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, erin, dayone.Disabled)

	h.clock.Jump(at(t, "2025-01-06T00:00:00Z")) // 30 days after the confirmed disable
	until(h, "the account is deleted", func() (bool, bool) {
		_, there := account(h.okta, erin)
		return true, !there
	})
	records, err := h.Records(ctx, flow.RecordFilter{Person: p})
	if err != nil || len(records) < 10 {
		t.Errorf("records: %v, %v", records, err)
	}
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	i, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestReceiveRefusesOnlyWhatIsNotHRs(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	body := h.hr.Put(employee("1"))
	signed := http.Header{"X-Signature": {hrsim.Sign(body)}}

	_, err := h.Receive(ctx, "payroll", signed, body)
	is(t, err, dayone.ErrNotFound)
	_, err = h.Receive(ctx, "hr", http.Header{}, body)
	is(t, err, dayone.ErrAuth)
	_, err = h.Receive(ctx, "hr", signed, append(bytes.Clone(body), ' '))
	is(t, err, dayone.ErrAuth)
	junk := []byte(`{"event_type": "employee.hired", `)
	_, err = h.Receive(ctx, "hr", http.Header{"X-Signature": {hrsim.Sign(junk)}}, junk)
	is(t, err, dayone.ErrInvalid)
	big := bytes.Repeat([]byte("x"), flow.MaxBody+1)
	_, err = h.Receive(ctx, "hr", http.Header{"X-Signature": {hrsim.Sign(big)}}, big)
	is(t, err, dayone.ErrInvalid)
	events, err := h.Events(ctx, flow.EventFilter{})
	if err != nil || len(events) != 0 {
		t.Errorf("something was stored: %v, %v", events, err)
	}
}

func TestWhatCannotBeUsedIsQuarantinedAndReplayedOnceMended(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "next week")))[0].ID)
	same(t, "state", in.State, dayone.EventQuarantined)
	if !strings.Contains(in.Note, "start_date") {
		t.Errorf("the note does not say what is wrong: %s", in.Note)
	}
	people, err := h.People(ctx, flow.PeopleFilter{})
	if err != nil || len(people) != 0 {
		t.Errorf("there are people: %v, %v", people, err)
	}
	is(t, h.Replay(ctx, "evt_unknown", "kim"), dayone.ErrNotFound)
	h.hr.Put(employee("1")) // HR mends the record; its new event is another story
	if err := h.Replay(ctx, in.ID, "kim@company.com"); err != nil {
		t.Fatal(err)
	}
	in = h.judged(in.ID)
	same(t, "state", in.State, dayone.EventApplied)
	is(t, h.Replay(ctx, in.ID, "kim@company.com"), dayone.ErrConflict)
}

func TestTheSameEventTwiceIsOnce(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	body := h.hr.Put(employee("1", "start_date", "2024-11-16"))
	first := h.hears(body)[0]
	in := h.judged(first.ID)
	r := h.rests(in.Person, "")
	before := writes(h.okta)
	again := h.hears(body)[0]
	same(t, "again", again.Again, true)
	same(t, "id", again.ID, first.ID)
	other := bytes.Replace(body, []byte(`"event_id":"evt_`), []byte(`"event_id":"other_`), 1) // HR's retry under another id
	in = h.judged(h.hears(other)[0].ID)
	same(t, "state", in.State, dayone.EventUnchanged)
	runs, err := h.Runs(ctx, flow.RunFilter{Person: in.Person})
	if err != nil || len(runs) != 1 || runs[0].ID != r.ID {
		t.Errorf("runs: %v, %v", runs, err)
	}
	same(t, "writes", writes(h.okta)-before, 0)
}

func TestThreeFailuresThenSuccess(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodPost, Path: gitlabUsers, Times: 3, Status: 500})
	_, r := h.hires(employee("1", "start_date", "2024-11-16"))
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	same(t, "accounts", len(h.gitlab.Accounts()), 1)
	tried := 0
	for _, q := range h.gitlab.Door().Requests() {
		if q.Method == http.MethodPost && q.Path == gitlabUsers {
			tried++
		}
	}
	same(t, "tries", tried, 4)
}

func TestASystemThatStaysDownHarmsOnlyItself(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 400, Body: `{"message":"the licence has run out"}`})
	p, r := h.hires(employee("1", "start_date", "2024-11-16"))
	same(t, "state", r.State, dayone.RunIncomplete)
	h.shows(h.okta, "e1@company.com", dayone.Staged, "group:base-employee")
	failed := r.Step("gitlab/account account.create")
	same(t, "account", failed.State, dayone.StepFailed)
	same(t, "what hangs on it", r.Step("gitlab/group:platform entitlement.add").State, dayone.StepBlocked)
	if !strings.Contains(failed.Error, "licence has run out") {
		t.Errorf("the error hides what the vendor said: %s", failed.Error)
	}

	h.gitlab.Door().Heal()
	if err := h.Decide(ctx, r.ID, "gitlab/account account.create", engine.Human{By: "kim@company.com", Verb: engine.Retry}); err != nil {
		t.Fatal(err)
	}
	r = until(h, "the run waits for the first login only", func() (dayone.Run, bool) {
		r, err := h.RunOf(ctx, r.ID)
		return r, err == nil && r.State == dayone.RunWaiting
	})
	if _, ok := account(h.gitlab, "e1@company.com"); !ok {
		t.Error("there is no account")
	}
	same(t, "the manager is told after all", r.Step("mail/message:manager-ready message.send").State, dayone.StepDone)
	_ = p
}

func TestAnAccountOfSomebodyElseIsNeverTaken(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	other := h.okta.Seed(sim.Account{Login: "e1@company.com", Email: "e1@company.com", EmployeeNumber: "77", FirstName: "Erin", LastName: "Old", State: dayone.Active})
	p, r := h.hires(employee("1", "start_date", "2024-11-16"))
	s := r.Step("okta/account account.create")
	same(t, "state", s.State, dayone.StepWaiting)
	tasks, err := h.Tasks(ctx, p, r.ID)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("tasks: %v, %v", tasks, err)
	}
	a, _ := account(h.okta, "e1@company.com")
	same(t, "the other's account", a.Ref+" "+a.EmployeeNumber+" "+a.LastName, other+" 77 Old")

	chief := h.okta.Seed(sim.Account{Login: "chief@company.com", Email: "chief@company.com", EmployeeNumber: "1000", FirstName: "Cee", State: dayone.Active})
	for _, role := range []dayone.Role{dayone.Employee, dayone.Approver, dayone.HR} { // whoever is asked names no other account
		_, err := h.CompleteTask(flow.As(ctx, dayone.Viewer{Login: "wim@company.com", Role: role}), string(tasks[0].ID), "wim@company.com", dayone.Attrs{"adopt": dayone.Text(chief)})
		is(t, err, dayone.ErrForbidden)
	}
	if _, err := h.CompleteTask(ctx, string(tasks[0].ID), "kim@company.com", dayone.Attrs{"adopt": dayone.Text(other), "note": dayone.Text("the same Erin, back from the other company")}); err != nil {
		t.Fatal(err)
	}
	until(h, "the adoption", func() (bool, bool) {
		a, _ := account(h.okta, "e1@company.com")
		return true, a.EmployeeNumber == "1" && a.LastName == "No 1"
	})
	same(t, "accounts", len(h.okta.Accounts()), 2)
	if a, _ := account(h.okta, "chief@company.com"); a.Ref != chief || a.EmployeeNumber != "1000" {
		t.Errorf("the chief's account is %+v", a)
	}
	_, err = h.CompleteTask(ctx, string(tasks[0].ID), "kim@company.com", nil)
	is(t, err, dayone.ErrConflict)
}

func TestTheStartMovesWhileTheRunIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	reached, release := make(chan struct{}), make(chan struct{})
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodPost, Path: gitlabUsers, Before: func(*http.Request) {
		close(reached)
		<-release
	}, Hang: time.Nanosecond})
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-16")))[0].ID)
	<-reached
	first := in.Run
	second := make(chan dayone.EventID, 1)
	second <- h.hears(h.hr.Put(employee("1", "department", "Sales", "start_date", "2024-11-16")))[0].ID
	until(h, "the first run is told", func() (bool, bool) {
		r, err := h.RunOf(ctx, first)
		return true, err == nil && r.Ending != ""
	})
	close(release)
	in = h.judged(<-second)
	r := h.rests(in.Person, first)
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	old, err := h.RunOf(ctx, first)
	same(t, "the first run", old.State, dayone.RunSuperseded)
	same(t, "its error", err, nil)
	h.shows(h.okta, "e1@company.com", dayone.Staged, "group:base-employee", "group:sales-team")
	a, ok := account(h.gitlab, "e1@company.com") // what was made for nothing is taken back
	if ok && a.State != dayone.Disabled {
		t.Errorf("gitlab shows %+v", a)
	}
}

func TestARestartGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	reached := make(chan struct{})
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodPost, Path: gitlabUsers, Cut: true, Before: func(*http.Request) { close(reached) }})
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-16")))[0].ID)
	<-reached // the account is made, the answer never comes, and the server falls
	h.stop()
	h = w.open()
	r := h.rests(in.Person, "")
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	same(t, "accounts at gitlab", len(h.gitlab.Accounts()), 1)
	same(t, "accounts at okta", len(h.okta.Accounts()), 1)
}
