package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
)

// Whoever writes a template is let in, and yet it ends: ranges go over lists alone, so many rounds in all, and no text that
// it makes on its way, nor the message, grows beyond what one has.

const (
	longestSource  = 64 << 10  // bytes of a template
	longestMessage = 256 << 10 // bytes of what comes out of one
	longestText    = 32 << 10  // bytes of what a function gives
	longestFormat  = 200       // bytes of what printf is told
	mostRounds     = 100_000   // of all ranges together
)

var (
	errLong   = fmt.Errorf("the message is longer than %d KB", longestMessage>>10)
	errRounds = fmt.Errorf("its ranges go round more than %d times", mostRounds)
)

// page is what a message is written on; it has an end. A digest is as long as what it gathers.
type page struct {
	bytes.Buffer
	more int
}

func pageFor(v View) *page {
	p := &page{}
	for _, l := range v.Lines {
		p.more += len(l.Subject) + len(l.Text)
	}
	return p
}

func (p *page) Write(b []byte) (int, error) {
	if p.Len()+len(b) > longestMessage+p.more {
		return 0, errLong
	}
	return p.Buffer.Write(b)
}

// Format prints no insides: what a template names is a part of a view, never the whole.
func (View) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "message") }

// short is a text that a function gives, unless it is too long.
func short(text string) (string, error) {
	if len(text) > longestText {
		return "", fmt.Errorf("it is longer than %d KB", longestText>>10)
	}
	return text, nil
}

// printable is how printf may put something: wide padding makes much of nothing, and %p, %T and # show insides.
var printable = regexp.MustCompile(`^(?:[^%]|%%|%[-+ 0]?[0-9]{0,2}(?:\.[0-9]{1,2})?[vsqdxXtcfgeU])*$`)

func printf(format string, args ...any) (string, error) {
	if len(format) > longestFormat || !printable.MatchString(format) {
		return "", errors.New("write a short format with verbs such as %s, %q or %3d")
	}
	return short(fmt.Sprintf(format, args...))
}

// textual are functions that take anything and make text of it; View is no such thing.
var textual = map[string]any{
	"print": func(args ...any) (string, error) { return short(fmt.Sprint(args...)) }, "println": func(args ...any) (string, error) { return short(fmt.Sprintln(args...)) },
	"printf": printf, "html": func(args ...any) (string, error) { return short(template.HTMLEscaper(args...)) },
	"js": func(args ...any) (string, error) { return short(template.JSEscaper(args...)) }, "urlquery": func(args ...any) (string, error) { return short(template.URLQueryEscaper(args...)) },
}

// rounds is called at the begin of each round of a range.
const rounds = "_round"

// counted has a template count the rounds of its ranges. A fresh count belongs to each time that it is executed.
func counted(tpl *template.Template) *template.Template {
	left := mostRounds
	tpl.Funcs(template.FuncMap{rounds: func() (string, error) {
		if left--; left < 0 {
			return "", errRounds
		}
		return "", nil
	}})
	for _, t := range tpl.Templates() {
		if t.Tree != nil {
			count(t.Root)
		}
	}
	return tpl
}

func count(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.IfNode:
			count(n.List)
			count(n.ElseList)
		case *parse.WithNode:
			count(n.List)
			count(n.ElseList)
		case *parse.RangeNode:
			count(n.List)
			count(n.ElseList)
			n.List.Nodes = append([]parse.Node{roundOf()}, n.List.Nodes...)
		}
	}
}

func roundOf() parse.Node {
	t := parse.New("round")
	t.Mode = parse.SkipFuncCheck
	if _, err := t.Parse("{{"+rounds+"}}", "", "", map[string]*parse.Tree{}); err != nil {
		panic("counting rounds: " + err.Error()) // a fault of the program
	}
	return t.Root.Nodes[0]
}

// bounded lets a range end: it goes over a list that there is, and few stand within each other.
func (w *walk) bounded(n *parse.RangeNode, items reflect.Type) {
	word := n.Pipe.String()
	switch {
	case items == nil:
		w.found = append(w.found, w.fault(int(n.Pipe.Position()), word, "range over a list, such as .Run.Accounts", "it cannot be told whether %s is a list", cut(word)))
	case items.Kind() != reflect.Slice && items.Kind() != reflect.Map:
		w.found = append(w.found, w.fault(int(n.Pipe.Position()), word, "range over a list, such as .Run.Accounts", "%s is no list", cut(word)))
	case w.depth >= deepest:
		w.found = append(w.found, w.fault(int(n.Pipe.Position()), word, "", "more than %d ranges stand within each other", deepest))
	}
}

func cut(word string) string { return word[:min(len(word), 80)] }

// declares gives variables of a pipe their types. One that is assigned anew stays of its type: what was a list of the view is
// not made a number on the way.
func (w *walk) declares(p *parse.PipeNode, name string, t reflect.Type) {
	was := w.vars[name]
	switch {
	case !p.IsAssign:
		w.vars[name] = t
	case was != nil && !plain(was) && was != t:
		w.found = append(w.found, w.fault(int(p.Position()), name, "use another name", "%s is something else already", name))
	}
}

// plain says that nothing can be asked of a type, nor is it ranged over.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Pointer:
		return false
	}
	return true
}

// words refuses what is no text where a text is meant: the view, or one of its parts, as a whole.
func (w *walk) words(n parse.Node, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct || t.Implements(reflect.TypeFor[fmt.Stringer]()) {
		return
	}
	what := n.String()
	w.found = append(w.found, w.fault(int(n.Position()), what, "say what of it, such as .Person.Name", "%s is no text", cut(what)))
}

// given refuses texts that are made on the way as what a method is given: a layout of times doubles what it is told.
func (w *walk) given(arg parse.Node, t reflect.Type) {
	switch arg.(type) {
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		return
	}
	if t == nil || t.Kind() == reflect.String || t.Kind() == reflect.Slice {
		w.found = append(w.found, w.fault(int(arg.Position()), arg.String(), `write it out, such as "Jan 2"`, "%s is made on the way, and given to a method", cut(arg.String())))
	}
}

// joined are lists put into a text.
func joined(items []string, sep string) (string, error) { return short(strings.Join(items, sep)) }
