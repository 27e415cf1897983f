package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Context is what a want depends on beside the person: the clock, what she has, and what somebody agreed to.
type Context struct {
	Now  time.Time
	Held map[dayone.Key]dayone.Holding
	// Requested is what of the offers somebody asked for.
	Requested map[dayone.Key]dayone.Request
	Approved  func(k dayone.Key, role string) bool // nil: nothing
}

// candidate is one justification of one entitlement: a rule of a policy that matches, with its window.
type candidate struct {
	policy      *Policy
	rule        *Rule
	attrs       dayone.Attrs
	from, until time.Time
}

// horizon is how far ahead conditions on today are tried; a want that still has not changed is looked at again then.
const horizonDays = 370

// Want evaluates every policy for p, by the set's index.
func (s *Set) Want(p dayone.Person, c Context) dayone.Want {
	x := s.index()
	m, _ := s.own.matchers.Get().(*matcher)
	if m == nil {
		m = x.matcher()
	}
	defer s.own.matchers.Put(m)
	w := s.worldOf(&p, c.Now)
	m.one(&p, c.Now, func() *world { return w })
	return s.evaluate(&p, c, w, m.truths, func(units []int) ([]int64, bool) { return x.flipDays(units, m.row, w.day().Time) })
}

// Reference is Want with every condition answered by CEL itself: what the index must agree with.
func (s *Set) Reference(p dayone.Person, c Context) dayone.Want {
	w := s.worldOf(&p, c.Now)
	truths := make([]truth, len(s.units))
	for n := range s.units {
		truths[n] = s.units[n].truth(p.Status, w)
	}
	return s.evaluate(&p, c, w, truths, func([]int) ([]int64, bool) { return nil, true })
}

// index is the set's own, over a dictionary of its own unless it was given another.
func (s *Set) index() *Index {
	s.own.once.Do(func() { s.own.index = s.Over(NewDictionary()) })
	return s.own.index
}

// over is the index over a dictionary. The last one is kept: it takes longer to make than a survey.
func (s *Set) over(d *Dictionary) *Index {
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	if s.own.over == nil || s.own.over.dict != d {
		s.own.over = s.Over(d)
	}
	return s.own.over
}

func (s *Set) evaluate(p *dayone.Person, c Context, w *world, truths []truth, days flipDays) dayone.Want {
	e := &evaluation{
		Set: s, person: p, ctx: c, world: w, truths: truths, days: days, given: map[dayone.Key][]candidate{}, offers: map[dayone.Key][]candidate{},
		keep: map[dayone.Key]bool{}, later: map[dayone.Key]candidate{},
	}
	e.want = dayone.Want{Person: p.ID, At: c.Now, Status: p.Status, Garden: p.Garden}
	for _, name := range p.Unknown {
		e.finding("unknown", dayone.Key{}, "", "", "person.%s has no good value; conditions on it give nothing new and take nothing away", name)
	}
	for _, pol := range s.Policies {
		if truths[pol.unit] != no {
			e.policy(pol)
		}
	}
	excepted := e.exceptionsOf()
	e.add(excepted.exceptions)
	e.merge()
	e.deny()
	e.withhold(excepted.exceptions)
	e.prerequisites()
	e.duties(excepted.waivers)
	e.freeze()
	e.notices()
	e.finish()
	return e.want
}

// flipDays are the days after today on which these units may change their answers; every: any day may be one.
type flipDays func(units []int) (days []int64, every bool)

type evaluation struct {
	*Set
	person *dayone.Person
	ctx    Context
	world  *world
	truths []truth // of the set's units
	days   flipDays
	given  map[dayone.Key][]candidate
	offers map[dayone.Key][]candidate
	keep   map[dayone.Key]bool
	later  map[dayone.Key]candidate
	grants map[dayone.Key]dayone.Grant
	pend   map[dayone.Key]dayone.Grant
	want   dayone.Want
}

func (e *evaluation) finding(kind string, key dayone.Key, policy, at, format string, args ...any) {
	e.want.Findings = append(e.want.Findings, dayone.Finding{Kind: kind, Key: key, Policy: policy, At: at, Text: fmt.Sprintf(format, args...)})
}

// flips notes an instant at which the want may change.
func (e *evaluation) flips(t time.Time) {
	if t.After(e.ctx.Now) && (e.want.Next.IsZero() || t.Before(e.want.Next)) {
		e.want.Next = t
	}
}

func (e *evaluation) policy(p *Policy) {
	for _, r := range p.Grants {
		if e.truths[r.unit] == unknown {
			e.keep[r.Key] = true
		} else if cand, ok := e.rule(p, r); ok {
			e.given[r.Key] = append(e.given[r.Key], cand)
		}
	}
	for _, r := range p.Offers {
		if cand, ok := e.rule(p, r); ok {
			if e.requested(&cand) {
				e.given[r.Key] = append(e.given[r.Key], cand)
				continue
			}
			e.offers[r.Key] = append(e.offers[r.Key], cand)
		}
	}
}

// rule says whether r gives something at this instant.
func (e *evaluation) rule(p *Policy, r *Rule) (candidate, bool) {
	if e.truths[r.unit] != yes {
		return candidate{}, false
	}
	return e.candidate(p, r)
}

// requested says whether an offer is given because somebody asked for it, and clips it to its end: the request's own, or
// the offer's, counted from when it was given.
func (e *evaluation) requested(c *candidate) bool {
	req, ok := e.ctx.Requested[c.rule.Key]
	if !ok || req.Role != c.rule.Role {
		return false
	}
	end := req.Until
	if h, held := e.ctx.Held[c.rule.Key]; held && c.rule.For > 0 {
		since := h.Since
		if req.Made.After(since) { // she had it for another reason before
			since = req.Made
		}
		if over := since.Add(c.rule.For); end.IsZero() || over.Before(end) {
			end = over
		}
	}
	if !end.IsZero() {
		if !end.After(e.ctx.Now) {
			return false
		}
		e.flips(end)
		if c.until.IsZero() || end.Before(c.until) {
			c.until = end
		}
	}
	return true
}

// candidate is what a rule gives while its window is open.
func (e *evaluation) candidate(p *Policy, r *Rule) (candidate, bool) {
	c := candidate{policy: p, rule: r, attrs: dayone.Attrs{}}
	for _, name := range sortedKeys(r.Params) {
		v, err := r.Params[name].eval(e.world)
		if err != nil {
			e.keep[r.Key] = true
			e.finding("unknown", r.Key, p.ID, r.At.line(), "%s of %s is not known: %v", name, r.Key, err)
			return candidate{}, false
		}
		c.attrs[name] = v
	}
	var ok bool
	if c.from, c.until, ok = e.window(p, r); !ok {
		e.keep[r.Key] = true
		e.finding("unknown", r.Key, p.ID, r.At.line(), "when %s begins or ends is not known", r.Key)
		return candidate{}, false
	}
	switch {
	case !c.until.IsZero() && !c.until.After(e.ctx.Now):
		return candidate{}, false
	case c.from.After(e.ctx.Now):
		e.flips(c.from)
		if old, dup := e.later[r.Key]; !dup || c.from.Before(old.from) {
			e.later[r.Key] = c
		}
		return candidate{}, false
	}
	e.flips(c.until)
	return c, true
}

// window is the time in which a rule gives: from its own or its kind's lead to the earliest of its ends.
func (e *evaluation) window(p *Policy, r *Rule) (from, until time.Time, ok bool) {
	zone, _ := e.person.Location()
	end := func(m *moment) bool { // a last day counts to its end
		t, good := e.moment(m, zone, true)
		if good && (until.IsZero() || t.Before(until)) {
			until = t
		}
		return good
	}
	for _, m := range []*moment{p.Until, r.Until} {
		if m != nil && !end(m) {
			return from, until, false
		}
	}
	start := e.person.Start
	if p.Limit > 0 {
		if start.IsZero() {
			return from, until, false
		}
		if t := start.AddDate(0, 0, int(p.Limit.Hours()/24)+1); until.IsZero() || t.Before(until) {
			until = t
		}
	}
	m := r.From
	if m == nil {
		m = p.From
	}
	if m != nil && m.expr != nil {
		t, good := e.moment(m, zone, false)
		return t, until, good
	}
	if start.IsZero() {
		return from, until, true // somebody without a start date is in no window; people holds such records back
	}
	offset := e.lead(r.Key)
	if m != nil {
		offset = m.offset
	}
	if offset.WithAccount {
		offset = e.lead(r.Key.Account())
	}
	return offset.From(start, e.person.Site.Holidays), until, true
}

// lead is when a kind begins if nobody says otherwise.
func (s *Set) lead(k dayone.Key) Offset {
	from := s.Schema.Defaults.From
	if o, ok := from[k.System+"/"+k.Kind]; ok {
		return o
	}
	if o, ok := from[k.Kind]; ok {
		return o
	}
	if s.Systems[k.System].Tier == dayone.TierDevice {
		return from["device"]
	}
	if o := from["entitlement"]; !k.IsAccount() && !o.WithAccount {
		return o
	}
	if k.IsAccount() {
		return from[dayone.AccountKindName]
	}
	return Offset{WithAccount: true}
}

// moment is the instant of an offset or of a date: the first of that day, or the end of it.
func (e *evaluation) moment(m *moment, zone *time.Location, atEnd bool) (time.Time, bool) {
	if m.expr == nil {
		if e.person.Start.IsZero() {
			return time.Time{}, false
		}
		return m.offset.From(e.person.Start, e.person.Site.Holidays), true
	}
	v, err := m.expr.eval(e.world)
	if err != nil {
		return time.Time{}, false
	}
	n, err := nounValue(v, dayone.DateValue)
	d, ok := n.Day()
	if err != nil || !ok {
		return time.Time{}, false
	}
	day := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
	if atEnd {
		day = day.AddDate(0, 0, 1)
	}
	return day, true
}

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

// deny applies after everything that gives, so that files and lines may move freely.
func (e *evaluation) deny() {
	for _, p := range e.Policies {
		for _, d := range p.Denies {
			here := e.truths[d.unit]
			if here == no {
				continue
			}
			if here == unknown {
				if _, held := e.ctx.Held[d.Key]; held { // a finding, and it stays
					if _, given := e.grants[d.Key]; given {
						e.finding("unknown", d.Key, p.ID, d.At.line(), "whether %s is denied cannot be told; what is there stays", d.Key)
					}
					continue
				}
			}
			delete(e.keep, d.Key)
			delete(e.grants, d.Key)
			delete(e.pend, d.Key)
			delete(e.offers, d.Key)
			delete(e.later, d.Key)
		}
	}
}

// prerequisites drops what cannot be had without something else, and clips windows to what they need. What is dropped
// may be what something else needs, so it goes on until nothing is.
func (e *evaluation) prerequisites() {
	for changed := true; changed; {
		changed = false
		for key, g := range e.grants {
			kind := e.Systems[key.System].Kinds[key.Kind]
			clipped := false
			for _, need := range kind.Needs {
				over, ok := e.satisfies(key, need)
				if !ok {
					if e.Systems[key.System].Kinds[need].Implied {
						continue // the planner brings it along
					}
					delete(e.grants, key)
					changed, clipped = true, false
					e.finding("missing", key, g.Because[0].Policy, g.Because[0].At, "%s needs %s/%s, which nothing gives", key, key.System, need)
					break
				}
				if over.From.After(g.From) {
					g.From, clipped = over.From, true
				}
				if !over.Until.IsZero() && (g.Until.IsZero() || over.Until.Before(g.Until)) {
					g.Until, clipped = over.Until, true
				}
			}
			if clipped {
				e.grants[key] = g
				changed = true
			}
		}
	}
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

// add gives what exceptions give, beside what policies give. Whoever has left gets nothing; what is to be kept is kept.
func (e *evaluation) add(xs []*Exception) {
	zone, _ := e.person.Location()
	for _, x := range xs {
		switch {
		case x.Does == "keep":
			if _, held := e.ctx.Held[x.Key]; held {
				e.keep[x.Key] = true
			}
		case x.Does == "add" && e.person.Status != dayone.Left:
			c, ok := e.candidate(x.policyOf(), x.Rule)
			if !ok {
				continue
			}
			if end := x.end(zone); c.until.IsZero() || end.Before(c.until) {
				c.until = end
			}
			e.given[x.Key] = append(e.given[x.Key], c)
		}
	}
}

// withhold takes what exceptions take, whatever gives it.
func (e *evaluation) withhold(xs []*Exception) {
	for _, x := range xs {
		if x.Does != "withhold" {
			continue
		}
		_, given := e.grants[x.Key]
		_, pending := e.pend[x.Key]
		if given || pending || e.keep[x.Key] {
			e.finding("withheld", x.Key, ExceptionReason, x.At.line(), "%s is withheld until %s: %s (%s)", x.Key, x.Until, x.Reason, x.Approver)
		}
		delete(e.grants, x.Key)
		delete(e.pend, x.Key)
		delete(e.keep, x.Key)
		delete(e.offers, x.Key)
		delete(e.later, x.Key)
	}
}

// side says whether k is what a duty names: on whichever of the person's accounts, unless it names one.
func side(named, k dayone.Key) bool {
	if named.As == dayone.Personal {
		k.As = dayone.Personal
	}
	return named == k
}

// duties withholds the later side of a forbidden pair; both, if neither is there yet. What somebody has counts whoever
// gave it. Windows that never meet are no conflict.
func (e *evaluation) duties(waivers []*Waiver) {
	for _, d := range e.Duties {
		has, fresh, later := map[int][]dayone.Key{}, map[int][]dayone.Key{}, map[int][]dayone.Key{}
		for i, named := range d.Never {
			seen := map[dayone.Key]bool{}
			for k, h := range e.ctx.Held {
				if side(named, k) && h.State != dayone.Disabled && h.State != dayone.Gone {
					has[i] = append(has[i], k)
					seen[k] = true
				}
			}
			for _, m := range []map[dayone.Key]dayone.Grant{e.grants, e.pend} {
				for k := range m {
					if side(named, k) && !seen[k] {
						fresh[i] = append(fresh[i], k)
						seen[k] = true
					}
				}
			}
			for k := range e.later {
				if side(named, k) && !seen[k] {
					later[i] = append(later[i], k)
				}
			}
		}
		sides := 0
		for i := range d.Never {
			if len(has[i])+len(fresh[i]) > 0 {
				sides++
			}
		}
		waiver := slices.IndexFunc(waivers, func(w *Waiver) bool { return w.Duty == d.ID })
		if sides < 2 {
			if waiver < 0 {
				e.ahead(d, has, fresh, later)
			}
			continue
		}
		old, new := flat(has), flat(fresh)
		text := fmt.Sprintf("%s: %s", cmp.Or(d.Title, d.ID), keyList(append(slices.Clone(old), new...)))
		if waiver >= 0 {
			w := waivers[waiver]
			e.finding("waived", dayone.Key{}, d.ID, w.At.line(), "%s; waived until %s by %s, with %s instead", text, w.Until, w.Approver, w.Control)
			continue
		}
		if !d.Block {
			e.finding("sod", dayone.Key{}, d.ID, d.At.line(), "%s", text)
			continue
		}
		for _, k := range new {
			delete(e.grants, k)
			delete(e.pend, k)
		}
		switch {
		case len(new) == 0:
			text += "; both are there already: one must go"
		case len(old) == 0:
			text += "; neither is given until somebody decides"
		default:
			text += "; withheld: " + keyList(new)
		}
		e.finding("sod", dayone.Key{}, d.ID, d.At.line(), "%s", text)
	}
	e.prerequisites()
}

// ahead withholds what would begin while the other side still runs.
func (e *evaluation) ahead(d *Duty, has, fresh, later map[int][]dayone.Key) {
	if !d.Block {
		return
	}
	for i, keys := range later {
		for _, k := range keys {
			for j := range d.Never {
				if j == i {
					continue
				}
				for _, other := range append(slices.Clone(has[j]), fresh[j]...) {
					if g, ok := e.grants[other]; ok && !g.Until.IsZero() && !g.Until.After(e.later[k].from) {
						continue // it ends before
					}
					if _, there := e.later[k]; there {
						e.finding("sod", dayone.Key{}, d.ID, d.At.line(), "%s: %s would begin while %s is there; withheld: %s", cmp.Or(d.Title, d.ID), k, other, k)
						delete(e.later, k)
					}
				}
			}
		}
	}
}

func flat(m map[int][]dayone.Key) []dayone.Key {
	var out []dayone.Key
	for _, ks := range m {
		out = append(out, ks...)
	}
	slices.SortFunc(out, compareKeys)
	return slices.Compact(out)
}

// freeze leaves entitlements as they are during leave: none is given, none is taken.
func (e *evaluation) freeze() {
	if e.person.Status != dayone.OnLeave {
		return
	}
	for k := range e.grants {
		if _, held := e.ctx.Held[k]; !held && !k.IsAccount() {
			delete(e.grants, k)
		}
	}
	for k := range e.ctx.Held {
		if _, given := e.grants[k]; !given {
			e.keep[k] = true
		}
	}
}

func (e *evaluation) finish() {
	for _, k := range sortedGrantKeys(e.grants) {
		e.want.Grants = append(e.want.Grants, e.grants[k])
		delete(e.keep, k)
	}
	for _, k := range sortedGrantKeys(e.pend) {
		e.want.Pending = append(e.want.Pending, e.pend[k])
		if _, given := e.grants[k]; !given {
			delete(e.keep, k)
		}
	}
	for key, cands := range e.offers {
		_, given := e.grants[key]
		_, pending := e.pend[key]
		if given || pending {
			continue
		}
		if g, ok := e.grant(key, cands); ok {
			g.Approval = cands[0].rule.Approval
			e.want.Offers = append(e.want.Offers, g)
		}
	}
	for key, c := range e.later {
		if _, given := e.grants[key]; given {
			continue
		}
		if g, ok := e.grant(key, []candidate{c}); ok {
			e.want.Later = append(e.want.Later, g)
		}
	}
	for k := range e.keep {
		e.want.Keep = append(e.want.Keep, k)
	}
	byKey := func(a, b dayone.Grant) int { return compareKeys(a.Key, b.Key) }
	slices.SortFunc(e.want.Offers, byKey)
	slices.SortFunc(e.want.Later, byKey)
	slices.SortFunc(e.want.Keep, compareKeys)
	slices.SortStableFunc(e.want.Findings, func(a, b dayone.Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), compareKeys(a.Key, b.Key), cmp.Compare(a.Text, b.Text))
	})
	e.want.Findings = slices.Compact(e.want.Findings)
	e.flips(e.person.Start)
	e.flips(e.person.End)
	e.calendar()
}

// calendar finds the next day on which a condition that reads today changes its answer.
func (e *evaluation) calendar() {
	var asked []int
	for n := range e.units {
		if u := &e.units[n]; u.today && slices.Contains(u.statuses, e.person.Status) {
			asked = append(asked, n)
		}
	}
	if len(asked) == 0 {
		return
	}
	zone, _ := e.person.Location()
	day := e.world.day().Time
	now := e.signature(asked, day)
	days, every := e.days(asked)
	for i := 1; i <= horizonDays; i++ {
		d := day.AddDate(0, 0, i)
		at := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone)
		if !e.want.Next.IsZero() && !at.Before(e.want.Next) {
			return
		}
		if i < horizonDays && !every {
			if len(days) == 0 || days[0] > d.Unix()/daySeconds {
				continue
			}
			days = days[1:]
		}
		if i == horizonDays || !slices.Equal(e.signature(asked, d), now) {
			e.flips(at)
			return
		}
	}
}

func (e *evaluation) signature(asked []int, day time.Time) []truth {
	w := *e.world
	w.today.Time = day
	out := make([]truth, len(asked))
	for i, n := range asked {
		out[i] = e.units[n].truth(e.person.Status, &w)
	}
	return out
}

func compareKeys(a, b dayone.Key) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	default:
		return 1
	}
}

func sortedGrantKeys(m map[dayone.Key]dayone.Grant) []dayone.Key {
	return slices.SortedFunc(maps.Keys(m), compareKeys)
}

func keyList(ks []dayone.Key) string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = k.String()
	}
	return strings.Join(out, ", ")
}
