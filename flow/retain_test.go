package flow_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

// For how long somebody is kept follows from the type of her employment and from her country.
func TestRetentionFollowsFromTypeAndCountry(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	retain := map[string]map[string]time.Duration{
		"Contractor": {"DE": 400 * day, flow.Any: 100 * day},
		"Intern":     {flow.Any: 50 * day},
		flow.Any:     {"DE": 900 * day, "FR": 2000 * day},
	}
	for name, c := range map[string]struct {
		kind, place string
		days        int
	}{
		"the line of both":                        {"Contractor", "Berlin", 400},
		"that of the type":                        {"Contractor", "San Francisco", 100},
		"the type goes before the country":        {"Intern", "Berlin", 50},
		"that of the country":                     {"FTE", "Berlin", 900},
		"what holds for everybody":                {"FTE", "San Francisco", 365},
		"not known where: what may be is longest": {"FTE", "Atlantis", 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.joined = func(d *flow.Deps) { d.RetainFor, d.Retain = 365*day, retain }
			h := w.open()
			id, run := h.hires(employee("1001", "start_date", here, "employment_type", c.kind, "location", c.place))
			h.fired(id, run.ID)
			e, err := h.ErasePreview(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "kept", int(e.From.Sub(e.Row.Ends)/day), c.days)
		})
	}
}
