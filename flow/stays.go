package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/store"
)

// Staying is access that somebody is not to have any more, and that no plan takes.
type Staying struct {
	Key   dayone.Key
	Title string // of the system
	Legal bool   // a legal hold keeps it; else we have no way to take it
	Ended bool   // the system is not managed any more: nothing is taken there
	Why   string
}

// Stays is what stays open of somebody: by a legal hold, because we cannot close it, or because its system is not managed any
// more. A human has to close it.
func (f *Flow) Stays(l Look) (out []Staying) {
	systems := f.ActiveFor(l.Person).Systems
	for _, x := range l.Plan.Findings {
		if x.Kind != planner.UnderLegalHold && x.Kind != planner.ByHand && x.Kind != notManaged {
			continue
		}
		for _, h := range l.Have {
			sys := systems[h.Key.System]
			closed := h.State == dayone.Gone || h.Key.IsAccount() && h.State == dayone.Disabled && sys.As(dayone.Disabled) != dayone.Gone
			if h.Key == x.Key && !closed {
				out = append(out, Staying{Key: x.Key, Title: f.systemTitle(x.Key.System), Legal: x.Kind == planner.UnderLegalHold, Ended: x.Kind == notManaged, Why: x.Text})
			}
		}
	}
	return out
}

// Closing is what would be closed of somebody: by us, by people, and not at all.
type Closing struct {
	Look
	ByUs, ByPeople []dayone.Step
	Stays          []Staying
	Tasks          int // open ones about her that no step is behind: they go on
}

func (f *Flow) closing(ctx context.Context, l Look) (Closing, error) {
	c := Closing{Look: l, Stays: f.Stays(l)}
	handed, err := f.handed(ctx, l.Plan.Steps)
	if err != nil {
		return c, err
	}
	for _, s := range l.Plan.Steps {
		if !s.Action.Takes() {
			continue
		}
		if _, people := handed[s.ID]; people {
			c.ByPeople = append(c.ByPeople, s)
		} else {
			c.ByUs = append(c.ByUs, s)
		}
	}
	tasks, err := f.Store.Tasks(ctx, l.Person.ID, "")
	for _, t := range tasks {
		if t.Step == "" {
			c.Tasks++
		}
	}
	return c, err
}

// Handed is a step that becomes a task, since no call does it.
type Handed struct {
	To   string // who gets it: a mail address or group:NAME; "": nobody has it yet
	What string // what they do, where its system says that; else ""
}

// handed are those of the steps that become tasks, as far as that is known beforehand.
func (f *Flow) handed(ctx context.Context, steps []dayone.Step) (map[dayone.StepID]Handed, error) {
	now := f.Clock.Now()
	st, err := f.Store.Standing(ctx, now)
	if err != nil {
		return nil, err
	}
	out := map[dayone.StepID]Handed{}
	for _, s := range steps {
		name, g := s.Key.System, f.Systems[s.Key.System]
		stance, _ := engine.StanceOf(name, f.Engine.Care[name], st.Orders, dayone.Circuit{}, now)
		one := Handed{To: cmp.Or(f.Asking.Owners[name], f.Asking.Tasks)}
		if g != nil && g.Manifest != nil {
			one.What = g.Manifest.Instead(s.Key.Kind, s.Action)
		}
		_, listed := f.listedAt(name)
		if listed {
			one.What = f.Engine.Config.Manual[engine.ManualKey(name, s.Key.Kind, s.Action)]
		}
		if g == nil || listed || stance == engine.ByHand || one.What != "" {
			out[s.ID] = one
		}
	}
	return out, nil
}

// Summary counts it in words.
func (c Closing) Summary() string {
	var out []string
	if n := len(c.ByUs); n > 0 {
		systems := map[string]bool{}
		for _, s := range c.ByUs {
			systems[s.Key.System] = true
		}
		out = append(out, fmt.Sprintf("Dayone takes %s in %s.", inWords(n, "1 thing", "%d things"), inWords(len(systems), "1 system", "%d systems")))
	}
	if n := len(c.ByPeople); n > 0 {
		out = append(out, fmt.Sprintf("People take %s by hand; each becomes a task.", inWords(n, "1 thing", "%d things")))
	}
	if n := len(c.Stays); n > 0 {
		out = append(out, inWords(n, "1 thing stays open until a human closes it.", "%d things stay open until a human closes them."))
	}
	if c.Tasks > 0 {
		out = append(out, inWords(c.Tasks, "1 open task goes on about them.", "%d open tasks go on about them."))
	}
	return strings.Join(out, " ")
}

// inWords says how many; whole sentences, so that another language can say them its own way.
func inWords(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// askAboutHeld asks whoever answers for a legal hold to close by hand what stays open by it. What a human said is closed is
// not asked for again before she leaves anew.
func (f *Flow) askAboutHeld(ctx context.Context, l Look) error {
	if !l.Legal {
		return nil
	}
	holds, err := f.Store.LegalHolds(ctx, l.Person.ID)
	if err != nil {
		return err
	}
	h := standing(holds)
	if h == nil {
		return nil
	}
	open, err := f.Store.Tasks(ctx, l.Person.ID, "")
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	wanted := map[string]bool{}
	var tasks []dayone.Task
	for _, x := range f.Stays(l) {
		if l.Person.Status != dayone.Left || !x.Legal {
			continue
		}
		t := dayone.Task{
			Person: l.Person.ID, Once: store.LegalTask + string(h.ID) + "." + x.Key.String(), System: x.Key.System, Title: "Close by hand what a legal hold keeps open: " + l.Person.Name() + " at " + x.Title,
			Note:   fmt.Sprintf("They have left, and %s. The legal hold stands since %s, placed by %s: %s. Say here once it is closed; when the hold is released it is closed by itself.", x.Why, h.From.UTC().Format("2 January 2006"), h.By, h.Reason),
			Opened: now, Due: f.workdays(now, 1, f.Active().Sites[""]),
		}
		if isMail(strings.ToLower(h.By)) {
			t.Assignee = strings.ToLower(h.By)
		}
		wanted[t.Once] = true
		switch was, err := f.Store.Task(ctx, t.Once); {
		case err != nil && !errors.Is(err, dayone.ErrNotFound):
			return err
		case err == nil && (was.Closed.IsZero() || was.By != "" && was.Closed.After(l.Person.End)):
			continue
		}
		tasks = append(tasks, t)
	}
	for _, t := range open {
		if strings.HasPrefix(t.Once, store.LegalTask) && !wanted[t.Once] {
			t.Closed, t.Left = now, "it does not stay open any more"
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	return f.woken(f.Store.SettleTasks(ctx, tasks))
}
