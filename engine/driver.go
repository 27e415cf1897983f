package engine

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Target is one system, as the engine needs it. connector.Guard satisfies it.
type Target interface {
	Apply(ctx context.Context, a dayone.Act) (dayone.Result, error)
	Open() time.Time // the earliest instant at which it takes one more request; zero: now
	Width() int      // calls at the same time
}

// Store is all that the driver asks of a database.
type Store interface {
	// Commit writes a batch in one transaction. If it fails nothing of it is there, and the process must end.
	Commit(ctx context.Context, batch []dayone.Progress) error
	// Unfinished are the runs that are not over, with everything that Next needs.
	Unfinished(ctx context.Context) ([]dayone.Run, error)
	// Owner is who an account is, or ever was, bound to.
	Owner(ctx context.Context, system, ref string) (dayone.PersonID, bool, error)
	// Run is one run, whole; ErrNotFound if there is none.
	Run(ctx context.Context, id dayone.RunID) (dayone.Run, error)
	// Secret is the box of a secret made earlier.
	Secret(ctx context.Context, id dayone.SecretID) (box string, found bool, err error)
}

// Keeper makes, seals and opens secrets.
type Keeper interface {
	Make(recipe string) (dayone.Secret, error)
	Seal(dayone.Secret) (string, error)
	Open(box string) (dayone.Secret, error)
}

// Composer writes messages: it turns a template's name into subject and text, from the run as it stands.
type Composer interface {
	Compose(ctx context.Context, run dayone.Run, a dayone.Act) (dayone.Act, error)
}

// Clock tells the time and wakes. The demo's jumps; every other is the system's.
type Clock interface {
	Now() time.Time
	// After closes the channel at t or later. stop gives it back early.
	After(t time.Time) (woken <-chan struct{}, stop func())
}

// Update says that a run has moved and everything about it is durable.
type Update struct {
	Run   dayone.RunID
	Steps []dayone.StepID
	State dayone.RunState
}

// Driver is the embedded driver: one writer that takes what has come, commits once, then acts.
type Driver struct {
	Store   Store
	Clock   Clock
	Keeper  Keeper
	Compose Composer // may be nil: then messages go as they are
	Target  func(system string) (Target, bool)
	Config  Config
	Log     *slog.Logger
	// Batch, if set, is told the size of each commit.
	Batch func(events int, took time.Duration)

	once  sync.Once
	in    chan input
	done  chan struct{}
	watch watchers
}

// SecretIDOf is the id of an attribute that a step makes: the same over retries and runs of one grant.
func SecretIDOf(once, attr string) dayone.SecretID {
	return dayone.SecretID("sec_" + once + "." + attr)
}

const maxBatch = 512

type input struct {
	run   dayone.RunID
	fresh *dayone.Run // a new run
	ev    Event
	reply chan error // told after the commit, if set
	ask   chan dayone.Run
}

func (d *Driver) init() {
	d.once.Do(func() {
		d.in = make(chan input, maxBatch)
		d.done = make(chan struct{})
		if d.Log == nil {
			d.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Run works until ctx ends, or a commit fails: then the process must end, since memory and database differ.
func (d *Driver) Run(ctx context.Context) error {
	d.init()
	defer close(d.done)
	l := &loop{Driver: d, ctx: ctx, runs: map[dayone.RunID]*live{}, people: map[dayone.PersonID]dayone.RunID{}, systems: map[string]*system{}, locks: map[string]bool{}}
	if err := l.recover(); err != nil {
		return fmt.Errorf("resuming runs: %w", err)
	}
	return l.work()
}

var errStopped = errors.New("the engine has stopped")

func (d *Driver) send(ctx context.Context, in input) error {
	d.init()
	select {
	case d.in <- in:
		return nil
	case <-d.done:
		return fmt.Errorf("%w: %w", errStopped, dayone.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Driver) sendAndWait(ctx context.Context, in input) error {
	in.reply = make(chan error, 1)
	if err := d.send(ctx, in); err != nil {
		return err
	}
	select {
	case err := <-in.reply:
		return err
	case <-d.done:
		return fmt.Errorf("%w: %w", errStopped, dayone.ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Start begins a run. When it returns nil the run is durable.
func (d *Driver) Start(ctx context.Context, r dayone.Run) error {
	r.Machine = Version
	if len(r.Steps) == 0 {
		for _, s := range r.Plan.Steps {
			r.Steps = append(r.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
		}
	}
	return d.sendAndWait(ctx, input{run: r.ID, fresh: &r, ev: Event{What: Begin}})
}

// Decide tells a human's decision about a step, or about the run if step is "".
func (d *Driver) Decide(ctx context.Context, run dayone.RunID, step dayone.StepID, h Human) error {
	return d.sendAndWait(ctx, input{run: run, ev: Event{What: Decide, Step: step, Human: h}})
}

// Snapshot is a run in flight as it stands now; ErrNotFound if it is over.
func (d *Driver) Snapshot(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	ask := make(chan dayone.Run, 1)
	if err := d.send(ctx, input{run: id, ask: ask}); err != nil {
		return dayone.Run{}, err
	}
	select {
	case r, ok := <-ask:
		if !ok {
			return dayone.Run{}, dayone.ErrNotFound
		}
		return r, nil
	case <-d.done:
		return dayone.Run{}, errStopped
	case <-ctx.Done():
		return dayone.Run{}, ctx.Err()
	}
}

// Watch tells what moves in a run, or in all runs if id is "".
func (d *Driver) Watch(id dayone.RunID) *Watcher { return d.watch.add(id) }

// live is a run in memory.
type live struct {
	run    dayone.Run
	queued map[dayone.StepID]bool // ready, waiting for a worker
}

// system is a target's queue.
type system struct {
	queue []work
	busy  int
	shut  time.Time // until then its rate limit is exhausted
}

type work struct {
	run  dayone.RunID
	step dayone.StepID
	lock string
}

type loop struct {
	*Driver
	ctx     context.Context
	runs    map[dayone.RunID]*live
	people  map[dayone.PersonID]dayone.RunID // one run a person at a time
	systems map[string]*system
	names   []string // of systems, in order of first use: dispatch is fair and repeatable
	locks   map[string]bool
	alarms  alarms
	changes []dayone.Progress
	calls   []call
	replies []reply
	ready   bool // something became ready since the last look
}

type call struct {
	run  *live
	step dayone.StepID
	act  dayone.Act
}

type reply struct {
	to  chan error
	err error
}

func (l *loop) recover() error {
	runs, err := l.Store.Unfinished(l.ctx)
	if err != nil {
		return err
	}
	for i := range runs {
		l.adopt(runs[i])
		l.feed(runs[i].ID, Event{What: Resume})
	}
	return l.commit()
}

func (l *loop) adopt(r dayone.Run) *live {
	lv := &live{run: r, queued: map[dayone.StepID]bool{}}
	l.runs[r.ID], l.people[r.Person] = lv, r.ID
	return lv
}

// forget drops a run that is over.
func (l *loop) forget(lv *live) {
	delete(l.runs, lv.run.ID)
	delete(l.people, lv.run.Person)
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
		if err := l.commit(); err != nil {
			return fmt.Errorf("storing runs: %w", err)
		}
	}
}

// take feeds one input to its run.
func (l *loop) take(in input) {
	if in.ask != nil {
		if lv := l.runs[in.run]; lv != nil {
			in.ask <- snapshot(lv.run)
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
			in.reply <- fmt.Errorf("run %s of this person is under way: %w", other, dayone.ErrConflict)
			return
		}
		l.adopt(*in.fresh)
	}
	if l.runs[in.run] == nil && in.ev.What == Decide { // a run that is over may be taken up again
		if r, err := l.Store.Run(l.ctx, in.run); err == nil {
			if _, other := l.people[r.Person]; other {
				in.reply <- fmt.Errorf("another run of this person is under way: %w", dayone.ErrConflict)
				return
			}
			l.adopt(r)
		}
	}
	if l.runs[in.run] == nil {
		if in.reply != nil {
			in.reply <- fmt.Errorf("run %s is over or was never there: %w", in.run, dayone.ErrNotFound)
		}
		return
	}
	var made []dayone.Sealed
	if in.ev.What == Answer {
		l.back(in)
		var err error
		if made, err = l.vendorSecrets(&in); err != nil {
			in.ev.Err = err
		}
	}
	l.feed(in.run, in.ev)
	lv := l.runs[in.run]
	for _, s := range made {
		l.seal(&lv.run, s)
	}
	if lv.run.State.Over() && !slices.ContainsFunc(l.changes, func(p dayone.Progress) bool { return p.Run == &lv.run }) {
		l.forget(lv) // taken up again for a decision that changed nothing
	}
	if in.reply != nil {
		l.replies = append(l.replies, reply{in.reply, nil})
	}
}

// back frees the worker and the lock of a call.
func (l *loop) back(in input) {
	lv := l.runs[in.run]
	s := lv.run.Step(in.ev.Step)
	if s == nil {
		return
	}
	l.system(s.Step.Key.System).busy--
	delete(l.locks, lockOf(s.Step))
}

// vendorSecrets seals what a vendor made, in the transaction of its answer.
func (l *loop) vendorSecrets(in *input) ([]dayone.Sealed, error) {
	lv := l.runs[in.run]
	step := lv.run.Step(in.ev.Step)
	if step == nil || len(in.ev.Result.Secrets) == 0 {
		return nil, nil
	}
	var out []dayone.Sealed
	for _, name := range slices.Sorted(maps.Keys(in.ev.Result.Secrets)) {
		box, err := l.Keeper.Seal(in.ev.Result.Secrets[name])
		if err != nil {
			return nil, fmt.Errorf("sealing a secret of %s: %w", in.ev.Step, err)
		}
		out = append(out, dayone.Sealed{ID: SecretIDOf(step.Step.Once, name), Person: lv.run.Person, Box: box})
	}
	in.ev.Result.Secrets = nil
	return out, nil
}

func lockOf(s dayone.Step) string {
	if s.Lock == "" {
		return ""
	}
	return s.Key.System + " " + s.Lock
}

func (l *loop) system(name string) *system {
	s := l.systems[name]
	if s == nil {
		s = &system{}
		l.systems[name] = s
		l.names = append(l.names, name)
	}
	return s
}

// feed runs the machine and keeps what it wants stored and done.
func (l *loop) feed(id dayone.RunID, ev Event) {
	lv := l.runs[id]
	ev.At = l.Clock.Now()
	eff := Next(&lv.run, ev, l.Config)
	for _, c := range eff.Commands {
		switch {
		case c.Ready:
			if !lv.queued[c.Step] {
				lv.queued[c.Step] = true
				l.ready = true
				s := lv.run.Step(c.Step)
				q := l.system(s.Step.Key.System)
				q.queue = append(q.queue, work{id, c.Step, lockOf(s.Step)})
			}
		case c.Call != nil:
			l.calls = append(l.calls, call{lv, c.Step, *c.Call})
		case !c.Alarm.IsZero():
			heap.Push(&l.alarms, alarm{c.Alarm, id, c.Step})
		}
	}
	l.merge(eff.Progress)
}

// merge keeps one change per run and batch: the last state of each row is enough.
func (l *loop) merge(p dayone.Progress) {
	if !p.New && !p.Moved && len(p.Steps)+len(p.Holdings)+len(p.Gone)+len(p.Records)+len(p.Opened)+len(p.Closed) == 0 {
		return
	}
	for i := range l.changes {
		o := &l.changes[i]
		if o.Run != p.Run {
			continue
		}
		for _, s := range p.Steps {
			if !slices.Contains(o.Steps, s) {
				o.Steps = append(o.Steps, s)
			}
		}
		o.Holdings = append(o.Holdings, p.Holdings...)
		o.Gone = append(o.Gone, p.Gone...)
		o.Records = append(o.Records, p.Records...)
		o.Opened = append(o.Opened, p.Opened...)
		o.Closed = append(o.Closed, p.Closed...)
		o.Moved = o.Moved || p.Moved
		return
	}
	l.changes = append(l.changes, p)
}

// ring feeds the alarms that are due.
func (l *loop) ring() {
	now := l.Clock.Now()
	for len(l.alarms) > 0 && !l.alarms[0].at.After(now) {
		a := heap.Pop(&l.alarms).(alarm)
		if l.runs[a.run] != nil {
			l.feed(a.run, Event{What: Alarm, Step: a.step})
		}
	}
}

// dispatch starts what is ready and has a worker, a token and its lock: only then is it marked started, in the same
// commit as what made it ready.
func (l *loop) dispatch() {
	now := l.Clock.Now()
	for _, name := range l.names {
		s := l.systems[name]
		if len(s.queue) == 0 {
			continue
		}
		t, ok := l.Target(name)
		if !ok {
			t = missing{name}
		}
		left := s.queue[:0]
		for i, w := range s.queue {
			lv := l.runs[w.run]
			switch {
			case lv == nil:
				continue
			case s.busy >= t.Width():
				left = append(left, s.queue[i:]...)
			case w.lock != "" && l.locks[w.lock]:
				left = append(left, w)
				continue
			default:
				if open := t.Open(); open.After(now) {
					if open.After(s.shut) {
						s.shut = open
						heap.Push(&l.alarms, alarm{at: open})
					}
					left = append(left, s.queue[i:]...)
					break
				}
				delete(lv.queued, w.step)
				before := len(l.calls)
				l.feed(w.run, Event{What: Start, Step: w.step})
				if len(l.calls) > before {
					s.busy++
					if w.lock != "" {
						l.locks[w.lock] = true
					}
				}
				continue
			}
			break
		}
		s.queue = slices.Clip(left)
	}
}

// missing stands for a system without a connector: its steps become tasks, never a silent skip.
type missing struct{ name string }

func (m missing) Apply(context.Context, dayone.Act) (dayone.Result, error) {
	return dayone.Result{}, &dayone.Fault{System: m.name, Op: "calling", Err: dayone.ErrUnsupported, Detail: "no connector is configured for it",
		Next: "do it by hand and complete this task, or configure the system and retry the step"}
}
func (missing) Open() time.Time { return time.Time{} }
func (missing) Width() int      { return 1 }

// commit makes everything durable, then acts.
func (l *loop) commit() error {
	for l.ready = true; l.ready; {
		l.ready = false
		l.dispatch()
	}
	for i := range l.calls {
		if err := l.secrets(&l.calls[i]); err != nil {
			return err
		}
	}
	if len(l.changes) > 0 {
		began := time.Now()
		if err := l.Store.Commit(l.ctx, l.changes); err != nil {
			if l.ctx.Err() != nil {
				return nil // stopped from outside: nothing of the batch is there, nothing of it was done
			}
			return err
		}
		if l.Batch != nil {
			l.Batch(len(l.changes), time.Since(began))
		}
	}
	for _, r := range l.replies {
		r.to <- r.err
	}
	for i := range l.changes {
		c := &l.changes[i]
		u := Update{Run: c.Run.ID, State: c.Run.State}
		for _, s := range c.Steps {
			u.Steps = append(u.Steps, c.Run.Steps[s].Step.ID)
		}
		l.watch.tell(u)
		if c.Run.State.Over() && !slices.ContainsFunc(c.Run.Steps, func(s dayone.StepRun) bool { return s.State == dayone.StepRunning }) {
			l.forget(l.runs[c.Run.ID])
		}
	}
	for _, c := range l.calls {
		l.start(c)
	}
	clear(l.changes)
	clear(l.calls)
	l.changes, l.calls, l.replies = l.changes[:0], l.calls[:0], l.replies[:0]
	return nil
}

// secrets makes what a step needs, seals it with the intent, and opens it for the call. A retry gets the same one.
func (l *loop) secrets(c *call) error {
	if c.act.Want == nil {
		return nil
	}
	for _, name := range c.act.Want.Attrs.Names() {
		v := c.act.Want.Attrs[name]
		if v.Kind != dayone.SecretValue {
			continue
		}
		id := SecretIDOf(c.act.Once, name)
		box, found, err := l.Store.Secret(l.ctx, id)
		if err != nil {
			return err
		}
		var sec dayone.Secret
		if found {
			if sec, err = l.Keeper.Open(box); err != nil {
				return fmt.Errorf("opening a secret of %s: %w", c.step, err)
			}
		} else {
			if sec, err = l.Keeper.Make(v.Text); err != nil {
				return fmt.Errorf("making a secret for %s: %w", c.step, err)
			}
			if box, err = l.Keeper.Seal(sec); err != nil {
				return err
			}
			l.seal(&c.run.run, dayone.Sealed{ID: id, Person: c.run.run.Person, Box: box})
		}
		if c.act.Secrets == nil {
			c.act.Secrets = map[string]dayone.Secret{}
		}
		c.act.Secrets[name] = sec
	}
	return nil
}

func (l *loop) seal(r *dayone.Run, s dayone.Sealed) {
	for i := range l.changes {
		if l.changes[i].Run == r {
			l.changes[i].Secrets = append(l.changes[i].Secrets, s)
			return
		}
	}
	l.changes = append(l.changes, dayone.Progress{Run: r, Secrets: []dayone.Sealed{s}})
}

// start makes the call in a goroutine of its own.
func (l *loop) start(c call) {
	t, ok := l.Target(c.act.Key.System)
	if !ok {
		t = missing{c.act.Key.System}
	}
	var run dayone.Run
	if c.act.Action == dayone.MessageSend && l.Compose != nil {
		run = snapshot(c.run.run)
	}
	id, attempt := c.run.run.ID, c.act.Attempt
	go func() {
		res, err := l.call(t, run, c.act)
		in := input{run: id, ev: Event{What: Answer, Step: c.step, Attempt: attempt, Result: res, Err: err}}
		_ = l.send(l.ctx, in) // a stopped engine finds the step running when it starts again
	}()
}

func (l *loop) call(t Target, run dayone.Run, a dayone.Act) (res dayone.Result, err error) {
	defer func() {
		if p := recover(); p != nil { // a connector's fault must not take everybody's runs with it
			err = &dayone.Fault{System: a.Key.System, Op: string(a.Action), Detail: fmt.Sprintf("the connector broke: %v", p), Err: dayone.ErrInvalid}
		}
	}()
	if a.Action == dayone.MessageSend && l.Compose != nil {
		if a, err = l.Compose.Compose(l.ctx, run, a); err != nil {
			return res, fmt.Errorf("writing %s: %w", a.Key, err)
		}
	}
	res, err = t.Apply(l.ctx, a)
	var f *dayone.Fault
	if errors.Is(err, dayone.ErrConflict) && errors.As(err, &f) && f.Found != nil && l.adoptable(a, *f.Found) {
		a.Subject = dayone.Subject{Ref: f.Found.Ref}
		res, err = t.Apply(l.ctx, a)
	}
	return res, err
}

// adoptable: a match by mail or login is ours without a human only if the account was made after this hire was
// recorded and is bound to nobody, nor ever was.
func (l *loop) adoptable(a dayone.Act, found dayone.Item) bool {
	if a.Subject.Recorded.IsZero() || !found.Created.After(a.Subject.Recorded) || found.Attrs.Text("employee_number") != "" {
		return false
	}
	_, bound, err := l.Store.Owner(l.ctx, a.Key.System, found.Ref)
	return err == nil && !bound
}

func snapshot(r dayone.Run) dayone.Run {
	r.Steps = slices.Clone(r.Steps)
	return r
}

// alarms are a heap by time. An alarm without a run wakes the loop itself: a rate limit has opened.
type alarm struct {
	at   time.Time
	run  dayone.RunID
	step dayone.StepID
}

type alarms []alarm

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (a alarms) next() (time.Time, bool) {
	if len(a) == 0 {
		return time.Time{}, false
	}
	return a[0].at, true
}

// watchers are told after each commit.
type watchers struct {
	mu   sync.Mutex
	list []*Watcher
}

// Watcher collects what moves. A reader that is slow finds several updates of a run merged into one, the last state in
// it: nothing is lost, and nobody waits for it.
type Watcher struct {
	run   dayone.RunID
	all   *watchers
	ready chan struct{}

	mu      sync.Mutex
	pending []Update
}

func (w *watchers) add(id dayone.RunID) *Watcher {
	one := &Watcher{run: id, all: w, ready: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, one)
	return one
}

// Ready gives a value when there is something to take.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take empties it.
func (w *Watcher) Take() []Update {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.pending
	w.pending = nil
	return out
}

// Stop ends it.
func (w *Watcher) Stop() {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	w.all.list = slices.DeleteFunc(w.all.list, func(o *Watcher) bool { return o == w })
}

func (w *Watcher) put(u Update) {
	w.mu.Lock()
	i := slices.IndexFunc(w.pending, func(o Update) bool { return o.Run == u.Run })
	if i < 0 {
		w.pending = append(w.pending, u)
	} else {
		o := &w.pending[i]
		o.State = u.State
		for _, s := range u.Steps {
			if !slices.Contains(o.Steps, s) {
				o.Steps = append(o.Steps, s)
			}
		}
	}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watchers) tell(u Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.list {
		if one.run == "" || one.run == u.Run {
			one.put(u)
		}
	}
}
