package sim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone/connector/sim"
)

type user struct {
	id       string
	created  time.Time
	removed  time.Time
	props    map[string]any // by Graph's names, without the password
	manager  string
	unseen   int               // reads that still miss it
	licences map[string]string // sku: the group that brings it, or ""
	passes   []pass
	sessions int
	rules    []rule // of the inbox
	boxless  bool
	changed  int // in the order of all changes
}

func (u *user) text(name string) string {
	s, _ := u.props[name].(string)
	return s
}

// usual are the properties of an answer to which nobody said $select.
var usual = []string{"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName"}

// limits of texts, in characters; what is not among them cannot be written.
var limits = map[string]int{
	"userPrincipalName": 113, "displayName": 256, "givenName": 64, "surname": 64, "jobTitle": 128, "department": 64, "officeLocation": 128, "companyName": 64,
	"usageLocation": 2, "employeeId": 16, "employeeHireDate": 40, "mailNickname": 64, "country": 128, "employeeType": 64, "mobilePhone": 64, "preferredLanguage": 20,
}

var (
	upn      = regexp.MustCompile(`^[A-Za-z0-9'._!#^~-]+@[A-Za-z0-9.-]+$`)
	nickname = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]+$`)
	country  = regexp.MustCompile(`^[A-Z]{2}$`)
)

func (s *Sim) keep(u *user) {
	s.changed(u)
	delete(s.left, u.id)
	s.users = append(s.users, u)
	s.byID[u.id], s.byUPN[strings.ToLower(u.text("userPrincipalName"))] = u, u
}

// seen says whether reads show a user already.
func seen(u *user) bool {
	if u.unseen > 0 {
		u.unseen--
		return false
	}
	return true
}

// with finds the user of a path, by id or login.
func (s *Sim) with(next func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.PathValue("id")
		u := s.byID[key]
		if u == nil {
			u = s.byUPN[strings.ToLower(key)]
		}
		if u == nil || !seen(u) {
			missing(w, key)
			return
		}
		next(w, r, u)
	}
}

// view is what a request selects of a user; its manager only if that is expanded.
func (s *Sim) view(r *http.Request, u *user) map[string]any {
	fields := usual
	if f := r.URL.Query().Get("$select"); f != "" {
		fields = strings.Split(f, ",")
	}
	out := map[string]any{"id": u.id}
	for _, f := range fields {
		switch f {
		case "id":
		case "createdDateTime":
			out[f] = s.at(u.created)
		case "licenseAssignmentStates":
			states := []map[string]any{}
			for _, k := range s.skus {
				if by, has := u.licences[k.id]; has {
					st := map[string]any{"skuId": k.id, "assignedByGroup": nil, "state": "Active", "error": "None"}
					if by != "" {
						st["assignedByGroup"] = by
					}
					states = append(states, st)
				}
			}
			out[f] = states
		default:
			out[f] = u.props[f]
		}
	}
	if m := s.byID[u.manager]; m != nil && strings.HasPrefix(r.URL.Query().Get("$expand"), "manager") {
		out["manager"] = map[string]any{"@odata.type": "#microsoft.graph.user", "id": m.id, "userPrincipalName": m.props["userPrincipalName"], "mail": m.props["mail"]}
	}
	return out
}

func (s *Sim) getUser(w http.ResponseWriter, r *http.Request, u *user) {
	sim.JSON(w, 200, s.view(r, u))
}

func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) { s.listOf(w, r, s.users) }

func (s *Sim) listDeleted(w http.ResponseWriter, r *http.Request) {
	s.deleted = slices.DeleteFunc(s.deleted, func(u *user) bool { return s.opt.Time().Sub(u.removed) > 30*24*time.Hour })
	s.listOf(w, r, s.deleted)
}

func (s *Sim) listOf(w http.ResponseWriter, r *http.Request, all []*user) {
	match := func(*user) bool { return true }
	if f := r.URL.Query().Get("$filter"); f != "" {
		var err error
		if match, err = filter(f); err != nil {
			fail(w, 400, "Request_UnsupportedQuery", "Invalid filter clause.")
			return
		}
	}
	found, err := search(r.URL.Query().Get("$search"))
	if err != nil {
		fail(w, 400, "Request_BadRequest", "Syntax error: "+err.Error())
		return
	}
	s.some(w, r, len(all), func(i int) bool { return match(all[i]) && found(all[i]) && seen(all[i]) }, func(i int) map[string]any { return s.view(r, all[i]) })
}

// write checks and sets properties; "" is no value at Microsoft.
func (s *Sim) write(w http.ResponseWriter, u *user, in map[string]any) bool {
	bad := func(name string) bool {
		fail(w, 400, "Request_BadRequest", "Invalid value specified for property '"+name+"' of resource 'User'.")
		return false
	}
	for name, v := range in {
		text, isText := v.(string)
		switch {
		case name == "accountEnabled":
			if _, ok := v.(bool); !ok {
				return bad(name)
			}
		case name == "passwordProfile":
			p, _ := v.(map[string]any)
			word, _ := p["password"].(string)
			if len(word) < 8 || strings.ToLower(word) == word {
				fail(w, 400, "Request_BadRequest", "The specified password does not comply with password complexity requirements. Please provide a different password.")
				return false
			}
		case limits[name] == 0:
			fail(w, 400, "Request_BadRequest", "Property '"+name+"' is read-only and cannot be set.")
			return false
		case v == nil:
			if name == "displayName" || name == "userPrincipalName" || name == "mailNickname" {
				return bad(name)
			}
		case !isText || text == "" || utf8.RuneCountInString(text) > limits[name]:
			return bad(name)
		case name == "usageLocation" && !country.MatchString(text), name == "mailNickname" && !nickname.MatchString(text), name == "userPrincipalName" && !upn.MatchString(text):
			return bad(name)
		case name == "employeeHireDate":
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return bad(name)
			}
		}
		if name == "userPrincipalName" && !s.name(w, u, text) {
			return false
		}
	}
	was := strings.ToLower(u.text("userPrincipalName"))
	for name, v := range in {
		if name != "passwordProfile" {
			u.props[name] = v
		}
	}
	s.changed(u)
	if s.byUPN[was] == u {
		delete(s.byUPN, was)
		s.byUPN[strings.ToLower(u.text("userPrincipalName"))] = u
	}
	return true
}

// name judges a login: its domain is the tenant's, and nobody else has it.
func (s *Sim) name(w http.ResponseWriter, u *user, login string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(login), "@")
	if !slices.Contains(s.domains, domain) {
		fail(w, 400, "Request_BadRequest", "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
		return false
	}
	if o := s.byUPN[strings.ToLower(login)]; o != nil && o != u {
		fail(w, 400, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.",
			map[string]string{"target": "userPrincipalName", "code": "ObjectConflict"})
		return false
	}
	return true
}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if sim.Read(r, &in) != nil {
		fail(w, 400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
		return
	}
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"} {
		if in[name] == nil {
			fail(w, 400, "Request_BadRequest", "A value is required for property '"+name+"' of resource 'User'.")
			return
		}
	}
	u := &user{created: s.opt.Time(), props: map[string]any{"userType": "Member"}, licences: map[string]string{}, unseen: s.opt.Lag}
	if !s.write(w, u, in) {
		return
	}
	u.id = s.guid()
	s.keep(u)
	sim.JSON(w, 201, s.view(r, u))
}

// mastered refuses writes to what Active Directory masters.
func mastered(w http.ResponseWriter, u *user) bool {
	if u.props["onPremisesSyncEnabled"] == true {
		fail(w, 400, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
		return true
	}
	return false
}

func (s *Sim) updateUser(w http.ResponseWriter, r *http.Request, u *user) {
	var in map[string]any
	if sim.Read(r, &in) != nil {
		fail(w, 400, "BadRequest", "Unable to read JSON request payload.")
		return
	}
	if !mastered(w, u) && s.write(w, u, in) {
		w.WriteHeader(204)
	}
}

// remove is soft: the login becomes free, and begins with the id as long as the user is among the deleted ones.
func (s *Sim) remove(u *user) {
	delete(s.byID, u.id)
	delete(s.byUPN, strings.ToLower(u.text("userPrincipalName")))
	s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
	u.props["userPrincipalName"] = strings.ReplaceAll(u.id, "-", "") + u.text("userPrincipalName")
	u.removed, u.sessions = s.opt.Time(), 0
	s.seq++
	s.left[u.id] = s.seq
	s.deleted = append(s.deleted, u)
}

func (s *Sim) deleteUser(w http.ResponseWriter, _ *http.Request, u *user) {
	if !mastered(w, u) {
		s.remove(u)
		w.WriteHeader(204)
	}
}

// restore brings a user back with groups and licences.
func (s *Sim) restore(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(s.deleted, func(u *user) bool { return u.id == r.PathValue("id") })
	if i < 0 {
		missing(w, r.PathValue("id"))
		return
	}
	u := s.deleted[i]
	login := strings.TrimPrefix(u.text("userPrincipalName"), strings.ReplaceAll(u.id, "-", ""))
	if !s.name(w, u, login) {
		return
	}
	s.deleted = slices.Delete(s.deleted, i, i+1)
	u.props["userPrincipalName"] = login
	s.keep(u)
	sim.JSON(w, 200, map[string]any{"@odata.type": "#microsoft.graph.user", "id": u.id, "displayName": u.props["displayName"]})
}

func (s *Sim) setManager(w http.ResponseWriter, r *http.Request, u *user) {
	if mastered(w, u) {
		return
	}
	if r.Method == http.MethodDelete {
		if u.manager == "" {
			missing(w, "manager")
			return
		}
		u.manager = ""
		s.changed(u)
		w.WriteHeader(204)
		return
	}
	id, ok := reference(r)
	if m := s.byID[id]; !ok || m == nil {
		missing(w, id)
		return
	}
	u.manager = id
	s.changed(u)
	w.WriteHeader(204)
}

// reference reads {"@odata.id": "https://.../users/ID"}.
func reference(r *http.Request) (string, bool) {
	var in map[string]string
	if sim.Read(r, &in) != nil {
		return "", false
	}
	link := in["@odata.id"]
	return link[strings.LastIndex(link, "/")+1:], strings.HasPrefix(link, "http://"+r.Host+root+"/")
}
