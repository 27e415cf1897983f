package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// PoolView is a pool as pages show it.
type PoolView struct {
	NumberPool
	Count   map[dayone.NumberState]int
	Total   int
	Given   int // available without being asked for by name
	Outlook NumberOutlook
	Service NumberClass // what its class is on its platform
	Ranges  []RangeView
}

// RangeView is a range, or the single numbers of a pool.
type RangeView struct {
	NumberRange
	Count map[dayone.NumberState]int
	Total int
	Shut  string // why nothing of it is given out now; "": it is
	Out   string // why what is in use of it does not work; "": it does
}

// NumberPools are all pools as they stand, in the order of the plan, with how long they last.
func (f *Flow) NumberPools(ctx context.Context) ([]PoolView, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return nil, err
	}
	counts, err := n.Count()
	if err != nil {
		return nil, err
	}
	looks, err := f.outlooks(ctx, n, plan, counts)
	if err != nil {
		return nil, err
	}
	now := f.Clock.Now()
	out := make([]PoolView, 0, len(plan.Pools))
	for i := range plan.Pools {
		v := PoolView{NumberPool: plan.Pools[i], Count: map[dayone.NumberState]int{}, Outlook: looks[plan.Pools[i].Name]}
		v.Service, _ = plan.Class(v.Class, v.Platform, v.Site)
		v.Given = v.Outlook.Free
		ranges := map[string]*RangeView{}
		all := append(slices.Clone(v.NumberPool.Ranges), NumberRange{})
		views := make([]RangeView, len(all))
		for j, r := range all {
			views[j] = RangeView{NumberRange: r, Count: map[dayone.NumberState]int{}, Shut: v.Shut(&r, now), Out: r.Out(now)}
			ranges[r.First] = &views[j]
		}
		for _, c := range counts {
			r := ranges[c.Range]
			if c.Pool != v.Name || r == nil {
				continue
			}
			r.Count[c.State] += c.N
			r.Total += c.N
			v.Count[c.State] += c.N
			v.Total += c.N
		}
		if last := len(views) - 1; views[last].Total == 0 {
			views = views[:last]
		}
		v.Ranges = views
		out = append(out, v)
	}
	return out, nil
}

// ErrNotFound: no such pool.
func (f *Flow) NumberPool(ctx context.Context, name string) (PoolView, error) {
	pools, err := f.NumberPools(ctx)
	if err != nil {
		return PoolView{}, err
	}
	for _, p := range pools {
		if p.Name == name {
			return p, nil
		}
	}
	return PoolView{}, fmt.Errorf("numbers.yaml has no pool %q: %w", name, dayone.ErrNotFound)
}

// NumberCell is some numbers of a range, one after the other, and how many of them are in each state.
type NumberCell struct {
	First, Last dayone.NumberID
	Count       map[dayone.NumberState]int
}

// NumberMap lays a range out in at most so many cells.
func (f *Flow) NumberMap(ctx context.Context, pool, block string, cells int) ([]NumberCell, error) {
	ids, states, err := f.Store.ReadNumbers(ctx).States(pool, block)
	if err != nil || len(ids) == 0 || cells < 1 {
		return nil, err
	}
	size := 1
	for (len(ids)+size-1)/size > cells {
		size *= 10
	}
	var out []NumberCell
	for i := range ids {
		if i%size == 0 {
			out = append(out, NumberCell{First: ids[i], Count: map[dayone.NumberState]int{}})
		}
		c := &out[len(out)-1]
		c.Last = ids[i]
		c.Count[states[i]]++
	}
	return out, nil
}

// turnoverOver is the time over which the pace is measured at which a pool empties.
const turnoverOver = 90 * 24 * time.Hour

// outlooks foresee how long pools last: who is to come, what becomes free, and the pace of late.
func (f *Flow) outlooks(ctx context.Context, n *store.Numbers, plan *number.Plan, counts []store.NumberCount) (map[string]NumberOutlook, error) {
	now := f.Clock.Now()
	needs, err := f.numberNeeds(ctx, n, plan)
	if err != nil {
		return nil, err
	}
	taken, returned, err := n.Turnover(now.Add(-turnoverOver))
	if err != nil {
		return nil, err
	}
	out := map[string]NumberOutlook{}
	for i := range plan.Pools {
		p := &plan.Pools[i]
		free := 0
		for _, c := range counts {
			r, ok := p.Range(c.Range)
			if c.Pool == p.Name && c.State == dayone.NumberFree && !c.Vanity && (c.Range == "" || ok && p.Shut(r, now) == "") {
				free += c.N
			}
		}
		back, err := n.Coming(p.Name, now.Add(turnoverOver))
		if err != nil {
			return nil, err
		}
		out[p.Name] = number.Foresee(now, free, back, needs[p.Name], taken[p.Name], returned[p.Name], turnoverOver)
	}
	return out, nil
}

// numberNeeds are, by pool, the people who are to start and to whom rules give a number that they do not have yet.
func (f *Flow) numberNeeds(ctx context.Context, n *store.Numbers, plan *number.Plan) (map[string][]number.Need, error) {
	out := map[string][]number.Need{}
	rules, err := f.numberRules(plan)
	if err != nil || len(plan.Pools) == 0 {
		return out, err
	}
	q := PeopleFilter{Status: dayone.PreHire, Limit: store.AtOnce}
	for {
		rows, err := f.People(ctx, q)
		if err != nil {
			return nil, err
		}
		ids := make([]dayone.PersonID, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		people, err := f.peopleAt(ctx, ids, func(i int) time.Time { return rows[i].Starts })
		if err != nil {
			return nil, err
		}
		for i := range people {
			p := &people[i]
			if p.ID == "" {
				continue
			}
			own, _, err := n.Of(p.ID)
			if err != nil {
				return nil, err
			}
			pool := firstPool(plan, rules, p)
			if pool != "" && !slices.ContainsFunc(own, func(x dayone.Number) bool { return x.Pool == pool }) {
				out[pool] = append(out[pool], number.Need{Person: p.ID, At: rows[i].Starts})
			}
		}
		if len(rows) < q.Limit {
			return out, nil
		}
		q.AfterName, q.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
}

// firstPool is the pool that rules surely name for somebody; "": none, or it cannot be told.
func firstPool(plan *number.Plan, rules poolRules, p *dayone.Person) string {
	for i := range plan.Pools {
		switch rules.of(&plan.Pools[i], p, p.At) {
		case policy.Yes:
			return plan.Pools[i].Name
		case policy.Unknown:
			return ""
		}
	}
	return ""
}

// NumberView is a number as pages show it. Who may not know of its owner sees that somebody has it.
type NumberView struct {
	dayone.Number
	Owner    dayone.PersonID
	Name     string // of the owner; "": nobody, or nobody whom whoever asks may know of
	LastName string
	Hidden   bool // the owner is confidential
	Location string
	Shown    []ShownView
	Pool     *NumberPool
	Range    *NumberRange
}

// ShownView is a place where a number rings besides at its owner's.
type ShownView struct {
	dayone.Appearance
	Name string
}

// whoHas is somebody as a list shows her; hidden: whoever asks may not know of her.
func (f *Flow) whoHas(ctx context.Context, id dayone.PersonID, cache map[dayone.PersonID]string) (name string, hidden bool, err error) {
	if id == "" {
		return "", false, nil
	}
	if name, ok := cache[id]; ok {
		return name, name == "", nil
	}
	row, err := f.Person(ctx, id)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		if _, err := f.Store.Person(ctx, id); errors.Is(err, dayone.ErrNotFound) {
			cache[id] = string(id)
			return string(id), false, nil
		}
		cache[id] = ""
		return "", true, nil
	case err != nil:
		return "", false, err
	}
	if name = row.Name; name == "" {
		name = string(id)
	}
	cache[id] = name
	return name, false, nil
}

func (f *Flow) numberView(ctx context.Context, plan *number.Plan, x dayone.Number, cache map[dayone.PersonID]string) (NumberView, error) {
	v := NumberView{Number: x, Owner: x.Owner}
	var err error
	if v.Name, v.Hidden, err = f.whoHas(ctx, x.Owner, cache); err != nil {
		return v, err
	}
	if v.Hidden {
		v.Owner, v.Number.Owner = "", ""
	}
	last, hidden, err := f.whoHas(ctx, x.Last, cache)
	if err != nil {
		return v, err
	}
	if v.LastName = last; hidden {
		v.Number.Last = ""
	}
	if p, ok := plan.Pool(x.Pool); ok {
		v.Pool, v.Location = p, p.Location(x.Range)
		v.Range, _ = p.Range(x.Range)
	}
	return v, nil
}

// Numbers lists numbers.
func (f *Flow) Numbers(ctx context.Context, q NumberFilter) ([]NumberView, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return nil, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	if !strings.HasPrefix(q.Text, "+") {
		q.Text = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, q.Text)
	}
	if q.Owner != "" {
		if _, err := f.Person(ctx, q.Owner); err != nil {
			return nil, err
		}
	}
	q.Within = scopeOf(ctx)
	list, err := n.List(q)
	if err != nil {
		return nil, err
	}
	out, cache := make([]NumberView, 0, len(list)), map[dayone.PersonID]string{}
	for _, x := range list {
		v, err := f.numberView(ctx, plan, x, cache)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// NumberEventView is a line of a number's history.
type NumberEventView struct {
	dayone.NumberEvent
	Name string
}

// historyShown is how many lines of a history are shown.
const historyShown = 500

// Number is one number, with where else it rings and what became of it.
func (f *Flow) Number(ctx context.Context, id dayone.NumberID) (NumberView, []NumberEventView, error) {
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return NumberView{}, nil, err
	}
	x, err := n.Number(id)
	if err != nil {
		return NumberView{}, nil, err
	}
	cache := map[dayone.PersonID]string{}
	v, err := f.numberView(ctx, plan, x, cache)
	if err != nil {
		return v, nil, err
	}
	shown, err := n.Shown(id)
	if err != nil {
		return v, nil, err
	}
	for _, a := range shown {
		name, hidden, err := f.whoHas(ctx, a.Person, cache)
		if err != nil {
			return v, nil, err
		}
		if hidden {
			a.Person, a.Device = "", ""
		}
		v.Shown = append(v.Shown, ShownView{a, name})
	}
	lines, err := n.History(id, historyShown)
	if err != nil {
		return v, nil, err
	}
	out := make([]NumberEventView, 0, len(lines))
	for _, e := range lines {
		name, hidden, err := f.whoHas(ctx, e.Person, cache)
		if err != nil {
			return v, nil, err
		}
		if hidden {
			e.Person, e.Note = "", ""
		}
		out = append(out, NumberEventView{e, name})
	}
	return v, out, nil
}
