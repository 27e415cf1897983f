package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// sample is one page in one state, made up: the gallery shows it, tests render all of them.
type sample struct {
	name, title, template string
	plain, phone          bool
	main                  any
}

const sampleICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Intro call\\, Sarah\r\nLOCATION:online\r\nDTSTART;TZID=America/Los_Angeles:20241125T090000\r\n" +
	"DTEND;TZID=America/Los_Angeles:20241125T093000\r\nORGANIZER;CN=Onboarding:mailto:it@company.com\r\nATTENDEE;CN=\"Doe, John\";RSVP=TRUE:mailto:john.doe@\r\n company.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

const samplePerson = "per_01jd9x0000000000000000000a"

// samples are every page empty, full and with a thousand rows, and everything that can go wrong with it.
func samples(view viewer) []sample {
	view.things, view.policies = sampleThings(view), samplePolicyTitle
	now := view.now
	first := now.Truncate(24*time.Hour).AddDate(0, 0, 3) // her first day, a Monday
	row := flow.Row{
		ID: samplePerson, Managed: true, Name: "Sarah Chen", Email: "sarah.chen@company.com", Manager: "john.doe@company.com", Title: "Sales Engineer",
		Department: "Sales", Team: "Enterprise", Location: "San Francisco", Status: dayone.PreHire, Starts: first, Wake: first,
	}
	head := func(current string) personHead { return newPersonHead(view, row, time.UTC, current) }
	there, moved, gone, foreign := row, row, row, row
	there.Status, there.Starts, there.Wake = dayone.Working, first.AddDate(0, 0, -7*117), time.Time{}
	moved.Title, moved.Location, moved.Status, moved.Starts, moved.Wake = "Account Executive", "Berlin", dayone.OnLeave, now.AddDate(0, 0, -32), now.AddDate(0, 0, 20)
	gone.Status, gone.Starts, gone.Ends, gone.Wake = dayone.Left, there.Starts, now.Truncate(24*time.Hour), time.Time{}
	foreign.Managed, foreign.Status, foreign.Starts, foreign.Wake = false, dayone.Working, first.AddDate(0, 0, -7*201), time.Time{}
	headOf := func(who flow.Row, current string) personHead { return newPersonHead(view, who, time.UTC, current) }
	leaves := moved
	leaves.Status = dayone.Working
	discreet := headOf(leaves, "timeline")
	discreet.Secret = confidentialNotice(view, flow.Confidential{Ends: view.now.AddDate(0, 0, 30), Until: view.now.AddDate(0, 0, 30)})
	sarah := func(dayone.PersonID) flow.Row { return row }
	noWhy := func(k dayone.Key) policy.Explanation { return policy.Explanation{Key: k} }
	crowd := samplePeople(sampleCrowd, first)
	nobodys := crowd[len(crowd)-1]
	sellers := slices.DeleteFunc(slices.Clone(crowd), func(r flow.Row) bool { return r.Department != "Sales" })
	running, folded, bad, over := samplePaced(view, 0), samplePaced(view, 1000), sampleIncomplete(view), sampleDone(view)
	continuedRun := sampleContinued(view)
	running.chosen = 8
	detailed := sampleRun(running)
	detailed.Detail = running.detail(nil)
	detailed.Detail.Calls, _ = newCalls(view, sampleCalls(now))
	filtered := *running
	filtered.show = "open"
	list := sampleAccess(now)
	look := flow.Look{Person: dayone.Person{ID: samplePerson, Managed: true}}
	odd := flow.Look{Person: dayone.Person{ID: samplePerson, Managed: true, Attrs: dayone.Attrs{"department": dayone.Text("Sales"), "location": dayone.Text("Mars")}, Unknown: []string{"department", "level", "location"}}, Want: dayone.Want{Findings: []dayone.Finding{{Kind: "sod", Text: "Quotes: salesforce/permset:quote-author, salesforce/permset:discount-approver; nobody should have these together"}}}}
	task := dayone.Task{
		ID: "tsk_01jd9x0000000000000000000a", Person: samplePerson, System: "procurement", Title: "Order a MacBook Pro 14",
		Note: "Order it with express delivery.", Ask: []string{"serial", "tracking", "carrier", "arrives"}, Opened: now.Add(-time.Hour), Due: now.Add(2 * time.Hour),
	}
	conflict := dayone.Task{
		ID: task.ID, Person: samplePerson, Run: "run_01jd9x0000000000000000000a", System: "okta", Title: "Whose is okta/account?",
		Note: "okta: creating user: conflict. The account 00u1 is bound to nobody we know. If it is theirs, complete this task with adopt = 00u1; if not, free the name there and retry.", Ask: []string{"adopt"}, Opened: now,
	}
	byHand := dayone.Task{
		ID: task.ID, Person: samplePerson, System: "okta", Title: "okta/account", Ask: []string{"ref"}, Opened: now,
		Note: "okta: calling: not supported: no connector is configured for it; do it by hand and complete this task, or configure the system and retry the step",
	}
	todoOf := func(t dayone.Task, step dayone.StepRun, system, kind, thing string) todo {
		t.Step = step.Step.ID
		return todo{task: t, row: row, zone: time.UTC, run: link{"Onboard Sarah Chen", "/runs"}, number: 1, step: &step, system: system, kind: kind, thing: thing, policy: samplePolicyTitle}
	}
	create, join := running.run.Steps[0], running.run.Steps[4]
	create.Kind, join.Kind, create.Step.Want = dayone.ErrUnsupported.Error(), dayone.ErrUnsupported.Error(), &dayone.Item{
		State: dayone.Staged, Attrs: dayone.Attrs{"login": dayone.Text("sarah.chen@company.com"), "department": dayone.Text("Sales"), "password": {Kind: dayone.SecretValue, Text: "password:20"}},
	}
	join.Step.Want = &dayone.Item{Role: "member"}
	ordered := func(t dayone.Task) todo { return todoOf(t, running.run.Steps[13], "Procurement", "order", "") }
	closed := task
	closed.Closed, closed.By, closed.Attrs = now, "administrator", dayone.Attrs{"serial": dayone.Text("C02XK1ABCD"), "carrier": dayone.Text("UPS"), "tracking": dayone.Text("1Z999AA10123456784"), "arrives": dayone.Text("2024-11-23")}
	missed := newTask(view, ordered(task), map[string]string{"arrives": "soon"})
	n := missing(view, &missed, map[string]string{"arrives": "soon"})
	missed.Problem = &notice{Kind: "bad", Icon: "x", Title: view.plural(n, "One thing is missing", "%d things are missing"), Text: "The step goes on with what you enter here."}
	var tasks []todo
	for i := range 1000 {
		t := task
		who := crowd[i%len(crowd)]
		t.Title, t.Note, t.Due = sampleChores[i%len(sampleChores)], "", now.Add(time.Duration(i-100)*time.Hour)
		tasks = append(tasks, todo{task: t, row: who, zone: time.UTC, system: "Procurement"})
	}
	hands := []todo{todoOf(byHand, create, "Okta", "account", ""), todoOf(byHand, join, "Slack", "channel", "#general"), ordered(task)}
	asked := dayone.Intake{Event: dayone.Event{ID: "evt_01jd9x0000000000000000000d", Source: "hr", Type: dayone.Hired, Subject: "emp_902", Received: now, At: now}, State: dayone.EventAsked, Note: "it may be about somebody who is known already; say who under Matches"}
	noMatch := func(dayone.Intake) link { return link{} }
	oneMatch := func(dayone.Intake) link { return link{"Say whose it is", "/matches/mat_01jd9x0000000000000000000a"} }
	quarantine := dayone.Intake{Event: dayone.Event{ID: "evt_01jd9x0000000000000000000a", Source: "hr", Type: dayone.Hired, Subject: "emp_789", Received: now, At: now}, State: dayone.EventQuarantined, Note: "start_date: 2024-13-40 is no day"}
	var events []dayone.Intake
	meanings := []string{"hire", "future hire"}
	for i := range 60 {
		e := quarantine
		e.State, e.Note, e.Person, e.Run = dayone.EventApplied, meanings[i%len(meanings)], crowd[i%len(crowd)].ID, running.run.ID
		e.Event.ID, e.Event.Subject, e.Event.Received = dayone.EventID(fmt.Sprintf("evt_%026d", i+1)), fmt.Sprintf("emp_%d", 899-i), now.Add(-time.Duration(i*11)*time.Minute)
		events = append(events, e)
	}
	known := func(id dayone.PersonID) flow.Row {
		if i := slices.IndexFunc(crowd, func(r flow.Row) bool { return r.ID == id }); i >= 0 {
			return crowd[i]
		}
		return row
	}
	stuck := row
	stuck.Problem = `notion/space:company and notion/account need each other; take one need out of policies/base.yaml:19`
	stuckEvent := events[0]
	stuckEvent.Person, stuckEvent.Run, stuckEvent.Note = samplePerson, "", "in the timeline, but no plan could be made: "+stuck.Problem
	nameless := quarantine
	nameless.Subject, nameless.Note = "", "data.employee.id is missing"
	mails := []Mail{
		{At: now, From: "it@company.com", To: []string{"john.doe@company.com"}, Subject: "Sarah Chen starts Monday", Text: "Hi John,\n\nfollow the progress: https://dayone.company.com/progress/per_1/abc.\n\n- IT Team"},
		{At: now, From: "it@company.com", To: []string{"sarah@home.example"}, Subject: "Intro call", Text: "Welcome call.", ICS: sampleICS},
	}
	progress := flow.Progress{Row: row, Look: look, Access: list, Code: "1234-5678", Opens: first.Add(12 * time.Hour)}
	progress.Look.Have = []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{System: "procurement", Kind: "order"}, State: dayone.Active, Attrs: dayone.Attrs{"model": dayone.Text("MacBook Pro 14"), "carrier": dayone.Text("UPS"), "tracking": dayone.Text("1Z999AA10123456784"), "arrives": dayone.Text(now.Add(24 * time.Hour).Format(time.DateOnly))}}}}
	troubled := progress
	troubled.Run, troubled.Code, troubled.Shows = &bad.run, "1234-5678", now.Add(time.Hour)
	late, stuckProgress := progress, progress
	late.Access, late.Row.Status, late.Row.Starts, late.Code = list[:2], dayone.Working, first.AddDate(0, 0, -7), ""
	late.Look.Have = []dayone.Holding{{Item: progress.Look.Have[0].Item}}
	late.Look.Have[0].Attrs = late.Look.Have[0].Attrs.With(dayone.Attrs{"arrives": dayone.Text(now.Add(-48 * time.Hour).Format(time.DateOnly))})
	stuckProgress.Stuck = true
	idleList := sampleIdle(list)
	stuckHead := newPersonHead(view, stuck, time.UTC, "access")
	connectors := map[string]string{"okta": "okta", "slack": "slack", "gitlab": "gitlab", "notion": "notion"}

	failed := sampleFailures(view)
	dash := newDashboard(view, map[dayone.Status]int{dayone.Working: 100000, dayone.PreHire: 212, dayone.OnLeave: 200}, 3, 2, 1, 1)
	dash.Overview = sampleOverview(view, failed, false)
	dash.fail(len(failed), false)
	waiting := sampleWaits(view)
	for i, who := range append([]flow.Row{row}, sampleStarters(startersShown-1, first)...) {
		b := over
		switch { // whose run is under way is among those below
		case i == 0 || i == 2:
			b = running
		case i == 3:
			b = waiting
		case i == 5:
			b = bad
		}
		f := flow.First{Run: b.run}
		strip, steps := b.strip()
		st := starterRow{Name: link{who.Name, "/people/" + string(who.ID)}, Facts: joined(", ", who.Title, who.Location), Starts: view.day(who.Starts, time.UTC), In: view.away(view.days(who.Starts, time.UTC)), Run: link{"run", "/runs"}, Strip: strip, Steps: steps}
		if i == startersShown-1 {
			f.Whole, f.Away, st.Undo = true, 24, &link{"Open the undo", "/runs"}
		}
		st.State, st.Note = readiness(view, f)
		dash.Starters = append(dash.Starters, st)
	}
	dash.More = true
	runRows := sampleRunRows(view, running, waiting, over, bad)
	under := slices.Clone(runRows[:3])
	dash.Runs, dash.Tasks, dash.Quarantined = under, []item{taskItem(view, hands[2]), taskItem(view, tasks[105])}, []item{quarantinedItem(view, quarantine)}
	nobodys.Problem = stuck.Problem
	dash.Unplanned = []item{unplannedItem(view, nobodys)}
	busy := dash
	for _, a := range sampleAlerts(now) {
		busy.Alerts = append(busy.Alerts, alertItem(view, a))
	}
	dash.Alerts, dash.MoreAlerts = busy.Alerts[:alertsShown], moreAlerts(view, len(busy.Alerts))
	pastAlert := sampleAlerts(now)[5]
	pastAlert.Resolved = now.Add(-10 * time.Minute)
	manyAlerts := newAlerts(view, alertsCounted, busy.Alerts, []item{pastAlertItem(view, pastAlert)})
	manyAlerts.Next = "/alerts?after=x"
	busy.AllUnplanned, busy.Overview = &link{"All of them", "/people"}, sampleOverview(view, failed, true)
	empties := newDashboard(view, nil, 0, 0, 0, 0)
	empties.Overview = newOverview(view, overview{Unread: 2, Ready: []flow.Readiness{{Days: 30}, {Days: 90}}, Saved: flow.Saved{Since: "2023-12"}}, nil, nil)

	staff := sampleStaff(first)
	manyPeople := samplePeopleList(view, url.Values{"after": {samplePerson}}, staff, nobodys.Name)
	newestFirst := url.Values{"sort": {"-starts"}}
	slices.SortStableFunc(staff, func(a, b flow.Row) int { return b.Starts.Compare(a.Starts) })
	newest := samplePeopleList(view, newestFirst, staff, nobodys.Name)
	var nobodyFound, nobodyYet peopleList
	nobodyFound.finish(view, url.Values{"q": {"Chenn"}}, nil, false)
	nobodyYet.finish(view, url.Values{}, nil, false)
	counts := map[dayone.Status]int{dayone.Working: 100000, dayone.PreHire: 212, dayone.OnLeave: 200}
	ph := head("records")
	records := recordsView{Total: linesText(view, 100412), Next: "/records?before=1", Rows: sampleRecords(view, 100412, running.run.ID)}
	runs := runsView{Rows: runRows, Next: "/runs?before=x"}
	for i, text := range []string{"All", "Under way", "Done", "Incomplete"} {
		runs.Tabs = append(runs.Tabs, tab{Text: text, Href: "/runs", Current: i == 0})
	}
	noRuns := personRunsView{Head: head("runs"), Empty: &empty{Icon: "play", Title: "No run yet", Text: "A run starts when something is to be done for this person."}}
	why := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, sampleExplanation())
	of := list[1]
	of.Key, of.Reasons = sampleExplanation().Key, []flow.Reason{{Reason: dayone.Reason{Policy: "sales-team", At: "policies/sales.yaml:7"}, Title: "Sales department"}}
	why.Chain = newReason(view, samplePerson, of, policy.Explanation{Votes: sampleExplanation().Votes}).Chain
	waits := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: list[0].Key, Answer: "unknown", Lines: []policy.Line{{
		Policy: "base-employee", Title: "Everyone on the payroll", At: "policies/base.yaml:23", Does: "grants", Truth: "unknown", Missing: []string{"work_arrangement"},
		Conditions: []policy.Condition{{Text: `person.work_arrangement == "office"`, Truth: "unknown", Reads: []policy.Read{{Name: "work_arrangement"}}}},
	}}})
	noLines := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: dayone.Key{System: "okta", Kind: "group", Name: "chess-club"}, Answer: "not given"})
	along := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: list[0].Key, Answer: "brought along", By: []policy.Along{{Key: sampleExplanation().Key, Lines: sampleExplanation().Lines[:1]}}})

	unvoted := sampleExplanation()
	unvoted.Votes = nil
	imported := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, unvoted)
	imported.idle(view, false, false, nil)
	policies, policyTexts := samplePolicies()
	announcedPolicies, proposed := sampleAnnounced(view, newPolicies(view, policies, policyTexts))
	dash.Announced = announcedPolicies.Announced[:1]
	dash.Tiles = newTiles(view, sampleTiles(now), nil)

	undo, undoSome, undoLive, undoNone := sampleUndos(over, running)
	heldLook := look
	heldLook.Holds = []dayone.Hold{{ID: "hld_01jd9x0000000000000000000a", Person: samplePerson, Run: running.run.ID, Keys: sampleUndoing(over).Keys, Reason: "hired by mistake", By: "kim@company.com", Until: now.Add(7 * 24 * time.Hour)}}
	var heldList []flow.Access
	for _, a := range list {
		switch {
		case slices.Contains(heldLook.Holds[0].Keys, a.Key): // it was taken, and nothing of it is there
			a.State, a.Wanted, a.Hold, a.Note, a.Since, a.Holding = flow.Held, true, true, "until "+heldLook.Holds[0].Until.Format("2 Jan 2006"), time.Time{}, nil
		case a.Key.System == "gitlab": // it went with its account
			continue
		}
		heldList = append(heldList, a)
	}
	taken := *over
	taken.gone = flow.TakenBack{By: "run_01jd9x0000000000000000000c", Of: over.run.ID, Steps: map[dayone.StepID]bool{}}
	for _, i := range []int{3, 4, 5, 6} { // all of Slack
		taken.gone.Steps[taken.run.Steps[i].Step.ID] = true
	}
	doneRun := sampleRun(over)
	doneRun.Undo = "/runs/x/undo"
	undoneRun := sampleRun(newBoard(taken))
	undoneRun.Undone, undoneRun.Undo = goneNotice(taken.gone, over.run.ID, taken.gone.By), "/runs/x/undo"

	dayBefore := sampleTimeline(now, time.UTC)
	dayBefore.AsOf = now.AddDate(0, 0, -1)

	leads := flow.Leader{Epoch: 3, Name: "dayone-1 (process 4711)", At: "https://dayone-1.company.com", Since: now.Add(-90 * time.Hour), Renewed: now.Add(-time.Second)}
	silent := leads
	silent.Silent, silent.Renewed = true, now.Add(-15*time.Second)

	brakes, braking, braked := sampleBrakes(view)
	confirming, mine, stale := sampleProposed(view)
	belongings, unreadPhones := sampleBelongings(view)

	return append([]sample{
		{"brakes", "Brakes, several", "brakes", false, false, brakes},
		{"brakes-none", "Brakes, nothing held", "brakes", false, false, newBrakes(view, nil, nil, nil, nil)},
		{"brake", "Brake, what it holds", "brake", false, false, braking},
		{"brake-proposed", "Brake, waits for a second person", "brake", false, false, confirming},
		{"brake-proposed-mine", "Brake, waits for a second person, who looks proposed it", "brake", false, false, mine},
		{"brake-proposed-stale", "Brake, what was proposed counts for nothing", "brake", false, false, stale},
		{"brake-over", "Brake, let through", "brake", false, false, braked},
		{"undo", "Undo, what it would do", "undo", false, false, undo},
		{"undo-some", "Undo, chosen steps", "undo", false, false, undoSome},
		{"undo-live", "Undo, of a run under way", "undo", false, false, undoLive},
		{"undo-none", "Undo, too late", "undo", false, false, undoNone},
		{"undo-whys", "Undo, every reason", "undo", false, false, sampleUndoWhys(over)},
		{"run-undone", "Run, taken back in part", "run", false, false, undoneRun},
		{"person-held", "Person, held", "person", false, false, newPersonAccess(view, head("access"), heldLook, heldList, noWhy)},
		{"standby", "Standing by", "standby", true, false, newStandingBy(view, Standing{Leader: leads}, "")},
		{"standby-silent", "Standing by, the other is silent", "standby", true, false, newStandingBy(view, Standing{Leader: silent}, "")},
		{"standby-start", "Standing by, just started", "standby", true, false, newStandingBy(view, Standing{}, "")},
		{"standby-trouble", "Standing by, no database", "standby", true, false, newStandingBy(view, Standing{Trouble: dayone.ErrUnavailable}, "")},
		{"dashboard", "Dashboard, full", "dashboard", false, false, dash},
		{"dashboard-alerts", "Dashboard, every kind of alert", "dashboard", false, false, busy},
		{"dashboard-empty", "Dashboard, first start", "dashboard", false, false, empties},
		{"alerts", "Alerts, some", "alerts", false, false, newAlerts(view, 2, busy.Alerts[:2], []item{pastAlertItem(view, pastAlert)})},
		{"alerts-many", "Alerts, every kind", "alerts", false, false, manyAlerts},
		{"alerts-none", "Alerts, none", "alerts", false, false, newAlerts(view, 0, nil, nil)},
		{"people", "People, a page of 100,412", "people", false, false, newPeople(view, url.Values{}, counts, []string{"Customer Success", "Design", "Engineering", "Finance", "Legal", "Sales", "Talent", "Workplace"}, manyPeople)},
		{"people-sorted", "People, the newest first", "people", false, false, newPeople(view, newestFirst, counts, []string{"Customer Success", "Design", "Engineering", "Finance", "Legal", "Sales", "Talent", "Workplace"}, newest)},
		{"people-none", "People, nobody matches", "people", false, false, newPeople(view, url.Values{"q": {"Chenn"}}, counts, nil, nobodyFound)},
		{"people-empty", "People, first start", "people", false, false, newPeople(view, url.Values{}, nil, nil, nobodyYet)},
		{"person", "Person, access", "person", false, false, newPersonAccess(view, head("access"), look, list, func(dayone.Key) policy.Explanation { return sampleExplanation() }).with([]pair{{Name: "Mail", Value: row.Email}, {Name: "Manager", Value: "John Doe", Href: "/people"}}).holding(newBelongings(view, belongings, true, true))},
		{"person-odd", "Person, flagged", "person", false, false, newPersonAccess(view, head("access"), odd, list, noWhy).holding(newBelongings(view, unreadPhones, false, true).awaiting(view, samplePerson, []flow.AwaitedDevice{{Key: dayone.Key{System: "jamf", Kind: "device"}, Title: "Jamf", Kind: "Managed Mac", Unsaid: []string{"work_arrangement", "country"}}, {Key: dayone.Key{System: "cucm", Kind: "phone"}, Title: "Cisco Unified CM", Kind: "Phone"}}))},
		{"person-unplanned", "Person, cannot be planned", "person", false, false, newPersonAccess(view, stuckHead, look, idleList, noWhy)},
		{"person-imported", "Person, known from an import", "person", false, false, newPersonAccess(view, headOf(foreign, "access"), flow.Look{}, idleList, noWhy)},
		{"person-requests", "Person, with requests", "person", false, false, newPersonAccess(view, head("access"), sampleRequests(now), list, func(dayone.Key) policy.Explanation { return sampleExplanation() })},
		{"request", "Request", "request", false, false, newRequest(view, head("access"), sampleOffer, sampleRequests(now)).called("Salesforce: permission set discount-approver").lasting(view, 14*24*time.Hour)},
		{"request-problem", "Request, without a reason", "request", false, false, sampleRefused(newRequest(view, head("access"), sampleOffer, sampleRequests(now)).called("Salesforce: permission set discount-approver"))},
		{"request-refused", "Request, not offered", "request", false, false, newRequest(view, head("access"), dayone.Key{System: "okta", Kind: "group", Name: "admins"}, look)},
		{"leaving", "Person, leaving, nothing open", "leaving", false, false, newLeaving(view, headOf(gone, "leaving"), sampleLeft, nil, sampleCertificates(now)[1:], dayone.Succession{Made: now, Done: now, To: "john.doe@company.com", Why: "manager"}, everything)},
		{"leaving-open", "Person, leaving, something open", "leaving", false, false, newLeaving(view, headOf(gone, "leaving"), sampleLeft, sampleLegal(now), sampleCertificates(now), sampleHeir(now), everything)},
		{"leaving-none", "Person, at work", "leaving", false, false, newLeaving(view, headOf(there, "leaving"), dayone.Person{Status: dayone.Working}, nil, nil, dayone.Succession{}, everything)},
		{"order-terminate", "End all access now", "order", false, false, newTerminate(headOf(there, "leaving"), sampleCut, &board{view: view, titles: map[string]string{"okta": "Okta"}})},
		{"order-erase", "Erase", "order", false, false, newErase(view, headOf(gone, "leaving"), flow.Erasure{Runs: 4, Lines: 812, Token: "x", Accounts: []dayone.Key{{System: "salesforce", Kind: "account"}}})},
		{"order-erase-not", "Erase, not now", "order", false, false, sampleHeldBack(newErase(view, headOf(gone, "leaving"), flow.Erasure{Refused: "a legal hold stands since 22 October 2024; release it first", Stays: sampleStays}))},
		{"order-hold", "Legal hold", "order", false, false, newHold(headOf(there, "leaving"), false)},
		{"order-release", "Release a legal hold", "order", false, false, newRelease(headOf(gone, "leaving"), true)},
		{"merge-ask", "Merge, with whom", "order", false, false, newMergeAsk(head("timeline"), "")},
		{"merge", "Merge, what will happen", "order", false, false, newMerge(view, head("timeline"), sampleMerging(row, now), func(s string) string { return sampleTitles[s] })},
		{"merge-refused", "Merge, refused", "order", false, false, newMerge(view, head("timeline"), flow.Merging{Stays: row, Goes: sampleMerging(row, now).Goes, Refused: "they are the same person already"}, func(s string) string { return sampleTitles[s] })},
		{"split", "Split, a merge is taken back", "order", false, false, newSplit(view, head("timeline"), sampleSplitting(now))},
		{"split-new", "Split, somebody new", "order", false, false, newSplit(view, head("timeline"), flow.Splitting{Employments: sampleSplitting(now).Employments})},
		{"order-reinstate", "Reinstate, nothing to give back", "order", false, false, newReinstate(headOf(gone, "leaving"), false)},
		{"person-empty", "Person, no access", "person", false, false, newPersonAccess(view, head("access"), look, nil, noWhy)},
		{"person-many", "Person, a thousand accesses", "person", false, false, newPersonAccess(view, head("access"), look, manyAccess(now), noWhy)},
		{"timeline", "Person, timeline", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, headOf(moved, "timeline"), sampleTimeline(now, time.UTC), url.Values{}), nil)},
		{"timeline-then", "Person, as of a day", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, headOf(moved, "timeline"), dayBefore, url.Values{"as_of": {"2024-11-21"}, "before": {"41"}}), sampleCorrectProblem())},
		{"timeline-empty", "Person, nothing known", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, head("timeline"), flow.History{AsOf: now, KnownAt: time.Date(2020, 1, 1, 23, 59, 0, 0, time.UTC)}, url.Values{"known_at": {"2020-01-01"}}), nil)},
		{"timeline-confidential", "Person, who leaves in confidence", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, discreet, sampleQuietTimeline(now), url.Values{}), nil)},
		{"person-runs", "Person, runs", "person-runs", false, false, personRunsView{Head: head("runs"), Rows: runRows[:1]}},
		{"person-runs-empty", "Person, no runs", "person-runs", false, false, noRuns},
		{"why", "Why, given", "why", false, false, why},
		{"why-imported", "Why, nothing is planned", "why", false, false, imported},
		{"why-none", "Why, no policy", "why", false, false, noLines},
		{"why-unknown", "Why, waits for a fact", "why", false, false, waits},
		{"why-along", "Why, brought along", "why", false, false, along},
		{"runs", "Runs, many", "runs", false, false, runs},
		{"runs-empty", "Runs, none", "runs", false, false, runsView{First: true, Empty: &empty{Icon: "play", Title: "No runs here", Text: "A run starts when a source says that somebody is hired, moves or leaves, or when the clock says so. Each shows its steps live.", Acts: []link{{"Choose a person", "/people"}}}}},
		{"run", "Run, in the middle", "run", false, false, detailed},
		{"run-open", "Run, open steps only", "run", false, false, sampleRun(newBoard(filtered))},
		{"run-many", "Run, a thousand steps", "run", false, false, sampleRun(folded)},
		{"run-incomplete", "Run, incomplete", "run", false, false, sampleRun(bad)},
		{"run-done", "Run, done", "run", false, false, doneRun},
		{"run-continued", "Run, continued in another", "run", false, false, sampleRun(continuedRun)},
		{"run-parked", "Run, waits for systems", "run", false, false, sampleParked(view)},
		{"run-cancelled", "Run, cancelled", "run", false, false, sampleRun(newBoard(*sampleCancelled(view)))},
		{"systems", "Systems, in every trouble", "systems", false, false, newSystems(view, sampleSystems(now), dayone.Order{})},
		{"systems-stopped", "Systems, all stopped", "systems", false, false, stoppedSystems(view)},
		{"tasks", "Tasks, a thousand", "tasks", false, false, sampleTasks(view, tasks)},
		{"tasks-by-hand", "Tasks, systems without a connector", "tasks", false, false, newTasks(view, hands, len(hands))},
		{"tasks-empty", "Tasks, none", "tasks", false, false, newTasks(view, nil, 0)},
		{"task", "Task, order", "task", false, false, newTask(view, ordered(task), nil)},
		{"task-by-hand", "Task, an account by hand", "task", false, false, newTask(view, todoOf(byHand, create, "Okta", "account", ""), nil)},
		{"task-missing", "Task, something missing", "task", false, false, missed},
		{"task-conflict", "Task, whose account", "task", false, false, sampleConflict(newTask(view, todoOf(conflict, create, "Okta", "account", ""), nil))},
		{"task-closed", "Task, done", "task", false, false, newTask(view, ordered(closed), nil)},
		{"events", "Events, with quarantine", "events", false, false, newEvents(view, append([]dayone.Intake{asked}, events...), []dayone.Intake{quarantine, nameless}, "", known, oneMatch)},
		{"events-unplanned", "Events, no plan could be made", "events", false, false, newEvents(view, []dayone.Intake{stuckEvent}, nil, "", func(dayone.PersonID) flow.Row { return stuck }, noMatch)},
		{"confidential", "Confidential, a leaver and a hire", "confidential", false, false, newConfidentials(view, []flow.Confidential{
			{Person: samplePerson, Name: "Αλέξανδρος Παπαδημητρίου", Hire: true, Hidden: true, Starts: view.now.AddDate(0, 1, 0), Until: view.now.AddDate(0, 0, 14)},
			{Person: samplePerson, Name: "Wilhelmina Featherstonehaugh-Cholmondeley", Ends: view.now.AddDate(0, 0, 30), Until: view.now.AddDate(0, 0, 30)},
		})},
		{"confidential-empty", "Confidential, nothing", "confidential", false, false, newConfidentials(view, nil)},
		{"events-empty", "Events, none", "events", false, false, newEvents(view, nil, nil, "", sarah, noMatch)},
		{"policies", "Policies", "policies", false, false, newPolicies(view, policies, policyTexts)},
		{"policy-text", "Policy, its text", "policy-text", false, false, samplePolicyText(newPolicies(view, policies, policyTexts))},
		{"policy-people", "Policy, who it holds for", "policy-people", false, false, policyPeopleView{ID: "sales-team", Text: policyText("sales-team"), Title: "Sales department", Facts: "Holds for 412 people", People: sampleLinksTo(sellers), More: view.number(412 - len(sellers))}},
		{"catalogue", "Catalogue", "catalogue", false, false, newCatalogue(view, policies, nil, newCatalogueList(view, sampleGivers(policies), nil, sampleOfferings(policies), 12_345, true))},
		{"editor", "Editor, a draft with a fault", "editor", false, false, editorView{
			Title: "Edit policies",
			Files: []link{{"policies/sales.yaml", "/policies/edit"}}, File: "policies/sales.yaml", Text: strings.Replace(policyTexts["policies/sales.yaml"], "okta/group:sales-team", "okta/group:sales-taem", 1),
			Judged: judgement{Errors: 1, Faults: []faultRow{{State: faultState(policy.Error), Line: 7, Text: "No connector offers \"okta/group:sales-taem\"", Hint: "Did you mean \"okta/group:sales-team\"?"}}},
		}},
		{"policies-announced", "Policies, announced by their author", "policies", false, false, announcedPolicies},
		{"proposal", "Proposal, beyond a limit", "proposal", false, false, proposed},
		{"policies-empty", "Policies, none", "policies", false, false, newPolicies(view, &policy.Set{}, nil)},
		{"records", "Records, a page", "records", false, false, records},
		{"records-empty", "Records of a person, none", "records", false, false, recordsView{Head: &ph, Empty: &empty{Icon: "record", Title: "No records here", Text: "Every act leaves a line."}}},
		{"mailbox", "Mailbox, an invitation", "mailbox", false, false, newMailbox(view, mails, 1)},
		{"mailbox-list", "Mailbox, nothing chosen", "mailbox", false, false, newMailbox(view, mails, -1)},
		{"mailbox-empty", "Mailbox, empty", "mailbox", false, false, newMailbox(view, nil, -1)},
		{"progress", "Progress, under way", "progress", true, true, newProgress(view, time.UTC, progress, connectors)},
		{"progress-trouble", "Progress, something failed", "progress", true, true, newProgress(view, time.UTC, troubled, connectors)},
		{"progress-laptop", "Progress, the laptop is late", "progress", true, true, newProgress(view, time.UTC, late, connectors)},
		{"progress-stuck", "Progress, no plan can be made", "progress", true, true, newProgress(view, time.UTC, stuckProgress, connectors)},
		{"progress-empty", "Progress, not begun", "progress", true, true, newProgress(view, time.UTC, flow.Progress{Row: row, Look: look}, connectors)},
		{"secret", "Secret, asks for the code", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Google"})},
		{"secret-code", "Secret, a code of a device", "sealed", true, true, sealedView{in: view.in, System: "Webex", Thing: "Device by code", Phase: "open", Secret: "4872-0193-5526-8841"}},
		{"secret-wrong", "Secret, wrong code", "sealed", true, true, sealedView{in: view.in, System: "Google", Phase: "ready", Wrong: true}},
		{"secret-early", "Secret, not yet", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Google", Opens: now.Add(72 * time.Hour), Zone: time.FixedZone("PST", -8*3600)})},
		{"secret-used", "Secret, used", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Google", Opened: now})},
		{"secret-over", "Secret, renewed since", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Cisco Meraki", Thing: "Network code", Over: true})},
		{"secret-waits", "Secret, being made", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Cisco Meraki", Thing: "Network code", Waits: true})},
		{"codes", "Codes of a person", "codes", false, false, newCodes(view, ph, row.Manager, sampleCodeKinds, sampleLinks(now), []dayone.Key{{System: "meraki", Kind: "code", Name: "HQ/Corp"}})},
		{"codes-empty", "Codes of a person, none", "codes", false, false, newCodes(view, ph, "", nil, nil, nil)},
		{"renew", "Renew a code", "order", false, false, newRenew(view, ph, sampleCodeTitles, sampleCodeKinds, "meraki/code:HQ/Corp")},
		{"secret-locked", "Secret, locked", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Google", Locked: true})},
		{"secret-open", "Secret, shown once", "sealed", true, true, sealedView{in: view.in, System: "Google", Phase: "open", Secret: "kH7-mq9WdP2x-Rt4+Zb"}},
		{"login", "Sign in", "login", true, false, loginView{Next: "/", Token: true, From: view.say("What the file %s holds", "secrets/portal")}},
		{"login-wrong", "Sign in, wrong token", "login", true, false, loginView{Next: "/", Token: true, Wrong: true, From: view.say("What the file %s holds", "secrets/portal")}},
		{"login-password", "Sign in by password, wrong", "login", true, false, loginView{Next: "/", Local: true, Token: true, From: view.say("What the file %s holds", "secrets/portal"), Name: "kim@company.com", WrongPassword: true}},
		{"setup", "Set up the administrator", "setup", true, false, setupView{Fields: setupFields(view, "", nil)}},
		{"setup-wrong", "Set up, a short password", "setup", true, false, setupView{Fields: setupFields(view, "kim@company.com", flow.Faulty{"password": "it has 5 characters, and takes 12; a few words that nobody says together are good"}), Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was set up", Text: "What is wrong stands at its field."}}},
		{"setup-done", "Set up, done", "setup", true, false, setupView{Done: &link{"Sign in", "/login"}}},
		{"login-closed", "Sign in, no token yet", "login", true, false, loginView{Closed: true}},
		{"find", "Find", "find", false, false, found{Query: "sar", People: []item{{Title: link{"Sarah Chen", "/people"}, Meta: "Sales Engineer"}}}},
		{"find-none", "Find, nothing", "find", false, false, found{Query: "zzz", None: true}},
		{"error-404", "Page error, not found", "error", false, false, sampleError(dayone.ErrNotFound)},
		{"error-403", "Page error, not for you", "error", false, false, sampleError(dayone.ErrForbidden)},
		{"error-500", "Page error, our fault", "error", false, false, sampleError(nil)},
	}, slices.Concat(sampleApprovals(view, row), sampleOutside(view, row, head("access")), sampleLists(view), sampleNumbers(view), sampleProducts(view, row, head("access"), list), sampleMine(view, row, progress, connectors), sampleSettings(view), sampleDrift(view))...)
}

// sampleIdle is access of which nothing is planned.
func sampleIdle(list []flow.Access) []flow.Access {
	var out []flow.Access
	for _, a := range list {
		if a.State == flow.ToCome || a.State == flow.AsWanted {
			a.State, a.Holding, a.Since = flow.NotPlanned, nil, time.Time{}
			out = append(out, a)
		}
	}
	return out
}

// samplePolicyTitle is what the policies that are made up are called.
func samplePolicyTitle(id string) string {
	return cmp.Or(map[string]string{
		"base-employee": "Everyone on the payroll", "sales-team": "Sales department", "sales-leads": "Sales leads", "cloud-billing": "Cloud billing", "finance-leads": "Finance leads", "oncall": "On call", "platform": "Platform team",
	}[id], id)
}

// samplePolicies are two policies and their file.
func samplePolicies() (*policy.Set, map[string]string) {
	const file, text = "policies/sales.yaml", `policies:
  - id: sales-team
    title: Sales department
    owner: sales-ops@company.com
    match: {department: Sales}
    grant:
      - {to: okta/group:sales-team}
      # who answers customers sees them
      - {to: "slack/channel:#sales-team", as: member}

  - id: quotes
    title: Quotes
    never: [salesforce/permset:quote-author, salesforce/permset:discount-approver]
`
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	return &policy.Set{
		Hashes:   map[string]string{file: "5f3a91c2"},
		Systems:  map[string]dayone.System{"okta": {Name: "okta", Title: "Okta", Kinds: map[string]dayone.Kind{"group": {Names: []string{"base-employee", "sales-team"}}}}},
		Policies: []*policy.Policy{{ID: "sales-team", Title: "Sales department", Owner: "sales-ops@company.com", At: policy.Position{File: file, Line: 2}, Grants: []*policy.Rule{{Key: key("okta/group:sales-team")}, {Key: key("slack/channel:#sales-team"), Role: "member"}}}},
		Duties:   []*policy.Duty{{ID: "quotes", Title: "Quotes", At: policy.Position{File: file, Line: 11}, Never: []dayone.Key{key("salesforce/permset:quote-author"), key("salesforce/permset:discount-approver")}}},
	}, map[string]string{file: text}
}

func sampleError(err error) errorView {
	a := answerTo(err)
	v := errorView{Title: a.title, Text: a.text, Next: a.next, ID: "req_01jd9x0000000000000000000a", Home: true, Page: true}
	if err == nil { // only what is our fault may be gone when it is loaded anew
		v.Again = "/gallery"
	}
	return v
}

func sampleAccess(now time.Time) []flow.Access {
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	because := []flow.Reason{{Reason: dayone.Reason{Policy: "base-employee", At: "policies/base.yaml:14"}, Title: "Everyone on the payroll"}}
	held := &dayone.Holding{Item: dayone.Item{Ref: "00u1", Attrs: dayone.Attrs{"login": dayone.Text("sarah.chen@company.com")}}, Confirmed: now, Run: "run_01jd9x0000000000000000000a"}
	return []flow.Access{
		{Key: key("okta/account"), Title: "Okta", Kind: "account", State: flow.AsWanted, Since: now, Reasons: because, Holding: held},
		{Key: key("okta/group:base-employee"), Title: "Okta", Kind: "group", State: flow.AsWanted, Since: now, Reasons: append(because, flow.Reason{Reason: dayone.Reason{Policy: "sales-team", At: "policies/sales.yaml:7"}, Title: "Sales department"}), Holding: held},
		{Key: key("okta/group:oncall"), Title: "Okta", Kind: "group", State: flow.NotOurs, Since: now, Reasons: []flow.Reason{{Reason: dayone.Reason{Policy: dayone.Baseline}, Title: dayone.Baseline}}, Holding: held},
		{Key: key("okta/group:chess-club"), Title: "Okta", Kind: "group", State: flow.Observed, Since: now, Reasons: []flow.Reason{{Reason: dayone.SeenFirst(now), Title: dayone.Baseline}}, Holding: held},
		{Key: key("slack/account"), Title: "Slack", Kind: "account", State: flow.AsWanted, Since: now, Reasons: because, Holding: held},
		{Key: key("slack/channel:#general"), Title: "Slack", Kind: "channel", Role: "member", State: flow.ToCome, Reasons: because},
		{Key: key("gitlab/account"), Title: "GitLab", Kind: "account", State: flow.WaitsLogin, Since: now, Reasons: because, Holding: held},
		{Key: key("gitlab/group:customer-solutions"), Title: "GitLab", Kind: "group", Role: "reporter", State: flow.ToChange, Since: now, Until: now.Add(24 * time.Hour), Reasons: because, Holding: held},
		{Key: key("notion/account"), Title: "Notion", Kind: "account", State: flow.Asks, Reasons: because},
		{Key: key("notion/space:sales"), Title: "Notion", Kind: "space", State: flow.Planned, From: now.Add(240 * time.Hour), Reasons: because},
		{Key: key("notion/space:old"), Title: "Notion", Kind: "space", State: flow.ToGo, Since: now, Implied: true, Holding: held},
		{Key: key("notion/space:kept"), Title: "Notion", Kind: "space", State: flow.Kept, Since: now, Reasons: because, Holding: held},
	}
}

func manyAccess(now time.Time) []flow.Access {
	var out []flow.Access
	base := sampleAccess(now)[1]
	for i := range 1000 {
		a := base
		a.Key.Name = fmt.Sprintf("group-%03d", i)
		out = append(out, a)
	}
	return out
}

func sampleExplanation() policy.Explanation {
	k, _ := dayone.ParseKey("okta/group:sales-team")
	return policy.Explanation{Key: k, Answer: "given", There: true, Votes: []dayone.Vote{{Of: "john.doe@company.com", By: "administrator", Yes: true, At: sampleDay.Add(-21*time.Hour + 4*time.Minute)}}, Lines: []policy.Line{
		{Policy: "sales-team", Title: "Sales department", At: "policies/sales.yaml:7", Does: "grants", Truth: "yes", Conditions: []policy.Condition{{Text: `person.department == "Sales"`, Truth: "yes", Reads: []policy.Read{{Name: "department", Value: "Sales", Known: true}}}}},
		{Policy: "senior", Title: "Seniors", At: "policies/seniors.yaml:4", Does: "denies", Truth: "unknown", Conditions: []policy.Condition{{Text: "person.level >= 6", Truth: "unknown", Reads: []policy.Read{{Name: "level"}}}}},
	}}
}

// sampleConflict is a task that can be tried again, as the page of one can.
func sampleConflict(v taskView) taskView {
	v.Adopt.Retry = "/runs/run_01jd9x0000000000000000000a/steps/1/retry"
	return v
}

// sampleChores are what people are asked to do.
var sampleChores = []string{"Order a MacBook Pro 14", "Take the laptop back", "Hand over the badge", "Order a ThinkPad X1", "Send the headset"}

func sampleLinksTo(people []flow.Row) (out []link) {
	for _, r := range people {
		out = append(out, link{r.Name, "/people/" + string(r.ID)})
	}
	return out
}

// sampleAnnounced are policies of which one comes into force after its notice, and one that nobody has approved.
func samplePolicyText(v policiesView) policyPage {
	f := v.Files[0]
	return policyPage{f.Policies[0], f.Name, f.Hash}
}

func sampleAnnounced(view viewer, v policiesView) (policiesView, proposalView) {
	version := dayone.PolicyVersion{ID: "8c1f2a90b3d4e5f60718", Author: "kim@company.com", Note: "CHG-1234: the sales team is dissolved", Made: view.now.Add(-time.Hour)}
	v.Announced = []item{
		announcedItem(view, dayone.PolicyAct{ID: "act_01jd9x0000000000000000000a", Version: version.ID, Approver: "kim@company.com", Reason: "CHG-1234", Release: "the sales team is dissolved", People: 412, Due: view.now.Add(23 * time.Hour)}),
		refusedItem(view, dayone.PolicyAct{Version: "41d09be27c5af3186e02", Ended: view.now.Add(-2 * time.Hour), Why: "people, holdings or catalogue changed since the plan was made, for 12 people; plan again"}),
	}
	group := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	channel := dayone.Key{System: "slack", Kind: "channel", Name: "#sales-team"}
	lost := []flow.Given{{Key: group}, {Key: channel}}
	approver := sampleKey("salesforce/permset:discount-approver")
	changes := []flow.Change{{Person: samplePerson, Name: "Sarah Chen", Gained: []flow.Given{{Key: approver}}, Lost: lost, Cases: []string{"Quotes: salesforce/permset:quote-author, salesforce/permset:discount-approver; nobody should have these together (policies/sales.yaml:11)"}}}
	for i := range 411 {
		changes = append(changes, flow.Change{Person: dayone.PersonID(fmt.Sprintf("per_%026d", i+1)), Name: sampleNames[i%len(sampleNames)], Lost: lost})
	}
	p := newProposal(view, version, flow.Everybody{
		People: 100412, Changes: changes,
		Policies: []policy.PolicyShift{{ID: "sales-team", Change: "changed", Before: 412, Leaves: 412}}, Keys: []flow.KeyCount{
			{Key: group, Lost: 412, First: []string{"Sarah Chen", "Ben Cole"}, By: []string{"policies/sales.yaml:7"}},
			{Key: channel, Lost: 412, First: []string{"Sarah Chen", "Ben Cole"}, By: []string{"policies/sales.yaml:9"}},
			{Key: approver, Gained: 1, First: []string{"Sarah Chen"}, By: []string{"policies/sales.yaml:10"}},
		},
		Brakes: []string{fmt.Sprintf("%s is left without anybody; %d have it now", group, 412), fmt.Sprintf("%s is left without anybody; %d have it now", channel, 412)},
	})
	p.Alone, p.May, p.Notice = true, true, "24 hours"
	return v, p
}

// sampleUndoing is what an undo of a run would do.
func sampleUndoing(b *board) flow.Undoing {
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	u := flow.Undoing{Run: b.run, Until: b.view.now.Add(7 * 24 * time.Hour), Hash: "0123456789abcdef"}
	for _, s := range []struct {
		key    string
		action dayone.Action
	}{
		{"okta/group:base-employee", dayone.EntitlementRemove},
		{"slack/channel:#general", dayone.EntitlementRemove},
		{"calendar/invitation:team-standup", dayone.EntitlementRemove},
		{"gitlab/account", dayone.AccountDelete},
		{"slack/account", dayone.AccountDisable},
		{"phone/line", dayone.EntitlementRemove},
		{"cucm/phone:SEP001122334455", dayone.EntitlementRemove},
	} {
		k := key(s.key)
		u.Plan.Steps = append(u.Plan.Steps, dayone.Step{ID: dayone.StepID(s.key + " (undo)"), Key: k, Action: s.action})
		u.Keys = append(u.Keys, k)
	}
	u.Held = len(u.Keys)
	u.Handed = map[dayone.StepID]flow.Handed{
		"phone/line (undo)":                 {To: "group:it-voice"},
		"cucm/phone:SEP001122334455 (undo)": {What: "Remove the device or give it to somebody else in Cisco Unified CM Administration; the line stays and is a task of its own."},
	}
	u.Plan.Findings = []dayone.Finding{
		{Kind: "instead", Key: key("gitlab/account"), Text: "the account is deleted, since nobody ever signed in and nothing else is on it"},
		{Kind: "instead", Key: key("slack/account"), Text: "the account is closed, not deleted: somebody signed in on 22 November 2024"},
		{Kind: "instead", Key: key("calendar/invitation:team-standup"), Text: "a cancellation goes to sarah.chen@company.com"},
		{Kind: "stays", Key: key("procurement/order"), Text: "what was ordered is called off by hand"},
		{Kind: "stays", Key: key("mail/message:welcome"), Text: "a message that was read stays read"},
		{Kind: "stays", Key: key("okta/account"), Text: "what hangs on it stays: okta/group:on-call"},
	}
	return u
}

func sampleUndos(over, running *board) (whole, some, live, none undoView) {
	whole = newUndo(over, sampleUndoing(over), nil)
	whole.Person = link{"Sarah Chen", "/people/" + samplePerson}
	whole.Numbers = []item{personNumber(over.view, flow.PersonNumber{NumberView: flow.NumberView{Number: dayone.Number{ID: "+493012340017", Pool: "berlin", State: dayone.NumberAssigned, Since: over.view.now.Add(-time.Hour)}}})}
	u := sampleUndoing(over)
	u.Steps, u.GivesUp, u.Plan.Steps, u.Keys, u.Handed = []dayone.StepID{over.run.Steps[1].Step.ID}, "run_01jd9x0000000000000000000b", u.Plan.Steps[:1], u.Keys[:1], nil
	u.Held = 1
	u.Plan.Findings = u.Plan.Findings[len(u.Plan.Findings)-1:]
	some = newUndo(over, u, &notice{Kind: "bad", Icon: "x", Title: "It was not undone", Text: "Something has changed since that was shown, and nothing was undone; look again."})
	u = sampleUndoing(running)
	u.Live = true
	live = newUndo(running, u, nil)
	none = undoView{ID: string(over.run.ID), Title: over.run.Title, Refused: &notice{Kind: "warn", Icon: "warn", Title: "This run cannot be undone", Text: "The run's journal was kept for undoing until 25 October 2024; it is not undoable any more, so change policies or write an exception instead.", Act: &link{"Policies", "/policies"}}}
	return whole, some, live, none
}

// sampleThings calls accesses of the systems that are made up as pages of real ones do.
func sampleThings(view viewer) func(dayone.Key) string {
	titles := map[string]string{"okta": "Okta", "salesforce": "Salesforce", "notion": "Notion", "gitlab": "GitLab", "slack": "Slack", "webex": "Webex", "aws": "AWS"}
	return func(k dayone.Key) string {
		if titles[k.System] == "" {
			return ""
		}
		return view.access(titles, map[string]string{"salesforce/permset": "permission set"}, k)
	}
}

// sampleGivers are givers, and the policy of everybody, which stands in another file.
func sampleGivers(set *policy.Set) map[dayone.Key][]string {
	by := giversCalled(set)
	by[sampleKey("okta/group:base-employee")] = []string{"Everyone on the payroll"}
	return by
}

// sampleOfferings are the first page of many.
func sampleOfferings(set *policy.Set) []flow.Offering {
	out := flow.OfferingsOf(set, nil)
	seen := map[string]bool{}
	for _, job := range sampleJobs {
		for _, of := range []string{"berlin", "contractors", "leads", "london", "managers", "remote", "san-francisco"} {
			name := strings.ReplaceAll(strings.ToLower(job.department), " ", "-") + "-" + of
			if !seen[name] && len(out) < pageSize {
				out = append(out, flow.Offering{Offer: dayone.Offer{Key: dayone.Key{System: "okta", Kind: "group", Name: name}}})
			}
			seen[name] = true
		}
	}
	slices.SortFunc(out, func(a, b flow.Offering) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return out
}

// sampleTasks is the first page of many.
func sampleTasks(view viewer, list []todo) tasksView {
	byDue(list)
	v := newTasks(view, list[:tasksPage], len(list))
	v.Next = "/tasks?after=1732000000000000.tsk_00000000000000000000000001"
	return v
}
