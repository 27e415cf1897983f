package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What was received, and who is due, is seen to in rounds: which event is looked at when, and what waits for its source.

const (
	readers   = 4   // employments of one source that are looked at together
	pageOf    = 200 // events in one look
	bodiesFor = 30 * 24 * time.Hour
)

// intake is what flow remembers while events are looked at; a restart loses nothing with it.
type intake struct {
	sync.WaitGroup // of sources that are being looked at

	mu     sync.Mutex
	busy   map[string]bool         // sources that are being looked at
	rest   map[string]time.Time    // sources that are left alone until then, since the books could not be written
	taken  map[dayone.PersonID]int // people whom an event is about that is being looked at: whoever took them plans them
	expire time.Time               // when raw bodies are forgotten again
}

// take says that an event about a person is being looked at, until the result is called.
func (i *intake) take(id dayone.PersonID) func() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.taken == nil {
		i.taken = map[dayone.PersonID]int{}
	}
	i.taken[id]++
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.taken[id]--; i.taken[id] == 0 {
			delete(i.taken, id)
		}
	}
}

func (i *intake) has(id dayone.PersonID) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.taken[id] > 0
}

// round sees to everything that waits. Sources are looked at beside each other and beside people who are due: one that
// answers slowly holds up nobody but itself. retry is when there is more to be done by itself.
func (f *Flow) round(ctx context.Context) (retry time.Time, err error) {
	if !f.finished {
		if err := f.Store.FinishBrakes(ctx, f.Clock.Now()); err != nil {
			return retry, err
		}
		f.finished = true
	}
	if retry, err = f.attend(ctx); err != nil {
		return retry, err
	}
	sooner, err := f.lookAgain(ctx)
	if err != nil {
		return soon(retry, sooner), err
	}
	next, err := f.runErrands(ctx) // what these looks asked for is said at once
	return soon(soon(retry, sooner), next), err
}

// attend begins whatever goes on beside people who are due.
func (f *Flow) attend(ctx context.Context) (retry time.Time, err error) {
	if err := errors.Join(f.reload(ctx), f.heed(ctx, false)); err != nil {
		return retry, err
	}
	retry, err = f.forget(ctx)
	if err != nil {
		return retry, err
	}
	next, err := f.runErrands(ctx)
	if err != nil {
		return retry, err
	}
	retry = soon(retry, next)
	switch due, err := f.acts(ctx); {
	case err != nil: // it is tried again; terminations and everything else go on
		f.Log.Error("policies that wait for the end of their notice", "error", err)
	default:
		retry = soon(retry, due)
	}
	for _, see := range []func(context.Context) (time.Time, error){f.seeHeld, f.readLists, f.countSystems, f.readChanges} {
		next, err := see(ctx)
		if err != nil {
			return retry, err
		}
		retry = soon(retry, next)
	}
	waiting, err := f.Store.Waiting(ctx)
	if err != nil {
		return retry, err
	}
	for source, next := range waiting {
		retry = soon(retry, f.listen(ctx, source, next))
	}
	return retry, nil
}

// forget takes raw bodies out of the books that are older than they may be, once a day, and says when next.
func (f *Flow) forget(ctx context.Context) (time.Time, error) {
	now := f.Clock.Now()
	f.intake.mu.Lock()
	next := f.intake.expire
	f.intake.mu.Unlock()
	if now.Before(next) {
		return next, nil
	}
	n, err := f.Store.Expire(ctx, now.Add(-cmp.Or(f.KeepBodies, bodiesFor)))
	if err != nil {
		return now, fmt.Errorf("forgetting raw bodies: %w", err)
	}
	if n > 0 {
		f.Log.Info("raw bodies are forgotten", "events", n)
	}
	if n, err = f.Store.ForgetCalls(ctx, now.Add(-cmp.Or(f.KeepCalls, callsFor))); err != nil {
		return now, fmt.Errorf("forgetting requests: %w", err)
	}
	if n > 0 {
		f.Log.Info("requests are forgotten", "attempts", n)
	}
	zone, _ := f.Active().Sites[""].Location()
	if err := f.Store.ForgetPassed(ctx, now.In(zone).AddDate(0, 0, -7).Format(time.DateOnly), now); err != nil {
		return now, fmt.Errorf("forgetting who passed brakes: %w", err)
	}
	if err := f.Store.ForgetLetters(ctx, now.Add(-alertsKept)); err != nil {
		return now, fmt.Errorf("forgetting alerts: %w", err)
	}
	next = now.Add(24 * time.Hour)
	f.intake.mu.Lock()
	f.intake.expire = next
	f.intake.mu.Unlock()
	return next, nil
}

// listen begins to look at a source's events, unless that is under way or not to be done yet: then it says from when on.
func (f *Flow) listen(ctx context.Context, source string, next time.Time) time.Time {
	now := f.Clock.Now()
	i := &f.intake
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.rest[source].After(next) {
		next = i.rest[source]
	}
	switch {
	case i.busy[source]:
		return time.Time{} // the end of it wakes us
	case next.After(now):
		return next
	}
	if i.busy == nil {
		i.busy, i.rest = map[string]bool{}, map[string]time.Time{}
	}
	i.busy[source] = true
	i.Go(func() {
		err := f.hearOut(ctx, source)
		i.mu.Lock()
		delete(i.busy, source)
		delete(i.rest, source)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("looking at events", "source", source, "error", err)
			i.rest[source] = f.Clock.Now().Add(5 * time.Second)
		}
		i.mu.Unlock()
		f.look()
	})
	return time.Time{}
}

// hearOut looks at what waits of one source, some employments at a time, until nothing is left to be looked at now. An
// error is one of the books: what cannot be read stays for later and is in nobody's way.
func (f *Flow) hearOut(ctx context.Context, source string) error {
	if source == dayone.Portal { // whoever enters something waits for it, beside the round
		f.entering.Lock()
		defer f.entering.Unlock()
	}
	for {
		events, again, err := f.Store.WaitingEvents(ctx, source, f.Clock.Now(), pageOf)
		if err != nil || len(events) == 0 {
			return err
		}
		var subjects []string
		of := map[string][]dayone.Intake{}
		for _, in := range events {
			if of[in.Subject] == nil {
				subjects = append(subjects, in.Subject)
			}
			of[in.Subject] = append(of[in.Subject], in)
		}
		work := make(chan string, len(subjects))
		for _, s := range subjects {
			work <- s
		}
		close(work)
		faults := make([]error, min(readers, len(subjects)))
		var wg sync.WaitGroup
		for i := range faults {
			wg.Go(func() {
				for s := range work {
					if again { // there may be earlier ones that are not due
						faults[i] = f.hearAll(ctx, source, s)
					} else {
						faults[i] = f.hearAbout(ctx, source, of[s], nil)
					}
					if faults[i] != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		if err := errors.Join(faults...); err != nil {
			return err
		}
	}
}

// hearAll looks at all events about one employment, of which some were looked at before. While an earlier one waits for
// its record the later ones wait with it; only what ends an employment on its own word never waits.
func (f *Flow) hearAll(ctx context.Context, source, subject string) error {
	q := store.EventFilter{State: dayone.EventReceived, Source: source, Subject: subject, Oldest: true, Limit: pageOf}
	var held *delay
	for {
		events, err := f.Store.Events(ctx, q)
		if err != nil || len(events) == 0 {
			return err
		}
		now := f.Clock.Now()
		if q.After == "" && events[0].Next.After(now) {
			held = &delay{events[0].Next, events[0].Note}
		}
		q.After = events[len(events)-1].ID
		if held != nil {
			events = slices.DeleteFunc(events, func(in dayone.Intake) bool { return in.Next.After(now) })
		}
		if err := f.hearAbout(ctx, source, events, held); err != nil {
			return err
		}
	}
}

// hearAbout looks at events about one employment, in the order in which they came. They were all received before their
// record is read, so it is read once.
func (f *Flow) hearAbout(ctx context.Context, source string, events []dayone.Intake, held *delay) error {
	read := f.reader(source)
	if held != nil {
		read = func(context.Context, string) (dayone.Event, error) { return dayone.Event{}, held }
	}
	for _, in := range events {
		err := f.process(ctx, in, read)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		note, next := f.waits(in, err)
		f.Log.Warn("an event waits", "event", in.ID, "until", next, "error", err)
		if err := f.Store.EventTried(ctx, in.ID, note, next); err != nil {
			return err
		}
	}
	return nil
}

// delay is why an event waits though nobody asked for its record: an earlier one about the same employment waits.
type delay struct {
	until time.Time
	note  string
}

func (d *delay) Error() string { return d.note }
func (*delay) Unwrap() error   { return dayone.ErrNotYet }

// waits says why an event waits, what is to be done about it, and when it is looked at again: soon where the source will
// come back by itself, seldom where somebody has to let us in first.
func (f *Flow) waits(in dayone.Intake, err error) (note string, next time.Time) {
	var d *delay
	if errors.As(err, &d) {
		return d.note, d.until
	}
	shortest, longest, todo := 10*time.Second, 5*time.Minute, ""
	switch {
	case errors.Is(err, dayone.ErrAuth):
		shortest, longest, todo = time.Minute, 15*time.Minute, fmt.Sprintf("; give the source %s a credential that it accepts", in.Source)
	case errors.Is(err, dayone.ErrForbidden):
		shortest, longest, todo = time.Minute, 15*time.Minute, fmt.Sprintf("; let the credential of the source %s read this record", in.Source)
	}
	pause := longest
	if n := in.Tries; n < 16 {
		pause = min(longest, shortest<<n)
	}
	next = f.Clock.Now().Add(pause)
	var fault *dayone.Fault
	if errors.As(err, &fault) {
		if fault.RetryAt.After(next) {
			next = fault.RetryAt
		}
		if fault.Next != "" {
			todo = "" // it says so itself
		}
	}
	return err.Error() + todo + "; it is tried again by itself", next
}
