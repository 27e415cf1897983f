package message

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// Fault is what is wrong with a template, where, and what to write.
type Fault struct {
	File      string // templates/welcome.txt
	Line, Col int    // from 1; 0: of the whole file
	Text      string
	Hint      string
	Source    string // the line it stands on
	Width     int    // characters that are meant
}

func (f *Fault) Error() string {
	s := f.File
	if f.Line > 0 {
		s += fmt.Sprintf(":%d:%d", f.Line, f.Col)
	}
	s += ": " + f.Text
	if f.Hint != "" {
		s += "; " + f.Hint
	}
	return s
}

func (f *Fault) Unwrap() error { return dayone.ErrInvalid }

// Faults are all of them.
type Faults []*Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

func (fs Faults) Unwrap() error { return dayone.ErrInvalid }

// Check reads every template and renders it for somebody made up, so that a fault shows at load and not on a first day.
// Names are checked in every branch, whether it is taken for somebody made up or not.
func (t Templates) Check() error {
	var found Faults
	for _, name := range t.all() {
		s, err := t.read(name)
		if err == nil {
			err = s.check()
		}
		switch err := err.(type) {
		case nil:
		case Faults:
			found = append(found, err...)
		case *Fault:
			found = append(found, err)
		default:
			found = append(found, &Fault{File: file(name), Text: err.Error()})
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// headers that mean something; a mail has a subject, an invitation a summary.
var known = []string{"Subject", "Summary", "Start", "Minutes", "Location"}

func (s *source) check() error {
	headers, text, err := s.parts()
	if err != nil {
		return err
	}
	var found Faults
	whole, has := piece{of: s, text: s.src}, map[string]header{}
	for _, h := range headers {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, h.name) }) {
			found = append(found, whole.fault(h.line, h.name, cmp.Or(dayone.Meant(h.name, known), "there are "+strings.Join(known, ", ")), "no message has a header %q", h.name))
		}
		has[h.name] = h
		found = append(found, h.value.names()...)
	}
	if found = append(found, text.names()...); len(found) > 0 {
		return found
	}
	_, mail := has["subject"]
	summary, invitation := has["summary"]
	_, start := has["start"]
	switch {
	case !mail && !invitation:
		return whole.fault(0, "", "write Subject: ... for a mail, Summary: ... and Start: 09:00 for an invitation", "it has no header Subject or Summary")
	case invitation && !start:
		return whole.fault(summary.line, "Summary", "write Start: 09:00 below it", "an invitation says when it begins")
	}
	for _, v := range []View{{}, sample()} {
		r, err := s.render(v)
		if err != nil {
			return err
		}
		if _, err := time.Parse("15:04", r.Header["start"]); invitation && err != nil {
			return has["start"].value.fault(0, "", "write an hour such as 09:00", "Start is %q", r.Header["start"])
		}
		if n, err := strconv.Atoi(cmp.Or(r.Header["minutes"], "30")); invitation && (err != nil || n < 1 || n > 24*60) {
			return has["minutes"].value.fault(0, "", "write how long it takes, such as 30", "Minutes is %q", r.Header["minutes"])
		}
	}
	return nil
}

// piece is a text within a template's file that is executed by itself: the value of a header, or the body.
type piece struct {
	of   *source
	at   int // byte in the file
	text string
}

// fault is one at a byte of the piece.
func (p piece) fault(at int, word, hint, format string, args ...any) *Fault {
	before := p.of.src[:min(p.at+at, len(p.of.src))]
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(p.of.src[start:], "\n")
	return &Fault{
		File: p.of.file, Line: strings.Count(before, "\n") + 1, Col: utf8.RuneCountInString(before[start:]) + 1, Source: line,
		Width: utf8.RuneCountInString(word), Text: fmt.Sprintf(format, args...), Hint: hint,
	}
}

// place is how text/template says in its messages where it stopped; it offers it in no other way.
var place = regexp.MustCompile(`^template: [^:]*:(\d+)(?::(\d+))?: (?:executing "[^"]*" at <(.*?)>: )?(?s:(.*))$`)

// shown are messages of text/template that end with the value that they are about: it may be somebody's, or show insides.
var shown = regexp.MustCompile(`(?s)(can't iterate over|can't use) .*`)

// stopped makes a fault of an error of text/template.
func (p piece) stopped(err error) *Fault {
	m := place.FindStringSubmatch(err.Error())
	if m == nil {
		return p.fault(0, "", "", "%v", err)
	}
	at := 0
	for line, _ := strconv.Atoi(m[1]); line > 1; line-- {
		at += strings.IndexByte(p.text[at:], '\n') + 1
	}
	if col, err := strconv.Atoi(m[2]); err == nil {
		at += col
	} else if brace := strings.Index(p.text[at:], "{{"); brace >= 0 {
		at += brace
	}
	return p.fault(at, m[3], "", "%s", shown.ReplaceAllString(m[4], "$1 it"))
}

// names checks the names that a piece uses against what there is.
func (p piece) names() (found Faults) {
	tree := parse.New(p.of.name)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(p.text, "", "", trees); err != nil {
		return Faults{p.stopped(err)}
	}
	w := &walk{piece: p, trees: trees, seen: map[called]bool{}}
	w.enter(trees[p.of.name], reflect.TypeFor[View]())
	w.inside = true
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		if name != p.of.name && !w.calls(name) {
			w.enter(trees[name], nil) // nobody calls it, so nobody says with what
		}
	}
	return w.found
}

// called is something defined, and the type it is called with.
type called struct {
	name string
	dot  reflect.Type
}

func (w *walk) calls(name string) bool {
	for c := range w.seen {
		if c.name == name {
			return true
		}
	}
	return false
}

// enter goes through a tree, with variables of its own.
func (w *walk) enter(t *parse.Tree, dot reflect.Type) {
	if t == nil {
		return
	}
	outer := w.vars
	w.vars = map[string]reflect.Type{"$": dot}
	w.list(t.Root, dot)
	w.vars = outer
}

// walk goes through a template with the type of the dot; nil is one that is not known, and anything may be asked of it.
type walk struct {
	piece
	vars  map[string]reflect.Type
	trees map[string]*parse.Tree
	seen  map[called]bool
	found Faults

	depth  int  // ranges around it
	inside bool // of something that is defined
}

func (w *walk) list(l *parse.ListNode, dot reflect.Type) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			t := w.pipe(n.Pipe, dot)
			if len(n.Pipe.Decl) == 0 {
				w.words(n.Pipe, t)
			}
		case *parse.TemplateNode:
			w.call(n, w.pipe(n.Pipe, dot))
		case *parse.IfNode:
			w.branch(&n.BranchNode, dot, func() reflect.Type { w.pipe(n.Pipe, dot); return dot })
		case *parse.WithNode:
			w.branch(&n.BranchNode, dot, func() reflect.Type { return w.pipe(n.Pipe, dot) })
		case *parse.RangeNode:
			w.branch(&n.BranchNode, dot, func() reflect.Type { return w.ranged(n, dot) })
		}
	}
}

// branch goes through both ways, each with the variables that are declared before it.
func (w *walk) branch(n *parse.BranchNode, dot reflect.Type, head func() reflect.Type) {
	outer := w.vars
	w.vars = maps.Clone(outer)
	in := head()
	mine := w.vars
	w.vars = maps.Clone(mine)
	if n.NodeType == parse.NodeRange {
		w.depth++
	}
	w.list(n.List, in)
	if n.NodeType == parse.NodeRange {
		w.depth--
	}
	w.vars = maps.Clone(mine)
	w.list(n.ElseList, dot)
	w.vars = outer
}

// ranged is the type of what a range goes over, one by one.
func (w *walk) ranged(n *parse.RangeNode, dot reflect.Type) (item reflect.Type) {
	items := w.out(n.Pipe, dot)
	w.bounded(n, items)
	if items != nil && (items.Kind() == reflect.Slice || items.Kind() == reflect.Map) {
		item = items.Elem()
	}
	for i, v := range n.Pipe.Decl {
		t := item
		if i < len(n.Pipe.Decl)-1 {
			t = nil
		}
		w.declares(n.Pipe, v.Ident[0], t)
	}
	return item
}

// call goes through what is defined with what it is called with. It calls nothing itself, so it ends.
func (w *walk) call(n *parse.TemplateNode, dot reflect.Type) {
	if w.inside || w.depth > 0 || n.Name == w.of.name {
		w.found = append(w.found, w.fault(int(n.Position()), n.Name, "write it out there", "what is defined is called from the text itself only, and in no range"))
		return
	}
	c := called{n.Name, dot}
	if w.seen[c] {
		return
	}
	w.seen[c], w.inside = true, true
	w.enter(w.trees[n.Name], dot)
	w.inside = false
}

// deepest is how many ranges may stand within each other.
const deepest = 3

// pipe is the type that comes out of it, and what it declares has it.
func (w *walk) pipe(p *parse.PipeNode, dot reflect.Type) (out reflect.Type) {
	if p == nil {
		return nil
	}
	out = w.out(p, dot)
	for _, v := range p.Decl {
		w.declares(p, v.Ident[0], out)
	}
	return out
}

func (w *walk) out(p *parse.PipeNode, dot reflect.Type) (out reflect.Type) {
	for i, c := range p.Cmds {
		before := out
		out = w.command(c, dot)
		if i == 0 {
			continue
		}
		if name := ident(c.Args[0]); textual[name] != nil {
			w.words(p.Cmds[i-1], before)
		} else if name == "" {
			w.given(p.Cmds[i-1], before)
		}
	}
	return out
}

// command is the type of one part of a pipe.
func (w *walk) command(c *parse.CommandNode, dot reflect.Type) (out reflect.Type) {
	name := ident(c.Args[0])
	for i, arg := range c.Args {
		t := w.operand(arg, dot)
		switch {
		case i == 0:
			out = t
		case textual[name] != nil:
			w.words(arg, t)
		case name == "":
			w.given(arg, t)
		}
	}
	if f, ok := functions[name]; ok {
		return reflect.TypeOf(f).Out(0)
	}
	if len(c.Args) > 1 {
		return nil
	}
	return out
}

func ident(n parse.Node) string {
	if id, ok := n.(*parse.IdentifierNode); ok {
		return id.Ident
	}
	return ""
}

// builtins of text/template.
var builtins = []string{
	"and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery", "break", "continue",
}

func (w *walk) operand(n parse.Node, dot reflect.Type) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return w.fields(n, n.Ident, dot)
	case *parse.VariableNode:
		return w.fields(n, n.Ident[1:], w.vars[n.Ident[0]])
	case *parse.ChainNode:
		return w.fields(n, n.Field, w.operand(n.Node, dot))
	case *parse.PipeNode:
		return w.pipe(n, dot)
	case *parse.NumberNode:
		return reflect.TypeFor[int]()
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.IdentifierNode:
		f, ok := functions[n.Ident]
		if ok {
			return reflect.TypeOf(f).Out(0)
		}
		if !slices.Contains(builtins, n.Ident) {
			own := slices.DeleteFunc(slices.Sorted(maps.Keys(functions)), func(name string) bool { return textual[name] != nil })
			w.found = append(w.found, w.fault(int(n.Pos), n.Ident, cmp.Or(dayone.Meant(n.Ident, append(own, builtins...)), "there are "+strings.Join(own, ", ")),
				"there is no function %q", n.Ident))
		}
	}
	return nil
}

// fields follows .Person.First.
func (w *walk) fields(n parse.Node, path []string, t reflect.Type) reflect.Type {
	for i, name := range path {
		if t == nil {
			return nil
		}
		if m, ok := t.MethodByName(name); ok && m.Type.NumOut() > 0 {
			t = m.Type.Out(0)
			continue
		}
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Map {
			t = t.Elem()
			continue
		}
		var known []string
		if t.Kind() == reflect.Struct {
			if f, ok := t.FieldByName(name); ok {
				t = f.Type
				continue
			}
			for i := range t.NumField() {
				if f := t.Field(i); f.IsExported() {
					known = append(known, f.Name)
				}
			}
		}
		// a node stands at one of its names, not always the first
		whole := "." + strings.Join(path, ".")
		end := min(int(n.Position())+len(whole), len(w.text))
		at := max(0, strings.LastIndex(w.text[:end], whole)) + 1 + len(strings.Join(path[:i], "."))
		if i > 0 {
			at++
		}
		what := "a " + strings.ToLower(t.Name())
		switch {
		case i > 0:
			what = "." + strings.Join(path[:i], ".")
		case t == reflect.TypeFor[View]():
			what = "a message"
		}
		hint := dayone.Meant(name, known)
		if hint == "" && len(known) > 0 {
			hint = "it has " + strings.Join(known, ", ")
		}
		w.found = append(w.found, w.fault(at, name, hint, "%s has no %q", what, name))
		return nil
	}
	return t
}

// compiled is the piece ready to be executed, once.
func (p piece) compiled() (*template.Template, error) {
	tpl, err := template.New(p.of.name).Funcs(functions).Funcs(spoken(p.of.lang)).Option("missingkey=zero").Parse(p.text)
	if err != nil {
		return nil, p.stopped(err)
	}
	return counted(tpl), nil
}
