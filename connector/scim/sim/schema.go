package sim

import (
	"fmt"
	"maps"
	"strings"
)

// Attribute of a schema. RFC 7643, section 2.
type Attribute struct {
	Bool     bool // else text
	Many     bool
	ReadOnly bool
	Required bool
	Unique   bool
	Max      int // characters
	Sub      map[string]Attribute
}

// Schema is the attributes of a resource by name, and those of its extensions below their URNs.
type Schema map[string]Attribute

const (
	userURN    = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN   = "urn:ietf:params:scim:schemas:core:2.0:Group"
	Enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

func texts(names ...string) map[string]Attribute {
	out := map[string]Attribute{}
	for _, n := range names {
		out[n] = Attribute{}
	}
	return out
}

// values are the sub-attributes that most lists have.
func values(more ...string) map[string]Attribute {
	out := texts(append(more, "value", "display", "type", "$ref")...)
	out["primary"] = Attribute{Bool: true}
	return out
}

// common are the attributes of every resource; a client may send what only the server writes, and is not heard.
func common() map[string]Attribute {
	out := texts("externalId")
	out["schemas"] = Attribute{Many: true}
	out["id"] = Attribute{ReadOnly: true}
	out["meta"] = Attribute{ReadOnly: true, Sub: texts("resourceType", "created", "lastModified", "location", "version")}
	return out
}

// UserSchema is the core schema of users with the enterprise extension. RFC 7643, sections 4.1 and 4.3.
func UserSchema() Schema {
	s := texts("displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "password")
	maps.Copy(s, common())
	s["userName"] = Attribute{Required: true, Unique: true}
	s["active"] = Attribute{Bool: true}
	s["name"] = Attribute{Sub: texts("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")}
	for _, n := range []string{"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"} {
		s[n] = Attribute{Many: true, Sub: values()}
	}
	s["addresses"] = Attribute{Many: true, Sub: values("formatted", "streetAddress", "locality", "region", "postalCode", "country")}
	s["groups"] = Attribute{Many: true, ReadOnly: true, Sub: values()}
	enterprise := texts("employeeNumber", "costCenter", "organization", "division", "department")
	enterprise["manager"] = Attribute{Sub: texts("value", "$ref", "displayName")}
	s[Enterprise] = Attribute{Sub: enterprise}
	return s
}

// GroupSchema is the core schema of groups. RFC 7643, section 4.2.
func GroupSchema() Schema {
	s := common()
	s["displayName"] = Attribute{Required: true}
	s["members"] = Attribute{Many: true, Sub: values()}
	return s
}

// Error of a server. RFC 7644, section 3.12.
type Error struct {
	Status int
	Type   string // scimType
	Detail string
}

func (e *Error) Error() string { return e.Detail }

func invalid(scimType, format string, args ...any) *Error {
	return &Error{400, scimType, fmt.Sprintf(format, args...)}
}

// named is an attribute by its name in any case.
func named(in map[string]Attribute, name string) (string, Attribute, bool) {
	for n, a := range in {
		if strings.EqualFold(n, name) {
			return n, a, true
		}
	}
	return name, Attribute{}, false
}

// read takes an object as it was sent: known names in their own spelling, values of their types, nothing read-only.
func read(in map[string]any, as map[string]Attribute) (map[string]any, *Error) {
	out := map[string]any{}
	for k, v := range in {
		name, a, ok := named(as, k)
		switch {
		case !ok:
			return nil, invalid("invalidSyntax", "Attribute %s is not defined.", k)
		case a.ReadOnly:
			continue
		}
		v, err := readValue(name, v, a)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[name] = v
		}
	}
	return out, nil
}

func readValue(name string, v any, a Attribute) (any, *Error) {
	if v == nil {
		return nil, nil
	}
	if !a.Many {
		return readOne(name, v, a)
	}
	es, ok := v.([]any)
	if !ok {
		return nil, invalid("invalidValue", "Attribute %s is multi-valued.", name)
	}
	var out []any
	primary := 0
	for _, e := range es {
		e, err := readOne(name, e, a)
		if err != nil {
			return nil, err
		}
		if m, ok := e.(map[string]any); ok && m["primary"] == true {
			primary++
		}
		out = append(out, e)
	}
	if primary > 1 {
		return nil, invalid("invalidValue", "Attribute %s has more than one primary value.", name)
	}
	if out == nil {
		return nil, nil // empty is unassigned
	}
	return out, nil
}

func readOne(name string, v any, a Attribute) (any, *Error) {
	switch {
	case a.Sub != nil:
		m, ok := v.(map[string]any)
		if !ok {
			return nil, invalid("invalidValue", "Attribute %s is complex.", name)
		}
		out, err := read(m, a.Sub)
		if err != nil || len(out) == 0 {
			return nil, err
		}
		return out, nil
	case a.Bool:
		if _, ok := v.(bool); !ok {
			return nil, invalid("invalidValue", "Attribute %s is boolean.", name)
		}
	default:
		s, ok := v.(string)
		if !ok {
			return nil, invalid("invalidValue", "Attribute %s is a string.", name)
		}
		if a.Max > 0 && len([]rune(s)) > a.Max {
			return nil, invalid("invalidValue", "Attribute %s is longer than %d characters.", name, a.Max)
		}
	}
	return v, nil
}

// complete says what is missing from a whole resource.
func complete(r Resource, s Schema) *Error {
	declared := map[string]bool{}
	for _, u := range elements(r["schemas"]) {
		declared[strings.ToLower(fmt.Sprint(u))] = true
	}
	for n, a := range s {
		if strings.HasPrefix(n, "urn:") && r[n] != nil && !declared[strings.ToLower(n)] {
			return invalid("invalidSyntax", "Schema %s is used but not declared.", n)
		}
		if v := r[n]; a.Required && (v == nil || v == "") {
			return invalid("invalidValue", "Attribute %s is required.", n)
		}
	}
	return nil
}
