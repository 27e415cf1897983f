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

// extensions are the further numbers at which a mailbox answers. The first of the list is the extension of the mailbox itself,
// and those from the eleventh on are the owner's own: neither is given.
type extensions struct{ users }

var _ connector.Entitlements = extensions{}

// most is how many an administrator may give.
const most = 9

func (e extensions) read(ctx context.Context, account string) ([]object, error) {
	rows, err := e.all(ctx, "reading alternate extensions", user(account)+"/alternateextensions", "AlternateExtension", nil)
	return slices.DeleteFunc(rows, func(o object) bool {
		n, err := strconv.Atoi(o["IdIndex"])
		return err != nil || n < 1 || n > most
	}), err
}

func (e extensions) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	rows, err := e.read(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, o := range rows {
		out = append(out, dayone.Item{Key: dayone.Key{Name: o["DtmfAccessId"]}, Ref: o.id(), State: dayone.Active})
	}
	slices.SortFunc(out, func(a, b dayone.Item) int { return strings.Compare(a.Key.Name, b.Key.Name) })
	return out, nil
}

func (extensions) Offers(context.Context) iter.Seq2[dayone.Offer, error] {
	return func(func(dayone.Offer, error) bool) {}
}

// Add takes the first free place of nine. One that somebody else has is told with whose it is.
func (e extensions) Add(ctx context.Context, account string, want dayone.Item) error {
	const op = "adding alternate extension"
	number := want.Key.Name
	if number == "" {
		return e.Fault(op, dayone.ErrInvalid, "", "an alternate extension is named by its number, such as alternate_extension:2101")
	}
	rows, err := e.read(ctx, account)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, o := range rows {
		if o["DtmfAccessId"] == number {
			return e.Fault(op, dayone.ErrConflict, "", "the mailbox has it already")
		}
		taken[o["IdIndex"]] = true
	}
	place := ""
	for n := 1; n <= most && place == ""; n++ {
		if s := strconv.Itoa(n); !taken[s] {
			place = s
		}
	}
	if place == "" {
		return e.Fault(op, dayone.ErrInvalid, "", "the mailbox has nine alternate extensions, and there can be no more: take one away first")
	}
	_, err = e.write(ctx, op, "POST", user(account)+"/alternateextensions", nil, object{"IdIndex": place, "DtmfAccessId": number})
	if errors.Is(err, dayone.ErrInvalid) {
		if who := e.holder(ctx, number); who != "" {
			return e.advise(err, number+" is that of "+who+": take it from there, then retry")
		}
	}
	return e.loud(err)
}

func (e extensions) Remove(ctx context.Context, account string, is dayone.Item) error {
	_, err := e.write(ctx, "removing alternate extension", "DELETE", user(account)+"/alternateextensions/"+url.PathEscape(is.Ref), nil, nil)
	return e.loud(err)
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
