package flow_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sponsored is a world in which John works, and Mia above him, and nobody else.
func sponsored(t *testing.T) (*world, *house) {
	w := newWorld(t)
	h := w.open()
	h.hires(employee("9", "first_name", "Mia", "last_name", "Long", "email", "mia@company.com", "start_date", "2024-10-01", "manager_email", ""))
	h.hires(employee("8", "first_name", "John", "last_name", "Doe", "email", "john.doe@company.com", "start_date", "2024-10-08", "manager_email", "mia@company.com"))
	return w, h
}

func ngozi() flow.Outsider {
	return flow.Outsider{
		Type: "contractor", Sponsor: "john.doe@company.com", Start: "2024-11-15", End: "2025-03-31", By: "kim@company.com", Reason: "migration",
		Fields: map[string]string{"first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@partner.example", "department": "Sales", "location": "Berlin"},
	}
}

// added enters an outsider and waits for her run.
func (h *house) added(o flow.Outsider) (dayone.PersonID, dayone.Run) {
	h.t.Helper()
	in, err := h.AddOutsider(ctx, o)
	if err != nil {
		h.t.Fatal(err)
	}
	if in.State != dayone.EventApplied {
		h.t.Fatalf("it is %s: %s", in.State, in.Note)
	}
	return in.Person, h.rests(in.Person, "")
}

func (h *house) person(id dayone.PersonID) dayone.Person {
	h.t.Helper()
	l, err := h.Preview(ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return l.Person
}

// mailed are the subjects of mails to somebody that have a word in them.
func (h *house) mailed(to, word string) (out []string) {
	for _, m := range h.mail.Messages() {
		if slices.Contains(m.To, to) && strings.Contains(m.Subject, word) {
			out = append(out, m.Subject)
		}
	}
	return out
}

func TestSomebodyWhoIsNotInHRIsGivenAccessUntilTheLastDay(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	p, r := h.added(ngozi())
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	h.shows(h.okta, "ngozi@partner.example", dayone.Active, "group:base-employee", "group:sales-team")
	row, err := h.Person(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "manager", row.Manager, "john.doe@company.com")
	same(t, "type", h.person(p).Attrs.Text("employment_type"), "Contractor")
	h.clock.Jump(at(t, "2025-03-31T22:00:00Z")) // her last day is over in Berlin
	h.becomes(p, dayone.Left)
	h.closed("ngozi@partner.example")
}

func TestWhatIsEnteredOfAnOutsiderIsJudgedFieldByField(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	for field, change := range map[string]func(*flow.Outsider){
		"end":        func(o *flow.Outsider) { o.End = "" },
		"start":      func(o *flow.Outsider) { o.Start = "soon" },
		"sponsor":    func(o *flow.Outsider) { o.Sponsor = "nobody@company.com" },
		"type":       func(o *flow.Outsider) { o.Type = "wizard" },
		"first_name": func(o *flow.Outsider) { delete(o.Fields, "first_name") },
		"email":      func(o *flow.Outsider) { o.Fields["email"] = "ngozi" },
		"department": func(o *flow.Outsider) { o.Fields["department"] = "Magic" },
		"shoe":       func(o *flow.Outsider) { o.Fields["shoe"] = "42" },
		"status":     func(o *flow.Outsider) { o.Fields["status"] = "active" },
	} {
		o := ngozi()
		change(&o)
		_, err := h.AddOutsider(ctx, o)
		is(t, err, dayone.ErrInvalid)
		var faults flow.Faulty
		if !errors.As(err, &faults) || len(faults) != 1 || faults[field] == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	for end, ok := range map[string]bool{"2025-11-15": true, "2025-11-16": false, "2024-11-14": false} {
		o := ngozi()
		o.End = end
		if _, _, err := h.CheckOutsider(ctx, o); (err == nil) != ok {
			t.Errorf("until %s: %v", end, err)
		}
	}
}

func TestASponsorIsToldOnceEachAndPutsTheEndOff(t *testing.T) {
	t.Parallel()
	w, h := sponsored(t)
	p, _ := h.added(ngozi())
	told := func(n int) {
		t.Helper()
		until(h, "the sponsor is told", func() (bool, bool) { return true, len(h.mailed("john.doe@company.com", "Ngozi Eze leaves")) >= n })
		same(t, "mails", len(h.mailed("john.doe@company.com", "Ngozi Eze leaves")), n)
	}
	h.clock.Jump(at(t, "2025-03-01T12:00:00Z"))
	told(1)
	h.stop()
	w.clock.Jump(at(t, "2025-03-29T12:00:00Z")) // 14 and 3 days before nothing ran
	h = w.open()
	told(2)

	_, err := h.Extend(ctx, p, flow.Extension{Until: "2025-06-30", Of: "mia@company.com", By: "kim", Reason: "phase two"})
	is(t, err, dayone.ErrForbidden)
	for _, bad := range []flow.Extension{
		{Until: "2025-03-31", Of: "john.doe@company.com", Reason: "x"},
		{Until: "2027-01-01", Of: "john.doe@company.com", Reason: "x"},
		{Until: "later", Of: "john.doe@company.com", Reason: "x"},
		{Until: "2025-06-30", Of: "john.doe@company.com"},
		{Until: "2025-06-30", By: "administrator", Reason: "x"},
	} {
		_, err := h.Extend(ctx, p, bad)
		is(t, err, dayone.ErrInvalid)
	}
	in, err := h.Extend(ctx, p, flow.Extension{Until: "2025-06-30", Of: "John.Doe@company.com", By: "administrator", Reason: "phase two"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", in.State, dayone.EventApplied)
	h.clock.Jump(at(t, "2025-04-10T12:00:00Z"))
	same(t, "status", h.person(p).Status, dayone.Working)
	same(t, "last day", h.person(p).Engagements[0].LastDay, "2025-06-30")
	h.clock.Jump(at(t, "2025-06-05T12:00:00Z"))
	told(3)
	h.clock.Jump(at(t, "2025-07-01T00:00:00Z"))
	h.becomes(p, dayone.Left)
	_, err = h.Extend(ctx, p, flow.Extension{Until: "2025-08-30", Of: "john.doe@company.com", Reason: "phase three"})
	is(t, err, dayone.ErrConflict)
}

func TestWhereTheSponsorHasLeftTheManagerIsAsked(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	p, _ := h.added(ngozi())
	h.hears(h.hr.Put(employee("8", "first_name", "John", "last_name", "Doe", "email", "john.doe@company.com", "start_date", "2024-10-08", "manager_email", "mia@company.com", "end_date", "2025-01-31")))
	h.clock.Jump(at(t, "2025-02-01T12:00:00Z"))
	john, err := h.Named(ctx, "john.doe@company.com")
	if err != nil {
		t.Fatal(err)
	}
	h.becomes(john.ID, dayone.Left)
	h.clock.Jump(at(t, "2025-03-01T12:00:00Z"))
	until(h, "the sponsor's manager is told", func() (bool, bool) { return true, len(h.mailed("mia@company.com", "Ngozi Eze leaves")) == 1 })
	_, err = h.Extend(ctx, p, flow.Extension{Until: "2025-06-30", Of: "john.doe@company.com", Reason: "x"})
	is(t, err, dayone.ErrForbidden)
	if _, err := h.Extend(ctx, p, flow.Extension{Until: "2025-06-30", Of: "mia@company.com", Reason: "phase two"}); err != nil {
		t.Fatal(err)
	}
	same(t, "who answers now", h.person(p).Engagements[0].Sponsor, "mia@company.com")
}

func TestHRSendsAContractorLaterAndNothingIsMadeTwice(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	o := ngozi()
	o.Fields["employee_number"] = "77"
	p, _ := h.added(o)
	in := h.looked(h.hears(h.hr.Put(employee("77", "first_name", "Ngozi", "last_name", "Eze-Smith", "email", "", "start_date", "2025-02-01", "department", "Sales", "team", "Core")))[0].ID)
	same(t, "state", in.State, dayone.EventApplied)
	same(t, "whose", in.Person, p)
	h.clock.Jump(at(t, "2025-02-01T12:00:00Z"))
	until(h, "HR's word counts", func() (bool, bool) { return true, h.person(p).Attrs.Text("team") == "Core" })
	q := h.person(p)
	same(t, "engagements", len(q.Engagements), 2)
	same(t, "mail", q.Attrs.Text("email"), "ngozi@partner.example")
	h.clock.Jump(at(t, "2025-04-02T12:00:00Z")) // the contract is over
	until(h, "all is quiet", func() (bool, bool) { return true, h.settled(p) })
	same(t, "status", h.person(p).Status, dayone.Working)
	h.shows(h.okta, "ngozi@partner.example", dayone.Active, "group:base-employee", "group:sales-team")
	n := 0
	for _, a := range h.okta.Accounts() {
		if a.FirstName == "Ngozi" {
			n++
		}
	}
	same(t, "accounts", n, 1)
	same(t, "mails about an end that changes nothing", len(h.mailed("john.doe@company.com", "Ngozi Eze leaves")), 0)
}

func TestTwoNamesakesAreHeldUntilSomebodyHasSaidWhoIsWho(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	p, _ := h.added(ngozi())
	held := func(id string) dayone.Match {
		t.Helper()
		in := h.looked(h.hears(h.hr.Put(employee(id, "first_name", "Ngozi", "last_name", "EZE")))[0].ID)
		same(t, "state", in.State, dayone.EventAsked)
		again := h.looked(h.hears(h.hr.Put(employee(id, "first_name", "Ngozi", "last_name", "EZE", "team", "Core")))[0].ID)
		same(t, "the next word", again.State, dayone.EventAsked)
		ms, err := h.Matches(ctx, true, 10)
		if err != nil || len(ms) != 1 {
			t.Fatalf("matches: %+v, %v", ms, err)
		}
		same(t, "who", ms[0].Says["email"], "e"+id+"@company.com")
		return ms[0]
	}
	m := held("77")
	if len(m.Suspects) != 1 || m.Suspects[0].Person != p || !strings.Contains(strings.Join(m.Suspects[0].Why, ","), "same name") {
		t.Fatalf("suspects: %+v", m.Suspects)
	}
	if _, ok := account(h.okta, "e77@company.com"); ok {
		t.Error("an account was made for somebody who is held")
	}
	_, err := h.DecideMatch(ctx, m.ID, "per_01jd9x0000000000000000000z", "kim", "")
	is(t, err, dayone.ErrNotFound)
	if _, err = h.DecideMatch(ctx, m.ID, "", "kim@company.com", "another one"); err != nil {
		t.Fatal(err)
	}
	_, err = h.DecideMatch(ctx, m.ID, p, "kim@company.com", "")
	is(t, err, dayone.ErrConflict)
	in := h.judged(m.Event)
	if in.State != dayone.EventApplied || in.Person == p {
		t.Errorf("somebody else: %+v", in)
	}
	until(h, "what came meanwhile counts, too", func() (bool, bool) { return true, h.person(in.Person).Attrs.Text("team") == "Core" })

	m = held("78") // the next one is the same
	if _, err = h.DecideMatch(ctx, m.ID, p, "kim@company.com", "her contract ends"); err != nil {
		t.Fatal(err)
	}
	in = h.judged(m.Event)
	same(t, "the same", in.Person, p)
	records, err := h.Records(ctx, flow.RecordFilter{Person: p})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(records, func(l flow.Line) bool {
		r, err := flow.RecordOf(l)
		return err == nil && strings.HasPrefix(r.What, "match:") && r.By == "kim@company.com"
	}) {
		t.Error("nothing says who decided")
	}
}

func TestOfTwoWhoComeAtOnceOneIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	var ids []dayone.EventID
	for _, n := range []string{"21", "22", "23"} {
		ids = append(ids, h.hears(h.hr.Put(employee(n, "email", "same@company.com", "first_name", "No"+n)))[0].ID)
	}
	states := map[dayone.EventState]int{}
	for _, id := range ids {
		states[h.looked(id).State]++
	}
	if states[dayone.EventApplied] != 1 || states[dayone.EventAsked] != 2 {
		t.Errorf("states: %v", states)
	}
	look, err := h.PreviewEvent(ctx, "hr", h.hr.Put(employee("24", "email", "same@company.com")))
	is(t, err, dayone.ErrConflict)
	same(t, "steps", len(look.Plan.Steps), 0)
}

func TestATerminationIsNeverHeld(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	h.added(ngozi())
	twin := employee("77", "first_name", "Ngozi", "last_name", "Eze", "start_date", here)
	same(t, "hire", h.looked(h.hears(h.hr.Put(twin))[0].ID).State, dayone.EventAsked)
	twin["end_date"] = "2024-11-14"
	in := h.looked(h.hears(h.says("terminated", twin))[0].ID)
	same(t, "termination", in.State, dayone.EventApplied)
	if n, err := h.CountMatches(ctx); err != nil || n != 0 {
		t.Errorf("%d questions, %v", n, err)
	}
}

var preHireLink = regexp.MustCompile(`https://dayone.company.com/prehire/(\S+)`)

func TestSomebodyWhoHasNotBegunIsAskedForWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		d.PreHire = flow.PreHireSettings{Ask: []string{"home_address", "mobile", "preferred_name"}}
	}
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "personal_email", "erin@home.example", "work_arrangement", "Remote", "preferred_name", "Rin", "start_date", "2024-12-02")))[0].ID)
	links := func(n int) (out []string) {
		t.Helper()
		return until(h, "the new hire is asked", func() ([]string, bool) {
			var out []string
			seen := map[string]bool{} // a mail on its way when we stopped goes again as the same one
			for _, m := range h.mail.Messages() {
				if got := preHireLink.FindStringSubmatch(m.Text); got != nil && slices.Contains(m.To, "erin@home.example") && !seen[m.ID] {
					out, seen[m.ID] = append(out, got[1]), true
				}
			}
			return out, len(out) >= n
		})
	}
	token := links(1)[0]
	h.stop()
	w.clock.Jump(begin.Add(8 * 24 * time.Hour)) // two reminders were due: one is sent
	h = w.open()
	if got := links(2); len(got) != 2 || got[1] != token {
		t.Errorf("links %v", got)
	}
	f, err := h.PreHireForm(ctx, token)
	if err != nil || len(f.Asks) != 2 || f.First != "Rin" || f.Over {
		t.Fatalf("form %+v, %v", f, err)
	}
	_, err = h.PreHireForm(ctx, "nonsense")
	is(t, err, dayone.ErrNotFound)
	for _, bad := range []map[string]string{{}, {"mobile": "call me"}, {"home_address": "x"}, {"email": "evil@home.example"}} {
		_, err := h.AnswerPreHire(ctx, token, bad)
		is(t, err, dayone.ErrInvalid)
	}
	if f, err = h.AnswerPreHire(ctx, token, map[string]string{"mobile": "+49 151 234567"}); err != nil || len(f.Asks) != 1 {
		t.Fatalf("half an answer: %+v, %v", f, err)
	}
	h.later(2 * time.Minute) // nobody is asked twice in a minute
	s, err := h.SendPreHire(ctx, in.Person, "kim@company.com")
	if err != nil || len(s.Missing) != 1 {
		t.Fatalf("sent again: %+v, %v", s, err)
	}
	_, err = h.PreHireForm(ctx, token)
	is(t, err, dayone.ErrNotFound)
	fresh := until(h, "a link that works", func() (string, bool) { // in whatever order mails come
		for _, link := range links(2) {
			if _, err := h.PreHireForm(ctx, link); err == nil {
				return link, true
			}
		}
		return "", false
	})
	if f, err = h.AnswerPreHire(ctx, fresh, map[string]string{"home_address": "Hauptstraße 1\n10115 Berlin"}); err != nil || len(f.Asks) != 0 {
		t.Fatalf("the rest: %+v, %v", f, err)
	}
	p := h.person(in.Person)
	same(t, "mobile", p.Attrs.Text("mobile"), "+49 151 234567")
	_, err = h.SendPreHire(ctx, in.Person, "kim@company.com")
	is(t, err, dayone.ErrConflict)
	h.clock.Jump(at(t, "2024-12-04T00:00:00Z"))
	if f, err = h.PreHireForm(ctx, fresh); err != nil || !f.Over {
		t.Errorf("after the first day: %+v, %v", f, err)
	}
	same(t, "mails", len(links(3)), 3)
}
