package engine

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// alarms are a heap by time. An alarm without a run wakes the loop itself: a rate limit has opened.
type alarm struct {
	at   time.Time
	run  dayone.RunID
	step dayone.StepID
}

type alarms []alarm

func (a alarms) Len() int { return len(a) }

func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }

func (a alarms) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) }

func (a *alarms) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (a alarms) next() (time.Time, bool) {
	if len(a) == 0 {
		return time.Time{}, false
	}
	return a[0].at, true
}
