package policy

import (
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/dayone-hq/dayone"
)

// Workforce is everybody at one instant, attribute by attribute: numbers of a dictionary, a column each. Rows are people
// in the order of adding. It is filled by one goroutine and read by many.
type Workforce struct {
	dict   *Dictionary
	paths  []string
	cols   []*column
	codes  [][]uint32 // by column, by row
	ids    []dayone.PersonID
	zones  []uint16 // by row: of zoneOf
	starts []int64  // by row: seconds since 1970
	zone   []*time.Location
	byLoc  map[*time.Location]uint16

	mu       sync.Mutex
	postings map[string][]*roaring.Bitmap // of a column, by code
}

// NewWorkforce holds what policies of the schema may read, and what the sets read now. Personal attributes that none of
// them reads are left out, and so are engagements, which no two people have in common.
func NewWorkforce(d *Dictionary, schema Schema, sets ...*Set) *Workforce {
	return workforce(d, schema.columns(), sets)
}

// NarrowWorkforce holds no more than what the sets read, and these attributes: it is smaller, and enough for Glances of those
// sets.
func NarrowWorkforce(d *Dictionary, attrs []string, sets ...*Set) *Workforce {
	paths := []string{siteColumn}
	for _, a := range attrs {
		paths = append(paths, "person."+a)
	}
	return workforce(d, paths, sets)
}

func workforce(d *Dictionary, paths []string, sets []*Set) *Workforce {
	w := &Workforce{dict: d, byLoc: map[*time.Location]uint16{}, postings: map[string][]*roaring.Bitmap{}}
	seen := map[string]bool{}
	add := func(path string) {
		if path != constant && !seen[path] {
			seen[path] = true
			w.paths, w.cols, w.codes = append(w.paths, path), append(w.cols, d.column(path)), append(w.codes, nil)
		}
	}
	add("person.status")
	for _, path := range paths {
		add(path)
	}
	for _, s := range sets {
		for _, path := range slices.Concat(s.reads(), s.takes()) {
			add(path)
		}
	}
	return w
}

// reads are the columns that conditions of the set need.
func (s *Set) reads() []string {
	var out []string
	for _, u := range s.units {
		for _, e := range u.conds {
			cols, _, whole := columnsOf(e.ast.NativeRep().Expr())
			out = append(out, cols...)
			if whole { // a person as a thing: everything
				for _, name := range s.Schema.Names() {
					out = append(out, "person."+name)
				}
				out = append(out, siteColumn, "person.engagements")
			}
		}
	}
	return out
}

// takes are the columns that parameters and windows are made of, and by which exceptions name somebody.
func (s *Set) takes() []string {
	var out []string
	all := func(es ...*expr) {
		for _, e := range es {
			cols, _, _ := columnsOf(e.ast.NativeRep().Expr())
			out = append(out, cols...)
		}
	}
	date := func(ms ...*moment) {
		for _, m := range ms {
			if m != nil && m.expr != nil {
				all(m.expr)
			}
		}
	}
	for _, p := range s.Policies {
		date(p.From, p.Until)
		for _, r := range slices.Concat(p.Grants, p.Offers) {
			date(r.From, r.Until)
			for _, t := range r.Params {
				all(t.exprs()...)
			}
		}
	}
	if len(s.exceptOf) > 0 {
		out = append(out, "person.email", "person.employee_number")
	}
	return out
}

// Holds says whether the workforce knows all that the set reads; else it has to be filled again with the set named.
func (w *Workforce) Holds(s *Set) bool {
	for _, path := range s.reads() {
		if path != constant && w.column(path) < 0 {
			return false
		}
	}
	return true
}

func (w *Workforce) column(path string) int {
	for i, p := range w.paths {
		if p == path {
			return i
		}
	}
	return -1
}

// Len is the number of people.
func (w *Workforce) Len() int { return len(w.ids) }

// ID is who stands in a row.
func (w *Workforce) ID(row int) dayone.PersonID { return w.ids[row] }

// Laid is a person in numbers, before she has a row.
type Laid struct {
	ID    dayone.PersonID
	codes []uint32 // by column
	zone  *time.Location
	start int64
}

// Lay numbers what a workforce holds of a person. Many goroutines may at once, also while rows are added.
func (w *Workforce) Lay(p *dayone.Person) Laid {
	l := Laid{ID: p.ID, codes: make([]uint32, len(w.cols)), start: startOf(p)}
	l.zone, _ = p.Location()
	for i, c := range w.cols {
		l.codes[i] = c.code(p)
	}
	return l
}

// Add appends a person.
func (w *Workforce) Add(p *dayone.Person) { w.AddLaid(w.Lay(p)) }

// AddLaid appends a person who was laid out by this workforce.
func (w *Workforce) AddLaid(l Laid) {
	for i, code := range l.codes {
		w.codes[i] = append(w.codes[i], code)
	}
	w.zones, w.starts, w.ids = append(w.zones, w.zoneOf(l.zone)), append(w.starts, l.start), append(w.ids, l.ID)
}

func startOf(p *dayone.Person) int64 {
	if p.Start.IsZero() {
		return noStart
	}
	return p.Start.Unix()
}

// Text is an attribute of somebody, as people lay it out; false: it is not held.
func (w *Workforce) Text(row int, attr string) (string, bool) {
	if attr == "id" {
		return string(w.ids[row]), true
	}
	n := w.column("person." + attr)
	if n < 0 {
		return "", false
	}
	return w.cols[n].sampleOf(w.codes[n][row]).value.Text, true
}

func (w *Workforce) zoneOf(zone *time.Location) uint16 {
	n, ok := w.byLoc[zone]
	if !ok {
		n = uint16(len(w.zone))
		w.byLoc[zone] = n
		w.zone = append(w.zone, zone)
	}
	return n
}

// person is as much of somebody as the columns know: enough for any condition.
func (w *Workforce) person(row int, set *Set) dayone.Person {
	p := dayone.Person{ID: w.ids[row], Attrs: dayone.Attrs{}}
	for i, c := range w.cols {
		s := c.sampleOf(w.codes[i][row])
		switch {
		case !s.known:
		case c.path == siteColumn:
			p.Site = *s.site
		case c.attr == "engagements":
			p.Engagements = s.engagements
		case c.attr == "id":
		case c.attr == "status":
			p.Status = dayone.Status(s.value.Text)
		default:
			p.Attrs[c.attr] = s.value
		}
	}
	return p
}

// days are the calendar days of the zones at an instant.
func (w *Workforce) days(now time.Time) []time.Time {
	out := make([]time.Time, len(w.zone))
	for i, z := range w.zone {
		y, m, d := now.In(z).Date()
		out[i] = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return out
}

// posting is who has a value, by code.
func (w *Workforce) posting(col int) []*roaring.Bitmap {
	path := w.paths[col]
	w.mu.Lock()
	defer w.mu.Unlock()
	if out, ok := w.postings[path]; ok {
		return out
	}
	rows := make([][]uint32, w.cols[col].len())
	for row, code := range w.codes[col] {
		rows[code] = append(rows[code], uint32(row))
	}
	out := make([]*roaring.Bitmap, len(rows))
	for code, rs := range rows {
		out[code] = roaring.New()
		out[code].AddMany(rs)
		out[code].RunOptimize()
	}
	w.postings[path] = out
	return out
}

// Set replaces what is known of a person in a row, or adds a row at the end. Nobody may read meanwhile.
func (w *Workforce) Set(row int, p *dayone.Person) { w.SetLaid(row, w.Lay(p)) }

// SetLaid is Set for somebody who was laid out by this workforce.
func (w *Workforce) SetLaid(row int, l Laid) {
	if row == len(w.ids) {
		w.AddLaid(l)
		for i, c := range w.cols {
			w.post(c.path, uint32(row), 0, w.codes[i][row], true)
		}
		return
	}
	for i, c := range w.cols {
		if code := l.codes[i]; code != w.codes[i][row] {
			w.post(c.path, uint32(row), w.codes[i][row], code, false)
			w.codes[i][row] = code
		}
	}
	w.zones[row], w.starts[row] = w.zoneOf(l.zone), l.start
}

// post moves a row from one value's list to another's.
func (w *Workforce) post(path string, row, from, to uint32, fresh bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lists, ok := w.postings[path]
	if !ok {
		return
	}
	for int(to) >= len(lists) {
		lists = append(lists, roaring.New())
	}
	if !fresh {
		lists[from].Remove(row)
	}
	lists[to].Add(row)
	w.postings[path] = lists
}
