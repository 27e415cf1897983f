package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Holds: what policies leave alone for a while. At its end a hold stands on until somebody decides: to follow policies
// again, or to hold for longer. One that keeps the access of somebody who has left ends by itself: silence is no.

// HoldFilter narrows a list of holds.
type HoldFilter = store.HoldFilter

// Holds lists holds, newest first.
func (f *Flow) Holds(ctx context.Context, q HoldFilter) ([]dayone.Hold, error) {
	q.Within = scopeOf(ctx)
	return f.Store.Holds(ctx, q)
}

// Hold is one of them.
func (f *Flow) Hold(ctx context.Context, id dayone.HoldID) (dayone.Hold, error) {
	return f.Store.Hold(ctx, id)
}

// EndHold lets policies count again for what a hold covered. ErrConflict: it has ended.
func (f *Flow) EndHold(ctx context.Context, id dayone.HoldID, by, reason string) error {
	h, err := f.Store.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer f.lock(h.Person)()
	if h, err = f.Store.Hold(ctx, id); err != nil {
		return err
	}
	switch {
	case !h.Ended.IsZero():
		return endedAlready(h)
	case h.Brake != "":
		return fmt.Errorf("a brake holds this; release %s: %w", h.Brake, dayone.ErrConflict)
	}
	return f.endHold(ctx, h, by, reason, nil)
}

func endedAlready(h dayone.Hold) error {
	return fmt.Errorf("this hold was ended on %s by %s: %w", h.Ended.UTC().Format("2 January 2006"), cmp.Or(h.EndedBy, "its own end"), dayone.ErrConflict)
}

func (f *Flow) endHold(ctx context.Context, h dayone.Hold, by, reason string, attrs dayone.Attrs) error {
	now := f.Clock.Now()
	h.Ended, h.EndedBy = now, by
	err := f.Store.SaveHold(ctx, store.HoldChange{
		Hold: h, Wake: now, Closed: &dayone.Task{Once: holdTask + string(h.ID), Closed: now, By: by, Attrs: attrs},
		Records: []dayone.Record{{At: now, Person: h.Person, Run: h.Run, What: "hold ended", By: by, Detail: &dayone.Detail{Note: reason}}},
	})
	if err == nil {
		f.look()
	}
	return err
}

// holdTask begins the Once of the task that asks what is to become of a hold.
const holdTask = "hold "

// holdAsk is what that task asks for.
const holdAsk = "decision"

// dueHolds sees to the holds of a person that have come to their end.
func (f *Flow) dueHolds(ctx context.Context, id dayone.PersonID) error {
	holds, err := f.Store.Holds(ctx, HoldFilter{Person: id})
	if err != nil || len(holds) == 0 {
		return err
	}
	open, err := f.Store.Tasks(ctx, id, "")
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	for _, h := range holds {
		once := holdTask + string(h.ID)
		asked := slices.ContainsFunc(open, func(t dayone.Task) bool { return t.Once == once })
		switch {
		case !h.Due(now) || asked || h.Brake != "":
		case h.Keep:
			if err := f.endHold(ctx, h, "", "it came to its end", nil); err != nil {
				return err
			}
		default:
			task := dayone.Task{
				Person: id, Run: h.Run, Once: once, System: "", Title: "Decide about a hold", Ask: []string{holdAsk}, Opened: now, Due: now.Add(3 * 24 * time.Hour),
				Note: holdNote(h, now),
			}
			if err := f.Store.SaveHold(ctx, store.HoldChange{
				Hold: h, Opened: &task, Records: []dayone.Record{{At: now, Person: id, Run: h.Run, What: "hold is due"}},
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdNote asks what is to become of a hold.
func holdNote(h dayone.Hold, now time.Time) string {
	did := fmt.Sprintf("%s undid this run and held back until now what it had given", cmp.Or(h.By, "Somebody"))
	if h.Run == "" && !h.Away && len(h.Keys) == 1 {
		did = fmt.Sprintf("%s left %s as its system shows it until now", cmp.Or(h.By, "Somebody"), h.Keys[0])
	}
	if h.Away {
		did = fmt.Sprintf("%s reviewed it and took %s away until now", cmp.Or(h.By, "Somebody"), h.Keys[0])
	}
	return fmt.Sprintf("%s: %s. Write follow policies to let policies give and take them again, or the day until which it stays so, such as %s. Until then the hold stands.",
		did, cmp.Or(h.Reason, "no reason given"), now.AddDate(0, 1, 0).Format(time.DateOnly))
}

// decideHold carries out the answer to a hold's task.
func (f *Flow) decideHold(ctx context.Context, id dayone.HoldID, by string, attrs dayone.Attrs) error {
	h, err := f.Store.Hold(ctx, id)
	if err != nil {
		return err
	}
	defer f.lock(h.Person)()
	if h, err = f.Store.Hold(ctx, id); err != nil { // as it stands now: somebody may have ended it meanwhile
		return err
	}
	if !h.Ended.IsZero() {
		return endedAlready(h)
	}
	said := strings.ToLower(strings.TrimSpace(attrs.Text(holdAsk)))
	if said == "follow policies" {
		return f.endHold(ctx, h, by, attrs.Text("note"), attrs)
	}
	now := f.Clock.Now()
	until, err := time.Parse(time.DateOnly, said)
	if err != nil || !until.After(now) || until.After(now.Add(longestHold)) {
		return fmt.Errorf("write %q, or a day within a year such as %s: %w", "follow policies", now.AddDate(0, 1, 0).Format(time.DateOnly), dayone.ErrInvalid)
	}
	h.Until = until
	err = f.Store.SaveHold(ctx, store.HoldChange{
		Hold: h, Wake: now, Closed: &dayone.Task{Once: holdTask + string(h.ID), Closed: now, By: by, Attrs: attrs},
		Records: []dayone.Record{{At: now, Person: h.Person, Run: h.Run, What: "hold extended", By: by, Detail: &dayone.Detail{Note: said}}},
	})
	if err == nil {
		f.look()
	}
	return err
}

// holdOf is the hold that covers a key: the one that ends last.
func holdOf(holds []dayone.Hold, k dayone.Key, status dayone.Status) (dayone.Hold, bool) {
	var out dayone.Hold
	for _, h := range holds {
		if h.Covers(k) && (status != dayone.Left || h.Keep) && h.Until.After(out.Until) {
			out = h
		}
	}
	return out, out.ID != ""
}

// heldNote says in a line what a hold means for one thing.
func heldNote(h dayone.Hold) string {
	if h.Brake != "" {
		return "a brake keeps it until somebody decides: it would be taken away"
	}
	if h.Away {
		return fmt.Sprintf("withheld until %s: a review by %s says that it is not needed", h.Until.UTC().Format("2 January 2006"), cmp.Or(h.By, "somebody"))
	}
	return fmt.Sprintf("held until %s by %s: neither given nor taken", h.Until.UTC().Format("2 January 2006"), cmp.Or(h.By, "somebody"))
}

// withHold adds to an explanation that nothing comes of it for a while.
func withHold(x policy.Explanation, holds []dayone.Hold, status dayone.Status) policy.Explanation {
	h, held := holdOf(holds, x.Key, status)
	if !held {
		return x
	}
	note := heldNote(h)
	if h.Reason != "" {
		note += " (" + h.Reason + ")"
	}
	x.Finding = strings.Join(slices.DeleteFunc([]string{note, x.Finding}, func(s string) bool { return s == "" }), "; ")
	return x
}
