package people

import (
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Several sources may speak of one person. Each attribute has one order of them, in people.yaml: the first that has a
// value wins, and is named. Within one employment the latest word counts, whoever said it.

// counting is the word that counts for an attribute at an instant; nil: nobody has a value. bad says that the last word of
// a source that stands no lower was no good.
func (s *spoken) counting(main dayone.EngagementID, a policy.Attribute, at, known time.Time, set *policy.Set) (f *dayone.Fact, bad bool) {
	f, bad = s.said(main, a, at, known, set)
	if c := s.correction(main, a.Name, at, known); c != nil && !s.agreed(c, f, at, known) {
		return c, false
	}
	return f, bad
}

// said is the word that counts of those of sources, whatever was corrected here.
func (s *spoken) said(main dayone.EngagementID, a policy.Attribute, at, known time.Time, set *policy.Set) (f *dayone.Fact, bad bool) {
	for _, e := range s.ranked(main, a, known, set) {
		word := s.last(e, a.Name, at, known, false)
		if word == nil {
			continue
		}
		bad = bad || word.Bad
		if f := s.last(e, a.Name, at, known, true); f != nil && f.Value.Text != "" {
			return f, bad
		}
	}
	return nil, bad
}

// ranked are the employments whose word may count for an attribute, the first first. What is said of the primary one by
// somebody whom people.yaml does not name, as what people enter, comes after those whom it names.
func (s *spoken) ranked(main dayone.EngagementID, a policy.Attribute, known time.Time, set *policy.Set) []dayone.EngagementID {
	if len(s.t.Employments) == 1 {
		return []dayone.EngagementID{main}
	}
	var out []dayone.EngagementID
	add := func(e dayone.EngagementID) {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	from := ""
	for _, e := range s.t.Employments {
		if e.ID == main {
			from = e.Source
		}
	}
	for _, word := range a.From {
		where, _, _ := strings.Cut(word, ".")
		if where == policy.AnyHR || where == from || where == policy.Ours {
			add(main)
			continue
		}
		for _, e := range s.t.Employments {
			if e.Source == where && !e.Recorded.After(known) {
				add(e.ID)
			}
		}
	}
	add(main)
	return out
}

// Word is what one source says of an attribute; none of it: it says nothing.
type Word struct {
	Source    string
	Value     dayone.Value
	Bad       bool      // the last word was no good; the value is the one before it
	Effective time.Time // zero: since ever
	Said      time.Time
	Recorded  time.Time
	Event     dayone.EventID
}

// Says is what else there is to know about who says it: that a source which comes first has none, and what a correction
// lies over.
func (a Attribute) Says() []string {
	var out []string
	won := a.From == ByCorrection
	for _, w := range a.Words {
		has := w.Value.Text != ""
		switch {
		case w.Bad:
			out = append(out, Called(w.Source)+" said what cannot be used")
		case !has && !won:
			out = append(out, Called(w.Source)+" has none")
		case has && a.From == ByCorrection && w.Value != a.Value:
			out = append(out, Called(w.Source)+" says "+w.Value.String())
		}
		won = won || has
	}
	return out
}

// Called is a source as it is spoken of.
func Called(source string) string {
	switch source {
	case dayone.Portal:
		return "what was entered here"
	case ByCorrection:
		return "a correction made here"
	case BySite:
		return "the site"
	}
	return source
}

// Origin is the winner in a few words, with what else there is to know; "": nobody has a value.
func (a Attribute) Origin() string {
	if a.From == "" {
		return strings.Join(a.Says(), ", ")
	}
	return strings.Join(append([]string{"from " + Called(a.From)}, a.Says()...), ", ")
}

// What wins that is no source.
const (
	ByCorrection = "correction"
	BySite       = "site"
)

// Attribute is what counts for one attribute at an instant, and why.
type Attribute struct {
	Name       string
	Value      dayone.Value // empty: nobody has one
	From       string       // the source that wins, ByCorrection or BySite; "" without a value
	Unknown    bool         // somebody who counts said what cannot be used
	Personal   bool
	Words      []Word      // of all its sources, the first first
	Correction *Correction // stands at the instant
}

// Attributes are those that a person has at an instant, or that somebody said something about, by name.
func Attributes(t *dayone.Timeline, at, known time.Time, set *policy.Set) []Attribute {
	p := At(t, at, known, set)
	main := p.Primary()
	if main == "" {
		return nil
	}
	s := listen(t)
	var out []Attribute
	for _, name := range set.Schema.Names() {
		a := set.Schema.Attributes[name]
		if a.Derived {
			continue
		}
		f, _ := s.counting(main, a, at, known, set)
		x := Attribute{Name: name, Value: p.Attrs[name], Unknown: slices.Contains(p.Unknown, name), Personal: a.Personal}
		x.Words = s.words(main, a, at, known, set)
		x.Correction = s.standing(main, a, at, known, set)
		switch {
		case f != nil:
			x.From = f.Source
			if strings.HasPrefix(f.Attr, corrected) {
				x.From = ByCorrection
			}
		case x.Value.Text != "":
			x.From = BySite
		case len(x.Words) == 0 && !x.Unknown:
			continue
		}
		out = append(out, x)
	}
	return out
}

// words is what each source says, also that it says nothing.
func (s *spoken) words(main dayone.EngagementID, a policy.Attribute, at, known time.Time, set *policy.Set) []Word {
	var out []Word
	for _, e := range s.ranked(main, a, known, set) {
		w := Word{}
		for _, m := range s.t.Employments {
			if m.ID == e {
				w.Source = m.Source
			}
		}
		word := s.last(e, a.Name, at, known, false)
		if word != nil {
			w.Bad, w.Source, w.Effective, w.Said, w.Recorded, w.Event = word.Bad, word.Source, word.Effective, word.Said, word.Recorded, word.Event
		}
		if good := s.last(e, a.Name, at, known, true); good != nil {
			w.Value = good.Value
		}
		if word != nil || len(s.t.Employments) > 1 {
			out = append(out, w)
		}
	}
	if !slices.ContainsFunc(out, func(w Word) bool { return w.Bad || w.Value.Text != "" }) {
		return nil
	}
	return out
}
