package scim

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Accounts are the users of a SCIM server as connector.Accounts. What a vendor adds goes into Extra and Finish; what it
// does otherwise is overridden by a type that embeds this one.
type Accounts struct {
	Client *Client
	Attrs  map[string]string // our name -> SCIM path
	// Extra is what a new user needs beside its attributes, such as an entitlement; nil: nothing.
	Extra func(a dayone.Act) (Resource, error)
	// Finish adds to an item what the attributes do not tell, such as that it is pending; nil: nothing.
	Finish func(ctx context.Context, r Resource, it *dayone.Item) error
}

var _ connector.Accounts = Accounts{}

// Values are attributes as SCIM values by path; empty texts are nil. Attributes that the server does not have are left out.
func (a Accounts) Values(as dayone.Attrs) map[string]any {
	out := map[string]any{}
	for name, v := range as {
		at, ok := a.Attrs[name]
		switch {
		case !ok:
		case v.Kind == dayone.BoolValue:
			out[at] = v.Bool()
		case v.Text == "":
			out[at] = nil
		default:
			out[at] = v.Text
		}
	}
	return out
}

// Item is a user as an item.
func (a Accounts) Item(ctx context.Context, r Resource) (dayone.Item, error) {
	it := dayone.Item{
		Key: dayone.Key{System: a.Client.System, Kind: dayone.AccountKindName}, Ref: r.ID(), State: dayone.Disabled, Attrs: dayone.Attrs{},
	}
	if r.Active() {
		it.State = dayone.Active
	}
	if !a.Client.Quirks.NoCreated {
		it.Created = r.Created()
	}
	for name, at := range a.Attrs {
		if b, ok := r.at(parse(at)).(bool); ok {
			it.Attrs[name] = dayone.Bool(b)
			continue
		}
		it.Attrs[name] = dayone.Text(r.Text(at))
	}
	if a.Finish != nil {
		if err := a.Finish(ctx, r, &it); err != nil {
			return dayone.Item{}, err
		}
	}
	return it, nil
}

func (a Accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	r, err := a.Client.Get(ctx, User, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.Item(ctx, r)
}

// Find does not search by what the server says it cannot filter.
func (a Accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	at, ok := a.Attrs[by]
	if !ok {
		return nil, dayone.ErrUnsupported
	}
	rs, err := a.Client.Find(ctx, User, at, value)
	if err != nil {
		var f *dayone.Fault
		if errors.As(err, &f) && f.Code == "invalidFilter" {
			return nil, dayone.ErrUnsupported
		}
		return nil, err
	}
	var out []dayone.Item
	for _, r := range rs {
		it, err := a.Item(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// Create makes a user that is active only if it is to be.
func (a Accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	r := Resource{}
	if a.Extra != nil {
		extra, err := a.Extra(act)
		if err != nil {
			return dayone.Result{}, err
		}
		maps.Copy(r, extra)
	}
	for at, v := range a.Values(act.Want.Attrs) {
		if v != nil {
			r.Set(at, v)
		}
	}
	r.Set("active", act.Want.State == dayone.Active || act.Want.State == "")
	made, err := a.Client.Create(ctx, User, r)
	if err != nil {
		return dayone.Result{}, err
	}
	it, err := a.Item(ctx, made)
	return dayone.Result{Now: &it}, err
}

func (a Accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	return a.Client.Update(ctx, User, ref, a.Values(changed))
}

func (a Accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to != dayone.Active && a.Client.Quirks.DeleteDisables {
		return a.Client.Delete(ctx, User, ref)
	}
	return a.Client.SetActive(ctx, ref, to == dayone.Active)
}

func (a Accounts) Delete(ctx context.Context, ref string) error {
	if a.Client.Quirks.DeleteDisables {
		return a.Client.Fault("deleting user", dayone.ErrUnsupported, "", "this server only disables; delete the account by hand, if it has to go")
	}
	return a.Client.Delete(ctx, User, ref)
}

func (a Accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		for r, err := range a.Client.List(ctx, User, "") {
			var it dayone.Item
			if err == nil {
				it, err = a.Item(ctx, r)
			}
			if !yield(it, err) || err != nil {
				return
			}
		}
	}
}

// Groups are the groups of a SCIM server as connector.Entitlements.
type Groups struct{ Client *Client }

var _ connector.Entitlements = Groups{}

func (g Groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	if g.Client.Quirks.HeldBy == ByUser {
		u, err := g.Client.Get(ctx, User, account)
		if err != nil {
			return nil, err
		}
		for _, e := range list(u.at(parse("groups"))) {
			out = append(out, dayone.Item{Key: dayone.Key{Name: text(e["display"])}, Ref: text(e["value"]), State: dayone.Active})
		}
		return out, nil
	}
	filter := ""
	if g.Client.Quirks.HeldBy == ByFilter {
		filter = "members.value eq " + quote(account)
	}
	for r, err := range g.Client.List(ctx, Group, filter) {
		if err != nil {
			return nil, err
		}
		unlisted := filter != "" && r.at(parse("members")) == nil // then the filter is believed
		if unlisted || slices.Contains(r.Values("members"), account) {
			out = append(out, dayone.Item{Key: dayone.Key{Name: r.Text("displayName")}, Ref: r.ID(), State: dayone.Active})
		}
	}
	return out, nil
}

func (g Groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		for r, err := range g.Client.List(ctx, Group, "") {
			if !yield(dayone.Offer{Key: dayone.Key{Name: r.Text("displayName")}, Ref: r.ID()}, err) || err != nil {
				return
			}
		}
	}
}

func (g Groups) Add(ctx context.Context, account string, want dayone.Item) error {
	return g.Client.AddMember(ctx, want.Ref, account)
}

func (g Groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	return g.Client.RemoveMember(ctx, is.Ref, account)
}
