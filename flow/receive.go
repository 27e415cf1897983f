package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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

// Receive takes a webhook: signature first, then the body is stored, then it may be answered. What cannot be read is
// quarantined, not refused: nothing is lost. ErrAuth: not signed by the source. ErrInvalid: no JSON.
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
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return nil, err
	}
	out := make([]Receipt, 0, len(events))
	for _, ev := range events {
		ev.ID, ev.Source, ev.Received = dayone.EventID(f.IDs.New("evt")), source, now
		why := err
		if ev.Type != "" {
			why = nil // another event of this body is the bad one
		}
		in, again, err := f.accept(ctx, ev, body, why)
		if err != nil {
			return nil, err
		}
		r := Receipt{ID: in.ID, State: in.State, Note: in.Note, Again: again}
		if again {
			r.Note = "this was said before; nothing changes"
		}
		out = append(out, r)
	}
	f.look()
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

func (f *Flow) look() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// ---- 2. process: an event becomes timeline ----

// round looks at everything that waits, once. retry is when to look again because a source did not answer.
func (f *Flow) round(ctx context.Context) (retry time.Time, err error) {
	if err := f.reload(ctx); err != nil {
		return retry, err
	}
	for {
		events, err := f.Store.Events(ctx, store.EventFilter{State: dayone.EventReceived, Oldest: true, Limit: 200})
		if err != nil {
			return retry, err
		}
		stuck := 0
		for _, in := range events {
			if err := f.Process(ctx, in); err != nil {
				if ctx.Err() != nil {
					return retry, ctx.Err()
				}
				f.Log.Warn("an event waits", "event", in.ID, "error", err)
				if err := f.Store.EventTried(ctx, in.ID, err.Error()); err != nil {
					return retry, err
				}
				retry = f.Clock.Now().Add(retryEvent)
				stuck++
			}
		}
		if len(events) == stuck || len(events) < 200 {
			break
		}
	}
	for {
		due, err := f.Store.Due(ctx, f.Clock.Now(), 200)
		if err != nil || len(due) == 0 {
			return retry, err
		}
		for _, p := range due {
			if _, err := f.Replan(ctx, p, "", ""); err != nil {
				if ctx.Err() != nil {
					return retry, ctx.Err()
				}
				f.Log.Error("planning a person again", "person", p, "error", err)
				again := time.Minute
				if errors.Is(err, dayone.ErrInvalid) { // somebody has to change a policy or a setting first
					again = time.Hour
				}
				if err := f.Store.SetWake(ctx, p, f.Clock.Now().Add(again)); err != nil {
					return retry, err
				}
			}
		}
	}
}

// Process looks at one event: reads the record again where the source has one, extends the timeline, and plans. An
// error means that nothing was decided and the event is looked at again.
func (f *Flow) Process(ctx context.Context, in dayone.Intake) error {
	ev, err := f.reread(ctx, in)
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrInvalid) {
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventQuarantined, err.Error())
	}
	if err != nil {
		return err
	}
	person, j, err := f.take(ctx, ev)
	if err != nil || j.State != dayone.EventApplied {
		return err
	}
	run, err := f.Replan(ctx, person, ev.ID, "")
	if err != nil {
		f.Log.Error("planning", "person", person, "event", ev.ID, "error", err)
		return f.Store.EventRun(ctx, ev.ID, "", "in the timeline, but no plan could be made: "+err.Error())
	}
	if run != "" {
		return f.Store.EventRun(ctx, ev.ID, run, strings.Join(j.Findings, "; "))
	}
	return nil
}

// reread fetches the record as it stands: the webhook only says "look again". Without an API the event's own fields
// count.
func (f *Flow) reread(ctx context.Context, in dayone.Intake) (dayone.Event, error) {
	src, ok := f.Sources[in.Source]
	if !ok {
		return in.Event, fmt.Errorf("source %q is no longer configured: %w", in.Source, dayone.ErrInvalid)
	}
	body, err := f.Store.Body(ctx, in.ID)
	if err != nil {
		return in.Event, err
	}
	events, err := src.Parse(body)
	if err != nil && len(events) == 0 {
		return in.Event, err
	}
	ev := in.Event
	for _, e := range events {
		if e.Subject == ev.Subject && e.SourceID == ev.SourceID {
			ev.Fields = e.Fields
		}
	}
	now, err := src.Read(ctx, ev.Subject)
	switch {
	case errors.Is(err, dayone.ErrUnsupported):
		return ev, nil
	case errors.Is(err, dayone.ErrNotFound):
		return ev, fmt.Errorf("%s sent an event about %q but does not know it: %w", in.Source, ev.Subject, dayone.ErrNotFound)
	case err != nil:
		return ev, err
	}
	merged := maps.Clone(ev.Fields)
	if merged == nil {
		merged = map[string]dayone.Value{}
	}
	maps.Copy(merged, now.Fields)
	ev.Fields = merged
	return ev, nil
}

// take extends the timeline of the person whose employment it is, making the person if there is none.
func (f *Flow) take(ctx context.Context, ev dayone.Event) (dayone.PersonID, people.Judgement, error) {
	id, known, err := f.Store.PersonOf(ctx, ev.Source, ev.Subject)
	if err != nil {
		return "", people.Judgement{}, err
	}
	if !known {
		id = dayone.PersonID(f.IDs.New("per"))
	}
	defer f.lock(id)()
	t := dayone.Timeline{Person: id}
	if known {
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return "", people.Judgement{}, err
		}
	}
	now := f.Clock.Now()
	set := f.Active()
	j := people.Judge(&t, ev, set, now, dayone.EngagementID(f.IDs.New("eng")))
	if j.State != dayone.EventApplied {
		if !known {
			id = ""
		}
		return id, j, f.Store.Save(ctx, store.Saved{Event: ev.ID, State: j.State, Note: j.Note, Person: id})
	}
	before := people.At(&t, now, now, set)
	t.Managed = j.Managed
	t.Facts = append(t.Facts, j.Facts...)
	if j.New != nil {
		t.Employments = append(t.Employments, *j.New)
	}
	p := people.At(&t, now, now, set)
	p = f.buddy(ctx, &t, p, &j)
	row := rowOf(p)
	row.Wake = now // should we fall between here and the plan, she is looked at when we are back
	if !p.Managed {
		row.Wake = people.Next(&t, now, set)
	}
	intent := people.Intent(before, p, !known)
	return id, j, f.Store.Save(ctx, store.Saved{
		Event: ev.ID, State: dayone.EventApplied, Note: strings.Join(append([]string{intent}, j.Findings...), "; "), Person: id, New: !known,
		Employment: j.New, Facts: j.Facts, Row: &row,
		Records: []dayone.Record{{At: now, Person: id, What: "event: " + string(ev.Type), System: ev.Source, Detail: &dayone.Detail{Note: intent}}},
	})
}

// rowOf is the person as lists show her.
func rowOf(p dayone.Person) store.Row {
	return store.Row{
		ID: p.ID, Managed: p.Managed, Name: p.Name(), Email: p.Attrs.Text("email"), Manager: p.Attrs.Text("manager"), Title: p.Attrs.Text("job_title"),
		Department: p.Attrs.Text("department"), Team: p.Attrs.Text("team"), Location: p.Attrs.Text("location"), Status: p.Status, Starts: p.Start, Ends: p.End,
		Buddy: p.Attrs.Text("buddy"),
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
			fact := dayone.Fact{Engagement: e.ID, Attr: "buddy", Recorded: f.Clock.Now(), Value: dayone.Text(best.Email), Source: "dayone"}
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
	if now, err := src.Read(ctx, ev.Subject); err == nil {
		merged := maps.Clone(ev.Fields)
		maps.Copy(merged, now.Fields)
		ev.Fields = merged
	} else if !errors.Is(err, dayone.ErrUnsupported) {
		return Look{}, err
	}
	id, known, err := f.Store.PersonOf(ctx, source, ev.Subject)
	if err != nil {
		return Look{}, err
	}
	t := dayone.Timeline{Person: cmp.Or(id, "per_new")}
	var have []dayone.Holding
	if known {
		if t, err = f.Store.Timeline(ctx, id); err != nil {
			return Look{}, err
		}
		if have, err = f.Store.Holdings(ctx, id, true); err != nil {
			return Look{}, err
		}
	}
	j := people.Judge(&t, ev, f.Active(), ev.Received, "eng_new")
	if j.State == dayone.EventQuarantined {
		return Look{}, fmt.Errorf("this event would be quarantined: %s: %w", j.Note, dayone.ErrInvalid)
	}
	t.Managed = j.Managed
	t.Facts = append(t.Facts, j.Facts...)
	if j.New != nil {
		t.Employments = append(t.Employments, *j.New)
	}
	p := people.At(&t, ev.Received, ev.Received, f.Active())
	p = f.buddy(ctx, &t, p, &j)
	return f.decide(ctx, p, have)
}

// ---- 4. start ----

// Import reads everybody a source knows. People who started before Source.Since are known from then on (as managers,
// buddies, reviewers), but nothing is planned for them.
func (f *Flow) Import(ctx context.Context, source string) (int, error) {
	src, ok := f.Sources[source]
	if !ok {
		return 0, fmt.Errorf("there is no source %q: %w", source, dayone.ErrNotFound)
	}
	n := 0
	for ev, err := range src.Everybody(ctx) {
		if errors.Is(err, dayone.ErrUnsupported) {
			return n, nil
		}
		if errors.Is(err, dayone.ErrInvalid) { // one record that cannot be read hides no other
			f.Log.Warn("a record cannot be imported", "source", source, "error", err)
			continue
		}
		if err != nil {
			return n, fmt.Errorf("reading everybody of %s: %w", source, err)
		}
		start, _ := ev.Fields["start_date"].Day()
		if t, err := time.Parse(time.DateOnly, ev.Fields["start_date"].Text); err == nil {
			start = t
		}
		if !src.Since.IsZero() && !start.Before(src.Since) {
			continue // a hire: its event brings it, with a run
		}
		ev.Source, ev.Type, ev.At, ev.Received = source, dayone.Imported, f.Clock.Now(), f.Clock.Now()
		if _, known, err := f.Store.PersonOf(ctx, source, ev.Subject); err != nil || known {
			if err != nil {
				return n, err
			}
			continue
		}
		_, j, err := f.take(ctx, ev)
		if err != nil {
			return n, err
		}
		if j.State == dayone.EventQuarantined {
			f.Log.Warn("a record cannot be imported", "source", source, "subject", ev.Subject, "why", j.Note)
			continue
		}
		n++
	}
	return n, nil
}
