package web

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/planner"
)

// What is found elsewhere calls accesses as pages do, and has its times in the zone of whoever reads it.
func TestSentencesFromElsewhereReadAsPagesDo(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	angeles, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	view := viewer{zone: berlin, now: sampleDay, in: locale.Of("en"), sites: func() []*time.Location { return []*time.Location{angeles} }}
	view.things = sampleThings(view)
	german := view
	german.in = locale.Of("de")
	german.things = sampleThings(german)
	for _, x := range []struct{ note, want, deutsch string }{
		{"okta/group:sales would be left without anybody on 2024-11-22", "Okta group sales would be left without anybody on 22 Nov 2024", "in Okta Gruppe sales bliebe am 22. Nov. 2024 niemand"},
		{"ready by about Mon 25 Nov 11:30 PST, after the first day has begun", "ready by about Mon 25 Nov 20:30 CET, after the first day has begun", ""},
		{"last heard or read on Thu 21 Nov 09:00 UTC", "last heard or read on Thu 21 Nov 10:00 CET", ""},
		{"Okta has been down since 2024-11-22 11:58 UTC; this goes on by itself when it answers", "Okta has been down since Fri 22 Nov 12:58 CET; this goes on by itself when it answers", ""},
		{"policies/base.yaml:19 is not there", "policies/base.yaml:19 is not there", ""},
		{"Quotes: salesforce/permset:a, okta/account; nobody should have these together", "Quotes: Salesforce permission set a, Okta account; nobody should have these together", ""},
	} {
		if got := view.found(x.note); got != x.want {
			t.Errorf("%q is %q, want %q", x.note, got, x.want)
		}
		if got := german.found(x.note); x.deutsch != "" && got != x.deutsch {
			t.Errorf("in German %q is %q, want %q", x.note, got, x.deutsch)
		}
	}
	var all string
	for _, a := range sampleAlerts(sampleDay) {
		it := alertItem(view, a)
		all += it.Title.Text + "|" + it.Meta + "\n"
	}
	reads(t, "alerts", all, ": Okta|Okta group sales would be left", "; open since\n")
	readsNot(t, "alerts", all, "kta/group:sales", " PST", " UTC")
}

// A step that waits for its system calls it by its title, and its time is the reader's.
func TestAStepThatWaitsNamesItsSystem(t *testing.T) {
	t.Parallel()
	html := pageOf(t, "run-parked")
	reads(t, "run-parked", html, "Okta has been down since Fri 22 Nov ")
	readsNot(t, "run-parked", html, "is down since", "okta has been down", "slack was stopped", "2024-11-22 1")
}

// Whoever has agreed is asked no more, and reads that she has.
func TestWhoeverHasAgreedIsNotAsked(t *testing.T) {
	t.Parallel()
	q := dayone.Petition{State: dayone.ApprovalOpen, Due: noon.Add(48 * time.Hour), Deciders: []dayone.Decider{{Mail: "kim@company.com"}, {Mail: "Raj@company.com"}, {Mail: "li@company.com"}}}
	q.Votes = []dayone.Vote{{Of: "raj@company.com", Yes: true}}
	for reader, want := range map[string]string{"raj@company.com": "You approved; waits for kim@company.com, li@company.com.", "kim@company.com": "raj@company.com approved; waits for kim@company.com, li@company.com."} {
		if got := approvalItem(plainView(), petition{req: q, reader: reader}); got.Next != want {
			t.Errorf("%s reads %q, want %q", reader, got.Next, want)
		}
	}
	q.Votes = nil
	if got := approvalItem(plainView(), petition{req: q}); got.Next != "Asks kim@company.com, Raj@company.com, li@company.com." {
		t.Errorf("nobody has answered, and it reads %q", got.Next)
	}
}

// The note of a bar that ends late stands before it.
func TestALateBarKeepsItsNote(t *testing.T) {
	t.Parallel()
	g := gantt{view: plainView(), now: noon, scale: scale{start: noon, mid: noon.Add(time.Hour), end: noon.Add(time.Hour), x1: ganttRight, x2: ganttRight}}
	g.bar(&bar{step: &dayone.StepRun{}, label: "Okta", look: planner.LookDone, from: noon.Add(55 * time.Minute), to: noon.Add(time.Hour), note: "came late"}, 40)
	if svg := g.b.String(); !strings.Contains(svg, `text-anchor="end">came late`) {
		t.Error(svg)
	}
}

// What failed is open for whoever has to act: it stands under Open as well as under Need you.
func TestAFailedStepIsOpen(t *testing.T) {
	t.Parallel()
	run := dayone.Run{ID: "run_x", State: dayone.RunIncomplete}
	for i, state := range []dayone.StepState{dayone.StepDone, dayone.StepFailed} {
		s := dayone.Step{ID: dayone.StepID([]string{"a", "b"}[i]), Key: dayone.Key{System: "okta", Kind: "group", Name: []string{"a", "b"}[i]}, Action: dayone.EntitlementAdd}
		run.Plan.Steps = append(run.Plan.Steps, s)
		run.Steps = append(run.Steps, dayone.StepRun{Step: s, State: state})
	}
	v := newBoard(board{run: run, view: plainView(), titles: map[string]string{}, show: "open"}).steps()
	rows := 0
	for _, g := range v.Groups {
		rows += len(g.Rows)
	}
	if rows != 1 || v.Seg[2].Count != 1 {
		t.Errorf("open are %d rows, and %v is counted", rows, v.Seg)
	}
}

// What stands side by side on a page is told apart, and a command says what it does.
func TestPagesSayWhatComesNext(t *testing.T) {
	t.Parallel()
	reads(t, "policies", pageOf(t, "policies"), "obody may have both Salesforce permission set quote-author and Salesforce permission set discount-approver")
	reads(t, "people-empty", pageOf(t, "people-empty"), "<code>dayone import</code> reads")
	reads(t, "policy-people", pageOf(t, "policy-people"), "<code>dayone plan --all --list</code> plans for everybody")
	reads(t, "me-new", pageOf(t, "me-new"), "ask your manager or HR")
	reads(t, "runs-empty", pageOf(t, "runs-empty"), `href="/people">Choose a person`)
	page := drawn(t, "records", recordsView{Rows: []recordRow{{What: "Run started", By: "kim@company.com", Person: link{"Sarah Chen", "/people/x"}, Run: link{"Open run", "/runs/x"}}}})
	reads(t, "records", page, `by kim@company.com, <a href="/people/x"><bdi>Sarah Chen</bdi></a>, <a href="/runs/x">Open run</a>`)
	late := taskItem(viewer{zone: time.UTC, now: noon, in: locale.Of("en")}, todo{task: dayone.Task{ID: "tsk_1", Due: noon.Add(-72 * time.Hour)}, zone: time.UTC})
	if !strings.HasSuffix(late.State.Text, ", 3 days late") {
		t.Errorf("a task that is late reads %q", late.State.Text)
	}
}
