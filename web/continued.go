package web

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// continued is where a step went on that a superseded run gave up.
type continued struct {
	run    dayone.Run // without its steps
	number int
	step   dayone.StepRun
}

// lookLater is a step that went on in a later run: a strip shows it in a shape of its own.
const lookLater planner.Look = "later"

// continuedMost bounds how many runs are looked through for one step: each was superseded by the next.
const continuedMost = 20

// carriedOn follows a superseded run to those that came after it. next is the one right after it, or nil; where has the
// steps that were given up and that a later run planned again. Steps are the same by the grant they bring about: one that
// takes what the other was to give is no continuation.
func (p *portal) carriedOn(ctx context.Context, run dayone.Run) (next *dayone.Run, where map[dayone.StepID]continued, err error) {
	if run.State != dayone.RunSuperseded {
		return nil, nil, nil
	}
	var open []dayone.Step
	for i := range run.Steps {
		if s := &run.Steps[i]; s.Of == "" && givenUp(s) {
			open = append(open, s.Step)
		}
	}
	where = map[dayone.StepID]continued{}
	at := run
	for range continuedMost {
		head, err := p.flow.Next(ctx, at)
		if errors.Is(err, dayone.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if next == nil {
			next = &head
		}
		if at, err = p.flow.RunOf(ctx, head.ID); err != nil {
			return nil, nil, err
		}
		open = slices.DeleteFunc(open, func(s dayone.Step) bool {
			i := slices.IndexFunc(at.Steps, func(o dayone.StepRun) bool {
				return o.Of == "" && o.Step.Once == s.Once && o.Step.Action.Takes() == s.Action.Takes()
			})
			if i < 0 {
				return true
			}
			where[s.ID] = continued{head, i + 1, at.Steps[i]}
			return at.State != dayone.RunSuperseded || !givenUp(&at.Steps[i])
		})
		if len(open) == 0 || at.State != dayone.RunSuperseded {
			break
		}
	}
	return next, where, nil
}

// givenUp: a superseded run did not bring it about.
func givenUp(s *dayone.StepRun) bool {
	switch s.State {
	case dayone.StepSkipped, dayone.StepFailed, dayone.StepBlocked:
		return true
	}
	return false
}

func (c continued) href() string {
	return fmt.Sprintf("/runs/%s?step=%d#step-detail", c.run.ID, c.number)
}

// link says in which run it went on, and whether it got there.
func (c continued) link(view viewer) *link {
	text := "goes on in %s"
	switch {
	case c.step.State == dayone.StepDone:
		text = "confirmed later in %s"
	case c.step.State.Over():
		text = "went on in %s"
	}
	return &link{view.say(text, view.runTitle(c.run.Title)), c.href()}
}

// stateOf is a step's state; of one that went on elsewhere, what came of it there.
func (b *board) stateOf(s *dayone.StepRun) (planner.Look, state) {
	c, ok := b.where[s.Step.ID]
	if !ok && b.undone(s) {
		return planner.LookUndone, runState(dayone.RunUndone)
	}
	if !ok {
		look, st := stepState(s)
		if b.abandoned(s) {
			st.Text = "Given up"
		}
		return look, st
	}
	look, st := stepState(&c.step)
	if c.step.State == dayone.StepDone {
		st.Text = "Confirmed later"
	}
	return look, st
}

// state is how the run stands. One that another took over has not failed: it was continued.
func (b *board) state() state {
	if b.gone.Whole {
		return runState(dayone.RunUndone)
	}
	if b.run.State == dayone.RunSuperseded && len(b.where) > 0 {
		return state{Icon: "skip", Text: "Continued"}
	}
	if b.run.State == dayone.RunSuperseded && b.nothingDone() {
		return state{Icon: "skip", Text: "Given up"}
	}
	return runState(b.run.State)
}

// nothingDone says that no step of the run came to be done, here or in a later run.
func (b *board) nothingDone() bool {
	return !slices.ContainsFunc(b.run.Steps, func(s dayone.StepRun) bool { return s.State == dayone.StepDone || s.State == dayone.StepUndone })
}

// undone says that a later run took back what a step had done.
func (b *board) undone(s *dayone.StepRun) bool {
	return s.State == dayone.StepDone && b.gone.Steps[s.Step.ID]
}

// takeover says which run took over; nil: this one was not superseded, or nothing came after it.
func (b *board) takeover() *notice {
	if b.next == nil {
		return nil
	}
	n := notice{Icon: "info", Title: b.view.say("It went on in: %s", b.view.runTitle(b.next.Title)), Act: &link{"Open that run", "/runs/" + string(b.next.ID)}}
	switch {
	case len(b.where) > 0:
		n.Text = plural(len(b.where), "What was wanted had changed while 1 step was open, so a newer run took that step over.", "What was wanted had changed while %d steps were open, so a newer run took these steps over.")
	default:
		n.Title = b.view.say("It was followed by: %s", b.view.runTitle(b.next.Title))
		n.Text = "What was wanted had changed, so what had not ended here was given up."
	}
	return &n
}
