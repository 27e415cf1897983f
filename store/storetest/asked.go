package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// asked: what waits for somebody is found by whom it asks, and by nobody else, whatever becomes of it.
func asked(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p, rowP := known(t, d, "a")
	o, rowO := known(t, d, "b")
	const vera, john = "vera@company.com", "john@company.com"
	waits := func(what, who string, want ...dayone.ApprovalID) {
		t.Helper()
		var ids []dayone.ApprovalID
		for _, a := range must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Open: true, Asked: who})) {
			ids = append(ids, a.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s, %s is asked %v, want %v", what, who, ids, want)
		}
	}
	given := func(what string, who []string, want ...string) {
		t.Helper()
		list := must[[]dayone.Task](t)(d.TasksBy(ctx, store.TaskFilter{Given: who}))
		var titles []string
		for _, x := range list {
			titles = append(titles, x.Title)
		}
		if n := must[int](t)(d.CountTasks(ctx, store.TaskFilter{Given: who})); n != len(want) || !slices.Equal(titles, want) {
			t.Errorf("%s, %v was given %v (counted: %d), want %v", what, who, titles, n, want)
		}
	}
	asks := func(id dayone.ApprovalID, of dayone.PersonID, due time.Duration, mails ...string) dayone.Petition {
		r := aRequest(string(id), "once "+string(id), of)
		r.Due, r.Deciders = at.Add(due), nil
		for _, m := range mails {
			r.Deciders = append(r.Deciders, dayone.Decider{Mail: m, As: "manager"})
		}
		return r
	}
	change := func(id dayone.ApprovalID, do func(*dayone.Petition)) {
		t.Helper()
		if _, err := d.ChangeApproval(ctx, id, time.Time{}, func(r *dayone.Petition) error { do(r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.AskApprovals(ctx, []dayone.Petition{
		asks("apr_1", p, 3*time.Hour, strings.ToUpper(vera), vera), asks("apr_2", o, time.Hour, vera, john), asks("apr_3", p, time.Hour), asks("apr_4", p, 2*time.Hour, john),
	}); err != nil {
		t.Fatal(err)
	}
	again := asks("apr_5", p, time.Hour, "nobody@company.com")
	again.Once = "once apr_1" // asked for already
	if err := d.AskApprovals(ctx, []dayone.Petition{again}); err != nil {
		t.Fatal(err)
	}
	waits("at first", vera, "apr_2", "apr_1")
	waits("at first", "John@Company.com", "apr_2", "apr_4")
	waits("at first", "nobody@company.com")
	if list := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Open: true, Asked: vera, Limit: 1, AfterDue: at.Add(time.Hour), AfterID: "apr_2"})); len(list) != 1 || list[0].ID != "apr_1" {
		t.Errorf("on the second page: %+v", list)
	}
	if list := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Open: true, Asked: vera, Within: dayone.Scope{{Countries: []string{"FR"}}}})); len(list) > 0 {
		t.Errorf("out of scope: %+v", list)
	}
	change("apr_4", func(r *dayone.Petition) { r.Deciders, r.Escalated = []dayone.Decider{{Mail: vera}}, at })
	waits("once another is found", vera, "apr_2", "apr_4", "apr_1")
	waits("once another is found", john, "apr_2")
	change("apr_4", func(r *dayone.Petition) { r.State, r.Decided = dayone.ApprovalRefused, at })
	waits("decided", vera, "apr_2", "apr_1")
	if err := d.RenewApproval(ctx, "apr_4", asks("apr_6", p, time.Minute, john)); err != nil {
		t.Fatal(err)
	}
	waits("asked anew", john, "apr_6", "apr_2")

	open := func(title string, of dayone.PersonID, once, who string, due time.Duration) dayone.Task {
		return dayone.Task{ID: dayone.TaskID("tsk_" + title), Person: of, Once: once, Title: title, Opened: at, Due: at.Add(due), Assignee: who}
	}
	for _, x := range []dayone.Task{
		open("one", p, "o1", "Vera@company.com", 2*time.Hour), open("two", o, "o2", "group:Helpdesk", time.Hour), open("three", p, "o3", john, time.Hour), open("four", p, "o4", "", time.Hour),
	} {
		if err := d.OpenTask(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	given("at first", []string{vera}, "one")
	given("at first", []string{vera, "group:Helpdesk"}, "two", "one")
	given("at first", []string{"group:helpdesk"}) // as it is written
	given("at first", []string{"nobody@company.com"})
	if _, err := d.ChangeTask(ctx, "tsk_three", func(x *dayone.Task) error { x.Assignee = vera; return nil }); err != nil {
		t.Fatal(err)
	}
	given("given to another", []string{vera}, "three", "one")
	given("given to another", []string{john})
	other := open("anew", p, "o1", "", 2*time.Hour) // by another run, which gives it to nobody: it stays with whoever has it
	other.ID = ""
	step := open("of a step", p, "o7", "John@company.com", 3*time.Hour)
	if err := d.Commit(ctx, []dayone.Progress{{Run: dayone.Run{ID: "run_2", Person: p}, Opened: []dayone.Task{other, step}}}); err != nil {
		t.Fatal(err)
	}
	given("opened again", []string{vera}, "three", "anew")
	given("opened by a step", []string{john}, "of a step")

	m := store.Merger{Merge: dayone.Merge{ID: "mrg_1", Person: p, Other: o, Made: at.Add(time.Hour)}, Row: rowP, Once: onceOf}
	if err := d.Merge(ctx, m); err != nil {
		t.Fatal(err)
	}
	waits("merged", vera, "apr_2", "apr_1")
	given("merged", []string{"group:Helpdesk"}, "two")
	if err := d.Split(ctx, store.Splitter{Merge: m.Merge, Person: p, Off: o, At: at.Add(2 * time.Hour), Rows: [2]store.Row{rowP, rowO}, Once: onceOf}); err != nil {
		t.Fatal(err)
	}
	waits("split again", vera, "apr_2", "apr_1")
	given("split again", []string{"group:Helpdesk"}, "two")

	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	waits("about one who was erased", vera, "apr_2")
	given("about one who was erased", []string{vera, john})

	if err := d.KeepHoldings(ctx, o, []dayone.Holding{
		{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: "group", Name: "Helpdesk"}, State: dayone.Active}},
		{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: "group", Name: "gone"}, State: "gone"}},
		{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: "account"}, State: dayone.Active}},
	}); err != nil {
		t.Fatal(err)
	}
	if keys := must[[]dayone.Key](t)(d.Held(ctx, strings.ToUpper(rowO.Email), "group")); len(keys) != 1 || keys[0].Name != "Helpdesk" {
		t.Errorf("she is in %v", keys)
	}
	if keys := must[[]dayone.Key](t)(d.Held(ctx, "", "group")); len(keys) > 0 {
		t.Errorf("nobody is in %v", keys)
	}
}
