package flow_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
)

// gentle keeps for a time what a mover loses.
const gentle = `
policies:
  - id: everyone
    title: Everyone
    owner: it@company.com
    match: everyone
    grant:
      - {to: okta/account}
      - {to: okta/group:base-employee}
  - id: engineers
    title: Engineers
    owner: it@company.com
    match: {department: Engineering}
    on_revoke: {suspend: 5d, delete_after: 10d}
    grant:
      - {to: gitlab/account}
      - {to: gitlab/group:platform, role: developer}
  - id: sales
    title: Sales
    owner: it@company.com
    match: {department: Sales}
    grant:
      - {to: okta/group:sales-team, grace: 14d}
`

func TestAMoverKeepsForATimeWhatSheWasPromised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(gentle)
	h := w.open()
	p, r := h.atWork("1")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")

	record := employee("1", "department", "Engineering", "effective_date", "2024-11-25")
	r = h.changes(p, r.ID, record)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	l, err := h.Preview(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Plan.Later) != 1 || l.Plan.Later[0].Key.String() != "okta/group:sales-team" || !l.Plan.Later[0].From.Truncate(time.Minute).Equal(at(t, "2024-12-09T09:00:00Z")) {
		t.Errorf("later: %+v", l.Plan.Later)
	}
	h.stop()
	h = w.open() // a restart does not make it longer
	h.clock.Jump(at(t, "2024-12-09T08:59:00Z"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	h.clock.Jump(at(t, "2024-12-09T09:01:00Z"))
	r = h.rests(p, r.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")

	// back before it is over: nothing was lost, and the next time it counts anew
	h.gitlab.Login("e1@company.com")
	h.clock.Jump(at(t, "2024-12-10T09:00:00Z"))
	back := employee("1", "department", "Sales", "effective_date", "2024-12-10")
	r = h.changes(p, r.ID, back)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
	h.clock.Jump(at(t, "2024-12-12T09:00:00Z"))
	r = h.changes(p, r.ID, employee("1", "department", "Engineering", "effective_date", "2024-12-12"))
	h.clock.Jump(at(t, "2024-12-16T10:00:00Z"))
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")

	// a leaver keeps nothing, whatever was promised
	h.hears(h.hr.Put(employee("1", "department", "Engineering", "effective_date", "2024-12-12", "end_date", "2024-12-16")))
	h.clock.Jump(at(t, "2024-12-16T23:00:00Z"))
	h.closed("e1@company.com")
	until(h, "gitlab is closed", func() (bool, bool) {
		a, _ := account(h.gitlab, "e1@company.com")
		return true, a.State == dayone.Disabled
	})
}

func TestALifeCycleMayCloseASystemLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := w.folder(housePolicy).(fstest.MapFS)
	people := string(files["people.yaml"].Data) + "  systems:\n    gitlab: {lifecycle: {terminated: {disable: 2d, delete_after: 30d}}}\n"
	files["people.yaml"] = &fstest.MapFile{Data: []byte(people)}
	w.files = files
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID)
	h.clock.Jump(at(t, "2024-11-24T23:00:00Z"))
	h.rests(in.Person, "")
	h.gitlab.Login("e1@company.com")
	h.hears(h.hr.Put(employee("1", "end_date", "2024-12-06")))
	h.clock.Jump(at(t, "2024-12-06T23:00:00Z"))
	h.closed("e1@company.com")
	until(h, "what hangs on it goes at once", func() (bool, bool) {
		a, _ := account(h.gitlab, "e1@company.com")
		return true, len(a.Entitlements) == 0
	})
	h.clock.Jump(at(t, "2024-12-08T22:00:00Z"))
	h.shows(h.gitlab, "e1@company.com", dayone.Active)
	h.clock.Jump(at(t, "2024-12-08T23:01:00Z"))
	until(h, "gitlab is closed", func() (bool, bool) {
		a, _ := account(h.gitlab, "e1@company.com")
		return true, a.State == dayone.Disabled
	})
}

func TestAnAccountStaysAsLongAsWhatHangsOnIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files = w.folder(strings.ReplaceAll(strings.ReplaceAll(gentle, "    on_revoke: {suspend: 5d, delete_after: 10d}\n", ""), "role: developer}", "role: developer, grace: 14d}"))
	h := w.open()
	in := h.judged(h.hears(h.hr.Put(employee("1")))[0].ID)
	h.clock.Jump(at(t, "2024-11-24T23:00:00Z"))
	r := h.rests(in.Person, "")
	h.gitlab.Login("e1@company.com")
	h.clock.Jump(at(t, "2024-11-26T09:00:00Z"))
	h.settledAt(in.Person)
	r = h.rests(in.Person, "")
	r = h.changes(in.Person, r.ID, employee("1", "department", "Sales", "effective_date", "2024-11-26"))
	h.settledAt(in.Person)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
	h.clock.Jump(at(t, "2024-12-09T09:00:00Z"))
	h.settledAt(in.Person)
	h.shows(h.gitlab, "e1@company.com", dayone.Active, "group:platform=developer")
	h.clock.Jump(at(t, "2024-12-10T09:01:00Z"))
	h.rests(in.Person, r.ID)
	until(h, "gitlab is closed", func() (bool, bool) {
		a, _ := account(h.gitlab, "e1@company.com")
		return true, a.State == dayone.Disabled && len(a.Entitlements) == 0
	})
}
