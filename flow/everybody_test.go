package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// proposal is another policy text for the house.
func (h *house) proposal(policies string, only map[string]string) flow.Proposal {
	h.t.Helper()
	files := h.folder(policies)
	set, diags := h.Load(files)
	if set == nil {
		h.t.Fatal(diags)
	}
	return flow.Proposal{Set: set, Files: files, Only: only, Author: "kim@company.com"}
}

func (h *house) everybody(pr flow.Proposal) flow.Everybody {
	h.t.Helper()
	e, err := h.PlanAll(ctx, pr, nil, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func TestPoliciesCountWhenTheirPlanIsApplied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	h.hires(employee("2", "start_date", "2024-11-11", "department", "Legal"))
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")

	none := strings.Replace(housePolicy, "- {to: okta/group:sales-team}", "- {to: gitlab/account}\n      - {to: gitlab/group:platform, role: guest}", 1)
	pr := h.proposal(none, nil)
	e := h.everybody(pr)
	same(t, "people who change", len(e.Changes), 1)
	c := e.Changes[0]
	if c.Person != p || len(c.Gained) != 2 || len(c.Lost) != 1 || c.Lost[0].Key.String() != "okta/group:sales-team" || c.Lost[0].By == "" {
		t.Errorf("the change is %+v", c)
	}
	same(t, "policies that change", len(e.Policies), 1)
	same(t, "and it is", e.Policies[0].ID, "sales")
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team") // a plan does nothing

	_, err := h.Apply(ctx, pr, e, "kim@company.com", "", "")
	is(t, err, dayone.ErrForbidden) // nobody approves what he wrote
	st, err := h.Apply(ctx, pr, e, "priya@company.com", "CHG-1", "")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the stage", st.Seq, int64(2))
	h.rests(p, r.ID)
	h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee")
	if a, ok := account(h.gitlab, "e1@company.com"); !ok || len(a.Entitlements) != 1 {
		t.Errorf("gitlab: %+v", a)
	}
	_, err = h.Apply(ctx, pr, e, "priya@company.com", "", "")
	is(t, err, dayone.ErrConflict) // the same plan is done once

	h.stop() // and what was applied is what counts after a restart, whatever lies in the folder
	h = w.open()
	same(t, "in force", h.Active().Hash, pr.Set.Hash)
	stands, err := h.Policies(ctx)
	if err != nil || !stands.Behind() || len(stands.Stages) != 2 {
		t.Errorf("the folder is as it was, so it is behind: %+v, %v", stands, err)
	}

	back, err := h.Policies(ctx)
	if err != nil {
		t.Fatal(err)
	}
	old := h.proposal(housePolicy, nil)
	old.Author = "priya@company.com"
	same(t, "going back is the first version", old.Set.Hash, back.Stages[0].Version)
	if _, err := h.Apply(ctx, old, h.everybody(old), "kim@company.com", "it was a mistake", ""); err != nil {
		t.Fatal(err)
	}
	until(h, "the old access", func() (bool, bool) {
		a, ok := account(h.okta, "e1@company.com")
		return true, ok && len(a.Entitlements) == 2
	})
}

func TestAPlanIsRefusedWhenPeopleChanged(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	pr := h.proposal(strings.Replace(housePolicy, "      - {to: okta/group:sales-team}", "      - {to: gitlab/account}", 1), nil)
	e := h.everybody(pr)
	h.clock.Jump(at(t, "2024-11-16T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "department", "Legal"))
	_, err := h.Apply(ctx, pr, e, "priya@company.com", "", "")
	is(t, err, dayone.ErrConflict)
	if err == nil || !strings.Contains(err.Error(), string(p)) {
		t.Errorf("it does not say for whom: %v", err)
	}
}

func TestPoliciesMayCountForSomeFirst(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p1, r1 := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	p2, r2 := h.hires(employee("2", "start_date", "2024-11-11", "department", "Legal"))
	all := strings.Replace(housePolicy, "- {to: okta/group:base-employee}", "- {to: okta/group:base-employee}\n      - {to: okta/group:sales-team}", 1)
	pr := h.proposal(all, map[string]string{"department": "Legal"})
	e := h.everybody(pr)
	same(t, "people who change", len(e.Changes), 1)
	if _, err := h.Apply(ctx, pr, e, "priya@company.com", "", ""); err != nil {
		t.Fatal(err)
	}
	h.rests(p2, r2.ID)
	h.shows(h.okta, "e2@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	runs, _ := h.Runs(ctx, flow.RunFilter{Person: p1, Limit: 5})
	same(t, "the other's runs", runs[0].ID, r1.ID)
	look, err := h.Preview(ctx, p1)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "set for sales", h.ActiveFor(look.Person).Hash != pr.Set.Hash, true)
}

func TestABrakeIsReleasedWithAReason(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
		h.hires(employee(id, "start_date", "2024-11-11", "department", "Sales"))
	}
	pr := h.proposal(strings.Replace(housePolicy, "- {to: okta/group:sales-team}", "- {to: okta/account}", 1), nil)
	e := h.everybody(pr)
	same(t, "limits", len(e.Brakes), 2) // six of six lose something, and the group is left empty
	_, err := h.Apply(ctx, pr, e, "priya@company.com", "", "")
	is(t, err, dayone.ErrForbidden)
	st, err := h.Apply(ctx, pr, e, "priya@company.com", "", "the sales team is called off")
	if err != nil || !strings.Contains(st.Reason, "called off") {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestABrokenFolderStopsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.open()
	p, r := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	h.stop()
	w.files = w.folder("policies: [{id: broken")
	h = w.open()
	stands, err := h.Policies(ctx)
	if err != nil || stands.Folder != "" || len(stands.Broken) == 0 {
		t.Fatalf("a broken folder: %+v, %v", stands, err)
	}
	h.clock.Jump(at(t, "2024-11-18T08:00:00Z"))
	h.changes(p, r.ID, employee("1", "start_date", "2024-11-11", "end_date", "2024-11-16", "department", "Sales")) // terminations keep running
	h.shows(h.okta, "e1@company.com", dayone.Disabled)
}

func TestAPastDecisionIsExplainedAsItWasMade(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	p, _ := h.hires(employee("1", "start_date", "2024-11-11", "department", "Sales"))
	then := h.clock.Now()
	h.clock.Jump(at(t, "2024-11-20T08:00:00Z"))
	pr := h.proposal(strings.Replace(housePolicy, "      - {to: okta/group:sales-team}", "      - {to: gitlab/account}", 1), nil)
	if _, err := h.Apply(ctx, pr, h.everybody(pr), "priya@company.com", "", ""); err != nil {
		t.Fatal(err)
	}
	key, _ := dayone.ParseKey("okta/group:sales-team")
	now, _, err := h.WhyAt(ctx, p, key, time.Time{})
	if err != nil || len(now.Lines) != 0 {
		t.Errorf("now: %+v, %v", now, err)
	}
	past, _, err := h.WhyAt(ctx, p, key, then)
	if err != nil || past.Answer != "given" || len(past.Lines) != 1 || past.Lines[0].Policy != "sales" {
		t.Errorf("then: %+v, %v", past, err)
	}
}

// A deny that cannot be answered gives nothing new and takes nothing: neither the editor nor a plan counts it as a gain.
func TestADenyThatCannotBeAnsweredIsNoGain(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	h.hires(employee("1", "start_date", "2024-11-11", "department", "Legal"))               // nobody knows her level
	h.hires(employee("2", "start_date", "2024-11-11", "department", "Legal", "level", "3")) // and his is known
	h.hires(employee("3", "start_date", "2024-11-11", "department", "Sales"))               // has it, and keeps it
	const more = `
  - id: lawyers
    title: Lawyers
    owner: it@company.com
    match: {department: [Legal, Sales]}
    grant:
      - {to: okta/group:sales-team}
  - id: not-the-top
    title: Not for the top
    owner: it@company.com
    when: person.level >= 7
    deny: [{to: okta/group:sales-team, reason: not for the top}]
`
	pr := h.proposal(housePolicy+more, nil)
	e := h.everybody(pr)
	if len(e.Changes) != 1 || len(e.Changes[0].Gained) != 1 || e.Changes[0].Name != "Erin No 2" || len(e.Changes[0].Lost) != 0 {
		t.Errorf("the plan changes %+v", e.Changes)
	}
	d, err := h.Judge(ctx, nil, pr.Set)
	if err != nil || len(d.Impact.Keys) != 1 || d.Impact.Keys[0].Gain.GetCardinality() != 1 || !d.Impact.Keys[0].Lose.IsEmpty() || d.Names[d.Impact.Keys[0].Key].Gain[0] != "Erin No 2" {
		t.Errorf("the editor says %+v, %v", d.Impact.Keys, err)
	}
}

// Where a system tells how many seats there are, a plan says how many it needs; what shares a licence is counted together.
func TestAPlanSaysHowManySeatsItNeeds(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	for _, id := range []string{"1", "2", "3"} {
		h.hires(employee(id, "start_date", "2024-11-11", "department", "Legal"))
	}
	h.hires(employee("4", "start_date", "2024-11-11", "department", "Sales"))
	base, sales := dayone.Key{System: "okta", Kind: "group", Name: "base-employee"}, dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	seats := &dayone.Seats{Pool: "Suite", Total: 10, Used: 9}
	if err := h.Store.SaveCatalogue(ctx, "okta", []dayone.Offer{{Key: base, Ref: "b", Seats: seats}, {Key: sales, Ref: "s", Seats: seats}}, h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	e := h.everybody(h.proposal(strings.Replace(housePolicy, "match: {department: Sales}", "match: {department: Legal}", 1), nil))
	if len(e.Seats) != 1 {
		t.Fatalf("seats: %+v", e.Seats)
	}
	if s := e.Seats[0]; s.Pool != "Suite" || s.Needed != 2 || s.Free != 1 || s.Short != 1 || s.Total != 10 || strings.Join(s.Keys, " ") != "okta/group:sales-team" {
		t.Errorf("three gain it and one loses it, and it says %+v", s)
	}
	e = h.everybody(h.proposal(strings.Replace(housePolicy, "- {to: okta/group:sales-team}", "- {to: gitlab/account}", 1), nil))
	if len(e.Seats) != 1 || e.Seats[0].Needed != -1 || e.Seats[0].Short != 0 {
		t.Errorf("one becomes free, and it says %+v", e.Seats)
	}
}
