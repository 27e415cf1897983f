package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// tell plays one call of a step with this answer, and returns what is stored.
func tell(t *testing.T, r *dayone.Run, id dayone.StepID, now time.Time, res dayone.Result, err error) (dayone.Act, engine.Effects) {
	t.Helper()
	e := engine.Next(r, engine.Event{What: engine.Start, At: now, Step: id}, engine.DefaultConfig)
	i := slices.IndexFunc(e.Commands, func(c engine.Command) bool { return c.Call != nil })
	if i < 0 {
		t.Fatalf("%s is not called: %s", id, r.Step(id).State)
	}
	a := *e.Commands[i].Call
	return a, engine.Next(r, engine.Event{What: engine.Answer, At: now, Step: id, Attempt: a.Attempt, Result: res, Err: err}, engine.DefaultConfig)
}

func begun(steps ...dayone.Step) *dayone.Run {
	r := &dayone.Run{ID: "run_1", Person: "per_1", Plan: dayone.Plan{Steps: steps}}
	for _, s := range steps {
		r.Steps = append(r.Steps, dayone.StepRun{Step: s, State: dayone.StepPending})
	}
	engine.Next(r, engine.Event{What: engine.Begin, At: at}, engine.DefaultConfig)
	return r
}

// An account that was made, and then waited for its first login, was granted: not adopted, and not "already so".
func TestWhatWasMadeBeforeAWaitIsStillGranted(t *testing.T) {
	t.Parallel()
	s := step("gitlab/account")
	s.Undo = dayone.UndoDelete
	r := begun(s)
	made := dayone.Item{Key: s.Key, Ref: "7", State: dayone.Pending}
	wait := &dayone.Wait{Kind: dayone.WaitFirstLogin, Check: at.Add(time.Hour), Note: "sign in"}
	_, e := tell(t, r, s.ID, at, dayone.Result{Now: &made, Wait: wait}, nil)
	if !e.Holdings[0].Ours {
		t.Error("it is not ours")
	}
	for i := range 3 { // it is looked at, in vain
		now := at.Add(time.Duration(i+1) * time.Hour)
		wait := &dayone.Wait{Kind: dayone.WaitFirstLogin, Check: now.Add(time.Hour), Note: "sign in"}
		a, e := tell(t, r, s.ID, now, dayone.Result{Before: &made, Now: &made, Wait: wait}, nil)
		if a.Subject.Ref != "7" || !e.Holdings[0].Ours {
			t.Errorf("it is looked for as %+v, and is ours: %v", a.Subject, e.Holdings[0].Ours)
		}
	}
	now := at.Add(4 * time.Hour)
	open := made
	open.State = dayone.Active
	_, e = tell(t, r, s.ID, now, dayone.Result{Before: &made, Now: &open}, nil)
	if e.Records[0].What != "granted" || !e.Holdings[0].Ours || r.Steps[0].Result.Before != nil {
		t.Errorf("%s, ours: %v, before %+v", e.Records[0].What, e.Holdings[0].Ours, r.Steps[0].Result.Before)
	}
}

// The same for one that was there before us: it stays adopted.
func TestWhatWasThereBeforeAWaitIsStillAdopted(t *testing.T) {
	t.Parallel()
	s := step("gitlab/account")
	r := begun(s)
	found := dayone.Item{Key: s.Key, Ref: "7", State: dayone.Disabled}
	pending, open := found, found
	pending.State, open.State = dayone.Pending, dayone.Active
	_, _ = tell(t, r, s.ID, at, dayone.Result{Before: &found, Now: &pending, Wait: &dayone.Wait{Kind: dayone.WaitFirstLogin, Check: at.Add(time.Hour)}}, nil)
	_, e := tell(t, r, s.ID, at.Add(time.Hour), dayone.Result{Before: &pending, Now: &open}, nil)
	if e.Records[0].What != "adopted" || e.Holdings[0].Ours || r.Steps[0].Result.Before.State != dayone.Disabled {
		t.Errorf("%s, ours: %v, before %+v", e.Records[0].What, e.Holdings[0].Ours, r.Steps[0].Result.Before)
	}
}

// Two steps on one account: the second one's line in the books goes on from the first one's, not from the run's start.
func TestTheBooksOfARunAddUp(t *testing.T) {
	t.Parallel()
	k := dayone.Key{System: "okta", Kind: "account"}
	renamed := dayone.Step{ID: "update", Action: dayone.AccountUpdate, Key: k, Subject: dayone.Subject{Ref: "u"}, Want: &dayone.Item{Key: k, State: dayone.Disabled, Attrs: dayone.Attrs{"title": dayone.Text("New")}}}
	opened := dayone.Step{ID: "enable", Action: dayone.AccountEnable, Key: k, Subject: dayone.Subject{Ref: "u"}, Want: &dayone.Item{Key: k, State: dayone.Active}, Needs: []dayone.Need{{Step: "update"}}}
	r := begun(renamed, opened)
	r.Have = []dayone.Holding{{Item: dayone.Item{Key: k, Ref: "u", State: dayone.Disabled}, Asked: dayone.Attrs{"title": dayone.Text("Old"), "site": dayone.Text("Berlin")}, Ours: true, Since: at.Add(-time.Hour)}}
	is := dayone.Item{Key: k, Ref: "u", State: dayone.Disabled}
	_, e := tell(t, r, "update", at, dayone.Result{Before: &is, Now: &is}, nil)
	if h := e.Holdings[0]; !h.Since.Equal(at.Add(-time.Hour)) {
		t.Errorf("its state did not change, and is since %v", h.Since)
	}
	now := is
	now.State = dayone.Active
	_, e = tell(t, r, "enable", at.Add(time.Minute), dayone.Result{Before: &is, Now: &now}, nil)
	if h := e.Holdings[0]; h.Asked.Text("title") != "New" || h.Asked.Text("site") != "Berlin" || !h.Ours || !h.Since.Equal(at.Add(time.Minute)) {
		t.Errorf("the books say %+v", h)
	}
}

// What is given again after it was gone is given anew: it counts one up, and nothing else of the old one holds.
func TestWhatIsMadeAnewIsANewGeneration(t *testing.T) {
	t.Parallel()
	k := dayone.Key{System: "okta", Kind: "account"}
	gone := dayone.Step{ID: "delete", Action: dayone.AccountDelete, Key: k, Have: &dayone.Item{Key: k, Ref: "u"}}
	r := begun(gone)
	r.Have = []dayone.Holding{{Item: dayone.Item{Key: k, Ref: "u", State: dayone.Disabled}, Asked: dayone.Attrs{"title": dayone.Text("Old")}, Generation: 2}}
	_, e := tell(t, r, "delete", at, dayone.Result{Before: gone.Have}, nil)
	if h := e.Gone[0]; h.Generation != 3 || h.Ref != "u" {
		t.Fatalf("the books say %+v", h)
	}
	s := step("okta/account")
	again := begun(s)
	again.Have = e.Gone
	made := dayone.Item{Key: k, Ref: "v", State: dayone.Active}
	_, e = tell(t, again, s.ID, at.Add(time.Hour), dayone.Result{Now: &made}, nil)
	if h := e.Holdings[0]; h.Generation != 3 || h.Ref != "v" || !h.Ours || !h.Since.Equal(at.Add(time.Hour)) {
		t.Errorf("the books say %+v", h)
	}
}

// An account that is her personal one does not become her admin account as well: the one would be closed with the other.
func TestOneAccountIsNotTwoOfHers(t *testing.T) {
	t.Parallel()
	own, admin := step("okta/account"), step("okta/account:admin")
	r := begun(own, admin)
	made := dayone.Item{Key: own.Key, Ref: "u", State: dayone.Active}
	_, _ = tell(t, r, own.ID, at, dayone.Result{Now: &made}, nil)
	_, e := tell(t, r, admin.ID, at, dayone.Result{Before: &made, Now: &made}, nil)
	if s := r.Step(admin.ID); s.State != dayone.StepWaiting || s.Kind != "conflict" || len(e.Holdings) > 0 {
		t.Errorf("%s %s, books %+v", s.State, s.Error, e.Holdings)
	}
	e = engine.Next(r, engine.Event{What: engine.Decide, At: at, Step: admin.ID, Human: kim(engine.Complete, dayone.Attrs{"adopt": dayone.Text("u")})}, engine.DefaultConfig)
	if dayone.KindOf(e.Refused) != dayone.ErrConflict {
		t.Errorf("a human's word for it says %v", e.Refused)
	}
}
