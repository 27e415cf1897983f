package scim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Resource is a user or a group as it is shown and sent. Names of attributes are read in any case, as the standard wants.
// Paths are those of filters and patches:
//
//	userName, name.givenName, externalId
//	emails                                   the primary mail, else the one for work, else the first
//	phoneNumbers[type eq "mobile"].value     the one of that type, and no other
//	urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber
type Resource map[string]any

// Enterprise is the extension that carries employee number, department and manager.
const Enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func (r Resource) ID() string { return r.Text("id") }

// Text is the value at a path as text; "" if there is none.
func (r Resource) Text(path string) string { return text(r.at(parse(path))) }

// Active reads true, "true", "True"; a server that does not show it has only active users.
func (r Resource) Active() bool {
	s := r.Text("active")
	return s == "" || strings.EqualFold(s, "true")
}

// Created is meta.created; zero if it is missing or no time.
func (r Resource) Created() time.Time {
	t, _ := time.Parse(time.RFC3339, r.Text("meta.created"))
	return t.UTC()
}

// Values are the "value" of every element of a list: members, groups.
func (r Resource) Values(name string) []string {
	var out []string
	for _, e := range list(r[key(r, name)]) {
		out = append(out, text(e["value"]))
	}
	return out
}

// Set puts a value there. nil takes it out.
func (r Resource) Set(path string, v any) { r.set(parse(path), v) }

// Clone is deep enough to be changed by Set.
func (r Resource) Clone() Resource { return clone(map[string]any(r)).(map[string]any) }

// path is a parsed one: urn:name[key eq "match"].sub
type path struct{ urn, name, key, match, sub string }

func parse(s string) path {
	var p path
	head, rest, filtered := strings.Cut(s, "[")
	if strings.HasPrefix(head, "urn:") {
		i := strings.LastIndex(head, ":")
		p.urn, head = head[:i], head[i+1:]
	}
	if !filtered {
		p.name, p.sub, _ = strings.Cut(head, ".")
		return p
	}
	p.name = head
	filter, sub, _ := strings.Cut(rest, "]")
	p.sub = strings.TrimPrefix(sub, ".")
	p.key, p.match, _ = strings.Cut(filter, " eq ")
	p.match = strings.Trim(p.match, `"`)
	return p
}

// main says that the path means one mail address of many, whichever is the main one.
func (p path) main() bool { return p.name == "emails" && p.key == "" && p.sub == "" }

func (p path) many() bool { return p.key != "" || p.main() }

// head is the path of the whole attribute.
func (p path) head() string {
	if p.urn != "" {
		return p.urn + ":" + p.name
	}
	return p.name
}

// String is the path as filters and patches name it, without the choice of an element.
func (p path) String() string {
	if p.sub != "" {
		return p.head() + "." + p.sub
	}
	return p.head()
}

// filter is the path as a filter compares it.
func (p path) filter() string {
	if p.main() {
		return "emails.value"
	}
	return p.String()
}

// whole is the attribute that a path begins with: all elements of a list.
func (r Resource) whole(p path) any {
	in := map[string]any(r)
	if p.urn != "" {
		in, _ = in[key(in, p.urn)].(map[string]any)
	}
	return in[key(in, p.name)]
}

// at finds a value.
func (r Resource) at(p path) any {
	v := r.whole(p)
	switch {
	case p.many():
		es := list(v)
		i := p.pick(es)
		if i < 0 {
			return nil
		}
		if p.main() || p.sub == "" {
			return es[i]["value"]
		}
		return es[i][key(es[i], p.sub)]
	case p.sub == "":
		return v
	}
	if m, ok := v.(map[string]any); ok {
		return m[key(m, p.sub)]
	}
	return r[key(r, p.name+"."+p.sub)] // some servers write "name.formatted" as one word
}

// pick is the element of a list that the path means; -1 if there is none.
func (p path) pick(es []map[string]any) int {
	with := func(k, v string) int {
		return slices.IndexFunc(es, func(e map[string]any) bool { return strings.EqualFold(text(e[key(e, k)]), v) })
	}
	if !p.main() {
		return with(p.key, p.match)
	}
	if i := with("primary", "true"); i >= 0 {
		return i
	}
	if i := with("type", "work"); i >= 0 || len(es) == 0 {
		return i
	}
	return 0
}

func (r Resource) set(p path, v any) {
	in := map[string]any(r)
	if p.urn != "" {
		in = under(in, p.urn, v != nil)
	}
	switch {
	case in == nil:
	case p.many():
		in[key(in, p.name)] = p.put(list(in[key(in, p.name)]), v)
	case p.sub != "":
		if m := under(in, p.name, v != nil); m != nil {
			assign(m, p.sub, v)
		}
	default:
		assign(in, p.name, v)
	}
}

// put changes, adds or takes out the element that the path means.
func (p path) put(es []map[string]any, v any) []any {
	i := p.pick(es)
	switch {
	case i < 0 && v == nil:
	case i < 0:
		es = append(es, p.element(v))
	case v == nil:
		es = slices.Delete(es, i, i+1)
	default:
		assign(es[i], orValue(p.sub), v)
	}
	out := []any{}
	for _, e := range es {
		out = append(out, e)
	}
	return out
}

// element is a new one for a list that has none that fits.
func (p path) element(v any) map[string]any {
	if p.main() {
		return map[string]any{"value": v, "type": "work", "primary": true}
	}
	return map[string]any{p.key: p.match, orValue(p.sub): v}
}

func orValue(sub string) string {
	if sub == "" {
		return "value"
	}
	return sub
}

// under is the object below a name; made if it is missing and wanted.
func under(in map[string]any, name string, make bool) map[string]any {
	k := key(in, name)
	m, ok := in[k].(map[string]any)
	if !ok && make {
		m = map[string]any{}
		in[k] = m
	}
	return m
}

func assign(in map[string]any, name string, v any) {
	if v == nil {
		delete(in, key(in, name))
		return
	}
	in[key(in, name)] = v
}

// key is the name under which an object holds an attribute, whatever its case.
func key(in map[string]any, name string) string {
	if _, ok := in[name]; ok {
		return name
	}
	for k := range in {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// list reads a multi-valued attribute; plain values become elements with a value.
func list(v any) []map[string]any {
	vs, ok := v.([]any)
	if !ok && v != nil {
		vs = []any{v}
	}
	var out []map[string]any
	for _, e := range vs {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		} else if e != nil {
			out = append(out, map[string]any{"value": e})
		}
	}
	return out
}

func text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case map[string]any:
		return text(x["value"]) // a complex attribute where a plain one was expected: manager
	default:
		return fmt.Sprint(x)
	}
}

func clone(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := maps.Clone(x)
		for k, e := range out {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := slices.Clone(x)
		for i, e := range out {
			out[i] = clone(e)
		}
		return out
	default:
		return v
	}
}

// quote writes a filter's value: a JSON string, hence never more than one value, whatever is in it. Only what has to be
// is escaped, since some servers read no other escapes.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}
