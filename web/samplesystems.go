package web

import (
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// sampleSystems stand in every way that a system can.
func sampleSystems(now time.Time) []flow.SystemState {
	order := func(k dayone.OrderKind, system, reason string) dayone.Order {
		return dayone.Order{ID: "ord_01jd9x0000000000000000000a", Kind: k, System: system, From: now.Add(-time.Hour), Until: now.Add(2 * time.Hour), Reason: reason, By: "kim@company.com", Made: now.Add(-time.Hour)}
	}
	window := order(dayone.OrderMaintenance, "google", "CHG-1234, Google moves the tenant")
	retiring := order(dayone.OrderClose, "notion", "CHG-1234: we move to a wiki")
	retiring.ID = "ord_01jd9x0000000000000000000c"
	return []flow.SystemState{
		{Name: "okta", Title: "Okta", Stance: engine.Down, Waiting: 12, Circuit: dayone.Circuit{System: "okta", State: dayone.CircuitOpen, Failures: 5, Since: now.Add(-64 * time.Minute), Next: now.Add(time.Minute), Note: "unavailable (HTTP 503)"}},
		{Name: "google", Title: "Google Workspace", Stance: engine.Maintained, Order: window, Waiting: 1, Ahead: []dayone.Order{window}},
		{Name: "slack", Title: "Slack", Stance: engine.Stopped, Order: order(dayone.OrderStop, "slack", "INC-4711: wrong channels"), Waiting: 3},
		{Name: "salesforce", Title: "Salesforce", Stance: engine.ByHand, Order: order(dayone.OrderManual, "salesforce", "new tenant"), Waiting: 2},
		{Name: "payroll", Title: "Payroll", Stance: engine.ByHand, Waiting: 2, List: &flow.SystemList{System: "payroll", Title: "Payroll", At: now.AddDate(0, 0, -9), Accounts: 312, Good: 7 * 24 * time.Hour, Stale: true}},
		{Name: "notion", Title: "Notion", Retiring: retiring, Held: flow.HeldAt{People: 3, Accounts: 3, Open: 3}},
		{Name: "gitlab", Title: "GitLab", Held: flow.HeldAt{People: 118, Accounts: 118, Open: 117, Others: 340}},
	}
}

func stoppedSystems(view viewer) systemsView {
	all := sampleSystems(view.now)
	list := all[len(all)-1:]
	stop := dayone.Order{ID: "ord_01jd9x0000000000000000000b", Kind: dayone.OrderStop, From: view.now, Reason: "wrong policies", By: "kim@company.com"}
	list[0].Stance, list[0].Order = engine.Stopped, stop
	v := newSystems(view, list, stop)
	v.Problem = &notice{Kind: "bad", Icon: "x", Title: "Not done", Text: "The maintenance ends before it begins."}
	return v
}

// sampleParked is a run of which some steps wait for their systems.
func sampleParked(view viewer) runView {
	b := *samplePaced(view, 0)
	b.run.State = dayone.RunWaiting
	waiting := map[string]int{}
	all := sampleSystems(view.now)
	all[0].Circuit.Since, all[2].Order.From = view.now.Add(-20*time.Second), view.now.Add(-15*time.Second) // the run is younger than those
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		system := s.Step.Key.System
		note := ""
		switch {
		case system == "slack" && (s.State == dayone.StepRunning || s.State == dayone.StepRetrying):
			note = "slack was stopped by kim@company.com at " + all[2].Order.From.Format("2006-01-02 15:04 UTC") + ": " + all[2].Order.Reason
		case system == "okta" && s.Step.Key.Kind == "app", system == "okta" && s.Step.Key.Kind == "group":
			note = "okta has been down since " + all[0].Circuit.Since.Format("2006-01-02 15:04 UTC") + "; this goes on by itself when it answers"
		default:
			continue
		}
		s.State, s.Parked, s.Next, s.Ended, s.Result, s.Attempt = dayone.StepWaiting, view.now, time.Time{}, time.Time{}, dayone.Result{}, 1
		s.Wait = &dayone.Wait{Kind: dayone.WaitSystem, Note: note}
		waiting[system]++
	}
	b.run.Steps[15].State, b.run.Steps[15].Error, b.run.Steps[15].Since = dayone.StepPending, "", time.Time{} // hangs on what is parked
	v := sampleRun(newBoard(b))
	for _, s := range all {
		if n := waiting[s.Name]; n > 0 {
			v.Systems = append(v.Systems, keeps(view, s, n))
		}
	}
	return v
}

// sampleLists are the page of a list: before the first, after one was taken, and after one was refused.
func sampleLists(view viewer) []sample {
	none := newList(view, flow.SystemList{System: "payroll", Title: "Payroll", Good: 7 * 24 * time.Hour, Problem: "no list of its accounts was brought yet"})
	is := newList(view, *sampleSystems(view.now)[4].List)
	wrong := is
	fresh := *sampleSystems(view.now)[4].List
	fresh.At, fresh.Accounts, fresh.Stale = view.now, 313, false
	taken := newList(view, fresh)
	got := flow.Brought{Done: 2}
	got.Rows, got.Were, got.New, got.Missing = 313, 312, []string{"Priya Natarajan", "Zoë Łukasiewicz-Ørsted"}, []string{"Jonas Weber"}
	taken.Result, taken.Changes = listResult(view, got, false), listChanges(view, got)
	wrong.Problem = &notice{Kind: "bad", Icon: "x", Title: "The list was not taken", Text: `Line 3, column "Status": this is no state; write active or disabled.`}
	return []sample{
		{"list", "List, none yet", "list", false, false, none},
		{"list-taken", "List, taken", "list", false, false, taken},
		{"list-wrong", "List, refused", "list", false, false, wrong},
	}
}
