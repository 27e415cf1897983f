package entra

import (
	"context"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type recipient struct {
	Email struct {
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// inboxRule is one of a user's own. https://learn.microsoft.com/graph/api/resources/messagerule
type inboxRule struct {
	ID      string `json:"id"`
	Name    string `json:"displayName"`
	On      bool   `json:"isEnabled"`
	Actions struct {
		Forward  []recipient `json:"forwardTo"`
		Attached []recipient `json:"forwardAsAttachmentTo"`
		Redirect []recipient `json:"redirectTo"`
	} `json:"actions"`
}

// forwards are rules of the inbox by which a user's mail goes to somebody else. Of a mailbox that Graph does not reach, which
// may also be one on premises, nothing is known. What an administrator set for the whole mailbox Graph does not tell.
func (a accounts) forwards(ctx context.Context, account dayone.Item) (out []dayone.Remain, err error) {
	q := httpc.Request{Op: "listing inbox rules", Method: "GET", Path: userPath(account.Ref) + "/mailFolders/inbox/messageRules"}
	err = pages(ctx, a.client, &a.Client, q, func(r inboxRule) bool {
		var to []string
		for _, list := range [][]recipient{r.Actions.Forward, r.Actions.Attached, r.Actions.Redirect} {
			for _, x := range list {
				to = append(to, x.Email.Address)
			}
		}
		if r.On && len(to) > 0 {
			out = append(out, dayone.Remain{Name: strings.Join(to, ", "), Ref: r.ID, Note: "a rule of their inbox forwards some of their mail", Act: "an administrator removes the inbox rule"})
		}
		return true
	})
	return out, err
}
