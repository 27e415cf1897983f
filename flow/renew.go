package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/planner"
)

// A code that was lost, or that somebody may have seen, is made anew: the wish stands in the books beside what was asked for,
// the planner makes a step of it like of any other change, and once the system has taken the new one the old one opens nothing
// and its link shows nothing.

// Renew has the secrets of a thing made anew that were made by us: a network code. It comes back when the wish is in the books;
// the link shows the new one as soon as the system has taken it. ErrInvalid: there is no such thing. ErrConflict:
// it cannot be now, and why.
func (f *Flow) Renew(ctx context.Context, id dayone.PersonID, k dayone.Key, by, reason string) (SecretLink, error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return SecretLink{}, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	}
	row, err := f.Person(ctx, id)
	if err == nil && !covers(ctx, row, k) {
		err = fmt.Errorf("your role is for %s, and %s is not in it: %w", scopeOf(ctx), k, dayone.ErrForbidden)
	}
	if err != nil {
		return SecretLink{}, err
	}
	defer f.lock(id)()
	l, err := f.Preview(ctx, id)
	if err != nil {
		return SecretLink{}, err
	}
	h, names, err := f.renewable(ctx, l, k)
	if err != nil {
		return SecretLink{}, err
	}
	now := f.Clock.Now()
	err = f.Store.AskAnew(ctx, id, h.Renew(names), now, dayone.Record{At: now, Person: id, System: k.System, What: "renewal asked for: " + k.String(), By: by, Detail: &dayone.Detail{Note: reason}})
	if err != nil {
		return SecretLink{}, err
	}
	f.look()
	out := f.secretLink(k, engine.SecretIDOf(planner.Once(id, k, h.Generation+1), names[0]), f.opens(l.Person))
	out.Waits = true
	return out, nil
}

// renewable is what is to be renewed, and the secrets that were made with it.
func (f *Flow) renewable(ctx context.Context, l Look, k dayone.Key) (dayone.Holding, []string, error) {
	refuse := func(kind error, format string, args ...any) (dayone.Holding, []string, error) {
		return dayone.Holding{}, nil, fmt.Errorf(format+": %w", append(args, kind)...)
	}
	who := l.Person.Name()
	i := slices.IndexFunc(l.Have, func(h dayone.Holding) bool { return h.Key == k && h.State != dayone.Gone })
	if i < 0 {
		return refuse(dayone.ErrInvalid, "%s has no %s", who, k)
	}
	h := l.Have[i]
	names := f.madeByUs(h)
	wanted := slices.ContainsFunc(l.Want.Grants, func(g dayone.Grant) bool { return g.Key == k })
	held := slices.IndexFunc(l.Holds, func(o dayone.Hold) bool { return o.Covers(k) && o.Ended.IsZero() })
	switch {
	case len(names) == 0:
		return refuse(dayone.ErrUnsupported, "nothing of %s was made here, so nothing is renewed", k)
	case h.Renews():
		return refuse(dayone.ErrConflict, "a new %s for %s is being made already", k, who)
	case h.State != dayone.Active:
		return refuse(dayone.ErrConflict, "only what is active is renewed: %s of %s is %s", k, who, h.State)
	case l.Person.Status == dayone.Left || !wanted:
		return refuse(dayone.ErrConflict, "nothing gives %s to %s any more, so it is taken back and not renewed", k, who)
	case held >= 0:
		return refuse(dayone.ErrConflict, "a hold leaves %s of %s alone until %s; end it first", k, who, l.Holds[held].Until.Format(time.DateOnly))
	}
	switch kept, err := f.kept(ctx, l, ""); {
	case err != nil:
		return h, nil, err
	case kept:
		return refuse(dayone.ErrConflict, "the last run of %s is paused or was cancelled, so nothing is planned; resume it first", who)
	}
	active, err := f.Store.ActiveRun(ctx, l.Person.ID)
	if errors.Is(err, dayone.ErrNotFound) {
		return h, names, nil
	}
	if err != nil {
		return h, nil, err
	}
	r, err := f.RunOf(ctx, active)
	if err != nil {
		return h, nil, err
	}
	if slices.ContainsFunc(r.Steps, func(s dayone.StepRun) bool { return s.Step.Key == k && !s.State.Over() }) {
		return refuse(dayone.ErrConflict, "run %s is at work on %s; ask again when it is done", r.ID, k)
	}
	return h, names, nil
}

// madeByUs are the secrets of a thing that we made for it: those that a system makes it also renews by itself.
func (f *Flow) madeByUs(h dayone.Holding) []string {
	if h.Key.IsAccount() || !h.Ours {
		return nil
	}
	recipes := f.Active().Systems[h.Key.System].Kinds[h.Key.Kind].Mapping
	return slices.DeleteFunc(secretNames(recipes), func(name string) bool { return recipes[name].Text == dayone.VendorMade })
}

// Renewable says whether something that somebody has can be renewed by whoever asks.
func (f *Flow) Renewable(ctx context.Context, row Row, h dayone.Holding) bool {
	return covers(ctx, row, h.Key) && h.State == dayone.Active && !h.Renews() && len(f.madeByUs(h)) > 0
}
