package cucm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
)

// Agreement is an LDAP agreement: whom the directory brings into the cluster.
type Agreement struct {
	Name   string
	Base   string // below which it looks
	Filter string // as text; "": the cluster's own, which leaves out who is disabled
	Lines  string // how it makes directory numbers by itself; "": it makes none
}

// Agreements reads them all, each with the text of its filter.
func (c *Cluster) Agreements(ctx context.Context) ([]Agreement, error) {
	var names []string
	err := c.List(ctx, LDAPDirectory, "name", []string{"name"}, func(o *Object) bool {
		names = append(names, o.Value("name"))
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []Agreement
	for _, name := range names {
		o, err := c.Get(ctx, LDAPDirectory, By(name))
		if errors.Is(err, dayone.ErrNotFound) {
			continue // it went while we read
		}
		if err != nil {
			return nil, err
		}
		a := Agreement{Name: name, Base: o.Value("userSearchBase")}
		switch {
		case o.True("applyMask"):
			a.Lines = "the mask " + o.Value("mask")
		case o.True("applyPoolList"):
			a.Lines = "its list of pools"
		}
		if f := o.Value("ldapFilter"); f != "" {
			is, err := c.Get(ctx, LDAPFilter, By(f))
			if err != nil {
				return nil, err
			}
			a.Filter = is.Value("filter")
		}
		out = append(out, a)
	}
	return out, nil
}

// Entrant is what is known of somebody whom a directory is to bring. An attribute that is not named is unknown.
type Entrant struct {
	DN    string // of the entry, or of the unit in which it stands; "": unknown
	Attrs map[string]string
}

// Excludes says why an agreement cannot bring somebody; "": it can, or nothing is known against it.
func (a Agreement) Excludes(who Entrant) string {
	if who.DN != "" {
		base, bad := lib.ParseDN(a.Base)
		dn, err := lib.ParseDN(who.DN)
		if bad == nil && err == nil && !base.AncestorOfFold(dn) && !base.EqualFold(dn) {
			return fmt.Sprintf("its search base %s is not above %s", a.Base, who.DN)
		}
	}
	if a.Filter == "" {
		return ""
	}
	f, err := lib.CompileFilter(a.Filter)
	if err != nil { // what it says is unknown to us, and the cluster may read it: nothing is known against it
		return ""
	}
	if known, is := who.meets(f); known && !is {
		return fmt.Sprintf("its filter %s leaves them out", a.Filter)
	}
	return ""
}

// meets evaluates a filter on what is known: what depends on anything else is unknown. RFC 4511, section 4.5.1.7.
func (who Entrant) meets(f *ber.Packet) (known, is bool) {
	switch f.Tag {
	case lib.FilterAnd, lib.FilterOr:
		want := f.Tag == lib.FilterOr // one such decides
		known = true
		for _, kid := range f.Children {
			k, v := who.meets(kid)
			if k && v == want {
				return true, want
			}
			known = known && k
		}
		return known, !want
	case lib.FilterNot:
		known, is = who.meets(f.Children[0])
		return known, !is
	case lib.FilterPresent:
		v, ok := who.Attrs[strings.ToLower(ber.DecodeString(f.Data.Bytes()))]
		return ok, v != ""
	case lib.FilterEqualityMatch:
		v, ok := who.Attrs[strings.ToLower(content(f.Children[0]))]
		return ok, strings.EqualFold(v, content(f.Children[1]))
	case lib.FilterSubstrings:
		v, ok := who.Attrs[strings.ToLower(content(f.Children[0]))]
		return ok, substring(strings.ToLower(v), f.Children[1].Children)
	case lib.FilterExtensibleMatch:
		return who.bits(f)
	}
	return false, false
}

func content(p *ber.Packet) string { return ber.DecodeString(p.Data.Bytes()) }

func substring(v string, parts []*ber.Packet) bool {
	for _, p := range parts {
		part := strings.ToLower(content(p))
		i := strings.Index(v, part)
		switch p.Tag {
		case lib.FilterSubstringsInitial:
			if i != 0 {
				return false
			}
		case lib.FilterSubstringsFinal:
			return strings.HasSuffix(v, part)
		}
		if i < 0 {
			return false
		}
		v = v[i+len(part):]
	}
	return true
}

// bits is Active Directory's "and" rule, by which filters leave out who is disabled.
func (who Entrant) bits(f *ber.Packet) (known, is bool) {
	var rule, name, value string
	for _, c := range f.Children {
		switch c.Tag {
		case lib.MatchingRuleAssertionMatchingRule:
			rule = content(c)
		case lib.MatchingRuleAssertionType:
			name = content(c)
		case lib.MatchingRuleAssertionMatchValue:
			value = content(c)
		}
	}
	v, ok := who.Attrs[strings.ToLower(name)]
	n, bad := strconv.ParseInt(v, 10, 64)
	mask, err := strconv.ParseInt(value, 10, 64)
	if !ok || bad != nil || err != nil || rule != "1.2.840.113556.1.4.803" {
		return false, false
	}
	return true, n&mask == mask
}

// entrant is what a step says of a joiner whom the directory is to bring, open as they are to be on the first day.
func (u users) entrant(a dayone.Act) Entrant {
	who := Entrant{DN: u.place, Attrs: map[string]string{"useraccountcontrol": "512"}}
	for ours, theirs := range map[string]string{
		"login": "sAMAccountName", "email": "mail", "first_name": "givenName", "last_name": "sn", "display_name": "displayName", "title": "title", "department": "department", "employee_number": "employeeID",
	} {
		if v, ok := a.Want.Attrs[ours]; ok && v.Text != "" {
			who.Attrs[strings.ToLower(theirs)] = v.Text
		}
	}
	return who
}

// willBring refuses a joiner whom no agreement can bring, and a cluster whose agreements make lines by themselves: such a
// number would be taken from no pool.
func (u users) willBring(ctx context.Context, a dayone.Act) error {
	const op = "reading directory agreements"
	all, err := u.Agreements(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return u.Fault(op, dayone.ErrInvalid, "", "the configuration says that a directory provides the users, and the cluster has no LDAP agreement; make one in System > LDAP > LDAP Directory, or take provisioned_by out")
	}
	var why []string
	for _, g := range all {
		if g.Lines != "" {
			return u.Fault(op, dayone.ErrInvalid, "", "the LDAP agreement "+g.Name+" makes directory numbers by itself, by "+g.Lines+": take that out of it (System > LDAP > LDAP Directory), since nobody would know whose they are")
		}
		no := g.Excludes(u.entrant(a))
		if no == "" {
			return nil
		}
		why = append(why, "the LDAP agreement "+g.Name+": "+no)
	}
	slices.Sort(why)
	return u.Fault(op, dayone.ErrInvalid, "", "no agreement will bring this person: "+strings.Join(why, "; ")+"; correct the agreement, or where the directory has them")
}

// Synchronizing says whether the synchronization of an agreement is under way.
func (c *Cluster) Synchronizing(ctx context.Context, agreement string) (bool, error) {
	r, err := c.read(ctx, "looking at the synchronization", "getLdapSyncStatus", Leaf("name", agreement))
	if err != nil {
		return false, err
	}
	return r.True("return"), nil
}

// Synchronize starts the synchronization of a directory agreement, all of it: whoever waits for one person starts one for
// everybody. Where one is under way it serves, and no second one is started.
func (c *Cluster) Synchronize(ctx context.Context, agreement string) error {
	if err := enter(ctx, c.writer); err != nil {
		return err
	}
	defer func() { <-c.writer }()
	if at, err := c.Synchronizing(ctx, agreement); err != nil || at {
		return err
	}
	_, err := c.write(ctx, "synchronizing the directory", "doLdapSync", Leaf("name", agreement), Leaf("sync", "true"))
	return err
}
