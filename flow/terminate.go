package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// An emergency does not wait for HR, nor for the end of the day. Whoever is terminated here has no access from that instant
// on, and no ordinary word of HR gives it back: it stands until somebody reinstates her here, or HR says that a termination
// is cancelled or that she is hired again.

// Terminated is what a termination, or its end, has brought about.
type Terminated struct {
	Person dayone.PersonID
	At     time.Time
	Run    dayone.RunID // "": nothing was to be done
	Note   string       // why no plan could be made
}

// TerminatePreview is what would be closed if somebody were terminated now: nothing is stored, nobody is called.
func (f *Flow) TerminatePreview(ctx context.Context, id dayone.PersonID) (Closing, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return Closing{}, err
	}
	now := f.Clock.Now()
	p, err := f.PersonNow(ctx, id)
	if err != nil {
		return Closing{}, err
	}
	for _, e := range goesOn(&t, p, now) {
		if _, p, _, err = f.extend(ctx, &t, people.Heard{Event: stopEvent(e, dayone.Terminated, now, "", "")}, now, ""); err != nil {
			return Closing{}, err
		}
	}
	b, err := f.booksOf(ctx, id)
	if err != nil {
		return Closing{}, err
	}
	b.at, b.line, b.answers, b.requests = now, t, answers{}, nil
	b.holds = slices.DeleteFunc(b.holds, func(h dayone.Hold) bool { return h.Keep }) // they end with it
	l, err := f.decide(p, b, f.tellOf(b.unsaid, &t, p))
	if err != nil {
		return Closing{Look: l}, err
	}
	return f.closing(ctx, l)
}

// StoppedSince is since when access of somebody is ended here; zero: it is not. Another employment of hers opens nothing then.
func (f *Flow) StoppedSince(ctx context.Context, id dayone.PersonID) (time.Time, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	var since time.Time
	for _, at := range people.Stopped(&t, f.Clock.Now()) {
		if since.IsZero() || at.Before(since) {
			since = at
		}
	}
	return since, nil
}

// goesOn are the employments of which something is left to be ended.
func goesOn(t *dayone.Timeline, p dayone.Person, now time.Time) []dayone.EngagementID {
	if p.Status == dayone.Left {
		return nil
	}
	stopped := people.Stopped(t, now)
	zone, _ := p.Location()
	var out []dayone.EngagementID
	for _, e := range p.Engagements {
		last, err := time.ParseInLocation(time.DateOnly, e.LastDay, zone)
		ended := err == nil && last.AddDate(0, 0, 1).Before(now)
		if _, is := stopped[e.ID]; !is && !ended {
			out = append(out, e.ID)
		}
	}
	return out
}

// Terminate takes somebody's access away now. heir is whoever takes over what she looks after, by mail address; "": her
// manager. ErrInvalid: no reason, or nobody who can take over. ErrConflict: she has left and nothing keeps her access open.
// Said twice it is carried out once.
func (f *Flow) Terminate(ctx context.Context, id dayone.PersonID, by, reason, heir string) (Terminated, error) {
	reason = strings.TrimSpace(reason)
	now := f.Clock.Now()
	out := Terminated{Person: id, At: now}
	if reason == "" {
		return out, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	heir, err := f.mayInherit(ctx, id, heir)
	if err != nil {
		return out, err
	}
	defer f.lock("stop of " + id)() // of several who say it at once one ends it, and the others hear that
	now = f.Clock.Now()
	out.At = now
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return out, err
	}
	seen, err := f.PersonNow(ctx, id)
	if err != nil {
		return out, err
	}
	kept, err := f.endKeeping(ctx, id, by, reason)
	if err != nil {
		return out, err
	}
	// what whoever asks may not know of ends with the rest, and is not told
	if open := goesOn(&t, people.Whole(&t, now, now, f.Active()), now); len(open) > 0 {
		if out, err = f.enterStop(ctx, out, open, stopWord{dayone.Terminated, by, reason, heir}); err != nil {
			return out, err
		}
		if t.Managed && len(goesOn(&t, seen, now)) > 0 {
			return out, nil
		}
	}
	switch {
	case !t.Managed: // known from an import: what the books know of her access is closed, too, once nothing can be given to her
		if err := f.manage(ctx, id, by); err != nil && !errors.Is(err, dayone.ErrConflict) {
			return out, err
		}
		fallthrough
	case kept:
		out.Run, err = f.Replan(ctx, id, "", "")
		return out, err
	}
	since, err := f.endedBy(ctx, id, &t, now)
	if err != nil {
		return out, err
	}
	return out, fmt.Errorf("they have left already%s, and nothing keeps their access open; dayone people certificate shows what every system says: %w", since, dayone.ErrConflict)
}

// endedBy says since when access of somebody is ended here, and which run closed it; "": it is not ended here.
func (f *Flow) endedBy(ctx context.Context, id dayone.PersonID, t *dayone.Timeline, now time.Time) (string, error) {
	var since time.Time
	for _, at := range people.Stopped(t, now) {
		if since.IsZero() || at.Before(since) {
			since = at
		}
	}
	if since.IsZero() {
		return "", nil
	}
	out := ": access was ended here on " + since.UTC().Format("2 January 2006 at 15:04 UTC")
	runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: 20})
	for i := len(runs) - 1; i >= 0; i-- { // the first since then
		if !runs[i].Started.Before(since) {
			return out + " by run " + string(runs[i].ID), err
		}
	}
	return out, err
}

// Reinstate lifts what Terminate did: what HR says of the employment counts again. ErrConflict: access was not ended here.
func (f *Flow) Reinstate(ctx context.Context, id dayone.PersonID, by, reason string) (Terminated, error) {
	reason = strings.TrimSpace(reason)
	now := f.Clock.Now()
	out := Terminated{Person: id, At: now}
	if reason == "" {
		return out, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return out, err
	}
	stopped := slices.Sorted(maps.Keys(people.Stopped(&t, now)))
	if len(stopped) == 0 {
		return out, fmt.Errorf("their access was not ended here, so there is nothing to take back; a termination that HR said is cancelled in HR: %w", dayone.ErrConflict)
	}
	return f.enterStop(ctx, out, stopped, stopWord{dayone.TerminationCancelled, by, reason, ""})
}

func stopEvent(e dayone.EngagementID, kind dayone.EventType, now time.Time, by, reason string) dayone.Event {
	return dayone.Event{
		Source: dayone.Portal, Type: kind, Subject: string(e), At: now, Received: now, By: by, Reason: reason,
		Fields: map[string]dayone.Value{people.StopAt: dayone.Text(now.UTC().Format(time.RFC3339Nano))},
	}
}

// stopWord is what is said about every employment of somebody.
type stopWord struct {
	kind             dayone.EventType
	by, reason, heir string
}

// enterStop says it of every employment. All are kept before the first is looked at: should we fall between, the rest is
// carried out when we are back.
func (f *Flow) enterStop(ctx context.Context, out Terminated, of []dayone.EngagementID, w stopWord) (Terminated, error) {
	entries := make([]Entry, 0, len(of))
	for _, e := range of {
		fields := map[string]string{people.StopAt: out.At.UTC().Format(time.RFC3339Nano)}
		if w.heir != "" {
			fields[people.StopHeir] = w.heir
		}
		entries = append(entries, Entry{Type: w.kind, Subject: string(e), By: w.by, Reason: w.reason, Fields: fields})
	}
	ins, err := f.enterAll(ctx, entries)
	if err != nil {
		return out, err
	}
	for _, in := range ins {
		if in.Run != "" {
			out.Run = in.Run
		} else if in.State == dayone.EventApplied && strings.Contains(in.Note, unplannedNote) {
			out.Note = in.Note
		}
	}
	if out.Run != "" {
		return out, nil
	}
	switch run, err := f.Store.ActiveRun(ctx, out.Person); { // it goes on with what it does already
	case err == nil:
		out.Run = run
	case !errors.Is(err, dayone.ErrNotFound):
		return out, err
	}
	return out, nil
}

// endKeeping ends what keeps the access of somebody open although she has left: holds of an undone leaver, and the undo
// itself while it is under way.
func (f *Flow) endKeeping(ctx context.Context, id dayone.PersonID, by, reason string) (bool, error) {
	defer f.lock(id)()
	kept := false
	active, err := f.Store.ActiveRun(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
	case err != nil:
		return false, err
	default:
		r, err := f.RunOf(ctx, active)
		if err != nil {
			return false, err
		}
		if r.Of != "" && keeps(r) {
			if err := f.supersede(ctx, active); err != nil {
				return false, err
			}
			kept = true
		}
	}
	holds, err := f.Store.Holds(ctx, store.HoldFilter{Person: id})
	if err != nil {
		return kept, err
	}
	for _, h := range holds {
		if h.Keep {
			kept = true
			if err := f.endHold(ctx, h, by, reason, nil); err != nil {
				return kept, err
			}
		}
	}
	return kept, nil
}
