package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Change is what one event brought.
type Change struct {
	Seq       int // 1 is the first thing that was ever known
	Event     dayone.EventID
	Source    string
	Intent    string
	Recorded  time.Time // since when we know
	Said      time.Time
	Effective time.Time // the first day from which something of it counts; zero: it says none, or since ever
	Future    bool      // something of it is still to come
	By        string    // who entered it
	Reason    string
	Turns     []Turn
}

// TurnState is how one word of a change stands now.
type TurnState string

const (
	Counts    TurnState = "counts"
	ToCome    TurnState = "to come"
	Replaced  TurnState = "replaced"   // it counted until another came
	Amended   TurnState = "corrected"  // it turned out to have been wrong from its own beginning on
	PutOff    TurnState = "put off"    // said again for a later day before it came
	CalledOff TurnState = "called off" // the source has it no more, and it never came
	Unusable  TurnState = "not usable" // flagged; the last good value stays
)

// Turn is one word of a change.
type Turn struct {
	Attr       string
	Engagement dayone.EngagementID
	Corrects   bool // it is a correction that was entered here
	Value, Was dayone.Value
	Effective  time.Time
	State      TurnState
	Personal   bool
}

// History is what was said of a person and known at an instant, the newest first: at most limit changes older than before,
// which is the Seq of the last one shown; 0: from the newest. more: there are older ones. at is the instant as of which
// something is to come.
func History(t *dayone.Timeline, at, known time.Time, set *policy.Set, before, limit int) (list []Change, more bool) {
	facts := slices.DeleteFunc(slices.Clone(t.Facts), func(f dayone.Fact) bool { return f.Recorded.After(known) })
	slices.SortStableFunc(facts, func(a, b dayone.Fact) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(btoi(a.Event == ""), btoi(b.Event == "")), cmp.Compare(a.Event, b.Event), a.Effective.Compare(b.Effective), cmp.Compare(a.Attr, b.Attr))
	})
	var ends []int // of each change among the facts
	for i := range facts {
		if i+1 == len(facts) || facts[i+1].Event != facts[i].Event || !facts[i+1].Recorded.Equal(facts[i].Recorded) {
			ends = append(ends, i+1)
		}
	}
	top := len(ends)
	if before > 0 {
		top = min(top, before-1)
	}
	for n := top; n > 0 && len(list) < limit; n-- {
		from := 0
		if n > 1 {
			from = ends[n-2]
		}
		list = append(list, change(t, facts, from, ends[n-1], n, at, known, set))
	}
	return list, top > len(list)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// change tells what the facts from one to another brought to those before them.
func change(t *dayone.Timeline, facts []dayone.Fact, from, to, seq int, at, known time.Time, set *policy.Set) Change {
	fresh := facts[from:to]
	first := fresh[0]
	c := Change{Seq: seq, Event: first.Event, Source: first.Source, Recorded: first.Recorded, Said: first.Said}
	was := prefix(t, facts[:from], first.Recorded)
	is := prefix(t, facts[:to], first.Recorded)
	c.Intent = Meaning(&was, &is, first.Recorded, set)
	then, now := listen(&was), listen(t)
	for _, f := range fresh {
		switch {
		case f.Attr == entryBy:
			c.By = f.Value.Text
			continue
		case f.Attr == entryReason:
			c.Reason = f.Value.Text
			continue
		case f.Attr == factRead:
			continue
		}
		name, corrects := strings.CutPrefix(f.Attr, corrected)
		turn := Turn{Attr: name, Engagement: f.Engagement, Corrects: corrects, Value: f.Value, Effective: f.Effective, Personal: f.Personal, State: now.stands(&f, at, known)}
		if w := then.last(f.Engagement, f.Attr, later(f.Effective, f.Said), first.Recorded, true); w != nil && !corrects {
			turn.Was = w.Value
		}
		if !f.Effective.IsZero() && (c.Effective.IsZero() || f.Effective.Before(c.Effective)) {
			c.Effective = f.Effective
		}
		c.Future = c.Future || turn.State == ToCome && !(corrects && f.Value.Text == "") // that a correction ends is no news
		c.Turns = append(c.Turns, turn)
	}
	return c
}

// prefix is a timeline as it stood when only some facts were known.
func prefix(t *dayone.Timeline, facts []dayone.Fact, known time.Time) dayone.Timeline {
	out := dayone.Timeline{Person: t.Person, Managed: t.Managed, Facts: facts}
	for _, e := range t.Employments {
		if slices.ContainsFunc(facts, func(f dayone.Fact) bool { return f.Engagement == e.ID }) {
			e.Recorded = known
			out.Employments = append(out.Employments, e)
		}
	}
	return out
}

// stands is how a word stands at an instant, as known at another.
func (s *spoken) stands(f *dayone.Fact, at, known time.Time) TurnState {
	name, corrects := strings.CutPrefix(f.Attr, corrected)
	about := strings.HasPrefix(f.Attr, "engagement.") && f.Attr != factType && f.Attr != factLeave
	switch {
	case f.Bad:
		return Unusable
	case corrects:
		switch c := s.correction(f.Engagement, name, at, known); {
		case f.Effective.After(at):
			return ToCome
		case c != nil && c.Event == f.Event:
			return Counts
		}
		return Replaced
	case s.withdrawn(f, known):
		if slices.ContainsFunc(s.facts, func(g dayone.Fact) bool {
			return g.Engagement == f.Engagement && g.Attr == f.Attr && g.Value == f.Value && g.Effective.After(f.Effective) && !g.Recorded.After(known)
		}) {
			return PutOff
		}
		return CalledOff
	case f.Effective.After(at):
		return ToCome
	}
	if about {
		at = farFuture
	}
	same := func(g *dayone.Fact) bool {
		return g != nil && g.Event == f.Event && g.Recorded.Equal(f.Recorded) && g.Effective.Equal(f.Effective)
	}
	switch {
	case same(s.last(f.Engagement, f.Attr, at, known, true)):
		return Counts
	case !about && !same(s.last(f.Engagement, f.Attr, later(f.Effective, f.Said), known, true)):
		return Amended
	}
	return Replaced
}
