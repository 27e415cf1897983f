package sim

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strconv"

	lib "github.com/go-ldap/ldap/v3"
)

// LDAP is a directory of Active Directory that agreements read, as the cluster does: by its own account, a page at a time.
type LDAP struct {
	URL, CA        string // CA: PEM of who signed the server's certificate
	Name, Password string
}

var _ Source = LDAP{}

// People asks the directory.
func (d LDAP) People(base, filter string) ([]Entry, error) {
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM([]byte(d.CA))
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	conn, err := lib.DialURL(d.URL, lib.DialWithTLSConfig(&tls.Config{RootCAs: trust, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Bind(d.Name, d.Password); err != nil {
		return nil, err
	}
	r, err := conn.SearchWithPaging(lib.NewSearchRequest(base, lib.ScopeWholeSubtree, lib.NeverDerefAliases, 0, 0, false, filter,
		[]string{"sAMAccountName", "givenName", "sn", "mail", "telephoneNumber", "ipPhone", "title", "department", "employeeID", "userAccountControl"}, nil), 500)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range r.Entries {
		control, _ := strconv.Atoi(e.GetAttributeValue("userAccountControl"))
		if e.GetAttributeValue("sn") == "" {
			continue // AXL knows no user without a last name, and the cluster leaves such entries out
		}
		out = append(out, Entry{
			ID: e.GetAttributeValue("sAMAccountName"), First: e.GetAttributeValue("givenName"), Last: e.GetAttributeValue("sn"), Mail: e.GetAttributeValue("mail"),
			Phone: e.GetAttributeValue("telephoneNumber"), IPPhone: e.GetAttributeValue("ipPhone"), Title: e.GetAttributeValue("title"), Department: e.GetAttributeValue("department"),
			Number: e.GetAttributeValue("employeeID"), DN: e.DN, Disabled: control&2 != 0,
		})
	}
	return out, nil
}
