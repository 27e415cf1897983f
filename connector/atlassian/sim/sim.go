// Package sim is an Atlassian organization with three doors: a SCIM directory whose users stand for Atlassian accounts, a Jira
// site with groups, project roles and profiles that may hide a mail address, and the organization's own, which suspends access
// and knows API tokens. Each door has its own key and its own errors.
package sim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	scimToken = "sim-atlassian-directory-key"
	orgKey    = "sim-atlassian-organization-key"
	siteUser  = "dayone@company.com"
	siteToken = "ATATT3-sim-atlassian-site-token"
	directory = "2fb21891-7bee-4c2d-a61a-ade3834c8b2b"
	orgID     = "1aa2bb33-4cc4-5dd5-6ee6-7ff788990011"
	orgDir    = "9f0e0000-0000-4000-8000-000000000001"
	scimBase  = "/scim/directory/" + directory
	external  = "urn:scim:schemas:extension:atlassian-external:1.0"
)

// account of Atlassian's.
type account struct {
	id, email, name string
	hidden          bool // the profile does not show the mail address
	managed         bool
	site            bool // has access to the site
	suspended       bool
	groups          map[string]bool // the site's, by id
	tokens          []string
	closed          bool // deactivated everywhere
}

type group struct {
	id, name string
	synced   bool
}

type role struct {
	id      int
	project string
	name    string
	actors  map[string]bool // accounts
}

// Sim is the organization.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler
	scim *scimsim.Server
	site bool // people are the site's, without a directory

	mu       sync.Mutex
	ids      sim.IDs
	accounts []*account
	groups   []*group
	roles    []*role
	dirs     []string
	domains  []string
	hides    bool // deactivated users answer 404
	rights   map[string]bool
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an organization with a directory, with the groups and project roles of o.Names["group"] and o.Names["role"], or
// some of its own.
func New(o sim.Options) *Sim { return build(o, false) }

// NewSite makes one without a directory.
func NewSite(o sim.Options) *Sim { return build(o, true) }

func build(o sim.Options, site bool) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, site: site, dirs: []string{orgDir}, domains: []string{"company.com"}, rights: map[string]bool{"ADMINISTER": true, "USER_PICKER": true}}
	names := o.Names
	if names == nil {
		names = map[string][]string{"group": {"jira-users", "confluence-users"}, "role": {"ENG/Developers", "ENG/Administrators", "OPS/Service Desk Team"}}
	}
	for _, n := range names["group"] {
		s.groups = append(s.groups, &group{id: s.ids.Next("3571b9a7-348f-414a-9087-", 12), name: n})
	}
	for i, n := range names["role"] {
		project, name, _ := strings.Cut(n, "/")
		s.roles = append(s.roles, &role{id: 10001 + i, project: project, name: name, actors: map[string]bool{}})
	}
	s.scim = scimsim.NewServer(o, scimsim.Dialect{
		Base: scimBase, Token: scimToken, User: userSchema(), ShowsGroups: true, Names: names["group"], NewID: s.newID, Allow: s.allow,
		Filters: map[string]map[string]string{"User": {"username": "username", "externalid": "externalid"}, "Group": {"displayname": "displayname"}},
	})
	mux := http.NewServeMux()
	s.routes(mux)
	s.next = s.door.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/scim/"):
			s.serveSCIM(w, r)
		case strings.HasPrefix(path, "/rest/"):
			want := "Basic " + base64.StdEncoding.EncodeToString([]byte(siteUser+":"+siteToken))
			if r.Header.Get("Authorization") != want && !sim.Replaying(r) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(401)
				_, _ = w.Write([]byte("Client must be authenticated to access this resource."))
				return
			}
			s.locked(mux, w, r)
		case r.Header.Get("Authorization") != "Bearer "+orgKey && !sim.Replaying(r):
			sim.JSON(w, 401, map[string]any{"code": 401, "message": "Unauthorized"})
		default:
			s.locked(mux, w, r)
		}
	}))
	return s
}

func (s *Sim) locked(next http.Handler, w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next.ServeHTTP(w, r)
}

// userSchema is what the specification lists.
func userSchema() scimsim.Schema {
	out, all := scimsim.Schema{}, scimsim.UserSchema()
	for _, n := range []string{
		"schemas", "id", "meta", "externalId", "userName", "emails", "name", "displayName", "nickName", "title", "preferredLanguage", "timezone",
		"phoneNumbers", "groups", "active", scimsim.Enterprise,
	} {
		out[n] = all[n]
	}
	out["department"], out["organization"] = scimsim.Attribute{Max: 255}, scimsim.Attribute{Max: 255}
	out[external] = scimsim.Attribute{Sub: map[string]scimsim.Attribute{"atlassianAccountId": {ReadOnly: true}}}
	return out
}

// newID gives a user of the directory an Atlassian account: the managed one with the same mail address, if there is one.
func (s *Sim) newID(r scimsim.Resource) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	mail, isUser := r["userName"].(string)
	if isUser {
		a := s.byMail(mail)
		if a == nil {
			name, _ := r["displayName"].(string)
			a = s.add(mail, name)
			a.managed, a.site = true, true
		}
		r[external] = map[string]any{"atlassianAccountId": a.id}
		schemas, _ := r["schemas"].([]any)
		r["schemas"] = append(schemas, external)
	}
	return s.ids.Next("635cdb2f-15b5-4f15-9c0b-", 12)
}

// allow keeps mail addresses to verified domains.
func (s *Sim) allow(_ []scimsim.Resource, _, after scimsim.Resource) *scimsim.Error {
	if after == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mail, _ := after["userName"].(string)
	_, domain, _ := strings.Cut(mail, "@")
	emails, _ := after["emails"].([]any)
	switch {
	case !slices.Contains(s.domains, strings.ToLower(domain)):
		return &scimsim.Error{Status: 400, Type: "invalidValue", Detail: "The email domain of the user is not a verified domain of the organization."}
	case len(emails) == 0:
		return &scimsim.Error{Status: 400, Type: "invalidValue", Detail: "Attribute emails is required."}
	}
	return nil
}

func (s *Sim) add(email, name string) *account {
	a := &account{id: s.ids.Next("5b10ac8d82e05b22cc7d", 4), email: email, name: cmp.Or(name, email), groups: map[string]bool{}}
	s.accounts = append(s.accounts, a)
	return a
}

func (s *Sim) find(is func(*account) bool) *account {
	if i := slices.IndexFunc(s.accounts, is); i >= 0 {
		return s.accounts[i]
	}
	return nil
}

func (s *Sim) byMail(mail string) *account {
	return s.find(func(a *account) bool { return strings.EqualFold(a.email, mail) })
}

func (s *Sim) byID(id string) *account { return s.find(func(a *account) bool { return a.id == id }) }

// serveSCIM adds to a SCIM server that there is one directory, that a gate judges the key first, and that a deactivated user
// may not be shown.
func (s *Sim) serveSCIM(w http.ResponseWriter, r *http.Request) {
	rest, known := strings.CutPrefix(r.URL.Path, scimBase)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+scimToken && !sim.Replaying(r):
		sim.JSON(w, 401, map[string]string{"error": "Unauthorized", "traceId": "5f1e"})
		return
	case !known:
		sim.JSON(w, 404, scimsim.Body(&scimsim.Error{Status: 404, Detail: "Directory does not exist."}))
		return
	}
	id, one := strings.CutPrefix(rest, "/Users/")
	if one && s.closed(id) && r.Method != http.MethodPatch && r.Method != http.MethodPut {
		s.mu.Lock()
		hides := s.hides
		s.mu.Unlock()
		if hides {
			sim.JSON(w, 404, scimsim.Body(&scimsim.Error{Status: 404, Detail: "User not found"}))
			return
		}
	}
	if sim.Replaying(r) {
		r.Header.Set("Authorization", "Bearer "+scimToken)
	}
	s.scim.ServeHTTP(w, r)
	users := s.scim.All("User") // before our own lock: the server calls newID under its own
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range users {
		if a := s.byID(accountOf(u)); a != nil {
			a.closed = u["active"] == false
		}
	}
}

func accountOf(u scimsim.Resource) string {
	ext, _ := u[external].(map[string]any)
	id, _ := ext["atlassianAccountId"].(string)
	return id
}

func (s *Sim) closed(id string) bool {
	return slices.ContainsFunc(s.scim.All("User"), func(u scimsim.Resource) bool { return u["id"] == id && u["active"] == false })
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	out := map[string]string{
		"url": base, "organization": orgID, "organization_key": orgKey, "site": base, "site_user": siteUser, "site_token": siteToken,
		"project_roles": "ENG/Developers, OPS/Service Desk Team",
	}
	if s.site {
		out["accounts"] = "site"
		return out
	}
	out["directory"], out["scim_token"] = directory, scimToken
	return out
}

// Accounts shows the directory's users, or the site's.
func (s *Sim) Accounts() []sim.Account {
	var out []sim.Account
	if !s.site {
		out = s.scim.Accounts()
	}
	of := map[string]string{}
	for _, u := range s.scim.All("User") {
		of[fmt.Sprint(u["id"])] = accountOf(u)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if !s.site || !a.site {
			continue
		}
		one := sim.Account{Ref: a.id, Login: a.email, Email: a.email, FirstName: a.name, State: dayone.Active}
		if a.suspended || a.closed {
			one.State = dayone.Disabled
		}
		for _, g := range s.groups {
			if a.groups[g.id] {
				one.Entitlements = append(one.Entitlements, "group:"+g.name)
			}
		}
		of[a.id] = a.id
		out = append(out, one)
	}
	for i := range out {
		for _, r := range s.roles {
			if r.actors[of[out[i].Ref]] {
				out[i].Entitlements = append(out[i].Entitlements, "role:"+r.project+"/"+r.name)
			}
		}
		slices.Sort(out[i].Entitlements)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user into the directory, or one of the site.
func (s *Sim) Seed(a sim.Account) string {
	if !s.site {
		return s.scim.Seed(a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.add(cmp.Or(a.Email, a.Login), strings.TrimSpace(a.FirstName+" "+a.LastName))
	one.site, one.suspended = true, a.State == dayone.Disabled
	for _, e := range a.Entitlements {
		for _, g := range s.groups {
			one.groups[g.id] = one.groups[g.id] || e == "group:"+g.name
		}
	}
	return one.id
}

// Hide lets deactivated users of the directory answer 404, as its specification says of those who were deleted.
func (s *Sim) Hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hides = true
}

// HideMail makes a profile that shows no mail address.
func (s *Sim) HideMail(mail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byMail(mail).hidden = true
}

// Issue gives somebody API tokens; Tokens counts them.
func (s *Sim) Issue(mail string, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byMail(mail).tokens = labels
}

func (s *Sim) Tokens(mail string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byMail(mail).tokens)
}

// Suspend is an administrator who does; Suspended says whether somebody did.
func (s *Sim) Suspend(mail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byMail(mail).suspended = true
}

func (s *Sim) Suspended(mail string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byMail(mail).suspended
}

// Release makes an account one that the organization does not manage.
func (s *Sim) Release(mail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byMail(mail).managed = false
}

// Withdraw takes a global permission of Jira's from our user.
func (s *Sim) Withdraw(permission string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rights, permission)
}

// Directories gives the organization others.
func (s *Sim) Directories(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs = ids
}

// Synchronise makes a group of the site one of an identity provider.
func (s *Sim) Synchronise(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		g.synced = g.synced || g.name == name
	}
}

// now is the simulator's.
func (s *Sim) now() time.Time { return s.opt.Time() }
