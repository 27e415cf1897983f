package sim

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// failSCIM writes SCIM errors with a status that is a number.
func failSCIM(w http.ResponseWriter, status int, detail string) {
	sim.JSON(w, status, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": detail, "status": status})
}

func showSCIM(u *user) map[string]any {
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": u.scim.uid, "active": u.scim.active, "name.formatted": u.name,
		"userName": u.username, "meta": map[string]string{"resourceType": "User"},
		"emails": []any{map[string]any{"type": "work", "value": u.email, "primary": true}},
	}
}

func (s *Sim) withSCIM(handle func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := s.user(func(u *user) bool { return u.scim != nil && u.scim.uid == r.PathValue("uid") })
		if u == nil {
			failSCIM(w, 404, "Resource "+r.PathValue("uid")+" not found")
			return
		}
		handle(w, r, u)
	}
}

func (s *Sim) listSCIM(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	is := func(*user) bool { return true }
	if text := q.Get("filter"); text != "" {
		f, err := scimsim.ParseFilter(text)
		if err != nil || f.Op != "eq" {
			failSCIM(w, 412, "Unsupported Filter")
			return
		}
		want, _ := f.Value.(string)
		switch {
		case f.Path == "id" || f.Path == "externalid":
			is = func(u *user) bool { return u.scim.uid == want }
		case f.Path == "username" && strings.Contains(want, "@"):
			is = func(u *user) bool { return strings.EqualFold(u.email, want) }
		case f.Path == "username":
			is = func(u *user) bool { return u.scim.uid == want || strings.EqualFold(u.username, want) }
		default:
			failSCIM(w, 412, "Unsupported Filter")
			return
		}
	}
	var found []any
	for _, u := range s.users {
		if u.scim != nil && is(u) {
			found = append(found, showSCIM(u))
		}
	}
	from, _ := strconv.Atoi(q.Get("startIndex"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		count = s.opt.PageSize()
	}
	from, count = max(from, 1), min(max(count, 0), s.opt.PageSize())
	page := found[min(from-1, len(found)):min(from-1+count, len(found))]
	sim.JSON(w, 200, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(found), "itemsPerPage": count, "startIndex": from,
		"Resources": append([]any{}, page...),
	})
}

func (s *Sim) getSCIM(w http.ResponseWriter, _ *http.Request, u *user) { sim.JSON(w, 200, showSCIM(u)) }

// createSCIM makes an account of gitlab.com, or ties one that SAML has linked already.
func (s *Sim) createSCIM(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ExternalID string `json:"externalId"`
		UserName   string `json:"userName"`
		Emails     []struct {
			Value   string `json:"value"`
			Primary bool   `json:"primary"`
		} `json:"emails"`
		Name *struct {
			Formatted  string `json:"formatted"`
			GivenName  string `json:"givenName"`
			FamilyName string `json:"familyName"`
		} `json:"name"`
	}
	if sim.Read(r, &in) != nil {
		sim.JSON(w, 400, map[string]string{"error": "The body is no JSON"})
		return
	}
	for name, missing := range map[string]bool{"externalId": in.ExternalID == "", "userName": in.UserName == "", "emails": len(in.Emails) == 0, "name": in.Name == nil} {
		if missing {
			sim.JSON(w, 400, map[string]string{"error": name + " is missing"})
			return
		}
	}
	mail := in.Emails[0].Value
	name := cmp.Or(in.Name.Formatted, strings.TrimSpace(in.Name.GivenName+" "+in.Name.FamilyName))
	switch {
	case s.user(func(u *user) bool { return u.scim != nil && u.scim.uid == in.ExternalID }) != nil:
		failSCIM(w, 409, "Error saving user: User has already been taken")
		return
	case !strings.Contains(mail, "@"), len([]rune(name)) > 255, len([]rune(mail)) > 255:
		failSCIM(w, 412, "Email is invalid or a field is too long (maximum is 255 characters)")
		return
	}
	u := s.user(func(u *user) bool { return strings.EqualFold(u.email, mail) })
	switch {
	case u == nil:
		u = &user{id: s.id(), username: s.free(in.UserName), name: name, email: mail, created: s.opt.Time(), levels: map[int]int{}}
		s.users = append(s.users, u)
	case u.saml == "" || u.scim != nil:
		failSCIM(w, 412, "The member's email address is not linked to a SAML account or has an inactive SCIM identity.")
		return
	}
	u.scim = &identity{uid: in.ExternalID}
	s.open(u)
	sim.JSON(w, 201, showSCIM(u))
}

// open gives the default role in the top-level group; close takes every membership.
func (s *Sim) open(u *user) {
	u.scim.active = true
	u.levels[s.groups[0].id] = max(u.levels[s.groups[0].id], minimal)
}

func (s *Sim) close(u *user) {
	u.scim.active = false
	clear(u.levels)
}

// patchSCIM hears active and the external id, and ignores the rest since GitLab 15.
func (s *Sim) patchSCIM(w http.ResponseWriter, r *http.Request, u *user) {
	var in struct {
		Operations []struct {
			Op    string `json:"op"`
			Path  string `json:"path"`
			Value any    `json:"value"`
		} `json:"Operations"`
	}
	if sim.Read(r, &in) != nil || len(in.Operations) == 0 {
		sim.JSON(w, 400, map[string]string{"error": "Operations is missing"})
		return
	}
	for _, o := range in.Operations {
		if op := strings.ToLower(o.Op); op != "replace" && op != "add" {
			failSCIM(w, 412, "Unsupported operation "+o.Op)
			return
		}
		value, isText := o.Value.(string)
		switch strings.ToLower(o.Path) {
		case "active":
			switch {
			case !isText || value != "true" && value != "false":
				failSCIM(w, 412, "active is \"true\" or \"false\"")
				return
			case value == "true" && !u.scim.active:
				s.open(u)
			case value == "false":
				s.close(u)
			}
		case "id", "externalid":
			u.scim.uid = value
		}
	}
	w.WriteHeader(204)
}

// deleteSCIM unties the account; the SAML identity stays, as it does since August 2023, and so does the account.
func (s *Sim) deleteSCIM(w http.ResponseWriter, _ *http.Request, u *user) {
	s.close(u)
	u.scim = nil
	w.WriteHeader(204)
}
