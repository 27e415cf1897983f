package entra

import (
	"context"
	"iter"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type groups struct{ *client }

// memberOf streams what the user herself is a member of: groups, roles and administrative units.
func (c *client) memberOf(ctx context.Context, ref string, each func(group) bool) error {
	return pages(ctx, c, &c.Client, httpc.Request{
		Op: "listing memberships", Method: "GET", Path: userPath(ref) + "/memberOf", Query: url.Values{"$select": {groupFields}, "$top": {"999"}},
	}, each)
}

// Held are groups of which she is a member by somebody's hand, not by a rule.
func (g groups) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var out []dayone.Item
	err := g.memberOf(ctx, account, func(x group) bool {
		if x.Type == "#microsoft.graph.group" && !x.dynamic() {
			out = append(out, dayone.Item{Key: dayone.Key{Name: x.Name}, Ref: x.ID, State: dayone.Active})
		}
		return true
	})
	return out, err
}

// Offers are groups that have members by hand and a name of their own. https://learn.microsoft.com/graph/api/group-list
func (g groups) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		var all []group
		named := map[string]int{}
		err := pages(ctx, g.client, &g.Client, httpc.Request{
			Op: "listing groups", Method: "GET", Path: "/groups", Query: url.Values{"$select": {groupFields}, "$top": {"999"}},
		}, func(x group) bool {
			if named[x.Name]++; !x.dynamic() {
				all = append(all, x)
			}
			return true
		})
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, x := range all {
			if named[x.Name] == 1 && !yield(dayone.Offer{Key: dayone.Key{Name: x.Name}, Ref: x.ID, Title: x.Description}, nil) {
				return
			}
		}
	}
}

// writable refuses groups whose members others say.
func (g groups) writable(ctx context.Context, op, ref, instead string) error {
	var x group
	err := g.call(ctx, &g.Client, httpc.Request{Op: "reading group", Method: "GET", Path: "/groups/" + url.PathEscape(ref), Query: url.Values{"$select": {groupFields}}}, &x)
	switch {
	case err != nil:
		return err
	case x.Synced:
		return g.Fault(op, dayone.ErrUnsupported, "", "the group is synchronised from Active Directory on premises; "+instead+" the member there, and it shows here after the next synchronisation")
	case x.dynamic():
		return g.Fault(op, dayone.ErrUnsupported, "", "a rule says who is in this dynamic group; change the rule, or what it reads of the user")
	case x.exchange():
		return g.Fault(op, dayone.ErrUnsupported, "", "Graph only reads distribution lists and mail-enabled security groups; "+instead+" the member in Exchange")
	}
	return nil
}

// Add names the user as a directory object. https://learn.microsoft.com/graph/api/group-post-members
func (g groups) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "adding group member"
	if err := g.writable(ctx, op, want.Ref, "add"); err != nil {
		return err
	}
	return g.call(ctx, &g.Client, httpc.Request{
		Op: op, Method: "POST", Path: "/groups/" + url.PathEscape(want.Ref) + "/members/$ref", JSON: g.reference("directoryObjects", account),
	}, nil)
}

// Remove takes the link away, never what it links to: the path must end in /$ref, since without it Graph deletes the user.
// https://learn.microsoft.com/graph/api/group-delete-members
func (g groups) Remove(ctx context.Context, account string, is dayone.Item) error {
	const op = "removing group member"
	if account == "" || is.Ref == "" {
		return g.Fault(op, dayone.ErrInvalid, "", "it is not known which group and whom")
	}
	if err := g.writable(ctx, op, is.Ref, "remove"); err != nil {
		return err
	}
	return g.call(ctx, &g.Client, httpc.Request{
		Op: op, Method: "DELETE", Path: "/groups/" + url.PathEscape(is.Ref) + "/members/" + url.PathEscape(account) + "/$ref",
	}, nil)
}
