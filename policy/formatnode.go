package policy

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

func (p *printer) mapping(n *yaml.Node, v *value, indent, from, to int) ([]outLine, bool) {
	type entry struct {
		lines []outLine
		place int
	}
	var starts []int
	columns := map[int]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if k.Column != n.Content[0].Column || len(starts) > 0 && k.Line-1 <= starts[len(starts)-1] {
			return nil, false
		}
		starts = append(starts, k.Line-1)
		if val.Line == k.Line {
			columns[val.Column]++
		}
	}
	spans, rest := p.spans(starts, n.Content[0].Column-1, from, to)
	entries := make([]entry, len(starts))
	for i, sp := range spans {
		k, val := n.Content[2*i], n.Content[2*i+1]
		lines, ok := p.above(sp, indent)
		if !ok {
			return nil, false
		}
		place, of := 0, (*value)(nil)
		place, of = v.child(k.Value)
		gap := 1
		if val.Line == k.Line && columns[val.Column] > 1 {
			gap = max(1, val.Column-k.Column-utf8.RuneCountInString(p.keyText(k))-1)
		}
		body, ok := p.entry(k, val, of, indent, gap, sp)
		if !ok {
			return nil, false
		}
		entries[i] = entry{append(lines, body...), place}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.place - b.place })
	var out []outLine
	for i, e := range entries {
		if i == 0 {
			for len(e.lines) > 0 && e.lines[0].text == "" && e.lines[0].comment == "" {
				e.lines = e.lines[1:]
			}
		} else if v != nil && v.of != nil && v.of.file {
			out = append(out, outLine{})
		}
		out = append(out, e.lines...)
	}
	tail, ok := p.above(span{rest, to, to}, indent)
	return append(out, tail...), ok
}

// child is what stands behind a key, and where the key belongs; keys that nobody knows come last.
func (v *value) child(name string) (int, *value) {
	switch {
	case v != nil && v.form == recordForm:
		for i := range v.of.keys {
			if v.of.keys[i].name == name {
				return i, &v.of.keys[i].is
			}
		}
		return len(v.of.keys), nil
	case v != nil && v.form == tableForm:
		return 0, v.elem
	default:
		return 0, nil
	}
}

func (p *printer) keyText(k *yaml.Node) string { return p.scalar(k, false, false) }

// entry is key and value. The comment of the key's line stays on the line of the key.
func (p *printer) entry(k, val *yaml.Node, v *value, indent, gap int, sp span) ([]outLine, bool) {
	keyLine := k.Line - 1
	head := outLine{indent: indent, text: p.keyText(k) + ":", comment: p.commentAt(keyLine)}
	shift := indent - k.Column + 1
	head.column = p.hash[keyLine] + shift
	if val.Kind == yaml.ScalarNode && val.Tag == "!!null" && val.Value == "" {
		tail, ok := p.above(span{sp.from + 1, sp.to, sp.to}, indent+2)
		return append([]outLine{head}, tail...), ok
	}
	if val.Kind != yaml.ScalarNode && val.Style&yaml.FlowStyle == 0 {
		body, ok := p.collection(val, v, indent+2, keyLine+1, sp.to)
		return append([]outLine{head}, body...), ok
	}
	body, ok := p.leaf(val, v, indent, shift, sp, isExpression(k.Value))
	if !ok {
		return nil, false
	}
	body[0].indent, body[0].text = indent, head.text+strings.Repeat(" ", gap)+body[0].text
	if val.Line != k.Line && head.comment != "" { // it stood on a line of its own
		body = append([]outLine{{indent: indent, comment: head.comment}}, body...)
	}
	return body, true
}

// isExpression: what stands behind it is CEL, which has quotes of its own.
func isExpression(key string) bool { return key == "when" || key == "if" }

func (p *printer) collection(n *yaml.Node, v *value, indent, from, to int) ([]outLine, bool) {
	if n.Kind == yaml.MappingNode {
		return p.mapping(n, v, indent, from, to)
	}
	return p.sequence(n, v, indent, from, to)
}

// leaf is a scalar or a collection in brackets. Its first line gets its key from the caller.
func (p *printer) leaf(n *yaml.Node, v *value, indent, shift int, sp span, expression bool) ([]outLine, bool) {
	first, last := n.Line-1, sp.to-1
	for last > first && p.bare(last) {
		last--
	}
	tail, ok := p.above(span{last + 1, sp.to, sp.to}, indent+2)
	if !ok {
		return nil, false
	}
	line := func(i int, text string) outLine {
		return outLine{indent: indent + 2, text: text, comment: p.commentAt(i), column: p.hash[i] + shift}
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		out := []outLine{line(first, p.code(first, n.Column-1))}
		if strings.ContainsAny(out[0].text, "+0123456789") {
			return nil, false
		}
		depth := -1
		for i := first + 1; i <= last; i++ {
			if d := p.depth(i); d >= 0 && depth < 0 {
				depth = d
			}
			text := ""
			if p.depth(i) >= 0 {
				text = strings.Repeat(" ", indent+2) + string(p.runes[i][min(depth, len(p.runes[i])):])
			}
			out = append(out, outLine{text: text, as: true})
		}
		return append(out, tail...), true
	case first == last:
		text := ""
		if n.Kind == yaml.ScalarNode {
			text = p.scalar(n, false, expression)
		} else if text, ok = p.flow(n, v); !ok {
			return nil, false
		}
		return append([]outLine{line(first, text)}, tail...), true
	case n.Kind == yaml.ScalarNode: // folded over lines, where indentation says nothing
		out := []outLine{line(first, p.code(first, n.Column-1))}
		for i := first + 1; i <= last; i++ {
			out = append(out, line(i, strings.TrimLeft(p.code(i, 0), " \t")))
		}
		return append(out, tail...), true
	default: // brackets over lines: whoever broke them meant it
		out := []outLine{line(first, p.code(first, n.Column-1))}
		for i := first + 1; i <= last; i++ {
			l := line(i, strings.TrimLeft(p.code(i, 0), " \t"))
			if l.indent = max(indent+2, p.depth(i)+shift); p.depth(i) < 0 {
				l.indent = 0
			}
			out = append(out, l)
		}
		return append(out, tail...), true
	}
}

func (p *printer) sequence(n *yaml.Node, v *value, indent, from, to int) ([]outLine, bool) {
	var elem *value
	if v != nil && v.form == listForm {
		elem = v.elem
	}
	var starts []int
	at := from
	for _, item := range n.Content {
		for at < item.Line && (p.bare(at) || !p.dash(at, n.Column-1)) {
			at++
		}
		if at >= item.Line {
			return nil, false
		}
		starts = append(starts, at)
		at++
	}
	spans, rest := p.spans(starts, n.Column-1, from, to)
	if lines, ok := p.short(n, elem, indent, spans); ok {
		tail, ok := p.above(span{rest, to, to}, indent)
		return append(lines, tail...), ok
	}
	apart := elem != nil && elem.form == recordForm && !elem.of.line
	var out []outLine
	before := 0
	for i, sp := range spans {
		lines, ok := p.above(sp, indent)
		if !ok {
			return nil, false
		}
		body, ok := p.item(n.Content[i], elem, indent, sp)
		if !ok {
			return nil, false
		}
		if i == 0 {
			for len(lines) > 0 && lines[0].comment == "" {
				lines = lines[1:]
			}
		} else if apart && (before > 1 || len(body) > 1) && (len(lines) == 0 || lines[0].comment != "") {
			lines = append([]outLine{{}}, lines...)
		}
		before = len(body)
		out = append(append(out, lines...), body...)
	}
	tail, ok := p.above(span{rest, to, to}, indent)
	return append(out, tail...), ok
}

// dash: a line begins an item at a column.
func (p *printer) dash(i, column int) bool {
	t := p.runes[i]
	return p.depth(i) == column && t[column] == '-' && (len(t) == column+1 || t[column+1] == ' ')
}

func (p *printer) item(n *yaml.Node, v *value, indent int, sp span) ([]outLine, bool) {
	switch {
	case n.Kind == yaml.SequenceNode && n.Style&yaml.FlowStyle == 0:
		return nil, false
	case n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle == 0:
		from := sp.from
		var out []outLine
		if n.Line-1 > sp.from { // a dash on a line of its own
			if c := p.commentAt(sp.from); c != "" {
				out = append(out, outLine{indent: indent, comment: c})
			}
			from++
		}
		body, ok := p.mapping(n, v, indent+2, from, sp.to)
		for i := range body {
			if body[i].text != "" {
				body[i].text, body[i].indent = "- "+body[i].text, indent
				break
			}
			body[i].indent = indent
		}
		return append(out, body...), ok
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "":
		return nil, false
	}
	body, ok := p.leaf(n, v, indent, indent-p.depth(sp.from), sp, false)
	if !ok {
		return nil, false
	}
	body[0].indent, body[0].text = indent, "- "+body[0].text
	return body, true
}

// short is a list of grants and the like with each on one line, if all of them fit and none has a comment of its own.
func (p *printer) short(n *yaml.Node, elem *value, indent int, spans []span) ([]outLine, bool) {
	if elem == nil || elem.form != recordForm || !elem.of.line || !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Style&yaml.FlowStyle == 0 }) {
		return nil, false
	}
	var out []outLine
	for i, item := range n.Content {
		sp := spans[i]
		if item.Style&yaml.FlowStyle == 0 {
			for j := sp.from; j < sp.to; j++ {
				if p.hash[j] >= 0 || p.literal[j] {
					return nil, false
				}
			}
			if item.Kind != yaml.MappingNode {
				return nil, false
			}
		} else if sp.to-sp.from > 1 {
			return nil, false
		}
		text, ok := p.flow(item, elem)
		if !ok || indent+2+utf8.RuneCountInString(text) > shortLine {
			return nil, false
		}
		lead, ok := p.above(sp, indent)
		if !ok {
			return nil, false
		}
		for i == 0 && len(lead) > 0 && lead[0].comment == "" {
			lead = lead[1:]
		}
		l := outLine{indent: indent, text: "- " + text, comment: p.commentAt(sp.from), column: p.hash[sp.from] + indent - p.depth(sp.from)}
		out = append(append(out, lead...), l)
	}
	return out, true
}

// flow is a collection in brackets on one line; false if a text in it has several.
func (p *printer) flow(n *yaml.Node, v *value) (string, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(n.Value, "\n") && p.raw[n] == "" {
			return "", false
		}
		if n.Tag == "!!null" && n.Value == "" {
			return "", false
		}
		text := p.scalar(n, true, false)
		if n.Style == 0 && strings.ContainsAny(text, ",[]{}") { // plain outside of brackets only
			text = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
		}
		return text, true
	case yaml.SequenceNode:
		var elem *value
		if v != nil && v.form == listForm {
			elem = v.elem
		}
		parts := make([]string, len(n.Content))
		for i, c := range n.Content {
			var ok bool
			if parts[i], ok = p.flow(c, elem); !ok {
				return "", false
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	case yaml.MappingNode:
		type entry struct {
			text  string
			place int
		}
		entries := make([]entry, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, val := n.Content[i], n.Content[i+1]
			place, of := v.child(k.Value)
			name := p.scalar(k, true, false)
			text, ok := p.flow(val, of)
			if !ok {
				return "", false
			}
			if isExpression(k.Value) && val.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 && plainExpression(val.Value, true) {
				text = val.Value
			}
			entries = append(entries, entry{name + ": " + text, place})
		}
		slices.SortStableFunc(entries, func(a, b entry) int { return a.place - b.place })
		parts := make([]string, len(entries))
		for i, e := range entries {
			parts[i] = e.text
		}
		return "{" + strings.Join(parts, ", ") + "}", true
	}
	return "", false
}

var (
	plainWord   = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9 _./@-]*[A-Za-z0-9])?$`)
	specialWord = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|inf|nan)$`)
)

// scalar is a text as it stands, without quotes that say nothing.
func (p *printer) scalar(n *yaml.Node, inFlow, expression bool) string {
	raw, onOneLine := p.raw[n]
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
		return n.Value
	}
	switch {
	case plainWord.MatchString(n.Value) && !specialWord.MatchString(n.Value), expression && plainExpression(n.Value, inFlow):
		return n.Value
	case n.Style&yaml.SingleQuotedStyle != 0 && !strings.ContainsAny(n.Value, "\"\\\n"):
		return `"` + n.Value + `"`
	case onOneLine:
		return raw
	default:
		return n.Value
	}
}

// plainExpression: YAML reads it without quotes as what it is.
func plainExpression(s string, inFlow bool) bool {
	if s == "" || strings.ContainsAny(s, "\n\t") || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":") ||
		inFlow && strings.ContainsAny(s, ",[]{}") || specialWord.MatchString(s) {
		return false
	}
	c := s[0]
	return c >= 'a' && c <= 'z' && s[len(s)-1] != ' '
}
