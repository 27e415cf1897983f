package flow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// cautious asks before an engineer sees what sales does.
var cautious = strings.Replace(housePolicy, "      - {to: gitlab/account}\n      - {to: gitlab/group:platform, role: developer}\n",
	"      - {to: okta/group:sales-team, approval: {by: [manager], within: 10d}}\n", 1)

const (
	john = "john.doe@company.com"
	vera = "vera@company.com"
	erin = "e2@company.com"
)

// asks is a house in which Erin's manager John is asked for something; the run waits for him.
func asks(t *testing.T, w *world) (*house, dayone.PersonID, dayone.Run) {
	t.Helper()
	return asksBy(t, w, cautious)
}

// asksBy is the same by another policy.
func asksBy(t *testing.T, w *world, policy string) (*house, dayone.PersonID, dayone.Run) {
	t.Helper()
	w.files = w.folder(policy)
	h := w.open()
	for _, r := range []map[string]any{
		employee("101", "email", vera, "department", "Sales", "start_date", "2024-01-08", "manager_email", ""),
		employee("100", "email", john, "department", "Sales", "start_date", "2024-01-08", "manager_email", vera),
	} {
		h.hires(r)
	}
	p, r := h.hires(employee("2", "start_date", "2024-11-04"))
	return h, p, r
}

// request is the newest request of a person.
func (h *house) request(p dayone.PersonID) dayone.Petition {
	h.t.Helper()
	rs, err := h.Approvals(context.Background(), flow.ApprovalFilter{Person: p})
	if err != nil || len(rs) == 0 {
		h.t.Fatalf("nobody was asked: %v", err)
	}
	r, err := h.Approval(context.Background(), rs[0].ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// answered waits until the newest request of a person is in a state that the ledger knows.
func (h *house) answered(p dayone.PersonID, s dayone.ApprovalState) dayone.Petition {
	h.t.Helper()
	return until(h, "the request is "+string(s), func() (dayone.Petition, bool) {
		r := h.request(p)
		return r, r.State == s && r.Noted == s
	})
}

// over waits until a run is over.
func (h *house) over(id dayone.RunID) dayone.Run {
	h.t.Helper()
	return until(h, "the run ends", func() (dayone.Run, bool) {
		r, err := h.RunOf(context.Background(), id)
		if err != nil {
			h.t.Fatal(err)
		}
		return r, r.State.Over()
	})
}

// ledger counts the lines of a person that say something.
func (h *house) ledger(p dayone.PersonID, what string) (n int) {
	h.t.Helper()
	lines, err := h.Records(context.Background(), flow.RecordFilter{Person: p, Limit: 500})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range lines {
		if l.What == what {
			n++
		}
	}
	return n
}

func TestOneStepWaitsForTheManager(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	same(t, "run", r.State, dayone.RunWaiting)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee") // everything else goes on
	q := h.request(p)
	if q.State != dayone.ApprovalOpen || len(q.Deciders) != 1 || q.Deciders[0].Mail != john || q.Run != r.ID || !q.Due.Equal(q.Opened.AddDate(0, 0, 10)) {
		t.Fatalf("%+v", q)
	}
	told := h.tells(john, 2) // beside the mail that she is ready
	if !strings.Contains(strings.Join(told, "\n"), "May Erin No 2 have this: Okta group sales-team?") {
		t.Errorf("John is told %q", told)
	}
	for _, m := range h.mail.Messages() {
		if strings.Contains(m.Subject, "May Erin") && !strings.Contains(m.Text, "https://dayone.company.com/approvals/"+string(q.ID)) {
			t.Errorf("the mail leads nowhere: %s", m.Text)
		}
	}

	_, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: erin, By: "administrator", Yes: true})
	is(t, err, dayone.ErrForbidden) // herself
	_, err = h.Answer(t.Context(), q.ID, flow.Reply{Of: vera, By: "administrator", Yes: true})
	is(t, err, dayone.ErrForbidden) // it is not hers to decide
	_, err = h.Answer(t.Context(), q.ID, flow.Reply{By: "administrator", Yes: true})
	is(t, err, dayone.ErrInvalid) // for whom?
	_, err = h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator"})
	is(t, err, dayone.ErrInvalid) // why not?
	if _, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: strings.ToUpper(john), By: "administrator", Yes: true, Reason: "she knows what she does"}); err != nil {
		t.Fatal(err)
	}
	same(t, "run", h.over(r.ID).State, dayone.RunDone)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	_, err = h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator"})
	is(t, err, dayone.ErrConflict)
	q = h.answered(p, dayone.ApprovalGiven)
	if v := q.Votes; len(v) != 1 || v[0].Of != john || v[0].By != "administrator" {
		t.Errorf("who decided: %+v", v)
	}
	for _, what := range []string{"approval asked", "approval given"} {
		same(t, what, h.ledger(p, what), 1)
	}
	if !h.settled(p) {
		t.Error("something is still to be done")
	}
	// it is wanted no more: asked again next time
	h.changes(p, r.ID, employee("2", "start_date", "2024-11-04", "department", "Finance"))
	if q = h.request(p); q.Ended.IsZero() || q.State != dayone.ApprovalGiven {
		t.Errorf("%+v", q)
	}
}

func TestARefusalIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	q := h.request(p)
	if _, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Reason: "not before the training"}); err != nil {
		t.Fatal(err)
	}
	r = h.over(r.ID)
	same(t, "run", r.State, dayone.RunDone)
	skipped := ""
	for _, s := range r.Steps {
		if s.State == dayone.StepSkipped {
			skipped = s.Error
		}
	}
	same(t, "step", skipped, "refused by "+john+": not before the training")
	h.shows(h.okta, erin, dayone.Active, "group:base-employee")
	h.answered(p, dayone.ApprovalRefused)
	l, err := h.Preview(t.Context(), p)
	if err != nil || len(l.Plan.Steps) != 0 || len(l.Plan.Findings) != 1 || !strings.Contains(l.Plan.Findings[0].Text, "not before the training") {
		t.Errorf("the next look: %+v %v", l.Plan, err)
	}
	// another event asks nobody
	h.judged(h.hears(h.hr.Put(employee("2", "start_date", "2024-11-04", "job_title", "Senior Engineer")))[0].ID)
	same(t, "request", h.request(p).ID, q.ID)

	_, err = h.AskAnew(t.Context(), q.ID, dayone.Ask{Of: vera, By: "administrator"})
	if err != nil {
		t.Fatal(err)
	}
	again := h.rests(p, r.ID)
	same(t, "run", again.State, dayone.RunWaiting)
	fresh := h.request(p)
	same(t, "requester", fresh.Requester(), vera)
	_, err = h.AskAnew(t.Context(), q.ID, dayone.Ask{By: "administrator"})
	is(t, err, dayone.ErrConflict)
	_, err = h.AskAnew(t.Context(), fresh.ID, dayone.Ask{By: "administrator"})
	is(t, err, dayone.ErrConflict)
	if _, err := h.Answer(t.Context(), fresh.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	same(t, "run", h.over(again.ID).State, dayone.RunDone)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
}

func TestSilenceIsNo(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t)) // a Friday afternoon
	asked := func(to string) (n int) {
		for _, s := range h.told(to) {
			if strings.Contains(s, "May Erin") {
				n++
			}
		}
		return n
	}
	hears := func(to string, n int) {
		t.Helper()
		until(h, to+" hears of it", func() (int, bool) { return 0, asked(to) >= n })
		same(t, to, asked(to), n)
	}
	hears(john, 1)
	h.clock.Jump(begin.AddDate(0, 0, 2)) // Sunday
	h.settled(p)
	hears(john, 1)
	h.clock.Jump(begin.AddDate(0, 0, 3).Add(time.Minute)) // Monday: reminded
	hears(john, 2)
	same(t, vera, asked(vera), 0)
	h.clock.Jump(begin.AddDate(0, 0, 5).Add(time.Minute)) // Wednesday: one more is asked
	hears(john, 3)
	hears(vera, 1)
	until(h, "both may decide", func() (int, bool) {
		q := h.request(p)
		return 0, len(q.Deciders) == 2 && q.Deciders[1].Mail == vera
	})
	h.clock.Jump(begin.AddDate(0, 0, 10).Add(time.Minute))
	r = h.over(r.ID)
	same(t, "run", r.State, dayone.RunDone)
	q := h.answered(p, dayone.ApprovalExpired)
	_, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Yes: true})
	is(t, err, dayone.ErrConflict)
	same(t, "approval expired", h.ledger(p, "approval expired"), 1)
	same(t, john, asked(john), 3)
}

// The request belongs to the grant: another run of the person goes on with it.
func TestARequestOutlivesItsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, p, r := asks(t, w)
	q := h.request(p)
	next := h.changes(p, r.ID, employee("2", "start_date", "2024-11-04", "last_name", "Other"))
	old, err := h.RunOf(t.Context(), r.ID)
	if err != nil || old.State != dayone.RunSuperseded {
		t.Fatalf("%s %v", old.State, err)
	}
	again := until(h, "the request follows", func() (dayone.Petition, bool) { q := h.request(p); return q, q.Run == next.ID })
	same(t, "request", again.ID, q.ID)
	// answered while nobody is there to carry it out
	h.stopRun()
	if _, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h = w.open()
	same(t, "run", h.over(next.ID).State, dayone.RunDone)
	h.shows(h.okta, erin, dayone.Active, "group:base-employee", "group:sales-team")
	h.answered(p, dayone.ApprovalGiven)
}

func TestWhatNobodyWantsIsWithdrawn(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	h.changes(p, r.ID, employee("2", "start_date", "2024-11-04", "department", "Finance"))
	q := h.answered(p, dayone.ApprovalWithdrawn)
	_, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Yes: true})
	is(t, err, dayone.ErrConflict)
	n, err := h.CountApprovals(t.Context())
	if err != nil || n != 0 {
		t.Errorf("%d are open: %v", n, err)
	}
}

func TestSomebodyElseDecidesForATime(t *testing.T) {
	t.Parallel()
	h, p, r := asks(t, newWorld(t))
	day := 24 * time.Hour
	_, err := h.LetDecide(t.Context(), john, john, time.Time{}, begin.Add(day), "administrator")
	is(t, err, dayone.ErrInvalid)
	_, err = h.LetDecide(t.Context(), john, vera, time.Time{}, begin, "administrator")
	is(t, err, dayone.ErrInvalid)
	_, err = h.LetDecide(t.Context(), john, "nobody@company.com", time.Time{}, begin.Add(day), "administrator")
	is(t, err, dayone.ErrNotFound)
	if _, err := h.LetDecide(t.Context(), john, vera, time.Time{}, begin.Add(day), "administrator"); err != nil {
		t.Fatal(err)
	}
	q := h.request(p)
	if len(q.Deciders) != 1 || q.Deciders[0].Mail != vera || !strings.Contains(q.Deciders[0].Why, "stands in for "+john) {
		t.Fatalf("%+v", q.Deciders)
	}
	h.clock.Jump(begin.Add(day))
	if q = h.request(p); q.Deciders[0].Mail != john {
		t.Errorf("after its end %+v decides", q.Deciders)
	}
	g, err := h.LetDecide(t.Context(), john, vera, time.Time{}, begin.Add(3*day), "administrator")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EndDelegation(t.Context(), g.ID, "administrator"); err != nil {
		t.Fatal(err)
	}
	is(t, h.EndDelegation(t.Context(), g.ID, "administrator"), dayone.ErrNotFound)
	if _, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	same(t, "run", h.over(r.ID).State, dayone.RunDone)
}

// A mail system that is down delays the mail and nothing else.
func TestMailIsSaidLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, p, _ := asks(t, w)
	h.tells(john, 2)
	h.mail.Close()
	h.clock.Jump(begin.AddDate(0, 0, 3).Add(time.Minute))
	q := until(h, "it is put off", func() (dayone.Petition, bool) {
		q := h.request(p)
		return q, q.Next.After(h.clock.Now()) && q.Reminded.IsZero()
	})
	if d := q.Next.Sub(h.clock.Now()); d > 10*time.Minute || d < 9*time.Minute {
		t.Errorf("tried again at %v", q.Next)
	}
	if _, err := h.Answer(t.Context(), q.ID, flow.Reply{Of: john, By: "administrator", Yes: true}); err != nil {
		t.Fatal(err)
	}
	h.answered(p, dayone.ApprovalGiven)
}

func TestTasksGoToSomebody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p, r := h.hires(employee("2", "start_date", "2024-11-04"))
	_, err := h.ReportIssue(t.Context(), r.ID, " ", "administrator")
	is(t, err, dayone.ErrInvalid)
	_, err = h.ReportIssue(t.Context(), "run_01jd9x00000000000000000000", "x", "administrator")
	is(t, err, dayone.ErrNotFound)
	task, err := h.ReportIssue(t.Context(), r.ID, "her name is spelt wrong in GitLab", "administrator")
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"kim", "group:"} {
		_, err = h.Assign(t.Context(), string(task.ID), who, "administrator")
		is(t, err, dayone.ErrInvalid)
	}
	if _, err := h.Assign(t.Context(), string(task.ID), "Kim@company.com", "administrator"); err != nil {
		t.Fatal(err)
	}
	h.tells("kim@company.com", 1)
	h.clock.Jump(begin.AddDate(0, 0, 5).Add(time.Minute)) // three working days later
	told := h.tells("kim@company.com", 2)
	if !strings.HasPrefix(told[1], "Overdue: Issue: ") {
		t.Errorf("%q", told)
	}
	_, err = h.CompleteTask(t.Context(), string(task.ID), "kim", dayone.Attrs{"serial": dayone.Text("x")})
	is(t, err, dayone.ErrInvalid)
	if _, err := h.CompleteTask(t.Context(), string(task.ID), "kim", dayone.Attrs{dayone.Evidence: dayone.Text("https://gitlab.company.com/erin"), "note": dayone.Text("mended")}); err != nil {
		t.Fatal(err)
	}
	_, err = h.CompleteTask(t.Context(), string(task.ID), "kim", nil)
	is(t, err, dayone.ErrConflict)
	got, err := h.Task(t.Context(), string(task.ID))
	if err != nil || got.By != "kim" || got.Evidence != "https://gitlab.company.com/erin" || got.Person != p {
		t.Errorf("%+v %v", got, err)
	}
	same(t, "issue reported", h.ledger(p, "issue reported"), 1)
	same(t, "issue closed", h.ledger(p, "issue closed"), 1)
}

func TestAnOpenApprovalFollowsItsPolicy(t *testing.T) {
	t.Parallel()
	h, p, _ := asks(t, newWorld(t))
	before := h.request(p)
	puts := func(policies string) {
		t.Helper()
		pr := h.proposal(policies, nil)
		if _, err := h.Apply(t.Context(), pr, h.everybody(pr), "priya@company.com", "", ""); err != nil {
			t.Fatal(err)
		}
	}
	puts(strings.Replace(cautious, "by: [manager]", "by: ["+vera+"]", 1))
	after := until(h, "somebody else is asked", func() (dayone.Petition, bool) {
		q := h.request(p)
		return q, q.ID != before.ID && len(q.Deciders) > 0
	})
	same(t, "who decides", after.Deciders[0].Mail, vera)
	if old, err := h.Approval(t.Context(), before.ID); err != nil || old.State != dayone.ApprovalWithdrawn || old.Why == "" {
		t.Errorf("the old one is %s %q: %v", old.State, old.Why, err)
	}
	puts(strings.Replace(cautious, ", approval: {by: [manager], within: 10d}", "", 1))
	h.answered(p, dayone.ApprovalWithdrawn)
	until(h, "it is given", func() (bool, bool) {
		a, ok := account(h.okta, erin)
		return true, ok && len(a.Entitlements) == 2
	})
}
