package policy

import (
	"fmt"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
)

// everybodyFrom is how many people there must be before "it holds for everybody" says anything.
const everybodyFrom = 10

// Warnings are what the people there are say about policies: one that holds for nobody, or for everybody though it seems to
// choose, and conditions that can be answered for nobody because nobody has what they read. With nobody there is nothing
// to say.
func (c *Census) Warnings() []Diagnostic {
	if c.of.Len() == 0 {
		return nil
	}
	r := &reader{}
	warn := func(at Position, width int, code, hint, format string, args ...any) {
		f := &file{name: at.File}
		if l := c.Set.loaded[at.File]; l != nil {
			f = l.file
		}
		r.report(f, at.Line, at.Col, width, code, hint, format, args...)
		r.diags[len(r.diags)-1].Severity = Warning
	}
	for _, p := range c.Set.Policies {
		among := c.among(p.Statuses)
		if p.bad || among.IsEmpty() {
			continue
		}
		c.line(p.unit, p.Conditions, p.At, fmt.Sprintf("policy %q", p.ID), among, warn)
		each := func(cond *expr, unit int, what string) {
			if cond != nil && !c.yes[p.unit].IsEmpty() {
				c.unanswered(unit, []*expr{cond}, cond.at, fmt.Sprintf("this %s of policy %q", what, p.ID), c.yes[p.unit], warn)
			}
		}
		for _, g := range p.Grants {
			each(g.If, g.unit, "grant")
		}
		for _, o := range p.Offers {
			each(o.If, o.unit, "offer")
		}
		for _, d := range p.Denies {
			each(d.If, d.unit, "deny")
		}
	}
	return r.finish()
}

type warner func(at Position, width int, code, hint, format string, args ...any)

// line judges one policy.
func (c *Census) line(u int, conds []*expr, at Position, what string, among *roaring.Bitmap, warn warner) {
	width := 1
	if len(conds) > 0 {
		at, width = conds[0].at, conds[0].width()
	}
	switch n := count(among); {
	case c.unanswered(u, conds, at, what, among, warn):
	case c.yes[u].IsEmpty() && c.doubt[u].IsEmpty():
		hint := "if nobody is there yet, leave it"
		if missing := c.nobodyHas(conds); len(missing) > 0 {
			hint = "nobody has " + strings.Join(missing, " or ")
		}
		warn(at, width, "nobody", hint, "%s holds for none of %d people", what, n)
	case len(conds) > 0 && n >= everybodyFrom && int(c.yes[u].AndCardinality(among)) == n:
		warn(at, width, "everybody", "write match: everyone if that is meant", "%s holds for all of %d people", what, n)
	}
}

// unanswered reports conditions that are unknown for all, and says whether they are.
func (c *Census) unanswered(u int, conds []*expr, at Position, what string, among *roaring.Bitmap, warn warner) bool {
	if !c.yes[u].IsEmpty() || c.doubt[u].IsEmpty() {
		return false
	}
	for _, e := range conds {
		missing := c.nobodyHas([]*expr{e})
		if len(missing) == 0 {
			continue
		}
		warn(e.at, e.width(), "unanswered", "HR does not send it, or people.yaml reads it from another field; has() asks whether it is there",
			"%s can be answered for none of %d people: nobody has %s", what, count(among), strings.Join(missing, " or "))
		return true
	}
	return false
}

// among is everybody in one of these states.
func (c *Census) among(statuses []dayone.Status) *roaring.Bitmap {
	out := roaring.New()
	col := c.of.column("person.status")
	for code, rows := range c.of.posting(col) {
		s := c.of.cols[col].sampleOf(uint32(code))
		for _, want := range statuses {
			if s.known && s.value.Text == string(want) {
				out.Or(rows)
			}
		}
	}
	return out
}

// nobodyHas are the attributes that these conditions read and nobody has.
func (c *Census) nobodyHas(conds []*expr) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range conds {
		cols, _, _ := columnsOf(e.ast.NativeRep().Expr())
		for _, path := range cols {
			col := c.of.column(path)
			if path == constant || path == siteColumn || col < 0 || seen[path] {
				continue
			}
			seen[path] = true
			some := false
			for code, rows := range c.of.posting(col) {
				some = some || c.of.cols[col].sampleOf(uint32(code)).known && !rows.IsEmpty()
			}
			if !some {
				out = append(out, path)
			}
		}
	}
	return out
}
