package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Heard is what there is to judge: an event and, where its source can be asked, the record behind it.
type Heard struct {
	dayone.Event
	Record *dayone.Event // as the source has it now; nil: the event's own fields are all there is
	Unread string        // why there is no record although the source can be asked
	Since  time.Time     // who starts before is known, and nothing is planned for them; zero: only a hire says who is managed
	Secret bool          // this source's terminations are confidential unless it says otherwise
}

// Judgement is what an event means for a timeline.
type Judgement struct {
	State    dayone.EventState
	Note     string
	Facts    []dayone.Fact // new ones
	Again    []dayone.Fact // known ones that were said again
	Findings []string      // bad attributes, unknown location, unknown manager: flagged, not fatal
	New      *dayone.Employment
	Managed  bool
	Veiled   bool // it speaks of something confidential: others must not find the event
}

// Extend is the timeline with what was judged.
func (j Judgement) Extend(t dayone.Timeline) dayone.Timeline {
	t.Managed = j.Managed
	t.Facts = slices.Clone(t.Facts)
	for _, f := range j.Again {
		for i := range t.Facts {
			if g := &t.Facts[i]; g.Engagement == f.Engagement && g.Attr == f.Attr && g.Effective.Equal(f.Effective) && g.Recorded.Equal(f.Recorded) {
				g.Again, g.Veiled = f.Again, f.Veiled
			}
		}
	}
	t.Facts = append(t.Facts, j.Facts...)
	if j.New != nil {
		t.Employments = append(slices.Clone(t.Employments), *j.New)
	}
	return t
}

// Ends says whether an event ends an employment on its own word: it is carried out even if nothing else can be read.
func Ends(ev dayone.Event) bool {
	if ev.Type == dayone.NoShow {
		return true
	}
	day, _ := lastDay(ev.Fields)
	return ev.Type == dayone.Terminated && day != ""
}

// Judge looks at one event. t is the person's timeline, or an empty one for somebody we do not know yet; a new
// employment gets id. Identity and dates are judged first and alone: without them the event is quarantined, whatever
// else it says; with them it counts, whatever else is wrong with it.
func Judge(t *dayone.Timeline, h Heard, set *policy.Set, recorded time.Time, id dayone.EngagementID) Judgement {
	j := &judging{t: t, facts: listen(t), ev: h.Event, set: set, at: recorded, out: Judgement{State: dayone.EventApplied, Managed: t.Managed}}
	j.confide(h)
	switch {
	case slices.Contains(dayone.EventTypes, h.Type):
	case h.Source != dayone.Portal:
		return j.quarantine("%q is no kind of event that a source says", h.Type)
	case !slices.Contains(dayone.EnteredTypes, h.Type):
		return j.quarantine("%q is no kind of event we know", h.Type)
	}
	if strings.TrimSpace(h.Subject) == "" {
		return j.quarantine("it names no employment: the employee id is missing")
	}
	i := slices.IndexFunc(t.Employments, func(e dayone.Employment) bool { return speaks(h.Event, e) })
	only := set.Schema.OnlyAttributes(h.Source)
	switch {
	case i >= 0:
		j.engagement = t.Employments[i].ID
	case only:
		return j.quarantine("%s gives attributes only, and its record %q is bound to nobody: bind it to the person, with dayone people bind", h.Source, short(h.Subject))
	default:
		j.out.New = &dayone.Employment{ID: id, Source: h.Source, SourceID: h.Subject, Recorded: recorded}
		j.engagement = id
	}
	j.listen(h)
	j.unveil()
	if why := j.unlikely(h); why != "" {
		return j.quarantine("%s", why)
	}
	switch {
	case only: // whether somebody works here others say
	case h.Type == dayone.Corrected || h.Type == dayone.CorrectionEnded:
		return j.discreetly(j.corrects())
	case stops(h.Event):
		return j.discreetly(j.stop())
	default:
		if why := j.dates(); why != "" {
			return j.quarantine("%s", why)
		}
		j.announce()
		j.leave()
		j.lift()
	}
	if !j.stale {
		j.attributes()
		if j.full {
			j.date(factRead, dayone.Bool(true), j.said)
		}
	}
	if h.Unread != "" {
		j.finding("the record could not be read, so the event's own word counts: %s", h.Unread)
	}
	j.out.Managed = t.Managed || !only && j.manages(h.Since)
	return j.finish()
}

// speaks says whether an event is about an employment.
func speaks(ev dayone.Event, e dayone.Employment) bool {
	return e.Source == ev.Source && e.SourceID == ev.Subject || ev.Source == dayone.Portal && string(e.ID) == ev.Subject
}

type judging struct {
	t          *dayone.Timeline
	facts      *spoken // of it
	ev         dayone.Event
	set        *policy.Set
	at         time.Time
	engagement dayone.EngagementID
	out        Judgement

	// What is said of the employment: by the record if it could be read, since an event only tells to look there, else
	// by the event itself.
	fields map[string]dayone.Value
	said   time.Time // when, by the source's clock
	full   bool      // what is missing is empty
	stale  bool      // a later record was read already

	turned time.Time // when the event was said
	starts string    // the first day, as said or known

	discretion
}

// listen sorts out who said what when. A time that is missing, yet to come or before there were such systems is none: then it was
// said when we heard it.
func (j *judging) listen(h Heard) {
	when := func(said, heard time.Time) time.Time {
		if heard.IsZero() {
			heard = j.at
		}
		if said.Before(firstTime) || said.After(heard) {
			said = heard
		}
		return said.Truncate(time.Microsecond) // the books keep no more, and a word is not later than itself
	}
	turned := h.At
	if !turned.IsZero() && turned.Nanosecond() == 0 { // events are stamped to the second, after what they tell of
		turned = turned.Add(time.Second - time.Microsecond)
	}
	j.turned = when(turned, h.Received)
	j.fields, j.said, j.full = h.Fields, j.turned, h.Full
	if h.Record != nil {
		j.fields, j.said, j.full = h.Record.Fields, when(h.Record.At, j.at), true
	}
	if read := j.counts(factRead, farFuture); read != nil {
		j.stale = j.said.Before(read.Again)
	}
}

func (j *judging) quarantine(format string, args ...any) Judgement {
	return Judgement{State: dayone.EventQuarantined, Note: fmt.Sprintf(format, args...), Managed: j.t.Managed, Veiled: j.whispers()}
}

func (j *judging) finding(format string, args ...any) {
	j.out.Findings = append(j.out.Findings, fmt.Sprintf(format, args...))
}

// counts is the fact that counts at an instant, as known before this event.
func (j *judging) counts(attr string, at time.Time) *dayone.Fact {
	return j.facts.last(j.engagement, attr, at, j.at, false)
}

// effective is from when a word counts that is not about all time: from the date that comes with it, else from when it
// was said.
func (j *judging) effective(fields map[string]dayone.Value, said time.Time) time.Time {
	if v, ok := fields["effective_date"]; ok {
		if day, err := asDay(v); err == nil && day != "" {
			return startOf(day, j.zone())
		}
	}
	return said
}

func (j *judging) zone() *time.Location {
	location := ""
	if f := j.facts.last(j.engagement, "location", j.at, j.at, true); f != nil {
		location = f.Value.Text
	}
	if v, ok := j.fields["location"]; ok {
		location = v.Text
	}
	zone, _ := j.set.SiteOf(location).Location()
	return zone
}

func (j *judging) fact(attr string, v dayone.Value, from, said time.Time, bad bool) dayone.Fact {
	return dayone.Fact{
		Engagement: j.engagement, Attr: attr, Effective: from, Said: said, Again: said, Recorded: j.at, Value: v, Bad: bad, Source: j.ev.Source, Event: j.ev.ID,
		Personal: j.set.Schema.Attributes[attr].Personal, Veiled: j.isEnd(attr) && j.veils(v.Text),
	}
}

// again keeps that a known fact was said once more: what overtook it on the way is then seen to be older.
func (j *judging) again(f *dayone.Fact, said time.Time) {
	if said.After(f.Again) {
		g := *f
		g.Again = said
		j.out.Again = append(j.out.Again, g)
	}
}

// known says whether this very word is in the books, though it may not be what counts.
func (j *judging) known(attr string, v dayone.Value, from, said time.Time, bad bool) bool {
	for f := range j.facts.of(j.engagement, attr) {
		if f.Value == v && f.Bad == bad && f.Effective.Equal(from) && !said.Before(f.Said) && !said.After(f.Again) {
			return true
		}
	}
	return false
}

// repeats says whether the last word of this source about the employment was the same.
func (j *judging) repeats(attr string, v dayone.Value) bool {
	for f := range j.facts.of(j.engagement, attr) {
		if f.Source == j.ev.Source {
			return !f.Bad && f.Value == v
		}
	}
	return false
}

// say adds a fact unless it is what counts already. That it was said again is kept where older words may still come; a
// whole record keeps that for all of them at once, but for what was to come and is now confirmed.
func (j *judging) say(attr string, v dayone.Value, from, said time.Time, bad bool) {
	old := j.counts(attr, later(from, said))
	same := old != nil && old.Bad == bad && (bad || old.Value == v)
	ahead := old != nil && old.Effective.After(old.Again)
	switch {
	case same && (old.Effective.Equal(from) || !from.After(said)):
		if !j.full || ahead {
			j.again(old, said)
		}
	case same && j.full && !ahead:
	case old != nil && old.Source == policy.Ours && j.repeats(attr, v): // what was kept over a merge stays until the source says another thing
	case !j.known(attr, v, from, said, bad):
		j.out.Facts = append(j.out.Facts, j.fact(attr, v, from, said, bad))
	}
}

// date says a word about the employment itself. It is about all time, and when it was said decides.
func (j *judging) date(attr string, v dayone.Value, said time.Time) {
	old := j.counts(attr, farFuture)
	switch {
	case old == nil || old.Value != v || said.Before(j.facts.firstSaid(old, j.at)), attr == factEnding && said.After(old.Again), j.overtaken(old, said):
		if !j.known(attr, v, time.Time{}, said, false) {
			j.out.Facts = append(j.out.Facts, j.fact(attr, v, time.Time{}, said, false))
		}
	case !j.full || attr == factRead:
		j.again(old, said)
	}
}

// overtaken says that between a record's word about the end and its repetition an event spoke of it: then the repetition
// is a word of its own.
func (j *judging) overtaken(old *dayone.Fact, said time.Time) bool {
	word := j.counts(factEnding, farFuture)
	return old.Attr == factLast && !j.full && word != nil && said.After(word.Again) && !word.Again.Before(old.Again)
}

// dates judges start and end of the employment. It says why they cannot be used.
func (j *judging) dates() string {
	start, bad := j.firstDay()
	if j.starts = start; start == "" {
		if f := j.facts.last(j.engagement, factStart, farFuture, j.at, true); f != nil {
			j.starts = f.Value.Text
		}
	}
	end, endBad := lastDay(j.fields)
	ends := end
	if own, _ := lastDay(j.ev.Fields); j.ev.Type == dayone.Terminated && own != "" && (ends == "" || own < ends) {
		ends = own // the record does not have it, or not yet
	}
	switch {
	case j.starts == "" && bad != nil:
		return bad.Error()
	case j.starts == "":
		return "there is no start date, in it or in what we know"
	case ends == "" && endBad != nil && j.ev.Type != dayone.NoShow:
		return endBad.Error()
	case ends == "" && j.ev.Type == dayone.Terminated:
		return "a termination without a date: is it today? say so with end_date"
	case ends != "" && ends < j.starts && j.out.New != nil && j.ev.Type != dayone.Terminated && j.ev.Type != dayone.NoShow && j.ev.Type != dayone.Rehired:
		return fmt.Sprintf("it ends (%s) before it begins (%s)", ends, j.starts)
	}
	for _, err := range []error{bad, endBad} {
		if err != nil {
			j.finding("%v", err)
		}
	}
	if !j.stale {
		if start != "" {
			j.date(factStart, dayone.Text(start), j.said)
		}
		j.recordsEnd(end, endBad)
	}
	j.ending(ends)
	return ""
}

// recordsEnd is the end as the record has it, or that it has none.
func (j *judging) recordsEnd(end string, bad error) {
	said := slices.ContainsFunc(endings, func(field string) bool { _, ok := j.fields[field]; return ok })
	switch {
	case end != "":
		j.date(factLast, dayone.Text(end), j.said)
	case bad != nil || j.ev.Type == dayone.Terminated: // a record that knows of no end yet takes none back
	case said && !j.full:
		j.date(factLast, dayone.Text(""), j.said)
	case j.full:
		if old := j.counts(factLast, farFuture); old != nil && old.Value.Text != "" {
			j.date(factLast, dayone.Text(""), j.said)
		}
	}
}

// ending is the end as the event has it: its own word, which a record that says nothing new does not take back.
func (j *judging) ending(ends string) {
	said := j.turned
	if j.out.New != nil && said.Before(j.said) { // it is no older than the start that came with it
		said = j.said
	}
	switch j.ev.Type {
	case dayone.Terminated:
		j.date(factEnding, dayone.Text(ends), said)
	case dayone.NoShow:
		j.date(factEnding, dayone.Text(noShow), said)
	case dayone.Rehired:
		if ends < j.starts { // of the employment before
			ends = ""
		}
		j.date(factEnding, dayone.Text(ends), said)
	case dayone.TerminationCancelled:
		j.date(factEnding, dayone.Text(""), said)
		if ends != "" {
			j.finding("the termination is cancelled, but the record still ends on %s", ends)
		}
	}
}

// leave is a turn: it counts from the date that the event gives.
func (j *judging) leave() {
	var v dayone.Value
	switch j.ev.Type {
	case dayone.LeaveStarted, dayone.LeaveEnded:
		v = dayone.Bool(j.ev.Type == dayone.LeaveStarted)
	case dayone.GardenLeaveStarted:
		v = dayone.Text(gardenLeave)
	default:
		return
	}
	from := j.effective(j.ev.Fields, j.turned)
	if _, own := j.ev.Fields["effective_date"]; !own {
		from = j.effective(j.fields, j.turned)
	}
	if old := j.counts(factLeave, from); old != nil && old.Value == v && old.Effective.Equal(from) {
		j.again(old, j.turned)
	} else if !j.known(factLeave, v, from, j.turned, false) {
		j.out.Facts = append(j.out.Facts, j.fact(factLeave, v, from, j.turned, false))
	}
}

// manages says whether this event makes its person one for whom access is planned. A hire does, and whoever starts on or
// after the source's day even if the hire itself was lost; a change about somebody who was always here does not.
func (j *judging) manages(since time.Time) bool {
	switch {
	case j.ev.Type == dayone.Imported, j.ev.Type == dayone.Terminated, j.ev.Type == dayone.NoShow:
		return false
	case !since.IsZero():
		return j.starts >= since.Format(time.DateOnly)
	case j.ev.Type == dayone.Hired, j.ev.Type == dayone.Rehired:
		return true
	}
	start, end := j.facts.period(j.engagement, j.at)
	return end != "" && j.starts > start && j.starts > end // hired again, in other words
}

// firstDay is the start as said; empty with an error if it cannot be used.
func (j *judging) firstDay() (string, error) {
	day, err := asDay(j.fields["start_date"])
	if err != nil {
		return "", fmt.Errorf("start_date: %w", err)
	}
	return day, nil
}

// endings are the fields that may hold the end. The earliest one counts.
var endings = []string{"end_date", "termination_date", "last_day_of_work", "last_day"}

// lastDay is the end as said, with an error about the fields that cannot be used.
func lastDay(fields map[string]dayone.Value) (string, error) {
	var end string
	var bad error
	for _, field := range endings {
		switch day, err := asDay(fields[field]); {
		case err != nil:
			bad = fmt.Errorf("%s: %w", field, err)
		case day != "" && (end == "" || day < end):
			end = day
		}
	}
	return end, bad
}

// asDay reads a calendar day: 2024-11-25, with or without a time behind it. Years far off are mistakes of typing.
func asDay(v dayone.Value) (string, error) {
	text := strings.TrimSpace(v.Text)
	if text == "" {
		return "", nil
	}
	day, _, _ := strings.Cut(text, "T")
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", fmt.Errorf("%q is no date; write 2024-11-25", text)
	}
	if t.Year() < 1950 || t.Year() > 2150 {
		return "", fmt.Errorf("%q is no year in which anybody works", text)
	}
	return t.Format(time.DateOnly), nil
}

// addresses are the attributes that hold a mail address.
var addresses = []string{"email", "personal_email", "manager", "buddy"}

// attributes maps the source's fields. A bad value is flagged and the last good one stays. A hire is as if it had always
// been so, a change counts from its date on.
func (j *judging) attributes() {
	from := j.effective(j.fields, j.said)
	if j.ev.Type == dayone.Imported || (j.ev.Type == dayone.Hired || j.full) && j.out.New != nil || j.ev.Type == dayone.Hired && !j.full {
		from = time.Time{}
	}
	if v, ok := j.fields["employment_type"]; ok && v.Text != "" && tooLong("employment_type", v.Text) == nil {
		j.say(factType, dayone.Text(v.Text), from, j.said, false)
	}
	if v, ok := j.fields["sponsor"]; ok && v.Text != "" && j.ev.Source == dayone.Portal {
		j.say(factSponsor, dayone.Text(strings.ToLower(strings.TrimSpace(v.Text))), from, j.said, false)
	}
	for _, name := range j.set.Schema.Names() {
		a := j.set.Schema.Attributes[name]
		if a.Derived {
			continue
		}
		v, ok := j.field(a)
		if !ok && j.full && j.mapped(a) {
			ok = j.clears(name, later(from, j.said))
		}
		if !ok {
			continue
		}
		good, err := normal(a, v)
		if err == nil {
			err = identifies(name, v)
		}
		if slices.Contains(addresses, name) { // systems compare them as they please: we have one spelling
			good.Text = strings.ToLower(good.Text)
		}
		if err != nil {
			j.finding("%s: %v", name, err)
			j.say(name, dayone.Value{}, from, j.said, true)
			continue
		}
		j.say(name, good, from, j.said, false)
	}
}

// clears says whether something of this source is there that a record without it empties, or confirms to be empty. What we
// chose ourselves, or another source said, it does not speak of.
func (j *judging) clears(attr string, at time.Time) bool {
	old := j.counts(attr, at)
	return old != nil && old.Source == j.ev.Source && (old.Bad || old.Value.Text != "" || old.Effective.After(old.Again))
}

// mapped says whether an attribute comes from this event's source.
func (j *judging) mapped(a policy.Attribute) bool {
	if j.ev.Source == dayone.Portal {
		return true
	}
	return slices.ContainsFunc(a.From, func(from string) bool {
		where, _, _ := strings.Cut(from, ".")
		return j.set.Schema.Speaks(where, j.ev.Source)
	})
}

// field is the source's word for an attribute: people.yaml says hr.FIELD, and "hr" stands for every source that knows
// employments. What we choose ourselves and write back comes round again: it is ours, and not a word of the source.
func (j *judging) field(a policy.Attribute) (dayone.Value, bool) {
	if j.ev.Source == dayone.Portal {
		v, ok := j.fields[a.Name]
		return v, ok
	}
	for _, from := range a.From {
		where, name, _ := strings.Cut(from, ".")
		if where == policy.Ours && j.chosen(a.Name) {
			return dayone.Value{}, false
		}
		if !j.set.Schema.Speaks(where, j.ev.Source) {
			continue
		}
		if v, ok := j.fields[name]; ok {
			return v, true
		}
	}
	return dayone.Value{}, false
}

// chosen says whether we have chosen a value ourselves.
func (j *judging) chosen(attr string) bool {
	return slices.ContainsFunc(j.t.Facts, func(f dayone.Fact) bool { return f.Attr == attr && f.Source == policy.Ours && f.Value.Text != "" })
}

// normal reads a value as the attribute's type. Nothing is nothing, whatever the type.
func normal(a policy.Attribute, v dayone.Value) (dayone.Value, error) {
	text := strings.TrimSpace(printable(a.Name, v.Text))
	if text == "" {
		return dayone.Value{}, nil
	}
	switch a.Type {
	case dayone.DateValue:
		day, err := asDay(v)
		return dayone.Value{Kind: dayone.DateValue, Text: day}, err
	case dayone.IntValue:
		if v.Kind == dayone.IntValue {
			return v, nil
		}
		var n dayone.Value
		if n.UnmarshalJSON([]byte(text)) != nil || n.Kind != dayone.IntValue {
			return v, fmt.Errorf("%q is no whole number", short(text))
		}
		return n, nil
	case dayone.BoolValue:
		switch strings.ToLower(text) {
		case "true", "yes", "1":
			return dayone.Bool(true), nil
		case "false", "no", "0":
			return dayone.Bool(false), nil
		}
		return v, fmt.Errorf("%q is neither true nor false", short(text))
	case dayone.ListValue:
		items := v.Items()
		if len(text) > mostList*mostText {
			return v, fmt.Errorf("its list is longer than %d characters", mostList*mostText)
		}
		for i := range items {
			items[i] = printable(a.Name, items[i])
			if err := tooLong(a.Name, items[i]); err != nil {
				return v, err
			}
		}
		return dayone.List(items...), nil
	}
	if v.Kind == dayone.ListValue || text == unlisted {
		return v, fmt.Errorf("a list where one value is expected")
	}
	if err := tooLong(a.Name, text); err != nil {
		return v, err
	}
	if text != "" && a.Closed() && !slices.Contains(a.Values, text) {
		for _, w := range a.Values { // HR's capitals and blanks are forgiven
			if strings.EqualFold(strings.Join(strings.Fields(w), " "), strings.Join(strings.Fields(text), " ")) {
				return dayone.Text(w), nil
			}
		}
		return v, fmt.Errorf("%q is none of the values that people.yaml allows", short(text))
	}
	return dayone.Text(text), nil
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
