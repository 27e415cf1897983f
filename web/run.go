package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

func queryEscape(s string) string { return url.QueryEscape(s) }

func paceKey(s dayone.Step) flow.PaceOf {
	return flow.PaceOf{System: s.Key.System, Kind: s.Key.Kind, Action: s.Action}
}

// paceOf is what the past says about how long steps take; nothing if it cannot be read: a run is shown without a prediction.
func (p *portal) paceOf(ctx context.Context, run dayone.Run) map[flow.PaceOf]flow.Pace {
	found, err := p.flow.Pace(ctx, run)
	if err != nil {
		p.log.Warn("the pace of earlier runs is not known", "run", run.ID, "error", err)
	}
	return found
}

func runID(r *http.Request) (dayone.RunID, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("run", id) {
		return "", fmt.Errorf("%q is no id of a run: %w", id, dayone.ErrNotFound)
	}
	return dayone.RunID(id), nil
}

// board reads a run and lays it out as the request asks.
func (p *portal) board(r *http.Request, id dayone.RunID) (*board, error) {
	ctx := r.Context()
	run, err := p.flow.RunOf(ctx, id)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	b := board{run: run, view: p.viewerOf(r), titles: p.titles(), kinds: p.kindTitles(), may: p.shows(r, "POST /runs/{id}/cancel"), pace: p.paceOf(ctx, run), open: q["open"], show: q.Get("show"), posted: p.posted}
	if b.show != "needs" && b.show != "open" {
		b.show = ""
	}
	b.chosen, _ = strconv.Atoi(q.Get("step"))
	if b.tasks, err = p.tasksOf(ctx, id); err != nil {
		return nil, err
	}
	if b.asked, err = p.askedFor(ctx, &b.run); err != nil {
		return nil, err
	}
	if b.next, b.where, err = p.carriedOn(ctx, run); err != nil {
		return nil, err
	}
	gone, err := p.flow.TakenBack(ctx, run)
	if err != nil {
		return nil, err
	}
	b.gone = gone[id]
	return newBoard(b), nil
}

// askedFor are the requests that steps of a run wait for. What such a step says of itself is whom it waits for now.
func (p *portal) askedFor(ctx context.Context, run *dayone.Run) (map[dayone.StepID]dayone.ApprovalID, error) {
	waits := func(s dayone.StepRun) bool {
		return s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind == dayone.WaitApproval
	}
	if !slices.ContainsFunc(run.Steps, waits) {
		return nil, nil
	}
	list, err := p.flow.Approvals(ctx, flow.ApprovalFilter{Person: run.Person, Open: true})
	if err != nil {
		return nil, err
	}
	out := map[dayone.StepID]dayone.ApprovalID{}
	for _, q := range list {
		s := run.Step(q.Step)
		if s == nil || !waits(*s) {
			continue
		}
		out[q.Step] = q.ID
		var who []string
		for _, d := range q.Deciders {
			who = append(who, d.Mail)
		}
		if len(who) > 0 {
			w := *s.Wait
			w.Note = fmt.Sprintf("It waits for %s to agree.", strings.Join(who, ", "))
			s.Wait = &w
		}
	}
	return out, nil
}

func (p *portal) tasksOf(ctx context.Context, id dayone.RunID) (map[dayone.StepID]dayone.TaskID, error) {
	list, err := p.flow.Tasks(ctx, "", id)
	if err != nil {
		return nil, err
	}
	out := map[dayone.StepID]dayone.TaskID{}
	for _, t := range list {
		out[t.Step] = t.ID
	}
	return out, nil
}

// run is the page of a run. Asked for a detail alone, it answers with that.
func (p *portal) run(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	b, err := p.board(r, id)
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "step-detail" {
		d, err := p.detailOf(r, b)
		if err != nil {
			return err
		}
		p.part(w, r, http.StatusOK, "step-detail", d)
		return nil
	}
	v, err := p.runPage(r, b)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "run", Title: b.runTitle(), Nav: "runs", Crumbs: []link{{"Runs", "/runs"}, {b.runTitle(), ""}}, Main: v})
}

func (p *portal) runPage(r *http.Request, b *board) (runView, error) {
	v := newRunView(b)
	v.Systems = p.keptBy(r, b)
	row, err := p.flow.Person(r.Context(), b.run.Person)
	if err == nil {
		v.Person = link{row.Name, "/people/" + string(row.ID)}
		v.Facts = joined(", ", row.Title, row.Location)
	}
	if b.run.Event != "" {
		if in, err := p.flow.Event(r.Context(), b.run.Event); err == nil {
			v.Event = in.Source
		}
	}
	if err := p.undone(r.Context(), &v, b); err != nil {
		return v, err
	}
	if b.chosen > 0 {
		if v.Detail, err = p.detailOf(r, b); err != nil {
			return v, err
		}
	}
	return v, nil
}

// newRunView is the page as the run stands, without what needs more than the run.
func newRunView(b *board) runView {
	v := runView{
		ID: string(b.run.ID), Title: b.runTitle(), Started: b.view.at(b.run.Started), Head: b.head(), Needs: b.needs(), Graph: b.picture(), Gantt: b.timeline(),
		Acts: b.decisions(), Steps: b.steps(), Tabs: runTabs(b, "run"), Messages: b.messages(), Next: b.takeover(),
	}
	v.Strip, v.Key = b.legend()
	for _, f := range b.run.Plan.Findings {
		switch {
		case f.Kind == planner.Instead, f.Kind == planner.Absent: // was agreed to, or is not there
		case f.Kind == planner.Stays:
			v.Findings = append(v.Findings, b.view.withKeys(fmt.Sprintf("%s: %s", f.Key, b.view.heard(f.Text))))
		default:
			if text := findingText(b.view, f.Text); !slices.Contains(v.Findings, text) { // of several grants at one system
				v.Findings = append(v.Findings, text)
			}
		}
	}
	for _, l := range b.run.Plan.Later {
		v.Later = append(v.Later, laterView{Key: l.Key.String(), From: b.view.at(l.From)})
	}
	if !b.run.State.Over() {
		v.Live = b.liveAddress()
	}
	return v
}

func runTabs(b *board, current string) []tab {
	return []tab{
		{Text: "Run", Href: b.path(), Current: current == "run"},
		{Text: "Records", Href: b.path() + "/records", Current: current == "records"},
	}
}

// liveAddress is where the page's stream is: with what the page shows already, so that nothing is lost between the two.
func (b *board) liveAddress() string {
	q := url.Values{"seen": {b.seen().String()}, "acts": {b.offers()}}
	if b.show != "" {
		q.Set("show", b.show)
	}
	if len(b.open) > 0 {
		q["open"] = b.open
	}
	return b.path() + "/events?" + q.Encode()
}

// messages are what the run tells whom.
func (b *board) messages() []item {
	var out []item
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		if s.Step.Action != dayone.MessageSend {
			continue
		}
		if _, later := b.where[s.Step.ID]; !later && s.Of == "" && !s.State.Over() && !b.run.State.Over() {
			out = append(out, b.unsentOne(i))
			continue
		}
		_, st := b.stateOf(s)
		it := item{State: &st, Title: link{b.title(s.Step), b.detailHref(i)}}
		if s.Step.Want != nil {
			it.Meta = b.view.say("to %s", s.Step.Want.Attrs["to"])
		}
		if now := s.Result.Now; now != nil && now.Attrs.Text("subject") != "" {
			it.Next = now.Attrs.Text("subject")
		} else if now != nil && now.Attrs.Text("summary") != "" {
			it.Next = now.Attrs.Text("summary")
		}
		if s.State == dayone.StepDone {
			it.At = b.view.clock(s.Ended)
			if b.posted != nil && s.Step.Want != nil {
				it.Open = b.posted(s.Step.Want.Attrs["to"], it.Next)
			}
		}
		out = append(out, it)
	}
	return out
}

// recordsMost bounds how many lines of the ledger a detail looks through.
const recordsMost = 2000

func (p *portal) detailOf(r *http.Request, b *board) (detailView, error) {
	if b.chosen < 1 || b.chosen > len(b.run.Steps) {
		return detailView{}, refuse(dayone.ErrNotFound, textNoStep)
	}
	lines, err := p.flow.Records(r.Context(), flow.RecordFilter{Run: b.run.ID, Limit: recordsMost, Detail: true})
	if err != nil {
		return detailView{}, err
	}
	var records []dayone.Record
	for _, l := range slices.Backward(lines) {
		rec, err := flow.RecordOf(l)
		if err != nil {
			return detailView{}, err
		}
		records = append(records, rec)
	}
	v := b.detail(records)
	if v.Letter, err = p.letter(r, b); err != nil {
		return v, err
	}
	return v, p.callsInto(r, b, &v)
}

// decide carries out retry and skip.
func (p *portal) decide(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	number, err := p.decideStep(r.Context(), id, r.PathValue("number"), r.PathValue("verb"), r.PostForm.Get("reason"), me(r).Name)
	if err != nil {
		return err
	}
	http.Redirect(w, r, fmt.Sprintf("/runs/%s?step=%d&said=%s#step-detail", id, number, r.PathValue("verb")), http.StatusSeeOther)
	return nil
}

func (p *portal) decideStep(ctx context.Context, id dayone.RunID, number, verb, reason, by string) (int, error) {
	run, err := p.flow.RunOf(ctx, id)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(run.Steps) {
		return 0, refuse(dayone.ErrNotFound, textNoStep)
	}
	h := engine.Human{By: by, Verb: engine.Verb(verb), Reason: strings.TrimSpace(reason)}
	switch {
	case h.Verb != engine.Retry && h.Verb != engine.Skip:
		return 0, refuse(dayone.ErrNotFound, textNoVerb)
	case h.Verb == engine.Skip && h.Reason == "":
		return 0, refuse(dayone.ErrInvalid, textNoReason)
	}
	return n, p.flow.Decide(ctx, id, run.Steps[n-1].Step.ID, h)
}

// runs lists runs, newest first.
func (p *portal) runs(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := flow.RunFilter{Limit: pageSize + 1, Before: dayone.RunID(q.Get("before"))}
	show := q.Get("state")
	f.States = runStates[show]
	list, err := p.flow.Runs(r.Context(), f)
	if err != nil {
		return err
	}
	v := runsView{}
	if len(list) > pageSize {
		list = list[:pageSize]
		v.Next = "/runs?" + url.Values{"state": {show}, "before": {string(list[pageSize-1].ID)}}.Encode()
	}
	if v.Rows, err = p.runRows(r, list, 10); err != nil {
		return err
	}
	for _, t := range []struct{ id, text string }{{"", "All"}, {"open", "Under way"}, {"done", "Done"}, {"incomplete", "Incomplete"}} {
		href := "/runs"
		if t.id != "" {
			href += "?state=" + t.id
		}
		v.Tabs = append(v.Tabs, tab{Text: t.text, Href: href, Current: t.id == show})
	}
	v.First = f.Before == ""
	if len(v.Rows) == 0 {
		v.Empty = &empty{Icon: "play", Title: "No runs here", Text: "A run starts when a source says that somebody is hired, moves or leaves, or when the clock says so. Each shows its steps live.", Acts: []link{{"Choose a person", "/people"}}}
	}
	return p.show(w, r, http.StatusOK, page{Template: "runs", Title: "Runs", Nav: "runs", Crumbs: []link{{"Runs", ""}}, Main: v})
}

// pageSize is how many rows a list shows at once.
const pageSize = 50

var runStates = map[string][]dayone.RunState{
	"open":       {dayone.RunRunning, dayone.RunWaiting, dayone.RunUndoing, dayone.RunHeld},
	"done":       {dayone.RunDone, dayone.RunUndone},
	"incomplete": {dayone.RunIncomplete, dayone.RunUndoIncomplete},
}

func runsUnderWay(limit int) flow.RunFilter {
	return flow.RunFilter{States: runStates["open"], Limit: limit}
}

type runsView struct {
	Rows  []runRow
	Tabs  []tab
	Next  string
	First bool
	Empty *empty
}

type runRow struct {
	Title   link
	State   state
	Back    *link  // the undo that has taken it back
	Strip   *strip // of runs under way: theirs are few
	Steps   string
	Started *stamp
	Took    string
}

// runRows reads the steps of at most so many runs: their strips.
func (p *portal) runRows(r *http.Request, list []dayone.Run, strips int) ([]runRow, error) {
	view := p.viewerOf(r)
	gone, err := p.flow.TakenBack(r.Context(), list...)
	if err != nil {
		return nil, err
	}
	var looked []dayone.RunID // only its steps tell how long a superseded run worked and what became of them
	for i, run := range list {
		if i < strips || run.State == dayone.RunSuperseded {
			looked = append(looked, run.ID)
		}
	}
	boards, err := p.stripBoards(r.Context(), view, looked)
	if err != nil {
		return nil, err
	}
	out := make([]runRow, 0, len(list))
	for i, run := range list {
		row := runRow{Title: link{view.runTitle(run.Title), "/runs/" + string(run.ID)}, State: runState(run.State), Started: view.at(run.Started)}
		if run.State.Over() {
			row.Took = view.took(run.Ended.Sub(run.Started))
		} else {
			row.Took = view.say("%s so far", view.took(view.now.Sub(run.Started)))
		}
		if b := boards[run.ID]; b != nil {
			b.gone = gone[run.ID]
			row.State = b.state()
			if run.State == dayone.RunSuperseded {
				row.Took = view.took(workedFor(b.run))
			}
			if i < strips {
				row.Strip, row.Steps = b.strip()
			}
		}
		if back, is := gone[run.ID]; is {
			row.Back = &link{goneText(back), "/runs/" + string(back.By)}
			if back.Whole {
				row.State = runState(dayone.RunUndone)
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// stripBoards know enough of some runs to show each at a glance.
func (p *portal) stripBoards(ctx context.Context, view viewer, ids []dayone.RunID) (map[dayone.RunID]*board, error) {
	runs, err := p.flow.RunsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[dayone.RunID]*board, len(runs))
	for _, run := range runs {
		b := board{run: run, view: view}
		if b.next, b.where, err = p.carriedOn(ctx, run); err != nil {
			return nil, err
		}
		out[run.ID] = &b
	}
	return out, nil
}

// strip is a run at a glance.
func (b *board) strip() (*strip, string) {
	s, _ := newStrip(b.view, b.looks())
	done := 0
	for i := range b.run.Steps {
		done += btoi(b.finished(&b.run.Steps[i]))
	}
	return &s, b.view.say("%d of %d", done, len(b.run.Steps))
}

func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}
