package web

import (
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// What comes later is called as what somebody has to agree to, and a step on which the finish hangs anyway takes the place of
// no other.
func TestAPreviewCallsWhatComesLaterAndKeepsItsPath(t *testing.T) {
	t.Parallel()
	later := dayone.Grant{Key: dayone.Key{System: "salesforce", Kind: "permset", Name: "discount-approver"}, From: noon.AddDate(0, 0, 3)}
	order := dayone.Step{ID: "shop/order assign", Action: dayone.AccountCreate, Key: dayone.Key{System: "shop", Kind: "order"}}
	device := dayone.Step{ID: "jamf/device assign", Action: dayone.AccountCreate, Key: dayone.Key{System: "jamf", Kind: "device"}, Needs: []dayone.Need{{Step: order.ID, When: dayone.Done}}}
	pv := flow.PickPreview{Handed: map[dayone.StepID]flow.Handed{order.ID: {}}}
	pv.Look.Plan.Steps, pv.Look.Want.Later = []dayone.Step{order, device}, []dayone.Grant{later}
	v := newOnboardPreview(viewer{zone: time.UTC, now: noon}, personHead{ID: "per_1"}, pv, nil, map[string]string{"salesforce": "Salesforce"}, map[string]string{"salesforce/permset": "permission set"}, func(id string) string { return id })
	if got := v.Later[0].Title.Text; got != "Salesforce permission set discount-approver" {
		t.Errorf("what comes later is called %q", got)
	}
	if len(v.Path) != 2 || v.Path[1].Href != "#plan-2" {
		t.Errorf("it hangs on %+v", v.Path)
	}
	page := pageOf(t, "onboard-preview")
	readsNot(t, "the preview", page, "It cannot be written", "- Google:")
	reads(t, "the preview", page, "once agreed by", "Salesforce queue mid-market: Planned, once agreed by")
	reads(t, "what stands against it", pageOf(t, "onboard-preview-against"), "It cannot be written")
}
