package defined

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"

	"github.com/dayone-hq/dayone"
)

// Reach are the ways by which a definition finds accounts. A slip in one of them would say "not found", and that means gone:
// so they are held against each other before that is believed.
type Reach struct {
	System string
	By     []string // keys for which the definition has a way of its own: accounts.find
	Get    func(ctx context.Context, ref string) error
	Find   func(ctx context.Context, by, value string) ([]dayone.Item, error)

	proven atomic.Bool // an account that is there was found by its id
}

// Retrace finds an account that is there by every way that is defined.
func (r *Reach) Retrace(ctx context.Context, it dayone.Item) error {
	lost := func(way string) error {
		return &dayone.Fault{
			System: r.System, Op: "checking the definition", Err: dayone.ErrInvalid, Detail: fmt.Sprintf("the account %s is in the list and is not found by %s", it.Ref, way),
			Next: "mend " + way + " in the definition, else everybody would look gone",
		}
	}
	if err := r.Get(ctx, it.Ref); errors.Is(err, dayone.ErrNotFound) {
		return lost("accounts.get")
	} else if err != nil {
		return err
	}
	for _, by := range r.By {
		value := it.Attrs.Text(by)
		if value == "" {
			continue
		}
		found, err := r.Find(ctx, by, value)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return lost("accounts.find." + by)
		}
	}
	return nil
}

// Believed is what reading an account came to. The first "not found" is believed only after check, which retraces an account
// that is there, has found nothing wrong.
func (r *Reach) Believed(ctx context.Context, err error, check func(context.Context) error) error {
	if !errors.Is(err, dayone.ErrNotFound) || r.proven.Load() {
		return err
	}
	if slip := check(ctx); slip != nil {
		return slip
	}
	r.proven.Store(true)
	return err
}

// Made looks for an account whose making did not tell its id; nil: it is not shown, or more than one is.
func (r *Reach) Made(ctx context.Context, match []string, keys map[string]string) (*dayone.Item, error) {
	for _, by := range match {
		if keys[by] == "" {
			continue
		}
		found, err := r.Find(ctx, by, keys[by])
		if err != nil {
			return nil, err
		}
		if len(found) == 1 {
			return &found[0], nil
		}
	}
	return nil, nil
}

// Filled are attributes and secrets by the names that a definition has for them.
func Filled(as dayone.Attrs, secrets map[string]dayone.Secret) map[string]dayone.Value {
	out := maps.Clone(map[string]dayone.Value(as))
	if out == nil {
		out = map[string]dayone.Value{}
	}
	for name, s := range secrets {
		out[name] = dayone.Text(s.Reveal())
	}
	return out
}
