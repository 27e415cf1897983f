package flow

import (
	"context"
	"errors"
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
	if !isMail(login) {
		return Row{}, fmt.Errorf("a login that is no mail address is nobody: %w", dayone.ErrNotFound)
	}
	row, err := f.Store.PersonByEmail(ctx, login)
	if err != nil || row.Veil == dayone.Unveiled {
		return row, err
	}
	return f.rowFor(ctx, row)
}

// Gone says that whoever signs in by an address has left, or that all her access was ended here: nothing is open to her. It
// asks for everybody, also for those of whom few may know. Nobody by this address is not gone.
func (f *Flow) Gone(ctx context.Context, login string) (bool, error) {
	if !isMail(login) {
		return false, nil
	}
	row, err := f.Store.PersonByEmail(ctx, login) // of several by an address, one who works here comes first
	if errors.Is(err, dayone.ErrNotFound) {
		return false, nil
	}
	if err != nil || row.Status == dayone.Left {
		return err == nil, err
	}
	since, err := f.StoppedSince(ctx, row.ID)
	return err == nil && !since.IsZero(), err
}

// AsksOf are the approvals and tasks that wait for whoever signs in by an address, or for a group she is in, the next due first,
// as far as whoever looks may see them: what waits for others costs nothing, and pushes nothing out.
func (f *Flow) AsksOf(ctx context.Context, login string) (asks []dayone.Petition, tasks []dayone.Task, err error) {
	if login == "" {
		return nil, nil, nil
	}
	const page = 500
	for q := (ApprovalFilter{Open: true, Asked: login, Limit: page}); ; {
		some, err := f.Approvals(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		if asks = append(asks, some...); len(some) < page {
			break
		}
		q.AfterDue, q.AfterID = some[page-1].Due, some[page-1].ID
	}
	given, err := f.givenTo(ctx, login)
	if err != nil || len(given) == 0 {
		return asks, nil, err
	}
	tasks, err = f.TasksBy(ctx, TaskFilter{Given: given})
	return asks, tasks, err
}

// givenTo are the words by which a task is given to whoever signs in by an address: that, and the groups she is in.
func (f *Flow) givenTo(ctx context.Context, login string) (given []string, err error) {
	if !strings.HasPrefix(login, "group:") { // it would be a group's
		given = append(given, login)
	}
	for name, in := range f.Asking.Groups {
		if slices.ContainsFunc(in, func(one string) bool { return strings.EqualFold(one, login) }) {
			given = append(given, "group:"+name)
		}
	}
	held, err := f.Store.Held(ctx, login, "group")
	if err != nil {
		return nil, err
	}
	for _, k := range held {
		if sys, ok := f.Active().Systems[k.System]; ok && k.As == dayone.Personal {
			if _, ok := sys.Kinds[k.Kind]; ok {
				given = append(given, "group:"+k.Name)
			}
		}
	}
	return given, nil
}

// HasTask says whether a task was given to whoever signs in by an address: to her by name, or to a group she is in.
func (f *Flow) HasTask(ctx context.Context, t dayone.Task, login string) (bool, error) {
	to, err := f.addresses(ctx, t.Assignee)
	return slices.ContainsFunc(to, func(one string) bool { return strings.EqualFold(one, login) }), err
}

// SessionEnded records that somebody ended the session of somebody else.
func (f *Flow) SessionEnded(ctx context.Context, login, by string) error {
	return f.Store.Record(ctx, dayone.Record{At: f.Clock.Now(), What: "session ended", By: by, Detail: &dayone.Detail{Note: login}})
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

// Leads says whether somebody is the manager of a person, or of a manager of hers. Nobody leads herself, whatever HR says:
// a hand-over code goes through another's hands.
func (f *Flow) Leads(ctx context.Context, manager Row, id dayone.PersonID) (bool, error) {
	if id == manager.ID || manager.Email == "" {
		return false, nil
	}
	row, err := f.Person(ctx, id)
	if err != nil {
		return false, err
	}
	if strings.EqualFold(row.Email, manager.Email) { // another entry of the same login
		return false, nil
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
