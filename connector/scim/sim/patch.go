package sim

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// operation of a PATCH. RFC 7644, section 3.5.2.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// apply carries one operation out on r.
func (d *Dialect) apply(r Resource, s Schema, o operation) *Error {
	switch {
	case !slices.Contains([]string{"add", "replace", "remove"}, o.Op):
		return invalid("invalidSyntax", "There is no operation %q.", o.Op)
	case o.Op == "remove" && o.Path == "":
		return invalid("noTarget", "A path is needed to remove.")
	case o.Op != "remove" && o.Value == nil:
		return invalid("invalidValue", "A value is needed to %s.", o.Op)
	case o.Op == "remove" && o.Value != nil && !d.RemoveByValue:
		return invalid("invalidSyntax", "An operation that removes has no value.")
	case o.Path == "":
		return d.merge(r, s, o)
	case d.ByValueOnly && o.Op != "remove":
		return invalid("invalidPath", "Paths are not supported.")
	}
	return d.target(r, s, o)
}

// merge is add or replace without a path: the value is part of a resource.
func (d *Dialect) merge(r Resource, s Schema, o operation) *Error {
	in, ok := o.Value.(map[string]any)
	if !ok {
		return invalid("invalidValue", "Without a path the value is an object.")
	}
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if err := d.target(r, s, operation{o.Op, k, in[k]}); err != nil {
			return err
		}
	}
	return nil
}

// target finds what the path names, and changes it.
func (d *Dialect) target(r Resource, s Schema, o operation) *Error {
	in, as, path := r, map[string]Attribute(s), o.Path
	if name, a, ok := named(as, path); ok && strings.HasPrefix(name, "urn:") { // a whole extension
		return change(in, name, a, o.Op, o.Value)
	}
	if i := urnEnd(strings.SplitN(path, "[", 2)[0]); i > 0 {
		name, a, ok := named(as, path[:i])
		if !ok && !strings.EqualFold(path[:i], userURN) && !strings.EqualFold(path[:i], groupURN) {
			return invalid("invalidPath", "There is no schema %s.", path[:i])
		}
		path = path[i+1:]
		if ok {
			m, there := in[name].(map[string]any)
			if !there {
				m = map[string]any{}
			}
			err := d.within(m, a.Sub, path, o)
			if delete(in, name); len(m) > 0 {
				in[name] = m
			}
			return err
		}
	}
	return d.within(in, as, path, o)
}

// within handles attr, attr.sub, attr[filter] and attr[filter].sub.
func (d *Dialect) within(in map[string]any, as map[string]Attribute, path string, o operation) *Error {
	head, rest, filtered := strings.Cut(path, "[")
	if !filtered {
		head, rest, _ = strings.Cut(path, ".")
	}
	name, a, ok := named(as, head)
	switch {
	case !ok:
		return invalid("invalidPath", "Attribute %s is not defined.", head)
	case a.ReadOnly:
		return &Error{400, "mutability", "Attribute " + name + " is read-only."}
	case filtered:
		return d.chosen(in, name, a, rest, o)
	case rest == "":
		if o.Op == "remove" && o.Value != nil {
			return subtract(in, name, o.Value)
		}
		return change(in, name, a, o.Op, o.Value)
	case a.Sub == nil:
		return invalid("invalidPath", "Attribute %s is not complex.", name)
	case a.Many:
		return invalid("invalidPath", "A filter has to say which of %s is meant.", name)
	}
	sub, b, ok := named(a.Sub, rest)
	if !ok {
		return invalid("invalidPath", "Attribute %s has no %s.", name, rest)
	}
	m, _ := in[name].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	err := change(m, sub, b, o.Op, o.Value)
	if delete(in, name); len(m) > 0 {
		in[name] = m
	}
	return err
}

// chosen works on the elements that a filter chooses.
func (d *Dialect) chosen(in map[string]any, name string, a Attribute, rest string, o operation) *Error {
	expr, sub, closed := strings.Cut(rest, "]")
	f, err := ParseFilter(expr)
	switch {
	case !closed || err != nil:
		return invalid("invalidFilter", "The filter of %s is invalid.", name)
	case !a.Many || a.Sub == nil:
		return invalid("invalidPath", "Attribute %s takes no filter.", name)
	case o.Op == "remove" && name == "members" && d.RemoveByValue:
		return invalid("invalidPath", "Members are removed by a list of values.")
	}
	sub = strings.TrimPrefix(sub, ".")
	var keep []any
	hits := 0
	for _, e := range elements(in[name]) {
		m, _ := e.(map[string]any)
		if !f.Match(m) {
			keep = append(keep, e)
			continue
		}
		hits++
		switch {
		case sub != "":
			key, b, ok := named(a.Sub, sub)
			if !ok {
				return invalid("invalidPath", "Attribute %s has no %s.", name, sub)
			}
			if err := change(m, key, b, o.Op, o.Value); err != nil {
				return err
			}
			keep = append(keep, m)
		case o.Op == "remove":
		default:
			one, err := readOne(name, o.Value, a)
			if err != nil {
				return err
			}
			keep = append(keep, one)
		}
	}
	if hits == 0 {
		return invalid("noTarget", "The filter of %s chooses nothing.", name)
	}
	if delete(in, name); keep != nil {
		in[name] = keep
	}
	return nil
}

// change sets, adds or takes out one attribute.
func change(in map[string]any, name string, a Attribute, op string, v any) *Error {
	if op == "remove" {
		delete(in, name)
		return nil
	}
	v, err := readValue(name, v, a)
	if err != nil {
		return err
	}
	switch {
	case v == nil:
		if op == "replace" {
			delete(in, name)
		}
	case a.Many && op == "add":
		in[name] = union(elements(in[name]), v.([]any))
	case !a.Many && a.Sub != nil:
		m, _ := in[name].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		maps.Copy(m, v.(map[string]any))
		in[name] = m
	default:
		in[name] = v
	}
	return nil
}

// union adds what is not there; a new primary value takes the place of the old one.
func union(have, more []any) []any {
	for _, n := range more {
		nm, _ := n.(map[string]any)
		if slices.ContainsFunc(have, func(h any) bool {
			hm, _ := h.(map[string]any)
			return reflect.DeepEqual(h, n) || len(nm) == 1 && hm["value"] == nm["value"]
		}) {
			continue
		}
		if nm["primary"] == true {
			for _, h := range have {
				if hm, ok := h.(map[string]any); ok {
					delete(hm, "primary")
				}
			}
		}
		have = append(have, n)
	}
	return have
}

// subtract takes listed values out, as some servers want it instead of a filter.
func subtract(in map[string]any, name string, v any) *Error {
	drop := map[any]bool{}
	for _, e := range elements(v) {
		m, ok := e.(map[string]any)
		if !ok {
			return invalid("invalidValue", "The values of %s are objects.", name)
		}
		drop[m["value"]] = true
	}
	keep := slices.DeleteFunc(elements(in[name]), func(e any) bool {
		m, _ := e.(map[string]any)
		return drop[m["value"]]
	})
	if delete(in, name); len(keep) > 0 {
		in[name] = keep
	}
	return nil
}
