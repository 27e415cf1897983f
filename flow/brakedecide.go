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
	return f.Store.Brakes(ctx, on, limit)
}

// Brake is one of them with what it holds.
func (f *Flow) Brake(ctx context.Context, id dayone.BrakeID) (BrakeView, error) {
	b, err := f.Store.Brake(ctx, id)
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

func (d *BrakeDecision) judge(two bool) error {
	d.By, d.Second, d.Reason, d.Hash = strings.TrimSpace(d.By), strings.TrimSpace(d.Second), strings.TrimSpace(d.Reason), strings.TrimSpace(d.Hash)
	switch {
	case d.By == "":
		return fmt.Errorf("say who decides: %w", dayone.ErrInvalid)
	case d.Reason == "":
		return fmt.Errorf("say why: the auditor reads it: %w", dayone.ErrInvalid)
	case d.Second != "" && strings.EqualFold(d.Second, d.By):
		return fmt.Errorf("the second person is the first one: %w", dayone.ErrInvalid)
	case two && d.Second == "":
		return fmt.Errorf("so many take a second person; name who agrees: %w", dayone.ErrForbidden)
	}
	return nil
}

// ReleaseBrake lets through exactly what was reviewed. ErrConflict: it is something else by now.
func (f *Flow) ReleaseBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.Brake(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := d.judge(v.Second); {
	case v.State != dayone.BrakeOn:
		return v.Brake, fmt.Errorf("this brake is %s already: %w", v.State, dayone.ErrConflict)
	case err != nil:
		return v.Brake, err
	case d.Hash == "":
		return v.Brake, fmt.Errorf("name what was reviewed: the hash that is shown beside it: %w", dayone.ErrInvalid)
	case d.Hash != v.Hash:
		return v.Brake, fmt.Errorf("what is held is not what was reviewed: something has joined or left since; look again: %w", dayone.ErrConflict)
	case v.Unseen > 0:
		return v.Brake, fmt.Errorf("%s still being looked at; try again soon: %w", counted(v.Unseen, "held event is", "held events are"), dayone.ErrNotYet)
	}
	return f.decideBrake(ctx, v, dayone.BrakeReleased, d)
}

// DiscardBrake throws away what a brake holds: events count for nothing, accesses stay until somebody is asked again.
func (f *Flow) DiscardBrake(ctx context.Context, id dayone.BrakeID, d BrakeDecision) (dayone.Brake, error) {
	v, err := f.Brake(ctx, id)
	if err != nil {
		return v.Brake, err
	}
	switch err := d.judge(false); {
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
	f.look()
	return f.Store.Brake(ctx, v.ID)
}

func both(by, second string) string {
	return strings.Join(slices.DeleteFunc([]string{by, second}, func(s string) bool { return s == "" }), " and ")
}

// Announce lets so many more terminations of a source pass in a window: a lay-off that is known beforehand.
func (f *Flow) Announce(ctx context.Context, a dayone.Announcement) (dayone.Announcement, error) {
	now := f.Clock.Now()
	a.By, a.Second, a.Reason = strings.TrimSpace(a.By), strings.TrimSpace(a.Second), strings.TrimSpace(a.Reason)
	_, there := f.Sources[a.Source]
	switch {
	case !there:
		return a, fmt.Errorf("there is no source %q: %w", a.Source, dayone.ErrNotFound)
	case a.Count < 1 || a.Count > 1_000_000:
		return a, fmt.Errorf("say how many people will leave: 1 or more: %w", dayone.ErrInvalid)
	case a.By == "" || a.Second == "":
		return a, fmt.Errorf("two persons announce a lay-off; name both: %w", dayone.ErrInvalid)
	case strings.EqualFold(a.By, a.Second):
		return a, fmt.Errorf("the second person is the first one: %w", dayone.ErrInvalid)
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

// heldBrakes are the brakes that hold.
func (f *Flow) heldBrakes(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	list, err := f.Store.Brakes(ctx, true, 1000)
	var out []dayone.Alert
	for _, b := range list {
		if b.Opened.Add(r.Length).After(now) {
			continue
		}
		out = append(out, dayone.Alert{Subject: string(b.ID), Note: fmt.Sprintf("%s; %s", b.Note, counted(b.Held, "thing is held", "things are held"))})
	}
	return out, err
}
