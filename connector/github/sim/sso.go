package sim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// identity of the company's, by SCIM.
type identity struct {
	id, externalID, userName, email, given, family string
	created                                        time.Time
	user                                           *user // who has linked it; nil: nobody
}

// credential is a token or key that its owner authorized for single sign-on.
type credential struct {
	id   int
	user *user
	kind string
	note string
}

func (s *Sim) guid() string { return fmt.Sprintf("edefdfedf-050c-11e7-8d32-%012d", s.id()) }

func failSCIM(w http.ResponseWriter, status int, scimType, detail string) {
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": status, "detail": detail}
	if scimType != "" {
		body["scimType"] = scimType
	}
	sim.JSON(w, status, body)
}

func showIdentity(i *identity) map[string]any {
	out := map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": i.id, "userName": i.userName, "active": true, "externalId": nil,
		"name":   map[string]string{"givenName": i.given, "familyName": i.family},
		"emails": []any{map[string]any{"value": i.email, "primary": true, "type": "work"}},
		"meta":   map[string]string{"resourceType": "User", "created": i.created.Format(time.RFC3339), "location": "https://api.github.com/scim/v2/organizations/" + org + "/Users/" + i.id},
	}
	if i.externalID != "" {
		out["externalId"] = i.externalID
	}
	return out
}

func (s *Sim) listSCIM(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	is := func(*identity) bool { return true }
	if text := q.Get("filter"); text != "" {
		f, err := scimsim.ParseFilter(text)
		if err != nil || f.Op != "eq" {
			failSCIM(w, 400, "invalidFilter", "The filter is not supported.")
			return
		}
		want, _ := f.Value.(string)
		field, known := map[string]func(*identity) string{
			"id": func(i *identity) string { return i.id }, "externalid": func(i *identity) string { return i.externalID },
			"username": func(i *identity) string { return i.userName }, "emails": func(i *identity) string { return i.email },
		}[f.Path]
		if !known {
			failSCIM(w, 400, "invalidFilter", "The filter is not supported.")
			return
		}
		is = func(i *identity) bool { return strings.EqualFold(field(i), want) }
	}
	var found []any
	for _, i := range s.identities {
		if is(i) {
			found = append(found, showIdentity(i))
		}
	}
	from, _ := strconv.Atoi(q.Get("startIndex"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		count = s.opt.PageSize()
	}
	from, count = max(from, 1), min(max(count, 0), s.opt.PageSize())
	part := found[min(from-1, len(found)):min(from-1+count, len(found))]
	sim.JSON(w, 200, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(found), "itemsPerPage": len(part), "startIndex": from,
		"Resources": append([]any{}, part...),
	})
}

// createSCIM invites the mail address.
func (s *Sim) createSCIM(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UserName   string `json:"userName"`
		ExternalID string `json:"externalId"`
		Name       *struct {
			Given  string `json:"givenName"`
			Family string `json:"familyName"`
		} `json:"name"`
		Emails []struct {
			Value string `json:"value"`
		} `json:"emails"`
	}
	switch {
	case sim.Read(r, &in) != nil || in.UserName == "" || in.Name == nil || in.Name.Given == "" || in.Name.Family == "" || len(in.Emails) == 0:
		failSCIM(w, 400, "invalidSyntax", "userName, name and emails are required.")
	case slices.ContainsFunc(s.identities, func(i *identity) bool {
		return strings.EqualFold(i.userName, in.UserName) || in.ExternalID != "" && i.externalID == in.ExternalID
	}):
		failSCIM(w, 409, "uniqueness", "User already exists")
	case s.open(in.Emails[0].Value) == nil && !s.may(w):
	default:
		i := &identity{
			id: s.guid(), externalID: in.ExternalID, userName: in.UserName, email: in.Emails[0].Value, given: in.Name.Given, family: in.Name.Family, created: s.opt.Time(),
		}
		s.identities = append(s.identities, i)
		s.send(&invitation{email: i.email, role: "member", scim: true})
		sim.JSON(w, 201, showIdentity(i))
	}
}

func (s *Sim) identity(w http.ResponseWriter, r *http.Request) *identity {
	i := slices.IndexFunc(s.identities, func(i *identity) bool { return i.id == r.PathValue("id") })
	if i < 0 {
		failSCIM(w, 404, "", "Resource "+r.PathValue("id")+" not found.")
		return nil
	}
	return s.identities[i]
}

func (s *Sim) getSCIM(w http.ResponseWriter, r *http.Request) {
	if i := s.identity(w, r); i != nil {
		sim.JSON(w, 200, showIdentity(i))
	}
}

// deleteSCIM ends the membership or the invitation as well, and what was authorized by the identity.
func (s *Sim) deleteSCIM(w http.ResponseWriter, r *http.Request) {
	i := s.identity(w, r)
	if i == nil {
		return
	}
	if u := i.user; u != nil {
		if m := s.member(u); m != nil && m.role == "admin" && s.owners() == 1 {
			failSCIM(w, 403, "", "You cannot remove the last owner of the organization.")
			return
		}
		s.leave(u)
		s.credentials = slices.DeleteFunc(s.credentials, func(c *credential) bool { return c.user == u })
	}
	s.identities = slices.DeleteFunc(s.identities, func(o *identity) bool { return o == i })
	s.invitations = slices.DeleteFunc(s.invitations, func(o *invitation) bool { return o.user == nil && strings.EqualFold(o.email, i.email) })
	w.WriteHeader(204)
}

// graphql knows two questions: who has linked the identities, and in which teams somebody is.
func (s *Sim) graphql(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query     string
		Variables struct {
			Org, Name, Login, After string
		}
	}
	refuse := func(kind, text string) {
		sim.JSON(w, 200, map[string]any{"data": nil, "errors": []any{map[string]string{"type": kind, "message": text}}})
	}
	answer := func(under func(list map[string]any) map[string]any, nodes []any) {
		from, _ := strconv.Atoi(in.Variables.After)
		from = min(from, len(nodes))
		to := min(from+s.opt.PageSize(), len(nodes))
		sim.JSON(w, 200, map[string]any{"data": map[string]any{"organization": under(map[string]any{
			"nodes": append([]any{}, nodes[from:to]...), "pageInfo": map[string]any{"hasNextPage": to < len(nodes), "endCursor": strconv.Itoa(to)},
		})}})
	}
	bad := sim.Read(r, &in) != nil
	switch {
	case bad:
		refuse("", "A query attribute must be specified and must be a string.")
	case in.Variables.Org != org:
		refuse("NOT_FOUND", "Could not resolve to an Organization with the login of '"+in.Variables.Org+"'.")
	case strings.Contains(in.Query, "teams(first: 100, after: $after, userLogins: [$login])") && strings.Contains(in.Query, "members(first: 100, query: $login, membership: IMMEDIATE)"):
		answer(func(list map[string]any) map[string]any { return map[string]any{"teams": list} }, s.seats(in.Variables.Login))
	case !strings.Contains(in.Query, "externalIdentities(first: 100, after: $after, userName: $name)"):
		refuse("", "Parse error on the query")
	case !s.sso:
		sim.JSON(w, 200, map[string]any{"data": map[string]any{"organization": map[string]any{"samlIdentityProvider": nil}}})
	default:
		answer(func(list map[string]any) map[string]any {
			return map[string]any{"samlIdentityProvider": map[string]any{"externalIdentities": list}}
		}, s.links(in.Variables.Name))
	}
}

// links are the identities of this user name, or all, with who has linked them.
func (s *Sim) links(name string) (nodes []any) {
	for _, i := range s.identities {
		if name != "" && !strings.EqualFold(i.userName, name) {
			continue
		}
		n := map[string]any{"guid": i.id, "user": nil, "organizationInvitation": nil}
		if i.user != nil && s.member(i.user) != nil {
			n["user"] = map[string]string{"login": i.user.login}
		} else if o := s.open(i.email); o != nil {
			n["organizationInvitation"] = map[string]string{"createdAt": o.created.Format(time.RFC3339)}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

func (s *Sim) listCredentials(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, c := range s.credentials {
		if login := r.URL.Query().Get("login"); login == "" || strings.EqualFold(login, c.user.login) {
			out = append(out, map[string]any{
				"login": c.user.login, "credential_id": c.id, "credential_type": c.kind, "credential_authorized_at": s.opt.Time().Format(time.RFC3339),
				"authorized_credential_note": c.note, "authorized_credential_title": nil,
			})
		}
	}
	page(s, w, r, out)
}

func (s *Sim) deleteCredential(w http.ResponseWriter, r *http.Request) {
	before := len(s.credentials)
	s.credentials = slices.DeleteFunc(s.credentials, func(c *credential) bool { return strconv.Itoa(c.id) == r.PathValue("id") })
	if len(s.credentials) == before {
		missing(w)
		return
	}
	w.WriteHeader(204)
}

// Link is somebody who accepts the invitation to a mail address, and signs in through the identity provider with this login.
func (s *Sim) Link(email, login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open(email)
	i := slices.IndexFunc(s.identities, func(i *identity) bool { return strings.EqualFold(i.email, email) })
	if o == nil || i < 0 {
		return false
	}
	u := s.account(login, email)
	s.join(u, o)
	s.identities[i].user = u
	return true
}

// Authorize gives somebody a token and a key that are authorized for the organization, and a fine-grained token.
func (s *Sim) Authorize(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.account(login, "")
	s.credentials = append(s.credentials, &credential{s.id(), u, "personal access token", "laptop"}, &credential{s.id(), u, "SSH key", "desk"})
	s.tokens = append(s.tokens, &fineGrained{s.id(), u})
}

// Good counts what somebody has that still lets them in: authorized credentials, and fine-grained tokens.
func (s *Sim) Good(login string) (authorized, fine int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.credentials {
		if c.user.login == login {
			authorized++
		}
	}
	for _, t := range s.tokens {
		if t.owner.login == login {
			fine++
		}
	}
	return authorized, fine
}
