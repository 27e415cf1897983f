package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Whom the wizard is for: people of the house, and whom a directory shows and the books do not know yet.

type onboardView struct {
	Steps []wizardStep
	Query string
	List  onboardPeople
}

// onboardPeople is what a search changes.
type onboardPeople struct {
	Says  string
	Rows  []personOption
	Empty *empty
	Live  onboardLive
}

// onboardLive is what directories show. It is asked for by itself, once nobody types any more: a vendor is slower than we are.
type onboardLive struct {
	Ask, Whole string // where it is asked for, with script and without; "": there is nothing to ask
	Says       string
	Rows       []personOption
	Problems   []string
}

// personOption is somebody to choose.
type personOption struct {
	Name, Href, Meta, Note string
	State                  state
	At                     *stamp
}

const (
	onboardShown = 25
	liveShown    = 10              // of one directory
	liveFor      = 4 * time.Second // as long as somebody looks at a page that loads
)

func (p *portal) onboard(w http.ResponseWriter, r *http.Request) error {
	text, err := searched(r.URL.Query())
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "onboard-live" {
		p.part(w, r, http.StatusOK, "onboard-directories", p.directories(r, text))
		return nil
	}
	list, err := p.onboardPeople(r, text)
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "onboard-people" {
		p.part(w, r, http.StatusOK, "onboard-people", list)
		return nil
	}
	if r.URL.Query().Get("live") != "" && list.Live.Ask != "" {
		list.Live = p.directories(r, text)
	}
	v := onboardView{Steps: wizard(0), Query: text, List: list}
	return p.show(w, r, http.StatusOK, page{Template: "onboard", Title: "Onboard a person", Nav: "onboard", Crumbs: []link{{"Onboard", ""}}, Main: v})
}

// onboardPeople are those who match, or the next starters as long as nobody is looked for.
func (p *portal) onboardPeople(r *http.Request, text string) (onboardPeople, error) {
	var rows []flow.Row
	var err error
	if text == "" {
		rows, err = p.flow.Starters(r.Context(), onboardShown+1)
	} else {
		rows, err = p.flow.People(r.Context(), flow.PeopleFilter{Text: text, Limit: onboardShown + 1})
	}
	if err != nil {
		return onboardPeople{}, err
	}
	asks := len([]rune(text)) >= 2 && len(p.flow.Directories()) > 0 && p.shows(r, "POST /onboard/bring")
	return newOnboardPeople(p.viewerOf(r), text, rows, asks), nil
}

func newOnboardPeople(view viewer, text string, rows []flow.Row, asks bool) onboardPeople {
	v := onboardPeople{Says: plural(len(rows), "1 person is found.", "%d people are found.")}
	if text == "" {
		v.Says = plural(len(rows), "1 person starts next.", "%d people start next.")
	}
	if len(rows) > onboardShown {
		rows, v.Says = rows[:onboardShown], fmt.Sprintf("The first %d are shown. Write more of the name to find others.", onboardShown)
	}
	for _, row := range rows {
		o := personOption{Name: row.Name, Href: "/onboard/" + string(row.ID), State: statusState(row.Status), Meta: joined(", ", row.Title, row.Department, row.Location, row.Email)}
		if !row.Managed {
			o.Note = view.label(textKnownOnly)
		}
		if row.Status == dayone.PreHire {
			o.At = view.date(row.Starts)
		}
		v.Rows = append(v.Rows, o)
	}
	if asks {
		v.Live.Ask = address("/onboard", url.Values{"q": {text}})
		v.Live.Whole = address("/onboard", url.Values{"q": {text}, "live": {"yes"}})
	}
	switch {
	case len(rows) > 0:
	case asks:
		v.Says = "Nobody here is found."
	case text != "":
		v.Says, v.Empty = "Nobody is found.", &empty{Icon: "search", Title: "Nobody matches", Text: textFindNames, Acts: []link{{"Add a person", "/people/add"}}}
	default:
		v.Says, v.Empty = "Nobody starts soon.", &empty{Icon: "people", Title: "Nobody starts soon", Text: "Look for anybody whom HR or a directory knows by name or mail."}
	}
	return v
}

// directories asks all of them at once. One that does not answer is named, and keeps nothing else from being shown.
func (p *portal) directories(r *http.Request, text string) onboardLive {
	if !p.shows(r, "POST /onboard/bring") {
		return onboardLive{}
	}
	ctx, stop := context.WithTimeout(r.Context(), liveFor)
	defer stop()
	names := p.flow.Directories()
	found, faults := make([][]flow.Looked, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { found[i], faults[i] = p.flow.LookUp(ctx, name, text, liveShown) })
	}
	wg.Wait()
	var out onboardLive
	for i, name := range names {
		if faults[i] != nil {
			p.log.Warn("a directory cannot be searched", "source", name, "error", faults[i])
			out.Problems = append(out.Problems, fmt.Sprintf(textNoDirectory, systemTitle(nil, name)))
			continue
		}
		out.Rows = append(out.Rows, newcomerOptions(name, found[i])...)
	}
	return out.said()
}

func newcomerOptions(source string, found []flow.Looked) (out []personOption) {
	for _, x := range found {
		if x.Person != "" { // she stands above
			continue
		}
		out = append(out, personOption{
			Name: x.Name, Meta: joined(", ", x.Title, x.Department, x.Email), Href: address("/onboard/bring", url.Values{"source": {source}, "subject": {x.Subject}}),
			State: state{Icon: "plus", Text: "Not here yet"}, Note: fmt.Sprintf("in %s", systemTitle(nil, source)),
		})
	}
	return out
}

func (v onboardLive) said() onboardLive {
	v.Says = plural(len(v.Rows), "1 more person is in a directory and not here yet.", "%d more people are in directories and not here yet.")
	if len(v.Rows) == 0 {
		v.Says = "No directory shows anybody else."
	}
	return v
}

// ---- somebody whom the books do not know yet ----

type newcomerView struct {
	Steps           []wizardStep
	Name            string
	Sentence        string
	Facts           []pair
	Findings        []string
	Problem         *notice
	Source, Subject string
	Button, Back    string
}

func newNewcomer(view viewer, n flow.Newcomer) newcomerView {
	v := newcomerView{Steps: wizard(0), Name: n.Name, Source: n.Source, Subject: n.Subject, Button: "Bring in and choose products", Back: "/onboard"}
	for _, f := range n.Findings {
		v.Findings = append(v.Findings, sentence(f)+".")
	}
	title := systemTitle(nil, n.Source)
	v.Sentence = view.say("%s shows this person; nobody here knows them yet. Bringing them in takes this one record over, as the nightly list would.", title)
	if n.Type == dayone.Hired {
		v.Sentence += " " + view.label("They start after we began to read it, so what policies give is planned at once.")
	} else {
		v.Sentence += " " + view.label("Nothing is planned for them until you start.")
	}
	for _, f := range []pair{
		{Name: "Mail", Value: n.Email},
		{Name: "Title", Value: n.Title},
		{Name: "Department", Value: n.Department},
		{Name: "Location", Value: n.Location},
		{Name: startsWord(n.Starts, view), Value: dayOf(view, n.Starts)},
		{Name: "Last day", Value: dayOf(view, n.Ends)},
		{Name: "Directory", Value: title},
		{Name: "Id there", Value: n.Subject, Code: true},
	} {
		if f.Value != "" {
			v.Facts = append(v.Facts, f)
		}
	}
	return v
}

// startsWord is what the first day of somebody in a directory is called.
func startsWord(day string, view viewer) string {
	day, _, _ = strings.Cut(day, "T")
	starts, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "Starts"
	}
	return sinceWord("Starts", starts, view.now, dayone.Working)
}

// dayOf is a day as a directory writes it, as people read it.
func dayOf(view viewer, text string) string {
	day, _, _ := strings.Cut(text, "T")
	return dayWords(view, day)
}

func (p *portal) bring(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return p.showNewcomer(w, r, http.StatusOK, q.Get("source"), q.Get("subject"), nil)
}

func (p *portal) showNewcomer(w http.ResponseWriter, r *http.Request, status int, source, subject string, problem *notice) error {
	n, err := p.flow.Newcomer(r.Context(), source, subject)
	if err != nil {
		return worth(err)
	}
	if n.Person != "" {
		http.Redirect(w, r, "/onboard/"+string(n.Person), http.StatusSeeOther)
		return nil
	}
	v := newNewcomer(p.viewerOf(r), n)
	v.Problem = problem
	return p.show(w, r, status, page{Template: "newcomer", Title: n.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {n.Name, ""}}, Main: v})
}

func (p *portal) bringIt(w http.ResponseWriter, r *http.Request) error {
	source, subject := r.PostFormValue("source"), r.PostFormValue("subject")
	n, in, err := p.flow.BringIn(r.Context(), source, subject, me(r).Name)
	if err != nil {
		return worth(err)
	}
	if n.Person == "" {
		if in, err = p.lookedAt(r.Context(), in.ID); err != nil {
			return err
		}
		n.Person = in.Person
	}
	switch {
	case in.ID == "" || in.State == dayone.EventApplied || in.State == dayone.EventUnchanged:
		http.Redirect(w, r, "/onboard/"+string(n.Person)+"?said=brought", http.StatusSeeOther)
		return nil
	case in.State == dayone.EventAsked:
		if m, err := p.flow.MatchAbout(r.Context(), in.Source, in.Subject); err == nil && p.shows(r, "GET /matches/{id}") {
			http.Redirect(w, r, "/matches/"+string(m.ID)+"?said=held", http.StatusSeeOther)
			return nil
		}
	}
	why := notice{Kind: "warn", Icon: "warn", Title: "Not here yet", Text: sentence(joined(": ", eventState(in.State).Text, in.Note)) + ".", Act: &link{"Open the event", "/events?event=" + string(in.ID)}}
	return p.showNewcomer(w, r, http.StatusConflict, source, subject, &why)
}

// lookedAt waits for an event to be looked at, for as long as somebody waits for a page. After that it is what it is.
func (p *portal) lookedAt(ctx context.Context, id dayone.EventID) (dayone.Intake, error) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	late := time.NewTimer(liveFor)
	defer late.Stop()
	for {
		in, err := p.flow.Event(ctx, id)
		if err != nil || in.State != dayone.EventReceived || in.Tries > 0 {
			return in, err
		}
		select {
		case <-t.C:
		case <-late.C:
			return in, nil
		case <-ctx.Done():
			return in, ctx.Err()
		}
	}
}

// ---- API ----

type apiNewcomer struct {
	apiLooked
	Source   string            `json:"source"`
	Location string            `json:"location,omitempty"`
	Starts   string            `json:"start_date,omitempty"`
	Ends     string            `json:"end_date,omitempty"`
	Type     dayone.EventType  `json:"type,omitempty"` // of somebody who is not known here: what the record would be
	Findings []string          `json:"findings"`
	Event    dayone.EventID    `json:"event,omitempty"`
	State    dayone.EventState `json:"state,omitempty"`
	Note     string            `json:"note,omitempty"`
}

func newAPINewcomer(n flow.Newcomer) apiNewcomer {
	return apiNewcomer{
		apiLooked: apiLooked{n.Subject, n.Name, n.Email, n.Title, n.Department, n.Person}, Source: n.Source, Location: n.Location, Starts: n.Starts, Ends: n.Ends,
		Type: n.Type, Findings: append([]string{}, n.Findings...),
	}
}

func (p *portal) apiNewcomer(w http.ResponseWriter, r *http.Request) error {
	n, err := p.flow.Newcomer(r.Context(), r.PathValue("source"), r.PathValue("subject"))
	if err != nil {
		return worth(err)
	}
	n.Subject = r.PathValue("subject")
	return answerJSON(w, http.StatusOK, newAPINewcomer(n))
}

func (p *portal) apiBringIn(w http.ResponseWriter, r *http.Request) error {
	source, subject := r.PathValue("source"), r.PathValue("subject")
	n, in, err := p.flow.BringIn(r.Context(), source, subject, me(r).Name)
	if err != nil {
		return worth(err)
	}
	n.Subject = subject
	out, status := newAPINewcomer(n), http.StatusOK
	if n.Person == "" {
		if in, err = p.lookedAt(r.Context(), in.ID); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		status = http.StatusCreated
		out.Event, out.State, out.Note, out.Person = in.ID, in.State, in.Note, in.Person
		if !slices.Contains([]dayone.EventState{dayone.EventApplied, dayone.EventUnchanged}, in.State) {
			status = http.StatusAccepted
		}
	}
	return answerJSON(w, status, out)
}
