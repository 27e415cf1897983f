package web

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type peopleView struct {
	Total       string
	Query       string
	Statuses    []option
	Departments []option
	Sorts       []option
	List        peopleList
}

// peopleList is what a search changes: the rows and how many there are.
type peopleList struct {
	Rows  []personRow
	Says  string // read aloud after a search
	By    peopleHeads
	Named bool   // sorted by name, as lists are
	First string // address of the first page, when this is another
	Next  string
	Empty *empty
}

// peopleHeads are of the columns by which the list can be sorted.
type peopleHeads struct{ Person, Department, First, Last sortHead }

type personRow struct {
	Name       link
	Title      string
	Department string
	Location   string
	Status     state
	Problem    *state // no plan can be made
	First      *stamp
	Note       string // how far off that is
	Last       *stamp
	By         *stamp // the day by which the list is sorted, which a phone has no column for
}

func (p *portal) people(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	list, err := p.peopleList(r, q)
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "people-list" {
		p.part(w, r, http.StatusOK, "people-list", list)
		return nil
	}
	counts, err := p.flow.CountPeople(r.Context())
	if err != nil {
		return err
	}
	departments, err := p.flow.Departments(r.Context())
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, page{Template: "people", Title: "People", Nav: "people", Crumbs: []link{{"People", ""}}, Main: newPeople(p.viewerOf(r), q, counts, departments, list)})
}

func newPeople(view viewer, q url.Values, counts map[dayone.Status]int, departments []string, list peopleList) peopleView {
	total := 0
	for _, n := range counts {
		total += n
	}
	v := peopleView{Total: view.plural(total, "1 person", "%d people"), Query: q.Get("q"), List: list}
	if total > 999 {
		v.Total = view.say("%s people", view.in.Number(total))
	}
	v.Statuses = []option{{Text: view.label("Any status")}}
	for _, s := range dayone.Statuses {
		v.Statuses = append(v.Statuses, option{Value: string(s), Text: view.label(statusTexts[s]) + " (" + view.in.Number(counts[s]) + ")", Selected: q.Get("status") == string(s)})
	}
	v.Statuses = append(v.Statuses, option{Value: unplanned, Text: view.label("Cannot be planned"), Selected: q.Get("status") == unplanned})
	v.Departments = []option{{Text: view.label("Any department")}}
	for _, d := range departments {
		if d != "" {
			v.Departments = append(v.Departments, option{Value: d, Text: d, Selected: q.Get("department") == d})
		}
	}
	for i, o := range peopleOrders {
		if i == 0 {
			o.Word = ""
		}
		v.Sorts = append(v.Sorts, option{Value: o.Word, Text: view.label(o.Text), Selected: sortOf(q) == o.Word})
	}
	return v
}

// peopleList reads one page. Pages are found by the last row before them, so the thousandth is as quick as the first.
func (p *portal) peopleList(r *http.Request, q url.Values) (peopleList, error) {
	filter, err := peopleFilter(q, pageSize+1)
	if err != nil {
		return peopleList{}, err
	}
	if from, err := peopleFrom(q, filter); err == nil {
		filter = from
	} else { // it was sorted otherwise meanwhile
		q = maps.Clone(q)
		q.Del("after")
	}
	rows, err := p.flow.People(r.Context(), filter)
	if err != nil {
		return peopleList{}, err
	}
	view := p.viewerOf(r)
	more := len(rows) > pageSize
	if more {
		rows = rows[:pageSize]
	}
	var v peopleList
	for _, row := range rows {
		v.Rows = append(v.Rows, p.personRow(view, row))
	}
	v.finish(view, q, rows, more)
	return v, nil
}

func peopleFilter(q url.Values, limit int) (flow.PeopleFilter, error) {
	text, err := searched(q)
	f := flow.PeopleFilter{
		Text: text, Status: dayone.Status(q.Get("status")), Department: q.Get("department"), Manager: q.Get("manager"),
		Limit: limit,
	}
	if f.Status == unplanned {
		f.Status, f.Unplanned = "", true
	}
	return sortedPeople(q, f), err
}

// longestName is the most that is searched for. Databases refuse to look for texts without end.
const longestName = 200

// searched is who is looked for.
func searched(q url.Values) (string, error) { return searchedFor(q, textLongName) }

// searchedFor is what is looked for; a text that nothing can be called by is refused as it is said there.
func searchedFor(q url.Values, long string) (string, error) {
	text := strings.TrimSpace(q.Get("q"))
	if utf8.RuneCountInString(text) > longestName {
		return "", refuse(dayone.ErrInvalid, long)
	}
	return text, nil
}

// unplanned asks, in the place of a status, for those for whom no plan can be made.
const unplanned = "unplanned"

// finish adds the ways on and what is said.
func (v *peopleList) finish(view viewer, q url.Values, rows []flow.Row, more bool) {
	keep, narrowed := keptOfPeople(q)
	for i := range v.Rows {
		switch strings.TrimPrefix(sortOf(q), "-") {
		case "starts":
			v.Rows[i].By = v.Rows[i].First
		case "ends":
			v.Rows[i].By = v.Rows[i].Last
		}
	}
	v.By = peopleHeads{newSortHead(q, "Person", "name"), newSortHead(q, "Department", "department"), newSortHead(q, "First day", "starts"), newSortHead(q, "Last day", "ends")}
	if q.Get("after") != "" {
		v.First = address("/people", keep)
	}
	if more {
		next := behindPerson(q, rows[len(rows)-1])
		maps.Copy(next, keep)
		v.Next = address("/people", next)
	}
	switch {
	case len(rows) == 0:
		v.Says = view.label("Nobody is found")
	case more:
		v.Says = view.plural(len(rows), "1 person on this page, and more", "%d people on this page, and more")
	default:
		v.Says = view.plural(len(rows), "1 person on this page", "%d people on this page")
	}
	if v.Named = sortOf(q) == ""; !v.Named && len(rows) > 0 {
		v.Says = v.Says + ". " + view.label(sortedText(sortOf(q)))
	}
	switch {
	case len(rows) > 0:
	case narrowed:
		v.Empty = &empty{Icon: "search", Title: "Nobody matches", Text: "Names are found by their beginning, and by the beginning of each word in them; mail addresses by theirs.", Acts: []link{{"Show everybody", "/people"}}}
	default:
		v.Empty = &empty{Icon: "people", Title: "Nobody is here yet", Text: "People come from your sources: an HR system's webhook, or a first import. `dayone import` reads a list of everybody and shows what would come of it."}
	}
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (p *portal) personRow(view viewer, row flow.Row) personRow {
	v := personRow{
		Name: link{row.Name, "/people/" + string(row.ID)}, Title: row.Title, Department: row.Department, Location: row.Location, Status: statusState(row.Status),
	}
	if row.Problem != "" {
		v.Problem = &unplannedState
	}
	v.First, v.Note, v.Last = firstAndLast(view, row, p.zoneOf(row.Location))
	return v
}

// firstAndLast are somebody's first and last day where they are known, and how far off the first one is.
func firstAndLast(view viewer, row flow.Row, zone *time.Location) (first *stamp, off string, last *stamp) {
	if row.Status == dayone.PreHire {
		off = view.away(view.days(row.Starts, zone))
	}
	return view.day(row.Starts, zone), off, view.day(row.LastDay(), zone)
}

// found is what the palette offers for a few letters.
type found struct {
	Query  string
	People []item
	Pages  []item
	None   bool
}

// doneOn are words for what is done on a page, by which it is found beside its name.
var doneOn = map[string]string{
	"/approvals": "approve, refuse, decide", "/runs": "undo, take back, cancel, retry", "/tasks": "to do, mark as done", "/onboard": "hire, add somebody, give products", "/brakes": "let through, throw away",
}

// leadsTo says whether a page of the menu is called so, or what somebody wants to do is done there.
func leadsTo(view viewer, it menuItem, query string) bool {
	query = strings.ToLower(query)
	return strings.Contains(strings.ToLower(view.label(it.Text)), query) || doneOn[it.Href] != "" && strings.Contains(strings.ToLower(view.label(doneOn[it.Href])), query)
}

// find looks for people and pages by their names: the palette, and a page of its own without script.
func (p *portal) find(w http.ResponseWriter, r *http.Request) error {
	text, err := searched(r.URL.Query())
	if err != nil {
		return err
	}
	v := found{Query: text}
	for _, m := range p.menu(r, "") {
		for _, it := range m.Items {
			if leadsTo(p.viewerOf(r), it, v.Query) {
				icon := state{Icon: it.Icon}
				v.Pages = append(v.Pages, item{Title: link{it.Text, it.Href}, State: &icon})
			}
		}
	}
	if v.Query != "" && p.shows(r, "GET /people/{id}") {
		rows, err := p.flow.People(r.Context(), flow.PeopleFilter{Text: v.Query, Limit: 8})
		if err != nil {
			return err
		}
		for _, row := range rows {
			icon := state{Icon: "people"}
			v.People = append(v.People, item{Title: link{row.Name, "/people/" + string(row.ID)}, Meta: joined(", ", row.Title, row.Department), State: &icon})
		}
	}
	v.None = len(v.People)+len(v.Pages) == 0
	if isFragment(r) {
		p.part(w, r, http.StatusOK, "palette-list", v)
		return nil
	}
	return p.show(w, r, http.StatusOK, page{Template: "find", Title: "Find", Crumbs: []link{{"Find", ""}}, Main: v})
}
