package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// pageTeller speaks HTML: rows, nodes and figures that swap themselves into the page.
type pageTeller struct {
	p     *portal
	id    dayone.RunID
	board *board
	lets  *lets // what whoever looks may do
	mem   memory
	known bool   // the reader's memory fits
	head  string // what was sent of the figures, without the clock
	needs string // and of what waits for people
	acts  string // what the page offers to decide
	lost  string // steps from which nothing comes any more
	gantt bool   // something has moved since the timeline was drawn

	menu    func() []menuCount // how much waits for whoever looks
	shown   []menuCount        // as they were sent
	counted time.Time
	moved   bool // something has moved since they were counted
}

// countEvery is how often the menu of a live page is counted again while something moves.
const countEvery = 3 * time.Second

// runLive is the stream of a run's page.
func (p *portal) runLive(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	b, err := p.board(r, id)
	if err != nil {
		return err
	}
	t := &pageTeller{
		p: p, id: id, board: b, acts: r.URL.Query().Get("acts"), lets: p.letsOf(r),
		menu: func() []menuCount { return menuCounts(p.menu(r, "runs")) }, counted: p.flow.Now(),
	}
	t.mem, t.known = b.remember(lastSeen(r))
	return p.follow(w, r, id, t)
}

// lastSeen is what the reader remembers: of the last event before its connection broke, or of the page it has loaded.
func lastSeen(r *http.Request) string {
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		return last
	}
	return r.URL.Query().Get("seen")
}

// look reads the run again. Layout is kept: places do not change.
func (t *pageTeller) look(ctx context.Context) error {
	run, err := t.p.flow.RunOf(ctx, t.id)
	if err != nil {
		return err
	}
	b := *t.board
	b.run, b.view.now = run, t.p.flow.Now()
	if b.asked, err = t.p.askedFor(ctx, &b.run); err != nil {
		return err
	}
	if b.tasks, err = t.p.tasksOf(ctx, t.id); err != nil {
		return err
	}
	if len(run.Steps) == len(t.board.run.Steps) {
		t.board = &b
		return nil
	}
	t.board = newBoard(b) // the way back has been added
	t.mem, t.known = t.board.remember("")
	return nil
}

func (t *pageTeller) tell(ctx context.Context, s *stream) (bool, error) {
	if err := t.look(ctx); err != nil {
		return false, err
	}
	b := t.board
	list := b.changed(t.mem)
	t.gantt = t.gantt || len(list) > 0
	whole := !t.known || b.show != "" && len(list) > 0 // a list that is filtered changes as a whole
	if whole {
		t.mem, t.known = b.seen(), true
		if err := t.send(s, "run", "live-steps", b.steps(), t.mem.String()); err != nil {
			return false, err
		}
	}
	look := b.liveLook()
	for _, i := range list {
		b.note(t.mem, i)
		if err := t.step(s, i, look, !whole); err != nil {
			return false, err
		}
	}
	if err := t.around(s, t.newlyLost()); err != nil {
		return false, err
	}
	t.moved = true
	if err := t.counts(s, b.run.State.Over()); err != nil {
		return false, err
	}
	if !b.run.State.Over() {
		return false, nil
	}
	if err := t.timeline(s); err != nil {
		return false, err
	}
	return true, s.event("over", t.mem.String(), "over")
}

// counts follow what a run does: what waits for somebody stands in the menu as well. While nothing moves nothing is counted.
func (t *pageTeller) counts(s *stream, last bool) error {
	now := t.p.flow.Now()
	if !t.moved || !last && now.Sub(t.counted) < countEvery {
		return nil
	}
	t.moved, t.counted = false, now
	list := t.menu()
	if slices.Equal(list, t.shown) {
		return nil
	}
	t.shown = list
	return t.send(s, "run", "live-counts", list, "")
}

// liveLook is what every step's event needs, made once for all of them.
type liveLook struct {
	states map[dayone.StepID]planner.Mark
	nodes  map[dayone.StepID]planner.Node
	groups map[int]groupView // by number of the step
}

func (b *board) liveLook() liveLook {
	l := liveLook{states: b.marks(), nodes: map[dayone.StepID]planner.Node{}, groups: map[int]groupView{}}
	for _, n := range b.graph.Nodes {
		for _, id := range n.Steps {
			l.nodes[id] = n
		}
	}
	for _, g := range b.steps().Groups {
		for _, row := range g.Rows {
			l.groups[row.Number] = g
		}
	}
	return l
}

// step sends one changed step: its row, its node, and word for whoever has its detail open.
func (t *pageTeller) step(s *stream, i int, l liveLook, withRow bool) error {
	var data struct {
		Row   *stepView
		Node  safeSVG
		Group groupView
	}
	if withRow {
		row := t.board.row(i)
		data.Row, data.Group = &row, l.groups[i+1]
	}
	if n, ok := l.nodes[t.board.run.Steps[i].Step.ID]; ok {
		data.Node = safeSVG(strings.Replace(n.SVG(l.states), "<a ", `<a hx-swap-oob="true" `, 1))
	}
	if err := t.send(s, "step", "live-step", data, t.mem.String()); err != nil {
		return err
	}
	return s.event("step-"+strconv.Itoa(i+1), "", strconv.Itoa(i+1))
}

// newlyLost says that steps failed or recovered: then lines of the picture change, not only its nodes.
func (t *pageTeller) newlyLost() bool {
	lost := ""
	for i := range t.board.run.Steps {
		if s := t.board.run.Steps[i].State; s == dayone.StepFailed || s == dayone.StepBlocked {
			lost += strconv.Itoa(i) + " "
		}
	}
	was := t.lost
	t.lost = lost
	return was != lost
}

// around sends what stands around the steps, as far as it reads otherwise than before.
func (t *pageTeller) around(s *stream, picture bool) error {
	b := t.board
	head := b.head()
	text := fmt.Sprintf("%s %s", b.run.State, headText(head))
	if text != t.head {
		t.head = text
		if err := t.send(s, "run", "live-head", head, ""); err != nil {
			return err
		}
		var legend struct {
			Strip strip
			Key   []tally
		}
		legend.Strip, legend.Key = b.legend()
		if err := t.send(s, "run", "live-legend", legend, ""); err != nil {
			return err
		}
		beside := struct {
			Seg      []tab
			Messages []item
		}{b.steps().Seg, b.messages()}
		if err := t.send(s, "run", "live-around", beside, ""); err != nil {
			return err
		}
	}
	needs, err := t.html("live-needs", b.needs())
	if err != nil {
		return err
	}
	if needs != t.needs {
		t.needs = needs
		if err := s.event("run", "", needs); err != nil {
			return err
		}
	}
	if acts := b.offers(); acts != t.acts { // else a reason that somebody is writing would be lost
		t.acts = acts
		offered := struct {
			Undo string
			Acts []decision
		}{b.undoAt(), b.decisions()}
		if err := t.send(s, "run", "live-acts", offered, ""); err != nil {
			return err
		}
	}
	if picture {
		return t.send(s, "run", "live-graph", b.picture(), "")
	}
	return nil
}

// headText is what the head says besides how long it has taken: that is told apart, and not read aloud.
func headText(h headView) string {
	var b strings.Builder
	for _, f := range h.Figures {
		if !f.Quiet {
			fmt.Fprintf(&b, "%s=%s %s;", f.Label, f.Value, f.Small)
		}
	}
	return b.String()
}

// pass lets time go on: the timeline each second while something moves, the clock now and then while nothing does.
func (t *pageTeller) pass(_ context.Context, s *stream, long bool) error {
	t.board.view.now = t.p.flow.Now()
	if err := t.counts(s, false); err != nil {
		return err
	}
	moving := t.board.run.State == dayone.RunRunning || t.board.run.State == dayone.RunUndoing
	if t.gantt || moving || long {
		t.gantt = false
		if err := t.timeline(s); err != nil {
			return err
		}
		return t.send(s, "run", "live-clock", t.board.view.took(t.board.view.now.Sub(t.board.run.Started)), "")
	}
	return nil
}

func (t *pageTeller) timeline(s *stream) error {
	return t.send(s, "run", "live-gantt", t.board.timeline(), "")
}

func (t *pageTeller) send(s *stream, event, part string, data any, id string) error {
	html, err := t.html(part, data)
	if err != nil {
		return err
	}
	return s.event(event, id, html)
}

func (t *pageTeller) html(part string, data any) (string, error) {
	html, err := t.p.view.in(t.board.view.in).html(part, data)
	return string(t.lets.only([]byte(html))), err
}
