package flow_test

import (
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// A list that somebody decided about is held no longer, and says what became of it.
func TestADecidedListSaysWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	h, f := town(t, 20, func(*flow.Source) {})
	f.alter = func(list []dayone.Event) ([]dayone.Event, error) { return list[8:], nil }
	said := func(what string, held bool) {
		t.Helper()
		list, err := h.SourceStates(ctx)
		if err != nil || len(list) != 1 || !strings.Contains(list[0].Note, what+": the list has 12 records") || held != (list[0].Brake != "") {
			t.Errorf("%+v, %v; want %q", list, err, what)
		}
	}
	for _, d := range []struct {
		do   func(flow.BrakeView) (dayone.Brake, error)
		says string
	}{
		{func(v flow.BrakeView) (dayone.Brake, error) {
			return h.DiscardBrake(ctx, v.ID, flow.BrakeDecision{By: "kim", Reason: "half a list"})
		}, "thrown away"},
		{func(v flow.BrakeView) (dayone.Brake, error) {
			return h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{Hash: v.Hash, By: "kim", Reason: "it is so"})
		}, "let through"},
	} {
		if _, err := h.ReadSource(ctx, "hr", "kim"); err != nil {
			t.Fatal(err)
		}
		v := h.braked(dayone.BrakeRead)
		said("held", true)
		if _, err := d.do(v); err != nil {
			t.Fatal(err)
		}
		said(d.says, false)
	}
}
