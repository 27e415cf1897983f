package policy

import (
	"maps"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Named are the systems at which policies do something: what they give, offer, deny and tell, and what that brings along.
func (s *Set) Named() []string {
	names := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if names[name] {
			return
		}
		names[name] = true
		sys := s.Systems[name]
		if sys.Via.System != "" {
			add(sys.Via.System)
		}
		for _, need := range sys.Needs {
			add(need)
		}
		for _, kind := range sys.Kinds {
			if kind.Supply.System != "" {
				add(kind.Supply.System)
			}
		}
	}
	rules := func(rs []*Rule) {
		for _, r := range rs {
			add(r.Key.System)
			for _, k := range r.Needs {
				add(k.System)
			}
		}
	}
	for _, p := range s.Policies {
		rules(p.Grants)
		rules(p.Offers)
		for _, d := range p.Denies {
			add(d.Key.System)
		}
		for _, n := range p.Notices {
			for _, to := range n.To {
				if key, err := dayone.ParseKey(to.text); err == nil && s.Systems[key.System].Name != "" {
					add(key.System)
				}
			}
		}
	}
	for _, d := range s.Duties {
		for _, k := range d.Never {
			add(k.System)
		}
	}
	return slices.Sorted(maps.Keys(names))
}
