//go:build unix

package bench

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
)

const (
	seed      = 20241122
	everybody = 100_000
	sample    = 2_000 // of the slow: they fit the cache better, which is in their favour
)

var sizes = []int{10, 100, 1000}

// peer is an engine, how many people it is asked about, and how to make it.
type peer struct {
	name   string
	people int
	make   func(policies int) (Scan, error)
}

// The first is what the others are compared with.
var peers = []peer{
	{"cel-go", sample, func(n int) (Scan, error) {
		e, err := newCEL(few(), askedOf(seed, n))
		return byPerson(e.person), err
	}},
	{"cel-go, by policy", sample, func(n int) (Scan, error) {
		e, err := newCEL(few(), askedOf(seed, n))
		return byPolicy(n, e.policy), err
	}},
	{"dayone", everybody, func(n int) (Scan, error) {
		set, err := setOf(seed, n)
		if err != nil {
			return nil, err
		}
		return ours(set, workforce()), nil
	}},
	{"Go closures", everybody / 5, func(n int) (Scan, error) {
		return byPerson(newGo(crowd(), askedOf(seed, n), onWords).person), nil
	}},
	{"Go closures, by policy", everybody / 5, func(n int) (Scan, error) {
		return byPolicy(n, newGo(crowd(), askedOf(seed, n), onWords).policy), nil
	}},
	{"Go closures on codes", everybody / 5, func(n int) (Scan, error) {
		return byPerson(newGo(crowd(), askedOf(seed, n), crowd().onCodes).person), nil
	}},
	{"Go closures on codes, by policy", everybody / 5, func(n int) (Scan, error) {
		return byPolicy(n, newGo(crowd(), askedOf(seed, n), crowd().onCodes).policy), nil
	}},
	{"expr", sample, func(n int) (Scan, error) {
		e, err := newExpr(few(), askedOf(seed, n))
		return byPerson(e.person), err
	}},
	{"expr, by policy", sample, func(n int) (Scan, error) {
		e, err := newExpr(few(), askedOf(seed, n))
		return byPolicy(n, e.policy), err
	}},
	{"cedar-go", sample, func(n int) (Scan, error) { return cedarEngine(few(), askedOf(seed, n)) }},
	{"OPA", sample, func(n int) (Scan, error) { return opaEngine(few(), askedOf(seed, n)) }},
}

var (
	crowd     = sync.OnceValue(func() *Crowd { return crowdOf(seed, everybody) })
	few       = sync.OnceValue(func() *Crowd { c := *crowd(); c.People = c.People[:sample]; return &c })
	workforce = sync.OnceValue(func() *policy.Workforce {
		set, err := setOf(seed, sizes[len(sizes)-1])
		if err != nil {
			panic(err)
		}
		return workforceOf(seed, everybody, set)
	})
)

func TestEveryEngineGivesTheSameAnswers(t *testing.T) {
	const people = sample
	for _, policies := range sizes {
		answers := func(p peer) [][]int32 {
			scan, err := p.make(policies)
			if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			out := make([][]int32, people)
			scan(0, people, func(row int, hold []int32) {
				out[row] = slices.Clone(hold)
				slices.Sort(out[row])
			})
			return out
		}
		want, hits := answers(peers[0]), 0
		for _, w := range want {
			hits += len(w)
		}
		if hits < policies {
			t.Fatalf("%d policies hold for %d people only %d times: that tests nothing", policies, people, hits)
		}
		for _, p := range peers[1:] {
			differ := 0
			for row, got := range answers(p) {
				if !slices.Equal(got, want[row]) {
					if differ++; differ == 1 {
						t.Errorf("%s, %d policies, row %d: %v hold, by %s %v", p.name, policies, row, got, peers[0].name, want[row])
					}
				}
			}
			t.Logf("%s: %d people x %d policies, %d hits, %d people differ", p.name, people, policies, hits, differ)
		}
	}
}

// figure is per person: nanoseconds of processor time, and allocations.
type figure struct{ nanos, allocs float64 }

// figures keeps the best of each engine, by policies and place in peers.
var figures = map[[2]int]figure{}

// round is how much processor time one measurement takes at least. The best round counts: others on the machine can only
// make it slower.
const round = 100 * time.Millisecond

// BenchmarkPeers is one thread each, by processor time.
func BenchmarkPeers(b *testing.B) {
	for _, policies := range sizes {
		for n, p := range peers {
			scan, err := p.make(policies)
			if err != nil {
				b.Fatalf("%s: %v", p.name, err)
			}
			b.Run(fmt.Sprintf("policies=%d/%s", policies, p.name), func(b *testing.B) {
				runtime.GC()
				hits := 0
				count := func(_ int, hold []int32) { hits += len(hold) }
				f := figure{nanos: math.Inf(1), allocs: testing.AllocsPerRun(1, func() { scan(0, p.people, count) }) / float64(p.people)}
				for b.Loop() {
					n, from := 0, cpu()
					used := cpu() - from
					for ; used < round; used = cpu() - from {
						scan(0, p.people, count)
						n += p.people
					}
					f.nanos = min(f.nanos, float64(used.Nanoseconds())/float64(n))
				}
				b.ReportMetric(0, "ns/op") // an op is a round
				b.ReportMetric(1e9/f.nanos, "persons/s")
				b.ReportMetric(f.nanos/float64(policies), "ns/pair")
				b.ReportMetric(f.allocs, "allocs/person")
				at := [2]int{policies, n}
				if best, ok := figures[at]; !ok || f.nanos < best.nanos {
					figures[at] = f
				}
				if cel, ok := figures[[2]int{policies, 0}]; ok {
					b.ReportMetric(cel.nanos/f.nanos, "x-cel")
				}
			})
		}
	}
}

// BenchmarkCores is a million people and 1,000 policies on one core, two, and so on, by the clock on the wall.
func BenchmarkCores(b *testing.B) {
	const people, policies, share = 1_000_000, 1000, 10_000
	set, err := setOf(seed, policies)
	if err != nil {
		b.Fatal(err)
	}
	scan := ours(set, workforceOf(seed, people, set))
	for cores := 1; cores <= runtime.GOMAXPROCS(0); cores++ {
		b.Run(fmt.Sprintf("cores=%d", cores), func(b *testing.B) {
			runtime.GC()
			best, bestCPU := math.Inf(1), math.Inf(1)
			for b.Loop() {
				from, used := time.Now(), cpu()
				var next atomic.Int64
				var wg sync.WaitGroup
				for range cores {
					wg.Go(func() {
						hits := 0
						for end := next.Add(share); end <= people; end = next.Add(share) {
							scan(int(end-share), int(end), func(_ int, hold []int32) { hits += len(hold) })
						}
					})
				}
				wg.Wait()
				best, bestCPU = min(best, time.Since(from).Seconds()), min(bestCPU, (cpu()-used).Seconds())
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(best*1000, "ms")
			b.ReportMetric(people/best, "persons/s")
			b.ReportMetric(bestCPU*1e9/people/policies, "cpu-ns/pair")
		})
	}
}

// BenchmarkFill makes people ready for the index: values become numbers. No engine's preparation is part of the others.
func BenchmarkFill(b *testing.B) {
	set, err := setOf(seed, 1000)
	if err != nil {
		b.Fatal(err)
	}
	people := slices.Collect(company.People(seed, 10_000))
	d := policy.NewDictionary()
	best := math.Inf(1)
	for b.Loop() {
		from, n := cpu(), 0
		for ; cpu()-from < round; n += len(people) {
			w := policy.NewWorkforce(d, set.Schema, set)
			for i := range people {
				w.Add(&people[i])
			}
		}
		best = min(best, float64((cpu()-from).Nanoseconds())/float64(n))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best, "ns/person")
}

func TestMain(m *testing.M) {
	code := m.Run()
	table()
	os.Exit(code)
}

// table is the figures as docs/speed.md has them: the best of each, by processor time.
func table() {
	last := sizes[len(sizes)-1]
	var order []int
	for i := range peers {
		if _, ok := figures[[2]int{last, i}]; ok {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		return
	}
	fmt.Print("\n| engine |")
	for _, n := range sizes {
		fmt.Printf(" persons/s, P=%d | ns/pair | x cel-go |", n)
	}
	fmt.Print(" allocs/person |\n|---|")
	for range sizes {
		fmt.Print("---:|---:|---:|")
	}
	fmt.Println("---:|")
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Compare(figures[[2]int{last, a}].nanos, figures[[2]int{last, b}].nanos)
	})
	for _, i := range order {
		fmt.Printf("| %s |", peers[i].name)
		for _, n := range sizes {
			f, ok := figures[[2]int{n, i}]
			if !ok {
				fmt.Print(" | | |")
				continue
			}
			fmt.Printf(" %s | %s | %s |", short(1e9/f.nanos), short(f.nanos/float64(n)), short(figures[[2]int{n, 0}].nanos/f.nanos))
		}
		fmt.Printf(" %.0f |\n", figures[[2]int{last, i}].allocs)
	}
}

func short(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f M", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.0f k", n/1e3)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", n/1e3)
	case n >= 10:
		return fmt.Sprintf("%.0f", n)
	case n >= 1:
		return fmt.Sprintf("%.1f", n)
	default:
		return fmt.Sprintf("%.2f", n)
	}
}
