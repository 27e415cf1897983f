package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

type team struct {
	id      int
	slug    string
	parent  *team
	members map[int]string // role by user
	synced  bool           // by the identity provider
}

func (s *Sim) team(slug string) *team {
	if i := slices.IndexFunc(s.teams, func(t *team) bool { return t.slug == slug }); i >= 0 {
		return s.teams[i]
	}
	return nil
}

func (s *Sim) teamByID(id int) *team {
	return s.teams[slices.IndexFunc(s.teams, func(t *team) bool { return t.id == id })]
}

func showTeam(t *team) map[string]any {
	out := map[string]any{"id": t.id, "slug": t.slug, "name": t.slug, "description": nil, "permission": "pull", "type": "organization", "parent": nil}
	if t.parent != nil {
		out["parent"] = map[string]any{"id": t.parent.id, "slug": t.parent.slug, "name": t.parent.slug}
	}
	return out
}

func (s *Sim) listTeams(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, t := range s.teams {
		out = append(out, showTeam(t))
	}
	page(s, w, r, out)
}

// withPlace finds a team by its number, and an account by its login.
func (s *Sim) withPlace(handle func(http.ResponseWriter, *http.Request, *team, *user)) http.HandlerFunc {
	return s.withUser(func(w http.ResponseWriter, r *http.Request, u *user) {
		for _, t := range s.teams {
			if strconv.Itoa(t.id) == r.PathValue("team") {
				handle(w, r, t, u)
				return
			}
		}
		missing(w)
	})
}

// listInvitationTeams shows no roles.
func (s *Sim) listInvitationTeams(w http.ResponseWriter, r *http.Request) {
	for _, i := range s.pending() {
		if strconv.Itoa(i.id) == r.PathValue("id") {
			out := []map[string]any{}
			for _, t := range s.teams {
				if i.teams[t.id] != "" {
					out = append(out, showTeam(t))
				}
			}
			page(s, w, r, out)
			return
		}
	}
	missing(w)
}

// reaches is somebody's role in a team, or that of a member in one below it.
func (s *Sim) reaches(t *team, u *user) string {
	if role := t.members[u.id]; role != "" {
		return role
	}
	for _, below := range s.teams {
		if below.parent == t && s.reaches(below, u) != "" {
			return "member"
		}
	}
	return ""
}

func (s *Sim) getPlace(w http.ResponseWriter, _ *http.Request, t *team, u *user) {
	role, state := s.reaches(t, u), "active"
	if i := s.invited(u); i != nil && i.teams[t.id] != "" {
		role, state = i.teams[t.id], "pending"
	}
	if role == "" {
		missing(w)
		return
	}
	if m := s.member(u); m != nil && m.role == "admin" {
		role = "maintainer"
	}
	sim.JSON(w, 200, map[string]string{"url": "https://api.github.com/teams/1/memberships/x", "role": role, "state": state})
}

// putPlace invites who is no member.
func (s *Sim) putPlace(w http.ResponseWriter, r *http.Request, t *team, u *user) {
	var in struct {
		Role string `json:"role"`
	}
	if sim.Read(r, &in) != nil || in.Role != "member" && in.Role != "maintainer" {
		fail(w, 422, "Validation Failed", map[string]string{"resource": "TeamMember", "field": "role", "code": "invalid"})
		return
	}
	if t.synced {
		fail(w, 403, "This team is externally managed.")
		return
	}
	state := "active"
	if s.member(u) != nil {
		t.members[u.id] = in.Role
	} else {
		i := s.invited(u)
		if i == nil {
			if !s.may(w) {
				return
			}
			i = s.send(&invitation{user: u, role: "member"})
		}
		i.teams[t.id], state = in.Role, "pending"
	}
	sim.JSON(w, 200, map[string]string{"url": "https://api.github.com/teams/1/memberships/x", "role": in.Role, "state": state})
}

func (s *Sim) deletePlace(w http.ResponseWriter, _ *http.Request, t *team, u *user) {
	if t.synced {
		fail(w, 403, "This team is externally managed.")
		return
	}
	if i := s.invited(u); i != nil && i.teams[t.id] != "" {
		delete(i.teams, t.id)
		w.WriteHeader(204)
		return
	}
	if t.members[u.id] == "" {
		missing(w)
		return
	}
	delete(t.members, u.id)
	w.WriteHeader(204)
}

// seats answers GraphQL's question for the teams of one member: those that are reached, and in each the direct members whom
// a search for the login finds, which looks at the beginning of logins.
func (s *Sim) seats(login string) (nodes []any) {
	for _, t := range s.teams {
		u := s.user(func(u *user) bool { return strings.EqualFold(u.login, login) })
		if u == nil || s.reaches(t, u) == "" {
			continue
		}
		edges := []any{}
		for _, m := range s.members {
			role := t.members[m.user.id]
			if m.role == "admin" && role != "" {
				role = "maintainer"
			}
			if role != "" && strings.HasPrefix(strings.ToLower(m.user.login), strings.ToLower(login)) {
				edges = append(edges, map[string]any{"role": strings.ToUpper(role), "node": map[string]string{"login": m.user.login}})
			}
		}
		nodes = append(nodes, map[string]any{"databaseId": t.id, "slug": t.slug, "members": map[string]any{"edges": edges}})
	}
	return nodes
}

// Synchronise lets the identity provider alone say who is in a team.
func (s *Sim) Synchronise(slug string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.team(slug).synced = true
}

// RenameTeam gives it another name in its address.
func (s *Sim) RenameTeam(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.team(from).slug = to
}

// fineGrained is a personal access token that may do something in the organization; its owner alone sees it, and apps.
type fineGrained struct {
	id    int
	owner *user
}

func (s *Sim) listTokens(w http.ResponseWriter, r *http.Request) {
	if bearerIsPersonal(r) {
		fail(w, 403, "Resource not accessible by personal access token")
		return
	}
	out := []map[string]any{}
	for _, t := range s.tokens {
		if who := r.URL.Query()["owner[]"]; len(who) == 0 || slices.Contains(who, t.owner.login) {
			out = append(out, map[string]any{"id": t.id, "owner": showUser(t.owner), "token_id": t.id, "token_name": "laptop", "token_expired": false})
		}
	}
	page(s, w, r, out)
}

func bearerIsPersonal(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }

func (s *Sim) revokeToken(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Action string `json:"action"`
	}
	i := slices.IndexFunc(s.tokens, func(t *fineGrained) bool { return strconv.Itoa(t.id) == r.PathValue("id") })
	switch {
	case bearerIsPersonal(r):
		fail(w, 403, "Resource not accessible by personal access token")
	case i < 0:
		missing(w)
	case sim.Read(r, &in) != nil || in.Action != "revoke":
		fail(w, 422, "Validation Failed", map[string]string{"field": "action", "code": "invalid"})
	default:
		s.tokens = slices.Delete(s.tokens, i, i+1)
		w.WriteHeader(204)
	}
}
