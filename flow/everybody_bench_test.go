package flow_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// BenchmarkPlanAll plans for everybody in the store, each with about 24 grants and as many holdings, when one policy of
// 1,000 changed and, looking at each person closely, when anything may have. DAYONE_BENCH_PEOPLE says how many they are;
// 20,000 if it does not.
func BenchmarkPlanAll(b *testing.B) {
	n := 20_000
	if s := os.Getenv("DAYONE_BENCH_PEOPLE"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	const seed = 20241122
	files := company.Policies(seed, 300)
	w := newWorld(b)
	w.files = files
	h := w.open()
	h.stopRun()
	grants, holdings := hire(b, h, seed, n)
	change := func(i int) flow.Proposal {
		next := company.Policies(seed, 300)
		text := string(next["policies/p00.yaml"].Data) + company.Policy("new", company.Condition(seed, 9000+i), company.Grants(seed, 9000+i))
		next["policies/p00.yaml"] = &fstest.MapFile{Data: []byte(text)}
		set, diags := h.Load(next)
		if set == nil {
			b.Fatal(diags)
		}
		return flow.Proposal{Set: set, Files: next, Author: "kim"}
	}
	pr := change(0)
	for name, against := range map[string]*policy.Set{"one-policy": nil, "everybody": h.Active()} {
		b.Run(name, func(b *testing.B) {
			if _, err := h.PlanAll(b.Context(), pr, against, nil); err != nil { // what is read once
				b.Fatal(err)
			}
			runtime.GC()
			changes := 0
			for b.Loop() {
				e, err := h.PlanAll(b.Context(), pr, against, nil)
				if err != nil {
					b.Fatal(err)
				}
				changes = len(e.Changes)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
			b.ReportMetric(float64(changes), "changed")
			b.ReportMetric(float64(grants)/float64(n), "grants/person")
			b.ReportMetric(float64(holdings)/float64(n), "holdings/person")
			b.ReportMetric(float64(m.Sys)/1e6, "MB")
		})
	}
}

// hire fills the store: a timeline for everybody, and holdings for what policies give.
func hire(b *testing.B, h *house, seed uint64, n int) (grants, holdings int) {
	b.Helper()
	const writers = 64
	var wg sync.WaitGroup
	var mu sync.Mutex
	for first := range writers {
		wg.Go(func() {
			for i := first; i < n; i += writers {
				p := company.Person(seed, i)
				p.ID = dayone.PersonID(fmt.Sprintf("per_%026d", i))
				e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprintf("t%06d", i), Recorded: begin}
				facts := []dayone.Fact{{Engagement: e.ID, Attr: "engagement.start", Recorded: begin, Value: p.Attrs["start_date"], Source: "hr"}}
				for name, v := range p.Attrs {
					facts = append(facts, dayone.Fact{Engagement: e.ID, Attr: name, Recorded: begin, Value: v, Source: "hr"})
				}
				row := store.Row{ID: p.ID, Managed: true, Name: p.Name(), Email: p.Attrs.Text("email"), Status: dayone.Working}
				if err := h.Store.Save(ctx, store.Saved{Person: p.ID, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
					b.Error(err)
					return
				}
				want := h.Active().Want(p, policy.Context{Now: h.clock.Now()})
				var hs []dayone.Holding
				for _, g := range want.Grants {
					hs = append(hs, dayone.Holding{Item: dayone.Item{Key: g.Key, Ref: "r", State: dayone.Active, Role: g.Role}, Because: g.Because})
				}
				run := dayone.Run{ID: dayone.RunID(fmt.Sprintf("run_%026d", i)), Person: p.ID, State: dayone.RunDone, Started: begin, Ended: begin, Plan: dayone.Plan{Person: p.ID}}
				if err := h.Store.Commit(ctx, []dayone.Progress{{Run: run, New: true, Holdings: hs}}); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				grants, holdings = grants+len(want.Grants), holdings+len(hs)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return grants, holdings
}
