package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// scopes: every list leaves out who is not in a scope, and of whom it is not known; a merge takes along what was somebody's.
func scopes(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, row := range []store.Row{
		{ID: "per_ada", Name: "Ada", Email: "ada@company.com", Country: "DE", Company: "Acme GmbH", Department: "Sales"},
		{ID: "per_bo", Name: "Bo", Country: "de", Company: "Other AG", Department: "IT"},
		{ID: "per_luc", Name: "Luc", Email: "luc@company.com", Country: "FR", Company: "Acme GmbH", Department: "Board"},
		{ID: "per_nemo", Name: "Nemo", Department: "Nowhere"},
	} {
		row.Status = dayone.Working
		ev := event(fmt.Sprint("evt_", i), fmt.Sprint("s", i))
		if _, _, err := d.Accept(ctx, ev, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		run := dayone.Run{ID: dayone.RunID("run_" + row.Name), Person: row.ID, Title: row.Name, State: dayone.RunRunning, Started: at}
		task := dayone.Task{ID: dayone.TaskID("tsk_" + row.Name), Person: row.ID, Run: run.ID, Once: row.Name, System: []string{"okta", "gitlab"}[i%2], Title: row.Name, Opened: at, Due: at}
		for _, err := range []error{
			d.Save(ctx, store.Saved{Person: row.ID, New: true, Row: &row, Event: ev.ID, State: dayone.EventApplied, Records: []dayone.Record{{At: at, Person: row.ID, What: "said", System: task.System}}}),
			d.Commit(ctx, []dayone.Progress{{Run: run, New: true, Opened: []dayone.Task{task}, Holds: []dayone.Hold{{ID: dayone.HoldID("hld_" + row.Name), Person: row.ID, From: at, Until: at.Add(time.Hour)}}}}),
			d.AskApprovals(ctx, []dayone.Petition{{ID: dayone.ApprovalID("apr_" + row.Name), Person: row.ID, Key: dayone.Key{System: task.System, Kind: "group", Name: "x/y"}, Once: row.Name, State: dayone.ApprovalOpen, Opened: at, Due: at.Add(time.Hour)}}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		scope        dayone.Scope
		people, acts []string // who is seen, and whose tasks and approvals
	}{
		{nil, []string{"Ada", "Bo", "Luc", "Nemo"}, []string{"Ada", "Bo", "Luc", "Nemo"}},
		{dayone.Scope{{Countries: []string{"DE"}}}, []string{"Ada", "Bo"}, []string{"Ada", "Bo"}},
		{dayone.Scope{{Countries: []string{"DE"}, Companies: []string{"ACME GmbH"}}}, []string{"Ada"}, []string{"Ada"}},
		{dayone.Scope{{Countries: []string{"DE"}, Companies: []string{"Acme GmbH"}}, {Countries: []string{"FR"}}}, []string{"Ada", "Luc"}, []string{"Ada", "Luc"}},
		{dayone.Scope{{Systems: []string{"okta"}}}, []string{"Ada", "Bo", "Luc", "Nemo"}, []string{"Ada", "Luc"}},
		{dayone.Scope{{Countries: []string{"DE"}, Systems: []string{"gitlab"}}, {Countries: []string{"FR"}}}, []string{"Ada", "Bo", "Luc"}, []string{"Bo", "Luc"}},
		{dayone.Scope{{Countries: []string{"DE"}}, {}}, []string{"Ada", "Bo", "Luc", "Nemo"}, []string{"Ada", "Bo", "Luc", "Nemo"}},
		{dayone.Scope{{Countries: []string{"XX"}}}, nil, nil},
	} {
		s := c.scope
		shows := func(what string, got, want []string) {
			t.Helper()
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("in %q %s are %q, want %q", s, what, got, want)
			}
		}
		shows("people", each(must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Within: s})), func(r store.Row) string { return r.Name }), c.people)
		shows("runs", each(must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Within: s})), func(r dayone.Run) string { return r.Title }), c.people)
		if n := must[int](t)(d.CountRuns(ctx, store.RunFilter{Within: s})); n != len(must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Within: s}))) {
			t.Errorf("%+v counts %d runs, and does not list as many", s, n)
		}
		shows("events", each(must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{Within: s})), func(in dayone.Intake) string { return nameOf(in.Person) }), c.people)
		shows("holds", each(must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Within: s})), func(h dayone.Hold) string { return nameOf(h.Person) }), c.people)
		shows("records", each(must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Within: s})), func(l store.Line) string { return nameOf(l.Person) }), c.acts)
		shows("tasks", each(must[[]dayone.Task](t)(d.TasksBy(ctx, store.TaskFilter{Within: s})), func(x dayone.Task) string { return x.Title }), c.acts)
		shows("approvals", each(must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Open: true, Within: s})), func(a dayone.Petition) string { return nameOf(a.Person) }), c.acts)
		if n := must[int](t)(d.CountApprovals(ctx, s)); n != len(c.acts) {
			t.Errorf("in %q %d approvals are counted", s, n)
		}
		if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx, s)); n[dayone.Working] != len(c.people) {
			t.Errorf("in %q are counted %v", s, n)
		}
		if list := must[[]string](t)(d.Departments(ctx, s)); len(list) != len(c.people) {
			t.Errorf("in %q are departments %q", s, list)
		}
		for name, id := range map[string]string{"Ada": "ada@company.com", "Luc": "LUC@company.com"} {
			if _, err := d.NamedWithin(ctx, id, s); (err == nil) != slices.Contains(c.people, name) {
				t.Errorf("in %q %s is found: %v", s, id, err)
			}
		}
	}

	// who is nowhere yet is looked at once more
	if err := d.Unplace(ctx); err != nil {
		t.Fatal(err)
	}
	german := dayone.Scope{{Countries: []string{"DE"}}}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Within: german})); len(rows) != 0 {
		t.Errorf("forgotten, %d are somewhere", len(rows))
	}
	if ids := must[[]dayone.PersonID](t)(d.Unplaced(ctx, "", 3)); len(ids) != 3 {
		t.Errorf("to be looked at are %q", ids)
	} else if rest := must[[]dayone.PersonID](t)(d.Unplaced(ctx, ids[0], 3)); len(rest) < 2 || !slices.Equal(rest[:2], ids[1:]) {
		t.Errorf("behind the first of %q are %q", ids, rest)
	}
	if err := d.SavePlaces(ctx, []store.Place{{Person: "per_luc", Country: "DE"}, {Person: "per_bo"}, {Person: "per_nemo"}, {Person: "per_ada", Country: "FR"}}); err != nil {
		t.Fatal(err)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Within: german})); len(rows) != 1 || rows[0].ID != "per_luc" {
		t.Errorf("in Germany are %+v", rows)
	}
	if ids := must[[]dayone.PersonID](t)(d.Unplaced(ctx, "", 3)); len(ids) != 0 {
		t.Errorf("to be looked at are %q", ids)
	}
	if err := d.SavePlaces(ctx, []store.Place{{Person: "per_luc", Country: "US"}}); err != nil { // read before somebody else wrote
		t.Fatal(err)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Within: german})); len(rows) != 1 {
		t.Errorf("what was read before put %d of one elsewhere", 1-len(rows))
	}
}

func nameOf(id dayone.PersonID) string {
	return map[dayone.PersonID]string{"per_ada": "Ada", "per_bo": "Bo", "per_luc": "Luc", "per_nemo": "Nemo"}[id]
}

func each[T any](list []T, is func(T) string) []string {
	var out []string
	for _, x := range list {
		out = append(out, is(x))
	}
	return out
}

// localLogin: of links that are used at the same instant one sets up, and one that is older than the login does not.
func localLogin(t *testing.T, d *store.DB) {
	ctx := t.Context()
	if _, err := d.LocalLogin(ctx); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("before anybody was set up: %v", err)
	}
	var all sync.WaitGroup
	var set atomic.Int32
	for i := range 8 {
		all.Go(func() {
			err := d.SetUp(ctx, store.LocalLogin{Name: fmt.Sprint("kim", i), Hash: "x", Made: at.Add(time.Minute)}, at, dayone.Record{At: at, What: "set up"})
			switch {
			case err == nil:
				set.Add(1)
			case !errors.Is(err, dayone.ErrConflict):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := set.Load(); n != 1 {
		t.Errorf("one link set up %d", n)
	}
	if err := d.SetUp(ctx, store.LocalLogin{Name: "lee", Hash: "y", Made: at.Add(time.Hour)}, at.Add(2*time.Minute)); err != nil {
		t.Error(err)
	}
	if l := must[store.LocalLogin](t)(d.LocalLogin(ctx)); l.Name != "lee" || l.Hash != "y" || !l.Made.Equal(at.Add(time.Hour)) {
		t.Errorf("there is %+v", l)
	}
}
