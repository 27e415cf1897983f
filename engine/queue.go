package engine

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// The queues of systems: what is ready waits there for a worker, a token and its lock.

// system is a target's queue.
type system struct {
	queue []work
	busy  int
	shut  time.Time // until then its rate limit is exhausted
	gate  gate
	mute  bool // it cannot be asked whether it is there
}

type work struct {
	run  dayone.RunID
	step dayone.StepID
	lock string
	turn uint64 // of the run
}

// enqueue puts work behind what is of the same run or of one that came before: who came first is through first, and of
// thousands few are under way.
func (s *system) enqueue(w work) {
	at, _ := slices.BinarySearchFunc(s.queue, w.turn, func(o work, turn uint64) int {
		if o.turn <= turn {
			return -1
		}
		return 1
	})
	s.queue = slices.Insert(s.queue, at, w)
}

func (l *loop) system(name string) *system {
	s := l.systems[name]
	if s == nil {
		s = &system{}
		l.systems[name] = s
		l.names = append(l.names, name)
	}
	return s
}

func lockOf(s dayone.Step) string {
	if s.Lock == "" {
		return ""
	}
	return s.Key.System + " " + s.Lock
}

// dispatch starts what is ready and has a worker, a token and its lock: only then is it marked started, in the same
// commit as what made it ready.
func (l *loop) dispatch() {
	now := l.Clock.Now()
	for _, name := range l.names {
		s := l.systems[name]
		if len(s.queue) == 0 {
			continue
		}
		t, ok := l.Target(name)
		if !ok {
			t = missing{name}
		}
		queue := s.queue
		s.queue = nil // a start that fails may make more of this system ready
		var left []work
		for i, w := range queue {
			lv := l.runs[w.run]
			switch {
			case lv == nil:
				continue
			case s.busy >= t.Width():
				left = append(left, queue[i:]...)
			case w.lock != "" && l.locks[w.lock]:
				left = append(left, w)
				continue
			case !l.admits(lv, w, name, now):
				continue
			default:
				if open := t.Open(); open.After(now) {
					if open.After(s.shut) {
						s.shut = open
						heap.Push(&l.alarms, alarm{at: open})
					}
					left = append(left, queue[i:]...)
					break
				}
				delete(lv.queued, w.step)
				if l.begin(lv, w.step) {
					s.busy++
					if w.lock != "" {
						l.locks[w.lock] = true
					}
				}
				continue
			}
			break
		}
		fresh := s.queue
		s.queue = left
		for _, w := range fresh {
			s.enqueue(w)
		}
	}
}

// begin starts a step, and says whether a call comes of it. A call whose secrets cannot be had is answered at once: that is
// this step's trouble and nobody else's.
func (l *loop) begin(lv *live, step dayone.StepID) bool {
	before := len(l.calls)
	_ = l.feed(lv, Event{What: Start, Step: step})
	if len(l.calls) == before {
		return false
	}
	c := &l.calls[before]
	if err := l.secrets(c); err != nil {
		attempt := c.act.Attempt
		l.calls = l.calls[:before]
		_ = l.feed(lv, Event{What: Answer, Step: step, Attempt: attempt, Err: err})
		return false
	}
	return true
}

// NoConnector is what a system without a connector says.
const NoConnector = "no connector is configured for it"

// missing stands for a system without a connector: its steps become tasks, never a silent skip.
type missing struct{ name string }

func (m missing) Apply(context.Context, dayone.Act) (dayone.Result, error) {
	return dayone.Result{}, &dayone.Fault{
		System: m.name, Op: "calling", Err: dayone.ErrUnsupported, Detail: NoConnector,
		Next: "do it by hand and complete this task, or configure the system and retry the step",
	}
}
func (missing) Open() time.Time { return time.Time{} }
func (missing) Width() int      { return 1 }

// dispatchAll starts what can start until nothing more does: a start that fails may set others free.
func (l *loop) dispatchAll() {
	for l.ready = true; l.ready; {
		l.ready = false
		l.dispatch()
	}
}
