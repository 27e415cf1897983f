package sql

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/defined"
)

// definition is a database as a company describes it.
type definition struct {
	Title    string           `yaml:"title"`
	Accounts accounts         `yaml:"accounts"`
	Kinds    map[string]*kind `yaml:"kinds"`
}

type accounts struct {
	defined.Account `yaml:",inline"`
	Get             *statement            `yaml:"get"`
	List            *statement            `yaml:"list"`
	Find            map[string]*statement `yaml:"find"`
	Create          statements            `yaml:"create"`
	Update          statements            `yaml:"update"`
	Enable          statements            `yaml:"enable"`
	Disable         statements            `yaml:"disable"`
	Delete          statements            `yaml:"delete"`
	Revoke          statements            `yaml:"revoke"` // sessions and tokens, whenever an account is closed
}

type kind struct {
	defined.Kind `yaml:",inline"`
	List         *statement `yaml:"list"`
	Held         *statement `yaml:"held"`
	Add          statements `yaml:"add"`
	Change       statements `yaml:"change"` // of the role
	Remove       statements `yaml:"remove"`
}

// place is where a statement stands, and what it may do and name.
type place struct {
	name   string
	writes bool
	known  []string
}

// all are the statements with their places. sent are the attributes that are given.
func (d *definition) all(sent []string) iter.Seq2[place, *statement] {
	type at struct {
		place
		list statements
	}
	a := &d.Accounts
	id := []string{"id"}
	places := []at{
		{place{"accounts.get", false, id}, statements{a.Get}},
		{place{"accounts.list", false, nil}, statements{a.List}},
		{place{"accounts.create", true, append(slices.Clone(sent), "id", "active", "once")}, a.Create},
		{place{"accounts.update", true, append(slices.Clone(sent), "id")}, a.Update},
		{place{"accounts.enable", true, id}, a.Enable},
		{place{"accounts.disable", true, id}, a.Disable},
		{place{"accounts.delete", true, id}, a.Delete},
		{place{"accounts.revoke", true, id}, a.Revoke},
	}
	for _, by := range slices.Sorted(maps.Keys(a.Find)) {
		places = append(places, at{place{"accounts.find." + by, false, []string{"value"}}, statements{a.Find[by]}})
	}
	grant := []string{"account", "id", "name", "role"}
	for _, name := range slices.Sorted(maps.Keys(d.Kinds)) {
		k, in := d.Kinds[name], "kinds."+name
		places = append(places,
			at{place{in + ".list", false, nil}, statements{k.List}}, at{place{in + ".held", false, []string{"account"}}, statements{k.Held}},
			at{place{in + ".add", true, grant}, k.Add}, at{place{in + ".change", true, grant}, k.Change}, at{place{in + ".remove", true, grant}, k.Remove})
	}
	return func(yield func(place, *statement) bool) {
		for _, p := range places {
			for _, s := range p.list {
				if s != nil && !yield(p.place, s) {
					return
				}
			}
		}
	}
}

// Shape makes of the manifest the database that is defined.
func Shape(m *connector.Manifest, settings map[string]string) error {
	_, err := read(m, settings)
	return err
}

// read reads a definition, judges it, and makes the manifest fit.
func read(m *connector.Manifest, settings map[string]string) (*definition, error) {
	d := &definition{}
	if err := defined.Read(settings[defined.Setting], d); err != nil {
		return nil, err
	}
	var f defined.Faults
	for name, k := range d.Kinds {
		if k == nil {
			f.Add("kinds.%s is empty", name)
			d.Kinds[name] = &kind{}
		}
	}
	for p, s := range d.all(nil) {
		if err := s.compile(settings["driver"], p.writes); err != nil {
			f.Add("%s: %v", p.name, err)
		}
	}
	if len(f) > 0 {
		return nil, f.Error()
	}
	d.accounts(m, &f)
	for _, name := range slices.Sorted(maps.Keys(d.Kinds)) {
		d.kind(m, name, &f)
	}
	m.Title = cmp.Or(d.Title, m.Title)
	return d, f.Error()
}

// accounts judges what is said of them.
func (d *definition) accounts(m *connector.Manifest, f *defined.Faults) {
	a := &d.Accounts
	can := defined.Calls{
		Create: len(a.Create) > 0, Update: len(a.Update) > 0, Enable: len(a.Enable) > 0, Disable: len(a.Disable) > 0, Delete: len(a.Delete) > 0,
	}
	for _, by := range m.Account.Match {
		if a.Attributes[by].At != "" && (a.List != nil || a.Find[by] != nil) {
			can.Find = append(can.Find, by)
		}
	}
	for by := range a.Find {
		if a.Attributes[by].At == "" || !slices.Contains(m.Account.Match, by) {
			f.Add("accounts.find.%s: %s can be looked for, each with its column among the attributes: what is found is looked at before it is believed", by, strings.Join(m.Account.Match, ", "))
		}
	}
	can.BornClosed = slices.ContainsFunc(a.Create, func(s *statement) bool { return slices.Contains(s.names, "active") })
	if a.Get == nil && a.List == nil {
		f.Add("accounts cannot be read: add accounts.get or accounts.list")
	}
	a.Shape(m, can, f)
	sent := a.Given(m)
	for p, s := range d.all(sent) {
		for _, name := range s.names {
			if !slices.Contains(p.known, name) {
				f.Add("%s names :%s; %s", p.name, name, cmp.Or(dayone.Meant(name, p.known), "it can name "+cmp.Or(strings.Join(p.known, ", "), "nothing")))
			}
		}
	}
	for _, name := range sent {
		in := func(s *statement) bool { return slices.Contains(s.names, name) }
		if can.Create && !slices.ContainsFunc(a.Create, in) {
			f.Add("accounts.create does not write :%s: add it, or say %[1]s: {at: ..., read_only: true}", name)
		}
		if a.Attributes[name].Written() && can.Update && !slices.ContainsFunc(a.Update, in) {
			f.Add("accounts.update does not write :%s: add it, or say %[1]s: {at: ..., once: true}", name)
		}
	}
}

func (d *definition) kind(m *connector.Manifest, name string, f *defined.Faults) {
	k := d.Kinds[name]
	if k.ID == "" || k.Name == "" {
		f.Add("kinds.%s needs id and name: the columns of its list and of what is held", name)
	}
	if len(k.Change) > 0 && len(k.Roles) == 0 {
		f.Add("kinds.%s.change is for roles, and there are none", name)
	}
	k.Shape(m, name, k.List != nil, k.Held != nil, len(k.Add) > 0, len(k.Remove) > 0, f)
}
