package web_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// table reads an answer as a spreadsheet would.
func (b *bench) table(path string, header ...string) [][]string {
	b.t.Helper()
	res := b.get(path, header...)
	body := text(b.t, res)
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/csv") || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
		b.t.Fatalf("GET %s: %s, %s: %s", path, res.Status, res.Header.Get("Content-Type"), body)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		b.t.Fatalf("GET %s: %v\n%s", path, err, body)
	}
	return rows
}

func cell(rows [][]string, line int, head string) string {
	if i := slices.Index(rows[0], head); i >= 0 && line < len(rows) {
		return rows[line][i]
	}
	return "no column " + head
}

// Every list is a table with its own filters, all of it, with times in the zone that its head names; nothing in it calculates.
func TestListsAreTables(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 60 { // more than a page
		name := "Ada"
		if i == 7 {
			name = `=HYPERLINK("http://evil","x")`
		}
		b.hire("emp_"+string(rune('a'+i/26))+string(rune('a'+i%26)), name, "Moss", map[bool]string{true: "Sales", false: "Legal"}[i < 10], soon)
	}
	people := b.table("/people?format=csv&after=per_x&name=Z")
	if len(people) != 61 || cell(people, 1, "Status") != "Pre-hire" {
		t.Fatalf("%d rows, %v", len(people), people[:2])
	}
	for _, row := range people[1:] {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\t") {
				t.Errorf("a cell calculates: %q", c)
			}
		}
	}
	if !slices.ContainsFunc(people, func(row []string) bool { return strings.HasPrefix(row[1], `'=HYPERLINK("http`) }) {
		t.Error("a name that begins like a formula is not guarded")
	}
	if some := b.table("/people?department=Sales", "Accept", "text/csv"); len(some) != 11 {
		t.Errorf("the filter gives %d rows", len(some))
	}
	if page := b.page("/people?department=Sales&after=per_x&name=Z"); !strings.Contains(page, `href="/people?department=Sales&amp;format=csv"`) {
		t.Error("the page does not lead to its table")
	}
	if got := text(t, b.get("/people?format=csv&bom=yes")); !strings.HasPrefix(got, "\ufeff") {
		t.Error("there is no mark for Excel")
	}
	runs := b.table("/runs?format=csv&state=done", "Cookie", "zone="+url.QueryEscape("Europe/Berlin"))
	if len(runs) != 61 || cell(runs, 1, "Started (Europe/Berlin)") == "" || strings.HasPrefix(cell(runs, 1, "Started (Europe/Berlin)"), "no column") {
		t.Errorf("runs: %d rows, %v", len(runs), runs[0])
	}
	if got := b.get("/runs?format=csv&zone=Nowhere"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a zone that is none: %s", got.Status)
	}
	id := cell(people, 1, "Id")
	for _, path := range []string{
		"/approvals", "/tasks", "/systems", "/numbers/all", "/records", "/events", "/brakes", "/alerts", "/matches", "/products", "/drift", "/people/" + id, "/people/" + id + "/runs", "/people/" + id + "/records",
		"/runs/" + cell(runs, 1, "Id") + "/records",
	} {
		b.table(path + "?format=csv")
	}
	for _, path := range []string{"people", "runs", "approvals", "tasks", "systems", "numbers", "records", "events", "brakes", "matches", "products", "people/" + id + "/requests", "alerts", "drift", "people/" + id + "/records", "runs/" + cell(runs, 1, "Id") + "/records"} {
		b.api("GET", "/api/v1/"+path+"?format=csv", "", http.StatusOK, nil)
	}
	if lines := b.table("/records?format=csv"); len(lines) < 100 {
		t.Errorf("the ledger is %d lines long", len(lines))
	}
}

// A table is for whoever may see its page, and for nobody else.
func TestTablesKeepTheRightsOfTheirPages(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	cookie := b.signIn(dayone.HR)
	for _, path := range []string{"/records", "/systems"} {
		if res := b.as(dayone.HR, cookie, "GET", path+"?format=csv"); res.StatusCode != http.StatusForbidden {
			t.Errorf("HR gets %s: %s", path, res.Status)
		}
	}
	if res := b.get("/people?format=csv"); res.StatusCode == http.StatusOK {
		t.Error("somebody who is not in gets everybody")
	}
}

// What would calculate is guarded; a telephone number is none of it, and stays what it is.
func TestWhatCalculatesIsGuarded(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"=1+1", "+", "+49 30 1", "+1+1", "+1*cmd", "-1", "-2+3", "@SUM(A1)", "\t=1", "\r", "\n=1", "＝1", "＋49", "－1", "＠a"} {
		if got := web.Harmless(s); got != "'"+s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
	for _, s := range []string{"", "Ada", "+493012345", "+1", "1-2", "'=1", "٣"} {
		if got := web.Harmless(s); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

// The tokens are a table without what opens: that is shown once, to whoever made it.
func TestTokensAreATableWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var made struct{ ID, Token string }
	b.api(http.MethodPost, "/api/v1/tokens", `{"name":"payroll","role":"hr","days":5,"countries":["DE","AT"]}`, http.StatusCreated, &made)
	for _, path := range []string{"/tokens?format=csv", "/api/v1/tokens?format=csv"} {
		rows := b.table(path)
		if len(rows) != 2 || cell(rows, 1, "Id") != made.ID || cell(rows, 1, "Name") != "payroll" || cell(rows, 1, "Role") != "hr" || cell(rows, 1, "Countries") != "DE, AT" || cell(rows, 1, "Ended by") != "" {
			t.Errorf("the tokens are %v", rows)
		}
		if made.Token == "" || slices.ContainsFunc(slices.Concat(rows...), func(c string) bool {
			return strings.Contains(made.Token, c) && len(c) > 12 && c != made.ID || strings.Contains(c, made.Token)
		}) {
			t.Errorf("the table of tokens opens: %v", rows)
		}
	}
}
