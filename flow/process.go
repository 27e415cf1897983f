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
	"github.com/dayone-hq/dayone/store"
)

// ---- 2. process: an event becomes timeline ----

// process looks at one event: with its record it extends the timeline, and plans. An error means that nothing was decided
// and that the event is looked at again.
func (f *Flow) process(ctx context.Context, in dayone.Intake, read reader) error {
	body, err := f.Store.Body(ctx, in.ID)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	if err == nil && slices.Contains(dayone.OfferTypes, in.Type) {
		return f.offer(ctx, in, body)
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
	if j.New != nil {
		f.hireTakes(ctx, h, person)
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
		if e.Subject == ev.Subject && (e.SourceID == ev.SourceID || ev.SourceID == "") && (same || !found) { // without its own: the id was used before
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

// personManaged is the record of that.
const personManaged = "person managed"

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
	return f.save(ctx, &t, store.Saved{Person: id, Row: &row, Records: []dayone.Record{{At: now, Person: id, What: personManaged, By: by}}})
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
		Buddy: p.Attrs.Text("buddy"), Veil: p.Veil, Unveil: p.Unveils, Country: countryOf(p), Company: p.Attrs.Text("company"),
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
			told, err := f.tellable(ctx, n.suspects)
			if err != nil {
				return Look{}, err
			}
			if told[0].Person == "" {
				return Look{}, fmt.Errorf("this event would be held: %s: %w", BeyondRole, dayone.ErrConflict)
			}
			return Look{}, fmt.Errorf("this event would be held: it may be about person %s, by %s; somebody decides that first: %w", told[0].Person, strings.Join(told[0].Why, ", "), dayone.ErrConflict)
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
