package policy

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"cel.dev/cel-go/common/types"

	"github.com/dayone-hq/dayone"
)

// Index answers all conditions of a set for one person at once. Conditions are split into atoms that read one attribute;
// CEL answers an atom once per value, not once per person; per value there is a mask over all conjunctions, and the
// answer for a person is the AND of the masks of her values. It has three values, like CEL: a mask of what is not
// certainly no, and one of what is certainly yes.
//
// It is safe for use by many goroutines. It agrees with Set.Reference for every person: the fuzz test holds that.
type Index struct {
	set       *Set
	dict      *Dictionary
	atoms     []atom
	residuals []residual
	conjs     [][]conjunct
	unitOf    []int32
	units     int
	words     int
	hard      []uint64 // conjunctions with residuals
	cols      []*column
	fixed     []*table // by column; nil where the table depends on the day
	dated     bool     // some do
	columnOf  []int    // of an atom
	dates     map[int]dated
	flips     flips

	mu   sync.RWMutex
	days map[int64][]*table // by Unix day; a few are kept
}

// keptDays is how many calendar days an index keeps tables for: at one instant there are two, three around the change of
// the date line.
const keptDays = 6

// Over builds the index of a set over a dictionary.
func (s *Set) Over(d *Dictionary) *Index {
	sp := &splitter{set: s, byText: map[string]int{}, restText: map[string]int{}}
	for n := range s.units {
		sp.unit(n, &s.units[n])
	}
	x := &Index{
		set: s, dict: d, atoms: sp.atoms, residuals: sp.residuals, conjs: sp.conjs, unitOf: sp.unitOf, units: len(s.units),
		words: (len(sp.conjs) + 63) / 64, days: map[int64][]*table{},
		columnOf: make([]int, len(sp.atoms)), dates: map[int]dated{}, flips: flips{of: map[atomValue]*calendarOf{}},
	}
	x.hard = make([]uint64, x.words)
	at := map[string]int{}
	var byDay []bool
	for n, c := range x.conjs {
		for _, l := range c {
			if l.rest {
				x.hard[n/64] |= 1 << (n % 64)
				if r := x.residuals[l.of]; r.today {
					d := x.dates[int(x.unitOf[n])]
					d.rest = true
					x.dates[int(x.unitOf[n])] = d
				}
				continue
			}
			a := x.atoms[l.of]
			i, ok := at[a.column]
			if !ok {
				i = len(x.cols)
				at[a.column] = i
				x.cols, byDay = append(x.cols, d.column(a.column)), append(byDay, false)
			}
			x.columnOf[l.of] = i
			if a.today {
				byDay[i], x.dated = true, true
				of := x.dates[int(x.unitOf[n])]
				of.atoms = append(of.atoms, l.of)
				x.dates[int(x.unitOf[n])] = of
			}
		}
	}
	x.fixed = make([]*table, len(x.cols))
	for i, c := range x.cols {
		if !byDay[i] {
			x.fixed[i] = x.table(c, time.Time{})
		}
	}
	return x
}

// Stats of an index, for whoever writes policies.
type Stats struct {
	Policies, Conditions, Conjunctions, Atoms, Residuals int
	Columns                                              []ColumnStats
}

// ColumnStats say how many values an attribute has and how many of them policies tell apart.
type ColumnStats struct {
	Name            string
	Values, Classes int
}

// Stats counts.
func (x *Index) Stats() Stats {
	s := Stats{Policies: len(x.set.Policies), Conditions: x.units, Conjunctions: len(x.conjs), Atoms: len(x.atoms), Residuals: len(x.residuals)}
	for i, c := range x.cols {
		if c.path == constant || x.fixed[i] == nil {
			continue
		}
		s.Columns = append(s.Columns, ColumnStats{c.path, c.len() - 1, len(x.fixed[i].state.Load().classes)})
	}
	return s
}

// table is what one column's values say about the conjunctions. Values that say the same share a class.
type table struct {
	x     *Index
	col   *column
	day   time.Time // of the atoms that read today
	terms []term
	state atomic.Pointer[tableState]

	mu     sync.Mutex
	byText map[string]uint32
}

// term is one literal on the column.
type term struct {
	conj   int32
	atom   int32 // in the table's own order
	negate bool
}

type tableState struct {
	class   []uint32 // by code
	classes []mask
	atoms   []int // of the index, in the table's order
}

// mask of a class: bits by conjunction. Where doubt is false, both are the same.
type mask struct {
	may, yes []uint64
	doubt    bool
}

func (x *Index) table(c *column, day time.Time) *table {
	t := &table{x: x, col: c, day: day, byText: map[string]uint32{}}
	own := map[int]int32{}
	state := &tableState{}
	for n, conj := range x.conjs {
		for _, l := range conj {
			if l.rest || x.atoms[l.of].column != c.path {
				continue
			}
			i, ok := own[l.of]
			if !ok {
				i = int32(len(state.atoms))
				own[l.of] = i
				state.atoms = append(state.atoms, l.of)
			}
			t.terms = append(t.terms, term{int32(n), i, l.negate})
		}
	}
	t.state.Store(state)
	t.grow(c.len())
	return t
}

// of gives the mask of a code, asking CEL about values that are new.
func (t *table) of(code uint32) *mask {
	s := t.state.Load()
	if int(code) >= len(s.class) {
		s = t.grow(int(code) + 1)
	}
	return &s.classes[s.class[code]]
}

func (t *table) grow(n int) *tableState {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.state.Load()
	n = max(n, t.col.len())
	if len(old.class) >= n {
		return old
	}
	s := &tableState{class: old.class, classes: old.classes, atoms: old.atoms}
	answers := make([]byte, len(s.atoms))
	for code := len(old.class); code < n; code++ {
		p := t.col.sampleOf(uint32(code)).person(t.col)
		w := &world{set: t.x.set, of: &p, today: types.Timestamp{Time: t.day}}
		for i, a := range s.atoms {
			answers[i] = byte(t.x.atoms[a].truth(&p, w))
		}
		class, ok := t.byText[string(answers)]
		if !ok {
			class = uint32(len(s.classes))
			t.byText[string(answers)] = class
			s.classes = append(s.classes, t.mask(answers))
		}
		s.class = append(s.class, class)
	}
	t.state.Store(s)
	return s
}

func (a *atom) truth(p *dayone.Person, w *world) truth {
	if a.ask != nil {
		return a.ask(w)
	}
	for _, s := range a.status {
		if s == p.Status {
			return yes
		}
	}
	return no
}

func (t *table) mask(answers []byte) mask {
	m := mask{may: make([]uint64, t.x.words)}
	for i := range m.may {
		m.may[i] = ^uint64(0)
	}
	m.yes = m.may
	for _, tm := range t.terms {
		got := truth(answers[tm.atom])
		if tm.negate {
			got = got.not()
		}
		if got == unknown && !m.doubt {
			m.doubt = true
			m.yes = append([]uint64(nil), m.may...)
		}
		word, bit := tm.conj/64, uint64(1)<<(tm.conj%64)
		if got == no {
			m.may[word] &^= bit
		}
		if got != yes {
			m.yes[word] &^= bit
		}
	}
	return m
}

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	default:
		return unknown
	}
}

// tables are those of a calendar day.
func (x *Index) tables(day time.Time) []*table {
	if !x.dated {
		return x.fixed
	}
	key := day.Unix() / 86400
	x.mu.RLock()
	ts := x.days[key]
	x.mu.RUnlock()
	if ts != nil {
		return ts
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if ts = x.days[key]; ts != nil {
		return ts
	}
	ts = make([]*table, len(x.cols))
	for i, c := range x.cols {
		if ts[i] = x.fixed[i]; ts[i] == nil {
			ts[i] = x.table(c, day)
		}
	}
	for len(x.days) >= keptDays {
		far := key
		for k := range x.days {
			if max(k-key, key-k) >= max(far-key, key-far) {
				far = k
			}
		}
		delete(x.days, far)
	}
	x.days[key] = ts
	return ts
}

// matcher is the working memory of one goroutine: it allocates nothing per person.
type matcher struct {
	x        *Index
	may, yes []uint64
	truths   []truth // by unit
	touched  []int32 // units that are not no
	rest     []truth // by residual
	asked    []bool
	row      []uint32
}

func (x *Index) matcher() *matcher {
	return &matcher{
		x: x, may: make([]uint64, x.words), yes: make([]uint64, x.words), truths: x.allNo(), rest: make([]truth, len(x.residuals)),
		asked: make([]bool, len(x.residuals)), row: make([]uint32, len(x.cols)),
	}
}

func (x *Index) allNo() []truth {
	out := make([]truth, x.units)
	for i := range out {
		out[i] = no
	}
	return out
}

// match answers every unit for somebody whose values have these codes. w is asked for only by residuals.
func (m *matcher) match(ts []*table, row []uint32, w func() *world) {
	for _, u := range m.touched {
		m.truths[u] = no
	}
	m.touched = m.touched[:0]
	doubt := false
	var masks [48]*mask
	n := len(ts)
	if n > len(masks) {
		m.wide(ts, row)
		doubt = true
	} else {
		for i, t := range ts {
			masks[i] = t.of(row[i])
			doubt = doubt || masks[i].doubt
		}
		may := m.may
		copy(may, masks[0].may)
		for _, k := range masks[1:n] {
			src := k.may[:len(may)]
			for j := range may {
				may[j] &= src[j]
			}
		}
		if doubt {
			yes := m.yes
			copy(yes, masks[0].yes)
			for _, k := range masks[1:n] {
				src := k.yes[:len(yes)]
				for j := range yes {
					yes[j] &= src[j]
				}
			}
		}
	}
	for j, word := range m.may {
		if hard := word & m.x.hard[j]; hard != 0 {
			if !doubt {
				copy(m.yes, m.may)
				doubt = true
			}
			m.residuals(j, hard, w)
			word = m.may[j]
		}
		for ; word != 0; word &= word - 1 {
			b := bits.TrailingZeros64(word)
			c := j*64 + b
			if c >= len(m.x.unitOf) {
				break
			}
			u := m.x.unitOf[c]
			sure := !doubt || m.yes[j]>>b&1 == 1
			switch {
			case sure && m.truths[u] == no:
				m.truths[u] = yes
				m.touched = append(m.touched, u)
			case sure:
				m.truths[u] = yes
			case m.truths[u] == no:
				m.truths[u] = unknown
				m.touched = append(m.touched, u)
			}
		}
	}
	for i := range m.asked {
		m.asked[i] = false
	}
}

// wide is for more columns than anybody has.
func (m *matcher) wide(ts []*table, row []uint32) {
	for i, t := range ts {
		k := t.of(row[i])
		for j := range m.may {
			if i == 0 {
				m.may[j], m.yes[j] = k.may[j], k.yes[j]
				continue
			}
			m.may[j] &= k.may[j]
			m.yes[j] &= k.yes[j]
		}
	}
}

// residuals asks CEL about the conjunctions of one word that are left.
func (m *matcher) residuals(j int, hard uint64, w func() *world) {
	for ; hard != 0; hard &= hard - 1 {
		b := bits.TrailingZeros64(hard)
		for _, l := range m.x.conjs[j*64+b] {
			if !l.rest {
				continue
			}
			if !m.asked[l.of] {
				m.rest[l.of], m.asked[l.of] = m.x.residuals[l.of].ask(w()), true
			}
			got := m.rest[l.of]
			if l.negate {
				got = got.not()
			}
			if got != yes {
				m.yes[j] &^= 1 << b
			}
			if got == no {
				m.may[j] &^= 1 << b
				break
			}
		}
	}
}

// one answers for a person as she comes.
func (m *matcher) one(p *dayone.Person, now time.Time, w func() *world) {
	for i, c := range m.x.cols {
		m.row[i] = c.code(p)
	}
	var day time.Time
	if m.x.dated {
		day = dayAt(p, now)
	}
	m.match(m.x.tables(day), m.row, w)
}

// Differ compares which grants two states of a person get by conditions alone. It is for one goroutine.
func (s *Set) Differ() func(before, after *dayone.Person, now time.Time) (gained, lost int) {
	x := s.index()
	a, b := x.matcher(), x.matcher()
	keys := map[dayone.Key]int{}
	of := make([][]int, x.units)
	for _, p := range s.Policies {
		for _, r := range p.Grants {
			n, ok := keys[r.Key]
			if !ok {
				n = len(keys)
				keys[r.Key] = n
			}
			of[r.unit] = append(of[r.unit], n)
		}
	}
	was, is := make([]uint64, (len(keys)+63)/64), make([]uint64, (len(keys)+63)/64)
	fill := func(m *matcher, to []uint64) {
		clear(to)
		for _, u := range m.touched {
			if m.truths[u] == yes {
				for _, k := range of[u] {
					to[k/64] |= 1 << (k % 64)
				}
			}
		}
	}
	return func(before, after *dayone.Person, now time.Time) (gained, lost int) {
		a.one(before, now, func() *world { return s.worldOf(before, now) })
		b.one(after, now, func() *world { return s.worldOf(after, now) })
		fill(a, was)
		fill(b, is)
		for i := range was {
			gained += bits.OnesCount64(is[i] &^ was[i])
			lost += bits.OnesCount64(was[i] &^ is[i])
		}
		return gained, lost
	}
}
