package policy_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/internal/company"
	"github.com/dayone-hq/dayone/policy"
)

const seed = 20241122

var benchNow = time.Date(2024, 11, 22, 15, 0, 0, 0, time.UTC)

func load(tb testing.TB, files fstest.MapFS) *policy.Set {
	tb.Helper()
	set, diags := policy.Load(files, nil)
	if set == nil {
		tb.Fatal(diags[0])
	}
	return set
}

func crowd(tb testing.TB, n int, set *policy.Set) *policy.Workforce {
	tb.Helper()
	w := policy.NewWorkforce(policy.NewDictionary(), set.Schema, set)
	for p := range company.People(seed, n) {
		w.Add(&p)
	}
	return w
}

// BenchmarkLoad is a start with 1,000 policies: read, check, split, ready to answer.
func BenchmarkLoad(b *testing.B) {
	files := company.Policies(seed, 1000)
	p := company.Person(seed, 1)
	b.ReportAllocs()
	for b.Loop() {
		load(b, files).Want(p, policy.Context{Now: benchNow})
	}
}

// BenchmarkMatch answers 1,000 policies for one person after the other, on one thread.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			set := load(b, company.Policies(seed, n))
			w := crowd(b, 100_000, set)
			scan := set.Scanner(w, benchNow)
			b.ReportAllocs()
			b.ResetTimer()
			hits := 0
			for i := 0; i < b.N; i += w.Len() {
				scan(0, min(w.Len(), b.N-i), func(_ int, hold, _ []int32) { hits += len(hold) })
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "persons/s")
			b.ReportMetric(float64(hits)/float64(b.N), "hits/person")
		})
	}
}

// BenchmarkReference is the same by plain CEL.
func BenchmarkReference(b *testing.B) {
	set := load(b, company.Policies(seed, 1000))
	var people []dayone.Person
	for p := range company.People(seed, 500) {
		people = append(people, p)
	}
	b.ResetTimer()
	for i := range b.N {
		set.AskCEL(&people[i%len(people)], benchNow)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "persons/s")
}

// BenchmarkSurvey answers everything about everybody on all cores.
func BenchmarkSurvey(b *testing.B) {
	set := load(b, company.Policies(seed, 1000))
	w := crowd(b, 1_000_000, set)
	b.ResetTimer()
	for b.Loop() {
		set.Survey(w, benchNow)
	}
	b.ReportMetric(float64(w.Len())*float64(b.N)/b.Elapsed().Seconds(), "persons/s")
}

// BenchmarkImpact changes one policy of 1,000 over a million people: read, check, answer, compare.
func BenchmarkImpact(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("people=%d", n), func(b *testing.B) {
			files := company.Policies(seed, 1000)
			before := load(b, files)
			w := crowd(b, n, before)
			census := before.Survey(w, benchNow)
			var edits []*policy.Set
			for i := range 10 {
				files := company.Policies(seed, 1000)
				name := fmt.Sprintf("policies/p%02d.yaml", i)
				text := string(files[name].Data)
				files[name] = &fstest.MapFile{Data: []byte(text + company.Policy("edited", company.Condition(seed, 5000+i), company.Grants(seed, 5000+i)))}
				edits = append(edits, load(b, files))
			}
			runtime.GC()
			b.ResetTimer()
			shifts := 0
			for i := range b.N {
				im, err := census.Compare(census.Next(edits[i%len(edits)]))
				if err != nil {
					b.Fatal(err)
				}
				for _, k := range im.Keys {
					shifts += int(k.Gain.GetCardinality() + k.Lose.GetCardinality())
				}
			}
			b.ReportMetric(float64(shifts)/float64(b.N), "shifts")
		})
	}
}

// BenchmarkOnePerson is one person before and after a change: which policies, which grants, what differs.
func BenchmarkOnePerson(b *testing.B) {
	set := load(b, company.Policies(seed, 1000))
	p, q := company.Person(seed, 7), company.Person(seed, 7)
	q.Attrs = q.Attrs.With(dayone.Attrs{"department": dayone.Text("Finance"), "job_title": dayone.Text(company.Title(20))})
	diff := set.Differ()
	diff(&p, &q, benchNow)
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		diff(&p, &q, benchNow)
	}
}

// BenchmarkWant is a whole want: windows, parameters, reasons.
func BenchmarkWant(b *testing.B) {
	set := load(b, company.Policies(seed, 1000))
	var people []dayone.Person
	for p := range company.People(seed, 1000) {
		people = append(people, p)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		set.Want(people[i%len(people)], policy.Context{Now: benchNow})
	}
}
