package webex

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// licenses hang on a person; there are as many as were bought.
type licenses struct{ *client }

// Held shows the number beside a licence for calling.
func (l licenses) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	p, err := l.getPerson(ctx, account)
	if err != nil {
		return nil, err
	}
	if len(p.Licenses) == 0 {
		return nil, nil
	}
	names, err := l.licenceNames(ctx)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, id := range p.Licenses {
		name := names[id]
		if name == "" {
			name = id
		}
		it := dayone.Item{Key: dayone.Key{Name: name}, Ref: id, State: dayone.Active}
		if calls(name) {
			it.Attrs = dayone.Attrs{"location": dayone.Text(p.Location), "extension": dayone.Text(p.Extension), "phone_number": dayone.Text(p.phone())}
		}
		out = append(out, it)
	}
	return out, nil
}

func calls(name string) bool { return strings.Contains(name, "Calling") }

func (l licenses) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		ls, err := l.getLicences(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, x := range ls {
			title := x.Name
			if x.Total >= 0 {
				title = fmt.Sprintf("%s, %d of %d in use", x.Name, x.Consumed, x.Total)
			}
			var seats *dayone.Seats
			if x.Total >= 0 {
				seats = &dayone.Seats{Pool: x.Name, Total: x.Total, Used: x.Consumed}
			}
			if !yield(dayone.Offer{Key: dayone.Key{Name: x.Name}, Ref: x.ID, Title: title, Seats: seats}, nil) {
				return
			}
		}
	}
}

// Add gives one. What Webex answers is believed only as far as it lists the licence: it may do a part, and answer 206.
func (l licenses) Add(ctx context.Context, account string, want dayone.Item) error {
	held, err := l.Held(ctx, account)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(held, func(it dayone.Item) bool { return it.Ref == want.Ref }) {
		return &dayone.Fault{
			System: l.System, Op: "changing licence", Err: dayone.ErrUnsupported, Detail: "the licence is held with another number or at another location",
			Next: "change the number of this person in Control Hub; a calling user's location cannot be changed",
		}
	}
	change := map[string]any{"id": want.Ref, "operation": "add"}
	properties := map[string]string{}
	for ours, theirs := range map[string]string{"location": "locationId", "extension": "extension", "phone_number": "phoneNumber"} {
		if v := want.Attrs.Text(ours); v != "" {
			properties[theirs] = v
		}
	}
	if len(properties) > 0 {
		change["properties"] = properties
	}
	got, err := l.setLicence(ctx, account, change)
	switch {
	case err == nil && slices.Contains(got.Licenses, want.Ref):
		return nil
	case err == nil && slices.Contains(got.Pending, want.Ref):
		return l.Fault("assigning licence", dayone.ErrNotYet, "", "it is pending until the person accepts the invitation of this organisation")
	case err != nil && !errors.Is(err, dayone.ErrInvalid):
		return err
	}
	return l.whyNot(ctx, want, err)
}

// whyNot tells a licence that is used up from one that cannot be given for another reason.
func (l licenses) whyNot(ctx context.Context, want dayone.Item, refusal error) error {
	ls, err := l.getLicences(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ls, func(x licence) bool { return x.ID == want.Ref })
	switch {
	case i < 0:
		return l.Fault("assigning licence", dayone.ErrNotFound, "", "the organisation does not have this licence any more")
	case ls[i].Total >= 0 && ls[i].Consumed >= ls[i].Total:
		return &dayone.Fault{
			System: l.System, Op: "assigning licence", Err: dayone.ErrNoSeat,
			Detail: fmt.Sprintf("all %d of %s are in use", ls[i].Total, ls[i].Name), Next: "buy more, or take one back in Control Hub under Users",
		}
	case refusal != nil:
		return refusal
	}
	next := "see the person in Control Hub; another licence may stand against it"
	if calls(ls[i].Name) {
		next = "a licence for calling needs an extension and a location, or a phone number that is free"
	}
	return &dayone.Fault{System: l.System, Op: "assigning licence", Err: dayone.ErrInvalid, Code: "HTTP 206", Detail: ls[i].Name + " was not assigned", Next: next}
}

// Remove of what somebody has not is answered as done.
func (l licenses) Remove(ctx context.Context, account string, is dayone.Item) error {
	got, err := l.setLicence(ctx, account, map[string]any{"id": is.Ref, "operation": "remove"})
	if err == nil && slices.Contains(got.Licenses, is.Ref) {
		return l.Fault("removing licence", dayone.ErrNotYet, "", is.Key.Name+" is still there; another licence may need it")
	}
	return err
}
