package engine

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// Pace is how long an action of a kind takes at a system.
type Pace struct{ P10, Median, P90 time.Duration }

// Forecast is when a run will be over, as far as its past tells.
type Forecast struct {
	At, Early, Late time.Time // zero: nobody can know
	On              int       // number of the step on which the finish hangs; 0: none
	// Without are numbers of steps that wait for somebody, or for a system that is down. Such a wait has no duration: the
	// forecast counts what comes after it as if it ended now, and is not met before it does.
	Without []int
	Left    map[dayone.StepID]time.Duration // what each step still takes; nil: not all of it is known
}

// Foresee adds up what is left along needs: the rest of what runs, the usual time of what has not begun. usual says how
// long a step takes, if anybody knows.
func Foresee(r dayone.Run, now time.Time, usual func(dayone.Step) (Pace, bool)) Forecast {
	n := len(r.Steps)
	index := make(map[dayone.StepID]int, n)
	f := Forecast{Left: map[dayone.StepID]time.Duration{}}
	total, early, late := make([]time.Duration, n), make([]time.Duration, n), make([]time.Duration, n)
	first := make([]int, n) // where the longest way to a step begins
	end, known := -1, true
	for i := range r.Steps {
		s := &r.Steps[i]
		index[s.Step.ID] = i
		first[i] = i
		if s.State.Over() || there(s) {
			continue
		}
		var own [3]time.Duration
		if endless(s) {
			f.Without = append(f.Without, i+1)
		} else {
			p, ok := usual(s.Step)
			known = known && ok
			own = [3]time.Duration{p.Median, p.P10, p.P90}
			if !s.Since.IsZero() {
				for k := range own {
					own[k] = max(0, own[k]-now.Sub(s.Since))
				}
			}
			f.Left[s.Step.ID] = own[0]
			if !ok {
				own = [3]time.Duration{time.Second, time.Second, time.Second} // only to compare ways with each other
			}
		}
		for _, need := range s.Step.Needs {
			j, ok := index[need.Step]
			if !ok || r.Steps[j].State.Over() {
				continue
			}
			if total[j] > total[i] || first[i] == i {
				total[i], first[i] = total[j], first[j]
			}
			early[i], late[i] = max(early[i], early[j]), max(late[i], late[j])
		}
		total[i], early[i], late[i] = total[i]+own[0], early[i]+own[1], late[i]+own[2]
		if end < 0 || total[i] > total[end] {
			end = i
		}
	}
	if end < 0 {
		return f
	}
	f.On = first[end] + 1
	if !known {
		f.Left = nil
		return f
	}
	f.At, f.Early, f.Late = now.Add(total[end]), now.Add(early[end]), now.Add(late[end])
	return f
}

// there: it waits for its owner's own act alone, which nobody else waits for.
func there(s *dayone.StepRun) bool {
	return s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There()
}

// endless: nobody can say when the wait ends.
func endless(s *dayone.StepRun) bool {
	return s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind != dayone.WaitPropagation
}
