package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// A change of data can take as much away as a change of policies, and nobody has planned it: HR calls a department by
// another name, and everybody's groups go. What goes at one system in a day is counted; beyond the limit it stays until
// somebody has looked. Who leaves is not braked, and what is given is not either.

// takenUntil is how long a brake's hold stands at most.
const takenUntil = 366 * 24 * time.Hour

// eased is Preview with what brakes hold left out.
func (f *Flow) eased(ctx context.Context, id dayone.PersonID) (Look, error) {
	l, err := f.Preview(ctx, id)
	if err != nil || !l.Person.Managed {
		return l, err
	}
	standing := braking(l.Holds)
	if l.Person.Status == dayone.Left || f.Removals.Off != "" {
		if len(standing) == 0 {
			return l, nil
		}
		if err := f.Store.EndTaking(ctx, standing, f.Clock.Now()); err != nil {
			return l, err
		}
		return f.Preview(ctx, id)
	}
	keys := l.taken()
	if len(standing) == 0 && len(keys) == 0 {
		return l, nil
	}
	if len(standing) > 0 { // what would go without them
		free, err := f.preview(ctx, id, true)
		if err != nil {
			return l, err
		}
		keys = free.taken()
	}
	n, err := f.managedOf(ctx, "")
	if err != nil {
		return l, err
	}
	now, day := f.Clock.Now(), f.today()
	limit := f.Removals.people(n)
	from := f.Removals.EmptiedFrom
	if from == 0 {
		from = EmptiedFrom
	}
	changed, err := f.Store.Take(ctx, store.Taking{
		Person: id, Day: day, Now: now, Keys: keys, Limit: limit, EmptiedFrom: from, Standing: standing, Until: now.Add(takenUntil), New: f.IDs.New,
		Note: func(rule string) string {
			if key, ok := strings.CutPrefix(rule, dayone.BrakeEmpty); ok {
				return fmt.Sprintf("%s would be left without anybody on %s", key, day)
			}
			return fmt.Sprintf("more than %s would lose something there on %s", counted(limit, "1 person", "%d people"), day)
		},
	})
	if err != nil || !changed {
		return l, err
	}
	f.look() // whoever watches for alerts
	return f.Preview(ctx, id)
}

// taken is what a plan takes away, but for what a review or a person has decided.
func (l Look) taken() []dayone.Key {
	var out []dayone.Key
	for _, s := range l.Plan.Steps {
		decided := slices.ContainsFunc(l.Holds, func(h dayone.Hold) bool { return h.Away && h.Covers(s.Key) }) ||
			len(l.asked[s.Key]) > 0
		if s.Action.Takes() && !decided && !slices.Contains(out, s.Key) {
			out = append(out, s.Key)
		}
	}
	return out
}

func braking(holds []dayone.Hold) []dayone.Hold {
	return slices.DeleteFunc(slices.Clone(holds), func(h dayone.Hold) bool { return h.Brake == "" })
}

// letGo lets a plan for everybody that somebody approved take away what it says.
func (f *Flow) letGo(ctx context.Context, changes []Change) error {
	var list []store.Pass
	for _, c := range changes {
		for _, g := range c.Lost {
			list = append(list, store.Pass{Person: c.Person, Key: g.Key})
		}
	}
	return f.Store.LetPass(ctx, list, f.Clock.Now().Add(passFor))
}
