package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const benchNumbers = `
pools:
  US-geo:
    title: San Francisco
    platform: cucm-us
    country: US
    emergency: ERL-SF
    quarantine: 90d
    ranges:
      - {first: +14085550100, last: +14085550119, carrier: AT&T}
`

// Pools, numbers and their history: the API first, then the same on the pages.
func TestNumbersFromThePlanToTheAudit(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.hireSarah()
	b.runOf("sarah.chen@company.com")
	quoted := func(v any) string { raw, _ := json.Marshal(v); return string(raw) }

	var draft struct {
		Saved   bool
		Added   int
		Changes []string
		Faults  []struct{ Line int }
	}
	b.api(http.MethodPut, "/api/v1/numbers/plan", quoted(map[string]any{"text": "pools:\n  a: {platform: p}", "check": true}), http.StatusUnprocessableEntity, &draft)
	if draft.Saved || len(draft.Faults) != 1 || draft.Faults[0].Line != 2 {
		t.Errorf("faults: %+v", draft)
	}
	b.api(http.MethodPut, "/api/v1/numbers/plan", quoted(map[string]any{"text": benchNumbers, "seq": 0}), http.StatusOK, &draft)
	if !draft.Saved || draft.Added != 20 {
		t.Errorf("saved: %+v", draft)
	}
	b.api(http.MethodPut, "/api/v1/numbers/plan", quoted(map[string]any{"text": benchNumbers, "seq": 0}), http.StatusConflict, nil)

	var n struct{ ID, State, Name, Why, Emergency, Person string }
	b.api(http.MethodPost, "/api/v1/numbers/reserve", `{"pool":"US-geo","name":"Ngozi Eze","ref":"offer 4711","from":"2030-01-01"}`, http.StatusCreated, &n)
	if n.State != "reserved" {
		t.Errorf("reserved: %+v", n)
	}
	b.api(http.MethodPost, "/api/v1/numbers/assign", `{"person":"sarah.chen@company.com","like":"07"}`, http.StatusCreated, &n)
	if n.State != "assigned" || n.ID != "+14085550107" || n.Name != "Sarah Chen" || n.Emergency != "ERL-SF" || n.Why != "it ends as was wished" {
		t.Errorf("assigned: %+v", n)
	}
	b.api(http.MethodPost, "/api/v1/numbers/assign", `{"person":"nobody@company.com"}`, http.StatusNotFound, nil)
	b.api(http.MethodPost, "/api/v1/numbers/reserve", `{"pool":"US-geo"}`, http.StatusBadRequest, nil)
	b.api(http.MethodPost, "/api/v1/numbers/%2B14085550107/confirm", `{}`, http.StatusOK, nil)
	b.api(http.MethodPost, "/api/v1/numbers/%2B14085550108/hold", `{}`, http.StatusBadRequest, nil)
	b.api(http.MethodPost, "/api/v1/numbers/%2B14085550108/explode", `{}`, http.StatusBadRequest, nil)
	b.api(http.MethodGet, "/api/v1/numbers/%2B14085550999", "", http.StatusNotFound, nil)
	b.api(http.MethodPost, "/api/v1/numbers/%2B14085550107/shown", `{"role":"fax","device":"fax-1"}`, http.StatusCreated, nil)
	b.api(http.MethodPost, "/api/v1/numbers/%2B14085550107/release", `{"reason":"x"}`, http.StatusConflict, nil)
	b.api(http.MethodDelete, "/api/v1/numbers/%2B14085550107/shown/1", "", http.StatusNoContent, nil)
	var im struct {
		Imported bool
		Numbers  int
		Faults   []struct{ Line int }
	}
	b.api(http.MethodPost, "/api/v1/numbers/import", quoted(map[string]any{"csv": "number,state,reason\n+14085550110,held,lift\n+14085550110,held,lift\n"}), http.StatusUnprocessableEntity, &im)
	if len(im.Faults) != 1 || im.Faults[0].Line != 3 {
		t.Errorf("import: %+v", im)
	}
	b.api(http.MethodPost, "/api/v1/numbers/import", quoted(map[string]any{"csv": "number,state,reason\n+14085550110,held,lift\n"}), http.StatusOK, &im)
	var pools struct {
		Items []struct {
			Name  string
			Count map[string]int
		}
	}
	b.api(http.MethodGet, "/api/v1/numbers/pools", "", http.StatusOK, &pools)
	if c := pools.Items[0].Count; c["assigned"] != 1 || c["reserved"] != 1 || c["held"] != 1 || c["available"] != 17 {
		t.Errorf("counts: %v", c)
	}
	var page struct {
		Items []struct{ ID string }
		Next  string
	}
	b.api(http.MethodGet, "/api/v1/numbers?limit=15&pool=US-geo", "", http.StatusOK, &page)
	if len(page.Items) != 15 || page.Next == "" {
		t.Fatalf("a page: %+v", page)
	}
	next := page.Next
	page.Next = ""
	b.api(http.MethodGet, next, "", http.StatusOK, &page)
	if len(page.Items) != 5 || page.Next != "" {
		t.Errorf("the page after: %+v", page)
	}
	b.api(http.MethodGet, "/api/v1/numbers/pools/US-geo", "", http.StatusOK, nil)
	b.api(http.MethodGet, "/api/v1/numbers/audit", "", http.StatusOK, nil)
	b.api(http.MethodGet, "/api/v1/numbers/plan", "", http.StatusOK, nil)

	want(t, "numbers", b.page("/numbers"), "San Francisco", "1 assigned, 1 reserved, 1 held, 17 available", "/numbers/pools/US-geo")
	want(t, "pool", b.page("/numbers/pools/US-geo"), "&#43;14085550107: 1 assigned", "AT&amp;T", "ERL-SF", "Reserve it")
	number := "/numbers/" + url.PathEscape("+14085550107")
	want(t, "number", b.page(number), "Sarah Chen", "Assigned", "Confirmed", "History", "Hidden")
	want(t, "all", b.page("/numbers/all?state=reserved"), "Ngozi Eze, offer 4711")
	want(t, "as people write it", b.page("/numbers/"+url.PathEscape("+1 (408) 555-0107")), "Sarah Chen")
	want(t, "audit as a table", b.page("/numbers/audit"), `href="/numbers/audit?format=csv"`)
	for _, path := range []string{"/numbers/audit", "/api/v1/numbers/audit"} {
		if rows := b.table(path, "Accept", "text/csv"); cell(rows, 0, "Finding") != "Finding" {
			t.Errorf("the audit is %v", rows)
		}
	}
	for _, path := range []string{"/numbers?format=csv", "/api/v1/numbers/pools?format=csv"} {
		if rows := b.table(path); cell(rows, 1, "Pool") != "US-geo" || cell(rows, 1, "Numbers") != "20" || cell(rows, 1, "Assigned") != "1" || cell(rows, 1, "Available") != "17" {
			t.Errorf("the pools are %v", rows)
		}
	}
	stays := false // a table of numbers can be read in again
	for _, row := range b.table("/numbers/all?format=csv")[1:] {
		stays = stays || row[0] == "+14085550107"
	}
	if !stays {
		t.Error("a table spoils telephone numbers")
	}

	for _, c := range []struct {
		path string
		form url.Values
		code int
		says string
	}{
		{"/numbers/give", url.Values{"pool": {"US-geo"}, "name": {"lobby"}, "do": {"reserve"}}, http.StatusSeeOther, ""},
		{"/numbers/give", url.Values{"pool": {"US-geo"}, "do": {"reserve"}}, http.StatusConflict, "for whom"},
		{number + "/release", url.Values{"reason": {"she left"}}, http.StatusSeeOther, ""},
		{number + "/release", url.Values{"reason": {"again"}}, http.StatusConflict, "there is nobody to take it from"},
		{"/numbers/plan", url.Values{"text": {benchNumbers + "\n# more"}, "seq": {"1"}, "do": {"check"}}, http.StatusOK, "every number and every rule stays as it is"},
		{"/numbers/plan", url.Values{"text": {"pools: [a]"}, "seq": {"1"}, "do": {"save"}}, http.StatusUnprocessableEntity, "line 1"},
		{"/numbers/plan", url.Values{"text": {benchNumbers + "\n# more"}, "seq": {"0"}, "do": {"save"}}, http.StatusConflict, "meanwhile"},
		{"/numbers/plan", url.Values{"text": {benchNumbers + "\n# more"}, "seq": {"1"}, "do": {"save"}}, http.StatusSeeOther, ""},
		{"/numbers/import", url.Values{"text": {"number,state,reason\n+14085550111,held,<b>lift</b>\n"}, "do": {"check"}}, http.StatusOK, "Import it"},
		{"/numbers/import", url.Values{"text": {"number,state,reason\n+14085550111,held,<b>lift</b>\n"}, "do": {"import"}}, http.StatusSeeOther, ""},
		{"/numbers/import", url.Values{"text": {"nonsense"}, "do": {"import"}}, http.StatusUnprocessableEntity, "There is no column"},
	} {
		res := b.post(c.path, c.form)
		body := text(t, res)
		if res.StatusCode != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s %v: %s\n%s", c.path, c.form, res.Status, body)
		}
	}
	want(t, "released", b.page(number), "At rest", "Had it before", "she left")
	if log := b.log.String(); strings.Contains(log, "4085550") {
		t.Errorf("the log names a number:\n%s", log)
	}
	want(t, "held", b.page("/numbers/"+url.PathEscape("+14085550111")), "&lt;b&gt;lift&lt;/b&gt;")
}
