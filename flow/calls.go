package flow

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dayone-hq/dayone"
)

// callsFor is how long the requests of steps are kept, if nothing else is configured.
const callsFor = 14 * 24 * time.Hour

// CallLog are the requests of one attempt, as the log shows them, and why that attempt was made.
type CallLog struct {
	dayone.CallLog
	After string // by kind, why the attempt before did not succeed; "": it is the first, waited, or is not kept
}

// CallsOf are the requests of a step of a run, the last attempt first, for who may act on its system. ErrForbidden: she may only
// look at the step.
func (f *Flow) CallsOf(ctx context.Context, run dayone.RunID, number int) ([]CallLog, error) {
	r, err := f.RunOf(ctx, run)
	if err != nil {
		return nil, err
	}
	if number < 1 || number > len(r.Steps) {
		return nil, fmt.Errorf("run %s has no step %d: %w", run, number, dayone.ErrNotFound)
	}
	if err := f.Sees(ctx, TheStep, string(run)+"/"+strconv.Itoa(number), true); err != nil {
		return nil, err
	}
	list, err := f.Store.Calls(ctx, run, number-1)
	if err != nil {
		return nil, err
	}
	out := make([]CallLog, len(list))
	for i, c := range list {
		out[i].CallLog = c
		if i+1 < len(list) && list[i+1].Attempt == c.Attempt-1 {
			out[i].After = list[i+1].Kind
		}
	}
	return out, nil
}
