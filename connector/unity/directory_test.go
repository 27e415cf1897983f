package unity_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/internal/lab"
)

// TestRealDirectory: the server reads a real Active Directory, as the cluster beside it does. A joiner is imported once she is
// there; a disabled account closes the mailbox, one that is back within the day opens it; a directory that is down takes nobody
// away.
func TestRealDirectory(t *testing.T) {
	d := lab.ActiveDirectory(t)
	conn := administrator(t, d)
	b := begin(t, "accounts", "ldap")
	b.Sim.Reads(sim.LDAP{URL: d.URL, CA: d.CA, Name: d.Admin, Password: d.Password}, "OU=Staff,"+d.Base)
	b.Sim.Synchronize()
	hire := b.hire(dayone.Active)
	if r := b.Do(hire); r.Wait == nil || r.Wait.Kind != dayone.WaitPropagation {
		t.Fatalf("ahead of the directory: %+v", r)
	}
	add := lib.NewAddRequest("CN=Sarah Chen,OU=Staff,"+d.Base, nil)
	for name, v := range map[string]string{
		"objectClass": "user", "sAMAccountName": "schen", "givenName": "Sarah", "sn": "Chen-Łukasiewicz", "mail": "sarah.chen@company.com", "telephoneNumber": "+14085552199",
		"unicodePwd": firstPassword(), "userAccountControl": "512",
	} {
		add.Attribute(name, []string{v})
	}
	if err := conn.Add(add); err != nil {
		t.Fatal(err)
	}
	b.Sim.Synchronize()
	made := b.again(hire)
	if made.Wait != nil || made.Now.Attrs.Text("directory") != "ldap" || made.Now.Attrs.Text("last_name") != "Chen-Łukasiewicz" || made.Now.State != dayone.Active {
		t.Fatalf("after it came: %+v", made)
	}
	ref := made.Now.Ref
	b.Do(b.opens(ref, "pin", "58203947"))

	account := func(control string) {
		t.Helper()
		m := lib.NewModifyRequest("CN=Sarah Chen,OU=Staff,"+d.Base, nil)
		m.Replace("userAccountControl", []string{control})
		if err := conn.Modify(m); err != nil {
			t.Fatal(err)
		}
		b.Sim.Synchronize()
	}
	account("514")
	if is := b.observe(ref); is.State != dayone.Disabled {
		t.Errorf("disabled in the directory it is %s", is.State)
	}
	b.Later(12 * time.Hour)
	account("512")
	d.Kill()
	b.Sim.Synchronize() // nobody answers
	d.Start()
	b.Later(72 * time.Hour)
	if is := b.observe(ref); is.State != dayone.Active || is.Attrs.Text("directory") != "ldap" || !b.Sim.SignIn("schen", "pin", "58203947") {
		t.Errorf("back within the day it is %s, of %q", is.State, is.Attrs.Text("directory"))
	}
}

// administrator signs in and makes the unit that the server reads.
func administrator(t *testing.T, d *lab.DirectoryServer) *lib.Conn {
	t.Helper()
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM([]byte(d.CA))
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := lib.DialURL(d.URL, lib.DialWithTLSConfig(&tls.Config{RootCAs: trust, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(d.Admin, d.Password); err != nil {
		t.Fatal(err)
	}
	unit := lib.NewAddRequest("OU=Staff,"+d.Base, nil)
	unit.Attribute("objectClass", []string{"organizationalUnit"})
	if err := conn.Add(unit); err != nil {
		t.Fatal(err)
	}
	return conn
}

// firstPassword is one as Active Directory takes it.
func firstPassword() string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(`"First-Passw0rd!"`)) {
		_ = binary.Write(&b, binary.LittleEndian, u)
	}
	return b.String()
}
