package sim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

type group struct {
	ID      string            `json:"id"`
	Email   string            `json:"email"`
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	members map[string]string // user id: role
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var who *user
	if key := q.Get("userKey"); key != "" {
		if who = s.seen(key); who == nil {
			missing(w, "userKey")
			return
		}
	} else if q.Get("customer") != "my_customer" && q.Get("customer") != customer {
		fail(w, 400, "badRequest", "Bad Request")
		return
	}
	var out []any
	for _, g := range s.groups {
		if who == nil || g.members[who.id] != "" {
			out = append(out, g)
		}
	}
	s.page(w, r, "groups", 200, out)
}

func (s *Sim) group(key string) *group {
	for _, g := range s.groups {
		if g.ID == key || strings.EqualFold(g.Email, key) {
			return g
		}
	}
	return nil
}

func (s *Sim) insertMember(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Role  string `json:"role"`
	}
	g := s.group(r.PathValue("group"))
	switch {
	case g == nil:
		missing(w, "groupKey")
		return
	case sim.Read(r, &in) != nil || in.ID == "" && in.Email == "":
		fail(w, 400, "required", "Missing required field: member")
		return
	case !slices.Contains([]string{"", "MEMBER", "MANAGER", "OWNER"}, in.Role):
		fail(w, 400, "invalid", "Invalid Input: role")
		return
	}
	u := s.seen(cmp.Or(in.ID, in.Email))
	switch {
	case u == nil:
		missing(w, "memberKey")
	case g.members[u.id] != "":
		fail(w, 409, "duplicate", "Member already exists.")
	default:
		g.members[u.id] = cmp.Or(in.Role, "MEMBER")
		sim.JSON(w, 200, map[string]any{"kind": "admin#directory#member", "id": u.id, "email": u.email(), "role": g.members[u.id], "type": "USER", "status": "ACTIVE"})
	}
}

func (s *Sim) deleteMember(w http.ResponseWriter, r *http.Request) {
	g, u := s.group(r.PathValue("group")), s.user(r.PathValue("key"))
	switch {
	case g == nil:
		missing(w, "groupKey")
	case u == nil || g.members[u.id] == "":
		missing(w, "memberKey")
	default:
		delete(g.members, u.id)
		w.WriteHeader(204)
	}
}
