// Package sim is a Google Workspace customer: a token endpoint that judges assertions, users that are not complete right
// after their creation, a search that lags behind, rate limits as 403, page tokens that are checked, updates that are carried
// out and answered with a conflict, and a finite number of licences.
package sim

import (
	"cmp"
	"fmt"
	"maps"
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
	customer     = "C0dayone1"
	userScope    = "https://www.googleapis.com/auth/admin.directory.user"
	groupScope   = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	memberScope  = "https://www.googleapis.com/auth/admin.directory.group.member"
	licenseScope = "https://www.googleapis.com/auth/apps.licensing"
)

// writable are the properties of a user that requests may set.
var writable = []string{
	"primaryEmail", "name", "password", "hashFunction", "changePasswordAtNextLogin", "suspended", "archived", "orgUnitPath", "externalIds",
	"organizations", "relations", "recoveryEmail", "recoveryPhone", "phones", "locations", "addresses", "emails", "languages", "notes",
	"keywords", "websites", "ims", "gender", "includeInGlobalAddressList", "customSchemas", "posixAccounts", "sshPublicKeys", "ipWhitelisted",
}

type user struct {
	id      string
	created time.Time
	props   map[string]any // what was written, without the password
	aliases []string
	unseen  int  // reads that still miss it
	bare    bool // the next answer lacks the name

	sessions     int
	grants, asps []string
	mail         mailbox
}

type group struct {
	ID      string            `json:"id"`
	Email   string            `json:"email"`
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	members map[string]string // user id: role
}

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
func (s *Sim) Door() *sim.Door                                  { return s.door }

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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(id).props[property] = value
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

// user by id, address or alias.
func (s *Sim) user(key string) *user {
	for _, u := range s.users {
		if u.id == key || strings.EqualFold(u.email(), key) || slices.ContainsFunc(u.aliases, func(a string) bool { return strings.EqualFold(a, key) }) {
			return u
		}
	}
	return nil
}

// seen is a user as a read finds it: not at all for a while after the creation.
func (s *Sim) seen(key string) *user {
	u := s.user(key)
	if u != nil && u.unseen > 0 {
		u.unseen--
		return nil
	}
	return u
}

func (u *user) email() string { return u.text("primaryEmail") }

func (u *user) text(property string) string {
	v, _ := u.props[property].(string)
	return v
}

// named is a part of the name, or a property of the first entry of a list that has the type.
func (u *user) named(part string) string {
	m, _ := u.props["name"].(map[string]any)
	v, _ := m[part].(string)
	return v
}

func (u *user) externalIDs(only string) []string {
	var out []string
	list, _ := u.props["externalIds"].([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		if v, _ := m["value"].(string); only == "" || m["type"] == only {
			out = append(out, v)
		}
	}
	return out
}

// show is a user as an answer has it; empty lists are left out.
func (u *user) show() map[string]any {
	out := maps.Clone(u.props)
	maps.DeleteFunc(out, func(_ string, v any) bool {
		list, ok := v.([]any)
		return v == nil || ok && len(list) == 0
	})
	out["kind"], out["id"], out["customerId"], out["creationTime"] = "admin#directory#user", u.id, customer, u.created.Format("2006-01-02T15:04:05.000Z")
	out["isAdmin"], out["isMailboxSetup"], out["agreedToTerms"] = false, true, false
	if len(u.aliases) > 0 {
		out["aliases"] = u.aliases
	}
	if name, ok := out["name"].(map[string]any); ok {
		name = maps.Clone(name)
		name["fullName"] = u.named("givenName") + " " + u.named("familyName")
		out["name"] = name
	}
	if u.bare {
		u.bare = false
		delete(out, "name")
	}
	return out
}

func (s *Sim) getUser(w http.ResponseWriter, r *http.Request) {
	u := s.seen(r.PathValue("key"))
	if u == nil {
		missing(w, "userKey")
		return
	}
	sim.JSON(w, 200, u.show())
}

var clause = regexp.MustCompile(`^(\w+)=(?:'((?:[^'\\]|\\.)*)'|([^\s']+))$`)

// listUsers knows the searches externalId='...' and email=...; what was just made is not found by them.
func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("customer") != "my_customer" && q.Get("customer") != customer {
		fail(w, 400, "badRequest", "Bad Request")
		return
	}
	match := func(*user) bool { return true }
	if search := q.Get("query"); search != "" {
		m := clause.FindStringSubmatch(search)
		if m == nil || m[1] != "externalId" && m[1] != "email" {
			fail(w, 400, "invalid", "Invalid Input: query")
			return
		}
		value := strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(m[2]) + m[3]
		match = func(u *user) bool {
			if m[1] == "email" {
				return strings.EqualFold(u.email(), value)
			}
			return slices.Contains(u.externalIDs(""), value)
		}
	}
	var out []any
	for _, u := range s.users {
		if !match(u) {
			continue
		}
		if u.unseen > 0 {
			u.unseen--
			continue
		}
		out = append(out, u.show())
	}
	s.page(w, r, "users", 500, out)
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

// write checks and sets properties: lists are replaced, the name is merged.
func (s *Sim) write(w http.ResponseWriter, u *user, in map[string]any) bool {
	bad := func(what string) bool {
		fail(w, 400, "invalid", "Invalid Input: "+what)
		return false
	}
	if p, ok := in["password"]; ok {
		text, _ := p.(string)
		if len(text) < 8 || len(text) > 100 {
			fail(w, 400, "invalid", "Invalid Password")
			return false
		}
	}
	if name, ok := in["name"].(map[string]any); ok {
		for part, v := range name {
			text, isText := v.(string)
			if !isText || len([]rune(text)) > 60 || text == "" {
				return bad(part)
			}
		}
	}
	if v, ok := in["primaryEmail"]; ok {
		text, _ := v.(string)
		if _, domain, ok := strings.Cut(text, "@"); !ok || domain == "" {
			return bad("primary_user_email")
		}
		if o := s.user(text); o != nil && o != u || slices.ContainsFunc(s.groups, func(g *group) bool { return strings.EqualFold(g.Email, text) }) {
			fail(w, 409, "duplicate", "Entity already exists.")
			return false
		}
	}
	for _, k := range []string{"externalIds", "organizations", "relations"} {
		list, isList := in[k].([]any)
		if in[k] != nil && !isList {
			return bad(k)
		}
		for _, e := range list {
			m, isMap := e.(map[string]any)
			if v, _ := m["value"].(string); !isMap || k != "organizations" && v == "" {
				return bad(k)
			}
		}
	}
	if path, ok := in["orgUnitPath"].(string); ok && !strings.HasPrefix(path, "/") {
		return bad("Invalid Ou Id")
	}
	for k, v := range in {
		switch k {
		case "password", "hashFunction":
		case "name":
			merged, _ := u.props["name"].(map[string]any)
			merged = maps.Clone(merged)
			if merged == nil {
				merged = map[string]any{}
			}
			part, _ := v.(map[string]any)
			maps.Copy(merged, part)
			u.props["name"] = merged
		case "primaryEmail":
			if old := u.email(); old != "" && !strings.EqualFold(old, v.(string)) {
				u.aliases = append(u.aliases, old)
			}
			u.props[k] = strings.ToLower(v.(string))
		default:
			u.props[k] = v
		}
	}
	return true
}

func (s *Sim) insertUser(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	for _, required := range []string{"primaryEmail", "name", "password"} {
		if in[required] == nil {
			fail(w, 400, "required", "Missing required field: "+required)
			return
		}
	}
	if name, _ := in["name"].(map[string]any); name["givenName"] == nil || name["familyName"] == nil {
		fail(w, 400, "invalid", "Invalid Given/Family Name: FamilyName")
		return
	}
	u := &user{created: s.opt.Time().Truncate(time.Millisecond), props: map[string]any{"orgUnitPath": "/", "suspended": false, "archived": false}}
	if !s.write(w, u, in) {
		return
	}
	u.id = s.ids.Next("1", 20)
	s.users = append(s.users, u)
	sim.JSON(w, 200, u.show())
	u.unseen, u.bare = s.opt.Lag, s.opt.Lag > 0
}

func (s *Sim) patchUser(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("key"))
	switch {
	case u == nil:
		missing(w, "userKey")
		return
	case u.unseen > 0:
		u.unseen--
		fail(w, 412, "conditionNotMet", "User creation is not complete.")
		return
	}
	in, ok := s.read(w, r)
	if !ok || !s.write(w, u, in) {
		return
	}
	if s.conflict > 0 {
		s.conflict--
		fail(w, 409, "duplicate", "Entity already exists.")
		return
	}
	sim.JSON(w, 200, u.show())
}

func (s *Sim) deleteUser(w http.ResponseWriter, r *http.Request) {
	u := s.user(r.PathValue("key"))
	if u == nil {
		missing(w, "userKey")
		return
	}
	s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
	for _, g := range s.groups {
		delete(g.members, u.id)
	}
	for _, held := range s.seats {
		delete(held, u.id)
	}
	w.WriteHeader(204)
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var who *user
	if key := q.Get("userKey"); key != "" {
		if who = s.seen(key); who == nil {
			missing(w, "userKey")
			return
		}
	} else if q.Get("customer") != "my_customer" && q.Get("customer") != customer {
		fail(w, 400, "badRequest", "Bad Request")
		return
	}
	var out []any
	for _, g := range s.groups {
		if who == nil || g.members[who.id] != "" {
			out = append(out, g)
		}
	}
	s.page(w, r, "groups", 200, out)
}

func (s *Sim) group(key string) *group {
	for _, g := range s.groups {
		if g.ID == key || strings.EqualFold(g.Email, key) {
			return g
		}
	}
	return nil
}

func (s *Sim) insertMember(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID    string `json:"id"`
		Email string `json:"email"`
		Role  string `json:"role"`
	}
	g := s.group(r.PathValue("group"))
	switch {
	case g == nil:
		missing(w, "groupKey")
		return
	case sim.Read(r, &in) != nil || in.ID == "" && in.Email == "":
		fail(w, 400, "required", "Missing required field: member")
		return
	case !slices.Contains([]string{"", "MEMBER", "MANAGER", "OWNER"}, in.Role):
		fail(w, 400, "invalid", "Invalid Input: role")
		return
	}
	u := s.seen(cmp.Or(in.ID, in.Email))
	switch {
	case u == nil:
		missing(w, "memberKey")
	case g.members[u.id] != "":
		fail(w, 409, "duplicate", "Member already exists.")
	default:
		g.members[u.id] = cmp.Or(in.Role, "MEMBER")
		sim.JSON(w, 200, map[string]any{"kind": "admin#directory#member", "id": u.id, "email": u.email(), "role": g.members[u.id], "type": "USER", "status": "ACTIVE"})
	}
}

func (s *Sim) deleteMember(w http.ResponseWriter, r *http.Request) {
	g, u := s.group(r.PathValue("group")), s.user(r.PathValue("key"))
	switch {
	case g == nil:
		missing(w, "groupKey")
	case u == nil || g.members[u.id] == "":
		missing(w, "memberKey")
	default:
		delete(g.members, u.id)
		w.WriteHeader(204)
	}
}

// sku checks product and SKU of the path.
func (s *Sim) sku(w http.ResponseWriter, r *http.Request) (product, sku string, ok bool) {
	product, sku = r.PathValue("product"), r.PathValue("sku")
	if s.products[product][sku] == "" {
		fail(w, 400, "invalid", "SKU or product does not exist.")
		return "", "", false
	}
	if s.seats[product] == nil {
		s.seats[product] = map[string]string{}
	}
	return product, sku, true
}

func (s *Sim) assigned(u *user, product string) map[string]any {
	sku := s.seats[product][u.id]
	return map[string]any{"kind": "licensing#licenseAssignment", "userId": u.email(), "productId": product, "skuId": sku, "skuName": s.products[product][sku], "productName": "Google Workspace"}
}

func (s *Sim) getLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	u := s.user(r.PathValue("key"))
	if u == nil || s.seats[product][u.id] != sku {
		fail(w, 404, "notFound", "User does not have the license.")
		return
	}
	sim.JSON(w, 200, s.assigned(u, product))
}

// take gives a seat, if one is left.
func (s *Sim) take(w http.ResponseWriter, u *user, product, sku string) {
	used := 0
	for _, held := range s.seats[product] {
		if held == sku {
			used++
		}
	}
	if s.opt.Seats > 0 && used >= s.opt.Seats {
		fail(w, 412, "conditionNotMet", "There aren't enough available licenses for the specified product-SKU pair")
		return
	}
	s.seats[product][u.id] = sku
	sim.JSON(w, 200, s.assigned(u, product))
}

func (s *Sim) insertLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	var in struct {
		UserID string `json:"userId"`
	}
	if sim.Read(r, &in) != nil || in.UserID == "" {
		fail(w, 400, "required", "Missing required field: userId")
		return
	}
	u := s.seen(in.UserID)
	switch {
	case u == nil:
		fail(w, 404, "notFound", "User not found.")
	case s.seats[product][u.id] == sku:
		fail(w, 412, "conditionNotMet", "User already has a license for the specified product and SKU")
	case s.seats[product][u.id] != "":
		fail(w, 412, "conditionNotMet", `User already has a license of the product, but with a different SKU. To reassign a new SKU for this product, use the "update" operation.`)
	default:
		s.take(w, u, product, sku)
	}
}

func (s *Sim) updateLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	var in struct {
		UserID  string `json:"userId"`
		Product string `json:"productId"`
		SKU     string `json:"skuId"`
	}
	u := s.user(r.PathValue("key"))
	switch {
	case sim.Read(r, &in) != nil || in.UserID == "" || in.Product == "" || in.SKU == "":
		fail(w, 400, "required", "Missing required field")
	case u == nil || s.seats[product][u.id] != sku:
		fail(w, 404, "notFound", "User does not have the license.")
	case in.Product != product:
		fail(w, 412, "conditionNotMet", "Reassign operation can't be performed on different products: "+product+", "+in.Product)
	case in.SKU == sku:
		fail(w, 412, "conditionNotMet", "For reassign operations, the new SKU should be different from the old SKU: "+sku)
	case s.products[product][in.SKU] == "":
		fail(w, 400, "invalid", "SKU or product does not exist.")
	default:
		s.take(w, u, product, in.SKU)
	}
}

func (s *Sim) deleteLicense(w http.ResponseWriter, r *http.Request) {
	product, sku, ok := s.sku(w, r)
	if !ok {
		return
	}
	u := s.user(r.PathValue("key"))
	if u == nil || s.seats[product][u.id] != sku {
		fail(w, 404, "notFound", "User does not have the license.")
		return
	}
	delete(s.seats[product], u.id)
	sim.JSON(w, 200, map[string]any{})
}

func (s *Sim) listLicenses(w http.ResponseWriter, r *http.Request) {
	product := r.PathValue("product")
	if r.URL.Query().Get("customerId") != customer || s.products[product] == nil {
		fail(w, 400, "invalid", "Invalid Input")
		return
	}
	var out []any
	for _, u := range s.users {
		if s.seats[product][u.id] != "" {
			out = append(out, s.assigned(u, product))
		}
	}
	s.page(w, r, "items", 1000, out)
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
