package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// requestView is the form in which something that policies offer is asked for.
type requestView struct {
	Head    personHead
	Key     string
	What    string
	Role    string
	Asks    string // who has to agree, or that nobody has
	Lasts   string // how long the offer lasts, if not for ever
	By      field
	Reason  field
	Until   field
	Problem *notice
	Refused *notice // it is not offered
	Why     string
}

// requestPage is where an offer is asked for.
func requestPage(person dayone.PersonID, g dayone.Grant) string {
	return "/people/" + string(person) + "/request?key=" + url.QueryEscape(g.Key.String())
}

func (p *portal) request(w http.ResponseWriter, r *http.Request) error {
	return p.showRequest(w, r, http.StatusOK, r.URL.Query().Get("key"), nil)
}

func (p *portal) showRequest(w http.ResponseWriter, r *http.Request, status int, key string, problem *notice) error {
	row, head, err := p.aboutPerson(r, "access")
	if err != nil {
		return err
	}
	k, err := dayone.ParseKey(key)
	if err != nil {
		return refuse(dayone.ErrInvalid, "Choose what to request on the page of the person, under May be requested.")
	}
	look, err := p.flow.Preview(r.Context(), row.ID)
	if err != nil {
		return err
	}
	v := newRequest(p.viewerOf(r), head, k, look).called(p.viewerOf(r).thingAt(p.titles(), p.kindTitles(), k)).lasting(p.viewerOf(r), p.flow.Lasts(k, roleOffered(look, k)))
	v.Problem, v.By.Value, v.Reason.Value, v.Until.Value = problem, r.PostFormValue("by"), r.PostFormValue("reason"), r.PostFormValue("until")
	if problem != nil && strings.TrimSpace(v.Reason.Value) == "" {
		v.Reason.Error = "Say what it is needed for."
	}
	return p.show(w, r, status, page{Template: "request", Title: p.viewerOf(r).say("Request %s", v.What), Nav: "people", Crumbs: []link{{"People", "/people"}, {row.Name, "/people/" + head.ID}, {"Request", ""}}, Main: v})
}

// called names what is asked for as the configuration does.
func (v requestView) called(what string) requestView {
	v.What = what
	return v
}

func newRequest(view viewer, head personHead, k dayone.Key, look flow.Look) requestView {
	v := requestView{
		Head: head, Key: k.String(), What: view.thingAt(nil, nil, k), Why: whyHref(head.ID, k),
		By:     field{ID: "by", Name: "by", Label: "Who asks", Hint: "Mail address of whoever wants it: they do not decide about it. May stay empty. Who is logged in is recorded beside it", Type: "email"},
		Reason: field{ID: "reason", Name: "reason", Label: "What it is needed for", Hint: "Whoever has to agree reads it, and so does the auditor", Required: true, Type: "text"},
		Until:  field{ID: "until", Name: "until", Label: "Until", Hint: "The last day on which it is needed. May stay empty", Type: "date"},
	}
	if !look.Person.Managed {
		v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "Nothing can be requested", Text: "They are only known from an import: nothing is planned for them until HR hires them, or somebody gives them products.", Act: &link{"Add products", "/onboard/" + head.ID}}
		return v
	}
	for _, g := range look.Want.Offers {
		if g.Key != k {
			continue
		}
		v.Role, v.Asks = g.Role, "Nobody has to agree: it is given at once."
		if a := g.Approval; a != nil {
			text := "Given once one of these has agreed: %s."
			if a.Need == "all" {
				text = "Given once all of these have agreed: %s."
			}
			v.Asks = view.say(text, view.deciders(a.By))
		}
		return v
	}
	v.Refused = &notice{Kind: "warn", Icon: "warn", Title: "This is not offered", Text: "No policy offers it to this person now, or it is there already, or asked for.", Act: &link{"Why not", v.Why}}
	return v
}

// lasting says how long the offer lasts, if it ends by itself.
func (v requestView) lasting(view viewer, most time.Duration) requestView {
	if most > 0 {
		v.Lasts = view.say("It lasts %s from when it is given, also where a later day is entered.", view.hours(most))
	}
	return v
}

func roleOffered(look flow.Look, k dayone.Key) string {
	for _, g := range look.Want.Offers {
		if g.Key == k {
			return g.Role
		}
	}
	return ""
}

func (p *portal) requestIt(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if err := only(r, "key", "by", "reason", "until"); err != nil {
		return err
	}
	key := r.PostFormValue("key")
	q, err := p.ask(r, id, wish{key, "", r.PostFormValue("by"), r.PostFormValue("reason"), r.PostFormValue("until")})
	if errors.Is(err, dayone.ErrInvalid) || errors.Is(err, dayone.ErrConflict) || errors.Is(err, dayone.ErrForbidden) {
		return p.showRequest(w, r, http.StatusConflict, key, &notice{Kind: "bad", Icon: "x", Title: "It was not requested", Text: p.viewerOf(r).problem(err) + "."})
	}
	if err != nil {
		return err
	}
	p.said(w, r, "/people/"+string(id), "requested", &takeBack{Action: "/requests/" + string(q.ID) + "/end", Fields: because()})
	return nil
}

// wish is a request as somebody typed it.
type wish struct {
	Key    string `json:"key"`
	Role   string `json:"role"`
	By     string `json:"by"` // who asks; empty: whoever is logged in, if that is by mail address
	Reason string `json:"reason"`
	Until  string `json:"until"`
}

// ask enters a request.
func (p *portal) ask(r *http.Request, id dayone.PersonID, in wish) (dayone.Request, error) {
	k, err := dayone.ParseKey(strings.TrimSpace(in.Key))
	if err != nil {
		return dayone.Request{}, err
	}
	q := dayone.Request{Person: id, Key: k, Role: in.Role, By: in.By, Login: me(r).Name, Reason: strings.TrimSpace(in.Reason)}
	if in.Until != "" {
		row, err := p.flow.Person(r.Context(), id)
		if err != nil {
			return q, err
		}
		if q.Until, err = p.endOfDay(row, in.Until); err != nil {
			return q, err
		}
	}
	return p.flow.Request(r.Context(), q)
}

// endOfDay reads a last day, which counts to its end where somebody is; zero: none.
func (p *portal) endOfDay(row flow.Row, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, p.zoneOf(row.Location))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no day; write 2025-01-31: %w", text, dayone.ErrInvalid)
	}
	return day.AddDate(0, 0, 1), nil
}

func (p *portal) endRequest(w http.ResponseWriter, r *http.Request) error {
	q, err := p.stop(r)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/people/"+string(q.Person)+"?said=ended", http.StatusSeeOther)
	return nil
}

func (p *portal) stop(r *http.Request) (dayone.Request, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("req", id) {
		return dayone.Request{}, fmt.Errorf("%q is no id of a request: %w", id, dayone.ErrNotFound)
	}
	return p.flow.EndRequest(r.Context(), dayone.RequestID(id), me(r).Name, strings.TrimSpace(r.FormValue("reason")))
}

// requestBy says who asked, and who entered it.
func requestBy(view viewer, q dayone.Request) string {
	switch {
	case q.By == "":
		return view.say("entered by %s", q.Login)
	case q.Login == "" || q.Login == q.By:
		return view.say("by %s", q.By)
	}
	return view.say("by %s, entered by %s", q.By, q.Login)
}

const waitsApproval = "Waits for an approval."

// requestItem is a request that stands, on the page of its person.
func requestItem(view viewer, q dayone.Request, look flow.Look) item {
	if q.Product != "" {
		return item{
			Title: link{q.What(), "/onboard/" + string(q.Person) + "/result"}, At: view.at(q.Made), Meta: joined(", ", q.Reason, requestBy(view, q)) + ".",
			Next: untilText(view, q.Until), Acts: []act{{Text: "End it", Action: "/requests/" + string(q.ID) + "/end"}},
		}
	}
	it := item{
		Title: link{view.titled(q.Key), whyHref(string(q.Person), q.Key)}, At: view.at(q.Made), Meta: joined(", ", q.Reason, requestBy(view, q)) + ".",
		Acts: []act{{Text: "End it", Action: "/requests/" + string(q.ID) + "/end"}},
	}
	has := func(gs []dayone.Grant) *dayone.Grant {
		for i := range gs {
			if gs[i].Key == q.Key {
				return &gs[i]
			}
		}
		return nil
	}
	switch g := has(look.Want.Grants); {
	case g != nil:
		it.Next = untilText(view, g.Until)
	case has(look.Want.Pending) != nil:
		it.Next = view.label(waitsApproval)
	default:
		it.Next = view.label("Not given now: policies do not offer it any more, or its time is over.")
	}
	return it
}

// untilText says how long something is given.
func untilText(view viewer, until time.Time) string {
	if until.IsZero() {
		return view.label("Given until somebody ends it.")
	}
	return view.say("Given until %s.", view.at(until).Text)
}

// The API's own words.

type apiRequest struct {
	ID      dayone.RequestID `json:"id"`
	Person  dayone.PersonID  `json:"person"`
	Key     *dayone.Key      `json:"key,omitempty"`
	Product string           `json:"product,omitempty"` // instead of a key: all that belongs to it
	Role    string           `json:"role,omitempty"`
	By      string           `json:"by,omitempty"`
	Login   string           `json:"entered_by,omitempty"`
	Reason  string           `json:"reason"`
	Made    *time.Time       `json:"made"`
	Until   *time.Time       `json:"until,omitempty"`
	Lasts   string           `json:"lasts,omitempty"` // at most, once it is given
	Ended   *time.Time       `json:"ended,omitempty"`
	EndBy   string           `json:"ended_by,omitempty"`
}

func (p *portal) newAPIRequest(q dayone.Request) apiRequest {
	out := apiRequest{q.ID, q.Person, nil, q.Product, q.Role, q.By, q.Login, q.Reason, moment(q.Made), moment(q.Until), "", moment(q.Ended), q.EndBy}
	if q.Product != "" {
		return out
	}
	out.Key = &q.Key
	if most := p.flow.Lasts(q.Key, q.Role); most > 0 && q.Ended.IsZero() {
		out.Lasts = hours(most)
	}
	return out
}

func (p *portal) apiRequests(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	list, err := p.flow.Requests(r.Context(), id)
	if err != nil {
		return err
	}
	out := apiPage[apiRequest]{Items: []apiRequest{}}
	for _, q := range list {
		out.Items = append(out.Items, p.newAPIRequest(q))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiRequest(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in wish
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	q, err := p.ask(r, id, in)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusCreated, p.newAPIRequest(q))
}

func (p *portal) apiEndRequest(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(r); err != nil {
		return err
	}
	q, err := p.stop(r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, p.newAPIRequest(q))
}

// Samples for the gallery.

var sampleOffer = dayone.Key{System: "salesforce", Kind: "permset", Name: "discount-approver"}

func sampleRequests(now time.Time) flow.Look {
	granted := dayone.Key{System: "okta", Kind: "group", Name: "sales-reports"}
	asked := dayone.Key{System: "aws", Kind: "permission-set", Name: "sandbox"}
	return flow.Look{
		Person: dayone.Person{ID: samplePerson, Managed: true},
		Want: dayone.Want{
			Grants: []dayone.Grant{{Key: granted, Until: now.AddDate(0, 1, 0)}}, Pending: []dayone.Grant{{Key: asked}},
			Offers: []dayone.Grant{{Key: sampleOffer, Approval: &dayone.Approval{By: []string{"manager", "owner"}, Need: "all"}, Because: []dayone.Reason{{Policy: "sales-leads", At: "policies/sales.yaml:31"}}}},
		},
		Requests: []dayone.Request{
			{ID: "req_01jd9x0000000000000000000a", Person: samplePerson, Key: granted, By: "john.doe@company.com", Login: "administrator", Reason: "Covers for Max during his parental leave", Made: now.Add(-time.Hour)},
			{ID: "req_01jd9x0000000000000000000b", Person: samplePerson, Key: asked, Login: "administrator", Reason: "Proof of concept", Made: now.Add(-time.Minute)},
		},
	}
}

func sampleRefused(v requestView) requestView {
	v.Problem = &notice{Kind: "bad", Icon: "x", Title: "It was not requested", Text: "Say what it is needed for."}
	v.Reason.Error = "Say what it is needed for."
	return v
}
