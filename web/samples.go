package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
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
	now := view.now
	row := flow.Row{
		ID: samplePerson, Managed: true, Name: "Sarah Chen", Email: "sarah.chen@company.com", Manager: "john.doe@company.com", Title: "Sales Engineer",
		Department: "Sales", Team: "Enterprise", Location: "San Francisco", Status: dayone.PreHire, Starts: now.Add(72 * time.Hour), Wake: now.Add(70 * time.Hour),
	}
	head := func(current string) personHead { return newPersonHead(view, row, time.UTC, current) }
	discreet := head("timeline")
	discreet.Secret = confidentialNotice(view, flow.Confidential{Ends: view.now.AddDate(0, 0, 30), Until: view.now.AddDate(0, 0, 30)})
	sarah := func(dayone.PersonID) flow.Row { return row }
	noWhy := func(k dayone.Key) policy.Explanation { return policy.Explanation{Key: k} }
	running, folded, bad, over := sampleBoard(view, 0), sampleBoard(view, 1000), sampleBoard(view, 0), sampleBoard(view, 0)
	bad.run.State, over.run.State, over.run.Ended = dayone.RunIncomplete, dayone.RunDone, now
	bad.run.Ended = now
	for i := range over.run.Steps {
		s := &over.run.Steps[i]
		s.State, s.Wait, s.Result.Now = dayone.StepDone, nil, &dayone.Item{State: dayone.Active}
		s.Since, s.Ended = now.Add(-20*time.Second), now.Add(-time.Duration(i%10)*time.Second)
	}
	continuedRun := sampleContinued(view)
	running.chosen = 8
	detailed := sampleRun(running)
	detailed.Detail = running.detail(nil)
	detailed.Detail.Calls, _ = newCalls(view, sampleCalls(now))
	filtered := *running
	filtered.show = "open"
	list := sampleAccess(now)
	look := flow.Look{Person: dayone.Person{ID: samplePerson, Managed: true}}
	odd := flow.Look{Person: dayone.Person{ID: samplePerson, Managed: true, Attrs: dayone.Attrs{"department": dayone.Text("Sales"), "location": dayone.Text("Mars")}, Unknown: []string{"department", "level", "location"}}, Want: dayone.Want{Findings: []dayone.Finding{{Text: "Nobody both writes a quote and approves its discount."}}}}
	task := dayone.Task{
		ID: "tsk_01jd9x0000000000000000000a", Person: samplePerson, System: "procurement", Title: "Order a MacBook Pro 14",
		Note: "Order it from https://shop.example/standard-14 with express delivery.", Ask: []string{"serial", "tracking", "carrier", "arrives"}, Opened: now.Add(-time.Hour), Due: now.Add(2 * time.Hour),
	}
	conflict := dayone.Task{
		ID: task.ID, Person: samplePerson, System: "okta", Title: "Whose is okta/account?",
		Note: "okta: creating user: conflict. The account 00u1 is bound to nobody we know. If it is theirs, complete this task with adopt = 00u1; if not, free the name there and retry.", Ask: []string{"adopt"}, Opened: now,
	}
	byHand := dayone.Task{
		ID: task.ID, Person: samplePerson, System: "okta", Title: "okta/account", Ask: []string{"ref"}, Opened: now,
		Note: "okta: calling: not supported: no connector is configured for it; do it by hand and complete this task, or configure the system and retry the step",
	}
	todoOf := func(t dayone.Task, step dayone.StepRun, system, kind, thing string) todo {
		return todo{task: t, row: row, zone: time.UTC, run: link{"Onboard Sarah Chen", "/runs"}, number: 1, step: &step, system: system, kind: kind, thing: thing}
	}
	create, join := running.run.Steps[0], running.run.Steps[4]
	create.Kind, join.Kind, create.Step.Want = dayone.ErrUnsupported.Error(), dayone.ErrUnsupported.Error(), &dayone.Item{
		State: dayone.Staged, Attrs: dayone.Attrs{"login": dayone.Text("sarah.chen@company.com"), "department": dayone.Text("Sales"), "password": {Kind: dayone.SecretValue, Text: "password:20"}},
	}
	join.Step.Want = &dayone.Item{Role: "member"}
	ordered := func(t dayone.Task) todo { return todoOf(t, running.run.Steps[13], "Procurement", "order", "") }
	closed := task
	closed.Closed, closed.By, closed.Attrs = now, "administrator", dayone.Attrs{"serial": dayone.Text("C02XK1ABCD")}
	missed := newTask(view, ordered(task), map[string]string{"arrives": "soon"})
	n := missing(view, &missed, map[string]string{"arrives": "soon"})
	missed.Problem = &notice{Kind: "bad", Icon: "x", Title: view.plural(n, "One thing is missing", "%d things are missing"), Text: "The step goes on with what you enter here."}
	var tasks []todo
	for i := range 1000 {
		t := task
		t.Title, t.Due = fmt.Sprintf("Order laptop %d", i+1), now.Add(time.Duration(i-100)*time.Hour)
		tasks = append(tasks, todo{task: t, row: row, zone: time.UTC, system: "Procurement"})
	}
	hands := []todo{todoOf(byHand, create, "Okta", "account", ""), todoOf(byHand, join, "Slack", "channel", "#general"), ordered(task)}
	asked := dayone.Intake{Event: dayone.Event{ID: "evt_01jd9x0000000000000000000d", Source: "hr", Type: dayone.Hired, Subject: "emp_902", Received: now, At: now}, State: dayone.EventAsked, Note: "it may be about somebody who is known already; say who under Matches"}
	noMatch := func(dayone.Intake) link { return link{} }
	oneMatch := func(dayone.Intake) link { return link{"Say whose it is", "/matches/mat_01jd9x0000000000000000000a"} }
	quarantine := dayone.Intake{Event: dayone.Event{ID: "evt_01jd9x0000000000000000000a", Source: "hr", Type: dayone.Hired, Subject: "emp_789", Received: now, At: now}, State: dayone.EventQuarantined, Note: "start_date: 2024-13-40 is no day"}
	var events []dayone.Intake
	for range 60 {
		e := quarantine
		e.State, e.Note, e.Person, e.Run = dayone.EventApplied, "hire", samplePerson, running.run.ID
		events = append(events, e)
	}
	stuck := row
	stuck.Problem = `notion/space:company and notion/account need each other; take one need out of policies/base.yaml:19`
	stuckEvent := events[0]
	stuckEvent.Run, stuckEvent.Note = "", "in the timeline, but no plan could be made: "+stuck.Problem
	nameless := quarantine
	nameless.Subject = ""
	mails := []Mail{
		{At: now, From: "it@company.com", To: []string{"john.doe@company.com"}, Subject: "Sarah Chen starts Monday", Text: "Hi John,\n\nfollow the progress: https://dayone.company.com/progress/per_1/abc.\n\n- IT Team"},
		{At: now, From: "it@company.com", To: []string{"sarah@example.com"}, Subject: "Intro call", Text: "Welcome call.", ICS: sampleICS},
	}
	progress := flow.Progress{Row: row, Look: look, Access: list, Code: "1234-5678", Opens: now.Add(79 * time.Hour)}
	progress.Look.Have = []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{System: "procurement", Kind: "order"}, State: dayone.Active, Attrs: dayone.Attrs{"model": dayone.Text("MacBook Pro 14"), "carrier": dayone.Text("UPS"), "tracking": dayone.Text("1Z999AA10123456784"), "arrives": dayone.Text(now.Add(24 * time.Hour).Format(time.DateOnly))}}}}
	troubled := progress
	troubled.Run, troubled.Code, troubled.Shows = &bad.run, "1234-5678", now.Add(time.Hour)
	late, stuckProgress := progress, progress
	late.Access, late.Row.Status = list[:2], dayone.Working
	late.Look.Have = []dayone.Holding{{Item: progress.Look.Have[0].Item}}
	late.Look.Have[0].Attrs = late.Look.Have[0].Attrs.With(dayone.Attrs{"arrives": dayone.Text(now.Add(-48 * time.Hour).Format(time.DateOnly))})
	stuckProgress.Stuck = true
	idleList := sampleIdle(list)
	stuckHead := newPersonHead(view, stuck, time.UTC, "access")
	connectors := map[string]string{"okta": "okta", "slack": "slack", "gitlab": "gitlab", "notion": "notion"}

	dash := newDashboard(view, map[dayone.Status]int{dayone.Working: 100412, dayone.PreHire: 18, dayone.OnLeave: 204}, 3, 2, 1, 1)
	dash.Overview = sampleOverview(view)
	strip, steps := running.strip()
	state, note := readiness(view, flow.First{Run: running.run})
	for i := range 12 {
		dash.Starters = append(dash.Starters, starterRow{Name: link{fmt.Sprintf("Sarah Chen %d", i+1), "/people/" + samplePerson}, Facts: "Sales Engineer, San Francisco", Starts: view.day(row.Starts, time.UTC), In: view.away(3), Run: link{"run", "/runs"}, Strip: strip, Steps: steps, State: state, Note: note})
	}
	last := &dash.Starters[len(dash.Starters)-1]
	last.State, last.Note = readiness(view, flow.First{Run: running.run, Whole: true, Away: 24})
	last.Undo = &link{"Open the undo", "/runs"}
	dash.More = true
	runRows := []runRow{{Title: link{"Onboard Sarah Chen", "/runs"}, State: runState(dayone.RunRunning), Strip: strip, Steps: steps, Started: view.at(now), Took: view.say("%s so far", "21 s")}}
	dash.Runs, dash.Tasks, dash.Quarantined = runRows, []item{taskItem(view, hands[0]), taskItem(view, hands[2])}, []item{quarantinedItem(view, quarantine)}
	for _, a := range sampleAlerts(now) {
		dash.Alerts = append(dash.Alerts, alertItem(view, a))
	}
	dash.MoreAlerts = view.say("%s more: dayone alerts shows them", "3")
	dash.Unplanned, dash.AllUnplanned = []item{unplannedItem(view, stuck)}, &link{"All of them", "/people"}

	var manyPeople peopleList
	var rows []flow.Row
	for i := range pageSize {
		r := row
		r.ID, r.Name, r.Status = dayone.PersonID(fmt.Sprintf("per_%026d", i)), fmt.Sprintf("Person %d", i+1), dayone.Statuses[i%4]
		rows = append(rows, r)
		manyPeople.Rows = append(manyPeople.Rows, personRow{Name: link{r.Name, "/people/" + string(r.ID)}, Title: r.Title, Department: r.Department, Location: r.Location, Status: statusState(r.Status), Starts: view.day(r.Starts, time.UTC), Note: "in 3 days"})
	}
	manyPeople.Rows[0].Problem = &unplannedState
	manyPeople.finish(view, url.Values{"after": {samplePerson}}, rows, true)
	var nobodyFound, nobodyYet peopleList
	nobodyFound.finish(view, url.Values{"q": {"Chenn"}}, nil, false)
	nobodyYet.finish(view, url.Values{}, nil, false)
	counts := map[dayone.Status]int{dayone.Working: 100000, dayone.PreHire: 212, dayone.OnLeave: 200}
	ph := head("records")
	records := recordsView{Total: linesText(view, 100412), Next: "/records?before=1"}
	for i := range recordsPage {
		records.Rows = append(records.Rows, newRecordRow(view, dayone.Record{
			Seq: int64(1000 - i), At: now, Person: samplePerson, Run: running.run.ID, Step: "okta/account account.create", What: "granted", System: "okta", By: "administrator",
			Because: []dayone.Reason{{Policy: "base-employee", At: "policies/base.yaml:14"}}, Detail: &dayone.Detail{Now: &dayone.Item{State: dayone.Active, Ref: "00u1"}, Note: "read back"},
		}))
	}
	runs := runsView{Tabs: []tab{{Text: "All", Href: "/runs", Current: true}}, Next: "/runs?before=x"}
	for range pageSize {
		runs.Rows = append(runs.Rows, runRows[0])
	}
	runs.Rows[1].Back = &link{goneText(flow.TakenBack{}), "/runs"}
	runs.Rows[2].State, runs.Rows[2].Back = runState(dayone.RunUndone), &link{goneText(flow.TakenBack{Whole: true}), "/runs"}
	noRuns := personRunsView{Head: head("runs"), Empty: &empty{Icon: "play", Title: "No run yet", Text: "A run starts when something is to be done for this person."}}
	why := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, sampleExplanation())
	why.Chain = newReason(view, samplePerson, list[0], policy.Explanation{Votes: sampleExplanation().Votes}).Chain
	waits := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: list[0].Key, Answer: "unknown", Lines: []policy.Line{{Policy: "base-employee", Title: "Everyone on the payroll", At: "policies/base.yaml:23", Does: "grants", Truth: "yes", Missing: []string{"work_arrangement"}}}})
	noLines := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: list[0].Key, Answer: "not given"})
	along := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, policy.Explanation{Key: list[0].Key, Answer: "brought along", By: []policy.Along{{Key: sampleExplanation().Key, Lines: sampleExplanation().Lines}}})

	imported := newWhy(view, link{"Sarah Chen", "/people/" + samplePerson}, sampleExplanation())
	imported.idle(view, false, false, nil)
	policies, policyTexts := samplePolicies()
	announcedPolicies, proposed := sampleAnnounced(view, newPolicies(policies, policyTexts))
	dash.Announced = announcedPolicies.Announced[:1]
	dash.Tiles = newTiles(view, sampleTiles(now), nil)

	undo, undoSome, undoLive, undoNone := sampleUndos(over, running)
	heldLook := look
	heldLook.Holds = []dayone.Hold{{ID: "hld_01jd9x0000000000000000000a", Person: samplePerson, Run: running.run.ID, Keys: sampleUndoing(over).Keys, Reason: "hired by mistake", By: "kim@company.com", Until: now.Add(7 * 24 * time.Hour)}}
	undoneRun := sampleRun(newBoard(*over))
	undoneRun.Undone, undoneRun.Undo = goneNotice(flow.TakenBack{By: over.run.ID, Of: over.run.ID}, over.run.ID, over.run.ID), "/runs/x/undo"

	leads := flow.Leader{Epoch: 3, Name: "dayone-1 (process 4711)", At: "https://dayone-1.company.com", Since: now.Add(-90 * time.Hour), Renewed: now.Add(-time.Second)}
	silent := leads
	silent.Silent, silent.Renewed = true, now.Add(-15*time.Second)

	brakes, braking, braked := sampleBrakes(view)
	belongings, unreadPhones := sampleBelongings(view)

	return append([]sample{
		{"brakes", "Brakes, several", "brakes", false, false, brakes},
		{"brakes-none", "Brakes, nothing held", "brakes", false, false, newBrakes(view, nil, nil, nil, nil)},
		{"brake", "Brake, what it holds", "brake", false, false, braking},
		{"brake-over", "Brake, let through", "brake", false, false, braked},
		{"undo", "Undo, what it would do", "undo", false, false, undo},
		{"undo-some", "Undo, chosen steps", "undo", false, false, undoSome},
		{"undo-live", "Undo, of a run under way", "undo", false, false, undoLive},
		{"undo-none", "Undo, too late", "undo", false, false, undoNone},
		{"undo-whys", "Undo, every reason", "undo", false, false, sampleUndoWhys(over)},
		{"run-undone", "Run, taken back", "run", false, false, undoneRun},
		{"person-held", "Person, held", "person", false, false, newPersonAccess(view, head("access"), heldLook, list, noWhy)},
		{"standby", "Standing by", "standby", true, false, newStandingBy(view, Standing{Leader: leads}, "")},
		{"standby-silent", "Standing by, the other is silent", "standby", true, false, newStandingBy(view, Standing{Leader: silent}, "")},
		{"standby-start", "Standing by, just started", "standby", true, false, newStandingBy(view, Standing{}, "")},
		{"standby-trouble", "Standing by, no database", "standby", true, false, newStandingBy(view, Standing{Trouble: dayone.ErrUnavailable}, "")},
		{"dashboard", "Dashboard, full", "dashboard", false, false, dash},
		{"dashboard-empty", "Dashboard, first start", "dashboard", false, false, newDashboard(view, nil, 0, 0, 0, 0)},
		{"people", "People, a page of 100,412", "people", false, false, newPeople(view, url.Values{}, counts, []string{"Sales", "Engineering"}, manyPeople)},
		{"people-none", "People, nobody matches", "people", false, false, newPeople(view, url.Values{"q": {"Chenn"}}, counts, nil, nobodyFound)},
		{"people-empty", "People, first start", "people", false, false, newPeople(view, url.Values{}, nil, nil, nobodyYet)},
		{"person", "Person, access", "person", false, false, newPersonAccess(view, head("access"), look, list, func(dayone.Key) policy.Explanation { return sampleExplanation() }).with([]pair{{Name: "Mail", Value: row.Email}, {Name: "Manager", Value: row.Manager, Href: "/people"}}).holding(newBelongings(view, belongings, true, true))},
		{"person-odd", "Person, flagged", "person", false, false, newPersonAccess(view, head("access"), odd, list, noWhy).holding(newBelongings(view, unreadPhones, false, true).awaiting(view, samplePerson, []flow.AwaitedDevice{{Key: dayone.Key{System: "jamf", Kind: "device"}, Title: "Jamf", Kind: "Managed Mac", Unsaid: []string{"work_arrangement", "country"}}, {Key: dayone.Key{System: "cucm", Kind: "phone"}, Title: "Cisco Unified CM", Kind: "Phone"}}))},
		{"person-unplanned", "Person, cannot be planned", "person", false, false, newPersonAccess(view, stuckHead, look, idleList, noWhy)},
		{"person-imported", "Person, known from an import", "person", false, false, newPersonAccess(view, head("access"), flow.Look{}, idleList, noWhy)},
		{"person-requests", "Person, with requests", "person", false, false, newPersonAccess(view, head("access"), sampleRequests(now), list, func(dayone.Key) policy.Explanation { return sampleExplanation() })},
		{"request", "Request", "request", false, false, newRequest(view, head("access"), sampleOffer, sampleRequests(now)).lasting(view, 14*24*time.Hour)},
		{"request-problem", "Request, without a reason", "request", false, false, sampleRefused(newRequest(view, head("access"), sampleOffer, sampleRequests(now)))},
		{"request-refused", "Request, not offered", "request", false, false, newRequest(view, head("access"), dayone.Key{System: "okta", Kind: "group", Name: "admins"}, look)},
		{"leaving", "Person, leaving, nothing open", "leaving", false, false, newLeaving(view, head("leaving"), sampleLeft, nil, sampleCertificates(now)[1:], dayone.Succession{Made: now, Done: now, To: "john.doe@company.com", Why: "manager"}, everything)},
		{"leaving-open", "Person, leaving, something open", "leaving", false, false, newLeaving(view, head("leaving"), sampleLeft, sampleLegal(now), sampleCertificates(now), sampleHeir(now), everything)},
		{"leaving-none", "Person, at work", "leaving", false, false, newLeaving(view, head("leaving"), dayone.Person{Status: dayone.Working}, nil, nil, dayone.Succession{}, everything)},
		{"order-terminate", "End all access now", "order", false, false, newTerminate(head("leaving"), sampleCut, &board{view: view, titles: map[string]string{"okta": "Okta"}})},
		{"order-erase", "Erase", "order", false, false, newErase(view, head("leaving"), flow.Erasure{Runs: 4, Lines: 812, Token: "x", Accounts: []dayone.Key{{System: "salesforce", Kind: "account"}}})},
		{"order-erase-not", "Erase, not now", "order", false, false, newErase(view, head("leaving"), flow.Erasure{Refused: "a legal hold stands since 3 March 2025; release it first", Stays: sampleStays})},
		{"order-hold", "Legal hold", "order", false, false, newHold(head("leaving"), false)},
		{"order-release", "Release a legal hold", "order", false, false, newRelease(head("leaving"), true)},
		{"merge-ask", "Merge, with whom", "order", false, false, newMergeAsk(head("timeline"), "")},
		{"merge", "Merge, what will happen", "order", false, false, newMerge(view, head("timeline"), sampleMerging(row, now), func(s string) string { return s })},
		{"merge-refused", "Merge, refused", "order", false, false, newMerge(view, head("timeline"), flow.Merging{Stays: row, Goes: row, Refused: "they are the same person already"}, func(s string) string { return s })},
		{"split", "Split, a merge is taken back", "order", false, false, newSplit(view, head("timeline"), sampleSplitting(now))},
		{"split-new", "Split, somebody new", "order", false, false, newSplit(view, head("timeline"), flow.Splitting{Employments: sampleSplitting(now).Employments})},
		{"order-reinstate", "Reinstate, nothing to take back", "order", false, false, newReinstate(head("leaving"), false)},
		{"person-empty", "Person, no access", "person", false, false, newPersonAccess(view, head("access"), look, nil, noWhy)},
		{"person-many", "Person, a thousand accesses", "person", false, false, newPersonAccess(view, head("access"), look, manyAccess(now), noWhy)},
		{"timeline", "Person, timeline", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, head("timeline"), sampleTimeline(now, time.UTC), url.Values{}), nil)},
		{"timeline-then", "Person, as of a day", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, head("timeline"), sampleTimeline(now, time.UTC), url.Values{"as_of": {"2025-03-01"}, "before": {"41"}}), sampleCorrectProblem())},
		{"timeline-empty", "Person, nothing known", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, head("timeline"), flow.History{AsOf: now, KnownAt: now}, url.Values{"known_at": {"2020-01-01"}}), nil)},
		{"timeline-confidential", "Person, who leaves in confidence", "timeline", false, false, sampleCorrectForm(view, newTimeline(view, discreet, sampleTimeline(now, time.UTC), url.Values{}), nil)},
		{"person-runs", "Person, runs", "person-runs", false, false, personRunsView{Head: head("runs"), Rows: runRows}},
		{"person-runs-empty", "Person, no runs", "person-runs", false, false, noRuns},
		{"why", "Why, given", "why", false, false, why},
		{"why-imported", "Why, nothing is planned", "why", false, false, imported},
		{"why-none", "Why, no policy", "why", false, false, noLines},
		{"why-unknown", "Why, waits for a fact", "why", false, false, waits},
		{"why-along", "Why, brought along", "why", false, false, along},
		{"runs", "Runs, many", "runs", false, false, runs},
		{"runs-empty", "Runs, none", "runs", false, false, runsView{First: true, Empty: noRuns.Empty}},
		{"run", "Run, in the middle", "run", false, false, detailed},
		{"run-open", "Run, open steps only", "run", false, false, sampleRun(newBoard(filtered))},
		{"run-many", "Run, a thousand steps", "run", false, false, sampleRun(folded)},
		{"run-incomplete", "Run, incomplete", "run", false, false, sampleRun(newBoard(*bad))},
		{"run-done", "Run, done", "run", false, false, sampleRun(newBoard(*over))},
		{"run-continued", "Run, continued in another", "run", false, false, sampleRun(continuedRun)},
		{"run-parked", "Run, waits for systems", "run", false, false, sampleParked(view)},
		{"run-cancelled", "Run, cancelled", "run", false, false, sampleRun(newBoard(sampleCancelled(*over)))},
		{"systems", "Systems, in every trouble", "systems", false, false, newSystems(view, sampleSystems(now), dayone.Order{})},
		{"systems-stopped", "Systems, all stopped", "systems", false, false, stoppedSystems(view)},
		{"tasks", "Tasks, a thousand", "tasks", false, false, newTasks(view, tasks, len(tasks))},
		{"tasks-by-hand", "Tasks, systems without a connector", "tasks", false, false, newTasks(view, hands, len(hands))},
		{"tasks-empty", "Tasks, none", "tasks", false, false, newTasks(view, nil, 0)},
		{"task", "Task, order", "task", false, false, newTask(view, ordered(task), nil)},
		{"task-by-hand", "Task, an account by hand", "task", false, false, newTask(view, todoOf(byHand, create, "Okta", "account", ""), nil)},
		{"task-missing", "Task, something missing", "task", false, false, missed},
		{"task-conflict", "Task, whose account", "task", false, false, newTask(view, todoOf(conflict, create, "Okta", "account", ""), nil)},
		{"task-closed", "Task, done", "task", false, false, newTask(view, ordered(closed), nil)},
		{"events", "Events, with quarantine", "events", false, false, newEvents(view, append([]dayone.Intake{asked}, events...), []dayone.Intake{quarantine, nameless}, "", sarah, oneMatch)},
		{"events-unplanned", "Events, no plan could be made", "events", false, false, newEvents(view, []dayone.Intake{stuckEvent}, nil, "", func(dayone.PersonID) flow.Row { return stuck }, noMatch)},
		{"confidential", "Confidential, a leaver and a hire", "confidential", false, false, newConfidentials(view, []flow.Confidential{
			{Person: samplePerson, Name: "Wilhelmina Featherstonehaugh-Cholmondeley", Ends: view.now.AddDate(0, 0, 30), Until: view.now.AddDate(0, 0, 30)},
			{Person: samplePerson, Name: "山田 太郎", Hire: true, Hidden: true, Starts: view.now.AddDate(0, 1, 0), Until: view.now.AddDate(0, 0, 14)},
		})},
		{"confidential-empty", "Confidential, nothing", "confidential", false, false, newConfidentials(view, nil)},
		{"events-empty", "Events, none", "events", false, false, newEvents(view, nil, nil, "", sarah, noMatch)},
		{"policies", "Policies", "policies", false, false, newPolicies(policies, policyTexts)},
		{"policy-text", "Policy, its text", "policy-text", false, false, samplePolicyText(newPolicies(policies, policyTexts))},
		{"policy-people", "Policy, who it holds for", "policy-people", false, false, policyPeopleView{ID: "sales-team", Text: policyText("sales-team"), Title: "Sales department", Facts: "Holds for 100,412 people", People: []link{{"Sarah Chen", "/people/" + samplePerson}}, More: view.number(100411)}},
		{"catalogue", "Catalogue", "catalogue", false, false, newCatalogue(view, policies, nil, newCatalogueList(view, givers(policies), nil, flow.OfferingsOf(policies, nil), 12_345, true))},
		{"editor", "Editor, a draft with a fault", "editor", false, false, editorView{
			Title: "Edit policies",
			Files: []link{{"policies/sales.yaml", "/policies/edit"}}, File: "policies/sales.yaml", Text: policyTexts["policies/sales.yaml"],
			Judged: judgement{Errors: 1, Faults: []faultRow{{State: faultState(policy.Error), Line: 7, Text: "no connector offers \"okta/group:sales-taem\"", Hint: "did you mean \"okta/group:sales-team\"?"}}},
		}},
		{"policies-announced", "Policies, announced by their author", "policies", false, false, announcedPolicies},
		{"proposal", "Proposal, beyond a limit", "proposal", false, false, proposed},
		{"policies-empty", "Policies, none", "policies", false, false, newPolicies(&policy.Set{}, nil)},
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
		{"codes", "Codes of a person", "codes", false, false, newCodes(view, ph, sampleLinks(now), []dayone.Key{{System: "meraki", Kind: "code", Name: "HQ/Corp"}})},
		{"codes-empty", "Codes of a person, none", "codes", false, false, newCodes(view, ph, nil, nil)},
		{"renew", "Renew a code", "order", false, false, newRenew(view, ph, "meraki/code:HQ/Corp")},
		{"secret-locked", "Secret, locked", "sealed", true, true, newSealed(view, flow.SealedLink{System: "Google", Locked: true})},
		{"secret-open", "Secret, shown once", "sealed", true, true, sealedView{in: view.in, System: "Google", Phase: "open", Secret: "kH7-mq9WdP2x-Rt4+Zb"}},
		{"login", "Sign in", "login", true, false, loginView{Next: "/", Token: true, From: "What the file portal.token holds"}},
		{"login-wrong", "Sign in, wrong token", "login", true, false, loginView{Next: "/", Token: true, Wrong: true, From: "What the file portal.token holds"}},
		{"login-password", "Sign in by password, wrong", "login", true, false, loginView{Next: "/", Local: true, Token: true, From: "What the file portal.token holds", Name: "kim@company.com", WrongPassword: true}},
		{"setup", "Set up the administrator", "setup", true, false, setupView{Fields: setupFields(view, "", nil)}},
		{"setup-wrong", "Set up, a short password", "setup", true, false, setupView{Fields: setupFields(view, "kim@company.com", flow.Faulty{"password": "it has 5 characters, and takes 12; a few words that nobody says together are good"}), Problem: &notice{Kind: "bad", Icon: "x", Title: "Nothing was set up", Text: "What is wrong stands at its field."}}},
		{"setup-done", "Set up, done", "setup", true, false, setupView{Done: &link{"Sign in", "/login"}}},
		{"login-closed", "Sign in, no token yet", "login", true, false, loginView{Closed: true, Out: true}},
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

// sampleContinued is a run that another took over.
func sampleContinued(view viewer) *board {
	b := sampleBoard(view, 0)
	b.run.State, b.run.Ended = dayone.RunSuperseded, view.now
	b.run.Started = view.now.Add(-72 * time.Hour)
	b.next = &dayone.Run{ID: "run_01jd9x0000000000000000000b", Title: "Open the accounts of Sarah Chen"}
	b.where = map[dayone.StepID]continued{}
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		s.Since, s.Ended = b.run.Started.Add(time.Duration(i)*100*time.Millisecond), b.run.Started.Add(time.Duration(i)*100*time.Millisecond+time.Second)
		s.Error, s.Kind = "", ""
		switch {
		case s.State == dayone.StepWaiting:
			s.State, s.Waited, s.Ended = dayone.StepSkipped, s.Ended, view.now
			later := *s
			later.State, later.Wait, later.Ended = dayone.StepDone, nil, view.now
			b.where[s.Step.ID] = continued{*b.next, i + 1, later}
		default:
			s.State, s.Result.Now = dayone.StepDone, &dayone.Item{State: dayone.Active}
		}
	}
	return newBoard(*b)
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

// sampleRun has no stream: nothing in it moves.
func sampleRun(b *board) runView {
	v := newRunView(b)
	v.Live, v.Person, v.Facts, v.Event = "", link{"Sarah Chen", "/people/" + samplePerson}, "Sales Engineer, San Francisco", "hr"
	return v
}

func sampleError(err error) errorView {
	a := answerTo(err)
	return errorView{Title: a.title, Text: a.text, Next: a.next, ID: "req_01jd9x0000000000000000000a", Home: true, Page: true}
}

func sampleAccess(now time.Time) []flow.Access {
	key := func(s string) dayone.Key { k, _ := dayone.ParseKey(s); return k }
	because := []flow.Reason{{Reason: dayone.Reason{Policy: "base-employee", At: "policies/base.yaml:14"}, Title: "Everyone on the payroll"}}
	held := &dayone.Holding{Item: dayone.Item{Ref: "00u1", Attrs: dayone.Attrs{"login": dayone.Text("sarah.chen@company.com")}}, Confirmed: now, Run: "run_01jd9x0000000000000000000a"}
	return []flow.Access{
		{Key: key("okta/account"), Title: "Okta", Kind: "account", State: flow.AsWanted, Since: now, Reasons: because, Holding: held},
		{Key: key("okta/group:base-employee"), Title: "Okta", Kind: "group", State: flow.AsWanted, Since: now, Reasons: append(because, because...), Holding: held},
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
	return policy.Explanation{Key: k, Answer: "given", There: true, Votes: []dayone.Vote{{Of: "john.doe@company.com", By: "administrator", Yes: true, At: time.Date(2024, 11, 22, 15, 4, 0, 0, time.UTC)}}, Lines: []policy.Line{
		{Policy: "sales-team", Title: "Sales department", At: "policies/sales.yaml:8", Does: "grants", Truth: "yes", Conditions: []policy.Condition{{Text: `person.department == "Sales"`, Truth: "yes", Reads: []policy.Read{{Name: "department", Value: "Sales", Known: true}}}}},
		{Policy: "senior", Title: "Seniors", At: "policies/sales.yaml:30", Does: "denies", Truth: "unknown", Reason: "only so many seats", Conditions: []policy.Condition{{Text: "person.level >= 6", Truth: "unknown", Reads: []policy.Read{{Name: "level"}}}}},
	}}
}

// sampleBoard is a run in the middle, in every state at once; more adds so many steps.
func sampleBoard(view viewer, more int) *board {
	now := view.now
	run := dayone.Run{ID: "run_01jd9x0000000000000000000a", Person: samplePerson, Title: "Onboard Sarah Chen", State: dayone.RunRunning, Started: now.Add(-21 * time.Second)}
	tiers := dayone.Tiers
	add := func(tier int, key string, action dayone.Action, state dayone.StepState, needs ...int) *dayone.StepRun {
		k, _ := dayone.ParseKey(key)
		s := dayone.Step{
			ID: dayone.StepID(key + " " + string(action)), Key: k, Action: action, Tier: tiers[tier], Undo: dayone.UndoRestore, Because: []dayone.Reason{{Policy: "base-employee", At: "policies/base.yaml:14"}},
			Want: &dayone.Item{Key: k, State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text("sarah.chen@company.com"), "password": {Kind: dayone.SecretValue, Text: "password:20"}}},
		}
		for _, n := range needs {
			s.Needs = append(s.Needs, dayone.Need{Step: run.Steps[n-1].Step.ID})
		}
		if action == dayone.MessageSend {
			s.Want.Attrs = dayone.Attrs{"to": dayone.List("john.doe@company.com"), "template": dayone.Text("welcome")}
			for _, o := range run.Steps {
				s.Needs = append(s.Needs, dayone.Need{Step: o.Step.ID, When: dayone.Settled})
			}
		}
		r := dayone.StepRun{Step: s, State: state}
		if state != dayone.StepPending && state != dayone.StepBlocked {
			r.Since = now.Add(-time.Duration(20-len(run.Steps)%18) * time.Second)
			r.Started, r.Attempt = r.Since, 1
			r.Ended = r.Since.Add(1900 * time.Millisecond)
		}
		run.Steps = append(run.Steps, r)
		return &run.Steps[len(run.Steps)-1]
	}
	changed := dayone.Result{Before: nil, Now: &dayone.Item{State: dayone.Active, Ref: "00u1", Attrs: dayone.Attrs{"email": dayone.Text("sarah.chen@company.com")}}}
	wait := func(s *dayone.StepRun, k dayone.WaitKind, note string) {
		s.Wait, s.Waited = &dayone.Wait{Kind: k, Note: note}, s.Ended
	}
	add(0, "okta/account", dayone.AccountCreate, dayone.StepDone).Result = changed
	add(1, "okta/group:base-employee", dayone.EntitlementAdd, dayone.StepDone, 1).Result = changed
	add(2, "okta/app:salesforce", dayone.EntitlementAdd, dayone.StepDone, 1).Step.Implied = true
	add(1, "slack/account", dayone.AccountCreate, dayone.StepDone, 1).Result = changed
	add(1, "slack/channel:#general", dayone.EntitlementAdd, dayone.StepDone, 4)
	retry := add(3, "slack/channel:#engineering-general", dayone.EntitlementAdd, dayone.StepRetrying, 4)
	retry.Next, retry.Attempt = now.Add(3*time.Second), 2
	add(3, "slack/channel:#customer-success", dayone.EntitlementAdd, dayone.StepRunning, 4)
	failed := add(1, "notion/account", dayone.AccountCreate, dayone.StepFailed, 1)
	failed.Error, failed.Kind, failed.Attempt = "notion: creating user: forbidden (403): the domain company.com is not verified", "forbidden", 2
	add(1, "notion/space:company", dayone.EntitlementAdd, dayone.StepBlocked, 8)
	add(3, "notion/space:technical", dayone.EntitlementAdd, dayone.StepBlocked, 8)
	wait(add(3, "gitlab/account", dayone.AccountCreate, dayone.StepWaiting, 1), dayone.WaitFirstLogin, "the account exists after the first login")
	run.Steps[len(run.Steps)-1].Result = changed
	add(3, "gitlab/group:customer-solutions", dayone.EntitlementAdd, dayone.StepPending, 11)
	wait(add(3, "aws/permission-set:demo-sandbox", dayone.EntitlementAdd, dayone.StepWaiting, 1), dayone.WaitApproval, "John Doe is asked")
	wait(add(4, "procurement/order", dayone.EntitlementAdd, dayone.StepWaiting), dayone.WaitTask, "order it from the reseller")
	add(4, "jamf/device", dayone.EntitlementAdd, dayone.StepPending, 14)
	add(2, "salesforce/account", dayone.AccountCreate, dayone.StepSkipped, 3).Error = "skipped by administrator"
	for i := range more {
		add(1+i%3, "group-"+strconv.Itoa(i%10)+"/channel:c"+strconv.Itoa(i), dayone.EntitlementAdd, []dayone.StepState{dayone.StepDone, dayone.StepPending, dayone.StepRunning}[i%3], 1)
	}
	add(5, "mail/message:manager-ready", dayone.MessageSend, dayone.StepPending)
	add(5, "mail/message:welcome", dayone.MessageSend, dayone.StepPending)
	for i := range run.Steps {
		run.Plan.Steps = append(run.Plan.Steps, run.Steps[i].Step)
	}
	titles := map[string]string{"okta": "Okta", "slack": "Slack", "notion": "Notion", "gitlab": "GitLab", "aws": "AWS", "jamf": "Jamf", "procurement": "Procurement", "salesforce": "Salesforce", "mail": "Mail"}
	return newBoard(board{run: run, view: view, may: true, titles: titles, tasks: map[dayone.StepID]dayone.TaskID{run.Steps[13].Step.ID: "tsk_01jd9x0000000000000000000a"}})
}

// sampleAnnounced are policies of which one comes into force after its notice, and one that nobody has approved.
func samplePolicyText(v policiesView) policyPage {
	f := v.Files[0]
	return policyPage{f.Policies[0], f.Name, f.Hash}
}

func sampleAnnounced(view viewer, v policiesView) (policiesView, proposalView) {
	version := dayone.PolicyVersion{ID: "8c1f2a90b3d4e5f60718", Author: "kim@company.com", Note: "CHG-1234: the sales team is called off", Made: view.now.Add(-time.Hour)}
	v.Announced = []item{
		announcedItem(view, dayone.PolicyAct{ID: "act_01jd9x0000000000000000000a", Version: version.ID, Approver: "kim@company.com", Reason: "CHG-1234", Release: "the team is called off", People: 412, Due: view.now.Add(23 * time.Hour)}),
		refusedItem(view, dayone.PolicyAct{Version: version.ID, Ended: view.now.Add(-2 * time.Hour), Why: "people, holdings or catalogue changed since the plan was made, for 12 people; plan again"}),
	}
	group := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	p := newProposal(view, version, flow.Everybody{
		People: 100412, Changes: []flow.Change{{Person: samplePerson, Name: "Sarah Chen", Lost: []flow.Given{{Key: group}}, Cases: []string{"salesforce/permset:quote-author and salesforce/permset:discount-approver (policies/sales.yaml:40)"}}},
		Policies: []policy.PolicyShift{{ID: "sales-team", Change: "changed", Before: 412, Leaves: 412}}, Keys: []flow.KeyCount{{Key: group, Lost: 412, First: []string{"Sarah Chen", "Ben Cole"}, By: []string{"policies/sales.yaml:8"}}},
		Brakes: []string{"okta/group:sales-team is left without anybody; 412 have it now"},
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
	u.Handed = map[dayone.StepID]flow.Handed{
		"phone/line (undo)":                 {To: "group:it-voice"},
		"cucm/phone:SEP001122334455 (undo)": {What: "Remove the device or give it to somebody else in Cisco Unified CM Administration; the line stays and is a task of its own."},
	}
	u.Plan.Findings = []dayone.Finding{
		{Kind: "instead", Key: key("gitlab/account"), Text: "the account is deleted, since nobody ever signed in and nothing else is on it"},
		{Kind: "instead", Key: key("slack/account"), Text: "the account is closed, not deleted: somebody signed in on 25 November 2024"},
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
	u.Steps, u.GivesUp, u.Plan.Steps = []dayone.StepID{over.run.Steps[1].Step.ID}, over.run.ID, u.Plan.Steps[:1]
	some = newUndo(over, u, &notice{Kind: "bad", Icon: "x", Title: "It was not undone", Text: "Something has changed since that was shown, and nothing was undone; look again."})
	u = sampleUndoing(running)
	u.Live, u.Keep = true, true
	live = newUndo(running, u, nil)
	none = undoView{ID: string(over.run.ID), Title: over.run.Title, Refused: &notice{Kind: "warn", Icon: "warn", Title: "This run cannot be undone", Text: "The run's journal was kept for undoing until 25 December 2024; it is not undoable any more, so change policies or write an exception instead."}}
	return whole, some, live, none
}
