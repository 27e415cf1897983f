package flow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/planner"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// What a person has beside what she is to have, and why.

// Access is one line of what a person has, is to have, or is losing.
type Access struct {
	Key     dayone.Key
	Title   string // of the system
	Kind    string // title of the kind
	Role    string
	State   AccessState
	Note    string // what it waits for
	Since   time.Time
	From    time.Time // later: when it begins
	Until   time.Time
	Reasons []Reason
	Holding *dayone.Holding // nil: not there yet
	Implied bool            // brought along by another grant
	Closed  bool            // nobody gets in by it: the account is closed, or the one that it is part of
	Wanted  bool            // policies give it, now or later, or would once somebody agrees
	Hold    bool            // a hold says how it stands
}

// HeldBack says that policies would give it, and that a hold keeps it away. This is what an undo has taken, wherever it is counted.
func (a Access) HeldBack() bool { return a.Wanted && a.Hold && (a.Holding == nil || a.Closed) }

// Reason is why, with the policy's title.
type Reason struct {
	dayone.Reason
	Title string
}

// AccessState is how an access stands against what is wanted.
type AccessState string

const (
	AsWanted   AccessState = "as wanted"
	WaitsLogin AccessState = "waiting"         // there, but somebody must act
	ToCome     AccessState = "to come"         // wanted, not there
	ToChange   AccessState = "to change"       // there, but otherwise
	ToGo       AccessState = "to go"           // there, not wanted any more
	Kept       AccessState = "kept"            // a condition is unknown: it stays
	NotOurs    AccessState = "not from policy" // it was there before us
	Observed   AccessState = "observed"        // others decide about it
	Planned    AccessState = "later"
	Asks       AccessState = "needs approval"
	Held       AccessState = "held"        // somebody took it back: it is neither given nor taken for a while
	StaysOpen  AccessState = "stays open"  // there, not wanted any more, and no plan takes it
	NotPlanned AccessState = "not planned" // a policy has a word on it, but nothing is planned for this person
)

// AccessClosed is the note of an account that is closed for good, as it is wanted.
const AccessClosed = "closed"

// Access lays want and holdings side by side. ErrInvalid: no plan can be made; what is wanted and what is there come all
// the same.
func (f *Flow) Access(ctx context.Context, id dayone.PersonID) (Look, []Access, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return Look{}, nil, err
	}
	l, err := f.Preview(ctx, id)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return l, nil, err
	}
	if !l.Person.Managed {
		err = nil // nobody tries to plan
	}
	list, failed := f.accessOf(ctx, l, err == nil)
	if failed != nil {
		return l, nil, failed
	}
	return l, list, err
}

// accessOf lays side by side what somebody was found to have and to be given.
func (f *Flow) accessOf(ctx context.Context, l Look, plans bool) ([]Access, error) {
	set := f.Active()
	var out []Access
	seen := map[dayone.Key]bool{}
	titles := map[string]string{}
	for _, p := range set.Policies {
		titles[p.ID] = p.Title
	}
	line := func(k dayone.Key, because []dayone.Reason) Access {
		seen[k] = true
		sys := set.Systems[k.System]
		a := Access{Key: k, Title: cmp.Or(sys.Title, k.System), Kind: cmp.Or(sys.Kinds[k.Kind].Title, k.Kind)}
		for _, r := range because {
			a.Reasons = append(a.Reasons, Reason{r, cmp.Or(titles[r.Policy], r.Policy)})
		}
		return a
	}
	held := map[dayone.Key]*dayone.Holding{}
	for i := range l.Have {
		if l.Have[i].State != dayone.Gone {
			held[l.Have[i].Key] = &l.Have[i]
		}
	}
	for _, g := range l.Want.Grants {
		a := line(g.Key, g.Because)
		a.Wanted, a.Role, a.Until, a.Holding = true, g.Role, g.Until, held[g.Key]
		switch h := a.Holding; {
		case h == nil:
			a.State = ToCome
		case h.State == dayone.Pending:
			a.State, a.Since, a.Note = WaitsLogin, h.Since, "waiting for first login"
		case h.Role != g.Role, g.Key.IsAccount() && !set.Systems[g.Key.System].Meets(h.State, g.State):
			a.State, a.Since = ToChange, h.Since
		default:
			a.State, a.Since = AsWanted, h.Since
		}
		out = append(out, a)
	}
	for _, g := range l.Want.Pending {
		if !seen[g.Key] {
			a := line(g.Key, g.Because)
			a.State, a.Wanted = Asks, true
			out = append(out, a)
		}
	}
	for _, g := range l.Want.Later {
		if !seen[g.Key] {
			a := line(g.Key, g.Because)
			a.State, a.Wanted, a.From = Planned, true, g.From
			out = append(out, a)
		}
	}
	losing := map[dayone.Key]bool{}
	for _, s := range l.Plan.Steps {
		losing[s.Key] = losing[s.Key] || s.Action.Takes()
	}
	for k, h := range held {
		if seen[k] || k.Kind == "message" || k.Kind == "invitation" {
			continue
		}
		a := line(k, h.Because)
		a.Role, a.Since, a.Holding = h.Role, h.Since, h
		switch {
		case losing[k]:
			a.State = ToGo
		case slices.Contains(l.Want.Keep, k):
			a.State = Kept
		case !k.IsAccount() && set.Systems[k.System].Authority(k) == dayone.Observe:
			a.State = Observed
		case len(h.Because) > 0 && h.Because[0].Policy == dayone.Baseline:
			a.State = NotOurs
		case h.State == dayone.Disabled:
			a.State, a.Note = AsWanted, AccessClosed
		default:
			a.State, a.Implied = AsWanted, true
		}
		out = append(out, a)
	}
	if !plans || !l.Person.Managed {
		idle(out)
	}
	f.unclosed(out, l)
	goes, err := f.takenNow(ctx, l)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if h, is := holdOf(l.Holds, out[i].Key, l.Person.Status); is && goes[out[i].Key] {
			out[i].State, out[i].Note = ToGo, ""
		} else if is {
			out[i].State, out[i].Hold, out[i].Note = Held, true, "until "+h.Until.UTC().Format("2 Jan 2006")
		}
	}
	closed(out)
	slices.SortFunc(out, func(a, b Access) int {
		switch {
		case a.Key.Less(b.Key):
			return -1
		case b.Key.Less(a.Key):
			return 1
		}
		return 0
	})
	return out, nil
}

// takenNow are the things that an undo under way has still to take: their hold keeps policies away from them, and keeps none of them.
func (f *Flow) takenNow(ctx context.Context, l Look) (map[dayone.Key]bool, error) {
	if len(l.Holds) == 0 {
		return nil, nil
	}
	id, err := f.Store.ActiveRun(ctx, l.Person.ID)
	if errors.Is(err, dayone.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := f.Store.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	out := map[dayone.Key]bool{}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Step.Undoes != "" && s.Step.Action.Takes() && !s.State.Over() {
			out[s.Step.Key] = true
		}
	}
	return out, nil
}

// closed marks accounts that were taken back, or whose owner has left, and what is part of them: it is in the books, and nobody gets in by
// it. One that only waits for a first day, or for the end of a leave, is as it is wanted.
func closed(list []Access) {
	shut := map[dayone.Key]bool{}
	for i := range list {
		a := &list[i]
		a.Closed = a.Holding != nil && a.Holding.State == dayone.Disabled && (a.State == Held || a.Note == AccessClosed)
		shut[a.Key] = a.Closed
	}
	for i := range list {
		a := &list[i]
		a.Closed = a.Closed || a.Holding != nil && shut[a.Key.Account()] && (a.State == Held || a.State == AsWanted && a.Implied)
	}
}

// unclosed marks what is not wanted any more and stays: open, or closed and kept by a legal hold.
func (f *Flow) unclosed(list []Access, l Look) {
	stays := map[dayone.Key]Staying{}
	for _, x := range f.Stays(l) {
		stays[x.Key] = x
	}
	for i := range list {
		a := &list[i]
		held := slices.ContainsFunc(l.Plan.Findings, func(x dayone.Finding) bool { return x.Key == a.Key && x.Kind == planner.UnderLegalHold })
		switch x, open := stays[a.Key]; {
		case a.Holding == nil:
		case open && x.Legal:
			a.State, a.Note, a.Implied = StaysOpen, "a legal hold keeps it; a human closes it by hand", false
		case open && x.Ended:
			a.State, a.Note, a.Implied = StaysOpen, "Dayone does not manage its system any more; a human closes it by hand", false
		case open:
			a.State, a.Note, a.Implied = StaysOpen, "Dayone cannot close it; a human closes it by hand", false
		case held:
			a.State, a.Note = Held, "closed, and not deleted while the legal hold stands"
		}
	}
}

// idle takes back what only a plan would bring about. Without one nothing is given, changed or taken.
func idle(list []Access) {
	for i := range list {
		switch a := &list[i]; {
		case a.State == ToCome, a.State == ToChange, a.State == Planned, a.State == Asks, a.Implied:
			a.State = NotPlanned
		}
	}
}

// Explain says why a person has something, or why not. ErrInvalid: neither is there such a thing nor has she it.
func (f *Flow) Explain(ctx context.Context, id dayone.PersonID, key dayone.Key) (policy.Explanation, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return policy.Explanation{}, err
	}
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return policy.Explanation{}, err
	}
	have, err := f.Store.Holdings(ctx, id, false)
	if err != nil {
		return policy.Explanation{}, err
	}
	as, err := f.Store.Approvals(ctx, store.ApprovalFilter{Person: id, Live: true})
	if err != nil {
		return policy.Explanation{}, err
	}
	holds, err := f.Store.Holds(ctx, HoldFilter{Person: id})
	if err != nil {
		return policy.Explanation{}, err
	}
	asked, err := f.Store.Requests(ctx, id, true)
	if err != nil {
		return policy.Explanation{}, err
	}
	now, held, set := f.Clock.Now(), heldOf(have), f.Active()
	p := people.At(&t, now, now, set)
	x := set.Explain(p, policy.Context{Now: now, Held: held, Requested: set.Asked(asked), Approved: agreed(id, set, held, set.Asked(asked), as)}, key)
	if _, has := held[key]; !has && len(x.Lines)+len(x.By) == 0 && x.Grant == nil && x.Asked == nil { // nothing speaks of it: is there such a thing?
		if err := set.Offered(key); err != nil {
			return policy.Explanation{}, err
		}
	}
	return answers(as).agreedTo(id, sourced(&t, set, now, f.noteRetired(withHold(x, holds, p.Status)))), nil
}
