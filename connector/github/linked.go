package github

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
	"github.com/dayone-hq/dayone/connector/scim"
)

// linked are memberships by SCIM: identities of the company's that an invitation goes out for, and that a GitHub account is
// linked to when its owner signs in through the identity provider. Their id is the identity's.
// https://docs.github.com/enterprise-cloud@latest/rest/scim
type linked struct {
	scim.Accounts
	*client
}

var _ memberships = linked{}

var paths = map[string]string{
	"employee_number": "externalId", "name_id": "userName", "email": "emails", "first_name": "name.givenName", "last_name": "name.familyName",
}

func newLinked(cfg connector.Config, c *client) linked {
	s := scim.NewClient(cfg, c.Base+"/scim/v2/organizations/"+c.org, nil, scim.Quirks{
		ContentType: "application/json", Page: 100, HidesInactive: true, Filters: map[string]string{"emails": "emails"},
	})
	s.Client = c.Client
	s.Base += "/scim/v2/organizations/" + c.org
	l := linked{client: c}
	l.Accounts = scim.Accounts{Client: s, Attrs: paths, Finish: l.finish}
	return l
}

func (l linked) ping(ctx context.Context) error {
	if err := l.client.ping(ctx); err != nil {
		return err
	}
	if _, err := l.identities(ctx, "dayone-check"); err != nil {
		return err
	}
	return l.unseen(l.Accounts.Client.Ping(ctx))
}

// identity is what GraphQL tells of one: who has linked it, or that the invitation is still open.
// https://docs.github.com/graphql/reference/objects#externalidentity
type identity struct {
	GUID       string `json:"guid"`
	User       *struct{ Login string }
	Invitation *struct {
		Created time.Time `json:"createdAt"`
	} `json:"organizationInvitation"`
}

const identitiesQuery = `query($org: String!, $name: String, $after: String) {
  organization(login: $org) { samlIdentityProvider { externalIdentities(first: 100, after: $after, userName: $name) {
    nodes { guid user { login } organizationInvitation { createdAt } }
    pageInfo { hasNextPage endCursor }
  } } }
}`

// identities are those with this user name, or all.
func (l linked) identities(ctx context.Context, name string) (map[string]identity, error) {
	const op = "reading SAML identities"
	type answer struct {
		Organization struct {
			Provider *struct {
				Identities struct {
					Nodes []identity
					Page  pageInfo `json:"pageInfo"`
				} `json:"externalIdentities"`
			} `json:"samlIdentityProvider"`
		}
	}
	vars := map[string]any{}
	if name != "" {
		vars["name"] = name
	}
	out := map[string]identity{}
	for {
		a, err := ask[answer](ctx, l.client, op, identitiesQuery, vars)
		switch {
		case err != nil:
			return nil, err
		case a.Organization.Provider == nil:
			return nil, &dayone.Fault{
				System: l.System, Op: op, Err: dayone.ErrInvalid, Detail: "the organization has no SAML single sign-on of its own",
				Next: "switch it on under the organization's Authentication security, or set accounts to invite; if the enterprise has it instead, SCIM is the enterprise's",
			}
		}
		ids := a.Organization.Provider.Identities
		for _, n := range ids.Nodes {
			out[n.GUID] = n
		}
		if !ids.Page.More {
			return out, nil
		}
		vars["after"] = ids.Page.End
	}
}

// shown makes of an identity what it is for the organization: active when somebody has linked it, pending while the invitation
// is open, disabled when that ran out.
func (i identity) shown(it *dayone.Item) {
	it.State = dayone.Disabled
	switch {
	case i.User != nil:
		it.State = dayone.Active
		it.Attrs["login"] = dayone.Text(i.User.Login)
	case i.Invitation != nil:
		it.State = dayone.Pending
		it.Created = i.Invitation.Created.UTC()
	}
}

func (l linked) finish(ctx context.Context, r scim.Resource, it *dayone.Item) error {
	all, err := l.identities(ctx, r.Text("userName"))
	if err == nil {
		all[it.Ref].shown(it)
	}
	return err
}

func (l linked) login(ctx context.Context, ref string) (string, error) {
	it, err := l.Get(ctx, ref)
	return it.Attrs.Text("login"), err
}

// Find does not look for a login: an identity is not known by it.
func (l linked) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by == "login" {
		return nil, dayone.ErrUnsupported
	}
	return l.Accounts.Find(ctx, by, value)
}

// Switch sends an invitation that ran out again; who is to be closed is removed instead.
func (l linked) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to != dayone.Active {
		return l.Fault("closing membership", dayone.ErrUnsupported, "", "GitHub has no closed memberships, only removed ones")
	}
	return l.again(ctx, ref)
}

// again invites the identity's mail address; whoever accepts signs in through the identity provider, and is linked by that.
// https://docs.github.com/rest/orgs/members#create-an-organization-invitation
func (l linked) again(ctx context.Context, ref string) error {
	it, err := l.Get(ctx, ref)
	if err != nil || it.State != dayone.Disabled {
		return err
	}
	_, err = l.Do(ctx, httpc.Request{
		Op: "inviting again", Method: "POST", Path: "/orgs/" + l.org + "/invitations", JSON: map[string]string{"email": it.Attrs.Text("email"), "role": "direct_member"},
	}, nil)
	return err
}

// Delete takes back what somebody authorized for the organization, then the membership or invitation with the identity.
func (l linked) Delete(ctx context.Context, ref string) error {
	login, err := l.login(ctx, ref)
	if err != nil {
		return err
	}
	var m membership
	if login != "" {
		if m, err = l.membership(ctx, login); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
		if err := l.revoke(ctx, login); err != nil {
			return err
		}
	}
	if len(m.Via) > 0 {
		if err := l.remove(ctx, login, m); err != nil { // says that they stay; the identity is the only way back to them
			return err
		}
	}
	return l.Accounts.Delete(ctx, ref)
}

// All reads the links of everybody at once.
func (l linked) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		ids, err := l.identities(ctx, "")
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		plain := l.Accounts
		plain.Finish = func(_ context.Context, _ scim.Resource, it *dayone.Item) error {
			ids[it.Ref].shown(it)
			return nil
		}
		plain.All(ctx)(yield)
	}
}
