package web_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// The first start: a link sets up the administrator, once, from this machine, within an hour. A later one takes the place of the
// password, and its sessions end.
func TestALinkSetsUpTheFirstAdministrator(t *testing.T) {
	t.Parallel()
	now := newStill()
	b := newBench(t, func(o *web.Options, d *flow.Deps) { o.Open, d.Clock = false, now })
	want(t, "login", b.page("/login"), "Nobody can sign in yet", "dayone login setup-link")
	link := func() string { path, _ := flow.SetupPath(b.keeper, b.flow.Now()); return path }
	set := func(at, name, password, again string) (int, string) {
		t.Helper()
		res := b.post(at, url.Values{"name": {name}, "password": {password}, "again": {again}})
		return res.StatusCode, text(t, res)
	}
	enter := func(name, password string) *http.Response {
		t.Helper()
		return b.post("/login", url.Values{"by": {"password"}, "name": {name}, "password": {password}, "next": {"/people"}})
	}
	const good = "four quiet blue otters"

	first, second := link(), ""
	want(t, "the form", b.page(first), "Set up the administrator", `autocomplete="new-password"`)
	if res := b.get(first, "X-Forwarded-For", "10.1.2.3"); res.StatusCode != http.StatusForbidden || !strings.Contains(text(t, res), "ssh -L") {
		t.Errorf("the link works from elsewhere: %s", res.Status)
	}
	if res := b.get(first, "True-Client-IP", "10.1.2.3"); res.StatusCode != http.StatusForbidden || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("the link works from elsewhere: %s", res.Status)
	}
	for _, bad := range []string{"/setup/none", first[:len(first)-1], "/setup/x" + strings.TrimPrefix(first, "/setup/"), "/setup/."} {
		if res := b.get(bad); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s is %s", bad, res.Status)
		}
	}
	for _, c := range []struct{ name, password, again, says string }{
		{"kim@company.com", "short", "short", "It has 5 characters, and takes 12"},
		{"kim", good, good, "Write your mail address"},
		{"kim@company.com", good, good + "s", "The two are not the same"},
		{"kim@company.com", "i-am-kim-you-see", "i-am-kim-you-see", "holds your name"},
		{"kim@company.com", strings.Repeat("x", 201), strings.Repeat("x", 201), "more than 200"},
	} {
		if status, page := set(first, c.name, c.password, c.again); status != http.StatusUnprocessableEntity || !strings.Contains(page, c.says) || strings.Contains(page, c.password+`"`) {
			t.Errorf("%+v: %d, without %q, or the password is shown again", c, status, c.says)
		}
	}
	now.Jump(now.Now().Add(time.Second))
	second = link()
	now.Jump(now.Now().Add(time.Second))
	if status, page := set(first, " kim@company.com ", good, good); status != http.StatusOK || !strings.Contains(page, "You are the administrator") {
		t.Fatalf("setting up: %d %s", status, page)
	}
	for _, used := range []string{first, second} { // a link that was made before is over with it
		if status, _ := set(used, "eve@company.com", good, good); status != http.StatusNotFound {
			t.Errorf("a link that is over sets up: %d", status)
		}
	}

	for _, c := range [][2]string{{"kim@company.com", "four quiet blue otter"}, {"eve@company.com", good}, {"", ""}, {"kim@company.com", ""}} {
		if res := enter(c[0], c[1]); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q is let in: %s", c, res.Status)
		}
	}
	want(t, "login", b.page("/login"), "Mail address", "current-password")
	if res := enter("KIM@company.com", good); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/people" {
		t.Fatalf("the administrator is not let in: %s", res.Status)
	}
	want(t, "her page", b.page("/tokens"), "API tokens", "kim@company.com")
	for _, path := range []string{"/sessions?format=csv", "/api/v1/sessions?format=csv"} {
		if rows := b.table(path); len(rows) != 2 || cell(rows, 1, "Login") != "kim@company.com" || cell(rows, 1, "This one") != "yes" {
			t.Errorf("the sessions are %v", rows)
		}
	}

	now.Jump(now.Now().Add(time.Second))
	if status, _ := set(link(), "lee@company.com", good, good); status != http.StatusOK {
		t.Fatalf("another link: %d", status)
	}
	if res := b.get("/tokens"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("whoever was the administrator before is still in: %s", res.Status)
	}
	now.Jump(now.Now().Add(time.Second))
	old := link()
	now.Jump(now.Now().Add(time.Hour))
	if res := b.get(old); res.StatusCode != http.StatusNotFound {
		t.Errorf("a link of an hour ago: %s", res.Status)
	}
	if res := enter("lee@company.com", good); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("she is not let in: %s", res.Status)
	}
	hers := b.client.Jar
	stranger := func() { b.client.Jar, _ = cookiejar.New(nil) }
	stranger()
	for range 20 {
		enter("lee@company.com", "a guess")
	}
	if res := enter("Lee@company.com ", good); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("whoever guesses goes on: %s", res.Status)
	}
	if res := enter("kim@company.com", "a guess"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("another name from where somebody guesses: %s", res.Status)
	}
	b.client.Jar = hers
	for range 2 {
		if res := enter("lee@company.com", good); res.StatusCode != http.StatusSeeOther {
			t.Errorf("whoever guesses keeps her out of a browser that is known: %s", res.Status)
		}
	}
	for range 20 {
		enter("lee@company.com", "a guess")
	}
	if res := enter("lee@company.com", good); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a known browser guesses on: %s", res.Status)
	}
	stranger()
	now.Jump(now.Now().Add(10 * time.Second))
	if res := enter("lee@company.com", good); res.StatusCode != http.StatusSeeOther {
		t.Errorf("elsewhere she is not let in now and then: %s", res.Status)
	}
	stranger()
	at := now.Now()
	for i := range 60 {
		enter(fmt.Sprintf("n%d@company.com", i), "a guess")
	}
	same := func(status int) {
		t.Helper()
		if res := enter("somebody@company.com", "a guess"); res.StatusCode != status {
			t.Errorf("after many names it is %s, want %d", res.Status, status)
		}
	}
	same(http.StatusTooManyRequests)
	now.Jump(at.Add(2 * time.Minute))
	same(http.StatusUnauthorized)
	if log := b.log.String(); strings.Contains(log, strings.TrimPrefix(old, "/setup/")) || strings.Contains(log, "otters") {
		t.Error("the log holds a link or a password")
	}
}
