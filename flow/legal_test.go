package flow_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
)

// deleting is somebody who has left a company that deletes accounts 30 days after they were closed.
func deleting(t *testing.T) (*house, dayone.PersonID, dayone.Run) {
	t.Helper()
	w := newWorld(t)
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here))
	return h, id, h.fired(id, run.ID)
}

func (h *house) accountIs(id dayone.PersonID, state dayone.State) {
	h.t.Helper()
	until(h, "okta/account to be "+string(state), func() (bool, bool) {
		have, err := h.Store.Holdings(ctx, id, true)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, x := range have {
			if x.Key.String() == "okta/account" {
				return true, x.State == state
			}
		}
		return true, false
	})
}

func TestAnAccountIsDeletedAfterItsTimeCountedFromTheConfirmedClose(t *testing.T) {
	t.Parallel()
	h, id, _ := deleting(t)
	h.accountIs(id, dayone.Disabled)
	h.later(29 * 24 * time.Hour)
	h.settledAt(id)
	h.accountIs(id, dayone.Disabled)
	h.later(2 * 24 * time.Hour)
	h.accountIs(id, dayone.Gone)
	if _, there := account(h.okta, "e1001@company.com"); there {
		t.Error("Okta still shows it")
	}
}

func TestALegalHoldOutranksEveryTimer(t *testing.T) {
	t.Parallel()
	h, id, gone := deleting(t)
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", " "); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 13/24"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("held twice: %v", err)
	}
	h.later(60 * 24 * time.Hour)
	h.settledAt(id)
	h.accountIs(id, dayone.Disabled)
	l, err := h.Preview(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, f := range l.Plan.Findings {
		told = told || f.Kind == "legal hold" && f.Key.String() == "okta/account"
	}
	if !told {
		t.Errorf("nobody is told: %+v", l.Plan.Findings)
	}
	if bodies, err := h.Events(ctx, flow.EventFilter{Person: id}); err != nil || len(bodies) == 0 {
		t.Errorf("%v, %v", bodies, err)
	} else if body, err := h.Store.Body(ctx, bodies[len(bodies)-1].ID); err != nil || len(body) == 0 {
		t.Errorf("what HR sent was forgotten: %v", err)
	}

	if _, err := h.ReleaseLegally(ctx, id, "counsel@company.com", "the case is closed"); err != nil {
		t.Fatal(err)
	}
	h.rests(id, gone.ID)
	h.accountIs(id, dayone.Gone)
	if _, err := h.ReleaseLegally(ctx, id, "counsel@company.com", "again"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("released twice: %v", err)
	}
	holds, err := h.LegalHolds(ctx, id)
	if err != nil || len(holds) != 1 || holds[0].Why != "the case is closed" || holds[0].Reason != "case 12/24" {
		t.Errorf("what was held: %+v, %v", holds, err)
	}
	for _, what := range []string{"legal hold", "legal hold released"} {
		same(t, what, h.ledger(id, what), 1)
	}
}

// refuses lets the next calls of a method to Okta come back with "later", so that the step is under way for half an hour.
func refuses(h *house, method string) {
	h.okta.Door().Inject(sim.Fault{Method: method, Path: "/api/v1/users", Status: 429, Header: map[string]string{"Retry-After": "1500"}, Body: `{"errorCode":"E0000047"}`})
}

func (h *house) retriesDelete(id dayone.PersonID) dayone.Run {
	h.t.Helper()
	return until(h, "a deletion that is tried again", func() (dayone.Run, bool) {
		active, err := h.Store.ActiveRun(ctx, id)
		if err != nil {
			return dayone.Run{}, false
		}
		r, err := h.RunOf(ctx, active)
		return r, err == nil && slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool {
			return s.Step.Key.String() == "okta/account" && s.Step.Action == dayone.AccountDelete && s.State == dayone.StepRetrying
		})
	})
}

func TestALegalHoldStopsADeletionThatIsPaused(t *testing.T) {
	t.Parallel()
	h, id, _ := deleting(t)
	h.accountIs(id, dayone.Disabled)
	refuses(h, "DELETE")
	h.later(31 * 24 * time.Hour)
	r := h.retriesDelete(id)
	if err := h.DecideRun(ctx, r.ID, engine.Pause, "kim@company.com", "counsel asks"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	r, err := h.RunOf(ctx, r.ID)
	if err != nil || r.State != dayone.RunCancelled {
		t.Errorf("the run that deletes is %s, %v", r.State, err)
	}
	if err := h.DecideRun(ctx, r.ID, engine.GoOn, "kim@company.com", "go on"); err != nil {
		t.Fatal(err)
	}
	h.later(60 * 24 * time.Hour)
	h.settledAt(id)
	h.accountIs(id, dayone.Disabled)
	if _, there := account(h.okta, "e1001@company.com"); !there {
		t.Error("the account is deleted under a legal hold")
	}
	if _, err := h.ReleaseLegally(ctx, id, "counsel@company.com", "closed"); err != nil {
		t.Fatal(err)
	}
	h.accountIs(id, dayone.Gone)
}

func TestALegalHoldStopsAnUndoThatDeletes(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here))
	refuses(h, "DELETE")
	u := h.preview(run.ID)
	if _, err := h.Undo(ctx, flow.UndoOrder{Run: run.ID, By: "kim@company.com", Reason: "a mistake", Hash: u.Hash}); err != nil {
		t.Fatal(err)
	}
	r := h.retriesDelete(id)
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	r, err := h.RunOf(ctx, r.ID)
	if err != nil || r.State != dayone.RunSuperseded {
		t.Errorf("the undo is %s, %v", r.State, err)
	}
	for _, s := range r.Steps {
		if s.Step.Action == dayone.AccountDelete && s.State != dayone.StepDone {
			if err := h.Decide(ctx, r.ID, s.Step.ID, engine.Human{By: "kim@company.com", Verb: engine.Retry}); !errors.Is(err, dayone.ErrConflict) {
				t.Errorf("%s is deleted all the same: %v", s.Step.Key, err)
			}
		}
	}
	h.later(24 * time.Hour)
	h.rested(id)
	if _, there := account(h.okta, "e1001@company.com"); !there {
		t.Error("the account is deleted under a legal hold")
	}
}

func TestErasingTakesTwoStepsAndNothingThatForbidsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) { d.RetainFor = 365 * 24 * time.Hour }
	h := w.open()
	id, run := h.hires(employee("1001", "start_date", here))
	refused := func(why string) {
		t.Helper()
		e, err := h.ErasePreview(ctx, id)
		if err != nil || !strings.Contains(e.Refused, why) || e.Token != "" {
			t.Errorf("refused with %q, %v; want %q", e.Refused, err, why)
		}
		if err := h.Flow.Erase(ctx, id, "privacy@company.com", "asked for", "x"); !errors.Is(err, dayone.ErrForbidden) {
			t.Errorf("erased all the same: %v", err)
		}
	}
	refused("they work here")
	h.fired(id, run.ID)
	refused("retain_days")
	h.later(366 * 24 * time.Hour)
	h.settledAt(id)
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	refused("legal hold")
	if err := h.Store.Erase(ctx, id, h.Now()); !errors.Is(err, dayone.ErrForbidden) {
		t.Errorf("the books let go of what a legal hold keeps: %v", err)
	}
	if _, err := h.ReleaseLegally(ctx, id, "counsel@company.com", "closed"); err != nil {
		t.Fatal(err)
	}
	e, err := h.ErasePreview(ctx, id)
	if err != nil || e.Refused != "" || e.Lines == 0 || e.Runs == 0 {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := h.Flow.Erase(ctx, id, "privacy@company.com", "asked for", "x"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("in one step: %v", err)
	}
	h.later(3 * time.Hour)
	if err := h.Flow.Erase(ctx, id, "privacy@company.com", "asked for", e.Token); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("long after: %v", err)
	}
	if e, err = h.ErasePreview(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := h.Flow.Erase(ctx, id, "privacy@company.com", "asked for", e.Token); err != nil {
		t.Fatal(err)
	}
	late := dayone.LegalHold{ID: "lgl_late", Person: id, Reason: "case 13/24", From: h.Now()} // it was looked for before she was erased
	if err := h.Store.SaveLegalHold(ctx, late, h.Now()); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("held and erased: %v", err)
	}
	for what, err := range map[string]error{
		"preview": func() error { _, err := h.ErasePreview(ctx, id); return err }(),
		"export":  func() error { _, err := h.ExportPerson(ctx, id, "x"); return err }(),
		"certify": func() error { _, err := h.Certify(ctx, id, "x"); return err }(),
	} {
		if !errors.Is(err, dayone.ErrConflict) {
			t.Errorf("%s of somebody erased: %v", what, err)
		}
	}
}

func TestAnExportHoldsEverythingOfAPerson(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	id, run := h.hires(employee("1001", "start_date", here, "home_address", "17 Quillfeather Lane, Berlin"))
	h.fired(id, run.ID)
	if _, err := h.Certify(ctx, id, "auditor@company.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.HoldLegally(ctx, id, "counsel@company.com", "case 12/24"); err != nil {
		t.Fatal(err)
	}
	x, err := h.ExportPerson(few, id, "privacy@company.com")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"17 Quillfeather Lane", "e1001@company.com", "case 12/24", "sold the customer list", "okta/account account.create", `"certificate"`, "person exported"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("it lacks %q", want)
		}
	}
	if len(x.Runs) < 2 || len(x.Said) < 2 || len(x.Said[0].Body) == 0 || len(x.Holdings) == 0 || len(x.Certificates) != 1 || len(x.Records) < 10 {
		t.Errorf("%d runs, %d events, %d holdings, %d certificates, %d records", len(x.Runs), len(x.Said), len(x.Holdings), len(x.Certificates), len(x.Records))
	}
}
