package policy

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// noStart is the start of whoever has none.
const noStart = math.MinInt64

// Glimpse is one entitlement as a glance sees it.
type Glimpse struct {
	Key  int32
	Role string
	Was  string // another role, before
	By   string // policy and line
}

// Looker is the working memory of one goroutine.
type Looker struct {
	*Glances
	held  func(row int) []dayone.Key // of the named ones
	at    []*rows
	said  [][]map[uint64]said
	halfs [2]half

	Gained, Lost, Changed, Pending []Glimpse
	Has                            []int32 // afterwards, by key
	Before, After                  []int32 // policies that give something
}

type said struct {
	value dayone.Value
	ok    bool
}

// half is one person under one set.
type half struct {
	cands           []glanceCand
	grants, pending []glanceGrant
	keep            []int32
	params          []glanceValue
	policies        []int32
	begun           []int8 // by offset: 1 it has, 2 it has not
	denied, later   []int32
	sides           []bool
}

type glanceValue struct {
	name  string
	value dayone.Value
	merge string
}

type glanceCand struct {
	rule     *glanceRule
	from, to int // parameters
}

type glanceGrant struct {
	key    int32
	role   string
	rank   int
	params []glanceValue
	cands  []glanceCand // that give it
	first  *glanceRule
}

// Looker begins to look. held says which of the named entitlements somebody has, whoever gave it; Refresh comes first.
func (g *Glances) Looker(held func(row int) []dayone.Key) *Looker {
	l := &Looker{Glances: g, held: held}
	for _, s := range g.sets {
		l.at = append(l.at, s.index.rows(g.of, g.now))
		memo := make([]map[uint64]said, len(s.reads))
		for i := range memo {
			memo[i] = map[uint64]said{}
		}
		l.said = append(l.said, memo)
	}
	return l
}

// Refresh takes the workforce as it is now. Until the next one nobody may write to it.
func (l *Looker) Refresh() {
	for _, r := range l.at {
		r.refresh()
	}
}

// Shift compares what somebody has under a set with the last one; false: look closely. What it leaves is good until the
// next call.
func (l *Looker) Shift(row, before int) bool {
	was, is := &l.halfs[0], &l.halfs[1]
	if !l.glance(row, before, was) || !l.glance(row, len(l.sets)-1, is) {
		return false
	}
	l.Gained, l.Lost, l.Changed, l.Pending, l.Has = l.Gained[:0], l.Lost[:0], l.Changed[:0], l.Pending[:0], l.Has[:0]
	i := 0
	lose := func(g *glanceGrant) {
		if !slices.Contains(is.keep, g.key) { // a condition that cannot be answered takes nothing away
			l.Lost = append(l.Lost, g.glimpse(g.role))
		}
	}
	for j := range is.grants {
		g := &is.grants[j]
		l.Has = append(l.Has, g.key)
		for ; i < len(was.grants) && was.grants[i].key < g.key; i++ {
			lose(&was.grants[i])
		}
		if i == len(was.grants) || was.grants[i].key != g.key {
			l.Gained = append(l.Gained, g.glimpse(g.role))
			continue
		}
		o := &was.grants[i]
		i++
		differ, sure := o.role != g.role, true
		if !differ {
			differ, sure = l.paramsDiffer(before, o, g)
		}
		switch {
		case !sure:
			return false
		case differ:
			l.Changed = append(l.Changed, g.glimpse(o.role))
		}
	}
	for ; i < len(was.grants); i++ {
		lose(&was.grants[i])
	}
	for j := range is.pending {
		g := &is.pending[j]
		same := func(o glanceGrant) bool { return o.key == g.key }
		if slices.ContainsFunc(was.pending, same) {
			continue
		}
		role := g.role
		if n := slices.IndexFunc(was.grants, same); n >= 0 {
			role = was.grants[n].role
		}
		l.Pending = append(l.Pending, g.glimpse(role))
	}
	l.Before, l.After = was.policies, is.policies
	return true
}

// glimpse of a grant; was is the role before.
func (g *glanceGrant) glimpse(was string) Glimpse {
	out := Glimpse{Key: g.key, Role: g.role, By: g.first.by}
	if was != g.role {
		out.Was = was
	}
	return out
}

// Holds is what somebody has under a set; false: look closely.
func (l *Looker) Holds(row, set int) bool {
	h := &l.halfs[0]
	if !l.glance(row, set, h) {
		return false
	}
	l.Has = l.Has[:0]
	for i := range h.grants {
		l.Has = append(l.Has, h.grants[i].key)
	}
	return true
}

// paramsDiffer says whether what is asked for with a grant is another thing; not sure where a kind maps what a policy may
// set too.
func (l *Looker) paramsDiffer(before int, o, g *glanceGrant) (differ, sure bool) {
	if l.diff[before][g.key] {
		return false, false
	}
	if len(o.params)+len(g.params) == 0 {
		return false, true
	}
	k := l.keys[g.key]
	mapping := l.sets[before].set.Systems[k.System].Kinds[k.Kind].Mapping
	named := func(vs []glanceValue, name string) *glanceValue {
		for i := range vs {
			if vs[i].name == name {
				return &vs[i]
			}
		}
		return nil
	}
	for i := range g.params {
		v := &g.params[i]
		switch w := named(o.params, v.name); {
		case w != nil:
			differ = differ || w.value != v.value
		default:
			if _, mapped := mapping[v.name]; mapped {
				return false, false
			}
			differ = true
		}
	}
	for i := range o.params {
		if _, mapped := mapping[o.params[i].name]; mapped && named(g.params, o.params[i].name) == nil {
			return false, false
		}
	}
	return differ, true
}

// glance lays out one person under one set; false: look closely.
func (l *Looker) glance(row, n int, h *half) bool {
	s, at := l.sets[n], l.at[n]
	status := at.status(row)
	if status == dayone.OnLeave || l.excepted(s, at, row) {
		return false
	}
	at.look(row)
	h.cands, h.grants, h.pending, h.keep, h.params = h.cands[:0], h.grants[:0], h.pending[:0], h.keep[:0], h.params[:0]
	h.policies, h.denied, h.later = h.policies[:0], h.denied[:0], h.later[:0]
	h.begun = append(h.begun[:0], make([]int8, len(s.offsets))...)
	for _, u := range at.m.touched {
		truth := at.m.truths[u]
		if len(s.denies[u]) > 0 {
			if truth == unknown { // it depends on what she has
				return false
			}
			h.denied = append(h.denied, s.denies[u]...)
		}
		for i := range s.rules[u] {
			r := &s.rules[u][i]
			if truth == unknown {
				if !r.offer {
					h.keep = append(h.keep, r.key)
				}
				continue
			}
			if !l.candidate(row, n, r, h) {
				return false
			}
		}
	}
	return l.merge(h) && l.settle(row, s, h)
}

// excepted: somebody is named by an exception or a waiver, running or not.
func (l *Looker) excepted(s *glanced, at *rows, row int) bool {
	if len(s.set.exceptOf) == 0 {
		return false
	}
	named := func(name string) bool {
		_, ok := s.set.exceptOf[name]
		return ok && name != ""
	}
	if named(string(l.of.ids[row])) {
		return true
	}
	for _, path := range []string{"person.email", "person.employee_number"} {
		n := l.of.column(path)
		if n < 0 {
			return true
		}
		if named(strings.ToLower(l.of.cols[n].sampleOf(l.of.codes[n][row]).value.Text)) {
			return true
		}
	}
	return false
}

// candidate adds a rule whose window is open; false: look closely.
func (l *Looker) candidate(row, n int, r *glanceRule, h *half) bool {
	from := len(h.params)
	drop := func(unknown bool) bool {
		h.params = h.params[:from]
		if unknown {
			h.keep = append(h.keep, r.key)
		}
		return true
	}
	for _, p := range r.params {
		v, ok, blind := l.ask(row, n, p.read)
		switch {
		case blind:
			return false
		case !ok:
			return drop(true)
		}
		h.params = append(h.params, glanceValue{p.name, v, p.merge})
	}
	until, known, blind := l.until(row, n, r)
	if blind {
		return false
	}
	if !known {
		return drop(true)
	}
	open, known, blind := l.opens(row, n, r, h)
	switch {
	case blind:
		return false
	case !known:
		return drop(true)
	case !until.IsZero() && !until.After(l.now):
		return drop(false)
	case !open:
		h.later = append(h.later, r.key)
		return drop(false)
	}
	h.cands = append(h.cands, glanceCand{r, from, len(h.params)})
	return true
}

// until is when a rule ends; zero: never.
func (l *Looker) until(row, n int, r *glanceRule) (until time.Time, known, blind bool) {
	at := l.at[n]
	start, started := at.start(row)
	for _, e := range r.until {
		var end time.Time
		if e.read < 0 {
			if !started {
				return until, false, false
			}
			end = e.offset.From(start, at.site(row).Holidays)
		} else {
			if end, known, blind = l.day(row, n, e.read); !known || blind {
				return until, known, blind
			}
			end = end.AddDate(0, 0, 1) // a last day counts to its end
		}
		if until.IsZero() || end.Before(until) {
			until = end
		}
	}
	if r.limit > 0 {
		if !started {
			return until, false, false
		}
		if t := start.AddDate(0, 0, r.limit); until.IsZero() || t.Before(until) {
			until = t
		}
	}
	return until, true, false
}

// opens says whether a rule has begun. Somebody without a start is in no window.
func (l *Looker) opens(row, n int, r *glanceRule, h *half) (open, known, blind bool) {
	at := l.at[n]
	if r.offset < 0 {
		t, known, blind := l.day(row, n, r.from)
		return known && !t.After(l.now), known, blind
	}
	start, started := at.start(row)
	if !started {
		return true, true, false
	}
	if h.begun[r.offset] == 0 {
		h.begun[r.offset] = 1
		if l.sets[n].offsets[r.offset].From(start, at.site(row).Holidays).After(l.now) {
			h.begun[r.offset] = 2
		}
	}
	return h.begun[r.offset] == 1, true, false
}

// day is the first instant of a day that is read of a person, where she is.
func (l *Looker) day(row, n int, read int32) (t time.Time, known, blind bool) {
	v, ok, blind := l.ask(row, n, read)
	d, good := v.Day()
	if blind || !ok || !good {
		return t, false, blind
	}
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, l.at[n].zone(row)), true, false
}

// remembered is how many answers of one readout are kept: what is different for everybody is not worth it.
const remembered = 1 << 13

// ask reads something of a person.
func (l *Looker) ask(row, n int, read int32) (v dayone.Value, ok, blind bool) {
	r := &l.sets[n].reads[read]
	if r.blind {
		return v, false, true
	}
	if r.once {
		v, ok = r.eval(l.at[n].world(row))
		return v, ok, false
	}
	key := uint64(0)
	for _, c := range r.cols {
		key = key<<32 | uint64(l.of.codes[c][row])
	}
	memo := l.said[n][read]
	if x, known := memo[key]; known {
		return x.value, x.ok, false
	}
	v, ok = r.eval(l.at[n].world(row))
	if len(memo) < remembered {
		memo[key] = said{v, ok}
	}
	return v, ok, false
}

// merge makes grants of candidates; false: they may contradict each other.
func (l *Looker) merge(h *half) bool {
	slices.SortFunc(h.cands, func(a, b glanceCand) int {
		return cmp.Or(cmp.Compare(a.rule.key, b.rule.key), cmp.Compare(a.rule.kind(), b.rule.kind()), cmp.Compare(a.rule.order, b.rule.order))
	})
	for i := 0; i < len(h.cands); {
		j := i + 1
		for j < len(h.cands) && h.cands[j].rule.key == h.cands[i].rule.key && h.cands[j].rule.kind() == h.cands[i].rule.kind() {
			j++
		}
		if h.cands[i].rule.offer {
			if j-i > 1 {
				return false
			}
			i = j
			continue
		}
		g := glanceGrant{key: h.cands[i].rule.key, cands: h.cands[i:j], first: h.cands[i].rule}
		if !g.fill(h) {
			return false
		}
		switch n := len(h.grants); {
		case !g.first.asks:
			h.grants = append(h.grants, g)
		case n == 0 || h.grants[n-1].key != g.key || g.rank > h.grants[n-1].rank:
			h.pending = append(h.pending, g)
		}
		i = j
	}
	return true
}

// kind orders the lines of one entitlement: what is given, what is given once somebody agreed, what may be asked for.
func (r *glanceRule) kind() int {
	switch {
	case r.offer:
		return 2
	case r.asks:
		return 1
	}
	return 0
}

func (g *glanceGrant) fill(h *half) bool {
	g.role, g.rank = g.first.role, g.first.rank
	for n, c := range g.cands {
		if n > 0 && c.rule.role != g.role {
			if !c.rule.ranks || !c.rule.ranked || !g.first.ranked {
				return false
			}
			if c.rule.rank > g.rank {
				g.role, g.rank = c.rule.role, c.rule.rank
			}
		}
	}
	if len(g.cands) == 1 {
		g.params = h.params[g.cands[0].from:g.cands[0].to]
		return true
	}
	for _, c := range g.cands {
		for _, v := range h.params[c.from:c.to] {
			at := slices.IndexFunc(g.params, func(o glanceValue) bool { return o.name == v.name })
			if at < 0 {
				g.params = append(g.params, v)
				continue
			}
			merged, ok := mergeParam(v.merge, g.params[at].value, v.value)
			if !ok {
				return false
			}
			g.params[at].value = merged
		}
	}
	return true
}

// settle applies denies, prerequisites and duties; false: somebody would hold both sides of a duty.
func (l *Looker) settle(row int, s *glanced, h *half) bool {
	if len(h.denied) > 0 {
		denied := func(k int32) bool { return slices.Contains(h.denied, k) }
		h.grants = slices.DeleteFunc(h.grants, func(g glanceGrant) bool { return denied(g.key) })
		h.pending = slices.DeleteFunc(h.pending, func(g glanceGrant) bool { return denied(g.key) })
		h.keep, h.later = slices.DeleteFunc(h.keep, denied), slices.DeleteFunc(h.later, denied)
	}
	has := func(k int32) bool {
		_, ok := slices.BinarySearchFunc(h.grants, k, func(g glanceGrant, k int32) int { return cmp.Compare(g.key, k) })
		return ok
	}
	lacks := func(n glanceNeed) bool { return !slices.ContainsFunc(n.by, has) }
	gone := func(n glanceNeed) bool {
		return lacks(n) && !slices.ContainsFunc(n.by, func(k int32) bool { return slices.Contains(h.keep, k) })
	}
	h.unless(s, gone, nil)
	h.unless(s, lacks, func(k int32) { h.keep = append(h.keep, k) }) // it hangs on what can neither be given nor taken
	if len(s.duty) > 0 && !l.dutiful(row, s, h) {
		return false
	}
	h.keep = slices.DeleteFunc(h.keep, func(k int32) bool {
		return has(k) || slices.ContainsFunc(h.pending, func(g glanceGrant) bool { return g.key == k })
	})
	for _, gs := range [][]glanceGrant{h.grants, h.pending} {
		for i := range gs {
			for _, c := range gs[i].cands {
				h.policies = append(h.policies, c.rule.policy)
			}
		}
	}
	slices.Sort(h.policies)
	h.policies = slices.Compact(h.policies)
	return true
}

// unless drops every grant that needs what is so, until none does.
func (h *half) unless(s *glanced, so func(glanceNeed) bool, dropped func(key int32)) {
	for n := -1; n != len(h.grants); {
		n = len(h.grants)
		h.grants = slices.DeleteFunc(h.grants, func(g glanceGrant) bool {
			drop := slices.ContainsFunc(s.needs[g.key], so)
			if drop && dropped != nil {
				dropped(g.key)
			}
			return drop
		})
	}
}

// dutiful: no separation of duty has a say about this person.
func (l *Looker) dutiful(row int, s *glanced, h *half) bool {
	h.sides = append(h.sides[:0], make([]bool, len(s.duty))...)
	for _, k := range h.later {
		if len(s.sides[k]) > 0 {
			return false
		}
	}
	for _, gs := range [][]glanceGrant{h.grants, h.pending} {
		for i := range gs {
			for _, n := range s.sides[gs[i].key] {
				h.sides[n] = true
			}
		}
	}
	for _, k := range l.held(row) {
		for n, named := range s.never {
			h.sides[n] = h.sides[n] || side(named, k)
		}
	}
	for n := 1; n < len(h.sides); n++ {
		for m := n - 1; m >= 0 && s.duty[m] == s.duty[n]; m-- {
			if h.sides[n] && h.sides[m] {
				return false
			}
		}
	}
	return true
}
