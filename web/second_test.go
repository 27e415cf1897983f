package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// Whoever answers second, in another tab or as another login, reads that it was not taken and whose was. The same once more is no
// news: somebody has clicked twice.
func TestASecondAnswerIsToldThatItWasNotTaken(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1))}
	b := startBench(t, files, false, func(o *web.Options, _ *flow.Deps) { o.Token = dayone.NewSecret(token) })
	b.hireSarah()
	var q dayone.Petition
	b.until("somebody is asked", func() bool {
		list, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
		if err == nil && len(list) > 0 {
			q = list[0]
		}
		return q.Run != ""
	})
	path, of := "/approvals/"+string(q.ID), "john.doe@company.com"
	approve := url.Values{"of": {of}, "verdict": {"approve"}}
	if res := b.post(path, approve); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("approving answers %d", res.StatusCode)
	}
	if res := b.post(path, approve); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a double click answers %d", res.StatusCode)
	}
	res := b.post(path, url.Values{"of": {of}, "verdict": {"refuse"}, "reason": {"not before the training"}})
	if res.StatusCode != http.StatusConflict {
		t.Errorf("refusing what was approved answers %d", res.StatusCode)
	}
	want(t, "the second tab", text(t, res), "Your answer was not taken", of+", entered by ", ": approved on ")
	if is, err := b.flow.Approval(t.Context(), q.ID); err != nil || is.State != dayone.ApprovalGiven || len(is.Votes) != 1 {
		t.Errorf("it is %s with %d votes, %v", is.State, len(is.Votes), err)
	}

	task, err := b.flow.ReportIssue(t.Context(), q.Run, "her name is wrong", "kim@company.com")
	if err != nil {
		t.Fatal(err)
	}
	path = "/tasks/" + string(task.ID)
	done := url.Values{"evidence": {"it was mended"}}
	for range 2 { // a double click
		if res := b.post(path, done); res.StatusCode != http.StatusSeeOther {
			t.Errorf("doing it answers %d", res.StatusCode)
		}
	}
	for _, other := range []struct {
		path string
		with url.Values
	}{{path, url.Values{"evidence": {"her name is right"}}}, {path + "/assign", url.Values{"assignee": {"max@company.com"}}}} {
		res = b.post(other.path, other.with)
		if res.StatusCode != http.StatusConflict {
			t.Errorf("%s of what is done answers %d", other.path, res.StatusCode)
		}
		want(t, other.path, text(t, res), "Your answer was not taken", ": done on ")
	}
}

// A page of the wizard that was left, and is looked at again, says that it was started, and where that goes on.
func TestAPreviewThatWasLeftSaysThatItWasStarted(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t)
	admin := b.inGroup(p, "olga@company.com", "it-admins")
	run := b.comes("sarah", "max@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	b.until("Max is asked", b.asks(1))
	b.until("nothing is done any more", func() bool {
		is, err := b.flow.RunOf(t.Context(), run.ID)
		return err == nil && is.State == dayone.RunWaiting
	})
	_, page := admin("GET", "/onboard/"+string(run.Person)+"/preview", nil)
	want(t, "the page again", page, "It was started", "Open the run", `href="/runs/`+string(run.ID)+`"`)
	if strings.Contains(page, "Nothing has been changed yet") {
		t.Error("it says that nothing has been changed")
	}
}
