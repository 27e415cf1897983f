package flow_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// An offer that arrives after its withdrawal, or is said again then, keeps nothing: the later word counts, whenever it came. One that
// is made anew keeps a number, and whoever is hired has it.
func TestAnOfferThatIsLateKeepsNoNumber(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	says := func(body []byte, want dayone.EventState, note string) {
		t.Helper()
		id := h.hears(body)[0].ID
		in := until(h, "event looked at", func() (dayone.Intake, bool) {
			in, err := h.Event(few, id)
			if err != nil {
				t.Fatal(err)
			}
			return in, in.State != dayone.EventReceived
		})
		if in.State != want || note != "" && in.Note != note {
			t.Errorf("the event is %s: %s", in.State, in.Note)
		}
	}
	kept := func(want int) []flow.NumberView {
		t.Helper()
		list, err := h.Numbers(few, flow.NumberFilter{State: dayone.NumberReserved, Limit: 100})
		if err != nil || len(list) != want {
			t.Fatalf("%d numbers are kept, %v; want %d", len(list), err, want)
		}
		return list
	}
	hour := func() { h.clock.Jump(h.clock.Now().Add(time.Hour)) }
	const late = "a later word about this offer counts"

	first := h.hr.Offer("made", employee("1"))
	hour()
	second := h.hr.Offer("changed", employee("1"))
	hour()
	gone := h.hr.Offer("withdrawn", employee("1"))
	says(second, dayone.EventApplied, "")
	kept(1)
	says(gone, dayone.EventApplied, "")
	kept(0)
	says(first, dayone.EventUnchanged, late)
	kept(0)

	// a withdrawal for which there was nothing to release counts as well
	made := h.hr.Offer("made", employee("2"))
	hour()
	says(h.hr.Offer("withdrawn", employee("2")), dayone.EventUnchanged, "")
	says(made, dayone.EventUnchanged, late)
	kept(0)

	old := h.hr.Offer("withdrawn", employee("2"))
	hour()
	says(h.hr.Offer("made", employee("2")), dayone.EventApplied, "")
	says(old, dayone.EventUnchanged, late)
	x := kept(1)[0]
	p := h.known("2")
	until(h, "the number that was kept is hers", func() (bool, bool) { return true, h.number(x.ID).Owner == p })
}
