package meraki

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/dayone-hq/dayone"
)

// codes are identity PSKs: passphrases of a wireless network that belong to one person each. The name is the mail address of
// its owner, and the passphrase is ours.
type codes struct {
	*client
	policy string // the group policy where none is named
}

// item shows an identity PSK. Its passphrase is shown to nobody.
func (c codes) item(ctx context.Context, p at, k psk) (*dayone.Item, error) {
	p.psk = k.ID
	it := &dayone.Item{Ref: p.String(), State: dayone.Active, Attrs: dayone.Attrs{"email": dayone.Text(k.Name), "group_policy": dayone.Text(k.Policy)}}
	all, err := c.groupPolicies(ctx, p.network)
	for _, g := range all {
		if g.ID == k.Policy {
			it.Attrs["group_policy"] = dayone.Text(g.Name)
		}
	}
	return it, err
}

// find is where codes of a name are: the network and the SSID.
func (c codes) find(ctx context.Context, name string) (at, error) {
	all, err := c.networks(ctx)
	if err != nil {
		return at{}, err
	}
	for _, n := range all {
		rest, ok := strings.CutPrefix(name, n.Name+"/")
		if !ok {
			continue
		}
		list, err := c.ssids(ctx, n)
		if err != nil {
			return at{}, err
		}
		for _, s := range list {
			switch {
			case s.Name != rest:
			case s.Auth != identityPSK:
				return at{}, c.refuse("finding SSID", dayone.ErrInvalid, "the SSID "+name+" has no identity PSKs; its security is "+s.Auth,
					"choose Identity PSK without RADIUS for it (Wireless > Access control), or name another SSID in the policy")
			default:
				return at{network: n.ID, number: s.Number}, nil
			}
		}
	}
	return at{}, c.refuse("finding SSID", dayone.ErrNotFound, "there is no SSID "+name, "codes are named network/SSID as the dashboard calls them; correct the policy, or the setting networks")
}

// Look finds the code by its id, else by mail address on its SSID. One that an earlier call made has our passphrase; with any
// other it is somebody's. A code that is to be renewed still has its former one, and is pending until it has the new one.
func (c codes) Look(ctx context.Context, a dayone.Act) (*dayone.Item, error) {
	p, k, err := c.locate(ctx, a)
	if err != nil || k == nil {
		return nil, err
	}
	it, err := c.item(ctx, p, *k)
	ours := a.Secrets["code"]
	switch {
	case err != nil || a.Want == nil || !ours.IsZero() && k.Passphrase == ours.Reveal():
		return it, err
	case known(a, it.Ref):
		if !ours.IsZero() {
			it.State = dayone.Pending
		}
		return it, nil
	}
	return nil, &dayone.Fault{
		System: c.System, Op: "making code", Err: dayone.ErrConflict, Detail: "an identity PSK with this mail address is there, and its passphrase is not ours", Found: it,
		Next: "delete it in the dashboard (Wireless > Access control) and retry, so that its owner gets a code of our making",
	}
}

// known says whether the books have this id.
func known(a dayone.Act, ref string) bool { return a.Have != nil && a.Have.Ref == ref }

// locate is where the code lies, and the code; nil: it is not there. What is to go and has an id is looked for by that alone:
// one that was made in the dashboard since is not ours.
func (c codes) locate(ctx context.Context, a dayone.Act) (at, *psk, error) {
	if a.Have != nil {
		if p, ok := parseAt(a.Have.Ref); ok {
			k, err := c.getPSK(ctx, p)
			switch {
			case err == nil:
				return p, &k, nil
			case !errors.Is(err, dayone.ErrNotFound):
				return p, nil, err
			case a.Want == nil:
				return p, nil, nil
			}
		}
	}
	who := cmp.Or(a.Want, a.Have)
	if who == nil {
		return at{}, nil, nil
	}
	p, err := c.find(ctx, a.Key.Name)
	if err != nil {
		return p, nil, err
	}
	k, err := c.named(ctx, p, who.Attrs.Text("email"))
	if k != nil {
		p.psk = k.ID
	}
	return p, k, err
}

func (c codes) named(ctx context.Context, p at, email string) (*psk, error) {
	all, err := c.psks(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if email != "" && strings.EqualFold(all[i].Name, email) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// group is the id of the wanted group policy.
func (c codes) group(ctx context.Context, network string, as dayone.Attrs) (string, error) {
	name := as.Text("group_policy")
	if name == "" {
		name = c.policy
	}
	if name == "" {
		return "", c.refuse("making code", dayone.ErrInvalid, "Meraki takes no code without a group policy, and none is named", "name one with group_policy in the policy, or in the setting group_policy")
	}
	all, err := c.groupPolicies(ctx, network)
	if err != nil {
		return "", err
	}
	for _, g := range all {
		if strings.EqualFold(g.Name, name) || g.ID == name {
			return g.ID, nil
		}
	}
	return "", c.refuse("making code", dayone.ErrInvalid, "the network has no group policy "+name, "make it in the dashboard (Network-wide > Group policies), or name another")
}

// Put makes the code, or brings it up to date: name and group policy, and the passphrase if there is a new one.
func (c codes) Put(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	email, code := a.Want.Attrs.Text("email"), a.Secrets["code"]
	body := map[string]string{"name": email}
	if !code.IsZero() {
		body["passphrase"] = code.Reveal()
	}
	if a.Have != nil { // what Look found, by its id
		p, _ := parseAt(a.Have.Ref)
		return c.change(ctx, p, a, body)
	}
	if email == "" {
		return dayone.Result{}, c.Fault("making code", dayone.ErrInvalid, "", "a code needs the mail address of its owner")
	}
	if code.IsZero() {
		return dayone.Result{}, c.refuse("changing code", dayone.ErrInvalid, "the identity PSK is not there any more, and without a new passphrase there is none to make", "renew it: dayone people renew")
	}
	p, err := c.find(ctx, a.Key.Name)
	if err != nil {
		return dayone.Result{}, err
	}
	if body["groupPolicyId"], err = c.group(ctx, p.network, a.Want.Attrs); err != nil {
		return dayone.Result{}, err
	}
	var made psk
	err = c.write(ctx, "making code", "POST", p.list(), body, &made)
	switch {
	case errors.Is(err, dayone.ErrConflict):
		return dayone.Result{}, c.taken(err)
	case err != nil:
		return dayone.Result{}, err
	case made.ID == "":
		return dayone.Result{}, c.Fault("making code", dayone.ErrNotYet, "", "the answer names no id")
	}
	it, err := c.item(ctx, p, made)
	return dayone.Result{Now: it}, err
}

func (c codes) taken(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) {
		return err
	}
	said := *f
	said.Next = "see in the dashboard (Wireless > Access control) who has an identity PSK of this name, delete it there and retry"
	return &said
}

func (c codes) change(ctx context.Context, p at, a dayone.Act, body map[string]string) (dayone.Result, error) {
	var err error
	if a.Want.Attrs.Text("group_policy") != "" { // else it stays as it is
		if body["groupPolicyId"], err = c.group(ctx, p.network, a.Want.Attrs); err != nil {
			return dayone.Result{}, err
		}
	}
	if err := c.write(ctx, "changing code", "PUT", p.path(), body, nil); err != nil {
		return dayone.Result{}, err
	}
	k, err := c.getPSK(ctx, p)
	if err != nil {
		return dayone.Result{}, err
	}
	if body["passphrase"] != "" && k.Passphrase != body["passphrase"] || !strings.EqualFold(k.Name, body["name"]) {
		return dayone.Result{}, c.Fault("changing code", dayone.ErrNotYet, "", "Meraki still shows it as it was")
	}
	it, err := c.item(ctx, p, k)
	return dayone.Result{Now: it}, err
}

// Drop deletes it: from then on it opens nothing.
func (c codes) Drop(ctx context.Context, a dayone.Act) error {
	p, k, err := c.locate(ctx, a)
	if err != nil || k == nil {
		return err
	}
	return c.write(ctx, "deleting code", "DELETE", p.path(), nil, nil)
}

// Of looks for codes with a mail address wherever there can be one.
func (c codes) Of(ctx context.Context, s dayone.Subject) ([]dayone.Item, error) {
	email := s.Keys["email"]
	if email == "" {
		return nil, c.Fault("finding codes of user", dayone.ErrInvalid, "", "there is no mail address to look for")
	}
	var out []dayone.Item
	err := c.each(ctx, func(n network, s ssid) error {
		p := at{network: n.ID, number: s.Number}
		k, err := c.named(ctx, p, email)
		if err != nil || k == nil {
			return err
		}
		it, err := c.item(ctx, p, *k)
		if err == nil {
			it.Key.Name = n.Name + "/" + s.Name
			out = append(out, *it)
		}
		return err
	})
	return out, err
}

// each visits every SSID that has identity PSKs.
func (c codes) each(ctx context.Context, visit func(network, ssid) error) error {
	all, err := c.networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		list, err := c.ssids(ctx, n)
		if err != nil {
			return err
		}
		for _, s := range list {
			if s.Auth != identityPSK {
				continue
			}
			if err := visit(n, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// Offers are SSIDs with identity PSKs that are switched on.
func (c codes) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		more := true
		err := c.each(ctx, func(n network, s ssid) error {
			if more && s.Enabled {
				p := at{network: n.ID, number: s.Number}
				more = yield(dayone.Offer{Key: dayone.Key{Name: n.Name + "/" + s.Name}, Ref: p.list()}, nil)
			}
			return nil
		})
		if err != nil && more {
			yield(dayone.Offer{}, err)
		}
	}
}
