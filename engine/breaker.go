package engine

import (
	"errors"
	"time"

	"github.com/dayone-hq/dayone"
)

// The breaker of a system: pure, the clock is passed in. Closed, calls go. After so many failures in a row, across all
// runs, it is open: steps wait, and keep their tries. When its pause is over one probe is let through, half open; what
// comes of that closes it or opens it for longer.

// BreakerConfig bounds one.
type BreakerConfig struct {
	Failures int           // in a row open it
	Base     time.Duration // first pause before a probe; doubles
	Max      time.Duration // longest pause
}

// DefaultBreaker is for systems that are down for minutes: five calls that nobody answers are no accident.
var DefaultBreaker = BreakerConfig{Failures: 5, Base: 30 * time.Second, Max: 5 * time.Minute}

// sign is what a call says about its system.
type sign int

const (
	neither  sign = iota // nothing: it was our own fault, or the system is there and asks for time
	answered             // it is there, and be it with a refusal
	silent               // it is not
)

// signOf reads an answer. A system that asks to wait is there, yet it proves nothing about the next call.
func signOf(err error) sign {
	switch {
	case err == nil:
		return answered
	case errors.Is(err, dayone.ErrUnavailable):
		return silent
	case errors.Is(err, dayone.ErrThrottled), errors.Is(err, dayone.ErrDryRun), errors.Is(err, dayone.ErrUnsupported), dayone.KindOf(err) == nil:
		return neither
	}
	return answered
}

// heard is the breaker after a step's call. moved: it opened or closed.
func heard(c dayone.Circuit, o sign, note string, at time.Time, cfg BreakerConfig) (next dayone.Circuit, moved bool) {
	switch {
	case o == answered: // whatever it was, it is over, however the call came to be made
		return dayone.Circuit{System: c.System, State: dayone.CircuitClosed}, c.Down()
	case o == neither:
		return c, false
	case c.State == dayone.CircuitOpen:
		return c, false // calls that were under way
	case c.State == dayone.CircuitHalfOpen:
		return opened(c, note, at, cfg), false
	}
	if c.Failures == 0 {
		c.Since = at
	}
	if c.State, c.Failures = dayone.CircuitClosed, c.Failures+1; c.Failures < cfg.Failures {
		return c, false
	}
	return opened(c, note, at, cfg), true
}

func opened(c dayone.Circuit, note string, at time.Time, cfg BreakerConfig) dayone.Circuit {
	pause := cfg.Base << min(c.Probes, 20)
	if pause <= 0 || pause > cfg.Max {
		pause = cfg.Max
	}
	c.State, c.Next, c.Note = dayone.CircuitOpen, at.Add(pause), note
	return c
}

// probing is the breaker while one probe is under way.
func probing(c dayone.Circuit) dayone.Circuit {
	c.State, c.Probes = dayone.CircuitHalfOpen, c.Probes+1
	return c
}

// probed is the breaker after its system was asked whether it is there. One that is there but fails every step opens
// again, and for longer: only a step's answer ends that.
func probed(c dayone.Circuit, o sign, note string, at time.Time, cfg BreakerConfig) (next dayone.Circuit, moved bool) {
	if o == silent {
		return opened(c, note, at, cfg), false
	}
	return dayone.Circuit{System: c.System, State: dayone.CircuitClosed, Probes: c.Probes}, c.Down()
}
