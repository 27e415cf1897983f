// Package sim is a Jamf Pro server: short-lived tokens, an inventory with RSQL and pages, serial numbers that arrive late,
// static groups, configuration profiles that are rewritten when they are stored, and the classic interface's XML and HTML.
package sim

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
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

func (c *computer) field(name string) (string, bool) {
	switch name {
	case "id":
		return strconv.Itoa(c.id), true
	case "hardware.serialNumber":
		return c.serial, true
	case "hardware.model":
		return c.model, true
	}
	if f, ok := strings.CutPrefix(name, "userAndLocation."); ok && slices.Contains(locationFields, f) {
		return c.user[f], true
	}
	return "", false
}

var (
	locationFields = []string{"username", "realname", "email", "position", "phone", "departmentId", "buildingId", "room"}
	sections       = []string{
		"GENERAL", "DISK_ENCRYPTION", "PURCHASING", "APPLICATIONS", "STORAGE", "USER_AND_LOCATION", "CONFIGURATION_PROFILES", "PRINTERS",
		"SERVICES", "HARDWARE", "LOCAL_USER_ACCOUNTS", "CERTIFICATES", "ATTACHMENTS", "PACKAGE_RECEIPTS", "SECURITY", "OPERATING_SYSTEM", "LICENSED_SOFTWARE", "IBEACONS",
		"SOFTWARE_UPDATES", "EXTENSION_ATTRIBUTES", "CONTENT_CACHING", "GROUP_MEMBERSHIPS",
	}
)

// show is a computer with the sections that were asked for; the others are null.
func (s *Sim) show(w http.ResponseWriter, r *http.Request, c *computer) (map[string]any, bool) {
	want := r.URL.Query()["section"]
	if len(want) == 0 {
		want = []string{"GENERAL"}
	}
	out := map[string]any{"id": strconv.Itoa(c.id), "udid": fmt.Sprintf("00000000-0000-0000-0000-%012d", c.id), "general": nil, "hardware": nil, "userAndLocation": nil, "groupMemberships": nil}
	for _, section := range want {
		switch section {
		case "GENERAL":
			out["general"] = map[string]any{"name": "Mac-" + c.serial, "platform": "Mac", "remoteManagement": map[string]any{"managed": true}}
		case "HARDWARE":
			out["hardware"] = map[string]any{"make": "Apple", "model": c.model, "serialNumber": c.serial}
		case "USER_AND_LOCATION":
			user := map[string]any{"extensionAttributes": []any{}}
			from := c.user
			if c.lag > 0 {
				c.lag--
				from = c.stale
			}
			for _, f := range locationFields {
				user[f] = nil
				if v, ok := from[f]; ok {
					user[f] = v
				}
			}
			out["userAndLocation"] = user
		case "GROUP_MEMBERSHIPS":
			groups := []map[string]any{}
			for _, g := range s.groups {
				if g.members[c.id] {
					groups = append(groups, map[string]any{"groupId": strconv.Itoa(g.id), "groupName": g.name, "groupDescription": g.about, "smartGroup": g.smart})
				}
			}
			out["groupMemberships"] = groups
		default:
			if !slices.Contains(sections, section) {
				fail(w, r, 400, "INVALID_FIELD", "section", "", "there is no section "+section)
				return nil, false
			}
		}
	}
	return out, true
}

func (s *Sim) listComputers(w http.ResponseWriter, r *http.Request) {
	filter := r.FormValue("filter")
	for serial, l := range s.coming {
		if strings.Contains(filter, serial) {
			if l.reads--; l.reads < 0 {
				s.add(serial, l.model)
			}
		}
	}
	out := []map[string]any{}
	for _, c := range s.computers {
		ok, err := matches(filter, c.field)
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok {
			shown, ok := s.show(w, r, c)
			if !ok {
				return
			}
			out = append(out, shown)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) computer(id string) *computer {
	i := slices.IndexFunc(s.computers, func(c *computer) bool { return strconv.Itoa(c.id) == id })
	if i < 0 {
		return nil
	}
	return s.computers[i]
}

func (s *Sim) getComputer(w http.ResponseWriter, r *http.Request) {
	c := s.computer(r.PathValue("id"))
	if c == nil {
		missing(w, r, "computer does not exist")
		return
	}
	if shown, ok := s.show(w, r, c); ok {
		sim.JSON(w, 200, shown)
	}
}

func (s *Sim) updateComputer(w http.ResponseWriter, r *http.Request) {
	c := s.computer(r.PathValue("id"))
	if c == nil {
		missing(w, r, "computer does not exist")
		return
	}
	var in struct {
		User map[string]*string `json:"userAndLocation"`
	}
	if sim.Read(r, &in) != nil {
		fail(w, r, 400, "INVALID_JSON", "", "", "the request body is no valid JSON")
		return
	}
	for f, v := range in.User {
		switch {
		case !slices.Contains(locationFields, f):
			fail(w, r, 400, "UNRECOGNIZED_FIELD", f, "", "field is not known")
			return
		case v != nil && len([]rune(*v)) > 255:
			fail(w, r, 400, "INVALID_FIELD", f, "", "length must be between 0 and 255")
			return
		case v != nil && f == "departmentId" && *v != "" && *v != "-1" && s.department(*v) == "":
			fail(w, r, 400, "INVALID_ID", f, "", "department does not exist")
			return
		}
	}
	c.stale, c.lag = c.user, s.opt.Lag
	now := map[string]string{}
	for f, v := range c.user {
		now[f] = v
	}
	for f, v := range in.User {
		if v != nil {
			now[f] = *v
		}
	}
	c.user = now
	w.WriteHeader(204)
}

func (s *Sim) department(id string) string {
	if n, err := strconv.Atoi(id); err == nil && n > 0 && n <= len(s.departments) {
		return s.departments[n-1]
	}
	return ""
}

func (s *Sim) listDepartments(w http.ResponseWriter, r *http.Request) {
	out := []map[string]string{}
	for i, name := range s.departments {
		d := map[string]string{"id": strconv.Itoa(i + 1), "name": name}
		ok, err := matches(r.FormValue("filter"), func(f string) (string, bool) { v, ok := d[f]; return v, ok })
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok {
			out = append(out, d)
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) getDepartment(w http.ResponseWriter, r *http.Request) {
	name := s.department(r.PathValue("id"))
	if name == "" {
		missing(w, r, "department does not exist")
		return
	}
	sim.JSON(w, 200, map[string]string{"id": r.PathValue("id"), "name": name})
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, g := range s.groups {
		ok, err := matches(r.FormValue("filter"), func(f string) (string, bool) {
			v, known := map[string]string{"id": strconv.Itoa(g.id), "name": g.name, "siteId": "-1"}[f]
			return v, known
		})
		if err != nil {
			fail(w, r, 400, "INVALID_FIELD", "filter", "", err.Error())
			return
		}
		if ok && !g.smart {
			out = append(out, map[string]any{"id": strconv.Itoa(g.id), "name": g.name, "description": g.about, "siteId": "-1", "count": len(g.members)})
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) createGroup(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Assignments []string `json:"assignments"`
	}
	if sim.Read(r, &in) != nil || in.Name == "" || len(in.Name) > 255 {
		fail(w, r, 400, "INVALID_FIELD", "name", "", "length must be between 1 and 255")
		return
	}
	if slices.ContainsFunc(s.groups, func(g *group) bool { return strings.EqualFold(g.name, in.Name) }) {
		fail(w, r, 422, "DUPLICATE_FIELD", "name", "", "duplicate group name")
		return
	}
	g := &group{id: s.id(), name: in.Name, about: in.Description, members: map[int]bool{}}
	for _, id := range in.Assignments {
		c := s.computer(id)
		if c == nil {
			fail(w, r, 400, "INVALID_ID", "assignments", "", "computer does not exist")
			return
		}
		g.members[c.id] = true
	}
	s.groups = append(s.groups, g)
	sim.JSON(w, 201, map[string]string{"id": strconv.Itoa(g.id), "href": "/api/v3/computer-groups/static-groups/" + strconv.Itoa(g.id)})
}

// updateGroup knows the additive form, and the one that replaces every member.
func (s *Sim) updateGroup(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.groups, func(g *group) bool { return strconv.Itoa(g.id) == r.PathValue("id") })
	if i < 0 {
		missing(w, r, "")
		return
	}
	type list struct {
		IDs []string `xml:"computer>id"`
	}
	var in struct {
		XMLName xml.Name `xml:"computer_group"`
		All     *list    `xml:"computers"`
		Add     *list    `xml:"computer_additions"`
		Delete  *list    `xml:"computer_deletions"`
	}
	if !readXML(w, r, &in) {
		return
	}
	g := s.groups[i]
	if g.smart {
		fail(w, r, 409, "", "", "Conflict", "Error: Problem with members: smart groups cannot be changed")
		return
	}
	members := map[int]bool{}
	if in.All == nil {
		for id := range g.members {
			members[id] = true
		}
	}
	for _, l := range []*list{in.All, in.Add, in.Delete} {
		if l == nil {
			continue
		}
		for _, id := range l.IDs {
			c := s.computer(id)
			if c == nil {
				fail(w, r, 409, "", "", "Conflict", "Error: Problem with computer ID "+id)
				return
			}
			if l == in.Delete {
				delete(members, c.id)
			} else {
				members[c.id] = true
			}
		}
	}
	g.members = members
	done(w, "computer_group", g.id)
}

func readXML(w http.ResponseWriter, r *http.Request, into any) bool {
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = xml.Unmarshal(b, into)
	}
	if err != nil || !strings.Contains(r.Header.Get("Content-Type"), "xml") {
		fail(w, r, 400, "", "", "Bad Request", "The request could not be understood by the server due to malformed syntax")
		return false
	}
	return true
}

// done is the classic interface's answer to a write.
func done(w http.ResponseWriter, kind string, id int) {
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	w.WriteHeader(201)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><%s><id>%d</id></%s>`, kind, id, kind)
}

func (s *Sim) profile(name string) *profile {
	i := slices.IndexFunc(s.profiles, func(p *profile) bool { return *p.General.Name == name })
	if i < 0 {
		return nil
	}
	return s.profiles[i]
}

func (s *Sim) getProfile(w http.ResponseWriter, r *http.Request) {
	p := s.profile(r.PathValue("name"))
	if p == nil {
		missing(w, r, "")
		return
	}
	out := struct {
		XMLName xml.Name `xml:"os_x_configuration_profile"`
		profile
	}{profile: *p}
	out.General.RedeployOnUpdate = new("Newly Assigned") // "All" is a command, not a state
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(out)
}

type change struct {
	XMLName xml.Name `xml:"os_x_configuration_profile"`
	General general  `xml:"general"`
	Scope   *struct {
		AllComputers bool  `xml:"all_computers"`
		Groups       []ref `xml:"computer_groups>computer_group"`
	} `xml:"scope"`
}

func (s *Sim) createProfile(w http.ResponseWriter, r *http.Request) {
	var in change
	if !readXML(w, r, &in) {
		return
	}
	p := &profile{General: general{DistributionMethod: new("Install Automatically"), UserRemovable: new(false), Level: new("System")}}
	if in.General.Name == nil || in.General.Payloads == nil {
		fail(w, r, 409, "", "", "Conflict", "Error: Problem with name in general")
		return
	}
	if !s.change(w, r, p, in) {
		return
	}
	p.General.ID = s.id()
	s.profiles = append(s.profiles, p)
	done(w, "os_x_configuration_profile", p.General.ID)
}

func (s *Sim) updateProfile(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.profiles, func(p *profile) bool { return strconv.Itoa(p.General.ID) == r.PathValue("id") })
	if i < 0 {
		missing(w, r, "")
		return
	}
	var in change
	if readXML(w, r, &in) && s.change(w, r, s.profiles[i], in) {
		done(w, "os_x_configuration_profile", s.profiles[i].General.ID)
	}
}

// change sets what is given and leaves the rest; a scope that is given replaces the whole scope.
func (s *Sim) change(w http.ResponseWriter, r *http.Request, p *profile, in change) bool {
	var groups []ref
	if in.Scope != nil {
		for _, g := range in.Scope.Groups {
			i := slices.IndexFunc(s.groups, func(x *group) bool { return x.id == g.ID })
			if i < 0 {
				fail(w, r, 409, "", "", "Conflict", "Error: Problem with computer_groups in scope")
				return false
			}
			groups = append(groups, ref{g.ID, s.groups[i].name})
		}
	}
	if n := in.General.Name; n != nil {
		if o := s.profile(*n); *n == "" || o != nil && o != p {
			fail(w, r, 409, "", "", "Conflict", "Error: Duplicate name")
			return false
		}
	}
	if in.General.Payloads != nil {
		stored, err := rewrite(*in.General.Payloads, p.General.Payloads == nil, s.id())
		if err != nil {
			fail(w, r, 409, "", "", "Conflict", "Error: Problem with payloads in general")
			return false
		}
		in.General.Payloads = &stored
	}
	set(&p.General.Name, in.General.Name)
	set(&p.General.Description, in.General.Description)
	set(&p.General.DistributionMethod, in.General.DistributionMethod)
	set(&p.General.UserRemovable, in.General.UserRemovable)
	set(&p.General.Level, in.General.Level)
	set(&p.General.Payloads, in.General.Payloads)
	if in.Scope != nil {
		p.Scope.AllComputers, p.Scope.Groups = in.Scope.AllComputers, groups
	}
	return true
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

type node struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Kids    []node `xml:",any"`
}

func element(name, text string) node { return node{XMLName: xml.Name{Local: name}, Text: text} }

func (n *node) key(name string) *node {
	for i := 0; i+1 < len(n.Kids); i += 2 {
		if n.Kids[i].Text == name {
			return &n.Kids[i+1]
		}
	}
	return nil
}

func (n *node) put(key string, v node) {
	if old := n.key(key); old != nil {
		*old = v
		return
	}
	n.Kids = append(n.Kids, element("key", key), v)
}

// rewrite does to a payload what the server does: entries get names and ids of its own and another order, empty texts go
// away and keys of its own come in. A new profile gets a new identity; an update says which it is.
func rewrite(payload string, isNew bool, n int) (string, error) {
	var root node
	if err := xml.Unmarshal([]byte(payload), &root); err != nil {
		return "", err
	}
	if root.XMLName.Local != "plist" || len(root.Kids) != 1 || root.Kids[0].key("PayloadUUID") == nil || root.Kids[0].key("PayloadContent") == nil {
		return "", fmt.Errorf("no configuration profile")
	}
	top := &root.Kids[0]
	own := func(d *node, i int) {
		id := fmt.Sprintf("5A17%04d-0000-4000-8000-%012d", i, n)
		d.put("PayloadUUID", element("string", id))
		d.put("PayloadIdentifier", element("string", id))
		d.put("PayloadDisplayName", element("string", "Settings "+strconv.Itoa(i)))
		d.put("PayloadOrganization", element("string", "Sim"))
	}
	if isNew {
		own(top, 0)
	}
	top.put("PayloadEnabled", element("true", ""))
	entries := top.key("PayloadContent").Kids
	slices.Reverse(entries)
	for i := range entries {
		own(&entries[i], i+1)
		entries[i].put("PayloadEnabled", element("true", ""))
	}
	trim(&root)
	b, err := xml.MarshalIndent(root, "", "  ")
	return xml.Header + string(b), err
}

// trim takes white space around texts and empty texts away.
func trim(n *node) {
	n.Text = strings.TrimSpace(n.Text)
	for i := range n.Kids {
		trim(&n.Kids[i])
	}
	if n.XMLName.Local != "dict" {
		return
	}
	for i := len(n.Kids) - 2; i >= 0; i -= 2 {
		if v := n.Kids[i+1]; v.XMLName.Local == "string" && v.Text == "" {
			n.Kids = slices.Delete(n.Kids, i, i+2)
		}
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
