package sim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

func (s *Sim) userGroups(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	var out []*group
	for _, g := range s.groups {
		if g.members[u.ID] {
			out = append(out, g)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	page(w, r, s.opt.PageSize(), s.groups)
}

func (s *Sim) member(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.ID == r.PathValue("gid") })
	if i < 0 {
		s.missing(w, r.PathValue("gid"), "UserGroup")
		return
	}
	u := s.user(r.PathValue("id"))
	if u == nil || u.ID != r.PathValue("id") {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	if s.groups[i].Type != "OKTA_GROUP" {
		s.fail(w, 403, "E0000006", "You do not have permission to perform the requested action")
		return
	}
	if r.Method == "PUT" {
		s.groups[i].members[u.ID] = true
	} else {
		delete(s.groups[i].members, u.ID)
	}
	w.WriteHeader(204)
}

func (s *Sim) listApps(w http.ResponseWriter, r *http.Request) {
	var out []*app
	who, byUser := strings.CutPrefix(r.URL.Query().Get("filter"), `user.id eq "`)
	for _, a := range s.apps {
		if _, has := a.users[strings.TrimSuffix(who, `"`)]; !byUser || has {
			out = append(out, a)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) assign(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID    string `json:"id"`
		Scope string `json:"scope"`
	}
	i := slices.IndexFunc(s.apps, func(a *app) bool { return a.ID == r.PathValue("aid") })
	if i < 0 {
		s.missing(w, r.PathValue("aid"), "AppInstance")
		return
	}
	if sim.Read(r, &in) != nil || in.ID == "" {
		s.fail(w, 400, "E0000003", "The request body was not well-formed.")
		return
	}
	u := s.user(in.ID)
	if u == nil {
		s.missing(w, in.ID, "User")
		return
	}
	s.apps[i].users[u.ID] = "PENDING"
	s.pushTo(s.apps[i], u)
	sim.JSON(w, 200, map[string]any{"id": u.ID, "scope": "USER", "status": "PROVISIONED", "created": s.opt.Time(), "credentials": map[string]string{"userName": u.Profile["login"]}})
}

func (s *Sim) unassign(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.apps, func(a *app) bool { return a.ID == r.PathValue("aid") })
	if i < 0 {
		s.missing(w, r.PathValue("aid"), "AppInstance")
		return
	}
	if _, has := s.apps[i].users[r.PathValue("id")]; !has {
		s.missing(w, r.PathValue("id"), "AppUser")
		return
	}
	if u := s.user(r.PathValue("id")); u != nil {
		off := *u
		off.Status = "DEPROVISIONED" // taken away: deactivated there
		s.pushTo(s.apps[i], &off)
	}
	delete(s.apps[i].users, r.PathValue("id"))
	w.WriteHeader(204)
}
