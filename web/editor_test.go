package web_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/web"
)

// versioned makes policies count by version, as they do in a server.
func versioned(_ *web.Options, d *flow.Deps) {
	set := d.Policy
	d.Load = func(f fs.FS) (*policy.Set, []policy.Diagnostic) { return set.Reload(f) }
}

func TestAPolicyIsJudgedWhileItIsWritten(t *testing.T) {
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
	var name string
	for n, body := range files {
		if strings.HasPrefix(n, "policies/") && strings.Contains(body, "okta/group:sales-team") {
			name = n
		}
	}
	source := files[name]
	if name == "" {
		t.Fatalf("no file gives the sales team's group: %v", slices.Sorted(func(yield func(string) bool) {
			for n := range files {
				if !yield(n) {
					return
				}
			}
		}))
	}
	want(t, "the editor", b.page("/policies/edit?file="+name), "Save as a proposal", "sales-team", "appear here while you write")

	judge := func(draft string) string {
		res := b.post("/policies/judge", url.Values{"file": {name}, "text": {draft}})
		if res.StatusCode != http.StatusOK {
			t.Fatalf("judging: %s", res.Status)
		}
		return text(t, res)
	}
	want(t, "unchanged", judge(source), "Nothing changes for any of 1 people")
	want(t, "a typo", judge(strings.Replace(source, "okta/group:sales-team", "okta/group:sales-taem", 1)), "1 error", "sales-team", "line ")
	gone := judge(strings.Replace(source, "okta/group:sales-team", "okta/group:base-employee", 1))
	want(t, "another group", gone, "1 of 1 people", "okta/group:sales-team", "Ada Lovelace")
	want(t, "html in a policy", judge("policies: [{id: <script>alert(1)</script>}]"), "&lt;script")

	want(t, "what dayone policy check warns of", judge(source+"  - id: never\n    owner: it@company.com\n    match: {employment_type: FTE}\n    when: person.employment_type == \"Contractor\"\n    grant: [{to: okta/account}]\n"),
		"Warning", "can never match", "0 of 1 people")
	want(t, "what people say", judge(source+"  - id: lawyers\n    owner: it@company.com\n    match: {department: Legal}\n    grant: [{to: okta/account}]\n"), "Warning", "holds for none of 1 people")
	want(t, "a message that there is none of", judge(source+"  - id: told\n    owner: it@company.com\n    match: {department: Legal}\n    notify: [{on: ready, to: manager, template: manager-redy}]\n"), "1 error", "manager-ready")

	before := b.flow.Active().Hash
	res := b.post("/policies/propose", url.Values{"file": {name}, "text": {strings.Replace(source, "okta/group:sales-team", "okta/group:base-employee", 1)}, "note": {"CHG-1"}})
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusSeeOther {
		t.Errorf("proposing: %s", res.Status)
	}
	proposals, err := b.flow.Proposals(t.Context(), 10)
	if err != nil || len(proposals) != 1 || proposals[0].Note != "CHG-1" {
		t.Errorf("proposals: %+v, %v", proposals, err)
	}
	if b.flow.Active().Hash != before {
		t.Error("a proposal came into force")
	}
	for _, bad := range []url.Values{
		{"file": {name}, "text": {source}}, {"file": {"../../etc/passwd"}, "text": {source}}, {"file": {"people.yaml"}, "text": {source}}, {"file": {name}, "text": {"policies: ["}},
	} {
		if res := b.post("/policies/propose", bad); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v: %s", bad, res.Status)
		}
	}
	want(t, "who a policy holds for", b.page("/policies/"+b.flow.Active().Policies[0].ID+"/people"), "Holds for")
	want(t, "the catalogue", b.page("/catalogue"), "okta/group:sales-team", "no policy")
}
