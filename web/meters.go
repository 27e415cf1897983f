package web

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dayone-hq/dayone"
)

// Meters are measured while it happens, since nobody could count it afterwards. Whoever wires the server tells them; they
// begin anew with the process.
type Meters struct {
	calls   *prometheus.HistogramVec
	commits prometheus.Histogram
}

// NewMeters makes them, at nothing.
func NewMeters() *Meters {
	return &Meters{
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dayone_call_seconds", Help: "Calls of systems and how long they took, by what came of them.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"system", "action", "outcome"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "dayone_commit_writes", Help: "How many writes went into a commit of the database.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256},
		}),
	}
}

// Called is told of each call of a system. It is what connector.Options.Observe asks for.
func (m *Meters) Called(system, op string, took time.Duration, err error) {
	m.calls.WithLabelValues(system, op, outcome(err)).Observe(took.Seconds())
}

// Committed is told how many writes went into each commit. It is what a store's Committed asks for.
func (m *Meters) Committed(writes int) { m.commits.Observe(float64(writes)) }

// outcome is an error's kind: there are few, and none names anybody.
func outcome(err error) string {
	switch kind := dayone.KindOf(err); {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case kind == nil:
		return "internal"
	default:
		return kind.Error()
	}
}

func (m *Meters) register(reg *prometheus.Registry) {
	if m != nil {
		reg.MustRegister(m.calls, m.commits)
	}
}
