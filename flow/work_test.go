package flow_test

import (
	"database/sql"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

func TestWhatDayoneDidIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	h.hires(employee("1001", "start_date", here, "department", "Finance"))
	counted := func() map[dayone.Action]int {
		t.Helper()
		return until(h, "a count", func() (map[dayone.Action]int, bool) {
			left, err := h.Store.Uncounted(ctx, "", 1)
			s, err2 := h.Saved(ctx)
			return s.Steps, err == nil && err2 == nil && len(left) == 0 && len(s.Steps) > 0
		})
	}
	first := counted()
	same(t, "accounts", first[dayone.AccountCreate], 1)
	same(t, "groups", first[dayone.EntitlementAdd], 1)
	h.stop() // as after a crash: what is counted stays counted, once
	h = w.open()
	h.later(time.Hour)
	if again := counted(); again[dayone.AccountCreate] != 1 {
		t.Errorf("counted again: %v", again)
	}

	s, err := h.Saved(ctx)
	if err != nil || s.Baseline.Seq != 0 || s.Minutes != 0 {
		t.Errorf("without a baseline %+v, %v", s, err)
	}
	_, err = h.SetBaseline(ctx, map[dayone.Action]float64{dayone.AccountCreate: -1}, 0, "kim@company.com", "")
	is(t, err, dayone.ErrInvalid)
	_, err = h.SetBaseline(ctx, map[dayone.Action]float64{"account.read": 1}, 0, "kim@company.com", "")
	is(t, err, dayone.ErrInvalid)
	if _, err := h.SetBaseline(ctx, map[dayone.Action]float64{dayone.AccountCreate: 12, dayone.EntitlementAdd: 2.5}, 0, "kim@company.com", "measured"); err != nil {
		t.Fatal(err)
	}
	_, err = h.SetBaseline(ctx, map[dayone.Action]float64{dayone.AccountCreate: 1}, 0, "eve@company.com", "")
	is(t, err, dayone.ErrConflict)
	if s, err = h.Saved(ctx); err != nil || s.Minutes != 14.5 || s.Counted != 2 {
		t.Errorf("worth %v of %d, %v", s.Minutes, s.Counted, err)
	}

	ready, err := h.Readiness(ctx)
	if err != nil || len(ready) != 2 || ready[0].N != 1 || ready[0].Median < 0 || ready[0].Median > time.Minute {
		t.Errorf("ready %+v, %v", ready, err)
	}
	h.later(40 * 24 * time.Hour)
	if ready, err = h.Readiness(ctx); err != nil || ready[0].N != 0 || ready[1].N != 1 {
		t.Errorf("later %+v, %v", ready, err)
	}
}

// A first run that needs a retry counts with its second end: what it had done before once, and its starter is ready then.
func TestARunThatIsTriedAgainIsCountedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &forbids{}
	w.transport = f
	h := w.open()
	_, run := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	counted := func(groups, ready int) {
		t.Helper()
		until(h, "a count", func() (bool, bool) {
			left, err := h.Store.Uncounted(ctx, "", 1)
			s, err2 := h.Saved(ctx)
			r, err3 := h.Readiness(ctx)
			return true, errors.Join(err, err2, err3) == nil && len(left) == 0 && s.Steps[dayone.AccountCreate] == 1 && s.Steps[dayone.EntitlementAdd] == groups && r[0].N == ready
		})
	}
	counted(0, 0)
	list, err := h.Failures(ctx, "", 5)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	f.off.Store(true)
	h.later(time.Hour)
	if err := h.Decide(ctx, run.ID, list[0].Step.ID, engine.Human{Verb: engine.Retry, By: "kim@company.com"}); err != nil {
		t.Fatal(err)
	}
	counted(1, 1)
	if r, err := h.Readiness(ctx); err != nil || r[0].Median < time.Hour {
		t.Errorf("ready before the retry: %+v, %v", r, err)
	}
	s, err := h.Saved(of(dayone.HR, german))
	for country, n := range map[string]int{"DE": 1, "US": 0} { // a scope has starters of its own
		if r, err := h.Readiness(of(dayone.HR, dayone.Reach{Countries: []string{country}})); err != nil || r[0].N != n {
			t.Errorf("ready in %s: %+v, %v", country, r, err)
		}
	}
	if err != nil || !s.Untold || len(s.Steps) != 0 || s.Minutes != 0 {
		t.Errorf("whoever sees some is told of all: %+v, %v", s, err)
	}
}

// worth waits until all that ended is counted, and says what it comes to.
func (h *house) worth() map[dayone.Action]int {
	h.t.Helper()
	return until(h, "all is counted", func() (map[dayone.Action]int, bool) {
		left, err := h.Store.Uncounted(ctx, "", 1)
		s, err2 := h.Saved(ctx)
		return s.Steps, err == nil && err2 == nil && len(left) == 0
	})
}

// A hire that was a mistake is taken back: first a group, then the rest. It saves nobody anything, nor does taking it back; half of it, what stayed.
func TestWhatWasUndoneSavesNothing(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	first := h.worth()
	if first[dayone.AccountCreate] != 2 || first[dayone.EntitlementAdd] != 2 || first[dayone.MessageSend] == 0 {
		t.Fatalf("the hire is worth %v", first)
	}
	steps, _ := flow.StepsNamed(r, []string{"gitlab/group:platform"})
	h.undoes(r.ID, steps...)
	h.rested(p)
	half := h.worth()
	if half[dayone.EntitlementAdd] != 1 || half[dayone.EntitlementRemove] != 0 || half[dayone.AccountCreate] != 2 || half[dayone.MessageSend] != first[dayone.MessageSend] {
		t.Errorf("half undone it is worth %v", half)
	}
	h.undoes(r.ID)
	h.rested(p)
	if none := h.worth(); len(none) != 0 {
		t.Errorf("undone it is worth %v", none)
	}
	h.hires(employee("2", "email", "bo@company.com", "start_date", here, "department", "Finance"))
	if next := h.worth(); next[dayone.AccountCreate] != 1 || next[dayone.EntitlementAdd] != 1 {
		t.Errorf("the next one is worth %v", next)
	}
}

// So is one that turned back before its end.
func TestARunThatTurnedBackSavesNothing(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	in := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2024-11-16")))[0].ID)
	r := h.rests(in.Person, "")
	same(t, "it waits for the first login", r.State, dayone.RunWaiting)
	u := h.preview(r.ID)
	if _, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash}); err != nil {
		t.Fatal(err)
	}
	same(t, "state", h.over(r.ID).State, dayone.RunUndone)
	h.rested(in.Person)
	if none := h.worth(); len(none) != 0 {
		t.Errorf("turned back it is worth %v", none)
	}
}

// Runs that nobody can read keep nobody else's from being counted, however many they are; who can be read again is counted then.
func TestRunsThatCannotBeReadDoNotStandInTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	_, first := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	counted := func(accounts int) {
		t.Helper()
		until(h, "a count", func() (bool, bool) {
			s, err := h.Saved(ctx)
			return true, err == nil && s.Steps[dayone.AccountCreate] == accounts
		})
	}
	counted(1)
	h.stop()
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var box string
	if err := raw.QueryRow(`SELECT box FROM run WHERE id = $1`, first.ID).Scan(&box); err != nil {
		t.Fatal(err)
	}
	do := func(q string, args ...any) {
		t.Helper()
		if _, err := raw.Exec(q, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`DELETE FROM work`)
	do(`UPDATE run SET counted = 0, counted_to = 0, box = 'unreadable' WHERE id = $1`, first.ID)
	do(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
		INSERT INTO run (id, person, event, state, ending, started, ended, hash, machine, title_box, box)
		SELECT printf('run_%026d', i), person, event, state, ending, started, ended, hash, machine, title_box, box FROM run, n WHERE run.id = $1`, first.ID)

	h = w.open()
	h.hires(employee("1002", "email", "bo@company.com", "start_date", here, "department", "Finance"))
	counted(1)
	do(`UPDATE run SET box = $1 WHERE id = $2`, box, first.ID)
	h.later(time.Hour)
	counted(2)
}

// forbids lets Okta refuse to put anybody into a group.
type forbids struct{ off atomic.Bool }

func (f *forbids) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/groups/") && !f.off.Load() {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"errorCode":"E0000006"}`)), Request: r}, nil
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestAFailureIsShownUntilItIsMadeGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &forbids{}
	w.transport = f
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	list, err := h.Failures(ctx, "", 5)
	if err != nil || len(list) != 1 || list[0].Person != id || list[0].Run != run.ID || list[0].Kind != dayone.ErrForbidden.Error() || list[0].Step.Key.String() != "okta/group:base-employee" || list[0].Since.IsZero() {
		t.Fatalf("%+v, %v", list, err)
	}
	if other, err := h.Failures(ctx, "gitlab", 5); err != nil || len(other) > 0 {
		t.Errorf("elsewhere %v, %v", other, err)
	}
	f.off.Store(true)
	if err := h.Decide(ctx, run.ID, list[0].Step.ID, engine.Human{Verb: engine.Retry, By: "kim@company.com"}); err != nil {
		t.Fatal(err)
	}
	until(h, "no failure", func() (bool, bool) {
		list, err := h.Failures(ctx, "", 5)
		return true, err == nil && len(list) == 0
	})
}
