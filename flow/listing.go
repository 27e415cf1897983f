package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// How a list is held against the books: who is new, who changed, who is missing. What then becomes of it is in listsettle.go.

// listing is a list on its way through a read.
type listing struct {
	ListRead
	f          *Flow
	id         string
	src        Source
	last       dayone.SourceRead
	now        time.Time
	today      string
	records    map[string]dayone.Event
	newest     time.Time
	open       int // employments in the books that have not ended
	moved      map[string]int
	ends       int
	veiledEnds int // that only few may know of
	veiledNew  int
	veiledOut  int // not in the list, and in no figure: nobody else knows that they are there
	veiledGone int // of those, who are missing from it
	events     []store.HeldEvent
	absent     []dayone.Absence
	figures    dayone.ListFigures
	judged     people.Judgement // of the last record of somebody unknown
}

func (f *Flow) listingOf(source string) *listing {
	l := &listing{f: f, id: f.IDs.New("lst"), src: f.Sources[source], now: f.Clock.Now(), today: f.today(), records: map[string]dayone.Event{}, moved: map[string]int{}}
	l.Source = source
	return l
}

// readList reads the whole list. It keeps the promise that a mark that was too old made: only then a new one counts.
func (f *Flow) readList(ctx context.Context, source string) (ListRead, error) {
	f.lists.mu.Lock()
	mark := f.lists.marks[source]
	f.lists.mu.Unlock()
	out, err := f.readWhole(ctx, source)
	if mark == "" || err != nil && !errors.Is(err, dayone.ErrUnsupported) {
		return out, err
	}
	if err := f.Store.SetMeta(ctx, changesMark+source, mark); err != nil {
		return out, err
	}
	f.lists.mu.Lock()
	delete(f.lists.marks, source)
	f.lists.mu.Unlock()
	return out, err
}

func (f *Flow) readWhole(ctx context.Context, source string) (ListRead, error) {
	l := f.listingOf(source)
	fault := l.fetch(ctx)
	reads, err := f.Store.SourceReads(ctx) // only now: that took its time, and somebody may have let the list before through
	if err != nil {
		return l.ListRead, errors.Join(fault, err)
	}
	l.last = reads[source]
	if fault != nil {
		if !errors.Is(fault, dayone.ErrUnsupported) && ctx.Err() == nil {
			l.last.Source, l.last.Note = source, "it could not be read, and nothing follows from that: "+fault.Error()
			fault = errors.Join(fault, f.Store.SaveSourceRead(ctx, l.last, false, nil))
		}
		return l.ListRead, fault
	}
	f.heardFrom(source)
	if err := l.compare(ctx); err != nil {
		return l.ListRead, err
	}
	if err := l.settle(ctx); err != nil {
		return l.ListRead, err
	}
	f.look()
	return l.ListRead, nil
}

// fetch reads the whole list, or nothing: what broke off in the middle says of nobody that they are gone.
func (l *listing) fetch(ctx context.Context) error {
	for ev, err := range l.src.Everybody(ctx) {
		switch {
		case errors.Is(err, dayone.ErrInvalid):
			l.Unreadable++
			continue
		case err != nil:
			return fmt.Errorf("reading the list of %s: %w", l.Source, err)
		}
		l.record(ev)
	}
	l.Records = len(l.records)
	return ctx.Err()
}

// record takes one record up; of two of one employment the newer one counts. One of no employment is only counted.
func (l *listing) record(ev dayone.Event) {
	if strings.TrimSpace(ev.Subject) == "" || !keepable(ev.Subject) {
		l.Unreadable++
		return
	}
	if ev.At.After(l.now) || ev.At.IsZero() {
		ev.At = l.now
	}
	if old, twice := l.records[ev.Subject]; twice && old.At.After(ev.At) {
		return
	}
	ev.Source, ev.Received = l.Source, l.now
	l.records[ev.Subject] = ev
	if ev.At.After(l.newest) {
		l.newest = ev.At
	}
}

// compare finds what the list says anew, and whom it lacks.
func (l *listing) compare(ctx context.Context) error {
	known, err := l.f.Store.EmploymentsOf(ctx, l.Source)
	if err != nil {
		return err
	}
	subjects := slices.Sorted(maps.Keys(known))
	var missing []dayone.Absence
	for page := range slices.Chunk(subjects, store.AtOnce) {
		ids := make([]dayone.PersonID, len(page))
		for i, s := range page {
			ids[i] = known[s]
		}
		of, err := l.timelines(ctx, ids)
		if err != nil {
			return err
		}
		for _, s := range page {
			t, ok := of[known[s]]
			if !ok {
				continue // erased, or it does not read: unknown
			}
			a, err := l.one(ctx, t, s)
			if err != nil {
				return err
			}
			if a != nil {
				missing = append(missing, *a)
			}
		}
	}
	g, others := &l.figures, 0
	for _, s := range slices.Sorted(maps.Keys(l.records)) {
		if _, ok := known[s]; !ok {
			others++
			l.unknown(l.records[s])
		}
	}
	g.Before, g.Records, g.New = l.before(), l.Records, l.New
	g.There, g.Known = l.Records-others+l.veiledNew, len(known)+l.veiledNew-l.veiledOut
	g.Unusable, g.Aside = g.Records-g.There-g.New, g.Known-g.There
	g.Unfit = l.Behind > 0 || l.Unreadable > 0 || l.Records == 0
	if g.Unfit {
		return nil // who is missing from such a list may well be there
	}
	g.Missing = len(missing) - l.veiledGone
	g.Aside -= g.Missing
	l.Absent = g.Missing
	for _, a := range missing {
		l.absent = append(l.absent, a)
		if l.src.AbsentLeaves {
			if err := l.leaves(ctx, a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *listing) timelines(ctx context.Context, ids []dayone.PersonID) (map[dayone.PersonID]*dayone.Timeline, error) {
	out := map[dayone.PersonID]*dayone.Timeline{}
	distinct := slices.Compact(slices.Sorted(slices.Values(ids)))
	read, err := l.f.Store.Timelines(ctx, distinct)
	for i := range read {
		if read[i].Err == nil {
			out[distinct[i]] = &read[i].Timeline
		}
	}
	return out, err
}

// one compares one employment that is in the books; it gives one that is missing.
func (l *listing) one(ctx context.Context, t *dayone.Timeline, subject string) (*dayone.Absence, error) {
	set := l.f.Active()
	before := people.At(t, l.now, l.now, set)
	_, open := people.Standing(before, l.Source, subject, l.today)
	lastDay, _ := people.Standing(people.Whole(t, l.now, l.now, set), l.Source, subject, l.today)
	if open {
		l.open++
	}
	rec, there := l.records[subject]
	if !there {
		hidden := btoi(before.Veil == dayone.WholeVeiled)
		l.veiledOut += hidden
		if word := people.LastWord(t, l.Source, subject); !open || lastDay == l.today || word.After(l.newest) {
			return nil, nil // it has ended or ends today, or is newer than the list
		}
		l.veiledGone += hidden
		return &dayone.Absence{Source: l.Source, Subject: subject, Person: t.Person, Since: l.now}, nil
	}
	if people.Behind(t, rec) {
		l.Behind++
		return nil, nil
	}
	rec.Type = dayone.Updated
	switch lost, err := l.lost(ctx, t, subject, lastDay, rec); {
	case err != nil:
		return nil, err
	case lost:
		rec.Type, rec.At = dayone.TerminationCancelled, l.now
	}
	h := people.Heard{Event: rec, Record: new(rec), Since: l.src.Since, Secret: l.src.Confidential}
	j := people.Judge(t, h, set, l.now, "eng_new")
	if j.State != dayone.EventApplied {
		if j.State == dayone.EventQuarantined {
			l.Unreadable++
		}
		return nil, nil
	}
	after := j.Extend(*t)
	if !l.add(h, t, &after, j, true) {
		l.Changed++
	}
	return nil, nil
}

// lostBy begins the id of an event that only says that a list lacks somebody.
const lostBy = "missing from "

// lost says that somebody was terminated since an earlier list lacked her, and that this one has her again.
func (l *listing) lost(ctx context.Context, t *dayone.Timeline, subject, lastDay string, rec dayone.Event) (bool, error) {
	rec.Type = dayone.Terminated
	if lastDay == "" || people.Ends(rec) {
		return false, nil
	}
	in, err := l.f.Store.Event(ctx, people.EndedBy(t, l.Source, subject))
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	return strings.HasPrefix(in.SourceID, lostBy), err
}

// unknown is a record of somebody whose hire was never heard. Who was there before the first list is only known.
func (l *listing) unknown(rec dayone.Event) {
	first := l.src.Since
	if first.IsZero() {
		first = l.last.First
	}
	start, _, _ := strings.Cut(rec.Fields["start_date"].Text, "T")
	rec.Type = dayone.Imported
	if !first.IsZero() && start >= first.Format(time.DateOnly) {
		rec.Type = dayone.Hired
	}
	t := dayone.Timeline{Person: "per_new"}
	h := people.Heard{Event: rec, Record: new(rec), Since: l.src.Since, Secret: l.src.Confidential}
	j := people.Judge(&t, h, l.f.Active(), l.now, "eng_new")
	l.judged = j
	if j.State != dayone.EventApplied {
		l.Unreadable++
		return
	}
	after := j.Extend(t)
	if l.add(h, nil, &after, j, false) {
		l.veiledNew++
	} else {
		l.New++
	}
}

// leaves is somebody whom the list lacks, where that is how a source says that they leave: the day it is seen is the last.
func (l *listing) leaves(ctx context.Context, a dayone.Absence) error {
	rec := dayone.Event{Source: l.Source, SourceID: lostBy + l.id + ": " + a.Subject, Type: dayone.Terminated, Subject: a.Subject, At: l.now, Received: l.now, Fields: map[string]dayone.Value{"end_date": dayone.Text(l.today)}}
	veiled, err := l.f.discreet(ctx, rec)
	if err != nil {
		return err
	}
	held := dayone.Held{Person: a.Person, Subject: a.Subject, What: "termination: missing from the list", Lines: []dayone.HeldLine{{What: "last day", Is: l.today}}}
	if !veiled {
		l.Changed++
	}
	l.ending(veiled)
	rec.Veiled = veiled
	l.keep(rec, held)
	return nil
}

// ending counts an employment that comes to its end. What is confidential is in no number that everybody sees.
func (l *listing) ending(veiled bool) {
	if veiled {
		l.veiledEnds++
		return
	}
	l.ends++
	l.Ending++
}

// add keeps a difference, and counts what brakes count. It says whether only few may know of it.
func (l *listing) add(h people.Heard, was, is *dayone.Timeline, j people.Judgement, known bool) bool {
	set := l.f.Active()
	var before, p dayone.Person
	veiled := j.Veiled
	if known {
		before, p = people.At(was, l.now, l.now, set), people.At(is, l.now, l.now, set)
		before, p, veiled = l.f.braked(was, is, l.now, before, p, j)
	} else if p = people.At(is, l.now, l.now, set); veiled {
		p = people.Whole(is, l.now, l.now, set)
	}
	if known && before.Managed {
		if ends(before, p) {
			l.ending(veiled)
		}
		for _, a := range shifts(before, p) {
			if !veiled {
				l.moved[a]++
			}
		}
	}
	h.Veiled = veiled
	l.keep(h.Event, heldOfEvent(h, before, p, j, known))
	return veiled
}
