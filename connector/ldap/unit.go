package ldap

import (
	"context"
	"errors"
	"strings"

	lib "github.com/go-ldap/ldap/v3"

	"github.com/dayone-hq/dayone"
)

// A server says of what may not be read that it is not there. A unit of the tree whose rights were changed, or which was lost,
// would so make leavers of everybody in it. Therefore it is remembered where each account was seen, and who is not found is
// believed to be gone only if the unit can still be read, or a gravestone says so. A restart forgets that: who was not seen since
// is believed to be gone, which the manifest says.

// saw remembers in which unit an account stands.
func (c *client) saw(e *lib.Entry) {
	ref, unit := c.ref(e), parent(e.DN)
	if ref == "" || same(unit, c.base) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.where == nil {
		c.where, c.seen = map[string]string{}, map[string]string{}
	}
	if kept, ok := c.seen[unit]; ok {
		unit = kept // one text for all who stand there
	} else {
		c.seen[unit] = unit
	}
	c.where[ref] = unit
}

// forget is for whom we took away ourselves.
func (c *client) forget(ref string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.where, ref)
}

// gone says whether somebody who is not found may be believed to be gone: nil, or why nobody can tell.
func (c *client) gone(ctx context.Context, op, ref string) error {
	c.mu.Lock()
	unit, known := c.where[ref]
	c.mu.Unlock()
	if !known {
		return nil
	}
	if ok, err := c.readable(ctx, op, unit); err != nil || ok {
		return err
	}
	if ok, err := c.buried(ctx, op, ref); err != nil || ok {
		return err
	}
	return c.hidden(op, unit)
}

// held is gone for somebody who is known by an employee number.
func (c *client) held(ctx context.Context, op, subject string) error {
	ref, known := c.numbers.Load(subject)
	if !known {
		return nil
	}
	return c.gone(ctx, op, ref.(string))
}

func (c *client) hidden(op, unit string) error {
	f := c.refuse(op, dayone.ErrForbidden, "it is not found, and "+unit+", where it was, is not shown either, or shows nothing")
	f.Next = "let the account of bind_dn read " + unit + "; if that was really removed or emptied, let it read Deleted Objects, or restart Dayone, which forgets where people were"
	return f
}

// missing looks, at the end of a list, after those whom it did not show: their units have to be readable.
func (c *client) missing(ctx context.Context, op string, shown map[string]bool) error {
	lost := map[string][]string{}
	c.mu.Lock()
	for ref, unit := range c.where {
		if !shown[ref] {
			lost[unit] = append(lost[unit], ref)
		}
	}
	c.mu.Unlock()
	for unit, refs := range lost {
		ok, err := c.readable(ctx, op, unit)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			if !ok {
				if buried, err := c.buried(ctx, op, ref); err != nil {
					return err
				} else if !buried {
					return c.hidden(op, unit)
				}
			}
			c.forget(ref)
		}
	}
	return nil
}

// readable says whether a unit shows itself, and something in it. OpenLDAP says if there is nothing to show.
func (c *client) readable(ctx context.Context, op, unit string) (bool, error) {
	shows, empty := false, false
	attrs := []string{"objectClass"}
	if !c.f.ad {
		attrs = append(attrs, "hasSubordinates")
	}
	err := c.search(ctx, query{op: op, base: unit, scope: lib.ScopeBaseObject, filter: "(objectClass=*)", attrs: attrs}, func(e *lib.Entry) bool {
		shows = e.GetAttributeValue("objectClass") != ""
		empty = strings.EqualFold(e.GetAttributeValue("hasSubordinates"), "FALSE")
		return false
	})
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	if err != nil || !shows || empty {
		return shows && empty, err
	}
	something := false
	err = c.search(ctx, query{op: op, base: unit, scope: lib.ScopeSingleLevel, filter: "(objectClass=*)", attrs: []string{"1.1"}, limit: 1}, func(*lib.Entry) bool {
		something = true
		return false
	})
	return something, err
}

// buried says whether Active Directory keeps a gravestone of an account: it was deleted. Who may not see gravestones sees none.
func (c *client) buried(ctx context.Context, op, ref string) (bool, error) {
	if !c.f.ad {
		return false, nil
	}
	found := false
	err := c.do(ctx, op, func(conn *lib.Conn) error {
		root, err := rootOf(conn)
		if err != nil {
			return err
		}
		r, err := conn.Search(lib.NewSearchRequest(root.GetAttributeValue("defaultNamingContext"), lib.ScopeWholeSubtree, lib.NeverDerefAliases, 0, 0, false,
			"(&(isDeleted=TRUE)"+c.f.byID(ref)+")", []string{"1.1"}, []lib.Control{lib.NewControlMicrosoftShowDeleted()}))
		if err != nil {
			return err
		}
		found = len(r.Entries) > 0
		return nil
	})
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrForbidden) {
		err = nil
	}
	return found, err
}
