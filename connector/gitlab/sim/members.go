package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// withMember finds a user who is a direct member.
func (s *Sim) withMember(handle func(http.ResponseWriter, *http.Request, *group, *user)) http.HandlerFunc {
	return s.withGroup(func(w http.ResponseWriter, r *http.Request, g *group) {
		u := s.user(func(u *user) bool { return strconv.Itoa(u.id) == r.PathValue("user") })
		if u == nil || u.levels[g.id] == 0 {
			say(w, 404, "404 Not found")
			return
		}
		handle(w, r, g, u)
	})
}

func showMember(u *user, g *group) map[string]any {
	return map[string]any{
		"id": u.id, "username": u.username, "name": u.name, "state": "active", "access_level": u.levels[g.id], "expires_at": nil,
		"membership_state": "active", "group_saml_identity": nil,
	}
}

func (s *Sim) getMember(w http.ResponseWriter, _ *http.Request, g *group, u *user) {
	sim.JSON(w, 200, showMember(u, g))
}

// Invite lets a group outside into one of ours, with somebody in it: closing her account does not end that.
func (s *Sim) Invite(path, email string, level int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, u := s.group(top+"/"+path), s.user(func(u *user) bool { return u.email == email })
	if u.invited == nil {
		u.invited = map[int]int{}
	}
	u.invited[g.id] = level
}

// reaches is the highest level at which a user gets to a group; 0: not at all.
func reaches(u *user, g *group) (level int) {
	for at := g; at != nil; at = at.parent {
		if l := max(u.levels[at.id], u.invited[at.id]); l > level && (l > minimal || at == g) { // minimal access is not inherited
			level = l
		}
	}
	return level
}

// getAnyMember shows members of a group's own, of the groups above it, and of groups that were invited.
func (s *Sim) getAnyMember(w http.ResponseWriter, r *http.Request, g *group) {
	u := s.user(func(u *user) bool { return strconv.Itoa(u.id) == r.PathValue("user") })
	level := 0
	if u != nil {
		level = reaches(u, g)
	}
	if level == 0 {
		say(w, 404, "404 Not found")
		return
	}
	sim.JSON(w, 200, map[string]any{"id": u.id, "username": u.username, "name": u.name, "state": "active", "access_level": level, "expires_at": nil})
}

// Orphan takes the group from whoever made it: only those who are members now may own anything.
func (s *Sim) Orphan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.founder.levels)
}

// listMembers shows everybody whom getAnyMember shows, and the bot whose token we use.
func (s *Sim) listMembers(w http.ResponseWriter, r *http.Request, g *group) {
	all := []map[string]any{{"id": 2, "username": fmt.Sprintf("group_%d_bot_5f3e", s.groups[0].id), "name": "dayone", "state": "active", "access_level": 50}}
	for _, u := range append([]*user{s.founder}, s.users...) {
		if level := reaches(u, g); level != 0 {
			all = append(all, map[string]any{"id": u.id, "username": u.username, "name": u.name, "state": "active", "access_level": level})
		}
	}
	page(w, r, s.opt.PageSize(), all)
}

type membership struct {
	UserID      int    `json:"user_id"`
	AccessLevel int    `json:"access_level"`
	ExpiresAt   string `json:"expires_at"`
}

func (s *Sim) addMember(w http.ResponseWriter, r *http.Request, g *group) {
	var in membership
	if sim.Read(r, &in) != nil {
		sim.JSON(w, 400, map[string]string{"error": "user_id is invalid"})
		return
	}
	u := s.user(func(u *user) bool { return u.id == in.UserID })
	switch {
	case u == nil:
		say(w, 404, "404 User Not Found")
	case u.levels[g.id] != 0:
		say(w, 409, "Member already exists")
	case s.full(u):
		say(w, 400, "There are not enough available seats to invite this user.")
	case s.may(w, g, u, in.AccessLevel):
		u.levels[g.id] = in.AccessLevel
		sim.JSON(w, 201, showMember(u, g))
	}
}

// full says that one more who uses a seat is one too many. Minimal access uses none.
func (s *Sim) full(one *user) bool {
	used := 0
	for _, u := range s.users {
		for _, l := range u.levels {
			if l > minimal {
				if used++; u == one {
					return false
				}
				break
			}
		}
	}
	return s.opt.Seats > 0 && used >= s.opt.Seats
}

// may answers if the level is none, or lower than one that is inherited.
func (s *Sim) may(w http.ResponseWriter, g *group, u *user, level int) bool {
	if levels[level] == "" {
		sim.JSON(w, 400, map[string]string{"error": "access_level does not have a valid value"})
		return false
	}
	for up := g.parent; up != nil; up = up.parent {
		if u.levels[up.id] > level {
			say(w, 400, map[string][]string{"access_level": {
				fmt.Sprintf("should be greater than or equal to %s inherited membership from group %s", levels[u.levels[up.id]], up.path),
			}})
			return false
		}
	}
	return true
}

func (s *Sim) editMember(w http.ResponseWriter, r *http.Request, g *group, u *user) {
	var in membership
	if sim.Read(r, &in) != nil {
		sim.JSON(w, 400, map[string]string{"error": "access_level is missing"})
		return
	}
	if s.may(w, g, u, in.AccessLevel) {
		u.levels[g.id] = in.AccessLevel
		sim.JSON(w, 200, showMember(u, g))
	}
}

// removeMember takes the memberships below as well, unless it is told not to.
func (s *Sim) removeMember(w http.ResponseWriter, r *http.Request, g *group, u *user) {
	delete(u.levels, g.id)
	if r.URL.Query().Get("skip_subresources") != "true" {
		for _, d := range s.groups {
			if strings.HasPrefix(d.path, g.path+"/") {
				delete(u.levels, d.id)
			}
		}
	}
	w.WriteHeader(204)
}
