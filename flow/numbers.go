package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Telephone numbers. What is asked for is decided by package number about what stands in the books, in the transaction that
// writes it: no number is ever two people's. A step that needs a number reserves it first (ReserveNumber), assigns it with
// its own effect (AssignNumber), confirms it when its platform shows it, and releases it when its owner is done with it.
// Asked twice, each does the same.

// What pages and the command line read of numbers.
type (
	NumberPool    = number.Pool
	NumberRange   = number.Range
	NumberClass   = number.Class
	NumberFault   = number.Fault
	NumberFinding = number.Finding
	NumberOutlook = number.Outlook
	NumberFilter  = store.NumberFilter
)

// numbering is what flow remembers of numbers.yaml; a restart loses nothing with it.
type numbering struct {
	mu    sync.Mutex
	seq   int
	plan  *number.Plan
	set   *policy.Set
	rules map[string]policy.Question // by pool
}

// numberBook is the plan that counts, read once for each time that it changes.
func (f *Flow) numberBook(n *store.Numbers) (*number.Plan, int, error) {
	seq, err := n.PlanSeq()
	if err != nil {
		return nil, 0, fmt.Errorf("reading the plan of numbers: %w", err)
	}
	f.numbers.mu.Lock()
	defer f.numbers.mu.Unlock()
	if f.numbers.plan != nil && f.numbers.seq == seq {
		return f.numbers.plan, seq, nil
	}
	kept, err := n.Plan()
	if err != nil {
		return nil, 0, fmt.Errorf("reading the plan of numbers: %w", err)
	}
	p, faults := number.ReadPlan(kept.Text)
	if len(faults) > 0 { // it was read before it was kept
		return nil, 0, fmt.Errorf("the plan of numbers does not read any more: %s", faults[0])
	}
	if n.ReadsOnly() { // what a transaction sees may never be committed
		f.numbers.plan, f.numbers.seq, f.numbers.rules, f.numbers.set = &p, kept.Seq, nil, nil
	}
	return &p, kept.Seq, nil
}

// NumberWish asks for a number.
type NumberWish struct {
	Person  dayone.PersonID // for whom; "": For says it
	For     dayone.NumberNote
	Pool    string          // "": the one that rules name for the person, or the number's own
	Number  dayone.NumberID // just this one
	Like    string          // digits in which it would best end
	Another bool            // though they have one of this pool
	At      time.Time       // from when it is to work; zero: now
	Until   time.Time       // how long it is kept; zero: as long as the pool says, from At on
	By      string
	Reason  string
}

// NumberGiven is the answer: which number it is, and why this one.
type NumberGiven struct {
	dayone.Number
	Why   string
	Title string // of its pool
}

// ReserveNumber keeps a number for somebody, also for who is in no books yet. Whoever has one there is given that. ErrNoSeat:
// the pool has none left. ErrConflict: the number is in no state to be reserved.
func (f *Flow) ReserveNumber(ctx context.Context, w NumberWish) (NumberGiven, error) {
	return f.give(ctx, w, number.Reserve)
}

// AssignNumber makes a number somebody's own: the one that is reserved for them, the one that is named, or a free one.
func (f *Flow) AssignNumber(ctx context.Context, w NumberWish) (NumberGiven, error) {
	return f.give(ctx, w, number.Assign)
}

func (f *Flow) give(ctx context.Context, w NumberWish, verb number.Verb) (NumberGiven, error) {
	now := f.Clock.Now()
	if w.At.Before(now) {
		w.At = now
	}
	if w.Person == "" && !scopeOf(ctx).AllPeople() {
		return NumberGiven{}, fmt.Errorf("your role is for %s; say for whom of them: %w", scopeOf(ctx), dayone.ErrForbidden)
	}
	w.For.Name, w.For.Ref, w.Like = strings.TrimSpace(w.For.Name), strings.TrimSpace(w.For.Ref), strings.TrimSpace(w.Like)
	switch {
	case w.Like != "" && (strings.Trim(w.Like, "0123456789") != "" || len(w.Like) > 15):
		return NumberGiven{}, fmt.Errorf("%q is no end of a number; write its last digits: %w", w.Like, dayone.ErrInvalid)
	case len(w.For.Name) > 200 || len(w.For.Ref) > 200 || len(w.Reason) > 1000:
		return NumberGiven{}, fmt.Errorf("a name has at most 200 signs, and a reason 1000: %w", dayone.ErrInvalid)
	}
	if _, _, err := f.numberBook(f.Store.ReadNumbers(ctx)); err != nil { // it is at hand from here on
		return NumberGiven{}, err
	}
	refs, err := f.numberRefs(ctx, &w)
	if err != nil {
		return NumberGiven{}, err
	}
	may, err := f.namedPools(ctx, w)
	if err != nil {
		return NumberGiven{}, err
	}
	var out NumberGiven
	err = f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		plan, _, err := f.numberBook(n)
		if err != nil {
			return err
		}
		chosen, why, pool, err := choose(n, plan, w, refs)
		if err == nil && may != nil && !slices.Contains(may, chosen.Pool) && chosen.Owner != w.Person {
			err = notGiven(w)
		}
		if err != nil {
			return err
		}
		out = NumberGiven{chosen, why, poolTitle(plan, chosen.Pool)}
		if chosen.State == dayone.NumberAssigned && chosen.Owner == w.Person || verb == number.Reserve && chosen.State == dayone.NumberReserved && chosen.Owner == w.Person && w.Person != "" && w.Until.IsZero() {
			return nil // it is so already
		}
		o := number.Order{Verb: verb, At: now, Person: w.Person, For: w.For, Until: w.Until}
		if chosen.Owner == "" && chosen.For.Ref != "" && slices.ContainsFunc(refs, func(r string) bool { return strings.EqualFold(r, chosen.For.Ref) }) {
			o.For.Ref = chosen.For.Ref
		}
		if o.Until.IsZero() && verb == number.Reserve {
			o.Until = w.At.Add(pool.Reservation)
		}
		out.Number, err = f.apply(n, chosen, o, pool, w.By, numberNote(w))
		return err
	})
	switch {
	case err == nil:
		f.look() // a timer may run
	case may != nil:
		err = f.unnamed(ctx, w, err)
	}
	return out, err
}

// numberNote is what the history says of a wish.
func numberNote(w NumberWish) string {
	note := w.Reason
	if w.Person == "" {
		who := strings.TrimSpace(w.For.Name + " " + w.For.Ref)
		note = strings.TrimSuffix("for "+who+": "+note, ": ")
	}
	return note
}

// numberRefs are the words by which a reservation may have been made for somebody before they were in the books: the ids that
// sources have of their employments. It also looks whether there is such a person, and finds the pool by rule.
func (f *Flow) numberRefs(ctx context.Context, w *NumberWish) ([]string, error) {
	if w.Person == "" {
		return []string{w.For.Ref}, nil
	}
	row, err := f.Person(ctx, w.Person)
	if err != nil {
		return nil, err
	}
	if row.Status == dayone.Left {
		return nil, fmt.Errorf("%s has left: %w", row.Name, dayone.ErrConflict)
	}
	t, err := f.Store.Timeline(ctx, w.Person)
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, e := range t.Employments {
		refs = append(refs, e.SourceID, offerRef(e.Source, e.SourceID))
	}
	if w.Pool != "" || w.Number != "" {
		return refs, nil
	}
	pool, unknown, err := f.poolOf(ctx, &t, w.At)
	switch {
	case err != nil:
		return nil, err
	case pool == "" && len(unknown) > 0:
		return nil, fmt.Errorf("it cannot be told whether pool %s is for %s, since something is not known of them; name the pool: %w", strings.Join(unknown, " or "), row.Name, dayone.ErrConflict)
	case pool == "":
		return nil, fmt.Errorf("no rule of numbers.yaml gives %s a number; name a pool: %w", row.Name, dayone.ErrConflict)
	}
	w.Pool = pool
	return refs, nil
}

// alike is how many numbers are looked at that end as is wished.
const alike = 50

// choose finds the number of a wish.
func choose(n *store.Numbers, plan *number.Plan, w NumberWish, refs []string) (dayone.Number, string, number.Pool, error) {
	if w.Number != "" {
		chosen, err := n.Number(w.Number)
		if err != nil {
			return chosen, "", number.Pool{}, fmt.Errorf("%s is in no pool of the books: %w", w.Number, dayone.ErrNotFound)
		}
		pool, err := poolNamed(plan, chosen.Pool)
		if err == nil && w.Pool != "" && w.Pool != chosen.Pool {
			err = fmt.Errorf("%s is in pool %s: %w", w.Number, chosen.Pool, dayone.ErrConflict)
		}
		if r, ok := pool.Range(chosen.Range); err == nil && ok && pool.Shut(r, w.At) != "" && chosen.Owner == "" {
			err = fmt.Errorf("%s is not given out: %s: %w", w.Number, pool.Shut(r, w.At), dayone.ErrConflict)
		}
		return chosen, "it was asked for", pool, err
	}
	pool, err := poolNamed(plan, w.Pool)
	if err != nil {
		return dayone.Number{}, "", pool, err
	}
	var found number.Found
	if w.Person != "" {
		own, before, err := n.Of(w.Person)
		if err != nil {
			return dayone.Number{}, "", pool, err
		}
		of := func(x dayone.Number) bool { return x.Pool != pool.Name }
		found.Own, found.Before = slices.DeleteFunc(own, of), slices.DeleteFunc(before, of)
	}
	var awaited []dayone.Number
	if slices.ContainsFunc(refs, func(r string) bool { return r != "" }) {
		if awaited, err = n.Awaited(pool.Name); err != nil {
			return dayone.Number{}, "", pool, err
		}
	}
	found.Kept = slices.DeleteFunc(awaited, func(x dayone.Number) bool {
		return x.For.Ref == "" || !slices.ContainsFunc(refs, func(r string) bool { return strings.EqualFold(r, x.For.Ref) })
	})
	if w.Like != "" {
		if found.Alike, err = n.Ending(pool.Name, w.Like, alike); err != nil {
			return dayone.Number{}, "", pool, err
		}
	}
	blocks := []string{""}
	for _, r := range pool.Ranges {
		blocks = append(blocks, r.First)
	}
	if found.Next, err = n.Next(pool.Name, blocks); err != nil {
		return dayone.Number{}, "", pool, err
	}
	chosen, why, err := number.Choose(number.Wish{Person: w.Person, Like: w.Like, Another: w.Another, At: w.At}, found, pool)
	return chosen, why, pool, err
}

func poolNamed(plan *number.Plan, name string) (number.Pool, error) {
	p, ok := plan.Pool(name)
	switch {
	case name == "":
		return number.Pool{}, fmt.Errorf("the number is in no pool; put its range into numbers.yaml: %w", dayone.ErrConflict)
	case !ok:
		return number.Pool{}, fmt.Errorf("numbers.yaml has no pool %q: %w", name, dayone.ErrNotFound)
	}
	return *p, nil
}

// apply judges an order and writes what became of the number: row, line of its history and record.
func (f *Flow) apply(n *store.Numbers, was dayone.Number, o number.Order, pool number.Pool, by, note string) (dayone.Number, error) {
	is, ev, err := number.Apply(was, o, pool)
	if err != nil || is == was {
		return was, err
	}
	ev.By, ev.Note = by, note
	if err := n.Put(is); err != nil {
		return was, err
	}
	rec := dayone.Record{At: o.At, Person: ev.Person, System: is.Platform, What: "number " + ev.What, By: by, Detail: &dayone.Detail{Note: strings.TrimSuffix(string(is.ID)+": "+note, ": ")}}
	events, records := []dayone.NumberEvent{ev}, []dayone.Record{rec}
	if o.Heir != "" { // it is told of both
		ev.What, ev.Person, ev.Note = "assigned", o.Heir, ""
		rec.What, rec.Person, rec.Detail = "number assigned", o.Heir, &dayone.Detail{Note: string(is.ID)}
		events, records = append(events, ev), append(records, rec)
	}
	return is, n.Tell(events, records...)
}

// NumberOrder is what somebody says about one number.
type NumberOrder struct {
	Verb   number.Verb // confirm, release, hold, retire
	Heir   dayone.PersonID
	By     string
	Reason string
}

// Say makes it an order of a word: confirm, release, hold or retire.
func (o *NumberOrder) Say(verb string) error {
	for _, v := range []number.Verb{number.Confirm, number.Release, number.Hold, number.Retire} {
		if string(v) == verb {
			o.Verb = v
			return nil
		}
	}
	return fmt.Errorf("%q is nothing that is done with a number; it is confirmed, released, held or retired: %w", verb, dayone.ErrInvalid)
}

// OrderNumber does what somebody says. ErrConflict: the number is in no state for that.
func (f *Flow) OrderNumber(ctx context.Context, id dayone.NumberID, o NumberOrder) (dayone.Number, error) {
	if !slices.Contains([]number.Verb{number.Confirm, number.Release, number.Hold, number.Retire}, o.Verb) {
		return dayone.Number{}, fmt.Errorf("%q is nothing that is done with a number: %w", o.Verb, dayone.ErrInvalid)
	}
	if o.Reason = strings.TrimSpace(o.Reason); len(o.Reason) > 1000 {
		return dayone.Number{}, fmt.Errorf("a reason has at most 1000 signs: %w", dayone.ErrInvalid)
	}
	if o.Heir != "" {
		row, err := f.Person(ctx, o.Heir)
		if err == nil && row.Status == dayone.Left {
			err = fmt.Errorf("%s has left, and inherits nothing: %w", row.Name, dayone.ErrConflict)
		}
		if err != nil {
			return dayone.Number{}, err
		}
	}
	if x, err := f.Store.ReadNumbers(ctx).Number(id); err != nil {
		return x, err
	} else if x.Owner != "" {
		if _, err := f.Person(ctx, x.Owner); err != nil && !errors.Is(err, dayone.ErrNotFound) {
			return x, err
		} else if err != nil && f.hidden(ctx, x.Owner) {
			return x, fmt.Errorf("only who may know what is confidential decides about %s: %w", id, dayone.ErrForbidden)
		}
	}
	var out dayone.Number
	err := f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		plan, _, err := f.numberBook(n)
		if err != nil {
			return err
		}
		x, err := n.Number(id)
		if err != nil {
			return err
		}
		shown, err := n.Shown(id)
		if err != nil {
			return err
		}
		out, err = f.apply(n, x, number.Order{Verb: o.Verb, At: f.Clock.Now(), For: dayone.NumberNote{Reason: o.Reason}, Heir: o.Heir, Shown: shown}, timersOf(plan, x.Pool), o.By, o.Reason)
		return err
	})
	if err == nil {
		f.look()
	}
	return out, err
}

// hidden says that somebody is there, and whoever asks may not know it.
func (f *Flow) hidden(ctx context.Context, id dayone.PersonID) bool {
	row, err := f.Store.Person(ctx, id)
	return err == nil && row.Veil == dayone.WholeVeiled && !mayKnow(ctx)
}

// timersOf are the rules of a pool, and the ordinary ones for numbers of none.
func timersOf(plan *number.Plan, name string) number.Pool {
	if p, ok := plan.Pool(name); ok {
		return *p
	}
	return number.Pool{Reservation: number.Reservation, Activation: number.Activation, Quarantine: number.Quarantine}
}

// ShowNumber says that a number rings somewhere besides at its owner's. Nobody takes it from there by taking it from its owner.
func (f *Flow) ShowNumber(ctx context.Context, a dayone.Appearance, by string) (dayone.Appearance, error) {
	a.Device, a.Since = strings.TrimSpace(a.Device), f.Clock.Now()
	switch {
	case !slices.Contains(dayone.NumberRoles, a.Role):
		return a, fmt.Errorf("%q is no way in which a line is shown; write one of %v: %w", a.Role, dayone.NumberRoles, dayone.ErrInvalid)
	case a.Person == "" && a.Device == "":
		return a, fmt.Errorf("say at whom or at which device it is shown: %w", dayone.ErrInvalid)
	case len(a.Device) > 128:
		return a, fmt.Errorf("a device's name has at most 128 signs: %w", dayone.ErrInvalid)
	}
	if a.Person != "" {
		if _, err := f.Person(ctx, a.Person); err != nil {
			return a, err
		}
	}
	return a, f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		x, err := n.Number(a.Number)
		if err != nil {
			return err
		}
		if a.Slot, err = n.Show(a); err != nil {
			return err
		}
		return f.tellShown(n, x, "shown", a, by)
	})
}

// HideNumber says that it does not any more.
func (f *Flow) HideNumber(ctx context.Context, id dayone.NumberID, slot int, by string) error {
	err := f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
		x, err := n.Number(id)
		if err != nil {
			return err
		}
		shown, err := n.Shown(id)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(shown, func(a dayone.Appearance) bool { return a.Slot == slot })
		if i < 0 {
			return fmt.Errorf("%s is not shown at place %d: %w", id, slot, dayone.ErrNotFound)
		}
		if err := n.Hide(id, slot); err != nil {
			return err
		}
		return f.tellShown(n, x, "hidden", shown[i], by)
	})
	if err == nil {
		f.look()
	}
	return err
}

func (f *Flow) tellShown(n *store.Numbers, x dayone.Number, what string, a dayone.Appearance, by string) error {
	note := strings.TrimSpace(string(a.Role) + " " + a.Device)
	ev := dayone.NumberEvent{Number: x.ID, At: f.Clock.Now(), What: what, From: x.State, To: x.State, Person: a.Person, By: by, Note: note}
	return n.Tell([]dayone.NumberEvent{ev}, dayone.Record{At: ev.At, Person: a.Person, System: x.Platform, What: "number " + what, By: by, Detail: &dayone.Detail{Note: string(x.ID) + ": " + note}})
}

const (
	lapsedPage  = 500
	restAgain   = 24 * time.Hour // when a number is looked at again that rests on
	keptByShown = "others show it"
	keptByLaw   = "a legal hold on who had it"
)

// freeNumbers ends what timers kept: reservations that nobody used, and rests that are over. A number rests on while others
// show it, or while its last owner is under a legal hold.
func (f *Flow) freeNumbers(ctx context.Context) error {
	for {
		now, many := f.Clock.Now(), 0
		err := f.Store.ChangeNumbers(ctx, func(n *store.Numbers) error {
			plan, _, err := f.numberBook(n)
			if err != nil {
				return err
			}
			list, err := n.Lapsed(now, lapsedPage)
			if err != nil {
				return err
			}
			many = len(list)
			for _, x := range list {
				kept, err := f.keptResting(n, x)
				if err != nil {
					return err
				}
				if kept != "" {
					x.Until = now.Add(restAgain)
					err = n.Put(x)
				} else {
					_, err = f.apply(n, x, number.Order{Verb: number.Lapse, At: now}, timersOf(plan, x.Pool), "", "")
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || many < lapsedPage {
			return err
		}
	}
}

// keptResting says why a number rests on; "": nothing keeps it.
func (f *Flow) keptResting(n *store.Numbers, x dayone.Number) (string, error) {
	if x.State != dayone.NumberQuarantine {
		return "", nil
	}
	shown, err := n.Shown(x.ID)
	if err != nil || len(shown) > 0 {
		return keptByShown, err
	}
	held, err := n.Held(x.Last)
	if err != nil || !held {
		return "", err
	}
	return keptByLaw, nil
}

// poolOf is the pool that rules name for somebody at an instant; unknown are pools of which it cannot be told.
func (f *Flow) poolOf(ctx context.Context, t *dayone.Timeline, at time.Time) (pool string, unknown []string, err error) {
	plan, _, err := f.numberBook(f.Store.ReadNumbers(ctx))
	if err != nil {
		return "", nil, err
	}
	rules, err := f.numberRules(plan)
	if err != nil {
		return "", nil, err
	}
	p := people.At(t, at, f.Clock.Now(), f.Active())
	for i := range plan.Pools {
		x := &plan.Pools[i]
		switch truth := rules.of(x, &p, at); {
		case truth == policy.Yes && len(unknown) == 0:
			return x.Name, nil, nil
		case truth != policy.No:
			unknown = append(unknown, x.Name)
		}
	}
	return "", unknown, nil
}

// poolRules are the conditions of pools, compiled for the policies that count.
type poolRules map[string]policy.Question

func (r poolRules) of(x *number.Pool, p *dayone.Person, at time.Time) policy.Truth {
	if q, ok := r[x.Name]; ok {
		return q.Of(p, at)
	}
	if p.Site.Numbers == x.Name {
		return policy.Yes
	}
	return policy.No
}

func (f *Flow) numberRules(plan *number.Plan) (poolRules, error) {
	set := f.Active()
	f.numbers.mu.Lock()
	defer f.numbers.mu.Unlock()
	if f.numbers.plan == plan && f.numbers.set == set && f.numbers.rules != nil {
		return f.numbers.rules, nil
	}
	out := poolRules{}
	for _, p := range plan.Pools {
		if p.When == "" {
			continue
		}
		q, err := set.Question(p.When)
		if err != nil { // people.yaml changed since the plan was kept
			return nil, fmt.Errorf("the rule of pool %s does not read: %w", p.Name, err)
		}
		out[p.Name] = q
	}
	if f.numbers.plan == plan {
		f.numbers.set, f.numbers.rules = set, out
	}
	return out, nil
}

// NumberID finds a number by what somebody typed: an id, or a number as people write it.
func (f *Flow) NumberID(ctx context.Context, text string) (dayone.NumberID, error) {
	text = strings.TrimSpace(text)
	n := f.Store.ReadNumbers(ctx)
	x, err := n.Number(dayone.NumberID(text))
	if err == nil || !errors.Is(err, dayone.ErrNotFound) {
		return x.ID, err
	}
	country := cmp.Or(f.Active().Sites[""].Country, "")
	if e, bad := number.Parse(text, country); bad == nil {
		if x, err = n.Number(dayone.NumberID(e)); err == nil {
			return x.ID, nil
		}
		text = e
	}
	if !errors.Is(err, dayone.ErrNotFound) {
		return "", err
	}
	if text != "" && strings.Trim(text, "0123456789") == "" && len(text) <= 15 { // an extension, if there is one of that name
		list, err := n.Patterned(text)
		switch {
		case err != nil:
			return "", err
		case len(list) == 1:
			return list[0].ID, nil
		case len(list) > 1:
			return "", fmt.Errorf("%s may be %s or %s; write one of them: %w", text, list[0].ID, list[1].ID, dayone.ErrConflict)
		}
	}
	return "", fmt.Errorf("number %q is not in the books: %w", text, dayone.ErrNotFound)
}
