package ldap

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strconv"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
)

// builtin is the bit of groupType of what Windows itself makes in every domain. MS-ADTS 2.2.12.
const builtin = 0x1

// groups are written one member at a time, so two who write never lose each other's.
type groups struct{ *client }

func (g groups) each(ctx context.Context, op, filter string, yield func(*lib.Entry) bool) error {
	return g.search(ctx, query{
		op: op, base: g.groups, scope: lib.ScopeWholeSubtree, filter: filter, attrs: []string{g.f.guid, "cn", "sAMAccountName", "groupType", "description"},
	}, yield)
}

// Held asks groups for their member: what an account shows itself (memberOf) is cut at 1,500, and OpenLDAP may not have it.
func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	const op = "reading groups of account"
	e, err := g.entry(ctx, op, account, "cn")
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	err = g.each(ctx, op, "(&"+g.f.group+"("+g.f.member+"="+lib.EscapeFilter(e.DN)+"))", func(e *lib.Entry) bool {
		out = append(out, dayone.Item{Key: dayone.Key{Name: nameOf(e)}, Ref: g.ref(e), State: dayone.Active})
		return true
	})
	return out, err
}

// Offers are the groups with a name of their own; of two with the same one nobody could say which a policy means.
func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		var all []dayone.Offer
		names := map[string]int{}
		err := g.each(ctx, "listing groups", g.f.group, func(e *lib.Entry) bool {
			if kind, _ := strconv.ParseInt(e.GetAttributeValue("groupType"), 10, 64); kind&builtin != 0 {
				return true
			}
			names[nameOf(e)]++
			all = append(all, dayone.Offer{Key: dayone.Key{Name: nameOf(e)}, Ref: g.ref(e), Title: e.GetAttributeValue("description")})
			return true
		})
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, o := range all {
			if names[o.Key.Name] == 1 && !yield(o, nil) {
				return
			}
		}
	}
}

// both finds the entries of a group and a member.
func (g groups) both(ctx context.Context, op, account, group string) (member, of *lib.Entry, err error) {
	if member, err = g.entry(ctx, op, account, "cn"); err != nil {
		return nil, nil, err
	}
	of, err = g.one(ctx, op, g.groups, "(&"+g.f.group+g.f.byID(group)+")", "cn")
	if errors.Is(err, dayone.ErrNotFound) {
		err = g.refuse(op, dayone.ErrInvalid, "the group is not there any more; take it out of the policy")
	}
	return member, of, err
}

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "adding to group"
	member, of, err := g.both(ctx, op, account, want.Ref)
	if err != nil {
		return err
	}
	mod := lib.NewModifyRequest(of.DN, nil)
	mod.Add(g.f.member, []string{member.DN})
	return g.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	const op = "taking out of group"
	member, of, err := g.both(ctx, op, account, is.Ref)
	if err != nil {
		return err
	}
	mod := lib.NewModifyRequest(of.DN, nil)
	mod.Delete(g.f.member, []string{member.DN})
	err = g.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
	if errors.Is(err, dayone.ErrUnsupported) { // objectClassViolation
		return g.refuse(op, dayone.ErrUnsupported, "they are the last member, and a group here cannot be empty; put a placeholder in, then take them out")
	}
	return err
}

// nameOf a group is what Windows shows, or its common name.
func nameOf(e *lib.Entry) string {
	return cmp.Or(e.GetAttributeValue("sAMAccountName"), e.GetAttributeValue("cn"), e.DN)
}
