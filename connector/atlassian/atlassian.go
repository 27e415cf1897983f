// Package atlassian reaches Atlassian Cloud: accounts and groups through a SCIM directory, or through one Jira site where
// there is none; project roles through the site; and what only the organization may do with an account, through its own door.
// https://developer.atlassian.com/cloud/admin/
package atlassian

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/scim"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes Atlassian connectors.
var Factory = connector.Factory{Manifest: manifest, New: New}

// New reaches one organization.
func New(cfg connector.Config) (connector.Connector, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	var all accounts = users{c, listed(cfg.Settings["products"])}
	var in connector.Entitlements = siteGroups{c}
	if cfg.Settings["accounts"] == "scim" {
		d := newDirectory(cfg, c)
		all, in = d, scim.Groups{Client: d.Client}
	}
	roles := projectRoles{c, all, listed(cfg.Settings["project_roles"])}
	for _, name := range roles.names {
		if project, role, ok := strings.Cut(name, "/"); !ok || project == "" || role == "" {
			return nil, fmt.Errorf("setting project_roles: %q is no PROJECT KEY/role: %w", name, dayone.ErrInvalid)
		}
	}
	if len(roles.names) > 0 && !c.hasSite {
		return nil, fmt.Errorf("project_roles need site, site_user and site_token: %w", dayone.ErrInvalid)
	}
	manifest := cfg.Manifest
	if cfg.Settings["accounts"] == "site" {
		manifest = owned(manifest)
	}
	t := &connector.Target{
		System: cfg.System, Manifest: manifest, Now: cfg.Now, Ping: func(ctx context.Context) error { return c.ping(ctx, all) },
		Accounts: all, Kinds: map[string]connector.Entitlements{"group": in, "role": roles},
	}
	if c.hasOrg {
		t.Left = map[dayone.RemainClass]func(context.Context, dayone.Item) ([]dayone.Remain, error){dayone.KeptToken: tokens{c, all}.left}
	}
	return told{t}, nil
}

// accounts are of a directory or of a site; either way an Atlassian account stands behind.
type accounts interface {
	connector.Accounts
	connector.Revoker
	// accountID is the Atlassian account's. ErrNotYet: it is not shown yet.
	accountID(ctx context.Context, ref string) (string, error)
	check(ctx context.Context) error
}

// owned is the manifest where a profile is its owner's, who alone changes it: nothing of it is compared or written again.
func owned(m *connector.Manifest) *connector.Manifest {
	out, account := *m, *m.Account
	account.Attributes = map[string]connector.Attribute{}
	for name, a := range m.Account.Attributes {
		a.Once = true
		account.Attributes[name] = a
	}
	out.Account = &account
	return &out
}

// listed reads a setting with commas; names may have spaces.
func listed(setting string) (out []string) {
	for _, s := range strings.Split(setting, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// ping asks at every door that has a key.
func (c *client) ping(ctx context.Context, all accounts) error {
	if err := all.check(ctx); err != nil {
		return advised(err)
	}
	if c.hasSite {
		if err := c.mayAdminister(ctx); err != nil {
			return advised(err)
		}
	}
	if c.hasOrg {
		_, err := c.directories(ctx)
		return advised(err)
	}
	return nil
}

// told is a target whose errors say what an administrator has to do.
type told struct{ *connector.Target }

func (t told) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	r, err := t.Target.Apply(ctx, a)
	return r, advised(err)
}

// advised adds it by the door that refused, which its operations name.
func advised(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || f.Next != "" {
		return err
	}
	out := *f
	site, org := strings.HasSuffix(f.Op, atSite), strings.HasSuffix(f.Op, atOrg)
	switch {
	case errors.Is(f.Err, dayone.ErrAuth) && site:
		out.Next = "the API token of site_user is wrong or has ended: make a new one at id.atlassian.com under Security and put it into site_token"
	case errors.Is(f.Err, dayone.ErrAuth) && org:
		out.Next = "the organization's API key is wrong or has ended: make a new one in Atlassian Administration under Settings > API keys and put it into organization_key"
	case errors.Is(f.Err, dayone.ErrAuth):
		out.Next = "the directory's API key is wrong or has ended: make a new one in Atlassian Administration under Security > Identity providers and put it into scim_token"
	case errors.Is(f.Err, dayone.ErrForbidden) && site:
		out.Next = "site_user has to be a site administrator with Browse users and groups; groups that an identity provider synchronises are changed there"
	case errors.Is(f.Err, dayone.ErrForbidden) && org:
		out.Next = "check the setting organization; the account has to be managed by it, and the key must have no scopes"
	case errors.Is(f.Err, dayone.ErrNoSeat):
		out.Next = "buy seats in Atlassian Administration under Billing, or suspend somebody"
	case errors.Is(f.Err, dayone.ErrInvalid) && strings.Contains(strings.ToLower(f.Detail), "domain"):
		out.Next = "verify the mail address's domain in Atlassian Administration under Settings > Domains, and claim its accounts"
	default:
		return err
	}
	return &out
}
