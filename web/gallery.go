package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

type galleryView struct {
	Pages        []link
	Swatches     []string
	States, Tags []state
	Strips       []strip
	Key          []tally
	Figures      []figure
	Notices      []notice
	Rows         []item
	KV           []pair
	Tabs         []tab
	Fields       []field
	Reason       reason
	Empty        empty
	Error        errorView
	Toast        toast
}

// gallery shows every component and leads to every state of every page, all made up.
func (p *portal) gallery(w http.ResponseWriter, r *http.Request) error {
	if !p.opt.Open {
		return dayone.ErrNotFound
	}
	v := newGallery()
	for _, s := range samples(p.onSampleDay(r)) {
		v.Pages = append(v.Pages, link{s.title, inLanguage("/gallery/"+s.name, r)})
	}
	return p.show(w, r, http.StatusOK, page{Template: "gallery", Title: "Gallery", Nav: "gallery", Crumbs: []link{{"Gallery", ""}}, Main: v})
}

func (p *portal) sample(w http.ResponseWriter, r *http.Request) error {
	if !p.opt.Open {
		return dayone.ErrNotFound
	}
	all := samples(p.onSampleDay(r))
	i := slices.IndexFunc(all, func(s sample) bool { return s.name == r.PathValue("sample") })
	if i < 0 {
		return dayone.ErrNotFound
	}
	s := all[i]
	return p.show(w, r, http.StatusOK, page{
		Template: s.template, Title: s.title, Nav: sampleNav(s), Crumbs: []link{{"Gallery", "/gallery"}, {s.title, ""}}, Plain: s.plain, Phone: s.phone, MadeUp: true, Main: s.main,
	})
}

// sampleNavs are the entries of the menu that are current on pages, by their template: on a picture the menu is as it is.
var sampleNavs = map[string]string{
	"add-person": "people", "alerts": "dashboard", "approval": "approvals", "approvals": "approvals", "brake": "brakes", "brakes": "brakes", "branding": "settings", "calendars": "settings",
	"catalogue": "policies", "codes": "people", "confidential": "confidential", "dashboard": "dashboard", "drift": "drift", "drift-one": "drift", "editor": "policies",
	"effort": "settings", "events": "events", "extend": "people", "list": "systems", "mailbox": "mailbox", "match": "matches", "matches": "matches", "newcomer": "onboard",
	"number": "numbers", "number-audit": "numbers", "number-import": "numbers", "number-plan": "numbers", "number-platform": "numbers", "number-pool": "numbers",
	"numbers": "numbers", "numbers-all": "numbers", "onboard": "onboard", "onboard-preview": "onboard", "onboard-products": "onboard", "onboard-result": "onboard",
	"leaving": "people", "order": "people", "people": "people", "person": "people", "person-runs": "people", "policies": "policies", "policy-people": "policies", "policy-text": "policies",
	"prehire-again": "people", "products": "products", "proposal": "policies", "records": "records", "request": "people", "roles": "settings", "run": "runs", "runs": "runs",
	"sessions": "sessions", "tokens": "sessions", "settings": "settings", "system": "systems", "system-form": "settings", "systemforms": "settings", "systems": "systems", "task": "tasks", "tasks": "tasks",
	"template": "settings", "templates": "settings", "timeline": "people", "undo": "runs", "webhooks": "settings", "why": "people",
}

// sampleNav is the entry that is current on a sample: records of a person or of a run stand with these.
func sampleNav(s sample) string {
	switch v, _ := s.main.(recordsView); {
	case v.Head != nil:
		return "people"
	case v.Run != nil:
		return "runs"
	}
	return sampleNavs[s.template]
}

// sampleDay is the day of everything that is made up: what a sample says of days in words fits what it computes.
var sampleDay = time.Date(2024, 11, 22, 12, 0, 0, 0, time.UTC)

// onSampleDay is whoever looks, on that day.
func (p *portal) onSampleDay(r *http.Request) viewer {
	v := p.viewerOf(r)
	v.now = sampleDay
	return v
}

func newGallery() galleryView {
	looks := []planner.Look{
		planner.LookDone, planner.LookDone, planner.LookAlready, planner.LookRunning, planner.LookTask, planner.LookFirstLogin, planner.LookFailed, planner.LookBlocked, planner.LookPending, planner.LookPending,
	}
	small, key := newStrip(viewer{}, looks)
	var many []planner.Look
	for i := range 200 {
		many = append(many, looks[i*len(looks)/200])
	}
	big, _ := newStrip(viewer{}, many)
	v := galleryView{
		Swatches: strings.Fields("canvas surface sunken line line-strong text muted accent accent-tint done wait fail"), Strips: []strip{small, big}, Key: key,
		Figures: []figure{
			{Label: "State", State: &state{Icon: "run", Class: "s-run", Text: "Running"}},
			{Label: "Done", Value: "13", Small: "of 29 steps"},
			{Label: "Running for", Value: "21 s"},
			{Label: "Open tasks", Value: "2", Href: "/tasks"},
		},
		Notices: []notice{
			{Icon: "info", Title: "The plan is out of date", Text: "HR changed the manager at 15:09. Preview again before you start.", Act: &link{"Preview again", "/gallery"}},
			{Kind: "warn", Icon: "warn", Title: "Live updates are paused", Text: "The connection broke. It is tried again by itself."},
			{Kind: "bad", Icon: "x", Title: "Notion refused the account", Text: "Three spaces are blocked, everything else goes on."},
			{Kind: "good", Icon: "check", Title: "Sarah Chen is ready", Text: "24 of 24 grants are there."},
		},
		Rows: []item{
			{State: &state{Icon: "x", Class: "s-fail", Text: "Failed"}, Title: link{"Notion: create account", "/gallery"}, Meta: "Notion does not allow it. It blocks 3 more.", Next: "Give the service account the right that the error names, then retry.", Acts: []act{{Text: "Retry", Action: "/gallery"}}},
			{State: &state{Icon: "task", Class: "s-wait", Text: "Task"}, Title: link{"Order a laptop", "/gallery"}, Meta: "Sarah Chen, Procurement", Open: &link{"Open task", "/tasks"}},
		},
		KV:   []pair{{Name: "Person", Value: "per_01jd9x0000000000000000000a", Code: true}, {Name: "Mail", Value: "sarah.chen@company.com"}, {Name: "Run", Value: "Onboard Sarah Chen", Href: "/runs"}},
		Tabs: []tab{{Text: "Access", Href: "/gallery", Count: 31, Current: true}, {Text: "Employment", Href: "/gallery"}, {Text: "Records", Href: "/gallery", Count: 100412}},
		Fields: []field{
			{ID: "g1", Name: "g1", Label: "Serial number", Hint: "On the box, 10 to 12 characters", Type: "text", Mono: true},
			{ID: "g2", Name: "g2", Label: "Tracking number", Value: "1Z", Error: "Enter the whole number, for example 1Z999AA10123456784.", Type: "text", Mono: true},
		},
		Reason: reason{Text: "Sales department", Chain: []chained{
			{Head: "HR", Text: "Department Sales"}, {Head: "Policy", Text: "Sales department", Code: "policies/sales.yaml:7", Href: "/policies"}, {Head: "Step", Text: "entitlement.add"}, {Head: "Confirmed", Text: "Okta"},
		}, Why: &link{"Explain", "/gallery"}},
		Empty: empty{Icon: "play", Title: "No runs yet", Text: "A run starts when somebody is hired, moves or leaves.", Acts: []link{{"Dashboard", "/"}}},
		Error: errorView{Title: "This page could not be built", Text: "Runs go on, nothing is lost.", Next: "Load it again.", ID: "req_01jd9x0000000000000000000a"},
		Toast: toast{State: state{Icon: "check", Class: "s-done", Text: "It is corrected"}, Undo: &act{Text: "Undo", Action: "/gallery"}, Close: "/gallery"},
	}
	for _, s := range sampleStates() {
		_, st := stepState(&s)
		v.States = append(v.States, st)
	}
	for _, r := range []dayone.RunState{dayone.RunRunning, dayone.RunDone, dayone.RunWaiting, dayone.RunIncomplete, dayone.RunHeld, dayone.RunSuperseded} {
		v.Tags = append(v.Tags, *runState(r).tag())
	}
	return v
}

// sampleStates are steps in every state that a step can show.
func sampleStates() []dayone.StepRun {
	done := dayone.StepRun{State: dayone.StepDone, Result: dayone.Result{Now: &dayone.Item{State: dayone.Active}}}
	same := dayone.StepRun{State: dayone.StepDone}
	out := []dayone.StepRun{done, same, {State: dayone.StepRunning, Attempt: 1}, {State: dayone.StepRetrying, Attempt: 2}}
	for _, k := range []dayone.WaitKind{dayone.WaitApproval, dayone.WaitTask, dayone.WaitFirstLogin, dayone.WaitAcceptance, dayone.WaitPropagation, dayone.WaitSeat, dayone.WaitSystem} {
		out = append(out, dayone.StepRun{State: dayone.StepWaiting, Wait: &dayone.Wait{Kind: k}})
	}
	for _, s := range []dayone.StepState{dayone.StepFailed, dayone.StepBlocked, dayone.StepPending, dayone.StepSkipped, dayone.StepUndone, dayone.StepUndoFailed} {
		out = append(out, dayone.StepRun{State: s})
	}
	return out
}
