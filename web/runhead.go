package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
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
		title := fmt.Sprintf("%s: %s", b.system(s.Step.Key.System), lowerFirst(b.title(s.Step)))
		it := item{State: &st, Title: link{title, b.detailHref(i)}}
		if s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There() {
			it.Meta = s.Wait.Note
			v.Quiet = append(v.Quiet, it)
			continue
		}
		if !human(s) {
			continue
		}
		switch s.State {
		case dayone.StepFailed, dayone.StepUndoFailed:
			what, next := failText(s.Kind, b.system(s.Step.Key.System))
			it.Meta, it.Next = what, next
			if n := b.blocks(s.Step.ID); n > 0 {
				it.Meta = what + fmt.Sprintf(" It blocks %d more.", n)
			}
			it.Acts = []act{{Text: "Retry", Action: b.path() + "/steps/" + strconv.Itoa(i+1) + "/" + string(engine.Retry)}}
		default:
			it.Meta, it.Next = s.Wait.Note, waitNext(s)
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
	small := fmt.Sprintf("of %d steps", total)
	if later > 0 {
		small = fmt.Sprintf("of %d steps, %d went on later", total, later)
	}
	v := headView{Figures: []figure{{Label: "State", State: &st}, {Label: "Done", Value: strconv.Itoa(done), Small: small}}}
	if b.run.State.Over() {
		v.Figures = append(v.Figures, figure{Label: "Took", Value: took(workedFor(b.run))}, figure{Label: "Ended", At: b.view.at(b.run.Ended)})
		return v
	}
	v.Figures = append(v.Figures, figure{ID: "run-for", Label: "Running for", Value: took(b.view.now.Sub(b.run.Started)), Quiet: true})
	f := b.finish()
	if !f.at.IsZero() {
		small := ""
		if f.early.Before(f.late) {
			small = fmt.Sprintf("%s to %s", b.view.clock(f.early).Text, b.view.clock(f.late).Text)
		}
		v.Figures = append(v.Figures, figure{Label: "Predicted finish", At: b.view.clock(f.at), Small: small})
	}
	if f.on > 0 {
		s := &b.run.Steps[f.on-1]
		_, st := stepState(s)
		v.Figures = append(v.Figures, figure{Label: "Finish depends on", Value: b.system(s.Step.Key.System), Small: lowerFirst(cmp.Or(f.why, st.Text)), Href: b.detailHref(f.on - 1)})
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
	at, early, late time.Time // zero: nobody can know
	on              int       // number of a step; 0: none
	why             string
	left            map[dayone.StepID]time.Duration // what each step still takes, when all are known
}

// finish looks for whom the run waits first; else for the longest way that is left.
func (b *board) finish() finish {
	var f finish
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
	if best >= 0 {
		f.on = best + 1
		return f
	}
	return b.predict()
}

// predict adds up what is left along needs: the elapsed part of what runs, the usual time of what has not begun.
func (b *board) predict() finish {
	n := len(b.run.Steps)
	f := finish{left: map[dayone.StepID]time.Duration{}}
	total, early, late := make([]time.Duration, n), make([]time.Duration, n), make([]time.Duration, n)
	first := make([]int, n) // where the longest way to a step begins
	end, known := -1, true
	for i := range b.run.Steps {
		s := &b.run.Steps[i]
		first[i] = i
		if s.State.Over() || s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There() {
			continue
		}
		var own [3]time.Duration
		p, ok := b.pace[paceKey(s.Step)]
		known = known && ok
		for k, d := range []time.Duration{p.Median, p.P10, p.P90} {
			own[k] = d
			if !s.Since.IsZero() {
				own[k] = max(0, d-b.view.now.Sub(s.Since))
			}
		}
		f.left[s.Step.ID] = own[0]
		if !ok {
			own = [3]time.Duration{time.Second, time.Second, time.Second} // only to compare ways with each other
		}
		for _, need := range s.Step.Needs {
			j, ok := b.index[need.Step]
			if !ok || j >= i || b.run.Steps[j].State.Over() {
				continue
			}
			if total[j] > total[i] || first[i] == i {
				total[i], first[i] = total[j], first[j]
			}
			early[i], late[i] = max(early[i], early[j]), max(late[i], late[j])
		}
		total[i], early[i], late[i] = total[i]+own[0], early[i]+own[1], late[i]+own[2]
		if end < 0 || total[i] > total[end] {
			end = i
		}
	}
	if end < 0 {
		return f
	}
	f.on = first[end] + 1
	if !known {
		f.left = nil
		return f
	}
	f.at, f.early, f.late = b.view.now.Add(total[end]), b.view.now.Add(early[end]), b.view.now.Add(late[end])
	return f
}

// legend counts states as the strip draws them.
func (b *board) legend() (strip, []tally) {
	s, key := newStrip(b.looks())
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
