package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/store"
)

// The plan of numbers is a text, numbers.yaml, whoever writes it: the portal, the command line or a pipeline. What it changes
// is shown before it counts, it counts whole or not at all, and every version of it is kept.

// NumberPlan is numbers.yaml as it counts.
type NumberPlan struct {
	Seq  int // names it: whoever changes it says which one they have seen
	At   time.Time
	By   string
	Text string
}

// NumberPlan is the one that counts; Seq 0: nobody has written one.
func (f *Flow) NumberPlan(ctx context.Context) (NumberPlan, error) {
	p, err := f.Store.ReadNumbers(ctx).Plan()
	return NumberPlan(p), err
}

// NumberPlanDraft is what a text would change, or has changed.
type NumberPlanDraft struct {
	Faults []NumberFault
	Lines  []string // in words; none: nothing changes
	Added  int      // numbers
	Gone   int
}

// JudgeNumberPlan says what a text would change. Nothing is written.
func (f *Flow) JudgeNumberPlan(ctx context.Context, text string) (NumberPlanDraft, error) {
	next, faults := f.readNumberPlan(text)
	if len(faults) > 0 {
		return NumberPlanDraft{Faults: faults}, nil
	}
	return f.renumber(f.Store.ReadNumbers(ctx), &next, f.Clock.Now(), "")
}

// SaveNumberPlan makes a text the plan that counts. seen is the one that its author began with. ErrConflict: it is another
// by now. ErrInvalid: it has faults, which the draft names.
func (f *Flow) SaveNumberPlan(ctx context.Context, text string, seen int, by string) (NumberPlanDraft, error) {
	next, faults := f.readNumberPlan(text)
	if len(faults) > 0 {
		return NumberPlanDraft{Faults: faults}, fmt.Errorf("%s: %w", faults[0], dayone.ErrInvalid)
	}
	var out NumberPlanDraft
	err := f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		now := f.Clock.Now()
		seq, err := n.PlanSeq()
		if err != nil {
			return err
		}
		if seq != seen {
			return fmt.Errorf("somebody has changed the plan of numbers meanwhile; read it again and put your change into that one: %w", dayone.ErrConflict)
		}
		if out, err = f.renumber(n, &next, now, by); err != nil {
			return err
		}
		if len(out.Faults) > 0 {
			return fmt.Errorf("%s: %w", out.Faults[0], dayone.ErrInvalid)
		}
		if err := n.KeepPlan(store.NumberPlan{Seq: seq + 1, At: now, By: by, Text: text}); err != nil {
			return err
		}
		note := fmt.Sprintf("version %d: %d numbers come, %d go", seq+1, out.Added, out.Gone)
		return n.Tell(nil, dayone.Record{At: now, What: "plan of numbers changed", By: by, Detail: &dayone.Detail{Note: note}})
	})
	return out, err
}

// readNumberPlan reads a text, and the rules in it by the policies that count.
func (f *Flow) readNumberPlan(text string) (number.Plan, []NumberFault) {
	p, faults := number.ReadPlan(text)
	set := f.Active()
	for _, x := range p.Pools {
		if x.When == "" {
			continue
		}
		if _, err := set.Question(x.When); err != nil {
			faults = append(faults, NumberFault{File: number.PlanFile, Line: x.WhenAt.Line, Col: x.WhenAt.Col, Text: Problem(err)})
		}
	}
	for i, name := range p.Stated {
		if _, ok := set.Schema.Attributes[name]; !ok {
			hint := dayone.Meant(name, set.Schema.Names())
			faults = append(faults, NumberFault{File: number.PlanFile, Line: 1, Col: 1, Text: fmt.Sprintf("stated_by names %q (the %d. of them), and people.yaml has no such attribute %s", name, i+1, hint)})
		}
	}
	return p, faults
}

// renumber compares a plan with the one that counts, and writes what follows for the numbers, unless it only reads.
func (f *Flow) renumber(n *store.Numbers, next *number.Plan, now time.Time, by string) (NumberPlanDraft, error) {
	var out NumberPlanDraft
	was, _, err := f.numberBook(n)
	if err != nil {
		return out, err
	}
	c := number.Compare(was, next)
	r := replanning{f: f, n: n, now: now, by: by, out: &out, dry: n.ReadsOnly()}
	out.Lines = c.Pools
	for _, g := range c.Gone {
		if err := r.gone(g, next); err != nil {
			return out, err
		}
	}
	for _, m := range c.Moved {
		out.Lines = append(out.Lines, fmt.Sprintf("%s to %s move from pool %s to %s", m.First, m.Last, m.From.Name, m.To.Name))
	}
	for _, a := range c.Added {
		if err := r.added(a); err != nil {
			return out, err
		}
	}
	if len(out.Faults) > 0 || r.dry {
		return out, nil
	}
	for _, m := range c.Moved {
		if err := n.Rename(m.From.Name, m.To.Name, m.First); err != nil {
			return out, err
		}
	}
	if err := n.Put(r.put...); err != nil {
		return out, err
	}
	if err := n.Begin(r.fresh, "created", by, now); err != nil {
		return out, err
	}
	if err := n.Tell(r.events); err != nil {
		return out, err
	}
	return out, r.vanities(was, next)
}

// replanning gathers what a change of the plan writes.
type replanning struct {
	f      *Flow
	n      *store.Numbers
	now    time.Time
	by     string
	dry    bool
	out    *NumberPlanDraft
	put    []dayone.Number
	fresh  []dayone.Number
	events []dayone.NumberEvent
}

func idsOf(list []dayone.Number) []dayone.NumberID {
	out := make([]dayone.NumberID, len(list))
	for i, x := range list {
		out[i] = x.ID
	}
	return out
}

// gone retires the numbers of a range that the plan does not have any more. None that somebody has is lost that way.
func (r *replanning) gone(g number.Piece, next *number.Plan) error {
	list := g.Numbers(r.now)
	known, err := r.n.Known(idsOf(list))
	if err != nil {
		return err
	}
	used, first := 0, dayone.NumberID("")
	for _, x := range list {
		is, ok := known[x.ID]
		switch {
		case !ok || is.State == dayone.NumberRetired:
			continue
		case is.State == dayone.NumberAssigned || is.State == dayone.NumberReserved:
			if used++; used == 1 {
				first = x.ID
			}
			continue
		}
		gone, ev, err := number.Apply(is, number.Order{Verb: number.Retire, At: r.now}, *g.Pool)
		if err != nil {
			return err
		}
		ev.By = r.by
		r.put, r.events = append(r.put, gone), append(r.events, ev)
	}
	if used > 0 {
		at := number.Position{Line: 1, Col: 1}
		if p, ok := next.Pool(g.Pool.Name); ok {
			at = p.At
		}
		r.out.Faults = append(r.out.Faults, NumberFault{File: number.PlanFile, Line: at.Line, Col: at.Col, Text: fmt.Sprintf(
			"%s to %s of pool %s cannot go: %s in use, the first is %s; release them, or keep the range with port: porting-out", g.First(), g.Last(), g.Pool.Name, counted(used, "1 number is", "%d numbers are"), first)})
	}
	r.out.Gone += g.Count()
	r.out.Lines = append(r.out.Lines, fmt.Sprintf("%s to %s of pool %s go (%s)", g.First(), g.Last(), g.Pool.Name, counted(g.Count(), "1 number", "%d numbers")))
	return nil
}

// added brings the numbers of a range into the books. What is known already keeps its state and its owner.
func (r *replanning) added(a number.Piece) error {
	list := a.Numbers(r.now)
	known, err := r.n.Known(idsOf(list))
	if err != nil {
		return err
	}
	for _, x := range r.put { // gone from one range, and in another by now
		if _, ok := known[x.ID]; ok {
			known[x.ID] = x
		}
	}
	for _, x := range list {
		is, ok := known[x.ID]
		if !ok {
			r.put, r.fresh = append(r.put, x), append(r.fresh, x)
			continue
		}
		ev := dayone.NumberEvent{Number: x.ID, At: r.now, What: "taken into pool " + a.Pool.Name, From: is.State, By: r.by, Person: is.Owner}
		if is.State == dayone.NumberRetired {
			is.Since = r.now
			if is.State = dayone.NumberFree; !is.Used.IsZero() && is.Used.Add(a.Pool.Quarantine).After(r.now) {
				is.State, is.Until = dayone.NumberQuarantine, is.Used.Add(a.Pool.Quarantine)
			}
		}
		is.Pool, is.Range, is.Platform, is.Partition, is.Pattern, is.Vanity = x.Pool, x.Range, x.Platform, x.Partition, x.Pattern, x.Vanity
		ev.To = is.State
		r.put, r.events = append(r.put, is), append(r.events, ev)
	}
	r.out.Added += a.Count()
	r.out.Lines = append(r.out.Lines, fmt.Sprintf("%s to %s come to pool %s (%s)", a.First(), a.Last(), a.Pool.Name, counted(a.Count(), "1 number", "%d numbers")))
	return nil
}

// vanities marks numbers anew where a pool says anew which of them are.
func (r *replanning) vanities(was, next *number.Plan) error {
	for i := range next.Pools {
		p := &next.Pools[i]
		old, ok := was.Pool(p.Name)
		if !ok || fmt.Sprint(old.Vanity) == fmt.Sprint(p.Vanity) {
			continue
		}
		list, err := r.n.List(store.NumberFilter{Pool: p.Name, Limit: 1 << 30})
		if err != nil {
			return err
		}
		var put []dayone.Number
		for _, x := range list {
			if v := p.IsVanity(x); v != x.Vanity {
				x.Vanity = v
				put = append(put, x)
			}
		}
		if err := r.n.Put(put...); err != nil {
			return err
		}
	}
	return nil
}
