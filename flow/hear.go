package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/policy"
)

// Those who decide, and those who have a task, hear of it: at once, again after some working days, and of approvals one
// more is asked then. When is in the books, so that a restart forgets nothing.

// mailAgain is when a message that could not be sent is tried again.
const mailAgain = 10 * time.Minute

// soon is the earlier of two instants of which either may be none.
func soon(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// workdays after an instant, where a person works.
func (f *Flow) workdays(from time.Time, n int, site dayone.Site) time.Time {
	zone, _ := site.Location()
	return policy.Offset{WorkingDays: n}.From(from.In(zone), site.Holidays)
}

// sayAll tells everybody who is to hear something now. An error is one of the books.
func (f *Flow) sayAll(ctx context.Context) error {
	for {
		due, err := f.Store.DueApprovals(ctx, f.Clock.Now(), 100)
		if err != nil {
			return err
		}
		down := false
		for _, r := range due {
			if down, err = f.pursue(ctx, r, down); err != nil {
				return err
			}
		}
		if len(due) == 0 {
			break
		}
	}
	return f.remindTasks(ctx)
}

// nextSaid is when somebody is to hear something; zero: nobody.
func (f *Flow) nextSaid(ctx context.Context) (time.Time, error) {
	a, err := f.Store.NextApproval(ctx)
	if err != nil {
		return a, err
	}
	b, err := f.Store.NextReminder(ctx)
	return soon(a, b), err
}

// comesBack says that sending failed for a reason that is nobody's address: all that is to be said waits then. An address that
// is refused for good holds up nobody else.
func comesBack(err error) bool {
	return dayone.Again(err) || errors.Is(err, dayone.ErrAuth) || errors.Is(err, dayone.ErrForbidden)
}

// pursue does what is due for one request. When mail cannot be sent it is tried again later, for everybody: down.
func (f *Flow) pursue(ctx context.Context, r dayone.Petition, down bool) (bool, error) {
	now := f.Clock.Now()
	if r.State != dayone.ApprovalOpen || !r.Ended.IsZero() {
		_, err := f.Store.ChangeApproval(ctx, r.ID, time.Time{}, func(r *dayone.Petition) error { r.Next = time.Time{}; return nil })
		return down, err
	}
	if !now.Before(r.Due) { // the look at its person says so in the ledger and to the run
		_, err := f.Store.ChangeApproval(ctx, r.ID, now, func(r *dayone.Petition) error {
			if r.State == dayone.ApprovalOpen {
				r.State, r.Decided = dayone.ApprovalExpired, now
			}
			r.Next = time.Time{}
			return nil
		})
		return down, err
	}
	site := f.Active().Sites[""]
	remind := f.workdays(r.Opened, cmp.Or(f.Asking.RemindAfter, 1), site)
	escalate := f.workdays(r.Opened, cmp.Or(f.Asking.EscalateAfter, 3), site)
	escalates := !r.Asked.IsZero() && r.Escalated.IsZero() && !now.Before(escalate)
	who, err := f.deciders(ctx, r, escalates || !r.Escalated.IsZero())
	if err != nil {
		return down, err
	}
	if len(who) == 0 {
		f.Log.Warn("nobody can decide an approval; name somebody in approvals.fallback", "approval", r.ID)
	}
	if !down {
		if err := f.sayApproval(ctx, r, who); err != nil {
			if ctx.Err() != nil {
				return down, ctx.Err()
			}
			f.Log.Warn("a message about an approval waits", "approval", r.ID, "error", err)
			down = comesBack(err)
		}
	}
	_, err = f.Store.ChangeApproval(ctx, r.ID, time.Time{}, func(r *dayone.Petition) error {
		if r.Next.IsZero() { // it was answered meanwhile
			return nil
		}
		r.Deciders = who
		if down {
			r.Next = soon(now.Add(mailAgain), r.Due)
			return nil
		}
		switch {
		case r.Asked.IsZero():
			r.Asked = now
		case escalates:
			r.Escalated = now
		default:
			r.Reminded = now
		}
		r.Next = r.Due
		for _, at := range []time.Time{remind, escalate} {
			if at.After(now) {
				r.Next = soon(at, r.Next)
			}
		}
		return nil
	})
	return down, err
}

// sayApproval writes to each of those who decide and have not answered yet.
func (f *Flow) sayApproval(ctx context.Context, r dayone.Petition, who []dayone.Decider) error {
	v, err := f.viewOf(ctx, r.Person)
	if err != nil {
		return err
	}
	why := make([]string, 0, len(r.Because))
	for _, b := range r.Because {
		why = append(why, b.String())
	}
	zone, _ := f.Active().Sites[""].Location()
	var refused []error
	said := map[string]bool{}
	for _, vote := range r.Votes {
		said[vote.Of] = true
	}
	for _, d := range who {
		if said[d.Mail] {
			continue
		}
		said[d.Mail] = true
		v.Approval = &message.Approval{
			What: f.what(r), Why: strings.Join(why, ", "), You: d.Why, Since: r.Opened.In(zone), Due: r.Due.In(zone), Requester: r.Requester(), Reason: r.Reason(), Anew: r.Anew,
			Link: f.Base + "/approvals/" + string(r.ID), Reminder: !r.Asked.IsZero(),
		}
		times := fmt.Sprint(btoi(!r.Asked.IsZero()) + btoi(!r.Reminded.IsZero()))
		switch err := f.mail(ctx, dayone.Person{}, "approval", "approval."+string(r.ID)+"."+times, d.Mail, v); {
		case err == nil:
		case comesBack(err):
			return err
		default:
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// what a request is about, in words.
func (f *Flow) what(r dayone.Petition) string {
	out := f.thing(r.Key)
	if r.Role != "" {
		out += " as " + r.Role
	}
	return out
}

// viewOf is what a message that no run sends sees of a person.
func (f *Flow) viewOf(ctx context.Context, id dayone.PersonID) (message.View, error) {
	row, err := f.Store.Person(ctx, id)
	if err != nil {
		return message.View{}, err
	}
	return message.View{
		Company: f.CompanyName(ctx), Now: f.Clock.Now(), Links: message.Links{Portal: f.Base},
		Person: message.Human{Name: row.Name, First: firstName(row.Name), Title: row.Title, Team: row.Team, Department: row.Department, Email: row.Email, Location: row.Location},
	}, nil
}

// mail sends a message to somebody of whom p is about; zero: about nobody.
func (f *Flow) mail(ctx context.Context, p dayone.Person, template, name, to string, v message.View) error {
	if _, ok := f.Systems[f.Mail]; !ok {
		return nil // nothing sends mail: the portal shows it
	}
	var err error
	if v.Language, err = f.reads(ctx, []string{to}, p); err != nil {
		return err
	}
	r, err := f.templates(p).Render(template, v)
	if err != nil {
		return err
	}
	return f.send(ctx, parcel{system: f.Mail, name: name, to: []string{to}, subject: r.Subject(), text: r.Text, since: f.Clock.Now()})
}
