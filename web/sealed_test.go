package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func TestAFirstPasswordIsShownOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken, func(_ *web.Options, d *flow.Deps) { d.OpensAt = -24 * time.Hour * 30 })
	person, id := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	run, err := b.flow.RunOf(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	secret := engine.SecretIDOf(run.Step("okta/account account.create").Step.Once, "password")
	link := "/secret/" + b.keeper.Token(string(secret))
	code := b.keeper.Code(string(person))

	for range 3 { // whoever only looks changes nothing
		body := b.page(link)
		want(t, "link", body, "Okta: first password", "Hand-over code")
		if strings.Contains(body, code) {
			t.Error("the link's page shows the code")
		}
	}
	progress := b.page(b.flow.ProgressPath(person))
	want(t, "progress", progress, "Ada Lovelace", code, "Hand-over code", "Signing in", "Everything is prepared")
	for _, jargon := range []string{"okta/", "entitlement", "account.create", "provision", "emp_1@"} {
		if strings.Contains(progress, jargon) {
			t.Errorf("the manager's page says %q", jargon)
		}
	}

	res := b.post(link, url.Values{"code": {"0000-0000"}})
	if body := text(t, res); res.StatusCode != http.StatusForbidden || !strings.Contains(body, "This code is not right") {
		t.Errorf("a wrong code: %s", res.Status)
	}
	res = b.post(link, url.Values{"code": {strings.ReplaceAll(code, "-", " ")}})
	body := text(t, res)
	shown := regexp.MustCompile(`id="secret"><code>([^<]{20,})</code>`).FindStringSubmatch(body)
	if res.StatusCode != 200 || shown == nil {
		t.Fatalf("the right code: %s\n%s", res.Status, body)
	}
	if res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(res.Header.Get("X-Robots-Tag"), "noindex") {
		t.Errorf("a password may be kept: %v", res.Header)
	}
	res = b.post(link, url.Values{"code": {code}})
	if body := text(t, res); res.StatusCode != http.StatusGone || !strings.Contains(body, "This link was used") || strings.Contains(body, "id=\"secret\"") {
		t.Errorf("a second time: %s", res.Status)
	}
	want(t, "used link", b.page(link), "This link was used")
	if log := b.log.String(); strings.Contains(log, strings.TrimPrefix(link, "/secret/")) {
		t.Error("the log shows the link")
	}
}

func TestSealedLinksLockAndWait(t *testing.T) {
	t.Parallel()
	early := newBench(t)
	_, id := early.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	run, _ := early.flow.RunOf(t.Context(), id)
	link := "/secret/" + early.keeper.Token(string(engine.SecretIDOf(run.Step("okta/account account.create").Step.Once, "password")))
	want(t, "early link", early.page(link), "Not yet")
	if res := early.post(link, url.Values{"code": {early.keeper.Code(string(run.Person))}}); res.StatusCode != http.StatusForbidden || !strings.Contains(text(t, res), "Not yet") {
		t.Errorf("too early: %s", res.Status)
	}
	if res := early.get("/secret/nothing"); res.StatusCode != 404 {
		t.Errorf("no link: %s", res.Status)
	}

	b := newBench(t, func(_ *web.Options, d *flow.Deps) { d.OpensAt = -24 * time.Hour * 30 })
	_, id = b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	run, _ = b.flow.RunOf(t.Context(), id)
	link = "/secret/" + b.keeper.Token(string(engine.SecretIDOf(run.Step("okta/account account.create").Step.Once, "password")))
	var looked atomic.Int32 // at codes, of many that come at once
	var guessing sync.WaitGroup
	for range 40 {
		guessing.Go(func() {
			res := b.post(link, url.Values{"code": {"0000-0000"}})
			if strings.Contains(text(t, res), "This code is not right") {
				looked.Add(1)
			}
		})
	}
	guessing.Wait()
	if n := looked.Load(); n > 10 {
		t.Errorf("%d codes were looked at", n)
	}
	want(t, "locked link", b.page(link), "This link is locked")
	if res := b.post(link, url.Values{"code": {b.keeper.Code(string(run.Person))}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("the right code on a locked link: %s", res.Status)
	}
}

func TestProgressNeedsItsAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	person, _ := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	other, _ := b.hire("emp_2", "Bea", "Moss", "Sales", soon)
	path := b.flow.ProgressPath(person)
	for _, bad := range []string{path + "x", strings.Replace(path, string(person), string(other), 1), "/progress/" + string(person) + "/", "/progress/nobody/x"} {
		if res := b.get(bad); res.StatusCode != 404 {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
}
