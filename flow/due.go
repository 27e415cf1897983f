package flow

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// People are looked at again when their own instant comes, and on the first day of a year that may be everybody at once. For
// nearly all of them nothing is to be done then. So they are read many at a time and decided on all processors, and the rows
// of those for whom nothing is to be done are written together. Whoever else needs anything, if only a word in the books, is
// looked at by herself as after an event: both ways lead through the same decision.

const (
	fewDue  = 8    // that they are read one by one
	manyDue = 2000 // at once: so long nobody hears what else came
)

// lookAgain looks at everybody who is due, until nobody is. Whatever is said meanwhile is attended to in between: nobody's
// last day waits for a hundred thousand who stay.
func (f *Flow) lookAgain(ctx context.Context) (retry time.Time, err error) {
	attended := false
	defer func() {
		if attended {
			f.look() // it may have been said of more than was attended to
		}
	}()
	listen := func() error {
		select {
		case <-f.wake:
		default:
			return nil
		}
		attended = true
		next, err := f.attend(ctx)
		retry = soon(retry, next)
		return err
	}
	for {
		due, err := f.Store.Due(ctx, f.Clock.Now(), manyDue)
		due = slices.DeleteFunc(due, f.intake.has) // the end of it wakes us
		if err != nil || len(due) == 0 {
			return retry, err
		}
		if due, err = f.lookTogether(ctx, due); err != nil {
			return retry, err
		}
		if err := listen(); err != nil {
			return retry, err
		}
		for _, p := range due {
			if f.intake.has(p) {
				continue
			}
			if err := f.lookOnce(ctx, p); err != nil {
				return retry, err
			}
			if err := listen(); err != nil {
				return retry, err
			}
		}
	}
}

// lookOnce looks again at one person. An error is one of the books: whoever cannot be planned is in nobody's way.
func (f *Flow) lookOnce(ctx context.Context, p dayone.PersonID) error {
	began := f.Clock.Now()
	_, err := f.Replan(ctx, p, "", "")
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	f.Log.Error("planning a person again", "person", p, "error", err)
	return f.unplanned(ctx, p, began, err)
}

// lookTogether sees to those for whom nothing is to be done, and gives the others, in their order.
func (f *Flow) lookTogether(ctx context.Context, due []dayone.PersonID) ([]dayone.PersonID, error) {
	if len(due) < fewDue {
		return due, nil
	}
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return nil, err
	}
	if due, err = f.asForeseen(ctx, due, offers); err != nil {
		return nil, err
	}
	pages := slices.Collect(slices.Chunk(due, store.AtOnce))
	rest := make([][]dayone.PersonID, len(pages))
	next := make(chan int, len(pages))
	for i := range pages {
		next <- i
	}
	close(next)
	var all sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := range next {
				left, err := f.lookAtPage(ctx, pages[i], offers)
				if err != nil && ctx.Err() == nil {
					f.Log.Warn("people are looked at one by one", "people", len(pages[i]), "error", err)
					left = pages[i]
				}
				rest[i] = left
			}
		})
	}
	all.Wait()
	return slices.Concat(rest...), ctx.Err()
}

// lookAtPage holds some people as long as it looks at them: what is said of one of them meanwhile waits for that.
func (f *Flow) lookAtPage(ctx context.Context, ids []dayone.PersonID, offers map[dayone.Key]dayone.Offer) (rest []dayone.PersonID, err error) {
	var held []dayone.PersonID
	for _, id := range ids {
		if free, ok := f.tryLock(id); ok {
			defer free()
			f.ahead.drop(id)
			held = append(held, id)
		} else {
			rest = append(rest, id) // somebody is at her
		}
	}
	stage, now := f.stage(f.force.Load()), f.Clock.Now()
	read, err := f.Store.DueTogether(ctx, held)
	if err != nil {
		return nil, err
	}
	rows := make([]store.DueRow, 0, len(read))
	for i := range read {
		d := &read[i]
		l, ok := f.nothingToDo(d, now, offers)
		if !ok {
			rest = append(rest, held[i])
			continue
		}
		row := store.DueRow{Row: f.afterwards(l), Since: d.Row.Wake}
		row.Same = row.SameAs(d.Row)
		rows = append(rows, row)
		f.follow(l.Person, l.laid)
	}
	if err := f.Store.SaveDue(ctx, stage, rows); !errors.Is(err, dayone.ErrConflict) {
		return rest, err
	}
	return rest, f.reload(ctx) // they are due as before, and other policies count
}

// nothingToDo looks at somebody who is due. False: something is to be done, or known better, so she is to be looked at by
// herself. Whoever has a run under way, or had one given up, is always looked at like that.
func (f *Flow) nothingToDo(d *store.Due, now time.Time, offers map[dayone.Key]dayone.Offer) (Look, bool) {
	givenUp := d.Last.State == dayone.RunSuperseded || d.Last.State == dayone.RunCancelled || d.Last.Of != ""
	if d.Err != nil || d.Row.Veil != dayone.Unveiled || d.Active || givenUp || slices.ContainsFunc(d.Holds, func(h dayone.Hold) bool { return h.Due(now) || h.Brake != "" }) {
		return Look{}, false
	}
	l, err := f.lookAt(books{at: now, line: d.Timeline, have: d.Have, holds: d.Holds, requests: d.Requests, answers: d.Approvals, offers: offers})
	l.began = now
	switch {
	case l.Person.Managed && l.Person.Status == dayone.Left: // when she is read back is decided there
		return l, false
	case l.Person.Status == dayone.PreHire && len(f.PreHire.Ask) > 0: // and whether she is asked for something
		return l, false
	case slices.ContainsFunc(l.Person.Engagements, func(e dayone.Engagement) bool { return e.Sponsor != "" }): // or a sponsor
		return l, false
	case err != nil, l.Person.Managed && len(l.Plan.Steps) > 0, len(l.losses()) > 0, len(l.reviews(d.Reviewed)) > 0:
		return l, false
	case slices.ContainsFunc(l.Requests, func(r dayone.Request) bool { return over(r, now) || !f.until(l, r).Equal(r.Until) }):
		return l, false
	case slices.ContainsFunc(d.Tasks, asksReview), slices.ContainsFunc(l.answers, func(a dayone.Petition) bool { return a.State != a.Noted }):
		return l, false
	}
	if l.Person.Managed {
		if f.lacksNames(l.Person) {
			return l, false
		}
		for _, a := range l.answers {
			if !l.stands(a, l.heldBack(a.Key)) {
				return l, false
			}
		}
	}
	return l, true
}
