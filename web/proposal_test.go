package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var markOf = regexp.MustCompile(`name="mark" value="([^"]+)"`)

func TestAProposalIsAnnouncedByItsAuthorAndWithdrawn(t *testing.T) {
	t.Parallel()
	b := newBench(t, versioned)
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	files, err := b.flow.PolicyFiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := b.flow.Active().Hash
	const name = "policies/base.yaml"
	b.post("/policies/propose", url.Values{"file": {name}, "text": {strings.Replace(files[name], "okta/group:sales-team", "okta/group:base-employee", 1)}, "note": {"CHG-1"}})
	proposals, err := b.flow.Proposals(t.Context(), 10)
	if err != nil || len(proposals) != 1 {
		t.Fatalf("proposals: %+v, %v", proposals, err)
	}
	at := "/proposals/" + proposals[0].ID
	want(t, "the policies", b.page("/policies"), `href="`+at+`"`, "CHG-1")
	page := b.page(at)
	want(t, "the proposal", page, "1 of 1 people", "okta/group:sales-team", "Ada Lovelace", "You wrote this", "after 24 hours", "Announce it")
	m := markOf.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page does not say which plan it shows")
	}
	for _, c := range []struct {
		form   url.Values
		status int
		says   string
	}{
		{url.Values{"mark": {"another"}, "reason": {"x"}}, http.StatusConflict, "The plan is another one now"},
		{url.Values{"mark": {m[1]}, "reason": {" "}}, http.StatusUnprocessableEntity, "Say why"},
	} {
		res := b.post(at, c.form)
		if res.StatusCode != c.status {
			t.Errorf("%v: %s", c.form, res.Status)
		}
		want(t, "a refusal", text(t, res), c.says)
	}
	if res := b.post(at, url.Values{"mark": {m[1]}, "reason": {"the team is renamed"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("announcing: %s", res.Status)
	}
	for _, where := range []string{"/policies", "/"} {
		want(t, "everybody sees it at "+where, b.page(where), "Announced", "In force unless withdrawn", "the team is renamed", "1 person", "Withdraw")
	}
	if b.flow.Active().Hash != before {
		t.Error("it is in force before its notice is over")
	}
	waiting, err := b.flow.Waiting(t.Context())
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if res := b.post("/announced/"+waiting[0].ID+"/withdraw", nil); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("withdrawing: %s", res.Status)
	}
	if page := b.page("/"); strings.Contains(page, "Announced") {
		t.Error("what was withdrawn is still announced")
	}
	if res := b.post("/announced/"+waiting[0].ID+"/withdraw", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("withdrawing twice: %s", res.Status)
	}
	if res := b.post("/proposals/0000", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("a version that there is not: %s", res.Status)
	}
}
