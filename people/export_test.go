package people

import (
	"time"

	"github.com/dayone-hq/dayone"
)

// Last is the fact that counts.
func Last(t *dayone.Timeline, e dayone.EngagementID, attr string, at, known time.Time, good bool) *dayone.Fact {
	return listen(t).last(e, attr, at, known, good)
}

// FirstSaid is when a value was said for the first time.
func FirstSaid(t *dayone.Timeline, f *dayone.Fact, known time.Time) time.Time {
	return listen(t).firstSaid(f, known)
}
