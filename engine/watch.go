package engine

import (
	"slices"
	"sync"

	"github.com/dayone-hq/dayone"
)

// Update says that a run has moved and everything about it is durable.
type Update struct {
	Run   dayone.RunID
	Steps []dayone.StepID
	State dayone.RunState
}

// Watch tells what moves in a run, or in all runs if id is "".
func (d *Driver) Watch(id dayone.RunID) *Watcher { return d.watch.add(id) }

// watchers are told after each commit.
type watchers struct {
	mu   sync.Mutex
	list []*Watcher
}

// Watcher collects what moves. A reader that is slow finds several updates of a run merged into one, the last state in
// it: nothing is lost, and nobody waits for it.
type Watcher struct {
	run   dayone.RunID
	all   *watchers
	ready chan struct{}

	mu      sync.Mutex
	pending []Update
}

func (w *watchers) add(id dayone.RunID) *Watcher {
	one := &Watcher{run: id, all: w, ready: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, one)
	return one
}

// Ready gives a value when there is something to take.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take empties it.
func (w *Watcher) Take() []Update {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.pending
	w.pending = nil
	return out
}

// Stop ends it.
func (w *Watcher) Stop() {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	w.all.list = slices.DeleteFunc(w.all.list, func(o *Watcher) bool { return o == w })
}

func (w *Watcher) put(u Update) {
	w.mu.Lock()
	i := slices.IndexFunc(w.pending, func(o Update) bool { return o.Run == u.Run })
	if i < 0 {
		w.pending = append(w.pending, u)
	} else {
		o := &w.pending[i]
		o.State = u.State
		for _, s := range u.Steps {
			if !slices.Contains(o.Steps, s) {
				o.Steps = append(o.Steps, s)
			}
		}
	}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watchers) tell(u Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.list {
		if one.run == "" || one.run == u.Run {
			one.put(u)
		}
	}
}
