package store_test

import (
	"strings"
	"testing"

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
