package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Who decides about an entitlement is the catalogue's word (policy/catalogue.go). Where that becomes policies alone, what they
// do not give goes, whoever gave it: a plan for everybody says beforehand who loses what. What systems show otherwise from then
// on is put right after the comparison that found it, and what others decide about goes into the books as it is there.

// itself is who is named where nobody decided.
const itself = "Dayone"

// What is put right so often in so many days and differs again is contested: another system or somebody changes it back, and
// two who undo each other's work every night help nobody.
const (
	contestedAfter  = 2
	contestedWithin = 30 * 24 * time.Hour
)

const rightedItself = "put right by itself"

// settle sees to what a whole comparison found and nobody has to decide about.
func (c *comparing) settle(ctx context.Context) error {
	if c.off || c.reading.At.IsZero() || len(c.sure) == 0 {
		return nil
	}
	var rights []DriftView
	q := DriftFilter{System: c.system, Limit: pageOf}
	for {
		rows, err := c.Store.Drift(ctx, q)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !c.sure[differing{row.Person, row.Key}] {
				continue
			}
			if c.in.Authority(row.Key) == dayone.Observe {
				if err := c.observe(ctx, row); err != nil {
					return err
				}
				continue
			}
			v, is, err := c.rightable(ctx, row)
			if err != nil {
				return err
			}
			if is {
				rights = append(rights, v)
			}
		}
		if len(rows) < q.Limit {
			break
		}
		q.Before = rows[len(rows)-1].ID
	}
	return c.putRight(ctx, rights)
}

// rightable says whether a difference can be put right now: nothing holds it, and something would be done about it.
func (c *comparing) rightable(ctx context.Context, row DriftRow) (DriftView, bool, error) {
	v, err := c.DriftOf(ctx, row.ID)
	if errors.Is(err, dayone.ErrNotFound) { // somebody was faster
		return v, false, nil
	}
	does := slices.ContainsFunc(v.Steps, func(s dayone.Step) bool { return s.Key.Kind == row.Key.Kind })
	return v, v.Exclusive && v.Waits+v.Holds == "" && does, err
}

// putRight puts right what policies alone decide about. More at once than may be taken away in a day is held whole: that many
// differ where a system answers wrongly, or where somebody means it.
func (c *comparing) putRight(ctx context.Context, list []DriftView) error {
	now := c.Clock.Now()
	var rest []DriftView
	many := map[dayone.PersonID]bool{}
	for _, v := range list {
		var whats []string
		for _, kind := range dayone.DriftKinds {
			whats = append(whats, driftSaid(rightedItself, v.Key, kind))
		}
		n, err := c.Store.Acted(ctx, v.Person, whats, now.Add(-contestedWithin))
		if err != nil {
			return err
		}
		if n >= contestedAfter {
			if err := c.Store.KeepDrift(ctx, v.Drift, dayone.DriftContested); err != nil {
				return err
			}
			continue
		}
		free, err := c.Store.LetGo(ctx, v.Person, v.Key, now)
		if err != nil {
			return err
		}
		many[v.Person] = many[v.Person] || !free
		rest = append(rest, v)
	}
	maps.DeleteFunc(many, func(_ dayone.PersonID, counts bool) bool { return !counts })
	managed, err := c.managedOf(ctx, "")
	if err != nil {
		return err
	}
	if c.Removals.Off == "" && len(many) > c.Removals.people(managed) {
		for _, v := range rest {
			if err := c.Store.KeepDrift(ctx, v.Drift, dayone.DriftBraked); err != nil {
				return err
			}
		}
		return nil
	}
	for _, v := range rest {
		_, err := c.decideDrift(ctx, v.ID, itself, "policies alone decide about "+v.Key.String(), rightedItself, func(*dayone.Holding, books) (*dayone.Hold, error) { return nil, nil })
		switch {
		case errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrConflict): // a human was faster, or a run is at it
			continue
		case err != nil:
			return err
		}
		if _, err := c.planAnew(ctx, v.Person, "", "", true); err != nil {
			c.Log.Warn("what was to be put right waits for the next look", "person", v.Person, "error", err)
		}
	}
	return nil
}

// observe lets the books have what others decided.
func (c *comparing) observe(ctx context.Context, row DriftRow) error {
	_, err := c.decideDrift(ctx, row.ID, itself, "others decide about "+row.Key.String(), "observed", func(h *dayone.Holding, _ books) (*dayone.Hold, error) {
		if row.Kind == dayone.DriftExtra {
			h.Because = []dayone.Reason{dayone.SeenFirst(row.Since)}
		}
		return nil, nil
	})
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrConflict) {
		return nil
	}
	return err
}

// turned are the keys about which policies alone are to decide, and did not everywhere before.
func (c *comparison) turned() (keys []dayone.Key, systems []string) {
	before := []*policy.Set{c.against}
	if c.against == nil {
		before[0] = c.force.base
		for _, s := range c.force.stages {
			before = append(before, s.set)
		}
	}
	for name, sys := range c.pr.Set.Systems {
		had := len(keys)
		for kind, k := range sys.Kinds {
			names := k.Names
			if len(names) == 0 {
				names = []string{""}
			}
			for _, n := range names {
				key := dayone.Key{System: name, Kind: kind, Name: n}
				if !key.IsAccount() && sys.Authority(key) == dayone.Exclusive && slices.ContainsFunc(before, func(s *policy.Set) bool { return s.Systems[name].Authority(key) != dayone.Exclusive }) {
					admin := key
					admin.As = dayone.Admin
					keys = append(keys, key, admin)
				}
			}
		}
		if len(keys) > had {
			systems = append(systems, name)
		}
	}
	return keys, systems
}

// exposes are the people who have one of those keys: by the books, or as their system showed it when it was read last.
func (c *comparison) exposes(ctx context.Context) (map[dayone.PersonID][]dayone.Drift, error) {
	keys, systems := c.turned()
	if len(keys) == 0 {
		return nil, nil
	}
	have, err := c.Store.HaveOf(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("reading who has what policies alone are to decide about: %w", err)
	}
	out := map[dayone.PersonID][]dayone.Drift{}
	for id := range have {
		out[id] = []dayone.Drift{}
	}
	for _, name := range systems {
		q := DriftFilter{System: name, Kind: dayone.DriftExtra, Limit: pageOf}
		for {
			rows, err := c.Store.Drift(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, x := range rows {
				if slices.Contains(keys, x.Key) {
					out[x.Person] = append(out[x.Person], x.Drift)
				}
			}
			if len(rows) < q.Limit {
				break
			}
			q.Before = rows[len(rows)-1].ID
		}
	}
	return out, nil
}

// uncovered is what somebody loses since policies alone are to decide about it, and none of them gives it.
func (l *looks) uncovered(p dayone.Person, old *policy.Set, have []dayone.Holding, after dayone.Want) (out []Given) {
	drift, is := l.exposed[p.ID]
	if !is || p.Status == dayone.Left {
		return nil
	}
	set := l.pr.Set
	goes := func(k dayone.Key) bool {
		if kind := set.Systems[k.System].Kinds[k.Kind]; kind.Exclusive && k.Name == kind.Default {
			return false
		}
		wanted := func(g dayone.Grant) bool { return g.Key == k }
		return set.Systems[k.System].Authority(k) == dayone.Exclusive && old.Systems[k.System].Authority(k) != dayone.Exclusive &&
			!slices.ContainsFunc(after.Grants, wanted) && !slices.ContainsFunc(after.Pending, wanted) && !slices.Contains(after.Keep, k)
	}
	held := heldOf(have)
	protected := func(k dayone.Key) bool {
		ref := held[k.Account()].Ref
		return ref != "" && slices.Contains(set.Systems[k.System].Protected, ref)
	}
	for _, h := range have {
		if len(h.Because) == 0 || h.State == dayone.Gone || h.Key.IsAccount() || !goes(h.Key) || protected(h.Key) || h.Key.As != dayone.Personal && h.Key.As != dayone.Admin {
			continue
		}
		if !slices.ContainsFunc(h.Because, func(r dayone.Reason) bool { return r.Policy != dayone.Baseline }) {
			out = append(out, Given{Key: h.Key, Role: h.Role, By: h.Because[0].String()})
		}
	}
	for _, x := range drift {
		if goes(x.Key) && !protected(x.Key) {
			out = append(out, Given{Key: x.Key, Role: x.Is.Role, By: "seen at " + x.Key.System + " since " + x.Since.UTC().Format(time.DateOnly)})
		}
	}
	slices.SortFunc(out, func(a, b Given) int {
		if a.Key.Less(b.Key) {
			return -1
		}
		return 1
	})
	return out
}
