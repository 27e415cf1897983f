package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A sorted list of people is read along an index of what it is sorted by, so that its pages cost the same however many people
// there are. Databases without figures on what a filter leaves would rather take the filter's index, and sort all that it finds:
// right where that is little, and slow where it is nearly everybody. So the filters are looked at first, and what is not to be
// taken is written so that no index fits it.

// PeopleSort is what the list of people is sorted by; equal ones stand by name. "": by name.
type PeopleSort string

const (
	ByName       PeopleSort = ""
	ByFirstDay   PeopleSort = "starts"
	ByLastDay    PeopleSort = "ends"
	ByDepartment PeopleSort = "department"
)

// PeopleSorts are all there are.
var PeopleSorts = []PeopleSort{ByName, ByFirstDay, ByLastDay, ByDepartment}

// Behind is the filter for the page behind a row, which is the last of this one.
func (f PeopleFilter) Behind(r Row) PeopleFilter {
	f.AfterName, f.AfterID, f.AfterDay, f.AfterPlace = r.Name, r.ID, time.Time{}, ""
	switch f.Sort {
	case ByFirstDay:
		f.AfterDay = r.Starts
	case ByLastDay:
		f.AfterDay = r.Ends
	case ByDepartment:
		f.AfterPlace = r.Department
	}
	return f
}

// peoplePart is a part of a sorted list: those who have what it is sorted by or, behind them whichever way it is sorted, by name, those
// who have not.
type peoplePart struct {
	PeopleFilter
	lacking bool
}

func (f PeopleFilter) parts() []peoplePart {
	switch {
	case !f.Since.IsZero():
		f.Sort, f.Down = ByName, false
		return []peoplePart{{f, false}}
	case f.Sort == ByDepartment && f.Department != "":
		f.Sort = ByName // which is the order of who has the same one
	}
	switch {
	case f.Sort == ByName:
		return []peoplePart{{f, false}}
	case f.AfterID != "" && f.AfterDay.IsZero() && f.AfterPlace == "":
		return []peoplePart{{f, true}}
	}
	behind := f
	behind.AfterID = ""
	return []peoplePart{{f, false}, {behind, true}}
}

// order adds which part it is and where the page begins, and says by what it is sorted. Few are sorted; of
// many the index of that is gone along.
func (f peoplePart) order(few bool, add func(cond string, vals ...any)) string {
	after := []any{fold(f.AfterName), string(f.AfterID)}
	by, none, at := "", any(0), any(micros(f.AfterDay))
	switch f.Sort {
	case ByFirstDay, ByLastDay:
		by = string(f.Sort)
		if few {
			by = "+" + by
		}
	case ByDepartment:
		by, none, at = "department", "", f.AfterPlace
		if few {
			by += " || ''"
		}
	}
	if f.lacking {
		add(by+" = ?", none)
		by, f.Down = "", false
	}
	columns := []string{"search", "id"}
	if by != "" {
		columns, after = append([]string{by}, columns...), append([]any{at}, after...)
		if f.Down || f.AfterID == "" { // else who comes behind has one, too, and an index is entered at one place only
			add(by+" > ?", none)
		}
	}
	than, way := " > ", ""
	if f.Down {
		than, way = " < ", " DESC"
	}
	if f.AfterID != "" {
		// as one value: said with an OR, databases go through everybody who comes before
		add("("+strings.Join(columns, ", ")+")"+than+"("+strings.Repeat("?, ", len(after)-1)+"?)", after...)
	}
	return strings.Join(columns, way+", ") + way
}

// narrowing is a filter by one column. Of one that leaves few these are looked up; no index is to be taken for others on a walk.
type narrowing struct {
	column, is string
	vals       []any
	few, out   bool
}

func (n narrowing) cond() string {
	switch {
	case n.few:
		return "id IN (SELECT id FROM person WHERE " + n.column + " " + n.is + ")"
	case n.out:
		return n.column + " || '' " + n.is
	}
	return n.column + " " + n.is
}

func (f PeopleFilter) narrowings() (out []narrowing) {
	for _, x := range []struct{ column, is string }{
		{"status", string(f.Status)}, {"department", f.Department}, {"manager", strings.ToLower(f.Manager)}, {"team", f.Team},
	} {
		if x.is != "" {
			out = append(out, narrowing{column: x.column, is: "= ?", vals: []any{x.is}})
		}
	}
	if f.Unplanned {
		out = append(out, narrowing{column: "problem", is: "<> ''"}) // in these words: only so is its partial index used
	}
	return out
}

// sift says which of the filters leaves few, if one does, and takes the indexes of the others away. By name each has an index along
// which the list goes.
func (d *DB) sift(ctx context.Context, f peoplePart, narrow []narrowing, few bool) (bool, error) {
	if f.Sort == ByName {
		return few, nil
	}
	for i := range narrow {
		n := &narrow[i]
		n.out = true
		if few {
			continue
		}
		var found int
		q := fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM person WHERE %s %s LIMIT %d) AS few`, n.column, strings.Replace(n.is, "?", "$1", 1), commonWord)
		if err := d.read.QueryRowContext(ctx, q, n.vals...).Scan(&found); err != nil {
			return false, fmt.Errorf("counting what a filter leaves: %w", err)
		}
		n.few = found < commonWord
		few = n.few
	}
	return few, nil
}
