package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// So many take two persons: whoever proposes finds that it waits, and somebody else confirms it; no name that is typed is one of
// the two, on pages or in the API.
func TestABrakeIsLetThroughByTwoLogins(t *testing.T) {
	t.Parallel()
	b := startBench(t, twoCountries, false, withRoles, func(_ *web.Options, d *flow.Deps) {
		hr := d.Sources["hr"]
		hr.Brakes.Terminations, hr.Brakes.Percent = 1, 0.001
		d.Sources["hr"] = hr
		d.TwoPersons, d.Removals.SecondFrom = true, 1
	})
	now := time.Now()
	for _, id := range []string{"luc", "nemo", "sofia"} {
		b.comes(id, "", "Sales", "Berlin", "Acme GmbH", now.AddDate(0, 0, -10))
	}
	for _, id := range []string{"luc", "nemo", "sofia"} {
		b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_end_%s","timestamp":%q,"data":{"employee_id":%q,"end_date":%q}}`, id, now.Format(time.RFC3339), id, now.AddDate(0, 0, 40).Format(time.DateOnly)))
	}
	var v flow.BrakeView
	b.until("a brake holds two", func() bool {
		list, err := b.flow.Brakes(t.Context(), true, 10)
		if err == nil && len(list) == 1 {
			v, err = b.flow.Brake(t.Context(), list[0].ID)
		}
		return err == nil && len(v.Items) == 2 && v.Unseen == 0
	})
	at, admin, operator := "/brakes/"+string(v.ID), b.signIn(dayone.Administrator), b.signIn(dayone.Operator)
	says := func(cookie, path string, with []string, without ...string) {
		t.Helper()
		page := b.page(path, "Cookie", cookie)
		want(t, path, page, with...)
		for _, w := range without {
			if strings.Contains(page, w) {
				t.Errorf("%s says %q", path, w)
			}
		}
	}
	api := func(role dayone.Role, verb, body string, status int) (got struct {
		State, By, Second                      string
		ProposedBy, ProposedReason, ProposedAt string
	},
	) {
		t.Helper()
		is, text := b.bearer(tokenOf(role), "POST", "/api/v1"+at+"/"+verb, body)
		if is != status {
			t.Errorf("%s of %s with %s: %d %s", verb, role, body, is, text)
		}
		var raw map[string]any
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		word := func(key string) string { s, _ := raw[key].(string); return s }
		got.State, got.By, got.Second = word("state"), word("by"), word("second")
		got.ProposedBy, got.ProposedReason, got.ProposedAt = word("proposed_by"), word("proposed_reason"), word("proposed_at")
		return got
	}

	var page struct {
		Hash  string
		Items []struct{ Item string }
		Next  string `json:"items_next"`
	}
	var paged []string
	for at := "/api/v1" + at + "?limit=1"; at != ""; {
		page.Next = ""
		b.api("GET", at, "", http.StatusOK, &page)
		if len(page.Items) != 1 || page.Hash != v.Hash {
			t.Fatalf("%s holds %+v", at, page)
		}
		paged, at = append(paged, page.Items[0].Item), page.Next
	}
	if len(paged) != 2 || paged[0] != v.Items[0].Item || paged[1] != v.Items[1].Item {
		t.Errorf("by pages it holds %q", paged)
	}
	says(operator, at+"?held_after="+paged[0], []string{"2 in all", "First page"}, "Next page")
	says(operator, at, []string{"Propose to let it through", "So many take two persons"}, "Second person", `name="second"`, "Take the proposal back")
	says(operator, "/", []string{"Let it through, or throw it away."}, "second person")
	res := b.post(at+"/release", url.Values{"hash": {v.Hash}, "reason": {"the site closes"}, "second": {"lee@company.com"}}, "Cookie", operator)
	if res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a second name is typed: %s", res.Status)
	}
	api(dayone.Operator, "release", `{"hash":"`+v.Hash+`","reason":"x","second":"lee@company.com"}`, http.StatusBadRequest)
	if res = b.post(at+"/release", url.Values{"hash": {v.Hash}, "reason": {"the site closes"}}, "Cookie", operator); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("proposed: %s", res.Status)
	}
	says(operator, res.Header.Get("Location"), []string{"It waits for a second person", "operator@company.com wants it let through; it waits for a second person."})
	says(operator, at, []string{"You proposed it.", "Take the proposal back", "the site closes"}, "Confirm, and let it through", "Propose to let it through", ">Let it through<")
	says(admin, at, []string{"Waits for a second person", "Confirm, and let it through", "Take the proposal back", "operator@company.com", "the site closes"}, "You proposed it.")
	says(admin, "/", []string{"1 brake holds something back", "1 release waits for a second person."})
	if res = b.post(at+"/release", url.Values{"hash": {v.Hash}, "reason": {"me, too"}, "by": {"lee"}}, "Cookie", operator); res.StatusCode != http.StatusConflict {
		t.Errorf("who proposed it confirms it: %s", res.Status)
	}
	api(dayone.Operator, "release", `{"hash":"`+v.Hash+`","reason":"me, too","by":"lee"}`, http.StatusForbidden)
	if got := api(dayone.Administrator, "take-back", `{"reason":"ask HR first"}`, http.StatusOK); got.State != "on" || got.ProposedBy != "" {
		t.Errorf("taken back it is %+v", got)
	}
	if got := api(dayone.Operator, "release", `{"hash":"`+v.Hash+`","reason":"the site closes"}`, http.StatusOK); got.State != "on" || got.By != "" || got.ProposedBy != "operator@company.com" || got.ProposedReason != "the site closes" || got.ProposedAt == "" {
		t.Errorf("proposed it is %+v", got)
	}
	if res = b.post(at+"/take-back", url.Values{"hash": {v.Hash}, "reason": {""}, "by": {""}}, "Cookie", operator); res.StatusCode != http.StatusSeeOther {
		t.Errorf("taken back by who proposed it: %s", res.Status)
	}
	says(admin, at, []string{"Propose to let it through"}, "Take the proposal back")
	api(dayone.Operator, "release", `{"hash":"`+v.Hash+`","reason":"the site closes"}`, http.StatusOK)
	if res = b.post(at+"/release", url.Values{"hash": {v.Hash}, "reason": {""}}, "Cookie", admin); res.StatusCode != http.StatusSeeOther || !strings.Contains(res.Header.Get("Location"), "released") {
		t.Fatalf("confirmed: %s %s", res.Status, res.Header.Get("Location"))
	}
	says(admin, at, []string{"Let through", "operator@company.com and administrator@company.com: the site closes"}, "Take the proposal back")
}

// A lay-off that one login announces is confirmed by another one.
func TestALayOffIsConfirmedByAnotherLogin(t *testing.T) {
	t.Parallel()
	b := startBench(t, twoCountries, false, withRoles, func(_ *web.Options, d *flow.Deps) { d.TwoPersons = true })
	admin, operator := b.signIn(dayone.Administrator), b.signIn(dayone.Operator)
	day := time.Now().Format(time.DateOnly)
	if res := b.post("/brakes/announcements", url.Values{"source": {"hr"}, "count": {"3"}, "from": {day}, "until": {day}, "reason": {"the site closes"}}, "Cookie", operator); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("announced: %s", res.Status)
	}
	list, err := b.flow.Announced(t.Context())
	if err != nil || len(list) != 1 || list[0].By != "operator@company.com" || list[0].Second != "" {
		t.Fatalf("%+v (%v)", list, err)
	}
	confirm := `action="/brakes/announcements/` + list[0].ID + `/confirm"`
	mine, theirs := b.page("/brakes", "Cookie", operator), b.page("/brakes", "Cookie", admin)
	want(t, "who announced it sees", mine, "Waits for a second person", "Nobody passes by it before somebody else with a login of their own confirms it.")
	want(t, "somebody else sees", theirs, "Waits for a second person", confirm)
	if strings.Contains(mine, confirm) || strings.Contains(mine, `name="second"`) {
		t.Error("who announced it may confirm it, or types a second name")
	}
	at := "/api/v1/announcements/" + list[0].ID + "/confirm"
	if status, text := b.bearer(tokenOf(dayone.Operator), "POST", at, `{}`); status != http.StatusForbidden {
		t.Errorf("who announced it confirms it: %d %s", status, text)
	}
	if _, text := b.bearer(tokenOf(dayone.Auditor), "GET", "/api/v1/announcements", ""); !strings.Contains(text, `"waits":true`) || strings.Contains(text, `"second"`) {
		t.Errorf("announced is %s", text)
	}
	if res := b.post("/brakes/announcements/"+list[0].ID+"/confirm", nil, "Cookie", operator); res.StatusCode != http.StatusConflict {
		t.Errorf("who announced it confirms it: %s", res.Status)
	}
	if res := b.post("/brakes/announcements/"+list[0].ID+"/confirm", nil, "Cookie", admin); res.StatusCode != http.StatusSeeOther {
		t.Errorf("confirmed: %s", res.Status)
	}
	want(t, "everybody sees", b.page("/brakes", "Cookie", operator), "operator@company.com and administrator@company.com: the site closes")
	if status, text := b.bearer(tokenOf(dayone.Administrator), "POST", at, `{}`); status != http.StatusConflict {
		t.Errorf("it is confirmed twice: %d %s", status, text)
	}
}
