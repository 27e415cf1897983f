package policy

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/dayone-hq/dayone"
)

// Limits on untrusted expressions. They bind on truth tables and single persons, never on a whole workforce.
const (
	maxExpressionSize  = 10_000
	maxExpressionNodes = 2_000
	maxRegexProgram    = 500
	maxCost            = 1_000_000
)

// Object types that an expression can see.
const (
	personType     = "hr.Person"
	customType     = "hr.Custom"
	engagementType = "hr.Engagement"
	siteType       = "hr.Site"
	listsType      = "hr.Lists"
)

// object is one typed structure of an expression: missing fields are unknown, and reading one is an error, not false.
type object struct {
	typ    *types.Type
	fields map[string]ref.Val
}

func (o *object) Type() ref.Type { return o.typ }
func (o *object) Value() any     { return o }
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	return types.Bool(ok && p == o)
}

func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s cannot become %v", o.typ.TypeName(), t)
}

func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t.TypeName() == types.TypeType.TypeName() {
		return o.typ
	}
	return types.NewErr("%s cannot become %s", o.typ.TypeName(), t.TypeName())
}

// provider types the objects above and leaves everything else to CEL.
type provider struct {
	types.Provider
	structs map[string]map[string]*types.Type
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.structs[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.structs[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	return names, true
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := p.structs[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	t, ok := fields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type: t,
		IsSet: func(target any) bool {
			o, ok := target.(*object)
			return ok && o.fields[field] != nil
		},
		GetFrom: func(target any) (any, error) {
			o, ok := target.(*object)
			if !ok || o.fields[field] == nil {
				return nil, &unread{strings.TrimPrefix(name, "hr."), field}
			}
			return o.fields[field], nil
		},
	}, true
}

// unread is a field of which nothing is known.
type unread struct{ of, field string }

func (u *unread) Error() string { return u.of + "." + u.field + " is unknown" }

// name is the attribute as explanations call it.
func (u *unread) name() string {
	if u.of == "Person" {
		return u.field
	}
	return strings.ToLower(u.of) + "." + u.field
}

func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.structs[name]; ok {
		return types.NewErr("%s cannot be made in an expression", name)
	}
	return p.Provider.NewValue(name, fields)
}

func celType(k dayone.ValueKind) *types.Type {
	switch k {
	case dayone.IntValue:
		return types.IntType
	case dayone.BoolValue:
		return types.BoolType
	case dayone.DateValue:
		return types.TimestampType
	case dayone.ListValue:
		return types.NewListType(types.StringType)
	default:
		return types.StringType
	}
}

// newEnv types expressions against a schema: person, site, lists and today, and nothing else.
func newEnv(s Schema) (*cel.Env, *provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, nil, err
	}
	person, custom := map[string]*types.Type{}, map[string]*types.Type{}
	for name, a := range s.Attributes {
		if own, ok := strings.CutPrefix(name, "custom."); ok {
			custom[own] = celType(a.Type)
			continue
		}
		person[name] = celType(a.Type)
	}
	person["custom"] = types.NewObjectType(customType)
	person["engagements"] = types.NewListType(types.NewObjectType(engagementType))
	lists := map[string]*types.Type{}
	for name := range s.Lists {
		lists[name] = types.NewListType(types.StringType)
	}
	p := &provider{Provider: registry, structs: map[string]map[string]*types.Type{
		personType: person,
		customType: custom,
		engagementType: {
			"type": types.StringType, "source": types.StringType, "start": types.TimestampType, "last_day": types.TimestampType, "primary": types.BoolType,
		},
		siteType: {
			"name": types.StringType, "country": types.StringType, "zone": types.StringType, "address": types.StringType,
			"numbers": types.StringType, "facts": types.NewMapType(types.StringType, types.StringType),
		},
		listsType: lists,
	}}
	env, err := cel.NewEnv(
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(registry),
		cel.Variable("person", types.NewObjectType(personType)),
		cel.Variable("site", types.NewObjectType(siteType)),
		cel.Variable("lists", types.NewObjectType(listsType)),
		cel.Variable("today", types.TimestampType),
		cel.ParserExpressionSizeLimit(maxExpressionSize),
		cel.ExpressionNodeLimit(maxExpressionNodes),
		cel.RegexProgramSizeLimit(maxRegexProgram),
		cel.ParserRecursionLimit(100),
		cel.EnableMacroCallTracking(), // parts of a condition are shown as they were written
	)
	return env, p, err
}

// celValue is a value as expressions see it. Dates are midnight UTC: calendar days, not instants.
func celValue(v dayone.Value) ref.Val {
	switch v.Kind {
	case dayone.IntValue:
		n, ok := v.Int()
		if !ok {
			return nil
		}
		return types.Int(n)
	case dayone.BoolValue:
		return types.Bool(v.Bool())
	case dayone.DateValue:
		d, ok := v.Day()
		if !ok {
			return nil
		}
		return types.Timestamp{Time: d}
	case dayone.ListValue:
		return types.NewStringList(types.DefaultTypeAdapter, v.Items())
	default:
		return types.String(v.Text)
	}
}

// nounValue is the way back; want is the type that is asked for.
func nounValue(v ref.Val, want dayone.ValueKind) (dayone.Value, error) {
	switch x := v.(type) {
	case types.String:
		if want == dayone.DateValue {
			d, err := time.Parse(time.DateOnly, string(x))
			if err != nil {
				return dayone.Value{}, fmt.Errorf("%q is no date: %w", string(x), dayone.ErrInvalid)
			}
			return dayone.Date(d), nil
		}
		return dayone.Text(string(x)), nil
	case types.Int:
		return dayone.Int(int64(x)), nil
	case types.Bool:
		return dayone.Bool(bool(x)), nil
	case types.Timestamp:
		return dayone.Date(x.UTC()), nil
	case *object:
		return dayone.Value{}, fmt.Errorf("%s as a whole is no value: %w", x.typ.TypeName(), dayone.ErrInvalid)
	}
	if l, err := v.ConvertToNative(reflect.TypeFor[[]string]()); err == nil {
		return dayone.List(l.([]string)...), nil
	}
	return dayone.Value{}, fmt.Errorf("%s is no value that can be given: %w", v.Type().TypeName(), dayone.ErrInvalid)
}

// world is what one evaluation sees: a person, her site, the lists and her calendar day. What nobody reads is not laid out.
type world struct {
	set    *Set
	of     *dayone.Person
	now    time.Time
	person *object
	site   *object
	today  types.Timestamp
}

// ResolveName gives CEL a variable.
func (w *world) ResolveName(name string) (any, bool) {
	switch name {
	case "person":
		if w.person == nil {
			w.person = w.set.personOf(w.of)
		}
		return w.person, true
	case "site":
		if w.site == nil {
			w.site = siteOf(w.of.Site)
		}
		return w.site, true
	case "lists":
		return w.set.lists, true
	case "today":
		return w.day(), true
	}
	return nil, false
}

// Parent is part of what CEL asks for; there is none.
func (w *world) Parent() cel.Activation { return nil }

// day is the calendar day where she is, as midnight UTC.
func (w *world) day() types.Timestamp {
	if w.today.IsZero() {
		w.today = types.Timestamp{Time: dayAt(w.of, w.now)}
	}
	return w.today
}

func dayAt(p *dayone.Person, now time.Time) time.Time {
	zone, _ := p.Location()
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func textFields(pairs ...string) map[string]ref.Val {
	out := map[string]ref.Val{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = types.String(pairs[i+1])
		}
	}
	return out
}

// worldOf is what expressions about p see at an instant, which gives the calendar day where she works.
func (s *Set) worldOf(p *dayone.Person, now time.Time) *world { return &world{set: s, of: p, now: now} }

// personOf lays a person out for expressions.
func (s *Set) personOf(p *dayone.Person) *object {
	person := &object{types.NewObjectType(personType), make(map[string]ref.Val, len(p.Attrs)+4)}
	custom := &object{types.NewObjectType(customType), map[string]ref.Val{}}
	for name, v := range p.Attrs {
		a, ok := s.Schema.Attributes[name]
		if !ok || a.Type != v.Kind {
			continue // a value of another type is not known
		}
		if own, ok := strings.CutPrefix(name, "custom."); ok {
			custom.fields[own] = celValue(v)
			continue
		}
		person.fields[name] = celValue(v)
	}
	person.fields["custom"] = custom
	person.fields["id"] = types.String(p.ID)
	person.fields["status"] = types.String(p.Status)
	engagements := make([]ref.Val, 0, len(p.Engagements))
	for _, e := range p.Engagements {
		f := textFields("type", e.Type, "source", e.Source)
		for name, day := range map[string]string{"start": e.Start, "last_day": e.LastDay} {
			if v := celValue(dayone.Value{Kind: dayone.DateValue, Text: day}); v != nil {
				f[name] = v
			}
		}
		f["primary"] = types.Bool(e.Primary)
		engagements = append(engagements, &object{types.NewObjectType(engagementType), f})
	}
	person.fields["engagements"] = types.NewRefValList(types.DefaultTypeAdapter, engagements)
	return person
}

func siteOf(s dayone.Site) *object {
	site := &object{types.NewObjectType(siteType), textFields("name", s.Name, "country", s.Country, "zone", s.Zone,
		"address", s.Address, "numbers", s.Numbers)}
	if s.Facts != nil {
		site.fields["facts"] = types.NewStringStringMap(types.DefaultTypeAdapter, s.Facts)
	}
	return site
}
