package web

import (
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// sampleOutside are the pages about people who are in no HR system, who may be known already, and who have not begun.
func sampleOutside(view viewer, row flow.Row, head personHead) []sample {
	now := view.now
	schema := policy.Schema{Attributes: map[string]policy.Attribute{
		"employment_type": {Name: "employment_type", Values: []string{"FTE", "Contractor", "Intern", "Guest"}}, "department": {Name: "department", Values: []string{"Sales", "Engineering"}},
	}}
	typed := flow.Outsider{
		Type: "Contractor", Sponsor: "john.doe@company.com", Start: "2024-11-25", End: "2026-11-25", Reason: "Migration of the billing system",
		Fields: map[string]string{"first_name": "Ngozi Chimamanda", "last_name": "Eze-Nwachukwu-Wolfeschlegelsteinhausenbergerdorff", "email": "ngozi", "department": "Sales"},
	}
	right := typed
	right.End = "2025-11-21"
	right.Fields = map[string]string{"first_name": "Sarah", "last_name": "Chen", "email": "sarah.chen2@company.com", "department": "Sales"}
	working := statusState(dayone.Working)
	known := []item{{State: &working, Title: link{row.Name, "/people/" + samplePerson}, Meta: "sarah.chen@company.com, Sales Engineer, Sales", Next: "The same name."}}
	m := dayone.Match{
		ID: "mat_01jd9x0000000000000000000a", Source: "hr", Subject: "emp_790", Opened: now.Add(-time.Hour), State: dayone.MatchOpen, Suspects: []dayone.Suspect{{Person: samplePerson, Why: []string{"the same name"}}},
		Says: map[string]string{"first_name": "Sarah", "last_name": "Chen", "email": "sarah.chen2@company.com", "start_date": "2024-12-02", "department": "Finance"},
	}
	name := func(dayone.PersonID) string { return row.Name }
	same, other := m, m
	same.Opened, other.Opened = now.AddDate(0, 0, -2), now.AddDate(0, 0, -9)
	same.ID, same.Subject, same.State, same.Person, same.By = "mat_01jd9x0000000000000000000b", "emp_655", dayone.MatchSame, samplePerson, "administrator"
	same.Says = map[string]string{"first_name": "Sarah", "last_name": "Chen", "email": "s.chen@company.com", "start_date": "2024-11-25", "department": "Sales"}
	other.ID, other.Subject, other.State, other.Person, other.By = "mat_01jd9x0000000000000000000c", "emp_641", dayone.MatchOther, "per_01jd9x0000000000000000000d", "administrator"
	other.Says = map[string]string{"first_name": "Sarah", "last_name": "Chen", "email": "sarah.chen3@company.com", "start_date": "2024-12-09", "department": "Legal"}
	answers := []dayone.Decider{{Mail: "john.doe@company.com", Why: "sponsor"}}
	e := dayone.Engagement{Source: dayone.Portal, Sponsor: "john.doe@company.com", LastDay: "2025-03-31"}
	ended := e
	ended.LastDay = "2024-11-15"
	form := flow.PreHireForm{First: "Sarah", Starts: now.AddDate(0, 0, 3), Asks: []flow.Asked{
		{Name: "home_address", Title: "shipping address"}, {Name: "mobile", Title: "mobile number"}, {Name: "laptop", Title: "laptop", Attribute: policy.Attribute{Values: []string{"MacBook Pro 14", "ThinkPad X1"}}},
	}}
	wrong := newPreHire(view, form, map[string]string{"mobile": "call me"}, flow.Faulty{"mobile": "write the number with its country code, for example +49 151 23456789"})
	over := form
	over.Over = true
	at := func(m dayone.Match) item {
		st, next := matchTexts[m.State], "May be Sarah Chen."
		if m.State != dayone.MatchOpen {
			next = ""
		}
		return item{State: &st, Title: link{saidName(m), "/gallery"}, Meta: strings.Replace("hr emp_790, since", "emp_790", m.Subject, 1), At: view.at(m.Opened), Next: next}
	}
	return []sample{
		{"add-person", "Add a person", "add-person", false, false, newAdd(view, schema, []string{"Berlin", "San Francisco"}, flow.Outsider{}, nil)},
		{"add-person-wrong", "Add a person, not right", "add-person", false, false, newAdd(view, schema, []string{"Berlin", "San Francisco"}, typed, flow.Faulty{"email": "write a mail address, such as ada@company.com", "end": "that is more than 365 days after the first day"})},
		{"add-person-confirm", "Add a person, to confirm", "add-person", false, false, newAddConfirm(view, right, known)},
		{"extend", "Last day, to put off", "extend", false, false, newExtend(view, head, flow.Outside{Engagement: e, Answer: answers, Latest: "2025-11-22"})},
		{"extend-instead", "Last day, the sponsor has left", "extend", false, false, newExtend(view, head, flow.Outside{Engagement: e, Answer: []dayone.Decider{{Mail: "mia@company.com", Why: "manager of john.doe@company.com"}}, Latest: "2025-11-22"})},
		{"extend-over", "Last day, over", "extend", false, false, newExtend(view, head, flow.Outside{Engagement: ended, Answer: answers, Over: true})},
		{"extend-nobody", "Last day, nobody answers", "extend", false, false, newExtend(view, head, flow.Outside{Engagement: dayone.Engagement{Source: e.Source, Sponsor: "mia@company.com", LastDay: e.LastDay}})},
		{"matches", "Matches", "matches", false, false, newMatches(view, 1, []item{at(m)}, []item{at(same), at(other)})},
		{"matches-empty", "Matches, none", "matches", false, false, newMatches(view, 0, nil, nil)},
		{"match", "Match, to decide", "match", false, false, newMatch(view, m, known, name)},
		{"match-same", "Match, the same person", "match", false, false, newMatch(view, same, known, name)},
		{"match-other", "Match, somebody else", "match", false, false, newMatch(view, other, known, name)},
		{"prehire", "Pre-hire form", "prehire", true, true, newPreHire(view, form, nil, nil)},
		{"prehire-wrong", "Pre-hire form, not right", "prehire", true, true, wrong},
		{"prehire-done", "Pre-hire form, answered", "prehire", true, true, newPreHire(view, flow.PreHireForm{First: "Sarah", Starts: form.Starts}, nil, nil)},
		{"prehire-over", "Pre-hire form, over", "prehire", true, true, newPreHire(view, over, nil, nil)},
		{"prehire-again", "Pre-hire form, ask again", "prehire-again", false, false, preHireAgainView{Head: head, Missing: "shipping address, mobile number"}},
	}
}
