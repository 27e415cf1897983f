package locale

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Some sentences are made where nobody knows who reads them: why flow refuses what somebody entered. They are recognised by
// the text from which they were made.

// pattern is a text with places in it, and what stands between them.
type pattern struct {
	between []string // one more than places
	verbs   []string
	out     string
	letters int  // outside of its places
	rank    int  // those with more letters are tried first
	single  bool // one word beside a place, as a name may be; not, if numbers alone stand at its places
}

// patterns are by the bytes with which their sentences begin and end, 0 where a place does; by rank.
type patterns map[[2]byte][]*pattern

func patternsOf(texts map[string]string) patterns {
	var all []*pattern
	for text, translation := range texts {
		if !strings.Contains(text, "%") {
			continue
		}
		p := &pattern{out: translation}
		p.between, p.verbs = cutVerbs(text)
		p.letters, p.single = letters(p.between), singleWord(*p)
		if p.letters < 5 { // would fit too much
			continue
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pattern) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(a.out, b.out))
	})
	out := patterns{}
	for i, p := range all {
		var at [2]byte
		if first := p.between[0]; first != "" {
			at[0] = first[0]
		}
		if last := p.between[len(p.between)-1]; last != "" {
			at[1] = last[len(last)-1]
		}
		p.rank = i
		out[at] = append(out[at], p)
	}
	return out
}

// match is the one of the lowest rank that may have made a sentence, of those that are wanted, and what stands at its places.
func (all patterns) match(s string, wanted func(*pattern) bool) (best *pattern, args []string) {
	first, last := s[0], s[len(s)-1]
	for _, at := range [][2]byte{{first, last}, {first, 0}, {0, last}, {0, 0}} {
		for _, p := range all[at] {
			if best != nil && best.rank < p.rank {
				break
			}
			if !wanted(p) {
				continue
			}
			if got, ok := p.match(s); ok {
				best, args = p, got
				break
			}
		}
	}
	return best, args
}

func singleWord(p pattern) bool {
	text := strings.Join(p.between, " ")
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(words) < 2 && !strings.ContainsAny(text, ",:;") && slices.ContainsFunc(p.verbs, func(v string) bool { return !strings.HasSuffix(v, "d") })
}

func letters(list []string) (n int) {
	for _, s := range list {
		for _, r := range s {
			if unicode.IsLetter(r) {
				n++
			}
		}
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
func (p *pattern) match(s string) ([]string, bool) {
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
		if strings.HasSuffix(p.verbs[i], "d") && strings.Trim(rest[:at], "0123456789,-") != "" {
			return nil, false
		}
		args = append(args, rest[:at])
		rest = rest[at+len(b):]
	}
	return args, true
}

// Heard says again a sentence that was made in English elsewhere: one of the catalogue as it is, one of its texts with
// something at its places, several sentences, or a list of which each part is one of these. What is none stays as it is.
func (l *Language) Heard(s string) string { return l.heard(s, 0) }

// HeardEach says a list of findings, each by itself: what stands at the last place of one would take in the next.
func (l *Language) HeardEach(s string) string {
	parts := strings.Split(s, "; ")
	for i, part := range parts {
		parts[i] = l.Heard(part)
	}
	return strings.Join(parts, "; ")
}

// Said is Heard for what may as well be a name or somebody's own words: a text with places has to bring enough letters of its
// own, or more than one word, so that Request Manager stays a product. May is not said either: a month is said by Time.
func (l *Language) Said(s string) string {
	if months[s] {
		return s
	}
	return l.heard(s, saidLetters)
}

// Asked is Heard for why somebody is asked. Before a word on whom she stands in for is always one of ours, however short.
func (l *Language) Asked(why string) string {
	if what, whom, ok := strings.Cut(why, ", stands in for "); ok {
		return l.Say("%s, stands in for %s", l.Heard(what), whom)
	}
	return l.Heard(why)
}

const (
	mostHeard   = 1000 // bytes; nothing of ours is longer
	saidLetters = 12
)

var months = func() map[string]bool {
	out := map[string]bool{}
	for m := time.January; m <= time.December; m++ {
		out[m.String()], out[m.String()[:3]] = true, true
	}
	return out
}()

func (l *Language) heard(s string, least int) string {
	if l == nil || s == "" || len(s) > mostHeard {
		return s
	}
	out, _ := ear{l, least}.hear(s)
	return out
}

// ear hears texts; those of a single word only if it has that many letters.
type ear struct {
	*Language
	least int
}

// hear says, too, whether it is a text of ours.
func (l ear) hear(s string) (string, bool) {
	if out, ok := l.find(s); ok {
		return out, true
	}
	if !strings.Contains(s, " ") { // a name: no text with places is as short
		return s, false
	}
	if out, ok := l.hearOne(s); ok {
		return out, true
	}
	if parts := sentencesOf(s); len(parts) > 1 {
		return l.hearSentences(parts)
	}
	if head, tail, ok := strings.Cut(s, ": "); ok {
		if said, ok := l.find(head); ok {
			if rest, ok := l.hear(tail); ok {
				return said + ": " + rest, true
			}
		}
	}
	s, stop := strings.CutSuffix(s, ".")
	for _, between := range []string{"; ", ", "} {
		if parts := strings.Split(s, between); len(parts) > 1 {
			out, ok := l.hearAll(s, parts, between)
			return pointed(out, stop), ok
		}
	}
	return pointed(s, stop), false
}

// hearSentences hears each sentence, and each with its next: a text may be two. More would cost the square of their number.
func (l ear) hearSentences(parts []string) (string, bool) {
	var out []string
	ok := false
	for i := 0; i < len(parts); i++ {
		if i+1 < len(parts) {
			if said, both := l.hearOne(parts[i] + " " + parts[i+1]); both {
				out, ok, i = append(out, said), true, i+1
				continue
			}
		}
		var said string
		said, ok = l.hear(parts[i])
		out = append(out, said)
	}
	return strings.Join(out, " "), ok
}

func sentencesOf(s string) (out []string) {
	from := 0
	for _, i := range sentenceEnds(s) {
		out, from = append(out, s[from:i]), i+1
	}
	return append(out, s[from:])
}

// hearOne says one text of the catalogue.
func (l ear) hearOne(s string) (string, bool) {
	forms := formsOf(s)
	for _, look := range []func(string) (string, bool){l.find, l.fits} {
		for _, f := range forms {
			if out, ok := look(f.text); ok {
				return f.again(out), true
			}
		}
	}
	return s, false
}

// form is a text as the catalogue may have it: a sentence may have been made of it.
type form struct {
	text         string
	begins, ends bool // it begins with a large letter, and ends with a point, where the catalogue has it without
}

func formsOf(s string) []form {
	forms := []form{{text: s}}
	if small := lowerFirst(s); small != s {
		forms = append(forms, form{text: small, begins: true})
	}
	if bare, ok := strings.CutSuffix(s, "."); ok {
		for _, f := range formsOf(bare) {
			forms = append(forms, form{f.text, f.begins, true})
		}
	}
	return forms
}

// again makes a sentence of it.
func (f form) again(out string) string {
	if f.begins {
		out = upperFirst(out)
	}
	return pointed(out, f.ends)
}

func pointed(s string, stop bool) string {
	if stop {
		return strings.TrimSuffix(s, ".") + "."
	}
	return s
}

// hearAll says a list, if each part is a text of ours.
func (l ear) hearAll(s string, parts []string, between string) (string, bool) {
	for i, part := range parts {
		out, ok := l.hear(part)
		if !ok {
			return s, false
		}
		parts[i] = out
	}
	return strings.Join(parts, between), true
}

// fits says a text that was made of one with places in it.
func (l ear) fits(s string) (string, bool) {
	if s == "" {
		return s, false
	}
	p, args := l.patterns().match(s, func(p *pattern) bool { return p.letters >= l.least || !p.single })
	if p == nil {
		return s, false
	}
	return l.put(p.out, args, s)
}

// phrase says that what stands at a place may be ours again: several words that begin small or with a number, as in the
// middle of a sentence. A single word, and what begins large, is what somebody is called: Sales, May, Request Manager.
func phrase(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return (unicode.IsLower(r) || unicode.IsDigit(r)) && strings.Contains(s, " ")
}

// put says a translation with what stands at its places. A phrase at one is heard, too; it is always shorter, so this ends.
func (l ear) put(text string, args []string, s string) (string, bool) {
	between, verbs := cutVerbs(text)
	var b strings.Builder
	for i, v := range verbs {
		at := i
		if strings.HasPrefix(v, "%[") {
			at = int(v[2]-'0') - 1
		}
		if at < 0 || at >= len(args) {
			return s, false
		}
		b.WriteString(between[i])
		out := args[at]
		if at, ok := l.instant(out); ok {
			out = at
		} else if strings.HasSuffix(v, "v") {
			out = l.word(out)
		} else if phrase(out) {
			out = l.inside(out)
		}
		if strings.HasSuffix(v, "d") { // in groups, as English has them
			out = strings.ReplaceAll(out, ",", l.thousands)
		}
		b.WriteString(out)
	}
	return b.String() + between[len(between)-1], true
}

// word says what stands at a place %v: a word of ours, where it is one, such as the name of an attribute. Names stand at %s.
func (l *Language) word(s string) string {
	for _, text := range []string{s, upperFirst(s)} {
		if out, ok := l.find(text); ok {
			return out
		}
	}
	return s
}

// written are the layouts in which sentences that are heard have days.
var written = []string{"2 January 2006", "2 Jan 2006", "2 Jan 2006 15:04 MST"}

// instant says a day of this year with its time, as sentences that are heard have it: Mon 25 Nov 11:30 CET. No year stands there,
// so any that has the day on that day of the week tells how it is written.
func (l ear) instant(s string) (string, bool) {
	t, err := time.Parse("Mon 2 Jan 15:04 MST", s)
	if err != nil {
		return s, false
	}
	for year := 2000; year < 2028; year++ { // after 28 years all of it comes again
		at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, t.Location())
		if at.Month() == t.Month() && strings.HasPrefix(s, at.Format("Mon ")) {
			return l.Time(at, "Mon 2 Jan") + at.Format(", 15:04 MST"), true
		}
	}
	return s, false
}

// inside says what stands at a place: a day, or what is ours again.
func (l ear) inside(s string) string {
	for _, layout := range written {
		if day, err := time.Parse(layout, s); err == nil {
			return l.Time(day, layout)
		}
	}
	out, _ := l.hear(s)
	return out
}

// sentenceEnds are where a sentence ends and another begins; a point behind a digit is that of a day.
func sentenceEnds(s string) (out []int) {
	for at := 0; ; {
		i := strings.Index(s[at:], ". ")
		if i < 0 {
			return out
		}
		at += i + 1
		next, _ := utf8.DecodeRuneInString(s[at+1:])
		if prev := at - 2; prev >= 0 && (s[prev] < '0' || s[prev] > '9') && (unicode.IsUpper(next) || unicode.IsDigit(next)) {
			out = append(out, at)
		}
	}
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
