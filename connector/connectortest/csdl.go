package connectortest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// CSDL validates each request against an OData schema (Common Schema Definition Language, as Microsoft Graph has it): paths,
// names in query options, and names, types and enum members in bodies. Requests whose path does not begin with the prefix are
// not the service's. An open type is taken to have the properties that the schema names and no others.
func CSDL(file, prefix string) func(t *testing.T) Validator {
	return func(t *testing.T) Validator {
		t.Helper()
		path := SpecificationFile(file)
		if path == "" {
			t.Logf("requests are not validated: %s is not here; set DAYONE_SPECS to the folder that has it", file)
			return nothing{}
		}
		once, _ := loaded.LoadOrStore(path, sync.OnceValues(func() (*csdl, error) { return readCSDL(path) }))
		schema, err := once.(func() (*csdl, error))()
		if err != nil {
			t.Fatalf("loading %s: %v", file, err)
		}
		return &odata{schema, prefix}
	}
}

type csdl struct {
	types map[string]*csdlType // by name without its namespace
	enums map[string]map[string]bool
	sets  map[string]string // entity sets: the type in them
	one   map[string]string // singletons
	ops   []csdlOp
}

type csdlType struct {
	Name  string     `xml:"Name,attr"`
	Base  string     `xml:"BaseType,attr"`
	Props []csdlProp `xml:"Property"`
	Navs  []csdlProp `xml:"NavigationProperty"`
}

type csdlProp struct {
	Name string `xml:"Name,attr"`
	Type string `xml:"Type,attr"`
	nav  bool
}

// csdlOp is an action or a function; its first parameter is what it is bound to.
type csdlOp struct {
	Name   string     `xml:"Name,attr"`
	Params []csdlProp `xml:"Parameter"`
	action bool
}

func readCSDL(path string) (*csdl, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Schemas []struct {
			Entities []*csdlType `xml:"EntityType"`
			Complex  []*csdlType `xml:"ComplexType"`
			Enums    []struct {
				Name    string     `xml:"Name,attr"`
				Members []csdlProp `xml:"Member"`
			} `xml:"EnumType"`
			Actions   []csdlOp `xml:"Action"`
			Functions []csdlOp `xml:"Function"`
			Container struct {
				Sets []struct {
					Name string `xml:"Name,attr"`
					Type string `xml:"EntityType,attr"`
				} `xml:"EntitySet"`
				Singletons []csdlProp `xml:"Singleton"`
			} `xml:"EntityContainer"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	c := &csdl{types: map[string]*csdlType{}, enums: map[string]map[string]bool{}, sets: map[string]string{}, one: map[string]string{}}
	for _, s := range doc.Schemas {
		for _, t := range append(s.Entities, s.Complex...) {
			for i := range t.Navs {
				t.Navs[i].nav = true
			}
			c.types[t.Name] = t
		}
		for _, e := range s.Enums {
			c.enums[e.Name] = map[string]bool{}
			for _, m := range e.Members {
				c.enums[e.Name][m.Name] = true
			}
		}
		for _, a := range s.Actions {
			a.action = true
			c.ops = append(c.ops, a)
		}
		c.ops = append(c.ops, s.Functions...)
		for _, e := range s.Container.Sets {
			c.sets[e.Name] = bare(e.Type)
		}
		for _, e := range s.Container.Singletons {
			c.one[e.Name] = bare(e.Type)
		}
	}
	if len(c.types) == 0 || len(c.sets) == 0 {
		return nil, fmt.Errorf("%s: there are no types or no entity sets in it", path)
	}
	return c, nil
}

// bare is a type's name without namespace and collection.
func bare(typ string) string {
	typ = element(typ)
	return typ[strings.LastIndex(typ, ".")+1:]
}

func element(typ string) string {
	return strings.TrimSuffix(strings.TrimPrefix(typ, "Collection("), ")")
}

func isCollection(typ string) bool { return strings.HasPrefix(typ, "Collection(") }

// is says whether a type is another, or derived from it.
func (c *csdl) is(typ, base string) bool {
	for n := typ; n != ""; {
		if n == base {
			return true
		}
		t := c.types[n]
		if t == nil {
			return false
		}
		n = bare(t.Base)
	}
	return false
}

// property finds one by name in a type and those it is derived from; loosely, also in those that are derived from it, since
// a list of directory objects may be asked for what only some of them have.
func (c *csdl) property(typ, name string, loosely bool) (csdlProp, bool) {
	for n := typ; n != ""; {
		t := c.types[n]
		if t == nil {
			break
		}
		for _, p := range append(append([]csdlProp{}, t.Props...), t.Navs...) {
			if p.Name == name {
				return p, true
			}
		}
		n = bare(t.Base)
	}
	if name == "id" && c.is(typ, "entity") {
		return csdlProp{Name: "id", Type: "Edm.String"}, true
	}
	if loosely {
		for n := range c.types {
			if n != typ && c.is(n, typ) {
				if p, ok := c.property(n, name, false); ok {
					return p, true
				}
			}
		}
	}
	return csdlProp{}, false
}

// place is where a path leads.
type place struct {
	typ  string
	list bool
	ref  bool
	raw  bool // $value, $count
	op   *csdlOp
}

func (c *csdl) walk(path string) (place, error) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	at := place{}
	switch first := segments[0]; {
	case c.sets[first] != "":
		at = place{typ: c.sets[first], list: true}
	case c.one[first] != "":
		at = place{typ: c.one[first]}
	default:
		return at, fmt.Errorf("there is no entity set %q", first)
	}
	for _, s := range segments[1:] {
		if at.ref || at.raw || at.op != nil {
			return at, fmt.Errorf("nothing comes after what is before %q", s)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(s, "microsoft.graph."), "()")
		cast := name != s && c.types[name] != nil
		switch op := c.bound(name, at); {
		case s == "":
			return at, fmt.Errorf("there is an empty segment in %s", path)
		case s == "$ref":
			at.ref = true
		case s == "$value" || s == "$count":
			at.raw = true
		case cast && !c.is(name, at.typ):
			return at, fmt.Errorf("%s is no %s", name, at.typ)
		case cast:
			at.typ = name
		case op != nil:
			at.op = op
		case at.list:
			at.list = false // a key
		default:
			p, ok := c.property(at.typ, s, false)
			if !ok {
				return at, fmt.Errorf("%s has no %q", at.typ, s)
			}
			at = place{typ: bare(p.Type), list: isCollection(p.Type)}
		}
	}
	return at, nil
}

// bound finds an action or function that may be called at a place.
func (c *csdl) bound(name string, at place) *csdlOp {
	for i, o := range c.ops {
		if o.Name == name && len(o.Params) > 0 && isCollection(o.Params[0].Type) == at.list && c.is(at.typ, bare(o.Params[0].Type)) {
			return &c.ops[i]
		}
	}
	return nil
}

type odata struct {
	*csdl
	prefix string
}

func (o *odata) Validate(r *http.Request, body []byte) error {
	path, ours := strings.CutPrefix(r.URL.Path, o.prefix)
	if !ours {
		return nil
	}
	if path == "/$batch" {
		return o.batch(r, body)
	}
	at, err := o.walk(path)
	if err != nil {
		return err
	}
	for name, vs := range r.URL.Query() {
		for _, v := range vs {
			if err := o.option(at.typ, name, v); err != nil {
				return err
			}
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		switch {
		case len(body) > 0:
			return fmt.Errorf("a %s has no body", r.Method)
		case at.op != nil && at.op.action:
			return fmt.Errorf("%s is an action: it is called by POST", at.op.Name)
		case r.Method == http.MethodDelete && at.list:
			return fmt.Errorf("a list of %s cannot be deleted", at.typ)
		}
		return nil
	}
	return o.write(r.Method, at, body)
}

// batch judges each call of a JSON batch: twenty at most, with ids of their own, and addresses below the prefix.
func (o *odata) batch(r *http.Request, body []byte) error {
	var in struct {
		Requests []struct {
			ID, Method, URL string
			Body            json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("the batch does not read: %w", err)
	}
	if n := len(in.Requests); n == 0 || n > 20 || r.Method != http.MethodPost {
		return fmt.Errorf("a batch is a POST of 1 to 20 calls, and this is a %s of %d", r.Method, n)
	}
	ids := map[string]bool{}
	for _, q := range in.Requests {
		if q.ID == "" || ids[q.ID] {
			return fmt.Errorf("the id %q stands twice in a batch, or is none", q.ID)
		}
		ids[q.ID] = true
		one, err := http.NewRequestWithContext(r.Context(), q.Method, "http://x"+o.prefix+q.URL, nil)
		if err != nil {
			return err
		}
		if err := o.Validate(one, q.Body); err != nil {
			return fmt.Errorf("%s %s: %w", q.Method, q.URL, err)
		}
	}
	return nil
}

func (o *odata) write(method string, at place, body []byte) error {
	var v any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &v); err != nil {
			return fmt.Errorf("the body is no JSON: %w", err)
		}
	}
	m, isObject := v.(map[string]any)
	switch {
	case at.op != nil && at.op.action && method == http.MethodPost:
		for name, v := range m {
			p, ok := parameter(at.op, name)
			if !ok {
				return fmt.Errorf("%s has no parameter %q", at.op.Name, name)
			}
			if err := o.value(p.Type, v); err != nil {
				return fmt.Errorf("%s.%w", name, err)
			}
		}
		if n := len(at.op.Params) - 1; n > 0 && v == nil {
			return fmt.Errorf("%s wants %d parameters in its body", at.op.Name, n)
		}
		return nil
	case !isObject:
		return fmt.Errorf("%s wants an object as its body", method)
	case at.ref && (method == http.MethodPut || method == http.MethodPost):
		if id, ok := m["@odata.id"].(string); !ok || !strings.Contains(id, "://") || len(m) != 1 {
			return fmt.Errorf("a reference is {\"@odata.id\": URL}")
		}
		return nil
	case at.op == nil && (method == http.MethodPost && at.list || method == http.MethodPatch && !at.list):
		return o.object(at.typ, m)
	}
	return fmt.Errorf("%s cannot be done to %s here", method, at.typ)
}

// parameter of an action; their case does not count.
func parameter(op *csdlOp, name string) (csdlProp, bool) {
	for _, p := range op.Params[1:] {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return csdlProp{}, false
}

func (o *odata) object(typ string, m map[string]any) error {
	if t, ok := m["@odata.type"].(string); ok {
		if d := bare(strings.TrimPrefix(t, "#")); o.is(d, typ) {
			typ = d
		} else {
			return fmt.Errorf("%s is no %s", t, typ)
		}
	}
	for name, v := range m {
		if strings.HasPrefix(name, "@odata.") {
			continue
		}
		plain, bind := strings.CutSuffix(name, "@odata.bind")
		p, ok := o.property(typ, plain, false)
		switch {
		case !ok:
			return fmt.Errorf("%s has no property %q", typ, plain)
		case bind && !p.nav:
			return fmt.Errorf("%s.%s links to nothing", typ, plain)
		case bind:
			continue
		}
		if err := o.value(p.Type, v); err != nil {
			return fmt.Errorf("%s.%w", name, err)
		}
	}
	return nil
}

var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (o *odata) value(typ string, v any) error {
	if isCollection(typ) {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v is no list", v)
		}
		for _, x := range list {
			if err := o.value(element(typ), x); err != nil {
				return err
			}
		}
		return nil
	}
	if v == nil {
		return nil
	}
	s, isText := v.(string)
	name := bare(typ)
	ok := false
	switch {
	case !strings.HasPrefix(typ, "Edm.") && o.enums[name] != nil:
		ok = isText
		for word := range strings.SplitSeq(s, ",") {
			ok = ok && o.enums[name][word]
		}
	case !strings.HasPrefix(typ, "Edm."):
		m, is := v.(map[string]any)
		if !is {
			return fmt.Errorf("%v is no %s", v, name)
		}
		return o.object(name, m)
	case name == "Boolean":
		_, ok = v.(bool)
	case name == "Guid":
		ok = guid.MatchString(s)
	case name == "DateTimeOffset":
		_, err := time.Parse(time.RFC3339Nano, s)
		ok = err == nil
	case strings.HasPrefix(name, "Int") || name == "Double":
		_, ok = v.(float64)
	default:
		ok = isText
	}
	if !ok {
		return fmt.Errorf("%v is no %s", v, name)
	}
	return nil
}

var (
	literal = regexp.MustCompile(`'(?:[^']|'')*'`)
	word    = regexp.MustCompile(`[A-Za-z_][\w/.$]*`)
	keyword = map[string]bool{
		"eq": true, "ne": true, "gt": true, "ge": true, "lt": true, "le": true, "and": true, "or": true, "not": true, "in": true, "null": true, "true": true,
		"false": true, "startswith": true, "startsWith": true, "endswith": true, "endsWith": true, "contains": true, "asc": true, "desc": true,
	}
)

// option judges a query option.
func (o *odata) option(typ, name, v string) error {
	known := func(property string) error {
		property, _, _ = strings.Cut(property, "/")
		if _, ok := o.property(typ, property, true); !ok {
			return fmt.Errorf("%s: %s has no %q", name, typ, property)
		}
		return nil
	}
	switch name {
	case "$select":
		for p := range strings.SplitSeq(v, ",") {
			if err := known(p); err != nil {
				return err
			}
		}
	case "$filter", "$orderby":
		for _, p := range word.FindAllString(literal.ReplaceAllString(v, ""), -1) {
			if keyword[p] {
				continue
			}
			if err := known(p); err != nil {
				return err
			}
		}
	case "$expand":
		return o.expand(typ, v)
	case "$top", "$count", "$search", "$skiptoken", "$deltatoken", "$format":
	default:
		return fmt.Errorf("there is no query option %q", name)
	}
	return nil
}

// expand judges name, or name($select=a,b;$top=1).
func (o *odata) expand(typ, v string) error {
	name, nested, has := strings.Cut(v, "(")
	p, ok := o.property(typ, name, true)
	if !ok || !p.nav {
		return fmt.Errorf("$expand: %s leads from %s to nothing", name, typ)
	}
	if !has {
		return nil
	}
	for opt := range strings.SplitSeq(strings.TrimSuffix(nested, ")"), ";") {
		k, v, _ := strings.Cut(opt, "=")
		if err := o.option(bare(p.Type), k, v); err != nil {
			return err
		}
	}
	return nil
}
