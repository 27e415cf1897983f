// Package okta reaches an Okta organisation: users, groups and application assignments.
// https://developer.okta.com/docs/api/
package okta

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Okta connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one organisation.
func New(cfg connector.Config) (connector.Connector, error) {
	c := &client{httpc.Client{
		System: cfg.System, Base: strings.TrimSuffix(cfg.Settings["url"], "/"), HTTP: cfg.HTTP, Now: cfg.Now,
		Auth: httpc.Bearer("SSWS", cfg.Secrets["token"]), Classify: classify,
	}}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			return c.listUsers(ctx, `profile.login eq "dayone-check"`, func(user) bool { return false })
		},
		Accounts: accounts{c},
		Kinds:    map[string]connector.Entitlements{"group": groups{c}, "app": apps{c}},
		Left: map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){
			dayone.KeptToken: accounts{c}.tokens,
		},
	}, nil
}

type accounts struct{ *client }

// fields maps our attribute names to Okta's profile.
var fields = map[string]string{
	"login": "login", "email": "email", "first_name": "firstName", "last_name": "lastName", "title": "title", "department": "department",
	"manager": "manager", "employee_number": "employeeNumber", "personal_email": "secondEmail",
}

func toProfile(as dayone.Attrs) profile {
	p := profile{}
	for ours, theirs := range fields {
		if v, ok := as[ours]; ok {
			p[theirs] = v.Text
		}
	}
	return p
}

// states: STAGED -> PROVISIONED or ACTIVE -> SUSPENDED; DEPROVISIONED has lost its applications.
func state(status string) dayone.State {
	switch status {
	case "STAGED":
		return dayone.Staged
	case "SUSPENDED", "DEPROVISIONED":
		return dayone.Disabled
	default: // ACTIVE, PROVISIONED, RECOVERY, PASSWORD_EXPIRED, LOCKED_OUT: the account is open
		return dayone.Active
	}
}

func item(u user) dayone.Item {
	it := dayone.Item{Key: dayone.Key{Kind: dayone.AccountKindName}, Ref: u.ID, State: state(u.Status), Attrs: dayone.Attrs{}, Created: u.Created.UTC()}
	for ours, theirs := range fields {
		s, _ := u.Profile[theirs].(string)
		it.Attrs[ours] = dayone.Text(s)
	}
	if len(u.LastLogin) > 0 {
		at := ""
		if json.Unmarshal(u.LastLogin, &at) == nil {
			it.Attrs["last_login"] = dayone.Text(at)
		}
	}
	return it
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := a.getUser(ctx, ref)
	return a.own(item(u)), err
}

func (a accounts) own(it dayone.Item) dayone.Item {
	it.Key.System = a.System
	return it
}

// Find reads a login directly, since search lags behind; the employee number has no other way.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by == "login" {
		u, err := a.getUser(ctx, value)
		switch {
		case err == nil && strings.EqualFold(u.Profile["login"].(string), value):
			return []dayone.Item{a.own(item(u))}, nil
		case err != nil && !errors.Is(err, dayone.ErrNotFound):
			return nil, err
		}
		return nil, nil
	}
	field, ok := fields[by]
	if !ok {
		return nil, dayone.ErrUnsupported
	}
	var out []dayone.Item
	err := a.listUsers(ctx, `profile.`+field+` eq "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)+`"`, func(u user) bool {
		out = append(out, a.own(item(u)))
		return true
	})
	return out, err
}

func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	u, err := a.createUser(ctx, toProfile(act.Want.Attrs), act.Secrets["password"])
	if err != nil {
		return dayone.Result{}, err
	}
	it := a.own(item(u))
	return dayone.Result{Now: &it}, nil
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	return a.updateUser(ctx, ref, toProfile(changed))
}

// Switch never deactivates: that would destroy the application assignments. A staged user cannot be suspended; it stays
// staged, which is closed as well.
func (a accounts) Switch(ctx context.Context, ref string, from, to dayone.State) error {
	switch {
	case to == dayone.Active && from == dayone.Staged:
		return a.lifecycle(ctx, ref, "activate")
	case to == dayone.Active:
		err := a.lifecycle(ctx, ref, "unsuspend")
		if errors.Is(err, dayone.ErrInvalid) { // deprovisioned by somebody else: it is activated again, without its applications
			return a.lifecycle(ctx, ref, "activate")
		}
		return err
	case from == dayone.Staged:
		return a.lifecycle(ctx, ref, "deactivate")
	default:
		return a.lifecycle(ctx, ref, "suspend")
	}
}

// Delete calls twice: the first only deprovisions.
func (a accounts) Delete(ctx context.Context, ref string) error {
	if err := a.deleteUser(ctx, ref); err != nil {
		return err
	}
	err := a.deleteUser(ctx, ref)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil // it was deprovisioned before: the first call deleted it
	}
	return err
}

func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		stopped := false
		err := a.listUsers(ctx, `status pr`, func(u user) bool {
			stopped = !yield(a.own(item(u)), nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Item{}, err)
		}
	}
}

type groups struct{ *client }

func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := g.userGroups(ctx, account, func(x group) bool {
		if x.Type != "BUILT_IN" { // Everyone is not given
			out = append(out, dayone.Item{Key: dayone.Key{Name: x.Profile.Name}, Ref: x.ID, State: dayone.Active})
		}
		return true
	})
	return out, err
}

func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := g.listGroups(ctx, func(x group) bool {
			if x.Type == "OKTA_GROUP" {
				stopped = !yield(dayone.Offer{Key: dayone.Key{Name: x.Profile.Name}, Ref: x.ID, Title: x.Profile.Description}, nil)
			}
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	return g.member(ctx, "PUT", want.Ref, account)
}

func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	return g.member(ctx, "DELETE", is.Ref, account)
}

type apps struct{ *client }

func (p apps) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := p.listApps(ctx, url.Values{"filter": {`user.id eq "` + account + `"`}}, func(x app) bool {
		out = append(out, dayone.Item{Key: dayone.Key{Name: x.Label}, Ref: x.ID, State: dayone.Active})
		return true
	})
	return out, err
}

func (p apps) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := p.listApps(ctx, url.Values{"limit": {"200"}}, func(x app) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: x.Label}, Ref: x.ID, Title: x.Name}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (p apps) Add(ctx context.Context, account string, want dayone.Item) error {
	return p.assign(ctx, want.Ref, account)
}

func (p apps) Remove(ctx context.Context, account string, is dayone.Item) error {
	return p.unassign(ctx, is.Ref, account)
}
