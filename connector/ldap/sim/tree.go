package sim

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	lib "github.com/go-ldap/ldap/v3"
)

// disabled is ACCOUNTDISABLE of userAccountControl.
const disabled = 2

// tree is the directory itself.
type tree struct {
	now     func() time.Time
	entries map[string]*entry // by key
	n       int
	usn     int64           // counts every change of this controller
	hidden  map[string]bool // units that nobody may read any more, by key
	buried  []*entry        // deleted; only who may see gravestones sees them
	graves  bool
}

type entry struct {
	dn            string
	n             int
	usn           int64
	guid          []byte
	made, changed time.Time
	password      string
	set           map[string]attribute // by lower-case name
}

type attribute struct {
	name   string
	values []string
}

// key is a distinguished name without case and spelling.
func key(dn string) string {
	d, err := lib.ParseDN(dn)
	if err != nil {
		return "\x00" + dn
	}
	return strings.ToLower(d.String())
}

func escape(s string) string { return lib.EscapeDN(s) }

// above is what an entry lies in.
func above(dn string) string {
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

// named is the value of the first part of a distinguished name.
func named(dn string) (kind, value string) {
	d, err := lib.ParseDN(dn)
	if err != nil || len(d.RDNs) == 0 {
		return "", ""
	}
	return d.RDNs[0].Attributes[0].Type, d.RDNs[0].Attributes[0].Value
}

func (t *tree) put(dn string, set map[string][]string) *entry {
	t.n++
	t.usn++
	e := &entry{dn: dn, n: t.n, usn: t.usn, guid: make([]byte, 16), made: t.now(), changed: t.now(), set: map[string]attribute{}}
	_, _ = rand.Read(e.guid)
	for name, values := range set {
		e.set[strings.ToLower(name)] = attribute{name, slices.Clone(values)}
	}
	t.entries[key(dn)] = e
	return e
}

func (t *tree) ordered() []*entry {
	return slices.SortedFunc(maps.Values(t.entries), func(a, b *entry) int { return cmp.Compare(a.n, b.n) })
}

func (e *entry) get(name string) string {
	if a := e.set[strings.ToLower(name)]; len(a.values) > 0 {
		return a.values[0]
	}
	return ""
}

func (e *entry) is(class string) bool {
	return slices.ContainsFunc(e.set["objectclass"].values, func(c string) bool { return strings.EqualFold(c, class) })
}

func (e *entry) holds(name, dn string) bool {
	return slices.ContainsFunc(e.set[strings.ToLower(name)].values, func(v string) bool { return key(v) == key(dn) })
}

func (e *entry) control() int64 {
	n, _ := strconv.ParseInt(e.get("userAccountControl"), 10, 64)
	return n
}

// values of an attribute, those that the server makes itself too.
func (t *tree) values(e *entry, name string) []string {
	switch strings.ToLower(name) {
	case "objectguid":
		return []string{string(e.guid)}
	case "distinguishedname":
		return []string{e.dn}
	case "cn", "ou", "name":
		kind, value := named(e.dn)
		if strings.EqualFold(kind, name) || name == "name" {
			return []string{value}
		}
		return nil
	case "usnchanged":
		return []string{strconv.FormatInt(e.usn, 10)}
	case "whencreated":
		return []string{generalized(e.made)}
	case "whenchanged":
		return []string{generalized(e.changed)}
	case "objectcategory":
		if e.is("user") {
			return []string{"person"}
		}
		return nil
	case "memberof":
		var out []string
		for _, g := range t.ordered() {
			if g.holds("member", e.dn) {
				out = append(out, g.dn)
			}
		}
		return out
	case "unicodepwd":
		return nil // nobody reads a password
	}
	return e.set[strings.ToLower(name)].values
}

// linked are attributes that name other entries, and follow them when they move.
var linked = []string{"member", "manager", "managedby"}

func equal(name, a, b string) bool {
	if name = strings.ToLower(name); slices.Contains(linked, name) || name == "memberof" || name == "distinguishedname" {
		return key(a) == key(b)
	}
	if name == "objectguid" {
		return a == b
	}
	return strings.EqualFold(a, b)
}

// show cuts an entry down to what was asked for; nothing asked for is everything but what the server makes itself.
func (t *tree) show(e *entry, asked []string) found {
	f := found{dn: e.dn, values: map[string][]string{}}
	if len(asked) == 0 || slices.Contains(asked, "*") {
		asked = nil
		for _, a := range e.set {
			asked = append(asked, a.name)
		}
		slices.Sort(asked)
	}
	for _, name := range asked {
		if v := t.values(e, name); len(v) > 0 && f.values[name] == nil {
			f.names = append(f.names, name)
			f.values[name] = v
		}
	}
	return f
}

// bind refuses as Active Directory does, with its sub-codes.
func (t *tree) bind(dn, password string) *refusal {
	e := t.entries[key(dn)]
	no := func(data string) *refusal {
		return refused(49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data "+data+", v2580")
	}
	switch {
	case e == nil:
		return no("525")
	case e.password == "" || e.password != password:
		return no("52e")
	case e.control()&disabled != 0:
		return no("533")
	case t.expired(e):
		return no("701")
	case e.get("pwdLastSet") == "0":
		return no("773")
	}
	return nil
}

func (t *tree) expired(e *entry) bool {
	n, err := strconv.ParseInt(e.get("accountExpires"), 10, 64)
	return err == nil && n > 0 && n < 1<<62 && t.now().Unix() > n/10_000_000-11644473600
}

// longest values, in characters. MS-ADA.
var longest = map[string]int{
	"samaccountname": 20, "givenname": 64, "sn": 64, "displayname": 256, "title": 128, "department": 64, "company": 64, "employeeid": 16, "telephonenumber": 64,
	"mobile": 64, "ipphone": 64, "mail": 256, "physicaldeliveryofficename": 128, "userprincipalname": 1024,
}

// sound says whether an entry may have these values.
func (t *tree) sound(e *entry, name string, values []string) *refusal {
	low := strings.ToLower(name)
	for _, v := range values {
		if most := longest[low]; most > 0 && utf8.RuneCountInString(v) > most || v == "" {
			return refused(19, "00002082: AtrErr: DSID-03151D54, #1: 0: 00002082: DSID-03151D54, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att "+name)
		}
		switch low {
		case "memberof", "objectguid", "whencreated", "distinguishedname":
			return refused(19, "0000209A: the attribute "+name+" belongs to the system")
		case "member", "manager", "managedby":
			if t.entries[key(v)] == nil {
				return refused(32, "00000525: NameErr: DSID-031A11DA, problem 2001 (NO_OBJECT), data 0, best match of: "+v)
			}
		case "samaccountname", "userprincipalname":
			for _, other := range t.entries {
				if other != e && strings.EqualFold(other.get(name), v) {
					if low == "samaccountname" {
						return refused(68, "00000524: UpdErr: DSID-031A11F8, problem 6005 (ENTRY_EXISTS), data 0")
					}
					return refused(19, "000021C8: AtrErr: DSID-03200E3A, #1: 0: 000021C8: DSID-03200E3A, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290 (userPrincipalName)")
				}
			}
		}
	}
	return nil
}

// secret reads unicodePwd, and refuses what the domain's policy does: fewer than 7 characters, or of fewer than 3 kinds.
func secret(value string) (string, *refusal) {
	weak := refused(53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0")
	if len(value)%2 != 0 {
		return "", weak
	}
	var units []uint16
	for i := 0; i < len(value); i += 2 {
		units = append(units, binary.LittleEndian.Uint16([]byte(value[i:i+2])))
	}
	p := string(utf16.Decode(units))
	if len(p) < 2 || p[0] != '"' || p[len(p)-1] != '"' {
		return "", weak
	}
	p = p[1 : len(p)-1]
	kinds := 0
	for _, set := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"} {
		if strings.ContainsAny(p, set) {
			kinds++
		}
	}
	if utf8.RuneCountInString(p) < 7 || kinds < 3 {
		return "", weak
	}
	return p, nil
}

func (t *tree) add(dn string, set map[string][]string) *refusal {
	if t.entries[key(dn)] != nil {
		return refused(68, "00002071: UpdErr: DSID-031B0F71, problem 6005 (ENTRY_EXISTS), data 0")
	}
	if t.entries[key(above(dn))] == nil {
		return refused(32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: '"+Base+"'")
	}
	if _, value := named(dn); value == "" || utf8.RuneCountInString(value) > 64 {
		return refused(19, "00002082: AtrErr: DSID-03151D54, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 3 (cn)")
	}
	password := ""
	for name, values := range set {
		if strings.EqualFold(name, "unicodePwd") {
			p, r := secret(values[0])
			if r != nil {
				return r
			}
			password = p
			continue
		}
		if r := t.sound(nil, name, values); r != nil {
			return r
		}
	}
	delete(set, "unicodePwd")
	probe := &entry{set: map[string]attribute{}}
	for name, values := range set {
		probe.set[strings.ToLower(name)] = attribute{name, values}
	}
	if probe.is("user") && password == "" && probe.control()&disabled == 0 {
		return refused(53, "0000052D: SvcErr: DSID-031A124C, problem 5003 (WILL_NOT_PERFORM), data 0")
	}
	e := t.put(dn, set)
	e.password = password
	if e.is("user") && e.get("pwdLastSet") == "" {
		e.set["pwdlastset"] = attribute{"pwdLastSet", []string{"1"}}
	}
	return nil
}

// change is one of a modify: 0 add, 1 delete, 2 replace.
type change struct {
	kind   int64
	name   string
	values []string
}

// modify changes all or nothing.
func (t *tree) modify(dn string, changes []change) *refusal {
	e := t.entries[key(dn)]
	if e == nil {
		return refused(32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: '"+Base+"'")
	}
	next, password := maps.Clone(e.set), e.password
	for _, c := range changes {
		low := strings.ToLower(c.name)
		if low == "unicodepwd" {
			p, r := secret(strings.Join(c.values, ""))
			if r != nil {
				return r
			}
			password = p
			continue
		}
		if low == "cn" {
			return refused(67, "00002016: UpdErr: DSID-031A11EA, problem 6004 (CANT_ON_RDN), data 0")
		}
		is := slices.Clone(next[low].values)
		if c.kind != 1 {
			if r := t.sound(e, c.name, c.values); r != nil {
				return r
			}
		}
		switch c.kind {
		case 0:
			for _, v := range c.values {
				if slices.ContainsFunc(is, func(o string) bool { return equal(c.name, o, v) }) {
					return refused(68, "00000562: UpdErr: DSID-031A11DA, problem 6005 (ENTRY_EXISTS), data 0")
				}
				is = append(is, v)
			}
		case 1:
			if len(c.values) == 0 {
				if len(is) == 0 {
					return refused(16, "00002085: AtrErr: DSID-03151BA1, problem 1001 (NO_ATTRIBUTE_OR_VAL), data 0")
				}
				is = nil
			}
			for _, v := range c.values {
				i := slices.IndexFunc(is, func(o string) bool { return equal(c.name, o, v) })
				switch {
				case i < 0 && low == "member":
					return refused(53, "00000561: UpdErr: DSID-031A11DA, problem 5003 (WILL_NOT_PERFORM), data 0")
				case i < 0:
					return refused(16, "00002085: AtrErr: DSID-03151BA1, problem 1001 (NO_ATTRIBUTE_OR_VAL), data 0")
				}
				is = slices.Delete(is, i, i+1)
			}
		default:
			is = slices.Clone(c.values)
		}
		next[low] = attribute{c.name, is}
	}
	t.usn++
	e.set, e.password, e.changed, e.usn = next, password, t.now(), t.usn
	return nil
}

// move renames an entry, and what lies below it; what names them follows.
func (t *tree) move(dn, rdn, to string) *refusal {
	e := t.entries[key(dn)]
	if e == nil || to != "" && t.entries[key(to)] == nil {
		return refused(32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: '"+Base+"'")
	}
	if to == "" {
		to = above(e.dn)
	}
	next := rdn + "," + to
	if other := t.entries[key(next)]; other != nil && other != e {
		return refused(68, "00002071: UpdErr: DSID-031B0F71, problem 6005 (ENTRY_EXISTS), data 0")
	}
	if _, value := named(next); value == "" || utf8.RuneCountInString(value) > 64 {
		return refused(19, "00002082: AtrErr: DSID-03151D54, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 3 (cn)")
	}
	old := e.dn
	for _, x := range t.ordered() {
		if x == e || strings.HasSuffix(key(x.dn), ","+key(old)) {
			was := x.dn
			delete(t.entries, key(was))
			x.dn = next
			if x != e {
				x.dn = was[:len(was)-len(old)] + next
			}
			t.entries[key(x.dn)] = x
			t.follow(was, x.dn)
		}
	}
	t.usn++
	e.changed, e.usn = t.now(), t.usn
	return nil
}

// follow puts another name, or none, wherever an entry is named.
func (t *tree) follow(was, is string) {
	for _, e := range t.entries {
		for _, name := range linked {
			a, ok := e.set[name]
			if !ok {
				continue
			}
			var values []string
			for _, v := range a.values {
				switch {
				case key(v) != key(was):
					values = append(values, v)
				case is != "":
					values = append(values, is)
				}
			}
			e.set[name] = attribute{a.name, values}
		}
	}
}

func (t *tree) delete(dn string, all bool) *refusal {
	e := t.entries[key(dn)]
	if e == nil {
		return refused(32, "0000208D: NameErr: DSID-03100245, problem 2001 (NO_OBJECT), data 0, best match of: '"+Base+"'")
	}
	for _, x := range t.ordered() {
		if !strings.HasSuffix(key(x.dn), ","+key(dn)) {
			continue
		}
		if !all {
			return refused(66, "00002015: UpdErr: DSID-031B0D59, problem 6003 (CANT_ON_NON_LEAF), data 0")
		}
		delete(t.entries, key(x.dn))
		t.follow(x.dn, "")
		t.buried = append(t.buried, x)
	}
	t.usn++
	t.buried = append(t.buried, e)
	delete(t.entries, key(e.dn))
	t.follow(e.dn, "")
	return nil
}

// shows says that an entry may be read: it is in no unit that is hidden, and is none.
func (t *tree) shows(e *entry) bool {
	for dn := key(e.dn); dn != ""; dn = above(dn) {
		if t.hidden[dn] {
			return false
		}
	}
	return true
}

// grave is a deleted entry as a search with its control shows it.
func grave(e *entry) *entry {
	return &entry{dn: "CN=" + strconv.Itoa(e.n) + `\0ADEL,CN=Deleted Objects,` + Base, n: e.n, guid: e.guid, set: map[string]attribute{
		"isdeleted": {"isDeleted", []string{"TRUE"}}, "objectclass": e.set["objectclass"],
	}}
}
