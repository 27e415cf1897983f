package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Whoever leaves looked after things in our own books: tasks, people in no HR system, decisions, policies. What we can move goes
// to her successor; the rest is one task that lists it. What is to be moved is kept before the first thing is, and moving is
// the same done twice, so a crash leaves nothing behind. It goes on beside the looks at people: what is moved is somebody
// else's, and no look at one person may wait for another's.

const (
	succeedAtOnce   = 100 // leavers for whom the books are gone through together
	successionTask  = "succession."
	successionLines = 40 // of the task
)

// succeedLater sees to it that what somebody looked after who has left is handed over, once for each end.
func (f *Flow) succeedLater(ctx context.Context, l Look) error {
	if l.Person.Status != dayone.Left || !l.Person.Managed {
		return nil
	}
	left := l.Person.End.Truncate(time.Microsecond)
	since, err := f.Store.SucceedsSince(ctx, l.Person.ID)
	if err != nil || since.Equal(left) {
		return err
	}
	return f.woken(f.Store.SucceedAt(ctx, l.Person.ID, left, l.Person.At))
}

// Succession is what became of what somebody looked after. ErrNotFound: she has not left, or it is not looked at yet.
func (f *Flow) Succession(ctx context.Context, id dayone.PersonID) (dayone.Succession, error) {
	if _, err := f.Person(ctx, id); err != nil {
		return dayone.Succession{}, err
	}
	return f.Store.Succession(ctx, id)
}

// colleague is somebody by work mail. Who is out of scope, or hidden, is as unknown here as anywhere: ErrNotFound.
func (f *Flow) colleague(ctx context.Context, mail string) (Row, error) {
	row, err := f.Store.PersonByEmail(ctx, mail)
	if err != nil {
		return Row{}, err
	}
	return f.seen(ctx, row)
}

// mayInherit is somebody's address who can take over what somebody else looks after. ErrInvalid: she cannot.
func (f *Flow) mayInherit(ctx context.Context, of dayone.PersonID, heir string) (string, error) {
	heir = strings.ToLower(strings.TrimSpace(heir))
	if heir == "" {
		return "", nil
	}
	row, err := f.colleague(ctx, heir)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return "", fmt.Errorf("nobody here has the address %s; name a successor who works here: %w", heir, dayone.ErrInvalid)
	case err != nil:
		return "", err
	case row.ID == of:
		return "", fmt.Errorf("nobody is their own successor; name somebody else: %w", dayone.ErrInvalid)
	case row.Status != dayone.Working:
		return "", fmt.Errorf("%s does not work here now; name a successor who does: %w", heir, dayone.ErrInvalid)
	}
	return heir, nil
}

// leaver is somebody whose things are handed over.
type leaver struct {
	dayone.Succession
	row       Row
	person    dayone.Person
	sponsored map[dayone.PersonID]bool
}

// succeedAll hands over what is due. One who came back is not.
func (f *Flow) succeedAll(ctx context.Context) error {
	for {
		due, err := f.Store.DueSuccessions(ctx, f.Clock.Now(), succeedAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		leavers, err := f.leavers(ctx, due)
		if err != nil {
			return err
		}
		if err := f.listAll(ctx, leavers); err != nil {
			return err
		}
		for _, l := range leavers {
			if err := f.handOver(ctx, l); err != nil && !errors.Is(err, dayone.ErrConflict) { // a conflict: its end has moved meanwhile
				return err
			}
		}
	}
}

func (f *Flow) leavers(ctx context.Context, due []dayone.Succession) ([]*leaver, error) {
	var out []*leaver
	now := f.Clock.Now()
	for _, s := range due {
		t, err := f.Store.Timeline(ctx, s.Person)
		if errors.Is(err, dayone.ErrNotFound) {
			continue // erased: the row goes with her
		}
		if err != nil {
			return nil, err
		}
		l := &leaver{Succession: s, person: people.At(&t, now, now, f.Active())}
		if l.person.Status != dayone.Left {
			if err := f.Store.DropSuccession(ctx, s.Person); err != nil {
				return nil, err
			}
			continue
		}
		if l.row, err = f.Store.Person(ctx, s.Person); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// listAll writes down what those looked after of whom that is not known yet, and who takes it over.
func (f *Flow) listAll(ctx context.Context, all []*leaver) error {
	d := &directory{Flow: f, ctx: ctx, known: map[string]people.Colleague{}}
	of := map[string]*leaver{}
	for _, l := range all { // none of them takes over what another one leaves
		if l.row.Email != "" {
			d.known[l.row.Email] = people.Colleague{Mail: l.row.Email, Manager: l.row.Manager, Status: dayone.Left, Known: true}
		}
		if !l.Made.IsZero() {
			continue
		}
		l.Made = f.Clock.Now()
		if l.row.Email != "" {
			of[l.row.Email] = l
		}
	}
	for mail, l := range of {
		l.To, l.Why = people.Successor(d.known[mail], namedHeir(l.person), d)
	}
	if d.err != nil {
		return fmt.Errorf("finding a successor: %w", d.err)
	}
	if len(of) > 0 {
		for _, list := range []func(context.Context, map[string]*leaver) error{f.listTasks, f.listSponsored, f.listDelegations, f.listReports, f.listApprovals} {
			if err := list(ctx, of); err != nil {
				return err
			}
		}
		f.listPolicies(of)
		f.listSettings(of)
	}
	for _, l := range all {
		if err := f.Store.SaveSuccession(ctx, l.Succession, nil); err != nil && !errors.Is(err, dayone.ErrConflict) {
			return err
		}
	}
	return nil
}

func (f *Flow) listTasks(ctx context.Context, of map[string]*leaver) error {
	for after := dayone.TaskID(""); ; {
		page, err := f.Store.OpenTasks(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, t := range page {
			if l := of[t.Assignee]; l != nil {
				l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedTask, Ref: string(t.ID), Name: t.Title})
			}
		}
		after = page[len(page)-1].ID
	}
}

func (f *Flow) listSponsored(ctx context.Context, of map[string]*leaver) error {
	ids, err := f.Store.Outsiders(ctx)
	if err != nil {
		return err
	}
	now := f.Clock.Now()
	for _, id := range ids {
		t, err := f.Store.Timeline(ctx, id)
		if errors.Is(err, dayone.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		p := people.At(&t, now, now, f.Active())
		for _, e := range p.Engagements {
			l := of[e.Sponsor]
			if l == nil || p.Status == dayone.Left {
				continue
			}
			if l.sponsored == nil {
				l.sponsored = map[dayone.PersonID]bool{}
			}
			l.sponsored[id] = true
			l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedSponsor, Ref: string(e.ID), Name: p.Name()})
		}
	}
	return nil
}

func (f *Flow) listDelegations(ctx context.Context, of map[string]*leaver) error {
	for _, l := range of {
		list, err := f.Store.DelegationsWith(ctx, l.Person, f.Clock.Now())
		if err != nil {
			return err
		}
		for _, g := range list {
			other, text := g.Delegate, "%s decided for them"
			if g.Delegate == l.Person {
				other, text = g.Person, "they decided for %s"
			}
			row, err := f.Store.Person(ctx, other)
			if err != nil && !errors.Is(err, dayone.ErrNotFound) {
				return err
			}
			l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedDelegation, Ref: g.ID, Name: fmt.Sprintf(text, row.Name)})
		}
	}
	return nil
}

// listReports finds those whose manager she is. HR says so, hence HR says otherwise.
func (f *Flow) listReports(ctx context.Context, of map[string]*leaver) error {
	for mail, l := range of {
		for q := (store.PeopleFilter{Manager: mail, Limit: 500}); ; {
			rows, err := f.Store.People(ctx, q)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.Status != dayone.Left && !l.sponsored[r.ID] {
					l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedReport, Ref: string(r.ID), Name: r.Name, Act: "HR gives them another manager"})
				}
			}
			if len(rows) < q.Limit {
				break
			}
			q.AfterName, q.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
		}
	}
	return nil
}

// listApprovals finds questions that nobody is left to decide. Whatever somebody else can decide has fallen to them by itself.
func (f *Flow) listApprovals(ctx context.Context, of map[string]*leaver) error {
	open, err := f.Store.Approvals(ctx, store.ApprovalFilter{Open: true, Live: true, Limit: 1000})
	if err != nil {
		return err
	}
	for _, r := range open {
		l := of[hersToDecide(r, of)]
		if l == nil {
			continue
		}
		now, err := f.deciders(ctx, r, !r.Escalated.IsZero())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(now, func(d dayone.Decider) bool { return of[d.Mail] == nil }) {
			continue
		}
		l.Items = append(l.Items, dayone.Handed{
			Kind: dayone.HandedApproval, Ref: string(r.ID), Name: r.Key.String(), Act: "somebody who may decide is named in approvals.fallback; silence is no",
		})
	}
	return nil
}

// hersToDecide is the leaver who was asked about a petition, if one was.
func hersToDecide(r dayone.Petition, of map[string]*leaver) string {
	for _, d := range r.Deciders {
		if of[d.Mail] != nil {
			return d.Mail
		}
	}
	for _, word := range r.Rule.By {
		if mail := strings.ToLower(word); of[mail] != nil {
			return mail
		}
	}
	return ""
}

// listPolicies finds policies that name somebody who has left. They are files, which people change.
func (f *Flow) listPolicies(of map[string]*leaver) {
	for _, p := range f.Active().Policies {
		if l := of[strings.ToLower(p.Owner)]; l != nil {
			l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedPolicy, Ref: p.ID, Name: p.ID, Act: "another owner is named in " + p.At.String()})
		}
		said := map[string]bool{}
		for _, r := range append(slices.Clone(p.Grants), p.Offers...) {
			for _, mail := range namedIn(r) {
				if l := of[mail]; l != nil && !said[mail] {
					said[mail] = true
					l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedPolicy, Ref: p.ID, Name: p.ID, Act: "somebody else is named to approve " + r.Key.String() + " in " + r.At.String()})
				}
			}
		}
	}
}

func namedIn(r *policy.Rule) (out []string) {
	if r.Approval == nil {
		return nil
	}
	for _, word := range r.Approval.By {
		out = append(out, strings.ToLower(word))
	}
	return out
}

// listSettings finds settings that name somebody who has left.
func (f *Flow) listSettings(of map[string]*leaver) {
	say := func(mail, at string) {
		if l := of[strings.ToLower(mail)]; l != nil {
			l.Items = append(l.Items, dayone.Handed{Kind: dayone.HandedSetting, Ref: at, Name: at, Act: "somebody else is named there, in dayone.yaml"})
		}
	}
	for _, mail := range f.Asking.Fallback {
		say(mail, "approvals.fallback")
	}
	for name, members := range f.Asking.Groups {
		for _, mail := range members {
			say(mail, "approvals.groups."+name)
		}
	}
	say(f.Asking.Tasks, "approvals.tasks")
}
