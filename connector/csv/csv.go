// Package csv reaches a system by a CSV file that another program reads: accounts are its lines, entitlements stand in
// columns of their own. The file is the other program's: what is not ours in it stays as it is, and half a file is none.
package csv

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/sheet"
)

//go:embed manifest.yaml
var manifest []byte

// Factory makes systems that are CSV files.
var Factory = connector.Factory{Manifest: manifest, New: New, Shape: shape}

// removed is the setting that takes the line of somebody who is closed out of the file.
const removed = "removed"

func shape(m *connector.Manifest, settings map[string]string) error {
	m.Title = cmp.Or(settings["title"], m.Title)
	if _, err := time.ParseDuration(settings["lock_stale"]); err != nil {
		return &connector.SettingError{Setting: "lock_stale", Text: fmt.Sprintf("setting lock_stale is %q", settings["lock_stale"]), Hint: "write 10m"}
	}
	if strings.EqualFold(settings["active"], settings["disabled"]) {
		return &connector.SettingError{Setting: "disabled", Text: "the settings active and disabled are the same word, so a closed account would be an open one", Hint: "write what the file has for each"}
	}
	if settings["closed"] == removed {
		m.Account.States = map[dayone.State]dayone.State{dayone.Staged: dayone.Active, dayone.Disabled: dayone.Gone}
		m.Account.Actions = []string{"create", "update", "delete"}
	}
	if err := sheet.Shape(m, settings); err != nil {
		return err
	}
	for name, kind := range m.Kinds {
		kind.Catalogue = settings["catalogue"] != "" // else nobody knows what there is, and any name can be given
		m.Kinds[name] = kind
	}
	return nil
}

// New reaches one file.
func New(cfg connector.Config) (connector.Connector, error) {
	stale, err := time.ParseDuration(cfg.Settings["lock_stale"])
	if err != nil {
		return nil, err
	}
	layout := sheet.LayoutOf(cfg.System, cfg.Manifest, cfg.Settings)
	layout.Words = map[string]dayone.State{cfg.Settings["active"]: dayone.Active, cfg.Settings["disabled"]: dayone.Disabled}
	f := &file{
		system: cfg.System, now: cfg.Now, catalogue: cfg.Settings["catalogue"], stale: stale, guard: cfg.Settings["formulas"] != "plain",
		lock: cmp.Or(cfg.Settings["lock"], cfg.Settings["file"]+".lock"), words: map[dayone.State]string{dayone.Active: cfg.Settings["active"], dayone.Disabled: cfg.Settings["disabled"]},
		book: &sheet.Book{File: cfg.Settings["file"], Layout: layout, Whole: true},
	}
	t := &connector.Target{System: cfg.System, Manifest: cfg.Manifest, Now: cfg.Now, Ping: f.ping, Accounts: accounts{f}, Kinds: map[string]connector.Entitlements{}}
	for _, kind := range layout.Kinds {
		t.Kinds[kind] = held{f, kind}
	}
	return t, nil
}

// ping says whether the file reads, and has a column for everything that is configured.
func (f *file) ping(ctx context.Context) error {
	r, err := f.load(ctx)
	if err != nil {
		return err
	}
	for _, kind := range f.book.Layout.Kinds {
		if !r.Shows(kind) {
			return f.without(kind)
		}
	}
	return nil
}

// without says that the file has no column for something: a human does it then.
func (f *file) without(name string) error {
	return &dayone.Fault{
		System: f.system, Op: "looking for a column", Err: dayone.ErrUnsupported, Detail: "the file has no column for " + name,
		Next: fmt.Sprintf("put a column %q into its head, or name the right one in the setting columns, or do it by hand and complete this task", name),
	}
}

type accounts struct{ f *file }

func (a accounts) Get(ctx context.Context, ref string) (dayone.Item, error) {
	r, err := a.f.load(ctx)
	if err != nil {
		return dayone.Item{}, err
	}
	if e := r.Of(ref); e != nil {
		return e.Item, nil
	}
	return dayone.Item{}, a.f.fault("reading account", dayone.ErrNotFound, "the file has no line with this id")
}

func (a accounts) Find(ctx context.Context, by, value string) ([]dayone.Item, error) {
	r, err := a.f.load(ctx)
	if err != nil {
		return nil, err
	}
	if !r.Shows(by) {
		return nil, a.f.fault("finding account", dayone.ErrUnsupported, "the file has no column for %s", by)
	}
	return r.Find(by, value), nil
}

func (a accounts) All(ctx context.Context) iter.Seq2[dayone.Item, error] {
	return func(yield func(dayone.Item, error) bool) {
		r, err := a.f.load(ctx)
		if err != nil {
			yield(dayone.Item{}, err)
			return
		}
		for _, e := range r.Accounts {
			if !yield(e.Item, nil) {
				return
			}
		}
	}
}

// Create puts a line at the end. The id of a column of its own comes from the step, so that a second try finds the first.
func (a accounts) Create(ctx context.Context, act dayone.Act) (dayone.Result, error) {
	var ref string
	err := a.f.change(ctx, func(r *sheet.Roster) error {
		ref = a.idOf(r, act)
		switch {
		case ref == "":
			return a.f.fault("creating account", dayone.ErrInvalid, "the column %q is to hold the id of the account, and there is nothing to put into it", r.IDColumn())
		case r.Of(ref) != nil:
			return a.f.fault("creating account", dayone.ErrConflict, "a line with this id is there already")
		}
		row := r.Add(ref)
		values, err := a.f.values(r, act.Want.Attrs)
		if err != nil {
			return err
		}
		if err := a.f.state(r, values, act.Want.State); err != nil {
			return err
		}
		if r.Shows(sheet.CreatedColumn) {
			values[sheet.CreatedColumn] = a.f.now().UTC().Format(time.RFC3339)
		}
		return r.Set(row, values)
	})
	if err != nil {
		return dayone.Result{}, err
	}
	now, err := a.Get(ctx, ref)
	return dayone.Result{Now: &now}, err
}

func (a accounts) idOf(r *sheet.Roster, act dayone.Act) string {
	for _, name := range a.f.book.Layout.Attrs {
		if r.Holds(name) {
			return act.Want.Attrs.Text(name)
		}
	}
	return "d" + act.Once[:min(len(act.Once), 12)]
}

func (a accounts) Update(ctx context.Context, ref string, changed dayone.Attrs) error {
	return a.f.line(ctx, ref, func(r *sheet.Roster, e *sheet.Entry) error {
		values, err := a.f.values(r, changed)
		if err != nil {
			return err
		}
		return r.Set(e.Row, values)
	})
}

func (a accounts) Switch(ctx context.Context, ref string, _, to dayone.State) error {
	return a.f.line(ctx, ref, func(r *sheet.Roster, e *sheet.Entry) error {
		if !r.Shows(sheet.StateColumn) {
			return a.f.without(sheet.StateColumn)
		}
		values := map[string]string{}
		if err := a.f.state(r, values, to); err != nil {
			return err
		}
		return r.Set(e.Row, values)
	})
}

func (a accounts) Delete(ctx context.Context, ref string) error {
	return a.f.line(ctx, ref, func(r *sheet.Roster, e *sheet.Entry) error {
		r.Sheet.Delete(e.Row)
		return nil
	})
}

// held is one kind of entitlements.
type held struct {
	f    *file
	kind string
}

func (h held) Held(ctx context.Context, account string) ([]dayone.Item, error) {
	r, err := h.f.load(ctx)
	if err != nil {
		return nil, err
	}
	if !r.Shows(h.kind) {
		return nil, h.f.without(h.kind)
	}
	e := r.Of(account)
	if e == nil {
		return nil, h.f.fault("reading account", dayone.ErrNotFound, "the file has no line with this id")
	}
	return slices.Clone(e.Held[h.kind]), nil
}

func (h held) Offers(ctx context.Context) iter.Seq2[dayone.Offer, error] {
	return func(yield func(dayone.Offer, error) bool) {
		offers, err := h.f.offers(ctx)
		if err != nil {
			yield(dayone.Offer{}, err)
			return
		}
		for _, o := range offers {
			if o.Key.Kind == h.kind && !yield(o, nil) {
				return
			}
		}
	}
}

func (h held) Add(ctx context.Context, account string, want dayone.Item) error {
	return h.cell(ctx, account, func(items []dayone.Item) ([]dayone.Item, error) {
		i := at(items, want)
		switch {
		case i < 0:
			want.Key.Name = cmp.Or(want.Ref, want.Key.Name)
			return append(items, want), nil
		case items[i].Role == want.Role:
			return nil, h.f.fault("giving", dayone.ErrConflict, "it is there already")
		}
		items[i].Role = want.Role
		return items, nil
	})
}

func (h held) Remove(ctx context.Context, account string, is dayone.Item) error {
	return h.cell(ctx, account, func(items []dayone.Item) ([]dayone.Item, error) {
		i := at(items, is)
		if i < 0 {
			return nil, h.f.fault("taking", dayone.ErrNotFound, "it is not there")
		}
		return slices.Delete(items, i, i+1), nil
	})
}

func at(items []dayone.Item, it dayone.Item) int {
	return slices.IndexFunc(items, func(o dayone.Item) bool { return o.Key.Name == cmp.Or(it.Ref, it.Key.Name) })
}

func (h held) cell(ctx context.Context, account string, change func([]dayone.Item) ([]dayone.Item, error)) error {
	return h.f.line(ctx, account, func(r *sheet.Roster, e *sheet.Entry) error {
		if !r.Shows(h.kind) {
			return h.f.without(h.kind)
		}
		items, err := change(slices.Clone(e.Held[h.kind]))
		if err != nil {
			return err
		}
		text, err := sheet.Cell(items)
		if err != nil {
			return h.f.fault("giving", dayone.ErrInvalid, "%s", strings.TrimSuffix(err.Error(), ": "+dayone.ErrInvalid.Error()))
		}
		return r.Set(e.Row, map[string]string{h.kind: h.f.written(text)})
	})
}
