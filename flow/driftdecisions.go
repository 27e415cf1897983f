package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// DriftView is one difference, with what would come of a decision about it.
type DriftView struct {
	DriftRow
	Steps   []dayone.Step // what putting it right would do now
	Later   []dayone.Later
	Waits   string       // why it cannot be decided now; "": it can
	Refused string       // why it cannot be left as it is; "": it can
	Holds   string       // what keeps it from being put right; "": nothing does
	Run     dayone.RunID // at work on this person, so that it waits

	Exclusive bool // policies alone decide about it
}

// DriftOf is one of them, with what would come of it.
func (f *Flow) DriftOf(ctx context.Context, id dayone.DriftID) (DriftView, error) {
	row, err := f.driftOf(ctx, id)
	if err != nil {
		return DriftView{}, err
	}
	v := DriftView{DriftRow: row}
	b, books, err := f.asShown(ctx, row)
	switch {
	case errors.Is(err, dayone.ErrConflict):
		v.Waits = Problem(err)
		v.Run, err = f.atWork(ctx, row.Person)
		return v, err
	case err != nil:
		return v, err
	}
	l, err := f.lookAt(withBooks(b, books))
	if err != nil {
		v.Holds = Problem(err)
	}
	for _, s := range l.Plan.Steps {
		if s.Key == row.Key || s.Key.System == row.Key.System && s.Key.Account() == row.Key.Account() {
			v.Steps = append(v.Steps, s)
		}
	}
	for _, s := range l.Plan.Later {
		if s.Key == row.Key {
			v.Later = append(v.Later, s)
		}
	}
	if kept, err := f.kept(ctx, l, ""); err != nil {
		return v, err
	} else if kept {
		v.Holds = "the last run of this person is paused or was cancelled, so nothing is planned before somebody resumes it"
	}
	if h, held := holdOf(l.Holds, row.Key, l.Person.Status); held {
		v.Holds = heldNote(h)
	}
	if row.Kind == dayone.DriftOpen && l.Person.Status == dayone.Left {
		v.Refused = "whoever has left keeps nothing open: put it right, or take the end of the employment back"
	}
	if v.Exclusive = !row.Key.IsAccount() && f.ActiveFor(l.Person).Systems[row.Key.System].Authority(row.Key) == dayone.Exclusive; v.Exclusive && row.Kind == dayone.DriftExtra {
		v.Refused = "policies alone decide about it: let a policy or a request give it, or put it right"
	}
	if f.owesApproval(row.Drift) {
		v.Refused = "nobody gets it without approval: ask for it, dayone request, or put it right"
	}
	return v, nil
}

// owesApproval says that somebody has what nobody gets without approval: what a vendor's console gave is not agreed to by being there.
func (f *Flow) owesApproval(x dayone.Drift) bool {
	if x.Kind != dayone.DriftExtra && x.Kind != dayone.DriftRole {
		return false
	}
	set, k := f.Active(), x.Key
	if kind := set.Systems[k.System].Kinds[k.Kind]; kind.Sensitive || kind.Approval != nil {
		return true
	}
	for _, p := range set.Policies {
		if slices.ContainsFunc(slices.Concat(p.Grants, p.Offers), func(r *policy.Rule) bool {
			same := r.Key.System == k.System && r.Key.Kind == k.Kind && r.Key.Name == k.Name
			return same && r.Approval != nil && (x.Kind == dayone.DriftExtra || r.Role == x.Is.Role)
		}) {
			return true
		}
	}
	return false
}

// atWork is the run that changes somebody's books just now; "": none does.
func (f *Flow) atWork(ctx context.Context, id dayone.PersonID) (dayone.RunID, error) {
	active, err := f.Store.ActiveRun(ctx, id)
	if errors.Is(err, dayone.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if r, err := f.RunOf(ctx, active); err != nil || !works(r.State) {
		return "", err
	}
	return active, nil
}

// asShown are somebody's books, and a thing as they would have it if they had what its system shows. ErrConflict: the books have
// changed since it was shown, or a run is at work on it.
func (f *Flow) asShown(ctx context.Context, row DriftRow) (books, dayone.Holding, error) {
	b, err := f.booksOf(ctx, row.Person)
	if err != nil {
		return b, dayone.Holding{}, err
	}
	h := dayone.Holding{Item: dayone.Item{Key: row.Key, State: dayone.Gone}}
	if i := slices.IndexFunc(b.have, func(h dayone.Holding) bool { return h.Key == row.Key }); i >= 0 {
		h = b.have[i]
	}
	last := h.Since
	if h.Confirmed.After(last) {
		last = h.Confirmed
	}
	if last.After(row.Seen) {
		return b, h, fmt.Errorf("this was seen to after it was found; the next reading of %s says whether it still differs: %w", f.systemTitle(row.Key.System), dayone.ErrConflict)
	}
	switch run, err := f.atWork(ctx, row.Person); {
	case err != nil:
		return b, h, err
	case run != "":
		return b, h, fmt.Errorf("a run of this person is at work, so the books move; decide when it rests: %w", dayone.ErrConflict)
	}
	h.Since, h.Confirmed, h.Lost = b.at, row.Seen, time.Time{}
	switch row.Kind {
	case dayone.DriftMissing:
		h.State, h.Confirmed = dayone.Gone, time.Time{}
		h.Generation++
	case dayone.DriftClosed, dayone.DriftOpen:
		h.State = row.Is.State
	case dayone.DriftRole:
		h.Role = row.Is.Role
	case dayone.DriftExtra:
		h.State, h.Ref, h.Role, h.Ours, h.Because, h.Asked = dayone.Active, row.Is.Ref, row.Is.Role, false, nil, nil
	}
	return b, h, nil
}

// withBooks are books in which a thing is as it is given.
func withBooks(b books, h dayone.Holding) books {
	b.have = slices.DeleteFunc(slices.Clone(b.have), func(o dayone.Holding) bool { return o.Key == h.Key })
	b.have = append(b.have, h)
	slices.SortFunc(b.have, func(x, y dayone.Holding) int {
		if x.Key.Less(y.Key) {
			return -1
		}
		return 1
	})
	return b
}

// acceptFor is for how long what somebody left as it is shown stays so, if nobody says until when.
const acceptFor = 90 * 24 * time.Hour

// PutRight lets the books have what the system shows, so that policies bring back what they want: by a run of that person, within
// holds, approvals and brakes as ever. It begins at once, also where the last run has just done the same: somebody asked for it.
func (f *Flow) PutRight(ctx context.Context, id dayone.DriftID, by, reason string) (DriftRow, error) {
	row, err := f.decideDrift(ctx, id, by, reason, "put right", func(*dayone.Holding, books) (*dayone.Hold, error) { return nil, nil })
	if err != nil {
		return row, err
	}
	if _, err := f.planAnew(ctx, row.Person, "", "", true); err != nil { // it is decided; the next look goes on
		f.Log.Warn("what was to be put right waits for the next look", "person", row.Person, "error", err)
	}
	return row, nil
}

// AcceptDrift leaves what differs as the system shows it, until an instant; zero: for 90 days. What the books did not have is
// theirs from now on, as what was there before Dayone, and has no end. ErrForbidden: nobody may leave it so, or not whom it is about.
func (f *Flow) AcceptDrift(ctx context.Context, id dayone.DriftID, by, reason string, until time.Time) (DriftRow, error) {
	return f.decideDrift(ctx, id, by, reason, "accepted", func(h *dayone.Holding, b books) (*dayone.Hold, error) {
		v, err := f.DriftOf(ctx, id)
		if err != nil {
			return nil, err
		}
		p, err := f.Store.Person(ctx, v.Person)
		switch {
		case err != nil:
			return nil, err
		case p.Email != "" && strings.EqualFold(p.Email, strings.TrimSpace(by)):
			return nil, fmt.Errorf("nobody leaves as it is what is their own; somebody else decides: %w", dayone.ErrForbidden)
		case v.Refused != "":
			return nil, fmt.Errorf("%s: %w", v.Refused, dayone.ErrForbidden)
		case v.Kind == dayone.DriftExtra && !until.IsZero():
			return nil, fmt.Errorf("what the books did not have has no end; give it by a request with an end, dayone request, or name no day: %w", dayone.ErrInvalid)
		}
		if v.Kind == dayone.DriftExtra {
			h.Because = []dayone.Reason{dayone.SeenFirst(v.Since)}
			return nil, nil
		}
		if until.IsZero() {
			until = b.at.Add(acceptFor)
		}
		if !until.After(b.at) || until.After(b.at.Add(longestHold)) {
			return nil, fmt.Errorf("name a day within a year until which it stays so: %w", dayone.ErrInvalid)
		}
		return &dayone.Hold{ID: dayone.HoldID(f.IDs.New("hld")), Person: v.Person, Keys: []dayone.Key{v.Key}, Reason: reason, By: by, From: b.at, Until: until}, nil
	})
}

func (f *Flow) decideDrift(ctx context.Context, id dayone.DriftID, by, reason, what string, do func(*dayone.Holding, books) (*dayone.Hold, error)) (DriftRow, error) {
	row, err := f.driftOf(ctx, id)
	if err != nil {
		return row, err
	}
	switch reason = strings.TrimSpace(reason); {
	case reason == "":
		return row, fmt.Errorf("say why: the reason goes into the record: %w", dayone.ErrInvalid)
	case len(reason) > 500:
		return row, fmt.Errorf("the reason has more than 500 bytes; say it shorter: %w", dayone.ErrInvalid)
	case !scopeOf(ctx).Whole():
		if p, err := f.Person(ctx, row.Person); err != nil || !covers(ctx, p, row.Key) {
			return row, errors.Join(err, fmt.Errorf("your role is for %s, and %s is not in it: %w", scopeOf(ctx), row.Key, dayone.ErrForbidden))
		}
	}
	defer f.lock(row.Person)()
	b, books, err := f.asShown(ctx, row)
	if err != nil {
		return row, err
	}
	hold, err := do(&books, b)
	if err != nil {
		return row, err
	}
	err = f.Store.DecideDrift(ctx, store.DriftDecision{ID: row.ID, Person: row.Person, Books: books, Hold: hold, At: b.at, Records: []dayone.Record{{
		At: b.at, Person: row.Person, System: row.Key.System, What: driftSaid(what, row.Key, row.Kind), By: by, Detail: &dayone.Detail{Note: reason},
	}}})
	if err == nil {
		f.look()
	}
	return row, err
}

// driftSaid is a decision as records have it.
func driftSaid(what string, k dayone.Key, kind dayone.DriftKind) string {
	return "drift " + what + ": " + k.String() + " is " + string(kind)
}
