package flow_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// A hundred thousand groups are found by any part of their names, and paged through without a gap or a double.
func TestWhatCanBeGivenIsSearchedAndPaged(t *testing.T) {
	t.Parallel()
	h := newWorld(t).open()
	const n = 100_000
	offers := make([]dayone.Offer, 0, n)
	for i := range n {
		offers = append(offers, dayone.Offer{Key: dayone.Key{System: "okta", Kind: "group", Name: fmt.Sprintf("team-%06d", i)}, Ref: fmt.Sprint(i), Title: fmt.Sprintf("Team %d of EMEA", i)})
	}
	if err := h.Store.SaveCatalogue(ctx, "okta", offers, h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	ask := func(q flow.OfferingFilter) ([]flow.Offering, int, bool) {
		t.Helper()
		page, total, more, err := h.Offerings(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return page, total, more
	}
	page, total, more := ask(flow.OfferingFilter{System: "okta", Limit: 50})
	if len(page) != 50 || total < n || !more {
		t.Fatalf("%d of %d, more: %t", len(page), total, more)
	}
	if page, total, more = ask(flow.OfferingFilter{Text: "team 4242 EMEA", System: "okta", Limit: 50}); total != 20 || len(page) != 20 || more { // 04242x and 0x4242
		t.Errorf("%d of %d fit, more: %t", len(page), total, more)
	}
	if !page[0].Closed || page[0].Title == "" {
		t.Errorf("what no catalogue of the policies lists: %+v", page[0])
	}
	if _, total, _ := ask(flow.OfferingFilter{Text: "team", System: "slack", Limit: 1}); total != 0 {
		t.Errorf("at another system %d", total)
	}
	var keys []string
	for after := ""; ; {
		page, _, more := ask(flow.OfferingFilter{Text: "TEAM-0001", After: after, Limit: 7})
		for _, o := range page {
			keys = append(keys, o.Key.String())
		}
		if !more {
			break
		}
		after = keys[len(keys)-1]
	}
	if len(keys) != 100 || !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != 100 {
		t.Errorf("%d keys by pages of 7", len(keys))
	}
	if page, _, _ := ask(flow.OfferingFilter{Text: "base-employee", Limit: 5}); len(page) == 0 || page[0].Closed {
		t.Errorf("what policies name: %+v", page)
	}
	if page, total, more := ask(flow.OfferingFilter{Text: "%_'", Limit: 5}); len(page) > 0 || total > 0 || more {
		t.Error("signs are found")
	}
}
