package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/number"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// NumberAudit is what is wrong with the books of numbers.
type NumberAudit struct {
	At       time.Time
	Numbers  int // looked at
	People   int // whose sources state a number
	Findings []FindingView
	Unread   int // people whose timeline cannot be read: nothing is said of them
}

// FindingView is a finding with the name of whom it is about.
type FindingView struct {
	NumberFinding
	Name  string
	Title string // of its pool
}

// poolTitle is what a pool is called; "": it has no title.
func poolTitle(plan *number.Plan, name string) string {
	if p, ok := plan.Pool(name); ok {
		return p.Title
	}
	return ""
}

// AuditNumbers compares the books with who works here, with what sources state, and with what is going to be needed. It
// changes nothing. Of whom whoever asks may not know nothing is said. It goes through the whole company, so that one that takes
// long is remembered: At says of when it is. There are two of them, since only few may know of everybody.
func (f *Flow) AuditNumbers(ctx context.Context) (NumberAudit, error) {
	if !scopeOf(ctx).AllPeople() {
		return f.auditNumbers(ctx)
	}
	if mayKnow(ctx) {
		return f.audited.all.get(ctx, f.Clock, &f.errands.WaitGroup, f.auditNumbers)
	}
	out, err := f.audited.open.get(ctx, f.Clock, &f.errands.WaitGroup, f.auditNumbers)
	if err != nil {
		return out, err
	}
	rows, err := f.Store.Veiled(ctx) // somebody may have become confidential since
	if err != nil || len(rows) == 0 {
		return out, err
	}
	veiled := map[dayone.PersonID]bool{}
	for _, r := range rows {
		veiled[r.ID] = r.Veil == dayone.WholeVeiled
	}
	out.Findings = slices.DeleteFunc(slices.Clone(out.Findings), func(x FindingView) bool { return veiled[x.Person] })
	return out, nil
}

// numberAudits are the last audits of the books: of everybody, and without those of whom only few may know.
type numberAudits struct{ all, open remembered[NumberAudit] }

func (f *Flow) auditNumbers(ctx context.Context) (NumberAudit, error) {
	out := NumberAudit{At: f.Clock.Now()}
	n := f.Store.ReadNumbers(ctx)
	plan, _, err := f.numberBook(n)
	if err != nil {
		return out, err
	}
	a := number.NewAuditor(plan, out.At, len(plan.Stated) > 0)
	for o, err := range n.Each() {
		if err != nil {
			return out, fmt.Errorf("reading numbers: %w", err)
		}
		kept := ""
		if rests := o.Used.Add(timersOf(plan, o.Pool).Quarantine); o.State == dayone.NumberQuarantine && !rests.After(out.At) {
			if kept, err = f.keptResting(n, o.Number); err != nil {
				return out, err
			}
		}
		a.Number(o.Number, o.Status, kept)
		out.Numbers++
	}
	if len(plan.Stated) > 0 {
		if err := f.stated(ctx, plan, a, &out); err != nil {
			return out, err
		}
	}
	counts, err := n.Count()
	if err != nil {
		return out, err
	}
	looks, err := f.outlooks(ctx, n, plan, counts)
	if err != nil {
		return out, err
	}
	for _, p := range plan.Pools {
		a.Pool(p, looks[p.Name])
	}
	cache := map[dayone.PersonID]string{}
	out.Findings = make([]FindingView, 0, len(a.Findings()))
	for _, x := range a.Findings() {
		if x.Kind == number.Nobody { // there is no name to look for
			out.Findings = append(out.Findings, FindingView{x, string(x.Person), poolTitle(plan, x.Pool)})
			continue
		}
		name, hidden, err := f.whoHas(ctx, x.Person, cache)
		if err != nil {
			return out, err
		}
		if hidden {
			continue
		}
		out.Findings = append(out.Findings, FindingView{x, name, poolTitle(plan, x.Pool)})
	}
	return out, nil
}

// stated goes through what sources state of everybody who works here or will.
func (f *Flow) stated(ctx context.Context, plan *number.Plan, a *number.Auditor, out *NumberAudit) error {
	var page []dayone.PersonID
	look := func() error {
		list, err := f.peopleAt(ctx, page, func(int) time.Time { return out.At })
		if err != nil {
			return err
		}
		for i := range list {
			p := &list[i]
			switch {
			case p.ID == "":
				out.Unread++
				continue
			case p.Status == dayone.Left || p.Veil == dayone.WholeVeiled && !mayKnow(ctx):
				continue
			}
			said := false
			for _, attr := range plan.Stated {
				if text := p.Attrs.Text(attr); text != "" {
					a.Stated(p.ID, p.Site.Country, attr, text)
					said = true
				}
			}
			if said {
				out.People++
			}
		}
		page = page[:0]
		return ctx.Err()
	}
	err := f.Store.EachPerson(ctx, func(id dayone.PersonID, _ bool) error {
		if page = append(page, id); len(page) < store.AtOnce {
			return nil
		}
		return look()
	})
	if err == nil && len(page) > 0 {
		err = look()
	}
	return err
}

// peopleAt are people at instants, in their order. Who cannot be read has no id.
func (f *Flow) peopleAt(ctx context.Context, ids []dayone.PersonID, at func(i int) time.Time) ([]dayone.Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	read, err := f.Store.Timelines(ctx, ids)
	if err != nil {
		return nil, err
	}
	now, set := f.Clock.Now(), f.Active()
	out := make([]dayone.Person, len(ids))
	for i := range read {
		switch err := read[i].Err; {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !errors.Is(err, dayone.ErrNotFound):
			f.Log.Warn("somebody cannot be read for the ledger of numbers", "person", ids[i], "error", err)
			continue
		case err != nil:
			continue
		}
		when := at(i)
		if when.Before(now) {
			when = now
		}
		out[i] = people.At(&read[i].Timeline, when, now, set)
	}
	return out, nil
}
