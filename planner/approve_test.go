package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

func asked(lines ...string) []dayone.Grant {
	gs := grants(lines...)
	for i := range gs {
		gs[i].Approval = &dayone.Approval{By: []string{"manager"}, Need: "any"}
	}
	return gs
}

// gates are the steps of a plan with what each waits for: "!" an approval, and what brings it along.
func gates(p dayone.Plan) string {
	var out []string
	for _, s := range p.Steps {
		line := string(s.ID)
		if s.Approval != nil {
			line += " !"
		}
		if len(s.Along) > 0 {
			line += fmt.Sprint(" with ", s.Along)
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func TestWhatNeedsAnApprovalWaitsAloneWithWhatItBringsAlong(t *testing.T) {
	t.Parallel()
	base := []string{"okta/account", "gitlab/account", "gitlab/group:platform=guest"}
	for _, c := range []struct {
		name       string
		want, asks []string
		have       []string
		plan       string
	}{
		{"only the step", []string{"okta/account"}, []string{"okta/group:admins"}, nil, "okta/account account.create; okta/group:admins entitlement.add !"},
		{
			"an account that nothing else needs",
			[]string{"okta/account"},
			[]string{"aws/permission-set:prod"},
			nil,
			"okta/account account.create; aws/account account.create with [aws/permission-set:prod entitlement.add]; aws/permission-set:prod entitlement.add !",
		},
		{
			"one that something else needs, too",
			[]string{"okta/account", "aws/permission-set:sandbox"},
			[]string{"aws/permission-set:prod"},
			nil,
			"okta/account account.create; aws/account account.create; aws/permission-set:prod entitlement.add !; aws/permission-set:sandbox entitlement.add",
		},
		{
			"either brings it",
			[]string{"okta/account"},
			[]string{"aws/permission-set:a", "aws/permission-set:b"},
			nil,
			"okta/account account.create; aws/account account.create with [aws/permission-set:a entitlement.add aws/permission-set:b entitlement.add]; aws/permission-set:a entitlement.add !; aws/permission-set:b entitlement.add !",
		},
		{"no laptop is ordered", nil, []string{"jamf/device"}, nil, "shop/order entitlement.add with [jamf/device entitlement.add]; jamf/device entitlement.add !"},
		{
			"what brings an account that something free brings through another",
			[]string{"okta/account", "salesforce/account"},
			[]string{"salesforce/profile:engineer"},
			nil,
			"okta/account account.create; okta/app:salesforce entitlement.add; salesforce/account account.create; salesforce/profile:engineer entitlement.add !",
		},
		{
			"a higher role", base,
			[]string{"gitlab/group:platform=developer"},
			nil,
			"okta/account account.create; gitlab/account account.create; gitlab/group:platform entitlement.add; gitlab/group:platform entitlement.add developer !",
		},
		{"a higher role of what is held", base, []string{"gitlab/group:platform=developer"}, base, "gitlab/group:platform entitlement.add developer !"},
		{"what is held needs no step", []string{"okta/account"}, []string{"okta/group:admins"}, []string{"okta/account", "okta/group:admins"}, ""},
		{
			"a slot falls back",
			[]string{"okta/account", "okta/app:salesforce", "salesforce/account"},
			[]string{"salesforce/profile:engineer"},
			[]string{"okta/account", "okta/app:salesforce", "salesforce/account", "salesforce/profile:sales"},
			"salesforce/profile:standard entitlement.add; salesforce/profile:engineer entitlement.add !",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(dayone.Working, grants(c.want...), holdings(c.have...))
			in.Want.Pending = asked(c.asks...)
			p, err := planner.Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := gates(p); got != c.plan {
				t.Errorf("%s\nwant %s", got, c.plan)
			}
			in.Refused = func(g dayone.Grant) string { return "refused by kim: no" }
			if p, err = planner.Make(in); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(gates(p), "!") || strings.Contains(gates(p), "with") {
				t.Errorf("once refused the plan is %s", gates(p))
			}
			if !slices.ContainsFunc(p.Findings, func(f dayone.Finding) bool {
				return f.Kind == "refused" && strings.Contains(f.Text, "refused by kim: no")
			}) {
				t.Errorf("and says nothing: %+v", p.Findings)
			}
		})
	}
}

func TestWhatASpentApprovalLeftIsTaken(t *testing.T) {
	t.Parallel()
	in := input(dayone.Working, grants("okta/account"), holdings("okta/account", "okta/group:admins"))
	in.Want.Pending = asked("okta/group:admins")
	in.Spent = func(g dayone.Grant) bool { return g.Key.Kind == "group" }
	p, err := planner.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := gates(p); got != "okta/group:admins entitlement.remove" {
		t.Errorf("planned: %s", got)
	}
}
