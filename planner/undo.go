package planner

import (
	"github.com/dayone-hq/dayone"
)

// Inverse is the step that takes s back, given what it brought about; false if nothing is to be done, or nothing can be.
// A removal, a message and an order have no inverse here: taking them back is a decision, not a reflex.
func Inverse(s dayone.Step, r dayone.Result, have *dayone.Item) (dayone.Step, bool) {
	if !s.Undo.Possible() || have == nil || !r.Changed() {
		return dayone.Step{}, false
	}
	inv := dayone.Step{
		Key: s.Key, Subject: dayone.Subject{Ref: have.Ref}, Account: s.Account, Have: have, Because: s.Because, Critical: dayone.Continue,
		Once: s.Once, Lock: s.Lock, Tier: s.Tier, Implied: s.Implied, Via: s.Via, Undo: dayone.UndoNone + "it takes a step back",
	}
	switch s.Action {
	case dayone.AccountCreate:
		if r.Before != nil { // adopted, not created: as it was
			return restored(inv, r.Before, have)
		}
		inv.Action = dayone.AccountDisable
		inv.Want = &dayone.Item{Key: s.Key, Ref: have.Ref, State: dayone.Disabled}
		if s.Undo == dayone.UndoDelete {
			inv.Action, inv.Want = dayone.AccountDelete, nil
		}
	case dayone.AccountUpdate, dayone.AccountEnable, dayone.AccountDisable:
		return restored(inv, r.Before, have)
	case dayone.EntitlementAdd:
		if r.Before == nil {
			inv.Action = dayone.EntitlementRemove
		} else {
			inv.Action, inv.Want = dayone.EntitlementAdd, r.Before
			inv.Key = r.Before.Key // an exclusive slot gets its old value back
		}
	case dayone.EntitlementRemove:
		if r.Before == nil {
			return dayone.Step{}, false
		}
		inv.Action, inv.Want, inv.Have = dayone.EntitlementAdd, r.Before, nil
	default:
		return dayone.Step{}, false
	}
	inv.ID = dayone.StepID(inv.Key.String() + " " + string(inv.Action) + " (undo)")
	return inv, true
}

// Done is what a step of a run brought about. What went along with its account, which the run closed, was not there any
// more when its own turn came; it was as the plan had found it.
func Done(run *dayone.Run, s *dayone.StepRun) dayone.Result {
	r := s.Result
	if s.Step.Action != dayone.EntitlementRemove || s.State != dayone.StepDone || r.Before != nil || r.Now != nil || s.Step.Have == nil {
		return r
	}
	for i := range run.Steps {
		if o := &run.Steps[i]; o.Step.Key == s.Step.Key.Account() && o.Step.Action == dayone.AccountDisable && o.Of == "" && o.Result.Changed() {
			r.Before = s.Step.Have
		}
	}
	return r
}

// restored is the step that gives an account its former state, or its former attributes.
func restored(inv dayone.Step, before, have *dayone.Item) (dayone.Step, bool) {
	if before == nil {
		return dayone.Step{}, false
	}
	switch {
	case before.State != have.State && before.State == dayone.Active:
		inv.Action = dayone.AccountEnable
	case before.State != have.State:
		inv.Action = dayone.AccountDisable
	default:
		inv.Action = dayone.AccountUpdate
	}
	w := *before
	w.Ref = have.Ref
	inv.Want = &w
	inv.ID = dayone.StepID(inv.Key.String() + " " + string(inv.Action) + " (undo)")
	return inv, true
}
