package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/dayone-hq/dayone"
)

// Explanation says why a person has something, or why not.
type Explanation struct {
	Key     dayone.Key
	Answer  string // given, brought along, pending, offered, later, kept, unknown, denied, withheld, not given
	There   bool   // it is there already
	Grant   *dayone.Grant
	Lines   []Line // every policy that names it
	Finding string
	Asked   *Asked        // somebody requested it
	Votes   []dayone.Vote // of those who agreed to it, where somebody had to
	By      []Along       // brought along: by each of these

	Authority dayone.Authority // who decides about it, where policies do not just add; "": they do
	Seen      time.Time        // nobody here gave it: the day on which it was seen first; zero: not known
}

// Missing are the attributes that nobody has said and for which it waits; none: it waits for no such thing.
func (x Explanation) Missing() (out []string) {
	if x.Answer != "kept" && x.Answer != "unknown" && x.Answer != "not given" {
		return nil
	}
	for _, l := range x.Lines {
		for _, name := range l.Missing {
			if l.Does != "denies" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Won are the lines of the rules that gave it in that role: one that would give a lower role did not.
func (x Explanation) Won(because []dayone.Reason, role string) (out []Line) {
	for _, l := range x.Lines {
		if l.Truth == yes.String() && l.Does != "denies" && l.Role == role && slices.ContainsFunc(because, func(r dayone.Reason) bool { return r.Policy == l.Policy && r.At == l.At }) {
			out = append(out, l)
		}
	}
	return out
}

// Along is an access that brings another one along, and why it is given itself.
type Along struct {
	Key   dayone.Key
	Lines []Line  // the policies that grant it now
	By    []Along // it is only brought along itself, by these
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
	Reason     string   // of a deny
	Missing    []string // attributes that nobody has said, without which it cannot be told or not be given
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
	return s.Explaining(p, c).Of(key)
}

// Explaining explains any number of things to one person, who is decided once for all of them.
type Explaining struct {
	set    *Set
	person dayone.Person
	given  Context
	want   dayone.Want
	world  *world
}

// Explaining decides a person as Explain does, to explain many things.
func (s *Set) Explaining(p dayone.Person, c Context) *Explaining {
	e := &Explaining{set: s, person: p, given: c, want: s.Reference(p, c)}
	e.world = s.worldOf(&e.person, c.Now)
	return e
}

// Of explains one thing. One at a time: what a condition read is kept for the next.
func (e *Explaining) Of(key dayone.Key) Explanation {
	s, c, want, w := e.set, e.given, e.want, e.world
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
	if h, held := c.Held[key]; held {
		x.There = h.State != dayone.Gone
		for _, r := range h.Because {
			if day, is := r.Seen(); is && x.There {
				x.Seen = day
			}
		}
	}
	if a := s.Systems[key.System].Authority(key); a != dayone.Additive && !key.IsAccount() {
		x.Authority = a
	}
	if x.Grant == nil && slices.Contains(want.Keep, key) {
		x.Answer = map[bool]string{true: "kept", false: "unknown"}[x.There]
	}
	for _, f := range want.Findings {
		if f.Key == key || (f.Kind == "sod" && strings.Contains(f.Text, key.String())) {
			x.Finding = f.Text
			switch {
			case f.Kind == "sod" && x.Grant == nil:
				x.Answer = "withheld"
			case f.Kind == "unknown" && x.Answer == "not given" && !x.There:
				x.Answer = "unknown"
			}
		}
	}
	x.Lines = s.lines(&e.person, w, key)
	for _, l := range x.Lines {
		if l.Does == "denies" && l.Truth == yes.String() {
			x.Answer = "denied"
		}
	}
	if x.Answer == "not given" || x.Answer == "offered" {
		if x.By = s.along(want.Grants, &e.person, w, key, nil); len(x.By) > 0 {
			x.Answer, x.Grant = "brought along", nil
		}
	}
	return x
}

// along are those of the grants that bring key along, and what brings those. over: what was asked about already.
func (s *Set) along(grants []dayone.Grant, p *dayone.Person, w *world, key dayone.Key, over []dayone.Key) []Along {
	over = append(slices.Clone(over), key)
	var out []Along
	for _, g := range grants {
		if slices.Contains(over, g.Key) || !slices.Contains(dayone.Brought(s.Systems, g.Key), key) {
			continue
		}
		a := Along{Key: g.Key}
		for _, l := range s.lines(p, w, g.Key) {
			if l.Does == "grants" && l.Truth == yes.String() {
				a.Lines = append(a.Lines, l)
			}
		}
		out = append(out, a)
	}
	for _, k := range s.Brings(grants) {
		if slices.Contains(over, k) || !slices.Contains(dayone.Brought(s.Systems, k), key) {
			continue
		}
		if by := s.along(grants, p, w, k, over); len(by) > 0 {
			out = append(out, Along{Key: k, By: by})
		}
	}
	return out
}

// Brings is what the grants bring along and what that brings along, without the grants themselves.
func (s *Set) Brings(grants []dayone.Grant) []dayone.Key {
	seen := map[dayone.Key]bool{}
	var todo, out []dayone.Key
	for _, g := range grants {
		seen[g.Key] = true
		todo = append(todo, g.Key)
	}
	for len(todo) > 0 {
		for _, k := range dayone.Brought(s.Systems, todo[0]) {
			if !seen[k] {
				seen[k] = true
				todo, out = append(todo, k), append(out, k)
			}
		}
		todo = todo[1:]
	}
	return out
}

// Sources says whether any of the rules that gave a key gives it without being asked, and whether any only offers it. Where a
// policy does both, the line tells; in one that does but one of them, a line may have moved since.
func (s *Set) Sources(key dayone.Key, because []dayone.Reason) (gives, offers bool) {
	for _, why := range because {
		for _, p := range s.Policies {
			if p.ID != why.Policy {
				continue
			}
			names := func(r *Rule) bool { return r.Key == key }
			there := func(r *Rule) bool { return r.Key == key && r.At.line() == why.At }
			given, offered := slices.ContainsFunc(p.Grants, names), slices.ContainsFunc(p.Offers, names)
			exact := slices.ContainsFunc(p.Grants, there)
			gives = gives || exact || given && !slices.ContainsFunc(p.Offers, there)
			offers = offers || !exact && offered
		}
	}
	return gives, offers
}

// lines is what every policy says that names key.
func (s *Set) lines(p *dayone.Person, w *world, key dayone.Key) (out []Line) {
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
			if l.Truth == unknown.String() {
				for _, c := range l.Conditions {
					for _, r := range c.Reads {
						if c.Truth == l.Truth && !r.Known && !slices.Contains(l.Missing, r.Name) {
							l.Missing = append(l.Missing, r.Name)
						}
					}
				}
			}
			out = append(out, l)
			return &out[len(out)-1]
		}
		for _, r := range pol.Grants {
			if r.Key == key {
				line(r.At, "grants", r.Role, r.If).unsaid(pol, r, w)
			}
		}
		for _, r := range pol.Offers {
			if r.Key == key {
				line(r.At, "offers", r.Role, r.If).unsaid(pol, r, w)
			}
		}
		for _, d := range pol.Denies {
			if d.Key == key {
				line(d.At, "denies", "", d.If).Reason = d.Reason
			}
		}
	}
	return out
}

// unsaid adds what a rule that would give needs beyond its conditions, for its values and for its time.
func (l *Line) unsaid(p *Policy, r *Rule, w *world) {
	if l.Truth != yes.String() {
		return
	}
	note := func(err error) {
		if u := (*unread)(nil); errors.As(err, &u) && !slices.Contains(l.Missing, u.name()) {
			l.Missing = append(l.Missing, u.name())
		}
	}
	for _, name := range sortedKeys(r.Params) {
		_, err := r.Params[name].eval(w)
		note(err)
	}
	for _, m := range []*moment{p.From, r.From, p.Until, r.Until} {
		if m != nil && m.expr != nil {
			_, err := m.expr.eval(w)
			note(err)
		}
	}
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
