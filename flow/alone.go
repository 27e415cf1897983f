package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
)

// Where there is one administrator, a second person is replaced by time: what its author alone approves takes effect when
// a notice is over. Until then everybody can see it, and withdraw it; then it must still be just what was approved.

// Notice is how long an act waits that its author alone approved, where nothing else is configured.
const Notice = 24 * time.Hour

func (f *Flow) notice() time.Duration { return cmp.Or(f.AloneNotice, Notice) }

// MayAlone says whether somebody may approve his own proposal after a notice, and how long that is.
func (f *Flow) MayAlone() (time.Duration, bool) { return f.notice(), f.Load != nil && !f.TwoPersons }

// marks are digests of what a plan changes for whom.
func (e Everybody) marks() map[dayone.PersonID]string {
	out := make(map[dayone.PersonID]string, len(e.Changes))
	for _, c := range e.Changes {
		c.Name = ""
		sum := sha256.Sum256(fmt.Appendf(nil, "%+v", c))
		out[c.Person] = hex.EncodeToString(sum[:8])
	}
	return out
}

// Mark is a digest of the whole plan: two that have the same change the same things for the same people.
func (e Everybody) Mark() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %s %s %v\n", e.Stage, e.Active, e.Proposed, e.Only)
	marks := e.marks()
	for _, id := range slices.Sorted(maps.Keys(marks)) {
		fmt.Fprintln(sum, id, marks[id])
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// sameMarks says for whom a plan has changed.
func sameMarks(mine, theirs map[dayone.PersonID]string) error {
	var differ []string
	for id, c := range mine {
		if theirs[id] != c {
			differ = append(differ, string(id))
		}
	}
	for id := range theirs {
		if _, both := mine[id]; !both {
			differ = append(differ, string(id))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	more := ""
	if len(differ) > 3 {
		differ, more = differ[:3], fmt.Sprintf(" and %d more", len(differ)-3)
	}
	return fmt.Errorf("people, holdings or catalogue changed since the plan was made, for %s%s; plan again: %w", strings.Join(differ, ", "), more, dayone.ErrConflict)
}

var errOtherStage = fmt.Errorf("other policies were applied since the plan was made; plan again: %w", dayone.ErrConflict)

// ApplyAlone approves a plan whose author may be who approves it. Nothing happens before the notice is over.
func (f *Flow) ApplyAlone(ctx context.Context, pr Proposal, planned Everybody, approver, reason, release string) (dayone.PolicyAct, error) {
	notice, may := f.MayAlone()
	switch {
	case f.Load == nil:
		return dayone.PolicyAct{}, errFixed
	case !may:
		return dayone.PolicyAct{}, fmt.Errorf("here nobody approves alone (alone.allowed in dayone.yaml); somebody other than %s has to apply it: %w", author(pr.Author), dayone.ErrForbidden)
	case strings.TrimSpace(reason) == "":
		return dayone.PolicyAct{}, fmt.Errorf("say why: whoever sees it coming has nothing else to judge by: %w", dayone.ErrInvalid)
	}
	now, err := f.replan(ctx, pr, planned, approver, release)
	if err != nil {
		return dayone.PolicyAct{}, err
	}
	if a, is, err := f.AlreadyAnnounced(ctx, pr, now); err != nil || is {
		return a, err
	}
	v, err := f.version(pr.Files, pr.Set, author(pr.Author), pr.Note)
	if err != nil {
		return dayone.PolicyAct{}, err
	}
	a := dayone.PolicyAct{
		ID: f.IDs.New("act"), Version: v.ID, Only: pr.Only, Author: v.Author, Approver: approver, Reason: reason, Release: release, Made: f.Clock.Now().Truncate(time.Microsecond),
		After: now.Stage, Marks: now.marks(), People: len(now.Changes), State: dayone.ActWaiting,
	}
	a.Due = a.Made.Add(notice)
	err = f.Store.AddAct(ctx, v, a)
	if errors.Is(err, dayone.ErrConflict) { // announced in this very moment, which stands
		if is, there, err := f.AlreadyAnnounced(ctx, pr, now); err != nil || there {
			return is, err
		}
	}
	if err != nil {
		return a, err
	}
	f.look()
	return a, nil
}

// AlreadyAnnounced says whether just what a plan is for was announced, and waits: the same policies for the same people, with the same changes.
// It stands then, however often it is said.
func (f *Flow) AlreadyAnnounced(ctx context.Context, pr Proposal, planned Everybody) (dayone.PolicyAct, bool, error) {
	waiting, err := f.Waiting(ctx)
	if err != nil {
		return dayone.PolicyAct{}, false, err
	}
	for _, a := range waiting {
		if a.Version != pr.Set.Hash || a.After != planned.Stage || !maps.Equal(a.Only, pr.Only) {
			continue
		}
		whole, err := f.Store.Act(ctx, a.ID)
		if err != nil {
			return dayone.PolicyAct{}, false, err
		}
		if maps.Equal(whole.Marks, planned.marks()) {
			return a, true, nil
		}
	}
	return dayone.PolicyAct{}, false, nil
}

// Withdraw takes an act back before its notice is over. ref is its id, or the beginning of its version; "": the only one.
func (f *Flow) Withdraw(ctx context.Context, ref, by, why string) (dayone.PolicyAct, error) {
	if by == "" {
		return dayone.PolicyAct{}, fmt.Errorf("say who withdraws it: %w", dayone.ErrInvalid)
	}
	waiting, err := f.Store.Acts(ctx, true, 100)
	if err != nil {
		return dayone.PolicyAct{}, err
	}
	fits := slices.DeleteFunc(slices.Clone(waiting), func(a dayone.PolicyAct) bool { return a.ID != ref && !strings.HasPrefix(a.Version, ref) })
	switch {
	case len(waiting) == 0:
		return dayone.PolicyAct{}, fmt.Errorf("nothing waits for the end of a notice: %w", dayone.ErrNotFound)
	case len(fits) == 0:
		return dayone.PolicyAct{}, fmt.Errorf("nothing that is called %q waits; dayone policy versions shows what does: %w", ref, dayone.ErrNotFound)
	case len(fits) > 1:
		return dayone.PolicyAct{}, fmt.Errorf("%d acts wait; name one, as dayone policy versions shows them: %w", len(fits), dayone.ErrInvalid)
	}
	a := fits[0]
	a.State, a.By, a.Why, a.Ended = dayone.ActWithdrawn, by, why, f.Clock.Now()
	if err := f.Store.EndAct(ctx, a.ID, a.State, by, why, a.Ended); err != nil {
		return a, err
	}
	f.look()
	return a, nil
}

// Waiting are the acts whose notice is not over, the next due first.
func (f *Flow) Waiting(ctx context.Context) ([]dayone.PolicyAct, error) {
	return f.Store.Acts(ctx, true, 100)
}

// Acts are all of them, newest first.
func (f *Flow) Acts(ctx context.Context, limit int) ([]dayone.PolicyAct, error) {
	return f.Store.Acts(ctx, false, limit)
}

// acts puts into force what is due, tells the ledger how each stands, and says when the next is due.
func (f *Flow) acts(ctx context.Context) (next time.Time, err error) {
	if f.Load == nil {
		return next, nil
	}
	if err := f.tellActs(ctx); err != nil { // before it takes effect
		return next, err
	}
	waiting, err := f.Waiting(ctx)
	if err != nil {
		return next, err
	}
	for _, a := range waiting {
		if f.Clock.Now().Before(a.Due) {
			next = a.Due
			break
		}
		if err := f.perform(ctx, a.ID); err != nil {
			return next, fmt.Errorf("putting policies into force whose notice is over: %w", err)
		}
	}
	return next, f.tellActs(ctx)
}

// perform is the end of a notice: what was approved takes effect if it is still the same, else nothing does.
func (f *Flow) perform(ctx context.Context, id string) error {
	a, err := f.Store.Act(ctx, id)
	if err != nil {
		return err
	}
	why := ""
	switch err := f.fulfil(ctx, a); {
	case err == nil:
		f.Log.Info("policies are in force whose notice is over", "act", a.ID, "version", short(a.Version))
		return nil
	case errors.Is(err, dayone.ErrConflict), errors.Is(err, dayone.ErrForbidden), errors.Is(err, dayone.ErrInvalid):
		why = strings.TrimSuffix(err.Error(), ": "+dayone.KindOf(err).Error())
	default:
		return err
	}
	f.Log.Warn("what its author alone approved is not put into force", "act", a.ID, "version", short(a.Version), "why", why)
	err = f.Store.EndAct(ctx, a.ID, dayone.ActRefused, "", why, f.Clock.Now())
	if errors.Is(err, dayone.ErrConflict) { // withdrawn a moment ago
		return nil
	}
	return err
}

func (f *Flow) fulfil(ctx context.Context, a dayone.PolicyAct) error {
	if f.TwoPersons {
		return fmt.Errorf("meanwhile alone.allowed is false in dayone.yaml; somebody else has to apply it: %w", dayone.ErrForbidden)
	}
	if err := f.reload(ctx); err != nil {
		return err
	}
	if f.force.Load().seq != a.After {
		return errOtherStage
	}
	set, err := f.SetOf(ctx, a.Version)
	if err != nil {
		return err
	}
	files, err := f.FilesOf(ctx, a.Version)
	if err != nil {
		return err
	}
	if set.Hash != a.Version {
		return fmt.Errorf("the policies read differently than when they were approved; plan again: %w", dayone.ErrConflict)
	}
	pr := Proposal{Set: set, Files: files, Only: a.Only, Author: a.Author}
	now, err := f.PlanAll(ctx, pr, nil, nil)
	if err != nil {
		return err
	}
	if err := sameMarks(a.Marks, now.marks()); err != nil {
		return err
	}
	_, err = f.putIntoForce(ctx, pr, now, a.Approver, strings.TrimSpace(a.Reason+" (alone, after a notice)"), a.Release, a.ID)
	return err
}

// tellActs puts into the ledger what it does not know yet: commands that work beside the server write none.
func (f *Flow) tellActs(ctx context.Context) error {
	untold, err := f.Store.UntoldActs(ctx)
	if err != nil {
		return err
	}
	for _, a := range untold {
		r := dayone.Record{At: f.Clock.Now(), What: "policies " + string(a.State), By: cmp.Or(a.By, a.Approver)}
		note := fmt.Sprintf("version %s, %d people", short(a.Version), a.People)
		switch a.State {
		case dayone.ActWaiting:
			r.What = "policies announced"
			note += ", in force from " + a.Due.UTC().Format(time.RFC3339) + " unless withdrawn"
			f.Log.Warn("policies come into force that their author alone approved", "act", a.ID, "version", short(a.Version), "due", a.Due, "people", a.People, "by", a.Approver)
		case dayone.ActApplied:
			note += ", after its notice"
		case dayone.ActRefused:
			r.By = ""
			note += ": " + a.Why
		}
		r.Detail = &dayone.Detail{Note: note}
		if err := f.Store.TellAct(ctx, a.ID, a.State, r); err != nil {
			return err
		}
	}
	return nil
}
