package flow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
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
		case strings.TrimSpace(ev.Subject) == "":
			l.Unreadable++
			continue
		}
		l.record(ev)
	}
	l.Records = len(l.records)
	return ctx.Err()
}

// record takes one record up; of two of one employment the newer one counts.
func (l *listing) record(ev dayone.Event) {
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

// listMark begins the body of an event that a list brought; no source's own body begins like it.
var listMark = []byte("dayone list\n")

// listed is such an event as it lies in the books.
type listed struct {
	List    string                  `json:"list"`
	Type    dayone.EventType        `json:"type"`
	Subject string                  `json:"subject"`
	At      time.Time               `json:"at"`
	Said    time.Time               `json:"said"` // the record's own time
	Fields  map[string]dayone.Value `json:"fields"`
}

func (l *listing) keep(ev dayone.Event, held dayone.Held) {
	rec := listed{l.id, ev.Type, ev.Subject, ev.At, ev.At, ev.Fields}
	if own, ok := l.records[ev.Subject]; ok {
		rec.Said = own.At
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		panic("flow: a record that cannot be marshalled: " + err.Error())
	}
	ev.ID, ev.Fields, ev.Full = dayone.EventID(l.f.IDs.New("evt")), nil, false
	held.Item = string(ev.ID)
	l.events = append(l.events, store.HeldEvent{Event: ev, Body: append(slices.Clone(listMark), raw...), Held: held})
}

// ofList is what an event of a list says: just what was read then, so that what is let through is what was reviewed.
func ofList(ev dayone.Event, body []byte, src Source) (people.Heard, bool, error) {
	raw, ok := bytes.CutPrefix(body, listMark)
	if !ok {
		return people.Heard{}, false, nil
	}
	h := people.Heard{Event: ev, Since: src.Since, Secret: src.Confidential}
	var l listed
	if err := json.Unmarshal(raw, &l); err != nil {
		return h, true, fmt.Errorf("a record of a list does not read: %v: %w", err, dayone.ErrInvalid)
	}
	h.Type, h.At, h.Fields = l.Type, l.At, l.Fields
	if l.Type != dayone.Terminated {
		h.Full = true
		rec := h.Event
		rec.Type, rec.At = dayone.Updated, l.Said
		h.Record = &rec
	}
	return h, true, nil
}

// before is how long the list was before.
func (l *listing) before() int { return cmp.Or(l.last.Records, l.open-l.veiledGone) }

// reasons are why the list is held whole.
func (l *listing) reasons(ctx context.Context) ([]string, error) {
	b := l.src.Brakes
	if b.Off != "" {
		return nil, nil
	}
	var out []string
	before := l.before()
	switch least := float64(before) * (100 - cmp.Or(b.Smaller, BrakeSmaller)) / 100; {
	case l.Records == 0:
		out = append(out, "the list is empty")
	case float64(l.Records) < least && before-l.Records > 1:
		out = append(out, fmt.Sprintf("the list has %s, and had %d", recordsOf(l.Records), before))
	}
	room, limit, err := l.f.room(ctx, l.Source, false)
	if err != nil {
		return nil, err
	}
	if l.ends > room {
		out = append(out, fmt.Sprintf("it ends %s, and %d a day are the limit", counted(l.ends, "employment", "employments"), limit))
	}
	n, err := l.f.managedOf(ctx, l.Source)
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Sorted(maps.Keys(l.moved)) {
		passed, err := l.f.Store.PassedToday(ctx, "source:"+l.Source, l.today, dayone.BrakeShift+a)
		if err != nil {
			return nil, err
		}
		if limit := b.shift(n); l.moved[a]+passed > limit {
			out = append(out, fmt.Sprintf("it changes the %s of %s, and %d a day are the limit", wordOf(a), counted(l.moved[a], "person", "people"), limit))
		}
	}
	return out, nil
}

func recordsOf(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

// acceptAtOnce is how many events are on their way into the books together.
const acceptAtOnce = 64

// settle keeps what follows from the list: events, or a brake.
func (l *listing) settle(ctx context.Context) error {
	why, err := l.reasons(ctx)
	if err != nil {
		return err
	}
	l.last.Source, l.last.At, l.last.Seen = l.Source, l.now, l.Records
	l.Note = fmt.Sprintf("%s read: %d new, %d changed, %d missing", recordsOf(l.Records), l.New, l.Changed, l.Absent)
	if l.Behind > 0 {
		l.Note += "; " + fmt.Sprintf("%d older than what is known, so nobody counts as missing", l.Behind)
	}
	if l.Unreadable > 0 {
		l.Note += "; " + fmt.Sprintf("%d cannot be used, so nobody counts as missing", l.Unreadable)
	}
	open := slices.DeleteFunc(slices.Clone(l.events), func(e store.HeldEvent) bool { return e.Event.Veiled })
	veiled := slices.DeleteFunc(slices.Clone(l.events), func(e store.HeldEvent) bool { return !e.Event.Veiled })
	if len(why) > 0 {
		b := dayone.Brake{ID: dayone.BrakeID(l.f.IDs.New("brk")), Scope: "source:" + l.Source, Rule: dayone.BrakeRead, Note: strings.Join(why, "; "), Opened: l.now, List: &l.figures}
		if err := l.settleVeiled(ctx, b.Note, veiled); err != nil { // first: what it was read for is not read again once that is kept
			return err
		}
		l.Brake, l.last.Brake = b.ID, b.ID
		l.Note += "; held: " + b.Note
		l.last.Note = l.Note
		return l.f.Store.HoldList(ctx, b, open, l.last, l.absent)
	}
	if err := l.f.Store.ReplaceBrakes(ctx, "source:"+l.Source, dayone.BrakeRead, l.now); err != nil {
		return err
	}
	if err := l.accept(ctx, open); err != nil {
		return err
	}
	apart := ""
	if room, limit, err := l.f.room(ctx, l.Source, true); err != nil {
		return err
	} else if l.veiledEnds > room && l.src.Brakes.Off == "" {
		apart = fmt.Sprintf("it ends %s, and %d a day are the limit", counted(l.veiledEnds, "employment", "employments"), limit)
	}
	if err := l.settleVeiled(ctx, apart, veiled); err != nil {
		return err
	}
	l.last.Brake, l.last.Note, l.last.Counted = "", l.Note, l.now
	if l.last.First.IsZero() {
		l.last.First = l.now
	}
	l.last.Records = l.Records
	counts := l.Behind == 0 && l.Unreadable == 0 // else who was missing is still not known to be there
	return l.f.Store.SaveSourceRead(ctx, l.last, counts, l.absent)
}

// settleVeiled keeps what of the list only few may know: events, or if there is a reason a brake of its own.
func (l *listing) settleVeiled(ctx context.Context, why string, events []store.HeldEvent) error {
	b := dayone.Brake{Scope: "source:" + l.Source, Rule: dayone.BrakeRead + dayone.BrakeVeiled, Note: why, Opened: l.now}
	if why == "" || len(events) == 0 {
		if err := l.f.Store.ReplaceBrakes(ctx, b.Scope, b.Rule, l.now); err != nil {
			return err
		}
		return l.accept(ctx, events)
	}
	b.ID = dayone.BrakeID(l.f.IDs.New("brk"))
	_, err := l.f.Store.HoldAll(ctx, b, events)
	return err
}

func (l *listing) accept(ctx context.Context, events []store.HeldEvent) error {
	work := make(chan store.HeldEvent, len(events))
	for _, e := range events {
		work <- e
	}
	close(work)
	faults := make([]error, min(acceptAtOnce, len(events)))
	var wg sync.WaitGroup
	for i := range faults {
		wg.Go(func() {
			for e := range work {
				if _, _, faults[i] = l.f.Store.Accept(ctx, e.Event, e.Body); faults[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(faults...)
}

// firstList keeps how long a list was at a start, unless a longer one is known: lists are measured by that. An empty one
// says nothing.
func (f *Flow) firstList(ctx context.Context, source string, records int) error {
	reads, err := f.Store.SourceReads(ctx)
	if err != nil || records == 0 {
		return err
	}
	if r, ok := reads[source]; ok && r.Records > 0 {
		return nil
	}
	now := f.Clock.Now()
	return f.Store.SaveSourceRead(ctx, dayone.SourceRead{
		Source: source, First: now, At: now, Counted: now, Records: records, Seen: records, Note: fmt.Sprintf("%s read at the start", recordsOf(records)),
	}, false, nil)
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
