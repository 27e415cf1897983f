package policy_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone/policy"
)

// What no test made both true and false could be changed without a test noticing.
func TestCoverageNamesWhatNoTestAsked(t *testing.T) {
	t.Parallel()
	files := house(`policies:
  - id: a
    owner: b
    when: |
      person.department == "Sales" &&
      (person.team == "x" || person.team == "y")
    grant:
      - {to: okta/account}
      - {to: slack/account, if: person.team == "y"}
  - id: c
    owner: b
    match: {department: IT}
    offer: [{to: aws/role:dev}]
    deny: [{to: slack/channel:#x, reason: r}]
`)
	files["tests/a.test.yaml"] = &fstest.MapFile{Data: []byte(`people:
  sam: {department: Sales, team: x, start_date: 2025-01-01}
tests:
  - {name: one, person: sam, today: 2025-02-01, expect: {grants: [okta/account]}}
  - {name: two, person: sam, change: {team: z}, today: 2025-02-01, expect: {grants: []}}
`)}
	set, diags := policy.Load(files, nil)
	if set == nil {
		t.Fatal(every(diags))
	}
	stories, diags := set.Stories(files)
	if len(diags) > 0 {
		t.Fatal(every(diags))
	}
	c := set.Cover(stories)
	var got []string
	for _, g := range c.Gaps {
		line := g.Position.String() + " " + g.What + " " + g.Text
		if g.NeverTrue {
			line += ", never true"
		}
		if g.NeverNot {
			line += ", never not"
		}
		got = append(got, line)
	}
	want := []string{
		`policies/a.yaml:5:7 condition person.department == "Sales", never not`,
		`policies/a.yaml:9:9 grant slack/account, never true`,
		`policies/a.yaml:9:33 condition person.team == "y", never true`,
		`policies/a.yaml:12:13 condition person.department == "IT", never true`,
		`policies/a.yaml:13:13 offer aws/role:dev, never true`,
		`policies/a.yaml:14:12 deny slack/channel:#x, never true`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Conditions != (policy.Count{Covered: 1, All: 4}) || c.Lines != (policy.Count{Covered: 1, All: 4}) {
		t.Errorf("%+v, %+v", c.Conditions, c.Lines)
	}
}
