package web

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// safeSVG is drawn by us: every text in it is escaped where it is written.
type safeSVG = template.HTML

// ganttView is the timeline.
type ganttView struct {
	SVG  safeSVG
	Gain string // up to 6 steps at once; 66 s of work in 21 s
	Note string
}

// Measures of the timeline, in pixels.
const (
	ganttWidth = 980
	ganttName  = 80  // room for the name of a system, which is bold
	ganttText  = 112 // where labels of rows begin
	ganttLeft  = 254 // where time begins; labels stand before it
	ganttRight = 974
	ganttRow   = 18
	ganttTop   = 40
	ganttLine  = 14 // between two lines of a title
	ganttBreak = 24 // between the two scales
)

// scale maps instants to x: one stretch, or two with a visible break, the first of what happened in seconds, the second
// of what is predicted or still waits.
type scale struct {
	start, mid, end time.Time // mid: where the first stretch ends; equal to end if there is one
	x1, x2          float64   // end of the first, begin of the second
}

func (s scale) broken() bool { return s.mid.Before(s.end) }

func (s scale) x(t time.Time) float64 {
	switch {
	case t.Before(s.start):
		return ganttLeft
	case !t.After(s.mid):
		return ganttLeft + ratio(t.Sub(s.start), s.mid.Sub(s.start))*(s.x1-ganttLeft)
	case t.After(s.end):
		return ganttRight
	default:
		return s.x2 + ratio(t.Sub(s.mid), s.end.Sub(s.mid))*(ganttRight-s.x2)
	}
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// scaleOf finds the stretches: what happened is not squeezed by what is far away.
func scaleOf(start, busy, now, end time.Time) scale {
	busy = busy.Add(max(busy.Sub(start)*15/100, 100*time.Millisecond))
	end = latest(end, now)
	if end.Before(busy) {
		end = busy
	}
	if end.Sub(start) <= 10*busy.Sub(start) {
		return scale{start: start, mid: end, end: end, x1: ganttRight, x2: ganttRight}
	}
	x1 := ganttLeft + (ganttRight-ganttLeft)*0.68
	return scale{start: start, mid: busy, end: end.Add(end.Sub(busy) / 20), x1: x1, x2: x1 + ganttBreak}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bar is one row.
type bar struct {
	step     *dayone.StepRun
	label    string
	critical bool
	from, to time.Time // what happened; zero: nothing yet
	until    time.Time // predicted
	look     planner.Look
	state    string
	note     string
}

type ganttGroup struct {
	title string
	bars  []*bar
}

func (g ganttGroup) lines() []string { return planner.Wrap(g.title, ganttName) }

// height has room for every row, and for the lines of the title.
func (g ganttGroup) height() float64 {
	return max(float64(len(g.bars))*ganttRow, float64(len(g.lines()))*ganttLine+4) + 4
}

// timeline draws when each step ran: rows by system in the order of the picture.
func (b *board) timeline() ganttView {
	r := b.run
	now := b.view.now
	if r.State.Over() && !r.Ended.IsZero() {
		now = r.Ended
	}
	f := b.finish()
	groups, busy, all := b.bars(now, f)
	end := now
	for _, g := range groups {
		for _, bar := range g.bars {
			end = latest(end, bar.until)
		}
	}
	s := scaleOf(r.Started, busy, now, end)
	drawing := gantt{scale: s, view: b.view, now: now, over: r.State.Over(), note: b.system}
	v := ganttView{SVG: safeSVG(drawing.draw(groups)), Gain: b.view.gain(all, r.Started, busy)}
	v.Note = "Solid: happened. Hollow: already so, waiting, skipped, or undone. Gap: a new attempt. Triangle: critical path."
	if !f.at.IsZero() {
		v.Note = "Solid: happened. Hollow: already so, waiting, skipped, or undone. Dashed: predicted from earlier runs. Gap: a new attempt. Triangle: critical path."
	}
	return v
}

type interval struct{ from, to time.Time }

// worked is when a system worked for a step: what a wait took is nobody's work.
func worked(s *dayone.StepRun) interval {
	if !s.Waited.IsZero() {
		return interval{s.Since, latest(s.Since, s.Waited)}
	}
	return interval{s.Since, s.Ended}
}

// bars lays out rows; busy is the last instant at which a system worked for us, all what they worked.
func (b *board) bars(now time.Time, f finish) (groups []ganttGroup, busy time.Time, all []interval) {
	busy = b.run.Started
	begins := b.begins(now, f)
	at := map[string]int{}
	folded := b.folded()
	spans := map[string]*bar{} // rows of folded cells, by their nodes
	for _, i := range b.order() {
		s := &b.run.Steps[i]
		title := b.system(s.Step.Key.System)
		switch {
		case s.Of != "":
			title = b.view.label("Taken back")
		case s.Step.Action == dayone.MessageSend:
			title = b.view.label("Messages")
		}
		g, ok := at[title]
		if !ok {
			g = len(groups)
			at[title] = g
			groups = append(groups, ganttGroup{title: title})
		}
		look, st := b.stateOf(s)
		if _, ok := b.where[s.Step.ID]; ok {
			look = planner.LookAlready // what happened here was waiting
		} else if b.abandoned(s) {
			st.Text = "Given up"
		}
		row := bar{step: s, label: b.ganttLabel(s.Step), critical: slices.Contains(b.graph.Critical, s.Step.ID), look: look, state: b.view.heard(st.Text)}
		if !s.Since.IsZero() {
			row.from, row.to = s.Since, s.Ended
			w := worked(s)
			switch {
			case s.State == dayone.StepRunning, s.State == dayone.StepRetrying:
				row.to, w.to = now, now
			case s.State == dayone.StepWaiting:
				row.to = now
			}
			busy = latest(busy, w.to)
			all = append(all, w)
		}
		row.note = b.ganttNote(s, look)
		if at, ok := begins[s.Step.ID]; ok {
			row.until = at.Add(f.left[s.Step.ID])
			if row.from.IsZero() {
				row.from, row.to = at, at
			}
		}
		n, isFolded := folded[s.Step.ID]
		if !isFolded {
			groups[g].bars = append(groups[g].bars, &row)
			continue
		}
		if spans[n.ID] == nil {
			mark := n.Worst(b.marks())
			row.label, row.look, row.state, row.note = n.Label, mark.Look, mark.Text, ""
			spans[n.ID] = &row
			groups[g].bars = append(groups[g].bars, &row)
			continue
		}
		spans[n.ID].span(row)
	}
	return groups, busy, all
}

// folded are the steps that the picture shows in one node with others: they share a row here, too.
func (b *board) folded() map[dayone.StepID]planner.Node {
	out := map[dayone.StepID]planner.Node{}
	for _, n := range b.graph.Nodes {
		if n.Number == 0 {
			for _, id := range n.Steps {
				out[id] = n
			}
		}
	}
	return out
}

// span widens a row over one more step.
func (r *bar) span(o bar) {
	r.critical = r.critical || o.critical
	r.until = latest(r.until, o.until)
	if o.from.IsZero() {
		return
	}
	if r.from.IsZero() || o.from.Before(r.from) {
		r.from = o.from
	}
	r.to = latest(r.to, o.to)
}

// begins predicts when what is left begins.
func (b *board) begins(now time.Time, f finish) map[dayone.StepID]time.Time {
	if f.at.IsZero() {
		return nil
	}
	out := map[dayone.StepID]time.Time{}
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		if _, ok := f.left[s.Step.ID]; !ok {
			continue
		}
		at := now
		for _, n := range s.Step.Needs {
			if begin, ok := out[n.Step]; ok {
				at = latest(at, begin.Add(f.left[n.Step]))
			}
		}
		out[s.Step.ID] = at
	}
	return out
}

func (b *board) ganttLabel(s dayone.Step) string {
	switch {
	case s.Key.Name != "":
		return s.Key.Name
	case s.Key.IsAccount() && s.Key.As != dayone.Personal:
		return b.view.heard(string(s.Key.As) + " account")
	default:
		return b.view.label(s.Key.Kind)
	}
}

// ganttNote is said only of what is not plain.
func (b *board) ganttNote(s *dayone.StepRun, look planner.Look) string {
	if c, ok := b.where[s.Step.ID]; ok {
		return c.link(b.view).Text
	}
	switch {
	case look == planner.LookAlready:
		return b.view.label("already so")
	case look == planner.LookFailed:
		return b.view.label("failed")
	case look == planner.LookBlocked:
		return b.view.say("blocked %s", b.blockedBy(s))
	case b.abandoned(s):
		return b.view.label("given up")
	case look == planner.LookSkipped:
		return b.view.label("skipped")
	case s.State == dayone.StepWaiting && s.Wait != nil:
		return b.view.within(b.view.label(waitTexts[s.Wait.Kind].text))
	case s.Attempt > 1 && s.Waited.IsZero():
		return b.view.say("%d attempts", s.Attempt+btoi(s.State == dayone.StepRetrying))
	}
	return ""
}

// gain says what running side by side has brought.
func (v viewer) gain(all []interval, start, busy time.Time) string {
	var work time.Duration
	most := 0
	for _, a := range all {
		work += a.to.Sub(a.from)
		at := 0
		for _, o := range all {
			if !o.from.After(a.from) && o.to.After(a.from) {
				at++
			}
		}
		most = max(most, at)
	}
	if most < 2 || busy.Sub(start) <= 0 {
		return ""
	}
	return v.say("up to %d steps at once; %s of work in %s", most, v.took(work), v.took(busy.Sub(start)))
}

// gantt draws.
type gantt struct {
	scale scale
	view  viewer
	now   time.Time
	over  bool
	note  func(string) string
	b     strings.Builder
}

func (g *gantt) put(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

func (g *gantt) draw(groups []ganttGroup) string {
	height := ganttTop + 4.0
	for _, gr := range groups {
		height += gr.height()
	}
	g.b.Reset()
	g.put(`<svg class="gantt" width="%d" height="%s" viewBox="0 0 %d %s" role="img" aria-label="%s">`, ganttWidth, px(height), ganttWidth, px(height), html.EscapeString(g.view.label("Timeline of the run. The list of steps below says the same in words.")))
	g.ticks(height)
	y := float64(ganttTop)
	for i, gr := range groups {
		h := gr.height()
		if i%2 == 0 {
			g.put(`<rect class="row-alt" x="0" y="%s" width="%d" height="%s"/>`, px(y), ganttWidth, px(h))
		}
		for n, line := range gr.lines() {
			g.put(`<text class="group-t" x="8" y="%s">%s</text>`, px(y+15+float64(n)*ganttLine), html.EscapeString(line))
		}
		for n, row := range gr.bars {
			g.bar(row, y+2+float64(n)*ganttRow)
		}
		y += h
	}
	if g.scale.broken() {
		g.put(`<rect class="break" x="%s" y="28" width="12" height="%s"/>`, px(g.scale.x1+(ganttBreak-12)/2), px(height-28))
	}
	if !g.over {
		x := g.scale.x(g.now)
		g.put(`<path class="now" d="M%s 28V%s"/><text class="now-t" x="%s" y="10" text-anchor="middle">%s</text>`, px(x), px(height), px(min(x, ganttWidth-16)), html.EscapeString(g.view.label("now")))
	}
	g.b.WriteString("</svg>")
	return g.b.String()
}

// noteWidth is how much of a line a note may take.
const noteWidth, noteLeast = 240, 90

func (g *gantt) bar(row *bar, y float64) {
	g.put(`<text x="%d" y="%s">%s</text>`, ganttText, px(y+13), html.EscapeString(planner.Cut(row.label, ganttLeft-ganttText-18)))
	if row.critical {
		g.put(`<path class="crit" d="M%d %sl6 4-6 4z"><title>%s</title></path>`, ganttLeft-11, px(y+5), html.EscapeString(g.view.label("On the critical path")))
	}
	from, at := float64(ganttLeft), float64(ganttLeft)
	if !row.from.IsZero() {
		x, to := g.scale.x(row.from), g.scale.x(row.to)
		w := max(to-x, 3)
		from, at = x, x+w
		if class := barClass(row.look); class != "" {
			g.put(`<rect class="%s" x="%s" y="%s" width="%s" height="10" rx="1.5"><title>%s: %s, %s</title></rect>`,
				class, px(x), px(y+4), px(w), html.EscapeString(row.label), html.EscapeString(row.state), g.view.took(row.to.Sub(row.from)))
			if s := row.step; row.note != "" && s.Attempt > 1 && s.Started.After(s.Since) {
				g.put(`<rect class="b-retry" x="%s" y="%s" width="2" height="10"/>`, px(g.scale.x(s.Started)), px(y+4))
			}
		}
		if row.until.After(row.to) {
			x = g.scale.x(row.to)
			w = max(g.scale.x(row.until)-x, 3)
			at = x + w
			g.put(`<rect class="b-p" x="%s" y="%s" width="%s" height="10"/>`, px(x), px(y+4), px(w))
		}
	}
	if row.note == "" {
		return
	}
	after, before := ganttWidth-at-8, from-ganttLeft-6
	if room := min(noteWidth, max(after, before)); room < noteLeast && planner.Cut(row.note, room) != row.note {
		return // a word or less tells nothing; the table beside says it
	}
	if after > noteWidth || after >= before {
		g.put(`<text class="note" x="%s" y="%s">%s</text>`, px(at+6), px(y+13), html.EscapeString(planner.Cut(row.note, min(noteWidth, after))))
	} else { // a bar that ends late has its room before it
		g.put(`<text class="note" x="%s" y="%s" text-anchor="end">%s</text>`, px(from-6), px(y+13), html.EscapeString(planner.Cut(row.note, min(noteWidth, before))))
	}
}

// barClass is how what happened is filled; "" for what has not begun.
func barClass(l planner.Look) string {
	switch l {
	case planner.LookDone:
		return "b-d"
	case planner.LookAlready, planner.LookUndone, planner.LookSkipped:
		return "b-a"
	case planner.LookRunning:
		return "b-r"
	case planner.LookFailed:
		return "b-f"
	case planner.LookWaiting, planner.LookTask, planner.LookFirstLogin, planner.LookApproval:
		return "b-w"
	default:
		return ""
	}
}

// ticks rule the scales in steps of 1, 2 or 5.
func (g *gantt) ticks(height float64) {
	s := g.scale
	step := tickStep(s.mid.Sub(s.start), s.x1-ganttLeft)
	for d := time.Duration(0); d <= s.mid.Sub(s.start); d += step {
		g.tick(s.x(s.start.Add(d)), g.view.in.Point(tickText(d)), height)
	}
	if !s.broken() {
		return
	}
	step = tickStep(s.end.Sub(s.mid), ganttRight-s.x2)
	from := s.mid.Sub(s.start)
	for d := from.Truncate(step) + step; d <= s.end.Sub(s.start); d += step {
		if x := s.x(s.start.Add(d)); x < ganttRight-8 {
			g.tick(x, g.view.in.Point(tickText(d)), height)
		}
	}
}

func (g *gantt) tick(x float64, text string, height float64) {
	g.put(`<path class="rule" d="M%s 30V%s"/><text class="tick" x="%s" y="24" text-anchor="middle">%s</text>`, px(x), px(height), px(min(x, ganttWidth-16)), text)
}

// tickStep is the first of 1, 2, 5 times a unit that leaves at least 56 px between two ticks.
func tickStep(span time.Duration, width float64) time.Duration {
	least := float64(span) * 56 / max(width, 1)
	for _, unit := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour, 240 * time.Hour} {
		for _, k := range []time.Duration{1, 2, 5} {
			if d := k * unit; float64(d) >= least && (unit != 10*time.Second || k < 5) && (unit != 10*time.Minute || k < 5) {
				return d
			}
		}
	}
	return time.Duration(math.Ceil(least/float64(2400*time.Hour))) * 2400 * time.Hour
}

func tickText(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d < time.Second || d < 10*time.Second && d%time.Second != 0:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return unit(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return unit(d, time.Hour, "h", time.Minute, "min")
	default:
		return unit(d, 24*time.Hour, "d", time.Hour, "h")
	}
}

// px writes a coordinate.
func px(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10+0, 'f', -1, 64) }
