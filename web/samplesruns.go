package web

import (
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// sampleCalls are the requests of a step that was tried twice.
func sampleCalls(now time.Time) []flow.CallLog {
	at := now.Add(-time.Minute)
	token := dayone.Call{At: at, Method: "POST", Host: "company.okta.com", Path: "/oauth2/v1/token", Keys: []string{"client_assertion", "client_assertion_type", "grant_type", "scope"}, Bytes: 812, Status: 200, Took: 88 * time.Millisecond, ID: "Zxy3kQ0AAAE"}
	find := dayone.Call{At: at, Method: "GET", Host: "company.okta.com", Path: "/api/v1/users/{}", Query: []string{"expand"}, Status: 404, Took: 3400 * time.Microsecond, ID: "Zxy3kQ0AAAF"}
	shut := dayone.Call{At: at, Method: "POST", Host: "company.okta.com", Path: "/api/v1/users", Query: []string{"activate"}, Keys: []string{"profile", "profile.email", "profile.firstName", "profile.{}"}, More: 12, Bytes: 1204, Status: 429, Took: 21 * time.Millisecond}
	lost, made := shut, shut
	lost.Status, lost.Fault, lost.Took, lost.Again = 0, "no answer in time", 30*time.Second, "too many requests"
	made.Status, made.ID, made.Again = 201, "Zxy3kQ0AAAG", "no answer in time"
	return []flow.CallLog{
		{CallLog: dayone.CallLog{Attempt: 2, System: "okta", At: now, Calls: []dayone.Call{find, made}}, After: "unavailable"},
		{CallLog: dayone.CallLog{Attempt: 1, System: "okta", At: at, Kind: "unavailable", Calls: []dayone.Call{token, find, shut, lost}, Left: 3}},
	}
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
		sampleTime(&b.run, i)
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

// sampleRun has no stream: nothing in it moves.
func sampleRun(b *board) runView {
	v := newRunView(b)
	v.Live, v.Person, v.Facts, v.Event = "", link{"Sarah Chen", "/people/" + samplePerson}, "Sales Engineer, San Francisco", "hr"
	return v
}

// sampleBoard is a run in the middle, in every state at once; more adds so many steps.
func sampleBoard(view viewer, more int) *board {
	now := view.now
	run := dayone.Run{ID: "run_01jd9x0000000000000000000a", Person: samplePerson, Title: "Onboard Sarah Chen", State: dayone.RunRunning, Started: now.Add(-21 * time.Second)}
	tiers := dayone.Tiers
	add := func(tier int, key string, action dayone.Action, state dayone.StepState, needs ...int) *dayone.StepRun {
		k, _ := dayone.ParseKey(key)
		because := dayone.Reason{Policy: "base-employee", At: "policies/base.yaml:14"}
		if tier == 2 || tier == 3 { // what only those who sell need
			because = dayone.Reason{Policy: "sales-team", At: "policies/sales.yaml:7"}
		}
		s := dayone.Step{
			ID: dayone.StepID(key + " " + string(action)), Key: k, Action: action, Tier: tiers[tier], Undo: dayone.UndoRestore, Because: []dayone.Reason{because},
			Want: &dayone.Item{Key: k, State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text("sarah.chen@company.com"), "password": {Kind: dayone.SecretValue, Text: "password:20"}}},
		}
		for _, n := range needs {
			s.Needs = append(s.Needs, dayone.Need{Step: run.Steps[n-1].Step.ID})
		}
		if action == dayone.MessageSend {
			to := map[string]string{"manager-ready": "john.doe@company.com", "welcome": "sarah@home.example"}
			s.Want.Attrs = dayone.Attrs{"to": dayone.List(to[k.Name]), "template": dayone.Text(k.Name)}
			for _, o := range run.Steps {
				if o.Step.Action != dayone.MessageSend {
					s.Needs = append(s.Needs, dayone.Need{Step: o.Step.ID, When: dayone.Settled})
				}
			}
		}
		r := dayone.StepRun{Step: s, State: state}
		if state != dayone.StepPending && state != dayone.StepBlocked {
			r.Attempt = 1
			run.Steps = append(run.Steps, r)
			sampleTime(&run, len(run.Steps)-1)
			return &run.Steps[len(run.Steps)-1]
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
	retry.Next, retry.Attempt, retry.Since, retry.Started = now.Add(3*time.Second), 2, now.Add(-9*time.Second), now.Add(-4*time.Second)
	working := add(3, "slack/channel:#customer-success", dayone.EntitlementAdd, dayone.StepRunning, 4)
	working.Since, working.Started = now.Add(-3*time.Second), now.Add(-3*time.Second)
	failed := add(1, "notion/account", dayone.AccountCreate, dayone.StepFailed, 1)
	failed.Error, failed.Kind, failed.Attempt = "notion: creating user: forbidden (403): the token lacks the right users:write", "forbidden", 2
	add(1, "notion/space:company", dayone.EntitlementAdd, dayone.StepBlocked, 8)
	add(3, "notion/space:technical", dayone.EntitlementAdd, dayone.StepBlocked, 8)
	wait(add(3, "gitlab/account", dayone.AccountCreate, dayone.StepWaiting, 1), dayone.WaitFirstLogin, "the account exists after the first login")
	run.Steps[len(run.Steps)-1].Result = changed
	add(3, "gitlab/group:customer-solutions", dayone.EntitlementAdd, dayone.StepPending, 11)
	wait(add(3, "aws/permission-set:demo-sandbox", dayone.EntitlementAdd, dayone.StepWaiting, 1), dayone.WaitApproval, "It waits for john.doe@company.com to agree.")
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
	return newBoard(board{
		run: run, view: view, may: true, titles: titles,
		tasks: map[dayone.StepID]dayone.TaskID{run.Steps[13].Step.ID: "tsk_01jd9x0000000000000000000a"}, asked: map[dayone.StepID]dayone.ApprovalID{run.Steps[12].Step.ID: "apr_01jd9x0000000000000000000a"},
	})
}

// sampleTime lets a step begin when those that it needs have ended, and last one to three seconds.
func sampleTime(run *dayone.Run, i int) {
	s := &run.Steps[i]
	s.Since = run.Started
	for _, n := range s.Step.Needs {
		if of := run.Step(n.Step); of != nil {
			s.Since = latest(s.Since, of.Ended)
		}
	}
	s.Since = s.Since.Add(time.Duration(i%4) * 150 * time.Millisecond)
	s.Started, s.Ended = s.Since, s.Since.Add(time.Second+time.Duration(i*700%2000)*time.Millisecond)
}

// samplePaced is a run in the middle of which the past says how long its steps take: whoever sells laptops longest.
func samplePaced(view viewer, more int) *board {
	b := *sampleBoard(view, more)
	b.pace = map[flow.PaceOf]flow.Pace{}
	for _, s := range b.run.Plan.Steps {
		p := flow.Pace{P10: time.Second, Median: 2 * time.Second, P90: 5 * time.Second}
		switch s.Key.System {
		case "procurement":
			p = flow.Pace{P10: 20 * time.Hour, Median: 26 * time.Hour, P90: 50 * time.Hour}
		case "jamf":
			p = flow.Pace{P10: 4 * time.Minute, Median: 9 * time.Minute, P90: 26 * time.Minute}
		}
		b.pace[paceKey(s)] = p
	}
	return newBoard(b)
}

// sampleGone does what is left of a run in the middle, one step after those that it needs; is says what became of each.
func sampleGone(view viewer, state dayone.RunState, is func(i int, s dayone.StepRun) dayone.StepState) *board {
	b := *sampleBoard(view, 0)
	run := &b.run
	run.State = state
	for i := range run.Steps {
		s := &run.Steps[i]
		switch next := is(i, *s); next {
		case dayone.StepDone:
			s.State, s.Wait, s.Waited, s.Next, s.Error, s.Kind, s.Attempt = dayone.StepDone, nil, time.Time{}, time.Time{}, "", "", 1
			s.Result.Now = &dayone.Item{State: dayone.Active}
			sampleTime(run, i)
		case s.State:
		default:
			s.State, s.Wait, s.Next = next, nil, time.Time{}
		}
		run.Ended = latest(run.Ended, s.Ended)
	}
	b.pace = map[flow.PaceOf]flow.Pace{}
	for i := range run.Steps { // earlier runs took as long as this one, so that the longest way is the one that was
		if s := &run.Steps[i]; s.State == dayone.StepDone {
			took := max(s.Ended.Sub(s.Started), b.pace[paceKey(s.Step)].Median)
			b.pace[paceKey(s.Step)] = flow.Pace{P10: took, Median: took, P90: took}
		}
	}
	return newBoard(b)
}

func sampleDone(view viewer) *board {
	return sampleGone(view, dayone.RunDone, func(int, dayone.StepRun) dayone.StepState { return dayone.StepDone })
}

// sampleIncomplete is a run of which one step failed, and others with it.
func sampleIncomplete(view viewer) *board {
	return sampleGone(view, dayone.RunIncomplete, func(_ int, s dayone.StepRun) dayone.StepState {
		switch s.State {
		case dayone.StepFailed, dayone.StepBlocked, dayone.StepSkipped:
			return s.State
		}
		return dayone.StepDone
	})
}

// sampleWaits is a run that waits for her first login alone.
func sampleWaits(view viewer) *board {
	b := sampleGone(view, dayone.RunWaiting, func(i int, s dayone.StepRun) dayone.StepState {
		if s.Wait != nil && s.Wait.Kind.There() {
			return s.State
		}
		return dayone.StepDone
	})
	b.run.Ended = time.Time{}
	return b
}

// sampleCancelled is a run that somebody called off: what had not begun, or waited, was given up.
func sampleCancelled(view viewer) *board {
	b := sampleGone(view, dayone.RunCancelled, func(_ int, s dayone.StepRun) dayone.StepState {
		switch s.State {
		case dayone.StepDone, dayone.StepSkipped, dayone.StepFailed, dayone.StepBlocked:
			return s.State
		case dayone.StepRunning, dayone.StepRetrying:
			return dayone.StepDone
		}
		return dayone.StepSkipped
	})
	for i := range b.run.Steps {
		if s := &b.run.Steps[i]; s.State == dayone.StepSkipped && s.Error != "skipped by administrator" {
			s.Error, s.Kind = "given up: the run was cancelled", ""
		}
	}
	b.run.Ending = dayone.RunCancelled
	return newBoard(*b)
}
