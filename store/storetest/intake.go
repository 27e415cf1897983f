package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What sources say.

func event(id, sourceID string) dayone.Event {
	return dayone.Event{ID: dayone.EventID(id), Source: "hr", SourceID: sourceID, Type: dayone.Hired, Subject: "emp_789", At: at, Received: at}
}

func acceptedOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	in, again, err := d.Accept(ctx, event("evt_1", "evt_abc123"), []byte("{}"))
	if err != nil || again || in.ID != "evt_1" {
		t.Fatalf("%+v %v %v", in, again, err)
	}
	in, again, err = d.Accept(ctx, event("evt_2", "evt_abc123"), []byte("{}"))
	if err != nil || !again || in.ID != "evt_1" {
		t.Fatalf("said again: %+v %v %v", in, again, err)
	}
	var wg sync.WaitGroup
	fresh := make(chan dayone.EventID, 50)
	for i := range 50 { // at the same time, too
		wg.Go(func() {
			in, again, err := d.Accept(ctx, event(fmt.Sprintf("evt_c%02d", i), "same"), []byte("{}"))
			if err != nil {
				t.Error(err)
			}
			if !again {
				fresh <- in.ID
			}
		})
	}
	wg.Wait()
	if len(fresh) != 1 {
		t.Errorf("%d of 50 equal events were taken as new", len(fresh))
	}
	open := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventReceived}))
	if len(open) != 2 {
		t.Errorf("%d events are open, want 2", len(open))
	}
	for i, id := range []string{"evt_3", "evt_4"} { // who brought what is new stands in the ledger with it, once
		lines := atCommits(t, d, func() error {
			_, again, err := d.Accept(ctx, event(id, "brought"), []byte("{}"), dayone.Record{At: at, What: "brought in", By: "kim"})
			if again != (i > 0) {
				t.Errorf("%s was said before: %v", id, again)
			}
			return err
		})
		if !slices.Equal(lines, []int64{1}) {
			t.Errorf("after each commit of %s the ledger has %v lines", id, lines)
		}
	}
}

// atCommits is how many lines the ledger has after each commit of what is done.
func atCommits(t *testing.T, d *store.DB, do func() error) (lines []int64) {
	t.Helper()
	was := d.Committed
	d.Committed = func(int) { lines = append(lines, must[int64](t)(d.CountRecords(t.Context()))) }
	defer func() { d.Committed = was }()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func bodyWithoutID(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for i, c := range []struct {
		body  string
		again bool
	}{{"a", false}, {"a", true}, {"b", false}, {"a", false}} { // a, then b, then a again is a change back
		_, again, err := d.Accept(ctx, event(fmt.Sprintf("evt_%d", i), ""), []byte(c.body))
		if err != nil || again != c.again {
			t.Errorf("body %d %q: again %v, want %v (%v)", i, c.body, again, c.again, err)
		}
	}
}

func bodyExpires(t *testing.T, d *store.DB) {
	ctx := t.Context()
	must[any](t)(func() (any, error) {
		_, _, err := d.Accept(ctx, event("evt_1", "x"), []byte(`{"salary":1}`))
		return nil, err
	}())
	if b := must[[]byte](t)(d.Body(ctx, "evt_1")); string(b) != `{"salary":1}` {
		t.Errorf("the body comes back as %s", b)
	}
	if err := d.MarkEvent(ctx, "evt_1", dayone.EventApplied, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Expire(ctx, at.Add(time.Hour)); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := d.Body(ctx, "evt_1"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("an expired body says %v", err)
	}
	if _, err := d.Event(ctx, "evt_nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("no event says %v", err)
	}
}

// What waits for its time is in nobody's way, and what overtook the event that makes an employment known comes back.
func turns(t *testing.T, d *store.DB) {
	ctx := t.Context()
	accept := func(id, source, subject string) {
		t.Helper()
		ev := event(id, "")
		ev.Source, ev.Subject = source, subject
		if _, _, err := d.Accept(ctx, ev, []byte(id)); err != nil {
			t.Fatal(err)
		}
	}
	waits := func(when time.Time, source string, want ...string) {
		t.Helper()
		events, _, err := d.WaitingEvents(ctx, source, when, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range events {
			got = append(got, string(in.ID))
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %s wait %v, want %v", source, got, want)
		}
	}
	if w := must[map[string]time.Time](t)(d.Waiting(ctx)); len(w) != 0 {
		t.Errorf("something waits: %v", w)
	}
	accept("evt_1", "hr", "emp_1")
	accept("evt_2", "hr", "emp_2")
	accept("evt_3", "hr", "emp_1")
	accept("evt_4", "payroll", "emp_1")
	waits(at, "hr", "evt_1", "evt_2", "evt_3")
	waits(at, "payroll", "evt_4")
	if _, again, err := d.WaitingEvents(ctx, "hr", at, 10); again || err != nil {
		t.Errorf("again %v, %v", again, err)
	}
	for _, id := range []dayone.EventID{"evt_1", "evt_3"} {
		if err := d.EventTried(ctx, id, "not let in", at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	waits(at, "hr", "evt_2")
	waits(at.Add(time.Minute), "hr", "evt_2", "evt_1", "evt_3")
	if _, again, err := d.WaitingEvents(ctx, "hr", at, 10); !again || err != nil {
		t.Errorf("again %v, %v", again, err)
	}
	in := must[dayone.Intake](t)(d.Event(ctx, "evt_1"))
	if in.Tries != 1 || !in.Next.Equal(at.Add(time.Minute)) || in.Note != "not let in" {
		t.Errorf("%+v", in)
	}
	mine := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{State: dayone.EventReceived, Source: "hr", Subject: "emp_1", Oldest: true}))
	if len(mine) != 2 || mine[0].ID != "evt_1" {
		t.Errorf("events about one employment: %+v", mine)
	}
	if err := d.MarkEvent(ctx, "evt_2", dayone.EventQuarantined, "no start date"); err != nil {
		t.Fatal(err)
	}
	w := must[map[string]time.Time](t)(d.Waiting(ctx))
	if len(w) != 2 || !w["hr"].Equal(at.Add(time.Minute)) || !w["payroll"].IsZero() {
		t.Errorf("sources wait: %v", w)
	}
	e := dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "emp_2", Recorded: at}
	if err := d.Save(ctx, store.Saved{Person: "per_2", New: true, Employment: &e}); err != nil {
		t.Fatal(err)
	}
	waits(at, "hr", "evt_2")
}

// What was said of an offer is known without it becoming a person: whether anything was, and of when the newest word is that was
// looked at.
func offers(t *testing.T, d *store.DB) {
	ctx := t.Context()
	says := func(when string, but dayone.EventID, newest time.Time, any bool) {
		t.Helper()
		if at, is, err := d.Offers(ctx, "hr", "cand_1", but); err != nil || !at.Equal(newest) || is != any {
			t.Errorf("%s, but for %q: %v, %v, %v; want %v, %v", when, but, at, is, err, newest, any)
		}
	}
	say := func(id string, kind dayone.EventType, of, received time.Time) {
		t.Helper()
		ev := event(id, id)
		ev.Subject, ev.Type, ev.At, ev.Received = "cand_1", kind, of, received
		if _, _, err := d.Accept(ctx, ev, []byte(`{"id":"`+id+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	mark := func(id dayone.EventID, state dayone.EventState) {
		t.Helper()
		if err := d.MarkEvent(ctx, id, state, ""); err != nil {
			t.Fatal(err)
		}
	}
	says("with nothing said", "", time.Time{}, false)
	say("evt_1", dayone.Offered, at, at)
	says("with an offer that nobody has looked at", "", time.Time{}, true)
	says("for the event itself", "evt_1", time.Time{}, false)
	mark("evt_1", dayone.EventApplied)
	says("with an offer", "", at, true)
	say("evt_2", dayone.Offered, time.Time{}, at.Add(time.Hour)) // without a time it counts from when it came
	mark("evt_2", dayone.EventUnchanged)
	says("said again", "", at.Add(time.Hour), true)
	says("for the second", "evt_2", at, true)
	say("evt_3", dayone.OfferWithdrawn, at.Add(2*time.Hour), at.Add(2*time.Hour))
	mark("evt_3", dayone.EventQuarantined)
	says("with a word that cannot be read", "", at.Add(time.Hour), true)
	mark("evt_3", dayone.EventApplied)
	says("withdrawn", "", at.Add(2*time.Hour), true)
	say("evt_4", dayone.Hired, at.Add(3*time.Hour), at.Add(3*time.Hour)) // of the person, and not of the offer
	mark("evt_4", dayone.EventApplied)
	says("hired", "", at.Add(2*time.Hour), true)
	if _, is, err := d.Offers(ctx, "other", "cand_1", ""); err != nil || is {
		t.Errorf("another source knows of the offer: %v", err)
	}
}
