package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

func TestPeopleSayWhatIsOddAboutPolicies(t *testing.T) {
	t.Parallel()
	set, diags := policy.Load(fstest.MapFS{
		"people.yaml": {Data: []byte(`attributes:
  id:         {type: string}
  status:     {type: string, derived: true, values: [pre-hire, active, leave, terminated]}
  department: {type: string, from: hr.department, optional: true}
  level:      {type: int, from: hr.level, optional: true}
  badge:      {type: string, from: hr.badge}
`)},
		"catalog/c.yaml": {Data: []byte("systems:\n  okta: {account: {}}\n")},
		"policies/p.yaml": {Data: []byte(`policies:
  - {id: sales, owner: a, match: {department: Sales}, grant: [{to: okta/account}]}
  - {id: mars, owner: a, match: {department: Mars}, grant: [{to: okta/account}]}
  - {id: seniors, owner: a, when: has(person.level) && person.level > 5, grant: [{to: okta/account}]}
  - {id: badged, owner: a, when: 'person.badge == "x"', grant: [{to: okta/account}]}
  - {id: chosen, owner: a, when: 'person.department != "Mars"', grant: [{to: okta/account}]}
  - {id: all, owner: a, match: everyone, grant: [{to: okta/account, if: 'person.badge == "y"'}]}
  - {id: starters, owner: a, match: everyone, for_status: [pre-hire], grant: [{to: okta/account}]}
`)},
	}, nil)
	if set == nil {
		t.Fatal(diags)
	}
	warnings := func(n int) string {
		w := policy.NewWorkforce(policy.NewDictionary(), set.Schema, set)
		for i := range n {
			p := dayone.Person{ID: dayone.PersonID(fmt.Sprint("per_", i)), Status: dayone.Working, Attrs: dayone.Attrs{"department": dayone.Text([]string{"Sales", "Legal"}[i%2])}}
			w.Add(&p)
		}
		var out []string
		for _, d := range set.Survey(w, time.Date(2025, 1, 15, 9, 0, 0, 0, time.UTC)).Warnings() {
			if d.Severity != policy.Warning || d.Line == 0 || d.Source == "" {
				t.Errorf("it has no place, or is an error: %+v", d)
			}
			out = append(out, fmt.Sprintf("%d %s: %s; %s", d.Line, d.Code, d.Message, d.Hint))
		}
		return strings.Join(out, "\n")
	}
	const want = `3 nobody: policy "mars" holds for none of 20 people; if nobody is there yet, leave it
4 nobody: policy "seniors" holds for none of 20 people; nobody has person.level
5 unanswered: policy "badged" can be answered for none of 20 people: nobody has person.badge; HR does not send it, or people.yaml reads it from another field; has() asks whether it is there
6 everybody: policy "chosen" holds for all of 20 people; write match: everyone if that is meant
7 unanswered: this grant of policy "all" can be answered for none of 20 people: nobody has person.badge; HR does not send it, or people.yaml reads it from another field; has() asks whether it is there`
	if got := warnings(20); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := warnings(4); strings.Contains(got, "everybody") {
		t.Errorf("four people are no everybody:\n%s", got)
	}
	if got := warnings(0); got != "" {
		t.Errorf("nobody says\n%s", got)
	}
}
