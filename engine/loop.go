package engine

import (
	"container/heap"
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// The loop has all runs in memory that move, and is the only one that changes them.

// live is a run in memory, with what of it is not on its way to the disk yet.
type live struct {
	run    dayone.Run // put away: id, person and state
	index  map[dayone.StepID]int
	place  *list.Element          // in loop.laid; nil: put away
	turn   uint64                 // when it came to this loop, among runs
	queued map[dayone.StepID]bool // ready, waiting for a worker
	fresh  bool                   // it was never stored
	moved  bool
	steps  []int
	rest   dayone.Progress // holdings, records, tasks and secrets, in order
	dirty  bool            // it is in loop.dirty
	aloft  bool            // it is in loop.flying
}

type loop struct {
	*Driver
	ctx     context.Context
	runs    map[dayone.RunID]*live
	turns   uint64
	laid    list.List                        // of *live: those in memory, the one that moved last first
	unread  error                            // a run could not be read again
	people  map[dayone.PersonID]dayone.RunID // one run a person at a time
	behind  map[dayone.RunID][]input         // new runs of people whose run has ended and is not forgotten yet
	systems map[string]*system
	names   []string // of systems, in order of first use: dispatch is fair and repeatable
	locks   map[string]bool
	alarms  alarms
	ready   bool // something became ready since the last look

	orders []dayone.Order              // about systems, that hold or will
	aside  dayone.Progress             // what is to be kept and is of no run
	bound  map[account]dayone.PersonID // bindings on their way to the disk, which the store does not know yet

	// what the next commit brings, and what is to be done once it is durable
	dirty   []*live
	calls   []call
	replies []reply
	// the commit under way; the machine goes on meanwhile, but nothing of it is done before its own commit
	flying *batch
	landed chan error

	displaced chan error // another process leads
}

// batch is one commit and what follows from it.
type batch struct {
	changes []dayone.Progress
	runs    []*live
	calls   []call
	replies []reply
	began   time.Time
}

type call struct {
	run  *live
	step dayone.StepID
	act  dayone.Act
}

type reply struct {
	to  chan error
	err error
	ask chan dayone.Run // instead of to
	run dayone.Run
}

func (l *loop) adopt(r dayone.Run) *live {
	l.turns++
	lv := &live{queued: map[dayone.StepID]bool{}, turn: l.turns}
	l.spread(lv, r)
	l.runs[r.ID] = lv
	if !r.State.Over() || r.State == "" { // one that is over, and decided on afterwards, is in nobody's way
		l.people[r.Person] = r.ID
	}
	for i := range r.Steps {
		if !r.Steps[i].Parked.IsZero() {
			l.keepParked(lv, i)
		}
	}
	return lv
}

// forget drops a run that is over.
func (l *loop) forget(lv *live) {
	delete(l.runs, lv.run.ID)
	l.laid.Remove(lv.place)
	if l.people[lv.run.Person] == lv.run.ID {
		delete(l.people, lv.run.Person)
	}
	next := l.behind[lv.run.ID]
	delete(l.behind, lv.run.ID)
	for _, in := range next {
		l.take(in)
	}
}

func (l *loop) work() error {
	for {
		var woken <-chan struct{}
		stop := func() {}
		if at, ok := l.alarms.next(); ok {
			woken, stop = l.Clock.After(at)
		}
		select {
		case <-l.ctx.Done():
			stop()
			return nil
		case in := <-l.in:
			l.take(in)
		case <-woken:
		case err := <-l.displaced:
			stop()
			return err
		case err := <-l.landed:
			if err := l.arrive(err); err != nil {
				stop()
				return err
			}
		}
		stop()
		for n := 1; n < maxBatch; n++ {
			select {
			case in := <-l.in:
				l.take(in)
				continue
			default:
			}
			break
		}
		l.ring()
		l.gates()
		l.dispatchAll()
		if l.unread != nil {
			return l.unread
		}
		l.tidy()
		if l.flying != nil {
			continue
		}
		if err := l.depart(); err != nil {
			return err
		}
	}
}

// take feeds one input to its run.
func (l *loop) take(in input) {
	switch {
	case in.load != nil:
		in.load <- l.load()
		return
	case in.probed != "":
		l.probed(in)
		return
	case in.reorder:
		l.replies = append(l.replies, reply{to: in.reply, err: l.reorder()})
		return
	}
	if in.ask != nil {
		if lv := l.runs[in.run]; lv != nil && l.lay(lv) == nil { // answered when it is durable: what is shown has happened
			l.replies = append(l.replies, reply{ask: in.ask, run: snapshot(lv.run)})
			return
		}
		close(in.ask)
		return
	}
	if in.fresh != nil {
		if l.runs[in.run] != nil {
			in.reply <- fmt.Errorf("run %s is there already: %w", in.run, dayone.ErrConflict)
			return
		}
		if other, ok := l.people[in.fresh.Person]; ok {
			if lv := l.runs[other]; lv != nil && lv.run.State.Over() { // its end is durable, or about to be: whoever read so is right
				l.behind[other] = append(l.behind[other], in)
				return
			}
			in.reply <- fmt.Errorf("run %s of this person is under way: %w", other, dayone.ErrConflict)
			return
		}
		l.adopt(*in.fresh).fresh = true
	}
	if l.runs[in.run] == nil && in.ev.What == Decide { // it is over: the machine says what can still be decided
		r, err := l.Store.Run(l.ctx, in.run)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
			in.reply <- fmt.Errorf("run %s was never there: %w", in.run, dayone.ErrNotFound)
			return
		case err != nil:
			in.reply <- unread("run", err)
			return
		}
		l.adopt(r)
	}
	lv := l.runs[in.run]
	if lv == nil {
		return // an answer for a run that is over: nobody waits for it
	}
	if l.lay(lv) != nil {
		return // the driver ends, which whoever waits for a reply is told
	}
	var made []dayone.Sealed
	var refused error
	switch in.ev.What {
	case Answer:
		in.ev.Spare = l.back(in)
		l.noteCalls(lv, &in)
		if in.ev.Err == nil {
			in.ev.Err = l.claimed(lv, in.ev.Step, in.ev.Result.Now)
		}
		if in.ev.Err == nil {
			made, in.ev.Err = l.vendorSecrets(&in)
		}
	case Decide:
		if refused = l.mayBind(lv, in.ev); refused == nil {
			refused = l.mayTakeUp(lv, in.ev)
		}
	}
	if refused == nil {
		refused = l.feed(lv, in.ev)
	}
	if !lv.run.State.Over() {
		l.people[lv.run.Person] = lv.run.ID // also one that was taken up again
	}
	if len(made) > 0 {
		lv.rest.Secrets = append(lv.rest.Secrets, made...)
		l.mark(lv)
	}
	if lv.run.State.Over() && !lv.dirty && !lv.aloft {
		l.forget(lv) // taken up again for a decision that changed nothing
	}
	if in.reply != nil { // told when what it is about is durable, a refusal too: it may be read up
		l.replies = append(l.replies, reply{to: in.reply, err: refused})
	}
}

func unread(what string, err error) error {
	return fmt.Errorf("reading %s: %w: %w", what, err, dayone.ErrUnavailable)
}

// mayTakeUp refuses a retry in a run that is over once its person has had another one: its books are not true any more.
// Nothing waits for one that was cancelled then, either.
func (l *loop) mayTakeUp(lv *live, ev Event) error {
	if !lv.run.State.Over() || ev.Human.Verb != Retry && ev.Human.Verb != GoOn {
		return nil
	}
	newest, err := l.Store.Newest(l.ctx, lv.run.Person)
	switch other, under := l.people[lv.run.Person]; {
	case err != nil:
		return unread("the newest run of a person", err)
	case under && other != lv.run.ID:
		newest = other
	}
	if newest != lv.run.ID {
		return fmt.Errorf("run %s is %s, and run %s came after it: %w", lv.run.ID, lv.run.State, newest, ErrOver)
	}
	return nil
}

// back frees the worker and the lock of a call. It says whether its system was known to be down.
func (l *loop) back(in input) (down bool) {
	lv := l.runs[in.run]
	s := lv.run.Step(in.ev.Step)
	if s == nil {
		return false
	}
	l.system(s.Step.Key.System).busy--
	delete(l.locks, lockOf(s.Step))
	return l.hear(s.Step.Key.System, work{run: in.run, step: in.ev.Step}, in.ev.Err)
}

// feed runs the machine and keeps what it wants stored and done. The error is why it refused a decision.
func (l *loop) feed(lv *live, ev Event) error {
	if err := l.lay(lv); err != nil {
		return err
	}
	ev.At = l.Clock.Now()
	eff := next(&lv.run, lv.index, ev, l.Config)
	if eff.Refused != nil {
		return eff.Refused
	}
	for _, c := range eff.Commands {
		switch {
		case c.Ready:
			if !lv.queued[c.Step] {
				lv.queued[c.Step] = true
				l.ready = true
				s := lv.run.Step(c.Step)
				l.system(s.Step.Key.System).enqueue(work{lv.run.ID, c.Step, lockOf(s.Step), lv.turn})
			}
		case c.Call != nil:
			l.calls = append(l.calls, call{lv, c.Step, *c.Call})
		case !c.Alarm.IsZero():
			heap.Push(&l.alarms, alarm{c.Alarm, lv.run.ID, c.Step})
		}
	}
	r := &lv.rest
	lv.moved = lv.moved || eff.Moved
	for _, s := range eff.Steps {
		if !slices.Contains(lv.steps, s) {
			lv.steps = append(lv.steps, s)
		}
		l.keepParked(lv, s)
	}
	r.Holdings, r.Gone, r.Records = append(r.Holdings, eff.Holdings...), append(r.Gone, eff.Gone...), append(r.Records, eff.Records...)
	for _, t := range eff.Closed { // a store closes first: what was opened since the last commit must not come after
		r.Opened = slices.DeleteFunc(r.Opened, func(o dayone.Task) bool { return o.Once == t.Once })
	}
	r.Opened, r.Closed = append(r.Opened, eff.Opened...), append(r.Closed, eff.Closed...)
	r.Holds = append(r.Holds, eff.Holds...)
	for _, h := range eff.Holdings {
		if h.Key.IsAccount() && h.Ref != "" {
			l.bound[account{h.Key.System, h.Ref}] = lv.run.Person
		}
	}
	if lv.fresh || lv.moved || len(lv.steps)+len(r.Holdings)+len(r.Gone)+len(r.Records)+len(r.Opened)+len(r.Closed) > 0 {
		l.mark(lv)
	}
	return nil
}

// mark puts a run into the next commit.
func (l *loop) mark(lv *live) {
	if !lv.dirty {
		lv.dirty = true
		l.dirty = append(l.dirty, lv)
	}
}

// progress copies what of a run is to be stored, and starts a new leaf.
func (lv *live) progress() dayone.Progress {
	p := lv.rest
	p.Run, p.New, p.Moved = lv.run, lv.fresh, lv.moved
	p.Run.Steps = nil
	p.Steps = make([]dayone.StepChange, len(lv.steps))
	for i, s := range lv.steps {
		p.Steps[i] = dayone.StepChange{Seq: s, StepRun: lv.run.Steps[s]}
	}
	lv.rest, lv.fresh, lv.moved, lv.steps, lv.dirty = dayone.Progress{}, false, false, lv.steps[:0], false
	return p
}

// ring feeds the alarms that are due.
func (l *loop) ring() {
	now := l.Clock.Now()
	for len(l.alarms) > 0 && !l.alarms[0].at.After(now) {
		a := heap.Pop(&l.alarms).(alarm)
		if lv := l.runs[a.run]; lv != nil {
			_ = l.feed(lv, Event{What: Alarm, Step: a.step})
		}
	}
}

// depart sends everything that has gathered to the disk. One commit is under way at a time.
func (l *loop) depart() error {
	apart := len(l.aside.Records)+len(l.aside.Circuits) > 0
	if len(l.dirty)+len(l.calls)+len(l.replies) == 0 && !apart {
		return nil
	}
	f := &batch{calls: l.calls, replies: l.replies, began: time.Now(), changes: make([]dayone.Progress, len(l.dirty)), runs: l.dirty}
	for i, lv := range l.dirty {
		f.changes[i], lv.aloft = lv.progress(), true
	}
	if apart {
		f.changes = append(f.changes, l.aside)
		l.aside = dayone.Progress{}
	}
	l.dirty, l.calls, l.replies, l.flying = nil, nil, nil, f
	if len(f.changes) == 0 {
		l.landed <- nil
		return nil
	}
	go func() { l.landed <- l.Store.Commit(l.ctx, f.changes) }()
	return nil
}

// arrive acts on a commit that is durable now.
func (l *loop) arrive(err error) error {
	f := l.flying
	l.flying = nil
	if err != nil {
		return fmt.Errorf("storing runs: %w", err)
	}
	if l.Batch != nil && len(f.changes) > 0 {
		l.Batch(len(f.changes), time.Since(f.began))
	}
	for _, r := range f.replies {
		if r.ask != nil {
			r.ask <- r.run
			close(r.ask)
			continue
		}
		r.to <- r.err
	}
	for _, lv := range f.runs {
		lv.aloft = false
	}
	for i := range f.changes {
		c := &f.changes[i]
		if c.Run.ID == "" {
			continue // of no run
		}
		for _, h := range c.Holdings {
			delete(l.bound, account{h.Key.System, h.Ref})
		}
		u := Update{Run: c.Run.ID, State: c.Run.State}
		for _, s := range c.Steps {
			u.Steps = append(u.Steps, s.Step.ID)
		}
		if lv := l.runs[c.Run.ID]; lv != nil && c.Run.State.Over() && lv.run.State.Over() && !lv.dirty &&
			!slices.ContainsFunc(lv.run.Steps, func(s dayone.StepRun) bool { return s.State == dayone.StepRunning }) {
			l.forget(lv)
		}
		l.watch.tell(u)
	}
	for _, c := range f.calls {
		l.start(c)
	}
	return nil
}

// start makes the call in a goroutine of its own.
func (l *loop) start(c call) {
	t, ok := l.Target(c.act.Key.System)
	if !ok {
		t = missing{c.act.Key.System}
	}
	w := whose{person: c.run.run.Person}
	switch {
	case c.act.Action == dayone.MessageSend && l.Compose != nil:
		w.run = snapshot(c.run.run)
	case c.act.Action == dayone.AccountCreate:
		w.elsewhere = (&machine{run: &c.run.run}).elsewhere(c.act.Key)
	}
	id, attempt := c.run.run.ID, c.act.Attempt
	go func() {
		if l.Leads != nil {
			if err := l.Leads(l.ctx); err != nil {
				select {
				case l.displaced <- err:
				default: // said already
				}
				return
			}
		}
		res, err := l.call(t, w, c.act)
		if err != nil && l.ctx.Err() != nil {
			return // cut short by the stop: that is no answer of the system
		}
		log := l.Log.With("run", id, "step", c.step, "system", c.act.Key.System, "attempt", attempt)
		switch {
		case err != nil && !ok:
			log.Info("nothing is connected there: it is a task for somebody")
		case err != nil: // its kind alone: what a system says of somebody is in the run
			log.Warn("a call failed", "kind", kindWord(err))
		case res.Wait != nil:
			log.Info("a step waits", "for", res.Wait.Kind)
		default:
			log.Debug("a call is answered", "changed", res.Changed())
		}
		in := input{run: id, ev: Event{What: Answer, Step: c.step, Attempt: attempt, Result: res, Err: err}}
		_ = l.send(l.ctx, in) // a stopped engine finds the step running when it starts again
	}()
}

// kindWord is an error's kind as logs say it.
func kindWord(err error) string {
	if k := dayone.KindOf(err); k != nil {
		return k.Error()
	}
	return "internal"
}

func snapshot(r dayone.Run) dayone.Run {
	r.Steps = slices.Clone(r.Steps)
	return r
}
