package unity

import (
	"context"
	"errors"
	"iter"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// named is a list of what mailboxes and templates refer to.
type named struct{ path, element, name, title string }

// catalogues are what a template decides for a mailbox, by kind.
var catalogues = map[string]named{
	"user_template": {"/vmrest/usertemplates", "UserTemplate", "Alias", "DisplayName"}, "class_of_service": {"/vmrest/coses", "Cos", "DisplayName", ""},
	"partition": {"/vmrest/partitions", "Partition", "Name", "Description"}, "search_space": {"/vmrest/searchspaces", "SearchSpace", "Name", "Description"},
	"phone_system": {"/vmrest/phonesystems", "PhoneSystem", "DisplayName", ""}, "mailbox_store": {"/vmrest/mailboxstores", "MailboxStore", "DisplayName", ""},
}

// catalogue is a kind that is only listed.
type catalogue struct {
	*server
	named named
}

var _ connector.Entitlements = catalogue{}

func (catalogue) Held(context.Context, string) ([]dayone.Item, error) { return nil, nil }

func (k catalogue) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		stopped := false
		err := k.list(ctx, "reading the catalogue", k.named.path, k.named.element, nil, func(o object) (bool, error) {
			stopped = !yield(dayone.Offer{Key: dayone.Key{Name: o[k.named.name]}, Ref: o.id(), Title: o[k.named.title]}, nil)
			return !stopped, nil
		})
		if errors.Is(err, dayone.ErrNotFound) {
			return // the service answers, and this release has no such list
		}
		if err != nil && !stopped {
			yield(dayone.Offer{}, err)
		}
	}
}

func (k catalogue) Add(context.Context, string, dayone.Item) error    { return k.nobodys() }
func (k catalogue) Remove(context.Context, string, dayone.Item) error { return k.nobodys() }

func (k catalogue) nobodys() error {
	return k.Fault("giving", dayone.ErrUnsupported, "", "the user template decides it for a new mailbox; of one that is there it is changed in Cisco Unity Connection Administration")
}
