package flow_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

const benchPool = `
pools:
  DE-geo:
    platform: cucm-eu
    emergency: ERL
    ranges:
      - {first: +4930123400000, last: +4930123499999}
`

// hundredThousand opens a house with a pool of 100,000 numbers.
func hundredThousand(b *testing.B) *house {
	b.Helper()
	h := newWorld(b).open()
	if _, err := h.SaveNumberPlan(few, benchPool, 0, "kim"); err != nil {
		b.Fatal(err)
	}
	return h
}

// spent is the processor time that the process has used: what others do on the machine is no part of it.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Bringing 100,000 numbers into the books, and what they take of memory after that.
func BenchmarkNumbersCreated(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := newWorld(b).open()
		before := heap()
		b.StartTimer()
		began := spent()
		if _, err := h.SaveNumberPlan(few, benchPool, 0, "kim"); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric((spent() - began).Seconds(), "cpu-s")
		b.ReportMetric(float64(int64(heap())-int64(before))/(1<<20), "MiB-kept")
		h.stop()
		b.StartTimer()
	}
}

// Fifty at once ask for numbers of a pool of 100,000; each is durable when it is answered.
func BenchmarkNumbersReserved(b *testing.B) {
	h := hundredThousand(b)
	var n atomic.Int64
	b.SetParallelism(50)
	b.ResetTimer()
	began := spent()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.ReserveNumber(few, flow.NumberWish{Pool: "DE-geo", For: dayone.NumberNote{Name: fmt.Sprint("offer ", n.Add(1))}, By: "hr"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "numbers/s")
	b.ReportMetric(float64(b.N)/(spent()-began).Seconds(), "numbers/cpu-s")
}

// An audit of 100,000 assigned numbers.
func BenchmarkNumbersAudited(b *testing.B) {
	h := hundredThousand(b)
	erin, _ := h.hires(employee("1", "start_date", "2024-11-11"))
	if err := h.Store.ChangeNumbers(few, func(n *store.Numbers) error {
		list, err := n.List(store.NumberFilter{Limit: 1 << 20})
		if err != nil {
			return err
		}
		for i := range list {
			list[i].State, list[i].Owner, list[i].Confirmed = dayone.NumberAssigned, erin, begin
			if i > 0 {
				list[i].Owner = dayone.PersonID(fmt.Sprintf("per_%d", i))
			}
		}
		return n.Put(list...)
	}); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	began := spent()
	for b.Loop() {
		a, err := h.AuditNumbers(few)
		if err != nil || a.Numbers != 100_000 {
			b.Fatal(err, a.Numbers)
		}
	}
	b.ReportMetric((spent()-began).Seconds()/float64(b.N), "cpu-s")
}

// The same, looked at again and again: it is remembered, and says of when it is.
func BenchmarkNumbersAuditedAgain(b *testing.B) {
	h := hundredThousand(b)
	var last time.Time
	for range 2 { // the first says that it takes long
		a, err := h.AuditNumbers(few)
		if err != nil || a.Numbers != 100_000 {
			b.Fatal(err, a.Numbers)
		}
		last = a.At
	}
	b.ResetTimer()
	began := spent()
	for b.Loop() {
		a, err := h.AuditNumbers(few)
		if err != nil || a.Numbers != 100_000 || a.At.Before(last) {
			b.Fatal(err, a.Numbers, a.At)
		}
	}
	b.ReportMetric((spent()-began).Seconds()/float64(b.N), "cpu-s")
}

// A file that says who has 100,000 numbers, looked at as a dry run does.
func BenchmarkNumbersImportChecked(b *testing.B) {
	h := hundredThousand(b)
	var file strings.Builder
	file.WriteString("number,state,reason\n")
	for i := range 100_000 {
		fmt.Fprintf(&file, "+49301234%05d,held,lift\n", i)
	}
	b.ResetTimer()
	began := spent()
	for b.Loop() {
		im, err := h.ImportNumbers(few, "n.csv", file.String(), "kim", true)
		if err != nil || im.Changed != 100_000 {
			b.Fatalf("%v %+v", err, im)
		}
	}
	b.ReportMetric((spent()-began).Seconds()/float64(b.N), "cpu-s")
}
