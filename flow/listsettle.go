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

// What becomes of a list that was compared: it is taken in, or held whole with the reasons why.

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
		out = append(out, fmt.Sprintf("it ends %s, and %d a day are the limit", counted(l.ends, "1 employment", "%d employments"), limit))
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
			out = append(out, fmt.Sprintf("it changes the %v of %s, and %d a day are the limit", saidAs(a), counted(l.moved[a], "1 person", "%d people"), limit))
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
		apart = fmt.Sprintf("it ends %s, and %d a day are the limit", counted(l.veiledEnds, "1 employment", "%d employments"), limit)
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
