package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// onboarding is the run of the document: 24 steps in 6 tiers over 8 systems, longest chain 6.
func onboarding() dayone.Plan {
	var p dayone.Plan
	last := ""
	for tier := range 6 {
		for i := range 4 {
			name := fmt.Sprintf("s%d/group:tier-%d-%d", (tier*4+i)%8, tier, i)
			s := step(name)
			if tier > 0 {
				s.Needs = []dayone.Need{{Step: dayone.StepID(last)}}
			}
			s.Want.Attrs = dayone.Attrs{"email": dayone.Text("sarah.chen@company.com"), "title": dayone.Text("Sales Engineer"), "department": dayone.Text("Sales")}
			s.Because = []dayone.Reason{{Policy: "sales-engineer", At: "policies/sales.yaml:22", Hash: "e1baa463"}}
			p.Steps = append(p.Steps, s)
		}
		last = fmt.Sprintf("s%d/group:tier-%d-0", (tier*4)%8, tier)
	}
	return p
}

func systems(latency time.Duration) map[string]*target {
	out := map[string]*target{}
	for i := range 8 {
		t := &target{}
		if latency > 0 {
			t.apply = func(_ context.Context, a dayone.Act) (dayone.Result, error) {
				time.Sleep(latency)
				return done(a), nil
			}
		}
		out[fmt.Sprintf("s%d", i)] = t
	}
	return out
}

// play keeps some runs in flight until n have ended, and returns how many steps that were.
func play(b testing.TB, drv *engine.Driver, n, inFlight int, prefix string) int {
	w := drv.Watch("")
	defer w.Stop()
	plan := onboarding()
	started, over := 0, 0
	ctx := context.Background()
	var wg sync.WaitGroup
	begin := func() { // begun one after the other, the first would be over before the last begins
		r := aRun(fmt.Sprintf("%s%06d", prefix, started), plan)
		started++
		wg.Go(func() {
			if err := drv.Start(ctx, r); err != nil {
				b.Error(err)
			}
		})
	}
	for range min(inFlight, n) {
		begin()
	}
	for over < n {
		<-w.Ready()
		for _, u := range w.Take() {
			if u.State.Over() {
				over++
				if started < n {
					begin()
				}
			}
		}
	}
	wg.Wait()
	return n * len(plan.Steps)
}

// BenchmarkSteps measures durable steps a second with 200 runs in flight, and, in the same process, a floor that does
// nothing but write the same rows of the same size in group commits of the same size.
func BenchmarkSteps(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		steps(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db"), "sqlite", "file:"+filepath.Join(b.TempDir(), "floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	})
	b.Run("postgres", func(b *testing.B) { steps(b, storetest.Postgres(b), "pgx", storetest.Postgres(b)) })
}

func steps(b *testing.B, at, driver, floorAt string) {
	const runs = 400
	db, k := newStore(b, at)
	bn := start(b, db, k, systems(0))
	batches, changes := 0, 0
	bn.driver.Batch = func(n int, _ time.Duration) { batches++; changes += n }
	var total int
	var took time.Duration
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		total += play(b, bn.driver, runs, 200, fmt.Sprintf("%d-", n))
		took += time.Since(began)
	}
	runtime.ReadMemStats(&after)
	ours := float64(total) / took.Seconds()
	rows := shape(b, db)
	floor := floorRate(b, driver, floorAt, rows, runs*24, max(1, total/max(1, batches)))
	b.ReportMetric(ours, "steps/s")
	b.ReportMetric(floor, "floor-steps/s")
	b.ReportMetric(ours/floor, "of-floor")
	b.ReportMetric(float64(total)/float64(batches), "steps/commit")
	b.ReportMetric(float64(after.Sys)/1e6, "MB")
}

// shape is the average size of what one step writes.
type rowShape struct{ out, holding, leaf, box int }

func shape(b *testing.B, db *store.DB) rowShape {
	ctx := context.Background()
	lines, err := db.Records(ctx, store.RecordFilter{Limit: 500})
	if err != nil {
		b.Fatal(err)
	}
	s := rowShape{}
	for _, l := range lines {
		s.leaf += len(l.Leaf)
	}
	s.leaf /= len(lines)
	s.out, s.holding, s.box = 400, 510, 280 // measured: SELECT AVG(LENGTH(box)) of step, holding, record
	return s
}

// floorRate writes a step row twice (intent, outcome), a holding and a ledger line for each step, in commits of a size.
func floorRate(b *testing.B, driver, at string, s rowShape, steps, perCommit int) float64 {
	db, err := sql.Open(driver, at)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, ddl := range []string{
		`CREATE TABLE step (run TEXT, seq INTEGER, system TEXT, state TEXT, attempt INTEGER, tries INTEGER, since BIGINT, started BIGINT, ended BIGINT, waited BIGINT, next BIGINT, out TEXT, def TEXT, PRIMARY KEY (run, seq))`,
		`CREATE INDEX step_open ON step (system, state) WHERE state IN ('running', 'retrying', 'waiting', 'failed', 'blocked')`,
		`CREATE TABLE holding (person TEXT, key TEXT, system TEXT, kind TEXT, ref TEXT, state TEXT, body TEXT, PRIMARY KEY (person, key))`,
		`CREATE INDEX holding_key ON holding (key, person)`,
		`CREATE TABLE record (seq BIGINT PRIMARY KEY, at BIGINT, person TEXT, run TEXT, system TEXT, what TEXT, leaf TEXT, chain TEXT, box TEXT)`,
		`CREATE INDEX record_person ON record (person, seq)`, `CREATE INDEX record_run ON record (run, seq)`, `CREATE INDEX record_system ON record (system, seq)`,
	} {
		if _, err := db.Exec(ddl); err != nil {
			b.Fatal(err)
		}
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	ctx := context.Background()
	prep := func(q string) *sql.Stmt {
		st, err := conn.PrepareContext(ctx, q)
		if err != nil {
			b.Fatal(err)
		}
		return st
	}
	stepSt := prep(`INSERT INTO step VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13) ON CONFLICT (run, seq) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, ended = excluded.ended, out = excluded.out`)
	holdSt := prep(`INSERT INTO holding VALUES ($1,$2,$3,$4,$5,$6,$7)`)
	recSt := prep(`INSERT INTO record VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`)
	text := func(n int) string { return strings.Repeat("x", n) }
	out, body, leaf, box, chain := text(s.out), text(s.holding), text(s.leaf), text(s.box), text(64)
	began := time.Now()
	for i := 0; i < steps; {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			b.Fatal(err)
		}
		for j := 0; j < perCommit && i < steps; j++ {
			run, seq := fmt.Sprintf("run_%06d", i/24), i%24
			for _, state := range []string{"running", "done"} {
				if _, err := stepSt.Exec(run, seq, "s1", state, 1, 0, i, i, i, 0, 0, out, ""); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := holdSt.Exec(run, fmt.Sprintf("s1/group:%d", seq), "s1", "group", "ref", "active", body); err != nil {
				b.Fatal(err)
			}
			if _, err := recSt.Exec(i, i, run, run, "s1", "granted", leaf, chain, box); err != nil {
				b.Fatal(err)
			}
			i++
		}
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			b.Fatal(err)
		}
	}
	return float64(steps) / time.Since(began).Seconds()
}

// BenchmarkMakespan is one run alone at 20 ms a call, against its critical path: the longest chain of measured calls.
func BenchmarkMakespan(b *testing.B) {
	db, k := newStore(b, "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
	bn := start(b, db, k, systems(20*time.Millisecond))
	var span, path time.Duration
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprintf("m%d", n)
		if err := bn.driver.Start(context.Background(), aRun(id, onboarding())); err != nil {
			b.Fatal(err)
		}
		r := bn.finish(dayone.RunID("run_" + id))
		span += r.Ended.Sub(r.Started)
		path += engine.CriticalPath(r)
	}
	b.ReportMetric(float64(span)/float64(path), "of-critical-path")
	b.ReportMetric(float64(span.Milliseconds())/float64(n), "ms/run")
}
