package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// away takes out of the want what a review has taken away.
func (p *making) away() {
	for _, h := range p.Holds {
		if !h.Away {
			continue
		}
		for _, k := range h.Keys {
			_, wanted := p.want[k]
			if wanted || p.keep[k] {
				p.plan.Findings = append(p.plan.Findings, dayone.Finding{Kind: "withheld", Key: k, Text: fmt.Sprintf("%s is withheld until %s: a review by %s says that it is not needed", k, h.Until.UTC().Format("2 Jan 2006"), h.By)})
			}
			delete(p.want, k)
			delete(p.keep, k)
			delete(p.higher, k)
		}
	}
}

// hold finds what is left alone: what a hold covers, what hangs on something of it that is not there to hang on, and what
// only such grants bring along. Somebody who has left is cut whatever holds say, but for one that keeps her on purpose.
func (p *making) hold() {
	p.held = map[dayone.Key]dayone.Hold{}
	for _, h := range p.Holds {
		if h.Away || p.Want.Status == dayone.Left && !h.Keep {
			continue
		}
		for _, k := range h.Keys {
			if old, twice := p.held[k]; !twice || h.Until.After(old.Until) {
				p.held[k] = h
			}
		}
	}
	if len(p.held) == 0 {
		return
	}
	for again := true; again; {
		again = false
		for _, k := range sorted(p.want) {
			if _, is := p.held[k]; is {
				continue
			}
			if h, hangs := p.hangs(k); hangs {
				p.held[k], again = h, true
			}
		}
	}
	for _, h := range p.Holds {
		if f, ok := p.heldFinding(h); ok {
			p.plan.Findings = append(p.plan.Findings, f)
		}
	}
}

// hangs says whether a wanted grant cannot be given while something is held.
func (p *making) hangs(k dayone.Key) (dayone.Hold, bool) {
	g, sys := p.want[k], p.Systems[k.System]
	if by := p.brought[k]; g.Implied && len(by) > 0 && !slices.ContainsFunc(by, func(b dayone.Key) bool { _, is := p.held[b]; return !is }) {
		return p.held[by[0]], true
	}
	var on []dayone.Key
	switch {
	case k.IsAccount():
		for _, name := range sys.Needs {
			on = append(on, dayone.Key{System: name, Kind: dayone.AccountKindName})
		}
		on = append(on, sys.Via)
	default:
		for _, need := range sys.Kinds[k.Kind].Needs {
			if need == dayone.AccountKindName {
				on = append(on, k.Account())
			}
		}
		for o := range p.held {
			if o.System == k.System && o.As == k.As && !o.IsAccount() && slices.Contains(sys.Kinds[k.Kind].Needs, o.Kind) {
				on = append(on, o)
			}
		}
		on = append(on, sys.Kinds[k.Kind].Supply)
	}
	on = append(on, g.Needs...)
	for _, v := range g.Attrs {
		for _, r := range References(v) {
			on = append(on, r.Key)
		}
	}
	slices.SortFunc(on, compare)
	for _, o := range on {
		h, is := p.held[o]
		if !is || o == (dayone.Key{}) {
			continue
		}
		if have, there := p.have[o]; !there || have.State == dayone.Disabled {
			return h, true
		}
	}
	return dayone.Hold{}, false
}

// heldFinding says what a hold leaves alone that would otherwise be given or taken.
func (p *making) heldFinding(h dayone.Hold) (dayone.Finding, bool) {
	var keys []string
	all := sorted(p.held)
	for _, k := range all {
		if p.held[k].ID != h.ID {
			continue
		}
		_, wanted := p.want[k]
		_, had := p.have[k]
		if wanted || had {
			keys = append(keys, k.String())
		}
	}
	if len(keys) == 0 {
		return dayone.Finding{}, false
	}
	const most = 5
	list := strings.Join(keys[:min(most, len(keys))], ", ")
	if more := len(keys) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return dayone.Finding{Kind: "held", Text: fmt.Sprintf("held until %s by %s, neither given nor taken: %s", h.Until.UTC().Format("2 Jan 2006 15:04 MST"), h.By, list)}, true
}
