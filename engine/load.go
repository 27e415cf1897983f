package engine

import (
	"context"
	"time"

	"github.com/dayone-hq/dayone"
)

// Load is how much the driver has under way.
type Load struct {
	Steps  map[LoadOf]int // of runs that are not over
	Parked map[string]int // of them, those that wait since their system does not answer or was stopped, by system
	Oldest time.Time      // since when the oldest step is ready that has not been called; zero: none is
}

// LoadOf names what is counted.
type LoadOf struct {
	System string
	State  dayone.StepState
}

// Load counts what is in memory: it is the same as in the database, or a commit ahead of it.
func (d *Driver) Load(ctx context.Context) (Load, error) {
	tell := make(chan Load, 1)
	if err := d.send(ctx, input{load: tell}); err != nil {
		return Load{}, err
	}
	select {
	case l := <-tell:
		return l, nil
	case <-d.done:
		return Load{}, errStopped
	case <-ctx.Done():
		return Load{}, ctx.Err()
	}
}

func (l *loop) load() Load {
	out := Load{Steps: map[LoadOf]int{}, Parked: map[string]int{}}
	for _, lv := range l.runs {
		for i := range lv.run.Steps {
			s := &lv.run.Steps[i]
			out.Steps[LoadOf{s.Step.Key.System, s.State}]++
			if !s.Parked.IsZero() && !s.State.Over() {
				out.Parked[s.Step.Key.System]++
			}
			if lv.queued[s.Step.ID] {
				if at := readySince(lv, s); out.Oldest.IsZero() || at.Before(out.Oldest) {
					out.Oldest = at
				}
			}
		}
	}
	return out
}

// readySince is when the last thing happened that a step which is ready had to wait for.
func readySince(lv *live, s *dayone.StepRun) time.Time {
	at := lv.run.Started
	if s.Next.After(at) {
		at = s.Next
	}
	for _, n := range s.Step.Needs {
		if i, ok := lv.index[n.Step]; ok && lv.run.Steps[i].Ended.After(at) {
			at = lv.run.Steps[i].Ended
		}
	}
	return at
}
