package web_test

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// A folder that breaks while the server runs: it is said in the portal and in metrics, what is in force stays, and
// terminations go on.
func TestABrokenFolderIsMeasuredAndStopsNobody(t *testing.T) {
	t.Parallel()
	mine := maps.Clone(fewPolicies)
	m := web.NewMeters()
	b := newBench(t, versioned, func(o *web.Options, d *flow.Deps) { d.Files, o.Meters = mine, m })
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	m.Called("okta", "account.create", 300*time.Millisecond, nil)
	m.Called("okta", "account.create", time.Second, &dayone.Fault{System: "okta", Err: dayone.ErrThrottled, Detail: "ada@company.com"})
	m.Committed(3)
	version := b.flow.Active().Hash[:12]
	b.hire("emp_1", "Ada", "Lovelace", "Sales", time.Now().AddDate(0, 0, -30))
	want(t, "metrics", b.page("/metrics"),
		"# TYPE dayone_policies_broken gauge", "\ndayone_policies_broken 0\n", "\ndayone_policies_behind 0\n", `dayone_policies_info{commit="",version="`+version+`"} 1`, "\ndayone_policies_announced 0\n",
		`dayone_people{status="active"} 1`, `dayone_people{status="terminated"} 0`, `dayone_runs{state="running"} 0`, "\ndayone_tasks_open 0\n", "\ndayone_measured 1\n")

	want(t, "metrics of what is under way", b.page("/metrics"),
		`dayone_call_seconds_count{action="account.create",outcome="ok",system="okta"} 1`, `dayone_call_seconds_bucket{action="account.create",outcome="throttled",system="okta",le="0.5"} 0`,
		"\ndayone_commit_writes_sum 3\n", `dayone_queue_oldest_seconds{queue="events"} `, `dayone_queue_oldest_seconds{queue="steps"} `, "\ndayone_wakes_due ",
		`dayone_alerts_open{rule="disk-low"} 0`, `dayone_breaker_open{system="okta"} 0`,
		`dayone_steps_parked{system="okta"} 0`, "\ndayone_approvals_open 0\n", "\ndayone_leader 1\n")
	if strings.Contains(b.page("/metrics"), "ada@") {
		t.Error("metrics name somebody")
	}

	good := mine["policies/base.yaml"]
	mine["policies/base.yaml"] = &fstest.MapFile{Data: []byte("policies:\n  - {id: broken")}
	want(t, "metrics of a broken folder", b.page("/metrics"), "\ndayone_policies_broken 1\n", "\ndayone_policies_behind 1\n", `version="`+version+`"} 1`)
	want(t, "the policies page", b.page("/policies"), "The policy folder is broken", "What is in force stays")

	end := time.Now().AddDate(0, 0, -2).Format(time.DateOnly)
	res := b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_end","timestamp":%q,"data":{"employee_id":"emp_1","email":"emp_1@company.com","first_name":"Ada","last_name":"Lovelace","department":"Sales","employment_type":"FTE","start_date":%q,"end_date":%q,"location":"Berlin"}}`,
		time.Now().Format(time.RFC3339), time.Now().AddDate(0, 0, -30).Format(time.DateOnly), end))
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("the hook answers %s: %s", res.Status, text(t, res))
	}
	b.until("the account is closed", func() bool {
		for _, a := range b.okta.Accounts() {
			if a.Email == "emp_1@company.com" {
				return a.State == dayone.Disabled
			}
		}
		return false
	})
	b.until("she is counted among those who left", func() bool { return strings.Contains(b.page("/metrics"), `dayone_people{status="terminated"} 1`) })

	mine["policies/base.yaml"] = good
	want(t, "metrics of a folder that was mended", b.page("/metrics"), "\ndayone_policies_broken 0\n", "\ndayone_policies_behind 0\n")
}

// Whoever is on the machine reads metrics, and whoever has the token; nobody else, and nobody through a proxy or by a name
// that was pointed at us.
func TestWhoReadsMetrics(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	for _, c := range []struct {
		host   string
		header []string
		status int
	}{
		{"", nil, http.StatusOK},
		{"", []string{"X-Forwarded-For", "10.0.0.1"}, http.StatusUnauthorized},
		{"", []string{"Forwarded", "for=10.0.0.1"}, http.StatusUnauthorized},
		{"", []string{"X-Forwarded-Proto", "https"}, http.StatusUnauthorized},
		{"", []string{"CF-Connecting-IP", "10.0.0.1"}, http.StatusUnauthorized},
		{"", []string{"True-Client-IP", "10.0.0.1"}, http.StatusUnauthorized},
		{"", []string{"X-Client-IP", ""}, http.StatusUnauthorized},
		{"", []string{"Via", "1.1 proxy"}, http.StatusUnauthorized},
		{"localhost", nil, http.StatusUnauthorized},
		{"localhost:1", nil, http.StatusUnauthorized},
		{"evil.example", nil, http.StatusUnauthorized},
		{"evil.example", []string{"Authorization", "Bearer wrong"}, http.StatusUnauthorized},
		{"dayone.company.com", []string{"Authorization", "Bearer " + token, "X-Forwarded-For", "10.0.0.1"}, http.StatusOK},
	} {
		req, err := http.NewRequest(http.MethodGet, b.url+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		for i := 0; i < len(c.header); i += 2 {
			req.Header.Set(c.header[i], c.header[i+1])
		}
		if res := b.do(req); res.StatusCode != c.status {
			t.Errorf("%+v: %s", c, res.Status)
		}
	}
	demo := newBench(t)
	req, _ := http.NewRequest(http.MethodGet, demo.url+"/metrics", nil)
	req.Host = "evil.example"
	if res := demo.do(req); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the demo, by another name: %s", res.Status)
	}
}

// One that stands by says so to whoever watches, and nothing that it cannot know.
func TestWhoeverStandsByIsMeasured(t *testing.T) {
	t.Parallel()
	trouble := error(nil)
	h := web.NewStandby(web.Options{Token: dayone.NewSecret("a-token-that-nobody-guesses"), Base: "https://dayone.company.com", Version: "test"}, dayone.NewIDs(time.Now, rand.Reader), time.Now, func() web.Standing { return web.Standing{Trouble: trouble} })
	ask := func(token string) (int, string) {
		r := httptest.NewRequest("GET", "https://dayone.company.com/metrics", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if code, _ := ask(""); code != http.StatusUnauthorized {
		t.Errorf("without a token from elsewhere: %d", code)
	}
	for _, ready := range []string{"1", "0"} {
		code, body := ask("a-token-that-nobody-guesses")
		if code != http.StatusOK || strings.Contains(body, "dayone_people") {
			t.Errorf("%d %s", code, body)
		}
		want(t, "metrics of a standby", body, "\ndayone_leader 0\n", "\ndayone_standby_ready "+ready+"\n")
		trouble = dayone.ErrUnavailable
	}
}
