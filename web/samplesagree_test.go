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
	for _, r := range sampleStaff(noon) {
		for _, s := range sampleStarters(startersShown-1, noon) {
			if r.Name == s.Name && (r.Status != s.Status || !r.Starts.Equal(s.Starts) || r.Location != s.Location) {
				t.Errorf("%s is %s from %v on, and begins on %v", r.Name, r.Status, r.Starts, s.Starts)
			}
		}
	}
	failed := map[string]bool{}
	for _, f := range sampleFailures(view) {
		failed[f.Name] = true
	}
	for _, s := range samples(view) {
		v, ok := s.main.(dashboardView)
		if !ok {
			continue
		}
		for _, st := range v.Starters {
			if strings.Contains(st.Note, "failed") && !failed[st.Name.Text] {
				t.Errorf("%s: a step of %s failed, and stands nowhere under what failed", s.name, st.Name.Text)
			}
		}
	}
	if a, b := regexp.MustCompile(`\+493012340017.*?since (\w+ \d+ \w+)`).FindStringSubmatch(text("person")), regexp.MustCompile(`Since (\w+ \d+ \w+)`).FindStringSubmatch(text("number")); a == nil || b == nil || a[1] != b[1] {
		t.Errorf("the number is hers since %v, and on its own page since %v", a, b)
	}
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
		"drift":                   {"GitLab 120 accounts, 2 of them are nobody's", "Everyone on the payroll", "Sales department"},
		"system":                  {"120 accounts, 2 of them are nobody's"},
		"secret-code":             {"If it is lost If this page"},
		"renew":                   {"Renew Cisco Meraki: network code HQ/Corp"},
		"codes-empty":             {"None. What was opened once is gone from here. "},
		"effort":                  {"December 2023", "Make an account: write minutes"},
		"approvals":               {"From Tue 19 Nov"},
		"system-unset":            {"Offers nothing was read yet"},
		"number-platform-adopt":   {"98,798 of 100,000; 98,796 sure, 2 possible", "Become somebody's, confirmed 40,000", "So in the books already 58,796", "Left as they are 2"}, // 40,000 and 58,796 of those are sure
		"error-500":               {"Load it again Dashboard"},
		"person-held":             {"group:base-employee Held back", "4 are held back", "Held back until Fri 29 Nov", "neither give nor take: Okta group base-employee"},
		"brake-proposed":          {"More than 24 terminations", "Held 25"},
		"catalogue":               {"okta/group:base-employee Everyone on the payroll"},
		"run-done":                {"sales.yaml:7"},
		"runs":                    {"Onboard Raj Patel"},
		"why":                     {"Why Okta group sales-team for Sarah Chen , okta/group:sales-team"},
		"why-along":               {"Brought along by Okta group sales-team"},
		"merge":                   {"GitLab account", "Okta account"},
		"split":                   {"GitLab account"},
		"order-erase":             {"Salesforce account"},
		"order-erase-not":         {"since 22 Oct 2024", "Webex account stays"},
		"task-closed":             {"Arrival day Sat 23 Nov"},
		"calendars":               {"Germany DE 3 holidays"},
		"proposal":                {"Okta group sales-team okta/group:sales-team", "Slack channel #sales-team slack/channel:#sales-team", "Slack channel #sales-team is left without anybody", "Salesforce permission set quote-author", "Announce it You wrote this", "1 to grant"},
		"onboard-result":          {"to sarah@home.example"},
		"onboard-preview":         {"sarah@home.example"},
		"mailbox":                 {"sarah@home.example"},
		"number-pool-full":        {"90 assigned 10 at rest"},
		"drift-filtered":          {"5 things differ from the books", "4 differ", "Only of Sarah Chen ."},
		"branding":                {"#1555b3", "#8ab8ff"},
		"matches":                 {"emp_655, since Wed 20 Nov", "emp_641, since Wed 13 Nov"},
		"person-requests":         {"Okta group sales-reports Covers for Max", "AWS permission set sandbox", "Salesforce permission set discount-approver Sales leads"},
		"leaving-open":            {"AWS Group. Unreadable: reading user", "2 systems were read, and nothing is open. PDF"},
		"run":                     {"Policy Everyone on the payroll", "token lacks the right users:write", "Give the service account the right that the error names"},
		"undo":                    {"steps are done by people: each opens a task."},
		"brakes":                  {"25 more may leave, 0 of them so far", "40 more may leave, 12 of them so far"},
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
