package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
)

// Systems that nothing can call are known by lists that people bring. A list says how things were when it was made: what is
// younger than it, it says nothing of.

// SystemList is what is known of the list of a system.
type SystemList struct {
	System, Title string
	At            time.Time // of when it is; zero: none was brought yet
	Accounts      int
	Good          time.Duration // for how long it is believed
	Stale         bool
	Problem       string // why nothing can be read from it; "": it can
}

// GoodFor is for how long it is believed, as people say it.
func (l SystemList) GoodFor() string { return connector.ListState{Good: l.Good}.GoodFor() }

// Bringing is a list that somebody brings.
type Bringing struct {
	System, By string
	At         time.Time // of when it is; zero: now
	Catalogue  bool      // it is one of what the system offers
	Dry        bool      // it is only judged
	Smaller    bool      // somebody has seen that it is much smaller than the one before
}

// Brought is what a list says beside the one before, and what was done by it.
type Brought struct {
	connector.ListChange
	Done int // tasks that it shows to be done
}

// listedAt is a system as one that is known by a list.
func (f *Flow) listedAt(system string) (connector.Listed, bool) {
	g := f.Systems[system]
	if g == nil {
		return nil, false
	}
	return g.Listed()
}

// ListOf says how the list of a system stands. ErrNotFound: there is no such system. ErrUnsupported: it is read without.
func (f *Flow) ListOf(ctx context.Context, system string) (SystemList, error) {
	l, err := f.takesLists(system)
	if err != nil {
		return SystemList{}, err
	}
	out := SystemList{System: system, Title: f.systemTitle(system)}
	st, err := l.Listed(ctx)
	out.Good = st.Good
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		out.Problem = "no list of its accounts was brought yet"
	case err != nil:
		out.At, out.Problem = st.At, detailOf(err)
	default:
		out.At, out.Accounts, out.Stale = st.At, st.Accounts, st.Stale(f.Clock.Now())
	}
	return out, nil
}

func (f *Flow) takesLists(system string) (connector.Listed, error) {
	if names := f.systemNames(); !slices.Contains(names, system) {
		return nil, fmt.Errorf("there is no system %q; there are %s: %w", system, strings.Join(names, ", "), dayone.ErrNotFound)
	}
	l, ok := f.listedAt(system)
	if !ok {
		return nil, fmt.Errorf("%s takes no list; only systems with the connector manual do: %w", system, dayone.ErrUnsupported)
	}
	return l, nil
}

// Bring takes a list. What it shows to be done is booked: tasks about it are completed in the name of whoever brings it.
// ErrInvalid says where the list is wrong. ErrConflict: it is much smaller than the one before, or older.
func (f *Flow) Bring(ctx context.Context, raw []byte, b Bringing) (Brought, error) {
	var out Brought
	l, err := f.takesLists(b.System)
	if err != nil {
		return out, err
	}
	b.By = strings.TrimSpace(b.By)
	out.ListChange, err = l.Bring(ctx, raw, connector.Brought{At: b.At, Catalogue: b.Catalogue, Dry: b.Dry, Smaller: b.Smaller})
	if err != nil {
		return out, fmt.Errorf("%s: %w", detailOf(err), cmp.Or(dayone.KindOf(err), err))
	}
	if b.Dry {
		return out, nil
	}
	what := "list brought"
	if b.Catalogue {
		what = "catalogue brought"
	}
	now := f.Clock.Now()
	note := fmt.Sprintf("%d lines, %d before: %d new, %d changed, %d missing; of %s", out.Rows, out.Were, len(out.New), len(out.Changed), len(out.Missing), cmp.Or(b.At, now).UTC().Format(time.RFC3339))
	if err := f.Store.Record(ctx, dayone.Record{At: now, System: b.System, What: what, By: b.By, Detail: &dayone.Detail{Note: note}}); err != nil {
		return out, err
	}
	if err := f.pullCatalogue(ctx, b.System); err != nil {
		f.Log.Warn("what a system offers could not be read from its list", "system", b.System, "error", err)
	}
	if !b.Catalogue {
		out.Done, err = f.shownDone(ctx, b, out.ListChange)
	}
	f.look()
	return out, err
}

// shownDone completes the tasks of a system that its new list shows to be done. Whoever brings it need not be one who may
// know of everybody: nobody is told whose tasks they are.
func (f *Flow) shownDone(ctx context.Context, b Bringing, c connector.ListChange) (done int, err error) {
	all := As(ctx, dayone.Viewer{Confidential: true})
	tasks, err := f.Store.TasksAt(all, b.System)
	if err != nil {
		return 0, err
	}
	for _, t := range tasks {
		if t.Step == "" || slices.Contains(t.Ask, "adopt") {
			continue
		}
		told, ok := f.toldByList(all, t, c)
		if !ok {
			continue
		}
		switch _, err := f.CompleteTask(all, string(t.ID), b.By, told); {
		case err == nil:
			done++
		case ctx.Err() != nil:
			return done, ctx.Err()
		case dayone.KindOf(err) == nil: // no word of the list's or the engine's about this task
			return done, err
		}
	}
	return done, nil
}

// toldByList is what a list tells of a task that asks for something; false: not all of it.
func (f *Flow) toldByList(ctx context.Context, t dayone.Task, c connector.ListChange) (dayone.Attrs, bool) {
	if len(t.Ask) == 0 {
		return dayone.Attrs{}, true
	}
	r, err := f.RunOf(ctx, t.Run)
	if err != nil {
		return nil, false
	}
	s := r.Step(t.Step)
	if s == nil || s.Step.Action != dayone.AccountCreate {
		return nil, false
	}
	seen, err := f.Systems[t.System].Observe(ctx, dayone.Subject{Keys: s.Step.Subject.Keys})
	is := seen.Account()
	if err != nil || is == nil {
		return nil, false
	}
	number := is.Attrs.Text("employee_number")
	young := c.Were > 0 && slices.Contains(c.New, is.Ref) // it was not there when somebody was asked to make it
	if hers := number != "" && number == s.Step.Subject.Keys["employee_number"]; !hers && (number != "" || !young) {
		return nil, false
	}
	told := dayone.Attrs{"ref": dayone.Text(is.Ref)}
	for _, name := range t.Ask {
		if name == "ref" {
			continue
		}
		v, shown := is.Attrs[name]
		if !shown || v.Text == "" {
			return nil, false
		}
		told[name] = v
	}
	return told, true
}

// listBefore says that a list is older than a task, so that it cannot show what became of it; "": it may.
func (f *Flow) listBefore(ctx context.Context, t dayone.Task) string {
	l, ok := f.listedAt(t.System)
	if !ok {
		return ""
	}
	st, err := l.Listed(ctx)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		return "no list of its accounts was brought yet"
	case err != nil:
		return detailOf(err)
	case st.At.Before(t.Opened):
		return fmt.Sprintf("its list is of %s, before this task", f.clockOf(st.At, f.Active().Sites[""]))
	}
	return ""
}

// asListed is what a list shows, as a step is compared with it: an account that is not in it is closed, and one whose state
// it does not show is closed only if it is not in it.
func asListed(seen connector.Seen, s dayone.Step) connector.Seen {
	if s.Want == nil || !s.Key.IsAccount() {
		return seen
	}
	closes := s.Want.State == dayone.Disabled
	switch is := seen.Account(); {
	case is == nil && closes:
		seen.Items = append([]dayone.Item{{Key: s.Key, State: dayone.Disabled}}, seen.Items...)
	case is != nil && is.State == "" && closes:
		is.State = dayone.Active
	case is != nil && is.State == "":
		is.State = s.Want.State
	}
	return seen
}

// inList is the state of an account of which a list says only that it is there.
const inList = dayone.State("in the list")

// since is from when a list has to be that says what became of a leaver: from after she left, and after somebody was last
// asked to do something there.
func (f *Flow) since(ctx context.Context, p dayone.Person, system string) (time.Time, error) {
	at := p.End
	if _, ok := f.listedAt(system); !ok {
		return at, nil
	}
	tasks, err := f.Store.AllTasks(ctx, p.ID)
	for _, t := range tasks {
		if t.System == system && t.Opened.After(at) {
			at = t.Opened
		}
	}
	return at, err
}

// dated says whether a system shows how things are by now. A list that is too old does not, whatever it shows.
func (r *reading) dated(ctx context.Context, now time.Time) bool {
	l, ok := r.g.Listed()
	if !ok {
		return true
	}
	again := "somebody brings a newer list: dayone system upload " + r.out.System + " FILE"
	st, err := l.Listed(ctx)
	if errors.Is(err, dayone.ErrNotFound) {
		r.find(dayone.Unread, r.out.Title, "", "could not be checked: no list of its accounts was brought yet", again)
		return false
	}
	for _, h := range r.have {
		if _, shows := r.g.Manifest.Kinds[h.Key.Kind]; !shows && !h.Key.IsAccount() {
			r.find(dayone.Unread, h.Key.String(), "", "could not be checked: its list does not show this", "whoever works there looks")
		}
	}
	if err == nil && st.Stale(now) {
		r.find(dayone.Unread, r.out.Title, "", fmt.Sprintf("could not be checked: its list is of %s, and is believed for %s", st.At.UTC().Format("2006-01-02 15:04 UTC"), st.GoodFor()), again)
		return false
	}
	if err == nil && st.At.Before(r.since) {
		r.find(dayone.Unread, r.out.Title, "", fmt.Sprintf("could not be checked: its list is of %s, from before they left, or before the last step there began", st.At.UTC().Format("2006-01-02 15:04 UTC")), again)
		return false
	}
	return true // what else is wrong with the list reading it says
}

// detailOf is what a system says of itself in an error, without its name and the kind.
func detailOf(err error) string {
	var f *dayone.Fault
	if errors.As(err, &f) && f.Detail != "" {
		return f.Detail
	}
	text := err.Error()
	if kind := dayone.KindOf(err); kind != nil {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return text
}
