package policy

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// catalogue reads a catalogue file, as connectors write it: what every system offers.
func (r *reader) catalogue(f *file, into map[string]dayone.System) {
	top := r.fields(f, f.root, &catalogueShape)
	n := top["systems"]
	if n == nil {
		return
	}
	r.pairs(f, n, "systems", func(k, v *yaml.Node) {
		sys, ok := into[k.Value]
		if !ok {
			sys = dayone.System{Name: k.Value, Title: k.Value}
		}
		kinds := maps.Clone(sys.Kinds)
		if kinds == nil {
			kinds = map[string]dayone.Kind{}
		}
		name := k.Value
		r.pairs(f, v, "a system", func(k, v *yaml.Node) {
			kinds[k.Value] = r.kind(f, v, kinds[k.Value], dayone.Key{System: name, Kind: k.Value}, into)
		})
		sys.Kinds = kinds
		into[k.Value] = sys
	})
}

// supplies makes what others are supplied by known, whether somebody configured its system or not: an order without a
// connector is placed by a human. Like any order it is given once.
func (r *reader) supplies(systems map[string]dayone.System) {
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		for _, kind := range systems[name].Kinds {
			from := kind.Supply
			if from.System == "" {
				continue
			}
			sys, ok := systems[from.System]
			if !ok {
				sys = dayone.System{Name: from.System, Title: from.System}
			}
			if _, ok := sys.Kinds[from.Kind]; ok {
				continue
			}
			if sys.Connector != "" {
				r.report(&file{name: "catalog"}, 0, 0, 0, "unknown-entitlement", meant(from.Kind, slices.Sorted(maps.Keys(sys.Kinds))),
					"%s is supplied by %s, but %s has no kind %q", name, from, from.System, from.Kind)
				continue
			}
			sys.Kinds = maps.Clone(sys.Kinds)
			if sys.Kinds == nil {
				sys.Kinds = map[string]dayone.Kind{}
			}
			sys.Kinds[from.Kind] = dayone.Kind{OneWay: true, Params: kind.Params}
			systems[from.System] = sys
		}
	}
}

// kind merges what the file says over what the connector said of itself. What it names of other kinds is judged when all
// files are read.
func (r *reader) kind(f *file, n *yaml.Node, k dayone.Kind, key dayone.Key, all map[string]dayone.System) dayone.Kind {
	fs := r.fields(f, n, &kindShape)
	if n := fs["title"]; n != nil {
		k.Title = r.word(f, n, "title")
	}
	if n := fs["names"]; n != nil {
		k.Names = r.words(f, n, "names")
	}
	if n := fs["roles"]; n != nil {
		k.Roles = r.words(f, n, "roles")
	}
	if n := fs["needs"]; n != nil {
		k.Needs = r.words(f, n, "needs")
		r.later = append(r.later, func() {
			for _, n := range wordNodes(n) {
				if _, ok := all[key.System].Kinds[n.Value]; !ok {
					r.at(f, n, "unknown-kind", meant(n.Value, sortedKeys(all[key.System].Kinds)), "%s has no kind %q that %s could need", key.System, n.Value, key.Kind)
				}
			}
		})
	}
	if n := fs["default"]; n != nil {
		k.Default = r.word(f, n, "default")
		r.later = append(r.later, func() {
			if names := all[key.System].Kinds[key.Kind].Names; len(names) > 0 && !slices.Contains(names, n.Value) {
				r.at(f, n, "unknown-value", meant(n.Value, names), "%s falls back to %q, which is none of its names", key, n.Value)
			}
		})
	}
	if n := fs["read_only"]; n != nil {
		k.ReadOnly = r.word(f, n, "read_only")
	}
	if n := fs["supply"]; n != nil {
		key, err := dayone.ParseKey(r.word(f, n, "supply"))
		if err != nil {
			r.at(f, n, "value", "write system/kind, such as procurement/order", "%q names no grant", n.Value)
		}
		k.Supply = key
	}
	for name, to := range map[string]*bool{"exclusive": &k.Exclusive, "implied": &k.Implied, "sensitive": &k.Sensitive, "whole_set": &k.WholeSet} {
		if n := fs[name]; n != nil {
			*to = r.oneOf(f, n, name, boolWords...) == "true"
		}
	}
	if n := fs["approval"]; n != nil {
		k.Approval = r.approval(f, n)
	}
	if n := fs["authority"]; n != nil {
		k.Authority = dayone.Authority(r.oneOf(f, n, "authority", authorityWords...))
		r.decidable(f, n, key, k.Authority, all)
	}
	if n := fs["authority_of"]; n != nil {
		k.AuthorityOf = maps.Clone(k.AuthorityOf)
		if k.AuthorityOf == nil {
			k.AuthorityOf = map[string]dayone.Authority{}
		}
		r.pairs(f, n, "authority_of", func(name, v *yaml.Node) {
			a := dayone.Authority(r.oneOf(f, v, "authority_of", authorityWords...))
			k.AuthorityOf[name.Value] = a
			r.decidable(f, v, key, a, all)
			r.later = append(r.later, func() {
				if names := all[key.System].Kinds[key.Kind].Names; !slices.Contains(names, name.Value) {
					r.at(f, name, "unknown-value", meant(name.Value, names), "authority_of says who decides about %q, which is none of the names of %s", name.Value, key)
				}
			})
		})
	}
	if n := fs["params"]; n != nil {
		k.Params = maps.Clone(k.Params)
		if k.Params == nil {
			k.Params = map[string]dayone.Param{}
		}
		r.pairs(f, n, "params", func(key, v *yaml.Node) {
			p := r.fields(f, v, &paramShape)
			out := dayone.Param{Type: "string", Merge: "error"}
			if n := p["type"]; n != nil {
				out.Type = r.oneOf(f, n, "type", typeWords...)
			}
			if n := p["merge"]; n != nil {
				out.Merge = r.oneOf(f, n, "merge", mergeWords...)
			}
			k.Params[key.Value] = out
		})
	}
	return k
}

// decidable checks that somebody can decide about a kind in the way that its authority says.
func (r *reader) decidable(f *file, n *yaml.Node, key dayone.Key, a dayone.Authority, all map[string]dayone.System) {
	if a == "" || a == dayone.Additive {
		return
	}
	r.later = append(r.later, func() {
		switch kind := all[key.System].Kinds[key.Kind]; {
		case key.IsAccount():
			r.at(f, n, "authority", "write it on what hangs on the account; what differs about accounts is on the page Drift, and a human decides",
				"an account follows the life of its owner, and nothing else has authority over it: whoever closes one at %s may stop an attack with that", key.System)
		case kind.OneWay:
			r.at(f, n, "authority", "take the line away", "%s is given once and never taken back, so nobody can be %s about it", key, a)
		case a == dayone.Observe:
		case kind.ReadOnly != "":
			r.at(f, n, "authority", kind.ReadOnly, "%s cannot be written, so policies alone cannot decide about it; write observe", key)
		case kind.Exclusive && kind.Default == "":
			r.at(f, n, "authority", "add default: to the kind", "%s cannot be empty, so what policies do not give can only go if it falls back to something", key)
		}
	})
}

// observed checks that a key is not left to others.
func (r *reader) observed(f *file, n *yaml.Node, sys dayone.System, key dayone.Key) {
	if !key.IsAccount() && sys.Authority(key) == dayone.Observe {
		r.at(f, n, "observed", "take the line away, or write authority: additive (or exclusive) in catalog/", "%s is only observed, so no policy gives it", key)
	}
}

// known checks that a key names something that can be granted, and says what was probably meant.
func (r *reader) known(f *file, n *yaml.Node, systems map[string]dayone.System, key dayone.Key) (dayone.Kind, bool) {
	if kind := systems[key.System].Kinds[key.Kind]; kind.Shown {
		r.at(f, n, "shown-only", kind.ReadOnly+"; "+gives(systems[key.System]), "%s/%s is shown only: nobody can be given it by a policy", key.System, key.Kind)
		return kind, false
	}
	kind, ok := r.offered(f, n, systems, key)
	if ok && kind.ReadOnly != "" {
		r.at(f, n, "not-writable", kind.ReadOnly, "%q cannot be granted", key)
		ok = false
	}
	return kind, ok
}

// gives says what a policy can give in a system instead.
func gives(sys dayone.System) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(sys.Kinds)) {
		if k := sys.Kinds[kind]; !k.Shown && k.ReadOnly == "" {
			out = append(out, sys.Name+"/"+kind)
		}
	}
	if len(out) == 0 {
		return sys.Name + " gives nothing"
	}
	return "a policy can give " + strings.Join(out, ", ")
}

// offered checks that a key names something that a system has.
func (r *reader) offered(f *file, n *yaml.Node, systems map[string]dayone.System, key dayone.Key) (dayone.Kind, bool) {
	text := key.String()
	sys, ok := systems[key.System]
	if !ok {
		r.at(f, n, "unknown-system", meant(key.System, slices.Sorted(maps.Keys(systems))), "there is no system %q", key.System)
		return dayone.Kind{}, false
	}
	kind, ok := sys.Kinds[key.Kind]
	if !ok {
		r.at(f, n, "unknown-entitlement", meant(key.Kind, slices.Sorted(maps.Keys(sys.Kinds))), "%s has no kind %q", key.System, key.Kind)
		return dayone.Kind{}, false
	}
	switch {
	case key.IsAccount():
	case len(kind.Names) == 0 && key.Name != "":
		r.at(f, n, "unknown-entitlement", "write "+key.System+"/"+key.Kind, "%s/%s has no names: each person has one", key.System, key.Kind)
		return kind, false
	case len(kind.Names) > 0 && key.Name == "":
		r.at(f, n, "unknown-entitlement", "write "+text+":NAME, one of "+few(kind.Names), "%s needs a name", text)
		return kind, false
	case len(kind.Names) > 0 && !slices.Contains(kind.Names, key.Name):
		all := make([]string, 0, len(kind.Names))
		for _, name := range kind.Names {
			k := key
			k.Name = name
			all = append(all, k.String())
		}
		r.at(f, n, "unknown-entitlement", meant(text, all), "no connector offers %q", text)
		return kind, false
	}
	return kind, true
}

func few(words []string) string {
	if len(words) > 5 {
		return strings.Join(words[:5], ", ") + ", ..."
	}
	return strings.Join(words, ", ")
}
