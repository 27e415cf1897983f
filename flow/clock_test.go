package flow_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/clock"
	"github.com/dayone-hq/dayone/flow"
)

// The machine's clock is set back by an hour after somebody was hired, and HR says something about her. What was heard of her
// is not forgotten: she is no leaver, nor is she after a start.
func TestAClockThatIsSetBackSendsNobodyHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var back atomic.Int64
	w.joined = func(d *flow.Deps) {
		c := clock.NewForward(func() time.Time { return w.clock.Now().Add(-time.Duration(back.Load())) })
		newest, err := d.Store.NewestInstant(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.NotBefore(newest)
		d.Clock = c
	}
	h := w.open()
	p, first := h.hires(employee("1", "start_date", "2024-11-11", "department", "Support"))
	back.Store(int64(time.Hour))
	h.changes(p, first.ID, employee("1", "start_date", "2024-11-11", "department", "Sales"))
	works := func() {
		t.Helper()
		l, err := h.Preview(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "her status", l.Person.Status, dayone.Working)
		h.shows(h.okta, "e1@company.com", dayone.Active, "group:base-employee", "group:sales-team")
	}
	works()
	h.stop()
	h = w.open()
	h.alerted("clock-back", 1)
	works()
	h.stop()
	back.Store(0)
	h = w.open()
	h.alerted("clock-back", 0)
}
