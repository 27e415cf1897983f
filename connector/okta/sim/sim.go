// Package sim is an Okta organisation: the user's state machine, coded 400s, Link paging, an epoch reset header, a search
// that lags behind, and applications that it provisions by SCIM.
package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const token = "00sim-okta-token"

type user struct {
	ID        string            `json:"id"`
	Status    string            `json:"status"`
	Created   time.Time         `json:"created"`
	Activated *time.Time        `json:"activated"`
	Changed   *time.Time        `json:"statusChanged"`
	LastLogin *time.Time        `json:"lastLogin"`
	Updated   time.Time         `json:"lastUpdated"`
	Profile   map[string]string `json:"profile"`
	password  string
	unseen    int // searches that still miss it
	sessions  int
	tokens    []grantedToken
}

type group struct {
	ID      string            `json:"id"`
	Type    string            `json:"type"`
	Profile map[string]string `json:"profile"`
	members map[string]bool
}

type app struct {
	ID     string            `json:"id"`
	Label  string            `json:"label"`
	Name   string            `json:"name"`
	Status string            `json:"status"`
	users  map[string]string // user id: how far its provisioning is
	scim   *Provision
}

// Sim is the organisation.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	ids  sim.IDs
	mux  http.Handler

	mu     sync.Mutex
	users  []*user
	groups []*group
	apps   []*app
	pushes sync.WaitGroup
}

// New makes an organisation with the groups and applications of the examples, or those of o.Names.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o}
	names := o.Names
	if names == nil {
		names = map[string][]string{"group": {"base-employee", "sales-team", "contractors"}, "app": {"salesforce", "gitlab", "slack"}}
	}
	s.groups = append(s.groups, &group{ID: s.ids.Next("00g", 17), Type: "BUILT_IN", Profile: map[string]string{"name": "Everyone", "description": "All users"}, members: map[string]bool{}})
	for _, n := range names["group"] {
		s.groups = append(s.groups, &group{ID: s.ids.Next("00g", 17), Type: "OKTA_GROUP", Profile: map[string]string{"name": n, "description": ""}, members: map[string]bool{}})
	}
	for _, n := range names["app"] {
		s.apps = append(s.apps, &app{ID: s.ids.Next("0oa", 17), Label: n, Name: n, Status: "ACTIVE", users: map[string]string{}})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/users", s.listUsers)
	mux.HandleFunc("POST /api/v1/users", s.createUser)
	mux.HandleFunc("GET /api/v1/users/{id}", s.getUser)
	mux.HandleFunc("POST /api/v1/users/{id}", s.updateUser)
	mux.HandleFunc("DELETE /api/v1/users/{id}", s.deleteUser)
	mux.HandleFunc("POST /api/v1/users/{id}/lifecycle/{op}", s.lifecycle)
	mux.HandleFunc("DELETE /api/v1/users/{id}/sessions", s.revoke)
	mux.HandleFunc("GET /api/v1/users/{id}/clients", s.clients)
	mux.HandleFunc("GET /api/v1/users/{id}/clients/{client}/tokens", s.clientTokens)
	mux.HandleFunc("GET /api/v1/users/{id}/groups", s.userGroups)
	mux.HandleFunc("GET /api/v1/groups", s.listGroups)
	mux.HandleFunc("PUT /api/v1/groups/{gid}/users/{id}", s.member)
	mux.HandleFunc("DELETE /api/v1/groups/{gid}/users/{id}", s.member)
	mux.HandleFunc("GET /api/v1/apps", s.listApps)
	mux.HandleFunc("POST /api/v1/apps/{aid}/users", s.assign)
	mux.HandleFunc("DELETE /api/v1/apps/{aid}/users/{id}", s.unassign)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, 404, "E0000022", "The endpoint does not support the provided HTTP method")
	})
	s.mux = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "token": token}
}

// Wait until every push under way has ended.
func (s *Sim) Wait() { s.pushes.Wait() }

// Login is somebody who signs in; only who is active is let in.
func (s *Sim) Login(login string) {
	s.door.ByHand(sim.Hand{Account: login}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if u := s.user(login); u != nil && u.Status == "ACTIVE" {
			now := s.opt.Time().UTC()
			u.LastLogin = &now
		}
	})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := r.Header.Get("Authorization"); h != "SSWS "+token && h != "Bearer "+token && !sim.Replaying(r) {
			s.fail(w, 401, "E0000011", "Invalid token provided")
			return
		}
		w.Header().Set("X-Rate-Limit-Limit", "600")
		w.Header().Set("X-Rate-Limit-Remaining", "599")
		w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(s.opt.Time().Add(time.Minute).Unix(), 10))
		s.mu.Lock()
		defer s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) fail(w http.ResponseWriter, status int, code, summary string, causes ...string) {
	cs := []map[string]string{}
	for _, c := range causes {
		cs = append(cs, map[string]string{"errorSummary": c})
	}
	sim.JSON(w, status, map[string]any{"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": "sampleNUSD_8fdkFd8fs8SDBK", "errorCauses": cs})
}

func (s *Sim) missing(w http.ResponseWriter, what, kind string) {
	s.fail(w, 404, "E0000007", fmt.Sprintf("Not found: Resource not found: %s (%s)", what, kind))
}

// user by id or login.
func (s *Sim) user(idOrLogin string) *user {
	for _, u := range s.users {
		if u.ID == idOrLogin || strings.EqualFold(u.Profile["login"], idOrLogin) {
			return u
		}
	}
	return nil
}

func (s *Sim) getUser(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	sim.JSON(w, 200, u)
}

// listUsers answers search (which lags and sees the deprovisioned) and plain lists (which do not).
func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	search := r.URL.Query().Get("search")
	var out []*user
	for _, u := range s.users {
		if search == "" {
			if u.Status != "DEPROVISIONED" {
				out = append(out, u)
			}
			continue
		}
		ok, err := matches(search, u)
		if err != nil {
			s.fail(w, 400, "E0000031", "Invalid search criteria.")
			return
		}
		if ok && u.unseen > 0 {
			u.unseen--
			continue
		}
		if ok {
			out = append(out, u)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

// matches knows: status pr, status eq "X", profile.field eq "value".
func matches(search string, u *user) (bool, error) {
	field, rest, _ := strings.Cut(strings.TrimSpace(search), " ")
	op, value, _ := strings.Cut(rest, " ")
	got := u.Status
	if name, ok := strings.CutPrefix(field, "profile."); ok {
		got = u.Profile[name]
	} else if field != "status" {
		return false, fmt.Errorf("unknown field %s", field)
	}
	switch op {
	case "pr":
		return got != "", nil
	case "eq":
		var v string
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			return false, err
		}
		return strings.EqualFold(got, v), nil
	}
	return false, fmt.Errorf("unknown operator %s", op)
}

// page answers a slice with a Link to the rest; a cursor is opaque and checked.
func page[T any](w http.ResponseWriter, r *http.Request, size int, all []T) {
	q := r.URL.Query()
	from := 0
	if after := q.Get("after"); after != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(after, "cur"))
		if err != nil || !strings.HasPrefix(after, "cur") || n > len(all) {
			sim.JSON(w, 400, map[string]any{"errorCode": "E0000031", "errorSummary": "Invalid cursor", "errorCauses": []any{}})
			return
		}
		from = n
	}
	if limit, err := strconv.Atoi(q.Get("limit")); err == nil && limit > 0 {
		size = min(size, limit)
	}
	to := min(from+size, len(all))
	if to < len(all) {
		q.Set("after", "cur"+strconv.Itoa(to))
		w.Header().Add("Link", `<http://`+r.Host+r.URL.Path+`>; rel="self"`)
		w.Header().Add("Link", `<http://`+r.Host+r.URL.Path+`?`+q.Encode()+`>; rel="next"`)
	}
	out := all[from:to]
	if out == nil {
		out = []T{}
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Profile     map[string]any `json:"profile"`
		Credentials struct {
			Password struct {
				Value string `json:"value"`
			} `json:"password"`
		} `json:"credentials"`
	}
	if sim.Read(r, &in) != nil {
		s.fail(w, 400, "E0000003", "The request body was not well-formed.")
		return
	}
	u := &user{Status: "STAGED", Created: s.opt.Time(), Updated: s.opt.Time(), Profile: map[string]string{}, password: in.Credentials.Password.Value, unseen: s.opt.Lag}
	if !s.profile(w, u, in.Profile) {
		return
	}
	for _, required := range []string{"login", "email", "firstName", "lastName"} {
		if u.Profile[required] == "" {
			s.fail(w, 400, "E0000001", "Api validation failed: "+required, required+": The field cannot be left blank")
			return
		}
	}
	if len(u.password) > 0 && len(u.password) < 8 {
		s.fail(w, 400, "E0000001", "Api validation failed: password", "password: Password requirements were not met")
		return
	}
	u.ID = s.ids.Next("00u", 17)
	if r.URL.Query().Get("activate") != "false" {
		s.activate(u)
	}
	s.users = append(s.users, u)
	s.groups[0].members[u.ID] = true
	sim.JSON(w, 200, u)
}

// profile checks and sets attributes: login is unique, those of deprovisioned users included.
func (s *Sim) profile(w http.ResponseWriter, u *user, in map[string]any) bool {
	known := []string{"login", "email", "firstName", "lastName", "title", "department", "manager", "employeeNumber", "secondEmail", "mobilePhone", "displayName", "organization"}
	limit := map[string]int{"login": 100, "email": 100, "firstName": 50, "lastName": 50}
	for k, v := range in {
		if !slices.Contains(known, k) {
			s.fail(w, 400, "E0000001", "Api validation failed: "+k, fmt.Sprintf("%s: The following properties are not defined: '%s'", k, k))
			return false
		}
		text, ok := v.(string)
		if !ok && v != nil {
			s.fail(w, 400, "E0000001", "Api validation failed: "+k, k+": Invalid type")
			return false
		}
		if n := limit[k]; n > 0 && len([]rune(text)) > n {
			s.fail(w, 400, "E0000001", "Api validation failed: "+k, fmt.Sprintf("%s: String is too long, max %d characters", k, n))
			return false
		}
		if k == "login" || k == "email" {
			if !strings.Contains(text, "@") {
				s.fail(w, 400, "E0000001", "Api validation failed: "+k, k+": Username must be in the form of an email address")
				return false
			}
		}
		if k == "login" {
			if o := s.user(text); o != nil && o != u {
				s.fail(w, 400, "E0000001", "Api validation failed: login", "login: An object with this field already exists in the current organization")
				return false
			}
		}
	}
	for k, v := range in {
		text, _ := v.(string)
		u.Profile[k] = text
	}
	return true
}

func (s *Sim) updateUser(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	var in struct {
		Profile map[string]any `json:"profile"`
	}
	if sim.Read(r, &in) != nil {
		s.fail(w, 400, "E0000003", "The request body was not well-formed.")
		return
	}
	if !s.profile(w, u, in.Profile) {
		return
	}
	u.Updated = s.opt.Time()
	s.push(u)
	sim.JSON(w, 200, u)
}

func (s *Sim) activate(u *user) {
	at := s.opt.Time()
	u.Status, u.Activated, u.Changed = "ACTIVE", &at, &at
	if u.password == "" {
		u.Status = "PROVISIONED"
	}
}

func (s *Sim) lifecycle(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	wrong := func() {
		s.fail(w, 400, "E0000001", "Api validation failed: "+r.PathValue("op"), "Cannot "+r.PathValue("op")+" user because of its status "+u.Status)
	}
	at := s.opt.Time()
	switch r.PathValue("op") {
	case "activate":
		if u.Status != "STAGED" && u.Status != "DEPROVISIONED" {
			s.fail(w, 403, "E0000016", "Activation failed because the user is already active")
			return
		}
		s.activate(u)
		s.push(u)
		sim.JSON(w, 200, map[string]string{})
		return
	case "suspend":
		if u.Status != "ACTIVE" && u.Status != "PROVISIONED" {
			wrong()
			return
		}
		u.Status = "SUSPENDED"
	case "unsuspend":
		if u.Status != "SUSPENDED" {
			wrong()
			return
		}
		u.Status = "ACTIVE"
	case "deactivate":
		if u.Status == "DEPROVISIONED" {
			s.fail(w, 403, "E0000038", "This operation is not allowed in the user's current status.")
			return
		}
		s.deprovision(u)
	default:
		s.missing(w, r.PathValue("op"), "Operation")
		return
	}
	u.Changed = &at
	s.push(u)
	w.WriteHeader(200)
}

// deprovision destroys application assignments, as the vendor does.
func (s *Sim) deprovision(u *user) {
	u.Status = "DEPROVISIONED"
	s.push(u)
	for _, a := range s.apps {
		delete(a.users, u.ID)
	}
}

func (s *Sim) deleteUser(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("id"))
	if u == nil {
		s.missing(w, r.PathValue("id"), "User")
		return
	}
	if u.Status != "DEPROVISIONED" {
		s.deprovision(u)
		w.WriteHeader(204)
		return
	}
	s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
	for _, g := range s.groups {
		delete(g.members, u.ID)
	}
	w.WriteHeader(204)
}

// Accounts shows every user, deprovisioned ones too.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{
			Ref: u.ID, Login: u.Profile["login"], Email: u.Profile["email"], EmployeeNumber: u.Profile["employeeNumber"],
			FirstName: u.Profile["firstName"], LastName: u.Profile["lastName"], Created: u.Created,
		}
		switch u.Status {
		case "STAGED":
			a.State = dayone.Staged
		case "ACTIVE", "PROVISIONED":
			a.State = dayone.Active
		default:
			a.State = dayone.Disabled
		}
		for _, g := range s.groups {
			if g.members[u.ID] && g.Type == "OKTA_GROUP" {
				a.Entitlements = append(a.Entitlements, "group:"+g.Profile["name"])
			}
		}
		for _, p := range s.apps {
			if _, has := p.users[u.ID]; has {
				a.Entitlements = append(a.Entitlements, "app:"+p.Label)
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user there.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{ID: s.ids.Next("00u", 17), Status: "ACTIVE", Created: cmp.Or(a.Created, s.opt.Time()), Profile: map[string]string{
		"login": a.Login, "email": cmp.Or(a.Email, a.Login), "employeeNumber": a.EmployeeNumber, "firstName": cmp.Or(a.FirstName, "Some"), "lastName": cmp.Or(a.LastName, "Body"),
	}}
	switch a.State {
	case dayone.Staged:
		u.Status = "STAGED"
	case dayone.Disabled:
		u.Status = "SUSPENDED"
	}
	s.users = append(s.users, u)
	s.groups[0].members[u.ID] = true
	for _, e := range a.Entitlements {
		kind, name, _ := strings.Cut(e, ":")
		for _, g := range s.groups {
			if kind == "group" && g.Profile["name"] == name {
				g.members[u.ID] = true
			}
		}
	}
	return u.ID
}
