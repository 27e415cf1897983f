package number

import (
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// Verb is what somebody, or a timer, does with a number.
type Verb string

const (
	Reserve Verb = "reserve"
	Assign  Verb = "assign"
	Confirm Verb = "confirm" // its platform shows it
	Release Verb = "release"
	Hold    Verb = "hold"
	Retire  Verb = "retire"
	Lapse   Verb = "lapse" // a timer is over
)

// Verbs are those that somebody can say.
var Verbs = []Verb{Reserve, Assign, Confirm, Release, Hold, Retire}

// Order is a verb with all that it is judged by.
type Order struct {
	Verb   Verb
	At     time.Time
	Person dayone.PersonID   // for whom
	For    dayone.NumberNote // for whom, who is nobody in the books yet; why it is held
	Until  time.Time         // a reservation is kept until then; zero: as long as the pool says
	Heir   dayone.PersonID   // who has it from now on, where others show it, too
	Shown  []dayone.Appearance
	Kept   string // why a timer leaves it alone; "": it does not
}

// Apply is what becomes of a number, and the line of its history. It is pure; a refusal says what to do.
func Apply(n dayone.Number, o Order, p Pool) (dayone.Number, dayone.NumberEvent, error) {
	ev := dayone.NumberEvent{Number: n.ID, At: o.At, From: n.State, Person: o.Person}
	var err error
	switch o.Verb {
	case Reserve:
		ev.What, err = "reserved", reserve(&n, o, p)
	case Assign:
		ev.What, err = "assigned", assign(&n, o, p)
	case Confirm:
		ev.What, ev.Person, err = "confirmed", n.Owner, confirm(&n, o, p)
	case Release:
		ev.Person = n.Owner
		ev.What, err = release(&n, o, p)
	case Hold:
		ev.What, err = "held", hold(&n, o)
	case Retire:
		ev.What, err = "retired", retire(&n)
	case Lapse:
		ev.Person = n.Owner
		ev.What, err = "free again", lapse(&n, o, p)
	default:
		err = fmt.Errorf("%q is nothing that is done with a number: %w", o.Verb, dayone.ErrInvalid)
	}
	if n.State != ev.From {
		n.Since = o.At
	}
	ev.To = n.State
	return n, ev, err
}

// refused says that a number is in no state for a verb.
func refused(n dayone.Number, format string, args ...any) error {
	return fmt.Errorf("%s is %s: %s: %w", n.ID, n.State, fmt.Sprintf(format, args...), dayone.ErrConflict)
}

// hers says that a number is kept or rests for whoever an order is about.
func hers(n dayone.Number, o Order) bool {
	switch n.State {
	case dayone.NumberReserved:
		return n.Owner == o.Person && o.Person != "" || n.Owner == "" && n.For.Ref != "" && n.For.Ref == o.For.Ref
	case dayone.NumberQuarantine:
		return o.Person != "" && n.Last == o.Person
	}
	return false
}

func reserve(n *dayone.Number, o Order, p Pool) error {
	if o.Person == "" && o.For.Name == "" && o.For.Ref == "" {
		return fmt.Errorf("say for whom %s is reserved: %w", n.ID, dayone.ErrInvalid)
	}
	if n.State != dayone.NumberFree && !hers(*n, o) {
		return refused(*n, "only one that is available is reserved")
	}
	n.State, n.Owner, n.Until = dayone.NumberReserved, o.Person, o.Until
	if n.Until.IsZero() {
		n.Until = o.At.Add(p.Reservation)
	}
	if !n.Until.After(o.At) {
		return fmt.Errorf("a reservation until %s would be over already: %w", n.Until.Format(time.DateOnly), dayone.ErrInvalid)
	}
	n.For = dayone.NumberNote{}
	if o.Person == "" {
		n.For = dayone.NumberNote{Name: o.For.Name, Ref: o.For.Ref}
	}
	return nil
}

func assign(n *dayone.Number, o Order, p Pool) error {
	switch {
	case o.Person == "":
		return fmt.Errorf("say to whom %s is assigned: %w", n.ID, dayone.ErrInvalid)
	case n.State == dayone.NumberAssigned && n.Owner == o.Person:
		return nil
	case n.State == dayone.NumberReserved && n.Owner == "" && n.For.Ref == "": // for a name: somebody who knows says that it is she
	case n.State != dayone.NumberFree && !hers(*n, o):
		return refused(*n, "only one that is available, or reserved for them, is assigned")
	}
	n.State, n.Owner, n.For, n.Confirmed, n.Until = dayone.NumberAssigned, o.Person, dayone.NumberNote{}, time.Time{}, o.At.Add(p.Activation)
	return nil
}

// confirm says that the platform shows it. No number goes into use from which nobody would be found in an emergency.
func confirm(n *dayone.Number, o Order, p Pool) error {
	if n.State != dayone.NumberAssigned {
		return refused(*n, "only one that is assigned is confirmed")
	}
	if p.Location(n.Range) == "" {
		return fmt.Errorf("%s has no emergency location: put it into a pool of numbers.yaml: %w", n.ID, dayone.ErrConflict)
	}
	n.Confirmed, n.Until = o.At, time.Time{}
	return nil
}

// release takes a number back. Where others show the line, too, it is theirs to go on with: an heir is named, or nothing is done.
func release(n *dayone.Number, o Order, p Pool) (string, error) {
	switch n.State {
	case dayone.NumberReserved:
		n.State, n.Owner, n.Until, n.For = restingOrFree(*n, o.At, p), "", restsUntil(*n, o.At, p), dayone.NumberNote{}
		return "released", nil
	case dayone.NumberAssigned:
		others := slices.DeleteFunc(slices.Clone(o.Shown), func(a dayone.Appearance) bool { return a.Person == n.Owner })
		switch {
		case o.Heir != "" && o.Heir == n.Owner:
			return "released", fmt.Errorf("%s is theirs already: %w", n.ID, dayone.ErrInvalid)
		case o.Heir != "":
			n.Last, n.Owner = n.Owner, o.Heir
			n.Confirmed, n.Until = time.Time{}, o.At.Add(p.Activation)
			return "inherited", nil
		case len(others) > 0:
			return "released", refused(*n, "others show it, too (%s); name an heir, or take it from there first", shownAt(others))
		}
		n.Last, n.Owner, n.Used, n.Confirmed = n.Owner, "", o.At, time.Time{}
		n.State, n.Until = restingOrFree(*n, o.At, p), restsUntil(*n, o.At, p)
		return "released", nil
	case dayone.NumberOnHold, dayone.NumberExternal, dayone.NumberRetired:
		n.State, n.Until, n.For = restingOrFree(*n, o.At, p), restsUntil(*n, o.At, p), dayone.NumberNote{}
		return "released", nil
	}
	return "released", refused(*n, "there is nobody to take it from")
}

func shownAt(list []dayone.Appearance) string {
	out := ""
	for i, a := range list {
		if i == 3 {
			return out + fmt.Sprintf(" and %d more", len(list)-i)
		}
		if i > 0 {
			out += ", "
		}
		out += string(a.Role)
	}
	return out
}

// restsUntil is when a number that somebody had may be had by others; zero: now.
func restsUntil(n dayone.Number, at time.Time, p Pool) time.Time {
	if until := n.Used.Add(p.Quarantine); !n.Used.IsZero() && until.After(at) {
		return until
	}
	return time.Time{}
}

func restingOrFree(n dayone.Number, at time.Time, p Pool) dayone.NumberState {
	if restsUntil(n, at, p).IsZero() {
		return dayone.NumberFree
	}
	return dayone.NumberQuarantine
}

func hold(n *dayone.Number, o Order) error {
	if n.State != dayone.NumberFree && n.State != dayone.NumberQuarantine && n.State != dayone.NumberOnHold {
		return refused(*n, "release it before it is held")
	}
	if o.For.Reason == "" {
		return fmt.Errorf("say why %s is held: %w", n.ID, dayone.ErrInvalid)
	}
	n.State, n.Until, n.For = dayone.NumberOnHold, time.Time{}, dayone.NumberNote{Reason: o.For.Reason}
	return nil
}

func retire(n *dayone.Number) error {
	if n.State == dayone.NumberAssigned || n.State == dayone.NumberReserved {
		return refused(*n, "release it before it is retired")
	}
	n.State, n.Until, n.For = dayone.NumberRetired, time.Time{}, dayone.NumberNote{}
	return nil
}

// lapse is a timer's end: what rested is available again, and what was kept for somebody is, or goes on resting.
func lapse(n *dayone.Number, o Order, p Pool) error {
	switch {
	case n.State != dayone.NumberReserved && n.State != dayone.NumberQuarantine:
		return refused(*n, "it has no timer")
	case n.Until.After(o.At):
		return refused(*n, "its time is not over")
	case n.State == dayone.NumberQuarantine && o.Kept != "":
		return refused(*n, "it rests on: %s", o.Kept)
	case n.State == dayone.NumberQuarantine:
		n.State, n.Until = dayone.NumberFree, time.Time{}
	default:
		n.State, n.Owner, n.Until, n.For = restingOrFree(*n, o.At, p), "", restsUntil(*n, o.At, p), dayone.NumberNote{}
	}
	return nil
}
