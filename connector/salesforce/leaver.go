package salesforce

import (
	"context"
	"errors"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/httpc"
)

var _ connector.Revoker = accounts{}

// open is what a user has open: sessions, and what applications hold in her name.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_authsession.htm
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm
var opens = []struct{ object, whose, name, note string }{
	{"AuthSession", "UsersId", "SessionType", "a session"},
	{"OauthToken", "UserId", "AppName", "a token that an application holds"},
}

// open lists them, by object and id.
func (a accounts) open(ctx context.Context, ref string, each func(object, id, name, note string)) error {
	for _, o := range opens {
		err := query(ctx, a.client, "reading what is open", "SELECT Id, "+o.name+" FROM "+o.object+" WHERE "+o.whose+" = "+quote(ref), func(r row) bool {
			each(o.object, r.text("Id"), r.text(o.name), o.note)
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Revoke ends every session and takes every token back. Where our user may not see those of others the account is only closed,
// and a certificate says that tokens could not be read.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	type one struct{ object, id string }
	var all []one
	err := a.open(ctx, ref, func(object, id, _, _ string) { all = append(all, one{object, id}) })
	if hidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range all {
		err := a.do(ctx, httpc.Request{Op: "ending what is open", Method: "DELETE", Path: a.data + "/sobjects/" + o.object + "/" + o.id}, nil)
		if err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return err
		}
	}
	return nil
}

// hidden says that the org does not show these objects to our user.
func hidden(err error) bool {
	var f *dayone.Fault
	return errors.Is(err, dayone.ErrForbidden) || errors.As(err, &f) && f.Code == "INVALID_TYPE"
}

// tokens are sessions and tokens that are left.
func (a accounts) tokens(ctx context.Context, account dayone.Item) (out []dayone.Remain, err error) {
	err = a.open(ctx, account.Ref, func(_, id, name, note string) {
		out = append(out, dayone.Remain{Name: name, Ref: id, Note: note})
	})
	return out, err
}
