package web

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type eventsView struct {
	Bad   []item // quarantined, each with what to do
	Rows  []eventRow
	Tabs  []tab
	Next  string
	First bool
	Empty *empty
}

type eventRow struct {
	ID       string
	Type     string
	Source   string
	Subject  string
	Received *stamp
	At       *stamp
	State    state
	Problem  *state // no plan could be made of it
	Note     string
	Person   link
	Run      link
}

func quarantined(limit int) flow.EventFilter {
	return flow.EventFilter{State: dayone.EventQuarantined, Limit: limit}
}

var eventTabs = []struct {
	state dayone.EventState
	text  string
}{{"", "All"}, {dayone.EventQuarantined, "Quarantined"}, {dayone.EventHeld, "Behind a brake"}, {dayone.EventAsked, "Whose is it?"}, {dayone.EventReceived, "Not looked at yet"}, {dayone.EventApplied, "Applied"}, {dayone.EventUnchanged, "Nothing new"}}

// events lists what sources said; what needs somebody stands first.
func (p *portal) events(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	show := dayone.EventState(q.Get("state"))
	if id := q.Get("event"); id != "" { // one of them, as a timeline names it
		return p.oneEvent(w, r, id)
	}
	f := flow.EventFilter{State: show, Before: dayone.EventID(q.Get("before")), Limit: pageSize + 1}
	list, err := p.flow.Events(r.Context(), f)
	if err != nil {
		return err
	}
	var bad []dayone.Intake
	if show == "" && f.Before == "" {
		if bad, err = p.flow.Events(r.Context(), quarantined(pageSize)); err != nil {
			return err
		}
	}
	people := map[dayone.PersonID]flow.Row{}
	p.meet(r, people, peopleIn(list, func(in dayone.Intake) dayone.PersonID { return in.Person }))
	v := newEvents(p.viewerOf(r), list, bad, show, func(id dayone.PersonID) flow.Row { return p.rowOf(r, people, id) }, p.matchLinks(r))
	v.First = f.Before == ""
	return p.show(w, r, http.StatusOK, page{Template: "events", Title: "Events", Nav: "events", Crumbs: []link{{"Events", ""}}, Main: v})
}

func (p *portal) oneEvent(w http.ResponseWriter, r *http.Request, id string) error {
	if !dayone.ValidID("evt", id) {
		return fmt.Errorf("%q is no id of an event: %w", id, dayone.ErrNotFound)
	}
	in, err := p.flow.Event(r.Context(), dayone.EventID(id))
	if err != nil {
		return err
	}
	people := map[dayone.PersonID]flow.Row{}
	v := newEvents(p.viewerOf(r), []dayone.Intake{in}, nil, in.State, func(id dayone.PersonID) flow.Row { return p.rowOf(r, people, id) }, p.matchLinks(r))
	for i := range v.Tabs {
		v.Tabs[i].Current = false
	}
	return p.show(w, r, http.StatusOK, page{Template: "events", Title: "Event", Nav: "events", Crumbs: []link{{"Events", "/events"}, {"One event", ""}}, Main: v})
}

// matchLinks lead from an event to the question whose it is, for whoever may answer it.
func (p *portal) matchLinks(r *http.Request) func(dayone.Intake) link {
	may := p.shows(r, "GET /matches/{id}")
	return func(in dayone.Intake) link {
		if !may {
			return link{}
		}
		m, err := p.flow.MatchAbout(r.Context(), in.Source, in.Subject)
		if err != nil { // a service, not the page
			return link{}
		}
		return link{"Say whose it is", "/matches/" + string(m.ID)}
	}
}

func newEvents(view viewer, list, bad []dayone.Intake, show dayone.EventState, person func(dayone.PersonID) flow.Row, match func(dayone.Intake) link) eventsView {
	var v eventsView
	if len(list) > pageSize {
		list = list[:pageSize]
		v.Next = address("/events", url.Values{"state": {string(show)}, "before": {string(list[pageSize-1].ID)}})
	}
	for _, in := range bad {
		v.Bad = append(v.Bad, quarantinedItem(view, in))
	}
	for _, in := range list {
		if in.State == dayone.EventQuarantined && show == dayone.EventQuarantined {
			v.Bad = append(v.Bad, quarantinedItem(view, in))
			continue
		}
		row := eventRow{
			ID: string(in.ID), Type: view.label(string(in.Type)), Source: in.Source, Subject: in.Subject, Received: view.clock(in.Received), At: view.clock(in.At),
			State: eventState(in.State), Note: sentence(view.heard(in.Note)),
		}
		if in.State == dayone.EventReceived && in.Tries > 0 {
			row.State = state{Icon: "warn", Class: "s-wait", Text: "Waits for its source"}
		}
		if row.Type == "" {
			row.Type = view.label("unknown")
		}
		if in.Person != "" {
			who := person(in.Person)
			row.Person = link{who.Name, "/people/" + string(in.Person)}
			if in.State == dayone.EventApplied && in.Run == "" && who.Problem != "" {
				row.Problem = &unplannedState
			}
		}
		if in.State == dayone.EventHeld && in.Brake != "" {
			row.Run = link{"Open brake", "/brakes/" + string(in.Brake)}
		}
		if in.State == dayone.EventAsked {
			row.Run = match(in)
		}
		if in.Run != "" {
			row.Run = link{view.label("Open run"), "/runs/" + string(in.Run)}
		}
		v.Rows = append(v.Rows, row)
	}
	for _, t := range eventTabs {
		href := "/events"
		if t.state != "" {
			href += "?state=" + url.QueryEscape(string(t.state))
		}
		v.Tabs = append(v.Tabs, tab{Text: t.text, Href: href, Current: t.state == show})
	}
	if len(v.Rows)+len(v.Bad) == 0 {
		v.Empty = &empty{Icon: "bolt", Title: "No events here", Text: "What a source says appears here at once. Send its webhook to /hooks/ and its name."}
	}
	return v
}

// quarantinedItem says why an event is held and offers to look at it again.
func quarantinedItem(view viewer, in dayone.Intake) item {
	st, note := eventState(in.State), view.found(in.Note)
	if in.State == dayone.EventAsked { // no attribute is named first
		note = sentence(note)
	}
	what := view.label(string(in.Type))
	if what == "" {
		what = view.label("an event of unknown kind")
	}
	title := view.say("%s: %s, about %s", in.Source, what, in.Subject)
	if in.Subject == "" {
		title = view.say("%s: %s, without the id of an employee", in.Source, what)
	}
	return item{
		State: &st, Title: link{title, ""}, Meta: joined("; ", note, view.label("received")), At: view.at(in.Received),
		Next: view.label("Mend it at the source, in the mapping or in people.yaml. Then replay it."), Acts: []act{{Text: "Replay", Action: "/events/" + string(in.ID) + "/replay"}},
	}
}

func eventID(r *http.Request) (dayone.EventID, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("evt", id) {
		return "", fmt.Errorf("%q is no id of an event: %w", id, dayone.ErrNotFound)
	}
	return dayone.EventID(id), nil
}

func (p *portal) replay(w http.ResponseWriter, r *http.Request) error {
	id, err := eventID(r)
	if err != nil {
		return err
	}
	if err := p.flow.Replay(r.Context(), id, me(r).Name); err != nil {
		return err
	}
	http.Redirect(w, r, "/events?said=replayed", http.StatusSeeOther)
	return nil
}
