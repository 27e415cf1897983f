package number

import (
	"cmp"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// Need is somebody who is going to want a number of a pool.
type Need struct {
	Person dayone.PersonID
	At     time.Time
}

// Outlook is how long the numbers of a pool last.
type Outlook struct {
	Free      int       // to be given without being asked for by name
	Needs     int       // of people who are known to come
	Short     int       // of those get none, as it looks
	ShortAt   time.Time // the first of them; zero: there is enough
	PerMonth  float64   // more taken than came back, as of lately
	Exhausted time.Time // when none is left at that pace; zero: not within ten years
}

const tenYears = 3653 * day

// Foresee looks ahead: free numbers now, those that become free at instants, people who come, and how many more were taken
// than came back in some time that is over.
func Foresee(now time.Time, free int, back []time.Time, needs []Need, taken, returned int, over time.Duration) Outlook {
	o := Outlook{Free: free, Needs: len(needs)}
	needs, back = slices.Clone(needs), slices.Clone(back)
	slices.SortFunc(needs, func(a, b Need) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Person, b.Person)) })
	slices.SortFunc(back, time.Time.Compare)
	left := free
	for _, n := range needs {
		for len(back) > 0 && !back[0].After(n.At) {
			left, back = left+1, back[1:]
		}
		if left > 0 {
			left--
			continue
		}
		if o.Short++; o.Short == 1 {
			o.ShortAt = n.At
		}
	}
	if over <= 0 {
		return o
	}
	pace := float64(taken-returned) / over.Hours() // in an hour
	o.PerMonth = pace * 24 * 30
	if pace <= 0 {
		return o
	}
	if lasts := float64(left+len(back)) / pace; lasts < tenYears.Hours() {
		o.Exhausted = now.Add(time.Duration(lasts * float64(time.Hour)))
	}
	return o
}
