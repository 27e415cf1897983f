package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Stories of systems in trouble, with a clock that jumps.

// asked is a target that can be asked whether it is there.
type asked struct {
	*target
	check  func() error
	checks atomic.Int64
}

func (a *asked) Check(context.Context) error {
	a.checks.Add(1)
	return a.check()
}

// story is a driver on a clock of its own.
type story struct {
	*bench
	clock *clock.Moved
}

func newStory(t *testing.T, db *store.DB, k engine.Keeper, clk *clock.Moved, care map[string]engine.Care, targets map[string]engine.Target) *story {
	t.Helper()
	cfg := engine.DefaultConfig
	cfg.Base = time.Millisecond
	d := &engine.Driver{Store: db, Clock: clk, Keeper: k, Config: cfg, Care: care, Target: func(s string) (engine.Target, bool) {
		one, ok := targets[s]
		return one, ok
	}}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- d.Run(ctx) }()
	b := &bench{t: t, store: db, driver: d}
	b.stop = sync.OnceValue(func() error {
		cancel()
		return <-over
	})
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
	return &story{bench: b, clock: clk}
}

func (s *story) starts(id string, steps ...dayone.Step) {
	s.t.Helper()
	if err := s.driver.Start(context.Background(), aRun(id, dayone.Plan{Steps: steps})); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for something about a run; each move of any run is looked at.
func (s *story) until(what string, ok func() bool) {
	s.t.Helper()
	w := s.driver.Watch("")
	defer w.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond) // breakers move without a run
	defer again.Stop()
	for !ok() {
		select {
		case <-w.Ready():
			w.Take()
		case <-again.C:
		case <-deadline.C:
			s.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (s *story) run(id string) dayone.Run {
	s.t.Helper()
	r, err := s.store.Run(context.Background(), dayone.RunID("run_"+id))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *story) circuit(system string) dayone.Circuit {
	s.t.Helper()
	st, err := s.store.Standing(context.Background(), s.clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(st.Circuits, func(c dayone.Circuit) bool { return c.System == system })
	if i < 0 {
		return dayone.Circuit{}
	}
	return st.Circuits[i]
}

func (s *story) order(o dayone.Order) dayone.Order {
	s.t.Helper()
	o.ID, o.Made, o.By, o.Reason = dayone.OrderID("ord_"+string(o.Kind)+o.System), s.clock.Now(), "kim", "CHG-1"
	if o.From.IsZero() {
		o.From = o.Made
	}
	if err := s.store.SaveOrder(context.Background(), o); err != nil {
		s.t.Fatal(err)
	}
	if err := s.driver.Reorder(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *story) lift(o dayone.Order) {
	s.t.Helper()
	if err := s.store.LiftOrder(context.Background(), o.ID, s.clock.Now(), "kim", "over"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.driver.Reorder(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) ledger(system string) []string {
	s.t.Helper()
	lines, err := s.store.Records(context.Background(), store.RecordFilter{System: system})
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, l := range slices.Backward(lines) {
		out = append(out, l.What)
	}
	return out
}

var born atomic.Int64

// own is the answer of a system in which every account is another one.
func own(a dayone.Act) dayone.Result {
	r := done(a)
	if r.Now != nil && a.Key.IsAccount() {
		if r.Now.Ref = a.Want.Ref; r.Now.Ref == "" {
			r.Now.Ref = fmt.Sprint("n", born.Add(1))
		}
	}
	return r
}

func owns(_ context.Context, a dayone.Act) (dayone.Result, error) { return own(a), nil }

var eight = time.Date(2024, 11, 22, 8, 0, 0, 0, time.UTC)

func silence(system, code string) error {
	return &dayone.Fault{System: system, Op: "calling", Err: dayone.ErrUnavailable, Code: code}
}

func allParked(r dayone.Run, system string) bool {
	return !slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.Step.Key.System == system && s.Parked.IsZero() })
}

// Ten minutes of outage: after a few failures nobody calls any more, whatever waits keeps its tries, one probe after the
// other asks, and with the first answer all go on. Nobody of another system notices.
func TestAnOutageOfTenMinutes(t *testing.T) {
	t.Parallel()
	for _, canCheck := range []bool{true, false} {
		t.Run(fmt.Sprint("it can be asked: ", canCheck), func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, sqlite(t))
			var up atomic.Bool
			okta := &target{width: 2, apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
				if !up.Load() {
					return dayone.Result{}, silence("okta", "HTTP 503")
				}
				return own(a), nil
			}}
			c := &asked{target: okta, check: func() error {
				if !up.Load() {
					return silence("okta", "HTTP 503")
				}
				return nil
			}}
			targets := map[string]engine.Target{"okta": okta, "slack": &target{apply: owns}}
			if canCheck {
				targets["okta"] = c
			}
			s := newStory(t, db, k, clock.NewMoved(eight), nil, targets)
			for i := range 6 {
				s.starts(fmt.Sprint(i), step("okta/account"), step("slack/account"))
			}
			s.until("all are parked", func() bool {
				for i := range 6 {
					if r := s.run(fmt.Sprint(i)); r.State != dayone.RunWaiting || !allParked(r, "okta") {
						return false
					}
				}
				return true
			})
			calls := okta.calls.Load()
			if calls > int64(engine.DefaultBreaker.Failures)+2 {
				t.Errorf("%d calls before anybody gave up", calls)
			}
			r := s.run("0")
			if w := r.Steps[0].Wait; w == nil || w.Kind != dayone.WaitSystem || !strings.Contains(w.Note, "okta has been down since 2024-11-22 08:00 UTC") {
				t.Errorf("it waits for %+v", w)
			}
			if r.Steps[1].State != dayone.StepDone {
				t.Errorf("slack's step is %s", r.Steps[1].State)
			}
			if got := s.ledger("okta"); !slices.Contains(got, "system down") {
				t.Errorf("the ledger says %v", got)
			}
			for range 4 { // it is asked in vain
				before := s.circuit("okta").Next
				s.clock.Jump(before)
				s.until("it is asked again", func() bool { return s.circuit("okta").Next.After(before) })
			}
			if n := okta.calls.Load() - calls; canCheck && n > 0 || n > 4 {
				t.Errorf("%d calls while it was down", n)
			}
			if p := s.circuit("okta").Next.Sub(s.clock.Now()); p > engine.DefaultBreaker.Max || p < 2*engine.DefaultBreaker.Base {
				t.Errorf("the next probe is %s away", p)
			}
			up.Store(true)
			s.clock.Jump(s.circuit("okta").Next)
			for i := range 6 {
				r := s.finishAs(dayone.RunID(fmt.Sprintf("run_%d", i)), dayone.RunDone)
				if r.Steps[0].Tries > 0 {
					t.Errorf("run %d: %d tries", i, r.Steps[0].Tries)
				}
			}
			if most := okta.most.Load(); most > 2 {
				t.Errorf("%d calls at once, though it takes 2", most)
			}
			if got := s.ledger("okta"); !slices.Contains(got, "system back") {
				t.Errorf("the ledger says %v", got)
			}
			if c := s.circuit("okta"); c.Down() {
				t.Errorf("it is %+v", c)
			}
		})
	}
}

// A line that is cut after the system has done its work: the same once-key is used, nothing is made twice, and though every
// first answer is lost the breaker stays closed, since second ones come.
func TestACutLineIsNoOutage(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var mu sync.Mutex
	made := map[string]int{} // by once-key
	okta := &target{width: 1, apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		if made[a.Once]++; a.Attempt == 1 {
			return dayone.Result{}, silence("okta", "EOF")
		}
		return own(a), nil
	}}
	s := newStory(t, db, k, clock.NewMoved(eight), map[string]engine.Care{"okta": {Breaker: engine.BreakerConfig{Failures: 4}}}, map[string]engine.Target{"okta": okta})
	for i := range 3 {
		s.starts(fmt.Sprint(i), withOnce(step("okta/account"), i))
	}
	for i := range 3 {
		if r := s.finishAs(dayone.RunID(fmt.Sprintf("run_%d", i)), dayone.RunDone); r.Steps[0].Attempt != 2 {
			t.Errorf("run %d took %d calls", i, r.Steps[0].Attempt)
		}
	}
	if len(made) != 3 {
		t.Errorf("once-keys: %v", made)
	}
	if got := s.ledger("okta"); slices.Contains(got, "system down") {
		t.Errorf("the ledger says %v", got)
	}
}

func withOnce(s dayone.Step, i int) dayone.Step {
	s.Once = fmt.Sprintf("per_%d/%s", i, s.Key)
	return s
}

// A storm of "too many requests" is not an outage: the breaker stays closed, and everybody comes when the system said.
func TestAStormOfThrottlesIsNoOutage(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	clk := clock.NewMoved(eight)
	opens := eight.Add(10 * time.Minute)
	okta := &target{width: 4, apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if clk.Now().Before(opens) {
			return dayone.Result{}, &dayone.Fault{System: "okta", Op: "calling", Err: dayone.ErrThrottled, RetryAt: opens}
		}
		return own(a), nil
	}}
	s := newStory(t, db, k, clk, nil, map[string]engine.Target{"okta": okta})
	for i := range 20 {
		s.starts(fmt.Sprint(i), step("okta/account"))
	}
	s.until("all have been told", func() bool { return okta.calls.Load() == 20 && s.run("19").Steps[0].State == dayone.StepRetrying })
	if c := s.circuit("okta"); c.Down() {
		t.Fatalf("it counts as down: %+v", c)
	}
	clk.Jump(opens)
	for i := range 20 {
		s.finishAs(dayone.RunID(fmt.Sprintf("run_%d", i)), dayone.RunDone)
	}
	if n := okta.calls.Load(); n != 40 {
		t.Errorf("%d calls", n)
	}
}

// A leaver is cut off at a system that is down by trying on, and the first time it answers wakes all others.
func TestALeaverIsTriedAtASystemThatIsDown(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var up atomic.Bool
	okta := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if !up.Load() {
			return dayone.Result{}, silence("okta", "timeout")
		}
		return own(a), nil
	}}
	s := newStory(t, db, k, clock.NewMoved(eight), map[string]engine.Care{"okta": {Breaker: engine.BreakerConfig{Base: time.Hour, Max: time.Hour}}}, map[string]engine.Target{"okta": okta})
	s.starts("1", step("okta/account"))
	s.until("it is parked", func() bool { return allParked(s.run("1"), "okta") && s.run("1").State == dayone.RunWaiting })
	s.starts("2", cut("okta/account"))
	s.until("she is tried", func() bool { return s.run("2").Steps[0].Attempt >= 3 })
	s.clock.Jump(eight.Add(15*time.Minute + time.Second))
	var tasks []dayone.Task
	s.until("a human is told", func() bool {
		tasks, _ = s.store.Tasks(context.Background(), "per_2", "")
		return len(tasks) == 1
	})
	if !strings.Contains(tasks[0].Note, "has not confirmed within 15m0s") || !strings.Contains(tasks[0].Note, "still tried") {
		t.Errorf("the task says %s", tasks[0].Note)
	}
	if !slices.Contains(s.ledger("okta"), "alarm: not confirmed") {
		t.Errorf("the ledger says %v", s.ledger("okta"))
	}
	up.Store(true)
	s.clock.Jump(eight.Add(25 * time.Minute)) // long before the next probe
	s.finishAs("run_2", dayone.RunDone)
	s.finishAs("run_1", dayone.RunDone)
	if tasks, _ = s.store.Tasks(context.Background(), "per_2", ""); len(tasks) > 0 {
		t.Errorf("tasks are left: %+v", tasks)
	}
}

// Nothing new is called in a maintenance window, a restart changes nothing of that, and at its end all goes on. A leaver's
// cut goes through unless the configuration says otherwise; a human is told in both.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	for _, holds := range []bool{false, true} {
		t.Run(fmt.Sprint("leavers wait: ", holds), func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, sqlite(t))
			clk := clock.NewMoved(eight)
			hold := make(chan struct{})
			okta := &target{apply: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
				if a.Action == dayone.AccountDisable {
					select {
					case <-hold:
					case <-ctx.Done():
						return dayone.Result{}, ctx.Err()
					}
				}
				return own(a), nil
			}}
			care, targets := map[string]engine.Care{"okta": {HoldLeavers: holds}}, map[string]engine.Target{"okta": okta}
			s := newStory(t, db, k, clk, care, targets)
			s.order(dayone.Order{Kind: dayone.OrderMaintenance, System: "okta", From: eight.Add(time.Hour), Until: eight.Add(3 * time.Hour)})
			s.starts("0", step("okta/account"))
			s.finishAs("run_0", dayone.RunDone) // it has not begun
			clk.Jump(eight.Add(time.Hour))
			s.starts("1", step("okta/account"))
			s.starts("2", cut("okta/account"))
			s.until("it waits", func() bool { return allParked(s.run("1"), "okta") })
			if w := s.run("1").Steps[0].Wait; w.Kind != dayone.WaitSystem || w.Note != "maintenance until 2024-11-22 11:00 UTC: CHG-1" {
				t.Errorf("it waits for %+v", w)
			}
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
			s = newStory(t, db, k, clk, care, targets)
			if holds {
				clk.Jump(eight.Add(time.Hour + 16*time.Minute))
			}
			s.until("a human is told of the leaver", func() bool {
				list, err := db.Tasks(context.Background(), "per_2", "")
				return err == nil && len(list) == 1 && strings.Contains(list[0].Note, "maintenance until")
			})
			close(hold)
			if !holds {
				s.finishAs("run_2", dayone.RunDone)
			} else if n := s.run("2").Steps[0].Attempt; n > 0 {
				t.Errorf("she was tried %d times", n)
			}
			if r := s.run("1"); r.Steps[0].Attempt > 0 {
				t.Errorf("it was called: %+v", r.Steps[0])
			}
			clk.Jump(eight.Add(3 * time.Hour))
			s.finishAs("run_1", dayone.RunDone)
			s.finishAs("run_2", dayone.RunDone)
		})
	}
}

// Once everything is stopped calls under way end and nothing new is called, not for a leaver either, and not after a
// restart; until somebody starts it again.
func TestTheStopSwitch(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	clk := clock.NewMoved(eight)
	hold := make(chan struct{})
	okta := &target{apply: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Key.IsAccount() {
			select {
			case <-hold:
			case <-ctx.Done():
				return dayone.Result{}, ctx.Err()
			}
		}
		return own(a), nil
	}}
	targets := map[string]engine.Target{"okta": okta, "slack": &target{apply: owns}}
	s := newStory(t, db, k, clk, nil, targets)
	s.starts("1", step("okta/account"), step("okta/group:a", "okta/account"), step("slack/account", "okta/account"))
	s.until("a call is under way", func() bool { return okta.calls.Load() == 1 })
	stop := s.order(dayone.Order{Kind: dayone.OrderStop})
	close(hold)
	s.until("what was under way has ended", func() bool {
		r := s.run("1")
		return r.Steps[0].State == dayone.StepDone && !r.Steps[1].Parked.IsZero() && !r.Steps[2].Parked.IsZero()
	})
	s.starts("2", cut("okta/account"))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = newStory(t, db, k, clk, nil, targets)
	clk.Jump(eight.Add(16 * time.Minute))
	s.until("a human is told of the leaver", func() bool {
		list, err := db.Tasks(context.Background(), "per_2", "")
		return err == nil && len(list) == 1 && strings.Contains(list[0].Note, "stopped by kim")
	})
	if n := okta.calls.Load(); n != 1 {
		t.Errorf("%d calls though all is stopped", n)
	}
	if w := s.run("1").Steps[2].Wait; w == nil || w.Note != "slack was stopped by kim at 2024-11-22 08:00 UTC: CHG-1" {
		t.Errorf("it waits for %+v", w)
	}
	s.lift(stop)
	s.finishAs("run_1", dayone.RunDone)
	s.finishAs("run_2", dayone.RunDone)
}

// Where humans work each step is theirs. What they did stays so when we take over; what they have not is done by us, unless
// they are faster.
func TestManualMode(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	var mu sync.Mutex
	var called []string
	crm := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		defer mu.Unlock()
		called = append(called, a.Key.String())
		return own(a), nil
	}}
	s := newStory(t, db, k, clock.NewMoved(eight), map[string]engine.Care{"crm": {Manual: true}}, map[string]engine.Target{"crm": crm})
	group := withOnce(step("crm/group:a", "crm/account"), 1)
	group.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${crm.account.ref}"}
	s.starts("1", withOnce(step("crm/account"), 1), withOnce(step("crm/group:b"), 1), group)
	s.until("two tasks", func() bool {
		list, err := db.Tasks(context.Background(), "per_1", "")
		return err == nil && len(list) == 2 && slices.Equal(list[0].Ask, []string{"ref"}) != slices.Equal(list[1].Ask, []string{"ref"})
	})
	if err := s.driver.Decide(context.Background(), "run_1", "crm/account", kim(engine.Complete, nil)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("without its id: %v", err)
	}
	if err := s.driver.Decide(context.Background(), "run_1", "crm/account", kim(engine.Complete, dayone.Attrs{"ref": dayone.Text("c1")})); err != nil {
		t.Fatal(err)
	}
	s.until("the next task", func() bool { return !s.run("1").Steps[2].Parked.IsZero() })
	s.order(dayone.Order{Kind: dayone.OrderAutomatic, System: "crm"})
	r := s.finishAs("run_1", dayone.RunDone)
	if r.Steps[0].Attempt != 0 || r.Steps[0].Result.Now.Ref != "c1" {
		t.Errorf("what was done by hand is %+v", r.Steps[0])
	}
	mu.Lock()
	slices.Sort(called)
	if got := strings.Join(called, ","); got != "crm/group:a,crm/group:b" {
		t.Errorf("called: %s", got)
	}
	mu.Unlock()
	if list, err := db.Tasks(context.Background(), "per_1", ""); err != nil || len(list) > 0 {
		t.Errorf("tasks are left: %+v, %v", list, err)
	}
	s.order(dayone.Order{Kind: dayone.OrderManual, System: "crm"})
	s.starts("2", withOnce(step("crm/account"), 2))
	s.until("a task again", func() bool { return !s.run("2").Steps[0].Parked.IsZero() })
}

// Two people's runs meet nowhere but where the system makes them: at a lock, and at its width.
func TestPeopleMeetOnlyAtLocks(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	hold := make(chan struct{})
	var locked, most atomic.Int64
	notion := &target{apply: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Key.Name != "shared" {
			return own(a), nil
		}
		if n := locked.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer locked.Add(-1)
		select {
		case <-hold:
		case <-ctx.Done():
			return dayone.Result{}, ctx.Err()
		}
		return own(a), nil
	}}
	s := newStory(t, db, k, clock.NewMoved(eight), nil, map[string]engine.Target{"notion": notion, "okta": &target{apply: owns}})
	shared := step("notion/group:shared")
	shared.Lock = "notion/group:shared"
	for i := range 8 {
		s.starts(fmt.Sprint(i), shared, step("notion/group:own"), step("okta/account"))
	}
	s.until("all else is done while the whole set is written", func() bool {
		for i := range 8 {
			if r := s.run(fmt.Sprint(i)); r.Steps[1].State != dayone.StepDone || r.Steps[2].State != dayone.StepDone {
				return false
			}
		}
		return locked.Load() == 1
	})
	close(hold)
	for i := range 8 {
		s.finishAs(dayone.RunID(fmt.Sprintf("run_%d", i)), dayone.RunDone)
	}
	if most.Load() != 1 {
		t.Errorf("%d wrote the whole set at once", most.Load())
	}
}

// A run that is held keeps its place through a restart, and one that is cancelled while a call is under way books it.
func TestRunsAreHeldAndCancelled(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, sqlite(t))
	clk := clock.NewMoved(eight)
	hold := make(chan struct{})
	slow := &target{apply: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		select {
		case <-hold:
		case <-ctx.Done():
			return dayone.Result{}, ctx.Err()
		}
		return own(a), nil
	}}
	targets := map[string]engine.Target{"slow": slow, "okta": &target{apply: owns}}
	s := newStory(t, db, k, clk, nil, targets)
	s.starts("1", step("slow/account"), step("okta/account", "slow/account"))
	s.starts("2", step("slow/account"), step("okta/account", "slow/account"), step("paper/order"))
	say := func(run dayone.RunID, v engine.Verb) error {
		return s.driver.Decide(context.Background(), run, "", decided(v))
	}
	s.until("both are under way, and a task is open", func() bool {
		return slow.calls.Load() == 2 && s.run("2").Steps[2].State == dayone.StepWaiting
	})
	if err := errors.Join(say("run_1", engine.Pause), say("run_2", engine.Cancel)); err != nil {
		t.Fatal(err)
	}
	if err := say("run_2", engine.Cancel); !errors.Is(err, engine.ErrOver) {
		t.Errorf("twice: %v", err)
	}
	close(hold)
	r := s.finishAs("run_2", dayone.RunCancelled)
	if r.Steps[0].State != dayone.StepDone || r.Steps[1].State != dayone.StepSkipped || r.Steps[2].State != dayone.StepSkipped {
		t.Errorf("%+v", r.Steps)
	}
	if hs, err := db.Holdings(context.Background(), "per_2", false); err != nil || len(hs) != 1 {
		t.Errorf("what came back is not booked: %+v, %v", hs, err)
	}
	if list, err := db.Tasks(context.Background(), "per_2", ""); err != nil || len(list) > 0 {
		t.Errorf("tasks are left: %+v, %v", list, err)
	}
	s.until("its call has come back", func() bool { return s.run("1").Steps[0].State == dayone.StepDone })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = newStory(t, db, k, clk, nil, targets)
	clk.Jump(eight.Add(24 * time.Hour))
	if r := s.run("1"); r.State != dayone.RunHeld || r.Steps[1].State != dayone.StepPending {
		t.Errorf("held it is %s, %s", r.State, r.Steps[1].State)
	}
	if err := s.driver.Decide(context.Background(), "run_1", "", decided(engine.GoOn)); err != nil {
		t.Fatal(err)
	}
	s.finishAs("run_1", dayone.RunDone)
}
