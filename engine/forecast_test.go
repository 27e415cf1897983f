package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// A run is foreseen along its longest way; a wait for somebody is left out and named; what nobody knows is not made up.
func TestAFinishIsForeseen(t *testing.T) {
	t.Parallel()
	account, group, order := step("okta/account"), step("okta/group:x"), step("gitlab/account")
	group.Needs = []dayone.Need{{Step: account.ID}}
	later := step("gitlab/group:y")
	later.Needs = []dayone.Need{{Step: order.ID}}
	r := dayone.Run{Steps: []dayone.StepRun{
		{Step: account, State: dayone.StepRunning, Since: at.Add(-2 * time.Minute)},
		{Step: group, State: dayone.StepPending},
		{Step: order, State: dayone.StepWaiting, Wait: &dayone.Wait{Kind: dayone.WaitTask}},
		{Step: later, State: dayone.StepPending},
	}}
	usual := func(s dayone.Step) (engine.Pace, bool) {
		return engine.Pace{P10: 4 * time.Minute, Median: 5 * time.Minute, P90: 9 * time.Minute}, s.Key.System == "okta" || s.Key.Kind == "group"
	}
	x := engine.Foresee(r, at, usual)
	if !x.At.Equal(at.Add(8*time.Minute)) || !x.Early.Equal(at.Add(6*time.Minute)) || !x.Late.Equal(at.Add(16*time.Minute)) || x.On != 1 || !slices.Equal(x.Without, []int{3}) {
		t.Errorf("foreseen: %+v", x)
	}
	r.Steps[2].Wait = &dayone.Wait{Kind: dayone.WaitPropagation} // it takes its time, and nobody knows how long
	if x = engine.Foresee(r, at, usual); !x.At.IsZero() || x.Left != nil || len(x.Without) != 0 || x.On == 0 {
		t.Errorf("what was never done is foreseen: %+v", x)
	}
	r.Steps[2].Wait = &dayone.Wait{Kind: dayone.WaitFirstLogin} // she does that herself, one day
	if x = engine.Foresee(r, at, usual); !x.At.Equal(at.Add(8*time.Minute)) || len(x.Without) != 0 {
		t.Errorf("with a first login: %+v", x)
	}
}
