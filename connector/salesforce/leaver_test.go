package salesforce_test

import (
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/sim"
)

// TestCloses: whoever is closed has no session and no token any more; where we may not see them, that is said.
func TestCloses(t *testing.T) {
	t.Parallel()
	g, s, _ := bench(t, sim.Options{})
	ref := join(t, g, sarah, dayone.Active)
	s.Issue(ref, "Dataloader")
	left := func() ([]dayone.Remain, []dayone.RemainClass) {
		t.Helper()
		found, checked, unread, err := g.Remains(t.Context(), dayone.Item{Ref: ref})
		if err != nil || !slices.Contains(checked, dayone.KeptToken) {
			t.Fatalf("checked %v, %v", checked, err)
		}
		return found, unread
	}
	if found, unread := left(); len(found) != 2 || len(unread) != 0 || found[1].Name != "Dataloader" {
		t.Errorf("open: %+v, unread: %v", found, unread)
	}
	apply(t, g, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if sessions, tokens := s.Open(ref); sessions+tokens != 0 {
		t.Errorf("%d sessions and %d tokens outlive the account", sessions, tokens)
	}
	if found, unread := left(); len(found) != 0 || len(unread) != 0 {
		t.Errorf("left: %+v, unread: %v", found, unread)
	}
	s.Hide()
	apply(t, g, account(dayone.AccountDisable, ref, &dayone.Item{Ref: ref, State: dayone.Disabled}))
	if _, unread := left(); !slices.Contains(unread, dayone.KeptToken) {
		t.Error("nobody is told that tokens cannot be read")
	}
}
