package rest

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/connector/defined"
)

// definition is an application as a company describes it.
type definition struct {
	Title    string             `yaml:"title"`
	Lag      connector.Duration `yaml:"lag"`
	Headers  map[string]string  `yaml:"headers"`
	Limits   limits             `yaml:"limits"`
	Paging   *paging            `yaml:"paging"`
	Error    errorBody          `yaml:"error"`
	Errors   []rule             `yaml:"errors"`
	Accounts accounts           `yaml:"accounts"`
	Kinds    map[string]*kind   `yaml:"kinds"`
}

type limits struct {
	Concurrency int            `yaml:"concurrency"`
	PerMinute   int            `yaml:"per_minute"`
	Paths       map[string]int `yaml:"paths"` // requests a minute below a path
}

// errorBody is where the application says what is wrong.
type errorBody struct {
	Code   pointer `yaml:"code"`
	Detail pointer `yaml:"detail"`
}

// rule says what a refusal means, where its status does not say enough.
type rule struct {
	Status numbers       `yaml:"status"` // none: any refusal
	At     pointer       `yaml:"at"`     // and what stands there
	Is     defined.Words `yaml:"is"`     // is one of these
	Kind   string        `yaml:"kind"`
	Next   string        `yaml:"next"` // what somebody does about it
	err    error
}

type accounts struct {
	defined.Account `yaml:",inline"`
	Get             *call            `yaml:"get"`
	List            *call            `yaml:"list"`
	Find            map[string]*call `yaml:"find"`
	Create          *call            `yaml:"create"`
	Update          calls            `yaml:"update"`
	Enable          calls            `yaml:"enable"`
	Disable         calls            `yaml:"disable"`
	Delete          calls            `yaml:"delete"`
	Revoke          calls            `yaml:"revoke"` // sessions and tokens, whenever an account is closed
}

type kind struct {
	defined.Kind `yaml:",inline"`
	List         *call `yaml:"list"`
	Held         *held `yaml:"held"`
	Add          calls `yaml:"add"`
	Change       calls `yaml:"change"` // of the role; none: adding does it, or it is taken and given anew
	Remove       calls `yaml:"remove"`
}

// held says how one sees what an account holds: in the account itself, by asking about the account, or by asking each
// thing who has it.
type held struct {
	call    `yaml:",inline"`
	In      *pointer `yaml:"in"`      // a list inside the account
	ID      *pointer `yaml:"id"`      // in one entry; the kind's own if it is not said
	Name    *pointer `yaml:"name"`    //
	Account *pointer `yaml:"account"` // the path names ${id}: where the id of an account stands in one who has it
}

// call is one request.
type call struct {
	Method string            `yaml:"method"`
	Path   string            `yaml:"path"`
	Query  map[string]string `yaml:"query"`
	Body   yaml.Node         `yaml:"body"`
	Form   map[string]string `yaml:"form"`
	Item   pointer           `yaml:"item"`   // where the account stands in the answer
	Items  *pointer          `yaml:"items"`  // where a list stands in it
	Paging *paging           `yaml:"paging"` // the definition's own if it is not said
	Whole  bool              `yaml:"whole"`  // a change sends everything, not only what changed

	path  template
	query map[string]template
	body  body
	form  map[string]template
}

// compile reads a call's templates.
func (c *call) compile() error {
	c.Method = strings.ToUpper(cmp.Or(c.Method, http.MethodGet))
	if !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, c.Method) {
		return fmt.Errorf("there is no method %s", c.Method)
	}
	if !strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?# ") {
		return fmt.Errorf("path is %q; it begins with a slash, and what follows ? stands below query", c.Path)
	}
	if !c.Body.IsZero() && len(c.Form) > 0 {
		return errors.New("a call has a body or a form, not both")
	}
	if !c.Item.valid() || c.Items != nil && !c.Items.valid() {
		return errors.New("item and items are JSON pointers: /data, or \"\" for the whole answer")
	}
	var err error
	if c.path, err = parse(c.Path); err != nil {
		return err
	}
	texts := func(m map[string]string) map[string]template {
		out := map[string]template{}
		for name, s := range m {
			t, bad := parse(s)
			out[name], err = t, cmp.Or(err, bad)
		}
		return out
	}
	if c.query, c.form = texts(c.Query), texts(c.Form); err != nil || c.Body.IsZero() {
		return err
	}
	c.body, err = parseBody(&c.Body)
	return err
}

func (c *call) refs() []string {
	out := append(c.path.refs(), c.body.refs()...)
	for _, m := range []map[string]template{c.query, c.form} {
		for _, t := range m {
			out = append(out, t.refs()...)
		}
	}
	return out
}

// calls are one or several, made in this order.
type calls []*call

func (cs *calls) UnmarshalYAML(n *yaml.Node) error {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, x := range list {
		c := &call{}
		if err := defined.Decode(x, c); err != nil {
			return err
		}
		*cs = append(*cs, c)
	}
	return nil
}

func (cs calls) refs() (out []string) {
	for _, c := range cs {
		out = append(out, c.refs()...)
	}
	return out
}

// paging is how a long list comes.
type paging struct {
	By        string  `yaml:"by"`        // page, offset, cursor, link, none
	Parameter string  `yaml:"parameter"` // of the query
	First     int     `yaml:"first"`     // number of the first page
	Size      string  `yaml:"size"`      // parameter that asks for a size
	Most      int     `yaml:"most"`      // the size
	Next      pointer `yaml:"next"`      // where the answer has the next cursor, or its address
	Total     pointer `yaml:"total"`     // where it says how many there are
}

func (p *paging) UnmarshalYAML(n *yaml.Node) error {
	type plain paging
	*p = paging{First: 1}
	if err := defined.Decode(n, (*plain)(p)); err != nil {
		return err
	}
	why := ""
	switch {
	case !slices.Contains([]string{"page", "offset", "cursor", "link", "none"}, p.By):
		why = "by can be page, offset, cursor, link or none"
	case p.By != "link" && p.By != "none" && p.Parameter == "":
		why = "parameter is missing: the one of the query that asks for a " + p.By
	case p.By == "cursor" && p.Next == "":
		why = "next is missing: where the answer has the next cursor"
	case (p.Size == "") != (p.Most == 0):
		why = "size and most belong together: the parameter, and how many it asks for"
	case !p.Next.valid() || !p.Total.valid():
		why = "next and total are JSON pointers: /meta/next"
	default:
		return nil
	}
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s", n.Line, why)}}
}

// numbers are one or several.
type numbers []int

func (s *numbers) UnmarshalYAML(n *yaml.Node) error {
	var words defined.Words
	if err := words.UnmarshalYAML(n); err != nil {
		return err
	}
	for _, w := range words {
		i, err := strconv.Atoi(w)
		if err != nil || i < 100 || i > 599 {
			return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is no HTTP status", n.Line, w)}}
		}
		*s = append(*s, i)
	}
	return nil
}

// Shape makes of the manifest the application that is defined.
func Shape(m *connector.Manifest, settings map[string]string) error {
	_, err := read(m, settings[defined.Setting])
	return err
}

// read reads a definition, judges it, and makes the manifest fit.
func read(m *connector.Manifest, text string) (*definition, error) {
	d := &definition{}
	if err := defined.Read(text, d); err != nil {
		return nil, err
	}
	var f defined.Faults
	for name, c := range d.calls() {
		if err := c.compile(); err != nil {
			f.Add("%s: %v", name, err)
		}
	}
	if len(f) > 0 {
		return nil, f.Error()
	}
	for name, c := range d.calls() {
		if c.Items != nil && c.Paging == nil && d.Paging == nil {
			f.Add("%s.paging is missing, and nobody would see that only the first page was read: say how lists come, by: none if they come whole", name)
		}
	}
	d.rules(&f)
	d.accounts(m, &f)
	for _, name := range slices.Sorted(maps.Keys(d.Kinds)) {
		d.kind(m, name, &f)
	}
	m.Lag = cmp.Or(d.Lag, m.Lag)
	m.Title = cmp.Or(d.Title, m.Title)
	if d.Limits.Concurrency > 0 {
		m.Limits.Concurrency = d.Limits.Concurrency
	}
	if d.Limits.PerMinute > 0 {
		m.Limits.Buckets["default"] = connector.Bucket{PerMinute: d.Limits.PerMinute}
	}
	for path, n := range d.Limits.Paths {
		m.Limits.Buckets[path] = connector.Bucket{Match: path, PerMinute: n}
	}
	return d, f.Error()
}

func (d *definition) rules(f *defined.Faults) {
	if !d.Error.Code.valid() || !d.Error.Detail.valid() {
		f.Add("error.code and error.detail are JSON pointers: /error/code")
	}
	var known []string
	for _, k := range dayone.Kinds {
		if k != dayone.ErrUnsupported && k != dayone.ErrDryRun {
			known = append(known, k.Error())
		}
	}
	for i := range d.Errors {
		r := &d.Errors[i]
		for _, k := range dayone.Kinds {
			if k.Error() == r.Kind && slices.Contains(known, r.Kind) {
				r.err = k
			}
		}
		switch {
		case r.err == nil:
			f.Add("errors %d: there is no kind %q; there are %s", i+1, r.Kind, strings.Join(known, ", "))
		case !r.At.valid():
			f.Add("errors %d: at is a JSON pointer: /error/code", i+1)
		case len(r.Status) == 0 && len(r.Is) == 0:
			f.Add("errors %d: it needs a status, or at and is", i+1)
		}
	}
}

// accounts judges what is said of them.
func (d *definition) accounts(m *connector.Manifest, f *defined.Faults) {
	a := &d.Accounts
	can := defined.Calls{
		Create: a.Create != nil, Update: len(a.Update) > 0, Enable: len(a.Enable) > 0, Disable: len(a.Disable) > 0, Delete: len(a.Delete) > 0,
	}
	readable := func(by string) bool { return a.Attributes[by].At != "" }
	for _, by := range m.Account.Match {
		if readable(by) && (a.List != nil || a.Find[by] != nil) {
			can.Find = append(can.Find, by)
		}
	}
	can.BornClosed = a.Create != nil && slices.Contains(a.Create.refs(), "active")
	for by := range a.Find {
		if !slices.Contains(m.Account.Match, by) || !readable(by) {
			f.Add("accounts.find.%s: %s, and their place among the attributes is needed: what an application finds is looked at before it is believed", by, strings.Join(m.Account.Match, ", ")+" can be looked for")
		}
	}
	if a.Get == nil && a.List == nil {
		f.Add("accounts cannot be read: add accounts.get or accounts.list")
	}
	if a.List != nil && a.List.Items == nil {
		f.Add("accounts.list.items is missing: where the list stands in the answer, \"\" if it is the answer")
	}
	pointers := map[string]string{"id": a.ID, "created": a.Created}
	for name, at := range a.Attributes {
		pointers["attributes."+name] = at.At
	}
	if a.State != nil {
		pointers["state.at"] = a.State.At
	}
	for _, name := range slices.Sorted(maps.Keys(pointers)) {
		if !pointer(pointers[name]).valid() {
			f.Add("accounts.%s is %q; a JSON pointer begins with a slash: /%[2]s", name, pointers[name])
		}
	}
	a.Shape(m, can, f)
	d.named(m, f)
}

// calls are all of them, each with its place.
func (d *definition) calls() iter.Seq2[string, *call] {
	return func(yield func(string, *call) bool) {
		a := &d.Accounts
		all := map[string]calls{
			"accounts.get": {a.Get}, "accounts.list": {a.List}, "accounts.create": {a.Create}, "accounts.update": a.Update, "accounts.enable": a.Enable,
			"accounts.disable": a.Disable, "accounts.delete": a.Delete, "accounts.revoke": a.Revoke,
		}
		for by, c := range a.Find {
			all["accounts.find."+by] = calls{c}
		}
		for name, k := range d.Kinds {
			if k == nil {
				continue
			}
			all["kinds."+name+".list"], all["kinds."+name+".add"], all["kinds."+name+".change"], all["kinds."+name+".remove"] = calls{k.List}, k.Add, k.Change, k.Remove
			if k.Held != nil && k.Held.In == nil {
				all["kinds."+name+".held"] = calls{&k.Held.call}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(all)) {
			for _, c := range all[name] {
				if c != nil && !yield(name, c) {
					return
				}
			}
		}
	}
}

// may are the names that a call's templates may hold, by its place.
func (d *definition) may(name string, sent []string) []string {
	switch {
	case name == "accounts.list", strings.HasSuffix(name, ".list"):
		return nil
	case strings.HasPrefix(name, "accounts.find."):
		return []string{"value"}
	case name == "accounts.create":
		return append(slices.Clone(sent), "active", "once")
	case name == "accounts.update":
		return append(slices.Clone(sent), "id")
	case strings.HasPrefix(name, "accounts."):
		return []string{"id"}
	case strings.HasSuffix(name, ".held"):
		return []string{"account", "id"}
	}
	return []string{"account", "id", "name", "role"}
}

// named finds what calls name and nobody knows, and attributes that no call sends.
func (d *definition) named(m *connector.Manifest, f *defined.Faults) {
	a := &d.Accounts
	sent := a.Given(m)
	for place, c := range d.calls() {
		known := d.may(place, sent)
		for _, name := range c.refs() {
			if !slices.Contains(known, name) {
				f.Add("%s names ${%s}; %s", place, name, cmp.Or(dayone.Meant(name, known), "it can name "+cmp.Or(strings.Join(known, ", "), "nothing")))
			}
		}
	}
	for _, name := range sent {
		if a.Create != nil && !slices.Contains(a.Create.refs(), name) {
			f.Add("accounts.create does not send ${%s}: add it to the body, or say %[1]s: {at: ..., read_only: true}", name)
		}
		if a.Attributes[name].Written() && len(a.Update) > 0 && !slices.Contains(a.Update.refs(), name) {
			f.Add("accounts.update does not send ${%s}: add it to the body, or say %[1]s: {at: ..., once: true}", name)
		}
	}
}

func (d *definition) kind(m *connector.Manifest, name string, f *defined.Faults) {
	k := d.Kinds[name]
	if k == nil {
		f.Add("kinds.%s is empty", name)
		k = &kind{}
		d.Kinds[name] = k
	}
	if k.List != nil && (k.List.Items == nil || k.ID == "" || k.Name == "") {
		f.Add("kinds.%s needs id, name and list.items: where a list of them has what", name)
	}
	if len(k.Change) > 0 && len(k.Roles) == 0 {
		f.Add("kinds.%s.change is for roles, and there are none", name)
	}
	if h := k.Held; h != nil && h.In == nil {
		switch {
		case h.Items == nil:
			f.Add("kinds.%s.held.items is missing: where the list stands in the answer, \"\" if it is the answer", name)
		case h.Account != nil && k.List == nil:
			f.Add("kinds.%s.held asks each of them who has it, and needs kinds.%[1]s.list for that", name)
		}
	}
	k.Shape(m, name, k.List != nil, k.Held != nil, len(k.Add) > 0, len(k.Remove) > 0, f)
}
