package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Where a run stands after each event: what is ready, which messages go, how it ends.

// settle makes ready what can start, lets messages go or drops them, and says where the run stands.
func (m *machine) settle() {
	r := m.run
	if r.State == dayone.RunUndoing && m.ev.What == Answer {
		m.inverses()
	}
	if r.Ending != "" {
		m.finishEnding()
		return
	}
	if r.State == dayone.RunHeld {
		return // whatever is ready is still so when it goes on
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		switch {
		case (s.State == dayone.StepPending || s.State == dayone.StepBlocked) && !m.led(s):
			m.unneeded(s, i)
		case s.State == dayone.StepPending && asks(s):
			if m.met(s) == nil {
				m.ask(s, i)
			}
		case s.State == dayone.StepPending && m.met(s) == nil:
			if len(s.Step.On) > 0 && !slices.ContainsFunc(s.Step.On, func(o dayone.Moment) bool { return m.comes(o, s.Step.After) }) {
				if m.later(s) {
					continue
				}
				s.State = dayone.StepSkipped
				s.Error = notNow + joinMoments(s.Step.On)
				m.touched(i)
				continue
			}
			m.command(Command{Step: s.Step.ID, Ready: true})
		case (s.State == dayone.StepRetrying || s.State == dayone.StepWaiting) && !s.Next.IsZero() && !m.ev.At.Before(s.Next):
			m.command(Command{Step: s.Step.ID, Ready: true})
		}
	}
	m.verdict()
}

// comes says whether a moment has come, when everything but messages has settled or a message waits no longer. after is
// the instant from which what is still open is a risk.
func (m *machine) comes(o dayone.Moment, after time.Time) bool {
	lost, waits, open := false, false, false
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		switch s.State {
		case dayone.StepFailed, dayone.StepBlocked, dayone.StepUndone, dayone.StepUndoFailed:
			lost = true
		case dayone.StepWaiting:
			waits = waits || s.Wait != nil && s.Wait.Kind.Human() && !s.Wait.Kind.There()
		}
		open = open || s.Step.Action != dayone.MessageSend && !s.State.Over() && !isThere(s)
	}
	switch o {
	case dayone.OnFailed:
		return lost
	case dayone.OnWaiting:
		return waits
	case dayone.OnAtRisk:
		return lost || open && !m.ev.At.Before(after)
	default:
		return !lost
	}
}

// later says that a message about a risk may still come true: it waits for its instant, as long as anything is open.
func (m *machine) later(s *dayone.StepRun) bool {
	return m.ev.At.Before(s.Step.After) && slices.ContainsFunc(m.run.Steps, func(o dayone.StepRun) bool {
		return o.Step.Action != dayone.MessageSend && !o.State.Over()
	})
}

func joinMoments(ms []dayone.Moment) string {
	s := ""
	for i, m := range ms {
		if i > 0 {
			s += " or "
		}
		s += string(m)
	}
	return s
}

const givenUp = "given up: the run was "

// GivenUp says that a step ended only because its run did: nobody decided about the step itself.
func GivenUp(s *dayone.StepRun) bool {
	return s.State == dayone.StepSkipped && strings.HasPrefix(s.Error, givenUp)
}

func (m *machine) finishEnding() {
	r := m.run
	for i := range r.Steps {
		if r.Steps[i].State == dayone.StepRunning {
			return // calls under way come back first
		}
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.State.Over() {
			continue
		}
		if s.Result.Now == nil || r.Ending == dayone.RunCancelled { // a task for something that is there, such as an order, goes on with whatever comes next
			m.leave(s)
		}
		s.State, s.Next = dayone.StepSkipped, time.Time{}
		s.Error = givenUp + string(r.Ending)
		m.touched(i)
	}
	m.end(r.Ending)
}

func (m *machine) verdict() {
	r := m.run
	moving, waiting, lost := false, false, false
	parked, behind := false, false // what its system keeps waiting, and what that keeps waiting
	for i := range r.Steps {
		s := &r.Steps[i]
		under := s.State == dayone.StepRunning || s.State == dayone.StepRetrying
		if r.State == dayone.RunUndoing && s.Of == "" && !under && s.Step.Action != dayone.MessageSend {
			continue // only the way back counts, and what is still under way
		}
		switch s.State {
		case dayone.StepRunning, dayone.StepRetrying:
			moving = true
		case dayone.StepPending:
			switch {
			case m.settled(s, false, 0), m.met(s) == nil && m.later(s):
				waiting = true
			case m.met(s) == nil && m.led(s):
				moving = true
			default:
				behind = true
			}
		case dayone.StepWaiting:
			switch {
			case s.Wait != nil && s.Wait.Kind.Human():
				waiting = true
			case !s.Parked.IsZero():
				parked = true
			default:
				moving = true
			}
		case dayone.StepFailed, dayone.StepBlocked, dayone.StepUndoFailed:
			lost = true
		}
	}
	moving = moving || behind && !parked // with nothing parked, what it hangs on moves
	waiting = waiting || parked
	switch {
	case r.State == dayone.RunUndoing:
		switch {
		case moving || waiting:
		case slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.State == dayone.StepUndoFailed }):
			m.end(dayone.RunUndoIncomplete)
		default:
			m.end(dayone.RunUndone)
		}
	case moving:
		m.state(dayone.RunRunning)
	case waiting:
		m.state(dayone.RunWaiting)
	case lost:
		m.end(dayone.RunIncomplete)
	default:
		m.end(dayone.RunDone)
	}
}

func (m *machine) state(s dayone.RunState) {
	if m.run.State != s {
		m.run.State = s
		m.out.Moved = true
	}
}

func (m *machine) end(s dayone.RunState) {
	if m.run.State == s && !m.run.Ended.IsZero() {
		return
	}
	m.state(s)
	m.run.Ended = m.ev.At
	m.out.Moved = true
	m.record(nil, "run "+string(s), nil)
}
