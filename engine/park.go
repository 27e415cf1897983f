package engine

import (
	"cmp"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// Parked steps: their system takes nothing new, or humans work there. Why, the machine is told; it only keeps them, with
// their tries and with what they waited for, until it is told that they may go on. Time in which a step is parked is no
// time in which it fails.

// park keeps a step from being called. Wait says what it waits for meanwhile: its system, or a human.
func (m *machine) park() {
	s, i := m.at(m.ev.Step)
	if s == nil || m.ev.Wait == nil || s.State.Over() || s.State == dayone.StepRunning || m.run.Ending != "" {
		return
	}
	if s.Parked.IsZero() {
		s.Parked = m.ev.At
	}
	s.State, s.Next = dayone.StepWaiting, time.Time{}
	m.touched(i)
	w := *m.ev.Wait
	switch {
	case s.Wait != nil && s.Wait.Kind == w.Kind && s.Wait.Note == w.Note:
		return
	case s.Wait != nil && s.Wait.Kind != dayone.WaitSystem && (w.Kind == dayone.WaitSystem || s.Wait.Kind.Human()):
		return // what it waits for it goes on waiting for; only nobody looks whether that has come
	}
	s.Wait, s.Waited = &w, m.ev.At
	if w.Kind != dayone.WaitTask {
		return
	}
	w.Ask = m.asked(s)
	w.Note += ". " + m.manual(s)
	m.record(s, "waiting: "+string(w.Kind), &dayone.Detail{Note: w.Note})
	m.limits(s)
	m.openTask(s)
}

// unpark lets a step go on as it was.
func (m *machine) unpark() {
	s, i := m.at(m.ev.Step)
	if s == nil || s.Parked.IsZero() || s.State != dayone.StepWaiting {
		return
	}
	m.touched(i)
	parked := m.ev.At.Sub(s.Parked)
	s.Parked = time.Time{}
	if !s.Failing.IsZero() {
		if s.Failing = s.Failing.Add(parked); s.Failing.After(m.ev.At) {
			s.Failing = m.ev.At // a restart has counted anew meanwhile
		}
	}
	switch {
	case s.Wait == nil || s.Wait.Kind == dayone.WaitSystem:
		s.Wait, s.State = nil, dayone.StepPending
		if s.Attempt > 0 {
			s.State, s.Next = dayone.StepRetrying, m.ev.At
		}
	default:
		if !s.Wait.Kind.Human() && !s.Wait.Until.IsZero() {
			s.Wait.Until = s.Wait.Until.Add(parked)
		}
		s.Next = m.ev.At
		m.limits(s)
	}
}

// manual is what a human does who does the step instead.
func (m *machine) manual(s *dayone.StepRun) string {
	return cmp.Or(m.cfg.Manual[ManualKey(s.Step.Key.System, s.Step.Key.Kind, s.Step.Action)],
		fmt.Sprintf("Do it by hand in %s, then complete this task", s.Step.Key.System))
}

// ManualKey is the key of Config.Manual.
func ManualKey(system, kind string, a dayone.Action) string {
	return system + "/" + kind + " " + string(a)
}

// deadlines arms what is to be looked at when its time has come, whatever happens until then: a leaver's cut that is not
// confirmed, and the head start that others give it.
func (m *machine) deadlines() {
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s.Step.Urgent && !s.State.Over() && s.Alarmed.IsZero() {
			m.command(Command{Step: s.Step.ID, Alarm: later(m.run.Started.Add(m.cfg.Confirm), m.ev.At)})
		}
	}
	seen := map[dayone.StepID]bool{}
	ends := m.run.Started.Add(m.cfg.HeadStart)
	for i := range m.run.Steps {
		for _, n := range m.run.Steps[i].Step.Needs {
			if n.When == dayone.Tried && !seen[n.Step] && ends.After(m.ev.At) {
				seen[n.Step] = true
				m.command(Command{Step: n.Step, Alarm: ends})
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ahead says that a step has had its head start, and could have used it.
func (m *machine) ahead(s *dayone.StepRun) bool {
	return !m.ev.At.Before(m.run.Started.Add(m.cfg.HeadStart)) && (s.State != dayone.StepPending || m.met(s) == nil)
}

// overdue tells a human of a cut that is not confirmed in time. It goes on being tried.
func (m *machine) overdue(s *dayone.StepRun, i int) {
	if !s.Step.Urgent || s.State.Over() || !s.Alarmed.IsZero() || m.run.Ending != "" || m.ev.At.Before(m.run.Started.Add(m.cfg.Confirm)) {
		return
	}
	why := s.Error
	if !s.Parked.IsZero() && s.Wait != nil {
		why = s.Wait.Note
	}
	note := fmt.Sprintf("%s has not confirmed within %s", s.Step.Key.System, m.cfg.Confirm)
	if why != "" {
		note += ": " + why
	}
	m.raise(s, i, "alarm: not confirmed", note)
}

// raise records an alarm and gives a human the step, who has it until it is done, by whomever.
func (m *machine) raise(s *dayone.StepRun, i int, what, note string) {
	if s.Alarmed.IsZero() {
		s.Alarmed = m.ev.At
		m.record(s, what, &dayone.Detail{Note: note})
	}
	m.touched(i)
	if tasked(s) {
		return
	}
	s.Wait = &dayone.Wait{Kind: dayone.WaitTask, Note: note + ". It is still tried. " + m.manual(s), Ask: m.asked(s)}
	s.Waited = m.ev.At
	m.limits(s)
	m.openTask(s)
}

// warn tells a human of a step that is called although nobody may be there to answer.
func (m *machine) warn() {
	s, i := m.at(m.ev.Step)
	if s == nil || s.State.Over() || s.State == dayone.StepRunning || m.run.Ending != "" || !s.Alarmed.IsZero() || m.ev.Wait == nil {
		return
	}
	m.raise(s, i, "alarm: called all the same", m.ev.Wait.Note)
}

// insist keeps a cut that was refused alive: a human is told at once, and it is tried again by itself.
func (m *machine) insist(s *dayone.StepRun) bool {
	i := m.index[s.Step.ID]
	if !s.Step.Urgent || s.Of != "" || m.run.State == dayone.RunUndoing {
		return false
	}
	m.raise(s, i, "alarm: refused", s.Error)
	s.State, s.Next, s.Tries, s.Failing = dayone.StepWaiting, m.ev.At.Add(m.cfg.Max), 0, time.Time{}
	m.wake(s)
	return true
}

func (m *machine) openTask(s *dayone.StepRun) {
	m.out.Opened = append(m.out.Opened, dayone.Task{
		Person: m.run.Person, Run: m.run.ID, Step: s.Step.ID, Once: s.Step.Once, System: s.Step.Key.System,
		Title: taskTitle(s), Note: s.Wait.Note, Ask: s.Wait.Ask, Proof: s.Wait.Proof, Opened: m.ev.At, Due: s.Wait.Until,
	})
}

// ---- the whole run ----

// decideRun carries out what a human said about a run and not about one step of it.
func (m *machine) decideRun() {
	r, h := m.run, m.ev.Human
	switch {
	case m.ev.Step != "":
		m.refuse("%q is a decision about a whole run, and names the step %q: %w", h.Verb, m.ev.Step, dayone.ErrInvalid)
		return
	case r.Ending != "":
		m.refuse("run %s is being %s: %w", r.ID, r.Ending, ErrOver)
		return
	case h.Verb == Pause && r.State == dayone.RunUndoing:
		m.refuse("run %s takes back what it gave, and half of it is no place to stay; let it end, or stop the system: %w", r.ID, dayone.ErrConflict)
		return
	case h.Verb == Pause && r.State == dayone.RunHeld:
		m.refuse("run %s is held already: %w", r.ID, dayone.ErrConflict)
		return
	case h.Verb == GoOn && r.State != dayone.RunHeld:
		m.refuse("run %s is %s and not held: %w", r.ID, r.State, dayone.ErrConflict)
		return
	}
	m.record(nil, string(h.Verb)+" decided", &dayone.Detail{Note: h.Reason})
	m.out.Moved = true
	switch h.Verb {
	case Cancel:
		r.Ending = dayone.RunCancelled
	case Pause:
		m.state(dayone.RunHeld)
	case GoOn:
		m.goOn()
	}
}

// goOn ends a pause: what came to its end meanwhile because nobody was to start anything is given its time again.
func (m *machine) goOn() {
	m.state(dayone.RunRunning)
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if !s.Failing.IsZero() {
			s.Failing = m.ev.At
			m.touched(i)
		}
		if s.State == dayone.StepWaiting && s.Wait != nil && !s.Wait.Kind.Human() && !s.Wait.Until.IsZero() && s.Wait.Until.Before(m.ev.At.Add(m.cfg.Max)) {
			s.Wait.Until = m.ev.At.Add(m.cfg.Max)
			m.limits(s)
			m.touched(i)
		}
	}
	for i := range m.run.Steps { // what failed meanwhile turns the run back now
		if s := &m.run.Steps[i]; s.State == dayone.StepFailed && s.Step.Critical == dayone.Rollback && s.Of == "" {
			m.rollback(s)
			return
		}
	}
}

// released is a cancelled run that somebody resumed: its person is planned again. The run itself stays over.
func (m *machine) released() {
	r := m.run
	if r.State != dayone.RunCancelled || r.Ending == "" {
		m.refuse("run %s is %s, and nothing waits for it to be resumed: %w", r.ID, r.State, ErrOver)
		return
	}
	r.Ending = ""
	m.out.Moved = true
	m.record(nil, string(GoOn)+" decided", &dayone.Detail{Note: m.ev.Human.Reason})
}
