package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

func asking(id string, needs ...string) dayone.Step {
	s := step(id, needs...)
	s.Approval = &dayone.Approval{By: []string{"manager", "group:security"}, Need: "all"}
	return s
}

func TestOnlyWhatIsAskedForWaits(t *testing.T) {
	t.Parallel()
	account := step("aws/account", "okta/account")
	account.Along = []dayone.StepID{"aws/permission-set:prod"}
	p := dayone.Plan{Steps: []dayone.Step{
		step("okta/account"), account, asking("aws/permission-set:prod", "aws/account"), step("okta/group:oncall", "okta/account", "aws/permission-set:prod"), step("slack/account", "okta/account"),
	}}
	w := newWorld(t, p, nil)
	w.finish(first)
	if got, want := w.states(), "waiting | okta/account done | aws/account pending | aws/permission-set:prod waiting | okta/group:oncall pending | slack/account done"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	if note := w.run.Steps[2].Wait.Note; note != "asks manager and group:security" {
		t.Errorf("it %s", note)
	}
	if err := w.decide("aws/permission-set:prod", engine.Human{By: "kim", Verb: engine.Retry}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a retry goes around the approval: %v", err)
	}
	if err := w.decide("slack/account", engine.Human{By: "kim", Verb: engine.Approve}); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("what asks for nothing was approved: %v", err)
	}
	w.crash()
	w.verdicts = map[dayone.StepID]engine.Verb{"aws/permission-set:prod": engine.Approve}
	w.finish(first)
	if got, want := w.states(), "done | okta/account done | aws/account done | aws/permission-set:prod done | okta/group:oncall done | slack/account done"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestARefusalIsNoFailure(t *testing.T) {
	t.Parallel()
	account := step("aws/account", "okta/account")
	account.Along = []dayone.StepID{"aws/permission-set:prod"}
	p := dayone.Plan{Steps: []dayone.Step{step("okta/account"), account, asking("aws/permission-set:prod", "aws/account"), step("okta/group:oncall", "okta/account", "aws/permission-set:prod")}}
	w := newWorld(t, p, nil)
	w.finish(first)
	if err := w.decide("aws/permission-set:prod", engine.Human{By: "kim@company.com", Verb: engine.Refuse, Reason: "not before the training"}); err != nil {
		t.Fatal(err)
	}
	w.finish(first)
	if got, want := w.states(), "done | okta/account done | aws/account skipped | aws/permission-set:prod skipped | okta/group:oncall skipped"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if why := w.run.Steps[2].Error; why != "refused by kim@company.com: not before the training" {
		t.Errorf("it says %q", why)
	}
	if why := w.run.Steps[3].Error; !strings.Contains(why, "which was refused") {
		t.Errorf("what hangs on it says %q", why)
	}
}

// Somebody may agree before the needs are met: then it is not asked for any more.
func TestAgreedBeforeItsNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{step("okta/account"), asking("okta/group:admins", "okta/account")}}, nil)
	w.verdicts = map[dayone.StepID]engine.Verb{"okta/group:admins": engine.Approve}
	if err := w.decide("okta/group:admins", engine.Human{By: "kim", Verb: engine.Approve}); err != nil {
		t.Fatal(err)
	}
	w.finish(first)
	if w.run.State != dayone.RunDone {
		t.Error(w.states())
	}
}

// What is lost while somebody thinks about it blocks what was agreed to.
func TestApprovedTooLate(t *testing.T) {
	t.Parallel()
	account := step("aws/account")
	account.Along = []dayone.StepID{"aws/permission-set:a", "aws/permission-set:b"}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{account, asking("aws/permission-set:a", "aws/account"), asking("aws/permission-set:b", "aws/account")}},
		map[dayone.StepID]outcome{"aws/account": {{err: dayone.ErrInvalid}}})
	w.verdicts = map[dayone.StepID]engine.Verb{"aws/permission-set:a": engine.Approve}
	w.finish(first)
	if got, want := w.states(), "waiting | aws/account failed | aws/permission-set:a blocked | aws/permission-set:b waiting"; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	w.verdicts["aws/permission-set:b"] = engine.Approve
	w.finish(first)
	if got, want := w.states(), "incomplete | aws/account failed | aws/permission-set:a blocked | aws/permission-set:b blocked"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
