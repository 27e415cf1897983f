package entra

import (
	"context"
	"errors"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// consent is what a user let an application do. https://learn.microsoft.com/graph/api/resources/oauth2permissiongrant
type consent struct {
	ID     string `json:"id"`
	Client string `json:"clientId"`
	Scope  string `json:"scope"`
}

// Revoke ends sessions and refresh tokens, then takes back passes and consents as far as we are permitted; what we may not
// take back a certificate calls unread. https://learn.microsoft.com/graph/api/user-revokesigninsessions
func (a accounts) Revoke(ctx context.Context, ref string) error {
	err := a.call(ctx, &a.Client, httpc.Request{Op: "ending sessions", Method: "POST", Path: userPath(ref) + "/revokeSignInSessions"}, nil)
	if err != nil {
		return err
	}
	return errors.Join(a.dropPasses(ctx, ref), a.dropConsents(ctx, ref))
}

func (a accounts) dropPasses(ctx context.Context, ref string) error {
	list, err := a.passes(ctx, ref)
	if err != nil {
		return permitted(err)
	}
	for _, p := range list {
		if err := a.deletePass(ctx, ref, p.ID); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return permitted(err)
		}
	}
	return nil
}

func (a accounts) dropConsents(ctx context.Context, ref string) error {
	list, err := a.consents(ctx, ref)
	if err != nil {
		return permitted(err)
	}
	for _, g := range list {
		err := a.call(ctx, &a.Client, httpc.Request{Op: "revoking consent", Method: "DELETE", Path: "/oauth2PermissionGrants/" + url.PathEscape(g.ID)}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return permitted(err)
		}
	}
	return nil
}

// permitted drops a refusal for want of a permission that may be left out.
func permitted(err error) error {
	if errors.Is(err, dayone.ErrForbidden) {
		return nil
	}
	return err
}

// ofNobody turns "no such user" into nothing: nobody can act as a user who was deleted.
func ofNobody(read func(context.Context, dayone.Item) ([]dayone.Remain, error)) func(context.Context, dayone.Item) ([]dayone.Remain, error) {
	return func(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
		list, err := read(ctx, account)
		if errors.Is(err, dayone.ErrNotFound) {
			return nil, nil
		}
		return list, err
	}
}

func (a accounts) consents(ctx context.Context, ref string) (out []consent, err error) {
	err = pages(ctx, a.client, &a.Client, httpc.Request{Op: "listing consents of user", Method: "GET", Path: userPath(ref) + "/oauth2PermissionGrants"}, func(g consent) bool {
		out = append(out, g)
		return true
	})
	return out, err
}

// tokens are what lives on without a password: passes, and what applications may do in the user's name.
func (a accounts) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	cs, err := a.consents(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	ps, err := a.passes(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, g := range cs {
		out = append(out, dayone.Remain{Name: "application " + g.Client, Ref: g.ID, Note: "may act for them:" + g.Scope})
	}
	for _, p := range ps {
		if p.Usable {
			out = append(out, dayone.Remain{Name: "temporary access pass", Ref: p.ID, Note: "it can still be used"})
		}
	}
	return out, nil
}

// roles are directory roles that the user holds. https://learn.microsoft.com/graph/api/user-list-memberof
func (a accounts) roles(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	var out []dayone.Remain
	err := a.memberOf(ctx, account.Ref, func(g group) bool {
		if g.Type == "#microsoft.graph.directoryRole" {
			out = append(out, dayone.Remain{Name: g.Name, Ref: g.ID, Note: "a directory role", Act: "it is taken from them in Roles and administrators"})
		}
		return true
	})
	return out, err
}

// owned are groups, applications and their service principals. https://learn.microsoft.com/graph/api/user-list-ownedobjects
func (a accounts) owned(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	var out []dayone.Remain
	err := pages(ctx, a.client, &a.Client, httpc.Request{
		Op: "listing what user owns", Method: "GET", Path: userPath(account.Ref) + "/ownedObjects", Query: url.Values{"$select": {"id,displayName"}, "$top": {"999"}},
	}, func(g group) bool {
		out = append(out, dayone.Remain{Name: g.Name, Ref: g.ID, Note: "they own it", Act: "another owner is named, then they are taken out"})
		return true
	})
	return out, err
}
