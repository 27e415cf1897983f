package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	oktasim "github.com/dayone-hq/dayone/connector/okta/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store/storetest"
	"github.com/dayone-hq/dayone/web"
)

// indiscreet is a vendor that refuses the first account, and says back all that it was sent: in a header, and in its words.
type indiscreet struct {
	mu   sync.Mutex
	said []string // passwords that it was sent
}

func (v *indiscreet) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/users" {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Credentials struct{ Password struct{ Value string } }
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.said = append(v.said, sent.Credentials.Password.Value)
	first := len(v.said) == 1
	v.mu.Unlock()
	if !first {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return http.DefaultTransport.RoundTrip(r)
	}
	token := r.Header.Get("Authorization")
	answer, _ := json.Marshal(map[string]string{"errorCode": "E0000009", "errorSummary": "broken by " + token + " and " + sent.Credentials.Password.Value})
	return &http.Response{
		StatusCode: http.StatusInternalServerError, Proto: "HTTP/1.1", Request: r, Body: io.NopCloser(bytes.NewReader(answer)),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Okta-Request-Id": {strings.TrimPrefix(token, "SSWS ")}},
	}, nil
}

// What was asked of a system is shown to who may act on it, with each attempt and why it was made again: on the page, by the API,
// and to nobody else. The token and the password that the vendor says back are in none of it, nor in the log or the database.
func TestRequestsOfAStepAreShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	okta, vendor := oktasim.New(sim.Options{}), &indiscreet{}
	srv := httptest.NewServer(okta)
	t.Cleanup(srv.Close)
	settings := okta.Settings(srv.URL)
	p := ownProvider(t)
	b := startBench(t, fewPolicies, false, func(o *web.Options, d *flow.Deps) {
		g, err := connector.Open(all.Factories()["okta"], "okta", time.Now, connector.Options{Settings: settings, Transport: vendor, PerMinute: map[string]int{"users": 60_000, "default": 60_000}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["okta"] = g
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone = true
		o.SignOn.Roles["it-hr"], o.SignOn.Roles["it-auditors"], o.SignOn.Roles["it-operators"] = dayone.HR, dayone.Auditor, dayone.Operator
	})
	res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_1","timestamp":%q,"data":{"employee_id":"emp_1","email":"ada.doe@company.com","first_name":"Ada","last_name":"Doe","department":"Sales","employment_type":"FTE","start_date":%q,"location":"Berlin"}}`,
		time.Now().Format(time.RFC3339), time.Now().Format(time.DateOnly)))
	if res.StatusCode != http.StatusAccepted {
		t.Fatal(res.Status)
	}
	operator, auditor, hr := b.inGroup(p, "kim@company.com", "it-operators"), b.inGroup(p, "audit@company.com", "it-auditors"), b.inGroup(p, "hr@company.com", "it-hr")
	b.until("the account is tried again", func() bool {
		r := b.started("ada.doe@company.com")
		s := r.Step("okta/account account.create")
		return s != nil && s.State == dayone.StepDone
	})
	run := b.started("ada.doe@company.com")
	number := 0
	for i, s := range run.Steps {
		if s.Step.Action == dayone.AccountCreate {
			number = i + 1
		}
	}
	api, page := fmt.Sprintf("/api/v1/runs/%s/steps/%d/calls", run.ID, number), fmt.Sprintf("/runs/%s?step=%d", run.ID, number)

	status, said := operator("GET", api, nil)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	var log struct {
		Items []struct {
			Attempt      int
			After, Error string
			Calls        []struct {
				Method, Path string
				Keys         []string
				Status       int
				ID           string `json:"request_id"`
			}
		}
	}
	if err := json.Unmarshal([]byte(said), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Items) != 2 || log.Items[0].After != "unavailable" || log.Items[1].Error != "unavailable" || log.Items[0].Error != "" {
		t.Fatalf("attempts: %s", said)
	}
	last := log.Items[1].Calls[len(log.Items[1].Calls)-1]
	if last.Method != "POST" || last.Path != "/api/v1/users" || last.Status != 500 || last.ID != "" || !strings.Contains(strings.Join(last.Keys, " "), "credentials.password.value") {
		t.Errorf("the request that was refused: %+v", last)
	}
	status, shown := operator("GET", page, nil)
	for _, s := range []string{"Requests</h3>", "POST /api/v1/users", "500 Internal Server Error", "made again after: unavailable", "credentials.password.value"} {
		if status != http.StatusOK || !strings.Contains(shown, s) {
			t.Errorf("%d: the page does not show %q", status, s)
		}
	}
	for _, who := range []func(string, string, url.Values) (int, string){auditor, hr} {
		if status, got := who("GET", api, nil); status != http.StatusForbidden || strings.Contains(got, "users") {
			t.Errorf("by the API somebody else sees %d %s", status, got)
		}
		if status, got := who("GET", page, nil); status != http.StatusOK || strings.Contains(got, "Requests</h3>") || strings.Contains(got, "/api/v1/users") {
			t.Errorf("on the page somebody else sees %d", status)
		}
	}
	for _, path := range []string{fmt.Sprintf("/api/v1/runs/%s/steps/99/calls", run.ID), "/api/v1/runs/run_none/steps/1/calls", fmt.Sprintf("/api/v1/runs/%s/steps/x/calls", run.ID)} {
		if status, got := operator("GET", path, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, got)
		}
	}

	secrets := vendor.said[:1]
	for _, v := range settings {
		if len(v) > 8 && v != settings["url"] && v != srv.URL {
			secrets = append(secrets, v)
		}
	}
	if len(secrets) < 2 || secrets[0] == "" {
		t.Fatalf("nothing was planted: %d", len(secrets))
	}
	_, records := operator("GET", "/runs/"+string(run.ID)+"/records", nil)
	for name, text := range map[string]string{"API": said, "page": shown, "records": records, "log": b.log.String()} {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("a secret is in the %s", name)
			}
		}
	}
	if strings.Contains(said, "ada") || strings.Contains(said, "Doe") {
		t.Errorf("somebody is named by what was sent: %s", said)
	}
	if got := storetest.Readable(t, b.database(), secrets...); len(got) > 0 {
		t.Errorf("a secret is in the database: %v", got)
	}
}

// database is where the bench keeps its own.
func (b *bench) database() string {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(b.t.TempDir()), "*", "dayone.db"))
	if err != nil || len(found) != 1 {
		b.t.Fatalf("databases: %v, %v", found, err)
	}
	if _, err := os.Stat(found[0]); err != nil {
		b.t.Fatal(err)
	}
	return "sqlite:" + found[0]
}
