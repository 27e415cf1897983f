// Package sim is a Notion workspace as SCIM shows it: members who leave but keep their Notion account, groups, a token that
// protects its maker, and profiles that only the owner of a mail domain may change.
package sim

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Sim is the workspace.
type Sim struct {
	*scimsim.Sim

	mu       sync.Mutex
	ids      sim.IDs
	accounts map[string]string // mail: Notion account, which outlives the membership
	verified []string          // mail domains; nil: all
	owner    string            // who made the token
}

// New makes a workspace with the groups of the examples, or those of o.Names["space"].
func New(o sim.Options) *Sim {
	s := &Sim{accounts: map[string]string{}}
	s.Sim = scimsim.NewSim(o, scimsim.Dialect{
		Token: "secret_sim-notion-scim", User: user(), InactiveLeaves: true, Number: scimsim.Enterprise + ":employeeNumber",
		Kind: "space", Names: []string{"company", "sales", "technical", "gdpr-handbook"},
		Filters: map[string]map[string]string{
			"User":  {"email": "emails.value", "username": "username", "given_name": "name.givenname", "family_name": "name.familyname"},
			"Group": {"displayname": "displayname"},
		},
		NewID: s.id, Allow: s.allow, Body: body,
	})
	return s
}

// user is what Notion's page lists, and no more.
func user() scimsim.Schema {
	out, all := scimsim.Schema{}, scimsim.UserSchema()
	for _, n := range []string{
		"schemas", "id", "meta", "userName", "name", "photos", "title", "phoneNumbers", "addresses", "roles", "locale", "preferredLanguage", "userType",
		"emails", "active", scimsim.Enterprise,
	} {
		out[n] = all[n]
	}
	out["urn:ietf:params:scim:schemas:extension:notion:2.0:User"] = scimsim.Attribute{Sub: map[string]scimsim.Attribute{"role": {}}}
	return out
}

// Verify leaves the organisation with these mail domains only.
func (s *Sim) Verify(domains ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified = append([]string{}, domains...)
}

// Own makes a member the one who made the token.
func (s *Sim) Own(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = ref
}

// id is the one of the Notion account with this mail, which may be there from before.
func (s *Sim) id(r scimsim.Resource) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	mail := strings.ToLower(fmt.Sprint(r["userName"]))
	if r["userName"] == nil {
		return s.ids.Next("9b1d7f60-0000-4000-8000-", 12) // a group
	}
	if s.accounts[mail] == "" {
		s.accounts[mail] = s.ids.Next("e79a0b74-3aba-4149-9f74-", 12)
	}
	return s.accounts[mail]
}

func (s *Sim) allow(_ []scimsim.Resource, before, after scimsim.Resource) *scimsim.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	leaves := after == nil || after["active"] == false
	mail := ""
	if after != nil {
		mail, _ = after["userName"].(string)
	}
	_, domain, isMail := strings.Cut(mail, "@")
	switch {
	case leaves && before != nil && before["id"] == s.owner:
		return &scimsim.Error{Status: 403, Detail: "The workspace owner who created this token cannot be removed."}
	case leaves:
		return nil
	case !isMail:
		return &scimsim.Error{Status: 400, Type: "invalidValue", Detail: "userName must be an email address."}
	case before != nil && s.verified != nil && !slices.Contains(s.verified, strings.ToLower(domain)):
		return &scimsim.Error{Status: 403, Detail: "The email domain of this user is not verified."}
	}
	return nil
}

// body is the public API's for whoever is not let in, and SCIM's for the rest.
func body(e *scimsim.Error) any {
	if e.Status == 401 {
		return map[string]any{"object": "error", "status": 401, "code": "unauthorized", "message": "API token is invalid."}
	}
	return scimsim.Body(e)
}
