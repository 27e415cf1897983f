package flow

import (
	"context"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
)

// crowd is everybody in memory, as policies see them: what an editor asks on every key. It is read once, when somebody
// first asks, and follows every change from then on.
type crowd struct {
	building sync.Mutex
	mu       sync.RWMutex
	w        *policy.Workforce // nil: not read yet
	census   *policy.Census    // of what is in force
	rows     map[dayone.PersonID]int
	names    []string
}

// surveyAge is how long answers about everybody are taken for today's.
const surveyAge = time.Hour

// crowded reads everybody, unless that was done.
func (f *Flow) crowded(ctx context.Context, also *policy.Set) (*crowd, error) {
	c := &f.crowd
	c.building.Lock()
	defer c.building.Unlock()
	set := f.Active()
	c.mu.RLock()
	fits := c.w != nil && c.w.Holds(set) && (also == nil || c.w.Holds(also))
	now := f.Clock.Now()
	old := fits && now.Sub(c.census.At()).Abs() > surveyAge
	known := fits && !old && c.census.Set == set
	c.mu.RUnlock()
	if known {
		return c, nil
	}
	if old { // what reads today has to be asked again
		c.mu.Lock()
		c.census = set.Survey(c.w, now)
		c.mu.Unlock()
		return c, nil
	}
	if fits { // other policies are in force
		c.mu.Lock()
		c.census = c.census.Next(set)
		c.mu.Unlock()
		return c, nil
	}
	sets := []*policy.Set{set}
	if also != nil {
		sets = append(sets, also)
	}
	w := policy.NewWorkforce(policy.NewDictionary(), set.Schema, sets...)
	rows, names := map[dayone.PersonID]int{}, []string(nil)
	err := f.Store.EachPerson(ctx, func(id dayone.PersonID) error {
		t, err := f.Store.Timeline(ctx, id)
		if err != nil || !t.Managed {
			return err
		}
		p := people.At(&t, now, now, set)
		rows[id] = w.Len()
		names = append(names, p.Name())
		w.Add(&p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w, c.census, c.rows, c.names = w, set.Survey(w, now), rows, names
	return c, nil
}

// follow keeps the crowd right after a look at one person.
func (f *Flow) follow(p dayone.Person) {
	c := &f.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.w == nil || !p.Managed {
		return
	}
	row, ok := c.rows[p.ID]
	if !ok {
		row = c.w.Len()
		c.rows[p.ID] = row
		c.names = append(c.names, "")
	}
	c.names[row] = p.Name()
	c.w.Set(row, &p)
	c.census.Update(row, &p)
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
	return out, nil
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

// reach is whom a proposal can concern at all. Without ids: everybody.
type reach struct {
	ids    map[dayone.PersonID]bool
	people int
	others func(dayone.Key) int // who gets a key among the rest
}

func (f *Flow) touched(ctx context.Context, pr Proposal) (reach, error) {
	force := f.force.Load()
	if len(force.stages) > 0 || !force.base.PoliciesOnly(pr.Set) {
		return reach{}, nil
	}
	c, err := f.crowded(ctx, pr.Set)
	if err != nil {
		return reach{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	after := c.census.Next(pr.Set)
	rows := c.census.Touched(after)
	out := reach{ids: make(map[dayone.PersonID]bool, rows.GetCardinality()), people: c.w.Len()}
	for it := rows.Iterator(); it.HasNext(); {
		out.ids[c.w.ID(int(it.Next()))] = true
	}
	out.others = func(k dayone.Key) int {
		c.mu.RLock() // the answers are shared with what follows every change
		defer c.mu.RUnlock()
		return int(roaring.AndNot(after.Given(k), rows).GetCardinality())
	}
	return out, nil
}
