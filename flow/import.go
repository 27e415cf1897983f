package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
)

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
		if !keepable(ev.Subject) {
			f.Log.Warn("a record cannot be imported", "source", source, "subject", ev.Subject, "why", "its employee id is no text")
			continue
		}
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
