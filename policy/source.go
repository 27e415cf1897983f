package policy

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Limits on what is read at all: a folder that breaks them is refused, not half read.
const (
	maxFileBytes = 4 << 20
	maxDepth     = 32
)

// Severity of a diagnostic. A set with an error is never used.
type Severity int

const (
	Error Severity = iota
	Warning
)

// String is the word for it.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText gives the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(b []byte) error {
	*s = Error
	if string(b) == Warning.String() {
		*s = Warning
	}
	return nil
}

// Position in a file; Line and Col count from 1, Col in characters.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	if p.Col == 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Line is the short form that reasons carry: file:line.
func (p Position) line() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Diagnostic is one fault of one file, with what to do about it.
type Diagnostic struct {
	Position
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // type, unknown-value, unknown-key, ...: stable, for editors and for silencing
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`   // "did you mean ...?", or what to write instead
	Source   string   `json:"source,omitempty"` // the line it stands on
	Width    int      `json:"width,omitempty"`  // characters to underline
	about    string   // the attribute it is about, so that a guard elsewhere can silence it
}

// String is what a terminal shows: position, message, the line with its fault underlined, the hint.
func (d Diagnostic) String() string {
	var b strings.Builder
	kind := ""
	if d.Severity == Warning {
		kind = "warning: "
	}
	fmt.Fprintf(&b, "%s: %s%s [%s]", d.Position, kind, d.Message, d.Code)
	if d.Source != "" && d.Col > 0 {
		trimmed := strings.TrimLeft(d.Source, " \t")
		indent := utf8.RuneCountInString(d.Source) - utf8.RuneCountInString(trimmed)
		at := max(0, d.Col-1-indent)
		fmt.Fprintf(&b, "\n      %s\n      %s%s", trimmed, strings.Repeat(" ", at), strings.Repeat("^", max(1, d.Width)))
	}
	if d.Hint != "" {
		b.WriteString("\n  " + d.Hint)
	}
	return b.String()
}

// Failed says whether any diagnostic is an error.
func Failed(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// file is one source file, kept for underlining.
type file struct {
	name  string
	text  string
	lines []string
	root  *yaml.Node
}

// reader collects files and faults; nothing it does stops at the first one.
type reader struct {
	fsys  fs.FS
	diags []Diagnostic
	files map[string]*file // that were read
	later []func()         // checks that need all files
}

func (r *reader) report(f *file, line, col, width int, code, hint, format string, args ...any) {
	r.diags = append(r.diags, f.fault(line, col, width, code, hint, fmt.Sprintf(format, args...)))
}

// fault is a diagnostic at a place of the file, which is kept within the file.
func (f *file) fault(line, col, width int, code, hint, message string) Diagnostic {
	d := Diagnostic{Position: Position{f.name, line, col}, Code: code, Message: message, Hint: hint}
	if line >= 1 && len(f.lines) > 0 {
		d.Line = min(line, len(f.lines))
		d.Source = f.lines[d.Line-1]
		n := utf8.RuneCountInString(d.Source)
		if d.Line < line {
			d.Col = n + 1
		}
		d.Col = max(1, min(d.Col, n+1))
		d.Width = max(1, min(width, n+1-d.Col))
	}
	return d
}

// at reports at a YAML node and underlines its text.
func (r *reader) at(f *file, n *yaml.Node, code, hint, format string, args ...any) {
	r.report(f, n.Line, n.Column, nodeWidth(n), code, hint, format, args...)
}

func nodeWidth(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || strings.ContainsRune(n.Value, '\n') {
		return 1
	}
	w := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		w += 2
	}
	return w
}

// Sort orders faults, errors first and then by place, so that a run is the same each time.
func Sort(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
}

func (r *reader) finish() []Diagnostic {
	Sort(r.diags)
	r.diags = slices.Compact(r.diags)
	return r.diags
}

// raw reads one text file. It returns nil after reporting why it cannot.
func (r *reader) raw(name string) *file {
	f := &file{name: name}
	info, err := fs.Stat(r.fsys, name)
	if err == nil && info.Size() > maxFileBytes {
		r.report(f, 0, 0, 0, "size", "split it", "the file has %d bytes; at most %d are read", info.Size(), maxFileBytes)
		return nil
	}
	raw, err := fs.ReadFile(r.fsys, name)
	if err != nil {
		r.report(f, 0, 0, 0, "unreadable", "", "cannot be read: %v", err)
		return nil
	}
	if !utf8.Valid(raw) {
		r.report(f, 0, 0, 0, "encoding", "save it as UTF-8", "the file is not UTF-8")
		return nil
	}
	f.text = strings.TrimPrefix(string(raw), byteOrderMark)
	return f
}

// read parses one YAML file. It returns nil after reporting why it cannot.
func (r *reader) read(name string) *file {
	f := r.raw(name)
	if f == nil {
		return nil
	}
	f.lines = linesOf(f.text)
	if d, ok := f.parse(); !ok {
		r.diags = append(r.diags, d)
		return nil
	}
	if !r.plain(f, f.root, 0) {
		return nil
	}
	r.keep(f)
	return f
}

// keep remembers a file, so that what is found later can show its line.
func (r *reader) keep(f *file) {
	if r.files == nil {
		r.files = map[string]*file{}
	}
	r.files[f.name] = f
}

func linesOf(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

// parse reads the one document that a file holds.
func (f *file) parse() (Diagnostic, bool) {
	for i, text := range f.lines { // YAML counts lines at signs that no editor shows as their end
		if at := strings.IndexAny(text, "\r\u0085\u2028\u2029"); at >= 0 {
			return f.fault(i+1, utf8.RuneCountInString(text[:at])+1, 1, "encoding", "take it out, or end the line there",
				fmt.Sprintf("an invisible sign stands here (%U)", []rune(text[at:])[0])), false
		}
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(f.text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF), err == nil && len(doc.Content) == 0, err == nil && doc.Content[0].Tag == "!!null" && doc.Content[0].Value == "":
		f.root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1} // an empty file says nothing, and that is no fault
		return Diagnostic{}, true
	case err != nil:
		return Misread(f.name, f.text, err), false
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return Misread(f.name, f.text, err), false
	case len(second.Content) > 0:
		return f.fault(second.Line, 1, 3, "yaml", "put each document into a file of its own", "a second YAML document is not read"), false
	}
	f.root = doc.Content[0]
	return Diagnostic{}, true
}

const byteOrderMark = "\ufeff"

// plain refuses what makes YAML hard to review: anchors, aliases, merge keys, duplicate keys, tags, deep nesting.
func (r *reader) plain(f *file, n *yaml.Node, depth int) bool {
	ok := true
	bad := func(code, hint, msg string, args ...any) {
		r.at(f, n, code, hint, msg, args...)
		ok = false
	}
	if depth > maxDepth {
		bad("depth", "", "nested more than %d deep", maxDepth)
		return false
	}
	switch {
	case n.Kind == yaml.AliasNode:
		bad("alias", "write it out, or use a bundle", "YAML aliases are not allowed in policies")
		return false
	case n.Anchor != "":
		bad("anchor", "write it out, or use a bundle", "YAML anchors are not allowed in policies")
	case n.Style&yaml.TaggedStyle != 0:
		bad("tag", "", "YAML tags are not allowed in policies")
	case n.Kind == yaml.ScalarNode && !dayone.Legible(n.Value): // written as an escape: else the file does not read
		bad("encoding", "take it out", "a control character stands here, which nobody can read")
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode {
				r.at(f, k, "key", "", "a key must be plain text")
				ok = false
				continue
			}
			if k.Value == "<<" {
				r.at(f, k, "merge-key", "write it out, or use a bundle", "YAML merge keys are not allowed in policies")
				ok = false
			}
			if seen[k.Value] {
				r.at(f, k, "duplicate-key", "", "%q stands twice; only one would count", k.Value)
				ok = false
			}
			seen[k.Value] = true
		}
	}
	for _, c := range n.Content {
		ok = r.plain(f, c, depth+1) && ok
	}
	return ok
}

// fields returns the values of a mapping by key and reports the keys that nobody knows. A key without a value is as if it
// were not there.
func (r *reader) fields(f *file, n *yaml.Node, s *shape) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		r.at(f, n, "shape", "", "%s must be a mapping (key: value)", s.what)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case s.key(k.Value) == nil:
			r.at(f, k, "unknown-key", meant(k.Value, s.names()), "%s has no %q", s.what, k.Value)
		case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
			r.at(f, k, "empty", "write a value, or take the key out", "%s has no value", k.Value)
		default:
			out[k.Value] = v
		}
	}
	return out
}

// pairs walks a mapping whose keys are free.
func (r *reader) pairs(f *file, n *yaml.Node, what string, each func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.at(f, n, "shape", "", "%s must be a mapping (key: value)", what)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		each(n.Content[i], n.Content[i+1])
	}
}

func (r *reader) items(f *file, n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.at(f, n, "shape", "", "%s must be a list", what)
		return nil
	}
	return n.Content
}

// words reads one text or a list of texts.
func (r *reader) words(f *file, n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var out []string
	for _, c := range r.items(f, n, what) {
		if c.Kind != yaml.ScalarNode {
			r.at(f, c, "shape", "", "%s must hold plain texts", what)
			continue
		}
		out = append(out, c.Value)
	}
	return out
}

// wordNodes are the nodes of one text or a list of texts.
func wordNodes(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

func (r *reader) word(f *file, n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		r.at(f, n, "shape", "", "%s must be a plain text", what)
		return ""
	}
	return n.Value
}

func (r *reader) oneOf(f *file, n *yaml.Node, what string, allowed ...string) string {
	w := r.word(f, n, what)
	if w != "" && !slices.Contains(allowed, w) {
		r.at(f, n, "value", meant(w, allowed), "%s is %q; it can be %s", what, w, strings.Join(allowed, ", "))
		return ""
	}
	return w
}

// meant is the nearest known word as a hint, or nothing.
func meant(word string, known []string) string { return dayone.Meant(word, known) }
