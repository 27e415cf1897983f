// Package ise reaches Cisco Identity Services Engine by its ERS API: network access users that ISE itself keeps, and their
// identity groups.
// https://developer.cisco.com/docs/identity-services-engine/latest/
package ise

import (
	"context"
	_ "embed"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes ISE connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one deployment.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	as := &accounts{client: c, number: cfg.Settings["employee_number"] != "none", change: cfg.Settings["change_password"] == "true"}
	return &target{as, &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			none := func(resource) error { return nil }
			if err := c.search(ctx, "listing users", users, "name.EQ.dayone-check", none); err != nil {
				return err
			}
			return c.search(ctx, "listing identity groups", "/identitygroup", "name.EQ.dayone-check", none)
		},
		Accounts: as,
		Kinds:    map[string]connector.Entitlements{"group": groups{as}},
	}}, nil
}

// target does not ask for an employee number that has no place at ISE, else every look would find it missing.
type target struct {
	accounts *accounts
	*connector.Target
}

func (t *target) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if !t.accounts.number && a.Key.IsAccount() && a.Want != nil {
		want := *a.Want
		want.Attrs = want.Attrs.Clone()
		delete(want.Attrs, "employee_number")
		a.Want = &want
	}
	return t.Target.Apply(ctx, a)
}

type accounts struct {
	*client
	number bool // the description is the employee number
	change bool // the password is changed at the first sign-in

	writing sync.Mutex // a user is written whole: two of our own writes never meet
}

// fields are our attributes as ISE calls them.
var fields = map[string]string{"login": "name", "email": "email", "first_name": "firstName", "last_name": "lastName", "employee_number": "description"}

func (a *accounts) item(u user) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.text("id"), State: dayone.Disabled, Attrs: dayone.Attrs{},
	}
	if u.enabled() {
		it.State = dayone.Active
	}
	for ours, theirs := range fields {
		if ours != "employee_number" || a.number {
			it.Attrs[ours] = dayone.Text(u.text(theirs))
		}
	}
	return it
}

// set writes what is wanted into a user.
func (a *accounts) set(u user, as dayone.Attrs) {
	for ours, theirs := range fields {
		if v, ok := as[ours]; ok && (ours != "employee_number" || a.number) {
			u[theirs] = v.Text
		}
	}
}

func (a *accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(u), nil
}

// Find compares again what a filter gives: ISE's are not strict about case, and a comma or a dot in a value may mean
// something to it.
func (a *accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	field, ok := fields[by]
	if !ok || by == "employee_number" && !a.number {
		return nil, dayone.ErrUnsupported
	}
	var out []dayone.Item
	err := a.search(ctx, "finding user", users, field+".EQ."+value, func(r resource) error {
		it, err := a.Get(ctx, r.ID)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil // it went while we looked
		}
		if err == nil && strings.EqualFold(it.Attrs.Text(by), value) {
			out = append(out, it)
		}
		return err
	})
	return out, err
}

// Create makes the user in the state that it is to have. The answer is no more than an address.
func (a *accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	u := user{"enabled": act.Want.State == dayone.Active, "password": act.Secrets["password"].Reveal(), "changePassword": a.change, "passwordIDStore": "Internal Users"}
	a.set(u, act.Want.Attrs)
	id, err := a.createUser(ctx, u)
	if err != nil {
		return dayone.Result{}, err
	}
	return dayone.Result{Now: &dayone.Item{Key: act.Key, Ref: id}}, nil
}

// rewrite reads a user, changes it, and writes the whole of it.
func (a *accounts) rewrite(ctx context.Context, ref string, change func(user) error) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	u, err := a.getUser(ctx, ref)
	if err != nil {
		return err
	}
	if err := change(u); err != nil {
		return err
	}
	return a.updateUser(ctx, u)
}

func (a *accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	return a.rewrite(ctx, ref, func(u user) error { a.set(u, changed); return nil })
}

func (a *accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	return a.rewrite(ctx, ref, func(u user) error { u["enabled"] = to == dayone.Active; return nil })
}

func (a *accounts) Delete(ctx context.Context, ref string) error { return a.deleteUser(ctx, ref) }

func (a *accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		enough := false
		err := a.search(ctx, "listing users", users, "", func(r resource) error {
			if enough {
				return nil
			}
			it, err := a.Get(ctx, r.ID)
			if errors.Is(err, dayone.ErrNotFound) {
				return nil
			}
			if err == nil {
				enough = !yield(it, nil)
			}
			return err
		})
		if err != nil && !enough {
			yield(dayone.Item{}, err)
		}
	}
}

// groups are identity groups. They are a field of the user.
type groups struct{ accounts *accounts }

func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	u, err := g.accounts.getUser(ctx, account)
	if err != nil {
		return nil, err
	}
	ids := u.groups()
	if len(ids) == 0 {
		return nil, nil
	}
	names := map[string]string{}
	if err := g.each(ctx, func(r resource) { names[r.ID] = r.Name }); err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, id := range ids {
		name, ok := names[id]
		if !ok {
			name = id // deleted meanwhile: it is shown as what it is
		}
		out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: id, State: dayone.Active})
	}
	return out, nil
}

func (g groups) each(ctx context.Context, visit func(resource)) error {
	return g.accounts.search(ctx, "listing identity groups", "/identitygroup", "", func(r resource) error { visit(r); return nil })
}

func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		var all []resource
		if err := g.each(ctx, func(r resource) { all = append(all, r) }); err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, r := range all {
			if !yield(dayone.Offer{Key: dayone.Key{Name: r.Name}, Ref: r.ID}, nil) {
				return
			}
		}
	}
}

var errSo = errors.New("it is so already")

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	return g.put(ctx, account, want.Ref, func(ids []string) []string { return append(ids, want.Ref) }, false)
}

// Remove takes it, and leaves what else is there.
func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	return g.put(ctx, account, is.Ref, func(ids []string) []string {
		return slices.DeleteFunc(ids, func(id string) bool { return id == is.Ref })
	}, true)
}

// put writes the list, unless it is already as it should be.
func (g groups) put(ctx context.Context, account, id string, change func([]string) []string, has bool) error {
	err := g.accounts.rewrite(ctx, account, func(u user) error {
		ids := u.groups()
		if slices.Contains(ids, id) != has {
			return errSo
		}
		u["identityGroups"] = strings.Join(change(ids), ",")
		return nil
	})
	if !errors.Is(err, errSo) {
		return err
	}
	if has {
		return g.accounts.Fault("removing from group", dayone.ErrNotFound, "", "they are not in it")
	}
	return g.accounts.Fault("adding to group", dayone.ErrConflict, "", "they are in it already")
}
