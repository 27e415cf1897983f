package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Drift is known since it was seen first, until a later whole reading does not show it; one that broke off mends nothing.
func drift(t *testing.T, d *store.DB) {
	ctx, p := t.Context(), Sarah(t, d)
	group := dayone.Key{System: "okta", Kind: "group", Name: "Büro"}
	x := dayone.Drift{ID: "drf_1", Person: p, Key: group, Kind: dayone.DriftExtra, Is: dayone.Item{State: dayone.Active, Ref: "00g1", Role: "owner"}, By: []string{"sales"}}
	list := func() []store.DriftRow { return must[[]store.DriftRow](t)(d.Drift(ctx, store.DriftFilter{Limit: 9})) }
	if err := d.SaveDrift(ctx, "okta", at, []dayone.Drift{x}, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.EndDrift(ctx, dayone.DriftReading{System: "okta", Began: at, At: at.Add(time.Minute), Accounts: 3, Nobodys: 1}); err != nil {
		t.Fatal(err)
	}
	again := x
	again.ID = "drf_2"
	if err := d.SaveDrift(ctx, "okta", at.Add(time.Hour), []dayone.Drift{again}, nil); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 1 || got[0].ID != "drf_1" || !got[0].Since.Equal(at) || !got[0].Seen.Equal(at.Add(time.Hour)) || got[0].Is.Role != "owner" || got[0].Is.Ref != "00g1" || got[0].Key != group || got[0].By[0] != "sales" || got[0].Name == "" {
		t.Errorf("kept is %+v", got)
	}
	of := must[map[dayone.PersonID][]dayone.Drift](t)(d.DriftOf(ctx, []dayone.PersonID{p, "per_nobody"}))
	if len(of) != 1 || len(of[p]) != 1 || of[p][0].ID != "drf_1" || of[p][0].Key != group || of[p][0].Kind != dayone.DriftExtra {
		t.Errorf("of several people there is %+v", of)
	}
	if err := d.KeepDrift(ctx, list()[0].Drift, dayone.DriftContested); err != nil {
		t.Fatal(err)
	}
	if got := list(); got[0].Stays != dayone.DriftContested || got[0].Is.Role != "owner" || got[0].By[0] != "sales" {
		t.Errorf("noted is %+v", got[0])
	}
	if err := d.FailDrift(ctx, "okta", at.Add(2*time.Hour), "it does not answer"); err != nil {
		t.Fatal(err)
	}
	r := must[map[string]dayone.DriftReading](t)(d.DriftReadings(ctx))["okta"]
	if len(list()) != 1 || r.Accounts != 3 || r.Nobodys != 1 || !r.At.Equal(at.Add(time.Minute)) || !r.Failed.Equal(at.Add(2*time.Hour)) || r.Note == "" {
		t.Errorf("after a failure: %+v", r)
	}
	for _, s := range []struct {
		name  string
		scope dayone.Scope
		want  int
	}{
		{"everywhere", nil, 1}, {"okta", dayone.Scope{{Systems: []string{"okta"}}}, 1}, {"slack", dayone.Scope{{Systems: []string{"slack"}}}, 0}, {"nowhere", dayone.Scope{{Countries: []string{"xx"}}}, 0},
	} {
		if n := must[map[string]int](t)(d.CountDrift(ctx, []string{"okta", "slack"}, s.scope, 5)); n["okta"] != s.want || len(n) != s.want {
			t.Errorf("%s: counted %v", s.name, n)
		}
	}
	later := at.Add(3 * time.Hour)
	if err := d.SaveDrift(ctx, "okta", later, nil, []dayone.PersonID{p}); err != nil { // not known now: it stays
		t.Fatal(err)
	}
	if err := d.EndDrift(ctx, dayone.DriftReading{System: "okta", Began: later, At: later}); err != nil {
		t.Fatal(err)
	}
	if len(list()) != 1 {
		t.Error("what is not known is taken for mended")
	}
	h := dayone.Holding{Item: dayone.Item{Key: group, State: dayone.Active}, Because: []dayone.Reason{{Policy: dayone.Baseline}}}
	hold := dayone.Hold{ID: "hld_drift", Person: p, Keys: []dayone.Key{group}, From: later, Until: later.Add(time.Hour), By: "kim", Reason: "x"}
	decide := store.DriftDecision{ID: "drf_1", Person: p, Books: h, Hold: &hold, At: later, Records: []dayone.Record{{At: later, Person: p, What: "drift accepted"}}}
	if err := d.DecideDrift(ctx, decide); err != nil {
		t.Fatal(err)
	}
	if err := d.DecideDrift(ctx, decide); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("decided twice: %v", err)
	}
	for since, want := range map[time.Time]int{at: 1, later.Add(time.Second): 0} {
		if n := must[int](t)(d.Acted(ctx, p, []string{"drift accepted", "drift put right"}, since)); n != want {
			t.Errorf("since %s it was done %d times, not %d", since, n, want)
		}
	}
	if err := d.LetPass(ctx, []store.Pass{{Person: p, Key: group}}, later.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time]bool{later: true, later.Add(2 * time.Hour): false} {
		if is := must[bool](t)(d.LetGo(ctx, p, group, now)); is != want {
			t.Errorf("at %s it may go: %t", now, is)
		}
	}
	held := must[store.HeldThere](t)(d.HeldThere(ctx, "okta", []dayone.PersonID{p}))
	if len(list()) != 0 || len(held.Of[p]) != 1 || held.Of[p][0].Key != group || len(must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: p}))) != 1 {
		t.Errorf("the books have %+v", held)
	}
	if err := d.SaveDrift(ctx, "okta", later, []dayone.Drift{x}, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.EndDrift(ctx, dayone.DriftReading{System: "okta", Began: later.Add(time.Hour), At: later.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 0 {
		t.Errorf("mended, and still %+v", got)
	}
	if err := d.SaveDrift(ctx, "okta", later, []dayone.Drift{x}, nil); err != nil {
		t.Fatal(err)
	}
	for i, s := range []struct {
		state dayone.State
		left  int
	}{{dayone.Pending, 1}, {dayone.Disabled, 0}} { // what is on an account goes with it once it is closed, not while it is only invited
		r := aRun(dayone.RunID(fmt.Sprintf("run_drift_%d", i)), p)
		r.Steps, r.Plan.Steps, r.State, r.Ended = nil, nil, dayone.RunDone, later
		seen := dayone.Holding{Item: dayone.Item{Key: group.Account(), State: s.state}, Since: later.Add(time.Hour)}
		if err := d.Commit(ctx, []dayone.Progress{{Run: r, New: true, Holdings: []dayone.Holding{seen}}}); err != nil {
			t.Fatal(err)
		}
		if n := len(list()); n != s.left {
			t.Errorf("its account is %s, and %d differ, not %d", s.state, n, s.left)
		}
	}
	if err := d.SaveDrift(ctx, "okta", later, []dayone.Drift{x}, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.ForgetReadings(ctx, "slack"); err != nil || len(list()) != 1 {
		t.Errorf("another system was forgotten: %d differ, %v", len(list()), err)
	}
	if err := d.ForgetReadings(ctx, "okta"); err != nil {
		t.Fatal(err)
	}
	if r, is := must[map[string]dayone.DriftReading](t)(d.DriftReadings(ctx))["okta"]; is || len(list()) != 0 {
		t.Errorf("forgotten, and still %+v and %d that differ", r, len(list()))
	}
}

// A run is counted once, and a baseline is made of the one before.
func work(t *testing.T, d *store.DB) {
	ctx, p := t.Context(), Sarah(t, d)
	run := dayone.Run{ID: "run_work", Person: p, Title: "x", State: dayone.RunDone, Started: at, Ended: at.Add(time.Minute)}
	if err := d.Commit(ctx, []dayone.Progress{{Run: run, New: true, Moved: true}}); err != nil {
		t.Fatal(err)
	}
	uncounted := func() []store.UncountedRun { return must[[]store.UncountedRun](t)(d.Uncounted(ctx, "", 9)) }
	if list := uncounted(); len(list) != 1 || list[0].Run != run.ID || !list[0].Ended.Equal(run.Ended) || !list[0].Before.IsZero() {
		t.Fatalf("uncounted are %v", list)
	}
	c := store.CountedRun{Run: run.ID, Ended: run.Ended, Month: "2024-11", Steps: map[dayone.Action]int{dayone.AccountCreate: 3, dayone.EntitlementAdd: 2}, Person: p, Starts: at, Ready: at.Add(time.Hour)}
	for range 2 {
		if err := d.CountRun(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	n := must[map[dayone.Action]int](t)(d.Work(ctx, "2024-11"))
	if len(uncounted()) != 0 || n[dayone.AccountCreate] != 3 || n[dayone.EntitlementAdd] != 2 || len(must[map[dayone.Action]int](t)(d.Work(ctx, "2024-12"))) != 0 {
		t.Errorf("counted %v", n)
	}
	if list := must[[]time.Duration](t)(d.ReadyAfter(ctx, at.Add(-time.Hour), at, nil)); len(list) > 1 {
		t.Errorf("ready %v", list)
	}
	row := must[store.Row](t)(d.Person(ctx, p))
	row.Country = "DE"
	if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	all := len(must[[]time.Duration](t)(d.ReadyAfter(ctx, at.Add(-time.Hour), at, nil)))
	for country, n := range map[string]int{"DE": all, "US": 0} {
		if list := must[[]time.Duration](t)(d.ReadyAfter(ctx, at.Add(-time.Hour), at, dayone.Scope{{Countries: []string{country}}})); len(list) != n {
			t.Errorf("ready in %s %v", country, list)
		}
	}
	for _, ended := range []time.Time{{}, at.Add(time.Hour)} { // somebody tries it again, and it ends again
		again := run
		again.State, again.Ended = dayone.RunRunning, ended
		if !ended.IsZero() {
			again.State = dayone.RunDone
		}
		if err := d.Commit(ctx, []dayone.Progress{{Run: again, Moved: true}}); err != nil {
			t.Fatal(err)
		}
		if list := uncounted(); ended.IsZero() && len(list) != 0 || !ended.IsZero() && (len(list) != 1 || !list[0].Ended.Equal(ended) || !list[0].Before.Equal(run.Ended)) {
			t.Fatalf("ended at %v again, uncounted are %v", ended, list)
		}
	}
	if err := d.CountRun(ctx, c); err != nil { // of the end before
		t.Fatal(err)
	}
	c.Ended, c.Steps = at.Add(time.Hour), map[dayone.Action]int{dayone.AccountCreate: 1}
	for range 2 {
		if err := d.CountRun(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if n := must[map[dayone.Action]int](t)(d.Work(ctx, "2024-11")); len(uncounted()) != 0 || n[dayone.AccountCreate] != 4 {
		t.Errorf("counted with its second end %v", n)
	}
	if f := must[[]store.FailedStep](t)(d.Failed(ctx, "okta", dayone.Scope{{Systems: []string{"okta"}, Countries: []string{"de"}}}, 5)); len(f) != 0 {
		t.Errorf("failed %v", f)
	}
	b := dayone.Effort{Seq: 1, Minutes: map[dayone.Action]float64{dayone.AccountCreate: 12.5}, At: at, By: "kim", Note: "measured"}
	if err := d.AddBaseline(ctx, b, dayone.Record{At: at, What: "baseline"}); err != nil {
		t.Fatal(err)
	}
	if err := d.AddBaseline(ctx, b, dayone.Record{At: at, What: "baseline"}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("written over: %v", err)
	}
	if got := must[dayone.Effort](t)(d.Baseline(ctx)); got.Seq != 1 || got.Minutes[dayone.AccountCreate] != 12.5 || got.By != "kim" || !got.At.Equal(at) {
		t.Errorf("kept is %+v", got)
	}
}

// failedWithin: what failed for others takes no place of what failed for somebody's own people.
func failedWithin(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, name := range []string{"ada", "luc"} {
		row := store.Row{ID: dayone.PersonID("per_" + name), Name: name, Country: []string{"DE", "FR"}[i], Status: dayone.Working}
		if err := d.Save(ctx, store.Saved{Person: row.ID, New: true, Row: &row}); err != nil {
			t.Fatal(err)
		}
		r := dayone.Run{ID: dayone.RunID("run_" + name), Person: row.ID, State: dayone.RunIncomplete, Started: at}
		r.Plan = dayone.Plan{Person: row.ID, At: at}
		var failed []dayone.StepChange
		for n := range []int{3, 600}[i] { // all of his failed after hers
			key := dayone.Key{System: "okta", Kind: "group", Name: fmt.Sprint(n)}
			step := dayone.Step{ID: dayone.StepID(key.String()), Action: dayone.EntitlementAdd, Key: key}
			r.Plan.Steps = append(r.Plan.Steps, step)
			failed = append(failed, dayone.StepChange{Seq: n, StepRun: dayone.StepRun{Step: step, State: dayone.StepFailed, Since: at.Add(time.Duration(i*1000+n) * time.Second)}})
		}
		for _, p := range []dayone.Progress{{Run: r, New: true}, {Run: r, Steps: failed}} {
			if err := d.Commit(ctx, []dayone.Progress{p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		system string
		scope  dayone.Scope
		limit  int
		want   dayone.RunID
		n      int
	}{
		{"", nil, 10, "run_luc", 10},
		{"", dayone.Scope{{Countries: []string{"DE"}}}, 10, "run_ada", 3},
		{"okta", dayone.Scope{{Countries: []string{"DE"}}}, 2, "run_ada", 2},
		{"okta", dayone.Scope{{Countries: []string{"DE"}, Systems: []string{"okta"}}}, 10, "run_ada", 3},
		{"gitlab", dayone.Scope{{Countries: []string{"DE"}}}, 10, "", 0},
		{"", dayone.Scope{{Countries: []string{"DE"}, Systems: []string{"gitlab"}}}, 10, "", 0},
		{"", dayone.Scope{{Systems: []string{"okta"}}}, 10, "run_luc", 10},
		{"", dayone.Scope{{Countries: []string{"XX"}}}, 10, "", 0},
	} {
		list := must[[]store.FailedStep](t)(d.Failed(ctx, c.system, c.scope, c.limit))
		if len(list) != c.n || slices.ContainsFunc(list, func(f store.FailedStep) bool { return f.Run != c.want }) {
			t.Errorf("at %q in %q are %+v, want %d of %s", c.system, c.scope, list, c.n, c.want)
		}
	}
}
