package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Runs, their steps and tasks, and to whom accounts are bound.

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

// newestOfStates lists runs of several states, newest first, page by page, and which were over when one of them began.
func newestOfStates(t *testing.T, d *store.DB) {
	ctx := t.Context()
	states := []dayone.RunState{dayone.RunDone, dayone.RunIncomplete, dayone.RunRunning, dayone.RunDone, dayone.RunDone, dayone.RunIncomplete, dayone.RunWaiting}
	for i, state := range states {
		r := aRun(dayone.RunID(fmt.Sprintf("run_%d", i)), dayone.PersonID(fmt.Sprintf("per_%d", i)))
		r.State, r.Started = state, at.Add(time.Duration(i)*time.Minute)
		if state == dayone.RunDone || state == dayone.RunIncomplete {
			r.Ended = r.Started.Add(90 * time.Second)
		}
		if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true}}); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(want string, f store.RunFilter) {
		t.Helper()
		var ids []string
		for _, r := range must[[]dayone.Run](t)(d.Runs(ctx, f)) {
			ids = append(ids, strings.TrimPrefix(string(r.ID), "run_"))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%+v shows %q, not %q", f, got, want)
		}
		if n := must[int](t)(d.CountRuns(ctx, f)); n != len(ids) {
			t.Errorf("%+v counts %d of %d", f, n, len(ids))
		}
	}
	over := []dayone.RunState{dayone.RunDone, dayone.RunIncomplete}
	shows("5 4 3 1 0", store.RunFilter{States: over})
	shows("5 4", store.RunFilter{States: over, Limit: 2})
	shows("3 1", store.RunFilter{States: over, Limit: 2, Before: "run_4"})
	shows("6 2", store.RunFilter{States: []dayone.RunState{dayone.RunRunning, dayone.RunWaiting, dayone.RunHeld}})
	shows("4", store.RunFilter{States: over, Person: "per_4"})
	past := must[[]dayone.RunID](t)(d.OverBefore(ctx, dayone.Run{}, 3))
	if want := []dayone.RunID{"run_5", "run_4", "run_3"}; !slices.Equal(past, want) {
		t.Errorf("over are %v, not %v", past, want)
	}
	past = must[[]dayone.RunID](t)(d.OverBefore(ctx, dayone.Run{ID: "run_5", Started: at.Add(5 * time.Minute)}, 3))
	if want := []dayone.RunID{"run_3", "run_1"}; !slices.Equal(past, want) { // run_4 went on
		t.Errorf("over when the sixth began were %v, not %v", past, want)
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
	if due := must[time.Time](t)(d.NextReminder(ctx)); !due.Equal(at) { // nobody has looked at it yet: whoever gets it is to be found now
		t.Errorf("a new task is looked at at %v", due)
	}
	if there, other := must[[]dayone.Task](t)(d.TasksAt(ctx, "procurement")), must[[]dayone.Task](t)(d.TasksAt(ctx, "okta")); len(there) != 1 || there[0].ID != open[0].ID || len(other) != 0 {
		t.Errorf("at the reseller are %+v, at Okta %+v", there, other)
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

// undosOf are the undos of whatever the people of some runs had, without those that were turned back themselves and those of others.
func undosOf(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for _, r := range []struct {
		id, of dayone.RunID
		person dayone.PersonID
	}{{"run_1", "", "per_a"}, {"run_2", "", "per_a"}, {"run_3", "run_1", "per_a"}, {"run_4", "run_4", "per_a"}, {"run_5", "", "per_b"}, {"run_6", "run_5", "per_b"}, {"run_7", "run_1", "per_a"}, {"run_8", "", "per_c"}} {
		one := aRun(r.id, r.person)
		one.Of, one.State, one.Ended = r.of, dayone.RunDone, at.Add(time.Minute)
		if err := d.Commit(ctx, []dayone.Progress{{Run: head(one), New: true}}); err != nil {
			t.Fatal(err)
		}
	}
	for of, want := range map[dayone.RunID][]dayone.RunID{"run_1": {"run_7", "run_3"}, "run_2": {"run_7", "run_3"}, "run_3": {"run_7", "run_3"}, "run_5": {"run_6"}, "run_8": nil, "run_none": nil} {
		got := must[[]dayone.Run](t)(d.UndosOf(ctx, []dayone.RunID{of}))
		var ids []dayone.RunID
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if !slices.Equal(ids, want) {
			t.Errorf("undos that may have taken of %s: %v, not %v", of, ids, want)
		}
	}
	got := must[[]dayone.Run](t)(d.UndosOf(ctx, []dayone.RunID{"run_8", "run_5", "run_2"}))
	if len(got) != 3 || got[0].ID != "run_7" || got[0].Of != "run_1" || got[0].Person != "per_a" || got[1].ID != "run_6" || got[2].ID != "run_3" {
		t.Errorf("of several together: %+v", got)
	}
	if got := must[[]dayone.Run](t)(d.UndosOf(ctx, nil)); len(got) > 0 {
		t.Errorf("of none: %+v", got)
	}
}
