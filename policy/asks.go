package policy

import (
	"cmp"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Ask is one thing that policies give or offer, and where they do.
type Ask struct {
	Key  dayone.Key
	Role string
	At   Position
}

// AsksOf are all things at a system that policies give or offer, in the order of the files.
func (s *Set) AsksOf(system string) []Ask {
	var out []Ask
	for _, p := range s.Policies {
		for _, r := range slices.Concat(p.Grants, p.Offers) {
			if r.Key.System == system {
				out = append(out, Ask{r.Key, r.Role, r.At})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Ask) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line))
	})
	return out
}
