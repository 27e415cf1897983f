package flow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

// fired is somebody at work who is terminated at once; it returns when nothing is open any more.
func (h *house) fired(id dayone.PersonID, not dayone.RunID) dayone.Run {
	h.t.Helper()
	got, err := h.Terminate(ctx, id, "kim@company.com", "sold the customer list", "")
	if err != nil {
		h.t.Fatal(err)
	}
	if got.Run == "" {
		h.t.Fatalf("nothing was started: %+v", got)
	}
	return h.rests(id, not)
}

// held is what the books say of a person.
func (h *house) held(id dayone.PersonID) []dayone.Holding {
	h.t.Helper()
	have, err := h.Store.Holdings(ctx, id, false)
	if err != nil {
		h.t.Fatal(err)
	}
	return have
}

func (h *house) status(id dayone.PersonID) dayone.Status {
	h.t.Helper()
	l, err := h.Preview(ctx, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return l.Person.Status
}

func TestAccessEndsAtTheInstantAtWhichItIsSaidHere(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	before, err := h.TerminatePreview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, s := range before.Plan.Steps {
		if s.Action == dayone.AccountDisable {
			shown++
		}
	}
	same(t, "accounts that would be closed", shown, 2)
	same(t, "she still works here", h.status(id), dayone.Working)

	if _, err := h.Terminate(ctx, id, "kim@company.com", " ", ""); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	closed := h.fired(id, run.ID)
	same(t, "state", closed.State, dayone.RunDone)
	same(t, "she has left", h.status(id), dayone.Left)
	row, err := h.Person(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if row.Ends.Before(begin) || row.Ends.After(h.Now()) {
		t.Errorf("it ends at %v, and now is %v", row.Ends, h.Now())
	}
	for _, have := range h.held(id) {
		if have.State != dayone.Gone && have.State != dayone.Disabled && have.Key.Kind != "message" {
			t.Errorf("%s is %s", have.Key, have.State)
		}
	}
	if _, err := h.Terminate(ctx, id, "kim@company.com", "again", ""); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("said twice: %v", err)
	}
}

// Of several who end access at once one does. The others hear what stands, and nothing is done twice.
func TestAccessThatSeveralEndAtOnceEndsOnce(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	type answer struct {
		run dayone.RunID
		err error
	}
	answers := make(chan answer, 3)
	for range 3 {
		go func() {
			got, err := h.Terminate(ctx, id, "kim@company.com", "sold the customer list", "")
			answers <- answer{got.Run, err}
		}()
	}
	did := dayone.RunID("")
	var others []error
	for range 3 {
		switch a := <-answers; {
		case a.err != nil:
			others = append(others, a.err)
			is(t, a.err, dayone.ErrConflict)
		case did != "":
			t.Errorf("%s and %s end it", did, a.run)
		default:
			did = a.run
		}
	}
	same(t, "the others", len(others), 2)
	h.rests(id, run.ID)
	for _, err := range others {
		if want := "access was ended here on"; !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "by run "+string(did)) {
			t.Errorf("another hears: %v", err)
		}
	}
	same(t, "events", h.recorded("event: terminated"), 1)
}

// HR does not know of it and goes on as before: none of its ordinary words opens anything.
func TestAnOrdinaryWordOfHRBringsNoAccessBack(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]func(h *house) []byte{
		"an update":          func(h *house) []byte { return h.hr.Put(employee("1001", "start_date", here, "job_title", "Director")) },
		"an end to come":     func(h *house) []byte { return h.hr.Put(employee("1001", "start_date", here, "end_date", "2025-03-31")) },
		"a start that moved": func(h *house) []byte { return h.hr.Put(employee("1001", "start_date", "2024-11-18")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			id, run := h.hires(employee("1001", "start_date", here))
			h.fired(id, run.ID)
			h.clock.Jump(h.Now().Add(48 * time.Hour))
			in := h.judged(h.hears(body(h))[0].ID)
			same(t, "HR is heard", in.State, dayone.EventApplied)
			same(t, "she has left", h.status(id), dayone.Left)
			same(t, "no run", in.Run, "")
			if name == "an update" && !strings.Contains(in.Note, "stays closed") {
				t.Errorf("nobody is told why: %q", in.Note)
			}
		})
	}
}

func TestWhoWasTerminatedHereIsReinstatedHereAndHRsOwnEndStillCounts(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here, "end_date", "2024-12-31"))
	closed := h.fired(id, run.ID)
	if _, err := h.Reinstate(ctx, id, "kim@company.com", ""); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	h.clock.Jump(h.Now().Add(time.Hour))
	if _, err := h.Reinstate(ctx, id, "kim@company.com", "it was somebody else"); err != nil {
		t.Fatal(err)
	}
	h.rests(id, closed.ID)
	same(t, "she works here", h.status(id), dayone.Working)
	l, err := h.Preview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "HR's last day", l.Person.Engagements[0].LastDay, "2024-12-31")
	if _, err := h.Reinstate(ctx, id, "kim@company.com", "again"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("said twice: %v", err)
	}
}

func TestHRThatHiresAgainLiftsATerminationMadeHere(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	h.fired(id, run.ID)
	h.clock.Jump(h.Now().Add(24 * time.Hour))
	h.judged(h.hears(h.says("rehired", employee("1001", "start_date", "2024-11-16")))[0].ID)
	same(t, "she is back", h.status(id), dayone.Working)
}

// She is terminated while her first day is still being made, with steps that wait: nothing of it goes on.
func TestATerminationGivesUpAJoinerRunAtOnce(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.gitlab.Door().Inject(sim.Fault{Times: -1, Status: 503})
	in := h.judged(h.hears(h.hr.Put(employee("1001", "start_date", here)))[0].ID)
	joins := until(h, "a run under way", func() (dayone.Run, bool) {
		r, err := h.RunOf(ctx, in.Run)
		return r, err == nil && !r.State.Over() && len(h.held(in.Person)) > 0
	})
	got, err := h.Terminate(ctx, in.Person, "kim@company.com", "the contract is void", "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Run == joins.ID || got.Run == "" {
		t.Fatalf("the joiner's run goes on: %+v", got)
	}
	old, err := h.RunOf(ctx, joins.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the joiner's run", old.State, dayone.RunSuperseded)
	until(h, "the account at Okta to be closed", func() (bool, bool) {
		for _, have := range h.held(in.Person) {
			if have.Key.String() == "okta/account" {
				return true, have.State == dayone.Disabled
			}
		}
		return false, false
	})
}

// Whoever is only known from an import is closed just the same, and never planned as somebody who stays.
func TestAnEmergencyEndsWhoWasImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hr.Put(employee("1", "start_date", "2020-01-06"))
	h := w.open()
	if _, err := h.Import(ctx, "hr"); err != nil {
		t.Fatal(err)
	}
	rows, err := h.People(ctx, flow.PeopleFilter{Limit: 5})
	if err != nil || len(rows) != 1 || rows[0].Managed {
		t.Fatalf("%+v %v", rows, err)
	}
	if _, err := h.Terminate(ctx, rows[0].ID, "kim@company.com", "stole the tea", ""); err != nil {
		t.Fatal(err)
	}
	row := h.becomes(rows[0].ID, dayone.Left)
	same(t, "managed", row.Managed, true)
	runs, err := h.Runs(ctx, flow.RunFilter{Person: row.ID, Limit: 5})
	if err != nil || len(runs) > 0 {
		t.Errorf("the books know of no access, so there is nothing to do: %v %v", runs, err)
	}
}

// HR hires her anew after access was ended here: that is HR's word, given later and of another employment. Nobody has to
// reinstate her. An employment that begins before the end lets her in no more than before.
func TestHRThatHiresAnewLetsInWhoWasTerminatedHere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start  string
		status dayone.Status
	}{
		"a first day to come":      {"2024-12-02", dayone.PreHire},
		"a first day that is past": {"2024-11-11", dayone.Left},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newWorld(t).open()
			id, run := h.hires(employee("1001", "start_date", here))
			closed := h.fired(id, run.ID)
			h.later(48 * time.Hour)
			in := h.looked(h.hears(h.hr.Put(employee("2002", "email", "e1001@company.com", "last_name", "No 1001", "start_date", c.start)))[0].ID)
			same(t, "is she known", in.State, dayone.EventAsked)
			ms, err := h.Matches(few, true, 5)
			if err != nil || len(ms) != 1 {
				t.Fatalf("%+v, %v", ms, err)
			}
			if _, err := h.DecideMatch(few, ms[0].ID, id, "kim@company.com", "back again"); err != nil {
				t.Fatal(err)
			}
			in = h.judged(in.ID)
			same(t, "she is", h.status(id), c.status)
			l, err := h.Preview(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if c.status == dayone.Left {
				same(t, "hired anew", l.Person.Anew.IsZero(), true)
				if !strings.Contains(in.Note, "stays closed") {
					t.Errorf("nobody is told why: %q", in.Note)
				}
				return
			}
			same(t, "hired anew after the end", l.Person.Anew.IsZero(), false)
			if strings.Contains(in.Note, "stays closed") {
				t.Errorf("it is said to stay closed: %q", in.Note)
			}
			k, err := h.History(ctx, id, flow.HistoryQuery{})
			if err != nil || len(k.Changes) == 0 || !strings.Contains(k.Changes[0].Intent, "hired anew after access was ended here") {
				t.Errorf("the timeline says %+v, %v", k.Changes, err)
			}
			h.later(16 * 24 * time.Hour)
			h.accountIs(id, dayone.Active)
			same(t, "on her first day", h.status(id), dayone.Working)
			again := h.rests(id, closed.ID)
			if bad := failures(again); len(bad) > 0 {
				t.Errorf("her run is %s: %v", again.State, bad)
			}

			// and she can be terminated again, as everybody
			h.fired(id, again.ID)
			same(t, "she is out", h.status(id), dayone.Left)
		})
	}
}
