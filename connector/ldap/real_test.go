package ldap_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/connectortest"
	"github.com/dayone-hq/dayone/connector/ldap"
	"github.com/dayone-hq/dayone/internal/lab"
)

// company is a real server with the company's units and groups, and a connector to it.
type company struct {
	t      *testing.T
	d      *lab.DirectoryServer
	g      *connector.Guard
	ad     bool
	groups map[string]string // ids by name

	observe func(system, op string, took time.Duration, err error)
}

func dial(t *testing.T, d *lab.DirectoryServer) *lib.Conn {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(d.CA))
	u, _ := url.Parse(d.URL)
	conn, err := lib.DialURL(d.URL, lib.DialWithTLSConfig(&tls.Config{RootCAs: pool, ServerName: u.Hostname()}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func found(t *testing.T, d *lab.DirectoryServer, flavour string, observe func(string, string, time.Duration, error)) *company {
	t.Helper()
	c := &company{t: t, d: d, ad: flavour == "ad", groups: map[string]string{}, observe: observe}
	conn := dial(t, d)
	if err := conn.Bind(d.Admin, d.Password); err != nil {
		t.Fatal(err)
	}
	class, first, account := "groupOfNames", "member", ""
	if c.ad {
		class, first, account = "group", "", "sAMAccountName"
	}
	add := func(dn string, set ...string) {
		t.Helper()
		a := lib.NewAddRequest(dn, nil)
		for i := 0; i < len(set); i += 2 {
			if set[i] != "" {
				a.Attribute(set[i], []string{set[i+1]})
			}
		}
		if err := conn.Add(a); err != nil {
			t.Fatalf("%s: %v", dn, err)
		}
	}
	for _, ou := range []string{"Staff", "Closed", "Groups"} {
		add("OU="+ou+","+d.Base, "objectClass", "organizationalUnit", "ou", ou)
	}
	add("OU=Berlin,OU=Staff,"+d.Base, "objectClass", "organizationalUnit", "ou", "Berlin")
	for _, name := range []string{"sales-team", "vpn-users", "all-of-vpn"} {
		add("CN="+name+",OU=Groups,"+d.Base, "objectClass", class, "cn", name, first, d.Admin, account, name)
	}
	settings := map[string]string{
		"urls": d.URL, "flavour": flavour, "bind_dn": d.Admin, "bind_password": d.Password, "ca": d.CA, "base": d.Base, "people_ou": "Staff", "disabled_ou": "Closed", "page": "20",
	}
	c.g = c.open(settings)
	for o, err := range c.g.Catalogue(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		c.groups[o.Key.Name] = o.Ref
	}
	return c
}

func (c *company) open(settings map[string]string) *connector.Guard {
	c.t.Helper()
	g, err := connector.Open(ldap.Factory, "directory", time.Now, connector.Options{Settings: settings, Observe: c.observe})
	if err != nil {
		c.t.Fatal(err)
	}
	return g
}

func (c *company) apply(a dayone.Act) (dayone.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return connectortest.Apply(ctx, c.g, a)
}

func (c *company) must(a dayone.Act) dayone.Result {
	c.t.Helper()
	r, err := c.apply(a)
	if err != nil {
		c.t.Fatalf("%s: %v", a.Action, err)
	}
	return r
}

const firstPassword = "First-Passw0rd!"

func (c *company) account(action dayone.Action, ref string, state dayone.State, attrs dayone.Attrs) dayone.Act {
	key := dayone.Key{System: "directory", Kind: dayone.AccountKindName}
	a := dayone.Act{
		Once: "0123456789abcdef", Action: action, Key: key, Want: &dayone.Item{Key: key, Ref: ref, State: state, Attrs: attrs}, Since: time.Now(), Attempt: 1,
		Subject: dayone.Subject{Ref: ref}, Secrets: map[string]dayone.Secret{"password": dayone.NewSecret(firstPassword)},
	}
	if ref == "" {
		a.Subject.Keys = map[string]string{"employee_number": attrs.Text("employee_number"), "login": attrs.Text("login"), "email": attrs.Text("email")}
	}
	return a
}

func (c *company) group(action dayone.Action, account, name string) dayone.Act {
	key := dayone.Key{System: "directory", Kind: "group", Name: name}
	it := &dayone.Item{Key: key, Ref: c.groups[name], State: dayone.Active}
	a := dayone.Act{Once: "fedcba9876543210", Action: action, Key: key, Account: account, Want: it, Attempt: 1, Since: time.Now(), Subject: dayone.Subject{Ref: account}}
	if action == dayone.EntitlementRemove {
		a.Have, a.Want = it, nil
	}
	return a
}

// signsIn says what a server answers to somebody with a password.
func (c *company) signsIn(dn, password string) error {
	c.t.Helper()
	conn := dial(c.t, c.d)
	defer func() { _ = conn.Close() }()
	return conn.Bind(dn, password)
}

func (c *company) person(number, first, last, login string) dayone.Attrs {
	p := dayone.Attrs{
		"login": dayone.Text(login), "email": dayone.Text(login + "@corp.test"), "display_name": dayone.Text(first + " " + last), "first_name": dayone.Text(first),
		"last_name": dayone.Text(last), "title": dayone.Text("Account Executive"), "department": dayone.Text("Sales"), "employee_number": dayone.Text(number),
		"phone": dayone.Text("+49 30 5550 1234"), "ou": dayone.Text("Staff/Berlin"),
	}
	if c.ad {
		p["expires"] = dayone.Text("2031-03-31")
	}
	return p
}

func (c *company) shows(ref string) dayone.Item {
	c.t.Helper()
	seen, err := c.g.Observe(c.t.Context(), dayone.Subject{Ref: ref})
	if err != nil || seen.Account() == nil {
		c.t.Fatalf("%+v, %v", seen, err)
	}
	return *seen.Account()
}

// TestRealServers takes people in, moves them and lets them go, on servers that we did not write.
func TestRealServers(t *testing.T) {
	t.Parallel()
	real := connectortest.Real(t, ldap.Factory)
	t.Run("Samba", func(t *testing.T) {
		t.Parallel()
		live(found(t, lab.ActiveDirectory(t), "ad", real))
	})
	t.Run("OpenLDAP", func(t *testing.T) {
		t.Parallel()
		live(found(t, lab.OpenLDAP(t), "openldap", real))
	})
}

func live(c *company) {
	t := c.t
	if err := c.g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	wrong := c.open(map[string]string{"urls": c.d.URL, "bind_dn": c.d.Admin, "bind_password": "wrong", "ca": c.d.CA, "base": c.d.Base})
	if err := wrong.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) {
		t.Errorf("with a wrong password Check says %v", err)
	}
	started := c.open(map[string]string{"urls": c.d.Plain, "bind_dn": c.d.Admin, "bind_password": c.d.Password, "ca": c.d.CA, "base": c.d.Base})
	if err := started.Check(t.Context()); err != nil {
		t.Errorf("by StartTLS Check says %v", err)
	}
	stranger := c.open(map[string]string{"urls": c.d.URL, "bind_dn": c.d.Admin, "bind_password": c.d.Password, "base": c.d.Base})
	if err := stranger.Check(t.Context()); !errors.Is(err, dayone.ErrAuth) || !strings.Contains(err.Error(), "ca") {
		t.Errorf("a certificate of nobody's is %v", err)
	}

	// the joiner: prepared closed, then opened with the password that she was given
	manager := c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-1", "Max", "Müller", "max.mueller"))).Now.Ref
	p := c.person("E-1001", "Zoë", "O'Neil, Jr. \\ #1", "zoe.oneil")
	p["manager"] = dayone.Text("max.mueller@corp.test")
	made := c.must(c.account(dayone.AccountCreate, "", dayone.Disabled, p))
	ref := made.Now.Ref
	is := c.shows(ref)
	if is.State != dayone.Disabled || len(is.Attrs.Differ(p)) > 0 || made.Before != nil || is.Created.IsZero() {
		t.Fatalf("she was made as %+v; it lacks %v", is, is.Attrs.Differ(p))
	}
	if err := c.signsIn(is.Attrs.Text("dn"), firstPassword); err == nil {
		t.Error("she signs in before her first day")
	}
	c.must(c.account(dayone.AccountEnable, ref, dayone.Active, nil))
	err := c.signsIn(is.Attrs.Text("dn"), firstPassword)
	if c.ad {
		if err == nil || !strings.Contains(err.Error(), "data 773") {
			t.Errorf("the first password need not be changed: %v", err)
		}
	} else if err != nil {
		t.Errorf("on her first day she is refused: %v", err)
	}
	namesake := c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-1002", "Zoë", "O'Neil, Jr. \\ #1", "zoe.oneil2"))).Now
	if namesake.Ref == ref {
		t.Error("a namesake has her account")
	}
	if _, err := c.g.Apply(t.Context(), c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-1003", "Zoë", "O'Neil", "zoe.oneil"))); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("her login is given to another: %v", err)
	}

	c.groupsOf(ref)
	c.moves(ref)
	c.dies(ref)
	c.lists(ref, manager)
	c.changes()
	c.leaves(ref)
}

func (c *company) groupsOf(ref string) {
	t := c.t
	for range 2 {
		if r := c.must(c.group(dayone.EntitlementAdd, ref, "sales-team")); r.Now == nil || r.Now.State != dayone.Active {
			t.Errorf("after it was given the group is %+v", r.Now)
		}
	}
	c.must(c.group(dayone.EntitlementAdd, ref, "vpn-users"))
	seen, err := c.g.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 3 {
		t.Errorf("she has %+v, %v", seen.Items, err)
	}
	for range 2 {
		if r := c.must(c.group(dayone.EntitlementRemove, ref, "vpn-users")); r.Now != nil {
			t.Errorf("after it was taken the group is %+v", r.Now)
		}
	}
	if c.ad { // who is in a group that is in another is in that, too
		conn := dial(t, c.d)
		_ = conn.Bind(c.d.Admin, c.d.Password)
		mod := lib.NewModifyRequest("CN=all-of-vpn,OU=Groups,"+c.d.Base, nil)
		mod.Add("member", []string{"CN=sales-team,OU=Groups," + c.d.Base})
		if err := conn.Modify(mod); err != nil {
			t.Fatal(err)
		}
		kept, checked, unread, err := c.g.Remains(t.Context(), c.shows(ref))
		if err != nil || len(unread) > 0 || !slices.Contains(checked, dayone.NestedGroup) || !slices.ContainsFunc(kept, func(r dayone.Remain) bool { return r.Name == "all-of-vpn" }) {
			t.Errorf("what remains is %+v, %v, %v, %v", kept, checked, unread, err)
		}
	}
}

// moves: another name, another place, no manager any more; her id and her groups stay.
func (c *company) moves(ref string) {
	t := c.t
	to := dayone.Attrs{
		"display_name": dayone.Text("Zoë Müller"), "last_name": dayone.Text("Müller"), "ou": dayone.Text("Staff"), "manager": dayone.Text(""), "phone": dayone.Text(""),
		"login": dayone.Text("zoe.mueller"),
	}
	before := c.shows(ref)
	r := c.must(c.account(dayone.AccountUpdate, ref, dayone.Active, to))
	if r.Now.Ref != ref || len(r.Now.Attrs.Differ(to)) > 0 || len(r.Before.Attrs.Differ(to)) == 0 {
		t.Errorf("after she moved she is %+v; it lacks %v", r.Now, r.Now.Attrs.Differ(to))
	}
	if dn := r.Now.Attrs.Text("dn"); strings.Contains(dn, "Berlin") || c.ad && !strings.HasPrefix(dn, "CN=Zoë Müller,") || !c.ad && !strings.HasPrefix(dn, "uid=zoe.mueller,") {
		t.Errorf("she stands as %s", dn)
	}
	seen, err := c.g.Observe(t.Context(), dayone.Subject{Ref: ref})
	if err != nil || len(seen.Items) != 2 {
		t.Errorf("on her way she lost a group: %+v, %v", seen.Items, err)
	}
	back := dayone.Attrs{} // undo
	for name := range to {
		back[name] = before.Attrs[name]
	}
	if r := c.must(c.account(dayone.AccountUpdate, ref, dayone.Active, back)); len(r.Now.Attrs.Differ(back)) > 0 {
		t.Errorf("undone she is %+v", r.Now)
	}
	if _, err := c.apply(c.account(dayone.AccountUpdate, ref, dayone.Active, dayone.Attrs{"ou": dayone.Text("Staff/Nowhere")})); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("a place that is not there is %v", err)
	}
	if !c.ad {
		return
	}
	weak := c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-7", "Ann", "Weak", "ann.weak"))
	weak.Secrets["password"] = dayone.NewSecret("short")
	if _, err := c.apply(weak); !errors.Is(err, dayone.ErrInvalid) || strings.Contains(err.Error(), "short") {
		t.Errorf("a weak password is %v", err)
	}
	if seen, err := c.g.Observe(t.Context(), dayone.Subject{Keys: map[string]string{"employee_number": "E-7"}}); err != nil || len(seen.Items) > 0 {
		t.Errorf("with a weak password half of an account was made: %+v, %v", seen, err)
	}
}

// dies: the server is killed in the middle. What cannot be read is never gone, and the retry finds what was made.
func (c *company) dies(ref string) {
	t := c.t
	c.d.Kill()
	if _, err := c.g.Observe(t.Context(), dayone.Subject{Ref: ref}); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("from a dead server she is read as %v", err)
	}
	a := c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-2001", "Kim", "Late", "kim.late"))
	if _, err := c.apply(a); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a dead server makes an account: %v", err)
	}
	c.d.Start()
	a.Attempt = 2
	first := c.must(a).Now.Ref
	c.d.Kill()
	c.d.Start()
	if again := c.must(a).Now.Ref; again != first {
		t.Errorf("after the power cut there are %s and %s", first, again)
	}
	if r := c.must(c.group(dayone.EntitlementAdd, first, "vpn-users")); r.Now == nil {
		t.Error("after the power cut no group can be given")
	}
}

// lists reads everybody, over more than one page.
func (c *company) lists(ref, manager string) {
	t := c.t
	conn := dial(t, c.d)
	if err := conn.Bind(c.d.Admin, c.d.Password); err != nil {
		t.Fatal(err)
	}
	const many = 45
	for i := range many {
		dn, a := fmt.Sprintf("uid=p%d,OU=Staff,%s", i, c.d.Base), (*lib.AddRequest)(nil)
		if c.ad {
			dn = fmt.Sprintf("CN=Person %d,OU=Staff,%s", i, c.d.Base)
		}
		a = lib.NewAddRequest(dn, nil)
		if c.ad {
			a.Attribute("objectClass", []string{"user"})
			a.Attribute("sAMAccountName", []string{fmt.Sprintf("p%d", i)})
			a.Attribute("employeeID", []string{fmt.Sprintf("P-%d", i)})
		} else {
			a.Attribute("objectClass", []string{"inetOrgPerson"})
			a.Attribute("cn", []string{"Person"})
			a.Attribute("sn", []string{"Person"})
			a.Attribute("employeeNumber", []string{fmt.Sprintf("P-%d", i)})
		}
		if err := conn.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	n, refs := 0, map[string]bool{}
	for seen, err := range c.g.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		refs[seen.Account().Ref] = true
	}
	if n < many || len(refs) != n || !refs[ref] || !refs[manager] {
		t.Errorf("of %d accounts %d are listed, %d different ones", many, n, len(refs))
	}
	src, ok := c.g.Source()
	if !ok {
		t.Fatal("a directory is no source")
	}
	people := 0
	for e, err := range src.Everybody(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Subject == "E-1" && (e.Fields["last_name"].Text != "Müller" || !e.Fields["enabled"].Bool()) {
			t.Errorf("the manager is told as %+v", e.Fields)
		}
		people++
	}
	if people < many {
		t.Errorf("%d people are told of", people)
	}
	if e, err := src.Read(t.Context(), "E-1001"); err != nil || e.Fields["manager_email"].Text != "max.mueller@corp.test" || e.At.IsZero() {
		t.Errorf("she is told as %+v, %v", e, err)
	}
	if _, err := src.Read(t.Context(), "E-404"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody is told as %v", err)
	}
}

// leaves: closed, moved away, with a password that nobody knows; back again; then gone.
func (c *company) leaves(ref string) {
	t := c.t
	for range 2 {
		c.must(c.account(dayone.AccountDisable, ref, dayone.Disabled, nil))
	}
	is := c.shows(ref)
	if is.State != dayone.Disabled || is.Attrs.Text("ou") != "Closed" {
		t.Errorf("closed she is %+v", is)
	}
	c.must(c.account(dayone.AccountEnable, ref, dayone.Active, nil))
	is = c.shows(ref)
	if is.State != dayone.Active || is.Attrs.Text("ou") != "Staff" {
		t.Errorf("opened again she is %+v", is)
	}
	if err := c.signsIn(is.Attrs.Text("dn"), firstPassword); err == nil || strings.Contains(cmp.Or(err, errors.New("")).Error(), "data 773") {
		t.Errorf("her old password opens it still: %v", err)
	}
	del := c.account(dayone.AccountDelete, ref, "", nil)
	del.Want = nil
	for range 2 {
		if r := c.must(del); r.Now != nil {
			t.Errorf("deleted she is %+v", r.Now)
		}
	}
	if seen, err := c.g.Observe(t.Context(), dayone.Subject{Ref: ref}); err != nil || len(seen.Items) > 0 {
		t.Errorf("deleted she is seen as %+v, %v", seen, err)
	}
}
