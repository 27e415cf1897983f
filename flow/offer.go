package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// ---- what a source says of an offer: it makes nobody, and a telephone number is kept for who may come ----

// offerRef is by what a number is kept for an offer: two sources may give the same id to two people.
func offerRef(source, subject string) string { return source + "/" + subject }

// offer looks at an offer, or at its end. Nothing about it is an error but what the books are: the hire comes after it, and must
// not wait for a number.
func (f *Flow) offer(ctx context.Context, in dayone.Intake, body []byte) error {
	h, err := f.hear(ctx, in.Event, body, func(context.Context, string) (dayone.Event, error) { return dayone.Event{}, dayone.ErrUnsupported })
	if errors.Is(err, dayone.ErrNotFound) || errors.Is(err, dayone.ErrInvalid) {
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventQuarantined, err.Error())
	}
	if err != nil {
		return err
	}
	newest, _, err := f.Store.Offers(ctx, in.Source, in.Subject, in.ID)
	if err != nil {
		return err
	}
	said := in.At
	if said.IsZero() {
		said = in.Received
	}
	if newest.After(said) { // it was late, or is said again
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventUnchanged, "a later word about this offer counts")
	}
	if h.Type == dayone.OfferWithdrawn {
		n, err := f.releaseOffered(ctx, h.Event, "", "the offer was withdrawn")
		if err != nil {
			return err
		}
		if n == 0 {
			return f.Store.MarkEvent(ctx, in.ID, dayone.EventUnchanged, "no number was kept for this offer")
		}
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventApplied, "the number that was kept is released")
	}
	if _, known, err := f.Store.PersonOf(ctx, h.Source, h.Subject); err != nil || known {
		if err != nil {
			return err
		}
		return f.Store.MarkEvent(ctx, in.ID, dayone.EventUnchanged, "they are hired already")
	}
	state, note, err := f.keepOffered(ctx, h)
	if err != nil {
		return err
	}
	return f.Store.MarkEvent(ctx, in.ID, state, note)
}

// keepOffered keeps a number of the pool that rules name for somebody who was hired as the offer says. An offer that is said anew
// keeps the same number, or one of another pool instead.
func (f *Flow) keepOffered(ctx context.Context, h people.Heard) (dayone.EventState, string, error) {
	now, set := f.Clock.Now(), f.Active()
	as := h
	as.Type = dayone.Hired
	t := dayone.Timeline{}
	j := people.Judge(&t, as, set, now, dayone.EngagementID(f.IDs.New("eng")))
	if j.State == dayone.EventQuarantined {
		return j.State, j.Note, nil
	}
	t = j.Extend(t)
	p := people.At(&t, now, now, set)
	at := now
	if p.Start.After(at) {
		at = p.Start
	}
	pool, unknown, err := f.poolOf(ctx, &t, at)
	switch {
	case err != nil:
		return "", "", err
	case pool == "" && len(unknown) > 0:
		return dayone.EventUnchanged, "no number is kept: it cannot be told whether pool " + strings.Join(unknown, " or ") + " is for them, since something is not known of them", nil
	case pool == "":
		if _, err := f.releaseOffered(ctx, h.Event, "", "no rule gives one any more"); err != nil {
			return "", "", err
		}
		return dayone.EventUnchanged, "no number is kept: no rule of numbers.yaml gives them one", nil
	}
	w := NumberWish{Pool: pool, For: dayone.NumberNote{Ref: offerRef(h.Source, h.Subject)}, At: at, By: h.Source, Reason: "an offer"}
	if !h.Veiled && !j.Veiled && !h.Secret { // of what is confidential only the id is written
		w.For.Name = p.Name()
	}
	got, err := f.ReserveNumber(ctx, w)
	if errors.Is(err, dayone.ErrNoSeat) || errors.Is(err, dayone.ErrConflict) || errors.Is(err, dayone.ErrInvalid) {
		return dayone.EventUnchanged, "no number is kept: " + Problem(err), nil
	}
	if err != nil {
		return "", "", err
	}
	if _, err := f.releaseOffered(ctx, h.Event, got.ID, "the offer is of another pool now"); err != nil {
		return "", "", err
	}
	return dayone.EventApplied, fmt.Sprintf("%s of pool %s is kept for them until %s", got.ID, pool, got.Until.Format(time.DateOnly)), nil
}

// releaseOffered releases what is kept for an offer, but for one number, and says how many were.
func (f *Flow) releaseOffered(ctx context.Context, ev dayone.Event, but dayone.NumberID, why string) (released int, err error) {
	kept, err := f.offered(ctx, ev.Source, ev.Subject)
	if err != nil || !slices.ContainsFunc(kept, func(x dayone.Number) bool { return x.ID != but }) {
		return 0, err
	}
	err = f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		plan, _, err := f.numberBook(n)
		if err != nil {
			return err
		}
		released = 0
		for _, was := range kept {
			x, err := n.Number(was.ID)
			if err != nil {
				return err
			}
			if x.ID == but || x.State != dayone.NumberReserved || x.Owner != "" || !strings.EqualFold(x.For.Ref, was.For.Ref) {
				continue
			}
			if _, err := f.apply(n, x, number.Order{Verb: number.Release, At: f.Clock.Now()}, timersOf(plan, x.Pool), ev.Source, why); err != nil {
				return err
			}
			released++
		}
		return nil
	})
	return released, err
}

// offered are the numbers that are kept for an offer.
func (f *Flow) offered(ctx context.Context, source, subject string) ([]dayone.Number, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return nil, err
	}
	var out []dayone.Number
	for _, pool := range plan.Pools {
		kept, err := n.Awaited(pool.Name)
		if err != nil {
			return nil, err
		}
		for _, x := range kept {
			if strings.EqualFold(x.For.Ref, offerRef(source, subject)) {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// hireTakes makes a number that was kept for an offer that of whoever was hired. Should we fall before it, it is still found by
// the offer's name when she is given one.
func (f *Flow) hireTakes(ctx context.Context, h people.Heard, person dayone.PersonID) {
	_, any, err := f.Store.Offers(ctx, h.Source, h.Subject, "")
	var kept []dayone.Number
	if any { // most are hired without a word of an offer: then no book of numbers is read
		kept, err = f.offered(ctx, h.Source, h.Subject)
	}
	for _, x := range kept {
		if _, e := f.ReserveNumber(ctx, NumberWish{Person: person, Number: x.ID, Until: x.Until, By: h.Source, Reason: "the offer was taken"}); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		f.Log.Warn("a number that was kept for an offer stays under the offer's name", "person", person, "error", err)
	}
}
