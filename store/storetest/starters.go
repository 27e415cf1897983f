package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What a list of starters asks of several people at once is what each has, whoever was merged into her included; of more runs
// than are asked for the newest are told.
func startersTogether(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a, rowA := known(t, d, "a", "okta")
	b, _ := known(t, d, "b")
	c, _ := known(t, d, "c")
	for i, of := range []dayone.PersonID{b, a, c, b, a} {
		r := aRun(dayone.RunID(fmt.Sprintf("run_%d", i+1)), of)
		r.Steps, r.Plan.Steps, r.State, r.Ended = nil, nil, dayone.RunDone, at
		if err := d.Commit(ctx, []dayone.Progress{{Run: r, New: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Merge(ctx, store.Merger{Merge: dayone.Merge{ID: "mrg_1", Person: a, Other: b, Made: at.Add(time.Hour), By: "kim", Reason: "one person"}, Row: rowA, Once: onceOf}); err != nil {
		t.Fatal(err)
	}
	ids := []dayone.PersonID{a, c, "per_9"}
	for _, most := range []int{20, 2} {
		runs := must[map[dayone.PersonID][]dayone.Run](t)(d.LastRuns(ctx, ids, most, nil))
		for _, id := range ids {
			if diff := cmp.Diff(must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Person: id, Limit: most})), runs[id], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the last %d runs of %s read with others:\n%s", most, id, diff)
			}
		}
		if n := len(runs[a]); n != min(most, 4) {
			t.Errorf("she and who was merged into her have %d runs", n)
		}
	}
	requests := must[map[dayone.PersonID][]dayone.Request](t)(d.StandingRequests(ctx, ids))
	holds := must[map[dayone.PersonID][]dayone.Hold](t)(d.StandingHolds(ctx, ids))
	for _, id := range ids {
		if diff := cmp.Diff(must[[]dayone.Request](t)(d.Requests(ctx, id, true)), requests[id], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("requests of %s read with others:\n%s", id, diff)
		}
		if diff := cmp.Diff(must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: id})), holds[id], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("holds of %s read with others:\n%s", id, diff)
		}
	}
	if len(requests[c]) != 1 || len(holds[c]) != 1 {
		t.Errorf("%d requests and %d holds of somebody who has one of each", len(requests[c]), len(holds[c]))
	}
	if elsewhere := must[map[dayone.PersonID][]dayone.Run](t)(d.LastRuns(ctx, ids, 20, dayone.Scope{{Countries: []string{"NO"}}})); len(elsewhere) > 0 {
		t.Errorf("out of scope: %v", elsewhere)
	}
}
