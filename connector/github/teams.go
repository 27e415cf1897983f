package github

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"

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
	ID     int    `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Parent *struct {
		ID int `json:"id"`
	} `json:"parent"`
}

func (t team) ref() string { return strconv.Itoa(t.ID) }

func (t teams) list(ctx context.Context) ([]team, error) {
	return pages[team](ctx, t.client, "listing teams", "/orgs/"+t.org+"/teams", nil)
}

func (t teams) managed(x team) bool { return len(t.only) == 0 || slices.Contains(t.only, x.Slug) }

func (t teams) path(slug, login string) string {
	return "/orgs/" + t.org + "/teams/" + url.PathEscape(slug) + "/memberships/" + url.PathEscape(login)
}

// place is somebody's in a team. https://docs.github.com/rest/teams/members#get-team-membership-for-a-user
type place struct {
	Role  string `json:"role"`
	State string `json:"state"`
}

// Held asks every managed team. One whose child team holds somebody shows them as well: then its own list says whether they
// are in it themselves.
func (t teams) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	login, err := t.all.login(ctx, account)
	if err != nil || login == "" {
		return nil, err
	}
	all, err := t.list(ctx)
	if err != nil {
		return nil, err
	}
	parents := map[int]bool{}
	for _, x := range all {
		if x.Parent != nil {
			parents[x.Parent.ID] = true
		}
	}
	owner := "" // asked for once it matters
	var out []dayone.Item
	for _, x := range all {
		if !t.managed(x) {
			continue
		}
		var p place
		_, err := t.Do(ctx, httpc.Request{Op: "reading team membership", Method: "GET", Path: t.path(x.Slug, login)}, &p)
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if parents[x.ID] && p.State == "active" {
			direct, err := t.direct(ctx, x, login)
			if err != nil {
				return nil, err
			}
			if !direct {
				continue
			}
		}
		if p.Role == "maintainer" && owner == "" {
			m, err := t.membership(ctx, login)
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return nil, err
			}
			owner = m.Role + "."
		}
		it := dayone.Item{Key: dayone.Key{Name: x.Slug}, Ref: x.ref(), Role: p.Role, State: dayone.Active}
		if owner == "admin." {
			it.Role = "" // GitHub calls every owner of the organization a maintainer
		}
		if p.State == "pending" {
			it.State = dayone.Pending
		}
		out = append(out, it)
	}
	return out, nil
}

// direct says that somebody is in a team themselves, not only in one below it.
// https://docs.github.com/rest/teams/members#list-team-members
func (t teams) direct(ctx context.Context, x team, login string) (bool, error) {
	type member struct {
		Login     string `json:"login"`
		Inherited bool   `json:"inherited"`
	}
	all, err := pages[member](ctx, t.client, "listing team members", "/orgs/"+t.org+"/teams/"+url.PathEscape(x.Slug)+"/members", nil)
	return slices.ContainsFunc(all, func(m member) bool { return m.Login == login && !m.Inherited }), err
}

func (t teams) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		all, err := t.list(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, x := range all {
			if t.managed(x) && !yield(dayone.Offer{Key: dayone.Key{Name: x.Slug}, Ref: x.ref(), Title: x.Name}, nil) {
				return
			}
		}
	}
}

// slug is the name that a team has today.
func (t teams) slug(ctx context.Context, ref string) (string, error) {
	all, err := t.list(ctx)
	if err != nil {
		return "", err
	}
	for _, x := range all {
		if x.ref() == ref {
			return x.Slug, nil
		}
	}
	return "", t.Fault("looking up team", dayone.ErrNotFound, "", "the team is not there any more")
}

// Add gives a place in a team, or another role there.
func (t teams) Add(ctx context.Context, account string, want dayone.Item) error {
	if want.Role != "member" && want.Role != "maintainer" {
		return t.Fault("adding to team", dayone.ErrInvalid, "", "a team needs a role, member or maintainer, and there is none called \""+want.Role+"\"")
	}
	return t.call(ctx, "adding to team", "PUT", account, want.Ref, map[string]string{"role": want.Role})
}

func (t teams) Remove(ctx context.Context, account string, is dayone.Item) error {
	return t.call(ctx, "removing from team", "DELETE", account, is.Ref, nil)
}

func (t teams) call(ctx context.Context, op, method, account, ref string, body any) error {
	login, err := t.all.login(ctx, account)
	if err != nil {
		return err
	}
	if login == "" {
		return t.Fault(op, dayone.ErrNotFound, "", "nobody has accepted the invitation yet")
	}
	slug, err := t.slug(ctx, ref)
	if err != nil {
		return err
	}
	_, err = t.Do(ctx, httpc.Request{Op: op, Method: method, Path: t.path(slug, login), JSON: body}, nil)
	var f *dayone.Fault
	if errors.As(err, &f) && f.Err == dayone.ErrForbidden && f.Code == "HTTP 403" {
		out := *f
		out.Next = "if the identity provider synchronises this team, grant its group there and take the team out of the policy; else the token may not change teams"
		return &out
	}
	return err
}
