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
	hash := plan.Hash() // whoever plans has it already
	started, over := 0, 0
	ctx := context.Background()
	var wg sync.WaitGroup
	begin := func() { // begun one after the other, the first would be over before the last begins
		id := fmt.Sprintf("%s%06d", prefix, started)
		r := dayone.Run{ID: dayone.RunID("run_" + id), Person: dayone.PersonID("per_" + id), Plan: plan, Hash: hash}
		r.Plan.Person = r.Person
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

// newcomers puts people into the books, whose keys boxes are sealed under.
func newcomers(b testing.TB, db *store.DB, ids []string) {
	var wg sync.WaitGroup
	todo := make(chan string)
	for range 64 {
		wg.Go(func() {
			for id := range todo {
				p := dayone.PersonID("per_" + id)
				if err := db.Save(context.Background(), store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Managed: true, Name: "Sarah Chen", Status: dayone.PreHire}}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, id := range ids {
		todo <- id
	}
	close(todo)
	wg.Wait()
}

// BenchmarkSteps measures durable steps a second with 200 runs in flight, and a floor that does nothing but write the same
// rows of the same size in group commits of the same size: in the same process, turn and turn about, so that whoever else
// is at work on the machine takes from both.
func BenchmarkSteps(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		file := func(name string) string { return filepath.Join(b.TempDir(), name) }
		at := file("x.db")
		steps(b, "sqlite:"+at, "sqlite", "file:"+at, "file:"+file("floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	})
	b.Run("postgres", func(b *testing.B) {
		at := storetest.Postgres(b)
		steps(b, at, "pgx", at, storetest.Postgres(b))
	})
}

func steps(b *testing.B, at, driver, look, floorAt string) {
	const runs = 400
	db, k := newStore(b, at)
	bn := start(b, db, k, systems(0))
	batches := 0
	bn.driver.Batch = func(int, time.Duration) { batches++ }
	newcomer := func(prefix string) {
		ids := make([]string, runs)
		for i := range ids {
			ids[i] = fmt.Sprintf("%s%06d", prefix, i)
		}
		newcomers(b, db, ids)
	}
	newcomer("0-")
	total := play(b, bn.driver, runs, 200, "0-") // neither warm-up nor what the floor's rows are made after counts
	low := newFloor(b, driver, floorAt, shape(b, driver, look))
	perCommit := total / batches
	low.write(b, runs*24, perCommit)
	total, batches = 0, 0
	var took, lowTook, busy, lowBusy time.Duration
	n := 0
	for b.Loop() {
		n++
		prefix := fmt.Sprintf("%d-", n)
		newcomer(prefix)
		began, had := time.Now(), processor()
		total += play(b, bn.driver, runs, 200, prefix)
		took, busy = took+time.Since(began), busy+processor()-had
		began, had = time.Now(), processor()
		low.write(b, runs*24, perCommit)
		lowTook, lowBusy = lowTook+time.Since(began), lowBusy+processor()-had
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	ours, floor := float64(total)/took.Seconds(), float64(total)/lowTook.Seconds()
	b.ReportMetric(ours, "steps/s")
	b.ReportMetric(floor, "floor-steps/s")
	b.ReportMetric(ours/floor, "of-floor")
	b.ReportMetric(float64(lowBusy)/float64(busy), "of-floor-by-processor-time")
	b.ReportMetric(float64(total)/float64(batches), "steps/commit")
	b.ReportMetric(float64(after.Sys)/1e6, "MB")
}

// rowShape is the average size of what one step writes.
type rowShape struct{ out, holding, leaf, box int }

// shape reads it off what was written.
func shape(b *testing.B, driver, at string) (s rowShape) {
	db, err := sql.Open(driver, at)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for q, n := range map[string]*int{
		`SELECT AVG(LENGTH(box)) FROM step`: &s.out, `SELECT AVG(LENGTH(box)) FROM holding`: &s.holding,
		`SELECT AVG(LENGTH(leaf)) FROM record`: &s.leaf, `SELECT AVG(LENGTH(box)) FROM record`: &s.box,
	} {
		var avg float64
		if err := db.QueryRow(q).Scan(&avg); err != nil {
			b.Fatal(err)
		}
		*n = int(avg)
	}
	b.Logf("%+v", s)
	return s
}

// floor writes a step row twice (intent, outcome), a holding and a ledger line for each step, in commits of a size.
type floor struct {
	conn                        *sql.Conn
	step, holding, record       *sql.Stmt
	out, body, leaf, box, chain string
	written                     int
}

func newFloor(b *testing.B, driver, at string, s rowShape) *floor {
	db, err := sql.Open(driver, at)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
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
	b.Cleanup(func() { _ = conn.Close() })
	prep := func(q string) *sql.Stmt {
		st, err := conn.PrepareContext(context.Background(), q)
		if err != nil {
			b.Fatal(err)
		}
		return st
	}
	text := func(n int) string { return strings.Repeat("x", n) }
	return &floor{
		conn:    conn,
		step:    prep(`INSERT INTO step VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13) ON CONFLICT (run, seq) DO UPDATE SET state = excluded.state, attempt = excluded.attempt, ended = excluded.ended, out = excluded.out`),
		holding: prep(`INSERT INTO holding VALUES ($1,$2,$3,$4,$5,$6,$7)`),
		record:  prep(`INSERT INTO record VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`),
		out:     text(s.out), body: text(s.holding), leaf: text(s.leaf), box: text(s.box), chain: text(64),
	}
}

func (f *floor) write(b *testing.B, steps, perCommit int) {
	ctx := context.Background()
	for end := f.written + steps; f.written < end; {
		if _, err := f.conn.ExecContext(ctx, "BEGIN"); err != nil {
			b.Fatal(err)
		}
		for j := 0; j < perCommit && f.written < end; j++ {
			i := f.written
			run, seq := fmt.Sprintf("run_%06d", i/24), i%24
			for _, state := range []string{"running", "done"} {
				if _, err := f.step.Exec(run, seq, "s1", state, 1, 0, i, i, i, 0, 0, f.out, ""); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := f.holding.Exec(run, fmt.Sprintf("s1/group:%d", seq), "s1", "group", "ref", "active", f.body); err != nil {
				b.Fatal(err)
			}
			if _, err := f.record.Exec(i, i, run, run, "s1", "granted", f.leaf, f.chain, f.box); err != nil {
				b.Fatal(err)
			}
			f.written++
		}
		if _, err := f.conn.ExecContext(ctx, "COMMIT"); err != nil {
			b.Fatal(err)
		}
	}
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
