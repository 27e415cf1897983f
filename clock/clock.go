// Package clock tells the time: the system's, which never goes back, or one that a demo and a rehearsal can move. It must not be asked for by
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

// Forward shows what the clock on the wall shows, and never goes back. Who was recorded at an instant is not yet known a
// moment before it: a clock that went back would take her for somebody of whom nothing was ever said. Where the one on the wall is
// set back, this one goes on at half its pace until they agree.
type Forward struct {
	wall func() time.Time
	ran  func() time.Duration // runs evenly, whatever becomes of the wall's

	mu    sync.Mutex
	shown time.Time
	at    time.Duration // when that was shown
}

// NewForward follows a clock on the wall: time.Now, or a test's.
func NewForward(wall func() time.Time) *Forward {
	began := time.Now()
	return &Forward{wall: wall, ran: func() time.Duration { return time.Since(began) }}
}

func (f *Forward) Now() time.Time {
	now, _ := f.read()
	return now
}

// Behind is how far the clock on the wall is behind what is shown; 0: it is right, as far as can be told.
func (f *Forward) Behind() time.Duration {
	now, wall := f.read()
	return now.Sub(wall)
}

func (f *Forward) read() (now, wall time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wall, ran := f.wall().Round(0), f.ran()
	if now = f.shown.Add((ran - f.at) / 2); now.Before(wall) {
		now = wall
	}
	f.shown, f.at = now, ran
	return now, wall
}

// NotBefore makes it show t at least: the newest instant that the books know.
func (f *Forward) NotBefore(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t = t.Round(0); t.After(f.shown) {
		f.shown, f.at = t, f.ran()
	}
}

// After closes the channel at t, or, if the clock is set meanwhile, at most a minute after it shows t.
func (f *Forward) After(t time.Time) (<-chan struct{}, func()) { return after(f.Now, look, t) }

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

// NotBefore makes it show t at least.
func (m *Moved) NotBefore(t time.Time) { m.Jump(t) }

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
