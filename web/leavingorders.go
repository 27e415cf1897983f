package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// orderView is an order about a person before it is given: what it does, why, and the button.
type orderView struct {
	Head    personHead
	Title   string
	Lead    string
	Problem *notice // what was wrong with the order
	Refused *notice // it cannot be given
	List    []item  // what it does
	Listed  string  // the title of that
	Sum     string  // what it comes to
	Stays   []item  // what stays open all the same
	None    string  // what stands there if it does nothing
	Fields  []field
	Token   string
	Action  string
	Button  string
	Danger  bool
	Back    string // "": the page about leaving
	Carried []link // what the form takes along: name and value
	Ask     bool   // it asks whom it is about before it shows anything
}

func reasonField(hint string) field {
	return field{ID: "reason", Name: "reason", Label: "Reason", Hint: hint, Required: true, Type: "text"}
}

const hintHeir = "Mail address of who takes over their tasks and whom they answer for; empty: their manager"

const hintReason = "For the record, and for the auditor"

func newTerminate(head personHead, look flow.Closing, b *board) orderView {
	v := orderView{
		Head: head, Title: "End all access now", Action: "terminate", Button: "End all access now", Danger: true, Fields: []field{reasonField(hintReason), {ID: "successor", Name: "successor", Label: "Successor", Hint: hintHeir, Type: "email"}},
		Lead:   "Access ends at the moment at which you say so. Nothing that HR says in the ordinary way gives it back: it stays until somebody reinstates them here, or HR cancels a termination or hires them again. What runs for them now is given up.",
		Listed: "Will be closed", None: "Nothing of theirs is in our books. The certificate afterwards says what every system shows.", Sum: look.Summary(), Stays: stayItems(b.view, look.Stays),
	}
	for _, s := range look.ByUs {
		v.List = append(v.List, item{Title: link{b.stepAt(s), ""}, Meta: s.Key.String()})
	}
	for _, s := range look.ByPeople {
		v.List = append(v.List, item{Title: link{b.stepAt(s), ""}, Meta: joined(", ", s.Key.String(), b.view.label("a task for people"))})
	}
	if len(v.List) == 0 && len(v.Stays) > 0 {
		v.None = "Nothing of theirs can be closed."
	}
	return v
}

// stayItems are what stays open though nobody wants it to.
func stayItems(view viewer, list []flow.Staying) (out []item) {
	for _, x := range list {
		next := "A human closes it by hand."
		switch {
		case x.Ended:
			next = "A human closes it by hand." // why it stays says the rest
		case x.Legal:
			next = "Whoever placed the legal hold gets a task to close it by hand."
		}
		out = append(out, item{Title: link{x.Title, ""}, Meta: sentence(view.withKeys(view.heard(x.Why))) + ".", Next: view.label(next)})
	}
	return out
}

func newReinstate(head personHead, stopped bool) orderView {
	v := orderView{
		Head: head, Title: "Give access back", Action: "reinstate", Button: "Reinstate", Fields: []field{reasonField(hintReason)},
		Lead: "What HR says of their employment counts again, from now on. Closed accounts are opened; memberships come back as policies give them.",
	}
	if !stopped {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "There is nothing to give back", Text: "Their access was not ended here. A termination that HR said is cancelled in HR."}
	}
	return v
}

func newHold(head personHead, held bool) orderView {
	v := orderView{
		Head: head, Title: "Place a legal hold", Action: "hold", Button: "Place it", Fields: []field{reasonField("Such as the name of the case. Whoever looks at them reads it")},
		Lead: "While it stands no account of theirs is deleted, what sources sent is not forgotten, and they are not erased, whatever any timer says. Access is closed all the same.",
	}
	if held {
		v.Refused = &notice{Kind: "warn", Icon: "pause", Title: "A legal hold stands already", Text: "Release it before you place another."}
	}
	return v
}

func newRelease(head personHead, held bool) orderView {
	v := orderView{
		Head: head, Title: "Release the legal hold", Action: "release", Button: "Release it", Danger: true, Fields: []field{reasonField(hintReason)},
		Lead: "What was put off goes on by the timers as they stand: an account whose time is over is deleted soon.",
	}
	if !held {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "No legal hold stands", Text: "There is nothing to release."}
	}
	return v
}

func newErase(view viewer, head personHead, e flow.Erasure) orderView {
	v := orderView{
		Head: head, Title: "Erase what is known of them", Action: "erase", Button: "Erase, for good", Danger: true, Token: e.Token, Listed: "What it does",
		Lead: "The key of their values is destroyed, wherever they lie, in backups too. Nobody can take that back.",
		Fields: []field{
			reasonField("It is about them, and goes with the key; that it was done, and by whom, stays"),
			{ID: "name", Name: "name", Label: "Their name, as it stands above", Hint: "So that it is not somebody else", Required: true, Type: "text"},
		},
		List: []item{
			{Title: link{view.label("Name, addresses, history and every value are destroyed"), ""}},
		},
	}
	if e.Runs > 0 {
		v.List = append(v.List, item{Title: link{view.plural(e.Runs, "1 run stays without what it did", "%d runs stay without what they did"), ""}})
	}
	if e.Lines > 0 {
		v.List = append(v.List, item{Title: link{view.plural(e.Lines, "1 line of the ledger stays, names nobody, and still verifies", "%d lines of the ledger stay, name nobody, and still verify"), ""}})
	}
	for _, k := range e.Accounts {
		v.List = append(v.List, item{Title: link{view.label("An account stays, and nobody knows any more whose it was"), ""}, Meta: view.titled(k)})
	}
	v.Stays = stayItems(view, e.Stays)
	if e.Refused != "" {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "It cannot be erased yet", Text: sentence(view.heard(longDays(e.Refused))) + "."}
	}
	return v
}

// orderOf shows an order by its verb.
func (p *portal) orderOf(r *http.Request, verb string) (flow.Row, orderView, error) {
	row, head, err := p.aboutPerson(r, "leaving")
	if err != nil {
		return row, orderView{}, err
	}
	var held bool
	holds, err := p.flow.LegalHolds(r.Context(), row.ID)
	if err != nil {
		return row, orderView{}, err
	}
	for _, h := range holds {
		held = held || h.Ended.IsZero()
	}
	switch verb {
	case "terminate":
		look, err := p.flow.TerminatePreview(r.Context(), row.ID)
		if err != nil && dayone.KindOf(err) == nil {
			return row, orderView{}, err
		}
		v := newTerminate(head, look, &board{view: p.viewerOf(r), titles: p.titles(), kinds: p.kindTitles()})
		if err != nil { // it ends all the same; what is to be closed is planned once that can be done
			v.Problem = unplannedNotice(p.viewerOf(r), flow.Problem(err))
		}
		return row, v, nil
	case "reinstate":
		look, err := p.flow.Preview(r.Context(), row.ID)
		if err != nil && dayone.KindOf(err) == nil {
			return row, orderView{}, err
		}
		return row, newReinstate(head, look.Person.Stopped), nil
	case "hold":
		return row, newHold(head, held), nil
	case "release":
		return row, newRelease(head, held), nil
	}
	e, err := p.flow.ErasePreview(r.Context(), row.ID)
	if err != nil {
		return row, orderView{}, orderFound(err)
	}
	v := newErase(p.viewerOf(r), head, e)
	if held && v.Refused != nil {
		v.Refused.Act = &link{"Release the legal hold", "/people/" + head.ID + "/release"}
	}
	return row, v, nil
}

// askOrder is the page of an order, by its verb.
func (p *portal) askOrder(verb string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error { return p.showOrder(w, r, http.StatusOK, verb, nil) }
}

func (p *portal) showOrder(w http.ResponseWriter, r *http.Request, status int, verb string, problem *notice) error {
	row, v, err := p.orderOf(r, verb)
	if err != nil {
		return err
	}
	if problem != nil {
		v.Problem = problem
	}
	for i := range v.Fields {
		v.Fields[i].Value = r.PostFormValue(v.Fields[i].Name)
	}
	crumbs := []link{{"People", "/people"}, {row.Name, "/people/" + v.Head.ID}, {"Leaving", "/people/" + v.Head.ID + "/leaving"}, {v.Title, ""}}
	return p.show(w, r, status, page{Template: "order", Title: v.Title + ": " + row.Name, Nav: "people", Crumbs: crumbs, Main: v})
}

// giveOrder does what the page of an order says.
func (p *portal) giveOrder(verb string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := personID(r)
		if err != nil {
			return err
		}
		to, back, err := p.obey(r, id, verb)
		for _, kind := range []error{dayone.ErrConflict, dayone.ErrInvalid, dayone.ErrForbidden} {
			if errors.Is(err, kind) {
				return p.showOrder(w, r, http.StatusConflict, verb, &notice{Kind: "bad", Icon: "x", Title: "It was not done", Text: p.viewerOf(r).problem(err) + "."})
			}
		}
		if err != nil {
			return err
		}
		page, said, _ := strings.Cut(to, "?said=")
		p.said(w, r, page, said, back)
		return nil
	}
}

func (p *portal) endOrReopen(r *http.Request, id dayone.PersonID, verb string) (flow.Terminated, error) {
	by, reason := me(r).Name, r.PostFormValue("reason")
	if verb == "reinstate" {
		return p.flow.Reinstate(r.Context(), id, by, reason)
	}
	return p.flow.Terminate(r.Context(), id, by, reason, r.PostFormValue("successor"))
}

// obey gives an order, and says where to look at what came of it.
func (p *portal) obey(r *http.Request, id dayone.PersonID, verb string) (to string, back *takeBack, err error) {
	reason, by := r.PostFormValue("reason"), me(r).Name
	page := "/people/" + string(id) + "/leaving?said="
	switch verb {
	case "terminate", "reinstate":
		t, err := p.endOrReopen(r, id, verb)
		if err == nil && t.Run != "" {
			return "/runs/" + string(t.Run) + "?said=" + verb, nil, nil
		}
		return page + verb, nil, err
	case "hold":
		_, err := p.flow.HoldLegally(r.Context(), id, by, reason)
		return page + "legal-hold", &takeBack{Action: "/people/" + string(id) + "/release", Fields: because()}, err
	case "release":
		_, err := p.flow.ReleaseLegally(r.Context(), id, by, reason)
		return page + "legal-hold-released", nil, err
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return "", nil, err
	}
	if strings.Join(strings.Fields(r.PostFormValue("name")), " ") != strings.Join(strings.Fields(row.Name), " ") {
		return "", nil, fmt.Errorf("write their name as it stands above: %w", dayone.ErrInvalid)
	}
	return "/people/" + string(id) + "?said=erased", nil, p.flow.Erase(r.Context(), id, by, reason, r.PostFormValue("token"))
}
