package unity

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// extensions are the further numbers at which a mailbox answers: one at each of nine places, which the vendor calls by telephones.
// What stands before them is the extension of the mailbox itself, and what comes after is its owner's own: neither is given.
type extensions struct{ users }

var _ connector.Entitlements = extensions{}

// places are named as the administration pages name them, as far as the vendor tells; a place is its number on the wire.
var places = []string{"work-phone", "work-phone-2", "home-phone", "home-phone-2", "mobile-phone", "mobile-phone-2", "work-fax", "place-8", "place-9"}

func (e extensions) read(ctx context.Context, account string) ([]object, error) {
	rows, err := e.all(ctx, "reading alternate extensions", user(account)+"/alternateextensions", "AlternateExtension", nil)
	return slices.DeleteFunc(rows, func(o object) bool { return place(o) == "" }), err
}

// place is the name of a row's place; "": it has none of ours.
func place(o object) string {
	n, err := strconv.Atoi(o["IdIndex"])
	if err != nil || n < 1 || n > len(places) {
		return ""
	}
	return places[n-1]
}

func (e extensions) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	rows, err := e.read(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, o := range rows {
		out = append(out, dayone.Item{Key: dayone.Key{Name: place(o)}, Ref: o["IdIndex"], State: dayone.Active, Attrs: dayone.Attrs{"number": dayone.Text(o["DtmfAccessId"])}})
	}
	slices.SortFunc(out, func(a, b dayone.Item) int { return strings.Compare(a.Ref, b.Ref) })
	return out, nil
}

func (extensions) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		for i, name := range places {
			if !yield(dayone.Offer{Key: dayone.Key{Name: name}, Ref: strconv.Itoa(i + 1)}, nil) {
				return
			}
		}
	}
}

// Add puts a number at a place, or another one there. A number that somebody else has is told with whose it is.
func (e extensions) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "adding alternate extension"
	number := want.Attrs.Text("number")
	if number == "" {
		return e.Fault(op, dayone.ErrInvalid, "", "an alternate extension needs its number: params: {number: ...}")
	}
	rows, err := e.read(ctx, account)
	if err != nil {
		return err
	}
	path := user(account) + "/alternateextensions"
	i := slices.IndexFunc(rows, func(o object) bool { return o["IdIndex"] == want.Ref })
	switch {
	case i < 0:
		_, err = e.write(ctx, op, "POST", path, nil, object{"IdIndex": want.Ref, "DtmfAccessId": number})
	case rows[i]["DtmfAccessId"] == number:
		return e.Fault(op, dayone.ErrConflict, "", "the mailbox has it already")
	default:
		_, err = e.write(ctx, op, "PUT", path+"/"+url.PathEscape(rows[i].id()), nil, object{"DtmfAccessId": number})
	}
	if errors.Is(err, dayone.ErrInvalid) {
		if who := e.holder(ctx, number); who != "" {
			return e.advise(err, number+" is that of "+who+": take it from there, then retry")
		}
	}
	return e.loud(err)
}

func (e extensions) Remove(ctx context.Context, account string, is dayone.Item) error {
	const op = "removing alternate extension"
	rows, err := e.read(ctx, account)
	if err != nil {
		return err
	}
	for _, o := range rows {
		if o["IdIndex"] == is.Ref {
			_, err = e.write(ctx, op, "DELETE", user(account)+"/alternateextensions/"+url.PathEscape(o.id()), nil, nil)
			return e.loud(err)
		}
	}
	return e.Fault(op, dayone.ErrNotFound, "", "there is none at this place")
}

// loud makes a conflict fail for good: of an entitlement it would mean that it was given before.
func (s *server) loud(err error) error {
	var f *dayone.Fault
	if !errors.As(err, &f) || !errors.Is(err, dayone.ErrConflict) {
		return err
	}
	out := *f
	out.Err = dayone.ErrInvalid
	return &out
}

// lamps makes the message lamps that name the old extension name the new one. Those that follow the mailbox do so by themselves.
func (u users) lamps(ctx context.Context, ref, old, extension string) error {
	rows, err := u.all(ctx, "reading message lamps", user(ref)+"/mwis", "Mwi", nil)
	if err != nil {
		return err
	}
	for _, o := range rows {
		if o.yes("UsePrimaryExtension") || o["MwiExtension"] == "" || o["MwiExtension"] != old {
			continue
		}
		if _, err := u.write(ctx, "moving message lamp", "PUT", user(ref)+"/mwis/"+url.PathEscape(o.id()), nil, object{"MwiExtension": extension}); err != nil {
			return err
		}
	}
	return nil
}

// relight has the server set the lamps again: a new extension does not by itself.
func (u users) relight(ctx context.Context, ref string) error {
	_, err := u.write(ctx, "setting message lamps again", "POST", user(ref), url.Values{"method": {"resetmwi"}}, nil)
	return err
}
