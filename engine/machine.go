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
			w.Note = fmt.Sprintf("%s. The account %s is bound to nobody we know. If it is theirs, complete this task with %s = %s; if not, free the name there and retry.",
				note, f.Found.Ref, adopt, f.Found.Ref)
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
		s.Error = "given up: the run was " + string(r.Ending)
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
