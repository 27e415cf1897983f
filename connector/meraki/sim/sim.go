// Package sim is a Meraki organisation: networks in pages by Link, SSIDs of several kinds, identity PSKs whose names and
// passphrases are unique on their SSID, group policies, users of splash pages who are authorised by network, a cap on users,
// ten calls a second, a key that ends, may only read, or sees other organisations only.
package sim

import (
	"cmp"
	"encoding/base64"
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

const (
	org = "549236"
	key = "6bec40cf957de430a6f1f2baa056b99a4fac9ea0"
)

type network struct {
	id, name string
	wireless bool
	hidden   bool // from the key
	ssids    []*ssid
	policies []groupPolicy
	users    []*user
}

type ssid struct {
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Splash  string `json:"splashPage"`
	Auth    string `json:"authMode"`
	psks    []*psk
}

type groupPolicy struct {
	Name string `json:"name"`
	ID   string `json:"groupPolicyId"`
}

type psk struct {
	Name       string  `json:"name"`
	ID         string  `json:"id"`
	Policy     string  `json:"groupPolicyId"`
	Passphrase string  `json:"passphrase"`
	Expires    *string `json:"expiresAt"`
}

type user struct {
	ID             string          `json:"id"`
	Email          string          `json:"email"`
	Name           string          `json:"name"`
	Created        time.Time       `json:"createdAt"`
	Type           string          `json:"accountType"`
	Admin          bool            `json:"isAdmin"`
	Authorizations []authorization `json:"authorizations"`
	password       string
	hidden         int // reads that still miss it
}

type authorization struct {
	SSID    *int   `json:"ssidNumber,omitempty"`
	Zone    string `json:"authorizedZone"`
	Expires string `json:"expiresAt"`
}

// Sim is the organisation.
type Sim struct {
	door *sim.Door
	opt  sim.Options
	next http.Handler

	mu       sync.Mutex
	ids      sim.IDs
	networks []*network
	key      string
	readOnly bool
	off      bool // its API is switched off
	limit    int  // calls in a second; 0: none
	second   time.Time
	calls    int
}

var _ sim.Simulator = (*Sim)(nil)

// New makes an organisation of three networks: HQ with an SSID for identity PSKs, one with a single passphrase and a splash
// page, Berlin with an SSID for identity PSKs, and a warehouse without wireless. o.Names["code"] are other SSIDs as
// "network/SSID".
func New(o sim.Options) *Sim {
	s := &Sim{door: sim.NewDoor(o), opt: o, key: key}
	names := o.Names["code"]
	if o.Names == nil {
		names = []string{"HQ/Corp", "Berlin/Corp"}
	}
	for _, n := range append(names, "HQ/Lobby", "HQ/Legacy", "Warehouse") {
		at, name, _ := strings.Cut(n, "/")
		net := s.network(at)
		if net == nil {
			net = &network{id: s.ids.Next("N_24329", 3), name: at, policies: []groupPolicy{{"Staff", "101"}, {"Contractors", "102"}}}
			s.networks = append(s.networks, net)
		}
		if name == "" {
			continue
		}
		net.wireless = true
		ss := &ssid{Number: len(net.ssids), Name: name, Enabled: true, Splash: "None", Auth: "ipsk-without-radius"}
		switch name {
		case "Lobby":
			ss.Auth, ss.Splash = "open", "Password-protected with Meraki RADIUS"
		case "Legacy":
			ss.Auth = "psk"
		}
		net.ssids = append(net.ssids, ss)
	}
	mux := http.NewServeMux()
	const nets, psks = "/api/v1/networks/{net}", "/api/v1/networks/{net}/wireless/ssids/{number}/identityPsks"
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /api/v1/organizations/{org}": s.getOrg, "GET /api/v1/organizations/{org}/networks": s.listNetworks,
		"GET " + nets + "/wireless/ssids": s.listSSIDs, "GET " + nets + "/groupPolicies": s.listPolicies,
		"GET " + psks: s.listPSKs, "POST " + psks: s.createPSK, "GET " + psks + "/{id}": s.getPSK, "PUT " + psks + "/{id}": s.updatePSK, "DELETE " + psks + "/{id}": s.deletePSK,
		"GET " + nets + "/merakiAuthUsers": s.listUsers, "POST " + nets + "/merakiAuthUsers": s.createUser, "GET " + nets + "/merakiAuthUsers/{id}": s.getUser,
		"PUT " + nets + "/merakiAuthUsers/{id}": s.updateUser, "DELETE " + nets + "/merakiAuthUsers/{id}": s.deleteUser,
		"/": func(w http.ResponseWriter, _ *http.Request) { fail(w, 404) },
	} {
		mux.HandleFunc(pattern, handle)
	}
	s.next = s.door.Wrap(s.auth(mux))
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{
		"url": base + "/api/v1", "org": org, "api_key": key, "group_policy": "Staff", "users_network": "HQ", "users_ssids": "Lobby", "users_type": "Guest",
	}
}

// Expire ends the key, as when its administrator leaves.
func (s *Sim) Expire() { s.mu.Lock(); defer s.mu.Unlock(); s.key = "another" }

// ReadOnly makes the key's administrator one who may only look.
func (s *Sim) ReadOnly() { s.mu.Lock(); defer s.mu.Unlock(); s.readOnly = true }

// SwitchOff is an organisation without an API.
func (s *Sim) SwitchOff() { s.mu.Lock(); defer s.mu.Unlock(); s.off = true }

// Rename gives a network another name, as an administrator does in the dashboard.
func (s *Sim) Rename(network, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network(network).name = name
}

// Hide takes a network out of what the key's administrator may see: whatever is below it is not found. It stays in the list
// of networks, since that may be read by others than those who may read what is in them.
func (s *Sim) Hide(network string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.network(network).hidden = true
}

// Limit allows so many calls in a second of its clock.
func (s *Sim) Limit(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.limit = n }

// Joins says whose device gets into a wireless network with a passphrase; "": it does not.
func (s *Sim) Joins(at, passphrase string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		for _, x := range n.ssids {
			for _, k := range x.psks {
				if n.name+"/"+x.Name == at && x.Enabled && k.Passphrase == passphrase {
					return k.Name
				}
			}
		}
	}
	return ""
}

// SignsIn says whether somebody gets past a splash page.
func (s *Sim) SignsIn(at, email, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		for _, x := range n.ssids {
			for _, u := range n.users {
				if n.name+"/"+x.Name == at && strings.EqualFold(u.Email, email) && u.password == password && u.may(x.Number) {
					return true
				}
			}
		}
	}
	return false
}

// Policy is the group policy of somebody's identity PSK; "": there is none.
func (s *Sim) Policy(at, email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		for _, x := range n.ssids {
			for _, k := range x.psks {
				if n.name+"/"+x.Name == at && strings.EqualFold(k.Name, email) {
					return k.Policy
				}
			}
		}
	}
	return ""
}

// Paste makes an identity PSK as an administrator does in the dashboard.
func (s *Sim) Paste(at, name, passphrase string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		for _, x := range n.ssids {
			if n.name+"/"+x.Name == at {
				x.psks = append(x.psks, &psk{Name: name, ID: s.ids.Next("12843920148", 2), Policy: "101", Passphrase: passphrase})
			}
		}
	}
}

// Promote makes a user an administrator of the dashboard.
func (s *Sim) Promote(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.networks {
		for _, u := range n.users {
			u.Admin = u.Admin || u.Email == email
		}
	}
}

func (u *user) may(number int) bool {
	return slices.ContainsFunc(u.Authorizations, func(a authorization) bool { return a.SSID != nil && *a.SSID == number })
}

func (s *Sim) network(name string) *network {
	for _, n := range s.networks {
		if n.name == name || n.id == name {
			return n
		}
	}
	return nil
}

func fail(w http.ResponseWriter, status int, errs ...string) {
	if len(errs) == 0 {
		w.WriteHeader(status)
		return
	}
	sim.JSON(w, status, map[string]any{"errors": errs})
}

func (s *Sim) auth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !sim.Replaying(r) {
			if second := s.opt.Time().Truncate(time.Second); !second.Equal(s.second) {
				s.second, s.calls = second, 0
			}
			if s.calls++; s.limit > 0 && s.calls > s.limit {
				w.Header().Set("Retry-After", "1")
				fail(w, 429, "API rate limit exceeded for organization")
				return
			}
			switch {
			case r.Header.Get("Authorization") != "Bearer "+s.key:
				fail(w, 401, "Invalid API key")
				return
			case s.off && !strings.HasSuffix(r.URL.Path, org):
				fail(w, 403, "API access is disabled for this organization")
				return
			case s.readOnly && r.Method != http.MethodGet:
				fail(w, 403, "You do not have permission to perform this action")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sim) getOrg(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("org") != org {
		fail(w, 404)
		return
	}
	sim.JSON(w, 200, map[string]any{"id": org, "name": "Acme", "api": map[string]bool{"enabled": !s.off}})
}

// listNetworks pages as Meraki does: with a link that goes on after an id.
func (s *Sim) listNetworks(w http.ResponseWriter, r *http.Request) {
	per, err := strconv.Atoi(cmp.Or(r.FormValue("perPage"), "1000"))
	switch {
	case r.PathValue("org") != org:
		fail(w, 404)
		return
	case err != nil || per < 3 || per > 100_000:
		fail(w, 400, "perPage must be between 3 and 100000")
		return
	}
	from := 0
	if after := r.FormValue("startingAfter"); after != "" {
		from = slices.IndexFunc(s.networks, func(n *network) bool { return n.id == after }) + 1
	}
	to := min(len(s.networks), from+min(per, s.opt.PageSize()))
	out := []map[string]any{}
	for _, n := range s.networks[from:to] {
		products := []string{"appliance", "switch"}
		if n.wireless {
			products = append(products, "wireless")
		}
		out = append(out, map[string]any{"id": n.id, "organizationId": org, "name": n.name, "productTypes": products, "isBoundToConfigTemplate": false})
	}
	here := "http://" + r.Host + r.URL.Path + "?perPage=" + strconv.Itoa(per)
	links := []string{"<" + here + ">; rel=first"}
	if to < len(s.networks) {
		links = append(links, "<"+here+"&startingAfter="+url.QueryEscape(s.networks[to-1].id)+">; rel=next")
	}
	w.Header().Set("Link", strings.Join(links, ", "))
	sim.JSON(w, 200, out)
}

// in is the network of a request.
func (s *Sim) in(w http.ResponseWriter, r *http.Request) *network {
	for _, n := range s.networks {
		if n.id == r.PathValue("net") && !n.hidden {
			return n
		}
	}
	fail(w, 404)
	return nil
}

func (s *Sim) listSSIDs(w http.ResponseWriter, r *http.Request) {
	switch n := s.in(w, r); {
	case n == nil:
	case !n.wireless:
		fail(w, 400, "This endpoint only supports wireless networks")
	default:
		sim.JSON(w, 200, n.ssids)
	}
}

func (s *Sim) listPolicies(w http.ResponseWriter, r *http.Request) {
	if n := s.in(w, r); n != nil {
		sim.JSON(w, 200, n.policies)
	}
}

// Accounts shows every user with the codes that carry the same address.
func (s *Sim) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, n := range s.networks {
		for _, u := range n.users {
			a := sim.Account{Ref: u.ID, Login: u.Email, Email: u.Email, FirstName: u.Name, State: dayone.Disabled, Created: u.Created}
			if len(u.Authorizations) > 0 {
				a.State = dayone.Active
			}
			for _, m := range s.networks {
				for _, x := range m.ssids {
					for _, k := range x.psks {
						if k.Name == u.Email {
							a.Entitlements = append(a.Entitlements, "code:"+m.name+"/"+x.Name)
						}
					}
				}
			}
			slices.Sort(a.Entitlements)
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user of HQ's splash page there.
func (s *Sim) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.network("HQ")
	lobby := slices.IndexFunc(n.ssids, func(x *ssid) bool { return x.Name == "Lobby" })
	u := &user{
		ID: id(a.Email), Email: a.Email, Name: strings.TrimSpace(a.FirstName + " " + a.LastName), Type: "Guest", Created: cmp.Or(a.Created, s.opt.Time()),
		Authorizations: []authorization{}, password: "somebody-else",
	}
	if a.State != dayone.Disabled {
		u.Authorizations = append(u.Authorizations, authorization{SSID: &lobby, Zone: "Lobby", Expires: "Never"})
	}
	n.users = append(n.users, u)
	return u.ID
}

// id of a user is made of the mail address.
func id(email string) string { return base64.StdEncoding.EncodeToString([]byte(email)) }
