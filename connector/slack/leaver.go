package slack

import (
	"context"
	"errors"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

var _ connector.Revoker = accounts{}

// Revoke signs somebody out on every device. Closing the account by SCIM ends its sessions by itself; this says it once more
// where the organisation lets us. https://docs.slack.dev/reference/methods/admin.users.session.reset
func (a accounts) Revoke(ctx context.Context, ref string) error {
	if a.org == nil {
		return nil
	}
	err := a.callBy(ctx, a.org, "ending sessions", "POST", "admin.users.session.reset", url.Values{"user_id": {ref}}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}
