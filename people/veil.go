package people

import (
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// What is confidential does not count before its instant: not for policies, and so for no plan, message, count or list.
// That is the whole of it. Whoever has to know asks for Whole instead of At.
//
// Two things can be: an end that was said in confidence, until the employment has ended; and an employment that is not
// announced, until its announcement or, at the latest, its first day.

// factAnnounced is the day from which others may know of an employment: a date, atStart, or empty for "at once".
const factAnnounced = "engagement.announced"

const atStart = "start"

// Fields of a source that say how far a word is for everybody.
const (
	fieldConfidential = "confidential" // true or false
	fieldAnnounced    = "announced_on" // a day
)

// Marks says whether fields speak of confidence at all: then what they came with is shown to nobody before it was judged.
func Marks(fields map[string]dayone.Value) bool {
	conf, said := truthOf(fields[fieldConfidential])
	return said && conf || strings.TrimSpace(fields[fieldAnnounced].Text) != ""
}

// veil is what is confidential about one employment, as known at an instant.
type veil struct {
	hidden bool      // it is not announced
	drops  bool      // it has an end that was said in confidence and has not come
	until  time.Time // when that may be known; zero: never, as it was called off
}

func veilOf(t *dayone.Timeline, e dayone.EngagementID, known time.Time, set *policy.Set) veil {
	var v veil
	s := listen(t)
	location := ""
	if f := s.last(e, "location", known, known, true); f != nil {
		location = f.Value.Text
	}
	zone, _ := set.SiteOf(location).Location()
	first, day := s.period(e, known)
	start, end := startOf(first, zone), endOf(day, zone)
	if f := s.last(e, factAnnounced, farFuture, known, true); f != nil && f.Value.Text != "" {
		when := start
		if f.Value.Text != atStart && f.Value.Text < first { // she starts in front of everybody
			when = startOf(f.Value.Text, zone)
		}
		if v.hidden = known.Before(when); v.hidden {
			v.until = when
		}
	}
	over := !end.IsZero() && (!end.After(known) || !end.After(start))
	if !over && slices.ContainsFunc(t.Facts, func(f dayone.Fact) bool { return f.Veiled && f.Engagement == e && !f.Recorded.After(known) }) {
		v.drops = true
		if !end.IsZero() && (v.until.IsZero() || end.Before(v.until)) {
			v.until = end
		}
	}
	return v
}

// Public is a timeline as everybody may know it at an instant, how much of it was left out, and when some of that may be
// known. Where nothing is confidential it is the timeline itself.
func Public(t *dayone.Timeline, known time.Time, set *policy.Set) (*dayone.Timeline, dayone.Veil, time.Time) {
	if !slices.ContainsFunc(t.Facts, func(f dayone.Fact) bool { return f.Veiled || f.Attr == factAnnounced }) {
		return t, dayone.Unveiled, time.Time{}
	}
	out := *t
	out.Employments = nil
	var until time.Time
	of := map[dayone.EngagementID]veil{}
	left := dayone.Unveiled
	for _, e := range t.Employments {
		v := veilOf(t, e.ID, known, set)
		of[e.ID] = v
		if v.hidden || v.drops {
			left = dayone.PartVeiled
			if !v.until.IsZero() && (until.IsZero() || v.until.Before(until)) {
				until = v.until
			}
		}
		if !v.hidden {
			out.Employments = append(out.Employments, e)
		}
	}
	if left == dayone.Unveiled {
		return t, left, until
	}
	if len(out.Employments) == 0 {
		left = dayone.WholeVeiled
	}
	out.Facts = slices.DeleteFunc(slices.Clone(t.Facts), func(f dayone.Fact) bool {
		v := of[f.Engagement]
		return v.hidden || f.Attr == factAnnounced || v.drops && f.Veiled
	})
	return &out, left, until
}

// Lifted is a timeline in which nothing is confidential: for those alone who may know.
func Lifted(t dayone.Timeline) dayone.Timeline {
	t.Facts = slices.Clone(t.Facts)
	for i := range t.Facts {
		f := &t.Facts[i]
		f.Veiled = false
		if f.Attr == factAnnounced {
			f.Value = dayone.Text("")
		}
	}
	return t
}

// discretion is what an event says of who may know.
type discretion struct {
	conf     bool   // "confidential" was said, and what
	confSaid bool   //
	day      string // of the announcement, or atStart where it cannot be read
	rule     bool   // the source's terminations are confidential by configuration
	lifted   bool   // what was confidential is not any more
}

// confide reads it: the event's own word first, then the record's.
func (j *judging) confide(h Heard) {
	j.rule = h.Secret
	words := []map[string]dayone.Value{h.Fields}
	if h.Record != nil {
		words = append(words, h.Record.Fields)
	}
	for _, fields := range words {
		if conf, said := truthOf(fields[fieldConfidential]); said && !j.confSaid {
			j.conf, j.confSaid = conf, true
		}
		if v := fields[fieldAnnounced]; j.day == "" && strings.TrimSpace(v.Text) != "" {
			day, err := asDay(v)
			if j.day = day; err != nil { // somebody meant a day: until we know which, the first one
				j.day = atStart
				j.finding("%s: %v; it counts as announced on the first day", fieldAnnounced, err)
			}
		}
	}
}

// truthOf reads a truth; what is neither was meant to be one, and counts as true: what others learn cannot be taken back.
func truthOf(v dayone.Value) (is, said bool) {
	if strings.TrimSpace(v.Text) == "" {
		return false, false
	}
	t, err := normal(policy.Attribute{Type: dayone.BoolValue}, v)
	return err != nil || t.Bool(), true
}

// whispers says whether an event that cannot be judged may speak of something confidential.
func (j *judging) whispers() bool {
	ends := j.ev.Type == dayone.Terminated || j.ev.Type == dayone.TerminationCancelled
	return j.conf || j.day != "" && !j.confSaid || j.rule && ends && !j.confSaid || j.hidden(j.t) || ends && !j.confSaid && veilOf(j.t, j.engagement, j.at, j.set).drops
}

func (j *judging) hidden(t *dayone.Timeline) bool {
	return j.engagement != "" && veilOf(t, j.engagement, j.at, j.set).hidden
}

// unveil takes the veil from an end once its source says that it is for everybody.
func (j *judging) unveil() {
	ends, _ := lastDay(j.fields)
	if own, _ := lastDay(j.ev.Fields); own != "" {
		ends = own
	}
	if !j.confSaid || j.conf || ends == "" {
		return
	}
	t := *j.t
	t.Facts = slices.Clone(t.Facts)
	for i := range t.Facts {
		if f := &t.Facts[i]; f.Veiled && f.Engagement == j.engagement {
			f.Veiled = false
			j.out.Again = append(j.out.Again, *f)
			j.lifted = true
		}
	}
	j.t, j.facts = &t, listen(&t)
}

// announce says from when others may know of an employment. Of one that they know already it is too late to say.
func (j *judging) announce() {
	day := j.day
	if day == "" {
		day = atStart
	}
	ends := j.ev.Type == dayone.Terminated || j.ev.Type == dayone.NoShow
	switch hidden := j.hidden(j.t); {
	case j.out.New != nil && !ends && (j.conf || j.day != "" && !j.confSaid):
	case hidden && j.confSaid && !j.conf:
		day = ""
	case hidden && j.day != "":
	default:
		return
	}
	if j.date(factAnnounced, dayone.Text(day), j.turned); day != "" && day != atStart && day > j.starts {
		j.finding("it is to be announced on %s, after the first day; it counts as announced on the first day", day)
	}
}

// isEnd says whether an attribute tells when an employment ends.
func (j *judging) isEnd(attr string) bool {
	if attr == factLast || attr == factEnding || slices.Contains(endings, attr) {
		return true
	}
	return slices.ContainsFunc(j.set.Schema.Attributes[attr].From, func(from string) bool {
		_, field, _ := strings.Cut(from, ".")
		return slices.Contains(endings, field)
	})
}

// veils says whether an end is for few. What was said in confidence stays so until somebody says otherwise.
func (j *judging) veils(end string) bool {
	if end == "" || end == noShow || j.confSaid && !j.conf {
		return false
	}
	known := j.out.New == nil
	switch {
	case j.conf && (known || j.ev.Type == dayone.Terminated):
		return true
	case j.rule && known && j.ev.Type != dayone.Hired && j.ev.Type != dayone.Rehired && j.ev.Type != dayone.Imported:
		return true
	}
	return slices.ContainsFunc(j.t.Facts, func(f dayone.Fact) bool { return f.Veiled && f.Engagement == j.engagement && f.Value.Text == end })
}

// veiled says whether others must not find this event. An update that says something public, too, is shown as what it is
// for everybody.
func (j *judging) veiled() bool {
	t := j.out.Extend(*j.t)
	v := veilOf(&t, j.engagement, j.at, j.set)
	if v.hidden || !v.drops {
		return v.hidden
	}
	whispered, aloud := false, false
	for _, f := range j.out.Facts {
		whispered = whispered || f.Veiled
		aloud = aloud || !f.Veiled && f.Attr != factRead
	}
	switch j.ev.Type {
	case dayone.TerminationCancelled:
		return true
	case dayone.Terminated:
		return whispered || !aloud
	}
	ends, _ := lastDay(j.fields)
	return !aloud && (whispered || j.veils(ends))
}

// discreetly adds to a judgement of its own kind whether others must not find the event.
func (j *judging) discreetly(out Judgement) Judgement {
	if out.State != dayone.EventQuarantined {
		t := out.Extend(*j.t)
		out.Veiled = out.Veiled || j.hidden(&t)
	}
	return out
}
