package planner_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
)

func TestPrint(t *testing.T) {
	set, _ := policy.Load(os.DirFS("../examples"), nil)
	zone, _ := time.LoadLocation("America/Los_Angeles")
	sarah := dayone.Person{
		ID: "per_sarah", Status: dayone.PreHire, Site: set.Sites["San Francisco"], Start: time.Date(2024, 11, 25, 0, 0, 0, 0, zone),
		Attrs: dayone.Attrs{
			"email": dayone.Text("sarah.chen@company.com"), "employment_type": dayone.Text("FTE"), "department": dayone.Text("Sales"),
			"job_title": dayone.Text("Sales Engineer"), "team": dayone.Text("Enterprise"), "location": dayone.Text("San Francisco"), "country": dayone.Text("US"),
			"work_arrangement": dayone.Text("Remote"), "level": dayone.Int(4), "home_address": dayone.Text("1 Main St"), "manager": dayone.Text("john.doe@company.com"),
			"start_date": {Kind: dayone.DateValue, Text: "2024-11-25"},
		},
	}
	now := time.Date(2024, 11, 22, 15, 1, 0, 0, time.UTC)
	sys := set.Systems
	sys["procurement"] = dayone.System{Name: "procurement", Kinds: map[string]dayone.Kind{"order": {}}}
	sf := sys["salesforce"]
	sf.Via = dayone.Key{System: "okta", Kind: "app", Name: "salesforce"}
	sys["salesforce"] = sf
	ok := sys["okta"]
	ok.Kinds["app"] = dayone.Kind{Names: []string{"salesforce"}, Needs: []string{"account"}}
	w := set.Want(sarah, policy.Context{Now: now})
	plan, err := planner.Make(planner.Input{Person: sarah.ID, At: now, Want: w, Systems: sys, Deliver: func(n dayone.Notice) []dayone.Notice { n.Key.System = "mail"; return []dayone.Notice{n} }})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	planner.Text(&b, plan, "Sarah Chen", zone)
	t.Log("\n" + b.String())
	t.Log(w.Next, len(w.Grants))
}
