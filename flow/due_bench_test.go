package flow_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

const companySeed = 20241122

// veteran is somebody of whom the source has spoken for ten years: every month some words about her, a third of them ahead
// of their time and some of these put off again, 400 facts in all.
func veteran(n int) (dayone.Employment, []dayone.Fact) {
	e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", n)), Source: "hr", SourceID: fmt.Sprintf("t%06d", n), Recorded: begin.AddDate(-10, 0, 0)}
	names := []string{"department", "job_title", "team", "location", "cost_center", "level", "manager", "work_arrangement", "last_name", "employment_type"}
	at := e.Recorded
	fact := func(attr string, v dayone.Value, effective time.Time) dayone.Fact {
		return dayone.Fact{Engagement: e.ID, Attr: attr, Effective: effective, Said: at, Again: at, Recorded: at, Value: v, Source: "hr", Event: dayone.EventID("evt_" + at.Format("20060102"))}
	}
	var out []dayone.Fact
	for name, v := range company.Person(companySeed, n).Attrs {
		out = append(out, fact(name, v, time.Time{}))
	}
	out = append(out, fact("engagement.start", dayone.Text("2014-11-17"), time.Time{}))
	for month := 1; len(out) < 400; month++ {
		at = e.Recorded.AddDate(0, month, 0)
		was := company.Person(companySeed, n*1000+month)
		for i := range 4 {
			name := names[(month*3+i)%len(names)]
			v, ok := was.Attrs[name]
			switch {
			case !ok || len(out) >= 400:
			case i == 0 && month%3 == 0: // said ahead, and put off
				out = append(out, fact(name, v, at.AddDate(0, 0, 20)), fact(name, v, at.AddDate(0, 0, 27)))
				out[len(out)-1].Said, out[len(out)-1].Again = at.AddDate(0, 0, 1), at.AddDate(0, 0, 1)
				out[len(out)-1].Recorded = at.AddDate(0, 0, 1)
			case i == 1:
				out = append(out, fact(name, v, at.AddDate(0, 0, 14)))
			default:
				out = append(out, fact(name, v, at))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dayone.Fact) int { return a.Recorded.Compare(b.Recorded) })
	return e, out
}

// settle is what somebody has for whom nothing is left to be done.
func settle(tb testing.TB, set *policy.Set, p dayone.Person, at time.Time) []dayone.Holding {
	tb.Helper()
	var have []dayone.Holding
	for range 3 {
		pl := plan(tb, set, p, have, at)
		if len(pl.Steps) == 0 {
			return have
		}
		for _, s := range pl.Steps {
			if s.Want == nil || s.Action == dayone.MessageSend {
				continue
			}
			h := dayone.Holding{Item: *s.Want, Asked: s.Want.Attrs, Because: s.Because, Since: at, Ours: true}
			h.Ref = "r-" + string(p.ID) + h.Key.String()
			have = append(have, h)
		}
	}
	tb.Fatalf("%s does not settle", p.ID)
	return nil
}

func plan(tb testing.TB, set *policy.Set, p dayone.Person, have []dayone.Holding, at time.Time) dayone.Plan {
	held := map[dayone.Key]dayone.Holding{}
	for _, h := range have {
		held[h.Key] = h
	}
	pl, err := planner.Make(planner.Input{
		Person: p.ID, At: at, Recorded: p.Recorded, Want: set.Want(p, policy.Context{Now: at, Held: held}), Have: have, Systems: set.Systems,
		Mapped: func(g dayone.Grant) dayone.Grant { return set.Mapped(p, at, g) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return pl
}

// BenchmarkOneEvent is one event about somebody with ten years of history: judged, her timeline extended, wanted and planned,
// by 300 policies. "decided" is that alone; in "looked" the books are read, and 400 sealed facts with them.
func BenchmarkOneEvent(b *testing.B) {
	w := newWorld(b)
	w.setups["hr"] = map[string]string{"secret": w.setups["hr"]["secret"], "prefix": "sha256="} // the webhook's fields count
	w.files = company.Policies(companySeed, 300)
	h := w.open()
	h.stopRun()
	set, now := h.Active(), begin
	e, facts := veteran(1)
	line := dayone.Timeline{Person: "per_00000000000000000000000001", Managed: true, Employments: []dayone.Employment{e}, Facts: facts}
	have := settle(b, set, people.At(&line, now, now, set), now)
	said := func(level int) people.Heard {
		return people.Heard{Event: dayone.Event{
			ID: "evt_1", Source: "hr", Type: dayone.Updated, Subject: e.SourceID, At: now, Received: now, Fields: map[string]dayone.Value{
				"level": dayone.Int(int64(level)), "department": dayone.Text("Legal"), "job_title": dayone.Text(company.Title(3)), "team": dayone.Text("team-001"),
			},
		}}
	}
	b.Run("decided", func(b *testing.B) {
		steps := 0
		b.ReportAllocs()
		for b.Loop() {
			_ = people.At(&line, now, now, set)
			j := people.Judge(&line, said(7), set, now, "eng_new")
			after := j.Extend(line)
			p := people.At(&after, now, now, set)
			_ = people.Next(&after, now, set)
			steps = len(plan(b, set, p, have, now).Steps)
		}
		b.ReportMetric(float64(len(facts)), "facts")
		b.ReportMetric(float64(len(have)), "holdings")
		b.ReportMetric(float64(steps), "steps")
	})
	row := store.Row{ID: line.Person, Managed: true, Name: "Vera", Status: dayone.Working}
	if err := h.Store.Save(ctx, store.Saved{Person: line.Person, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
		b.Fatal(err)
	}
	if err := h.Store.KeepHoldings(ctx, line.Person, have); err != nil {
		b.Fatal(err)
	}
	b.Run("looked", func(b *testing.B) {
		body := []byte(`{"event_type":"employee.updated","event_id":"evt_1","timestamp":"2024-11-15T15:00:00Z","data":{"employee_id":"` + e.SourceID + `","department":"Legal","level":7,"start_date":"2014-11-17"}}`)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.PreviewEvent(ctx, "hr", body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// townDue puts n people into the books who are settled, and for each of whom something that changes nothing is said to become
// true in the morning, and on each of so many others.
func townDue(b testing.TB, h *house, n int, at time.Time, others int) (facts, holdings int) {
	b.Helper()
	const writers = 64
	var wg sync.WaitGroup
	var mu sync.Mutex
	for first := range writers {
		wg.Go(func() {
			for i := first; i < n; i += writers {
				was := company.Person(companySeed, i)
				e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprintf("t%06d", i), Recorded: begin}
				line := dayone.Timeline{Person: dayone.PersonID(fmt.Sprintf("per_%026d", i)), Managed: true, Employments: []dayone.Employment{e}}
				fact := func(attr string, v dayone.Value, effective time.Time) {
					line.Facts = append(line.Facts, dayone.Fact{Engagement: e.ID, Attr: attr, Effective: effective, Said: begin, Again: begin, Recorded: begin, Value: v, Source: "hr"})
				}
				for name, v := range was.Attrs {
					fact(name, v, time.Time{})
				}
				fact("engagement.start", dayone.Text("2020-01-01"), time.Time{})
				for day := range others + 1 {
					fact("work_arrangement", dayone.Text("From home"), at.AddDate(0, 0, day))
				}
				p := people.At(&line, begin, begin, h.Active())
				row := store.Row{
					ID: p.ID, Managed: true, Wake: at, Name: p.Name(), Email: p.Attrs.Text("email"), Manager: p.Attrs.Text("manager"), Title: p.Attrs.Text("job_title"),
					Department: p.Attrs.Text("department"), Team: p.Attrs.Text("team"), Location: p.Attrs.Text("location"), Status: p.Status, Starts: p.Start,
					Country: cmp.Or(p.Attrs.Text("country"), p.Site.Country), Company: p.Attrs.Text("company"),
				}
				row.Told = &dayone.Told{At: begin, Status: p.Status, Attrs: map[string]string{}}
				for _, name := range h.Active().Watched() {
					if v, ok := p.Attrs[name]; ok {
						row.Told.Attrs[name] = v.Text
					}
				}
				if err := h.Store.Save(ctx, store.Saved{Person: p.ID, New: true, Employment: &e, Row: &row, Facts: line.Facts}); err != nil {
					b.Error(err)
					return
				}
				have := settle(b, h.Active(), p, begin)
				run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%026d", i)), Person: p.ID, State: dayone.RunDone, Started: begin, Ended: begin, Plan: dayone.Plan{Person: p.ID}}
				if err := h.Store.Commit(ctx, []dayone.Progress{{Run: run, New: true, Holdings: have}}); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				facts, holdings = facts+len(line.Facts), holdings+len(have)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return facts, holdings
}

// BenchmarkDue looks again at people who are due at one instant and for whom nothing turns out to be done, by so many
// policies, together and one by one; beside it a floor that reads the same rows, writes one number of each person, and
// decides nothing. DAYONE_BENCH_PEOPLE says how many they are; 10,000 if it does not.
func BenchmarkDue(b *testing.B) {
	n := townSize()
	for _, c := range []struct {
		database string
		policies int
	}{{"sqlite", 10}, {"sqlite", 300}, {"postgres", 10}} {
		b.Run(fmt.Sprintf("%s/policies=%d", c.database, c.policies), func(b *testing.B) {
			w := newWorld(b)
			if c.database == "postgres" {
				w.at = storetest.Postgres(b)
			}
			w.files = company.Policies(companySeed, c.policies)
			h := w.open()
			h.stopRun()
			morning := begin.Add(24 * time.Hour)
			facts, holdings := townDue(b, h, n, morning, 0)
			h.clock.Jump(morning)
			if got, due, err := h.NothingToDo(ctx); err != nil || got != due {
				b.Fatalf("for %d of %d nothing is to be done, %v", got, due, err)
			}
			var took, floor, busy, floorBusy time.Duration
			highest := peak(b)
			for b.Loop() {
				began, was := time.Now(), processor(b)
				if err := h.LookAgain(ctx); err != nil {
					b.Fatal(err)
				}
				took, busy = took+time.Since(began), busy+processor(b)-was
				b.StopTimer()
				if left, err := h.Store.CountDue(ctx, h.Now()); err != nil || left > 0 {
					b.Fatalf("%d are still due, %v", left, err)
				}
				dueAgain(b, w.at, morning, n)
				began, was = time.Now(), processor(b)
				if c.database == "sqlite" {
					onlyRead(b, w.at)
				}
				floor, floorBusy = floor+time.Since(began), floorBusy+processor(b)-was
				b.StartTimer()
			}
			apart := min(n, 500)
			if err := h.LookAgain(ctx); err != nil { // they were made due for the next round
				b.Fatal(err)
			}
			dueAgain(b, w.at, morning, apart)
			began, was := time.Now(), processor(b)
			if err := h.LookOneByOne(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(apart)/time.Since(began).Seconds(), "one-by-one-people/s")
			b.ReportMetric(float64((processor(b)-was).Microseconds())/float64(apart), "one-by-one-cpu-us/person")
			ours := float64(n) * float64(b.N) / took.Seconds()
			b.ReportMetric(ours, "people/s")
			b.ReportMetric(float64(busy.Microseconds())/float64(n)/float64(b.N), "cpu-us/person") // others may be at work on the machine
			if c.database == "sqlite" {
				b.ReportMetric(float64(n)*float64(b.N)/floor.Seconds(), "floor-people/s")
				b.ReportMetric(float64(floorBusy.Microseconds())/float64(n)/float64(b.N), "floor-cpu-us/person")
			}
			b.ReportMetric(float64(facts)/float64(n), "facts/person")
			b.ReportMetric(float64(holdings)/float64(n), "holdings/person")
			b.ReportMetric(highest()/1e6, "peakMB")
		})
	}
}

// townSize is how many people a benchmark is about.
func townSize() int {
	if n, err := strconv.Atoi(os.Getenv("DAYONE_BENCH_PEOPLE")); err == nil {
		return n
	}
	return 10_000
}

// BenchmarkDueAhead looks at people half an hour before the instant at which all of them are due, and then at that instant. On
// each of the first mornings something that was said about everybody becomes true, without effect; after these nothing does.
// Both are measured by themselves.
func BenchmarkDueAhead(b *testing.B) {
	const mornings = 6
	n := townSize()
	for _, c := range []struct {
		database string
		policies int
	}{{"sqlite", 10}, {"sqlite", 300}, {"postgres", 10}} {
		b.Run(fmt.Sprintf("%s/policies=%d", c.database, c.policies), func(b *testing.B) {
			w := newWorld(b)
			if c.database == "postgres" {
				w.at = storetest.Postgres(b)
			}
			w.files = company.Policies(companySeed, c.policies)
			h := w.open()
			h.stopRun()
			morning := begin.Add(24 * time.Hour)
			_, holdings := townDue(b, h, n, morning, mornings-1)
			var all []float64
			var took, busy, before, beforeBusy time.Duration
			highest := peak(b)
			for b.Loop() {
				b.StopTimer()
				dueAgain(b, w.at, morning, n)
				h.clock.Jump(morning.Add(-30 * time.Minute))
				began, was := time.Now(), processor(b)
				if got, err := h.LookAhead(ctx); err != nil || got != n {
					b.Fatalf("of %d of %d something is foreseen, %v", got, n, err)
				}
				before, beforeBusy = before+time.Since(began), beforeBusy+processor(b)-was
				h.clock.Jump(morning)
				b.StartTimer()
				began, was = time.Now(), processor(b)
				if err := h.LookAgain(ctx); err != nil {
					b.Fatal(err)
				}
				one := time.Since(began)
				took, busy = took+one, busy+processor(b)-was
				all = append(all, float64(n)/one.Seconds())
				b.StopTimer()
				if left, err := h.Store.CountDue(ctx, h.Now()); err != nil || left > 0 {
					b.Fatalf("%d are still due, %v", left, err)
				}
				morning = morning.AddDate(0, 0, 1)
				b.StartTimer()
			}
			slices.Sort(all)
			people := float64(n) * float64(b.N)
			b.ReportMetric(people/took.Seconds(), "people/s")
			b.ReportMetric(all[0], "slowest-people/s")
			b.ReportMetric(all[len(all)/2], "median-people/s")
			b.ReportMetric(float64(busy.Microseconds())/people, "cpu-us/person")
			b.ReportMetric(people/before.Seconds(), "ahead-people/s")
			b.ReportMetric(float64(beforeBusy.Microseconds())/people, "ahead-cpu-us/person")
			b.ReportMetric(float64(holdings)/float64(n), "holdings/person")
			b.ReportMetric(highest()/1e6, "peakMB")
		})
	}
}

// processor is how much of the processors this process has used.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// beside is a connection of its own to a database.
func beside(b *testing.B, at string) *sql.DB {
	b.Helper()
	driver, source := "pgx", at
	if file, ok := strings.CutPrefix(at, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+file+"?_pragma=busy_timeout(60000)&_pragma=synchronous(FULL)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func dueAgain(b *testing.B, at string, when time.Time, n int) {
	b.Helper()
	if _, err := beside(b, at).Exec(`UPDATE person SET wake = $1 WHERE id < $2`, when.UnixMicro(), fmt.Sprintf("per_%026d", n)); err != nil {
		b.Fatal(err)
	}
}

// onlyRead reads the rows behind a look at everybody on both cores, 200 people with one statement, and writes when each is
// looked at next, 200 in a commit.
func onlyRead(b *testing.B, at string) {
	b.Helper()
	db := beside(b, at)
	var ids []string
	rows, err := db.Query(`SELECT id FROM person ORDER BY wake`)
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			b.Fatal(err)
		}
		ids = append(ids, id)
	}
	_ = rows.Close()
	marks := "(?" + strings.Repeat(",?", store.AtOnce-1) + ")"
	pages := make(chan []string, len(ids)/store.AtOnce+1)
	for some := range slices.Chunk(ids, store.AtOnce) {
		pages <- some
	}
	close(pages)
	var writing sync.Mutex
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for some := range pages {
				args := make([]any, store.AtOnce)
				for i := range args {
					args[i] = some[min(i, len(some)-1)]
				}
				for _, q := range []string{
					`SELECT id, wake, name, email, told FROM person WHERE id IN `, `SELECT person, attr, effective, again, recorded, box FROM fact WHERE person IN `,
					`SELECT person, key, ref, state, box FROM holding WHERE person IN `,
				} {
					rows, err := db.Query(q+marks, args...)
					if err != nil {
						b.Error(err)
						return
					}
					columns, _ := rows.Columns()
					to := make([]any, len(columns))
					for i := range to {
						to[i] = new(sql.RawBytes)
					}
					for rows.Next() {
						if err := rows.Scan(to...); err != nil {
							b.Error(err)
						}
					}
					_ = rows.Close()
				}
				writing.Lock()
				_, err := db.Exec(`UPDATE person SET wake = wake WHERE id IN `+marks, args...)
				writing.Unlock()
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}
