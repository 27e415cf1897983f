package sim

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strconv"

	lib "github.com/go-ldap/ldap/v3"
)

// Source is the directory that feeds the server.
type Source interface {
	// People are all of it. Who is disabled is said, since the server's own filter leaves them out.
	People() ([]Entry, error)
}

type entries []Entry

func (es entries) People() ([]Entry, error) { return es, nil }

// LDAP is a directory of Active Directory, the one that feeds the cluster as well, read below Base a page at a time.
type LDAP struct {
	URL, CA        string // CA: PEM of who signed the server's certificate
	Name, Password string
	Base           string
}

// People asks the directory.
func (d LDAP) People() ([]Entry, error) {
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
	r, err := conn.SearchWithPaging(lib.NewSearchRequest(d.Base, lib.ScopeWholeSubtree, lib.NeverDerefAliases, 0, 0, false, "(&(objectclass=user)(!(objectclass=Computer)))",
		[]string{"sAMAccountName", "givenName", "sn", "mail", "telephoneNumber", "title", "userAccountControl"}, nil), 500)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range r.Entries {
		control, _ := strconv.Atoi(e.GetAttributeValue("userAccountControl"))
		if e.GetAttributeValue("sn") == "" {
			continue // nobody without a last name can be imported
		}
		out = append(out, Entry{
			ID: e.GetAttributeValue("sAMAccountName"), First: e.GetAttributeValue("givenName"), Last: e.GetAttributeValue("sn"), Mail: e.GetAttributeValue("mail"),
			Title: e.GetAttributeValue("title"), Phone: e.GetAttributeValue("telephoneNumber"), Disabled: control&2 != 0,
		})
	}
	return out, nil
}
