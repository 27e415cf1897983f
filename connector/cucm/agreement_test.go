package cucm_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/internal/lab"
)

// TestWhoIsBrought: what an agreement says of somebody, and what cannot be told counts for them.
func TestWhoIsBrought(t *testing.T) {
	t.Parallel()
	who := cucm.Entrant{DN: "CN=Sarah Chen,OU=Berlin,OU=Staff,DC=corp,DC=test", Attrs: map[string]string{
		"useraccountcontrol": "512", "department": "Sales", "mail": "sarah@company.com", "employeeid": "", "objectclass": "user",
	}}
	for _, c := range []struct {
		base, filter string
		says         string
	}{
		{"OU=Staff,DC=corp,DC=test", "", ""},
		{"ou=berlin, ou=staff, dc=corp, dc=test", "", ""},
		{"OU=Closed,DC=corp,DC=test", "", "search base"},
		{"DC=corp,DC=test", "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", ""},
		{"DC=corp,DC=test", "(userAccountControl:1.2.840.113556.1.4.803:=2)", "leaves them out"},
		{"DC=corp,DC=test", "(department=sales)", ""},
		{"DC=corp,DC=test", "(|(department=Legal)(mail=*@other.com))", "leaves them out"},
		{"DC=corp,DC=test", "(mail=sarah*@comp*.com)", ""},
		{"DC=corp,DC=test", "(mail=sarah@comp*.org)", "leaves them out"},
		{"DC=corp,DC=test", "(memberOf=CN=phones,DC=corp,DC=test)", ""}, // not known
		{"DC=corp,DC=test", "(&(department=Legal)(memberOf=CN=phones,DC=corp,DC=test))", "leaves them out"},
		{"DC=corp,DC=test", "(employeeID=*)", "leaves them out"},
		{"DC=corp,DC=test", "(ipPhone=*)", ""},
		{"DC=corp,DC=test", "department=", ""}, // unknown is not false
	} {
		got := cucm.Agreement{Base: c.base, Filter: c.filter}.Excludes(who)
		if !strings.Contains(got, c.says) || (c.says == "") != (got == "") {
			t.Errorf("%s %s: %q", c.base, c.filter, got)
		}
	}
}

// TestBeforeAnybodyWaits: agreements that make lines, or cannot bring the joiner, are errors with their reason. A filter that
// leaves her out leaves her to us: whether a user is local is decided for each.
func TestBeforeAnybodyWaits(t *testing.T) {
	t.Parallel()
	const staff = "OU=Staff,DC=corp,DC=test"
	for _, c := range []struct {
		name, base, filter string
		more               map[string]string
		says               string
	}{
		{"it will bring her", staff, "", nil, ""},
		{"a mask", staff, "", map[string]string{"applyMask": "true", "mask": "XXXX"}, "makes directory numbers by itself, by the mask XXXX"},
		{"pools", staff, "", map[string]string{"applyPoolList": "true", "addDns": "2000-2099"}, "its list of pools"},
		{"another base", "OU=Berlin," + staff, "", nil, "its search base OU=Berlin"},
		{"another department", staff, "(&(objectClass=user)(title=Nurse))", nil, "leaves them out"},
	} {
		s := cast(sim.Options{Page: 50})
		s.Agreement("corp-ad", c.base, c.filter, c.more)
		b := open(t, s, "directory_place", staff)
		hire := b.create()
		hire.Via = dayone.Key{System: "ad", Kind: "account"}
		r, err := b.guard.Apply(t.Context(), hire)
		switch {
		case c.says == "" && (err != nil || r.Wait == nil):
			t.Errorf("%s: %+v, %v", c.name, r, err)
		case c.says != "" && (!errors.Is(err, dayone.ErrInvalid) || !strings.Contains(detail(err), c.says) || !strings.Contains(detail(err), "corp-ad")):
			t.Errorf("%s: %v (%s)", c.name, err, detail(err))
		}
		_, err = b.guard.Apply(t.Context(), b.create())
		if local := strings.Contains(c.filter, "Nurse"); local != (err == nil) {
			t.Errorf("%s: a local user: %v (%s)", c.name, err, detail(err))
		}
	}
	b := open(t, alone(sim.Options{}))
	hire := b.create()
	hire.Via = dayone.Key{System: "ad", Kind: "account"}
	if _, err := b.guard.Apply(t.Context(), hire); !errors.Is(err, dayone.ErrInvalid) || !strings.Contains(detail(err), "no LDAP agreement") {
		t.Errorf("a cluster that no directory feeds: %v (%s)", err, detail(err))
	}
}

// TestSynchronizingTakesTime: whoever asks while it is under way starts no second one, and nobody is there before it ends.
func TestSynchronizingTakesTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := alone(sim.Options{Page: 50, Now: func() time.Time { return now }})
	s.Agreement("corp-ad", "OU=Staff,DC=corp,DC=test", "", map[string]string{"applyMask": "true", "mask": "2XXX"})
	s.Directory(cucmsim.Entry{ID: "schen", First: "Sarah", Last: "Chen", Phone: "+49 30 5550 1234", DN: "CN=Sarah,OU=Staff,DC=corp,DC=test"}, cucmsim.Entry{ID: "away", Last: "A", DN: "CN=A,OU=Other,DC=corp,DC=test"})
	s.SyncTakes(10 * time.Minute)
	b := open(t, s)
	for range 3 {
		if err := b.cluster.Synchronize(t.Context(), "corp-ad"); err != nil {
			t.Fatal(err)
		}
		now = now.Add(3 * time.Minute)
	}
	if at, err := b.cluster.Synchronizing(t.Context(), "corp-ad"); err != nil || !at || len(s.Accounts()) != 0 || s.Synchronizations() != 1 {
		t.Errorf("after nine minutes: %v, %v, %d users, %d synchronizations", at, err, len(s.Accounts()), s.Synchronizations())
	}
	now = now.Add(2 * time.Minute)
	at, err := b.cluster.Synchronizing(t.Context(), "corp-ad")
	if got := s.Accounts(); err != nil || at || len(got) != 1 || got[0].Login != "schen" {
		t.Errorf("after eleven: %v, %v, %v", at, err, got)
	}
	if _, err := b.cluster.Get(t.Context(), cucm.Line, cucm.By("2234", "DN_PT")); err != nil {
		t.Errorf("the mask made no line: %v", err)
	}
}

// controller is a real domain controller of Samba, and what an administrator does in it.
type controller struct {
	*testing.T
	*lab.DirectoryServer
	conn *lib.Conn
}

func (c *controller) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *controller) hires(login, first, last, ou string) {
	units := utf16.Encode([]rune(`"First-Passw0rd!"`))
	var password []byte
	for _, u := range units {
		password = binary.LittleEndian.AppendUint16(password, u)
	}
	a := lib.NewAddRequest("CN="+lib.EscapeDN(first+" "+last)+",OU="+ou+","+c.Base, nil)
	for name, v := range map[string]string{
		"objectClass": "user", "sAMAccountName": login, "givenName": first, "sn": last, "mail": login + "@corp.test", "telephoneNumber": "+49 30 5550 2107", "ipPhone": "2107",
		"employeeID": "emp-" + login, "unicodePwd": string(password), "userAccountControl": "512",
	} {
		a.Attribute(name, []string{v})
	}
	c.must(c.conn.Add(a))
}

func (c *controller) sets(dn, name, value string) {
	m := lib.NewModifyRequest(dn+","+c.Base, nil)
	m.Replace(name, []string{value})
	c.must(c.conn.Modify(m))
}

// TestRealDirectory: the cluster reads a real Active Directory. A disabled account and one that was moved out of the search
// base are inactive and gone two nights later; who is back before that keeps what she has; what AD changes is seen; and a
// directory that is down takes nobody away.
func TestRealDirectory(t *testing.T) {
	t.Parallel()
	d := lab.ActiveDirectory(t)
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM([]byte(d.CA))
	u, _ := url.Parse(d.URL)
	dial := func() *lib.Conn {
		conn, err := lib.DialURL(d.URL, lib.DialWithTLSConfig(&tls.Config{RootCAs: trust, ServerName: u.Hostname()}))
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Bind(d.Admin, d.Password); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	c := &controller{T: t, DirectoryServer: d, conn: dial()}
	for _, ou := range []string{"Staff", "Closed"} {
		a := lib.NewAddRequest("OU="+ou+","+d.Base, nil)
		a.Attribute("objectClass", []string{"organizationalUnit"})
		c.must(c.conn.Add(a))
	}
	c.hires("schen", "Sarah", "Chen-Łukasiewicz", "Staff")
	c.hires("mmoved", "Max", "Moved", "Staff")
	c.hires("elsewhere", "Else", "Where", "Closed")

	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := alone(sim.Options{Page: 50, Now: func() time.Time { return now }})
	s.Agreement("corp-ad", "OU=Staff,"+d.Base, "", map[string]string{"phoneNumber": "ipPhone"})
	s.Reads(sim.LDAP{URL: d.URL, CA: d.CA, Name: d.Admin, Password: d.Password})
	b := open(t, s, "employee_number", "custom")
	b.people = []string{"schen"}
	sync := func() {
		t.Helper()
		if err := b.cluster.Synchronize(t.Context(), "corp-ad"); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	if got := logins(s); got != "mmoved schen" {
		t.Fatalf("the directory brought %q", got)
	}
	key := cucm.By("schen")
	o, err := b.cluster.Get(t.Context(), cucm.User, key)
	if err != nil || o.Value("lastName") != "Chen-Łukasiewicz" || o.Value("telephoneNumber") != "2107" || o.Value("ldapDirectoryName") != "corp-ad" || o.Value("customUserFields/customUserField/value") != "emp-schen" {
		t.Errorf("she was brought as %v, %v", o, err)
	}
	b.do(b.group(dayone.EntitlementAdd, o.UUID, "Standard CTI Enabled"))
	if _, err := b.guard.Apply(t.Context(), b.act(dayone.AccountUpdate, o.UUID, &dayone.Item{Ref: o.UUID, Attrs: dayone.Attrs{"title": dayone.Text("Boss")}})); !errors.Is(err, dayone.ErrUnsupported) {
		t.Errorf("what the directory masters is written here: %v", err)
	}

	// a leave: disabled in AD, so left out of the synchronization, then back within the day
	c.sets("CN=Sarah Chen-Łukasiewicz,OU=Staff", "userAccountControl", "514")
	c.must(c.conn.ModifyDN(lib.NewModifyDNRequest("CN=Max Moved,OU=Staff,"+d.Base, "CN=Max Moved", true, "OU=Closed,"+d.Base)))
	sync()
	state := func() string {
		o, err := b.cluster.Get(t.Context(), cucm.User, key)
		c.must(err)
		return o.Value("status")
	}
	if got := state(); got != "0" {
		t.Errorf("on leave her status is %s", got)
	}
	now = now.Add(12 * time.Hour)
	c.sets("CN=Sarah Chen-Łukasiewicz,OU=Staff", "userAccountControl", "512")
	c.sets("CN=Sarah Chen-Łukasiewicz,OU=Staff", "title", "Engineer")
	sync()
	d.Kill()
	now = now.Add(time.Hour)
	sync() // nobody answers
	d.Start()
	now = now.Add(72 * time.Hour)
	o, err = b.cluster.Get(t.Context(), cucm.User, key)
	if err != nil || o.Value("status") != "1" || o.Value("title") != "Engineer" || len(o.All("associatedGroups/userGroup")) != 1 {
		t.Errorf("back from leave she is %v, %v", o, err)
	}
	if got := logins(s); got != "schen" {
		t.Errorf("three nights later there are %q", got)
	}
}

func logins(s *cucmsim.Sim) string {
	var out []string
	for _, a := range s.Accounts() {
		out = append(out, a.Login)
	}
	return strings.Join(out, " ")
}
