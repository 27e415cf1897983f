package number

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// PlanFile is what the file is called in which a plan is written.
const PlanFile = "numbers.yaml"

const (
	mostText  = 4 << 20
	mostRules = 5000
)

// ReadPlan reads numbers.yaml. A plan with faults is not used; each fault says where it is and what to write.
func ReadPlan(text string) (Plan, []Fault) {
	r := &reader{file: PlanFile}
	switch {
	case len(text) > mostText:
		r.at(1, 1, "the file has %d bytes; at most %d are read", len(text), mostText)
		return Plan{}, r.faults
	case !utf8.ValidString(text):
		r.at(1, 1, "the file is not UTF-8")
		return Plan{}, r.faults
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return Plan{}, nil // an empty file has no pools
	case err != nil:
		r.at(lineIn(err), 1, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return Plan{}, r.faults
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		r.at(1, 1, "the file holds more than one document; write one")
		return Plan{}, r.faults
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return Plan{}, nil
	}
	p := r.plan(doc.Content[0])
	r.overlaps(&p)
	slices.SortStableFunc(r.faults, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	return p, r.faults
}

// lineIn is the line that an error of the YAML library names.
func lineIn(err error) int {
	for f := range strings.FieldsSeq(err.Error()) {
		if n, err := strconv.Atoi(strings.Trim(f, ":")); err == nil {
			return n
		}
	}
	return 1
}

// reader collects what is wrong; nothing it does stops at the first fault.
type reader struct {
	file   string
	faults []Fault
}

func (r *reader) at(line, col int, format string, args ...any) {
	r.faults = append(r.faults, Fault{r.file, line, col, fmt.Sprintf(format, args...)})
}

func (r *reader) node(n *yaml.Node, format string, args ...any) {
	r.at(n.Line, n.Column, format, args...)
}

// fields goes through what a mapping may say.
func (r *reader) fields(n *yaml.Node, what string, each map[string]func(*yaml.Node)) {
	if n.Kind == yaml.AliasNode {
		r.node(n, "%s is written out, and not by an alias", what)
		return
	}
	if n.Kind != yaml.MappingNode {
		r.node(n, "%s is a mapping, as name: value", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read, known := each[k.Value]
		switch {
		case !known:
			hint := ""
			if near := dayone.Meant(k.Value, keysOf(each)); near != "" {
				hint = "; " + near
			}
			r.node(k, "%s has no %q%s", what, k.Value, hint)
		case seen[k.Value]:
			r.node(k, "%s says %q twice", what, k.Value)
		default:
			seen[k.Value] = true
			read(v)
		}
	}
}

func keysOf(m map[string]func(*yaml.Node)) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// text reads one line of text.
func (r *reader) text(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		switch {
		case n.Kind != yaml.ScalarNode:
			r.node(n, "write one text here")
		case utf8.RuneCountInString(n.Value) > 2000:
			r.node(n, "the text has more than 2000 signs")
		case !dayone.Legible(n.Value): // written as an escape: else the file does not read
			r.node(n, "a control character stands here, which nobody can read; take it out")
		default:
			*into = strings.TrimSpace(n.Value)
		}
	}
}

func (r *reader) texts(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.node(n, "write a list here, as [a, b]")
			return
		}
		for _, item := range n.Content {
			var s string
			r.text(&s)(item)
			*into = append(*into, s)
		}
	}
}

func (r *reader) word(into *string, of ...string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.text(into)(n)
		if !slices.Contains(of, *into) {
			r.node(n, "%q is none of %s", n.Value, strings.Join(of, ", "))
		}
	}
}

// length reads 180d or 12h.
func (r *reader) length(into *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		unit, text := day, strings.TrimSuffix(n.Value, "d")
		if t, ok := strings.CutSuffix(n.Value, "h"); ok {
			unit, text = time.Hour, t
		}
		many, err := strconv.Atoi(text)
		if err != nil || many < 0 || many > 36_500 || n.Kind != yaml.ScalarNode || text == n.Value {
			r.node(n, "%q is no length of time; write 180d or 12h", n.Value)
			return
		}
		*into = time.Duration(many) * unit
	}
}

func (r *reader) day(into *time.Time) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d, err := time.Parse(time.DateOnly, n.Value)
		if err != nil {
			r.node(n, "%q is no day; write 2025-01-31", n.Value)
			return
		}
		*into = d
	}
}

func (r *reader) plan(n *yaml.Node) Plan {
	var p Plan
	r.fields(n, "the file", map[string]func(*yaml.Node){
		"stated_by": r.texts(&p.Stated),
		"classes": func(n *yaml.Node) {
			for _, item := range r.list(n, "classes") {
				p.Classes = append(p.Classes, r.class(item))
			}
		},
		"pools": func(n *yaml.Node) {
			if n.Kind != yaml.MappingNode {
				r.node(n, "pools is a mapping, as berlin: {...}")
				return
			}
			for i := 0; i+1 < len(n.Content) && i < 2*mostRules; i += 2 {
				p.Pools = append(p.Pools, r.pool(n.Content[i], n.Content[i+1]))
			}
			for i, pool := range p.Pools {
				if slices.ContainsFunc(p.Pools[:i], func(o Pool) bool { return o.Name == pool.Name }) {
					r.at(pool.At.Line, pool.At.Col, "there are two pools %q", pool.Name)
				}
			}
		},
	})
	for i, c := range p.Classes {
		if slices.ContainsFunc(p.Classes[:i], func(o Class) bool { return o.Name == c.Name && o.Platform == c.Platform && o.Site == c.Site }) {
			r.at(c.At.Line, c.At.Col, "class %q is said twice for %s %s", c.Name, c.Platform, c.Site)
		}
	}
	for _, pool := range p.Pools {
		if _, ok := p.Class(pool.Class, pool.Platform, pool.Site); pool.Class != "" && len(p.Classes) > 0 && !ok {
			r.at(pool.At.Line, pool.At.Col, "pool %q is of class %q, and classes does not say what that is on %s at %s", pool.Name, pool.Class, pool.Platform, pool.Site)
		}
	}
	return p
}

func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.node(n, "%s is a list: each begins with -", what)
		return nil
	}
	if len(n.Content) > mostRules {
		r.node(n, "%s has %d entries; at most %d are read", what, len(n.Content), mostRules)
		return nil
	}
	return n.Content
}

func (r *reader) class(n *yaml.Node) Class {
	c := Class{At: Position{n.Line, n.Column}}
	r.fields(n, "a class", map[string]func(*yaml.Node){
		"name": r.text(&c.Name), "platform": r.text(&c.Platform), "site": r.text(&c.Site), "line": r.text(&c.Line), "device": r.text(&c.Device), "forward": r.text(&c.Forward), "voicemail": r.text(&c.Voicemail),
	})
	if c.Name == "" || c.Platform == "" || c.Line == "" && c.Device == "" && c.Forward == "" && c.Voicemail == "" {
		r.node(n, "a class needs name, platform, and one of line, device, forward and voicemail")
	}
	return c
}

func (r *reader) pool(k, n *yaml.Node) Pool {
	p := Pool{
		Name: k.Value, At: Position{k.Line, k.Column}, WhenAt: Position{n.Line, n.Column},
		Reservation: Reservation, Activation: Activation, Quarantine: Quarantine, Margin: Margin, Low: -1,
	}
	if !poolName(p.Name) {
		r.node(k, "%q is no name of a pool; write letters, digits, - and _, at most 64", p.Name)
	}
	var ranges *yaml.Node
	r.fields(n, "a pool", map[string]func(*yaml.Node){
		"title": r.text(&p.Title), "platform": r.text(&p.Platform), "partition": r.text(&p.Partition), "country": r.text(&p.Country), "site": r.text(&p.Site),
		"class": r.text(&p.Class), "emergency": r.text(&p.Emergency), "reservation": r.length(&p.Reservation), "activation": r.length(&p.Activation),
		"quarantine": r.length(&p.Quarantine), "margin": r.length(&p.Margin), "vanity": r.texts(&p.Vanity),
		"when": func(n *yaml.Node) { r.text(&p.When)(n); p.WhenAt = Position{n.Line, n.Column} },
		"low": func(n *yaml.Node) {
			if _, err := fmt.Sscanf(n.Value, "%d", &p.Low); err != nil || p.Low < 0 || strconv.Itoa(p.Low) != n.Value {
				r.node(n, "%q is no count of numbers", n.Value)
			}
		},
		"ranges": func(n *yaml.Node) { ranges = n },
	})
	for name, v := range map[string]string{"platform": p.Platform, "emergency": p.Emergency} {
		if v == "" {
			r.at(p.At.Line, p.At.Col, "pool %q names no %s%s", p.Name, name, map[string]string{"emergency": ": where an emergency call from one of its numbers comes from"}[name])
		}
	}
	if p.Country != "" && !knownCountry(p.Country) {
		r.at(p.At.Line, p.At.Col, "there is no country %q; write it as in DE or US", p.Country)
	}
	for _, v := range p.Vanity {
		if !digits(v) {
			r.at(p.At.Line, p.At.Col, "vanity holds the ends of numbers, and %q is no digits", v)
		}
	}
	if ranges != nil {
		for _, item := range r.list(ranges, "ranges") {
			p.Ranges = append(p.Ranges, r.rangeOf(&p, item))
		}
	}
	if p.Low < 0 {
		p.Low = max(1, p.Count()/20)
	}
	return p
}

func poolName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Count is how many numbers its ranges have.
func (p *Pool) Count() (n int) {
	for i := range p.Ranges {
		n += p.Ranges[i].Count()
	}
	return n
}

func (r *reader) rangeOf(p *Pool, n *yaml.Node) Range {
	x := Range{Stored: storedEscaped, Mapping: "same", Port: Active, At: Position{n.Line, n.Column}}
	var port string
	r.fields(n, "a range", map[string]func(*yaml.Node){
		"first": r.text(&x.First), "last": r.text(&x.Last), "stored": r.text(&x.Stored), "mapping": r.word(&x.Mapping, Mappings...), "mask": r.text(&x.Mask),
		"carrier": r.text(&x.Carrier), "contract": r.text(&x.Contract), "trunk": r.text(&x.Trunk), "emergency": r.text(&x.Location),
		"port": func(n *yaml.Node) {
			r.word(&port, string(PortingIn), string(Active), string(PortingOut), string(Lost))(n)
			x.Port = Port(port)
		},
		"from": r.day(&x.From), "until": r.day(&x.Until),
	})
	if x.Last == "" {
		x.Last = x.First
	}
	if x.First == "" {
		r.node(n, "a range needs first and last")
		return x
	}
	if !digits(x.First) || !digits(x.Last) { // an extension is digits alone; all else is to be a number of the world
		for _, text := range []*string{&x.First, &x.Last} {
			e, err := Parse(*text, p.Country)
			if err != nil {
				r.node(n, "%s", problem(err))
				return Range{At: x.At}
			}
			*text = e
		}
		if c := Country(x.First); p.Country != "" && c != "" && c != p.Country {
			r.node(n, "%s is a number of %s, and the pool is of %s", x.First, c, p.Country)
		}
	}
	s, ok := spanOf(x.First, x.Last)
	switch {
	case !ok:
		r.node(n, "%s to %s is no range: both have the same length, and the first is the smaller one", x.First, x.Last)
		return Range{At: x.At}
	case s.width > 15:
		r.node(n, "a number has at most 15 digits")
		return Range{At: x.At}
	case s.hi-s.lo >= MostInRange:
		r.node(n, "the range has %d numbers; one has at most %d, so write several", s.hi-s.lo+1, MostInRange)
		return Range{At: x.At}
	}
	if !x.Until.IsZero() && x.Until.Before(x.From) {
		r.node(n, "the range ends before it begins")
	}
	r.stored(n, &x, s)
	return x
}

// stored checks how the platform writes the numbers of a range.
func (r *reader) stored(n *yaml.Node, x *Range, s span) {
	text, last := strings.CutPrefix(x.Stored, lastDigits)
	many, err := strconv.Atoi(text)
	switch {
	case !last && x.Stored != storedEscaped && x.Stored != storedPlain:
		r.node(n, "stored is %q; write escaped (\\+49...), plain (+49...) or last:4", x.Stored)
		x.Stored = storedEscaped
	case last && (err != nil || many < 1 || many > s.width):
		r.node(n, "stored is %q; write last:1 to last:%d", x.Stored, s.width)
		x.Stored = storedEscaped
	case last:
		if _, ok := x.patterns(); !ok {
			r.node(n, "the last %d digits of %s to %s are not different for every number", many, x.First, x.Last)
		}
	}
}

// overlaps finds numbers that two ranges have, and patterns that two numbers have on one platform.
func (r *reader) overlaps(p *Plan) {
	type laid struct {
		pool string
		r    *Range
		s    span
	}
	numbers, patterns := map[string][]laid{}, map[string][]laid{}
	put := func(into map[string][]laid, where string, l laid, what string) {
		for _, o := range into[where] {
			if o.s.meets(l.s) {
				r.at(l.r.At.Line, l.r.At.Col, "%s to %s of pool %q and %s to %s of pool %q (line %d) have %s in common", l.r.First, l.r.Last, l.pool, o.r.First, o.r.Last, o.pool, o.r.At.Line, what)
				return
			}
		}
		into[where] = append(into[where], l)
	}
	for i := range p.Pools {
		pool := &p.Pools[i]
		for j := range pool.Ranges {
			x := &pool.Ranges[j]
			if x.First == "" {
				continue
			}
			before := len(r.faults)
			if s, ok := spanOf(x.First, x.Last); ok && x.e164() {
				put(numbers, "", laid{pool.Name, x, s}, "numbers")
			}
			if s, ok := x.patterns(); ok && len(r.faults) == before {
				put(patterns, pool.Platform+"\n"+pool.Partition, laid{pool.Name, x, s}, "patterns on "+pool.Platform)
			}
		}
	}
}

// problem is an error without the word for its kind, which only programs need.
func problem(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error())
}
