package flow_test

import (
	"context"
	"database/sql"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// of is somebody whose role reaches as far.
func of(role dayone.Role, reach ...dayone.Reach) context.Context {
	return flow.As(context.Background(), dayone.Viewer{Login: "kim@company.com", Role: role, Confidential: role == dayone.HR, Scope: reach})
}

var (
	german   = dayone.Reach{Countries: []string{"DE"}}
	american = dayone.Reach{Countries: []string{"US"}}
)

// What a scope leaves out is not there, whatever it is, and nothing is done to it; who has systems acts there alone.
func TestAScopeEndsWhatIsSeenAndDone(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1", "start_date", "2024-11-11"))
	h.hires(employee("2", "location", "San Francisco", "start_date", "2024-11-11"))
	task, err := h.ReportIssue(ctx, run.ID, "The printer burns.", "kim")
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.Events(ctx, flow.EventFilter{Person: id})
	if err != nil || len(events) == 0 {
		t.Fatalf("events %v (%v)", events, err)
	}
	okta := dayone.Reach{Systems: []string{"okta"}}
	steps := func(system string) string {
		for i := range run.Steps {
			if run.Steps[i].Step.Key.System == system {
				return string(run.ID) + "/" + string(rune('1'+i))
			}
		}
		t.Fatalf("the run has no step at %s", system)
		return ""
	}
	for _, c := range []struct {
		as   context.Context
		what flow.Thing
		id   string
		acts bool
		want error
	}{
		{ctx, flow.ThePerson, string(id), true, nil},
		{of(dayone.HR, german), flow.ThePerson, string(id), true, nil},
		{of(dayone.HR, american), flow.ThePerson, string(id), false, dayone.ErrNotFound},
		{of(dayone.HR, american, german), flow.TheRun, string(run.ID), true, nil},
		{of(dayone.HR, dayone.Reach{Companies: []string{"Company"}}), flow.ThePerson, string(id), false, dayone.ErrNotFound}, // of whom it is not known
		{of(dayone.Operator, american), flow.TheRun, string(run.ID), false, dayone.ErrNotFound},
		{of(dayone.Operator, american), flow.TheTask, string(task.ID), false, dayone.ErrNotFound},
		{of(dayone.Operator, american), flow.TheEvent, string(events[0].ID), false, dayone.ErrNotFound},
		{of(dayone.Operator, german), flow.TheEvent, string(events[0].ID), true, nil},
		{of(dayone.Operator, german), flow.TheSystem, "okta", false, dayone.ErrNotFound}, // others are there, too
		{of(dayone.Operator, okta), flow.TheSystem, "okta", true, nil},
		{of(dayone.Operator, okta), flow.TheSystem, "gitlab", false, dayone.ErrNotFound},
		{of(dayone.Operator, okta), flow.TheSystem, "", true, dayone.ErrNotFound}, // all of them
		{of(dayone.Operator, okta), flow.TheRun, string(run.ID), false, nil},
		{of(dayone.Operator, okta), flow.TheRun, string(run.ID), true, dayone.ErrForbidden}, // GitLab, too
		{of(dayone.Operator, okta), flow.TheStep, steps("okta"), true, nil},
		{of(dayone.Operator, okta), flow.TheStep, steps("gitlab"), true, dayone.ErrForbidden},
		{of(dayone.Operator, okta), flow.TheStep, string(run.ID) + "/99", true, dayone.ErrForbidden},
		{of(dayone.Operator, dayone.Reach{Countries: []string{"US"}, Systems: []string{"okta"}}), flow.TheStep, steps("okta"), true, dayone.ErrNotFound},
		{of(dayone.Operator, okta), flow.ThePerson, string(id), true, dayone.ErrForbidden},
		{of(dayone.Operator, german), flow.TheNumber, "+4930", false, dayone.ErrNotFound},
		{of(dayone.Operator, german), "something new", "x", false, dayone.ErrNotFound},
	} {
		is(t, h.Sees(c.as, c.what, c.id, c.acts), c.want)
	}
	for _, c := range []struct {
		as   context.Context
		want int
	}{{ctx, 2}, {of(dayone.HR, german), 1}, {of(dayone.HR, american), 1}, {of(dayone.HR, german, american), 2}} {
		rows, err := h.People(c.as, flow.PeopleFilter{})
		same(t, "people", len(rows), c.want)
		is(t, err, nil)
		runs, err := h.Runs(c.as, flow.RunFilter{})
		same(t, "runs", len(runs), c.want)
		is(t, err, nil)
	}
	is(t, errOf(h.Timeline(of(dayone.HR, american), id)), dayone.ErrNotFound)
	is(t, errOf(h.PersonNow(of(dayone.HR, american), id)), dayone.ErrNotFound)
	is(t, errOf(h.Named(of(dayone.HR, american), "e1@company.com")), dayone.ErrNotFound)
	is(t, errOf(h.ExportPerson(of(dayone.HR, american), id, "kim")), dayone.ErrNotFound)
	is(t, errOf(h.TerminatePreview(of(dayone.HR, american), id)), dayone.ErrNotFound)
	is(t, errOf(h.Terminate(of(dayone.HR, american), id, "kim", "x", "")), dayone.ErrNotFound)
}

// A brake is let through as a whole, so it is for those who may see all whom it holds.
func TestABrakeIsForThoseWhoSeeAllOfIt(t *testing.T) {
	t.Parallel()
	h, _ := town(t, 9, nil)
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		in := h.hears(h.hr.Put(employee(id, "start_date", here, "end_date", "2024-12-31")))[0]
		until(h, "it is looked at", func() (dayone.Intake, bool) {
			e, err := h.Event(ctx, in.ID)
			return e, err == nil && e.State != dayone.EventReceived
		})
	}
	list, err := h.Brakes(of(dayone.HR, german), true, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("whoever sees all of it finds %+v (%v)", list, err)
	}
	if list, err := h.Brakes(of(dayone.HR, american), true, 10); err != nil || len(list) > 0 {
		t.Errorf("others find %+v (%v)", list, err)
	}
	is(t, h.Sees(of(dayone.HR, american), flow.TheBrake, string(list[0].ID), false), dayone.ErrNotFound)
	is(t, errOf(h.DiscardBrake(of(dayone.HR, american), list[0].ID, flow.BrakeDecision{By: "kim", Reason: "x", Hash: "x"})), dayone.ErrNotFound)
	if states, err := h.SourceStates(of(dayone.HR, american)); err != nil || len(states) > 0 {
		t.Errorf("whoever has one country sees the sources %+v (%v)", states, err)
	}
}

// Who was in the books before roles had scopes, and who is elsewhere since sites.yaml says so, is looked at when the server
// begins.
func TestWherePeopleAreIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	h.hires(employee("1", "start_date", "2024-11-11"))
	if err := h.Store.Unplace(ctx); err != nil {
		t.Fatal(err)
	}
	find := func(h *house, reach dayone.Reach) bool {
		rows, err := h.People(of(dayone.HR, reach), flow.PeopleFilter{})
		return err == nil && len(rows) == 1
	}
	if find(h, german) {
		t.Error("she is somewhere before anybody looked")
	}
	h.stop()
	h = w.open()
	until(h, "she is in Germany", func() (bool, bool) { return true, find(h, german) })

	sites, err := fs.ReadFile(w.files, "sites.yaml")
	if err != nil {
		t.Fatal(err)
	}
	moved := fstest.MapFS{}
	for name, f := range w.files.(fstest.MapFS) {
		moved[name] = f
	}
	moved["sites.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(sites), "{country: DE, zone: Europe/Berlin", "{country: US, zone: Europe/Berlin", 1))}
	pr := h.proposed(moved)
	planned := h.everybody(pr)
	if _, err := h.Apply(ctx, pr, planned, "lee@company.com", "Berlin moves", ""); err != nil {
		t.Fatal(err)
	}
	until(h, "she is in America", func() (bool, bool) { return true, find(h, american) && !find(h, german) })
}

// Whoever cannot be read is nowhere, and keeps nobody else from being where they are.
func TestOneWhoCannotBeReadKeepsNobodyOutOfScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	first, _ := h.hires(employee("1", "start_date", "2024-11-11"))
	h.hires(employee("2", "start_date", "2024-11-11"))
	if err := h.Store.Unplace(ctx); err != nil {
		t.Fatal(err)
	}
	h.stop()
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"timeline", "fact"} {
		if _, err := raw.Exec(`UPDATE `+table+` SET box = '1.AAAA' WHERE person = $1`, first); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	h = w.open()
	rows := until(h, "the other one is in Germany", func() ([]flow.Row, bool) {
		rows, err := h.People(of(dayone.HR, german), flow.PeopleFilter{})
		return rows, err == nil && len(rows) > 0
	})
	if len(rows) != 1 || rows[0].ID == first {
		t.Errorf("in Germany are %+v", rows)
	}
}

func TestAScopeHasWordsForPeople(t *testing.T) {
	t.Parallel()
	s := dayone.Scope{german, {Companies: []string{"Acme GmbH"}, Systems: []string{"okta", "ad"}}}
	same(t, "it is", s.String(), "country DE; company Acme GmbH, systems okta, ad")
	for _, c := range []struct {
		country, company, system string
		has, covers              bool
	}{
		{"DE", "", "gitlab", true, true}, {"de", "x", "", true, true}, {"FR", "acme gmbh", "okta", true, true}, {"FR", "Acme GmbH", "gitlab", true, false}, {"", "", "okta", false, false},
	} {
		same(t, "has "+c.country+c.company, s.Has(c.country, c.company), c.has)
		same(t, "covers "+c.country+c.company+c.system, s.Covers(c.country, c.company, c.system), c.covers)
	}
	if s.Whole() || s.AllPeople() || s.AllSystems() || s.Runs("okta") {
		t.Error("a scope that ends says that it is everything")
	}
}
