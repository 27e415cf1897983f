package web

import (
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

var sampleTitles = map[string]string{"okta": "Okta", "gitlab": "GitLab", "slack": "Slack", "google": "Google Workspace"}

// sampleDriftRows differ in every way.
func sampleDriftRows(view viewer) []flow.DriftRow {
	row := func(id, name, k string, kind dayone.DriftKind, is dayone.Item, was string, days int, by ...string) flow.DriftRow {
		at := view.now.Add(-14 * time.Hour)
		return flow.DriftRow{Name: name, Drift: dayone.Drift{ID: dayone.DriftID("drf_01jd9x0000000000000000000" + id), Person: samplePerson, Key: sampleKey(k), Kind: kind, Is: is, Was: was, By: by, Since: at.AddDate(0, 0, -days), Seen: at}}
	}
	return []flow.DriftRow{
		row("f", "Maximiliane-Charlotte von Hohenstein-Wolfeschlegelstein", "okta/account", dayone.DriftOpen, dayone.Item{Ref: "00u1abcd", State: dayone.Active}, "disabled", 0),
		row("e", "Rhys Llewellyn", "okta/account", dayone.DriftClosed, dayone.Item{Ref: "00u2abcd", State: dayone.Disabled}, "active", 1, "Everyone on the payroll"),
		row("d", "Zoë Łukasiewicz-Ørsted", "gitlab/group:platform", dayone.DriftRole, dayone.Item{Role: "owner"}, "developer", 3, "Engineering"),
		row("c", "Rhys Llewellyn", "okta/group:sales-team", dayone.DriftMissing, dayone.Item{}, "active", 4, "Sales department", "Sales leads"),
		row("b", "Raj Patel", "okta/group:finance-admins-of-the-whole-company-and-its-subsidiaries", dayone.DriftExtra, dayone.Item{State: dayone.Active}, "", 12),
	}
}

func sampleReadings(view viewer) map[string]flow.DriftReading {
	at := view.now.Add(-14 * time.Hour)
	return map[string]flow.DriftReading{
		"okta":   {Lists: true, DriftReading: dayone.DriftReading{System: "okta", At: at, Accounts: 100412, Nobodys: 213}},
		"gitlab": {Lists: true, DriftReading: dayone.DriftReading{System: "gitlab", At: at, Accounts: 120, Nobodys: 2}},
		"slack":  {Lists: true, Under: view.now.Add(-time.Minute)},
		"google": {Lists: true, DriftReading: dayone.DriftReading{System: "google", At: at.AddDate(0, 0, -2), Accounts: 1204, Nobodys: 3, Failed: at, Note: "google: listing users: unavailable (HTTP 503)"}},
	}
}

func sampleFailure(view viewer) func(name, k string, a dayone.Action, kind error, hours int) flow.Failure {
	return func(name, k string, a dayone.Action, kind error, hours int) flow.Failure {
		return flow.Failure{
			FailedStep: flow.FailedStep{Run: "run_01jd9x0000000000000000000a", Person: samplePerson, Name: name, Number: 3, System: sampleKey(k).System, Since: view.now.Add(-time.Duration(hours) * time.Hour)},
			Step:       dayone.Step{Key: sampleKey(k), Action: a}, Kind: kind.Error(), Error: sampleKey(k).System + ": creating user: " + kind.Error(),
		}
	}
}

func sampleFailures(view viewer) []flow.Failure {
	fail := sampleFailure(view)
	return []flow.Failure{
		fail("Sarah Chen", "notion/account", dayone.AccountCreate, dayone.ErrForbidden, 0), fail("Zoë Łukasiewicz-Ørsted", "notion/account", dayone.AccountCreate, dayone.ErrForbidden, 0),
		fail("Jürgen Groß", "notion/account", dayone.AccountCreate, dayone.ErrForbidden, 1), fail("Aino Mäkelä", "gitlab/group:platform", dayone.EntitlementAdd, dayone.ErrForbidden, 30), fail("Tomáš Dvořák", "okta/account", dayone.AccountCreate, dayone.ErrConflict, 30),
	}
}

// sampleOverview is what a dashboard says of the machine; more: more failed than is shown.
func sampleOverview(view viewer, failed []flow.Failure, more bool) overviewView {
	x := overview{
		Failures: failed, More: more, Drift: map[string]int{"okta": 4, "gitlab": 1}, Unread: 1, Systems: sampleSystems(view.now),
		Ready: []flow.Readiness{{Days: 30, N: 14, Median: 38 * time.Minute}, {Days: 90, N: 41, Median: 26 * time.Hour}},
		Saved: sampleSaved(view),
	}
	return newOverview(view, x, sampleTitles, nil)
}

// sampleSaved is the work of a year.
func sampleSaved(view viewer) flow.Saved {
	return flow.Saved{
		Since: "2023-12", Baseline: dayone.Effort{Seq: 2, Minutes: map[dayone.Action]float64{dayone.AccountCreate: 15, dayone.EntitlementAdd: 6.5}, At: view.now, By: "kim@company.com"},
		Steps: map[dayone.Action]int{dayone.AccountCreate: 4711, dayone.EntitlementAdd: 20918, dayone.MessageSend: 900}, Counted: 25629, Minutes: 206632,
	}
}

// sampleDrift are drift, one system, and hours saved, in their states.
func sampleDrift(view viewer) []sample {
	rows, reads := sampleDriftRows(view), sampleReadings(view)
	list := func(f flow.DriftFilter, rows []flow.DriftRow, reads map[string]flow.DriftReading, counts map[string]int) driftView {
		return newDrift(view, f, rows, reads, counts, sampleTitles, nil, "03:30")
	}
	one := flow.DriftView{DriftRow: rows[1], Steps: []dayone.Step{{Key: sampleKey("okta/account"), Action: dayone.AccountEnable, Because: []dayone.Reason{{Policy: "Everyone on the payroll", At: "policies/base.yaml:14"}}}}}
	open, extra, waits := flow.DriftView{DriftRow: rows[0], Steps: []dayone.Step{{Key: sampleKey("okta/account"), Action: dayone.AccountDisable}}, Refused: "whoever has left keeps nothing open: put it right, or take the end of the employment back"}, flow.DriftView{DriftRow: rows[4], Steps: []dayone.Step{{Key: rows[4].Key, Action: dayone.EntitlementRemove}}}, one
	extra.Stays, extra.Refused = dayone.DriftContested, "policies alone decide about it: let a policy or a request give it, or put it right"
	waits.Waits = "a run of this person is at work, so the books move; decide when it rests"
	refused := newOneDrift(view, open, sampleTitles, nil)
	refused.Problem = notDone(view, fmt.Errorf("this was seen to after it was found; the next reading of Okta says whether it still differs: %w", dayone.ErrConflict))
	states := sampleSystems(view.now)
	gitlab := flow.SystemView{
		SystemState: states[len(states)-1], Calls: 4, Offers: 340, Read: view.now.Add(-time.Hour), Drift: 1, Reading: flow.DriftReading{Lists: true, DriftReading: dayone.DriftReading{System: "gitlab", At: view.now.Add(-14 * time.Hour), Accounts: 120, Nobodys: 2}}, Failures: []flow.Failure{sampleFailure(view)("Aino Mäkelä", "gitlab/group:platform", dayone.EntitlementAdd, dayone.ErrForbidden, 30)}, Policies: []string{"Engineering", "Platform team"},
		Connector: &flow.Connector{Name: "gitlab", Title: "GitLab", Summary: "Accounts and group memberships of a GitLab instance or group.", Capabilities: []string{"target"}, Plan: "Premium or Ultimate", Kinds: []flow.Giving{{Kind: "account", Title: "account", Actions: []string{"create", "enable", "disable"}}, {Kind: "group", Title: "group", Actions: []string{"add", "remove"}}}},
		Cannot:    map[string]string{"account update": "scim_token"}, Count: dayone.SystemList{Counted: view.now.Add(-14 * time.Hour), Accounts: 120},
		Limits: []flow.RateLimit{{Path: "/api/v4/groups", Method: "GET", PerMinute: 200, Burst: 33, Used: 12}, {PerMinute: 2000, Burst: 333, Used: 333, Shut: view.now.Add(time.Minute)}, {Path: "/static"}},
	}
	gitlab.Held = flow.HeldAt{People: 118, Accounts: 118, Open: 117, Others: 340}
	down := flow.SystemView{
		SystemState: states[0], Offers: 96, Read: view.now.Add(-14 * time.Hour), Drift: 4, Policies: []string{"Everyone on the payroll", "Sales department"}, Calls: 1,
		Connector: &flow.Connector{Name: "okta", Title: "Okta", Summary: "Users, groups and application assignments of an Okta organisation.", Capabilities: []string{"target"}, Plan: "any edition with Lifecycle Management", Kinds: gitlab.Connector.Kinds},
		Count:     dayone.SystemList{Counted: view.now.Add(-38 * time.Hour), Accounts: 100412}, Limits: []flow.RateLimit{{Path: "/api/v1/users", PerMinute: 600, Burst: 33, Used: 12}},
		Reading: flow.DriftReading{Lists: true, DriftReading: dayone.DriftReading{System: "okta", At: view.now.Add(-38 * time.Hour), Accounts: 100412, Nobodys: 213, Failed: view.now.Add(-time.Hour), Note: "okta: listing users: unavailable (HTTP 503)"}},
	}
	down.Held = flow.HeldAt{People: 100199, Accounts: 100199, Open: 100199, Others: 340118}
	unset := flow.SystemView{SystemState: flow.SystemState{Name: "key-cabinet", Title: "Key cabinet", Unset: true}}
	tried := newSystemPage(view, gitlab, sampleTitles, nil)
	tried.Problem = &notice{Kind: "good", Icon: "check", Title: "It answers, and lets us in", Text: textSystemGood}
	tried.Settings = &link{"Change its settings", "/settings/systems/gitlab"}
	wrong := newEffort(view, sampleSaved(view), []flow.Readiness{{Days: 30, N: 14, Median: 38 * time.Minute}, {Days: 90, N: 41, Median: 26 * time.Hour}})
	wrong.Problem = &notice{Kind: "bad", Icon: "x", Title: "Nothing was changed", Text: view.say(textMinutes, view.label("Make an account"))}
	wrong.Fields[0].Value, wrong.Fields[0].Error = "-15", wrong.Problem.Text
	filtered := list(flow.DriftFilter{System: "okta", Kind: dayone.DriftRole, Person: samplePerson}, nil, reads, map[string]int{"okta": 4, "gitlab": 1})
	filtered.Whose = "Sarah Chen"
	return []sample{
		{"drift", "Drift", "drift", false, false, list(flow.DriftFilter{}, rows, reads, map[string]int{"okta": 4, "gitlab": 1})},
		{"drift-filtered", "Drift, nothing like this", "drift", false, false, filtered},
		{"drift-unread", "Drift, nothing read yet", "drift", false, false, list(flow.DriftFilter{}, nil, map[string]flow.DriftReading{"okta": {Lists: true}}, nil)},
		{"drift-none", "Drift, none", "drift", false, false, list(flow.DriftFilter{}, nil, map[string]flow.DriftReading{"okta": reads["okta"]}, nil)},
		{"drift-no-system", "Drift, no system", "drift", false, false, list(flow.DriftFilter{}, nil, nil, nil)},
		{"drift-one", "Drift, one", "drift-one", false, false, newOneDrift(view, one, sampleTitles, nil)},
		{"drift-one-leaver", "Drift, of a leaver", "drift-one", false, false, refused},
		{"drift-one-extra", "Drift, more than known", "drift-one", false, false, newOneDrift(view, extra, sampleTitles, nil)},
		{"drift-one-waits", "Drift, a run is at work", "drift-one", false, false, newOneDrift(view, waits, sampleTitles, nil)},
		{"system", "System", "system", false, false, tried},
		{"system-down", "System, down", "system", false, false, newSystemPage(view, down, sampleTitles, nil)},
		{"system-unset", "System, not configured", "system", false, false, newSystemPage(view, unset, sampleTitles, nil)},
		{"effort", "Hours saved", "effort", false, false, wrong},
		{"effort-none", "Hours saved, no baseline", "effort", false, false, newEffort(view, flow.Saved{Since: "2023-12"}, []flow.Readiness{{Days: 30}, {Days: 90}})},
	}
}

func sampleKey(text string) dayone.Key {
	k, err := dayone.ParseKey(text)
	if err != nil {
		panic("web: a sample with a wrong key: " + err.Error())
	}
	return k
}
