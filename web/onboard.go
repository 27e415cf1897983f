package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// The wizard: a person, her products, what would happen, and then how it goes. Each page has an address of its own and works
// without script; nothing is changed before the last button.

// wizardStep is one entry of the line of steps.
type wizardStep struct {
	Number        int
	Text, Href    string
	Past, Current bool
}

// wizard is the line of steps; hrefs are of those that are past.
func wizard(current int, hrefs ...string) []wizardStep {
	var out []wizardStep
	for i, text := range []string{"Person", "Products", "Preview", "Result"} {
		s := wizardStep{Number: i + 1, Text: text, Current: i == current}
		if i < current && i < len(hrefs) {
			s.Href, s.Past = hrefs[i], true
		}
		out = append(out, s)
	}
	return out
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
		head.Problem = unplannedNotice(p.viewerOf(r), flow.Problem(err))
	}
	v := newOnboardProducts(p.viewerOf(r), head, look.Person.Managed, list, r.URL.Query()["product"], p.policyTitle)
	return p.show(w, r, http.StatusOK, page{Template: "onboard-products", Title: "Products of " + row.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {row.Name, ""}}, Main: v})
}

func newOnboardProducts(view viewer, head personHead, managed bool, list []flow.PersonProduct, ticked []string, title func(string) string) onboardProductsView {
	v := onboardProductsView{Head: head, Steps: wizard(1, "/onboard")}
	given, asked, later := 0, 0, 0
	titles := map[string]string{}
	for _, x := range list {
		titles[x.ID] = x.Title
		comes := x.State == flow.ProductGiven && x.Comes()
		given, asked, later = given+btoi(x.State == flow.ProductGiven && !comes), asked+btoi(x.State == flow.ProductRequested), later+btoi(comes)
	}
	v.Domains = byDomain(list, func(x flow.PersonProduct) string { return x.Domain }, func(d *productDomain, x flow.PersonProduct) {
		c := newProductChoice(view, head.ID, x, title, titles)
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
	if later > 0 {
		v.Sentence += " " + plural(later, "They will give 1 more.", "They will give %d more.")
	}
	if asked > 0 {
		v.Sentence += " " + plural(asked, "1 was asked for.", "%d were asked for.")
	}
	if !managed {
		v.Notices = append(v.Notices, notice{Icon: "info", Title: "Known from an import or a directory", Text: textManages})
	}
	if !slices.ContainsFunc(list, func(x flow.PersonProduct) bool { return x.State == flow.ProductOffered }) && len(list) > 0 {
		v.Notices = append(v.Notices, notice{
			Icon: "info", Title: "Nothing to choose here",
			Text: "What policies give stays ticked. What else there is waits for what nobody has said, where it says so, or is offered to this person by no policy. Preview the plan to go on.",
			Act:  &link{"What policies offer", "/products"},
		})
	} else if len(list) > 0 {
		v.Sentence = joined(" ", v.Sentence, "What you add becomes a request, with its own approval.")
	}
	if len(list) == 0 {
		v.Sentence = "" // of none there is nothing to count
		v.Empty = &empty{Icon: "plus", Title: "No products yet", Text: "Write `products/*.yaml` in the policy folder: what belongs together and what it is called.", Acts: []link{{"Back", "/onboard"}}}
	}
	return v
}

func newProductChoice(view viewer, person string, x flow.PersonProduct, title func(string) string, titles map[string]string) productChoice {
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
		c.Checked, c.Fixed, c.Note = true, true, view.label("Given by")
		if x.Comes() {
			c.Note = view.label("Will be given by")
			if from := x.From(); !from.IsZero() {
				c.Note = view.say("Will be given on %s by", view.date(from).Text)
			}
		}
		for _, r := range x.Policies {
			c.By = append(c.By, link{title(r.Policy), "/policies/" + r.Policy + "/people"})
		}
	case flow.ProductRequested:
		c.Checked, c.Fixed, c.Note = true, true, view.say("Asked for: %s", x.Request.Reason)
	case flow.ProductOffered:
		c.Note = view.label("Request: no approval needed")
		if who := view.agrees(x.Approvals); who != "" {
			c.Note = view.say("Request: approval by %s", who)
		}
		if x.Lasts > 0 {
			c.Note = view.say("%s, for %s", c.Note, view.hours(x.Lasts))
		}
		if len(x.Needs) > 0 {
			var needs []string
			for _, id := range x.Needs {
				needs = append(needs, cmp.Or(titles[id], id))
			}
			c.Note += view.say(". Needs %s", view.list(needs))
		}
	default:
		c.Fixed, c.Note = true, view.label("No policy offers it")
		if len(x.Unsaid) > 0 {
			names := make([]string, 0, len(x.Unsaid))
			for _, name := range x.Unsaid {
				names = append(names, view.label(attrText(name)))
			}
			c.Note = view.say("Waits for %s, which nobody has said. HR says it, or set it here:", strings.Join(names, ", "))
			c.By = []link{{view.label("Timeline"), "/people/" + person + "/timeline"}}
		}
	}
	return c
}

// startedAlready tells whoever comes second who was first, and where that goes on.
func (p *portal) startedAlready(r *http.Request, id dayone.PersonID, b *flow.Begun) (*notice, error) {
	view := p.viewerOf(r)
	n := notice{Kind: "warn", Icon: "run", Title: "It was started already", Text: view.label("Nothing is left to start here.")}
	if b.By != "" {
		n.Text = view.say("%s started it, %s.", b.By, view.at(b.At).Text) + " " + n.Text
	}
	runs, err := p.flow.Runs(r.Context(), flow.RunFilter{Person: id, Limit: 1})
	if err == nil && len(runs) > 0 {
		n.Act = &link{"Open the run", "/runs/" + string(runs[0].ID)}
	}
	return &n, err
}

func (p *portal) onboardStart(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if err := only(r, "product", "plan", "manage", "by", "reason", "until"); err != nil {
		return err
	}
	in := picked{
		Products: picks(r), By: r.PostFormValue("by"), Reason: strings.TrimSpace(r.PostFormValue("reason")), Until: r.PostFormValue("until"),
		Plan: r.PostFormValue("plan"), Manage: r.PostFormValue("manage") == "yes",
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return err
	}
	began := time.Time{}
	if in.Manage && !row.Managed {
		began = p.flow.Now()
	}
	rs, err := p.pick(r, id, in)
	var second *flow.Begun
	if errors.As(err, &second) {
		problem, err := p.startedAlready(r, id, second)
		if err != nil {
			return err
		}
		return p.showPreview(w, r, http.StatusConflict, problem)
	}
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) || errors.Is(err, dayone.ErrForbidden) {
		return p.showPreview(w, r, http.StatusConflict, &notice{Kind: "bad", Icon: "x", Title: "It was not started", Text: p.viewerOf(r).problem(err) + "."})
	}
	if err != nil {
		return err
	}
	word := "requested"
	if len(rs) == 0 {
		word = "begun"
	}
	back := pickUndo(id, rs, began)
	if !began.IsZero() && !p.shows(r, "POST /runs/{id}/undo") { // the run is the larger part of it
		back = nil
	}
	p.said(w, r, "/onboard/"+string(id)+"/result", word, back)
	return nil
}
