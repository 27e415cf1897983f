package flow_test

import (
	"crypto/rand"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

func TestWhatSomebodyEntersEndsAnEmploymentThatHRKnows(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	p, err := h.Preview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	in, err := h.Enter(ctx, flow.Entry{
		Type: dayone.Terminated, Subject: string(p.Person.Engagements[0].ID), Fields: map[string]string{"end_date": "2024-11-14"}, By: "kim@company.com", Reason: "stole the tea",
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", in.State, dayone.EventApplied)
	same(t, "whose", in.Person, id)
	h.becomes(id, dayone.Left)
	if h.rests(id, run.ID).ID == run.ID {
		t.Error("no run took the access away")
	}
}

func TestWhatSomebodyEntersMakesAPerson(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	in, err := h.Enter(ctx, flow.Entry{
		Type: dayone.Hired, Subject: "x-1", Fields: map[string]string{"start_date": here, "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@partner.example", "department": "Engineering"}, By: "kim@company.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	row, err := h.Person(ctx, in.Person)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "name", row.Name, "Ngozi Eze")
	same(t, "status", row.Status, dayone.Working)
	nobody := flow.Entry{Type: dayone.Terminated, Subject: string(dayone.NewIDs(h.Now, rand.Reader).New("eng")), Fields: map[string]string{"end_date": here}}
	if in, err = h.Enter(ctx, nobody); err != nil {
		t.Fatal(err)
	}
	same(t, "a word about nobody's employment", in.State, dayone.EventQuarantined)
}
