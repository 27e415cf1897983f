package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// ErrOver: the run has ended or is being given up, so nothing of it is called any more. What it wanted may not be wanted any
// more and its books are of then: to try again is to plan the person anew.
var ErrOver = fmt.Errorf("nothing of it is done any more; plan the person again: %w", dayone.ErrConflict)

// What a human supplies with a task, besides what the step itself asks for.
const (
	adopt = "adopt" // a conflict: the id of the account that is hers
	ref   = "ref"   // done by hand: the id of what was made
	note  = "note"
)

func (m *machine) refuse(format string, args ...any) { m.out.Refused = fmt.Errorf(format, args...) }

// decide carries out what a human said, or a newer run. What cannot be carried out is refused: a decision never vanishes.
func (m *machine) decide() {
	switch m.ev.Human.Verb {
	case Supersede:
		m.run.Ending = dayone.RunSuperseded
		m.out.Moved = true
		return
	case Cancel, Pause, GoOn:
		m.decideRun()
		return
	}
	if m.ev.Human.Verb == Undo {
		m.undo()
		return
	}
	s, i := m.at(m.ev.Step)
	switch {
	case m.run.Ending != "":
		m.refuse("run %s is being %s: %w", m.run.ID, m.run.Ending, ErrOver)
		return
	case s == nil:
		m.refuse("run %s has no step %q; look at the run again: %w", m.run.ID, m.ev.Step, dayone.ErrConflict)
		return
	case m.run.State == dayone.RunUndoing && s.Of == "" && s.Step.Action != dayone.MessageSend:
		m.refuse("the run takes back what it gave; only steps of the way back are decided on: %w", dayone.ErrConflict)
		return
	}
	switch m.ev.Human.Verb {
	case Complete:
		m.complete(s, i)
	case Retry:
		m.retry(s, i)
	case Skip:
		m.skip(s, i)
	case Approve, Refuse:
		m.agreed(s, i)
	default:
		m.refuse("%q is no decision about a step: %w", m.ev.Human.Verb, dayone.ErrInvalid)
	}
}

// afterwards decides about a run that is over. Only what an incomplete one has lost is still decided on: a human does
// without it, by which nothing is called; or she tries it again, and with it what hangs on it. The run is then under way
// again, as it was when it ended. That holds as long as its person has had no other run since, which its driver sees to:
// then its books are still true, and there was no reason to plan anew.
func (m *machine) afterwards() {
	h, r := m.ev.Human, m.run
	if h.Verb == Supersede {
		return // it is over, which is all that is asked for
	}
	if h.Verb == GoOn {
		m.released()
		return
	}
	s, i := m.at(m.ev.Step)
	if s == nil || r.State != dayone.RunIncomplete || !lost(s.State) || h.Verb != Skip && h.Verb != Retry {
		m.refuse("run %s is %s: %w", r.ID, r.State, ErrOver)
		return
	}
	if h.Verb == Retry {
		if m.retry(s, i); m.out.Refused == nil {
			r.Ended = time.Time{}
			m.settle()
		}
		return
	}
	m.skip(s, i)
	if !slices.ContainsFunc(r.Steps, func(o dayone.StepRun) bool { return lost(o.State) }) {
		m.state(dayone.RunDone)
		m.record(nil, "run "+string(r.State), nil)
	}
}

// lost says that the step did not come to its end, and that a human may do without it.
func lost(s dayone.StepState) bool { return s == dayone.StepFailed || s == dayone.StepBlocked }

// How the note of a conflict ends that asks whose an account is.
const (
	isAdopt  = adopt + " = "
	elseFree = "; if not, free the name there and retry."
)

// Adoptable is the id of the account that the note of a task asks about; "": it asks about none. What a system said stands
// before it, and may say anything.
func Adoptable(note string) string {
	rest, ends := strings.CutSuffix(note, elseFree)
	i := strings.LastIndex(rest, isAdopt)
	if !ends || i < 0 {
		return ""
	}
	return rest[i+len(isAdopt):]
}

// complete takes a human's word for what she did.
func (m *machine) complete(s *dayone.StepRun, i int) {
	h := m.ev.Human
	if !tasked(s) || s.State.Over() {
		m.refuse("step %s is %s and has no task that could be completed; retry looks again: %w", s.Step.ID, s.State, dayone.ErrConflict)
		return
	}
	if s.State == dayone.StepRunning {
		m.refuse("step %s is being called just now; look at it again in a minute: %w", s.Step.ID, dayone.ErrConflict)
		return
	}
	id := h.Attrs.Text(ref)
	asked := slices.Contains(s.Wait.Ask, adopt)
	if asked {
		id = cmp.Or(h.Attrs.Text(adopt), id)
	}
	if err := m.twin(s.Step.Key, id); err != nil {
		m.out.Refused = err
		return
	}
	switch {
	case s.Wait.Kind == dayone.WaitSeat: // the seat is there now, and what it is for is still to be made
		m.touched(i)
		m.again(s)
		m.record(s, "retry decided", &dayone.Detail{Note: h.Reason})
		return
	case asked && id == "":
		m.refuse("say with %q which account is theirs; if none is, free the name there and retry the step: %w", adopt, dayone.ErrInvalid)
		return
	case asked:
		m.touched(i)
		m.again(s)
		s.Step.Subject, s.Result = dayone.Subject{Ref: id}, dayone.Result{}
		m.record(s, "adoption decided", &dayone.Detail{Note: strings.TrimSuffix("account "+id+": "+h.Reason, ": ")})
		return
	}
	now := byHand(s, h.Attrs)
	if now != nil && now.Key.IsAccount() && now.Ref == "" {
		m.refuse("say with %q which id the account has there: without it nobody could close it again: %w", ref, dayone.ErrInvalid)
		return
	}
	m.touched(i)
	s.Result.Now, s.Result.Wait, s.Ended = now, nil, m.ev.At
	m.done(s)
}

// byHand is what is there after a human has done the step: what was seen or known of it, in the state that was wanted,
// with what she told.
func byHand(s *dayone.StepRun, told dayone.Attrs) *dayone.Item {
	want := s.Step.Want
	if want == nil {
		return nil
	}
	now := dayone.Item{Ref: want.Ref}
	switch {
	case s.Result.Now != nil:
		now = *s.Result.Now
	case s.Step.Have != nil && s.Step.Have.Key == s.Step.Key:
		now = *s.Step.Have
	}
	now.Key, now.State = s.Step.Key, cmp.Or(want.State, dayone.Active)
	now.Role = cmp.Or(want.Role, now.Role)
	now.Ref = cmp.Or(told.Text(ref), now.Ref, s.Step.Subject.Ref)
	now.Attrs = now.Attrs.With(told)
	for _, name := range []string{ref, note, dayone.Evidence} {
		delete(now.Attrs, name)
	}
	return &now
}

func (m *machine) retry(s *dayone.StepRun, i int) {
	if asks(s) && s.State == dayone.StepWaiting {
		m.refuse("step %s waits for an approval; whoever is asked approves or refuses it: %w", s.Step.ID, dayone.ErrConflict)
		return
	}
	switch s.State {
	case dayone.StepFailed, dayone.StepWaiting, dayone.StepRetrying, dayone.StepUndoFailed:
	case dayone.StepBlocked:
		m.refuse("step %s is blocked: it %s, so retry that one: %w", s.Step.ID, s.Error, dayone.ErrConflict)
		return
	default:
		m.refuse("step %s is %s; only what failed or waits can be called again: %w", s.Step.ID, s.State, dayone.ErrConflict)
		return
	}
	m.touched(i)
	m.again(s)
	m.record(s, "retry decided", &dayone.Detail{Note: m.ev.Human.Reason})
	m.unblock()
	for i := range m.run.Steps { // what was not told because the run had failed may come true
		if o := &m.run.Steps[i]; o.State == dayone.StepSkipped && strings.HasPrefix(o.Error, notNow) {
			o.State, o.Error = dayone.StepPending, ""
			m.touched(i)
		}
	}
}

func (m *machine) skip(s *dayone.StepRun, i int) {
	if s.State == dayone.StepRunning || s.State.Over() && !lost(s.State) {
		m.refuse("step %s is %s; only what has not ended, or is lost, can be skipped: %w", s.Step.ID, s.State, dayone.ErrConflict)
		return
	}
	h := m.ev.Human
	m.touched(i)
	m.leave(s)
	m.stays(s)
	s.State, s.Next, s.Error = dayone.StepSkipped, time.Time{}, cmp.Or(h.Reason, "skipped by "+h.By)
	m.record(s, "skipped", &dayone.Detail{Note: h.Reason})
	m.block(s.Step.ID)
}

// notNow begins the reason of a message that was skipped because the run did not come to its moment.
const notNow = "only for a run that is "

// again makes a step pending with its tries forgotten.
func (m *machine) again(s *dayone.StepRun) {
	m.leaveFor(s, dayone.TriedAgain)
	s.State, s.Next, s.Tries, s.Failing, s.Since, s.Error, s.Kind = dayone.StepPending, time.Time{}, 0, time.Time{}, m.ev.At, "", ""
}

// unblock gives every blocked step another chance; those whose need is still lost are blocked again.
func (m *machine) unblock() {
	for i := range m.run.Steps {
		if s := &m.run.Steps[i]; s.State == dayone.StepBlocked {
			s.State, s.Error = dayone.StepPending, ""
			m.touched(i)
		}
	}
	for i := range m.run.Steps {
		switch s := &m.run.Steps[i]; s.State {
		case dayone.StepFailed, dayone.StepSkipped, dayone.StepUndone, dayone.StepUndoFailed:
			m.block(s.Step.ID)
		}
	}
}
