package github

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// teams are entitlements by the team's name in its address; their id is the team's number, since names change.
type teams struct {
	*client
	all  memberships
	only []string // none: all
}

var _ connector.Entitlements = teams{}

// team of the organization. https://docs.github.com/rest/teams/teams
type team struct {
	ID   int    `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

func (t teams) managed(slug string) bool { return len(t.only) == 0 || slices.Contains(t.only, slug) }

// Held are the teams that somebody is in themselves, or will be when the invitation is accepted.
func (t teams) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	login, err := t.all.login(ctx, account)
	if err != nil || login == "" {
		return nil, err
	}
	m, err := t.membership(ctx, login)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil // only members are in teams
	}
	if err != nil {
		return nil, err
	}
	in, state := []seat(nil), dayone.Active
	if m.State == "pending" {
		state = dayone.Pending
		in, err = t.offered(ctx, login)
	} else {
		in, err = t.seats(ctx, login)
	}
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, s := range in {
		if m.Role == "admin" {
			s.Role = "" // GitHub calls every owner of the organization a maintainer
		}
		if t.managed(s.Slug) {
			out = append(out, dayone.Item{Key: dayone.Key{Name: s.Slug}, Ref: strconv.Itoa(s.ID), Role: s.Role, State: state})
		}
	}
	return out, nil
}

// offered are the teams of an invitation. https://docs.github.com/rest/orgs/members#list-organization-invitation-teams
func (t teams) offered(ctx context.Context, login string) ([]seat, error) {
	all, err := t.invitations(ctx, "invitations")
	if err != nil {
		return nil, err
	}
	var out []seat
	for _, i := range all {
		if !strings.EqualFold(i.Login, login) {
			continue
		}
		in, err := pages[team](ctx, t.client, "listing teams of invitation", "/orgs/"+t.org+"/invitations/"+strconv.Itoa(i.ID)+"/teams", nil)
		if err != nil {
			return nil, err
		}
		for _, x := range in {
			var place struct {
				Role string `json:"role"`
			}
			err := t.call(ctx, "reading team membership", "GET", login, strconv.Itoa(x.ID), nil, &place)
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return nil, err
			}
			out = append(out, seat{x.ID, x.Slug, place.Role})
		}
	}
	return out, nil
}

func (t teams) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		all, err := pages[team](ctx, t.client, "listing teams", "/orgs/"+t.org+"/teams", nil)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, x := range all {
			if t.managed(x.Slug) && !yield(dayone.Offer{Key: dayone.Key{Name: x.Slug}, Ref: strconv.Itoa(x.ID), Title: x.Name}, nil) {
				return
			}
		}
	}
}

// Add gives a place in a team, or another role there.
func (t teams) Add(ctx context.Context, account string, want dayone.Item) error {
	if want.Role != "member" && want.Role != "maintainer" {
		return t.Fault("adding to team", dayone.ErrInvalid, "", "a team needs a role, member or maintainer, and there is none called \""+want.Role+"\"")
	}
	return t.change(ctx, "adding to team", "PUT", account, want.Ref, map[string]string{"role": want.Role})
}

func (t teams) Remove(ctx context.Context, account string, is dayone.Item) error {
	return t.change(ctx, "removing from team", "DELETE", account, is.Ref, nil)
}

func (t teams) change(ctx context.Context, op, method, account, ref string, body any) error {
	login, err := t.all.login(ctx, account)
	if err != nil {
		return err
	}
	if login == "" {
		return t.Fault(op, dayone.ErrNotFound, "", "nobody has accepted the invitation yet")
	}
	err = t.call(ctx, op, method, login, ref, body, nil)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Err == dayone.ErrForbidden && f.Code == "HTTP 403" {
		out := *f
		out.Next = "if the identity provider synchronises this team, grant its group there and take the team out of the policy; else the token may not change teams"
		return &out
	}
	return err
}

// call is about somebody's place in a team, by the numbers of organization and team.
// https://docs.github.com/rest/teams/members#add-or-update-team-membership-for-a-user
func (t teams) call(ctx context.Context, op, method, login, ref string, in, out any) error {
	org, err := t.orgID(ctx)
	if err != nil {
		return err
	}
	path := "/organizations/" + org + "/team/" + url.PathEscape(ref) + "/memberships/" + url.PathEscape(login)
	_, err = t.Do(ctx, httpc.Request{Op: op, Method: method, Path: path, JSON: in}, out)
	return err
}
