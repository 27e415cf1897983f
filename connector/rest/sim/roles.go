package sim

import (
	"net/http"
	"strconv"
)

func (s *Sim) offers(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if knows(w, r) {
		page(s, w, r, s.roles)
	}
}

func (s *Sim) held(w http.ResponseWriter, r *http.Request, u *user) {
	out := []role{}
	for _, x := range s.roles {
		if level, ok := u.roles[x.ID]; ok {
			x.Level = level
			out = append(out, x)
		}
	}
	page(s, w, r, out)
}

func (s *Sim) members(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []map[string]any{}
	for _, u := range s.users {
		for id, level := range u.roles {
			if strconv.Itoa(id) == r.PathValue("role") {
				out = append(out, map[string]any{"user": u.ID, "level": level})
			}
		}
	}
	page(s, w, r, out)
}

func (s *Sim) role(w http.ResponseWriter, r *http.Request) (int, bool) {
	for _, x := range s.roles {
		if strconv.Itoa(x.ID) == r.PathValue("role") {
			return x.ID, true
		}
	}
	fail(w, http.StatusNotFound, "NOT_FOUND", "there is no such role")
	return 0, false
}

func (s *Sim) give(w http.ResponseWriter, r *http.Request, u *user) {
	id, ok := s.role(w, r)
	var f struct {
		Level string `json:"level"`
	}
	if !ok || !read(w, r, &f) {
		return
	}
	if f.Level != "reader" && f.Level != "editor" {
		fail(w, http.StatusUnprocessableEntity, "BAD_LEVEL", "level is reader or editor")
		return
	}
	if _, has := u.roles[id]; has && r.Method == http.MethodPost {
		fail(w, http.StatusConflict, "HELD", "the user has it already")
		return
	}
	u.roles[id] = f.Level
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) take(w http.ResponseWriter, r *http.Request, u *user) {
	id, ok := s.role(w, r)
	if !ok {
		return
	}
	if _, has := u.roles[id]; !has {
		fail(w, http.StatusNotFound, "NOT_FOUND", "the user does not have it")
		return
	}
	delete(u.roles, id)
	w.WriteHeader(http.StatusNoContent)
}
