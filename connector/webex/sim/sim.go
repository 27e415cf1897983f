// Package sim is a Webex organisation: people whom the admin API makes and Webex Identity shows by SCIM a little later,
// licences that run out and are given in part, authorisations, devices with their activation codes, workspaces, tokens of a
// Service App with scopes and an end, and creates that are answered with 400 although they were carried out.
package sim

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	scimsim "github.com/dayone-hq/dayone/connector/scim/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	org          = "96abc2aa-3dcc-11e5-a152-fe34819cdc9a"
	clientID     = "C-sim-service-app"
	clientSecret = "sim-webex-client-secret"
	refreshToken = "sim-webex-refresh-token"
	inner        = "sim-webex-identity" // between this package and its SCIM server
	identityURN  = "urn:scim:schemas:extension:cisco:webexidentity:2.0:User"
	enterprise   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	life         = 14 * 24 * time.Hour
)

// person is what the admin API knows beside SCIM.
type person struct {
	licenses            []string
	location, extension string
	phone               string
	grants              []grant
	unseen              int // reads by SCIM that still miss it
}

type grant struct {
	ID          string `json:"id"`
	Application string `json:"applicationName"`
	Person      string `json:"personId"`
	Type        string `json:"type"`
}

type license struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Total        int    `json:"totalUnits"`
	Consumed     int    `json:"consumedUnits"`
	Subscription string `json:"subscriptionId"`
	Site         string `json:"siteUrl,omitempty"`
}

// Sim is the organisation.
type Sim struct {
	door  *sim.Door
	opt   sim.Options
	next  http.Handler
	users *scimsim.Server

	mu         sync.Mutex
	ids        sim.IDs
	tokens     map[string]time.Time // until when
	secret     string               // of the Service App
	refresh    string
	denied     []string // paths that the app's scopes do not reach
	half       int      // creates that are answered with 400 although they are carried out
	invited    bool     // whoever is made has to sign in first
	abroad     []string // addresses of people of other organisations
	free       []string // phone numbers
	people     map[string]*person
	licenses   []*license
	devices    []*device
	codes      map[string]activation
	eager      bool // somebody enters every code at once
	workspaces []*workspace
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an organisation with the licences of the examples, or those of o.Names["license"].
func New(o sim.Options) *Sim {
	s := &Sim{
		door: sim.NewDoor(o), opt: o, tokens: map[string]time.Time{}, secret: clientSecret, refresh: refreshToken, people: map[string]*person{},
		codes: map[string]activation{}, free: []string{"+14085267209", "+14085267210"},
	}
	schema := scimsim.UserSchema()
	schema[identityURN] = scimsim.Attribute{Sub: map[string]scimsim.Attribute{"accountStatus": {Many: true}}}
	plain := o
	plain.Lag = 0
	s.users = scimsim.NewServer(plain, scimsim.Dialect{
		Base: "/identity/scim/" + org + "/v2", Token: inner, User: schema, Number: enterprise + ":employeeNumber",
		Filters: map[string]map[string]string{"User": {
			"id": "id", "username": "userName", "displayname": "displayName", "emails.value": "emails.value", "employeenumber": enterprise + ":employeeNumber",
		}},
		NewID: func(scimsim.Resource) string { return s.ids.Next("f5b36187-c8dd-4727-8b2f-", 12) },
	})
	names := o.Names["license"]
	if o.Names == nil {
		names = []string{"Messaging", "Meeting - Webex Meeting Center", "Webex Calling - Professional"}
	}
	for _, n := range names {
		l := &license{ID: hydra("LICENSE", s.ids.Next("lic-", 6)), Name: n, Total: cmp.Or(o.Seats, 50), Subscription: "Sub-hydraOct26a"}
		if strings.HasPrefix(n, "Meeting") {
			l.Site = "acme.webex.com"
		}
		s.licenses = append(s.licenses, l)
	}
	s.routes()
	return s
}

func (s *Sim) routes() {
	mux := http.NewServeMux()
	mux.Handle("/identity/scim/", http.HandlerFunc(s.identity))
	mux.HandleFunc("GET /people", s.listPeople)
	mux.HandleFunc("POST /people", s.createPerson)
	mux.HandleFunc("GET /people/{id}", s.getPerson)
	mux.HandleFunc("DELETE /people/{id}", s.deletePerson)
	mux.HandleFunc("GET /licenses", s.listLicenses)
	mux.HandleFunc("PATCH /licenses/users", s.setLicenses)
	mux.HandleFunc("GET /authorizations", s.listGrants)
	mux.HandleFunc("DELETE /authorizations/{id}", s.deleteGrant)
	s.things(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, 404, "The requested resource could not be found.")
	})
	all := http.NewServeMux()
	all.HandleFunc("POST /access_token", s.login)
	all.Handle("/", s.auth(mux))
	s.next = s.door.Wrap(all)
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base, "org": org, "client_id": clientID, "client_secret": clientSecret, "refresh_token": refreshToken}
}

// Renew gives the Service App another secret, as an administrator does, and ends its tokens.
func (s *Sim) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret, s.tokens = "another-secret", map[string]time.Time{}
}

// Deny takes a scope away: what is below these paths is forbidden.
func (s *Sim) Deny(paths ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = paths
}

// Half answers the next creates with 400 although it carries them out.
func (s *Sim) Half(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.half = n
}

// Invite makes people from now on whose account is pending until they sign in.
func (s *Sim) Invite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invited = true
}

// Eager is an organisation in which somebody enters every activation code at once.
func (s *Sim) Eager() *Sim { s.eager = true; return s }

// Abroad puts a person into another organisation.
func (s *Sim) Abroad(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abroad = append(s.abroad, email)
}

// SignIn is somebody who signs in by an application, which then holds an authorisation.
func (s *Sim) SignIn(email, application string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.byMail(email)
	if id == "" {
		return
	}
	s.inside("PATCH", "/Users/"+id, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "path": identityURN + ":accountStatus", "value": []string{"active"}}},
	})
	p := s.of(id)
	p.grants = append(p.grants, grant{hydra("AUTHORIZATION", s.ids.Next("", 6)), application, hydra("PEOPLE", id), "refresh"})
}

// Grants counts somebody's authorisations.
func (s *Sim) Grants(email string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of(s.byMail(email)).grants)
}

// hydra is an id as Webex writes it.
func hydra(kind, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("ciscospark://us/" + kind + "/" + id))
}

// plain is the last part of such an id.
func plain(id string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(id)
	return string(raw[bytes.LastIndexByte(raw, '/')+1:])
}

func (s *Sim) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	switch {
	case r.Form.Get("grant_type") != "refresh_token" || r.Form.Get("client_id") != clientID || r.Form.Get("client_secret") != s.secret:
		s.fail(w, 401, "client_secret is invalid.")
		return
	case r.Form.Get("refresh_token") != s.refresh:
		s.fail(w, 400, "The refresh token provided is expired, revoked, malformed, or invalid.")
		return
	}
	t := s.ids.Next("access-", 8)
	s.tokens[t] = s.opt.Time().Add(life)
	sim.JSON(w, 200, map[string]any{"access_token": t, "expires_in": int(life.Seconds()), "refresh_token": s.refresh, "refresh_token_expires_in": 7775999})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		until, ok := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
		if !sim.Replaying(r) && (!ok || !s.opt.Time().Before(until)) {
			s.fail(w, 401, "The request requires a valid access token set in the Authorization request header.")
			return
		}
		for _, p := range s.denied {
			if strings.HasPrefix(r.URL.Path, p) {
				s.fail(w, 403, "The access token is missing required scopes or the user is missing required roles or licenses.")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) fail(w http.ResponseWriter, status int, message string) {
	sim.JSON(w, status, map[string]any{"message": message, "errors": []any{map[string]string{"description": message}}, "trackingId": s.ids.Next("ROUTER_", 12)})
}

// identity is SCIM, which is open to the same tokens, knows one organisation, and shows new people late.
func (s *Sim) identity(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/identity/scim/"+org+"/") {
		s.fail(w, 403, "The access token does not belong to this organization.")
		return
	}
	if at := strings.LastIndex(r.URL.Path, "/Users/"); at >= 0 {
		if p := s.people[r.URL.Path[at+7:]]; p != nil && p.unseen > 0 {
			p.unseen--
			s.users.Fail(w, &scimsim.Error{Status: 404, Detail: "Resource not found."})
			return
		}
	}
	q := r.Clone(r.Context())
	q.Header.Set("Authorization", "Bearer "+inner)
	s.users.ServeHTTP(w, q)
}

// inside calls the SCIM server from this side.
func (s *Sim) inside(method, path string, body any) {
	raw, _ := json.Marshal(body)
	r, err := http.NewRequest(method, "http://inside/identity/scim/"+org+"/v2"+path, bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + inner}, "Content-Type": {"application/json"}}
	w := &said{h: http.Header{}}
	s.users.ServeHTTP(w, r)
	if w.status >= 300 {
		panic(fmt.Sprintf("%s %s: %d %s", method, path, w.status, w.body.String()))
	}
}

type said struct {
	h      http.Header
	status int
	body   bytes.Buffer
}

func (a *said) Header() http.Header         { return a.h }
func (a *said) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *said) WriteHeader(status int)      { a.status = status }

func (s *Sim) of(id string) *person {
	if s.people[id] == nil {
		s.people[id] = &person{}
	}
	return s.people[id]
}

func (s *Sim) user(id string) scimsim.Resource {
	for _, u := range s.users.All("User") {
		if u["id"] == id {
			return u
		}
	}
	return nil
}

func (s *Sim) byMail(email string) string {
	for _, u := range s.users.All("User") {
		if strings.EqualFold(fmt.Sprint(u["userName"]), email) {
			return u["id"].(string)
		}
	}
	return ""
}

func text(v any) string {
	t, _ := v.(string)
	return t
}

// show is a person as the admin API has it; licences only to who asks for one.
func (s *Sim) show(u scimsim.Resource, whole bool) map[string]any {
	id := u["id"].(string)
	name, _ := u["name"].(map[string]any)
	meta, _ := u["meta"].(map[string]any)
	ext, _ := u[enterprise].(map[string]any)
	own, _ := u[identityURN].(map[string]any)
	status, _ := own["accountStatus"].([]any)
	out := map[string]any{
		"id": hydra("PEOPLE", id), "emails": []any{u["userName"]}, "displayName": text(u["displayName"]), "firstName": text(name["givenName"]),
		"lastName": text(name["familyName"]), "title": text(u["title"]), "department": text(ext["department"]), "orgId": hydra("ORGANIZATION", org),
		"created": meta["created"], "type": "person", "invitePending": slices.Contains(status, any("pending")), "loginEnabled": u["active"],
	}
	if whole {
		p := s.of(id)
		out["licenses"] = append([]string{}, p.licenses...)
		if p.phone != "" {
			out["phoneNumbers"] = []any{map[string]any{"type": "work", "value": spaced(p.phone), "primary": true}}
		}
		for k, v := range map[string]string{"locationId": p.location, "extension": p.extension} {
			if v != "" {
				out[k] = v
			}
		}
	}
	return out
}

// spaced is +14085267209 as +1 408 526 7209.
func spaced(n string) string {
	if len(n) != 12 {
		return n
	}
	return n[:2] + " " + n[2:5] + " " + n[5:8] + " " + n[8:]
}

// page answers items with a Link to the rest.
func page[T any](w http.ResponseWriter, r *http.Request, size int, all []T) {
	q := r.URL.Query()
	if n, err := strconv.Atoi(q.Get("max")); err == nil && n > 0 {
		size = min(size, n)
	}
	from, _ := strconv.Atoi(q.Get("start"))
	from = min(max(from, 0), len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next := maps.Clone(q)
		next.Set("start", strconv.Itoa(to))
		u := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: next.Encode()}
		w.Header().Set("Link", "<"+u.String()+`>; rel="next"`)
	}
	sim.JSON(w, 200, map[string]any{"items": append([]T{}, all[from:to]...)})
}

func (s *Sim) listPeople(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, u := range s.users.All("User") {
		if email := r.URL.Query().Get("email"); email == "" || strings.EqualFold(email, text(u["userName"])) {
			out = append(out, s.show(u, false))
		}
	}
	page(w, r, s.opt.PageSize(), out)
}

func (s *Sim) getPerson(w http.ResponseWriter, r *http.Request) {
	u := s.user(plain(r.PathValue("id")))
	if u == nil {
		s.fail(w, 404, "Person not found")
		return
	}
	sim.JSON(w, 200, s.show(u, true))
}

func (s *Sim) createPerson(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Emails      []string `json:"emails"`
		DisplayName string   `json:"displayName"`
		FirstName   string   `json:"firstName"`
		LastName    string   `json:"lastName"`
		Title       string   `json:"title"`
		Department  string   `json:"department"`
	}
	switch {
	case sim.Read(r, &in) != nil:
		s.fail(w, 400, "POST failed: invalid JSON")
	case len(in.Emails) != 1 || !strings.Contains(in.Emails[0], "@"):
		s.fail(w, 400, "POST failed: exactly one valid email is required")
	case in.DisplayName+in.FirstName+in.LastName == "":
		s.fail(w, 400, "At least one of displayName, firstName, lastName is required")
	case s.byMail(in.Emails[0]) != "" || slices.Contains(s.abroad, in.Emails[0]):
		s.fail(w, 409, "User already exists")
	default:
		status := "active"
		if s.invited {
			status = "pending"
		}
		u := scimsim.Resource{
			"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise, identityURN}, "userName": in.Emails[0], "active": true, "userType": "user",
			"displayName": cmp.Or(in.DisplayName, in.FirstName+" "+in.LastName), "name": map[string]any{"givenName": in.FirstName, "familyName": in.LastName},
			"emails":    []any{map[string]any{"value": in.Emails[0], "type": "work", "primary": true}},
			identityURN: map[string]any{"accountStatus": []any{status}},
		}
		if in.Title != "" {
			u["title"] = in.Title
		}
		if in.Department != "" {
			u[enterprise] = map[string]any{"department": in.Department}
		}
		id := s.users.Put("User", u)
		s.of(id).unseen = s.opt.Lag
		if s.half > 0 {
			s.half--
			s.fail(w, 400, "Failed to assign calling data")
			return
		}
		sim.JSON(w, 200, s.show(s.user(id), true))
	}
}

func (s *Sim) deletePerson(w http.ResponseWriter, r *http.Request) {
	id := plain(r.PathValue("id"))
	if s.user(id) == nil {
		s.fail(w, 404, "Person not found")
		return
	}
	s.inside("DELETE", "/Users/"+id, nil)
	for _, l := range s.of(id).licenses {
		s.license(l).Consumed--
	}
	delete(s.people, id)
	s.devices = slices.DeleteFunc(s.devices, func(d *device) bool { return d.Person == r.PathValue("id") })
	w.WriteHeader(204)
}

// Accounts shows every person with licences and devices, and with the workspaces that are named after them.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.users.Accounts()
	for i := range out {
		for _, l := range s.of(out[i].Ref).licenses {
			out[i].Entitlements = append(out[i].Entitlements, "license:"+s.license(l).title())
		}
		out[i].Ref = hydra("PEOPLE", out[i].Ref)
		for _, d := range s.devices {
			if d.Person == out[i].Ref {
				out[i].Entitlements = append(out[i].Entitlements, d.kind())
			}
		}
		for _, x := range s.workspaces {
			if strings.Contains(x.Name, out[i].FirstName+" "+out[i].LastName) {
				out[i].Entitlements = append(out[i].Entitlements, "workspace")
			}
		}
		slices.Sort(out[i].Entitlements)
	}
	return out
}

// Seed puts a person there who has signed in before.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Login = cmp.Or(a.Email, a.Login)
	return hydra("PEOPLE", s.users.Seed(a))
}

// State of a person, as SCIM has it.
func (s *Sim) State(email string) dayone.State {
	for _, a := range s.Accounts() {
		if strings.EqualFold(a.Email, email) {
			return a.State
		}
	}
	return dayone.Gone
}
