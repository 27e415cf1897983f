package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Who decides about an entitlement is the catalogue's word (policy/catalogue.go). Where that becomes policies alone, what they
// do not give goes, whoever gave it: a plan for everybody says beforehand who loses what.

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
