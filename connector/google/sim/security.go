package sim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/dayone-hq/dayone/connector/sim"
)

const securityScope = "https://www.googleapis.com/auth/admin.directory.user.security"

// Let puts an application that a user let in there, as a consent does; the user is signed in then.
func (s *Sim) Let(id, application string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(id)
	u.grants, u.sessions = append(u.grants, application), u.sessions+1
}

// AppPassword makes an application password in a user's name.
func (s *Sim) AppPassword(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(id)
	u.asps = append(u.asps, name)
}

// Own makes a user an owner of a group.
func (s *Sim) Own(id, group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group(group).members[s.user(id).id] = "OWNER"
}

// Open counts what is open in a user's name: sessions, grants of applications and application passwords.
func (s *Sim) Open(id string) (sessions, grants, passwords int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(id)
	return u.sessions, len(u.grants), len(u.asps)
}

func (s *Sim) withUser(handle func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := s.user(r.PathValue("key"))
		if u == nil {
			missing(w, "userKey")
			return
		}
		handle(w, r, u)
	}
}

func (s *Sim) signOut(w http.ResponseWriter, _ *http.Request, u *user) {
	u.sessions = 0
	w.WriteHeader(204)
}

func (s *Sim) listTokens(w http.ResponseWriter, _ *http.Request, u *user) {
	out := []any{}
	for _, g := range u.grants {
		out = append(out, map[string]any{"kind": "admin#directory#token", "clientId": g + ".apps.googleusercontent.com", "displayText": g, "userKey": u.id, "nativeApp": false, "anonymous": false, "scopes": []string{"openid"}})
	}
	sim.JSON(w, 200, map[string]any{"kind": "admin#directory#tokenList", "items": out})
}

func (s *Sim) deleteToken(w http.ResponseWriter, r *http.Request, u *user) {
	i := slices.IndexFunc(u.grants, func(g string) bool { return g+".apps.googleusercontent.com" == r.PathValue("client") })
	if i < 0 {
		missing(w, "clientId")
		return
	}
	u.grants = slices.Delete(u.grants, i, i+1)
	w.WriteHeader(204)
}

func (s *Sim) listASPs(w http.ResponseWriter, _ *http.Request, u *user) {
	out := []any{}
	for i, name := range u.asps {
		if name == "" {
			continue
		}
		out = append(out, map[string]any{"kind": "admin#directory#asp", "codeId": i, "name": name, "userKey": u.id, "creationTime": "1732000000000", "lastTimeUsed": "0"})
	}
	sim.JSON(w, 200, map[string]any{"kind": "admin#directory#aspList", "items": out})
}

// deleteASP: the codes of the others stay as they are.
func (s *Sim) deleteASP(w http.ResponseWriter, r *http.Request, u *user) {
	i, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || i < 0 || i >= len(u.asps) || u.asps[i] == "" {
		missing(w, "codeId")
		return
	}
	u.asps[i] = ""
	if !slices.ContainsFunc(u.asps, func(name string) bool { return name != "" }) {
		u.asps = nil
	}
	w.WriteHeader(204)
}

func (s *Sim) getMember(w http.ResponseWriter, r *http.Request) {
	g, u := s.group(r.PathValue("group")), s.user(r.PathValue("key"))
	if g == nil || u == nil || g.members[u.id] == "" {
		missing(w, "memberKey")
		return
	}
	sim.JSON(w, 200, map[string]any{"kind": "admin#directory#member", "id": u.id, "email": u.email(), "role": g.members[u.id], "type": "USER", "status": "ACTIVE"})
}

// Disown takes a user out of a group of which she is an owner.
func (s *Sim) Disown(id, group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.group(group).members, s.user(id).id)
}
