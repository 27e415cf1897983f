package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

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

// owned is what an account may be the last owner of.
type owned struct {
	groups
	accounts accounts
}

// handOver makes the heir an owner of every group of which this account is the last one: closing an account takes all of its
// memberships along. Where nobody is there to be one, the account stays as it is until somebody names one there.
func (o owned) handOver(ctx context.Context, account string, one *dayone.Item, heir map[string]string) error {
	id, err := o.userID(ctx, account)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	at := []group{{FullPath: "the top-level group"}}
	if one != nil {
		at = []group{{FullPath: one.Key.Name}}
		if at[0].ID, err = strconv.Atoi(one.Ref); err != nil {
			return o.rest.Fault("handing over", dayone.ErrInvalid, "", "a group's id is no number")
		}
	} else {
		below, err := o.below(ctx)
		if err != nil {
			return err
		}
		at = append(at, below...)
	}
	for _, x := range at {
		ref := o.top
		if x.ID != 0 {
			ref = strconv.Itoa(x.ID)
		}
		level, err := o.member(ctx, ref, id)
		if errors.Is(err, dayone.ErrNotFound) || err == nil && level < levels["owner"] {
			continue
		}
		if err != nil {
			return err
		}
		if last, err := o.lastOwner(ctx, ref, id); err != nil || !last {
			if err != nil {
				return err
			}
			continue
		}
		if err := o.appoint(ctx, ref, x.FullPath, heir); err != nil {
			return err
		}
	}
	return nil
}

// lastOwner says that no other human owns a group, neither directly nor through a group above or one that is invited.
// https://docs.gitlab.com/api/members/#list-all-members-of-a-group-or-project-including-inherited-and-invited-members
func (o owned) lastOwner(ctx context.Context, ref string, id int) (bool, error) {
	type member struct {
		ID       int    `json:"id"`
		Username string `json:"username"`
		State    string `json:"state"`
		Level    int    `json:"access_level"`
	}
	all, err := pages[member](ctx, o.client, "listing members", "/groups/"+url.PathEscape(ref)+"/members/all", nil)
	for _, m := range all {
		// bots of access tokens own groups as well, and answer for nothing
		bot := strings.HasPrefix(m.Username, "group_") && strings.Contains(m.Username, "_bot") || strings.HasPrefix(m.Username, "service_account_")
		if m.ID != id && m.Level >= levels["owner"] && m.State == "active" && !bot {
			return false, nil
		}
	}
	return err == nil, err
}

// appoint makes the heir an owner. ErrUnsupported: there is none, or none who can be one.
func (o owned) appoint(ctx context.Context, ref, name string, heir map[string]string) error {
	none := func(why string) error {
		return &dayone.Fault{
			System: o.rest.System, Op: "handing over", Err: dayone.ErrUnsupported, Detail: fmt.Sprintf("they are the last owner of the group %s, and %s", name, why),
			Next: "make somebody else its owner at GitLab, then retry",
		}
	}
	if heir["email"] == "" {
		return none("nobody is known who takes over")
	}
	found, err := o.accounts.Find(ctx, "email", heir["email"])
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0].State != dayone.Active {
		return none("whoever takes over has no open account in the group")
	}
	to, err := o.userID(ctx, found[0].Ref)
	if err != nil {
		return err
	}
	err = o.addMember(ctx, ref, to, levels["owner"])
	if errors.Is(err, dayone.ErrConflict) {
		err = o.editMember(ctx, ref, to, levels["owner"])
	}
	return err
}
