package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// directory is who is who, by the books.
type directory struct {
	*Flow
	ctx   context.Context
	known map[string]people.Colleague
	err   error
}

func (d *directory) row(mail string) (store.Row, bool) {
	r, err := d.Store.PersonByEmail(d.ctx, mail)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		d.err = errors.Join(d.err, err)
	}
	return r, err == nil
}

func (d *directory) Colleague(mail string) people.Colleague {
	c, ok := d.known[mail]
	if !ok {
		r, found := d.row(mail)
		c = people.Colleague{Mail: mail, Manager: r.Manager, Status: r.Status, Known: found}
		d.known[mail] = c
	}
	return c
}

func (d *directory) Members(group string) []string {
	out := slices.Clone(d.Asking.Groups[group])
	var keys []dayone.Key
	for name, sys := range d.Active().Systems {
		if _, ok := sys.Kinds["group"]; ok {
			keys = append(keys, dayone.Key{System: name, Kind: "group", Name: group})
		}
	}
	held, err := d.Store.Holders(d.ctx, keys)
	d.err = errors.Join(d.err, err)
	out = append(out, held...)
	slices.Sort(out)
	return slices.Compact(out)
}

func (d *directory) StandIns(of string) (out []people.StandIn) {
	r, ok := d.row(of)
	if !ok {
		return nil
	}
	list, err := d.Store.Delegations(d.ctx, r.ID, d.Clock.Now())
	d.err = errors.Join(d.err, err)
	for _, g := range list {
		to, err := d.Store.Person(d.ctx, g.Delegate)
		if err == nil && to.Email != "" {
			out = append(out, people.StandIn{To: to.Email, From: g.From, Until: g.Until})
		}
	}
	return out
}

// deciders are those who may decide a request now.
func (f *Flow) deciders(ctx context.Context, r dayone.Petition, escalated bool) ([]dayone.Decider, error) {
	row, err := f.Store.Person(ctx, r.Person)
	if err != nil {
		return nil, err
	}
	q := people.Question{
		For: people.Colleague{Mail: row.Email, Manager: row.Manager, Status: row.Status, Known: true}, Askers: r.Askers(), Rule: r.Rule,
		Fallback: f.Asking.Fallback, Escalated: escalated,
	}
	for _, b := range r.Because {
		if i := slices.IndexFunc(f.Active().Policies, func(p *policy.Policy) bool { return p.ID == b.Policy }); i >= 0 && q.Owner == "" {
			q.Owner = f.Active().Policies[i].Owner
		}
	}
	d := &directory{Flow: f, ctx: ctx, known: map[string]people.Colleague{}}
	var out []dayone.Decider
	for _, s := range people.Deciders(q, d, f.Clock.Now()) {
		out = append(out, s.Deciders...)
	}
	if d.err != nil {
		return nil, fmt.Errorf("finding who decides: %w", d.err)
	}
	return out, nil
}

// LetDecide lets somebody decide for somebody else for a time. Both are said by id, mail address or name. ErrForbidden: it is not
// for whoever asks to say who decides for them.
func (f *Flow) LetDecide(ctx context.Context, who, to string, from, until time.Time, by string) (dayone.Delegation, error) {
	var g dayone.Delegation
	now := f.Clock.Now()
	if from.IsZero() {
		from = now
	}
	a, err := f.Named(ctx, who)
	if err != nil {
		return g, err
	}
	if err := f.speaksFor(ctx, a.ID); err != nil {
		return g, err
	}
	b, err := f.Named(ctx, to)
	switch {
	case err != nil:
		return g, err
	case a.ID == b.ID:
		return g, fmt.Errorf("that is one and the same person; name somebody else: %w", dayone.ErrInvalid)
	case !until.After(from) || !until.After(now):
		return g, fmt.Errorf("it ends before it begins, or is over; name a later end: %w", dayone.ErrInvalid)
	case until.Sub(from) > 366*24*time.Hour:
		return g, fmt.Errorf("nobody decides for somebody else for more than a year: %w", dayone.ErrInvalid)
	case b.Status != dayone.Working || b.Email == "":
		return g, fmt.Errorf("whoever is to decide does not work here now: %w", dayone.ErrInvalid)
	}
	g = dayone.Delegation{ID: f.IDs.New("dlg"), Person: a.ID, Delegate: b.ID, From: from, Until: until, By: by, Made: now}
	return g, f.Store.Delegate(ctx, g, dayone.Record{At: now, Person: a.ID, What: "delegation made", By: by, Detail: &dayone.Detail{Note: string(b.ID)}})
}

// Delegations that have not ended.
func (f *Flow) Delegations(ctx context.Context) ([]dayone.Delegation, error) {
	list, err := f.Store.Delegations(ctx, "", f.Clock.Now())
	if err != nil || scopeOf(ctx).AllPeople() {
		return list, err
	}
	return seen(list, func(g dayone.Delegation) (bool, error) {
		for _, id := range []dayone.PersonID{g.Person, g.Delegate} {
			if err := f.inSight(ctx, id); err != nil {
				return false, notOf(err)
			}
		}
		return true, nil
	})
}

// EndDelegation ends one now.
func (f *Flow) EndDelegation(ctx context.Context, id, by string) error {
	now := f.Clock.Now()
	list, err := f.Store.Delegations(ctx, "", now)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(list, func(g dayone.Delegation) bool { return g.ID == id }); i >= 0 {
		if err := f.speaksFor(ctx, list[i].Person); err != nil {
			return err
		}
	}
	return f.Store.EndDelegation(ctx, id, now, dayone.Record{At: now, What: "delegation ended", By: by, Detail: &dayone.Detail{Note: id}})
}
