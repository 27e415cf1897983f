package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// soql is SELECT fields FROM object WHERE field = value AND ... ORDER BY field LIMIT n.
type soql struct {
	fields []string
	from   string
	where  []condition
	order  string
	limit  int
}

type condition struct {
	field string
	value any // text or truth
}

// tokens cuts SOQL into words, commas, equal signs and quoted texts with their first quote left on.
func tokens(text string) ([]string, bool) {
	var out []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case c == ',' || c == '=':
			out = append(out, string(c))
			i++
		case c == '\'':
			b := []byte{'\''}
			for i++; i < len(text) && text[i] != '\''; i++ {
				if text[i] != '\\' {
					b = append(b, text[i])
					continue
				}
				if i++; i == len(text) {
					return nil, false
				}
				at := strings.IndexByte(`nrt\'"`, text[i])
				if at < 0 {
					return nil, false
				}
				b = append(b, "\n\r\t\\'\""[at])
			}
			if i == len(text) {
				return nil, false
			}
			i++
			out = append(out, string(b))
		default:
			j := i
			for j < len(text) && !strings.ContainsRune(" \n\t,='", rune(text[j])) {
				j++
			}
			out = append(out, text[i:j])
			i = j
		}
	}
	return out, true
}

func (s *Sim) parse(text string) (soql, *fault) {
	malformed := func(at string) (soql, *fault) {
		return soql{}, &fault{400, "MALFORMED_QUERY", "unexpected token: '" + at + "'", nil}
	}
	ts, ok := tokens(text)
	if !ok {
		return malformed(text)
	}
	next := func() string {
		if len(ts) == 0 {
			return ""
		}
		t := ts[0]
		ts = ts[1:]
		return t
	}
	is := func(word string) bool {
		if len(ts) > 0 && strings.EqualFold(ts[0], word) {
			ts = ts[1:]
			return true
		}
		return false
	}
	q := soql{limit: -1}
	if !is("SELECT") {
		return malformed(next())
	}
	for more := true; more; more = is(",") {
		q.fields = append(q.fields, next())
	}
	if !is("FROM") {
		return malformed(next())
	}
	q.from = next()
	if is("WHERE") {
		for more := true; more; more = is("AND") {
			c := condition{field: next()}
			if !is("=") {
				return malformed(next())
			}
			switch v := next(); {
			case strings.HasPrefix(v, "'") && strings.HasSuffix(c.field, "Id") && len(v) != 1+15 && len(v) != 1+18:
				return soql{}, &fault{400, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: " + v[1:], nil}
			case strings.HasPrefix(v, "'"):
				c.value = v[1:]
			case v == "true" || v == "false":
				c.value = v == "true"
			default:
				return malformed(v)
			}
			q.where = append(q.where, c)
		}
	}
	if is("ORDER") && is("BY") {
		q.order = next()
	}
	if is("LIMIT") {
		if _, err := fmt.Sscan(next(), &q.limit); err != nil {
			return malformed("LIMIT")
		}
	}
	if len(ts) > 0 {
		return malformed(ts[0])
	}
	return q, nil
}

// value of a field, which may be one of a row that is referred to.
func (s *Sim) value(from string, r record, field string) (any, *fault) {
	o := s.objects[from]
	if rel, rest, ok := strings.Cut(field, "."); ok {
		by, known := o.refers[rel]
		if !known {
			return nil, &fault{400, "INVALID_FIELD", "Didn't understand relationship '" + rel + "' in field path.", nil}
		}
		target := rel
		if target == "Assignee" {
			target = "User"
		}
		return s.value(target, s.find(target, "Id", r[by]), rest)
	}
	if field != "Id" && !slices.Contains(o.fields, field) {
		return nil, &fault{400, "INVALID_FIELD", "No such column '" + field + "' on entity '" + from + "'.", nil}
	}
	return r[field], nil
}

// run finds rows and shows the fields asked for; those referred to stand in objects of their own.
func (s *Sim) run(q soql) ([]map[string]any, *fault) {
	o := s.objects[q.from]
	if o == nil {
		return nil, &fault{400, "INVALID_TYPE", "sObject type '" + q.from + "' is not supported.", nil}
	}
	for _, f := range q.names() { // wrong names are wrong without rows, too
		if _, bad := s.value(q.from, record{}, f); bad != nil {
			return nil, bad
		}
	}
	for _, licence := range s.objects["UserLicense"].rows {
		used := 0
		for _, u := range s.objects["User"].rows {
			if u["IsActive"] == true && u["UserType"] == "Standard" {
				used++
			}
		}
		licence["UsedLicenses"] = used
	}
	var rows []record
	for _, r := range o.rows {
		if !slices.ContainsFunc(q.where, func(c condition) bool {
			v, _ := s.value(q.from, r, c.field)
			a, isText := v.(string)
			b, _ := c.value.(string)
			return v != c.value && !(isText && c.field != "Id" && strings.EqualFold(a, b)) // text is compared in any case
		}) {
			rows = append(rows, r)
		}
	}
	if q.order != "" {
		slices.SortStableFunc(rows, func(a, b record) int { return cmp.Compare(a.text(q.order), b.text(q.order)) })
	}
	if q.limit >= 0 {
		rows = rows[:min(q.limit, len(rows))]
	}
	out := []map[string]any{}
	for _, r := range rows {
		x := shown(q.from, r)
		for _, f := range q.fields {
			v, _ := s.value(q.from, r, f)
			rel, rest, deep := strings.Cut(f, ".")
			if !deep {
				x[f] = v
				continue
			}
			if x[rel] == nil {
				x[rel] = shown(rel, s.find(rel, "Id", r[o.refers[rel]]))
			}
			x[rel].(map[string]any)[rest] = v
		}
		out = append(out, x)
	}
	return out, nil
}

func (q soql) names() []string {
	out := slices.Clone(q.fields)
	for _, c := range q.where {
		out = append(out, c.field)
	}
	if q.order != "" {
		out = append(out, q.order)
	}
	return out
}

func shown(name string, r record) map[string]any {
	return map[string]any{"attributes": map[string]any{"type": name, "url": dataPath + "/sobjects/" + name + "/" + r.text("Id")}}
}
