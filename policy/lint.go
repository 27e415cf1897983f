package policy

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Known is what files are judged against beside each other.
type Known struct {
	Systems     []dayone.System // what configured connectors say of themselves
	Templates   []string        // of messages and invitations; nil: whoever asks does not know them
	Invitations []string        // those that have a time; nil: as above
}

// Check is Load with everything that can be said of files alone: messages that there are not, policies that can never
// match, grants that change nothing or lack their account, what nobody uses. Policies with faults are left out of the
// comparisons, since they do not say yet what they will.
func Check(fsys fs.FS, known Known, extra ...string) (*Set, []Diagnostic) {
	return check(nil, fsys, known, extra)
}

// Recheck is Check for the same systems, as Reload is Load: what an editor says while somebody types.
func (s *Set) Recheck(fsys fs.FS, known Known) (*Set, []Diagnostic) {
	known.Systems = s.given
	return check(s, fsys, known, nil)
}

func check(before *Set, fsys fs.FS, known Known, extra []string) (*Set, []Diagnostic) {
	r := &reader{fsys: fsys}
	s := r.gather(before, known.Systems, extra)
	if s != nil {
		r.diags = append(append(r.diags, s.Unsendable(known)...), s.unoffered...)
		newLinter(r, s).lint()
	}
	diags := r.finish()
	if Failed(diags) {
		return nil, diags
	}
	return s, diags
}

// Unsendable are messages and invitations for which there is no template.
func (s *Set) Unsendable(known Known) []Diagnostic {
	r := &reader{}
	for _, p := range s.Policies {
		for _, n := range p.Notices {
			if n.templateAt == nil {
				continue // reported where it was read
			}
			f := s.loaded[n.At.File].file
			switch {
			case known.Templates != nil && !slices.Contains(known.Templates, n.Template):
				hint := cmp.Or(meant(n.Template, known.Templates), "there are "+strings.Join(known.Templates, ", ")+"; your own stand in templates/")
				r.at(f, n.templateAt, "unknown-template", hint, "there is no template %q", n.Template)
			case n.Invite && known.Invitations != nil && !slices.Contains(known.Invitations, n.Template):
				r.at(f, n.templateAt, "unknown-template", "write template: "+n.Template+", or one of "+strings.Join(known.Invitations, ", "), "%q is a message and has no time, as an invitation has", n.Template)
			}
		}
	}
	return r.diags
}

// linter compares policies with each other by truth tables: every condition is split into atoms that read one attribute,
// and each atom is asked about every value that matters. Where values cannot be listed, only equal text counts as equal,
// so what it says is never wrong, only sometimes too little.
type linter struct {
	*reader
	set     *Set
	split   *splitter
	conjs   [][]*lintConj // by unit
	columns map[string]*lintColumn
	vectors map[int][]byte // by atom: truth by sample, no < unknown < yes
}

// lintColumn is an attribute with the values that conditions tell apart.
type lintColumn struct {
	people []dayone.Person // each knows nothing but this
	closed bool            // there are no others
}

// lintConj is one conjunction: what it asks of each attribute.
type lintConj struct {
	literals []conjunct
	columns  []string
	loose    map[string]bool   // attributes that are asked something else than about listed values
	vectors  map[string][]byte // by column, where values can be listed
}

const mostSamples = 5000

func newLinter(r *reader, s *Set) *linter {
	l := &linter{
		reader: r, set: s, split: &splitter{set: s, byText: map[string]int{}, restText: map[string]int{}},
		columns: map[string]*lintColumn{}, vectors: map[int][]byte{},
	}
	named := newNamedValues(s)
	loose := make([]map[string]bool, len(s.units))
	for n := range s.units {
		loose[n] = map[string]bool{}
		for _, e := range s.units[n].conds {
			maps.Copy(loose[n], named.read(e))
		}
		l.split.unit(n, &s.units[n])
	}
	l.conjs = make([][]*lintConj, len(s.units))
	for i, literals := range l.split.conjs {
		n := int(l.split.unitOf[i])
		c := &lintConj{literals: literals, loose: loose[n], vectors: map[string][]byte{}}
		for _, lit := range literals {
			if col := ""; !lit.rest {
				if col = l.split.atoms[lit.of].column; !slices.Contains(c.columns, col) {
					c.columns = append(c.columns, col)
				}
			}
		}
		l.conjs[n] = append(l.conjs[n], c)
	}
	for _, a := range l.split.atoms {
		if l.columns[a.column] == nil {
			l.columns[a.column] = named.column(a.column)
		}
	}
	return l
}

// lint judges what loads; faults of single lines have been reported.
func (l *linter) lint() {
	alive := l.unreachable()
	l.redundant(alive, l.denied(alive))
	l.prerequisites(alive)
	l.sensitive()
	l.unused()
}

func (l *linter) warn(name string, line, col, width int, code, hint, format string, args ...any) {
	f := l.files[name]
	if f == nil {
		f = &file{name: name}
	}
	l.report(f, line, col, width, code, hint, format, args...)
	l.diags[len(l.diags)-1].Severity = Warning
}

// rank orders truths: no < unknown < yes.
func rank(t truth) byte {
	switch t {
	case no:
		return 0
	case unknown:
		return 1
	default:
		return 2
	}
}

// vector is what an atom says about each sample of its column.
func (l *linter) vector(atom int) []byte {
	if v, ok := l.vectors[atom]; ok {
		return v
	}
	a := &l.split.atoms[atom]
	people := l.columns[a.column].people
	out := make([]byte, len(people))
	for i := range people {
		out[i] = rank(a.truth(&people[i], &world{set: l.set, of: &people[i]}))
	}
	l.vectors[atom] = out
	return out
}

// listed says that the values of a column can be listed for a conjunction, and what it says about each. A nil vector
// with true says nothing of the column: yes for all.
func (l *linter) listed(c *lintConj, column string) ([]byte, bool) {
	if v, ok := c.vectors[column]; ok {
		return v, v != nil
	}
	col := l.columns[column]
	ok := len(col.people) <= mostSamples && (col.closed || !c.loose[column])
	out := make([]byte, len(col.people))
	for i := range out {
		out[i] = 2
	}
	for _, lit := range c.literals {
		if lit.rest || l.split.atoms[lit.of].column != column {
			continue
		}
		if l.split.atoms[lit.of].today {
			ok = false // another day, another answer
		}
		if !ok {
			break
		}
		for i, t := range l.vector(lit.of) {
			if lit.negate {
				t = 2 - t
			}
			out[i] = min(out[i], t)
		}
	}
	if !ok {
		out = nil
	}
	c.vectors[column] = out
	return out, ok
}

// within says that whoever fulfils a fulfils b, and who may fulfil a may fulfil b.
func (l *linter) within(a, b *lintConj) bool {
	for _, column := range b.columns {
		va, oka := l.listed(a, column)
		vb, okb := l.listed(b, column)
		if !oka || !okb {
			if !l.says(a, b, column) {
				return false
			}
			continue
		}
		for i := range vb {
			if va[i] > vb[i] {
				return false
			}
		}
	}
	for _, lit := range b.literals {
		if lit.rest && !slices.Contains(a.literals, lit) {
			return false
		}
	}
	return true
}

// says: whatever b asks of the column a asks too, in the same words.
func (l *linter) says(a, b *lintConj, column string) bool {
	for _, lit := range b.literals {
		if !lit.rest && l.split.atoms[lit.of].column == column && !slices.Contains(a.literals, lit) {
			return false
		}
	}
	return true
}

// meet says that somebody may fulfil both.
func (l *linter) meet(a, b *lintConj) bool {
	for _, column := range a.columns {
		va, oka := l.listed(a, column)
		vb, okb := l.listed(b, column)
		if !oka || !okb || !slices.Contains(b.columns, column) {
			continue
		}
		both := false
		for i := range va {
			both = both || va[i] == 2 && vb[i] == 2
		}
		if !both {
			return false
		}
	}
	return true
}

// dead are the columns of which no value fulfils a conjunction; never says that it is not even in doubt.
func (l *linter) dead(c *lintConj) (columns []string, never bool) {
	for _, column := range c.columns {
		if v, ok := l.listed(c, column); ok && slices.Max(v) < 2 {
			columns = append(columns, column)
			never = never || slices.Max(v) == 0
		}
	}
	return columns, never
}

// unreachable reports what can never hold, and returns which units can.
func (l *linter) unreachable() []bool {
	alive := make([]bool, len(l.set.units))
	why := make([][]string, len(l.set.units))
	for n, conjs := range l.conjs {
		live := conjs[:0:0]
		for _, c := range conjs {
			dead, never := l.dead(c)
			alive[n] = alive[n] || len(dead) == 0
			if !never {
				live = append(live, c)
			}
			why[n] = append(why[n], dead...)
		}
		slices.Sort(why[n])
		why[n] = slices.Compact(why[n])
		l.conjs[n] = live
	}
	for _, p := range l.set.Policies {
		if p.bad {
			continue
		}
		if !alive[p.unit] {
			at, width := l.reads(p.Conditions, why[p.unit], p.At)
			l.warn(at.File, at.Line, at.Col, width, "unreachable", l.whyNobody(p, why[p.unit]), "policy %q can never match: %s", p.ID, noValue(why[p.unit]))
			continue
		}
		line := func(cond *expr, unit int, what string) {
			if cond != nil && !alive[unit] {
				at, width := l.reads([]*expr{cond}, nil, cond.at)
				l.warn(at.File, at.Line, at.Col, width, "unreachable", "", "this %s of policy %q can never happen: %s", what, p.ID, noValue(why[unit]))
			}
		}
		for _, r := range p.Grants {
			line(r.If, r.unit, "grant")
		}
		for _, r := range p.Offers {
			line(r.If, r.unit, "offer")
		}
		for _, d := range p.Denies {
			line(d.If, d.unit, "deny")
		}
	}
	return alive
}

// reads is the last condition that reads one of these columns.
func (l *linter) reads(conds []*expr, columns []string, or Position) (Position, int) {
	at, width := or, 1
	for _, e := range conds {
		cols, _, _ := columnsOf(e.ast.NativeRep().Expr())
		if len(cols) == 0 {
			cols = []string{constant}
		}
		if columns == nil || slices.ContainsFunc(cols, func(c string) bool { return slices.Contains(columns, c) }) {
			at, width = e.at, e.width()
		}
	}
	return at, width
}

// width to underline: the expression's first line.
func (e *expr) width() int {
	if e.pl.whole {
		return nodeWidth(e.pl.n)
	}
	first, _, _ := strings.Cut(e.text, "\n")
	return len([]rune(first))
}

func noValue(columns []string) string {
	switch {
	case slices.Equal(columns, []string{constant}):
		return "its condition is never true"
	case slices.Equal(columns, []string{siteColumn}):
		return "no site satisfies it"
	}
	return "no value of " + strings.Join(slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return c == constant }), " or ") + " satisfies it"
}

func (l *linter) whyNobody(p *Policy, columns []string) string {
	if slices.Contains(columns, "person.status") && !slices.Contains(p.Statuses, dayone.Left) {
		return "it holds for " + statusList(p.Statuses) + "; for_status names others"
	}
	return ""
}

// giver is one line of one policy that gives something.
type giver struct {
	policy *Policy
	rule   *Rule
}

func (l *linter) givers(alive []bool, offers bool) map[dayone.Key][]giver {
	out := map[dayone.Key][]giver{}
	for _, p := range l.set.Policies {
		if p.bad {
			continue
		}
		rules := p.Grants
		if offers {
			rules = append(slices.Clone(rules), p.Offers...)
		}
		for _, r := range rules {
			if alive[r.unit] {
				out[r.Key] = append(out[r.Key], giver{p, r})
			}
		}
	}
	return out
}

// redundant reports grants that everybody they reach has from other lines. One after the other, the last line of the
// files first: what is reported no longer counts as another line, so all that is reported may go at once.
func (l *linter) redundant(alive []bool, denied map[*Rule]bool) {
	givers := l.givers(alive, false)
	for _, key := range slices.SortedFunc(maps.Keys(givers), compareKeys) {
		lines := givers[key]
		slices.SortStableFunc(lines, func(a, b giver) int { return -comparePositions(a.rule.At, b.rule.At) })
		gone := make([]bool, len(lines))
		for i, a := range lines {
			if a.rule.bundled || denied[a.rule] {
				continue // a bundle is used as a whole
			}
			var from []giver
			covered := true
			for _, c := range l.conjs[a.rule.unit] {
				covered = false
				for j, b := range lines {
					if j == i || gone[j] || !slices.ContainsFunc(l.conjs[b.rule.unit], func(d *lintConj) bool { return l.within(c, d) }) || !l.asGood(a, b) {
						continue
					}
					if covered = true; !slices.Contains(from, b) {
						from = append(from, b)
					}
					break
				}
				if !covered {
					break
				}
			}
			if !covered || len(from) == 0 {
				continue
			}
			gone[i] = true
			slices.SortFunc(from, func(a, b giver) int { return comparePositions(a.rule.At, b.rule.At) })
			var names []string
			for _, g := range from {
				names = append(names, fmt.Sprintf("%q (%s)", g.policy.ID, g.rule.At.line()))
			}
			to := a.rule.to
			l.warn(a.rule.At.File, to.Line, to.Column, nodeWidth(to), "redundant", "", "policy %q need not grant %s: everyone it matches has it from %s", a.policy.ID, key, strings.Join(names, " and "))
		}
	}
}

func comparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
}

// asGood: whoever has b's line misses nothing of a's.
func (l *linter) asGood(a, b giver) bool {
	x, y := a.rule, b.rule
	if kind := l.set.Systems[x.Key.System].Kinds[x.Key.Kind]; x.Role != y.Role && slices.Index(kind.Roles, x.Role) > slices.Index(kind.Roles, y.Role) {
		return false
	}
	for name, t := range x.Params {
		if other := y.Params[name]; other == nil || other.text != t.text {
			return false
		}
	}
	if y.Approval != nil && (x.Approval == nil || !slices.Equal(x.Approval.By, y.Approval.By) || x.Approval.Need != y.Approval.Need || x.Approval.Within != y.Approval.Within) {
		return false
	}
	if y.Approval == nil && x.Approval != nil && x.Role != y.Role {
		return false
	}
	same := func(a, b *moment) bool { return a.text() == b.text() }
	release := func(p *Policy) dayone.Release {
		if p.OnRevoke == nil {
			return dayone.Release{}
		}
		return *p.OnRevoke
	}
	return same(cmp.Or(x.From, a.policy.From), cmp.Or(y.From, b.policy.From)) && same(x.Until, y.Until) && same(a.policy.Until, b.policy.Until) &&
		a.policy.Limit == b.policy.Limit && x.Review == y.Review && x.Grace == y.Grace && slices.Equal(x.Needs, y.Needs) &&
		cmp.Or(x.Critical, a.policy.Critical) == cmp.Or(y.Critical, b.policy.Critical) && release(a.policy) == release(b.policy)
}

func (m *moment) text() string {
	switch {
	case m == nil:
		return ""
	case m.expr != nil:
		return m.expr.text
	default:
		return fmt.Sprint(m.offset)
	}
}

// denied reports grants that a deny takes from everybody they reach.
func (l *linter) denied(alive []bool) map[*Rule]bool {
	out := map[*Rule]bool{}
	for _, p := range l.set.Policies {
		for _, r := range p.Grants {
			if p.bad || r.bundled || !alive[r.unit] {
				continue
			}
			for _, q := range l.set.Policies {
				i := slices.IndexFunc(q.Denies, func(d *Deny) bool {
					return !q.bad && d.Key == r.Key && alive[d.unit] && l.covers(d.unit, r.unit)
				})
				if i >= 0 {
					out[r] = true
					l.warn(r.At.File, r.to.Line, r.to.Column, nodeWidth(r.to), "denied", "a deny always wins", "policy %q gives %s to nobody: %q denies it to everyone it matches (%s)", p.ID, r.Key, q.ID, q.Denies[i].At.line())
				}
			}
		}
	}
	return out
}

// covers: everybody in unit b is in unit a.
func (l *linter) covers(a, b int) bool {
	for _, c := range l.conjs[b] {
		if !slices.ContainsFunc(l.conjs[a], func(d *lintConj) bool { return l.within(c, d) }) {
			return false
		}
	}
	return true
}

// prerequisites reports grants of which nobody has what they need: an account, a device.
func (l *linter) prerequisites(alive []bool) {
	givers := l.givers(alive, true)
	for _, key := range slices.SortedFunc(maps.Keys(givers), compareKeys) {
		kinds := l.set.Systems[key.System].Kinds
		for _, need := range kinds[key.Kind].Needs {
			if kinds[need].Implied {
				continue // it comes along
			}
			var from []giver
			for k, gs := range givers {
				if k.System == key.System && k.Kind == need && k.As == key.As {
					from = append(from, gs...)
				}
			}
			for _, g := range givers[key] {
				if slices.ContainsFunc(from, func(b giver) bool { return l.together(g.rule.unit, b.rule.unit) }) {
					continue
				}
				needed := dayone.Key{System: key.System, Kind: need, As: key.As}.String()
				hint := "add a grant of " + needed
				if len(from) > 0 {
					hint += fmt.Sprintf("; %q gives it, to others", slices.MinFunc(from, func(a, b giver) int { return comparePositions(a.rule.At, b.rule.At) }).policy.ID)
				}
				l.warn(g.rule.At.File, g.rule.to.Line, g.rule.to.Column, nodeWidth(g.rule.to), "prerequisite", hint,
					"%s needs %s, which nothing gives to anybody whom policy %q matches", key, needed, g.policy.ID)
			}
		}
	}
}

// together: somebody may be in both units.
func (l *linter) together(a, b int) bool {
	return slices.ContainsFunc(l.conjs[a], func(c *lintConj) bool {
		return slices.ContainsFunc(l.conjs[b], func(d *lintConj) bool { return l.meet(c, d) })
	})
}

// sensitive reports sensitive entitlements for which neither policy nor catalogue says who has to agree.
func (l *linter) sensitive() {
	for _, p := range l.set.Policies {
		for i, rules := range [][]*Rule{p.Grants, p.Offers} {
			for _, r := range rules {
				if kind := l.set.Systems[r.Key.System].Kinds[r.Key.Kind]; r.catalogued && kind.Approval == nil {
					l.warn(r.At.File, r.to.Line, r.to.Column, nodeWidth(r.to), "sensitive", "add approval: {by: [manager]}", "%s is sensitive, and policy %q %s it without an approval; the manager is asked", r.Key, p.ID, []string{"gives", "offers"}[i])
				}
			}
		}
	}
}

// unused reports bundles and lists that nothing names.
func (l *linter) unused() {
	bundles, texts := map[string]bool{}, strings.Builder{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			texts.WriteString(n.Value + "\n")
		}
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "bundle" {
				bundles[c.Value] = true
			}
			walk(c)
		}
	}
	names := sortedKeys(l.set.loaded)
	for _, name := range names {
		walk(l.set.loaded[name].file.root)
	}
	for _, sys := range l.set.Systems {
		for _, kind := range sys.Kinds {
			for _, v := range kind.Mapping {
				texts.WriteString(v.Text + "\n")
			}
		}
	}
	for _, name := range names {
		f := l.set.loaded[name].file
		for i := 0; i+1 < len(f.root.Content); i += 2 {
			if f.root.Content[i].Value != "bundles" || f.root.Content[i+1].Kind != yaml.MappingNode {
				continue
			}
			for j := 0; j+1 < len(f.root.Content[i+1].Content); j += 2 {
				if k := f.root.Content[i+1].Content[j]; !bundles[k.Value] {
					l.warn(name, k.Line, k.Column, nodeWidth(k), "unused", "take it out, or write {bundle: "+k.Value+"}", "no policy uses the bundle %q", k.Value)
				}
			}
		}
	}
	for _, name := range sortedKeys(l.set.Schema.Lists) {
		if k := l.set.Schema.listAt[name]; k != nil && !wordIn(texts.String(), "lists."+name) {
			l.warn("people.yaml", k.Line, k.Column, nodeWidth(k), "unused", "take it out, or write person.x in lists."+name, "no policy reads the list %q", name)
		}
	}
}

// wordIn finds a word that does not go on.
func wordIn(text, word string) bool {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return false
		}
		text = text[i+len(word):]
		if text == "" || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_", rune(text[0])) {
			return true
		}
	}
}

// Stats counts what conditions are made of, with the values that files name.
func (s *Set) Stats() Stats {
	named := newNamedValues(s)
	for n := range s.units {
		for _, e := range s.units[n].conds {
			named.read(e)
		}
	}
	d := NewDictionary()
	for _, path := range s.reads() {
		col := d.column(path)
		for _, p := range named.column(path).people {
			col.code(&p)
		}
	}
	return s.Over(d).Stats()
}
