package sim

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Entry is somebody in a directory that feeds telephone systems.
type Entry struct {
	ID, First, Last, Mail, Phone string
	Number                       string // employee number
	IPPhone, Title, Department   string
	DN                           string // "": wherever somebody looks
	Disabled                     bool   // the vendors' own filters leave such entries out
}

// Directory is what a cluster and its voice mail server read: one and the same.
type Directory interface {
	// People are the entries below base that a filter lets through.
	People(base, filter string) ([]Entry, error)
}

// Entries are a directory that a test holds in its hand. It knows of filters whether they leave out who is disabled.
type Entries []Entry

var _ Directory = Entries{}

// People are those below base; "": all.
func (es Entries) People(base, filter string) ([]Entry, error) {
	var out []Entry
	for _, e := range es {
		below := e.DN == "" || base == "" || strings.HasSuffix(strings.ToLower(e.DN), ","+strings.ToLower(base))
		if below && !(e.Disabled && strings.Contains(filter, ":1.2.840.113556.1.4.803:=2")) {
			out = append(out, e)
		}
	}
	return out, nil
}

// LDAP is a real directory of Active Directory, read by an account of its own, a page at a time.
type LDAP struct {
	URL, CA        string // CA: PEM of who signed the server's certificate
	Name, Password string
}

var _ Directory = LDAP{}

// People asks the directory. Who has no last name is left out, as both vendors do.
func (d LDAP) People(base, filter string) ([]Entry, error) {
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM([]byte(d.CA))
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	conn, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: trust, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Bind(d.Name, d.Password); err != nil {
		return nil, err
	}
	r, err := conn.SearchWithPaging(ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter,
		[]string{"sAMAccountName", "givenName", "sn", "mail", "telephoneNumber", "ipPhone", "title", "department", "employeeID", "userAccountControl"}, nil), 500)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range r.Entries {
		control, _ := strconv.Atoi(e.GetAttributeValue("userAccountControl"))
		if e.GetAttributeValue("sn") == "" {
			continue
		}
		out = append(out, Entry{
			ID: e.GetAttributeValue("sAMAccountName"), First: e.GetAttributeValue("givenName"), Last: e.GetAttributeValue("sn"), Mail: e.GetAttributeValue("mail"),
			Phone: e.GetAttributeValue("telephoneNumber"), IPPhone: e.GetAttributeValue("ipPhone"), Title: e.GetAttributeValue("title"), Department: e.GetAttributeValue("department"),
			Number: e.GetAttributeValue("employeeID"), DN: e.DN, Disabled: control&2 != 0,
		})
	}
	return out, nil
}
