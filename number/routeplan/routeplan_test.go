package routeplan_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number/routeplan"
)

func patternsThatAnswer(t *testing.T, number string, patterns ...string) []string {
	t.Helper()
	var es []routeplan.Entry
	for _, p := range patterns {
		es = append(es, routeplan.Entry{Pattern: p, Partition: "PT"})
	}
	plan, faults := routeplan.Compile(es)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var out []string
	for _, e := range plan.Matches(nil, number, nil) {
		out = append(out, e.Pattern)
	}
	return out
}

// TestWhatATextSearchMisses: each of these answers 2101, and none of them has that text in it.
func TestWhatATextSearchMisses(t *testing.T) {
	t.Parallel()
	all := []string{"2101", "21XX", "2[1-3]XX", "2[^5-9]01", "2!", "!", "2.101", "210X", "21?01", "2+101", "210[13*]", "X+", "22?101", "XXXX", "2-101"}
	if got := patternsThatAnswer(t, "2101", all...); !slices.Equal(got, all) {
		t.Errorf("2101 is answered by %q, not all of %q", got, all)
	}
	none := []string{"2102", "21X", "21XXX", "2[2-3]XX", "2[^1-3]01", "3!", "2101!", "\\+2101", "21X#", "*2101", "2101#"}
	if got := patternsThatAnswer(t, "2101", none...); len(got) > 0 {
		t.Errorf("2101 is answered by %q", got)
	}
	if got := patternsThatAnswer(t, `\+14085552101`, `\+1408555!`, `\+14085552XXX`, `\+!`, "14085552101"); !slices.Equal(got, []string{`\+1408555!`, `\+14085552XXX`, `\+!`}) {
		t.Errorf("the number in the world is answered by %q", got)
	}
	if got := patternsThatAnswer(t, "914085552101", "9.@", "9.1[2-9]XX[2-9]XXXXXX", "8.@"); !slices.Equal(got, []string{"9.@", "9.1[2-9]XX[2-9]XXXXXX"}) {
		t.Errorf("by the North American plan it is answered by %q", got)
	}
	if got := patternsThatAnswer(t, "9911", "9.@", "9.911", "9911"); len(got) != 3 {
		t.Errorf("an emergency call is answered by %q", got)
	}
	if got := patternsThatAnswer(t, "hello", "!", "X"); len(got) > 0 {
		t.Errorf("a word is answered by %q", got)
	}
}

// TestOnlyPartitionsThatAreReached answer, each entry once, in the plan's order.
func TestOnlyPartitionsThatAreReached(t *testing.T) {
	t.Parallel()
	plan, _ := routeplan.Compile([]routeplan.Entry{
		{Pattern: "21XX", Partition: "Berlin", Kind: "Translation"}, {Pattern: "2101", Partition: "Paris", Kind: "Device"}, {Pattern: "2X?01", Partition: "Berlin"},
	})
	got := plan.Matches(nil, "2101", func(p string) bool { return p == "Berlin" })
	if len(got) != 2 || got[0].Kind != "Translation" || got[1].Pattern != "2X?01" {
		t.Errorf("in Berlin 2101 is answered by %+v", got)
	}
}

// TestUnreadablePatterns are told of with their place, and the rest of the plan is there.
func TestUnreadablePatterns(t *testing.T) {
	t.Parallel()
	for pattern, at := range map[string]int{"": 0, "21[": 2, "2[9-1]": 1, "21[]": 2, "+4930": 0, "?1": 0, `2\1`: 1, `21\`: 2, "21 01": 2, "[a-c]": 0, strings.Repeat("1?", 20): 0} {
		got, wrong := routeplan.Check(pattern)
		if wrong == "" || got != at {
			t.Errorf("%q: %d %q, want something at %d", pattern, got, wrong, at)
		}
		plan, faults := routeplan.Compile([]routeplan.Entry{{Pattern: pattern, Partition: "PT"}, {Pattern: "2101"}})
		if len(faults) != 1 || !errors.Is(faults[0], dayone.ErrInvalid) || len(plan.Matches(nil, "2101", nil)) != 1 {
			t.Errorf("%q: %v", pattern, faults)
		}
	}
}

func TestAPatternThatCoversHalfAPool(t *testing.T) {
	t.Parallel()
	var pool []string
	for i := range 100 {
		pool = append(pool, fmt.Sprintf(`\+493055521%02d`, i))
	}
	plan, _ := routeplan.Compile([]routeplan.Entry{{Pattern: `\+493055521[5-9]X`, Kind: "Hunt"}, {Pattern: `\+49305552107`, Kind: "Device"}, {Pattern: `\+4930!`, Kind: "Route"}, {Pattern: "2101"}})
	got := plan.Covers(pool, nil)
	if len(got) != 3 || got[0].Of != 100 || got[1].Of != 50 || got[1].First != `\+49305552150` || got[2].Of != 1 {
		t.Errorf("the pool is covered by %+v", got)
	}
}

// asRegexp is a pattern as another language has it: what it says is the judge.
func asRegexp(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '.':
		case 'X':
			b.WriteString("[0-9]")
		case '!':
			b.WriteString("[0-9]+")
		case '?':
			b.WriteString("*")
		case '*':
			b.WriteString(`\*`)
		case '[':
			end := i + strings.IndexByte(pattern[i:], ']')
			in := pattern[i+1 : end]
			if strings.HasPrefix(in, "^") {
				var rest strings.Builder
				for _, d := range "0123456789*#" {
					if !regexp.MustCompile("[" + in[1:] + "]").MatchString(string(d)) {
						rest.WriteRune(d)
					}
				}
				in = rest.String()
			}
			b.WriteString("[" + in + "]")
			i = end
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString("$")
	return regexp.MustCompile(b.String())
}

// TestAgainstRegularExpressions: random plans and numbers, judged by another engine.
func TestAgainstRegularExpressions(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"0", "1", "2", "3", "*", "#", "X", "[1-2]", "[^1-2]", "[02]", `\+`, "."})
	rapid.Check(t, func(t *rapid.T) {
		var es []routeplan.Entry
		for range rapid.IntRange(1, 12).Draw(t, "patterns") {
			var p strings.Builder
			for i := range rapid.IntRange(1, 5).Draw(t, "length") {
				x := piece.Draw(t, "piece")
				if i == 0 && x == "." {
					x = "1"
				}
				p.WriteString(x)
				if x != "." && rapid.IntRange(0, 5).Draw(t, "repeat") == 0 {
					p.WriteString(rapid.SampledFrom([]string{"?", "+"}).Draw(t, "how"))
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "open") == 0 {
				p.WriteString("!")
			}
			es = append(es, routeplan.Entry{Pattern: p.String(), Partition: fmt.Sprint(len(es))})
		}
		plan, faults := routeplan.Compile(es)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		for range 40 {
			number := rapid.StringMatching(`\+?[0-3*#]{1,6}`).Draw(t, "number")
			var want []routeplan.Entry
			for _, e := range es {
				if asRegexp(e.Pattern).MatchString(number) {
					want = append(want, e)
				}
			}
			if got := plan.Matches(nil, number, nil); !slices.Equal(got, want) {
				t.Fatalf("%s is answered by %v, want %v", number, got, want)
			}
		}
	})
}

func FuzzPatterns(f *testing.F) {
	for _, p := range []string{"2101", "21XX", `\+1408555!`, "9.@", "[^1-3*]", "1?2+", "["} {
		f.Add(p, "2101")
	}
	f.Fuzz(func(_ *testing.T, pattern, number string) {
		plan, _ := routeplan.Compile([]routeplan.Entry{{Pattern: pattern}})
		plan.Matches(nil, number, nil)
	})
}

// bigPlan has n entries of a company of many sites: mostly numbers of people, some translations and routes.
func bigPlan(n int) []routeplan.Entry {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]routeplan.Entry, 0, n)
	for i := range n {
		site := i % 400
		e := routeplan.Entry{Pattern: fmt.Sprintf(`\+49%03d%07d`, 200+site, r.IntN(10_000_000)), Partition: fmt.Sprintf("PT-%d", site), Kind: "Device"}
		switch i % 20 {
		case 0:
			e.Pattern, e.Kind = fmt.Sprintf(`\+49%03d%04dXXX`, 200+site, r.IntN(10_000)), "Translation"
		case 1:
			e.Pattern, e.Kind = fmt.Sprintf("%d[%d-9]XX", r.IntN(90)+10, r.IntN(9)), "Route"
		case 2:
			e.Pattern = fmt.Sprintf("%05d", r.IntN(100_000))
		case 3:
			e.Pattern, e.Kind = fmt.Sprintf(`\+49%03d%d!`, 200+site, r.IntN(1000)), "Route"
		}
		out = append(out, e)
	}
	return out
}

// BenchmarkMatches is the check of one number against 200,000 entries. The floor is a look into a map, which finds the very same
// text and no pattern.
func BenchmarkMatches(b *testing.B) {
	entries := bigPlan(200_000)
	asked := bigPlan(400_000)[200_000:]
	b.Run("plan", func(b *testing.B) {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		plan, faults := routeplan.Compile(entries)
		if len(faults) > 0 {
			b.Fatal(faults)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		var out []routeplan.Entry
		hits := 0
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			number := asked[i%len(asked)].Pattern
			if strings.ContainsAny(number, "X[!") {
				number = asked[(i+5)%len(asked)].Pattern
			}
			out = plan.Matches(out[:0], number, nil)
			hits += len(out)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
		b.ReportMetric(float64(hits)/float64(b.N), "hits/check")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(plan)
	})
	b.Run("floor", func(b *testing.B) {
		exact := make(map[string]int, len(entries))
		for i, e := range entries {
			exact[e.Pattern] = i
		}
		hits := 0
		for i := 0; b.Loop(); i++ {
			if _, ok := exact[asked[i%len(asked)].Pattern]; ok {
				hits++
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
	})
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, faults := routeplan.Compile(entries); len(faults) > 0 {
				b.Fatal(faults)
			}
		}
	})
}
