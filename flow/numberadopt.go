package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number/platform"
	"github.com/dayone-hq/dayone/store"
)

// Adopting takes over into the books whose numbers a telephone system says they are, where else they ring, and what nobody is
// to have. The system itself is not called for it. Some hundred numbers are written at a time; whoever was interrupted adopts
// again, and what the books have by then is left alone.

// adoptedAtOnce is how many numbers are written in one transaction.
const adoptedAtOnce = 200

// adoptedShown is how many lines of an adoption are told one by one.
const adoptedShown = 1000

// PlatformAdoption is what adopting does, or did.
type PlatformAdoption struct {
	System   string
	Read     time.Time // when the system was read
	Assigned int       // numbers that become somebody's, or are confirmed as theirs
	Held     int       // numbers that nobody is to have
	Shown    int       // places where they ring, too
	Same     int       // of which the books say so already
	Left     int       // that are left as they are
	Lines    []AdoptedNumber
	More     int // lines that are not told
}

// AdoptedNumber is what becomes of one number, or why nothing does.
type AdoptedNumber struct {
	Number     dayone.NumberID
	Line       string
	Person     dayone.PersonID
	Name       string
	Does       string // assigned, confirmed, held, shown, left
	Confidence string
	Why        string
}

// AdoptPlatform takes over what a telephone system showed when it was read last, of all that is at least so sure. dry: it only
// says what it would do. ErrConflict: it was not read, or too long ago.
func (f *Flow) AdoptPlatform(ctx context.Context, name, least, by string, dry bool) (PlatformAdoption, error) {
	out := PlatformAdoption{System: name}
	if err := f.phoneSystem(name); err != nil {
		return out, err
	}
	sure, err := platform.ConfidenceOf(cmp.Or(least, platform.Likely.String()))
	if err != nil {
		return out, err
	}
	f.phones.mu.Lock()
	p := f.phones.at(name)
	report, read, hidden, reading, behind := p.report, p.of, p.hidden, p.reading || p.asked, p.behind
	f.phones.mu.Unlock()
	now := f.Clock.Now()
	switch {
	case reading:
		return out, fmt.Errorf("%s is being read and compared; adopt it after that: %w", name, dayone.ErrConflict)
	case behind: // the report is of a reading before: its date is not that of what is known
		return out, fmt.Errorf("%s was read, and that is not compared with the books; read it again before it is adopted: %w", name, dayone.ErrConflict)
	case report == nil:
		return out, fmt.Errorf("nothing of %s is known; read it first: %w", name, dayone.ErrConflict)
	case now.Sub(read) > adoptWithin:
		return out, fmt.Errorf("%s was read on %s; read it again before it is adopted: %w", name, read.Format(time.DateTime), dayone.ErrConflict)
	}
	out.Read = read
	a := adopting{f: f, out: &out, by: by, at: now, seen: read, sure: sure, names: map[dayone.PersonID]string{}}
	for some := range slices.Chunk(takesFor(ctx, report, hidden), adoptedAtOnce) {
		if err := a.some(ctx, some, dry); err != nil {
			return out, err
		}
	}
	if dry || out.Assigned+out.Held+out.Shown == 0 {
		return out, nil
	}
	f.phones.mu.Lock()
	p.anew = true
	f.phones.mu.Unlock()
	f.look() // it is compared again, and timers may run
	note := fmt.Sprintf("as read at %s: %d assigned or confirmed, %d held, %d places, %d left", read.UTC().Format(time.RFC3339), out.Assigned, out.Held, out.Shown, out.Left)
	return out, f.Store.Record(ctx, dayone.Record{At: now, What: "telephone system adopted", System: name, By: by, Detail: &dayone.Detail{Note: note}})
}

// adopting is an adoption under way.
type adopting struct {
	f        *Flow
	out      *PlatformAdoption
	by       string
	at, seen time.Time
	sure     platform.Confidence
	names    map[dayone.PersonID]string
}

// some takes over some numbers, in one transaction. It may run twice.
func (a *adopting) some(ctx context.Context, takes []platform.Take, dry bool) error {
	for _, t := range takes {
		if _, _, err := a.f.whoHas(ctx, t.Owner, a.names); err != nil {
			return err
		}
	}
	var after PlatformAdoption
	decide := func(n *store.Numbers) error {
		after = *a.out
		after.Lines = slices.Clip(after.Lines)
		return a.decide(n, takes, dry, &after)
	}
	var err error
	if dry {
		err = decide(a.f.Store.ReadNumbers(ctx))
	} else {
		err = a.f.Store.ChangeNumbers(ctx, decide)
	}
	if err == nil {
		*a.out = after
	}
	return err
}

func (a *adopting) decide(n *store.Numbers, takes []platform.Take, dry bool, out *PlatformAdoption) error {
	plan, _, err := a.f.numberBook(n)
	if err != nil {
		return err
	}
	ids := make([]dayone.NumberID, len(takes))
	var who []dayone.PersonID
	for i, t := range takes {
		ids[i], who = t.Number, append(who, t.Owner)
		for _, s := range t.Shown {
			who = append(who, s.Person)
		}
	}
	known, err := n.Known(ids)
	if err != nil {
		return err
	}
	here, err := n.Here(who)
	if err != nil {
		return err
	}
	var put []dayone.Number
	var events []dayone.NumberEvent
	var records []dayone.Record
	for _, t := range takes {
		line := AdoptedNumber{Number: t.Number, Line: t.Line, Person: t.Owner, Name: a.names[t.Owner], Confidence: t.Confidence.String(), Why: cmp.Or(t.Hold, t.Why)}
		was, ok := known[t.Number]
		var is dayone.Number
		var changed bool
		switch {
		case !ok:
			err = fmt.Errorf("%s is not in the books any more: %w", t.Number, dayone.ErrConflict)
		case t.Owner != "" && !here[t.Owner]:
			err = fmt.Errorf("its owner is in no books any more: %w", dayone.ErrConflict)
		case t.Confidence < a.sure:
			err = fmt.Errorf("it is not sure enough whose it is (%s): %w", t.Confidence.String()+": "+t.Why, dayone.ErrConflict)
		default:
			is, changed, err = t.Taken(was, timersOf(plan, was.Pool), a.seen, a.at)
		}
		if err != nil {
			line.Does, line.Why = "left", Problem(err)
			out.Left++
			out.tell(line)
			continue
		}
		known[t.Number] = is
		var shown []dayone.Appearance
		if t.Owner != "" {
			if shown, err = a.places(n, t, here, dry); err != nil {
				return err
			}
		}
		line.Does = out.count(was, is, changed, len(shown))
		if line.Does == "" {
			continue
		}
		out.tell(line)
		if changed {
			put = append(put, is)
			events = append(events, dayone.NumberEvent{Number: is.ID, At: a.at, What: "adopted", From: was.State, To: is.State, Person: is.Owner, By: a.by, Note: "from " + out.System + ": " + cmp.Or(t.Hold, t.Confidence.String()+", "+t.Why)})
			if is.Owner != "" {
				records = append(records, dayone.Record{At: a.at, Person: is.Owner, System: is.Platform, What: "number adopted", By: a.by, Detail: &dayone.Detail{Note: string(is.ID) + ": " + t.Confidence.String() + ", " + t.Why}})
			}
		}
		for _, s := range shown {
			events = append(events, dayone.NumberEvent{Number: is.ID, At: a.at, What: "shown", From: is.State, To: is.State, Person: s.Person, By: a.by, Note: string(s.Role) + " " + s.Device})
		}
	}
	if dry || len(put)+len(events) == 0 {
		return nil
	}
	if err := n.Put(put...); err != nil {
		return err
	}
	return n.Tell(events, records...)
}

// places are where a number rings besides at its owner's, as far as the books do not have them; they have them after it, unless
// it only says so.
func (a *adopting) places(n *store.Numbers, t platform.Take, here map[dayone.PersonID]bool, dry bool) ([]dayone.Appearance, error) {
	if len(t.Shown) == 0 {
		return nil, nil
	}
	has, err := n.Shown(t.Number)
	if err != nil {
		return nil, err
	}
	fresh := slices.DeleteFunc(t.Unshown(has), func(s dayone.Appearance) bool { return s.Person != "" && !here[s.Person] })
	for i := range fresh {
		fresh[i].Since = a.at
		if dry {
			continue
		}
		if fresh[i].Slot, err = n.Show(fresh[i]); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// count counts what becomes of a number, and says it in a word; "": nothing.
func (p *PlatformAdoption) count(was, is dayone.Number, changed bool, shown int) string {
	p.Shown += shown
	switch {
	case changed && is.State == dayone.NumberOnHold:
		p.Held++
		return "held"
	case changed && was.State == dayone.NumberAssigned:
		p.Assigned++
		return "confirmed"
	case changed:
		p.Assigned++
		return "assigned"
	case shown > 0:
		return "shown"
	}
	p.Same++
	return ""
}

func (p *PlatformAdoption) tell(line AdoptedNumber) {
	if len(p.Lines) == adoptedShown {
		p.More++
		return
	}
	p.Lines = append(p.Lines, line)
}
