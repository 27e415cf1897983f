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

// A machine whose time is set back does not take anybody back with it: time goes on, slower, until both agree again.
func TestTimeNeverGoesBack(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, 11, 22, 12, 0, 0, 0, time.UTC)
	wall, ran := start, time.Duration(0)
	f := &Forward{wall: func() time.Time { return wall }, ran: func() time.Duration { return ran }}
	pass := func(d time.Duration) { wall, ran = wall.Add(d), ran+d }
	shows := func(want, behind time.Duration) {
		t.Helper()
		if b := f.Behind(); b != behind {
			t.Errorf("the wall is %s behind, want %s", b, behind)
		}
		if got := f.Now().Sub(start); got != want {
			t.Errorf("it shows the start and %s, want %s", got, want)
		}
	}
	shows(0, 0)
	pass(time.Minute)
	shows(time.Minute, 0)
	wall = wall.Add(-10 * time.Second)
	shows(time.Minute, 10*time.Second)
	pass(10 * time.Second)
	shows(65*time.Second, 5*time.Second)
	pass(10 * time.Second)
	shows(70*time.Second, 0)
	pass(time.Second)
	shows(71*time.Second, 0)
	f.NotBefore(start.Add(time.Hour))
	shows(time.Hour, time.Hour-71*time.Second)
	f.NotBefore(start)
	shows(time.Hour, time.Hour-71*time.Second)
	wall = start.Add(2 * time.Hour)
	shows(2*time.Hour, 0)
}
