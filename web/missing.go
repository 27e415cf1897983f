package web

import (
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// missingView is a page of those whom a held list lacks.
type missingView struct {
	Action, Query string
	Total         string
	Rows          []item
	Says          string // of what is not named
	First, Next   string
}

// missingFilter chooses of those whom a list lacks: by name, and from where on.
func missingFilter(q url.Values, limit int) (flow.PeopleFilter, error) {
	text, err := searched(q)
	return flow.PeopleFilter{Text: text, AfterName: q.Get("name"), AfterID: dayone.PersonID(q.Get("after")), Limit: limit}, err
}

// nextMissing are the words of an address for what comes behind a page.
func nextMissing(q url.Values, m flow.MissingFrom) url.Values {
	last := m.Rows[len(m.Rows)-1]
	next := url.Values{"after": {string(last.ID)}, "name": {last.Name}}
	if text := q.Get("q"); text != "" {
		next.Set("q", text)
	}
	return next
}

const textMissingStays = "Being missing alone ends nobody's employment; where a source is set up so that it does, they stand above as terminations."

// newMissing is nil if nobody can be named and nobody need be: nobody is missing, or somebody has decided.
func newMissing(view viewer, b flow.BrakeView, q url.Values, m flow.MissingFrom) *missingView {
	if b.State != dayone.BrakeOn || b.List.Missing == 0 {
		return nil
	}
	path := "/brakes/" + string(b.ID)
	v := &missingView{Action: path, Query: q.Get("q"), Total: view.plural(m.People, "1 person", "%d people")}
	if b.List.Missing != m.People { // some have several, or may not be named
		v.Total += ", " + view.plural(b.List.Missing, "1 employment", "%d employments")
	}
	for _, row := range m.Rows {
		v.Rows = append(v.Rows, item{Title: link{row.Name, "/people/" + string(row.ID)}, Meta: joined(", ", row.Title, row.Department), Small: strings.Join(row.Subjects, ", ")})
	}
	v.Says = view.label(textMissingStays)
	if m.Unnamed > 0 {
		v.Says += " " + view.plural(m.Unnamed, "1 more employment is not named: beyond your role, or erased since.", "%d more employments are not named: beyond your role, or erased since.")
	}
	if q.Get("after") != "" {
		if v.First = path; v.Query != "" {
			v.First = address(path, url.Values{"q": {v.Query}})
		}
	}
	if m.More {
		v.Next = address(path, nextMissing(q, m))
	}
	return v
}
