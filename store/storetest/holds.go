package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// A hold is written with the run that it is about, comes back as it was, and is extended and ended in place.
func holds(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	r := aRun("run_1", p)
	r.Of = "run_1"
	key := r.Steps[0].Step.Key
	h := dayone.Hold{ID: "hld_1", Person: p, Run: r.ID, Keys: []dayone.Key{key}, Keep: true, Reason: "a mistake", By: "kim@company.com", From: at, Until: at.AddDate(0, 0, 7)}
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true, Holds: []dayone.Hold{h}}}); err != nil {
		t.Fatal(err)
	}
	if got := must[dayone.Hold](t)(d.Hold(ctx, "hld_1")); cmp.Diff(h, got) != "" {
		t.Errorf("it comes back changed:\n%s", cmp.Diff(h, got))
	}
	if _, err := d.Hold(ctx, "hld_9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no hold says %v", err)
	}
	if got := must[dayone.Run](t)(d.Run(ctx, r.ID)); got.Of != r.ID {
		t.Errorf("what the run takes back is forgotten: %q", got.Of)
	}
	if rs := must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Of: r.ID})); len(rs) != 1 {
		t.Errorf("runs that take it back: %v", rs)
	}
	if rs := must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Of: "run_9"})); len(rs) != 0 {
		t.Errorf("runs that take nothing back: %v", rs)
	}

	h.Until = at.AddDate(0, 1, 0)
	task := dayone.Task{Person: p, Run: r.ID, Once: "hold hld_1", Title: "Decide about a hold", Ask: []string{"decision"}, Opened: at, Due: at}
	if err := d.SaveHold(ctx, store.HoldChange{Hold: h, Opened: &task, Records: []dayone.Record{{At: at, Person: p, What: "hold is due"}}}); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveHold(ctx, store.HoldChange{Hold: h, Opened: &task}); err != nil { // asked twice is asked once
		t.Fatal(err)
	}
	if ts := must[[]dayone.Task](t)(d.Tasks(ctx, p, "")); len(ts) != 1 || ts[0].Once != task.Once || ts[0].Title != task.Title {
		t.Errorf("tasks: %+v", ts)
	}
	if got := must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: p})); len(got) != 1 || !got[0].Until.Equal(h.Until) {
		t.Errorf("holds: %+v", got)
	}
	h.Ended, h.EndedBy = at.Add(time.Hour), "ada@company.com"
	if err := d.SaveHold(ctx, store.HoldChange{Hold: h, Wake: at.Add(time.Hour), Closed: &dayone.Task{Once: task.Once, Closed: at.Add(time.Hour), By: "ada@company.com"}}); err != nil {
		t.Fatal(err)
	}
	if got := must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: p})); len(got) != 0 {
		t.Errorf("an ended hold stands: %+v", got)
	}
	if got := must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Ended: true, Limit: 5})); len(got) != 1 || cmp.Diff(h, got[0]) != "" {
		t.Errorf("the ended hold is %s", cmp.Diff([]dayone.Hold{h}, got))
	}
	if ts := must[[]dayone.Task](t)(d.Tasks(ctx, p, "")); len(ts) != 0 {
		t.Errorf("its task is open: %+v", ts)
	}
	if row := must[store.Row](t)(d.Person(ctx, p)); !row.Wake.Equal(at.Add(time.Hour)) {
		t.Errorf("nobody looks at her again: %v", row.Wake)
	}
}
