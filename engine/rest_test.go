package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// reads counts the runs that are read again one by one, and may fail to.
type reads struct {
	*store.DB
	n      atomic.Int64
	broken atomic.Bool
}

func (r *reads) Run(ctx context.Context, id dayone.RunID) (dayone.Run, error) {
	r.n.Add(1)
	if r.broken.Load() {
		return dayone.Run{}, errors.New("the line is cut")
	}
	return r.DB.Run(ctx, id)
}

// resting is a driver that keeps so many idle runs in memory.
func resting(t *testing.T, db *store.DB, k engine.Keeper, atHand int, targets map[string]*target) (*reads, *bench, chan error) {
	t.Helper()
	counted := &reads{DB: db}
	d := &engine.Driver{Store: counted, Clock: clock.System{}, Keeper: k, Config: engine.DefaultConfig, AtHand: atHand, Target: func(s string) (engine.Target, bool) {
		one, ok := targets[s]
		return one, ok
	}}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	ended := make(chan struct{})
	go func() { defer close(ended); over <- d.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return counted, &bench{t: t, store: db, driver: d}, over
}

// byHand leaves its first step to a human.
func byHand() *target {
	return &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Key.Name == "hers" {
			return dayone.Result{Wait: &dayone.Wait{Kind: dayone.WaitTask, Note: "by hand"}}, nil
		}
		return done(a), nil
	}}
}

func handed() dayone.Plan {
	return dayone.Plan{Steps: []dayone.Step{step("hr/group:hers"), step("hr/group:next", "hr/group:hers")}}
}

func TestARunThatWaitsRestsUntilItsHumanHasActed(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	counted, b, _ := resting(t, db, k, -1, map[string]*target{"hr": byHand()})
	const runs = 20
	for i := range runs {
		if err := b.driver.Start(t.Context(), aRun(fmt.Sprint(i), handed())); err != nil {
			t.Fatal(err)
		}
	}
	for i := range runs {
		if r := b.finish(dayone.RunID(fmt.Sprint("run_", i))); r.State != dayone.RunWaiting {
			t.Fatalf("%s is %s", r.ID, r.State)
		}
	}
	if err := b.driver.Start(t.Context(), func() dayone.Run { r := aRun("again", handed()); r.Person = "per_7"; return r }()); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second run of somebody whose run rests: %v", err)
	}
	before := counted.n.Load()
	if err := b.driver.Decide(t.Context(), "run_7", "hr/group:hers", engine.Human{By: "kim", Verb: engine.Complete}); err != nil {
		t.Fatal(err)
	}
	if counted.n.Load() == before {
		t.Error("a run that rested was decided on without being read: it never rested")
	}
	b.finishAs("run_7", dayone.RunDone)
	if r, err := b.driver.Snapshot(t.Context(), "run_8"); err != nil || r.State != dayone.RunWaiting || len(r.Steps) != 2 || r.Steps[0].Wait == nil {
		t.Errorf("a run at rest is shown as %+v, %v", r, err)
	}
}

func TestTheEngineEndsIfARunAtRestCannotBeRead(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	counted, b, over := resting(t, db, k, -1, map[string]*target{"hr": byHand()})
	if err := b.driver.Start(t.Context(), aRun("1", handed())); err != nil {
		t.Fatal(err)
	}
	b.finishAs("run_1", dayone.RunWaiting)
	if err := b.driver.Start(t.Context(), aRun("2", handed())); err != nil { // by now the first one rests
		t.Fatal(err)
	}
	counted.broken.Store(true)
	complete := engine.Human{By: "kim", Verb: engine.Complete}
	if err := b.driver.Decide(t.Context(), "run_1", "hr/group:hers", complete); !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("a decision that nobody could carry out is answered %v", err)
	}
	if err := <-over; !errors.Is(err, dayone.ErrUnavailable) {
		t.Errorf("the engine ends with %v", err)
	}
	_, b, _ = resting(t, db, k, 0, map[string]*target{"hr": byHand()})
	if err := b.driver.Decide(t.Context(), "run_1", "hr/group:hers", complete); err != nil {
		t.Error(err)
	}
	b.finishAs("run_1", dayone.RunDone)
}

// More runs than are read at once, and more than are kept at hand: a start takes up every one,
// and makes every call that was under way again.
func TestAStartTakesUpMoreRunsThanItReadsAtOnce(t *testing.T) {
	t.Parallel()
	for _, atHand := range []int{-1, 0} {
		db, k := newStore(t, sqlite(t))
		const runs = 600
		var left []dayone.Progress
		for i := range runs {
			r := aRun(fmt.Sprintf("%04d", i), dayone.Plan{Steps: []dayone.Step{step("hr/group:a"), step("hr/group:b", "hr/group:a")}})
			r.State, r.Machine = dayone.RunRunning, engine.Version
			r.Plan.Steps[0].Once, r.Plan.Steps[1].Once = string(r.ID)+"a", string(r.ID)+"b"
			called := dayone.StepRun{Step: r.Plan.Steps[0], State: dayone.StepRunning, Attempt: 1}
			left = append(left, dayone.Progress{Run: r, New: true, Steps: []dayone.StepChange{{StepRun: called}}})
		}
		if err := db.Commit(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		_, b, _ := resting(t, db, k, atHand, map[string]*target{"hr": {apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
			if a.Key.Name == "a" && a.Attempt != 2 {
				t.Errorf("a call that was under way is made again as attempt %d", a.Attempt)
			}
			return done(a), nil
		}, width: 20}})
		for i := range runs {
			b.finishAs(dayone.RunID(fmt.Sprintf("run_%04d", i)), dayone.RunDone)
		}
	}
}

func TestWhoCameFirstIsThroughFirst(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var order []string
	first := make(chan struct{})
	_, b, _ := resting(t, db, k, 0, map[string]*target{"hr": {apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if order = append(order, a.Once); len(order) == 1 { // one call at a time: nobody else writes
			<-first
		}
		return done(a), nil
	}, width: 1}})
	for _, id := range []string{"a", "b", "c"} {
		r := aRun(id, dayone.Plan{Steps: []dayone.Step{step("hr/group:1"), step("hr/group:2", "hr/group:1")}})
		r.Plan.Steps[0].Once, r.Plan.Steps[1].Once = id+"1", id+"2"
		if err := b.driver.Start(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	close(first)
	for _, id := range []string{"a", "b", "c"} {
		b.finishAs(dayone.RunID("run_"+id), dayone.RunDone)
	}
	if got := fmt.Sprint(order); got != "[a1 a2 b1 b2 c1 c2]" {
		t.Errorf("called in the order %s", got)
	}
}
