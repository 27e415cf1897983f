// Package gitlab reaches a top-level group of gitlab.com: accounts by its SCIM door, memberships of subgroups by REST. An
// account belongs to gitlab.com; what we make and close is its tie to the group, which nobody can use before the first
// SAML sign-in.
// https://docs.gitlab.com/development/internal_api/#group-scim-api
package gitlab

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes GitLab connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one group.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	only := strings.FieldsFunc(cfg.Settings["groups"], func(r rune) bool { return r == ',' || r == ' ' })
	all := accounts{Accounts: scim.Accounts{Client: c.scim, Attrs: paths, Finish: c.finish}, client: c}
	left := map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.NestedGroup: groups{c, only}.inherited}
	if all.credentials = cfg.Settings["credentials"] == "true"; all.credentials {
		left[dayone.KeptToken] = all.tokens
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			if err := c.scim.Ping(ctx); err != nil {
				return err
			}
			_, err := c.samlUsers(ctx, url.Values{"username": {"dayone-check"}}) // needs the role Owner
			return err
		},
		Accounts: all,
		Kinds:    map[string]connector.Entitlements{"group": groups{c, only}},
		HandOver: owned{groups{c, only}, all}.handOver,
		Left:     left,
	}, nil
}

// paths of what a SCIM user shows; its id is the external id that we gave it.
var paths = map[string]string{"employee_number": "id", "login": "userName", "email": "emails", "display_name": "name.formatted"}

// finish makes an open account pending until its owner has signed in by SAML.
func (c *client) finish(ctx context.Context, r scim.Resource, it *dayone.Item) error {
	if it.State != dayone.Active {
		return nil
	}
	users, err := c.samlUsers(ctx, url.Values{"username": {r.Text("userName")}})
	it.State = state(users, it.Ref)
	return err
}

// state of an open account, seen from those whom SAML knows.
func state(users []samlUser, uid string) dayone.State {
	if slices.ContainsFunc(users, func(u samlUser) bool { return u.linked(uid) && u.LastSignIn != nil }) {
		return dayone.Active
	}
	return dayone.Pending
}

type accounts struct {
	scim.Accounts
	*client
	credentials bool // the group's inventory of them may be used
}

// Find looks for the name that GitLab makes of a login: what stands before the @.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by == "login" {
		value, _, _ = strings.Cut(value, "@")
	}
	return a.Accounts.Find(ctx, by, value)
}

// Create makes the account, or ties one that SAML has linked by the same external id. GitLab would also tie one that only
// has the same mail address: that is somebody's decision.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	as := act.Want.Attrs
	number, mail := as.Text("employee_number"), as.Text("email")
	if number == "" {
		return dayone.Result{}, a.scim.Fault("creating user", dayone.ErrInvalid, "", "GitLab needs an external id, and there is no employee number")
	}
	users, err := a.samlUsers(ctx, url.Values{"search": {mail}})
	if err != nil {
		return dayone.Result{}, err
	}
	for _, u := range users {
		if strings.EqualFold(u.Email, mail) && !u.linked(number) {
			return dayone.Result{}, a.taken(mail, "SAML knows the GitLab account "+u.Username+" with this mail address by another external id",
				"make the SAML NameID the employee number, or free the mail address, then retry")
		}
	}
	name := map[string]any{"givenName": as.Text("first_name"), "familyName": as.Text("last_name")}
	name["formatted"] = strings.TrimSpace(as.Text("first_name") + " " + as.Text("last_name"))
	r := scim.Resource{"externalId": number, "userName": cmp.Or(as.Text("login"), mail), "name": name}
	r.Set("emails", mail)
	made, err := a.scim.Create(ctx, scim.User, r)
	if errors.Is(err, dayone.ErrConflict) {
		var f *dayone.Fault
		errors.As(err, &f)
		return dayone.Result{}, a.taken(mail, f.Detail, "the owner of that GitLab account links it by SAML, then this is retried")
	}
	if err != nil {
		return dayone.Result{}, err
	}
	it, err := a.Item(ctx, made)
	return dayone.Result{Now: &it}, err
}

// taken is a conflict with an account of gitlab.com that the group does not manage; all we may know of it is its mail.
func (a accounts) taken(mail, detail, next string) error {
	return &dayone.Fault{System: a.scim.System, Op: "creating user", Err: dayone.ErrConflict, Detail: detail, Next: next, Found: &dayone.Item{
		Key: dayone.Key{System: a.scim.System, Kind: dayone.AccountKindName}, Ref: mail, Attrs: dayone.Attrs{"email": dayone.Text(mail)},
	}}
}

// Update is never asked for what is set once, and all is.
func (a accounts) Update(context.Context, string, dayone.Attrs) error {
	return a.scim.Fault("updating user", dayone.ErrUnsupported, "", "GitLab ignores changes of a user; they are made in the user's own profile")
}

// All reads those whom SAML knows once, not once for each.
func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		known, err := a.samlUsers(ctx, nil)
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		plain := a.Accounts
		plain.Finish = func(_ context.Context, _ scim.Resource, it *dayone.Item) error {
			if it.State == dayone.Active {
				it.State = state(known, it.Ref)
			}
			return nil
		}
		plain.All(ctx)(yield)
	}
}

type groups struct {
	*client
	only []string // paths below the top-level group; none: all
}

// below are the groups that are managed, by name: their path below the top-level group.
func (g groups) below(ctx context.Context) ([]group, error) {
	all, err := g.subgroups(ctx)
	if err != nil {
		return nil, err
	}
	var out []group
	for _, x := range all {
		x.FullPath = strings.TrimPrefix(x.FullPath, g.top+"/")
		if len(g.only) == 0 || slices.Contains(g.only, x.FullPath) {
			out = append(out, x)
		}
	}
	return out, nil
}

// Held asks every group, since GitLab tells no group owner what one user is member of.
func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	u, err := g.scim.Get(ctx, scim.User, account)
	if err != nil {
		return nil, err
	}
	id, err := g.userID(ctx, account)
	if err != nil {
		return nil, err
	}
	owner := dayone.Item{Ref: account, State: dayone.Active}
	if err := g.finish(ctx, u, &owner); err != nil {
		return nil, err
	}
	all, err := g.below(ctx)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, x := range all {
		ref := strconv.Itoa(x.ID)
		level, err := g.member(ctx, ref, id)
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, dayone.Item{Key: dayone.Key{Name: x.FullPath}, Ref: ref, Role: role(level), State: owner.State})
	}
	return out, nil
}

func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		all, err := g.below(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, x := range all {
			if !yield(dayone.Offer{Key: dayone.Key{Name: x.FullPath}, Ref: strconv.Itoa(x.ID), Title: x.FullName}, nil) {
				return
			}
		}
	}
}

// Add gives a membership; one that is there gets the role.
func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	level, ok := levels[want.Role]
	if !ok {
		return g.rest.Fault("adding member", dayone.ErrInvalid, "", "a membership needs a role, and there is none called \""+want.Role+"\"")
	}
	id, err := g.userID(ctx, account)
	if err != nil {
		return err
	}
	err = g.addMember(ctx, want.Ref, id, level)
	if errors.Is(err, dayone.ErrConflict) {
		return g.editMember(ctx, want.Ref, id, level)
	}
	return err
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	id, err := g.userID(ctx, account)
	if err != nil {
		return err
	}
	return g.removeMember(ctx, is.Ref, id)
}
