package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/planner"
)

// What would happen, before anything does: the plan as a picture and as a list, who has to agree, what stands against it, and
// what the person is going to read.

type onboardPreviewView struct {
	Head     personHead
	Steps    []wizardStep
	Sentence string
	Figures  []figure
	Notices  []notice
	Known    []string // what else is to be known of the plan, as a run says it
	Problem  *notice
	Picked   []item
	Agree    []item // what somebody has to agree to first
	Rows     []doing
	Graph    graphView
	Usual    bool   // how long steps take is known of some
	Path     []link // the steps on which the finish hangs, in order
	Later    []item
	Mails    []letterView // what she is going to read
	NoMail   string       // why there is none
	Told     []item       // who else is told
	Numbers  []item       // telephone numbers that are theirs, or the one that assigning would give
	Hidden   []link       // what the form carries
	Action   string
	Back     string
	By       field
	Reason   field
	Until    field
	Asks     bool   // something is asked for: by whom, what for, until when
	Start    string // what the button says; "": there is nothing to start
	Done     string // where to look instead
}

// doing is one step that would be done: a row of the list that says the same as the picture.
type doing struct {
	Number             int
	System, Text, Note string
	Needs              []int
	Usually            string
	Critical           bool
	Task               *state // nothing does it by itself
	By                 string // who does it then, and what
}

// letterView is a message as it would read.
type letterView struct {
	ID, Subject, To string
	Lines           []mailLine
	Problem         string // why it cannot be written
	Message         string // where the message is mended
}

// picks are the products of a form or address.
func picks(r *http.Request) []string {
	_ = r.ParseForm()
	return slices.DeleteFunc(slices.Clone(r.Form["product"]), func(s string) bool { return strings.TrimSpace(s) == "" })
}

func wizardHref(person, page string, products []string) string {
	return address("/onboard/"+person+page, map[bool]url.Values{true: {"product": products}}[len(products) > 0])
}

func (p *portal) onboardPreview(w http.ResponseWriter, r *http.Request) error {
	return p.showPreview(w, r, http.StatusOK, nil)
}

func (p *portal) showPreview(w http.ResponseWriter, r *http.Request, status int, problem *notice) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	products := picks(r)
	pv, err := p.flow.PreviewPick(r.Context(), flow.Pick{Person: row.ID, Products: products, Login: me(r).Name})
	var v onboardPreviewView
	switch {
	case errors.Is(err, dayone.ErrForbidden), errors.Is(err, dayone.ErrNotFound), errors.Is(err, dayone.ErrInvalid):
		status = http.StatusConflict
		back := wizardHref(head.ID, "", products)
		v = onboardPreviewView{Head: head, Steps: wizard(2, "/onboard", back), Back: back, Problem: &notice{Kind: "bad", Icon: "x", Title: "This cannot be given", Text: p.viewerOf(r).problem(err) + "."}}
	case err != nil:
		return err
	default:
		v = newOnboardPreview(p.viewerOf(r), head, pv, products, p.titles(), p.kindTitles(), func(id string) string { return p.productTitle(id) })
		told, err := p.flow.Foretell(r.Context(), pv.Look)
		if err != nil {
			return err
		}
		v.letters(p.viewerOf(r), told, p.flow.Mails())
		if v.Numbers, err = p.numbersAhead(r, row.ID, true); err != nil {
			return err
		}
		if !p.shows(r, "GET /settings/templates/{name}") {
			for i := range v.Mails {
				v.Mails[i].Message = ""
			}
		}
		v.warned(p.viewerOf(r), p.flow.Warnings(pv.Look))
		if v.Done != "" && problem == nil {
			if err := p.begun(r, row.ID, &v); err != nil {
				return err
			}
		}
		v.Problem, v.By.Value, v.Reason.Value, v.Until.Value = problem, r.PostFormValue("by"), r.PostFormValue("reason"), r.PostFormValue("until")
	}
	return p.show(w, r, status, page{Template: "onboard-preview", Title: "Plan for " + row.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {row.Name, "/onboard/" + head.ID}, {"Preview", ""}}, Main: v})
}

// begun says of a page of the wizard that was left, and is looked at again, that it was started, and where that goes on.
func (p *portal) begun(r *http.Request, id dayone.PersonID, v *onboardPreviewView) error {
	f := runsUnderWay(1)
	f.Person = id
	runs, err := p.flow.Runs(r.Context(), f)
	if err != nil || len(runs) == 0 {
		return err
	}
	v.Notices = slices.Insert(v.Notices, 0, notice{Icon: "run", Title: "It was started", Text: "Nothing is left to start here.", Act: &link{"Open the run", "/runs/" + string(runs[0].ID)}})
	return nil
}

func newOnboardPreview(view viewer, head personHead, pv flow.PickPreview, products []string, titles, kinds map[string]string, product func(string) string) onboardPreviewView {
	back := wizardHref(head.ID, "", products)
	v := onboardPreviewView{
		Head: head, Steps: wizard(2, "/onboard", back), Back: back, Action: "/onboard/" + head.ID, Hidden: []link{{"plan", pv.Hash}},
		By:     field{ID: "by", Name: "by", Label: "Who asks", Hint: "Mail address of whoever wants it: they do not decide about it. May stay empty. Who is logged in is recorded beside it", Type: "email"},
		Reason: field{ID: "reason", Name: "reason", Label: "What it is needed for", Hint: "Whoever has to agree reads it, and so does the auditor", Required: true, Type: "text"},
		Until:  field{ID: "until", Name: "until", Label: "Until", Hint: "The last day on which it is needed. May stay empty", Type: "date"},
	}
	for _, id := range products {
		v.Hidden = append(v.Hidden, link{"product", id})
	}
	v.steps(view, pv, titles, kinds)
	v.agreements(view, pv, titles, kinds)
	v.figures(view, pv)
	v.against(view, pv, titles, product)
	for _, x := range pv.Picked {
		it := item{Title: link{Text: x.Title}, Meta: x.Description}
		if who := view.agrees(x.Approvals); who != "" {
			it.Next = view.say("Given once agreed by %s.", who)
		}
		v.Picked = append(v.Picked, it)
	}
	for _, g := range pv.Look.Want.Later {
		v.Later = append(v.Later, item{Title: link{view.access(titles, kinds, g.Key), whyHref(head.ID, g.Key)}, At: view.date(g.From)})
	}
	managed := pv.Now.Person.Managed
	switch {
	case len(pv.Needs) > 0:
	case len(pv.Picked) > 0 && !managed:
		v.Asks, v.Start = true, plural(len(pv.Picked), "Start onboarding and request 1 product", "Start onboarding and request %d products")
	case len(pv.Picked) > 0:
		v.Asks, v.Start = true, plural(len(pv.Picked), "Start: request 1 product", "Start: request %d products")
	case !managed:
		v.Start = "Start onboarding"
	default:
		v.Done = "/onboard/" + head.ID + "/result"
	}
	if !managed {
		v.Hidden = append(v.Hidden, link{"manage", "yes"})
	}
	v.Sentence = view.plural(len(v.Rows), "1 step now", "%d steps now")
	if n := len(v.Later); n > 0 {
		v.Sentence += ", " + view.plural(n, "1 later", "%d later")
	}
	v.Sentence += "."
	if v.Done == "" { // else there is nothing to start: what comes is under way, or comes by itself
		v.Sentence += " " + view.label("Nothing has been changed yet.")
	}
	return v
}

// steps are the plan as a picture, and as the list that says the same in words.
func (v *onboardPreviewView) steps(view viewer, pv flow.PickPreview, titles, kinds map[string]string) {
	plan := pv.Look.Plan
	run := dayone.Run{Plan: plan}
	for _, s := range plan.Steps {
		run.Steps = append(run.Steps, dayone.StepRun{Step: s})
	}
	b := newBoard(board{run: run, view: view, titles: titles, kinds: kinds, pace: pv.Pace, rows: true})
	marks := make(map[dayone.StepID]planner.Mark, len(plan.Steps))
	critical := map[dayone.StepID]bool{}
	for _, id := range b.graph.Critical {
		critical[id] = true
	}
	for i, s := range plan.Steps {
		d := doing{Number: i + 1, System: systemTitle(titles, s.Key.System), Text: b.title(s), Critical: critical[s.ID]}
		if usual := b.usual(s).Median; usual > 0 {
			d.Usually, v.Usual = view.took(usual), true
		}
		marks[s.ID] = planner.Mark{Look: planner.LookPending, Text: view.label("Planned")}
		if s.Approval != nil {
			d.Note = view.say("once agreed by %s", view.agrees([]dayone.Approval{*s.Approval}))
			marks[s.ID] = planner.Mark{Look: planner.LookApproval, Text: view.label("Planned") + ", " + d.Note}
		}
		if s.Action == dayone.MessageSend {
			d.Note = "once all the rest is settled"
			v.Rows = append(v.Rows, d)
			continue
		}
		if h, people := pv.Handed[s.ID]; people {
			d.Task, d.By = &taskState, handedText(view, h)
			if s.Approval == nil {
				marks[s.ID] = planner.Mark{Look: planner.LookTask, Text: view.label("Planned") + ", " + view.label("opens a task")}
			}
		}
		for _, n := range s.Needs {
			if j, ok := b.index[n.Step]; ok {
				d.Needs = append(d.Needs, j+1)
			}
		}
		slices.Sort(d.Needs)
		v.Rows = append(v.Rows, d)
	}
	if len(plan.Steps) == 0 {
		return
	}
	v.Graph = graphView{SVG: safeSVG(planner.SVG(b.graph, marks)), Path: len(b.graph.Critical) > 0}
	for _, id := range b.graph.Critical {
		d := v.Rows[b.index[id]]
		v.Path = append(v.Path, link{d.System + ": " + view.within(d.Text), "#plan-" + strconv.Itoa(d.Number)})
	}
	for i, s := range plan.Steps { // no machine is as slow as somebody who is asked to do it: the mails wait for them
		if _, people := pv.Handed[s.ID]; people && s.Approval == nil && s.Action != dayone.MessageSend && !critical[s.ID] {
			d := v.Rows[i]
			v.Path = []link{{d.System + ": " + view.within(d.Text), "#plan-" + strconv.Itoa(d.Number)}}
			break
		}
	}
}

// numbersAhead are somebody's telephone numbers; with next, also the one that she would be given who has none.
func (p *portal) numbersAhead(r *http.Request, id dayone.PersonID, next bool) (out []item, err error) {
	view := p.viewerOf(r)
	own, given, err := p.flow.NumbersAhead(r.Context(), id)
	for _, n := range own {
		out = append(out, personNumber(view, n))
	}
	if next && given != nil {
		out = append(out, nextNumber(view, *given))
	}
	return out, err
}

// nextNumber is the number that assigning one would give now.
func nextNumber(view viewer, n flow.NumberGiven) item {
	st := numberState(n.State)
	return item{
		Title: link{string(n.ID), "/numbers/" + url.PathEscape(string(n.ID))}, State: &st, Meta: cmp.Or(n.Title, view.say("Pool %s", n.Pool)),
		Next: view.say("Whoever assigns a number to them gives this one: %s.", view.heard(n.Why)),
	}
}

// agreements are what somebody is asked about before it is given.
func (v *onboardPreviewView) agreements(view viewer, pv flow.PickPreview, titles, kinds map[string]string) {
	for _, g := range pv.Pending {
		if g.Approval == nil {
			continue
		}
		v.Agree = append(v.Agree, item{
			State: &state{Icon: "hand", Class: "s-wait", Text: "Needs approval"}, Title: link{view.access(titles, kinds, g.Key), whyHref(v.Head.ID, g.Key)},
			Next: view.say("Asks %s. Everything else goes on meanwhile.", view.agrees([]dayone.Approval{*g.Approval})),
		})
	}
}

// letters are what is said to whom: to her in full, to others in a line.
func (v *onboardPreviewView) letters(view viewer, told []flow.Foretold, mails bool) {
	for _, m := range told {
		to := strings.Join(m.To, ", ")
		if m.Hers && m.Key.Kind != "invitation" {
			v.Mails = append(v.Mails, letterView{ID: "letter-" + strconv.Itoa(len(v.Mails)+1), Subject: cmp.Or(m.Subject, m.Key.Name), To: to, Lines: mailLines(m.Text)})
			if l := &v.Mails[len(v.Mails)-1]; m.Problem != "" {
				l.Problem, l.Message = sentence(view.heard(m.Problem))+".", "/settings/templates/"+url.PathEscape(m.Key.Name)
			}
			continue
		}
		it := item{State: &state{Icon: "mail", Text: "Message"}, Title: link{Text: m.Subject}, Meta: view.say("to %s", to)}
		if m.Key.Kind == "invitation" {
			it.State = &state{Icon: "calendar", Text: "Invitation"}
		}
		if m.Subject == "" {
			it.Title.Text = m.Key.Name
		}
		if m.Problem != "" {
			it.Next = sentence(view.heard(m.Problem)) + "."
		}
		v.Told = append(v.Told, it)
	}
	switch {
	case len(v.Mails) > 0:
	case !mails:
		v.NoMail = "No mail system is configured, so nothing is sent. messages.mail of the configuration names it."
	case len(v.Rows) == 0:
		v.NoMail = "Nothing is done now, so nothing is written now."
	default:
		v.NoMail = "No policy has this plan write to them now. A mail that is to come at a day of its own comes then."
	}
}

// warned says beforehand what nobody is to find out on the first morning.
func (v *onboardPreviewView) warned(view viewer, list []flow.Warning) {
	for _, w := range list {
		v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: view.label(w.Title), Text: view.heard(w.Text)})
	}
}

func (v *onboardPreviewView) figures(view viewer, pv flow.PickPreview) {
	finish := figure{Label: "Predicted finish", Value: view.label("unknown"), Small: view.label("too few runs before")}
	if f := pv.Forecast; !f.At.IsZero() {
		now := pv.Look.Person.At
		finish.Value, finish.At, finish.Small = "", view.clock(f.At), view.say("in %s", view.span(f.Early.Sub(now), f.At.Sub(now), f.Late.Sub(now)))
		if len(f.Without) > 0 {
			finish.At, finish.Value, finish.Small = nil, view.took(f.At.Sub(now)), view.label("once they have agreed")
		}
	}
	if len(v.Rows) == 0 {
		finish.Value, finish.At, finish.Small = view.label("none"), nil, view.label("nothing is due now")
	}
	seats := 0
	for _, s := range pv.Seats {
		seats += s.Needed
	}
	v.Figures = []figure{
		finish,
		{Label: "New grants", Value: view.number(len(pv.Gained)), Small: newOf(view, pv)},
		{Label: "Approvals", Value: view.number(len(pv.Pending))},
		{Label: "Seats used", Value: view.number(seats)},
	}
}

// span is a prediction with how far off it may be.
func (v viewer) span(early, at, late time.Duration) string {
	if v.took(early) == v.took(late) {
		return v.took(at)
	}
	return v.say("%s, %s to %s", v.took(at), v.took(early), v.took(late))
}

// seatsLeft says how many seats a system will have.
func (v viewer) seatsLeft(name string, n int) string {
	if n == 1 {
		return v.say("%s will have 1 seat left", name)
	}
	return v.say("%s will have %d seats left", name, n)
}

// newOf says where new grants come from: for somebody of whom nothing was planned so far, from policies, too.
func newOf(view viewer, pv flow.PickPreview) string {
	switch products := view.plural(len(pv.Picked), "of 1 product", "of %d products"); {
	case pv.Now.Person.Managed:
		return products
	case len(pv.Picked) == 0:
		return view.label("of policies")
	default:
		return view.say("%s, and of policies", products)
	}
}

// against is what stands against it, or is to be known.
func (v *onboardPreviewView) against(view viewer, pv flow.PickPreview, titles map[string]string, product func(string) string) {
	for _, n := range pv.Needs {
		with := append(slices.Clone(v.hidden("product")), n.Product)
		v.Notices = append(v.Notices, notice{
			Kind: "bad", Icon: "x", Title: fmt.Sprintf("%s needs %s", product(n.For), product(n.Product)), Text: "It is not there and was not picked.",
			Act: &link{"Pick it, too", wizardHref(v.Head.ID, "/preview", with)},
		})
	}
	for _, s := range pv.Seats {
		switch name := systemTitle(titles, s.System); {
		case s.Short > 0:
			v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: fmt.Sprintf("%s has no seat left", name), Text: fmt.Sprintf("%s: %s of %s are free. The step waits for one.", s.Pool, view.number(s.Free), view.number(s.Total))})
		case s.Free-s.Needed <= 3:
			v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: view.seatsLeft(name, s.Free-s.Needed), Text: fmt.Sprintf("%s: %s of %s are free now.", s.Pool, view.number(s.Free), view.number(s.Total))})
		}
	}
	for _, text := range pv.Findings {
		v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: "This stands against it", Text: findingText(view, text)})
	}
	for _, f := range pv.Look.Plan.Findings {
		if text := findingText(view, f.Text); !slices.Contains(pv.Findings, f.Text) && !slices.Contains(v.Known, text) {
			v.Known = append(v.Known, text)
		}
	}
	if len(pv.Already) > 0 && len(pv.Picked) == 0 {
		v.Notices = append(v.Notices, notice{Icon: "info", Title: "Nothing more was picked", Text: "What policies give comes by itself, at its time."})
	}
	if !pv.Now.Person.Managed {
		v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: "Known from an import or a directory", Text: textManages + " " + textRecognised})
	}
}

func (v *onboardPreviewView) hidden(name string) []string {
	var out []string
	for _, h := range v.Hidden {
		if h.Text == name {
			out = append(out, h.Href)
		}
	}
	return out
}
