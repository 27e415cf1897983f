package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
)

// Naming is how a name is made for a person whose sources give none: a login, a mail address. It is unique for ever.
type Naming struct {
	Text   string // as it is written: ${preferred_name|first_name:1}.${last_name}@company.com
	Parts  []NamePart
	Max    int      // most letters of the whole; 0: no limit
	FreeIn []string // systems that are asked whether they have it already
}

// NamePart is a text, or what a person is called: the first of some attributes that has a value.
type NamePart struct {
	Text    string
	Of      []string
	Letters int // only the first so many; 0: all
}

var nameHole = regexp.MustCompile(`\$\{([a-z0-9_.|]+)(?::(\d+))?\}`)

// naming reads made, max and free_in of an attribute.
func (r *reader) naming(f *file, a Attribute, fs map[string]*yaml.Node) *Naming {
	n := fs["made"]
	for _, name := range []string{"max", "free_in"} {
		if fs[name] != nil && n == nil {
			r.at(f, fs[name], "value", "say with made: how it is made, or leave this out", "%s is about a name that we make", name)
		}
	}
	if n == nil {
		return nil
	}
	out := &Naming{Text: n.Value}
	at := 0
	for _, m := range nameHole.FindAllStringSubmatchIndex(n.Value, -1) {
		if m[0] > at {
			out.Parts = append(out.Parts, NamePart{Text: n.Value[at:m[0]]})
		}
		part := NamePart{Of: strings.Split(n.Value[m[2]:m[3]], "|")}
		if m[4] >= 0 {
			part.Letters, _ = strconv.Atoi(n.Value[m[4]:m[5]])
		}
		out.Parts, at = append(out.Parts, part), m[1]
	}
	if at < len(n.Value) {
		out.Parts = append(out.Parts, NamePart{Text: n.Value[at:]})
	}
	switch rest := nameHole.ReplaceAllString(n.Value, ""); {
	case !slices.ContainsFunc(out.Parts, func(p NamePart) bool { return len(p.Of) > 0 }) || strings.ContainsAny(rest, "${} "):
		r.at(f, n, "value", "write ${first_name}.${last_name}, ${preferred_name|first_name} or ${first_name:1}", "made is %q", n.Value)
	case a.Type != dayone.TextValue || a.Derived || a.Closed():
		r.at(f, n, "heading", "", "only a string with open values can be made")
	}
	if n := fs["max"]; n != nil {
		most, err := strconv.Atoi(n.Value)
		if err != nil || most < 3 || most > 256 {
			r.at(f, n, "value", "write a number from 3 to 256", "max is %q", n.Value)
		}
		out.Max = most
	}
	if n := fs["free_in"]; n != nil {
		out.FreeIn = r.words(f, n, "free_in")
	}
	return out
}

// madeOf checks that names are made of attributes that are there and are no names that wait for each other.
func (r *reader) madeOf(f *file, s Schema) {
	var known []string
	for name, a := range s.Attributes {
		if a.Type == dayone.TextValue {
			known = append(known, name)
		}
	}
	var waits func(name, on string, seen []string) bool
	waits = func(name, on string, seen []string) bool {
		a := s.Attributes[on]
		if on == name || a.Made == nil || slices.Contains(seen, on) {
			return on == name
		}
		for _, p := range a.Made.Parts {
			for _, of := range p.Of {
				if waits(name, of, append(seen, on)) {
					return true
				}
			}
		}
		return false
	}
	for _, name := range s.Names() {
		a := s.Attributes[name]
		if a.Made == nil {
			continue
		}
		for _, p := range a.Made.Parts {
			for _, of := range p.Of {
				n := &yaml.Node{Line: a.At.Line, Column: a.At.Col}
				switch {
				case !slices.Contains(known, of):
					r.at(f, n, "value", meant(of, known), "%s is made of %q, which is no text that is known of a person", name, of)
				case waits(name, of, nil):
					r.at(f, n, "value", "make one of them of the person's names", "%s is made of itself", name)
				}
			}
		}
	}
}

// letters reads how single letters are written.
func (r *reader) letters(f *file, n *yaml.Node, to map[string]string) {
	r.pairs(f, n, "letters", func(k, v *yaml.Node) {
		if utf8.RuneCountInString(k.Value) != 1 {
			r.at(f, k, "name", "write {ä: ae, ö: oe}", "%q is not one letter", k.Value)
			return
		}
		to[strings.ToLower(k.Value)] = v.Value
	})
}
