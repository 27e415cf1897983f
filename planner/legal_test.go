package planner_test

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// A closed account whose time is over is deleted, and under a legal hold it is not. One that has no closed state stays open
// then, and a human is told. What a life cycle leaves open for a while is closed at once where access was ended at once.
func TestALegalHoldAndAnEndAtOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 11, 15, 15, 0, 0, 0, time.UTC)
	key := dayone.Key{System: "okta", Kind: dayone.AccountKindName}
	for _, c := range []struct {
		name          string
		state         dayone.State
		since         time.Time
		noClosed      bool
		legal, atOnce bool
		suspend       time.Duration
		want          dayone.Action
		found         string
	}{
		{name: "its time is over", state: dayone.Disabled, since: now.AddDate(0, 0, -31), want: dayone.AccountDelete},
		{name: "its time is over, and a hold stands", state: dayone.Disabled, since: now.AddDate(0, 0, -31), legal: true, found: "legal hold"},
		{name: "it is open", state: dayone.Active, since: now.AddDate(-1, 0, 0), want: dayone.AccountDisable},
		{name: "it is open, and a hold stands", state: dayone.Active, since: now.AddDate(-1, 0, 0), legal: true, want: dayone.AccountDisable},
		{name: "it can only be deleted", state: dayone.Active, noClosed: true, want: dayone.AccountDelete},
		{name: "it can only be deleted, and a hold stands", state: dayone.Active, noClosed: true, legal: true, found: "legal hold"},
		{name: "it stays for a while", state: dayone.Active, suspend: 48 * time.Hour},
		{name: "it stays for a while, but not now", state: dayone.Active, suspend: 48 * time.Hour, atOnce: true, want: dayone.AccountDisable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sys := dayone.System{Name: "okta", CanDelete: true, Lifecycle: dayone.Lifecycle{Release: dayone.Release{Suspend: c.suspend}}}
			if c.noClosed {
				sys.States = map[dayone.State]dayone.State{dayone.Disabled: dayone.Gone}
			}
			plan, err := planner.Make(planner.Input{
				Person: "per_1", At: now, Leaves: true, Legal: c.legal, AtOnce: c.atOnce, Want: dayone.Want{Status: dayone.Left}, Systems: map[string]dayone.System{"okta": sys},
				Have: []dayone.Holding{{Item: dayone.Item{Key: key, Ref: "00u1", State: c.state}, Since: c.since, Release: dayone.Release{DeleteAfter: 30 * 24 * time.Hour}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			var got dayone.Action
			for _, s := range plan.Steps {
				got = s.Action
			}
			found := ""
			for _, f := range plan.Findings {
				found = f.Kind
			}
			if got != c.want || found != c.found || len(plan.Steps) > 1 {
				t.Errorf("planned %q, found %q; want %q, %q", got, found, c.want, c.found)
			}
		})
	}
}
