package sim

import (
	"net/http"
	"slices"

	"github.com/dayone-hq/dayone/connector/sim"
)

// grantedToken is a refresh token that an application holds in a user's name.
type grantedToken struct {
	id, client, name string
}

// Issue gives an application a refresh token in somebody's name, as a sign-in does; a session begins with it.
func (s *Sim) Issue(login, application string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(login)
	if u == nil {
		return ""
	}
	u.sessions++
	t := grantedToken{id: s.ids.Next("oar", 17), client: "0oc" + application, name: application}
	u.tokens = append(u.tokens, t)
	return t.id
}

// Sessions counts what is open in somebody's name: sessions of Okta's own, and tokens.
func (s *Sim) Sessions(login string) (sessions, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(login); u != nil {
		return u.sessions, len(u.tokens)
	}
	return 0, 0
}

// revoke ends sessions, and with oauthTokens=true every token.
func (s *Sim) revoke(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	u.sessions = 0
	if r.URL.Query().Get("oauthTokens") == "true" {
		u.tokens = nil
	}
	w.WriteHeader(204)
}

func (s *Sim) clients(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	out := []map[string]any{}
	for _, t := range u.tokens {
		if !slices.ContainsFunc(out, func(c map[string]any) bool { return c["client_id"] == t.client }) {
			out = append(out, map[string]any{"client_id": t.client, "client_name": t.name, "client_uri": nil, "logo_uri": nil})
		}
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) clientTokens(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	out := []map[string]any{}
	for _, t := range u.tokens {
		if t.client == r.PathValue("client") {
			out = append(out, map[string]any{"id": t.id, "status": "ACTIVE", "clientId": t.client, "userId": u.ID, "scopes": []string{"offline_access"}})
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

// Reopen opens a closed account again, as another administrator would.
func (s *Sim) Reopen(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(login); u != nil {
		u.Status = "ACTIVE"
	}
}
