package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// What a dashboard says of the machine as a whole: what failed, what differs, which systems answer, how soon starters are ready and
// how many hours nobody had to work. Each is counted beside, or read by an index: a dashboard costs the same for however many people.

// overview is that, as pages and the API have it.
type overview struct {
	Failures []flow.Failure
	More     bool // failures
	Drift    map[string]int
	Unread   int // systems that were never compared, of those that can be
	Compared int // and that were
	Systems  []flow.SystemState
	Ready    []flow.Readiness
	Saved    flow.Saved
}

// failuresShown is how many failures a dashboard shows.
const failuresShown = 5

// overviewOf reads it. Whoever may not see systems is told nothing of them.
func (p *portal) overviewOf(ctx context.Context, systems bool) (v overview, err error) {
	if v.Failures, err = p.flow.Failures(ctx, "", failuresShown+1); err != nil {
		return v, err
	}
	if v.More = len(v.Failures) > failuresShown; v.More {
		v.Failures = v.Failures[:failuresShown]
	}
	if v.Drift, err = p.flow.CountDrift(ctx); err != nil {
		return v, err
	}
	reads, err := p.flow.DriftReadings(ctx)
	if err != nil {
		return v, err
	}
	for _, x := range reads {
		v.Unread += btoi(x.Lists && x.At.IsZero())
		v.Compared += btoi(!x.At.IsZero())
	}
	if systems {
		if v.Systems, _, err = p.flow.SystemStates(ctx); err != nil {
			return v, err
		}
	}
	if v.Ready, err = p.flow.Readiness(ctx); err != nil {
		return v, err
	}
	v.Saved, err = p.flow.Saved(ctx)
	return v, err
}

// overviewView is the part of the dashboard that shows it.
type overviewView struct {
	Failures   []item
	MoreFailed *link
	Drift      []item
	DriftNote  string
	Health     []item
	HealthNote string
	Worth      []figure
	Mine       []item
	MineNote   string
}

func newOverview(view viewer, x overview, titles, kinds map[string]string) overviewView {
	var v overviewView
	for _, f := range x.Failures {
		v.Failures = append(v.Failures, failureItem(view, f, titles, kinds))
	}
	if x.More {
		v.MoreFailed = &link{"More runs that did not end well", "/runs?state=incomplete"}
	}
	for _, name := range slices.Sorted(maps.Keys(x.Drift)) {
		st := state{Icon: "drift", Class: "s-wait", Text: capped(x.Drift[name], flow.MostDrift)}
		v.Drift = append(v.Drift, item{State: &st, Title: link{systemTitle(titles, name), "/drift?system=" + url.QueryEscape(name)}})
	}
	switch {
	case len(x.Drift) == 0 && x.Unread == 0:
		v.DriftNote = "Every account that was read is as the books have it."
	case len(x.Drift) == 0 && x.Compared == 0: // nobody can say that nothing differs
	case len(x.Drift) == 0:
		v.DriftNote = "Nothing is known to differ."
	}
	switch {
	case x.Unread > 0 && x.Compared == 0 && len(x.Drift) == 0:
		v.DriftNote = view.label("No system was compared with the books yet, so nobody can say.")
	case x.Unread > 0:
		v.DriftNote = joined(" ", view.label(v.DriftNote), view.plural(x.Unread, "1 system was not compared yet.", "%d systems were not compared yet."))
	}
	good := 0
	for _, s := range x.Systems {
		if s.Stance == engine.Free && !s.Unset && s.Retiring.ID == "" {
			good++
			continue
		}
		row := newSystem(view, s, false)
		st := row.State
		st.Tag = false
		it := item{State: &st, Title: link{row.Title, row.Path}}
		if s.Waiting > 0 {
			it.Meta = view.plural(s.Waiting, "1 step waits", "%d steps wait")
		}
		v.Health = append(v.Health, it)
	}
	if len(x.Systems) > 0 {
		v.HealthNote = plural(good, "1 system answers.", "%d systems answer.")
	}
	v.Worth = worthFigures(view, x)
	return v
}

// worthFigures are how soon starters are ready and what was saved, each with a link to how it is counted.
func worthFigures(view viewer, x overview) (out []figure) {
	for _, r := range x.Ready {
		f := figure{Label: fmt.Sprintf("Ready after, last %d days", r.Days), Value: view.label("unknown"), Small: view.label("no starter yet"), Href: "/settings/effort#h-ready"}
		if r.N > 0 {
			f.Value, f.Small = view.took(r.Median), view.plural(r.N, "median of 1 starter", "median of %d starters")
		}
		out = append(out, f)
	}
	f := figure{Label: "Hours saved, 12 months", Value: view.label("not counted"), Small: view.label("say what a step is worth"), Href: "/settings/effort"}
	switch {
	case x.Saved.Untold:
		f.Value, f.Small = view.label("unknown"), view.label(textSavedUntoldSmall)
	case x.Saved.Baseline.Seq > 0 && len(x.Saved.Baseline.Minutes) > 0:
		f.Value, f.Small = view.hoursOf(x.Saved.Minutes), view.counted(x.Saved.Counted, "1 step by itself", "%s steps by themselves")
	}
	return append(out, f)
}

// unlink takes links away that would only be refused.
func (v *overviewView) unlink() {
	for i := range v.Worth {
		v.Worth[i].Href = ""
	}
}

// hoursOf are minutes as people say them: 0.4, 12, 1,203.
func (v viewer) hoursOf(minutes float64) string {
	if h := minutes / 60; h < 10 {
		return v.in.Point(strconv.FormatFloat(h, 'f', 1, 64))
	}
	return v.number(int(minutes/60 + .5))
}

// mineOf are the approvals and tasks that wait for whoever is logged in, those that are due first, and where all of them are if
// there are more. What is out of her scope stands under You only.
func (p *portal) mineOf(r *http.Request) (out []item, all *link, asks int, err error) {
	ctx, view, login := r.Context(), p.viewerOf(r), me(r).Name
	if !dayone.IsMail(login) {
		return nil, nil, 0, nil
	}
	asked, tasks, err := p.flow.AsksOf(ctx, login)
	if err != nil {
		return nil, nil, 0, err
	}
	shownAsked, err := p.petitions(ctx, view, asked[:min(len(asked), tasksShown)])
	if err != nil {
		return nil, nil, 0, err
	}
	for _, x := range shownAsked {
		out = append(out, approvalItem(view, x))
	}
	shown := min(len(tasks), 2*tasksShown-len(out))
	list, err := p.todosOf(ctx, tasks[:shown])
	if err != nil {
		return nil, nil, 0, err
	}
	for _, d := range list {
		out = append(out, taskItem(view, d))
	}
	if len(out) < len(asked)+len(tasks) {
		all = &link{"All of them", "/me"}
	}
	return out, all, len(asked), nil
}

type apiOverview struct {
	Failures []apiFailure   `json:"failures"`
	Drift    map[string]int `json:"drift"`
	Unread   int            `json:"systems_not_compared"`
	Systems  map[string]int `json:"systems"`
	Ready    []apiReady     `json:"time_to_ready"`
	Saved    apiSaved       `json:"saved"`
}

type apiReady struct {
	Days    int      `json:"days"`
	N       int      `json:"starters"`
	Seconds *float64 `json:"median_seconds,omitempty"`
}

type apiSaved struct {
	Since string                `json:"since"`
	Steps map[dayone.Action]int `json:"steps"`
	Hours *float64              `json:"hours,omitempty"`
}

func (p *portal) apiOverview(w http.ResponseWriter, r *http.Request) error {
	x, err := p.overviewOf(r.Context(), p.shows(r, "GET /systems") || p.lets(me(r), "GET /api/v1/systems"))
	if err != nil {
		return err
	}
	out := apiOverview{Failures: []apiFailure{}, Drift: x.Drift, Unread: x.Unread, Systems: map[string]int{}, Ready: []apiReady{}, Saved: apiSaved{Since: x.Saved.Since, Steps: x.Saved.Steps}}
	for _, f := range x.Failures {
		out.Failures = append(out.Failures, newAPIFailure(f))
	}
	for _, s := range x.Systems {
		out.Systems[s.Word()]++
	}
	for _, one := range x.Ready {
		a := apiReady{Days: one.Days, N: one.N}
		if one.N > 0 {
			s := one.Median.Seconds()
			a.Seconds = &s
		}
		out.Ready = append(out.Ready, a)
	}
	if x.Saved.Baseline.Seq > 0 && !x.Saved.Untold {
		h := x.Saved.Minutes / 60
		out.Saved.Hours = &h
	}
	return answerJSON(w, http.StatusOK, out)
}

// ---- the baseline ----

type effortView struct {
	Sentence string
	Problem  *notice
	Fields   []field
	Note     field
	Seq      int64
	May      bool
	Rows     []effortRow
	Total    string
	How      string
	Ready    []pair
	ReadyHow string
	Changed  string
	At       *stamp
}

type effortRow struct{ What, Steps, Minutes, Hours string }

// effortTexts are actions as people count them.
var effortTexts = map[dayone.Action]string{
	dayone.AccountCreate: "Make an account", dayone.AccountUpdate: "Change an account", dayone.AccountEnable: "Open an account", dayone.AccountDisable: "Close an account",
	dayone.AccountDelete: "Delete an account", dayone.EntitlementAdd: "Give a group, licence or other thing", dayone.EntitlementRemove: "Take one away", dayone.MessageSend: "Write a message",
}

func (p *portal) effort(w http.ResponseWriter, r *http.Request) error {
	return p.showEffort(w, r, http.StatusOK, nil, "")
}

// showEffort shows it; wrong is the field that problem is about, "" if it is about none.
func (p *portal) showEffort(w http.ResponseWriter, r *http.Request, status int, problem *notice, wrong string) error {
	saved, err := p.flow.Saved(r.Context())
	if err != nil {
		return err
	}
	ready, err := p.flow.Readiness(r.Context())
	if err != nil {
		return err
	}
	v := newEffort(p.viewerOf(r), saved, ready)
	v.Problem, v.May = problem, p.shows(r, "POST /settings/effort")
	if problem != nil {
		for i := range v.Fields {
			v.Fields[i].Value = r.PostFormValue(v.Fields[i].Name)
			if v.Fields[i].Name == wrong {
				v.Fields[i].Error = problem.Text
			}
		}
		v.Note.Value = r.PostFormValue("note")
	}
	return p.show(w, r, status, page{Template: "effort", Title: "Hours saved", Nav: "settings", Crumbs: []link{{"Settings", "/settings"}, {"Hours saved", ""}}, Main: v})
}

// monthOf is a month as it is kept, as one reads it.
func monthOf(view viewer, month string) string {
	at, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return view.in.Time(at, "January 2006")
}

func newEffort(view viewer, s flow.Saved, ready []flow.Readiness) effortView {
	v := effortView{Seq: s.Baseline.Seq, May: true, How: view.say(textSavedHow, monthOf(view, s.Since)), ReadyHow: textReadyHow, Sentence: textSavedNone}
	for _, a := range dayone.EffortActions {
		f := field{ID: "m-" + strings.ReplaceAll(string(a), ".", "-"), Name: string(a), Label: effortTexts[a], Type: "number"}
		row := effortRow{What: effortTexts[a], Steps: view.number(s.Steps[a]), Minutes: textEffortUnset}
		if s.Untold {
			row.Steps = "unknown"
		}
		if m, ok := s.Baseline.Minutes[a]; ok && s.Untold {
			f.Value = strconv.FormatFloat(m, 'f', -1, 64)
			row.Minutes = f.Value
		} else if ok {
			f.Value = strconv.FormatFloat(m, 'f', -1, 64)
			row.Minutes, row.Hours = view.in.Point(f.Value), view.hoursOf(m*float64(s.Steps[a]))
		}
		v.Fields, v.Rows = append(v.Fields, f), append(v.Rows, row)
	}
	switch {
	case s.Untold:
		v.Sentence = textSavedUntold
	case len(s.Baseline.Minutes) > 0:
		v.Total = view.hoursOf(s.Minutes)
		v.Sentence = fmt.Sprintf("%s hours that nobody had to work, in twelve months.", v.Total)
	}
	if s.Baseline.Seq > 0 {
		v.Changed, v.At = s.Baseline.By, view.at(s.Baseline.At)
	}
	for _, r := range ready {
		x := pair{Name: fmt.Sprintf("First days of the last %d days", r.Days), Value: view.label(textReadyNone)}
		if r.N > 0 {
			x.Value = view.took(r.Median) + ", " + view.plural(r.N, "of 1 starter", "the median of %d starters")
		}
		v.Ready = append(v.Ready, x)
	}
	v.Note = field{ID: "note", Name: "note", Label: "Note, for the record", Hint: "Such as where the minutes come from. May stay empty", Type: "text"}
	return v
}

func (p *portal) saveEffort(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	minutes := map[dayone.Action]float64{}
	bad := func(text, wrong string) error {
		return p.showEffort(w, r, http.StatusUnprocessableEntity, &notice{Kind: "bad", Icon: "x", Title: "Nothing was changed", Text: text}, wrong)
	}
	for _, a := range dayone.EffortActions {
		text := strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get(string(a)), ",", "."))
		if text == "" {
			continue
		}
		m, err := strconv.ParseFloat(text, 64)
		if err != nil || !(m >= 0 && m <= flow.MostMinutes) { // also what is no number
			return bad(p.viewerOf(r).say(textMinutes, p.viewerOf(r).label(effortTexts[a])), string(a))
		}
		minutes[a] = m
	}
	seq, _ := strconv.ParseInt(r.PostForm.Get("seq"), 10, 64)
	_, err := p.flow.SetBaseline(r.Context(), minutes, seq, me(r).Name, r.PostForm.Get("note"))
	if refused(err) {
		return bad(p.viewerOf(r).problem(err)+".", "")
	}
	if err != nil {
		return err
	}
	p.said(w, r, "/settings/effort", "effort", nil)
	return nil
}

type apiEffort struct {
	Seq     int64                     `json:"version"`
	Minutes map[dayone.Action]float64 `json:"minutes"`
	Made    *time.Time                `json:"made,omitempty"`
	By      string                    `json:"by,omitempty"`
	Note    string                    `json:"note,omitempty"`
}

func newAPIEffort(b dayone.Effort) apiEffort {
	out := apiEffort{b.Seq, map[dayone.Action]float64{}, moment(b.At), b.By, b.Note}
	maps.Copy(out.Minutes, b.Minutes)
	return out
}

func (p *portal) apiEffort(w http.ResponseWriter, r *http.Request) error {
	s, err := p.flow.Saved(r.Context())
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIEffort(s.Baseline))
}

func (p *portal) apiSaveEffort(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Seq     int64                     `json:"version"`
		Minutes map[dayone.Action]float64 `json:"minutes"`
		Note    string                    `json:"note"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	b, err := p.flow.SetBaseline(r.Context(), in.Minutes, in.Seq, me(r).Name, in.Note)
	if err != nil {
		return worth(err)
	}
	return answerJSON(w, http.StatusOK, newAPIEffort(b))
}
