package cucm

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

//go:embed objects.txt
var objectTable string

// field is one element of an object, as the table has it.
type field struct {
	name  string
	flags string
	as    string // its name in an update that gives it another value
	kids  []*field
}

func (f *field) is(flag byte) bool { return strings.IndexByte(f.flags, flag) >= 0 }

func (f *field) kid(name string) *field {
	for _, k := range f.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// Kind is one type of object: user, line, phone, deviceProfile.
type Kind struct {
	Name string
	Keys []string // by what it is found
	root *field
}

// title is the kind's name in an operation: addUser.
func (k *Kind) title() string { return strings.ToUpper(k.Name[:1]) + k.Name[1:] }

// The objects that are written one by one.
var (
	kinds = readTable(objectTable)

	User                     = kinds["user"]
	Line                     = kinds["line"]
	Phone                    = kinds["phone"]
	DeviceProfile            = kinds["deviceProfile"]
	RemoteDestinationProfile = kinds["remoteDestinationProfile"]
	RemoteDestination        = kinds["remoteDestination"]
	UserGroup                = kinds["userGroup"]
	LDAPFilter               = kinds["ldapFilter"]
	LDAPDirectory            = kinds["ldapDirectory"]
)

// Kinds are all of them, by name.
func Kinds() []*Kind {
	return slices.SortedFunc(maps.Values(kinds), func(a, b *Kind) int { return strings.Compare(a.Name, b.Name) })
}

func readTable(table string) map[string]*Kind {
	out := map[string]*Kind{}
	var path []*field
	for line := range strings.Lines(table) {
		text := strings.TrimLeft(line, " ")
		depth := len(line) - len(text)
		words := strings.Fields(text)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		f := &field{name: words[0]}
		if depth == 0 {
			out[f.name] = &Kind{Name: f.name, Keys: words[1:], root: f}
		} else if len(words) > 1 {
			f.flags, f.as, _ = strings.Cut(words[1], "=")
		}
		path = append(path[:depth], f)
		if depth > 0 {
			path[depth-1].kids = append(path[depth-1].kids, f)
		}
	}
	return out
}

// Object is what is to become of an object, or what one is: a tree of which each element is left, cleared or set.
type Object struct {
	Kind *Kind
	Element
	err error // the first wrong element: whoever sends the object hears of it
}

// New is an object of which everything is left as it is.
func (k *Kind) New() *Object { return &Object{Kind: k, Element: Element{Name: k.Name}} }

// Of is an object as the cluster showed it.
func (k *Kind) Of(e *Element) *Object { return &Object{Kind: k, Element: *e} }

// Err is the first thing that was wrong with a Set, Clear or Put.
func (o *Object) Err() error { return o.err }

func (o *Object) wrong(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("%s: "+format+": %w", append(append([]any{o.Kind.Name}, args...), dayone.ErrInvalid)...)
	}
}

// Set gives the element at a path a text; an empty one clears it.
func (o *Object) Set(path, text string) *Object {
	if f, e := o.place(path); e != nil {
		switch {
		case len(f.kids) > 0 || f.is('x'):
			o.wrong("%s holds elements, not a text", path)
		case f.is('b') && !slices.Contains([]string{"true", "false", "t", "f", "1", "0"}, text):
			o.wrong("%s is true or false", path)
		default:
			e.Text, e.Kids, e.UUID = text, nil, ""
		}
	}
	return o
}

// Clear empties the element at a path.
func (o *Object) Clear(path string) *Object {
	if f, e := o.place(path); e != nil {
		switch {
		case f.is('b'):
			o.wrong("%s is true or false, it cannot be empty", path)
		case f.is('+'):
			o.wrong("%s cannot be emptied: AXL wants one element at least", path)
		default:
			e.Text, e.Kids, e.UUID = "", nil, ""
		}
	}
	return o
}

// Leave takes the element at a path out of the write: the cluster keeps what it has.
func (o *Object) Leave(path string) *Object {
	up := &o.Element
	if dir, last, deep := cutLast(path); deep {
		if up, path = o.At(dir), last; up == nil {
			return o
		}
	}
	up.Kids = slices.DeleteFunc(up.Kids, func(e *Element) bool { return e.Name == path })
	return o
}

// Put writes a whole list, such as "lines" or "associatedGroups": AXL has no other way. What is not in it is gone after.
func (o *Object) Put(path string, items ...*Element) *Object {
	if len(items) == 0 {
		return o.Clear(path)
	}
	f, e := o.place(path)
	if e == nil {
		return o
	}
	for _, it := range items {
		if k := f.kid(it.Name); !f.is('x') && k == nil {
			o.wrong("%s holds no %s", path, it.Name)
			return o
		}
	}
	e.Text, e.UUID, e.Kids = "", "", items
	return o
}

// place finds the element at a path, or makes it where the table has it.
func (o *Object) place(path string) (*field, *Element) {
	f, e := o.Kind.root, &o.Element
	for name := range strings.SplitSeq(path, "/") {
		next := f.kid(name)
		switch {
		case next == nil:
			o.wrong("there is no %s", path)
			return nil, nil
		case next.is('r'):
			o.wrong("%s is shown only", path)
			return nil, nil
		case next.is('*'):
			o.wrong("%s may stand several times: put the whole list", path)
			return nil, nil
		}
		kid := e.kid(name)
		if kid == nil {
			kid = &Element{Name: name}
			e.Text, e.Kids = "", append(e.Kids, kid)
		}
		f, e = next, kid
	}
	return f, e
}

// ordered is an element as it is written: its elements in the table's order, without what the cluster only shows.
func (f *field) ordered(e *Element, path string) (*Element, error) {
	out := &Element{Name: e.Name, CTI: e.CTI, Text: e.Text}
	if f.is('x') {
		out.Kids = e.Kids
		return out, nil
	}
	for _, k := range e.Kids {
		if f.kid(k.Name) == nil {
			return nil, fmt.Errorf("there is no %s%s: %w", path, k.Name, dayone.ErrInvalid)
		}
	}
	for _, kf := range f.kids {
		n := 0
		for _, k := range e.Kids {
			if k.Name != kf.name || kf.is('r') {
				continue
			}
			if n++; n > 1 && !kf.is('*') {
				return nil, fmt.Errorf("%s%s stands twice: %w", path, k.Name, dayone.ErrInvalid)
			}
			w, err := kf.ordered(k, path+k.Name+"/")
			if err != nil {
				return nil, err
			}
			out.Kids = append(out.Kids, w)
		}
		if n == 0 && kf.is('!') && !kf.is('*') && path != "" && len(e.Kids) > 0 {
			return nil, fmt.Errorf("%s%s is missing: %w", path, kf.name, dayone.ErrInvalid)
		}
	}
	return out, nil
}

// forAdd is the object as addUser and its like take it.
func (o *Object) forAdd() (*Element, error) {
	if o.err != nil {
		return nil, o.err
	}
	out, err := o.Kind.root.ordered(&o.Element, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Kind.Name, err)
	}
	for _, f := range o.Kind.root.kids {
		if f.is('!') && out.kid(f.name) == nil {
			return nil, fmt.Errorf("%s: %s is missing: %w", o.Kind.Name, f.name, dayone.ErrInvalid)
		}
	}
	return out, nil
}

// forUpdate is the change as updateUser and its like take it: what finds the object first, then what changes.
func (o *Object) forUpdate(key Key) ([]*Element, error) {
	if o.err != nil {
		return nil, o.err
	}
	ordered, err := o.Kind.root.ordered(&o.Element, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Kind.Name, err)
	}
	out := key.elements(o.Kind)
	for _, e := range ordered.Kids {
		f := o.Kind.root.kid(e.Name)
		if f.is('a') {
			return nil, fmt.Errorf("%s: %s is set when it is made, and not again: %w", o.Kind.Name, e.Name, dayone.ErrInvalid)
		}
		if f.as != "" {
			e.Name = f.as
		}
		out = append(out, e)
	}
	return out, nil
}

// Key finds one object: by its uuid, else by what its kind is found by.
type Key struct {
	UUID   string
	Values []string // in the order of Kind.Keys
}

// By is the key of an object by name; a line's is pattern and partition.
func By(values ...string) Key { return Key{Values: values} }

func (k Key) elements(kind *Kind) []*Element {
	if k.UUID != "" {
		return []*Element{Leaf("uuid", "{"+strings.ToUpper(k.UUID)+"}")}
	}
	var out []*Element
	for i, name := range kind.Keys {
		out = append(out, Leaf(name, k.Values[i]))
	}
	return out
}

func (k Key) String() string {
	if k.UUID != "" {
		return k.UUID
	}
	return strings.TrimSuffix(strings.Join(k.Values, " in "), " in ")
}

// secret names are those of elements that hold a secret, in any object.
var secrets = func() map[string]bool {
	out := map[string]bool{}
	var walk func(*field)
	walk = func(f *field) {
		if f.is('s') {
			out[f.name] = true
		}
		for _, k := range f.kids {
			walk(k)
		}
	}
	for _, k := range kinds {
		walk(k.root)
	}
	return out
}()

// String is the element for a log: secrets are hidden.
func (e *Element) String() string {
	var b bytes.Buffer
	e.hidden().write(&b)
	return b.String()
}

func (e *Element) hidden() *Element {
	out := *e
	out.Kids = nil
	for _, k := range e.Kids {
		out.Kids = append(out.Kids, k.hidden())
	}
	if secrets[e.Name] && !e.empty() {
		out.Text, out.Kids = "[redacted]", nil
	}
	return &out
}
