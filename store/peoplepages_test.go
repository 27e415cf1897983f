package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// A page of people is read from where the one before it ended: an index gives the order, and nothing is gathered and sorted.
func TestPagesOfPeopleComeFromAnIndex(t *testing.T) {
	t.Parallel()
	d := open(t, "sqlite::memory:")
	for name, f := range map[string]store.PeopleFilter{
		"everybody":       {},
		"of a status":     {Status: dayone.Working},
		"of a department": {Department: "Sales"},
		"of a manager":    {Manager: "kim@company.com"},
		"of a team":       {Team: "Core"},
		"unplanned":       {Unplanned: true},
	} {
		for _, after := range []dayone.PersonID{"", "per_1"} {
			f.AfterName, f.AfterID = "Sarah Chen", after
			plan, err := d.PeoplePlan(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if from := strings.Contains(plan, "(search,id)>(?,?)"); strings.Contains(plan, "TEMP B-TREE") || from != (after != "") {
				t.Errorf("%s, after %q: SQLite means to %s", name, after, plan)
			}
		}
	}
}

// A sorted list goes along an index of what it is sorted by, and nobody is gathered and sorted: as it stands and in a scope, at its
// first page and at any other, and for those at its end who have nothing of it. Of whoever a filter leaves few, these are sorted.
func TestSortedPagesOfPeopleComeFromAnIndex(t *testing.T) {
	t.Parallel()
	d := open(t, "sqlite::memory:")
	last := store.Row{ID: "per_1", Name: "Sarah Chen", Department: "Sales", Starts: time.Unix(1, 0), Ends: time.Unix(2, 0)}
	for _, sort := range store.PeopleSorts {
		for _, down := range []bool{false, true} {
			for name, f := range map[string]store.PeopleFilter{"everybody": {}, "of a scope": {Within: dayone.Scope{{Countries: []string{"de"}}}}} {
				f.Sort, f.Down = sort, down
				for _, f := range []store.PeopleFilter{f, f.Behind(last), f.Behind(store.Row{ID: "per_1", Name: "Sarah Chen"})} {
					plan, err := d.PeoplePlan(t.Context(), f)
					if err != nil {
						t.Fatal(err)
					}
					index := map[store.PeopleSort]string{store.ByName: "person_name", store.ByFirstDay: "person_starts", store.ByLastDay: "person_ends", store.ByDepartment: "person_department"}[sort]
					first, _, _ := strings.Cut(plan, "\n")
					if from := strings.Contains(first, "search,id)"); strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(first, index) || from != (f.AfterID != "") {
						t.Errorf("%s by %q, down %v, after %q: SQLite means to %s", name, sort, down, f.AfterID, plan)
					}
				}
			}
			few, err := d.PeoplePlan(t.Context(), store.PeopleFilter{Sort: sort, Down: down, Status: dayone.Working, Unplanned: true})
			if err != nil {
				t.Fatal(err)
			}
			if sort != store.ByName && !strings.Contains(few, "person_status (status=?)") {
				t.Errorf("of a status that nobody has, by %q: SQLite means to %s", sort, few)
			}
		}
	}
}
