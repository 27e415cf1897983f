package flow

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// What a leaver still owns in a system a certificate finds, and somebody has to take it over there: one task for each system,
// for the successor. It is closed by the certificate that finds nothing of the kind any more.

const ownsTask = "owns."

func ownsIn(list []dayone.Remain) (out []dayone.Remain) {
	for _, m := range list {
		if m.Class == dayone.KeptOwnership {
			out = append(out, m)
		}
	}
	return out
}

func (r *reading) owns() bool { return len(ownsIn(r.out.Findings)) > 0 }

// whole says that the system told everything about what somebody owns.
func (r *reading) whole() bool { return toldAll(r.out) }

func toldAll(s dayone.ReadBack) bool {
	unread := slices.ContainsFunc(s.Findings, func(m dayone.Remain) bool { return m.Class == dayone.Unread })
	return !unread && !slices.Contains(s.Unchecked, string(dayone.KeptOwnership))
}

// handOvers are the tasks that a certificate opens and closes.
func (f *Flow) handOvers(ctx context.Context, c dayone.Certificate, open []dayone.Task) ([]dayone.Task, error) {
	s, err := f.Store.Succession(ctx, c.Person)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return nil, err
	}
	var out []dayone.Task
	for _, sys := range c.Systems {
		once := ownsTask + string(c.Person) + "." + sys.System
		owned := ownsIn(sys.Findings)
		is := slices.IndexFunc(open, func(t dayone.Task) bool { return t.Once == once })
		switch {
		case len(owned) > 0:
			var lines []string
			for _, m := range owned {
				lines = append(lines, m.Name+": "+m.Note+". "+m.Act)
			}
			out = append(out, dayone.Task{
				Person: c.Person, Once: once, System: sys.System, Title: "Hand over what " + c.Name + " owns at " + sys.Title, Note: strings.Join(lines, "\n"),
				Assignee: s.To, Opened: c.Made, Due: f.workdays(c.Made, 2, f.Active().Sites[""]),
			})
		case is >= 0 && toldAll(sys):
			t := open[is]
			t.Closed, t.Left = c.Made, "nothing of theirs is owned there any more"
			out = append(out, t)
		}
	}
	return out, nil
}
