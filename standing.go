package dayone

import "time"

// OrderKind says what a human ordered about calls to a system.
type OrderKind string

const (
	OrderStop        OrderKind = "stop"        // nothing new is called there until it is lifted
	OrderMaintenance OrderKind = "maintenance" // nothing new is called there from From to Until
	OrderManual      OrderKind = "manual"      // humans do what is to be done there
	OrderAutomatic   OrderKind = "automatic"   // we do, whatever the configuration says

	// A system is being retired: policies give nothing there any more. Both are taken back by being lifted.
	OrderRelease OrderKind = "stop-managing"  // what is there is left as it is, and nothing is changed there
	OrderClose   OrderKind = "close-accounts" // what we gave is taken, within the brakes
)

// Retires says that the order ends what policies give at a system.
func (k OrderKind) Retires() bool { return k == OrderRelease || k == OrderClose }

// Order is what a human said about calls to a system. It stands until it is lifted or its time is over.
type Order struct {
	ID     OrderID
	Kind   OrderKind
	System string    // "": every system
	From   time.Time // since when it holds
	Until  time.Time // zero: until it is lifted
	Reason string
	By     string
	Made   time.Time
	Lifted time.Time
	// who lifted it, and why
	LiftedBy, LiftedReason string
}

// About says whether the order is about a system.
func (o Order) About(system string) bool { return o.System == "" || o.System == system }

// Holds says whether it counts at an instant.
func (o Order) Holds(at time.Time) bool {
	return o.Lifted.IsZero() && !at.Before(o.From) && (o.Until.IsZero() || at.Before(o.Until))
}

// Over says that it will never count again.
func (o Order) Over(at time.Time) bool {
	return !o.Lifted.IsZero() || !o.Until.IsZero() && !at.Before(o.Until)
}

// CircuitState says whether a system answers, as its calls show.
type CircuitState string

const (
	CircuitClosed   CircuitState = "closed"    // it answers: calls go
	CircuitOpen     CircuitState = "open"      // it is down: steps wait
	CircuitHalfOpen CircuitState = "half open" // it is asked whether it is back
)

// Circuit is the breaker of one system. Its zero value is closed.
type Circuit struct {
	System   string
	State    CircuitState
	Failures int       // in a row
	Since    time.Time // of the first of them: since when it is down
	Next     time.Time // open: when it is tried again
	Probes   int       // trials since a step last had an answer; the pause between them doubles
	Note     string    // what it said last, for operators
}

// Down says that steps wait for the system.
func (c Circuit) Down() bool { return c.State == CircuitOpen || c.State == CircuitHalfOpen }

// Standing is what of systems has to be known before anything is called.
type Standing struct {
	Orders   []Order // those that hold or will hold
	Circuits []Circuit
}
