package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

type dashboardView struct {
	Sentence     string
	Alerts       []item
	AlertTable   string // where alerts are as a table
	MoreAlerts   *link  // where the others are
	Figures      []figure
	Tiles        []tileRow // what systems show
	Starters     []starterRow
	More         bool
	Runs         []runRow
	Tasks        []item
	Unplanned    []item // people for whom no plan can be made
	AllUnplanned *link
	Announced    []item // policies that come into force unless somebody withdraws them
	Quarantined  []item
	NoStarters   *empty
	NoRuns       *empty
	Mine         []item // that wait for whoever looks
	AllMine      *link  // where the others are
	Overview     overviewView

	view        viewer
	waits, runs int  // how much needs somebody, and goes on
	more        bool // needs somebody than was counted
}

type starterRow struct {
	Name   link
	Facts  string
	Starts *stamp
	In     string
	Run    link
	Strip  *strip
	Steps  string
	State  state
	Note   string
	Undo   *link // what took it back
}

// How many rows the dashboard shows of each; the rest is a page away.
const (
	startersShown = 12
	runsShown     = 8
	tasksShown    = 5
	tasksLookedAt = 50  // for the ones that are due first
	countedTo     = 100 // of what is counted by reading it
)

func (p *portal) dashboard(w http.ResponseWriter, r *http.Request) error {
	if !p.shows(r, "GET /people") { // what waits for an answer is all there is to see
		http.Redirect(w, r, "/approvals", http.StatusSeeOther)
		return nil
	}
	ctx := r.Context()
	counts, err := p.flow.CountPeople(ctx)
	if err != nil {
		return err
	}
	rows, err := p.flow.Starters(ctx, startersShown+1)
	if err != nil {
		return err
	}
	runs, err := p.flow.Runs(ctx, runsUnderWay(runsShown))
	if err != nil {
		return err
	}
	under, err := p.flow.CountRuns(ctx, runsUnderWay(countedTo))
	if err != nil {
		return err
	}
	tasks, err := p.flow.TasksBy(ctx, flow.TaskFilter{Limit: tasksLookedAt})
	if err != nil {
		return err
	}
	opened, err := p.flow.CountTasks(ctx, flow.TaskFilter{})
	if err != nil {
		return err
	}
	events, err := p.flow.Events(ctx, quarantined(countedTo+1))
	if err != nil {
		return err
	}
	stuck, err := p.flow.People(ctx, flow.PeopleFilter{Unplanned: true, Limit: countedTo + 1})
	if err != nil {
		return err
	}
	asked, err := p.flow.CountApprovals(ctx)
	if err != nil {
		return err
	}
	matches, err := p.flow.CountMatches(ctx)
	if err != nil {
		return err
	}
	braked, err := p.flow.CountBrakes(ctx, countedTo+1)
	if err != nil {
		return err
	}
	r = r.WithContext(withCounts(ctx, openCounts{
		runs: under, tasks: opened, approvals: asked, matches: matches, quarantined: min(len(events), countedTo), brakes: min(braked, countedTo),
	}))
	view := p.viewerOf(r)
	v := newDashboard(view, counts, under, opened, len(events), len(stuck))
	if v.More = len(rows) > startersShown; v.More {
		rows = rows[:startersShown]
	}
	if v.Starters, err = p.starters(ctx, view, rows); err != nil {
		return err
	}
	if v.Runs, err = p.runRows(r, runs, runsShown); err != nil {
		return err
	}
	dated := 0
	if i := slices.IndexFunc(tasks, func(t dayone.Task) bool { // they come in that order
		if !t.Due.IsZero() {
			dated++
		}
		return dated > tasksShown
	}); i >= 0 {
		tasks = tasks[:i]
	}
	list, err := p.todosOf(ctx, tasks)
	if err != nil {
		return err
	}
	hers := 0
	if v.Mine, v.AllMine, hers, err = p.mineOf(r); err != nil {
		return err
	}
	for _, d := range list[:min(len(list), tasksShown)] {
		v.Tasks = append(v.Tasks, taskItem(view, d))
	}
	if !p.shows(r, "POST /matches/{id}") {
		matches = 0
	}
	proposed := 0
	if !p.shows(r, "POST /brakes/{id}/release") {
		braked = 0
	}
	if braked > 0 {
		if proposed, err = p.releasesProposed(ctx); err != nil {
			return err
		}
	}
	v.decide(matches, braked, proposed)
	others, err := p.flow.ForOthers(ctx)
	if err != nil {
		return err
	}
	v.ask(asked, hers, others)
	for _, row := range stuck[:min(len(stuck), tasksShown)] {
		v.Unplanned = append(v.Unplanned, unplannedItem(view, row))
	}
	if len(stuck) > tasksShown {
		v.AllUnplanned = &link{"All of them", "/people?status=" + unplanned}
	}
	for _, e := range events[:min(len(events), tasksShown)] {
		v.Quarantined = append(v.Quarantined, quarantinedItem(view, e))
	}
	alerts, err := p.flow.Alerts(ctx, true, alertsShown)
	if err != nil {
		return err
	}
	for _, a := range alerts {
		v.Alerts = append(v.Alerts, alertItem(view, a))
	}
	if p.shows(r, "GET /api/v1/alerts") {
		v.AlertTable = "/api/v1/alerts?format=csv&bom=yes"
	}
	if len(alerts) == alertsShown {
		n, err := p.flow.CountAlerts(ctx, alertsCounted)
		if err != nil {
			return err
		}
		v.MoreAlerts = moreAlerts(view, n)
	}
	if v.Announced, err = p.announced(r); err != nil {
		return err
	}
	v.Tiles = p.shown(r)
	sum, err := p.overviewOf(ctx, p.shows(r, "GET /systems"))
	if err != nil {
		return err
	}
	v.Overview = newOverview(view, sum, p.titles(), p.kindTitles())
	if !p.shows(r, "GET /settings/effort") {
		v.Overview.unlink()
	}
	v.fail(len(sum.Failures), sum.More)
	return p.show(w, r, http.StatusOK, page{Template: "dashboard", Title: "Dashboard", Nav: "dashboard", Main: v})
}

// moreAlerts leads to all alerts, where more are open than the dashboard shows.
func moreAlerts(view viewer, open int) *link {
	if open <= alertsShown {
		return nil
	}
	return &link{view.say("All %s alerts", view.capped(open, alertsCounted)), "/alerts"}
}

// newDashboard is the sentence and the figures.
func newDashboard(view viewer, counts map[dayone.Status]int, runs, tasks, bad, stuck int) dashboardView {
	v := dashboardView{view: view, Figures: []figure{
		{Label: "Active", Value: view.in.Number(counts[dayone.Working]), Href: "/people?status=active"},
		{Label: "Start soon", Value: view.in.Number(counts[dayone.PreHire]), Href: "/people?status=pre-hire"},
		{Label: "On leave", Value: view.in.Number(counts[dayone.OnLeave]), Href: "/people?status=leave"},
		{Label: "Runs under way", Value: view.capped(runs, countedTo), Href: "/runs?state=open"},
		{Label: "Open tasks", Value: view.in.Number(tasks), Href: "/tasks"},
		{Label: "Quarantined events", Value: view.capped(bad, countedTo), Href: "/events?state=quarantined"},
	}}
	if stuck > 0 { // in the place of what needs nobody
		v.Figures[2] = figure{Label: "Cannot be planned", Value: view.capped(stuck, countedTo), Href: "/people?status=" + unplanned}
	}
	v.runs = runs
	v.need(tasks)
	v.needUpTo(bad)
	v.needUpTo(stuck)
	v.NoStarters = &empty{Icon: "people", Title: "Nobody starts soon", Text: "People appear here when a source says that they are hired. Send the webhook of your HR system to /hooks/ followed by the name of the source."}
	v.NoRuns = &empty{Icon: "play", Title: "No run is under way", Text: "A run starts when somebody is hired, moves or leaves."}
	return v
}

// need adds to what needs somebody.
func (v *dashboardView) need(n int) {
	v.waits += n
	v.sum()
}

// needUpTo adds what was read one further than it is counted.
func (v *dashboardView) needUpTo(n int) {
	v.more = v.more || n > countedTo
	v.need(min(n, countedTo))
}

// sum says in one sentence how much waits.
func (v *dashboardView) sum() {
	switch {
	case v.more:
		v.Sentence = v.view.say("More than %d things need you.", v.waits)
	case v.waits == 0 && v.runs == 0:
		v.Sentence = "Nothing needs you, and nothing is under way."
	case v.waits == 0:
		v.Sentence = "Nothing needs you. What is under way goes on by itself."
	case v.waits == 1:
		v.Sentence = "One thing needs you."
	default:
		v.Sentence = v.view.say("%d things need you.", v.waits)
	}
}

// decide adds questions and brakes that wait, before the tasks: they hold up more than one.
func (v *dashboardView) decide(matches, brakes, proposed int) {
	hand := state{Icon: "hand", Class: "s-wait", Text: "To decide"}
	var first []item
	if brakes > 0 {
		next := v.view.label("Let it through, or throw it away.")
		if proposed > 0 {
			next = v.view.plural(proposed, "1 release waits for a second person.", "%d releases wait for a second person.")
		}
		first = append(first, item{State: &hand, Title: link{v.view.plural(brakes, "1 brake holds something back", "%d brakes hold something back"), "/brakes"}, Next: next})
	}
	if matches > 0 {
		first = append(first, item{State: &hand, Title: link{v.view.plural(matches, "1 employment may be of somebody known", "%d employments may be of somebody known"), "/matches"}, Next: v.view.label("Say whose it is.")})
	}
	v.Tasks = append(first, v.Tasks...)
	v.need(matches)
	v.needUpTo(brakes)
}

// fail counts what failed among what needs somebody: the n that are shown, and perhaps more.
func (v *dashboardView) fail(n int, more bool) {
	v.more = v.more || more
	v.need(n)
}

// releasesProposed counts brakes that wait for a second person to confirm their release.
func (p *portal) releasesProposed(ctx context.Context) (n int, err error) {
	on, err := p.flow.Brakes(ctx, true, countedTo+1)
	for _, b := range on {
		if b.Proposed != nil && !b.Proposed.Stale {
			n++
		}
	}
	return n, err
}

// unplannedItem is somebody for whom no plan can be made, with what to do about it.
func unplannedItem(view viewer, row flow.Row) item {
	return item{State: &unplannedState, Title: link{row.Name, "/people/" + string(row.ID)}, Meta: row.Problem, Next: view.label(unplannedNext)}
}

// capped says that there may be more than were counted.
func (v viewer) capped(n, most int) string {
	if n >= most {
		return v.in.Number(most) + "+"
	}
	return v.in.Number(n)
}

// starters say of each whether she will be ready.
func (p *portal) starters(ctx context.Context, view viewer, rows []flow.Row) ([]starterRow, error) {
	ids := make([]dayone.PersonID, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	days, err := p.flow.FirstDays(ctx, ids)
	if err != nil {
		return nil, err
	}
	lacks, err := p.flow.LacksOf(ctx, ids) // ready by the run; the system may have shown it otherwise since
	if err != nil {
		return nil, err
	}
	out := make([]starterRow, 0, len(rows))
	for _, row := range rows {
		first, found := days[row.ID]
		s, err := p.starter(ctx, view, row, first, found, len(lacks[row.ID]))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (p *portal) starter(ctx context.Context, view viewer, row flow.Row, run flow.First, found bool, lacks int) (starterRow, error) {
	zone := p.zoneOf(row.Location)
	s := starterRow{
		Name: link{row.Name, "/people/" + string(row.ID)}, Facts: joined(", ", row.Title, row.Location),
		Starts: view.day(row.Starts, zone), In: view.away(view.days(row.Starts, zone)),
	}
	if row.Problem != "" {
		s.State = unplannedState
	}
	if !found {
		if row.Problem == "" {
			s.State, s.Note = state{Icon: "dot", Text: "Planned"}, view.label("nothing is due yet")
		}
		return s, nil
	}
	b := board{run: run.Full, view: view, gone: run.Back}
	var err error
	if b.next, b.where, err = p.carriedOn(ctx, b.run); err != nil {
		return s, err
	}
	s.Run = link{b.runTitle(), "/runs/" + string(b.run.ID)}
	s.Strip, s.Steps = b.strip()
	if row.Problem == "" {
		s.State, s.Note = readiness(view, run)
	}
	if s.State.Class == "s-done" && lacks > 0 {
		s.State, s.Note = state{Icon: "drift", Class: "s-wait", Text: notAsItShould}, view.plural(lacks, "1 thing differs from the books", "%d things differ from the books")
	}
	if run.Undo != "" {
		s.Undo = &link{"Open the undo", "/runs/" + string(run.Undo)}
	}
	return s, nil
}

// readiness is how a run looks to somebody who only asks whether all will be there on the first day.
func readiness(view viewer, run flow.First) (state, string) {
	switch {
	case run.Under:
		return state{Icon: "undo", Class: "s-run", Text: "Being taken back"}, ""
	case run.Whole:
		return state{Icon: "undo", Class: "s-wait", Text: "Taken back"}, view.label("the onboarding was undone")
	}
	failed, ours, hers, left := 0, 0, 0, 0
	for i := range run.Steps {
		s := &run.Steps[i]
		switch {
		case s.State == dayone.StepFailed, s.State == dayone.StepUndoFailed:
			failed++
		case s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There():
			hers++
		case human(s):
			ours++
		case !s.State.Over():
			left++
		}
	}
	switch {
	case failed > 0:
		return state{Icon: "x", Class: "s-fail", Text: "At risk"}, view.plural(failed, "1 step failed", "%d steps failed")
	case ours > 0:
		return state{Icon: "task", Class: "s-wait", Text: "Needs you"}, view.plural(ours, "1 step waits for somebody", "%d steps wait for somebody")
	case run.Away > 0:
		return state{Icon: "undo", Class: "s-wait", Text: "Taken back in part"}, view.plural(run.Held, "1 access is held back", "%d accesses are held back")
	case run.State == dayone.RunRunning && left > 0:
		return state{Icon: "run", Class: "s-run", Text: "Being set up"}, view.plural(left, "1 step left", "%d steps left")
	case hers > 0:
		return state{Icon: "check", Class: "s-done", Text: "On track"}, view.plural(hers, "1 waits for the first login", "%d wait for the first login")
	case run.State == dayone.RunDone:
		return state{Icon: "check", Class: "s-done", Text: "Ready"}, ""
	default:
		return runState(run.State), ""
	}
}

// plural chooses between two whole sentences.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return inEnglish.Say(many, n)
}

// inEnglish says what is heard again in the language of whoever reads it.
var inEnglish *locale.Language

// zoneOf is where a location is; UTC if nobody knows.
func (p *portal) zoneOf(location string) *time.Location {
	zone, _ := p.flow.Active().SiteOf(location).Location()
	return cmp.Or(zone, time.UTC)
}

// ask puts approvals that wait in the place of who is on leave, and counts among what needs somebody those that whoever looks may
// answer: her own, which are listed as hers, or all of them.
func (v *dashboardView) ask(n, hers int, all bool) {
	if n == 0 {
		return
	}
	at := 2
	if v.Figures[at].Label != "On leave" { // somebody cannot be planned: that comes first
		at = 1
	}
	v.Figures[at] = figure{Label: "Wait for approval", Value: v.view.in.Number(n), Href: "/approvals"}
	if !all {
		v.need(hers)
		return
	}
	hand := state{Icon: "hand", Class: "s-wait", Text: "To decide"}
	it := item{State: &hand, Title: link{v.view.plural(n, "1 request waits for an answer", "%d requests wait for an answer"), "/approvals"}, Next: v.view.label("Approve it, or refuse it.")}
	v.Tasks = slices.Insert(v.Tasks, 0, it)
	v.need(n)
}

func capped(n, most int) string { return viewer{}.capped(n, most) }
