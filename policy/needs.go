package policy

import (
	"slices"

	"github.com/dayone-hq/dayone"
)

// prerequisites drops what cannot be had without something else, and clips windows to what they need. What is dropped may be
// what something else needs, so each goes on until nothing is. What lacks something for sure goes first: of the rest, what
// hangs on a thing that can neither be given nor taken can neither be given nor taken itself.
func (e *evaluation) prerequisites() {
	e.unless("missing", "%s needs %s/%s, which nothing gives", func(key dayone.Key, need string) bool {
		_, ok := e.satisfies(key, need)
		return ok || e.open(key, need)
	})
	for _, key := range e.unless("unknown", "%s needs %s/%s, of which something is not known", func(key dayone.Key, need string) bool {
		_, ok := e.satisfies(key, need)
		return ok
	}) {
		e.keep[key] = true
	}
	for changed := true; changed; {
		changed = false
		for key, g := range e.grants {
			if e.clip(&g) {
				e.grants[key] = g
				changed = true
			}
		}
	}
}

// unless drops every grant of which something that it needs, and that the planner does not bring along, does not meet what
// is asked, with a finding; it says which.
func (e *evaluation) unless(kind, text string, met func(key dayone.Key, need string) bool) []dayone.Key {
	var out []dayone.Key
	for dropped := true; dropped; {
		dropped = false
		for key, g := range e.grants {
			kinds := e.Systems[key.System].Kinds
			at := slices.IndexFunc(kinds[key.Kind].Needs, func(need string) bool { return !kinds[need].Implied && !met(key, need) })
			if at < 0 {
				continue
			}
			e.finding(kind, key, g.Because[0].Policy, g.Because[0].At, text, key, key.System, kinds[key.Kind].Needs[at])
			delete(e.grants, key)
			out, dropped = append(out, key), true
		}
	}
	return out
}

// clip narrows a grant's window to those of what it needs.
func (e *evaluation) clip(g *dayone.Grant) (clipped bool) {
	for _, need := range e.Systems[g.Key.System].Kinds[g.Key.Kind].Needs {
		over, ok := e.satisfies(g.Key, need)
		if !ok {
			continue
		}
		if over.From.After(g.From) {
			g.From, clipped = over.From, true
		}
		if !over.Until.IsZero() && (g.Until.IsZero() || over.Until.Before(g.Until)) {
			g.Until, clipped = over.Until, true
		}
	}
	return clipped
}

// satisfies finds the grant of the needed kind on the same account.
func (e *evaluation) satisfies(key dayone.Key, need string) (dayone.Grant, bool) {
	if need == dayone.AccountKindName {
		g, ok := e.grants[key.Account()]
		return g, ok
	}
	for k, g := range e.grants {
		if k.System == key.System && k.Kind == need && k.As == key.As {
			return g, true
		}
	}
	return dayone.Grant{}, false
}

// open says whether what is needed can neither be given nor taken, since something of it is not known.
func (e *evaluation) open(key dayone.Key, need string) bool {
	if need == dayone.AccountKindName {
		return e.keep[key.Account()]
	}
	for k := range e.keep {
		if k.System == key.System && k.Kind == need && k.As == key.As {
			return true
		}
	}
	return false
}
