package rest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// values are what templates may name: attributes, and what the call itself is about.
type values map[string]dayone.Value

// template is a text with ${name} in it; "$$" stands for one dollar sign. What is put in is never read again: somebody may
// be called ${password}.
type template []part

type part struct {
	text string
	ref  string // "": text
}

var place = regexp.MustCompile(`\$\$|\$\{([^}]*)\}`)

func parse(s string) (template, error) {
	var out template
	rest := s
	for {
		at := place.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		text := rest[:at[0]]
		if at[2] < 0 {
			out = append(out, part{text: text + "$"})
		} else {
			out = append(out, part{text: text}, part{ref: rest[at[2]:at[3]]})
			if at[2] == at[3] {
				return nil, fmt.Errorf("%q names nothing between ${ and }", s)
			}
		}
		rest = rest[at[1]:]
	}
	if strings.Contains(rest, "${") {
		return nil, fmt.Errorf("%q has ${ without }", s)
	}
	out = append(out, part{text: rest})
	return slices.DeleteFunc(out, func(p part) bool { return p == part{} }), nil
}

func (t template) refs() (out []string) {
	for _, p := range t {
		if p.ref != "" {
			out = append(out, p.ref)
		}
	}
	return out
}

// alone is the only thing that a template consists of.
func (t template) alone() (string, bool) {
	if len(t) == 1 && t[0].ref != "" {
		return t[0].ref, true
	}
	return "", false
}

// fill puts values in; what is not known is empty.
func (t template) fill(v values) string {
	var b strings.Builder
	for _, p := range t {
		if p.ref == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(v[p.ref].String())
	}
	return b.String()
}

// path puts values into a path, each as one segment or a part of one. A value that would make another path of it is refused.
func (t template) path(v values) (string, error) {
	var b strings.Builder
	for _, p := range t {
		if p.ref == "" {
			b.WriteString(p.text)
			continue
		}
		text := v[p.ref].String()
		if text == "" || text == "." || text == ".." {
			return "", fmt.Errorf("%s is %q, which cannot stand in a path", p.ref, text)
		}
		b.WriteString(url.PathEscape(text))
	}
	return b.String(), nil
}

// body is a tree of JSON whose texts are templates.
type body struct {
	fields map[string]body
	items  []body
	text   template
	plain  any // a constant that is no text
	shape  byte
}

const (
	object byte = iota + 1
	array
	words
	constant
)

// parseBody takes a body as it stands in the definition, in YAML.
func parseBody(n *yaml.Node) (body, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := body{shape: object, fields: map[string]body{}}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if v := n.Content[i+1]; v.Kind == yaml.MappingNode && v.Style == yaml.FlowStyle && len(v.Content) == 2 && v.Content[1].Tag == "!!null" {
				return out, fmt.Errorf("line %d: %s is read as a mapping; put quotes around ${...} there", v.Line, n.Content[i].Value)
			}
			child, err := parseBody(n.Content[i+1])
			if err != nil {
				return out, err
			}
			out.fields[n.Content[i].Value] = child
		}
		return out, nil
	case yaml.SequenceNode:
		out := body{shape: array}
		for _, c := range n.Content {
			child, err := parseBody(c)
			if err != nil {
				return out, err
			}
			out.items = append(out.items, child)
		}
		return out, nil
	}
	if n.Tag != "!!str" {
		out := body{shape: constant}
		if n.Tag == "!!int" || n.Tag == "!!float" {
			out.plain = json.Number(n.Value)
			if !json.Valid([]byte(n.Value)) {
				return out, fmt.Errorf("line %d: %s is no number in JSON; put quotes around it", n.Line, n.Value)
			}
			return out, nil
		}
		err := n.Decode(&out.plain)
		return out, err
	}
	t, err := parse(n.Value)
	if err != nil {
		return body{}, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return body{shape: words, text: t}, nil
}

func (b body) refs() (out []string) {
	for _, f := range b.fields {
		out = append(out, f.refs()...)
	}
	for _, i := range b.items {
		out = append(out, i.refs()...)
	}
	return append(out, b.text.refs()...)
}

// render makes JSON of it. A field that names nothing that is known is left out; so is one of which nothing is in only, if
// there is an only: a change says what changed and no more.
func (b body) render(v values, types map[string]string, only dayone.Attrs) (any, bool, error) {
	switch b.shape {
	case object:
		out := map[string]any{}
		for name, f := range b.fields {
			child, said, err := f.render(v, types, only)
			if err != nil {
				return nil, false, err
			}
			if said {
				out[name] = child
			}
		}
		return out, len(out) > 0 || len(b.fields) == 0, nil
	case array:
		out := []any{}
		for _, i := range b.items {
			child, said, err := i.render(v, types, only)
			if err != nil {
				return nil, false, err
			}
			if said {
				out = append(out, child)
			}
		}
		return out, len(out) > 0 || len(b.items) == 0, nil
	case constant:
		return b.plain, true, nil
	}
	refs := b.text.refs()
	if len(refs) == 0 {
		return b.text.fill(v), true, nil
	}
	known := func(name string) bool { _, ok := v[name]; return ok }
	if !slices.ContainsFunc(refs, known) {
		return nil, false, nil
	}
	if only != nil && !slices.ContainsFunc(refs, func(name string) bool { _, ok := only[name]; return ok || types[name] == itself }) {
		return nil, false, nil
	}
	if name, ok := b.text.alone(); ok {
		out, err := typed(name, v[name], types[name])
		return out, true, err
	}
	return b.text.fill(v), true, nil
}

// itself is the type of what a call is about, which is sent however little changed.
const itself = "itself"

// typed is a value as the application takes it.
func typed(name string, v dayone.Value, as string) (any, error) {
	switch {
	case v.Kind == dayone.BoolValue:
		return v.Bool(), nil
	case v.Kind == dayone.IntValue:
		return json.Number(v.Text), nil
	case v.Kind == dayone.ListValue:
		return v.Items(), nil
	case as == "int" && v.Text == "", as == "bool" && v.Text == "":
		return nil, nil
	case as == "int":
		if _, err := json.Number(v.Text).Int64(); err != nil {
			return nil, fmt.Errorf("%s is to be a whole number, and is not", name)
		}
		return json.Number(v.Text), nil
	case as == "bool":
		if v.Text != "true" && v.Text != "false" {
			return nil, fmt.Errorf("%s is to be true or false, and is neither", name)
		}
		return v.Text == "true", nil
	}
	return v.Text, nil
}
