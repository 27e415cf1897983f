package flow_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/number"
)

// of is what somebody has, as her page shows it.
func (c *cluster) of(who string) flow.Belongings {
	c.t.Helper()
	b, err := c.Belongings(few, c.ids[who])
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// deviceOf is one of somebody's devices by its name.
func deviceOf(t *testing.T, b flow.Belongings, name string) flow.PersonDevice {
	t.Helper()
	for _, d := range b.Devices {
		if d.Name == name {
			return d
		}
	}
	t.Errorf("%s is not among %+v", name, b.Devices)
	return flow.PersonDevice{}
}

// Before a cluster was read it is unknown what somebody has there. Read and adopted, each has her number and the phone that
// shows it, who shares a line sees whose it is, and who is signed in on another's phone sees that it is not hers.
func TestNumbersAndDevicesOfPeopleOnACluster(t *testing.T) {
	t.Parallel()
	c := clustered(t)
	b := c.of("mboss")
	if len(b.Numbers)+len(b.Devices) > 0 || len(b.Phones) != 1 || !b.Phones[0].Read.IsZero() {
		t.Errorf("before it was read: %+v", b)
	}
	read := c.reads().Read
	phone := deviceOf(t, c.of("mboss"), "SEP001122302100")
	same(t, "before it was adopted the line is there", strings.Join(phone.Lines, " "), "+14085552100")
	same(t, "and no number of the books", len(c.of("mboss").Numbers), 0)
	if _, err := c.AdoptPlatform(few, "cucm", "", "kim", false); err != nil {
		t.Fatal(err)
	}

	boss := c.of("mboss")
	if len(boss.Numbers) != 1 || boss.Numbers[0].ID != "+14085552100" || boss.Numbers[0].State != dayone.NumberAssigned || boss.Numbers[0].Pool.Name != "office" {
		t.Fatalf("her number: %+v", boss.Numbers)
	}
	same(t, "it rings on", strings.Join(boss.Numbers[0].Devices, " "), "SEP001122302100")
	if s := boss.Numbers[0].Shown; len(s) != 1 || s[0].Name != "Ali Assist" {
		t.Errorf("it is shared with %+v", s)
	}
	phone = deviceOf(t, boss, "SEP001122302100")
	same(t, "address", phone.MAC, "00:11:22:30:21:00")
	same(t, "when it was read", phone.Seen.Equal(read) && phone.Read, true)
	same(t, "somebody else is signed in on it, and that is not hers to know", phone.On, false)
	same(t, "the system was read", boss.Phones[0].Read.Equal(read), true)

	ali := c.of("aassist")
	if len(ali.Numbers) != 2 || ali.Numbers[1].Role != dayone.ShownShared || ali.Numbers[1].Name != "Maria Boss" || ali.Numbers[0].Role != "" {
		t.Errorf("who shares a line: %+v", ali.Numbers)
	}
	same(t, "both lines are on his phone", len(deviceOf(t, ali, "SEP001122302102").Lines), 2)

	ewa := c.of("ecolleague")
	same(t, "her profile", deviceOf(t, ewa, "UDP-ecolleague").Class, dayone.DeviceProfile)
	theirs := deviceOf(t, ewa, "SEP001122302100")
	if !theirs.Other || !theirs.On || len(theirs.Lines) > 0 || theirs.Sure != "" {
		t.Errorf("a phone that is not hers: %+v", theirs)
	}

	_, err := c.Belongings(context.Background(), "per_01jd9x0000000000000000000z")
	is(t, err, dayone.ErrNotFound)
}

// What a policy gives is told before any system shows it, and the serial number comes with it; what no plan gives is not told. A
// number that was given back rests, and is told as one that was hers.
// What a policy would give, if something were known, waits; what she holds already and what is no device does not stand there.
func TestDevicesThatWaitForAFact(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	id := h.known("emp_1")
	l, err := h.Preview(few, id)
	if err != nil {
		t.Fatal(err)
	}
	laptop, phone := dayone.Key{System: "jamf", Kind: "device"}, dayone.Key{System: "cucm", Kind: "phone"}
	l.Person.Managed = true
	l.Want.Keep = []dayone.Key{phone, laptop, {System: "okta", Kind: "group", Name: "device"}}
	l.Have = append(l.Have, dayone.Holding{Item: dayone.Item{Key: laptop, State: dayone.Active}})
	if got := h.AwaitedDevices(l); len(got) != 1 || got[0].Key != phone {
		t.Errorf("%+v waits", got)
	}
	l.Have[len(l.Have)-1].State = dayone.Gone
	if got := h.AwaitedDevices(l); len(got) != 2 {
		t.Errorf("what she had once does not wait: %+v", got)
	}
	l.Person.Managed = false
	if got := h.AwaitedDevices(l); len(got) != 0 {
		t.Errorf("nothing is planned for her, and %+v waits", got)
	}
}

func TestDevicesThatPoliciesGive(t *testing.T) {
	t.Parallel()
	h := numbered(t)
	id := h.known("emp_1")
	got := h.gives(flow.NumberWish{Person: id, By: "kim"})
	laptop := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "jamf", Kind: "device"}, Attrs: dayone.Attrs{"serial": dayone.Text("C02XK1ABCD"), "model": dayone.Text("MacBook Pro")}}, Confirmed: begin}
	list := []flow.Access{
		{Key: dayone.Key{System: "procurement", Kind: "order"}, Title: "Procurement", Kind: "Order", State: flow.ToCome},
		{Key: laptop.Key, Title: "Jamf", Kind: "Managed Mac", State: flow.AsWanted, Holding: &laptop},
		{Key: dayone.Key{System: "webex", Kind: "device"}, State: flow.NotPlanned},
		{Key: dayone.Key{System: "okta", Kind: "group", Name: "device"}, State: flow.AsWanted},
	}
	b, err := h.BelongingsOf(few, id, list)
	if err != nil || len(b.Numbers) != 1 || b.Numbers[0].ID != got.ID || b.Numbers[0].Before || len(b.Phones) != 0 || len(b.Devices) != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	same(t, "on its way", b.Devices[0].State, flow.ToCome)
	if d := b.Devices[1]; d.Serial != "C02XK1ABCD" || d.Product != "MacBook Pro" || !d.Seen.Equal(begin) || d.Read {
		t.Errorf("her laptop: %+v", d)
	}
	if _, err := h.OrderNumber(few, got.ID, flow.NumberOrder{Verb: number.Release, By: "kim", Reason: "moved"}); err != nil {
		t.Fatal(err)
	}
	b, err = h.BelongingsOf(few, id, nil)
	if err != nil || len(b.Numbers) != 1 || !b.Numbers[0].Before {
		t.Errorf("after it was given back: %+v, %v", b.Numbers, err)
	}
}
