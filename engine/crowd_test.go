package engine_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store/storetest"
)

// rated lets so many calls a second through.
func rated(perSecond int) func() time.Time {
	var mu sync.Mutex
	every := time.Second / time.Duration(perSecond)
	next := time.Now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if next.Before(now.Add(-50 * time.Millisecond)) { // what was not used is lost, but for a small burst
			next = now.Add(-50 * time.Millisecond)
		}
		if next.After(now) {
			return next
		}
		next = next.Add(every) // whoever asks while it is open goes in
		return time.Time{}
	}
}

// BenchmarkCrowd is 200 runs at once, of which every step at one system has to pass its rate limit: how long they take
// against what the limit allows.
func BenchmarkCrowd(b *testing.B) {
	const runs, perSecond = 200, 200
	db, k := newStore(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
	all := systems(20 * time.Millisecond)
	all["s0"].open = rated(perSecond)
	bn := start(b, db, k, all)
	limited := 0
	for _, s := range onboarding().Steps {
		if s.Key.System == "s0" {
			limited++
		}
	}
	var took time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		play(b, bn.driver, runs, runs, fmt.Sprintf("%d-", n))
		took += time.Since(began)
	}
	bound := time.Duration(n*runs*limited) * time.Second / perSecond
	b.ReportMetric(float64(took)/float64(bound), "of-rate-limit")
}

// BenchmarkRecovery is 10,000 unfinished runs of 24 steps, found by a process after kill -9: how long until all are in
// memory and their systems are called again, and how much memory that takes.
func BenchmarkRecovery(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { recovery(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db")) })
	b.Run("postgres", func(b *testing.B) { recovery(b, storetest.Postgres(b)) })
}

func recovery(b *testing.B, at string) {
	const runs = 10_000
	ctx := context.Background()
	db, _ := newStore(b, at)
	plan, now := onboarding(), time.Now()
	ids := make([]string, runs)
	for i := range ids {
		ids[i] = fmt.Sprintf("%06d", i)
	}
	newcomers(b, db, ids)
	for from := 0; from < runs; from += 500 {
		var batch []dayone.Progress
		for i := from; i < from+500; i++ {
			plan := dayone.Plan{Steps: slices.Clone(plan.Steps)}
			for j := range plan.Steps {
				plan.Steps[j].Once = fmt.Sprint(i, " ", plan.Steps[j].ID)
			}
			r := aRun(fmt.Sprintf("%06d", i), plan)
			r.State, r.Machine, r.Started = dayone.RunRunning, engine.Version, now
			p := dayone.Progress{Run: r, New: true}
			for seq, s := range plan.Steps[:8] { // the first tier is done, the second was called when it died
				one := dayone.StepRun{Step: s, State: dayone.StepDone, Attempt: 1, Since: now, Started: now, Ended: now}
				if seq >= 4 {
					one.State, one.Ended = dayone.StepRunning, time.Time{}
				} else {
					one.Result = done(dayone.Act{Key: s.Key, Want: s.Want})
				}
				p.Steps = append(p.Steps, dayone.StepChange{Seq: seq, StepRun: one})
			}
			p.Run.Steps = nil
			batch = append(batch, p)
		}
		if err := db.Commit(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	before := resident(b)
	var took time.Duration
	var most, settled float64
	busy := processor()
	for b.Loop() {
		took += recovered(b, at, func() {
			most = max(most, resident(b)-before)
			debug.FreeOSMemory()
			settled = resident(b) - before
		})
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/recovery")
	b.ReportMetric((processor()-busy).Seconds()/float64(b.N), "processor-s/recovery")
	b.ReportMetric(most, "peak-MB")
	b.ReportMetric(settled, "MB")
}

// recovered is the time from opening the books until every run is in memory and each system that was being called is
// called again.
func recovered(b *testing.B, at string, then func()) time.Duration {
	began := time.Now()
	db, k := newStore(b, at)
	all := systems(0)
	called := make(chan struct{}, len(all))
	for _, t := range all {
		once := sync.OnceFunc(func() { called <- struct{}{} })
		t.width = 20
		t.apply = func(ctx context.Context, _ dayone.Act) (dayone.Result, error) {
			once()
			<-ctx.Done()
			return dayone.Result{}, ctx.Err()
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &engine.Driver{Store: db, Clock: clock.System{}, Keeper: k, Config: engine.DefaultConfig, Target: func(s string) (engine.Target, bool) {
		one, ok := all[s]
		return one, ok
	}}
	over := make(chan error, 1)
	go func() { over <- d.Run(ctx) }()
	for range 4 { // the systems of the tier that was under way
		select {
		case <-called:
		case err := <-over:
			b.Fatal(err)
		}
	}
	took := time.Since(began)
	then()
	stop()
	<-over
	_ = db.Close()
	return took
}

// resident is the memory of this process, in MB.
func resident(b *testing.B) float64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("only Linux tells a process how large it is")
	}
	pages, err := strconv.Atoi(strings.Fields(string(raw))[1])
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / 1e6
}

// processor is the time that this process has had: on a busy machine the one that tells something.
func processor() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
