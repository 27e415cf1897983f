package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// frozen is a clock that stands still for whoever asks the time.
type frozen struct {
	clock.System
	at time.Time
}

func (f frozen) Now() time.Time { return f.at }

var fewKnow = flow.As(context.Background(), dayone.Viewer{Role: dayone.HR, Confidential: true})

// numberForIT is different each time an error is shown.
var numberForIT = regexp.MustCompile(`req_[0-9a-z]+`)

// addresses are all that can be read about some people and runs, with what lists can be asked for.
func addresses(people []dayone.PersonID, runs []dayone.RunID, events []dayone.EventID) []string {
	queries := map[string][]string{
		"/people":         {"?q=ng", "?q=eze", "?q=ngozi@company.com", "?q=ada", "?status=pre-hire", "?status=terminated", "?status=unplanned", "?department=Board", "?department=Sales", "?manager=emp_1@company.com"},
		"/find":           {"?q=ng", "?q=ada", "?q=conf"},
		"/events":         {"?state=applied", "?state=received", "?state=quarantined", "?state=unchanged"},
		"/runs":           {"?state=running", "?state=done"},
		"/catalogue":      {"?system=okta"},
		"/records":        {"?q=terminated"},
		"/policies/edit":  {"?file=policies/base.yaml"},
		"/api/v1/people":  {"?q=ng", "?q=ada", "?status=pre-hire", "?status=terminated", "?department=Board"},
		"/api/v1/events":  {"?state=applied", "?state=quarantined", "?limit=200"},
		"/api/v1/records": {"?limit=200"},
		"/api/v1/runs":    {"?limit=200"},
		"/api/v1/alerts":  {"?all=true"},
	}
	var out []string
	for _, pattern := range web.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodGet || strings.HasPrefix(path, "/static") {
			continue
		}
		path = strings.ReplaceAll(path, "{$}", "")
		switch {
		case strings.Contains(path, "/people/{id}"):
			for _, id := range people {
				at := strings.ReplaceAll(path, "{id}", string(id))
				if strings.HasSuffix(path, "/why") || strings.HasSuffix(path, "/explain") {
					at += "?key=okta/account"
				}
				out = append(out, at)
			}
		case strings.Contains(path, "/runs/{id}"):
			for _, id := range runs {
				out = append(out, strings.ReplaceAll(path, "{id}", string(id)))
			}
		case strings.Contains(path, "/policies/{id}"):
			out = append(out, strings.ReplaceAll(path, "{id}", "everybody"), strings.ReplaceAll(path, "{id}", "sales"))
		default:
			_, at := filled(method + " " + path)
			out = append(out, at)
			for _, q := range queries[at] {
				out = append(out, at+q)
			}
		}
	}
	for _, id := range people {
		out = append(out, "/api/v1/events?person="+string(id), "/api/v1/records?person="+string(id), "/api/v1/runs?person="+string(id), "/api/v1/holds?person="+string(id), "/api/v1/tasks?person="+string(id), "/records?person="+string(id))
	}
	for _, id := range events {
		out = append(out, "/api/v1/events?before="+string(id))
	}
	return out
}

// reads is what a role reads at each address. Streams are read as far as they go at once.
func (b *bench) reads(r dayone.Role, cookie string, list []string) map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for _, at := range list {
		ctx, stop := context.WithTimeout(b.t.Context(), 10*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+at, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		req.Header.Set("Cookie", cookie)
		if strings.HasPrefix(at, "/api/") || at == "/metrics" {
			req.Header.Set("Authorization", "Bearer "+tokenOf(r))
		}
		res, err := (&http.Client{CheckRedirect: b.client.CheckRedirect}).Do(req)
		if err != nil {
			b.t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		stop()
		if err != nil {
			b.t.Fatalf("GET %s: %v", at, err)
		}
		out[at] = res.Status + "\n" + numberForIT.ReplaceAllString(string(raw), "req_")
	}
	form := url.Values{"file": {"policies/base.yaml"}, "text": {string(fewPolicies["policies/base.yaml"].Data) + "\n      - {to: okta/group:base-employee}\n"}}
	req, _ := http.NewRequest(http.MethodPost, b.url+"/policies/judge", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	out["judging a policy"] = res.Status + "\n" + numberForIT.ReplaceAllString(text(b.t, res), "req_")
	return out
}

// Nobody but those who may know finds what is confidential: everything that can be read is, byte by byte, what it was
// before it was said.
func TestWhatIsConfidentialIsFoundNowhere(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	b := newBench(t, withRoles, func(_ *web.Options, d *flow.Deps) {
		d.Clock = frozen{at: now}
		hr := d.Sources["hr"]
		hr.Brakes.Terminations, hr.Brakes.Percent = 1, 0.001
		d.Sources["hr"] = hr
	})
	ada, run := b.hire("emp_1", "Ada", "Lovelace", "Sales", now.AddDate(0, 0, -30))
	grace, run2 := b.hire("emp_2", "Grace", "Hopper", "Sales", now.AddDate(0, 0, -20))

	mary, run3 := b.hire("emp_3", "Mary", "Jackson", "Sales", now.AddDate(0, 0, -20))
	for _, id := range []dayone.PersonID{ada, grace, mary} { // what their runs left to be looked at: the engine's clock is ahead
		if _, err := b.flow.Replan(t.Context(), id, "", ""); err != nil {
			t.Fatal(err)
		}
	}

	// what is said, and by whom
	ends, starts := now.AddDate(0, 0, 40).Format(time.DateOnly), now.AddDate(0, 0, 30).Format(time.DateOnly)
	hired := dayone.PersonID("per_none")
	confess := func() []dayone.EventID {
		res := b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_end","timestamp":%q,"data":{"employee_id":"emp_1","end_date":%q,"confidential":true}}`, now.Format(time.RFC3339), ends))
		if res.StatusCode != http.StatusAccepted {
			t.Fatalf("the hook answers %s: %s", res.Status, text(t, res))
		}
		b.until("the first is judged", func() bool { // the second of a day is held
			c, _ := b.flow.Confidentials(fewKnow)
			return len(c) == 1
		})
		if res := b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_held","timestamp":%q,"data":{"employee_id":"emp_3","end_date":%q,"confidential":true}}`, now.Format(time.RFC3339), ends)); res.StatusCode != http.StatusAccepted {
			t.Fatalf("the hook answers %s", res.Status)
		}
		bad := b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_bad","timestamp":%q,"data":{"employee_id":"emp_2","end_date":"soon","confidential":true}}`, now.Format(time.RFC3339)))
		if bad.StatusCode != http.StatusAccepted {
			t.Fatalf("the hook answers %s", bad.Status)
		}
		in, err := b.flow.Enter(fewKnow, flow.Entry{Type: dayone.Hired, Subject: "ceo", By: "kim@company.com", Fields: map[string]string{
			"start_date": starts, "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@company.com", "department": "Board", "employment_type": "FTE", "manager": "emp_2@company.com",
			"team": "One", "location": "Berlin", "confidential": "true",
		}})
		if err != nil || in.State != dayone.EventApplied {
			t.Fatalf("the hire is %s: %s (%v)", in.State, in.Note, err)
		}
		hired = in.Person
		b.until("everything is judged", func() bool {
			list, err := b.flow.Events(fewKnow, flow.EventFilter{State: dayone.EventReceived})
			c, _ := b.flow.Confidentials(fewKnow)
			on, _ := b.flow.Brakes(fewKnow, true, 10)
			return err == nil && len(list) == 0 && len(c) == 2 && len(on) == 1
		})
		all, err := b.flow.Events(fewKnow, flow.EventFilter{})
		if err != nil || len(all) != 7 {
			t.Fatalf("there are %d events (%v)", len(all), err)
		}
		return []dayone.EventID{all[0].ID, all[1].ID, all[2].ID}
	}

	blind := []dayone.Role{dayone.Operator, dayone.Approver, dayone.Auditor}
	cookies := map[dayone.Role]string{}
	before := map[dayone.Role]map[string]string{}
	list := addresses([]dayone.PersonID{ada, mary}, []dayone.RunID{run, run2, run3}, nil)
	for _, r := range blind {
		cookies[r] = b.signIn(r)
		before[r] = b.reads(r, cookies[r], list)
	}
	events := confess()
	for _, r := range blind {
		after := b.reads(r, cookies[r], list)
		for _, at := range list {
			if before[r][at] != after[at] {
				t.Errorf("%s finds it at %s:\n%s", r, at, difference(before[r][at], after[at]))
			}
		}
		if x := "judging a policy"; before[r][x] != after[x] {
			t.Errorf("%s finds it by %s:\n%s", r, x, difference(before[r][x], after[x]))
		}
		// whoever guesses an id learns no more than of one that is nobody's
		hidden := addresses([]dayone.PersonID{hired}, nil, nil)
		nobody := addresses([]dayone.PersonID{"per_01jcr5d4s1129fyrpa99gx3xpc"}, nil, nil)
		is, none := b.reads(r, cookies[r], hidden), b.reads(r, cookies[r], nobody)
		for i, at := range hidden {
			got, want := strings.ReplaceAll(is[at], string(hired), "ID"), strings.ReplaceAll(none[nobody[i]], "per_01jcr5d4s1129fyrpa99gx3xpc", "ID")
			if got != want {
				t.Errorf("%s learns by the id at %s:\n%s", r, at, difference(want, got))
			}
		}
	}

	// and what acts about it does is what it does about nobody
	for _, path := range []string{"/people/" + string(hired) + "/request", "/events/" + string(events[0]) + "/replay", "/api/v1/events/" + string(events[1]) + "/replay"} {
		if res := b.as(dayone.Operator, cookies[dayone.Operator], "POST", path); res.StatusCode != http.StatusNotFound {
			t.Errorf("an operator's POST %s: %s", path, res.Status)
		}
	}

	hr := b.signIn(dayone.HR)
	page := text(t, b.as(dayone.HR, hr, "GET", "/confidential"))
	want(t, "HR's page", page, "Ada Lovelace", "Ngozi Eze", "2 people", "Everybody may know from")
	want(t, "HR's page of a leaver", text(t, b.as(dayone.HR, hr, "GET", "/people/"+string(ada))), "Confidential: only you")
	want(t, "HR's page of a hire", text(t, b.as(dayone.HR, hr, "GET", "/people/"+string(hired)+"/timeline")), "Ngozi Eze", "Confidential: only you")
	want(t, "HR's events", text(t, b.as(dayone.HR, hr, "GET", "/events")), "Planned termination", "Future hire", "is no date")
	want(t, "HR's brakes", text(t, b.as(dayone.HR, hr, "GET", "/brakes")), "Terminations, confidential (hr)")
	on, err := b.flow.Brakes(fewKnow, true, 10)
	if err != nil || len(on) != 1 {
		t.Fatalf("HR finds %+v (%v)", on, err)
	}
	goes, err := time.Parse(time.DateOnly, ends)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "HR's brake", text(t, b.as(dayone.HR, hr, "GET", "/brakes/"+string(on[0].ID))), "Mary Jackson", goes.Format("2 Jan 2006"))
	for _, path := range []string{"/api/v1/brakes/" + string(on[0].ID), "/brakes/" + string(on[0].ID)} {
		if res := b.as(dayone.Operator, cookies[dayone.Operator], "GET", path); res.StatusCode != http.StatusNotFound {
			t.Errorf("an operator's GET %s: %s", path, res.Status)
		}
	}
	want(t, "HR's list by the API", text(t, b.as(dayone.HR, "", "GET", "/api/v1/confidential")), `"kind":"hire","hidden":true`, `"last_day":"`+ends+`"`)
	if body := text(t, b.as(dayone.Operator, "", "GET", "/api/v1/confidential")); !strings.Contains(body, "administrator, hr") {
		t.Errorf("an operator is told %s", body)
	}
}

// difference is the first place at which two texts differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			n := 0
			for n < min(len(x[i]), len(y[i])) && x[i][n] == y[i][n] {
				n++
			}
			from := max(0, n-60)
			return fmt.Sprintf("- %s\n+ %s", x[i][from:min(len(x[i]), n+160)], y[i][from:min(len(y[i]), n+160)])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y)) + strings.Join(slices.Concat(x[min(len(x), len(y)):], y[min(len(x), len(y)):])[:1], "")
}
