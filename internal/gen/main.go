// Command gen writes what follows from the connectors' manifests: the registry, the systems page of the documentation and
// its support matrix. "gen new NAME" makes the folder of a new connector, which builds and passes its first tests.
package main

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed new/*
var scaffold embed.FS

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	set := flag.NewFlagSet("gen", flag.ContinueOnError)
	check := set.Bool("check", false, "write nothing; say what would change and fail")
	if err := set.Parse(args); err != nil {
		return err
	}
	root, err := projectRoot()
	if err != nil {
		return err
	}
	if set.Arg(0) == "new" {
		if set.NArg() != 2 {
			return fmt.Errorf("usage: gen new NAME")
		}
		if err := create(root, set.Arg(1)); err != nil {
			return err
		}
	}
	files, err := generate(root)
	if err != nil {
		return err
	}
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(root, name)
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		stale = append(stale, name)
		if *check {
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, files[name], 0o644)); err != nil {
			return err
		}
	}
	if *check && len(stale) > 0 {
		return fmt.Errorf("these files are not what the manifests say; run go generate ./... to mend them: %s", strings.Join(stale, ", "))
	}
	return nil
}

// projectRoot is the folder of go.mod, from wherever go generate runs.
func projectRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("this is not inside the project")
		}
		dir = up
	}
}

// vendor is one connector's folder.
type vendor struct {
	*connector.Manifest
	Sim     bool   // it has a simulator that speaks HTTP
	Example string // example.md, if there is one: a section of its page that somebody wrote
	Results connector.Results
}

var simulator = regexp.MustCompile(`(?m)^func New\(o sim\.Options\)`)

func vendors(root string) ([]vendor, error) {
	paths, err := filepath.Glob(filepath.Join(root, "connector", "*", "manifest.yaml"))
	if err != nil {
		return nil, err
	}
	var out []vendor
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		m, err := connector.ParseManifest(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if filepath.Base(filepath.Dir(p)) != m.Name {
			return nil, fmt.Errorf("%s: the folder is not called %s", p, m.Name)
		}
		src, err := os.ReadFile(filepath.Join(filepath.Dir(p), "sim", "sim.go"))
		speaks := err == nil && simulator.Match(src)
		example, err := os.ReadFile(filepath.Join(filepath.Dir(p), "example.md"))
		if err == nil {
			example = append([]byte("\n"), example...)
		}
		results, err := tried(filepath.Dir(p), m)
		if err != nil {
			return nil, err
		}
		out = append(out, vendor{m, speaks, string(example), results})
	}
	slices.SortFunc(out, func(a, b vendor) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// tried are a connector's results: without one for each action nothing is generated.
func tried(dir string, m *connector.Manifest) (connector.Results, error) {
	if len(m.ActionNames()) == 0 {
		return nil, nil
	}
	if m.Hands { // people do all of it
		r := connector.Results{}
		for _, name := range m.ActionNames() {
			r[name] = []connector.Evidence{connector.ByTask}
		}
		return r, nil
	}
	raw, err := os.ReadFile(filepath.Join(dir, connector.ResultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("connector %s has no %s; %s", m.Name, connector.ResultsFile, connector.HowToWrite(m.Name))
	}
	if err != nil {
		return nil, err
	}
	return connector.ParseResults(raw, m)
}

func generate(root string) (map[string][]byte, error) {
	vs, err := vendors(root)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{"docs/systems.md": []byte(systemsPage(vs))}
	for name, text := range map[string]*template.Template{"connector/all/zz_registry.go": registry, "connector/all/zz_simulators.go": simulators} {
		var b bytes.Buffer
		if err := text.Execute(&b, vs); err != nil {
			return nil, err
		}
		src, err := format.Source(b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = src
	}
	if out["connector/all/zz_words.go"], err = words(root, vs); err != nil {
		return nil, err
	}
	for _, v := range vs {
		out["docs/systems/"+v.Name+".md"] = []byte(page(v))
	}
	return out, nil
}

var registry = template.Must(template.New("registry").Parse(`// Code generated by internal/gen from the manifests; DO NOT EDIT.

package all

import (
	"github.com/dayone-hq/dayone/connector"
{{- range .}}
	"github.com/dayone-hq/dayone/connector/{{.Name}}"
{{- end}}
)

// Factories are all connectors, by name.
func Factories() map[string]connector.Factory {
	out := map[string]connector.Factory{
	{{- range .}}
		"{{.Name}}": {{.Name}}.Factory,
	{{- end}}
	}
	for name, f := range out {
		f.Words = words[name]
		out[name] = f
	}
	return out
}
`))

var simulators = template.Must(template.New("simulators").Parse(`// Code generated by internal/gen from the folders; DO NOT EDIT.

package all

import (
	"github.com/dayone-hq/dayone/connector/sim"
{{- range .}}{{if .Sim}}
	{{.Name}}sim "github.com/dayone-hq/dayone/connector/{{.Name}}/sim"
{{- end}}{{end}}
)

// Simulators make a vendor's system, by connector name.
func Simulators() map[string]func(sim.Options) sim.Simulator {
	return map[string]func(sim.Options) sim.Simulator{
	{{- range .}}{{if .Sim}}
		"{{.Name}}": func(o sim.Options) sim.Simulator { return {{.Name}}sim.New(o) },
	{{- end}}{{end}}
	}
}
`))

func systemsPage(vs []vendor) string {
	var b strings.Builder
	b.WriteString("<!-- generated by internal/gen from the manifests; do not edit -->\n# Systems\n\nWhat each connector can do. Its page says what it needs and which traps are known.\n\n")
	b.WriteString("| system | is | creates | changes | closes | deletes | gives | made for |\n|---|---|---|---|---|---|---|---|\n")
	for _, v := range vs {
		row := []string{fmt.Sprintf("[%s](systems/%s.md)", v.Title, v.Name), strings.Join(v.Capabilities, ", "), "", "", "", "", "", cmp.Or(v.Plan, "any plan")}
		if a := v.Account; a != nil {
			row[2] = yes(slices.Contains(a.Actions, "create"))
			row[3] = yes(slices.Contains(a.Actions, "update"))
			row[4] = yes(slices.Contains(a.Actions, "disable"))
			if a.States[dayone.Disabled] == dayone.Gone {
				row[4] = "by deleting"
			}
			row[5] = yes(slices.Contains(a.Actions, "delete"))
		}
		var kinds []string
		for _, k := range slices.Sorted(maps.Keys(v.Kinds)) {
			kinds = append(kinds, cmp.Or(v.Kinds[k].Title, k))
		}
		row[6] = strings.Join(kinds, ", ")
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	b.WriteString(triedHow(vs))
	return b.String()
}

// triedHow is the part of the page that says how far each action can be trusted.
func triedHow(vs []vendor) string {
	var b strings.Builder
	b.WriteString(`
## How each action was tried

Written from what the tests of each connector did, and held against it by each of their runs.

- **specification**: every request of the action keeps to the vendor's own specification; the answers are our simulator's
- **real server**: a server that we did not write took it
- **own simulator only**: nothing but our reading of the vendor's pages has judged it
- **task**: a human does it, and is told how

| system | specification | real server | own simulator only | task |
|---|---|---|---|---|
`)
	for _, v := range vs {
		if len(v.Results) == 0 {
			continue
		}
		by := map[connector.Evidence][]string{}
		for _, name := range v.ActionNames() {
			for _, e := range v.Results[name] {
				if e != connector.Simulated || !slices.Contains(v.Results[name], connector.Real) {
					by[e] = append(by[e], name)
				}
			}
		}
		for act := range v.ByHand() {
			_, verb, _ := strings.Cut(string(act.Action), ".")
			if name := act.Kind + " " + verb; !slices.Contains(v.ActionNames(), name) {
				by[connector.ByTask] = append(by[connector.ByTask], name)
			}
		}
		slices.Sort(by[connector.ByTask])
		fmt.Fprintf(&b, "| [%s](systems/%s.md) |", v.Title, v.Name)
		for _, e := range []connector.Evidence{connector.Checked, connector.Real, connector.Simulated, connector.ByTask} {
			fmt.Fprintf(&b, " %s |", grouped(by[e]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// grouped names a kind once: "account create, update; group add".
func grouped(names []string) string {
	var out []string
	last := ""
	for _, n := range names {
		kind, verb, _ := strings.Cut(n, " ")
		if kind == last {
			out[len(out)-1] += ", " + verb
			continue
		}
		out, last = append(out, n), kind
	}
	return strings.Join(out, "; ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func page(v vendor) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("<!-- generated by internal/gen from connector/%s/manifest.yaml; do not edit -->\n# %s\n\n%s\n\n", v.Name, v.Title, v.Summary)
	p("- connector: `%s`\n- is: %s\n- vendor's documentation: %s\n", v.Name, strings.Join(v.Capabilities, ", "), v.Docs)
	if v.Plan != "" {
		p("- made for: %s\n", v.Plan)
	}
	p("- calls at the same time: %d", v.Limits.Concurrency)
	for _, name := range slices.Sorted(maps.Keys(v.Limits.Buckets)) {
		p("; %s %d requests a minute", name, v.Limits.Buckets[name].PerMinute)
	}
	p("\n")
	if v.Specification != "" {
		p("- requests are checked in tests against the vendor's specification\n")
	}
	p("\n## Settings\n\n%s", settings(v))
	b.WriteString(v.Example)
	if a := v.Account; a != nil {
		p("\n## Accounts\n\nActions: %s. Recognised by: %s (only an employee number binds without a human).\n\n", strings.Join(a.Actions, ", "), strings.Join(a.Match, ", "))
		for _, s := range slices.Sorted(maps.Keys(a.States)) {
			p("- %s is shown as %s\n", s, a.States[s])
		}
		if a.Pending != "" {
			p("- an account that was never used waits for: %s\n", a.Pending)
		}
		for _, action := range slices.Sorted(maps.Keys(a.NoUndo)) {
			p("- %s cannot be undone: %s\n", action, a.NoUndo[action])
		}
		p("\n%s", attributes(a.Attributes))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Kinds)) {
		k := v.Kinds[name]
		p("\n## %s (`%s/%s`)\n\n", cmp.Or(k.Title, name), v.Name, name)
		if len(k.Actions) > 0 {
			p("Actions: %s.", strings.Join(k.Actions, ", "))
		} else if k.Shown != "" {
			p("It is shown only, and no policy may name it: %s.", k.Shown)
		} else {
			p("It is given by hand.")
		}
		if len(k.Needs) > 0 {
			p(" Needs: %s.", strings.Join(k.Needs, ", "))
		}
		if len(k.Roles) > 0 {
			p(" Roles, lowest first: %s.", strings.Join(k.Roles, ", "))
		}
		if k.Exclusive {
			p(" One at a time: adding replaces.")
		}
		if k.OneWay {
			p(" Given once, never taken back by itself.")
		}
		p("\n")
		for _, n := range slices.Sorted(maps.Keys(k.Params)) {
			p("- parameter `%s` (%s), merged by %s\n", n, k.Params[n].Type, k.Params[n].Merge)
		}
		if len(k.Attributes) > 0 {
			p("\n%s", attributes(k.Attributes))
		}
	}
	if len(v.Notes) > 0 {
		p("\n## Know this\n\n")
		for _, n := range v.Notes {
			p("- %s\n", n)
		}
	}
	return b.String()
}

// place is where a connector is configured, under a name that fits what it is.
func place(v vendor) (heading, name, after string) {
	switch {
	case v.Account != nil: // whatever else it is
		return "systems", v.Name, ""
	case v.Can("source"):
		return "sources", "hr", "HR posts to `<portal.url>/hooks/hr`."
	case v.Can("calendar"):
		return "systems", "calendar", "messages:\n  calendar: calendar\n"
	case v.Can("messenger"):
		return "systems", "mail", "messages:\n  mail: mail\n"
	default:
		return "systems", v.Name, ""
	}
}

// settings shows what has to be written, and then everything that can be.
func settings(v vendor) string {
	var b strings.Builder
	heading, name, after := place(v)
	fmt.Fprintf(&b, "```yaml\n%s:\n  %s:\n    connector: %s\n    settings:\n", heading, name, v.Name)
	names := settingNames(v.Manifest)
	needed := func(s connector.Setting) bool { return s.Required && s.Default == "" }
	some := slices.ContainsFunc(names, func(n string) bool { return needed(v.Settings[n]) })
	for _, n := range names {
		s := v.Settings[n]
		if !needed(s) && (some || s.Example == "" && s.Type != "secret") {
			continue
		}
		value := s.Example
		if s.Type == "secret" {
			value = "${env:" + strings.ToUpper(name+"_"+n) + "}"
		}
		fmt.Fprintf(&b, "      %s: %q\n", n, value)
	}
	if heading == "systems" {
		b.WriteString(after)
	}
	b.WriteString("```\n\n")
	if some {
		b.WriteString("That is what it needs; the values are examples.")
	} else {
		b.WriteString("None of them is needed in every case; the values are examples.")
	}
	b.WriteString(" What is not written has its default.")
	if heading == "sources" {
		b.WriteString(" " + after)
	}
	b.WriteString("\n")
	b.WriteString("\n| setting | is | default | example |\n|---|---|---|---|\n")
	for _, n := range names {
		s := v.Settings[n]
		notes := []string{s.Help}
		if len(s.Choices) > 0 {
			notes = append(notes, "one of `"+strings.Join(s.Choices, "`, `")+"`")
		}
		if s.Type == "secret" {
			notes = append(notes, "a secret")
		}
		if needed(s) {
			notes = append(notes, "**needed**")
		}
		notes = slices.DeleteFunc(notes, func(s string) bool { return s == "" })
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", n, strings.ReplaceAll(strings.Join(notes, "; "), "|", "\\|"), code(s.Default), code(s.Example))
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func settingNames(m *connector.Manifest) []string {
	names := slices.Collect(maps.Keys(m.Settings))
	slices.SortFunc(names, func(a, b string) int { // required ones first
		return cmp.Or(cmp.Compare(truth(!m.Settings[a].Required), truth(!m.Settings[b].Required)), cmp.Compare(a, b))
	})
	return names
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

func attributes(as map[string]connector.Attribute) string {
	var b strings.Builder
	b.WriteString("| attribute | filled with | |\n|---|---|---|\n")
	for _, n := range slices.Sorted(maps.Keys(as)) {
		a := as[n]
		var notes []string
		if a.Required {
			notes = append(notes, "required")
		}
		if a.ReadOnly {
			notes = append(notes, "shown, never set")
		}
		switch a.Secret {
		case "":
		case "vendor":
			notes = append(notes, "made by the system, handed over by a one-time link")
		default:
			notes = append(notes, "made by Dayone, handed over by a one-time link")
		}
		if a.Max > 0 {
			notes = append(notes, fmt.Sprintf("at most %d characters", a.Max))
		}
		if a.Help != "" {
			notes = append(notes, a.Help)
		}
		from := ""
		if a.From != "" {
			from = "`" + a.From + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", n, from, strings.Join(notes, "; "))
	}
	return b.String()
}

var newName = regexp.MustCompile(`^[a-z][a-z0-9]{1,30}$`)

// create makes the folder of a new connector.
func create(root, name string) error {
	if !newName.MatchString(name) {
		return fmt.Errorf("%q is no name for a connector: lower case letters and digits", name)
	}
	dir := filepath.Join(root, "connector", name)
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("connector/%s is there already", name)
	}
	entries, err := scaffold.ReadDir("new")
	if err != nil {
		return err
	}
	for _, e := range entries {
		raw, err := scaffold.ReadFile("new/" + e.Name())
		if err != nil {
			return err
		}
		to := strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(e.Name(), "NAME", name), "sim_", "sim/"), ".txt")
		text := strings.NewReplacer("NAME", name, "TITLE", strings.ToUpper(name[:1])+name[1:]).Replace(string(raw))
		path := filepath.Join(dir, to)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	fmt.Printf("connector/%s is made. It speaks SCIM until you teach it better: begin with manifest.yaml, then go test ./connector/%s\n", name, name)
	return nil
}
