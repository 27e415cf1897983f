package flow

import (
	"context"
	"errors"

	"github.com/dayone-hq/dayone"
)

// Measures are what is counted for whoever watches the server.
type Measures struct {
	Standing  Standing
	Announced int // policies that come into force unless somebody withdraws them
	People    map[dayone.Status]int
	Runs      map[dayone.RunState]int // that are not over
	Tasks     int                     // open
}

// Measure counts. What can be counted is there, beside an error.
func (f *Flow) Measure(ctx context.Context) (Measures, error) {
	var m Measures
	var errs [5]error
	m.Standing, errs[0] = f.Policies(ctx)
	var waiting []dayone.PolicyAct
	if f.Load != nil {
		waiting, errs[1] = f.Waiting(ctx)
	}
	m.Announced = len(waiting)
	m.People, errs[2] = f.Store.CountPeople(ctx)
	m.Runs, errs[3] = f.Store.CountRuns(ctx)
	m.Tasks, errs[4] = f.Store.CountTasks(ctx)
	return m, errors.Join(errs[:]...)
}
