package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/locale"
)

// todo is a task with all that has to be known to say what to do: its step, whom it is for, and what things are called.
type todo struct {
	task   dayone.Task
	row    flow.Row
	zone   *time.Location
	run    link // "" if the run is gone
	number int
	step   *dayone.StepRun // nil: the run is gone; then the task says no more than it says itself
	system string          // titles
	kind   string
	thing  string
	policy func(id string) string // what one is called; nil: as its id
	phone  string                 // the number that is theirs, where a step is about their line
	mute   bool                   // no mail system tells anybody of it
	in     *locale.Language       // of whoever reads it
}

// todos reads for a list of tasks what is behind them, each run and person once.
type todos struct {
	p      *portal
	runs   map[dayone.RunID]*dayone.Run
	people map[dayone.PersonID]flow.Row
	offers map[string]map[dayone.Key]dayone.Offer
	titles map[string]string
	kinds  map[string]string
}

func (p *portal) todos() *todos {
	return &todos{
		p: p, runs: map[dayone.RunID]*dayone.Run{}, people: map[dayone.PersonID]flow.Row{}, offers: map[string]map[dayone.Key]dayone.Offer{},
		titles: p.titles(), kinds: p.kindTitles(),
	}
}

// all puts tasks together, in their order.
func (l *todos) all(ctx context.Context, list []dayone.Task) ([]todo, error) {
	if err := l.p.know(ctx, l.people, peopleIn(list, func(t dayone.Task) dayone.PersonID { return t.Person })); err != nil {
		return nil, err
	}
	out := make([]todo, 0, len(list))
	for _, t := range list {
		d, err := l.of(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// of puts one together. What is gone is left out: a task is shown as long as it is there itself.
func (l *todos) of(ctx context.Context, t dayone.Task) (todo, error) {
	d := todo{task: t, zone: time.UTC, system: systemTitle(l.titles, t.System), mute: !l.p.flow.Mails(), policy: l.p.policyTitle}
	if err := l.p.know(ctx, l.people, []dayone.PersonID{t.Person}); err != nil {
		return d, err
	}
	d.row = l.people[t.Person]
	d.zone = l.p.zoneOf(d.row.Location)
	run, ok := l.runs[t.Run]
	if !ok {
		switch r, err := l.p.flow.RunOf(ctx, t.Run); {
		case err == nil:
			run = &r
		case fault(err) != nil:
			return d, err
		}
		l.runs[t.Run] = run
	}
	if run == nil {
		return d, nil
	}
	if t.Step == "" { // an issue of the run as a whole
		d.run, d.system = link{viewer{in: d.in}.runTitle(run.Title), "/runs/" + string(t.Run)}, ""
		return d, nil
	}
	i := slices.IndexFunc(run.Steps, func(s dayone.StepRun) bool { return s.Step.ID == t.Step })
	if i < 0 {
		return d, nil
	}
	d.step, d.number = &run.Steps[i], i+1
	d.run = link{viewer{in: d.in}.runTitle(run.Title), fmt.Sprintf("/runs/%s?step=%d#step-detail", t.Run, i+1)}
	key := d.step.Step.Key
	d.kind = kindTitle(l.kinds, key)
	var err error
	if d.thing, err = l.title(ctx, key); err != nil {
		return d, err
	}
	if key.Kind == "line" {
		own, _, err := l.p.flow.NumbersAhead(ctx, t.Person)
		if fault(err) != nil {
			return d, err
		}
		for _, n := range own {
			if n.State == dayone.NumberReserved || n.State == dayone.NumberAssigned {
				d.phone = string(n.ID)
				break
			}
		}
	}
	return d, nil
}

// title is how its system calls an entitlement.
func (l *todos) title(ctx context.Context, k dayone.Key) (string, error) {
	if k.IsAccount() || k.Name == "" {
		return k.Name, nil
	}
	offers, ok := l.offers[k.System]
	if !ok {
		var err error
		if offers, err = l.p.flow.Offers(ctx, k.System); fault(err) != nil {
			return "", err
		}
		l.offers[k.System] = offers
	}
	if o := offers[k]; o.Title != "" {
		return o.Title, nil
	}
	return k.Name, nil
}

// joins are kinds that somebody is put into; all others are given to somebody.
var joins = []string{"group", "channel", "space", "team", "queue", "list", "role", "course"}

// who is the person as systems know them: by work mail, else by name.
func (d todo) who() string {
	if d.row.Email != "" {
		return d.row.Email
	}
	return d.row.Name
}

// account is what kind of account a step is about: "Okta account", "Okta admin account".
func (d todo) account() string {
	if as := d.step.Step.Key.As; as != dayone.Personal {
		return d.in.Say("%s %s account", d.system, as)
	}
	return d.in.Say("%s account", d.system)
}

// anAccount is the account with its article, in languages that want one here.
func (d todo) anAccount() string {
	if d.in != nil {
		return d.account()
	}
	return article(d.account()) + " " + d.account()
}

// title says what to do, in one sentence.
func (d todo) title() string {
	if d.step == nil {
		return d.task.Title
	}
	name, s := d.row.Name, d.step.Step
	role := ""
	if s.Want != nil {
		role = s.Want.Role
	}
	switch {
	case slices.Contains(d.task.Ask, "adopt"):
		return d.in.Say("Is this %s that of %s?", d.account(), name)
	case d.step.Wait != nil && d.step.Wait.Kind == dayone.WaitSeat:
		return d.in.Say("Free or buy a seat in %s for %s", d.system, name)
	}
	kind := viewer{in: d.in}.kind(d.kind)
	joins, named := slices.Contains(joins, s.Key.Kind), s.Key.Name != ""
	switch s.Action {
	case dayone.AccountCreate:
		return d.in.Say("Create %s for %s", d.anAccount(), name)
	case dayone.AccountUpdate:
		return d.in.Say("Update the %s of %s", d.account(), name)
	case dayone.AccountEnable:
		return d.in.Say("Open the %s of %s", d.account(), name)
	case dayone.AccountDisable:
		return d.in.Say("Close the %s of %s", d.account(), name)
	case dayone.AccountDelete:
		return d.in.Say("Delete the %s of %s", d.account(), name)
	case dayone.AccountConfirm:
		return d.in.Say("Check the %s of %s", d.account(), name)
	case dayone.EntitlementAdd:
		switch {
		case s.Key.Kind == "order":
			return d.in.Say("Place the order for %s with %s", name, d.system)
		case !named:
			return d.in.Say("Set up the %s of %s in %s", kind, name, d.system)
		case s.Have != nil && role != "":
			return d.in.Say("Make %s %s of the %s %s in %s", d.who(), role, kind, d.thing, d.system)
		case joins && role != "":
			return d.in.Say("Add %s to the %s %s in %s as %s", d.who(), kind, d.thing, d.system, role)
		case joins:
			return d.in.Say("Add %s to the %s %s in %s", d.who(), kind, d.thing, d.system)
		case role != "":
			return d.in.Say("Give %s the %s %s in %s as %s", d.who(), kind, d.thing, d.system, role)
		default:
			return d.in.Say("Give %s the %s %s in %s", d.who(), kind, d.thing, d.system)
		}
	case dayone.EntitlementRemove:
		switch {
		case !named:
			return d.in.Say("Take back the %s of %s in %s", kind, name, d.system)
		case joins:
			return d.in.Say("Remove %s from the %s %s in %s", d.who(), kind, d.thing, d.system)
		default:
			return d.in.Say("Take the %s %s in %s from %s", kind, d.thing, d.system, d.who())
		}
	case dayone.EntitlementConfirm:
		return d.in.Say("Check the %s %s of %s in %s", kind, d.thing, name, d.system)
	case dayone.MessageSend:
		return d.in.Say("Send the message %s about %s", messageOf(s), name)
	default:
		return d.task.Title
	}
}

// article of a word: by its first letter, or by how that letter is spoken where it stands alone.
func article(s string) string {
	word, _, _ := strings.Cut(s, " ")
	vowels := "AEIOaeio"
	if word == strings.ToUpper(word) {
		vowels = "AEFHILMNORSX"
	}
	if word != "" && strings.Contains(vowels, word[:1]) {
		return "an"
	}
	return "a"
}

// instructions are what to do, line by line: all that a human needs who has only the system before them.
func (d todo) instructions() []string {
	if d.step == nil {
		return nil
	}
	var out []string
	switch s := d.step.Step; {
	case s.Key.IsAccount():
		out = append(out, d.in.Say("Name: %s", d.row.Name))
	case s.Action != dayone.MessageSend:
		out = append(out, d.in.Say("For: %s", joined(", ", d.row.Name, d.row.Email)))
	}
	out = append(out, d.facts()...)
	var asks []string
	for _, name := range d.task.Ask {
		asks = append(asks, d.in.Inside(fieldOf(name).Label))
	}
	switch {
	case slices.Contains(d.task.Ask, "adopt"):
	case len(asks) > 0:
		out = append(out, d.in.Say("When it is done, complete this task with: %s", strings.Join(asks, ", ")))
	default:
		out = append(out, d.in.Label("When it is done, complete this task"))
	}
	return out
}

// facts are what has to be entered there, and how it is to be left.
func (d todo) facts() []string {
	if d.step == nil {
		return nil
	}
	var out []string
	say := func(format string, args ...any) { out = append(out, d.in.Say(format, args...)) }
	s := d.step.Step
	attrs := dayone.Attrs{}
	if s.Want != nil {
		attrs = s.Want.Attrs.With(d.step.Asked)
	}
	if s.Action == dayone.MessageSend {
		say("To: %s", attrs["to"].String())
	}
	if s.Key.IsAccount() {
		if login := d.login(attrs); login != "" {
			say("Login: %s", login)
		}
		if d.row.Email != "" {
			say("Mail: %s", d.row.Email)
		}
	}
	if d.phone != "" {
		say("Number: %s", d.phone)
	}
	if ref := d.ref(); ref != "" {
		say("Id in %s: %s", d.system, ref)
	}
	if s.Want != nil && s.Want.Role != "" {
		say("Role: %s", s.Want.Role)
	}
	for _, n := range attrs.Names() {
		if v := attrs[n]; shown(v) && !slices.Contains(apart, n) {
			say("%s: %s", d.in.Label(attrText(n)), viewer{in: d.in}.value(v))
		}
	}
	if state := d.wanted(); state != "" {
		out = append(out, d.in.Label(state))
	}
	return out
}

// apart are attributes that other lines tell.
var apart = []string{"email", "login", "user_name", "upn", "first_name", "last_name", "name", "display_name", "to", "template", "active"}

// shown says that a value is one to be entered: no secret, and nothing that only another step will know.
func shown(v dayone.Value) bool {
	return v.Kind != dayone.SecretValue && v.Kind != dayone.TemplateValue && v.Text != ""
}

func (d todo) login(attrs dayone.Attrs) string {
	for _, n := range []string{"login", "user_name", "upn"} {
		if v := attrs[n]; shown(v) {
			return v.String()
		}
	}
	return d.row.Email
}

// ref is the id of what is there already.
func (d todo) ref() string {
	s := d.step.Step
	switch {
	case s.Have != nil && s.Have.Ref != "":
		return s.Have.Ref
	case s.Subject.Ref != "":
		return s.Subject.Ref
	case s.Account.Kind == dayone.TextValue:
		return s.Account.Text
	}
	return ""
}

// wanted says how an account is to be left.
func (d todo) wanted() string {
	s := d.step.Step
	first := viewer{zone: d.zone, now: d.task.Opened, in: d.in}.day(d.row.Starts, d.zone)
	before := first != nil && d.row.Starts.After(d.task.Opened)
	switch {
	case !s.Key.IsAccount():
		return ""
	case s.Action == dayone.AccountDelete:
		return "Delete it for good: it was closed before, and its time is over"
	case s.Action == dayone.AccountDisable:
		return "Nobody may sign in with it any more: close it, and end its sessions and tokens. Keep its data"
	case s.Want == nil || s.Action == dayone.AccountConfirm:
		return ""
	case s.Want.State == dayone.Active:
		return "Leave it open: it is to be used at once"
	case before:
		return d.in.Say("Leave it closed until the first day, %s", first.Text)
	default:
		return "Leave it closed"
	}
}

// due is when it has to be done; day says that this is a day, not an hour. A task that names no date is due when its step
// began; what is given, on the first day at the latest; what is taken, when the last day is over.
func (d todo) due() (at time.Time, day bool) {
	if !d.task.Due.IsZero() {
		return d.task.Due, false
	}
	at = d.task.Opened
	end := d.row.Starts
	if d.step != nil && d.step.Step.Action.Takes() {
		end = d.row.Ends
	}
	return latest(at, end), true
}

// days is how many days are left; negative: it is overdue.
func (d todo) days(view viewer) int {
	at, day := d.due()
	if day {
		return view.days(at, d.zone)
	}
	n := view.days(at, view.zone)
	if at.Before(view.now) {
		return min(n, -1)
	}
	return n
}

// dueStamp is when it has to be done, as somebody reads it.
func (d todo) dueStamp(view viewer) *stamp {
	at, day := d.due()
	if day {
		return view.day(at, d.zone)
	}
	return view.at(at)
}

// technical is why a human has to do it, where that is not the task itself: what the system's connector lacks.
func (d todo) technical() bool {
	return d.step != nil && d.step.Kind == dayone.ErrUnsupported.Error()
}
