package flow_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// holdsOf is a brake that holds an event of each of some people; "" is somebody who is not in the books.
func (h *house) holdsOf(veiled bool, ids ...dayone.PersonID) dayone.BrakeID {
	h.t.Helper()
	b := dayone.Brake{ID: dayone.BrakeID(h.IDs.New("brk")), Scope: "source:hr", Note: "many", Opened: h.Now()}
	if b.Rule = dayone.BrakeBody + string(b.ID); veiled {
		b.Rule += dayone.BrakeVeiled
	}
	var all []store.HeldEvent
	for i, id := range ids {
		ev := dayone.Event{ID: dayone.EventID(h.IDs.New("evt")), Source: "hr", Type: dayone.Updated, Subject: fmt.Sprintf("emp_%03d", i), At: h.Now(), Received: h.Now(), Veiled: veiled}
		all = append(all, store.HeldEvent{Event: ev, Body: []byte(ev.ID), Held: dayone.Held{Subject: ev.Subject, Person: id, Mark: "seen", What: "update"}})
	}
	if _, err := h.Store.HoldAll(ctx, b, all); err != nil {
		h.t.Fatal(err)
	}
	return b.ID
}

// oneByOne says of each brake whether whoever asks sees it, by looking at each of whom it holds.
func (h *house) oneByOne(as context.Context, v dayone.Viewer, on bool) (out []dayone.BrakeID) {
	h.t.Helper()
	list, err := h.Store.Brakes(ctx, on, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, b := range list {
		held, err := h.Store.HeldFrom(ctx, b.ID, "", 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		in := v.Scope.AllPeople() || len(held) > 0
		for _, x := range held {
			if v.Scope.AllPeople() {
				break
			}
			to, err := h.Store.PersonOfMerged(ctx, x.Person)
			if err == nil {
				_, err = h.Person(as, cmp.Or(to, x.Person))
			}
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				h.t.Fatal(err)
			}
			in = in && err == nil
		}
		if in && (v.Confidential || !b.Veiled()) {
			out = append(out, b.ID)
		}
	}
	return out
}

// Which brakes somebody sees is asked for at once, and is the same as if each of whom they hold were looked at.
func TestBrakesInScopeAreThoseOfWhomEachIsInScope(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	at := func(id, location string, more ...string) dayone.PersonID {
		return h.known("emp_"+id, append([]string{"location", location, "start_date", here}, more...)...)
	}
	ada, bo, luc, nemo := at("1", "Berlin"), at("2", "Berlin"), at("3", "San Francisco"), at("4", "")
	secret := h.unannounced().Person // in Berlin
	h.confides(bo, "2024-11-29")
	stays, goes := at("5", "San Francisco", "email", "zoe@company.com"), at("6", "Berlin", "email", "z@company.com")
	_, err := h.Merge(ctx, flow.Merger{Stays: stays, Goes: goes, By: "kim@company.com", Reason: "one person"})
	is(t, err, nil)
	for _, ids := range [][]dayone.PersonID{{ada}, {bo}, {luc}, {nemo}, {secret}, {goes}, {stays, luc}, {ada, bo}, {ada, luc}, {ada, secret}, {ada, ""}, {""}, {}} {
		h.holdsOf(false, ids...)
		h.holdsOf(true, ids...)
	}
	open, err := h.Store.Brakes(ctx, true, 1000)
	is(t, err, nil)
	for _, b := range open[:4] { // those that were decided keep what they let through until it is carried out
		is(t, h.Store.Decide(ctx, store.Verdict{Brake: b.ID, State: dayone.BrakeReleased, By: "kim", Reason: "x", At: h.Now()}), nil)
	}
	for _, role := range []dayone.Role{dayone.HR, dayone.Operator} {
		for _, s := range []dayone.Scope{nil, {german}, {american}, {german, american}, {{Systems: []string{"okta"}}}, {{Countries: []string{"DE"}, Companies: []string{"Acme"}}}} {
			as, v := of(role, s...), dayone.Viewer{Confidential: role == dayone.HR, Scope: s}
			for _, on := range []bool{true, false} {
				want := h.oneByOne(as, v, on)
				for limit := 1; limit < 9; limit += 3 {
					var got []dayone.BrakeID
					for from := (flow.Mark{}); ; {
						page, err := h.BrakesFrom(as, on, from, limit)
						is(t, err, nil)
						for _, b := range page {
							got = append(got, b.ID)
							from = flow.Mark{Waits: b.State == dayone.BrakeOn, ID: string(b.ID)}
						}
						if len(page) < limit {
							break
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s of %q finds, %d at once, %v, and one by one %v", role, s, limit, got, want)
					}
				}
				if n, err := h.CountBrakes(as, 1000); on && (err != nil || n != len(want)) {
					t.Errorf("%s of %q counts %d of %d (%v)", role, s, n, len(want), err)
				}
			}
			for _, b := range open {
				want := error(dayone.ErrNotFound)
				if slices.Contains(h.oneByOne(as, v, false), b.ID) {
					want = nil
				}
				is(t, errOf(h.Brake(as, b.ID)), want)
			}
		}
	}
	if n, err := h.CountBrakes(ctx, 3); err != nil || n != 3 {
		t.Errorf("of many %d are counted, want 3 (%v)", n, err)
	}
}
