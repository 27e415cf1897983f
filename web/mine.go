package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// mineView is what somebody sees of herself, on a phone as well: her first day, what she uses, and what waits for her.
type mineView struct {
	progressView
	Login string
	Known bool   // she is in the books
	Asks  []item // approvals and tasks that wait for her, a page of them
	Pages pager
	Team  bool // she is somebody's manager
	Role  bool // she may open the portal
	Bare  bool // the login is no address, so it is nobody in the books
	Demo  bool // there is nothing to sign out of
	Said  *toast

	Phones  []thing // her numbers and devices
	Unknown string  // what of them is not known
}

// mine is the page of whoever signs in.
func (p *portal) mine(w http.ResponseWriter, r *http.Request) error {
	is := me(r)
	v := mineView{Login: is.Name, Role: is.Role != dayone.Employee, Bare: !dayone.IsMail(is.Name), Demo: p.opt.Open, Said: p.toastOf(r)}
	row, err := p.flow.Mine(r.Context(), is.Name)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
	case err != nil:
		return err
	default:
		got, err := p.flow.ProgressOf(r.Context(), row.ID, true)
		if err != nil {
			return err
		}
		zone, _ := got.Look.Person.Location()
		v.Known, v.progressView = true, newProgress(p.viewerOf(r), zone, got, p.connectors()).herself()
		has, err := p.flow.BelongingsOf(r.Context(), row.ID, got.Access)
		if err != nil {
			return err
		}
		v.Phones, v.Unknown = ownThings(p.viewerOf(r), has)
		team, err := p.flow.Team(r.Context(), row)
		if err != nil {
			return err
		}
		v.Team = len(team) > 0
	}
	from := 0
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.Atoi(text); err != nil || from < 0 {
			return fmt.Errorf("%q is no place in a list: %w", text, dayone.ErrInvalid)
		}
	}
	asks, all, err := p.asksOf(r, is.Name, from, asksShown)
	if err != nil {
		return err
	}
	v.Asks = asks
	if from > 0 {
		v.Pages.First = "/me"
	}
	if next := from + asksShown; next < all { // by places: what is gone by now takes one, too
		v.Pages.Next = fmt.Sprint("/me?from=", next)
	}
	return p.show(w, r, http.StatusOK, page{Template: "me", Title: "You", Plain: true, Phone: true, Main: v})
}

// herself puts what is told to a manager so that it is told to the person herself.
func (v progressView) herself() progressView {
	if own, ok := toHerself[v.Sentence]; ok {
		v.Sentence = own
	}
	return v
}

// connectors by the names of systems.
func (p *portal) connectors() map[string]string {
	out := map[string]string{}
	for name, s := range p.flow.Active().Systems {
		out[name] = cmp.Or(s.Connector, name)
	}
	return out
}

// asksShown are so many of what waits for somebody on a page: each is put together of what it is about.
const asksShown = 100

// asksOf are some of the approvals and tasks that wait for somebody, from a place on, and how many there are.
func (p *portal) asksOf(r *http.Request, login string, from, most int) (out []item, all int, err error) {
	ctx, view := r.Context(), p.viewerOf(r)
	open, tasks, err := p.flow.AsksOf(ctx, login)
	if err != nil {
		return nil, 0, err
	}
	all = len(open) + len(tasks)
	from = min(from, all)
	until := min(all, from+most)
	tasks = tasks[max(0, from-len(open)):max(0, until-len(open))]
	open = open[min(from, len(open)):min(until, len(open))]
	asked, err := p.petitions(ctx, view, open)
	if err != nil {
		return nil, 0, err
	}
	for _, x := range asked {
		it := approvalItem(view, x)
		it.Next = x.req.Reason()
		out = append(out, it)
	}
	list, err := p.todos().all(ctx, tasks)
	if err != nil {
		return nil, 0, err
	}
	for _, d := range list {
		out = append(out, taskItem(view, d))
	}
	return out, all, nil
}

type teamView struct {
	Sentence string
	Asks     []item // what waits for the manager first, so that nobody has to look for it under You
	AllAsks  *link  // where the rest stands; nil: there is none
	Rows     []item
	Empty    *empty
}

// team lists those whose manager somebody is, with how far each is.
func (p *portal) team(w http.ResponseWriter, r *http.Request) error {
	row, team, err := p.teamOf(r)
	if err != nil {
		return err
	}
	v := teamView{Sentence: p.viewerOf(r).plural(len(team), "1 person has you as manager.", "%d people have you as manager.")}
	ids := make([]dayone.PersonID, 0, len(team))
	for _, m := range team {
		ids = append(ids, m.ID)
	}
	held, err := p.flow.FirstDaysHeld(r.Context(), ids)
	if err != nil {
		return err
	}
	for _, m := range team {
		back := held[m.ID].Under || held[m.ID].Away > 0
		v.Rows = append(v.Rows, teamItem(p.viewerOf(r).there(p.zoneOf(m.Location)), m, back))
	}
	if len(team) == 0 {
		v.Sentence = ""
		v.Empty = &empty{Icon: "people", Title: "Nobody has you as manager", Text: "Who reports to you stands here as soon as HR says so, also before their first day."}
		if row.ID == "" {
			v.Empty.Text = p.viewerOf(r).say(textNotKnown, me(r).Name)
		}
	}
	asks, all, err := p.asksOf(r, me(r).Name, 0, 2*tasksShown)
	if err != nil {
		return err
	}
	if v.Asks = asks; 2*tasksShown < all {
		v.AllAsks = &link{"All of them", "/me"}
	}
	return p.show(w, r, http.StatusOK, page{Template: "team", Title: "Your people", Plain: true, Phone: true, Main: v})
}

// teamItem is one of somebody's people, with times as they are where she works. From whom an undo keeps something it says so, in the words
// of her own page.
func teamItem(view viewer, m flow.Row, back bool) item {
	it := item{Title: link{m.Name, "/team/" + string(m.ID)}, Meta: joined(", ", m.Title, m.Team)}
	st := state{Icon: "check", Class: "s-done", Text: "Works here"}
	switch m.Status {
	case dayone.PreHire:
		st = state{Icon: "clock", Class: "s-wait", Text: view.say("Starts %s", view.day(m.Starts, view.zone).Text)}
		it.Next = sentence(view.away(view.days(m.Starts, view.zone))) + "."
	case dayone.OnLeave:
		st = state{Icon: "pause", Class: "s-skip", Text: "On leave"}
	}
	if back {
		was := st.Text
		st = state{Icon: "pause", Class: "s-wait", Text: takenBack}
		it.Next = view.label(backSentence)
		if m.Status == dayone.PreHire {
			it.Next = joined(" ", sentence(was)+".", it.Next)
		}
	}
	it.State = &st
	return it
}

func (p *portal) teamOf(r *http.Request) (flow.Row, []flow.Row, error) {
	row, err := p.flow.Mine(r.Context(), me(r).Name)
	if errors.Is(err, dayone.ErrNotFound) {
		return flow.Row{}, nil, nil
	}
	if err != nil {
		return row, nil, err
	}
	team, err := p.flow.Team(r.Context(), row)
	return row, team, err
}

// teamMember is the manager's page of one of her people, or of theirs. Nobody else learns that there is such a person.
func (p *portal) teamMember(w http.ResponseWriter, r *http.Request) error {
	id := dayone.PersonID(r.PathValue("id"))
	if !dayone.ValidID("per", string(id)) {
		return dayone.ErrNotFound
	}
	manager, err := p.flow.Mine(r.Context(), me(r).Name)
	if err != nil {
		return err
	}
	leads, err := p.flow.Leads(r.Context(), manager, id)
	if err != nil {
		return err
	}
	if !leads {
		return fmt.Errorf("%s does not lead %s: %w", manager.ID, id, dayone.ErrNotFound)
	}
	got, err := p.flow.ProgressOf(r.Context(), id, false)
	if err != nil {
		return err
	}
	zone, _ := got.Look.Person.Location()
	v := newProgress(p.viewerOf(r), zone, got, p.connectors())
	if s, err := p.flow.PreHireOf(r.Context(), got.Look.Person); err == nil {
		v.Missing = p.viewerOf(r).labels(s.Missing)
	}
	return p.show(w, r, http.StatusOK, page{Template: "progress", Title: p.viewerOf(r).say("Onboarding of %s", v.Name), Plain: true, Phone: true, Main: v})
}

type apiMember struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Title  string `json:"title"`
	Team   string `json:"team"`
	Status string `json:"status"`
	Starts string `json:"starts"` // day where she works
}

func (p *portal) member(row flow.Row) apiMember {
	m := apiMember{ID: string(row.ID), Name: row.Name, Title: row.Title, Team: row.Team, Status: string(row.Status)}
	if !row.Starts.IsZero() {
		m.Starts = row.Starts.In(p.zoneOf(row.Location)).Format("2006-01-02")
	}
	return m
}

func (p *portal) apiMine(w http.ResponseWriter, r *http.Request) error {
	row, err := p.flow.Mine(r.Context(), me(r).Name)
	if errors.Is(err, dayone.ErrNotFound) {
		return refuse(dayone.ErrNotFound, fmt.Sprintf(textNotKnown, me(r).Name))
	}
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, p.member(row))
}

func (p *portal) apiTeam(w http.ResponseWriter, r *http.Request) error {
	_, team, err := p.teamOf(r)
	if err != nil {
		return err
	}
	out := struct {
		People []apiMember `json:"people"`
	}{[]apiMember{}}
	for _, m := range team {
		out.People = append(out.People, p.member(m))
	}
	return answerJSON(w, http.StatusOK, out)
}
