// Package sim is an Active Directory of a size for tests: one domain controller with users, groups and organizational units,
// which speaks LDAP over TLS with the refusals of MS-ADTS. It must not know the connector.
package sim

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Who is let in, and where everything is.
const (
	Base     = "DC=corp,DC=test"
	BindDN   = "svc-dayone@corp.test"
	Password = "Svc-Passw0rd!"

	users = "CN=Users," + Base
)

// Server is one domain controller.
type Server struct {
	opt  sim.Options
	door *sim.Door
	line

	mu   sync.Mutex
	tree tree
	name string // of the controller, which changes when another one answers
}

// Directory makes one with the groups of the examples. Listen lets it be reached.
func Directory(o sim.Options) *Server {
	s := &Server{opt: o, door: sim.NewDoor(o), name: "DC1", tree: tree{now: o.Time, entries: map[string]*entry{}, hidden: map[string]bool{}}}
	s.line.open()
	unit := map[string][]string{"objectClass": {"top", "organizationalUnit"}}
	s.tree.put(Base, map[string][]string{"objectClass": {"top", "domain", "domainDNS"}})
	s.tree.put(users, map[string][]string{"objectClass": {"top", "container"}})
	for _, ou := range []string{"OU=Staff,", "OU=Berlin,OU=Staff,", "OU=Closed,"} {
		s.tree.put(ou+Base, unit)
	}
	s.tree.put("CN=svc-dayone,"+users, map[string][]string{
		"objectClass": userClasses, "sAMAccountName": {"svc-dayone"}, "userPrincipalName": {BindDN}, "userAccountControl": {"66048"}, "pwdLastSet": {"1"},
	}).password = Password
	names := o.Names["group"]
	if names == nil {
		names = []string{"base-employee", "sales-team", "vpn-users"}
	}
	for _, name := range names {
		s.tree.put("CN="+name+","+users, map[string][]string{"objectClass": groupClasses, "sAMAccountName": {name}, "groupType": {"-2147483646"}})
	}
	s.tree.put("CN=Guests,"+users, map[string][]string{"objectClass": groupClasses, "sAMAccountName": {"Guests"}, "groupType": {"-2147483643"}})
	return s
}

var (
	userClasses  = []string{"top", "person", "organizationalPerson", "user"}
	groupClasses = []string{"top", "group"}
)

func (s *Server) Door() *sim.Door { return s.door }

// Settings of somebody who is let in; base is what Listen returned.
func (s *Server) Settings(base string) map[string]string {
	return map[string]string{
		"urls": strings.NewReplacer("https://", "ldaps://", "http://", "ldaps://").Replace(base), "bind_dn": BindDN, "bind_password": Password, "ca": s.ca,
		"base": Base, "people_ou": "Staff",
	}
}

// Accounts are the users but the one who signs in.
func (s *Server) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, e := range s.tree.entries {
		if !e.is("user") || e.get("userPrincipalName") == BindDN {
			continue
		}
		a := sim.Account{
			Ref: hex.EncodeToString(e.guid), Login: e.get("sAMAccountName"), Email: e.get("mail"), EmployeeNumber: e.get("employeeID"),
			FirstName: e.get("givenName"), LastName: e.get("sn"), State: dayone.Active, Created: e.made,
		}
		if e.control()&disabled != 0 {
			a.State = dayone.Disabled
		}
		for _, g := range s.tree.entries {
			if g.holds("member", e.dn) {
				a.Entitlements = append(a.Entitlements, "group:"+g.get("sAMAccountName"))
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed makes a user as another administrator would.
func (s *Server) Seed(a sim.Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	control := "512"
	if a.State == dayone.Disabled {
		control = "514"
	}
	set := map[string][]string{"objectClass": userClasses, "sAMAccountName": {a.Login}, "userAccountControl": {control}, "pwdLastSet": {"1"}}
	for name, v := range map[string]string{"mail": a.Email, "employeeID": a.EmployeeNumber, "givenName": a.FirstName, "sn": a.LastName} {
		if v != "" {
			set[name] = []string{v}
		}
	}
	e := s.tree.put("CN="+escape(a.Login)+","+users, set)
	if !a.Created.IsZero() {
		e.made = a.Created
	}
	return hex.EncodeToString(e.guid)
}

// Hide takes the right to read a unit, and all that is below it, from everybody; or gives it back.
func (s *Server) Hide(unit string, hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree.hidden[key(unit)] = hidden
}

// Graves lets gravestones of deleted entries be seen.
func (s *Server) Graves(seen bool) { s.mu.Lock(); defer s.mu.Unlock(); s.tree.graves = seen }

// Controller is the name of the one that answers from now on: another one counts its changes by itself.
func (s *Server) Controller(name string) { s.mu.Lock(); defer s.mu.Unlock(); s.name = name }

// Drop deletes whoever has a login, as another administrator does.
func (s *Server) Drop(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.tree.ordered() {
		if strings.EqualFold(e.get("sAMAccountName"), login) {
			s.tree.delete(e.dn, true)
		}
	}
}

// Shows are the values of an attribute of whoever has this login; none, if nobody has.
func (s *Server) Shows(login, attribute string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.tree.entries {
		if strings.EqualFold(e.get("sAMAccountName"), login) {
			return s.tree.values(e, attribute)
		}
	}
	return nil
}

// LetsIn says whether a user may sign in with a password now.
func (s *Server) LetsIn(login, password string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.tree.entries {
		if strings.EqualFold(e.get("sAMAccountName"), login) {
			return s.tree.bind(e.dn, password) == nil
		}
	}
	return false
}

// generalized is how a directory writes an instant.
func generalized(t time.Time) string { return t.UTC().Format("20060102150405") + ".0Z" }
