package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
)

// faults are what is wrong with a configuration: each with its place, the line that it stands on, and what to write.
type faults []policy.Diagnostic

func (f faults) Error() string {
	lines := make([]string, len(f))
	for i, d := range f {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

func (f faults) Unwrap() error { return dayone.ErrInvalid }

func (f faults) sort() {
	slices.SortStableFunc(f, func(a, b policy.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// strict reads YAML into a struct. Every fault is found, not the first one: an unknown key, one that stands twice, a
// value of another type. It remembers where each value stands, for those who judge values later.
type strict struct {
	file   string
	lines  []string
	at     map[string]stands // by path: systems.okta.settings.url
	faults faults
}

// stands is where a value and its key are.
type stands struct{ key, value *yaml.Node }

func readStrict(file, text string, into any) *strict {
	s := &strict{file: file, lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), at: map[string]stands{}}
	var doc, next yaml.Node
	in := yaml.NewDecoder(strings.NewReader(text))
	switch err := in.Decode(&doc); {
	case errors.Is(err, io.EOF): // an empty file leaves every default
	case err != nil:
		s.unreadable(err)
	default:
		s.value("", doc.Content[0], reflect.ValueOf(into).Elem())
		if err := in.Decode(&next); err == nil {
			s.wrong(&next, "document", "take the line --- out, or put what follows into another file", "another document begins here, and nothing of it would count")
		} else if !errors.Is(err, io.EOF) {
			s.unreadable(err)
		}
	}
	s.faults.sort()
	return s
}

// unreadable takes the line out of the parser's message, which offers it in no other way.
func (s *strict) unreadable(err error) {
	d := policy.Diagnostic{Position: policy.Position{File: s.file}, Code: "yaml", Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if n, _ := fmt.Sscanf(d.Message, "line %d:", &d.Line); n == 1 {
		_, d.Message, _ = strings.Cut(d.Message, ": ")
	}
	d.Line = min(max(d.Line, 1), len(s.lines))
	d.Source = s.lines[d.Line-1]
	d.Col = 1 + utf8.RuneCountInString(d.Source) - utf8.RuneCountInString(strings.TrimLeft(d.Source, " \t"))
	d.Hint = "this line or the one before it is no YAML: write key: value, a blank after the colon, and indent it like its neighbours"
	if strings.Contains(d.Source, "\t") {
		d.Hint = "indent with blanks, not with tabs"
	}
	s.faults = append(s.faults, d)
}

// wrong reports at a node.
func (s *strict) wrong(n *yaml.Node, code, hint, format string, args ...any) {
	s.faults = append(s.faults, s.fault(n, code, hint, format, args...))
}

func (s *strict) fault(n *yaml.Node, code, hint, format string, args ...any) policy.Diagnostic {
	d := policy.Diagnostic{Position: policy.Position{File: s.file}, Code: code, Hint: hint, Message: fmt.Sprintf(format, args...), Width: 1}
	if n == nil {
		return d
	}
	d.Line, d.Col = n.Line, n.Column
	if d.Line >= 1 && d.Line <= len(s.lines) {
		d.Source = s.lines[d.Line-1]
	}
	if n.Kind == yaml.ScalarNode && !strings.Contains(n.Value, "\n") {
		d.Width = utf8.RuneCountInString(n.Value)
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			d.Width += 2
		}
	}
	return d
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// pairs are keys and values of a mapping; what an anchor brings in with << counts where nothing else is written.
func (s *strict) pairs(path string, n *yaml.Node, each func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		s.wrong(n, "shape", "write key: value below it", "%s must be a mapping", path)
		return
	}
	seen, brought := map[string]bool{}, (*yaml.Node)(nil)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Value == "<<" && v.Kind == yaml.AliasNode:
			brought = v.Alias
		case seen[k.Value]:
			s.wrong(k, "duplicate-key", "take one of the two out", "%q stands twice; only one would count", k.Value)
		default:
			seen[k.Value] = true
			each(k, v)
		}
	}
	if brought != nil {
		s.pairs(path, brought, func(k, v *yaml.Node) {
			if !seen[k.Value] {
				each(k, v)
			}
		})
	}
}

var durationType = reflect.TypeFor[time.Duration]()

// value reads one value of whatever type the field has.
func (s *strict) value(path string, n *yaml.Node, to reflect.Value) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" { // sources: with every line below it commented out
		return
	}
	scalar := func(write string) bool {
		if n.Kind != yaml.ScalarNode {
			s.wrong(n, "shape", "write "+write, "%s must be one value", path)
		}
		return n.Kind == yaml.ScalarNode
	}
	switch {
	case to.Type() == durationType:
		if !scalar("7h, 30m or 45s") {
			return
		}
		d, err := time.ParseDuration(n.Value)
		if err != nil || d < 0 {
			hint := "write 7h, 30m or 45s"
			if _, err := strconv.Atoi(n.Value); err == nil {
				hint = fmt.Sprintf("write its unit, too: %sh, %[1]sm or %[1]ss", n.Value)
			}
			s.wrong(n, "value", hint, "%s is %q, which is no length of time", path, n.Value)
			return
		}
		to.SetInt(int64(d))
	case to.Kind() == reflect.String:
		if scalar("a text") {
			to.SetString(n.Value)
		}
	case to.Kind() == reflect.Bool:
		if !scalar("true or false") {
			return
		}
		if n.Value != "true" && n.Value != "false" {
			s.wrong(n, "value", "write true or false", "%s is %q", path, n.Value)
		}
		to.SetBool(n.Value == "true")
	case to.Kind() == reflect.Int:
		if !scalar("a whole number") {
			return
		}
		i, err := strconv.Atoi(n.Value)
		if err != nil || i < 0 {
			s.wrong(n, "value", "write a whole number such as 300", "%s is %q", path, n.Value)
			return
		}
		to.SetInt(int64(i))
	case to.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			s.wrong(n, "shape", "write ["+strings.Trim(n.Value, "[]")+"]", "%s must be a list", path)
			return
		}
		for i, c := range n.Content {
			item := reflect.New(to.Type().Elem()).Elem()
			s.note(under(path, strconv.Itoa(i)), c, c)
			s.value(under(path, strconv.Itoa(i)), c, item)
			to.Set(reflect.Append(to, item))
		}
	case to.Kind() == reflect.Map:
		to.Set(reflect.MakeMap(to.Type()))
		s.pairs(path, n, func(k, v *yaml.Node) {
			item := reflect.New(to.Type().Elem()).Elem()
			s.note(under(path, k.Value), k, v)
			s.value(under(path, k.Value), v, item)
			to.SetMapIndex(reflect.ValueOf(k.Value), item)
		})
	case to.Kind() == reflect.Struct && n.Kind == yaml.ScalarNode && shortOf(to).IsValid():
		s.value(path, n, shortOf(to))
	case to.Kind() == reflect.Struct:
		fields := map[string]reflect.Value{}
		for i := range to.NumField() {
			if name := to.Type().Field(i).Tag.Get("yaml"); name != "" {
				fields[name] = to.Field(i)
			}
		}
		s.pairs(path, n, func(k, v *yaml.Node) {
			field, ok := fields[k.Value]
			if !ok {
				known := slices.Sorted(maps.Keys(fields))
				hint := dayone.Meant(k.Value, known)
				if hint == "" {
					hint = "there are " + strings.Join(known, ", ")
				}
				where := "the configuration"
				if path != "" {
					where = path
				}
				s.wrong(k, "unknown-key", hint, "%s has no %q", where, k.Value)
				return
			}
			s.note(under(path, k.Value), k, v)
			s.value(under(path, k.Value), v, field)
		})
	}
}

// shortOf is the field that may stand for the whole of a struct, where the rest is left out.
func shortOf(v reflect.Value) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("short") != "" {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func (s *strict) note(path string, k, v *yaml.Node) { s.at[path] = stands{k, v} }
