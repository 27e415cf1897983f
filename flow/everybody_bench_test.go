package flow_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// BenchmarkPlanAll plans for everybody in the store, each with about 24 grants and as many holdings, by 300 policies: when
// one of them is new (one-policy), when everybody gets something more (base-policy), when what follows a leave is another
// thing (lifecycle), when attributes come from elsewhere, so that everybody is looked at closely (attributes), and the
// first time after a start, with everybody to be read (first). DAYONE_BENCH_PEOPLE says how many they are; 20,000 if it
// does not.
func BenchmarkPlanAll(b *testing.B) {
	n := 20_000
	if s := os.Getenv("DAYONE_BENCH_PEOPLE"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	const seed = 20241122
	w := newWorld(b)
	w.files = company.Policies(seed, 300)
	h := w.open()
	h.stopRun()
	grants, holdings := hire(b, h, seed, n)
	propose := func(name, more string, other ...string) flow.Proposal {
		next := company.Policies(seed, 300)
		next[name] = &fstest.MapFile{Data: []byte(strings.NewReplacer(other...).Replace(string(next[name].Data)) + more)}
		set, diags := h.Load(next)
		if set == nil {
			b.Fatal(diags)
		}
		return flow.Proposal{Set: set, Files: next, Author: "kim"}
	}
	one := propose("policies/p00.yaml", company.Policy("new", company.Condition(seed, 9000), company.Grants(seed, 9000)))
	for _, c := range []struct {
		name string
		pr   flow.Proposal
	}{
		{"one-policy", one},
		{"base-policy", propose("policies/p00.yaml", company.Policy("new", "true", []dayone.Key{company.Key(1)}))},
		{"lifecycle", propose("people.yaml", "  lifecycle: {leave: enabled}\n")},
		{"attributes", propose("people.yaml", "", "hr.level", "hr.grade")},
		{"first", one},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := h.Flow
			if _, err := f.PlanAll(b.Context(), one, nil, nil); err != nil { // what is read once
				b.Fatal(err)
			}
			changes, highest := 0, peak(b)
			b.ReportAllocs()
			for b.Loop() {
				if c.name == "first" {
					deps := h.Deps
					deps.Policy = h.Active()
					f = flow.New(deps)
				}
				e, err := f.PlanAll(b.Context(), c.pr, nil, nil)
				if err != nil {
					b.Fatal(err)
				}
				changes = len(e.Changes)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
			b.ReportMetric(float64(changes), "changed")
			b.ReportMetric(float64(grants)/float64(n), "grants/person")
			b.ReportMetric(float64(holdings)/float64(n), "holdings/person")
			b.ReportMetric(highest()/1e6, "peakMB")
		})
	}
}

// peak watches the heap; what it returns says how big it ever was, garbage included.
func peak(b *testing.B) func() float64 {
	runtime.GC()
	var most atomic.Uint64
	stop := make(chan struct{})
	look := func() {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		most.Store(max(most.Load(), s[0].Value.Uint64()))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look()
			case <-stop:
				return
			}
		}
	}()
	b.Cleanup(func() { close(stop) })
	return func() float64 { look(); return float64(most.Load()) }
}

// hire fills the store: a timeline for everybody, and holdings for what policies give.
func hire(b testing.TB, h *house, seed uint64, n int) (grants, holdings int) {
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
