package flow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// twice is a world in which Ngozi was added by hand, and HR sends her as somebody else by mistake: with another name and
// address. She has an Okta account as either, and one at GitLab as the second.
func twice(t *testing.T) (w *world, h *house, first, second dayone.PersonID) {
	t.Helper()
	w, h = sponsored(t)
	first, _ = h.added(ngozi())
	second, _ = h.hires(employee("77", "first_name", "N.", "last_name", "Eze-Smith", "start_date", begin.Format("2006-01-02"), "department", "Engineering", "team", "Core"))
	h.gitlab.Login("e77@company.com") // GitLab shows members who have signed in
	h.later(20 * time.Minute)
	h.settledAt(second)
	h.settledAt(first)
	return w, h, first, second
}

// booksOf is what is in the books of somebody, but for what follows from the clock and from runs.
type booksOf struct {
	Employments []dayone.Employment
	Facts       []dayone.Fact
	Have        map[string]string
	Managed     bool
	Name, Mail  string
	Status      dayone.Status
}

func (h *house) books(id dayone.PersonID) booksOf {
	h.t.Helper()
	line, err := h.Store.Timeline(ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	row, err := h.Person(ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	b := booksOf{line.Employments, line.Facts, map[string]string{}, line.Managed, row.Name, row.Email, row.Status}
	for _, x := range h.held(id) {
		b.Have[x.Key.String()] = string(x.State) + " " + x.Ref
	}
	return b
}

func (h *house) merges(first, second dayone.PersonID) dayone.Merge {
	h.t.Helper()
	m, err := h.Merge(ctx, flow.Merger{Stays: first, Goes: second, By: "kim@company.com", Reason: "one person"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.settledAt(first)
	return m
}

func TestTwoWhoAreOneAreMergedAndNothingIsMadeTwiceOrClosed(t *testing.T) {
	t.Parallel()
	_, h, first, second := twice(t)
	p, err := h.MergePreview(ctx, first, second)
	if err != nil || p.Refused != "" || p.Older {
		t.Fatalf("%+v, %v", p, err)
	}
	if len(p.Twice) != 1 || p.Twice[0] != "okta" || len(p.Names) != 1 || p.Names[0] != (flow.KeptName{Attr: "email", Kept: "ngozi@partner.example", Other: "e77@company.com"}) {
		t.Errorf("what will happen: %+v", p)
	}
	other, err := h.MergePreview(ctx, second, first)
	if err != nil || !other.Older {
		t.Errorf("the other way round: %+v, %v", other, err)
	}
	h.merges(first, second)
	one := h.person(first)
	same(t, "employments", len(one.Engagements), 2)
	same(t, "mail", one.Attrs.Text("email"), "ngozi@partner.example")
	same(t, "team", one.Attrs.Text("team"), "Core")
	h.shows(h.okta, "ngozi@partner.example", dayone.Active, "group:base-employee")
	if a, ok := account(h.okta, "e77@company.com"); !ok || a.State != dayone.Active {
		t.Errorf("the second account: %+v, %v", a, ok)
	}
	accounts := len(h.okta.Accounts()) + len(h.gitlab.Accounts())
	same(t, "gitlab", h.books(first).Have["gitlab/account"], "active "+h.books(first).ref("gitlab/account"))
	task := h.task(first, "See to a second account")
	if !strings.Contains(task.Note, "okta/account") {
		t.Errorf("the task says %q", task.Note)
	}
	if to, err := h.MergedInto(ctx, second); err != nil || to != first {
		t.Errorf("the other is %q, %v", to, err)
	}

	// HR goes on about the employment, and many are due at once: nobody plans the other id
	h.looked(h.hears(h.hr.Put(employee("77", "first_name", "N.", "last_name", "Eze-Smith", "start_date", begin.Format("2006-01-02"), "department", "Engineering", "team", "Edge")))[0].ID)
	until(h, "HR's word counts", func() (bool, bool) { return true, h.person(first).Attrs.Text("team") == "Edge" })
	h.settledAt(first)
	same(t, "mail", h.person(first).Attrs.Text("email"), "ngozi@partner.example")
	same(t, "accounts", len(h.okta.Accounts())+len(h.gitlab.Accounts()), accounts)
	rows, err := h.Store.People(ctx, store.PeopleFilter{})
	if err != nil || len(rows) != 3 {
		t.Errorf("people: %+v, %v", rows, err)
	}
	runs, err := h.Runs(ctx, flow.RunFilter{Person: first})
	if err != nil {
		t.Fatal(err)
	}
	both := map[dayone.PersonID]bool{}
	for _, r := range runs {
		both[r.Person] = true
	}
	if !both[first] || !both[second] {
		t.Errorf("the runs of both are hers: %v", both)
	}

	// a human has closed the second account
	if _, err := h.CompleteTask(ctx, string(task.ID), "it@company.com", nil); err != nil {
		t.Fatal(err)
	}
	for _, x := range h.held(second) {
		if x.Key.System == "okta" && x.State != dayone.Gone {
			t.Errorf("%s of the second account is %s", x.Key, x.State)
		}
	}
}

func (b booksOf) ref(key string) string {
	_, ref, _ := strings.Cut(b.Have[key], " ")
	return ref
}

func TestSplittingGivesTheSameBooksAsBefore(t *testing.T) {
	t.Parallel()
	w, h, first, second := twice(t)
	before := []booksOf{h.books(first), h.books(second)}
	h.merges(first, second)
	h.stop() // what was done outlives the process
	h = w.open()
	s, err := h.SplitPreview(ctx, first, "hr/77")
	if err != nil || s.Merge == nil || s.Refused != "" || len(s.Back) == 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	off, err := h.Split(ctx, flow.Splitter{Person: first, Employment: "77", By: "kim@company.com", Reason: "two after all"})
	if err != nil || off != second {
		t.Fatalf("%s, %v", off, err)
	}
	h.settledAt(first)
	h.settledAt(second)
	for i, id := range []dayone.PersonID{first, second} {
		if diff := cmp.Diff(before[i], h.books(id), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(dayone.Fact{}, "Again")); diff != "" {
			t.Errorf("%s is not as before:\n%s", before[i].Name, diff)
		}
	}
	h.shows(h.okta, "e77@company.com", dayone.Active, "group:base-employee")
	if to, err := h.MergedInto(ctx, second); err != nil || to != "" {
		t.Errorf("the other is %q, %v", to, err)
	}
	if left, err := h.Store.Tasks(ctx, first, ""); err != nil || len(left) != 0 {
		t.Errorf("tasks: %+v, %v", left, err)
	}
}

func TestAMergeThatCannotBeIsRefusedAndDoesNothing(t *testing.T) {
	t.Parallel()
	_, h, first, second := twice(t)
	before := []booksOf{h.books(first), h.books(second)}
	try := func(o flow.Merger, kind error) {
		t.Helper()
		if _, err := h.Merge(ctx, o); !errors.Is(err, kind) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	try(flow.Merger{Stays: first, Goes: second, Reason: " "}, dayone.ErrInvalid)
	try(flow.Merger{Stays: first, Goes: first, Reason: "x"}, dayone.ErrForbidden)
	try(flow.Merger{Stays: first, Goes: "per_01jd9x0000000000000000000z", Reason: "x"}, dayone.ErrNotFound)
	if _, err := h.HoldLegally(ctx, second, "counsel@company.com", "case"); err != nil {
		t.Fatal(err)
	}
	try(flow.Merger{Stays: first, Goes: second, Reason: "x"}, dayone.ErrForbidden)
	if _, err := h.ReleaseLegally(ctx, second, "counsel@company.com", "over"); err != nil {
		t.Fatal(err)
	}
	h.settledAt(second)
	for i, id := range []dayone.PersonID{first, second} {
		if diff := cmp.Diff(before[i], h.books(id), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s", diff)
		}
	}
	_, err := h.Split(ctx, flow.Splitter{Person: second, Employment: "77", Reason: "x"})
	is(t, err, dayone.ErrForbidden)
	_, err = h.Split(ctx, flow.Splitter{Person: second, Employment: "78", Reason: "x"})
	is(t, err, dayone.ErrNotFound)
}

func TestAnAnswerThatTheyAreOneIsTakenBack(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	p, _ := h.added(ngozi())
	in := h.looked(h.hears(h.hr.Put(employee("77", "first_name", "Ngozi", "last_name", "EZE", "start_date", begin.Format("2006-01-02"), "department", "Sales")))[0].ID)
	same(t, "state", in.State, dayone.EventAsked)
	ms, err := h.Matches(ctx, true, 10)
	if err != nil || len(ms) != 1 {
		t.Fatalf("%+v, %v", ms, err)
	}
	if _, err := h.DecideMatch(ctx, ms[0].ID, p, "kim@company.com", ""); err != nil {
		t.Fatal(err)
	}
	same(t, "whose", h.judged(in.ID).Person, p)
	h.rests(p, "") // nothing is left to do before anything is begun, too
	h.settledAt(p)
	off, err := h.Split(ctx, flow.Splitter{Person: p, Employment: "hr/77", By: "kim@company.com", Reason: "a namesake"})
	if err != nil || off == p {
		t.Fatalf("%s, %v", off, err)
	}
	h.settledAt(p)
	same(t, "employments of the first", len(h.person(p).Engagements), 1)
	same(t, "and of the namesake", h.person(off).Attrs.Text("email"), "e77@company.com")
	h.shows(h.okta, "ngozi@partner.example", dayone.Active, "group:base-employee", "group:sales-team")
	m, err := h.Match(ctx, ms[0].ID)
	if err != nil || m.State != dayone.MatchOther {
		t.Errorf("the answer is %s, %v", m.State, err)
	}
	back, err := h.TakeBackOf(ctx, m)
	if err != nil || back != (flow.TakeBack{To: p, With: off}) {
		t.Errorf("taken back, it is undone by %+v, %v", back, err)
	}
}

// What is asked in confidence is nobody else's matter: not in the list, not in the count, and nobody else answers it.
func TestAQuestionInConfidenceIsForFew(t *testing.T) {
	t.Parallel()
	w, h := sponsored(t)
	p, _ := h.added(ngozi())
	h.stop()
	w.joined = func(d *flow.Deps) {
		hr := d.Sources["hr"]
		hr.Discreet = true
		d.Sources["hr"] = hr
	}
	h = w.open()
	h.hears(h.hr.Put(employee("77", "first_name", "Ngozi", "last_name", "Eze", "start_date", begin.Format("2006-01-02"))))
	ms := until(h, "a question", func() ([]dayone.Match, bool) {
		ms, err := h.Matches(few, true, 10)
		return ms, err == nil && len(ms) == 1
	})
	if seen, err := h.Matches(ctx, false, 10); err != nil || len(seen) != 0 {
		t.Errorf("others see %+v, %v", seen, err)
	}
	for who, want := range map[context.Context]int{few: 1, ctx: 0} {
		if n, err := h.CountMatches(who); err != nil || n != want {
			t.Errorf("counted %d, want %d: %v", n, want, err)
		}
	}
	is(t, errOf(h.Match(ctx, ms[0].ID)), dayone.ErrNotFound)
	is(t, errOf(h.MatchAbout(ctx, "hr", "77")), dayone.ErrNotFound)
	is(t, errOf(h.DecideMatch(ctx, ms[0].ID, p, "kim@company.com", "")), dayone.ErrNotFound)
	if _, err := h.DecideMatch(few, ms[0].ID, p, "kim@company.com", ""); err != nil {
		t.Fatal(err)
	}
	same(t, "whose", h.judged(ms[0].Event).Person, p)
	if back, err := h.TakeBackOf(few, func() dayone.Match { m, _ := h.Match(few, ms[0].ID); return m }()); err != nil || !back.Split || back.To != p || back.Of != "hr/77" {
		t.Errorf("it is undone by %+v, %v", back, err)
	}
}

// The second one's accounts are being made when somebody sees that she is the first. What is under way is given up, what
// came of it is hers, and the rest is planned anew, once, for the one she is.
func TestAMergeGivesUpWhatIsUnderWayAndPlansAnewAsOne(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	first, _ := h.added(ngozi())
	h.settledAt(first)
	others := len(h.gitlab.Accounts())
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 503})
	in := h.judged(h.hears(h.hr.Put(employee("77", "first_name", "N.", "last_name", "Eze-Smith", "start_date", begin.Format("2006-01-02"), "team", "Core")))[0].ID)
	second := in.Person
	open := until(h, "a run whose account at Okta is made, and GitLab's is not", func() (dayone.Run, bool) {
		r, err := h.RunOf(ctx, in.Run)
		made := slices.ContainsFunc(h.held(second), func(x dayone.Holding) bool { return x.Key.String() == "okta/group:base-employee" })
		return r, err == nil && !r.State.Over() && made
	})
	p, err := h.MergePreview(ctx, first, second)
	if err != nil || len(p.GivenUp) != 1 || p.GivenUp[0].ID != open.ID {
		t.Fatalf("what is given up: %+v, %v", p.GivenUp, err)
	}
	m, err := h.Merge(ctx, flow.Merger{Stays: first, Goes: second, By: "kim@company.com", Reason: "one person"})
	if err != nil {
		t.Fatal(err)
	}
	old, err := h.RunOf(ctx, open.ID)
	if err != nil || old.State != dayone.RunSuperseded {
		t.Errorf("the run that was open is %s, %v", old.State, err)
	}
	h.gitlab.Door().Heal()
	h.rests(first, open.ID)
	until(h, "nothing is left to do", func() (bool, bool) { // she signs in once there is an account; how long GitLab is left alone follows from how often it was tried
		if row, err := h.Store.Person(ctx, first); err == nil && h.settled(first) && (row.Wake.IsZero() || row.Wake.After(h.clock.Now())) && strings.HasPrefix(h.books(first).Have["gitlab/account"], "active ") {
			return true, true
		}
		h.gitlab.Login("ngozi@partner.example")
		h.later(30 * time.Second)
		return false, false
	})
	same(t, "accounts at GitLab", len(h.gitlab.Accounts()), others+1)
	same(t, "whose", strings.HasPrefix(h.books(first).Have["gitlab/account"], "active "), true)
	if a, ok := account(h.okta, "e77@company.com"); !ok || a.State != dayone.Active {
		t.Errorf("what the open run had made: %+v, %v", a, ok)
	}
	h.task(first, "See to a second account")
	h.nobodyPlans(first, second, m)
}

// nobodyPlans fails if a run of a merged id began after it was merged, or goes on.
func (h *house) nobodyPlans(stays, gone dayone.PersonID, m dayone.Merge) {
	h.t.Helper()
	runs, err := h.Store.Runs(ctx, store.RunFilter{Limit: 500})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range runs {
		if r.Person == gone && (!r.State.Over() || r.Started.After(m.Made)) {
			h.t.Errorf("%s is planned still: run %s is %s since %v", gone, r.ID, r.State, r.Started)
		}
	}
	if to, err := h.MergedInto(ctx, gone); err != nil || to != stays {
		h.t.Errorf("%s leads to %q, %v", gone, to, err)
	}
}

// All of them are due at one instant, their first day, when pair by pair is seen to be one person.
func TestPeopleAreMergedWhileAllAreDue(t *testing.T) {
	t.Parallel()
	_, h := sponsored(t)
	const pairs = 6
	var stays, goes [pairs]dayone.PersonID
	for i := range pairs {
		o := ngozi()
		n := string(rune('a' + i))
		o.Start = "2024-11-25"
		o.Fields = map[string]string{"first_name": "Out" + n, "last_name": "Sider", "email": n + "@partner.example", "department": "Sales", "location": "Berlin"}
		in, err := h.AddOutsider(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		stays[i] = in.Person
		goes[i] = h.looked(h.hears(h.hr.Put(employee("5"+n, "first_name", "Em"+n, "last_name", "Ployee", "department", "Sales")))[0].ID).Person
	}
	h.clock.Jump(time.Date(2024, 11, 25, 8, 0, 0, 0, time.UTC))
	var made [pairs]dayone.Merge
	var wg sync.WaitGroup
	for i := range pairs {
		wg.Go(func() {
			m, err := h.Merge(ctx, flow.Merger{Stays: stays[i], Goes: goes[i], By: "kim@company.com", Reason: "one person"})
			if err != nil {
				t.Errorf("pair %d: %v", i, err)
			}
			made[i] = m
		})
	}
	wg.Wait()
	for i := range pairs {
		h.settledAt(stays[i])
		same(t, "she works", h.status(stays[i]), dayone.Working)
		same(t, "employments", len(h.person(stays[i]).Engagements), 2)
		h.accountIs(stays[i], dayone.Active)
		h.nobodyPlans(stays[i], goes[i], made[i])
	}
	until(h, "nobody to be due any more", func() (bool, bool) {
		next, err := h.Store.NextWake(ctx)
		return true, err == nil && (next.IsZero() || next.After(h.Now()))
	})
	logins := map[string]int{}
	for _, a := range h.okta.Accounts() {
		if logins[a.Login]++; logins[a.Login] > 1 {
			t.Errorf("%s is there twice", a.Login)
		}
	}
}
