package policy

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/common"
)

// unreadable reports an expression that CEL does not read: what people write who know another language, else CEL's own
// first complaint. Its later ones follow from the first.
func (c *compiler) unreadable(pl place, text string, errs []*common.Error) {
	if found := slips(text); len(found) > 0 {
		for _, s := range found {
			line, col := pl.of(s.line, s.col)
			c.report(pl.f, line, col, s.width, "syntax", s.hint, "%s", s.message)
		}
		return
	}
	first := slices.MinFunc(errs, func(a, b *common.Error) int {
		if a.Location.Line() != b.Location.Line() {
			return a.Location.Line() - b.Location.Line()
		}
		return a.Location.Column() - b.Location.Column()
	})
	msg, _, _ := strings.Cut(strings.TrimPrefix(first.Message, "Syntax error: "), "\n")
	hint, width := "", 1
	if m := celComplaint.FindStringSubmatch(msg); m != nil {
		switch word := strings.TrimSpace(m[1]); {
		case word == "<EOF>":
			msg, hint = "the expression ends too early", "something is missing after it, or a bracket is not closed"
		default:
			msg, width = "\""+word+"\" is not expected here", utf8.RuneCountInString(word)
		}
	}
	line, col := pl.of(first.Location.Line(), first.Location.Column())
	c.report(pl.f, line, col, width, "syntax", hint, "%s", msg)
}

var celComplaint = regexp.MustCompile(`^(?:token recognition error at|mismatched input|extraneous input|no viable alternative at input|missing .* at):? '(.*?)'(?: expecting.*)?$`)

// slip is one thing that another language writes in another way.
type slip struct {
	line, col, width int
	message, hint    string
}

// words of other languages.
var foreign = map[string]string{
	"and": "&&", "or": "||", "not": "!", "is": "==", "equals": "==", "eq": "==", "ne": "!=", "like": "x.contains(\"...\") or x.startsWith(\"...\")",
	"xor": "!=", "then": "? :", "if": "condition ? this : that", "else": "? :",
}

// slips finds them outside of quotes.
func slips(text string) []slip {
	var out []slip
	line, col := 1, 0
	src := []rune(text)
	at := func(i int) rune {
		if i < 0 || i >= len(src) {
			return 0
		}
		return src[i]
	}
	add := func(width int, message, hint string) {
		out = append(out, slip{line, col, width, message, hint})
	}
	letter := func(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }
	step := func(i int) {
		if src[i] == '\n' {
			line, col = line+1, 0
		} else {
			col++
		}
	}
	for i := 0; i < len(src); {
		c, n := src[i], 1
		switch {
		case c == '"' || c == '\'':
			end := i + 1
			for end < len(src) && src[end] != c {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(src) {
				add(1, "this quote is never closed", "close it at the end of the text")
			}
			n = min(end+1, len(src)) - i
		case strings.ContainsRune("“”„‘’‚«»", c):
			add(1, "this is not a quote that a program reads", `write straight quotes: "Sales"`)
		case strings.ContainsRune("≠≤≥", c):
			add(1, "this sign is not understood", "write "+map[rune]string{'≠': "!=", '≤': "<=", '≥': ">="}[c])
		case c == '=':
			for at(i+n) == '=' {
				n++
			}
			switch {
			case at(i+n) == '>' || (n == 1 && at(i+n) == '<'):
				add(2, "this comparison is written the other way round", "write >= or <=")
				n++
			case n == 1 && !strings.ContainsRune("!<>", at(i-1)):
				add(1, "one = compares nothing", "write ==")
			case n > 2 || (n == 2 && at(i-1) == '!'):
				add(n, "too many =", "write == or !=")
			}
		case c == '<' && at(i+1) == '>':
			add(2, "<> is not understood", "write !=")
			n = 2
		case c == '&' || c == '|':
			for at(i+n) == c {
				n++
			}
			if n != 2 {
				add(n, "this joins no conditions", "write "+string([]rune{c, c}))
			}
		case letter(c):
			for letter(at(i + n)) {
				n++
			}
			word := strings.ToLower(string(src[i : i+n]))
			if write, ok := foreign[word]; ok && at(i-1) != '.' && at(i+n) != '(' || word == "not" {
				add(n, "\""+string(src[i:i+n])+"\" is a word of another language", "write "+write)
			}
		}
		for j := i; j < i+n; j++ {
			step(j)
		}
		i += n
	}
	return out
}
