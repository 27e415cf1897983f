package engine

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// CriticalPath is the longest chain of calls that had to follow each other: what a run could not have been faster than.
// A step counts from its last call to its answer; waits for humans count nothing.
func CriticalPath(r dayone.Run) time.Duration {
	index := make(map[dayone.StepID]int, len(r.Steps))
	for i := range r.Steps {
		index[r.Steps[i].Step.ID] = i
	}
	memo := make([]time.Duration, len(r.Steps))
	done := make([]bool, len(r.Steps))
	var until func(i int) time.Duration
	until = func(i int) time.Duration {
		if done[i] {
			return memo[i]
		}
		done[i] = true // a plan has no circles
		s := &r.Steps[i]
		var before time.Duration
		for _, n := range s.Step.Needs {
			if j, ok := index[n.Step]; ok {
				before = max(before, until(j))
			}
		}
		if !s.Started.IsZero() && s.Ended.After(s.Started) {
			before += s.Ended.Sub(s.Started)
		}
		memo[i] = before
		return before
	}
	var longest time.Duration
	for i := range r.Steps {
		longest = max(longest, until(i))
	}
	return longest
}
