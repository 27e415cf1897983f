package ldap

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	lib "github.com/go-ldap/ldap/v3"
)

// flavour is what two families of servers call the same thing.
type flavour struct {
	ad      bool
	guid    string            // what never changes, nor is given twice
	person  string            // filter
	group   string            // filter
	member  string            // of a group
	names   map[string]string // ours: theirs, for what is copied as it is
	classes []string          // of a new account
}

var flavours = map[string]flavour{
	"ad": {
		ad: true, guid: "objectGUID", person: "(&(objectCategory=person)(objectClass=user))", group: "(objectClass=group)", member: "member",
		names: map[string]string{
			"login": "sAMAccountName", "upn": "userPrincipalName", "email": "mail", "display_name": "displayName", "first_name": "givenName", "last_name": "sn",
			"title": "title", "department": "department", "company": "company", "office": "physicalDeliveryOfficeName", "employee_number": "employeeID",
			"phone": "telephoneNumber", "ip_phone": "ipPhone", "mobile": "mobile",
		},
		classes: []string{"top", "person", "organizationalPerson", "user"},
	},
	"openldap": {
		guid: "entryUUID", person: "(objectClass=inetOrgPerson)", group: "(objectClass=groupOfNames)", member: "member",
		names: map[string]string{
			"login": "uid", "email": "mail", "display_name": "displayName", "first_name": "givenName", "last_name": "sn",
			"title": "title", "department": "departmentNumber", "company": "o", "office": "physicalDeliveryOfficeName", "employee_number": "employeeNumber",
			"phone": "telephoneNumber", "mobile": "mobile",
		},
		classes: []string{"top", "person", "organizationalPerson", "inetOrgPerson"},
	},
}

// with is a flavour with what the settings say otherwise.
func (f flavour) with(set map[string]string) flavour {
	if v := set["filter"]; v != "" {
		f.person = v
	}
	if v := set["group_filter"]; v != "" {
		f.group = v
	}
	if v := set["employee_attribute"]; v != "" {
		names := map[string]string{}
		for ours, theirs := range f.names {
			names[ours] = theirs
		}
		names["employee_number"] = v
		f.names = names
	}
	return f
}

// byID is the filter of an immutable id: 32 or 36 hexadecimal digits as we keep it, bytes as Active Directory does.
func (f flavour) byID(ref string) string {
	if !f.ad {
		return "(entryUUID=" + lib.EscapeFilter(ref) + ")"
	}
	var b strings.Builder
	for i := 0; i+1 < len(ref); i += 2 {
		b.WriteString(`\` + ref[i:i+2])
	}
	return "(objectGUID=" + b.String() + ")"
}

// Bits of userAccountControl. MS-ADTS 2.2.16.
const (
	accountDisable = 0x2
	normalAccount  = 0x200
)

// quotedPassword is a password as unicodePwd takes it: in quotes, in UTF-16. MS-ADTS 3.1.1.3.1.5.
func quotedPassword(p string) string {
	units := utf16.Encode([]rune(`"` + p + `"`))
	out := make([]byte, 0, 2*len(units))
	for _, u := range units {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return string(out)
}

// The epoch of Active Directory's times, which count 100 ns since 1601, and its two words for never.
const (
	since1601 = 11644473600
	never     = "9223372036854775807"
)

// expiry is accountExpires for the last day of somebody: the account works until that day is over in UTC.
func expiry(day string) (string, error) {
	if day == "" {
		return "0", nil
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", err
	}
	return strconv.FormatInt((t.AddDate(0, 0, 1).Unix()+since1601)*10_000_000, 10), nil
}

// lastDay reads it back; an instant within a day has the day before as its last whole one.
func lastDay(accountExpires string) string {
	n, err := strconv.ParseInt(accountExpires, 10, 64)
	if err != nil || n <= 0 || accountExpires == never {
		return ""
	}
	return time.Unix(n/10_000_000-since1601, 0).UTC().AddDate(0, 0, -1).Format(time.DateOnly)
}

// Paths: a place in the tree is written from the top, without base: Staff/Berlin is OU=Berlin,OU=Staff,DC=company,DC=com. A
// part that is no organizational unit is written with its type: CN=Users.

// dn is the distinguished name of a path.
func (c *client) dn(path string) string {
	out := c.base
	for _, part := range splitPath(path) {
		kind, name := "OU", part
		if k, n, typed := strings.Cut(part, "="); typed {
			kind, name = k, n
		}
		out = kind + "=" + lib.EscapeDN(name) + "," + out
	}
	return out
}

func splitPath(path string) []string {
	var parts []string
	var part strings.Builder
	end := func() {
		if part.Len() > 0 {
			parts = append(parts, part.String())
		}
		part.Reset()
	}
	for i := 0; i < len(path); i++ {
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			part.WriteByte(path[i])
		case path[i] == '/':
			end()
		default:
			part.WriteByte(path[i])
		}
	}
	end()
	return parts
}

// path of the container of an entry; of one that is not below base the whole distinguished name.
func (c *client) path(dn string) string {
	above := parent(dn)
	parsed, err := lib.ParseDN(above)
	base, bad := lib.ParseDN(c.base)
	if err != nil || bad != nil || !base.AncestorOfFold(parsed) && !base.EqualFold(parsed) {
		return above
	}
	var parts []string
	for _, rdn := range parsed.RDNs[:len(parsed.RDNs)-len(base.RDNs)] {
		a := rdn.Attributes[0]
		name := strings.NewReplacer(`\`, `\\`, `/`, `\/`).Replace(a.Value)
		if !strings.EqualFold(a.Type, "OU") {
			name = strings.ToUpper(a.Type) + "=" + name
		}
		parts = append([]string{name}, parts...)
	}
	return strings.Join(parts, "/")
}

// parent is what follows the first part of a distinguished name, as the server writes it.
func parent(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[i+1:]
		}
	}
	return ""
}

// same says whether two distinguished names are one, however they are written.
func same(a, b string) bool {
	x, err := lib.ParseDN(a)
	y, bad := lib.ParseDN(b)
	return err == nil && bad == nil && x.EqualFold(y)
}
