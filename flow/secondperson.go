package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// What takes two persons takes two logins: one proposes, another one confirms. A name that is typed proves nothing.

var (
	errNobodyIn = fmt.Errorf("this takes two persons with a login each; sign in with yours: %w", dayone.ErrForbidden)
	errSameOne  = fmt.Errorf("you proposed this, or who proposed it has made your token; it takes somebody else with a login of their own: %w", dayone.ErrForbidden)
)

// stated is who does something as it is recorded: what is typed proves nothing, so the login stands beside it.
func stated(ctx context.Context, by string) string {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	by = cmp.Or(strings.TrimSpace(by), v.Login)
	if v.Login != "" && !strings.EqualFold(by, v.Login) {
		by += " (logged in as " + v.Login + ")"
	}
	return by
}

// behind are the logins of whoever asks: their own, and those of who made it where it is a token's, and so on. Of several tokens
// that were ever called so all count, as what one did is recorded by its name. None: nobody is logged in.
func (f *Flow) behind(ctx context.Context) ([]string, error) {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	if v.Login == "" {
		return nil, nil
	}
	return f.makers(ctx, v.Login)
}

// makers are a login and those of who made it, where it is a token's.
func (f *Flow) makers(ctx context.Context, login string) ([]string, error) {
	tokens, err := f.Store.Tokens(ctx, time.Unix(0, 0)) // those that have ended, too
	if err != nil {
		return nil, err
	}
	out := []string{asLogin(login)}
	for i := 0; i < len(out); i++ {
		for _, t := range tokens {
			if by := asLogin(t.By); asLogin(t.Name) == out[i] && !slices.Contains(out, by) {
				out = append(out, by)
			}
		}
	}
	return out, nil
}

// asLogin is a login as it is compared. The administrator's token has one name on pages and another one at the API.
func asLogin(login string) string {
	if login = strings.ToLower(strings.TrimSpace(login)); login == "administrator" {
		return "api"
	}
	return login
}

// oneOf says whether somebody may be behind both of two lists of logins: by a login, or as a person of the books by whatever
// address. When in doubt they are one.
func (f *Flow) oneOf(ctx context.Context, a, b []string) (bool, error) {
	for _, x := range a {
		if slices.ContainsFunc(b, func(y string) bool { return sameLogin(x, y) }) {
			return true, nil
		}
	}
	of, err := f.peopleOf(ctx, a)
	if err != nil || len(of) == 0 {
		return false, err
	}
	others, err := f.peopleOf(ctx, b)
	return slices.ContainsFunc(others, func(p dayone.PersonID) bool { return slices.Contains(of, p) }), err
}

// sameLogin also finds kim and kim@company.com to be one: a token is often called by the first half of its holder's address.
func sameLogin(x, y string) bool {
	a, at, whole := strings.Cut(x, "@")
	b, bt, other := strings.Cut(y, "@")
	return a == b && (at == bt || whole != other)
}

// peopleOf are those of the books who have or had one of some logins: as an address, their own one too, or as a name.
func (f *Flow) peopleOf(ctx context.Context, logins []string) ([]dayone.PersonID, error) {
	var out []dayone.PersonID
	for _, login := range logins {
		row, err := f.Store.PersonByEmail(ctx, login)
		if err == nil {
			out = append(out, row.ID)
		} else if !errors.Is(err, dayone.ErrNotFound) {
			return nil, err
		}
		for attr, a := range f.Active().Schema.Attributes {
			if a.Made == nil { // names of that kind are not kept for ever
				continue
			}
			p, err := f.Store.NameOwner(ctx, store.Name{Attr: attr, Value: login})
			if err != nil {
				return nil, err
			}
			if p != "" {
				out = append(out, p)
			}
		}
		marks := f.marksOf([]people.Trait{{Kind: people.TraitMail, Value: login}, {Kind: people.TraitFormer, Value: login}})
		found, err := f.Store.Marked(ctx, marks)
		if err != nil {
			return nil, err
		}
		for _, who := range found {
			out = append(out, who...)
		}
	}
	for i, p := range out {
		to, err := f.Store.PersonOfMerged(ctx, p)
		if err != nil {
			return nil, err
		}
		out[i] = cmp.Or(to, p)
	}
	return out, nil
}

// another refuses whoever asks as the second person, if the first may be them.
func (f *Flow) another(ctx context.Context, first []string) error {
	second, err := f.behind(ctx)
	if err != nil {
		return err
	}
	if len(second) == 0 {
		return errNobodyIn
	}
	one, err := f.oneOf(ctx, first, second)
	if err == nil && one {
		err = errSameOne
	}
	return err
}

// proposeRelease keeps what whoever is logged in wants let through, until somebody else confirms it.
func (f *Flow) proposeRelease(ctx context.Context, v BrakeView, d BrakeDecision) (dayone.Brake, error) {
	logins, err := f.behind(ctx)
	if err == nil && len(logins) == 0 {
		err = errNobodyIn
	}
	if err != nil {
		return v.Brake, err
	}
	p := dayone.ProposedRelease{By: d.By, Logins: logins, At: f.Clock.Now().Truncate(time.Microsecond), Reason: d.Reason, Hash: d.Hash}
	if err := f.Store.ProposeRelease(ctx, v.ID, p, v.veiled(), v.record(p.At, "brake release proposed", d.By, d)); err != nil {
		return v.Brake, err
	}
	f.Log.Info("the release of a brake is proposed", "brake", v.ID, "scope", v.Scope, "held", v.Held)
	return f.Store.Brake(ctx, v.ID)
}

// confirmRelease lets through what somebody else has proposed.
func (f *Flow) confirmRelease(ctx context.Context, v BrakeView, d BrakeDecision) (dayone.Brake, error) {
	p := v.Proposed
	if err := f.another(ctx, p.Logins); err != nil {
		return v.Brake, err
	}
	second := d.By
	d.By = p.By
	if d.Reason = cmp.Or(d.Reason, p.Reason); d.Reason != p.Reason {
		d.Reason = p.Reason + "; " + d.Reason
	}
	return f.decideBrake(ctx, v, dayone.BrakeReleased, d, second, p.At)
}

// TakeBackRelease takes a proposed release back: the brake holds as if nobody had proposed it.
func (f *Flow) TakeBackRelease(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.brakeHead(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	d.By, d.Reason = stated(ctx, d.By), strings.TrimSpace(d.Reason)
	switch {
	case v.State != dayone.BrakeOn:
		return v.Brake, fmt.Errorf("this brake is %s already: %w", v.State, dayone.ErrConflict)
	case v.Proposed == nil:
		return v.Brake, fmt.Errorf("nobody has proposed to let this through: %w", dayone.ErrConflict)
	case d.By == "":
		return v.Brake, fmt.Errorf("say who takes it back: %w", dayone.ErrInvalid)
	}
	d.Hash = v.Proposed.Hash
	if err := f.Store.TakeBackRelease(ctx, id, v.Proposed.At, v.veiled(), v.record(f.Clock.Now(), "brake release taken back", d.By, d)); err != nil {
		return v.Brake, err
	}
	return f.Store.Brake(ctx, id)
}

// ConfirmAnnouncement lets an announced lay-off count from now on, as a second person says so, too.
func (f *Flow) ConfirmAnnouncement(ctx context.Context, id, by string) (dayone.Announcement, error) {
	now := f.Clock.Now()
	list, err := f.Announced(ctx)
	if err != nil {
		return dayone.Announcement{}, err
	}
	i := slices.IndexFunc(list, func(a dayone.Announcement) bool { return a.ID == id })
	if i < 0 {
		return dayone.Announcement{}, fmt.Errorf("no such lay-off is announced, or it is over: %w", dayone.ErrNotFound)
	}
	a := list[i]
	if a.LetsPass(now, f.TwoPersons) {
		return a, fmt.Errorf("this announcement counts already: %w", dayone.ErrConflict)
	}
	if err := f.another(ctx, a.Logins); err != nil {
		return a, err
	}
	a.Second, a.Counts = stated(ctx, by), now
	return a, f.Store.ConfirmAnnouncement(ctx, id, a.Second, now, dayone.Record{
		At: now, What: "lay-off confirmed", System: a.Source, By: both(a.By, a.Second), Detail: &dayone.Detail{Note: fmt.Sprintf("%s: %s", id, a.Reason)},
	})
}

// Announces says whether whoever asks may be who announced a lay-off, or is nobody, and confirms nothing.
func (f *Flow) Announces(ctx context.Context, a dayone.Announcement) (bool, error) {
	err := f.another(ctx, a.Logins)
	if errors.Is(err, dayone.ErrForbidden) {
		return true, nil
	}
	return false, err
}

// Waits says whether an announcement lets nobody pass yet, whatever its window is.
func (f *Flow) Waits(a dayone.Announcement) bool { return !a.LetsPass(f.Clock.Now(), f.TwoPersons) }
