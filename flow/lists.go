package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
)

// A source's whole list is read again every night, since a webhook may have been lost: what differs becomes events of that
// source, and goes the way of all events. A list proves less than an event. Whoever is missing from it has not left for
// that, one that cannot be read says nothing at all, and one that is empty, much shorter, or would change too much is held
// whole.

// lists is what flow remembers of reads; a restart loses nothing with it.
type lists struct {
	mu    sync.Mutex
	busy  map[string]bool
	next  map[string]time.Time // when a source's list is read
	began time.Time            // where nothing is in the books, a day begins here

	anew    map[string]bool      // whose list has to be read, from its beginning, whatever is under way
	marks   map[string]string    // from which a source is asked for changes once its whole list was read
	asking  map[string]bool      // for changes
	changes map[string]time.Time // when a source is asked for them
}

// failedAgain is when a list that could not be read is read again.
const failedAgain = 15 * time.Minute

// ListRead is what became of a read.
type ListRead struct {
	Source     string         `json:"source"`
	Records    int            `json:"records"`
	New        int            `json:"new"`
	Changed    int            `json:"changed"`
	Ending     int            `json:"ending"`     // of those, employments that come to their end
	Absent     int            `json:"absent"`     // in the books, and not in the list
	Behind     int            `json:"behind"`     // older than what is known
	Unreadable int            `json:"unreadable"` // records that cannot be used
	Brake      dayone.BrakeID `json:"brake,omitempty"`
	Note       string         `json:"note"`
}

// readLists begins to read lists that are due, beside everything else, and says when the next one is.
func (f *Flow) readLists(ctx context.Context) (time.Time, error) {
	now, l := f.Clock.Now(), &f.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next, l.busy, l.began = map[string]time.Time{}, map[string]bool{}, now
	}
	var reads map[string]dayone.SourceRead
	var first time.Time
	for name, s := range f.Sources {
		if s.ReadAt == "" || l.busy[name] {
			continue
		}
		if l.next[name].IsZero() {
			if reads == nil {
				var err error
				if reads, err = f.Store.SourceReads(ctx); err != nil {
					return first, err
				}
			}
			last := l.began
			if r, ok := reads[name]; ok {
				last = r.At
			}
			l.next[name] = f.nightAfter(last, s.ReadAt)
		}
		if l.next[name].After(now) && !l.anew[name] {
			first = soon(first, l.next[name])
			continue
		}
		l.busy[name] = true
		delete(l.anew, name)
		f.intake.Go(func() {
			next := time.Time{} // as the books say
			_, err := f.readList(ctx, name)
			if err != nil && !errors.Is(err, dayone.ErrUnsupported) && ctx.Err() == nil {
				f.Log.Warn("the list of a source could not be read; nothing follows from that", "source", name, "error", err)
				next = f.Clock.Now().Add(failedAgain)
			}
			l.mu.Lock()
			delete(l.busy, name)
			if l.next[name] = next; errors.Is(err, dayone.ErrUnsupported) {
				l.next[name] = f.Clock.Now().Add(24 * time.Hour)
			}
			l.mu.Unlock()
			f.look()
		})
	}
	return first, nil
}

// nightAfter is the first time of day after an instant, in the company's zone.
func (f *Flow) nightAfter(last time.Time, at string) time.Time {
	zone, _ := f.Active().Sites[""].Location()
	return timeOfDayAfter(last, at, zone)
}

// timeOfDayAfter is the first time of day after an instant, in a zone.
func timeOfDayAfter(last time.Time, at string, zone *time.Location) time.Time {
	clock, err := time.Parse("15:04", at)
	if err != nil {
		clock = time.Date(0, 1, 1, 2, 0, 0, 0, time.UTC) // the configuration was checked
	}
	day := last.In(zone)
	t := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	if !t.After(last) {
		t = time.Date(day.Year(), day.Month(), day.Day()+1, clock.Hour(), clock.Minute(), 0, 0, zone)
	}
	return t
}

// ReadSource reads a source's whole list now. ErrUnsupported: it has none. ErrConflict: that is under way.
func (f *Flow) ReadSource(ctx context.Context, source, by string) (ListRead, error) {
	if _, ok := f.Sources[source]; !ok {
		return ListRead{}, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	l := &f.lists
	l.mu.Lock()
	if l.next == nil {
		l.next, l.busy, l.began = map[string]time.Time{}, map[string]bool{}, f.Clock.Now()
	}
	busy := l.busy[source]
	l.busy[source] = true
	l.mu.Unlock()
	if busy {
		return ListRead{}, fmt.Errorf("the list of %s is being read already: %w", source, dayone.ErrConflict)
	}
	defer func() {
		l.mu.Lock()
		delete(l.busy, source)
		delete(l.next, source)
		l.mu.Unlock()
		f.look()
	}()
	out, err := f.readList(ctx, source)
	if err != nil {
		return out, err
	}
	return out, f.Store.Record(ctx, dayone.Record{At: f.Clock.Now(), What: "list read", System: source, By: by, Detail: &dayone.Detail{Note: out.Note}})
}

// SourceState is a source as people see it.
type SourceState struct {
	dayone.SourceRead
	Reads  string // when its list is read by itself; "": never
	Off    string // why it has no brakes
	Limit  int    // terminations a day
	Passed int    // today
}

// SourceStates are all sources.
func (f *Flow) SourceStates(ctx context.Context) ([]SourceState, error) {
	if !scopeOf(ctx).AllPeople() { // what a source brings is of the whole company
		return nil, nil
	}
	reads, err := f.Store.SourceReads(ctx)
	if err != nil {
		return nil, err
	}
	var out []SourceState
	for _, name := range slices.Sorted(maps.Keys(f.Sources)) {
		s := SourceState{SourceRead: reads[name], Reads: f.Sources[name].ReadAt, Off: f.Sources[name].Brakes.Off}
		s.Source = name
		n, err := f.managedOf(ctx, name)
		if err != nil {
			return nil, err
		}
		s.Limit = f.Sources[name].Brakes.terminations(n)
		if s.Passed, err = f.Store.PassedToday(ctx, "source:"+name, f.today(), dayone.BrakeTerminations); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// AbsentView is an employment that a list lacks, with a name.
type AbsentView struct {
	dayone.Absence
	Name string
}

// Absent lists whom the last lists lack.
func (f *Flow) Absent(ctx context.Context, limit int) ([]AbsentView, error) {
	list, err := f.Store.Absent(ctx, limit)
	var out []AbsentView
	for _, a := range list {
		if f.inSight(ctx, a.Person) != nil {
			continue
		}
		if _, known := f.Person(ctx, a.Person); errors.Is(known, dayone.ErrNotFound) && a.Person != "" {
			continue // of whom nobody may know
		}
		out = append(out, AbsentView{a, cmp.Or(f.nameOf(ctx, a.Person), a.Subject)})
	}
	return out, err
}
