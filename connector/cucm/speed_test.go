package cucm_test

import (
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/cucm"
	cucmsim "github.com/dayone-hq/dayone/connector/cucm/sim"
	"github.com/dayone-hq/dayone/connector/sim"
)

// maxAnswer is the largest answer that a publisher gives.
const maxAnswer = 8 << 20

// crowded is a cluster of many lines, of which two stand on each phone, and a way to read it. Nothing of it is exported.
func crowded(tb testing.TB, lines, phones int) (*cucmsim.Sim, *connector.Guard) {
	tb.Helper()
	s := cucmsim.New(sim.Options{Page: 1 << 30}) // only the size of an answer limits it
	s.Crowd(lines, phones)
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	settings := s.Settings(server.URL)
	settings["read_forwards"] = "false" // as who has so many lines and no class for forwards sets it
	g, err := connector.Open(cucm.Factory, "cucm", time.Now, connector.Options{Settings: settings, PerMinute: map[string]int{"default": 1 << 30}, Timeout: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	return s, g
}

// whole reads all of it and asserts what does not depend on the machine: two readers, no answer over the limit, one request
// for each user and each device, and one for each thousand rows, of which those of lines are read twice, and those of phones for their
// registration, too.
func whole(tb testing.TB, s *cucmsim.Sim, g *connector.Guard, lines, phones int) dayone.Platform {
	tb.Helper()
	d, err := g.Discover(tb.Context(), func(dayone.PlatformKind, int) {})
	if err != nil {
		tb.Fatal(err)
	}
	shown := 0
	for _, l := range d.Lines {
		if len(l.At) > 0 {
			shown++
		}
	}
	if len(d.Lines) != lines || len(d.Users) != phones || len(d.Devices) != phones || shown != 2*phones || len(d.Patterns) != lines+lines/100 {
		tb.Errorf("read %d lines, %d of them shown, %d users, %d devices, %d patterns", len(d.Lines), shown, len(d.Users), len(d.Devices), len(d.Patterns))
	}
	if reads, writes := s.Busiest(); reads != 2 && phones > 100 || reads > 2 || writes > 0 {
		tb.Errorf("%d read and %d wrote at the same time", reads, writes)
	}
	if s.Largest() > maxAnswer {
		tb.Errorf("an answer had %d bytes", s.Largest())
	}
	rows := 2*lines + 3*phones + lines + lines/100
	if most := 2*phones + rows/1000 + 20; len(s.Door().Requests()) > most {
		tb.Errorf("%d requests, more than %d", len(s.Door().Requests()), most)
	}
	return d
}

// TestHundredThousandLines are read by two readers, a thousand at a time.
func TestHundredThousandLines(t *testing.T) {
	t.Parallel()
	s, g := crowded(t, 100_000, 500)
	whole(t, s, g, 100_000, 500)
}

// BenchmarkDiscover reads a cluster of 100,000 lines on 50,000 phones.
func BenchmarkDiscover(b *testing.B) {
	const lines, phones = 100_000, 50_000
	s, g := crowded(b, lines, phones)
	for b.Loop() {
		s.Door().Forget()
		d := whole(b, s, g, lines, phones)
		b.StopTimer()
		s.Door().Forget()
		with, without := heap(), uint64(0)
		runtime.KeepAlive(d)
		d = dayone.Platform{}
		if without = heap(); with > without {
			b.ReportMetric(float64(with-without)/1e6, "MB-kept")
		}
		b.ReportMetric(float64(s.Largest())/1e3, "kB-largest-answer")
		b.StartTimer()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
