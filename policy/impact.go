package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
)

// Impact is what replacing one set by another means for everybody, as their conditions say: counts of bitmaps, so it is
// there while somebody types. Windows, prerequisites and separation of duties are what the plan of each person adds.
type Impact struct {
	People   int
	Policies []PolicyShift
	Keys     []KeyShift
	Affected *roaring.Bitmap // rows with any shift
}

// PolicyShift is who a policy holds for, before and after.
type PolicyShift struct {
	ID, Title     string
	At            string
	Change        string // added, removed, changed, and moved where only its people changed
	Before, After int
	Joins, Leaves int
	Unsure        int // cannot be answered for so many
}

// KeyShift is who gains, loses or keeps something with another role or parameter.
type KeyShift struct {
	Key                   dayone.Key
	Before, After         int
	Gain, Lose, Alter     *roaring.Bitmap
	Asks                  int      // of those who gain it: only after an approval
	By                    []string // lines that cause it
	Sensitive             bool
	RoleBefore, RoleAfter string // where everybody who is altered goes from one role to another
}

// Survey answers all conditions of the set about everybody.
func (s *Set) Survey(w *Workforce, now time.Time) *Census { return s.over(w.dict).census(w, now) }

// given is who gets a key by the conditions of a set, and whose answer is not known.
type given struct {
	rows, doubt *roaring.Bitmap
	held        *roaring.Bitmap            // of those in doubt: who would get it but for a deny that cannot be answered
	asks        *roaring.Bitmap            // only after an approval
	roles       map[string]*roaring.Bitmap // the best role
	shapes      map[string]*roaring.Bitmap // by parameters as written
	lines       []string
}

func (c *Census) given(key dayone.Key) given {
	l := c.Set.byKey[key]
	g := given{doubt: roaring.New(), held: roaring.New(), asks: none, roles: map[string]*roaring.Bitmap{}, shapes: map[string]*roaring.Bitmap{}}
	var all, free []*roaring.Bitmap
	byRole, byShape := map[string][]*roaring.Bitmap{}, map[string][]*roaring.Bitmap{}
	for _, r := range l.rules {
		b := c.yes[r.unit]
		all = append(all, b)
		if d := c.doubt[r.unit]; !d.IsEmpty() {
			g.doubt.Or(d)
		}
		if r.Approval == nil {
			free = append(free, b)
		}
		byRole[r.Role] = append(byRole[r.Role], b)
		byShape[r.shape()] = append(byShape[r.shape()], b)
		g.lines = append(g.lines, r.At.line())
	}
	g.rows = roaring.FastOr(all...)
	if len(free) < len(all) {
		g.asks = roaring.AndNot(g.rows, roaring.FastOr(free...))
	}
	for _, d := range l.denies {
		g.rows.AndNot(c.yes[d.unit])
		g.asks = roaring.AndNot(g.asks, c.yes[d.unit])
		g.doubt.AndNot(c.yes[d.unit])
		g.lines = append(g.lines, d.At.line())
	}
	g.doubt.AndNot(g.rows)
	for _, d := range l.denies { // a deny that cannot be answered gives nothing new, and leaves what is there
		if unsure := roaring.And(g.rows, c.doubt[d.unit]); !unsure.IsEmpty() {
			g.held.Or(unsure)
			g.doubt.Or(unsure)
			g.rows.AndNot(unsure)
			g.asks = roaring.AndNot(g.asks, unsure)
		}
	}
	parts := func(from map[string][]*roaring.Bitmap, to map[string]*roaring.Bitmap) {
		for name, bs := range from {
			if to[name] = g.rows; len(from) > 1 { // one for all is the common case
				to[name] = roaring.FastOr(bs...)
			}
		}
	}
	parts(byRole, g.roles)
	parts(byShape, g.shapes)
	if len(g.roles) > 1 { // the highest rank of each
		kind := c.Set.Systems[key.System].Kinds[key.Kind]
		taken := roaring.New()
		for i := len(kind.Roles) - 1; i >= -1; i-- {
			name := ""
			if i >= 0 {
				name = kind.Roles[i]
			}
			if b := g.roles[name]; b != nil {
				b.AndNot(taken)
				taken.Or(b)
			}
		}
	}
	return g
}

var none = roaring.New()

// Told is what each policy that tells somebody says about that: when, to whom, with which template.
func (s *Set) Told() map[string]string {
	out := map[string]string{}
	for _, p := range s.Policies {
		for _, n := range p.Notices {
			out[p.ID] += fmt.Sprintf("%v %v %s %t %t", n.On, n.Changed, n.Template, n.Invite, n.Digest)
			for _, to := range n.To {
				out[p.ID] += " " + to.text
			}
			out[p.ID] += "\n"
		}
	}
	return out
}

// Given is who gets a key, by conditions, or keeps it if she has it.
func (c *Census) Given(key dayone.Key) *roaring.Bitmap {
	g := c.given(key)
	return roaring.Or(g.rows, g.held)
}

// shape is what a rule says beside whom it is for.
func (r *Rule) shape() string {
	out := ""
	for _, name := range sortedKeys(r.Params) {
		out += name + "=" + r.Params[name].text + "\x00"
	}
	return out
}

// Compare says what changes from c to after, which is a census of the same people.
func (c *Census) Compare(after *Census) (Impact, error) {
	im := Impact{People: c.of.Len(), Affected: roaring.New()}
	if c.of != after.of {
		return im, errOtherPeople
	}
	im.policies(c, after)
	one := func(k dayone.Key) {
		was, is := c.given(k), after.given(k)
		s := KeyShift{
			Key: k, Before: count(was.rows), After: count(is.rows), By: is.lines, Sensitive: after.Set.Systems[k.System].Kinds[k.Kind].Sensitive,
			Gain: roaring.AndNot(is.rows, was.rows), Lose: roaring.AndNot(was.rows, is.rows), Alter: roaring.New(),
		}
		s.Gain.AndNot(was.doubt) // who could not be judged kept what she had
		s.Lose.AndNot(is.doubt)
		s.Asks = int(s.Gain.AndCardinality(is.asks))
		alter := func(was, is map[string]*roaring.Bitmap, before, after *string) {
			names := union(was, is)
			if len(names) < 2 {
				return
			}
			for name := range names {
				s.Alter.Or(roaring.Xor(orNone(was[name]), orNone(is[name])))
			}
			s.Alter.AndNot(s.Gain)
			s.Alter.AndNot(s.Lose)
			for _, x := range []struct {
				from map[string]*roaring.Bitmap
				to   *string
			}{{was, before}, {is, after}} {
				for _, name := range sortedKeys(x.from) {
					if x.to != nil && s.Alter.Intersects(x.from[name]) {
						*x.to = name
					}
				}
			}
		}
		alter(was.shapes, is.shapes, nil, nil)
		alter(was.roles, is.roles, &s.RoleBefore, &s.RoleAfter)
		s.Alter.And(was.rows)
		s.Alter.And(is.rows)
		if len(is.lines) == 0 {
			s.By = was.lines
		}
		if s.Gain.IsEmpty() && s.Lose.IsEmpty() && s.Alter.IsEmpty() {
			return
		}
		im.Affected.Or(s.Gain)
		im.Affected.Or(s.Lose)
		im.Affected.Or(s.Alter)
		im.Keys = append(im.Keys, s)
	}
	for k, l := range c.Set.byKey {
		if !after.Set.marks[l.mark] || (after.from != c && !after.shares(c, k)) {
			one(k)
		}
	}
	for k, l := range after.Set.byKey {
		if c.Set.marks[l.mark] {
			continue
		}
		if _, both := c.Set.byKey[k]; !both {
			one(k)
		}
	}
	slices.SortFunc(im.Keys, func(a, b KeyShift) int { return compareKeys(a.Key, b.Key) })
	return im, nil
}

// shares says that all answers behind a key are the same in both.
func (c *Census) shares(o *Census, k dayone.Key) bool {
	same := func(u int) bool {
		old, ok := o.Set.unitOf[c.Set.units[u].key]
		return ok && o.yes[old].Equals(c.yes[u]) && o.doubt[old].Equals(c.doubt[u])
	}
	for _, r := range c.Set.byKey[k].rules {
		if !same(r.unit) {
			return false
		}
	}
	for _, d := range c.Set.byKey[k].denies {
		if !same(d.unit) {
			return false
		}
	}
	return true
}

func (im *Impact) policies(was, is *Census) {
	old := map[string]*Policy{}
	for _, p := range was.Set.Policies {
		old[p.ID] = p
	}
	for _, p := range is.Set.Policies {
		before := old[p.ID]
		delete(old, p.ID)
		if before != nil && before.text == p.text && was.yes[before.unit] == is.yes[p.unit] {
			continue
		}
		s := PolicyShift{ID: p.ID, Title: p.Title, At: p.At.line(), After: count(is.yes[p.unit]), Unsure: count(is.doubt[p.unit])}
		switch {
		case before == nil:
			s.Change, s.Joins = "added", s.After
		default:
			a, b := was.yes[before.unit], is.yes[p.unit]
			s.Before = count(a)
			if a != b {
				s.Joins, s.Leaves = int(b.GetCardinality()-a.AndCardinality(b)), int(a.GetCardinality()-a.AndCardinality(b))
			}
			switch {
			case before.text != p.text:
				s.Change = "changed"
			case s.Joins+s.Leaves > 0:
				s.Change = "moved"
			default:
				continue
			}
		}
		im.Policies = append(im.Policies, s)
	}
	for id, p := range old {
		n := count(was.yes[p.unit])
		im.Policies = append(im.Policies, PolicyShift{ID: id, Title: p.Title, At: p.At.line(), Change: "removed", Before: n, Leaves: n})
	}
	slices.SortFunc(im.Policies, func(a, b PolicyShift) int { return cmp.Compare(a.ID, b.ID) })
}

func count(b *roaring.Bitmap) int { return int(b.GetCardinality()) }

func union(a, b map[string]*roaring.Bitmap) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

func orNone(b *roaring.Bitmap) *roaring.Bitmap {
	if b == nil {
		return roaring.New()
	}
	return b
}

// First names up to n people of a bitmap.
func (w *Workforce) First(b *roaring.Bitmap, n int) []dayone.PersonID {
	var out []dayone.PersonID
	for it := b.Iterator(); it.HasNext() && len(out) < n; {
		out = append(out, w.ids[it.Next()])
	}
	return out
}

var errOtherPeople = fmt.Errorf("two surveys of different people cannot be compared: %w", dayone.ErrInvalid)

// Text is what a policy says, without comments and layout.
func (p *Policy) Text() string { return p.text }

// Texts are those of all policies, by id.
func (s *Set) Texts() map[string]string {
	out := make(map[string]string, len(s.Policies))
	for _, p := range s.Policies {
		out[p.ID] = p.text
	}
	return out
}
