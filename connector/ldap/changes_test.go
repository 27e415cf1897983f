package ldap_test

import (
	"errors"
	"strings"
	"testing"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	adsim "github.com/dayone-hq/dayone/connector/ldap/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

func changing(t *testing.T, g *connector.Guard) connector.Changing {
	t.Helper()
	src, ok := g.Source()
	if !ok {
		t.Fatal("a directory is no source")
	}
	return src.(connector.Changing)
}

func subjects(es []dayone.Event) string {
	var out []string
	for _, e := range es {
		out = append(out, e.Subject)
	}
	return strings.Join(out, " ")
}

// TestChangesByNumber: a controller that does not take DirSync is asked by its own count of changes, and a mark of another
// controller is too old.
func TestChangesByNumber(t *testing.T) {
	t.Parallel()
	s, g := simulated(t, nil)
	src := changing(t, g)
	if _, err := g.Apply(t.Context(), create(sarah, firstPassword)); err != nil {
		t.Fatal(err)
	}
	none, mark, err := src.Changes(t.Context(), "")
	if err != nil || len(none) != 0 || !strings.HasPrefix(mark, "usn ") {
		t.Fatalf("the first mark is %q with %d records, %v", mark, len(none), err)
	}
	s.Seed(sim.Account{Login: "max", EmployeeNumber: "E-1", State: dayone.Active})
	s.Seed(sim.Account{Login: "nobody", State: dayone.Active})
	for _, login := range []string{"twin", "twin2"} {
		s.Seed(sim.Account{Login: login, EmployeeNumber: "E-2", State: dayone.Active})
	}
	got, next, err := src.Changes(t.Context(), mark)
	if err != nil || subjects(got) != "E-1" || !got[0].Full || got[0].Fields["login"].Text != "max" {
		t.Errorf("changed are %q, %v", subjects(got), err)
	}
	if again, _, err := src.Changes(t.Context(), next); err != nil || len(again) > 0 {
		t.Errorf("told twice: %q, %v", subjects(again), err)
	}
	s.Drop("max")
	if got, _, err := src.Changes(t.Context(), next); err != nil || len(got) > 0 {
		t.Errorf("who was deleted is told as %q, %v", subjects(got), err)
	}
	for _, old := range []string{"dirsync !", "usn x y", "csn 20260101000000.000000Z#000000#000#000000", "nonsense"} {
		if _, _, err := src.Changes(t.Context(), old); !errors.Is(err, dayone.ErrNotFound) {
			t.Errorf("the mark %q: %v", old, err)
		}
	}
	s.Controller("DC2")
	if _, _, err := src.Changes(t.Context(), next); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("at another controller: %v", err)
	}
	s.Door().Inject(sim.Fault{Path: "/search", Drop: true})
	if _, _, err := src.Changes(t.Context(), ""); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("from a controller that hangs up: %v", err)
	}
}

// TestALostUnit: a unit that may not be read any more makes nobody a leaver, neither one by one nor in a list. Who was
// deleted there is gone where gravestones are seen, and who was moved away is found where they are.
func TestALostUnit(t *testing.T) {
	t.Parallel()
	const berlin = "OU=Berlin,OU=Staff," + adsim.Base
	s, g := simulated(t, nil)
	r, err := g.Apply(t.Context(), create(sarah, firstPassword))
	if err != nil {
		t.Fatal(err)
	}
	s.Seed(sim.Account{Login: "max", EmployeeNumber: "E-1", State: dayone.Active})
	ref := r.Now.Ref
	src, _ := g.Source()
	look := func() map[string]error {
		out := map[string]error{}
		_, out["observe"] = g.Observe(t.Context(), dayone.Subject{Ref: ref})
		_, out["read"] = src.Read(t.Context(), "E-1001")
		for _, err := range g.List(t.Context()) {
			out["list"] = errors.Join(out["list"], err)
		}
		for _, err := range src.Everybody(t.Context()) {
			out["everybody"] = errors.Join(out["everybody"], err)
		}
		return out
	}
	all := func(when string, want error, says string) {
		t.Helper()
		for name, err := range look() {
			gone := name == "read" && want == nil // a source says so in words
			if !gone && !errors.Is(err, want) || gone && says != "" && !errors.Is(err, dayone.ErrNotFound) || want != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%s, %s: %v", when, name, err)
			}
		}
	}
	all("all is well", nil, "")
	s.Hide(berlin, true)
	all("the unit is hidden", dayone.ErrForbidden, berlin)
	s.Hide(berlin, false)
	all("it is shown again", nil, "")
	s.Drop("sarah.chen") // the last one there: an empty unit, or one that shows nothing
	all("she was deleted", dayone.ErrForbidden, "Deleted Objects")
	s.Graves(true)
	all("her gravestone is seen", nil, "gone")
	if seen, err := g.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("she is seen as %+v, %v", seen.Items, err)
	}
}

// TestOwnDeletionIsGone: whom we delete ourselves, the last one of a unit, is gone at once.
func TestOwnDeletionIsGone(t *testing.T) {
	t.Parallel()
	_, g := simulated(t, nil)
	if _, err := g.Apply(t.Context(), create(sarah.With(dayone.Attrs{"login": dayone.Text("max"), "email": dayone.Text("max@corp.test"), "employee_number": dayone.Text("E-1"), "ou": dayone.Text("Staff")}), firstPassword)); err != nil {
		t.Fatal(err)
	}
	r, err := g.Apply(t.Context(), create(sarah, firstPassword))
	if err != nil {
		t.Fatal(err)
	}
	del := create(nil, "")
	del.Action, del.Want, del.Subject = dayone.AccountDelete, nil, dayone.Subject{Ref: r.Now.Ref}
	for range 2 {
		if _, err := g.Apply(t.Context(), del); err != nil {
			t.Fatal(err)
		}
	}
	if seen, err := g.Observe(t.Context(), dayone.Subject{Ref: r.Now.Ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("she is seen as %+v, %v", seen.Items, err)
	}
}

// changes: a real server tells what changed, by DirSync or its change sequence numbers; what is not told, such as who is
// gone, is nobody's record; and a mark outlives the server's death.
func (c *company) changes() {
	t := c.t
	src := changing(t, c.g)
	none, mark, err := src.Changes(t.Context(), "")
	how := "csn "
	if c.ad {
		how = "dirsync "
	}
	if err != nil || len(none) > 0 || !strings.HasPrefix(mark, how) {
		t.Fatalf("the first mark is %.20q with %d records, %v", mark, len(none), err)
	}
	tell := func(want string) []dayone.Event {
		t.Helper()
		got, next, err := src.Changes(t.Context(), mark)
		if err != nil || subjects(got) != want {
			t.Errorf("changed are %q, want %q, %v", subjects(got), want, err)
		}
		mark = next
		return got
	}
	tell("")
	one := c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-501", "Änne", "Changed", "aenne.changed"))).Now.Ref
	c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-502", "Bo", "Changed", "bo.changed")))
	tell("E-501 E-502")
	tell("")
	c.must(c.account(dayone.AccountUpdate, one, dayone.Active, dayone.Attrs{"title": dayone.Text("Chefin")}))
	if got := tell("E-501"); len(got) == 1 && (got[0].Fields["job_title"].Text != "Chefin" || got[0].Fields["first_name"].Text != "Änne" || !got[0].Full) {
		t.Errorf("she is told as %+v", got[0].Fields)
	}
	c.must(c.account(dayone.AccountUpdate, one, dayone.Active, dayone.Attrs{"ou": dayone.Text("Staff")})) // only moved
	if got := tell("E-501"); len(got) == 1 && got[0].Fields["ou"].Text != "Staff" {
		t.Errorf("moved she is told as %+v", got[0].Fields)
	}
	c.d.Kill()
	if _, _, err := src.Changes(t.Context(), mark); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a dead server tells %v", err)
	}
	c.d.Start()
	del := c.account(dayone.AccountDelete, one, "", nil)
	del.Want = nil
	c.must(del)
	tell("")
	if !c.ad {
		c.empties()
	}
	if c.ad {
		if _, _, err := src.Changes(t.Context(), "dirsync AAAA"); !errors.Is(err, dayone.ErrNotFound) {
			t.Errorf("a cookie of nobody's: %v", err)
		}
		conn := dial(t, c.d)
		if err := conn.Bind(c.d.Admin, c.d.Password); err != nil {
			t.Fatal(err)
		}
		r, err := conn.Search(lib.NewSearchRequest("", lib.ScopeBaseObject, lib.NeverDerefAliases, 1, 10, false, "(objectClass=*)", []string{"highestCommittedUSN", "dsServiceName"}, nil))
		if err != nil || len(r.Entries) != 1 {
			t.Fatal(err)
		}
		root := r.Entries[0]
		mark = "usn " + root.GetAttributeValue("highestCommittedUSN") + " " + root.GetAttributeValue("dsServiceName")
		tell("")
		c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-503", "Cy", "Changed", "cy.changed")))
		tell("E-503")
		tell("")
	}
}

// empties: somebody else deletes the only one of a unit. OpenLDAP says that the unit is empty, so that she is gone.
func (c *company) empties() {
	t := c.t
	conn := dial(t, c.d)
	if err := conn.Bind(c.d.Admin, c.d.Password); err != nil {
		t.Fatal(err)
	}
	unit := lib.NewAddRequest("OU=Solo,OU=Staff,"+c.d.Base, nil)
	unit.Attribute("objectClass", []string{"organizationalUnit"})
	if err := conn.Add(unit); err != nil {
		t.Fatal(err)
	}
	p := c.person("E-504", "Di", "Solo", "di.solo")
	p["ou"] = dayone.Text("Staff/Solo")
	is := c.must(c.account(dayone.AccountCreate, "", dayone.Active, p)).Now
	c.shows(is.Ref)
	if err := conn.Del(lib.NewDelRequest(is.Attrs.Text("dn"), nil)); err != nil {
		t.Fatal(err)
	}
	if seen, err := c.g.Observe(t.Context(), dayone.Subject{Ref: is.Ref}); err != nil || len(seen.Items) != 0 {
		t.Errorf("deleted by somebody else she is seen as %+v, %v", seen.Items, err)
	}
}
