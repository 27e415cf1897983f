package flow_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// spoils writes into the database of a house that is shut.
func (w *world) spoils(t *testing.T, what string, args ...any) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(what, args...); err != nil {
		t.Error(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a vendor's console gave is not agreed to by being there, is not accepted by its owner, and gets no end.
func TestNobodyKeepsWhatWouldHaveToBeAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(housePolicy + `
  - id: finance-reads
    title: Finance reads what sales does, if its manager agrees
    owner: it@company.com
    match: {department: Finance}
    offer:
      - {to: okta/group:sales-team, for: 30d, approval: {by: [manager], within: 10d}}
`)
	h := w.open()
	id, _ := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	h.later(2 * time.Hour)
	a, _ := account(h.okta, "e1001@company.com")
	for _, group := range []string{"sales-team", "contractors"} {
		h.another(http.MethodPut, "/api/v1/groups/"+h.oktaGroup(group)+"/users/"+a.Ref)
	}
	got := h.drifts()
	only(t, got, "extra okta/group:sales-team", "extra okta/group:contractors")
	asked, free := got["extra okta/group:sales-team"].ID, got["extra okta/group:contractors"].ID

	_, err := h.AcceptDrift(ctx, free, "E1001@company.com", "I want it", time.Time{})
	is(t, err, dayone.ErrForbidden)
	_, err = h.AcceptDrift(ctx, free, "kim@company.com", "for a week", h.clock.Now().AddDate(0, 0, 7))
	is(t, err, dayone.ErrInvalid)
	_, err = h.AcceptDrift(ctx, asked, "kim@company.com", "she helps out", time.Time{})
	is(t, err, dayone.ErrForbidden)
	if v, err := h.DriftOf(ctx, asked); err != nil || !strings.Contains(v.Refused, "dayone request") {
		t.Errorf("it says %q, %v", v.Refused, err)
	}
	have, err := h.Store.Holdings(ctx, id, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range have {
		if x.State == dayone.Active && (x.Key.Name == "contractors" || x.Key.Name == "sales-team") {
			t.Errorf("the books have %s", x.Key)
		}
	}
	if _, err := h.AcceptDrift(ctx, free, "kim@company.com", "she helps out", time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// Whether a list shrank is known even where the books do not compare, and one who cannot be read keeps nobody from being compared.
func TestAccountsAreCountedWhateverTheBooksSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := &elsewhere{}
	w.transport = wrong
	h := w.open()
	first, _ := h.hires(employee("1001", "start_date", here, "department", "Finance"))
	h.hires(employee("1002", "start_date", here, "department", "Finance"))
	h.later(2 * time.Hour)
	only(t, h.drifts())
	other, _ := account(h.okta, "e1002@company.com")
	h.another(http.MethodPost, "/api/v1/users/"+other.Ref+"/lifecycle/suspend")
	h.stop()
	w.spoils(t, `UPDATE holding SET box = '1.AAAA' WHERE person = $1`, first)
	h = w.open()
	only(t, h.drifts(), "closed okta/account")
	h.stop()

	w.spoils(t, `CREATE TRIGGER full_disk BEFORE UPDATE ON drift BEGIN SELECT RAISE(FAIL, 'no room'); END`)
	h = w.open()
	h.later(time.Hour)
	before := h.clock.Now()
	s, err := h.CountSystem(ctx, "okta")
	if err != nil || s.Accounts != len(h.okta.Accounts()) || s.Counted.Before(before) {
		t.Errorf("counted %+v, %v", s, err)
	}
	reads, err := h.DriftReadings(ctx)
	if err != nil || !strings.Contains(reads["okta"].Note, "could not be compared") {
		t.Errorf("the reading says %+v, %v", reads["okta"], err)
	}
	wrong.answers.Store(http.StatusOK)
	if s, err := h.CountSystem(ctx, "okta"); err != nil || s.Note == "" {
		t.Errorf("a list that shrank: %+v, %v", s, err)
	}
}

// A system that is stopped is not read, and what was known of it stays; one that is being retired is forgotten.
func TestAHeldSystemIsNotRead(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id := h.engineers(1)[0]
	k := dayone.Key{System: "gitlab", Kind: "group", Name: "other"}
	if err := h.Store.SaveDrift(ctx, "gitlab", h.clock.Now(), []dayone.Drift{{ID: "drf_1", Person: id, Key: k, Kind: dayone.DriftExtra}}, nil); err != nil {
		t.Fatal(err)
	}
	h.stops("gitlab")
	calls := len(h.gitlab.Door().Requests())
	is(t, h.ReadSystem(ctx, "gitlab", "kim"), dayone.ErrConflict)
	_, err := h.CountSystem(ctx, "gitlab")
	is(t, err, dayone.ErrConflict)
	if n := len(h.gitlab.Door().Requests()) - calls; n > 0 {
		t.Errorf("it was called %d times", n)
	}
	left := func() int {
		t.Helper()
		list, err := h.Drift(ctx, flow.DriftFilter{System: "gitlab"})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	reads, err := h.DriftReadings(ctx)
	if err != nil || !strings.Contains(reads["gitlab"].Note, "stopped") || left() != 1 {
		t.Errorf("the reading says %+v, %v; %d differ", reads["gitlab"], err, left())
	}
	h.retires("gitlab", dayone.OrderRelease)
	reads, err = h.DriftReadings(ctx)
	if err != nil || reads["gitlab"].Note != "" || left() != 0 {
		t.Errorf("retired, and it says %+v, %v; %d differ", reads["gitlab"], err, left())
	}
	is(t, h.ReadSystem(ctx, "gitlab", "kim"), dayone.ErrConflict)
}

// What a run has just done is done again as soon as somebody says so: nobody waits for an hour, and nothing is held back in silence.
func TestWhatJustCameIsPutRightAtOnce(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	mail := "e1@company.com"
	p := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID).Person
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	before := h.rests(p, "")
	h.clock.Jump(at(t, "2024-11-25T09:00:00Z"))
	h.accountIs(p, dayone.Active) // the first day's run opens it, and goes on until she signs in elsewhere
	h.later(2 * time.Hour)
	h.gitlab.Login(mail)
	first := h.rests(p, before.ID)
	for i := 0; first.State != dayone.RunDone && i < 50; i++ { // however long it is until somebody looks again
		h.later(10 * time.Minute)
		first = h.rests(p, before.ID)
	}
	same(t, "the first day's run", first.State, dayone.RunDone)
	h.rested(p)

	a, _ := account(h.okta, mail)
	h.another(http.MethodPost, "/api/v1/users/"+a.Ref+"/lifecycle/suspend")
	x, found := h.drifts()["closed okta/account"]
	if !found {
		t.Fatal("nobody sees that it is closed")
	}
	if ago := h.clock.Now().Sub(first.Ended); ago > time.Hour {
		t.Fatalf("the run ended %s ago, so that it is tried again by itself", ago)
	}
	if _, err := h.PutRight(ctx, x.ID, "kim@company.com", "CHG-1"); err != nil {
		t.Fatal(err)
	}
	h.accountIs(p, dayone.Active)
	h.shows(h.okta, mail, dayone.Active, "group:base-employee")
}
