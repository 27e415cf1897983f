package web_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/web"
)

// twins are, for each act of the portal whose address the API does not share, what the API does instead. Where a person acts
// in her own browser there is nothing for a program, and it says why.
var twins = map[string]string{
	"POST /login":                              "no: a program has a token",
	"POST /logout":                             "no: a program has no session",
	"POST /language":                           "no: the language of pages, which a program does not read",
	"POST /setup/{token}":                      "no: a link for one person, once",
	"POST /secret/{token}":                     "no: a secret is shown to its owner, once",
	"POST /prehire/{token}":                    "no: what somebody says of herself, by a link that she got",
	"POST /people/add":                         "POST /api/v1/people",
	"POST /people/{id}/request":                "POST /api/v1/people/{id}/requests",
	"POST /onboard/bring":                      "POST /api/v1/sources/{source}/people/{subject}",
	"POST /onboard/{id}":                       "POST /api/v1/people/{id}/products",
	"POST /onboard/{id}/undo":                  "POST /api/v1/requests/{id}/end",
	"POST /brakes/announcements":               "POST /api/v1/announcements",
	"POST /brakes/announcements/{id}/confirm":  "POST /api/v1/announcements/{id}/confirm",
	"POST /brakes/announcements/{id}/end":      "DELETE /api/v1/announcements/{id}",
	"POST /holds/{id}/end":                     "DELETE /api/v1/holds/{id}",
	"POST /systems/orders/{order}/lift":        "POST /api/v1/orders/{order}/lift",
	"POST /numbers/give":                       "POST /api/v1/numbers/reserve",
	"POST /numbers/plan":                       "PUT /api/v1/numbers/plan",
	"POST /numbers/{number}/shown/{slot}/hide": "DELETE /api/v1/numbers/{number}/shown/{slot}",
	"POST /tasks/{id}":                         "POST /api/v1/tasks/{id}/complete",
	"POST /approvals/{id}/again":               "POST /api/v1/approvals/{id}",
	"POST /delegations/{id}/end":               "DELETE /api/v1/delegations/{id}",
	"POST /policies/judge":                     "POST /api/v1/settings/files",
	"POST /policies/propose":                   "POST /api/v1/settings/files",
	"POST /tokens/{id}/end":                    "DELETE /api/v1/tokens/{id}",
	"POST /sessions/{id}/end":                  "DELETE /api/v1/sessions/{id}",
	"POST /settings/effort":                    "PUT /api/v1/settings/effort",
	"POST /settings/branding":                  "PUT /api/v1/settings/branding",
	"POST /settings/systems/{name}":            "PUT /api/v1/settings/systems/{name}",
}

// pages are, for each page whose address the API does not share, where the API says the same.
var pages = map[string]string{
	"GET /{$}":                       "no: sums of other lists, each with an address of its own",
	"GET /find":                      "no: pages by name, and people as GET /api/v1/people finds them",
	"GET /login":                     "no: a program has a token",
	"GET /login/start":               "no: a program has a token",
	"GET /login/done":                "no: a program has a token",
	"GET /setup/{token}":             "no: a link for one person, once",
	"GET /progress/{person}/{token}": "GET /api/v1/runs/{id}",
	"GET /secret/{token}":            "no: a secret is shown to its owner, once",
	"GET /prehire/{token}":           "GET /api/v1/people/{id}/prehire",
	"GET /people/add":                "POST /api/v1/people",
	"GET /people/{id}/runs":          "GET /api/v1/runs",
	"GET /people/{id}/why":           "GET /api/v1/people/{id}/explain",
	"GET /people/{id}/request":       "GET /api/v1/people/{id}/requests",
	"GET /people/{id}/extend":        "POST /api/v1/people/{id}/extend",
	"GET /people/{id}/reinstate":     "POST /api/v1/people/{id}/reinstate",
	"GET /people/{id}/hold":          "GET /api/v1/people/{id}/legal-holds",
	"GET /people/{id}/release":       "GET /api/v1/people/{id}/legal-holds",
	"GET /people/{id}/leaving":       "GET /api/v1/people/{id}/certificates",
	"GET /people/{id}/codes":         "GET /api/v1/people/{id}/links",
	"GET /people/{id}/renew":         "GET /api/v1/people/{id}/links",
	"GET /onboard":                   "GET /api/v1/sources/{source}/people",
	"GET /onboard/bring":             "GET /api/v1/sources/{source}/people/{subject}",
	"GET /onboard/{id}":              "GET /api/v1/people/{id}/products",
	"GET /onboard/{id}/preview":      "GET /api/v1/people/{id}/products/preview",
	"GET /onboard/{id}/result":       "GET /api/v1/people/{id}/products",
	"GET /numbers/all":               "GET /api/v1/numbers",
	"GET /numbers/import":            "POST /api/v1/numbers/import",
	"GET /policies/{id}/text":        "GET /api/v1/policies",
	"GET /policies/edit":             "GET /api/v1/policies",
	"GET /team/{id}":                 "GET /api/v1/team",
	"GET /settings":                  "no: a list of links",
	"GET /settings/templates/{name}": "GET /api/v1/settings/templates",
	"GET /settings/systems/{name}":   "GET /api/v1/settings/systems",
	"GET /brand/logo":                "no: a picture of pages",
	"GET /brand/colours.css":         "no: the colours of pages",
	"GET /gallery":                   "no: samples of pages",
	"GET /gallery/{sample}":          "no: samples of pages",
	"GET /static/":                   "no: parts of pages",
	"GET /robots.txt":                "no: for crawlers",
	"GET /healthz":                   "no: it is one",
	"GET /readyz":                    "no: it is one",
	"GET /metrics":                   "no: it is one",
}

// Whatever the portal does the API does, for at least those who may do it in the portal.
func TestEveryActOfThePortalHasATwin(t *testing.T) {
	t.Parallel()
	table, all := web.Allowed(), web.Patterns()
	named := maps.Clone(twins)
	maps.Copy(named, pages)
	for _, pattern := range all {
		method, path, _ := strings.Cut(pattern, " ")
		if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/hooks/") {
			continue
		}
		twin, said := named[pattern]
		delete(named, pattern)
		same := method + " /api/v1" + path
		switch {
		case !said && slices.Contains(all, same):
			twin = same
		case !said:
			t.Errorf("%s has no twin in the API, and nothing says why", pattern)
			continue
		case slices.Contains(all, same):
			t.Errorf("%s has the twin %s: the table need not say %q", pattern, same, twin)
		case strings.HasPrefix(twin, "no: "):
			continue
		}
		if !slices.Contains(all, twin) {
			t.Errorf("%s: there is no %s", pattern, twin)
			continue
		}
		for _, r := range append(slices.Clone(dayone.Roles), dayone.Employee) {
			if r.In(table[pattern]) && !r.In(table[twin]) {
				t.Errorf("%s may %s, and not %s", r, pattern, twin)
			}
		}
	}
	for pattern := range named {
		t.Errorf("the table of twins has %s, which there is none of", pattern)
	}
}
