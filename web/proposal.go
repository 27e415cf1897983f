package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// proposalView is what a kept version would do for everybody, and the form that approves it.
type proposalView struct {
	ID, Short string
	Author    string
	Made      *stamp
	Note      string
	Judged    judgement
	Cases     []string // separations of duties that it would violate
	Brakes    []string // limits that it is beyond
	Skipped   []string
	Mark      string // of the plan as it is shown
	Alone     bool   // its author is who looks
	May       bool   // he may approve it himself
	Notice    string
	Reason    string
	Release   string
	Problem   *notice
	InForce   bool
	Waits     *item // it is announced, and takes effect by itself

	act     *dayone.PolicyAct // that announced it
	version dayone.PolicyVersion
}

func (p *portal) proposal(w http.ResponseWriter, r *http.Request) error {
	v, _, _, err := p.proposed(r)
	if err != nil {
		return err
	}
	return p.showProposal(w, r, http.StatusOK, v)
}

func (p *portal) showProposal(w http.ResponseWriter, r *http.Request, status int, v proposalView) error {
	return p.show(w, r, status, page{
		Template: "proposal", Title: "Proposal " + v.Short, Nav: "policies", Crumbs: []link{{"Policies", "/policies"}, {"Proposal " + v.Short, ""}}, Main: v,
	})
}

// proposed plans the version of the address for everybody.
func (p *portal) proposed(r *http.Request) (proposalView, flow.Proposal, flow.Everybody, error) {
	pr, version, err := p.flow.ProposalOf(r.Context(), r.PathValue("version"))
	if err != nil {
		return proposalView{}, pr, flow.Everybody{}, err
	}
	plan, err := p.flow.PlanAll(r.Context(), pr, nil, nil)
	if err != nil {
		return proposalView{}, pr, plan, err
	}
	notice, may := p.flow.MayAlone()
	v := newProposal(p.viewerOf(r), version, plan)
	v.InForce = p.flow.Active().Hash == version.ID
	v.Alone, v.May, v.Notice = strings.EqualFold(me(r).Name, version.Author), may, hours(notice)
	waiting, err := p.flow.Waiting(r.Context())
	if err != nil {
		return v, pr, plan, err
	}
	for _, a := range waiting {
		if a.Version == version.ID {
			it := announcedItem(p.viewerOf(r), a)
			v.Waits, v.act = &it, &a
		}
	}
	return v, pr, plan, nil
}

func newProposal(view viewer, version dayone.PolicyVersion, plan flow.Everybody) proposalView {
	v := proposalView{
		ID: version.ID, Short: short12(version.ID), Author: version.Author, Made: view.at(version.Made), Note: version.Note, Judged: planned(view, plan),
		Brakes: slices.Clone(plan.Brakes), Skipped: plan.Skipped, Mark: plan.Mark(), version: version,
	}
	for i, text := range plan.Brakes {
		v.Brakes[i] = sentence(view.withKeys(view.heard(text)))
	}
	v.Cases = casesOf(plan, func(text string) string { return view.withKeys(view.heard(text)) })
	if n := len(v.Skipped); n > 5 {
		v.Skipped = append(slices.Clone(v.Skipped[:5]), fmt.Sprintf("and %d more", n-5))
	}
	return v
}

// casesOf are the separations of duties that a plan would violate, and whose.
func casesOf(plan flow.Everybody, say func(string) string) (out []string) {
	for _, c := range plan.Changes {
		for _, text := range c.Cases {
			at := max(strings.LastIndex(text, " ("), 0) // behind it stands the line of the rule
			out = append(out, c.Name+": "+say(text[:at])+text[at:])
		}
	}
	return out
}

func short12(id string) string { return id[:min(12, len(id))] }

// hours is a length of time in words.
func hours(d time.Duration) string { return viewer{}.hours(d) }

func (v viewer) hours(d time.Duration) string {
	if d%(24*time.Hour) == 0 && d > 24*time.Hour {
		return v.say("%d days", d/(24*time.Hour))
	}
	return v.plural(int(d.Round(time.Hour)/time.Hour), "1 hour", "%d hours")
}

// planned shows a plan for everybody as the editor shows what a draft means.
func planned(view viewer, plan flow.Everybody) judgement {
	var v judgement
	gain, lose, alter := 0, 0, 0
	for _, k := range plan.Keys {
		gain, lose, alter = gain+k.Gained, lose+k.Lost, alter+k.Changed
		if len(v.Shifts) == shownShifts {
			v.More++
			continue
		}
		some := strings.Join(k.First, ", ")
		if k.Gained+k.Lost+k.Changed+k.Pending > len(k.First) {
			some += ", ..."
		}
		v.Shifts = append(v.Shifts, shiftRow{
			Key: k.Key.String(), Thing: view.titled(k.Key), Gain: signed("+", k.Gained), Lose: signed("\u2212", k.Lost), Alter: signed("~", k.Changed), Ask: signed("", k.Pending), Names: some, By: strings.Join(k.By, ", "),
		})
	}
	for _, s := range plan.Policies {
		v.Moved = append(v.Moved, pair{Name: s.ID, Value: view.say("%s: gives to %s, was %s (+%s \u2212%s)", view.label(s.Change), thousands(s.After), thousands(s.Before), thousands(s.Joins), thousands(s.Leaves))})
	}
	for _, x := range plan.Seats {
		p := pair{Name: x.System + " " + x.Pool, Value: view.say("seats: %s, %s of %s are free", fmt.Sprintf("%+d", x.Needed), view.number(x.Free), view.number(x.Total))}
		if x.Short > 0 {
			p.Value = view.say("%s; %s short", p.Value, view.number(x.Short))
		}
		v.Moved = append(v.Moved, p)
	}
	for _, id := range plan.Told {
		v.Moved = append(v.Moved, pair{Name: id, Value: view.label("its messages differ: who is told, when, or with which template")})
	}
	for _, f := range plan.Files {
		mark, name, _ := strings.Cut(f, " ")
		v.Moved = append(v.Moved, pair{Name: name, Value: map[string]string{"+": "is new", "-": "is taken out", "~": "is changed"}[mark]})
	}
	if v.Summary = fmt.Sprintf("%s of %s people: %s to grant, %s to revoke, %s to change.", thousands(len(plan.Changes)), thousands(plan.People), thousands(gain), thousands(lose), thousands(alter)); len(plan.Changes) == 0 {
		v.Summary = fmt.Sprintf("Nothing changes for any of %s people.", thousands(plan.People))
	}
	return v
}

func signed(sign string, n int) string {
	if n == 0 {
		return ""
	}
	return sign + thousands(n)
}

// approveProposal puts a proposal into force as it was shown: at once, or after a notice where its author approves it.
func (p *portal) approveProposal(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	v, pr, plan, err := p.proposed(r)
	if err != nil {
		return err
	}
	v.Reason, v.Release = strings.TrimSpace(r.PostForm.Get("reason")), strings.TrimSpace(r.PostForm.Get("release"))
	var back *takeBack
	switch {
	case v.Waits != nil:
		v.Problem = &notice{Kind: "warn", Icon: "warn", Title: "It is announced already", Text: "It takes effect by itself; withdraw it first to approve it anew."}
		return p.showProposal(w, r, http.StatusConflict, v)
	case r.PostForm.Get("mark") != v.Mark:
		v.Problem = &notice{Kind: "warn", Icon: "warn", Title: "The plan is another one now", Text: "People, holdings or policies changed since you saw it. This is how it is now."}
		return p.showProposal(w, r, http.StatusConflict, v)
	case v.Alone:
		var a dayone.PolicyAct
		a, err = p.flow.ApplyAlone(r.Context(), pr, plan, me(r).Name, v.Reason, v.Release)
		back = &takeBack{Action: "/announced/" + url.PathEscape(string(a.ID)) + "/withdraw"}
	default:
		_, err = p.flow.Apply(r.Context(), pr, plan, me(r).Name, v.Reason, v.Release)
	}
	if err != nil && dayone.KindOf(err) == nil {
		return err
	}
	if err != nil {
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "It was not approved", Text: plainError(err)}
		return p.showProposal(w, r, http.StatusUnprocessableEntity, v)
	}
	said := "applied"
	if v.Alone {
		said = "announced"
	}
	p.said(w, r, "/policies", said, back)
	return nil
}

// withdraw takes an announced act back.
func (p *portal) withdraw(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.flow.Withdraw(r.Context(), r.PathValue("act"), me(r).Name, "in the portal"); err != nil {
		return err
	}
	http.Redirect(w, r, "/policies?said=withdrawn", http.StatusSeeOther)
	return nil
}

// announced are the acts whose notice is not over, for pages that everybody sees.
func (p *portal) announced(r *http.Request) ([]item, error) {
	if p.flow.Load == nil || !me(r).Scope.Whole() { // it is for everybody
		return nil, nil
	}
	waiting, err := p.flow.Waiting(r.Context())
	if err != nil {
		return nil, err
	}
	view := p.viewerOf(r)
	var out []item
	for _, a := range waiting {
		out = append(out, announcedItem(view, a))
	}
	return out, nil
}

func announcedItem(view viewer, a dayone.PolicyAct) item {
	i := item{
		State: &state{Icon: "clock", Class: "s-wait", Text: "Announced"}, Title: link{view.say("Policies %s", short12(a.Version)), "/proposals/" + a.Version},
		Meta: view.label("In force unless withdrawn, from"), At: view.at(a.Due),
		Next: view.say("%s approved it alone for %s: %s", a.Approver, view.plural(a.People, "1 person", "%d people"), cmp.Or(a.Reason, view.label("no reason"))),
		Acts: []act{{Text: "Withdraw", Action: "/announced/" + a.ID + "/withdraw"}},
	}
	if a.Release != "" {
		i.Small = view.say("It passes a limit: %s", a.Release)
	}
	return i
}

// refused are acts that did not take effect at the end of their notice, of late.
func (p *portal) refused(r *http.Request) ([]item, error) {
	acts, err := p.flow.Acts(r.Context(), 5)
	if err != nil {
		return nil, err
	}
	view := p.viewerOf(r)
	var out []item
	for _, a := range acts {
		if a.State == dayone.ActRefused && p.flow.Now().Sub(a.Ended) < refusedFor {
			out = append(out, refusedItem(view, a))
		}
	}
	return out, nil
}

func refusedItem(view viewer, a dayone.PolicyAct) item {
	return item{
		State: &state{Icon: "x", Class: "s-fail", Text: "Not put into force"}, Title: link{view.say("Policies %s", short12(a.Version)), "/proposals/" + a.Version},
		Meta: view.label("Its notice was over"), At: view.at(a.Ended), Next: sentence(view.heard(a.Why)) + ".",
	}
}

// refusedFor is how long a refusal is shown.
const refusedFor = 7 * 24 * time.Hour
