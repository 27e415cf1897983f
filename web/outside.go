package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// addView is the form in which somebody is entered who is in no HR system, and its confirmation.
type addView struct {
	Fields  []field
	Problem *notice
	Confirm []pair // what is entered: nothing is, until it was looked at
	Hidden  []link // name and value
	Known   []item // who may be the same person
}

// addFields are what the form asks for, in their order. API and command line take every attribute of people.yaml.
var addFields = []field{
	{Name: "type", Label: "What they are"},
	{Name: "first_name", Label: "First name", Required: true},
	{Name: "last_name", Label: "Last name", Required: true},
	{Name: "email", Label: "Work mail", Hint: "The mail address by which systems here will know them", Type: "email"},
	{Name: "personal_email", Label: "Personal mail", Hint: "Gets mail before the first day. May stay empty", Type: "email"},
	{Name: "company", Label: "Company", Hint: "Whose people they are. May stay empty"},
	{Name: "sponsor", Label: "Who answers for them", Hint: "Mail address of somebody who works here. They are told before the last day", Type: "email", Required: true},
	{Name: "start", Label: "First day", Hint: "Empty: today", Type: "date"},
	{Name: "end", Label: "Last day", Hint: "At its end all access is taken back. It can be put off later", Type: "date", Required: true},
	{Name: "location", Label: "Location"},
	{Name: "department", Label: "Department"},
	{Name: "job_title", Label: "Job title"},
	{Name: "team", Label: "Team"},
	{Name: "reason", Label: "Reason", Hint: "Goes into the record. May stay empty"},
}

// outsiderOf reads the form. Fields that are not of the form are none of its business.
func outsiderOf(r *http.Request) flow.Outsider {
	o := flow.Outsider{
		Type: r.PostFormValue("type"), Sponsor: r.PostFormValue("sponsor"), Start: r.PostFormValue("start"), End: r.PostFormValue("end"),
		Reason: r.PostFormValue("reason"), By: me(r).Name, Fields: map[string]string{},
	}
	for _, f := range addFields {
		if !slices.Contains([]string{"type", "sponsor", "start", "end", "reason"}, f.Name) {
			if v := strings.TrimSpace(r.PostFormValue(f.Name)); v != "" {
				o.Fields[f.Name] = v
			}
		}
	}
	return o
}

func (o outsiderForm) value(name string) string {
	switch name {
	case "type":
		return o.Type
	case "sponsor":
		return o.Sponsor
	case "start":
		return o.Start
	case "end":
		return o.End
	case "reason":
		return o.Reason
	}
	return o.Fields[name]
}

type outsiderForm flow.Outsider

func (p *portal) addPerson(w http.ResponseWriter, r *http.Request) error {
	return p.showAdd(w, r, http.StatusOK, newAdd(p.viewerOf(r), p.flow.Active().Schema, p.flow.SiteNames(), flow.Outsider{}, nil))
}

func (p *portal) showAdd(w http.ResponseWriter, r *http.Request, status int, v addView) error {
	return p.show(w, r, status, page{Template: "add-person", Title: "Add a person", Nav: "people", Crumbs: []link{{"People", "/people"}, {"Add a person", ""}}, Main: v})
}

// newAdd is the form as it was typed, with what is wrong at each field.
func newAdd(view viewer, schema policy.Schema, sites []string, o flow.Outsider, faults flow.Faulty) addView {
	var v addView
	left := len(faults)
	for _, f := range addFields {
		f.ID, f.Value, f.Error = "add-"+f.Name, outsiderForm(o).value(f.Name), ""
		if why, bad := faults[f.Name]; bad {
			f.Error, left = sentence(why)+".", left-1
		}
		if f.Name == "type" {
			f.Options = options(view, flow.OutsideTypes(schema), f.Value, false)
		} else if a, ok := schema.Attributes[f.Name]; ok && a.Closed() {
			f.Options = options(view, a.Values, f.Value, true)
		} else if f.Name == "location" && len(sites) > 0 {
			f.Options = options(view, sites, f.Value, true)
		}
		if f.Type == "" {
			f.Type = "text"
		}
		v.Fields = append(v.Fields, f)
	}
	if len(faults) > 0 {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: plural(len(faults), "One thing is not right", "%d things are not right"), Text: "Nothing was entered. What is wrong stands at its field."}
	}
	if left > 0 {
		v.Problem.Text = sentence(faults.Error()) + "."
	}
	return v
}

// options of a select; open ones may be left empty.
func options(view viewer, values []string, chosen string, open bool) []option {
	var out []option
	if open {
		out = append(out, option{Text: view.label("Not said"), Selected: chosen == ""})
	}
	for _, s := range values {
		out = append(out, option{Value: s, Text: s, Selected: strings.EqualFold(s, chosen)})
	}
	return out
}

// addPersonIt shows what would be entered, and enters it once that was confirmed.
func (p *portal) addPersonIt(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	o := outsiderOf(r)
	good, suspects, err := p.flow.CheckOutsider(r.Context(), o)
	var faults flow.Faulty
	switch {
	case errors.As(err, &faults):
		return p.showAdd(w, r, http.StatusUnprocessableEntity, newAdd(p.viewerOf(r), p.flow.Active().Schema, p.flow.SiteNames(), o, faults))
	case err != nil:
		return err
	case r.PostForm.Get("confirm") == "change":
		return p.showAdd(w, r, http.StatusOK, newAdd(p.viewerOf(r), p.flow.Active().Schema, p.flow.SiteNames(), o, nil))
	case r.PostForm.Get("confirm") != "yes":
		return p.showAdd(w, r, http.StatusOK, newAddConfirm(p.viewerOf(r), good, p.suspectItems(r, suspects)))
	}
	in, err := p.flow.AddOutsider(r.Context(), o)
	if err == nil && in.State == dayone.EventAsked {
		suspects, err = p.flow.MayBe(r.Context(), in)
	}
	switch {
	case err != nil:
		return err
	case in.State == dayone.EventAsked && beyond(suspects):
		http.Redirect(w, r, "/people?said=beyond", http.StatusSeeOther)
	case in.State == dayone.EventAsked:
		http.Redirect(w, r, "/matches?said=held", http.StatusSeeOther)
	case in.Person == "":
		http.Redirect(w, r, "/events", http.StatusSeeOther) // it says there why
	default:
		http.Redirect(w, r, "/people/"+string(in.Person)+"?said=added", http.StatusSeeOther)
	}
	return nil
}

func newAddConfirm(view viewer, o flow.Outsider, known []item) addView {
	v := addView{Known: known}
	for _, f := range addFields {
		if text := outsiderForm(o).value(f.Name); text != "" {
			v.Confirm = append(v.Confirm, pair{Name: f.Label, Value: dayWords(view, text)})
			v.Hidden = append(v.Hidden, link{f.Name, text})
		}
	}
	return v
}

// beyond says that somebody may be meant of whom whoever looks may not hear: she decides nothing then.
func beyond(list []dayone.Suspect) bool {
	return slices.ContainsFunc(list, func(s dayone.Suspect) bool { return s.Person == "" })
}

// nobodyNamed stands where a name would.
const nobodyNamed = "Somebody beyond your role"

// suspectItems are people who may be meant, with what speaks for each.
func (p *portal) suspectItems(r *http.Request, list []dayone.Suspect) []item {
	rows := map[dayone.PersonID]flow.Row{}
	var out []item
	for _, s := range list {
		if s.Person == "" {
			out = append(out, item{Title: link{nobodyNamed, ""}, Next: sentence(strings.Join(s.Why, "; ")) + "."})
			continue
		}
		row := p.rowOf(r, rows, s.Person)
		st := statusState(row.Status)
		it := item{State: &st, Title: link{row.Name, "/people/" + string(s.Person)}, Meta: joined(", ", row.Email, row.Title, row.Department), Next: sentence(strings.Join(s.Why, "; ")) + "."}
		if !p.endedHere(r, s.Person).IsZero() {
			it.Next += " " + textStaysEnded
		}
		out = append(out, it)
	}
	return out
}

// endedHere is since when somebody's access is ended here; zero: it is not, or that cannot be read.
func (p *portal) endedHere(r *http.Request, id dayone.PersonID) time.Time {
	since, err := p.flow.StoppedSince(r.Context(), id)
	if err != nil {
		return time.Time{}
	}
	return since
}

// extendView is where who answers for somebody puts the last day off.
type extendView struct {
	Head    personHead
	LastDay string
	Past    bool // it is over
	Sponsor string
	Answers bool // the sponsor does; else what stands below says who
	Answer  []choice
	Alone   bool // whoever looks is the only one who answers
	Until   field
	Reason  field
	Problem *notice
	Over    *notice
}

func (p *portal) extend(w http.ResponseWriter, r *http.Request) error {
	return p.showExtend(w, r, http.StatusOK, nil)
}

func (p *portal) showExtend(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	row, head, err := p.aboutPerson(r, "employment")
	if err != nil {
		return err
	}
	look, err := p.flow.Preview(r.Context(), row.ID)
	if err != nil && dayone.KindOf(err) == nil {
		return err
	}
	o, err := p.flow.OutsideOf(r.Context(), look.Person)
	if err != nil {
		return said(err, "Only the last day of somebody whom people entered is put off here. HR's is put off by HR.")
	}
	v := newExtend(p.viewerOf(r), head, o)
	v.Problem, v.Until.Value, v.Reason.Value = problem, r.PostFormValue("until"), r.PostFormValue("reason")
	for i := range v.Answer {
		v.Answer[i].Selected = v.Answer[i].Value == r.PostFormValue("of")
	}
	v.Alone = choosesAlone(v.Answer, me(r).Name, r.PostFormValue("of") == "")
	return p.show(w, r, status, page{Template: "extend", Title: "Put the last day off", Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + head.ID}, {"Last day", ""}}, Main: v})
}

func newExtend(view viewer, head personHead, o flow.Outside) extendView {
	v := extendView{
		Head: head, LastDay: dayWords(view, o.Engagement.LastDay), Past: o.Over, Sponsor: o.Engagement.Sponsor,
		Until:  field{ID: "until", Name: "until", Label: "New last day", Hint: view.say("At the latest %s", dayWords(view, o.Latest)), Type: "date", Required: true},
		Reason: field{ID: "reason", Name: "reason", Label: "Why they stay longer", Hint: "Goes into the record", Type: "text", Required: true},
	}
	instead := false
	for _, d := range o.Answer {
		v.Answer = append(v.Answer, choice{Value: d.Mail, Text: fmt.Sprintf("%s (%s)", d.Mail, view.in.Asked(d.Why))})
		instead = instead || d.Mail != o.Engagement.Sponsor
	}
	v.Answers = len(v.Answer) > 0 && !instead && !o.Over
	switch {
	case o.Over:
		v.Over = &notice{Kind: "warn", Icon: "warn", Title: "The last day is over", Text: "Add them again: they keep their name and are asked about as somebody who is known.", Act: &link{"Add a person", "/people/add"}}
	case len(v.Answer) == 0:
		v.Over = &notice{Kind: "warn", Icon: "warn", Title: "Nobody is found who answers for them", Text: "Name somebody in `approvals.fallback` of `dayone.yaml`. Until then the last day stays."}
	case instead:
		v.Problem = &notice{Kind: "warn", Icon: "info", Title: "Somebody else is asked", Text: fmt.Sprintf("%s answers for them and cannot now. Those named below decide instead.", o.Engagement.Sponsor)}
	}
	return v
}

func (p *portal) extendIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	_, err = p.flow.Extend(r.Context(), id, flow.Extension{Until: r.PostFormValue("until"), Of: r.PostFormValue("of"), By: me(r).Name, Reason: r.PostFormValue("reason")})
	switch {
	case err == nil:
		http.Redirect(w, r, "/people/"+string(id)+"?said=extended", http.StatusSeeOther)
		return nil
	case errors.Is(err, dayone.ErrInvalid), errors.Is(err, dayone.ErrForbidden), errors.Is(err, dayone.ErrConflict):
		return p.showExtend(w, r, http.StatusUnprocessableEntity, &notice{Kind: "bad", Icon: "x", Title: "The last day stays", Text: p.viewerOf(r).problem(err) + "."})
	}
	return err
}

// outsideNotices say on the page of a person that she is in no HR system, and what she is still to be asked for.
func (p *portal) outsideNotices(r *http.Request, person dayone.Person) ([]notice, error) {
	var out []notice
	o, err := p.flow.OutsideOf(r.Context(), person)
	if fault(err) != nil {
		return nil, err
	}
	if err == nil && !o.Over {
		n := notice{Icon: "info", Title: "Not in an HR system", Text: fmt.Sprintf("%s answers for them. The last day is %s.", o.Engagement.Sponsor, o.Engagement.LastDay), Act: &link{"Put it off", "/people/" + string(person.ID) + "/extend"}}
		if len(person.Engagements) > 1 {
			n.Title = "Entered by hand, beside HR"
		}
		out = append(out, n)
	}
	s, err := p.flow.PreHireOf(r.Context(), person)
	if fault(err) != nil {
		return nil, err
	}
	if err == nil && len(s.Missing) > 0 {
		out = append(out, preHireNotice(p.viewerOf(r), person.ID, s))
	}
	return out, nil
}

// The API's own words.

type apiAdded struct {
	Event    dayone.EventID    `json:"event,omitempty"`
	State    dayone.EventState `json:"state,omitempty"`
	Note     string            `json:"note,omitempty"`
	Person   dayone.PersonID   `json:"person,omitempty"`
	Run      dayone.RunID      `json:"run,omitempty"`
	Suspects []apiSuspect      `json:"suspects"`
}

type apiSuspect struct {
	Person dayone.PersonID `json:"person"`
	Name   string          `json:"name"`
	Email  string          `json:"email,omitempty"`
	Why    []string        `json:"why"`
	Ended  *time.Time      `json:"access_ended,omitempty"` // at once, here
}

func (p *portal) apiSuspects(r *http.Request, list []dayone.Suspect) []apiSuspect {
	rows, out := map[dayone.PersonID]flow.Row{}, []apiSuspect{}
	for _, s := range list {
		if s.Person == "" {
			out = append(out, apiSuspect{Name: nobodyNamed, Why: s.Why})
			continue
		}
		row := p.rowOf(r, rows, s.Person)
		out = append(out, apiSuspect{s.Person, row.Name, row.Email, s.Why, moment(p.endedHere(r, s.Person))})
	}
	return out
}

func newAPIAdded(in dayone.Intake, suspects []apiSuspect) apiAdded {
	return apiAdded{in.ID, in.State, in.Note, in.Person, in.Run, suspects}
}

func (p *portal) apiAddPerson(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Type    string            `json:"type"`
		Sponsor string            `json:"sponsor"`
		Start   string            `json:"start"`
		End     string            `json:"end"`
		Fields  map[string]string `json:"attributes"`
		Reason  string            `json:"reason"`
		Check   bool              `json:"check"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	o := flow.Outsider{Type: in.Type, Sponsor: in.Sponsor, Start: in.Start, End: in.End, Fields: in.Fields, Reason: in.Reason, By: me(r).Name}
	_, suspects, err := p.flow.CheckOutsider(r.Context(), o)
	if err != nil {
		return err
	}
	if in.Check {
		return answerJSON(w, http.StatusOK, newAPIAdded(dayone.Intake{}, p.apiSuspects(r, suspects)))
	}
	got, err := p.flow.AddOutsider(r.Context(), o)
	if err != nil {
		return err
	}
	if got.State == dayone.EventAsked {
		if suspects, err = p.flow.MayBe(r.Context(), got); err != nil {
			return err
		}
		if beyond(suspects) {
			got.Note = flow.BeyondRole
		}
	}
	return answerJSON(w, http.StatusCreated, newAPIAdded(got, p.apiSuspects(r, suspects)))
}

func (p *portal) apiExtend(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Until  string `json:"until"`
		By     string `json:"by"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	got, err := p.flow.Extend(r.Context(), id, flow.Extension{Until: in.Until, Of: in.By, By: me(r).Name, Reason: in.Reason})
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIAdded(got, []apiSuspect{}))
}
