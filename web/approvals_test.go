package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// managerAsked is a bench at which John Doe is asked whether Sarah may have a group.
func managerAsked(t *testing.T) (*bench, dayone.Petition) {
	t.Helper()
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1))}
	b := startBench(t, files, false, func(o *web.Options, _ *flow.Deps) { o.Token = dayone.NewSecret(token) })
	b.hireSarah()
	var q dayone.Petition
	for end := time.Now().Add(20 * time.Second); q.ID == "" || q.Run == ""; {
		list, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
		if err != nil || time.Now().After(end) {
			t.Fatalf("nobody was asked: %v", err)
		}
		if len(list) > 0 {
			q = list[0]
		}
	}
	return b, q
}

func TestApprovalsAreDecidedOnThePage(t *testing.T) {
	t.Parallel()
	b, q := managerAsked(t)
	p := q.Person
	path := "/approvals/" + string(q.ID)
	want(t, "list", b.page("/approvals"), path, "1 request waits")
	page := b.page(path)
	want(t, "page", page, "Who may decide", "john.doe@company.com", "verdict", "The run that waits for it")
	b.page(path) // a scanner opens it as often as it likes
	if now, err := b.flow.Approval(t.Context(), q.ID); err != nil || now.State != dayone.ApprovalOpen {
		t.Fatalf("looking decided: %s %v", now.State, err)
	}
	row, err := b.flow.Person(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []url.Values{
		{"of": {row.Email}, "verdict": {"approve"}},
		{"of": {"john.doe@company.com"}, "verdict": {"refuse"}},
	} {
		if res := b.post(path, bad); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v answers %d", bad, res.StatusCode)
		}
	}
	if res := b.post(path, url.Values{"of": {"john.doe@company.com"}, "verdict": {"perhaps"}}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("perhaps answers %d", res.StatusCode)
	}
	var one struct {
		State string
		Votes []struct{ Of, By string }
	}
	b.api("POST", "/api/v1"+path, `{"verdict": "approve", "for": "`+row.Email+`"}`, 403, nil)
	b.api("POST", "/api/v1"+path, `{"verdict": "perhaps"}`, 400, nil)
	if res := b.post(path, url.Values{"of": {"john.doe@company.com"}, "verdict": {"refuse"}, "reason": {"not before the training"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("refusing answers %d", res.StatusCode)
	}
	b.api("GET", "/api/v1"+path, "", 200, &one)
	if one.State != "refused" || len(one.Votes) != 1 || one.Votes[0].Of != "john.doe@company.com" || one.Votes[0].By == "" {
		t.Errorf("%+v", one)
	}
	b.until("the run to hear of it", func() bool { // which writes it into the ledger
		list, err := b.flow.Records(t.Context(), flow.RecordFilter{Person: p, Limit: 500})
		return err == nil && slices.ContainsFunc(list, func(l flow.Line) bool { return l.What == "refused" })
	})
	want(t, "run", b.page("/runs/"+string(q.Run)), "Report it")
	want(t, "decided", b.page(path), "not before the training", "Ask anew", "The run that asked for it")
	by := ", entered by " + one.Votes[0].By
	want(t, "list of what was decided", b.page("/approvals"), "By john.doe@company.com"+by)
	for _, path := range []string{"/records", "/records?format=csv", "/people/" + string(p) + "/records", "/runs/" + string(q.Run) + "/records", "/api/v1/records", "/api/v1/records?format=csv"} {
		want(t, path, b.page(path), "refused by john.doe@company.com"+by+": not before the training")
	}
	want(t, "records", b.page("/records"), "entered by "+one.Votes[0].By)
	want(t, "table", b.page("/approvals?format=csv&state=all"), "Entered by", "john.doe@company.com,"+one.Votes[0].By+",not before")
	b.api("POST", "/api/v1"+path, `{"verdict": "approve", "for": "john.doe@company.com"}`, 409, nil)
	b.api("POST", "/api/v1"+path, `{"verdict": "ask anew"}`, 200, &one)
	var list struct{ Items []struct{ ID string } }
	b.api("GET", "/api/v1/approvals", "", 200, &list)
	if len(list.Items) == 0 {
		t.Error("nobody is asked anew")
	}
	b.api("GET", "/api/v1/approvals?state=all&limit=1", "", 200, &list)
	b.api("GET", "/api/v1/approvals?state=some", "", 400, nil)
	b.api("POST", "/api/v1/delegations", `{"who": "nobody@company.com", "to": "john.doe@company.com", "until": "2030-01-01T00:00:00Z"}`, 404, nil)
	b.api("GET", "/api/v1/delegations", "", 200, nil)
	if res := b.post("/delegations", url.Values{"who": {"x"}, "to": {"y"}, "until": {"soon"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none answers %d", res.StatusCode)
	}

	runs, err := b.flow.Runs(t.Context(), flow.RunFilter{Person: p, Limit: 1})
	if err != nil || len(runs) == 0 {
		t.Fatal(err)
	}
	if res := b.post("/runs/"+string(runs[0].ID)+"/issues", url.Values{"text": {"her name is wrong"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("reporting answers %d", res.StatusCode)
	}
	var task struct{ ID, Title, Assignee, Evidence string }
	b.api("POST", "/api/v1/runs/"+string(runs[0].ID)+"/issues", `{"text": "and so is her title"}`, 200, &task)
	want(t, "issue", b.page("/tasks/"+task.ID), "and so is her title", "Who has it")
	b.api("POST", "/api/v1/tasks/"+task.ID+"/assign", `{"assignee": "kim"}`, 400, nil)
	var given struct {
		Hears string `json:"nobody_hears"`
	}
	b.api("POST", "/api/v1/tasks/"+task.ID+"/assign", `{"assignee": "group:nobody-is-in-it"}`, 200, &given)
	want(t, "an empty group", given.Hears, `nobody is in "nobody-is-in-it"`)
	b.api("POST", "/api/v1/tasks/"+task.ID+"/assign", `{"assignee": "kim@company.com"}`, 200, &task)
	b.api("POST", "/api/v1/tasks/"+task.ID+"/complete", `{"evidence": "https://hr.company.com/1"}`, 200, &task)
	if task.Assignee != "kim@company.com" || task.Evidence != "https://hr.company.com/1" {
		t.Errorf("%+v", task)
	}
	want(t, "shown", b.page("/tasks/"+task.ID), "https://hr.company.com/1")
	var no refusedBody
	b.api("POST", "/api/v1/tasks/"+task.ID+"/complete", `{}`, 409, &no)
	want(t, "done twice", no.Error.Message, "This task was closed by ")
}

// Where it takes two, one login is not both of them: an approver answers for herself alone, and an administrator enters one answer.
func TestNobodyAnswersForTwo(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager, security@company.com], need: all}}", 1))}
	b := startBench(t, files, false, withRoles)
	b.hireSarah()
	var q dayone.Petition
	b.until("somebody to be asked", func() bool {
		list, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			q = list[0]
		}
		return q.ID != "" && q.Run != ""
	})
	answer := func(as dayone.Role, of string, status int) {
		t.Helper()
		got, body := b.bearer(tokenOf(as), "POST", "/api/v1/approvals/"+string(q.ID), `{"verdict": "approve", "for": "`+of+`"}`)
		if got != status {
			t.Errorf("%s for %s: %d, want %d\n%s", as, of, got, status, body)
		}
	}
	approver := b.signIn(dayone.Approver)
	if page := text(t, b.as(dayone.Approver, approver, "GET", "/approvals/"+string(q.ID))); strings.Contains(page, `value="approve"`) {
		t.Error("an approver who is not asked is offered to answer for others")
	}
	answer(dayone.Approver, "john.doe@company.com", http.StatusForbidden)
	answer(dayone.Operator, "security@company.com", http.StatusForbidden)
	answer(dayone.Administrator, "john.doe@company.com", http.StatusOK)
	answer(dayone.Administrator, "security@company.com", http.StatusForbidden)
	now, err := b.flow.Approval(t.Context(), q.ID)
	if err != nil || now.State != dayone.ApprovalOpen || len(now.Votes) != 1 {
		t.Errorf("it is %s with %d answers: %v", now.State, len(now.Votes), err)
	}
}

// An answer, and that its run was told of it, are two lines of the ledger and one row of its page.
func TestOneAnswerIsOneRowOfTheRecords(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1))}
	b := startBench(t, files, false, func(o *web.Options, _ *flow.Deps) { o.Token = dayone.NewSecret(token) })
	b.hireSarah()
	var q dayone.Petition
	b.until("somebody to be asked", func() bool {
		list, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
		if err == nil && len(list) > 0 {
			q = list[0]
		}
		return q.ID != "" && q.Run != ""
	})
	b.api("POST", "/api/v1/approvals/"+string(q.ID), `{"verdict": "approve", "for": "john.doe@company.com"}`, 200, nil)
	var given, told int64
	b.until("both lines", func() bool {
		lines, err := b.flow.Records(t.Context(), flow.RecordFilter{Person: q.Person, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			switch l.What {
			case "approval given":
				given = l.Seq
			case "approved":
				told = l.Seq
			}
		}
		return given > 0 && told > 0
	})
	for _, path := range []string{"/records", "/people/" + string(q.Person) + "/records", "/runs/" + string(q.Run) + "/records"} {
		page := b.page(path)
		want(t, path, page, "Approval given", "approved by john.doe@company.com", fmt.Sprintf("<code>%d, %d</code>", given, told))
		if strings.Contains(page, `<span class="strong">Approved</span>`) {
			t.Errorf("%s says it twice", path)
		}
	}
}
