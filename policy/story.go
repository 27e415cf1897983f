package policy

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Story is one test of a tests/*.test.yaml file: a person, a day, a change, and what must follow.
type Story struct {
	Name   string
	At     Position
	person dayone.Person
	before *dayone.Person // without the change
	now    time.Time
	expect *yaml.Node
	file   *file
}

// Outcome of a story: it passed if Faults is empty.
type Outcome struct {
	Story  Story
	Faults []Diagnostic
}

// Stories reads every tests/*.yaml.
func (s *Set) Stories(fsys fs.FS) ([]Story, []Diagnostic) {
	r := &reader{fsys: fsys}
	var out []Story
	for _, name := range glob(fsys, "tests") {
		f := r.read(name)
		if f == nil {
			continue
		}
		top := r.fields(f, f.root, &testFileShape)
		people := map[string]*yaml.Node{}
		if n := top["people"]; n != nil {
			r.pairs(f, n, "people", func(k, v *yaml.Node) {
				people[k.Value] = v
				s.attrs(r, f, v) // judged even if no test names her
			})
		}
		if top["tests"] == nil {
			continue
		}
		for _, n := range r.items(f, top["tests"], "tests") {
			if st, ok := s.story(r, f, n, people); ok {
				out = append(out, st)
			}
		}
	}
	return out, r.finish()
}

func (s *Set) story(r *reader, f *file, n *yaml.Node, people map[string]*yaml.Node) (Story, bool) {
	fs := r.fields(f, n, &testShape)
	st := Story{At: Position{f.name, n.Line, n.Column}, file: f, expect: fs["expect"]}
	for _, key := range []string{"name", "person", "today", "expect"} {
		if fs[key] == nil {
			r.at(f, n, "missing", "", "a test has no %s", key)
			return st, false
		}
	}
	st.Name = r.word(f, fs["name"], "name")
	who := r.word(f, fs["person"], "person")
	body, ok := people[who]
	if !ok {
		r.at(f, fs["person"], "unknown-person", meant(who, sortedKeys(people)), "there is no person %q in this file", who)
		return st, false
	}
	day, err := time.Parse(time.DateOnly, fs["today"].Value)
	if err != nil {
		r.at(f, fs["today"], "value", "write 2025-06-02", "today is %q", fs["today"].Value)
		return st, false
	}
	before := len(r.diags)
	attrs := s.attrs(r, f, body)
	st.person = s.synthetic(who, attrs, day)
	zone, _ := st.person.Location()
	st.now = time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone)
	st.person.At = st.now
	if c := fs["change"]; c != nil {
		old := st.person
		st.before = &old
		st.person = s.synthetic(who, attrs.With(s.attrs(r, f, c)), day)
	}
	s.expectable(r, f, st.expect)
	return st, !Failed(r.diags[before:])
}

// expectable checks that what a test expects can be there at all: that a misspelled group is not given proves nothing.
func (s *Set) expectable(r *reader, f *file, n *yaml.Node) {
	fs := r.fields(f, n, &expectShape)
	var policies, duties []string
	for _, p := range s.Policies {
		policies = append(policies, p.ID)
	}
	for _, d := range s.Duties {
		duties = append(duties, d.ID)
	}
	among := func(n *yaml.Node, what string, known []string) {
		for _, n := range wordNodes(n) {
			if !slices.Contains(known, n.Value) {
				r.at(f, n, "unknown-"+what, meant(n.Value, known), "there is no %s %q", strings.ReplaceAll(what, "-", " "), n.Value)
			}
		}
	}
	for _, name := range []string{"grants", "none", "added", "removed", "changed", "offers", "pending"} {
		if fs[name] == nil {
			continue
		}
		for _, item := range r.items(f, fs[name], name) {
			to := item
			if item.Kind != yaml.ScalarNode {
				expected := r.fields(f, item, &expectedShape)
				if to = expected["to"]; to == nil {
					r.at(f, item, "missing", "write to: system/kind:name", "an expected grant has no to")
					continue
				}
				if because := expected["because"]; because != nil {
					among(because, "policy", append(policies, ExceptionReason))
				}
			}
			key, err := dayone.ParseKey(r.word(f, to, "to"))
			if err != nil {
				r.at(f, to, "value", "write system/kind:name, such as okta/group:sales", "%q names nothing that can be given", to.Value)
				continue
			}
			r.offered(f, to, s.Systems, key)
		}
	}
	if n := fs["systems"]; n != nil {
		among(n, "system", sortedKeys(s.Systems))
	}
	if n := fs["sod"]; n != nil {
		among(n, "separation-of-duty", duties)
	}
}

// attrs reads a person's attributes with the types of the schema.
func (s *Set) attrs(r *reader, f *file, n *yaml.Node) dayone.Attrs {
	out := dayone.Attrs{}
	r.pairs(f, n, "a person", func(k, v *yaml.Node) {
		a, ok := s.Schema.Attributes[k.Value]
		if !ok {
			r.at(f, k, "type", meant(k.Value, s.Schema.Names()), "unknown person attribute %q", k.Value)
			return
		}
		if a.Type == dayone.ListValue {
			out[k.Value] = dayone.List(r.words(f, v, k.Value)...)
			return
		}
		val, err := literal(v.Value, a.Type)
		if err != nil {
			r.at(f, v, "type", "", "%s must be a %s and is %q", k.Value, a.Type, v.Value)
			return
		}
		if a.Closed() && !slices.Contains(a.Values, v.Value) {
			r.at(f, v, "unknown-value", meant(v.Value, a.Values), "%s %q for person.%s", a.never(), v.Value, a.Name)
			return
		}
		out[k.Value] = val
	})
	return out
}

// synthetic is a person made of attributes alone, as tests, what-if and rehearsal need.
func (s *Set) synthetic(name string, attrs dayone.Attrs, day time.Time) dayone.Person {
	p := dayone.Person{ID: dayone.PersonID("per_" + name), Attrs: attrs, Managed: true, At: day}
	p.Site = s.SiteOf(attrs.Text("location"))
	if c := attrs.Text("country"); c == "" && p.Site.Country != "" {
		p.Attrs = attrs.With(dayone.Attrs{"country": dayone.Text(p.Site.Country)})
	}
	zone, _ := p.Location()
	if d, ok := attrs["start_date"].Day(); ok {
		p.Start = time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
	}
	if d, ok := attrs["end_date"].Day(); ok {
		p.End = time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, zone)
	}
	today := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone)
	p.Status = dayone.Status(attrs.Text("status"))
	if p.Status == "" {
		switch {
		case !p.End.IsZero() && !p.End.After(today):
			p.Status = dayone.Left
		case p.Start.After(today):
			p.Status = dayone.PreHire
		default:
			p.Status = dayone.Working
		}
	}
	return p
}

// SiteOf is what a location means; an unknown one falls back to the company's own zone and nothing else.
func (s *Set) SiteOf(location string) dayone.Site {
	if site, ok := s.Sites[location]; ok && location != "" {
		return site
	}
	return dayone.Site{Zone: s.Sites[""].Zone}
}

// Tell runs a story.
func (s *Set) Tell(st Story) Outcome {
	r := &reader{}
	want := s.Want(st.person, Context{Now: st.now})
	var before dayone.Want
	if st.before != nil {
		before = s.Want(*st.before, Context{Now: st.now})
	}
	c := &judge{reader: r, f: st.file, set: s, want: want, before: before}
	c.judge(st.expect)
	return Outcome{st, r.finish()}
}

// judge compares what follows with what was expected. A list that is empty must be empty; another must be contained.
type judge struct {
	*reader
	f            *file
	set          *Set
	want, before dayone.Want
}

func (j *judge) judge(n *yaml.Node) {
	fs := j.fields(j.f, n, &expectShape)
	if n := fs["count"]; n != nil {
		if got := fmt.Sprint(len(j.want.Grants)); n.Value != got {
			j.at(j.f, n, "count", "they are "+keysOf(j.want.Grants), "%s grants expected, %s given", n.Value, got)
		}
	}
	if n := fs["systems"]; n != nil {
		var got []string
		for _, g := range j.want.Grants {
			if !slices.Contains(got, g.Key.System) {
				got = append(got, g.Key.System)
			}
		}
		slices.Sort(got)
		expected := j.words(j.f, n, "systems")
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			j.at(j.f, n, "systems", "", "grants are in %s", strings.Join(got, ", "))
		}
	}
	gained, lost, changed := Difference(j.before, j.want)
	j.contained(fs["grants"], "given", j.want.Grants)
	j.contained(fs["offers"], "offered", j.want.Offers)
	j.contained(fs["pending"], "pending", j.want.Pending)
	j.contained(fs["added"], "added", gained)
	j.contained(fs["removed"], "removed", lost)
	j.contained(fs["changed"], "changed", changed)
	if n := fs["none"]; n != nil {
		for _, item := range j.items(j.f, n, "none") {
			if g := find(j.want.Grants, item.Value); g != nil {
				j.at(j.f, item, "given", fmt.Sprintf("%s gives it", g.Because[0]), "%s is given", item.Value)
			}
		}
	}
	if n := fs["sod"]; n != nil {
		var got []string
		for _, f := range j.want.Findings {
			if f.Kind == "sod" {
				got = append(got, f.Policy)
			}
		}
		expected := j.words(j.f, n, "sod")
		for _, id := range expected {
			if !slices.Contains(got, id) {
				j.at(j.f, n, "sod", "", "separation of duty %s is not touched", id)
			}
		}
		if len(expected) == 0 && len(got) > 0 {
			j.at(j.f, n, "sod", "", "separation of duty is touched: %s", strings.Join(got, ", "))
		}
	}
}

// Difference is what one want has and another has not: gained, lost, and the same with another role or parameter.
func Difference(before, now dayone.Want) (gained, lost, changed []dayone.Grant) {
	old := map[dayone.Key]dayone.Grant{}
	for _, g := range before.Grants {
		old[g.Key] = g
	}
	for _, g := range now.Grants {
		o, had := old[g.Key]
		switch {
		case !had:
			gained = append(gained, g)
		case o.Role != g.Role || len(o.Attrs.Differ(g.Attrs)) > 0:
			changed = append(changed, g)
		}
		delete(old, g.Key)
	}
	for _, g := range before.Grants {
		if _, gone := old[g.Key]; gone {
			lost = append(lost, g)
		}
	}
	return gained, lost, changed
}

func (j *judge) contained(n *yaml.Node, what string, got []dayone.Grant) {
	if n == nil {
		return
	}
	items := j.items(j.f, n, what)
	if len(items) == 0 && len(got) > 0 {
		j.at(j.f, n, what, "", "nothing should be %s, but %s", what, keysOf(got))
	}
	for _, item := range items {
		if item.Kind == yaml.ScalarNode {
			if find(got, item.Value) == nil {
				j.at(j.f, item, what, j.instead(item.Value, got), "%s is not %s", item.Value, what)
			}
			continue
		}
		fs := j.fields(j.f, item, &expectedShape)
		g := find(got, fs["to"].Value)
		if g == nil {
			j.at(j.f, fs["to"], what, j.instead(fs["to"].Value, got), "%s is not %s", fs["to"].Value, what)
			continue
		}
		j.matches(fs, g)
	}
}

func (j *judge) matches(fs map[string]*yaml.Node, g *dayone.Grant) {
	if n := fs["role"]; n != nil && n.Value != g.Role {
		j.at(j.f, n, "role", "", "the role of %s is %s", g.Key, g.Role)
	}
	if n := fs["because"]; n != nil {
		var got []string
		for _, r := range g.Because {
			got = append(got, r.Policy)
		}
		if w := j.words(j.f, n, "because"); !slices.Equal(w, got) {
			j.at(j.f, n, "because", "", "%s is given by %s", g.Key, strings.Join(got, ", "))
		}
	}
	if n := fs["params"]; n != nil {
		j.pairs(j.f, n, "params", func(k, v *yaml.Node) {
			if got := g.Attrs[k.Value]; got.String() != v.Value {
				j.at(j.f, v, "parameter", "", "%s of %s is %q", k.Value, g.Key, got)
			}
		})
	}
	if n := fs["until"]; n != nil {
		got := "open"
		if !g.Until.IsZero() {
			got = g.Until.Add(-time.Nanosecond).Format(time.DateOnly) // the last day that counts
		}
		if got != n.Value {
			j.at(j.f, n, "until", "", "%s ends with %s", g.Key, got)
		}
	}
}

// instead says why something is not there, as far as findings tell.
func (j *judge) instead(key string, got []dayone.Grant) string {
	for _, f := range j.want.Findings {
		if f.Key.String() == key {
			return f.Text
		}
	}
	for _, g := range j.want.Later {
		if g.Key.String() == key {
			return "it begins " + g.From.Format(time.DateOnly)
		}
	}
	var keys []string
	for _, g := range got {
		keys = append(keys, g.Key.String())
	}
	return meant(key, keys)
}

func find(gs []dayone.Grant, key string) *dayone.Grant {
	for i := range gs {
		if gs[i].Key.String() == key {
			return &gs[i]
		}
	}
	return nil
}

func keysOf(gs []dayone.Grant) string {
	ks := make([]dayone.Key, len(gs))
	for i, g := range gs {
		ks[i] = g.Key
	}
	return keyList(ks)
}
