package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
)

// What is confidential does not count before its instant: people.At leaves it out, so no policy, plan, run, message, count
// or row knows of it. What is left to be kept apart is what lies in the books as it was said: events, facts, and people of
// whom nobody may know. They are shown to whoever the context says may know; without a word in it, to nobody. So a new page
// shows too little at first, never too much.

type viewerKey struct{}

// As says on whose behalf is read.
func As(ctx context.Context, v dayone.Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

func mayKnow(ctx context.Context) bool {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	return v.Confidential
}

// Confidential is what only few may know of a person.
type Confidential struct {
	Person dayone.PersonID
	Name   string
	Hire   bool      // an employment that is not announced
	Hidden bool      // nobody else knows that there is such a person
	Starts time.Time // of that employment
	Ends   time.Time // the first instant after the last day; zero: none was said in confidence
	Until  time.Time // when everybody may know
	Site   dayone.Site
}

// LastDay is an instant of the last day; zero: no end was said in confidence.
func (c Confidential) LastDay() time.Time {
	if c.Ends.IsZero() {
		return time.Time{}
	}
	return c.Ends.Add(-time.Second)
}

// Confidentials are all of them, the next to be known first. ErrForbidden: not for whoever asks.
func (f *Flow) Confidentials(ctx context.Context) ([]Confidential, error) {
	if !mayKnow(ctx) {
		return nil, fmt.Errorf("this is confidential: %w", dayone.ErrForbidden)
	}
	rows, err := f.Store.Veiled(ctx)
	if err != nil {
		return nil, err
	}
	var out []Confidential
	for _, r := range rows {
		c, err := f.ConfidentialOf(ctx, r.ID)
		switch {
		case errors.Is(err, dayone.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Confidential) int {
		return cmp.Or(a.Until.Compare(b.Until), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// ConfidentialOf is what is confidential about one person. ErrNotFound: nothing is, or not for whoever asks.
func (f *Flow) ConfidentialOf(ctx context.Context, id dayone.PersonID) (Confidential, error) {
	none := fmt.Errorf("nothing about person %s is confidential: %w", id, dayone.ErrNotFound)
	if !mayKnow(ctx) || f.inSight(ctx, id) != nil {
		return Confidential{}, none
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return Confidential{}, err
	}
	now, set := f.Clock.Now(), f.Active()
	seen, whole := people.At(&t, now, now, set), people.Whole(&t, now, now, set)
	c := Confidential{Person: id, Name: whole.Name(), Until: seen.Unveils, Site: whole.Site, Hidden: seen.Veil == dayone.WholeVeiled}
	if c.Hire = len(seen.Engagements) < len(whole.Engagements); c.Hire {
		c.Starts = whole.Start
	}
	if !whole.End.Equal(seen.End) && !c.Hidden {
		c.Ends = whole.End
	}
	if seen.Unveils.IsZero() { // it was called off: there is nothing to come
		return Confidential{}, none
	}
	return c, nil
}

// rowFor is a person of whom something is confidential, as whoever asks may see her.
func (f *Flow) rowFor(ctx context.Context, row Row) (Row, error) {
	if row.Veil == dayone.WholeVeiled && !mayKnow(ctx) {
		return Row{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	if !mayKnow(ctx) {
		row.Veil, row.Unveil = dayone.Unveiled, time.Time{}
		return row, nil
	}
	t, err := f.Store.Timeline(ctx, row.ID)
	if err != nil {
		return row, err
	}
	now := f.Clock.Now()
	whole := rowOf(people.Whole(&t, now, now, f.Active()))
	whole.Wake, whole.Problem, whole.Veil, whole.Unveil = row.Wake, row.Problem, row.Veil, row.Unveil
	if row.Veil == dayone.WholeVeiled { // nothing is planned before others may know
		whole.Wake = row.Unveil
	}
	return whole, nil
}

// PersonNow is a person as whoever asks may know her at this instant.
func (f *Flow) PersonNow(ctx context.Context, id dayone.PersonID) (dayone.Person, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return dayone.Person{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	whole := p.Veil == dayone.WholeVeiled
	if p.Veil != dayone.Unveiled && mayKnow(ctx) {
		p, whole = people.Whole(&t, now, now, f.Active()), false
	}
	if whole || !scopeOf(ctx).Has(countryOf(p), p.Attrs.Text("company")) {
		return dayone.Person{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	if !mayKnow(ctx) {
		p.Veil, p.Unveils = dayone.Unveiled, time.Time{}
	}
	return p, nil
}

// public is a timeline as everybody may know it.
func (f *Flow) public(t dayone.Timeline) (dayone.Timeline, error) {
	seen, veil, _ := people.Public(&t, f.Clock.Now(), f.Active())
	if veil == dayone.WholeVeiled {
		return dayone.Timeline{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	return *seen, nil
}

// discreet says whether an event is kept from others until it was judged: it says so itself, it is about somebody of whom
// nobody may know, or its source is configured so.
func (f *Flow) discreet(ctx context.Context, ev dayone.Event) (bool, error) {
	src := f.Sources[ev.Source]
	if src.Confidential || src.Discreet || people.Marks(ev.Fields) {
		return true, nil
	}
	id, known, err := f.Store.PersonOf(ctx, ev.Source, ev.Subject)
	if err == nil && !known && ev.Source == dayone.Portal {
		id, known, err = f.Store.PersonWith(ctx, dayone.EngagementID(ev.Subject))
	}
	if err != nil || !known {
		return false, err
	}
	row, err := f.Store.Person(ctx, id)
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	return row.Veil != dayone.Unveiled, err
}

// meaning names what an event did: to the whole timeline where others do not find the event, else to what they know.
func (f *Flow) meaning(before, after *dayone.Timeline, now time.Time, veiled bool) string {
	set := f.Active()
	if veiled {
		was, is := people.Lifted(*before), people.Lifted(*after)
		return people.Meaning(&was, &is, now, set)
	}
	was, _, _ := people.Public(before, now, set)
	is, _, _ := people.Public(after, now, set)
	return people.Meaning(was, is, now, set)
}

// unveil lets everybody find what was said of a person once nothing about her is confidential any more. Whoever calls holds
// her, and keeps her row afterwards: cut short before that, it is done again.
func (f *Flow) unveil(ctx context.Context, p dayone.Person) error {
	if p.Veil != dayone.Unveiled {
		return nil
	}
	row, err := f.Store.Person(ctx, p.ID)
	if err != nil || row.Veil == dayone.Unveiled {
		return err
	}
	return f.Store.Unveil(ctx, p.ID, f.Clock.Now())
}
