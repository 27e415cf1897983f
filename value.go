package dayone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ValueKind says how a Value's text is to be read.
type ValueKind uint8

const (
	TextValue     ValueKind = iota // never interpreted: a person may be called "${okta.account.ref}"
	IntValue                       // decimal, canonical: no sign +, no leading zero
	BoolValue                      // "true" or "false"
	DateValue                      // 2006-01-02 in the worker's calendar
	ListValue                      // JSON array of strings, sorted, no duplicates
	TemplateValue                  // text with ${system.kind.attr}; "$$" stands for one dollar sign; made from files only
	SecretValue                    // a recipe such as "password:20", or VendorMade; the secret itself is made and sealed outside
)

var valueKindNames = [...]string{"text", "int", "bool", "date", "list", "template", "secret"}

func (k ValueKind) String() string {
	if int(k) < len(valueKindNames) {
		return valueKindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is tagged canonical text. Two values are the same when they are == to each other, and stay so through JSON.
type Value struct {
	Kind ValueKind
	Text string
}

func Text(s string) Value { return Value{TextValue, s} }
func Int(n int64) Value   { return Value{IntValue, strconv.FormatInt(n, 10)} }
func Bool(b bool) Value   { return Value{BoolValue, strconv.FormatBool(b)} }

// Date takes year, month and day of t as t's own location shows them.
func Date(t time.Time) Value { return Value{DateValue, t.Format(time.DateOnly)} }

func List(items ...string) Value {
	set := slices.Clone(items)
	slices.Sort(set)
	set = slices.Compact(set)
	if set == nil {
		set = []string{}
	}
	return Value{ListValue, marshalText(set)}
}

// Legible says that a text is what people write and read: UTF-8, without what a screen obeys instead of showing it, and without
// what is Hidden. Lines and tabs are no fault. PostgreSQL keeps no NUL, and no bytes that are no UTF-8.
func Legible(s string) bool { return written(s) && !strings.ContainsFunc(s, Hidden) }

// written is Legible but for what is Hidden.
func written(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// Hidden says that a character is not seen and makes a text another than it looks: it turns the direction of what follows, or has
// no width. Marks and joiners, which some scripts are written with, are none of them.
func Hidden(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200b' || r == '\u2060'
}

// IllegibleLine is the first line of a file that is no text, as an editor counts them; 0: all of it is text. What is Hidden
// in a cell does not stop a list: people take it out of names.
func IllegibleLine(file string) int {
	if written(file) {
		return 0
	}
	n := 0
	for line := range strings.SplitSeq(file, "\n") {
		if n++; !written(line) {
			break
		}
	}
	return n
}

func (v Value) IsZero() bool { return v == Value{} }

// String is what a person reads. Secrets show only their recipe.
func (v Value) String() string {
	if v.Kind == ListValue {
		return strings.Join(v.Items(), ", ")
	}
	return v.Text
}

// Int is zero and false when the value is no integer.
func (v Value) Int() (int64, bool) {
	if v.Kind != IntValue {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return n, err == nil
}

func (v Value) Bool() bool { return v.Kind == BoolValue && v.Text == "true" }

// Day is midnight UTC of a date value: a calendar day, not an instant in the worker's zone.
func (v Value) Day() (time.Time, bool) {
	if v.Kind != DateValue {
		return time.Time{}, false
	}
	t, err := time.Parse(time.DateOnly, v.Text)
	return t, err == nil
}

// Items are a list's members, or the value itself as the only one.
func (v Value) Items() []string {
	if v.Kind != ListValue {
		if v.Text == "" {
			return nil
		}
		return []string{v.Text}
	}
	var items []string
	if json.Unmarshal([]byte(v.Text), &items) != nil {
		return nil
	}
	return items
}

// MarshalJSON writes text as a string, numbers and booleans bare, lists as arrays and the rest as {"kind": text}.
func (v Value) MarshalJSON() ([]byte, error) { return v.append(nil), nil }

func (v Value) append(b []byte) []byte {
	switch v.Kind {
	case TextValue:
		return appendText(b, v.Text)
	case IntValue, BoolValue, ListValue:
		return append(b, v.Text...)
	default:
		b = appendText(append(b, '{'), v.Kind.String())
		return append(appendText(append(b, ':'), v.Text), '}')
	}
}

func (v *Value) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return fmt.Errorf("empty value: %w", ErrInvalid)
	}
	switch b[0] {
	case '"':
		v.Kind = TextValue
		if plain(b[1:]) {
			v.Text = string(b[1 : len(b)-1])
			return nil
		}
		return json.Unmarshal(b, &v.Text)
	case '[':
		var items []string
		if err := json.Unmarshal(b, &items); err != nil {
			return err
		}
		*v = List(items...)
		return nil
	case '{':
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil || len(m) != 1 {
			return fmt.Errorf("value %.40s is not one {kind: text}: %w", b, ErrInvalid)
		}
		for name, text := range m {
			i := slices.Index(valueKindNames[:], name)
			if i < int(DateValue) {
				return fmt.Errorf("value kind %q is unknown: %w", name, ErrInvalid)
			}
			*v = Value{ValueKind(i), text}
		}
		return nil
	case 't', 'f':
		*v = Bool(b[0] == 't')
		return nil
	default:
		n, err := strconv.ParseInt(string(b), 10, 64)
		if err != nil {
			return fmt.Errorf("value %.40s is neither text, whole number, truth, list nor {kind: text}: %w", b, ErrInvalid)
		}
		*v = Int(n)
		return nil
	}
}

// plain says that a text in JSON, its closing quote with it, holds nothing that is written otherwise there.
func plain(b []byte) bool {
	for i, c := range b {
		if c < ' ' || c == '\\' || c >= 0x7f || c == '"' {
			return c == '"' && i == len(b)-1
		}
	}
	return false
}

// marshalText is json.Marshal without HTML escapes, so that hashes do not depend on them.
func marshalText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings and string slices always encode
	return strings.TrimSuffix(b.String(), "\n")
}

// appendText is marshalText for one string, without a detour for the plain ones.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return append(b, marshalText(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// Attrs are named values. A missing name means "not said", an empty text means "said to be empty".
type Attrs map[string]Value

// MarshalJSON writes names in order. It is written by hand because every outcome of every step holds some.
func (a Attrs) MarshalJSON() ([]byte, error) {
	if a == nil {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 32*len(a)+2)
	b = append(b, '{')
	for i, name := range a.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, name)
		b = append(b, ':')
		b = a[name].append(b)
	}
	return append(b, '}'), nil
}

func (a Attrs) Clone() Attrs { return maps.Clone(a) }

// With returns a copy in which the values of b replace those of a.
func (a Attrs) With(b Attrs) Attrs {
	out := make(Attrs, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

func (a Attrs) Names() []string { return slices.Sorted(maps.Keys(a)) }

func (a Attrs) Text(name string) string { return a[name].Text }

// Differ returns the values of want that a does not have. Secrets are set at birth only and never differ.
func (a Attrs) Differ(want Attrs) Attrs {
	var out Attrs
	for name, w := range want {
		if w.Kind == SecretValue {
			continue
		}
		if have, ok := a[name]; ok && have == w {
			continue
		}
		if out == nil {
			out = Attrs{}
		}
		out[name] = w
	}
	return out
}

// VendorMade is the recipe of a secret that a system makes by itself: nobody makes it before the call, and its answer brings it.
const VendorMade = "vendor"

// Secret is plain text in memory. It prints, logs and formats as [redacted] and refuses to be marshalled.
type Secret struct{ plain string }

func NewSecret(plain string) Secret { return Secret{plain} }

// Reveal gives the plain text. Only connectors, package secret and the page that shows a secret once may call it.
func (s Secret) Reveal() string { return s.plain }

func (s Secret) IsZero() bool             { return s.plain == "" }
func (Secret) String() string             { return "[redacted]" }
func (Secret) GoString() string           { return "[redacted]" }
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("a secret is never marshalled: %w", ErrInvalid)
}

func (Secret) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("a secret is never marshalled: %w", ErrInvalid)
}
