package flow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// few may know what is confidential.
var few = flow.As(context.Background(), dayone.Viewer{Login: "kim@company.com", Role: dayone.HR, Confidential: true})

// confides enters in confidence that somebody leaves.
func (h *house) confides(id dayone.PersonID, day string, fields ...string) dayone.Intake {
	h.t.Helper()
	p, err := h.PersonNow(few, id)
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]string{"end_date": day, "confidential": "true"}
	for i := 0; i < len(fields); i += 2 {
		all[fields[i]] = fields[i+1]
	}
	in, err := h.Enter(few, flow.Entry{Type: dayone.Terminated, Subject: string(p.Engagements[0].ID), Fields: all, By: "kim@company.com", Reason: "lay-off"})
	if err != nil {
		h.t.Fatal(err)
	}
	same(h.t, "the event", in.State, dayone.EventApplied)
	return in
}

// whats are the ledger's lines about somebody.
func (h *house) whats(id dayone.PersonID) []string {
	h.t.Helper()
	lines, err := h.Records(ctx, flow.RecordFilter{Person: id})
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.What)
	}
	return out
}

func TestAConfidentialTerminationIsNotThereBeforeItsEnd(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	row, _ := h.Person(ctx, id)
	lines := h.whats(id)
	in := h.confides(id, "2024-11-29")

	is(t, errOf(h.Event(ctx, in.ID)), dayone.ErrNotFound)
	after, err := h.Person(ctx, id)
	if err != nil || after != row {
		t.Errorf("the row says %+v, before %+v (%v)", after, row, err)
	}
	for _, at := range []time.Time{h.Now(), time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)} {
		_, p, err := h.WhyAt(ctx, id, dayone.Key{System: "okta", Kind: "account"}, at)
		if err != nil || p.Status != dayone.Working || !p.End.IsZero() {
			t.Errorf("asked about %s she is %s until %v (%v)", at, p.Status, p.End, err)
		}
	}
	if now := h.whats(id); !slices.Equal(now, lines) {
		t.Errorf("the ledger has %q, before %q", now, lines)
	}
	if tl, err := h.Timeline(ctx, id); err != nil || slices.ContainsFunc(tl.Facts, func(f dayone.Fact) bool { return f.Veiled }) {
		t.Errorf("the timeline tells it (%v)", err)
	}
	c, err := h.ConfidentialOf(few, id)
	if err != nil || c.LastDay().Format(time.DateOnly) != "2024-11-29" || c.Hidden || c.Hire {
		t.Errorf("HR sees %+v (%v)", c, err)
	}
	if in, err = h.Event(few, in.ID); err != nil || in.Note != "planned termination" {
		t.Errorf("HR sees the event as %q (%v)", in.Note, err)
	}
	is(t, errOf(h.Confidentials(ctx)), dayone.ErrForbidden)

	h.clock.Jump(c.Until)
	left := h.rests(id, run.ID)
	if left.Title != "Offboard Erin No 1001" {
		t.Errorf("the run is %q", left.Title)
	}
	h.shows(h.okta, "e1001@company.com", dayone.Disabled)
	if in, err = h.Event(ctx, in.ID); err != nil || in.Veiled {
		t.Errorf("afterwards the event is not found: %v", err)
	}
	if now := h.whats(id); !slices.Contains(now, "event: terminated") {
		t.Errorf("the ledger never got it: %q", now)
	}
	lines2, _ := h.Records(ctx, flow.RecordFilter{Person: id, Detail: true})
	for _, l := range lines2 {
		if r, err := flow.RecordOf(l); l.What == "event: terminated" && (err != nil || r.By != "kim@company.com" || !strings.Contains(r.Detail.Note, "lay-off; said in confidence at 2024-11-15")) {
			t.Errorf("the ledger says %+v %+v (%v)", r, r.Detail, err)
		}
	}
}

func errOf[T any](_ T, err error) error { return err }

// Called off it was never there; moved, it comes at its new end, also if the first one has passed; and once HR speaks of it
// aloud everybody may know.
func TestAConfidentialTerminationIsCalledOffMovedAndAnnounced(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	off, _ := h.hires(employee("1001", "start_date", here))
	moved, run := h.hires(employee("1002", "start_date", here))
	aloud, _ := h.hires(employee("1003", "start_date", here))
	for _, id := range []dayone.PersonID{off, moved, aloud} {
		h.confides(id, "2024-11-29")
	}
	p, _ := h.PersonNow(ctx, off)
	in, err := h.Enter(few, flow.Entry{Type: dayone.TerminationCancelled, Subject: string(p.Engagements[0].ID), By: "kim@company.com"})
	if err != nil || !in.Veiled {
		t.Fatalf("calling it off is told to everybody (%v)", err)
	}
	h.confides(moved, "2024-12-13")
	h.confides(aloud, "2024-11-29", "confidential", "no")
	if row, _ := h.Person(ctx, aloud); row.LastDay().Format(time.DateOnly) != "2024-11-29" {
		t.Errorf("it is not announced: %+v", row)
	}
	list, err := h.Confidentials(few)
	if err != nil || len(list) != 1 || list[0].Person != moved {
		t.Errorf("confidential are %+v (%v)", list, err)
	}

	h.later(16 * 24 * time.Hour) // 1 December
	h.becomes(aloud, dayone.Left)
	for _, id := range []dayone.PersonID{off, moved} {
		if _, err := h.Replan(ctx, id, "", ""); err != nil {
			t.Fatal(err)
		}
		if row, _ := h.Person(ctx, id); row.Status != dayone.Working || !row.Ends.IsZero() {
			t.Errorf("%s is %s until %v", row.Name, row.Status, row.Ends)
		}
	}
	is(t, errOf(h.Event(ctx, in.ID)), dayone.ErrNotFound)
	h.later(14 * 24 * time.Hour)
	h.becomes(moved, dayone.Left)
	h.rests(moved, run.ID)
	h.shows(h.okta, "e1002@company.com", dayone.Disabled)
}

func TestAnImmediateTerminationIsNeverConfidential(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	if in := h.confides(id, "2024-11-14"); in.Veiled {
		t.Error("the event is kept apart")
	}
	h.becomes(id, dayone.Left)
	h.rests(id, run.ID)
	h.shows(h.okta, "e1001@company.com", dayone.Disabled)
}

func TestNobodyKnowsOfAHireBeforeItsAnnouncement(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hires(employee("1001", "start_date", here))
	counts, _ := h.CountPeople(ctx)
	in, err := h.Enter(few, flow.Entry{
		Type: dayone.Hired, Subject: "ceo", By: "kim@company.com",
		Fields: map[string]string{
			"start_date": "2024-12-02", "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@company.com", "department": "Sales", "location": "Berlin",
			"employment_type": "FTE", "confidential": "true", "announced_on": "2024-11-25",
		},
	})
	if err != nil || in.State != dayone.EventApplied || in.Note != "future hire" {
		t.Fatalf("the hire is %s: %s (%v)", in.State, in.Note, err)
	}
	id := in.Person
	nobody := func(when string) {
		t.Helper()
		is(t, errOf(h.Person(ctx, id)), dayone.ErrNotFound)
		if rows, err := h.PeopleOf(ctx, []dayone.PersonID{id}); err != nil || len(rows) > 0 {
			t.Errorf("%s: among several: %+v, %v", when, rows, err)
		}
		is(t, errOf(h.Named(ctx, string(id))), dayone.ErrNotFound)
		is(t, errOf(h.Named(ctx, "ngozi@company.com")), dayone.ErrNotFound)
		is(t, errOf(h.Timeline(ctx, id)), dayone.ErrNotFound)
		is(t, errOf(h.Event(ctx, in.ID)), dayone.ErrNotFound)
		_, _, err := h.Access(ctx, id)
		is(t, err, dayone.ErrNotFound)
		is(t, errOf(h.Explain(ctx, id, dayone.Key{System: "okta", Kind: "account"})), dayone.ErrNotFound)
		is(t, errOf(h.Request(ctx, dayone.Request{Person: id, By: "kim@company.com", Reason: "x", Key: dayone.Key{System: "okta", Kind: "account"}})), dayone.ErrNotFound)
		if now, _ := h.CountPeople(ctx); len(now) != len(counts) || now[dayone.PreHire] != counts[dayone.PreHire] || now[dayone.Left] != counts[dayone.Left] {
			t.Errorf("%s: counted are %v, before %v", when, now, counts)
		}
		if all, _ := h.People(ctx, flow.PeopleFilter{}); len(all) != 1 {
			t.Errorf("%s: listed are %+v", when, all)
		}
		if lines := h.whats(id); len(lines) > 0 {
			t.Errorf("%s: the ledger has %q", when, lines)
		}
		if runs, _ := h.Runs(ctx, flow.RunFilter{Person: id}); len(runs) > 0 {
			t.Errorf("%s: something is done: %+v", when, runs)
		}
	}
	nobody("at once")
	h.later(3 * 24 * time.Hour)
	nobody("on the 18th, when accounts would be made")
	c, err := h.ConfidentialOf(few, id)
	if err != nil || c.Name != "Ngozi Eze" || !c.Hire || !c.Hidden || c.Until.UTC().Format(time.DateTime) != "2024-11-24 23:00:00" {
		t.Errorf("HR sees %+v (%v)", c, err)
	}
	if row, err := h.Person(few, id); err != nil || row.Name != "Ngozi Eze" || row.Status != dayone.PreHire {
		t.Errorf("HR sees %+v (%v)", row, err)
	}
	if rows, err := h.PeopleOf(few, []dayone.PersonID{id}); err != nil || rows[id].Name != "Ngozi Eze" {
		t.Errorf("among several HR sees %+v (%v)", rows, err)
	}

	h.clock.Jump(c.Until)
	row := until(h, "she is announced", func() (flow.Row, bool) {
		row, err := h.Person(ctx, id)
		return row, err == nil
	})
	if row.Name != "Ngozi Eze" || !row.Managed {
		t.Errorf("announced, she is %+v", row)
	}
	if lines := h.whats(id); !slices.Contains(lines, "event: hired") {
		t.Errorf("the ledger never got it: %q", lines)
	}
	h.later(5 * 24 * time.Hour)
	same(t, "title", h.rests(id, "").Title, "Onboard Ngozi Eze")
}

// HR's own record says it, or its source is configured so.
func TestHRSaysWhatIsConfidential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		hr := d.Sources["hr"]
		hr.Confidential = true
		d.Sources = map[string]flow.Source{"hr": hr}
	}
	h := w.open()
	h.hears(h.hr.Put(employee("1001", "start_date", here)))
	id := until(h, "she is known", func() (dayone.PersonID, bool) {
		row, err := h.Named(ctx, "e1001@company.com")
		return row.ID, err == nil
	})
	h.rests(id, "")
	h.hears(h.hr.Put(employee("1001", "start_date", here, "end_date", "2024-11-29")))
	until(h, "HR's record counts", func() (flow.Confidential, bool) {
		c, err := h.ConfidentialOf(few, id)
		return c, err == nil && !c.Ends.IsZero()
	})
	if row, _ := h.Person(ctx, id); !row.Ends.IsZero() {
		t.Errorf("everybody sees her leave on %v", row.Ends)
	}
	events, _ := h.Events(ctx, flow.EventFilter{Person: id})
	same(t, "events that others find", len(events), 1)
	// she moves on the way: that is for everybody
	h.hears(h.hr.Put(employee("1001", "start_date", here, "end_date", "2024-11-29", "department", "Sales")))
	until(h, "the transfer is found", func() (bool, bool) {
		events, _ := h.Events(ctx, flow.EventFilter{Person: id})
		for _, e := range events {
			if e.Note != "" && strings.Contains(e.Note, "termination") {
				t.Errorf("an event tells it: %q", e.Note)
			}
		}
		return true, len(events) == 2
	})
	if row, _ := h.Person(ctx, id); !row.Ends.IsZero() || row.Department != "Sales" {
		t.Errorf("she is %+v", row)
	}
}
