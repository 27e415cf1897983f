package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	legacy "github.com/getkin/kin-openapi/routers/legacy"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// document is the API's own, loaded once.
var document = sync.OnceValues(func() (routers.Router, error) {
	raw, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		raw, err := io.ReadAll(body) // what stands in its lines their own test looks at
		return string(raw), err
	})
	if err := doc.Validate(openapi3.NewLoader().Context); err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// checked lets no answer of the API pass that its document does not allow.
type checked struct {
	t    *testing.T
	next http.RoundTripper
}

func documented(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/hooks/") || path == "/healthz" || path == "/readyz" || path == "/metrics"
}

func (c checked) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	if err != nil || !documented(req.URL.Path) || strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res, err
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(raw))
	router, err := document()
	if err != nil {
		c.t.Error(err)
		return res, nil
	}
	route, params, err := router.FindRoute(req)
	if err != nil { // an address or a method that is not there: the error is of the documented shape all the same
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed {
			c.t.Errorf("%s %s is in no document: %v", req.Method, req.URL.Path, err)
		}
		return res, nil
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route}, Status: res.StatusCode, Header: res.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(raw)
	if err := openapi3filter.ValidateResponse(req.Context(), in); err != nil {
		c.t.Errorf("%s %s answers %s what its document does not allow: %v\n%s", req.Method, req.URL.Path, res.Status, err, raw)
	}
	return res, nil
}

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var have, want []string
	for _, p := range web.Patterns() {
		if _, path, _ := strings.Cut(p, " "); documented(path) {
			have = append(have, p)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("addresses %q\n are not those of the document %q", have, want)
	}
}

func (b *bench) api(method, path, body string, status int, into any) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	res := b.do(req)
	raw := text(b.t, res)
	if res.StatusCode != status {
		b.t.Fatalf("%s %s: %s, want %d\n%s", method, path, res.Status, status, raw)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			b.t.Fatalf("%s %s: %v\n%s", method, path, err, raw)
		}
	}
}

// refusedBody is what the API says of what it did not do.
type refusedBody struct {
	Error struct{ Kind, Message string }
}

func TestAPI(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.any.set("notion/account", dayone.Wait{}, dayone.ErrForbidden)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it", Ask: []string{"serial"}}, nil)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	person := "/api/v1/people/" + string(run.Person)

	b.api("GET", "/api/v1/people?q=sarah&status=pre-hire&department=Sales", "", 200, nil)
	b.api("GET", person, "", 200, nil)
	b.api("GET", person+"/access", "", 200, nil)
	b.api("GET", person+"/explain?key=okta/group:sales-team", "", 200, nil)
	b.api("GET", person+"/explain?key=nonsense", "", 400, nil)
	var mistyped refusedBody
	b.api("GET", person+"/explain?key=oktta/account", "", 400, &mistyped)
	if mistyped.Error.Message != `There is no system "oktta"; did you mean "okta"?` {
		t.Errorf("a system that there is none of is explained by %q", mistyped.Error.Message)
	}
	type line struct{ Policy, At string }
	var x struct {
		Answer string
		By     []struct {
			Key   string
			Lines []line
		} `json:"brought_by"`
	}
	b.api("GET", person+"/explain?key=procurement/order", "", 200, &x)
	if x.Answer != "brought along" || len(x.By) != 1 || len(x.By[0].Lines) == 0 {
		t.Errorf("the order behind her laptop is explained as %+v", x)
	} else {
		by := x.By[0].Key
		want(t, "why", b.page("/people/"+string(run.Person)+"/why?key=procurement/order"), "Brought along", "?key="+url.QueryEscape(by), by, x.By[0].Lines[0].At)
	}
	b.api("GET", "/api/v1/people/per_nobody", "", 404, nil)
	b.api("GET", "/api/v1/runs?state=incomplete&state=waiting&limit=1", "", 200, nil)
	var whole struct {
		Steps []struct {
			Number int
			Key    string
			Grant  bool
		}
	}
	b.api("GET", "/api/v1/runs/"+string(run.ID), "", 200, &whole)
	grants, failed := 0, 0
	for _, s := range whole.Steps {
		if s.Grant {
			grants++
		}
		if s.Key == "notion/account" {
			failed = s.Number
		}
	}
	if grants != 24 {
		t.Errorf("%d grants", grants)
	}
	step := "/api/v1/runs/" + string(run.ID) + "/steps/" + itoa(failed)
	b.api("POST", step+"/skip", `{}`, 400, nil)
	b.api("POST", step+"/skip", `{"why":"x"}`, 400, nil)
	b.api("POST", step+"/retry", "", 204, nil)
	b.api("POST", "/api/v1/runs/"+string(run.ID)+"/steps/999/retry", "", 404, nil)
	b.api("GET", "/api/v1/runs/run_nothing", "", 404, nil)

	var tasks struct{ Items []struct{ ID, Once string } }
	b.api("GET", "/api/v1/tasks?run="+string(run.ID), "", 200, &tasks)
	if len(tasks.Items) != 1 {
		t.Fatalf("%d tasks", len(tasks.Items))
	}
	var systems struct {
		Items []struct {
			Name    string
			Waiting int `json:"waiting_steps"`
		}
	}
	b.api("GET", "/api/v1/systems", "", 200, &systems)
	for _, s := range systems.Items {
		if want := map[string]int{"procurement": 1}[s.Name]; s.Waiting != want {
			t.Errorf("%d steps wait at %s; want %d", s.Waiting, s.Name, want)
		}
	}
	want(t, "where a step waits for a task", b.page("/systems/procurement"), `href="/tasks?system=procurement"`)
	want(t, "tasks there", b.page("/tasks?system=procurement"), tasks.Items[0].ID)
	want(t, "tasks elsewhere", b.page("/tasks?system=okta"), "No tasks")
	b.api("GET", "/api/v1/tasks?system=procurement", "", 200, &tasks)
	if len(tasks.Items) != 1 {
		t.Fatalf("%d tasks at procurement", len(tasks.Items))
	}
	task := "/api/v1/tasks/" + tasks.Items[0].ID
	b.api("GET", task, "", 200, nil)
	b.api("POST", task+"/complete", `{"attrs":{"colour":"red"}}`, 400, nil)
	var no refusedBody
	b.api("POST", task+"/complete", `{"note":"done"}`, 400, &no)
	want(t, "what is missing", no.Error.Message, `This task asks for "serial"; write it down to complete it.`)
	b.api("POST", task+"/complete", `{"attrs":{"serial":{"template":"${okta.account.ref}"}}}`, 400, nil)
	b.api("POST", task+"/complete", `{"attrs":`, 400, nil)
	b.api("POST", "/api/v1/tasks/"+tasks.Items[0].Once+"/complete", `{"attrs":{"serial":"C02XK1ABCD"},"note":"by the box"}`, 200, nil)
	b.until("the task to be closed", func() bool {
		var now struct{ Closed *time.Time }
		b.api("GET", task, "", 200, &now)
		return now.Closed != nil
	})
	b.api("POST", task+"/complete", `{"attrs":{"serial":"C02XK1ABCD"}}`, 409, nil)
	b.api("GET", "/api/v1/tasks/tsk_none", "", 404, nil)

	var events struct{ Items []struct{ ID string } }
	b.api("GET", "/api/v1/events?state=applied", "", 200, &events)
	b.api("POST", "/api/v1/events/"+events.Items[0].ID+"/replay", "", 409, nil)
	b.api("GET", "/api/v1/records?run="+string(run.ID)+"&detail=true&limit=5", "", 200, nil)
	b.api("GET", "/api/v1/records?person="+string(run.Person)+"&before=3", "", 200, nil)
	var mine, all struct{ Items []struct{ Seq int } }
	b.until("her records to be those of her in the ledger", func() bool { // the run goes on and writes
		b.api("GET", "/api/v1/people/"+string(run.Person)+"/records?limit=200", "", 200, &mine)
		b.api("GET", "/api/v1/records?person="+string(run.Person)+"&limit=200", "", 200, &all)
		return len(mine.Items) > 0 && len(mine.Items) == len(all.Items)
	})
	b.api("GET", "/api/v1/runs/"+string(run.ID)+"/records?detail=true&limit=2", "", 200, nil)
	b.api("GET", "/api/v1/runs/run_nothing/records", "", 404, nil)
	b.api("GET", "/api/v1/people/per_nobody/records", "", 404, nil)
	b.api("GET", "/healthz", "", 200, nil)
	b.api("GET", "/readyz", "", 200, nil)
	b.api("GET", "/api/openapi.json", "", 200, nil)
	b.api("GET", "/api/v1/nothing", "", 404, nil)
	b.api("DELETE", "/api/v1/people", "", 405, nil)
}

func TestResellerCompletesATaskBySignature(t *testing.T) {
	t.Parallel()
	b := newCompany(t, withToken, func(o *web.Options, _ *flow.Deps) {
		o.TaskAuth = func(r *http.Request, body []byte) (string, bool) {
			return "procurement", r.Header.Get("Signature") == "right" && bytes.Contains(body, []byte("serial"))
		}
	})
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Ask: []string{"serial", "carrier"}}, nil)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	once := run.Step("procurement/order entitlement.add").Step.Once
	for sign, status := range map[string]int{"wrong": 401, "": 401} {
		req, _ := http.NewRequest("POST", b.url+"/api/v1/tasks/"+once+"/complete", strings.NewReader(`{"attrs":{"serial":"C02"}}`))
		req.Header.Set("Signature", sign)
		if res := b.do(req); res.StatusCode != status {
			t.Errorf("signed %q: %s", sign, res.Status)
		}
	}
	req, _ := http.NewRequest("POST", b.url+"/api/v1/tasks/"+once+"/complete", strings.NewReader(`{"attrs":{"serial":"C02","carrier":"UPS"}}`))
	req.Header.Set("Signature", "right")
	if res := b.do(req); res.StatusCode != 200 {
		t.Errorf("signed right: %s\n%s", res.Status, text(t, res))
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if res := b.post("/hooks/nobody", nil); res.StatusCode != 404 {
		t.Errorf("an unknown source: %s", res.Status)
	}
	if res := b.post("/hooks/hr", nil); res.StatusCode != 401 {
		t.Errorf("no signature: %s", res.Status)
	}
	res := b.say("{\n  \"event_type\": nonsense }")
	if body := text(t, res); res.StatusCode != 400 || !strings.Contains(body, "line 2, column") {
		t.Errorf("no JSON: %s %s", res.Status, body)
	}
	if res := b.say(`{"a":"` + strings.Repeat("x", flow.MaxBody) + `"}`); res.StatusCode != 413 {
		t.Errorf("too large: %s", res.Status)
	}
	if res := b.post("/hooks/systems/nobody", nil); res.StatusCode != 404 {
		t.Errorf("an unknown system: %s", res.Status)
	}
	if strings.Contains(b.log.String(), hookSecret) {
		t.Error("the log shows a secret")
	}
}

// frames reads server-sent events.
type frame struct{ event, id, data string }

func (b *bench) stream(path string, header ...string) (next func() (frame, bool)) {
	b.t.Helper()
	res := b.get(path, header...)
	if ct := res.Header.Get("Content-Type"); ct != "text/event-stream" {
		b.t.Fatalf("%s answers %s %s", path, res.Status, ct)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	return func() (frame, bool) {
		var f frame
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				f.event = value
			case "id":
				f.id = value
			case "data":
				f.data += value + "\n"
			case "":
				if f.event != "" {
					return f, true
				}
			}
		}
		return f, false
	}
}

func TestRunsAreStreamed(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	release := b.any.hold()
	defer release()
	b.hireSarah()
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("sarah.chen@company.com")
		return run.ID != "" && run.State == dayone.RunRunning
	})

	data := b.stream("/api/v1/runs/" + string(run.ID) + "/events")
	page := b.page("/runs/" + string(run.ID))
	_, rest, _ := strings.Cut(page, `sse-connect="`)
	address, _, _ := strings.Cut(rest, `"`)
	html := b.stream(strings.ReplaceAll(address, "&amp;", "&"))
	release()

	states := map[string]string{}
	moved := map[string]bool{}
	last := ""
	for {
		f, ok := data()
		if !ok {
			break
		}
		if f.id != "" {
			last = f.id
		}
		if f.event != "step" {
			continue
		}
		var s struct {
			ID, Key, State string
			Grant          bool
		}
		if err := json.Unmarshal([]byte(f.data), &s); err != nil {
			t.Fatal(err)
		}
		if was, ok := states[s.ID]; ok && was != s.State && s.Grant {
			moved[s.Key] = true
		}
		states[s.ID] = s.State
	}
	if len(states) != len(run.Steps) || len(moved) < 20 {
		t.Errorf("%d steps were told, %d grants moved live", len(states), len(moved))
	}
	rows := map[string]bool{}
	over, counted := false, false
	for {
		f, ok := html()
		if !ok {
			break
		}
		if f.event == "step" {
			_, rest, _ := strings.Cut(f.data, `data-grant="`)
			if key, _, ok := strings.Cut(rest, `"`); ok {
				rows[key] = true
			}
			want(t, "a step's event", f.data, `<template><tr id="step-`, `hx-swap-oob="true"`, `<svg><a hx-swap-oob="true" class="node `)
		}
		over = over || f.event == "over"
		counted = counted || strings.Contains(f.data, `<span id="count-runs" hx-swap-oob="innerHTML">`)
	}
	if len(rows) < 20 || !over || !counted {
		t.Errorf("%d rows came live, over %v, the menu was counted %v", len(rows), over, counted)
	}

	// who comes back with what it has seen is told nothing again
	again := b.stream("/api/v1/runs/"+string(run.ID)+"/events", "Last-Event-ID", last)
	for {
		f, ok := again()
		if !ok {
			break
		}
		if f.event == "step" {
			t.Errorf("told again: %s", f.data)
		}
	}
}
