package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// The wizard: a person, her products, what would happen, and then how it goes. Each page has an address of its own and works
// without script; nothing is changed before the last button.

// wizardStep is one entry of the line of steps.
type wizardStep struct {
	Text, Href    string
	Past, Current bool
}

// wizard is the line of steps; hrefs are of those that are past.
func wizard(current int, hrefs ...string) []wizardStep {
	var out []wizardStep
	for i, text := range []string{"Person", "Products", "Preview", "Result"} {
		s := wizardStep{Text: fmt.Sprintf("%d. %s", i+1, text), Current: i == current}
		if i < current && i < len(hrefs) {
			s.Text, s.Href, s.Past = text, hrefs[i], true
		}
		out = append(out, s)
	}
	return out
}

type onboardView struct {
	Steps []wizardStep
	Query string
	List  onboardPeople
}

// onboardPeople is what a search changes.
type onboardPeople struct {
	Says  string
	Rows  []item
	Empty *empty
}

const onboardShown = 25

func (p *portal) onboard(w http.ResponseWriter, r *http.Request) error {
	list, err := p.onboardPeople(r)
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "onboard-people" {
		p.part(w, r, http.StatusOK, "onboard-people", list)
		return nil
	}
	v := onboardView{Steps: wizard(0), Query: strings.TrimSpace(r.URL.Query().Get("q")), List: list}
	return p.show(w, r, http.StatusOK, page{Template: "onboard", Title: "Onboard a person", Nav: "onboard", Crumbs: []link{{"Onboard", ""}}, Main: v})
}

// onboardPeople are those who match, or the next starters as long as nobody is looked for.
func (p *portal) onboardPeople(r *http.Request) (onboardPeople, error) {
	text, err := searched(r.URL.Query())
	if err != nil {
		return onboardPeople{}, err
	}
	var rows []flow.Row
	if text == "" {
		rows, err = p.flow.Starters(r.Context(), onboardShown+1)
	} else {
		rows, err = p.flow.People(r.Context(), flow.PeopleFilter{Text: text, Limit: onboardShown + 1})
	}
	if err != nil {
		return onboardPeople{}, err
	}
	return newOnboardPeople(p.viewerOf(r), text, rows), nil
}

func newOnboardPeople(view viewer, text string, rows []flow.Row) onboardPeople {
	v := onboardPeople{Says: plural(len(rows), "1 person is found.", "%d people are found.")}
	if text == "" {
		v.Says = plural(len(rows), "1 person starts next.", "%d people start next.")
	}
	if len(rows) > onboardShown {
		rows, v.Says = rows[:onboardShown], fmt.Sprintf("The first %d are shown. Write more of the name to find others.", onboardShown)
	}
	for _, row := range rows {
		st := statusState(row.Status)
		it := item{
			State: &st, Title: link{row.Name, "/onboard/" + string(row.ID)}, Meta: joined(", ", row.Title, row.Department, row.Location, row.Email),
			Open: &link{"Choose", "/onboard/" + string(row.ID)},
		}
		if !row.Managed {
			it.Next = textKnownOnly
		}
		if row.Status == dayone.PreHire {
			it.At = view.date(row.Starts)
		}
		v.Rows = append(v.Rows, it)
	}
	switch {
	case len(rows) > 0:
	case text != "":
		v.Says, v.Empty = "Nobody is found.", &empty{Icon: "search", Title: "Nobody matches", Text: textFindNames, Acts: []link{{"Add a person", "/people/add"}}}
	default:
		v.Says, v.Empty = "Nobody starts soon.", &empty{Icon: "people", Title: "Nobody starts soon", Text: "Look for anybody whom HR or a directory knows by name or mail."}
	}
	return v
}

type onboardProductsView struct {
	Head     personHead
	Steps    []wizardStep
	Domains  []productDomain
	Notices  []notice
	Sentence string
	Empty    *empty
}

func (p *portal) onboardProducts(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	look, list, err := p.flow.ProductsOf(r.Context(), row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return err
	}
	if err != nil {
		head.Problem = unplannedNotice(flow.Problem(err))
	}
	v := newOnboardProducts(head, look.Person.Managed, list, r.URL.Query()["product"], p.policyTitle)
	return p.show(w, r, http.StatusOK, page{Template: "onboard-products", Title: "Products of " + row.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {row.Name, ""}}, Main: v})
}

func newOnboardProducts(head personHead, managed bool, list []flow.PersonProduct, ticked []string, title func(string) string) onboardProductsView {
	v := onboardProductsView{Head: head, Steps: wizard(1, "/onboard")}
	given, asked := 0, 0
	titles := map[string]string{}
	for _, x := range list {
		titles[x.ID] = x.Title
		given, asked = given+btoi(x.State == flow.ProductGiven), asked+btoi(x.State == flow.ProductRequested)
	}
	v.Domains = byDomain(list, func(x flow.PersonProduct) string { return x.Domain }, func(d *productDomain, x flow.PersonProduct) {
		c := newProductChoice(x, title, titles)
		if !c.Fixed {
			c.Checked = slices.Contains(ticked, x.ID)
		}
		d.Choices = append(d.Choices, c)
	})
	for i, d := range v.Domains {
		n := 0
		for _, c := range d.Choices {
			n += btoi(c.Checked)
		}
		v.Domains[i].Note = fmt.Sprintf("%d of %d chosen", n, len(d.Choices))
	}
	v.Sentence = plural(given, "Policies give 1 of these products.", "Policies give %d of these products.")
	if asked > 0 {
		v.Sentence += " " + plural(asked, "1 was asked for.", "%d were asked for.")
	}
	if !managed {
		v.Notices = append(v.Notices, notice{Icon: "info", Title: "Known from an import or a directory", Text: textManages})
	}
	if len(list) == 0 {
		v.Empty = &empty{Icon: "plus", Title: "No products yet", Text: "Write products/*.yaml in the policy folder: what belongs together and what it is called."}
	}
	return v
}

func newProductChoice(x flow.PersonProduct, title func(string) string, titles map[string]string) productChoice {
	c := productChoice{Value: x.ID, Icon: productIcon(x.Product), Title: x.Title, Meta: x.Description}
	if c.Meta == "" {
		var parts []string
		for _, part := range x.Parts {
			parts = append(parts, partText(part.ProductPart))
		}
		c.Meta = strings.Join(parts, ", ")
	}
	switch x.State {
	case flow.ProductGiven:
		c.Checked, c.Fixed, c.Note = true, true, "Given by"
		for _, r := range x.Policies {
			c.By = append(c.By, link{title(r.Policy), "/policies/" + r.Policy + "/people"})
		}
	case flow.ProductRequested:
		c.Checked, c.Fixed, c.Note = true, true, "Asked for: "+x.Request.Reason
	case flow.ProductOffered:
		c.Note = "Request: no approval needed"
		if who := whoAgrees(x.Approvals); who != "" {
			c.Note = fmt.Sprintf("Request: approval by %s", who)
		}
		if x.Lasts > 0 {
			c.Note += fmt.Sprintf(", for %s", hours(x.Lasts))
		}
		if len(x.Needs) > 0 {
			var needs []string
			for _, id := range x.Needs {
				needs = append(needs, cmp.Or(titles[id], id))
			}
			c.Note += fmt.Sprintf(". Needs %s", listed(needs))
		}
	default:
		c.Fixed, c.Note = true, "No policy offers it"
	}
	return c
}

type onboardPreviewView struct {
	Head     personHead
	Steps    []wizardStep
	Sentence string
	Figures  []figure
	Notices  []notice
	Problem  *notice
	Picked   []item
	Rows     []doing
	Later    []item
	Hidden   []link // what the form carries
	Action   string
	Back     string
	By       field
	Reason   field
	Until    field
	Start    string // what the button says; "": there is nothing to start
	Done     string // where to look instead
}

// doing is one step that would be done.
type doing struct{ System, Text, Note string }

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
		v = onboardPreviewView{Head: head, Steps: wizard(2, "/onboard", back), Back: back, Problem: &notice{Kind: "bad", Icon: "x", Title: "This cannot be given", Text: sentence(flow.Problem(err)) + "."}}
	case err != nil:
		return err
	default:
		v = newOnboardPreview(p.viewerOf(r), head, pv, products, p.titles(), p.kindTitles(), func(id string) string { return p.productTitle(id) })
		v.Problem, v.By.Value, v.Reason.Value, v.Until.Value = problem, r.PostFormValue("by"), r.PostFormValue("reason"), r.PostFormValue("until")
	}
	return p.show(w, r, status, page{Template: "onboard-preview", Title: "Plan for " + row.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {row.Name, "/onboard/" + head.ID}, {"Preview", ""}}, Main: v})
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
	v.steps(pv, titles, kinds)
	v.figures(pv)
	v.against(pv, titles, product)
	for _, x := range pv.Picked {
		it := item{Title: link{Text: x.Title}, Meta: x.Description}
		if who := whoAgrees(x.Approvals); who != "" {
			it.Next = fmt.Sprintf("Given once %s has agreed.", who)
		}
		v.Picked = append(v.Picked, it)
	}
	for _, g := range pv.Look.Want.Later {
		v.Later = append(v.Later, item{Title: link{g.Key.String(), whyHref(head.ID, g.Key)}, At: view.date(g.From)})
	}
	managed := pv.Now.Person.Managed
	switch {
	case len(pv.Needs) > 0:
	case len(pv.Picked) > 0:
		v.Start = plural(len(pv.Picked), "Start: request 1 product", "Start: request %d products")
	case !managed:
		v.Start = "Start: plan what policies give"
	default:
		v.Done = "/onboard/" + head.ID + "/result"
	}
	if !managed {
		v.Hidden = append(v.Hidden, link{"manage", "yes"})
	}
	v.Sentence = plural(len(v.Rows), "1 step now", "%d steps now")
	if n := len(v.Later); n > 0 {
		v.Sentence += plural(n, ", 1 later", ", %d later")
	}
	v.Sentence += ". Nothing has been changed yet."
	return v
}

func (v *onboardPreviewView) steps(pv flow.PickPreview, titles, kinds map[string]string) {
	for _, s := range pv.Look.Plan.Steps {
		d := doing{System: systemTitle(titles, s.Key.System), Text: stepTitle(s, kinds[s.Key.System+"/"+s.Key.Kind], systemTitle(titles, s.Via.System))}
		if s.Approval != nil {
			d.Note = fmt.Sprintf("once %s has agreed", whoAgrees([]dayone.Approval{*s.Approval}))
		}
		v.Rows = append(v.Rows, d)
	}
}

func (v *onboardPreviewView) figures(pv flow.PickPreview) {
	finish := figure{Label: "Predicted time", Value: "unknown", Small: "too few runs before"}
	if f := pv.Forecast; !f.At.IsZero() {
		now := pv.Look.Person.At
		finish.Value, finish.Small = took(f.At.Sub(now)), fmt.Sprintf("%s to %s", took(f.Early.Sub(now)), took(f.Late.Sub(now)))
		if len(f.Without) > 0 {
			finish.Small = "once they have agreed"
		}
	}
	if len(v.Rows) == 0 {
		finish.Value, finish.Small = "none", "nothing is due now"
	}
	seats := 0
	for _, s := range pv.Seats {
		seats += s.Needed
	}
	v.Figures = []figure{
		finish,
		{Label: "New grants", Value: thousands(len(pv.Gained)), Small: newOf(pv)},
		{Label: "Approvals", Value: thousands(len(pv.Pending))},
		{Label: "Seats used", Value: thousands(seats)},
	}
}

// newOf says where new grants come from: for somebody of whom nothing was planned so far, from policies, too.
func newOf(pv flow.PickPreview) string {
	switch products := plural(len(pv.Picked), "of 1 product", "of %d products"); {
	case pv.Now.Person.Managed:
		return products
	case len(pv.Picked) == 0:
		return "of policies"
	default:
		return products + ", and of policies"
	}
}

// against is what stands against it, or is to be known.
func (v *onboardPreviewView) against(pv flow.PickPreview, titles map[string]string, product func(string) string) {
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
			v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: fmt.Sprintf("%s has no seat left", name), Text: fmt.Sprintf("%s: %s of %s are free. The step waits for one.", s.Pool, thousands(s.Free), thousands(s.Total))})
		case s.Free-s.Needed <= 3:
			v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: fmt.Sprintf(plural(s.Free-s.Needed, "%s will have 1 seat left", "%%s will have %d seats left"), name), Text: fmt.Sprintf("%s: %s of %s are free now.", s.Pool, thousands(s.Free), thousands(s.Total))})
		}
	}
	for _, text := range pv.Findings {
		v.Notices = append(v.Notices, notice{Kind: "warn", Icon: "warn", Title: "This stands against it", Text: text})
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

func (p *portal) onboardStart(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	in := picked{
		Products: picks(r), By: r.PostFormValue("by"), Reason: strings.TrimSpace(r.PostFormValue("reason")), Until: r.PostFormValue("until"),
		Plan: r.PostFormValue("plan"), Manage: r.PostFormValue("manage") == "yes",
	}
	_, err = p.pick(r, id, in)
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) || errors.Is(err, dayone.ErrForbidden) {
		return p.showPreview(w, r, http.StatusConflict, &notice{Kind: "bad", Icon: "x", Title: "It was not started", Text: sentence(flow.Problem(err)) + "."})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/onboard/"+string(id)+"/result?said=requested", http.StatusSeeOther)
	return nil
}
