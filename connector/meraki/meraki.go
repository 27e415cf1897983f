// Package meraki reaches the networks of a Cisco Meraki organisation: a code of one's own for a wireless network, which is
// an identity PSK, and the users of splash pages, 802.1X and client VPN that Meraki itself keeps.
// https://developer.cisco.com/meraki/api-v1/
package meraki

import (
	"context"
	_ "embed"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Meraki connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// clientVPN is the type of users who need no SSID.
const clientVPN = "Client VPN"

// New reaches one organisation.
func New(cfg connector.Config) (connector.Connector, error) {
	c := newClient(cfg)
	as := accounts{client: c, in: cfg.Settings["users_network"], on: list(cfg.Settings["users_ssids"]), kind: cfg.Settings["users_type"]}
	switch {
	case as.in == "" && len(as.on) > 0:
		return nil, fmt.Errorf("users_ssids names SSIDs, but users_network no network: %w", dayone.ErrInvalid)
	case as.in != "" && len(as.on) == 0 && as.kind != clientVPN:
		return nil, fmt.Errorf("users_ssids has to name an SSID for users of the type %s: %w", as.kind, dayone.ErrInvalid)
	}
	return &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping: func(ctx context.Context) error {
			if err := c.check(ctx); err != nil || as.in == "" {
				return err
			}
			_, _, err := as.place(ctx)
			return err
		},
		Accounts: as,
		Things:   map[string]connector.Things{"code": codes{c, cfg.Settings["group_policy"]}},
	}, nil
}

// accounts are users whom Meraki keeps for one network.
type accounts struct {
	*client
	in   string   // the network
	on   []string // the SSIDs for which they are authorised
	kind string
}

// none is why there are no users.
func (a accounts) none(op string) error {
	return a.refuse(op, dayone.ErrUnsupported, "no network is configured whose users are managed", "set users_network and users_ssids, or take the account out of the policy")
}

// place is the network of the users, and the numbers of their SSIDs.
func (a accounts) place(ctx context.Context) (network, []int, error) {
	if a.in == "" {
		return network{}, nil, a.none("finding network")
	}
	n, err := a.network(ctx, a.in)
	if err != nil {
		return n, nil, err
	}
	if len(a.on) == 0 {
		return n, nil, nil
	}
	all, err := a.ssids(ctx, n)
	if err != nil {
		return n, nil, err
	}
	var numbers []int
	for _, name := range a.on {
		i := slices.IndexFunc(all, func(s ssid) bool { return s.Name == name })
		if i < 0 {
			return n, nil, a.refuse("finding SSID", dayone.ErrInvalid, "the network "+n.Name+" has no SSID "+name, "correct the setting users_ssids")
		}
		numbers = append(numbers, all[i].Number)
	}
	return n, numbers, nil
}

// item shows a user: open if they may use all of the SSIDs.
func (a accounts) item(u user, numbers []int) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: a.System, Kind: dayone.AccountKindName}, Ref: u.ID, State: dayone.Active, Created: u.Created.UTC(),
		Attrs: dayone.Attrs{"email": dayone.Text(u.Email), "display_name": dayone.Text(u.Name)},
	}
	if len(missing(u, numbers)) > 0 || len(u.Authorizations) == 0 {
		it.State = dayone.Disabled
	}
	return it
}

// missing are the SSIDs for which a user is not authorised.
func missing(u user, numbers []int) []int {
	return slices.DeleteFunc(slices.Clone(numbers), func(n int) bool {
		return slices.ContainsFunc(u.Authorizations, func(x authorization) bool { return x.SSID != nil && *x.SSID == n })
	})
}

// authorised are the authorisations that a user has, with what is missing of ours.
func authorised(u user, numbers []int) []authorization {
	out := []authorization{}
	for _, x := range u.Authorizations {
		if x.SSID != nil {
			out = append(out, authorization{SSID: x.SSID, Expires: never(x.Expires)})
		}
	}
	for _, n := range missing(u, numbers) {
		out = append(out, authorization{SSID: &n, Expires: never("")})
	}
	if len(numbers) == 0 {
		out = append(out, authorization{Expires: never("")})
	}
	return out
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	n, numbers, err := a.place(ctx)
	if err != nil {
		return dayone.Item{}, err
	}
	u, err := a.getUser(ctx, n.ID, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	return a.item(u, numbers), nil
}

// Find reads all users of the network: there is no search.
func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by != "email" || a.in == "" {
		return nil, dayone.ErrUnsupported
	}
	var out []dayone.Item
	err := a.each(ctx, func(it dayone.Item) bool {
		if strings.EqualFold(it.Attrs.Text("email"), value) {
			out = append(out, it)
		}
		return true
	})
	return out, err
}

func (a accounts) each(ctx context.Context, yield func(dayone.Item) bool) error {
	n, numbers, err := a.place(ctx)
	if err != nil {
		return err
	}
	all, err := a.users(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.Type == a.kind && !yield(a.item(u, numbers)) {
			return nil
		}
	}
	return nil
}

// Create authorises a new user. The password is ours: Meraki mails it to nobody.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	n, numbers, err := a.place(ctx)
	if err != nil {
		return dayone.Result{}, err
	}
	var u user
	err = a.write(ctx, "creating user", "POST", usersPath(n.ID, ""), map[string]any{
		"email": act.Want.Attrs.Text("email"), "name": act.Want.Attrs.Text("display_name"), "password": act.Secrets["password"].Reveal(),
		"accountType": a.kind, "emailPasswordToUser": false, "authorizations": authorised(user{}, numbers),
	}, &u)
	if err != nil {
		return dayone.Result{}, err
	}
	it := a.item(u, numbers)
	return dayone.Result{Now: &it}, nil
}

// Update writes the name. Whoever runs the dashboard is called as there.
func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	name, ok := changed["display_name"]
	if !ok {
		return nil
	}
	n, _, err := a.place(ctx)
	if err != nil {
		return err
	}
	u, err := a.getUser(ctx, n.ID, ref)
	if err != nil {
		return err
	}
	if u.Admin {
		return a.refuse("updating user", dayone.ErrUnsupported, "the user is an administrator of the dashboard, whose name is that of the dashboard account", "they change it there (My profile)")
	}
	return a.write(ctx, "updating user", "PUT", usersPath(n.ID, ref), map[string]string{"name": name.Text}, nil)
}

// Switch authorises again; there is no way to disable, so a user who is to be disabled is deleted.
func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to != dayone.Active {
		return a.refuse("disabling user", dayone.ErrUnsupported, "Meraki has no disabled users", "delete the user")
	}
	n, numbers, err := a.place(ctx)
	if err != nil {
		return err
	}
	u, err := a.getUser(ctx, n.ID, ref)
	if err != nil {
		return err
	}
	return a.write(ctx, "authorising user", "PUT", usersPath(n.ID, ref), map[string]any{"authorizations": authorised(u, numbers)}, nil)
}

func (a accounts) Delete(ctx context.Context, ref string) error {
	n, _, err := a.place(ctx)
	if err != nil {
		return err
	}
	u, err := a.getUser(ctx, n.ID, ref)
	if err != nil {
		return err
	}
	return a.deleteUser(ctx, n.ID, u)
}

func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		if a.in == "" {
			return
		}
		err := a.each(ctx, func(it dayone.Item) bool { return yield(it, nil) })
		if err != nil {
			yield(dayone.Item{}, err)
		}
	}
}
