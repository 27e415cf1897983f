package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// Judgement is what an event means for a timeline.
type Judgement struct {
	State    dayone.EventState
	Note     string
	Facts    []dayone.Fact
	Findings []string // bad attributes, unknown location, unknown manager: flagged, not fatal
	New      *dayone.Employment
	Managed  bool
}

// Judge looks at one event. t is the person's timeline, or an empty one for somebody we do not know yet; a new
// employment gets id. Identity and dates are judged first and alone: without them the event is quarantined, whatever
// else it says; with them it counts, whatever else is wrong with it.
func Judge(t *dayone.Timeline, ev dayone.Event, set *policy.Set, recorded time.Time, id dayone.EngagementID) Judgement {
	j := &judging{t: t, ev: ev, set: set, at: recorded, out: Judgement{State: dayone.EventApplied, Managed: t.Managed}}
	if !slices.Contains(dayone.EventTypes, ev.Type) {
		return j.quarantine("%q is no kind of event we know", ev.Type)
	}
	if strings.TrimSpace(ev.Subject) == "" {
		return j.quarantine("it names no employment: the employee id is missing")
	}
	i := slices.IndexFunc(t.Employments, func(e dayone.Employment) bool { return e.Source == ev.Source && e.SourceID == ev.Subject })
	if i >= 0 {
		j.engagement = t.Employments[i].ID
	} else {
		j.out.New = &dayone.Employment{ID: id, Source: ev.Source, SourceID: ev.Subject, Recorded: recorded}
		j.engagement = id
	}
	if why := j.dates(); why != "" {
		return j.quarantine("%s", why)
	}
	j.attributes()
	if ev.Type != dayone.Imported && !t.Managed {
		j.out.Managed = true
	}
	if len(j.out.Facts) == 0 && j.out.New == nil && j.out.Managed == t.Managed {
		j.out.State = dayone.EventUnchanged
		j.out.Note = "it says nothing new"
	}
	return j.out
}

type judging struct {
	t          *dayone.Timeline
	ev         dayone.Event
	set        *policy.Set
	at         time.Time
	engagement dayone.EngagementID
	out        Judgement
}

func (j *judging) quarantine(format string, args ...any) Judgement {
	return Judgement{State: dayone.EventQuarantined, Note: fmt.Sprintf(format, args...), Managed: j.t.Managed}
}

// effective is from when a word of this event counts: a hire is as if it had always been so, a change from its date on.
func (j *judging) effective() time.Time {
	if j.out.New != nil || j.ev.Type == dayone.Hired || j.ev.Type == dayone.Imported {
		return time.Time{}
	}
	if v, ok := j.ev.Fields["effective_date"]; ok {
		if day, err := asDay(v); err == nil && day != "" {
			return startOf(day, j.zone())
		}
	}
	return j.ev.At
}

func (j *judging) zone() *time.Location {
	location := ""
	if f := last(j.t, j.engagement, "location", j.at, j.at, true); f != nil {
		location = f.Value.Text
	}
	if v, ok := j.ev.Fields["location"]; ok {
		location = v.Text
	}
	zone, _ := j.set.SiteOf(location).Location()
	return zone
}

// say adds a fact unless it is what we know already.
func (j *judging) say(attr string, v dayone.Value, from time.Time, bad bool) {
	if old := last(j.t, j.engagement, attr, maxTime(from, j.at), j.at, false); old != nil && old.Bad == bad && (bad || old.Value == v) {
		return
	}
	j.out.Facts = append(j.out.Facts, dayone.Fact{
		Engagement: j.engagement, Attr: attr, Effective: from, Recorded: j.at, Value: v, Bad: bad, Source: j.ev.Source, Event: j.ev.ID,
		Personal: j.set.Schema.Attributes[attr].Personal,
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dates finds start and end of the employment. It says why there is none that can be used.
func (j *judging) dates() string {
	start, err := j.day("start_date")
	if err != nil {
		return "start_date: " + err.Error()
	}
	ends := ""
	for _, field := range []string{"end_date", "termination_date", "last_day_of_work", "last_day"} { // the earlier one counts
		day, err := j.day(field)
		if err != nil {
			return field + ": " + err.Error()
		}
		if day != "" && (ends == "" || day < ends) {
			ends = day
		}
	}
	known := last(j.t, j.engagement, factStart, farFuture, j.at, true)
	begins := start
	if begins == "" && known != nil {
		begins = known.Value.Text
	}
	switch {
	case begins == "":
		return "there is no start date, in it or in what we know"
	case j.ev.Type == dayone.Terminated && ends == "":
		return "a termination without a date: is it today? say so with end_date"
	case ends != "" && ends < begins && j.ev.Type != dayone.NoShow:
		return fmt.Sprintf("it ends (%s) before it begins (%s)", ends, begins)
	}
	if start != "" {
		j.say(factStart, dayone.Text(start), time.Time{}, false)
	}
	switch {
	case j.ev.Type == dayone.NoShow:
		j.say(factLast, dayone.Text(dayBefore(begins)), time.Time{}, false)
	case j.ev.Type == dayone.TerminationCancelled:
		j.say(factLast, dayone.Text(""), time.Time{}, false)
	case ends != "":
		j.say(factLast, dayone.Text(ends), time.Time{}, false)
	}
	switch j.ev.Type {
	case dayone.LeaveStarted:
		j.say(factLeave, dayone.Bool(true), j.effective(), false)
	case dayone.LeaveEnded:
		j.say(factLeave, dayone.Bool(false), j.effective(), false)
	}
	if v, ok := j.ev.Fields["employment_type"]; ok && v.Text != "" {
		j.say(factType, dayone.Text(v.Text), j.effective(), false)
	}
	return ""
}

var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func dayBefore(day string) string {
	t := startOf(day, time.UTC)
	return t.AddDate(0, 0, -1).Format(time.DateOnly)
}

func (j *judging) day(field string) (string, error) {
	v, ok := j.ev.Fields[field]
	if !ok {
		return "", nil
	}
	return asDay(v)
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

// attributes maps the source's fields. A bad value is flagged and the last good one stays.
func (j *judging) attributes() {
	from := j.effective()
	for _, name := range j.set.Schema.Names() {
		a := j.set.Schema.Attributes[name]
		if a.Derived {
			continue
		}
		v, ok := j.field(a)
		if !ok {
			continue
		}
		good, err := normal(a, v)
		if slices.Contains(addresses, name) { // systems compare them as they please: we have one spelling
			good.Text = strings.ToLower(good.Text)
		}
		if err != nil {
			j.out.Findings = append(j.out.Findings, fmt.Sprintf("%s: %v", name, err))
			j.say(name, dayone.Value{}, from, true)
			continue
		}
		j.say(name, good, from, false)
	}
}

// field is the source's word for an attribute: people.yaml says hr.FIELD, and "hr" stands for every HR source.
func (j *judging) field(a policy.Attribute) (dayone.Value, bool) {
	for _, from := range a.From {
		where, name, _ := strings.Cut(from, ".")
		if where != "hr" && where != j.ev.Source {
			continue
		}
		if v, ok := j.ev.Fields[name]; ok {
			return v, true
		}
	}
	return dayone.Value{}, false
}

// normal reads a value as the attribute's type.
func normal(a policy.Attribute, v dayone.Value) (dayone.Value, error) {
	text := strings.TrimSpace(v.Text)
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
		case "false", "no", "0", "":
			return dayone.Bool(false), nil
		}
		return v, fmt.Errorf("%q is neither true nor false", short(text))
	case dayone.ListValue:
		return dayone.List(v.Items()...), nil
	}
	if v.Kind == dayone.ListValue {
		return v, fmt.Errorf("a list where one value is expected")
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
