package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// A plan for everybody looks at each person under two sets. Most need no more than a glance: what they have is compared in
// numbers, by the crowd in memory. Whoever is not as the crowd has her, or whose answer needs what a glance does not see, is
// looked at closely, as anybody is who is planned: from her timeline and holdings, with two whole wants. Both ways give the
// same plan; the close look is what that is judged by.

// comparison is one plan for everybody.
type comparison struct {
	*Flow
	pr       Proposal
	against  *policy.Set // instead of what is in force
	force    *inForce
	now      time.Time
	progress func(done int)

	// Of glances; without them everybody is looked at closely.
	sight  *policy.Glances
	of     *policy.Workforce
	sets   []*policy.Set
	duties map[dayone.PersonID][]dayone.Key // who has what duties name

	approved   map[dayone.PersonID]bool           // what they have depends on what somebody agreed to
	requesting map[dayone.PersonID]bool           // what they have depends on what they asked for
	exposed    map[dayone.PersonID][]dayone.Drift // who may lose what nobody here gave, since policies alone are to decide about it

	mu   sync.Mutex
	done int
}

// glance makes a comparison ready for glances, where all sets lay people out in the same way.
func (c *comparison) glance(ctx context.Context) error {
	sets := []*policy.Set{c.force.base}
	if c.against != nil {
		sets[0] = c.against
	} else {
		for _, s := range c.force.stages {
			if !slices.Contains(sets, s.set) {
				sets = append(sets, s.set)
			}
		}
	}
	sets = append(sets, c.pr.Set)
	for _, s := range sets {
		if !s.SamePeople(c.force.base) {
			return nil
		}
	}
	cr := &c.crowd
	cr.building.Lock()
	defer cr.building.Unlock()
	var attrs []string
	if c.Beside { // a command that ends with this plan
		attrs = slices.AppendSeq([]string{"status"}, maps.Keys(c.pr.Only))
		for _, s := range c.force.stages {
			attrs = slices.AppendSeq(attrs, maps.Keys(s.Only))
		}
	}
	if err := c.gather(ctx, c.now, c.force.base, sets, attrs); err != nil {
		return err
	}
	cr.mu.RLock()
	c.of, c.sets = cr.w, sets
	c.sight = policy.NewGlances(cr.w, c.now, sets...)
	cr.mu.RUnlock()
	var err error
	if named := c.sight.Named(); len(named) > 0 {
		c.duties, err = c.Store.HaveOf(ctx, named)
	}
	return err
}

// atOnce is for how many people the crowd is held at a time: who is followed meanwhile waits for so long.
const atOnce = 2000

// everybody looks at all for whom access is planned.
func (c *comparison) everybody(ctx context.Context) (*tally, error) {
	ids, err := c.managed(ctx)
	if err != nil {
		return nil, err
	}
	if c.approved, err = c.Store.Approved(ctx); err != nil {
		return nil, err
	}
	if c.requesting, err = c.Store.Requesting(ctx); err != nil {
		return nil, err
	}
	if c.exposed, err = c.exposes(ctx); err != nil {
		return nil, err
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	chunks := make(chan []dayone.PersonID)
	total := newTally()
	var wg sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			l := c.looks()
			for some := range chunks {
				if err := l.at(work, some); err != nil {
					stop(err)
					return
				}
			}
			if err := l.finish(work); err != nil {
				stop(err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			total.take(l.tally)
		})
	}
feed:
	for some := range slices.Chunk(ids, atOnce) {
		select {
		case chunks <- some:
		case <-work.Done():
			break feed
		}
	}
	close(chunks)
	wg.Wait()
	if work.Err() != nil {
		return nil, errors.Join(ctx.Err(), context.Cause(work))
	}
	return total, nil
}

// looks is what one goroutine looks with.
type looks struct {
	*comparison
	*tally
	looker *policy.Looker
	later  []dayone.PersonID // to be looked at closely

	hasNo, beforeNo, afterNo, joinNo, leaveNo []int // by number of the glances
}

func (c *comparison) looks() *looks {
	l := &looks{comparison: c, tally: newTally()}
	if c.sight == nil {
		return l
	}
	l.looker = c.sight.Looker(func(row int) []dayone.Key { return c.duties[c.of.ID(row)] })
	l.hasNo = make([]int, len(c.sight.Keys()))
	for _, to := range []*[]int{&l.beforeNo, &l.afterNo, &l.joinNo, &l.leaveNo} {
		*to = make([]int, len(c.sight.Policies()))
	}
	return l
}

func (l *looks) at(ctx context.Context, ids []dayone.PersonID) error {
	l.people += len(ids)
	l.glances(ids)
	for len(l.later) >= store.AtOnce {
		if err := l.close(ctx, l.later[:store.AtOnce]); err != nil {
			return err
		}
		l.later = l.later[store.AtOnce:]
	}
	if l.progress != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.done += len(ids)
		l.progress(l.done)
	}
	return ctx.Err()
}

func (l *looks) finish(ctx context.Context) error {
	if err := l.close(ctx, l.later); err != nil {
		return err
	}
	for n, has := range l.hasNo {
		if has > 0 {
			l.has[l.sight.Keys()[n]] += has
		}
	}
	for n := range l.beforeNo {
		id := l.sight.Policies()[n]
		l.before[id] += l.beforeNo[n]
		l.after[id] += l.afterNo[n]
		l.joins[id] += l.joinNo[n]
		l.leaves[id] += l.leaveNo[n]
	}
	return nil
}

// glances at those for whom it is enough, and keeps the others for a close look.
func (l *looks) glances(ids []dayone.PersonID) {
	cr := &l.crowd
	cr.mu.RLock()
	defer cr.mu.RUnlock()
	if l.looker == nil || cr.w != l.of { // another crowd is there by now
		l.later = append(l.later, ids...)
		return
	}
	l.looker.Refresh()
	for _, id := range ids {
		row, ok := cr.rows[id]
		if !ok || cr.stale[id] || l.requesting[id] || l.approved[id] || l.exposed[id] != nil || !cr.until[row].IsZero() && !cr.until[row].After(l.now) || !l.row(id, row, cr.names[row]) {
			l.later = append(l.later, id)
		}
	}
}

// row glances at one person; false: look closely.
func (l *looks) row(id dayone.PersonID, row int, name string) bool {
	covers := func(only map[string]string) (covered, known bool) {
		for attr, value := range only {
			text, known := l.of.Text(row, attr)
			if !known || text != value {
				return false, known
			}
		}
		return true, true
	}
	old := l.sets[0]
	if l.against == nil {
		for _, s := range slices.Backward(l.force.stages) {
			covered, known := covers(s.Only)
			if !known {
				return false
			}
			if covered {
				old = s.set
				break
			}
		}
	}
	before := slices.Index(l.sets, old)
	covered, known := covers(l.pr.Only)
	switch {
	case !known:
		return false
	case !covered:
		if !l.looker.Holds(row, before) {
			return false
		}
	case !l.looker.Shift(row, before):
		return false
	}
	for _, k := range l.looker.Has {
		l.hasNo[k]++
	}
	if covered {
		l.managed++
		l.counts()
		l.change(Change{Person: id, Name: name, Gained: l.given(l.looker.Gained), Lost: l.given(l.looker.Lost), Changed: l.given(l.looker.Changed), Pending: l.given(l.looker.Pending)})
	}
	return true
}

func (l *looks) given(gs []policy.Glimpse) []Given {
	if len(gs) == 0 {
		return nil
	}
	out := make([]Given, len(gs))
	for i, g := range gs {
		out[i] = Given{Key: l.sight.Keys()[g.Key], Role: g.Role, Was: g.Was, By: g.By}
	}
	return out
}

// counts people by policy: both lists are in order.
func (l *looks) counts() {
	was, is := l.looker.Before, l.looker.After
	i := 0
	for _, n := range is {
		for ; i < len(was) && was[i] < n; i++ {
			l.leaveNo[was[i]]++
		}
		if i < len(was) && was[i] == n {
			i++
		} else {
			l.joinNo[n]++
		}
		l.afterNo[n]++
	}
	for ; i < len(was); i++ {
		l.leaveNo[was[i]]++
	}
	for _, n := range was {
		l.beforeNo[n]++
	}
}

// close looks closely at some people, AtOnce at most.
func (l *looks) close(ctx context.Context, ids []dayone.PersonID) error {
	if len(ids) == 0 {
		return nil
	}
	l.closely += len(ids)
	read, err := l.Store.Timelines(ctx, ids)
	if err == nil {
		err = l.Store.WithHoldings(ctx, read)
	}
	if err != nil {
		return fmt.Errorf("reading people: %w", err)
	}
	for i := range read {
		r := &read[i]
		var asked []dayone.Request
		if r.Err == nil && l.requesting[r.Person] { // until when depends on since when she has it
			asked, r.Err = l.Store.Requests(ctx, r.Person, true)
		}
		if r.Err == nil && (l.requesting[r.Person] || l.exposed[r.Person] != nil) { // and what goes on who gave it
			r.Held, r.Err = l.Store.Holdings(ctx, r.Person, false)
		}
		var as answers
		if r.Err == nil && l.approved[r.Person] {
			as, r.Err = l.Store.Approvals(ctx, store.ApprovalFilter{Person: r.Person, Live: true})
		}
		switch {
		case r.Err != nil:
			l.skipped = append(l.skipped, fmt.Sprintf("%s: %v", r.Person, r.Err))
		case r.Managed:
			l.compare(&r.Timeline, r.Held, asked, as)
		}
	}
	return nil
}

// compare is one person under both sets.
func (l *looks) compare(t *dayone.Timeline, have []dayone.Holding, asked []dayone.Request, as answers) {
	base := l.force.base
	p := people.At(t, l.now, l.now, base)
	old := l.against
	if old == nil {
		old = l.force.of(p)
	}
	at := policy.Context{Now: l.now, Held: heldOf(have), Requested: old.Asked(asked), Approved: agreed(p.ID, old, nil, nil, as)}
	before := old.Want(p, at)
	if !(dayone.Stage{Only: l.pr.Only}).Covers(p) {
		l.aside(before)
		return
	}
	q := p
	if !l.pr.Set.SamePeople(base) { // what a location or an attribute means may differ
		q = people.At(t, l.now, l.now, l.pr.Set)
	}
	at.Requested = l.pr.Set.Asked(asked)
	after := l.pr.Set.Want(q, at)
	change := changeOf(p, before, after)
	change.Lost = append(change.Lost, l.uncovered(p, old, have, after)...)
	l.add(change, before, after)
}

// changeOf is what the change from one want to another means for a person.
func changeOf(p dayone.Person, before, after dayone.Want) Change {
	c := Change{Person: p.ID, Name: p.Name()}
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
	known := map[string]bool{}
	for _, x := range before.Findings {
		known[x.Kind+x.Policy] = true
	}
	for _, x := range after.Findings {
		if x.Kind == "sod" && !known[x.Kind+x.Policy] {
			c.Cases = append(c.Cases, fmt.Sprintf("%s (%s)", x.Text, x.At))
		}
	}
	return c
}
