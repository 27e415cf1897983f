package flow

import (
	"cmp"
	"time"

	"github.com/dayone-hq/dayone"
)

// RetainFor is how long somebody is kept after her last day, if nothing else is configured.
const RetainFor = 3 * 365 * 24 * time.Hour

// Any stands for every type of employment, or every country, in Retain.
const Any = "*"

// retained is how long somebody is kept after her last day. Of each of her employments the line counts that names its type and
// her country, else its type, else her country, else what holds for everybody; of several the longest. What of the two is not
// known may be anything, so the longest line that may be meant counts.
func (f *Flow) retained(p dayone.Person) time.Duration {
	all := cmp.Or(f.RetainFor, RetainFor)
	country := cmp.Or(p.Attrs.Text("country"), p.Site.Country)
	var most time.Duration
	of := func(kind string) {
		for _, at := range [][2]string{{kind, country}, {kind, Any}, {Any, country}} {
			if d, said := f.Retain[at[0]][at[1]]; said {
				most = max(most, d)
				return
			}
		}
		most = max(most, all)
	}
	for _, e := range p.Engagements {
		if e.Type != "" && country != "" {
			of(e.Type)
			continue
		}
		for kind, lines := range f.Retain {
			for in := range lines {
				if (e.Type == "" || kind == Any || kind == e.Type) && (country == "" || in == Any || in == country) {
					most = max(most, lines[in])
				}
			}
		}
		most = max(most, all)
	}
	return cmp.Or(most, all)
}
