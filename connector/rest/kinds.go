package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/defined"
)

// things are one kind of what hangs on accounts.
type things struct {
	people
	name string
	kind *kind
}

var _ connector.Entitlements = things{}

func (t things) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		if t.kind.List == nil {
			return
		}
		for v, err := range t.list(ctx, "listing "+t.name, t.kind.List, nil, pointer(t.kind.ID)) {
			var o dayone.Offer
			if err == nil {
				o, err = t.offer(v)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

func (t things) offer(v any) (dayone.Offer, error) {
	id, _ := pointer(t.kind.ID).text(v)
	name, _ := pointer(t.kind.Name).text(v)
	if id == "" || name == "" {
		return dayone.Offer{}, t.Fault("listing "+t.name, dayone.ErrUnavailable, "", fmt.Sprintf("an entry has no id at %q or no name at %q; are they right in the definition?", t.kind.ID, t.kind.Name))
	}
	return dayone.Offer{Key: dayone.Key{Name: name}, Ref: id, Roles: t.kind.Roles}, nil
}

func (t things) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	h := t.kind.Held
	if h.Account != nil {
		return t.membersOf(ctx, account)
	}
	id := *cmp.Or(h.ID, new(pointer(t.kind.ID)))
	var list []any
	if h.In != nil {
		raw, err := t.raw(ctx, account)
		if err != nil {
			return nil, err
		}
		if list, err = t.items("reading "+t.name, &call{Items: h.In}, raw); err != nil {
			return nil, err
		}
	} else {
		for v, err := range t.list(ctx, "reading "+t.name, &h.call, values{"account": dayone.Text(account)}, id) {
			if errors.Is(err, dayone.ErrNotFound) {
				if _, gone := t.raw(ctx, account); gone != nil {
					return nil, gone
				}
				err = t.wrongPath(err)
			}
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
	}
	var out []dayone.Item
	for _, v := range list {
		it, err := t.one(v, id, *cmp.Or(h.Name, new(pointer(t.kind.Name))))
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, t.nameThem(ctx, out)
}

// one is an entry of what an account holds.
func (t things) one(v any, id, name pointer) (dayone.Item, error) {
	it := dayone.Item{State: dayone.Active}
	it.Ref, _ = id.text(v)
	if it.Ref == "" {
		return it, t.Fault("reading "+t.name, dayone.ErrUnavailable, "", fmt.Sprintf("an entry has no id at %q; is it right in the definition?", id))
	}
	if name != "" {
		it.Key.Name, _ = name.text(v)
	}
	if t.kind.Role != "" {
		it.Role, _ = pointer(t.kind.Role).text(v)
	}
	return it, nil
}

// nameThem gives names from the list to those that show only an id.
func (t things) nameThem(ctx context.Context, items []dayone.Item) error {
	if !slices.ContainsFunc(items, func(it dayone.Item) bool { return it.Key.Name == "" }) {
		return nil
	}
	names := map[string]string{}
	for o, err := range t.Offers(ctx) {
		if err != nil {
			return err
		}
		names[o.Ref] = o.Key.Name
	}
	for i := range items {
		if it := &items[i]; it.Key.Name == "" {
			it.Key.Name = cmp.Or(names[it.Ref], it.Ref)
		}
	}
	return nil
}

// membersOf asks each of them who has it.
func (t things) membersOf(ctx context.Context, account string) ([]dayone.Item, error) {
	if _, err := t.raw(ctx, account); err != nil { // whose account is gone has nothing, and that is "not found"
		return nil, err
	}
	var out []dayone.Item
	for o, err := range t.Offers(ctx) {
		if err != nil {
			return nil, err
		}
		h := t.kind.Held
		for v, err := range t.list(ctx, "reading who has "+t.name, &h.call, values{"id": dayone.Text(o.Ref)}, *h.Account) {
			if err != nil {
				return nil, t.wrongPath(err)
			}
			if has, _ := h.Account.text(v); has != account {
				continue
			}
			it := dayone.Item{Key: dayone.Key{Name: o.Key.Name}, Ref: o.Ref, State: dayone.Active}
			if t.kind.Role != "" {
				it.Role, _ = pointer(t.kind.Role).text(v)
			}
			out = append(out, it)
		}
	}
	return out, nil
}

// wrongPath keeps a "not found" of something that is there from passing for an account that is gone.
func (t things) wrongPath(err error) error {
	if !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	return t.Fault("reading who has "+t.name, dayone.ErrUnavailable, "", "the application does not find here what it shows elsewhere; is the path of held right in the definition?")
}

func (t things) values(account string, it dayone.Item) values {
	v := values{"account": dayone.Text(account), "id": dayone.Text(cmp.Or(it.Ref, it.Key.Name)), "name": dayone.Text(it.Key.Name)}
	if it.Role != "" {
		v["role"] = dayone.Text(it.Role)
	}
	return v
}

// Add gives it. One that is there gets another role: by the call for that, by a PUT, which sets it, or it is taken and given
// anew.
func (t things) Add(ctx context.Context, account string, want dayone.Item) error {
	cs := t.kind.Add
	sets := !slices.ContainsFunc(cs, func(c *call) bool { return c.Method != http.MethodPut })
	if len(t.kind.Roles) > 0 && (len(t.kind.Change) > 0 || !sets) {
		held, err := t.Held(ctx, account)
		if err != nil {
			return err
		}
		has := slices.ContainsFunc(held, func(it dayone.Item) bool { return it.Ref == want.Ref || it.Key.Name == want.Key.Name })
		switch {
		case has && len(t.kind.Change) > 0:
			cs = t.kind.Change
		case has && !sets && len(t.kind.Remove) > 0:
			cs = append(append(calls{}, t.kind.Remove...), cs...)
		}
	}
	if len(cs) == 0 {
		return t.human("add", account, want)
	}
	return t.each(ctx, "adding "+t.name, cs, t.values(account, want))
}

func (t things) Remove(ctx context.Context, account string, is dayone.Item) error {
	if len(t.kind.Remove) == 0 {
		return t.human("remove", account, is)
	}
	return t.each(ctx, "removing "+t.name, t.kind.Remove, t.values(account, is))
}

func (t things) human(action, account string, it dayone.Item) error {
	what := t.name + " " + cmp.Or(it.Key.Name, it.Ref)
	if it.Role != "" {
		what += " as " + it.Role
	}
	return defined.ByHand(t.System, t.man, t.man.Kinds[t.name].Manual, action, what+" of the account "+account)
}
