package gitlab_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// closes closes an account for good, with who takes over.
func (b bench) closes(ref, heir string) error {
	a := dayone.Act{
		Action: dayone.AccountDisable, Key: dayone.Key{System: "gitlab", Kind: dayone.AccountKindName}, Subject: dayone.Subject{Ref: ref},
		Want: &dayone.Item{Ref: ref, State: dayone.Disabled}, Attempt: 1, Since: time.Now(),
	}
	if heir != "" {
		a.Subject.Heir = map[string]string{"email": heir}
	}
	_, err := b.guard.Apply(b.Context(), a)
	return err
}

func (b bench) has(login string) string {
	for _, a := range b.sim.Accounts() {
		if a.Login == login {
			return string(a.State) + " " + strings.Join(a.Entitlements, " ")
		}
	}
	return ""
}

// TestLastOwner: a group never loses its last owner. Who takes over becomes one first; without anybody nothing is closed.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	start := func() (bench, string) {
		b := setup(t, sim.Options{})
		ref := b.join(sarah).Now.Ref
		b.sim.Login("sarah.chen")
		b.give(ref, "platform", "owner")
		b.sim.Seed(sim.Account{Login: "mia.long", Email: "mia@company.com", EmployeeNumber: "emp_9", State: dayone.Active})
		return b, ref
	}
	b, ref := start()
	if err := b.closes(ref, ""); err != nil { // whoever made the top-level group owns those below
		t.Fatal(err)
	}

	for _, heir := range []string{"", "nobody@company.com"} {
		b, ref = start()
		b.sim.Orphan()
		err := b.closes(ref, heir)
		if !errors.Is(err, dayone.ErrUnsupported) || !strings.Contains(err.Error(), "make somebody else its owner at GitLab") || !strings.Contains(err.Error(), "platform") {
			t.Errorf("with the heir %q: %v", heir, err)
		}
		if got := b.has("sarah.chen"); got != "active group:platform=owner" {
			t.Errorf("with the heir %q she is %s", heir, got)
		}
		if _, err := b.group(dayone.EntitlementRemove, ref, "platform", ""); !errors.Is(err, dayone.ErrUnsupported) {
			t.Errorf("the membership alone: %v", err)
		}
	}

	if err := b.closes(ref, "mia@company.com"); err != nil {
		t.Fatal(err)
	}
	if got := b.has("mia.long"); got != "active group:platform=owner" {
		t.Errorf("who takes over is %s", got)
	}
	if got := b.has("sarah.chen"); got != "disabled " {
		t.Errorf("she is %s", got)
	}
	if err := b.closes(ref, "mia@company.com"); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// TestCredentials: where the group may see tokens and keys, none outlives the account; where it may not, that is not called
// checked.
func TestCredentials(t *testing.T) {
	t.Parallel()
	for setting, left := range map[string]int{"true": 0, "false": 2} {
		b := setup(t, sim.Options{}, "credentials", setting)
		ref := b.join(sarah).Now.Ref
		b.sim.Seed(sim.Account{Login: "mia.long", Email: "mia@company.com", EmployeeNumber: "emp_9", State: dayone.Active})
		b.sim.Issue("sarah.chen@company.com", "laptop")
		b.sim.Issue("mia@company.com", "hers")
		found, checked, unread, err := b.guard.Remains(t.Context(), dayone.Item{Ref: ref})
		if err != nil || len(unread) > 0 || slices.Contains(checked, dayone.KeptToken) != (setting == "true") || len(found) != 2-left {
			t.Errorf("%s: found %+v, checked %v, unread %v, %v", setting, found, checked, unread, err)
		}
		for range 2 {
			if err := b.closes(ref, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.sim.Good("sarah.chen@company.com"); n != left {
			t.Errorf("with %s %d tokens and keys are good, not %d", setting, n, left)
		}
		if n := b.sim.Good("mia@company.com"); n != 2 {
			t.Errorf("of somebody else %d are left", n)
		}
	}
}
