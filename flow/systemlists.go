package flow

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// Every night the accounts of each system are counted. A system that suddenly shows far fewer of them is more often one that
// answers wrongly, to another tenant, to a token that sees less, than one that has lost them: a brake is on then, and until
// somebody says that it is so, a leaver's certificate does not call closed what the system does not show. Steps go on as they
// do: what a system says is not there, when it is asked for that alone, is not there for them. A list that broke off counts
// for nothing.

// counting is what flow remembers of counts; a restart loses nothing with it.
type counting struct {
	mu    sync.Mutex
	busy  bool
	next  time.Time
	began time.Time // where nothing is in the books, a day begins here
}

// countSystems begins to count when it is time, beside everything else, and says when that is.
func (f *Flow) countSystems(ctx context.Context) (time.Time, error) {
	now, c := f.Clock.Now(), &f.counting
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Removals.ListsAt == "" || c.busy {
		return time.Time{}, nil
	}
	if c.began.IsZero() {
		c.began = now
	}
	if c.next.IsZero() {
		lists, err := f.Store.SystemLists(ctx)
		if err != nil {
			return time.Time{}, err
		}
		var last time.Time
		for _, s := range lists {
			if s.At.After(last) {
				last = s.At
			}
		}
		if last.IsZero() {
			last = c.began
		}
		c.next = f.nightAfter(last, f.Removals.ListsAt)
	}
	if c.next.After(now) {
		return c.next, nil
	}
	c.busy = true
	f.intake.Go(func() {
		for _, name := range f.systemNames() {
			if _, err := f.CountSystem(ctx, name); err != nil && ctx.Err() == nil {
				f.Log.Warn("the accounts of a system could not be counted; nothing follows from that", "system", name, "error", err)
			}
		}
		c.mu.Lock()
		c.busy, c.next = false, f.nightAfter(now, f.Removals.ListsAt)
		c.mu.Unlock()
		f.look()
	})
	return time.Time{}, nil
}

// CountSystem counts the accounts that a system lists now. What cannot be read changes nothing.
func (f *Flow) CountSystem(ctx context.Context, name string) (dayone.SystemList, error) {
	g := f.Systems[name]
	lists, err := f.Store.SystemLists(ctx)
	if err != nil {
		return dayone.SystemList{}, err
	}
	s := lists[name]
	if !readable(g) || g.Manifest.Account == nil {
		return s, nil
	}
	s.System, s.Seen = name, 0
	for seen, err := range g.List(ctx) {
		if err != nil {
			return lists[name], fmt.Errorf("listing the accounts of %s: %w", name, err)
		}
		if seen.Account() != nil {
			s.Seen++
		}
	}
	s.At = f.Clock.Now()
	if why := f.shrank(s); why != "" {
		s.Note = why
		b := dayone.Brake{ID: dayone.BrakeID(f.IDs.New("brk")), Scope: "system:" + name, Rule: dayone.BrakeList, State: dayone.BrakeOn, Note: why, Opened: s.At}
		return s, f.woken(f.Store.SaveSystemList(ctx, s, &b))
	}
	s.Accounts, s.Counted, s.Note = s.Seen, s.At, ""
	return s, f.Store.SaveSystemList(ctx, s, nil)
}

// shrank says why a list is not believed; "": it is. A handful of accounts may go in a night.
func (f *Flow) shrank(s dayone.SystemList) string {
	b := f.Removals
	few := cmp.Or(b.People, BrakePeople)
	gone := s.Accounts - s.Seen
	if b.Off != "" || s.Counted.IsZero() || gone <= 0 || s.Seen > 0 && gone <= few || float64(gone)*100 <= float64(s.Accounts)*cmp.Or(b.Smaller, BrakeSmaller) {
		return ""
	}
	return fmt.Sprintf("the list of accounts has %d, and had %d", s.Seen, s.Accounts)
}

// doubted are the systems whose list shrank and of which nobody has said that it is so, with the reason.
func (f *Flow) doubted(ctx context.Context) (map[string]string, error) {
	lists, err := f.Store.SystemLists(ctx)
	out := map[string]string{}
	for name, s := range lists {
		if s.Note != "" {
			out[name] = s.Note
		}
	}
	return out, err
}

// doubt makes what a system did not show unknown: a leaver's certificate must not call closed what may only be out of sight.
func doubt(systems []dayone.ReadBack, doubted map[string]string) {
	for i := range systems {
		s := &systems[i]
		why, is := doubted[s.System]
		if !is {
			continue
		}
		s.Findings = append(s.Findings, dayone.Remain{Class: dayone.Unread, Name: s.Title, Note: why + ", so what it does not show may be there all the same", Act: "somebody decides about the brake on that list"})
		s.Verdict = dayone.Unreadable
	}
}
