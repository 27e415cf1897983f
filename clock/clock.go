// Package clock tells the time: the system's, or one that a demo and a rehearsal can move. It must not be asked for by
// anything that decides: those get instants as values.
package clock

import (
	"sync"
	"time"
)

// System is the machine's own clock.
type System struct{}

func (System) Now() time.Time { return time.Now() }

// look is how often a waiting timer looks at the clock. A timer runs by a clock of its own: when the machine has slept, or
// the time was set, the instant may be here long before it rings.
const look = time.Minute

// After closes the channel at t, or, if the clock is set meanwhile, at most a minute after it shows t.
func (System) After(t time.Time) (<-chan struct{}, func()) { return after(time.Now, look, t) }

func after(now func() time.Time, look time.Duration, t time.Time) (<-chan struct{}, func()) {
	t = t.Round(0) // by the clock on the wall
	ch, gone := make(chan struct{}), make(chan struct{})
	wait := func() time.Duration { return min(look, max(0, t.Sub(now().Round(0)))) }
	timer := time.NewTimer(wait())
	go func() {
		defer timer.Stop()
		for {
			select {
			case <-gone:
				return
			case <-timer.C:
			}
			if !now().Round(0).Before(t) {
				close(ch)
				return
			}
			timer.Reset(wait())
		}
	}()
	return ch, sync.OnceFunc(func() { close(gone) })
}

// Moved is the system's clock, shifted; it runs at real speed and can jump ahead.
type Moved struct {
	mu      sync.Mutex
	shift   time.Duration
	waiting map[*waiter]bool
}

type waiter struct {
	at    time.Time
	ch    chan struct{}
	timer *time.Timer
}

// NewMoved shows t now.
func NewMoved(t time.Time) *Moved {
	return &Moved{shift: time.Until(t), waiting: map[*waiter]bool{}}
}

func (m *Moved) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now()
}

func (m *Moved) now() time.Time { return time.Now().Add(m.shift).Round(0) }

// After closes the channel when this clock shows t, be it by waiting or by a jump.
func (m *Moved) After(t time.Time) (<-chan struct{}, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := &waiter{at: t, ch: make(chan struct{})}
	m.arm(w)
	return w.ch, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		w.timer.Stop()
		delete(m.waiting, w)
	}
}

func (m *Moved) arm(w *waiter) {
	m.waiting[w] = true
	w.timer = time.AfterFunc(w.at.Sub(m.now()), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.waiting[w] {
			delete(m.waiting, w)
			close(w.ch)
		}
	})
}

// Jump moves the clock ahead to t; it never goes back.
func (m *Moved) Jump(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ahead := t.Sub(m.now())
	if ahead <= 0 {
		return
	}
	m.shift += ahead
	for w := range m.waiting {
		w.timer.Stop()
		delete(m.waiting, w)
		m.arm(w)
	}
}
