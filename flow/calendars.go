package flow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Calendar is one country's holidays, and the sites that have them.
type Calendar struct {
	Country string
	Days    []Holiday
	Sites   []string // names
}

// Holiday is one day; Site names the site that alone has it.
type Holiday struct{ Day, Name, Site string }

// Calendars are the holidays of the policies in force, by country: what every count of working days rests upon.
func (f *Flow) Calendars() []Calendar {
	set := f.Active()
	by := map[string]*Calendar{}
	of := func(country string) *Calendar {
		if by[country] == nil {
			by[country] = &Calendar{Country: country}
			for day, name := range set.Holidays[country] {
				by[country].Days = append(by[country].Days, Holiday{Day: day, Name: name})
			}
		}
		return by[country]
	}
	for country := range set.Holidays {
		of(country)
	}
	for name, s := range set.Sites {
		if name == "" && s.Country == "" && len(s.Holidays) == 0 {
			continue
		}
		c := of(s.Country)
		if name == "" {
			name = "company"
		}
		c.Sites = append(c.Sites, name)
		for _, day := range s.Holidays {
			if _, shared := set.Holidays[s.Country][day]; !shared {
				c.Days = append(c.Days, Holiday{Day: day, Site: name})
			}
		}
	}
	var out []Calendar
	for _, c := range by {
		slices.Sort(c.Sites)
		slices.SortFunc(c.Days, func(a, b Holiday) int { return strings.Compare(a.Day+a.Site, b.Day+b.Site) })
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Calendar) int { return strings.Compare(a.Country, b.Country) })
	return out
}

// NewCalendar is a calendar that somebody brings: what the file of holidays reads like then.
type NewCalendar struct {
	Text      string
	Days      int
	New, Gone []string // days
	Country   string
	Years     []string
	Same      bool // nothing is new
}

// BringCalendar puts a country's calendar into the file of holidays. Nothing is kept: what comes back is proposed as every
// other file of the policies is.
func (f *Flow) BringCalendar(country, name string, raw []byte) (NewCalendar, error) {
	country = strings.ToUpper(strings.TrimSpace(country))
	if !dayone.IsCountry(country) {
		return NewCalendar{}, fmt.Errorf("%q is no country; write the two letters of ISO 3166-1, such as DE: %w", country, dayone.ErrInvalid)
	}
	days, err := policy.ReadHolidays(name, raw)
	if err != nil {
		return NewCalendar{}, err
	}
	was := f.Active().Holidays
	is := was.With(country, days)
	out := NewCalendar{Text: is.String(), Days: len(days), Country: country, Same: is.String() == was.String()}
	for day := range is[country] {
		if _, had := was[country][day]; !had {
			out.New = append(out.New, day)
		}
	}
	for day := range was[country] {
		if _, has := is[country][day]; !has {
			out.Gone = append(out.Gone, day)
		}
	}
	for day := range days {
		if !slices.Contains(out.Years, day[:4]) {
			out.Years = append(out.Years, day[:4])
		}
	}
	slices.Sort(out.New)
	slices.Sort(out.Gone)
	slices.Sort(out.Years)
	return out, nil
}
