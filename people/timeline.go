package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Names of facts that are about the employment itself, beside the attributes of people.yaml.
const (
	factType   = "engagement.type"
	factStart  = "engagement.start"
	factLast   = "engagement.last_day" // as the record has it; empty: open
	factEnding = "engagement.ending"   // as an event said it: a last day, noShow, or empty for "she stays"
	factLeave  = "engagement.leave"    // true from the first day of a leave, false from the first day back
	factRead   = "engagement.read"     // a whole record was read: nothing said before it counts any more
)

// noShow is the ending of somebody who never came.
const noShow = "no-show"

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// period is first and last day of an employment. The later one of two words about its end counts: what the record has,
// and what an event said. An end before the start is one of two things. Said after that start was, it means that she will
// not come; said before, it ended an earlier employment under the same number, and she is back.
func (s *spoken) period(e dayone.EngagementID, known time.Time) (start, end string) {
	begins := s.last(e, factStart, farFuture, known, true)
	if begins == nil {
		return "", ""
	}
	start = begins.Value.Text
	since := s.firstSaid(begins, known)
	word := s.last(e, factEnding, farFuture, known, true)
	if word != nil && word.Again.Before(since) && (word.Value.Text == noShow || word.Value.Text < start) {
		word = nil
	}
	record := s.last(e, factLast, farFuture, known, true)
	if record != nil && record.Value.Text != "" && record.Value.Text < start && !s.firstSaid(record, known).After(since) {
		record = nil
	}
	if word == nil || (record != nil && again(record, known).After(word.Again)) {
		word = record
	}
	switch {
	case word == nil:
		return start, ""
	case word.Value.Text == noShow:
		return start, dayBefore(start)
	}
	return start, word.Value.Text
}

func dayBefore(day string) string {
	return startOf(day, time.UTC).AddDate(0, 0, -1).Format(time.DateOnly)
}

// engagement lays one employment out as it stands at an instant.
func (s *spoken) engagement(e dayone.Employment, at, known time.Time) dayone.Engagement {
	out := dayone.Engagement{ID: e.ID, Source: e.Source, SourceID: e.SourceID}
	out.Start, out.LastDay = s.period(e.ID, known)
	if f := s.last(e.ID, factType, at, known, true); f != nil {
		out.Type = f.Value.Text
	}
	return out
}

// rank orders status from best to worst.
var rank = []dayone.Status{dayone.Working, dayone.OnLeave, dayone.PreHire, dayone.Left}

// At is the person at an instant, as known at another (usually the same).
func At(t *dayone.Timeline, at, known time.Time, set *policy.Set) dayone.Person {
	p := dayone.Person{ID: t.Person, At: at, Managed: t.Managed, Attrs: dayone.Attrs{}, Status: dayone.Left}
	type candidate struct {
		engagement dayone.Engagement
		employment dayone.Employment
		status     dayone.Status
		start, end time.Time
		stopped    bool
		site       dayone.Site
	}
	s := listen(t)
	var all []candidate
	for _, e := range t.Employments {
		if e.Recorded.After(known) {
			continue
		}
		c := candidate{engagement: s.engagement(e, at, known), employment: e}
		location := ""
		if f := s.last(e.ID, "location", at, known, true); f != nil {
			location = f.Value.Text
		}
		c.site = set.SiteOf(location)
		zone, _ := c.site.Location()
		c.start, c.end = startOf(c.engagement.Start, zone), endOf(c.engagement.LastDay, zone)
		stop := s.stopOf(e.ID, known)
		c.end = cut(&c.engagement, c.end, stop, zone)
		c.stopped = !stop.IsZero() && c.end.Equal(stop)
		c.status = s.status(e.ID, c.start, c.end, at, known)
		all = append(all, c)
	}
	if len(all) == 0 {
		return p
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.status), slices.Index(rank, b.status)), a.start.Compare(b.start))
	})
	main := all[0]
	if main.status == dayone.Left { // nobody works here any more: the last employment tells how she is to be called
		main = slices.MaxFunc(all, func(a, b candidate) int { return a.end.Compare(b.end) })
	}
	for _, c := range all {
		c.engagement.Primary = c.engagement.ID == main.engagement.ID
		p.Engagements = append(p.Engagements, c.engagement)
	}
	p.Stopped = main.stopped && main.status == dayone.Left
	p.Status, p.Start, p.Site, p.Recorded = main.status, main.start, main.site, main.employment.Recorded
	for _, c := range all { // she leaves when the last engagement ends
		if c.end.IsZero() {
			p.End = time.Time{}
			break
		}
		if c.end.After(p.End) {
			p.End = c.end
		}
	}
	s.attributes(&p, main.engagement.ID, at, known, set)
	return p
}

func (s *spoken) status(e dayone.EngagementID, start, end, at, known time.Time) dayone.Status {
	switch {
	case !end.IsZero() && (!at.Before(end) || !end.After(start)): // who will not come has left at once
		return dayone.Left
	case start.IsZero() || at.Before(start):
		return dayone.PreHire
	}
	if f := s.last(e, factLeave, at, known, true); f != nil && f.Value.Bool() {
		return dayone.OnLeave
	}
	return dayone.Working
}

// startOf is the first instant of a day in a zone, endOf the first after it. No day is no instant. Where clocks change at
// midnight the day begins at one, or has its first hour twice.
func startOf(day string, zone *time.Location) time.Time {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	t := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
	if t.Day() != d.Day() { // there was no midnight
		_, t = t.ZoneBounds()
		return t
	}
	if earlier := t.Add(-time.Hour); earlier.Day() == d.Day() {
		return earlier
	}
	return t
}

func endOf(day string, zone *time.Location) time.Time {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	return startOf(d.AddDate(0, 0, 1).Format(time.DateOnly), zone)
}

// attributes takes the last good value of each, flags what is unknown, and derives what sites tell. Of a location that no
// site describes nothing follows: what would is flagged with it.
func (s *spoken) attributes(p *dayone.Person, e dayone.EngagementID, at, known time.Time, set *policy.Set) {
	lost := false
	if f := s.last(e, "location", at, known, true); f != nil && f.Value.Text != "" {
		_, there := set.Sites[f.Value.Text]
		lost = !there
	}
	if lost {
		p.Unknown = append(p.Unknown, "location")
	}
	for _, name := range set.Schema.Names() {
		a := set.Schema.Attributes[name]
		if a.Derived {
			continue
		}
		if f := s.last(e, name, at, known, true); f != nil && f.Value.Text != "" {
			p.Attrs[name] = f.Value
		}
		if f := s.last(e, name, at, known, false); f != nil && f.Bad {
			p.Unknown = append(p.Unknown, name)
		}
		if _, has := p.Attrs[name]; !has {
			switch v, ok := ofSite(a, p.Site); {
			case ok && !lost:
				p.Attrs[name] = v
			case lost && slices.ContainsFunc(a.From, func(from string) bool { return strings.HasPrefix(from, "site.") }):
				p.Unknown = append(p.Unknown, name)
			}
		}
	}
	p.Attrs["id"] = dayone.Text(string(p.ID))
	p.Attrs["status"] = dayone.Text(string(p.Status))
	slices.Sort(p.Unknown)
	p.Unknown = slices.Compact(p.Unknown)
}

// ofSite is an attribute that people.yaml takes from the site: site.country.
func ofSite(a policy.Attribute, s dayone.Site) (dayone.Value, bool) {
	for _, from := range a.From {
		text := map[string]string{"site.country": s.Country, "site.address": s.Address, "site.zone": s.Zone, "site.name": s.Name}[from]
		if text != "" {
			return dayone.Text(text), true
		}
	}
	return dayone.Value{}, false
}

// Next is the first instant after at on which the person can change by herself: a start, an end, a fact that becomes
// effective. Zero: none.
func Next(t *dayone.Timeline, at time.Time, set *policy.Set) time.Time {
	var next time.Time
	consider := func(i time.Time) {
		if i.After(at) && (next.IsZero() || i.Before(next)) {
			next = i
		}
	}
	for i := range t.Facts {
		consider(t.Facts[i].Effective)
	}
	s := listen(t)
	for _, e := range t.Employments {
		location := ""
		if f := s.last(e.ID, "location", at, at, true); f != nil {
			location = f.Value.Text
		}
		zone, _ := set.SiteOf(location).Location()
		eng := s.engagement(e, at, at)
		consider(startOf(eng.Start, zone))
		consider(endOf(eng.LastDay, zone))
		consider(s.stopOf(e.ID, at))
	}
	return next
}

// EndSaid is since when we know how somebody's employments end; zero: nobody said that they do.
func EndSaid(t *dayone.Timeline) time.Time {
	var at time.Time
	for _, f := range t.Facts {
		if (f.Attr == factLast || f.Attr == factEnding || f.Attr == factStop) && !f.Bad && f.Recorded.After(at) {
			at = f.Recorded
		}
	}
	return at
}
