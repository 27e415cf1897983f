package flow

import (
	"context"

	"github.com/dayone-hq/dayone/policy"
)

// PlanBothWays is a plan for everybody as it is made, with how many people it looked at closely, and the same made of close
// looks alone.
func (f *Flow) PlanBothWays(ctx context.Context, pr Proposal, against *policy.Set) (made Everybody, closely int, judged Everybody, err error) {
	c := &comparison{Flow: f, pr: pr, against: against, force: f.force.Load(), now: f.Clock.Now()}
	if judged, _, err = c.plan(ctx); err != nil {
		return made, 0, judged, err
	}
	if err = c.glance(ctx); err != nil {
		return made, 0, judged, err
	}
	made, closely, err = c.plan(ctx)
	return made, closely, judged, err
}
