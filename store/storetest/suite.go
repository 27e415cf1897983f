// Package storetest is the suite that the store passes on every database.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Opener opens an empty database of its own for each call.
type Opener func(t *testing.T) *store.DB

var at = time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)

// Run tests everything.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for _, c := range []struct {
		name string
		f    func(*testing.T, *store.DB)
	}{
		{"EventIsAcceptedOnce", acceptedOnce},
		{"BodyWithoutID", bodyWithoutID},
		{"BodyIsSealedAndExpires", bodyExpires},
		{"EventsWaitTheirTurn", turns},
		{"TimelineComesBack", timeline},
		{"ManyAreReadAsOneByOne", manyAtOnce},
		{"EmploymentBindsOnce", employmentOnce},
		{"PeopleInPages", people},
		{"Named", named},
		{"Wakes", wakes},
		{"ProblemStaysUntilTheNextLook", problems},
		{"RunComesBack", runComesBack},
		{"OneRunAPerson", oneRun},
		{"AnAccountIsBoundOnce", boundOnce},
		{"TasksOutliveRuns", tasks},
		{"HoldsComeBack", holds},
		{"ALegalHoldStandsAlone", legalHolds},
		{"CertificatesComeBack", certificates},
		{"ASuccessionGoesOnWhereItWas", successions},
		{"TasksAreChangedAsTheyStand", taskChanges},
		{"OneRequestAGrant", approvals},
		{"RequestsAreChangedAsTheyStand", approvalChanges},
		{"Delegations", delegations},
		{"LedgerIsOneChain", ledgerChain},
		{"FailedWriteHarmsNobody", failedWrite},
		{"LinkOpensOnce", linkOnce},
		{"CodesAreCountedBeforeTheyAreLookedAt", codes},
		{"Catalogue", catalogue},
		{"ActsEndOnce", acts},
		{"LongAndStrangeTexts", strange},
		{"OrdersAndBreakers", standing},
		{"RequestsStandUntilTheyAreEnded", requests},
		{"DigestsAreGathered", digest},
		{"WhoMayBeKnownWaits", matches},
		{"AlertsOpenOnceAndLettersKeepTheirOrder", alerts},
		{"WhatRulesLookFor", lookedFor},
		{"WhatWasToldIsKept", told},
		{"WhoIsDueIsReadTogether", dueTogether},
		{"WhatIsVeiledIsFoundByNobody", veiled},
		{"AMergeIsTakenBackToTheSameBooks", merges},
		{"AnEmploymentIsSplitOff", splits},
		{"ABodyThatBrokeOffIsSaidAgain", bodySaidAgain},
		{"ABodyThatBrokeOffIsOnAfterAStart", bodyBrokenOff},
		{"TwoEventsInOneBody", twoInOneBody},
		{"WhatIsHeldEnds", heldEnds},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.f(t, open(t))
		})
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func event(id, sourceID string) dayone.Event {
	return dayone.Event{ID: dayone.EventID(id), Source: "hr", SourceID: sourceID, Type: dayone.Hired, Subject: "emp_789", At: at, Received: at}
}

func acceptedOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	in, again, err := d.Accept(ctx, event("evt_1", "evt_abc123"), []byte("{}"))
	if err != nil || again || in.ID != "evt_1" {
		t.Fatalf("%+v %v %v", in, again, err)
	}
	in, again, err = d.Accept(ctx, event("evt_2", "evt_abc123"), []byte("{}"))
	if err != nil || !again || in.ID != "evt_1" {
		t.Fatalf("said again: %+v %v %v", in, again, err)
	}
	var wg sync.WaitGroup
	fresh := make(chan dayone.EventID, 50)
	for i := range 50 { // at the same time, too
		wg.Go(func() {
			in, again, err := d.Accept(ctx, event(fmt.Sprintf("evt_c%02d", i), "same"), []byte("{}"))
			if err != nil {
				t.Error(err)
			}
			if !again {
				fresh <- in.ID
			}
		})
	}
	wg.Wait()
	if len(fresh) != 1 {
		t.Errorf("%d of 50 equal events were taken as new", len(fresh))
	}
	open := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventReceived}))
	if len(open) != 2 {
		t.Errorf("%d events are open, want 2", len(open))
	}
}

func bodyWithoutID(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, c := range []struct {
		body  string
		again bool
	}{{"a", false}, {"a", true}, {"b", false}, {"a", false}} { // a, then b, then a again is a change back
		_, again, err := d.Accept(ctx, event(fmt.Sprintf("evt_%d", i), ""), []byte(c.body))
		if err != nil || again != c.again {
			t.Errorf("body %d %q: again %v, want %v (%v)", i, c.body, again, c.again, err)
		}
	}
}

func bodyExpires(t *testing.T, d *store.DB) {
	ctx := t.Context()
	must[any](t)(func() (any, error) {
		_, _, err := d.Accept(ctx, event("evt_1", "x"), []byte(`{"salary":1}`))
		return nil, err
	}())
	if b := must[[]byte](t)(d.Body(ctx, "evt_1")); string(b) != `{"salary":1}` {
		t.Errorf("the body comes back as %s", b)
	}
	if err := d.MarkEvent(ctx, "evt_1", dayone.EventApplied, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Expire(ctx, at.Add(time.Hour)); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := d.Body(ctx, "evt_1"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("an expired body says %v", err)
	}
	if _, err := d.Event(ctx, "evt_nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no event says %v", err)
	}
}

// What waits for its time is in nobody's way, and what overtook the event that makes an employment known comes back.
func turns(t *testing.T, d *store.DB) {
	ctx := t.Context()
	accept := func(id, source, subject string) {
		t.Helper()
		ev := event(id, "")
		ev.Source, ev.Subject = source, subject
		if _, _, err := d.Accept(ctx, ev, []byte(id)); err != nil {
			t.Fatal(err)
		}
	}
	waits := func(when time.Time, source string, want ...string) {
		t.Helper()
		events, _, err := d.WaitingEvents(ctx, source, when, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range events {
			got = append(got, string(in.ID))
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %s wait %v, want %v", source, got, want)
		}
	}
	if w := must[map[string]time.Time](t)(d.Waiting(ctx)); len(w) != 0 {
		t.Errorf("something waits: %v", w)
	}
	accept("evt_1", "hr", "emp_1")
	accept("evt_2", "hr", "emp_2")
	accept("evt_3", "hr", "emp_1")
	accept("evt_4", "payroll", "emp_1")
	waits(at, "hr", "evt_1", "evt_2", "evt_3")
	waits(at, "payroll", "evt_4")
	if _, again, err := d.WaitingEvents(ctx, "hr", at, 10); again || err != nil {
		t.Errorf("again %v, %v", again, err)
	}
	for _, id := range []dayone.EventID{"evt_1", "evt_3"} {
		if err := d.EventTried(ctx, id, "not let in", at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	waits(at, "hr", "evt_2")
	waits(at.Add(time.Minute), "hr", "evt_2", "evt_1", "evt_3")
	if _, again, err := d.WaitingEvents(ctx, "hr", at, 10); !again || err != nil {
		t.Errorf("again %v, %v", again, err)
	}
	in := must[dayone.Intake](t)(d.Event(ctx, "evt_1"))
	if in.Tries != 1 || !in.Next.Equal(at.Add(time.Minute)) || in.Note != "not let in" {
		t.Errorf("%+v", in)
	}
	mine := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventReceived, Source: "hr", Subject: "emp_1", Oldest: true}))
	if len(mine) != 2 || mine[0].ID != "evt_1" {
		t.Errorf("events about one employment: %+v", mine)
	}
	if err := d.MarkEvent(ctx, "evt_2", dayone.EventQuarantined, "no start date"); err != nil {
		t.Fatal(err)
	}
	w := must[map[string]time.Time](t)(d.Waiting(ctx))
	if len(w) != 2 || !w["hr"].Equal(at.Add(time.Minute)) || !w["payroll"].IsZero() {
		t.Errorf("sources wait: %v", w)
	}
	e := dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "emp_2", Recorded: at}
	if err := d.Save(ctx, store.Saved{Person: "per_2", New: true, Employment: &e}); err != nil {
		t.Fatal(err)
	}
	waits(at, "hr", "evt_2")
}

// Sarah saves a person and returns her id.
func Sarah(t testing.TB, d *store.DB) dayone.PersonID {
	t.Helper()
	p := dayone.PersonID("per_sarah")
	err := d.Save(context.Background(), store.Saved{
		Person: p, New: true,
		Employment: &dayone.Employment{ID: "eng_1", Source: "hr", SourceID: "emp_789", Recorded: at},
		Facts: []dayone.Fact{
			{Engagement: "eng_1", Attr: "job_title", Recorded: at, Value: dayone.Text("Sales Engineer"), Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "home_address", Recorded: at, Value: dayone.Text("1 Main St"), Personal: true, Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "level", Recorded: at, Value: dayone.Int(4), Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "team", Effective: at, Recorded: at.Add(time.Microsecond), Value: dayone.Value{}, Bad: true, Source: "hr", Event: "evt_2"},
		},
		Row: &store.Row{
			ID: p, Managed: true, Name: "Sarah Chen", Email: "Sarah.Chen@company.com", Manager: "john.doe@company.com", Title: "Sales Engineer", Department: "Sales",
			Team: "Enterprise", Location: "San Francisco", Status: dayone.PreHire, Starts: at.Add(60 * time.Hour), Wake: at.Add(60 * time.Hour),
		},
		Records: []dayone.Record{{At: at, Person: p, What: "person recorded", Detail: &dayone.Detail{Note: "Sarah Chen"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func timeline(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	tl := must[dayone.Timeline](t)(d.Timeline(t.Context(), p))
	if !tl.Managed || len(tl.Employments) != 1 || len(tl.Facts) != 4 {
		t.Fatalf("%+v", tl)
	}
	got := map[string]dayone.Fact{}
	for _, f := range tl.Facts {
		got[f.Attr] = f
	}
	if got["home_address"].Value != dayone.Text("1 Main St") || !got["home_address"].Personal {
		t.Errorf("home address: %+v", got["home_address"])
	}
	if got["level"].Value != dayone.Int(4) || !got["level"].Recorded.Equal(at) {
		t.Errorf("level: %+v", got["level"])
	}
	if !got["team"].Bad || !got["team"].Effective.Equal(at) {
		t.Errorf("team: %+v", got["team"])
	}
	if _, err := d.Timeline(t.Context(), "per_nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody says %v", err)
	}
}

// What is read of many at once is what is read of each.
func manyAtOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	sarah := Sarah(t, d)
	crowd(t, d, 30)
	facts := func(p dayone.PersonID, n int) (out []dayone.Fact) {
		for i := range n {
			out = append(out, dayone.Fact{Engagement: dayone.EngagementID("eng_" + p), Attr: fmt.Sprintf("a%d", i), Said: at, Again: at.Add(time.Hour), Recorded: at, Value: dayone.List("x", string(p)), Source: "hr", Event: "evt_1"})
		}
		return out
	}
	ids := []dayone.PersonID{"per_nobody", sarah}
	for i := range 30 {
		p := dayone.PersonID(fmt.Sprintf("per_%03d", i))
		ids = append(ids, p)
		if err := d.Save(ctx, store.Saved{Person: p, Facts: facts(p, i%4), Employment: &dayone.Employment{ID: dayone.EngagementID("eng_" + p), Source: "hr", SourceID: string(p), Recorded: at}}); err != nil {
			t.Fatal(err)
		}
		run := aRun(dayone.RunID(fmt.Sprintf("run_%03d", i)), p)
		run.State = dayone.RunDone
		var hs []dayone.Holding
		for j, s := range []dayone.State{dayone.Active, dayone.Disabled, dayone.Gone}[:i%4%3+1] {
			hs = append(hs, dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "app", Kind: "group", Name: fmt.Sprintf("g%d", j), As: []dayone.AccountKind{dayone.Personal, dayone.Admin}[i%2]}, State: s, Role: "reader"}})
		}
		if err := d.Commit(ctx, []dayone.Progress{{Run: run, New: true, Holdings: hs}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Erase(ctx, "per_005", at); err != nil {
		t.Fatal(err)
	}
	read := must[[]store.Read](t)(d.Timelines(ctx, ids))
	if err := d.WithHoldings(ctx, read); err != nil {
		t.Fatal(err)
	}
	admins, kept := dayone.Key{System: "app", Kind: "group", Name: "g1", As: dayone.Admin}, dayone.Key{System: "app", Kind: "group", Name: "g0"}
	have := must[map[dayone.PersonID][]dayone.Key](t)(d.HaveOf(ctx, []dayone.Key{admins, kept, {System: "app", Kind: "none"}}))
	for i, r := range read {
		if r.Person != ids[i] {
			t.Fatalf("%s stands where %s was asked for", r.Person, ids[i])
		}
		one, err := d.Timeline(ctx, ids[i])
		if (err == nil) != (r.Err == nil) || err != nil && !errors.Is(r.Err, dayone.ErrNotFound) {
			t.Fatalf("%s: %v, and with others %v", ids[i], err, r.Err)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(one, r.Timeline, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s alone (-) and with others (+)\n%s", ids[i], diff)
		}
		states := map[dayone.Key]dayone.State{}
		for _, h := range must[[]dayone.Holding](t)(d.Holdings(ctx, ids[i], false)) {
			states[h.Key] = h.State
		}
		for _, h := range r.Held {
			if states[h.Key] != h.State {
				t.Errorf("%s has %s %s alone and %s with others", ids[i], h.Key, states[h.Key], h.State)
			}
			delete(states, h.Key)
		}
		if len(states) > 0 {
			t.Errorf("%s: with others these are missing: %v", ids[i], states)
		}
		if n := i - 2; n >= 0 && slices.Contains(have[ids[i]], kept) != (n%2 == 0) || slices.Contains(have[ids[i]], admins) {
			t.Errorf("%s has %v; what is disabled does not count", ids[i], have[ids[i]])
		}
	}
	seen := map[dayone.PersonID]bool{}
	if err := d.EachPerson(ctx, func(p dayone.PersonID, managed bool) error {
		seen[p] = managed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, erased := seen["per_005"]; erased || len(seen) != 30 || !seen[sarah] || seen["per_001"] {
		t.Errorf("everybody: %v", seen)
	}
	if _, err := d.Timelines(ctx, make([]dayone.PersonID, store.AtOnce+1)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("too many at once: %v", err)
	}
}

func employmentOnce(t *testing.T, d *store.DB) {
	Sarah(t, d)
	err := d.Save(t.Context(), store.Saved{Person: "per_other", New: true, Employment: &dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "emp_789", Recorded: at}})
	if !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second person with the same employment: %v", err)
	}
	if _, err := d.Person(t.Context(), "per_other"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("half of it was written: %v", err)
	}
	p, found, err := d.PersonOf(t.Context(), "hr", "emp_789")
	if err != nil || !found || p != "per_sarah" {
		t.Errorf("%v %v %v", p, found, err)
	}
}

func crowd(t *testing.T, d *store.DB, n int) {
	t.Helper()
	for i := range n {
		p := dayone.PersonID(fmt.Sprintf("per_%03d", i))
		name := fmt.Sprintf("Person %c%d", 'A'+i%26, i)
		if err := d.Save(t.Context(), store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: name, Email: fmt.Sprintf("p%d@company.com", i), Department: []string{"Sales", "IT"}[i%2], Status: dayone.Working}}); err != nil {
			t.Fatal(err)
		}
	}
}

func people(t *testing.T, d *store.DB) {
	crowd(t, d, 30)
	ctx := t.Context()
	seen := map[dayone.PersonID]bool{}
	f := store.PeopleFilter{Limit: 7}
	for {
		rows := must[[]store.Row](t)(d.People(ctx, f))
		for _, r := range rows {
			if seen[r.ID] {
				t.Fatalf("%s stands on two pages", r.ID)
			}
			seen[r.ID] = true
		}
		if len(rows) < f.Limit {
			break
		}
		f.AfterName, f.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
	if len(seen) != 30 {
		t.Errorf("pages show %d of 30", len(seen))
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Department: "IT"})); len(rows) != 15 {
		t.Errorf("%d are in IT", len(rows))
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: "b1"})); len(rows) != 1 {
		t.Errorf("a word of the name finds %d", len(rows))
	}
	for _, trick := range []string{"%", "_", `\`, "'; DROP TABLE person; --"} {
		if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: trick})); len(rows) != 0 {
			t.Errorf("%q finds %d", trick, len(rows))
		}
	}
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx)); n[dayone.Working] != 30 {
		t.Errorf("counted %v", n)
	}
	if ds := must[[]string](t)(d.Departments(ctx)); !reflect.DeepEqual(ds, []string{"IT", "Sales"}) {
		t.Errorf("departments %v", ds)
	}
}

func named(t *testing.T, d *store.DB) {
	Sarah(t, d)
	crowd(t, d, 3)
	for _, who := range []string{"sarah.chen@company.com", "SARAH.CHEN@company.com", "Sarah Chen", "sarah"} {
		if r, err := d.Named(t.Context(), who); err != nil || r.ID != "per_sarah" {
			t.Errorf("%q is %v, %v", who, r.ID, err)
		}
	}
	if _, err := d.Named(t.Context(), "Nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody says %v", err)
	}
	if _, err := d.Named(t.Context(), "Person"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("several say %v", err)
	}
}

func wakes(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at, 10)); len(due) != 0 {
		t.Errorf("due too early: %v", due)
	}
	if next := must[time.Time](t)(d.NextWake(ctx)); !next.Equal(at.Add(60 * time.Hour)) {
		t.Errorf("next is %v", next)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at.Add(60*time.Hour), 10)); len(due) != 1 {
		t.Errorf("not due in time: %v", due)
	}
	if err := d.SetWake(ctx, p, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if next := must[time.Time](t)(d.NextWake(ctx)); !next.IsZero() {
		t.Errorf("after it was taken out: %v", next)
	}
}

func problems(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	if err := d.SetProblem(ctx, p, "notion is wanted twice", at.Add(70*time.Hour), at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Unplanned: true}))
	if len(rows) != 1 || rows[0].Problem != "notion is wanted twice" || !rows[0].Wake.Equal(at.Add(time.Hour)) {
		t.Fatalf("cannot be planned: %+v", rows)
	}
	rows[0].Problem = ""
	if err := d.SaveRow(ctx, rows[0]); err != nil {
		t.Fatal(err)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Unplanned: true})); len(rows) != 0 {
		t.Errorf("after a look that could: %+v", rows)
	}
}

// head is a run without its steps, changes are some of them.
func head(r dayone.Run) dayone.Run {
	r.Steps = nil
	return r
}

func changes(r dayone.Run, seqs ...int) []dayone.StepChange {
	var out []dayone.StepChange
	for _, s := range seqs {
		out = append(out, dayone.StepChange{Seq: s, StepRun: r.Steps[s]})
	}
	return out
}

// A Run of two steps.
func aRun(id dayone.RunID, p dayone.PersonID) dayone.Run {
	account := dayone.Key{System: "okta", Kind: "account"}
	group := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	r := dayone.Run{
		ID: id, Person: p, Event: "evt_1", Title: "Onboard Sarah Chen", State: dayone.RunRunning, Started: at, Hash: "h", Machine: 1,
		Have: []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{System: "google", Kind: "account"}, Ref: "g1", State: dayone.Active}}},
	}
	r.Plan = dayone.Plan{Person: p, At: at, Steps: []dayone.Step{
		{ID: "okta/account account.create", Action: dayone.AccountCreate, Key: account, Once: "aa", Want: &dayone.Item{Key: account, State: dayone.Staged, Attrs: dayone.Attrs{"email": dayone.Text("s@x.com"), "level": dayone.Int(4)}}},
		{
			ID: "okta/group:sales-team entitlement.add", Action: dayone.EntitlementAdd, Key: group, Once: "bb", Needs: []dayone.Need{{Step: "okta/account account.create"}},
			Account: dayone.Value{Kind: dayone.TemplateValue, Text: "${okta.account.ref}"}, Want: &dayone.Item{Key: group, State: dayone.Active},
		},
	}}
	for _, s := range r.Plan.Steps {
		r.Steps = append(r.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
	}
	return r
}

func runComesBack(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	r := aRun("run_1", p)
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true}}); err != nil {
		t.Fatal(err)
	}
	r.Steps[0].State, r.Steps[0].Attempt, r.Steps[0].Since, r.Steps[0].Started = dayone.StepRunning, 1, at, at
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), Steps: changes(r, 0)}}); err != nil {
		t.Fatal(err)
	}
	now := dayone.Item{Key: r.Steps[0].Step.Key, Ref: "00u1", State: dayone.Staged, Attrs: dayone.Attrs{"email": dayone.Text("s@x.com")}, Created: at}
	r.Steps[0].State, r.Steps[0].Ended, r.Steps[0].Result = dayone.StepDone, at.Add(time.Second), dayone.Result{Now: &now}
	r.Steps[1].State, r.Steps[1].Attempt, r.Steps[1].Error, r.Steps[1].Kind, r.Steps[1].Next = dayone.StepRetrying, 2, "okta: adding: unavailable", "unavailable", at.Add(time.Minute)
	r.Steps[1].Tries, r.Steps[1].Failing = 1, at.Add(30*time.Second)
	r.Steps = append(r.Steps, dayone.StepRun{Step: dayone.Step{ID: "okta/account account.delete (undo)", Action: dayone.AccountDelete, Key: r.Steps[0].Step.Key}, State: dayone.StepPending, Of: r.Steps[0].Step.ID})
	h := dayone.Holding{Item: now, Ours: true, Asked: dayone.Attrs{"email": dayone.Text("s@x.com")}, Since: at, Confirmed: at, Run: "run_1", Because: []dayone.Reason{{Policy: "base-employee", At: "base.yaml:14"}}, Release: dayone.Release{DeleteAfter: 720 * time.Hour}}
	h2 := h
	h2.Role = "last wins"
	if err := d.Commit(ctx, []dayone.Progress{
		{Run: head(r), Steps: changes(r, 0, 1, 2), Moved: true, Holdings: []dayone.Holding{h, h2}, Records: []dayone.Record{{At: at, Person: p, Run: r.ID, What: "granted", Detail: &dayone.Detail{Now: &now}}}},
	}); err != nil {
		t.Fatal(err)
	}
	back := must[dayone.Run](t)(d.Run(ctx, "run_1"))
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("the run comes back changed (-want +got):\n%s", diff)
	}
	open := must[[]dayone.Run](t)(d.Unfinished(ctx))
	if diff := cmp.Diff([]dayone.Run{{ID: r.ID, Person: r.Person, State: r.State, Machine: r.Machine}}, open); diff != "" {
		t.Errorf("unfinished: %s", diff)
	}
	if diff := cmp.Diff([]dayone.Run{r}, must[[]dayone.Run](t)(d.RunsOf(ctx, []dayone.RunID{r.ID}))); diff != "" {
		t.Errorf("the run, read with others, comes back changed: %s", diff)
	}
	if _, err := d.RunsOf(ctx, []dayone.RunID{r.ID, "run_none"}); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
	hs := must[[]dayone.Holding](t)(d.Holdings(ctx, p, false))
	if diff := cmp.Diff([]dayone.Holding{h2}, hs); diff != "" {
		t.Errorf("the holding comes back changed:\n%s", diff)
	}
	if who, bound, err := d.Owner(ctx, "okta", "00u1"); err != nil || !bound || who != p {
		t.Errorf("owner %v %v %v", who, bound, err)
	}
	if _, bound, _ := d.Owner(ctx, "okta", "00u2"); bound {
		t.Error("nobody's account has an owner")
	}
	gone := dayone.Holding{Item: dayone.Item{Key: now.Key, Ref: "00u1", State: dayone.Gone}, Generation: 1}
	r.State, r.Ended = dayone.RunDone, at.Add(time.Minute)
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), Moved: true, Gone: []dayone.Holding{gone}}}); err != nil {
		t.Fatal(err)
	}
	if hs := must[[]dayone.Holding](t)(d.Holdings(ctx, p, false)); len(hs) != 0 {
		t.Errorf("what is gone is still held: %v", hs)
	}
	if hs := must[[]dayone.Holding](t)(d.Holdings(ctx, p, true)); len(hs) != 1 || hs[0].Generation != 1 {
		t.Errorf("its generation is forgotten: %v", hs)
	}
	if _, bound, _ := d.Owner(ctx, "okta", "00u1"); !bound {
		t.Error("an account that was hers once may be taken for nobody's")
	}
	if rs := must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Person: p})); len(rs) != 1 || rs[0].State != dayone.RunDone || !rs[0].Ended.Equal(r.Ended) {
		t.Errorf("runs: %+v", rs)
	}
	if _, err := d.Run(ctx, "run_none"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no run says %v", err)
	}
}

func oneRun(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a, b := aRun("run_1", "per_1"), aRun("run_2", "per_1")
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(a), New: true}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(b), New: true}}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second run of one person at the same time: %v", err)
	}
	if id := must[dayone.RunID](t)(d.ActiveRun(ctx, "per_1")); id != "run_1" {
		t.Errorf("active is %s", id)
	}
	a.State = dayone.RunSuperseded
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(a), Moved: true}, {Run: head(b), New: true}}); err != nil {
		t.Errorf("after the first one is over: %v", err)
	}
	if id := must[dayone.RunID](t)(d.Newest(ctx, "per_1")); id != "run_2" {
		t.Errorf("the newest is %s", id)
	}
	if _, err := d.Newest(ctx, "per_nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no run at all says %v", err)
	}
}

// An account is one person's, whoever writes it: else it is closed when somebody else leaves.
func boundOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	bind := func(id dayone.RunID, p dayone.PersonID, hs ...dayone.Holding) error {
		r := dayone.Run{ID: id, Person: p, State: dayone.RunDone}
		return d.Commit(ctx, []dayone.Progress{{Run: r, New: true, Holdings: hs}})
	}
	holding := func(key, ref string, s dayone.State) dayone.Holding {
		k, err := dayone.ParseKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return dayone.Holding{Item: dayone.Item{Key: k, Ref: ref, State: s}}
	}
	if err := bind("run_1", "per_1", holding("okta/account", "00u1", dayone.Active), holding("okta/group:a", "00g1", dayone.Active), holding("paper/account", "", dayone.Active)); err != nil {
		t.Fatal(err)
	}
	if err := bind("run_2", "per_2", holding("okta/account", "00u1", dayone.Disabled)); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("one account for two people: %v", err)
	}
	if err := bind("run_3", "per_1", holding("okta/account:admin", "00u1", dayone.Active)); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("one account in two places: %v", err)
	}
	if who, _, _ := d.Owner(ctx, "okta", "00u1"); who != "per_1" {
		t.Errorf("it is %s's", who)
	}
	if err := bind("run_4", "per_2", holding("gitlab/account", "00u1", dayone.Active), holding("okta/group:a", "00g1", dayone.Active), holding("paper/account", "", dayone.Active)); err != nil {
		t.Errorf("the same id elsewhere, a group, and an account without an id: %v", err)
	}
	if err := bind("run_5", "per_1", holding("okta/account", "00u1", dayone.Gone)); err != nil {
		t.Fatal(err)
	}
	if err := bind("run_6", "per_2", holding("okta/account", "00u1", dayone.Active)); err != nil {
		t.Errorf("once it is gone here: %v", err)
	}
	if who, bound, err := d.Owner(ctx, "okta", "00u1"); !bound || who != "per_2" {
		t.Errorf("whose it is counts before whose it was: %s, %v", who, err)
	}
}

func tasks(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	a := aRun("run_1", p)
	task := dayone.Task{Person: p, Run: "run_1", Step: "procurement/order entitlement.add", Once: "cc", System: "procurement", Title: "Order", Note: "order it", Ask: []string{"serial", "tracking"}, Opened: at, Due: at.Add(time.Hour)}
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(a), New: true, Opened: []dayone.Task{task}}}); err != nil {
		t.Fatal(err)
	}
	open := must[[]dayone.Task](t)(d.Tasks(ctx, p, ""))
	if len(open) != 1 || open[0].ID == "" || !reflect.DeepEqual(open[0].Ask, task.Ask) {
		t.Fatalf("%+v", open)
	}
	a.State = dayone.RunSuperseded
	b := aRun("run_2", p)
	task.Run = "run_2"
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(a), Moved: true}, {Run: head(b), New: true, Opened: []dayone.Task{task}}}); err != nil {
		t.Fatal(err)
	}
	again := must[[]dayone.Task](t)(d.Tasks(ctx, p, ""))
	if len(again) != 1 || again[0].ID != open[0].ID || again[0].Run != "run_2" {
		t.Errorf("the task of the grant became %+v", again)
	}
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(b), Closed: []dayone.Task{{Once: "cc", Closed: at, By: "reseller", Attrs: dayone.Attrs{"serial": dayone.Text("C02")}}}}}); err != nil {
		t.Fatal(err)
	}
	if left := must[[]dayone.Task](t)(d.Tasks(ctx, "", "")); len(left) != 0 {
		t.Errorf("still open: %+v", left)
	}
	if done := must[dayone.Task](t)(d.Task(ctx, string(open[0].ID))); done.By != "reseller" || done.Attrs.Text("serial") != "C02" {
		t.Errorf("closed as %+v", done)
	}
	c := aRun("run_3", p)
	task.Run = "run_3" // what is done stays done: the next is another task
	b.State = dayone.RunDone
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(b), Moved: true}, {Run: head(c), New: true, Opened: []dayone.Task{task}}}); err != nil {
		t.Fatal(err)
	}
	next := must[[]dayone.Task](t)(d.Tasks(ctx, p, ""))
	if len(next) != 1 || next[0].ID == open[0].ID {
		t.Fatalf("after a task that is done comes %+v", next)
	}
	if _, err := d.ChangeTask(ctx, next[0].ID, func(t *dayone.Task) error {
		t.Assignee, t.Remind, t.Reminded = "kim@example.com", at.Add(time.Hour), at
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c.State = dayone.RunSuperseded // planned anew: the run leaves it, and the next one needs it again
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(c), Moved: true, Closed: []dayone.Task{{Once: "cc", Closed: at, Left: string(dayone.RunSuperseded)}}}}); err != nil {
		t.Fatal(err)
	}
	if left := must[dayone.Task](t)(d.Task(ctx, string(next[0].ID))); left.Closed.IsZero() || left.Left == "" {
		t.Errorf("left as %+v", left)
	}
	task.Run = "run_4"
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(aRun("run_4", p)), New: true, Opened: []dayone.Task{task}}}); err != nil {
		t.Fatal(err)
	}
	moved := must[[]dayone.Task](t)(d.Tasks(ctx, p, ""))
	if len(moved) != 1 || moved[0].ID != next[0].ID || moved[0].Assignee != "kim@example.com" || !moved[0].Remind.Equal(at.Add(time.Hour)) || moved[0].Run != "run_4" || moved[0].Left != "" {
		t.Errorf("the task moved as %+v", moved)
	}
}

func ledgerChain(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := d.Record(ctx, dayone.Record{At: at, Person: p, What: fmt.Sprintf("act %d", i), Detail: &dayone.Detail{Note: "1 Main St"}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var seq int64
	for l, err := range d.Ledger(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if seq++; l.Seq != seq {
			t.Fatalf("line %d is numbered %d", seq, l.Seq)
		}
		if strings.Contains(l.Leaf, "Main St") || strings.Contains(l.Leaf, "Sarah") {
			t.Errorf("a line holds a personal value: %s", l.Leaf)
		}
	}
	if n := must[int64](t)(d.CountRecords(ctx)); n != 21 || seq != 21 {
		t.Errorf("%d records, %d lines", n, seq)
	}
	lines := must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: p, Detail: true, Limit: 3}))
	if len(lines) != 3 || !strings.Contains(string(lines[0].Detail), "1 Main St") {
		t.Errorf("details: %+v", lines)
	}
}

// failedWrite: what goes into a commit with a bad neighbour is written all the same.
func failedWrite(t *testing.T, d *store.DB) {
	ctx := t.Context()
	Sarah(t, d)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			p := dayone.PersonID(fmt.Sprintf("per_%d", i))
			s := store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: "x"}}
			if i%5 == 0 {
				s.Employment = &dayone.Employment{ID: dayone.EngagementID(fmt.Sprint("eng_x", i)), Source: "hr", SourceID: "emp_789"}
			}
			err := d.Save(ctx, s)
			if (i%5 == 0) != errors.Is(err, dayone.ErrConflict) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx)); n[""] != 32 {
		t.Errorf("%d of 32 good ones were written", n[""])
	}
}

func linkOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	r := aRun("run_1", "per_1")
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Secrets: []dayone.Sealed{{ID: "sec_aa.password", Person: "per_1", Box: "sealed"}}}}); err != nil {
		t.Fatal(err)
	}
	box, found, err := d.Secret(ctx, "sec_aa.password")
	if err != nil || !found || box != "sealed" {
		t.Fatalf("%q %v %v", box, found, err)
	}
	if _, found, _ := d.Secret(ctx, "sec_none"); found {
		t.Error("no secret is found")
	}
	var opened, late int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := d.OpenSecret(ctx, "sec_aa.password", at, dayone.Record{At: at, Person: "per_1", What: "credential opened"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				opened++
			case errors.Is(err, dayone.ErrConflict):
				late++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if opened != 1 || late != 9 {
		t.Errorf("opened %d times", opened)
	}
	if box, _, _ := d.Secret(ctx, "sec_aa.password"); box != "" {
		t.Error("the secret outlives its reading")
	}
}

func codes(t *testing.T, d *store.DB) {
	ctx := t.Context()
	r := aRun("run_1", "per_1")
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Secrets: []dayone.Sealed{{ID: "sec_aa.password", Person: "per_1", Box: "sealed"}}}}); err != nil {
		t.Fatal(err)
	}
	var looked atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := d.TrySecret(ctx, "sec_aa.password", 10)
			if err == nil {
				looked.Add(1)
			} else if !errors.Is(err, dayone.ErrForbidden) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := looked.Load(); n != 10 {
		t.Errorf("%d of 50 codes may be looked at", n)
	}
	if err := d.TrySecret(ctx, "sec_none", 10); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("no secret: %v", err)
	}
}

func catalogue(t *testing.T, d *store.DB) {
	ctx := t.Context()
	k := func(n string) dayone.Key { return dayone.Key{System: "okta", Kind: "group", Name: n} }
	if err := d.SaveCatalogue(ctx, "okta", []dayone.Offer{{Key: k("a"), Ref: "1"}, {Key: k("b"), Ref: "2", Roles: []string{"x"}}}, at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveCatalogue(ctx, "slack", []dayone.Offer{{Key: dayone.Key{System: "slack", Kind: "channel", Name: "#general"}, Ref: "C1", Seats: &dayone.Seats{Pool: "pro", Total: 50, Used: 47}}}, at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveCatalogue(ctx, "okta", []dayone.Offer{{Key: k("b"), Ref: "2b"}, {Key: k("c"), Ref: "3"}}, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	got := must[map[dayone.Key]dayone.Offer](t)(d.Catalogue(ctx, ""))
	if len(got) != 3 || got[k("b")].Ref != "2b" || got[k("a")].Ref != "" {
		t.Errorf("%v", got)
	}
	if one := must[map[dayone.Key]dayone.Offer](t)(d.Catalogue(ctx, "slack")); len(one) != 1 {
		t.Errorf("%v", one)
	} else if o := one[dayone.Key{System: "slack", Kind: "channel", Name: "#general"}]; o.Seats == nil || *o.Seats != (dayone.Seats{Pool: "pro", Total: 50, Used: 47}) || o.Seats.Free() != 3 {
		t.Errorf("its seats come back as %+v", o.Seats)
	}
	if o := got[k("b")]; o.Seats != nil {
		t.Errorf("seats that nobody told of: %+v", o.Seats)
	}
	if v := must[string](t)(d.Meta(ctx, "nothing")); v != "" {
		t.Errorf("unset meta is %q", v)
	}
	if err := errors.Join(d.SetMeta(ctx, "a", "1"), d.SetMeta(ctx, "a", "2")); err != nil {
		t.Fatal(err)
	}
	if v := must[string](t)(d.Meta(ctx, "a")); v != "2" {
		t.Errorf("meta is %q", v)
	}
}

func strange(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, name := range []string{"نور الزهراني", "山田 美咲", `O'Neil "Bob"; DROP TABLE person`, strings.Repeat("Wolfeschlegelstein", 400), "Zoë\u0301 𝔐𝔞𝔵"} {
		p := dayone.PersonID(fmt.Sprintf("per_s%d", i))
		if err := d.Save(ctx, store.Saved{Person: p, New: true, Facts: []dayone.Fact{{Engagement: "eng", Attr: "x", Recorded: at, Value: dayone.Text(name)}}, Row: &store.Row{ID: p, Name: name}}); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		r := must[store.Row](t)(d.Person(ctx, p))
		tl := must[dayone.Timeline](t)(d.Timeline(ctx, p))
		if r.Name != name || tl.Facts[0].Value.Text != name {
			t.Errorf("%q comes back as %q", name, r.Name)
		}
	}
	for i, note := range []string{"a\x00b", "a letter cut in two: \xc3", "\xff\xfe"} { // one system's words must not fail everybody's commit
		task := dayone.Task{Once: fmt.Sprint("s", i), Note: note, Opened: at}
		if err := d.Commit(ctx, []dayone.Progress{{Run: dayone.Run{ID: "run_s"}, Opened: []dayone.Task{task}}}); err != nil {
			t.Errorf("%q: %v", note, err)
		}
	}
}
