package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

// invitation to the organization, by login or by mail address.
type invitation struct {
	id      int
	user    *user // nil: by mail address
	email   string
	role    string
	scim    bool
	teams   map[int]string
	created time.Time
}

// lasts is how long an invitation is open.
const lasts = 7 * 24 * time.Hour

func (s *Sim) ranOut(i *invitation) bool { return !s.opt.Time().Before(i.created.Add(lasts)) }

func (s *Sim) pending() (out []*invitation) {
	for _, i := range s.invitations {
		if !s.ranOut(i) {
			out = append(out, i)
		}
	}
	return out
}

// open is the invitation to a mail address that can still be accepted.
func (s *Sim) open(email string) *invitation {
	for _, i := range s.pending() {
		if i.user == nil && strings.EqualFold(i.email, email) {
			return i
		}
	}
	return nil
}

// invited is the open invitation of an account.
func (s *Sim) invited(u *user) *invitation {
	for _, i := range s.pending() {
		if i.user == u {
			return i
		}
	}
	return nil
}

func (s *Sim) member(u *user) *member {
	for _, m := range s.members {
		if m.user == u {
			return m
		}
	}
	return nil
}

// may answers if an invitation more is one too many.
func (s *Sim) may(w http.ResponseWriter) bool {
	now := s.opt.Time()
	s.sent = slices.DeleteFunc(s.sent, func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
	switch {
	case s.opt.Seats > 0 && len(s.members)-1+len(s.pending()) >= s.opt.Seats:
		fail(w, 422, "You must purchase at least one more seat to add this user as a member.", map[string]string{"code": "no_seat", "field": "user"})
		return false
	case len(s.sent) >= s.daily:
		fail(w, 422, "Validation Failed", map[string]string{
			"resource": "OrganizationInvitation", "code": "unprocessable", "field": "data", "message": "Over invitation rate limit",
		})
		return false
	}
	s.sent = append(s.sent, now)
	return true
}

// send makes an invitation in the place of one that ran out.
func (s *Sim) send(i *invitation) *invitation {
	s.invitations = slices.DeleteFunc(s.invitations, func(o *invitation) bool {
		return o.user == i.user && strings.EqualFold(o.email, i.email)
	})
	i.id, i.created, i.teams = s.id(), s.opt.Time(), map[int]string{}
	s.invitations = append(s.invitations, i)
	return i
}

func showMembership(u *user, state, role string, via []string, direct bool) map[string]any {
	out := map[string]any{"url": "https://api.github.com/orgs/" + org + "/memberships/" + u.login, "state": state, "role": role, "user": showUser(u), "direct_membership": direct}
	if len(via) > 0 {
		out["enterprise_teams_providing_indirect_membership"] = via
	}
	return out
}

func (s *Sim) getMembership(w http.ResponseWriter, _ *http.Request, u *user) {
	if m := s.member(u); m != nil {
		sim.JSON(w, 200, showMembership(u, "active", m.role, m.via, !m.only))
		return
	}
	if i := s.invited(u); i != nil {
		sim.JSON(w, 200, showMembership(u, "pending", i.role, nil, true))
		return
	}
	missing(w)
}

func (s *Sim) putMembership(w http.ResponseWriter, r *http.Request, u *user) {
	var in struct {
		Role string `json:"role"`
	}
	if sim.Read(r, &in) != nil || in.Role != "member" && in.Role != "admin" {
		fail(w, 422, "Validation Failed", map[string]string{"resource": "Membership", "field": "role", "code": "invalid"})
		return
	}
	if m := s.member(u); m != nil {
		m.role, m.only = in.Role, false
		sim.JSON(w, 200, showMembership(u, "active", m.role, m.via, true))
		return
	}
	if i := s.invited(u); i != nil {
		i.role = in.Role
	} else if s.may(w) {
		s.send(&invitation{user: u, role: in.Role})
	} else {
		return
	}
	sim.JSON(w, 200, showMembership(u, "pending", in.Role, nil, true))
}

// leave takes somebody out of everything that the organization has.
func (s *Sim) leave(u *user) {
	s.members = slices.DeleteFunc(s.members, func(m *member) bool { return m.user == u })
	for _, t := range s.teams {
		delete(t.members, u.id)
	}
}

func (s *Sim) deleteMembership(w http.ResponseWriter, _ *http.Request, u *user) {
	m, i := s.member(u), s.invited(u)
	switch {
	case m != nil && m.role == "admin" && s.owners() == 1:
		fail(w, 403, "You cannot remove the last owner of the organization.")
		return
	case m != nil && m.only:
		missing(w)
		return
	case m != nil && len(m.via) > 0:
		m.only = true
	case m != nil:
		s.leave(u)
	case i != nil:
		s.invitations = slices.DeleteFunc(s.invitations, func(o *invitation) bool { return o == i })
	default: // also when an invitation ran out
		missing(w)
		return
	}
	w.WriteHeader(204)
}

func (s *Sim) owners() (n int) {
	for _, m := range s.members {
		if m.role == "admin" {
			n++
		}
	}
	return n
}

func (s *Sim) listMembers(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, m := range s.members {
		if role := r.URL.Query().Get("role"); role == "" || role == "all" || role == m.role {
			out = append(out, showUser(m.user))
		}
	}
	page(s, w, r, out)
}

func (s *Sim) showInvitation(i *invitation) map[string]any {
	out := map[string]any{
		"id": i.id, "login": nil, "email": nil, "role": "direct_member", "created_at": i.created.Format(time.RFC3339), "failed_at": nil, "failed_reason": nil,
		"inviter": showUser(s.members[0].user), "team_count": len(i.teams), "invitation_source": "member",
	}
	if i.user != nil {
		out["login"] = i.user.login
	} else {
		out["email"] = i.email
	}
	if i.role == "admin" {
		out["role"] = "admin"
	}
	if i.scim {
		out["invitation_source"] = "scim"
	}
	return out
}

func (s *Sim) listInvitations(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, i := range s.pending() {
		out = append(out, s.showInvitation(i))
	}
	page(s, w, r, out)
}

func (s *Sim) listFailed(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, i := range s.invitations {
		if s.ranOut(i) {
			m := s.showInvitation(i)
			m["failed_at"], m["failed_reason"] = i.created.Add(lasts).Format(time.RFC3339), "Invitation expired. User did not accept this invite for 7 days."
			out = append(out, m)
		}
	}
	page(s, w, r, out)
}

// invite is by mail address.
func (s *Sim) invite(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Email string `json:"email"`
		Role  string `json:"role"`
	}
	refuse := func(text string) {
		fail(w, 422, "Validation Failed", map[string]string{"resource": "OrganizationInvitation", "code": "unprocessable", "field": "data", "message": text})
	}
	switch {
	case sim.Read(r, &in) != nil || !strings.Contains(in.Email, "@"):
		refuse("Email is invalid")
	case s.open(in.Email) != nil:
		refuse("A user with this email address was already invited")
	case slices.ContainsFunc(s.members, func(m *member) bool { return strings.EqualFold(m.user.email, in.Email) }):
		refuse("Invitee is already a part of this organization")
	case s.may(w):
		sim.JSON(w, 201, s.showInvitation(s.send(&invitation{email: in.Email, role: "member"})))
	}
}

func (s *Sim) listOutside(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, u := range s.outside {
		out = append(out, showUser(u))
	}
	page(s, w, r, out)
}

func (s *Sim) deleteOutside(w http.ResponseWriter, _ *http.Request, u *user) {
	if s.member(u) != nil {
		fail(w, 422, "You cannot specify an organization member to remove as an outside collaborator.")
		return
	}
	s.outside = slices.DeleteFunc(s.outside, func(o *user) bool { return o == u })
	w.WriteHeader(204)
}

// Accept is somebody who accepts the invitation of their login; it is not possible once it ran out.
func (s *Sim) Accept(login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.account(login, "")
	i := s.invited(u)
	if i == nil {
		return false
	}
	s.join(u, i)
	return true
}

func (s *Sim) join(u *user, i *invitation) {
	s.members = append(s.members, &member{user: u, role: i.role})
	for id, role := range i.teams {
		s.teamByID(id).members[u.id] = role
	}
	s.invitations = slices.DeleteFunc(s.invitations, func(o *invitation) bool { return o == i })
}

// Decline is somebody who does not, or an owner who cancels it.
func (s *Sim) Decline(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.account(login, "")
	s.invitations = slices.DeleteFunc(s.invitations, func(o *invitation) bool { return o.user == u })
}

// Limit is how many invitations may be sent in a day.
func (s *Sim) Limit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.daily = n
}

// Collaborate gives somebody access to a repository without making them a member, and says who that is.
func (s *Sim) Collaborate(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.account(login, "")
	s.outside = append(s.outside, u)
	return strconv.Itoa(u.id)
}

// Enterprise makes a member one through a team of the enterprise as well.
func (s *Sim) Enterprise(login, team string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.member(s.account(login, ""))
	m.via = append(m.via, team)
}

// Own makes a member an owner, and the founder none.
func (s *Sim) Own(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[0].role = "member"
	s.member(s.account(login, "")).role = "admin"
}

// Role of a member; "": none.
func (s *Sim) Role(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.member(s.account(login, "")); m != nil {
		return m.role
	}
	return ""
}
