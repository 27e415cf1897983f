package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/message"
	"github.com/dayone-hq/dayone/people"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/secret"
)

// What nobody has said of somebody who has not begun, she is asked for herself: by mail to her personal address, with a link to
// a form. It is asked again some days later, and fails nothing.

// PreHireSettings say what is asked for.
type PreHireSettings struct {
	Ask    []string // attributes of people.yaml; none: nothing is asked
	Remind int      // days until it is asked again; zero: 3
}

// linkLasts is how long after the first instant of the first day the form can be answered.
const linkLasts = 24 * time.Hour

// AskedTexts are attributes as the form and its mail call them.
var AskedTexts = map[string]string{
	"home_address": "shipping address", "mobile": "mobile number", "preferred_name": "how you want to be called", "personal_email": "personal mail address", "locale": "language",
}

// preHirePause is how long after a mail nobody is asked again by hand.
const preHirePause = time.Minute

// askedText is what one of them is called.
func askedText(name string) string {
	return cmp.Or(AskedTexts[name], strings.ReplaceAll(strings.TrimPrefix(name, "custom."), "_", " "))
}

// missing is what is to be asked of somebody. The home address is nobody's business who works in an office: parcels go there.
func (f *Flow) missing(p dayone.Person) []string {
	var out []string
	for _, name := range f.PreHire.Ask {
		a, known := f.Active().Schema.Attributes[name]
		office := name == "home_address" && strings.EqualFold(p.Attrs.Text("work_arrangement"), "office")
		if known && !a.Derived && !office && p.Attrs.Text(name) == "" {
			out = append(out, name)
		}
	}
	return out
}

func preHireToken(e dayone.EngagementID, links int) string {
	return fmt.Sprintf("prehire %s %d", e, links)
}

// askPreHire asks for what is missing, or asks again, and says when the next time is.
func (f *Flow) askPreHire(ctx context.Context, l *Look) error {
	p, now := l.Person, l.Person.At
	if len(f.PreHire.Ask) == 0 || p.Status != dayone.PreHire || !p.Managed {
		return nil
	}
	form, asked, err := f.Store.PreHire(ctx, p.Primary())
	if err != nil {
		return err
	}
	missing := f.missing(p)
	switch {
	case len(missing) == 0 && asked && form.Done.IsZero():
		form.Done, form.Next = now, time.Time{}
		return f.Store.SavePreHire(ctx, form, nil)
	case len(missing) == 0 || !f.Mails() || p.Attrs.Text("personal_email") == "":
		return nil
	case !asked:
		form = dayone.PreHireForm{Engagement: p.Primary(), Person: p.ID, Links: 1, Made: now}
	case form.Next.After(now):
		l.Want.Next = soon(l.Want.Next, form.Next)
		return nil
	}
	return f.postPreHire(ctx, &form, l)
}

// preHireLetter is the name of the last letter that asked.
func preHireLetter(form dayone.PreHireForm) string {
	return fmt.Sprintf("prehire.%s.%d", form.Engagement, form.Told)
}

// postPreHire writes the letter that asks. How often it did is in the books with it, so each of them is sent once.
func (f *Flow) postPreHire(ctx context.Context, form *dayone.PreHireForm, l *Look, records ...dayone.Record) error {
	now := l.Person.At
	form.Person, form.Mark, form.Done = l.Person.ID, secret.Mark(f.Keeper.Token(preHireToken(form.Engagement, form.Links))), time.Time{}
	form.Told++
	form.Next = now.AddDate(0, 0, cmp.Or(f.PreHire.Remind, 3))
	if form.Next.After(l.Person.Start) {
		form.Next = l.Person.Start.Add(linkLasts) // nobody is told any more
	} else {
		l.Want.Next = soon(l.Want.Next, form.Next)
	}
	body, err := json.Marshal(personLetter{Person: l.Person.ID, Engagement: form.Engagement})
	if err != nil {
		return err
	}
	if form.Told == 1 {
		records = append(records, dayone.Record{At: now, Person: l.Person.ID, What: "pre-hire form sent"})
	}
	return f.woken(f.Store.SavePreHire(ctx, *form, []dayone.Letter{{
		Once: preHireLetter(*form), Via: viaPeople, Kind: letterPreHire, About: string(form.Engagement), Body: string(body), Made: now,
	}}, records...))
}

// sayPreHire sends the letter, if something is missing still.
func (f *Flow) sayPreHire(ctx context.Context, l dayone.Letter, p dayone.Person, b personLetter) error {
	form, asked, err := f.Store.PreHire(ctx, b.Engagement)
	to, missing := p.Attrs.Text("personal_email"), f.missing(p)
	if err != nil || !asked || len(missing) == 0 || to == "" || p.Status != dayone.PreHire {
		return err
	}
	v, err := f.viewOf(ctx, p.ID)
	if err != nil {
		return err
	}
	zone, _ := p.Location()
	v.Person.First, v.Start, v.Now = cmp.Or(p.Attrs.Text("preferred_name"), p.Attrs.Text("first_name"), v.Person.First), p.Start.In(zone), v.Now.In(zone)
	v.Asks = &message.Asks{
		Again: !strings.HasSuffix(l.Once, ".1"), Until: p.Start.Add(linkLasts - time.Second).In(zone),
		Link: f.Base + "/prehire/" + f.Keeper.Token(preHireToken(form.Engagement, form.Links)),
	}
	for _, name := range missing {
		v.Asks.Names = append(v.Asks.Names, askedText(name))
	}
	return f.mail(ctx, p, "prehire", l.Once, to, v)
}

// Asked is one thing that the form asks for.
type Asked struct {
	Name, Title string
	Attribute   policy.Attribute
}

// PreHireForm is what somebody sees who opens the link.
type PreHireForm struct {
	First  string // name
	Asks   []Asked
	Starts time.Time
	Over   bool // the time to answer is over
}

func (f *Flow) formOf(ctx context.Context, token string) (PreHireForm, dayone.PreHireForm, dayone.Person, error) {
	var out PreHireForm
	form, err := f.Store.PreHireByMark(ctx, secret.Mark(token))
	if err != nil {
		return out, form, dayone.Person{}, err
	}
	t, err := f.Store.Timeline(ctx, form.Person)
	if err != nil {
		return out, form, dayone.Person{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	zone, _ := p.Location()
	out.First, out.Starts = cmp.Or(p.Attrs.Text("preferred_name"), p.Attrs.Text("first_name")), p.Start.In(zone)
	out.Over = p.Status == dayone.Left || !now.Before(p.Start.Add(linkLasts))
	for _, name := range f.missing(p) {
		out.Asks = append(out.Asks, Asked{name, askedText(name), f.Active().Schema.Attributes[name]})
	}
	return out, form, p, nil
}

// PreHireForm is what a link asks for: only what is not known, so that it shows nothing of anybody but her name. Looking at it
// changes nothing.
func (f *Flow) PreHireForm(ctx context.Context, token string) (PreHireForm, error) {
	out, _, _, err := f.formOf(ctx, token)
	return out, err
}

// AnswerPreHire takes what somebody answered. What she leaves empty stays missing, and the link goes on. Faulty: what is wrong,
// by attribute; nothing is kept then.
func (f *Flow) AnswerPreHire(ctx context.Context, token string, answers map[string]string) (PreHireForm, error) {
	out, form, _, err := f.formOf(ctx, token)
	if err != nil {
		return out, err
	}
	if out.Over {
		return out, fmt.Errorf("the time to answer is over; tell your manager: %w", dayone.ErrForbidden)
	}
	faults, fields := Faulty{}, map[string]string{}
	for _, a := range out.Asks {
		text := strings.TrimSpace(strings.ReplaceAll(answers[a.Name], "\r\n", "\n")) // as browsers send lines
		if text == "" {
			continue
		}
		if why := badAnswer(a, text); why != "" {
			faults[a.Name] = why
		}
		fields[a.Name] = text
	}
	switch {
	case len(faults) > 0:
		return out, faults
	case len(fields) == 0:
		return out, fmt.Errorf("nothing was answered; fill in at least one of them: %w", dayone.ErrInvalid)
	}
	if _, err := f.Enter(ctx, Entry{Type: dayone.Updated, Subject: string(form.Engagement), Fields: fields, By: "the pre-hire form"}); err != nil {
		return out, err
	}
	out, _, _, err = f.formOf(ctx, token)
	return out, err
}

// badAnswer says what is wrong with an answer; "": nothing.
func badAnswer(a Asked, text string) string {
	if a.Name == "home_address" && len([]rune(text)) < 10 {
		return "write street, number, postal code, town and country"
	}
	if err := people.Typed(a.Attribute, text); err != nil {
		return err.Error()
	}
	return ""
}

// PreHireState is what a manager sees of it.
type PreHireState struct {
	Missing []string // in words
	Asked   time.Time
	Told    int
	Next    time.Time // when it is asked again; zero: no more
	Mute    string    // why nobody is asked; "": somebody is
}

// PreHireOf says what is missing of somebody who has not begun. Nothing of anybody else.
func (f *Flow) PreHireOf(ctx context.Context, p dayone.Person) (PreHireState, error) {
	var out PreHireState
	if p.Status != dayone.PreHire || !p.Managed {
		return out, nil
	}
	for _, name := range f.missing(p) {
		out.Missing = append(out.Missing, askedText(name))
	}
	form, _, err := f.Store.PreHire(ctx, p.Primary())
	out.Asked, out.Told = form.Made, form.Told
	if form.Next.Before(p.Start) {
		out.Next = form.Next
	}
	switch {
	case !f.Mails():
		out.Mute = "no mail system is configured"
	case p.Attrs.Text("personal_email") == "":
		out.Mute = "no personal mail address is known"
	}
	return out, err
}

// SendPreHire asks somebody again, with a new link; the one before is dead.
func (f *Flow) SendPreHire(ctx context.Context, id dayone.PersonID, by string) (PreHireState, error) {
	defer f.lock(id)()
	t, err := f.Store.Timeline(ctx, id)
	if err != nil {
		return PreHireState{}, err
	}
	now := f.Clock.Now()
	p := people.At(&t, now, now, f.Active())
	state, err := f.PreHireOf(ctx, p)
	switch {
	case err != nil:
		return state, err
	case p.Status != dayone.PreHire:
		return state, fmt.Errorf("%s has begun already: %w", p.Name(), dayone.ErrConflict)
	case len(state.Missing) == 0:
		return state, fmt.Errorf("nothing of what is asked for is missing: %w", dayone.ErrConflict)
	case state.Mute != "":
		return state, fmt.Errorf("%s cannot be asked: %s: %w", p.Name(), state.Mute, dayone.ErrConflict)
	}
	form, asked, err := f.Store.PreHire(ctx, p.Primary())
	if err != nil {
		return state, err
	}
	if !asked {
		form = dayone.PreHireForm{Engagement: p.Primary(), Made: now}
	}
	switch last, err := f.Store.LetterMade(ctx, preHireLetter(form)); { // whoever presses twice, or eight times, means one mail
	case err != nil:
		return state, err
	case asked && now.Before(last.Add(preHirePause)):
		return state, fmt.Errorf("%s was asked less than a minute ago; wait for the mail, and ask again then: %w", p.Name(), dayone.ErrConflict)
	}
	form.Links++
	l := Look{Person: p}
	if err := f.postPreHire(ctx, &form, &l, dayone.Record{At: now, Person: id, What: "pre-hire form sent again", By: by}); err != nil {
		return state, err
	}
	if err := f.Store.SetWake(ctx, id, now); err != nil { // its next reminder is another one now
		return state, err
	}
	return f.PreHireOf(ctx, p)
}
