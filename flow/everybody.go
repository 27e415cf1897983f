package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

// Proposal is a policy set that is not in force, and for whom it is meant.
type Proposal struct {
	Set    *policy.Set
	Files  fs.FS
	Only   map[string]string // attribute: value; empty: everybody
	Author string
	Note   string
}

// Change is what a proposal changes for one person.
type Change struct {
	Person  dayone.PersonID
	Name    string   `json:"-"`
	Gained  []Given  `json:",omitempty"`
	Lost    []Given  `json:",omitempty"`
	Changed []Given  `json:",omitempty"`
	Pending []Given  `json:",omitempty"` // newly asked of an approver
	Cases   []string `json:",omitempty"` // separation of duties that it would violate
}

// Given is one entitlement of a change, as it would be; Was is the role before.
type Given struct {
	Key  dayone.Key
	Role string `json:",omitempty"`
	Was  string `json:",omitempty"`
	By   string `json:",omitempty"` // policy and line
}

// Everybody is what a proposal does to the whole workforce.
type Everybody struct {
	At       time.Time
	Stage    int64  // the latest one when it was made
	Active   string // versions
	Proposed string
	Only     map[string]string
	People   int // looked at
	Changes  []Change
	Policies []policy.PolicyShift
	Keys     []KeyCount
	Seats    []SeatCount `json:",omitempty"` // licences that it needs, where systems tell how many there are
	Files    []string    `json:",omitempty"` // beside policies: messages and device profiles that differ
	Skipped  []string    // whom nobody could plan for, and why
	Brakes   []string    // limits that it is beyond
}

// KeyCount is one entitlement over everybody.
type KeyCount struct {
	Key                            dayone.Key
	Gained, Lost, Changed, Pending int
	Left                           int // who has it afterwards
	By                             []string
	First                          []string // names
}

// Limits of a proposal, beyond which a second decision is asked for.
const (
	LargestLossShare  = 0.02 // of people who lose something
	LargestLossPeople = 5
	EmptiedFrom       = 5 // members of an entitlement that nobody has afterwards
)

// PlanAll compares a proposal with what is in force, for everybody. against replaces what is in force, if not nil.
// progress may be nil.
func (f *Flow) PlanAll(ctx context.Context, pr Proposal, against *policy.Set, progress func(done int)) (Everybody, error) {
	now := f.Clock.Now()
	force := f.force.Load()
	out := Everybody{At: now, Stage: force.seq, Active: force.base.Hash, Proposed: pr.Set.Hash, Only: pr.Only}
	if against != nil {
		out.Active = against.Hash
	}
	type found struct {
		change        Change
		before, after dayone.Want
		skip          string
	}
	ids := make(chan dayone.PersonID, 256)
	results := make(chan found, 256)
	work, stop := context.WithCancel(ctx)
	defer stop()
	var near reach
	if against == nil {
		var err error
		if near, err = f.touched(ctx, pr); err != nil {
			return out, err
		}
	}
	var read error
	go func() {
		defer close(ids)
		read = f.Store.EachPerson(work, func(id dayone.PersonID) error {
			if near.ids != nil && !near.ids[id] {
				return nil
			}
			select {
			case ids <- id:
				return nil
			case <-work.Done():
				return work.Err()
			}
		})
	}()
	var wg sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for id := range ids {
				var r found
				var err error
				if r.change, r.before, r.after, err = f.compare(work, id, pr, against, now); err != nil {
					r.skip = fmt.Sprintf("%s: %v", id, err)
				}
				select {
				case results <- r:
				case <-work.Done():
				}
			}
		})
	}
	go func() { wg.Wait(); close(results) }()
	tally := newTally()
	if near.ids != nil { // the others were judged by conditions alone
		tally.others, tally.managed = near.others, near.people-len(near.ids)
		out.People = tally.managed
	}
	for r := range results {
		out.People++
		if r.skip != "" {
			out.Skipped = append(out.Skipped, r.skip)
		}
		tally.add(r.change, r.before, r.after)
		if !r.change.empty() {
			out.Changes = append(out.Changes, r.change)
		}
		if progress != nil && out.People%500 == 0 {
			progress(out.People)
		}
	}
	if err := errors.Join(ctx.Err(), read); err != nil {
		return out, err
	}
	slices.SortFunc(out.Changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Person, b.Person)) })
	slices.Sort(out.Skipped)
	before := against
	if before == nil {
		before = force.base
	}
	out.Files = besideShift(before, pr.Set)
	out.Keys, out.Policies = tally.keys(out.Changes), tally.policies(before, pr.Set)
	out.Brakes = out.brakes(tally)
	var err error
	out.Seats, err = f.seats(ctx, out.Keys)
	return out, err
}

func (c Change) empty() bool {
	return len(c.Gained)+len(c.Lost)+len(c.Changed)+len(c.Pending)+len(c.Cases) == 0
}

// compare is one person under both sets.
func (f *Flow) compare(ctx context.Context, id dayone.PersonID, pr Proposal, against *policy.Set, now time.Time) (c Change, before, after dayone.Want, err error) {
	c.Person = id
	t, err := f.Store.Timeline(ctx, id)
	if err != nil || !t.Managed {
		return c, before, after, err
	}
	p := people.At(&t, now, now, f.Active())
	if !(dayone.Stage{Only: pr.Only}).Covers(p) {
		return c, before, after, nil
	}
	have, err := f.Store.Holdings(ctx, id, false)
	if err != nil {
		return c, before, after, err
	}
	c.Name = p.Name()
	old := against
	if old == nil {
		old = f.ActiveFor(p)
	}
	at := policy.Context{Now: now, Held: heldOf(have)}
	before = old.Want(p, at)
	q := p
	if !pr.Set.PoliciesOnly(f.Active()) { // what a location or an attribute means may differ
		q = people.At(&t, now, now, pr.Set)
	}
	after = pr.Set.Want(q, at)
	gained, lost, changed := policy.Difference(before, after)
	keep := map[dayone.Key]bool{}
	for _, k := range after.Keep {
		keep[k] = true
	}
	was := map[dayone.Key]dayone.Grant{}
	for _, g := range before.Grants {
		was[g.Key] = g
	}
	give := func(gs []dayone.Grant) (out []Given) {
		for _, g := range gs {
			if keep[g.Key] { // a condition that cannot be answered takes nothing away
				continue
			}
			x := Given{Key: g.Key, Role: g.Role}
			if w, ok := was[g.Key]; ok && w.Role != g.Role {
				x.Was = w.Role
			}
			if len(g.Because) > 0 {
				x.By = g.Because[0].String()
			}
			out = append(out, x)
		}
		return out
	}
	c.Gained, c.Lost, c.Changed = give(gained), give(lost), give(changed)
	asked := map[dayone.Key]bool{}
	for _, g := range before.Pending {
		asked[g.Key] = true
	}
	c.Pending = give(slices.DeleteFunc(slices.Clone(after.Pending), func(g dayone.Grant) bool { return asked[g.Key] }))
	old1 := map[string]bool{}
	for _, x := range before.Findings {
		old1[x.Kind+x.Policy] = true
	}
	for _, x := range after.Findings {
		if x.Kind == "sod" && !old1[x.Kind+x.Policy] {
			c.Cases = append(c.Cases, fmt.Sprintf("%s (%s)", x.Text, x.At))
		}
	}
	return c, before, after, nil
}

func heldOf(have []dayone.Holding) map[dayone.Key]dayone.Holding {
	held := make(map[dayone.Key]dayone.Holding, len(have))
	for _, h := range have {
		if h.State != dayone.Gone {
			held[h.Key] = h
		}
	}
	return held
}

// tally counts over everybody.
type tally struct {
	has            map[dayone.Key]int // afterwards
	before, after  map[string]int     // people by policy
	joins, leaves  map[string]int
	managed, loses int
	others         func(dayone.Key) int // who has it among those that the proposal cannot concern
}

func newTally() *tally {
	return &tally{
		has: map[dayone.Key]int{}, before: map[string]int{}, after: map[string]int{}, joins: map[string]int{}, leaves: map[string]int{},
		others: func(dayone.Key) int { return 0 },
	}
}

func policiesOf(w dayone.Want) map[string]bool {
	out := map[string]bool{}
	for _, gs := range [][]dayone.Grant{w.Grants, w.Pending} {
		for _, g := range gs {
			for _, r := range g.Because {
				out[r.Policy] = true
			}
		}
	}
	return out
}

func (t *tally) add(c Change, before, after dayone.Want) {
	if before.Person == "" {
		return
	}
	t.managed++
	if len(c.Lost) > 0 {
		t.loses++
	}
	for _, g := range after.Grants {
		t.has[g.Key]++
	}
	was, is := policiesOf(before), policiesOf(after)
	for id := range was {
		if t.before[id]++; !is[id] {
			t.leaves[id]++
		}
	}
	for id := range is {
		if t.after[id]++; !was[id] {
			t.joins[id]++
		}
	}
}

func (t *tally) keys(changes []Change) []KeyCount {
	by := map[dayone.Key]*KeyCount{}
	count := func(c Change, gs []Given, field func(*KeyCount) *int) {
		for _, g := range gs {
			k := by[g.Key]
			if k == nil {
				k = &KeyCount{Key: g.Key, Left: t.has[g.Key] + t.others(g.Key)}
				by[g.Key] = k
			}
			*field(k)++
			if len(k.First) < 5 {
				k.First = append(k.First, c.Name)
			}
			if !slices.Contains(k.By, g.By) && g.By != "" {
				k.By = append(k.By, g.By)
			}
		}
	}
	for _, c := range changes {
		count(c, c.Gained, func(k *KeyCount) *int { return &k.Gained })
		count(c, c.Lost, func(k *KeyCount) *int { return &k.Lost })
		count(c, c.Changed, func(k *KeyCount) *int { return &k.Changed })
		count(c, c.Pending, func(k *KeyCount) *int { return &k.Pending })
	}
	var out []KeyCount
	for _, k := range slices.SortedFunc(maps.Keys(by), func(a, b dayone.Key) int {
		if a.Less(b) {
			return -1
		}
		return 1
	}) {
		slices.Sort(by[k].By)
		out = append(out, *by[k])
	}
	return out
}

func (t *tally) policies(before, after *policy.Set) []policy.PolicyShift {
	texts := before.Texts()
	var out []policy.PolicyShift
	seen := map[string]bool{}
	for _, p := range after.Policies {
		seen[p.ID] = true
		old, had := texts[p.ID]
		s := policy.PolicyShift{
			ID: p.ID, Title: p.Title, At: fmt.Sprintf("%s:%d", p.At.File, p.At.Line),
			Before: t.before[p.ID], After: t.after[p.ID], Joins: t.joins[p.ID], Leaves: t.leaves[p.ID],
		}
		switch {
		case !had:
			s.Change = "added"
		case old != p.Text():
			s.Change = "changed"
		case s.Joins+s.Leaves > 0:
			s.Change = "moved"
		default:
			continue
		}
		out = append(out, s)
	}
	for _, p := range before.Policies {
		if !seen[p.ID] {
			out = append(out, policy.PolicyShift{
				ID: p.ID, Title: p.Title, At: fmt.Sprintf("%s:%d", p.At.File, p.At.Line), Change: "removed", Before: t.before[p.ID], Leaves: t.leaves[p.ID],
			})
		}
	}
	slices.SortFunc(out, func(a, b policy.PolicyShift) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// brakes are the limits that it is beyond: a human has to say that this is meant.
func (e Everybody) brakes(t *tally) []string {
	var out []string
	if t.loses > LargestLossPeople && float64(t.loses) > LargestLossShare*float64(t.managed) {
		out = append(out, fmt.Sprintf("%d of %d people lose something; %.0f %% is the limit", t.loses, t.managed, LargestLossShare*100))
	}
	for _, k := range e.Keys {
		if k.Lost >= EmptiedFrom && k.Left == 0 {
			out = append(out, fmt.Sprintf("%s is left without anybody; %d have it now", k.Key, k.Lost))
		}
	}
	return out
}

// Same says whether another plan for everybody changes the same things for the same people.
func (e Everybody) Same(o Everybody) error {
	if e.Stage != o.Stage || e.Active != o.Active {
		return errOtherStage
	}
	mine, theirs := map[dayone.PersonID]string{}, map[dayone.PersonID]string{}
	for _, x := range []struct {
		from []Change
		to   map[dayone.PersonID]string
	}{{e.Changes, mine}, {o.Changes, theirs}} {
		for _, c := range x.from {
			c.Name = ""
			x.to[c.Person] = fmt.Sprintf("%+v", c)
		}
	}
	return sameMarks(mine, theirs)
}

// Apply makes a proposal count, exactly as planned. Whoever approves must not be its author; release names why limits
// may be passed.
func (f *Flow) Apply(ctx context.Context, pr Proposal, planned Everybody, approver, reason, release string) (dayone.Stage, error) {
	switch {
	case f.Load == nil:
		return dayone.Stage{}, errFixed
	case approver != "" && strings.EqualFold(approver, pr.Author):
		return dayone.Stage{}, fmt.Errorf("%s wrote this; somebody else has to approve it, or --alone announces it and waits: %w", approver, dayone.ErrForbidden)
	}
	now, err := f.replan(ctx, pr, planned, approver, release)
	if err != nil {
		return dayone.Stage{}, err
	}
	return f.putIntoForce(ctx, pr, now, approver, reason, release)
}

var errFixed = fmt.Errorf("policies are fixed here: %w", dayone.ErrUnsupported)

// replan plans again what somebody approves: it must be what was shown.
func (f *Flow) replan(ctx context.Context, pr Proposal, planned Everybody, approver, release string) (Everybody, error) {
	switch {
	case approver == "":
		return Everybody{}, fmt.Errorf("say who approves: %w", dayone.ErrInvalid)
	case pr.Set.Hash != planned.Proposed:
		return Everybody{}, fmt.Errorf("the policies are not those that the plan is for: %w", dayone.ErrConflict)
	case !maps.Equal(pr.Only, planned.Only):
		return Everybody{}, fmt.Errorf("the plan is for other people: %w", dayone.ErrConflict)
	}
	if err := f.reload(ctx); err != nil {
		return Everybody{}, err
	}
	now, err := f.PlanAll(ctx, pr, nil, nil)
	if err != nil {
		return now, err
	}
	if err := planned.Same(now); err != nil {
		return now, err
	}
	return now, now.released(release)
}

// released says whether a plan stays within limits, or somebody said why it need not.
func (e Everybody) released(release string) error {
	if len(e.Brakes) == 0 || strings.TrimSpace(release) != "" {
		return nil
	}
	return fmt.Errorf("%s; say why this is meant to release the brake: %w", strings.Join(e.Brakes, "; "), dayone.ErrForbidden)
}

// putIntoForce makes a proposal count, as now plans it. acts end with it.
func (f *Flow) putIntoForce(ctx context.Context, pr Proposal, now Everybody, approver, reason, release string, acts ...string) (dayone.Stage, error) {
	if err := now.released(release); err != nil {
		return dayone.Stage{}, err
	}
	v, err := f.version(pr.Files, pr.Set, author(pr.Author), pr.Note)
	if err != nil {
		return dayone.Stage{}, err
	}
	s := dayone.Stage{Version: v.ID, Only: pr.Only, Approver: approver, Reason: reason, Applied: f.Clock.Now(), People: len(now.Changes), Seq: now.Stage + 1}
	if release != "" {
		s.Reason = strings.TrimSpace(s.Reason + " (brake released: " + release + ")")
	}
	due := make([]dayone.PersonID, 0, len(now.Changes))
	for _, c := range now.Changes {
		due = append(due, c.Person)
	}
	if err := f.Store.AddStage(ctx, v, s, now.Stage, due, acts...); err != nil {
		return dayone.Stage{}, err
	}
	if err := f.reload(ctx); err != nil {
		return dayone.Stage{}, err
	}
	f.look()
	return s, nil
}
