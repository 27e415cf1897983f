package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/planner"
)

// act resolves a step: references become what other steps brought, or what the books say.
func (m *machine) act(s *dayone.StepRun) (dayone.Act, error) {
	st := s.Step
	a := dayone.Act{Once: st.Once, Action: st.Action, Key: st.Key, Subject: st.Subject, Have: st.Have, Via: st.Via}
	account, err := m.value(st.Account)
	if err != nil {
		return a, err
	}
	a.Account = account.Text
	if st.Want != nil {
		w := *st.Want
		w.Attrs = nil
		for _, name := range st.Want.Attrs.Names() {
			if st.Want.Attrs[name].Kind == dayone.SecretValue && st.Action != dayone.AccountCreate && st.Action != dayone.EntitlementAdd {
				continue // set at birth only
			}
			v, err := m.value(st.Want.Attrs[name])
			if err != nil {
				return a, fmt.Errorf("%s: %w", name, err)
			}
			if w.Attrs == nil {
				w.Attrs = dayone.Attrs{}
			}
			w.Attrs[name] = v
		}
		a.Want = &w
	}
	if a.Key.IsAccount() && a.Subject.Ref == "" {
		// an earlier attempt, or an earlier step of this run, may have told the id
		if now := s.Result.Now; now != nil {
			a.Subject.Ref = now.Ref
		}
	}
	if !a.Key.IsAccount() && s.Attempt == 0 {
		a.Have, a.Fresh = m.seen(st)
	}
	return a, nil
}

// seen is what the account step of this run read of an entitlement.
func (m *machine) seen(st dayone.Step) (*dayone.Item, bool) {
	for i := range m.run.Steps {
		o := &m.run.Steps[i]
		if o.Step.Key != st.Key.Account() || o.Step.Action != dayone.AccountCreate || o.Result.Now == nil {
			continue
		}
		j := slices.IndexFunc(o.Result.Also, func(it dayone.Item) bool { return it.Key == st.Key })
		if j < 0 {
			return st.Have, o.Result.Before == nil || len(o.Result.Also) > 0
		}
		return &o.Result.Also[j], true
	}
	return st.Have, false
}

// value puts references in. Nothing that a person typed is ever read as one: it stands in no template unescaped.
func (m *machine) value(v dayone.Value) (dayone.Value, error) {
	if v.Kind != dayone.TemplateValue {
		return v, nil
	}
	var b strings.Builder
	rest := v.Text
	for {
		i := strings.IndexByte(rest, '$')
		if i < 0 || i+1 >= len(rest) {
			b.WriteString(rest)
			return dayone.Text(b.String()), nil
		}
		b.WriteString(rest[:i])
		switch rest[i+1] {
		case '$':
			b.WriteByte('$')
			rest = rest[i+2:]
		case '{':
			end := strings.IndexByte(rest[i:], '}')
			if end < 0 {
				return v, fmt.Errorf("%q is never closed: %w", v.Text, dayone.ErrInvalid)
			}
			ref, ok := planner.ParseReference(rest[i+2 : i+end])
			if !ok {
				return v, fmt.Errorf("%q is no reference: %w", rest[i:i+end+1], dayone.ErrInvalid)
			}
			out, err := m.lookup(ref)
			if err != nil {
				return v, err
			}
			if i == 0 && i+end+1 == len(v.Text) {
				return out, nil // the whole value keeps its type
			}
			b.WriteString(out.String())
			rest = rest[i+end+1:]
		default:
			b.WriteByte('$')
			rest = rest[i+1:]
		}
	}
}

// lookup asks the books, in which is what this run has brought about.
func (m *machine) lookup(ref planner.Reference) (dayone.Value, error) {
	found := m.held(ref.Key)
	if found == nil || found.State == dayone.Gone {
		return dayone.Value{}, fmt.Errorf("%s is not there: %w", ref.Key, dayone.ErrNotFound)
	}
	if ref.Attr == "ref" {
		if found.Ref == "" {
			return dayone.Value{}, fmt.Errorf("%s has no id yet: %w", ref.Key, dayone.ErrNotFound)
		}
		return dayone.Text(found.Ref), nil
	}
	v, ok := found.Attrs[ref.Attr]
	if !ok {
		return dayone.Value{}, fmt.Errorf("%s does not tell its %s: %w", ref.Key, ref.Attr, dayone.ErrInvalid)
	}
	return v, nil
}
