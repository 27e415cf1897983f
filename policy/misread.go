package policy

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Misread says where and why a text is no YAML. The parser's own words name a line before or after the fault, or none; the
// fault is on the first line with which the text stops being readable for good.
func Misread(name, text string, err error) Diagnostic {
	f := &file{name: name, text: text, lines: linesOf(text)}
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	var line int
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	if at := f.unreadableFrom(); at > 0 {
		line = at
	}
	line = min(max(line, 1), len(f.lines))
	l := &misreadLine{text: []rune(f.lines[line-1]), above: f.lines[:line-1], below: f.lines[line:]}
	l.find()
	if l.message == "" {
		l.say(l.indent(), 1, "write key: value with a blank after the colon, or - and a blank before each item", "this is no YAML: "+msg)
	}
	return f.fault(line, l.col+1, l.width, "yaml", l.hint, l.message)
}

// What is searched: a file beyond that is none that somebody typed.
const (
	misreadBytes = 256 << 10
	around       = 40 // lines that a text in quotes or brackets goes on for
)

// unreadableFrom is the line after the longest beginning of the file that reads as YAML, from 1; 0: not found.
func (f *file) unreadableFrom() int {
	if len(f.text) > misreadBytes {
		return 0
	}
	ends := []int{0}
	for i, c := range f.text {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	ends = append(ends, len(f.text))
	reads := func(n int) bool {
		dec := yaml.NewDecoder(strings.NewReader(f.text[:ends[n]]))
		for {
			var doc yaml.Node
			switch err := dec.Decode(&doc); {
			case errors.Is(err, io.EOF):
				return true
			case err != nil:
				return false
			}
		}
	}
	// What stands before the fault reads, unless it ends within quotes or brackets; what includes it never does.
	last := func(from, to int) int {
		for n := to; n >= max(from, 0); n-- {
			if reads(n) {
				return n
			}
		}
		return -1
	}
	good, bad := 0, len(ends)-1
	for bad-good > around {
		mid := (good + bad) / 2
		if n := last(max(good+1, mid-around/4), mid); n >= 0 {
			good = n
		} else {
			bad = mid
		}
	}
	return max(good, last(good, min(good+around, len(ends)-1))) + 1
}

// misreadLine looks for what people do wrong on one line.
type misreadLine struct {
	text         []rune
	above, below []string
	col, width   int
	message      string
	hint         string
}

func (l *misreadLine) say(col, width int, hint, message string) {
	if l.message == "" {
		l.col, l.width, l.hint, l.message = col, width, hint, message
	}
}

func (l *misreadLine) indent() int {
	for i, c := range l.text {
		if c != ' ' && c != '\t' {
			return i
		}
	}
	return 0
}

func (l *misreadLine) find() {
	at := l.indent()
	for i := range at {
		if l.text[i] == '\t' {
			l.say(i, 1, "indent with blanks, two for each level", "a tab stands where only blanks may")
			return
		}
	}
	l.tokens(at)
	l.depth(at)
}

// tokens reads the line as YAML does: what begins with a quote or bracket, what a plain text may not hold.
func (l *misreadLine) tokens(at int) {
	var open []int // brackets
	fresh, keys := true, 0
	keyEnd := -1
	for i := at; i < len(l.text); i++ {
		c := l.text[i]
		blankAfter := i+1 >= len(l.text) || l.text[i+1] == ' '
		switch {
		case c == ' ' || c == '\t':
			if c == '\t' && fresh && len(open) == 0 {
				l.say(i, 1, "write a blank", "a tab stands where only blanks may")
				return
			}
		case c == '#' && i > 0 && l.text[i-1] == ' ':
			if len(open) == 0 {
				return
			}
			if keyEnd >= 0 && i == keyEnd+2 { // {to: slack/channel: #general}
				l.say(i, len(l.text)-i, "write it without the blank before #, or the whole text in quotes", `" #" begins a comment: the rest of the line is not read`)
			}
			l.say(i, len(l.text)-i, `put the text in quotes: "#general"`, `" #" begins a comment: the rest of the line is not read`)
			return
		case fresh && (c == '"' || c == '\''):
			end := closingQuote(l.text, i)
			if end < 0 {
				if !l.goesOn(c) {
					l.say(i, 1, "close it at the end of the text", fmt.Sprintf("this %c is never closed", c))
				}
				return
			}
			if rest := strings.TrimLeft(string(l.text[end+1:]), " "); rest != "" && !strings.ContainsRune(",]}:#", []rune(rest)[0]) {
				l.say(end+1, 1, "quote the whole text in '...', or write it below | on a line of its own", "there is text behind the closing quote")
				return
			}
			i, fresh = end, false
		case fresh && (c == '{' || c == '['):
			open = append(open, i)
		case len(open) > 0 && (c == '}' || c == ']'):
			if want := map[rune]rune{'{': '}', '[': ']'}[l.text[open[len(open)-1]]]; c != want {
				l.say(i, 1, fmt.Sprintf("write %c", want), fmt.Sprintf("%c closes what %c opened", c, l.text[open[len(open)-1]]))
				return
			}
			open, fresh = open[:len(open)-1], false
		case len(open) > 0 && c == ',':
			fresh = true
		case c == ':' && blankAfter:
			if len(open) == 0 {
				if keys++; keys > 1 {
					l.say(i, 1, "put the text in quotes", `": " begins a value, and this line has one already`)
					return
				}
			} else if keyEnd >= open[len(open)-1] && !slices.Contains(l.text[keyEnd:i], ',') && !slices.ContainsFunc(l.text[keyEnd:i], func(r rune) bool { return r == '{' || r == '[' }) {
				if rest := strings.TrimLeft(string(l.text[i+1:]), " "); !strings.HasPrefix(rest, "#") {
					l.say(i, 1, "put the text in quotes, or take the blank out", `": " begins a value, and there is one already`)
					return
				}
			}
			keyEnd, fresh = i, true
		case fresh && c == '-' && blankAfter && len(open) == 0 && keys == 0:
		case fresh && strings.ContainsRune("@`%", c):
			l.say(i, 1, "put it in quotes", fmt.Sprintf("a text cannot begin with %c", c))
			return
		case fresh && strings.ContainsRune("*&!", c):
			l.say(i, 1, "put it in quotes", fmt.Sprintf("a text that begins with %c means something else in YAML", c))
			return
		case fresh && strings.ContainsRune("}]", c):
			l.say(i, 1, "take it out", fmt.Sprintf("%c closes nothing", c))
			return
		default:
			fresh = false
		}
	}
	if n := len(open); n > 0 {
		o := l.text[open[n-1]]
		l.say(open[n-1], 1, fmt.Sprintf("write %c at its end", map[rune]rune{'{': '}', '[': ']'}[o]), fmt.Sprintf("this %c is never closed", o))
		return
	}
	words := strings.TrimLeft(string(l.text[at:]), "- ")
	if keys == 0 && len(l.above) > 0 && words != "" {
		if key, value, ok := strings.Cut(words, ":"); ok && !strings.ContainsAny(key, " /") {
			col := len(l.text) - utf8.RuneCountInString(value) - 1
			l.say(col, 1, fmt.Sprintf("write %s: %s", key, value), "there is no blank behind the colon")
		}
	}
}

// closingQuote is where a quoted text ends on its line, or -1.
func closingQuote(text []rune, from int) int {
	q := text[from]
	for i := from + 1; i < len(text); i++ {
		switch {
		case q == '"' && text[i] == '\\':
			i++
		case text[i] == q && q == '\'' && i+1 < len(text) && text[i+1] == q:
			i++
		case text[i] == q:
			return i
		}
	}
	return -1
}

// goesOn says that a quote is closed soon, on a line that has no other quote: a text over several lines.
func (l *misreadLine) goesOn(quote rune) bool {
	for _, line := range l.below[:min(len(l.below), 5)] {
		if n := strings.Count(line, string(quote)); n > 0 {
			return n == 1 && !strings.Contains(line, ": "+string(quote))
		}
	}
	return false
}

// depth compares the indentation with what is open above.
func (l *misreadLine) depth(at int) {
	var levels []int
	items := map[int]bool{} // levels of dashes
	for _, line := range l.above {
		text := []rune(line)
		i := 0
		for i < len(text) && text[i] == ' ' {
			i++
		}
		if i == len(text) || text[i] == '#' {
			continue
		}
		for len(levels) > 0 && levels[len(levels)-1] >= i {
			levels = levels[:len(levels)-1]
		}
		levels = append(levels, i)
		items[i] = text[i] == '-'
		for i+1 < len(text) && text[i] == '-' && text[i+1] == ' ' {
			for i++; i < len(text) && text[i] == ' '; i++ {
			}
			levels = append(levels, i)
			items[i] = false
		}
	}
	if items[at] && slices.Contains(levels, at) && l.text[at] != '-' {
		inner := at + 2
		if n := slices.Index(levels, at); n+1 < len(levels) {
			inner = levels[n+1]
		}
		l.say(at, 1, fmt.Sprintf("indent it by %d, or begin a new item with -", inner), "the line stands beside the items of a list and is none")
	}
	if len(levels) == 0 || slices.Contains(levels, at) {
		return
	}
	best := levels[0]
	for _, n := range levels {
		if max(n-at, at-n) <= max(best-at, at-best) {
			best = n
		}
	}
	l.say(at, 1, fmt.Sprintf("indent it by %d, like what it belongs to", best), fmt.Sprintf("the line is indented by %d, and nothing above it is", at))
}
