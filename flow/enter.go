package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// What people enter here goes the way of every other word of a source: it is kept before it is looked at, it extends the
// timeline, it may be replayed, and what it asks for follows from the timeline. The source is the portal.

// Entry is what somebody enters about one employment.
type Entry struct {
	Type    dayone.EventType
	Subject string            // id of the engagement, or of its own for an employment that no other source knows
	Fields  map[string]string // by the names of people.yaml; start_date, end_date, effective_date, confidential and announced_on for the employment
	By      string            // who enters it
	Reason  string
}

// Enter keeps what somebody entered and carries it out. It comes back when it was looked at; where a plan could not be made
// yet the intake's note says so, and it is made good by itself.
func (f *Flow) Enter(ctx context.Context, e Entry) (dayone.Intake, error) {
	ins, err := f.enterAll(ctx, []Entry{e})
	if len(ins) == 0 {
		return dayone.Intake{}, err
	}
	return ins[0], err
}

// enterAll keeps all of what somebody entered at once, then carries it out.
func (f *Flow) enterAll(ctx context.Context, entries []Entry) ([]dayone.Intake, error) {
	now := f.Clock.Now()
	out := make([]dayone.Intake, 0, len(entries))
	for _, e := range entries {
		in, err := f.keepEntry(ctx, e, now)
		if err != nil {
			return out, err
		}
		out = append(out, in)
	}
	err := f.hearOut(ctx, dayone.Portal)
	f.look() // should anything be left, it is looked at from there on
	for i := range out {
		in, found := f.Store.Event(ctx, out[i].ID)
		if found != nil {
			return out, errors.Join(err, found)
		}
		out[i] = in
	}
	return out, err
}

func (f *Flow) keepEntry(ctx context.Context, e Entry, now time.Time) (dayone.Intake, error) {
	e.Subject, e.By, e.Reason = strings.TrimSpace(e.Subject), strings.TrimSpace(e.By), strings.TrimSpace(e.Reason)
	switch {
	case !slices.Contains(dayone.EnteredTypes, e.Type):
		return dayone.Intake{}, fmt.Errorf("%q is no kind of event we know: %w", e.Type, dayone.ErrInvalid)
	case e.Subject == "":
		return dayone.Intake{}, fmt.Errorf("it names no employment: %w", dayone.ErrInvalid)
	}
	body, err := f.bodyOf(e)
	if err != nil {
		return dayone.Intake{}, err
	}
	ev := dayone.Event{ID: dayone.EventID(f.IDs.New("evt")), Source: dayone.Portal, Type: e.Type, Subject: e.Subject, At: now, Received: now, Fields: fieldsOf(e.Fields)}
	if ev.Veiled, err = f.discreet(ctx, ev); err != nil {
		return dayone.Intake{}, err
	}
	in, _, err := f.Store.Accept(ctx, ev, body)
	return in, err
}

// bodyOf is an entry as it is kept.
func (f *Flow) bodyOf(e Entry) ([]byte, error) {
	return json.Marshal(entered{e.Type, e.Subject, f.Clock.Now(), e.Fields, e.By, e.Reason})
}

// source is a source by its name: one of the configuration, or the portal.
func (f *Flow) source(name string) (Source, bool) {
	if name == dayone.Portal {
		return Source{Source: portal{}}, true
	}
	s, ok := f.Sources[name]
	return s, ok
}

// entered is an entry as it lies in the books.
type entered struct {
	Type    dayone.EventType  `json:"type"`
	Subject string            `json:"subject"`
	At      time.Time         `json:"at"`
	Fields  map[string]string `json:"fields"`
	By      string            `json:"by"`
	Reason  string            `json:"reason"`
}

// portal is the source of entries. It has no records to be read, and no door for webhooks.
type portal struct{}

var _ connector.Source = portal{}

func (portal) Verify(http.Header, []byte, time.Time) error {
	return fmt.Errorf("what people enter comes by no webhook: %w", dayone.ErrAuth)
}

func (portal) Parse(body []byte) ([]dayone.Event, error) {
	var e entered
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("what was entered does not read: %v: %w", err, dayone.ErrInvalid)
	}
	ev := dayone.Event{Source: dayone.Portal, Type: e.Type, Subject: e.Subject, At: e.At, Fields: fieldsOf(e.Fields), By: e.By, Reason: e.Reason}
	return []dayone.Event{ev}, nil
}

func fieldsOf(texts map[string]string) map[string]dayone.Value {
	out := map[string]dayone.Value{}
	for name, text := range texts {
		out[name] = dayone.Text(text)
	}
	return out
}

func (portal) Read(context.Context, string) (dayone.Event, error) {
	return dayone.Event{}, dayone.ErrUnsupported
}

func (portal) Everybody(context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) { yield(dayone.Event{}, dayone.ErrUnsupported) }
}
