package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Two persons who are one are merged, and parted again by splitting an employment off. What stands of the one moves to the
// other; no system is told anything by that. What both have at one system is never joined by itself: a human sees to it.

// Merging is what merging two persons would do.
type Merging struct {
	Stays, Goes Row
	Refused     string // "": it can be done
	Older       bool   // who goes was here first: her login and mail would not stay
	Names       []KeptName
	Moves       []dayone.Key
	Apart       []dayone.Key // at a second account, which stays as it is
	Twice       []string     // systems where a human has to see to that
	GivenUp     []dayone.Run // under way, and planned anew
	Employments []dayone.Employment
	Tasks       int // open ones of whoever goes
	Requests    int
	Approvals   int
}

// KeptName is a name that stays where the two have different ones.
type KeptName struct{ Attr, Kept, Other string }

// Merger is what it takes to merge.
type Merger struct {
	Stays, Goes dayone.PersonID
	By, Reason  string
}

// MergedInto is who somebody is since a merge; "": herself.
func (f *Flow) MergedInto(ctx context.Context, id dayone.PersonID) (dayone.PersonID, error) {
	return f.Store.PersonOfMerged(ctx, id)
}

// Merges are those of a person, the newest first.
func (f *Flow) Merges(ctx context.Context, id dayone.PersonID) ([]dayone.Merge, error) {
	return f.Store.Merges(ctx, id)
}

// whole is somebody who may be merged or split, as whoever asks may see her. ErrNotFound also where she may not.
func (f *Flow) whole(ctx context.Context, id dayone.PersonID) (Row, error) {
	row, err := f.there(ctx, id)
	if err != nil {
		return row, err
	}
	if row.Veil == dayone.WholeVeiled && !mayKnow(ctx) {
		return Row{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	return row, nil
}

// MergePreview says what merging would do: goes becomes a part of stays.
func (f *Flow) MergePreview(ctx context.Context, stays, goes dayone.PersonID) (Merging, error) {
	m := Merging{}
	var err error
	if m.Stays, err = f.whole(ctx, stays); err != nil {
		return m, err
	}
	if m.Goes, err = f.whole(ctx, goes); err != nil {
		return m, err
	}
	lines, err := f.linesOf(ctx, stays, goes)
	if err != nil {
		return m, err
	}
	m.Employments = lines[1].Employments
	m.Older = recorded(lines[1]).Before(recorded(lines[0]))
	m.Names, _ = f.keepNames(lines)
	has, err := f.Store.Holdings(ctx, stays, true)
	if err != nil {
		return m, err
	}
	comes, err := f.Store.Holdings(ctx, goes, true)
	if err != nil {
		return m, err
	}
	j := store.Join(has, comes)
	there := func(k dayone.Key) bool {
		return k.Kind == "message" || slices.ContainsFunc(comes, func(h dayone.Holding) bool { return h.Key == k && h.State == dayone.Gone })
	}
	m.Moves, m.Apart, m.Twice = slices.DeleteFunc(j.Moves, there), slices.DeleteFunc(j.Apart, there), j.Twice
	if err := f.mergeLoad(ctx, &m); err != nil {
		return m, err
	}
	m.Refused, err = f.inTheWay(ctx, m.Stays, m.Goes)
	if stays == goes {
		m.Refused = "they are the same person already"
	}
	return m, err
}

func (f *Flow) mergeLoad(ctx context.Context, m *Merging) error {
	tasks, err := f.Store.Tasks(ctx, m.Goes.ID, "")
	if err != nil {
		return err
	}
	asks, err := f.Store.Requests(ctx, m.Goes.ID, true)
	if err != nil {
		return err
	}
	approvals, err := f.Store.Approvals(ctx, store.ApprovalFilter{Person: m.Goes.ID, Live: true})
	m.Tasks, m.Requests, m.Approvals = len(tasks), len(asks), len(approvals)
	if err != nil {
		return err
	}
	m.GivenUp, err = f.underWay(ctx, m.Stays.ID, m.Goes.ID)
	return err
}

// inTheWay says why people cannot be merged or split now; "": nothing is.
func (f *Flow) inTheWay(ctx context.Context, rows ...Row) (string, error) {
	for _, row := range rows {
		to, err := f.Store.PersonOfMerged(ctx, row.ID)
		if err != nil {
			return "", err
		}
		held, err := f.Store.UnderLegalHold(ctx, row.ID)
		if err != nil {
			return "", err
		}
		runs, err := f.underWay(ctx, row.ID)
		if err != nil {
			return "", err
		}
		switch {
		case to != "":
			return "they were merged into another person already", nil
		case held:
			return row.Name + ": a legal hold stands; release it first", nil
		case row.Veil == dayone.WholeVeiled:
			return "nobody else may know of them yet; do it when they are announced", nil
		case slices.ContainsFunc(runs, func(r dayone.Run) bool { return r.State == dayone.RunUndoing || r.Of != "" }):
			return row.Name + ": a run takes something back just now; wait for its end", nil
		}
	}
	return "", nil
}

func (f *Flow) underWay(ctx context.Context, ids ...dayone.PersonID) (out []dayone.Run, err error) {
	for _, id := range ids {
		run, err := f.Store.ActiveRun(ctx, id)
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r, err := f.RunOf(ctx, run)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (f *Flow) linesOf(ctx context.Context, ids ...dayone.PersonID) ([]dayone.Timeline, error) {
	var out []dayone.Timeline
	for _, id := range ids {
		t, err := f.Store.Timeline(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// recorded is when we first heard of somebody.
func recorded(t dayone.Timeline) (first time.Time) {
	for _, e := range t.Employments {
		if first.IsZero() || e.Recorded.Before(first) {
			first = e.Recorded
		}
	}
	return first
}

// keptAttrs are those by which systems know somebody: names that are made, and the address.
func (f *Flow) keptAttrs() []string {
	schema := f.Active().Schema
	return slices.DeleteFunc(schema.Names(), func(n string) bool { return n != "email" && schema.Attributes[n].Made == nil })
}

// keepNames are the names of the first that stay though the second has others, and the words of ours that say so of each
// employment that comes.
func (f *Flow) keepNames(lines []dayone.Timeline) (kept []KeptName, facts []dayone.Fact) {
	now, set := f.Clock.Now(), f.Active()
	a, b := people.At(&lines[0], now, now, set), people.At(&lines[1], now, now, set)
	for _, attr := range f.keptAttrs() {
		mine, other := a.Attrs.Text(attr), b.Attrs.Text(attr)
		if mine == "" || other == "" || mine == other {
			continue
		}
		kept = append(kept, KeptName{attr, mine, other})
		for _, e := range lines[1].Employments {
			facts = append(facts, dayone.Fact{
				Engagement: e.ID, Attr: attr, Said: now, Again: now, Recorded: now, Value: dayone.Text(mine), Source: maker, Personal: set.Schema.Attributes[attr].Personal,
			})
		}
	}
	return kept, facts
}

// pair holds two persons, always in one order, and keeps others from planning them.
func (f *Flow) pair(a, b dayone.PersonID) func() {
	first, second := min(a, b), max(a, b)
	taken, also := f.intake.take(first), f.intake.take(second)
	one, two := f.lock(first), func() {}
	if first != second {
		two = f.lock(second)
	}
	return func() {
		two()
		one()
		also()
		taken()
	}
}

// giveUp supersedes what is under way for people. Whoever calls holds them.
func (f *Flow) giveUp(ctx context.Context, ids ...dayone.PersonID) error {
	runs, err := f.underWay(ctx, ids...)
	for _, r := range runs {
		err = errors.Join(err, f.supersede(ctx, r.ID))
	}
	return err
}

func checkedReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return "", fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	case len(reason) > 2000:
		return "", fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	}
	return reason, nil
}

// Merge makes one person of two. What is under way for either is given up before, and both are planned anew as one.
// ErrForbidden: it cannot be done, and why.
func (f *Flow) Merge(ctx context.Context, o Merger) (dayone.Merge, error) {
	m := dayone.Merge{ID: dayone.MergeID(f.IDs.New("mrg")), Person: o.Stays, Other: o.Goes, By: o.By}
	var err error
	if m.Reason, err = checkedReason(o.Reason); err != nil {
		return m, err
	}
	if err := f.merge(ctx, &m); err != nil {
		return m, err
	}
	f.look()
	return m, f.afresh(ctx, m.Person)
}

func (f *Flow) merge(ctx context.Context, m *dayone.Merge) error {
	defer f.pair(m.Person, m.Other)()
	p, err := f.MergePreview(ctx, m.Person, m.Other)
	if err != nil {
		return err
	}
	if p.Refused != "" {
		return fmt.Errorf("%s: %w", p.Refused, dayone.ErrForbidden)
	}
	if err := f.giveUp(ctx, m.Person, m.Other); err != nil {
		return err
	}
	if p, err = f.MergePreview(ctx, m.Person, m.Other); err != nil { // from what the calls under way have left
		return err
	}
	lines, err := f.linesOf(ctx, m.Person, m.Other)
	if err != nil {
		return err
	}
	now, set := f.Clock.Now(), f.Active()
	m.Made = now
	_, facts := f.keepNames(lines)
	t := lines[0]
	t.Managed = lines[0].Managed || lines[1].Managed
	t.Employments = slices.Concat(lines[0].Employments, lines[1].Employments)
	t.Facts = slices.Concat(lines[0].Facts, lines[1].Facts, facts)
	row := rowOf(people.At(&t, now, now, set))
	row.Wake = now
	f.crowd.touch(m.Person)
	err = f.Store.Merge(ctx, store.Merger{
		Merge: *m, Row: row, Marks: f.marksOf(people.Traits(&t, now)), Facts: facts, Tasks: f.secondTasks(*m, p), Once: requestOnce,
		Records: []dayone.Record{
			{At: now, Person: m.Person, What: "merged with another person", By: m.By, Detail: &dayone.Detail{Note: string(m.Other) + ": " + m.Reason}},
			{At: now, Person: m.Other, What: "merged into another person", By: m.By, Detail: &dayone.Detail{Note: string(m.Person) + ": " + m.Reason}},
		},
	})
	if err != nil {
		return err
	}
	f.crowd.forget(m.Other, now)
	f.follow(people.At(&t, now, now, set), laid{set, turns(&t, now, set)})
	return nil
}

// secondTasks ask a human to see to what could not be joined.
func (f *Flow) secondTasks(m dayone.Merge, p Merging) (out []dayone.Task) {
	for _, system := range p.Twice {
		var keys []string
		for _, k := range p.Apart {
			if k.System == system {
				keys = append(keys, k.String())
			}
		}
		site := f.Active().SiteOf(p.Stays.Location)
		out = append(out, dayone.Task{
			Person: m.Person, Once: store.SecondTask + string(m.ID) + " " + system, System: system, Title: "See to a second account in " + f.systemTitle(system), Opened: m.Made,
			Due: f.workdays(m.Made, 5, site), Assignee: f.Asking.Tasks,
			Note: fmt.Sprintf("%s and %s are one person now, and both have an account in %s. Nothing was closed. The second one has %s. Move what is needed to the first, close the second there, and say here that it is done: then it is gone from our books, too.",
				p.Stays.Name, cmp.Or(p.Goes.Name, string(m.Other)), f.systemTitle(system), strings.Join(keys, ", ")),
		})
	}
	return out
}

// secondDone takes what a second account had out of the books, once a human has said that it is closed.
func (f *Flow) secondDone(ctx context.Context, t dayone.Task) error {
	id, system, _ := strings.Cut(strings.TrimPrefix(t.Once, store.SecondTask), " ")
	merges, err := f.Store.Merges(ctx, t.Person)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	for _, m := range merges {
		if string(m.ID) != id || !m.Undone.IsZero() {
			continue
		}
		defer f.lock(m.Other)()
		have, err := f.Store.Holdings(ctx, m.Other, false)
		if err != nil {
			return err
		}
		var gone []dayone.Holding
		for _, h := range have {
			if h.Key.System == system {
				h.State, h.Since = dayone.Gone, now
				gone = append(gone, h)
			}
		}
		return f.Store.KeepHoldings(ctx, m.Other, gone)
	}
	return nil
}

// forget lays somebody out as nobody for whom anything is planned.
func (c *crowd) forget(id dayone.PersonID, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading { // she may have been read before this
		c.stale[id] = true
	}
	if c.w == nil {
		return
	}
	if row, there := c.rows[id]; there {
		p := dayone.Person{ID: id, At: now, Status: dayone.Left}
		c.set(&p, time.Time{})
		if c.census != nil {
			c.census.Update(row, &p)
		}
	}
	if !c.reading {
		delete(c.stale, id)
	}
}

// ownNames are the names that words about employments give, but for those that other words give as well.
func (f *Flow) ownNames(t *dayone.Timeline, of []dayone.EngagementID) []store.Name {
	goes := func(x dayone.Fact) bool { return slices.Contains(of, x.Engagement) && x.Source != maker }
	stay := map[store.Name]bool{}
	for _, n := range f.named(slices.DeleteFunc(slices.Clone(t.Facts), goes)) {
		stay[n] = true
	}
	out := map[store.Name]bool{}
	for _, n := range f.named(t.Facts) {
		if !stay[n] {
			out[n] = true
		}
	}
	return slices.Collect(maps.Keys(out))
}
