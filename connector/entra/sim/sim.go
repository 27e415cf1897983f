// Package sim is an Entra ID tenant behind Microsoft Graph: a token endpoint that judges secrets and signed assertions,
// permissions of an application, users that are not shown right after their creation and come back from the deleted ones,
// groups that others master, a finite number of licences, passes, a mailbox, conflicts as 400 and pages of at most 999. It holds
// 100,000 users.
package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Mailbox is the one that sends.
const Mailbox = "onboarding@company.com"

const root = "/v1.0"

// Sim is the tenant.
type Sim struct {
	door  *sim.Door
	opt   sim.Options
	ids   sim.IDs
	login *login
	mux   http.Handler

	mu        sync.Mutex
	users     []*user // in the order of their creation; the deleted ones are not among them
	byID      map[string]*user
	byUPN     map[string]*user
	deleted   []*user
	groups    []*group
	skus      []*sku
	consents  []*consent
	domains   []string
	photos    map[string][]byte // by id of the user
	seq       int               // of changes
	left      map[string]int    // who was removed, and when
	oldest    int               // marks before are too old
	sent      []Mail
	events    []*event
	disasters int
}

// New makes a tenant with the groups and licences of the examples, or those of o.Names.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, login: newLogin(o), byID: map[string]*user{}, byUPN: map[string]*user{}, left: map[string]int{}, domains: []string{"company.com", "company.onmicrosoft.com"}}
	names := o.Names
	if names == nil {
		names = map[string][]string{"group": {"base-employee", "sales-team", "contractors"}, "license": {"SPE_E3", "SPE_E5"}}
	}
	for _, n := range names["group"] {
		s.group(n, "")
	}
	for _, n := range names["license"] {
		s.skus = append(s.skus, &sku{id: s.guid(), name: n, total: cmp.Or(o.Seats, 1000)})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.login.token)
	on := func(pattern string, h http.HandlerFunc, roles ...string) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" "+root+path, s.allowed(h, roles))
	}
	const read, write = "User.Read.All", "User.ReadWrite.All"
	on("GET /users", s.listUsers, read, write)
	on("GET /users/delta", s.delta, read, write)
	on("POST /$batch", s.batch(mux), read, write)
	on("POST /users", s.createUser, write)
	on("GET /users/{id}", s.with(s.getUser), read, write)
	on("GET /users/{id}/photos/{size}/$value", s.with(s.photo), read, write, "ProfilePhoto.Read.All")
	on("PATCH /users/{id}", s.with(s.updateUser), write)
	on("DELETE /users/{id}", s.with(s.deleteUser), write)
	on("PUT /users/{id}/manager/$ref", s.with(s.setManager), write)
	on("DELETE /users/{id}/manager/$ref", s.with(s.setManager), write)
	on("POST /users/{id}/revokeSignInSessions", s.with(s.revoke), write, "User.RevokeSessions.All")
	on("GET /users/{id}/memberOf", s.with(s.memberOf), "Directory.Read.All", "GroupMember.ReadWrite.All")
	on("GET /users/{id}/mailFolders/inbox/messageRules", s.with(s.listRules), "MailboxSettings.Read")
	on("GET /users/{id}/ownedObjects", s.with(s.ownedObjects), "Directory.Read.All")
	on("GET /users/{id}/oauth2PermissionGrants", s.with(s.listConsents), "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All")
	on("DELETE /oauth2PermissionGrants/{grant}", s.deleteConsent, "DelegatedPermissionGrant.ReadWrite.All")
	on("POST /users/{id}/assignLicense", s.with(s.assign), write, "LicenseAssignment.ReadWrite.All")
	on("GET /subscribedSkus", s.listSKUs, "LicenseAssignment.ReadWrite.All", "Directory.Read.All")
	const passes, method = "/users/{id}/authentication/temporaryAccessPassMethods", "UserAuthenticationMethod.ReadWrite.All"
	on("GET "+passes, s.with(s.listPasses), method)
	on("POST "+passes, s.with(s.createPass), method)
	on("DELETE "+passes+"/{pass}", s.with(s.deletePass), method)
	on("GET /directory/deletedItems/microsoft.graph.user", s.listDeleted, read, write)
	on("POST /directory/deletedItems/{id}/restore", s.restore, write)
	on("GET /groups", s.listGroups, "GroupMember.ReadWrite.All", "Directory.Read.All")
	on("GET /groups/{gid}", s.getGroup, "GroupMember.ReadWrite.All", "Directory.Read.All")
	on("POST /groups/{gid}/members/$ref", s.addMember, "GroupMember.ReadWrite.All")
	on("DELETE /groups/{gid}/members/{id}/$ref", s.removeMember, "GroupMember.ReadWrite.All")
	on("DELETE /groups/{gid}/members/{id}", s.disaster, "GroupMember.ReadWrite.All")
	on("POST /users/{box}/sendMail", s.sendMail, "Mail.Send")
	on("POST /users/{box}/events", s.createEvent, "Calendars.ReadWrite")
	on("GET /users/{box}/events/{event}", s.getEvent, "Calendars.ReadWrite")
	on("PATCH /users/{box}/events/{event}", s.getEvent, "Calendars.ReadWrite")
	on("POST /users/{box}/events/{event}/cancel", s.cancelEvent, "Calendars.ReadWrite")
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, 400, "BadRequest", "Resource not found for the segment '"+r.URL.Path+"'.")
	})
	s.mux = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in by a secret.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{
		"url": base + root, "login_url": base, "tenant": Tenant, "client_id": application, "client_secret": s.login.secret, "sender": Mailbox,
	}
}

// CertificateSettings are those of one that is let in by a certificate.
func (s *Sim) CertificateSettings(base string) map[string]string {
	set := s.Settings(base)
	delete(set, "client_secret")
	set["certificate"] = s.login.bundle
	return set
}

// guid looks like one, and counts.
func (s *Sim) guid() string { return "5f3c0000-0000-4000-8000-" + s.ids.Next("", 12) }

// allowed lets in who has a token, and one of these permissions.
func (s *Sim) allowed(next http.HandlerFunc, roles []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("request-id", "462649d3-a124-42bc-b046-815fb41aae76")
		has, ok := s.login.roles(r.Header.Get("Authorization"))
		switch {
		case sim.Replaying(r):
		case !ok:
			fail(w, 401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
			return
		case !slices.ContainsFunc(roles, func(x string) bool { return slices.Contains(has, x) }):
			fail(w, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			return
		}
		if q := r.URL.Query(); (q.Has("$count") || q.Has("$search") || strings.Contains(q.Get("$filter"), " ne ")) && r.Header.Get("ConsistencyLevel") != "eventual" {
			fail(w, 400, "Request_UnsupportedQuery", "Unsupported or invalid query: it needs the header ConsistencyLevel: eventual.")
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next(w, r)
	})
}

func fail(w http.ResponseWriter, status int, code, message string, details ...map[string]string) {
	e := map[string]any{"code": code, "message": message, "innerError": map[string]string{
		"date": "2026-01-01T00:00:00", "request-id": "462649d3-a124-42bc-b046-815fb41aae76", "client-request-id": "462649d3-a124-42bc-b046-815fb41aae76",
	}}
	if len(details) > 0 {
		e["details"] = details
	}
	sim.JSON(w, status, map[string]any{"error": e})
}

func missing(w http.ResponseWriter, what string) {
	fail(w, 404, "Request_ResourceNotFound", "Resource '"+what+"' does not exist or one of its queried reference-property objects are not present.")
}

// page answers a part of n things and a link to the rest.
func (s *Sim) page(w http.ResponseWriter, r *http.Request, n int, at func(int) map[string]any) {
	s.some(w, r, n, func(int) bool { return true }, at)
}

// some answers a part of those of n things that fit. A page token says where to look on, so that a list of everybody is gone
// through once.
func (s *Sim) some(w http.ResponseWriter, r *http.Request, n int, fits func(int) bool, at func(int) map[string]any) {
	q := r.URL.Query()
	size := s.opt.PageSize()
	if t := q.Get("$top"); t != "" {
		top, err := strconv.Atoi(t)
		if err != nil || top < 1 || top > 999 {
			fail(w, 400, "Request_UnsupportedQuery", "Invalid page size specified: '"+t+"'. Must be between 1 and 999 inclusive.")
			return
		}
		size = min(size, top)
	}
	i := 0
	if token := q.Get("$skiptoken"); token != "" {
		var err error
		if i, err = strconv.Atoi(strings.TrimPrefix(token, "RFNwdAIAAQ")); err != nil || i < 0 || i > n || !strings.HasPrefix(token, "RFNwdAIAAQ") {
			fail(w, 400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
			return
		}
	}
	out := []map[string]any{}
	for ; i < n && len(out) < size; i++ {
		if fits(i) {
			out = append(out, at(i))
		}
	}
	body := map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata", "value": out}
	if i < n {
		q.Set("$skiptoken", "RFNwdAIAAQ"+strconv.Itoa(i))
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: q.Encode()}
		body["@odata.nextLink"] = next.String()
	}
	sim.JSON(w, 200, body)
}

// Accounts shows every user who is not deleted.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{
			Ref: u.id, Login: u.text("userPrincipalName"), Email: u.text("mail"), EmployeeNumber: u.text("employeeId"),
			FirstName: u.text("givenName"), LastName: u.text("surname"), Created: u.created, State: dayone.Disabled,
		}
		if u.props["accountEnabled"] == true {
			a.State = dayone.Active
		}
		for _, g := range s.groups {
			if g.members[u.id] {
				a.Entitlements = append(a.Entitlements, "group:"+g.name)
			}
		}
		for _, k := range s.skus {
			if _, has := u.licences[k.id]; has {
				a.Entitlements = append(a.Entitlements, "license:"+k.name)
			}
		}
		if slices.ContainsFunc(u.passes, func(p pass) bool { return !p.used }) {
			a.Entitlements = append(a.Entitlements, "pass")
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
	u := &user{id: s.guid(), created: cmp.Or(a.Created, s.opt.Time()), licences: map[string]string{}, props: map[string]any{
		"userPrincipalName": a.Login, "displayName": cmp.Or(a.FirstName, "Some") + " " + cmp.Or(a.LastName, "Body"), "givenName": cmp.Or(a.FirstName, "Some"),
		"surname": cmp.Or(a.LastName, "Body"), "accountEnabled": a.State == dayone.Active, "userType": "Member",
	}}
	if a.Email != "" {
		u.props["mail"] = a.Email
	}
	if a.EmployeeNumber != "" {
		u.props["employeeId"] = a.EmployeeNumber
	}
	for _, e := range a.Entitlements {
		kind, name, _ := strings.Cut(e, ":")
		for _, g := range s.groups {
			if kind == "group" && g.name == name {
				g.members[u.id] = true
			}
		}
	}
	s.keep(u)
	return u.id
}

// Set writes a property of a user as another administrator, or a synchronisation, would.
func (s *Sim) Set(id, property string, value any) {
	s.door.ByHand(sim.Hand{Account: id, Property: property, Value: value}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if u := s.byID[id]; u != nil {
			u.props[property] = value
			s.changed(u)
		}
	})
}

// Show is a property of a user.
func (s *Sim) Show(id, property string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.byID[id]; u != nil {
		return u.props[property]
	}
	return nil
}

// SignIn opens a session, if the user may.
func (s *Sim) SignIn(login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byUPN[strings.ToLower(login)]
	if u == nil || u.props["accountEnabled"] != true {
		return false
	}
	u.sessions++
	return true
}

// Sessions counts those that are open.
func (s *Sim) Sessions(login string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.byUPN[strings.ToLower(login)]; u != nil {
		return u.sessions
	}
	return 0
}

// Disasters counts users who were deleted because a path did not end in /$ref.
func (s *Sim) Disasters() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disasters
}

// at is the simulator's time as Graph writes it.
func (s *Sim) at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
