package flow

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// crowd is everybody in memory, as policies see them: what an editor asks on every key, and what a plan for everybody goes
// by. It is read once, when somebody first asks, and follows every change from then on.
type crowd struct {
	building sync.Mutex
	mu       sync.RWMutex
	w        *policy.Workforce // nil: not read yet
	laid     *policy.Set       // by whose attributes and sites people are laid out
	narrow   bool              // it holds only what one plan asks for
	census   *policy.Census    // of what is in force; nil: nobody asked yet
	rows     map[dayone.PersonID]int
	names    []string
	until    []time.Time // by row: when she becomes another by herself; zero: never
	reading  bool        // a new crowd is being read
	aside    atomic.Bool // it is read for a page that does not wait for it, beside other pages
	passed   bool        // people became others, and the census was not told
	stale    map[dayone.PersonID]bool
}

// surveyAge is how long answers about everybody are taken for today's.
const surveyAge = time.Hour

// crowded reads everybody, unless that was done, and answers what is in force about them.
func (f *Flow) crowded(ctx context.Context, also *policy.Set) (*crowd, error) {
	c := &f.crowd
	c.building.Lock()
	defer c.building.Unlock()
	set, now := f.Active(), f.Clock.Now()
	sets := []*policy.Set{set}
	if also != nil {
		sets = append(sets, also)
	}
	if err := f.gather(ctx, now, set, sets, nil); err != nil {
		return nil, err
	}
	if c.answers(set, now) {
		return c, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.census == nil || c.passed || now.Sub(c.census.At()).Abs() > surveyAge { // what reads today has to be asked again
		c.passed = false
		c.census = set.Survey(c.w, now)
	} else { // other policies are in force
		c.census = c.census.Next(set)
	}
	return c, nil
}

// answers says that what is in force has been asked about everybody, and not too long ago.
func (c *crowd) answers(set *policy.Set, now time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.census != nil && !c.passed && c.census.Set == set && now.Sub(c.census.At()).Abs() <= surveyAge
}

// gather reads everybody, unless that was done in a way that suits the sets. Where attrs are named nobody asks for others
// than those and what the sets read. Whoever calls holds building.
func (f *Flow) gather(ctx context.Context, now time.Time, set *policy.Set, sets []*policy.Set, attrs []string) error {
	c := &f.crowd
	fits := c.w != nil && c.laid.SamePeople(set) && !c.narrow // only who holds building puts another one there
	for _, s := range sets {
		fits = fits && c.w.Holds(s)
	}
	if fits {
		return nil
	}
	c.mu.Lock()
	c.reading, c.stale = true, map[dayone.PersonID]bool{}
	c.mu.Unlock()
	next := &crowd{narrow: attrs != nil, rows: map[dayone.PersonID]int{}}
	if next.narrow {
		next.w = policy.NarrowWorkforce(policy.NewDictionary(), attrs, sets...)
	} else {
		next.w = policy.NewWorkforce(policy.NewDictionary(), set.Schema, sets...)
	}
	err := f.readEverybody(ctx, now, set, next)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if err != nil {
		return err
	}
	if c.census != nil { // whoever asked for it may still be about to look
		c.census = set.Survey(next.w, now)
	}
	c.w, c.laid, c.narrow, c.rows, c.names, c.until = next.w, set, next.narrow, next.rows, next.names, next.until
	return nil
}

// readEverybody fills a crowd, in the order of ids. Whoever does not read is not in it.
func (f *Flow) readEverybody(ctx context.Context, now time.Time, set *policy.Set, to *crowd) error {
	ids, err := f.managed(ctx)
	if err != nil {
		return err
	}
	type laidOut struct {
		row   policy.Laid
		name  string
		until time.Time
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	pages := slices.Collect(slices.Chunk(ids, store.AtOnce))
	done := make([]chan []laidOut, len(pages))
	for i := range done {
		done[i] = make(chan []laidOut, 1)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	readers := max(2, runtime.GOMAXPROCS(0))
	if f.crowd.aside.Load() {
		readers = 1
	}
	for range readers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(pages)) && work.Err() == nil; i = next.Add(1) - 1 {
				read, err := f.Store.Timelines(work, pages[i])
				if err != nil {
					stop(err)
					return
				}
				out := make([]laidOut, 0, len(read))
				for n := range read {
					if t := &read[n].Timeline; read[n].Err == nil && t.Managed {
						p := people.At(t, now, now, set)
						out = append(out, laidOut{to.w.Lay(&p), p.Name(), turns(t, now, set)})
					}
				}
				done[i] <- out
			}
		})
	}
	for i := range pages {
		select {
		case out := <-done[i]:
			for _, x := range out {
				to.rows[x.row.ID] = len(to.names)
				to.names, to.until = append(to.names, x.name), append(to.until, x.until)
				to.w.AddLaid(x.row)
			}
		case <-work.Done():
			return context.Cause(work)
		}
		done[i] = nil
	}
	return nil
}

// managed are all for whom access is planned, in order.
func (f *Flow) managed(ctx context.Context) (ids []dayone.PersonID, err error) {
	err = f.Store.EachPerson(ctx, func(id dayone.PersonID, managed bool) error {
		if managed {
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

// turns is the first instant after now at which a person is laid out in another way although nothing was heard of her.
func turns(t *dayone.Timeline, now time.Time, set *policy.Set) time.Time {
	return turnsBy(t, now, people.Next(t, now, set))
}

// turnsBy is turns where it is known when she changes by herself.
func turnsBy(t *dayone.Timeline, now, next time.Time) time.Time {
	ahead := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for i := range t.Facts { // clocks of sources may be ahead of ours
		ahead(t.Facts[i].Again)
		ahead(t.Facts[i].Recorded)
	}
	for _, e := range t.Employments {
		ahead(e.Recorded)
	}
	return next
}

// set puts somebody into her row; it returns its number.
func (c *crowd) set(p *dayone.Person, until time.Time) int {
	row, ok := c.rows[p.ID]
	if !ok {
		row = c.w.Len()
		c.rows[p.ID] = row
		c.names, c.until = append(c.names, ""), append(c.until, time.Time{})
	}
	c.names[row], c.until[row] = p.Name(), until
	c.w.Set(row, p)
	return row
}

// touch notes that something is about to be written about somebody: until follow is told of it she is not as the crowd
// has her.
func (c *crowd) touch(id dayone.PersonID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id != "" && (c.w != nil || c.reading) {
		c.stale[id] = true
	}
}

// save writes about somebody, and lets the crowd know: t is her timeline with what is written. Whoever calls holds her.
func (f *Flow) save(ctx context.Context, t *dayone.Timeline, s store.Saved) error {
	if s.Row == nil && s.Employment == nil && len(s.Facts) == 0 {
		return f.Store.Save(ctx, s)
	}
	f.crowd.touch(s.Person)
	if err := f.Store.Save(ctx, s); err != nil || s.Passing != nil && s.Passing.By != "" {
		return err
	}
	now, set := f.Clock.Now(), f.Active()
	f.follow(people.At(t, now, now, set), laid{set, turns(t, now, set)})
	return nil
}

// follow keeps the crowd right after a look at one person. Whoever calls holds her.
func (f *Flow) follow(p dayone.Person, l laid) {
	c := &f.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading { // she may have been read before this
		c.stale[p.ID] = true
	}
	if c.w == nil {
		return
	}
	if !p.Managed {
		delete(c.stale, p.ID) // a plan for everybody is not for her
		return
	}
	if l.set == nil || !c.laid.SamePeople(l.set) {
		c.stale[p.ID] = true
		return
	}
	if !c.reading {
		delete(c.stale, p.ID)
	}
	row := c.set(&p, l.until)
	if c.census != nil {
		c.census.Update(row, &p)
	}
}

// laid is how a person was laid out: by which set, and until when she stays like that by herself.
type laid struct {
	set   *policy.Set
	until time.Time
}

// Draft is what policies that somebody writes would mean, by their conditions: while they are written.
type Draft struct {
	Diagnostics []policy.Diagnostic
	Set         *policy.Set // nil: it is broken
	Impact      policy.Impact
	Names       map[dayone.Key]DraftNames
}

// DraftNames are some of those that an entitlement concerns.
type DraftNames struct{ Gain, Lose, Alter []string }

// Judge says what a draft means for everybody. Nothing is stored.
func (f *Flow) Judge(ctx context.Context, before *policy.Set, draft *policy.Set) (Draft, error) {
	out := Draft{Set: draft, Names: map[dayone.Key]DraftNames{}}
	c, err := f.crowded(ctx, draft)
	if err != nil {
		return out, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	census := c.census
	if before != nil && before != census.Set {
		census = census.Next(before)
	}
	after := census.Next(draft)
	if out.Impact, err = census.Compare(after); err != nil {
		return out, err
	}
	out.Diagnostics = after.Warnings()
	some := func(b *roaring.Bitmap) (names []string) {
		for it := b.Iterator(); it.HasNext() && len(names) < 5; {
			names = append(names, c.names[it.Next()])
		}
		return names
	}
	for _, k := range out.Impact.Keys {
		out.Names[k.Key] = DraftNames{some(k.Gain), some(k.Lose), some(k.Alter)}
	}
	return out, nil
}

// Odd says what the people there are say about policies: which hold for nobody, for everybody, or cannot be answered.
func (f *Flow) Odd(ctx context.Context, set *policy.Set) ([]policy.Diagnostic, error) {
	d, err := f.Judge(ctx, nil, set)
	return d.Diagnostics, err
}

// Holders is who a policy in force holds for: how many, and the first of them by name.
func (f *Flow) Holders(ctx context.Context, most int) (map[string]PolicyHolders, error) {
	c, err := f.crowded(ctx, nil)
	if err != nil {
		return nil, err
	}
	return c.holders(most), nil
}

func (c *crowd) holders(most int) map[string]PolicyHolders {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := map[string]PolicyHolders{}
	for _, p := range c.census.Set.Policies {
		b := c.census.Matches(p)
		h := PolicyHolders{Count: int(b.GetCardinality()), Unsure: int(c.census.Unsure(p).GetCardinality())}
		for it := b.Iterator(); it.HasNext() && len(h.First) < most; {
			row := it.Next()
			h.First = append(h.First, PersonName{c.w.ID(int(row)), c.names[row]})
		}
		out[p.ID] = h
	}
	return out
}

// How long a page waits for its counts: a small company is read while one looks, a large one is not.
const (
	smallCompany = 2_000
	ofSmall      = 5 * time.Second
	ofLarge      = 25 * time.Millisecond
)

// HoldersSoon is for how many each policy holds, for a page: ready is false while everybody is still read, which goes on
// beside, once for all pages that ask, and in a large company by one reader, so that pages are answered meanwhile.
func (f *Flow) HoldersSoon(ctx context.Context) (holders map[string]PolicyHolders, ready bool, err error) {
	c := &f.crowd
	if c.aside.Load() { // to count people for each who asks, or to wait for the crowd, would hold that up
		return nil, false, nil
	}
	if c.answers(f.Active(), f.Clock.Now()) {
		return c.holders(0), true, nil
	}
	counts, err := f.CountPeople(ctx)
	if err != nil {
		return nil, false, err
	}
	patience, total := ofSmall, 0
	for _, n := range counts {
		total += n
	}
	large := total > smallCompany
	if large {
		if !c.aside.CompareAndSwap(false, true) {
			return nil, false, nil
		}
		patience = ofLarge
	}
	type answer struct {
		holders map[string]PolicyHolders
		err     error
	}
	said := make(chan answer, 1)
	f.errands.Go(func() { // one reads, others wait for it
		h, err := f.Holders(context.WithoutCancel(ctx), 0)
		if large {
			c.aside.Store(false)
		}
		said <- answer{h, err}
	})
	wait, stop := context.WithTimeout(ctx, patience)
	defer stop()
	select {
	case a := <-said:
		return a.holders, a.err == nil, a.err
	case <-wait.Done():
		return nil, false, ctx.Err()
	}
}

// PolicyHolders are those for whom a policy holds; Unsure of them cannot be told.
type PolicyHolders struct {
	Count, Unsure int
	First         []PersonName
}

// PersonName is enough for a link.
type PersonName struct {
	ID   dayone.PersonID
	Name string
}
