package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Offered says whether there is such a thing. ErrInvalid: there is none, and what was probably meant. What a policy may name is
// what may be asked about; a name of a kind that the catalogue leaves open is asked about as it is.
func (s *Set) Offered(key dayone.Key) error {
	no := func(word string, known []string, format string, args ...any) error {
		slices.Sort(known)
		hint := meant(word, known)
		if hint == "" {
			if len(known) > 8 {
				known = append(known[:8:8], "...")
			}
			hint = "there are " + strings.Join(known, ", ")
		}
		return fmt.Errorf("%s; %s: %w", fmt.Sprintf(format, args...), hint, dayone.ErrInvalid)
	}
	sys, ok := s.Systems[key.System]
	if !ok {
		return no(key.System, slices.Collect(maps.Keys(s.Systems)), "there is no system %q", key.System)
	}
	kind, ok := sys.Kinds[key.Kind]
	var all []string // what the system offers, of that kind or of all
	for name, k := range sys.Kinds {
		if ok && name != key.Kind {
			continue
		}
		one := dayone.Key{System: key.System, Kind: name, As: key.As}
		if len(k.Names) == 0 || name == dayone.AccountKindName {
			all = append(all, one.String())
		}
		for _, n := range k.Names {
			one.Name = n
			all = append(all, one.String())
		}
	}
	if !ok || len(kind.Names) > 0 && !slices.Contains(kind.Names, key.Name) {
		return no(key.String(), all, "%s offers no %s", key.System, strings.TrimPrefix(key.String(), key.System+"/"))
	}
	return nil
}
