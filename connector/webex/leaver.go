package webex

import (
	"context"
	"errors"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

var _ connector.Revoker = accounts{}

// Revoke ends every authorisation that the person gave, the applications of Webex itself included: without one they are
// signed out. Where the Service App may not read them the account is only closed, and a certificate says that tokens could
// not be read.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	list, err := a.authorizations(ctx, ref)
	if errors.Is(err, dayone.ErrForbidden) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := a.deleteAuthorization(ctx, x.ID); err != nil {
			return err
		}
	}
	return nil
}

// tokens are authorisations that are left.
func (a accounts) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	list, err := a.authorizations(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, x := range list {
		out = append(out, dayone.Remain{Name: x.Application, Ref: x.ID, Note: "an application that they let in (" + x.Type + ")"})
	}
	return out, nil
}

// unreturned are devices that still ring for the person, whoever put them there.
func (a accounts) unreturned(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	list, err := a.devicesOf(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, d := range list {
		out = append(out, dayone.Remain{Name: d.Product + " " + d.Serial, Ref: d.ID, Note: "it is registered to them", Act: "collect it, then delete it in Control Hub under Devices"})
	}
	return out, nil
}
