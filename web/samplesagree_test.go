package web

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

// A page of the gallery has the menu that the page itself has: pictures of it are shown as the product's own.
func TestMenuOfASampleIsThatOfItsPage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`page\{\s*Template: "([a-z-]+)",[^{}]*?Nav: "([a-z]+)"`)
	navs := map[string][]string{"person": {"people"}, "leaving": {"people"}, "person-runs": {"people"}} // pages of which one function shows any
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
			navs[m[1]] = append(navs[m[1]], m[2])
		}
	}
	if len(navs) < 50 {
		t.Errorf("only %d pages say where they stand in the menu", len(navs))
	}
	delete(navs, "gallery")
	for template, of := range navs {
		if !slices.Contains(of, sampleNavs[template]) {
			t.Errorf("on the page of %s the menu is at %v, on its sample at %q", template, of, sampleNavs[template])
		}
	}
	for template := range sampleNavs {
		if navs[template] == nil {
			t.Errorf("no page of %s says that it stands in the menu at %q", template, sampleNavs[template])
		}
	}
}

// What is made up agrees with itself: numbers add up, days are those that there are, and one page does not contradict another.
func TestSamplesAgree(t *testing.T) {
	t.Parallel()
	text := func(name string) string {
		s := regexp.MustCompile(`<[^>]+>`).ReplaceAllString(pageOf(t, name), " ")
		return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
	}
	hours := regexp.MustCompile(`([\d,]+) hours that nobody`).FindStringSubmatch(text("effort"))
	if hours == nil || !strings.Contains(text("dashboard"), "Hours saved, 12 months "+hours[1]+" ") {
		t.Errorf("the dashboard has saved other hours than the page of hours: %v", hours)
	}
	for _, name := range []string{"prehire", "prehire-done"} {
		if s := text(name); strings.Contains(s, "Saturday") || strings.Contains(s, "Sunday") {
			t.Errorf("%s: the first day is no working day", name)
		}
	}
	view := viewer{zone: time.UTC, now: noon}
	tomorrow := "2[3-9] November 2024"
	for _, s := range samples(view) {
		if s.template == "undo" && regexp.MustCompile(tomorrow).MatchString(text(s.name)) {
			t.Errorf("%s: somebody signed in on a day to come", s.name)
		}
	}
	asked := map[string]bool{}
	for _, s := range samples(view) {
		v, ok := s.main.(approvalsView)
		if !ok {
			continue
		}
		for _, it := range slices.Concat(v.Open, v.Past) {
			if asked[it.Title.Text] {
				t.Errorf("%s: %s is asked for twice", s.name, it.Title.Text)
			}
			asked[it.Title.Text] = true
		}
	}
	_, brake, _ := sampleBrakes(view)
	if len(brake.Items) != pageSize || brake.Held.Next == "" || brake.Total != "300 in all" || !strings.Contains(brake.Note, "300 people") {
		t.Errorf("%d are shown of %s: %s", len(brake.Items), brake.Total, brake.Note)
	}
	pool := text("number-pool")
	for _, part := range []string{"783 assigned 14 reserved 32 at rest 6 held 65 available", "64 of 1,000"} { // 900 in all, of which one ends in 00
		if !strings.Contains(pool, part) {
			t.Errorf("the pool has not %s:\n%s", part, pool)
		}
	}
	for page, says := range map[string][]string{
		"onboard-preview-against": {"15 steps now", "Salesforce for mid-market needs Slack", "GitLab has no seat left", "Needs approval Salesforce queue mid-market", "Salesforce queue mid-market: Planned"},
		"onboard-products-known":  {"Given by Everyone on the payroll , Sales department"},
		"products":                {"Given by Everyone on the payroll , Sales department", "Offered by Sales department"},
		"timeline-confidential":   {"until the end of Thu 12 Dec", "from Fri 13 Dec"},
		"number":                  {"Released Nour"},
		"system-unset":            {"Offers nothing was read yet"},
		"number-platform-adopt":   {"98,798 of 100,000; 98,796 sure, 2 possible", "Become somebody's, confirmed 40,000", "So in the books already 58,796", "Left as they are 2"}, // 40,000 and 58,796 of those are sure
		"error-500":               {"Load it again Dashboard"},
		"person-held":             {"group:base-employee Held back", "4 are held back"},
		"brake-proposed":          {"More than 24 terminations", "Held 25"},
		"catalogue":               {"okta/group:base-employee Everyone on the payroll"},
		"run-done":                {"sales.yaml:7"},
		"runs":                    {"Onboard Raj Patel"},
	} {
		for _, part := range says {
			if s := text(page); !strings.Contains(s, part) {
				t.Errorf("%s has not %q:\n%s", page, part, s)
			}
		}
	}
	for page, lie := range map[string]string{"undo-none": "before you say so", "merge-refused": "before you say so", "system-unset": "as last read", "onboard-preview-against": "Slack account", "person-held": "slack/account As wanted"} {
		if s := text(page); strings.Contains(s, lie) {
			t.Errorf("%s says %q:\n%s", page, lie, s)
		}
	}
	why := map[string]bool{}
	for _, s := range samples(view) {
		if v, ok := s.main.(brakeView); ok && strings.HasPrefix(s.name, "brake-proposed") && len(v.Items) != 25 {
			t.Errorf("%s holds %d", s.name, len(v.Items))
		}
		if strings.HasPrefix(s.name, "approval-") && s.name != "approval-rests" && s.name != "approvals-empty" {
			m := regexp.MustCompile(`Why ([^()]+) \(policies`).FindStringSubmatch(text(s.name))
			if m == nil || why[m[1]] {
				t.Errorf("%s is asked for the reason of another: %v", s.name, m)
			} else {
				why[m[1]] = true
			}
		}
	}
	over := sampleDone(view)
	var longest flow.Pace
	for _, id := range over.graph.Critical {
		p := over.usual(over.run.Step(id).Step)
		longest.Median += p.Median
	}
	for _, s := range over.run.Steps {
		if took := over.usual(s.Step).Median; took < s.Ended.Sub(s.Started) {
			t.Errorf("%s took longer than is usual", s.Step.ID)
		}
	}
	if longest.Median < 5*time.Second {
		t.Errorf("the longest way takes %v", longest.Median)
	}
}
