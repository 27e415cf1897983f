package gitlab

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

var _ connector.Revoker = accounts{}

// credential is a token or key in the inventory of a group, which shows those of enterprise users alone.
// https://docs.gitlab.com/api/group_enterprise_users/ and https://docs.gitlab.com/user/group/credentials_inventory/
type credential struct {
	ID      int    `json:"id"`
	UserID  int    `json:"user_id"`
	Name    string `json:"name"`  // of a token
	Title   string `json:"title"` // of a key
	Revoked bool   `json:"revoked"`
	Active  *bool  `json:"active"` // missing: a key, which is good as long as it is there
}

var inventories = []struct{ path, note string }{
	{"personal_access_tokens", "a personal access token"},
	{"ssh_keys", "an SSH key"},
}

// good lists what still opens something for a user.
func (a accounts) good(ctx context.Context, ref string, each func(path, note string, c credential)) error {
	id, err := a.userID(ctx, ref)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, in := range inventories {
		path := "/groups/" + url.PathEscape(a.top) + "/manage/" + in.path
		all, err := pages[credential](ctx, a.client, "listing credentials", path, nil)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.UserID == id && !c.Revoked && (c.Active == nil || *c.Active) {
				each(path, in.note, c)
			}
		}
	}
	return nil
}

// Revoke takes tokens and keys back that the group can see.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	if !a.credentials {
		return nil
	}
	var paths []string
	if err := a.good(ctx, ref, func(path, _ string, c credential) { paths = append(paths, path+"/"+strconv.Itoa(c.ID)) }); err != nil {
		return err
	}
	for _, path := range paths {
		_, err := a.rest.Do(ctx, httpc.Request{Op: "revoking credential", Method: "DELETE", Path: path}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

// tokens are tokens and keys that are left.
func (a accounts) tokens(ctx context.Context, account dayone.Item) (out []dayone.Remain, err error) {
	err = a.good(ctx, account.Ref, func(_, note string, c credential) {
		out = append(out, dayone.Remain{Name: c.Name + c.Title, Ref: strconv.Itoa(c.ID), Note: note, Act: "an administrator revokes it in the credentials inventory of the group"})
	})
	return out, err
}
