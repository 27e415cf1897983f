package web

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"html"
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
	"github.com/dayone-hq/dayone/policy"
)

var update = flag.Bool("update", false, "write the texts that a language has no translation of")

// english are pages that stay English: the gallery is for whoever works on Dayone.
var english = []string{"gallery"}

// written are pages that show what flow, the planner, a connector or somebody has written in English, beside what is said in
// German. docs/portal.md names them.
var written = []string{
	"leaving", "order", "timeline", "policy-text", "records", "extend", "list", "number-audit", "number-platform", "products", "template", "system",
}

// templateTexts are all texts of templates, by the page or part that has them.
func templateTexts(t *testing.T) map[string][]string {
	t.Helper()
	v := newRenderer("test")
	out := map[string][]string{}
	at := ""
	reads := translator{starts: map[string]place{}, find: func(text string) (string, bool) {
		out[at] = append(out[at], text)
		return "", false
	}}
	known := map[string]bool{}
	for _, x := range template.Must(v.parts.Clone()).Templates() {
		if x.Tree != nil {
			(&sentenceReader{t: &translator{find: nothing, starts: reads.starts}}).list(x.Tree.Copy().Root, place{})
		}
	}
	for _, x := range template.Must(v.parts.Clone()).Templates() {
		if at = x.Name(); x.Tree != nil {
			(&sentenceReader{t: &reads}).list(x.Tree.Copy().Root, reads.starts[at])
			known[at] = true
		}
	}
	for name, page := range v.pages {
		at = name
		reads.translate(template.Must(page().Clone()), known)
	}
	return out
}

// goTexts are the texts in Go: all that is written there, and what is said by name.
func goTexts(t *testing.T, keep func(file string) bool, dirs ...string) (all, said map[string]bool) {
	t.Helper()
	all, said = map[string]bool{}, map[string]bool{}
	consts := map[string]string{}
	var calls []ast.Expr
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no Go in %s: %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") || !keep(filepath.Base(name)) {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec:
					return false
				case *ast.ValueSpec:
					for i, id := range n.Names {
						if i < len(n.Values) {
							if s, ok := literal(n.Values[i]); ok {
								consts[id.Name] = s
							}
						}
					}
				case *ast.CallExpr:
					if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
						switch sel.Sel.Name {
						case "say", "Say", "Label":
							calls = append(calls, n.Args[:min(len(n.Args), 1)]...)
						case "plural", "Plural":
							calls = append(calls, n.Args[1:]...)
						}
					}
				}
				if e, ok := n.(ast.Expr); ok {
					if s, ok := literal(e); ok {
						all[s] = true
						all[strings.TrimSuffix(s, ": %w")] = true // what flow says is the text without its kind
					}
				}
				return true
			})
		}
	}
	for _, e := range calls {
		if s, ok := literal(e); ok {
			said[s] = true
		} else if id, ok := e.(*ast.Ident); ok && consts[id.Name] != "" {
			said[consts[id.Name]] = true
		}
	}
	return all, said
}

// literal is what a literal is, also one of several pieces.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return constant.StringVal(constant.MakeFromLiteral(e.Value, token.STRING, 0)), true
		}
	case *ast.BinaryExpr:
		a, ok := literal(e.X)
		b, too := literal(e.Y)
		return a + b, ok && too && e.Op == token.ADD
	}
	return "", false
}

func noSample(file string) bool { return !strings.HasPrefix(file, "samples") && file != "gallery.go" }

// readOnce: reading all Go and every template takes a second.
var readOnce struct {
	sync.Once
	all, wanted map[string]bool
}

// texts is every text that a catalogue may have, and what of it has to be there.
func texts(t *testing.T) (all, wanted map[string]bool) {
	t.Helper()
	readOnce.Do(func() { readOnce.all, readOnce.wanted = readTexts(t) })
	return readOnce.all, maps.Clone(readOnce.wanted)
}

func readTexts(t *testing.T) (all, wanted map[string]bool) {
	t.Helper()
	all, said := goTexts(t, noSample, ".", "..", "../flow", "../people", "../policy", "../engine", "../planner", "../locale", "../secret", "../message", "../number", "../number/platform")
	wanted = said
	for day := range 365 { // what time writes is a text as well
		at := noon.AddDate(0, 0, day)
		for _, layout := range []string{"Monday", "Mon", "January", "Jan"} {
			all[at.Format(layout)], wanted[at.Format(layout)] = true, true
		}
	}
	for _, list := range templateTexts(t) {
		for _, text := range list {
			all[text], wanted[text] = true, true
		}
	}
	for _, text := range helpTexts(t) {
		all[text], wanted[text] = true, true
	}
	return all, wanted
}

// helpTexts are what connectors and their settings are for, as forms show it.
func helpTexts(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("../connector/*/manifest.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifest: %v", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Summary  string
			Settings map[string]struct{ Help string }
			Account  struct {
				NoUndo map[string]string `yaml:"no_undo"`
			}
			Kinds map[string]struct {
				Title  string
				NoUndo map[string]string `yaml:"no_undo"`
			}
		}
		if err := yaml.Unmarshal(raw, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, m.Summary)
		for _, s := range m.Settings {
			out = append(out, s.Help)
		}
		for _, why := range m.Account.NoUndo {
			out = append(out, why)
		}
		for _, k := range m.Kinds {
			out = append(out, strings.ToLower(k.Title)) // as kindTitles has them
			for _, why := range k.NoUndo {
				out = append(out, why)
			}
		}
	}
	out = append(out, tileUnits(t)...)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

var tileUnit = regexp.MustCompile(`Unit:.*?"([^"]+)"`)

// tileUnits are what connectors count for tiles.
func tileUnits(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("../connector/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") || !bytes.Contains(raw, []byte("dayone.Tile{")) && !bytes.Contains(raw, []byte("scim.Counted{")) {
			continue
		}
		for _, m := range tileUnit.FindAllSubmatch(raw, -1) {
			out = append(out, string(m[1]))
		}
	}
	if !slices.Contains(out, "users") {
		t.Fatalf("no connector counts users: %q", out)
	}
	return out
}

// marked is a language that is good for nothing but seeing what is never translated.
func marked(known map[string]bool) *locale.Language {
	texts := map[string]string{}
	for text := range known {
		if isText(text) {
			texts[text] = "⟦" + placed.ReplaceAllString(text, "⟧$0⟦") + "⟧"
		}
	}
	return locale.New("xx", texts)
}

// isText: something is left without its places.
func isText(text string) bool {
	return strings.ContainsFunc(placed.ReplaceAllString(text, ""), unicode.IsLetter)
}

// attribute is a name of a machine, which Go has as well.
var attribute = regexp.MustCompile(`^[a-z_]+$`)

var placed = regexp.MustCompile(`%(\[\d\])?[a-z]|\{\d\}`)

// unmarked are the texts of a page that nobody translates.
func unmarked(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	depth := 0
	said := false // in a text of which what is typed is a part
	see := func(text string) {
		if !said {
			depth = 0 // a picture cuts what is too long for it, with the mark at its end
		}
		var b strings.Builder
		for _, r := range text {
			switch {
			case r == '⟦':
				depth++
				b.WriteByte('\n')
			case r == '⟧':
				depth--
			case depth == 0:
				b.WriteRune(r)
			}
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if line = strings.TrimSpace(line); strings.ContainsFunc(line, unicode.IsLetter) {
				out = append(out, line)
			}
		}
	}
	dec := xml.NewDecoder(strings.NewReader(strings.ReplaceAll(page, "<wbr>", "")))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	skip := ""
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := tok.(type) {
		case xml.CharData:
			if skip == "" {
				see(string(e))
			}
		case xml.StartElement:
			said = e.Name.Local == "code"
			if slices.Contains([]string{"code", "kbd", "script", "textarea"}, e.Name.Local) {
				skip = e.Name.Local
			}
			for _, a := range e.Attr {
				if heardAttrs[a.Name.Local] {
					see(a.Value)
				}
			}
		case xml.EndElement:
			said = e.Name.Local == "code"
			if e.Name.Local == skip {
				skip = ""
			}
		}
	}
	return out
}

// What stands on a page that is to be German throughout is said by the catalogue, or is a name or a value of somebody.
func TestEveryWordOfAGermanPageIsSaid(t *testing.T) {
	t.Parallel()
	known, _ := texts(t)
	data := sampleWords(t)
	v := newRenderer("test").speaking(marked(known))
	seen := map[string]bool{} // said once: many pages share it
	for _, s := range samples(viewer{zone: noon.Location(), now: noon, in: marked(known)}) {
		if slices.Contains(english, s.template) || slices.Contains(written, s.template) {
			continue
		}
		for _, text := range unmarked(t, pageOfSample(t, v, s)) {
			if !seen[text] && !data(text) {
				t.Errorf("%s: %q is English in every language", s.name, text)
			}
			seen[text] = true
		}
	}
}

func pageOfSample(t *testing.T, v *renderer, s sample) string {
	t.Helper()
	var b bytes.Buffer
	pg := page{
		Title: "Tasks", Template: s.template, Plain: s.plain, Phone: s.phone, Main: s.main, Who: "Sarah Chen", Zone: "UTC", Version: "1",
		Brand: brandView{Name: "Dayone", Href: "/", Help: &link{"it-help", "/help"}}, Menu: []menu{{Title: "Decide", Items: []menuItem{{Text: "Policies", Count: 2}}}},
		Toast: &toast{State: state{Text: toasts["requested"]}, Undo: &act{Text: "Undo"}, Close: "/"}, Languages: []tongue{{"en", "en"}},
	}
	if err := v.pages[s.template]().ExecuteTemplate(&b, "page", pg); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return b.String()
}

// sampleWords says whether a text is a name or a value of those who were made up for samples.
var number = regexp.MustCompile(`\d+|%d`)

// zoneOrPlace: names of zones and countries, lines of policies, and what the test itself puts into the shell.
var zoneOrPlace = regexp.MustCompile(`^((Berlin, |London, )?(Germany|United Kingdom|United States)|(, )?\d\d:\d\d (PST|CET|GMT)|Managed Mac: MacBook Pro .*|the site in Bremen closes|hr emp_\d+, since|Entra|\d+d|HR mends it with the next payroll|(, )?Am Treptower Park 28, .*|Badge:|Phone:|CUCM:|badge/account,|hr (says Sales Engineer|has none|said what cannot be used)|(user|by) [a-z]+|Sure: own number.*|Mon 13 Sep 2021|Token|URL|TLS|(Chrome|Edge|Firefox|Opera|Safari) \([A-Za-z]+\)|GET /.*|\+   github: .*|[Tt]emplate codes, line 3.*|Salesforce for mid-market needs Slack|(google|jamf|aws|zoom|github|entra)/account|(Zoom|Entra):|Case 12/24.*|- \{to: .*|(title|grant)|: \{department: Sales\}|number, to, pool, .*|Level:|7 days|(Group \d, )?\d+ channels:?|[a-z.]+@company\.com|[\d.]+ (min|h),|contractors|hr: .*|app salesforce|Okta app salesforce:|INC-4711: wrong channels|wrong|By kim@company\.com: .*|kim@company\.com and .*|, online|Security|Collaboration|operator|(GitLab|Okta) \(\d\)|Invalid\.|in Entra|End Slack|Cisco Unified CM, .*|No answer in time|c\d+|#[a-z-]+…|Group \d|[\d.,]+ (ms|s|min|h|d)( \d+ (s|min|h))?|\d{3} [A-Z][A-Za-z ]+|\d+ channels|UTC|PST|Dayone( 1)?|en|it-help|Issue|Level|[a-z-]+/[a-z-]+:[a-z-]+|(Duo|Webex) (users|devices)|Duo,|Meraki|Messaging|hired|Unavailable\.|Webex Calling - Professional|Not allowed in: check the key\.|the sales team is dissolved|[a-z-]+ \(policies/[a-z-]+\.yaml:\d+\))$`)

func sampleWords(t *testing.T) func(string) bool {
	t.Helper()
	own, _ := goTexts(t, func(file string) bool { // an alert's words are flow's, also in a sample
		return !noSample(file) && file != "samplesalerts.go" && file != "samplesundo.go" || file == "requests.go"
	}, ".")
	forms := map[string]bool{}
	for s := range own {
		forms[number.ReplaceAllString(s, "#")] = true
	}
	list := slices.Collect(maps.Keys(forms))
	var is func(string) bool
	is = func(text string) bool {
		if text = strings.TrimPrefix(text, "- "); zoneOrPlace.MatchString(text) {
			return true
		}
		for _, between := range []string{" (policies/", ", ", ": "} { // a policy's title stands before its line
			if first, rest, ok := strings.Cut(text, between); ok {
				return is(first) && is(rest)
			}
		}
		text = number.ReplaceAllString(strings.Trim(text, " .,:;()-?"), "#")
		small := lowerFirst(text)
		return forms[text] || len(text) > 6 && slices.ContainsFunc(list, func(s string) bool { return strings.Contains(s, text) || strings.Contains(s, small) })
	}
	return is
}

// A catalogue has what is said and nothing else, with the same places.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	known, wanted := texts(t)
	for _, tag := range locale.Tags()[1:] { // what one language has is worth saying in the others
		for text := range locale.Of(tag).Texts() {
			wanted[text] = true
		}
	}
	for _, tag := range locale.Tags()[1:] {
		l := locale.Of(tag)
		for text, said := range l.Texts() {
			if !known[text] {
				t.Errorf("%s.json: nothing says %q", tag, text)
			}
			if said == "" {
				t.Errorf("%s.json: %q is translated by nothing", tag, text)
			}
			if a, b := locale.Places(text), locale.Places(said); !slices.Equal(a, b) {
				t.Errorf("%s.json: %q has the places %v, its translation %v", tag, text, a, b)
			}
			if a, b := numbered(text), numbered(said); !slices.Equal(a, b) {
				t.Errorf("%s.json: %q has the places %v, its translation %v", tag, text, a, b)
			}
		}
		if *update {
			var out bytes.Buffer
			for _, text := range slices.Sorted(maps.Keys(wanted)) {
				if _, ok := l.Find(text); !ok && isText(text) {
					line, err := json.Marshal(text)
					if err != nil {
						t.Fatal(err)
					}
					out.Write(append(line, '\n'))
				}
			}
			if err := os.MkdirAll(filepath.Join("..", "locale", "missing"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join("..", "locale", "missing", tag+".txt"), out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func numbered(text string) []string {
	out := regexp.MustCompile(`\{\d+\}`).FindAllString(text, -1)
	slices.Sort(out)
	return out
}

// names are texts of Go that somebody is called by, or that are no text of ours.
var names = map[string]bool{
	"Nour الزهراني": true, "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine": true, "emp_789": true, "emp_900": true, "emp_901": true, "permission-set": true, "sales-leads": true, "Duo users": true, "Meraki": true, "Webex users": true, "Webex devices": true, "Webex Calling - Professional": true, "Messaging": true, "PDF": true, "numbers.yaml": true, "Directory": true,
	// What somebody or a source has written stays as it is.
	"the site in Bremen closes": true, "HR mends it with the next payroll": true, "Covers for Max during his parental leave": true, "18 November 18:00": true, "reading user: unavailable": true, "transfer: department": true, "transfer: manager": true, "corrected by hand: job title": true, "transfer: department, from 1 Mar 2025": true,
	"templates/welcome.txt:3:5: a message has no \"Persn\"": true, "The run's journal was kept for undoing until 25 October 2024; it is not undoable any more, so change policies or write an exception instead": true,
	"the list has 812 records, and had 1204; it changes the manager of 300 people, and 240 a day are the limit": true, "more than 24 people would lose something there on 2024-11-22": true, "812 records read: 2 new, 300 changed, 395 missing; held: the list has 812 records, and had 1204": true,
	"Pool London, Mayfair and the City with a name that is longer than most has no number to give: every number of it is in use, at rest or held. Order a range, or release what leavers have": true, "start_date: ⟦2024-13-40 is no day": true, "there is no country \"XY\"; write it as in DE or US": true, "state is \"asigned\"; write available, reserved, assigned, held, external or retired": true, "Remove it, or see to it that nothing of its last holder is left on it before it is given": true,
	"Given a moment ago, and kept for 15 minutes; leave this empty to use it": true, "a run of this person is at work, so the books move; decide when it rests": true,
	"Sarah Chen": true, "Sarah": true, "Okta": true, "GitLab": true, "Google": true, "Webex": true, "Sales": true, "Sales Engineer": true, "Berlin": true,
}

// A page has a translation of everything it says.
func TestGermanPages(t *testing.T) {
	t.Parallel()
	known, _ := texts(t)
	mixed := map[string]string{}
	for text := range known {
		if isText(text) && !attribute.MatchString(text) && !strings.Contains(text, "@") && !names[text] {
			mixed[text] = "⟦" + text + "⟧"
		}
	}
	maps.Copy(mixed, locale.Of("de").Texts())
	l := locale.New("de", mixed)
	v := newRenderer("test").speaking(l)
	left, seen := regexp.MustCompile("⟦[^⟧]*⟧"), map[string]bool{}
	for _, s := range samples(viewer{zone: noon.Location(), now: noon, in: l}) {
		if slices.Contains(english, s.template) {
			continue
		}
		page := pageOfSample(t, v, s)
		for _, text := range left.FindAllString(page, -1) {
			if !seen[text] && !names[html.UnescapeString(strings.Trim(text, "⟦⟧."))] {
				t.Errorf("%s: de.json has no %s", s.name, text)
			}
			seen[text] = true
		}
		wellFormed(t, s.name, page)
	}
	for _, text := range helpTexts(t) {
		if _, ok := l.Find(text); !ok || strings.HasPrefix(l.Label(text), "⟦") {
			t.Errorf("de.json has no %q", text)
		}
	}
	for _, texts := range []map[string]string{toasts, attrTexts} {
		for _, text := range texts {
			if _, ok := locale.Of("de").Find(text); !ok {
				t.Errorf("de.json has no %q", text)
			}
		}
	}
	for _, a := range answers {
		for _, text := range []string{a.title, a.text, a.next} {
			if _, ok := locale.Of("de").Find(text); !ok {
				t.Errorf("de.json has no %q", text)
			}
		}
	}
}

// A day that a policy has read is written as every other day of a person's page.
func TestADayInAReasonReadsAsEveryOther(t *testing.T) {
	t.Parallel()
	view := viewer{in: locale.Of("de"), now: noon, zone: noon.Location()}
	line := policy.Line{Policy: "base", Truth: "yes", Conditions: []policy.Condition{{Reads: []policy.Read{{Name: "start_date", Value: "2021-09-13", Known: true}}}}}
	got := newReason(view, samplePerson, flow.Access{Reasons: []flow.Reason{{Reason: dayone.Reason{Policy: "base"}}}}, policy.Explanation{Lines: []policy.Line{line}})
	if len(got.Chain) == 0 || !strings.HasSuffix(got.Chain[0].Text, " "+view.day(noon.AddDate(2021-noon.Year(), 9-int(noon.Month()), 13-noon.Day()), noon.Location()).Text) {
		t.Errorf("the chain is %+v", got.Chain)
	}
	for _, why := range []whyView{
		newWhy(view, link{}, policy.Explanation{Lines: []policy.Line{line}}),
		{Lines: newWhy(view, link{}, policy.Explanation{By: []policy.Along{{Lines: []policy.Line{line}}}}).By[0].Lines},
	} {
		if got := why.Lines[0].Conditions[0].Reads[0].Value; got != "Mo, 13. Sep. 2021" {
			t.Errorf("beside a condition it is %q", got)
		}
	}
}

// An attribute within what a brake says, or beside what it holds, is called as it is everywhere; what a company calls its own stays.
func TestABrakeCallsAttributesAsPagesDo(t *testing.T) {
	t.Parallel()
	view := viewer{in: locale.Of("de"), now: noon, zone: noon.Location()}
	for note, want := range map[string]string{
		"cost centre changed for more than 24 people of hr on 2024-11-22":        "Kostenstelle geändert bei mehr als 24 Personen aus hr am 22. Nov. 2024",
		"manager changed for more than 1 person of hr on 2024-11-22":             "Führungskraft geändert bei mehr als 1 Person aus hr am 22. Nov. 2024",
		"badge colour changed for more than 24 people of hr on 2024-11-22":       "badge colour geändert bei mehr als 24 Personen aus hr am 22. Nov. 2024",
		"it changes the job title of 300 people, and 240 a day are the limit":    "sie ändert Stellenbezeichnung bei 300 Personen, und 240 am Tag sind die Grenze",
		"more than 24 people would lose something there on 2024-11-22":           "mehr als 24 Personen verlören dort etwas am 22. Nov. 2024",
		"department changed for more than 24 people of department on 2024-11-22": "Abteilung geändert bei mehr als 24 Personen aus department am 22. Nov. 2024",
	} {
		if got := view.found(note); got != want {
			t.Errorf("%q is %q, want %q", note, got, want)
		}
	}
	if got := view.heldLine(dayone.HeldLine{What: "cost center", Was: "12", Is: "13"}); got != "Kostenstelle: 12 wird 13" {
		t.Errorf("beside what is held stands %q", got)
	}
	if got := (viewer{}).heldLine(dayone.HeldLine{What: "job title", Was: "a", Is: "b"}); got != "Job title: a becomes b" {
		t.Errorf("in English stands %q", got)
	}
}

// A rule that looks for something new is seen in German, too.
func TestEveryRuleHasASampleOfItsAlerts(t *testing.T) {
	t.Parallel()
	list := sampleAlerts(noon)
	for _, r := range flow.AlertRules() {
		if !slices.ContainsFunc(list, func(a flow.AlertView) bool { return a.Rule == r.Name }) {
			t.Errorf("no page of the gallery has an alert of %s", r.Name)
		}
	}
}

// No reason of the planner is without a sample, so that one that nobody translated is seen; and none has a word of English on
// a German page, whatever of ours stands at its places.
func TestEveryReasonOfAnUndoIsGerman(t *testing.T) {
	t.Parallel()
	samples := []string{sampleAlong}
	for _, x := range sampleWhys {
		samples = append(samples, x.why)
	}
	made, _ := goTexts(t, func(file string) bool { return file == "takeback.go" || file == "takeaccount.go" }, "../planner")
	for text := range made {
		if !strings.Contains(strings.TrimSpace(text), " ") || text == "2 January 2006" || text == "it takes a step back" { // no preview says how an undo is undone
			continue
		}
		form := regexp.MustCompile("^(.*: )?" + strings.ReplaceAll(regexp.QuoteMeta(text), "%s", ".+") + "$")
		if !slices.ContainsFunc(samples, form.MatchString) {
			t.Errorf("no page of the gallery has %q", text)
		}
	}
	known, _ := texts(t)
	said, german := marked(known), locale.Of("de")
	theirs := regexp.MustCompile(`run_\w+|\w+/\w+(:[\w-]+)?|on-call|owner|operator|title|GitLab|[\w.]+@company\.com`)
	for _, why := range samples {
		if german.Heard(why) == why {
			t.Errorf("de.json has no %q", why)
		}
		for _, word := range unmarked(t, "<p>"+html.EscapeString(said.Heard(why))+"</p>") {
			if word = theirs.ReplaceAllString(word, ""); strings.ContainsFunc(word, unicode.IsLetter) {
				t.Errorf("%q says %q in every language", why, word)
			}
		}
	}
}

// What was made in English where nobody knew who reads it is German on a German page, to the last word of ours.
func TestWhatIsHeardIsGermanThroughout(t *testing.T) {
	t.Parallel()
	view := viewer{in: locale.Of("de"), now: noon, zone: noon.Location()}
	for s, want := range map[string]string{
		"until 3 Mar 2025":                                                                      "bis 3. März 2025",
		"last heard or read on Thu 21 Nov 09:00 UTC":                                            "zuletzt gehört oder gelesen: Do, 21. Nov., 09:00 UTC",
		"ready by about Mon 29 Feb 11:30 PST, after the first day has begun":                    "bereit etwa Mo, 29. Feb., 11:30 PST, nach Beginn des ersten Tages",
		"held until 3 March 2025 by kim@company.com: neither given nor taken":                   "gehalten bis 3. März 2025 von kim@company.com: weder gegeben noch genommen",
		"6 records read: 1 new, 0 changed, 5 missing; held: the list has 6 records, and had 12": "6 Datensätze gelesen: 1 neu, 0 geändert, 5 fehlen; gehalten: die Liste hat 6 Datensätze und hatte 12",
		"somebody who left has it (sure: own number of asmith, mail address)":                   "jemand Ausgeschiedenes hat sie (sicher: eigene Nummer von asmith, E-Mail-Adresse)",
		"the account of somebody who left is open (possible: name)":                             "das Konto von jemand Ausgeschiedenem ist offen (möglich: Name)",
		"it is not sure enough whose it is (possible: name)":                                    "es ist nicht sicher genug, wem sie gehört (möglich: Name)",
		"it is assigned, and its owner has left":                                                "sie ist vergeben, und die Person, der sie gehört, ist ausgeschieden",
		"address of the organisation":                                                           "Adresse der Organisation",
		"Users, groups and application assignments of an Okta organisation.":                    "Benutzer, Gruppen und Anwendungszuweisungen einer Okta-Organisation.",
	} {
		if got := view.heard(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
	for title, want := range map[string]string{
		"Onboard Sarah Chen": "Eintritt von Sarah Chen", "Undo: Offboard Sarah Chen": "Rückgängig: Austritt von Sarah Chen", "Change the access of May": "Zugänge von May ändern",
	} {
		if got := view.runTitle(title); got != want {
			t.Errorf("the run %q is called %q, want %q", title, got, want)
		}
	}
}

// A step that tells somebody something says what, and not how its template is called; one of the company's own says that.
func TestMessagesHaveTitles(t *testing.T) {
	t.Parallel()
	tells := func(kind, name, template string) dayone.Step {
		return dayone.Step{Action: dayone.MessageSend, Key: dayone.Key{System: "mail", Kind: kind, Name: name}, Want: &dayone.Item{Attrs: dayone.Attrs{"template": dayone.Text(template)}}}
	}
	for _, c := range []struct {
		step   dayone.Step
		en, in string
	}{
		{tells("message", "welcome", "welcome"), "Welcome the new hire", "Die neue Person begrüßen"},
		{tells("message", "moved.01jd9x000000", "moved"), "Tell what the move has changed", "Mitteilen, was der Wechsel geändert hat"},
		{tells("invitation", "intro-call", "intro-call"), "Invite to the intro call", "Zum Kennenlernen einladen"},
		{tells("message", "parking.01jd9x000000", "parking"), "Send message parking", "Nachricht parking senden"},
	} {
		if got := (viewer{}).stepTitle(c.step, "Message", ""); got != c.en {
			t.Errorf("%s is %q, want %q", c.step.Key, got, c.en)
		}
		if got := (viewer{in: locale.Of("de")}).stepTitle(c.step, "Message", ""); got != c.in {
			t.Errorf("%s is %q, want %q", c.step.Key, got, c.in)
		}
	}
}

// Somebody who works here is here since her first day; who is to come has one, and who has left had one.
func TestSinceWhenSomebodyIsHere(t *testing.T) {
	t.Parallel()
	view := viewer{now: noon, zone: noon.Location()}
	for _, c := range []struct {
		is     dayone.Status
		starts int // days from now
		want   string
	}{{dayone.Working, -2000, "Here since"}, {dayone.OnLeave, -2000, "Here since"}, {dayone.PreHire, 9, "First day"}, {dayone.Left, -2000, "First day"}} {
		head := newPersonHead(view, flow.Row{Name: "Ada", Status: c.is, Starts: noon.AddDate(0, 0, c.starts)}, noon.Location(), "access")
		if got := head.Figures[1].Label; got != c.want {
			t.Errorf("%s, whose first day is %d days away: %q, want %q", c.is, c.starts, got, c.want)
		}
	}
	for day, want := range map[string]string{"2021-09-13": "Here since", "2021-09-13T00:00:00Z": "Here since", "2199-01-01": "Starts", "": "Starts"} {
		if got := startsWord(day, view); got != want {
			t.Errorf("%q is %q, want %q", day, got, want)
		}
	}
}

// A sentence of a template is one message, whatever stands in it; a translation is text, and may order it anew.
func TestSentences(t *testing.T) {
	t.Parallel()
	const page = `<p title="Go, {{.A}}">Hello <bdi>{{.A}}</bdi>, {{if .B}}it is {{.B}}{{else}}nothing{{end}} &amp; more.</p>{{template "in" .}}<b>Bold <code>as it is</code></b><input{{template "tag"}} value="Keep">` +
		`{{define "in"}}<i aria-label="Close">{{range .C}}x{{.}}{{end}}</i>{{end}}{{define "tag"}} required title="Must"{{end}}`
	asked := map[string]bool{}
	say := map[string]string{
		"Go, {1}": `{1}: "los"`, "Hello {1}, {2} & more.": "<{2}> für {1} & mehr.", "it is {1}": "das ist {1}", "nothing": "nichts", "Bold {1}": "Fett {1}", "Close": "Schließen", "x{1}": "y{2}", "Must": "Muss",
	}
	parsed := template.Must(template.New("").Parse(page))
	(&translator{starts: map[string]place{}, find: func(text string) (string, bool) {
		asked[text] = true
		out, ok := say[text]
		return out, ok
	}}).translate(parsed, nil)
	if got, want := slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(say)); !slices.Equal(got, want) {
		t.Errorf("messages are %q, want %q", got, want)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, map[string]any{"A": "Ada <x>", "B": "B&", "C": []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	const want = `<p title="Ada &lt;x&gt;: &#34;los&#34;">&lt;das ist B&amp;&gt; für <bdi>Ada &lt;x&gt;</bdi> &amp; mehr.</p><i aria-label="Schließen">x1</i><b>Fett <code>as it is</code></b><input required title="Muss" value="Keep">`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", &b, want)
	}
}

// Somebody reads the portal in the language that she chose, else in that of her browser, else in the company's.
func TestLanguages(t *testing.T) {
	t.Parallel()
	p := &portal{flow: &flow.Flow{}}
	ask := func(cookie, accept string) string {
		r := httptest.NewRequest("GET", "/", nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "lang", Value: cookie})
		}
		r.Header.Set("Accept-Language", accept)
		return p.languageOf(r).Tag()
	}
	for _, c := range []struct{ company, cookie, accept, want string }{
		{"", "", "", "en"},
		{"de", "", "", "de"},
		{"de", "", "en-GB,en;q=0.9", "en"},
		{"", "", "de-AT, en;q=0.5", "de"},
		{"", "", "fr, de;q=0.3", "de"},
		{"de", "", "fr", "de"},
		{"", "de", "en", "de"},
		{"de", "en", "de", "en"},
		{"", "xx", "de", "de"},
		{"", "../de", "", "en"},
		{"", "", "de;q=0", "en"},
		{"", "", "de;q=x,en", "en"},
		{"", "", strings.Repeat("xx,", 1000) + "de", "en"},
	} {
		p.opt.Language = c.company
		if got := ask(c.cookie, c.accept); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
