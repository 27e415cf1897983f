package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleApprovals are the states of approvals, and of what tasks have got beside.
func sampleApprovals(view viewer, row flow.Row) []sample {
	now := view.now
	issue := dayone.Task{
		ID: "tsk_01jd9x0000000000000000000a", Person: samplePerson, Run: "run_01jd9x0000000000000000000a", Title: "Issue: Onboard Sarah Chen", Note: "Her name is spelt wrong in GitLab.", Opened: now.Add(-48 * time.Hour), Due: now.Add(-time.Hour),
		Assignee: "group:helpdesk", Reminded: now.Add(-time.Hour), Proof: true,
	}
	asked := petition{row: row, policy: samplePolicyTitle, what: "AWS permission set prod-readonly", run: link{"The run that waits for it", "/runs"}, req: dayone.Petition{
		ID: "apr_01jd9x0000000000000000000a", Person: samplePerson, Key: dayone.Key{System: "aws", Kind: "permission-set", Name: "prod-readonly"}, State: dayone.ApprovalOpen,
		Rule: dayone.Approval{By: []string{"manager", "group:security-oncall"}, Need: "all"}, Because: []dayone.Reason{{Policy: "oncall", At: "policies/sensitive-and-on-demand.yaml:10"}},
		Asks:   []dayone.Ask{{Of: "john.doe@company.com", By: "administrator", Reason: "On call from Monday", At: now.Add(-50 * time.Hour)}},
		Opened: now.Add(-50 * time.Hour), Asked: now.Add(-50 * time.Hour), Reminded: now.Add(-26 * time.Hour), Due: now.AddDate(0, 0, 3),
		Deciders: []dayone.Decider{{Mail: "priya.patel@company.com", As: "manager", Why: "manager, stands in for john.doe@company.com"}, {Mail: "sam@company.com", As: "group:security-oncall", Why: "one of security-oncall"}},
		Votes:    []dayone.Vote{{Of: "sam@company.com", By: "administrator", As: []string{"group:security-oncall"}, Yes: true, Reason: "On call from Monday", At: now.Add(-time.Hour)}},
	}}
	people := samplePeople(sampleCrowd, row.Starts)
	because := map[string]dayone.Reason{
		"gitlab": {Policy: "platform", At: "policies/engineering.yaml:21"}, "salesforce": {Policy: "sales-leads", At: "policies/sales.yaml:31"},
		"aws": {Policy: "cloud-billing", At: "policies/sensitive-and-on-demand.yaml:18"}, "okta": {Policy: "finance-leads", At: "policies/finance.yaml:12"},
	}
	another := func(who flow.Row, what, key, role, need string, since time.Duration) petition {
		x := asked
		asks := asked.req.Asks[0]
		asks.Reason, asks.At = need, now.Add(-since)
		x.row, x.what, x.req.Person, x.req.Key, x.req.Role = who, what, who.ID, sampleKey(key), role
		x.req.Because = []dayone.Reason{because[x.req.Key.System]}
		x.req.Asks, x.req.Votes = []dayone.Ask{asks}, nil
		x.req.Opened, x.req.Asked, x.req.Reminded, x.req.Due = asks.At, asks.At, time.Time{}, asks.At.AddDate(0, 0, 5)
		return x
	}
	decided := func(x petition, s dayone.ApprovalState, after time.Duration, votes ...dayone.Vote) petition {
		x.run.Text = "The run that asked for it"
		x.req.State, x.req.Votes, x.req.Decided = s, votes, x.req.Opened.Add(after)
		for i := range votes {
			votes[i].At = x.req.Decided.Add(time.Duration(i+1-len(votes)) * 40 * time.Minute)
		}
		return x
	}
	late := another(people[1], "GitLab group platform", "gitlab/group:platform", "owner", "Looks after the build servers", 99*time.Hour)
	late.req.Due = now.Add(time.Hour)
	late.req.Deciders = nil
	yes := asked.req.Votes[0]
	yes.Reason = "The quarter's end"
	given := decided(another(people[2], "Salesforce permission set deal-desk", "salesforce/permset:deal-desk", "", "The quarter's end", 27*time.Hour), dayone.ApprovalGiven, 4*time.Hour,
		yes, dayone.Vote{Of: "priya.patel@company.com", By: "administrator", Yes: true})
	refused := decided(another(people[10], "AWS permission set billing-admin", "aws/permission-set:billing-admin", "", "A look at last month's bill", 52*time.Hour), dayone.ApprovalRefused, 26*time.Hour,
		dayone.Vote{Of: "priya.patel@company.com", By: "administrator", Reason: "Not before the training"})
	withdrawn := decided(another(people[5], "Okta group finance-admins", "okta/group:finance-admins", "", "Covers for Max during his parental leave", 70*time.Hour), dayone.ApprovalWithdrawn, 25*time.Hour)
	withdrawn.req.Ended = withdrawn.req.Decided
	rests := withdrawn
	rests.req.Why = "its run was cancelled; when that is resumed, or HR says something new, it is asked for again"
	return []sample{
		{"approvals", "Approvals", "approvals", false, false, newApprovals(view, approvalList{open: []petition{late, asked}, count: 2, past: []petition{given, refused, withdrawn}, older: "/gallery"}, []item{{State: &state{Icon: "check", Class: "s-done", Text: "Now"}, Title: link{Text: view.say("%s decides for %s", "Priya Patel", "John Doe")}, Meta: view.say("From %s until", view.at(now.AddDate(0, 0, -3)).Text), At: view.at(now.AddDate(0, 0, 5)), Acts: []act{{"End it", "/gallery", false, nil}}}})},
		{"approvals-empty", "Approvals, none", "approvals", false, false, newApprovals(view, approvalList{}, nil)},
		{"approval", "Approval, to decide", "approval", false, false, newApproval(view, asked)},
		{"approval-nobody", "Approval, nobody may decide", "approval", false, false, newApproval(view, late)},
		{"approval-given", "Approval, given", "approval", false, false, newApproval(view, given)},
		{"approval-refused", "Approval, refused", "approval", false, false, newApproval(view, refused)},
		{"approval-withdrawn", "Approval, not wanted any more", "approval", false, false, newApproval(view, withdrawn)},
		{"approval-rests", "Approval, nobody has to answer now", "approval", false, false, newApproval(view, rests)},
		{"task-issue", "Task, an issue of a run", "task", false, false, newTask(view, todo{task: issue, row: row, zone: time.UTC, run: link{"Onboard Sarah Chen", "/runs"}}, nil)},
	}
}
