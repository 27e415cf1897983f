package policy

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/parser"

	"github.com/dayone-hq/dayone"
)

// unit is one question about a person that everything else is built from: does this policy hold, does this line of it.
type unit struct {
	statuses []dayone.Status
	conds    []*expr
	today    bool   // the answer may change with the calendar
	key      string // what it asks: the same in two sets is asked once
}

// truth asks CEL itself.
func (u *unit) truth(status dayone.Status, w *world) truth {
	if !slices.Contains(u.statuses, status) {
		return no
	}
	return all(u.conds, w)
}

// lines are all that give or deny a key. Equal marks mean the same key and the same lines.
type lines struct {
	rules  []*Rule
	denies []*Deny
	mark   uint64
}

var markSeed = maphash.MakeSeed()

// number gives every policy, rule and deny its unit. A line without a condition of its own shares the policy's.
func (s *Set) number() {
	s.unitOf, s.byKey = make(map[string]int, len(s.Policies)), make(map[dayone.Key]lines, len(s.Policies))
	var h maphash.Hash
	h.SetSeed(markSeed)
	add := func(p *Policy, own *expr) int {
		conds := p.Conditions
		if own != nil {
			conds = append(slices.Clone(conds), own)
		}
		u := unit{statuses: p.Statuses, conds: conds, key: unitKey(p.Statuses, conds)}
		if n, ok := s.unitOf[u.key]; ok {
			return n
		}
		u.today = slices.ContainsFunc(u.conds, func(e *expr) bool { return e.reads["today"] })
		s.units = append(s.units, u)
		s.unitOf[u.key] = len(s.units) - 1
		return len(s.units) - 1
	}
	mark := func(k dayone.Key, what byte, unit int, more ...string) lines {
		l := s.byKey[k]
		h.Reset()
		if l.mark == 0 {
			maphash.WriteComparable(&h, k)
		}
		maphash.WriteComparable(&h, l.mark)
		_ = h.WriteByte(what)
		_, _ = h.WriteString(s.units[unit].key)
		for _, m := range more {
			_, _ = h.WriteString(m)
			_ = h.WriteByte(0)
		}
		l.mark = h.Sum64()
		return l
	}
	defer func() {
		s.marks = make(map[uint64]bool, len(s.byKey))
		for _, l := range s.byKey {
			s.marks[l.mark] = true
		}
	}()
	for _, p := range s.Policies {
		p.unit = add(p, nil)
		of := func(own *expr) int {
			if own == nil {
				return p.unit
			}
			return add(p, own)
		}
		for _, r := range p.Grants {
			r.unit = of(r.If)
			asks := ""
			if r.Approval != nil {
				asks = "asks"
			}
			l := mark(r.Key, 'g', r.unit, r.Role, asks, r.shape())
			l.rules = append(l.rules, r)
			s.byKey[r.Key] = l
		}
		for _, r := range p.Offers {
			r.unit = of(r.If)
		}
		for _, d := range p.Denies {
			d.unit = of(d.If)
			l := mark(d.Key, 'd', d.unit)
			l.denies = append(l.denies, d)
			s.byKey[d.Key] = l
		}
	}
}

func unitKey(statuses []dayone.Status, conds []*expr) string {
	var b strings.Builder
	for _, s := range statuses {
		b.WriteString(string(s) + " ")
	}
	for _, e := range conds {
		b.WriteString("\x00" + e.text)
	}
	return b.String()
}

// constant is the column of what reads nothing of a person; siteColumn stands for everything that her location means.
const (
	constant   = ""
	siteColumn = "site"
	mostJoins  = 64 // conjunctions of one unit; beyond that its conditions are asked of CEL, person by person
)

// atom is the largest part of a condition that reads one attribute: its answer is looked up by the attribute's value.
type atom struct {
	column string
	today  bool
	text   string
	ask    func(*world) truth
	status []dayone.Status // instead of ask: the status is one of these
}

// literal is an atom or a residual in a conjunction.
type conjunct struct {
	of     int // atom, or residual
	rest   bool
	negate bool
}

// residual is what reads two attributes at once: CEL answers it, for those who are left.
type residual struct {
	text  string
	today bool
	ask   func(*world) truth
}

// splitter turns the units of a set into conjunctions of atoms.
type splitter struct {
	set       *Set
	atoms     []atom
	byText    map[string]int
	residuals []residual
	restText  map[string]int
	conjs     [][]conjunct
	unitOf    []int32 // of a conjunction
}

func (sp *splitter) unit(n int, u *unit) {
	var status strings.Builder
	status.WriteString("status in ")
	for _, s := range u.statuses {
		status.WriteString(string(s) + " ")
	}
	base := []conjunct{{of: sp.atom(atom{column: "person.status", text: status.String(), status: u.statuses})}}
	joins := [][]conjunct{base}
	for _, e := range u.conds {
		if joins = join(joins, sp.dnf(e, e.ast.NativeRep().Expr(), false)); joins == nil {
			break
		}
	}
	if joins == nil { // too many: ask for each condition as a whole
		whole := base
		for _, e := range u.conds {
			whole = append(whole, conjunct{of: sp.residual(e, e.ast.NativeRep().Expr()), rest: true})
		}
		joins = [][]conjunct{whole}
	}
	for _, c := range joins {
		sp.conjs = append(sp.conjs, c)
		sp.unitOf = append(sp.unitOf, int32(n))
	}
}

// join is the conjunction of two disjunctions; nil if it would be too large.
func join(a, b [][]conjunct) [][]conjunct {
	if b == nil || len(a)*len(b) > mostJoins {
		return nil
	}
	out := make([][]conjunct, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, append(slices.Clone(x), y...))
		}
	}
	return out
}

// dnf spreads && over ||, which is exact in a logic with three values. ?: is not part of it: it stays whole.
func (sp *splitter) dnf(e *expr, x ast.Expr, negate bool) [][]conjunct {
	cols, today, whole := columnsOf(x)
	if !whole && len(cols) <= 1 {
		a := atom{column: constant, today: today, text: sp.text(e, x)}
		if len(cols) == 1 {
			a.column = cols[0]
		}
		a.ask = sp.ask(e, x)
		return [][]conjunct{{{of: sp.atom(a), negate: negate}}}
	}
	if x.Kind() == ast.CallKind {
		call := x.AsCall()
		switch fn := call.FunctionName(); fn {
		case operators.LogicalNot:
			return sp.dnf(e, call.Args()[0], !negate)
		case operators.LogicalAnd, operators.LogicalOr:
			var out [][]conjunct
			for i, arg := range call.Args() {
				part := sp.dnf(e, arg, negate)
				switch {
				case part == nil || (i > 0 && out == nil):
					return nil
				case i == 0:
					out = part
				case (fn == operators.LogicalAnd) != negate:
					out = join(out, part)
				case len(out)+len(part) > mostJoins:
					return nil
				default:
					out = append(slices.Clone(out), part...)
				}
			}
			return out
		}
	}
	return [][]conjunct{{{of: sp.residual(e, x), rest: true, negate: negate}}}
}

func (sp *splitter) atom(a atom) int {
	key := a.column + "\x00" + a.text
	if n, ok := sp.byText[key]; ok {
		return n
	}
	sp.atoms = append(sp.atoms, a)
	sp.byText[key] = len(sp.atoms) - 1
	return len(sp.atoms) - 1
}

func (sp *splitter) residual(e *expr, x ast.Expr) int {
	text := sp.text(e, x)
	_, today, _ := columnsOf(x)
	if n, ok := sp.restText[text]; ok {
		return n
	}
	sp.residuals = append(sp.residuals, residual{text, today, sp.ask(e, x)})
	sp.restText[text] = len(sp.residuals) - 1
	return len(sp.residuals) - 1
}

// text names a part so that equal parts are answered once.
func (sp *splitter) text(e *expr, x ast.Expr) string {
	if text, err := parser.Unparse(x, e.ast.NativeRep().SourceInfo()); err == nil {
		return text
	}
	return e.at.String() + "#" + strconv.FormatInt(x.ID(), 10)
}

func (sp *splitter) ask(e *expr, x ast.Expr) func(*world) truth {
	prog, err := sp.set.program(e, x)
	if err != nil {
		return func(*world) truth { return unknown } // it was planned as part of the whole; it cannot fail alone
	}
	part := &expr{text: e.text, at: e.at, prog: prog}
	return part.truth
}

// program plans a part of a checked expression, types and all.
func (s *Set) program(e *expr, x ast.Expr) (cel.Program, error) {
	whole := e.ast.NativeRep()
	part := ast.NewCheckedAST(ast.NewAST(x, whole.SourceInfo()), whole.TypeMap(), whole.ReferenceMap())
	return s.env.PlanProgram(part, cel.CostLimit(maxCost))
}

// columnsOf says what a part reads. whole: it uses a person or site as a thing, not by an attribute.
func columnsOf(x ast.Expr) (cols []string, today, whole bool) {
	seen := map[int64]bool{} // parts of a selection that counts as a whole
	ast.PreOrderVisit(x, ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.SelectKind:
			if seen[x.ID()] {
				seen[x.AsSelect().Operand().ID()] = true
				return
			}
			path := pathOf(x)
			if path == "" || path == "person.custom" {
				return
			}
			seen[x.AsSelect().Operand().ID()] = true
			switch top, _, _ := strings.Cut(path, "."); top {
			case "person":
				cols = append(cols, path)
			case "site":
				cols = append(cols, siteColumn)
			}
		case ast.IdentKind:
			switch name := x.AsIdent(); {
			case seen[x.ID()]:
			case name == "today":
				today = true
			case name == "person" || name == "site" || name == "lists":
				whole = true
			}
		}
	}))
	slices.SortFunc(cols, cmp.Compare[string])
	return slices.Compact(cols), today, whole
}
