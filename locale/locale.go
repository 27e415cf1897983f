package locale

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

//go:embed *.json
var files embed.FS

// Source is the tag of the language in which every text is written.
const Source = "en"

// Language is one that texts are said in. A nil one is the source.
type Language struct {
	tag, name          string
	thousands, decimal string
	texts              map[string]string
	patterns           func() patterns
}

// file is a catalogue as it is written.
type file struct {
	Name      string            `json:"name"`      // of the language, in the language
	Thousands string            `json:"thousands"` // what stands between groups of three digits
	Decimal   string            `json:"decimal"`
	Texts     map[string]string `json:"texts"` // by the English text
}

// shelf is every language there is. A catalogue is read when somebody asks for it first.
var shelf = func() map[string]func() *Language {
	out := map[string]func() *Language{}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, name := range names {
		tag := strings.TrimSuffix(name, ".json")
		out[tag] = sync.OnceValue(func() *Language { return read(tag, name) })
	}
	return out
}()

// read panics: a catalogue that cannot be read is a fault of the program.
func read(tag, name string) *Language {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		panic(fmt.Sprintf("locale: %s: %v", name, err))
	}
	return newLanguage(tag, f)
}

func newLanguage(tag string, f file) *Language {
	l := &Language{tag: tag, name: f.Name, thousands: f.Thousands, decimal: f.Decimal, texts: f.Texts}
	l.patterns = sync.OnceValue(func() patterns { return patternsOf(f.Texts) })
	return l
}

// New is a language that is in no file.
func New(tag string, texts map[string]string) *Language {
	return newLanguage(tag, file{Name: tag, Thousands: ",", Decimal: ".", Texts: texts})
}

// Tags of all languages, the source first.
func Tags() []string { return append([]string{Source}, slices.Sorted(maps.Keys(shelf))...) }

// Known says that there is a language of this tag.
func Known(tag string) bool { return tag == Source || shelf[tag] != nil }

// Of is the language of a tag, also of de-AT; nil, the source, if there is none.
func Of(tag string) *Language {
	if open := shelf[primary(tag)]; open != nil {
		return open()
	}
	return nil
}

func primary(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	tag, _, _ = strings.Cut(tag, "_")
	return tag
}

// Accepted is the tag that a browser likes best among those there are, from its Accept-Language; "" if it likes none.
func Accepted(header string) string {
	best, most := "", 0.0
	for i, part := range strings.Split(header, ",") {
		if i == 50 { // nobody speaks more
			break
		}
		tag, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if tag = primary(tag); Known(tag) && q > most && q <= 1 {
			best, most = tag, q
		}
	}
	return best
}

// Tag as html has it.
func (l *Language) Tag() string {
	if l == nil {
		return Source
	}
	return l.tag
}

// Name is how those who speak it call it.
func (l *Language) Name() string {
	if l == nil {
		return "English"
	}
	return l.name
}

// Find is a text of the catalogue, if it has it.
func (l *Language) Find(text string) (string, bool) {
	if l == nil {
		return text, true
	}
	return l.find(text)
}

func (l *Language) find(text string) (string, bool) {
	out, ok := l.texts[text]
	return out, ok
}

// Texts are all of the catalogue, by the English ones.
func (l *Language) Texts() map[string]string { return l.texts }

// Label is a text of ours as the language has it. Whatever the catalogue does not know is shown as it is.
func (l *Language) Label(text string) string {
	if l == nil || text == "" {
		return text
	}
	if out, ok := l.find(text); ok {
		return out
	}
	return text
}

// Say puts names and numbers into a text, whole numbers in groups of three. A translation may take them in another order, as %[2]s.
func (l *Language) Say(text string, args ...any) string {
	text = l.Label(text)
	if len(args) == 0 {
		return text
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			args[i] = whole{n, l}
		}
	}
	return oneStop(fmt.Sprintf(text, args...))
}

// whole is a number at the place of a text.
type whole struct {
	n  int
	in *Language
}

func (w whole) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, w.in.Number(w.n)) }

// oneStop ends each sentence once: a day such as 23. Nov. brings a full stop of its own. Three of them are left.
func oneStop(s string) string {
	for i := 0; ; {
		n := strings.Index(s[i:], "..")
		if n < 0 {
			return s
		}
		i += n
		end := i
		for end < len(s) && s[end] == '.' {
			end++
		}
		if end == i+2 && (end == len(s) || s[end] == ' ') {
			s, end = s[:i+1]+s[end:], i+1
		}
		i = end
	}
}

// Plural says how many: one has no place for the number.
func (l *Language) Plural(n int, one, many string) string {
	if n == 1 {
		return l.Label(one)
	}
	return l.Say(many, n)
}

// Number is a whole number in groups of three: 100,412.
func (l *Language) Number(n int) string {
	s, by := strconv.Itoa(n), ","
	if l != nil {
		by = l.thousands
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + by + s[i:]
	}
	return s
}

// Point is a number with its decimal sign: 1.9.
func (l *Language) Point(s string) string {
	if l == nil {
		return s
	}
	return strings.Replace(s, ".", l.decimal, 1)
}

// Time writes a time by a layout of package time. The layout is a text of the catalogue itself, and so are the names of days
// and months.
func (l *Language) Time(t time.Time, layout string) string {
	if l == nil {
		return t.Format(layout)
	}
	var b strings.Builder
	if _, ok := l.find(layout); !ok { // the day has its own text, and what follows it is the time
		if day, clock, ok := strings.Cut(layout, ", 15:04"); ok {
			return l.Time(t, day) + t.Format(", 15:04"+clock)
		}
	}
	if at, word := firstName(layout); at > 0 || word != layout { // a name alone is no layout of its own
		layout = l.Label(layout)
	}
	for layout != "" {
		i, word := firstName(layout)
		b.WriteString(t.Format(layout[:i]))
		if word != "" {
			b.WriteString(l.Label(t.Format(word)))
		}
		layout = layout[i+len(word):]
	}
	return b.String()
}

// firstName finds the first name of a day or a month in a layout; at its end, there is none.
func firstName(layout string) (at int, word string) {
	at = len(layout)
	for _, w := range []string{"Monday", "Mon", "January", "Jan"} { // the longer one first
		if i := strings.Index(layout, w); i >= 0 && i < at {
			at, word = i, w
		}
	}
	return at, word
}

// Away says how far a day is away; below 0 it is past.
func (l *Language) Away(days int) string {
	switch {
	case days == 0:
		return l.Label("today")
	case days == 1:
		return l.Label("tomorrow")
	case days == -1:
		return l.Label("yesterday")
	case days > 0 && days < 60:
		return l.Say("in %d days", days)
	case days > 0 && days < 365:
		return l.Say("in %d months", days/30)
	case days > 0:
		return l.Plural(days/365, "in 1 year", "in %d years")
	case days > -60:
		return l.Say("%d days ago", -days)
	case days > -365:
		return l.Say("%d months ago", -days/30)
	default:
		return l.Plural(-days/365, "1 year ago", "%d years ago")
	}
}

// Country is the name of a country of ISO 3166-1; what is no such code stays as it is.
func (l *Language) Country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() {
		return code
	}
	tag := Source
	if l != nil {
		tag = l.tag
	}
	names := display.Regions(language.Make(tag))
	if names == nil { // of a language that nobody has a table for
		names = display.Regions(language.English)
	}
	return cmp.Or(names.Name(region), code)
}

// Inside is a label as it stands within a sentence. English begins it with a small letter; other languages keep it, unless
// their catalogue has the small one, too.
func (l *Language) Inside(label string) string {
	if label == "" {
		return ""
	}
	small := strings.ToLower(label[:1]) + label[1:]
	if l == nil {
		return small
	}
	if out, ok := l.find(small); ok {
		return out
	}
	return l.Label(label)
}
