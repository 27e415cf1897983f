package flow

import (
	"context"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A look is a person with what the books say of her: what policies want, and what would be done about it.

// Look is a person as she stands now, with what she is to have, what she has, and the plan between the two.
type Look struct {
	Person dayone.Person
	Want   dayone.Want
	Have   []dayone.Holding
	Plan   dayone.Plan
	Holds  []dayone.Hold // what policies leave alone
	Legal  bool          // a legal hold stands: nothing is deleted

	Requests []dayone.Request                // that stand
	asked    map[dayone.Key][]dayone.Request // by what they are for

	stage int64 // of the policies that decided
	ends  *retiring
	told  dayone.Told
	began time.Time              // holds that had ended by then were seen to
	seen  map[dayone.StepID]bool // what the run under way had done before the look
	fell  []dayone.Key           // went with their account, which the books do not know yet
	quiet bool                   // nobody is told now of what changed: it is told once the person is planned again
	laid  laid

	answers answers
}

// Preview decides and plans for a person, and does nothing.
func (f *Flow) Preview(ctx context.Context, id dayone.PersonID) (Look, error) {
	return f.preview(ctx, id, false)
}

// preview is Preview; unbraked, as if no brake held anything.
func (f *Flow) preview(ctx context.Context, id dayone.PersonID, unbraked bool) (Look, error) {
	stage := f.force.Load().seq
	b, err := f.booksOf(ctx, id)
	if err != nil {
		return Look{}, err
	}
	if unbraked {
		b.holds = slices.DeleteFunc(b.holds, func(h dayone.Hold) bool { return h.Brake != "" })
	}
	l, err := f.lookAt(b)
	l.stage = stage
	return l, err
}

// books are what a look at somebody goes by, and when they were opened.
type books struct {
	at       time.Time
	line     dayone.Timeline
	have     []dayone.Holding
	holds    []dayone.Hold
	legal    bool // a legal hold stands
	requests []dayone.Request
	answers  answers
	unsaid   []dayone.Occasion
	offers   map[dayone.Key]dayone.Offer
}

func (f *Flow) booksOf(ctx context.Context, id dayone.PersonID) (b books, err error) {
	if b.line, err = f.Store.Timeline(ctx, id); err != nil {
		return b, err
	}
	b.at = f.Clock.Now()
	if b.have, err = f.Store.Holdings(ctx, id, true); err != nil {
		return b, err
	}
	if b.unsaid, err = f.unsaid(ctx, id); err != nil {
		return b, err
	}
	if b.requests, err = f.Store.Requests(ctx, id, true); err != nil {
		return b, err
	}
	if b.answers, err = f.Store.Approvals(ctx, store.ApprovalFilter{Person: id, Live: true}); err != nil {
		return b, err
	}
	err = f.standing(ctx, id, &b)
	return b, err
}

// standing adds what systems offer, and the holds of a person.
func (f *Flow) standing(ctx context.Context, id dayone.PersonID, b *books) (err error) {
	if b.offers, err = f.Store.Catalogue(ctx, ""); err != nil {
		return err
	}
	if b.holds, err = f.Store.Holds(ctx, HoldFilter{Person: id}); err != nil {
		return err
	}
	b.legal, err = f.Store.UnderLegalHold(ctx, id)
	return err
}

// lookAt is what the books say of somebody.
func (f *Flow) lookAt(b books) (Look, error) {
	set, t, now := f.Active(), &b.line, b.at
	p := people.At(t, now, now, set)
	fallen := fell(f.ActiveFor(p).Systems, b.have)
	l, err := f.decide(p, b, f.tellOf(b.unsaid, t, p))
	next := people.Next(t, now, set)
	l.fell, l.told, l.laid = fallen, t.Told, laid{set, turnsBy(t, now, next)}
	if !next.IsZero() && (l.Want.Next.IsZero() || next.Before(l.Want.Next)) {
		l.Want.Next = next
	}
	return l, err
}

// decide is pure: a person and what the books say of her in, want and plan out.
func (f *Flow) decide(p dayone.Person, b books, tell []dayone.Occasion) (Look, error) {
	set := f.ActiveFor(p)
	l := Look{Person: p, Have: b.have, Holds: b.holds, Legal: b.legal, Requests: b.requests, answers: b.answers, asked: set.Asked(b.requests)}
	held := heldOf(b.have)
	l.Want = set.Want(p, policy.Context{Now: p.At, Held: held, Requested: l.asked, Approved: agreed(p.ID, set, held, l.asked, b.answers)})
	l.ends = f.retires()
	withoutRetired(&l, *l.ends, f.systemTitle)
	var err error
	l.Plan, err = planner.Make(f.inputOf(l, set, b.offers, tell))
	for _, later := range l.Plan.Later {
		if l.Want.Next.IsZero() || later.From.Before(l.Want.Next) {
			l.Want.Next = later.From
		}
	}
	for _, h := range l.Holds {
		if h.Until.After(p.At) && (l.Want.Next.IsZero() || h.Until.Before(l.Want.Next)) {
			l.Want.Next = h.Until
		}
	}
	return l, err
}

// inputOf is what a plan is made of.
func (f *Flow) inputOf(l Look, set *policy.Set, offers map[dayone.Key]dayone.Offer, tell []dayone.Occasion) planner.Input {
	p := l.Person
	var there map[dayone.Key]dayone.Holding
	if len(l.Want.Pending) > 0 {
		there = heldOf(l.Have)
	}
	return planner.Input{
		Person: p.ID, At: p.At, Subject: subjectOf(p), Recorded: p.Recorded, Want: l.Want, Have: l.Have, Holds: l.Holds, Systems: set.Systems, Offers: offers,
		Leaves:  p.Status == dayone.Left,
		AtOnce:  p.Stopped,
		Heir:    heirOf(p),
		Legal:   l.Legal,
		Mapped:  func(g dayone.Grant) dayone.Grant { return set.Mapped(p, p.At, g) },
		Deliver: func(n dayone.Notice) []dayone.Notice { return f.deliver(p, n) },
		Refused: func(g dayone.Grant) string { return refusal(l.answers.of(p.ID, g.Key, g.Role)) },
		Spent:   func(g dayone.Grant) bool { return spent(g, there[g.Key]) },
		Tell:    tell, Risk: risk(p),
	}
}

// subjectOf is how systems may recognise a person.
func subjectOf(p dayone.Person) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"employee_number", "email"} {
		if v := p.Attrs.Text(name); v != "" {
			out[name] = v
		}
	}
	return out
}
