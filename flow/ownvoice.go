package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Who decides does so in her own name: what somebody types proves nothing, and a token is its maker's.

// ForOthers says whether whoever asks may enter what others decide: an administrator, and a login that several share and is
// nobody's own. A token that was made in the portal has a maker, who is somebody.
func (f *Flow) ForOthers(ctx context.Context) (bool, error) {
	v, asked := ctx.Value(viewerKey{}).(dayone.Viewer)
	switch {
	case !asked || v.Role == dayone.Administrator:
		return true, nil
	case v.Role != dayone.Operator && v.Role != dayone.Approver || dayone.IsMail(v.Login):
		return false, nil
	}
	made, err := f.behind(ctx)
	return len(made) == 1, err
}

// OwnPerson is who of the books is logged in by an address of hers; "": nobody in particular.
func (f *Flow) OwnPerson(ctx context.Context) (dayone.PersonID, error) {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	if !dayone.IsMail(v.Login) {
		return "", nil
	}
	row, err := f.Store.PersonByEmail(ctx, v.Login)
	if err == nil || !errors.Is(err, dayone.ErrNotFound) {
		return row.ID, err
	}
	found, err := f.peopleOf(ctx, []string{asLogin(v.Login)})
	slices.Sort(found)
	if found = slices.Compact(found); err != nil || len(found) != 1 { // an address that two have had proves nothing
		return "", err
	}
	return found[0], nil
}

// speaksFor refuses whoever asks to say who decides for somebody, unless they are that person or may enter it for others.
func (f *Flow) speaksFor(ctx context.Context, who dayone.PersonID) error {
	others, err := f.ForOthers(ctx)
	if err != nil || others {
		return err
	}
	own, err := f.OwnPerson(ctx)
	if err == nil && own != who {
		err = fmt.Errorf("you say for yourself alone who decides in your place; whoever else is away signs in, or asks an administrator: %w", dayone.ErrForbidden)
	}
	return err
}

// voices are the logins behind some of which each is somebody's: mail addresses, and tokens that were made in the portal. What
// several share is nobody.
func (f *Flow) voices(ctx context.Context, logins ...string) ([]string, error) {
	var out []string
	for _, login := range logins {
		if login == "" {
			continue
		}
		all, err := f.makers(ctx, login)
		if err != nil {
			return nil, err
		}
		for i, one := range all {
			if dayone.IsMail(one) || i+1 < len(all) {
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// ownMatter says whether somebody who decides, or who is behind the login that enters it, has asked for it or would get it.
func (f *Flow) ownMatter(ctx context.Context, r dayone.Petition, mail string, who ...string) (bool, error) {
	first := []string{mail}
	for _, a := range r.Asks {
		first = append(first, a.Of, a.By)
	}
	hers, err := f.voices(ctx, first...)
	if err != nil {
		return false, err
	}
	deciding, err := f.voices(ctx, who...)
	if err != nil {
		return false, err
	}
	one, err := f.oneOf(ctx, hers, deciding)
	if err != nil || one {
		return one, err
	}
	of, err := f.peopleOf(ctx, deciding)
	return slices.Contains(of, r.Person), err
}

// answeredBefore says of each login below an answer whether somebody behind it is behind another one, too.
func (f *Flow) answeredBefore(ctx context.Context, votes []dayone.Vote, by string) (map[string]bool, error) {
	now, err := f.voices(ctx, by)
	out := map[string]bool{}
	for _, v := range votes {
		if err != nil {
			return nil, err
		}
		var before []string
		if before, err = f.voices(ctx, v.By); err == nil {
			out[strings.ToLower(v.By)], err = f.oneOf(ctx, before, now)
		}
	}
	return out, err
}
