package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/store"
)

// Compose writes a message from the run as it stands: the engine calls it when everything else has settled.
func (f *Flow) Compose(ctx context.Context, run dayone.Run, a dayone.Act) (dayone.Act, error) {
	view, p, err := f.view(ctx, run)
	if err != nil {
		return a, err
	}
	return f.compose(ctx, run, a, view, p)
}

func (f *Flow) compose(ctx context.Context, run dayone.Run, a dayone.Act, view message.View, p dayone.Person) (dayone.Act, error) {
	for _, o := range run.Plan.Occasions {
		if !strings.Contains(a.Key.Name, "."+o.ID) || o.Moment == dayone.OnChanged && len(view.Changes) > 0 {
			continue // the changes of a move are told as those
		}
		for _, c := range o.Changes {
			view.Changes = append(view.Changes, message.Change{What: strings.ReplaceAll(c.Attr, "_", " "), Was: c.Was, Is: c.Is})
		}
	}
	var err error
	if view.Language, err = f.reads(ctx, a.Want.Attrs["to"].Items(), p); err != nil {
		return a, err
	}
	r, err := f.templates(p).Render(a.Want.Attrs.Text("template"), view)
	if err != nil {
		return a, err
	}
	want := *a.Want
	text := r.Text
	if a.Key.System == f.Mail {
		text = f.underMail(ctx, text)
	}
	want.Attrs = dayone.Attrs{"to": a.Want.Attrs["to"], "subject": dayone.Text(r.Subject()), "text": dayone.Text(text)}
	if a.Key.Kind == "invitation" {
		if want.Attrs, err = invitation(a, r, view); err != nil {
			return a, err
		}
	}
	if a.Key.System == DigestSystem {
		a.Subject.Ref = string(run.Person) // whose key it lies under
	}
	a.Want = &want
	return a, nil
}

// invitation reads when a meeting is: at a clock time of the first day, where the person works.
func invitation(a dayone.Act, r message.Rendered, v message.View) (dayone.Attrs, error) {
	clock, err := time.Parse("15:04", r.Header["start"])
	if err != nil {
		return nil, fmt.Errorf("template %s: start is %q; write 09:00: %w", a.Want.Attrs.Text("template"), r.Header["start"], dayone.ErrInvalid)
	}
	minutes, err := strconv.Atoi(cmp.Or(r.Header["minutes"], "30"))
	if err != nil || minutes < 1 || minutes > 24*60 {
		return nil, fmt.Errorf("template %s: minutes is %q: %w", a.Want.Attrs.Text("template"), r.Header["minutes"], dayone.ErrInvalid)
	}
	day := v.Start
	start := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), 0, 0, day.Location())
	return dayone.Attrs{
		"to": a.Want.Attrs["to"], "summary": dayone.Text(r.Subject()), "description": dayone.Text(r.Text), "location": dayone.Text(r.Header["location"]),
		"start": dayone.Text(start.Format(time.RFC3339)), "end": dayone.Text(start.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)),
		"zone": dayone.Text(day.Location().String()),
	}, nil
}

// view is what templates see of a run, and whom it is about.
func (f *Flow) view(ctx context.Context, run dayone.Run) (message.View, dayone.Person, error) {
	t, err := f.Store.Timeline(ctx, run.Person)
	if err != nil {
		return message.View{}, dayone.Person{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	zone, _ := p.Location()
	start := p.Start
	if start.IsZero() {
		start = now
	}
	v := message.View{
		Company: f.CompanyName(ctx), Person: human(rowOf(p), p), Start: start.In(zone), Now: now.In(zone), Site: f.helpFacts(ctx, p.Site.Facts),
		Links: message.Links{
			Log: f.Base + "/runs/" + string(run.ID), Report: f.Base + "/runs/" + string(run.ID) + "#report",
			Progress: f.Base + f.ProgressPath(p.ID), Portal: cmp.Or(p.Site.Facts["portal"], p.Site.Facts["handbook"], f.Base), // never the manager's page: it shows the code
		},
	}
	if v.Manager, err = f.known(ctx, p.Attrs.Text("manager")); err != nil {
		return v, p, err
	}
	if v.Buddy, err = f.known(ctx, p.Attrs.Text("buddy")); err != nil {
		return v, p, err
	}
	if !p.End.IsZero() {
		v.LastDay = p.End.Add(-time.Second).In(zone)
	}
	v.Laptop = laptopOf(run, p)
	v.Run = f.summary(run)
	v.Links.Secrets, err = f.secretLinks(ctx, run, v.Start)
	return v, p, err
}

func human(r store.Row, p dayone.Person) message.Human {
	h := message.Human{
		Name: r.Name, First: firstName(r.Name), Title: r.Title, Team: r.Team, Department: r.Department, Email: r.Email, Location: r.Location,
		Remote: p.Attrs.Text("work_arrangement") == "Remote",
	}
	if first := cmp.Or(p.Attrs.Text("preferred_name"), p.Attrs.Text("first_name")); first != "" {
		h.First = first
	}
	return h
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// known is a person by work mail, or somebody of whom only the address is known.
func (f *Flow) known(ctx context.Context, email string) (*message.Human, error) {
	if email == "" {
		return nil, nil
	}
	r, err := f.Store.PersonByEmail(ctx, email)
	if errors.Is(err, dayone.ErrNotFound) {
		return &message.Human{Name: email, First: email, Email: email}, nil
	}
	if err != nil {
		return nil, err
	}
	h := human(r, dayone.Person{})
	return &h, nil
}

// itemOf is the last word on a kind of thing: of this run, else of the books.
func itemOf(run dayone.Run, match func(dayone.Key) bool) *dayone.Item {
	var found *dayone.Item
	for _, h := range run.Have {
		if match(h.Key) && h.State != dayone.Gone {
			it := h.Item
			found = &it
		}
	}
	for _, s := range run.Steps {
		if match(s.Step.Key) && s.Result.Now != nil && s.Of == "" {
			found = s.Result.Now
		}
	}
	return found
}

func laptopOf(run dayone.Run, p dayone.Person) *message.Laptop {
	order := itemOf(run, func(k dayone.Key) bool { return k.Kind == "order" })
	device := itemOf(run, func(k dayone.Key) bool { return k.Kind == "device" })
	if order == nil && device == nil {
		return nil
	}
	l := &message.Laptop{Home: p.Attrs.Text("work_arrangement") == "Remote"}
	if order != nil {
		l.Model, l.Serial, l.Carrier, l.Tracking = order.Attrs.Text("model"), order.Attrs.Text("serial"), order.Attrs.Text("carrier"), order.Attrs.Text("tracking")
		if d, err := time.Parse(time.DateOnly, order.Attrs.Text("arrives")); err == nil {
			l.Arrives = d
		}
	}
	if device != nil {
		l.Serial, l.Assigned = cmp.Or(device.Attrs.Text("serial"), l.Serial), device.State == dayone.Active
	}
	return l
}

// summary counts what a run has done for a person, and what she has beside it.
func (f *Flow) summary(run dayone.Run) message.Run {
	set := f.Active()
	out := message.Run{Ready: true}
	title := func(system string) string { return cmp.Or(set.Systems[system].Title, system) }
	accounts, systems, there := map[string]bool{}, map[string]bool{}, map[dayone.Key]bool{}
	reasons := map[string]bool{}
	for _, h := range run.Have {
		if h.State != dayone.Gone {
			there[h.Key] = true
		}
	}
	out.Meetings = meetings(run)
	for _, s := range run.Steps {
		if s.Step.Action == dayone.MessageSend || s.Of != "" {
			continue
		}
		waits := s.State == dayone.StepWaiting && s.Wait != nil
		switch {
		case s.State == dayone.StepDone, waits && s.Wait.Kind.There():
			if s.Step.Want != nil {
				there[s.Step.Key] = true
			}
		case s.State == dayone.StepFailed, s.State == dayone.StepBlocked, s.State == dayone.StepUndone, s.State == dayone.StepUndoFailed:
			out.Failed = append(out.Failed, f.thing(s.Step.Key))
			out.Ready = false
		}
		if s.State == dayone.StepPending || s.State == dayone.StepRunning || s.State == dayone.StepRetrying {
			out.Open = append(out.Open, f.thing(s.Step.Key))
		}
		if waits {
			out.Waiting = append(out.Waiting, fmt.Sprintf(cmp.Or(waitsFor[s.Wait.Kind], "%s"), f.thing(s.Step.Key)))
		}
		switch done := s.State == dayone.StepDone || waits && s.Wait.Kind.There(); {
		case done && s.Step.Action.Gives():
			out.Given = append(out.Given, f.thing(s.Step.Key))
		case done && s.Step.Action.Takes():
			out.Taken = append(out.Taken, f.thing(s.Step.Key))
		}
		if s.Step.Action.Gives() {
			for _, r := range s.Step.Because {
				reasons[r.Policy] = true
			}
		}
	}
	implied := map[dayone.Key]bool{}
	for _, s := range run.Plan.Steps {
		implied[s.Key] = s.Implied
	}
	for k := range there {
		if k.IsAccount() {
			accounts[title(k.System)], systems[k.System] = true, true
		}
		if !implied[k] && k.Kind != "message" && k.Kind != "invitation" {
			out.Grants++
		}
	}
	for _, pol := range set.Policies {
		if reasons[pol.ID] {
			out.Policies = append(out.Policies, cmp.Or(pol.Title, pol.ID))
		}
	}
	out.Accounts, out.Systems = slices.Sorted(maps.Keys(accounts)), slices.Sorted(maps.Keys(systems))
	return out
}

// meetings are the invitations that a run sends, or an earlier one has sent: not those that could not go.
func meetings(run dayone.Run) (out []string) {
	for _, h := range run.Have {
		if h.Key.Kind == "invitation" && h.State != dayone.Gone {
			out = append(out, h.Key.Name)
		}
	}
	for _, s := range run.Steps {
		if s.Step.Key.Kind == "invitation" && s.Step.Want != nil && s.Of == "" && (s.State == dayone.StepDone || !s.State.Over()) {
			out = append(out, s.Step.Want.Attrs.Text("template"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// waitsFor is what a mail says of a thing that waits, below a word such as "Waiting".
var waitsFor = map[dayone.WaitKind]string{
	dayone.WaitApproval: "%s, for an approval", dayone.WaitTask: "%s, for a task to be done", dayone.WaitFirstLogin: "%s, for the first sign-in",
	dayone.WaitAcceptance: "%s, for an invitation to be accepted", dayone.WaitPropagation: "%s, until the system shows it", dayone.WaitSeat: "%s, for a free seat",
	dayone.WaitSystem: "%s, for the system to answer again",
}

// thing is a key in words: AWS permission set prod.
func (f *Flow) thing(k dayone.Key) string {
	sys := f.Active().Systems[k.System]
	return cmp.Or(sys.Title, k.System) + " " + strings.ToLower(cmp.Or(sys.Kinds[k.Kind].Title, k.Kind)) + named(k)
}

func named(k dayone.Key) string {
	if k.Name == "" {
		return ""
	}
	return " " + k.Name
}

// secretLinks are one-time links to what was made for her and nobody has opened yet: first passwords, and codes that come with
// what she was given. What this run made comes first; what an earlier one made that could not tell her is not lost.
func (f *Flow) secretLinks(ctx context.Context, run dayone.Run, start time.Time) ([]message.Secret, error) {
	var out []message.Secret
	opens := start.Add(f.OpensAt)
	add := func(l SecretLink) {
		title := l.System
		if l.Thing != "" {
			title += ": " + l.Thing
		}
		m := message.Secret{Title: title, URL: l.URL, From: l.Opens}
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	made := map[dayone.Key]bool{}
	for _, s := range run.Steps {
		if s.Step.Want == nil || s.Result.Now == nil || s.Result.Before != nil && s.Step.Have == nil { // found there, with secrets of its own
			continue
		}
		for _, name := range secretNames(s.Step.Want.Attrs) {
			made[s.Step.Key] = true
			add(f.secretLink(s.Step.Key, engine.SecretIDOf(s.Step.Once, name), opens))
		}
	}
	before := slices.DeleteFunc(slices.Clone(run.Have), func(h dayone.Holding) bool { return made[h.Key] || h.Renews() || h.State == dayone.Disabled })
	links, err := f.unopened(ctx, run.Person, before, opens)
	for _, l := range links {
		add(l)
	}
	return out, err
}

// secretNames are the attributes that nobody but the owner may read. A step has them only if it makes what was not there, or
// makes them anew.
func secretNames(attrs dayone.Attrs) []string {
	return slices.DeleteFunc(attrs.Names(), func(name string) bool { return attrs[name].Kind != dayone.SecretValue })
}

// ProgressPath is the page on which a manager follows a new hire: a path that only she is given.
func (f *Flow) ProgressPath(id dayone.PersonID) string {
	return "/progress/" + string(id) + "/" + f.Keeper.Token("progress "+string(id))
}
