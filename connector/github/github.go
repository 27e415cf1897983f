// Package github reaches a GitHub organization: its members, by invitation of a GitHub login or by SCIM, and their roles in
// its teams. The accounts are their owners'; what is given and taken here is the membership, which is pending until its owner
// accepts.
// https://docs.github.com/rest/orgs/members
package github

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes GitHub connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one organization.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	var all memberships = invited{c}
	ping := c.ping
	if cfg.Settings["accounts"] == "scim" {
		linked := newLinked(cfg, c)
		c.sso, all, ping = true, linked, linked.ping
	}
	only := strings.FieldsFunc(cfg.Settings["teams"], func(r rune) bool { return r == ',' || r == ' ' })
	t := &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now,
		Ping:     func(ctx context.Context) error { return advised(ping(ctx)) },
		Accounts: all,
		Kinds:    map[string]connector.Entitlements{"team": teams{c, all, only}},
		HandOver: owner{c, all}.handOver,
	}
	if c.sso {
		t.Left = map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.KeptToken: leftovers{c, all}.tokens}
	}
	return organization{t, all, cfg.Settings["accounts"] == "scim", cfg.Now}, nil
}

// memberships are accounts whose GitHub login can be told.
type memberships interface {
	connector.Accounts
	// login is "" as long as nobody has taken the invitation up. ErrNotFound.
	login(ctx context.Context, ref string) (string, error)
	// again sends an invitation that ran out once more. ErrNotFound: it did not run out, it is gone.
	again(ctx context.Context, ref string) error
}

// organization adds to a target what invitations need: they run out, and until they are taken up there is nobody whom a team
// could be given to.
type organization struct {
	*connector.Target
	all  memberships
	late bool // a login is known only when the invitation is accepted
	now  func() time.Time
}

// open is how long GitHub keeps an invitation.
const open = 7 * 24 * time.Hour

// patience is how often somebody is looked at who has not accepted yet.
const patience = 15 * time.Minute

func (o organization) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if !a.Key.IsAccount() {
		r, err := o.entitlement(ctx, a)
		return r, advised(err)
	}
	r, err := o.Target.Apply(ctx, a)
	ranOut := errors.Is(err, dayone.ErrNotFound) || err == nil && r.Now != nil && r.Now.State == dayone.Disabled
	if ranOut && a.Subject.Ref != "" && a.Want != nil && a.Want.State == dayone.Active {
		if again := o.all.again(ctx, a.Subject.Ref); errors.Is(again, dayone.ErrNotFound) {
			return dayone.Result{}, advised(cmp.Or(err, again))
		} else if again != nil {
			return dayone.Result{}, advised(again)
		}
		r, err = o.Target.Apply(ctx, a)
	}
	if w := r.Wait; err == nil && w != nil && w.Kind == dayone.WaitAcceptance && !r.Now.Created.IsZero() {
		w.Note = fmt.Sprintf("%s; it is open until %s, and then sent again", w.Note, r.Now.Created.Add(open).Format(time.DateOnly))
	}
	return r, advised(err)
}

// entitlement waits where there is nobody yet.
func (o organization) entitlement(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	if o.late && a.Want != nil && a.Action == dayone.EntitlementAdd {
		login, err := o.all.login(ctx, a.Account)
		if err != nil {
			return dayone.Result{}, err
		}
		if login == "" {
			return dayone.Result{Wait: &dayone.Wait{
				Kind: dayone.WaitPropagation, Check: o.now().Add(patience), Note: "GitHub tells the login when the invitation is accepted; the team is given then",
			}}, nil
		}
	}
	return o.Target.Apply(ctx, a)
}

// advised adds what an administrator has to do.
func advised(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Next != "" {
		return err
	}
	out := *f
	switch {
	case f.Code == "sso_required":
		out.Next = "authorize the token for the organization's single sign-on (Settings > Developer settings > the token > Configure SSO)"
	case errors.Is(f.Err, dayone.ErrAuth):
		out.Next = "the token or key is wrong, has ended or was revoked: make a new one at GitHub and put it into the system's settings"
	case errors.Is(f.Err, dayone.ErrForbidden):
		out.Next = "give the token the scope admin:org, or the organization permission Members: read and write; whoever made it has to be an owner of the organization"
	case errors.Is(f.Err, dayone.ErrNoSeat):
		out.Next = "buy a seat under the organization's Billing and licensing, or remove somebody"
	default:
		return err
	}
	return &out
}
