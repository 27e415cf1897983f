package number

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
)

// Row is one line of a file of numbers: a number or several one after the other, and what is said of them.
type Row struct {
	First, Last         string // E.164, or digits
	Pool                string // as the file says, or as the plan does
	Platform, Partition string
	Pattern             string // where the file says it, of a number outside pools
	State               dayone.NumberState
	Who                 string // mail address, id or employee number of its owner
	Confirmed           bool
	Since               time.Time
	Reason              string
	Line                int
	WhoCol              int
}

// Columns of the file. number has to be there; all else may be missing.
var Columns = []string{"number", "to", "pool", "platform", "partition", "pattern", "state", "person", "confirmed", "since", "reason"}

// MostRows is how many lines a file may have.
const MostRows = 250_000

// ReadFile reads a CSV file of numbers by a plan. A file with faults is not used at all; each says where it is.
func ReadFile(name, text string, p *Plan) ([]Row, []Fault) {
	f := &table{name: name, plan: p, seen: map[string]int{}}
	text = strings.TrimPrefix(text, "\uFEFF")
	if !utf8.ValidString(text) {
		f.fault(1, 1, "the file is not UTF-8")
		return nil, f.faults
	}
	if line := dayone.IllegibleLine(text); line > 0 {
		f.fault(line, 1, "the line holds a control character, which nobody can read; take it out")
		return nil, f.faults
	}
	f.csv = csv.NewReader(strings.NewReader(text))
	f.csv.ReuseRecord, f.csv.FieldsPerRecord = true, -1
	head, _, _ := strings.Cut(text, "\n")
	if strings.Count(head, ";") > strings.Count(head, ",") { // as spreadsheets of half of Europe write it
		f.csv.Comma = ';'
	}
	if !f.head() {
		return nil, f.faults
	}
	for {
		rec, err := f.csv.Read()
		switch {
		case errors.Is(err, io.EOF):
			if len(f.rows) == 0 && len(f.faults) == 0 {
				f.fault(1, 1, "the file holds no numbers")
			}
			return f.rows, f.faults
		case err != nil:
			var at *csv.ParseError
			if errors.As(err, &at) {
				f.fault(at.Line, at.Column, "the line does not read as CSV: %v", at.Err)
			} else {
				f.fault(1, 1, "the file does not read: %v", err)
			}
			return nil, f.faults
		case len(f.rows) >= MostRows:
			f.fault(len(f.rows), 1, "the file has more than %d lines; split it", MostRows)
			return nil, f.faults
		case len(f.faults) >= mostFaults:
			return nil, f.faults
		}
		f.row(rec)
	}
}

// mostFaults is how many are told of at once.
const mostFaults = 200

type table struct {
	name    string
	plan    *Plan
	csv     *csv.Reader
	at      map[string]int // columns
	rows    []Row
	faults  []Fault
	seen    map[string]int // line by single number
	laid    []span         // of rows
	several []int          // rows with several numbers
}

func (f *table) fault(line, col int, format string, args ...any) {
	f.faults = append(f.faults, Fault{f.name, line, col, fmt.Sprintf(format, args...)})
}

func (f *table) head() bool {
	rec, err := f.csv.Read()
	if err != nil {
		f.fault(1, 1, "the file is empty; its first line names the columns: %s", strings.Join(Columns, ", "))
		return false
	}
	f.at = map[string]int{}
	for i, c := range rec {
		c = strings.ToLower(strings.TrimSpace(c))
		_, twice := f.at[c]
		line, col := f.csv.FieldPos(i)
		switch {
		case !slices.Contains(Columns, c):
			hint := ""
			if near := dayone.Meant(c, Columns); near != "" {
				hint = "; " + near
			}
			f.fault(line, col, "there is no column %q; there are %s%s", c, strings.Join(Columns, ", "), hint)
		case twice:
			f.fault(line, col, "column %q is there twice", c)
		}
		f.at[c] = i
	}
	if _, ok := f.at["number"]; !ok {
		f.fault(1, 1, "column number is missing")
	}
	return len(f.faults) == 0
}

// cell is what stands in a column, and where.
func (f *table) cell(rec []string, column string) (text string, line, col int) {
	i, ok := f.at[column]
	if !ok || i >= len(rec) {
		line, col = f.csv.FieldPos(0)
		return "", line, col
	}
	line, col = f.csv.FieldPos(i)
	return strings.TrimSpace(rec[i]), line, col
}

func (f *table) row(rec []string) {
	if len(rec) == 1 && strings.TrimSpace(rec[0]) == "" {
		return
	}
	var r Row
	before := len(f.faults)
	get := func(column string) string { s, _, _ := f.cell(rec, column); return s }
	r.Pool, r.Platform, r.Partition, r.Pattern, r.Reason = get("pool"), get("platform"), get("partition"), get("pattern"), get("reason")
	text, line, col := f.cell(rec, "number")
	r.Line = line
	pool, ok := f.plan.Pool(r.Pool)
	if r.Pool != "" && !ok {
		_, l, c := f.cell(rec, "pool")
		f.fault(l, c, "numbers.yaml has no pool %q", r.Pool)
		return
	}
	country := ""
	if pool != nil {
		country, r.Platform, r.Partition = pool.Country, pool.Platform, pool.Partition
	}
	extension := digits(text) && len(text) <= 9 && (pool == nil || !pool.hasE164() || pool.has(text))
	read := func(column string) string {
		text, l, c := f.cell(rec, column)
		if extension && digits(text) {
			return text
		}
		e, err := Parse(text, country)
		if err != nil {
			f.fault(l, c, "%s", problem(err))
		}
		return e
	}
	r.First = read("number")
	if r.Last = r.First; get("to") != "" {
		r.Last = read("to")
	}
	f.said(rec, &r)
	if len(f.faults) > before {
		return
	}
	s, ok := spanOf(r.First, r.Last)
	switch {
	case !ok:
		f.fault(line, col, "%s to %s is no range: both have the same length, and the first is the smaller one", r.First, r.Last)
	case s.hi-s.lo >= MostInRange:
		f.fault(line, col, "the range has %d numbers; one line has at most %d", s.hi-s.lo+1, MostInRange)
	case r.Who != "" && s.hi > s.lo:
		f.fault(line, r.WhoCol, "%d numbers cannot all be one person's; write a line for each", s.hi-s.lo+1)
	case extension && r.Platform == "":
		f.fault(line, col, "%s has no + before it: say its pool or its platform", r.First)
	case pool != nil && f.elsewhere(r) != "":
		f.fault(line, col, "%s is one of pool %s in numbers.yaml, and the line says %s", r.First, f.elsewhere(r), r.Pool)
	default:
		f.once(r, s, line, col)
	}
}

// elsewhere is the pool that a number is in by the plan, where the line names another.
func (f *table) elsewhere(r Row) string {
	if pool, _, ok := f.plan.Of(r.First, r.Platform, r.Partition); ok && pool.Name != r.Pool {
		return pool.Name
	}
	return ""
}

func (p *Pool) hasE164() bool {
	return slices.ContainsFunc(p.Ranges, func(r Range) bool { return r.e164() })
}

func (p *Pool) has(text string) bool {
	return slices.ContainsFunc(p.Ranges, func(r Range) bool { return r.Has(text) })
}

// said reads what a line says about its numbers.
func (f *table) said(rec []string, r *Row) {
	state, line, col := f.cell(rec, "state")
	r.Who, _, r.WhoCol = f.cell(rec, "person")
	r.State = dayone.NumberState(strings.ToLower(state))
	switch {
	case state == "" && r.Who != "":
		r.State = dayone.NumberAssigned
	case state == "":
		r.State = dayone.NumberFree
	case r.State == dayone.NumberQuarantine || !slices.Contains(dayone.NumberStates, r.State):
		f.fault(line, col, "state is %q; write available, reserved, assigned, held, external or retired", state)
	}
	if owned := r.State == dayone.NumberAssigned || r.State == dayone.NumberReserved; owned != (r.Who != "") && len(f.faults) == 0 {
		f.fault(line, r.WhoCol, "a number that is %s has %s", r.State, map[bool]string{true: "an owner: name a person", false: "no owner: leave person empty"}[owned])
	}
	if r.State == dayone.NumberOnHold && r.Reason == "" {
		_, l, c := f.cell(rec, "reason")
		f.fault(l, c, "say why it is held")
	}
	switch text, l, c := f.cell(rec, "confirmed"); strings.ToLower(text) {
	case "", "no", "false":
	case "yes", "true":
		r.Confirmed = true
	default:
		f.fault(l, c, "confirmed is %q; write yes or no", text)
	}
	if text, l, c := f.cell(rec, "since"); text != "" {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			f.fault(l, c, "%q is no day; write 2025-01-31", text)
		}
		r.Since = d
	}
}

// mostRanges is how many lines of a file may be about several numbers.
const mostRanges = 1000

// once keeps a row, unless a line before it is about the same number.
func (f *table) once(r Row, s span, line, col int) {
	same := func(o Row) bool {
		return s.sign == "+" || o.Platform == r.Platform && o.Partition == r.Partition
	}
	key := r.First
	if s.sign == "" {
		key = r.Platform + "\n" + r.Partition + "\n" + r.First
	}
	if first, twice := f.seen[key]; twice && s.lo == s.hi {
		f.fault(line, col, "%s stands in line %d already; a number has one line and one owner", r.First, first)
		return
	}
	others := f.several
	if s.lo < s.hi {
		if len(f.several) == mostRanges {
			f.fault(line, col, "more than %d lines are about several numbers; write them as ranges of numbers.yaml", mostRanges)
			return
		}
		others = nil
		for i := range f.rows {
			others = append(others, i)
		}
	}
	for _, i := range others {
		if f.laid[i].meets(s) && same(f.rows[i]) {
			f.fault(line, col, "%s is one of line %d, %s to %s", r.First, f.rows[i].Line, f.rows[i].First, f.rows[i].Last)
			return
		}
	}
	if s.lo < s.hi {
		f.several = append(f.several, len(f.rows))
	} else {
		f.seen[key] = line
	}
	f.rows, f.laid = append(f.rows, r), append(f.laid, s)
}

// Numbers are those of a row as the plan has them, each as it begins. A number that no pool has is external, or comes with a
// platform of its own.
func (r Row) Numbers(p *Plan, at time.Time) []dayone.Number {
	s, ok := spanOf(r.First, r.Last)
	if !ok {
		return nil
	}
	out := make([]dayone.Number, 0, int(s.hi-s.lo)+1)
	for i := s.lo; i <= s.hi; i++ {
		text := s.at(i)
		if pool, rng, ok := p.Of(text, r.Platform, r.Partition); ok && (r.Pool == "" || r.Pool == pool.Name) {
			out = append(out, pool.Number(rng, text, at))
			continue
		}
		if pool, ok := p.Pool(r.Pool); ok {
			out = append(out, pool.Single(text, at))
			continue
		}
		n := dayone.Number{Platform: r.Platform, Partition: r.Partition, Pattern: r.Pattern, State: dayone.NumberExternal, Since: at}
		if s.sign == "+" {
			n.E164 = text
		}
		if n.Pattern == "" {
			n.Pattern = text
		}
		n.ID = IDOf(n)
		out = append(out, n)
	}
	return out
}

// Import is what a line of a file makes of a number; was is how the books have it, nil: they do not. false: nothing changes.
// Whoever has a number in the books keeps it: it is released there first.
func Import(was *dayone.Number, n dayone.Number, r Row, owner dayone.PersonID, at time.Time, p *Pool) (dayone.Number, bool, error) {
	state := r.State
	if n.Pool == "" && state == dayone.NumberFree {
		state = dayone.NumberExternal // nobody gives it
	}
	if was != nil {
		taken := was.State == dayone.NumberAssigned || was.State == dayone.NumberReserved
		switch {
		case taken && was.Owner != owner:
			return n, false, fmt.Errorf("%s is %s in the books, to somebody else; release it there first: %w", n.ID, was.State, dayone.ErrConflict)
		case was.State == state && was.Owner == owner && was.For.Reason == reasonOf(r) && (!r.Confirmed || !was.Confirmed.IsZero()):
			return *was, false, nil
		}
		n = *was
	}
	since := at
	if !r.Since.IsZero() && r.Since.Before(at) {
		since = r.Since
	}
	n.State, n.Since, n.Owner, n.Until, n.Confirmed, n.For = state, since, owner, time.Time{}, time.Time{}, dayone.NumberNote{Reason: reasonOf(r)}
	switch {
	case state == dayone.NumberAssigned && r.Confirmed:
		n.Confirmed = at
	case state == dayone.NumberAssigned && p != nil:
		n.Until = at.Add(p.Activation)
	case state == dayone.NumberReserved && p != nil:
		n.Until = at.Add(p.Reservation)
	case state == dayone.NumberReserved:
		n.Until = at.Add(Reservation)
	}
	return n, true, nil
}

// reasonOf is why a number is held; other states have none in the books.
func reasonOf(r Row) string {
	if r.State == dayone.NumberOnHold {
		return r.Reason
	}
	return ""
}
