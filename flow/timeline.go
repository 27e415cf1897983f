package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// What pages show of a timeline; they know people only through these.
type (
	Attribute   = people.Attribute
	WhatChanged = people.Change
	Turn        = people.Turn
	TurnState   = people.TurnState
	Word        = people.Word
	Corrected   = people.Correction
)

// How a word stands, and what wins that is no source.
const (
	Counts    = people.Counts
	Coming    = people.ToCome
	Replaced  = people.Replaced
	Amended   = people.Amended
	PutOff    = people.PutOff
	CalledOff = people.CalledOff
	Unusable  = people.Unusable

	ByCorrection = people.ByCorrection
)

// SourceName is a source as it is spoken of.
func SourceName(source string) string { return people.Called(source) }

// History is a person as of one instant, as known at another, and how we came to know it.
type History struct {
	Person     dayone.Person
	AsOf       time.Time
	KnownAt    time.Time
	Heard      bool // anything was known of her then
	Attributes []people.Attribute
	Changes    []HistoryLine // the newest first
	More       bool          // there are older ones
}

// HistoryLine is one change, with what its event came to.
type HistoryLine struct {
	people.Change
	Type dayone.EventType // "" if no event is behind it
	Run  dayone.RunID
}

// HistoryQuery asks for it. Zero instants mean now.
type HistoryQuery struct {
	AsOf, KnownAt time.Time
	Before        int // Seq of the last change shown; 0: from the newest
	Limit         int
}

// History reads it. ErrNotFound: there is no such person.
func (f *Flow) History(ctx context.Context, id dayone.PersonID, q HistoryQuery) (History, error) {
	t, err := f.Timeline(ctx, id)
	if err != nil {
		return History{}, err
	}
	now, set := f.Clock.Now(), f.Active()
	k := History{AsOf: q.AsOf, KnownAt: q.KnownAt}
	if k.AsOf.IsZero() {
		k.AsOf = now
	}
	if k.KnownAt.IsZero() || k.KnownAt.After(now) { // what is confidential now is so however late it is asked for
		k.KnownAt = now
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	k.Person = people.At(&t, k.AsOf, k.KnownAt, set)
	k.Heard = len(k.Person.Engagements) > 0
	k.Attributes = people.Attributes(&t, k.AsOf, k.KnownAt, set)
	var list []people.Change
	list, k.More = people.History(&t, k.AsOf, k.KnownAt, set, q.Before, q.Limit)
	for _, c := range list {
		x := HistoryLine{Change: c}
		if c.Event != "" {
			switch in, err := f.Event(ctx, c.Event); {
			case err == nil:
				x.Type, x.Run = in.Type, in.Run
			case !errors.Is(err, dayone.ErrNotFound):
				return k, err
			}
		}
		k.Changes = append(k.Changes, x)
	}
	return k, nil
}

// Origins says of each value that an explanation read who says it, where more than one might.
func (f *Flow) Origins(ctx context.Context, id dayone.PersonID, x policy.Explanation) (policy.Explanation, error) {
	t, err := f.Timeline(ctx, id)
	if err != nil {
		return x, err
	}
	return sourced(&t, f.Active(), f.Clock.Now(), x), nil
}

// sourced says of each value that an explanation read who says it.
func sourced(t *dayone.Timeline, set *policy.Set, now time.Time, x policy.Explanation) policy.Explanation {
	origin := map[string]string{}
	for _, a := range people.Attributes(t, now, now, set) {
		if len(a.Words) > 1 || a.Correction != nil || a.Unknown {
			origin[a.Name] = a.Origin()
		}
	}
	from := func(lines []policy.Line) {
		for _, l := range lines {
			for _, c := range l.Conditions {
				for i := range c.Reads {
					c.Reads[i].From = origin[c.Reads[i].Name]
				}
			}
		}
	}
	from(x.Lines)
	for by := x.By; len(by) > 0; by = by[1:] {
		from(by[0].Lines)
		by = append(by, by[0].By...)
	}
	return x
}

// Correction is what somebody says is right, whatever sources say, until the end of a day.
type Correction struct {
	Values map[string]string // by attribute
	Until  string            // the last day on which it holds: 2025-01-31
	By     string
	Reason string
}

// MostCorrected is how long a correction may hold. What is wrong for longer is to be mended at its source.
const MostCorrected = 366 * 24 * time.Hour

// Correct lays a correction over what sources say of a person. ErrInvalid says what is wrong with it, and nothing was kept;
// ErrConflict: sources say it already.
func (f *Flow) Correct(ctx context.Context, id dayone.PersonID, c Correction) (dayone.Intake, error) {
	p, set, err := f.employed(ctx, id)
	if err != nil {
		return dayone.Intake{}, err
	}
	c.Until, c.Reason = strings.TrimSpace(c.Until), strings.TrimSpace(c.Reason)
	switch until, err := time.Parse(time.DateOnly, c.Until); {
	case len(c.Values) == 0:
		return dayone.Intake{}, fmt.Errorf("say which attribute is corrected, and to what: %w", dayone.ErrInvalid)
	case c.Reason == "":
		return dayone.Intake{}, fmt.Errorf("say why: whoever looks at it later has to know: %w", dayone.ErrInvalid)
	case err != nil:
		return dayone.Intake{}, fmt.Errorf("say until which day it holds, such as 2025-01-31; until then HR mends it: %w", dayone.ErrInvalid)
	case until.AddDate(0, 0, 1).Before(p.At):
		return dayone.Intake{}, fmt.Errorf("%s is over: %w", c.Until, dayone.ErrInvalid)
	case until.Sub(p.At) > MostCorrected:
		return dayone.Intake{}, fmt.Errorf("a correction holds for a year at most; what is wrong for longer is mended at its source: %w", dayone.ErrInvalid)
	}
	if err := notOwnManager(p, set, c.Values); err != nil {
		return dayone.Intake{}, err
	}
	f.correcting.Lock() // of two who are given one address at once, the second is refused
	defer f.correcting.Unlock()
	fields := map[string]string{people.UntilDate: c.Until}
	for name, text := range c.Values {
		v, err := people.Correct(set, name, text)
		if err != nil {
			return dayone.Intake{}, err
		}
		if p.Attrs[name] == v {
			return dayone.Intake{}, fmt.Errorf("%s is that already: %w", name, dayone.ErrConflict)
		}
		if err := f.ownOnly(ctx, id, name, v.Text); err != nil {
			return dayone.Intake{}, errors.Join(err, f.recordTaken(ctx, id, name, c.By, err))
		}
		fields[name] = text
	}
	e := Entry{Type: dayone.Corrected, Subject: string(p.Primary()), Fields: fields, By: c.By, Reason: c.Reason}
	if err := f.staysInScope(ctx, id, e); err != nil {
		return dayone.Intake{}, err
	}
	return f.enterSure(ctx, e)
}

// staysInScope refuses whoever has a scope to correct somebody out of it: she could not correct that again.
func (f *Flow) staysInScope(ctx context.Context, id dayone.PersonID, e Entry) error {
	s := scopeOf(ctx)
	if s.AllPeople() {
		return nil
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	ev := dayone.Event{Source: dayone.Portal, Type: e.Type, Subject: e.Subject, At: now, Received: now, Fields: fieldsOf(e.Fields), By: e.By, Reason: e.Reason}
	_, p, _, err := f.extend(ctx, &t, people.Heard{Event: ev}, now, "")
	if err != nil || s.Has(countryOf(p), p.Attrs.Text("company")) {
		return err
	}
	return fmt.Errorf("your role is for %s, and this would take them out of it; ask a colleague whose role reaches there, or let HR say it: %w", s, dayone.ErrForbidden)
}

// recordTaken keeps that somebody was told of an address that it is taken: whoever tries many leaves a trace.
func (f *Flow) recordTaken(ctx context.Context, id dayone.PersonID, attr, by string, refused error) error {
	if !errors.Is(refused, dayone.ErrConflict) {
		return nil
	}
	defer f.lock(id)()
	return f.Store.Save(ctx, store.Saved{Person: id, Records: []dayone.Record{{At: f.Clock.Now(), Person: id, What: "correction refused", By: by, Detail: &dayone.Detail{Note: attr + ": it is another person's"}}}})
}

// notOwnManager refuses a correction after which somebody would be her own manager: she would decide what she asks for.
func notOwnManager(p dayone.Person, set *policy.Set, to map[string]string) error {
	_, boss := to["manager"]
	_, mail := to["email"]
	_, other := to["personal_email"]
	if !boss && !mail && !other {
		return nil
	}
	now := func(attr string) string {
		if text, ok := to[attr]; ok {
			if v, err := people.Correct(set, attr, text); err == nil {
				return v.Text
			}
		}
		return p.Attrs.Text(attr)
	}
	if m := now("manager"); m != "" && (strings.EqualFold(m, now("email")) || strings.EqualFold(m, now("personal_email"))) {
		return fmt.Errorf("nobody is their own manager, and %q would be their own address: %w", m, dayone.ErrInvalid)
	}
	return nil
}

// ownOnly refuses what is another person's, and cannot be shared: systems and matching know people by it. It does not say whose.
func (f *Flow) ownOnly(ctx context.Context, id dayone.PersonID, attr, value string) error {
	kind, value := people.Sole(attr, value)
	if kind == "" {
		return nil
	}
	if err := f.markAll(ctx); err != nil {
		return err
	}
	trait := people.Trait{Kind: kind, Value: value}
	found, err := f.Store.Marked(ctx, f.marksOf([]people.Trait{trait}))
	if err != nil {
		return err
	}
	for _, others := range found {
		for _, other := range others {
			if other == id {
				continue
			}
			t, err := f.Store.Timeline(ctx, other)
			if err != nil {
				return err
			}
			if slices.Contains(people.Traits(&t, f.Clock.Now()), trait) { // a correction of theirs may be over
				return fmt.Errorf("%s: it is another person's: %w", attr, dayone.ErrConflict)
			}
		}
	}
	return nil
}

// EndCorrection lets what sources say of an attribute count again. ErrConflict: no correction of it stands.
func (f *Flow) EndCorrection(ctx context.Context, id dayone.PersonID, attr, by, reason string) (dayone.Intake, error) {
	p, set, err := f.employed(ctx, id)
	if err != nil {
		return dayone.Intake{}, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return dayone.Intake{}, err
	}
	if !slices.ContainsFunc(people.Attributes(&t, p.At, p.At, set), func(a people.Attribute) bool { return a.Name == attr && a.Correction != nil }) {
		return dayone.Intake{}, fmt.Errorf("no correction of %s stands: %w", attr, dayone.ErrConflict)
	}
	return f.enterSure(ctx, Entry{Type: dayone.CorrectionEnded, Subject: string(p.Primary()), Fields: map[string]string{attr: ""}, By: by, Reason: reason})
}

// enterSure enters something that was looked at beforehand: what is held back all the same is told, not left lying.
func (f *Flow) enterSure(ctx context.Context, e Entry) (dayone.Intake, error) {
	in, err := f.Enter(ctx, e)
	if err == nil && in.State == dayone.EventQuarantined {
		return in, fmt.Errorf("%s: %w", in.Note, dayone.ErrInvalid)
	}
	return in, err
}

// employed is a person who has an employment, now.
func (f *Flow) employed(ctx context.Context, id dayone.PersonID) (dayone.Person, *policy.Set, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return dayone.Person{}, nil, err
	}
	now, set := f.Clock.Now(), f.Active()
	p := people.At(&t, now, now, set)
	if len(p.Engagements) == 0 {
		return p, set, fmt.Errorf("nothing is known of an employment of this person: %w", dayone.ErrConflict)
	}
	return p, set, nil
}

// Bind says that a source's record is about a person whom we know. What the source said of it before is looked at again.
// ErrConflict: it is bound to somebody already.
func (f *Flow) Bind(ctx context.Context, id dayone.PersonID, source, subject, by, reason string) error {
	subject, reason = strings.TrimSpace(subject), strings.TrimSpace(reason)
	if _, ok := f.Sources[source]; !ok {
		return fmt.Errorf("there is no source %q: %w", source, dayone.ErrInvalid)
	}
	switch {
	case subject == "":
		return fmt.Errorf("say which record of %s it is, by its id there: %w", source, dayone.ErrInvalid)
	case reason == "":
		return fmt.Errorf("say why you are sure that it is the same person: %w", dayone.ErrInvalid)
	}
	defer f.lock(id)()
	if _, err := f.Store.Timeline(ctx, id); err != nil {
		return err
	}
	now := f.Clock.Now()
	err := f.Store.Save(ctx, store.Saved{
		Person: id, Employment: &dayone.Employment{ID: dayone.EngagementID(f.IDs.New("eng")), Source: source, SourceID: subject, Recorded: now},
		Records: []dayone.Record{{At: now, Person: id, What: "record bound", System: source, By: by, Detail: &dayone.Detail{Note: subject + ": " + reason}}},
	})
	if err == nil {
		f.look()
	}
	return err
}

// Correctable are the attributes that may be corrected, sorted.
func (f *Flow) Correctable() []string { return people.Correctable(f.Active()) }
