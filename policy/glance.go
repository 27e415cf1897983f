package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
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
	g.sets = make([]*glanced, len(sets))
	var wg sync.WaitGroup
	for i, s := range sets {
		wg.Go(func() { g.sets[i] = g.ready(s, keys, ids) })
	}
	wg.Wait()
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
		set: s, index: s.over(g.of.dict), rules: make([][]glanceRule, len(s.units)), denies: make([][]int32, len(s.units)),
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
