package engine

import (
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// The way back: of a run that turned back by itself, since a step failed whose policy asks for that, and of one that a
// human turned back. By itself a run takes back what it gave, and nothing else. A human takes back what it took as well,
// and then it tells nobody any more.

// byHuman says that a human turned the run back.
func (m *machine) byHuman() bool { return m.run.Of == m.run.ID && m.run.ID != "" }

// hold writes what an event carries.
func (m *machine) hold() {
	h := m.ev.Human.Hold
	if h == nil {
		return
	}
	m.out.Holds = append(m.out.Holds, *h)
	m.record(nil, "hold", &dayone.Detail{Note: h.Reason})
}

// undo turns the run back by a human's word.
func (m *machine) undo() {
	r, h := m.run, m.ev.Human
	switch {
	case r.Ending != "":
		m.refuse("run %s is being %s; undo it when it has ended: %w", r.ID, r.Ending, dayone.ErrConflict)
		return
	case r.State == dayone.RunUndoing:
		m.refuse("run %s goes back already: %w", r.ID, dayone.ErrConflict)
		return
	}
	for i := range r.Steps {
		if way, otherwise := h.Ways[r.Steps[i].Step.ID]; otherwise {
			r.Steps[i].Step.Undo = way
			m.touched(i)
		}
	}
	r.Of = r.ID
	m.hold()
	m.record(nil, "undo decided", &dayone.Detail{Note: h.Reason})
	m.turn("the run was undone by " + h.By)
}

// rollback takes back what this run gave: never a removal, message, order or number.
func (m *machine) rollback(cause *dayone.StepRun) {
	if m.run.State == dayone.RunUndoing {
		return // it is on its way back already, and a second cause must not stop that
	}
	m.record(cause, "rolling back", nil)
	m.turn("rolled back: " + string(cause.Step.ID) + " failed")
}

// turn lets nothing start any more but the way back. What is under way comes back first; what is there and only waits for
// somebody goes the way back as well.
func (m *machine) turn(why string) {
	m.run.State = dayone.RunUndoing
	m.out.Moved = true
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		switch s.State {
		case dayone.StepPending, dayone.StepRetrying, dayone.StepWaiting, dayone.StepBlocked:
			if s.Step.Action == dayone.MessageSend && !m.byHuman() {
				break // somebody should hear of it
			}
			m.touched(i)
			if _, way := m.inverse(s); way && s.Wait != nil && s.Wait.Kind != dayone.WaitSystem { // who waits for a system only waits to be called
				s.State, s.Next, s.Parked = dayone.StepWaiting, time.Time{}, time.Time{} // it is there: it goes the way back as well, and is not looked at again
				break
			}
			m.leave(s)
			s.State, s.Next, s.Error = dayone.StepSkipped, time.Time{}, why
		}
	}
	m.inverses()
}

// inverse is the step that takes s back, if this run is to do that and there is one.
func (m *machine) inverse(s *dayone.StepRun) (dayone.Step, bool) {
	did := s.Result
	if m.byHuman() {
		did = planner.Done(m.run, s)
	}
	have := did.Now
	switch {
	case s.Step.Action.Gives():
	case !m.byHuman():
		return dayone.Step{}, false
	case s.Step.Action == dayone.MessageSend:
		if have == nil || s.State != dayone.StepDone {
			return dayone.Step{}, false
		}
		inv, why := planner.Cancel(s.Step, *have, m.ev.At)
		return inv, why == ""
	case have == nil:
		have = did.Before
	}
	return planner.Inverse(s.Step, did, have)
}

// inverses adds the way back for every step that did something and is not taken back yet. Steps whose call is still under
// way get theirs when it returns.
func (m *machine) inverses() {
	var backs, undone []dayone.Step
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s.Of != "" || (s.State != dayone.StepDone && s.State != dayone.StepWaiting && s.State != dayone.StepFailed) {
			continue // one that failed may have brought something about before
		}
		if slices.ContainsFunc(m.run.Steps, func(o dayone.StepRun) bool { return o.Of == s.Step.ID }) {
			continue
		}
		if inv, ok := m.inverse(s); ok {
			backs, undone = append(backs, inv), append(undone, s.Step)
		}
	}
	planner.Backward(backs, undone)
	for i, b := range backs {
		m.index[b.ID] = len(m.run.Steps)
		m.run.Steps = append(m.run.Steps, dayone.StepRun{Step: b, State: dayone.StepPending, Of: undone[i].ID})
		m.touched(len(m.run.Steps) - 1)
	}
}
