package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// someNumbers are numbers of one range, all available.
func someNumbers(count int) []dayone.Number {
	out := make([]dayone.Number, count)
	for i := range out {
		e := fmt.Sprintf("+4930%07d", i)
		out[i] = dayone.Number{ID: dayone.NumberID(e), Pool: "berlin", Range: "+49300000000", Platform: "cucm", Partition: "DN", Pattern: `\` + e, E164: e, State: dayone.NumberFree, Since: at}
	}
	return out
}

func putNumbers(t *testing.T, d *store.DB, list []dayone.Number) {
	t.Helper()
	if err := d.ChangeNumbers(t.Context(), func(n *store.Numbers) error {
		if err := n.Put(list...); err != nil {
			return err
		}
		return n.Begin(list, "created", "kim", at)
	}); err != nil {
		t.Fatal(err)
	}
}

func numbers(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	list := someNumbers(200)
	putNumbers(t, d, list)
	n := d.ReadNumbers(ctx)

	is := list[7]
	is.State, is.Owner, is.Since, is.Until, is.Last, is.Used, is.Confirmed = dayone.NumberAssigned, p, at.Add(time.Hour), at.Add(2*time.Hour), "per_x", at, at.Add(time.Minute)
	lines := []dayone.NumberEvent{
		{Number: is.ID, At: at.Add(time.Minute), What: "reserved", From: dayone.NumberFree, To: dayone.NumberReserved, Person: p, By: "kim", Note: "17 Main St"},
		{Number: is.ID, At: at.Add(time.Hour), What: "assigned", From: dayone.NumberReserved, To: dayone.NumberAssigned, Person: p},
	}
	kept := list[8]
	kept.State, kept.For, kept.Until = dayone.NumberReserved, dayone.NumberNote{Name: "Ada Candidate", Ref: "emp_7"}, at.Add(time.Hour)
	vip := list[9]
	vip.Vanity = true
	if err := d.ChangeNumbers(ctx, func(n *store.Numbers) error {
		return errors.Join(n.Put(is, kept, vip), n.Tell(lines, dayone.Record{At: at, Person: p, What: "number assigned"}))
	}); err != nil {
		t.Fatal(err)
	}
	if here, err := n.Here([]dayone.PersonID{p, "per_x", ""}); err != nil || !here[p] || len(here) != 1 {
		t.Errorf("in the books are %v, %v", here, err)
	}
	if bound, err := d.BoundAccounts(ctx, "okta"); err != nil || len(bound) != 0 {
		t.Errorf("accounts of nobody: %v, %v", bound, err)
	}
	for _, x := range []dayone.Number{is, kept, vip, list[0]} {
		if got := must[dayone.Number](t)(n.Number(x.ID)); cmp.Diff(x, got) != "" {
			t.Errorf("it comes back changed:\n%s", cmp.Diff(x, got))
		}
	}
	if _, err := n.Number("+1"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no number says %v", err)
	}
	history := must[[]dayone.NumberEvent](t)(n.History(is.ID, 10))
	if len(history) != 3 || history[0].What != "assigned" || history[1].Note != "17 Main St" || history[2].What != "created" || history[2].Seq != 1 {
		t.Errorf("history: %+v", history)
	}
	own, _, err := n.Of(p)
	if err != nil || len(own) != 1 || own[0].ID != is.ID {
		t.Errorf("hers: %v, %v", own, err)
	}
	if _, before, err := n.Of("per_x"); err != nil || len(before) != 0 { // another has it now
		t.Errorf("hers before: %v, %v", before, err)
	}
	if got := must[[]dayone.Number](t)(n.Awaited("berlin")); len(got) != 1 || got[0].For.Ref != "emp_7" {
		t.Errorf("awaited: %+v", got)
	}
	if got := must[[]dayone.Number](t)(n.Next("berlin", []string{"", "+49300000000"})); len(got) != 1 || got[0].ID != list[0].ID {
		t.Errorf("next: %+v", got)
	}
	if got := must[[]dayone.Number](t)(n.Ending("berlin", "42", 10)); len(got) != 2 || got[0].ID != "+49300000042" || got[1].ID != "+49300000142" {
		t.Errorf("ending in 42: %+v", got)
	}
	for _, c := range []struct {
		f    store.NumberFilter
		want int
	}{
		{store.NumberFilter{Limit: 500}, 200},
		{store.NumberFilter{Limit: 10, After: "+49300000189"}, 10},
		{store.NumberFilter{Limit: 500, State: dayone.NumberReserved}, 1},
		{store.NumberFilter{Limit: 500, Owner: p}, 1},
		{store.NumberFilter{Limit: 500, Pool: "munich"}, 0},
		{store.NumberFilter{Limit: 500, Text: "07"}, 2},
		{store.NumberFilter{Limit: 500, Text: "+49300000"}, 200},
		{store.NumberFilter{Limit: 500, Text: "+%"}, 0},
	} {
		if got := must[[]dayone.Number](t)(n.List(c.f)); len(got) != c.want {
			t.Errorf("%+v lists %d numbers", c.f, len(got))
		}
	}
	counts := must[[]store.NumberCount](t)(n.Count())
	total := 0
	for _, c := range counts {
		total += c.N
	}
	if len(counts) != 4 || total != 200 {
		t.Errorf("counts: %+v", counts)
	}
	taken, returned, err := n.Turnover(at)
	if err != nil || taken["berlin"] != 1 || returned["berlin"] != 0 {
		t.Errorf("turnover: %v %v %v", taken, returned, err)
	}
	if next := must[time.Time](t)(d.NextNumber(ctx)); !next.Equal(kept.Until) {
		t.Errorf("the next timer ends %v", next)
	}
	if got := must[[]dayone.Number](t)(n.Lapsed(at.Add(time.Hour), 10)); len(got) != 1 || got[0].ID != kept.ID {
		t.Errorf("lapsed: %+v", got)
	}
	twin := list[20]
	twin.ID, twin.E164 = "another", ""
	if err := d.ChangeNumbers(ctx, func(n *store.Numbers) error { return n.Put(twin) }); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second number with its pattern: %v", err)
	}
}

func numbersShown(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	list := someNumbers(3)
	putNumbers(t, d, list)
	a := dayone.Appearance{Number: list[0].ID, Role: dayone.ShownAssistant, Person: p, Device: "CSFSCHEN quill", Since: at}
	if err := d.ChangeNumbers(ctx, func(n *store.Numbers) error {
		for range 2 {
			if _, err := n.Show(a); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n := d.ReadNumbers(ctx)
	a.Slot = 1
	if got := must[[]dayone.Appearance](t)(n.Shown(a.Number)); len(got) != 2 || got[0] != a || got[1].Slot != 2 {
		t.Errorf("shown: %+v", got)
	}
	if got := must[[]dayone.Appearance](t)(n.ShownAt(p)); len(got) != 2 {
		t.Errorf("shown at her: %+v", got)
	}
	hide := func(slot int) error {
		return d.ChangeNumbers(ctx, func(n *store.Numbers) error { return n.Hide(a.Number, slot) })
	}
	if err := hide(1); err != nil {
		t.Fatal(err)
	}
	if err := hide(1); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("hidden twice: %v", err)
	}
	of := list[1]
	of.State, of.Owner = dayone.NumberAssigned, p
	putBack := list[2]
	putBack.Last = p
	if err := d.ChangeNumbers(ctx, func(n *store.Numbers) error { return n.Put(of, putBack) }); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for o, err := range n.Each() {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprint(o.ID, o.Status != "", o.Shown))
	}
	if want := []string{"+49300000000false true", "+49300000001true false", "+49300000002false false"}; !slices.Equal(seen, want) {
		t.Errorf("each: %v", seen)
	}

	plan := store.NumberPlan{Seq: 1, At: at, By: "kim", Text: "pools: {}"}
	keep := func() error { return d.ChangeNumbers(ctx, func(n *store.Numbers) error { return n.KeepPlan(plan) }) }
	if err := keep(); err != nil {
		t.Fatal(err)
	}
	if err := keep(); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("the second of two plans: %v", err)
	}
	if got := must[store.NumberPlan](t)(n.Plan()); got != plan {
		t.Errorf("the plan comes back as %+v", got)
	}

	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	if got := must[[]dayone.Appearance](t)(n.Shown(a.Number)); len(got) != 1 || got[0].Device != "" {
		t.Errorf("a device of somebody who was erased: %+v", got)
	}
	if got := must[dayone.Number](t)(n.Number(putBack.ID)); got.Last != "" {
		t.Errorf("it is still known whose it was: %+v", got)
	}
}

// Many take and give back at once, and some give up in the middle: no number is ever two people's, each history is one line
// after the other, and what the last line says is so.
func numbersConcurrently(t *testing.T, d *store.DB) {
	ctx := t.Context()
	const many, count, each = 50, 40, 12
	putNumbers(t, d, someNumbers(count))
	errNone := fmt.Errorf("none is left: %w", dayone.ErrNoSeat)
	take := func(ctx context.Context, who dayone.PersonID) (out dayone.Number, err error) {
		err = d.ChangeNumbers(ctx, func(n *store.Numbers) error {
			next, err := n.Next("berlin", []string{"+49300000000"})
			if err != nil {
				return err
			}
			if len(next) == 0 {
				return errNone
			}
			out = next[0]
			out.State, out.Owner = dayone.NumberAssigned, who
			return errors.Join(n.Put(out), n.Tell([]dayone.NumberEvent{{Number: out.ID, At: at, What: "assigned", From: next[0].State, To: out.State, Person: who}}))
		})
		return out, err
	}
	var mu sync.Mutex
	owners, wrong, none := map[dayone.NumberID]dayone.PersonID{}, 0, 0
	var wg sync.WaitGroup
	for g := range many {
		wg.Go(func() {
			who := dayone.PersonID(fmt.Sprintf("per_%02d", g))
			for i := range each {
				c, cancel := context.WithCancel(ctx)
				if (g+i)%7 == 0 {
					cancel() // whoever asked is gone
				}
				x, err := take(c, who)
				cancel()
				switch {
				case errors.Is(err, dayone.ErrNoSeat):
					mu.Lock()
					none++
					mu.Unlock()
					continue
				case errors.Is(err, context.Canceled):
					continue
				case err != nil:
					t.Error(err)
					return
				}
				mu.Lock()
				if _, had := owners[x.ID]; had {
					wrong++
				}
				owners[x.ID] = who
				mu.Unlock()
				mu.Lock()
				delete(owners, x.ID) // before it can be anybody else's
				mu.Unlock()
				if err := d.ChangeNumbers(ctx, func(n *store.Numbers) error {
					is, err := n.Number(x.ID)
					if err != nil {
						return err
					}
					if is.Owner != who {
						return fmt.Errorf("%s is %s's, and not %s's", x.ID, is.Owner, who)
					}
					was := is.State
					is.State, is.Owner = dayone.NumberFree, ""
					return errors.Join(n.Put(is), n.Tell([]dayone.NumberEvent{{Number: x.ID, At: at, What: "released", From: was, To: is.State, Person: who}}))
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if wrong > 0 {
		t.Errorf("%d times a number was two people's", wrong)
	}
	n := d.ReadNumbers(ctx)
	for _, x := range must[[]dayone.Number](t)(n.List(store.NumberFilter{Limit: count})) {
		lines := must[[]dayone.NumberEvent](t)(n.History(x.ID, 10_000))
		owner := dayone.PersonID("")
		for i, e := range slices.Backward(lines) {
			if e.Seq != len(lines)-i {
				t.Fatalf("%s: line %d is numbered %d", x.ID, len(lines)-i, e.Seq)
			}
			switch e.What {
			case "assigned":
				if owner != "" {
					t.Errorf("%s was given to %s while %s had it", x.ID, e.Person, owner)
				}
				owner = e.Person
			case "released":
				owner = ""
			}
		}
		if owner != x.Owner || lines[0].To != x.State {
			t.Errorf("%s: the history ends with %q, and the books say %q", x.ID, owner, x.Owner)
		}
	}
}
