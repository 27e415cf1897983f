package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type timelineView struct {
	Head       personHead
	AsOf       field
	KnownAt    field
	Then       *notice // another instant than now is looked at
	Status     *state
	Periods    []period
	Attributes []attributeRow
	History    []changeRow
	Pager      pager
	Unknown    []string // what stands in the place of what could not be used
	Correct    correctForm
	Empty      *empty
}

// pager leads on, and back to the newest.
type pager struct{ First, Next string }

type period struct {
	Source, SourceID, Type string
	From, Until            *stamp
	Primary                bool
	Split                  string // where it is split off
}

type attributeRow struct {
	Name, Value string
	From        string
	Words       []string // what the other sources say
	Personal    bool
	State       *state
	Note        string // of the correction that stands
	End         *decision
}

type changeRow struct {
	Title     string
	Kind      string // what the source called it
	Event     string // where it is shown
	Run       string
	Recorded  *stamp
	Effective *stamp
	Source    string
	By        string
	Now, Next bool
	Turns     []turnRow
}

type turnRow struct {
	Name, Value, Was string
	From             *stamp
	State            *state
	Personal         bool
}

// correctForm is where somebody lays a correction over what sources say.
type correctForm struct {
	Action     string
	Attributes []option
	Value      field
	Until      field
	Reason     field
	Problem    *notice
}

// instants are those that an address asks about: a day counts where the person works.
func instants(q url.Values, zone *time.Location, now time.Time) (h flow.HistoryQuery, err error) {
	if h.AsOf, err = instantOf(q.Get("as_of"), zone, 12*time.Hour); err != nil {
		return h, err
	}
	if h.KnownAt, err = instantOf(q.Get("known_at"), zone, 24*time.Hour-time.Microsecond); err != nil {
		return h, err
	}
	if h.KnownAt.After(now) {
		h.KnownAt = time.Time{} // nobody knows more than now
	}
	if n := q.Get("before"); n != "" {
		if h.Before, err = strconv.Atoi(n); err != nil || h.Before < 1 {
			return h, refuse(dayone.ErrInvalid, textNoChange)
		}
	}
	return h, nil
}

// instantOf reads a day, or an instant with its zone. within is how far into the day is meant.
func instantOf(text string, zone *time.Location, within time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil || day.Year() < 1900 || day.Year() > 2200 {
		return day, refuse(dayone.ErrInvalid, fmt.Sprintf(textNoInstant, fmt.Sprintf("%.40s", text)))
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, int(within%time.Second), zone).Add(within.Truncate(time.Second)), nil
}

func (p *portal) personTimeline(w http.ResponseWriter, r *http.Request) error {
	return p.showTimeline(w, r, http.StatusOK, nil)
}

func (p *portal) showTimeline(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	row, head, err := p.aboutPerson(r, "timeline")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	ask, err := instants(q, p.zoneOf(row.Location), p.now())
	if err != nil {
		return err
	}
	ask.Limit = pageSize
	h, err := p.flow.History(r.Context(), row.ID, ask)
	if err != nil {
		return err
	}
	v := newTimeline(p.viewerOf(r), head, h, q)
	v.Correct.fill(p.viewerOf(r), p.flow.Correctable(), r, problem)
	return p.show(w, r, status, page{Template: "timeline", Title: row.Name, Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, ""}}, Main: v})
}

func newTimeline(view viewer, head personHead, h flow.History, q url.Values) timelineView {
	zone, _ := h.Person.Location()
	base := "/people/" + head.ID + "/timeline"
	v := timelineView{
		Head: head, Unknown: unknownTexts(view, h.Person),
		AsOf:    field{ID: "as_of", Name: "as_of", Label: "As of", Hint: "The day that is looked at", Type: "date", Value: q.Get("as_of")},
		KnownAt: field{ID: "known_at", Name: "known_at", Label: "As known on", Hint: "What was known by the end of that day", Type: "date", Value: q.Get("known_at")},
		Correct: correctForm{Action: "/people/" + head.ID + "/corrections"},
	}
	if h.Heard {
		st := statusState(h.Person.Status)
		if h.Person.Garden {
			st.Text = "Garden leave"
		}
		v.Status = &st
	}
	if q.Get("as_of") != "" || q.Get("known_at") != "" {
		v.Then = &notice{Icon: "clock", Title: "This is not how it stands now", Text: fmt.Sprintf("As of %s, as known on %s.", view.day(h.AsOf, zone).Text, view.at(h.KnownAt).Text), Act: &link{"Show now", base}}
	}
	for _, e := range h.Person.Engagements {
		v.Periods = append(v.Periods, period{e.Source, e.SourceID, e.Type, dayStamp(view, e.Start), dayStamp(view, e.LastDay), e.Primary, "/people/" + head.ID + "/split?employment=" + url.QueryEscape(string(e.ID))})
	}
	for _, a := range h.Attributes {
		v.Attributes = append(v.Attributes, newAttributeRow(view, zone, head.ID, a))
	}
	for _, c := range h.Changes {
		v.History = append(v.History, newChangeRow(view, zone, c))
	}
	for i := range v.History {
		if !v.History[i].Next {
			v.History[i].Now = q.Get("before") == ""
			break
		}
	}
	keep := url.Values{}
	for _, k := range []string{"as_of", "known_at"} {
		if q.Get(k) != "" {
			keep.Set(k, q.Get(k))
		}
	}
	if q.Get("before") != "" {
		v.Pager.First = address(base, keep)
	}
	if h.More {
		keep.Set("before", strconv.Itoa(h.Changes[len(h.Changes)-1].Seq))
		v.Pager.Next = address(base, keep)
	}
	switch {
	case len(v.History) > 0:
	case !h.Heard && q.Get("known_at") != "":
		v.Empty = &empty{Icon: "record", Title: "Nothing was known then", Text: "No source had said anything about this person by that day."}
	default:
		v.Empty = &empty{Icon: "record", Title: "Nothing is known", Text: "No source has said anything about this employment that could be kept."}
	}
	return v
}

// dayStamp is a calendar day as sources write it: the same day for whoever looks.
func dayStamp(view viewer, day string) *stamp {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	return view.day(t, time.UTC)
}

func newAttributeRow(view viewer, zone *time.Location, person string, a flow.Attribute) attributeRow {
	row := attributeRow{Name: attrText(a.Name), Value: view.value(a.Value), From: flow.SourceName(a.From), Words: a.Says(), Personal: a.Personal}
	if a.Unknown {
		row.State = &state{Icon: "warn", Class: "s-wait", Text: "Flagged"}
	}
	if c := a.Correction; c != nil {
		row.Note = view.say("until the end of %s, by %s: %s", view.day(c.Until.Add(-time.Second), zone).Text, cmp.Or(c.By, view.label("somebody")), c.Reason)
		row.End = &decision{ID: a.Name, Text: "End it", Action: "/people/" + person + "/corrections/" + url.PathEscape(a.Name) + "/end", Does: "What sources say counts again at once.", Button: "End the correction"}
	}
	return row
}

// turnStates are how a word stands that does not simply count.
var turnStates = map[flow.TurnState]state{
	flow.Coming: {Icon: "clock", Text: "To come"}, flow.Replaced: {Icon: "dot", Text: "Replaced since"}, flow.Amended: {Icon: "undo", Class: "s-wait", Text: "Corrected since"},
	flow.PutOff: {Icon: "skip", Class: "s-wait", Text: "Put off"}, flow.CalledOff: {Icon: "block", Class: "s-wait", Text: "Called off"}, flow.Unusable: {Icon: "warn", Class: "s-wait", Text: "Not usable"},
}

func newChangeRow(view viewer, zone *time.Location, c flow.HistoryLine) changeRow {
	row := changeRow{
		Title: sentence(c.Intent), Kind: view.label(string(c.Type)), Recorded: view.at(c.Recorded), Source: flow.SourceName(c.Source), Next: c.Future,
		By: joined(": ", c.By, c.Reason),
	}
	if !c.Effective.IsZero() {
		row.Effective = view.day(c.Effective, zone)
	}
	if c.Type != "" {
		row.Event = "/events?event=" + string(c.Event)
	}
	if c.Run != "" {
		row.Run = "/runs/" + string(c.Run)
	}
	for _, t := range c.Turns {
		tr := turnRow{Name: attrText(t.Attr), Value: cmp.Or(view.value(t.Value), view.label("empty")), Personal: t.Personal}
		if day := dayStamp(view, t.Value.Text); day != nil && strings.HasPrefix(t.Attr, "engagement.") {
			tr.Value = day.Text
		}
		if t.Was != t.Value {
			tr.Was = view.value(t.Was)
		}
		if t.Corrects && t.Value.Text == "" {
			tr.Value = view.label("as sources say")
		}
		if t.State == flow.Unusable {
			tr.Value = ""
		}
		if st, ok := turnStates[t.State]; ok {
			tr.State = &st
		}
		if !t.Effective.IsZero() && !t.Effective.Equal(c.Effective) {
			tr.From = view.day(t.Effective, zone)
		}
		row.Turns = append(row.Turns, tr)
	}
	return row
}

// fill lays out the form, as it was sent where something was wrong with it.
func (f *correctForm) fill(view viewer, names []string, r *http.Request, problem *notice) {
	f.Problem = problem
	for _, name := range names {
		f.Attributes = append(f.Attributes, option{Value: name, Text: view.label(attrText(name)), Selected: r.PostFormValue("attribute") == name})
	}
	f.Value = field{ID: "value", Name: "value", Label: "What is right", Type: "text", Required: true, Value: r.PostFormValue("value")}
	f.Until = field{ID: "until", Name: "until", Label: "Holds until", Hint: "The last day. By then the source is mended; if it is sooner, the correction ends by itself", Type: "date", Required: true, Value: r.PostFormValue("until")}
	f.Reason = field{ID: "reason", Name: "reason", Label: "Reason", Hint: "For the record", Type: "text", Required: true, Value: r.PostFormValue("reason")}
}

// correctIt takes the form.
func (p *portal) correctIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	_, err = p.flow.Correct(r.Context(), id, flow.Correction{
		Values: map[string]string{r.PostFormValue("attribute"): r.PostFormValue("value")}, Until: r.PostFormValue("until"), Reason: r.PostFormValue("reason"), By: me(r).Name,
	})
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) {
		return p.showTimeline(w, r, answerTo(err).status, &notice{Kind: "bad", Icon: "x", Title: "It was not corrected", Text: p.viewerOf(r).problem(err) + "."})
	}
	if err != nil {
		return err
	}
	p.said(w, r, "/people/"+string(id)+"/timeline", "corrected", &takeBack{Action: "/people/" + string(id) + "/corrections/" + url.PathEscape(r.PostFormValue("attribute")) + "/end", Fields: because()})
	return nil
}

func (p *portal) endCorrection(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.EndCorrection(r.Context(), id, r.PathValue("attribute"), me(r).Name, strings.TrimSpace(r.PostFormValue("reason"))); err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(id)+"/timeline?said=correction-ended", http.StatusSeeOther)
	return nil
}

// Samples for the gallery.

func sampleTimeline(now time.Time, zone *time.Location) flow.History {
	day := 24 * time.Hour
	text := dayone.Text
	from := now.Truncate(day).AddDate(0, 0, 99) // 1 March
	h := flow.History{
		AsOf: now, KnownAt: now, Heard: true, More: true,
		Person: dayone.Person{
			ID: samplePerson, At: now, Status: dayone.OnLeave, Site: dayone.Site{Zone: zone.String()},
			Engagements: []dayone.Engagement{{ID: "eng_01jd9x0000000000000000000a", Source: "hr", SourceID: "emp_789", Type: "FTE", Start: now.AddDate(0, 0, -32).Format(time.DateOnly), LastDay: "2025-06-30", Primary: true}},
		},
	}
	h.Attributes = []flow.Attribute{
		{Name: "department", Value: text("Sales"), From: "hr", Words: []flow.Word{{Source: "hr", Value: text("Sales")}}},
		{Name: "location", Value: text("Berlin"), From: "hr", Unknown: true, Words: []flow.Word{{Source: "hr", Value: text("Berlin"), Bad: true}}},
		{Name: "mobile", Value: text("+49 151 1234567"), From: "directory", Personal: true, Words: []flow.Word{{Source: "hr"}, {Source: "directory", Value: text("+49 151 1234567")}}},
		{
			Name: "job_title", Value: text("Account Executive"), From: flow.ByCorrection, Words: []flow.Word{{Source: "hr", Value: text("Sales Engineer")}},
			Correction: &flow.Corrected{Value: text("Account Executive"), Until: now.Add(20 * day), By: "kim@company.com", Reason: "HR mends it with the next payroll"},
		},
	}
	for i, c := range []flow.WhatChanged{
		{Intent: "transfer: department, from 1 Mar 2025", Source: "hr", Event: "evt_01jd9x0000000000000000000a", Recorded: now.Add(-day), Effective: from, Future: true, Turns: []flow.Turn{{Attr: "department", Value: text("Legal"), Was: text("Sales"), Effective: from, State: flow.Coming}}},
		{Intent: "corrected by hand: job title", Source: dayone.Portal, Event: "evt_01jd9x0000000000000000000b", Recorded: now.Add(-2 * day), Effective: now.Add(-2 * day), By: "kim@company.com", Reason: "HR mends it with the next payroll", Turns: []flow.Turn{
			{Attr: "job_title", Corrects: true, Value: text("Account Executive"), Effective: now.Add(-2 * day), State: flow.Counts},
			{Attr: "job_title", Corrects: true, Effective: now.Add(21 * day), State: flow.Coming},
		}},
		{Intent: "transfer: department", Source: "hr", Event: "evt_01jd9x0000000000000000000c", Recorded: now.Add(-9 * day), Effective: now.Add(30 * day), Turns: []flow.Turn{{Attr: "department", Value: text("Legal"), Was: text("Sales"), Effective: now.Add(30 * day), State: flow.PutOff}}},
		{Intent: "future hire", Source: "hr", Event: "evt_01jd9x0000000000000000000d", Recorded: now.Add(-40 * day), Turns: []flow.Turn{
			{Attr: "first_name", Value: text("Sarah"), State: flow.Counts},
			{Attr: "email", Value: text("sarah.chen@company.com"), State: flow.Counts},
			{Attr: "home_address", Value: text("Am Treptower Park 28, third floor at the back, 12435 Berlin"), Personal: true, State: flow.Amended},
			{Attr: "location", State: flow.Unusable},
		}},
	} {
		c.Seq = 40 - i
		h.Changes = append(h.Changes, flow.HistoryLine{Change: c, Type: dayone.Updated, Run: "run_01jd9x0000000000000000000a"})
	}
	return h
}

// sampleQuietTimeline is that of somebody who leaves in a month, and goes on until then.
func sampleQuietTimeline(now time.Time) flow.History {
	h := sampleTimeline(now, time.UTC)
	h.Person.Status, h.Person.Garden = dayone.Working, false
	h.Person.Engagements[0].LastDay = now.AddDate(0, 0, 30).Format(time.DateOnly)
	h.Changes = h.Changes[1:]
	return h
}

func sampleCorrectProblem() *notice {
	return &notice{Kind: "bad", Icon: "x", Title: "It was not corrected", Text: "Department: \"Slaes\" is none of the values that flow.yaml allows; it is one of Sales, Engineering, Legal."}
}

func sampleCorrectForm(view viewer, v timelineView, problem *notice) timelineView {
	v.Correct.fill(view, []string{"department", "job_title", "mobile"}, &http.Request{Method: http.MethodGet, URL: &url.URL{}}, problem)
	slices.SortFunc(v.Correct.Attributes, func(a, b option) int { return cmp.Compare(a.Text, b.Text) })
	return v
}
