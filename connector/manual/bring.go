package manual

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sheet"
)

// How lists come: judged whole, shown beside the one before, and then kept in its place.

var _ connector.Listed = (*system)(nil)

// Listed says of when the list is.
func (s *system) Listed(context.Context) (connector.ListState, error) {
	r, at, err := s.book.Latest()
	if err != nil {
		return connector.ListState{At: at, Good: s.good}, s.fault("reading the list", err)
	}
	return connector.ListState{At: at, Accounts: len(r.Accounts), Good: s.good}, nil
}

// Bring takes a list of accounts, or of what is offered.
func (s *system) Bring(_ context.Context, raw []byte, b connector.Brought) (connector.ListChange, error) {
	s.bringing.Lock()
	defer s.bringing.Unlock()
	now := s.now()
	at := b.At
	switch {
	case at.IsZero():
		at = now
	case at.After(now.Add(time.Minute)):
		return connector.ListChange{}, s.fault("taking a list", fmt.Errorf("the list is said to be of %s, which is still to come: %w", clockOf(at), dayone.ErrInvalid))
	}
	if err := sheet.Legible(raw); err != nil {
		return connector.ListChange{}, s.fault("taking a list", err)
	}
	if b.Catalogue {
		return s.bringCatalogue(raw, at, b)
	}
	c, err := s.judge(raw, at, b)
	if err != nil || b.Dry {
		return c, err
	}
	if err := sheet.Replace(s.book.File, raw, at); err != nil {
		return c, s.fault("keeping the list", err)
	}
	return c, nil
}

func (s *system) judge(raw []byte, at time.Time, b connector.Brought) (connector.ListChange, error) {
	var c connector.ListChange
	next, err := s.book.Parse(raw)
	if err != nil {
		return c, s.fault("taking a list", err)
	}
	c.Rows = len(next.Accounts)
	before, was, err := s.book.Latest()
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		for _, e := range next.Accounts {
			c.New = append(c.New, e.Item.Ref)
		}
	case errors.Is(err, dayone.ErrInvalid): // what lies there is broken; anything good is better
	case err != nil:
		return c, s.fault("taking a list", err)
	case at.Before(was):
		return c, s.fault("taking a list", fmt.Errorf("it is of %s, and the one that counts is younger: of %s: %w", clockOf(at), clockOf(was), dayone.ErrConflict))
	default:
		c.Were = len(before.Accounts)
		c.New, c.Changed, c.Missing = next.Compare(before)
		for _, name := range append(slices.Clone(s.book.Layout.Kinds), sheet.StateColumn) {
			if before.Shows(name) && !next.Shows(name) && !b.Smaller {
				return c, s.fault("taking a list", fmt.Errorf("the list before had a column for %s and this one has none, so nothing would be known of it; if that is right, say so: %w", name, dayone.ErrConflict))
			}
		}
	}
	return c, s.small(c, b)
}

func (s *system) small(c connector.ListChange, b connector.Brought) error {
	if b.Smaller || !sheet.MuchSmaller(len(c.Missing), c.Were) {
		return nil
	}
	return s.fault("taking a list", fmt.Errorf("it has %d lines, and of the %d of the list before %d are missing in it; it looks like a part of it, or like another. If it is right, say so: %w", c.Rows, c.Were, len(c.Missing), dayone.ErrConflict))
}

func (s *system) bringCatalogue(raw []byte, at time.Time, b connector.Brought) (connector.ListChange, error) {
	var c connector.ListChange
	if s.catalogue == "" {
		return c, s.fault("taking a catalogue", fmt.Errorf("%s has no setting catalogue, which says where it is kept: %w", s.name, dayone.ErrInvalid))
	}
	next, err := sheet.ParseOffers(raw, s.name, s.book.Layout.Kinds)
	if err != nil {
		return c, s.fault("taking a catalogue", err)
	}
	c.Rows = len(next)
	old, _, err := sheet.Load(s.catalogue)
	var before []dayone.Offer
	if err == nil {
		before, err = sheet.ParseOffers(old, s.name, s.book.Layout.Kinds)
	}
	if err != nil && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrInvalid) {
		return c, s.fault("taking a catalogue", err)
	}
	c.Were = len(before)
	c.New, c.Missing = beside(next, before), beside(before, next)
	if err := s.small(c, b); err != nil || b.Dry {
		return c, err
	}
	if err := sheet.Replace(s.catalogue, raw, at); err != nil {
		return c, s.fault("keeping the catalogue", err)
	}
	return c, nil
}

// beside are the keys that one list of offers has and the other has not.
func beside(has, not []dayone.Offer) (out []string) {
	for _, o := range has {
		if !slices.ContainsFunc(not, func(p dayone.Offer) bool { return p.Key == o.Key }) {
			out = append(out, o.Key.String())
		}
	}
	return out
}

// offers are those of the catalogue's file, else what the list shows that somebody has.
func (s *system) offers() ([]dayone.Offer, error) {
	if s.catalogue == "" {
		r, err := s.believed()
		if err != nil {
			return nil, err
		}
		return r.Offers(s.name), nil
	}
	raw, _, err := sheet.Load(s.catalogue)
	var out []dayone.Offer
	if err == nil {
		out, err = sheet.ParseOffers(raw, s.name, s.book.Layout.Kinds)
	}
	if err != nil {
		return nil, s.fault("reading the catalogue", err)
	}
	return out, nil
}
