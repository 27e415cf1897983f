package flow

import (
	"context"
	"errors"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// Measures are what is counted for whoever watches the server.
type Measures struct {
	Standing  Standing
	Announced int // policies that come into force unless somebody withdraws them
	People    map[dayone.Status]int
	Runs      map[dayone.RunState]int // that are not over
	Tasks     int                     // open
	Approvals int                     // that wait for an answer
	Load      engine.Load
	Waiting   time.Duration // how long the oldest event waits that was not looked at
	Ready     time.Duration // how long the oldest step waits that could be called
	Due       int           // people who are to be looked at
	Alerts    map[string]int
	Down      map[string]bool // systems of which we know, and whether their steps wait because they do not answer
	Letters   map[string]int  // that were not taken yet, by way out
}

// loadWithin is how long the engine may take to say what it has under way: an engine that is stuck is a measure, too.
const loadWithin = 2 * time.Second

// Measure counts. What can be counted is there, beside an error.
func (f *Flow) Measure(ctx context.Context) (Measures, error) {
	var m Measures
	var errs [12]error
	m.Standing, errs[0] = f.Policies(ctx)
	var waiting []dayone.PolicyAct
	if f.Load != nil {
		waiting, errs[1] = f.Waiting(ctx)
	}
	m.Announced = len(waiting)
	m.People, errs[2] = f.Store.CountPeople(ctx, nil)
	m.Runs, errs[3] = f.Store.OpenRuns(ctx)
	m.Tasks, errs[4] = f.Store.CountTasks(ctx, TaskFilter{})
	m.Approvals, errs[11] = f.Store.CountApprovals(ctx, nil)
	now := f.Clock.Now()
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return max(0, now.Sub(t))
	}
	var oldest time.Time
	oldest, errs[5] = f.Store.OldestWaiting(ctx)
	m.Waiting = since(oldest)
	m.Due, errs[6] = f.Store.CountDue(ctx, now)
	open, err := f.Store.CountAlerts(ctx)
	m.Alerts, errs[7] = map[string]int{}, err
	for _, r := range f.rules() {
		m.Alerts[r.Name] = open[r.Name]
	}
	sent, err := f.Store.CountLetters(ctx)
	m.Letters, errs[8] = map[string]int{}, err
	for _, via := range f.allWays() {
		m.Letters[via] = sent[via]
	}
	st, err := f.Store.Standing(ctx, now)
	m.Down, errs[10] = map[string]bool{}, err
	for name := range f.Systems {
		m.Down[name] = false
	}
	for _, c := range st.Circuits {
		m.Down[c.System] = c.Down()
	}
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	m.Load, errs[9] = f.Engine.Load(ctx)
	m.Ready = since(m.Load.Oldest)
	return m, errors.Join(errs[:]...)
}
