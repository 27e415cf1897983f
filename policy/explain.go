package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/dayone-hq/dayone"
)

// Explanation says why a person has something, or why not.
type Explanation struct {
	Key     dayone.Key
	Answer  string // given, pending, offered, later, kept, denied, withheld, not given
	Grant   *dayone.Grant
	Lines   []Line // every policy that names it
	Finding string
	Asked   *Asked // somebody requested it
}

// Asked is by whom something was requested, and for what.
type Asked struct{ By, Reason string }

// Line is what one policy says about it.
type Line struct {
	Policy     string
	Title      string
	At         string // file:line of the rule
	Hash       string
	Does       string // grants, offers, denies
	Role       string
	Truth      string // yes, no, unknown
	Conditions []Condition
	Reason     string // of a deny
}

// Condition is one conjunct with the values it read.
type Condition struct {
	Text  string
	Truth string
	Reads []Read
}

// Read is one attribute and its value; Known is false where it is missing.
type Read struct {
	Name  string
	Value string
	Known bool
	From  string // who says it, where more than one might; "": not asked
}

// Explain asks CEL, conjunct by conjunct, never an index: so it doubles as a check of any faster evaluation.
func (s *Set) Explain(p dayone.Person, c Context, key dayone.Key) Explanation {
	want := s.Reference(p, c)
	x := Explanation{Key: key, Answer: "not given"}
	if asked := c.Requested[key]; len(asked) > 0 {
		req := asked[0]
		x.Asked = &Asked{cmp.Or(req.By, req.Login), req.Reason}
	}
	answer := func(gs []dayone.Grant, word string) {
		if g := find(gs, key.String()); g != nil && x.Grant == nil {
			x.Answer, x.Grant = word, g
		}
	}
	answer(want.Grants, "given")
	answer(want.Pending, "pending")
	answer(want.Offers, "offered")
	answer(want.Later, "later")
	if x.Grant == nil && slices.Contains(want.Keep, key) {
		x.Answer = "kept"
	}
	for _, f := range want.Findings {
		if f.Key == key || (f.Kind == "sod" && strings.Contains(f.Text, key.String())) {
			x.Finding = f.Text
			if f.Kind == "sod" && x.Grant == nil {
				x.Answer = "withheld"
			}
		}
	}
	w := s.worldOf(&p, c.Now)
	for _, pol := range s.Policies {
		line := func(at Position, does, role string, cond *expr) *Line {
			conds := pol.Conditions
			if cond != nil {
				conds = append(slices.Clone(conds), cond)
			}
			l := Line{Policy: pol.ID, Title: pol.Title, At: at.line(), Hash: s.Hashes[at.File], Does: does, Role: role, Truth: all(conds, w).String()}
			if !slices.Contains(pol.Statuses, p.Status) {
				l.Truth = no.String()
				l.Conditions = append(l.Conditions, Condition{
					Text: fmt.Sprintf("status is one of %s", statusList(pol.Statuses)), Truth: no.String(),
					Reads: []Read{{Name: "status", Value: string(p.Status), Known: true}},
				})
			}
			for _, e := range conds {
				l.Conditions = append(l.Conditions, s.conjuncts(e, w)...)
			}
			x.Lines = append(x.Lines, l)
			return &x.Lines[len(x.Lines)-1]
		}
		for _, r := range pol.Grants {
			if r.Key == key {
				line(r.At, "grants", r.Role, r.If)
			}
		}
		for _, r := range pol.Offers {
			if r.Key == key {
				line(r.At, "offers", r.Role, r.If)
			}
		}
		for _, d := range pol.Denies {
			if d.Key == key {
				l := line(d.At, "denies", "", d.If)
				l.Reason = d.Reason
				if l.Truth == yes.String() {
					x.Answer = "denied"
				}
			}
		}
	}
	return x
}

func statusList(ss []dayone.Status) string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

// conjuncts splits a condition at its outermost && and answers each part by itself.
func (s *Set) conjuncts(e *expr, w *world) []Condition {
	var out []Condition
	var walk func(x ast.Expr)
	walk = func(x ast.Expr) {
		if x.Kind() == ast.CallKind && x.AsCall().FunctionName() == operators.LogicalAnd {
			for _, a := range x.AsCall().Args() {
				walk(a)
			}
			return
		}
		out = append(out, s.conjunct(e, x, w))
	}
	walk(e.ast.NativeRep().Expr())
	return out
}

func (s *Set) conjunct(e *expr, x ast.Expr, w *world) Condition {
	text, sub := s.part(e, x)
	c := Condition{Text: text, Truth: unknown.String()}
	if sub != nil {
		c.Truth = sub.truth(w).String()
		for _, name := range sortedKeys(sub.reads) {
			c.Reads = append(c.Reads, w.read(name))
		}
	}
	return c
}

func (w *world) read(path string) Read {
	if path == "today" {
		return Read{Name: "today", Value: w.day().UTC().Format("2006-01-02"), Known: true}
	}
	top, field, _ := strings.Cut(path, ".")
	v, _ := w.ResolveName(top)
	o, ok := v.(*object)
	if own, custom := strings.CutPrefix(field, "custom."); ok && custom {
		o, field = o.fields["custom"].(*object), own
	}
	if !ok || o.fields[field] == nil {
		return Read{Name: strings.TrimPrefix(path, "person.")}
	}
	n, err := nounValue(o.fields[field], dayone.TextValue)
	if err != nil {
		return Read{Name: strings.TrimPrefix(path, "person."), Value: fmt.Sprint(o.fields[field].Value()), Known: true}
	}
	return Read{Name: strings.TrimPrefix(path, "person."), Value: n.String(), Known: true}
}
