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
	factType    = "engagement.type"
	factStart   = "engagement.start"
	factLast    = "engagement.last_day" // as the record has it; empty: open
	factEnding  = "engagement.ending"   // as an event said it: a last day, noShow, or empty for "she stays"
	factLeave   = "engagement.leave"    // true from the first day of a leave, false from the first day back
	factSponsor = "engagement.sponsor"  // who answers for somebody who is in no HR system
	factRead    = "engagement.read"     // a whole record was read: nothing said before it counts any more
)

// gardenLeave is the leave of somebody who may work no more until the last day; any other leave is true.
const gardenLeave = "garden leave"

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
	if f := s.last(e.ID, factSponsor, at, known, true); f != nil {
		out.Sponsor = f.Value.Text
	}
	out.Heir = s.heirOf(e.ID, known)
	if out.LastDay != "" {
		out.EndKnown = s.endKnown(e.ID, known)
	}
	return out
}

// endKnown is since when the end of an employment is known as it stands.
func (s *spoken) endKnown(e dayone.EngagementID, known time.Time) time.Time {
	var at time.Time
	for _, attr := range []string{factLast, factEnding} {
		if f := s.last(e, attr, farFuture, known, true); f != nil && f.Recorded.After(at) {
			at = f.Recorded
		}
	}
	return at
}

// rank orders status from best to worst.
var rank = []dayone.Status{dayone.Working, dayone.OnLeave, dayone.PreHire, dayone.Left}

// At is the person at an instant, as known at another (usually the same): as everybody may know her, and as policies read
// her. What is confidential at the instant of knowing is left out.
func At(t *dayone.Timeline, at, known time.Time, set *policy.Set) dayone.Person {
	seen, veil, until := Public(t, known, set)
	p := Whole(seen, at, known, set)
	if veil == dayone.WholeVeiled {
		p.Managed = false
	}
	p.Veil, p.Unveils = veil, until
	return p
}

// Whole is the person with what is confidential: for those alone who may know it.
func Whole(t *dayone.Timeline, at, known time.Time, set *policy.Set) dayone.Person {
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
		if e.Recorded.After(known) || attributesOnly(t, e, known, set) {
			continue
		}
		c := candidate{engagement: s.engagement(e, at, known), employment: e}
		if c.engagement.Start == "" { // a record that was bound, and of which nothing was said yet
			continue
		}
		c.site = set.SiteOf(s.place(e.ID, at, known, set))
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
		return cmp.Or(cmp.Compare(slices.Index(rank, a.status), slices.Index(rank, b.status)), entered(a.employment)-entered(b.employment), a.start.Compare(b.start))
	})
	main := all[0]
	if main.status == dayone.Left { // nobody works here any more: the last employment tells how she is to be called
		main = slices.MaxFunc(all, func(a, b candidate) int { return a.end.Compare(b.end) })
	}
	for _, c := range all {
		c.engagement.Primary = c.engagement.ID == main.engagement.ID
		p.Engagements = append(p.Engagements, c.engagement)
	}
	if p.Stopped = main.stopped && main.status == dayone.Left; main.status != dayone.Left {
		p.Anew = s.anewSince(main.engagement.ID, known)
	}
	p.Status, p.Start, p.Site, p.Recorded = main.status, main.start, main.site, main.employment.Recorded
	if p.Status == dayone.OnLeave {
		p.Garden = s.last(main.engagement.ID, factLeave, at, known, true).Value.Text == gardenLeave
	}
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

// entered says of an employment that people entered it: of two alike, HR's tells more.
func entered(e dayone.Employment) int {
	if e.Source == dayone.Portal {
		return 1
	}
	return 0
}

func (s *spoken) status(e dayone.EngagementID, start, end, at, known time.Time) dayone.Status {
	switch {
	case !end.IsZero() && (!at.Before(end) || !end.After(start)): // who will not come has left at once
		return dayone.Left
	case start.IsZero() || at.Before(start):
		return dayone.PreHire
	}
	if f := s.last(e, factLeave, at, known, true); f != nil && (f.Value.Bool() || f.Value.Text == gardenLeave) {
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
	if where := s.place(e, at, known, set); where != "" {
		_, there := set.Sites[where]
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
		f, bad := s.counting(e, a, at, known, set)
		if f == nil && slices.Contains(ownWords, name) {
			f = s.elsewhere(p.Engagements, e, name, at, known)
		}
		if f != nil {
			p.Attrs[name] = f.Value
		}
		if bad {
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

// place is where somebody works in an employment, as the site is called.
func (s *spoken) place(e dayone.EngagementID, at, known time.Time, set *policy.Set) string {
	if f, _ := s.counting(e, set.Schema.Attributes["location"], at, known, set); f != nil {
		return f.Value.Text
	}
	return ""
}

// attributesOnly says that an employment is none, but what a directory says of somebody who has others.
func attributesOnly(t *dayone.Timeline, e dayone.Employment, known time.Time, set *policy.Set) bool {
	return set.Schema.OnlyAttributes(e.Source) && slices.ContainsFunc(t.Employments, func(o dayone.Employment) bool {
		return !o.Recorded.After(known) && !set.Schema.OnlyAttributes(o.Source)
	})
}

// ownWords are attributes of the human being and not of the employment. What one employment says nothing of, another may: who
// comes over from a contract keeps login, mail and name.
var ownWords = []string{"first_name", "last_name", "preferred_name", "email", "login", "personal_email", "mobile", "home_address", "locale"}

// elsewhere is what the other employments of a person say last of an attribute.
func (s *spoken) elsewhere(all []dayone.Engagement, not dayone.EngagementID, attr string, at, known time.Time) *dayone.Fact {
	var best *dayone.Fact
	for _, e := range all {
		if e.ID == not {
			continue
		}
		if f := s.last(e.ID, attr, at, known, true); f != nil && f.Value.Text != "" && (best == nil || order(f, best, known) > 0) {
			best = f
		}
	}
	return best
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
// effective. Zero: none. What is confidential does not show in it; At says when that may be known.
func Next(t *dayone.Timeline, at time.Time, set *policy.Set) time.Time {
	t, _, _ = Public(t, at, set)
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
		zone, _ := set.SiteOf(s.place(e.ID, at, at, set)).Location()
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
