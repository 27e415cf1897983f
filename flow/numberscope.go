package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

// Whoever has a scope names numbers of the pools that are for a person of hers, and learns of no number whose it is, or that
// there is one, beyond her scope.

// namedPools are the pools of which whoever asks may name a number for somebody; nil: all.
func (f *Flow) namedPools(ctx context.Context, w NumberWish) ([]string, error) {
	if w.Number == "" || scopeOf(ctx).AllPeople() {
		return nil, nil
	}
	t, err := f.Store.Timeline(ctx, w.Person)
	if err != nil {
		return nil, err
	}
	plan, _, err := f.numberBook(f.Store.ReadNumbers(ctx))
	if err != nil {
		return nil, err
	}
	rules, err := f.numberRules(plan)
	if err != nil {
		return nil, err
	}
	p, out := people.At(&t, w.At, f.Clock.Now(), f.Active()), []string{}
	for i := range plan.Pools {
		if x := &plan.Pools[i]; rules.of(x, &p, w.At) == policy.Yes || x.Site != "" && x.Site == p.Site.Name {
			out = append(out, x.Name)
		}
	}
	return out, nil
}

func notGiven(w NumberWish) error {
	return fmt.Errorf("%s is not given out for them; leave it open which: %w", w.Number, dayone.ErrConflict)
}

// unnamed is what is said of a number that could not be had: why not, if it is somebody's who is in sight.
func (f *Flow) unnamed(ctx context.Context, w NumberWish, why error) error {
	if !errors.Is(why, dayone.ErrConflict) && !errors.Is(why, dayone.ErrNotFound) {
		return why
	}
	x, err := f.Store.ReadNumbers(ctx).Number(w.Number)
	if err != nil || x.Owner == "" {
		return notGiven(w)
	}
	if _, err := f.Person(ctx, x.Owner); err != nil {
		return notGiven(w)
	}
	return why
}
