package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// The requests of a step come back with the last attempts alone; they are forgotten in their time unless a legal hold stands, and
// with their person.
func callLogs(t *testing.T, d *store.DB) {
	ctx, p := t.Context(), Sarah(t, d)
	run := dayone.Run{ID: "run_calls", Person: p, State: dayone.RunDone, Started: at, Ended: at}
	log := func(seq, attempt int, when time.Time) dayone.CallLog {
		return dayone.CallLog{Seq: seq, Attempt: attempt, System: "okta", At: when, Kind: "unavailable", Left: 3, Calls: []dayone.Call{
			{At: when, Method: "POST", Host: "okta.example", Path: "/api/v1/users/{}", Query: []string{"activate"}, Keys: []string{"profile.email"}, More: 2, Bytes: 17, Status: 503, Took: 8 * time.Millisecond, ID: "abc", Again: "no answer"},
		}}
	}
	commit := func(fresh bool, logs ...dayone.CallLog) {
		t.Helper()
		if err := d.Commit(ctx, []dayone.Progress{{Run: run, New: fresh, Calls: logs}}); err != nil {
			t.Fatal(err)
		}
	}
	first := log(0, 1, at)
	commit(true, first, log(1, 1, at))
	got := must[[]dayone.CallLog](t)(d.Calls(ctx, run.ID, 0))
	if len(got) != 1 || !reflect.DeepEqual(got[0], first) {
		t.Fatalf("kept is %+v, not %+v", got, first)
	}
	for n := 2; n <= dayone.AttemptsKept+5; n++ {
		commit(false, log(0, n, at.Add(time.Duration(n)*time.Hour)))
	}
	got = must[[]dayone.CallLog](t)(d.Calls(ctx, run.ID, 0))
	if len(got) != dayone.AttemptsKept || got[0].Attempt != dayone.AttemptsKept+5 || got[len(got)-1].Attempt != 6 {
		t.Errorf("%d attempts are kept: %+v", len(got), got)
	}
	if other := must[[]dayone.CallLog](t)(d.Calls(ctx, run.ID, 1)); len(other) != 1 {
		t.Errorf("those of another step: %+v", other)
	}

	hold := dayone.LegalHold{ID: "lgl_calls", Person: p, Reason: "case", By: "counsel@company.com", From: at}
	if err := d.SaveLegalHold(ctx, hold, at); err != nil {
		t.Fatal(err)
	}
	if n := must[int](t)(d.ForgetCalls(ctx, at.Add(8*time.Hour))); n != 0 {
		t.Errorf("%d are forgotten while a legal hold stands", n)
	}
	hold.Ended, hold.Why = at, "closed"
	if err := d.SaveLegalHold(ctx, hold, at); err != nil {
		t.Fatal(err)
	}
	if n := must[int](t)(d.ForgetCalls(ctx, at.Add(8*time.Hour))); n != 3 { // 6 and 7, and the other step's
		t.Errorf("%d are forgotten", n)
	}
	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	if got = must[[]dayone.CallLog](t)(d.Calls(ctx, run.ID, 0)); len(got) != 0 {
		t.Errorf("after she was erased: %+v", got)
	}
}
