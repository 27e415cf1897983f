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
	"github.com/dayone-hq/dayone/policy"
)

// People who are in no HR system: contractors, interns, guests. Somebody who works here answers for each of them, and each has
// a last day, which whoever answers may put off. At the end everything is taken back as from everybody who leaves.

// Outsider is somebody who is entered by hand.
type Outsider struct {
	Type    string            // contractor, intern, guest, or what people.yaml knows
	Sponsor string            // mail address of who answers for her
	Start   string            // 2025-01-31; "": today
	End     string            // the last day
	Fields  map[string]string // by the names of people.yaml
	By      string
	Reason  string
}

// longestOutside is how far away the last day may be.
const longestOutside = 365

// longest in days.
func (f *Flow) longest() int { return cmp.Or(f.LongestOutside, longestOutside) }

// Faulty names the faults of a form, by its fields.
type Faulty map[string]string

func (v Faulty) Error() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		out = append(out, name+": "+v[name])
	}
	return strings.Join(out, "; ")
}

func (Faulty) Unwrap() error { return dayone.ErrInvalid }

// CheckOutsider judges what somebody typed, in the form in which it is entered, and says who may be the same person. Faulty:
// what is wrong, by field.
func (f *Flow) CheckOutsider(ctx context.Context, o Outsider) (Outsider, []dayone.Suspect, error) {
	faults := Faulty{}
	o.Type, o.Sponsor = strings.TrimSpace(o.Type), strings.ToLower(strings.TrimSpace(o.Sponsor))
	o.Start, o.End, o.Reason = strings.TrimSpace(o.Start), strings.TrimSpace(o.End), strings.TrimSpace(o.Reason)
	schema := f.Active().Schema
	fields := map[string]string{}
	for name, text := range o.Fields {
		text = strings.TrimSpace(text)
		a, known := schema.Attributes[name]
		switch {
		case text == "":
			continue
		case !known || a.Derived || slices.Contains(ownFields, name):
			faults[name] = "people.yaml has no attribute of this name that can be entered"
		default:
			if err := people.Typed(a, text); err != nil {
				faults[name] = err.Error()
			}
		}
		fields[name] = text
	}
	o.Fields = fields
	for _, name := range []string{"first_name", "last_name"} {
		if fields[name] == "" {
			faults[name] = "say how they are called"
		}
	}
	if made := schema.Attributes["email"].Made != nil; fields["email"] == "" && fields["personal_email"] == "" && !made {
		faults["email"] = "give a work address, or a personal one to which mail goes before the first day"
	}
	if sites := f.SiteNames(); fields["location"] != "" && len(sites) > 0 && !slices.Contains(sites, fields["location"]) {
		faults["location"] = "sites.yaml has no such site; it has " + strings.Join(sites, ", ")
	}
	f.enters(ctx, fields, faults)
	f.checkKind(&o, schema, faults)
	f.checkDays(&o, faults)
	if err := f.checkSponsor(ctx, &o, faults); err != nil {
		return o, nil, err
	}
	if len(faults) > 0 {
		return o, nil, faults
	}
	if fields["manager"] == "" {
		fields["manager"] = o.Sponsor
	}
	ev, err := f.eventOf(o)
	if err != nil {
		return o, nil, err
	}
	n, err := f.meet(ctx, people.Heard{Event: ev})
	n.release()
	if n.person != "" {
		n.suspects = []dayone.Suspect{{Person: n.person, Why: []string{"the same employee number"}}}
	}
	if err == nil {
		n.suspects, err = f.tellable(ctx, n.suspects)
	}
	return o, n.suspects, err
}

// BeyondRole is what whoever has a scope is told of those who may be meant and are out of it: neither who they are, nor how many.
const BeyondRole = "somebody beyond your role may be the same; a colleague whose role has no limits decides that"

// tellable are those who may be meant as whoever asks may hear of them. Who is out of scope is nobody with a name.
func (f *Flow) tellable(ctx context.Context, all []dayone.Suspect) ([]dayone.Suspect, error) {
	out, err := seen(all, func(x dayone.Suspect) (bool, error) {
		err := f.inSight(ctx, x.Person)
		return err == nil, notOf(err)
	})
	if err == nil && len(out) < len(all) {
		out = append(out, dayone.Suspect{Why: []string{BeyondRole}})
	}
	return out, err
}

// SiteNames are the sites that there are.
func (f *Flow) SiteNames() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.Active().Sites)), func(name string) bool { return name == "" })
}

// ownFields are said beside the attributes.
var ownFields = []string{"id", "status", "start_date", "end_date", "employment_type"}

// checkKind finds the employment type that is meant, as people.yaml spells it.
func (f *Flow) checkKind(o *Outsider, schema policy.Schema, faults Faulty) {
	types := OutsideTypes(schema)
	i := slices.IndexFunc(types, func(v string) bool { return strings.EqualFold(v, o.Type) })
	if i < 0 {
		faults["type"] = "say " + strings.Join(types, ", ") + "; everybody else is entered in HR"
		return
	}
	o.Type = types[i]
}

// outsideTypes are what somebody may be who is in no HR system.
var outsideTypes = []string{"Contractor", "Intern", "Guest"}

// OutsideTypes are they as people.yaml spells them. Where it knows none of them it has words of its own, and each may be meant.
func OutsideTypes(schema policy.Schema) []string {
	a, known := schema.Attributes["employment_type"]
	if !known || !a.Closed() {
		return outsideTypes
	}
	var out []string
	for _, t := range outsideTypes {
		for _, v := range a.Values {
			if strings.EqualFold(t, v) {
				out = append(out, v)
			}
		}
	}
	if len(out) == 0 {
		return a.Values
	}
	return out
}

func (f *Flow) checkDays(o *Outsider, faults Faulty) {
	now := f.Clock.Now()
	zone, _ := f.Active().SiteOf(o.Fields["location"]).Location()
	today := now.In(zone).Format(time.DateOnly)
	o.Start = cmp.Or(o.Start, today)
	start, err := time.Parse(time.DateOnly, o.Start)
	if err != nil {
		faults["start"] = "write the first day as 2025-01-31"
		return
	}
	end, err := time.Parse(time.DateOnly, o.End)
	last := start.AddDate(0, 0, f.longest())
	switch {
	case o.End == "":
		faults["end"] = "who is in no HR system has a last day; it can be put off later"
	case err != nil:
		faults["end"] = "write the last day as 2025-01-31"
	case end.Before(start):
		faults["end"] = "the last day is before the first"
	case o.End < today:
		faults["end"] = "the last day is over"
	case end.After(last):
		faults["end"] = fmt.Sprintf("that is more than %d days after the first day; %s at the latest, and it can be put off then", f.longest(), last.Format(time.DateOnly))
	}
}

func (f *Flow) checkSponsor(ctx context.Context, o *Outsider, faults Faulty) error {
	if !dayone.IsMail(o.Sponsor) {
		faults["sponsor"] = "give the mail address of somebody who works here and answers for them"
		return nil
	}
	row, err := f.colleague(ctx, o.Sponsor)
	switch {
	case errors.Is(err, dayone.ErrNotFound):
		faults["sponsor"] = "nobody here has this address"
	case err != nil:
		return err
	case row.Status != dayone.Working:
		faults["sponsor"] = "they do not work here now; name somebody who does"
	case strings.EqualFold(o.Fields["email"], o.Sponsor) || strings.EqualFold(o.Fields["personal_email"], o.Sponsor):
		faults["sponsor"] = "nobody answers for themselves"
	}
	return nil
}

// entry is what is entered of an outsider.
func (o Outsider) entry(subject string) Entry {
	fields := map[string]string{"start_date": o.Start, "end_date": o.End, "employment_type": o.Type, "sponsor": o.Sponsor}
	for name, text := range o.Fields {
		fields[name] = text
	}
	return Entry{Type: dayone.Hired, Subject: subject, Fields: fields, By: o.By, Reason: o.Reason}
}

// eventOf is the event that an outsider would become.
func (f *Flow) eventOf(o Outsider) (dayone.Event, error) {
	body, err := f.bodyOf(o.entry("new"))
	if err != nil {
		return dayone.Event{}, err
	}
	events, err := portal{}.Parse(body)
	if err != nil {
		return dayone.Event{}, err
	}
	return events[0], nil
}

// AddOutsider enters somebody who is in no HR system. If she may be known already, what comes back is held, and a human
// decides first.
func (f *Flow) AddOutsider(ctx context.Context, o Outsider) (dayone.Intake, error) {
	o, _, err := f.CheckOutsider(ctx, o)
	if err != nil {
		return dayone.Intake{}, err
	}
	return f.Enter(ctx, o.entry(f.IDs.New("out")))
}

// MayBe are those whom an entry that is held may be about, as whoever asks may hear of them. It is the question's own word:
// since somebody looked others may have come who are the same.
func (f *Flow) MayBe(ctx context.Context, in dayone.Intake) ([]dayone.Suspect, error) {
	m, asked, err := f.Store.MatchOf(ctx, in.Source, in.Subject)
	if err != nil || !asked {
		return nil, err
	}
	return f.tellable(ctx, m.Suspects)
}

// Extension puts the last day of somebody off who is in no HR system.
type Extension struct {
	Until  string // the new last day
	Of     string // mail address of who decides; "": whoever is logged in, if that is by mail address
	By     string // who was logged in
	Reason string
}

// Outside is an employment that people entered, and who answers for it now.
type Outside struct {
	Engagement dayone.Engagement
	Ends       time.Time        // the first instant after it
	Answer     []dayone.Decider // who may put its end off; nobody: nobody is found
	Latest     string           // the day until which it may be put off
	Over       bool
}

// OutsideOf is the last employment of a person that people entered. ErrNotFound: there is none.
func (f *Flow) OutsideOf(ctx context.Context, p dayone.Person) (Outside, error) {
	var out Outside
	for _, e := range p.Engagements {
		if e.Source == dayone.Portal && e.Sponsor != "" && e.LastDay >= out.Engagement.LastDay {
			out.Engagement = e
		}
	}
	if out.Engagement.ID == "" {
		return out, fmt.Errorf("%s is in an HR system, or nobody answers for them: %w", p.Name(), dayone.ErrNotFound)
	}
	zone, _ := p.Location()
	if day, err := time.ParseInLocation(time.DateOnly, out.Engagement.LastDay, zone); err == nil {
		out.Ends = day.AddDate(0, 0, 1)
	}
	now := f.Clock.Now()
	out.Over = !out.Ends.IsZero() && !now.Before(out.Ends)
	out.Latest = now.In(zone).AddDate(0, 0, f.longest()).Format(time.DateOnly)
	var err error
	out.Answer, err = f.answering(ctx, p, out.Engagement.Sponsor)
	return out, err
}

// answering are those who answer for somebody: the sponsor, who stands in, or, if she has left, her manager and so on.
func (f *Flow) answering(ctx context.Context, p dayone.Person, sponsor string) ([]dayone.Decider, error) {
	d := &directory{Flow: f, ctx: ctx, known: map[string]people.Colleague{}}
	var out []dayone.Decider
	for _, s := range people.Deciders(people.Question{
		For:  people.Colleague{Mail: strings.ToLower(p.Attrs.Text("email")), Manager: sponsor, Status: p.Status, Known: true},
		Rule: dayone.Approval{By: []string{"manager"}}, Fallback: f.Asking.Fallback,
	}, d, f.Clock.Now()) {
		for _, one := range s.Deciders {
			if one.Why == "manager" {
				one.Why = "sponsor"
			}
			one.Why = strings.Replace(one.Why, "manager, stands in", "stands in", 1)
			out = append(out, one)
		}
	}
	return out, d.err
}

// Extend puts off the last day of somebody who is in no HR system. Only who answers for her may.
func (f *Flow) Extend(ctx context.Context, id dayone.PersonID, x Extension) (dayone.Intake, error) {
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return dayone.Intake{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	o, err := f.OutsideOf(ctx, p)
	if err != nil {
		return dayone.Intake{}, err
	}
	of, err := asker(x.Of, x.By)
	until, bad := time.Parse(time.DateOnly, strings.TrimSpace(x.Until))
	x.Reason = strings.TrimSpace(x.Reason)
	var names []string
	for _, d := range o.Answer {
		names = append(names, d.Mail)
	}
	switch {
	case err != nil:
		return dayone.Intake{}, err
	case o.Over || p.Status == dayone.Left:
		return dayone.Intake{}, fmt.Errorf("%s has left; add them again: %w", p.Name(), dayone.ErrConflict)
	case of == "":
		return dayone.Intake{}, fmt.Errorf("say who puts it off: %s: %w", cmp.Or(strings.Join(names, " or "), "nobody is found who may"), dayone.ErrInvalid)
	case !slices.Contains(names, of):
		return dayone.Intake{}, fmt.Errorf("only %s may put it off, and not %s: %w", cmp.Or(strings.Join(names, " or "), "who answers for them, and nobody is found who does,"), of, dayone.ErrForbidden)
	case bad != nil:
		return dayone.Intake{}, fmt.Errorf("write the new last day as 2025-01-31: %w", dayone.ErrInvalid)
	case until.Format(time.DateOnly) <= o.Engagement.LastDay:
		return dayone.Intake{}, fmt.Errorf("the last day is %s already; name a later one: %w", o.Engagement.LastDay, dayone.ErrInvalid)
	case until.Format(time.DateOnly) > o.Latest:
		return dayone.Intake{}, fmt.Errorf("%s at the latest, which is %d days from now: %w", o.Latest, f.longest(), dayone.ErrInvalid)
	case x.Reason == "":
		return dayone.Intake{}, fmt.Errorf("say why they stay longer: %w", dayone.ErrInvalid)
	case len(x.Reason) > 2000:
		return dayone.Intake{}, fmt.Errorf("the reason is longer than 2000 characters: %w", dayone.ErrInvalid)
	}
	fields := map[string]string{"end_date": until.Format(time.DateOnly)}
	if row, err := f.Store.PersonByEmail(ctx, o.Engagement.Sponsor); err == nil && row.Status == dayone.Left {
		fields["sponsor"] = of // whoever answers in her place answers from now on
	}
	reason := x.Reason
	if x.By != "" && !strings.EqualFold(x.By, of) {
		reason += " (entered by " + x.By + ")"
	}
	return f.Enter(ctx, Entry{Type: dayone.Updated, Subject: string(o.Engagement.ID), Fields: fields, By: of, Reason: reason})
}
