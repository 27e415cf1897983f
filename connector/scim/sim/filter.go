package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Resource is a user or a group as it is kept. Its attributes have the names of the schema, whatever case they came in.
type Resource = map[string]any

// Filter is a parsed filter of RFC 7644, section 3.4.2.2.
type Filter struct {
	Op          string // and, or, not, [, or an operator on a path
	Path        string // in lower case
	Value       any
	Left, Right *Filter
}

var errFilter = errors.New("the specified filter is invalid")

// ParseFilter reads eq ne co sw ew gt ge lt le pr, and or not, parentheses and value paths.
func ParseFilter(text string) (*Filter, error) {
	p := &parser{rest: text}
	f, err := p.or()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%w near %q", errFilter, p.rest)
	}
	return f, err
}

// Leaves are the parts that compare one path, for servers that know only some.
func (f *Filter) Leaves() []*Filter {
	switch {
	case f.Left == nil, f.Op == "[":
		return []*Filter{f}
	case f.Right == nil:
		return f.Left.Leaves()
	}
	return append(f.Left.Leaves(), f.Right.Leaves()...)
}

// Match says whether a resource, or an element of a list, is one of them.
func (f *Filter) Match(r Resource) bool {
	switch f.Op {
	case "and":
		return f.Left.Match(r) && f.Right.Match(r)
	case "or":
		return f.Left.Match(r) || f.Right.Match(r)
	case "not":
		return !f.Left.Match(r)
	case "[":
		for _, e := range elements(leaf(r, f.Path)) {
			if m, ok := e.(map[string]any); ok && f.Left.Match(m) {
				return true
			}
		}
		return false
	}
	values := leaves(r, f.Path)
	if f.Op == "ne" { // of a list: none is equal
		for _, v := range values {
			if compare("eq", f.Path, v, f.Value) {
				return false
			}
		}
		return true
	}
	for _, v := range values {
		if compare(f.Op, f.Path, v, f.Value) {
			return true
		}
	}
	return false
}

// exact are the attributes whose case matters.
var exact = map[string]bool{"id": true, "externalid": true, "members.value": true, "groups.value": true, "value": true}

func compare(op, path string, have, want any) bool {
	switch op {
	case "pr":
		return have != nil && have != ""
	case "eq":
		if h, ok := have.(string); ok {
			w, ok := want.(string)
			return ok && (h == w || !exact[path] && strings.EqualFold(h, w))
		}
		return have == want
	}
	h, okHave := have.(string)
	w, okWant := want.(string)
	if !okHave || !okWant {
		return false
	}
	if !exact[path] {
		h, w = strings.ToLower(h), strings.ToLower(w)
	}
	if th, err := time.Parse(time.RFC3339, strings.ToUpper(h)); err == nil {
		if tw, err := time.Parse(time.RFC3339, strings.ToUpper(w)); err == nil {
			h, w = fmt.Sprintf("%020d", th.UnixNano()), fmt.Sprintf("%020d", tw.UnixNano())
		}
	}
	switch op {
	case "co":
		return strings.Contains(h, w)
	case "sw":
		return strings.HasPrefix(h, w)
	case "ew":
		return strings.HasSuffix(h, w)
	case "gt":
		return h > w
	case "ge":
		return h >= w
	case "lt":
		return h < w
	default:
		return h <= w
	}
}

// leaf is what stands at a Path: urn:name.sub
func leaf(r Resource, path string) any {
	if i := urnEnd(path); i > 0 {
		r, _ = r[find(r, path[:i])].(map[string]any)
		path = path[i+1:]
	}
	name, sub, deep := strings.Cut(path, ".")
	v := r[find(r, name)]
	if m, ok := v.(map[string]any); ok && deep {
		return m[find(m, sub)]
	}
	if !deep {
		return v
	}
	var out []any
	for _, e := range elements(v) {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m[find(m, sub)])
		}
	}
	return out
}

// leaves are the plain values at a path; a list of objects stands for their values.
func leaves(r Resource, path string) []any {
	var out []any
	for _, v := range elements(leaf(r, path)) {
		if m, ok := v.(map[string]any); ok {
			v = m["value"]
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

func elements(v any) []any {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		return x
	default:
		return []any{x}
	}
}

// find is the key of an object that equals a name in any case.
func find(in map[string]any, name string) string {
	if _, ok := in[name]; ok {
		return name
	}
	for k := range in {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// urnEnd is where the URN of a path ends; 0 if it has none.
func urnEnd(path string) int {
	if !strings.HasPrefix(strings.ToLower(path), "urn:") {
		return 0
	}
	return strings.LastIndex(path, ":")
}

type parser struct{ rest string }

func (p *parser) or() (*Filter, error) { return p.chain("or", p.and) }

func (p *parser) and() (*Filter, error) { return p.chain("and", p.one) }

func (p *parser) chain(word string, next func() (*Filter, error)) (*Filter, error) {
	f, err := next()
	for err == nil && p.word(word) {
		var r *Filter
		r, err = next()
		f = &Filter{Op: word, Left: f, Right: r}
	}
	return f, err
}

func (p *parser) one() (*Filter, error) {
	if p.word("not") {
		f, err := p.group()
		return &Filter{Op: "not", Left: f}, err
	}
	if p.mark("(") {
		p.rest = "(" + p.rest
		return p.group()
	}
	path := strings.ToLower(p.name())
	if path == "" {
		return nil, fmt.Errorf("%w: an attribute is missing", errFilter)
	}
	if p.mark("[") {
		f, err := p.or()
		if err == nil && !p.mark("]") {
			err = fmt.Errorf("%w: ] is missing", errFilter)
		}
		return &Filter{Op: "[", Path: path, Left: f}, err
	}
	op := strings.ToLower(p.name())
	switch op {
	case "pr":
		return &Filter{Op: op, Path: path}, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
		v, err := p.literal()
		return &Filter{Op: op, Path: path, Value: v}, err
	}
	return nil, fmt.Errorf("%w: there is no operator %q", errFilter, op)
}

func (p *parser) group() (*Filter, error) {
	if !p.mark("(") {
		return nil, fmt.Errorf("%w: ( is missing", errFilter)
	}
	f, err := p.or()
	if err == nil && !p.mark(")") {
		err = fmt.Errorf("%w: ) is missing", errFilter)
	}
	return f, err
}

func (p *parser) mark(m string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), m)
	if ok {
		p.rest = rest
	}
	return ok
}

// word takes a whole word in any case.
func (p *parser) word(w string) bool {
	rest := strings.TrimLeft(p.rest, " ")
	if len(rest) < len(w) || !strings.EqualFold(rest[:len(w)], w) {
		return false
	}
	if after := rest[len(w):]; after == "" || strings.ContainsAny(after[:1], " (") {
		p.rest = after
		return true
	}
	return false
}

func (p *parser) name() string {
	rest := strings.TrimLeft(p.rest, " ")
	i := strings.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(" ()[]\"", r) })
	if i < 0 {
		i = len(rest)
	}
	p.rest = rest[i:]
	return rest[:i]
}

// literal is a JSON value.
func (p *parser) literal() (any, error) {
	rest := strings.TrimLeft(p.rest, " ")
	d := json.NewDecoder(strings.NewReader(rest))
	if strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "{") {
		return nil, fmt.Errorf("%w: a plain value is missing", errFilter)
	}
	var v any
	if d.Decode(&v) != nil {
		return nil, fmt.Errorf("%w: a quoted value is missing", errFilter)
	}
	p.rest = rest[d.InputOffset():]
	return v, nil
}
