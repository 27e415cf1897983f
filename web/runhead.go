package web

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

// needs is what waits for people: failures and waits, each with what to do.
func (b *board) needs() needsView {
	v := needsView{Over: b.run.State.Over()}
	for _, i := range b.order() {
		s := &b.run.Steps[i]
		if _, ok := b.where[s.Step.ID]; ok {
			continue // it is no longer decided here
		}
		_, st := stepState(s)
		title := b.stepAt(s.Step)
		it := item{State: &st, Title: link{title, b.detailHref(i)}}
		if s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There() {
			it.Meta = sentence(b.waitNote(s))
			v.Quiet = append(v.Quiet, it)
			continue
		}
		if !b.waitsForUs(s) {
			continue
		}
		switch s.State {
		case dayone.StepFailed, dayone.StepUndoFailed:
			what, next := b.view.failText(s.Kind, b.system(s.Step.Key.System))
			it.Meta, it.Next = what, next
			if n := b.blocks(s.Step.ID); n > 0 {
				it.Meta = b.view.heard(what) + " " + b.view.say("It blocks %d more.", n)
			}
			it.Acts = []act{{Text: "Retry", Action: b.path() + "/steps/" + strconv.Itoa(i+1) + "/" + string(engine.Retry)}}
		default:
			it.Meta, it.Next = sentence(b.waitNote(s)), joined(" ", b.view.label(waitNext(s)), b.heldUp(i))
			if id, ok := b.tasks[s.Step.ID]; ok {
				it.Open = &link{"Open task", "/tasks/" + string(id)}
			}
			if id, ok := b.asked[s.Step.ID]; ok && s.Wait.Kind == dayone.WaitApproval {
				it.Open = &link{"Open approval", "/approvals/" + string(id)}
			}
		}
		v.Items = append(v.Items, it)
	}
	return v
}

// waitsForUs says that somebody has to act on a step, and can: what failed in a run that is over is tried again only if the run ended
// incomplete, which is what the run machine takes.
func (b *board) waitsForUs(s *dayone.StepRun) bool { return human(s) && b.mends() }

func (b *board) mends() bool { return !b.run.State.Over() || b.run.State == dayone.RunIncomplete }

// stepAt is a step with the system that it is done in.
func (b *board) stepAt(s dayone.Step) string {
	return fmt.Sprintf("%s: %s", b.system(s.Key.System), b.view.within(b.title(s)))
}

// blocks counts what a failed step keeps from happening, however far away.
func (b *board) blocks(id dayone.StepID) int {
	held := map[dayone.StepID]bool{id: true}
	n := 0
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		if s.State != dayone.StepBlocked {
			continue
		}
		for _, need := range s.Step.Needs {
			if held[need.Step] && need.When == dayone.Done {
				held[s.Step.ID] = true
				n++
				break
			}
		}
	}
	return n
}

// head is the figures: where it is, when it is done, on what that hangs.
func (b *board) head() headView {
	st := b.state()
	done, later, total := 0, 0, len(b.run.Steps)
	for i := range b.run.Steps {
		if _, ok := b.where[b.run.Steps[i].Step.ID]; ok {
			later++
			continue
		}
		done += btoi(b.finished(&b.run.Steps[i]))
	}
	small := b.view.plural(total, "of 1 step", "of %d steps")
	if later > 0 {
		small = b.view.say("of %d steps, %d went on later", total, later)
	}
	back := ""
	if b.gone.By != "" && !b.gone.Whole {
		back = b.view.within(b.view.label(goneText(b.gone)))
	}
	v := headView{Figures: []figure{{Label: "State", State: &st, Small: back}, {Label: "Done", Value: b.view.number(done), Small: small}}}
	if b.run.State.Over() {
		v.Figures = append(v.Figures, figure{Label: "Took", Value: b.view.took(workedFor(b.run))}, figure{Label: "Ended", At: b.view.at(b.run.Ended)})
		return v
	}
	v.Figures = append(v.Figures, figure{ID: "run-for", Label: "Running for", Value: b.view.took(b.view.now.Sub(b.run.Started)), Quiet: true})
	f := b.finish()
	if !f.at.IsZero() {
		small := ""
		switch {
		case len(f.without) > 0:
			small = b.view.say("without the wait for %s", b.waitsFor(f.without))
		case f.early.Before(f.late):
			small = b.view.say("%s to %s", b.view.clock(f.early).Text, b.view.clock(f.late).Text)
		}
		v.Figures = append(v.Figures, figure{Label: "Ready by about", At: b.view.clock(f.at), Small: small})
	}
	if f.on > 0 {
		s := &b.run.Steps[f.on-1]
		_, st := stepState(s)
		v.Figures = append(v.Figures, figure{Label: "Finish depends on", Value: b.system(s.Step.Key.System), Small: b.view.within(b.view.heard(st.Text)), Href: b.detailHref(f.on - 1)})
	}
	return v
}

// workedFor is how long a run took. One that was superseded had nothing left to do but to wait: its work counts.
func workedFor(run dayone.Run) time.Duration {
	if run.State != dayone.RunSuperseded {
		return run.Ended.Sub(run.Started)
	}
	busy := run.Started
	for i := range run.Steps {
		if w := worked(&run.Steps[i]); !w.from.IsZero() {
			busy = latest(busy, w.to)
		}
	}
	return busy.Sub(run.Started)
}

// finish is when a run will be over, as far as its past tells, and the step on which that hangs.
type finish struct {
	at, early, late time.Time                       // zero: nobody can know
	on              int                             // number of a step; 0: none
	without         []int                           // numbers of steps whose wait has no end that anybody knows
	left            map[dayone.StepID]time.Duration // what each step still takes, when all are known
}

// finish hangs on whom the run waits for first; else on the longest way that is left.
func (b *board) finish() finish {
	x := b.foresee()
	f := finish{at: x.At, early: x.Early, late: x.Late, on: x.On, without: x.Without, left: x.Left}
	holds := make([]int, len(b.run.Steps)) // how many steps hang on it
	for i := range b.run.Steps {
		for _, n := range b.run.Steps[i].Step.Needs {
			if j, ok := b.index[n.Step]; ok && n.When == dayone.Done && !b.run.Steps[i].State.Over() {
				holds[j]++
			}
		}
	}
	best := -1
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		if human(s) && s.State == dayone.StepWaiting && (best < 0 || holds[i] > holds[best]) {
			best = i
		}
	}
	if best >= 0 { // when what follows it begins nobody knows
		f.on, f.left = best+1, nil
	}
	return f
}

func (b *board) foresee() engine.Forecast {
	return engine.Foresee(b.run, b.view.now, func(s dayone.Step) (flow.Pace, bool) {
		p, ok := b.pace[paceKey(s)]
		return p, ok
	})
}

// waitsFor names what a prediction leaves out: two of them, and how many more there are.
func (b *board) waitsFor(numbers []int) string {
	var names []string
	for _, n := range numbers {
		if name := b.system(b.run.Steps[n-1].Step.Key.System); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - 2; more > 0 {
		names = append(names[:2], b.view.say("%d more", more))
	}
	return b.view.list(names)
}

// listed is the same in English.
func listed(names []string) string { return viewer{}.list(names) }

// legend counts states as the strip draws them.
func (b *board) legend() (strip, []tally) {
	s, key := newStrip(b.view, b.looks())
	s.Label = "" // the key beside it says it in words
	return s, key
}

// graphView is the picture of the plan.
type graphView struct {
	SVG    safeSVG
	Width  int
	Folded bool
	Unfold *link
	Path   bool // a critical path is drawn
}

func (b *board) picture() graphView {
	v := graphView{SVG: safeSVG(planner.SVG(b.graph, b.marks())), Folded: slices.ContainsFunc(b.graph.Nodes, func(n planner.Node) bool { return n.Number == 0 }), Path: len(b.graph.Critical) > 0}
	if len(b.open) > 0 {
		v.Unfold = &link{"Fold all", b.path() + "#run-graph"}
	}
	return v
}
