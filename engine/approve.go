package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// asks says that somebody has still to agree to a step before it is called.
func asks(s *dayone.StepRun) bool { return s.Step.Approval != nil && !s.Agreed }

// led says that a step which others bring along may go: one of them was agreed to.
func (m *machine) led(s *dayone.StepRun) bool {
	return len(s.Step.Along) == 0 || slices.ContainsFunc(s.Step.Along, func(id dayone.StepID) bool {
		o, _ := m.at(id)
		return o == nil || !asks(o)
	})
}

// brings says that o is only there because of s: whoever is asked for s is asked for both, so s does not wait for o before.
func brings(s, o *dayone.StepRun) bool { return asks(s) && slices.Contains(o.Step.Along, s.Step.ID) }

// unled says that a step which is only brought along moves no more by itself, since nothing that brings it does.
func (m *machine) unled(s *dayone.StepRun, patience bool, depth int) bool {
	return !slices.ContainsFunc(s.Step.Along, func(id dayone.StepID) bool {
		o, _ := m.at(id)
		return o != nil && !m.settled(o, patience, depth+1)
	})
}

// ask parks a step whose needs are met until somebody has agreed to it.
func (m *machine) ask(s *dayone.StepRun, i int) {
	or := " or "
	if s.Step.Approval.Need == "all" {
		or = " and "
	}
	s.State, s.Waited = dayone.StepWaiting, m.ev.At
	s.Wait = &dayone.Wait{Kind: dayone.WaitApproval, Note: "asks " + strings.Join(s.Step.Approval.By, or)}
	m.touched(i)
	m.record(s, "waiting: "+string(dayone.WaitApproval), nil)
}

// unneeded skips what is only brought along by steps that will never be agreed to.
func (m *machine) unneeded(s *dayone.StepRun, i int) {
	over := !slices.ContainsFunc(s.Step.Along, func(id dayone.StepID) bool {
		o, _ := m.at(id)
		return o != nil && !o.State.Over()
	})
	if !over {
		return
	}
	s.State, s.Error = dayone.StepSkipped, "only "+string(s.Step.Along[0])+" needs it"
	m.touched(i)
	m.without(s.Step.ID, "which was not agreed to")
}

// agreed carries out what those decided who are asked for a step.
func (m *machine) agreed(s *dayone.StepRun, i int) {
	h := m.ev.Human
	if !asks(s) || s.State != dayone.StepWaiting && s.State != dayone.StepPending {
		m.refuse("step %s is %s and waits for no approval: %w", s.Step.ID, s.State, dayone.ErrConflict)
		return
	}
	m.touched(i)
	s.Wait = nil
	if h.Verb == Approve {
		s.State, s.Agreed = dayone.StepPending, true
		m.record(s, "approved", &dayone.Detail{Note: decided("approved", h)})
		for _, n := range s.Step.Needs { // what it brings along may have been lost while it was asked for
			switch o, _ := m.at(n.Step); {
			case n.When != dayone.Done || o == nil || !o.State.Over() || isThere(o):
			case o.State == dayone.StepSkipped:
				m.without(n.Step, "which was not agreed to")
			default:
				m.block(n.Step)
			}
		}
		return
	}
	s.State, s.Error = dayone.StepSkipped, "refused by "+cmp.Or(h.For, h.By, "nobody")
	if h.Reason != "" {
		s.Error += ": " + h.Reason
	}
	m.record(s, "refused", &dayone.Detail{Note: decided("refused", h)})
	m.without(s.Step.ID, "which was refused")
}

// decided says who decided for whom, where that is not the same, and why.
func decided(word string, h Human) string {
	if h.For == "" || strings.EqualFold(h.For, h.By) {
		return h.Reason
	}
	return strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", word, dayone.Vote{Of: h.For, By: h.By}.Who(), h.Reason), ": ")
}

// without skips everything that needs id done, and what needs that: it is not lost, somebody decided to do without.
func (m *machine) without(id dayone.StepID, why string) {
	gone, _ := m.at(id)
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s.State != dayone.StepPending && s.State != dayone.StepBlocked || brings(s, gone) || !slices.ContainsFunc(s.Step.Needs, func(n dayone.Need) bool { return n.Step == id && n.When == dayone.Done }) {
			continue
		}
		s.State, s.Error = dayone.StepSkipped, "needs "+string(id)+", "+why
		m.touched(i)
		m.without(s.Step.ID, why)
	}
}
