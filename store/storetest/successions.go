package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// A succession is asked for once for each end, is due until it is done, and goes with its person's key.
func successions(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	none := func(what string) {
		t.Helper()
		if next := must[time.Time](t)(d.NextSuccession(ctx)); !next.IsZero() {
			t.Errorf("%s: one is due at %v", what, next)
		}
	}
	none("at first")
	for range 2 {
		if err := d.SucceedAt(ctx, p, at, at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if since := must[time.Time](t)(d.SucceedsSince(ctx, p)); !since.Equal(at) {
		t.Errorf("it is about %v", since)
	}
	if _, err := d.Succession(ctx, p); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("before anybody looked: %v", err)
	}
	if due := must[[]dayone.Succession](t)(d.DueSuccessions(ctx, at, 9)); len(due) != 0 {
		t.Errorf("due too early: %+v", due)
	}
	s := dayone.Succession{Person: p, Left: at, Made: at, To: "mia@company.com", Why: "manager", Items: []dayone.Handed{{Kind: dayone.HandedTask, Ref: "tsk_1", Name: "Łucja"}}}
	if err := d.SaveSuccession(ctx, s, nil); err != nil {
		t.Fatal(err)
	}
	if due := must[[]dayone.Succession](t)(d.DueSuccessions(ctx, at.Add(time.Hour), 9)); len(due) != 1 || cmp.Diff(s, due[0]) != "" {
		t.Errorf("due: %+v", due)
	}
	s.Done, s.Items[0].To = at.Add(time.Hour), "mia@company.com"
	todo := dayone.Task{Person: p, Once: "succession.1", Title: "Hand over", Opened: at, Due: at}
	if err := d.SaveSuccession(ctx, s, &todo, dayone.Record{At: at, Person: p, What: "handed over"}); err != nil {
		t.Fatal(err)
	}
	got := must[dayone.Succession](t)(d.Succession(ctx, p))
	if task := must[dayone.Task](t)(d.Task(ctx, "succession.1")); got.Task != task.ID || got.Task == "" {
		t.Errorf("it names the task %q, not %q", got.Task, task.ID)
	}
	got.Task = ""
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	none("once it is done")
	if err := d.SaveSuccession(ctx, s, nil); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("done twice: %v", err)
	}
	if err := d.SucceedAt(ctx, p, at, at); err != nil {
		t.Fatal(err)
	}
	none("asked for again of the same end")
	if err := d.SucceedAt(ctx, p, at.Add(time.Minute), at); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveSuccession(ctx, s, nil); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("of an end that has moved: %v", err)
	}
	if due := must[[]dayone.Succession](t)(d.DueSuccessions(ctx, at, 9)); len(due) != 1 || !due[0].Made.IsZero() {
		t.Errorf("of another end: %+v", due)
	}
	if err := d.DropSuccession(ctx, p); err != nil {
		t.Fatal(err)
	}
	none("dropped")
	if err := d.SucceedAt(ctx, p, at, at); err != nil {
		t.Fatal(err)
	}
	if err := d.Erase(ctx, p, at, dayone.Record{At: at, Person: p, What: "erased"}); err != nil {
		t.Fatal(err)
	}
	none("erased")
}
