// Package salesforce reaches a Salesforce org: users are made by SCIM, or by an identity provider for which it waits; all
// else goes by REST and SOQL.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm
package salesforce

import (
	"context"
	_ "embed"
	"errors"
	"iter"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Salesforce connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one org.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	all := accounts{c, cfg.Settings["profile"]}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			return c.users(ctx, "Username = 'dayone-check'", func(row) bool { return false })
		},
		Accounts: all,
		Left:     map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.KeptToken: all.tokens},
		Kinds: map[string]connector.Entitlements{
			"profile": profiles{c}, "queue": members{c, queues}, "permset": members{c, permsets},
		},
	}, nil
}

type accounts struct {
	*client
	profile string // with which users are made
}

// fields are our attributes as fields of User, and as SCIM writes them at birth.
var (
	fields = map[string]string{
		"login": "Username", "email": "Email", "first_name": "FirstName", "last_name": "LastName", "title": "Title", "department": "Department",
		"employee_number": "EmployeeNumber", "federation_id": "FederationIdentifier",
	}
	paths = map[string]string{
		"login": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName", "title": "title",
		"department": scim.Enterprise + ":department", "employee_number": scim.Enterprise + ":employeeNumber", "federation_id": "externalId",
	}
)

func (a accounts) item(u row) dayone.Item {
	it := dayone.Item{Key: dayone.Key{System: a.rest.System, Kind: dayone.AccountKindName}, Ref: u.text("Id"), State: dayone.Disabled, Attrs: dayone.Attrs{}, Created: u.created()}
	if u["IsActive"] == true {
		it.State = dayone.Active
	}
	for ours, theirs := range fields {
		it.Attrs[ours] = dayone.Text(u.text(theirs))
	}
	return it
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	items, err := a.where(ctx, "Id", ref)
	if err == nil && len(items) == 0 {
		err = a.rest.Fault("reading user", dayone.ErrNotFound, "", "there is no user "+ref)
	}
	if err != nil {
		return dayone.Item{}, err
	}
	return items[0], nil
}

func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	field, ok := fields[by]
	if !ok {
		return nil, dayone.ErrUnsupported
	}
	return a.where(ctx, field, value)
}

func (a accounts) where(ctx context.Context, field, value string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := a.users(ctx, field+" = "+quote(value), func(u row) bool {
		out = append(out, a.item(u))
		return true
	})
	return out, err
}

// Create makes a user by SCIM, which fills in alias, time zone and the like from the org's defaults.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	id := ""
	if err := a.list(ctx, profileSource, "Name = "+quote(a.profile), func(found, _ string) bool {
		id = found
		return false
	}); err != nil {
		return dayone.Result{}, err
	}
	if id == "" {
		return dayone.Result{}, a.rest.Fault("creating user", dayone.ErrInvalid, "", "there is no profile "+a.profile+"; correct the setting profile")
	}
	by := scim.Accounts{Client: a.scim, Attrs: paths, Extra: func(dayone.Act) (scim.Resource, error) {
		return scim.Resource{"entitlements": []any{map[string]any{"value": id}}}, nil
	}}
	r, err := by.Create(ctx, act)
	return r, a.explained(err)
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	set := map[string]any{}
	for ours, v := range changed {
		field, ok := fields[ours]
		switch {
		case !ok:
		case v.Text == "":
			set[field] = nil
		default:
			set[field] = v.Text
		}
	}
	return a.update(ctx, "User", ref, set)
}

// Switch freezes a user who cannot be deactivated, since the door has to be shut now, and leaves the rest to a human.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to == dayone.Active {
		if err := a.update(ctx, "User", ref, map[string]any{"IsActive": true}); err != nil {
			return err
		}
		return a.freeze(ctx, ref, false)
	}
	err := a.update(ctx, "User", ref, map[string]any{"IsActive": false})
	if !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	if err := a.freeze(ctx, ref, true); err != nil {
		return err
	}
	var f *dayone.Fault
	errors.As(err, &f)
	return &dayone.Fault{
		System: f.System, Op: "deactivating user", Err: dayone.ErrUnsupported, Code: f.Code, Detail: "sign-in is frozen, but the user cannot be deactivated: " + f.Detail,
		Next: "put somebody else where the user is named, then deactivate it in Setup",
	}
}

// Delete cannot be had.
func (a accounts) Delete(context.Context, string) error {
	return a.rest.Fault("deleting user", dayone.ErrUnsupported, "", "Salesforce never deletes a user; disable the account")
}

// All leaves out the users that are no people's: of communities, automation and Chatter.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		stopped := false
		err := a.users(ctx, "UserType = 'Standard'", func(u row) bool {
			stopped = !yield(a.item(u), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

// profiles are a slot: a user has one, and never none.
type profiles struct{ *client }

func (p profiles) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := p.users(ctx, "Id = "+quote(account), func(u row) bool {
		out = append(out, dayone.Item{Key: dayone.Key{Name: u.of("Profile").text("Name")}, Ref: u.text("ProfileId"), State: dayone.Active})
		return true
	})
	return out, err
}

func (p profiles) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped, told := false, false
		err := p.seats(ctx, func(o dayone.Offer) bool {
			told = true
			stopped = !yield(o, nil)
			return !stopped
		})
		if errors.Is(err, dayone.ErrInvalid) && !told { // who may not see licences is not shown their fields
			p.offers(ctx, profileSource)(yield)
			return
		}
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (p profiles) Add(ctx context.Context, account string, want dayone.Item) error {
	return p.update(ctx, "User", account, map[string]any{"ProfileId": want.Ref})
}

func (p profiles) Remove(_ context.Context, _ string, is dayone.Item) error {
	return p.rest.Fault("removing profile", dayone.ErrUnsupported, "", "a user always has a profile; give another one instead of "+is.Key.Name)
}

// members are kinds whose grants are rows of their own: in a queue, with a permission set.
type members struct {
	*client
	of link
}

func (m members) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := m.links(ctx, m.of, account, func(_, to, name string) bool {
		out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: to, State: dayone.Active})
		return true
	})
	return out, err
}

func (m members) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return m.offers(ctx, m.of.source)
}

func (m members) Add(ctx context.Context, account string, want dayone.Item) error {
	return m.link(ctx, m.of, account, want.Ref)
}

// Remove deletes the row that is the grant.
func (m members) Remove(ctx context.Context, account string, is dayone.Item) error {
	grant := ""
	if err := m.links(ctx, m.of, account, func(id, to, _ string) bool {
		if to == is.Ref {
			grant = id
		}
		return grant == ""
	}); err != nil {
		return err
	}
	if grant == "" {
		return m.rest.Fault("removing", dayone.ErrNotFound, "", "it is gone already")
	}
	return m.remove(ctx, m.of.rows, grant)
}

func (c *client) offers(ctx context.Context, s source) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := c.list(ctx, s, "", func(id, name string) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: id}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}
