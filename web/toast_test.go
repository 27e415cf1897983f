package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

var undoForm = regexp.MustCompile(`(?s)<div class="toast" role="status" tabindex="-1">.*?<form method="post" action="([^"]*)">(.*?)<button[^>]*>Undo</button></form>`)

// undo clicks Undo in the toast of a page; false: it offers none.
func (b *bench) undo(page string) (*http.Response, bool) {
	b.t.Helper()
	form := undoForm.FindStringSubmatch(b.page(page))
	if form == nil {
		return nil, false
	}
	fields := url.Values{}
	for _, f := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form[2], -1) {
		fields.Set(f[1], f[2])
	}
	return b.post(form[1], fields), true
}

// What was done by a click is taken back by one, from the page to which it led, without script; an address that somebody made
// up offers nothing.
func TestAnActIsTakenBackFromItsToast(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	id := string(run.Person)
	at := "/people/" + id
	for _, c := range []struct {
		what, path string
		form       url.Values
		then       string // of the address to which the undo leads
	}{
		{"a correction", at + "/corrections", url.Values{"attribute": {"job_title"}, "value": {"Account Executive"}, "reason": {"HR mends it"}, "until": {time.Now().AddDate(0, 0, 10).Format(time.DateOnly)}}, "said=correction-ended"},
		{"a legal hold", at + "/hold", url.Values{"reason": {"case 4711"}}, "said=legal-hold-released"},
		{"a product", "/onboard/" + id, url.Values{"product": {"mid-market"}, "reason": {"covers for Max"}}, "said=start-undone"},
		{"a stop", "/systems/notion/orders", url.Values{"kind": {string(dayone.OrderStop)}, "reason": {"its data looks odd"}}, "said=started"},
		{"tasks by hand", "/systems/notion/orders", url.Values{"kind": {string(dayone.OrderManual)}, "reason": {"its API is gone"}}, "said=lifted"},
	} {
		res := b.post(c.path, c.form)
		to := res.Header.Get("Location")
		if res.StatusCode != http.StatusSeeOther || !strings.Contains(to, "undo=") {
			t.Errorf("%s: %s to %q\n%s", c.what, res.Status, to, notices(text(t, res)))
			continue
		}
		u, _ := url.Parse(to)
		q := u.Query()
		q.Set("undo", "eyJhIjoiL3N5c3RlbXMvb2t0YS9vcmRlcnMifQ."+strings.Repeat("A", 32))
		if undoForm.MatchString(b.page(u.Path + "?" + q.Encode())) {
			t.Errorf("%s: an offer that nobody signed is shown", c.what)
		}
		back, ok := b.undo(to)
		if !ok || back.StatusCode != http.StatusSeeOther || !strings.Contains(back.Header.Get("Location"), c.then) {
			t.Errorf("%s cannot be undone: %v, %+v", c.what, ok, back)
		}
		if strings.Contains(b.page(to), `class="toast"`) {
			t.Errorf("%s: it is still said, though it was undone", c.what)
		}
		if page := b.page(u.Path + "?said=" + q.Get("said")); !strings.Contains(page, `aria-label="Close this message"`) {
			t.Errorf("%s: the toast cannot be closed", c.what)
		}
	}
	requests, err := b.flow.Requests(t.Context(), run.Person)
	if err != nil || len(requests) != 1 || requests[0].Ended.IsZero() {
		t.Errorf("what was asked for still stands: %+v, %v", requests, err)
	}
}

func notices(page string) string {
	return strings.Join(regexp.MustCompile(`(?s)<div class="notice.*?</p></div>`).FindAllString(page, 3), "\n")
}
