package flow

import (
	"context"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// WatchOnce looks at all rules of alerts that are not resting.
func (f *Flow) WatchOnce(ctx context.Context) error { return f.watch(ctx) }

// PlanBothWays is a plan for everybody as it is made, with how many people it looked at closely, and the same made of close
// looks alone.
func (f *Flow) PlanBothWays(ctx context.Context, pr Proposal, against *policy.Set) (made Everybody, closely int, judged Everybody, err error) {
	c := &comparison{Flow: f, pr: pr, against: against, force: f.force.Load(), now: f.Clock.Now()}
	if judged, _, err = c.plan(ctx); err != nil {
		return made, 0, judged, err
	}
	if err = c.glance(ctx); err != nil {
		return made, 0, judged, err
	}
	made, closely, err = c.plan(ctx)
	return made, closely, judged, err
}

// LookAgain looks at everybody who is due.
func (f *Flow) LookAgain(ctx context.Context) error {
	_, err := f.lookAgain(ctx)
	return err
}

// LookTogether does that and nothing beside it.
func (f *Flow) LookTogether(ctx context.Context) error {
	for {
		due, err := f.Store.Due(ctx, f.Clock.Now(), manyDue)
		if err != nil || len(due) == 0 {
			return err
		}
		if due, err = f.lookTogether(ctx, due); err != nil {
			return err
		}
		for _, p := range due {
			if err := f.lookOnce(ctx, p); err != nil {
				return err
			}
		}
	}
}

// LookOneByOne does the same as it is judged by: one person after the other.
func (f *Flow) LookOneByOne(ctx context.Context) error {
	for {
		due, err := f.Store.Due(ctx, f.Clock.Now(), 200)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, p := range due {
			if err := f.lookOnce(ctx, p); err != nil {
				return err
			}
		}
	}
}

// NothingToDo says for whom of those who are due nothing is to be done, as looks at many find.
func (f *Flow) NothingToDo(ctx context.Context) (nothing, due int, err error) {
	ids, err := f.Store.Due(ctx, f.Clock.Now(), 200)
	if err != nil {
		return 0, 0, err
	}
	offers, err := f.Store.Catalogue(ctx, "")
	if err != nil {
		return 0, 0, err
	}
	read, err := f.Store.DueTogether(ctx, ids)
	for i := range read {
		if _, ok := f.nothingToDo(&read[i], f.Clock.Now(), offers); ok {
			nothing++
		}
	}
	return nothing, len(ids), err
}

// LookAhead looks at people who will be due, and says of how many something is foreseen.
func (f *Flow) LookAhead(ctx context.Context) (foreseen int, err error) {
	err = f.lookAhead(ctx)
	return f.Foreseen(), err
}

// Foreseen is of how many people it is known what will become of them.
func (f *Flow) Foreseen() int {
	f.ahead.mu.Lock()
	defer f.ahead.mu.Unlock()
	return f.ahead.resting()
}

// RequestOnce is how the approval of a grant is known.
func RequestOnce(person dayone.PersonID, k dayone.Key, role string) string {
	return requestOnce(person, k, role)
}

// FallsWhileHandingOver lists what leavers looked after and moves it, and falls before that is written down.
func (f *Flow) FallsWhileHandingOver(ctx context.Context) error {
	due, err := f.Store.DueSuccessions(ctx, f.Clock.Now(), succeedAtOnce)
	if err != nil {
		return err
	}
	all, err := f.leavers(ctx, due)
	if err != nil {
		return err
	}
	if err := f.listAll(ctx, all); err != nil {
		return err
	}
	for _, l := range all {
		for i := range l.Items {
			if l.Items[i].Act == "" {
				if err := f.move(ctx, l, &l.Items[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Delivers is by which systems somebody is told.
func (f *Flow) Delivers(p dayone.Person, n dayone.Notice) []dayone.Notice { return f.deliver(p, n) }
