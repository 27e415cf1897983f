package policy

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Coverage is how much of the policies tests have put to the question.
type Coverage struct {
	Conditions, Lines Count
	Gaps              []Gap
}

// Count of those that some test made true and some test made false.
type Count struct{ Covered, All int }

// Gap is a condition, or a line that gives, offers or denies, that no test made true or none made false.
type Gap struct {
	Position
	Policy    string
	What      string // condition, grant, offer, deny
	Text      string
	NeverTrue bool
	NeverNot  bool
}

// asked is what tests made of one thing.
type asked struct {
	Gap
	ask func(*world) truth
	of  *Policy // conditions: asked only of those for whom the policy is
}

// Cover asks every condition, split at its outermost &&, and every line about each person of the tests, before and after
// the change.
func (s *Set) Cover(stories []Story) Coverage {
	all := s.asked()
	for _, st := range stories {
		people := []*world{s.worldOf(&st.person, st.now)}
		if st.before != nil {
			people = append(people, s.worldOf(st.before, st.now))
		}
		for _, w := range people {
			for i := range all {
				a := &all[i]
				if a.of != nil && !slices.Contains(a.of.Statuses, w.of.Status) {
					continue
				}
				switch a.ask(w) {
				case yes:
					a.NeverTrue = false
				case no:
					a.NeverNot = false
				}
			}
		}
	}
	var c Coverage
	for _, a := range all {
		count := &c.Lines
		if a.of != nil {
			count = &c.Conditions
		}
		count.All++
		if a.NeverTrue || a.NeverNot {
			c.Gaps = append(c.Gaps, a.Gap)
		} else {
			count.Covered++
		}
	}
	slices.SortStableFunc(c.Gaps, func(a, b Gap) int { return comparePositions(a.Position, b.Position) })
	return c
}

func (s *Set) asked() []asked {
	var out []asked
	seen := map[*expr]bool{} // a bundle's condition stands once and holds for several lines
	for _, p := range s.Policies {
		add := func(at Position, what, text string, of *Policy, ask func(*world) truth) {
			out = append(out, asked{Gap{at, p.ID, what, text, true, true}, ask, of})
		}
		conds := func(es ...*expr) {
			for _, e := range es {
				if e == nil || seen[e] {
					continue
				}
				seen[e] = true
				for _, x := range conjunctsOf(e.ast.NativeRep().Expr()) {
					text, part := s.part(e, x)
					if e.pl.whole {
						text = e.text
					}
					if part != nil {
						add(e.place(x), "condition", text, p, part.truth)
					}
				}
			}
		}
		line := func(at Position, what, text string, n int) {
			u := &s.units[n]
			add(at, what, text, nil, func(w *world) truth { return u.truth(w.of.Status, w) })
		}
		conds(p.Conditions...)
		for _, r := range p.Grants {
			conds(r.If)
			line(r.At, "grant", r.Key.String(), r.unit)
		}
		for _, r := range p.Offers {
			conds(r.If)
			line(r.At, "offer", r.Key.String(), r.unit)
		}
		for _, d := range p.Denies {
			conds(d.If)
			line(d.At, "deny", d.Key.String(), d.unit)
		}
	}
	return out
}

// conjunctsOf splits at the outermost &&.
func conjunctsOf(x ast.Expr) []ast.Expr {
	if x.Kind() != ast.CallKind || x.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{x}
	}
	var out []ast.Expr
	for _, a := range x.AsCall().Args() {
		out = append(out, conjunctsOf(a)...)
	}
	return out
}

// place is where a part of an expression begins: CEL puts a comparison at its sign.
func (e *expr) place(x ast.Expr) Position {
	info := e.ast.NativeRep().SourceInfo()
	line, col := 0, 0
	ast.PreOrderVisit(x, ast.NewExprVisitor(func(x ast.Expr) {
		at := info.GetStartLocation(x.ID())
		if at.Line() > 0 && (line == 0 || at.Line() < line || at.Line() == line && at.Column() < col) {
			line, col = at.Line(), at.Column()
		}
	}))
	if line == 0 {
		return e.at
	}
	l, c := e.pl.of(line, col)
	return Position{e.at.File, l, c}
}
