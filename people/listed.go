package people

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// Behind says that a record is older than what is known of its employment: a list that has such a one is an old list. What
// an event brought is known as of the end of its second.
func Behind(t *dayone.Timeline, record dayone.Event) bool {
	for _, e := range t.Employments {
		if !speaks(record, e) {
			continue
		}
		read := listen(t).last(e.ID, factRead, farFuture, farFuture, false)
		return read != nil && !record.At.Add(time.Second).After(read.Again)
	}
	return false
}

// LastWord is when an employment was last spoken of, by its source's clock.
func LastWord(t *dayone.Timeline, source, subject string) time.Time {
	var at time.Time
	for _, e := range t.Employments {
		if e.Source != source || e.SourceID != subject {
			continue
		}
		for i := range t.Facts {
			if f := &t.Facts[i]; f.Engagement == e.ID && f.Source == source && f.Again.After(at) {
				at = f.Again
			}
		}
	}
	return at
}

// Standing is an employment as it stands: its last day, "" if it is open, and whether it has not ended yet.
func Standing(p dayone.Person, source, subject string, today string) (lastDay string, open bool) {
	for _, e := range p.Engagements {
		if e.Source == source && e.SourceID == subject {
			return e.LastDay, e.LastDay == "" || e.LastDay >= today && e.LastDay >= e.Start
		}
	}
	return "", false
}

// EndedBy is the event that said how an employment ends; "": none did.
func EndedBy(t *dayone.Timeline, source, subject string) dayone.EventID {
	for _, e := range t.Employments {
		if e.Source == source && e.SourceID == subject {
			if word := listen(t).last(e.ID, factEnding, farFuture, farFuture, true); word != nil && word.Value.Text != "" {
				return word.Event
			}
		}
	}
	return ""
}
