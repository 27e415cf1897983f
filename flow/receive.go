package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
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
	return f.Store.Accept(ctx, ev, body)
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

// ---- 2. process: an event becomes timeline ----

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
	for _, see := range []func(context.Context) (time.Time, error){f.seeHeld, f.readLists} {
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

// process looks at one event: with its record it extends the timeline, and plans. An error means that nothing was decided
// and that the event is looked at again.
func (f *Flow) process(ctx context.Context, in dayone.Intake, read reader) error {
	body, err := f.Store.Body(ctx, in.ID)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	var h people.Heard
	if err == nil {
		h, err = f.hear(ctx, in.Event, body, read)
	}
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrInvalid) {
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventQuarantined, err.Error())
	}
	if err != nil {
		return err
	}
	person, known, err := f.whose(ctx, h)
	if errors.Is(err, dayone.ErrNotFound) {
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventQuarantined, err.Error())
	}
	if err != nil {
		return err
	}
	release := func() {}
	if !known {
		n, held, err := f.newOf(ctx, in, h)
		if err != nil || held {
			return err
		}
		if release = n.release; n.person != "" {
			person, known = n.person, true
		}
	}
	defer f.intake.take(person)()
	j, err := f.take(ctx, h, person, known, in.Brake)
	release()
	if err != nil || j.State != dayone.EventApplied {
		return err
	}
	began := f.Clock.Now()
	because := in.ID
	if j.Veiled { // what nobody may know brings nothing about: she is looked at as if by ourselves
		because = ""
	}
	run, err := f.Replan(ctx, person, because, "")
	if err != nil {
		f.Log.Error("planning", "person", person, "event", in.ID, "error", err)
		if err := f.unplanned(ctx, person, began, err); err != nil {
			return err
		}
		return f.Store.EventRun(ctx, in.ID, "", unplannedNote+Problem(err))
	}
	if run != "" {
		return f.Store.EventRun(ctx, in.ID, run, strings.Join(j.Findings, "; "))
	}
	return nil
}

// unplannedNote begins what an event says that counts and asks for a plan that cannot be made yet.
const unplannedNote = "in the timeline, but no plan could be made: "

// reader reads the record of an employment.
type reader func(ctx context.Context, subject string) (dayone.Event, error)

// reader asks a source for a record once. It is for events that are at hand already: they were all said before it answers.
func (f *Flow) reader(source string) reader {
	src, ok := f.source(source)
	if !ok {
		return nil
	}
	asked := false
	var record dayone.Event
	var err error
	return func(ctx context.Context, subject string) (dayone.Event, error) {
		if !asked {
			record, err = src.Read(ctx, subject)
			asked = ctx.Err() == nil
			if err == nil {
				f.heardFrom(source)
			}
		}
		return record, err
	}
}

// hear is what there is to judge of an event: its own fields, and the record as it stands now where the source has an
// API, since there a webhook only says "look again". What ends an employment counts on its own word where no record can
// be read: HR deletes the record of somebody who has left, and a termination waits for no token.
func (f *Flow) hear(ctx context.Context, ev dayone.Event, body []byte, read reader) (people.Heard, error) {
	src, ok := f.source(ev.Source)
	if !ok {
		return people.Heard{Event: ev}, fmt.Errorf("source %q is no longer configured: %w", ev.Source, dayone.ErrInvalid)
	}
	if h, ok, err := ofList(ev, body, src); ok || err != nil {
		return h, err
	}
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return people.Heard{Event: ev}, err
	}
	h := people.Heard{Event: ev, Since: src.Since, Secret: src.Confidential}
	found := false
	for _, e := range events { // as the mapping reads it now; of several that have no id of their own the one of that kind and time
		same := e.Type == ev.Type && e.At.Truncate(time.Microsecond).Equal(ev.At)
		if e.Subject == ev.Subject && e.SourceID == ev.SourceID && (same || !found) {
			h.Type, h.At, h.Fields, h.Full, h.By, h.Reason = e.Type, e.At, e.Fields, e.Full, e.By, e.Reason
			found = true
		}
	}
	record, err := read(ctx, ev.Subject)
	switch {
	case err == nil:
		h.Record = &record
	case errors.Is(err, dayone.ErrUnsupported):
	case ctx.Err() == nil && people.Ends(h.Event):
		h.Unread = err.Error()
	case errors.Is(err, dayone.ErrNotFound):
		return h, fmt.Errorf("%s sent an event about %q but does not know it: %w", ev.Source, ev.Subject, dayone.ErrNotFound)
	default:
		return h, err
	}
	return h, nil
}

// extend is what an event makes of a timeline and of the person at an instant. Whatever is done or only shown goes
// through here.
func (f *Flow) extend(ctx context.Context, t *dayone.Timeline, h people.Heard, now time.Time, id dayone.EngagementID) (before, p dayone.Person, j people.Judgement, err error) {
	set := f.Active()
	before = people.At(t, now, now, set)
	j = people.Judge(t, h, set, now, id)
	if j.State == dayone.EventQuarantined {
		return before, before, j, nil
	}
	if err := f.strangers(ctx, t.Person, &j); err != nil {
		return before, before, j, err
	}
	*t = j.Extend(*t)
	p = people.At(t, now, now, set)
	if j.State == dayone.EventApplied {
		p = f.buddy(ctx, t, p, &j)
		made, findings, err := f.names(ctx, t, p)
		if err != nil {
			return before, p, j, err
		}
		j.Facts, j.Findings, t.Facts = append(j.Facts, made...), append(j.Findings, findings...), append(t.Facts, made...)
		for _, n := range made {
			p.Attrs = p.Attrs.With(dayone.Attrs{n.Attr: n.Value})
		}
	}
	return before, p, j, nil
}

// whose employment an event is about; an id for somebody new, and false, if it is nobody's yet.
func (f *Flow) whose(ctx context.Context, h people.Heard) (dayone.PersonID, bool, error) {
	id, known, err := f.Store.PersonOf(ctx, h.Source, h.Subject)
	if err == nil && !known && h.Source == dayone.Portal && dayone.ValidID("eng", h.Subject) {
		if id, known, err = f.Store.PersonWith(ctx, dayone.EngagementID(h.Subject)); err == nil && !known {
			return "", false, fmt.Errorf("nobody has the employment %s: %w", h.Subject, dayone.ErrNotFound)
		}
	}
	if err == nil && !known {
		id = dayone.PersonID(f.IDs.New("per"))
	}
	return id, known, err
}

// take extends the timeline of the person whose employment it is, making the person if there is none. Beyond a brake it is
// held, and nothing is extended; behind is the brake that let it through.
func (f *Flow) take(ctx context.Context, h people.Heard, id dayone.PersonID, known bool, behind dayone.BrakeID) (people.Judgement, error) {
	defer f.lock(id)()
	for {
		j, err := f.taken(ctx, h, id, known, behind)
		if !errors.Is(err, store.ErrNameTaken) { // by somebody who came at the same time: there is a next one
			return j, err
		}
	}
}

func (f *Flow) taken(ctx context.Context, h people.Heard, id dayone.PersonID, known bool, behind dayone.BrakeID) (people.Judgement, error) {
	t := dayone.Timeline{Person: id}
	if known {
		var err error
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return people.Judgement{}, err
		}
	}
	now, was := f.Clock.Now(), t
	before, p, j, err := f.extend(ctx, &t, h, now, dayone.EngagementID(f.IDs.New("eng")))
	if err != nil {
		return j, err
	}
	if j.State != dayone.EventApplied {
		if !known {
			id = ""
		}
		if behind != "" {
			if err := f.Store.DropHeld(ctx, string(h.ID), now); err != nil {
				return j, err
			}
		}
		return j, f.save(ctx, &t, store.Saved{Event: h.ID, State: j.State, Note: noteOf(j.Note, j), Person: id, Facts: j.Again, Veiled: j.Veiled})
	}
	row := rowOf(p)
	row.Managed = t.Managed // also of whom nobody may know yet
	row.Wake = now          // should we fall between here and the plan, she is looked at when we are back
	if !p.Managed {
		row.Wake = people.Next(&t, now, f.Active())
	}
	task, err := f.askRename(ctx, &t, before, p, h.ID)
	if err != nil {
		return j, err
	}
	intent := f.meaning(&was, &t, now, j.Veiled)
	wholeBefore, whole, veiled := f.braked(&was, &t, now, before, p, j)
	passing, err := f.passing(ctx, h, behind, wholeBefore, whole, j, known, veiled)
	if err != nil {
		return j, err
	}
	err = f.save(ctx, &t, store.Saved{
		Passing: passing,
		Event:   h.ID, State: dayone.EventApplied, Note: noteOf(intent, j), Person: id, New: !known,
		Employment: j.New, Facts: slices.Concat(j.Facts, j.Again), Names: f.named(j.Facts), Row: &row, Opened: task, Marks: f.marksOf(people.Traits(&t, now)), Veiled: j.Veiled,
		Records: []dayone.Record{{At: now, Person: id, What: "event: " + string(h.Type), System: h.Source, By: h.By, Detail: &dayone.Detail{Note: withReason(intent, h.Reason)}}},
	})
	if err == nil && passing != nil && passing.By != "" {
		j.State = dayone.EventHeld
		f.follow(before, laid{f.Active(), turns(&was, now, f.Active())})
	}
	return j, err
}

// Manage makes somebody one for whom access is planned who is only known from an import. ErrConflict: that she is already.
func (f *Flow) Manage(ctx context.Context, id dayone.PersonID, by string) (dayone.RunID, error) {
	defer f.intake.take(id)()
	if err := f.manage(ctx, id, by); err != nil {
		return "", err
	}
	return f.Replan(ctx, id, "", "")
}

func (f *Flow) manage(ctx context.Context, id dayone.PersonID, by string) error {
	defer f.lock(id)()
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return err
	}
	if t.Managed {
		return fmt.Errorf("person %s is managed already: %w", id, dayone.ErrConflict)
	}
	t.Managed = true
	now := f.Clock.Now()
	row := rowOf(people.At(&t, now, now, f.Active()))
	row.Wake = now
	return f.save(ctx, &t, store.Saved{Person: id, Row: &row, Records: []dayone.Record{{At: now, Person: id, What: "person managed", By: by}}})
}

func noteOf(what string, j people.Judgement) string {
	return strings.Join(append([]string{what}, j.Findings...), "; ")
}

func withReason(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// rowOf is the person as lists show her.
func rowOf(p dayone.Person) store.Row {
	if p.Veil == dayone.WholeVeiled { // she is in no list, no count and no search
		return store.Row{ID: p.ID, Veil: p.Veil, Unveil: p.Unveils}
	}
	return store.Row{
		ID: p.ID, Managed: p.Managed, Name: p.Name(), Email: p.Attrs.Text("email"), Manager: p.Attrs.Text("manager"), Title: p.Attrs.Text("job_title"),
		Department: p.Attrs.Text("department"), Team: p.Attrs.Text("team"), Location: p.Attrs.Text("location"), Status: p.Status, Starts: p.Start, Ends: p.End,
		Buddy: p.Attrs.Text("buddy"), Veil: p.Veil, Unveil: p.Unveils,
	}
}

// buddy finds one for a new hire whose source names none: of the same team, active, not the manager, and of these the
// one who has had the fewest this quarter.
func (f *Flow) buddy(ctx context.Context, t *dayone.Timeline, p dayone.Person, j *people.Judgement) dayone.Person {
	if p.Status != dayone.PreHire || !p.Managed || p.Attrs.Text("buddy") != "" || p.Attrs.Text("team") == "" {
		return p
	}
	rows, err := f.Store.People(ctx, store.PeopleFilter{Team: p.Attrs.Text("team"), Status: dayone.Working, Limit: 200})
	if err != nil {
		f.Log.Warn("no buddy could be looked for", "person", p.ID, "error", err)
		return p
	}
	had, err := f.Store.Buddies(ctx, p.Start.AddDate(0, -3, 0))
	if err != nil {
		f.Log.Warn("no buddy could be looked for", "person", p.ID, "error", err)
		return p
	}
	rows = slices.DeleteFunc(rows, func(r store.Row) bool {
		return r.Email == "" || r.Email == strings.ToLower(p.Attrs.Text("manager")) || r.ID == p.ID
	})
	if len(rows) == 0 {
		return p
	}
	best := slices.MinFunc(rows, func(a, b store.Row) int {
		// the same job first, then the least burdened, then by name
		same := func(r store.Row) int {
			if r.Title == p.Attrs.Text("job_title") {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(same(a), same(b)), cmp.Compare(had[a.Email], had[b.Email]), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for _, e := range p.Engagements {
		if e.Primary {
			fact := dayone.Fact{Engagement: e.ID, Attr: "buddy", Recorded: f.Clock.Now(), Value: dayone.Text(best.Email), Source: maker}
			t.Facts, j.Facts = append(t.Facts, fact), append(j.Facts, fact)
		}
	}
	p.Attrs = p.Attrs.With(dayone.Attrs{"buddy": dayone.Text(best.Email)})
	return p
}

// ---- 3. decide and plan ----

// PreviewEvent says what an event would do if it came now, and does nothing: nothing is stored, nobody is called but the
// source, which is only read.
func (f *Flow) PreviewEvent(ctx context.Context, source string, body []byte) (Look, error) {
	src, ok := f.Sources[source]
	if !ok {
		return Look{}, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	events, err := src.Parse(body)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("there is no event in it: %w", dayone.ErrInvalid)
	}
	if err != nil {
		return Look{}, err
	}
	ev := events[0]
	ev.Source, ev.Received = source, f.Clock.Now()
	h, err := f.hear(ctx, ev, body, f.reader(source))
	if err != nil {
		return Look{}, err
	}
	id, known, err := f.Store.PersonOf(ctx, source, ev.Subject)
	if err != nil {
		return Look{}, err
	}
	if !known {
		n, err := f.meet(ctx, h)
		n.release()
		switch {
		case err != nil:
			return Look{}, err
		case len(n.suspects) > 0:
			return Look{}, fmt.Errorf("this event would be held: it may be about person %s, by %s; somebody decides that first: %w", n.suspects[0].Person, strings.Join(n.suspects[0].Why, ", "), dayone.ErrConflict)
		case n.person != "":
			id, known = n.person, true
		}
	}
	b := books{line: dayone.Timeline{Person: cmp.Or(id, "per_new")}}
	if known {
		b, err = f.booksOf(ctx, id)
		b.unsaid = nil // of this event it says nothing
	} else {
		err = f.standing(ctx, b.line.Person, &b)
	}
	if err != nil {
		return Look{}, err
	}
	_, p, j, err := f.extend(ctx, &b.line, h, ev.Received, "eng_new")
	switch {
	case err != nil:
		return Look{}, err
	case j.State == dayone.EventQuarantined:
		return Look{}, fmt.Errorf("this event would be quarantined: %s: %w", j.Note, dayone.ErrInvalid)
	case !p.Managed: // known, and nothing is planned
		return Look{Person: p, Have: b.have}, nil
	}
	return f.decide(p, b, f.occasions(b.line.Told, p))
}

// ---- 4. start ----

// Import reads everybody a source knows. People who started before Source.Since are known from then on (as managers,
// buddies, reviewers), but nothing is planned for them.
func (f *Flow) Import(ctx context.Context, source string) (int, error) {
	src, ok := f.Sources[source]
	if !ok {
		return 0, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	done, listed := 0, 0
	for ev, err := range src.Everybody(ctx) {
		if errors.Is(err, dayone.ErrUnsupported) {
			return done, nil
		}
		if errors.Is(err, dayone.ErrInvalid) { // one record that cannot be read hides no other
			f.Log.Warn("a record cannot be imported", "source", source, "error", err)
			continue
		}
		if err != nil {
			return done, fmt.Errorf("reading everybody of %s: %w", source, err)
		}
		listed++
		start, _ := ev.Fields["start_date"].Day()
		if t, err := time.Parse(time.DateOnly, ev.Fields["start_date"].Text); err == nil {
			start = t
		}
		if !src.Since.IsZero() && !start.Before(src.Since) {
			continue // a hire: its event brings it, with a run
		}
		ev.Source, ev.Type, ev.Received = source, dayone.Imported, f.Clock.Now()
		if _, known, err := f.Store.PersonOf(ctx, source, ev.Subject); err != nil || known {
			if err != nil {
				return done, err
			}
			continue
		}
		h := people.Heard{Event: ev, Since: src.Since}
		n, err := f.meet(ctx, h)
		if err != nil {
			return done, err
		}
		if doubt := slices.DeleteFunc(n.suspects, func(s dayone.Suspect) bool { return !slices.Contains(s.Why, people.TraitTexts[people.TraitMail]) }); len(doubt) > 0 {
			n.release()
			f.Log.Warn("a record is not imported: it may be of somebody who is known already; the next event about it asks", "source", source, "subject", ev.Subject, "known", doubt[0].Person)
			continue
		}
		id := cmp.Or(n.person, dayone.PersonID(f.IDs.New("per")))
		j, err := f.take(ctx, h, id, n.person != "", "")
		n.release()
		if err != nil {
			return done, err
		}
		if j.State == dayone.EventQuarantined {
			f.Log.Warn("a record cannot be imported", "source", source, "subject", ev.Subject, "why", j.Note)
			continue
		}
		done++
	}
	f.heardFrom(source)
	return done, f.firstList(ctx, source, listed)
}
