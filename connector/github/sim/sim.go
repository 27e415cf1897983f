// Package sim is a github.com with one organization: accounts that are their owners', invitations that run out after seven
// days and of which only so many may be sent in a day, teams below teams, outside collaborators, seats, tokens of an app that
// end after an hour and, for one with single sign-on, identities by SCIM that an account is linked to when it signs in.
package sim

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

const (
	token = "ghp_simGitHubOrganizationOwner0000000000"
	org   = "acme"
	appID = "424242"
	inst  = "777"
)

// user is an account of github.com.
type user struct {
	id    int
	login string
	email string
}

// member of the organization.
type member struct {
	user *user
	role string   // admin or member
	via  []string // enterprise teams that bring it as well
	only bool     // by those teams alone
}

// Sim is github.com.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler
	sso  bool
	key  *rsa.PrivateKey

	mu          sync.Mutex
	lastID      int
	users       []*user
	members     []*member
	invitations []*invitation
	sent        []time.Time // invitations of the last day
	daily       int
	outside     []*user
	teams       []*team
	identities  []*identity
	credentials []*credential
	tokens      []*fineGrained
	issued      map[string]time.Time // tokens of the app, and when they end
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an organization with the teams of the examples, or those of o.Names["team"].
func New(o sim.Options) *Sim { return build(o, false) }

// NewSSO makes one with SAML single sign-on and SCIM.
func NewSSO(o sim.Options) *Sim { return build(o, true) }

func build(o sim.Options, sso bool) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, sso: sso, lastID: 1000, daily: 50, issued: map[string]time.Time{}}
	s.members = []*member{{user: s.account("founder", "founder@acme.example"), role: "admin"}}
	names := []string{"customer-solutions", "platform"}
	if o.Names != nil {
		names = o.Names["team"]
	}
	for _, n := range names { // "platform/infra" is a team infra below platform
		up, name, below := strings.Cut(n, "/")
		if !below {
			name = up
		}
		t := &team{id: s.id(), slug: name, members: map[int]string{}}
		if below {
			t.parent = s.team(up)
		}
		s.teams = append(s.teams, t)
	}
	mux := http.NewServeMux()
	s.routes(mux)
	s.next = s.door.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h := w.Header()
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "4990")
		h.Set("X-RateLimit-Used", "10")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(s.opt.Time().Add(time.Hour).Unix(), 10))
		h.Set("X-RateLimit-Resource", "core")
		bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch v := r.Header.Get("X-GitHub-Api-Version"); {
		case r.Header.Get("User-Agent") == "":
			fail(w, 403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
		case v != "" && v != "2022-11-28":
			fail(w, 400, "The API version is not supported.")
		case sim.Replaying(r) || r.Method == "POST" && strings.HasPrefix(r.URL.Path, "/app/"):
			mux.ServeHTTP(w, r) // an app's key is judged there
		case bearer != token && !s.issued[bearer].After(s.opt.Time()):
			fail(w, 401, "Bad credentials")
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	return s
}

func (s *Sim) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", s.appToken)
	mux.HandleFunc("GET /user/{id}", s.userByID)
	const at = "/orgs/" + org
	mux.HandleFunc("GET "+at+"/members", s.listMembers)
	mux.HandleFunc("GET "+at+"/memberships/{login}", s.withUser(s.getMembership))
	mux.HandleFunc("PUT "+at+"/memberships/{login}", s.withUser(s.putMembership))
	mux.HandleFunc("DELETE "+at+"/memberships/{login}", s.withUser(s.deleteMembership))
	mux.HandleFunc("GET "+at+"/invitations", s.listInvitations)
	mux.HandleFunc("POST "+at+"/invitations", s.invite)
	mux.HandleFunc("GET "+at+"/failed_invitations", s.listFailed)
	mux.HandleFunc("GET "+at+"/outside_collaborators", s.listOutside)
	mux.HandleFunc("DELETE "+at+"/outside_collaborators/{login}", s.withUser(s.deleteOutside))
	mux.HandleFunc("GET "+at+"/teams", s.listTeams)
	const place = "/organizations/4711/team/{team}/memberships/{login}"
	mux.HandleFunc("GET "+place, s.withPlace(s.getPlace))
	mux.HandleFunc("PUT "+place, s.withPlace(s.putPlace))
	mux.HandleFunc("DELETE "+place, s.withPlace(s.deletePlace))
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, _ *http.Request) {
		sim.JSON(w, 200, map[string]any{"id": 4711, "login": org, "plan": map[string]any{"name": "team", "seats": s.opt.Seats}})
	})
	mux.HandleFunc("GET "+at+"/invitations/{id}/teams", s.listInvitationTeams)
	mux.HandleFunc("GET "+at+"/personal-access-tokens", s.listTokens)
	mux.HandleFunc("POST "+at+"/personal-access-tokens/{id}", s.revokeToken)
	mux.HandleFunc("POST /graphql", s.graphql)
	if s.sso {
		mux.HandleFunc("GET "+at+"/credential-authorizations", s.listCredentials)
		mux.HandleFunc("DELETE "+at+"/credential-authorizations/{id}", s.deleteCredential)
		const scim = "/scim/v2/organizations/" + org + "/Users"
		mux.HandleFunc("GET "+scim, s.listSCIM)
		mux.HandleFunc("POST "+scim, s.createSCIM)
		mux.HandleFunc("GET "+scim+"/{id}", s.getSCIM)
		mux.HandleFunc("DELETE "+scim+"/{id}", s.deleteSCIM)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { missing(w) })
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	out := map[string]string{"url": base, "organization": org, "token": token}
	if s.sso {
		out["accounts"] = "scim"
	}
	return out
}

// AppSettings are those of an app that is installed in the organization.
func (s *Sim) AppSettings(base string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		s.key, _ = rsa.GenerateKey(rand.Reader, 2048) // fails only without any randomness
	}
	out := s.Settings(base)
	delete(out, "token")
	out["app_id"], out["installation_id"] = appID, inst
	out["private_key"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.key)}))
	return out
}

// appToken judges a signed token and gives one that ends after an hour.
func (s *Sim) appToken(w http.ResponseWriter, r *http.Request) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(bearer, ".")
	var claims struct {
		Iat, Exp int64
		Iss      string
	}
	good := len(parts) == 3 && s.key != nil
	if good {
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		body, err2 := base64.RawURLEncoding.DecodeString(parts[1])
		good = err == nil && err2 == nil && json.Unmarshal(body, &claims) == nil && rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], sig) == nil
	}
	now := s.opt.Time()
	switch {
	case !good || claims.Iss != appID:
		fail(w, 401, "A JSON web token could not be decoded")
	case claims.Iat > now.Unix() || claims.Exp <= now.Unix() || claims.Exp-now.Unix() > 600:
		fail(w, 401, "'Expiration time' claim ('exp') is too far in the future")
	case r.PathValue("id") != inst:
		missing(w)
	default:
		t := fmt.Sprintf("ghs_sim%033d", s.id())
		s.issued[t] = now.Add(time.Hour)
		sim.JSON(w, 201, map[string]any{"token": t, "expires_at": now.Add(time.Hour).Format(time.RFC3339), "permissions": map[string]string{"members": "write"}})
	}
}

// EndTokens ends every token that the app got, before its time.
func (s *Sim) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.issued)
}

func (s *Sim) id() int {
	s.lastID++
	return s.lastID
}

// fail is the plain shape of errors.
func fail(w http.ResponseWriter, status int, message string, errors ...map[string]string) {
	body := map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)}
	if errors != nil {
		body["errors"] = errors
	}
	sim.JSON(w, status, body)
}

func missing(w http.ResponseWriter) { fail(w, 404, "Not Found") }

// page answers a part of a list, with a Link to the next.
func page[T any](s *Sim, w http.ResponseWriter, r *http.Request, all []T) {
	q := r.URL.Query()
	per, err := strconv.Atoi(q.Get("per_page"))
	if err != nil {
		per = 30
	}
	per = min(max(per, 1), s.opt.PageSize())
	n, _ := strconv.Atoi(q.Get("page"))
	n = max(n, 1)
	from, to := min((n-1)*per, len(all)), min(n*per, len(all))
	if to < len(all) {
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://%s%s?page=9>; rel="last"`, r.Host, r.URL.Path, q.Encode(), r.Host, r.URL.Path))
	}
	sim.JSON(w, 200, append([]T{}, all[from:to]...))
}

func showUser(u *user) map[string]any {
	return map[string]any{"id": u.id, "login": u.login, "type": "User", "site_admin": false, "url": "https://api.github.com/users/" + u.login}
}

// account finds or makes an account of github.com.
func (s *Sim) account(login, email string) *user {
	if u := s.user(func(u *user) bool { return strings.EqualFold(u.login, login) }); u != nil {
		return u
	}
	u := &user{id: s.id(), login: login, email: email}
	s.users = append(s.users, u)
	return u
}

func (s *Sim) user(is func(*user) bool) *user {
	if i := slices.IndexFunc(s.users, is); i >= 0 {
		return s.users[i]
	}
	return nil
}

func (s *Sim) userByID(w http.ResponseWriter, r *http.Request) {
	u := s.user(func(u *user) bool { return strconv.Itoa(u.id) == r.PathValue("id") })
	if u == nil {
		missing(w)
		return
	}
	sim.JSON(w, 200, showUser(u))
}

// withUser finds an account by its login.
func (s *Sim) withUser(handle func(http.ResponseWriter, *http.Request, *user)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := s.user(func(u *user) bool { return strings.EqualFold(u.login, r.PathValue("login")) })
		if u == nil {
			missing(w)
			return
		}
		handle(w, r, u)
	}
}

// SignUp makes accounts of github.com, and gives the id of the last.
func (s *Sim) SignUp(logins ...string) (ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range logins {
		ref = strconv.Itoa(s.account(l, "").id)
	}
	return ref
}

// Rename is somebody who takes another login, and somebody else who takes the old one.
func (s *Sim) Rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(func(u *user) bool { return u.login == from }).login = to
	s.account(from, "")
}

// Accounts shows who is a member, invited or working in some repositories; the founder is not among them.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	add := func(u *user, email string, state dayone.State, created time.Time, more ...string) *sim.Account {
		a := sim.Account{Email: email, State: state, Created: created, Entitlements: more}
		if u != nil {
			a.Ref, a.Login, a.Email = strconv.Itoa(u.id), u.login, cmp.Or(email, u.email)
			for _, t := range s.teams {
				if role := t.members[u.id]; role != "" {
					a.Entitlements = append(a.Entitlements, "team:"+t.slug+"="+role)
				}
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
		return &out[len(out)-1]
	}
	if s.sso {
		for _, i := range s.identities {
			state := dayone.Disabled
			switch {
			case i.user != nil && s.member(i.user) != nil:
				state = dayone.Active
			case s.open(i.email) != nil:
				state = dayone.Pending
			}
			a := add(i.user, i.email, state, i.created)
			a.Ref, a.EmployeeNumber, a.FirstName, a.LastName = i.id, i.externalID, i.given, i.family
		}
		return out
	}
	for _, m := range s.members[1:] {
		add(m.user, "", dayone.Active, time.Time{})
	}
	for _, i := range s.pending() {
		if i.user != nil {
			a := add(i.user, "", dayone.Pending, i.created)
			for id, role := range i.teams {
				a.Entitlements = append(a.Entitlements, "team:"+s.teamByID(id).slug+"="+role)
			}
			slices.Sort(a.Entitlements)
		}
	}
	for _, u := range s.outside {
		add(u, "", dayone.Active, time.Time{}, "outside")
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a member there, with single sign-on one who has linked the account.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, _, _ := strings.Cut(a.Login, "@")
	if !s.sso {
		name = a.Login
	}
	u := s.account(name, a.Email)
	if a.State != dayone.Disabled {
		s.members = append(s.members, &member{user: u, role: "member"})
	}
	for _, e := range a.Entitlements {
		slug, role, _ := strings.Cut(strings.TrimPrefix(e, "team:"), "=")
		if t := s.team(slug); t != nil {
			t.members[u.id] = role
		}
	}
	if !s.sso {
		return strconv.Itoa(u.id)
	}
	i := &identity{
		id: s.guid(), externalID: a.EmployeeNumber, userName: cmp.Or(a.Email, a.Login), email: cmp.Or(a.Email, a.Login), given: cmp.Or(a.FirstName, "Some"),
		family: cmp.Or(a.LastName, "Body"), created: cmp.Or(a.Created, s.opt.Time()), user: u,
	}
	s.identities = append(s.identities, i)
	return i.id
}
