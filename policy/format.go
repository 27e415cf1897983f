package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Format lays a file of a policy folder out as the examples are: keys in their order, two blanks a level, short grants on
// one line, no quotes that say nothing. Comments stay where they are, and so do the columns that somebody aligned. What
// it cannot lay out without changing what it says it leaves alone, with an error.
func Format(name, text string) (string, error) {
	r := &reader{}
	f := &file{name: name, text: strings.TrimPrefix(text, byteOrderMark)}
	f.lines = linesOf(f.text)
	d, ok := f.parse()
	if !ok {
		return "", fmt.Errorf("%s: %w", d, dayone.ErrInvalid)
	}
	if !r.plain(f, f.root, 0) {
		return "", fmt.Errorf("%s: %w", r.finish()[0], dayone.ErrInvalid)
	}
	if len(f.root.Content) == 0 {
		return text, nil
	}
	p := &printer{file: f, raw: map[*yaml.Node]string{}}
	p.scan()
	var out string
	if lines, ok := p.document(shapeOf(name)); ok {
		out = render(lines)
	}
	g := &file{name: name, text: out, lines: linesOf(out)}
	if _, ok := g.parse(); out == "" || !ok || meaning(g.root) != meaning(f.root) || !slices.Equal(p.comments(), commentsOf(g)) {
		return "", fmt.Errorf("%s is written in a way that cannot be laid out anew; it is left as it is: %w", name, dayone.ErrUnsupported)
	}
	return out, nil
}

// meaning is what a node says; the order of keys says nothing.
func meaning(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, meaning(n.Content[i])+": "+meaning(n.Content[i+1]))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		var parts []string
		for _, c := range n.Content {
			parts = append(parts, meaning(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprintf("%s %q", n.Tag, n.Value)
	}
}

// shortLine is how long a grant may be that is put on one line.
const shortLine = 100

// line is one line to be written.
type outLine struct {
	indent  int
	text    string
	comment string
	column  int  // of the comment, if there is room
	as      bool // verbatim: text is all of it
}

func render(lines []outLine) string {
	var b strings.Builder
	for _, l := range lines {
		s := strings.Repeat(" ", l.indent) + l.text
		if l.as {
			s = l.text
		}
		if l.comment != "" {
			if l.text != "" {
				n := utf8.RuneCountInString(s)
				s += strings.Repeat(" ", max(2, l.column-n))
			}
			s += l.comment
		}
		b.WriteString(strings.TrimRight(s, " \t") + "\n")
	}
	return b.String()
}

// printer lays out one file. Lines count from 0.
type printer struct {
	file    *file
	runes   [][]rune
	hash    []int // where the comment of a line begins; -1
	literal []bool
	raw     map[*yaml.Node]string // quoted texts as they stand, if on one line
}

// scan finds comments: what begins with # outside of quotes and of texts below |.
func (p *printer) scan() {
	for _, l := range p.file.lines {
		p.runes = append(p.runes, []rune(strings.TrimRight(l, " \t")))
	}
	p.hash, p.literal = make([]int, len(p.runes)), make([]bool, len(p.runes))
	quoted := make([][][2]int, len(p.runes))
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		switch {
		case n.Kind != yaml.ScalarNode:
		case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			depth := -1
			for i := n.Line; i < len(p.runes); i++ {
				at := p.depth(i)
				if at >= 0 && depth < 0 {
					depth = at
				}
				if at >= 0 && at < depth || depth == 0 {
					break
				}
				p.literal[i] = true
			}
			for i := len(p.runes) - 1; i >= n.Line && depth >= 0; i-- { // empty lines at the end belong to what follows
				if p.literal[i] && p.depth(i) < 0 && (i+1 == len(p.runes) || !p.literal[i+1]) {
					p.literal[i] = false
				}
			}
		case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			p.quoted(n, quoted)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(p.file.root)
	for i, text := range p.runes {
		p.hash[i] = -1
		if p.literal[i] {
			continue
		}
		for j, c := range text {
			within := slices.ContainsFunc(quoted[i], func(q [2]int) bool { return q[0] <= j && j <= q[1] })
			if c == '#' && !within && (j == 0 || text[j-1] == ' ' || text[j-1] == '\t') {
				p.hash[i] = j
				break
			}
		}
	}
}

// quoted notes from where to where a quoted text goes.
func (p *printer) quoted(n *yaml.Node, regions [][][2]int) {
	i, from := n.Line-1, n.Column-1
	if i >= len(p.runes) || from >= len(p.runes[i]) {
		return
	}
	if end := closingQuote(p.runes[i], from); end >= 0 {
		regions[i] = append(regions[i], [2]int{from, end})
		p.raw[n] = string(p.runes[i][from : end+1])
		return
	}
	q := p.runes[i][from]
	regions[i] = append(regions[i], [2]int{from, len(p.runes[i])})
	for i++; i < len(p.runes); i++ {
		if end := closingQuote(append([]rune{q}, p.runes[i]...), 0); end >= 0 {
			regions[i] = append(regions[i], [2]int{0, end - 1})
			return
		}
		regions[i] = append(regions[i], [2]int{0, len(p.runes[i])})
	}
}

// depth is the indentation of a line; -1: it is empty.
func (p *printer) depth(i int) int {
	for j, c := range p.runes[i] {
		if c != ' ' && c != '\t' {
			return j
		}
	}
	return -1
}

// bare says that a line holds no more than a comment.
func (p *printer) bare(i int) bool {
	d := p.depth(i)
	return !p.literal[i] && (d < 0 || p.hash[i] == d)
}

func (p *printer) commentAt(i int) string {
	if p.hash[i] < 0 {
		return ""
	}
	return string(p.runes[i][p.hash[i]:])
}

// code is a line from a column on, without its comment.
func (p *printer) code(i, from int) string {
	to := len(p.runes[i])
	if p.hash[i] >= 0 {
		to = p.hash[i]
	}
	if from >= to {
		return ""
	}
	return strings.TrimRight(string(p.runes[i][from:to]), " \t")
}

func (p *printer) comments() []string {
	var out []string
	for i := range p.runes {
		if c := p.commentAt(i); c != "" {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}

func commentsOf(f *file) []string {
	p := &printer{file: f, raw: map[*yaml.Node]string{}}
	p.scan()
	return p.comments()
}

// document is all of it. What stands above the first key belongs to the file, not to the key.
func (p *printer) document(s *shape) ([]outLine, bool) {
	var v *value
	if s != nil {
		v = &value{form: recordForm, of: s}
	}
	first := p.file.root.Line - 1
	if p.file.root.Style&yaml.FlowStyle != 0 || p.file.root.Kind != yaml.MappingNode {
		return nil, false
	}
	var out []outLine
	for i := range first {
		switch {
		case p.bare(i):
			out = append(out, outLine{comment: p.commentAt(i)})
		case p.code(i, 0) != "---":
			return nil, false
		}
	}
	body, ok := p.mapping(p.file.root, v, 0, first, len(p.runes))
	out = tidyLines(append(out, body...))
	return out, ok
}

// tidyLines leaves one empty line where there are several, and none at the ends.
func tidyLines(lines []outLine) []outLine {
	var out []outLine
	for _, l := range lines {
		empty := l.text == "" && l.comment == ""
		if empty && (len(out) == 0 || out[len(out)-1].text == "" && out[len(out)-1].comment == "") {
			continue
		}
		out = append(out, l)
	}
	for len(out) > 0 && out[len(out)-1].text == "" && out[len(out)-1].comment == "" {
		out = out[:len(out)-1]
	}
	return out
}

// span is one entry of a mapping or item of a list: the lines of comments above it, its own, and comments that end it.
type span struct {
	lead, from, to int
}

// spans cut the lines of a collection. starts are the lines on which its entries begin; column is its own.
func (p *printer) spans(starts []int, column, from, to int) ([]span, int) {
	out := make([]span, len(starts))
	lead := from
	for i, at := range starts {
		next := to
		if i+1 < len(starts) {
			next = starts[i+1]
		}
		end := next
		for end > at+1 && p.bare(end-1) {
			end--
		}
		for j := end; j < next; j++ { // comments that are indented deeper still belong to what is inside
			if d := p.depth(j); d > column {
				end = j + 1
			} else if d >= 0 {
				break
			}
		}
		out[i] = span{lead, at, end}
		lead = end
	}
	return out, lead
}

// above are the comments over an entry, and whether each line is one.
func (p *printer) above(s span, indent int) ([]outLine, bool) {
	var out []outLine
	for i := s.lead; i < s.from; i++ {
		if !p.bare(i) {
			return nil, false
		}
		out = append(out, outLine{indent: indent, comment: p.commentAt(i)})
	}
	return out, true
}
