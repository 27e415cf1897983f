package policy

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// AskCEL answers every condition by CEL itself.
func (s *Set) AskCEL(p *dayone.Person, now time.Time) int {
	w, hits := s.worldOf(p, now), 0
	for n := range s.units {
		if s.units[n].truth(p.Status, w) != no {
			hits++
		}
	}
	return hits
}
