package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/web"
)

// systemForms lets administrators add systems and change their settings in the portal, as system add and check do here. It works on
// the file as it lies there now: whoever edits it by hand is not overwritten.
type systemForms struct {
	path   string
	server *server

	key []byte // of marks, of this process

	mu   sync.Mutex // one change at a time
	held map[string]heldSecret
	last *change
}

// heldSecret is one that somebody typed and has not written yet.
type heldSecret struct {
	value, by string
	until     time.Time
}

const heldFor = 15 * time.Minute

// onlyHere are connectors that whoever has the machine adds, and nobody from elsewhere: they run its programs.
var onlyHere = []string{"exec"}

func newSystemForms(path string, s *server) *systemForms {
	return &systemForms{path: path, server: s, key: []byte(rand.Text()), held: map[string]heldSecret{}}
}

// Kinds are connectors that can be added, by title.
func (u *systemForms) Kinds() []web.SystemKind {
	var out []web.SystemKind
	for name := range all.Factories() {
		if m, err := manifestOf(name); err == nil && !slices.Contains(onlyHere, name) {
			out = append(out, web.SystemKind{Name: name, Title: m.Title, Summary: m.Summary})
		}
	}
	slices.SortFunc(out, func(a, b web.SystemKind) int {
		return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	})
	return out
}

// Systems are those that the file has now.
func (u *systemForms) Systems() ([]web.SystemSet, error) {
	cfg, err := readConfig(u.path)
	if err != nil {
		return nil, err
	}
	var out []web.SystemSet
	for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
		kind := cfg.Systems[name].Connector
		m, err := manifestOf(kind)
		if err != nil {
			continue
		}
		out = append(out, web.SystemSet{Name: name, Kind: kind, Title: m.Title, Where: cfg.placeOf("systems." + name)})
	}
	return out, nil
}

// Form is what a connector asks for, filled in with what the file has.
func (u *systemForms) Form(kind, name string) (web.SystemForm, error) {
	cfg, err := readConfig(u.path)
	if err != nil {
		return web.SystemForm{}, err
	}
	f, _, err := u.form(cfg, kind, name, name == "")
	return f, err
}

func (u *systemForms) form(cfg *config, kind, name string, isNew bool) (web.SystemForm, *connector.Manifest, error) {
	var given map[string]string
	where := u.path
	if !isNew {
		s, ok := cfg.Systems[name]
		if !ok {
			return web.SystemForm{}, nil, fmt.Errorf("there is no system %q in %s: %w", name, u.path, dayone.ErrNotFound)
		}
		kind, given, where = s.Connector, s.Settings, cfg.placeOf("systems."+name)
	}
	m, err := manifestOf(kind)
	if err != nil {
		return web.SystemForm{}, nil, err
	}
	if slices.Contains(onlyHere, kind) {
		return web.SystemForm{}, nil, fmt.Errorf("%s runs programs of the server's machine, so only who has the machine sets it: dayone system add %s: %w", m.Title, kind, dayone.ErrForbidden)
	}
	f := web.SystemForm{Kind: kind, Title: m.Title, Name: name, Where: where, Plan: m.Plan, Docs: m.Docs, New: isNew}
	if isNew && name == "" {
		f.Name = m.Name
	}
	if !isNew {
		f.Mark = u.mark(cfg.Systems[name])
	}
	for _, n := range slices.Sorted(maps.Keys(m.Settings)) {
		s := m.Settings[n]
		x := web.SystemField{Name: n, Type: s.Type, Help: oneLine(s.Help), Default: s.Default, Example: s.Example, Choices: s.Choices, Required: s.Required}
		if v, ok := given[n]; ok {
			if x.Set = true; s.Type != "secret" {
				x.Value = v
			}
		}
		f.Fields = append(f.Fields, x)
	}
	return f, m, nil
}

// Write judges what was filled in, tries it, or writes it.
func (u *systemForms) Write(ctx context.Context, e web.SystemEntry) (web.Written, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	raw, err := readUpTo(u.path, mostFile)
	if err != nil {
		return web.Written{}, err
	}
	cfg, err := configOf(u.path, raw)
	if err != nil {
		return web.Written{}, err
	}
	d, out, err := u.draft(cfg, raw, e)
	if err != nil || out.Faults > 0 || out.Problem != "" {
		return out, err
	}
	if e.Try {
		out.Findings = u.try(ctx, cfg, d)
	}
	if !e.Save {
		return out, nil
	}
	if err := u.write(ctx, d, e.By); err != nil {
		if dayone.KindOf(err) == nil {
			return out, err
		}
		out.Problem = plain(err)
		return out, nil
	}
	for _, x := range out.Form.Fields {
		u.forget(x.Held, e.By)
		u.forget(e.Held[x.Name], e.By)
	}
	after, err := readConfig(u.path)
	if err != nil {
		return out, err
	}
	out.Where, out.Next = after.placeOf(d.heading+"."+d.name), d.next()
	out.Form, _, err = u.form(after, e.Kind, d.name, d.heading == "sources")
	return out, err
}

// systemDraft is a system as it is to be in the file.
type systemDraft struct {
	addition
	heading string
	isNew   bool
	was     []byte            // the file that it was made of
	text    string            // of the file, as it is to be
	secrets map[string]string // by file
	old     []string          // files of secrets that are replaced
	trial   map[string]string // settings with secrets in place of their references
}

func (d *systemDraft) next() []string {
	out := []string{"It counts when the server is started again."}
	for _, name := range slices.Sorted(maps.Keys(d.given)) {
		if ref := reference.FindStringSubmatch(d.given[name]); ref != nil && d.manifest.Settings[name].Type == "secret" && d.secrets[ref[2]] == "" {
			if _, set := os.LookupEnv(ref[2]); ref[1] == "env" && !set {
				out = append(out, fmt.Sprintf("%s: put it into the environment variable %s first.", name, ref[2]))
			}
		}
	}
	return out
}

// draft judges each field, and says what the file would be. No error and no line of it holds a secret.
func (u *systemForms) draft(cfg *config, raw []byte, e web.SystemEntry) (*systemDraft, web.Written, error) {
	f, m, err := u.form(cfg, e.Kind, e.Name, e.New)
	if err != nil {
		return nil, web.Written{}, err
	}
	d := &systemDraft{addition: addition{manifest: m, name: cmp.Or(e.Name, f.Name), given: map[string]string{}}, isNew: e.New, was: raw, secrets: map[string]string{}, trial: map[string]string{}}
	d.heading = d.addition.heading()
	f.Name = d.name
	out := web.Written{Form: f}
	if moved := movedSince(e.Mark, f.Mark); len(moved) > 0 {
		out.Problem = fmt.Sprintf("%s of %s was changed in %s after this form was opened: %s. What stands there now is beside each of them; look at it, then write it again", pluralOf(len(moved), "1 setting", "%d settings"), d.name, u.path, strings.Join(moved, ", "))
		u.showMoved(&out.Form, e, cfg.Systems[d.name].Settings, moved)
		return d, out, nil
	}
	if !systemName.MatchString(d.name) || len(d.name) > 60 || d.name == "new" || d.name == "undo" {
		out.Problem = fmt.Sprintf("%q is no name for a system; use lower case letters, digits and -", d.name)
		return d, out, nil
	}
	for k := range e.Values {
		if _, ok := m.Settings[k]; !ok {
			out.Problem = fmt.Sprintf("%s has no setting %q", m.Title, k)
			return d, out, nil
		}
	}
	was := cfg.Systems[d.name].Settings
	moved := slices.ContainsFunc(out.Form.Fields, func(x web.SystemField) bool { // a host, a port, a definition: any setting can lead elsewhere
		return x.Type != "secret" && !e.New && e.Values[x.Name] != was[x.Name]
	})
	for i := range out.Form.Fields {
		x := &out.Form.Fields[i]
		if err := u.field(d, x, e, was[x.Name], moved); err != nil {
			x.Error = sentenceOf(plain(err))
			out.Faults++
		}
	}
	if out.Faults > 0 {
		return d, out, nil
	}
	if e.New {
		d.text, err = d.into(string(raw), u.path)
	} else {
		d.text, err = changed(string(raw), u.path, cfg, d)
	}
	switch {
	case err != nil && dayone.KindOf(err) == nil:
		return d, out, err
	case err != nil:
		out.Problem = plain(err)
		return d, out, nil
	}
	out.Lines = d.lines(u.path)
	if out.Lines == "" && len(d.secrets) == 0 {
		out.Problem = "this is what stands there already"
		return d, out, nil
	}
	if out.Lines == "" {
		out.Lines = "(only the secret is another; no line changes)\n"
	}
	out.Files = slices.Sorted(maps.Keys(d.secrets))
	return d, out, nil
}

// ownList is what a page may name as a file: what is kept there is written over, so it is never a key or a policy.
var ownList = regexp.MustCompile(`^lists/[A-Za-z0-9][A-Za-z0-9_-]*\.csv$`)

// field takes one value into a draft.
func (u *systemForms) field(d *systemDraft, x *web.SystemField, e web.SystemEntry, was string, moved bool) error {
	v := e.Values[x.Name]
	if x.Type != "secret" {
		x.Value, x.Set = v, v != ""
		switch {
		case v == "" && x.Required && x.Default == "":
			return fmt.Errorf("it is needed, such as %s: %w", cmp.Or(x.Example, "..."), dayone.ErrInvalid)
		case v == "":
			return nil
		case v == was: // also what only a hand writes
		case reference.MatchString(v):
			return fmt.Errorf("only secrets are references here; write the value: %w", dayone.ErrInvalid)
		case x.Type == "file" && !ownList.MatchString(v):
			return fmt.Errorf("write a list in the folder lists beside the configuration, such as lists/%s.csv; any other file is named in the configuration by hand: %w", d.name, dayone.ErrInvalid)
		}
		d.trial[x.Name] = v
		return d.take(x.Name, v)
	}
	if h, ok := u.heldBy(e.Held[x.Name], e.By); v == "" && ok {
		v, x.Held = h, e.Held[x.Name]
	}
	switch {
	case v == "" && was != "" && moved:
		return fmt.Errorf("another setting is changed, which can lead elsewhere, and a secret goes nowhere else by itself: give it again, or change that setting in the configuration by hand: %w", dayone.ErrInvalid)
	case v == "" && was != "":
		x.Set, d.trial[x.Name] = true, was
		d.given[x.Name] = was
		return nil
	case v == "" && x.Required:
		return fmt.Errorf("it is needed: the secret, or ${env:NAME} or ${file:PATH} where it lies: %w", dayone.ErrInvalid)
	case v == "":
		return nil
	case reference.MatchString(v) && moved:
		return fmt.Errorf("another setting is changed, which can lead elsewhere, and what lies on this machine goes nowhere else by its name: give the secret itself, or change that setting in the configuration by hand: %w", dayone.ErrInvalid)
	case reference.MatchString(v):
		if err := u.ownReference(d.name, x.Name, v, was); err != nil {
			return err
		}
		x.Set, d.trial[x.Name], d.given[x.Name] = true, v, v
		return nil
	case strings.ContainsAny(v, "\r\n") || len(v) > mostSecret:
		return fmt.Errorf("it has several lines; keep it in a file and write ${file:%s.pem}: %w", d.name, dayone.ErrInvalid)
	}
	if x.Held == "" {
		x.Held = u.hold(v, e.By)
	}
	file := d.name + "." + x.Name + "." + strings.ToLower(x.Held[:8]) + ".secret" // never the name of one that counts
	x.Set, d.trial[x.Name] = true, v
	if ref := reference.FindStringSubmatch(was); ref != nil && ref[1] == "file" && ours(d.name, x.Name, ref[2]) {
		d.old = append(d.old, ref[2])
	}
	d.secrets[file] = v
	d.given[x.Name] = "${file:" + file + "}"
	return nil
}

// ownReference: a new reference from the portal names the one place where this secret of this system belongs, and nothing that
// the configuration reads already: an address could be given with it that receives the master key.
func (u *systemForms) ownReference(system, setting, v, was string) error {
	if v == was {
		return nil
	}
	env, file := strings.ToUpper(strings.ReplaceAll(system+"_"+setting, "-", "_")), system+"."+setting+".secret"
	if v != "${env:"+env+"}" && v != "${file:"+file+"}" {
		return fmt.Errorf("write the secret itself, or ${env:%s} or ${file:%s}, where it lies; any other place is named in the configuration by hand: %w", env, file, dayone.ErrInvalid)
	}
	raw, err := readUpTo(u.path, mostFile)
	if err != nil {
		return err
	}
	if strings.Contains(string(raw), reference.FindStringSubmatch(v)[2]) {
		return fmt.Errorf("something else in the configuration is at %s; give the secret itself: %w", v, dayone.ErrInvalid)
	}
	return nil
}

// hold keeps a secret that was typed until it is written.
func (u *systemForms) hold(v, by string) string {
	now := u.server.flow.Clock.Now()
	maps.DeleteFunc(u.held, func(_ string, h heldSecret) bool { return now.After(h.until) })
	name := rand.Text()
	u.held[name] = heldSecret{v, by, now.Add(heldFor)}
	return name
}

func (u *systemForms) heldBy(name, by string) (string, bool) {
	h, ok := u.held[name]
	return h.value, ok && h.by == by && u.server.flow.Clock.Now().Before(h.until)
}

// forget drops a secret that is written now, and nothing of anybody else.
func (u *systemForms) forget(name, by string) {
	if u.held[name].by == by {
		delete(u.held, name)
	}
}

// try calls the system with what was filled in. Nothing is written, here or there.
func (u *systemForms) try(ctx context.Context, cfg *config, d *systemDraft) (out []web.SystemFinding) {
	if d.heading == "sources" {
		return []web.SystemFinding{{Is: isOpen, What: "connection", Note: "a source is tried when the server reads it"}}
	}
	one := *cfg
	s := cfg.Systems[d.name]
	s.Connector, s.Settings = d.manifest.Name, d.trial
	one.Systems = map[string]systemConfig{d.name: s}
	for _, f := range u.server.tryOut(ctx, &one, d.name) {
		for name, secret := range d.trial {
			if d.manifest.Settings[name].Type != "secret" || wholeReference.MatchString(secret) {
				continue
			}
			f.Note = strings.ReplaceAll(f.Note, secret, "[secret]")
		}
		out = append(out, web.SystemFinding(f))
	}
	return out
}

func sentenceOf(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
