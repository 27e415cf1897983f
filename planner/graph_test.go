package planner_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

var update = flag.Bool("update", false, "write golden files")

// golden compares with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./planner -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-file +now):\n%s", name, diff)
	}
}

// plan writes plans shortly: one line a step, "tier key action: needs", needs by their number from 1. "!" before a need
// asks only that it was tried, "*" makes a message of the step.
func plan(t *testing.T, lines ...string) dayone.Plan {
	t.Helper()
	p := dayone.Plan{Person: "per_sarah"}
	for i, line := range lines {
		head, needs, _ := strings.Cut(line, ": ")
		f := strings.Fields(head)
		key, err := dayone.ParseKey(f[1])
		if err != nil {
			t.Fatal(err)
		}
		s := dayone.Step{Key: key, Action: dayone.Action(f[2]), Tier: dayone.Tier(strings.Trim(f[0], "-"))}
		s.ID = dayone.StepID(key.String() + " " + f[2])
		if s.Action == dayone.MessageSend {
			for _, o := range p.Steps {
				s.Needs = append(s.Needs, dayone.Need{Step: o.ID, When: dayone.Settled})
			}
		}
		for _, n := range strings.Fields(needs) {
			number := 0
			if _, err := fmt.Sscan(strings.TrimPrefix(n, "!"), &number); err != nil || number > i {
				t.Fatalf("%q needs %q", line, n)
			}
			need := dayone.Need{Step: p.Steps[number-1].ID}
			if n[0] == '!' {
				need.When = dayone.Tried
			}
			s.Needs = append(s.Needs, need)
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// onboarding is the plan of a sales engineer: everything a picture knows is in it.
func onboarding(t *testing.T) dayone.Plan {
	return plan(t,
		"identity okta/account account.create",
		"base okta/group:base-employee entitlement.add: 1",
		"department okta/group:sales-team entitlement.add: 1",
		"department okta/app:salesforce entitlement.add: 1",
		"identity google/account account.create",
		"base google/group:employees@company.com entitlement.add: 5",
		"department google/group:sales@company.com entitlement.add: 5",
		"base slack/account account.create: 1",
		"base slack/channel:#general entitlement.add: 8",
		"base slack/channel:#announcements entitlement.add: 8",
		"department slack/channel:#sales-team entitlement.add: 8",
		"role slack/channel:#customer-success entitlement.add: 8",
		"role slack/channel:#engineering-general entitlement.add: 8 1",
		"base notion/account account.create: 1",
		"base notion/space:company entitlement.add: 14",
		"department notion/space:sales entitlement.add: 14",
		"role notion/space:technical entitlement.add: 14",
		"department salesforce/account account.create: 1 4",
		"department salesforce/queue:enterprise entitlement.add: 18",
		"role salesforce/profile:sales-engineer entitlement.add: 18",
		"role gitlab/account account.create: 1",
		"role gitlab/group:customer-solutions entitlement.add: 21",
		"role aws/account account.create: 1",
		"role aws/permission-set:demo-sandbox entitlement.add: 23",
		"device procurement/order entitlement.add",
		"device jamf/device entitlement.add: 25",
		"device jamf/profile:standard entitlement.add: 26 5",
		"messages mail/message:it-summary message.send",
		"messages mail/message:manager-ready message.send",
		"messages mail/message:welcome message.send",
	)
}

var titles = map[string]string{
	"okta": "Okta", "google": "Google", "slack": "Slack", "notion": "Notion", "salesforce": "Salesforce", "gitlab": "GitLab",
	"aws": "AWS", "procurement": "Procurement", "jamf": "Jamf", "mail": "Mail",
}

// midRun is a run that shows every look.
func midRun(p dayone.Plan) map[dayone.StepID]planner.Mark {
	marks := map[dayone.StepID]planner.Mark{}
	for i, m := range map[int]planner.Mark{
		0: {planner.LookDone, "Done, changed"}, 1: {planner.LookAlready, "Done, already so"}, 2: {planner.LookRunning, "Running"}, 4: {planner.LookDone, "Done, changed"},
		13: {planner.LookFailed, "Failed"}, 14: {planner.LookBlocked, "Blocked"}, 15: {planner.LookBlocked, "Blocked"}, 16: {planner.LookSkipped, "Skipped"},
		20: {planner.LookFirstLogin, "Waiting for first login"}, 22: {planner.LookApproval, "Waiting for approval"}, 24: {planner.LookTask, "Waiting for a task"},
		7: {planner.LookWaiting, "Waiting"}, 10: {planner.LookUndone, "Undone"},
	} {
		marks[p.Steps[i].ID] = m
	}
	return marks
}

func TestPictureOfAnOnboarding(t *testing.T) {
	t.Parallel()
	p := onboarding(t)
	g := planner.Layout(p, planner.Drawing{Titles: titles})
	sound(t, g)
	golden(t, "onboarding.svg", planner.SVG(g, nil)+"\n")
	golden(t, "onboarding-running.svg", planner.SVG(g, midRun(p))+"\n")
}

func TestPictureOfALeaver(t *testing.T) {
	t.Parallel()
	p := plan(t,
		"- okta/account account.disable",
		"- google/account account.disable: !1",
		"- google/group:sales@company.com entitlement.remove: !1 !2",
		"- jamf/profile:standard entitlement.remove: !1",
		"- jamf/device entitlement.remove: !1 !4",
		"- okta/group:sales-team entitlement.remove: !1",
		"messages slack/message:left message.send",
	)
	g := planner.Layout(p, planner.Drawing{Titles: titles})
	sound(t, g)
	if got := g.Columns[0].Title + " " + g.Columns[1].Title; got != "First Then" {
		t.Errorf("columns of steps without a tier are %q", got)
	}
	golden(t, "leaver.svg", planner.SVG(g, nil)+"\n")
}

// move is a large plan: 200 steps on 11 systems.
func move(t *testing.T) dayone.Plan {
	var lines []string
	for s := range 11 {
		tier := []string{"identity", "base"}[min(s, 1)]
		lines = append(lines, fmt.Sprintf("%s sys%d/account account.create", tier, s))
		account := len(lines)
		for i := range 17 {
			lines = append(lines, fmt.Sprintf("%s sys%d/group:group-%02d entitlement.add: %d", []string{"base", "department", "role"}[i%3], s, i, account))
		}
	}
	lines = append(lines, "messages mail/message:moved message.send", "messages mail/message:welcome message.send")
	return plan(t, lines...)
}

func TestLargePlansFold(t *testing.T) {
	t.Parallel()
	p := move(t)
	if len(p.Steps) != 200 {
		t.Fatalf("%d steps", len(p.Steps))
	}
	g := planner.Layout(p, planner.Drawing{})
	sound(t, g)
	if len(g.Nodes) > 45 || g.Height > 520 {
		t.Errorf("200 steps are %d nodes and %.0f px high", len(g.Nodes), g.Height)
	}
	marks := map[dayone.StepID]planner.Mark{p.Steps[4].ID: {Look: planner.LookFailed, Text: "Failed"}, p.Steps[1].ID: {Look: planner.LookDone, Text: "Done"}}
	golden(t, "folded.svg", planner.SVG(g, marks)+"\n")

	var cell string
	for _, n := range g.Nodes {
		if len(n.Steps) > 1 && slices.Contains(n.Steps, p.Steps[4].ID) {
			cell = n.Cell
			if !strings.Contains(n.SVG(marks), `class="node n-f"`) {
				t.Error("a folded cell hides that one of its steps failed")
			}
		}
	}
	open := planner.Layout(p, planner.Drawing{Open: []string{cell}})
	sound(t, open)
	if len(open.Nodes) <= len(g.Nodes) {
		t.Errorf("opening %q shows %d nodes after %d", cell, len(open.Nodes), len(g.Nodes))
	}
}

// sound checks what holds for every picture.
func sound(t *testing.T, g planner.Graph) {
	t.Helper()
	if g.Width > 980 {
		t.Errorf("the picture is %.1f wide", g.Width)
	}
	seen, steps := map[string]bool{}, 0
	for i, a := range g.Nodes {
		if seen[a.ID] {
			t.Errorf("two nodes are called %s", a.ID)
		}
		seen[a.ID] = true
		steps += len(a.Steps)
		if a.X < 0 || a.Y < 30 || a.X+a.W > g.Width || a.Y+a.H > g.Height {
			t.Errorf("%s lies outside: %+v", a.Title, a)
		}
		for _, b := range g.Nodes[:i] {
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s lies on %s", a.Title, b.Title)
			}
		}
	}
	if steps != g.Steps || len(g.Order) != g.Steps {
		t.Errorf("%d steps are drawn and %d are listed of %d", steps, len(g.Order), g.Steps)
	}
}

func TestOnlyNeedsThatNoOtherImpliesAreDrawn(t *testing.T) {
	t.Parallel()
	p := plan(t,
		"identity okta/account account.create",
		"base okta/app:a entitlement.add: 1",
		"department a/account account.create: 1 2",
		"role a/group:g entitlement.add: 1 2 3",
	)
	g := planner.Layout(p, planner.Drawing{})
	if len(g.Edges) != 3 {
		t.Errorf("%d edges, want 3: one account, one app, one group", len(g.Edges))
	}
	if got, want := len(g.Critical), 4; got != want {
		t.Errorf("the critical path has %d steps, want %d", got, want)
	}
}

func TestDurationsMoveTheCriticalPath(t *testing.T) {
	t.Parallel()
	p := plan(t,
		"identity okta/account account.create",
		"base okta/group:a entitlement.add: 1",
		"device shop/order entitlement.add",
		"device jamf/device entitlement.add: 3",
		"device jamf/profile:p entitlement.add: 4",
	)
	if g := planner.Layout(p, planner.Drawing{}); g.Critical[0] != p.Steps[2].ID {
		t.Errorf("without durations the longest chain counts, got %v", g.Critical)
	}
	took := map[dayone.StepID]time.Duration{p.Steps[0].ID: time.Minute, p.Steps[1].ID: time.Second, p.Steps[2].ID: time.Second}
	g := planner.Layout(p, planner.Drawing{Took: took})
	if want := []dayone.StepID{p.Steps[0].ID, p.Steps[1].ID}; !slices.Equal(g.Critical, want) {
		t.Errorf("critical path is %v, want %v", g.Critical, want)
	}
}

func TestPlacesDoNotDependOnStates(t *testing.T) {
	t.Parallel()
	p := onboarding(t)
	g := planner.Layout(p, planner.Drawing{Titles: titles})
	for _, n := range g.Nodes {
		before, after := n.SVG(nil), n.SVG(midRun(p))
		at := func(s string) string { i := strings.Index(s, "<rect"); return s[i : i+strings.Index(s[i:], "/>")] }
		if at(before) != at(after) {
			t.Errorf("%s moves when its state changes", n.Title)
		}
	}
}

func TestPicturesOfOddPlans(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]dayone.Plan{
		"nothing":       {},
		"only a mail":   plan(t, "messages mail/message:hello message.send"),
		"one step":      plan(t, "base okta/account account.create"),
		"against tiers": plan(t, "role a/account account.create", "identity b/account account.create: 1", "base a/group:x entitlement.add: 2"),
		"markup":        plan(t, `base <b>&"/channel:<script>alert(1)</script> entitlement.add`),
	} {
		g := planner.Layout(p, planner.Drawing{Titles: map[string]string{"a": strings.Repeat("wide title ", 20)}})
		sound(t, g)
		if s := planner.SVG(g, nil); strings.Contains(s, "NaN") || strings.Contains(s, "<script") || strings.Contains(s, "<b>") {
			t.Errorf("%s: %s", name, s)
		}
	}
}

func BenchmarkLayout(b *testing.B) {
	p := dayone.Plan{}
	for i := range 1000 {
		s := dayone.Step{ID: dayone.StepID(fmt.Sprint(i)), Action: dayone.EntitlementAdd, Tier: dayone.TierBase, Key: dayone.Key{System: fmt.Sprint("s", i%20), Kind: "group", Name: fmt.Sprint(i)}}
		if i >= 20 {
			s.Needs = []dayone.Need{{Step: dayone.StepID(fmt.Sprint(i % 20))}}
		}
		p.Steps = append(p.Steps, s)
	}
	for b.Loop() {
		planner.SVG(planner.Layout(p, planner.Drawing{}), nil)
	}
}

func TestLongTitlesTakeTwoLines(t *testing.T) {
	for title, want := range map[string][]string{
		"Okta": {"Okta"}, "Google Workspace": {"Google", "Workspace"}, "AWS IAM Identity Center": {"AWS IAM", "Identity Center"},
		"Donaudampfschifffahrtsgesellschaft": {"Donaudampf…"}, "A rather long name of a system": {"A rather long", "name of a s…"},
	} {
		if got := planner.Wrap(title, 90); !slices.Equal(got, want) {
			t.Errorf("%s is drawn as %q, want %q", title, got, want)
		}
	}
}

// Before anything begins there is no run to lead to: each node leads to a row of the list below the picture.
func TestNodesLeadToRowsOfTheList(t *testing.T) {
	t.Parallel()
	p := move(t)
	g := planner.Layout(p, planner.Drawing{Rows: true})
	svg := planner.SVG(g, nil)
	if n := strings.Count(svg, `href="#plan-`); n != len(g.Nodes) || strings.Contains(svg, `href="?`) {
		t.Errorf("%d of %d nodes lead to a row", n, len(g.Nodes))
	}
	for _, n := range g.Nodes {
		first := slices.IndexFunc(p.Steps, func(s dayone.Step) bool { return s.ID == n.Steps[0] }) + 1
		if !strings.Contains(n.SVG(nil), fmt.Sprintf(`href="#plan-%d"`, first)) {
			t.Errorf("%s does not lead to step %d", n.Title, first)
		}
	}
}
