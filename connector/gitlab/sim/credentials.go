package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// credential is a token or key of an enterprise user.
type credential struct {
	id, user int
	what     string // personal_access_tokens or ssh_keys
	name     string
	revoked  bool
}

// Issue gives somebody a personal access token and an SSH key.
func (s *Sim) Issue(email, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(func(u *user) bool { return strings.EqualFold(u.email, email) })
	for _, what := range []string{"personal_access_tokens", "ssh_keys"} {
		s.credentials = append(s.credentials, &credential{id: s.id(), user: u.id, what: what, name: name})
	}
}

// Good counts the tokens and keys of somebody that still open something.
func (s *Sim) Good(email string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(func(u *user) bool { return strings.EqualFold(u.email, email) })
	for _, c := range s.credentials {
		if c.user == u.id && !c.revoked {
			n++
		}
	}
	return n
}

func (s *Sim) listCredentials(w http.ResponseWriter, r *http.Request, _ *group) {
	out := []map[string]any{}
	for _, c := range s.credentials {
		switch {
		case c.what != r.PathValue("what"):
		case c.what == "ssh_keys":
			out = append(out, map[string]any{"id": c.id, "title": c.name, "user_id": c.user, "expires_at": nil, "usage_type": "auth_and_signing"})
		default:
			out = append(out, map[string]any{"id": c.id, "name": c.name, "user_id": c.user, "revoked": c.revoked, "active": !c.revoked, "scopes": []string{"api"}})
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

// deleteCredential: a token stays listed as revoked, a key is gone.
func (s *Sim) deleteCredential(w http.ResponseWriter, r *http.Request, _ *group) {
	i := slices.IndexFunc(s.credentials, func(c *credential) bool {
		return c.what == r.PathValue("what") && strconv.Itoa(c.id) == r.PathValue("credential")
	})
	switch {
	case i < 0:
		say(w, 404, "404 Not found")
		return
	case s.credentials[i].what == "ssh_keys":
		s.credentials = slices.Delete(s.credentials, i, i+1)
	default:
		s.credentials[i].revoked = true
	}
	w.WriteHeader(204)
}
