package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Colleague is somebody as far as deciding goes.
type Colleague struct {
	Mail    string
	Manager string // mail address
	Status  dayone.Status
	Known   bool // false: nothing but the address
}

// StandIn is whom somebody lets decide for a time.
type StandIn struct {
	To          string
	From, Until time.Time
}

// Directory knows who is who. Addresses are in lower case.
type Directory interface {
	Colleague(mail string) Colleague
	Members(group string) []string
	StandIns(of string) []StandIn
}

// Question is what has to be agreed to.
type Question struct {
	For       Colleague // who gets it
	Askers    []string  // who asked for it; none: a policy
	Rule      dayone.Approval
	Owner     string   // of the entitlement
	Fallback  []string // mail addresses and group:NAME, for when nobody else can decide
	Escalated bool     // one more is asked for every word of the rule
}

// Seat is one word of a rule, and who may decide for it: any one of them.
type Seat struct {
	As       string
	Deciders []dayone.Decider
}

// Deciders finds who may decide now, seat by seat. Nobody decides for herself or for what she ever asked for. Where somebody is
// away, her stand-in decides; where nobody stands in, the manager above, then the owner, then the fallback. Somebody of whom
// only the address is known decides: that we cannot see her does not mean that she is gone.
func Deciders(q Question, d Directory, now time.Time) []Seat {
	r := resolving{q: q, d: d, now: now}
	var out []Seat
	for _, word := range q.Rule.By {
		s := Seat{As: word}
		most := 1
		if q.Escalated {
			most = 2
		}
		group, isGroup := strings.CutPrefix(word, "group:")
		switch {
		case word == "manager":
			s.Deciders = r.upward(lower(q.For.Manager), "manager", most)
		case word == "owner":
			s.Deciders = r.upward(lower(q.Owner), "owner", most)
		case isGroup:
			s.Deciders = r.members(group, fmt.Sprintf("one of %s", group))
			most = len(s.Deciders) + most - 1
		default:
			s.Deciders = r.upward(lower(word), "named by the policy", most)
		}
		if len(s.Deciders) < max(most, 1) && word != "owner" {
			s.Deciders = r.add(s.Deciders, lower(q.Owner), "owner, as nobody nearer can decide")
		}
		if len(s.Deciders) < max(most, 1) {
			for _, f := range q.Fallback {
				if g, ok := strings.CutPrefix(f, "group:"); ok {
					for _, m := range r.members(g, fmt.Sprintf("fallback: one of %s", g)) {
						s.Deciders = distinct(s.Deciders, m)
					}
					continue
				}
				s.Deciders = r.add(s.Deciders, lower(f), "fallback")
			}
		}
		for i := range s.Deciders {
			s.Deciders[i].As = word
		}
		out = append(out, s)
	}
	return out
}

type resolving struct {
	q   Question
	d   Directory
	now time.Time
}

func lower(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// upward asks somebody, or who manages her, until most can decide or the line ends or meets itself.
func (r *resolving) upward(at, why string, most int) (out []dayone.Decider) {
	for seen := map[string]bool{}; at != "" && !seen[at] && len(out) < most; {
		seen[at] = true
		c, absent := r.d.Colleague(at), ""
		if out, absent = r.take(out, at, why); absent == "" {
			absent = "asked as well"
		}
		why = fmt.Sprintf("manager of %s (%s)", at, absent)
		at = lower(c.Manager)
	}
	return out
}

func (r *resolving) members(group, why string) (out []dayone.Decider) {
	for _, m := range r.d.Members(group) {
		out = r.add(out, lower(m), why)
	}
	return out
}

func (r *resolving) add(to []dayone.Decider, mail, why string) []dayone.Decider {
	if mail == "" {
		return to
	}
	to, _ = r.take(to, mail, why)
	return to
}

// take adds somebody, or who stands in for her; else it says why she cannot decide.
func (r *resolving) take(to []dayone.Decider, mail, why string) (out []dayone.Decider, absent string) {
	absent = r.absent(mail)
	if absent != myself && absent != requester {
		for _, s := range r.d.StandIns(mail) {
			stand := lower(s.To)
			if !r.now.Before(s.From) && r.now.Before(s.Until) && r.d.Colleague(stand).Known && r.absent(stand) == "" {
				return distinct(to, dayone.Decider{Mail: stand, Why: fmt.Sprintf("%s, stands in for %s", why, mail)}), ""
			}
		}
	}
	if absent != "" {
		return to, absent
	}
	return distinct(to, dayone.Decider{Mail: mail, Why: why}), ""
}

const (
	myself    = "gets it"
	requester = "asked for it"
)

// absent says why somebody cannot decide; "": she can.
func (r *resolving) absent(mail string) string {
	switch {
	case mail == lower(r.q.For.Mail):
		return myself
	case slices.ContainsFunc(r.q.Askers, func(a string) bool { return mail == lower(a) }):
		return requester
	}
	c := r.d.Colleague(mail)
	switch {
	case !c.Known || c.Status == dayone.Working:
		return ""
	case c.Status == dayone.OnLeave:
		return "on leave"
	case c.Status == dayone.PreHire:
		return "has not begun"
	default:
		return "gone"
	}
}

func distinct(to []dayone.Decider, d dayone.Decider) []dayone.Decider {
	if slices.ContainsFunc(to, func(o dayone.Decider) bool { return o.Mail == d.Mail }) {
		return to
	}
	return append(to, d)
}

// Verdict of the votes so far: one no is no; of yes it takes one, or one for every word of the rule.
func Verdict(rule dayone.Approval, votes []dayone.Vote) dayone.ApprovalState {
	agreed := map[string]bool{}
	for _, v := range votes {
		if !v.Yes {
			return dayone.ApprovalRefused
		}
		for _, as := range v.As {
			agreed[as] = true
		}
	}
	for _, word := range rule.By {
		if rule.Need == "all" && !agreed[word] {
			return dayone.ApprovalOpen
		}
	}
	if len(agreed) == 0 {
		return dayone.ApprovalOpen
	}
	return dayone.ApprovalGiven
}
