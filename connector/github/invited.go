package github

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// invited are memberships by login. Their id is that of the GitHub account: a login can be changed, and somebody else may
// take it then.
type invited struct{ *client }

var _ memberships = invited{}

// membership of the organization. https://docs.github.com/rest/orgs/members#get-organization-membership-for-a-user
type membership struct {
	State string   `json:"state"` // active or pending
	Role  string   `json:"role"`  // admin or member
	User  user     `json:"user"`
	Via   []string `json:"enterprise_teams_providing_indirect_membership"`
}

func (c *client) at(login string) string {
	return "/orgs/" + c.org + "/memberships/" + url.PathEscape(login)
}

func (c *client) membership(ctx context.Context, login string) (membership, error) {
	var m membership
	_, err := c.Do(ctx, httpc.Request{Op: "reading membership", Method: "GET", Path: c.at(login)}, &m)
	return m, err
}

// member brings a membership about, or changes its role.
func (c *client) member(ctx context.Context, login, role string) (membership, error) {
	var m membership
	_, err := c.Do(ctx, httpc.Request{Op: "inviting", Method: "PUT", Path: c.at(login), JSON: map[string]string{"role": role}}, &m)
	return m, err
}

// invitation to the organization. https://docs.github.com/rest/orgs/members#list-pending-organization-invitations
type invitation struct {
	ID      int       `json:"id"`
	Login   string    `json:"login"` // "": to a mail address
	Email   string    `json:"email"`
	Created time.Time `json:"created_at"`
	Failed  time.Time `json:"failed_at"`
	Reason  string    `json:"failed_reason"`
}

func (c *client) invitations(ctx context.Context, which string) ([]invitation, error) {
	return pages[invitation](ctx, c, "listing invitations", "/orgs/"+c.org+"/"+which, nil)
}

func (i invited) item(u user, m membership) dayone.Item {
	it := dayone.Item{
		Key: dayone.Key{System: i.System, Kind: dayone.AccountKindName}, Ref: u.ref(), State: dayone.Active,
		Attrs: dayone.Attrs{"login": dayone.Text(u.Login), "role": dayone.Text(m.Role), "outside": dayone.Bool(false)},
	}
	if m.State == "pending" {
		it.State = dayone.Pending
	}
	return it
}

// dated adds when a pending membership was offered.
func (i invited) dated(ctx context.Context, it dayone.Item) (dayone.Item, error) {
	if it.State != dayone.Pending {
		return it, nil
	}
	all, err := i.invitations(ctx, "invitations")
	for _, in := range all {
		if strings.EqualFold(in.Login, it.Attrs.Text("login")) {
			it.Created = in.Created.UTC()
		}
	}
	return it, err
}

func (i invited) login(ctx context.Context, ref string) (string, error) {
	u, err := i.byID(ctx, ref)
	return u.Login, err
}

// Get also finds those who are no members but work in some repositories.
func (i invited) Get(ctx context.Context, ref string) (dayone.Item, error) {
	u, err := i.byID(ctx, ref)
	if err != nil {
		return dayone.Item{}, err
	}
	m, err := i.membership(ctx, u.Login)
	switch {
	case err == nil && m.User.ID == u.ID:
		return i.dated(ctx, i.item(u, m))
	case err != nil && !errors.Is(err, dayone.ErrNotFound):
		return dayone.Item{}, err
	}
	outside, err := i.outside(ctx)
	if err != nil {
		return dayone.Item{}, err
	}
	for _, o := range outside {
		if o.ID == u.ID {
			return i.outsider(o), nil
		}
	}
	return dayone.Item{}, i.Fault("reading membership", dayone.ErrNotFound, "", "they are no member, and not invited")
}

// outside are collaborators who are no members. https://docs.github.com/rest/orgs/outside-collaborators
func (i invited) outside(ctx context.Context) ([]user, error) {
	return pages[user](ctx, i.client, "listing outside collaborators", "/orgs/"+i.org+"/outside_collaborators", nil)
}

func (i invited) outsider(u user) dayone.Item {
	it := i.item(u, membership{})
	it.Attrs["outside"] = dayone.Bool(true)
	return it
}

// Find knows people by login alone; GitHub shows no mail addresses.
func (i invited) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	if by != "login" {
		return nil, dayone.ErrUnsupported
	}
	if !plain(value) {
		return nil, nil
	}
	m, err := i.membership(ctx, value)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	it, err := i.dated(ctx, i.item(m.User, m))
	return []dayone.Item{it}, err
}

// plain says that a text can be a login: somebody types it, and it becomes part of a path.
func plain(login string) bool {
	return login != "" && len(login) <= 39 && strings.IndexFunc(login, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// Create invites. Whether somebody has this login GitHub says; that it is this person's the books say, so a login that nobody
// gave is a human's task.
func (i invited) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	login := act.Want.Attrs.Text("login")
	if login == "" {
		return dayone.Result{}, &dayone.Fault{
			System: i.System, Op: "inviting", Err: dayone.ErrUnsupported, Detail: "their GitHub login is not known, and who accepts an invitation to a mail address GitHub does not tell",
			Next: "ask for the login and enter it with the person: what is left to do begins anew by itself; or invite them at GitHub under People",
		}
	}
	var m membership
	err := dayone.ErrNotFound
	if plain(login) {
		m, err = i.member(ctx, login, "member")
	}
	if errors.Is(err, dayone.ErrNotFound) {
		return dayone.Result{}, &dayone.Fault{
			System: i.System, Op: "inviting", Err: dayone.ErrInvalid, Detail: "GitHub knows nobody by the login " + login, Next: "correct the person's GitHub login: what is left to do begins anew by itself",
		}
	}
	if err != nil {
		return dayone.Result{}, err
	}
	it := i.item(m.User, m)
	if it.State == dayone.Pending {
		it.Created = i.Now().UTC()
	}
	return dayone.Result{Now: &it}, nil
}

// Update is never asked for what is set once, and all is.
func (i invited) Update(context.Context, string, dayone.Attrs) error {
	return i.Fault("changing membership", dayone.ErrUnsupported, "", "the account is its owner's")
}

// Switch has nothing to close: who is no member is gone.
func (i invited) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	if to != dayone.Active {
		return i.Fault("closing membership", dayone.ErrUnsupported, "", "GitHub has no closed memberships, only removed ones")
	}
	return i.again(ctx, ref)
}

// again sends an invitation that ran out.
func (i invited) again(ctx context.Context, ref string) error {
	u, err := i.byID(ctx, ref)
	if err != nil {
		return err
	}
	failed, err := i.invitations(ctx, "failed_invitations")
	if err != nil {
		return err
	}
	for _, f := range failed {
		if strings.EqualFold(f.Login, u.Login) && !f.Failed.IsZero() {
			_, err := i.member(ctx, u.Login, "member")
			return err
		}
	}
	return &dayone.Fault{
		System: i.System, Op: "inviting again", Err: dayone.ErrNotFound, Detail: u.Login + " is neither a member nor invited: the invitation was declined or cancelled, or somebody removed them",
		Next: "find out at GitHub under People who ended it; the next plan for this person invites them anew",
	}
}

// Delete ends the membership, the invitation, or the work in single repositories.
func (i invited) Delete(ctx context.Context, ref string) error {
	u, err := i.byID(ctx, ref)
	if err != nil {
		return err
	}
	m, err := i.membership(ctx, u.Login)
	switch {
	case errors.Is(err, dayone.ErrNotFound) || err == nil && m.User.ID != u.ID:
		_, err := i.Do(ctx, httpc.Request{Op: "removing outside collaborator", Method: "DELETE", Path: "/orgs/" + i.org + "/outside_collaborators/" + url.PathEscape(u.Login)}, nil)
		return err
	case err != nil:
		return err
	}
	if m.State == "active" {
		if err := i.revoke(ctx, u.Login); err != nil {
			return err
		}
	}
	return i.remove(ctx, u.Login, m)
}

// remove ends a membership of the organization's own. One that an enterprise team brings stays.
func (c *client) remove(ctx context.Context, login string, m membership) error {
	_, err := c.Do(ctx, httpc.Request{Op: "removing member", Method: "DELETE", Path: c.at(login)}, nil)
	if len(m.Via) == 0 || err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	return &dayone.Fault{
		System: c.System, Op: "removing member", Err: dayone.ErrUnsupported, Detail: login + " is still a member, through the enterprise team " + strings.Join(m.Via, ", "),
		Next: "an owner of the enterprise takes them out of that team, then retry",
	}
}

// All streams members, those who are invited by their login, and outside collaborators.
func (i invited) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		for _, role := range []string{"admin", "member"} {
			all, err := pages[user](ctx, i.client, "listing members", "/orgs/"+i.org+"/members", url.Values{"role": {role}})
			if err != nil {
				yield(dayone.Item{}, err)
				return
			}
			for _, u := range all {
				if !yield(i.item(u, membership{State: "active", Role: role}), nil) {
					return
				}
			}
		}
		all, err := i.invitations(ctx, "invitations")
		for _, in := range all {
			if in.Login == "" {
				continue
			}
			var m membership
			if m, err = i.membership(ctx, in.Login); errors.Is(err, dayone.ErrNotFound) || err == nil && m.State != "pending" {
				err = nil // it was taken up, or back, in between
				continue
			}
			if err != nil {
				break
			}
			it := i.item(m.User, m)
			it.Created = in.Created.UTC()
			if !yield(it, nil) {
				return
			}
		}
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		outside, err := i.outside(ctx)
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		for _, u := range outside {
			if !yield(i.outsider(u), nil) {
				return
			}
		}
	}
}
