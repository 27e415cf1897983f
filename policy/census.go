package policy

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
)

// Census is the answer of every condition of a set about everybody: who, by row of the workforce.
type Census struct {
	Set   *Set
	of    *Workforce
	index *Index
	now   time.Time
	yes   []*roaring.Bitmap // by unit
	doubt []*roaring.Bitmap // unknown
	from  *Census           // the one whose answers it took over, if people and their words mean the same in both
}

// Over answers every condition about everybody, on all cores.
func (x *Index) census(w *Workforce, now time.Time) *Census {
	c := &Census{Set: x.set, of: w, index: x, now: now, yes: make([]*roaring.Bitmap, x.units), doubt: make([]*roaring.Bitmap, x.units)}
	for u := range x.units {
		c.yes[u], c.doubt[u] = roaring.New(), roaring.New()
	}
	workers := runtime.GOMAXPROCS(0)
	chunk := (w.Len() + workers - 1) / workers
	var wg sync.WaitGroup
	parts := make([]*Census, workers)
	for i := range workers {
		from, to := min(i*chunk, w.Len()), min((i+1)*chunk, w.Len())
		wg.Go(func() { parts[i] = x.part(w, now, from, to) })
	}
	wg.Wait()
	for _, p := range parts {
		for u := range x.units {
			c.yes[u].Or(p.yes[u])
			c.doubt[u].Or(p.doubt[u])
		}
	}
	return c
}

// part counts some rows.
func (x *Index) part(w *Workforce, now time.Time, from, to int) *Census {
	yesRows, doubtRows := make([][]uint32, x.units), make([][]uint32, x.units)
	x.scan(w, now, from, to, func(row int, m *matcher) {
		for _, u := range m.touched {
			if m.truths[u] == yes {
				yesRows[u] = append(yesRows[u], uint32(row))
			} else {
				doubtRows[u] = append(doubtRows[u], uint32(row))
			}
		}
	})
	c := &Census{yes: make([]*roaring.Bitmap, x.units), doubt: make([]*roaring.Bitmap, x.units)}
	for u := range x.units {
		c.yes[u], c.doubt[u] = roaring.New(), roaring.New()
		c.yes[u].AddMany(yesRows[u])
		c.doubt[u].AddMany(doubtRows[u])
	}
	return c
}

// scan answers for each row and lets each see the answers.
func (x *Index) scan(w *Workforce, now time.Time, from, to int, each func(row int, m *matcher)) {
	r := x.rows(w, now)
	r.refresh()
	for row := from; row < to; row++ {
		r.look(row)
		each(row, r.m)
	}
}

// rows answers for people of a workforce, in any order. Those of one calendar day share their tables. It is for one
// goroutine.
type rows struct {
	x      *Index
	of     *Workforce
	now    time.Time
	m      *matcher
	cols   [][]uint32
	days   []time.Time
	tables [][]*table
	state  int // column of the status

	row    int
	at     *world // nil: not laid out
	person dayone.Person
}

func (x *Index) rows(w *Workforce, now time.Time) *rows {
	return &rows{x: x, of: w, now: now, m: x.matcher(), cols: make([][]uint32, len(x.cols)), state: w.column("person.status"), row: -1}
}

// refresh takes the columns as they are now: they grow, and a zone may be new.
func (r *rows) refresh() {
	for i, c := range r.x.cols {
		r.cols[i] = nil // a constant
		if n := r.of.column(c.path); n >= 0 {
			r.cols[i] = r.of.codes[n]
		}
	}
	r.days = r.of.days(r.now)
	r.tables = r.tables[:0]
	for _, d := range r.days {
		r.tables = append(r.tables, r.x.tables(d))
	}
	r.row, r.at = -1, nil
}

// look answers every unit about a row: the matcher has them.
func (r *rows) look(row int) {
	r.move(row)
	for i, c := range r.cols {
		r.m.row[i] = 0
		if c != nil {
			r.m.row[i] = c[row]
		}
	}
	r.m.match(r.tables[r.of.zones[row]], r.m.row, func() *world { return r.world(row) })
}

func (r *rows) move(row int) {
	if row != r.row {
		r.row, r.at = row, nil
	}
}

// world is what expressions about a row see.
func (r *rows) world(row int) *world {
	r.move(row)
	if r.at == nil {
		r.person = r.of.person(row, r.x.set)
		r.at = &world{set: r.x.set, of: &r.person, now: r.now}
		r.at.today.Time = r.days[r.of.zones[row]]
	}
	return r.at
}

func (r *rows) status(row int) dayone.Status {
	return dayone.Status(r.of.cols[r.state].sampleOf(r.of.codes[r.state][row]).value.Text)
}

func (r *rows) zone(row int) *time.Location { return r.of.zone[r.of.zones[row]] }

func (r *rows) site(row int) dayone.Site {
	n := r.of.column(siteColumn)
	if s := r.of.cols[n].sampleOf(r.of.codes[n][row]).site; s != nil {
		return *s
	}
	return dayone.Site{}
}

// start is the first instant of the primary engagement, where she works.
func (r *rows) start(row int) (time.Time, bool) {
	s := r.of.starts[row]
	if s == noStart {
		return time.Time{}, false
	}
	return time.Unix(s, 0).In(r.zone(row)), true
}

// Scanner goes through a workforce row by row and shows which policies hold, by their places in the set, and which cannot
// be answered. It keeps nothing: both lists are good until each returns. The scan may run in many goroutines at once.
func (s *Set) Scanner(w *Workforce, now time.Time) (scan func(from, to int, each func(row int, hold, unsure []int32))) {
	x := s.over(w.dict)
	policies := make([][]int32, x.units)
	for i, p := range s.Policies {
		policies[p.unit] = append(policies[p.unit], int32(i))
	}
	return func(from, to int, each func(row int, hold, unsure []int32)) {
		var hold, unsure []int32
		x.scan(w, now, from, to, func(row int, m *matcher) {
			hold, unsure = hold[:0], unsure[:0]
			for _, u := range m.touched {
				if m.truths[u] == yes {
					hold = append(hold, policies[u]...)
				} else {
					unsure = append(unsure, policies[u]...)
				}
			}
			each(row, hold, unsure)
		})
	}
}

// Next is the census of another set over the same people at the same instant. Questions that both ask are not asked again.
func (c *Census) Next(set *Set) *Census {
	out := &Census{Set: set, of: c.of, now: c.now, yes: make([]*roaring.Bitmap, len(set.units)), doubt: make([]*roaring.Bitmap, len(set.units))}
	same := slices.Equal(c.Set.listText(), set.listText()) && c.Set.sameAttributes(set)
	if same {
		out.from = c
	}
	var fresh []int
	for u := range set.units {
		if old, ok := c.Set.unitOf[set.units[u].key]; ok && same {
			out.yes[u], out.doubt[u] = c.yes[old], c.doubt[old]
		} else {
			fresh = append(fresh, u)
		}
	}
	if len(fresh) > 0 {
		out.ask(fresh)
	}
	return out
}

func (s *Set) listText() []string {
	var out []string
	for _, name := range sortedKeys(s.Schema.Lists) {
		out = append(out, name+"="+strings.Join(s.Schema.Lists[name], "\x00"))
	}
	return out
}

func (s *Set) sameAttributes(o *Set) bool {
	for name, a := range s.Schema.Attributes {
		if b, ok := o.Schema.Attributes[name]; !ok || a.Type != b.Type {
			return false
		}
	}
	return true
}

// ask answers a few units column by column, which is faster for them than going from person to person.
func (c *Census) ask(units []int) {
	if len(units) > 32 {
		all := c.Set.over(c.of.dict).census(c.of, c.now)
		for _, u := range units {
			c.yes[u], c.doubt[u] = all.yes[u], all.doubt[u]
		}
		return
	}
	sub := &Set{Schema: c.Set.Schema, env: c.Set.env, lists: c.Set.lists}
	for _, u := range units {
		sub.units = append(sub.units, c.Set.units[u])
	}
	x := &splitter{set: sub, byText: map[string]int{}, restText: map[string]int{}}
	for n := range sub.units {
		x.unit(n, &sub.units[n])
		u := units[n]
		c.yes[u], c.doubt[u] = roaring.New(), roaring.New()
	}
	days := c.of.days(c.now)
	answers := make([]*[2]*roaring.Bitmap, len(x.atoms))
	for n, conj := range x.conjs {
		var may, sure *roaring.Bitmap
		var rest []conjunct
		for _, l := range conj {
			if l.rest {
				rest = append(rest, l)
				continue
			}
			if answers[l.of] == nil {
				answers[l.of] = c.atom(sub, &x.atoms[l.of], days)
			}
			y, m := answers[l.of][0], answers[l.of][1] // yes, and may be
			if l.negate {
				y, m = c.everybodyBut(m), c.everybodyBut(y)
			}
			if may == nil {
				may, sure = m.Clone(), y.Clone()
				continue
			}
			may.And(m)
			sure.And(y)
		}
		if len(rest) > 0 {
			c.rest(sub, x, rest, may, sure, days)
		}
		u := units[x.unitOf[n]]
		c.yes[u].Or(sure)
		c.doubt[u].Or(may)
	}
	for _, u := range units {
		c.doubt[u].AndNot(c.yes[u])
	}
}

func (c *Census) everybodyBut(b *roaring.Bitmap) *roaring.Bitmap {
	return roaring.Flip(b, 0, uint64(c.of.Len()))
}

// fewCodes is up to how many values lists of people are united; beyond that the column is read through.
const fewCodes = 48

// atom answers one atom about everybody: yes, and yes or unknown.
func (c *Census) atom(set *Set, a *atom, days []time.Time) *[2]*roaring.Bitmap {
	w := c.of
	if a.today {
		return c.datedAtom(set, a, days)
	}
	if a.column == constant {
		p := dayone.Person{}
		return c.uniform(a.truth(&p, &world{set: set, of: &p}))
	}
	col := w.column(a.column)
	answers := w.answers(set, a, col, time.Time{})
	var sure, may []int
	for code, t := range answers {
		if t != no {
			may = append(may, code)
		}
		if t == yes {
			sure = append(sure, code)
		}
	}
	of := func(codes []int, from truth) *roaring.Bitmap {
		switch {
		case len(codes) <= fewCodes:
			post := w.posting(col)
			var parts []*roaring.Bitmap
			for _, code := range codes {
				if code < len(post) {
					parts = append(parts, post[code])
				}
			}
			return roaring.FastOr(parts...)
		default:
			hit := make([]uint64, len(answers))
			for _, code := range codes {
				hit[code] = 1
			}
			return dense(w.codes[col], hit)
		}
	}
	out := &[2]*roaring.Bitmap{of(sure, yes), nil}
	if out[1] = out[0]; len(may) != len(sure) {
		out[1] = of(may, unknown)
	}
	return out
}

// answers are those of an atom by code.
func (w *Workforce) answers(set *Set, a *atom, col int, day time.Time) []truth {
	c := w.cols[col]
	out := make([]truth, c.len())
	for code := range out {
		p := c.sampleOf(uint32(code)).person(c)
		at := &world{set: set, of: &p}
		at.today.Time = day
		out[code] = a.truth(&p, at)
	}
	return out
}

// dense reads a column through: hit has a 1 for the codes that count.
func dense(codes []uint32, hit []uint64) *roaring.Bitmap {
	words := make([]uint64, (len(codes)+63)/64)
	for i := range words {
		var word uint64
		block := codes[i*64 : min(len(codes), i*64+64)]
		for b, code := range block {
			word |= hit[code] << b
		}
		words[i] = word
	}
	return roaring.FromDense(words, true)
}

func (c *Census) datedAtom(set *Set, a *atom, days []time.Time) *[2]*roaring.Bitmap {
	w := c.of
	out := &[2]*roaring.Bitmap{roaring.New(), roaring.New()}
	col := w.column(a.column)
	byDay := map[time.Time][]truth{}
	var rows [2][]uint32
	for row, zone := range w.zones {
		day := days[zone]
		answers, ok := byDay[day]
		if !ok {
			if col < 0 {
				p := dayone.Person{}
				at := &world{set: set, of: &p}
				at.today.Time = day
				answers = []truth{a.truth(&p, at)}
			} else {
				answers = w.answers(set, a, col, day)
			}
			byDay[day] = answers
		}
		code := uint32(0)
		if col >= 0 {
			code = w.codes[col][row]
		}
		switch answers[code] {
		case yes:
			rows[0] = append(rows[0], uint32(row))
			rows[1] = append(rows[1], uint32(row))
		case unknown:
			rows[1] = append(rows[1], uint32(row))
		}
	}
	out[0].AddMany(rows[0])
	out[1].AddMany(rows[1])
	return out
}

func (c *Census) uniform(t truth) *[2]*roaring.Bitmap {
	none, everybody := roaring.New(), roaring.New()
	everybody.AddRange(0, uint64(c.of.Len()))
	switch t {
	case yes:
		return &[2]*roaring.Bitmap{everybody, everybody}
	case unknown:
		return &[2]*roaring.Bitmap{none, everybody}
	default:
		return &[2]*roaring.Bitmap{none, none}
	}
}

// rest asks CEL about whoever is left of one conjunction.
func (c *Census) rest(set *Set, x *splitter, rest []conjunct, may, sure *roaring.Bitmap, days []time.Time) {
	if may == nil {
		return
	}
	for it := may.Clone().Iterator(); it.HasNext(); {
		row := it.Next()
		p := c.of.person(int(row), set)
		at := &world{set: set, of: &p}
		at.today.Time = days[c.of.zones[row]]
		for _, l := range rest {
			got := x.residuals[l.of].ask(at)
			if l.negate {
				got = got.not()
			}
			if got != yes {
				sure.Remove(row)
			}
			if got == no {
				may.Remove(row)
				break
			}
		}
	}
}

// Update answers everything again about a person in a row that was set or added. Nobody may read meanwhile.
func (c *Census) Update(row int, p *dayone.Person) {
	if c.index == nil {
		c.index = c.Set.over(c.of.dict)
	}
	m := c.index.matcher()
	w := c.Set.worldOf(p, c.now)
	m.one(p, c.now, func() *world { return w })
	at := uint32(row)
	for u := range c.yes {
		c.yes[u].Remove(at)
		c.doubt[u].Remove(at)
	}
	for _, u := range m.touched {
		if m.truths[u] == yes {
			c.yes[u].Add(at)
		} else {
			c.doubt[u].Add(at)
		}
	}
}

// Touched is everybody for whom a policy that differs between the two sets holds, or may hold, in one of them: nobody
// else's want can differ, if all but the policies is the same.
func (c *Census) Touched(after *Census) *roaring.Bitmap {
	out := roaring.New()
	mark := func(c *Census, p *Policy) {
		out.Or(c.yes[p.unit])
		out.Or(c.doubt[p.unit])
	}
	old := map[string]*Policy{}
	for _, p := range c.Set.Policies {
		old[p.ID] = p
	}
	for _, p := range after.Set.Policies {
		before, had := old[p.ID]
		delete(old, p.ID)
		if had && before.text == p.text {
			continue
		}
		mark(after, p)
		if had {
			mark(c, before)
		}
	}
	for _, p := range old {
		mark(c, p)
	}
	return out
}

// At is the instant that the answers are for.
func (c *Census) At() time.Time { return c.now }

// Matches is who a policy holds for.
func (c *Census) Matches(p *Policy) *roaring.Bitmap { return c.yes[p.unit] }

// Unsure is whom a policy cannot be answered for.
func (c *Census) Unsure(p *Policy) *roaring.Bitmap { return c.doubt[p.unit] }
