package policy

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Glances say what sets give everybody in a workforce, in numbers: who gains and loses what when one set takes the place
// of another. They answer for those whose answer follows from conditions, windows, parameters, approvals, denies and
// prerequisites; of anybody else they say that she is to be looked at closely. Where a glance answers, it agrees with
// Want: a test holds that. The workforce must have been laid out as all the sets would (SamePeople).
type Glances struct {
	of   *Workforce
	now  time.Time
	keys []dayone.Key // of all sets, in their order
	ids  []string     // of the policies of all sets
	sets []*glanced
	diff []map[int32]bool // by set: kinds that map other attributes than in the last set
}

// glanced is one set made ready.
type glanced struct {
	set     *Set
	index   *Index
	rules   [][]glanceRule // by unit
	denies  [][]int32      // keys, by unit
	needs   [][]glanceNeed // by key
	offsets []Offset       // of windows
	reads   []readout
	sides   [][]int32 // by key: sides of duties
	duty    []int32   // of a side
	never   []dayone.Key
}

// glanceRule is one line that grants or offers.
type glanceRule struct {
	key, policy   int32
	order         int32 // among all lines: by policy and place
	offer, asks   bool
	role          string
	by            string
	params        []glanceParam
	offset        int32 // of the window's begin; -1: it is a date
	from          int32 // what is read for it
	until         []glanceEnd
	limit         int // days, the one on which it ends included; 0: none
	ranked, ranks bool
	rank          int
}

type glanceParam struct {
	name  string
	read  int32
	merge string
}

type glanceEnd struct {
	offset Offset
	read   int32 // -1: the offset
}

type glanceNeed struct {
	implied bool
	by      []int32 // any of these keys
}

// readout is what a rule reads of a person, remembered by the values that it is made of.
type readout struct {
	eval  func(*world) (dayone.Value, bool)
	cols  []int
	blind bool // it reads what the workforce does not hold
	once  bool // never the same twice: not remembered
}

// NewGlances makes sets ready for each other, the last being what is compared with.
func NewGlances(w *Workforce, now time.Time, sets ...*Set) *Glances {
	g := &Glances{of: w, now: now}
	keys, ids := map[dayone.Key]int32{}, map[string]int32{}
	for _, s := range sets {
		for k := range s.byKey {
			keys[k] = 0
		}
		for _, p := range s.Policies {
			for _, r := range p.Offers {
				keys[r.Key] = 0
			}
			ids[p.ID] = 0
		}
	}
	g.keys, g.ids = slices.SortedFunc(maps.Keys(keys), compareKeys), slices.Sorted(maps.Keys(ids))
	for i, k := range g.keys {
		keys[k] = int32(i)
	}
	for i, id := range g.ids {
		ids[id] = int32(i)
	}
	for _, s := range sets {
		g.sets = append(g.sets, g.ready(s, keys, ids))
	}
	last := sets[len(sets)-1]
	for _, s := range sets {
		g.diff = append(g.diff, g.mapDiffers(s, last))
	}
	return g
}

// mapDiffers are the keys whose kinds map other attributes in one set than in another.
func (g *Glances) mapDiffers(a, b *Set) map[int32]bool {
	lists := slices.Equal(a.listText(), b.listText())
	out := map[int32]bool{}
	known := map[kindOf]bool{}
	for i, k := range g.keys {
		kind := kindOf{k.System, k.Kind}
		same, seen := known[kind]
		if !seen {
			x, y := a.mapping[kind], b.mapping[kind]
			same = maps.Equal(a.Systems[k.System].Kinds[k.Kind].Mapping, b.Systems[k.System].Kinds[k.Kind].Mapping) &&
				maps.EqualFunc(x, y, func(s, t *template) bool { return s.text == t.text && s.want == t.want && (lists || !s.readsLists()) })
			known[kind] = same
		}
		if !same {
			out[int32(i)] = true
		}
	}
	return out
}

func (t *template) readsLists() bool { return strings.Contains(t.text, "lists") }

// Keys by number, and policies.
func (g *Glances) Keys() []dayone.Key { return g.keys }

// Policies are the ids by number.
func (g *Glances) Policies() []string { return g.ids }

// Named are the entitlements whose holders must be known before the sets can be glanced at: sides of duties, on whichever
// account.
func (g *Glances) Named() []dayone.Key {
	seen := map[dayone.Key]bool{}
	for _, s := range g.sets {
		for _, k := range s.never {
			seen[k] = true
			if k.As == dayone.Personal {
				for _, as := range dayone.AccountKinds {
					k.As = as
					seen[k] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), compareKeys)
}

func (g *Glances) ready(s *Set, keys map[dayone.Key]int32, ids map[string]int32) *glanced {
	out := &glanced{
		set: s, index: s.Over(g.of.dict), rules: make([][]glanceRule, len(s.units)), denies: make([][]int32, len(s.units)),
		needs: make([][]glanceNeed, len(g.keys)), sides: make([][]int32, len(g.keys)),
	}
	type placed struct {
		policy *Policy
		rule   *Rule
		offer  bool
	}
	var all []placed
	for _, p := range s.Policies {
		for _, r := range p.Grants {
			all = append(all, placed{p, r, false})
		}
		for _, r := range p.Offers {
			all = append(all, placed{p, r, true})
		}
		for _, d := range p.Denies {
			if k, ok := keys[d.Key]; ok {
				out.denies[d.unit] = append(out.denies[d.unit], k)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.policy.ID, b.policy.ID), cmp.Compare(a.rule.At.line(), b.rule.At.line()))
	})
	reads := map[any]int32{}
	for i, x := range all {
		r := out.rule(g, x.policy, x.rule, reads)
		r.key, r.policy, r.order, r.offer = keys[x.rule.Key], ids[x.policy.ID], int32(i), x.offer
		out.rules[x.rule.unit] = append(out.rules[x.rule.unit], r)
	}
	for i, k := range g.keys {
		kinds := s.Systems[k.System].Kinds
		for _, need := range kinds[k.Kind].Needs {
			n := glanceNeed{implied: kinds[need].Implied}
			for j, o := range g.keys {
				if o.System == k.System && o.Kind == need && o.As == k.As {
					n.by = append(n.by, int32(j))
				}
			}
			if !n.implied {
				out.needs[i] = append(out.needs[i], n)
			}
		}
	}
	for n, d := range s.Duties {
		for _, named := range d.Never {
			number := int32(len(out.duty))
			out.duty, out.never = append(out.duty, int32(n)), append(out.never, named)
			for i, k := range g.keys {
				if side(named, k) {
					out.sides[i] = append(out.sides[i], number)
				}
			}
		}
	}
	return out
}

func (s *glanced) rule(g *Glances, p *Policy, r *Rule, reads map[any]int32) glanceRule {
	kind := s.set.Systems[r.Key.System].Kinds[r.Key.Kind]
	out := glanceRule{
		asks: r.Approval != nil, role: r.Role, by: s.set.reason(candidate{policy: p, rule: r}).String(), offset: -1, from: -1,
		rank: slices.Index(kind.Roles, r.Role), ranks: len(kind.Roles) > 0,
	}
	if p.Limit > 0 {
		out.limit = int(p.Limit.Hours()/24) + 1
	}
	out.ranked = r.Role == "" || out.rank >= 0
	for _, name := range sortedKeys(r.Params) {
		t := r.Params[name]
		out.params = append(out.params, glanceParam{name, s.read(g, reads, t, t.exprs(), func(w *world) (dayone.Value, bool) {
			v, err := t.eval(w)
			return v, err == nil
		}), kind.Params[name].Merge})
	}
	date := func(m *moment) int32 {
		return s.read(g, reads, m, []*expr{m.expr}, func(w *world) (dayone.Value, bool) {
			v, err := m.expr.eval(w)
			if err != nil {
				return dayone.Value{}, false
			}
			n, err := nounValue(v, dayone.DateValue)
			_, ok := n.Day()
			return n, ok && err == nil
		})
	}
	for _, m := range []*moment{p.Until, r.Until} {
		switch {
		case m == nil:
		case m.expr != nil:
			out.until = append(out.until, glanceEnd{read: date(m)})
		default:
			out.until = append(out.until, glanceEnd{offset: m.offset, read: -1})
		}
	}
	m := r.From
	if m == nil {
		m = p.From
	}
	if m != nil && m.expr != nil {
		out.from = date(m)
		return out
	}
	offset := s.set.lead(r.Key)
	if m != nil {
		offset = m.offset
	}
	if offset.WithAccount {
		offset = s.set.lead(r.Key.Account())
	}
	at := slices.Index(s.offsets, offset)
	if at < 0 {
		at = len(s.offsets)
		s.offsets = append(s.offsets, offset)
	}
	out.offset = int32(at)
	return out
}

// exprs of a template.
func (t *template) exprs() []*expr {
	var out []*expr
	for _, p := range t.parts {
		if p.expr != nil {
			out = append(out, p.expr)
		}
	}
	return out
}

func (s *glanced) read(g *Glances, known map[any]int32, of any, exprs []*expr, eval func(*world) (dayone.Value, bool)) int32 {
	if n, ok := known[of]; ok {
		return n
	}
	r := readout{eval: eval}
	for _, e := range exprs {
		cols, today, whole := columnsOf(e.ast.NativeRep().Expr())
		r.blind = r.blind || whole
		r.once = r.once || today
		for _, path := range cols {
			n := g.of.column(path)
			if n < 0 {
				r.blind = true
			} else if !slices.Contains(r.cols, n) {
				r.cols = append(r.cols, n)
			}
		}
	}
	r.once = r.once || len(r.cols) > 2
	n := int32(len(s.reads))
	known[of] = n
	s.reads = append(s.reads, r)
	return n
}

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
	zones []*time.Location
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
	opens           []int8 // by offset: 1 open, 2 to come
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
	l.Gained, l.Lost, l.Changed, l.Pending = l.Gained[:0], l.Lost[:0], l.Changed[:0], l.Pending[:0]
	glimpse := func(g *glanceGrant, role string) Glimpse {
		x := Glimpse{Key: g.key, Role: g.role, By: g.first.by}
		if role != g.role {
			x.Was = role
		}
		return x
	}
	i := 0
	l.Has = l.Has[:0]
	lose := func(g *glanceGrant) {
		if !slices.Contains(is.keep, g.key) { // a condition that cannot be answered takes nothing away
			l.Lost = append(l.Lost, glimpse(g, g.role))
		}
	}
	for j := range is.grants {
		g := &is.grants[j]
		l.Has = append(l.Has, g.key)
		for ; i < len(was.grants) && was.grants[i].key < g.key; i++ {
			lose(&was.grants[i])
		}
		if i == len(was.grants) || was.grants[i].key != g.key {
			x := Glimpse{Key: g.key, Role: g.role, By: g.first.by}
			l.Gained = append(l.Gained, x)
			continue
		}
		o := &was.grants[i]
		i++
		differ := o.role != g.role
		if !differ {
			var sure bool
			if differ, sure = l.paramsDiffer(before, o, g); !sure {
				return false
			}
		}
		if differ {
			l.Changed = append(l.Changed, glimpse(g, o.role))
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
		l.Pending = append(l.Pending, glimpse(g, role))
	}
	l.Before, l.After = was.policies, is.policies
	return true
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
	h.opens = append(h.opens[:0], make([]int8, len(s.offsets))...)
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
	s, at := l.sets[n], l.at[n]
	from := len(h.params)
	for _, p := range r.params {
		v, ok, blind := l.ask(row, n, p.read)
		if blind {
			return false
		}
		if !ok {
			h.params = h.params[:from]
			h.keep = append(h.keep, r.key)
			return true
		}
		h.params = append(h.params, glanceValue{p.name, v, p.merge})
	}
	drop := func() bool {
		h.params = h.params[:from]
		return true
	}
	lost := func() bool {
		h.keep = append(h.keep, r.key)
		return drop()
	}
	start, started := at.start(row)
	var until time.Time
	for _, e := range r.until {
		var end time.Time
		switch {
		case e.read >= 0:
			v, ok, blind := l.ask(row, n, e.read)
			if blind {
				return false
			}
			d, good := v.Day()
			if !ok || !good {
				return lost()
			}
			end = time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, at.zone(row)).AddDate(0, 0, 1)
		case !started:
			return lost()
		default:
			end = e.offset.From(start, at.site(row).Holidays)
		}
		if until.IsZero() || end.Before(until) {
			until = end
		}
	}
	if r.limit > 0 {
		if !started {
			return lost()
		}
		if t := start.AddDate(0, 0, r.limit); until.IsZero() || t.Before(until) {
			until = t
		}
	}
	open := true
	switch {
	case r.offset < 0:
		v, ok, blind := l.ask(row, n, r.from)
		if blind {
			return false
		}
		d, good := v.Day()
		if !ok || !good {
			return lost()
		}
		open = !time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, at.zone(row)).After(l.now)
	case started:
		if h.opens[r.offset] == 0 {
			h.opens[r.offset] = 1
			if s.offsets[r.offset].From(start, at.site(row).Holidays).After(l.now) {
				h.opens[r.offset] = 2
			}
		}
		open = h.opens[r.offset] == 1
	}
	switch {
	case !until.IsZero() && !until.After(l.now):
		return drop()
	case !open:
		h.later = append(h.later, r.key)
		return drop()
	}
	h.cands = append(h.cands, glanceCand{r, from, len(h.params)})
	return true
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
	for again := true; again; {
		n := len(h.grants)
		h.grants = slices.DeleteFunc(h.grants, func(g glanceGrant) bool {
			return slices.ContainsFunc(s.needs[g.key], func(n glanceNeed) bool { return !slices.ContainsFunc(n.by, has) })
		})
		again = len(h.grants) < n
	}
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
