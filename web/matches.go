package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type matchesView struct {
	Sentence string
	Open     []item
	Next     string // where others are that wait
	Past     []item
	Older    string // where others are that are decided
	First    bool   // the page begins with the newest of both
	Empty    *empty
}

type matchView struct {
	ID       string
	Title    string
	State    state
	Says     []pair
	Suspects []item
	Choices  []choice
	Reason   field
	Problem  *notice
	Over     *notice
	Back     *link // where the answer is taken back
}

var matchTexts = map[dayone.MatchState]state{
	dayone.MatchOpen:  {Icon: "hand", Class: "s-wait", Text: "Waits for a decision"},
	dayone.MatchSame:  {Icon: "check", Class: "s-done", Text: "The same person"},
	dayone.MatchOther: {Icon: "skip", Class: "s-skip", Text: "Somebody else"},
}

// saidName is how whoever is meant is called, by what the source says of them.
func saidName(m dayone.Match) string {
	if name := joined(" ", m.Says["first_name"], m.Says["last_name"]); name != "" {
		return name
	}
	return m.Source + " " + m.Subject
}

func (p *portal) matchItem(r *http.Request, view viewer, rows map[dayone.PersonID]flow.Row, m dayone.Match) item {
	st := matchTexts[m.State]
	it := item{State: &st, Title: link{saidName(m), "/matches/" + string(m.ID)}, Meta: view.say("%s %s, since", m.Source, m.Subject), At: view.at(m.Opened)}
	var names []string
	for _, s := range m.Suspects {
		names = append(names, p.rowOf(r, rows, s.Person).Name)
	}
	it.Next = view.say("May be %s.", strings.Join(names, view.label(" or ")))
	if m.State != dayone.MatchOpen {
		it.Meta, it.At = view.say("Decided %s", view.heard(bySomebody(m.By))), view.at(m.Decided)
	}
	return it
}

func bySomebody(who string) string {
	if who == "" {
		return ""
	}
	return "by " + who
}

// matchesShown is how many questions a page shows that wait, and that are decided.
const matchesShown = 100

// matches lists employments of which nobody knows yet whether they are of somebody who is known. Further pages have what waits,
// or what is decided.
func (p *portal) matches(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	from, err := decidedMarkOf(q)
	if err != nil {
		return err
	}
	count, err := p.flow.CountMatches(ctx)
	if err != nil {
		return err
	}
	view, rows := p.viewerOf(r), map[dayone.PersonID]flow.Row{}
	read := func(over bool) (out []item, next string, err error) {
		if from.ID != "" && from.Waits == over {
			return nil, "", nil
		}
		list, err := p.flow.MatchesBy(ctx, flow.MatchFilter{Open: !over, Over: over, From: from, Limit: matchesShown + 1})
		if err != nil {
			return nil, "", err
		}
		if len(list) > matchesShown {
			list = list[:matchesShown]
			next = address("/matches", url.Values{"after": {decidedMark(!over, string(list[matchesShown-1].ID))}})
		}
		var suspects []dayone.Suspect
		for _, m := range list {
			suspects = append(suspects, m.Suspects...)
		}
		p.meet(r, rows, peopleIn(suspects, func(s dayone.Suspect) dayone.PersonID { return s.Person }))
		for _, m := range list {
			out = append(out, p.matchItem(r, view, rows, m))
		}
		return out, next, nil
	}
	open, next, err := read(false)
	if err != nil {
		return err
	}
	past, older, err := read(true)
	if err != nil {
		return err
	}
	v := newMatches(view, count, open, past)
	v.Next, v.Older, v.First = next, older, from.ID == ""
	if !v.First {
		v.Empty = nil
	}
	return p.show(w, r, http.StatusOK, page{Template: "matches", Title: "Matches", Nav: "matches", Crumbs: []link{{"Matches", ""}}, Main: v})
}

func newMatches(view viewer, count int, open, past []item) matchesView {
	v := matchesView{Sentence: view.plural(count, "1 employment may be of somebody who is known already. Until it is decided nothing of it counts.", "%d employments may be of somebody who is known already. Until they are decided nothing of them counts."), Open: open, Past: past, First: true}
	if count == 0 {
		v.Sentence = "Nobody waits for a decision."
	}
	if len(open) == 0 {
		v.Empty = &empty{Icon: "people", Title: "Nothing to decide", Text: "A question appears when a source tells of somebody new who has the mail address, or the name, of somebody who is known."}
	}
	return v
}

func (p *portal) matchOf(r *http.Request) (dayone.Match, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("mat", id) {
		return dayone.Match{}, fmt.Errorf("%q is no id of a match: %w", id, dayone.ErrNotFound)
	}
	return p.flow.Match(r.Context(), dayone.MatchID(id))
}

func (p *portal) match(w http.ResponseWriter, r *http.Request) error {
	m, err := p.matchOf(r)
	if err != nil {
		return err
	}
	return p.showMatch(w, r, http.StatusOK, m, nil)
}

func (p *portal) showMatch(w http.ResponseWriter, r *http.Request, status int, m dayone.Match, problem *notice) error {
	rows := map[dayone.PersonID]flow.Row{}
	v := newMatch(p.viewerOf(r), m, p.suspectItems(r, m.Suspects), func(id dayone.PersonID) string { return p.rowOf(r, rows, id).Name })
	v.Back = p.takeBack(r, m)
	v.Problem, v.Reason.Value = problem, r.PostFormValue("reason")
	for i := range v.Choices {
		v.Choices[i].Selected = v.Choices[i].Value == r.PostFormValue("person")
	}
	return p.show(w, r, status, page{Template: "match", Title: v.Title, Nav: "matches", Crumbs: []link{{"Matches", "/matches"}, {v.Title, ""}}, Main: v})
}

// takeBack is the page on which an answer is undone, after it was shown what that does; nil: nothing is left of it.
func (p *portal) takeBack(r *http.Request, m dayone.Match) *link {
	b, err := p.flow.TakeBackOf(r.Context(), m)
	switch {
	case err != nil: // a service, not the page
		return nil
	case b.Split:
		return &link{"Take it back: split it off", "/people/" + string(b.To) + "/split?employment=" + queryEscape(b.Of)}
	}
	return &link{"Take it back: merge them", "/people/" + string(b.To) + "/merge?with=" + string(b.With)}
}

// matchNew is chosen for somebody who is none of those who are known.
const matchNew = "new"

func newMatch(view viewer, m dayone.Match, suspects []item, name func(dayone.PersonID) string) matchView {
	st := matchTexts[m.State]
	v := matchView{
		ID: string(m.ID), Title: view.say("Is %s known already?", saidName(m)), State: *st.tag(), Suspects: suspects,
		Reason: field{ID: "reason", Name: "reason", Label: "Reason", Hint: "Goes into the record. May stay empty", Type: "text"},
	}
	v.Says = append(v.Says, pair{Name: "Source", Value: m.Source}, pair{Name: "Its id", Value: m.Subject, Code: true})
	for _, attr := range []string{"first_name", "last_name", "email", "personal_email", "mobile", "employee_number", "employment_type", "company", "department", "job_title", "location", "manager", "start_date", "end_date"} {
		if text := m.Says[attr]; text != "" {
			v.Says = append(v.Says, pair{Name: attrText(attr), Value: dayWords(view, text)})
		}
	}
	v.Choices = []choice{{Text: view.label("Choose")}}
	for _, s := range m.Suspects {
		v.Choices = append(v.Choices, choice{Value: string(s.Person), Text: view.say("The same person as %s", name(s.Person))})
	}
	v.Choices = append(v.Choices, choice{Value: matchNew, Text: view.label("Somebody else, who is not known yet")})
	switch m.State {
	case dayone.MatchSame:
		v.Over = &notice{Kind: "good", Icon: "check", Title: "The same person", Text: view.say("It is an employment of %s%s.", name(m.Person), matchedBy(view, m)), Act: &link{"Open", "/people/" + string(m.Person)}}
	case dayone.MatchOther:
		v.Over = &notice{Icon: "info", Title: "Somebody else", Text: view.say("It became a person of its own%s.", matchedBy(view, m))}
		if m.Person != "" {
			v.Over.Act = &link{"Open", "/people/" + string(m.Person)}
		}
	}
	return v
}

func matchedBy(view viewer, m dayone.Match) string {
	if m.By == "" {
		return ""
	}
	return view.say(", as %s decided", m.By)
}

func (p *portal) decideMatch(w http.ResponseWriter, r *http.Request) error {
	m, err := p.matchOf(r)
	if err != nil {
		return err
	}
	_, err = p.settleMatch(r, m.ID, r.PostFormValue("person"), r.PostFormValue("reason"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/matches?said=matched", http.StatusSeeOther)
		return nil
	case errors.Is(err, dayone.ErrConflict):
		http.Redirect(w, r, "/matches/"+string(m.ID), http.StatusSeeOther)
		return nil
	case errors.Is(err, dayone.ErrInvalid), errors.Is(err, dayone.ErrNotFound):
		return p.showMatch(w, r, http.StatusUnprocessableEntity, m, &notice{Kind: "bad", Icon: "x", Title: "This was not decided", Text: p.viewerOf(r).problem(err) + "."})
	}
	return err
}

// settleMatch decides as somebody chose: by the id of a person, or new.
func (p *portal) settleMatch(r *http.Request, id dayone.MatchID, person, reason string) (dayone.Match, error) {
	switch {
	case person == matchNew:
		person = ""
	case !dayone.ValidID("per", person):
		return dayone.Match{}, fmt.Errorf("choose one of those who may be meant, or somebody else: %w", dayone.ErrInvalid)
	}
	return p.flow.DecideMatch(r.Context(), id, dayone.PersonID(person), me(r).Name, reason)
}

// The API's own words.

type apiMatch struct {
	ID       dayone.MatchID    `json:"id"`
	Source   string            `json:"source"`
	Subject  string            `json:"subject"`
	Event    dayone.EventID    `json:"event"`
	Opened   *time.Time        `json:"opened"`
	Suspects []apiSuspect      `json:"suspects"`
	Says     map[string]string `json:"says"`
	State    dayone.MatchState `json:"state"`
	Person   dayone.PersonID   `json:"person,omitempty"`
	By       string            `json:"by,omitempty"`
	Decided  *time.Time        `json:"decided,omitempty"`
	Back     *apiTakeBack      `json:"take_back,omitempty"`
}

type apiTakeBack struct {
	Verb       string          `json:"verb"`
	Person     dayone.PersonID `json:"person"`
	With       dayone.PersonID `json:"with,omitempty"`
	Employment string          `json:"employment,omitempty"`
}

func (p *portal) newAPIMatch(r *http.Request, m dayone.Match) apiMatch {
	if m.Says == nil {
		m.Says = map[string]string{}
	}
	out := apiMatch{m.ID, m.Source, m.Subject, m.Event, moment(m.Opened), p.apiSuspects(r, m.Suspects), m.Says, m.State, m.Person, m.By, moment(m.Decided), nil}
	if m.State == dayone.MatchOpen {
		return out
	}
	if b, err := p.flow.TakeBackOf(r.Context(), m); err == nil {
		out.Back = &apiTakeBack{Verb: "merge", Person: b.To, With: b.With, Employment: b.Of}
		if b.Split {
			out.Back.Verb = "split"
		}
	}
	return out
}

func (p *portal) apiMatches(w http.ResponseWriter, r *http.Request) error {
	open := true
	switch r.URL.Query().Get("state") {
	case "", "open":
	case "all":
		open = false
	default:
		return refuse(dayone.ErrInvalid, "state is open or all.")
	}
	q, limit := r.URL.Query(), apiLimit(r)
	from, err := decidedMarkOf(q)
	if err != nil {
		return err
	}
	list, err := p.flow.MatchesBy(r.Context(), flow.MatchFilter{Open: open, From: from, Limit: limit + 1})
	if err != nil {
		return err
	}
	out := apiPage[apiMatch]{Items: []apiMatch{}}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		q.Set("after", decidedMark(last.State == dayone.MatchOpen, string(last.ID)))
		out.Next = address("/api/v1/matches", q)
	}
	for _, m := range list {
		out.Items = append(out.Items, p.newAPIMatch(r, m))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiMatch(w http.ResponseWriter, r *http.Request) error {
	m, err := p.matchOf(r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, p.newAPIMatch(r, m))
}

func (p *portal) apiDecideMatch(w http.ResponseWriter, r *http.Request) error {
	m, err := p.matchOf(r)
	if err != nil {
		return err
	}
	var in struct {
		Person string `json:"person"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if m, err = p.settleMatch(r, m.ID, in.Person, in.Reason); err != nil {
		return err
	}
	m.Says = nil
	return answerJSON(w, http.StatusOK, p.newAPIMatch(r, m))
}
