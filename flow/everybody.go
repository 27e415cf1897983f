package flow

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
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
	Told     []string    `json:",omitempty"` // policies whose messages differ
	Files    []string    `json:",omitempty"` // beside policies: messages, device profiles and products that differ
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

// Roles says which roles of an entitlement change into which, and for how many.
func (e Everybody) Roles(k dayone.Key) []string {
	n := map[string]int{}
	for _, c := range e.Changes {
		for _, g := range c.Changed {
			if g.Key == k && g.Was != g.Role {
				n[fmt.Sprintf("%s -> %s", cmp.Or(g.Was, "no role"), cmp.Or(g.Role, "no role"))]++
			}
		}
	}
	out := slices.Sorted(maps.Keys(n))
	for i, line := range out {
		out[i] = fmt.Sprintf("%s: %d", line, n[line])
	}
	return out
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
	c := &comparison{Flow: f, pr: pr, against: against, force: f.force.Load(), now: f.Clock.Now(), progress: progress}
	if err := c.glance(ctx); err != nil {
		return Everybody{}, err
	}
	out, _, err := c.plan(ctx)
	return out, err
}

// plan also says how many people it had to look at closely.
func (c *comparison) plan(ctx context.Context) (Everybody, int, error) {
	pr, before := c.pr, c.force.base
	out := Everybody{At: c.now, Stage: c.force.seq, Active: before.Hash, Proposed: pr.Set.Hash, Only: pr.Only}
	if c.against != nil {
		before, out.Active = c.against, c.against.Hash
	}
	t, err := c.everybody(ctx)
	if err != nil {
		return out, 0, err
	}
	out.People, out.Changes, out.Skipped = t.people, t.changes, t.skipped
	slices.SortFunc(out.Changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Person, b.Person)) })
	slices.Sort(out.Skipped)
	out.Files, out.Told = besideShift(before, pr.Set), toldShift(before, pr.Set)
	out.Keys, out.Policies = t.keys(out.Changes), t.policies(before, pr.Set)
	out.Brakes = out.brakes(t)
	out.Seats, err = c.seats(ctx, out.Keys)
	return out, t.closely, err
}

func (c Change) empty() bool {
	return len(c.Gained)+len(c.Lost)+len(c.Changed)+len(c.Pending)+len(c.Cases) == 0
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
	people, closely int                // looked at; how many of them closely
	managed, loses  int                // for whom the proposal is; those of them who lose something
	has             map[dayone.Key]int // afterwards, whether or not the proposal is for them
	before, after   map[string]int     // people by policy
	joins, leaves   map[string]int
	changes         []Change
	skipped         []string
}

func newTally() *tally {
	return &tally{has: map[dayone.Key]int{}, before: map[string]int{}, after: map[string]int{}, joins: map[string]int{}, leaves: map[string]int{}}
}

// take adds what another one counted.
func (t *tally) take(o *tally) {
	t.people, t.closely, t.managed, t.loses = t.people+o.people, t.closely+o.closely, t.managed+o.managed, t.loses+o.loses
	t.changes, t.skipped = append(t.changes, o.changes...), append(t.skipped, o.skipped...)
	for k, n := range o.has {
		t.has[k] += n
	}
	for _, x := range []struct{ to, from map[string]int }{{t.before, o.before}, {t.after, o.after}, {t.joins, o.joins}, {t.leaves, o.leaves}} {
		for id, n := range x.from {
			x.to[id] += n
		}
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

// aside counts somebody whom the proposal is not for: she keeps what she has.
func (t *tally) aside(w dayone.Want) {
	for _, g := range w.Grants {
		t.has[g.Key]++
	}
}

func (t *tally) add(c Change, before, after dayone.Want) {
	t.managed++
	t.change(c)
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

func (t *tally) change(c Change) {
	if len(c.Lost) > 0 {
		t.loses++
	}
	if !c.empty() {
		t.changes = append(t.changes, c)
	}
}

func (t *tally) keys(changes []Change) []KeyCount {
	by := map[dayone.Key]*KeyCount{}
	count := func(c Change, gs []Given, field func(*KeyCount) *int) {
		for _, g := range gs {
			k := by[g.Key]
			if k == nil {
				k = &KeyCount{Key: g.Key, Left: t.has[g.Key]}
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

// Stands says whether the latest stage is what a plan was for: somebody has applied just this. A command that was killed does not
// know, and neither does who repeats it.
func (f *Flow) Stands(ctx context.Context, pr Proposal, planned Everybody) (dayone.Stage, bool, error) {
	stages, err := f.Store.Stages(ctx)
	if err != nil || len(stages) == 0 {
		return dayone.Stage{}, false, err
	}
	s := stages[len(stages)-1]
	return s, s.Seq == planned.Stage+1 && s.Version == planned.Proposed && s.Version == pr.Set.Hash && maps.Equal(s.Only, pr.Only), nil
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
	now, err := f.planNow(ctx, pr)
	if err != nil {
		return now, err
	}
	if err := planned.Same(now); err != nil {
		return now, err
	}
	return now, now.released(release)
}

// planNow is PlanAll by whoever can do it fastest.
func (f *Flow) planNow(ctx context.Context, pr Proposal) (Everybody, error) {
	if f.Planned != nil {
		if now, err := f.Planned(ctx, pr); err == nil || ctx.Err() != nil {
			now.Only = pr.Only
			return now, err
		}
	}
	return f.PlanAll(ctx, pr, nil, nil)
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
	if err := f.letGo(ctx, now.Changes); err != nil {
		return dayone.Stage{}, err
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
