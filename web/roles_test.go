package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func tokenOf(r dayone.Role) string { return "a-long-token-of-the-" + string(r) }

// withRoles gives each role a login called after it, beside the administrator's token.
func withRoles(o *web.Options, d *flow.Deps) {
	withToken(o, d)
	for _, r := range dayone.Roles {
		o.Tokens = append(o.Tokens, web.Token{Name: string(r) + "@company.com", Role: r, Token: dayone.NewSecret(tokenOf(r))})
	}
}

// signIn lets a role in by the login page and gives the cookie.
func (b *bench) signIn(r dayone.Role) string {
	b.t.Helper()
	res := b.post("/login", url.Values{"token": {tokenOf(r)}})
	for _, c := range res.Cookies() {
		if c.Value != "" {
			return c.Name + "=" + c.Value
		}
	}
	b.t.Fatalf("%s is not let in: %s", r, res.Status)
	return ""
}

// as asks in the name of a role: pages by its session, the API by its token. Nobody has none, and guesses at none.
func (b *bench) as(r dayone.Role, cookie, method, path string) *http.Response {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if strings.HasPrefix(path, "/api/") || path == "/metrics" {
		if r != "nobody" {
			req.Header.Set("Authorization", "Bearer "+tokenOf(r))
		}
		if path == "/metrics" {
			req.Header.Set("X-Forwarded-For", "10.0.0.1") // else everybody on this machine may
		}
	} else {
		req.Header.Set("Cookie", cookie)
	}
	b.client.Jar = nil
	return b.do(req)
}

// filled puts something into the holes of an address. Nothing of it is there: whoever may go there finds nothing.
func filled(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	for _, hole := range []struct{ name, value string }{
		{"{$}", ""},
		{"{number}", "1"},
		{"{verb}", "retry"},
		{"{system}", "okta"},
		{"{source}", "hr"},
		{"{sample}", "none"},
		{"{version}", "none"},
		{"{person}", "per_none"},
		{"{token}", "none"},
		{"{attribute}", "none"},
		{"{certificate}", "none"},
		{"{act}", "none"},
		{"{order}", "ord_none"},
		{"{id}", "none"},
		{"{name}", "none"},
		{"{pool}", "none"},
		{"{slot}", "none"},
		{"{product}", "none"},
		{"{subject}", "none"},
	} {
		path = strings.ReplaceAll(path, hole.name, hole.value)
	}
	return method, path
}

func TestEveryRoleGoesWhereItMay(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	table := web.Allowed()
	for _, r := range dayone.Roles {
		cookie := b.signIn(r)
		for _, pattern := range web.Patterns() {
			if len(table[pattern]) == 0 {
				continue // without a login
			}
			method, path := filled(pattern)
			res := b.as(r, cookie, method, path)
			body := text(t, res)
			switch may := r.In(table[pattern]); {
			case may && (res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusUnauthorized):
				t.Errorf("%s may not %s: %s", r, pattern, res.Status)
			case !may && res.StatusCode != http.StatusForbidden:
				t.Errorf("%s may %s: %s", r, pattern, res.Status)
			case !may && (!strings.Contains(body, "Your role, "+string(r)) || !strings.Contains(body, string(table[pattern][0]))):
				t.Errorf("%s is not told why it may not %s", r, pattern)
			}
			if res := b.as("nobody", "", method, path); res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusSeeOther {
				t.Errorf("anybody may %s: %s", pattern, res.Status)
			}
		}
	}
}

// What roles are for, whatever the table says.
func TestTheTableOfRolesIsWhatRolesAreFor(t *testing.T) {
	t.Parallel()
	table := web.Allowed()
	all := web.Patterns()
	if bare := web.Unguarded(all...); len(bare) > 0 {
		t.Errorf("nobody said who may go to %q", bare)
	}
	if bare := web.Unguarded("GET /new"); !slices.Equal(bare, []string{"GET /new"}) {
		t.Errorf("an address without an entry is not found: %q", bare)
	}
	for pattern, roles := range table {
		method, path, _ := strings.Cut(pattern, " ")
		writes := method != "GET" && pattern != "POST /policies/judge" && !strings.Contains(path, "/sessions/") && // signing out is nobody else's business
			!strings.HasSuffix(pattern, "/approvals/{id}") && pattern != "POST /tasks/{id}" && !strings.HasSuffix(pattern, "/tasks/{id}/complete") // whoever is asked answers, and only she
		path = strings.TrimPrefix(path, "/api/v1")
		for _, x := range []struct {
			role dayone.Role
			bad  bool
			why  string
		}{
			{dayone.Administrator, !dayone.Administrator.In(roles) && len(roles) > 0, "the administrator may not"},
			{dayone.Auditor, dayone.Auditor.In(roles) && writes, "an auditor writes"},
			{dayone.Auditor, dayone.Auditor.In(roles) && strings.HasPrefix(path, "/mailbox"), "an auditor reads one-time links"},
			{dayone.Operator, dayone.Operator.In(roles) && (pattern == "POST /proposals/{version}" || strings.Contains(path, "withdraw")), "an operator applies policies"},
			{dayone.HR, dayone.HR.In(roles) && (strings.HasPrefix(path, "/systems") || strings.HasPrefix(path, "/polic") || strings.HasPrefix(path, "/proposals")), "HR works at systems or policies"},
			{dayone.Approver, dayone.Approver.In(roles) && (strings.HasPrefix(path, "/people") || strings.HasPrefix(path, "/runs") || strings.HasPrefix(path, "/events") || strings.HasPrefix(path, "/records")), "an approver sees people"},
			{dayone.Operator, strings.HasPrefix(path, "/confidential") && len(roles) != 2, "others than HR and administrators know what is confidential"},
		} {
			if x.bad {
				t.Errorf("%s: %s", pattern, x.why)
			}
		}
	}
}

// Decisions are recorded under the name of whoever had the token, and a login ends with its cookie alone.
func TestALoginHasANameAndARole(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	for _, wrong := range []string{"", "nonsense", tokenOf(dayone.HR) + " "} {
		if res := b.post("/login", url.Values{"token": {wrong}}); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q is let in: %s", wrong, res.Status)
		}
	}
	hr, approver := b.signIn(dayone.HR), b.signIn(dayone.Approver)
	want(t, "HR's page", text(t, b.as(dayone.HR, hr, "GET", "/people")), "hr@company.com", `href="/confidential"`)
	if body := text(t, b.as(dayone.HR, hr, "GET", "/people")); strings.Contains(body, `href="/systems"`) {
		t.Error("the menu leads HR where it may not go")
	}
	res := b.as(dayone.Approver, approver, "GET", "/")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/approvals" {
		t.Errorf("an approver begins at %s %s", res.Status, res.Header.Get("Location"))
	}
	b.as(dayone.HR, hr, "POST", "/logout")
	if res := b.as(dayone.HR, hr, "GET", "/people"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("signed out, HR is still in: %s", res.Status)
	}
	if res := b.as(dayone.Approver, approver, "GET", "/approvals"); res.StatusCode != http.StatusOK {
		t.Errorf("the approver went with HR: %s", res.Status)
	}
}
