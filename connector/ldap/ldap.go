// Package ldap reaches directories by LDAP: Microsoft Active Directory, Samba's, and OpenLDAP. Users with their place in the
// tree, their groups, and people as a source. It does not read Exchange's or Entra's own attributes.
// https://learn.microsoft.com/openspecs/windows_protocols/ms-adts/ and RFC 4511
package ldap

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha1" // {SSHA} of RFC 2307, which every server reads
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes connectors to directories.
var Factory = connector.Factory{Manifest: manifest, New: New}

// directory is a target and a source.
type directory struct {
	*connector.Target
	source
}

var (
	_ connector.Connector = directory{}
	_ connector.Source    = directory{}
	_ connector.Revoker   = accounts{}
)

// New reaches one domain.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	a := accounts{c}
	return directory{
		Target: &connector.Target{
			System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: c.ping,
			Accounts: a,
			Kinds:    map[string]connector.Entitlements{"group": groups{c}},
			Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
				dayone.NestedGroup: a.inherited, dayone.KeptOwnership: a.owned,
			},
		},
		source: source{c},
	}, nil
}

// ping signs in and looks at base.
func (c *client) ping(ctx context.Context) error {
	return c.do(ctx, "checking access", func(conn *lib.Conn) error {
		_, err := conn.Search(lib.NewSearchRequest(c.base, lib.ScopeBaseObject, lib.NeverDerefAliases, 1, 10, false, "(objectClass=*)", []string{"1.1"}, nil))
		return err
	})
}

// generalized is how directories write an instant, with or without a fraction.
const generalized = "20060102150405Z"

type accounts struct{ *client }

// fields are what an account is read with.
func (c *client) fields() []string {
	out := []string{c.f.guid, "cn", "manager"}
	for _, theirs := range c.f.names {
		out = append(out, theirs)
	}
	if c.f.ad {
		return append(out, "userAccountControl", "accountExpires", "whenCreated", "msDS-KeyCredentialLink")
	}
	return append(out, "createTimestamp", c.set["lock_attribute"])
}

// ref is the immutable id as we keep it.
func (c *client) ref(e *lib.Entry) string {
	if c.f.ad {
		return hex.EncodeToString(e.GetRawAttributeValue(c.f.guid))
	}
	return e.GetAttributeValue(c.f.guid)
}

func (c *client) disabled(e *lib.Entry) bool {
	if !c.f.ad {
		return slices.ContainsFunc(e.GetEqualFoldAttributeValues(c.set["lock_attribute"]), func(v string) bool { return strings.EqualFold(v, c.set["lock_value"]) })
	}
	return c.control(e)&accountDisable != 0
}

func (c *client) control(e *lib.Entry) int64 {
	n, _ := strconv.ParseInt(e.GetAttributeValue("userAccountControl"), 10, 64)
	return n
}

// item of an entry. mail is how the address of a manager is read.
func (c *client) item(e *lib.Entry, mail func(dn string) (string, error)) (dayone.Item, error) {
	c.saw(e)
	it := dayone.Item{Key: dayone.Key{System: c.System, Kind: dayone.AccountKindName}, Ref: c.ref(e), State: dayone.Active, Attrs: dayone.Attrs{}}
	if c.disabled(e) {
		it.State = dayone.Disabled
	}
	for ours, theirs := range c.f.names {
		it.Attrs[ours] = dayone.Text(e.GetEqualFoldAttributeValue(theirs))
	}
	it.Attrs["dn"], it.Attrs["ou"] = dayone.Text(e.DN), dayone.Text(c.path(e.DN))
	made := e.GetAttributeValue("createTimestamp")
	if c.f.ad {
		it.Attrs["expires"] = dayone.Text(lastDay(e.GetAttributeValue("accountExpires")))
		made = e.GetAttributeValue("whenCreated")
	}
	if t, err := time.Parse(generalized, made); err == nil {
		it.Created = t.UTC()
	}
	manager := ""
	if dn := e.GetAttributeValue("manager"); dn != "" {
		var err error
		if manager, err = mail(dn); err != nil {
			return dayone.Item{}, err
		}
	}
	it.Attrs["manager"] = dayone.Text(manager)
	return it, nil
}

// mail is the address of an entry; the distinguished name itself, if it has none or may not be read.
func (c *client) mail(ctx context.Context) func(dn string) (string, error) {
	known := map[string]string{}
	return func(dn string) (string, error) {
		if m, ok := known[dn]; ok {
			return m, nil
		}
		m := dn
		err := c.search(ctx, query{op: "reading manager", base: dn, scope: lib.ScopeBaseObject, filter: "(objectClass=*)", attrs: []string{"mail"}}, func(e *lib.Entry) bool {
			m = cmp.Or(e.GetAttributeValue("mail"), dn)
			return false
		})
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return "", err
		}
		known[dn] = m
		return m, nil
	}
}

// entry is the one with an id, whatever the filter says of it: who is closed may be nobody whom the filter lets through.
// ErrNotFound: the directory can be read, and they are not in it.
func (c *client) entry(ctx context.Context, op, ref string, attrs ...string) (*lib.Entry, error) {
	e, err := c.one(ctx, op, c.base, c.f.byID(ref), attrs...)
	if errors.Is(err, dayone.ErrNotFound) {
		if bad := c.whole(ctx, op); bad != nil {
			return nil, bad
		}
		if bad := c.gone(ctx, op, ref); bad != nil {
			return nil, bad
		}
	}
	return e, err
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	e, err := a.entry(ctx, "reading account", ref, a.fields()...)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(e, a.mail(ctx))
}

func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	theirs, ok := a.f.names[by]
	if !ok {
		return nil, dayone.ErrUnsupported
	}
	return a.list(ctx, "finding account", "(&"+a.f.person+"("+theirs+"="+lib.EscapeFilter(value)+"))")
}

func (a accounts) list(ctx context.Context, op, filter string) ([]dayone.Item, error) {
	var found []*lib.Entry
	err := a.search(ctx, query{op: op, base: a.base, scope: lib.ScopeWholeSubtree, filter: filter, attrs: a.fields()}, func(e *lib.Entry) bool {
		found = append(found, e)
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	mail := a.mail(ctx)
	for _, e := range found {
		it, err := a.item(e, mail)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// All streams everybody. Managers' addresses are read by connections of their own while the list is under way.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		const op = "listing accounts"
		mail, shown := a.mail(ctx), map[string]bool{}
		var failed error
		stopped := false
		err := a.search(ctx, query{op: op, base: a.base, scope: lib.ScopeWholeSubtree, filter: a.f.person, attrs: a.fields()}, func(e *lib.Entry) bool {
			it, err := a.item(e, mail)
			if err != nil {
				failed = err
				return false
			}
			shown[it.Ref] = true
			stopped = !yield(it, nil)
			return !stopped
		})
		if err == nil && failed == nil && !stopped {
			err = a.missing(ctx, op, shown)
		}
		if err = cmp.Or(failed, err); err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

// managerDN is the entry of a mail address. ErrUnsupported: there is none, or there are several.
func (c *client) managerDN(ctx context.Context, address string) (string, error) {
	who := lib.EscapeFilter(address)
	also := ""
	if c.f.ad {
		also = "(userPrincipalName=" + who + ")"
	}
	e, err := c.one(ctx, "finding manager", c.base, "(&"+c.f.person+"(|(mail="+who+")"+also+"))", "cn")
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrInvalid) {
		return "", c.refuse("setting manager", dayone.ErrUnsupported, "no one entry, or more than one, has the manager's address; set the manager by hand")
	}
	if err != nil {
		return "", err
	}
	return e.DN, nil
}

// values are what a request sets, by their names; an empty one takes the attribute away.
func (c *client) values(ctx context.Context, op string, want dayone.Attrs) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range want {
		theirs, plain := c.f.names[name]
		switch {
		case plain:
			out[theirs] = v.Text
		case name == "expires" && c.f.ad:
			until, err := expiry(v.Text)
			if err != nil {
				return nil, c.refuse(op, dayone.ErrInvalid, "expires is no day such as 2025-01-31")
			}
			out["accountExpires"] = until
		case name == "manager" && v.Text == "":
			out["manager"] = ""
		case name == "manager":
			dn, err := c.managerDN(ctx, v.Text)
			if err != nil {
				return nil, err
			}
			out["manager"] = dn
		case name == "ou", name == "password":
		case v.Text != "":
			return nil, c.refuse(op, dayone.ErrInvalid, "OpenLDAP has no attribute for "+name+"; take it out of the policy")
		}
	}
	return out, nil
}

// Create makes an account with its password in one request. A manager who has no account yet is left out: nobody's first
// day waits for that.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	const op = "creating account"
	want := act.Want.Attrs.Clone()
	set, err := a.values(ctx, op, want)
	if errors.Is(err, dayone.ErrUnsupported) {
		delete(want, "manager")
		set, err = a.values(ctx, op, want)
	}
	if err != nil {
		return dayone.Result{}, err
	}
	above := a.people
	if ou := want.Text("ou"); ou != "" {
		above = a.dn(ou)
	}
	password := act.Secrets["password"].Reveal()
	open := act.Want.State == dayone.Active
	var dn string
	if a.f.ad {
		if dn, err = a.nameIn(ctx, op, above, want.Text("display_name"), want.Text("login")); err != nil {
			return dayone.Result{}, err
		}
		set["userPrincipalName"] = cmp.Or(set["userPrincipalName"], want.Text("email"))
		set["userAccountControl"] = strconv.Itoa(normalAccount | accountDisable)
		if open {
			set["userAccountControl"] = strconv.Itoa(normalAccount)
		}
		set["unicodePwd"] = quotedPassword(password)
		if a.set["change_password"] == "true" {
			set["pwdLastSet"] = "0"
		}
	} else {
		dn = "uid=" + lib.EscapeDN(want.Text("login")) + "," + above
		set["cn"] = cmp.Or(want.Text("display_name"), want.Text("login"))
		set["userPassword"] = salted(password)
		if !open {
			set[a.set["lock_attribute"]] = a.set["lock_value"]
		}
	}
	add := lib.NewAddRequest(dn, nil)
	add.Attribute("objectClass", a.f.classes)
	for name, v := range set {
		if v != "" {
			add.Attribute(name, []string{v})
		}
	}
	if err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.Add(add) }); err != nil {
		if errors.Is(err, dayone.ErrNotFound) {
			err = a.refuse(op, dayone.ErrInvalid, "there is no "+above+"; make it there, or write another people_ou or ou")
		}
		return dayone.Result{}, err
	}
	e, err := a.one(ctx, op, dn, "(objectClass=*)", a.fields()...)
	if err != nil {
		return dayone.Result{}, err
	}
	if !a.f.ad {
		if err := a.finish(ctx, op, e, password, open); err != nil {
			return dayone.Result{}, err
		}
		if e, err = a.one(ctx, op, dn, "(objectClass=*)", a.fields()...); err != nil {
			return dayone.Result{}, err
		}
	}
	now, err := a.item(e, a.mail(ctx))
	return dayone.Result{Now: &now}, err
}

// finish lets OpenLDAP keep the password in its own way, if it has one better than ours, and closes an account that is not to
// be open yet where that was not heard with the Add.
func (a accounts) finish(ctx context.Context, op string, e *lib.Entry, password string, open bool) error {
	err := a.do(ctx, op, func(conn *lib.Conn) error {
		_, err := conn.PasswordModify(lib.NewPasswordModifyRequest(e.DN, "", password))
		return err
	})
	if err != nil && dayone.Again(err) {
		return err
	}
	if open || a.disabled(e) && a.set["lock_attribute"] != "pwdAccountLockedTime" { // a new password takes that one away
		return nil
	}
	return a.do(ctx, op, func(conn *lib.Conn) error {
		mod := lib.NewModifyRequest(e.DN, nil)
		mod.Replace(a.set["lock_attribute"], []string{a.set["lock_value"]})
		return conn.Modify(mod)
	})
}

// salted is a password as RFC 2307 has it: {SSHA}, which every server reads.
func salted(password string) string {
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // never fails
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

// nameIn is the distinguished name that somebody can have in a container: with the login behind it, if the name is taken.
func (c *client) nameIn(ctx context.Context, op, above, name, login string) (string, error) {
	cn := cut(cmp.Or(name, login), 64)
	dn := "CN=" + lib.EscapeDN(cn) + "," + above
	taken, err := c.exists(ctx, op, dn)
	if err != nil || !taken {
		return dn, err
	}
	return "CN=" + lib.EscapeDN(cut(cn, 64-len(login)-3)+" ("+login+")") + "," + above, nil
}

func (c *client) exists(ctx context.Context, op, dn string) (bool, error) {
	is := false
	err := c.search(ctx, query{op: op, base: dn, scope: lib.ScopeBaseObject, filter: "(objectClass=*)", attrs: []string{"1.1"}}, func(*lib.Entry) bool {
		is = true
		return false
	})
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	return is, err
}

// cut shortens to so many characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:max(n, 1)]))
	}
	return s
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	const op = "updating account"
	e, err := a.entry(ctx, op, ref, a.fields()...)
	if err != nil {
		return err
	}
	set, err := a.values(ctx, op, changed)
	if err != nil {
		return err
	}
	login, named := changed["login"]
	if !a.f.ad {
		delete(set, "uid") // it is the entry's name: that is another request
		if v, ok := changed["display_name"]; ok && v.Text != "" {
			set["cn"] = v.Text
		}
	}
	mod := lib.NewModifyRequest(e.DN, nil)
	for name, v := range set {
		if v == "" {
			mod.Replace(name, nil)
			continue
		}
		mod.Replace(name, []string{v})
	}
	if len(mod.Changes) > 0 {
		if err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) }); err != nil {
			return err
		}
	}
	above := parent(e.DN)
	if ou, ok := changed["ou"]; ok && !(a.disabled(e) && a.closed != "") { // a closed account stays among the closed ones
		above = a.people
		if ou.Text != "" {
			above = a.dn(ou.Text)
		}
	}
	if a.f.ad {
		return a.place(ctx, op, e, above, changed.Text("display_name"), cmp.Or(login.Text, e.GetAttributeValue("sAMAccountName")))
	}
	if named && login.Text != "" && login.Text != e.GetAttributeValue("uid") {
		return a.move(ctx, op, e.DN, "uid="+lib.EscapeDN(login.Text), above)
	}
	return a.place(ctx, op, e, above, "", "")
}

// place brings an entry into a container, under a name if one is given.
func (a accounts) place(ctx context.Context, op string, e *lib.Entry, above, name, login string) error {
	rdn := strings.TrimSuffix(strings.TrimSuffix(e.DN, parent(e.DN)), ",")
	if a.f.ad {
		cn := e.GetAttributeValue("cn")
		name = cut(cmp.Or(name, strings.TrimSuffix(cn, " ("+login+")")), 64)
		if here := same(above, parent(e.DN)); here && (cn == name || cn == cut(name, 64-len(login)-3)+" ("+login+")") {
			return nil
		}
		dn, err := a.nameIn(ctx, op, above, name, login)
		if err != nil {
			return err
		}
		rdn = strings.TrimSuffix(strings.TrimSuffix(dn, above), ",")
	} else if same(above, parent(e.DN)) {
		return nil
	}
	return a.move(ctx, op, e.DN, rdn, above)
}

func (a accounts) move(ctx context.Context, op, dn, rdn, above string) error {
	to := above
	if same(above, parent(dn)) {
		to = ""
	} else if there, err := a.exists(ctx, op, above); err != nil {
		return err
	} else if !there {
		return a.refuse(op, dayone.ErrInvalid, "there is no "+above+"; make it there, or write another one")
	}
	in, err := a.stale(ctx, op, dn)
	if err != nil {
		return err
	}
	if err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.ModifyDN(lib.NewModifyDNRequest(dn, rdn, true, to)) }); err != nil {
		return err
	}
	return a.renamed(ctx, op, in, dn, rdn+","+above)
}

// stale are the groups that will name an entry by the name that it had: OpenLDAP's, which may have no overlay for it.
func (c *client) stale(ctx context.Context, op, dn string) (in []string, err error) {
	if c.f.ad {
		return nil, nil
	}
	err = groups{c}.each(ctx, op, "(&"+c.f.group+"("+c.f.member+"="+lib.EscapeFilter(dn)+"))", func(e *lib.Entry) bool {
		in = append(in, e.DN)
		return true
	})
	return in, err
}

// renamed changes those groups, unless the server has done so.
func (c *client) renamed(ctx context.Context, op string, in []string, was, is string) error {
	for _, group := range in {
		for _, change := range []func(*lib.ModifyRequest){
			func(m *lib.ModifyRequest) { m.Add(c.f.member, []string{is}) },
			func(m *lib.ModifyRequest) { m.Delete(c.f.member, []string{was}) },
		} {
			mod := lib.NewModifyRequest(group, nil)
			change(mod)
			err := c.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
			if err != nil && !errors.Is(err, dayone.ErrConflict) && !errors.Is(err, dayone.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// Switch sets or clears the one bit that closes an account, if nobody changed the others meanwhile; then moves it.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	const op = "switching account"
	e, err := a.entry(ctx, op, ref, a.fields()...)
	if err != nil {
		return err
	}
	if a.disabled(e) == (to == dayone.Active) {
		mod := lib.NewModifyRequest(e.DN, nil)
		switch {
		case a.f.ad:
			is := a.control(e)
			mod.Delete("userAccountControl", []string{strconv.FormatInt(is, 10)})
			mod.Add("userAccountControl", []string{strconv.FormatInt(is^accountDisable, 10)})
		case to == dayone.Active:
			mod.Delete(a.set["lock_attribute"], nil)
		default:
			mod.Replace(a.set["lock_attribute"], []string{a.set["lock_value"]})
		}
		err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
		if a.f.ad && errors.Is(err, dayone.ErrNotFound) { // noSuchAttribute: another value stands there by now
			return a.refuse(op, dayone.ErrNotYet, "somebody else changed the account at the same time")
		}
		if err != nil {
			return err
		}
	}
	switch inside := a.closed != "" && same(a.closed, parent(e.DN)); {
	case a.closed == "", inside == (to != dayone.Active):
		return nil
	case inside:
		return a.place(ctx, op, e, a.people, "", e.GetAttributeValue("sAMAccountName"))
	default:
		return a.place(ctx, op, e, a.closed, "", e.GetAttributeValue("sAMAccountName"))
	}
}
