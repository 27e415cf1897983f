package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// Every night the accounts of each system are counted. A system that suddenly shows far fewer of them is more often one that
// answers wrongly, to another tenant, to a token that sees less, than one that has lost them: a brake is on then, and until
// somebody says that it is so, a leaver's certificate does not call closed what the system does not show. Steps go on as they
// do: what a system says is not there, when it is asked for that alone, is not there for them. A list that broke off counts
// for nothing, and a system that is held is not asked. The same reading says what differs from the books (drift.go): a system is
// not read twice for it.

// counting is what flow remembers of counts; a restart loses nothing with it.
type counting struct {
	mu    sync.Mutex
	busy  bool
	next  time.Time
	began time.Time // where nothing is in the books, a day begins here

	asked []string             // to be read now: somebody asked for it
	under map[string]time.Time // under way, since when
}

// countSystems begins to count when it is time, beside everything else, and says when that is.
func (f *Flow) countSystems(ctx context.Context) (time.Time, error) {
	now, c := f.Clock.Now(), &f.counting
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.busy:
		return time.Time{}, nil
	case len(c.asked) > 0:
		f.countThese(ctx, c.asked, c.next)
		c.asked = nil
		return time.Time{}, nil
	case f.Removals.ListsAt == "":
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
	f.countThese(ctx, f.systemNames(), f.nightAfter(now, f.Removals.ListsAt))
	return time.Time{}, nil
}

// countThese counts some systems beside everything else, one after the other; then is when all are next. It is called with the
// lock held.
func (f *Flow) countThese(ctx context.Context, names []string, then time.Time) {
	c := &f.counting
	c.busy, c.under = true, map[string]time.Time{}
	f.intake.Go(func() {
		for _, name := range names {
			c.mu.Lock()
			c.under[name] = f.Clock.Now()
			c.mu.Unlock()
			if _, err := f.CountSystem(ctx, name); err != nil && ctx.Err() == nil {
				f.Log.Warn("the accounts of a system could not be counted; nothing follows from that", "system", name, "error", err)
			}
			c.mu.Lock()
			delete(c.under, name)
			c.mu.Unlock()
		}
		c.mu.Lock()
		c.busy, c.next = false, then
		c.mu.Unlock()
		f.look()
	})
}

// notRead keeps why a system was not read. It is an error: nothing is known of what it has now.
func (f *Flow) notRead(ctx context.Context, name string, stance engine.Stance) error {
	err := fmt.Errorf("%s: %s: %w", name, notCalled(stance), dayone.ErrConflict)
	if _, off := (*f.retires())[name]; off {
		return err
	}
	return errors.Join(err, f.Store.FailDrift(ctx, name, f.Clock.Now(), notCalled(stance)))
}

// CountSystem counts the accounts that a system lists now. What cannot be read changes nothing, and the books may not be
// comparable: whether a list shrank is known all the same.
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
	switch stance, err := f.stanceOf(ctx, name); {
	case err != nil:
		return s, err
	case stance != engine.Free:
		return s, f.notRead(ctx, name, stance)
	}
	s.System, s.Seen = name, 0
	with, err := f.compares(ctx, name)
	with.fails(ctx, err)
	for seen, err := range g.List(ctx) {
		if err != nil {
			err = fmt.Errorf("listing the accounts of %s: %w", name, err)
			return lists[name], errors.Join(err, with.broke(ctx, err))
		}
		if seen.Account() != nil {
			s.Seen++
		}
		with.fails(ctx, with.take(ctx, seen))
	}
	s.At = f.Clock.Now()
	why := f.shrank(s)
	with.fails(ctx, with.end(ctx, why))
	if why != "" {
		s.Note = why
		b := dayone.Brake{ID: dayone.BrakeID(f.IDs.New("brk")), Scope: "system:" + name, Rule: dayone.BrakeList, State: dayone.BrakeOn, Note: why, Opened: s.At}
		return s, f.woken(f.Store.SaveSystemList(ctx, s, &b))
	}
	s.Accounts, s.Counted, s.Note = s.Seen, s.At, ""
	if err := f.Store.SaveSystemList(ctx, s, nil); err != nil {
		return s, err
	}
	if err := with.settle(ctx); err != nil && ctx.Err() == nil {
		f.Log.Warn("what differs and needs no decision waits for the next reading", "system", name, "error", err)
	}
	return s, nil
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
