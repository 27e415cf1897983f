package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Two entries for one person are merged, and an employment is split off, each after what it will do was shown.

func plainItem(text, meta string) item { return item{Title: link{text, ""}, Meta: meta} }

// newMergeAsk asks whom somebody is the same as.
func newMergeAsk(head personHead, typed string) orderView {
	return orderView{
		Head: head, Title: "Merge with another entry", Action: "merge", Button: "Show what will happen", Back: "timeline", Ask: true,
		Lead: "When one person is here twice, one entry stays and the other becomes a part of it: employments, access, tasks and requests. Login and mail stay as this entry has them. It can be taken back.",
		Fields: []field{
			{ID: "with", Name: "with", Label: "The entry that becomes a part of this one", Hint: "Its mail address, the whole name, or its id", Type: "text", Required: true, Value: typed},
		},
	}
}

func newMerge(view viewer, head personHead, m flow.Merging, system func(string) string) orderView {
	v := orderView{
		Head: head, Title: view.say("Merge with %s", m.Goes.Name), Action: "merge", Button: "Make them one person", Back: "timeline", Listed: "What will happen",
		Lead:    view.say("%s becomes a part of %s. No system is told anything by that, and nothing is closed. It can be taken back by splitting.", m.Goes.Name, m.Stays.Name),
		Fields:  []field{reasonField(hintReason)},
		Carried: []link{{"with", string(m.Goes.ID)}},
	}
	for _, e := range m.Employments {
		v.List = append(v.List, plainItem(view.label("An employment comes along"), e.Source+" "+e.SourceID))
	}
	for _, n := range m.Names {
		v.List = append(v.List, plainItem(view.say("%s stays %s", view.label(attrText(n.Attr)), n.Kept), view.say("%s goes to nobody else", n.Other)))
	}
	for _, k := range m.Moves {
		v.List = append(v.List, plainItem(view.label("Comes along, as it is"), view.titled(k)))
	}
	for _, k := range m.Apart {
		v.List = append(v.List, plainItem(view.label("Stays at the second account"), view.titled(k)))
	}
	for _, s := range m.Twice {
		v.List = append(v.List, plainItem(view.label("A task asks a human to see to the second account"), system(s)))
	}
	for _, r := range m.GivenUp {
		v.List = append(v.List, item{Title: link{view.label("A run is given up, and planned anew"), "/runs/" + string(r.ID)}, Meta: view.runTitle(r.Title)})
	}
	if n := m.Tasks + m.Requests + m.Approvals; n > 0 {
		v.List = append(v.List, plainItem(view.plural(n, "1 open task, request or approval comes along", "%d open tasks, requests and approvals come along"), ""))
	}
	switch {
	case m.Refused != "":
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "They cannot be merged", Text: sentence(m.Refused) + "."}
	case m.Older:
		v.Problem = &notice{
			Kind: "warn", Icon: "warn", Title: view.say("%s was here first", m.Goes.Name), Text: "Login and mail of the older entry would not stay. Begin at that entry to keep them.",
			Act: &link{"Merge the other way round", "/people/" + string(m.Goes.ID) + "/merge?with=" + string(m.Stays.ID)},
		}
	}
	return v
}

func newSplit(view viewer, head personHead, s flow.Splitting) orderView {
	v := orderView{
		Head: head, Title: "Split an employment off", Action: "split", Button: "Split it off", Back: "timeline", Listed: "What will happen", Danger: true,
		Lead:   "It becomes somebody else's. What there is stays with whom it is named below; both are planned anew, so what one of them is not to have any more is taken back. It can be undone by merging.",
		Fields: []field{reasonField(hintReason)},
	}
	for _, e := range s.Employments {
		v.List = append(v.List, plainItem(view.label("This employment goes"), e.Source+" "+e.SourceID))
		v.Carried = []link{{"employment", string(e.ID)}}
	}
	if s.Merge != nil {
		v.Lead = "It came by a merge, which is taken back: the other entry has again what it had. Both are planned anew."
	} else {
		v.List = append(v.List, plainItem(view.label("Somebody new is made of it"), view.label("Accounts, login and mail that we made stay here")))
	}
	for _, k := range s.Back {
		v.List = append(v.List, plainItem(view.label("Goes back with it"), view.titled(k)))
	}
	for _, r := range s.Given {
		v.List = append(v.List, item{Title: link{view.label("A run is given up, and planned anew"), "/runs/" + string(r.ID)}, Meta: view.runTitle(r.Title)})
	}
	if s.Refused != "" {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "It cannot be split off", Text: sentence(s.Refused) + "."}
	}
	return v
}

func (p *portal) showMerge(w http.ResponseWriter, r *http.Request, status int, v orderView, problem *notice) error {
	if problem != nil {
		v.Problem = problem
	}
	for i := range v.Fields {
		v.Fields[i].Value = cmp.Or(v.Fields[i].Value, r.PostFormValue(v.Fields[i].Name))
	}
	crumbs := []link{{"People", "/people"}, {v.Head.Name, "/people/" + v.Head.ID}, {"Timeline", "/people/" + v.Head.ID + "/timeline"}, {v.Title, ""}}
	return p.show(w, r, status, page{Template: "order", Title: v.Title + ": " + v.Head.Name, Nav: "people", Crumbs: crumbs, Main: v})
}

// mergeNotDone is what stands above an order that was refused; nil: the error is none of those.
func mergeNotDone(view viewer, err error) *notice {
	for _, kind := range []error{dayone.ErrConflict, dayone.ErrInvalid, dayone.ErrForbidden, dayone.ErrNotFound} {
		if errors.Is(err, kind) {
			return &notice{Kind: "bad", Icon: "x", Title: "It was not done", Text: view.problem(err) + "."}
		}
	}
	return nil
}

// other is the person whom somebody typed.
func (p *portal) other(r *http.Request, who string) (dayone.PersonID, error) {
	if who = strings.TrimSpace(who); who == "" {
		return "", fmt.Errorf("say who the other is, by mail address, the whole name or id: %w", dayone.ErrInvalid)
	}
	row, err := p.flow.Named(r.Context(), who)
	return row.ID, err
}

func (p *portal) merge(w http.ResponseWriter, r *http.Request) error {
	return p.showMerging(w, r, http.StatusOK, r.URL.Query().Get("with"), nil)
}

func (p *portal) showMerging(w http.ResponseWriter, r *http.Request, status int, who string, problem *notice) error {
	row, head, err := p.aboutPerson(r, "timeline")
	if err != nil {
		return err
	}
	if who == "" {
		return p.showMerge(w, r, status, newMergeAsk(head, ""), problem)
	}
	id, err := p.other(r, who)
	var m flow.Merging
	if err == nil {
		m, err = p.flow.MergePreview(r.Context(), row.ID, id)
	}
	if err != nil {
		if n := mergeNotDone(p.viewerOf(r), err); n != nil {
			n.Title = "Nobody was found"
			return p.showMerge(w, r, http.StatusUnprocessableEntity, newMergeAsk(head, who), n)
		}
		return err
	}
	titles := p.titles()
	return p.showMerge(w, r, status, newMerge(p.viewerOf(r), head, m, func(s string) string { return cmp.Or(titles[s], s) }), problem)
}

func (p *portal) mergeIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	who := r.PostFormValue("with")
	other, err := p.other(r, who)
	if err == nil {
		_, err = p.flow.Merge(r.Context(), flow.Merger{Stays: id, Goes: other, By: me(r).Name, Reason: r.PostFormValue("reason")})
	}
	if n := mergeNotDone(p.viewerOf(r), err); n != nil {
		return p.showMerging(w, r, http.StatusConflict, who, n)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(id)+"/timeline?said=merged", http.StatusSeeOther)
	return nil
}

func (p *portal) split(w http.ResponseWriter, r *http.Request) error {
	return p.showSplit(w, r, http.StatusOK, r.URL.Query().Get("employment"), nil)
}

func (p *portal) showSplit(w http.ResponseWriter, r *http.Request, status int, employment string, problem *notice) error {
	row, head, err := p.aboutPerson(r, "timeline")
	if err != nil {
		return err
	}
	s, err := p.flow.SplitPreview(r.Context(), row.ID, employment)
	if err != nil {
		return err
	}
	return p.showMerge(w, r, status, newSplit(p.viewerOf(r), head, s), problem)
}

func (p *portal) splitIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	employment := r.PostFormValue("employment")
	off, err := p.flow.Split(r.Context(), flow.Splitter{Person: id, Employment: employment, By: me(r).Name, Reason: r.PostFormValue("reason")})
	if n := mergeNotDone(p.viewerOf(r), err); n != nil {
		return p.showSplit(w, r, http.StatusConflict, employment, n)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(off)+"/timeline?said=split", http.StatusSeeOther)
	return nil
}

// The API's own words.

type apiMergePerson struct {
	ID    dayone.PersonID `json:"id"`
	Name  string          `json:"name"`
	Email string          `json:"email,omitempty"`
}

type apiMerging struct {
	Stays       apiMergePerson     `json:"stays"`
	Goes        apiMergePerson     `json:"goes"`
	Refused     string             `json:"refused,omitempty"`
	Older       bool               `json:"goes_is_older"`
	Names       []apiKeptName      `json:"names"`
	Moves       []dayone.Key       `json:"moves"`
	Apart       []dayone.Key       `json:"apart"`
	Twice       []string           `json:"second_accounts"`
	GivenUp     []dayone.RunID     `json:"given_up"`
	Employments []apiMergeEmployed `json:"employments"`
	Standing    int                `json:"standing"`
}

type apiKeptName struct {
	Attribute string `json:"attribute"`
	Kept      string `json:"kept"`
	Other     string `json:"other"`
}

type apiMergeEmployed struct {
	ID      dayone.EngagementID `json:"id"`
	Source  string              `json:"source"`
	Subject string              `json:"subject"`
}

type apiMerge struct {
	ID          dayone.MergeID        `json:"id"`
	Person      dayone.PersonID       `json:"person"`
	Other       dayone.PersonID       `json:"other"`
	Made        *time.Time            `json:"made,omitempty"`
	By          string                `json:"by,omitempty"`
	Reason      string                `json:"reason,omitempty"`
	Undone      *time.Time            `json:"undone,omitempty"`
	UndoneBy    string                `json:"undone_by,omitempty"`
	Why         string                `json:"why,omitempty"`
	Employments []dayone.EngagementID `json:"employments"`
}

func newAPIMerge(m dayone.Merge) apiMerge {
	return apiMerge{m.ID, m.Person, m.Other, moment(m.Made), m.By, m.Reason, moment(m.Undone), m.UndoneBy, m.Why, append([]dayone.EngagementID{}, m.Engagements...)}
}

func runIDs(list []dayone.Run) []dayone.RunID {
	out := []dayone.RunID{}
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

func newAPIEmployed(list []dayone.Employment) []apiMergeEmployed {
	out := []apiMergeEmployed{}
	for _, e := range list {
		out = append(out, apiMergeEmployed{e.ID, e.Source, e.SourceID})
	}
	return out
}

func newAPIMerging(m flow.Merging) apiMerging {
	out := apiMerging{
		Stays: apiMergePerson{m.Stays.ID, m.Stays.Name, m.Stays.Email}, Goes: apiMergePerson{m.Goes.ID, m.Goes.Name, m.Goes.Email}, Refused: m.Refused, Older: m.Older, Names: []apiKeptName{},
		Moves: append([]dayone.Key{}, m.Moves...), Apart: append([]dayone.Key{}, m.Apart...), Twice: append([]string{}, m.Twice...), GivenUp: runIDs(m.GivenUp),
		Employments: newAPIEmployed(m.Employments), Standing: m.Tasks + m.Requests + m.Approvals,
	}
	for _, n := range m.Names {
		out.Names = append(out.Names, apiKeptName{n.Attr, n.Kept, n.Other})
	}
	return out
}

func (p *portal) apiMerges(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	list, err := p.flow.Merges(r.Context(), id)
	if err != nil {
		return err
	}
	out := apiPage[apiMerge]{Items: []apiMerge{}}
	for _, m := range list {
		out.Items = append(out.Items, newAPIMerge(m))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiMergePreview(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	other, err := p.other(r, r.URL.Query().Get("with"))
	if err != nil {
		return err
	}
	m, err := p.flow.MergePreview(r.Context(), id, other)
	if err != nil {
		return orderFound(err)
	}
	return answerJSON(w, http.StatusOK, newAPIMerging(m))
}

func (p *portal) apiMerge(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		With   string `json:"with"`
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	other, err := p.other(r, in.With)
	if err != nil {
		return err
	}
	m, err := p.flow.Merge(r.Context(), flow.Merger{Stays: id, Goes: other, By: me(r).Name, Reason: in.Reason})
	if err != nil {
		return orderFound(err)
	}
	return answerJSON(w, http.StatusOK, newAPIMerge(m))
}

type apiSplitting struct {
	Person      dayone.PersonID    `json:"person"`
	Merge       dayone.MergeID     `json:"merge,omitempty"`
	Other       dayone.PersonID    `json:"other,omitempty"`
	Refused     string             `json:"refused,omitempty"`
	Employments []apiMergeEmployed `json:"employments"`
	Back        []dayone.Key       `json:"back"`
	GivenUp     []dayone.RunID     `json:"given_up"`
}

func (p *portal) apiSplitPreview(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	s, err := p.flow.SplitPreview(r.Context(), id, r.URL.Query().Get("employment"))
	if errors.Is(err, dayone.ErrNotFound) && s.Person.ID != "" { // she is there, and the employment is not
		return said(err, sentence(flow.Problem(err))+".")
	}
	if err != nil {
		return orderFound(err)
	}
	out := apiSplitting{Person: id, Refused: s.Refused, Employments: newAPIEmployed(s.Employments), Back: append([]dayone.Key{}, s.Back...), GivenUp: runIDs(s.Given)}
	if s.Merge != nil {
		out.Merge, out.Other = s.Merge.ID, s.Merge.Other
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiSplit(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Employment string `json:"employment"`
		Reason     string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	off, err := p.flow.Split(r.Context(), flow.Splitter{Person: id, Employment: in.Employment, By: me(r).Name, Reason: in.Reason})
	if err != nil {
		return orderFound(err)
	}
	return answerJSON(w, http.StatusOK, struct {
		Person dayone.PersonID `json:"person"`
		Other  dayone.PersonID `json:"other"`
	}{id, off})
}
