package flow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Pace is how long an action of a kind takes at a system.
type Pace = engine.Pace

// PaceOf names what has a pace.
type PaceOf struct {
	System, Kind string
	Action       dayone.Action
}

// paceRuns is how far back the pace is looked for, and pastsKept how many pasts are remembered: runs that began after the same
// ones have one past in common, as the runs of a morning do.
const (
	paceRuns  = 40
	pastsKept = 64
)

// pasts remembers what the past says about pace. What is over does not change.
type pasts struct {
	mu   sync.Mutex // held while one is read, so that it is read once
	list []past
}

type past struct {
	runs []dayone.RunID
	pace map[PaceOf]Pace
}

// Pace tells it from the runs that were over before one began: so a run's prediction rests on the same past for all its
// life. Before a run without id and start come all that are over. What waited for somebody says nothing about pace.
func (f *Flow) Pace(ctx context.Context, before dayone.Run) (map[PaceOf]Pace, error) {
	runs, err := f.Store.OverBefore(ctx, before, paceRuns)
	if err != nil {
		return nil, err
	}
	f.pasts.mu.Lock()
	defer f.pasts.mu.Unlock()
	at := slices.IndexFunc(f.pasts.list, func(p past) bool { return slices.Equal(p.runs, runs) })
	if at < 0 {
		pace, err := paceIn(ctx, f.Store, runs)
		if err != nil {
			return nil, err
		}
		if len(f.pasts.list) == pastsKept {
			f.pasts.list = slices.Delete(f.pasts.list, 0, 1)
		}
		at = len(f.pasts.list)
		f.pasts.list = append(f.pasts.list, past{runs, pace})
	}
	return f.pasts.list[at].pace, nil
}

func paceIn(ctx context.Context, s *store.DB, runs []dayone.RunID) (map[PaceOf]Pace, error) {
	took := map[PaceOf][]time.Duration{}
	for _, id := range runs {
		whole, err := s.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, s := range whole.Steps {
			if s.State == dayone.StepDone && s.Waited.IsZero() && !s.Since.IsZero() && s.Of == "" {
				k := PaceOf{s.Step.Key.System, s.Step.Key.Kind, s.Step.Action}
				took[k] = append(took[k], s.Ended.Sub(s.Since))
			}
		}
	}
	out := make(map[PaceOf]Pace, len(took))
	for k, ds := range took {
		slices.Sort(ds)
		out[k] = Pace{P10: ds[len(ds)/10], Median: ds[len(ds)/2], P90: ds[len(ds)*9/10]}
	}
	return out, nil
}
