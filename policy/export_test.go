package policy

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// Scanner counts the answers that are not no, without keeping them.
func (s *Set) Scanner(w *Workforce, now time.Time) func(from, to int) int {
	x := s.Over(w.dict)
	return func(from, to int) int {
		hits := 0
		x.scan(w, now, from, to, func(_ int, m *matcher) { hits += len(m.touched) })
		return hits
	}
}

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
