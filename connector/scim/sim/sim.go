// Package sim is a strict SCIM 2.0 server: a kit of store, filters, patches and errors that vendors' simulators embed with
// a dialect, and the simulator of a server without a vendor. It must not import the client that it is to test.
package sim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// Sim is a Server with a door.
type Sim struct {
	*Server
	door *sim.Door
	next http.Handler
}

var _ sim.Simulator = (*Sim)(nil)

// New makes a server by the book with a few groups.
func New(o sim.Options) *Sim {
	return NewSim(o, Dialect{Names: []string{"staff", "sales", "engineering"}})
}

// NewSim makes one of a dialect.
func NewSim(o sim.Options, d Dialect) *Sim {
	s := &Sim{Server: NewServer(o, d), door: sim.NewDoor(o)}
	s.next = s.door.Wrap(s.Server)
	return s
}

func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.next.ServeHTTP(w, r) }
func (s *Sim) Door() *sim.Door                                  { return s.door }

// Settings of a connector that is let in.
func (s *Sim) Settings(base string) map[string]string {
	return map[string]string{"url": base + s.d.Base, "token": s.d.Token}
}

// Accounts shows every user, inactive ones too, unless the vendor itself forgets them.
func (s *Server) Accounts() []sim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []sim.Account
	for _, row := range s.users.rows {
		u := row.r
		one := func(path string) string {
			for _, v := range leaves(u, path) {
				return fmt.Sprint(v)
			}
			return ""
		}
		a := sim.Account{
			Ref: one("id"), Login: one("userName"), Email: one("emails"), EmployeeNumber: one(s.d.Number),
			FirstName: one("name.givenName"), LastName: one("name.familyName"), State: dayone.Disabled,
		}
		if active(u) {
			a.State = dayone.Active
		}
		a.Created, _ = time.Parse(time.RFC3339, one("meta.created"))
		for _, g := range s.groups.rows {
			if member(g.r, u["id"]) {
				a.Entitlements = append(a.Entitlements, s.d.Kind+":"+fmt.Sprint(g.r["displayName"]))
			}
		}
		slices.Sort(a.Entitlements)
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b sim.Account) int { return cmp.Compare(a.Login, b.Login) })
	return out
}

// Seed puts a user there.
func (s *Server) Seed(a sim.Account) string {
	u := Resource{
		"schemas": []any{userURN}, "userName": a.Login, "active": s.truth(a.State == dayone.Active || a.State == ""),
		"name":   map[string]any{"givenName": cmp.Or(a.FirstName, "Some"), "familyName": cmp.Or(a.LastName, "Body")},
		"emails": []any{map[string]any{"value": cmp.Or(a.Email, a.Login), "type": "work", "primary": true}},
	}
	if a.EmployeeNumber != "" {
		if urn, name, ok := strings.Cut(s.d.Number, ":User:"); ok {
			u[urn+":User"] = map[string]any{name: a.EmployeeNumber}
			u["schemas"] = []any{userURN, urn + ":User"}
		} else {
			u[s.d.Number] = a.EmployeeNumber
		}
	}
	id := s.Put("User", u)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.Created.IsZero() {
		u["meta"].(map[string]any)["created"] = a.Created.UTC().Format(time.RFC3339Nano)
	}
	for _, g := range s.groups.rows {
		if slices.Contains(a.Entitlements, s.d.Kind+":"+fmt.Sprint(g.r["displayName"])) {
			g.r["members"] = append(elements(g.r["members"]), map[string]any{"value": id})
		}
	}
	return id
}
