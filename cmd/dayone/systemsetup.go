package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/all"
	"github.com/dayone-hq/dayone/web"
)

// setup lets administrators add systems and change their settings in the portal, as system add and check do here. It works on
// the file as it lies there now: whoever edits it by hand is not overwritten.
type setup struct {
	path   string
	server *server

	mu   sync.Mutex // one change at a time
	held map[string]heldSecret
	last *change
}

// heldSecret is one that somebody typed and has not written yet.
type heldSecret struct {
	value, by string
	until     time.Time
}

// change is what was written last, so that it can be undone.
type change struct {
	what  string
	wrote []byte            // the configuration
	was   map[string][]byte // files as they were; nil: there was none
}

const heldFor = 15 * time.Minute

// onlyHere are connectors that whoever has the machine adds, and nobody from elsewhere: they run its programs.
var onlyHere = []string{"exec"}

func newSetup(path string, s *server) *setup {
	return &setup{path: path, server: s, held: map[string]heldSecret{}}
}

// Kinds are connectors that can be added, by title.
func (u *setup) Kinds() []web.SystemKind {
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
func (u *setup) Systems() ([]web.SystemSet, error) {
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
func (u *setup) Form(kind, name string) (web.SystemForm, error) {
	cfg, err := readConfig(u.path)
	if err != nil {
		return web.SystemForm{}, err
	}
	f, _, err := u.form(cfg, kind, name, name == "")
	return f, err
}

func (u *setup) form(cfg *config, kind, name string, isNew bool) (web.SystemForm, *connector.Manifest, error) {
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
func (u *setup) Write(ctx context.Context, e web.SystemEntry) (web.Written, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	cfg, err := readConfig(u.path)
	if err != nil {
		return web.Written{}, err
	}
	d, out, err := u.draft(cfg, e)
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
	text    string            // of the file
	secrets map[string]string // by file
	trial   map[string]string // settings with secrets in place of their references
	plain   []string          // secrets that stand in the file as they are
}

// plainSecrets are those that somebody has written into the file itself: no page and no record repeats them.
func plainSecrets(m *connector.Manifest, given map[string]string) (out []string) {
	for name, v := range given {
		if m.Settings[name].Type == "secret" && v != "" && !wholeReference.MatchString(v) {
			out = append(out, v)
		}
	}
	return out
}

// lines are those that go and come.
func (d *systemDraft) lines(was string) string {
	out := difference(was, d.text)
	for _, secret := range d.plain {
		out = strings.ReplaceAll(out, secret, "[secret]")
	}
	return out
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
func (u *setup) draft(cfg *config, e web.SystemEntry) (*systemDraft, web.Written, error) {
	f, m, err := u.form(cfg, e.Kind, e.Name, e.New)
	if err != nil {
		return nil, web.Written{}, err
	}
	d := &systemDraft{addition: addition{manifest: m, name: cmp.Or(e.Name, f.Name), given: map[string]string{}}, isNew: e.New, secrets: map[string]string{}, trial: map[string]string{}}
	d.heading = d.addition.heading()
	f.Name = d.name
	out := web.Written{Form: f}
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
	moved := false
	for i := range out.Form.Fields {
		x := &out.Form.Fields[i]
		if x.Type == "url" && !e.New && e.Values[x.Name] != was[x.Name] {
			moved = true
		}
	}
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
	raw, err := readUpTo(u.path, mostFile)
	if err != nil {
		return d, out, err
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
	d.plain = plainSecrets(m, was)
	out.Lines = d.lines(string(raw))
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
func (u *setup) field(d *systemDraft, x *web.SystemField, e web.SystemEntry, was string, moved bool) error {
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
		return fmt.Errorf("the address is another, and a secret goes to no other address by itself: give it again: %w", dayone.ErrInvalid)
	case v == "" && was != "":
		x.Set, d.trial[x.Name] = true, was
		d.given[x.Name] = was
		return nil
	case v == "" && x.Required:
		return fmt.Errorf("it is needed: the secret, or ${env:NAME} or ${file:PATH} where it lies: %w", dayone.ErrInvalid)
	case v == "":
		return nil
	case reference.MatchString(v) && moved:
		return fmt.Errorf("the address is another, and what lies on this machine goes to no other address by its name: give the secret itself: %w", dayone.ErrInvalid)
	case reference.MatchString(v):
		if err := u.ownReference(d.name, x.Name, v, was); err != nil {
			return err
		}
		x.Set, d.trial[x.Name], d.given[x.Name] = true, v, v
		return nil
	case strings.ContainsAny(v, "\r\n") || len(v) > mostSecret:
		return fmt.Errorf("it has several lines; keep it in a file and write ${file:%s.pem}: %w", d.name, dayone.ErrInvalid)
	}
	file := d.name + "." + x.Name + ".secret"
	x.Held = cmp.Or(x.Held, u.hold(v, e.By))
	x.Set, d.trial[x.Name] = true, v
	d.secrets[file] = v
	d.given[x.Name] = "${file:" + file + "}"
	return nil
}

// ownReference: a new reference from the portal names the one place where this secret of this system belongs, and nothing that
// the configuration reads already: an address could be given with it that receives the master key.
func (u *setup) ownReference(system, setting, v, was string) error {
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
func (u *setup) hold(v, by string) string {
	now := u.server.flow.Clock.Now()
	maps.DeleteFunc(u.held, func(_ string, h heldSecret) bool { return now.After(h.until) })
	name := rand.Text()
	u.held[name] = heldSecret{v, by, now.Add(heldFor)}
	return name
}

func (u *setup) heldBy(name, by string) (string, bool) {
	h, ok := u.held[name]
	return h.value, ok && h.by == by && u.server.flow.Clock.Now().Before(h.until)
}

// try calls the system with what was filled in. Nothing is written, here or there.
func (u *setup) try(ctx context.Context, cfg *config, d *systemDraft) (out []web.SystemFinding) {
	if d.heading == "sources" {
		return []web.SystemFinding{{Is: isOpen, What: "connection", Note: "a source is tried when the server reads it"}}
	}
	one := *cfg
	s := cfg.Systems[d.name]
	s.Connector, s.Settings = d.manifest.Name, d.trial
	one.Systems = map[string]systemConfig{d.name: s}
	for _, f := range u.server.tryOut(ctx, &one, d.name) {
		for _, secret := range d.secrets {
			f.Note = strings.ReplaceAll(f.Note, secret, "[secret]")
		}
		out = append(out, web.SystemFinding(f))
	}
	return out
}

// write puts secrets and configuration in place; whatever fails, the configuration is the old one or the new one.
func (u *setup) write(ctx context.Context, d *systemDraft, by string) error {
	was := map[string][]byte{}
	old, err := readUpTo(u.path, mostFile)
	if err != nil {
		return err
	}
	was[u.path] = old
	dir := filepath.Dir(u.path)
	for name, v := range d.secrets {
		path := filepath.Join(dir, name)
		if raw, err := readUpTo(path, mostSecret); err == nil {
			was[path] = raw
		} else if was[path] = nil; !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := replaceFile(path, []byte(v+"\n"), 0o600); err != nil {
			return err
		}
	}
	if err := replaceConfig(u.path, d.text); err != nil {
		delete(was, u.path)
		return errors.Join(err, putBack(was))
	}
	verb := map[bool]string{true: "system added", false: "system changed"}[d.isNew]
	u.last = &change{what: fmt.Sprintf("%s: %s (%s), by %s", sentenceOf(verb), d.name, d.manifest.Title, by), wrote: []byte(d.text), was: was}
	clear(u.held)
	return u.server.store.Record(ctx, dayone.Record{At: u.server.flow.Clock.Now(), What: verb, System: d.name, By: by, Detail: &dayone.Detail{Note: d.lines(string(old))}})
}

// LastChange is what Undo would undo.
func (u *setup) LastChange() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		return ""
	}
	if raw, err := readUpTo(u.path, mostFile); err != nil || !bytes.Equal(raw, u.last.wrote) {
		return ""
	}
	return u.last.what
}

// Undo puts back what the last change replaced.
func (u *setup) Undo(ctx context.Context, by string) (string, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		return "", fmt.Errorf("nothing was changed here since the server started: %w", dayone.ErrConflict)
	}
	raw, err := readUpTo(u.path, mostFile)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(raw, u.last.wrote) {
		return "", fmt.Errorf("somebody has changed %s since; take it back there: %w", u.path, dayone.ErrConflict)
	}
	if err := replaceConfig(u.path, string(u.last.was[u.path])); err != nil {
		return "", err
	}
	was, what := u.last.was, u.last.what
	delete(was, u.path)
	u.last = nil
	if err := putBack(was); err != nil {
		return what, err
	}
	return what, u.server.store.Record(ctx, dayone.Record{At: u.server.flow.Clock.Now(), What: "system change undone", By: by, Detail: &dayone.Detail{Note: what}})
}

func putBack(was map[string][]byte) error {
	var errs []error
	for path, raw := range was {
		if raw == nil {
			errs = append(errs, os.Remove(path))
			continue
		}
		errs = append(errs, replaceFile(path, raw, 0o600))
	}
	return errors.Join(errs...)
}

// replaceFile puts a file in place as a whole.
func replaceFile(path string, raw []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".dayone-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func sentenceOf(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// changed is the file with the settings of a system as a draft has them. Lines that stay the same are not touched; comments
// stay.
func changed(text, path string, cfg *config, d *systemDraft) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	at := "systems." + d.name + ".settings"
	block, ok := cfg.stands(at)
	byHand := func(line int) error {
		return fmt.Errorf("%s:%d is written in a way that is not changed here; change it there: %w", path, line, dayone.ErrInvalid)
	}
	was := cfg.Systems[d.name].Settings
	var fresh []string
	drop := map[int]bool{}
	for _, name := range slices.Sorted(maps.Keys(d.manifest.Settings)) {
		old, had := was[name]
		v, has := d.given[name]
		if had == has && old == v {
			continue
		}
		if !had {
			fresh = append(fresh, name)
			continue
		}
		x, _ := cfg.stands(at + "." + name)
		n := x.value.Line
		if x.key == nil || x.key.Line != n || block.value.Style&yaml.FlowStyle != 0 || strings.Count(x.value.Value, "\n") > 0 {
			return "", byHand(n)
		}
		if !has {
			drop[n-1] = true
			continue
		}
		comment := ""
		if c := cmp.Or(x.value.LineComment, x.key.LineComment); c != "" {
			comment = "  " + c
		}
		lines[n-1] = strings.Repeat(" ", x.key.Column-1) + name + ": " + inYAML(v) + comment + "\n"
	}
	if len(fresh) > 0 {
		if !ok || len(was) == 0 || block.value.Style&yaml.FlowStyle != 0 {
			place, _ := cfg.stands("systems." + d.name)
			if ok {
				place = block
			}
			return "", byHand(place.key.Line)
		}
		first := block.value.Content[0]
		var add strings.Builder
		for _, name := range fresh {
			fmt.Fprintf(&add, "%s%s: %s\n", strings.Repeat(" ", first.Column-1), name, inYAML(d.given[name]))
		}
		lines[first.Line-1] = add.String() + lines[first.Line-1]
	}
	var b strings.Builder
	for i, l := range lines {
		if !drop[i] {
			b.WriteString(l)
		}
	}
	return b.String(), nil
}

// difference is the lines that go and come.
func difference(was, is string) string {
	a, b := strings.Split(strings.TrimRight(was, "\n"), "\n"), strings.Split(strings.TrimRight(is, "\n"), "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out strings.Builder
	gone, come := a[head:len(a)-tail], b[head:len(b)-tail]
	for _, l := range gone {
		if !slices.Contains(come, l) {
			out.WriteString("- " + l + "\n")
		}
	}
	for _, l := range come {
		if !slices.Contains(gone, l) {
			out.WriteString("+ " + l + "\n")
		}
	}
	return out.String()
}
