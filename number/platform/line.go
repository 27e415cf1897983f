package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/number/routeplan"
)

// lines finds whose each line is, what is wrong with it, and what the books may take over.
func (c *comparing) lines() {
	matches := make([]Match, len(c.p.Lines))
	for i := range c.p.Lines {
		l := &c.p.Lines[i]
		matches[i] = c.lineOf(l)
		c.out.All.Lines[matches[i].Confidence]++
		c.out.Open.Lines[c.openly(matches[i])]++
		if id := matches[i].Person; id != "" && used(l) {
			c.owns[id] = append(c.owns[id], cmp.Or(l.E164, l.Pattern))
		}
	}
	c.out.of.lines = make([]owned, len(matches))
	for i := range c.p.Lines {
		c.out.of.lines[i] = matches[i].owned()
		c.line(&c.p.Lines[i], matches[i])
	}
	if !c.pooled && len(c.p.Lines) > 0 {
		c.find(Finding{Kind: Outside, Thing: "platform", Name: c.System, Text: fmt.Sprintf("no pool of numbers.yaml is of this platform, and it has %d lines", len(c.p.Lines)), Next: "Write its pools into numbers.yaml."})
	}
}

// used says that a line is in use: something shows it, or it is somebody's own number.
func used(l *dayone.PlatformLine) bool { return len(l.At) > 0 || len(l.Primary) > 0 }

// lineOf is whose a line is: as whose own number it is, at whose device it is the first, who is connected with it, of whom a
// source says it, whose the books say it is, and last by its description. Several at one of these is nobody.
func (c *comparing) lineOf(l *dayone.PlatformLine) Match {
	unknown := ""
	var several Match
	rule := func(sure Confidence, why, of string, logins []string) (Match, bool) {
		var best Match
		for _, login := range logins {
			m, known := c.userOf(login)
			switch {
			case !known || m.Person == "":
				unknown = cmp.Or(unknown, login)
			case best.Person == "":
				best = Match{Person: m.Person, Confidence: min(sure, m.Confidence), Why: fmt.Sprintf(of, login, m.Why)}
			case best.Person != m.Person:
				several = Match{Why: fmt.Sprintf("it is the %s of several people", why), Several: true}
				return Match{}, false
			}
		}
		return best, best.Person != ""
	}
	if m, ok := rule(Sure, "own number", "own number of %s, %s", l.Primary); ok || several.Several {
		return cmp.Or(m, several)
	}
	var first, shown []string
	for _, a := range l.At {
		if i, ok := c.devices[a.Device]; ok && a.Index <= 1 {
			if login, _, _ := c.owner(&c.p.Devices[i]); login != "" {
				first = append(first, login)
			}
		}
		shown = append(shown, a.Users...)
	}
	if m, ok := rule(Likely, "first line of the device", "first line of the device of %s, %s", first); ok || several.Several {
		return cmp.Or(m, several)
	}
	if m, ok := rule(Likely, "line", "line of %s, %s", shown); ok || several.Several {
		return cmp.Or(m, several)
	}
	if is, ok := c.who.number.find(l.E164); ok && !is.many && used(l) {
		return Match{Person: c.People[is.at].ID, Confidence: Likely, Why: "a source says that it is theirs"}
	}
	if n, _ := c.number(l); n != nil && n.Owner != "" && n.State == dayone.NumberAssigned {
		return Match{Person: n.Owner, Confidence: Likely, Why: "the books say that it is theirs"}
	}
	if is, ok := c.who.name.find(strings.TrimSpace(l.Description)); ok && !is.many && used(l) {
		return Match{Person: c.People[is.at].ID, Confidence: Possible, Why: "its description is their name"}
	}
	if unknown != "" {
		return Match{Why: fmt.Sprintf("nobody is like its user %s", unknown)}
	}
	return Match{Why: "nothing says whose it is"}
}

// number is what the books call a line; here: where the books have it, too.
func (c *comparing) number(l *dayone.PlatformLine) (n *dayone.Number, here bool) {
	if i, ok := c.byKey[key(l.Partition, l.Pattern)]; ok {
		return &c.Numbers[i], true
	}
	if i, ok := c.byE164[l.E164]; ok && l.E164 != "" {
		return &c.Numbers[i], false
	}
	return nil, false
}

// line finds what is wrong with one line. What the books keep from everybody, or rests, may stand there unshown.
func (c *comparing) line(l *dayone.PlatformLine, m Match) {
	n, here := c.number(l)
	f := Finding{Thing: "line", Name: lineName(l.Pattern, l.Partition), Person: m.Person}
	if n != nil {
		f.Number, f.Pool = n.ID, n.Pool
		c.seen[n.ID] = true
	}
	add := func(k Kind, next, format string, args ...any) {
		f.Kind, f.Text, f.Next = k, fmt.Sprintf(format, args...), next
		c.find(f)
	}
	if !used(l) {
		switch {
		case n != nil && n.State == dayone.NumberAssigned:
			f.Person = n.Owner
			add(OrphanLine, "Show it on a device again, or release the number.", "nothing shows it, and the books say that it is somebody's")
		case n == nil || n.State == dayone.NumberFree || n.State == dayone.NumberReserved:
			f.Person = ""
			add(OrphanLine, "Remove it, or see to it that nothing of its last holder is left on it before it is given.", "nothing shows it%s", described(l))
		}
		return
	}
	kept := n != nil && (n.State == dayone.NumberOnHold || n.State == dayone.NumberExternal)
	switch {
	case c.left(m.Person):
		c.leaver(l, m, add)
	case m.Several:
		add(Double, "Say whose it is: take it off the others, or make it a shared line of one of them.", "%s", m.Why)
	case m.Person == "" && !kept:
		add(NobodyLine, "Find out whose it is, or hold its number for the place where it rings.", "%s%s", m.Why, described(l))
	}
	switch {
	case n == nil && c.pooled:
		add(Outside, "Put it into a pool of numbers.yaml: nobody knows its emergency location.", "it is in use, and in no pool, or its number is retired")
	case n == nil:
	case !here:
		add(Elsewhere, "Correct its platform, partition or stored form in numbers.yaml, or move the line.", "the books have it on %s, and it is in use here", strings.TrimSuffix(n.Platform+" in "+n.Partition+" as "+n.Pattern, " in  as "))
	case n.State == dayone.NumberFree || n.State == dayone.NumberQuarantine:
		add(UsedFree, "Adopt it, or take it off the platform: it may be given to somebody else.", "it is in use, and in the books it is %s", map[bool]string{true: "available", false: "at rest"}[n.State == dayone.NumberFree])
	case n.Owner != "" && m.Person != "" && n.Owner != m.Person:
		f.Other = n.Owner
		add(OtherHolder, "Find out whose it is, and correct the books or the platform.", "it is theirs on the platform (%s), and in the books somebody else's", m.says())
	}
	if here && !kept && !c.left(m.Person) { // what leavers have goes anyway
		c.service(l, n, m)
	}
	c.take(l, n, here, m)
}

func (c *comparing) leaver(l *dayone.PlatformLine, m Match, add func(Kind, string, string, ...any)) {
	text, next := fmt.Sprintf("somebody who left has it (%s)", m.says()), "Take it off their devices, and release the number."
	others := 0
	for _, a := range l.At {
		if i, ok := c.devices[a.Device]; ok {
			if _, o, _ := c.owner(&c.p.Devices[i]); o.Person != m.Person {
				others++
			}
		}
	}
	switch {
	case others == 1:
		text = fmt.Sprintf("%s; 1 device of others shows it, too", text)
	case others > 1:
		text = fmt.Sprintf("%s; %d devices of others show it, too", text, others)
	}
	if others > 0 {
		next = "Name an heir among those who show it, or take it off there first; it is theirs to go on with."
	}
	for _, login := range l.Primary {
		if i, ok := c.users[strings.ToLower(login)]; ok && c.p.Users[i].Extension != "" {
			text += "; the contact centre sends calls to " + login
			next = "Take " + login + " out of the contact centre first. " + next
		}
	}
	add(LeaverLine, next, "%s", text)
}

func described(l *dayone.PlatformLine) string {
	if l.Description == "" {
		return ""
	}
	return fmt.Sprintf("; its description is %q", l.Description)
}

// patterns finds what else answers the numbers of a pool: it would ring there instead of at whoever is given one of them. What
// leads to a pool is as it should be, and what leads on from another partition, too.
func (c *comparing) patterns() {
	if !c.p.Tells(dayone.PlatformPatterns) {
		return
	}
	var answer, lead []routeplan.Entry
	var at, leadAt []int
	for i, x := range c.p.Patterns {
		if x.Class == dayone.PatternLine {
			continue
		}
		answer, at = append(answer, routeplan.Entry{Pattern: x.Pattern, Partition: fmt.Sprint(i)}), append(at, i)
		if to := destination(x); to != "" {
			lead, leadAt = append(lead, routeplan.Entry{Pattern: to, Partition: fmt.Sprint(i)}), append(leadAt, i)
		}
	}
	answers, faults := routeplan.Compile(answer)
	for _, f := range faults {
		c.unread(f, at, answer)
	}
	leads, _ := routeplan.Compile(lead) // where what it leads to cannot be read, it is not known to lead here
	of := map[string][]*dayone.Number{}
	for i := range c.Numbers {
		of[c.Numbers[i].Pool] = append(of[c.Numbers[i].Pool], &c.Numbers[i])
	}
	for i := range c.Plan.Pools {
		if c.Plan.Pools[i].Platform == c.System {
			c.pool(&c.Plan.Pools[i], of[c.Plan.Pools[i].Name], answers, leads, position(answer, at), position(lead, leadAt))
		}
	}
}

func position(entries []routeplan.Entry, at []int) map[routeplan.Entry]int {
	out := make(map[routeplan.Entry]int, len(entries))
	for i, e := range entries {
		out[e] = at[i]
	}
	return out
}

func (c *comparing) unread(f routeplan.Fault, at []int, entries []routeplan.Entry) {
	x := c.p.Patterns[at[slices.Index(entries, f.Entry)]]
	c.find(Finding{
		Kind: UnreadPattern, Thing: "pattern", Name: lineName(x.Pattern, x.Partition), Text: fmt.Sprintf("%s, at sign %d: it may answer any number", f.Text, f.At+1),
		Next: "Look at it on the platform; numbers are given as if it answered none.",
	})
}

// destination is what a pattern that leads on leads to, as a pattern; "": it is not known.
func destination(x dayone.PlatformPattern) string {
	if x.Class != dayone.PatternRoute || x.Detail == "" {
		return ""
	}
	to := x.Detail
	if strings.HasPrefix(to, "+") {
		to = `\` + to
	}
	if _, wrong := routeplan.Check(to); wrong != "" {
		return ""
	}
	return to
}

// covered is a pattern that answers numbers of a pool.
type covered struct {
	all, open, owned int // open: that are not kept from everybody
	first            string
}

func (c *comparing) pool(pool *number.Pool, numbers []*dayone.Number, answers, leads *routeplan.Plan, at, leadAt map[routeplan.Entry]int) {
	hits, to := map[int]*covered{}, map[int]int{}
	var found []routeplan.Entry
	for _, n := range numbers {
		found = leads.Matches(found[:0], n.Pattern, nil)
		for _, e := range found {
			to[leadAt[e]]++
		}
		found = answers.Matches(found[:0], n.Pattern, nil)
		for _, e := range found {
			h := hits[at[e]]
			if h == nil {
				h = &covered{}
				hits[at[e]] = h
			}
			h.all++
			if n.State == dayone.NumberOnHold || n.State == dayone.NumberExternal {
				continue
			}
			if h.open++; h.first == "" {
				h.first = string(n.ID)
			}
			if n.State == dayone.NumberAssigned {
				h.owned++
			}
			if x := c.p.Patterns[at[e]]; n.State == dayone.NumberFree && keeps(x.Class) {
				c.out.Takes = append(c.out.Takes, Take{Number: n.ID, Line: lineName(x.Pattern, x.Partition), Hold: x.Kind + " " + x.Pattern + " of " + c.System, Confidence: Certain, Why: "the route plan has it"})
			}
		}
	}
	for _, i := range sorted(to) {
		x := c.p.Patterns[i]
		c.out.Leads = append(c.out.Leads, Lead{Pool: pool.Name, Pattern: x.Pattern, Partition: x.Partition, Kind: x.Kind, Numbers: to[i]})
	}
	for _, i := range sorted(hits) {
		x, h := c.p.Patterns[i], hits[i]
		onItsWay := x.Class == dayone.PatternRoute && (to[i] > 0 || x.Partition != pool.Partition)
		if h.open == 0 || onItsWay {
			continue
		}
		f := Finding{Kind: PatternConflict, Thing: "pattern", Name: lineName(x.Pattern, x.Partition), Pool: pool.Name}
		f.Text = fmt.Sprintf("%s %s answers %d of the %d numbers of the pool, the first is %s", x.Kind, x.Pattern, h.all, len(numbers), h.first)
		if h.owned > 0 {
			f.Text += fmt.Sprintf("; %d of them are somebody's", h.owned)
		}
		f.Next = "Hold these numbers in the books, or change the pattern on the platform."
		if keeps(x.Class) {
			f.Next = "Adopt it: these numbers are then held. Or change the pattern on the platform."
		}
		c.find(f)
	}
}

// keeps says that what a pattern answers is nobody's to have.
func keeps(class dayone.PatternClass) bool {
	return class == dayone.PatternEmergency || class == dayone.PatternHunt || class == dayone.PatternService
}

func sorted[V any](m map[int]V) []int {
	out := make([]int, 0, len(m))
	for i := range m {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}
