package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// preHireView is the form for somebody who has not begun: made for a phone, without a login.
type preHireView struct {
	First   string
	Starts  string
	Fields  []field
	Phase   string // ask | done | over
	Thanks  bool   // something was answered just now
	Problem string
}

// preHireForm shows what is missing. Whoever only looks, such as a mail scanner, changes nothing, and learns a first name.
func (p *portal) preHireForm(w http.ResponseWriter, r *http.Request) error {
	token, err := preHireToken(r)
	if err != nil {
		return err
	}
	form, err := p.flow.PreHireForm(r.Context(), token)
	if err != nil {
		return said(err, "This link is not the latest one, or it is mistyped. Use the link in the latest mail.")
	}
	return p.showPreHire(w, r, http.StatusOK, newPreHire(p.viewerOf(r), form, nil, nil))
}

func preHireToken(r *http.Request) (string, error) {
	token := r.PathValue("token")
	if token == "" || len(token) > 128 {
		return "", dayone.ErrNotFound
	}
	return token, nil
}

func (p *portal) showPreHire(w http.ResponseWriter, r *http.Request, status int, v preHireView) error {
	return p.show(w, r, status, page{Template: "prehire", Title: "Before you start", Plain: true, Phone: true, Main: v})
}

// completes is what browsers may fill in by themselves.
var completes = map[string]string{"mobile": "tel", "home_address": "street-address", "preferred_name": "nickname", "personal_email": "email"}

var preHireHints = map[string]string{
	"mobile": "With the country code, for example +49 151 23456789", "home_address": "Street, number, postal code, town and country. Parcels go there",
	"preferred_name": "Your first name, as colleagues are to say it",
}

func newPreHire(view viewer, form flow.PreHireForm, answers map[string]string, faults flow.Faulty) preHireView {
	v := preHireView{First: form.First, Starts: view.in.Time(form.Starts, "Monday, 2 January"), Phase: "ask"}
	switch {
	case form.Over:
		v.Phase = "over"
	case len(form.Asks) == 0:
		v.Phase = "done"
	}
	for _, a := range form.Asks {
		f := field{ID: "pre-" + a.Name, Name: a.Name, Label: sentence(view.label(a.Title)), Hint: preHireHints[a.Name], Type: "text", Value: answers[a.Name], Autocomplete: completes[a.Name], Area: a.Name == "home_address"}
		switch {
		case a.Attribute.Closed():
			f.Options = options(view, a.Attribute.Values, answers[a.Name], true)
		case a.Attribute.Type == dayone.BoolValue:
			f.Options = options(view, []string{"yes", "no"}, answers[a.Name], true)
			for i := range f.Options {
				f.Options[i].Text = view.label(f.Options[i].Text)
			}
		case a.Attribute.Type == dayone.DateValue:
			f.Type = "date"
		case a.Name == "mobile":
			f.Type = "tel"
		}
		if why := faults[a.Name]; why != "" {
			f.Error = sentence(view.in.Heard(why)) + "."
		}
		v.Fields = append(v.Fields, f)
	}
	if len(faults) > 0 {
		v.Problem = view.plural(len(faults), "One answer cannot be used. Nothing was sent.", "%d answers cannot be used. Nothing was sent.")
	}
	return v
}

func (p *portal) answerPreHire(w http.ResponseWriter, r *http.Request) error {
	token, err := preHireToken(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	answers := map[string]string{}
	for name := range r.PostForm {
		answers[name] = strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n")
	}
	form, err := p.flow.AnswerPreHire(r.Context(), token, answers)
	var faults flow.Faulty
	switch {
	case err == nil:
		v := newPreHire(p.viewerOf(r), form, nil, nil)
		v.Thanks = true
		return p.showPreHire(w, r, http.StatusOK, v)
	case errors.As(err, &faults):
		return p.showPreHire(w, r, http.StatusUnprocessableEntity, newPreHire(p.viewerOf(r), form, answers, faults))
	case errors.Is(err, dayone.ErrForbidden):
		return p.showPreHire(w, r, http.StatusGone, newPreHire(p.viewerOf(r), form, nil, nil))
	case errors.Is(err, dayone.ErrInvalid):
		v := newPreHire(p.viewerOf(r), form, answers, nil)
		v.Problem = p.viewerOf(r).problem(err) + "."
		return p.showPreHire(w, r, http.StatusUnprocessableEntity, v)
	}
	return err
}

// preHireNotice says on the page of a person what they are asked for.
func preHireNotice(view viewer, id dayone.PersonID, s flow.PreHireState) notice {
	n := notice{Kind: "warn", Icon: "clock", Title: "Missing before the first day: " + strings.Join(s.Missing, ", ")}
	switch {
	case s.Mute != "":
		n.Text = "They cannot be asked: " + s.Mute + "."
	case s.Told == 0:
		n.Text = "They are asked by mail."
	default:
		n.Text = fmt.Sprintf("They were asked by mail %s.", plural(s.Told, "once", "%d times"))
		if at := view.at(s.Next); at != nil {
			n.Text += " They are asked again on " + at.Text + "."
		}
	}
	if s.Mute == "" {
		n.Act = &link{"Ask again", "/people/" + string(id) + "/prehire"}
	}
	return n
}

// preHireAgainView asks before a new link is sent.
type preHireAgainView struct {
	Head    personHead
	Missing string
	Problem *notice
}

func (p *portal) preHireAgain(w http.ResponseWriter, r *http.Request) error {
	return p.showPreHireAgain(w, r, http.StatusOK, nil)
}

func (p *portal) showPreHireAgain(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	look, err := p.flow.Preview(r.Context(), row.ID)
	if err != nil && dayone.KindOf(err) == nil {
		return err
	}
	s, err := p.flow.PreHireOf(r.Context(), look.Person)
	if err != nil {
		return err
	}
	v := preHireAgainView{Head: head, Missing: strings.Join(s.Missing, ", "), Problem: problem}
	return p.show(w, r, status, page{Template: "prehire-again", Title: "Ask again", Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + head.ID}, {"Ask again", ""}}, Main: v})
}

func (p *portal) preHireAgainIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	_, err = p.flow.SendPreHire(r.Context(), id, me(r).Name)
	switch {
	case err == nil:
		http.Redirect(w, r, "/people/"+string(id)+"?said=asked-again", http.StatusSeeOther)
		return nil
	case errors.Is(err, dayone.ErrConflict):
		return p.showPreHireAgain(w, r, http.StatusConflict, &notice{Kind: "bad", Icon: "x", Title: "Nobody was asked", Text: p.viewerOf(r).problem(err) + "."})
	}
	return err
}

type apiPreHire struct {
	Missing []string   `json:"missing"`
	Asked   *time.Time `json:"asked,omitempty"`
	Told    int        `json:"told"`
	Next    *time.Time `json:"next,omitempty"`
	Mute    string     `json:"cannot_be_asked,omitempty"`
}

func newAPIPreHire(s flow.PreHireState) apiPreHire {
	if s.Missing == nil {
		s.Missing = []string{}
	}
	return apiPreHire{s.Missing, moment(s.Asked), s.Told, moment(s.Next), s.Mute}
}

func (p *portal) apiPreHire(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	look, err := p.flow.Preview(r.Context(), id)
	if err != nil {
		return err
	}
	s, err := p.flow.PreHireOf(r.Context(), look.Person)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIPreHire(s))
}

func (p *portal) apiSendPreHire(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	s, err := p.flow.SendPreHire(r.Context(), id, me(r).Name)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIPreHire(s))
}
