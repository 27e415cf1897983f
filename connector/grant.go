package connector

import (
	"context"
	"errors"

	"github.com/dayone-hq/dayone"
)

func (t *Target) entitlement(ctx context.Context, k Entitlements, a dayone.Act) (dayone.Result, error) {
	if len(a.Secrets) > 0 { // else a link would hand out what was never set
		return dayone.Result{}, t.fault(string(a.Action), dayone.ErrInvalid, "%s is an entitlement, which takes no secret; its connector has to make a thing of it", a.Key)
	}
	man := t.Manifest.Kinds[a.Key.Kind]
	if man.Shown != "" && a.Action == dayone.EntitlementAdd { // no try and no human brings it about
		return dayone.Result{}, t.fault("giving", dayone.ErrInvalid, "%s is shown only: %s; take it out of the policy", a.Key, man.Shown)
	}
	is := a.Have
	if !a.Fresh || a.Attempt > 1 || a.Action == dayone.EntitlementConfirm {
		items, err := k.Held(ctx, a.Account)
		if errors.Is(err, dayone.ErrNotFound) && a.Want == nil {
			return dayone.Result{Before: a.Have}, nil // with its account it is gone, too
		}
		if err != nil {
			return dayone.Result{}, t.late(a, err)
		}
		is = t.pick(items, a, man)
	}
	is = known(is, a.Have, a.Want)
	if a.Want == nil {
		if is == nil {
			return dayone.Result{Before: already(is, a)}, nil
		}
		before := *is
		if t.HandOver != nil && before.Role == "owner" {
			if err := t.HandOver(ctx, a.Account, &before, a.Subject.Heir); err != nil {
				return dayone.Result{}, err
			}
		}
		if err := k.Remove(ctx, a.Account, before); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return dayone.Result{}, err
		}
		if a.Have != nil && before.Ref == "" {
			before.Ref = a.Have.Ref
		}
		return t.verify(ctx, k, a, man, &before)
	}
	if a.Action == dayone.EntitlementConfirm {
		if is == nil {
			return dayone.Result{}, t.fault("confirming", dayone.ErrNotFound, "%s is not there any more", a.Key)
		}
		return t.pending(dayone.Result{Before: is, Now: is}), nil
	}
	want := *a.Want
	if want.Ref == "" && man.Catalogue {
		ref, err := t.ref(ctx, a.Key)
		if err != nil {
			return dayone.Result{}, err
		}
		want.Ref = ref
	}
	if is != nil && sameName(is.Key, a.Key) && is.Role == want.Role && len(is.Attrs.Differ(want.Attrs)) == 0 {
		return t.pending(dayone.Result{Before: already(is, a), Now: is}), nil
	}
	var before *dayone.Item
	if is != nil {
		b := *is
		before = &b
	}
	if err := k.Add(ctx, a.Account, want); err != nil && !errors.Is(err, dayone.ErrConflict) {
		return dayone.Result{}, t.late(a, err)
	}
	if man.Proof {
		want.State = dayone.Active
		return dayone.Result{Before: before, Now: &want}, nil
	}
	return t.verify(ctx, k, a, man, before)
}

// already is what stood there before the step, if all is as it should be. After a first attempt, which may show only now or
// have lost its answer, that is what the step was planned on.
func already(is *dayone.Item, a dayone.Act) *dayone.Item {
	if a.Attempt > 1 {
		return a.Have
	}
	return is
}

func sameName(a, b dayone.Key) bool { return a.Kind == b.Kind && a.Name == b.Name }

// known is an item with the role that it was given, if its system shows none: the books' word, then the wanted one.
func known(is *dayone.Item, given ...*dayone.Item) *dayone.Item {
	if is == nil {
		return nil
	}
	it := *is
	for _, g := range given {
		if g != nil && it.Role == "" {
			it.Role = g.Role
		}
	}
	return &it
}

// verify reads back what was done.
func (t *Target) verify(ctx context.Context, k Entitlements, a dayone.Act, man Kind, before *dayone.Item) (dayone.Result, error) {
	if man.Proof {
		return dayone.Result{Before: before}, nil
	}
	items, err := k.Held(ctx, a.Account)
	if errors.Is(err, dayone.ErrNotFound) && a.Want == nil {
		return dayone.Result{Before: before}, nil
	}
	if err != nil {
		return dayone.Result{}, t.late(a, err)
	}
	now := known(t.pick(items, a, man), a.Want)
	if now != nil && man.Exclusive && !sameName(now.Key, a.Key) {
		now = nil // the slot still shows another
	}
	switch {
	case a.Want == nil && now != nil:
		return dayone.Result{}, t.fault("verifying", dayone.ErrNotYet, "%s is still shown", a.Key)
	case a.Want == nil:
		return dayone.Result{Before: before}, nil
	case now == nil:
		return dayone.Result{}, t.fault("verifying", dayone.ErrNotYet, "%s is not shown yet", a.Key)
	case now.Role != a.Want.Role:
		return dayone.Result{}, t.fault("verifying", dayone.ErrNotYet, "%s shows the role %s, not %s", a.Key, now.Role, a.Want.Role)
	}
	return t.pending(dayone.Result{Before: before, Now: now}), nil
}

// pending turns a grant that nobody can use yet into a wait.
func (t *Target) pending(r dayone.Result) dayone.Result {
	if r.Now == nil || r.Now.State != dayone.Pending {
		return r
	}
	kind := dayone.WaitFirstLogin
	if t.Manifest.Account != nil && t.Manifest.Account.Pending != "" {
		kind = t.Manifest.Account.Pending
	}
	r.Wait = &dayone.Wait{Kind: kind, Check: t.Now().Add(confirmEvery), Note: pendingNote(kind, t.Manifest.Title)}
	return r
}

// pick finds the act's item among those held: by vendor id, else by name; in an exclusive slot whatever is there.
func (t *Target) pick(items []dayone.Item, a dayone.Act, man Kind) *dayone.Item {
	want := a.Want
	if want == nil {
		want = a.Have
	}
	for i := range items {
		it := &items[i]
		it.Key.System, it.Key.Kind, it.Key.As = a.Key.System, a.Key.Kind, a.Key.As
		byRef := want != nil && want.Ref != "" && it.Ref == want.Ref
		if byRef {
			it.Key.Name = a.Key.Name // names may change, ids do not
		}
		if byRef || it.Key.Name == a.Key.Name {
			return it
		}
	}
	if man.Exclusive && a.Want != nil && len(items) > 0 {
		return &items[0]
	}
	return nil
}

// ref is the vendor's id of a catalogue name.
func (t *Target) ref(ctx context.Context, key dayone.Key) (string, error) {
	key.As = dayone.Personal
	t.mu.Lock()
	ref, known := t.offers[key]
	fresh := t.Now().Sub(t.read) < catalogueAge
	t.mu.Unlock()
	switch {
	case known && fresh:
		return ref, nil
	case fresh:
		return "", t.fault("looking up", dayone.ErrNotFound, "%s is not in the catalogue any more", key)
	}
	offers := map[dayone.Key]string{}
	for o, err := range t.Catalogue(ctx) {
		if err != nil {
			return "", err
		}
		offers[o.Key] = o.Ref
	}
	t.mu.Lock()
	t.offers, t.read = offers, t.Now()
	t.mu.Unlock()
	if ref, known = offers[key]; !known {
		return "", t.fault("looking up", dayone.ErrNotFound, "%s does not exist; create it there or take it out of the policy", key)
	}
	return ref, nil
}
