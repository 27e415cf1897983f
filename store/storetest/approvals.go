package storetest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

func aRequest(id, once string, p dayone.PersonID) dayone.Petition {
	k, err := dayone.ParseKey("gitlab/group:platform")
	if err != nil {
		panic(err)
	}
	return dayone.Petition{
		ID: dayone.ApprovalID(id), Person: p, Key: k, Role: "owner", Once: once, State: dayone.ApprovalOpen, Rule: dayone.Approval{By: []string{"manager"}, Need: "any", Within: time.Hour},
		Because: []dayone.Reason{{Policy: "engineers", At: "house.yaml:3"}}, Run: "run_1", Step: "gitlab/group:platform entitlement.add", Opened: at, Due: at.Add(time.Hour), Next: at,
		Deciders: []dayone.Decider{{Mail: letter, As: "manager", Why: "manager"}},
	}
}

func approvals(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	first := aRequest("apr_1", "o1", p)
	if err := d.AskApprovals(ctx, []dayone.Petition{first, aRequest("apr_2", "o2", p)}, dayone.Record{At: at, Person: p, What: "approval asked"}); err != nil {
		t.Fatal(err)
	}
	if err := d.AskApprovals(ctx, []dayone.Petition{aRequest("apr_3", "o1", p)}); err != nil {
		t.Fatal(err)
	}
	got := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: p, Open: true}))
	if len(got) != 2 || !reflect.DeepEqual(got[0], first) {
		t.Fatalf("%+v\nwant %+v", got, first)
	}
	if n := must[int](t)(d.CountApprovals(ctx, nil)); n != 2 {
		t.Errorf("%d are open", n)
	}
	due := must[[]dayone.Petition](t)(d.DueApprovals(ctx, at, 10))
	if next := must[time.Time](t)(d.NextApproval(ctx)); len(due) != 2 || !next.Equal(at) {
		t.Errorf("due are %d, next at %v", len(due), next)
	}
	if _, err := d.ChangeApproval(ctx, "apr_1", at.Add(time.Minute), func(r *dayone.Petition) error {
		r.State, r.Ended, r.Next = dayone.ApprovalWithdrawn, at, time.Time{}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if row := must[store.Row](t)(d.Person(ctx, p)); row.Wake.IsZero() || row.Wake.After(at.Add(time.Minute)) {
		t.Errorf("she is looked at again at %v", row.Wake)
	}
	if err := d.AskApprovals(ctx, []dayone.Petition{aRequest("apr_3", "o1", p)}); err != nil { // wanted again, asked again
		t.Fatal(err)
	}
	if all := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Limit: 2})); len(all) != 2 || all[0].ID != "apr_3" {
		t.Errorf("%+v", all)
	}
	if over := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Over: true, Limit: 1})); len(over) != 1 || over[0].ID != "apr_1" {
		t.Errorf("newer ones that wait hide what is decided: %+v", over)
	}
	if over := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Over: true, Before: "apr_1"})); len(over) != 0 {
		t.Errorf("decided before the first one: %+v", over)
	}
	sooner := aRequest("apr_4", "o4", p)
	sooner.Due = at
	if err := d.AskApprovals(ctx, []dayone.Petition{sooner}); err != nil {
		t.Fatal(err)
	}
	paged := store.ApprovalFilter{Open: true, Limit: 1}
	for _, want := range []dayone.ApprovalID{"apr_4", "apr_2", "apr_3"} { // by when they are due, then in the order in which they came
		page := must[[]dayone.Petition](t)(d.Approvals(ctx, paged))
		if len(page) != 1 || page[0].ID != want {
			t.Fatalf("after %q come %+v, want %s", paged.AfterID, page, want)
		}
		paged.AfterDue, paged.AfterID = page[0].Due, page[0].ID
	}
	if page := must[[]dayone.Petition](t)(d.Approvals(ctx, paged)); len(page) != 0 {
		t.Errorf("after the last come %+v", page)
	}
	if _, err := d.ChangeApproval(ctx, "apr_4", time.Time{}, func(r *dayone.Petition) error {
		r.State, r.Ended, r.Next = dayone.ApprovalWithdrawn, at, time.Time{}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if live := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: p, Live: true})); len(live) != 2 {
		t.Errorf("%+v", live)
	}
	if _, err := d.Approval(ctx, "apr_9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	if left := must[[]dayone.Petition](t)(d.DueApprovals(ctx, at, 10)); len(left) != 0 {
		t.Errorf("of somebody who was erased: %+v", left)
	}
	if r := must[dayone.Petition](t)(d.Approval(ctx, "apr_3")); len(r.Deciders) > 0 || r.Role != "" {
		t.Errorf("of somebody who was erased: %+v", r)
	}
}

// Two who answer at once are both heard.
func approvalChanges(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	if err := d.AskApprovals(ctx, []dayone.Petition{aRequest("apr_1", "o1", p)}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := d.ChangeApproval(ctx, "apr_1", time.Time{}, func(r *dayone.Petition) error {
				r.Votes = append(r.Votes, dayone.Vote{Of: letter, By: "kim", Yes: true, At: at})
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r := must[dayone.Petition](t)(d.Approval(ctx, "apr_1")); len(r.Votes) != 8 {
		t.Errorf("%d of 8 votes", len(r.Votes))
	}
	no := errors.New("no")
	if _, err := d.ChangeApproval(ctx, "apr_1", time.Time{}, func(r *dayone.Petition) error { r.State = dayone.ApprovalRefused; return no }); !errors.Is(err, no) {
		t.Errorf("%v", err)
	}
	if r := must[dayone.Petition](t)(d.Approval(ctx, "apr_1")); r.State != dayone.ApprovalOpen {
		t.Errorf("what was not to be is %s", r.State)
	}
}

func delegations(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	g := dayone.Delegation{ID: "dlg_1", Person: p, Delegate: "per_2", From: at, Until: at.Add(time.Hour), By: letter, Made: at}
	if err := d.Delegate(ctx, g); err != nil {
		t.Fatal(err)
	}
	if got := must[[]dayone.Delegation](t)(d.Delegations(ctx, p, at)); len(got) != 1 || !reflect.DeepEqual(got[0], g) {
		t.Errorf("%+v", got)
	}
	if got := must[[]dayone.Delegation](t)(d.Delegations(ctx, "per_2", at)); len(got) != 0 {
		t.Errorf("the other way round: %+v", got)
	}
	if err := d.EndDelegation(ctx, "dlg_1", at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := d.EndDelegation(ctx, "dlg_1", at.Add(time.Minute)); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("ended twice: %v", err)
	}
	if got := must[[]dayone.Delegation](t)(d.Delegations(ctx, "", at.Add(time.Minute))); len(got) != 0 {
		t.Errorf("it has ended: %+v", got)
	}
}

func taskChanges(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	task := dayone.Task{ID: "tsk_1", Person: p, Run: "run_1", Once: "tsk_1", Title: "An issue", Note: "the laptop is pink", Opened: at, Proof: true}
	if err := d.OpenTask(ctx, task, dayone.Record{At: at, Person: p, What: "issue reported"}); err != nil {
		t.Fatal(err)
	}
	if due := must[[]dayone.Task](t)(d.TasksToRemind(ctx, at, 10)); len(due) != 1 || !reflect.DeepEqual(due[0], task) {
		t.Fatalf("%+v", due)
	}
	if _, err := d.ChangeTask(ctx, "tsk_1", func(x *dayone.Task) error {
		x.Assignee, x.Remind, x.Reminded = letter, at.Add(time.Hour), at
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if next := must[time.Time](t)(d.NextReminder(ctx)); !next.Equal(at.Add(time.Hour)) {
		t.Errorf("the next reminder is at %v", next)
	}
	if due := must[[]dayone.Task](t)(d.TasksToRemind(ctx, at, 10)); len(due) != 0 {
		t.Errorf("%+v", due)
	}
	again := task // another run of the grant opens it
	again.Title, again.ID = "Still an issue", ""
	if err := d.Commit(ctx, []dayone.Progress{{Run: dayone.Run{ID: "run_2", Person: p}, Opened: []dayone.Task{again}}}); err != nil {
		t.Fatal(err)
	}
	if x := must[dayone.Task](t)(d.Task(ctx, "tsk_1")); x.Assignee != letter || x.Title != "Still an issue" {
		t.Errorf("opened again: %+v", x)
	}
	closed := must[dayone.Task](t)(d.ChangeTask(ctx, "tsk_1", func(x *dayone.Task) error {
		x.Closed, x.By, x.Evidence = at, "kim", "https://example.com/1"
		return nil
	}))
	if x := must[dayone.Task](t)(d.Task(ctx, "tsk_1")); !reflect.DeepEqual(x, closed) || x.Evidence == "" {
		t.Errorf("%+v\nwant %+v", x, closed)
	}
	if _, err := d.ChangeTask(ctx, "tsk_1", func(*dayone.Task) error { return nil }); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a closed task was changed: %v", err)
	}
}
