package engine_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/secret"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// target is a system of functions.
type target struct {
	apply func(ctx context.Context, a dayone.Act) (dayone.Result, error)
	width int
	open  func() time.Time

	busy, most atomic.Int64
	calls      atomic.Int64
}

func (t *target) Apply(ctx context.Context, a dayone.Act) (dayone.Result, error) {
	t.calls.Add(1)
	n := t.busy.Add(1)
	defer t.busy.Add(-1)
	for {
		old := t.most.Load()
		if n <= old || t.most.CompareAndSwap(old, n) {
			break
		}
	}
	if t.apply != nil {
		return t.apply(ctx, a)
	}
	return done(a), nil
}

func done(a dayone.Act) dayone.Result {
	r := dayone.Result{Before: a.Have}
	if a.Want != nil {
		now := *a.Want
		now.Ref = "ref-" + a.Key.String()
		r.Now = &now
	}
	return r
}

func (t *target) Width() int {
	if t.width == 0 {
		return 1000
	}
	return t.width
}

func (t *target) Open() time.Time {
	if t.open == nil {
		return time.Time{}
	}
	return t.open()
}

// bench is a driver on a real store.
type bench struct {
	t      testing.TB
	store  *store.DB
	driver *engine.Driver
	stop   func() error
}

func newStore(t testing.TB, at string) (*store.DB, *secret.Keeper) {
	t.Helper()
	k, err := secret.New(make([]byte, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.Open(context.Background(), at, flow.Sealer{Keeper: k, Random: rand.Reader}, time.Now, dayone.NewIDs(time.Now, rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, k
}

func start(t testing.TB, db *store.DB, k engine.Keeper, targets map[string]*target) *bench {
	t.Helper()
	cfg := engine.DefaultConfig
	cfg.Base = time.Millisecond
	d := &engine.Driver{Store: db, Clock: clock.System{}, Keeper: k, Config: cfg, Target: func(s string) (engine.Target, bool) {
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
	return b
}

// finish waits until a run has come to rest.
func (b *bench) finish(id dayone.RunID) dayone.Run {
	b.t.Helper()
	w := b.driver.Watch(id)
	defer w.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		r, err := b.store.Run(context.Background(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if r.State.Over() || r.State == dayone.RunWaiting {
			return r
		}
		select {
		case <-w.Ready():
		case <-deadline.C:
			b.t.Fatalf("run %s is still %s", id, r.State)
		}
	}
}

func aRun(id string, p dayone.Plan) dayone.Run {
	p.Person = dayone.PersonID("per_" + id)
	return dayone.Run{ID: dayone.RunID("run_" + id), Person: p.Person, Plan: p, Hash: p.Hash()}
}

func TestDriverCarriesARunOut(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	tries := atomic.Int64{}
	okta := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		if a.Key.IsAccount() && tries.Add(1) < 4 {
			return dayone.Result{}, &dayone.Fault{System: "okta", Op: "creating user", Err: dayone.ErrUnavailable, Code: "HTTP 500"}
		}
		return done(a), nil
	}}
	b := start(t, db, k, map[string]*target{"okta": okta})
	group := step("okta/group:a", "okta/account")
	group.Account = dayone.Value{Kind: dayone.TemplateValue, Text: "${okta.account.ref}"}
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{step("okta/account"), group}})); err != nil {
		t.Fatal(err)
	}
	r := b.finish("run_1")
	if r.State != dayone.RunDone || r.Steps[0].Attempt != 4 {
		t.Errorf("%s after %d attempts", r.State, r.Steps[0].Attempt)
	}
	hs, err := db.Holdings(t.Context(), "per_1", false)
	if err != nil || len(hs) != 2 || hs[0].Ref != "ref-okta/account" {
		t.Errorf("holdings %+v, %v", hs, err)
	}
	lines, err := db.Records(t.Context(), store.RecordFilter{Run: "run_1"})
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, l := range slices.Backward(lines) {
		what = append(what, l.What)
	}
	if got, want := strings.Join(what, ", "), "run started, retrying, retrying, retrying, granted, granted, run done"; got != want {
		t.Errorf("the ledger says %s\nwant %s", got, want)
	}
	if _, err := b.driver.Snapshot(t.Context(), "run_1"); err == nil {
		t.Error("a run that is over is still in memory")
	}
}

func TestOneRunAPersonAtATime(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	hold := make(chan struct{})
	b := start(t, db, k, map[string]*target{"okta": {apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) { <-hold; return done(a), nil }}})
	p := dayone.Plan{Steps: []dayone.Step{step("okta/account")}}
	if err := b.driver.Start(t.Context(), aRun("1", p)); err != nil {
		t.Fatal(err)
	}
	two := aRun("1", p)
	two.ID = "run_2"
	// a caller's mistake must not take the process down with everybody's runs
	if err := b.driver.Start(t.Context(), two); err == nil {
		t.Error("a second run of one person starts beside the first")
	}
	close(hold)
	if r := b.finish("run_1"); r.State != dayone.RunDone {
		t.Errorf("the first run is %s", r.State)
	}
}

// A process that dies between call and record calls again, and says so.
func TestRestartResumes(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	entered := make(chan struct{}, 10)
	var attempts []int
	var mu sync.Mutex
	okta := &target{apply: func(ctx context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		attempts = append(attempts, a.Attempt)
		mu.Unlock()
		if a.Attempt == 1 && a.Key.IsAccount() {
			entered <- struct{}{}
			<-ctx.Done() // done over there, but the answer never comes
			return dayone.Result{}, ctx.Err()
		}
		return done(a), nil
	}}
	b := start(t, db, k, map[string]*target{"okta": okta})
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{step("okta/account"), step("okta/group:a", "okta/account")}})); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	r, err := db.Run(t.Context(), "run_1")
	if err != nil || r.Steps[0].State != dayone.StepRunning {
		t.Fatalf("the intent is not there: %v, %v", r.Steps[0].State, err)
	}
	b = start(t, db, k, map[string]*target{"okta": okta})
	if r := b.finish("run_1"); r.State != dayone.RunDone {
		t.Errorf("after the restart it is %s", r.State)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(attempts, []int{1, 2, 1}) {
		t.Errorf("attempts %v", attempts)
	}
}

func TestWidthAndLocks(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	slow := func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		time.Sleep(2 * time.Millisecond)
		return done(a), nil
	}
	narrow, locked := &target{apply: slow, width: 3}, &target{apply: slow}
	b := start(t, db, k, map[string]*target{"narrow": narrow, "locked": locked})
	for i := range 10 {
		var p dayone.Plan
		for j := range 4 {
			p.Steps = append(p.Steps, step(fmt.Sprintf("narrow/group:%d", j)))
			l := step(fmt.Sprintf("locked/group:%d", j))
			l.Lock = "one list"
			p.Steps = append(p.Steps, l)
		}
		if err := b.driver.Start(t.Context(), aRun(fmt.Sprint(i), p)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if r := b.finish(dayone.RunID(fmt.Sprintf("run_%d", i))); r.State != dayone.RunDone {
			t.Errorf("run %d is %s", i, r.State)
		}
	}
	if n := narrow.most.Load(); n != 3 {
		t.Errorf("%d calls at once, the limit is 3", n)
	}
	if n := locked.most.Load(); n != 1 {
		t.Errorf("%d calls at once under one lock", n)
	}
}

// While a system's limit is used up nothing of it is marked started; others go on.
func TestExhaustedLimitParks(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	opens := time.Now().Add(300 * time.Millisecond)
	shut := &target{open: func() time.Time { return opens }}
	b := start(t, db, k, map[string]*target{"shut": shut, "free": {}})
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{step("shut/account"), step("free/account")}})); err != nil {
		t.Fatal(err)
	}
	r, err := b.driver.Snapshot(t.Context(), "run_1")
	if err != nil || r.Step("shut/account").State != dayone.StepPending {
		t.Errorf("marked %v, %v", r.Step("shut/account"), err)
	}
	r = b.finish("run_1")
	if r.State != dayone.RunDone || r.Step("shut/account").Started.Before(opens.Truncate(time.Millisecond)) {
		t.Errorf("%s, started %v, open %v", r.State, r.Step("shut/account").Started, opens)
	}
}

func TestSecretsAreSealedAndStable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, k := newStore(t, "sqlite:"+filepath.Join(dir, "x.db"))
	var seen []string
	var mu sync.Mutex
	okta := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
		mu.Lock()
		seen = append(seen, a.Secrets["password"].Reveal())
		first := len(seen) == 1
		mu.Unlock()
		if first {
			return dayone.Result{}, dayone.ErrUnavailable
		}
		r := done(a)
		r.Secrets = map[string]dayone.Secret{"recovery": dayone.NewSecret("made-by-the-vendor")}
		return r, nil
	}}
	b := start(t, db, k, map[string]*target{"okta": okta})
	s := step("okta/account")
	s.Want.Attrs = dayone.Attrs{"password": {Kind: dayone.SecretValue, Text: "password:20"}}
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{s}})); err != nil {
		t.Fatal(err)
	}
	if r := b.finish("run_1"); r.State != dayone.RunDone {
		t.Fatal(r.State)
	}
	if len(seen) != 2 || seen[0] != seen[1] || len(seen[0]) != 20 {
		t.Errorf("the retry got another secret: %d", len(seen))
	}
	for _, id := range []dayone.SecretID{engine.SecretIDOf(s.Once, "password"), engine.SecretIDOf(s.Once, "recovery")} {
		if _, found, err := db.Secret(t.Context(), id); err != nil || !found {
			t.Errorf("%s is not kept: %v", id, err)
		}
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, plain := range []string{seen[0], "made-by-the-vendor"} {
			if strings.Contains(string(raw), plain) {
				t.Errorf("%s holds a secret in plain text", filepath.Base(f))
			}
		}
	}
}

func TestBrokenConnectorHarmsOnlyItself(t *testing.T) {
	t.Parallel()
	db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	b := start(t, db, k, map[string]*target{"bad": {apply: func(context.Context, dayone.Act) (dayone.Result, error) { panic("nil map") }}, "good": {}})
	if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{step("bad/account"), step("good/account")}})); err != nil {
		t.Fatal(err)
	}
	r := b.finish("run_1")
	if r.State != dayone.RunIncomplete || r.Step("good/account").State != dayone.StepDone || !strings.Contains(r.Step("bad/account").Error, "the connector broke") {
		t.Errorf("%s: %s", r.State, r.Step("bad/account").Error)
	}
}

func TestNamesakeMadeAfterTheHireIsOurs(t *testing.T) {
	t.Parallel()
	recorded := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		name    string
		created time.Time
		bound   bool
		want    dayone.StepState
	}{
		{"made after, bound to nobody", time.Now(), false, dayone.StepDone},
		{"made before", recorded.Add(-time.Hour), false, dayone.StepWaiting},
		{"made after, somebody else's", time.Now(), true, dayone.StepWaiting},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, k := newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
			found := dayone.Item{Ref: "42", Created: c.created, State: dayone.Active}
			sys := &target{apply: func(_ context.Context, a dayone.Act) (dayone.Result, error) {
				if a.Subject.Ref == "" {
					return dayone.Result{}, &dayone.Fault{System: "x", Op: "creating account", Err: dayone.ErrConflict, Found: &found}
				}
				return dayone.Result{Before: &found, Now: &found}, nil
			}}
			if c.bound {
				other := dayone.Run{ID: "run_0", Person: "per_0", State: dayone.RunDone}
				if err := db.Commit(t.Context(), []dayone.Progress{{Run: other, New: true, Holdings: []dayone.Holding{{Item: dayone.Item{Key: dayone.Key{System: "x", Kind: "account"}, Ref: "42"}}}}}); err != nil {
					t.Fatal(err)
				}
			}
			b := start(t, db, k, map[string]*target{"x": sys})
			s := step("x/account")
			s.Subject = dayone.Subject{Keys: map[string]string{"login": "sarah"}, Recorded: recorded}
			if err := b.driver.Start(t.Context(), aRun("1", dayone.Plan{Steps: []dayone.Step{s}})); err != nil {
				t.Fatal(err)
			}
			if got := b.finish("run_1").Steps[0].State; got != c.want {
				t.Errorf("the step is %s, want %s", got, c.want)
			}
		})
	}
}
