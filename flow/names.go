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
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/store"
)

// Names: where people.yaml says how a login or an address is made and no source gives one, it is made here. What was ever
// somebody's is never somebody else's. It stays when its owner is renamed, until somebody confirms the new one (Rename),
// and comes back with whoever comes back.

// maker is the source of what we make ourselves.
const maker = policy.Ours

// strangers flags names that a source gives to one person and that are or were another's: accounts are found by them.
func (f *Flow) strangers(ctx context.Context, id dayone.PersonID, j *people.Judgement) error {
	schema := f.Active().Schema
	for i, fact := range j.Facts {
		if schema.Attributes[fact.Attr].Made == nil || fact.Bad || fact.Value.Text == "" {
			continue
		}
		switch owner, err := f.Store.NameOwner(ctx, store.Name{Attr: fact.Attr, Value: fact.Value.Text}); {
		case err != nil:
			return err
		case owner != "" && owner != id:
			j.Facts[i].Bad, j.Facts[i].Value = true, dayone.Value{}
			j.Findings = append(j.Findings, fmt.Sprintf("%s: it is or was somebody else's, and is never given twice", fact.Attr))
		}
	}
	return nil
}

// names makes the names that a person is to have and does not: facts to be kept, with what could not be made and why.
func (f *Flow) names(ctx context.Context, t *dayone.Timeline, p dayone.Person) (facts []dayone.Fact, findings []string, err error) {
	i := slices.IndexFunc(p.Engagements, func(e dayone.Engagement) bool { return e.Primary })
	if !p.Managed || p.Status == dayone.Left || i < 0 {
		return nil, nil, nil
	}
	attrs, schema := p.Attrs, f.Active().Schema
	open := slices.DeleteFunc(schema.Names(), func(name string) bool {
		return schema.Attributes[name].Made == nil || attrs.Text(name) != "" || slices.Contains(p.Unknown, name)
	})
	for progress := true; progress && len(open) > 0; { // an address may be made of the login
		progress, findings = false, nil
		for _, name := range slices.Clone(open) {
			value, why, err := f.name(ctx, t, name, *schema.Attributes[name].Made, attrs, p.Recorded)
			if err != nil {
				return nil, nil, err
			}
			if value == "" {
				findings = append(findings, why)
				continue
			}
			facts = append(facts, dayone.Fact{
				Engagement: p.Engagements[i].ID, Attr: name, Recorded: f.Clock.Now(), Value: dayone.Text(value), Source: maker, Personal: schema.Attributes[name].Personal,
			})
			attrs = attrs.With(dayone.Attrs{name: dayone.Text(value)})
			open = slices.DeleteFunc(open, func(n string) bool { return n == name })
			progress = true
		}
	}
	return facts, findings, nil
}

// name is the one that a person had before, or the first that is free. why says why there is none.
func (f *Flow) name(ctx context.Context, t *dayone.Timeline, attr string, n policy.Naming, attrs dayone.Attrs, recorded time.Time) (value, why string, err error) {
	var before *dayone.Fact
	for i := range t.Facts {
		fact := &t.Facts[i]
		if fact.Attr == attr && !fact.Bad && fact.Value.Text != "" && (before == nil || cmp.Or(fact.Effective.Compare(before.Effective), fact.Recorded.Compare(before.Recorded)) >= 0) {
			before = fact
		}
	}
	if before != nil {
		return before.Value.Text, "", nil
	}
	all, missing := people.Names(n, f.Active().Schema.Letters, attrs)
	if all == nil {
		return "", fmt.Sprintf("%s cannot be made: %s is not known", attr, missing), nil
	}
	for value := range all {
		switch free, err := f.free(ctx, t.Person, attr, value, n, recorded); {
		case err != nil:
			return "", "", err
		case free:
			return value, "", nil
		}
	}
	return "", fmt.Sprintf("%s cannot be made: every name that it may be is somebody's", attr), nil
}

// free says whether a name is nobody's, or hers. An address may be that of somebody who had it before names were kept.
func (f *Flow) free(ctx context.Context, id dayone.PersonID, attr, value string, n policy.Naming, recorded time.Time) (bool, error) {
	owner, err := f.Store.NameOwner(ctx, store.Name{Attr: attr, Value: value})
	if err != nil || owner != "" {
		return owner == id, err
	}
	if strings.Contains(value, "@") {
		switch row, err := f.Store.PersonByEmail(ctx, value); {
		case err == nil && row.ID != id, errors.Is(err, dayone.ErrConflict):
			return false, nil
		case err != nil && !errors.Is(err, dayone.ErrNotFound):
			return false, err
		}
	}
	return !f.elsewhere(ctx, n.FreeIn, attr, value, recorded), nil
}

// elsewhere says whether a system shows an account of a name. One that cannot be read speaks against no name: if it is
// taken there, the account's step is a conflict that somebody decides.
func (f *Flow) elsewhere(ctx context.Context, systems []string, attr, value string, recorded time.Time) bool {
	for _, name := range systems {
		g := f.Systems[name]
		if g == nil {
			continue
		}
		seen, err := g.Observe(ctx, dayone.Subject{Keys: map[string]string{attr: value}, Recorded: recorded})
		switch {
		case errors.Is(err, dayone.ErrConflict): // several, or an account from before
			return true
		case err != nil:
			f.Log.Warn("whether a name is free could not be asked", "system", name, "error", err)
		case seen.Account() != nil:
			return true
		}
	}
	return false
}

// named are the names that facts give.
func (f *Flow) named(facts []dayone.Fact) []store.Name {
	var out []store.Name
	for _, fact := range facts {
		if f.Active().Schema.Attributes[fact.Attr].Made != nil && !fact.Bad && fact.Value.Text != "" {
			out = append(out, store.Name{Attr: fact.Attr, Value: fact.Value.Text})
		}
	}
	return out
}

// nameless makes the names of somebody whose last event came before people.yaml said how they are made.
func (f *Flow) nameless(ctx context.Context, p dayone.Person) (bool, error) {
	if !f.lacksNames(p) {
		return false, nil
	}
	t, err := f.Store.Timeline(ctx, p.ID)
	if err != nil {
		return false, err
	}
	facts, _, err := f.names(ctx, &t, p)
	if err != nil || len(facts) == 0 {
		return false, err
	}
	return true, f.save(ctx, &t, store.Saved{Person: p.ID, Facts: facts, Names: f.named(facts)})
}

func (f *Flow) lacksNames(p dayone.Person) bool {
	schema := f.Active().Schema
	return slices.ContainsFunc(schema.Names(), func(n string) bool { return schema.Attributes[n].Made != nil && p.Attrs.Text(n) == "" })
}

// Renaming is what somebody is called now, and may be called from a day on.
type Renaming struct {
	Attr, Now, New string
}

// Renamings are the names that would be made for a person today, where they are not those that she has.
func (f *Flow) Renamings(ctx context.Context, id dayone.PersonID) ([]Renaming, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return nil, err
	}
	now := f.Clock.Now()
	return f.renamings(ctx, &t, people.At(&t, now, now, f.Active()))
}

// renamings leaves out what a source says: that is changed there.
func (f *Flow) renamings(ctx context.Context, t *dayone.Timeline, p dayone.Person) ([]Renaming, error) {
	attrs, set := p.Attrs, f.Active()
	ours := func(attr string) bool {
		return !slices.ContainsFunc(t.Facts, func(fact dayone.Fact) bool {
			return fact.Attr == attr && fact.Source != maker && fact.Source != dayone.Portal
		})
	}
	for again := true; again; { // an address may be made of the login
		again = false
		for _, attr := range set.Schema.Names() {
			made := set.Schema.Attributes[attr].Made
			if made == nil || p.Attrs.Text(attr) == "" || !ours(attr) {
				continue
			}
			value, err := f.fitting(ctx, p, attr, *made, attrs)
			if err != nil {
				return nil, err
			}
			if value != "" && value != attrs.Text(attr) {
				attrs, again = attrs.With(dayone.Attrs{attr: dayone.Text(value)}), true
			}
		}
	}
	var out []Renaming
	for _, attr := range set.Schema.Names() {
		if now, then := p.Attrs.Text(attr), attrs.Text(attr); now != then {
			out = append(out, Renaming{attr, now, then})
		}
	}
	return out, nil
}

// fitting is the first name that is free or hers already; "": none can be made.
func (f *Flow) fitting(ctx context.Context, p dayone.Person, attr string, n policy.Naming, attrs dayone.Attrs) (string, error) {
	all, _ := people.Names(n, f.Active().Schema.Letters, attrs)
	if all == nil {
		return "", nil
	}
	for value := range all {
		if value == p.Attrs.Text(attr) {
			return value, nil
		}
		switch free, err := f.free(ctx, p.ID, attr, value, n, p.Recorded); {
		case err != nil:
			return "", err
		case free:
			return value, nil
		}
	}
	return "", nil
}

// Rename gives somebody the new names from the first instant of a day on. Until then, and wherever no name was made, nothing
// changes; the old ones go to nobody else. ErrInvalid: there is nothing to be renamed, or a source says the name.
func (f *Flow) Rename(ctx context.Context, id dayone.PersonID, on, by, reason string) ([]Renaming, dayone.Intake, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return nil, dayone.Intake{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	i := slices.IndexFunc(p.Engagements, func(e dayone.Engagement) bool { return e.Primary })
	if i < 0 || p.Status == dayone.Left {
		return nil, dayone.Intake{}, fmt.Errorf("%s does not work here: %w", p.Name(), dayone.ErrInvalid)
	}
	day, err := time.Parse(time.DateOnly, on)
	if err != nil || day.Before(now.AddDate(0, 0, -1)) || day.After(now.AddDate(1, 0, 0)) {
		return nil, dayone.Intake{}, fmt.Errorf("say from which day on, today or within a year, such as %s: %w", now.AddDate(0, 0, 7).Format(time.DateOnly), dayone.ErrInvalid)
	}
	news, err := f.renamings(ctx, &t, p)
	if err != nil {
		return nil, dayone.Intake{}, err
	}
	if len(news) == 0 {
		return nil, dayone.Intake{}, fmt.Errorf("there is nothing to be renamed: what we make of the name is as it is, and what a source says is changed there: %w", dayone.ErrInvalid)
	}
	fields := map[string]string{"effective_date": on}
	for _, n := range news {
		fields[n.Attr] = n.New
	}
	in, err := f.Enter(ctx, Entry{Type: dayone.Updated, Subject: string(p.Engagements[i].ID), Fields: fields, By: by, Reason: strings.TrimSpace(reason)})
	return news, in, err
}

// renameTask begins the Once of the task that asks from when on somebody has the new names, renameAsk is what it asks.
const (
	renameTask = "rename "
	renameAsk  = "rename_on"
	keepNames  = "keep"
)

// askRename is the task that a change of somebody's name asks for; nil: none.
func (f *Flow) askRename(ctx context.Context, t *dayone.Timeline, before, p dayone.Person, h dayone.EventID) (*dayone.Task, error) {
	if !p.Managed || before.Name() == p.Name() || len(before.Engagements) == 0 || p.Status == dayone.Left {
		return nil, nil
	}
	news, err := f.renamings(ctx, t, p)
	if err != nil || len(news) == 0 {
		return nil, err
	}
	var lines []string
	for _, n := range news {
		lines = append(lines, fmt.Sprintf("%s: %s becomes %s", n.Attr, n.Now, n.New))
	}
	now := f.Clock.Now()
	return &dayone.Task{
		Person: t.Person, Once: renameTask + string(h), Title: "Confirm the new names of " + p.Name(), Ask: []string{renameAsk}, Opened: now, Due: f.workdays(now, 5, p.Site),
		Note: strings.Join(lines, "; ") + ". Agree on a day with them: from then on they sign in with the new one. The old one goes to nobody else.",
	}, nil
}

// decideRename carries out the answer.
func (f *Flow) decideRename(ctx context.Context, t dayone.Task, by string, attrs dayone.Attrs) error {
	on, note := strings.ToLower(strings.TrimSpace(attrs.Text(renameAsk))), attrs.Text("note")
	news, err := f.Renamings(ctx, t.Person)
	if err != nil {
		return err
	}
	if on != keepNames && len(news) > 0 { // else it was done, and we fell before the task was closed
		switch _, in, err := f.Rename(ctx, t.Person, on, by, note); {
		case err != nil:
			return err
		case in.State == dayone.EventQuarantined:
			return fmt.Errorf("the new names could not be entered: %s: %w", in.Note, dayone.ErrInvalid)
		}
	}
	now := f.Clock.Now()
	_, err = f.Store.ChangeTask(ctx, t.ID, func(t *dayone.Task) error {
		t.Closed, t.By, t.Attrs = now, by, attrs
		return nil
	}, dayone.Record{At: now, Person: t.Person, What: "renaming decided", By: by, Detail: &dayone.Detail{Note: strings.TrimSpace(on + " " + note)}})
	return err
}
