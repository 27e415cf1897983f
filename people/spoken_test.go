package people_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
)

// slowly finds what counts as it is said: by going through all facts for each question. People is held against it.
type slowly struct{ *dayone.Timeline }

func (s slowly) last(e dayone.EngagementID, attr string, at, known time.Time, good bool) *dayone.Fact {
	var best *dayone.Fact
	for i := range s.Facts {
		f := &s.Facts[i]
		if f.Attr != attr || f.Engagement != e || f.Effective.After(at) || f.Recorded.After(known) || (good && f.Bad) || s.withdrawn(f, known) {
			continue
		}
		if best == nil || cmp.Or(s.reach(f, at, known).Compare(s.reach(best, at, known)), s.order(f, best, known)) >= 0 {
			best = f
		}
	}
	return best
}

func (s slowly) reach(f *dayone.Fact, at, known time.Time) time.Time {
	to := f.Effective
	if a := s.again(f, known); f.Attr != "engagement.leave" && a.After(to) {
		to = a
	}
	if to.After(at) {
		return at
	}
	return to
}

func (slowly) again(f *dayone.Fact, known time.Time) time.Time {
	if f.Again.After(known) {
		return known
	}
	return f.Again
}

func (s slowly) order(a, b *dayone.Fact, known time.Time) int {
	return cmp.Or(s.again(a, known).Compare(s.again(b, known)), a.Recorded.Compare(b.Recorded), cmp.Compare(a.Event, b.Event))
}

func (s slowly) withdrawn(f *dayone.Fact, known time.Time) bool {
	if !f.Effective.After(s.again(f, known)) {
		return false
	}
	var after *dayone.Fact
	for i := range s.Facts {
		g := &s.Facts[i]
		switch {
		case g.Engagement != f.Engagement || g.Recorded.After(known):
		case g.Attr == "engagement.read" && f.Attr != "engagement.leave" && s.again(f, known).Before(s.again(g, known)):
			return true
		case g.Attr == f.Attr && !f.Bad && !g.Bad && g.Value == f.Value && g.Effective.After(f.Effective) && f.Effective.After(g.Said) && s.order(g, f, known) > 0:
			if after == nil || g.Effective.Before(after.Effective) {
				after = g
			}
		}
	}
	return after != nil && !slices.ContainsFunc(s.Facts, func(g dayone.Fact) bool {
		return g.Engagement == f.Engagement && g.Attr == f.Attr && !g.Bad && !g.Recorded.After(known) && g.Value != f.Value && g.Effective.After(f.Effective) && g.Effective.Before(after.Effective)
	})
}

func (s slowly) firstSaid(f *dayone.Fact, known time.Time) time.Time {
	first := f.Said
	for i := range s.Facts {
		if g := &s.Facts[i]; g.Attr == f.Attr && g.Engagement == f.Engagement && g.Value == f.Value && !g.Bad && !g.Recorded.After(known) && g.Said.Before(first) {
			first = g.Said
		}
	}
	return first
}

// Facts as no source would say them too: whatever is in the books, the same one counts.
func TestTheFactThatCountsIsTheOneThatALookAtAllOfThemFinds(t *testing.T) {
	t.Parallel()
	day := func(r *rapid.T, label string) time.Time {
		return time.Date(2024, 1, 1+rapid.IntRange(0, 12).Draw(r, label), 0, 0, 0, 0, time.UTC)
	}
	attrs := []string{"engagement.leave", "engagement.read", "title", "level"}
	rapid.Check(t, func(r *rapid.T) {
		var line dayone.Timeline
		for i := range rapid.IntRange(0, 25).Draw(r, "facts") {
			f := dayone.Fact{
				Engagement: rapid.SampledFrom([]dayone.EngagementID{"a", "b"}).Draw(r, "engagement"), Attr: rapid.SampledFrom(attrs).Draw(r, "attr"),
				Effective: day(r, "effective"), Said: day(r, "said"), Recorded: day(r, "recorded"), Bad: rapid.IntRange(0, 4).Draw(r, "bad") == 0,
				Value: dayone.Text(rapid.SampledFrom([]string{"x", "y"}).Draw(r, "value")), Event: dayone.EventID(fmt.Sprint(rapid.IntRange(0, i).Draw(r, "event"))),
			}
			f.Again = f.Said.AddDate(0, 0, rapid.SampledFrom([]int{0, 0, 3}).Draw(r, "again"))
			line.Facts = append(line.Facts, f)
		}
		all := slowly{&line}
		for _, e := range []dayone.EngagementID{"a", "b", "c"} {
			for _, attr := range attrs {
				at, known, good := day(r, "at"), day(r, "known"), rapid.Bool().Draw(r, "good")
				if got, want := people.Last(&line, e, attr, at, known, good), all.last(e, attr, at, known, good); got != want {
					r.Fatalf("%s of %s at %v as known at %v: got %+v, want %+v of %+v", attr, e, at, known, got, want, line.Facts)
				}
			}
		}
		for i := range line.Facts {
			f, known := &line.Facts[i], day(r, "known")
			if got, want := people.FirstSaid(&line, f, known), all.firstSaid(f, known); !got.Equal(want) {
				r.Fatalf("%+v was first said at %v, not at %v", f, want, got)
			}
		}
	})
}
