package entra

import (
	"context"
	"fmt"
	"iter"
	"net/url"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector/httpc"
)

type licences struct{ *client }

// sku is a product that the company subscribed to. https://learn.microsoft.com/graph/api/resources/subscribedsku
type sku struct {
	ID       string `json:"skuId"`
	Name     string `json:"skuPartNumber"`
	For      string `json:"appliesTo"`
	Status   string `json:"capabilityStatus"`
	Consumed int    `json:"consumedUnits"`
	Prepaid  struct {
		Enabled int `json:"enabled"`
		Warning int `json:"warning"` // of a subscription that has ended, in its days of grace: they can be given
	} `json:"prepaidUnits"`
}

// total is how many can be given now.
func (s sku) total() int {
	if s.Status != "Enabled" && s.Status != "Warning" {
		return 0
	}
	return s.Prepaid.Enabled + s.Prepaid.Warning
}

// skus that users can have. https://learn.microsoft.com/graph/api/subscribedsku-list
func (l licences) skus(ctx context.Context) (out []sku, err error) {
	err = pages(ctx, l.client, &l.Client, httpc.Request{
		Op: "listing licences", Method: "GET", Path: "/subscribedSkus", Query: url.Values{"$select": {"skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits"}},
	}, func(s sku) bool {
		if s.For != "Company" {
			out = append(out, s)
		}
		return true
	})
	return out, err
}

// Held are licences that the user has in her own right; what a group brings, ends with the group.
func (l licences) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	var u struct {
		States []struct {
			SKU   string `json:"skuId"`
			Group string `json:"assignedByGroup"`
			State string `json:"state"`
		} `json:"licenseAssignmentStates"`
	}
	err := l.call(ctx, &l.Client, httpc.Request{
		Op: "reading licences of user", Method: "GET", Path: userPath(account), Query: url.Values{"$select": {"id,licenseAssignmentStates"}},
	}, &u)
	if err != nil || len(u.States) == 0 {
		return nil, err
	}
	all, err := l.skus(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, s := range all {
		names[s.ID] = s.Name
	}
	var out []dayone.Item
	for _, s := range u.States {
		if s.Group != "" || s.State == "Error" {
			continue
		}
		name := names[s.SKU]
		if name == "" {
			name = s.SKU // of a subscription that is no more
		}
		out = append(out, dayone.Item{Key: dayone.Key{Name: name}, Ref: s.SKU, State: dayone.Active})
	}
	return out, nil
}

func (l licences) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		all, err := l.skus(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, s := range all {
			if !yield(dayone.Offer{Key: dayone.Key{Name: s.Name}, Ref: s.ID, Title: s.Name, Seats: &dayone.Seats{Pool: s.Name, Total: s.total(), Used: s.Consumed}}, nil) {
				return
			}
		}
	}
}

// Add gives a licence if one is free: Graph may take an assignment that it cannot honour, and says so only later.
// https://learn.microsoft.com/graph/api/user-assignlicense
func (l licences) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "assigning licence"
	all, err := l.skus(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID != want.Ref {
			continue
		}
		if s.Consumed >= s.total() {
			return l.Fault(op, dayone.ErrNoSeat, "", fmt.Sprintf("all %d licences of %s are in use", s.total(), s.Name))
		}
		return l.assign(ctx, op, account, []map[string]any{{"skuId": want.Ref, "disabledPlans": []string{}}}, []string{})
	}
	return l.Fault(op, dayone.ErrNoSeat, "", "the company has no subscription to it any more")
}

func (l licences) Remove(ctx context.Context, account string, is dayone.Item) error {
	return l.assign(ctx, "removing licence", account, []map[string]any{}, []string{is.Ref})
}

// assign writes both lists, which Graph wants even where they are empty.
func (l licences) assign(ctx context.Context, op, account string, add []map[string]any, remove []string) error {
	return l.call(ctx, &l.Client, httpc.Request{
		Op: op, Method: "POST", Path: userPath(account) + "/assignLicense", JSON: map[string]any{"addLicenses": add, "removeLicenses": remove},
	}, nil)
}
