package message

import (
	"bytes"
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
)

//go:embed templates/*.txt
var builtin embed.FS

// View is all that a template sees.
type View struct {
	Company string
	Person  Human
	Manager *Human            // nil: unknown
	Buddy   *Human            // nil: none was found
	Start   time.Time         // first instant of the first day, in the worker's zone
	Now     time.Time         // in the worker's zone
	Site    map[string]string // facts of sites.yaml: handbook, portal, help, chat
	Laptop  *Laptop
	Run     Run
	Links   Links
}

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
	Grants   int      // wanted and there, or there but for her own first login
	Waiting  []string // what still waits, and for what
	Failed   []string // what failed or is blocked
	Policies []string // titles of the policies that gave something
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
	Header map[string]string // subject, summary, start, minutes, location, reply-to: lower case names
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
type Templates struct{ Files fs.FS }

// Names of all templates there are.
func (t Templates) Names() []string {
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

func (t Templates) source(name string) (string, error) {
	if strings.ContainsAny(name, "/\\") || name == "" || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("%q is no name of a template: %w", name, dayone.ErrInvalid)
	}
	file := "templates/" + name + ".txt"
	if t.Files != nil {
		raw, err := fs.ReadFile(t.Files, file)
		if err == nil {
			return string(raw), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading template %s: %w", name, err)
		}
	}
	raw, err := fs.ReadFile(builtin, file)
	if err != nil {
		return "", fmt.Errorf("there is no template %q; there are %s: %w", name, strings.Join(t.Names(), ", "), dayone.ErrNotFound)
	}
	return string(raw), nil
}

// Check parses every template and renders it for somebody made up, so that a fault shows at load and not on a first day.
func (t Templates) Check() error {
	var errs []error
	for _, n := range t.Names() {
		for _, v := range []View{{}, sample()} {
			if _, err := t.Render(n, v); err != nil {
				errs = append(errs, err)
				break
			}
		}
	}
	return errors.Join(errs...)
}

func sample() View {
	start := time.Date(2024, 11, 25, 0, 0, 0, 0, time.UTC)
	h := Human{Name: "Ada Lovelace", First: "Ada", Title: "Analyst", Team: "Engines", Email: "ada@example.com"}
	return View{
		Company: "Company", Person: h, Manager: &h, Buddy: &h, Start: start, Now: start.AddDate(0, 0, -3), Site: map[string]string{},
		Laptop: &Laptop{Model: "laptop", Tracking: "1Z", Carrier: "UPS", Arrives: start.AddDate(0, 0, -2), Home: true, Assigned: true},
		Run:    Run{Accounts: []string{"Okta"}, Grants: 1, Policies: []string{"Everyone"}, Waiting: []string{"x"}, Failed: []string{"y"}},
		Links:  Links{Secrets: []Secret{{"Google", "https://x", start}}},
	}
}

var functions = template.FuncMap{
	"join": func(items []string) string { return strings.Join(items, ", ") },
	"and_": func(items []string) string {
		if len(items) < 2 {
			return strings.Join(items, "")
		}
		return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
	},
	"plus":    func(items []string) string { return strings.Join(items, " + ") },
	"day":     func(t time.Time) string { return t.Format("Monday, Jan 2") },
	"weekday": func(t time.Time) string { return t.Format("Monday") },
	"date":    func(t time.Time) string { return t.Format("Mon 2 Jan 2006") },
	"clock":   func(t time.Time) string { return t.Format("15:04") },
	"or_": func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	},
	"link": func(url, text string) string { return text + ": " + url },
}

// Render puts a template into words. Nothing that a person typed is ever read as a template.
func (t Templates) Render(name string, v View) (Rendered, error) {
	src, err := t.source(name)
	if err != nil {
		return Rendered{}, err
	}
	// Header and text are taken apart before anything is put in: what a person typed must not make a header line.
	head, text, ok := strings.Cut(strings.ReplaceAll(src, "\r\n", "\n"), "\n\n")
	if !ok {
		return Rendered{}, fmt.Errorf("template %s has no empty line between its header and its text: %w", name, dayone.ErrInvalid)
	}
	r := Rendered{Header: map[string]string{}}
	for _, line := range strings.Split(strings.TrimSpace(head), "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return Rendered{}, fmt.Errorf("template %s: %q is no header line: %w", name, line, dayone.ErrInvalid)
		}
		out, err := execute(name, value, v)
		if err != nil {
			return Rendered{}, err
		}
		r.Header[strings.ToLower(strings.TrimSpace(key))] = strings.Join(strings.Fields(out), " ")
	}
	out, err := execute(name, text, v)
	r.Text = tidy(out)
	return r, err
}

func execute(name, src string, v View) (string, error) {
	tpl, err := template.New(name).Funcs(functions).Option("missingkey=zero").Parse(src)
	if err != nil {
		return "", fmt.Errorf("template %s: %w: %w", name, err, dayone.ErrInvalid)
	}
	var b bytes.Buffer
	if err := tpl.Execute(&b, v); err != nil {
		return "", fmt.Errorf("template %s: %w: %w", name, err, dayone.ErrInvalid)
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
