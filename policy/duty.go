package policy

import (
	"cmp"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Separation of duty: two things that nobody may have at one time.

// side says whether k is what a duty names: on whichever of the person's accounts, unless it names one.
func side(named, k dayone.Key) bool {
	if named.As == dayone.Personal {
		k.As = dayone.Personal
	}
	return named == k
}

// duties withholds the later side of a forbidden pair; both, if neither is there yet. What somebody has counts whoever
// gave it. Windows that never meet are no conflict.
func (e *evaluation) duties(waivers []*Waiver) {
	for _, d := range e.Duties {
		has, fresh, later := map[int][]dayone.Key{}, map[int][]dayone.Key{}, map[int][]dayone.Key{}
		for i, named := range d.Never {
			seen := map[dayone.Key]bool{}
			for k, h := range e.ctx.Held {
				if side(named, k) && h.State != dayone.Disabled && h.State != dayone.Gone {
					has[i] = append(has[i], k)
					seen[k] = true
				}
			}
			for _, m := range []map[dayone.Key]dayone.Grant{e.grants, e.pend} {
				for k := range m {
					if side(named, k) && !seen[k] {
						fresh[i] = append(fresh[i], k)
						seen[k] = true
					}
				}
			}
			for k := range e.later {
				if side(named, k) && !seen[k] {
					later[i] = append(later[i], k)
				}
			}
		}
		sides := 0
		for i := range d.Never {
			if len(has[i])+len(fresh[i]) > 0 {
				sides++
			}
		}
		waiver := slices.IndexFunc(waivers, func(w *Waiver) bool { return w.Duty == d.ID })
		if sides < 2 {
			if waiver < 0 {
				e.ahead(d, has, fresh, later)
			}
			continue
		}
		old, new := flat(has), flat(fresh)
		title, both := cmp.Or(d.Title, d.ID), keyList(append(slices.Clone(old), new...))
		finds := func(kind, at, format string, args ...any) { e.finding(kind, dayone.Key{}, d.ID, at, format, args...) }
		if waiver >= 0 {
			w := waivers[waiver]
			finds("waived", w.At.line(), "%s: %s; waived until %s by %s, with %s instead", title, both, w.Until, w.Approver, w.Control)
			continue
		}
		if !d.Block {
			finds("sod", d.At.line(), "%s: %s; nobody should have these together", title, both)
			continue
		}
		for _, k := range new {
			delete(e.grants, k)
			delete(e.pend, k)
		}
		switch {
		case len(new) == 0:
			finds("sod", d.At.line(), "%s: %s; both are there already: one must go", title, both)
		case len(old) == 0:
			finds("sod", d.At.line(), "%s: %s; neither is given until somebody decides", title, both)
		default:
			finds("sod", d.At.line(), "%s: %s; withheld: %s", title, both, keyList(new))
		}
	}
	e.prerequisites()
}

// ahead withholds what would begin while the other side still runs.
func (e *evaluation) ahead(d *Duty, has, fresh, later map[int][]dayone.Key) {
	if !d.Block {
		return
	}
	for i, keys := range later {
		for _, k := range keys {
			for j := range d.Never {
				if j == i {
					continue
				}
				for _, other := range append(slices.Clone(has[j]), fresh[j]...) {
					if g, ok := e.grants[other]; ok && !g.Until.IsZero() && !g.Until.After(e.later[k].from) {
						continue // it ends before
					}
					if _, there := e.later[k]; there {
						e.finding("sod", dayone.Key{}, d.ID, d.At.line(), "%s: %s would begin while %s is there; withheld: %s", cmp.Or(d.Title, d.ID), k, other, k)
						delete(e.later, k)
					}
				}
			}
		}
	}
}

func flat(m map[int][]dayone.Key) []dayone.Key {
	var out []dayone.Key
	for _, ks := range m {
		out = append(out, ks...)
	}
	slices.SortFunc(out, compareKeys)
	return slices.Compact(out)
}
