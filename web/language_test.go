package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestPortalInGerman(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken)
	german := []string{"Accept-Language", "de-DE,de;q=0.9,en;q=0.5"}
	res := b.get("/login", german...)
	if v := res.Header.Get("Vary"); !strings.Contains(v, "Accept-Language") {
		t.Errorf("a cache may give it to others: Vary %q", v)
	}
	want(t, "login", text(t, res), `<html lang="de"`, "Anmelden", "Der Wert von portal.token", "English</button>")
	want(t, "nothing", text(t, b.get("/prehire/nothing", german...)), "Dieser Link ist nicht der neueste")
	want(t, "the API", text(t, b.get("/api/v1/people", german...)), "Send a session cookie")
	want(t, "chosen", b.page("/login", append(german, "Cookie", "lang=en")...), `<html lang="en"`, "Deutsch</button>")
	for _, c := range []struct {
		lang, back string
		status     int
		to         string
	}{{"en", "/login?out=1", http.StatusSeeOther, "/login?out=1"}, {"de", "//evil.example", http.StatusSeeOther, "/"}, {"xx", "/", http.StatusBadRequest, ""}} {
		res := b.post("/language", url.Values{"lang": {c.lang}, "back": {c.back}}, german...)
		if res.StatusCode != c.status || res.Header.Get("Location") != c.to {
			t.Errorf("%+v: %d to %q", c, res.StatusCode, res.Header.Get("Location"))
		}
		if kept := res.Cookies(); (c.status == http.StatusSeeOther) != (len(kept) == 1 && kept[0].Value == c.lang && kept[0].HttpOnly) {
			t.Errorf("%+v: %v", c, kept)
		}
	}
}

// German words are longer: on a phone as on a desk, nothing is wider than its window, and everything is said to whoever listens.
func TestGermanFits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a browser takes long")
	}
	b, tab := newBench(t), browse(t)
	for _, name := range []string{"login", "setup-wrong", "me", "prehire", "progress", "progress-trouble", "secret", "team", "tasks-by-hand", "task", "task-by-hand", "approvals", "approval", "request", "sessions", "error-404", "dashboard", "people", "person", "run", "run-parked", "run-done", "onboard", "onboard-products", "onboard-preview", "drift", "drift-one", "systems", "system", "brakes", "brake", "numbers", "number-pool", "number-audit", "settings", "branding", "tokens", "effort", "policies", "undo", "leaving-open", "timeline"} {
		for _, width := range []int64{390, 1280} {
			where := fmt.Sprintf("%s %d", name, width)
			tab.do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(b.url+"/gallery/"+name+"?lang=de"))
			if lang := eval[string](tab, `document.documentElement.lang`); lang != "de" {
				t.Errorf("%s: the page is %q", where, lang)
			}
			if wide := eval[int](tab, `document.documentElement.scrollWidth-document.documentElement.clientWidth`); wide > 0 {
				t.Errorf("%s: %d px wider than the window", where, wide)
			}
			eval[chromedp.Void](tab, `document.getAnimations().forEach(a=>a.cancel());0`) // what turns is now wider, now narrower
			if cut := eval[string](tab, `[...document.querySelectorAll('button:not(.vh),.btn:not(.vh),.state,label,h1,h2')].filter(e=>e.clientWidth>2&&e.scrollWidth>e.clientWidth+1).map(e=>e.textContent.trim()).join('; ')`); cut != "" {
				t.Errorf("%s: too long: %s", where, cut)
			}
			tab.accessible(where)
			if *shots {
				tab.shoot(fmt.Sprintf("de-%s-%d", name, width))
			}
			tab.calm(where)
		}
	}
}
