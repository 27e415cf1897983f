package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// TestTokensOfPrograms: made by an administrator, shown once, good for its role, until it ends or expires.
func TestTokensOfPrograms(t *testing.T) {
	t.Parallel()
	now := clock.NewMoved(time.Now())
	b := newBench(t, withRoles, func(_ *web.Options, d *flow.Deps) { d.Clock = now })
	call := func(bearer, method, path, body string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		res := b.do(req)
		out := map[string]any{}
		_ = json.NewDecoder(res.Body).Decode(&out)
		return res.StatusCode, out
	}
	for _, bad := range []string{`{"name":"x","role":"boss"}`, `{"name":"","role":"hr"}`, `{"name":"a b","role":"hr"}`, `{"name":"x","role":"hr","days":400}`} {
		if status, _ := call(token, "POST", "/api/v1/tokens", bad); status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if status, _ := call(tokenOf(dayone.Operator), "POST", "/api/v1/tokens", `{"name":"x","role":"administrator"}`); status != http.StatusForbidden {
		t.Errorf("an operator makes a token: %d", status)
	}
	status, made := call(token, "POST", "/api/v1/tokens", `{"name":"grafana","role":"auditor","days":30}`)
	opens, _ := made["token"].(string)
	if status != http.StatusCreated || !strings.HasPrefix(opens, "dayone_") || made["by"] != "api" {
		t.Fatalf("%d %v", status, made)
	}
	if status, _ := call(token, "POST", "/api/v1/tokens", `{"name":"grafana","role":"hr"}`); status != http.StatusConflict {
		t.Errorf("two are called the same: %d", status)
	}
	for _, like := range []string{"ben@company.com", "Grafana", "grаfana", "x"} { // the third has a letter of another script
		if status, _ := call(token, "POST", "/api/v1/tokens", fmt.Sprintf(`{"name":%q,"role":"hr"}`, like)); status != http.StatusBadRequest {
			t.Errorf("one is called %s: %d", like, status)
		}
	}
	_, strong := call(token, "POST", "/api/v1/tokens", `{"name":"strong","role":"administrator"}`)
	if status, _ := call(strong["token"].(string), "POST", "/api/v1/tokens", `{"name":"child","role":"administrator"}`); status != http.StatusForbidden {
		t.Errorf("a token makes a token: %d", status)
	}
	if status, _ := call(opens, "GET", "/api/v1/people", ""); status != http.StatusOK {
		t.Errorf("it does not let in: %d", status)
	}
	if status, _ := call(opens, "POST", "/api/v1/people/per_01jd9x0000000000000000000a/hold", `{}`); status != http.StatusForbidden {
		t.Errorf("an auditor's token writes: %d", status)
	}
	if status, _ := call(opens+"x", "GET", "/api/v1/people", ""); status != http.StatusUnauthorized {
		t.Errorf("another one lets in: %d", status)
	}
	status, list := call(token, "GET", "/api/v1/tokens", "")
	rows, _ := list["tokens"].([]any)
	if row, _ := rows[0].(map[string]any); status != http.StatusOK || len(rows) != 2 || row["token"] != nil || row["used"] == nil {
		t.Errorf("listed are %v", list)
	}
	if status, _ := call(token, "DELETE", "/api/v1/tokens/"+made["id"].(string), ""); status != http.StatusNoContent {
		t.Errorf("ending it: %d", status)
	}
	if status, _ := call(opens, "GET", "/api/v1/people", ""); status != http.StatusUnauthorized {
		t.Errorf("after its end it lets in: %d", status)
	}
	_, short := call(token, "POST", "/api/v1/tokens", `{"name":"grafana","role":"auditor","days":1}`)
	now.Jump(now.Now().AddDate(0, 0, 1).Add(time.Minute))
	if status, _ := call(short["token"].(string), "GET", "/api/v1/people", ""); status != http.StatusUnauthorized {
		t.Errorf("after its last day it lets in: %d", status)
	}
	if status, _ := call(token, "POST", "/api/v1/tokens", `{"name":"grafana","role":"auditor"}`); status != http.StatusCreated {
		t.Errorf("the name of an expired one is not free: %d", status)
	}
	if strings.Contains(b.log.String(), opens) {
		t.Error("the log holds a token")
	}

	cookie := ""
	res := b.post("/login", url.Values{"token": {token}})
	for _, c := range res.Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	page := text(t, b.post("/tokens", url.Values{"name": {"tickets"}, "role": {"operator"}, "days": {"30"}}, "Cookie", cookie))
	shown := regexp.MustCompile(`dayone_[A-Z0-9]+`).FindString(page)
	if status, _ := call(shown, "GET", "/api/v1/runs", ""); status != http.StatusOK {
		t.Errorf("the token of the page does not let in: %d\n%s", status, page)
	}
	if page := b.page("/tokens", "Cookie", cookie); strings.Contains(page, shown) || !strings.Contains(page, "tickets") {
		t.Error("the page shows a token again")
	}
}
