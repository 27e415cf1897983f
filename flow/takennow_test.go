package flow_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/flow"
)

// What an undo has still to take is not kept by the hold that came with it: it goes as soon as the system answers.
func TestWhatAnUndoHasStillToTakeIsNotKept(t *testing.T) {
	t.Parallel()
	h, p, r := erinWorks(t)
	const step = "gitlab/group:platform entitlement.add"
	u := h.preview(r.ID, step)
	h.gitlab.Door().Inject(sim.Fault{Method: http.MethodDelete, Status: 503, Times: -1})
	id, err := h.Undo(ctx, flow.UndoOrder{Run: r.ID, Steps: []dayone.StepID{step}, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash})
	if err != nil {
		t.Fatal(err)
	}
	key := dayone.Key{System: "gitlab", Kind: "group", Name: "platform"}
	state := func() flow.AccessState {
		_, list, err := h.Access(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(a flow.Access) bool { return a.Key == key })
		if i < 0 {
			return ""
		}
		return list[i].State
	}
	run, err := h.RunOf(ctx, id)
	if err != nil || !slices.ContainsFunc(run.Steps, func(s dayone.StepRun) bool { return s.Step.Key == key && !s.State.Over() }) {
		t.Fatalf("the undo takes %+v, %v", run.Steps, err)
	}
	if is := state(); is != flow.ToGo {
		t.Errorf("while it waits to be taken it is said to be %q", is)
	}
	h.gitlab.Door().Heal()
}
