package engine_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
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
