// Package exec reaches a system by a program that its administrators wrote, in PowerShell or anything else: it gets one
// question as JSON on its standard input, and answers as JSON on its standard output. No shell comes in between, and
// nothing of a person or a secret stands in an argument or in the environment.
package exec

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes systems that a program reaches.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: shape}

var actions = []string{"create", "update", "enable", "disable", "delete"}

// shape gives the system its kinds, its attributes and what its program can do. What it cannot is somebody's task.
func shape(m *connector.Manifest, settings map[string]string) error {
	m.Title = cmp.Or(settings["title"], m.Title)
	m.Account.Actions = connector.Words(settings["actions"])
	for _, a := range m.Account.Actions {
		if !slices.Contains(actions, a) {
			return &connector.SettingError{Setting: "actions", Text: fmt.Sprintf("setting actions: there is no %q", a), Hint: "it can be " + strings.Join(actions, ", ")}
		}
	}
	m.Account.Manual = map[string]string{}
	for _, a := range actions {
		m.Account.Manual[a] = fmt.Sprintf("Do it by hand in %s, then complete this task", m.Title)
	}
	m.Kinds = map[string]connector.Kind{}
	for _, kind := range connector.Words(settings["kinds"]) {
		if kind == dayone.AccountKindName || strings.ContainsAny(kind, "/:+ ") {
			return &connector.SettingError{Setting: "kinds", Text: fmt.Sprintf("setting kinds: %q is no kind of entitlement", kind), Hint: "write one word, such as door"}
		}
		m.Kinds[kind] = connector.Kind{Needs: []string{dayone.AccountKindName}, Actions: []string{"add", "remove"}, Catalogue: true}
	}
	for _, word := range connector.Words(settings["attributes"]) {
		name, from, _ := strings.Cut(word, "=")
		if name = strings.TrimSpace(name); name == "" || strings.ContainsAny(name, "${} ") {
			return &connector.SettingError{Setting: "attributes", Text: fmt.Sprintf("setting attributes: %q is no attribute", word), Hint: "write NAME=${person.ATTRIBUTE}"}
		}
		m.Account.Attributes[name] = connector.Attribute{From: strings.TrimSpace(from)}
	}
	if settings["password"] == "true" {
		m.Account.Attributes["password"] = connector.Attribute{Secret: "password:20", Once: true}
	}
	return nil
}

// New judges the program. It is not called yet; before each call it is judged again.
func New(cfg connector.Config) (connector.Connector, error) {
	path := cfg.Settings["program"]
	args := connector.Words(cfg.Settings["args"])
	if err := judge(path, args); err != nil {
		return nil, err
	}
	p := &program{
		system: cfg.System, title: cfg.Manifest.Title, path: path, args: args, secret: cfg.Secrets["secret"], now: cfg.Now,
		environment: connector.Words(cfg.Settings["environment"]),
	}
	t := &connector.Target{
		System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Kinds: map[string]connector.Entitlements{},
		Ping: func(ctx context.Context) error {
			_, err := p.ask(ctx, question{Operation: "check"})
			return err
		},
		Accounts: accounts{p, cfg.Manifest.Account.Actions},
	}
	for kind := range cfg.Manifest.Kinds {
		t.Kinds[kind] = held{p, kind}
	}
	return system{t, p}, nil
}

// judge refuses a program that is not there, or that others may put another in the place of.
func judge(path string, args []string) error {
	bad := func(text, hint string) error {
		return &connector.SettingError{Setting: "program", Text: "setting program: " + text, Hint: hint}
	}
	if !filepath.IsAbs(path) {
		return bad(fmt.Sprintf("%q is no absolute path", path), "such as /opt/dayone/badges")
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return bad(fmt.Sprintf("%s is not there", path), "put the program there, or write where it is")
	case !info.Mode().IsRegular():
		return bad(fmt.Sprintf("%s is no program", path), "write the file itself")
	case runtime.GOOS == "windows":
		return nil
	case info.Mode()&0o111 == 0:
		return bad(fmt.Sprintf("%s may not be run", path), "chmod 755 "+path)
	}
	if text, hint := exposed(path, args); text != "" {
		return bad(text, hint)
	}
	return nil
}

// exposed says by what others than its owner could make the program another one, which would get the secrets: by writing
// it, a file that it is called with, such as a script, or a folder on the way to one of them. "": by nothing. In a sticky
// folder such as /tmp nobody replaces what is another's. Windows has no such bits.
func exposed(path string, args []string) (text, hint string) {
	if runtime.GOOS == "windows" {
		return "", ""
	}
	seen := map[string]bool{}
	for _, file := range append([]string{path}, files(path, args)...) {
		for _, at := range hops(file) {
			for ; !seen[at]; at = filepath.Dir(at) {
				seen[at] = true
				info, err := os.Stat(at)
				if err != nil || info.IsDir() && info.Mode()&fs.ModeSticky != 0 {
					continue
				}
				switch {
				case info.Mode()&0o002 != 0:
					return fmt.Sprintf("anybody may change %s, and the program gets secrets", at), "chmod go-w " + at
				case info.Mode()&0o020 != 0:
					return fmt.Sprintf("its whole group may change %s, and the program gets secrets", at), "chmod go-w " + at
				}
			}
		}
	}
	return "", ""
}

// hops are a file, what it is a link to, and so on, and where all of that really is.
func hops(file string) []string {
	out := []string{file}
	for at := file; len(out) < 40; out = append(out, at) { // more the system does not follow
		to, err := os.Readlink(at)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(at), to)
		}
		at = filepath.Clean(to)
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		out = append(out, real)
	}
	return out
}

// files are the arguments that name one, as the program sees them from its folder; --name=FILE, too.
func files(path string, args []string) (out []string) {
	for _, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		for _, name := range []string{arg, value} {
			if name == "" {
				continue
			}
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(path), name)
			}
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				out = append(out, filepath.Clean(name))
			}
		}
	}
	return out
}

// system lists everybody in one call.
type system struct {
	*connector.Target
	p *program
}

// List asks once for all accounts with what they hold.
func (s system) List(ctx context.Context) iter.Seq2[connector.Seen, error] {
	return func(yield func(connector.Seen, error) bool) {
		got, err := s.p.ask(ctx, question{Operation: "list"})
		if err != nil {
			yield(connector.Seen{}, err)
			return
		}
		for _, a := range got.Accounts {
			is, err := a.item(s.p)
			if err != nil {
				yield(connector.Seen{}, err)
				return
			}
			seen := connector.Seen{Items: []dayone.Item{is}}
			for _, h := range a.Held {
				if _, ours := s.Kinds[h.Kind]; !ours {
					yield(connector.Seen{}, s.p.unclear("list", "it shows the kind %q, which the setting kinds does not name", h.Kind))
					return
				}
				it := h.item()
				it.Key.System = s.System
				seen.Items = append(seen.Items, it)
			}
			if !yield(seen, nil) {
				return
			}
		}
	}
}

type accounts struct {
	p   *program
	can []string
}

// cannot says that a human does it; nil: the program can.
func (a accounts) cannot(action string) error {
	if slices.Contains(a.can, action) {
		return nil
	}
	return &dayone.Fault{
		System: a.p.system, Op: "calling the program", Err: dayone.ErrUnsupported, Detail: fmt.Sprintf("its setting actions does not name %q", action),
		Next: fmt.Sprintf("do it by hand in %s, then complete this task; or teach the program, name it in actions, and retry the step", a.p.title),
	}
}

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	return a.one(ctx, question{Operation: "get", Account: ref})
}

func (a accounts) one(ctx context.Context, q question) (dayone.Item, error) {
	got, err := a.p.ask(ctx, q)
	switch {
	case err != nil:
		return dayone.Item{}, err
	case got.Account == nil:
		return dayone.Item{}, a.p.unclear(q.Operation, "its answer has no account")
	}
	is, err := got.Account.item(a.p)
	if err == nil && q.Account != "" && is.Ref != q.Account { // what follows would be done to somebody else
		return dayone.Item{}, a.p.unclear(q.Operation, "its answer is about another account than the one that was asked for")
	}
	return is, err
}

func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	got, err := a.p.ask(ctx, question{Operation: "find", By: by, Value: value})
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, found := range got.Accounts {
		is, err := found.item(a.p)
		if err != nil {
			return nil, err
		}
		if !strings.EqualFold(is.Attrs.Text(by), value) {
			return nil, a.p.unclear("find", "an account that it found does not show the %s that was asked for", by)
		}
		out = append(out, is)
	}
	return out, nil
}

func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	if err := a.cannot("create"); err != nil {
		return dayone.Result{}, err
	}
	q := question{Operation: "create", Once: act.Once, Attempt: act.Attempt, State: act.Want.State, Attributes: plain(act.Want.Attrs), Secrets: map[string]string{}}
	for name, s := range act.Secrets {
		q.Secrets[name] = s.Reveal()
	}
	got, err := a.p.ask(ctx, q)
	switch {
	case err != nil:
		return dayone.Result{}, err
	case got.Account == nil:
		return dayone.Result{}, a.p.unclear(q.Operation, "its answer has no account")
	}
	now, err := got.Account.item(a.p)
	if err != nil {
		return dayone.Result{}, err
	}
	r := dayone.Result{Now: &now}
	for name, text := range got.Secrets {
		if r.Secrets == nil {
			r.Secrets = map[string]dayone.Secret{}
		}
		r.Secrets[name] = dayone.NewSecret(text)
	}
	return r, nil
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	if err := a.cannot("update"); err != nil {
		return err
	}
	_, err := a.p.ask(ctx, question{Operation: "update", Account: ref, Attributes: plain(changed)})
	return err
}

func (a accounts) Switch(ctx context.Context, ref string, from, to dayone.State) error {
	action := "disable"
	if to == dayone.Active {
		action = "enable"
	}
	if err := a.cannot(action); err != nil {
		return err
	}
	_, err := a.p.ask(ctx, question{Operation: action, Account: ref, From: from})
	return err
}

func (a accounts) Delete(ctx context.Context, ref string) error {
	if err := a.cannot("delete"); err != nil {
		return err
	}
	_, err := a.p.ask(ctx, question{Operation: "delete", Account: ref})
	return err
}

// All is not asked: List is.
func (a accounts) All(context.Context) iter.Seq2[dayone.Item, error] {
	return func(func(dayone.Item, error) bool) {}
}

// held is one kind of entitlements.
type held struct {
	p    *program
	kind string
}

func (h held) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	got, err := h.p.ask(ctx, question{Operation: "held", Account: account, Kind: h.kind})
	if err != nil {
		return nil, err
	}
	var out []dayone.Item
	for _, it := range got.Held {
		if it.Kind == "" || it.Kind == h.kind {
			it.Kind = h.kind
			out = append(out, it.item())
		}
	}
	return out, nil
}

func (h held) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		got, err := h.p.ask(ctx, question{Operation: "catalogue", Kind: h.kind})
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, o := range got.Offers {
			if o.Name == "" {
				yield(dayone.Offer{}, h.p.unclear("catalogue", "it offers something without a name"))
				return
			}
			if !yield(dayone.Offer{Key: dayone.Key{Kind: h.kind, Name: o.Name}, Ref: cmp.Or(o.Ref, o.Name), Title: o.Title, Roles: o.Roles}, nil) {
				return
			}
		}
	}
}

func (h held) Add(ctx context.Context, account string, want dayone.Item) error {
	return h.change(ctx, "add", account, want)
}

func (h held) Remove(ctx context.Context, account string, is dayone.Item) error {
	return h.change(ctx, "remove", account, is)
}

func (h held) change(ctx context.Context, operation, account string, it dayone.Item) error {
	_, err := h.p.ask(ctx, question{
		Operation: operation, Account: account, Kind: h.kind, Name: it.Key.Name, Ref: cmp.Or(it.Ref, it.Key.Name), Role: it.Role, Attributes: plain(it.Attrs),
	})
	return err
}

// plain are attributes as every language reads them: texts, whole numbers, truths, lists of texts.
func plain(attrs dayone.Attrs) map[string]any {
	out := map[string]any{}
	for name, v := range attrs {
		switch v.Kind {
		case dayone.IntValue:
			out[name], _ = v.Int()
		case dayone.BoolValue:
			out[name] = v.Bool()
		case dayone.ListValue:
			out[name] = v.Items()
		case dayone.TextValue, dayone.DateValue:
			out[name] = v.Text
		}
	}
	return out
}

// wait is when a program that says nothing better is called again after "slow down".
const wait = 10 * time.Second
