package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
	"go.yaml.in/yaml/v3"
)

// expr is one checked expression and where it stands.
type expr struct {
	text  string
	at    Position
	pl    place
	ast   *cel.Ast
	prog  cel.Program
	reads map[string]bool // person.job_title, person.custom.x, site.country, today
	tests map[string]bool // those asked about with has()
}

// eval answers with a value, or with an error that says what is unknown.
func (e *expr) eval(w *world) (ref.Val, error) {
	v, _, err := e.prog.Eval(w)
	if err != nil {
		return nil, err
	}
	if types.IsUnknownOrError(v) {
		return nil, fmt.Errorf("%v", v)
	}
	return v, nil
}

// truth is the three-valued answer of a condition.
type truth uint8

const (
	unknown truth = iota
	no
	yes
)

func (t truth) String() string { return [...]string{"unknown", "no", "yes"}[t] }

func (e *expr) truth(w *world) truth {
	v, err := e.eval(w)
	switch {
	case err != nil:
		return unknown
	case v == types.True:
		return yes
	case v == types.False:
		return no
	default:
		return unknown // a value of no known type that is not true or false
	}
}

// all is the conjunction of conditions: one no is no, else one unknown is unknown.
func all(conds []*expr, w *world) truth {
	t := yes
	for _, c := range conds {
		switch c.truth(w) {
		case no:
			return no
		case unknown:
			t = unknown
		}
	}
	return t
}

// place turns a position inside an expression into one of the file.
type place struct {
	f     *file
	n     *yaml.Node
	skip  int  // characters of the scalar before the expression, for ${...}
	whole bool // the expression is not what stands in the file: faults belong to the node
}

// of finds a line (from 1) and column (from 0) of the expression. YAML folds lines, drops indentation and reads escapes;
// what it keeps are the characters that are no blanks, so these are counted.
func (p place) of(line, col int) (int, int) {
	if p.whole {
		return p.n.Line, p.n.Column
	}
	visible := 0
	value := []rune(p.n.Value)
	i := min(p.skip, len(value))
	for _, c := range value[:i] {
		visible += seen(c)
	}
	for ; line > 1 && i < len(value); i++ {
		if value[i] == '\n' {
			line--
		}
		visible += seen(value[i])
	}
	for ; col > 0 && i < len(value); i++ {
		visible += seen(value[i])
		col--
	}
	behind := 1 // the end of what is there
	for ; i < len(value); i++ {
		behind -= seen(value[i])
	}
	if behind == 1 && visible > 0 {
		line, col := p.f.find(p.n, visible-1)
		return line, col + 1
	}
	return p.f.find(p.n, visible)
}

func seen(c rune) int {
	switch c {
	case ' ', '\t', '\n', '\r':
		return 0
	default:
		return 1
	}
}

// find is where the n-th visible character of a scalar stands.
func (f *file) find(node *yaml.Node, n int) (int, int) {
	at, col := node.Line, node.Column
	var quote rune
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		at, col = at+1, 1
	case node.Style&yaml.DoubleQuotedStyle != 0:
		quote, col = '"', col+1
	case node.Style&yaml.SingleQuotedStyle != 0:
		quote, col = '\'', col+1
	}
	for ; at >= 1 && at <= len(f.lines); at, col = at+1, 1 {
		text := []rune(f.lines[at-1])
		for i := max(col-1, 0); i < len(text); i++ {
			here := i
			counts := seen(text[i])
			switch {
			case quote == '"' && text[i] == '\\' && i+1 < len(text):
				i++
				switch text[i] {
				case 'n', 't', 'r', ' ':
					counts = 0
				case 'x':
					i += 2
				case 'u':
					i += 4
				case 'U':
					i += 8
				}
			case quote == '\'' && text[i] == quote && i+1 < len(text) && text[i+1] == quote:
				i++
			}
			if counts == 0 {
				continue
			}
			if n == 0 {
				return at, here + 1
			}
			n--
		}
	}
	return node.Line, node.Column
}

// compiler checks expressions against one schema and reports into one reader.
type compiler struct {
	*reader
	env      *cel.Env
	provider *provider
	schema   Schema
}

// condition compiles text that must be true or false.
func (c *compiler) condition(pl place, text string) *expr {
	e := c.compile(pl, text)
	if e == nil {
		return nil
	}
	if t := e.ast.OutputType(); !t.IsExactType(types.BoolType) {
		c.at(pl.f, pl.n, "type", "compare it with something", "a condition must be true or false; this is %s", celWord(t.String()))
		return nil
	}
	c.optionals(pl, e)
	return e
}

func (c *compiler) compile(pl place, text string) *expr {
	if pl.n.Kind != yaml.ScalarNode {
		return nil // reported where it was read
	}
	parsed, iss := c.env.Parse(text)
	if iss.Err() != nil {
		c.unreadable(pl, text, iss.Errors())
		return nil
	}
	if !c.names(pl, parsed) {
		return nil
	}
	c.values(pl, parsed)
	checked, iss := c.env.Check(parsed)
	if iss.Err() != nil {
		for _, e := range iss.Errors() {
			line, col := pl.of(e.Location.Line(), e.Location.Column())
			msg, hint := plainWords(e.Message)
			c.report(pl.f, line, col, 1, "type", hint, "%s", msg)
		}
		return nil
	}
	prog, err := c.env.Program(checked, cel.CostLimit(maxCost))
	if err != nil {
		c.at(pl.f, pl.n, "type", "", "%v", err)
		return nil
	}
	line, col := pl.of(1, 0)
	e := &expr{text: strings.TrimSpace(text), at: Position{pl.f.name, line, col}, pl: pl, ast: checked, prog: prog, reads: map[string]bool{}, tests: map[string]bool{}}
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if path := e.read(x); path != "" && x.AsSelect().IsTestOnly() {
			e.tests[path] = true
		}
	}))
	return e
}

// names finds attributes that do not exist before CEL's own checker does, and says what was meant.
func (c *compiler) names(pl place, parsed *cel.Ast) bool {
	ok := true
	root := parsed.NativeRep()
	tops := []string{"person", "site", "lists", "today"}
	bound := map[string]bool{} // variables of all(), exists(), map(), filter()
	ast.PreOrderVisit(root.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			cmp := e.AsComprehension()
			bound[cmp.IterVar()], bound[cmp.IterVar2()], bound[cmp.AccuVar()] = true, true, true
		}
	}))
	ast.PreOrderVisit(root.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			if slices.Contains(tops, name) || bound[name] {
				return
			}
			if _, isType := c.env.CELTypeProvider().FindIdent(name); isType {
				return
			}
			hint := meant(name, tops)
			if hint == "" {
				hint = fmt.Sprintf("if it is a text, write %q in quotes", name)
			}
			c.fault(pl, root, e, "type", hint, "there is no %q; an expression sees person, site, lists and today", name)
			ok = false
		case ast.SelectKind:
			sel := e.AsSelect()
			typ, what := "", ""
			switch op := sel.Operand(); op.Kind() {
			case ast.IdentKind:
				switch op.AsIdent() {
				case "person":
					typ, what = personType, "person attribute"
				case "site":
					typ, what = siteType, "site attribute"
				case "lists":
					typ, what = listsType, "list"
				}
			case ast.SelectKind:
				if op.AsSelect().FieldName() == "custom" {
					typ, what = customType, "custom attribute"
				}
			}
			if typ == "" {
				return
			}
			fields := c.provider.structs[typ]
			if _, known := fields[sel.FieldName()]; !known {
				c.fault(pl, root, e, "type", meant(sel.FieldName(), slices.Sorted(maps.Keys(fields))), "unknown %s %q", what, sel.FieldName())
				ok = false
			}
		}
	}))
	return ok
}

// fault reports at a node of an expression. A selection's own place is its dot: its field stands after it.
func (c *compiler) fault(pl place, root *ast.AST, e ast.Expr, code, hint, format string, args ...any) {
	loc := root.SourceInfo().GetStartLocation(e.ID())
	col, width := loc.Column(), 1
	switch e.Kind() {
	case ast.SelectKind:
		col++
		width = utf8.RuneCountInString(e.AsSelect().FieldName())
	case ast.IdentKind:
		width = utf8.RuneCountInString(e.AsIdent())
	case ast.LiteralKind:
		if s, ok := e.AsLiteral().(types.String); ok {
			width = utf8.RuneCountInString(string(s)) + 2
		}
	}
	line, at := pl.of(loc.Line(), col)
	c.report(pl.f, line, at, width, code, hint, format, args...)
}

// values reports comparisons with values that a closed attribute never has.
func (c *compiler) values(pl place, parsed *cel.Ast) {
	root := parsed.NativeRep()
	ast.PreOrderVisit(root.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.CallKind {
			return
		}
		call := x.AsCall()
		switch call.FunctionName() {
		case operators.Equals, operators.NotEquals, operators.In:
		default:
			return
		}
		args := call.Args()
		a, ok := c.schema.Attributes[strings.TrimPrefix(pathOf(args[0]), "person.")]
		other := args[1]
		if !ok {
			a, ok = c.schema.Attributes[strings.TrimPrefix(pathOf(args[1]), "person.")]
			other = args[0]
		}
		if !ok || !a.Closed() {
			return
		}
		for _, lit := range literals(other) {
			s := string(lit.AsLiteral().(types.String))
			if !slices.Contains(a.Values, s) {
				c.fault(pl, root, lit, "unknown-value", meant(s, a.Values), "%s %q for person.%s", a.never(), s, a.Name)
			}
		}
	}))
}

// optionals warns of optional attributes that a condition reads without has(): where one is missing, the policy neither
// gives nor takes, and nobody hears of it. Parameters and dates need no warning: there a finding names what is missing.
func (c *compiler) optionals(pl place, e *expr) {
	root := e.ast.NativeRep()
	ast.PreOrderVisit(root.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		path := pathOf(x)
		name := strings.TrimPrefix(path, "person.")
		if a, ok := c.schema.Attributes[name]; path == "" || !ok || !a.Optional || e.tests["person."+name] || a.At.File == "" {
			return
		}
		c.fault(pl, root, x, "optional", fmt.Sprintf("write has(person.%s) && ..., or know that people without it keep what they have", name),
			"person.%s is optional: where it is missing, this gives nothing new and takes nothing away", name)
		c.diags[len(c.diags)-1].Severity = Warning
		c.diags[len(c.diags)-1].about = "person." + name
	}))
}

// never is how we say that a value does not occur.
func (a Attribute) never() string {
	if a.Derived {
		return "there is no"
	}
	return "HR never sends"
}

// pathOf is person.x, person.custom.x, site.x or lists.x for a selection, else "".
func pathOf(e ast.Expr) string {
	if e.Kind() != ast.SelectKind {
		return ""
	}
	sel := e.AsSelect()
	switch op := sel.Operand(); op.Kind() {
	case ast.IdentKind:
		switch op.AsIdent() {
		case "person", "site", "lists":
			return op.AsIdent() + "." + sel.FieldName()
		}
	case ast.SelectKind:
		if inner := pathOf(op); inner == "person.custom" {
			return inner + "." + sel.FieldName()
		}
	}
	return ""
}

// literals are the texts that an expression is, or lists.
func literals(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.LiteralKind:
		if _, ok := e.AsLiteral().(types.String); ok {
			return []ast.Expr{e}
		}
	case ast.ListKind:
		var out []ast.Expr
		for _, x := range e.AsList().Elements() {
			out = append(out, literals(x)...)
		}
		return out
	}
	return nil
}

var overload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '\(?(.*?)\)?'$`)

// plainWords says CEL's most common complaint in words that an administrator uses.
func plainWords(msg string) (string, string) {
	m := overload.FindStringSubmatch(msg)
	if m == nil {
		return msg, ""
	}
	op := strings.Trim(m[1], "_")
	if op == "@in" {
		op = "in"
	}
	a, b, two := strings.Cut(m[2], ", ")
	if !two {
		return fmt.Sprintf("%s cannot be used on %s", op, celWord(a)), ""
	}
	hint := ""
	switch {
	case a == "int" && b == "string":
		hint = "the attribute is a number: write the value without quotes"
	case a == "string" && b == "int":
		hint = "the attribute is text: write the value in quotes"
	case strings.Contains(a, "imestamp") != strings.Contains(b, "imestamp") && (a == "string" || b == "string"):
		hint = `the attribute is a date: write timestamp("2025-01-31T00:00:00Z")`
	}
	return fmt.Sprintf("cannot compare %s %s %s", celWord(a), op, celWord(b)), hint
}

func celWord(t string) string {
	switch {
	case t == "int" || t == "uint" || t == "double":
		return "a number"
	case t == "string":
		return "text"
	case t == "bool":
		return "a truth value"
	case strings.Contains(t, "imestamp"):
		return "a date"
	case strings.Contains(t, "uration"):
		return "a length of time"
	case strings.HasPrefix(t, "list"):
		return "a list"
	default:
		return t
	}
}

// part is one branch of an expression by itself: text and program.
func (s *Set) part(e *expr, x ast.Expr) (string, *expr) {
	text, err := parser.Unparse(x, e.ast.NativeRep().SourceInfo())
	if err != nil {
		text = e.text
	}
	prog, err := s.program(e, x)
	if err != nil {
		return text, nil
	}
	out := &expr{text: text, at: e.at, prog: prog, reads: map[string]bool{}}
	ast.PreOrderVisit(x, ast.NewExprVisitor(func(x ast.Expr) { out.read(x) }))
	return text, out
}

// read notes what a node reads, and the path if it is an attribute.
func (e *expr) read(x ast.Expr) string {
	path := pathOf(x)
	if path == "person.custom" {
		path = ""
	}
	if path != "" {
		e.reads[path] = true
	}
	if x.Kind() == ast.IdentKind && x.AsIdent() == "today" {
		e.reads["today"] = true
	}
	return path
}
