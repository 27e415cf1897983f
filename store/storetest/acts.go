package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// acts wait, end once, and are told to the ledger once for each state.
func acts(t *testing.T, d *store.DB) {
	ctx := t.Context()
	v := dayone.PolicyVersion{ID: "aa", Files: []byte("zip"), Author: "kim", Made: at}
	act := func(id string, due time.Time) dayone.PolicyAct {
		return dayone.PolicyAct{
			ID: id, Version: v.ID, Only: map[string]string{"department": "IT"}, Author: "kim", Approver: "kim", Reason: "CHG-1", Release: "meant", Made: at, Due: due, After: 1,
			Marks: map[dayone.PersonID]string{"per_1": "ff"}, People: 1, State: dayone.ActWaiting,
		}
	}
	late, soon := act("act_1", at.Add(2*time.Hour)), act("act_2", at.Add(time.Hour))
	soon.Marks = map[dayone.PersonID]string{"per_1": "ee"}
	for _, a := range []dayone.PolicyAct{late, soon} {
		if err := d.AddAct(ctx, v, a); err != nil {
			t.Fatal(err)
		}
	}
	if got := must[dayone.PolicyAct](t)(d.Act(ctx, "act_1")); !reflect.DeepEqual(got, late) {
		t.Errorf("it comes back as %+v", got)
	}
	if _, err := d.Act(ctx, "act_9"); !errors.Is(err, dayone.ErrNotFound) {
		t.Error(err)
	}
	waiting := must[[]dayone.PolicyAct](t)(d.Acts(ctx, true, 10))
	if len(waiting) != 2 || waiting[0].ID != "act_2" || waiting[0].Marks != nil {
		t.Errorf("the next due is not first: %+v", waiting)
	}
	tell := func() {
		t.Helper()
		for _, a := range must[[]dayone.PolicyAct](t)(d.UntoldActs(ctx)) {
			for range 2 { // said again after a crash is said once
				if err := d.TellAct(ctx, a.ID, a.State, dayone.Record{At: at, What: "policies " + string(a.State)}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	tell()
	if n := must[int64](t)(d.CountRecords(ctx)); n != 2 {
		t.Errorf("%d records of two acts", n)
	}
	if err := d.EndAct(ctx, "act_1", dayone.ActWithdrawn, "lea", "not now", at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	stage := dayone.Stage{Version: v.ID, Approver: "kim", Applied: at.Add(time.Hour)}
	if err := d.AddStage(ctx, v, stage, 0, nil, "act_1"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("what was withdrawn came into force: %v", err)
	}
	if n := must[int64](t)(d.LastStage(ctx)); n != 0 {
		t.Errorf("half of it stayed: stage %d", n)
	}
	early := dayone.PolicyVersion{ID: "bb", Files: []byte("zip"), Author: "lea", Note: "CHG-2", Made: at.Add(-time.Hour)}
	if err := d.SaveVersion(ctx, early); err != nil {
		t.Fatal(err)
	}
	if err := d.AddStage(ctx, v, stage, 0, nil, "act_2"); err != nil {
		t.Fatal(err)
	}
	early.Files = nil
	if got := must[[]dayone.PolicyVersion](t)(d.ProposedVersions(ctx, 1)); !reflect.DeepEqual(got, []dayone.PolicyVersion{early}) {
		t.Errorf("what came into force hides a proposal: %+v", got)
	}
	if err := d.EndAct(ctx, "act_2", dayone.ActWithdrawn, "lea", "", at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("what counts was withdrawn: %v", err)
	}
	if all := must[[]dayone.PolicyAct](t)(d.Acts(ctx, false, 10)); all[0].State != dayone.ActApplied || all[1].State != dayone.ActWithdrawn || all[1].By != "lea" || all[1].Why != "not now" || !all[1].Ended.Equal(at.Add(time.Minute)) {
		t.Errorf("they ended as %+v", all)
	}
	if got := must[dayone.PolicyAct](t)(d.Act(ctx, "act_1")); len(got.Marks) != 0 {
		t.Errorf("whom it concerned is kept: %+v", got.Marks)
	}
	tell()
	if n := must[int64](t)(d.CountRecords(ctx)); n != 4 {
		t.Errorf("%d records of two acts and their ends", n)
	}
}

// announcedOnce: what waits is announced once, also by two at the same instant.
func announcedOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	v := dayone.PolicyVersion{ID: "aa", Files: []byte("zip"), Author: "kim", Made: at}
	add := func(id string) error {
		return d.AddAct(ctx, v, dayone.PolicyAct{
			ID: id, Version: v.ID, Author: "kim", Approver: "kim", Reason: id, Made: at, Due: at.Add(time.Hour), After: 1, Marks: map[dayone.PersonID]string{"per_1": "ff", "per_2": "ee"}, People: 2,
		})
	}
	var all sync.WaitGroup
	refused := make([]error, 4)
	for i := range refused {
		all.Go(func() { refused[i] = add(fmt.Sprintf("act_%d", i)) })
	}
	all.Wait()
	for _, err := range refused {
		if err != nil && !errors.Is(err, dayone.ErrConflict) {
			t.Error(err)
		}
	}
	waiting := must[[]dayone.PolicyAct](t)(d.Acts(ctx, true, 10))
	if len(waiting) != 1 {
		t.Fatalf("%d of four that are the same wait", len(waiting))
	}
	if err := d.EndAct(ctx, waiting[0].ID, dayone.ActWithdrawn, "kim", "", at); err != nil {
		t.Fatal(err)
	}
	if err := add("act_9"); err != nil {
		t.Errorf("what was withdrawn is not announced again: %v", err)
	}
}
