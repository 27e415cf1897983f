package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// What each rule of alerts looks for. A rule answers with what it finds now: subject, person, run and a note that names
// nobody, of texts that every language has, with "; " between them. An error means that it could not look.

const (
	riskAhead = 14 * 24 * time.Hour // first days further away are not looked at
	riskSince = 3 * 24 * time.Hour  // and those longer ago: what is missing then is a run's or a task's matter
	lateSince = 90 * 24 * time.Hour // last days longer ago are only looked at while their alert is open
)

// riskyStarts finds people whose first day comes before all is there: their run is foreseen to end after it; or, from the
// threshold on, something failed, somebody is waited for, or no plan can be made.
func (f *Flow) riskyStarts(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	rows, err := f.Store.Starting(ctx, now.Add(-riskSince), now.Add(riskAhead))
	if err != nil {
		return nil, err
	}
	var out []dayone.Alert
	for some := range slices.Chunk(rows, riskAtOnce) {
		ids := make([]dayone.PersonID, 0, len(some))
		for _, row := range some {
			if row.Problem == "" {
				ids = append(ids, row.ID)
			}
		}
		days, err := f.FirstDays(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, row := range some {
			first, found := days[row.ID]
			notes, err := f.riskOf(ctx, row, first, found, r.Length, now)
			if err != nil {
				return nil, err
			}
			if len(notes) > 0 {
				out = append(out, dayone.Alert{Subject: string(row.ID), Person: row.ID, Run: first.ID, Note: strings.Join(notes, "; ")})
			}
		}
	}
	return out, nil
}

// riskAtOnce is how many starters are read together.
const riskAtOnce = 50

// riskOf says what stands between somebody and her first day.
func (f *Flow) riskOf(ctx context.Context, row Row, run First, found bool, before time.Duration, now time.Time) ([]string, error) {
	site := f.Active().SiteOf(row.Location)
	from := riskFrom(row.Starts, site)
	if before > 0 {
		from = row.Starts.Add(-before)
	}
	pressing := !now.Before(from)
	if row.Problem != "" {
		if pressing {
			return []string{"no plan can be made"}, nil
		}
		return nil, nil
	}
	if !found || run.State == dayone.RunDone && run.Away == 0 {
		return nil, nil
	}
	failed, waits := 0, []string{}
	for i := range run.Steps {
		s := &run.Steps[i]
		switch {
		case s.Step.Action == dayone.MessageSend || s.Of != "" || run.Whole:
		case s.State == dayone.StepFailed, s.State == dayone.StepBlocked:
			failed++
		case s.State == dayone.StepWaiting && s.Wait != nil && !s.Wait.Kind.There() && s.Wait.Kind != dayone.WaitPropagation:
			waits = append(waits, f.systemTitle(s.Step.Key.System))
		}
	}
	slices.Sort(waits)
	waits = slices.Compact(waits)
	var notes []string
	if !run.State.Over() && run.Started.Before(row.Starts) { // what begins with the first day ends after its start
		x, err := f.Foresee(ctx, run.Run)
		if err != nil {
			return nil, err
		}
		if !x.At.IsZero() && x.At.After(row.Starts) {
			note := fmt.Sprintf("ready by about %s, after the first day has begun", f.clockOf(x.At, site))
			if len(x.Without) > 0 {
				note = fmt.Sprintf("ready by about %s, after the first day has begun, without the wait for %s", f.clockOf(x.At, site), strings.Join(waits, ", "))
			}
			notes = append(notes, note)
		}
	}
	if pressing && failed > 0 {
		notes = append(notes, counted(failed, "1 step failed or is blocked", "%d steps failed or are blocked"))
	}
	if pressing && run.Away > 0 && !run.Under {
		notes = append(notes, counted(run.Held, "1 access was taken back and is held", "%d accesses were taken back and are held"))
	}
	if pressing && len(waits) > 0 && !run.State.Over() {
		notes = append(notes, fmt.Sprintf("it waits for %s", strings.Join(waits, ", ")))
	}
	return notes, nil
}

// riskFrom is the hour from which what is not there yet is a risk: nine on the last working day before.
func riskFrom(start time.Time, site dayone.Site) time.Time {
	zone, _ := site.Location()
	return risk(dayone.Person{Status: dayone.PreHire, Start: start.In(zone), Site: site})
}

// clockOf is an instant as people at a site read it.
func (f *Flow) clockOf(t time.Time, site dayone.Site) string {
	zone, _ := site.Location()
	return t.In(zone).Format("Mon 2 Jan 15:04 MST")
}

// counted says how many: one has no place for the number. Both are texts that a language has whole.
func counted(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// lateLeavers finds people who have left and whose accounts were to be closed for longer than they may be.
func (f *Flow) lateLeavers(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	rows, err := f.Store.LeftWithAccounts(ctx, now.Add(-lateSince), now.Add(-r.Length))
	if err != nil {
		return nil, err
	}
	open, err := f.Store.Alerts(ctx, store.AlertFilter{Open: true, Rule: r.Name})
	if err != nil {
		return nil, err
	}
	ids := make([]dayone.PersonID, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	for _, a := range open {
		ids = append(ids, a.Person)
	}
	slices.Sort(ids)
	var out []dayone.Alert
	for _, id := range slices.Compact(ids) {
		t, err := f.Store.Timeline(ctx, id)
		if errors.Is(err, dayone.ErrNotFound) {
			continue // erased
		}
		if err != nil {
			return nil, err
		}
		p := people.At(&t, now, now, f.Active())
		due := p.End
		if said := people.EndSaid(&t); said.After(due) { // HR was late, not we
			due = said
		}
		if p.Status != dayone.Left || !p.Managed || due.Add(r.Length).After(now) {
			continue
		}
		a := dayone.Alert{Subject: string(id), Person: id}
		l, err := f.Preview(ctx, id)
		if err != nil {
			if dayone.KindOf(err) == nil || errors.Is(err, dayone.ErrUnavailable) {
				return nil, err
			}
			a.Note = "no plan can be made"
			out = append(out, a)
			continue
		}
		late := map[string]bool{}
		for _, s := range l.Plan.Steps {
			if s.Key.IsAccount() && s.Action.Takes() {
				late[f.systemTitle(s.Key.System)] = true
			}
		}
		if len(late) == 0 {
			continue
		}
		if runs, err := f.Store.Runs(ctx, RunFilter{Person: id, Limit: 1}); err != nil {
			return nil, err
		} else if len(runs) > 0 {
			a.Run = runs[0].ID
		}
		a.Note = fmt.Sprintf("not confirmed closed: %s", strings.Join(slices.Sorted(maps.Keys(late)), ", "))
		out = append(out, a)
	}
	return out, nil
}

// staleAfter is how much time of working days may pass without a word of a source that says nothing else.
const staleAfter = 24 * time.Hour

// staleSources finds sources of which nothing was heard or read for too long. One that is configured anew is heard then.
func (f *Flow) staleSources(ctx context.Context, _ AlertRule, now time.Time) ([]dayone.Alert, error) {
	w := &f.watched
	w.mu.Lock()
	fresh := w.heard
	w.heard = nil
	w.mu.Unlock()
	if fresh == nil {
		fresh = map[string]time.Time{}
	}
	heard, err := f.Store.Heard(ctx)
	if err == nil {
		for name := range f.Sources {
			if _, ok := heard[name]; !ok && fresh[name].IsZero() {
				fresh[name] = now
			}
		}
		err = f.Store.KeepHeard(ctx, fresh)
	}
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		for name, at := range w.heard { // what was heard meanwhile is later
			fresh[name] = at
		}
		w.heard = fresh
		return nil, err
	}
	maps.Copy(heard, fresh)
	site := f.Active().Sites[""]
	var out []dayone.Alert
	for name, s := range f.Sources {
		if s.StaleAfter < 0 {
			continue
		}
		if at := heard[name]; !workingTime(at, cmp.Or(s.StaleAfter, staleAfter), site).After(now) {
			out = append(out, dayone.Alert{Subject: name, Note: fmt.Sprintf("last heard or read on %s", f.clockOf(at, site))})
		}
	}
	return out, nil
}

// workingTime is when so much time of working days has passed since an instant: nights count, weekends and holidays do not.
func workingTime(from time.Time, length time.Duration, site dayone.Site) time.Time {
	zone, _ := site.Location()
	t := from.In(zone)
	for {
		midnight := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, zone)
		if day := t.Weekday(); day != time.Saturday && day != time.Sunday && !slices.Contains(site.Holidays, t.Format(time.DateOnly)) {
			left := midnight.Sub(t)
			if length <= left {
				return t.Add(length)
			}
			length -= left
		}
		t = midnight
	}
}

func (f *Flow) overdueTasks(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	tasks, err := f.Store.Overdue(ctx, now.Add(-r.Length))
	var out []dayone.Alert
	for _, t := range tasks {
		due := f.clockOf(t.Due, f.Active().Sites[""])
		note := fmt.Sprintf("due on %s", due)
		if t.System != "" {
			note = fmt.Sprintf("in %s, due on %s", f.systemTitle(t.System), due)
		}
		out = append(out, dayone.Alert{Subject: string(t.ID), Person: t.Person, Run: t.Run, Note: note})
	}
	return out, err
}

// silentApprovals finds requests that nobody has answered and that soon count as refused.
func (f *Flow) silentApprovals(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	var out []dayone.Alert
	q := store.ApprovalFilter{Open: true, Live: true, Limit: 1000}
	list, err := f.Store.Approvals(ctx, q)
	for _, x := range list {
		if x.Due.IsZero() || x.Due.Add(-r.Length).After(now) {
			continue
		}
		out = append(out, dayone.Alert{Subject: string(x.ID), Person: x.Person, Run: x.Run, Note: fmt.Sprintf("%s, counts as refused from %s", f.systemTitle(x.Key.System), f.clockOf(x.Due, f.Active().Sites[""]))})
	}
	return out, err
}

// openBreakers finds systems that do not answer, and for whose sake steps wait.
func (f *Flow) openBreakers(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	st, err := f.Store.Standing(ctx, now)
	var out []dayone.Alert
	for _, c := range st.Circuits {
		if c.Down() && !c.Since.Add(r.Length).After(now) {
			out = append(out, dayone.Alert{Subject: c.System, Note: fmt.Sprintf("%s has not answered since %s", f.systemTitle(c.System), f.clockOf(c.Since, f.Active().Sites[""]))})
		}
	}
	return out, err
}

func (f *Flow) incompleteRuns(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	runs, err := f.Store.Incomplete(ctx)
	var out []dayone.Alert
	for _, x := range runs {
		if !x.Ended.Add(r.Length).After(now) {
			note := "it ended incomplete"
			if x.State == dayone.RunUndoIncomplete {
				note = "its undo ended incomplete"
			}
			out = append(out, dayone.Alert{Subject: string(x.ID), Person: x.Person, Run: x.ID, Note: note})
		}
	}
	return out, err
}

// lowDisk asks how full the database's volume is. A database elsewhere is somebody else's to watch.
func (f *Flow) lowDisk(_ context.Context, r AlertRule, _ time.Time) ([]dayone.Alert, error) {
	room := f.Room
	if room == nil {
		room = f.Store.Room
	}
	free, total, err := room()
	if errors.Is(err, dayone.ErrUnsupported) {
		return nil, nil
	}
	if err != nil || free >= uint64(r.FreeMB)<<20 && free*100 >= total*uint64(r.Percent) {
		return nil, err
	}
	return []dayone.Alert{{Subject: "database", Note: "too little room is left on the volume of the database, and without any nothing can be stored"}}, nil
}

// slipped is how far behind a clock may be before it is told of: less is put right by the machine itself, within seconds.
const slipped = 5 * time.Second

// slippedClock asks whether the machine's clock is behind what was recorded. Only a clock that does not go back knows.
func (f *Flow) slippedClock(_ context.Context, _ AlertRule, _ time.Time) ([]dayone.Alert, error) {
	c, ok := f.Clock.(interface{ Behind() time.Duration })
	if !ok || c.Behind() < slipped {
		return nil, nil
	}
	return []dayone.Alert{{Subject: "clock", Note: "it is behind what was recorded" + "; " + "from there time goes on at half its pace until it is right"}}, nil
}

func (f *Flow) brokenPolicies(ctx context.Context, _ AlertRule, _ time.Time) ([]dayone.Alert, error) {
	st, err := f.Policies(ctx)
	if err != nil || len(st.Broken) == 0 {
		return nil, err
	}
	return []dayone.Alert{{Subject: "policies", Note: counted(len(st.Broken), "1 fault in the folder, and what is in force stays", "%d faults in the folder, and what is in force stays")}}, nil
}

func (f *Flow) announcedPolicies(ctx context.Context, r AlertRule, now time.Time) ([]dayone.Alert, error) {
	if f.Load == nil {
		return nil, nil
	}
	acts, err := f.Waiting(ctx)
	var out []dayone.Alert
	for _, a := range acts {
		if a.Due.Add(-r.Length).After(now) {
			continue
		}
		out = append(out, dayone.Alert{Subject: a.ID, Note: fmt.Sprintf("version %s for %s, in force from %s unless somebody withdraws it", short(a.Version), counted(a.People, "1 person", "%d people"), f.clockOf(a.Due, f.Active().Sites[""]))})
	}
	return out, err
}
