package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// Unfinished are the runs that are not over, by id: id, person, state and machine of each.
	Unfinished(ctx context.Context) ([]dayone.Run, error)
	// RunsOf are runs by their ids, whole, in the order asked for; ErrNotFound if one is not there.
	RunsOf(ctx context.Context, ids []dayone.RunID) ([]dayone.Run, error)
	// Owner is who an account is, or ever was, bound to.
	Owner(ctx context.Context, system, ref string) (dayone.PersonID, bool, error)
	// Run is one run, whole; ErrNotFound if there is none.
	Run(ctx context.Context, id dayone.RunID) (dayone.Run, error)
	// Newest is the run of a person that began last; ErrNotFound if she never had one.
	Newest(ctx context.Context, person dayone.PersonID) (dayone.RunID, error)
	// Secret is the box of a secret made earlier.
	Secret(ctx context.Context, id dayone.SecretID) (box string, found bool, err error)
	// Standing is what holds, or will hold, for calls to systems.
	Standing(ctx context.Context, now time.Time) (dayone.Standing, error)
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

// Driver is the embedded driver: one writer that takes what has come, commits once, then acts.
type Driver struct {
	Store   Store
	Clock   Clock
	Keeper  Keeper
	Compose Composer // may be nil: then messages go as they are
	Target  func(system string) (Target, bool)
	Config  Config
	Care    map[string]Care // by system
	Log     *slog.Logger
	// AtHand is how many runs that nothing happens to just now stay in memory. 0: 512; negative: none, which tests want.
	AtHand int
	// Leads, if set, is asked before each call whether this process may still act on what it knows. Its error ends the driver.
	Leads func(context.Context) error
	// Batch, if set, is told the size of each commit.
	Batch func(events int, took time.Duration)

	once  sync.Once
	in    chan input
	done  chan struct{}
	watch watchers
}

const maxBatch = 512

type input struct {
	run   dayone.RunID
	fresh *dayone.Run // a new run
	ev    Event
	reply chan error // told after the commit, if set
	ask   chan dayone.Run
	load  chan Load

	probed  string // a system that was asked whether it is there; ev.Err is what it says
	reorder bool   // orders about systems have changed
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
	l := &loop{Driver: d, ctx: ctx, landed: make(chan error, 1), displaced: make(chan error, 1), runs: map[dayone.RunID]*live{}, people: map[dayone.PersonID]dayone.RunID{}, behind: map[dayone.RunID][]input{}, systems: map[string]*system{}, locks: map[string]bool{}, bound: map[account]dayone.PersonID{}}
	err := l.recover()
	if err == nil {
		err = l.work()
	}
	if l.flying != nil { // whoever begins next reads what this one has stored, all of it
		<-l.landed
	}
	if ctx.Err() != nil {
		return nil // stopped from outside: what was not answered was not done
	}
	return err
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
func (d *Driver) Start(ctx context.Context, r dayone.Run) error { return d.StartBy(ctx, r, Human{}) }

// StartBy begins a run that somebody asked for, and writes their hold with it.
func (d *Driver) StartBy(ctx context.Context, r dayone.Run, h Human) error {
	r.Machine = Version
	if len(r.Steps) == 0 {
		r.Steps = make([]dayone.StepRun, 0, len(r.Plan.Steps))
		for _, s := range r.Plan.Steps {
			r.Steps = append(r.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
		}
	}
	return d.sendAndWait(ctx, input{run: r.ID, fresh: &r, ev: Event{What: Begin, Human: h}})
}

// Decide tells a human's decision about a step, or about the run if step is "". A decision that cannot be carried out is an
// error that says what to do instead: ErrConflict for the most part, ErrInvalid if something is missing from it, ErrNotFound
// if there is no such run. ErrOver, which is an ErrConflict too: the run has ended, and what it wanted and what its books say
// is of then; plan the person again. What an incomplete run has lost may still be skipped, and retried as long as its
// person has had no other run since: whoever retries must know that it is still wanted. Superseding a run that is over has
// nothing to do.
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
