package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	mailsim "github.com/dayone-hq/dayone/connector/mailc/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
)

// talkative tells of everything.
const talkative = housePolicy + `
  - id: news
    title: News
    owner: it@company.com
    match: everyone
    notify:
      - {on: moved, to: manager, template: moved}
      - {on: {changed: [job_title]}, to: "payroll@company.com", template: moved}
      - {on: leaving, to: [manager, "facilities@company.com"], template: leaving}
      - {on: left, to: "facilities@company.com", template: left}
      - {on: waiting, to: "helpdesk@company.com", template: waiting}
      - {on: at_risk, to: "hr@company.com", template: at-risk}
      - {on: [moved, leaving, left], to: "board@company.com", template: moved, digest: daily}
`

// told are the subjects of the mails to somebody, in the order in which they came.
func (h *house) told(to string) (subjects []string) {
	for _, l := range h.mail.Messages() {
		if slices.Contains(l.To, to) {
			subjects = append(subjects, l.Subject)
		}
	}
	return subjects
}

// tells waits until somebody was told so often.
func (h *house) tells(to string, n int) []string {
	h.t.Helper()
	return until(h, to+" is told", func() ([]string, bool) {
		told := h.told(to)
		return told, len(told) >= n
	})
}

// atWork hires somebody who starts on the first Monday and brings her to it.
func (h *house) atWork(id string) (dayone.PersonID, dayone.Run) {
	h.t.Helper()
	in := h.judged(h.hears(h.hr.Put(employee(id, "department", "Sales")))[0].ID)
	h.clock.Jump(at(h.t, "2024-11-21T23:00:00Z"))
	r := h.rests(in.Person, "")
	h.clock.Jump(at(h.t, "2024-11-25T09:00:00Z"))
	return in.Person, h.rests(in.Person, r.ID)
}

func TestWhoIsToldOfAMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	p, r := h.atWork("1")
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	same(t, "before: moved", len(h.told("payroll@company.com"))+len(h.told("board@company.com")), 0)

	// another team: nothing is to be done, and her manager is told
	moved := func(pairs ...string) dayone.Run {
		t.Helper()
		h.clock.Jump(h.clock.Now().Add(time.Hour))
		r = h.changes(p, r.ID, employee("1", append([]string{"department", "Sales"}, pairs...)...))
		return r
	}
	before := writes(h.okta)
	moved("team", "Looms")
	same(t, "calls", writes(h.okta), before)
	same(t, "runs", r.State, dayone.RunDone)
	if got := h.tells("john.doe@company.com", 2); !strings.Contains(got[len(got)-1], "Erin No 1 has moved to Looms") {
		t.Errorf("the manager reads %q", got)
	}
	last := h.mail.Messages()[len(h.mail.Messages())-1]
	if !strings.Contains(last.Text, "team: Platform -> Looms") {
		t.Errorf("it does not say what changed: %s", last.Text)
	}
	same(t, "payroll", len(h.told("payroll@company.com")), 0)

	// said again: nobody is told again
	h.hears(h.hr.Put(employee("1", "department", "Sales", "team", "Looms")))
	h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales", "team", "Looms", "work_arrangement", "Remote")))[0].ID)
	same(t, "the manager, again", len(h.told("john.doe@company.com")), 2)

	// there and back, and there: told each time
	moved("team", "Platform")
	moved("team", "Looms")
	h.tells("john.doe@company.com", 4)

	// a title is payroll's
	moved("team", "Looms", "job_title", "Sales Engineer")
	h.tells("payroll@company.com", 1)

	// the board reads once a day
	same(t, "board", len(h.told("board@company.com")), 0)
	h.clock.Jump(at(t, "2024-11-26T10:00:00Z"))
	if got := h.tells("board@company.com", 1); got[0] != "Company: 4 messages since yesterday" {
		t.Errorf("the board reads %q", got)
	}
	h.clock.Jump(at(t, "2024-11-27T10:00:00Z"))
	h.clock.Jump(at(t, "2024-11-28T10:00:00Z"))
	same(t, "board, without news", len(h.told("board@company.com")), 1)
}

func TestWhoIsToldOfALastDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	p, r := h.atWork("1")
	leaves := func(day string) {
		h.clock.Jump(h.clock.Now().Add(time.Hour))
		r = h.changes(p, r.ID, employee("1", "department", "Sales", "end_date", day))
	}
	leaves("2024-12-06")
	got := h.tells("facilities@company.com", 1)
	same(t, "facilities", got[0], "Erin No 1 leaves on Fri 6 Dec 2024")
	leaves("2024-12-13") // put off
	got = h.tells("facilities@company.com", 2)
	same(t, "facilities", got[1], "Erin No 1 leaves on Fri 13 Dec 2024")
	same(t, "her account", func() dayone.State { a, _ := account(h.okta, "e1@company.com"); return a.State }(), dayone.Active)

	h.stop() // a restart tells nobody twice
	h = w.open()
	h.clock.Jump(at(t, "2024-12-13T23:00:00Z"))
	r = h.rests(p, r.ID)
	got = h.tells("facilities@company.com", 3)
	same(t, "facilities", got[2], "Erin No 1 has left")
	h.closed("e1@company.com")
	same(t, "facilities", len(h.told("facilities@company.com")), 3)
}

func TestADayOneAtRiskIsToldInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 400, Body: `{"message":"the licence has run out"}`})
	in := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID)
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	r := h.rests(in.Person, "")
	same(t, "run", r.State, dayone.RunIncomplete)
	if got := h.tells("hr@company.com", 1); got[0] != "The first day of Erin No 1 is at risk: Monday, Nov 25" {
		t.Errorf("HR reads %q", got)
	}
	h.gitlab.Door().Heal()

	// what only waits for a human is told to the helpdesk at once, and to HR on the last working day before
	h.okta.Seed(sim.Account{Login: "e2@company.com", Email: "e2@company.com", EmployeeNumber: "77", FirstName: "Erin", LastName: "Old", State: dayone.Active})
	h.clock.Jump(at(t, "2024-11-22T23:00:00Z"))
	p, r := h.hires(employee("2", "start_date", "2024-11-26"))
	same(t, "run", r.State, dayone.RunWaiting)
	same(t, "helpdesk, while somebody may do it yet", len(h.told("helpdesk@company.com")), 0)
	h.clock.Jump(h.clock.Now().Add(10 * time.Minute))
	same(t, "helpdesk", h.tells("helpdesk@company.com", 1)[0], "Somebody is needed for Erin No 2")
	same(t, "HR", len(h.told("hr@company.com")), 1)
	h.clock.Jump(at(t, "2024-11-25T07:59:00Z"))
	h.stop() // the instant comes after a restart, too
	h = w.open()
	same(t, "HR", len(h.told("hr@company.com")), 1)
	h.clock.Jump(at(t, "2024-11-25T08:01:00Z")) // nine in Berlin
	same(t, "HR", h.tells("hr@company.com", 2)[1], "The first day of Erin No 2 is at risk: Tuesday, Nov 26")
	same(t, "the run still waits", h.rests(p, "").State, dayone.RunWaiting)

	// and one for whom all is well is in nobody's mail
	in = h.judged(h.hears(h.hr.Put(employee("3", "department", "Sales", "start_date", "2024-11-27")))[0].ID)
	r = h.rests(in.Person, "")
	same(t, "run", r.State, dayone.RunDone)
	same(t, "its message", r.Step("mail/message:at-risk message.send").State, dayone.StepSkipped)
	h.clock.Jump(at(t, "2024-11-26T12:00:00Z"))
	h.rests(in.Person, "")
	same(t, "HR", len(h.told("hr@company.com")), 2)
}

func TestNobodyMissesWhatHappenedDuringAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	h.okta.Seed(sim.Account{Login: "e1@company.com", Email: "e1@company.com", EmployeeNumber: "77", FirstName: "Erin", LastName: "Old", State: dayone.Active})
	in := h.judged(h.hears(h.hr.Put(employee("1", "department", "Sales")))[0].ID)
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	r := h.rests(in.Person, "")
	same(t, "it waits for a human", r.State, dayone.RunWaiting)
	if err := h.DecideRun(ctx, r.ID, engine.Pause, "kim@company.com", "the offer is being renegotiated"); err != nil {
		t.Fatal(err)
	}
	h.looked(h.hears(h.hr.Put(employee("1", "department", "Sales", "end_date", "2025-06-30")))[0].ID)
	h.looked(h.hears(h.hr.Put(employee("1", "department", "Sales", "end_date", "2025-06-30", "work_arrangement", "Remote")))[0].ID)
	same(t, "during the pause", len(h.told("facilities@company.com")), 0)
	if err := h.DecideRun(ctx, r.ID, engine.GoOn, "kim@company.com", "settled"); err != nil {
		t.Fatal(err)
	}
	h.rests(in.Person, r.ID)
	h.clock.Jump(h.clock.Now().Add(11 * time.Minute)) // a task is given time before anybody is told
	same(t, "after it", h.tells("facilities@company.com", 1)[0], "Erin No 1 leaves on Mon 30 Jun 2025")
}

func TestASilentMailServerIsInNobodysWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(talkative)
	h := w.open()
	p, r := h.atWork("1")
	h.clock.Jump(h.clock.Now().Add(time.Hour))
	r = h.changes(p, r.ID, employee("1", "department", "Sales", "team", "Looms"))
	until(h, "the mail to her manager", func() (bool, bool) { return true, len(h.told("john.doe@company.com")) >= 2 })
	h.mail.Inject(mailsim.Fault{Verb: "CONNECT", Times: -1, Drop: true})
	h.clock.Jump(at(t, "2024-11-26T10:00:00Z")) // the digest is due, and nobody takes it
	h.hears(h.hr.Put(employee("1", "department", "Sales", "team", "Looms", "end_date", "2024-11-25")))
	h.closed("e1@company.com")
	h.mail.Heal()
	h.clock.Jump(h.clock.Now().Add(11 * time.Minute))
	h.tells("board@company.com", 1)
	h.clock.Jump(h.clock.Now().Add(48 * time.Hour))
	for _, subject := range h.told("board@company.com") {
		if !strings.Contains(subject, "since yesterday") {
			t.Errorf("the board reads %q", subject)
		}
	}
}
