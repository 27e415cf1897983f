package dayone

import (
	"errors"
	"time"
)

// The kinds of failure. Every error that crosses a floor wraps exactly one of them; one table in web and one in
// cmd/dayone turn them into HTTP statuses and exit codes. What the engine does with each stands beside it.
var (
	ErrNotFound    = errors.New("not found")     // fails for good
	ErrConflict    = errors.New("conflict")      // waits for a human: it may be somebody else's
	ErrInvalid     = errors.New("invalid")       // fails for good
	ErrForbidden   = errors.New("forbidden")     // fails for good
	ErrAuth        = errors.New("not let in")    // fails for good
	ErrThrottled   = errors.New("throttled")     // again, not before Fault.RetryAt
	ErrUnavailable = errors.New("unavailable")   // again
	ErrNotYet      = errors.New("not yet")       // again: the system has not caught up with itself
	ErrNoSeat      = errors.New("no seat")       // waits for a seat
	ErrUnsupported = errors.New("not supported") // becomes a task for a human
	ErrDryRun      = errors.New("dry run")       // skipped: nothing may be written there
)

// Kinds in the order in which an error is asked for them.
var Kinds = []error{
	ErrNotFound, ErrConflict, ErrInvalid, ErrForbidden, ErrAuth, ErrThrottled, ErrUnavailable, ErrNotYet, ErrNoSeat,
	ErrUnsupported, ErrDryRun,
}

// KindOf returns the kind that err wraps, or nil: nil means a fault of our own.
func KindOf(err error) error {
	for _, k := range Kinds {
		if errors.Is(err, k) {
			return k
		}
	}
	return nil
}

// Again says whether the engine should call once more by itself.
func Again(err error) bool {
	return errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNotYet)
}

// Fault is a system's refusal or silence. Code and Detail are the vendor's own words, for operators, already redacted.
type Fault struct {
	System  string
	Op      string // "creating user": a gerund
	Code    string // "E0000001", "already_in_channel", "HTTP 502"
	Detail  string
	Next    string    // what an administrator does about it, if the connector knows
	RetryAt time.Time // zero: the vendor did not say
	Found   *Item     // on ErrConflict: the item that is in the way
	Err     error     // one of the kinds
}

func (f *Fault) Error() string {
	s := f.System + ": " + f.Op + ": " + f.Err.Error()
	if f.Code != "" {
		s += " (" + f.Code + ")"
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.Next != "" {
		s += "; " + f.Next
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }
