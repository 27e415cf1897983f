package flow_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// In a large company nobody who opens the list of policies waits until everybody was read, and later everybody sees how many
// there are.
func TestTheListOfPoliciesOfALargeCompanyWaitsForNoCount(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	const large = 2_001
	for i := range large {
		id := dayone.PersonID(fmt.Sprintf("per_%026d", i))
		e := dayone.Employment{ID: dayone.EngagementID(fmt.Sprintf("eng_%026d", i)), Source: "hr", SourceID: fmt.Sprint(i), Recorded: begin}
		fact := func(attr, v string) dayone.Fact {
			return dayone.Fact{Engagement: e.ID, Attr: attr, Said: begin, Again: begin, Recorded: begin, Value: dayone.Text(v), Source: "hr"}
		}
		row := store.Row{ID: id, Managed: true, Name: "Ana", Status: dayone.Working}
		facts := []dayone.Fact{fact("engagement.start", "2020-01-01"), fact("department", []string{"Sales", "Legal"}[i%2])}
		if err := h.Store.Save(ctx, store.Saved{Person: id, New: true, Employment: &e, Row: &row, Facts: facts}); err != nil {
			t.Fatal(err)
		}
	}
	got := until(h, "the count", func() (map[string]flow.PolicyHolders, bool) {
		got, ready, err := h.HoldersSoon(ctx)
		if err != nil || !ready && len(got) > 0 {
			t.Fatalf("%d counts while nobody has counted, %v", len(got), err)
		}
		return got, ready
	})
	same(t, "in Sales", got["sales"].Count, 1_001)
	exact, err := h.Holders(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "who is named", len(exact["sales"].First), 3)
	for _, id := range slices.Sorted(maps.Keys(exact)) {
		same(t, id, got[id].Count, exact[id].Count)
	}
}
