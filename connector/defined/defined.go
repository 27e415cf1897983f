// Package defined is what connectors share whose system a company describes itself, in the setting "definition": how a
// definition is read, which accounts and kinds it makes of a manifest, and what becomes of an action that it does not
// describe. That is a task for a human, with a text that says what to do; never nothing. It must not know how a system is
// reached.
package defined

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Setting is where a definition stands.
const Setting = "definition"

// Faults are what is wrong with a definition: all of it, not the first.
type Faults []string

// Add takes one more.
func (f *Faults) Add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// Error is all of them as one, or nil.
func (f Faults) Error() error {
	if len(f) == 0 {
		return nil
	}
	return &connector.SettingError{Setting: Setting, Text: "the definition is not complete: " + strings.Join(f, "; ")}
}

var inType = regexp.MustCompile(`field (\S+) not found in type \S+`)

// Read reads a definition strictly: what it does not know is an error with its line.
func Read(text string, into any) error {
	bad := func(text, hint string) error {
		return &connector.SettingError{Setting: Setting, Text: "the definition " + text, Hint: hint}
	}
	if strings.TrimSpace(text) == "" {
		return bad("is empty", "the connector's page has an example")
	}
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	var wrong *yaml.TypeError
	switch err := dec.Decode(into); {
	case errors.As(err, &wrong):
		for i, e := range wrong.Errors {
			wrong.Errors[i] = inType.ReplaceAllString(e, `there is no "$1" here`)
		}
		return bad("cannot be read: "+strings.Join(wrong.Errors, "; "), "")
	case err != nil:
		return bad("cannot be read: "+strings.TrimPrefix(err.Error(), "yaml: "), "indent with blanks, and put quotes around what begins with { [ or *")
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return bad("holds more than one document", "take what follows --- out")
	}
	return nil
}

// Decode reads one node into a struct as strictly as Read does: a type that reads itself has to ask for it.
func Decode(n *yaml.Node, into any) error {
	known := fields(reflect.TypeOf(into).Elem())
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; !slices.Contains(known, k.Value) {
				return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: there is no %q here; there are %s", k.Line, k.Value, strings.Join(known, ", "))}}
			}
		}
	}
	return n.Decode(into)
}

func fields(t reflect.Type) (out []string) {
	for f := range t.Fields() {
		name, inline, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case inline == "inline":
			out = append(out, fields(f.Type)...)
		case name != "" && name != "-":
			out = append(out, name)
		}
	}
	return out
}

// Attribute is one attribute: where it is read, and with what it is filled. A definition may write only where.
type Attribute struct {
	At       string `yaml:"at"`       // where it stands in what the system shows; none: it is only sent, once
	From     string `yaml:"from"`     // ${person.email}; a common attribute has one of its own
	Secret   string `yaml:"secret"`   // recipe: password:20
	Type     string `yaml:"type"`     // text, int or bool: what the system takes
	Required bool   `yaml:"required"` //
	Once     bool   `yaml:"once"`
	ReadOnly bool   `yaml:"read_only"`
	Max      int    `yaml:"max"`
}

func (a *Attribute) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&a.At)
	}
	type plain Attribute
	return Decode(n, (*plain)(a))
}

// Written says whether it is sent when an account is changed.
func (a Attribute) Written() bool { return !a.ReadOnly && !a.Once && a.Secret == "" && a.At != "" }

// Words are one word or a list of them.
type Words []string

func (w *Words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = Words{n.Value}
		return nil
	}
	var list []yaml.Node
	if err := n.Decode(&list); err != nil {
		return err
	}
	for _, x := range list {
		*w = append(*w, x.Value)
	}
	return nil
}

// State says by which words a system shows how an account stands.
type State struct {
	At       string `yaml:"at"`
	Active   Words  `yaml:"active"`
	Pending  Words  `yaml:"pending"`
	Disabled Words  `yaml:"disabled"`
	Gone     Words  `yaml:"gone"` // there only to be remembered
}

// Of is the state behind a word. One that nobody has named is an error: what is not understood is not closed.
func (s *State) Of(word string) (dayone.State, error) {
	switch {
	case s == nil, slices.Contains(s.Active, word):
		return dayone.Active, nil
	case slices.Contains(s.Disabled, word):
		return dayone.Disabled, nil
	case slices.Contains(s.Pending, word):
		return dayone.Pending, nil
	case slices.Contains(s.Gone, word):
		return dayone.Gone, nil
	}
	return "", fmt.Errorf("an account shows the state %q, which the definition does not name; add it below accounts.state: %w", word, dayone.ErrInvalid)
}

// Account is what a definition says of accounts, whatever brings it about.
type Account struct {
	Title      string               `yaml:"title"`
	ID         string               `yaml:"id"`
	Created    string               `yaml:"created"`
	Attributes map[string]Attribute `yaml:"attributes"`
	State      *State               `yaml:"state"`
	ByHand     map[string]string    `yaml:"by_hand"`
}

// Calls are what a definition describes of accounts.
type Calls struct {
	Create, Update, Enable, Disable, Delete bool
	Find                                    []string // attributes by which one is found
	BornClosed                              bool     // one can be made that is not open
}

func (c Calls) actions() (out []string) {
	for _, a := range []struct {
		name string
		can  bool
	}{{"create", c.Create}, {"update", c.Update}, {"enable", c.Enable}, {"disable", c.Disable}, {"delete", c.Delete}} {
		if a.can {
			out = append(out, a.name)
		}
	}
	return out
}

var actions = []string{"create", "update", "enable", "disable", "delete"}

// Shape makes the manifest's account the one that is defined.
func (a Account) Shape(m *connector.Manifest, can Calls, f *Faults) {
	common := m.Account.Attributes
	as := map[string]connector.Attribute{}
	if a.ID == "" {
		f.Add("accounts.id is missing: where the id of an account stands, which never changes")
	}
	if len(a.Attributes) == 0 {
		f.Add("accounts.attributes is missing: at least one of %s", strings.Join(slices.Sorted(maps.Keys(common)), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Attributes)) {
		at := a.Attributes[name]
		as[name] = at.shape(name, common[name], f)
	}
	if a.State == nil && (can.Enable || can.Disable) {
		f.Add("accounts.state is missing: without it nobody sees whether an account that was closed is closed")
	}
	if s := a.State; s != nil {
		if len(s.Active) == 0 || s.At == "" {
			f.Add("accounts.state needs at and active: where the state stands, and by which words an account is open")
		}
		if can.Disable && len(s.Disabled) == 0 {
			f.Add("accounts.state.disabled is missing: by which words an account is closed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.ByHand)) {
		if !slices.Contains(actions, name) {
			f.Add("accounts.by_hand has no %q; it has %s", name, strings.Join(actions, ", "))
		}
	}
	if can.Create && !can.Disable && !can.Delete && a.ByHand["disable"] == "" {
		f.Add("accounts can be made and neither closed nor deleted: add accounts.disable or accounts.delete, or say in accounts.by_hand.disable what a human does when somebody leaves")
	}
	if can.Create && len(can.Find) == 0 {
		f.Add("accounts can be made and not found: add accounts.list, or accounts.find for an attribute, so that none is made twice")
	}
	m.Account.Attributes, m.Account.Actions, m.Account.Manual = as, can.actions(), a.manual()
	m.Account.Match = slices.DeleteFunc(slices.Clone(m.Account.Match), func(by string) bool { return !slices.Contains(can.Find, by) })
	if len(m.Account.Match) == 0 && len(can.Find) > 0 {
		f.Add("nobody can be recognised: accounts.attributes needs one of employee_number, login, email, with its place")
	}
	if a.Title != "" {
		m.Account.Title = a.Title
	}
	m.Account.States = map[dayone.State]dayone.State{dayone.Staged: dayone.Active}
	if can.Enable && (can.BornClosed || can.Disable) {
		m.Account.States[dayone.Staged] = dayone.Disabled
	}
	if !can.Disable && can.Delete {
		m.Account.States[dayone.Disabled] = dayone.Gone
	}
}

func (at Attribute) shape(name string, common connector.Attribute, f *Faults) connector.Attribute {
	out := connector.Attribute{
		From: at.From, Secret: at.Secret, Required: at.Required, ReadOnly: at.ReadOnly || common.ReadOnly, Once: at.Once || at.At == "" || at.Secret != "",
		Max: at.Max, Help: common.Help,
	}
	if out.From == "" && out.Secret == "" && !out.ReadOnly {
		out.From = common.From
	}
	if out.ReadOnly && at.At == "" {
		f.Add("attribute %s is only shown, and nobody says where", name)
	}
	if !slices.Contains([]string{"", "text", "int", "bool"}, at.Type) {
		f.Add("attribute %s has the type %q; it can be text, int or bool", name, at.Type)
	}
	return out
}

// Given says that somebody sends an attribute: it is not only shown.
func (a Account) Given(m *connector.Manifest) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(a.Attributes)) {
		if !m.Account.Attributes[name].ReadOnly {
			out = append(out, name)
		}
	}
	return out
}

func (a Account) manual() map[string]string {
	out := map[string]string{}
	for action, text := range a.ByHand {
		out[action] = strings.TrimRight(strings.TrimSpace(text), ".")
	}
	return out
}

// Kind is what a definition says of one kind of what hangs on accounts.
type Kind struct {
	Title  string            `yaml:"title"`
	Roles  []string          `yaml:"roles"`
	ID     string            `yaml:"id"`
	Name   string            `yaml:"name"`
	Role   string            `yaml:"role"` // where the role stands, if the system shows it
	ByHand map[string]string `yaml:"by_hand"`
}

var kindName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Shape makes a manifest's kind of it. list: what there is can be read.
func (k Kind) Shape(m *connector.Manifest, name string, list, held, add, remove bool, f *Faults) {
	out := connector.Kind{Title: k.Title, Needs: []string{dayone.AccountKindName}, Roles: k.Roles, Catalogue: list, Manual: map[string]string{}}
	if !kindName.MatchString(name) || name == dayone.AccountKindName {
		f.Add("%q is no name for a kind: lower case letters and digits", name)
	}
	if !held {
		f.Add("kinds.%s.held is missing: what nobody can read nobody can take back", name)
	}
	if add && !remove && k.ByHand["remove"] == "" {
		f.Add("kinds.%s can be given and not taken: add remove, or say in by_hand.remove what a human does", name)
	}
	for action, text := range k.ByHand {
		if action != "add" && action != "remove" {
			f.Add("kinds.%s.by_hand has no %q; it has add and remove", name, action)
		}
		out.Manual[action] = strings.TrimRight(strings.TrimSpace(text), ".")
	}
	if add {
		out.Actions = append(out.Actions, "add")
	}
	if remove {
		out.Actions = append(out.Actions, "remove")
	}
	if m.Kinds == nil {
		m.Kinds = map[string]connector.Kind{}
	}
	m.Kinds[name] = out
}

// words for what a human does, where the definition has none: with the thing, then the system.
var words = map[string][2]string{
	"create":  {"making account", "make the account in %[2]s, then complete this task with its id there"},
	"update":  {"changing account", "change in %[2]s %[1]s; then complete this task"},
	"enable":  {"opening account", "open %[1]s in %[2]s, then complete this task"},
	"disable": {"closing account", "close %[1]s in %[2]s, then complete this task"},
	"delete":  {"deleting account", "delete %[1]s in %[2]s, then complete this task"},
	"add":     {"adding", "give %[1]s in %[2]s, then complete this task"},
	"remove":  {"removing", "take %[1]s away in %[2]s, then complete this task"},
}

// ByHand is the error of an action that nothing is defined for: somebody does it, and reads here what and where.
func ByHand(system string, m *connector.Manifest, manual map[string]string, action, what string) error {
	w := words[action]
	next := fmt.Sprintf(w[1], what, m.Title)
	if said := manual[action]; said != "" {
		next = said
		if what != "" {
			next += " (" + what + ")"
		}
	}
	return &dayone.Fault{System: system, Op: w[0], Err: dayone.ErrUnsupported, Detail: "the definition of " + m.Title + " leaves it to a human", Next: next}
}

// Change names an account and what is to become of it, for whoever does it by hand.
func Change(ref string, changed dayone.Attrs) string {
	var list []string
	for _, name := range changed.Names() {
		list = append(list, strings.ReplaceAll(name, "_", " ")+" = "+changed[name].String())
	}
	return "the account " + ref + ": " + strings.Join(list, ", ")
}
