package connector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
)

// Pins is a connector whose users have a PIN that another system keeps, too: a voice mail server gives a cluster its PINs through
// the cluster's own connector, so that a cluster has one writer, whoever writes.
type Pins interface {
	// PinRules are what a user's PIN has to meet. ErrNotFound: there is no such user.
	PinRules(ctx context.Context, login string) (PinRules, error)
	// PinSince says whether a user's PIN was changed since an instant of ours. Where the system does not tell when it was, it
	// was not. Nobody tries a PIN out.
	PinSince(ctx context.Context, login string, at time.Time) (bool, error)
	// SetPin sets it, and forgets wrong ones. Whether the user may use it stays as it is. ErrInvalid: the system refuses it.
	SetPin(ctx context.Context, login string, pin dayone.Secret, mustChange bool) error
}

// PinRules are what a PIN has to meet.
type PinRules struct {
	Least   int      // how many digits at least
	Trivial bool     // what is guessed first is refused
	Never   []string // digits that the user is known by, which a trivial PIN holds: the extension, a name as it is dialled
}

// Leaning is a connector that writes by another system of the configuration, too.
type Leaning interface {
	Leans() error // a *SettingError: that system is not there, or is of another kind
}

// Leans says whether the other systems that the settings name are there. It is asked once all are open.
func (g *Guard) Leans() error {
	l, ok := g.inner.(Leaning)
	if !ok {
		return nil
	}
	return l.Leans()
}

var errNoPins = errors.New("keeps no PINs of users")

// pinsBeside finds the system that keeps the PINs of another one, by its configured name.
func pinsBeside(of func(system string) *Guard) func(string) (Pins, error) {
	return func(name string) (Pins, error) {
		if of == nil {
			return nil, fmt.Errorf("no other system is there: %w", dayone.ErrInvalid)
		}
		g := of(name)
		if g == nil {
			return nil, fmt.Errorf("there is no system %s: %w", name, dayone.ErrInvalid)
		}
		p, ok := g.inner.(Pins)
		if !ok {
			return nil, fmt.Errorf("%s %w", name, errNoPins)
		}
		return guardedPins{g, p}, nil
	}
}

// guardedPins are PINs with what Guard does for every call: errors without secrets, and nothing is written where nothing is to be.
type guardedPins struct {
	*Guard
	pins Pins
}

func (p guardedPins) PinRules(ctx context.Context, login string) (PinRules, error) {
	began := time.Now()
	r, err := p.pins.PinRules(ctx, login)
	err = p.redact(err, nil)
	p.tell("pin.rules", began, err)
	return r, err
}

func (p guardedPins) PinSince(ctx context.Context, login string, at time.Time) (bool, error) {
	began := time.Now()
	set, err := p.pins.PinSince(ctx, login, at)
	err = p.redact(err, nil)
	p.tell("pin.since", began, err)
	return set, err
}

func (p guardedPins) SetPin(ctx context.Context, login string, pin dayone.Secret, mustChange bool) error {
	if p.dryRun {
		return &dayone.Fault{System: p.System, Op: "setting the PIN", Err: dayone.ErrDryRun, Detail: "the PIN there is left as it is"}
	}
	began := time.Now()
	err := p.redact(p.pins.SetPin(ctx, login, pin, mustChange), map[string]dayone.Secret{"pin": pin})
	p.tell("pin.set", began, err)
	return err
}
