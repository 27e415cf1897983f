package okta

import (
	"context"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

var _ connector.Revoker = accounts{}

// Revoke ends the user's sessions at Okta and every OAuth token that Okta gave out; sessions that an application holds by
// itself are that application's.
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserSessions/#tag/UserSessions/operation/revokeUserSessions
func (a accounts) Revoke(ctx context.Context, ref string) error {
	_, err := a.Do(ctx, httpc.Request{
		Op: "revoking sessions and tokens", Method: "DELETE", Path: "/api/v1/users/" + url.PathEscape(ref) + "/sessions", Query: url.Values{"oauthTokens": {"true"}},
	}, nil)
	return err
}

// tokens are refresh tokens that applications still hold in the user's name.
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserOAuth/
func (a accounts) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	type oauthClient struct {
		ID   string `json:"client_id"`
		Name string `json:"client_name"`
	}
	type token struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	base := "/api/v1/users/" + url.PathEscape(account.Ref) + "/clients"
	var clients []oauthClient
	err := pages(ctx, a.client, httpc.Request{Op: "listing clients of user", Method: "GET", Path: base}, func(c oauthClient) bool {
		clients = append(clients, c)
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, c := range clients {
		err := pages(ctx, a.client, httpc.Request{Op: "listing tokens of user", Method: "GET", Path: base + "/" + url.PathEscape(c.ID) + "/tokens"}, func(t token) bool {
			if t.Status != "REVOKED" {
				out = append(out, dayone.Remain{Name: c.Name, Ref: t.ID, Note: "a refresh token that the application holds"})
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
