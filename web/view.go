package web

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/planner"
)

// The view structs of components: plain values, all that a template sees.

// link leads somewhere.
type link struct{ Text, Href string }

// state is an icon and a word, always both.
type state struct {
	Icon, Class, Text string
	Tag               bool
}

// tag is the state as the header of a panel shows it.
func (s state) tag() *state { s.Tag = true; return &s }

// stamp is an instant or a day as somebody reads it.
type stamp struct{ ISO, Text, Title string }

// figure is one number that opens a page.
type figure struct {
	ID, Label, Value, Small, Href string
	State                         *state
	At                            *stamp
	Quiet                         bool // changes without being read aloud
}

// notice says what, what next, and offers the act.
type notice struct {
	Kind, Icon, Title, Text string // kind: "", warn, bad, good
	Act                     *link
	Also                    *link // a second way, quieter
}

// act is a button that posts.
type act struct {
	Text, Action string
	Primary      bool
	Hidden       []link // name and value
}

// item is a row to open or to act on.
type item struct {
	State      *state
	Title      link
	Get        string // where the part behind the link is, for script
	Meta, Next string
	Small      string // below: what only few want to know
	At         *stamp
	Open       *link
	Also       *link // a second way, quieter
	Acts       []act
	Current    bool
}

// empty teaches the first act.
type empty struct {
	Icon, Title, Text string
	Acts              []link
}

// field of a form.
type field struct {
	ID, Name, Label, Hint, Value, Error, Type string
	Mono, Required                            bool
	Autocomplete                              string
	Options                                   []option // one of these; none: it is typed
	Area                                      bool     // several lines
}

// tab is a view with an address of its own.
type tab struct {
	Text, Href string
	Count      int
	Current    bool
}

// option of a select.
type option struct {
	Value, Text string
	Selected    bool
}

// reason is one line that opens to the chain of proof.
type reason struct {
	Text  string
	Chain []chained
	Why   *link // the whole explanation
}

type chained struct {
	Head, Text string
	Code       string
	Href       string
	At         *stamp
}

// pair is a fact.
type pair struct {
	Name, Value string
	Href        string
	Code        bool
	At          *stamp
}

// strip is progress at a glance: one tick a step, in plan order; above stripMost steps shares of its width.
type strip struct {
	Width int
	Label string // "" hides it from those who cannot see: the words stand beside it
	Ticks []tick
}

type tick struct {
	Shape string // letter: d a r w f b s g c u p
	X, W  float64
}

// Inner and Dot are widths within a tick: of what is drawn hollow, and of what has not begun.
func (t tick) Inner() float64 { return math.Round((t.W-1.4)*10) / 10 }
func (t tick) Dot() float64   { return max(t.W-2, 1) }

const stripMost = 60

// shapes of ticks.
var shapes = map[planner.Look]string{
	planner.LookDone: "d", planner.LookAlready: "a", planner.LookRunning: "r", planner.LookWaiting: "w", planner.LookTask: "w",
	lookLater: "c", lookGivenUp: "g", planner.LookFirstLogin: "w", planner.LookApproval: "w", planner.LookFailed: "f", planner.LookBlocked: "b", planner.LookSkipped: "s", planner.LookUndone: "u",
}

// shapeOrder is how shares stand beside each other, and how counts are told.
var shapeOrder = []struct{ shape, word string }{
	{"d", "changed"}, {"a", "already so"}, {"r", "running"}, {"w", "waiting"}, {"f", "failed"}, {"b", "blocked"}, {"s", "skipped"}, {"g", "given up"}, {"c", "went on later"}, {"u", "undone"}, {"p", "not started"},
}

func shapeOf(l planner.Look) string {
	if s, ok := shapes[l]; ok {
		return s
	}
	return "p"
}

// tally is how many steps have a shape: an entry of a strip's key.
type tally struct {
	Strip strip
	Count int
	Word  string
}

func newStrip(view viewer, looks []planner.Look) (strip, []tally) {
	counts := map[string]int{}
	for _, l := range looks {
		counts[shapeOf(l)]++
	}
	var key []tally
	var words []string
	for _, o := range shapeOrder {
		if n := counts[o.shape]; n > 0 {
			key = append(key, tally{strip{Width: 4, Ticks: []tick{{Shape: o.shape, W: 4}}}, n, o.word})
			words = append(words, strconv.Itoa(n)+" "+view.label(o.word))
		}
	}
	s := strip{Label: strings.Join(words, ", ")}
	if len(looks) <= stripMost {
		for i, l := range looks {
			s.Ticks = append(s.Ticks, tick{Shape: shapeOf(l), X: float64(i * 6), W: 4})
		}
		s.Width = max(len(looks)*6-2, 4)
		return s, key
	}
	s.Width = 240
	x := 0.0
	for _, o := range shapeOrder {
		if n := counts[o.shape]; n > 0 {
			w := float64(s.Width) * float64(n) / float64(len(looks))
			s.Ticks = append(s.Ticks, tick{Shape: o.shape, X: math.Round(x*10) / 10, W: max(math.Round((w-1)*10)/10, 2)})
			x += w
		}
	}
	return s, key
}

// viewer is for whom times are written.
type viewer struct {
	zone  *time.Location
	now   time.Time
	named bool // no menu says which zone this is: each time of day does
	in    *locale.Language

	systems  func(name string) string // how people call a system; nil: nobody was asked
	things   func(dayone.Key) string  // how people call an access; "": it is none that is known; nil: nobody was asked
	policies func(id string) string   // how people call a policy; nil: nobody was asked
	sites    func() []*time.Location  // in whose zones flow writes times down
	called   func(id string) string   // how people call a run or somebody; "": an id is all that whoever looks may know; nil: nobody was asked
}

// there is a viewer who reads times as they are at a place.
func (v viewer) there(zone *time.Location) viewer {
	return viewer{zone: zone, now: v.now, named: true, in: v.in, called: v.called, things: v.things, policies: v.policies, systems: v.systems, sites: v.sites}
}

// say puts what varies into a text of ours, in the viewer's language.
func (v viewer) say(text string, args ...any) string { return v.in.Say(text, args...) }

// plural says how many, in the viewer's language.
func (v viewer) plural(n int, one, many string) string { return v.in.Plural(n, one, many) }

// label is a text of ours in the viewer's language; what is none of ours is shown as it is.
func (v viewer) label(text string) string { return v.in.Label(text) }

// heard is a sentence that was made in English elsewhere: by flow, or where nobody knows who reads it.
func (v viewer) heard(text string) string {
	return v.withNames(v.in.Heard(grouped(v.inZone(text))))
}

// found is what flow has found, each part of it by itself; its days read as every other day.
func (v viewer) found(note string) string {
	return v.withKeys(v.withNames(v.isoDays(v.in.HeardEach(grouped(v.inZone(note))))))
}

// countIn is how many of something there are, in a sentence that was made elsewhere: nothing else that has four digits or more
// is written in groups, such as a year, an extension or an id.
var countIn = regexp.MustCompile(`(^|[ (])([1-9]\d{3,15})( (?:accounts|changed|devices|employments|lines|missing|new|numbers|people|records|steps|things|users)\b)|( had )([1-9]\d{3,15})($|[;,. ])`)

// grouped writes the counts of such a sentence as every other: 1,204.
func grouped(text string) string {
	return countIn.ReplaceAllStringFunc(text, func(s string) string {
		return wholeIn.ReplaceAllStringFunc(s, func(digits string) string {
			n, err := strconv.Atoi(digits)
			if err != nil {
				return digits
			}
			return thousands(n)
		})
	})
}

var wholeIn = regexp.MustCompile(`\d+`)

// idIn is a run or somebody in a sentence that was made where nobody's name is written down.
var idIn = regexp.MustCompile(`\b(run|per)_[0-9a-z]{26}\b`)

// withNames is a sentence with names in it where it has ids.
func (v viewer) withNames(text string) string {
	if v.called == nil {
		return text
	}
	return idIn.ReplaceAllStringFunc(text, func(id string) string { return cmp.Or(v.called(id), id) })
}

// within is a title as it stands inside a sentence; languages that write it as it is keep its first letter.
func (v viewer) within(title string) string {
	if v.in != nil {
		return title
	}
	return lowerFirst(title)
}

// keyIn is an access in a sentence, as policies write it. What else has a slash in it begins with no system.
var keyIn = regexp.MustCompile(`(^|[ (])([a-z0-9][a-z0-9-]*)/([a-z][a-z-]*)(?::([^\s,;)]*[^\s,;).:]))?`)

// titled is an access as pages call it; one of a system that nobody knows any more is called by its key.
func (v viewer) titled(k dayone.Key) string {
	if v.things == nil {
		return k.String()
	}
	return cmp.Or(v.things(k), k.String())
}

// policy is what a policy is called.
func (v viewer) policy(id string) string {
	if v.policies == nil {
		return id
	}
	return v.policies(id)
}

// withKeys is a sentence that calls each access as pages do: Salesforce permission set quote-author.
func (v viewer) withKeys(text string) string {
	if v.things == nil || !strings.Contains(text, "/") {
		return text
	}
	return keyIn.ReplaceAllStringFunc(text, func(s string) string {
		m := keyIn.FindStringSubmatch(s)
		if name := v.things(dayone.Key{System: m[2], Kind: m[3], Name: m[4]}); name != "" {
			return m[1] + name
		}
		return s
	})
}

// access is what somebody may have, with its system, as it stands in a sentence.
func (v viewer) access(titles, kinds map[string]string, k dayone.Key) string {
	return joined(" ", systemTitle(titles, k.System), v.kind(kindTitle(kinds, k)), k.Name)
}

// zonedIn is a time of day in a sentence that was made where nobody knows who reads it, in the zone of a site.
var zonedIn = regexp.MustCompile(`\b(?:[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2}|\d{4}-\d{2}-\d{2}) \d{2}:\d{2} (?:[A-Z]{2,5}|[+-]\d{2,4})\b`)

const (
	zonedLayout = "Mon 2 Jan 15:04 MST"
	isoZoned    = "2006-01-02 15:04 MST"
)

// inZone is a sentence with the times of day of the viewer's zone, so that a page has one.
func (v viewer) inZone(text string) string {
	if v.zone == nil {
		return text
	}
	return zonedIn.ReplaceAllStringFunc(text, func(s string) string {
		zones := []*time.Location{time.UTC, v.zone}
		if v.sites != nil {
			zones = append(zones, v.sites()...)
		}
		for _, zone := range zones {
			if at, err := time.ParseInLocation(isoZoned, s, zone); err == nil && at.Format(isoZoned) == s {
				if at.Sub(v.now).Abs() < 180*24*time.Hour {
					return at.In(v.zone).Format(zonedLayout)
				}
				return at.In(v.zone).Format("2 Jan 2006 15:04 MST")
			}
			day, err := time.Parse("Mon 2 Jan 15:04", s[:max(strings.LastIndexByte(s, ' '), 0)]) // no zone: none is as old as a day without a year
			if err != nil {
				continue
			}
			for _, year := range []int{v.now.Year(), v.now.Year() - 1, v.now.Year() + 1} { // none is written down: the weekday tells it
				at := time.Date(year, day.Month(), day.Day(), day.Hour(), day.Minute(), 0, 0, zone)
				if at.Format(zonedLayout) == s {
					return at.In(v.zone).Format(zonedLayout)
				}
			}
		}
		return s
	})
}

// list is a list as it is said: a, b and c.
func (v viewer) list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return v.say("%s and %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}

// number is a whole number as it is written: 100,412.
func (v viewer) number(n int) string { return v.in.Number(n) }

// counted is how many there are of what may be thousands: the text of many has a place for the number as it is written.
func (v viewer) counted(n int, one, many string) string {
	if n == 1 {
		return v.label(one)
	}
	return v.say(many, v.number(n))
}

// labels are several of them in one line.
func (v viewer) labels(list []string) string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = v.label(text)
	}
	return strings.Join(out, ", ")
}

// problem is why flow refuses what somebody entered, as the beginning of a sentence.
func (v viewer) problem(err error) string { return sentence(v.heard(flow.Problem(err))) }

// away says how far a day is away.
func (v viewer) away(days int) string { return v.in.Away(days) }

// viewerOf reads the zone that the page's script has found; UTC before that.
func (p *portal) viewerOf(r *http.Request) viewer {
	v := viewer{zone: time.UTC, now: p.now(), in: p.languageOf(r)}
	v.called = func(id string) string { return p.calls(r, v, id) }
	v.systems = func(name string) string { return systemTitle(p.titles(), name) }
	v.things = func(k dayone.Key) string {
		titles := p.titles()
		if _, ok := titles[k.System]; !ok {
			return ""
		}
		return v.access(titles, p.kindTitles(), k)
	}
	v.policies = p.policyTitle
	v.sites = func() (out []*time.Location) {
		for _, s := range p.flow.Active().Sites {
			zone, _ := s.Location()
			out = append(out, zone)
		}
		return out
	}
	c, err := r.Cookie("zone")
	if err != nil || len(c.Value) > 64 {
		return v
	}
	name, err := url.QueryUnescape(c.Value)
	if err != nil || name == "" || name == "Local" {
		return v
	}
	if zone, err := time.LoadLocation(name); err == nil {
		v.zone = zone
	}
	return v
}

// calls is how whoever asks may hear a run or somebody called; "": not at all.
func (p *portal) calls(r *http.Request, v viewer, id string) string {
	v.called = nil // a name says no other
	if dayone.ValidID("per", id) && p.shows(r, "GET /people/{id}") {
		if row, err := p.flow.Person(r.Context(), dayone.PersonID(id)); err == nil {
			return row.Name
		}
	}
	if !dayone.ValidID("run", id) || !p.shows(r, "GET /runs/{id}") {
		return ""
	}
	run, err := p.flow.RunOf(r.Context(), dayone.RunID(id))
	if err != nil {
		return ""
	}
	if _, err := p.flow.Person(r.Context(), run.Person); err != nil { // its title has her name
		return ""
	}
	return v.say("“%s”", v.runTitle(run.Title))
}

func (v viewer) stamp(t time.Time, layout string) *stamp {
	if t.IsZero() {
		return nil
	}
	in := t.In(v.zone)
	return &stamp{ISO: t.UTC().Format(time.RFC3339), Text: v.in.Time(in, layout), Title: v.in.Time(in, "Mon 2 January 2006, 15:04:05 MST")}
}

// timed is a stamp with a time of day in it.
func (v viewer) timed(t time.Time, layout string) *stamp {
	s := v.stamp(t, layout)
	if s != nil && v.named {
		s.Text += " " + zoneName(t.In(v.zone))
	}
	return s
}

// zoneName is how people there call their time: PST; UTC-03 where it has no other name.
func zoneName(t time.Time) string {
	name, _ := t.Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return "UTC" + name
	}
	return name
}

// at is day and time; the year stands there only if it is another.
func (v viewer) at(t time.Time) *stamp { return v.timed(t, v.dayLayout(t.In(v.zone))+", 15:04") }

// date is the day alone; the exact time stands in its title.
func (v viewer) date(t time.Time) *stamp { return v.stamp(t, v.dayLayout(t.In(v.zone))) }

// clock is the time with seconds, for runs of today; with the day, for others.
func (v viewer) clock(t time.Time) *stamp {
	in, now := t.In(v.zone), v.now.In(v.zone)
	if in.Year() == now.Year() && in.YearDay() == now.YearDay() {
		return v.timed(t, "15:04:05")
	}
	return v.timed(t, v.dayLayout(in)+", 15:04:05")
}

// day is a calendar day where somebody works: her first day is no other day for whoever looks from elsewhere.
func (v viewer) day(t time.Time, zone *time.Location) *stamp {
	if t.IsZero() {
		return nil
	}
	in := t.In(zone)
	return &stamp{ISO: in.Format(time.DateOnly), Text: v.in.Time(in, v.dayLayout(in)), Title: v.in.Time(in, "Mon 2 January 2006, MST")}
}

func (v viewer) dayLayout(t time.Time) string {
	if t.Year() != v.now.In(v.zone).Year() {
		return "Mon 2 Jan 2006"
	}
	return "Mon 2 Jan"
}

// isoDay is a day as files and findings write it.
var isoDay = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}\b`)

// isoDays writes the days in a finding as people read them.
func (v viewer) isoDays(text string) string {
	return isoDay.ReplaceAllStringFunc(text, func(s string) string {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return s
		}
		return v.in.Time(day, "2 Jan 2006")
	})
}

// longDay is a day in a sentence that was made for letters and records, too.
var longDay = regexp.MustCompile(`\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}\b`)

// longDays writes the days in a sentence as pages do. It is still to be heard.
func longDays(text string) string {
	return longDay.ReplaceAllStringFunc(text, func(s string) string {
		day, err := time.Parse("2 January 2006", s)
		if err != nil {
			return s
		}
		return day.Format("2 Jan 2006")
	})
}

// value is a value of somebody's timeline; a day reads as every other day.
func (v viewer) value(x dayone.Value) string {
	if day, ok := x.Day(); ok {
		return v.in.Time(day, "Mon 2 Jan 2006")
	}
	return valueText(x)
}

// read is what a policy has read; a day reads as every other day.
func (v viewer) read(text string) string {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return v.in.Time(day, v.dayLayout(day))
}

// days is how far a day is away, in whole days of a zone.
func (v viewer) days(t time.Time, zone *time.Location) int {
	a, b := v.now.In(zone), t.In(zone)
	from := time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, time.UTC)
	to := time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, time.UTC)
	return int(to.Sub(from) / (24 * time.Hour))
}

// took writes a duration as people say it.
func took(d time.Duration) string { return viewer{}.took(d) }

func (v viewer) took(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return v.label("under 0.1 s")
	case d < 10*time.Second:
		return v.in.Point(strconv.FormatFloat(d.Seconds(), 'f', 1, 64)) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return unit(d, time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return unit(d, time.Hour, "h", time.Minute, "min")
	default:
		return v.say("%d days", int(d/(24*time.Hour)))
	}
}

func unit(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	out := strconv.Itoa(int(d/big)) + " " + bigName
	if rest := int(d % big / small); rest > 0 {
		out += " " + strconv.Itoa(rest) + " " + smallName
	}
	return out
}

// thousands writes a number with commas: 100,412.
func thousands(n int) string { return (*locale.Language)(nil).Number(n) }
