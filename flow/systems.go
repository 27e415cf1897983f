package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/store"
)

// Systems as somebody runs them: what holds for calls to each, and what may be ordered. An order is durable before it is
// answered. It counts at once where the engine is; where it is not, the server takes it up by itself.

// SystemState is how a system stands.
type SystemState struct {
	Name, Title string
	Stance      engine.Stance
	Order       dayone.Order // by which it holds, if by one
	Circuit     dayone.Circuit
	Waiting     int            // steps that wait for a task there; while it is not called, all that wait there
	Ahead       []dayone.Order // maintenance that is under way or to come
	Messages    bool           // it carries messages
	Unset       bool           // no connector is configured for it: each step is somebody's task
	List        *SystemList    // it is known by a list that people bring
	Retiring    dayone.Order   // by which it is being retired; without an id: it is not
	Held        store.HeldAt   // what people hold there
}

// Word is how a system stands, in one word.
func (s SystemState) Word() string {
	if s.Unset && s.Stance == engine.Free {
		return "not configured"
	}
	return cmp.Or(string(s.Stance), "free")
}

// Everywhere stands for every system where one is asked for.
const Everywhere = "all"

// SystemStates are all configured systems, by name, and the stop that holds for all of them; without an id: none does.
func (f *Flow) SystemStates(ctx context.Context) ([]SystemState, dayone.Order, error) {
	st, err := f.Store.Standing(ctx, f.Clock.Now())
	if err != nil {
		return nil, dayone.Order{}, err
	}
	waiting, err := f.parkedAt.get(ctx, f.Clock, &f.errands.WaitGroup, f.Store.WaitsAt)
	if err != nil {
		return nil, dayone.Order{}, err
	}
	held, err := f.heldAt.get(ctx, f.Clock, &f.errands.WaitGroup, f.Store.HeldBySystem)
	if err != nil {
		return nil, dayone.Order{}, err
	}
	now := f.Clock.Now()
	var out []SystemState
	for _, name := range f.systemNames() {
		if !scopeOf(ctx).Runs(name) {
			continue
		}
		s := SystemState{Name: name, Title: f.systemTitle(name), Messages: name == f.Mail || name == f.Calendar, Unset: f.Systems[name] == nil, Held: held[name]}
		for _, c := range st.Circuits {
			if c.System == name {
				s.Circuit = c
			}
		}
		if _, listed := f.listedAt(name); listed {
			l, err := f.ListOf(ctx, name)
			if err != nil {
				return nil, dayone.Order{}, err
			}
			s.List = &l
		}
		s.Stance, s.Order = engine.StanceOf(name, f.Engine.Care[name], st.Orders, s.Circuit, now)
		if s.Waiting = waiting[name].Tasks; s.Stance != engine.Free {
			s.Waiting = waiting[name].All
		}
		for _, o := range st.Orders {
			switch {
			case o.System != name || o.Over(now):
			case o.Kind == dayone.OrderMaintenance:
				s.Ahead = append(s.Ahead, o)
			case o.Kind.Retires():
				s.Retiring = o
			}
		}
		out = append(out, s)
	}
	return out, stopOfAll(st.Orders, now), nil
}

func stopOfAll(orders []dayone.Order, now time.Time) dayone.Order {
	for _, o := range slices.Backward(orders) {
		if o.Kind == dayone.OrderStop && o.System == "" && o.Holds(now) {
			return o
		}
	}
	return dayone.Order{}
}

// Stops are the stop orders that hold now: every page says so.
func (f *Flow) Stops(ctx context.Context) ([]dayone.Order, error) {
	st, err := f.Store.Standing(ctx, f.Clock.Now())
	now := f.Clock.Now()
	return slices.DeleteFunc(st.Orders, func(o dayone.Order) bool { return o.Kind != dayone.OrderStop || !o.Holds(now) }), err
}

func (f *Flow) systemNames() []string {
	names := slices.Collect(maps.Keys(f.Active().Systems))
	for name := range f.Systems {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for name := range f.Engine.Care {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f *Flow) systemTitle(name string) string {
	if g := f.Systems[name]; g != nil && g.Manifest != nil {
		return g.Manifest.Title
	}
	return cmp.Or(f.Active().Systems[name].Title, name)
}

// Order gives one. Everywhere, or no system, is every system, which only a stop can be about.
func (f *Flow) Order(ctx context.Context, o dayone.Order) (dayone.Order, error) {
	now := f.Clock.Now()
	o.ID, o.Made = dayone.OrderID(f.IDs.New("ord")), now
	o.Reason, o.By = strings.TrimSpace(o.Reason), strings.TrimSpace(o.By)
	if o.System == Everywhere {
		o.System = ""
	}
	if o.From.IsZero() {
		o.From = now
	}
	if o.System != "" && !slices.Contains(f.systemNames(), o.System) && !(o.Kind.Retires() && f.isHeldAt(ctx, o.System)) {
		return o, fmt.Errorf("there is no system %q; there are %s: %w", o.System, strings.Join(f.systemNames(), ", "), dayone.ErrNotFound)
	}
	switch {
	case !slices.Contains([]dayone.OrderKind{dayone.OrderStop, dayone.OrderMaintenance, dayone.OrderManual, dayone.OrderAutomatic}, o.Kind) && !o.Kind.Retires():
		return o, fmt.Errorf("%q is nothing that can be ordered; stop, maintenance, manual, automatic, stop-managing and close-accounts are: %w", o.Kind, dayone.ErrInvalid)
	case o.Reason == "":
		return o, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	case len(o.Reason) > 500:
		return o, fmt.Errorf("the reason has more than 500 bytes; say it shorter: %w", dayone.ErrInvalid)
	case o.Kind == dayone.OrderAutomatic && f.byLists(o.System):
		return o, fmt.Errorf("nothing can call %s: what is to be done there stays somebody's task; to let it work by itself, give it another connector than manual in the configuration: %w", o.System, dayone.ErrInvalid)
	case o.System == "" && o.Kind != dayone.OrderStop:
		return o, fmt.Errorf("name one system; only a stop is about all of them: %w", dayone.ErrInvalid)
	case o.Kind == dayone.OrderMaintenance && !o.Until.After(o.From):
		return o, fmt.Errorf("the maintenance ends before it begins; give it an end after %s: %w", o.From.UTC().Format(time.RFC3339), dayone.ErrInvalid)
	case o.Kind == dayone.OrderMaintenance && !o.Until.After(now):
		return o, fmt.Errorf("the maintenance is over already; give it an end after now, %s: %w", now.UTC().Format(time.RFC3339), dayone.ErrInvalid)
	case o.Kind == dayone.OrderMaintenance && o.Until.Sub(o.From) > 31*24*time.Hour:
		return o, fmt.Errorf("the maintenance takes more than 31 days; stop the system instead, or let humans work there: %w", dayone.ErrInvalid)
	case o.Kind != dayone.OrderMaintenance:
		o.From, o.Until = now, time.Time{}
	}
	if o.Kind == dayone.OrderStop {
		if err := f.stoppedBy(ctx, o.System); err != nil {
			return o, err
		}
	}
	if o.Kind.Retires() {
		if err := f.mayRetire(o); err != nil {
			return o, err
		}
	}
	if err := f.Store.SaveOrder(ctx, o); err != nil {
		return o, err
	}
	err := f.obey(ctx)
	if err == nil && o.Kind.Retires() { // it is not compared any more
		err = f.Store.ForgetDrift(ctx, o.System)
	}
	return o, err
}

// byLists says that a system is known by lists alone.
func (f *Flow) byLists(system string) bool {
	_, is := f.listedAt(system)
	return is
}

// stoppedBy refuses a second stop: it would put another reason in the place of the first.
func (f *Flow) stoppedBy(ctx context.Context, system string) error {
	stops, err := f.Stops(ctx)
	if err != nil {
		return err
	}
	for _, is := range stops {
		switch {
		case is.System == "":
			return fmt.Errorf("everything is stopped already, by %s since %s: %s: %w", is.By, f.clockOf(is.From, f.Active().Sites[""]), is.Reason, dayone.ErrConflict)
		case is.System == system:
			return fmt.Errorf("%s is stopped already, by %s since %s: %s: %w", system, is.By, f.clockOf(is.From, f.Active().Sites[""]), is.Reason, dayone.ErrConflict)
		}
	}
	return nil
}

// Lift ends an order before its time. ErrConflict: its system was retired, and Dayone has let go of it.
func (f *Flow) Lift(ctx context.Context, id dayone.OrderID, by, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	if err := f.mayManage(ctx, id); err != nil {
		return err
	}
	if err := f.Store.LiftOrder(ctx, id, f.Clock.Now(), by, strings.TrimSpace(reason)); err != nil {
		return err
	}
	return f.obey(ctx)
}

// LiftStop ends the stop of a system, or of everything. ErrNotFound: it is not stopped.
func (f *Flow) LiftStop(ctx context.Context, system, by, reason string) error {
	if system == Everywhere {
		system = ""
	}
	stops, err := f.Stops(ctx)
	if err != nil {
		return err
	}
	for _, o := range stops {
		if o.System == system {
			return f.Lift(ctx, o.ID, by, reason)
		}
	}
	if system != "" && len(stops) > 0 && stops[0].System == "" {
		return fmt.Errorf("everything is stopped, not %s alone; start all: %w", system, dayone.ErrConflict)
	}
	return fmt.Errorf("%s is not stopped: %w", cmp.Or(system, "everything"), dayone.ErrNotFound)
}

// obey lets orders count now, if it is this process that calls systems.
func (f *Flow) obey(ctx context.Context) error {
	if f.Beside {
		return f.readRetiring(ctx)
	}
	return f.heed(ctx, true)
}

// heed takes orders up that were given since, also by another process, and puts them into the ledger.
func (f *Flow) heed(ctx context.Context, sure bool) error {
	f.orders.Lock()
	defer f.orders.Unlock()
	if err := f.readRetiring(ctx); err != nil { // whoever becomes due by them is looked at with them
		return err
	}
	news, err := f.Store.RecordOrders(ctx, orderRecords)
	if err != nil {
		return fmt.Errorf("recording orders about systems: %w", err)
	}
	if !news && !sure {
		return nil
	}
	f.look()
	return f.Engine.Reorder(ctx)
}

// orderRecords are the ledger's lines of an order.
func orderRecords(o dayone.Order, given, lifted bool) []dayone.Record {
	what := map[dayone.OrderKind]string{
		dayone.OrderStop: "stopped", dayone.OrderMaintenance: "maintenance ordered", dayone.OrderManual: "set to manual", dayone.OrderAutomatic: "set to automatic",
		dayone.OrderRelease: "is retired: stop managing", dayone.OrderClose: "is retired: close accounts",
	}[o.Kind]
	system := cmp.Or(o.System, Everywhere)
	var out []dayone.Record
	if given {
		note := o.Reason
		if o.Kind == dayone.OrderMaintenance {
			note = fmt.Sprintf("from %s until %s: %s", o.From.UTC().Format(time.RFC3339), o.Until.UTC().Format(time.RFC3339), o.Reason)
		}
		out = append(out, dayone.Record{At: o.Made, System: system, What: what, By: o.By, Detail: &dayone.Detail{Note: note}})
	}
	if lifted {
		out = append(out, dayone.Record{At: o.Lifted, System: system, What: what + ", ended", By: o.LiftedBy, Detail: &dayone.Detail{Note: o.LiftedReason}})
	}
	return out
}
