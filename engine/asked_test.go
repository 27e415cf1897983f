package engine_test

import (
	"slices"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
)

// The laptop takes its serial number from the order. Where nobody has configured a reseller, who places the order is asked
// for it, and the laptop's own system goes on with it.
func TestWhoOrdersByHandTellsWhatTheLaptopNeeds(t *testing.T) {
	t.Parallel()
	order, device := step("shop/order"), step("jamf/device", "shop/order")
	device.Want.Attrs = dayone.Attrs{"serial": {Kind: dayone.TemplateValue, Text: "${shop.order.serial}"}, "name": dayone.Text("Erin")}
	w := newWorld(t, dayone.Plan{Steps: []dayone.Step{order, device}}, map[dayone.StepID]outcome{"shop/order": {{err: dayone.ErrUnsupported}}})
	w.finish(first)
	if s := w.run.Step("shop/order"); s.Wait == nil || !slices.Equal(s.Wait.Ask, []string{"serial"}) {
		t.Fatalf("%s, and it waits for %+v", w.states(), s.Wait)
	}
	if err := w.decide("shop/order", kim(engine.Complete, dayone.Attrs{"serial": dayone.Text("C02XK1ABCD")})); err != nil {
		t.Fatal(err)
	}
	w.finish(first)
	if got := w.states(); got != "done | shop/order done | jamf/device done" {
		t.Errorf("%s", got)
	}
}
