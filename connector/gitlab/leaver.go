package gitlab

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

// inherited are groups that somebody reaches though nobody made her a member of them: through a group that is invited into
// them. https://docs.gitlab.com/api/members/#get-a-member-of-a-group-or-project-including-inherited-and-invited-members
func (g groups) inherited(ctx context.Context, account dayone.Item) ([]dayone.Remain, error) {
	id, err := g.userID(ctx, account.Ref)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := g.below(ctx)
	if err != nil {
		return nil, err
	}
	var out []dayone.Remain
	for _, x := range all {
		ref := strconv.Itoa(x.ID)
		_, err := g.member(ctx, ref, id)
		if err == nil {
			continue // a member of her own right: shown as such
		}
		if !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
		var m struct {
			Level int `json:"access_level"`
		}
		_, err = g.rest.Do(ctx, httpc.Request{Op: "reading inherited member", Method: "GET", Path: "/groups/" + url.PathEscape(ref) + "/members/all/" + strconv.Itoa(id)}, &m)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
		case err != nil:
			return nil, err
		case m.Level > levels["minimal"]:
			out = append(out, dayone.Remain{Name: x.FullPath, Ref: ref, Note: "as " + role(m.Level) + ", through another group", Act: "they are taken out of the group that brings it"})
		}
	}
	return out, nil
}
