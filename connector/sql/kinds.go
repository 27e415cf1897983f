package sql

import (
	"cmp"
	"context"
	"iter"

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
		all, err := t.columns(ctx, "listing "+t.name, t.kind.List, nil, 0, t.kind.ID, t.kind.Name)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, r := range all {
			ref, _ := r.column(t.kind.ID)
			name, _ := r.column(t.kind.Name)
			if ref == "" || name == "" {
				yield(dayone.Offer{}, t.refuse("listing "+t.name, dayone.ErrInvalid, "a row has no id or no name"))
				return
			}
			if !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: ref, Roles: t.kind.Roles}, nil) {
				return
			}
		}
	}
}

func (t things) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	all, err := t.columns(ctx, "reading "+t.name, t.kind.Held, values{"account": dayone.Text(account)}, 0, t.kind.ID, t.kind.Name, t.kind.Role)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, r := range all {
		it := dayone.Item{State: dayone.Active}
		it.Ref, _ = r.column(t.kind.ID)
		it.Key.Name, _ = r.column(t.kind.Name)
		if it.Ref == "" {
			return nil, t.refuse("reading "+t.name, dayone.ErrInvalid, "a row has no id in the column "+t.kind.ID)
		}
		if t.kind.Role != "" {
			it.Role, _ = r.column(t.kind.Role)
		}
		out = append(out, it)
	}
	return out, nil
}

func (t things) values(account string, it dayone.Item) values {
	v := values{"account": dayone.Text(account), "id": dayone.Text(cmp.Or(it.Ref, it.Key.Name)), "name": dayone.Text(it.Key.Name)}
	if it.Role != "" {
		v["role"] = dayone.Text(it.Role)
	}
	return v
}

// Add gives it. One that is there gets another role: by the statement for that, else it is taken and given anew, at once.
func (t things) Add(ctx context.Context, account string, want dayone.Item) error {
	ss, has := t.kind.Add, false
	if len(t.kind.Roles) > 0 {
		held, err := t.Held(ctx, account)
		if err != nil {
			return err
		}
		for _, it := range held {
			has = has || it.Ref == want.Ref || it.Key.Name == want.Key.Name
		}
	}
	switch {
	case has && len(t.kind.Change) > 0:
		ss = t.kind.Change
	case has && len(t.kind.Remove) > 0 && len(ss) > 0:
		ss = append(append(statements{}, t.kind.Remove...), ss...)
	}
	if len(ss) == 0 {
		return t.human("add", account, want)
	}
	_, err := t.change(ctx, "adding "+t.name, ss, t.values(account, want), "", false)
	return plainly(err)
}

func (t things) Remove(ctx context.Context, account string, is dayone.Item) error {
	if len(t.kind.Remove) == 0 {
		return t.human("remove", account, is)
	}
	_, err := t.change(ctx, "removing "+t.name, t.kind.Remove, t.values(account, is), "", false)
	return err
}

func (t things) human(action, account string, it dayone.Item) error {
	what := t.name + " " + cmp.Or(it.Key.Name, it.Ref)
	if it.Role != "" {
		what += " as " + it.Role
	}
	return defined.ByHand(t.system, t.man, t.man.Kinds[t.name].Manual, action, what+" of the account "+account)
}
