package clock

import (
	"sync/atomic"
	"testing"
	"time"
)

// A machine that slept, or whose time was set, wakes what became due meanwhile, and nothing that became due again later.
func TestAClockThatIsSetWakesWhatIsDue(t *testing.T) {
	t.Parallel()
	var shift atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	woken, stop := after(now, time.Millisecond, now().Add(7*24*time.Hour))
	defer stop()
	early, stopEarly := after(now, time.Millisecond, now().Add(time.Hour))
	defer stopEarly()
	shift.Store(int64(2 * time.Hour))
	<-early
	select {
	case <-woken:
		t.Error("it rings days too early")
	default:
	}
	shift.Store(-int64(24 * time.Hour))
	shift.Store(int64(8 * 24 * time.Hour))
	<-woken
}

func TestAnInstantThatIsOverRingsAtOnce(t *testing.T) {
	t.Parallel()
	woken, stop := System{}.After(time.Now().Add(-time.Hour))
	defer stop()
	<-woken
}
