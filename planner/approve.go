package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// ask wants what somebody has to agree to first: its step waits, and everything else goes on. What was refused is not
// asked again by itself.
func (p *making) ask(g dayone.Grant) {
	if g.Approval == nil {
		g.Approval = &dayone.Approval{}
	}
	if p.Refused != nil {
		if why := p.Refused(g); why != "" {
			f := dayone.Finding{Kind: "refused", Key: g.Key, Text: fmt.Sprintf("%s is not given: %s", named(g), why)}
			if len(g.Because) > 0 {
				f.Policy, f.At = g.Because[0].Policy, g.Because[0].At
			}
			p.plan.Findings = append(p.plan.Findings, f)
			return
		}
	}
	if p.Spent != nil && p.Spent(g) { // it goes as whatever nothing gives; somebody is asked all the same
		return
	}
	if _, given := p.want[g.Key]; given { // a lower role needs no approval
		p.higher[g.Key] = g
		return
	}
	p.want[g.Key] = g
}

func named(g dayone.Grant) string {
	if g.Role == "" {
		return g.Key.String()
	}
	return g.Key.String() + " as " + g.Role
}

// opens says whether an action gives somebody what she cannot use now: that is what approvals are about.
func opens(a dayone.Action) bool {
	return a == dayone.AccountCreate || a == dayone.AccountEnable || a == dayone.EntitlementAdd
}

// raise plans the higher role of what is given already.
func (p *making) raise(g dayone.Grant) {
	h, had := p.have[g.Key]
	if p.protected(h) || had && h.Role == g.Role || !had && len(p.byKey[g.Key]) == 0 {
		return
	}
	have := &h.Item
	if !had { // by then the lower one is there
		have = &dayone.Item{Key: g.Key, State: dayone.Active, Role: p.want[g.Key].Role}
	}
	want := &dayone.Item{Key: g.Key, State: dayone.Active, Role: g.Role, Attrs: g.Attrs, Ref: p.Offers[g.Key].Ref}
	p.called(dayone.StepID(g.Key.String()+" "+string(dayone.EntitlementAdd)+" "+g.Role), dayone.EntitlementAdd, g.Key, have, want, g, h)
}

// bring notes on whose approval an implied grant hangs: that of what brings it, or of what brings that. It says whether
// something changed, which what k brings along has to hear of. Whatever needs none frees it.
func (p *making) bring(k dayone.Key, by dayone.Grant, had bool) bool {
	asks := p.along[by.Key]
	if by.Approval != nil {
		asks = []dayone.Key{by.Key}
	}
	old := p.along[k]
	switch {
	case had && len(old) == 0: // free already
		return false
	case len(asks) == 0:
		delete(p.along, k)
		return had
	}
	for _, a := range asks {
		if !slices.Contains(p.along[k], a) {
			p.along[k] = append(p.along[k], a)
		}
	}
	slices.SortFunc(p.along[k], compare)
	return len(p.along[k]) > len(old)
}

// askingEdges: what is only brought along waits with what brings it, and a slot falls back before it gets another value.
func (p *making) askingEdges(s *dayone.Step) {
	if opens(s.Action) && s.Approval == nil {
		for _, k := range p.along[s.Key] {
			for _, id := range p.byKey[k] {
				if p.steps[id].Approval != nil {
					s.Along = append(s.Along, id)
				}
			}
		}
	}
	if s.Approval == nil || !p.Systems[s.Key.System].Kinds[s.Key.Kind].Exclusive {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(p.steps)) {
		if k := p.steps[id].Key; k != s.Key && k.System == s.Key.System && k.Kind == s.Key.Kind && k.As == s.Key.As {
			p.need(s, id, dayone.Settled)
		}
	}
}

// free takes what something else needs, too, out of the hands of those who are asked.
func (p *making) free() {
	for again := true; again; {
		again = false
		for _, s := range p.steps {
			for _, n := range s.Needs {
				o := p.steps[n.Step]
				if len(o.Along) == 0 || slices.Contains(o.Along, s.ID) {
					continue
				}
				within := len(s.Along) > 0 && !slices.ContainsFunc(s.Along, func(id dayone.StepID) bool { return !slices.Contains(o.Along, id) })
				if !within {
					o.Along, again = nil, true
				}
			}
		}
	}
}

// asksText says who has to agree to a step.
func asksText(s dayone.Step) string {
	if s.Approval == nil {
		return ""
	}
	or := " or "
	if s.Approval.Need == "all" {
		or = " and "
	}
	return "asks " + strings.Join(s.Approval.By, or)
}
