// Package routeplan answers which patterns of a phone system's route plan a number meets: a text search for 2101 never finds
// 21XX or \+1408555!, and the number would be given to somebody while something else answers it. It reads the pattern
// language of Cisco Unified CM. It must not reach a phone system, nor know who has a number.
// https://www.cisco.com/c/en/us/td/docs/voice_ip_comm/cucm/admin (Wildcards and special characters in route patterns)
package routeplan

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Entry is one line of a route plan: a directory number, a translation, a route or hunt pattern, a park or pickup number.
type Entry struct {
	Pattern   string // as the phone system stores it: 2101, 21XX, \+49305550[1-3]XX, 9.@
	Partition string
	Kind      string // as the phone system calls it: "Device", "Translation", "Route", "Call Park"
	Detail    string // what it leads to
}

// Fault is an entry whose pattern cannot be read. It may cover any number: whoever asks has to be told of it.
type Fault struct {
	Entry Entry
	At    int // byte of the pattern
	Text  string
}

func (f Fault) Error() string {
	return fmt.Sprintf("route plan: pattern %q of partition %q, at %d: %s: %v", f.Entry.Pattern, f.Entry.Partition, f.At, f.Text, dayone.ErrInvalid)
}

func (f Fault) Unwrap() error { return dayone.ErrInvalid }

// Plan is a route plan that can be asked. It does not change, and may be asked by many at once.
type Plan struct {
	entries []Entry
	exact   map[string][]int32 // entries that are plain numbers, by their signs: nearly all of them
	nodes   []node             // of all others
}

// signs are what can be dialled: the digits, *, #, + and the letters that DTMF has. A set of them is a mask.
const signs = "0123456789*#+ABCD"

type mask uint32

const (
	digits mask = 1<<10 - 1
	every  mask = 1<<12 - 1 // what brackets exclude from: digits, * and #
)

func signOf(c byte) int { return strings.IndexByte(signs, c) }

// part of a pattern: one sign out of a set, once or any number of times.
type part struct {
	set  mask
	more bool // again and again
	none bool // or not at all
}

// node is where a pattern goes on after some signs. Patterns that begin alike share it.
type node struct {
	one   [len(signs)]int32 // the next node by the only sign that leads there; 0: none
	some  []edge            // by one sign out of several
	again mask              // signs after which we are still here
	ends  []int32           // entries whose pattern is over here
}

type edge struct {
	set   mask
	again bool
	to    int32
}

// Compile reads a route plan. What cannot be read is told of, beside the plan of the rest.
func Compile(entries []Entry) (*Plan, []Fault) {
	p := &Plan{entries: entries, exact: make(map[string][]int32, len(entries)), nodes: make([]node, 1)}
	var faults []Fault
	for i, e := range entries {
		ways, at, wrong := parse(e.Pattern)
		if wrong != "" {
			faults = append(faults, Fault{e, at, wrong})
			continue
		}
		if key, plain := number(ways); plain {
			p.exact[key] = append(p.exact[key], int32(i))
			continue
		}
		for _, parts := range ways {
			p.add(parts, int32(i))
		}
	}
	return p, faults
}

// Check says what is wrong with a pattern; "" is nothing. at is the byte where it is.
func Check(pattern string) (at int, wrong string) {
	_, at, wrong = parse(pattern)
	return at, wrong
}

// nanp is what @ stands for: the North American numbering plan as the phone system ships it.
var nanp = []string{
	"[2-9]11", "0", "00", "[2-9]XXXXXX", "[2-9]XX[2-9]XXXXXX", "1[2-9]XX[2-9]XXXXXX", "0[2-9]XX[2-9]XXXXXX", "011!", "01!", "011!#", "01!#",
	"101XXXX", "101XXXX1[2-9]XX[2-9]XXXXXX", "101XXXX011!", "101XXXX0[2-9]XX[2-9]XXXXXX",
}

// maxWays is how many alternatives one pattern may have: each ? doubles them, and @ has its own.
const maxWays = 256

// parse reads a pattern as its alternatives. The dot, which only says where digits are cut off, matches nothing.
func parse(pattern string) (ways [][]part, at int, wrong string) {
	if pattern == "" {
		return nil, 0, "it is empty"
	}
	ways = [][]part{nil}
	last := false // there is a part to which ? or + can belong
	for i := 0; i < len(pattern); i++ {
		next := part{}
		switch c := pattern[i]; {
		case c == '.' || c == '-' && i > 0:
			continue
		case c == '\\':
			if i+1 == len(pattern) || pattern[i+1] != '+' {
				return nil, i, `only \+ is written with a backslash`
			}
			i++
			next.set = 1 << signOf('+')
		case c == '+' || c == '?':
			if !last {
				return nil, i, fmt.Sprintf("nothing stands before the %c that it could repeat; a plus sign of a number is written \\+", c)
			}
			for w := range ways {
				end := &ways[w][len(ways[w])-1]
				end.more, end.none = true, end.none || c == '?'
			}
			continue
		case c == 'X' || c == 'x':
			next.set = digits
		case c == '!':
			next.set, next.more = digits, true
		case c == '[':
			set, length, text := bracket(pattern[i:])
			if text != "" {
				return nil, i, text
			}
			next.set = set
			i += length - 1
		case c == '@':
			var with [][]part
			for _, w := range ways {
				for _, alternative := range nanp {
					more, _, _ := parse(alternative)
					with = append(with, append(slices.Clone(w), more[0]...))
				}
			}
			if len(with) > maxWays {
				return nil, i, "it has too many alternatives"
			}
			ways, last = with, false
			continue
		case signOf(c) >= 0:
			next.set = 1 << signOf(c)
		default:
			return nil, i, fmt.Sprintf("%q is no sign of a pattern", c)
		}
		for w := range ways {
			ways[w] = append(ways[w], next)
		}
		last = true
	}
	return spread(ways)
}

// bracket reads [1-3], [^4-9] or [13*].
func bracket(s string) (set mask, length int, wrong string) {
	end := strings.IndexByte(s, ']')
	if end < 0 {
		return 0, 0, "a [ is never closed"
	}
	in, not := s[1:end], false
	if strings.HasPrefix(in, "^") {
		in, not = in[1:], true
	}
	for i := 0; i < len(in); i++ {
		from := signOf(in[i])
		if from < 0 {
			return 0, 0, fmt.Sprintf("%q cannot stand in brackets", in[i])
		}
		to := from
		if i+2 < len(in) && in[i+1] == '-' {
			if to = signOf(in[i+2]); from > 9 || to > 9 || to < from {
				return 0, 0, fmt.Sprintf("%s is no range of digits", in[i:i+3])
			}
			i += 2
		}
		for n := from; n <= to; n++ {
			set |= 1 << n
		}
	}
	if set == 0 {
		return 0, 0, "nothing stands in the brackets"
	}
	if not {
		set = every &^ set
	}
	return set, end + 1, ""
}

// spread makes of a part that may be missing two alternatives.
func spread(ways [][]part) ([][]part, int, string) {
	var out [][]part
	for len(ways) > 0 {
		w := ways[0]
		ways = ways[1:]
		i := slices.IndexFunc(w, func(p part) bool { return p.none })
		if i < 0 {
			out = append(out, w)
			continue
		}
		with := slices.Clone(w)
		with[i].none = false
		without := slices.Delete(slices.Clone(w), i, i+1)
		if ways = append(ways, with, without); len(ways)+len(out) > maxWays {
			return nil, 0, "it has too many alternatives"
		}
	}
	return out, 0, ""
}

// number is the only number that a pattern answers, if it is only one.
func number(ways [][]part) (key string, plain bool) {
	if len(ways) != 1 {
		return "", false
	}
	b := make([]byte, len(ways[0]))
	for i, x := range ways[0] {
		if x.more || bits.OnesCount32(uint32(x.set)) != 1 {
			return "", false
		}
		b[i] = byte(bits.TrailingZeros32(uint32(x.set)))
	}
	return string(b), true
}

func (p *Plan) add(parts []part, entry int32) {
	at := int32(0)
	for _, x := range parts {
		at = p.step(at, x)
	}
	n := &p.nodes[at]
	if !slices.Contains(n.ends, entry) {
		n.ends = append(n.ends, entry)
	}
}

// step is the node after a part, made if there is none yet.
func (p *Plan) step(at int32, x part) int32 {
	if bits.OnesCount32(uint32(x.set)) == 1 && !x.more {
		sign := bits.TrailingZeros32(uint32(x.set))
		if to := p.nodes[at].one[sign]; to != 0 {
			return to
		}
		to := p.grow(0)
		p.nodes[at].one[sign] = to
		return to
	}
	for _, e := range p.nodes[at].some {
		if e.set == x.set && e.again == x.more {
			return e.to
		}
	}
	again := mask(0)
	if x.more {
		again = x.set
	}
	to := p.grow(again)
	p.nodes[at].some = append(p.nodes[at].some, edge{x.set, x.more, to})
	return to
}

func (p *Plan) grow(again mask) int32 {
	p.nodes = append(p.nodes, node{again: again})
	return int32(len(p.nodes) - 1)
}

// Size is how many entries the plan has, those that could not be read among them.
func (p *Plan) Size() int { return len(p.entries) }

// Matches appends the entries that answer a number, in the order of the plan. The number is what is dialled or stored:
// 2101, \+4930555 or +4930555. in says whether a partition can be reached; nil: all can. A sign that cannot be dialled
// matches nothing.
func (p *Plan) Matches(out []Entry, number string, in func(partition string) bool) []Entry {
	var buf [64]byte
	dialled := buf[:0]
	for i := 0; i < len(number); i++ {
		if number[i] == '\\' {
			continue
		}
		sign := signOf(number[i])
		if sign < 0 {
			return out
		}
		dialled = append(dialled, byte(sign))
	}
	if len(dialled) == 0 {
		return out
	}
	var found [16]int32
	hits := p.walk(append(found[:0], p.exact[string(dialled)]...), 0, dialled)
	slices.Sort(hits)
	last := int32(-1)
	for _, i := range hits {
		if i != last && (in == nil || in(p.entries[i].Partition)) {
			out = append(out, p.entries[i])
		}
		last = i
	}
	return out
}

func (p *Plan) walk(hits []int32, at int32, rest []byte) []int32 {
	for {
		n := &p.nodes[at]
		if len(rest) == 0 {
			return append(hits, n.ends...)
		}
		sign := rest[0]
		rest = rest[1:]
		if n.again&(1<<sign) != 0 {
			hits = p.walk(hits, at, rest)
		}
		for i := range n.some {
			if n.some[i].set&(1<<sign) != 0 {
				hits = p.walk(hits, n.some[i].to, rest)
			}
		}
		if at = n.one[sign]; at == 0 {
			return hits
		}
	}
}

// Cover is a pattern and how many of some numbers it answers.
type Cover struct {
	Entry
	Of    int
	First string // the first of them
}

// Covers says what answers any of some numbers: who covers most comes first. in is as for Matches.
func (p *Plan) Covers(numbers []string, in func(partition string) bool) []Cover {
	at := map[Entry]int{}
	var out []Cover
	var hits []Entry
	for _, number := range numbers {
		hits = p.Matches(hits[:0], number, in)
		for _, e := range hits {
			i, known := at[e]
			if !known {
				i = len(out)
				at[e] = i
				out = append(out, Cover{Entry: e, First: number})
			}
			out[i].Of++
		}
	}
	slices.SortStableFunc(out, func(a, b Cover) int { return cmp.Compare(b.Of, a.Of) })
	return out
}
