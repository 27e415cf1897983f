package people

import (
	"cmp"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Names of facts that are about the employment itself, beside the attributes of people.yaml.
const (
	factType  = "engagement.type"
	factStart = "engagement.start"
	factLast  = "engagement.last_day"
	factLeave = "engagement.leave" // true from the first day of a leave, false from the first day back
)

// last is the fact that counts at an instant, as known at another: the latest effective one, of these the latest
// recorded one. With good only facts that are no flags count.
func last(t *dayone.Timeline, e dayone.EngagementID, attr string, at, known time.Time, good bool) *dayone.Fact {
	var best *dayone.Fact
	for i := range t.Facts {
		f := &t.Facts[i]
		if f.Engagement != e || f.Attr != attr || f.Effective.After(at) || f.Recorded.After(known) || (good && f.Bad) {
			continue
		}
		if best == nil || f.Effective.After(best.Effective) || (f.Effective.Equal(best.Effective) && !f.Recorded.Before(best.Recorded)) {
			best = f
		}
	}
	return best
}

// engagement lays one employment out as it stands at an instant.
func engagement(t *dayone.Timeline, e dayone.Employment, at, known time.Time) dayone.Engagement {
	out := dayone.Engagement{ID: e.ID, Source: e.Source, SourceID: e.SourceID}
	for attr, to := range map[string]*string{factType: &out.Type, factStart: &out.Start, factLast: &out.LastDay} {
		if f := last(t, e.ID, attr, at, known, true); f != nil {
			*to = f.Value.Text
		}
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
		site       dayone.Site
	}
	var all []candidate
	for _, e := range t.Employments {
		if e.Recorded.After(known) {
			continue
		}
		c := candidate{engagement: engagement(t, e, at, known), employment: e}
		location := ""
		if f := last(t, e.ID, "location", at, known, true); f != nil {
			location = f.Value.Text
		}
		c.site = set.SiteOf(location)
		zone, _ := c.site.Location()
		c.start, c.end = startOf(c.engagement.Start, zone), endOf(c.engagement.LastDay, zone)
		c.status = status(t, e.ID, c.start, c.end, at, known)
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
	attributes(t, &p, main.engagement.ID, at, known, set)
	return p
}

func status(t *dayone.Timeline, e dayone.EngagementID, start, end, at, known time.Time) dayone.Status {
	switch {
	case !end.IsZero() && !at.Before(end):
		return dayone.Left
	case start.IsZero() || at.Before(start):
		return dayone.PreHire
	}
	if f := last(t, e, factLeave, at, known, true); f != nil && f.Value.Bool() {
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

// attributes takes the last good value of each, flags what is unknown, and derives what sites tell.
func attributes(t *dayone.Timeline, p *dayone.Person, e dayone.EngagementID, at, known time.Time, set *policy.Set) {
	for _, name := range set.Schema.Names() {
		a := set.Schema.Attributes[name]
		if a.Derived {
			continue
		}
		if f := last(t, e, name, at, known, true); f != nil && f.Value.Text != "" {
			p.Attrs[name] = f.Value
		}
		if f := last(t, e, name, at, known, false); f != nil && f.Bad {
			p.Unknown = append(p.Unknown, name)
		}
		if _, has := p.Attrs[name]; !has {
			if v, ok := ofSite(a, p.Site); ok {
				p.Attrs[name] = v
			}
		}
	}
	p.Attrs["id"] = dayone.Text(string(p.ID))
	p.Attrs["status"] = dayone.Text(string(p.Status))
	if loc := p.Attrs.Text("location"); loc != "" {
		if _, known := set.Sites[loc]; !known {
			p.Unknown = append(p.Unknown, "location")
		}
	}
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
	for _, e := range t.Employments {
		location := ""
		if f := last(t, e.ID, "location", at, at, true); f != nil {
			location = f.Value.Text
		}
		zone, _ := set.SiteOf(location).Location()
		eng := engagement(t, e, at, at)
		consider(startOf(eng.Start, zone))
		consider(endOf(eng.LastDay, zone))
	}
	return next
}
