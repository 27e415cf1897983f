package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
)

// Runs at rest. Most runs wait most of the time: for a worker, an instant, or a human. The loop keeps a few laid out in
// memory, those that moved last; of the others it has who they are of and what is to happen to them, which is their place
// in queues and their alarms. The rest lies in the database, and is read again when something happens to them.
//
// What must hold: a run is put away only when the database has all of it and nothing of it is under way, so that what is
// read again is what was put away.

// atHand is how many runs are kept in memory if the driver is not told.
const atHand = 512

// page is how many runs are read, resumed and stored together after a restart.
const page = 128

// lay brings a run that was put away back into memory. If that fails the driver ends, as it does when it cannot write.
func (l *loop) lay(lv *live) error {
	if lv.place != nil {
		l.laid.MoveToFront(lv.place)
		return nil
	}
	r, err := l.Store.Run(l.ctx, lv.run.ID)
	if err != nil {
		if l.unread == nil {
			l.unread = unread("run "+string(lv.run.ID), err)
		}
		return l.unread
	}
	l.spread(lv, r)
	return nil
}

func (l *loop) spread(lv *live, r dayone.Run) {
	lv.run, lv.index, lv.place = r, indexOf(&r), l.laid.PushFront(lv)
}

// tidy puts away what has not moved for longest, as far as there are too many.
func (l *loop) tidy() {
	most := cmp.Or(l.AtHand, atHand)
	for n := l.laid.Len() - max(most, 0); n > 0; n-- {
		at := l.laid.Back()
		if lv := at.Value.(*live); !l.putAway(lv) {
			l.laid.MoveToFront(at)
		}
	}
}

// putAway leaves of a run what is known of it without reading it again.
func (l *loop) putAway(lv *live) bool {
	calls := func(s dayone.StepRun) bool { return s.State == dayone.StepRunning }
	if lv.dirty || lv.aloft || lv.run.State.Over() || slices.ContainsFunc(lv.run.Steps, calls) {
		return false
	}
	l.laid.Remove(lv.place)
	lv.run = dayone.Run{ID: lv.run.ID, Person: lv.run.Person, State: lv.run.State}
	lv.index, lv.place, lv.steps = nil, nil, nil
	return true
}

// recover takes up every run that a process before this one left. They are read, resumed and stored a page at a time, one
// page being read while the one before is resumed and the one before that is stored; nothing is called before all are.
func (l *loop) recover() error {
	if err := l.stand(); err != nil {
		return err
	}
	heads, err := l.Store.Unfinished(l.ctx)
	if err != nil {
		return fmt.Errorf("resuming runs: %w", err)
	}
	ids := make([]dayone.RunID, len(heads))
	for i := range heads {
		if ids[i] = heads[i].ID; heads[i].Machine > Version {
			return fmt.Errorf("run %s was begun by version %d of the run machine, and this is version %d; start the newer program again: %w",
				heads[i].ID, heads[i].Machine, Version, dayone.ErrUnsupported)
		}
	}
	ctx, stop := context.WithCancel(l.ctx)
	defer stop()
	for next := range l.pages(ctx, ids) {
		if next.err != nil {
			return fmt.Errorf("resuming runs: %w", next.err)
		}
		for i := range next.runs {
			_ = l.feed(l.adopt(next.runs[i]), Event{What: Resume})
		}
		if err := l.turnPage(); err != nil {
			return err
		}
	}
	if err := l.ctx.Err(); err != nil {
		return err // not all pages have come
	}
	l.gates()
	l.dispatchAll()
	if l.unread != nil {
		return l.unread
	}
	return l.turnPage()
}

// turnPage stores what has gathered as soon as what was stored before is durable.
func (l *loop) turnPage() error {
	if l.flying != nil {
		if err := l.arrive(<-l.landed); err != nil {
			return err
		}
	}
	l.tidy()
	return l.depart()
}

type pageOf struct {
	runs []dayone.Run
	err  error
}

// pages reads runs ahead.
func (l *loop) pages(ctx context.Context, ids []dayone.RunID) <-chan pageOf {
	out := make(chan pageOf)
	go func() {
		defer close(out)
		for some := range slices.Chunk(ids, page) {
			runs, err := l.Store.RunsOf(ctx, some)
			select {
			case out <- pageOf{runs, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}
