package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
)

// Whoever signs in sees herself and those whose manager she is, straight or by others between. Her address says who she is.

// maxLevels between somebody and whoever leads them; who leads whom may be said in a circle.
const maxLevels = 20

// Mine is the person who signs in by an address. ErrNotFound: nobody here has it, or nobody may know of her.
func (f *Flow) Mine(ctx context.Context, login string) (Row, error) {
	if !dayone.IsMail(login) {
		return Row{}, fmt.Errorf("a login that is no mail address is nobody: %w", dayone.ErrNotFound)
	}
	row, err := f.Store.PersonByEmail(ctx, login)
	if err == nil && row.Veil == dayone.WholeVeiled && !mayKnow(ctx) {
		return Row{}, fmt.Errorf("person: %w", dayone.ErrNotFound)
	}
	return row, err
}

// Team are those whose manager somebody is, by name; who has left is left out.
func (f *Flow) Team(ctx context.Context, manager Row) ([]Row, error) {
	if manager.Email == "" {
		return nil, nil
	}
	q, out := PeopleFilter{Manager: manager.Email, Limit: 200}, []Row{}
	for {
		rows, err := f.People(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Status != dayone.Left && r.ID != manager.ID {
				out = append(out, r)
			}
		}
		if len(rows) < q.Limit {
			return out, nil
		}
		q.AfterName, q.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
}

// Leads says whether somebody is the manager of a person, or of a manager of hers.
func (f *Flow) Leads(ctx context.Context, manager Row, id dayone.PersonID) (bool, error) {
	row, err := f.Person(ctx, id)
	if err != nil {
		return false, err
	}
	seen := []dayone.PersonID{row.ID}
	for range maxLevels {
		if row.Manager == "" {
			return false, nil
		}
		if strings.EqualFold(row.Manager, manager.Email) {
			return true, nil
		}
		up, err := f.Mine(ctx, row.Manager)
		if err != nil { // a manager of whom nothing is known leads nobody
			return false, nil
		}
		if slices.Contains(seen, up.ID) {
			return false, nil
		}
		seen, row = append(seen, up.ID), up
	}
	return false, nil
}

// ProgressOf is how far somebody's onboarding is, for whoever may see it: herself, or who leads her. Her hand-over code is her
// manager's to pass on, so she does not see it.
func (f *Flow) ProgressOf(ctx context.Context, id dayone.PersonID, herself bool) (Progress, error) {
	p, err := f.progress(ctx, id)
	if herself {
		p.Code = ""
	}
	return p, err
}
