package github

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// credential is a token or key that its owner authorized for the organization's single sign-on.
// https://docs.github.com/enterprise-cloud@latest/rest/orgs/orgs#list-saml-sso-authorizations-for-an-organization
type credential struct {
	ID    int    `json:"credential_id"`
	Login string `json:"login"`
	Type  string `json:"credential_type"`
	Title string `json:"authorized_credential_title"` // of a key
	Note  string `json:"authorized_credential_note"`  // of a token
}

func (c *client) credentials(ctx context.Context, login string) ([]credential, error) {
	return pages[credential](ctx, c, "listing authorized credentials", "/orgs/"+c.org+"/credential-authorizations", url.Values{"login": {login}})
}

// revoke takes back what lets somebody in without signing in: authorizations for single sign-on, and what an app may see of
// fine-grained tokens. It comes before the removal, after which GitHub would not say whose they were. An organization that has
// none of it does not keep anybody a member.
func (c *client) revoke(ctx context.Context, login string) error {
	if c.sso {
		all, err := c.credentials(ctx, login)
		if err != nil && !hidden(err) {
			return err
		}
		for _, one := range all {
			_, err := c.Do(ctx, httpc.Request{Op: "revoking authorization", Method: "DELETE", Path: "/orgs/" + c.org + "/credential-authorizations/" + strconv.Itoa(one.ID)}, nil)
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return err
			}
		}
	}
	if c.app {
		return c.revokeTokens(ctx, login)
	}
	return nil
}

// revokeTokens ends what fine-grained tokens may do in the organization. Only apps may.
// https://docs.github.com/rest/orgs/personal-access-tokens
func (c *client) revokeTokens(ctx context.Context, login string) error {
	type token struct {
		ID    int  `json:"id"`
		Owner user `json:"owner"`
	}
	all, err := pages[token](ctx, c, "listing fine-grained tokens", "/orgs/"+c.org+"/personal-access-tokens", url.Values{"owner[]": {login}})
	if err != nil {
		if hidden(err) {
			return nil
		}
		return err
	}
	for _, t := range all {
		if t.Owner.Login != login {
			continue
		}
		_, err := c.Do(ctx, httpc.Request{
			Op: "revoking fine-grained token", Method: "POST", Path: "/orgs/" + c.org + "/personal-access-tokens/" + strconv.Itoa(t.ID), JSON: map[string]string{"action": "revoke"},
		}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

// hidden says that the organization has no such thing, or does not show it to us.
func hidden(err error) bool {
	return errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrForbidden)
}

// leftovers are what a certificate asks for.
type leftovers struct {
	*client
	all memberships
}

func (l leftovers) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	login, err := l.all.login(ctx, account.Ref)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && login == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := l.credentials(ctx, login)
	var out []dayone.Remain
	for _, c := range all {
		out = append(out, dayone.Remain{
			Name: c.Title + c.Note, Ref: strconv.Itoa(c.ID), Note: "a " + c.Type + " that is authorized for the organization", Act: "an owner revokes it under the organization's People, with that member's SAML identity",
		})
	}
	return out, err
}

// owner sees to it that the organization keeps one.
type owner struct {
	*client
	all memberships
}

// handOver makes the heir an owner before the last one goes.
func (o owner) handOver(ctx context.Context, account string, _ *dayone.Item, heir map[string]string) error {
	login, err := o.all.login(ctx, account)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && login == "" {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := o.membership(ctx, login)
	if errors.Is(err, dayone.ErrNotFound) || err == nil && (m.Role != "admin" || m.State != "active") {
		return nil
	}
	if err != nil {
		return err
	}
	admins, err := pages[user](ctx, o.client, "listing owners", "/orgs/"+o.org+"/members", url.Values{"role": {"admin"}})
	if err != nil || len(admins) > 1 {
		return err
	}
	none := func(why string) error {
		return &dayone.Fault{
			System: o.System, Op: "handing over", Err: dayone.ErrUnsupported, Detail: login + " is the last owner of the organization, and " + why,
			Next: "make somebody else an owner at GitHub under People, then retry",
		}
	}
	if heir["email"] == "" {
		return none("nobody is known who takes over")
	}
	found, err := o.all.Find(ctx, "email", heir["email"])
	if err != nil && !errors.Is(err, dayone.ErrUnsupported) {
		return err
	}
	if len(found) != 1 || found[0].State != dayone.Active {
		return none("whoever takes over is not known by their GitHub account")
	}
	_, err = o.member(ctx, found[0].Attrs.Text("login"), "admin")
	return err
}
