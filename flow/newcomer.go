package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/people"
)

// Newcomer is one record of a directory that the books do not know, as it would come in.
type Newcomer struct {
	Looked
	Source, Location string
	Starts, Ends     string           // as the directory writes them: 2025-01-31; "": it says nothing
	Type             dayone.EventType // hired: what policies give is planned at once; imported: she is only known
	Findings         []string         // what of the record cannot be used
}

// Directories are the sources in which somebody can be looked up, by name.
func (f *Flow) Directories() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.Sources)) {
		if _, ok := f.Sources[name].Source.(connector.Directory); ok {
			out = append(out, name)
		}
	}
	return out
}

// Newcomer reads one record of a directory again and says what would come of it. Nothing is kept. Of somebody who is known
// here it says who that is, as the books have it. ErrInvalid: the record cannot be used, and why.
func (f *Flow) Newcomer(ctx context.Context, source, subject string) (Newcomer, error) {
	n, _, err := f.newcomer(ctx, source, subject)
	return n, err
}

// BringIn takes one record of a directory into the books by itself: what its list would bring at night comes now, by the same
// intake, and the rest of the list stays where it is. Who is known here already is not brought again. The event says how far
// it got; it is looked at beside this.
func (f *Flow) BringIn(ctx context.Context, source, subject, by string) (Newcomer, dayone.Intake, error) {
	n, l, err := f.newcomer(ctx, source, subject)
	if err != nil || n.Person != "" {
		return n, dayone.Intake{}, err
	}
	e := l.events[0]
	rec := dayone.Record{At: l.now, What: "brought in from a directory", System: source, By: by, Detail: &dayone.Detail{Note: subject}}
	in, _, err := f.Store.Accept(ctx, e.Event, e.Body, rec)
	f.look()
	return n, in, err
}

func (f *Flow) newcomer(ctx context.Context, source, subject string) (Newcomer, *listing, error) {
	n := Newcomer{Source: source}
	src, ok := f.Sources[source]
	if !ok {
		return n, nil, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	if _, ok := src.Source.(connector.Directory); !ok {
		return n, nil, fmt.Errorf("nobody can be brought in from %s; it is no directory: %w", source, dayone.ErrUnsupported)
	}
	id, known, err := f.Store.PersonOf(ctx, source, subject)
	if err != nil {
		return n, nil, err
	}
	if known {
		row, err := f.Person(ctx, id)
		if err != nil {
			return n, nil, err // only few may know that she comes
		}
		n.Looked = Looked{subject, row.Name, row.Email, row.Title, row.Department, id}
		n.Location = row.Location
		t, err := f.Store.Timeline(ctx, id)
		if err != nil {
			return n, nil, err
		}
		now := f.Clock.Now()
		for _, e := range people.At(&t, now, now, f.Active()).Engagements {
			if e.Source == source && e.SourceID == subject {
				n.Starts, n.Ends = e.Start, e.LastDay
			}
		}
		return n, nil, nil
	}
	if src.Discreet && !mayKnow(ctx) {
		return n, nil, fmt.Errorf("%s shows nobody like that: %w", source, dayone.ErrNotFound)
	}
	rec, err := src.Read(ctx, subject)
	if err != nil {
		return n, nil, err
	}
	if rec.Subject != subject {
		return n, nil, fmt.Errorf("%s answered with the record of somebody else: %w", source, dayone.ErrInvalid)
	}
	l, err := f.oneRecord(ctx, source, rec)
	if err != nil {
		return n, nil, err
	}
	n.Looked, n.Location = lookedOf(rec), rec.Fields["location"].Text
	n.Starts, n.Ends = rec.Fields["start_date"].Text, rec.Fields["end_date"].Text
	n.Type, n.Findings = l.events[0].Event.Type, l.judged.Findings
	return n, l, nil
}

// oneRecord judges a record of somebody new as a list of one would.
func (f *Flow) oneRecord(ctx context.Context, source string, rec dayone.Event) (*listing, error) {
	reads, err := f.Store.SourceReads(ctx)
	if err != nil {
		return nil, err
	}
	l := f.listingOf(source)
	l.last = reads[source]
	l.record(rec)
	l.unknown(l.records[rec.Subject])
	if len(l.events) == 0 {
		return nil, fmt.Errorf("the record cannot be used: %s: %w", l.judged.Note, dayone.ErrInvalid)
	}
	return l, nil
}
