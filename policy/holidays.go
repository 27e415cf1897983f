package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Holidays are public holidays by country, from holidays.yaml: names by day. A site has those of its country beside its own,
// and everything that counts working days counts by both.
type Holidays map[string]map[string]string

// HolidaysFile is where they stand in a policy folder.
const HolidaysFile = "holidays.yaml"

var holidaysShape = shape{what: HolidaysFile, keys: []key{
	{name: "holidays", is: tableOf(tableOf(aText)), help: "country: day: name, such as DE: {2025-12-25: Christmas Day}"},
}}

// holidays reads holidays.yaml.
func (r *reader) holidays(f *file) Holidays {
	out := Holidays{}
	if f == nil {
		return out
	}
	top := r.fields(f, f.root, &holidaysShape)
	n := top["holidays"]
	if n == nil {
		return out
	}
	r.pairs(f, n, "holidays", func(k, v *yaml.Node) {
		if !dayone.IsCountry(k.Value) {
			r.at(f, k, "value", "write the two letters of ISO 3166-1, such as US", "country is %q", k.Value)
			return
		}
		days := map[string]string{}
		out[k.Value] = days
		r.pairs(f, v, "the holidays of "+k.Value, func(day, name *yaml.Node) {
			if _, err := time.Parse(time.DateOnly, day.Value); err != nil {
				r.at(f, day, "value", "write 2025-12-25", "%q is no day", day.Value)
				return
			}
			days[day.Value] = r.word(f, name, "the name of a holiday")
		})
	})
	return out
}

// observe gives sites the holidays of their countries.
func (h Holidays) observe(sites map[string]dayone.Site) {
	for name, s := range sites {
		days := h[s.Country]
		if len(days) == 0 {
			continue
		}
		all := append(slices.Collect(maps.Keys(days)), s.Holidays...)
		slices.Sort(all)
		s.Holidays = slices.Compact(all)
		sites[name] = s
	}
}

// String is holidays.yaml: sorted, so that equal holidays are equal files.
func (h Holidays) String() string {
	var b strings.Builder
	b.WriteString("# Public holidays by country. A site has those of its country beside its own. dayone calendar import writes this file.\n")
	if len(h) == 0 {
		b.WriteString("holidays: {}\n")
		return b.String()
	}
	b.WriteString("holidays:\n")
	for _, country := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "  %s:%s\n", quotedKey(country), map[bool]string{true: " {}"}[len(h[country]) == 0])
		for _, day := range slices.Sorted(maps.Keys(h[country])) {
			fmt.Fprintf(&b, "    %s: %s\n", day, oneScalar(h[country][day]))
		}
	}
	return b.String()
}

// quotedKey: NO is Norway, and a truth to older readers of YAML.
func quotedKey(country string) string {
	if country == "NO" {
		return `"NO"`
	}
	return country
}

func oneScalar(text string) string {
	raw, err := yaml.Marshal(strings.Join(strings.Fields(text), " "))
	if err != nil {
		return `""`
	}
	return strings.TrimSpace(string(raw))
}

// With is these holidays with those of one country in the years that the new ones speak of put in place of what stood there;
// other years and countries stay.
func (h Holidays) With(country string, days map[string]string) Holidays {
	out := Holidays{}
	for c, list := range h {
		out[c] = maps.Clone(list)
	}
	if out[country] == nil {
		out[country] = map[string]string{}
	}
	years := map[string]bool{}
	for day := range days {
		years[day[:4]] = true
	}
	maps.DeleteFunc(out[country], func(day, _ string) bool { return years[day[:4]] })
	maps.Copy(out[country], days)
	return out
}

// longestHolidays is how much of a calendar is read.
const longestHolidays = 1 << 20

// ReadHolidays reads a calendar as offices and calendars give it out: iCalendar (.ics), or CSV with a day and a name in each
// line. Its faults say the line.
func ReadHolidays(name string, raw []byte) (map[string]string, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if len(raw) > longestHolidays {
		return nil, fmt.Errorf("the calendar has more than %d KB: %w", longestHolidays>>10, dayone.ErrInvalid)
	}
	if line := dayone.IllegibleLine(string(raw)); line > 0 {
		return nil, fmt.Errorf("line %d holds what nobody can read: a control character, or bytes that are no UTF-8; take it out, or save the calendar as UTF-8: %w", line, dayone.ErrInvalid)
	}
	days, err := map[string]string(nil), error(nil)
	if strings.EqualFold(path.Ext(name), ".ics") || bytes.HasPrefix(bytes.ToUpper(bytes.TrimSpace(raw)), []byte("BEGIN:VCALENDAR")) {
		days, err = icsDays(string(raw))
	} else {
		days, err = csvDays(raw)
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		if year := day[:4]; year < "1950" || year > "2150" { // as with the days of people: years far off are mistakes of typing
			return nil, fmt.Errorf("%s is no year in which anybody works: %w", year, dayone.ErrInvalid)
		}
	}
	if err == nil && len(days) == 0 {
		err = fmt.Errorf("the calendar has no day; it is a file such as %q: %w", "2025-12-25,Christmas Day", dayone.ErrInvalid)
	}
	return days, err
}

func csvDays(raw []byte) (map[string]string, error) {
	c := csv.NewReader(bytes.NewReader(raw))
	if first, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';'
	}
	c.FieldsPerRecord, c.TrimLeadingSpace = -1, true
	out := map[string]string{}
	for row := 0; ; row++ {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the calendar does not read: %w: %w", err, dayone.ErrInvalid)
		}
		line, _ := c.FieldPos(0)
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(fields[0]))
		switch {
		case err != nil && row == 0: // names of columns
			continue
		case err != nil:
			return nil, fmt.Errorf("line %d: %q is no day; write 2025-12-25: %w", line, shortened(fields[0]), dayone.ErrInvalid)
		}
		title := ""
		if len(fields) > 1 {
			title = strings.TrimSpace(fields[1])
		}
		out[day.Format(time.DateOnly)] = title
	}
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}

// logical is a line of iCalendar, put together again where it was folded.
type logical struct {
	n    int
	text string
}

func unfold(text string) []logical {
	var out []logical
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if len(out) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			out[len(out)-1].text += line[1:]
			continue
		}
		out = append(out, logical{i + 1, line})
	}
	return out
}

var icsText = strings.NewReplacer(`\,`, ",", `\;`, ";", `\n`, " ", `\N`, " ", `\\`, `\`)

// longestHoliday is how many days one entry may last: what lasts longer is no holiday.
const longestHoliday = 31

func icsDays(text string) (map[string]string, error) {
	out := map[string]string{}
	var from, to time.Time
	var title string
	begun, within := 0, false
	for _, l := range unfold(text) {
		name, value, ok := strings.Cut(l.text, ":")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(strings.ToUpper(name), ";")
		switch {
		case name == "BEGIN" && strings.EqualFold(value, "VEVENT"):
			from, to, title, begun, within = time.Time{}, time.Time{}, "", l.n, true
		case !within:
		case name == "RRULE":
			return nil, fmt.Errorf("line %d: a day that is repeated by a rule falls on other days where the rule does not say so; give each day of each year: %w", l.n, dayone.ErrInvalid)
		case name == "DTSTART" || name == "DTEND":
			day, err := time.Parse("20060102", value[:min(8, len(value))])
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is no day: %w", l.n, shortened(value), dayone.ErrInvalid)
			}
			if name == "DTSTART" {
				from = day
			} else {
				to = day
			}
		case name == "SUMMARY":
			title = icsText.Replace(value)
		case name == "END" && strings.EqualFold(value, "VEVENT"):
			within = false
			if from.IsZero() {
				return nil, fmt.Errorf("line %d: an entry that begins at no day: %w", begun, dayone.ErrInvalid)
			}
			if to.Sub(from) > longestHoliday*24*time.Hour {
				return nil, fmt.Errorf("line %d: an entry of more than %d days is no holiday: %w", begun, longestHoliday, dayone.ErrInvalid)
			}
			out[from.Format(time.DateOnly)] = title
			for day := from.AddDate(0, 0, 1); day.Before(to); day = day.AddDate(0, 0, 1) {
				out[day.Format(time.DateOnly)] = title
			}
		}
	}
	return out, nil
}
