package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A role may end somewhere: at countries, companies, systems. Who is asked says the context, as for what is confidential. What
// decides reads the store, which knows no scope: what somebody may see changes nothing of what others get. What is shown comes
// through here: lists leave out what is out of sight, and a thing that is out of sight is not found, as one that is not there.

// scopeOf is how far whoever asks may see. None is everywhere: the product itself asks that way.
func scopeOf(ctx context.Context) dayone.Scope {
	v, _ := ctx.Value(viewerKey{}).(dayone.Viewer)
	return v.Scope
}

// countryOf is where somebody is at work; "": nobody knows.
func countryOf(p dayone.Person) string { return cmp.Or(p.Attrs.Text("country"), p.Site.Country) }

// inSight says no to a person who is out of scope, and to one of whom it is not known where she is.
func (f *Flow) inSight(ctx context.Context, id dayone.PersonID) error {
	if scopeOf(ctx).AllPeople() {
		return nil
	}
	_, err := f.placed(ctx, id)
	return err
}

// placed is somebody in sight, also by an id that was merged into hers.
func (f *Flow) placed(ctx context.Context, id dayone.PersonID) (Row, error) {
	if id == "" {
		return Row{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	to, err := f.Store.PersonOfMerged(ctx, id)
	if err != nil {
		return Row{}, err
	}
	return f.Person(ctx, cmp.Or(to, id))
}

// Thing is a kind of what an address is about.
type Thing string

const (
	ThePerson     Thing = "person"
	TheRun        Thing = "run"
	TheStep       Thing = "step" // of a run: RUN/NUMBER
	TheTask       Thing = "task"
	TheApproval   Thing = "approval"
	TheRequest    Thing = "request"
	TheHold       Thing = "hold"
	TheEvent      Thing = "event"
	TheBrake      Thing = "brake"
	TheMatch      Thing = "match"
	TheNumber     Thing = "number"
	TheDelegation Thing = "delegation"
	TheSystem     Thing = "system"
	TheOrder      Thing = "order"
	TheDrift      Thing = "drift"
)

// Sees says whether a thing is in the scope of whoever asks. ErrNotFound: it is not, or is not there. acts asks whether she may
// also do something about it: who has systems may where all that it concerns is theirs. ErrForbidden: she may only look.
func (f *Flow) Sees(ctx context.Context, what Thing, id string, acts bool) error {
	s := scopeOf(ctx)
	if s.Whole() {
		return nil
	}
	person, systems, err := f.concerns(ctx, what, id)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch what {
	case TheSystem, TheOrder:
		if !s.Runs(systems[0]) {
			return fmt.Errorf("%s: %w", what, dayone.ErrNotFound)
		}
		return nil
	case TheBrake, TheMatch, TheDelegation: // looked at already: they are about several people
		return reaches(s, acts)
	}
	row := Row{}
	if person != "" || !s.AllPeople() {
		if row, err = f.placed(ctx, person); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	at := func(system string) bool { return s.Covers(row.Country, row.Company, system) }
	if (what == TheTask || what == TheApproval) && !at(systems[0]) {
		return fmt.Errorf("%s: %w", what, dayone.ErrNotFound)
	}
	if acts && len(systems) > 0 && !slices.ContainsFunc(systems, func(x string) bool { return !at(x) }) {
		return nil
	}
	return reaches(s, acts)
}

// reaches refuses whoever has systems only, where what is done is about more than these.
func reaches(s dayone.Scope, acts bool) error {
	if acts && !s.AllSystems() {
		return fmt.Errorf("your role is for %s, and this is about more: %w", s, dayone.ErrForbidden)
	}
	return nil
}

// concerns finds whom a thing is about, and the systems that it concerns. What is about several people is judged here.
func (f *Flow) concerns(ctx context.Context, what Thing, id string) (dayone.PersonID, []string, error) {
	switch what {
	case ThePerson:
		return dayone.PersonID(id), nil, nil
	case TheRun, TheStep:
		return f.runConcerns(ctx, what, id)
	case TheTask:
		t, err := f.Store.Task(ctx, id)
		return t.Person, []string{t.System}, err
	case TheApproval:
		a, err := f.Store.Approval(ctx, dayone.ApprovalID(id))
		return a.Person, []string{a.Key.System}, err
	case TheRequest:
		r, err := f.Store.Request(ctx, dayone.RequestID(id))
		return r.Person, []string{r.Key.System}, err
	case TheHold:
		h, err := f.Store.Hold(ctx, dayone.HoldID(id))
		var systems []string
		for _, k := range h.Keys {
			systems = append(systems, k.System)
		}
		return h.Person, systems, err
	case TheEvent:
		in, err := f.Event(ctx, dayone.EventID(id))
		return in.Person, nil, err
	case TheBrake:
		_, err := f.brake(ctx, dayone.BrakeID(id))
		return "", nil, err
	case TheMatch:
		_, err := f.Match(ctx, dayone.MatchID(id))
		return "", nil, err
	case TheNumber:
		number, err := f.NumberID(ctx, id)
		if err != nil {
			return "", nil, err
		}
		x, err := f.Store.ReadNumbers(ctx).Number(number)
		return x.Owner, []string{x.Platform}, err
	case TheDelegation:
		list, err := f.Delegations(ctx)
		if err == nil && !slices.ContainsFunc(list, func(g dayone.Delegation) bool { return g.ID == id }) {
			err = dayone.ErrNotFound
		}
		return "", nil, err
	case TheSystem:
		return "", []string{id}, nil
	case TheDrift:
		x, err := f.driftOf(ctx, dayone.DriftID(id))
		return x.Person, []string{x.Key.System}, err
	case TheOrder:
		st, err := f.Store.Standing(ctx, f.Clock.Now())
		for _, o := range st.Orders {
			if string(o.ID) == id {
				return "", []string{o.System}, err
			}
		}
		return "", nil, errors.Join(err, dayone.ErrNotFound)
	}
	return "", nil, fmt.Errorf("nobody said what %q is about: %w", what, dayone.ErrNotFound)
}

func (f *Flow) runConcerns(ctx context.Context, what Thing, id string) (dayone.PersonID, []string, error) {
	run, number := id, ""
	if at := strings.LastIndexByte(id, '/'); what == TheStep && at >= 0 {
		run, number = id[:at], id[at+1:]
	}
	r, err := f.RunOf(ctx, dayone.RunID(run))
	if err != nil {
		return "", nil, err
	}
	var systems []string
	for i := range r.Steps {
		if what == TheRun || fmt.Sprint(i+1) == number {
			systems = append(systems, r.Steps[i].Step.Key.System)
		}
	}
	return r.Person, systems, nil
}

// brakesInSight narrows a filter to brakes all of whose people are in scope, since each is let through, or thrown away, as a whole.
// Rows of whom something is confidential hide where those are: whoever may know is told by what was said of them.
func (f *Flow) brakesInSight(ctx context.Context, q store.BrakeFilter) (store.BrakeFilter, error) {
	q.Public, q.Within = !mayKnow(ctx), scopeOf(ctx)
	if q.Public || q.Within.AllPeople() {
		return q, nil
	}
	rows, err := f.Store.VeiledHeld(ctx)
	if err != nil {
		return q, err
	}
	for _, row := range rows {
		switch row, err := f.rowFor(ctx, row); {
		case err != nil:
			if notOf(err) != nil {
				return q, err
			}
		case q.Within.Has(row.Country, row.Company):
			q.Beside = append(q.Beside, row.ID)
		}
	}
	return q, nil
}

// matchInSight says whether whoever is new, and all who are asked about, are in scope.
func (f *Flow) matchInSight(ctx context.Context, m dayone.Match) (bool, error) {
	s := scopeOf(ctx)
	if s.AllPeople() {
		return true, nil
	}
	if m.State == dayone.MatchOpen && !s.Has(cmp.Or(m.Says["country"], f.Active().SiteOf(m.Says["location"]).Country), m.Says["company"]) {
		return false, nil
	}
	who := []dayone.PersonID{}
	for _, x := range m.Suspects {
		who = append(who, x.Person)
	}
	if m.Person != "" {
		who = append(who, m.Person)
	}
	for _, id := range who {
		if err := f.inSight(ctx, id); err != nil {
			return false, notOf(err)
		}
	}
	return len(who) > 0, nil
}

// notOf is an error unless it only says that somebody is not in sight.
func notOf(err error) error {
	if errors.Is(err, dayone.ErrNotFound) {
		return nil
	}
	return err
}

// seen leaves of a list what is in sight. It is for lists that are short, whatever happens: of people, filters of the store
// leave out the rest.
func seen[T any](list []T, in func(T) (bool, error)) ([]T, error) {
	var out []T
	for _, x := range list {
		ok, err := in(x)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, x)
		}
	}
	return out, nil
}

// enters refuses whoever has a scope to enter somebody who would be out of it, or of whom that cannot be told.
func (f *Flow) enters(ctx context.Context, fields map[string]string, faults Faulty) {
	s := scopeOf(ctx)
	country := cmp.Or(fields["country"], f.Active().SiteOf(fields["location"]).Country)
	if s.Has(country, fields["company"]) {
		return
	}
	at := "location"
	if slices.ContainsFunc(s, func(r dayone.Reach) bool { return r.Has(country, cmp.Or(slices.Concat(r.Companies, []string{""})...)) }) {
		at = "company"
	}
	faults[at] = "your role is for " + s.String() + "; say one that is in it"
}

// placesMeta is by what policies it was written where people are.
const placesMeta = "places"

// placesOf is what policies say of where people are: which attribute says it, and what locations mean.
func placesOf(set *policy.Set) string {
	h := sha256.New()
	for _, name := range []string{"country", "company", "location"} {
		fmt.Fprintln(h, name, set.Schema.Attributes[name].From)
	}
	for _, name := range slices.Sorted(maps.Keys(set.Sites)) {
		fmt.Fprintf(h, "%q %q\n", name, set.Sites[name].Country)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// nextPlacing is now, once after a start and after policies said otherwise where people are; else zero.
func (f *Flow) nextPlacing(context.Context) (time.Time, error) {
	if by := f.placedBy.Load(); by != nil && *by == placesOf(f.Active()) {
		return time.Time{}, nil
	}
	return f.Clock.Now(), nil
}

// placeAll writes where people are of whom nobody has looked yet: they came into the books before roles had scopes, or
// policies say otherwise now what a location means. Who cannot be read stays where nobody knows, and keeps nobody else there.
func (f *Flow) placeAll(ctx context.Context) error {
	by := placesOf(f.Active())
	was, err := f.Store.Meta(ctx, placesMeta)
	if err != nil {
		return err
	}
	if was != "" && was != by {
		if err := f.Store.Unplace(ctx); err != nil {
			return err
		}
	}
	if was != by {
		if err := f.Store.SetMeta(ctx, placesMeta, by); err != nil {
			return err
		}
	}
	for after := dayone.PersonID(""); ; {
		ids, err := f.Store.Unplaced(ctx, after, store.AtOnce)
		if err == nil && len(ids) == 0 {
			f.placedBy.Store(&by)
		}
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := f.place(ctx, ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// place locks nobody: whoever is written meanwhile is placed by that, and SavePlaces leaves her as she is.
func (f *Flow) place(ctx context.Context, ids []dayone.PersonID) error {
	read, err := f.Store.Timelines(ctx, ids)
	if err != nil {
		return err
	}
	places, now := make([]store.Place, 0, len(ids)), f.Clock.Now()
	for i := range read {
		switch err := read[i].Err; {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, dayone.ErrNotFound): // deleted or merged meanwhile
		case err != nil:
			f.Log.Warn("somebody cannot be read, so nobody knows where she is; roles with countries or companies do not see her", "person", ids[i], "error", err)
		default:
			row := rowOf(people.At(&read[i].Timeline, now, now, f.Active()))
			places = append(places, store.Place{Person: ids[i], Country: row.Country, Company: row.Company})
		}
	}
	return f.Store.SavePlaces(ctx, places)
}
