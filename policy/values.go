package policy

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/dayone-hq/dayone"
)

// namedValues are the values that conditions compare attributes with. Between two neighbours of them no condition tells
// people apart that asks for nothing but equality, order and membership.
type namedValues struct {
	set *Set
	of  map[string]map[dayone.Value]bool // by path
}

func newNamedValues(s *Set) *namedValues {
	return &namedValues{set: s, of: map[string]map[dayone.Value]bool{}}
}

// read notes the values of an expression, and returns the attributes that it asks for something else.
func (v *namedValues) read(e *expr) map[string]bool {
	loose := map[string]bool{}
	var walk func(x ast.Expr)
	walk = func(x ast.Expr) {
		if path := pathOf(x); path != "" {
			a := v.set.Schema.Attributes[strings.TrimPrefix(path, "person.")]
			if !x.AsSelect().IsTestOnly() && a.Type != dayone.BoolValue {
				loose[path] = true
			}
			return
		}
		switch x.Kind() {
		case ast.CallKind:
			call := x.AsCall()
			if v.compared(call) {
				return
			}
			if call.IsMemberFunction() {
				walk(call.Target())
			}
			for _, arg := range call.Args() {
				walk(arg)
			}
		case ast.LiteralKind, ast.IdentKind:
		default:
			ast.PreOrderVisit(x, ast.NewExprVisitor(func(x ast.Expr) {
				if path := pathOf(x); path != "" {
					loose[path] = true
				}
			}))
		}
	}
	walk(e.ast.NativeRep().Expr())
	return loose
}

// compared notes the values of a comparison between an attribute and constants.
func (v *namedValues) compared(call ast.CallExpr) bool {
	args := call.Args()
	switch call.FunctionName() {
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		for i, x := range args {
			if path := pathOf(x); path != "" {
				c, ok := constantOf(args[1-i])
				if equal := call.FunctionName() == operators.Equals || call.FunctionName() == operators.NotEquals; !equal && c.Kind == dayone.TextValue {
					return false // between two texts there is always another
				}
				return ok && v.note(path, c)
			}
		}
	case operators.In:
		path := pathOf(args[0])
		if path == "" {
			return false
		}
		if list, ok := strings.CutPrefix(pathOf(args[1]), "lists."); ok {
			for _, item := range v.set.Schema.Lists[list] {
				v.note(path, dayone.Text(item))
			}
			return true
		}
		if args[1].Kind() != ast.ListKind {
			return false
		}
		for _, x := range args[1].AsList().Elements() {
			if c, ok := constantOf(x); !ok || !v.note(path, c) {
				return false
			}
		}
		return true
	}
	return false
}

// constantOf is a text, a whole number, a truth value or timestamp("...").
func constantOf(x ast.Expr) (dayone.Value, bool) {
	switch x.Kind() {
	case ast.LiteralKind:
		switch lit := x.AsLiteral().(type) {
		case types.String:
			return dayone.Text(string(lit)), true
		case types.Int:
			return dayone.Int(int64(lit)), true
		case types.Bool:
			return dayone.Bool(bool(lit)), true
		}
	case ast.CallKind:
		call := x.AsCall()
		if call.FunctionName() == "timestamp" && len(call.Args()) == 1 && call.Args()[0].Kind() == ast.LiteralKind {
			if text, ok := call.Args()[0].AsLiteral().(types.String); ok {
				if t, err := time.Parse(time.RFC3339, string(text)); err == nil {
					return dayone.Date(t.UTC()), true
				}
			}
		}
	}
	return dayone.Value{}, false
}

// note keeps a value with its neighbours.
func (v *namedValues) note(path string, c dayone.Value) bool {
	if v.of[path] == nil {
		v.of[path] = map[dayone.Value]bool{}
	}
	add := func(c dayone.Value) { v.of[path][c] = true }
	add(c)
	if n, ok := c.Int(); ok && c.Kind == dayone.IntValue {
		add(dayone.Int(n - 1))
		add(dayone.Int(n + 1))
	}
	if d, ok := c.Day(); ok && c.Kind == dayone.DateValue {
		add(dayone.Date(d.AddDate(0, 0, -1)))
		add(dayone.Date(d.AddDate(0, 0, 1)))
	}
	return true
}

// other is a text that no file names.
const other = "\x00any other"

// column is an attribute with everybody who differs in it: each of its values, one that no file names, and none.
func (v *namedValues) column(path string) *lintColumn {
	attr, own := strings.CutPrefix(path, "person.")
	a := v.set.Schema.Attributes[attr]
	c := &lintColumn{}
	switch {
	case path == constant:
		c.closed, c.people = true, []dayone.Person{{}}
		return c
	case !own: // her site
		c.closed = true
		for _, name := range sortedKeys(v.set.Sites) {
			c.people = append(c.people, dayone.Person{Site: v.set.SiteOf(name)})
		}
		c.people = append(c.people, dayone.Person{Site: v.set.SiteOf("")})
		return c
	case attr == "status":
		c.closed = true
		for _, s := range dayone.Statuses {
			c.people = append(c.people, dayone.Person{Status: s})
		}
		return c
	case attr == "id", attr == "engagements":
		for value := range v.of[path] {
			c.people = append(c.people, dayone.Person{ID: dayone.PersonID(value.Text)})
		}
		c.people = append(c.people, dayone.Person{ID: other})
		return c
	}
	values := map[dayone.Value]bool{}
	switch {
	case a.Type == dayone.BoolValue:
		c.closed = true
		values[dayone.Bool(true)], values[dayone.Bool(false)] = true, true
	case a.Closed() && a.Type == dayone.TextValue:
		c.closed = true
		for _, w := range a.Values {
			values[dayone.Text(w)] = true
		}
	default:
		for value := range v.of[path] {
			if value.Kind == a.Type {
				values[value] = true
			}
		}
		switch a.Type { // between and beyond them
		case dayone.TextValue:
			values[dayone.Text(other)] = true
		case dayone.IntValue:
			values[dayone.Int(0)] = true
		case dayone.DateValue:
			values[dayone.Date(time.Unix(0, 0))] = true
		case dayone.ListValue:
			values[dayone.List(other)] = true
		}
	}
	sorted := make([]dayone.Value, 0, len(values))
	for value := range values {
		sorted = append(sorted, value)
	}
	slices.SortFunc(sorted, func(a, b dayone.Value) int { return strings.Compare(a.Text, b.Text) })
	c.people = append(c.people, dayone.Person{})
	for _, value := range sorted {
		c.people = append(c.people, dayone.Person{Attrs: dayone.Attrs{attr: value}})
	}
	return c
}
