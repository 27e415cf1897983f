package unity

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// lists are the server's distribution lists. A user does not show on which ones they are: each list is asked.
type lists struct{ *server }

var _ connector.Entitlements = lists{}

// automatic are lists that the server fills by itself: everybody with a mailbox, everybody with an address.
var automatic = []string{"allvoicemailusers", "allvoicemailenabledcontacts"}

func (l lists) every(ctx context.Context) ([]object, error) {
	rows, err := l.all(ctx, "listing distribution lists", "/vmrest/distributionlists", "DistributionList", nil)
	return slices.DeleteFunc(rows, func(o object) bool { return slices.Contains(automatic, strings.ToLower(o["Alias"])) }), err
}

func members(list string) string {
	return "/vmrest/distributionlists/" + url.PathEscape(list) + "/distributionlistmembers"
}

// member is the id of a user's place on a list; "": the user is not on it.
func (l lists) member(ctx context.Context, list, account string) (id string, err error) {
	var q url.Values
	if l.members {
		if q, err = l.is("reading members", "MemberUserObjectId", account); err != nil {
			return "", err
		}
	}
	err = l.list(ctx, "reading members", members(list), "DistributionListMember", q, func(o object) (bool, error) {
		if strings.EqualFold(o["MemberUserObjectId"], account) {
			id = o.id()
		}
		return id == "", nil
	})
	if l.members && errors.Is(err, dayone.ErrInvalid) {
		return "", l.advise(err, "if this release cannot search among members, set member_query to false")
	}
	return id, err
}

func (l lists) item(o object) dayone.Item {
	return dayone.Item{Key: dayone.Key{Name: o["Alias"]}, Ref: o.id(), State: dayone.Active}
}

func (l lists) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	rows, err := l.every(ctx)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, o := range rows {
		id, err := l.member(ctx, o.id(), account)
		if errors.Is(err, dayone.ErrNotFound) {
			continue // the list went while we read
		}
		if err != nil {
			return nil, err
		}
		if id != "" {
			out = append(out, l.item(o))
		}
	}
	return out, nil
}

// everybody are the lists of each user, by user: each list is read once.
func (l lists) everybody(ctx context.Context) (map[string][]dayone.Item, error) {
	rows, err := l.every(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]dayone.Item{}
	for _, o := range rows {
		err := l.list(ctx, "reading members", members(o.id()), "DistributionListMember", nil, func(m object) (bool, error) {
			if ref := m["MemberUserObjectId"]; ref != "" {
				out[ref] = append(out[ref], l.item(o))
			}
			return true, nil
		})
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
	}
	return out, nil
}

func (l lists) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		rows, err := l.every(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, o := range rows {
			if !yield(dayone.Offer{Key: dayone.Key{Name: o["Alias"]}, Ref: o.id(), Title: o["DisplayName"]}, nil) {
				return
			}
		}
	}
}

func (l lists) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "adding to distribution list"
	id, err := l.member(ctx, want.Ref, account)
	if err != nil {
		return err
	}
	if id != "" {
		return l.Fault(op, dayone.ErrConflict, "", "the mailbox is on it already")
	}
	_, err = l.write(ctx, op, "POST", members(want.Ref), nil, object{"MemberUserObjectId": account})
	return l.loud(err)
}

func (l lists) Remove(ctx context.Context, account string, is dayone.Item) error {
	const op = "removing from distribution list"
	id, err := l.member(ctx, is.Ref, account)
	if err != nil {
		return err
	}
	if id == "" {
		return l.Fault(op, dayone.ErrNotFound, "", "the mailbox is not on it")
	}
	_, err = l.write(ctx, op, "DELETE", members(is.Ref)+"/"+url.PathEscape(id), nil, nil)
	return err
}
