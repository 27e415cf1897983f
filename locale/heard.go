package locale

import (
	"cmp"
	"slices"
	"strings"
)

// Some sentences are made where nobody knows who reads them: why flow refuses what somebody entered. They are recognised by
// the text from which they were made.

// pattern is a text with places in it, and what stands between them.
type pattern struct {
	between []string // one more than places
	verbs   []string
	out     string
}

func patternsOf(texts map[string]string) []pattern {
	var out []pattern
	for text, translation := range texts {
		if !strings.Contains(text, "%") {
			continue
		}
		p := pattern{out: translation}
		p.between, p.verbs = cutVerbs(text)
		if letters(p.between) < 6 { // would fit too much
			continue
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(letters(b.between), letters(a.between)), cmp.Compare(a.out, b.out))
	})
	return out
}

func letters(list []string) (n int) {
	for _, s := range list {
		n += len(s)
	}
	return n
}

// cutVerbs takes a text apart at %s, %q, %d, also at %[1]s.
func cutVerbs(text string) (between, verbs []string) {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 || i+1 == len(text) {
			return append(between, text), verbs
		}
		end := i + 1
		if text[end] == '[' {
			end += strings.IndexByte(text[end:], ']') + 1
		}
		if end >= len(text) {
			return append(between, text), verbs
		}
		between, verbs = append(between, text[:i]), append(verbs, text[i:end+1])
		text = text[end+1:]
	}
}

// Places are the verbs of a text in the order of their arguments, so that two texts can be compared.
func Places(text string) []string {
	_, verbs := cutVerbs(text)
	out := make([]string, len(verbs))
	for i, v := range verbs {
		at, kind := i, v[len(v)-1:]
		if strings.HasPrefix(v, "%[") {
			at = int(v[2]-'0') - 1
		}
		if at < 0 || at >= len(out) {
			return verbs
		}
		out[at] = kind
	}
	return out
}

// match gives what stands at the places of a sentence made from the text.
func (p pattern) match(s string) ([]string, bool) {
	rest, ok := strings.CutPrefix(s, p.between[0])
	if !ok {
		return nil, false
	}
	var args []string
	for i, b := range p.between[1:] {
		at := strings.Index(rest, b)
		if i == len(p.between)-2 { // the last one ends the sentence
			at = len(rest) - len(b)
			ok = at >= 0 && strings.HasSuffix(rest, b)
		} else {
			ok = at >= 0
		}
		if !ok || at < 0 {
			return nil, false
		}
		args = append(args, rest[:at])
		rest = rest[at+len(b):]
	}
	return args, true
}

// Heard says again a sentence that was made in English elsewhere: one of the catalogue as it is, or one of its texts with
// something at its places.
func (l *Language) Heard(s string) string {
	if l == nil || s == "" {
		return s
	}
	if out, ok := l.find(s); ok {
		return out
	}
	for _, p := range l.patterns() {
		args, ok := p.match(s)
		if !ok {
			continue
		}
		between, verbs := cutVerbs(p.out)
		var b strings.Builder
		for i, v := range verbs {
			at := i
			if strings.HasPrefix(v, "%[") {
				at = int(v[2]-'0') - 1
			}
			if at < 0 || at >= len(args) {
				return s
			}
			b.WriteString(between[i])
			b.WriteString(l.Label(args[at])) // it may be one of ours: manager, stands in for ...
		}
		return b.String() + between[len(between)-1]
	}
	return s
}
