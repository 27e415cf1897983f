package message

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/locale"
)

//go:embed templates/*.txt
var builtin embed.FS

// View is all that a template sees.
type View struct {
	Company  string
	Person   Human
	Manager  *Human            // nil: unknown
	Buddy    *Human            // nil: none was found
	Start    time.Time         // first instant of the first day, in the worker's zone
	Now      time.Time         // in the worker's zone
	Site     map[string]string // facts of sites.yaml: handbook, portal, help, chat
	Laptop   *Laptop
	LastDay  time.Time // an instant of it, in the worker's zone; zero: none is known
	Changes  []Change  // what the message is about: what is different of the person
	Lines    []Line    // of a digest
	Approval *Approval // what somebody is asked to agree to
	Task     *Task     // what somebody is to do
	Alert    *Alert    // what an alert is about
	Sponsor  *Sponsor  // to who answers for somebody who is in no HR system
	Asks     *Asks     // what somebody who has not begun is asked for
	Run      Run
	Links    Links
	Language string // of whoever reads it; "": the company's
}

// Change is one thing about a person before and after; "" is none.
type Change struct{ What, Was, Is string }

// Approval is what somebody is asked to agree to.
type Approval struct {
	What, Why string
	You       string // why it is you who decide
	Since     time.Time
	Due       time.Time
	Requester string // who asked for it; "": a policy, or nobody said who
	Reason    string // what it was asked for
	Anew      bool   // it was refused before, or nobody answered
	Link      string
	Reminder  bool
}

// Task is what somebody is to do.
type Task struct {
	Title string
	Since time.Time
	Due   time.Time // zero: at no day
	Late  bool
	Proof bool // it wants to be shown
	Link  string
}

// Sponsor is who is told that somebody's last day comes.
type Sponsor struct {
	Sponsor bool   // she herself, and not who answers in her place
	Why     string // why it is you
	Link    string
}

// Asks is what somebody who has not begun is asked for.
type Asks struct {
	Names []string
	Again bool
	Until time.Time
	Link  string
}

// Alert is what somebody has to know, about one or several.
type Alert struct {
	Title           string
	Count           int
	Items           []AlertItem // the first of them
	More            int         // that are not among the items
	Again, Resolved bool
}

// AlertItem is one of them.
type AlertItem struct {
	About, Note, Link string
	Since             time.Time
}

// Line is one message of a digest.
type Line struct{ Subject, Text string }

// Human is somebody a message names.
type Human struct {
	Name, First, Title, Team, Department, Email, Location string
	Remote                                                bool
}

// Laptop is how far the device is.
type Laptop struct {
	Model    string
	Serial   string
	Carrier  string
	Tracking string
	Home     bool      // shipped to the home address, not to the office
	Arrives  time.Time // zero: not known yet
	Assigned bool      // in device management, under her name
}

// Run is what happened, in numbers and names.
type Run struct {
	Accounts []string // titles of systems in which she has an account now
	Systems  []string // those systems by their names in policies
	Meetings []string // invitations to her first day, by their templates
	Grants   int      // wanted and there, or there but for her own first login
	Waiting  []string // what still waits, and for what
	Failed   []string // what failed or is blocked
	Open     []string // what is still under way
	Policies []string // titles of the policies that gave something
	Given    []string // what this run gave
	Taken    []string // what it took away, or closed
	Ready    bool     // nothing failed
}

// Links lead to the portal.
type Links struct {
	Log      string // the run
	Report   string // report an issue with the run
	Progress string // the manager's page
	Portal   string // the new hire's page
	Secrets  []Secret
}

// Secret is a one-time link.
type Secret struct {
	Title string // "Google: first password"
	URL   string
	From  time.Time // it opens not before
}

// Rendered is a template put into words.
type Rendered struct {
	Header map[string]string // subject, summary, start, minutes, location: lower case names
	Text   string
}

// Subject is the subject of a mail, or the summary of an invitation.
func (r Rendered) Subject() string {
	if s := r.Header["subject"]; s != "" {
		return s
	}
	return r.Header["summary"]
}

// Templates finds templates: in files first, then the built-in ones. files may be nil.
type Templates struct {
	Files    fs.FS
	Language string // of whoever has none of her own, and of what the company wrote; "": English
}

// all there are, by the names of their files.
func (t Templates) all() []string {
	set := map[string]bool{}
	for _, fsys := range []fs.FS{builtin, t.Files} {
		if fsys == nil {
			continue
		}
		names, _ := fs.Glob(fsys, "templates/*.txt")
		for _, n := range names {
			set[strings.TrimSuffix(strings.TrimPrefix(n, "templates/"), ".txt")] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// source is a template as it is written.
type source struct {
	name, file, src string
	lang            *locale.Language
}

func file(name string) string { return "templates/" + name + ".txt" }

func (t Templates) read(name string) (*source, error) {
	if strings.ContainsAny(name, "/\\") || name == "" || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("%q is no name of a template: %w", name, dayone.ErrInvalid)
	}
	if t.Files != nil {
		raw, err := fs.ReadFile(t.Files, file(name))
		if err == nil {
			return &source{name, file(name), strings.ReplaceAll(string(raw), "\r\n", "\n"), t.language(name)}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading template %s: %w", name, err)
		}
	}
	raw, err := fs.ReadFile(builtin, file(name))
	if err != nil {
		return nil, fmt.Errorf("there is no template %q; %s: %w", name, cmp.Or(dayone.Meant(name, t.Names()), "there are "+strings.Join(t.Names(), ", ")), dayone.ErrNotFound)
	}
	return &source{name, file(name), string(raw), t.language(name)}, nil
}

// Text of a template as it is written: the company's own, else the built-in one.
func (t Templates) Text(name string) (string, error) {
	s, err := t.read(name)
	if err != nil {
		return "", err
	}
	return s.src, nil
}

// Own says whether the company has written a template itself.
func (t Templates) Own(name string) bool {
	if t.Files == nil {
		return false
	}
	_, err := fs.Stat(t.Files, file(name))
	return err == nil
}

// Sample is somebody made up, of whom everything is known that a message may say.
func Sample() View { return sample() }

func sample() View {
	start := time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)
	h := Human{Name: "Ada Lovelace", First: "Ada", Title: "Analyst", Team: "Engines", Email: "ada@example.com"}
	return View{
		Company: "Company", Person: h, Manager: &h, Buddy: &h, Start: start, Now: start.AddDate(0, 0, -3), Site: map[string]string{},
		Laptop:  &Laptop{Model: "laptop", Tracking: "1Z", Carrier: "UPS", Arrives: start.AddDate(0, 0, -2), Home: true, Assigned: true},
		LastDay: start, Changes: []Change{{"team", "Engines", "Looms"}}, Lines: []Line{{"Ada moved", "Ada moved to Looms."}},
		Sponsor: &Sponsor{Sponsor: true, Why: "sponsor", Link: "https://x"}, Asks: &Asks{Names: []string{"shipping address", "mobile number"}, Until: start, Link: "https://x"},
		Alert: &Alert{Title: "Day one at risk", Count: 2, Items: []AlertItem{{"Ada Lovelace", "1 step failed", "https://x", start}}, More: 1},
		Run: Run{
			Accounts: []string{"Okta"}, Systems: []string{"okta"}, Meetings: []string{"intro-call", "team-standup", "buddy-meeting"}, Grants: 1, Policies: []string{"Everyone"}, Waiting: []string{"x"}, Failed: []string{"y"}, Open: []string{"z"},
			Given: []string{"Okta group looms"}, Taken: []string{"Okta group engines"},
		},
		Links:    Links{Secrets: []Secret{{"Google", "https://x", start}}},
		Approval: &Approval{What: "AWS permission set prod", Why: "oncall (aws.yaml:3)", You: "manager", Since: start, Due: start, Link: "https://x"},
		Task:     &Task{Title: "Order a laptop", Since: start, Due: start, Link: "https://x"},
	}
}

var functions = func() template.FuncMap {
	out := template.FuncMap{
		"join":  func(items []string) (string, error) { return joined(items, ", ") },
		"plus":  func(items []string) (string, error) { return joined(items, " + ") },
		"clock": func(t time.Time) string { return t.Format("15:04") },
		"has":   slices.Contains[[]string],
		"or_": func(a, b string) string {
			if a != "" {
				return a
			}
			return b
		},
		"link": func(url, text string) (string, error) { return short(text + ": " + url) },
	}
	maps.Copy(out, textual)
	maps.Copy(out, spoken(nil))
	return out
}()

// Render puts a template into words. Nothing that a person typed is ever read as a template. Whatever does not surely end is
// not begun, whoever wrote it and whether anybody judged it before.
func (t Templates) Render(name string, v View) (Rendered, error) {
	s, err := t.read(t.For(name, v.Language))
	if err != nil {
		return Rendered{}, err
	}
	headers, text, err := s.parts()
	if err != nil {
		return Rendered{}, err
	}
	var found Faults
	for _, h := range headers {
		found = append(found, h.value.names()...)
	}
	if found = append(found, text.names()...); len(found) > 0 {
		return Rendered{}, found
	}
	return s.render(v)
}

// header is one line of it, before anything is put in.
type header struct {
	name  string
	value piece
	line  int // byte in the file where it begins
}

// parts takes header and text apart before anything is put in: what a person typed must not make a header line.
func (s *source) parts() (headers []header, text piece, err error) {
	whole := piece{of: s, text: s.src}
	if len(s.src) > longestSource {
		return nil, text, whole.fault(0, "", "", "a template has at most %d KB", longestSource>>10)
	}
	end := strings.Index(s.src, "\n\n")
	if end < 0 {
		return nil, text, whole.fault(0, "", "write Subject: ..., an empty line, and the text", "there is no empty line between header and text")
	}
	at := 0
	for line := range strings.SplitAfterSeq(s.src[:end], "\n") {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case strings.TrimSpace(line) == "":
		case !ok:
			word := strings.TrimSpace(line)
			return nil, text, whole.fault(at, word, "write NAME: value, such as Subject: Welcome", "%q is no header line", word)
		default:
			headers = append(headers, header{strings.ToLower(strings.TrimSpace(name)), piece{s, at + len(name) + 1, value}, at})
		}
		at += len(line)
	}
	return headers, piece{s, end + 2, s.src[end+2:]}, nil
}

func (s *source) render(v View) (Rendered, error) {
	headers, text, err := s.parts()
	if err != nil {
		return Rendered{}, err
	}
	r := Rendered{Header: map[string]string{}}
	for _, h := range headers {
		out, err := h.value.execute(v)
		if err != nil {
			return Rendered{}, err
		}
		r.Header[h.name] = strings.Join(strings.Fields(out), " ")
	}
	out, err := text.execute(v)
	r.Text = tidy(out)
	return r, err
}

func (p piece) execute(v View) (string, error) {
	tpl, err := p.compiled()
	if err != nil {
		return "", err
	}
	v = v.in(p.of.lang)
	b := pageFor(v)
	if err := tpl.Execute(b, v); err != nil {
		return "", p.stopped(err)
	}
	return b.String(), nil
}

// tidy leaves at most one empty line between paragraphs: conditions in templates leave holes.
func tidy(s string) string {
	var out []string
	empty := true
	for _, line := range strings.Split(s, "\n") {
		line = strings.TrimRight(line, " \t")
		if line == "" && empty {
			continue
		}
		empty = line == ""
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n")) + "\n"
}
