package sim

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Sim) named(login string) *user {
	for _, u := range s.users {
		if strings.EqualFold(u.Username, login) {
			return u
		}
	}
	return nil
}

// known is who has a name or an alias.
func (s *Sim) known(name string) *user {
	for _, u := range s.users {
		if strings.EqualFold(u.Username, name) {
			return u
		}
		for _, a := range u.Aliases {
			if strings.EqualFold(a, name) {
				return u
			}
		}
	}
	return nil
}

func (s *Sim) user(w http.ResponseWriter, r *http.Request) *user {
	for _, u := range s.users {
		if u.ID == r.PathValue("id") {
			return u
		}
	}
	s.fail(w, 40401, "Resource not found", "")
	return nil
}

func (s *Sim) born(login string) *user {
	u := &user{
		ID: s.ids.Next("DU", 18), Username: login, Status: "active", Created: s.opt.Time().Unix(), Aliases: map[string]string{},
		Groups: []*group{}, Phones: []*phone{}, Tokens: []any{},
	}
	s.users = append(s.users, u)
	return u
}

func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	out := []*user{}
	name, email := r.Form.Get("username"), r.Form.Get("email")
	for _, u := range s.users {
		if (name == "" || s.known(name) == u) && (email == "" || strings.EqualFold(email, u.Email)) {
			out = append(out, u)
		}
	}
	page(s, w, r, out)
}

func (s *Sim) getUser(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil {
		s.ok(w, u)
	}
}

// room says whether one more user is allowed under this name.
func (s *Sim) room(w http.ResponseWriter, login string) bool {
	switch {
	case login == "":
		s.fail(w, 40001, "Missing required request parameters", "username")
	case s.known(login) != nil:
		s.fail(w, 40003, "User already exists", "")
	case s.opt.Seats > 0 && len(s.users) >= s.opt.Seats:
		s.fail(w, 40002, "Invalid request parameters", "The user limit of this account is reached")
	default:
		return true
	}
	return false
}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	if !s.room(w, r.Form.Get("username")) || !s.valid(w, r.Form, nil) {
		return
	}
	u := s.born(r.Form.Get("username"))
	s.set(u, r.Form)
	s.ok(w, u)
}

// enroll makes a user of name and address alone, and mails a link.
func (s *Sim) enroll(w http.ResponseWriter, r *http.Request) {
	email := r.Form.Get("email")
	if n, err := strconv.Atoi(r.Form.Get("valid_secs")); !strings.Contains(email, "@") || err != nil || n < 0 {
		s.fail(w, 40002, "Invalid request parameters", "email")
		return
	}
	if !s.room(w, r.Form.Get("username")) {
		return
	}
	u := s.born(r.Form.Get("username"))
	u.Email = email
	s.mails = append(s.mails, email)
	s.ok(w, s.ids.Next("enrol-", 16))
}

// valid checks fields before anything is changed; u is nil for a new user.
func (s *Sim) valid(w http.ResponseWriter, in url.Values, u *user) bool {
	if st := in.Get("status"); st != "" && !slices.Contains([]string{"active", "bypass", "disabled"}, st) {
		s.fail(w, 40002, "Invalid request parameters", "status")
		return false
	}
	names := []string{in.Get("username")}
	aliases, err := url.ParseQuery(in.Get("aliases"))
	if err != nil {
		s.fail(w, 40002, "Invalid request parameters", "aliases")
		return false
	}
	for k := range aliases {
		names = append(names, aliases.Get(k))
	}
	for _, n := range names {
		if o := s.known(n); n != "" && o != nil && o != u {
			s.fail(w, 40003, "Username or alias already exists", n)
			return false
		}
	}
	return true
}

func (s *Sim) set(u *user, in url.Values) {
	for name, to := range map[string]*string{"username": &u.Username, "email": &u.Email, "firstname": &u.First, "lastname": &u.Last, "realname": &u.Real, "status": &u.Status} {
		if in.Has(name) {
			*to = in.Get(name)
		}
	}
	aliases, _ := url.ParseQuery(in.Get("aliases"))
	for k := range aliases {
		if u.Aliases[k] = aliases.Get(k); u.Aliases[k] == "" {
			delete(u.Aliases, k)
		}
	}
}

// own says whether a user is ours to change: a directory's is not.
func (s *Sim) own(w http.ResponseWriter, u *user) bool {
	if u.Synced != nil {
		s.fail(w, 40002, "Invalid request parameters", "User is managed by directory sync")
		return false
	}
	return true
}

func (s *Sim) updateUser(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil && s.own(w, u) && s.valid(w, r.Form, u) {
		if u.Status == "pending deletion" && r.Form.Has("status") {
			s.fail(w, 40002, "Invalid request parameters", "status")
			return
		}
		s.set(u, r.Form)
		s.ok(w, u)
	}
}

func (s *Sim) deleteUser(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil && s.own(w, u) {
		s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
		s.ok(w, "")
	}
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) { page(s, w, r, s.groups) }

func (s *Sim) join(w http.ResponseWriter, r *http.Request) {
	u := s.user(w, r)
	if u == nil || !s.own(w, u) {
		return
	}
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.ID == r.Form.Get("group_id") })
	if i < 0 {
		s.fail(w, 40002, "Invalid request parameters", "group_id")
		return
	}
	if !slices.Contains(u.Groups, s.groups[i]) {
		u.Groups = append(u.Groups, s.groups[i])
	}
	s.ok(w, "")
}

func (s *Sim) part(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil && s.own(w, u) {
		u.Groups = slices.DeleteFunc(u.Groups, func(g *group) bool { return g.ID == r.PathValue("gid") })
		s.ok(w, "")
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// shown is a phone with those who have it.
func (s *Sim) shown(p *phone) map[string]any {
	in := []map[string]string{}
	for _, u := range s.users {
		if slices.Contains(u.Phones, p) {
			in = append(in, map[string]string{"user_id": u.ID, "username": u.Username})
		}
	}
	return map[string]any{"phone_id": p.ID, "number": p.Number, "type": p.Type, "platform": p.Platform, "activated": p.Activated, "users": in}
}

func (s *Sim) phone(w http.ResponseWriter, id string) *phone {
	for _, p := range s.phones {
		if p.ID == id {
			return p
		}
	}
	s.fail(w, 40401, "Resource not found", "")
	return nil
}

func (s *Sim) listPhones(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, p := range s.phones {
		if n := r.Form.Get("number"); n == "" || n == p.Number {
			out = append(out, s.shown(p))
		}
	}
	page(s, w, r, out)
}

func (s *Sim) createPhone(w http.ResponseWriter, r *http.Request) {
	n := r.Form.Get("number")
	if !e164.MatchString(n) {
		s.fail(w, 40002, "Invalid request parameters", "number")
		return
	}
	if slices.ContainsFunc(s.phones, func(p *phone) bool { return p.Number == n }) {
		s.fail(w, 40003, "Phone already exists", "")
		return
	}
	p := &phone{ID: s.ids.Next("DP", 18), Number: n, Type: r.Form.Get("type"), Platform: r.Form.Get("platform")}
	s.phones = append(s.phones, p)
	s.ok(w, s.shown(p))
}

func (s *Sim) getPhone(w http.ResponseWriter, r *http.Request) {
	if p := s.phone(w, r.PathValue("pid")); p != nil {
		s.ok(w, s.shown(p))
	}
}

func (s *Sim) deletePhone(w http.ResponseWriter, r *http.Request) {
	if p := s.phone(w, r.PathValue("pid")); p != nil {
		s.phones = slices.DeleteFunc(s.phones, func(o *phone) bool { return o == p })
		for _, u := range s.users {
			u.Phones = slices.DeleteFunc(u.Phones, func(o *phone) bool { return o == p })
		}
		s.ok(w, "")
	}
}

func (s *Sim) give(w http.ResponseWriter, r *http.Request) {
	u := s.user(w, r)
	if u == nil {
		return
	}
	p := s.phone(w, r.Form.Get("phone_id"))
	if p == nil {
		return
	}
	if !slices.Contains(u.Phones, p) {
		u.Phones = append(u.Phones, p)
	}
	u.Enrolled = true
	s.ok(w, "")
}

func (s *Sim) take(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil {
		u.Phones = slices.DeleteFunc(u.Phones, func(p *phone) bool { return p.ID == r.PathValue("pid") })
		u.Enrolled = len(u.Phones)+len(u.Tokens) > 0
		s.ok(w, "")
	}
}

func (s *Sim) listCodes(w http.ResponseWriter, r *http.Request) {
	if u := s.user(w, r); u != nil {
		page(s, w, r, append([]*bypass{}, u.codes...))
	}
}

// setCodes takes the place of all that were there.
func (s *Sim) setCodes(w http.ResponseWriter, r *http.Request) {
	u := s.user(w, r)
	if u == nil {
		return
	}
	seconds, err := strconv.Atoi(r.Form.Get("valid_secs"))
	reuse, err2 := strconv.Atoi(r.Form.Get("reuse_count"))
	if err != nil || err2 != nil || r.Form.Get("codes") == "" {
		s.fail(w, 40002, "Invalid request parameters", "codes")
		return
	}
	u.codes = nil
	codes := strings.Split(r.Form.Get("codes"), ",")
	for _, c := range codes {
		u.codes = append(u.codes, &bypass{ID: s.ids.Next("DB", 18), Left: reuse, text: c, end: s.opt.Time().Add(time.Duration(seconds) * time.Second)})
	}
	s.ok(w, codes)
}

func (s *Sim) deleteCode(w http.ResponseWriter, r *http.Request) {
	for _, u := range s.users {
		if i := slices.IndexFunc(u.codes, func(b *bypass) bool { return b.ID == r.PathValue("id") }); i >= 0 {
			u.codes = slices.Delete(u.codes, i, i+1)
			s.ok(w, "")
			return
		}
	}
	s.fail(w, 40401, "Resource not found", "")
}
