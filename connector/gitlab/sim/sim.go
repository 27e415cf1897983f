// Package sim is a gitlab.com with one top-level group: accounts that belong to gitlab.com and are tied to the group by
// SCIM, a SAML identity that only the first sign-in makes, roles that may not be lower below than above, pages by
// X-Next-Page and the many shapes of GitLab's errors.
package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	token     = "glpat-sim-gitlab-owner"
	scimToken = "sim-gitlab-scim-token"
	top       = "acme"
	scimBase  = "/api/scim/v2/groups/" + top + "/Users"

	// What SCIM gives in the top-level group: no more than to be seen in it.
	minimal = 5
)

var levels = map[int]string{minimal: "minimal", 10: "guest", 15: "planner", 20: "reporter", 30: "developer", 40: "maintainer", 50: "owner"}

// user is an account of gitlab.com.
type user struct {
	id       int
	username string
	name     string
	email    string
	created  time.Time
	signedIn time.Time // last sign-in; zero: never
	saml     string    // external id of the SAML identity; "": not linked
	scim     *identity
	levels   map[int]int // access level by group id
	invited  map[int]int // and what a group outside brings that was invited, by group id
}

type identity struct {
	uid    string
	active bool
}

type group struct {
	id     int
	path   string // whole
	parent *group
}

// Sim is gitlab.com.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu          sync.Mutex
	lastID      int
	users       []*user
	founder     *user // made the group and owns it; known to nobody's SCIM
	credentials []*credential
	groups      []*group // the top-level one first
}

var _ sim.Simulator = (*Sim)(nil)

// New makes a group acme with the subgroups of the examples, or those of o.Names["group"]: "platform", "platform/infra".
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, lastID: 1000}
	s.groups = []*group{{id: s.id(), path: top}}
	s.founder = &user{id: 1, username: "founder", name: "Somebody Else", email: "founder@acme.example", levels: map[int]int{s.groups[0].id: 50}}
	names := []string{"customer-solutions", "platform"}
	if o.Names != nil {
		names = o.Names["group"]
	}
	for _, n := range names {
		g := &group{id: s.id(), path: top + "/" + n}
		g.parent = s.group(g.path[:strings.LastIndex(g.path, "/")])
		s.groups = append(s.groups, g)
	}
	scim := http.NewServeMux()
	scim.HandleFunc("GET "+scimBase, s.listSCIM)
	scim.HandleFunc("POST "+scimBase, s.createSCIM)
	scim.HandleFunc("GET "+scimBase+"/{uid}", s.withSCIM(s.getSCIM))
	scim.HandleFunc("PATCH "+scimBase+"/{uid}", s.withSCIM(s.patchSCIM))
	scim.HandleFunc("DELETE "+scimBase+"/{uid}", s.withSCIM(s.deleteSCIM))
	scim.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		sim.JSON(w, 404, map[string]string{"error": "404 Not Found"})
	})
	rest := http.NewServeMux()
	rest.HandleFunc("GET /api/v4/groups/{id}/descendant_groups", s.withGroup(s.descendants))
	rest.HandleFunc("GET /api/v4/groups/{id}/saml_users", s.withGroup(s.samlUsers))
	rest.HandleFunc("GET /api/v4/groups/{id}/scim/{uid}", s.withGroup(s.scimIdentity))
	rest.HandleFunc("POST /api/v4/groups/{id}/members", s.withGroup(s.addMember))
	rest.HandleFunc("GET /api/v4/groups/{id}/members/{user}", s.withMember(s.getMember))
	rest.HandleFunc("GET /api/v4/groups/{id}/members/all/{user}", s.withGroup(s.getAnyMember))
	rest.HandleFunc("GET /api/v4/groups/{id}/members/all", s.withGroup(s.listMembers))
	rest.HandleFunc("PUT /api/v4/groups/{id}/members/{user}", s.withMember(s.editMember))
	rest.HandleFunc("DELETE /api/v4/groups/{id}/members/{user}", s.withMember(s.removeMember))
	rest.HandleFunc("GET /api/v4/groups/{id}/manage/{what}", s.withGroup(s.listCredentials))
	rest.HandleFunc("DELETE /api/v4/groups/{id}/manage/{what}/{credential}", s.withGroup(s.deleteCredential))
	rest.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		sim.JSON(w, 404, map[string]string{"error": "404 Not Found"})
	})
	s.next = s.door.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("RateLimit-Limit", "2000")
		w.Header().Set("RateLimit-Remaining", "1999")
		w.Header().Set("RateLimit-Reset", strconv.FormatInt(s.opt.Time().Add(time.Minute).Unix(), 10))
		s.mu.Lock()
		defer s.mu.Unlock()
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch isSCIM := strings.HasPrefix(r.URL.Path, "/api/scim/"); {
		case isSCIM && bearer != scimToken:
			failSCIM(w, 401, "Unauthorized")
		case isSCIM:
			scim.ServeHTTP(w, r)
		case bearer != token && r.Header.Get("PRIVATE-TOKEN") != token:
			say(w, 401, "401 Unauthorized")
		default:
			rest.ServeHTTP(w, r)
		}
	}))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "group": top, "scim_token": scimToken, "token": token}
}

// Login is the first sign-in of somebody through the identity provider: it links the SAML identity. Whoever the group does
// not know, or has closed, is not let in.
func (s *Sim) Login(login string) {
	s.door.ByHand(sim.Hand{Account: login}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, u := range s.users {
			if (strings.EqualFold(u.username, handle(login)) || strings.EqualFold(u.email, login)) && u.scim != nil && u.scim.active {
				u.saml, u.signedIn = u.scim.uid, s.opt.Time()
			}
		}
	})
}

func (s *Sim) id() int {
	s.lastID++
	return s.lastID
}

// group by path or by number.
func (s *Sim) group(id string) *group {
	for _, g := range s.groups {
		if g.path == id || strconv.Itoa(g.id) == id {
			return g
		}
	}
	return nil
}

func (s *Sim) user(is func(*user) bool) *user {
	if i := slices.IndexFunc(s.users, is); i >= 0 {
		return s.users[i]
	}
	return nil
}

// handle is the username that GitLab makes of what it is given.
func handle(login string) string {
	name, _, _ := strings.Cut(login, "@")
	return strings.Map(func(r rune) rune {
		if r < 128 && (r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return -1
	}, name)
}

// free is a handle with a number, if it is taken.
func (s *Sim) free(login string) string {
	base := cmp.Or(handle(login), "user")
	for n, name := 1, base; ; n++ {
		if s.user(func(u *user) bool { return strings.EqualFold(u.username, name) }) == nil {
			return name
		}
		name = base + strconv.Itoa(n)
	}
}

// say is the plain shape of REST errors.
func say(w http.ResponseWriter, status int, message any) {
	sim.JSON(w, status, map[string]any{"message": message})
}

// failSCIM writes SCIM errors with a status that is a number.
func failSCIM(w http.ResponseWriter, status int, detail string) {
	sim.JSON(w, status, map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "detail": detail, "status": status})
}

func showSCIM(u *user) map[string]any {
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": u.scim.uid, "active": u.scim.active, "name.formatted": u.name,
		"userName": u.username, "meta": map[string]string{"resourceType": "User"},
		"emails": []any{map[string]any{"type": "work", "value": u.email, "primary": true}},
	}
}

func (s *Sim) withSCIM(handle func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := s.user(func(u *user) bool { return u.scim != nil && u.scim.uid == r.PathValue("uid") })
		if u == nil {
			failSCIM(w, 404, "Resource "+r.PathValue("uid")+" not found")
			return
		}
		handle(w, r, u)
	}
}

func (s *Sim) listSCIM(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	is := func(*user) bool { return true }
	if text := q.Get("filter"); text != "" {
		f, err := scimsim.ParseFilter(text)
		if err != nil || f.Op != "eq" {
			failSCIM(w, 412, "Unsupported Filter")
			return
		}
		want, _ := f.Value.(string)
		switch {
		case f.Path == "id" || f.Path == "externalid":
			is = func(u *user) bool { return u.scim.uid == want }
		case f.Path == "username" && strings.Contains(want, "@"):
			is = func(u *user) bool { return strings.EqualFold(u.email, want) }
		case f.Path == "username":
			is = func(u *user) bool { return u.scim.uid == want || strings.EqualFold(u.username, want) }
		default:
			failSCIM(w, 412, "Unsupported Filter")
			return
		}
	}
	var found []any
	for _, u := range s.users {
		if u.scim != nil && is(u) {
			found = append(found, showSCIM(u))
		}
	}
	from, _ := strconv.Atoi(q.Get("startIndex"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		count = s.opt.PageSize()
	}
	from, count = max(from, 1), min(max(count, 0), s.opt.PageSize())
	page := found[min(from-1, len(found)):min(from-1+count, len(found))]
	sim.JSON(w, 200, map[string]any{
		"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(found), "itemsPerPage": count, "startIndex": from,
		"Resources": append([]any{}, page...),
	})
}

func (s *Sim) getSCIM(w http.ResponseWriter, _ *http.Request, u *user) { sim.JSON(w, 200, showSCIM(u)) }

// createSCIM makes an account of gitlab.com, or ties one that SAML has linked already.
func (s *Sim) createSCIM(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ExternalID string `json:"externalId"`
		UserName   string `json:"userName"`
		Emails     []struct {
			Value   string `json:"value"`
			Primary bool   `json:"primary"`
		} `json:"emails"`
		Name *struct {
			Formatted  string `json:"formatted"`
			GivenName  string `json:"givenName"`
			FamilyName string `json:"familyName"`
		} `json:"name"`
	}
	if sim.Read(r, &in) != nil {
		sim.JSON(w, 400, map[string]string{"error": "The body is no JSON"})
		return
	}
	for name, missing := range map[string]bool{"externalId": in.ExternalID == "", "userName": in.UserName == "", "emails": len(in.Emails) == 0, "name": in.Name == nil} {
		if missing {
			sim.JSON(w, 400, map[string]string{"error": name + " is missing"})
			return
		}
	}
	mail := in.Emails[0].Value
	name := cmp.Or(in.Name.Formatted, strings.TrimSpace(in.Name.GivenName+" "+in.Name.FamilyName))
	switch {
	case s.user(func(u *user) bool { return u.scim != nil && u.scim.uid == in.ExternalID }) != nil:
		failSCIM(w, 409, "Error saving user: User has already been taken")
		return
	case !strings.Contains(mail, "@"), len([]rune(name)) > 255, len([]rune(mail)) > 255:
		failSCIM(w, 412, "Email is invalid or a field is too long (maximum is 255 characters)")
		return
	}
	u := s.user(func(u *user) bool { return strings.EqualFold(u.email, mail) })
	switch {
	case u == nil:
		u = &user{id: s.id(), username: s.free(in.UserName), name: name, email: mail, created: s.opt.Time(), levels: map[int]int{}}
		s.users = append(s.users, u)
	case u.saml == "" || u.scim != nil:
		failSCIM(w, 412, "The member's email address is not linked to a SAML account or has an inactive SCIM identity.")
		return
	}
	u.scim = &identity{uid: in.ExternalID}
	s.open(u)
	sim.JSON(w, 201, showSCIM(u))
}

// open gives the default role in the top-level group; close takes every membership.
func (s *Sim) open(u *user) {
	u.scim.active = true
	u.levels[s.groups[0].id] = max(u.levels[s.groups[0].id], minimal)
}

func (s *Sim) close(u *user) {
	u.scim.active = false
	clear(u.levels)
}

// patchSCIM hears active and the external id, and ignores the rest since GitLab 15.
func (s *Sim) patchSCIM(w http.ResponseWriter, r *http.Request, u *user) {
	var in struct {
		Operations []struct {
			Op    string `json:"op"`
			Path  string `json:"path"`
			Value any    `json:"value"`
		} `json:"Operations"`
	}
	if sim.Read(r, &in) != nil || len(in.Operations) == 0 {
		sim.JSON(w, 400, map[string]string{"error": "Operations is missing"})
		return
	}
	for _, o := range in.Operations {
		if op := strings.ToLower(o.Op); op != "replace" && op != "add" {
			failSCIM(w, 412, "Unsupported operation "+o.Op)
			return
		}
		value, isText := o.Value.(string)
		switch strings.ToLower(o.Path) {
		case "active":
			switch {
			case !isText || value != "true" && value != "false":
				failSCIM(w, 412, "active is \"true\" or \"false\"")
				return
			case value == "true" && !u.scim.active:
				s.open(u)
			case value == "false":
				s.close(u)
			}
		case "id", "externalid":
			u.scim.uid = value
		}
	}
	w.WriteHeader(204)
}

// deleteSCIM unties the account; the SAML identity stays, as it does since August 2023, and so does the account.
func (s *Sim) deleteSCIM(w http.ResponseWriter, _ *http.Request, u *user) {
	s.close(u)
	u.scim = nil
	w.WriteHeader(204)
}

func (s *Sim) withGroup(handle func(http.ResponseWriter, *http.Request, *group)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g := s.group(r.PathValue("id"))
		if g == nil {
			say(w, 404, "404 Group Not Found")
			return
		}
		handle(w, r, g)
	}
}

// page answers a slice as GitLab pages it.
func page[T any](w http.ResponseWriter, r *http.Request, size int, all []T) {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	if per, err := strconv.Atoi(q.Get("per_page")); err == nil && per > 0 {
		size = min(size, per, 100)
	}
	n = max(n, 1)
	from, to := min((n-1)*size, len(all)), min(n*size, len(all))
	next := ""
	if to < len(all) {
		next = strconv.Itoa(n + 1)
	}
	w.Header().Set("X-Page", strconv.Itoa(n))
	w.Header().Set("X-Per-Page", strconv.Itoa(size))
	w.Header().Set("X-Total", strconv.Itoa(len(all)))
	w.Header().Set("X-Next-Page", next)
	sim.JSON(w, 200, append([]T{}, all[from:to]...))
}

func (s *Sim) descendants(w http.ResponseWriter, r *http.Request, g *group) {
	var out []map[string]any
	for _, d := range s.groups {
		if strings.HasPrefix(d.path, g.path+"/") {
			name := d.path[strings.LastIndex(d.path, "/")+1:]
			out = append(out, map[string]any{
				"id": d.id, "name": name, "path": name, "full_path": d.path, "full_name": strings.ReplaceAll(d.path, "/", " / "), "parent_id": d.parent.id,
				"web_url": "http://" + r.Host + "/groups/" + d.path, "visibility": "private",
			})
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) samlUsers(w http.ResponseWriter, r *http.Request, g *group) {
	if g.parent != nil {
		say(w, 400, "400 Bad request - Must be a top-level group")
		return
	}
	q := r.URL.Query()
	var out []map[string]any
	for _, u := range s.users {
		search := strings.ToLower(q.Get("search"))
		switch {
		case u.saml == "", q.Has("username") && !strings.EqualFold(u.username, q.Get("username")):
		case search != "" && !strings.Contains(strings.ToLower(u.name+"\n"+u.username+"\n"+u.email), search):
		default:
			m := map[string]any{
				"id": u.id, "username": u.username, "name": u.name, "state": "active", "email": u.email, "created_at": u.created, "last_sign_in_at": nil,
				"identities":      []any{map[string]any{"provider": "group_saml", "extern_uid": u.saml, "saml_provider_id": 1}},
				"scim_identities": []any{},
			}
			if !u.signedIn.IsZero() {
				m["last_sign_in_at"] = u.signedIn
			}
			if u.scim != nil {
				m["scim_identities"] = []any{map[string]any{"extern_uid": u.scim.uid, "group_id": g.id, "active": u.scim.active}}
			}
			out = append(out, m)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) scimIdentity(w http.ResponseWriter, r *http.Request, _ *group) {
	u := s.user(func(u *user) bool { return u.scim != nil && u.scim.uid == r.PathValue("uid") })
	if u == nil {
		say(w, 404, "404 Identity Not Found")
		return
	}
	sim.JSON(w, 200, map[string]any{"extern_uid": u.scim.uid, "user_id": u.id, "active": u.scim.active})
}

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

// Accounts shows every account of gitlab.com that was ever near the group; one that SCIM does not tie to it is disabled.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{Ref: u.email, Login: u.username, Email: u.email, FirstName: u.name, State: dayone.Disabled, Created: u.created}
		if u.scim != nil {
			a.Ref, a.EmployeeNumber = u.scim.uid, u.scim.uid
			switch {
			case u.scim.active && u.saml == u.scim.uid && !u.signedIn.IsZero():
				a.State = dayone.Active
			case u.scim.active:
				a.State = dayone.Pending
			}
		}
		for _, g := range s.groups[1:] {
			if l := u.levels[g.id]; l != 0 {
				a.Entitlements = append(a.Entitlements, "group:"+strings.TrimPrefix(g.path, top+"/")+"="+levels[l])
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts an account there. Without an employee number it is one of gitlab.com that the group does not manage; an active
// one has signed in.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{
		id: s.id(), username: s.free(a.Login), email: cmp.Or(a.Email, a.Login), created: cmp.Or(a.Created, s.opt.Time()), levels: map[int]int{},
		name: cmp.Or(strings.TrimSpace(a.FirstName+" "+a.LastName), "Some Body"),
	}
	s.users = append(s.users, u)
	if a.EmployeeNumber == "" {
		return u.email
	}
	u.scim = &identity{uid: a.EmployeeNumber}
	if a.State != dayone.Disabled {
		s.open(u)
	}
	if a.State != dayone.Pending {
		u.saml, u.signedIn = a.EmployeeNumber, s.opt.Time()
	}
	for _, e := range a.Entitlements {
		name, role, _ := strings.Cut(strings.TrimPrefix(e, "group:"), "=")
		for l, n := range levels {
			if g := s.group(top + "/" + name); g != nil && n == role {
				u.levels[g.id] = l
			}
		}
	}
	return u.scim.uid
}

// Link ties an account of gitlab.com to the group by SAML under an external id, as its owner does by signing in.
func (s *Sim) Link(email, uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(func(u *user) bool { return strings.EqualFold(u.email, email) }); u != nil {
		u.saml, u.signedIn = uid, s.opt.Time()
	}
}
