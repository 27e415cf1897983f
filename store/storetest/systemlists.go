package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// A task of a legal hold ends with it, and no other task does.
func legalTasks(t *testing.T, d *store.DB) {
	ctx, p := t.Context(), Sarah(t, d)
	h := dayone.LegalHold{ID: "lgl_1", Person: p, Reason: "case", By: "counsel@company.com", From: at}
	if err := d.SaveLegalHold(ctx, h, at); err != nil {
		t.Fatal(err)
	}
	mine := dayone.Task{Person: p, Once: store.LegalTask + "lgl_1.notion/account", Title: "close it", Opened: at, Due: at}
	other := dayone.Task{Person: p, Once: store.LegalTask + "lgl_2.notion/account", Title: "close it, too", Opened: at, Due: at}
	for range 2 { // opened twice it is one
		if err := d.SettleTasks(ctx, []dayone.Task{mine, other}); err != nil {
			t.Fatal(err)
		}
	}
	if got := must[[]dayone.Task](t)(d.Tasks(ctx, p, "")); len(got) != 2 {
		t.Fatalf("open are %+v", got)
	}
	h.Ended, h.Why = at.Add(time.Hour), "closed"
	if err := d.SaveLegalHold(ctx, h, at); err != nil {
		t.Fatal(err)
	}
	if got := must[[]dayone.Task](t)(d.Tasks(ctx, p, "")); len(got) != 1 || got[0].Once != other.Once {
		t.Errorf("open are %+v", got)
	}
	if done := must[dayone.Task](t)(d.Task(ctx, mine.Once)); done.Closed.IsZero() || done.Left != "the legal hold was released" {
		t.Errorf("closed: %+v", done)
	}
}

// However often a list that shrank is counted one brake is on; let through, the list is believed.
func systemLists(t *testing.T, d *store.DB) {
	ctx := t.Context()
	s := dayone.SystemList{System: "okta", At: at, Counted: at, Accounts: 1204, Seen: 1204}
	if err := d.SaveSystemList(ctx, s, nil); err != nil {
		t.Fatal(err)
	}
	short := s
	short.At, short.Seen, short.Note = at.Add(time.Hour), 3, "the list of accounts has 3, and had 1204"
	for _, id := range []dayone.BrakeID{"brk_1", "brk_2"} {
		b := dayone.Brake{ID: id, Scope: "system:okta", Rule: dayone.BrakeList, State: dayone.BrakeOn, Note: short.Note, Opened: short.At}
		if err := d.SaveSystemList(ctx, short, &b); err != nil {
			t.Fatal(err)
		}
	}
	got := must[map[string]dayone.SystemList](t)(d.SystemLists(ctx))["okta"]
	if got.Brake != "brk_1" || got.Accounts != 1204 || got.Seen != 3 || got.Note != short.Note || !got.At.Equal(short.At) || !got.Counted.Equal(at) {
		t.Errorf("kept is %+v", got)
	}
	if on := must[[]dayone.Brake](t)(d.Brakes(ctx, true, 10)); len(on) != 1 {
		t.Errorf("on are %+v", on)
	}
	if err := d.Decide(ctx, store.Verdict{Brake: "brk_1", State: dayone.BrakeReleased, By: "kim", Reason: "it is so", At: at.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	got = must[map[string]dayone.SystemList](t)(d.SystemLists(ctx))["okta"]
	if got.Brake != "" || got.Accounts != 3 || got.Note != "" || !got.Counted.Equal(short.At) {
		t.Errorf("let through it is %+v", got)
	}
}

// However many tasks are open: their pages together are all of them, in one order, each once, also where many are due at once.
func taskPages(t *testing.T, d *store.DB) {
	ctx, p := t.Context(), Sarah(t, d)
	for i := range 25 {
		task := dayone.Task{ID: dayone.TaskID(fmt.Sprintf("tsk_%02d", i)), Person: p, Once: fmt.Sprint("once ", i), Title: "x", Opened: at}
		if i%3 > 0 {
			task.Due = at.Add(time.Duration(i%2) * time.Hour)
		}
		if err := d.OpenTask(ctx, task); err != nil {
			t.Fatal(err)
		}
	}
	var got []dayone.Task
	for f := (store.TaskFilter{Person: p, Limit: 4}); ; {
		page := must[[]dayone.Task](t)(d.TasksBy(ctx, f))
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		f.AfterDue, f.AfterID = got[len(got)-1].Due, got[len(got)-1].ID
	}
	if all := must[[]dayone.Task](t)(d.Tasks(ctx, p, "")); len(all) != 25 || !reflect.DeepEqual(got, all) {
		t.Errorf("%d on pages, %d at once", len(got), len(all))
	}
	if n := must[int](t)(d.CountTasks(ctx, store.TaskFilter{Person: p, Limit: 4})); n != 25 {
		t.Errorf("%d are counted", n)
	}
}
