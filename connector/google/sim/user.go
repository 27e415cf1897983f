package sim

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
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
