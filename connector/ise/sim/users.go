package sim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Internal users.

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	keep, ok := s.keeps(w, r)
	if !ok {
		return
	}
	var out []map[string]any
	for _, u := range s.users {
		if u.hidden > 0 {
			u.hidden--
			continue
		}
		if keep(map[string]string{"name": u.Name, "description": u.Description, "email": u.Email, "firstName": u.First, "lastName": u.Last}) {
			out = append(out, map[string]any{"id": u.ID, "name": u.Name, "description": u.Description, "link": map[string]string{"rel": "self", "href": "https://ise-pan.internal:9060" + r.URL.Path + "/" + u.ID}})
		}
	}
	s.page(w, r, out)
}

func (s *Sim) user(w http.ResponseWriter, r *http.Request) *user {
	for _, u := range s.users {
		if u.ID != r.PathValue("id") {
			continue
		}
		if u.hidden == 0 {
			return u
		}
		u.hidden--
	}
	s.fail(w, r, 404, "Resource not found")
	return nil
}

func (s *Sim) get(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil {
		shown := *u
		shown.Password, shown.Enable = "*******", "*******"
		sim.JSON(w, 200, map[string]any{"InternalUser": shown})
	}
}

// good refuses what ISE refuses; u is nil for a new user.
func (s *Sim) good(w http.ResponseWriter, r *http.Request, in *user, u *user) bool {
	switch {
	case in.Name == "" || strings.ContainsAny(in.Name, `<>"'|;,=`):
		s.fail(w, r, 400, "Validation Error - Illegal values: [User Name]")
	case slices.ContainsFunc(s.users, func(o *user) bool { return o != u && strings.EqualFold(o.Name, in.Name) }):
		s.fail(w, r, 500, "User already exists")
	case u == nil && (len(in.Password) < 8 || strings.Contains(in.Password, in.Name)), u != nil && strings.Trim(in.Password, "*") == "" && in.Password != "":
		s.fail(w, r, 400, "Password does not meet the policy")
	case u == nil && s.opt.Seats > 0 && len(s.users) >= s.opt.Seats:
		s.fail(w, r, 400, "The maximum number of internal users is reached")
	default:
		for _, id := range strings.FieldsFunc(in.Groups, func(c rune) bool { return c == ',' }) {
			if !slices.ContainsFunc(s.groups, func(g *group) bool { return g.ID == id }) {
				s.fail(w, r, 400, "Identity group does not exist")
				return false
			}
		}
		return true
	}
	return false
}

type wrapped struct {
	User *user `json:"InternalUser"`
}

// create answers with a location and no body.
func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	in := wrapped{&user{Enabled: true}}
	if sim.Read(r, &in) != nil || in.User == nil || in.User.ID != "" {
		s.fail(w, r, 400, "Request body is not valid")
		return
	}
	if !s.good(w, r, in.User, nil) {
		return
	}
	in.User.ID, in.User.created, in.User.hidden = s.id(), s.opt.Time(), s.opt.Lag
	s.users = append(s.users, in.User)
	w.Header().Set("Location", "https://ise-pan.internal:9060"+r.URL.Path+"/"+in.User.ID)
	w.WriteHeader(http.StatusCreated)
}

// update writes the whole user: what is missing is empty, but the password.
func (s *Sim) update(w http.ResponseWriter, r *http.Request) {
	u := s.user(w, r)
	if u == nil {
		return
	}
	in := wrapped{&user{}}
	if sim.Read(r, &in) != nil || in.User == nil || in.User.ID != u.ID {
		s.fail(w, r, 400, "Request body is not valid")
		return
	}
	if !s.good(w, r, in.User, u) {
		return
	}
	was := *u
	*u = *in.User
	u.created = was.created
	if u.Password == "" {
		u.Password = was.Password
	}
	sim.JSON(w, 200, map[string]any{"UpdatedFieldsList": map[string]any{"updatedField": []any{}}})
}

func (s *Sim) delete(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil {
		s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
		w.WriteHeader(http.StatusNoContent)
	}
}
