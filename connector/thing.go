package connector

import (
	"context"
	"errors"

	"github.com/dayone-hq/dayone"
)

func (t *Target) thing(ctx context.Context, k Things, a dayone.Act) (dayone.Result, error) {
	is, err := k.Look(ctx, a)
	if err != nil {
		return dayone.Result{}, err
	}
	if is != nil {
		is.Key = a.Key
	}
	if a.Want == nil {
		if is == nil {
			return dayone.Result{}, nil
		}
		if err := k.Drop(ctx, a); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return dayone.Result{}, err
		}
		return dayone.Result{Before: is}, nil
	}
	before := already(is, a)
	if a.Have != nil && len(a.Secrets) > 0 { // it is renewed: until it had the new secret it was not what is wanted
		was := *a.Have
		was.State = dayone.Pending
		before = &was
	}
	// what is pending is put again, a confirmation too: only the thing knows for what it waits
	settled := is != nil && (is.State == dayone.Active || is.State != dayone.Pending && a.Action == dayone.EntitlementConfirm)
	if settled && len(is.Attrs.Differ(t.ofThing(a))) == 0 {
		return dayone.Result{Before: before, Now: is}, nil
	}
	a.Have, a.Fresh = is, true
	r, err := k.Put(ctx, a)
	if err != nil {
		return dayone.Result{}, err
	}
	if r.Now != nil {
		r.Now.Key = a.Key
	}
	r.Before = before
	return r, nil
}

// ofThing are the wanted attributes that the thing shows; the rest is only said once, such as where an order ships to.
func (t *Target) ofThing(a dayone.Act) dayone.Attrs {
	out := dayone.Attrs{}
	for name, at := range t.Manifest.Kinds[a.Key.Kind].Attributes {
		if v, ok := a.Want.Attrs[name]; ok && !at.ReadOnly && !at.Once {
			out[name] = v
		}
	}
	return out
}
