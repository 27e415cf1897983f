package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// What became of products is told per product: the worst of what belongs to it, in the words of its system.

type onboardResultView struct {
	Head     personHead
	Steps    []wizardStep
	Live     resultList
	Products string // where others are picked
}

// resultList is what changes while it goes on.
type resultList struct {
	ID      string // of the person
	Says    string
	Run     *link
	Domains []resultDomain
	Empty   *empty
	Mails   []item     // what is said to whom, and what that waits for
	More    bool       // something is still under way: it is asked for again
	Ends    []decision // of requests; beside the list, so that what somebody types there stays
}

type resultDomain struct {
	ID, Title string
	Rows      []resultRow
}

type resultRow struct {
	Icon, Title string
	State       state
	Note        string
	At          *stamp
	Parts       []resultPart
}

type resultPart struct {
	Name, Href string
	State      state
	Note       string
}

func (p *portal) onboardResult(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	list, err := p.resultList(r, row)
	if err != nil {
		return err
	}
	if isFragment(r) && r.Header.Get("HX-Target") == "onboard-live" {
		p.part(w, r, http.StatusOK, "onboard-live", list)
		return nil
	}
	v := onboardResultView{Head: head, Steps: wizard(3, "/onboard", "/onboard/"+head.ID, "/onboard/"+head.ID+"/preview"), Live: list, Products: "/onboard/" + head.ID}
	return p.show(w, r, http.StatusOK, page{Template: "onboard-result", Title: "Products of " + row.Name, Nav: "onboard", Crumbs: []link{{"Onboard", "/onboard"}, {row.Name, "/people/" + head.ID}, {"Result", ""}}, Main: v})
}

func (p *portal) resultList(r *http.Request, row flow.Row) (resultList, error) {
	ctx := r.Context()
	look, products, err := p.flow.ProductsOf(ctx, row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return resultList{}, err
	}
	_, access, err := p.flow.Access(ctx, row.ID)
	if err != nil && !errors.Is(err, dayone.ErrInvalid) {
		return resultList{}, err
	}
	runs, err := p.flow.Runs(ctx, flow.RunFilter{Person: row.ID, Limit: 1})
	if err != nil {
		return resultList{}, err
	}
	var b *board
	if len(runs) > 0 {
		if b, err = p.board(r, runs[0].ID); err != nil {
			return resultList{}, err
		}
	}
	return newResultList(p.viewerOf(r), look, products, access, b), nil
}

func newResultList(view viewer, look flow.Look, products []flow.PersonProduct, access []flow.Access, b *board) resultList {
	v := resultList{ID: string(look.Person.ID)}
	stands := map[dayone.Key]flow.Access{}
	for _, a := range access {
		stands[a.Key] = a
	}
	if b != nil {
		v.Run = &link{b.runTitle(), b.path()}
		v.More = !b.run.State.Over() && b.run.State != dayone.RunWaiting
		v.Mails = b.messages()
		v.More = v.More || len(b.unsent()) > 0
	}
	ready, all := 0, 0
	groups := byDomain(products, func(x flow.PersonProduct) string { return x.Domain }, func(d *productDomain, x flow.PersonProduct) {
		if x.State == flow.ProductGiven || x.State == flow.ProductRequested {
			d.Choices = append(d.Choices, productChoice{Value: x.ID})
		}
	})
	byID := map[string]flow.PersonProduct{}
	for _, x := range products {
		byID[x.ID] = x
	}
	for _, g := range groups {
		d := resultDomain{ID: g.ID, Title: g.Title}
		for _, c := range g.Choices {
			row, worst := newResultRow(view, v.ID, byID[c.Value], stands, b)
			all, ready = all+1, ready+btoi(worst <= standsThere)
			v.More = v.More || worst == standsComing && look.Person.Managed
			d.Rows = append(d.Rows, row)
			if q := byID[c.Value].Request; q != nil {
				v.Ends = append(v.Ends, decision{
					ID: string(q.ID), Text: fmt.Sprintf("End %s", row.Title), Button: "End the request", Action: "/requests/" + string(q.ID) + "/end",
					Does: "What only this request gave is taken back. What policies give stays.",
				})
			}
		}
		v.Domains = append(v.Domains, d)
	}
	v.Says = fmt.Sprintf("%d of %d products are there.", ready, all)
	if all == 1 {
		v.Says = fmt.Sprintf("%d of 1 product is there.", ready)
	}
	if all == 0 {
		v.Says, v.Empty = "No product is given or asked for.", &empty{Icon: "plus", Title: "No products", Text: "Policies give this person no product, and none was asked for.", Acts: []link{{"Pick products", "/onboard/" + v.ID}}}
	}
	return v
}

// How a part stands, the better first: a product stands as the worst of its parts.
const (
	standsThere = iota
	standsHers  // there, and she acts next
	standsLater
	standsComing
	standsWaits
	standsFailed
)

func newResultRow(view viewer, person string, x flow.PersonProduct, stands map[dayone.Key]flow.Access, b *board) (resultRow, int) {
	row := resultRow{Icon: productIcon(x.Product), Title: x.Title, State: state{Icon: "check", Class: "s-done", Text: "Done"}}
	worst := standsThere
	for _, part := range x.Parts {
		st, rank, note := partStands(part, stands[part.Key], b)
		row.Parts = append(row.Parts, resultPart{partText(part.ProductPart), whyHref(person, part.Key), st, note})
		if rank > worst {
			worst, row.State, row.Note, row.At = rank, st, note, nil
			if rank == standsLater {
				row.At = view.date(part.From)
			}
		}
	}
	return row, worst
}

// partStands is how a part stands: what its run says of it, else what the books do.
func partStands(part flow.PersonPart, a flow.Access, b *board) (state, int, string) {
	if b != nil {
		for i := range b.run.Steps {
			s := &b.run.Steps[i]
			if s.Step.Key != part.Key || s.Step.Want == nil || s.Of != "" || s.State.Over() && a.State == flow.AsWanted {
				continue
			}
			_, st := b.stateOf(s)
			switch {
			case s.State == dayone.StepFailed || s.State == dayone.StepBlocked || s.State == dayone.StepUndoFailed:
				return st, standsFailed, s.Error
			case s.State == dayone.StepWaiting && s.Wait != nil && s.Wait.Kind.There():
				return st, standsHers, ""
			case s.State == dayone.StepWaiting:
				return st, standsWaits, ""
			case !s.State.Over():
				return st, standsComing, ""
			}
		}
	}
	switch st := accessState(a.State); {
	case a.State == flow.AsWanted:
		return state{Icon: "check", Class: "s-done", Text: "Done"}, standsThere, ""
	case a.State == flow.WaitsLogin:
		return st, standsHers, ""
	case a.State == flow.Asks, part.State == flow.PartPending:
		return accessState(flow.Asks), standsWaits, ""
	case part.State == flow.PartLater:
		return accessState(flow.Planned), standsLater, ""
	case a.State == flow.Held, a.State == flow.NotPlanned:
		return st, standsWaits, a.Note
	}
	return accessState(flow.ToCome), standsComing, ""
}
