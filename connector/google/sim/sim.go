// Package sim is a Google Workspace customer: a token endpoint that judges assertions, users that are not complete right
// after their creation, a search that lags behind, rate limits as 403, page tokens that are checked, updates that are carried
// out and answered with a conflict, and a finite number of licences.
package sim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	customer     = "C0dayone1"
	userScope    = "https://www.googleapis.com/auth/admin.directory.user"
	groupScope   = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	memberScope  = "https://www.googleapis.com/auth/admin.directory.group.member"
	licenseScope = "https://www.googleapis.com/auth/apps.licensing"
)

// Sim is the customer.
type Sim struct {
	door  *sim.Door
	opt   sim.Options
	ids   sim.IDs
	pages sim.IDs // of page tokens: reading must not change what is made next
	mux   http.Handler
	login *login

	mu       sync.Mutex
	users    []*user
	groups   []*group
	products map[string]map[string]string // product: SKU: name
	seats    map[string]map[string]string // product: user id: SKU
	cursors  map[string]int               // page token and the list it belongs to: where it goes on
	refuse   bool                         // nobody acts for a suspended user
	conflict int                          // updates still to be carried out and answered with 409
}

// New makes a customer with the groups of the examples, or those of o.Names.
func New(o sim.Options) *Sim {
	s := &Sim{
		door: sim.NewDoor(o), opt: o, login: newLogin(o), cursors: map[string]int{}, seats: map[string]map[string]string{},
		products: map[string]map[string]string{"Google-Apps": {
			"1010020027": "business-starter", "1010020028": "business-standard", "1010020025": "business-plus", "1010020026": "enterprise-standard", "1010020020": "enterprise-plus",
		}},
	}
	names := o.Names
	if names == nil {
		names = map[string][]string{"group": {"employees@company.com", "sales@company.com", "contractors@company.com"}}
	}
	for _, n := range names["group"] {
		local, _, _ := strings.Cut(n, "@")
		s.groups = append(s.groups, &group{ID: s.ids.Next("03g", 12), Email: n, Name: local, Kind: "admin#directory#group", members: map[string]string{}})
	}
	s.login.knows = s.mayActFor
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.login.token)
	on := func(pattern, scope string, h http.HandlerFunc) { mux.Handle(pattern, s.allowed(scope, h)) }
	const users, groups = "/admin/directory/v1/users", "/admin/directory/v1/groups"
	on("GET "+users, userScope, s.listUsers)
	on("POST "+users, userScope, s.insertUser)
	on("GET "+users+"/{key}", userScope, s.getUser)
	on("PATCH "+users+"/{key}", userScope, s.patchUser)
	on("DELETE "+users+"/{key}", userScope, s.deleteUser)
	on("GET "+groups, groupScope, s.listGroups)
	on("POST "+groups+"/{group}/members", memberScope, s.insertMember)
	on("DELETE "+groups+"/{group}/members/{key}", memberScope, s.deleteMember)
	on("GET "+groups+"/{group}/members/{key}", groupScope, s.getMember)
	on("POST "+users+"/{key}/signOut", securityScope, s.withUser(s.signOut))
	on("GET "+users+"/{key}/tokens", securityScope, s.withUser(s.listTokens))
	on("DELETE "+users+"/{key}/tokens/{client}", securityScope, s.withUser(s.deleteToken))
	on("GET "+users+"/{key}/asps", securityScope, s.withUser(s.listASPs))
	on("DELETE "+users+"/{key}/asps/{code}", securityScope, s.withUser(s.deleteASP))
	const product = "/apps/licensing/v1/product/{product}"
	on("GET "+product+"/users", licenseScope, s.listLicenses)
	on("POST "+product+"/sku/{sku}/user", licenseScope, s.insertLicense)
	on("GET "+product+"/sku/{sku}/user/{key}", licenseScope, s.getLicense)
	on("PUT "+product+"/sku/{sku}/user/{key}", licenseScope, s.updateLicense)
	on("DELETE "+product+"/sku/{sku}/user/{key}", licenseScope, s.deleteLicense)
	for what, show := range map[string]func(*user) map[string]any{"autoForwarding": forwarding, "filters": filters, "delegates": delegates} {
		on("GET /gmail/v1/users/me/settings/"+what, mailScope, s.ofMailbox(show))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fail(w, 404, "notFound", "Not Found") })
	s.mux = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) Door() *sim.Door { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "licensing_url": base, "gmail_url": base, "admin": admin, "credentials": s.login.credentials(base)}
}

// ConflictAfterUpdate makes the next n updates happen and be answered with "Entity already exists.".
func (s *Sim) ConflictAfterUpdate(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conflict = n
}

// Withdraw takes a scope from the service account; access tokens that have it stay good until they expire.
func (s *Sim) Withdraw(scope string) { s.login.withdraw(scope) }

// Set writes a property of a user as another administrator would.
func (s *Sim) Set(id, property string, value any) {
	s.door.ByHand(sim.Hand{Account: id, Property: property, Value: value}, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.user(id).props[property] = value
	})
}

// Get reads a property of a user.
func (s *Sim) Get(id, property string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user(id).props[property]
}

func (s *Sim) allowed(scope string, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scopes, ok := s.login.scopes(r.Header.Get("Authorization"))
		switch {
		case !ok && !sim.Replaying(r):
			fail(w, 401, "authError", "Request had invalid authentication credentials.")
		case !slices.Contains(scopes, scope) && !sim.Replaying(r):
			sim.JSON(w, 403, map[string]any{"error": map[string]any{
				"code": 403, "message": "Request had insufficient authentication scopes.", "status": "PERMISSION_DENIED",
				"errors":  []any{map[string]any{"message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"}},
				"details": []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com"}},
			}})
		default:
			s.mu.Lock()
			defer s.mu.Unlock()
			h(w, r)
		}
	})
}

func fail(w http.ResponseWriter, status int, reason, message string) {
	sim.JSON(w, status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]any{"message": message, "domain": "global", "reason": reason}},
	}})
}

func missing(w http.ResponseWriter, what string) {
	fail(w, 404, "notFound", "Resource Not Found: "+what)
}

// page answers a part of a list. A token is good for the list that it was made for, and for nothing else.
func (s *Sim) page(w http.ResponseWriter, r *http.Request, under string, most int, all []any) {
	q := r.URL.Query()
	token := q.Get("pageToken")
	q.Del("pageToken")
	list := r.URL.Path + "?" + q.Encode()
	from := 0
	if token != "" {
		var ok bool
		if from, ok = s.cursors[token+" "+list]; !ok {
			fail(w, 400, "invalid", "Invalid Input: pageToken")
			return
		}
	}
	size := s.opt.PageSize()
	if text := q.Get("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			fail(w, 400, "invalid", "Invalid Input: maxResults")
			return
		}
		size = min(size, n)
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	out := map[string]any{"kind": "admin#directory#" + under}
	if to > from {
		out[under] = all[from:to]
	}
	if to < len(all) {
		next := s.pages.Next("Ck", 10)
		s.cursors[next+" "+list] = to
		out["nextPageToken"] = next
	}
	sim.JSON(w, 200, out)
}

// read decodes a body and refuses what a user has not.
func (s *Sim) read(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	var in map[string]any
	if sim.Read(r, &in) != nil {
		fail(w, 400, "parseError", "Parse Error")
		return nil, false
	}
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(writable, k) {
			fail(w, 400, "badRequest", fmt.Sprintf("Invalid JSON payload received. Unknown name %q: Cannot find field.", k))
			return nil, false
		}
	}
	return in, true
}

// Accounts shows every user.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{Ref: u.id, Login: u.email(), Email: u.email(), FirstName: u.named("givenName"), LastName: u.named("familyName"), State: dayone.Active, Created: u.created}
		if ids := u.externalIDs("organization"); len(ids) > 0 {
			a.EmployeeNumber = ids[0]
		}
		if u.props["suspended"] == true || u.props["archived"] == true {
			a.State = dayone.Disabled
		}
		for _, g := range s.groups {
			if g.members[u.id] != "" {
				a.Entitlements = append(a.Entitlements, "group:"+g.Email)
			}
		}
		for product, held := range s.seats {
			if sku := held[u.id]; sku != "" {
				a.Entitlements = append(a.Entitlements, "license:"+s.products[product][sku])
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
	u := &user{id: s.ids.Next("1", 20), created: cmp.Or(a.Created, s.opt.Time()), props: map[string]any{
		"primaryEmail": cmp.Or(a.Login, a.Email), "name": map[string]any{"givenName": cmp.Or(a.FirstName, "Some"), "familyName": cmp.Or(a.LastName, "Body")},
		"orgUnitPath": "/", "suspended": a.State == dayone.Disabled || a.State == dayone.Staged, "archived": false,
	}}
	if a.EmployeeNumber != "" {
		u.props["externalIds"] = []any{map[string]any{"type": "organization", "value": a.EmployeeNumber}}
	}
	s.users = append(s.users, u)
	for _, e := range a.Entitlements {
		kind, name, _ := strings.Cut(e, ":")
		if g := s.group(name); kind == "group" && g != nil {
			g.members[u.id] = "MEMBER"
		}
		for product, skus := range s.products {
			for sku, n := range skus {
				if kind == "license" && n == name {
					if s.seats[product] == nil {
						s.seats[product] = map[string]string{}
					}
					s.seats[product][u.id] = sku
				}
			}
		}
	}
	return u.id
}
