package engine

import (
	"slices"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// asked is what a human tells who does a step by hand: the id of an account, without which nobody could close it again,
// and what other steps of the run take from it, as a laptop takes its serial number from the order.
func (m *machine) asked(s *dayone.StepRun) []string {
	var names []string
	if s.Step.Action == dayone.AccountCreate {
		names = append(names, ref)
	}
	take := func(v dayone.Value) {
		for _, r := range planner.References(v) {
			if r.Key == s.Step.Key && s.Step.Action.Gives() && !slices.Contains(names, r.Attr) {
				names = append(names, r.Attr)
			}
		}
	}
	for _, o := range m.run.Steps {
		take(o.Step.Account)
		if o.Step.Want == nil {
			continue
		}
		for _, name := range o.Step.Want.Attrs.Names() {
			take(o.Step.Want.Attrs[name])
		}
	}
	return names
}
