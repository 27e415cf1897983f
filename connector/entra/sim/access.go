package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
)

type group struct {
	id, name string
	kind     string // "", dynamic, synced, distribution, role
	members  map[string]bool
	owners   map[string]bool
}

type sku struct {
	id, name string
	total    int
}

type consent struct{ id, user, client, scope string }

type pass struct {
	id, code string
	from     time.Time
	minutes  int
	once     bool
	used     bool
}

func (s *Sim) group(name, kind string) *group {
	g := &group{id: s.guid(), name: name, kind: kind, members: map[string]bool{}, owners: map[string]bool{}}
	s.groups = append(s.groups, g)
	return g
}

// AddGroup makes a group of a kind: "" is a plain one, else dynamic, synced, distribution or role, which is a directory role.
func (s *Sim) AddGroup(name, kind string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.group(name, kind)
	for _, id := range members {
		g.members[id] = true
	}
}

// Own makes a user the owner of a group.
func (s *Sim) Own(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		if g.name == name {
			g.owners[id] = true
		}
	}
}

// Consent lets an application act for a user.
func (s *Sim) Consent(id, client, scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consents = append(s.consents, &consent{s.guid(), id, client, scope})
}

// Inherit gives a licence through a group.
func (s *Sim) Inherit(id, name, group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.skus {
		if k.name == name {
			s.byID[id].licences[k.id] = group
		}
	}
}

// UsePass signs in by a pass, which a pass for one use does not survive.
func (s *Sim) UsePass(id, code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byID[id]
	for i, p := range u.passes {
		if p.code == code && s.usable(p) && u.props["accountEnabled"] == true {
			u.passes[i].used = p.once
			u.sessions++
			return true
		}
	}
	return false
}

func (g *group) view() map[string]any {
	if g.kind == "role" {
		return map[string]any{"@odata.type": "#microsoft.graph.directoryRole", "id": g.id, "displayName": g.name}
	}
	out := map[string]any{
		"@odata.type": "#microsoft.graph.group", "id": g.id, "displayName": g.name, "description": nil, "groupTypes": []string{}, "mailEnabled": g.kind == "distribution",
		"onPremisesSyncEnabled": nil,
	}
	switch g.kind {
	case "dynamic":
		out["groupTypes"] = []string{"DynamicMembership"}
	case "synced":
		out["onPremisesSyncEnabled"] = true
	}
	return out
}

func (s *Sim) showGroups(w http.ResponseWriter, r *http.Request, some func(*group) bool) {
	var list []*group
	for _, g := range s.groups {
		if some(g) {
			list = append(list, g)
		}
	}
	s.page(w, r, len(list), func(i int) map[string]any { return list[i].view() })
}

func (s *Sim) listGroups(w http.ResponseWriter, r *http.Request) {
	s.showGroups(w, r, func(g *group) bool { return g.kind != "role" })
}

func (s *Sim) memberOf(w http.ResponseWriter, r *http.Request, u *user) {
	s.showGroups(w, r, func(g *group) bool { return g.members[u.id] })
}

func (s *Sim) ownedObjects(w http.ResponseWriter, r *http.Request, u *user) {
	s.showGroups(w, r, func(g *group) bool { return g.owners[u.id] })
}

// found is the group of a path.
func (s *Sim) found(w http.ResponseWriter, r *http.Request) *group {
	i := slices.IndexFunc(s.groups, func(g *group) bool { return g.id == r.PathValue("gid") })
	if i < 0 {
		missing(w, r.PathValue("gid"))
		return nil
	}
	return s.groups[i]
}

func (s *Sim) getGroup(w http.ResponseWriter, r *http.Request) {
	if g := s.found(w, r); g != nil {
		sim.JSON(w, 200, g.view())
	}
}

// closed refuses members of groups that others master.
func closed(w http.ResponseWriter, g *group) bool {
	switch g.kind {
	case "dynamic":
		fail(w, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	case "synced":
		fail(w, 400, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	case "distribution":
		fail(w, 400, "Request_BadRequest", "Cannot Update a mail-enabled security groups and or distribution list.")
	default:
		return false
	}
	return true
}

func (s *Sim) addMember(w http.ResponseWriter, r *http.Request) {
	g := s.found(w, r)
	if g == nil || closed(w, g) {
		return
	}
	id, ok := reference(r)
	u := s.byID[id]
	switch {
	case !ok || u == nil || !seen(u):
		missing(w, id)
	case g.members[id]:
		fail(w, 400, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'.")
	default:
		g.members[id] = true
		w.WriteHeader(204)
	}
}

func (s *Sim) removeMember(w http.ResponseWriter, r *http.Request) {
	g := s.found(w, r)
	if g == nil || closed(w, g) {
		return
	}
	if !g.members[r.PathValue("id")] {
		missing(w, r.PathValue("id"))
		return
	}
	delete(g.members, r.PathValue("id"))
	w.WriteHeader(204)
}

// disaster is what a path without /$ref asks for: the user is deleted.
func (s *Sim) disaster(w http.ResponseWriter, r *http.Request) {
	if u := s.byID[r.PathValue("id")]; u != nil {
		s.remove(u)
		s.disasters++
	}
	w.WriteHeader(204)
}

func (s *Sim) revoke(w http.ResponseWriter, _ *http.Request, u *user) {
	u.sessions = 0
	sim.JSON(w, 200, map[string]any{"value": true})
}

func (s *Sim) listConsents(w http.ResponseWriter, r *http.Request, u *user) {
	var list []*consent
	for _, c := range s.consents {
		if c.user == u.id {
			list = append(list, c)
		}
	}
	s.page(w, r, len(list), func(i int) map[string]any {
		return map[string]any{"id": list[i].id, "clientId": list[i].client, "consentType": "Principal", "principalId": u.id, "scope": list[i].scope}
	})
}

func (s *Sim) deleteConsent(w http.ResponseWriter, r *http.Request) {
	before := len(s.consents)
	s.consents = slices.DeleteFunc(s.consents, func(c *consent) bool { return c.id == r.PathValue("grant") })
	if len(s.consents) == before {
		missing(w, r.PathValue("grant"))
		return
	}
	w.WriteHeader(204)
}

func (s *Sim) used(k *sku) int {
	n := 0
	for _, u := range s.users {
		if _, has := u.licences[k.id]; has {
			n++
		}
	}
	return n
}

func (s *Sim) listSKUs(w http.ResponseWriter, r *http.Request) {
	s.page(w, r, len(s.skus), func(i int) map[string]any {
		k := s.skus[i]
		return map[string]any{
			"skuId": k.id, "skuPartNumber": k.name, "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": s.used(k),
			"prepaidUnits": map[string]int{"enabled": k.total, "suspended": 0, "warning": 0, "lockedOut": 0},
		}
	})
}

func (s *Sim) assign(w http.ResponseWriter, r *http.Request, u *user) {
	var in struct {
		Add *[]struct {
			SKU string `json:"skuId"`
		} `json:"addLicenses"`
		Remove *[]string `json:"removeLicenses"`
	}
	if sim.Read(r, &in) != nil || in.Add == nil || in.Remove == nil {
		fail(w, 400, "Request_BadRequest", "One or more parameters of the function import 'assignLicense' are missing from the request payload.")
		return
	}
	bad := func(message string) { fail(w, 400, "Request_BadRequest", message) }
	for _, a := range *in.Add {
		i := slices.IndexFunc(s.skus, func(k *sku) bool { return k.id == a.SKU })
		_, has := u.licences[a.SKU]
		switch {
		case i < 0:
			bad("License " + a.SKU + " does not correspond to a valid company License.")
			return
		case u.text("usageLocation") == "":
			bad("License assignment cannot be done for user with invalid usage location.")
			return
		case !has && s.used(s.skus[i]) >= s.skus[i].total:
			bad("Subscription with SKU " + a.SKU + " does not have any available licenses.")
			return
		}
	}
	for _, id := range *in.Remove {
		by, has := u.licences[id]
		if by != "" {
			bad("User license is inherited from a group membership and it cannot be removed directly from the user.")
			return
		}
		if !has {
			bad("User does not have a corresponding license.")
			return
		}
	}
	for _, a := range *in.Add {
		u.licences[a.SKU] = ""
	}
	for _, id := range *in.Remove {
		delete(u.licences, id)
	}
	sim.JSON(w, 200, s.view(r, u))
}

func (s *Sim) usable(p pass) bool {
	now := s.opt.Time()
	return !p.used && !now.Before(p.from) && now.Before(p.from.Add(time.Duration(p.minutes)*time.Minute))
}

func (s *Sim) passView(p pass) map[string]any {
	reason := "EnabledByPolicy"
	switch now := s.opt.Time(); {
	case p.used:
		reason = "OneTimeUsed"
	case now.Before(p.from):
		reason = "NotYetValid"
	case !s.usable(p):
		reason = "Expired"
	}
	return map[string]any{
		"id": p.id, "temporaryAccessPass": nil, "startDateTime": s.at(p.from), "lifetimeInMinutes": p.minutes, "isUsableOnce": p.once, "isUsable": s.usable(p),
		"methodUsabilityReason": reason,
	}
}

func (s *Sim) listPasses(w http.ResponseWriter, r *http.Request, u *user) {
	s.page(w, r, len(u.passes), func(i int) map[string]any { return s.passView(u.passes[i]) })
}

func (s *Sim) createPass(w http.ResponseWriter, r *http.Request, u *user) {
	var in struct {
		Minutes int    `json:"lifetimeInMinutes"`
		Once    bool   `json:"isUsableOnce"`
		Start   string `json:"startDateTime"`
	}
	p := pass{id: s.guid(), code: s.ids.Next("TAP+", 8), from: s.opt.Time(), minutes: 60}
	switch {
	case sim.Read(r, &in) != nil || in.Minutes != 0 && (in.Minutes < 10 || in.Minutes > 43200):
		fail(w, 400, "BadRequest", "Invalid request: lifetimeInMinutes.")
		return
	case len(u.passes) > 0:
		fail(w, 400, "BadRequest", "The user has a Temporary Access Pass.")
		return
	}
	if t, err := time.Parse(time.RFC3339, in.Start); err == nil {
		p.from = t
	}
	if in.Minutes > 0 {
		p.minutes = in.Minutes
	}
	p.once = in.Once
	u.passes = append(u.passes, p)
	out := s.passView(p)
	out["temporaryAccessPass"] = p.code
	sim.JSON(w, 201, out)
}

func (s *Sim) deletePass(w http.ResponseWriter, r *http.Request, u *user) {
	before := len(u.passes)
	u.passes = slices.DeleteFunc(u.passes, func(p pass) bool { return p.id == r.PathValue("pass") })
	if len(u.passes) == before {
		fail(w, 404, "resourceNotFound", "The requested resource was not found.")
		return
	}
	w.WriteHeader(204)
}

// box says whether a mailbox is here.
func box(w http.ResponseWriter, r *http.Request) bool {
	if strings.EqualFold(r.PathValue("box"), Mailbox) {
		return true
	}
	fail(w, 404, "ErrorInvalidUser", "The requested user '"+r.PathValue("box")+"' is invalid.")
	return false
}
