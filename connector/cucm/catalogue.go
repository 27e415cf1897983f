package cucm

import (
	"context"
	"iter"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// named is a list of what objects refer to by name.
type named struct {
	object string // of the operation: listDevicePool
	by     string // what is searched by
	tags   []string
}

// catalogues are what profiles and pools name, by kind.
var catalogues = map[string]named{
	"device_pool": {"DevicePool", "name", []string{"name"}}, "partition": {"RoutePartition", "name", []string{"name", "description"}},
	"search_space": {"Css", "name", []string{"description", "name"}}, "button_template": {"PhoneButtonTemplate", "name", []string{"name"}},
	"phone_config": {"CommonPhoneConfig", "name", []string{"name", "description"}}, "location": {"Location", "name", []string{"name"}},
	"service_profile": {"ServiceProfile", "name", []string{"name", "description"}}, "voicemail_profile": {"VoiceMailProfile", "name", []string{"name", "description"}},
	"pickup_group":     {"CallPickupGroup", "pattern", []string{"pattern", "description", "name"}},
	"security_profile": {"PhoneSecurityProfile", "name", []string{"name", "description"}}, "sip_profile": {"SipProfile", "name", []string{"name", "description"}},
	"softkey_template": {"SoftKeyTemplate", "name", []string{"name", "description"}}, "user_profile": {"UserProfileProvision", "name", []string{"name", "description"}},
}

// catalogue is a kind that is only listed.
type catalogue struct {
	*Cluster
	named named
}

var _ connector.Entitlements = catalogue{}

func (catalogue) Held(context.Context, string) ([]dayone.Item, error) { return nil, nil }

func (k catalogue) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return k.offers(ctx, k.named, func(e *Element) string { return e.UUID })
}

func (k catalogue) Add(context.Context, string, dayone.Item) error    { return k.nobodys() }
func (k catalogue) Remove(context.Context, string, dayone.Item) error { return k.nobodys() }

func (k catalogue) nobodys() error {
	return k.Fault("giving", dayone.ErrUnsupported, "", "it is what lines and phones refer to, and nothing that somebody has")
}

func (c *Cluster) offers(ctx context.Context, n named, ref func(*Element) string) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		var tags []*Element
		for _, t := range n.tags {
			tags = append(tags, Leaf(t, ""))
		}
		stopped := false
		err := c.list(ctx, "the catalogue", n.object, []*Element{Leaf(n.by, "%")}, tags, func(e *Element) bool {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: e.Value("name")}, Ref: ref(e), Title: e.Value("description")}, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}
