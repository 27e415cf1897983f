package policy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Schemas are JSON Schemas (draft-07) of the files of a folder, by file name. Editors complete and check with them; they
// hold the attributes, values, entitlements, roles and templates that there are. Policies need not load for that: who
// has a typo needs the schema most.
func Schemas(fsys fs.FS, known Known) (map[string][]byte, []Diagnostic) {
	r := &reader{fsys: fsys}
	s := r.surroundings(known.Systems, func(*file) {})
	diags := r.finish()
	if Failed(diags) {
		return nil, diags
	}
	out := map[string][]byte{}
	for name, of := range schemaFiles() {
		w := &drafts{set: s, known: known, defs: map[string]draft{}}
		d := w.shape(of)
		d["$schema"] = "http://json-schema.org/draft-07/schema#"
		d["title"] = of.what
		if len(w.defs) > 0 {
			d["definitions"] = w.defs
		}
		raw, err := json.MarshalIndent(d, "", " ")
		if err != nil {
			return nil, []Diagnostic{{Position: Position{File: name}, Code: "schema", Message: err.Error()}}
		}
		out[name] = append(raw, '\n')
	}
	return out, diags
}

func schemaFiles() map[string]*shape {
	return map[string]*shape{
		"policy.schema.json": &policyFileShape, "product.schema.json": &productFileShape, "exception.schema.json": &exceptionFileShape, "test.schema.json": &testFileShape,
		"people.schema.json": &peopleShape, "sites.schema.json": &sitesShape, "holidays.schema.json": &holidaysShape, "catalog.schema.json": &catalogueShape,
	}
}

// shapeOf is what a file of a policy folder holds, by its name; nil: it is none of them. The name may begin above the
// folder.
func shapeOf(name string) *shape {
	parts := strings.Split(name, "/")
	switch parts[len(parts)-1] {
	case "people.yaml":
		return &peopleShape
	case "sites.yaml":
		return &sitesShape
	case HolidaysFile:
		return &holidaysShape
	}
	for _, dir := range slices.Backward(parts[:len(parts)-1]) {
		switch dir {
		case "catalog":
			return &catalogueShape
		case "policies", "broken":
			return &policyFileShape
		case "products":
			return &productFileShape
		case "exceptions":
			return &exceptionFileShape
		case "tests":
			return &testFileShape
		}
	}
	return nil
}

// IsFile says whether a file belongs to a policy folder, by its name.
func IsFile(name string) bool { return shapeOf(name) != nil }

// Files are all that a policy folder is made of.
func Files(fsys fs.FS) []string {
	var out []string
	for _, name := range []string{"people.yaml", "sites.yaml", HolidaysFile} {
		if _, err := fs.Stat(fsys, name); err == nil {
			out = append(out, name)
		}
	}
	for _, dir := range []string{"catalog", "products", "policies", "exceptions", "tests"} {
		out = append(out, glob(fsys, dir)...)
	}
	return out
}

// draft is one schema.
type draft map[string]any

// drafts writes the schemas of one file.
type drafts struct {
	set   *Set
	known Known
	defs  map[string]draft
}

func (w *drafts) shape(s *shape) draft {
	props, must := draft{}, []string{}
	for _, k := range s.keys {
		v := w.value(k.is)
		if k.help != "" {
			if _, isRef := v["$ref"]; isRef { // draft-07 reads nothing beside a $ref
				v = draft{"allOf": []draft{v}}
			}
			v["description"] = k.help
		}
		props[k.name] = v
		if k.must {
			must = append(must, k.name)
		}
	}
	d := draft{"type": "object", "properties": props, "additionalProperties": false}
	if len(must) > 0 {
		d["required"] = must
	}
	if s.more != nil {
		s.more(w, d)
	}
	return d
}

func (w *drafts) value(v value) draft {
	switch {
	case v.say != nil:
		return maps.Clone(v.say(w))
	case v.form == recordForm:
		return w.ref(v.of.what, func() draft { return w.shape(v.of) })
	case v.form == listForm:
		return draft{"type": "array", "items": w.value(*v.elem)}
	default:
		return draft{"type": "object", "additionalProperties": w.value(*v.elem)}
	}
}

var notWord = regexp.MustCompile(`[^a-z]+`)

// ref puts a schema among the definitions, once.
func (w *drafts) ref(name string, make func() draft) draft {
	name = notWord.ReplaceAllString(strings.TrimPrefix(strings.TrimPrefix(name, "a "), "an "), "-")
	if _, there := w.defs[name]; !there {
		w.defs[name] = draft{} // against a shape that holds itself
		w.defs[name] = make()
	}
	return draft{"$ref": "#/definitions/" + name}
}

func oneOrMany(d draft) draft {
	return draft{"anyOf": []draft{d, {"type": "array", "items": d}}}
}

// scalar: YAML reads 2024 and true as other things than text; here they are text.
func scalarDraft() draft { return draft{"type": []string{"string", "number", "boolean"}} }
func dayDraft() draft    { return draft{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`} }

// Plain values.
var (
	aText      = say(func(*drafts) draft { return scalarDraft() })
	someTexts  = say(func(*drafts) draft { return oneOrMany(scalarDraft()) })
	aFlag      = saying(draft{"type": "boolean"})
	aDay       = say(func(*drafts) draft { return dayDraft() })
	anID       = saying(draft{"type": []string{"string", "number"}, "minLength": 1})
	aCondition = saying(draft{"type": []string{"string", "boolean"}})
	aMoment    = saying(draft{"type": "string"})
	aLength    = saying(draft{"type": "string", "pattern": `^(now|\d{1,4}[mhdw])$`})
)

func oneOfThese(ws []string) value { return saying(draft{"enum": ws}) }
func someOf(ws []string) value     { return saying(oneOrMany(draft{"enum": ws})) }

func statusWords() []string { return wordsOf(dayone.Statuses) }

// wordsOf are the words but some.
func wordsOf[T ~string](all []T, but ...T) []string {
	var out []string
	for _, w := range all {
		if !slices.Contains(but, w) {
			out = append(out, string(w))
		}
	}
	return out
}

// moments are words, and the attributes whose change is one.
func (w *drafts) moments() draft {
	return oneOrMany(draft{"anyOf": []draft{{"enum": momentWords}, w.value(record(&changedShape))}})
}

func (w *drafts) attributes() draft { return oneOrMany(draft{"enum": w.set.Schema.Names()}) }

// match is everyone, or attributes with the values that they can have.
func (w *drafts) match() draft {
	props := draft{}
	for name, a := range w.set.Schema.Attributes {
		props[name] = oneOrMany(a.draft())
	}
	return draft{"anyOf": []draft{
		{"const": everyone},
		{"type": "object", "minProperties": 1, "properties": props, "additionalProperties": false},
	}}
}

// draft is one value of the attribute, as files write it.
func (a Attribute) draft() draft {
	if a.Closed() {
		var values []any
		for _, v := range a.Values {
			values = append(values, v)
			if as := asYAML(v); as != any(v) {
				values = append(values, as)
			}
		}
		return draft{"enum": values}
	}
	switch a.Type {
	case dayone.IntValue:
		return draft{"type": "integer"}
	case dayone.BoolValue:
		return draft{"type": "boolean"}
	case dayone.DateValue:
		return dayDraft()
	default:
		return scalarDraft()
	}
}

// asYAML is what an unquoted text is to an editor: 7 is a number.
func asYAML(s string) any {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return n
	}
	switch s {
	case "true":
		return true
	case "false":
		return false
	}
	return s
}

func (w *drafts) somebody() draft {
	return w.ref("person", func() draft {
		props := draft{}
		for name, a := range w.set.Schema.Attributes {
			d := a.draft()
			if a.Type == dayone.ListValue {
				d = oneOrMany(d)
			}
			props[name] = d
		}
		return draft{"type": "object", "properties": props, "additionalProperties": false}
	})
}

func (w *drafts) somebodies() draft {
	return draft{"type": "object", "additionalProperties": w.somebody()}
}

// keys are all that can be named; grantable leaves out what cannot be given.
func (w *drafts) keys(grantable bool) []string {
	var out []string
	for name, sys := range w.set.Systems {
		for kindName, kind := range sys.Kinds {
			if grantable && kind.ReadOnly != "" {
				continue
			}
			k := dayone.Key{System: name, Kind: kindName}
			if len(kind.Names) == 0 || k.IsAccount() {
				out = append(out, k.String())
				continue
			}
			for _, n := range kind.Names {
				k.Name = n
				out = append(out, k.String())
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// otherAccounts are admin accounts and such, and what hangs on them.
func otherAccounts() draft {
	var kinds []string
	for _, k := range dayone.AccountKinds {
		kinds = append(kinds, string(k))
	}
	of := strings.Join(kinds, "|")
	return draft{"type": "string", "pattern": `^([^/+]+/account:(` + of + `)|[^/+]+\+(` + of + `)/.+)$`}
}

func (w *drafts) entitlement() draft {
	return w.ref("entitlement", func() draft {
		return draft{"anyOf": []draft{{"enum": w.keys(true)}, otherAccounts()}}
	})
}

func (w *drafts) entitlements() draft {
	return oneOrMany(w.entitlement())
}

func (w *drafts) pair() draft {
	return draft{"type": "array", "items": w.entitlement(), "minItems": 2}
}

func (w *drafts) added() draft {
	return draft{"anyOf": []draft{w.entitlement(), w.value(record(&ruleShape))}}
}

func (w *drafts) expected() draft {
	known := w.ref("known", func() draft { return draft{"anyOf": []draft{{"enum": w.keys(false)}, otherAccounts()}} })
	return draft{"type": "array", "items": draft{"anyOf": []draft{known, w.value(record(&expectedShape))}}}
}

func (w *drafts) systems() draft {
	return oneOrMany(draft{"enum": sortedKeys(w.set.Systems)})
}

func (w *drafts) bundle() draft { return scalarDraft() } // bundles come and go while somebody writes

// domain is free; an editor offers those that come first.
func (w *drafts) domain() draft {
	return draft{"anyOf": []draft{{"enum": dayone.Domains}, {"type": "string", "minLength": 1}}}
}

func (w *drafts) template() draft   { return oneKnown(w.known.Templates) }
func (w *drafts) invitation() draft { return oneKnown(w.known.Invitations) }

func oneKnown(names []string) draft {
	if len(names) == 0 {
		return draft{"type": "string"}
	}
	return draft{"enum": names}
}

func (w *drafts) recipients() draft {
	return oneOrMany(draft{"anyOf": []draft{{"enum": recipients}, {"type": "string", "pattern": `@|\$\{|/`}}})
}

func (w *drafts) sources() draft {
	return oneOrMany(draft{"type": "string", "pattern": `^[^.]+\..+$`})
}

func (w *drafts) leads() draft {
	return draft{"type": "object", "additionalProperties": draft{"type": "string", "pattern": `^(start|with-account|[+-]?\d{1,4}(d|wd|h))$`}}
}

// byKind says for each kind which roles and parameters it has.
func (w *drafts) byKind(d draft) {
	var out []draft
	for _, name := range sortedKeys(w.set.Systems) {
		sys := w.set.Systems[name]
		for _, kindName := range sortedKeys(sys.Kinds) {
			kind := sys.Kinds[kindName]
			then := draft{"role": false}
			if len(kind.Roles) > 0 {
				then["role"] = draft{"enum": kind.Roles}
			}
			props := draft{}
			for p, of := range kind.Params {
				props[p] = paramDraft(of)
			}
			then["params"] = draft{"type": "object", "properties": props, "additionalProperties": false}
			out = append(out, draft{
				"if": draft{
					"required":   []string{"to"},
					"properties": draft{"to": draft{"pattern": fmt.Sprintf(`^%s(\+[a-z-]+)?/%s(:|$)`, regexp.QuoteMeta(name), regexp.QuoteMeta(kindName))}},
				},
				"then": draft{"properties": then},
			})
		}
	}
	if len(out) > 0 {
		d["allOf"] = out
	}
}

func paramDraft(p dayone.Param) draft {
	of := Attribute{Type: typeNames[p.Type]}.draft()
	if p.Type == "string" || p.Type == "list" {
		return of
	}
	return draft{"anyOf": []draft{of, {"type": "string", "pattern": `\$\{`}}}
}
