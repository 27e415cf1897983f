package policy

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Exception is what one person gets, does not get or keeps although policies say otherwise: written down, with an end.
// It never beats a deny.
type Exception struct {
	Person   string // id, mail address or employee number
	Does     string // add, withhold, keep
	Rule     *Rule  // add
	Key      dayone.Key
	Reason   string
	Approver string
	Until    string // its last day, where the person is
	At       Position
}

// Waiver lets one person have both sides of a separation of duty for a while.
type Waiver struct {
	Person   string
	Duty     string
	Control  string // what mitigates it
	Reason   string
	Approver string
	Until    string
	At       Position
}

// ExceptionReason begins the policy id in the reasons of what an exception gives.
const ExceptionReason = "exception"

// exceptions reads exceptions/*.yaml.
func (l *loader) exceptions(f *file) {
	top := l.fields(f, f.root, &exceptionFileShape)
	if n := top["exceptions"]; n != nil {
		for _, n := range l.items(f, n, "exceptions") {
			if e := l.exception(f, n); e != nil {
				l.set.Exceptions = append(l.set.Exceptions, e)
			}
		}
	}
	if n := top["waivers"]; n != nil {
		for _, n := range l.items(f, n, "waivers") {
			if w := l.waiver(f, n); w != nil {
				l.set.Waivers = append(l.set.Waivers, w)
			}
		}
	}
}

func (l *loader) exception(f *file, n *yaml.Node) *Exception {
	before := len(l.diags)
	fs := l.fields(f, n, &exceptionShape)
	e := &Exception{At: Position{f.name, n.Line, n.Column}}
	l.required(f, n, fs, "an exception", map[string]*string{"person": &e.Person, "reason": &e.Reason, "approver": &e.Approver})
	e.Until = l.lastDay(f, n, fs, "an exception")
	l.notHerself(f, n, e.Person, e.Approver)
	for _, does := range []string{"add", "withhold", "keep"} {
		body := fs[does]
		switch {
		case body == nil:
			continue
		case e.Does != "":
			l.at(f, body, "value", "write two exceptions", "an exception does one thing: %s or %s", e.Does, does)
			continue
		}
		e.Does = does
		if does == "add" {
			if body.Kind == yaml.ScalarNode { // add: okta/group:x is short for add: {to: okta/group:x}
				body = &yaml.Node{Kind: yaml.MappingNode, Line: body.Line, Column: body.Column, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "to", Line: body.Line, Column: body.Column}, body}}
			}
			rules := l.rules(f, body, &bundledShape)
			if len(rules) != 1 {
				continue
			}
			e.Rule = rules[0]
			e.Key, e.Rule.At = e.Rule.Key, e.At
			if e.Rule.catalogued { // it names who agreed
				e.Rule.Approval = nil
			}
			continue
		}
		key, err := dayone.ParseKey(l.word(f, body, does))
		if err != nil {
			l.at(f, body, "value", "write system/kind:name", "%q names nothing", body.Value)
			continue
		}
		if _, ok := l.known(f, body, l.set.Systems, key); ok {
			e.Key = key
		}
	}
	if e.Does == "" {
		l.at(f, n, "missing", "write add:, withhold: or keep:", "an exception does nothing")
	}
	if Failed(l.diags[before:]) {
		return nil
	}
	return e
}

func (l *loader) waiver(f *file, n *yaml.Node) *Waiver {
	before := len(l.diags)
	fs := l.fields(f, n, &waiverShape)
	w := &Waiver{At: Position{f.name, n.Line, n.Column}}
	l.required(f, n, fs, "a waiver", map[string]*string{"person": &w.Person, "sod": &w.Duty, "control": &w.Control, "approver": &w.Approver})
	if n := fs["reason"]; n != nil {
		w.Reason = l.word(f, n, "reason")
	}
	w.Until = l.lastDay(f, n, fs, "a waiver")
	l.notHerself(f, n, w.Person, w.Approver)
	if Failed(l.diags[before:]) {
		return nil
	}
	return w
}

// waived checks waivers against the duties that they name, when all files are read.
func (l *loader) waived() {
	for _, w := range l.set.Waivers {
		i := slices.IndexFunc(l.set.Duties, func(d *Duty) bool { return d.ID == w.Duty })
		f := &file{name: w.At.File}
		if i < 0 {
			var ids []string
			for _, d := range l.set.Duties {
				ids = append(ids, d.ID)
			}
			l.report(f, w.At.Line, w.At.Col, 1, "unknown-sod", meant(w.Duty, ids), "there is no separation of duty %q", w.Duty)
			continue
		}
		if d := l.set.Duties[i]; len(d.WaiveBy) == 0 {
			l.report(f, w.At.Line, w.At.Col, 1, "waiver", "say under waive: who may, and for how long", "%s cannot be waived", d.ID)
		}
	}
}

func (l *loader) required(f *file, n *yaml.Node, fs map[string]*yaml.Node, what string, to map[string]*string) {
	for _, name := range sortedKeys(to) {
		v := fs[name]
		if v == nil {
			l.at(f, n, "missing", name+": ...", "%s has no %s", what, name)
			continue
		}
		if *to[name] = strings.TrimSpace(l.word(f, v, name)); *to[name] == "" {
			l.at(f, v, "missing", "", "%s of %s is empty", name, what)
		}
	}
}

func (l *loader) lastDay(f *file, n *yaml.Node, fs map[string]*yaml.Node, what string) string {
	v := fs["until"]
	if v == nil {
		l.at(f, n, "missing", "until: 2025-06-30; nothing is excepted for ever", "%s has no end", what)
		return ""
	}
	if _, err := time.Parse(time.DateOnly, v.Value); err != nil {
		l.at(f, v, "value", "write a day: 2025-06-30", "until is %q", v.Value)
	}
	return v.Value
}

// notHerself: nobody excepts herself.
func (l *loader) notHerself(f *file, n *yaml.Node, person, approver string) {
	if person != "" && strings.EqualFold(person, approver) {
		l.at(f, n, "approver", "", "%s cannot agree to their own exception", person)
	}
}

// excepted are those of a person.
type excepted struct {
	exceptions []*Exception
	waivers    []*Waiver
}

// except gathers them by whom they name.
func (s *Set) except() {
	s.exceptOf = map[string]excepted{}
	for _, e := range s.Exceptions {
		name := strings.ToLower(e.Person)
		x := s.exceptOf[name]
		x.exceptions = append(x.exceptions, e)
		s.exceptOf[name] = x
	}
	for _, w := range s.Waivers {
		name := strings.ToLower(w.Person)
		x := s.exceptOf[name]
		x.waivers = append(x.waivers, w)
		s.exceptOf[name] = x
	}
}

// exceptionsOf a person that have not ended; the ends are instants at which the want changes.
func (e *evaluation) exceptionsOf() (out excepted) {
	if len(e.exceptOf) == 0 {
		return out
	}
	p := e.person
	zone, _ := p.Location()
	running := func(until string) bool {
		d, err := time.Parse(time.DateOnly, until)
		if err != nil {
			return false
		}
		end := time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, zone)
		e.flips(end)
		return end.After(e.ctx.Now)
	}
	for _, name := range []string{string(p.ID), strings.ToLower(p.Attrs.Text("email")), strings.ToLower(p.Attrs.Text("employee_number"))} {
		if name == "" {
			continue
		}
		for _, x := range e.exceptOf[name].exceptions {
			if running(x.Until) {
				out.exceptions = append(out.exceptions, x)
			}
		}
		for _, w := range e.exceptOf[name].waivers {
			if running(w.Until) {
				out.waivers = append(out.waivers, w)
			}
		}
	}
	return out
}

// end is the first instant after the exception.
func (x *Exception) end(zone *time.Location) time.Time {
	d, _ := time.Parse(time.DateOnly, x.Until)
	return time.Date(d.Year(), d.Month(), d.Day()+1, 0, 0, 0, 0, zone)
}

// policyOf stands for the exception where a grant's reasons are named.
func (x *Exception) policyOf() *Policy {
	return &Policy{ID: ExceptionReason, Title: x.Reason, Owner: x.Approver, At: x.At, Tier: dayone.TierRole}
}
