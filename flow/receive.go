package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// Receipt is what a source is told.
type Receipt struct {
	ID    dayone.EventID    `json:"id"`
	State dayone.EventState `json:"state"`
	Note  string            `json:"note,omitempty"`
	Again bool              `json:"again,omitempty"` // said before: nothing changes
}

// maxKept is how many bytes one request may make us keep.
const maxKept = 8 << 20

// Receive takes a webhook: signature first, then the body is stored, then it may be answered. What cannot be read is
// quarantined, not refused: nothing is lost. ErrAuth: not signed by the source. ErrInvalid: no JSON. ErrUnavailable: it
// could not be kept.
func (f *Flow) Receive(ctx context.Context, source string, header http.Header, body []byte) ([]Receipt, error) {
	src, ok := f.Sources[source]
	if !ok {
		return nil, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("the body has more than %d bytes: %w", MaxBody, dayone.ErrInvalid)
	}
	now := f.Clock.Now()
	if err := src.Verify(header, body, now); err != nil {
		return nil, err
	}
	f.heardFrom(source)
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return nil, err
	}
	if len(events) > 1 && len(events)*len(body) > maxKept { // every event keeps the body that it came in
		return nil, fmt.Errorf("the body holds %d events; send at most %d of this size at once: %w", len(events), max(1, maxKept/len(body)), dayone.ErrInvalid)
	}
	unkept := func(err error) error { // whatever kind it is of: the fault is ours, and the source has to say it again
		return fmt.Errorf("keeping what %s said: %v: %w", source, err, dayone.ErrUnavailable)
	}
	bad := err
	for i := range events {
		ev := &events[i]
		if !keepable(ev.Subject) {
			ev.Subject = ""
		}
		if !keepable(ev.SourceID) {
			ev.SourceID = ""
		}
		ev.ID, ev.Source, ev.Received = dayone.EventID(f.IDs.New("evt")), source, now
		if ev.Veiled, err = f.discreet(ctx, *ev); err != nil {
			return nil, unkept(err)
		}
	}
	defer f.look()
	out := make([]Receipt, 0, len(events))
	for _, veiled := range []bool{false, true} {
		some := slices.DeleteFunc(slices.Clone(events), func(ev dayone.Event) bool { return ev.Veiled != veiled })
		why, err := f.bodyBrake(ctx, source, some, veiled)
		if err != nil {
			return nil, unkept(err)
		}
		if why == "" {
			continue
		}
		held, err := f.holdBody(ctx, source, why, some, body, veiled)
		if err != nil {
			return nil, err
		}
		out = append(out, held...)
		events = slices.DeleteFunc(events, func(ev dayone.Event) bool { return ev.Veiled == veiled })
	}
	for _, ev := range events {
		why := bad
		if ev.Type != "" {
			why = nil // another event of this body is the bad one
		}
		in, again, err := f.accept(ctx, ev, body, why)
		if err != nil {
			return nil, unkept(err)
		}
		r := Receipt{ID: in.ID, State: in.State, Note: in.Note, Again: again}
		if again {
			r.Note = "this was said before; nothing changes"
		}
		out = append(out, r)
	}
	return out, nil
}

// keepable says that every database of ours keeps a text: PostgreSQL keeps no NUL, and no bytes that are no UTF-8. Without them
// an id could be somebody else's.
func keepable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// accept stores one event; one that the source could not make sense of goes into quarantine with the reason.
func (f *Flow) accept(ctx context.Context, ev dayone.Event, body []byte, why error) (dayone.Intake, bool, error) {
	switch {
	case why != nil:
		in, err := f.Store.Quarantine(ctx, ev, body, why.Error())
		return in, false, err
	case strings.TrimSpace(ev.Subject) == "":
		in, err := f.Store.Quarantine(ctx, ev, body, "it names no employment: the employee id is missing")
		return in, false, err
	}
	in, again, err := f.Store.Accept(ctx, ev, body)
	if err != nil || !again || ev.SourceID == "" {
		return in, again, err
	}
	if same, err := f.saidBefore(ctx, in, ev, body); err != nil || same {
		return in, true, err
	}
	ev.SourceID = "" // it has none of its own
	in, err = f.Store.Quarantine(ctx, ev, body, "this id was used for something else before: look whether both count, and replay this one if it does")
	return in, false, err
}

// saidBefore says whether an event whose id is known says what it said then. A repetition may be wrapped and stamped anew; whom
// it is about and what it says of them are the same. Of a body that has expired whom it is about is all that is known.
func (f *Flow) saidBefore(ctx context.Context, was dayone.Intake, ev dayone.Event, body []byte) (bool, error) {
	if was.Subject != ev.Subject {
		return false, nil
	}
	old, err := f.Store.Body(ctx, was.ID)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case bytes.Equal(old, body):
		return true, nil
	}
	events, _ := f.Sources[ev.Source].Parse(old) // as it is read now
	for _, e := range events {
		if e.SourceID == ev.SourceID && e.Subject == ev.Subject {
			return e.Type == ev.Type && e.Full == ev.Full && maps.Equal(e.Fields, ev.Fields), nil
		}
	}
	return true, nil
}

// woken wakes the round for what was just written. Not before: a round in between would find nothing, and nobody would wake
// it again.
func (f *Flow) woken(err error) error {
	if err == nil {
		f.look()
	}
	return err
}

func (f *Flow) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
