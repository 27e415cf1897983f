package ldap_test

import (
	"encoding/binary"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/lab"
)

// TestALostUnitOfSamba: on a real domain controller a unit is denied to the account that signs in. Nobody in it is gone, and
// DirSync, which leaves out what may not be read, tells of nobody there either.
func TestALostUnitOfSamba(t *testing.T) {
	t.Parallel()
	d := lab.ActiveDirectory(t)
	c := found(t, d, "ad", nil)
	ref := c.must(c.account(dayone.AccountCreate, "", dayone.Active, c.person("E-1", "Zoë", "Berliner", "zoe"))).Now.Ref
	p := c.person("E-2", "Max", "Staff", "max")
	p["ou"] = dayone.Text("Staff")
	c.must(c.account(dayone.AccountCreate, "", dayone.Active, p))

	conn := dial(t, d)
	if err := conn.Bind(d.Admin, d.Password); err != nil {
		t.Fatal(err)
	}
	var password []byte
	for _, u := range utf16.Encode([]rune(`"Svc-Passw0rd!"`)) {
		password = binary.LittleEndian.AppendUint16(password, u)
	}
	svc := lib.NewAddRequest("CN=svc,CN=Users,"+d.Base, nil)
	for name, v := range map[string]string{"objectClass": "user", "sAMAccountName": "svc", "userPrincipalName": "svc@corp.test", "unicodePwd": string(password), "userAccountControl": "512"} {
		svc.Attribute(name, []string{v})
	}
	if err := conn.Add(svc); err != nil {
		t.Fatal(err)
	}
	c.g = c.open(map[string]string{"urls": d.URL, "bind_dn": "svc@corp.test", "bind_password": "Svc-Passw0rd!", "ca": d.CA, "base": d.Base, "people_ou": "Staff"})
	src := changing(t, c.g)
	_, mark, err := src.Changes(t.Context(), "")
	if err != nil || !strings.HasPrefix(mark, "dirsync ") {
		t.Errorf("who may only read gets the mark %.20q, %v", mark, err)
	}
	count := func() (n int, err error) {
		for _, e := range c.g.List(t.Context()) {
			if n++; e != nil {
				err = e
			}
		}
		return n, err
	}
	c.shows(ref)
	if n, err := count(); err != nil {
		t.Fatalf("%d are listed, %v", n, err)
	}

	r, err := conn.Search(lib.NewSearchRequest("CN=svc,CN=Users,"+d.Base, lib.ScopeBaseObject, lib.NeverDerefAliases, 1, 10, false, "(objectClass=*)", []string{"objectSid"}, nil))
	if err != nil || len(r.Entries) != 1 {
		t.Fatal(err)
	}
	out, err := exec.Command("/usr/bin/samba-tool", "dsacl", "set", "-H", d.URL, "--option=tls verify peer = no_check", "--simple-bind-dn="+d.Admin, "--password="+d.Password,
		"--objectdn=OU=Berlin,OU=Staff,"+d.Base, "--sddl=(D;CI;RPLCLORC;;;"+sid(r.Entries[0].GetRawAttributeValue("objectSid"))+")").CombinedOutput()
	if err != nil {
		t.Fatalf("denying the unit: %v\n%s", err, out)
	}
	if _, err := c.g.Observe(t.Context(), dayone.Subject{Ref: ref}); !errors.Is(err, dayone.ErrForbidden) || !strings.Contains(err.Error(), "OU=Berlin") {
		t.Errorf("in a unit that may not be read she is seen as %v", err)
	}
	if n, err := count(); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("%d are listed, %v", n, err)
	}
	m := lib.NewModifyRequest(c.dnOf(conn, "zoe"), nil)
	m.Replace("title", []string{"Chefin"})
	if err := conn.Modify(m); err != nil {
		t.Fatal(err)
	}
	if got, _, err := src.Changes(t.Context(), mark); err != nil || strings.Contains(subjects(got), "E-1") {
		t.Errorf("changed are %q, %v", subjects(got), err)
	}
}

func (c *company) dnOf(conn *lib.Conn, login string) string {
	c.t.Helper()
	r, err := conn.Search(lib.NewSearchRequest(c.d.Base, lib.ScopeWholeSubtree, lib.NeverDerefAliases, 1, 10, false, "(sAMAccountName="+login+")", []string{"1.1"}, nil))
	if err != nil || len(r.Entries) != 1 {
		c.t.Fatal(err)
	}
	return r.Entries[0].DN
}

// sid is a security identifier in words. MS-DTYP 2.4.2.
func sid(raw []byte) string {
	out := "S-1-" + string('0'+rune(raw[7]))
	for i := 8; i+4 <= len(raw); i += 4 {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(raw[i:])), 10)
	}
	return out
}
