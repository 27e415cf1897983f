package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"

	"github.com/dayone-hq/dayone"
)

// template is a text with ${...}: expressions over the person, and references to what other steps bring.
type template struct {
	parts []part
	at    Position
	text  string
	want  dayone.ValueKind
}

type part struct {
	text string // literal
	expr *expr  // ${person...}
	ref  string // ${okta.account.email}
}

// refText is system.kind.attr, where the kind may carry a name; "self" and "supply" stand for a manifest's own system
// and for the grant that supplies the kind.
var refText = regexp.MustCompile(`^([a-z0-9][a-z0-9+-]*)\.([a-z][a-z0-9-]*(?::[^.}]+)?)\.([a-z][a-z0-9_]*)$`)

// template compiles text; kind is the type that the whole must have.
func (c *compiler) template(pl place, text string, kind dayone.ValueKind, systems map[string]dayone.System) *template {
	t := &template{text: text, want: kind}
	line, col := pl.of(1, 0)
	t.at = Position{pl.f.name, line, col}
	rest, seen, ok := text, 0, true
	for rest != "" {
		i := strings.Index(rest, "${")
		if i < 0 {
			t.parts = append(t.parts, part{text: rest})
			break
		}
		if i > 0 {
			t.parts = append(t.parts, part{text: rest[:i]})
		}
		end := closing(rest[i+2:])
		if end < 0 {
			c.at(pl.f, pl.n, "syntax", "write ${...}", "${ is never closed")
			return nil
		}
		inner := rest[i+2 : i+2+end]
		here := pl
		here.skip += seen + utf8.RuneCountInString(rest[:i]) + 2
		if isRef(inner) {
			ok = c.reference(here, inner, systems) && ok
			t.parts = append(t.parts, part{ref: strings.TrimSpace(inner)})
		} else if e := c.compile(here, inner); e != nil {
			t.parts = append(t.parts, part{expr: e})
		} else {
			ok = false
		}
		seen += utf8.RuneCountInString(rest[:i+3+end])
		rest = rest[i+3+end:]
	}
	if !ok {
		return nil
	}
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		if out := t.parts[0].expr.ast.OutputType(); !fits(out, kind) {
			c.at(pl.f, pl.n, "type", "", "this must be a %s and is %s", kind, celWord(out.String()))
			return nil
		}
	}
	return t
}

func fits(t *types.Type, kind dayone.ValueKind) bool {
	if kind == dayone.TextValue {
		return !strings.HasPrefix(t.TypeName(), "hr.")
	}
	return t.IsExactType(celType(kind)) || t.IsExactType(types.DynType) || (kind == dayone.DateValue && t.IsExactType(types.StringType))
}

// isRef tells ${okta.account.email} from ${person.email}.
func isRef(inner string) bool {
	m := refText.FindStringSubmatch(strings.TrimSpace(inner))
	return m != nil && m[1] != "person" && m[1] != "site" && m[1] != "lists" && m[1] != "today"
}

func (c *compiler) reference(pl place, inner string, systems map[string]dayone.System) bool {
	m := refText.FindStringSubmatch(strings.TrimSpace(inner))
	key, err := dayone.ParseKey(m[1] + "/" + m[2])
	if err != nil {
		c.at(pl.f, pl.n, "reference", "", "${%s}: %v", inner, err)
		return false
	}
	sys, ok := systems[key.System]
	if !ok {
		c.at(pl.f, pl.n, "reference", meant(key.System, slices.Sorted(maps.Keys(systems))), "${%s}: there is no system %q", inner, key.System)
		return false
	}
	kind, ok := sys.Kinds[key.Kind]
	if !ok {
		c.at(pl.f, pl.n, "reference", meant(key.Kind, slices.Sorted(maps.Keys(sys.Kinds))), "${%s}: %s has no kind %q", inner, key.System, key.Kind)
		return false
	}
	if m[3] != "ref" && len(kind.Attrs) > 0 && !slices.Contains(kind.Attrs, m[3]) {
		c.at(pl.f, pl.n, "reference", meant(m[3], kind.Attrs), "${%s}: %s/%s does not tell %q", inner, key.System, key.Kind, m[3])
		return false
	}
	return true
}

// closing finds the brace that ends ${, past quotes and inner braces; -1 if there is none.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '\'', '"':
			q := s[i]
			for i++; i < len(s) && s[i] != q; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

// eval puts the person's parts in. References stay, as a template value; what a person typed is escaped and never read
// as one.
func (t *template) eval(w *world) (dayone.Value, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		v, err := t.parts[0].expr.eval(w)
		if err != nil {
			return dayone.Value{}, fmt.Errorf("%s: %w", t.text, err)
		}
		n, err := nounValue(v, t.want)
		if err == nil && t.want == dayone.TextValue && n.Kind != dayone.ListValue {
			n = dayone.Text(n.Text)
		}
		return n, err
	}
	hasRef := slices.ContainsFunc(t.parts, func(p part) bool { return p.ref != "" })
	var b strings.Builder
	for _, p := range t.parts {
		s := p.text
		switch {
		case p.ref != "":
			b.WriteString("${" + p.ref + "}")
			continue
		case p.expr != nil:
			v, err := p.expr.eval(w)
			if err != nil {
				return dayone.Value{}, fmt.Errorf("%s: %w", t.text, err)
			}
			n, err := nounValue(v, dayone.TextValue)
			if err != nil {
				return dayone.Value{}, err
			}
			s = n.String()
		}
		if hasRef {
			s = strings.ReplaceAll(s, "$", "$$")
		}
		b.WriteString(s)
	}
	if hasRef {
		return dayone.Value{Kind: dayone.TemplateValue, Text: b.String()}, nil
	}
	return literal(b.String(), t.want)
}

// literal reads plain text as the type that is asked for.
func literal(s string, kind dayone.ValueKind) (dayone.Value, error) {
	switch kind {
	case dayone.IntValue, dayone.BoolValue:
		var v dayone.Value
		if err := v.UnmarshalJSON([]byte(s)); err != nil || v.Kind != kind {
			return dayone.Value{}, fmt.Errorf("%q is no %s: %w", s, kind, dayone.ErrInvalid)
		}
		return v, nil
	case dayone.DateValue:
		return nounValue(types.String(s), kind)
	case dayone.ListValue:
		return dayone.List(s), nil
	default:
		return dayone.Text(s), nil
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
