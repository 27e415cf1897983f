package atlassian

import (
	"cmp"
	"context"
	"errors"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// apiToken of somebody, of which only the name is ever shown.
// https://developer.atlassian.com/cloud/admin/user-management/rest/api-group-api-tokens/
type apiToken struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

func (c *client) apiTokens(ctx context.Context, id string) ([]apiToken, error) {
	var out []apiToken
	_, err := c.org.Do(ctx, httpc.Request{Op: "listing API tokens" + atOrg, Method: "GET", Path: manage(id) + "/api-tokens"}, &out)
	return out, err
}

func manage(id string) string { return "/users/" + url.PathEscape(id) + "/manage" }

// dropTokens deletes every API token of an account that the organization manages. One that it does not manage shows none, and
// is closed all the same.
func (c *client) dropTokens(ctx context.Context, id string) error {
	if !c.hasOrg {
		return nil
	}
	all, err := c.apiTokens(ctx, id)
	if errors.Is(err, dayone.ErrForbidden) || errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, t := range all {
		_, err := c.org.Do(ctx, httpc.Request{Op: "deleting API token" + atOrg, Method: "DELETE", Path: manage(id) + "/api-tokens/" + url.PathEscape(t.ID)}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

// restored ignores that there was nothing to restore.
func (c *client) restored(err error) error {
	if err == nil || dayone.Again(err) || errors.Is(err, dayone.ErrAuth) {
		return err
	}
	var f *dayone.Fault
	if errors.As(err, &f) && (f.Err == dayone.ErrForbidden || f.Next != "") {
		return err
	}
	return nil
}

// tokens are what a certificate asks for.
type tokens struct {
	*client
	all accounts
}

func (t tokens) left(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	id, err := t.all.accountID(ctx, account.Ref)
	if err != nil {
		if id = account.Attrs.Text("account_id"); id == "" {
			return nil, err // who is not shown cannot be read: that is not nothing
		}
	}
	all, err := t.apiTokens(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, one := range all {
		out = append(out, dayone.Remain{
			Name: cmp.Or(one.Label, one.ID), Ref: one.ID, Note: "an API token", Act: "an administrator revokes it in Atlassian Administration under the account's API tokens",
		})
	}
	return out, nil
}
