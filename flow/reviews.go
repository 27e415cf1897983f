package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Reviews: what a policy gives with review is confirmed by the manager from time to time. Silence changes nothing but that
// the task is late and told of again; a no takes it away and asks whoever answers for the policy.

const (
	reviewTask = "review " // begins the Once of the task that asks
	reviewAsk  = "keep"
	reviewDays = 14 // to answer in
)

// reviewDue is when what somebody holds is to be confirmed; zero: never.
func reviewDue(g dayone.Grant, held dayone.Holding, at time.Time) time.Time {
	if g.Review <= 0 {
		return time.Time{}
	}
	since := held.Since
	if at.After(since) {
		since = at
	}
	return since.Add(g.Review)
}

// reviews are the grants of a look that are to be confirmed, by when; its next instant is then no later than when one more
// is. was is when each was last confirmed.
func (l *Look) reviews(was map[dayone.Key]time.Time) map[dayone.Key]time.Time {
	if !l.reviewed() {
		return nil
	}
	held, out := heldOf(l.Have), map[dayone.Key]time.Time{}
	for _, g := range l.Want.Grants {
		h, has := held[g.Key]
		due := reviewDue(g, h, was[g.Key])
		if !has || due.IsZero() || slices.ContainsFunc(l.Holds, func(o dayone.Hold) bool { return o.Away && o.Covers(g.Key) }) {
			continue
		}
		if due.After(l.Person.At) {
			if l.Want.Next.IsZero() || due.Before(l.Want.Next) {
				l.Want.Next = due
			}
			continue
		}
		out[g.Key] = due
	}
	return out
}

// reviewed says whether anything that somebody is to have is confirmed from time to time.
func (l *Look) reviewed() bool {
	return l.Person.Status != dayone.Left && slices.ContainsFunc(l.Want.Grants, func(g dayone.Grant) bool { return g.Review > 0 })
}

// askReviews opens a task for everything that is to be confirmed, and closes those that nobody has to answer any more.
func (f *Flow) askReviews(ctx context.Context, l *Look) error {
	var was map[dayone.Key]time.Time
	if l.reviewed() {
		var err error
		if was, err = f.Store.Reviewed(ctx, l.Person.ID); err != nil {
			return err
		}
	}
	due := l.reviews(was)
	open, err := f.Store.Tasks(ctx, l.Person.ID, "")
	if err != nil {
		return err
	}
	now := l.Person.At
	for _, t := range open {
		k, is := strings.CutPrefix(t.Once, reviewTask+string(l.Person.ID)+" ")
		if !is {
			continue
		}
		key, err := dayone.ParseKey(k)
		if _, wanted := due[key]; err == nil && wanted {
			delete(due, key)
			continue
		}
		if _, err := f.Store.ChangeTask(ctx, t.ID, func(t *dayone.Task) error {
			t.Closed, t.Attrs = now, nil
			return nil
		}, dayone.Record{At: now, Person: l.Person.ID, What: "review not needed: " + k}); err != nil {
			return err
		}
	}
	for _, g := range l.Want.Grants {
		if _, asks := due[g.Key]; !asks {
			continue
		}
		t := dayone.Task{
			ID: dayone.TaskID(f.IDs.New("tsk")), Person: l.Person.ID, Once: reviewTask + string(l.Person.ID) + " " + g.Key.String(), System: g.Key.System,
			Title: fmt.Sprintf("Does %s still need %s?", l.Person.Name(), g.Key), Ask: []string{reviewAsk}, Opened: now, Due: now.AddDate(0, 0, reviewDays), Assignee: f.reviewer(ctx, l.Person, g),
			Note: fmt.Sprintf("It is given by %s. Write yes in %q if it is still needed: then it is asked again in %d days. Write no, with a note that says why, and it is taken away.",
				joinReasons(g.Because), reviewAsk, int(g.Review.Hours()/24)),
		}
		if err := f.Store.OpenTask(ctx, t, dayone.Record{At: now, Person: l.Person.ID, System: g.Key.System, What: "review asked: " + g.Key.String(), Because: g.Because}); err != nil {
			return err
		}
	}
	return nil
}

func asksReview(once string) bool { return strings.HasPrefix(once, reviewTask) }

func joinReasons(rs []dayone.Reason) string {
	var out []string
	for _, r := range rs {
		out = append(out, r.String())
	}
	return strings.Join(out, " and ")
}

// reviewer is who is asked: the manager, or whoever decides in her place; never the person herself.
func (f *Flow) reviewer(ctx context.Context, p dayone.Person, g dayone.Grant) string {
	d := &directory{Flow: f, ctx: ctx, known: map[string]people.Colleague{}}
	for _, s := range people.Deciders(people.Question{
		For:  people.Colleague{Mail: strings.ToLower(p.Attrs.Text("email")), Manager: strings.ToLower(p.Attrs.Text("manager")), Status: p.Status, Known: true},
		Rule: dayone.Approval{By: []string{"manager"}}, Owner: f.policyOwner(g.Because), Fallback: f.Asking.Fallback,
	}, d, f.Clock.Now()) {
		if len(s.Deciders) > 0 {
			return s.Deciders[0].Mail
		}
	}
	return f.Asking.Tasks
}

// policyOwner answers for the first policy that gives something.
func (f *Flow) policyOwner(because []dayone.Reason) string {
	for _, r := range because {
		for _, p := range f.Active().Policies {
			if p.ID == r.Policy {
				return strings.ToLower(p.Owner)
			}
		}
	}
	return ""
}

// decideReview carries out the answer of a review.
func (f *Flow) decideReview(ctx context.Context, t dayone.Task, by string, attrs dayone.Attrs) error {
	k, err := dayone.ParseKey(strings.TrimPrefix(t.Once, reviewTask+string(t.Person)+" "))
	if err != nil {
		return err
	}
	row, err := f.Store.Person(ctx, t.Person)
	if err != nil {
		return err
	}
	if row.Email != "" && strings.EqualFold(row.Email, by) {
		return fmt.Errorf("nobody reviews what is their own: %w", dayone.ErrForbidden)
	}
	defer f.lock(t.Person)()
	now, note := f.Clock.Now(), strings.TrimSpace(attrs.Text("note"))
	t.Closed, t.By, t.Attrs = now, by, attrs
	said := dayone.Record{At: now, Person: t.Person, System: k.System, By: by, Detail: &dayone.Detail{Note: note}}
	switch strings.ToLower(strings.TrimSpace(attrs.Text(reviewAsk))) {
	case "yes":
		said.What = "review: " + k.String() + " stays"
		err = f.Store.Confirm(ctx, k, t, said)
	case "no":
		if note == "" {
			return fmt.Errorf("say in the note why it is not needed; whoever answers for the policy reads it: %w", dayone.ErrInvalid)
		}
		said.What = "review: " + k.String() + " goes"
		owner := dayone.Task{
			Person: t.Person, Once: "reviewed " + string(t.ID), System: k.System, Title: fmt.Sprintf("A review took %s from %s", k, row.Name), Opened: now, Due: now.AddDate(0, 0, reviewDays),
			Assignee: f.ownerOf(ctx, t.Person, k),
			Note:     fmt.Sprintf("%s: %s. It is withheld for a year. If the policy is too wide, change it; if the review was wrong, end its hold on the page of the person.", cmp.Or(t.Assignee, by), note),
		}
		err = f.Store.SaveHold(ctx, store.HoldChange{
			Hold:   dayone.Hold{ID: dayone.HoldID(f.IDs.New("hld")), Person: t.Person, Keys: []dayone.Key{k}, Away: true, Reason: note, By: cmp.Or(t.Assignee, by), From: now, Until: now.AddDate(1, 0, 0)},
			Closed: &t, Opened: &owner, Review: &k, Wake: now, Records: []dayone.Record{said},
		})
	default:
		return fmt.Errorf("write yes or no in %q: %w", reviewAsk, dayone.ErrInvalid)
	}
	if err == nil {
		f.look()
	}
	return err
}

// ownerOf answers for the policy that gives somebody something.
func (f *Flow) ownerOf(ctx context.Context, id dayone.PersonID, k dayone.Key) string {
	if l, err := f.Preview(ctx, id); err == nil {
		for _, g := range l.Want.Grants {
			if g.Key == k {
				return f.policyOwner(g.Because)
			}
		}
	}
	return f.Asking.Tasks
}
