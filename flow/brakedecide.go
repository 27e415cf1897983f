package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What somebody does about a brake: looks at what it holds, lets just that through, or throws it away.

// BrakeView is a brake with what it holds.
type BrakeView struct {
	dayone.Brake
	Items  []HeldView // a page of what is held
	Next   string     // the last of them, if more is held; "": that is all
	Unseen int        // not looked at yet: it cannot be let through before
	Hash   string     // what a release names
	Second bool       // a release takes a second person
	Mine   bool       // whoever looks may be who proposed it, and confirms nothing

	held []dayone.Held // all that is held, without what would change
}

// HeldView is one thing that is held, with the name of whom it is about.
type HeldView struct {
	dayone.Held
	Name string
}

// Brakes lists brakes: those that hold first.
func (f *Flow) Brakes(ctx context.Context, on bool, limit int) ([]dayone.Brake, error) {
	return f.BrakesFrom(ctx, on, Mark{}, limit)
}

// Mark is where a list goes on that has those first that wait for somebody.
type Mark = store.Mark

// BrakesFrom are those that come after one of them.
func (f *Flow) BrakesFrom(ctx context.Context, on bool, from Mark, limit int) ([]dayone.Brake, error) {
	q, err := f.brakesInSight(ctx, store.BrakeFilter{On: on, From: from, Limit: limit})
	if err != nil {
		return nil, err
	}
	return f.Store.BrakesBy(ctx, q)
}

// CountBrakes is how many brakes hold, so many at the most.
func (f *Flow) CountBrakes(ctx context.Context, most int) (int, error) {
	q, err := f.brakesInSight(ctx, store.BrakeFilter{On: true, Limit: most})
	if err != nil {
		return 0, err
	}
	return f.Store.CountBrakes(ctx, q)
}

// brake is one that whoever asks may find.
func (f *Flow) brake(ctx context.Context, id dayone.BrakeID) (dayone.Brake, error) {
	q, err := f.brakesInSight(ctx, store.BrakeFilter{ID: id, Limit: 1})
	if err != nil {
		return dayone.Brake{}, err
	}
	list, err := f.Store.BrakesBy(ctx, q)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("brake %s: %w", id, dayone.ErrNotFound)
	}
	if err != nil {
		return dayone.Brake{}, err
	}
	return list[0], nil
}

// heldPage is how much of what a brake holds is shown at once.
const heldPage = 50

// Brake is one of them with the first page of what it holds.
func (f *Flow) Brake(ctx context.Context, id dayone.BrakeID) (BrakeView, error) {
	return f.BrakeFrom(ctx, id, "", heldPage)
}

// BrakeFrom is one of them with the page of what it holds that comes after an item.
func (f *Flow) BrakeFrom(ctx context.Context, id dayone.BrakeID, after string, limit int) (BrakeView, error) {
	v, err := f.brakeHead(ctx, id)
	if err != nil || v.State != dayone.BrakeOn {
		return v, err
	}
	items, err := f.Store.HeldFrom(ctx, id, after, limit+1)
	if err != nil {
		return v, err
	}
	if len(items) > limit {
		items = items[:limit]
		v.Next = items[limit-1].Item
	}
	for _, h := range items {
		v.Items = append(v.Items, HeldView{h, cmp.Or(f.nameOf(ctx, h.Person), newName(h), h.Subject)})
	}
	return v, nil
}

// brakeHead is one of them as whoever decides needs it: nothing of what would change is read for that.
func (f *Flow) brakeHead(ctx context.Context, id dayone.BrakeID) (BrakeView, error) {
	b, err := f.brake(ctx, id)
	if err != nil {
		return BrakeView{}, err
	}
	v := BrakeView{Brake: b}
	if b.State != dayone.BrakeOn {
		return v, nil
	}
	if v.held, err = f.Store.HeldMarks(ctx, id); err != nil {
		return v, err
	}
	v.Hash, v.Held = dayone.HeldHash(v.held), len(v.held)
	v.Second = f.takesTwo(v.Held)
	v.Unseen = len(slices.DeleteFunc(slices.Clone(v.held), func(h dayone.Held) bool { return h.Mark != "" }))
	if p := v.Proposed; p != nil {
		p.Stale = p.Hash != v.Hash
		switch err := f.another(ctx, p.Logins); {
		case errors.Is(err, dayone.ErrForbidden):
			v.Mine = true
		case err != nil:
			return v, err
		}
	}
	return v, nil
}

// Confirms says whether letting it through confirms what somebody has proposed.
func (v BrakeView) Confirms() bool { return v.Second && v.Proposed != nil && !v.Proposed.Stale }

// veiled is what it holds if nobody else may know of it: records are kept back with each.
func (v BrakeView) veiled() []dayone.Held {
	if !v.Veiled() {
		return nil
	}
	return v.held
}

// record is a line of the ledger about it. What one of those is told of whom few may know tells nothing of the others.
func (v BrakeView) record(at time.Time, what, by string, d BrakeDecision) dayone.Record {
	note := fmt.Sprintf("%s: %s; %d held, reviewed as %s: %s", v.ID, v.Note, v.Held, d.Hash, d.Reason)
	if v.Veiled() {
		note = string(v.ID) + ": " + d.Reason
	}
	return dayone.Record{At: at, What: what, System: dayone.AfterScope(v.Scope), By: by, Detail: &dayone.Detail{Note: note}}
}

// newName is what somebody is called who is not in the books yet.
func newName(h dayone.Held) string {
	var name []string
	for _, part := range []string{"first name", "last name"} {
		for _, l := range h.Lines {
			if l.What == part && l.Is != "" {
				name = append(name, l.Is)
			}
		}
	}
	return strings.Join(name, " ")
}

// MissingFrom is a page of those whom a list lacks that a brake holds, by name.
type MissingFrom struct {
	Rows    []MissingRow
	More    bool
	People  int // who are named, on all pages
	Unnamed int // employments of people out of sight, or erased since
}

// MissingRow is one of them, with the source's ids of what is missing of her.
type MissingRow struct {
	Row
	Subjects []string
}

// MissingFrom lists whom the list lacks that a brake holds. Once somebody decided nobody is named any more: let through they
// are missing from the last list, thrown away it says nothing of them.
func (f *Flow) MissingFrom(ctx context.Context, b BrakeView, q PeopleFilter) (MissingFrom, error) {
	var out MissingFrom
	if b.List == nil || b.State != dayone.BrakeOn {
		return out, nil
	}
	limit := cmp.Or(max(q.Limit, 0), 50)
	q.Missing, q.Limit = b.ID, limit+1
	rows, err := f.People(ctx, q)
	if err != nil {
		return out, err
	}
	if out.More = len(rows) > limit; out.More {
		rows = rows[:limit]
	}
	subjects, err := f.Store.MissingSubjects(ctx, b.ID, rows)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		out.Rows = append(out.Rows, MissingRow{row, subjects[row.ID]})
	}
	people, named, err := f.Store.CountMissing(ctx, b.ID, scopeOf(ctx))
	out.People, out.Unnamed = people, max(0, b.List.Missing-named)
	return out, err
}

func (f *Flow) takesTwo(held int) bool {
	return f.TwoPersons && held > cmp.Or(f.Removals.SecondFrom, SecondFrom)
}

// BrakeDecision is what somebody says about a brake.
type BrakeDecision struct {
	Hash   string // of what was reviewed
	By     string // as somebody typed it; the login stands beside it
	Reason string
}

const (
	passFor = 30 * 24 * time.Hour // how long what was let through may be taken away
	keepFor = 30 * 24 * time.Hour // how long what was thrown away stays, until somebody is asked
)

// judge wants to know who decides, and why; whoever confirms may leave the reason to who proposed it.
func (d *BrakeDecision) judge(ctx context.Context, confirms bool) error {
	d.By, d.Reason, d.Hash = stated(ctx, d.By), strings.TrimSpace(d.Reason), strings.TrimSpace(d.Hash)
	switch {
	case d.By == "":
		return fmt.Errorf("say who decides: %w", dayone.ErrInvalid)
	case d.Reason == "" && !confirms:
		return fmt.Errorf("say why: the auditor reads it: %w", dayone.ErrInvalid)
	}
	return nil
}

// ReleaseBrake lets through exactly what was reviewed. Where that takes two persons the first one proposes it, which lets nothing
// through, and another login confirms it. ErrConflict: it is something else by now. ErrForbidden: who proposed it confirms nothing.
func (f *Flow) ReleaseBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.brakeHead(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := d.judge(ctx, v.Confirms()); {
	case v.State != dayone.BrakeOn:
		return v.Brake, fmt.Errorf("this brake is %s already: %w", v.State, dayone.ErrConflict)
	case err != nil:
		return v.Brake, err
	case d.Hash == "":
		return v.Brake, fmt.Errorf("name what was reviewed: the hash that is shown beside it: %w", dayone.ErrInvalid)
	case d.Hash != v.Hash:
		return v.Brake, fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
	case v.Unseen > 0:
		return v.Brake, fmt.Errorf("%s still being looked at; try again soon: %w", counted(v.Unseen, "1 held event is", "%d held events are"), dayone.ErrNotYet)
	}
	switch {
	case v.Confirms():
		return f.confirmRelease(ctx, v, d)
	case v.Second:
		return f.proposeRelease(ctx, v, d)
	}
	return f.decideBrake(ctx, v, dayone.BrakeReleased, d, "", time.Time{})
}

// DiscardBrake throws away what a brake holds: events count for nothing, accesses stay until somebody is asked again.
func (f *Flow) DiscardBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.brakeHead(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := d.judge(ctx, false); {
	case v.State != dayone.BrakeOn:
		return v.Brake, fmt.Errorf("this brake is %s already: %w", v.State, dayone.ErrConflict)
	case err != nil:
		return v.Brake, err
	case d.Hash != "" && d.Hash != v.Hash:
		return v.Brake, fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
	}
	d.Hash = v.Hash
	return f.decideBrake(ctx, v, dayone.BrakeDiscarded, d, "", time.Time{})
}

// decideBrake carries out a verdict; second is who confirms what was proposed at an instant, if it takes two.
func (f *Flow) decideBrake(ctx context.Context, v BrakeView, to dayone.BrakeState, d BrakeDecision, second string, proposed time.Time) (dayone.Brake, error) {
	now := f.Clock.Now()
	verdict := store.Verdict{
		Brake: v.ID, State: to, Hash: d.Hash, By: d.By, Second: second, Reason: d.Reason, Confirms: proposed, At: now, Until: now.Add(passFor),
		Records: []dayone.Record{v.record(now, "brake "+string(to), both(d.By, second), d)}, Veiled: v.veiled(),
	}
	for _, h := range v.held {
		if !dayone.ValidID("hld", h.Item) {
			continue
		}
		hold, err := f.Store.Hold(ctx, dayone.HoldID(h.Item))
		if errors.Is(err, dayone.ErrNotFound) {
			continue // she was erased
		}
		if err != nil {
			return v.Brake, err
		}
		if to == dayone.BrakeReleased {
			hold.Ended, hold.EndedBy = now, both(d.By, second)
			for _, k := range hold.Keys {
				verdict.Passes = append(verdict.Passes, store.Pass{Person: hold.Person, Key: k})
			}
		} else {
			hold.Brake, hold.By, hold.Reason, hold.Until = "", d.By, d.Reason, now.Add(keepFor)
		}
		verdict.Holds = append(verdict.Holds, hold)
	}
	if err := f.Store.Decide(ctx, verdict); err != nil {
		return v.Brake, err
	}
	f.Log.Info("a brake is decided", "brake", v.ID, "scope", v.Scope, "state", to, "held", v.Held)
	if err := f.watchRule(ctx, brakeOnRule, now); err != nil && ctx.Err() == nil { // the next look makes up for it
		f.Log.Error("ending the alert of a brake", "brake", v.ID, "error", err)
	}
	f.look()
	return f.Store.Brake(ctx, v.ID)
}

func both(by, second string) string {
	return strings.Join(slices.DeleteFunc([]string{by, second}, func(s string) bool { return s == "" }), " and ")
}

// Announce lets so many more terminations of a source pass in a window: a lay-off that is known beforehand. Nobody passes before
// somebody else has confirmed it; where one may act alone it counts by itself once a notice is over.
func (f *Flow) Announce(ctx context.Context, a dayone.Announcement) (dayone.Announcement, error) {
	now := f.Clock.Now().Truncate(time.Microsecond)
	logins, err := f.behind(ctx)
	a.By, a.Reason, a.Second, a.Logins = stated(ctx, a.By), strings.TrimSpace(a.Reason), "", logins
	if a.Counts = (time.Time{}); !f.TwoPersons {
		a.Counts = now.Add(f.notice())
	}
	_, there := f.Sources[a.Source]
	switch {
	case err != nil:
		return a, err
	case !there:
		return a, fmt.Errorf("there is no source %q: %w", a.Source, dayone.ErrNotFound)
	case a.Count < 1 || a.Count > 1_000_000:
		return a, fmt.Errorf("say how many people will leave: 1 or more: %w", dayone.ErrInvalid)
	case f.TwoPersons && len(logins) == 0:
		return a, errNobodyIn
	case a.By == "":
		return a, fmt.Errorf("say who announces it: %w", dayone.ErrInvalid)
	case a.Reason == "":
		return a, fmt.Errorf("say why: the auditor reads it: %w", dayone.ErrInvalid)
	case !a.Until.After(a.From) || !a.Until.After(now):
		return a, fmt.Errorf("the window has to end after it begins, and after now: %w", dayone.ErrInvalid)
	case a.Until.Sub(a.From) > 366*24*time.Hour:
		return a, fmt.Errorf("the window is longer than a year; name an earlier last day: %w", dayone.ErrInvalid)
	}
	a.ID, a.Made = f.IDs.New("ann"), now
	counts := "once a second person confirms it"
	if !a.Counts.IsZero() {
		counts = "from " + a.Counts.UTC().Format(time.RFC3339) + " on, unless it is taken back"
	}
	return a, f.Store.Announce(ctx, a, dayone.Record{
		At: now, What: "lay-off announced", System: a.Source, By: a.By,
		Detail: &dayone.Detail{Note: fmt.Sprintf("%d from %s until %s, %s: %s", a.Count, a.From.UTC().Format(time.RFC3339), a.Until.UTC().Format(time.RFC3339), counts, a.Reason)},
	})
}

// Announced lists what stands or is to come.
func (f *Flow) Announced(ctx context.Context) ([]dayone.Announcement, error) {
	if !scopeOf(ctx).AllPeople() { // one is of a whole source
		return nil, nil
	}
	return f.Store.Announced(ctx, f.Clock.Now())
}

// EndAnnouncement takes one back.
func (f *Flow) EndAnnouncement(ctx context.Context, id, by string) error {
	if by = strings.TrimSpace(by); by == "" {
		return fmt.Errorf("say who takes it back: %w", dayone.ErrInvalid)
	}
	now := f.Clock.Now()
	return f.Store.EndAnnouncement(ctx, id, by, now, dayone.Record{At: now, What: "announced lay-off taken back", By: by, Detail: &dayone.Detail{Note: id}})
}

const brakeOnRule = "brake-on"

// brakeClosed is when the brake that an alert is about let go; zero: nobody knows.
func (f *Flow) brakeClosed(ctx context.Context, a dayone.Alert) (time.Time, error) {
	b, err := f.Store.Brake(ctx, dayone.BrakeID(a.Subject))
	return b.Closed, notOf(err)
}

// heldBrakes are the brakes that hold.
func (f *Flow) heldBrakes(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	list, err := f.Store.Brakes(ctx, true, 1000)
	var out []dayone.Alert
	for _, b := range list {
		if b.Veiled() || b.Opened.Add(r.Length).After(now) {
			continue
		}
		out = append(out, dayone.Alert{Subject: string(b.ID), Opened: b.Opened, Note: fmt.Sprintf("%s; %s", b.Note, counted(b.Held, "1 thing is held", "%d things are held"))})
	}
	return out, err
}
