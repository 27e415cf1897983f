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
	Items  []HeldView
	Unseen int    // not looked at yet: it cannot be let through before
	Hash   string // what a release names
	Second bool   // a release takes a second person
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

// Brake is one of them with what it holds.
func (f *Flow) Brake(ctx context.Context, id dayone.BrakeID) (BrakeView, error) {
	b, err := f.brake(ctx, id)
	if err != nil {
		return BrakeView{}, err
	}
	v := BrakeView{Brake: b}
	if b.State != dayone.BrakeOn {
		return v, nil
	}
	items, err := f.Store.HeldBy(ctx, id)
	if err != nil {
		return v, err
	}
	v.Hash, v.Held = dayone.HeldHash(items), len(items)
	v.Second = f.takesTwo(len(items))
	for _, h := range items {
		if h.Mark == "" {
			v.Unseen++
		}
		v.Items = append(v.Items, HeldView{h, cmp.Or(f.nameOf(ctx, h.Person), newName(h), h.Subject)})
	}
	return v, nil
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
	By     string
	Second string // a second person who agrees
	Reason string
}

const (
	passFor = 30 * 24 * time.Hour // how long what was let through may be taken away
	keepFor = 30 * 24 * time.Hour // how long what was thrown away stays, until somebody is asked
)

func (f *Flow) judge(ctx context.Context, d *BrakeDecision, two bool) (err error) {
	d.Reason, d.Hash = strings.TrimSpace(d.Reason), strings.TrimSpace(d.Hash)
	d.By, d.Second, err = f.agreed(ctx, d.By, d.Second)
	switch {
	case err != nil:
		return err
	case d.By == "":
		return fmt.Errorf("say who decides: %w", dayone.ErrInvalid)
	case d.Reason == "":
		return fmt.Errorf("say why: the auditor reads it: %w", dayone.ErrInvalid)
	case two && d.Second == "":
		return fmt.Errorf("so many take a second person; name who agrees: %w", dayone.ErrForbidden)
	}
	return nil
}

// agreed are the two who decide as they are recorded: what is typed proves nothing, so the login stands beside it, and the
// second is somebody whom the books know at work, and neither the first nor whoever is logged in.
func (f *Flow) agreed(ctx context.Context, by, second string) (string, string, error) {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	by, second = strings.TrimSpace(by), strings.TrimSpace(second)
	by = cmp.Or(by, v.Login)
	if second != "" {
		row, err := f.Store.Named(ctx, second)
		switch {
		case strings.EqualFold(second, by) || strings.EqualFold(second, v.Login):
			return by, second, fmt.Errorf("the second person is the first one; name somebody else by their mail address: %w", dayone.ErrInvalid)
		case err != nil && !errors.Is(err, dayone.ErrNotFound) && !errors.Is(err, dayone.ErrConflict):
			return by, second, err
		case err != nil || !strings.EqualFold(row.Email, second) || row.Status != dayone.Working && row.Status != dayone.OnLeave:
			return by, second, fmt.Errorf("the second person is nobody who works here; name them by their mail address: %w", dayone.ErrInvalid)
		}
		for _, first := range []string{by, v.Login} {
			if one, err := f.Store.Named(ctx, first); first != "" && err == nil && one.ID == row.ID {
				return by, second, fmt.Errorf("the second person is the first one; name somebody else by their mail address: %w", dayone.ErrInvalid)
			}
		}
	}
	if v.Login != "" && !strings.EqualFold(by, v.Login) {
		by += " (logged in as " + v.Login + ")"
	}
	return by, second, nil
}

// ReleaseBrake lets through exactly what was reviewed. ErrConflict: it is something else by now.
func (f *Flow) ReleaseBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.Brake(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := f.judge(ctx, &d, v.Second); {
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
	return f.decideBrake(ctx, v, dayone.BrakeReleased, d)
}

// DiscardBrake throws away what a brake holds: events count for nothing, accesses stay until somebody is asked again.
func (f *Flow) DiscardBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.Brake(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := f.judge(ctx, &d, false); {
	case v.State != dayone.BrakeOn:
		return v.Brake, fmt.Errorf("this brake is %s already: %w", v.State, dayone.ErrConflict)
	case err != nil:
		return v.Brake, err
	case d.Hash != "" && d.Hash != v.Hash:
		return v.Brake, fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
	}
	d.Hash = v.Hash
	return f.decideBrake(ctx, v, dayone.BrakeDiscarded, d)
}

func (f *Flow) decideBrake(ctx context.Context, v BrakeView, to dayone.BrakeState, d BrakeDecision) (dayone.Brake, error) {
	now := f.Clock.Now()
	verdict := store.Verdict{
		Brake: v.ID, State: to, Hash: d.Hash, By: d.By, Second: d.Second, Reason: d.Reason, At: now, Until: now.Add(passFor),
		Records: []dayone.Record{{
			At: now, What: "brake " + string(to), System: dayone.AfterScope(v.Scope), By: both(d.By, d.Second),
			Detail: &dayone.Detail{Note: fmt.Sprintf("%s: %s; %d held, reviewed as %s: %s", v.ID, v.Note, v.Held, d.Hash, d.Reason)},
		}},
	}
	if v.Veiled() { // what one of them is told of tells nothing of the others
		verdict.Records[0].Detail = &dayone.Detail{Note: string(v.ID) + ": " + d.Reason}
		for _, h := range v.Items {
			verdict.Veiled = append(verdict.Veiled, h.Held)
		}
	}
	for _, h := range v.Items {
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
			hold.Ended, hold.EndedBy = now, d.By
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

// Announce lets so many more terminations of a source pass in a window: a lay-off that is known beforehand.
func (f *Flow) Announce(ctx context.Context, a dayone.Announcement) (dayone.Announcement, error) {
	now := f.Clock.Now()
	var err error
	a.Reason = strings.TrimSpace(a.Reason)
	a.By, a.Second, err = f.agreed(ctx, a.By, a.Second)
	_, there := f.Sources[a.Source]
	switch {
	case err != nil:
		return a, err
	case !there:
		return a, fmt.Errorf("there is no source %q: %w", a.Source, dayone.ErrNotFound)
	case a.Count < 1 || a.Count > 1_000_000:
		return a, fmt.Errorf("say how many people will leave: 1 or more: %w", dayone.ErrInvalid)
	case a.By == "" || a.Second == "":
		return a, fmt.Errorf("two persons announce a lay-off; name both: %w", dayone.ErrInvalid)
	case a.Reason == "":
		return a, fmt.Errorf("say why: the auditor reads it: %w", dayone.ErrInvalid)
	case !a.Until.After(a.From) || !a.Until.After(now):
		return a, fmt.Errorf("the window has to end after it begins, and after now: %w", dayone.ErrInvalid)
	case a.Until.Sub(a.From) > 366*24*time.Hour:
		return a, fmt.Errorf("the window is longer than a year: %w", dayone.ErrInvalid)
	}
	a.ID, a.Made = f.IDs.New("ann"), now
	return a, f.Store.Announce(ctx, a, dayone.Record{
		At: now, What: "lay-off announced", System: a.Source, By: both(a.By, a.Second),
		Detail: &dayone.Detail{Note: fmt.Sprintf("%d from %s until %s: %s", a.Count, a.From.UTC().Format(time.RFC3339), a.Until.UTC().Format(time.RFC3339), a.Reason)},
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
