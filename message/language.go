package message

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/dayone-hq/dayone/locale"
)

// A message has its language in its name: welcome.de beside welcome, which is the English one where it is built in, and the
// company's where the company wrote it.

// variant takes a name apart: welcome and de. The language is "" if the name has none.
func variant(name string) (base, tag string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || !locale.Known(name[i+1:]) {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// For is the template of this name for somebody who reads a language. What the company wrote comes first, in that language or
// in its own; then what is built in.
func (t Templates) For(name, tag string) string {
	if _, has := variant(name); has != "" {
		return name // it was meant as it is
	}
	in := name + "." + cmp.Or(locale.Of(cmp.Or(tag, t.Language)).Tag(), locale.Source)
	switch {
	case t.Own(in):
		return in
	case t.Own(name):
		return name
	case built(in):
		return in
	}
	return name
}

func built(name string) bool {
	_, err := builtin.Open(file(name))
	return err == nil
}

// language in which a template is written.
func (t Templates) language(name string) *locale.Language {
	base, tag := variant(name)
	if tag == "" && t.Own(base) {
		tag = t.Language
	}
	return locale.Of(tag)
}

// spoken are functions of templates that say something.
func spoken(l *locale.Language) template.FuncMap {
	return template.FuncMap{
		"and_": func(items []string) (string, error) {
			if len(items) < 2 {
				return joined(items, "")
			}
			return short(strings.Join(items[:len(items)-1], ", ") + " " + l.Label("and") + " " + items[len(items)-1])
		},
		"number":  l.Number,
		"day":     func(t time.Time) string { return l.Time(t, "Monday, Jan 2") },
		"weekday": func(t time.Time) string { return l.Time(t, "Monday") },
		"date":    func(t time.Time) string { return l.Time(t, "Mon 2 Jan 2006") },
	}
}

// in is the view with what others than templates have put into words.
func (v View) in(l *locale.Language) View {
	if l == nil {
		return v
	}
	v.Links.Secrets = slices.Clone(v.Links.Secrets)
	for i := range v.Links.Secrets {
		v.Links.Secrets[i].Title = l.Heard(v.Links.Secrets[i].Title)
	}
	v.Changes = slices.Clone(v.Changes)
	for i, c := range v.Changes {
		if name, ok := l.Find(first(c.What)); ok {
			v.Changes[i].What = name
		}
	}
	if v.Approval != nil {
		a := *v.Approval
		a.You = l.Asked(a.You)
		v.Approval = &a
	}
	if v.Alert != nil {
		a := *v.Alert
		a.Title, a.Items = l.Label(a.Title), slices.Clone(a.Items)
		for i := range a.Items {
			a.Items[i].Note = l.HeardEach(a.Items[i].Note)
		}
		v.Alert = &a
	}
	if v.Sponsor != nil {
		s := *v.Sponsor
		s.Why = l.Asked(s.Why)
		v.Sponsor = &s
	}
	v.Run.Waiting = slices.Clone(v.Run.Waiting)
	for i, thing := range v.Run.Waiting {
		v.Run.Waiting[i] = l.Heard(thing)
	}
	if v.Asks != nil {
		a := *v.Asks
		a.Names = slices.Clone(a.Names)
		for i, name := range a.Names {
			a.Names[i] = l.Label(name)
		}
		v.Asks = &a
	}
	return v
}

// first has its first letter upper case, as names of attributes have it where they stand alone.
func first(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Variants are the templates that name their language.
func (t Templates) Variants() []string {
	return slices.DeleteFunc(t.all(), func(name string) bool { _, tag := variant(name); return tag == "" })
}

// Names of all templates there are, without their languages.
func (t Templates) Names() []string {
	set := map[string]bool{}
	for _, name := range t.all() {
		base, _ := variant(name)
		set[base] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Base is the name of a template without its language.
func Base(name string) string {
	base, _ := variant(name)
	return base
}
