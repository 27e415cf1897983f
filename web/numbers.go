package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// The pages of telephone numbers: pools, what of each is left, and every number's history.

type numbersView struct {
	Sentence string
	Pools    []poolRow
	Empty    *empty
	May      bool // write
}

type poolRow struct {
	Name           link
	Facts          string
	Share          numberShare
	Free, Total    string
	Outlook        *state
	OutlookText    string
	Exhausted      *stamp
	ExhaustedUntil string
}

// numberShare is a bar: how much of some numbers is in which state.
type numberShare struct {
	Label string
	Parts []sharePart
}

type sharePart struct {
	Class string
	X, W  float64
}

const shareWidth = 200

// numberWords are the states as pages call them, in the order of a bar.
var numberWords = []struct {
	state dayone.NumberState
	word  string
}{
	{dayone.NumberAssigned, "assigned"},
	{dayone.NumberReserved, "reserved"},
	{dayone.NumberQuarantine, "at rest"},
	{dayone.NumberOnHold, "held"},
	{dayone.NumberExternal, "external"},
	{dayone.NumberRetired, "retired"},
	{dayone.NumberFree, "available"},
}

func numberState(s dayone.NumberState) state {
	switch s {
	case dayone.NumberFree:
		return state{Icon: "dot", Text: "Available"}
	case dayone.NumberReserved:
		return state{Icon: "clock", Class: "s-run", Text: "Reserved"}
	case dayone.NumberAssigned:
		return state{Icon: "check", Class: "s-done", Text: "Assigned"}
	case dayone.NumberQuarantine:
		return state{Icon: "pause", Class: "s-wait", Text: "At rest"}
	case dayone.NumberOnHold:
		return state{Icon: "lock", Text: "Held"}
	case dayone.NumberExternal:
		return state{Icon: "system", Text: "External"}
	default:
		return state{Icon: "block", Text: "Retired"}
	}
}

func shareOf(view viewer, count map[dayone.NumberState]int) numberShare {
	total := 0
	for _, n := range count {
		total += n
	}
	var s numberShare
	var words []string
	x := 0.0
	for _, w := range numberWords {
		n := count[w.state]
		if n == 0 {
			continue
		}
		words = append(words, view.number(n)+" "+view.label(w.word))
		width := float64(n) / float64(total) * shareWidth
		s.Parts = append(s.Parts, sharePart{"n-" + string(w.state), round1(x), max(round1(width), 1)})
		x += width
	}
	s.Label = strings.Join(words, ", ")
	return s
}

func round1(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

func (p *portal) numbers(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.NumberPools(r.Context())
	if err != nil {
		return err
	}
	v := newNumbers(p.viewerOf(r), list)
	v.May = p.shows(r, "POST /numbers/plan")
	return p.show(w, r, http.StatusOK, page{Template: "numbers", Title: "Numbers", Nav: "numbers", Crumbs: []link{{"Numbers", ""}}, Main: v})
}

func newNumbers(view viewer, list []flow.PoolView) numbersView {
	v := numbersView{May: true}
	total, free := 0, 0
	for _, x := range list {
		total, free = total+x.Total, free+x.Given
		row := poolRow{
			Name: link{cmp.Or(x.Title, x.Name), "/numbers/pools/" + url.PathEscape(x.Name)}, Facts: joined(", ", x.Platform, x.Partition, x.Site, x.Class), Share: shareOf(view, x.Count),
			Free: view.number(x.Given), Total: view.number(x.Total),
		}
		row.Outlook, row.OutlookText = outlook(view, x)
		row.Exhausted = view.date(x.Outlook.Exhausted)
		v.Pools = append(v.Pools, row)
	}
	v.Sentence = view.say("%s in %s; %s can be given.", view.counted(total, "1 number", "%s numbers"), view.plural(len(list), "1 pool", "%d pools"), view.number(free))
	if len(list) == 0 {
		v.Sentence = "No pool is known yet."
		v.Empty = &empty{Icon: "phone", Title: "No numbers yet", Text: "A pool says which numbers there are, for whom, and where an emergency call from them comes from. Write numbers.yaml, then import who has which.", Acts: []link{{"Write numbers.yaml", "/numbers/plan"}}}
	}
	return v
}

// outlook is how long a pool lasts, in words.
func outlook(view viewer, x flow.PoolView) (*state, string) {
	o := x.Outlook
	switch {
	case x.Total == 0:
		return &state{Icon: "warn", Class: "s-wait", Text: "No range yet"}, ""
	case o.Short > 0:
		return &state{Icon: "x", Class: "s-fail", Text: "Too few"}, view.plural(o.Needs, "1 person is to come", "%d people are to come") + ", " + view.plural(o.Short, "1 of them gets none", "%d of them get none")
	case x.Given == 0:
		return &state{Icon: "x", Class: "s-fail", Text: "None left"}, ""
	case o.Free < x.Low:
		return &state{Icon: "warn", Class: "s-wait", Text: "Low"}, view.say("fewer than %d are left", x.Low)
	case o.Needs > 0:
		return &state{Icon: "check", Class: "s-done", Text: "Enough"}, view.plural(o.Needs, "1 person is to come", "%d people are to come")
	}
	return &state{Icon: "check", Class: "s-done", Text: "Enough"}, ""
}

type poolPage struct {
	Name, Title string
	Problem     *notice
	Figures     []figure
	Facts       []pair
	Ranges      []rangeView
	Give        giveForm
	MayGive     bool
	MayAssign   bool
}

type rangeView struct {
	ID, Title, Facts string
	Shut             *notice
	Map              numberMap
	All              link
}

// numberMap is a range laid out in cells.
type numberMap struct {
	Label         string
	Width, Height int
	Cells         []mapCell
	Key           []mapKey
}

type mapCell struct {
	X, Y  int
	Class string
	Used  int // of the cell's height, from below
	Title string
}

// Top is where what is used of the cell begins.
func (c mapCell) Top() int { return c.Y + cellHeight - c.Used }

type mapKey struct {
	Class, Word string
	Count       int
}

const (
	cellWidth   = 14
	cellHeight  = 14
	cellsInLine = 25
)

func newNumberMap(view viewer, r flow.RangeView, cells []flow.NumberCell) numberMap {
	m := numberMap{Label: shareOf(view, r.Count).Label}
	for _, w := range numberWords {
		if n := r.Count[w.state]; n > 0 {
			m.Key = append(m.Key, mapKey{"n-" + string(w.state), view.label(w.word), n})
		}
	}
	for i, c := range cells {
		total, most, mostOf := 0, dayone.NumberFree, 0
		var words []string
		for _, w := range numberWords {
			n := c.Count[w.state]
			if total += n; n > 0 {
				words = append(words, view.number(n)+" "+view.label(w.word))
			}
			if w.state != dayone.NumberFree && n > mostOf {
				most, mostOf = w.state, n
			}
		}
		cell := mapCell{X: i % cellsInLine * (cellWidth + 2), Y: i / cellsInLine * (cellHeight + 2), Class: "n-" + string(most), Title: string(c.First) + ": " + strings.Join(words, ", ")}
		if c.Last != c.First {
			cell.Title = view.say("%s to %s", c.First, c.Last) + ": " + strings.Join(words, ", ")
		}
		if used := total - c.Count[dayone.NumberFree]; used > 0 {
			cell.Used = max(2, used*cellHeight/total)
		}
		m.Cells = append(m.Cells, cell)
		m.Width, m.Height = max(m.Width, cell.X+cellWidth), cell.Y+cellHeight
	}
	return m
}

type giveForm struct {
	Pool                                         string
	Person, Name, Ref, Like, From, Until, Reason field
	Another                                      bool
}

func newGive(pool string) giveForm {
	return giveForm{
		Pool:   pool,
		Person: field{ID: "person", Name: "person", Label: "Person", Hint: "Mail address, id or name. Leave it empty for somebody who is in no books yet", Type: "text"},
		Name:   field{ID: "for", Name: "name", Label: "For whom, else", Hint: "A candidate or a room", Type: "text"},
		Ref:    field{ID: "ref", Name: "ref", Label: "Offer or employee number to come", Hint: "When HR hires them under it, the number is theirs", Type: "text"},
		Like:   field{ID: "like", Name: "like", Label: "Last digits that are wished", Type: "text", Mono: true},
		From:   field{ID: "from", Name: "from", Label: "Needed from", Type: "date"},
		Until:  field{ID: "until", Name: "until", Label: "Kept until", Hint: "Empty: as long as the pool says", Type: "date"},
		Reason: field{ID: "give-reason", Name: "reason", Label: "Reason, for the record", Type: "text"},
	}
}

func (g *giveForm) fill(r *http.Request) {
	for _, f := range []*field{&g.Person, &g.Name, &g.Ref, &g.Like, &g.From, &g.Until, &g.Reason} {
		f.Value = r.PostFormValue(f.Name)
	}
	g.Another = r.PostFormValue("another") != ""
}

func (p *portal) numberPool(w http.ResponseWriter, r *http.Request) error {
	return p.showPool(w, r, http.StatusOK, r.PathValue("pool"), nil)
}

func (p *portal) showPool(w http.ResponseWriter, r *http.Request, status int, name string, problem *notice) error {
	x, err := p.flow.NumberPool(r.Context(), name)
	if err != nil {
		return err
	}
	maps := make([][]flow.NumberCell, len(x.Ranges))
	for i, rng := range x.Ranges {
		if maps[i], err = p.flow.NumberMap(r.Context(), name, rng.First, cellsInMap); err != nil {
			return err
		}
	}
	v := newPoolPage(p.viewerOf(r), x, maps)
	v.Problem, v.MayGive, v.MayAssign = problem, p.shows(r, "POST /numbers/give"), p.shows(r, "POST /numbers/{number}/{verb}")
	v.Give.fill(r)
	return p.show(w, r, status, page{Template: "number-pool", Title: v.Title, Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {v.Title, ""}}, Main: v})
}

func newPoolPage(view viewer, x flow.PoolView, maps [][]flow.NumberCell) poolPage {
	v := poolPage{Name: x.Name, Title: cmp.Or(x.Title, x.Name), Give: newGive(x.Name), MayGive: true, MayAssign: true}
	st, text := outlook(view, x)
	v.Figures = []figure{
		{Label: "Can be given", Value: view.number(x.Given), Small: view.say("of %s", view.number(x.Total))},
		{Label: "Outlook", State: st, Small: text},
	}
	if x.Total == 0 {
		v.Figures[0].Small = ""
	}
	if !x.Outlook.Exhausted.IsZero() {
		v.Figures = append(v.Figures, figure{Label: "Empty about", At: view.date(x.Outlook.Exhausted), Small: view.say("at %s more a month than come back", view.in.Point(strconv.FormatFloat(x.Outlook.PerMonth, 'f', 1, 64)))})
	}
	add := func(name, value string, code bool) {
		if value != "" {
			v.Facts = append(v.Facts, pair{Name: name, Value: value, Code: code})
		}
	}
	add("Pool", x.Name, true)
	add("Platform", x.Platform, false)
	add("Partition", x.Partition, true)
	add("Site", joined(", ", x.Site, view.in.Country(x.Country)), false)
	add("Class of service", x.Class, false)
	add("Its lines", x.Service.Line, true)
	add("Its phones", x.Service.Device, true)
	add("Emergency location", x.Emergency, true)
	add("For", cmp.Or(x.When, view.say("people whose site has numbers: %s", x.Name)), true)
	add("Reserved for", view.lasts(x.Reservation), false)
	add("At rest for", view.lasts(x.Quarantine), false)
	add("Only by name", strings.Join(x.Vanity, ", "), true)
	for i, r := range x.Ranges {
		rv := rangeView{ID: strconv.Itoa(i), Title: view.say("%s to %s", r.First, r.Last), All: link{"All of them", "/numbers/all?pool=" + url.QueryEscape(x.Name) + "&range=" + url.QueryEscape(r.First)}}
		if r.First == "" {
			rv.Title, rv.All.Href = view.label("Single numbers"), "/numbers/all?pool="+url.QueryEscape(x.Name)
		}
		if r.Port != "active" && r.Port != "" {
			rv.Facts = view.label(portTexts[string(r.Port)])
		}
		rv.Facts = joined(", ", rv.Facts, r.Carrier, r.Contract, r.Trunk, view.dated("from %s", r.From), view.dated("until %s", r.Until), emergencyOf(view, r))
		if r.Shut != "" {
			why := sentence(r.Shut)
			if strings.HasPrefix(r.Shut, "the range is ours from ") {
				why = view.dated("The range is ours from %s on", r.From)
			}
			rv.Shut = &notice{Kind: "warn", Icon: "warn", Title: "Nothing of it is given out", Text: why + "."}
		}
		if i < len(maps) {
			rv.Map = newNumberMap(view, r, maps[i])
		}
		v.Ranges = append(v.Ranges, rv)
	}
	return v
}

func (v viewer) dated(text string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.say(text, v.in.Time(t, v.dayLayout(t)))
}

// lasts is how long a pool keeps something, in whole days or hours.
func (v viewer) lasts(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return v.plural(int(d/(24*time.Hour)), "1 day", "%d days")
	}
	return v.plural(int(d/time.Hour), "1 hour", "%d hours")
}

func emergencyOf(view viewer, r flow.RangeView) string {
	if r.NumberRange.Location == "" {
		return ""
	}
	return view.say("emergency location %s", r.NumberRange.Location)
}

func (p *portal) giveNumber(w http.ResponseWriter, r *http.Request) error {
	f := r.PostFormValue
	assign := f("do") == "assign"
	if assign && !p.shows(r, "POST /numbers/{number}/{verb}") {
		return refuse(dayone.ErrForbidden, fmt.Sprintf(textWrongRole, me(r).Role, "administrator, operator"))
	}
	got, err := p.give(r, numberWish{Person: f("person"), Name: f("name"), Ref: f("ref"), Pool: f("pool"), Like: f("like"), Another: f("another") != "", From: f("from"), Until: f("until"), Reason: f("reason")}, assign)
	if numberRefused(err) {
		return p.showPool(w, r, http.StatusConflict, f("pool"), notGiven(p.viewerOf(r), f("pool"), err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/numbers/"+url.PathEscape(string(got.ID))+"?said=number-"+string(got.State), http.StatusSeeOther)
	return nil
}

// notGiven says why a number was not given, and, where none is left, what gets one.
func notGiven(view viewer, pool string, err error) *notice {
	n := notDone(view, err)
	if errors.Is(err, dayone.ErrNoSeat) {
		n.Text += " " + view.label("Order a range, or release what leavers have.")
		n.Act = &link{"Show its numbers", "/numbers/all?pool=" + url.QueryEscape(pool)}
	}
	return n
}

type allNumbersView struct {
	Query, Pool, Range, State string
	States, Pools             []option
	Rows                      []numberRow
	Says                      string
	First, Next               string
	Empty                     *empty
}

type numberRow struct {
	ID    link
	State state
	Who   *link
	Text  string
	At    *stamp
	Pool  *link
}

func newNumberRow(view viewer, v flow.NumberView) numberRow {
	row := numberRow{ID: link{string(v.ID), "/numbers/" + url.PathEscape(string(v.ID))}, State: numberState(v.State), At: view.date(v.Since)}
	switch {
	case v.Hidden:
		row.Text = view.label("Somebody who is confidential")
	case v.Owner != "":
		row.Who = &link{v.Name, "/people/" + string(v.Owner)}
	default:
		row.Text = joined(", ", v.For.Name, v.For.Ref, v.For.Reason)
	}
	if v.Pool != nil {
		row.Pool = &link{cmp.Or(v.Pool.Title, v.Pool.Name), "/numbers/pools/" + url.PathEscape(v.Pool.Name)}
	}
	return row
}

func (p *portal) allNumbers(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, err := p.numberFilter(r.Context(), q, pageSize+1)
	if err != nil {
		return err
	}
	list, err := p.flow.Numbers(r.Context(), f)
	if err != nil {
		return err
	}
	pools, err := p.flow.NumberPools(r.Context())
	if err != nil {
		return err
	}
	v := newAllNumbers(p.viewerOf(r), q, pools, list)
	return p.show(w, r, http.StatusOK, page{Template: "numbers-all", Title: "All numbers", Nav: "numbers", Crumbs: []link{{"Numbers", "/numbers"}, {"All", ""}}, Main: v})
}

func newAllNumbers(view viewer, q url.Values, pools []flow.PoolView, list []flow.NumberView) allNumbersView {
	v := allNumbersView{Query: q.Get("q"), Range: q.Get("range")}
	if len(list) > pageSize {
		list = list[:pageSize]
		v.Next = numbersAfter("/numbers/all", q, pageSize, list[pageSize-1].ID)
	}
	if q.Get("after") != "" {
		first := url.Values{}
		for _, k := range []string{"q", "pool", "range", "state", "person"} {
			if s := q.Get(k); s != "" {
				first.Set(k, s)
			}
		}
		v.First = address("/numbers/all", first)
	}
	v.States = []option{{Text: view.label("Any state")}}
	for _, s := range dayone.NumberStates {
		v.States = append(v.States, option{Value: string(s), Text: view.label(numberState(s).Text), Selected: q.Get("state") == string(s)})
	}
	v.Pools = []option{{Text: view.label("Any pool")}}
	for _, x := range pools {
		v.Pools = append(v.Pools, option{Value: x.Name, Text: cmp.Or(x.Title, x.Name), Selected: q.Get("pool") == x.Name})
	}
	for _, x := range list {
		v.Rows = append(v.Rows, newNumberRow(view, x))
	}
	v.Says = plural(len(v.Rows), "1 number", "%d numbers")
	if v.Next != "" {
		v.Says = inEnglish.Say("%d numbers on this page, and there are more", len(v.Rows))
	}
	if len(v.Rows) == 0 {
		v.Empty = &empty{Icon: "search", Title: "No number is like that", Text: "Search by the digits in which it ends, or by how it begins with a +.", Acts: []link{{"Show all numbers", "/numbers/all"}}}
	}
	return v
}
