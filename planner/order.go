package planner

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

var reference = regexp.MustCompile(`\$\$|\$\{([^}]+)\}`)

// References are the ${system.kind.attr} of a template value, as keys and attributes.
func References(v dayone.Value) []Reference {
	if v.Kind != dayone.TemplateValue {
		return nil
	}
	var out []Reference
	for _, m := range reference.FindAllStringSubmatch(v.Text, -1) {
		if r, ok := ParseReference(m[1]); ok {
			out = append(out, r)
		}
	}
	return out
}

// Reference names an attribute that a step brings: "okta.account.email", "jamf.device.ref".
type Reference struct {
	Key  dayone.Key
	Attr string // "ref" is the vendor's id
}

// ParseReference reads the inside of ${...}.
func ParseReference(s string) (Reference, bool) {
	s = strings.TrimSpace(s)
	system, rest, ok := strings.Cut(s, ".")
	i := strings.LastIndexByte(rest, '.')
	if !ok || i <= 0 {
		return Reference{}, false
	}
	key, err := dayone.ParseKey(system + "/" + rest[:i])
	return Reference{key, rest[i+1:]}, err == nil
}

// edges says what each step needs. Nothing but data makes an edge.
func (p *making) edges() error {
	for _, id := range slices.Sorted(maps.Keys(p.steps)) {
		s := p.steps[id]
		sys := p.Systems[s.Key.System]
		switch {
		case s.Action.Takes():
			p.takingEdges(s)
		case s.Key.IsAccount():
			for _, name := range sys.Needs {
				p.needOpen(s, dayone.Key{System: name, Kind: dayone.AccountKindName})
			}
			if sys.Via.System != "" {
				p.needs(s, sys.Via, dayone.Done)
				p.needOpen(s, dayone.Key{System: sys.Via.System, Kind: dayone.AccountKindName})
			}
		default:
			for _, need := range sys.Kinds[s.Key.Kind].Needs {
				if need == dayone.AccountKindName {
					p.needOpen(s, s.Key.Account())
					continue
				}
				for _, k := range sorted(p.want) {
					if k.System == s.Key.System && k.Kind == need && k.As == s.Key.As {
						p.needs(s, k, dayone.Done)
					}
				}
			}
			if supply := sys.Kinds[s.Key.Kind].Supply; supply.System != "" {
				p.needs(s, supply, dayone.Done)
			}
		}
		if g, ok := p.want[s.Key]; ok && !s.Action.Takes() {
			for _, k := range g.Needs {
				p.needs(s, k, dayone.Done)
			}
		}
		values := []dayone.Value{s.Account}
		if s.Want != nil {
			for _, name := range s.Want.Attrs.Names() {
				values = append(values, s.Want.Attrs[name])
			}
		}
		for _, v := range values {
			for _, r := range References(v) {
				if _, known := p.Systems[r.Key.System]; !known {
					return fmt.Errorf("%s uses %s, but no system %q is configured: %w", s.ID, v.Text, r.Key.System, dayone.ErrInvalid)
				}
				_, wanted := p.want[r.Key]
				_, held := p.have[r.Key]
				if !wanted && !held && s.Action.Takes() {
					p.plan.Findings = append(p.plan.Findings, dayone.Finding{
						Kind: "missing", Key: s.Key, Text: fmt.Sprintf("%s cannot be taken away by us: %s, on which it hangs, is not in the books; look there by hand", s.Key, r.Key),
					})
					p.drop(s)
					continue
				}
				if !wanted && !held {
					return fmt.Errorf("%s uses %s, but nothing gives %s to this person: %w", s.ID, v.Text, r.Key, dayone.ErrInvalid)
				}
				p.needsAttr(s, r)
			}
		}
		// several acts on one thing go one after the other: update, then open
		acts := p.byKey[s.Key]
		if i := slices.Index(acts, s.ID); i > 0 {
			p.need(s, acts[i-1], dayone.Done)
		}
		p.askingEdges(s)
	}
	p.free()
	return nil
}

// drop takes a step out of the plan again, and out of what waits for it.
func (p *making) drop(s *dayone.Step) {
	delete(p.steps, s.ID)
	p.byKey[s.Key] = slices.DeleteFunc(p.byKey[s.Key], func(id dayone.StepID) bool { return id == s.ID })
	for _, o := range p.steps {
		o.Needs = slices.DeleteFunc(o.Needs, func(n dayone.Need) bool { return n.Step == s.ID })
	}
}

// needOpen needs the step that makes or opens an account, if there is one. What only reads or renames is no need.
func (p *making) needOpen(s *dayone.Step, account dayone.Key) {
	for _, id := range p.byKey[account] {
		switch p.steps[id].Action {
		case dayone.AccountCreate, dayone.AccountEnable:
			p.need(s, id, dayone.Done)
		}
	}
}

// needsAttr needs the steps that can change the attribute.
func (p *making) needsAttr(s *dayone.Step, r Reference) {
	for _, id := range p.byKey[r.Key] {
		o := p.steps[id]
		switch o.Action {
		case dayone.AccountCreate, dayone.EntitlementAdd:
			p.need(s, id, dayone.Done)
		case dayone.AccountUpdate:
			if _, changes := o.Want.Attrs[r.Attr]; changes {
				p.need(s, id, dayone.Done)
			}
		}
	}
}

// takingEdges: a leaver is cut at the identity provider first, but nobody waits for its success; entitlements go after
// their account's disable was tried; a delete waits until all else at that system has settled.
func (p *making) takingEdges(s *dayone.Step) {
	cut := p.Systems[s.Key.System].CutFirst
	for _, id := range slices.Sorted(maps.Keys(p.steps)) {
		o := p.steps[id]
		if o == s {
			continue
		}
		switch {
		case !cut && p.Systems[o.Key.System].CutFirst && o.Action == dayone.AccountDisable && s.Action != dayone.AccountDelete:
			p.need(s, id, dayone.Tried)
		case o.Key == s.Key.Account() && o.Action == dayone.AccountDisable && !s.Key.IsAccount():
			p.need(s, id, dayone.Tried)
		case s.Action == dayone.AccountDelete && o.Key.Account() == s.Key && !o.Key.IsAccount() && o.Action == dayone.EntitlementRemove:
			p.need(s, id, dayone.Settled)
		}
	}
	if s.Action != dayone.EntitlementRemove {
		return
	}
	// what hangs on it goes first: a profile before its device
	for _, id := range slices.Sorted(maps.Keys(p.steps)) {
		o := p.steps[id]
		if o.Action == dayone.EntitlementRemove && o.Key.System == s.Key.System && slices.Contains(p.Systems[o.Key.System].Kinds[o.Key.Kind].Needs, s.Key.Kind) {
			p.need(s, id, dayone.Settled)
		}
	}
}

func (p *making) needs(s *dayone.Step, k dayone.Key, w dayone.When) {
	for _, id := range p.byKey[k] {
		p.need(s, id, w)
	}
}

func (p *making) need(s *dayone.Step, id dayone.StepID, w dayone.When) {
	if id == s.ID || slices.ContainsFunc(s.Needs, func(n dayone.Need) bool { return n.Step == id }) {
		return
	}
	s.Needs = append(s.Needs, dayone.Need{Step: id, When: w})
	slices.SortFunc(s.Needs, func(a, b dayone.Need) int { return cmp.Compare(a.Step, b.Step) })
}

// notices plans messages. What tells of the run waits until everything else has settled; that all is well is told once in a
// life. With no other step there is nothing to tell. What tells of the person is sent once for each occasion, and is reason enough for
// a run.
func (p *making) notices() {
	if p.Deliver == nil {
		return
	}
	all := slices.Sorted(maps.Keys(p.steps))
	t := telling{making: p, byKey: map[dayone.Key]dayone.Notice{}}
	for _, n := range p.Want.Notices {
		if run := slices.DeleteFunc(slices.Clone(n.On), dayone.Moment.OfPerson); len(run) > 0 && len(all) > 0 {
			one := n
			one.On = run
			t.add(one, !slices.Contains(run, dayone.OnReady))
		}
		for _, o := range p.Tell {
			if !slices.Contains(n.On, o.Moment) || o.Moment == dayone.OnChanged && !touches(n.Changed, o) {
				continue
			}
			one := n
			one.On, one.Key.Name = nil, n.Key.Name+"."+o.ID
			if t.add(one, false) && !slices.ContainsFunc(p.plan.Occasions, func(x dayone.Occasion) bool { return x.Moment == o.Moment && x.ID == o.ID }) {
				p.plan.Occasions = append(p.plan.Occasions, o)
			}
		}
	}
	for _, k := range t.order {
		n := t.byKey[k]
		g := dayone.Grant{Key: n.Key, Because: n.Because, Critical: dayone.Continue, Tier: dayone.TierMessages}
		want := &dayone.Item{Key: n.Key, State: dayone.Active, Attrs: dayone.Attrs{
			"template": dayone.Text(n.Template), "to": dayone.List(n.To...),
		}}
		s := p.step(dayone.MessageSend, n.Key, nil, want, g, dayone.Holding{})
		s.On = n.On
		if slices.Contains(n.On, dayone.OnAtRisk) && p.Risk.After(p.At) {
			s.After = p.Risk
		}
		for _, id := range all {
			p.need(s, id, dayone.Settled)
		}
	}
}

// telling gathers notices by key: two policies that say the same are one message to all whom they name.
type telling struct {
	*making
	order []dayone.Key
	byKey map[dayone.Key]dayone.Notice
}

// add says whether anybody is still to be told. What speaks of a trouble is told anew by every run that has one.
func (t *telling) add(n dayone.Notice, anew bool) bool {
	open := false
	told := func(k dayone.Key) bool {
		_, is := t.have[k]
		_, was := t.gone[k]
		return is || was
	}
	for _, n := range t.Deliver(n) {
		for first, i := n.Key.Name, 2; anew && told(n.Key); i++ {
			n.Key.Name = fmt.Sprintf("%s.%d", first, i)
		}
		if told(n.Key) {
			continue
		}
		open = true
		o, twice := t.byKey[n.Key]
		if !twice {
			t.order = append(t.order, n.Key)
			o.Key, o.Template = n.Key, n.Template
		}
		o.On, o.To, o.Because = added(o.On, n.On), added(o.To, n.To), added(o.Because, n.Because)
		t.byKey[n.Key] = o
	}
	return open
}

// touches says whether an occasion is about one of these attributes.
func touches(attrs []string, o dayone.Occasion) bool {
	return slices.ContainsFunc(o.Changes, func(c dayone.AttrChange) bool { return slices.Contains(attrs, c.Attr) })
}

// added appends what is not there yet.
func added[T comparable](to, from []T) []T {
	for _, v := range from {
		if !slices.Contains(to, v) {
			to = append(to, v)
		}
	}
	return to
}

// CycleError is a plan that can never begin.
type CycleError struct{ Steps []dayone.StepID }

func (e *CycleError) Error() string {
	ids := make([]string, 0, len(e.Steps)+1)
	for _, s := range e.Steps {
		ids = append(ids, string(s))
	}
	ids = append(ids, ids[0])
	return "these steps wait for each other: " + strings.Join(ids, " -> ") + "; take one reference or one of the systems' needs out"
}

func (e *CycleError) Unwrap() error { return dayone.ErrInvalid }

// order sorts steps so that each follows what it needs, ties by id.
func order(steps map[dayone.StepID]*dayone.Step) ([]dayone.Step, error) {
	left := map[dayone.StepID]int{}
	then := map[dayone.StepID][]dayone.StepID{}
	for id, s := range steps {
		left[id] = len(s.Needs)
		for _, n := range s.Needs {
			then[n.Step] = append(then[n.Step], id)
		}
	}
	var ready []dayone.StepID
	for id, n := range left {
		if n == 0 {
			ready = append(ready, id)
		}
	}
	out := make([]dayone.Step, 0, len(steps))
	for len(ready) > 0 {
		slices.SortFunc(ready, func(a, b dayone.StepID) int {
			return cmp.Or(compare(steps[a].Key, steps[b].Key), cmp.Compare(a, b))
		})
		id := ready[0]
		ready = ready[1:]
		out = append(out, *steps[id])
		for _, t := range then[id] {
			if left[t]--; left[t] == 0 {
				ready = append(ready, t)
			}
		}
	}
	if len(out) < len(steps) {
		return nil, &CycleError{cycle(steps, left)}
	}
	return out, nil
}

// cycle walks along needs that are never met until it meets itself.
func cycle(steps map[dayone.StepID]*dayone.Step, left map[dayone.StepID]int) []dayone.StepID {
	var at dayone.StepID
	for _, id := range slices.Sorted(maps.Keys(left)) {
		if left[id] > 0 {
			at = id
			break
		}
	}
	var path []dayone.StepID
	for {
		if i := slices.Index(path, at); i >= 0 {
			found := path[i:]
			slices.Reverse(found) // from what must come first
			return found
		}
		path = append(path, at)
		for _, n := range steps[at].Needs {
			if left[n.Step] > 0 {
				at = n.Step
				break
			}
		}
	}
}
