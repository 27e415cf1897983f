package engine

import (
	"cmp"
	"fmt"

	"github.com/dayone-hq/dayone"
)

// book keeps the holding as the system's answer has it.
func (m *machine) book(s *dayone.StepRun) {
	h := m.after(s, m.heldBut(s.Step.Key, s))
	if h.State == dayone.Gone {
		m.out.Gone = append(m.out.Gone, h)
		return
	}
	m.out.Holdings = append(m.out.Holdings, h)
}

// after is what a holding has become by the step's last answer. It depends on nothing but its arguments and the plan, so
// that the books of a run can be read off its steps at any time, after a restart too.
func (m *machine) after(s *dayone.StepRun, old *dayone.Holding) dayone.Holding {
	h := dayone.Holding{Because: s.Step.Because, Run: m.run.ID, Confirmed: s.Ended, Since: s.Ended}
	if s.Result.Now == nil {
		h.Item = dayone.Item{Key: s.Step.Key, State: dayone.Gone}
		if old != nil {
			h.Ref, h.Generation = old.Ref, old.Generation
			if old.State != dayone.Gone {
				h.Generation++
			}
		}
		return h
	}
	h.Item = *s.Result.Now
	h.Key = s.Step.Key
	h.Ours = s.Result.Before == nil
	h.Asked = dayone.Attrs{}
	switch {
	case old == nil:
	case old.State == dayone.Gone: // it is given anew: only the count goes on
		h.Generation = old.Generation
	default:
		h.Ours, h.Generation, h.Release, h.Asked = old.Ours, old.Generation, old.Release, old.Asked.With(nil)
		if old.Renews() && renews(s.Step) {
			h.Generation++
		}
		if old.State == h.State {
			h.Since = old.Since
		}
		if old.Run != "" && (s.Step.Action == dayone.AccountConfirm || s.Step.Action == dayone.EntitlementConfirm) {
			h.Run = old.Run
		}
	}
	if s.Step.Want != nil {
		for name, v := range s.Step.Want.Attrs { // references stay as they were asked: compared as text, not by what they brought
			h.Asked[name] = v
		}
		h.Release = cmp.Or(m.run.Plan.Release[s.Step.Key], h.Release)
	}
	return h
}

// renews says that a step has made secrets of what is there anew.
func renews(s dayone.Step) bool {
	if s.Action != dayone.EntitlementAdd || s.Want == nil {
		return false
	}
	for _, v := range s.Want.Attrs {
		if v.Kind == dayone.SecretValue {
			return true
		}
	}
	return false
}

// held is what the books say: what they said when the run began, and what its steps have brought about since.
func (m *machine) held(k dayone.Key) *dayone.Holding { return m.heldBut(k, nil) }

// heldBut leaves one step out: the one that is being booked. Steps on one thing go one after the other, in the order of
// the plan, and what takes them back comes last.
func (m *machine) heldBut(k dayone.Key, but *dayone.StepRun) *dayone.Holding {
	var h *dayone.Holding
	for i := range m.run.Have {
		if m.run.Have[i].Key == k {
			h = &m.run.Have[i]
		}
	}
	for i := range m.run.Steps {
		s := &m.run.Steps[i]
		if s == but || s.Step.Key != k || !booked(s) {
			continue
		}
		next := m.after(s, h)
		h = &next
	}
	return h
}

// booked says whether the step is in the books: something is there since, or what was there is gone.
func booked(s *dayone.StepRun) bool {
	return s.Result.Now != nil || s.State == dayone.StepDone || s.State == dayone.StepUndone
}

// elsewhere are the ids of this person's other accounts in the system of one of them. One account in two places would be
// closed in one while it is to stay in the other.
func (m *machine) elsewhere(k dayone.Key) map[string]dayone.Key {
	out := map[string]dayone.Key{}
	for _, as := range append([]dayone.AccountKind{dayone.Personal}, dayone.AccountKinds...) {
		o := dayone.Key{System: k.System, Kind: dayone.AccountKindName, As: as}
		if h := m.held(o); o != k && h != nil && h.State != dayone.Gone && h.Ref != "" {
			out[h.Ref] = o
		}
	}
	return out
}

// twin is why an account cannot be bound: it is another account of this person already.
func (m *machine) twin(k dayone.Key, ref string) error {
	if !k.IsAccount() || ref == "" {
		return nil
	}
	if o, ok := m.elsewhere(k)[ref]; ok {
		return twin(k, ref, o)
	}
	return nil
}

func twin(k dayone.Key, ref string, o dayone.Key) error {
	return &dayone.Fault{
		System: k.System, Op: "binding account", Err: dayone.ErrConflict, Detail: fmt.Sprintf("%s is %s of the same person already", ref, o),
		Next: "name another account, or take one of the two out of the policies",
	}
}
