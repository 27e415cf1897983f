package web_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func withViews(o *web.Options, _ *flow.Deps) {
	o.LookAs = []web.Viewpoint{
		{ID: "administrator", Login: "demo", Role: dayone.Administrator, Home: "/"},
		{ID: "new-hire", Name: "Sarah Chen", Login: "sarah.chen@company.com", Role: dayone.Employee, Home: "/me"},
		{ID: "manager", Name: "John Doe", Login: "john.doe@company.com", Role: dayone.Employee, Home: "/team"},
		{ID: "auditor", Login: "auditor", Role: dayone.Auditor, Home: "/"},
	}
}

// seen asks for a page with the eyes of somebody.
func (b *bench) seen(as, path string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest("GET", b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if as != "" {
		req.AddCookie(&http.Cookie{Name: "look-as", Value: as})
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestTheDemoIsLookedAtAsSomebodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, withViews, func(o *web.Options, _ *flow.Deps) { o.Open = true })
	for _, c := range []struct {
		as, path string
		status   int
	}{
		{"", "/tokens", 200},
		{"", "/me", 200},
		{"administrator", "/tokens", 200},
		{"nobody", "/tokens", 200},
		{"new-hire", "/", 303},
		{"new-hire", "/me", 200},
		{"new-hire", "/people", 403},
		{"new-hire", "/tokens", 403},
		{"new-hire", "/api/v1/people", 403},
		{"manager", "/team", 200},
		{"manager", "/people", 403},
		{"auditor", "/people", 200},
		{"auditor", "/records", 200},
		{"auditor", "/tokens", 403},
		{"auditor", "/api/v1/tokens", 403},
	} {
		status, body := b.seen(c.as, c.path)
		if status != c.status {
			t.Errorf("%s as %q answers %d, not %d", c.path, c.as, status, c.status)
		}
		if status == 200 && (!strings.Contains(body, "You see this as") || !strings.Contains(body, "Sarah Chen, new hire")) {
			t.Errorf("%s as %q has no switch", c.path, c.as)
		}
	}
	if _, body := b.seen("auditor", "/people"); !strings.Contains(body, `value="auditor" aria-pressed="true"`) || strings.Count(body, `aria-pressed="true"`) != 1 {
		t.Error("the switch does not say who looks")
	}

	res := b.post("/look-as", url.Values{"as": {"manager"}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/team" || len(res.Cookies()) != 1 || !res.Cookies()[0].HttpOnly {
		t.Errorf("it answers %s to %q with %v", res.Status, res.Header.Get("Location"), res.Cookies())
	}
	if res := b.post("/look-as", url.Values{"as": {"root"}}); res.StatusCode != http.StatusBadRequest || len(res.Cookies()) > 0 {
		t.Errorf("as nobody: %s", res.Status)
	}
	if res := b.from("192.0.2.9:1", "POST", "/look-as", "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %s", res.Status)
	}
}

// A real server has no such switch and no such address, and its cookie lets nobody in, whatever the options say.
func TestARealServerIsLookedAtAsOneself(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken, withViews)
	for _, as := range []string{"administrator", "new-hire", "manager", "auditor"} {
		for path, want := range map[string]int{"/": 303, "/me": 303, "/tokens": 303, "/api/v1/people": 401} {
			status, body := b.seen(as, path)
			if status != want {
				t.Errorf("%s with the cookie of %s answers %d, not %d", path, as, status, want)
			}
			if strings.Contains(body, "look-as") {
				t.Errorf("%s has the switch", path)
			}
		}
	}
	if _, body := b.seen("administrator", "/login"); strings.Contains(body, "look-as") {
		t.Error("the login page has the switch")
	}
	if res := b.post("/look-as", url.Values{"as": {"administrator"}}); res.StatusCode != http.StatusNotFound || len(res.Cookies()) > 0 {
		t.Errorf("the address is there: %s", res.Status)
	}
}
