package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// Version of the machine, kept with every run that it begins. A newer machine carries the runs of an older one on. A run
// that a newer one began is never touched: a driver that finds one does not start.
const Version = 2

// Config bounds what the machine does by itself.
type Config struct {
	Tries    int           // calls of one step that may fail in a row
	Elapsed  time.Duration // and for how long after the first of them
	Base     time.Duration // first pause between two calls; doubles
	Max      time.Duration // longest pause
	Patience time.Duration // how long messages wait for a human's task before they go without its result

	HeadStart time.Duration     // how long others wait for the first answer to what has to be tried first
	Confirm   time.Duration     // how long what is urgent may take until a human is told
	Manual    map[string]string // what a human does who does a step instead, by ManualKey
}

// DefaultConfig holds for systems that answer within seconds and are down for minutes.
var DefaultConfig = Config{Tries: 8, Elapsed: 30 * time.Minute, Base: 500 * time.Millisecond, Max: 5 * time.Minute, Patience: 10 * time.Minute, HeadStart: time.Minute, Confirm: 15 * time.Minute}

// What happened.
type What string

const (
	Begin  What = "begin"  // a new run
	Resume What = "resume" // after a restart: calls under way are lost
	Start  What = "start"  // a step that was ready has a worker and a token
	Answer What = "answer" // a call came back
	Alarm  What = "alarm"  // a timer
	Decide What = "decide" // a human, or a newer run
	Park   What = "park"   // a step is not to be called now, though it could be
	Unpark What = "unpark" // it may be called again
	Warn   What = "warn"   // an urgent step is called now, though its system may not be there
)

// Event is what the machine is told.
type Event struct {
	What    What
	At      time.Time
	Step    dayone.StepID
	Attempt int
	Result  dayone.Result
	Err     error
	Human   Human
	Wait    *dayone.Wait // of Park and Warn: what it waits for, or why a human is told
	Spare   bool         // of an answer: its system was known to be down, so a failure uses up no try
}

// Verb of a decision.
type Verb string

const (
	Complete  Verb = "complete"  // a task is done; Attrs are what it asked for
	Retry     Verb = "retry"     // call a failed step again
	Skip      Verb = "skip"      // go on without it
	Supersede Verb = "supersede" // a newer run takes over
	Approve   Verb = "approve"   // those who are asked agree
	Refuse    Verb = "refuse"    // or they do not: the step is skipped, and nothing is lost
	Undo      Verb = "undo"      // the whole run is turned back

	// about the whole run
	Cancel Verb = "cancel" // it is given up; its person is not planned again by itself
	Pause  Verb = "pause"  // nothing new starts
	GoOn   Verb = "resume" // after a pause; after a cancel, its person is planned again
)

// Human is a decision and who took it.
type Human struct {
	By     string
	For    string // on whose behalf; "": their own
	Verb   Verb
	Reason string
	Attrs  dayone.Attrs
	Hold   *dayone.Hold                  // undo: what policies leave alone from then on; written with the decision
	Ways   map[dayone.StepID]dayone.Undo // undo: how steps are taken back by what is known now, where that is not as planned
}

// Command is something for the driver to do after everything is durable. Exactly one field is set beside Step.
type Command struct {
	Step  dayone.StepID
	Ready bool        // give it a worker and a token, then say Start
	Call  *dayone.Act // call the system; Secrets are still recipes in Want.Attrs
	Alarm time.Time   // say Alarm then
}

// Effects of one event: what is to be stored in one transaction, then commands.
type Effects struct {
	Moved    bool  // the run's own row changed
	Steps    []int // changed steps, by index
	Holdings []dayone.Holding
	Gone     []dayone.Holding
	Records  []dayone.Record
	Opened   []dayone.Task
	Closed   []dayone.Task
	Holds    []dayone.Hold
	Commands []Command
	Refused  error // why a decision is not carried out, and what to do instead; all else is empty then
}

// Next is the run machine. It changes r in place: if what it returns cannot be stored, the process must end.
func Next(r *dayone.Run, ev Event, c Config) Effects { return next(r, indexOf(r), ev, c) }

func indexOf(r *dayone.Run) map[dayone.StepID]int {
	index := make(map[dayone.StepID]int, len(r.Steps))
	for i := range r.Steps {
		index[r.Steps[i].Step.ID] = i
	}
	return index
}

// next takes the index of the run's steps, which whoever holds the run keeps between events.
func next(r *dayone.Run, index map[dayone.StepID]int, ev Event, c Config) Effects {
	m := &machine{run: r, ev: ev, cfg: c, index: index}
	if r.State.Over() && ev.What != Begin {
		if ev.What == Decide {
			m.afterwards()
		}
		return m.out // it has ended: only a human takes it up again
	}
	switch ev.What {
	case Begin:
		r.State, r.Started = dayone.RunRunning, ev.At
		m.out.Moved = true
		m.hours()
		m.record(nil, "run started", &dayone.Detail{Note: r.Title})
		m.hold()
		m.deadlines()
	case Resume:
		m.resume()
	case Start:
		m.start()
	case Answer:
		m.answer()
	case Alarm:
		m.alarm()
	case Park:
		m.park()
	case Unpark:
		m.unpark()
	case Warn:
		m.warn()
	case Decide:
		if m.decide(); m.out.Refused != nil {
			return m.out
		}
	}
	m.settle()
	return m.out
}

type machine struct {
	run   *dayone.Run
	ev    Event
	cfg   Config
	index map[dayone.StepID]int
	out   Effects
}

func (m *machine) at(id dayone.StepID) (*dayone.StepRun, int) {
	i, ok := m.index[id]
	if !ok {
		return nil, -1
	}
	return &m.run.Steps[i], i
}

func (m *machine) touched(i int) {
	if !slices.Contains(m.out.Steps, i) {
		m.out.Steps = append(m.out.Steps, i)
	}
}

func (m *machine) command(c Command) { m.out.Commands = append(m.out.Commands, c) }

func (m *machine) record(s *dayone.StepRun, what string, d *dayone.Detail) {
	rec := dayone.Record{At: m.ev.At, Person: m.run.Person, Run: m.run.ID, What: what, Detail: d}
	if s != nil {
		rec.Step, rec.System, rec.Because = s.Step.ID, s.Step.Key.System, s.Step.Because
	}
	if m.ev.What == Decide || m.ev.What == Begin {
		rec.By = m.ev.Human.By
	}
	m.out.Records = append(m.out.Records, rec)
}

// resume makes calls that were under way again, which say so by their attempt number: whatever has become of their run
// and of what they needed, since what they have brought about must be known. Whatever waits gets all its alarms anew:
// those of before died with the process. For how long a step has failed counts from now on: while nobody was here nobody
// tried.
func (m *machine) resume() {
	m.hours()
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s.State == dayone.StepPending || s.State.Over() {
			continue
		}
		if s.State == dayone.StepRunning {
			s.State, s.Next = dayone.StepRetrying, m.ev.At
			m.touched(i)
		}
		if !s.Failing.IsZero() {
			s.Failing = m.ev.At
			m.touched(i)
		}
		m.wake(s)
		m.limits(s)
	}
	m.deadlines()
}

// wake arms the alarm at which a step is called again by itself. What is due already, settle makes ready.
func (m *machine) wake(s *dayone.StepRun) {
	if s.Next.After(m.ev.At) {
		m.command(Command{Step: s.Step.ID, Alarm: s.Next})
	}
}

// hours arms the alarms of messages that wait for an instant.
func (m *machine) hours() {
	for i := range m.run.Steps {
		if s := &m.run.Steps[i]; s.State == dayone.StepPending && s.Step.After.After(m.ev.At) {
			m.command(Command{Step: s.Step.ID, Alarm: s.Step.After})
		}
	}
}

// limits arms what ends a wait: messages go when the patience with a task has ended, a system's wait fails in the end.
func (m *machine) limits(s *dayone.StepRun) {
	if s.Wait == nil {
		return
	}
	if s.Wait.Kind == dayone.WaitTask {
		if ends := s.Waited.Add(m.cfg.Patience); ends.After(m.ev.At) {
			m.command(Command{Step: s.Step.ID, Alarm: ends})
		}
	}
	if !s.Wait.Kind.Human() && !s.Wait.Until.IsZero() {
		m.command(Command{Step: s.Step.ID, Alarm: s.Wait.Until})
	}
}

// start turns a ready step into a call, if it is still wanted.
func (m *machine) start() {
	s, i := m.at(m.ev.Step)
	if s == nil || m.run.Ending != "" || m.run.State.Over() || m.run.State == dayone.RunHeld || !m.startable(s) {
		return
	}
	act, err := m.act(s)
	if err != nil {
		m.touched(i)
		m.fail(s, err)
		return
	}
	s.State, s.Started, s.Next, s.Error, s.Kind = dayone.StepRunning, m.ev.At, time.Time{}, "", ""
	s.Attempt++
	if s.Since.IsZero() {
		s.Since = m.ev.At
	}
	act.Attempt, act.Since = s.Attempt, s.Since
	s.Asked = nil
	if act.Want != nil {
		s.Asked = act.Want.Attrs
	}
	m.touched(i)
	m.command(Command{Step: s.Step.ID, Call: &act})
}

// startable says whether the step waits for nothing but a worker.
func (m *machine) startable(s *dayone.StepRun) bool {
	switch s.State {
	case dayone.StepPending:
		return !asks(s) && m.led(s) && m.met(s) == nil
	case dayone.StepRetrying, dayone.StepWaiting:
		return !s.Next.IsZero() && !m.ev.At.Before(s.Next)
	}
	return false
}

// met says which need is not met yet, or nil.
func (m *machine) met(s *dayone.StepRun) *dayone.Need {
	if !s.Step.After.IsZero() && !m.ev.At.Before(s.Step.After) {
		return nil // it does not wait any longer
	}
	for n := range s.Step.Needs {
		need := &s.Step.Needs[n]
		o, _ := m.at(need.Step)
		if o == nil {
			continue // not part of this run: it was so before
		}
		if brings(s, o) {
			continue
		}
		switch need.When {
		case dayone.Settled:
			if !m.settled(o, true, 0) {
				return need
			}
		case dayone.Tried:
			tried := o.Attempt > 1 || o.Attempt == 1 && o.State != dayone.StepRunning
			if !tried && !m.ahead(o) && !m.settled(o, false, 0) {
				return need
			}
		default:
			if !isThere(o) {
				return need
			}
		}
	}
	return nil
}

// isThere says that what the step brings is there: done, or made and waiting only for its owner's own act.
func isThere(s *dayone.StepRun) bool {
	return s.State == dayone.StepDone || s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There() && s.Result.Now != nil
}

// settled says that the step moves no more by itself, nor does what it hangs on. With patience a human's task is given
// some time first: its result is worth telling.
func (m *machine) settled(s *dayone.StepRun, patience bool, depth int) bool {
	switch {
	case s.State.Over():
		return true
	case s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.Human():
		return !patience || s.Wait.Kind != dayone.WaitTask || !m.ev.At.Before(s.Waited.Add(m.cfg.Patience))
	case s.State == dayone.StepPending && !m.led(s) && depth < len(m.run.Steps):
		return m.unled(s, patience, depth)
	case s.State == dayone.StepPending && depth < len(m.run.Steps):
		patient, moving := false, false
		for _, n := range s.Step.Needs {
			o, _ := m.at(n.Step)
			switch {
			case o == nil, brings(s, o):
			case n.When == dayone.Done:
				if !isThere(o) && !o.State.Over() && m.settled(o, patience, depth+1) {
					return true
				}
				moving = moving || !isThere(o)
			case n.When == dayone.Settled && !m.settled(o, true, depth+1):
				if m.settled(o, false, depth+1) {
					patient = true // only its patience has not run out
				} else {
					moving = true
				}
			}
		}
		return !patience && patient && !moving
	}
	return false
}

// alarm wakes what is due. Patience that ended is seen by settle.
func (m *machine) alarm() {
	s, i := m.at(m.ev.Step)
	if s == nil {
		return
	}
	m.overdue(s, i)
	if s.State != dayone.StepWaiting || !s.Parked.IsZero() || m.run.State == dayone.RunHeld || s.Wait == nil || s.Wait.Kind.Human() || s.Wait.Until.IsZero() || m.ev.At.Before(s.Wait.Until) {
		return // a human is late, never out of time
	}
	m.touched(i)
	m.fail(s, fmt.Errorf("%s did not end in time: %s: %w", s.Wait.Kind, s.Wait.Note, dayone.ErrUnavailable))
}
