package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// somebody signs in at the provider by an address, and has no role.
func (b *bench) somebody(p *provider, email string) func(method, path string, form url.Values) (int, string) {
	b.t.Helper()
	return b.inGroup(p, email, "everybody")
}

// inGroup is somebody who is in one group there.
func (b *bench) inGroup(p *provider, email, group string) func(method, path string, form url.Values) (int, string) {
	b.t.Helper()
	p.claims = map[string]any{"email": email, "groups": []string{group}}
	c := browser()
	if res := b.comesBack(c, p, nil); res.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s is not let in: %s", email, res.Status)
	}
	return func(method, path string, form url.Values) (int, string) {
		b.t.Helper()
		req, err := http.NewRequest(method, b.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			b.t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := c.Do(req)
		if err != nil {
			b.t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, res.Header.Get("Location") + string(body)
	}
}

// TestEverybodySeesWhatIsTheirs: the new hire herself, her manager, her manager's manager, and nobody else.
func TestEverybodySeesWhatIsTheirs(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	files := fstest.MapFS{}
	for name, f := range fewPolicies {
		files[name] = f
	}
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1))}
	b := startBench(t, files, false, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone = true
		o.SignOn.Roles["it-hr"], o.SignOn.Roles["it-auditors"] = dayone.HR, dayone.Auditor
	})
	comes := func(id, manager, department string, in int) dayone.PersonID {
		t.Helper()
		res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_%s","timestamp":%q,"data":{"employee_id":%q,"email":%q,"first_name":%q,"last_name":"Test","department":%q,"employment_type":"FTE","start_date":%q,"location":"Berlin","job_title":"Engineer","manager_email":%q}}`,
			id, time.Now().Format(time.RFC3339), id, id+"@company.com", id, department, time.Now().AddDate(0, 0, in).Format(time.DateOnly), manager))
		if res.StatusCode != http.StatusAccepted {
			t.Fatalf("%s", res.Status)
		}
		b.until("a run of "+id, func() bool { return b.started(id+"@company.com").ID != "" })
		return b.started(id + "@company.com").Person
	}
	comes("head", "", "Board", -400)
	comes("max", "head@company.com", "Sales", -300)
	sarah := comes("sarah", "max@company.com", "Sales", 1)
	other := comes("olga", "head@company.com", "Sales", -3)

	max := b.somebody(p, "max@company.com")
	if status, to := max("GET", "/", nil); status != http.StatusSeeOther || !strings.HasPrefix(to, "/me") {
		t.Errorf("the dashboard is %d %s", status, to)
	}
	if status, page := max("GET", "/team", nil); status != http.StatusOK || !strings.Contains(page, "sarah Test") || strings.Contains(page, "olga") {
		t.Errorf("Max's people: %d %s", status, page)
	}
	if status, page := max("GET", "/team/"+string(sarah), nil); status != http.StatusOK || !strings.Contains(page, "sarah Test") {
		t.Errorf("Sarah's progress for her manager: %d %s", status, page)
	}
	for _, path := range []string{"/team/" + string(other), "/people", "/people/" + string(sarah), "/runs", "/approvals", "/tasks", "/records", "/api/v1/people", "/team/per_nobody"} {
		if status, page := max("GET", path, nil); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("%s is open to an employee: %d %s", path, status, page)
		}
	}
	if status, _ := b.somebody(p, "head@company.com")("GET", "/team/"+string(sarah), nil); status != http.StatusOK {
		t.Errorf("Sarah's progress for her manager's manager: %d", status)
	}
	if status, page := b.somebody(p, "new@company.com")("GET", "/me", nil); status != http.StatusOK || !strings.Contains(page, "HR has not told us") {
		t.Errorf("somebody of whom nothing is known sees %d %s", status, page)
	}

	self := comes("self", "self@company.com", "Board", -3)
	if status, page := b.somebody(p, "self@company.com")("GET", "/team/"+string(self), nil); status != http.StatusNotFound {
		t.Errorf("her own manager sees %d %s", status, page)
	}
	ann := comes("ann", "ben@company.com", "Board", -3)
	ben := comes("ben", "ann@company.com", "Board", -3)
	inCircle := b.somebody(p, "ann@company.com")
	if status, page := inCircle("GET", "/team/"+string(ann), nil); status != http.StatusNotFound {
		t.Errorf("her manager's manager is she, and sees %d %s", status, page)
	}
	if status, _ := inCircle("GET", "/team/"+string(ben), nil); status != http.StatusOK {
		t.Errorf("whose manager she is: %d", status)
	}

	var asks []dayone.Petition
	b.until("Max is asked", func() bool {
		asks, _ = b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true, Limit: 10})
		for _, q := range asks {
			if q.Person == sarah {
				return true
			}
		}
		return false
	})
	for _, q := range asks {
		path := "/approvals/" + string(q.ID)
		if q.Person != sarah {
			if status, _ := max("GET", path, nil); status != http.StatusNotFound {
				t.Errorf("a question to somebody else: %d", status)
			}
			if status, _ := max("POST", path, url.Values{"verdict": {"approve"}, "of": {"head@company.com"}}); status != http.StatusNotFound {
				t.Errorf("an answer for somebody else: %d", status)
			}
			continue
		}
		if _, page := max("GET", "/me", nil); !strings.Contains(page, path) {
			t.Errorf("what waits for Max is not on his page: %s", page)
		}
		if status, page := max("GET", path, nil); status != http.StatusOK || strings.Contains(page, "/people/") {
			t.Errorf("the question is %d, or leads where he may not go", status)
		} else if strings.Contains(page, "behalf") || !strings.Contains(page, `type="hidden" name="of" value="max@company.com"`) {
			t.Errorf("Max decides for himself, and the page says otherwise: %s", page)
		}
		if _, page := b.inGroup(p, "olga@company.com", "it-admins")("GET", path, nil); !strings.Contains(page, "on their behalf") {
			t.Errorf("an administrator who answers for Max is not told that both are recorded: %s", page)
		}
		if status, _ := b.somebody(p, "sarah@company.com")("POST", path, url.Values{"verdict": {"approve"}}); status != http.StatusNotFound {
			t.Errorf("Sarah decides for herself: %d", status)
		}
		for _, group := range []string{"it-hr", "it-auditors"} {
			other := b.inGroup(p, "olga@company.com", group)
			if status, _ := other("POST", path, url.Values{"verdict": {"approve"}, "of": {"max@company.com"}}); status != http.StatusNotFound {
				t.Errorf("%s answers for Max: %d", group, status)
			}
			asked := b.inGroup(p, "max@company.com", group)
			if status, page := asked("GET", path, nil); status != http.StatusOK || !strings.Contains(page, "max@company.com") {
				t.Errorf("Max, in %s, is asked and sees %d %s", group, status, page)
			}
			if status, _ := asked("POST", path, url.Values{"verdict": {"perhaps"}}); status != http.StatusBadRequest {
				t.Errorf("Max, in %s, cannot answer: %d", group, status)
			}
		}
		if status, to := max("POST", path, url.Values{"verdict": {"approve"}, "of": {"head@company.com"}}); status != http.StatusSeeOther || !strings.HasPrefix(to, "/me?said=answered") {
			t.Errorf("Max's answer: %d %s", status, to)
		}
		got, err := b.flow.Approval(t.Context(), q.ID)
		if err != nil || got.State != dayone.ApprovalGiven || got.Votes[0].Of != "max@company.com" || got.Votes[0].By != "max@company.com" {
			t.Errorf("kept is %+v, %v", got.Votes, err)
		}
	}

	mine := b.somebody(p, "sarah@company.com")
	status, page := mine("GET", "/me", nil)
	if status != http.StatusOK || !strings.Contains(page, "sarah Test") || !strings.Contains(page, "What you use") || strings.Contains(page, "Hand-over code") {
		t.Errorf("Sarah's own page: %d %s", status, page)
	}
	if status, page := mine("GET", "/api/v1/me", nil); status != http.StatusOK || !strings.Contains(page, string(sarah)) {
		t.Errorf("Sarah by the API: %d %s", status, page)
	}
	if status, page := mine("GET", "/team", nil); status != http.StatusOK || !strings.Contains(page, "Nobody has you as manager") {
		t.Errorf("Sarah's people: %d %s", status, page)
	}
}

// TestWhoHasLeftIsOut: of the session she had, within a minute, and of every other.
func TestWhoHasLeftIsOut(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	now := clock.NewMoved(time.Now())
	b := startBench(t, fewPolicies, false, func(o *web.Options, d *flow.Deps) {
		o.Open, o.SignOn, d.Clock = false, signOnAt(p.url), now
		o.SignOn.Everyone, o.SessionFor, o.IdleFor = true, 300*time.Hour, 300*time.Hour
		o.Tokens = append(o.Tokens, web.Token{Name: "Lee@company.com", Role: dayone.HR, Token: dayone.NewSecret("the-token-in-lees-drawer")})
	})
	res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_lee","timestamp":%q,"data":{"employee_id":"lee","email":"lee@company.com","first_name":"Lee","last_name":"Test","department":"Sales","employment_type":"FTE","start_date":%q,"end_date":%q,"location":"Berlin","job_title":"Engineer"}}`,
		time.Now().Format(time.RFC3339), time.Now().AddDate(0, 0, -90).Format(time.DateOnly), time.Now().AddDate(0, 0, 2).Format(time.DateOnly)))
	if res.StatusCode != http.StatusAccepted {
		t.Fatal(res.Status)
	}
	b.until("a run of Lee", func() bool { return b.started("lee@company.com").ID != "" })
	lee := b.somebody(p, "lee@company.com")
	if status, page := lee("GET", "/me", nil); status != http.StatusOK || !strings.Contains(page, "Lee Test") {
		t.Fatalf("Lee sees %d %s", status, page)
	}
	if status, page := b.bearer("the-token-in-lees-drawer", "GET", "/api/v1/people", ""); status != http.StatusOK {
		t.Fatalf("Lee's token opens nothing: %d %s", status, page)
	}
	now.Jump(now.Now().AddDate(0, 0, 6))
	b.until("Lee to have left", func() bool { gone, err := b.flow.Gone(t.Context(), "Lee@company.com"); return err == nil && gone })
	now.Jump(now.Now().Add(time.Minute))
	if status, page := lee("GET", "/me", nil); status != http.StatusSeeOther {
		t.Errorf("who has left sees %d %s", status, page)
	}
	if status, _ := b.bearer("the-token-in-lees-drawer", "GET", "/api/v1/people", ""); status != http.StatusUnauthorized {
		t.Errorf("the token of who has left opens the API: %d", status)
	}
	if status, _ := lee("GET", "/api/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("who has left asks the API: %d", status)
	}
	p.claims = map[string]any{"email": "lee@company.com", "groups": []string{"it-admins"}, "exp": now.Now().Add(time.Hour).Unix(), "iat": now.Now().Unix()}
	if res := b.comesBack(browser(), p, nil); res.StatusCode != http.StatusForbidden || !strings.Contains(text(t, res), "have left here") {
		t.Errorf("who has left signs in: %s", res.Status)
	}
	p.claims["email"] = "unknown@company.com"
	if res := b.comesBack(browser(), p, nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("who is not in the books is not let in: %s", res.Status)
	}
}

// A manager sees in the list of her people, too, whose onboarding was taken back, until its hold ends; of the others nothing changes.
func TestAManagerSeesWhoWasTakenBack(t *testing.T) {
	t.Parallel()
	p := ownProvider(t)
	b := startBench(t, fewPolicies, false, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone = true
	})
	b.hire("boss", "Bo", "Boss", "Board", time.Now().AddDate(-1, 0, 0))
	b.hire("ann", "Ann", "Ray", "Engineering", time.Now())
	person, id := b.hire("erin", "Erin", "Ray", "Engineering", time.Now())
	b.until("her run to end", func() bool { return b.started("erin@company.com").State.Over() })
	boss := b.somebody(p, "boss@company.com")
	says := func() int {
		t.Helper()
		status, page := boss("GET", "/team", nil)
		if status != http.StatusOK || !strings.Contains(page, "Erin Ray") || !strings.Contains(page, "Ann Ray") {
			t.Fatalf("her people: %d", status)
		}
		return strings.Count(page, "Taken back for now")
	}
	if n := says(); n != 0 {
		t.Errorf("%d were taken back before the undo", n)
	}
	u, err := b.flow.UndoPreview(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	by, err := b.flow.Undo(t.Context(), flow.UndoOrder{Run: id, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	b.until("the undo to end", func() bool {
		r, err := b.flow.RunOf(t.Context(), by)
		return err == nil && r.State.Over()
	})
	if n := says(); n != 1 {
		t.Errorf("%d were taken back, not one", n)
	}
	if _, page := boss("GET", "/team/"+string(person), nil); !strings.Contains(page, "Taken back for now") {
		t.Error("her own page does not say so")
	}
	holds, err := b.flow.Holds(t.Context(), flow.HoldFilter{Person: person})
	if err != nil || len(holds) != 1 {
		t.Fatal(holds, err)
	}
	if err := b.flow.EndHold(t.Context(), holds[0].ID, "kim@company.com", "she starts after all"); err != nil {
		t.Fatal(err)
	}
	if n := says(); n != 0 {
		t.Errorf("%d are taken back after the hold", n)
	}
}
