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
	Requested map[dayone.Key][]dayone.Request
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
		if e.truths[r.unit] != yes {
			continue
		}
		cand, open := e.opening(p, r)
		switch asked := open != closed && e.requested(&cand); {
		case open == closed:
		case !asked:
			e.offers[r.Key] = append(e.offers[r.Key], cand) // also before its window: it may be asked for ahead
		case open == ahead:
			e.comes(cand)
		default:
			e.given[r.Key] = append(e.given[r.Key], cand)
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
// the offer's, counted from when it was given. Of several requests the last end counts.
func (e *evaluation) requested(c *candidate) bool {
	var last time.Time
	stands, open := false, false
	for _, req := range e.ctx.Requested[c.rule.Key] {
		if req.Role != c.rule.Role {
			continue
		}
		end := req.Until
		if h, held := e.ctx.Held[c.rule.Key]; held && c.rule.For > 0 {
			if over := Lasting(h.Since, req.Made, c.rule.For); end.IsZero() || over.Before(end) {
				end = over
			}
		}
		switch {
		case end.IsZero():
			stands, open = true, true
		case end.After(e.ctx.Now):
			e.flips(end)
			stands = true
			if end.After(last) {
				last = end
			}
		}
	}
	if stands && !open && (c.until.IsZero() || last.Before(c.until)) {
		c.until = last
	}
	return stands
}

// Lasting is the end of an offer that lasts for a while, by when it was given; whoever had it before for another reason has
// it by the request from when that was made.
func Lasting(since, made time.Time, most time.Duration) time.Time {
	if made.After(since) {
		since = made
	}
	return since.Add(most)
}

// opening is how the window of a rule stands.
type opening int

const (
	closed opening = iota // over, or not known
	ahead
	open
)

// candidate is what a rule gives while its window is open.
func (e *evaluation) candidate(p *Policy, r *Rule) (candidate, bool) {
	c, is := e.opening(p, r)
	if is == ahead {
		e.comes(c)
	}
	return c, is == open
}

// comes keeps what will be given, by when that is first.
func (e *evaluation) comes(c candidate) {
	e.flips(c.from)
	if old, dup := e.later[c.rule.Key]; !dup || c.from.Before(old.from) {
		e.later[c.rule.Key] = c
	}
}

// opening is what a rule gives in its window, and how that stands.
func (e *evaluation) opening(p *Policy, r *Rule) (candidate, opening) {
	c := candidate{policy: p, rule: r, attrs: dayone.Attrs{}}
	for _, name := range sortedKeys(r.Params) {
		v, err := r.Params[name].eval(e.world)
		if err != nil {
			e.keep[r.Key] = true
			e.finding("unknown", r.Key, p.ID, r.At.line(), "%s of %s is not known: %v", name, r.Key, err)
			return candidate{}, closed
		}
		c.attrs[name] = v
	}
	var ok bool
	if c.from, c.until, ok = e.window(p, r); !ok {
		e.keep[r.Key] = true
		e.finding("unknown", r.Key, p.ID, r.At.line(), "when %s begins or ends is not known", r.Key)
		return candidate{}, closed
	}
	switch {
	case !c.until.IsZero() && !c.until.After(e.ctx.Now):
		return candidate{}, closed
	case c.from.After(e.ctx.Now):
		return c, ahead
	}
	e.flips(c.until)
	return c, open
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
		_, comes := e.later[key]
		if given || pending || comes {
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
