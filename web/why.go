package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

type whyView struct {
	Person  link
	Problem *notice // nothing is planned, and why
	Key     string
	Thing   string // what pages call it
	State   state
	Text    string
	Finding string
	Role    string
	Agreed  []string   // who agreed to it, where somebody had to
	Missing string     // what nobody has said, and it waits for
	Set     string     // where that is set
	Chain   []chained  // from the policy to the confirmation, if it is there
	By      []whyAlong // brought along, by each of these
	Lines   []whyLine
	Ask     string // where another access can be asked about

	given bool // a policy gives it, now, later or once it is approved
}

// whyAlong is an access that brings this one along, and why it is given itself.
type whyAlong struct {
	Link  link
	Key   string // of it, as policies write it
	Also  []link // it is brought along itself, by these
	Lines []whyLine
}

// whyLine is what one policy says about it.
type whyLine struct {
	Title, Policy, At string
	Href              string
	Does              string
	Role              string
	State             state
	Conditions        []whyCondition
	Reason            string
}

type whyCondition struct {
	Text  string
	State state
	Reads []pair
}

// why explains one access of one person: every policy that names it, each condition with the values it read.
func (p *portal) why(w http.ResponseWriter, r *http.Request) error {
	row, _, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	key, err := dayone.ParseKey(r.URL.Query().Get("key"))
	if err != nil {
		return refuse(dayone.ErrInvalid, textNoKey)
	}
	look, list, err := p.flow.Access(r.Context(), row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	x, unread := p.flow.Origins(r.Context(), row.ID, p.flow.Why(look, key))
	if unread != nil {
		return unread
	}
	v := newWhy(p.viewerOf(r), link{row.Name, "/people/" + string(row.ID)}, x)
	held, back := false, false
	for _, a := range list {
		if a.Key == key {
			held = a.Holding != nil
			back = a.State == flow.Held
			v.Chain = newReason(p.viewerOf(r), string(row.ID), a, policy.Explanation{Votes: x.Votes}).Chain
		}
	}
	if back && v.given { // the finding says until when, and who took it back
		v.State, v.Text = accessState(flow.Held), "A policy would give it, but it is held for now."
	}
	v.idle(p.viewerOf(r), look.Person.Managed, held, err)
	return p.show(w, r, http.StatusOK, page{
		Template: "why", Title: "Why " + v.Thing, Nav: "people",
		Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + string(row.ID)}, {"Why", ""}}, Main: v,
	})
}

// idle says what the answer is worth while nothing is planned for this person: policies would, but nothing comes of it.
func (v *whyView) idle(view viewer, managed, held bool, problem error) {
	switch {
	case !managed:
		v.Problem = &notice{Icon: "info", Title: "Known from an import", Text: "Nothing is planned until HR hires them, or somebody gives them products. What policies say here is what they would do then."}
	case problem != nil:
		v.Problem = unplannedNotice(view, flow.Problem(problem))
	default:
		return
	}
	if v.given && !held {
		v.State, v.Text = state{Icon: "pause", Text: "Not planned"}, "A policy would give it, but nothing is planned for this person now."
	}
}

func newWhy(view viewer, person link, x policy.Explanation) whyView {
	e, ok := explained[x.Answer]
	if !ok {
		e = explained["not given"]
	}
	v := whyView{Person: person, Key: x.Key.String(), Thing: view.titled(x.Key), State: e.state, Text: e.text, Finding: findingText(view, x.Finding), Ask: person.Href + "/why"}
	switch {
	case x.Answer == "later" && x.Grant != nil:
		v.Text = view.say("A policy gives it from %s on.", view.date(x.Grant.From).Text)
	case !x.There && (x.Answer == "given" || x.Answer == "brought along"):
		v.State = accessState(flow.ToCome)
		v.Text = view.label(v.Text) + " " + view.label("It is still to come.")
	}
	for _, a := range x.Votes {
		v.Agreed = append(v.Agreed, agreedText(view, a))
	}
	var missing []string
	for _, name := range x.Missing() {
		missing = append(missing, view.label(attrText(name)))
	}
	if len(missing) > 0 {
		if x.Answer == "unknown" { // the finding says the same
			v.Finding = ""
		}
		v.Missing, v.Set = view.say("Not known: %s. HR says it, or set it here:", strings.Join(missing, ", ")), person.Href+"/timeline"
	}
	if text := authorityTexts[x.Authority]; text != "" {
		v.Text = view.label(v.Text) + " " + sentence(view.label(text)) + "."
	}
	if x.Asked != nil {
		v.Text += fmt.Sprintf(" It was requested by %s: %s.", x.Asked.By, strings.TrimRight(x.Asked.Reason, "."))
	}
	v.By = newWhyAlong(view, v.Ask, x.By)
	v.given = x.Answer == "given" || x.Answer == "brought along" || x.Answer == "pending" || x.Answer == "later"
	if x.Grant != nil {
		v.Role = x.Grant.Role
	}
	v.Lines = newWhyLines(view, x.Lines)
	return v
}

// agreedText says who agreed, when, and who entered that where it was somebody else.
func agreedText(view viewer, a dayone.Vote) string {
	of := cmp.Or(a.Of, a.By)
	if a.Who() == of {
		return view.say("%s agreed on %s.", of, view.at(a.At).Text)
	}
	return view.say("%s agreed on %s, entered by %s.", of, view.at(a.At).Text, a.By)
}

// whoAgreed is agreedText without the time, which stands beside it.
func whoAgreed(view viewer, a dayone.Vote) string {
	of := cmp.Or(a.Of, a.By)
	if a.Who() == of {
		return of
	}
	return view.say("%s, entered by %s", of, a.By)
}

// newWhyAlong links what brings an access along to its own explanation. What brings that along is named, and explained there.
func newWhyAlong(view viewer, ask string, by []policy.Along) (out []whyAlong) {
	to := func(k dayone.Key) link { return link{view.titled(k), ask + "?key=" + url.QueryEscape(k.String())} }
	for _, a := range by {
		one := whyAlong{Link: to(a.Key), Key: a.Key.String(), Lines: newWhyLines(view, a.Lines)}
		for _, b := range a.By {
			one.Also = append(one.Also, to(b.Key))
		}
		out = append(out, one)
	}
	return out
}

func newWhyLines(view viewer, lines []policy.Line) (out []whyLine) {
	for _, l := range lines {
		line := whyLine{Title: cmp.Or(l.Title, l.Policy), Policy: l.Policy, At: l.At, Does: does[l.Does], Role: l.Role, State: truthState(l.Truth), Reason: l.Reason, Href: policyHref(dayone.Reason{Policy: l.Policy, At: l.At})}
		for _, c := range l.Conditions {
			cond := whyCondition{Text: c.Text, State: truthState(c.Truth)}
			for _, rd := range c.Reads {
				value := view.read(rd.Value)
				if !rd.Known {
					value = "not known"
				}
				value = joined(", ", value, rd.From)
				cond.Reads = append(cond.Reads, pair{Name: attrText(rd.Name), Value: value})
			}
			line.Conditions = append(line.Conditions, cond)
		}
		out = append(out, line)
	}
	return out
}
