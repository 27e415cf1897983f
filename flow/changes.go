package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/store"
)

// A source that posts nothing may still tell what changed since it was asked last. It is asked every few minutes; what differs
// from the books becomes events, as what a list says does, and each of them meets the brakes of the source. The whole list is
// read every night all the same, for only that shows who is missing.

// changesEvery is how often a source is asked.
const changesEvery = 5 * time.Minute

// changesNever is when a source that cannot tell is asked again: somebody may have set it up by then.
const changesNever = 24 * time.Hour

// readChanges asks sources whose turn it is, beside everything else, and says when the next one's is.
func (f *Flow) readChanges(ctx context.Context) (first time.Time, err error) {
	now, l := f.Clock.Now(), &f.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking == nil {
		l.asking, l.changes, l.anew = map[string]bool{}, map[string]time.Time{}, map[string]bool{}
		l.marks = map[string]string{}
	}
	for name, s := range f.Sources {
		src, tells := s.Source.(connector.Changing)
		switch at := l.changes[name]; {
		case !tells, s.ReadAt == "", l.asking[name], l.marks[name] != "": // the whole list comes first
			continue
		case at.After(now):
			first = soon(first, at)
			continue
		}
		l.asking[name] = true
		f.intake.Go(func() {
			pause := changesEvery
			switch err := f.askChanges(ctx, name, src); {
			case err == nil || ctx.Err() != nil:
			case errors.Is(err, dayone.ErrUnsupported):
				f.Log.Info("a source cannot tell what changed; its list is read at night", "source", name, "error", err)
				pause = changesNever
			default:
				f.Log.Warn("a source does not tell what changed; its list is read at night all the same", "source", name, "error", err)
				pause = failedAgain
			}
			l.mu.Lock()
			delete(l.asking, name)
			l.changes[name] = f.Clock.Now().Add(pause)
			l.mu.Unlock()
			f.look()
		})
	}
	return first, nil
}

// changesMark is where it is kept how far a source was asked. It is moved on once what it told is in the books: after a crash
// the same is told again, and differs from nothing. One that is too old stays until the whole list was read, so that a crash
// before that does not lose what was between.
const changesMark = "changes of "

func (f *Flow) askChanges(ctx context.Context, source string, src connector.Changing) error {
	mark, err := f.Store.Meta(ctx, changesMark+source)
	if err != nil {
		return err
	}
	records, next, err := src.Changes(ctx, mark)
	if errors.Is(err, dayone.ErrNotFound) && mark != "" { // too long ago: all of the list for what was between, and then from a new mark on
		if _, next, err = src.Changes(ctx, ""); err == nil {
			f.heardFrom(source)
			f.lists.mu.Lock()
			f.lists.anew[source], f.lists.marks[source] = true, next
			f.lists.mu.Unlock()
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("asking %s what changed: %w", source, err)
	}
	f.heardFrom(source)
	if err := f.takeChanges(ctx, source, records); err != nil {
		return err
	}
	return f.Store.SetMeta(ctx, changesMark+source, next)
}

// takeChanges makes events of the records that differ from the books.
func (f *Flow) takeChanges(ctx context.Context, source string, records []dayone.Event) error {
	if len(records) == 0 {
		return nil
	}
	l := f.listingOf(source)
	reads, err := f.Store.SourceReads(ctx)
	if err != nil {
		return err
	}
	l.last = reads[source]
	for _, rec := range records {
		l.record(rec)
	}
	for page := range slices.Chunk(slices.Sorted(maps.Keys(l.records)), store.AtOnce) {
		if err := l.some(ctx, page); err != nil {
			return err
		}
	}
	if err := l.accept(ctx, l.events); err != nil {
		return err
	}
	f.look()
	return nil
}

// some compares some records.
func (l *listing) some(ctx context.Context, subjects []string) error {
	known, ids := map[string]dayone.PersonID{}, []dayone.PersonID{}
	for _, s := range subjects {
		id, is, err := l.f.Store.PersonOf(ctx, l.Source, s)
		if err != nil {
			return err
		}
		if !is {
			l.unknown(l.records[s])
			continue
		}
		known[s] = id
		ids = append(ids, id)
	}
	of, err := l.timelines(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range slices.Sorted(maps.Keys(known)) {
		if t, reads := of[known[s]]; reads {
			if _, err := l.one(ctx, t, s); err != nil {
				return err
			}
		}
	}
	return nil
}
