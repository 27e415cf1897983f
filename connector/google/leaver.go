package google

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

// grant is an application that a user let in. https://developers.google.com/workspace/admin/directory/reference/rest/v1/tokens
type grant struct {
	Client string `json:"clientId"`
	Name   string `json:"displayText"`
}

// appPassword is one that an old mail program uses. https://developers.google.com/workspace/admin/directory/reference/rest/v1/asps
type appPassword struct {
	Code int    `json:"codeId"`
	Name string `json:"name"`
}

func (a accounts) grants(ctx context.Context, ref string) (out []grant, err error) {
	err = pages(ctx, a.client, &a.security, "items", httpc.Request{Op: "listing tokens of user", Method: "GET", Path: userPath(ref) + "/tokens", Query: url.Values{}}, func(g grant) bool {
		out = append(out, g)
		return true
	})
	return out, err
}

func (a accounts) appPasswords(ctx context.Context, ref string) (out []appPassword, err error) {
	err = pages(ctx, a.client, &a.security, "items", httpc.Request{Op: "listing application passwords of user", Method: "GET", Path: userPath(ref) + "/asps", Query: url.Values{}}, func(p appPassword) bool {
		out = append(out, p)
		return true
	})
	return out, err
}

// Revoke signs the user out everywhere and takes back what lives on without a sign-in: grants of applications and
// application passwords. Where nobody authorised that scope the user is only suspended, and a certificate says that tokens
// could not be read.
func (a accounts) Revoke(ctx context.Context, ref string) error {
	err := a.call(ctx, &a.security, httpc.Request{Op: "signing user out", Method: "POST", Path: userPath(ref) + "/signOut"}, nil)
	if unauthorised(err) {
		return nil
	}
	if err != nil {
		return err
	}
	gs, err := a.grants(ctx, ref)
	if err != nil {
		return err
	}
	for _, g := range gs {
		if err := a.drop(ctx, "revoking token", userPath(ref)+"/tokens/"+url.PathEscape(g.Client)); err != nil {
			return err
		}
	}
	ps, err := a.appPasswords(ctx, ref)
	if err != nil {
		return err
	}
	for _, p := range ps {
		if err := a.drop(ctx, "deleting application password", userPath(ref)+"/asps/"+strconv.Itoa(p.Code)); err != nil {
			return err
		}
	}
	return nil
}

func (a accounts) drop(ctx context.Context, op, path string) error {
	err := a.call(ctx, &a.security, httpc.Request{Op: op, Method: "DELETE", Path: path}, nil)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}

// tokens are grants and application passwords that are left.
func (a accounts) tokens(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	gs, err := a.grants(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	ps, err := a.appPasswords(ctx, account.Ref)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, g := range gs {
		out = append(out, dayone.Remain{Name: g.Name, Ref: g.Client, Note: "an application that they let in"})
	}
	for _, p := range ps {
		out = append(out, dayone.Remain{Name: p.Name, Ref: strconv.Itoa(p.Code), Note: "an application password"})
	}
	return out, nil
}

// owned are the groups that the user owns. https://developers.google.com/workspace/admin/directory/reference/rest/v1/members/get
func (a accounts) owned(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	var in []group
	err := a.listGroups(ctx, account.Ref, func(g group) bool {
		in = append(in, g)
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, g := range in {
		var m struct {
			Role string `json:"role"`
		}
		err := a.call(ctx, &a.Client, httpc.Request{Op: "reading group member", Method: "GET", Path: memberPath(g.ID) + "/" + url.PathEscape(account.Ref)}, &m)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
		case err != nil:
			return nil, err
		case m.Role == "OWNER":
			out = append(out, dayone.Remain{Name: g.Email, Ref: g.ID, Note: "they own this group", Act: "another owner is named, then they are taken out"})
		}
	}
	return out, nil
}
