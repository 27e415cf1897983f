package engine

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// The gate of a system: what keeps its steps from being called, though they could be. It is one of four, in this order:
// humans work there, it is stopped, it is in maintenance, it is down.

// Stance is what holds for calls to a system.
type Stance string

const (
	Free       Stance = ""
	ByHand     Stance = "by hand"
	Stopped    Stance = "stopped"
	Maintained Stance = "maintenance"
	Down       Stance = "down"
)

// Care is how one system is treated. Its zero value is the default.
type Care struct {
	Breaker     BreakerConfig
	Manual      bool // humans work there, unless somebody ordered otherwise
	HoldLeavers bool // in maintenance even a leaver's cut waits
}

func (c Care) breaker() BreakerConfig {
	return BreakerConfig{
		Failures: cmp.Or(c.Breaker.Failures, DefaultBreaker.Failures), Base: cmp.Or(c.Breaker.Base, DefaultBreaker.Base), Max: cmp.Or(c.Breaker.Max, DefaultBreaker.Max),
	}
}

// StanceOf says what holds for a system, and by which order, if it is by one. Of several that hold the newest counts; of
// maintenance windows the one that ends last.
func StanceOf(system string, c Care, orders []dayone.Order, circuit dayone.Circuit, at time.Time) (Stance, dayone.Order) {
	var mode, stop, maintenance dayone.Order
	for _, o := range orders {
		if !o.About(system) || !o.Holds(at) {
			continue
		}
		switch o.Kind {
		case dayone.OrderManual, dayone.OrderAutomatic:
			if !o.Made.Before(mode.Made) {
				mode = o
			}
		case dayone.OrderStop:
			if !o.Made.Before(stop.Made) {
				stop = o
			}
		case dayone.OrderMaintenance:
			if o.Until.After(maintenance.Until) {
				maintenance = o
			}
		}
	}
	switch {
	case mode.Kind == dayone.OrderManual, mode.Kind == "" && c.Manual:
		return ByHand, mode
	case stop.Kind != "":
		return Stopped, stop
	case maintenance.Kind != "":
		return Maintained, maintenance
	case circuit.Down():
		return Down, dayone.Order{}
	}
	return Free, dayone.Order{}
}

// hold is why a step is not called now; without a kind it is.
type hold struct {
	kind dayone.WaitKind
	note string
	warn string // it is called, and a human is told why that may come to nothing
}

// holds says whether a step may be called. probe: it is the one that tries whether a system is back.
func (c Care) holds(s dayone.Step, st Stance, o dayone.Order, circuit dayone.Circuit, probe bool) hold {
	system := s.Key.System
	switch st {
	case ByHand:
		why := "people work in " + system + " by hand"
		if o.Reason != "" {
			why += ": " + o.Reason
		}
		return hold{kind: dayone.WaitTask, note: why}
	case Stopped:
		return hold{kind: dayone.WaitSystem, note: fmt.Sprintf("%s was stopped by %s at %s: %s", system, cmp.Or(o.By, "somebody"), clockOf(o.From), o.Reason)}
	case Maintained:
		note := fmt.Sprintf("maintenance until %s: %s", clockOf(o.Until), o.Reason)
		if s.Urgent && !c.HoldLeavers {
			return hold{warn: fmt.Sprintf("%s is in %s", system, note)}
		}
		return hold{kind: dayone.WaitSystem, note: note}
	case Down:
		if s.Urgent || probe {
			return hold{}
		}
		return hold{kind: dayone.WaitSystem, note: fmt.Sprintf("%s has been down since %s; this goes on by itself when it answers", system, clockOf(circuit.Since))}
	}
	return hold{}
}

func clockOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// gate is a system's, as the loop keeps it.
type gate struct {
	circuit dayone.Circuit
	parked  map[work]bool
	probe   work // the step that tries whether it is back, if no check does
	told    told // what its parked steps were told last
}

// told is all that a note says.
type told struct {
	stance Stance
	order  dayone.OrderID
	down   time.Time
}

// Checker is a target that can be asked whether it is there, without doing anything. connector.Guard satisfies it.
type Checker interface {
	Check(ctx context.Context) error
}

// Reorder says that orders about systems have changed: what the store has counts from now on. It returns once it does.
func (d *Driver) Reorder(ctx context.Context) error {
	return d.sendAndWait(ctx, input{reorder: true})
}

// stand reads what holds for systems. Nothing is called before that.
func (l *loop) stand() error {
	st, err := l.Store.Standing(l.ctx, l.Clock.Now())
	if err != nil {
		return unread("what was ordered about systems", err)
	}
	for _, c := range st.Circuits {
		if c.State == dayone.CircuitHalfOpen {
			c.State = dayone.CircuitOpen // whoever asked it is gone
		}
		l.system(c.System).gate.circuit = c
		heap.Push(&l.alarms, alarm{at: c.Next})
	}
	l.ordered(st.Orders)
	return nil
}

func (l *loop) ordered(orders []dayone.Order) {
	l.orders = orders
	now := l.Clock.Now()
	for _, o := range orders {
		for _, at := range []time.Time{o.From, o.Until} {
			if at.After(now) {
				heap.Push(&l.alarms, alarm{at: at})
			}
		}
	}
}

// reorder takes orders that have changed.
func (l *loop) reorder() error {
	st, err := l.Store.Standing(l.ctx, l.Clock.Now())
	if err == nil {
		l.ordered(st.Orders)
	}
	return err
}

func (l *loop) stance(name string, now time.Time) (Stance, dayone.Order) {
	return StanceOf(name, l.Care[name], l.orders, l.system(name).gate.circuit, now)
}

// admits says whether a step may be called, and parks it if not.
func (l *loop) admits(lv *live, w work, name string, now time.Time) bool {
	g := &l.system(name).gate
	if l.free(name, g) {
		return true
	}
	if l.lay(lv) != nil {
		return false
	}
	st, o := l.stance(name, now)
	if st == Down && g.probe == (work{}) && !now.Before(g.circuit.Next) && !l.checks(name) {
		g.probe = w.bare()
		g.circuit = probing(g.circuit)
	}
	h := l.Care[name].holds(lv.run.Step(w.step).Step, st, o, g.circuit, g.probe == w.bare())
	switch {
	case h.kind != "":
		delete(lv.queued, w.step)
		_ = l.feed(lv, Event{What: Park, Step: w.step, Wait: &dayone.Wait{Kind: h.kind, Note: h.note}})
		return false
	case h.warn != "":
		_ = l.feed(lv, Event{What: Warn, Step: w.step, Wait: &dayone.Wait{Note: h.warn}})
	}
	return true
}

func (w work) bare() work { return work{run: w.run, step: w.step} }

func (l *loop) checks(name string) bool {
	t, ok := l.Target(name)
	if !ok {
		return false
	}
	_, ok = t.(Checker)
	return ok && !l.system(name).mute
}

// keepParked follows which steps are parked at which system.
func (l *loop) keepParked(lv *live, i int) {
	s := &lv.run.Steps[i]
	g := &l.system(s.Step.Key.System).gate
	w := work{run: lv.run.ID, step: s.Step.ID}
	if s.Parked.IsZero() || s.State.Over() {
		delete(g.parked, w)
		return
	}
	if g.parked == nil {
		g.parked = map[work]bool{}
	}
	g.parked[w] = true
}

// gates tells parked steps what has changed about their system, and asks systems that are down whether they are back.
func (l *loop) gates() {
	now := l.Clock.Now()
	for n := 0; n < len(l.names); n++ {
		name := l.names[n]
		g := &l.system(name).gate
		if l.free(name, g) && g.told == (told{}) {
			continue
		}
		l.lostProbe(g, now)
		st, o := l.stance(name, now)
		if st == Down && g.circuit.State == dayone.CircuitOpen && !now.Before(g.circuit.Next) {
			l.probe(name, g)
		}
		news := told{st, o.ID, time.Time{}}
		if st == Down {
			news.down = g.circuit.Since
		}
		if news == g.told {
			continue
		}
		g.told = news
		for _, w := range slices.SortedFunc(maps.Keys(g.parked), func(a, b work) int {
			return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.step, b.step))
		}) {
			l.tellParked(name, w, st, o)
		}
	}
}

// free says that nothing at all holds for a system.
func (l *loop) free(name string, g *gate) bool {
	return len(l.orders) == 0 && !g.circuit.Down() && !l.Care[name].Manual
}

// lostProbe gives up a step that was to try whether its system is back, and is not called after all.
func (l *loop) lostProbe(g *gate, now time.Time) {
	if g.probe == (work{}) {
		return
	}
	if lv := l.runs[g.probe.run]; lv != nil && lv.run.State != dayone.RunHeld {
		if s := lv.run.Step(g.probe.step); lv.queued[g.probe.step] || s != nil && s.State == dayone.StepRunning { // a run with a call is laid out
			return
		}
	}
	g.probe = work{}
	if g.circuit.State == dayone.CircuitHalfOpen {
		g.circuit.State, g.circuit.Next = dayone.CircuitOpen, now
	}
}

func (l *loop) tellParked(name string, w work, st Stance, o dayone.Order) {
	g := &l.system(name).gate
	lv := l.runs[w.run]
	if lv == nil {
		delete(g.parked, w)
		return
	}
	if l.lay(lv) != nil {
		return
	}
	s := lv.run.Step(w.step)
	if s == nil {
		return
	}
	h := l.Care[name].holds(s.Step, st, o, g.circuit, g.probe == w)
	switch {
	case h.kind != "":
		_ = l.feed(lv, Event{What: Park, Step: w.step, Wait: &dayone.Wait{Kind: h.kind, Note: h.note}})
	default:
		_ = l.feed(lv, Event{What: Unpark, Step: w.step})
	}
}

// probe asks a system whether it is back: by a check if it has one, else by one of the steps that wait.
func (l *loop) probe(name string, g *gate) {
	t, _ := l.Target(name)
	if c, ok := t.(Checker); ok && !l.system(name).mute {
		g.circuit = probing(g.circuit)
		go func() {
			err := check(l.ctx, c)
			_ = l.send(l.ctx, input{probed: name, ev: Event{Err: err}})
		}()
		return
	}
	var first work
	for w := range g.parked {
		if lv := l.runs[w.run]; lv != nil && lv.run.State != dayone.RunHeld && (first == (work{}) || w.run < first.run || w.run == first.run && w.step < first.step) {
			first = w
		}
	}
	if first == (work{}) {
		return // the next step that comes is the one
	}
	g.circuit, g.probe = probing(g.circuit), first
	st, o := l.stance(name, l.Clock.Now())
	l.tellParked(name, first, st, o)
}

func check(ctx context.Context, c Checker) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the connector broke: %v: %w", p, dayone.ErrUnavailable)
		}
	}()
	return c.Check(ctx)
}

// probed takes the answer of a check.
func (l *loop) probed(in input) {
	s := l.system(in.probed)
	if errors.Is(in.ev.Err, context.Canceled) {
		return
	}
	if errors.Is(in.ev.Err, dayone.ErrUnsupported) {
		s.mute = true // it cannot be asked: from now on a step tries
	}
	l.circuit(s, in.probed, func(c dayone.Circuit, at time.Time, cfg BreakerConfig) (dayone.Circuit, bool) {
		if !c.Down() {
			return c, false // a leaver's cut was faster
		}
		if s.mute {
			c.State, c.Next = dayone.CircuitOpen, at
			return c, false
		}
		return probed(c, signOf(in.ev.Err), kindOf(in.ev.Err), at, cfg)
	})
}

// hear takes what a step's answer says about its system, and whether the system was known to be down.
func (l *loop) hear(name string, w work, err error) (down bool) {
	s := l.system(name)
	down = s.gate.circuit.Down()
	was := s.gate.probe == w.bare()
	if was {
		s.gate.probe = work{}
	}
	l.circuit(s, name, func(c dayone.Circuit, at time.Time, cfg BreakerConfig) (dayone.Circuit, bool) {
		if sign := signOf(err); was && sign == neither {
			return probed(c, sign, kindOf(err), at, cfg)
		}
		return heard(c, signOf(err), kindOf(err), at, cfg)
	})
	return down
}

// circuit moves a system's breaker, and keeps what is to be known of it after a restart.
func (l *loop) circuit(s *system, name string, move func(dayone.Circuit, time.Time, BreakerConfig) (dayone.Circuit, bool)) {
	before := s.gate.circuit
	now := l.Clock.Now()
	c, moved := move(before, now, l.Care[name].breaker())
	c.System = name
	s.gate.circuit = c
	if c.State == dayone.CircuitOpen {
		heap.Push(&l.alarms, alarm{at: c.Next})
	}
	if !moved && (c == before || !c.Down()) {
		return
	}
	l.aside.Circuits = append(l.aside.Circuits, c)
	if !moved {
		return
	}
	rec := dayone.Record{At: now, System: name, What: "system back", Detail: &dayone.Detail{Note: fmt.Sprintf("%s answers again; it was down since %s", name, clockOf(before.Since))}}
	if c.Down() {
		rec.What, rec.Detail.Note = "system down", fmt.Sprintf("%s did not answer %d times in a row: %s", name, c.Failures, c.Note)
	}
	l.aside.Records = append(l.aside.Records, rec)
	l.Log.Warn(rec.What, "system", name, "note", rec.Detail.Note)
}

// kindOf is an error without anything in it that a person could be known by: ledgers and pages of systems show it.
func kindOf(err error) string {
	if err == nil {
		return ""
	}
	out := "a fault of our own"
	if k := dayone.KindOf(err); k != nil {
		out = k.Error()
	}
	var f *dayone.Fault
	if errors.As(err, &f) && f.Code != "" {
		out += " (" + f.Code + ")"
	}
	return out
}
