package people

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// A correction lies over what sources say, until a day. It is two facts: the value from when it was entered, and nothing
// from the end of that day on. It has done its work as soon as the sources agree: what they say after that counts again.

// corrected stands before the name of the attribute that a correction is about.
const corrected = "corrected."

// UntilDate is the field of a correction that is no attribute: its last day.
const UntilDate = "until_date"

// Names of facts about who entered an event, and why.
const (
	entryBy     = "entry.by"
	entryReason = "entry.reason"
)

// Correction is one that stands.
type Correction struct {
	Value  dayone.Value
	From   time.Time
	Until  time.Time
	By     string
	Reason string
	Event  dayone.EventID
}

// uncorrectable are attributes that follow from something else, and what changes them.
var uncorrectable = map[string]string{
	"start_date": "the first day is what HR says; enter a start date changed",
	"end_date":   "the last day is what HR says; enter a termination",
}

// correction is the fact of a correction that holds at an instant.
func (s *spoken) correction(e dayone.EngagementID, attr string, at, known time.Time) *dayone.Fact {
	if !s.corrections {
		return nil
	}
	var best *dayone.Fact
	for f := range s.of(e, corrected+attr) {
		if f.Effective.After(at) || f.Recorded.After(known) {
			continue
		}
		if best == nil || cmp.Or(f.Said.Compare(best.Said), f.Recorded.Compare(best.Recorded), cmp.Compare(f.Event, best.Event), f.Effective.Compare(best.Effective)) > 0 {
			best = f
		}
	}
	if best == nil || best.Value.Text == "" {
		return nil
	}
	return best
}

// agreed says that the source whose word counts has said, since a correction was made, what it says.
func (s *spoken) agreed(c, counts *dayone.Fact, at, known time.Time) bool {
	if counts == nil {
		return false
	}
	return slices.ContainsFunc(s.facts, func(f dayone.Fact) bool {
		return f.Engagement == counts.Engagement && corrected+f.Attr == c.Attr && f.Value == c.Value && !f.Bad && !f.Recorded.After(known) &&
			later(f.Effective, again(&f, known)).After(c.Effective) && !f.Effective.After(at) && !s.withdrawn(&f, known)
	})
}

// standing is the correction of an attribute that holds at an instant; nil: none does.
func (s *spoken) standing(e dayone.EngagementID, a policy.Attribute, at, known time.Time, set *policy.Set) *Correction {
	c := s.correction(e, a.Name, at, known)
	if c == nil {
		return nil
	}
	if f, _ := s.said(e, a, at, known, set); s.agreed(c, f, at, known) {
		return nil
	}
	out := &Correction{Value: c.Value, From: c.Effective, Event: c.Event}
	for _, f := range s.facts {
		if f.Event != c.Event {
			continue
		}
		switch {
		case f.Attr == entryBy:
			out.By = f.Value.Text
		case f.Attr == entryReason:
			out.Reason = f.Value.Text
		case f.Attr == c.Attr && f.Value.Text == "":
			out.Until = f.Effective
		}
	}
	return out
}

// Correct reads what is to be corrected, as the schema has it. ErrInvalid says what is allowed.
func Correct(set *policy.Set, attr, text string) (dayone.Value, error) {
	a, ok := set.Schema.Attributes[attr]
	if !ok {
		hint := dayone.Meant(attr, set.Schema.Names())
		if hint == "" {
			hint = "people.yaml lists them"
		}
		return dayone.Value{}, fmt.Errorf("there is no attribute %q; %s: %w", short(attr), hint, dayone.ErrInvalid)
	}
	if why := uncorrectable[attr]; why != "" {
		return dayone.Value{}, fmt.Errorf("%s cannot be corrected: %s: %w", attr, why, dayone.ErrInvalid)
	}
	if a.Derived {
		return dayone.Value{}, fmt.Errorf("%s cannot be corrected: it follows from the rest: %w", attr, dayone.ErrInvalid)
	}
	if a.Made != nil {
		return dayone.Value{}, fmt.Errorf("%s cannot be corrected: it is a name that is nobody else's; dayone people rename gives another: %w", attr, dayone.ErrInvalid)
	}
	v, err := normal(a, dayone.Text(text))
	if err == nil && v.Text != "" {
		err = Typed(a, text)
	}
	switch {
	case err != nil && a.Closed():
		return v, fmt.Errorf("%s: %v; it is one of %s: %w", attr, err, strings.Join(a.Values, ", "), dayone.ErrInvalid)
	case err != nil:
		return v, fmt.Errorf("%s: %v: %w", attr, err, dayone.ErrInvalid)
	case v.Text == "":
		return v, fmt.Errorf("%s is corrected to nothing; say what is right, or end the correction that stands: %w", attr, dayone.ErrInvalid)
	}
	if slices.Contains(addresses, attr) {
		v.Text = strings.ToLower(v.Text)
	}
	if attr == "country" && !dayone.IsCountry(v.Text) {
		return v, fmt.Errorf("%q is no country of ISO 3166-1, two capital letters such as DE: %w", short(v.Text), dayone.ErrInvalid)
	}
	if attr == "location" {
		if _, there := set.Sites[v.Text]; !there {
			return v, fmt.Errorf("no site is called %q; sites.yaml lists them: %w", short(v.Text), dayone.ErrInvalid)
		}
	}
	return v, nil
}

// Correctable are the attributes that may be corrected, sorted.
func Correctable(set *policy.Set) []string {
	return slices.DeleteFunc(set.Schema.Names(), func(name string) bool {
		a := set.Schema.Attributes[name]
		return a.Derived || a.Made != nil || uncorrectable[name] != ""
	})
}

// corrects takes a correction, or the end of one.
func (j *judging) corrects() Judgement {
	if j.out.New != nil {
		return j.quarantine("it corrects an employment that nobody knows")
	}
	var until time.Time
	if j.ev.Type == dayone.Corrected {
		day, err := asDay(j.fields[UntilDate])
		switch {
		case err != nil:
			return j.quarantine("%s: %v", UntilDate, err)
		case day == "":
			return j.quarantine("a correction without an end: say with %s until when it holds", UntilDate)
		}
		if until = endOf(day, j.zone()); !until.After(j.said) {
			return j.quarantine("the correction ends (%s) before it begins", day)
		}
	}
	for _, name := range sortedFields(j.fields) {
		if name == UntilDate {
			continue
		}
		var v dayone.Value
		if j.ev.Type == dayone.Corrected {
			var err error
			if v, err = Correct(j.set, name, j.fields[name].Text); err != nil {
				return j.quarantine("%s", strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error()))
			}
		} else if a, there := j.set.Schema.Attributes[name]; !there || a.Derived {
			continue // the correction that it ends may yet come
		}
		add := func(v dayone.Value, from time.Time) {
			f := j.fact(corrected+name, v, from, j.said, false)
			f.Personal = j.set.Schema.Attributes[name].Personal
			if !j.known(f.Attr, v, from, j.said, false) {
				j.out.Facts = append(j.out.Facts, f)
			}
		}
		add(v, j.said)
		if !until.IsZero() {
			add(dayone.Value{}, until)
		}
	}
	return j.finish()
}

func sortedFields(m map[string]dayone.Value) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// finish is the judgement, with who entered it and why, or that it says nothing new.
func (j *judging) finish() Judgement {
	j.out.Veiled = j.veiled()
	if len(j.out.Facts) == 0 && j.out.New == nil && j.out.Managed == j.t.Managed && !j.lifted {
		j.out.State = dayone.EventUnchanged
		j.out.Note = "it says nothing new"
		return j.out
	}
	now := j.out.Extend(*j.t)
	secret := j.out.Veiled && !j.hidden(&now) // who said so and why is as confidential; of whom nobody knows nothing is known anyway
	for _, e := range [][2]string{{entryBy, j.ev.By}, {entryReason, j.ev.Reason}} {
		if e[1] != "" {
			f := j.fact(e[0], dayone.Text(e[1]), j.at, j.said, false)
			f.Veiled = secret
			j.out.Facts = append(j.out.Facts, f)
		}
	}
	return j.out
}
