package ldap

import (
	"context"
	"crypto/rand"
	"errors"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
)

// Revoke makes what is cached of a password worth nothing: it is set twice, since the one before still opens what was
// encrypted with it. Keys of passwordless sign-in are taken out.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	const op = "replacing password"
	if a.set["scramble"] != "true" {
		return nil
	}
	e, err := a.entry(ctx, op, ref, a.fields()...)
	if err != nil {
		return err
	}
	set := func(name, value string) error {
		mod := lib.NewModifyRequest(e.DN, nil)
		mod.Replace(name, []string{value})
		return a.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
	}
	if !a.f.ad { // the overlay ppolicy takes a new password for a reason to open the account again
		if err := set("userPassword", salted(rand.Text())); err != nil {
			return err
		}
		return set(a.set["lock_attribute"], a.set["lock_value"])
	}
	for range 2 {
		if err := set("unicodePwd", quotedPassword("aA1!"+rand.Text())); err != nil {
			return err
		}
	}
	if len(e.GetRawAttributeValues("msDS-KeyCredentialLink")) == 0 {
		return nil
	}
	return a.do(ctx, op, func(conn *lib.Conn) error {
		mod := lib.NewModifyRequest(e.DN, nil)
		mod.Replace("msDS-KeyCredentialLink", nil)
		return conn.Modify(mod)
	})
}

// Delete takes what hangs below an account of Active Directory with it, such as the partnerships of its phone.
func (a accounts) Delete(ctx context.Context, ref string) error {
	const op = "deleting account"
	e, err := a.entry(ctx, op, ref, "cn")
	if err != nil {
		return err
	}
	if a.f.ad {
		err := a.do(ctx, op, func(conn *lib.Conn) error {
			return conn.Del(lib.NewDelRequest(e.DN, []lib.Control{lib.NewControlSubtreeDelete()}))
		})
		if err == nil {
			a.forget(ref)
		}
		return err
	}
	in, err := a.stale(ctx, op, e.DN)
	if err != nil {
		return err
	}
	if err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.Del(lib.NewDelRequest(e.DN, nil)) }); err != nil {
		return err
	}
	a.forget(ref)
	for _, group := range in {
		mod := lib.NewModifyRequest(group, nil)
		mod.Delete(a.f.member, []string{e.DN})
		err := a.do(ctx, op, func(conn *lib.Conn) error { return conn.Modify(mod) })
		if err != nil && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrUnsupported) { // the last member stays
			return err
		}
	}
	return nil
}

// inherited are groups that an account is in because another group is: only Active Directory can be asked.
func (a accounts) inherited(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	const op = "reading nested groups"
	if !a.f.ad {
		return nil, nil
	}
	e, err := a.entry(ctx, op, account.Ref, "cn")
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	who := lib.EscapeFilter(e.DN)
	var out []dayone.Remain
	err = a.search(ctx, query{
		op: op, base: a.base, scope: lib.ScopeWholeSubtree, attrs: []string{a.f.guid, "cn", "sAMAccountName"},
		filter: "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=" + who + ")(!(member=" + who + ")))",
	}, func(g *lib.Entry) bool {
		out = append(out, dayone.Remain{Name: nameOf(g), Ref: a.client.ref(g), Note: "by being in another group", Act: "the group is taken out of it, or the person out of the group between"})
		return true
	})
	return out, err
}

// owned is what names an account as the one who answers for it.
func (a accounts) owned(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	const op = "reading what account owns"
	e, err := a.entry(ctx, op, account.Ref, "cn")
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	by := "owner"
	if a.f.ad {
		by = "managedBy"
	}
	var out []dayone.Remain
	err = a.search(ctx, query{
		op: op, base: a.base, scope: lib.ScopeWholeSubtree, attrs: []string{a.f.guid, "cn", "sAMAccountName"},
		filter: "(" + by + "=" + lib.EscapeFilter(e.DN) + ")",
	}, func(g *lib.Entry) bool {
		out = append(out, dayone.Remain{Name: nameOf(g), Ref: a.client.ref(g), Note: "they answer for it (" + by + ")", Act: "another owner is named there"})
		return true
	})
	return out, err
}
