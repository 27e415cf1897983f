package flow

import (
	"context"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// lately is the pace of the last runs, as rules of alerts go by it: a page goes by what was known when its run began.
type lately struct {
	mu   sync.Mutex
	read time.Time
	pace map[PaceOf]Pace
}

// paceKept is how long it is gone by before it is read again.
const paceKept = 10 * time.Minute

// Foresee says when a run will be over, by the pace of the last runs.
func (f *Flow) Foresee(ctx context.Context, r dayone.Run) (engine.Forecast, error) {
	now := f.Clock.Now()
	f.lately.mu.Lock()
	defer f.lately.mu.Unlock()
	if f.lately.pace == nil || now.Sub(f.lately.read) > paceKept {
		pace, err := f.Pace(ctx, dayone.Run{})
		if err != nil {
			return engine.Forecast{}, err
		}
		f.lately.pace, f.lately.read = pace, now
	}
	return engine.Foresee(r, now, func(s dayone.Step) (Pace, bool) {
		p, ok := f.lately.pace[PaceOf{s.Key.System, s.Key.Kind, s.Action}]
		return p, ok
	}), nil
}
