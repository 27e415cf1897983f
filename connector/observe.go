package connector

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/dayone-hq/dayone"
)

// held reads every kind on an account; what was never asked for is worth knowing, so that nothing is given twice.
func (t *Target) held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	for _, kind := range sortedKinds(t.Kinds) {
		items, err := t.Kinds[kind].Held(ctx, account)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			it.Key.System, it.Key.Kind = t.System, kind
			out = append(out, it)
		}
	}
	return out, nil
}

func sortedKinds[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Observe reads one subject.
func (t *Target) Observe(ctx context.Context, s dayone.Subject) (Seen, error) {
	var seen Seen
	if t.Accounts != nil {
		account, err := t.lookFor(ctx, s)
		if err != nil {
			return Seen{}, err
		}
		if account != nil {
			seen.Items = append(seen.Items, *account)
			for _, kind := range sortedKinds(t.Kinds) {
				items, err := t.Kinds[kind].Held(ctx, account.Ref)
				if err != nil {
					if ctx.Err() != nil {
						return Seen{}, err
					}
					seen.Unread = append(seen.Unread, kind)
					continue
				}
				for _, it := range items {
					it.Key.System, it.Key.Kind = t.System, kind
					seen.Items = append(seen.Items, it)
				}
			}
		}
	}
	for _, kind := range sortedKinds(t.Things) {
		items, err := t.Things[kind].Of(ctx, s)
		if err != nil {
			if ctx.Err() != nil {
				return Seen{}, err
			}
			if !errors.Is(err, dayone.ErrUnsupported) {
				seen.Unread = append(seen.Unread, kind)
			}
			continue
		}
		for _, it := range items {
			it.Key.System, it.Key.Kind = t.System, kind
			seen.Items = append(seen.Items, it)
		}
	}
	return seen, nil
}

func (t *Target) lookFor(ctx context.Context, s dayone.Subject) (*dayone.Item, error) {
	if s.Ref != "" {
		it, err := t.Accounts.Get(ctx, s.Ref)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		return &it, err
	}
	for _, by := range t.Manifest.Account.Match {
		if s.Keys[by] == "" {
			continue
		}
		items, err := t.Accounts.Find(ctx, by, s.Keys[by])
		if errors.Is(err, dayone.ErrUnsupported) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range items {
			number := items[i].Attrs.Text("employee_number")
			if number == "" || s.Keys["employee_number"] == "" || number == s.Keys["employee_number"] {
				return &items[i], nil
			}
		}
	}
	return nil, nil
}

// List streams every account with what is on it.
func (t *Target) List(ctx context.Context) iter.Seq2[Seen, error] {
	return func(yield func(Seen, error) bool) {
		if t.Accounts == nil {
			return
		}
		for it, err := range t.Accounts.All(ctx) {
			if err != nil {
				yield(Seen{}, err)
				return
			}
			also, err := t.held(ctx, it.Ref)
			if err != nil {
				yield(Seen{}, err)
				return
			}
			if !yield(Seen{Items: append([]dayone.Item{it}, also...)}, nil) {
				return
			}
		}
	}
}

// Catalogue streams what every kind offers. Things may offer, too, if they can name what they give.
func (t *Target) Catalogue(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	type offering interface {
		Offers(ctx context.Context) iter.Seq2[dayone.Offer, error]
	}
	all := map[string]offering{}
	for kind, k := range t.Kinds {
		all[kind] = k
	}
	for kind, k := range t.Things {
		if o, ok := k.(offering); ok {
			all[kind] = o
		}
	}
	return func(yield func(dayone.Offer, error) bool) {
		for _, kind := range sortedKinds(all) {
			if !t.Manifest.Kinds[kind].Catalogue {
				continue
			}
			for o, err := range all[kind].Offers(ctx) {
				if err != nil {
					yield(dayone.Offer{}, err)
					return
				}
				o.Key.System, o.Key.Kind = t.System, kind
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}
