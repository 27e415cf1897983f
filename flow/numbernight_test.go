package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

// again is the next life of the server.
func (c *cluster) again(more ...func(*flow.Deps)) {
	c.t.Helper()
	c.stop()
	joined := c.joined
	c.joined = func(d *flow.Deps) {
		joined(d)
		for _, f := range more {
			f(d)
		}
	}
	c.house = c.world.open()
}

func atNight(d *flow.Deps) { d.PhonesAt = map[string]string{"cucm": "02:00"} }

func (c *cluster) shows(what string, ok func(flow.PlatformAudit) bool) flow.PlatformAudit {
	c.t.Helper()
	return until(c.house, what, func() (flow.PlatformAudit, bool) {
		a := c.audit()
		return a, ok(a)
	})
}

func calls(c *cluster) (n int) {
	for _, r := range c.sim.Door().Requests() {
		if strings.Contains(string(r.Body), "listLine") {
			n++
		}
	}
	return n
}

// What was read is there after a restart, with its age and what differs, and the cluster is not called for it.
func TestAReadingOutlivesARestart(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	before := c.reads()
	called := calls(c)
	c.clock.Jump(c.clock.Now().Add(3 * time.Hour))
	c.again()
	after := c.shows("compared again", func(a flow.PlatformAudit) bool { return !a.Compared.IsZero() })
	same(t, "read", after.Read.UnixMicro(), before.Read.UnixMicro())
	same(t, "what differs", kindsOf(after), kindsOf(before))
	same(t, "what it has", len(after.Has), len(before.Has))
	same(t, "calls", calls(c), called)
	if got, err := c.AdoptPlatform(few, "cucm", "", "kim", false); err != nil || got.Assigned != 6 {
		t.Errorf("adopted %+v, %v", got, err)
	}
}

// A telephone system is read at night where its numbers are. One that is stopped is not called, and is looked at again until the
// morning; one that broke off is begun again.
func TestATelephoneSystemIsReadAtNight(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	if _, err := c.SaveNumberPlan(few, strings.Replace(clusterNumbers, "    emergency: ERL-1\n", "    emergency: ERL-1\n    site: San Francisco\n", 1), 1, "kim"); err != nil {
		t.Fatal(err)
	}
	c.again(atNight)
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	night := func() time.Time {
		t.Helper()
		a := c.shows("a plan for the night", func(a flow.PlatformAudit) bool { return a.Next.After(c.clock.Now()) })
		if at := a.Next.In(pacific); at.Hour() != 2 || a.Next.Sub(c.clock.Now()) > 24*time.Hour {
			t.Errorf("it is read at %s, and now it is %s", at, c.clock.Now())
		}
		return a.Next
	}
	same(t, "before the night", calls(c), 0)
	c.clock.Jump(night())
	first := c.shows("read at night", func(a flow.PlatformAudit) bool { return !a.Compared.IsZero() && !a.Reading })
	same(t, "problem", first.Problem, "")

	c.stops("cucm")
	called, next := calls(c), night()
	c.clock.Jump(next)
	a := c.shows("not called", func(a flow.PlatformAudit) bool { return a.Problem != "" && !a.Reading })
	if !strings.Contains(a.Problem, "it is stopped, so it is not called") || calls(c) != called || !a.Read.Equal(first.Read) {
		t.Errorf("of one that is stopped it says %q, and was called %d times more", a.Problem, calls(c)-called)
	}
	again := c.shows("looked at again", func(a flow.PlatformAudit) bool { return a.Next.After(next) }).Next
	if again.Sub(next) > 20*time.Minute {
		t.Errorf("it is looked at again at %s", again)
	}
	if err := c.LiftStop(few, "cucm", "kim", "over"); err != nil {
		t.Fatal(err)
	}
	c.clock.Jump(again)
	second := c.shows("read once it may be called", func(a flow.PlatformAudit) bool { return a.Read.After(first.Read) && !a.Reading })

	c.sim.Before("getPhone", func() { c.sim.Door().Inject(sim.Fault{Path: "/axl/", Times: 1, Status: 503, Body: "down"}) })
	c.clock.Jump(night())
	broken := c.shows("broken off", func(a flow.PlatformAudit) bool { return a.Problem != "" && !a.Reading })
	same(t, "what was read before stands", broken.Read, second.Read)
	if later := broken.Next.Sub(broken.Failed); later > 24*time.Hour {
		t.Errorf("it is begun again after %s", later)
	}
	c.clock.Jump(c.shows("begun again", func(a flow.PlatformAudit) bool { return a.Next.After(a.Failed) }).Next)
	c.shows("read after that", func(a flow.PlatformAudit) bool { return a.Read.After(second.Read) && !a.Reading })
}

// The server falls in the middle of a reading: after the start it is begun again by itself, and until it is whole what was read
// before is shown.
func TestAReadingThatIsInterruptedIsBegunAgain(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	first := c.reads()
	c.clock.Jump(c.clock.Now().Add(time.Hour))
	reached, fell := make(chan struct{}), make(chan struct{})
	c.sim.Before("getPhone", func() { close(reached); <-fell })
	if err := c.ReadPlatform(few, "cucm", "kim"); err != nil {
		t.Fatal(err)
	}
	<-reached
	c.stop()
	close(fell)
	held, went := make(chan struct{}), make(chan struct{})
	c.sim.Before("getPhone", func() { close(held); <-went })
	c.again()
	<-held
	a := c.audit()
	same(t, "what was read before is shown", kindsOf(a), kindsOf(first))
	same(t, "with its age", a.Read.UnixMicro(), first.Read.UnixMicro())
	same(t, "and it is read", a.Reading, true)
	close(went)
	a = c.shows("read whole", func(a flow.PlatformAudit) bool { return a.Read.After(first.Read) && !a.Reading })
	same(t, "problem", a.Problem, "")
}
