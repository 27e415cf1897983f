package flow_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// The meetings of a first day are for those whose first day is not over; a mail about it reaches everybody.
func TestNobodyIsInvitedToADayThatIsOver(t *testing.T) {
	t.Parallel()
	f := &flow.Flow{Deps: flow.Deps{Mail: "mail", Calendar: "calendar"}}
	start := time.Date(2024, 12, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want int
	}{{start.AddDate(0, 0, -3), 1}, {start.Add(15 * time.Hour), 1}, {start.Add(24 * time.Hour), 0}, {start.AddDate(2, 0, 0), 0}} {
		p := dayone.Person{At: c.at, Start: start, Status: dayone.Working, Attrs: dayone.Attrs{"email": dayone.Text("ada@company.com")}}
		for kind, want := range map[string]int{"invitation": c.want, "message": 1} {
			if got := f.Delivers(p, dayone.Notice{Key: dayone.Key{Kind: kind, Name: "orientation"}, To: []string{"person"}}); len(got) != want {
				t.Errorf("at %s, of %s: %+v", c.at, kind, got)
			}
		}
	}
	unknown := dayone.Person{At: start, Attrs: dayone.Attrs{"email": dayone.Text("ada@company.com")}}
	if got := f.Delivers(unknown, dayone.Notice{Key: dayone.Key{Kind: "invitation"}, To: []string{"person"}}); len(got) != 1 {
		t.Errorf("whose first day is not known: %+v", got)
	}
}
