package people

import (
	"cmp"
	"iter"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// spoken is a timeline in which the facts about one thing are found without going through all the others: ten years of
// somebody are hundreds of facts, and each look asks about dozens of things. It is good for as long as the facts stay.
type spoken struct {
	t      *dayone.Timeline
	facts  []dayone.Fact
	latest map[about]int32 // the last fact about a thing
	before []int32         // of each fact, the one before it about the same; -1: none

	corrections bool // there are any
}

// about is one thing of which facts speak.
type about struct {
	engagement dayone.EngagementID
	attr       string
}

func listen(t *dayone.Timeline) *spoken {
	s := &spoken{t: t, facts: t.Facts, latest: make(map[about]int32, min(len(t.Facts), 64)), before: make([]int32, len(t.Facts))}
	for i := range t.Facts {
		a := about{t.Facts[i].Engagement, t.Facts[i].Attr}
		if b, there := s.latest[a]; there {
			s.before[i] = b
		} else {
			s.before[i] = -1
		}
		s.latest[a] = int32(i)
		s.corrections = s.corrections || strings.HasPrefix(a.attr, corrected)
	}
	return s
}

// of gives the facts about one thing, the last one first.
func (s *spoken) of(e dayone.EngagementID, attr string) iter.Seq[*dayone.Fact] {
	return func(yield func(*dayone.Fact) bool) {
		i, there := s.latest[about{e, attr}]
		for there && i >= 0 && yield(&s.facts[i]) {
			i = s.before[i]
		}
	}
}

// last is the fact that counts at an instant, as known at another. With good only facts that are no flags count. It goes
// by what the source said when, never by what came when: events may overtake each other on their way to us.
func (s *spoken) last(e dayone.EngagementID, attr string, at, known time.Time, good bool) *dayone.Fact {
	var best *dayone.Fact
	for f := range s.of(e, attr) {
		if f.Effective.After(at) || f.Recorded.After(known) || good && f.Bad {
			continue
		}
		if best != nil && cmp.Or(reach(f, at, known).Compare(reach(best, at, known)), order(f, best, known)) <= 0 {
			continue // of two that are alike the last one counts, and that was met first
		}
		if !s.withdrawn(f, known) {
			best = f
		}
	}
	return best
}

// reach is the last instant up to a given one of which a fact speaks itself; what comes after only follows from nobody
// having said otherwise. A word said today about what holds since March speaks of today. A leave is a turn, and speaks
// of its first day alone.
func reach(f *dayone.Fact, at, known time.Time) time.Time {
	to := f.Effective
	if f.Attr != factLeave {
		to = later(to, again(f, known))
	}
	if to.After(at) {
		return at
	}
	return to
}

// again is when a fact was last said, as far as it was known at an instant.
func again(f *dayone.Fact, known time.Time) time.Time {
	if f.Again.After(known) {
		return known
	}
	return f.Again
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// order compares two facts by when they were said. Sources' clocks are coarse: of two words of one second the one that
// was received later is the later one, and ids of events grow.
func order(a, b *dayone.Fact, known time.Time) int {
	return cmp.Or(again(a, known).Compare(again(b, known)), a.Recorded.Compare(b.Recorded), cmp.Compare(a.Event, b.Event))
}

// withdrawn says that a change was put off before it came: the same was said again for a later date, with no other change
// between the two. Or it was called off: a whole record was read since and had it no more.
func (s *spoken) withdrawn(f *dayone.Fact, known time.Time) bool {
	if !f.Effective.After(again(f, known)) {
		return false
	}
	if f.Attr != factLeave {
		for g := range s.of(f.Engagement, factRead) {
			if !g.Recorded.After(known) && again(f, known).Before(again(g, known)) {
				return true
			}
		}
	}
	var after *dayone.Fact
	for g := range s.of(f.Engagement, f.Attr) {
		if !g.Recorded.After(known) && !f.Bad && !g.Bad && g.Value == f.Value && g.Effective.After(f.Effective) && f.Effective.After(g.Said) && order(g, f, known) > 0 &&
			(after == nil || g.Effective.Before(after.Effective)) {
			after = g
		}
	}
	if after == nil {
		return false
	}
	for g := range s.of(f.Engagement, f.Attr) {
		if !g.Bad && !g.Recorded.After(known) && g.Value != f.Value && g.Effective.After(f.Effective) && g.Effective.Before(after.Effective) {
			return false
		}
	}
	return true
}

// firstSaid is when a value was said of an employment for the first time.
func (s *spoken) firstSaid(f *dayone.Fact, known time.Time) time.Time {
	first := f.Said
	for g := range s.of(f.Engagement, f.Attr) {
		if g.Value == f.Value && !g.Bad && !g.Recorded.After(known) && g.Said.Before(first) {
			first = g.Said
		}
	}
	return first
}
