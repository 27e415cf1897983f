package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone/connector/sim"
)

// Identity PSKs, and users whom Meraki keeps.

func (s *Sim) ssid(w http.ResponseWriter, r *http.Request) (*network, *ssid) {
	n := s.in(w, r)
	if n == nil {
		return nil, nil
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 0 || number >= len(n.ssids) {
		fail(w, 404)
		return nil, nil
	}
	x := n.ssids[number]
	if x.Auth != "ipsk-without-radius" {
		fail(w, 400, "Identity PSKs are not supported on this SSID")
		return nil, nil
	}
	return n, x
}

func (s *Sim) psk(w http.ResponseWriter, r *http.Request) (*network, *ssid, *psk) {
	n, x := s.ssid(w, r)
	if x == nil {
		return nil, nil, nil
	}
	i := slices.IndexFunc(x.psks, func(k *psk) bool { return k.ID == r.PathValue("id") })
	if i < 0 {
		fail(w, 404)
		return nil, nil, nil
	}
	return n, x, x.psks[i]
}

func (s *Sim) listPSKs(w http.ResponseWriter, r *http.Request) {
	if _, x := s.ssid(w, r); x != nil {
		sim.JSON(w, 200, append([]*psk{}, x.psks...))
	}
}

func (s *Sim) getPSK(w http.ResponseWriter, r *http.Request) {
	if _, _, k := s.psk(w, r); k != nil {
		sim.JSON(w, 200, k)
	}
}

// wanted are fields of an identity PSK as they come; what is missing is nil.
type wanted struct {
	Name       *string `json:"name"`
	Passphrase *string `json:"passphrase"`
	Policy     *string `json:"groupPolicyId"`
}

// judge refuses what Meraki refuses; k is nil for a new one.
func judge(w http.ResponseWriter, n *network, x *ssid, k *psk, in wanted) bool {
	var errs []string
	if in.Name != nil && *in.Name == "" {
		errs = append(errs, "Name can't be blank")
	}
	if p := in.Passphrase; p != nil && *p != "" && (len(*p) < 8 || len(*p) > 63) {
		errs = append(errs, "Passphrase must be between 8 and 63 characters")
	}
	if g := in.Policy; g != nil && !slices.ContainsFunc(n.policies, func(p groupPolicy) bool { return p.ID == *g }) {
		errs = append(errs, "Group policy is invalid")
	}
	for _, o := range x.psks {
		if o == k {
			continue
		}
		if in.Name != nil && o.Name == *in.Name {
			errs = append(errs, "Name has already been taken")
		}
		if in.Passphrase != nil && o.Passphrase == *in.Passphrase {
			errs = append(errs, "Passphrase must be unique")
		}
	}
	if len(errs) > 0 {
		fail(w, 400, errs...)
	}
	return len(errs) == 0
}

func (k *psk) set(in wanted) {
	for to, from := range map[*string]*string{&k.Name: in.Name, &k.Passphrase: in.Passphrase, &k.Policy: in.Policy} {
		if from != nil {
			*to = *from
		}
	}
}

func (s *Sim) createPSK(w http.ResponseWriter, r *http.Request) {
	n, x := s.ssid(w, r)
	if x == nil {
		return
	}
	var in wanted
	if sim.Read(r, &in) != nil || in.Name == nil || in.Policy == nil {
		fail(w, 400, "'name' and 'groupPolicyId' are required")
		return
	}
	if !judge(w, n, x, nil, in) {
		return
	}
	k := &psk{ID: s.ids.Next("12843920148", 2)}
	k.set(in)
	if k.Passphrase == "" {
		k.Passphrase = s.ids.Next("auto-generated-", 4)
	}
	x.psks = append(x.psks, k)
	sim.JSON(w, 201, k)
}

func (s *Sim) updatePSK(w http.ResponseWriter, r *http.Request) {
	n, x, k := s.psk(w, r)
	if k == nil {
		return
	}
	var in wanted
	if sim.Read(r, &in) != nil {
		fail(w, 400, "Invalid JSON")
		return
	}
	if judge(w, n, x, k, in) {
		k.set(in)
		sim.JSON(w, 200, k)
	}
}

func (s *Sim) deletePSK(w http.ResponseWriter, r *http.Request) {
	if _, x, k := s.psk(w, r); k != nil {
		x.psks = slices.DeleteFunc(x.psks, func(o *psk) bool { return o == k })
		w.WriteHeader(204)
	}
}

func (s *Sim) user(w http.ResponseWriter, r *http.Request) (*network, *user) {
	n := s.in(w, r)
	if n == nil {
		return nil, nil
	}
	i := slices.IndexFunc(n.users, func(u *user) bool { return u.ID == r.PathValue("id") })
	if i >= 0 && n.users[i].hidden > 0 {
		n.users[i].hidden--
		i = -1
	}
	if i < 0 {
		fail(w, 404)
		return nil, nil
	}
	return n, n.users[i]
}

func (s *Sim) listUsers(w http.ResponseWriter, r *http.Request) {
	n := s.in(w, r)
	if n == nil {
		return
	}
	out := []*user{}
	for _, u := range n.users {
		if u.hidden > 0 {
			u.hidden--
			continue
		}
		out = append(out, u)
	}
	sim.JSON(w, 200, out)
}

func (s *Sim) getUser(w http.ResponseWriter, r *http.Request) {
	if _, u := s.user(w, r); u != nil {
		sim.JSON(w, 200, u)
	}
}

// authorized checks SSIDs: each has to be configured for users of the type.
func (n *network) authorized(w http.ResponseWriter, kind string, in []authorization) ([]authorization, bool) {
	out := []authorization{}
	for _, a := range in {
		if kind == "Client VPN" {
			out = append(out, authorization{Zone: "Client VPN", Expires: "Never"})
			continue
		}
		if a.SSID == nil || *a.SSID < 0 || *a.SSID >= len(n.ssids) || kind == "Guest" && n.ssids[*a.SSID].Splash != "Password-protected with Meraki RADIUS" || kind == "802.1X" && n.ssids[*a.SSID].Auth != "8021x-meraki" {
			fail(w, 400, "SSID is not configured for users of this account type")
			return nil, false
		}
		out = append(out, authorization{SSID: a.SSID, Zone: n.ssids[*a.SSID].Name, Expires: "Never"})
	}
	return out, true
}

func (s *Sim) createUser(w http.ResponseWriter, r *http.Request) {
	n := s.in(w, r)
	if n == nil {
		return
	}
	var in struct {
		Email, Name, Password string
		AccountType           string          `json:"accountType"`
		Authorizations        []authorization `json:"authorizations"`
	}
	all := 0
	for _, x := range s.networks {
		all += len(x.users)
	}
	switch err := sim.Read(r, &in); {
	case err != nil, !strings.Contains(in.Email, "@"):
		fail(w, 400, "Email is invalid")
		return
	case in.Name == "" || len(in.Password) < 8:
		fail(w, 400, "Name and password are required")
		return
	case len(in.Authorizations) == 0:
		fail(w, 400, "Authorizations can't be blank")
		return
	case slices.ContainsFunc(n.users, func(u *user) bool { return strings.EqualFold(u.Email, in.Email) }):
		fail(w, 400, "Email has already been taken")
		return
	case s.opt.Seats > 0 && all >= s.opt.Seats:
		fail(w, 400, "The organization has reached its limit of users")
		return
	}
	as, ok := n.authorized(w, in.AccountType, in.Authorizations)
	if !ok {
		return
	}
	u := &user{ID: id(in.Email), Email: in.Email, Name: in.Name, Type: in.AccountType, Created: s.opt.Time(), Authorizations: as, password: in.Password, hidden: s.opt.Lag}
	n.users = append(n.users, u)
	sim.JSON(w, 201, u)
}

func (s *Sim) updateUser(w http.ResponseWriter, r *http.Request) {
	n, u := s.user(w, r)
	if u == nil {
		return
	}
	var in struct {
		Name, Password *string
		Authorizations []authorization `json:"authorizations"`
	}
	if sim.Read(r, &in) != nil || u.Admin && (in.Name != nil || in.Password != nil) {
		fail(w, 400, "Name and password of an administrator cannot be changed")
		return
	}
	if in.Authorizations != nil {
		as, ok := n.authorized(w, u.Type, in.Authorizations)
		if !ok {
			return
		}
		u.Authorizations = as
	}
	if in.Name != nil {
		u.Name = *in.Name
	}
	if in.Password != nil {
		u.password = *in.Password
	}
	sim.JSON(w, 200, u)
}

// deleteUser deletes if it is asked to, and takes the authorisations otherwise.
func (s *Sim) deleteUser(w http.ResponseWriter, r *http.Request) {
	n, u := s.user(w, r)
	if u == nil {
		return
	}
	if r.FormValue("delete") == "true" || u.Type == "802.1X" {
		n.users = slices.DeleteFunc(n.users, func(o *user) bool { return o == u })
	} else {
		u.Authorizations = []authorization{}
	}
	w.WriteHeader(204)
}
