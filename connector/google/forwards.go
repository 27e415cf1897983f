package google

import (
	"context"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

const mailSettings = "/gmail/v1/users/me/settings"

// forwards are the ways by which a user's mail goes to somebody else: the forward of everything, filters that forward, and
// those who may read the mailbox. They are read in the user's own name, which Google may refuse for a suspended one: then it
// is not known. https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.settings
func (a accounts) forwards(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	box := a.mailbox(account.Attrs.Text("email"))
	read := func(what string, out any) error {
		_, err := box.Do(ctx, httpc.Request{Op: "reading mail settings", Method: "GET", Path: mailSettings + "/" + what}, out)
		return err
	}
	var all struct {
		Enabled bool   `json:"enabled"`
		To      string `json:"emailAddress"`
	}
	var some struct {
		Filter []struct {
			ID     string `json:"id"`
			Action struct {
				Forward string `json:"forward"`
			} `json:"action"`
		} `json:"filter"`
	}
	var others struct {
		Delegates []struct {
			Email string `json:"delegateEmail"`
		} `json:"delegates"`
	}
	for what, out := range map[string]any{"autoForwarding": &all, "filters": &some, "delegates": &others} {
		if err := read(what, out); err != nil {
			return nil, err
		}
	}
	var out []dayone.Remain
	if all.Enabled {
		out = append(out, dayone.Remain{Name: all.To, Note: "all of their mail is forwarded", Act: "an administrator turns the forward off in their settings"})
	}
	for _, f := range some.Filter {
		if f.Action.Forward != "" {
			out = append(out, dayone.Remain{Name: f.Action.Forward, Ref: f.ID, Note: "a filter forwards some of their mail", Act: "an administrator deletes the filter"})
		}
	}
	for _, d := range others.Delegates {
		out = append(out, dayone.Remain{Name: d.Email, Note: "they may read the mailbox", Act: "an administrator takes the delegation back, unless it was agreed upon"})
	}
	return out, nil
}
