package web_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

const phonePools = `
pools:
  office:
    platform: cucm-us
    partition: DN_PT
    country: US
    emergency: ERL-SF
    ranges:
      - {first: +14085552100, last: +14085552119}
      - {first: +14085552990, last: +14085552999}
`

// A cluster is read, its findings are filtered and taken away as a file, and it is adopted after that was seen: the API first,
// then the same on the pages. The cluster is the same before and after.
func TestATelephoneSystemFromTheReadingToItsAdoption(t *testing.T) {
	t.Parallel()
	cluster, _ := cucmsim.NewCompany(sim.Options{Page: 50})
	vendor := httptest.NewServer(cluster)
	t.Cleanup(vendor.Close)
	b := newCompany(t, func(_ *web.Options, d *flow.Deps) {
		g, err := connector.Open(cucm.Factory, "cucm-us", time.Now, connector.Options{Settings: cluster.Settings(vendor.URL), PerMinute: map[string]int{"default": 600_000}})
		if err != nil {
			t.Fatal(err)
		}
		d.Systems["cucm-us"] = g
	})
	before := cluster.Snapshot()
	b.api(http.MethodPut, "/api/v1/numbers/plan", `{"text":"`+strings.ReplaceAll(phonePools, "\n", `\n`)+`","seq":0}`, http.StatusOK, nil)

	const at = "/api/v1/numbers/audit/cucm-us"
	type audit struct {
		Reading         bool
		Read            time.Time
		Compared        time.Time
		Total           int
		Counts          map[string]int
		Findings        []struct{ Kind, Name string }
		Next            string
		Adoptable       int
		Users           map[string]int
		Has             []struct{ N int }
		Problem, System string
	}
	var a audit
	b.api(http.MethodGet, at, "", http.StatusOK, &a)
	if !a.Read.IsZero() || a.Total != 0 {
		t.Errorf("nobody read it: %+v", a)
	}
	b.api(http.MethodGet, "/api/v1/numbers/audit/okta", "", http.StatusNotFound, nil)
	for _, path := range []string{"/api/v1/numbers/audit/nothing", "/numbers/audit/nothing"} {
		res := b.get(path)
		if body := text(t, res); res.StatusCode != http.StatusNotFound || !strings.Contains(body, "configured: cucm-us") {
			t.Errorf("%s: %s, and it does not name those that are configured:\n%s", path, res.Status, body)
		}
	}
	b.api(http.MethodPost, at+"/adopt", `{"check":true}`, http.StatusConflict, nil)
	want(t, "not read", b.page("/numbers/audit/cucm-us"), "Not read yet", "Read it</button>")
	want(t, "all systems", b.page("/numbers/audit"), "/numbers/audit/cucm-us", "not read yet")

	b.api(http.MethodPost, at+"/read", "", http.StatusAccepted, nil)
	for end := time.Now().Add(20 * time.Second); a.Compared.IsZero(); {
		if time.Now().After(end) {
			t.Fatalf("it is never compared: %+v", a)
		}
		b.api(http.MethodGet, at+"?limit=3", "", http.StatusOK, &a)
	}
	if len(a.Findings) != 3 || a.Next == "" || a.Counts["used-free"] != 6 || a.Counts["nobody-line"] != 6 || len(a.Has) != 4 || a.Users["none"] != 6 {
		t.Errorf("a page: %+v", a)
	}
	next := a.Next
	a.Findings = nil
	b.api(http.MethodGet, next, "", http.StatusOK, &a)
	if len(a.Findings) != 3 {
		t.Errorf("the page after: %+v", a.Findings)
	}
	b.api(http.MethodGet, at+"?kind=local-user", "", http.StatusOK, &a)
	if a.Total != 1 || a.Findings[0].Name != "local" {
		t.Errorf("one kind: %+v", a)
	}
	b.api(http.MethodGet, at+"?kind=nonsense", "", http.StatusBadRequest, nil)
	b.api(http.MethodGet, at+"?limit=0", "", http.StatusBadRequest, nil)

	want(t, "the page of the system", b.page("/systems/cucm-us"), `href="/numbers/audit/cucm-us"`, "Audit read it", "shown only", "Access control group")
	if strings.Contains(b.page("/catalogue"), "cucm-us/line") || strings.Contains(b.page("/numbers/audit/cucm-us"), "Mailboxes recognised") {
		t.Error("the catalogue has what nobody can be given, or a cluster has mailboxes")
	}
	path := "/numbers/audit/cucm-us"
	want(t, "findings", b.page(path), "just now", "In use, and nobody knows whose", "No device shows this line", "Made by hand beside a directory", "Read it again", "Show what it does", "Sure: employee number")
	want(t, "one kind", b.page(path+"?kind=orphan-line&q=2101"), "1 finding", "Line 2101@DN_PT")
	want(t, "none", b.page(path+"?q=nothing+like+it"), "No finding is like that")
	want(t, "a table with the filters of the page", b.page(path+"?kind=local-user"), path+`?format=csv&amp;kind=local-user"`)
	for _, path := range []string{path, at} {
		rows := b.table(path + "?kind=local-user&after=1&format=csv")
		if len(rows) != 2 || cell(rows, 1, "Kind") != "local-user" || cell(rows, 1, "Name") != "local" {
			t.Errorf("%s as a table: %v", path, rows)
		}
	}
	if res := b.get(path + "?kind=nonsense&format=csv"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a table of no kind: %s", res.Status)
	}
	if part := b.page(path, "HX-Request", "true", "HX-Target", "phone-live"); strings.Contains(part, "<h1>") || !strings.Contains(part, `id="phone-live"`) {
		t.Errorf("the part that is asked for again: %s", part)
	}

	res := b.post(path+"/adopt", url.Values{"do": {"check"}, "least": {"sure"}})
	want(t, "what adopting does", text(t, res), "Are held: nobody gets them", "Adopt it</button>", "&#43;14085552100", "nobody knows whose it is")
	if res = b.post(path+"/adopt", url.Values{"do": {"check"}, "least": {"perhaps"}}); res.StatusCode != http.StatusConflict {
		t.Errorf("not sure at all: %s", res.Status)
	}
	_ = text(t, res)
	var x struct {
		Adopted                     bool
		Assigned, Held, Shown, Left int
		Lines                       []struct{ Number, Does string }
	}
	b.api(http.MethodPost, at+"/adopt", `{"check":true}`, http.StatusOK, &x)
	if x.Adopted || x.Held != 16 || len(x.Lines) != 16 {
		t.Errorf("it would: %+v", x)
	}
	if res = b.post(path+"/adopt", url.Values{"do": {"adopt"}, "least": {"likely"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("adopted: %s\n%s", res.Status, text(t, res))
	}
	want(t, "held", b.page("/numbers/"+url.PathEscape("+14085552100")), "Held", "nobody knows whose it is", "Adopted")
	b.api(http.MethodPost, at+"/adopt", `{}`, http.StatusOK, &x)
	if !x.Adopted || x.Held != 0 {
		t.Errorf("adopted twice: %+v", x)
	}
	if res = b.post(path+"/read", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("read again: %s", res.Status)
	}
	if !maps.Equal(before, cluster.Snapshot()) {
		t.Error("the cluster was changed")
	}
	if log := b.log.String(); strings.Contains(log, "4085552") || strings.Contains(log, "mboss") {
		t.Errorf("the log names a number or somebody:\n%s", log)
	}
}

func TestHowOldAReadingIs(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago", 90 * time.Minute: "1 hour ago", 47 * time.Hour: "47 hours ago", 49 * time.Hour: "2 days ago"} {
		if got := web.AgeText(d); got != want {
			t.Errorf("%s is %q, not %q", d, got, want)
		}
	}
}
