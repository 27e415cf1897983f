package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// guarded says what is missing of what every answer has, whatever it answers.
func guarded(path string, res *http.Response) []string {
	var missing []string
	h := res.Header
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
		"Strict-Transport-Security": "max-age=31536000", "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
	} {
		if h.Get(name) != value {
			missing = append(missing, name+" is "+h.Get(name))
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, need := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, need) {
			missing = append(missing, "the content policy lacks "+need)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		missing = append(missing, "the content policy lets in too much: "+policy)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(path, "/static/") && !strings.HasPrefix(path, "/brand/") && !strings.HasSuffix(path, "/photo") {
		if h.Get("Cache-Control") != "no-store" {
			missing = append(missing, "it may be kept: "+h.Get("Cache-Control"))
		}
	}
	for _, c := range res.Cookies() {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode && c.SameSite != http.SameSiteStrictMode || !strings.HasPrefix(c.Name, "__Host-") {
			missing = append(missing, "the cookie "+c.Name+" is open")
		}
	}
	if to := h.Get("Location"); to != "" {
		if u, err := url.Parse(to); err != nil || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
			missing = append(missing, "it leads to "+to)
		}
	}
	return missing
}

// Every address there is, as nobody, as an employee without a role and as the administrator: each answer is guarded, be it an
// error; none is a fault of the server; and no other site writes anywhere.
func TestEveryAddressIsGuarded(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles, func(o *web.Options, _ *flow.Deps) { o.Base = strings.Replace(o.Base, "http:", "https:", 1) })
	at := strings.Replace(b.url, "http:", "https:", 1)
	bearer := []string{"Authorization", "Bearer " + tokenOf(dayone.Administrator)}
	session := b.from("192.0.2.9:1", "POST", "/login?", "Sec-Fetch-Site", "same-origin")
	_ = session
	res := b.post("/login", url.Values{"token": {tokenOf(dayone.Administrator)}})
	var cookie string
	for _, c := range res.Cookies() {
		if c.Value != "" && !strings.Contains(c.Name, "browser") {
			cookie = c.Name + "=" + c.Value
		}
	}
	if cookie == "" {
		t.Fatalf("nobody is let in: %s", res.Status)
	}
	ask := func(method, path, body string, header ...string) *http.Response {
		t.Helper()
		req := httptest.NewRequest(method, at+path, strings.NewReader(body))
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		b.server.Config.Handler.ServeHTTP(w, req)
		return w.Result()
	}
	for _, pattern := range web.Patterns() {
		method, path := filled(pattern)
		if strings.Contains(path, "{") {
			t.Errorf("%s has a hole that the test does not fill", pattern)
		}
		if pattern == "POST /logout" {
			continue // ends the session that this test needs; TestALoginHasANameAndARole looks at it
		}
		for name, header := range map[string][]string{
			"nobody": nil, "a guess": {"Authorization", "Bearer nonsense"}, "a stale cookie": {"Cookie", "__Host-dayone=x"},
			"the administrator by token": bearer, "the administrator": {"Cookie", cookie},
		} {
			for _, body := range []string{"", "{\"\x00", strings.Repeat("a=b&", 20)} {
				res := ask(method, path, body, append(header, "Content-Type", "application/x-www-form-urlencoded")...)
				if missing := guarded(path, res); len(missing) > 0 {
					t.Errorf("%s as %s: %s: %q", pattern, name, res.Status, missing)
				}
				if res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented && res.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("%s as %s with %.10q: %s", pattern, name, body, res.Status)
				}
			}
		}
		if method == "GET" {
			continue
		}
		for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			res := ask(method, path, "", append(header, "Cookie", cookie)...)
			if missing := guarded(path, res); res.StatusCode != http.StatusForbidden || len(missing) > 0 {
				t.Errorf("%s from another site, %q: %s %q", pattern, header, res.Status, missing)
			}
		}
	}
}

// What people try at a door: other hosts, other methods, other ways to write a path, and too much of everything. Each is
// refused, and the refusal is guarded, too.
func TestTricksWithAddressesOpenNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles, func(o *web.Options, _ *flow.Deps) { o.Base = strings.Replace(o.Base, "http:", "https:", 1) })
	host := strings.TrimPrefix(b.url, "http://")
	for name, c := range map[string]struct {
		method, target, host string
		header               []string
		body                 io.Reader
		want                 []int
	}{
		"a host in front":                {"GET", "/people", "evil.example", nil, nil, []int{421}},
		"a host behind a proxy's header": {"GET", "/people", host, []string{"X-Forwarded-Host", "evil.example"}, nil, []int{303}},
		"an absolute target":             {"GET", "https://evil.example/people", "evil.example", nil, nil, []int{421}},
		"two slashes":                    {"GET", "//evil.example/people", host, nil, nil, []int{301, 303, 307, 404}},
		"two slashes before the API":     {"GET", "//api/v1/people", host, nil, nil, []int{301, 307, 401, 404}},
		"dots":                           {"GET", "/static/../people", host, nil, nil, []int{301, 303, 307, 404}},
		"dots that are written":          {"GET", "/static/%2e%2e/people", host, nil, nil, []int{301, 303, 307, 404}},
		"slashes that are written":       {"GET", "/static%2f..%2fpeople", host, nil, nil, []int{404}},
		"a back slash":                   {"GET", `/\evil.example`, host, nil, nil, []int{404}},
		"a back slash that is written":   {"GET", "/%5cevil.example", host, nil, nil, []int{404}},
		"another case":                   {"GET", "/API/v1/people", host, nil, nil, []int{404}},
		"a slash at the end":             {"GET", "/people/", host, nil, nil, []int{303, 404}},
		"a semicolon":                    {"GET", "/people;a=b", host, nil, nil, []int{404}},
		"a zero":                         {"GET", "/people/%00", host, nil, nil, []int{303, 404}},
		"health that is people":          {"GET", "/healthz/../people", host, nil, nil, []int{301, 303, 307, 404}},
		"another method by a header":     {"GET", "/logout", host, []string{"X-HTTP-Method-Override", "POST"}, nil, []int{405}},
		"another method by a field":      {"GET", "/logout?_method=POST", host, nil, nil, []int{405}},
		"TRACE":                          {"TRACE", "/people", host, []string{"Cookie", "a=b"}, nil, []int{405}},
		"CONNECT":                        {"CONNECT", "/people", host, nil, nil, []int{403, 405}},
		"a method of nobody":             {"FOO", "/people", host, nil, nil, []int{403, 405}},
		"OPTIONS of all":                 {"OPTIONS", "*", host, nil, nil, []int{403, 404, 405}},
		"HEAD":                           {"HEAD", "/login", host, nil, nil, []int{200}},
		"another path by a header":       {"GET", "/login", host, []string{"X-Original-URL", "/people", "X-Rewrite-URL", "/people"}, nil, []int{200}},
		"too long a form":                {"POST", "/login", host, []string{"Content-Type", "application/x-www-form-urlencoded"}, strings.NewReader("token=" + strings.Repeat("a", 1<<20)), []int{413}},
		"too much for the API":           {"POST", "/api/v1/people", host, []string{"Authorization", "Bearer " + tokenOf(dayone.HR)}, strings.NewReader(`{"type":"` + strings.Repeat("a", 1<<20) + `"}`), []int{413}},
		"deep JSON":                      {"POST", "/api/v1/people", host, []string{"Authorization", "Bearer " + tokenOf(dayone.HR)}, strings.NewReader(strings.Repeat("[", 60_000)), []int{400}},
		"a body of another kind":         {"POST", "/login", host, []string{"Content-Type", "multipart/form-data; boundary="}, strings.NewReader("x"), []int{400, 401}},
		"next elsewhere":                 {"GET", "/login?next=https://evil.example/", host, nil, nil, []int{200}},
		"next elsewhere, by two slashes": {"GET", "/login/start?next=//evil.example", host, nil, nil, []int{404}},
	} {
		req := httptest.NewRequest("GET", "https://"+host+"/", c.body)
		req.Method, req.Host = c.method, c.host
		u, err := url.ParseRequestURI(c.target)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		req.URL, req.RequestURI = u, c.target
		for i := 0; i+1 < len(c.header); i += 2 {
			req.Header.Set(c.header[i], c.header[i+1])
		}
		w := httptest.NewRecorder()
		b.server.Config.Handler.ServeHTTP(w, req)
		res := w.Result()
		ok := false
		for _, s := range c.want {
			ok = ok || s == res.StatusCode
		}
		if missing := guarded(u.Path, res); !ok || len(missing) > 0 {
			t.Errorf("%s: %s, want %v; %q", name, res.Status, c.want, missing)
		}
		if body, _ := io.ReadAll(res.Body); strings.Contains(string(body), "evil.example") && c.method == "TRACE" || strings.Contains(string(body), `href="https://evil`) {
			t.Errorf("%s is said again", name)
		}
	}
}
