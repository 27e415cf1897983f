package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// matches: what may be about somebody who is known waits for a human, and is found by digests.
func matches(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	if got := must[[]dayone.PersonID](t)(d.Unmarked(ctx, 10)); !slices.Equal(got, []dayone.PersonID{p}) {
		t.Errorf("unmarked: %v", got)
	}
	for _, marks := range [][]string{{"m1", "m2"}, {"m2", "m3"}} {
		if err := d.SaveMarks(ctx, p, marks); err != nil {
			t.Fatal(err)
		}
	}
	if got := must[map[string][]dayone.PersonID](t)(d.Marked(ctx, []string{"m1", "m2", "m4"})); len(got) != 1 || !slices.Equal(got["m2"], []dayone.PersonID{p}) {
		t.Errorf("marked: %v", got)
	}
	if got := must[[]dayone.PersonID](t)(d.Unmarked(ctx, 10)); len(got) != 0 {
		t.Errorf("unmarked: %v", got)
	}

	hold := func(n string, id dayone.MatchID) dayone.Match {
		t.Helper()
		ev := event("evt_"+n, n)
		ev.Subject = "emp_790"
		if _, _, err := d.Accept(ctx, ev, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		m := dayone.Match{ID: id, Source: ev.Source, Subject: ev.Subject, Event: ev.ID, Opened: at, Suspects: []dayone.Suspect{{Person: p, Why: []string{"the same name"}}}, Says: map[string]string{"first_name": "Sarah"}}
		if err := d.HoldEvent(ctx, ev.ID, "held", m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := hold("m1", "mat_1")
	hold("m2", "mat_2") // the same question
	open := must[[]dayone.Match](t)(d.Matches(ctx, store.MatchFilter{Open: true, Limit: 10}))
	if len(open) != 1 || open[0].ID != "mat_1" || open[0].Says["first_name"] != "Sarah" || open[0].Suspects[0].Person != p {
		t.Fatalf("open: %+v", open)
	}
	if n := must[int](t)(d.CountMatches(ctx, store.MatchFilter{Open: true})); n != 1 {
		t.Errorf("%d open", n)
	}
	for from, n := range map[store.Mark]int{{}: 1, {Waits: true, ID: "mat_2"}: 1, {Waits: true, ID: "mat_1"}: 0, {ID: "mat_2"}: 0} {
		if got := must[[]dayone.Match](t)(d.Matches(ctx, store.MatchFilter{From: from, Limit: 10})); len(got) != n {
			t.Errorf("after %+v come %+v", from, got)
		}
	}
	if got := must[[]dayone.Match](t)(d.Matches(ctx, store.MatchFilter{Over: true, Limit: 10})); len(got) != 0 {
		t.Errorf("decided: %+v", got)
	}
	held := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventAsked}))
	if len(held) != 2 {
		t.Errorf("held: %+v", held)
	}
	if n := must[int](t)(d.Expire(ctx, at.Add(1000*time.Hour))); n != 0 {
		t.Errorf("%d bodies of held events are gone", n)
	}
	first.State, first.Person, first.By, first.Decided = dayone.MatchSame, p, "kim", at.Add(time.Hour)
	if err := d.DecideMatch(ctx, first, dayone.Record{At: at, Person: p, What: "match"}); err != nil {
		t.Fatal(err)
	}
	isKind(t, d.DecideMatch(ctx, first), dayone.ErrConflict)
	for q, n := range map[store.MatchFilter]int{{Over: true}: 1, {Open: true}: 0, {From: store.Mark{Waits: true, ID: "mat_0"}}: 1, {From: store.Mark{ID: "mat_2"}}: 1, {From: store.Mark{ID: "mat_1"}}: 0} {
		q.Limit = 10
		if got := must[[]dayone.Match](t)(d.Matches(ctx, q)); len(got) != n {
			t.Errorf("%+v has %+v", q, got)
		}
	}
	m, asked, err := d.MatchOf(ctx, first.Source, first.Subject)
	if err != nil || !asked || m.State != dayone.MatchSame || m.Person != p || len(m.Says) != 0 {
		t.Errorf("decided: %+v, %v, %v", m, asked, err)
	}
	if got := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventReceived, Source: first.Source})); len(got) != 2 {
		t.Errorf("to be looked at again: %+v", got)
	}

	f := dayone.PreHireForm{Engagement: "eng_1", Person: p, Mark: "x1", Links: 1, Made: at, Told: 1, Next: at.Add(time.Hour)}
	letter := dayone.Letter{Once: "prehire.1", Via: "people", Kind: "prehire", About: "eng_1", Body: "{}", Made: at}
	for range 2 {
		if err := d.SavePreHire(ctx, f, []dayone.Letter{letter}); err != nil {
			t.Fatal(err)
		}
	}
	if list := must[[]dayone.Letter](t)(d.DueLetters(ctx, "people", at, 10)); len(list) != 1 {
		t.Errorf("letters: %+v", list)
	}
	f.Mark, f.Links = "x2", 2
	if err := d.SavePreHire(ctx, f, nil); err != nil {
		t.Fatal(err)
	}
	if got := must[dayone.PreHireForm](t)(d.PreHireByMark(ctx, "x2")); got != f {
		t.Errorf("form: %+v", got)
	}
	_, err = d.PreHireByMark(ctx, "x1")
	isKind(t, err, dayone.ErrNotFound)

	if err := d.Erase(ctx, p, at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := must[map[string][]dayone.PersonID](t)(d.Marked(ctx, []string{"m2", "m3"})); len(got) != 0 {
		t.Errorf("who was erased is found: %v", got)
	}
	if got := must[[]dayone.Match](t)(d.Matches(ctx, store.MatchFilter{Limit: 10})); len(got) != 0 {
		t.Errorf("what was asked of who was erased is there: %+v", got)
	}
	_, err = d.PreHireByMark(ctx, "x2")
	isKind(t, err, dayone.ErrNotFound)
}

func isKind(t testing.TB, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %v", err, kind)
	}
}
