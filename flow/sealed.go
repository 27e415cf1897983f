package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
)

// SecretLink is a one-time link to something of somebody's that nobody has opened yet.
type SecretLink struct {
	Key    dayone.Key
	System string // titles, as on the link's page
	Thing  string // "": the first password of an account
	URL    string
	Opens  time.Time
	Waits  bool // it is not made yet
}

// Links are the one-time links of somebody that nobody has opened, for whoever has lost the message with one. They open with
// the hand-over code alone, which is not here. Whoever has systems passes on what opens these.
func (f *Flow) Links(ctx context.Context, id dayone.PersonID) ([]SecretLink, error) {
	row, err := f.Person(ctx, id)
	if err != nil {
		return nil, err
	}
	l, err := f.Preview(ctx, id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return nil, err
	}
	have, err := f.Store.Holdings(ctx, id, false) // without a plan they open all the same
	if err != nil {
		return nil, err
	}
	have = slices.DeleteFunc(have, func(h dayone.Holding) bool { return !covers(ctx, row, h.Key) || f.closed(l, h) })
	return f.unopened(ctx, id, have, f.opens(l.Person))
}

// covers says whether what somebody has is in the scope of whoever asks.
func covers(ctx context.Context, row Row, k dayone.Key) bool {
	return scopeOf(ctx).Covers(row.Country, row.Company, k.System)
}

// unopened are links to what is in the books, as it stands there.
func (f *Flow) unopened(ctx context.Context, id dayone.PersonID, have []dayone.Holding, opens time.Time) ([]SecretLink, error) {
	var out []SecretLink
	for _, h := range have {
		if !h.Ours || h.State == dayone.Gone { // what was found there has secrets of its own
			continue
		}
		generation := h.Generation
		if h.Renews() {
			generation++
		}
		for _, name := range secretNames(f.Active().Systems[h.Key.System].Kinds[h.Key.Kind].Mapping) {
			sec := engine.SecretIDOf(planner.Once(id, h.Key, generation), name)
			box, _, err := f.Store.Secret(ctx, sec)
			if err != nil {
				return nil, err
			}
			if box != "" || h.Renews() {
				link := f.secretLink(h.Key, sec, opens)
				link.Waits = h.Renews()
				out = append(out, link)
			}
		}
	}
	return out, nil
}

// closed says whether an account is closed for good: it was taken back, its owner left, or nothing gives it any more. One that
// is closed until a first day, or over a leave, is not. What it is opened with is good again if the account is.
func (f *Flow) closed(l Look, h dayone.Holding) bool {
	if h.State != dayone.Disabled {
		return false
	}
	back := slices.ContainsFunc(l.Holds, func(o dayone.Hold) bool { return o.Covers(h.Key) && o.Brake == "" && !o.Keep })
	if back || l.Person.Status == dayone.Left {
		return true
	}
	is := func(g dayone.Grant) bool { return g.Key == h.Key }
	return !slices.ContainsFunc(l.Want.Grants, is) && !slices.ContainsFunc(l.Want.Later, is) && !slices.ContainsFunc(l.Want.Pending, is) &&
		!slices.Contains(l.Want.Keep, h.Key) && !slices.Contains(f.Active().Brings(l.Want.Grants), h.Key)
}

func (f *Flow) secretLink(k dayone.Key, id dayone.SecretID, opens time.Time) SecretLink {
	sys := f.Active().Systems[k.System]
	out := SecretLink{Key: k, System: cmp.Or(sys.Title, k.System), URL: f.Base + "/secret/" + url.PathEscape(f.Keeper.Token(string(id))), Opens: opens}
	if !k.IsAccount() {
		out.Thing = cmp.Or(sys.Kinds[k.Kind].Title, k.Kind)
	}
	return out
}

// SealedLink is a one-time link before it is opened.
type SealedLink struct {
	System string // title
	Thing  string // what it came with: "Device by code"; "": it is an account's first password
	Opens  time.Time
	Zone   *time.Location // where the person works: who opens a link has no other
	Opened time.Time
	Locked bool // too many wrong codes
	Waits  bool // what it opens is made and not in force yet
	Over   bool // what it opened is not good any more: it was renewed, or taken back
}

// maxTries of the hand-over code before a link is dead.
const maxTries = 10

// Link looks at a one-time link without opening it: a mail scanner may do that as often as it likes.
func (f *Flow) Link(ctx context.Context, token string) (SealedLink, error) {
	s, err := f.Store.SecretByMark(ctx, secret.Mark(token))
	if err != nil {
		return SealedLink{}, err
	}
	out := SealedLink{Opened: s.Opened, Locked: s.Tries >= maxTries}
	t, err := f.Store.Timeline(ctx, s.Person)
	if err != nil {
		return out, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	out.Opens = f.opens(p)
	out.Zone, _ = p.Location()
	if h, n, found := f.madeWith(ctx, s); found {
		l := f.secretLink(h.Key, s.ID, out.Opens)
		out.System, out.Thing = l.System, l.Thing
		out.Waits, out.Over = n > h.Generation, n < h.Generation
		if h.State == dayone.Disabled && !out.Over {
			l, err := f.Preview(ctx, s.Person)
			if err != nil && !errors.Is(err, dayone.ErrInvalid) {
				return out, err
			}
			out.Over = f.closed(l, h)
		}
	}
	return out, nil
}

// madeWith is what a secret was made with, and at which time it was given: it may be gone, renewed or given anew since.
func (f *Flow) madeWith(ctx context.Context, s store.LinkedSecret) (dayone.Holding, int, bool) {
	hs, err := f.Store.Holdings(ctx, s.Person, true)
	if err != nil {
		return dayone.Holding{}, 0, false // the link opens all the same
	}
	for _, h := range hs {
		last := h.Generation
		if h.Renews() {
			last++
		}
		for n := last; n >= 0; n-- {
			if engine.MadeWith(s.ID, planner.Once(s.Person, h.Key, n)) {
				return h, n, true
			}
		}
	}
	return dayone.Holding{}, 0, false
}

// OpenLink shows a secret once: not before its hour, only with the code that the manager hands over, and never again.
func (f *Flow) OpenLink(ctx context.Context, token, code string) (dayone.Secret, error) {
	s, err := f.Store.SecretByMark(ctx, secret.Mark(token))
	if err != nil {
		return dayone.Secret{}, err
	}
	link, err := f.Link(ctx, token)
	if err != nil {
		return dayone.Secret{}, err
	}
	now := f.Clock.Now()
	switch {
	case !s.Opened.IsZero() || s.Box == "":
		return dayone.Secret{}, fmt.Errorf("this link was used; ask IT for a new one: %w", dayone.ErrConflict)
	case link.Over:
		return dayone.Secret{}, fmt.Errorf("what lies behind this link is not good any more; there is a newer one, or it was taken back: %w", dayone.ErrConflict)
	case link.Waits:
		return dayone.Secret{}, fmt.Errorf("what lies behind this link is being made; look again in a few minutes: %w", dayone.ErrForbidden)
	case now.Before(link.Opens):
		return dayone.Secret{}, fmt.Errorf("this link opens on %s: %w", link.Opens.Format("Monday 2 January at 15:04"), dayone.ErrForbidden)
	}
	switch err := f.Store.TrySecret(ctx, s.ID, maxTries); {
	case errors.Is(err, dayone.ErrForbidden):
		return dayone.Secret{}, fmt.Errorf("too many wrong codes; ask IT for a new link: %w", err)
	case err != nil:
		return dayone.Secret{}, err
	case !f.Keeper.SameCode(string(s.Person), code):
		return dayone.Secret{}, fmt.Errorf("the code is not right; your manager has it: %w", dayone.ErrAuth)
	}
	sec, err := f.Keeper.Open(s.Box)
	if err != nil {
		return dayone.Secret{}, err
	}
	return sec, f.Store.OpenSecret(ctx, s.ID, now, dayone.Record{At: now, Person: s.Person, What: "credential opened", Detail: &dayone.Detail{Note: string(s.ID)}})
}
