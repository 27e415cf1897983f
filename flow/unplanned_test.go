package flow_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Stories of people for whom nothing is planned, and of what is known of them all the same.

// An account that waits for what hangs on it: a policy that can be read, and never be planned.
var circularPolicy = strings.Replace(housePolicy, "{to: gitlab/account}", `{to: gitlab/account, needs: ["gitlab/group:platform"]}`, 1)

func TestWhyNoPlanCanBeMadeIsKeptUntilOneCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(circularPolicy)
	h := w.open()
	id := h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11")))[0].ID
	row := until(h, "the row keeps why", func() (flow.Row, bool) {
		row, err := h.Named(ctx, "e1@company.com")
		return row, err == nil && row.Problem != ""
	})
	until(h, "the event says so", func() (bool, bool) {
		in, err := h.Event(ctx, id)
		return true, err == nil && in.State == dayone.EventApplied && strings.Contains(in.Note, row.Problem)
	})
	if !strings.HasPrefix(row.Problem, "these steps wait for each other: ") || strings.HasSuffix(row.Problem, "invalid") {
		t.Errorf("the reason is %q", row.Problem)
	}
	if !row.Wake.After(h.Now()) {
		t.Error("nobody looks again")
	}
	if stuck, err := h.People(ctx, flow.PeopleFilter{Unplanned: true}); err != nil || len(stuck) != 1 || stuck[0].ID != row.ID {
		t.Errorf("the list of those who cannot be planned: %+v, %v", stuck, err)
	}
	_, list, err := h.Access(ctx, row.ID)
	is(t, err, dayone.ErrInvalid)
	if len(list) != 4 || slices.ContainsFunc(list, func(a flow.Access) bool { return a.State != flow.NotPlanned }) {
		t.Errorf("what policies want of somebody who cannot be planned: %+v", list)
	}

	h.hears(h.hr.Put(employee("1", "start_date", "2024-11-11", "department", "Sales"))) // where policies have no circle
	h.rests(row.ID, "")
	until(h, "the reason is gone", func() (bool, bool) {
		row, err := h.Person(ctx, row.ID)
		return true, err == nil && row.Problem == ""
	})
}

func TestOfSomebodyWhoIsOnlyKnownNothingIsToCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(circularPolicy) // nobody tries to plan them, so nothing is wrong with them
	h := w.open()
	h.hr.Put(employee("1", "start_date", "2020-11-11"))
	if n, err := h.Import(ctx, "hr"); err != nil || n != 1 {
		t.Fatalf("%d imported, %v", n, err)
	}
	row, err := h.Named(ctx, "e1@company.com")
	if err != nil || row.Managed || row.Problem != "" {
		t.Fatalf("%+v, %v", row, err)
	}
	l, list, err := h.Access(ctx, row.ID)
	if err != nil || l.Person.Managed || len(list) != 4 {
		t.Fatalf("%d accesses, %v", len(list), err)
	}
	for _, a := range list {
		if a.State != flow.NotPlanned {
			t.Errorf("%s is %s", a.Key, a.State)
		}
	}
}

func TestTheRunAfterARun(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, first := h.hires(employee("1", "start_date", "2024-11-11"))
	second := h.changes(p, first.ID, employee("1", "start_date", "2024-11-11", "department", "Sales"))
	if next, err := h.Next(ctx, first); err != nil || next.ID != second.ID {
		t.Errorf("after the first comes %s, %v", next.ID, err)
	}
	if _, err := h.Next(ctx, second); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("after the last comes %v", err)
	}
}
