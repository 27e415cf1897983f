package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// heirOf is by what systems recognise who takes over what a leaver owns there: whoever was named, else her manager.
func heirOf(p dayone.Person) map[string]string {
	if p.Status != dayone.Left {
		return nil
	}
	if mail := cmp.Or(namedHeir(p), strings.ToLower(p.Attrs.Text("manager"))); mail != "" {
		return map[string]string{"email": mail}
	}
	return nil
}

// namedHeir is who was named to take over when access was ended; "": nobody.
func namedHeir(p dayone.Person) (heir string) {
	for _, e := range p.Engagements {
		if heir == "" || e.Primary && e.Heir != "" {
			heir = e.Heir
		}
	}
	return heir
}

// handOver moves what can be moved, and opens one task for the rest. Done twice it is done once.
func (f *Flow) handOver(ctx context.Context, l *leaver) error {
	for i := range l.Items {
		if h := &l.Items[i]; h.To == "" && !h.Over && h.Act == "" {
			if err := f.move(ctx, l, h); err != nil {
				return err
			}
		}
	}
	now := f.Clock.Now()
	l.Done = now
	rec := dayone.Record{At: now, Person: l.Person, What: "handed over", Detail: &dayone.Detail{Note: handedNote(l.Succession)}}
	var task *dayone.Task
	if todo := l.ToDo(); len(todo) > 0 {
		task = &dayone.Task{
			Person: l.Person, Once: successionTask + string(l.Person), Title: "Hand over what " + l.row.Name + " looked after", Note: toDoNote(todo),
			Assignee: l.To, Opened: now, Due: f.workdays(now, 2, f.Active().Sites[""]),
		}
	}
	return f.Store.SaveSuccession(ctx, l.Succession, task, rec)
}

// move gives one thing to the successor, or ends it.
func (f *Flow) move(ctx context.Context, l *leaver, h *dayone.Handed) error {
	switch h.Kind {
	case dayone.HandedTask:
		return f.moveTask(ctx, l, h)
	case dayone.HandedSponsor:
		return f.moveSponsored(ctx, l, h)
	case dayone.HandedDelegation:
		now := f.Clock.Now()
		h.Over = true
		err := f.Store.EndDelegation(ctx, h.Ref, now, dayone.Record{At: now, What: "delegation ended", Detail: &dayone.Detail{Note: h.Ref}})
		if errors.Is(err, dayone.ErrNotFound) { // it has ended, or we did it before we fell
			return nil
		}
		return err
	}
	h.Act = "somebody sees to it"
	return nil
}

// errHanded: somebody else has it, or we moved it before we fell.
var errHanded = errors.New("moved already")

// moveTask gives an open task to the successor, or, if nobody is found, to whoever gets tasks.
func (f *Flow) moveTask(ctx context.Context, l *leaver, h *dayone.Handed) error {
	to := l.To
	if to == "" && !strings.EqualFold(f.Asking.Tasks, l.row.Email) {
		to = f.Asking.Tasks
	}
	now := f.Clock.Now()
	_, err := f.Store.ChangeTask(ctx, dayone.TaskID(h.Ref), func(t *dayone.Task) error {
		if t.Assignee != l.row.Email {
			to = t.Assignee
			return errHanded
		}
		t.Assignee, t.Remind = to, now // whoever has it now hears of it at once
		return nil
	}, dayone.Record{At: now, Person: l.Person, What: "task assigned", Detail: &dayone.Detail{Note: h.Ref}})
	switch {
	case errors.Is(err, dayone.ErrConflict), errors.Is(err, dayone.ErrNotFound): // it was done meanwhile
		h.Over = true
	case err != nil && !errors.Is(err, errHanded):
		return err
	case to == "":
		h.Act = "somebody takes this task"
	default:
		h.To = to
	}
	return nil
}

// moveSponsored makes the successor answer for somebody in no HR system: an entry like every other.
func (f *Flow) moveSponsored(ctx context.Context, l *leaver, h *dayone.Handed) error {
	if l.To == "" {
		h.Act = "somebody who works here answers for them: whoever puts off their last day does"
		return nil
	}
	id, known, err := f.Store.PersonWith(ctx, dayone.EngagementID(h.Ref))
	if err != nil || !known {
		h.Over = err == nil
		return err
	}
	row, err := f.Store.Person(ctx, id)
	if err != nil {
		return err
	}
	fields := map[string]string{"sponsor": l.To}
	if row.Manager == l.row.Email {
		fields["manager"] = l.To
	}
	in, err := f.Enter(ctx, Entry{Type: dayone.Updated, Subject: h.Ref, Fields: fields, Reason: "who answered for them has left"})
	if err != nil {
		return err
	}
	switch in.State {
	case dayone.EventApplied, dayone.EventUnchanged:
		h.To = l.To
	default:
		h.Act = "somebody answers for them: " + in.Note
	}
	return nil
}

// handedNote says in a line what became of it all.
func handedNote(s dayone.Succession) string {
	moved, ended := 0, 0
	for _, h := range s.Items {
		switch {
		case h.To != "":
			moved++
		case h.Over:
			ended++
		}
	}
	var out []string
	if moved > 0 {
		out = append(out, counted(moved, "1 thing moved", "%d things moved"))
	}
	if s.To != "" {
		out = append(out, fmt.Sprintf("successor %s (%s)", s.To, s.Why))
	} else {
		out = append(out, "no successor was found")
	}
	if ended > 0 {
		out = append(out, fmt.Sprintf("%d ended", ended))
	}
	return strings.Join(append(out, fmt.Sprintf("%d left to a human", len(s.ToDo()))), ", ")
}

// toDoNote lists what a human has to see to, what is alike together.
func toDoNote(todo []dayone.Handed) string {
	slices.SortStableFunc(todo, func(a, b dayone.Handed) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	var b strings.Builder
	for i, h := range todo {
		if i == successionLines {
			fmt.Fprintf(&b, "and %d more: dayone people succession shows all of them\n", len(todo)-i)
			break
		}
		fmt.Fprintf(&b, "%s %s: %s\n", h.Kind, h.Name, h.Act)
	}
	return strings.TrimSpace(b.String())
}
