package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// standing: what humans ordered about systems, and which are down, is there after a restart; the ledger has each order once.
func standing(t *testing.T, d *store.DB) {
	ctx := t.Context()
	give := func(id string, kind dayone.OrderKind, system string, from, until time.Time) dayone.Order {
		o := dayone.Order{ID: dayone.OrderID(id), Kind: kind, System: system, From: from, Until: until, Reason: "why " + id, By: "kim", Made: at.Add(time.Duration(len(id)) * time.Minute)}
		if err := d.SaveOrder(ctx, o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	ids := func(now time.Time) []string {
		st, err := d.Standing(ctx, now)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, o := range st.Orders {
			out = append(out, string(o.ID))
		}
		slices.Sort(out)
		return out
	}
	stop := give("ord_a", dayone.OrderStop, "", at, time.Time{})
	give("ord_b", dayone.OrderStop, "okta", at, time.Time{})
	give("ord_c", dayone.OrderMaintenance, "okta", at.Add(time.Hour), at.Add(2*time.Hour))
	give("ord_d", dayone.OrderManual, "slack", at, time.Time{})
	give("ord_ee", dayone.OrderAutomatic, "slack", at, time.Time{}) // takes the place of d
	give("ord_ff", dayone.OrderStop, "okta", at, time.Time{})       // and this of b
	if got, want := ids(at), []string{"ord_a", "ord_c", "ord_ee", "ord_ff"}; !slices.Equal(got, want) {
		t.Errorf("what stands is %v, want %v", got, want)
	}
	if got := ids(at.Add(2 * time.Hour)); slices.Contains(got, "ord_c") {
		t.Errorf("after its end maintenance stands: %v", got)
	}
	st, err := d.Standing(ctx, at)
	if err != nil || cmp.Diff(stop, st.Orders[0]) != "" {
		t.Errorf("an order comes back changed: %v %s", err, cmp.Diff(stop, st.Orders[0]))
	}
	if err := d.LiftOrder(ctx, "ord_a", at.Add(time.Hour), "lee", "over"); err != nil {
		t.Fatal(err)
	}
	if err := d.LiftOrder(ctx, "ord_a", at.Add(time.Hour), "lee", "over"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("lifted twice: %v", err)
	}
	lines := func(o dayone.Order, given, lifted bool) (out []dayone.Record) {
		if given {
			out = append(out, dayone.Record{At: o.Made, System: o.System, What: "given " + string(o.ID), By: o.By})
		}
		if lifted {
			out = append(out, dayone.Record{At: o.Lifted, System: o.System, What: "lifted " + string(o.ID), By: o.LiftedBy})
		}
		return out
	}
	for i, want := range []bool{true, false} {
		if news, err := d.RecordOrders(ctx, lines); err != nil || news != want {
			t.Errorf("recording, the %d. time: %v, %v", i+1, news, err)
		}
	}
	if err := d.LiftOrder(ctx, "ord_ff", at.Add(2*time.Hour), "lee", "over"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RecordOrders(ctx, lines); err != nil {
		t.Fatal(err)
	}
	list, err := d.Records(ctx, store.RecordFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range list {
		got = append(got, l.What)
	}
	slices.Sort(got)
	if want := []string{
		"given ord_a", "given ord_b", "given ord_c", "given ord_d", "given ord_ee", "given ord_ff", "lifted ord_a", "lifted ord_b", "lifted ord_d", "lifted ord_ff",
	}; !slices.Equal(got, want) {
		t.Errorf("the ledger has %v", got)
	}
	c := dayone.Circuit{System: "okta", State: dayone.CircuitOpen, Failures: 5, Since: at, Next: at.Add(time.Minute), Probes: 2, Note: "unavailable (HTTP 503)"}
	for _, c := range []dayone.Circuit{{System: "okta", State: dayone.CircuitClosed}, c} {
		if err := d.Commit(ctx, []dayone.Progress{{Circuits: []dayone.Circuit{c}, Records: []dayone.Record{{At: at, System: "okta", What: "system down"}}}}); err != nil {
			t.Fatal(err)
		}
	}
	if st, err = d.Standing(ctx, at); err != nil || len(st.Circuits) != 1 || st.Circuits[0] != c {
		t.Errorf("breakers come back as %+v, %v", st.Circuits, err)
	}
}

// retired: whoever holds something at a system that is retired becomes due with the order, and is counted; taken back, everybody does.
func retired(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	row := must[store.Row](t)(d.Person(ctx, p))
	row.Managed, row.Wake = true, at.AddDate(10, 0, 0)
	rests := func() {
		t.Helper()
		if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	rests()
	account := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: dayone.AccountKindName}, Ref: "u1", State: dayone.Disabled}}
	group := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: "group", Name: "staff"}, State: dayone.Active}}
	gone := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "slack", Kind: dayone.AccountKindName}, Ref: "u2", State: dayone.Gone}}
	if err := d.KeepHoldings(ctx, p, []dayone.Holding{account, group, gone}); err != nil {
		t.Fatal(err)
	}
	if held := must[map[string]store.HeldAt](t)(d.HeldBySystem(ctx)); len(held) != 1 || held["okta"] != (store.HeldAt{People: 1, Accounts: 1, Others: 1}) {
		t.Errorf("held is %+v", held)
	}
	for system, want := range map[string]store.HeldAt{"okta": {People: 1, Accounts: 1, Others: 1}, "slack": {}, "none": {}} { // what is gone is not held
		if one, any := must[store.HeldAt](t)(d.HeldAt(ctx, system)), must[bool](t)(d.HoldsAny(ctx, system)); one != want || any != (want != store.HeldAt{}) {
			t.Errorf("%s holds %+v, any: %v", system, one, any)
		}
	}
	unclosed := func(what string, accounts, things int) {
		t.Helper()
		if a, n, err := d.UnclosedAt(ctx, "okta"); err != nil || a != accounts || n != things {
			t.Errorf("%s, %d accounts and %d things are not closed, %v", what, a, n, err)
		}
	}
	unclosed("with a closed account", 0, 0)
	opened := account
	opened.State = dayone.Active
	if err := d.KeepHoldings(ctx, p, []dayone.Holding{opened, group}); err != nil {
		t.Fatal(err)
	}
	unclosed("with an open account", 1, 1)
	opened.State = dayone.Gone
	if err := d.KeepHoldings(ctx, p, []dayone.Holding{opened, group}); err != nil {
		t.Fatal(err)
	}
	unclosed("without an account", 0, 1)
	if err := d.KeepHoldings(ctx, p, []dayone.Holding{account, group}); err != nil {
		t.Fatal(err)
	}
	if who := must[[]dayone.PersonID](t)(d.HoldersAt(ctx, "okta", 5)); !slices.Equal(who, []dayone.PersonID{p}) {
		t.Errorf("who holds something is %v", who)
	}
	give := func(id dayone.OrderID, kind dayone.OrderKind, system string) {
		t.Helper()
		if err := d.SaveOrder(ctx, dayone.Order{ID: id, Kind: kind, System: system, From: at, Made: at, Reason: "x", By: "kim"}); err != nil {
			t.Fatal(err)
		}
	}
	due := func(what string, want bool) {
		t.Helper()
		if _, err := d.RecordOrders(ctx, func(dayone.Order, bool, bool) []dayone.Record { return nil }); err != nil {
			t.Fatal(err)
		}
		if is := must[store.Row](t)(d.Person(ctx, p)).Wake.Before(row.Wake); is != want {
			t.Errorf("%s she is due: %v", what, is)
		}
		rests()
	}
	give("ord_1", dayone.OrderManual, "okta")
	due("for work by hand", false)
	give("ord_2", dayone.OrderRelease, "notion")
	due("for a system where she has nothing", false)
	give("ord_3", dayone.OrderRelease, "okta")
	due("for one where she has something", true)
	give("ord_4", dayone.OrderClose, "okta") // takes the place of the one before
	due("for another way", true)
	if st := must[dayone.Standing](t)(d.Standing(ctx, at)); len(st.Orders) != 3 {
		t.Errorf("what stands is %+v", st.Orders)
	}
	if err := d.LiftOrder(ctx, "ord_2", at, "kim", "we stay"); err != nil {
		t.Fatal(err)
	}
	due("for what is taken back", true)
}

// waitsAt: each step that waits at a system is counted once, whether it waits for the system, for somebody, or for both; what is
// over is not.
func waitsAt(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	r := aRun("run_1", p)
	for _, name := range []string{"late", "again"} {
		s := r.Plan.Steps[1]
		s.Key.Name = name
		s.ID, s.Once = dayone.StepID(s.Key.String()+" entitlement.add"), name
		r.Plan.Steps = append(r.Plan.Steps, s)
		r.Steps = append(r.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
	}
	undo := dayone.Step{ID: "okta/account account.delete (undo)", Action: dayone.AccountDelete, Key: r.Steps[0].Step.Key, Once: "undo"}
	r.Steps = append(r.Steps, dayone.StepRun{Step: undo, State: dayone.StepPending, Of: r.Steps[0].Step.ID})
	count := func(when string, want map[string]store.WaitsAt) {
		t.Helper()
		if got := must[map[string]store.WaitsAt](t)(d.WaitsAt(ctx)); cmp.Diff(want, got) != "" {
			t.Errorf("%s: %s", when, cmp.Diff(want, got))
		}
	}
	task := func(i int) dayone.Task {
		s := r.Steps[i].Step
		return dayone.Task{Person: p, Run: r.ID, Step: s.ID, Once: s.Once, System: s.Key.System, Title: "Do it", Opened: at}
	}
	commit := func(c dayone.Progress) {
		t.Helper()
		if err := d.Commit(ctx, []dayone.Progress{c}); err != nil {
			t.Fatal(err)
		}
	}
	commit(dayone.Progress{Run: head(r), New: true})
	count("before anything waits", map[string]store.WaitsAt{})
	r.Steps[0].State, r.Steps[1].State = dayone.StepWaiting, dayone.StepWaiting
	commit(dayone.Progress{Run: head(r), Steps: changes(r, 0, 1)})
	count("two are parked", map[string]store.WaitsAt{"okta": {All: 2}})
	r.Steps[2].State, r.Steps[2].Next = dayone.StepRetrying, at.Add(time.Minute)
	commit(dayone.Progress{Run: head(r), Steps: changes(r, 2), Opened: []dayone.Task{task(2)}})
	count("somebody is told of a third, which is still tried", map[string]store.WaitsAt{"okta": {All: 3, Tasks: 1}})
	commit(dayone.Progress{Run: head(r), Steps: changes(r, 1), Opened: []dayone.Task{task(1)}})
	count("one of the two is somebody's task as well", map[string]store.WaitsAt{"okta": {All: 3, Tasks: 2}})
	r.Steps[4].State, r.Steps[4].Next = dayone.StepWaiting, at.Add(time.Hour)
	commit(dayone.Progress{Run: head(r), Steps: changes(r, 4), Opened: []dayone.Task{task(4)}})
	count("a step that came later is looked at again by itself", map[string]store.WaitsAt{"okta": {All: 4, Tasks: 3}})
	r.Steps[2].State, r.Steps[2].Next = dayone.StepDone, time.Time{}
	commit(dayone.Progress{Run: head(r), Steps: changes(r, 2), Closed: []dayone.Task{{Once: task(2).Once, Closed: at, By: "kim"}}})
	count("one is done", map[string]store.WaitsAt{"okta": {All: 3, Tasks: 2}})
	next := aRun("run_2", p) // planned anew the group is its second step, and goes on as the same task
	r.State = dayone.RunSuperseded
	next.Steps[0].State, next.Steps[1].State = dayone.StepWaiting, dayone.StepWaiting
	again := task(1)
	again.Run = next.ID
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), Moved: true}, {Run: head(next), New: true, Steps: changes(next, 0, 1), Opened: []dayone.Task{again}}}); err != nil {
		t.Fatal(err)
	}
	count("planned anew", map[string]store.WaitsAt{"okta": {All: 2, Tasks: 1}})
}
