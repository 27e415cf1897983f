package people

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// factStop is the instant from which somebody has no access any more, because it was said here and at once. It stands
// beside what HR says of the end and is not outvoted by it: an ordinary word of HR, said later, brings no access back. Empty
// once it was lifted: here, or by HR cancelling a termination or hiring again.
const factStop = "engagement.stop"

// factHeir is who was named with a stop to take over what she looks after.
const factHeir = "engagement.heir"

// StopHeir is the field of such an event that names a successor by mail address.
const StopHeir = "successor"

// StopAt is the field of a portal's event that ends or reopens access at an instant, not at the end of a day.
const StopAt = "stop_at"

// stops says whether an event ends access at an instant, or lifts such an end, and says nothing else.
func stops(ev dayone.Event) bool {
	_, at := ev.Fields[StopAt]
	return at && ev.Source == dayone.Portal && (ev.Type == dayone.Terminated || ev.Type == dayone.TerminationCancelled)
}

// stop is the judgement of an event that says so.
func (j *judging) stop() Judgement {
	v := dayone.Text("")
	if j.ev.Type == dayone.Terminated {
		at, err := time.Parse(time.RFC3339Nano, j.ev.Fields[StopAt].Text)
		if err != nil {
			return j.quarantine("%s is no instant; write 2024-11-15T15:00:00Z", StopAt)
		}
		v = dayone.Text(at.UTC().Format(time.RFC3339Nano))
	}
	j.date(factStop, v, j.turned)
	heir := lower(j.ev.Fields[StopHeir].Text)
	if old := j.counts(factHeir, farFuture); heir != "" || old != nil && old.Value.Text != "" { // one that was named before does not count for this end
		j.date(factHeir, dayone.Text(heir), j.turned)
	}
	if len(j.out.Facts) == 0 {
		j.out.State, j.out.Note = dayone.EventUnchanged, "it says nothing new"
	}
	return j.out
}

// lift ends a stop where HR says that somebody stays or is back. Any other word of an employment that goes on there is
// kept, and said to change nothing of it.
func (j *judging) lift() {
	if j.facts.stopOf(j.engagement, j.at).IsZero() {
		return
	}
	if own := j.facts.last(j.engagement, factStop, farFuture, j.at, true); own == nil {
		if other := j.facts.stopOfOthers(j.engagement, j.at); other != nil && anew(other, j.ev.Source, j.starts, j.at) {
			return
		}
	}
	switch j.ev.Type {
	case dayone.TerminationCancelled, dayone.Rehired:
		j.date(factStop, dayone.Text(""), j.turned)
	case dayone.Terminated, dayone.NoShow:
	default:
		if _, last := j.facts.period(j.engagement, j.at); last == "" || startOf(last, time.UTC).After(j.at) {
			j.finding("access was ended here at once and stays closed; dayone people reinstate opens it again")
		}
	}
}

// stopOf is the instant at which access to an employment was ended here; zero: it was not, or that was lifted. A stop stands for
// the person: what is bound to her while it does is stopped, too, until that is lifted, or HR hires her anew.
func (s *spoken) stopOf(e dayone.EngagementID, known time.Time) time.Time {
	f := s.last(e, factStop, farFuture, known, true)
	if f == nil {
		if f = s.stopOfOthers(e, known); f != nil && s.hiredAnew(e, f, known) {
			return time.Time{}
		}
	}
	return stopAt(f)
}

// stopAt is the instant that a stop names; zero: there is none, or it was lifted.
func stopAt(f *dayone.Fact) time.Time {
	if f == nil || f.Value.Text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, f.Value.Text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// hiredAnew says that an employment is a hire that HR decided knowing, or late enough to know, that access was ended: a source said
// so after the stop, of a first day after the day of the stop. What people enter here lifts nothing: that is reinstating.
func (s *spoken) hiredAnew(e dayone.EngagementID, stop *dayone.Fact, known time.Time) bool {
	for _, x := range s.t.Employments {
		if x.ID == e {
			f := s.last(e, factStart, farFuture, known, true)
			return f != nil && anew(stop, x.Source, f.Value.Text, f.Recorded)
		}
	}
	return false
}

func anew(stop *dayone.Fact, source, start string, said time.Time) bool {
	return source != dayone.Portal && start > stopAt(stop).UTC().Format(time.DateOnly) && said.After(stop.Recorded)
}

// anewSince is the stop of another employment that this one does not fall under because it is a new hire; zero: none.
func (s *spoken) anewSince(e dayone.EngagementID, known time.Time) time.Time {
	if s.last(e, factStop, farFuture, known, true) != nil {
		return time.Time{}
	}
	if f := s.stopOfOthers(e, known); f != nil && s.hiredAnew(e, f, known) {
		return stopAt(f)
	}
	return time.Time{}
}

// heirOf is who was named to take over when access to an employment was ended here; "" once that was lifted.
func (s *spoken) heirOf(e dayone.EngagementID, known time.Time) string {
	heir := s.last(e, factHeir, farFuture, known, true)
	if heir == nil || s.stopOf(e, known).IsZero() {
		return ""
	}
	return heir.Value.Text
}

// stopOfOthers is the stop of another employment that stood when this one was bound; nil: none did.
func (s *spoken) stopOfOthers(e dayone.EngagementID, known time.Time) *dayone.Fact {
	bound := known // one that is being judged
	for _, x := range s.t.Employments {
		if x.ID == e {
			bound = x.Recorded
		}
	}
	for _, x := range s.t.Employments {
		if x.ID == e {
			continue
		}
		if f := s.last(x.ID, factStop, farFuture, known, true); f != nil && f.Value.Text != "" && bound.After(f.Recorded) {
			return f
		}
	}
	return nil
}

// Stopped are the employments of which access was ended here at once, and since when.
func Stopped(t *dayone.Timeline, known time.Time) map[dayone.EngagementID]time.Time {
	s, out := listen(t), map[dayone.EngagementID]time.Time{}
	for _, e := range t.Employments {
		if at := s.stopOf(e.ID, known); !at.IsZero() {
			out[e.ID] = at
		}
	}
	return out
}

// cut brings a stop into an employment as dates have it: the earlier end counts.
func cut(e *dayone.Engagement, end, stop time.Time, zone *time.Location) time.Time {
	if stop.IsZero() || !end.IsZero() && !stop.Before(end) {
		return end
	}
	e.LastDay = stop.In(zone).Format(time.DateOnly)
	return stop
}
