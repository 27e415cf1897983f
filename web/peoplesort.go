package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// What the list of people is sorted by stands in its address, as the API names the fields: ?sort=starts, and ?sort=-starts from the
// last to the first. Without it the list is by name.

// peopleOrder is one of them, with what it is called where one is chosen.
type peopleOrder struct{ Word, Text string }

var peopleOrders = []peopleOrder{
	{"name", "By name, A to Z"},
	{"-name", "By name, Z to A"},
	{"starts", "By first day, earliest first"},
	{"-starts", "By first day, latest first"},
	{"ends", "By last day, earliest first"},
	{"-ends", "By last day, latest first"},
	{"department", "By department, A to Z"},
	{"-department", "By department, Z to A"},
}

func sortWords() (out []string) {
	for _, o := range peopleOrders {
		out = append(out, o.Word)
	}
	return out
}

// sortOf is the order that is asked for; "": by name, as lists are.
func sortOf(q url.Values) string {
	word := q.Get("sort")
	if word == "name" || !slices.Contains(sortWords(), word) {
		return ""
	}
	return word
}

// sortedPeople are people in the order that is asked for.
func sortedPeople(q url.Values, f flow.PeopleFilter) flow.PeopleFilter {
	word, down := strings.CutPrefix(sortOf(q), "-")
	f.Sort, f.Down = flow.PeopleSort(word), down
	if word == "name" {
		f.Sort = flow.ByName
	}
	return f
}

// textOtherSort answers to a place of a list that is sorted otherwise.
const textOtherSort = "after, name and past say where a list goes on that is sorted otherwise: leave them out, and begin at its first page."

// peopleFrom is the list from where it goes on: behind somebody, of whom past says the order and what it goes by there. A place of
// another order is none of this one, and would leave people out.
func peopleFrom(q url.Values, f flow.PeopleFilter) (flow.PeopleFilter, error) {
	if q.Get("after") == "" {
		return f, nil
	}
	f.AfterID, f.AfterName = dayone.PersonID(q.Get("after")), q.Get("name")
	word, past, _ := strings.Cut(q.Get("past"), ":")
	if word != sortOf(q) {
		return f, refuse(dayone.ErrInvalid, textOtherSort)
	}
	switch f.Sort {
	case flow.ByDepartment:
		f.AfterPlace = past
	case flow.ByFirstDay, flow.ByLastDay:
		if past == "" {
			break
		}
		at, err := time.Parse(time.RFC3339Nano, past)
		if err != nil {
			return f, refuse(dayone.ErrInvalid, textOtherSort)
		}
		f.AfterDay = at
	}
	return f, nil
}

// behindPerson are the words of an address for the page behind a row, beside those that narrow the list.
func behindPerson(q url.Values, last flow.Row) url.Values {
	next := url.Values{"after": {string(last.ID)}, "name": {last.Name}}
	f := sortedPeople(q, flow.PeopleFilter{}).Behind(last)
	if word := sortOf(q); word != "" {
		past := f.AfterPlace
		if !f.AfterDay.IsZero() {
			past = f.AfterDay.UTC().Format(time.RFC3339Nano)
		}
		next.Set("past", word+":"+past)
	}
	return next
}

// keptOfPeople is by what the list is narrowed, and how it is sorted: pages, searches and sorts keep it.
func keptOfPeople(q url.Values) (kept url.Values, narrowed bool) {
	kept = url.Values{}
	for _, k := range []string{"q", "status", "department", "manager"} {
		if q.Get(k) != "" {
			kept.Set(k, q.Get(k))
		}
	}
	narrowed = len(kept) > 0
	if word := sortOf(q); word != "" {
		kept.Set("sort", word)
	}
	return kept, narrowed
}

// sortHead is the head of a column by which a list can be sorted.
type sortHead struct {
	Text, Href string
	Is         string // ascending or descending; "": the list is sorted by another one
}

// newSortHead leads to the list by a column: from the first to the last, and turned round if it is that already.
func newSortHead(q url.Values, text, column string) sortHead {
	kept, _ := keptOfPeople(q)
	is := kept.Get("sort")
	if is == "" {
		is = "name"
	}
	h, to := sortHead{Text: text}, column
	switch is {
	case column:
		h.Is, to = "ascending", "-"+column
	case "-" + column:
		h.Is = "descending"
	}
	if kept.Set("sort", to); to == "name" {
		kept.Del("sort")
	}
	h.Href = address("/people", kept)
	return h
}

// sortedText says how a list is sorted.
func sortedText(word string) string {
	for _, o := range peopleOrders {
		if o.Word == word {
			return o.Text
		}
	}
	return ""
}
