// Package sim is a gitlab.com with one top-level group: accounts that belong to gitlab.com and are tied to the group by
// SCIM, a SAML identity that only the first sign-in makes, roles that may not be lower below than above, pages by
// X-Next-Page and the many shapes of GitLab's errors.
package sim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
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
