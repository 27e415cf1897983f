package policy

import (
	"fmt"
	"slices"

	"github.com/dayone-hq/dayone"
)

// notices are evaluated for those who get something.
func (e *evaluation) notices() {
	type id struct {
		template string
		invite   bool
		on       string
		policy   string
	}
	at := map[id]int{}
	for _, p := range e.Policies {
		if len(p.Notices) == 0 {
			continue
		}
		holds := e.truths[p.unit] == yes
		for _, n := range p.Notices {
			moments := n.On
			if !holds {
				if moments = e.parting(p, n); len(moments) == 0 {
					continue
				}
			}
			var to []string
			for _, t := range n.To {
				if v, err := t.eval(e.world); err == nil && v.Text != "" {
					to = append(to, v.Text)
				}
			}
			if len(to) == 0 {
				continue
			}
			kind := "message"
			if n.Invite {
				kind = "invitation"
			}
			on := fmt.Sprint(moments, n.Changed, n.Digest)
			i, dup := at[id{n.Template, n.Invite, on, p.ID}]
			if dup {
				e.want.Notices[i].To = append(e.want.Notices[i].To, to...)
				continue
			}
			at[id{n.Template, n.Invite, on, p.ID}] = len(e.want.Notices)
			e.want.Notices = append(e.want.Notices, dayone.Notice{
				Key: dayone.Key{Kind: kind, Name: n.Template}, On: moments, Changed: n.Changed, To: to, Template: n.Template, Digest: n.Digest,
				Because: []dayone.Reason{e.reason(candidate{policy: p, rule: &Rule{At: n.At}})},
			})
		}
	}
}

// parting are the moments of somebody who has left that a policy tells of although it gives her nothing any more: whoever
// writes "tell her manager when she has left" does not think of for_status.
func (e *evaluation) parting(p *Policy, n *Notify) []dayone.Moment {
	if e.person.Status != dayone.Left || !slices.Contains(n.On, dayone.OnLeft) || slices.Contains(p.Statuses, dayone.Left) {
		return nil
	}
	if all(p.Conditions, e.world) != yes {
		return nil
	}
	return []dayone.Moment{dayone.OnLeft}
}

// Watched are the attributes whose change somebody is told of.
func (s *Set) Watched() []string {
	out := slices.Clone(movedAttrs)
	for _, p := range s.Policies {
		for _, n := range p.Notices {
			out = append(out, n.Changed...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// movedAttrs say where somebody stands in the company.
var movedAttrs = []string{"company", "department", "employment_type", "job_title", "location", "manager", "team"}

// Moves says that a change of the attribute is a move.
func Moves(attr string) bool { return slices.Contains(movedAttrs, attr) }
