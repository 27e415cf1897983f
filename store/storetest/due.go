package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Read together people are as read one by one, and rows are written only where nobody made their people due meanwhile.
func dueTogether(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	r := aRun("run_1", p)
	key := r.Steps[0].Step.Key
	hold := dayone.Hold{ID: "hld_1", Person: p, Keys: []dayone.Key{key}, Reason: "a mistake", By: "kim@company.com", From: at, Until: at.AddDate(0, 0, 7)}
	have := dayone.Holding{Item: dayone.Item{Key: key, Ref: "r1", State: dayone.Active, Attrs: dayone.Attrs{"login": dayone.Text("sarah")}}, Since: at}
	task := dayone.Task{ID: "tsk_1", Person: p, Once: "something", Title: "Do something", Opened: at, Due: at}
	ask := dayone.Petition{ID: "apr_1", Person: p, Key: key, Once: "once", State: dayone.ApprovalOpen, Noted: dayone.ApprovalOpen, Opened: at, Due: at.AddDate(0, 0, 3)}
	wish := dayone.Request{ID: "req_1", Person: p, Key: key, By: "sarah@company.com", Reason: "work", Made: at}
	for _, err := range []error{
		d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Holdings: []dayone.Holding{have}, Holds: []dayone.Hold{hold}}}),
		d.OpenTask(ctx, task), d.AskApprovals(ctx, []dayone.Petition{ask}), d.AddRequest(ctx, wish), d.SetWake(ctx, p, at),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	read := must[[]store.Due](t)(d.DueTogether(ctx, []dayone.PersonID{p, "per_9"}))
	got := read[0]
	if !errors.Is(read[1].Err, dayone.ErrNotFound) || got.Err != nil {
		t.Fatalf("nobody reads as %v, somebody as %v", read[1].Err, got.Err)
	}
	want := store.Due{
		Timeline: must[dayone.Timeline](t)(d.Timeline(ctx, p)), Row: must[store.Row](t)(d.Person(ctx, p)), Have: must[[]dayone.Holding](t)(d.Holdings(ctx, p, true)),
		Holds: must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: p})), Requests: must[[]dayone.Request](t)(d.Requests(ctx, p, true)),
		Approvals: must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: p, Live: true})), Tasks: []string{"something"}, Active: true,
		Last: dayone.Run{ID: r.ID, State: head(r).State},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read with others she is another one:\n%s", diff)
	}

	rests := func(wake time.Time, same bool) store.DueRow {
		row := want.Row
		row.Wake = wake
		return store.DueRow{Row: row, Since: at, Same: same}
	}
	wakes := func(when string, want time.Time) {
		t.Helper()
		if row := must[store.Row](t)(d.Person(ctx, p)); !row.Wake.Equal(want) {
			t.Errorf("%s: she is looked at %v, not %v", when, row.Wake, want)
		}
	}
	stage := must[int64](t)(d.LastStage(ctx))
	if first := must[time.Time](t)(d.WakeAt(ctx, at.Add(-time.Second), 1)); !first.Equal(at) {
		t.Errorf("the first is due at %v, not %v", first, at)
	}
	if none := must[time.Time](t)(d.WakeAt(ctx, at.Add(-time.Second), 1000)); !none.IsZero() {
		t.Errorf("the thousandth is due at %v", none)
	}
	for after, n := range map[time.Duration]int{-time.Second: 1, 0: 0} {
		if got := must[[]store.Wake](t)(d.DueBy(ctx, at.Add(after), at, 9)); len(got) != n || n > 0 && (got[0].Person != p || !got[0].At.Equal(at)) {
			t.Errorf("due in the second from %v on: %v", after, got)
		}
	}
	moved := func(since, to time.Time) []store.Wake { return []store.Wake{{Person: p, At: to, Since: since}} }
	if err := d.SaveWakes(ctx, stage+1, moved(at, at.Add(time.Hour))); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("by other policies: %v", err)
	}
	for _, m := range [][]store.Wake{moved(at.Add(time.Second), at.Add(time.Hour)), moved(at, at.Add(2*time.Hour)), moved(at.Add(2*time.Hour), at)} {
		if err := d.SaveWakes(ctx, stage, m); err != nil {
			t.Fatal(err)
		}
		if row := must[store.Row](t)(d.Person(ctx, p)); row.Wake.Equal(at.Add(time.Hour)) {
			t.Errorf("she was made due, and is looked at %v", row.Wake)
		}
	}
	if err := d.SaveDue(ctx, stage+1, []store.DueRow{rests(at.Add(time.Hour), true)}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("by other policies: %v", err)
	}
	wakes("other policies", at)
	for _, same := range []bool{true, false} {
		if err := d.SetWake(ctx, p, at.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := d.SaveDue(ctx, stage, []store.DueRow{rests(at.Add(time.Hour), same)}); err != nil {
			t.Fatal(err)
		}
		wakes("made due meanwhile", at.Add(time.Second))
		if err := d.SetWake(ctx, p, at); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ChangeApproval(ctx, ask.ID, time.Time{}, func(a *dayone.Petition) error { a.State = dayone.ApprovalGiven; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := d.SaveDue(ctx, stage, []store.DueRow{rests(at.Add(time.Hour), same)}); err != nil {
			t.Fatal(err)
		}
		wakes("somebody answered", at)
		if _, err := d.ChangeApproval(ctx, ask.ID, time.Time{}, func(a *dayone.Petition) error { a.Noted = a.State; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := d.SaveDue(ctx, stage, []store.DueRow{rests(at.Add(time.Hour), same)}); err != nil {
			t.Fatal(err)
		}
		wakes("nobody did anything", at.Add(time.Hour))
		if _, err := d.ChangeApproval(ctx, ask.ID, time.Time{}, func(a *dayone.Petition) error {
			a.State, a.Noted = dayone.ApprovalOpen, dayone.ApprovalOpen
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
