package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
)

// Of all that policies give of one thing one grant is made: with every reason, the higher role, the gentler end.

// merge makes one grant of all justifications of an entitlement.
func (e *evaluation) merge() {
	e.grants, e.pend = map[dayone.Key]dayone.Grant{}, map[dayone.Key]dayone.Grant{}
	for key, cands := range e.given {
		var free, asked []candidate
		for _, c := range cands {
			if c.rule.Approval == nil || (e.ctx.Approved != nil && e.ctx.Approved(key, c.rule.Role)) {
				free = append(free, c)
			} else {
				asked = append(asked, c)
			}
		}
		var g dayone.Grant
		ok := false
		if len(free) > 0 {
			if g, ok = e.grant(key, free); ok {
				e.grants[key] = g
			}
		}
		if len(asked) > 0 {
			p, good := e.grant(key, asked)
			if good && (!ok || e.rank(key, p.Role) > e.rank(key, g.Role)) {
				p.Approval = asked[0].rule.Approval
				e.pend[key] = p
			}
		}
	}
}

func (e *evaluation) rank(key dayone.Key, role string) int {
	return slices.Index(e.Systems[key.System].Kinds[key.Kind].Roles, role)
}

// grant merges candidates; false, with a finding, if they contradict each other. Then what is held stays.
func (e *evaluation) grant(key dayone.Key, cands []candidate) (dayone.Grant, bool) {
	kind := e.Systems[key.System].Kinds[key.Kind]
	g := dayone.Grant{Key: key, Attrs: dayone.Attrs{}}
	contradiction := func(a, b candidate, what string) (dayone.Grant, bool) {
		e.keep[key] = true
		e.finding("conflict", key, b.policy.ID, b.rule.At.line(), "%s and %s give %s with different %s (%s, %s): what is there stays",
			a.policy.ID, b.policy.ID, key, what, a.rule.At.line(), b.rule.At.line())
		return dayone.Grant{}, false
	}
	setBy := map[string]candidate{}
	for i, c := range cands {
		if i > 0 && c.rule.Role != g.Role {
			old, now := e.rank(key, g.Role), e.rank(key, c.rule.Role)
			if len(kind.Roles) == 0 || (g.Role != "" && old < 0) || (c.rule.Role != "" && now < 0) {
				return contradiction(cands[0], c, "roles")
			}
			if now > old {
				g.Role = c.rule.Role
			}
		} else if i == 0 {
			g.Role = c.rule.Role
		}
		for name, v := range c.attrs {
			old, dup := g.Attrs[name]
			if !dup {
				g.Attrs[name], setBy[name] = v, c
				continue
			}
			merged, ok := mergeParam(kind.Params[name].Merge, old, v)
			if !ok {
				return contradiction(setBy[name], c, name)
			}
			g.Attrs[name] = merged
		}
		g.Because = append(g.Because, e.reason(c))
		if i == 0 || (!g.From.IsZero() && c.from.Before(g.From)) {
			g.From = c.from
		}
		if i == 0 || (!g.Until.IsZero() && (c.until.IsZero() || c.until.After(g.Until))) {
			g.Until = c.until
		}
		g.Critical = stricter(g.Critical, c.critical())
		if i == 0 || slices.Index(dayone.Tiers, c.policy.Tier) < slices.Index(dayone.Tiers, g.Tier) {
			g.Tier = c.policy.Tier
		}
		g.Release = gentler(g.Release, e.release(key, c), i == 0)
		if r := c.rule.Review; r > 0 && (g.Review == 0 || r < g.Review) {
			g.Review = r
		}
		for _, k := range c.rule.Needs {
			if !slices.Contains(g.Needs, k) {
				g.Needs = append(g.Needs, k)
			}
		}
	}
	slices.SortFunc(g.Because, func(a, b dayone.Reason) int { return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.At, b.At)) })
	g.Because = slices.Compact(g.Because)
	sys := e.Systems[key.System]
	switch {
	case sys.Tier == dayone.TierDevice:
		g.Tier = dayone.TierDevice
	case sys.Tier == dayone.TierIdentity && key.IsAccount():
		g.Tier = dayone.TierIdentity
	}
	e.mapped(&g)
	return g, true
}

// release is what the loss of a grant does as one rule has it.
func (e *evaluation) release(key dayone.Key, c candidate) dayone.Release {
	out := dayone.Release{}
	if key.IsAccount() {
		out.DeleteAfter = e.Systems[key.System].Lifecycle.Release.DeleteAfter
	}
	if own := c.policy.OnRevoke; own != nil {
		out = *own
	}
	out.Suspend = max(out.Suspend, c.rule.Grace)
	return out
}

// gentler is the release of a grant that several rules give: who was promised more time has it.
func gentler(a, b dayone.Release, first bool) dayone.Release {
	if first {
		return b
	}
	a.Suspend = max(a.Suspend, b.Suspend)
	if a.DeleteAfter == 0 || b.DeleteAfter == 0 { // never
		a.DeleteAfter = 0
		return a
	}
	a.DeleteAfter = max(a.DeleteAfter, b.DeleteAfter)
	return a
}

func (c candidate) critical() dayone.Critical {
	return cmp.Or(c.rule.Critical, c.policy.Critical, dayone.Stop)
}

// stricter: rollback before stop before continue.
func stricter(a, b dayone.Critical) dayone.Critical {
	order := []dayone.Critical{"", dayone.Continue, dayone.Stop, dayone.Rollback}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

func (s *Set) reason(c candidate) dayone.Reason {
	return dayone.Reason{Policy: c.policy.ID, At: c.rule.At.line(), Commit: s.Commit, Hash: s.Hashes[c.rule.At.File]}
}

func mergeParam(rule string, a, b dayone.Value) (dayone.Value, bool) {
	if a == b {
		return a, true
	}
	less := func() bool {
		x, xok := a.Int()
		y, yok := b.Int()
		if xok && yok {
			return x < y
		}
		return a.Text < b.Text // dates and texts
	}
	switch rule {
	case "max":
		if less() {
			return b, true
		}
		return a, true
	case "min":
		if less() {
			return a, true
		}
		return b, true
	case "any":
		return dayone.Bool(a.Bool() || b.Bool()), true
	case "all":
		return dayone.Bool(a.Bool() && b.Bool()), true
	case "union":
		return dayone.List(append(a.Items(), b.Items()...)...), true
	default:
		return dayone.Value{}, false
	}
}

// mapped adds the attributes that connector and configuration give, and an account's state. An attribute that is not
// known for this person is left out: not said, not emptied.
func (e *evaluation) mapped(g *dayone.Grant) {
	sys := e.Systems[g.Key.System]
	for name, v := range sys.Kinds[g.Key.Kind].Mapping {
		if _, set := g.Attrs[name]; set {
			continue
		}
		t, compiled := e.mapping[kindOf{g.Key.System, g.Key.Kind}][name]
		if !compiled {
			if v.Kind != dayone.TemplateValue {
				g.Attrs[name] = v // a recipe for a secret, or a fixed value
			}
			continue
		}
		if v, err := t.eval(e.world); err == nil {
			g.Attrs[name] = v
		}
	}
	if len(g.Attrs) == 0 {
		g.Attrs = nil
	}
	if !g.Key.IsAccount() {
		return
	}
	g.State = sys.Lifecycle.At(e.person.Status, e.person.Garden)
	if e.person.Status == dayone.PreHire && !e.person.Start.IsZero() {
		opens := e.person.Start.Add(-sys.Lifecycle.Enable)
		if !opens.After(e.ctx.Now) {
			g.State = sys.Lifecycle.Working
		}
		e.flips(opens)
	}
	g.State = sys.As(g.State)
}

// Mapped gives an implied grant what its kind maps from the person: the planner adds such grants, policies do not.
func (s *Set) Mapped(p dayone.Person, now time.Time, g dayone.Grant) dayone.Grant {
	e := &evaluation{Set: s, person: &p, ctx: Context{Now: now}, world: s.worldOf(&p, now)}
	g.Attrs = g.Attrs.With(nil)
	e.mapped(&g)
	return g
}
