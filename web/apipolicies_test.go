package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// What the portal does with policies a program does too: it reads them, writes one anew, has somebody else approve just the
// plan that was shown, and takes back what is announced.
func TestPoliciesAreKeptByTheAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t, versioned, withRoles, func(o *web.Options, d *flow.Deps) {
		d.AloneNotice = 24 * 3600e9
		o.Tokens = append(o.Tokens, web.Token{Name: "kim@company.com", Role: dayone.Administrator, Token: dayone.NewSecret("a-long-token-for-kim")})
	})
	if err := b.flow.OpenPolicies(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	ask := func(token, method, path, body string, status int, into any) {
		t.Helper()
		got, raw := b.bearer(token, method, path, body)
		if got != status {
			t.Fatalf("%s %s: %d, want %d\n%s", method, path, got, status, raw)
		}
		if into != nil {
			if err := json.Unmarshal([]byte(raw), into); err != nil {
				t.Fatal(err)
			}
		}
	}
	author, kim := tokenOf(dayone.Administrator), "a-long-token-for-kim"
	type standing struct {
		Version   string
		Proposals []struct{ Version, Note string }
		Announced []struct{ ID, Version string }
		Items     []struct {
			ID     string
			People int
		}
		Files map[string]string
	}
	var now standing
	b.until("everybody to be counted", func() bool {
		now = standing{}
		ask(author, "GET", "/api/v1/policies?files=true", "", http.StatusOK, &now)
		return len(now.Items) == 2 && now.Items[1].People == 1
	})
	if len(now.Items) != 2 || now.Items[1].ID != "sales" || now.Items[1].People != 1 || !strings.Contains(now.Files["policies/base.yaml"], "sales-team") {
		t.Fatalf("policies: %+v", now)
	}
	ask(author, "GET", "/api/v1/policies/nothing/people", "", http.StatusNotFound, nil)
	var holds struct {
		Count int
		Items []struct{ ID, Name string }
	}
	ask(author, "GET", "/api/v1/policies/sales/people", "", http.StatusOK, &holds)
	if holds.Count != 1 || len(holds.Items) != 1 || holds.Items[0].Name != "Ada Lovelace" {
		t.Errorf("whom it holds for: %+v", holds)
	}
	_, catalogue := b.bearer(author, "GET", "/api/v1/catalogue", "")
	want(t, "the catalogue", catalogue, `{"key":"okta/group:sales-team","authority":"additive","policies":["sales"]}`)

	propose := func() string {
		t.Helper()
		draft, err := json.Marshal(map[string]string{"file": "policies/base.yaml", "text": strings.Replace(now.Files["policies/base.yaml"], "okta/group:sales-team", "okta/group:base-employee", 1), "note": "CHG-1"})
		if err != nil {
			t.Fatal(err)
		}
		var made struct{ Version string }
		ask(author, "POST", "/api/v1/settings/files", string(draft), http.StatusCreated, &made)
		return made.Version
	}
	version := propose()
	session := b.signIn(dayone.Administrator)
	inForce := func() string {
		t.Helper()
		return "version <code>" + b.flow.Active().Hashes["policies/base.yaml"] + "</code>"
	}
	want(t, "the list", text(t, b.as(dayone.Administrator, session, "GET", "/policies")), inForce())
	var plan struct {
		Mark    string
		Alone   bool
		Changes int
		Keys    []struct {
			Key  string
			Lost int
		}
	}
	at := "/api/v1/proposals/" + version
	ask(author, "GET", at, "", http.StatusOK, &plan)
	if !plan.Alone || plan.Changes != 1 || plan.Keys[0].Key != "okta/group:sales-team" || plan.Keys[0].Lost != 1 {
		t.Fatalf("the plan: %+v", plan)
	}
	ask(author, "GET", "/api/v1/proposals/nothing", "", http.StatusNotFound, nil)
	for body, status := range map[string]int{`{}`: http.StatusBadRequest, `{"mark":"another"}`: http.StatusConflict, `{"mark":1}`: http.StatusBadRequest} {
		ask(kim, "POST", at, body, status, nil)
	}
	ask(tokenOf(dayone.Operator), "POST", at, `{"mark":"`+plan.Mark+`"}`, http.StatusForbidden, nil)

	// Its author alone: it is announced, and taken back.
	var act struct{ ID, State string }
	ask(author, "POST", at, `{"mark":"`+plan.Mark+`","reason":"CHG-1","release":"a test of one"}`, http.StatusAccepted, &act)
	ask(author, "GET", "/api/v1/policies", "", http.StatusOK, &now)
	if act.State != "waiting" || len(now.Announced) != 1 || now.Announced[0].ID != act.ID {
		t.Fatalf("announced: %+v, %+v", act, now.Announced)
	}
	ask(kim, "POST", at, `{"mark":"`+plan.Mark+`"}`, http.StatusConflict, nil)
	ask(kim, "POST", "/api/v1/announced/act_none/withdraw", `{}`, http.StatusNotFound, nil)
	ask(kim, "POST", "/api/v1/announced/"+act.ID+"/withdraw", `{"reason":"not yet"}`, http.StatusOK, &act)
	if act.State != "withdrawn" {
		t.Errorf("withdrawn: %+v", act)
	}

	// Somebody else: it is in force.
	var stage struct{ Version, Approver string }
	ask(kim, "POST", at, `{"mark":"`+plan.Mark+`","reason":"CHG-1","release":"a test of one"}`, http.StatusOK, &stage)
	if stage.Version != version || stage.Approver != "kim@company.com" || b.flow.Active().Hash != version {
		t.Errorf("in force: %+v", stage)
	}
	want(t, "the list, which was laid out before", text(t, b.as(dayone.Administrator, session, "GET", "/policies")), inForce())
}

// oneChange is a configuration whose last change can be taken back once.
type oneChange struct {
	web.SystemForms
	undone bool
}

func (c *oneChange) Undo(_ context.Context, by string) (string, error) {
	if c.undone {
		return "", fmt.Errorf("nothing was changed here that can be taken back: %w", dayone.ErrConflict)
	}
	c.undone = true
	return "okta, taken back by " + by, nil
}

func TestTheLastChangeOfTheConfigurationIsTakenBackByTheAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(o *web.Options, _ *flow.Deps) { o.SystemForms = &oneChange{} })
	var out struct{ Undone string }
	b.api("POST", "/api/v1/settings/systems/undo", "", http.StatusOK, &out)
	if out.Undone != "okta, taken back by demo" {
		t.Errorf("undone: %q", out.Undone)
	}
	var no refusedBody
	b.api("POST", "/api/v1/settings/systems/undo", "", http.StatusConflict, &no)
	want(t, "what is wrong", no.Error.Message, "Nothing was changed here that can be taken back")
	newBench(t).api("POST", "/api/v1/settings/systems/undo", "", http.StatusNotImplemented, nil)
}
