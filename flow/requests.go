package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Request asks for something that policies offer to a person. By is who asks, and does not decide; Login entered it. What needs an approval is given once that is there. until
// may be zero. ErrForbidden: no policy offers it to her. ErrConflict: she has it, or it was asked for.
func (f *Flow) Request(ctx context.Context, r dayone.Request) (dayone.Request, error) {
	now := f.Clock.Now()
	err := f.wish(ctx, &r, now)
	if err != nil {
		return r, err
	}
	defer f.lock(r.Person)() // a look under way would put off the next one
	l, err := f.Preview(ctx, r.Person)
	if err != nil {
		return r, err
	}
	if !l.Person.Managed {
		return r, fmt.Errorf("nothing is planned for %s; they are only known from an import: %w", l.Person.Name(), dayone.ErrConflict)
	}
	i := slices.IndexFunc(l.Want.Offers, func(g dayone.Grant) bool { return g.Key == r.Key && (r.Role == "" || g.Role == r.Role) })
	if i < 0 {
		if slices.ContainsFunc(l.Want.Grants, func(g dayone.Grant) bool { return g.Key == r.Key }) {
			return r, fmt.Errorf("policies give %s to %s already: %w", r.Key, l.Person.Name(), dayone.ErrConflict)
		}
		if slices.ContainsFunc(l.Want.Pending, func(g dayone.Grant) bool { return g.Key == r.Key }) {
			return r, fmt.Errorf("%s waits for an approval already: %w", r.Key, dayone.ErrConflict)
		}
		return r, fmt.Errorf("no policy offers %s to %s; dayone policy why-not says what would have to be different: %w", r.Key, l.Person.Name(), dayone.ErrForbidden)
	}
	if most := f.Lasts(r.Key, l.Want.Offers[i].Role); most > 0 && l.Want.Offers[i].Approval == nil && r.Until.After(now.Add(most)) {
		r.Until = now.Add(most) // it is given at once
	}
	r.ID, r.Made, r.Role = dayone.RequestID(f.IDs.New("req")), now, l.Want.Offers[i].Role
	if err := f.makeRoom(ctx, l, r.What()); err != nil {
		return r, err
	}
	err = f.Store.AddRequest(ctx, r, dayone.Record{At: now, Person: r.Person, System: r.Key.System, What: "requested: " + r.Key.String(), By: cmp.Or(r.Login, r.By), Detail: &dayone.Detail{Note: askedNote(r)}})
	if err == nil {
		f.look()
	}
	return r, err
}

// wish checks what every request has to say.
func (f *Flow) wish(ctx context.Context, r *dayone.Request, now time.Time) error {
	if _, err := f.Person(ctx, r.Person); err != nil {
		return err
	}
	var err error
	r.By, err = asker(r.By, r.Login)
	switch r.Reason = strings.TrimSpace(r.Reason); {
	case err != nil:
		return err
	case r.By == "" && r.Login == "":
		return fmt.Errorf("say who asks, by mail address: %w", dayone.ErrInvalid)
	case r.Reason == "":
		return fmt.Errorf("say what it is needed for: %w", dayone.ErrInvalid)
	case len(r.Reason) > 2000:
		return fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	case !r.Until.IsZero() && !r.Until.After(now):
		return fmt.Errorf("the end lies behind us; say a later one, or none: %w", dayone.ErrInvalid)
	}
	return nil
}

// makeRoom ends requests for the same whose time is over.
func (f *Flow) makeRoom(ctx context.Context, l Look, what string) error {
	for _, old := range l.Requests {
		if old.What() == what && over(old, l.Person.At) {
			if err := f.endRequest(ctx, old, "", "its time is over"); err != nil {
				return err
			}
		}
	}
	return nil
}

// askedNote says who asked and why.
func askedNote(r dayone.Request) string {
	if r.By == "" || r.By == r.Login {
		return r.Reason
	}
	return "for " + r.By + ": " + r.Reason
}

// Lasts is how long an offer lasts once it is given, at most; 0: until somebody ends it.
func (f *Flow) Lasts(k dayone.Key, role string) time.Duration {
	var out time.Duration
	for _, p := range f.Active().Policies {
		for _, o := range p.Offers {
			switch {
			case o.Key != k || o.Role != role:
			case o.For == 0:
				return 0
			default:
				out = max(out, o.For)
			}
		}
	}
	return out
}

func over(r dayone.Request, now time.Time) bool { return !r.Until.IsZero() && !r.Until.After(now) }

// EndRequest ends a request: what only it gave is taken back.
func (f *Flow) EndRequest(ctx context.Context, id dayone.RequestID, by, reason string) (dayone.Request, error) {
	r, err := f.Store.Request(ctx, id)
	if err != nil {
		return r, err
	}
	if !r.Ended.IsZero() {
		return r, fmt.Errorf("this request has ended already: %w", dayone.ErrConflict)
	}
	if err := f.needed(ctx, r); err != nil {
		return r, err
	}
	defer f.lock(r.Person)()
	if err = f.endRequest(ctx, r, by, reason); err == nil {
		f.look()
		r, err = f.Store.Request(ctx, id)
	}
	return r, err
}

func (f *Flow) endRequest(ctx context.Context, r dayone.Request, by, reason string) error {
	r.Ended, r.EndBy = f.Clock.Now(), by
	return f.Store.EndRequest(ctx, r, dayone.Record{At: r.Ended, Person: r.Person, System: r.Key.System, What: "request ended: " + r.What(), By: by, Detail: &dayone.Detail{Note: reason}})
}

// Requests of a person, the newest first.
func (f *Flow) Requests(ctx context.Context, id dayone.PersonID) ([]dayone.Request, error) {
	return f.Store.Requests(ctx, id, false)
}

// timed keeps the ends that offers give to requests once they are given, and ends those whose time is over.
func (f *Flow) timed(ctx context.Context, l Look) error {
	for _, r := range l.Requests {
		switch until := f.until(l, r); {
		case over(r, l.Person.At):
			if err := f.endRequest(ctx, r, "", "its time is over"); err != nil {
				return err
			}
		case !until.Equal(r.Until):
			if err := f.Store.RequestUntil(ctx, r.ID, until); err != nil {
				return err
			}
		}
	}
	return nil
}

// until is the end of a request: its own, or the one that its offer gives it once it is given. A product is had as long as
// all of it is: until the first of its offers ends.
func (f *Flow) until(l Look, r dayone.Request) time.Time {
	if r.Product != "" {
		return f.productUntil(l, r)
	}
	i := slices.IndexFunc(l.Want.Grants, func(g dayone.Grant) bool { return g.Key == r.Key })
	if i < 0 || !l.has(r.Key) || l.Want.Grants[i].Until.IsZero() {
		return r.Until
	}
	return l.Want.Grants[i].Until
}

func (l Look) has(k dayone.Key) bool {
	return slices.ContainsFunc(l.Have, func(h dayone.Holding) bool { return h.Key == k && h.State != dayone.Gone })
}
