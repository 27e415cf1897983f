// Package sim is an application with an HTTP interface as many have one: an intranet. It takes no field and no parameter that
// it does not know, numbers its users with more digits than a float holds, pages by number, offset, cursor or link, lets in
// by several kinds of credentials, has few licences and is late with what was just made. It must not import the connector.
package sim

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
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

// Definition describes the application, as a company would write it.
//
//go:embed intranet.yaml
var Definition string

// Credentials of those who are let in.
const (
	token    = "sim-intranet-token"
	password = "sim-intranet-password"
	client   = "sim-intranet-client-secret"
)

// life of a token that was fetched.
const life = 10 * time.Minute

type user struct {
	ID         json.Number `json:"id"`
	UserName   string      `json:"userName"`
	Mail       string      `json:"mail"`
	Name       name        `json:"name"`
	JobTitle   *string     `json:"jobTitle"`
	Department *string     `json:"department"`
	Number     *string     `json:"staffNumber"`
	CostCenter *int64      `json:"costCenter"`
	Status     string      `json:"status"`
	Created    time.Time   `json:"createdAt"`
	LastSignIn *time.Time  `json:"lastSignIn"`

	roles    map[int]string
	sessions int
	hidden   int // reads that still miss it
}

type name struct {
	Given  string `json:"given"`
	Family string `json:"family"`
}

type role struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Level string `json:"level,omitempty"`
}

// Sim is the application.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu     sync.Mutex
	paging string
	users  []*user
	roles  []role
	last   int64
	tokens map[string]time.Time // that were fetched, until when
}

var _ sim.Simulator = (*Sim)(nil)

// New makes one. o.Names["role"] are its roles, o.Seats its licences.
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, paging: "page", last: 9_007_199_254_740_992, tokens: map[string]time.Time{}} // 2^53
	names := o.Names["role"]
	if names == nil {
		names = []string{"news", "handbook", "time sheets", "archive"}
	}
	for i, n := range names {
		s.roles = append(s.roles, role{ID: 10 + i, Name: n})
	}
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /api/users": s.list, "POST /api/users": s.create, "GET /api/users/{id}": s.one(s.get), "PATCH /api/users/{id}": s.one(s.patch),
		"DELETE /api/users/{id}": s.one(s.remove), "POST /api/users/{id}/lock": s.one(s.lock), "POST /api/users/{id}/unlock": s.one(s.unlock),
		"DELETE /api/users/{id}/sessions": s.one(s.end), "GET /api/users/{id}/roles": s.one(s.held), "PUT /api/users/{id}/roles/{role}": s.one(s.give),
		"POST /api/users/{id}/roles/{role}":   s.one(s.give),
		"DELETE /api/users/{id}/roles/{role}": s.one(s.take), "GET /api/roles": s.offers, "GET /api/roles/{role}/members": s.members,
	} {
		mux.HandleFunc(pattern, s.authorised(h))
	}
	mux.HandleFunc("POST /oauth/token", s.grant)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<html><h1>Not found</h1></html>"))
	})
	s.next = s.door.Wrap(mux)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// PageBy changes how lists come: page, offset, cursor, link.
func (s *Sim) PageBy(way string) *Sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paging = way
	return s
}

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base + "/api", "token": token, "definition": s.definition()}
}

// definition asks for pages as small as the tests want them.
func (s *Sim) definition() string {
	return strings.Replace(Definition, "most: 50", "most: "+strconv.Itoa(s.opt.PageSize()), 1)
}

// As are the settings by another kind of credentials: header, basic, oauth2, oauth2 body.
func (s *Sim) As(kind, base string) map[string]string {
	out := map[string]string{"url": base + "/api", "definition": s.definition()}
	auth, in, _ := strings.Cut(kind, " ")
	out["auth"] = auth
	switch auth {
	case "header":
		out["header"], out["token"] = "X-Api-Key", token
	case "basic":
		out["user"], out["password"] = "dayone", password
	case "oauth2":
		out["token_url"], out["client_id"], out["client_secret"], out["scope"] = base+"/oauth/token", "dayone:1", client, "users roles"
		if in != "" {
			out["client_auth"] = in
		}
	}
	return out
}

func fail(w http.ResponseWriter, status int, code, text string) {
	sim.JSON(w, status, map[string]any{"error": map[string]string{"code": code, "message": text}})
}

// authorised lets in whoever shows one of the credentials. A token without the scope may only read.
func (s *Sim) authorised(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, pass, basic := r.BasicAuth()
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		until, fetched := s.tokens[bearer]
		s.mu.Unlock()
		switch {
		case bearer == token, r.Header.Get("X-Api-Key") == token, basic && user == "dayone" && pass == password:
		case fetched && s.opt.Time().Before(until):
		case sim.Replaying(r):
		default:
			fail(w, http.StatusUnauthorized, "UNAUTHENTICATED", "the credential is unknown or has expired")
			return
		}
		next(w, r)
	}
}

// grant gives out tokens. RFC 6749, 4.4
func (s *Sim) grant(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code string) { sim.JSON(w, status, map[string]string{"error": code}) }
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "client_credentials" {
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	switch {
	case id != "dayone:1" || secret != client:
		refuse(http.StatusBadRequest, "invalid_client")
	case r.PostForm.Get("scope") != "users roles":
		refuse(http.StatusBadRequest, "invalid_scope")
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		t := fmt.Sprintf("fetched-%d", len(s.tokens)+1)
		s.tokens[t] = s.opt.Time().Add(life)
		sim.JSON(w, http.StatusOK, map[string]any{"access_token": t, "token_type": "Bearer", "expires_in": int(life / time.Second)})
	}
}

// EndTokens ends every token that was fetched, as an administrator would.
func (s *Sim) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.tokens {
		s.tokens[t] = time.Time{}
	}
}

// page answers with one page of a list.
func page[T any](s *Sim, w http.ResponseWriter, r *http.Request, all []T) {
	q, size := r.URL.Query(), s.opt.PageSize()
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 && n < size {
		size = n
	}
	from, out := 0, map[string]any{}
	switch s.paging {
	case "page":
		n, err := strconv.Atoi(cmp.Or(q.Get("page"), "1"))
		if err != nil || n < 1 {
			fail(w, http.StatusBadRequest, "BAD_PAGE", "page is a number from 1 on")
			return
		}
		from = (n - 1) * size
	case "offset":
		from, _ = strconv.Atoi(q.Get("offset"))
	default:
		from, _ = strconv.Atoi(strings.TrimPrefix(q.Get("cursor"), "c"))
	}
	from = min(max(from, 0), len(all))
	to := min(from+size, len(all))
	meta := map[string]any{"total": len(all)}
	if to < len(all) {
		switch s.paging {
		case "cursor":
			meta["next"] = fmt.Sprintf("c%d", to)
		case "link":
			q.Set("cursor", fmt.Sprintf("c%d", to))
			w.Header().Add("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://%s/>; rel="first"`, r.Host, r.URL.Path, q.Encode(), r.Host))
		}
	}
	out["data"], out["meta"] = append([]T{}, all[from:to]...), meta
	sim.JSON(w, http.StatusOK, out)
}

// knows refuses parameters that the application does not have.
func knows(w http.ResponseWriter, r *http.Request, names ...string) bool {
	for n := range r.URL.Query() {
		if !slices.Contains(append(names, "page", "per_page", "offset", "cursor"), n) {
			fail(w, http.StatusBadRequest, "UNKNOWN_PARAMETER", n)
			return false
		}
	}
	return true
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (s *Sim) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !knows(w, r, "staffNumber", "userName", "mail") {
		return
	}
	q := r.URL.Query()
	var out []*user
	for _, u := range s.users {
		if u.hidden > 0 {
			u.hidden--
			continue
		}
		fits := func(name, is string) bool { return !q.Has(name) || strings.EqualFold(q.Get(name), is) }
		if fits("staffNumber", text(u.Number)) && fits("userName", u.UserName) && fits("mail", u.Mail) {
			out = append(out, u)
		}
	}
	page(s, w, r, out)
}

// one finds the user that a path names.
func (s *Sim) one(next func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := slices.IndexFunc(s.users, func(u *user) bool { return u.ID.String() == r.PathValue("id") })
		if i < 0 {
			fail(w, http.StatusNotFound, "NOT_FOUND", "there is no such user")
			return
		}
		if u := s.users[i]; u.hidden > 0 && r.Method == http.MethodGet {
			u.hidden--
			fail(w, http.StatusNotFound, "NOT_FOUND", "there is no such user")
			return
		}
		next(w, r, s.users[i])
	}
}

func (s *Sim) get(w http.ResponseWriter, _ *http.Request, u *user) {
	sim.JSON(w, http.StatusOK, map[string]any{"data": u})
}

// fields that may be sent. A pointer that is nil was not.
type fields struct {
	UserName *string `json:"userName"`
	Mail     *string `json:"mail"`
	Name     *struct {
		Given  *string `json:"given"`
		Family *string `json:"family"`
	} `json:"name"`
	JobTitle   *string `json:"jobTitle"`
	Department *string `json:"department"`
	Number     *string `json:"staffNumber"`
	CostCenter *int64  `json:"costCenter"`
	Password   *string `json:"initialPassword"`
	Notify     *bool   `json:"notify"`
}

// read takes a body strictly.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "NO_JSON", "send application/json")
		return false
	}
	var raw bytes.Buffer
	_, _ = raw.ReadFrom(r.Body)
	dec := json.NewDecoder(&raw)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		fail(w, http.StatusUnprocessableEntity, "BAD_BODY", err.Error())
		return false
	}
	return true
}

// taken says which value is somebody else's.
func (s *Sim) taken(f fields, me *user) string {
	for _, u := range s.users {
		switch {
		case u == me:
		case f.UserName != nil && strings.EqualFold(u.UserName, *f.UserName):
			return "DUPLICATE_NAME"
		case f.Mail != nil && strings.EqualFold(u.Mail, *f.Mail):
			return "DUPLICATE_MAIL"
		case text(f.Number) != "" && text(u.Number) == *f.Number:
			return "DUPLICATE_NUMBER"
		}
	}
	return ""
}

func (u *user) set(f fields) {
	for _, x := range []struct {
		to   *string
		from *string
	}{{&u.UserName, f.UserName}, {&u.Mail, f.Mail}} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	if f.Name != nil {
		u.Name.Given, u.Name.Family = cmp.Or(text(f.Name.Given), u.Name.Given), cmp.Or(text(f.Name.Family), u.Name.Family)
	}
	for _, x := range []struct{ to, from **string }{{&u.JobTitle, &f.JobTitle}, {&u.Department, &f.Department}, {&u.Number, &f.Number}} {
		if *x.from != nil {
			*x.to = *x.from
		}
	}
	if f.CostCenter != nil {
		u.CostCenter = f.CostCenter
	}
}

func (s *Sim) create(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f fields
	if !read(w, r, &f) {
		return
	}
	open := 0
	for _, u := range s.users {
		if u.Status == "ACTIVE" {
			open++
		}
	}
	switch code := s.taken(f, nil); {
	case text(f.UserName) == "" || text(f.Mail) == "" || f.Name == nil:
		fail(w, http.StatusUnprocessableEntity, "MISSING", "userName, mail and name are needed")
	case code != "":
		fail(w, http.StatusUnprocessableEntity, code, "somebody has it already")
	case s.opt.Seats > 0 && open >= s.opt.Seats:
		fail(w, http.StatusUnprocessableEntity, "NO_LICENCE", "all licences are in use")
	default:
		s.last++
		u := &user{ID: json.Number(strconv.FormatInt(s.last, 10)), Status: "ACTIVE", Created: s.opt.Time(), roles: map[int]string{}, hidden: s.opt.Lag}
		u.set(f)
		s.users = append(s.users, u)
		sim.JSON(w, http.StatusCreated, map[string]any{"data": u})
	}
}

func (s *Sim) patch(w http.ResponseWriter, r *http.Request, u *user) {
	var f fields
	if !read(w, r, &f) {
		return
	}
	switch code := s.taken(f, u); {
	case f.Password != nil || f.Notify != nil:
		fail(w, http.StatusUnprocessableEntity, "BAD_BODY", "these are for new users")
	case code != "":
		fail(w, http.StatusUnprocessableEntity, code, "somebody has it already")
	default:
		u.set(f)
		s.get(w, r, u)
	}
}

func (s *Sim) remove(w http.ResponseWriter, _ *http.Request, u *user) {
	s.users = slices.DeleteFunc(s.users, func(o *user) bool { return o == u })
	w.WriteHeader(http.StatusNoContent)
}

// lock closes an account. Whoever is signed in stays so, as in many an application.
func (s *Sim) lock(w http.ResponseWriter, r *http.Request, u *user) {
	var why struct {
		Reason string `json:"reason"`
	}
	if read(w, r, &why) {
		s.turn(w, u, "LOCKED")
	}
}

func (s *Sim) unlock(w http.ResponseWriter, _ *http.Request, u *user) { s.turn(w, u, "ACTIVE") }

func (s *Sim) turn(w http.ResponseWriter, u *user, to string) {
	if u.Status == to {
		fail(w, http.StatusConflict, "STATE", "it is "+to+" already")
		return
	}
	u.Status = to
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) end(w http.ResponseWriter, _ *http.Request, u *user) {
	u.sessions = 0
	w.WriteHeader(http.StatusNoContent)
}

// Accounts shows every user.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, u := range s.users {
		a := sim.Account{
			Ref: u.ID.String(), Login: u.UserName, Email: u.Mail, EmployeeNumber: text(u.Number), FirstName: u.Name.Given, LastName: u.Name.Family,
			State: dayone.Active, Created: u.Created,
		}
		if u.Status != "ACTIVE" {
			a.State = dayone.Disabled
		}
		for _, x := range s.roles {
			if level, ok := u.roles[x.ID]; ok {
				a.Entitlements = append(a.Entitlements, "role:"+x.Name+"="+level)
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
	s.last++
	u := &user{
		ID: json.Number(strconv.FormatInt(s.last, 10)), UserName: a.Login, Mail: cmp.Or(a.Email, a.Login), Status: "ACTIVE", Created: s.opt.Time(), roles: map[int]string{},
		Name: name{cmp.Or(a.FirstName, "Some"), cmp.Or(a.LastName, "Body")},
	}
	if a.EmployeeNumber != "" {
		u.Number = &a.EmployeeNumber
	}
	if a.State == dayone.Disabled {
		u.Status = "LOCKED"
	}
	if !a.Created.IsZero() {
		u.Created = a.Created.UTC()
	}
	for _, x := range s.roles {
		for _, level := range []string{"reader", "editor"} {
			if slices.Contains(a.Entitlements, "role:"+x.Name+"="+level) {
				u.roles[x.ID] = level
			}
		}
	}
	s.users = append(s.users, u)
	return u.ID.String()
}

// SignIn is what the owner of an account does.
func (s *Sim) SignIn(ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		if u.ID.String() == ref {
			at := s.opt.Time()
			u.LastSignIn = &at
			u.sessions++
		}
	}
}

// Sessions are how many are open on an account.
func (s *Sim) Sessions(ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		if u.ID.String() == ref {
			return u.sessions
		}
	}
	return 0
}
