package engine

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// What the answer to a call means for its step, and for what hangs on it.

// answer takes what a call brought.
func (m *machine) answer() {
	s, i := m.at(m.ev.Step)
	if s == nil || s.State != dayone.StepRunning || m.ev.Attempt != s.Attempt {
		return // an answer to a call that is no longer ours
	}
	m.touched(i)
	s.Ended = m.ev.At
	if m.ev.Err != nil {
		m.trouble(s, m.ev.Err)
		return
	}
	first := s.Result
	s.Result, s.Tries, s.Failing = m.ev.Result, 0, time.Time{}
	if first.Before != nil || first.Now != nil {
		s.Result.Before = first.Before // looking again finds what the first look brought about: that was not there before
	}
	if now := s.Result.Now; now != nil {
		if err := m.twin(s.Step.Key, now.Ref); err != nil {
			s.Result = first
			m.trouble(s, err)
			return
		}
	}
	if w := m.ev.Result.Wait; w != nil {
		if s.Result.Now != nil {
			m.book(s)
		}
		m.wait(s, *w)
		return
	}
	m.done(s)
}

// done books what the system confirmed.
func (m *machine) done(s *dayone.StepRun) {
	s.State, s.Wait, s.Next, s.Parked, s.Error, s.Kind = dayone.StepDone, nil, time.Time{}, time.Time{}, "", ""
	if s.Of != "" {
		s.State = dayone.StepUndone
		if o, i := m.at(s.Of); o != nil {
			m.leave(o)
			o.State = dayone.StepUndone
			m.touched(i)
		}
	}
	m.closeTask(s, "")
	m.book(s)
	m.record(s, outcome(s), &dayone.Detail{Before: s.Result.Before, Now: s.Result.Now})
}

// outcome is the word that the ledger has for a step that is done.
func outcome(s *dayone.StepRun) string {
	changed := s.Result.Changed()
	switch {
	case s.Of != "":
		return "undone"
	case s.Step.Action == dayone.MessageSend:
		return "sent"
	case s.Step.Action == dayone.AccountConfirm, s.Step.Action == dayone.EntitlementConfirm:
		return "confirmed"
	case s.Step.Action == dayone.AccountDelete:
		return "deleted"
	case s.Step.Action.Takes() && s.Step.Want == nil:
		return "removed"
	case s.Step.Action == dayone.AccountDisable:
		return "closed"
	case !changed:
		return "already so"
	case s.Step.Action == dayone.AccountCreate && s.Result.Before != nil:
		return "adopted"
	case s.Step.Action == dayone.AccountUpdate:
		return "changed"
	case s.Step.Action == dayone.AccountEnable:
		return "opened"
	default:
		return "granted"
	}
}

// wait parks a step until its system or a human has moved.
func (m *machine) wait(s *dayone.StepRun, w dayone.Wait) {
	same := s.Wait != nil && s.Wait.Kind == w.Kind && s.Wait.Note == w.Note
	if same && !s.Wait.Until.IsZero() {
		w.Until = s.Wait.Until // looking again does not make it wait longer
	}
	if !w.Kind.Human() && w.Check.IsZero() {
		w.Check = m.ev.At.Add(m.cfg.Max) // nobody else would ever look again
	}
	had := tasked(s)
	s.State, s.Wait, s.Next, s.Error, s.Kind, s.Tries, s.Failing = dayone.StepWaiting, &w, w.Check, "", "", 0, time.Time{}
	if had && !tasked(s) {
		m.closeTask(s, noTask)
	}
	if m.run.State == dayone.RunUndoing && s.Of == "" && s.Step.Action != dayone.MessageSend {
		s.Next = time.Time{}
		if _, back := m.inverse(s); !back {
			m.leave(s)
			s.State, s.Error = dayone.StepSkipped, "the run has turned back"
			return
		}
	}
	m.wake(s)
	if same {
		return
	}
	s.Waited = s.Ended
	m.limits(s)
	m.record(s, "waiting: "+string(w.Kind), &dayone.Detail{Before: s.Result.Before, Now: s.Result.Now, Note: w.Note})
	if tasked(s) {
		m.openTask(s)
	}
}

// tasked says whether the step waits for a human's task, also while it is looked at again.
func tasked(s *dayone.StepRun) bool {
	return s.Wait != nil && (s.Wait.Kind == dayone.WaitTask || s.Wait.Kind == dayone.WaitSeat)
}

func taskTitle(s *dayone.StepRun) string {
	switch {
	case s.Kind == "conflict":
		return fmt.Sprintf("Whose is %s?", s.Step.Key)
	default:
		return s.Step.Key.String()
	}
}

// noTask is why a task was left for which nobody is needed any more.
const noTask = "not needed"

// leave ends a wait: nobody has anything to do for it any more.
func (m *machine) leave(s *dayone.StepRun) { m.leaveFor(s, cmp.Or(string(m.run.Ending), noTask)) }

func (m *machine) leaveFor(s *dayone.StepRun, why string) {
	if tasked(s) {
		m.closeTask(s, why)
	}
	s.Wait, s.Parked = nil, time.Time{}
}

// closeTask closes the task of a step: it is done, or left for a reason.
func (m *machine) closeTask(s *dayone.StepRun, left string) {
	t := dayone.Task{Person: m.run.Person, Run: m.run.ID, Step: s.Step.ID, Once: s.Step.Once, Closed: m.ev.At, Left: left}
	if m.ev.What == Decide {
		t.By, t.Attrs, t.Evidence = m.ev.Human.By, m.ev.Human.Attrs, m.ev.Human.Attrs.Text(dayone.Evidence)
	}
	m.out.Closed = append(m.out.Closed, t)
	m.out.Opened = slices.DeleteFunc(m.out.Opened, func(o dayone.Task) bool { return o.Once == t.Once }) // a store closes first
}

// trouble decides what an error means: again, a human, or the end.
func (m *machine) trouble(s *dayone.StepRun, err error) {
	s.Error = err.Error()
	s.Kind = ""
	if k := dayone.KindOf(err); k != nil {
		s.Kind = k.Error()
	}
	var f *dayone.Fault
	errors.As(err, &f)
	switch {
	case dayone.Again(err):
		if !m.ev.Spare {
			if s.Failing.IsZero() {
				s.Failing = m.ev.At
			}
			s.Tries++
		}
		if m.run.State == dayone.RunUndoing && s.Of == "" {
			m.fail(s, err) // the run has turned back: nothing is given any more
			return
		}
		if !s.Step.Urgent && !m.ev.Spare && (s.Tries >= m.cfg.Tries || m.ev.At.Sub(s.Failing) >= m.cfg.Elapsed) {
			m.fail(s, err)
			return
		}
		s.State = dayone.StepRetrying // what it waited for it still waits for: s.Wait stays
		s.Next = m.ev.At.Add(m.backoff(s))
		if f != nil && f.RetryAt.After(s.Next) {
			s.Next = f.RetryAt
		}
		m.wake(s)
		m.record(s, "retrying", &dayone.Detail{Note: s.Error})
	case errors.Is(err, dayone.ErrConflict):
		note := s.Error
		w := dayone.Wait{Kind: dayone.WaitTask, Note: note}
		if s.Step.Action == dayone.AccountCreate {
			w.Ask = []string{adopt}
		}
		if f != nil && f.Found != nil && f.Next == "" {
			w.Note = fmt.Sprintf("%s. The account %s is bound to nobody we know. If it is theirs, complete this task with %s%s%s",
				note, f.Found.Ref, isAdopt, f.Found.Ref, elseFree)
		}
		m.waitError(s, w)
	case errors.Is(err, dayone.ErrNoSeat):
		m.waitError(s, dayone.Wait{Kind: dayone.WaitSeat, Note: s.Error + ". Buy or free a seat; it is tried again every hour.", Check: m.ev.At.Add(time.Hour)})
	case errors.Is(err, dayone.ErrUnsupported):
		m.waitError(s, dayone.Wait{Kind: dayone.WaitTask, Note: s.Error, Ask: m.asked(s), Proof: s.Step.Action.Takes()}) // what is closed by hand, nobody else can check
	case errors.Is(err, dayone.ErrDryRun):
		m.leave(s)
		m.stays(s)
		s.State = dayone.StepSkipped
		m.record(s, "skipped: dry run", nil)
		m.block(s.Step.ID)
	default:
		if !m.insist(s) {
			m.fail(s, err)
		}
	}
}

// waitError waits although the answer was an error, which stays to be read.
func (m *machine) waitError(s *dayone.StepRun, w dayone.Wait) {
	msg, kind := s.Error, s.Kind
	m.wait(s, w)
	s.Error, s.Kind = msg, kind
	if n := len(m.out.Opened); n > 0 {
		m.out.Opened[n-1].Title = taskTitle(s)
	}
}

// backoff doubles and is spread by a hash, so that the machine stays pure and steps do not march in step.
func (m *machine) backoff(s *dayone.StepRun) time.Duration {
	d := m.cfg.Base << min(max(s.Tries-1, 0), 20)
	if d <= 0 || d > m.cfg.Max {
		d = m.cfg.Max
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %s %d", m.run.ID, s.Step.ID, s.Attempt)
	return d - d/5 + time.Duration(h.Sum32()%1000)*(d*2/5)/1000 // 80 to 120 %
}

// fail ends a step for good: what depends on it is blocked, or the run goes back.
func (m *machine) fail(s *dayone.StepRun, err error) {
	m.leave(s)
	s.State, s.Error, s.Next = dayone.StepFailed, err.Error(), time.Time{}
	if k := dayone.KindOf(err); k != nil {
		s.Kind = k.Error()
	}
	if s.Of != "" {
		s.State = dayone.StepUndoFailed
		m.stays(s)
	}
	m.record(s, string(s.State), &dayone.Detail{Note: s.Error})
	m.block(s.Step.ID)
	if s.Step.Critical == dayone.Rollback && s.Of == "" && m.run.State != dayone.RunHeld {
		m.rollback(s)
	}
}

// stays ends a step that waits to be taken back, and is not: nobody looks at it any more.
func (m *machine) stays(undo *dayone.StepRun) {
	if o, i := m.at(undo.Of); o != nil && o.State == dayone.StepWaiting {
		m.leave(o)
		o.State = dayone.StepUndoFailed
		m.touched(i)
	}
}

// block stops everything that needs id done, and what needs that.
func (m *machine) block(id dayone.StepID) {
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s.State != dayone.StepPending {
			continue
		}
		for _, n := range s.Step.Needs {
			if o, _ := m.at(id); n.Step == id && n.When == dayone.Done && !brings(s, o) {
				s.State, s.Error = dayone.StepBlocked, "needs "+string(id)
				m.touched(i)
				m.block(s.Step.ID)
				break
			}
		}
	}
}
