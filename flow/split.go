package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Splitting is what splitting an employment off would do.
type Splitting struct {
	Person      Row
	Merge       *dayone.Merge // that it takes back; nil: somebody new is made
	Refused     string
	Employments []dayone.Employment // that go
	Back        []dayone.Key        // what a merge brought, and goes back
	Given       []dayone.Run        // under way, and planned anew
}

// Splitter is what it takes to split: the employment by our id of it, or by its source's.
type Splitter struct {
	Person     dayone.PersonID
	Employment string
	By, Reason string
}

// employmentOf is the employment of somebody that is meant.
func employmentOf(t dayone.Timeline, who string) (dayone.Employment, error) {
	who = strings.TrimSpace(who)
	var found []dayone.Employment
	var names []string
	for _, e := range t.Employments {
		if string(e.ID) == who || e.SourceID == who || e.Source+"/"+e.SourceID == who {
			found = append(found, e)
		}
		names = append(names, e.Source+"/"+e.SourceID)
	}
	switch {
	case who == "":
		return dayone.Employment{}, fmt.Errorf("say which employment: %s: %w", strings.Join(names, ", "), dayone.ErrInvalid)
	case len(found) == 0:
		return dayone.Employment{}, fmt.Errorf("this person has no employment %q; they have %s: %w", who, strings.Join(names, ", "), dayone.ErrNotFound)
	case len(found) > 1:
		return dayone.Employment{}, fmt.Errorf("%q may be several employments; say one of %s: %w", who, strings.Join(names, ", "), dayone.ErrConflict)
	}
	return found[0], nil
}

// SplitPreview says what Split would do.
func (f *Flow) SplitPreview(ctx context.Context, id dayone.PersonID, employment string) (Splitting, error) {
	var s Splitting
	var err error
	if s.Person, err = f.whole(ctx, id); err != nil {
		return s, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return s, err
	}
	e, err := employmentOf(t, employment)
	if err != nil {
		return s, err
	}
	merges, err := f.Store.Merges(ctx, id)
	if err != nil {
		return s, err
	}
	s.Employments = []dayone.Employment{e}
	for _, m := range merges { // the newest first
		if m.Undone.IsZero() && m.Person == id && slices.Contains(m.Engagements, e.ID) {
			s.Merge = &m
			s.Employments = slices.DeleteFunc(slices.Clone(t.Employments), func(o dayone.Employment) bool { return !slices.Contains(m.Engagements, o.ID) })
			if s.Back, err = f.Store.Brought(ctx, m.ID); err != nil {
				return s, err
			}
			break
		}
	}
	if s.Given, err = f.underWay(ctx, id); err != nil {
		return s, err
	}
	s.Refused, err = f.inTheWay(ctx, s.Person)
	if s.Refused == "" && len(s.Employments) == len(t.Employments) {
		s.Refused = "it is their only employment, so nothing would be left of them"
	}
	return s, err
}

// Split parts an employment from a person. One that a merge brought takes that merge back, with all it brought; of another
// one somebody new is made, and what there is stays where it is. It gives whose it is then.
func (f *Flow) Split(ctx context.Context, o Splitter) (dayone.PersonID, error) {
	reason, err := checkedReason(o.Reason)
	if err != nil {
		return "", err
	}
	o.Reason = reason
	s, err := f.SplitPreview(ctx, o.Person, o.Employment)
	if err != nil {
		return "", err
	}
	off := dayone.PersonID(f.IDs.New("per"))
	if s.Merge != nil {
		off = s.Merge.Other
	}
	if err := f.split(ctx, o, off); err != nil {
		return "", err
	}
	f.look()
	if err := f.afresh(ctx, o.Person); err != nil {
		return off, err
	}
	return off, f.afresh(ctx, off)
}

func (f *Flow) split(ctx context.Context, o Splitter, off dayone.PersonID) error {
	defer f.pair(o.Person, off)()
	s, err := f.SplitPreview(ctx, o.Person, o.Employment)
	switch {
	case err != nil:
		return err
	case s.Refused != "":
		return fmt.Errorf("%s: %w", s.Refused, dayone.ErrForbidden)
	case s.Merge != nil && s.Merge.Other != off:
		return fmt.Errorf("somebody else is at them; look again: %w", dayone.ErrConflict)
	}
	if err := f.giveUp(ctx, o.Person); err != nil {
		return err
	}
	t, err := f.Store.Timeline(ctx, o.Person)
	if err != nil {
		return err
	}
	now, set := f.Clock.Now(), f.Active()
	x := store.Splitter{
		Person: o.Person, Off: off, At: now, Once: requestOnce,
		Records: []dayone.Record{
			{At: now, Person: o.Person, What: "an employment was split off", By: o.By, Detail: &dayone.Detail{Note: string(off) + ": " + o.Reason}},
			{At: now, Person: off, What: "split off from another person", By: o.By, Detail: &dayone.Detail{Note: string(o.Person) + ": " + o.Reason}},
		},
	}
	for _, e := range s.Employments {
		x.Move = append(x.Move, e.ID)
	}
	if s.Merge != nil {
		x.Merge = *s.Merge
		x.Merge.UndoneBy, x.Merge.Why = o.By, o.Reason
	} else {
		x.Stay, x.Names = f.keptAttrs(), f.ownNames(&t, x.Move)
	}
	var lines [2]dayone.Timeline
	lines[0], lines[1] = f.parted(t, x)
	for i, id := range []dayone.PersonID{o.Person, off} {
		lines[i].Person = id
		x.Rows[i] = rowOf(people.At(&lines[i], now, now, set))
		x.Rows[i].ID, x.Rows[i].Wake = id, now
		x.Marks[i] = f.marksOf(people.Traits(&lines[i], now))
		f.crowd.touch(id)
	}
	return f.Store.Split(ctx, x)
}

// parted is a timeline without some employments, and those alone. Words of ours that kept names over a merge go with it.
func (f *Flow) parted(t dayone.Timeline, x store.Splitter) (stays, goes dayone.Timeline) {
	stays, goes = dayone.Timeline{Managed: t.Managed, Told: t.Told}, dayone.Timeline{Managed: t.Managed}
	for _, e := range t.Employments {
		to := &stays
		if slices.Contains(x.Move, e.ID) {
			to = &goes
		}
		to.Employments = append(to.Employments, e)
	}
	for _, fact := range t.Facts {
		switch {
		case !slices.Contains(x.Move, fact.Engagement), x.Merge.ID == "" && fact.Source == maker && slices.Contains(x.Stay, fact.Attr):
			stays.Facts = append(stays.Facts, fact)
		case x.Merge.ID == "" || fact.Source != maker || !fact.Recorded.Equal(x.Merge.Made):
			goes.Facts = append(goes.Facts, fact)
		}
	}
	return stays, goes
}
