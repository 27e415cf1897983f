package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{"/", "/people", "/login", "/nothing", "/api/v1/people", "/static/dayone.css", "/secret/x", "/healthz"} {
		h := b.get(path).Header
		policy := h.Get("Content-Security-Policy")
		want(t, path, policy, "default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "connect-src 'self'")
		if strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, h)
		}
		if path != "/static/dayone.css" && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", path, h.Get("Cache-Control"))
		}
	}
	for _, path := range []string{"/login", "/secret/x", "/progress/per_x/y"} {
		if h := b.get(path).Header; path != "/login" && !strings.Contains(h.Get("X-Robots-Tag"), "noindex") {
			t.Errorf("%s may be indexed", path)
		}
	}
}

// What the first page needs is small on its way; what shows a secret says nothing by its length.
func TestWhatIsLookedAtGoesPacked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	whole := int64(0)
	ask := func(path, accept string) *http.Response {
		t.Helper()
		req, _ := http.NewRequest(http.MethodGet, b.url+path, nil)
		req.Header.Set("Accept-Encoding", "gzip")
		req.Header.Set("Accept", accept)
		return b.do(req)
	}
	for _, path := range []string{"/", "/static/dayone.css", "/static/dayone.js", "/static/vendor/htmx.min.js", "/static/icons.svg"} {
		r := ask(path, "*/*")
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Vary") == "" {
			t.Errorf("%s: %v, %v", path, r.Header, err)
		}
		whole += n
	}
	if whole > 60<<10 {
		t.Errorf("the first page takes %d bytes", whole)
	}
	id, _ := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	for _, path := range []string{
		"/secret/x", "/prehire/x", "/progress/per_x/y", "/setup/x", "/team", "/tokens", "/api/v1/tokens", "/mailbox",
		"/people/" + string(id) + "/codes", "/api/v1/people/" + string(id) + "/links",
	} {
		if r := ask(path, "*/*"); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s goes packed", path)
		}
	}
}

func TestPagesHaveNothingInline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	for _, path := range []string{"/", "/people", "/gallery", "/gallery/run-many", "/gallery/person"} {
		body := b.page(path)
		for _, bad := range []string{" style=", "<style", "onclick=", "onload=", "hx-on", "javascript:", "<script>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
}

func TestOnlyOurHostAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(host, path string) int {
		req, _ := http.NewRequest(http.MethodGet, b.url+path, nil)
		req.Host = host
		return b.do(req).StatusCode
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(b.url, "http://"), ":")
	for host, status := range map[string]int{
		"evil.example": 421, "evil.example:" + port: 421, "localhost:" + port: 200, "127.0.0.1:" + port: 200, "[::1]:" + port: 200, "localhost:1": 421, "localhost.evil.example:" + port: 421,
	} {
		if got := ask(host, "/people"); got != status {
			t.Errorf("host %s: %d, want %d", host, got, status)
		}
	}
	if got := ask("10.0.0.1", "/healthz"); got != 200 {
		t.Errorf("a probe by address: %d", got)
	}
}

func TestTheDemoAnswersOnlyHere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	req := httptest.NewRequest(http.MethodGet, b.url+"/", nil) // from 192.0.2.1
	w := httptest.NewRecorder()
	b.server.Config.Handler.ServeHTTP(w, req)
	if w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		for _, path := range []string{"/logout", "/tasks/tsk_1", "/api/v1/events/evt_1/replay", "/secret/x"} {
			if res := b.post(path, nil, header...); res.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %v: %s", path, header, res.Status)
			}
		}
	}
	if res := b.get("/people", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 200 {
		t.Errorf("a link from elsewhere: %s", res.Status)
	}
}

func TestSizesAreLimited(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	if res := b.post("/login", url.Values{"token": {strings.Repeat("x", 70<<10)}}); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 70 KiB: %s", res.Status)
	}
}

// PostgreSQL fails at what is no text, where SQLite only finds nothing by it, or keeps it.
func TestWhatIsNoTextIsNotLookedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for path, want := range map[string]int{
		"/api/v1/people?q=%00": 400, "/api/v1/runs?person=a%00b": 400, "/api/v1/people?department=%ff": 400, "/people?q=%00": 400, "/people?q=%1b[2J": 400,
		"/api/v1/people?q=%C3%A9": 200, "/people?q=50%": 200, "/people/%00": 404, "/api/v1/systems/okta%00": 404, "/api/v1/systems/%ff": 404,
	} {
		if res := b.get(path); res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
	}
}

func TestWhatIsNoTextIsNotEntered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, c := range map[string]struct{ path, kind, body, field string }{
		"a form":             {"/systems/okta/orders", "application/x-www-form-urlencoded", "kind=stop&reason=a%00b", "reason"},
		"a form's bytes":     {"/systems/okta/orders", "application/x-www-form-urlencoded", "kind=stop&reason=a%ffb", "reason"},
		"a form's name":      {"/systems/okta/orders", "application/x-www-form-urlencoded", "kind=stop&reason=ab&x%07=1", "x"},
		"a form with a file": {"/systems/okta/orders", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"reason\"\r\n\r\na\x1b[2Jb\r\n--x--\r\n", "reason"},
		"a file's name":      {"/systems/okta/orders", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"list\"; filename=\"a\xff.csv\"\r\n\r\na\r\n--x--\r\n", "list"},
		"a call":             {"/api/v1/systems/okta/orders", "application/json", `{"kind": "stop", "reason": "a\u0000b"}`, "reason"},
		"a call's bytes":     {"/api/v1/systems/okta/orders", "application/json", "{\"kind\": \"stop\", \"reason\": \"a\xffb\"}", "The body"},
		"a call that lists":  {"/api/v1/runs/run_00000000000000000000000000/undo", "application/json", `{"steps": ["1", "a\u001bb"]}`, "steps"},
		"a call's name":      {"/api/v1/people", "application/json", `{"attributes": {"a\u0007": "b"}}`, "attributes"},
		"nobody's":           {"/login", "application/x-www-form-urlencoded", "token=a%00", "token"},
	} {
		req, _ := http.NewRequest(http.MethodPost, b.url+c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", c.kind)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res := b.do(req)
		if said := text(t, res); res.StatusCode != http.StatusBadRequest || !strings.Contains(said, c.field) || !strings.Contains(said, "UTF-8") {
			t.Errorf("%s: %s: %s", name, res.Status, said)
		}
	}
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind": "stop", "reason": "INC-4711:\r\n\tit deletes – Łucja"}`, 201, nil)
}

// A field that is misspelt is not left out: that would be everybody, everything, at once or for ever.
func TestAFormRefusesAFieldThatItDoesNotHave(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	person := string(run.Person)
	for path, bad := range map[string]string{
		"/tokens":                                        "name=tickets&role=operator&days=30&country=DE",
		"/systems/okta/orders":                           "kind=maintenance&reason=INC-1&begin=2030-01-01T22:00&until=2030-01-02T22:00",
		"/delegations":                                   "who=kim@company.com&to=lee@company.com&form=2030-01-01&until=2030-02-01",
		"/people/" + person + "/request":                 "key=okta/group:figma-users&by=kim@company.com&reason=covers&untill=2030-01-01",
		"/onboard/" + person:                             "product=mid-market&reason=covers&to=2030-01-01",
		"/runs/" + string(run.ID) + "/undo":              "hash=x&reason=a+mistake&steps=1",
		"/brakes/brk_01jd9x0000000000000000000a/discard": "reason=odd&hsah=x",
		"/drift/drf_01jd9x0000000000000000000a/accept":   "reason=odd&end=2030-01-01",
		"/numbers/audit/cucm/adopt":                      "do=adopt&lest=sure",
	} {
		form, err := url.ParseQuery(bad)
		if err != nil {
			t.Fatal(err)
		}
		res := b.post(path, form)
		if said := text(t, res); res.StatusCode != http.StatusBadRequest || !strings.Contains(said, "is no field of this form") {
			t.Errorf("%s: %s: %s", path, res.Status, said)
		}
	}
	res := b.post("/tokens", url.Values{"name": {"tickets"}, "role": {"operator"}, "days": {"30"}, "countries": {"DE"}})
	if res.StatusCode != http.StatusOK {
		t.Errorf("a token as the form asks for one: %s", res.Status)
	}
}

// Whoever misspells what is to be undone is not shown the undo of everything.
func TestAnAddressRefusesWhatItCannotBeAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hireSarah()
	run := string(b.runOf("sarah.chen@company.com").ID)
	for _, path := range []string{"/api/v1/runs/" + run + "/undo?steps=1", "/runs/" + run + "/undo?steps=1"} {
		res := b.get(path)
		if said := text(t, res); res.StatusCode != http.StatusBadRequest || !strings.Contains(said, "steps") || !strings.Contains(said, "it takes step.") {
			t.Errorf("%s: %s: %s", path, res.Status, said)
		}
	}
	for _, c := range []string{"GET /api/v1/people?nme=x", "GET /api/v1/people/per_0?q=x", "POST /api/v1/systems/okta/list?dryrun=true", "DELETE /api/v1/holds/hld_0?why=x", "POST /api/v1/tasks/tsk_0/complete?note=x"} {
		method, path, _ := strings.Cut(c, " ")
		b.api(method, path, "", http.StatusBadRequest, nil)
	}
	for _, path := range []string{"/api/v1/runs/" + run + "/undo", "/runs/" + run + "/undo", "/api/v1/people?q=sarah&status=&limit=3", "/people?nme=x"} {
		if res := b.get(path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestErrorsSayWhatToDoAndKeepTheirWords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	res := b.get("/people/per_00000000000000000000000000")
	body := text(t, res)
	if res.StatusCode != 404 {
		t.Error(res.Status)
	}
	want(t, "404", body, "Nothing is here", "Number for IT", "req_", "Dashboard")
	if strings.Contains(body, "sql") || strings.Contains(body, "person: not found") {
		t.Error("a page shows operators' words")
	}
	id := body[strings.Index(body, "req_"):][:30]
	if !strings.Contains(b.log.String(), id) {
		t.Error("the log does not know the number that the page shows")
	}
	if res := b.post("/people", nil); res.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(res.Header.Get("Allow"), "GET") {
		t.Errorf("POST /people: %s", res.Status)
	}
	part := text(t, b.get("/people/per_00000000000000000000000000", "HX-Request", "true"))
	if strings.Contains(part, "<html") || !strings.Contains(part, `role="alert"`) {
		t.Error("a fragment's error is a whole page")
	}
}

type brokenMailbox struct{}

func (brokenMailbox) Messages() []web.Mail { panic("the mailbox broke: secret words") }

func TestPanicsBecomeAPage(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.Mailbox = brokenMailbox{} })
	res := b.get("/mailbox")
	body := text(t, res)
	if res.StatusCode != 500 {
		t.Error(res.Status)
	}
	want(t, "500", body, "This page could not be built", "req_")
	if strings.Contains(body, "secret words") || strings.Contains(body, "goroutine") {
		t.Error("the page shows what broke")
	}
	want(t, "log", b.log.String(), "secret words", "brokenMailbox")
}

func TestStaticFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	page := b.page("/")
	_, rest, _ := strings.Cut(page, `href="/static/dayone.css`)
	address, _, _ := strings.Cut(rest, `"`)
	if h := b.get("/static/dayone.css" + address).Header; !strings.Contains(h.Get("Cache-Control"), "immutable") || !strings.HasPrefix(h.Get("Content-Type"), "text/css") {
		t.Errorf("%v", h)
	}
	if h := b.get("/static/dayone.css?v=old").Header; strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Error("an old address is kept for ever")
	}
	for _, path := range []string{"/static/", "/static/vendor/", "/static/../web.go", "/static/nothing.js"} {
		if res := b.get(path); res.StatusCode == 200 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	if res := b.get("/people?q=a"); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/login?next=%2Fpeople%3Fq%3Da" {
		t.Errorf("without login: %s to %s", res.Status, res.Header.Get("Location"))
	}
	if res := b.get("/people", "HX-Request", "true"); res.StatusCode != 401 || res.Header.Get("HX-Redirect") == "" {
		t.Errorf("a fragment without login: %s", res.Status)
	}
	b.api("GET", "/api/v1/people", "", 401, nil)
	want(t, "login", b.page("/login"), "Access token")
	res := b.post("/login", url.Values{"token": {"wrong"}})
	if body := text(t, res); res.StatusCode != 401 || !strings.Contains(body, "This token is not right") {
		t.Error(res.Status)
	}
	for next, to := range map[string]string{
		"/people?q=a": "/people?q=a", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "": "/", "people": "/",
	} {
		res := b.post("/login", url.Values{"token": {token}, "next": {next}})
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != to {
			t.Errorf("next %q leads to %q", next, res.Header.Get("Location"))
		}
		c := res.Cookies()[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge <= 0 {
			t.Errorf("cookie %+v", c)
		}
	}
	b.page("/people")
	b.api("GET", "/api/v1/people", "", 200, nil)
	if res := b.post("/logout", nil); res.StatusCode != http.StatusSeeOther {
		t.Error(res.Status)
	}
	if res := b.get("/people"); res.StatusCode != http.StatusSeeOther {
		t.Error("a session outlives its end")
	}
	for _, forged := range []string{"x", "99999999999.AAAA", ".", "99999999999."} {
		if res := b.get("/people", "Cookie", "dayone="+forged); res.StatusCode != http.StatusSeeOther {
			t.Errorf("the cookie %q lets in", forged)
		}
	}
	for bearer, status := range map[string]int{token: 200, token + "x": 401, "": 401} {
		if res := b.get("/api/v1/people", "Authorization", "Bearer "+bearer); res.StatusCode != status {
			t.Errorf("bearer %q: %s", bearer, res.Status)
		}
	}
	if strings.Contains(b.log.String(), token) {
		t.Error("the log shows the token")
	}
}

func TestNobodyGetsInWithoutAToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.Open = false })
	want(t, "login", b.page("/login"), "Nobody can sign in yet")
	if res := b.post("/login", url.Values{"token": {""}}); res.StatusCode != 401 {
		t.Error(res.Status)
	}
	b.api("GET", "/api/v1/people", "", 401, nil)
	if res := b.get("/gallery"); res.StatusCode != http.StatusSeeOther {
		t.Error(res.Status)
	}
}

func TestCookiesAreSecureOverHTTPS(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken, func(o *web.Options, _ *flow.Deps) { o.Base = strings.Replace(o.Base, "http:", "https:", 1) })
	c := b.post("/login", url.Values{"token": {token}}).Cookies()[0]
	if !c.Secure || c.Name != "__Host-dayone" || c.Path != "/" {
		t.Errorf("cookie %+v", c)
	}
}

// Of two values where one is meant nobody knows which counts: neither does, wherever they stand.
func TestWhatIsGivenTwiceIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refused := func(res *http.Response, name string) {
		t.Helper()
		if body := text(t, res); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, name) || !strings.Contains(body, "is given twice") {
			t.Errorf("%s: %s %.300s", name, res.Status, body)
		}
	}
	for address, name := range map[string]string{"/people?q=a&q=b": "q", "/api/v1/people?status=active&status=leave": "status", "/api/v1/tasks?limit=1&limit=2": "limit"} {
		refused(b.get(address), name)
	}
	refused(b.post("/people/add", url.Values{"end": {"2025-01-31", "2025-03-31"}}), "end")
	for body, name := range map[string]string{
		`{"type":"contractor","type":"guest","sponsor":"x"}`: "type", `{"reason":"x","Reason":"y"}`: "Reason", `{"check":true,"attributes":{"email":"a@b.example","email":"c@d.example"}}`: "email",
	} {
		req, _ := http.NewRequest("POST", b.url+"/api/v1/people", strings.NewReader(body))
		refused(b.do(req), name)
	}
	for body, says := range map[string]string{
		`{"type":"contractor","spouse":"x"}`: `takes no field \"spouse\"`, `{"type":7}`: `Field \"type\" takes no number`, `{"type":`: "is no JSON",
	} {
		req, _ := http.NewRequest("POST", b.url+"/api/v1/people", strings.NewReader(body))
		res := b.do(req)
		if got := text(t, res); res.StatusCode != http.StatusBadRequest || !strings.Contains(got, says) {
			t.Errorf("%s: %s %.300s", body, res.Status, got)
		}
	}
	b.api("GET", "/api/v1/runs?state=running&state=done", "", 200, nil)
	if res := b.get("/runs?state=open&state=done"); res.StatusCode != http.StatusOK {
		t.Errorf("runs of two states: %s", res.Status)
	}
}
