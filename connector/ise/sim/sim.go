// Package sim is a deployment of Cisco ISE: basic authentication, ERS that can be switched off, be without its CSRF check or
// ask for it, and read only on nodes that are not primary; lists that tell names alone, pages by number with addresses of
// another name, answers to a create that are no more than a location, passwords as stars, errors as ERSResponse in JSON or
// XML, users whose names are unique, and nodes that are late.
package sim

import (
	"cmp"
	"fmt"
	"io"
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
	username = "ers-dayone"
	password = "sim-ise-Passw0rd"
)

type user struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
	Email       string `json:"email"`
	Password    string `json:"password"`
	Enable      string `json:"enablePassword"`
	First       string `json:"firstName"`
	Last        string `json:"lastName"`
	Change      bool   `json:"changePassword"`
	Groups      string `json:"identityGroups"`
	Expires     bool   `json:"expiryDateEnabled"`
	Store       string `json:"passwordIDStore"`
	Custom      any    `json:"customAttributes"`
	created     time.Time
	hidden      int // reads that still miss it
}

type group struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Sim is the deployment.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu       sync.Mutex
	ids      sim.IDs
	password string
	off      bool // ERS is switched off
	readOnly bool // the administrator is an operator of ERS, or the node is not primary
	csrf     bool
	users    []*user
	groups   []*group
}

var _ sim.Simulator = (*Sim)(nil)

// New makes a deployment with the identity groups Employee and Contractor, or those of o.Names["group"].
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, password: password}
	names := o.Names["group"]
	if o.Names == nil {
		names = []string{"Employee", "Contractor", "OWN_ACCOUNTS (default)"}
	}
	for _, n := range names {
		s.groups = append(s.groups, &group{ID: s.id(), Name: n})
	}
	mux := http.NewServeMux()
	const at = "/ers/config/internaluser"
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET " + at: s.list, "POST " + at: s.create, "GET " + at + "/{id}": s.get, "PUT " + at + "/{id}": s.update, "DELETE " + at + "/{id}": s.delete,
		"GET /ers/config/identitygroup": s.listGroups,
		"/":                             func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, 404, "Resource not found") },
	} {
		mux.HandleFunc(pattern, handle)
	}
	s.next = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

func (s *Sim) id() string { return s.ids.Next("9e4c2f60-1a77-11ee-8d5c-", 12) }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "username": username, "password": password}
}

// Expire ends the administrator's password.
func (s *Sim) Expire() { s.mu.Lock(); defer s.mu.Unlock(); s.password = "another" }

// SwitchOff switches ERS off.
func (s *Sim) SwitchOff() { s.mu.Lock(); defer s.mu.Unlock(); s.off = true }

// Secondary makes it a node that is not primary: it only reads.
func (s *Sim) Secondary() { s.mu.Lock(); defer s.mu.Unlock(); s.readOnly = true }

// CheckCSRF switches the CSRF check on.
func (s *Sim) CheckCSRF() { s.mu.Lock(); defer s.mu.Unlock(); s.csrf = true }

// Enters says whether the network lets somebody in.
func (s *Sim) Enters(name, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.users, func(u *user) bool { return strings.EqualFold(u.Name, name) && u.Enabled && u.Password == secret })
}

// Join puts a user into a group as another administrator does.
func (s *Sim) Join(name, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		for _, g := range s.groups {
			if u.Name == name && g.Name == to {
				u.Groups = strings.Trim(u.Groups+","+g.ID, ",")
			}
		}
	}
}

// fail answers an ERSResponse: in XML to whoever does not ask for JSON.
func (s *Sim) fail(w http.ResponseWriter, r *http.Request, status int, title string) {
	op := r.Method + "-" + strings.TrimPrefix(r.URL.Path, "/ers/config/")
	const code = "Application resource validation exception"
	if !strings.Contains(r.Header.Get("Accept"), "json") || status == http.StatusUnsupportedMediaType {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><ns2:ersResponse operation=%q xmlns:ns2="ers.ise.cisco.com"><messages><message type="ERROR" code=%q><title>%s</title></message></messages></ns2:ersResponse>`, op, code, title)
		return
	}
	sim.JSON(w, status, map[string]any{"ERSResponse": map[string]any{
		"operation": op, "messages": []map[string]string{{"title": title, "type": "ERROR", "code": code}}, "link": map[string]string{"rel": "related", "href": "https://ise-pan.company.com" + r.URL.Path, "type": "application/xml"},
	}})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		name, secret, ok := r.BasicAuth()
		writes := r.Method != http.MethodGet
		switch {
		case sim.Replaying(r):
		case s.off:
			http.Redirect(w, r, "https://ise-pan.company.com/admin/login.jsp", http.StatusFound)
			return
		case !ok || name != username || secret != s.password:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "<html><body>HTTP Status 401 – Unauthorized</body></html>")
			return
		case s.csrf:
			w.Header().Set("X-CSRF-Token", "Required")
			s.fail(w, r, 403, "CSRF nonce validation failed")
			return
		case writes && s.readOnly:
			s.fail(w, r, 403, "Write operations are allowed on the primary PAN only")
			return
		case writes && r.Method != http.MethodDelete && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
			s.fail(w, r, 415, "Unsupported media type")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// page answers names and ids, and where it goes on: under the name that the node has for itself.
func (s *Sim) page(w http.ResponseWriter, r *http.Request, all []map[string]any) {
	size, err := strconv.Atoi(cmp.Or(r.FormValue("size"), "20"))
	page, err2 := strconv.Atoi(cmp.Or(r.FormValue("page"), "1"))
	if err != nil || err2 != nil || size < 1 || size > 100 || page < 1 {
		s.fail(w, r, 400, "Page size must be between 1 and 100")
		return
	}
	size = min(size, s.opt.PageSize())
	from := min((page-1)*size, len(all))
	to := min(from+size, len(all))
	out := map[string]any{"total": len(all), "resources": append([]map[string]any{}, all[from:to]...)}
	if to < len(all) {
		out["nextPage"] = map[string]string{"rel": "next", "href": "https://ise-pan.internal:9060" + r.URL.Path + "?page=" + strconv.Itoa(page+1), "type": "application/xml"}
	}
	sim.JSON(w, 200, map[string]any{"SearchResult": out})
}

// keeps reads filter=field.OPERATION.value.
func (s *Sim) keeps(w http.ResponseWriter, r *http.Request) (func(map[string]string) bool, bool) {
	filter := r.FormValue("filter")
	if filter == "" {
		return func(map[string]string) bool { return true }, true
	}
	parts := strings.SplitN(filter, ".", 3)
	if len(parts) != 3 || parts[1] != "EQ" || !slices.Contains([]string{"name", "description", "email", "firstName", "lastName"}, parts[0]) {
		s.fail(w, r, 400, "Invalid filter")
		return nil, false
	}
	return func(row map[string]string) bool { return strings.EqualFold(row[parts[0]], parts[2]) }, true
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	keep, ok := s.keeps(w, r)
	if !ok {
		return
	}
	var out []map[string]any
	for _, g := range s.groups {
		if keep(map[string]string{"name": g.Name, "description": g.Description}) {
			out = append(out, map[string]any{"id": g.ID, "name": g.Name, "description": g.Description})
		}
	}
	s.page(w, r, out)
}

// Accounts shows every user with identity groups.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{Ref: u.ID, Login: u.Name, Email: u.Email, EmployeeNumber: u.Description, FirstName: u.First, LastName: u.Last, State: dayone.Disabled, Created: u.created}
		if u.Enabled {
			a.State = dayone.Active
		}
		for _, g := range s.groups {
			if slices.Contains(strings.Split(u.Groups, ","), g.ID) {
				a.Entitlements = append(a.Entitlements, "group:"+g.Name)
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
	u := &user{
		ID: s.id(), Name: a.Login, Email: a.Email, Description: a.EmployeeNumber, First: a.FirstName, Last: a.LastName, Enabled: a.State != dayone.Disabled,
		Password: "somebody-else", Store: "Internal Users", created: cmp.Or(a.Created, s.opt.Time()),
	}
	s.users = append(s.users, u)
	return u.ID
}
