// Package sim is a Jamf Pro server: short-lived tokens, an inventory with RSQL and pages, serial numbers that arrive late,
// static groups, configuration profiles that are rewritten when they are stored, and the classic interface's XML and HTML.
package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	clientID     = "1979ca82-1337-c0de-1012-82a008a3bf70"
	clientSecret = "sim-jamf-client-secret"
	lifetime     = 20 * time.Minute
	prefix       = "dayone-" // of the groups and profiles that Dayone makes
)

type computer struct {
	id     int
	serial string
	model  string
	user   map[string]string // userAndLocation; what was never set is null
	stale  map[string]string // what reads still show
	lag    int               // for so many reads
}

type group struct {
	id          int
	name, about string
	smart       bool
	members     map[int]bool
}

type profile struct {
	General general `xml:"general"`
	Scope   struct {
		AllComputers bool  `xml:"all_computers"`
		Groups       []ref `xml:"computer_groups>computer_group"`
	} `xml:"scope"`
}

type general struct {
	ID                 int     `xml:"id"`
	Name               *string `xml:"name"`
	Description        *string `xml:"description"`
	DistributionMethod *string `xml:"distribution_method"`
	UserRemovable      *bool   `xml:"user_removable"`
	Level              *string `xml:"level"`
	RedeployOnUpdate   *string `xml:"redeploy_on_update"`
	Payloads           *string `xml:"payloads"`
}

type ref struct {
	ID   int    `xml:"id"`
	Name string `xml:"name"`
}

type late struct {
	model string
	reads int
}

// Sim is the server.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	mux  http.Handler

	mu          sync.Mutex
	next        int
	tokens      map[string]time.Time
	computers   []*computer
	groups      []*group
	profiles    []*profile
	departments []string // their ids are 1, 2, 3
	coming      map[string]*late
}

// New makes a server with the departments of the examples and a few laptops in stock; o.Names may name others, as kinds
// device (serial numbers) and department.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, tokens: map[string]time.Time{}, coming: map[string]*late{}}
	names := o.Names
	if names == nil {
		names = map[string][]string{
			"device":     {"C02XK1YJJGH5", "C02XK1YJJGH6", "C02XK1YJJGH7"},
			"department": {"Sales", "Engineering", "Customer Success", "Finance", "Legal", "People", "IT", "Security"},
		}
	}
	s.departments = names["department"]
	for _, serial := range names["device"] {
		s.add(serial, "MacBook Pro (14-inch, M4, 2024)")
	}
	s.groups = append(s.groups, &group{id: s.id(), name: "All Managed Clients", smart: true, members: map[int]bool{}})
	loaners := &group{id: s.id(), name: "Loaners", members: map[int]bool{}}
	for _, c := range s.computers {
		s.groups[0].members[c.id] = true
		loaners.members[c.id] = true
	}
	s.groups = append(s.groups, loaners)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/oauth/token", s.token)
	mux.HandleFunc("GET /api/v4/computers-inventory", s.let(s.listComputers))
	mux.HandleFunc("GET /api/v4/computers-inventory/{id}", s.let(s.getComputer))
	mux.HandleFunc("PATCH /api/v4/computers-inventory-detail/{id}", s.let(s.updateComputer))
	mux.HandleFunc("GET /api/v1/departments", s.let(s.listDepartments))
	mux.HandleFunc("GET /api/v1/departments/{id}", s.let(s.getDepartment))
	mux.HandleFunc("GET /api/v3/computer-groups/static-groups", s.let(s.listGroups))
	mux.HandleFunc("POST /api/v3/computer-groups/static-groups", s.let(s.createGroup))
	mux.HandleFunc("PUT /JSSResource/computergroups/id/{id}", s.let(s.updateGroup))
	mux.HandleFunc("GET /JSSResource/osxconfigurationprofiles/name/{name}", s.let(s.getProfile))
	mux.HandleFunc("POST /JSSResource/osxconfigurationprofiles/id/{id}", s.let(s.createProfile))
	mux.HandleFunc("PUT /JSSResource/osxconfigurationprofiles/id/{id}", s.let(s.updateProfile))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { missing(w, r, "") })
	s.mux = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "client_id": clientID, "client_secret": clientSecret}
}

// Arrive makes a serial number known, as the synchronisation with Apple Business does, and returns its id.
func (s *Sim) Arrive(serial, model string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strconv.Itoa(s.add(serial, model).id)
}

// ArriveAfter lets a serial number arrive by itself, after it was asked for in vain so many times.
func (s *Sim) ArriveAfter(serial, model string, reads int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coming[serial] = &late{model, reads}
}

// Expire ends every token before its time, as a restart of the server does.
func (s *Sim) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]time.Time{}
}

// Members are the serial numbers in a group.
func (s *Sim) Members(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, g := range s.groups {
		for _, c := range s.computers {
			if g.name == name && g.members[c.id] {
				out = append(out, c.serial)
			}
		}
	}
	return out
}

// Payload is a configuration profile's payload as laptops get it, and the names of the groups that get it.
func (s *Sim) Payload(name string) (payload string, groups []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.profile(name)
	if p == nil {
		return "", nil
	}
	for _, g := range p.Scope.Groups {
		groups = append(groups, g.Name)
	}
	return *p.General.Payloads, groups
}

// Edit changes a configuration profile as another administrator would: its payload, and its scope to these groups. One
// that is not there is made.
func (s *Sim) Edit(name string, payload func(string) string, groups ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.profile(name)
	if p == nil {
		p = &profile{General: general{ID: s.id(), Name: &name, Description: new(""), Payloads: new("")}}
		s.profiles = append(s.profiles, p)
	}
	p.General.Payloads = new(payload(*p.General.Payloads))
	p.Scope.Groups = nil
	for _, g := range s.groups {
		if slices.Contains(groups, g.name) {
			p.Scope.Groups = append(p.Scope.Groups, ref{g.id, g.name})
		}
	}
}

func (s *Sim) id() int {
	s.next++
	return s.next
}

func (s *Sim) add(serial, model string) *computer {
	c := &computer{id: s.id(), serial: serial, model: model, user: map[string]string{}}
	s.computers = append(s.computers, c)
	delete(s.coming, serial)
	return c
}

// token answers the OAuth client credentials flow.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("grant_type") != "client_credentials" {
		sim.JSON(w, 400, map[string]string{"error": "unsupported_grant_type", "error_description": "OAuth 2.0 Parameter: grant_type"})
		return
	}
	if r.FormValue("client_id") != clientID || r.FormValue("client_secret") != clientSecret {
		sim.JSON(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := fmt.Sprintf("eyJhbGciOiJIUzI1NiJ9.sim.%d", s.id())
	s.tokens[t] = s.opt.Time().Add(lifetime)
	sim.JSON(w, 200, map[string]any{"access_token": t, "token_type": "Bearer", "scope": "api-role:1", "expires_in": int(lifetime.Seconds())})
}

func (s *Sim) let(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if until, ok := s.tokens[bearer]; (!ok || !until.After(s.opt.Time())) && !sim.Replaying(r) {
			fail(w, r, 401, "INVALID_TOKEN", "", "Unauthorized", "The request requires user authentication")
			return
		}
		next(w, r)
	}
}

// fail answers as the interface does that was called: JSON, or HTML for the classic one.
func fail(w http.ResponseWriter, r *http.Request, status int, code, field, title, detail string) {
	if strings.HasPrefix(r.URL.Path, "/JSSResource") {
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<html>
<head>
   <title>Status page</title>
</head>
<body style="font-family: sans-serif;">
<p style="font-size: 1.2em;font-weight: bold;margin: 1em 0px;">%s</p>
<p>%s</p>
<p>You can get technical details <a href="http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html">here</a>.<br>
Please continue your visit at our <a href="/">home page</a>.
</p>
</body>
</html>
`, title, detail)
		return
	}
	cause := map[string]any{"code": code, "description": detail, "id": "0", "field": nil}
	if field != "" {
		cause["field"] = field
	}
	sim.JSON(w, status, map[string]any{"httpStatus": status, "errors": []any{cause}})
}

func missing(w http.ResponseWriter, r *http.Request, what string) {
	fail(w, r, 404, "INVALID_ID", "", "Not Found", cmp.Or(what, "The server has not found anything matching the request URI"))
}

// page answers results with totalCount.
func page[T any](w http.ResponseWriter, r *http.Request, size int, all []T) {
	n, err1 := strconv.Atoi(cmp.Or(r.FormValue("page"), "0"))
	limit, err2 := strconv.Atoi(cmp.Or(r.FormValue("page-size"), "100"))
	if err1 != nil || err2 != nil || n < 0 || limit < 1 || limit > 2000 {
		fail(w, r, 400, "INVALID_FIELD", "page", "", "page and page-size must be whole numbers")
		return
	}
	size = min(size, limit)
	from := min(n*size, len(all))
	out := append([]T{}, all[from:min(from+size, len(all))]...)
	sim.JSON(w, 200, map[string]any{"totalCount": len(all), "results": out})
}

var comparison = regexp.MustCompile(`^\s*([A-Za-z.]+)==("(?:[^"\\]|\\.)*"|[^\s",;]+)\s*`)

// matches knows RSQL as far as field=="value" goes, joined by "," (or) and ";" (and), with "*" in values.
func matches(filter string, get func(field string) (string, bool)) (bool, error) {
	if strings.TrimSpace(filter) == "" {
		return true, nil
	}
	either, both := false, true
	for {
		m := comparison.FindStringSubmatch(filter)
		if m == nil {
			return false, fmt.Errorf("unparsable filter at %q", filter)
		}
		value := m[2]
		if strings.HasPrefix(value, `"`) {
			value = regexp.MustCompile(`\\(.)`).ReplaceAllString(value[1:len(value)-1], "$1")
		}
		have, known := get(m[1])
		if !known {
			return false, fmt.Errorf("field %s cannot be filtered by", m[1])
		}
		pattern := "(?is)^" + strings.ReplaceAll(regexp.QuoteMeta(value), `\*`, ".*") + "$"
		both = regexp.MustCompile(pattern).MatchString(have) && both
		filter = filter[len(m[0]):]
		switch {
		case filter == "":
			return either || both, nil
		case filter[0] == ',':
			either, both = either || both, true
		case filter[0] != ';':
			return false, fmt.Errorf("unparsable filter at %q", filter)
		}
		filter = filter[1:]
	}
}

// Accounts shows every computer that is assigned.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, c := range s.computers {
		if c.user["username"] == "" && c.user["email"] == "" {
			continue
		}
		a := sim.Account{Ref: strconv.Itoa(c.id), Login: cmp.Or(c.user["username"], c.user["email"]), Email: c.user["email"], State: dayone.Active}
		a.FirstName, a.LastName, _ = strings.Cut(c.user["realname"], " ")
		a.Entitlements = append(a.Entitlements, "device="+c.serial)
		for _, g := range s.groups {
			if name, ours := strings.CutPrefix(g.name, prefix); ours && g.members[c.id] {
				a.Entitlements = append(a.Entitlements, "profile:"+name)
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Or(cmp.Compare(a.Login, b.Login), cmp.Compare(a.Ref, b.Ref)) })
	return out
}

// Seed assigns a laptop: the one that an entitlement "device=SERIAL" names, else a new one.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *computer
	for _, e := range a.Entitlements {
		if serial, ok := strings.CutPrefix(e, "device="); ok {
			if i := slices.IndexFunc(s.computers, func(x *computer) bool { return x.serial == serial }); i >= 0 {
				c = s.computers[i]
			} else {
				c = s.add(serial, "MacBook Air (13-inch, M3, 2024)")
			}
		}
	}
	if c == nil {
		c = s.add(fmt.Sprintf("C02SIM%06d", s.next), "MacBook Air (13-inch, M3, 2024)")
	}
	c.user = map[string]string{"username": a.Login, "email": cmp.Or(a.Email, a.Login), "realname": strings.TrimSpace(a.FirstName + " " + a.LastName)}
	for _, e := range a.Entitlements {
		if name, ok := strings.CutPrefix(e, "profile:"); ok {
			i := slices.IndexFunc(s.groups, func(g *group) bool { return g.name == prefix+name })
			if i < 0 {
				s.groups = append(s.groups, &group{id: s.id(), name: prefix + name, members: map[int]bool{}})
				i = len(s.groups) - 1
			}
			s.groups[i].members[c.id] = true
		}
	}
	return strconv.Itoa(c.id)
}
