package flow

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// When many will be due at one instant, they are looked at in the hour before, as they will be then. Of those for whom
// nothing will be to be done, and whose row in lists stays as it is, only when to look at them next is left to be written:
// at the instant that is done for thousands in a commit, and whoever has something to be done waits for none of them.
//
// What was foreseen holds as long as nobody touches the books of the person. Whoever changes them holds her, or makes her due
// at another instant, or answers about her: the first takes away what was foreseen, the others are seen by the statement that
// writes. Other policies, another catalogue and a restart take away everything. Who is not foreseen is looked at as ever.

const (
	aheadBy    = time.Hour
	manyAhead  = 500     // fewer are no crowd: they are looked at in a moment
	mostAhead  = 250_000 // are kept in memory
	aheadAgain = 10 * time.Minute
)

// foresight is what will become of people who will be due.
type foresight struct {
	mu     sync.Mutex
	of     map[dayone.PersonID]foreseen
	force  *inForce // by which it was foreseen
	offers map[dayone.Key]dayone.Offer

	asked time.Time // whether many will be due is not asked again before this
	due   time.Time // when to look ahead; zero: few will be due
}

// foreseen is somebody who was looked at ahead.
type foreseen struct {
	wake time.Time // at this instant
	rest bool      // nothing will be to be done
	next time.Time // and nothing changes before this one; zero: never
	laid *laidAhead
}

// laidAhead is how the crowd in memory will have her.
type laidAhead struct {
	by    *policy.Workforce
	row   policy.Laid
	name  string
	until time.Time
}

// drop forgets what was foreseen of somebody.
func (s *foresight) drop(id dayone.PersonID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, id)
}

// forgetAll forgets what was foreseen of everybody.
func (s *foresight) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = nil
}

// begin forgets what was foreseen by other policies, with another catalogue, or for what is long over.
func (s *foresight) begin(force *inForce, offers map[dayone.Key]dayone.Offer, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || !s.counts(force, offers) {
		s.of, s.force, s.offers = map[dayone.PersonID]foreseen{}, force, offers
	}
	maps.DeleteFunc(s.of, func(_ dayone.PersonID, x foreseen) bool { return x.wake.Before(now.Add(-aheadBy)) })
}

func (s *foresight) counts(force *inForce, offers map[dayone.Key]dayone.Offer) bool {
	return s.force == force && reflect.DeepEqual(s.offers, offers)
}

// keep keeps what was foreseen by policies, if they still are those that count.
func (s *foresight) keep(id dayone.PersonID, force *inForce, x foreseen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != nil && s.force == force && len(s.of) < mostAhead {
		s.of[id] = x
	}
}

// sees says whether somebody was looked at ahead for an instant.
func (s *foresight) sees(id dayone.PersonID, wake time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.of[id]
	return ok && x.wake.Equal(wake)
}

// split takes those apart of whom something was foreseen that counts now.
func (s *foresight) split(ids []dayone.PersonID, force *inForce, offers map[dayone.Key]dayone.Offer) (seen, rest []dayone.PersonID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.of) == 0:
		return nil, ids
	case !s.counts(force, offers):
		s.of = nil
		return nil, ids
	}
	for _, id := range ids {
		if s.of[id].rest {
			seen = append(seen, id)
		} else {
			rest = append(rest, id)
		}
	}
	return seen, rest
}

// resting is how many are known for whom nothing will be to be done. Whoever calls holds mu.
func (s *foresight) resting() (n int) {
	for _, x := range s.of {
		if x.rest {
			n++
		}
	}
	return n
}

// take is what was foreseen of somebody who is held, and is true at an instant; it is used once.
func (s *foresight) take(id dayone.PersonID, now time.Time) (foreseen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.of[id]
	delete(s.of, id)
	if len(s.of) == 0 {
		s.of = nil // its room is given back
	}
	return x, ok && x.rest && !x.wake.After(now) && (x.next.IsZero() || x.next.After(now))
}

// asForeseen writes for those of whom it was foreseen that nothing is to be done, and gives the others, in their order.
func (f *Flow) asForeseen(ctx context.Context, due []dayone.PersonID, offers map[dayone.Key]dayone.Offer) ([]dayone.PersonID, error) {
	force, now := f.force.Load(), f.Clock.Now()
	seen, rest := f.ahead.split(due, force, offers)
	if len(seen) == 0 {
		return due, nil
	}
	var later []dayone.PersonID
	rows := make([]store.Wake, 0, len(seen))
	become := make([]foreseen, 0, len(seen))
	for _, id := range seen {
		free, ok := f.tryLock(id)
		if !ok {
			later = append(later, id) // somebody is at her
			continue
		}
		defer free()
		x, ok := f.ahead.take(id, now)
		if !ok {
			later = append(later, id)
			continue
		}
		rows, become = append(rows, store.Wake{Person: id, At: x.next, Since: x.wake}), append(become, x)
	}
	switch err := f.Store.SaveWakes(ctx, f.stage(force), rows); {
	case errors.Is(err, dayone.ErrConflict): // they are due as before, and other policies count
		return due, f.reload(ctx)
	case err != nil:
		return nil, err
	}
	f.crowd.becomes(rows, become)
	return slices.Concat(rest, later), nil
}

// stage is that of policies, as the books are asked whether it still counts.
func (f *Flow) stage(force *inForce) int64 {
	if f.Load == nil {
		return store.AnyStage
	}
	return force.seq
}

// becomes puts people into their rows as it was foreseen. Whoever calls holds them. Another crowd than the one that they were
// laid out for knows by its own date that they are others by now.
func (c *crowd) becomes(rows []store.Wake, all []foreseen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, x := range all {
		id := rows[i].Person
		if c.reading {
			c.stale[id] = true
		}
		row, ok := c.rows[id]
		if x.laid == nil || x.laid.by != c.w || !ok {
			continue
		}
		c.w.SetLaid(row, x.laid.row)
		c.names[row], c.until[row] = x.laid.name, x.laid.until
		c.passed = true
	}
}

// nextAhead is when to look ahead; zero: so few will be due that nobody need.
func (f *Flow) nextAhead(ctx context.Context) (time.Time, error) {
	s, now := &f.ahead, f.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.asked) && s.asked.Sub(now) <= aheadAgain {
		return s.due, nil
	}
	crowd, err := f.Store.WakeAt(ctx, now, manyAhead)
	if err != nil {
		return time.Time{}, err
	}
	s.asked, s.due = now.Add(aheadAgain), time.Time{}
	if !crowd.IsZero() {
		s.due = crowd.Add(-aheadBy)
	}
	return s.due, nil
}

// lookAhead looks at everybody who will be due soon and of whom nothing is foreseen yet, as it will be then. It is one page
// after the other, on one processor: it has an hour.
func (f *Flow) lookAhead(ctx context.Context) error {
	now := f.Clock.Now()
	coming, err := f.Store.DueBy(ctx, now, now.Add(aheadBy), mostAhead)
	if err != nil {
		return err
	}
	coming = slices.DeleteFunc(coming, func(w store.Wake) bool { return f.ahead.sees(w.Person, w.At) })
	force := f.force.Load()
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return err
	}
	f.ahead.begin(force, offers, now)
	for some := range slices.Chunk(coming, store.AtOnce) {
		if err := f.foresee(ctx, some, force, offers); err != nil {
			return err
		}
	}
	f.ahead.mu.Lock()
	defer f.ahead.mu.Unlock()
	f.Log.Info("people who will be due were looked at ahead", "looked", len(coming), "nothing to do", f.ahead.resting())
	f.ahead.asked = f.Clock.Now().Add(aheadAgain) // then those are looked at who came in between
	f.ahead.due = f.ahead.asked
	return nil
}

// foresee looks at a page of them.
func (f *Flow) foresee(ctx context.Context, some []store.Wake, force *inForce, offers map[dayone.Key]dayone.Offer) error {
	var held []dayone.PersonID
	for _, w := range some {
		if free, ok := f.tryLock(w.Person); ok {
			defer free()
			held = append(held, w.Person)
		}
	}
	read, err := f.Store.DueTogether(ctx, held)
	if err != nil {
		return err
	}
	f.crowd.mu.RLock()
	by, laidBy := f.crowd.w, f.crowd.laid
	f.crowd.mu.RUnlock()
	now := f.Clock.Now()
	for i := range read {
		d := &read[i]
		wake := d.Row.Wake
		quiet := d.Last.State == "" || d.Last.State == dayone.RunDone
		f.ahead.keep(held[i], force, foreseen{wake: wake})                                   // she is not looked at ahead again
		if !wake.After(now) || !quiet || len(d.Holds)+len(d.Requests)+len(d.Approvals) > 0 { // a human may decide about her at any time
			continue
		}
		l, ok := f.nothingToDo(d, wake, offers)
		row := f.afterwards(l)
		if !ok || !row.SameAs(d.Row) {
			continue
		}
		x := foreseen{wake: wake, rest: true, next: row.Wake}
		if by != nil && l.Person.Managed && l.laid.set != nil && laidBy.SamePeople(l.laid.set) {
			x.laid = &laidAhead{by, by.Lay(&l.Person), l.Person.Name(), l.laid.until}
		}
		f.ahead.keep(held[i], force, x)
	}
	return ctx.Err()
}
