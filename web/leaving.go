package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/paper"
)

// leavingView is everything about somebody's leaving: what can be done, and what every system said.
type leavingView struct {
	Head    personHead
	Held    *notice // a legal hold stands
	Acts    []item
	Newest  *certificateView
	History []item
	Heir    *heirView
	Make    string // where a certificate is asked for; "": they have not left
	Empty   *empty
}

type certificateView struct {
	ID      string
	Summary notice
	At      *stamp
	Facts   []pair
	Systems []readBackView
	Others  []item
	PDF     string
}

type readBackView struct {
	Title     string
	State     state
	Accounts  string
	Findings  []item
	Unchecked string
}

func verdictState(v dayone.SystemVerdict) state {
	switch v {
	case dayone.Closed:
		return state{Icon: "check", Class: "s-done", Text: "Closed"}
	case dayone.StillOpen:
		return state{Icon: "x", Class: "s-fail", Text: "Open"}
	case dayone.ByHand:
		return state{Icon: "clock", Class: "s-wait", Text: "A human has something to do"}
	}
	return state{Icon: "warn", Class: "s-wait", Text: "Could not be read"}
}

func remainItems(view viewer, list []dayone.Remain) (out []item) {
	for _, m := range list {
		next := ""
		if m.Act != "" {
			next = sentence(view.heard(m.Act)) + "."
		}
		name := m.Name
		if m.Class == dayone.Unread { // a kind, and no name that somebody gave: that stays as it is written
			name = sentence(view.kind(name))
		}
		out = append(out, item{Title: link{name, ""}, Meta: joined(": ", sentence(view.label(string(m.Class))), view.heard(m.Note)), Next: next})
	}
	return out
}

// certified is what the certificate comes to, as its paper says it.
func certified(view viewer, c dayone.Certificate) string {
	n := c.Counts()
	if c.Clean() {
		return view.plural(len(c.Systems), "1 system was read, and nothing is open.", "%d systems were read, and nothing is open.")
	}
	out := view.say("%d systems: %d closed, %d open, %d not readable, %d waiting for a human.", len(c.Systems), n[dayone.Closed], n[dayone.StillOpen], n[dayone.Unreadable], n[dayone.ByHand])
	if len(c.Others) > 0 {
		out += " " + view.say("In our own books: %d to be done.", len(c.Others))
	}
	return out
}

func newCertificate(view viewer, c dayone.Certificate) *certificateView {
	v := &certificateView{
		ID: string(c.ID), At: view.at(c.Made), PDF: "/people/" + string(c.Person) + "/certificates/" + string(c.ID) + "/pdf",
		Summary: notice{Icon: "check", Title: "Nothing is open", Text: certified(view, c)},
		Facts: []pair{
			{Name: "Made by", Value: cmp.Or(c.By, view.label("Dayone by itself"))},
			{Name: "Policies", Value: c.Policy, Code: true},
			{Name: "Ledger", Value: view.say("up to line %d", c.Seq)},
			{Name: "Chain", Value: c.Chain, Code: true},
			{Name: "Lines about them", Value: view.number(c.Lines)},
		},
		Others: remainItems(view, c.Others),
	}
	if n := c.Counts(); !c.Clean() {
		v.Summary.Kind, v.Summary.Icon, v.Summary.Title = "warn", "warn", "Something is left to do"
		if n[dayone.StillOpen] > 0 {
			v.Summary.Kind, v.Summary.Title = "bad", "Something is open"
		} else if n[dayone.Unreadable] > 0 {
			v.Summary.Title = "Not everything could be read"
		}
	}
	for _, s := range c.Systems {
		r := readBackView{Title: s.Title, State: verdictState(s.Verdict), Findings: remainItems(view, s.Findings)}
		switch {
		case len(s.Accounts) > 0:
			r.Accounts = view.say("Looked at by id: %s", strings.Join(s.Accounts, ", "))
		case s.Verdict == dayone.Closed:
			r.Accounts = "It shows nothing of theirs."
		}
		if len(s.Unchecked) > 0 {
			r.Unchecked = view.say("Not told by this system, so not checked: %s.", view.labels(s.Unchecked))
		}
		v.Systems = append(v.Systems, r)
	}
	return v
}

// leavingActs are what can be done, by how the person stands.
func leavingActs(view viewer, id string, left, stopped bool, held bool, may func(pattern string) bool) []item {
	to := func(what string) string { return "/people/" + id + "/" + what }
	var out []item
	switch {
	case stopped:
		out = append(out, item{Title: link{view.label("Give access back"), to("reinstate")}, Meta: view.label("Access was ended here, at once. What HR says counts again."), Open: &link{"Reinstate", to("reinstate")}})
	case !left:
		out = append(out, item{Title: link{view.label("End all access now"), to("terminate")}, Meta: view.label("For an emergency: it does not wait for HR, nor for the end of the day."), Open: &link{"Terminate now", to("terminate")}})
	}
	if held {
		out = append(out, item{Title: link{view.label("Release the legal hold"), to("release")}, Meta: view.label("Deletions go on by the timers as they stand."), Open: &link{"Release", to("release")}})
	} else {
		out = append(out, item{Title: link{view.label("Place a legal hold"), to("hold")}, Meta: view.label("Nothing of theirs is deleted until somebody releases it."), Open: &link{"Legal hold", to("hold")}})
	}
	out = append(out,
		item{Title: link{view.label("Hand out what is known of them"), ""}, Meta: view.label("One file with everything that is kept, without credentials. It is recorded that it was made."), Acts: []act{{Text: "Export", Action: to("export")}}},
		item{Title: link{view.label("Erase what is known of them"), to("erase")}, Meta: view.label("Destroys the key of their values, for good. Proofs still verify."), Open: &link{"Erase", to("erase")}},
	)
	return slices.DeleteFunc(out, func(it item) bool { // what would only be refused is not offered
		pattern := "POST /people/{id}/export"
		if it.Open != nil {
			pattern = "GET /people/{id}/" + it.Open.Href[strings.LastIndex(it.Open.Href, "/")+1:]
		}
		return !may(pattern)
	})
}

func (p *portal) leaving(w http.ResponseWriter, r *http.Request) error {
	row, head, err := p.aboutPerson(r, "leaving")
	if err != nil {
		return err
	}
	look, err := p.flow.Preview(r.Context(), row.ID)
	if err != nil && dayone.KindOf(err) == nil {
		return err
	}
	holds, err := p.flow.LegalHolds(r.Context(), row.ID)
	if err != nil {
		return err
	}
	list, err := p.flow.Certificates(r.Context(), row.ID)
	if err != nil {
		return err
	}
	heir, err := p.flow.Succession(r.Context(), row.ID)
	if err != nil && !errors.Is(err, dayone.ErrNotFound) {
		return err
	}
	return p.showPerson(w, r, "leaving", row, newLeaving(p.viewerOf(r), head, look.Person, holds, list, heir, func(pattern string) bool { return p.shows(r, pattern) }))
}

func newLeaving(view viewer, head personHead, person dayone.Person, holds []dayone.LegalHold, list []dayone.Certificate, heir dayone.Succession, may func(pattern string) bool) leavingView {
	v := leavingView{Head: head}
	if !heir.Made.IsZero() {
		v.Heir = newHeir(view, heir)
	}
	held := false
	for _, h := range holds {
		if h.Ended.IsZero() {
			held = true
			v.Held = &notice{Kind: "warn", Icon: "pause", Title: "A legal hold stands", Text: view.say("%s, by %s, since %s. Nothing of theirs is deleted.", h.Reason, h.By, view.at(h.From).Text)}
		}
	}
	left := person.Status == dayone.Left
	v.Acts = leavingActs(view, head.ID, left, person.Stopped, held, may)
	if left && may("POST /people/{id}/certificates") {
		v.Make = "/people/" + head.ID + "/certificates"
	}
	for i, c := range list {
		if i == 0 {
			v.Newest = newCertificate(view, c)
			continue
		}
		st := state{Icon: "check", Class: "s-done", Text: "Nothing open"}
		if !c.Clean() {
			st = state{Icon: "warn", Class: "s-wait", Text: "Something open or unknown"}
		}
		v.History = append(v.History, item{State: &st, Title: link{view.at(c.Made).Text, ""}, Meta: certified(view, c), Open: &link{"PDF", "/people/" + head.ID + "/certificates/" + string(c.ID) + "/pdf"}})
	}
	switch {
	case len(list) > 0:
	case left:
		v.Empty = &empty{Icon: "record", Title: "No certificate yet", Text: "One is made by itself an hour after they have left. Make one now to see what every system says."}
	default:
		v.Empty = &empty{Icon: "record", Title: "They have not left", Text: "Once they have, every system is read back and what it says is kept here."}
	}
	return v
}

func (p *portal) makeCertificate(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Certify(r.Context(), id, me(r).Name); err != nil {
		return orderFound(err)
	}
	http.Redirect(w, r, "/people/"+string(id)+"/leaving?said=certified", http.StatusSeeOther)
	return nil
}

// certificateOf is the certificate that an address names; "latest" is the newest.
func (p *portal) certificateOf(r *http.Request) (dayone.Certificate, error) {
	id, err := personID(r)
	if err != nil {
		return dayone.Certificate{}, err
	}
	list, err := p.flow.Certificates(r.Context(), id)
	if err != nil {
		return dayone.Certificate{}, err
	}
	want := r.PathValue("certificate")
	for _, c := range list {
		if string(c.ID) == want || want == "latest" {
			return c, nil
		}
	}
	return dayone.Certificate{}, fmt.Errorf("this person has no certificate %q: %w", want, dayone.ErrNotFound)
}

func (p *portal) certificatePDF(w http.ResponseWriter, r *http.Request) error {
	c, err := p.certificateOf(r)
	if err != nil {
		return err
	}
	row, err := p.flow.Person(r.Context(), c.Person)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="leaver-certificate-`+string(c.ID)+`.pdf"`)
	h.Set("Cache-Control", "no-store")
	look := p.flow.Looks(r.Context())
	return paper.Certificate(w, c, p.zoneOf(row.Location), paper.Letterhead{Company: p.flow.CompanyName(r.Context()), Logo: look.Logo})
}

// export answers with a file of everything that is known of somebody.
func (p *portal) export(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	x, err := p.flow.ExportPerson(r.Context(), id, me(r).Name)
	if err != nil {
		return orderFound(err)
	}
	raw, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="person-`+string(id)+`.json"`)
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(append(raw, '\n'))
	return err
}

// orderFound makes errors of orders readable: what they say was written for whoever gives one.
func orderFound(err error) error {
	for _, kind := range []error{dayone.ErrConflict, dayone.ErrInvalid, dayone.ErrForbidden} {
		if errors.Is(err, kind) {
			return said(err, sentence(flow.Problem(err))+".")
		}
	}
	return err
}

// The API's own words.

type apiTerminated struct {
	Person dayone.PersonID `json:"person"`
	At     *time.Time      `json:"at"`
	Run    dayone.RunID    `json:"run,omitempty"`
	Note   string          `json:"note,omitempty"`
}

func newAPITerminated(t flow.Terminated) apiTerminated {
	return apiTerminated{t.Person, moment(t.At), t.Run, t.Note}
}

type apiOrdered struct {
	Reason    string `json:"reason"`
	Token     string `json:"token"`
	Successor string `json:"successor"`
}

func (p *portal) apiTerminatePreview(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	look, err := p.flow.TerminatePreview(r.Context(), id)
	if err != nil {
		return orderFound(err)
	}
	out := apiClosing{Items: []apiCloses{}, Stays: newAPIStays(look.Stays), Tasks: look.Tasks, Summary: look.Summary()}
	for _, s := range look.ByUs {
		out.Items = append(out.Items, apiCloses{s.Key, s.Action, false})
	}
	for _, s := range look.ByPeople {
		out.Items = append(out.Items, apiCloses{s.Key, s.Action, true})
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiClosing is what would be closed, and what would stay open.
type apiClosing struct {
	Items   []apiCloses `json:"items"`
	Stays   []apiStays  `json:"stays"`
	Tasks   int         `json:"tasks"`
	Summary string      `json:"summary,omitempty"`
}

type apiCloses struct {
	Key    dayone.Key    `json:"key"`
	Action dayone.Action `json:"action"`
	ByHand bool          `json:"by_hand"`
}

type apiStays struct {
	Key   dayone.Key `json:"key"`
	Legal bool       `json:"legal_hold"`
	Ended bool       `json:"not_managed"`
	Why   string     `json:"why"`
}

func newAPIStays(list []flow.Staying) []apiStays {
	out := []apiStays{}
	for _, x := range list {
		out = append(out, apiStays{x.Key, x.Legal, x.Ended, x.Why})
	}
	return out
}

// apiLeavingWord reads who is meant and why, and gives the order.
func apiLeavingWord[T any](order func(r *http.Request, id dayone.PersonID, in apiOrdered) (T, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := personID(r)
		if err != nil {
			return err
		}
		var in apiOrdered
		if err := readJSON(r.Body, &in); err != nil {
			return err
		}
		out, err := order(r, id, in)
		if err != nil {
			return orderFound(err)
		}
		return answerJSON(w, http.StatusOK, out)
	}
}

func (p *portal) apiTerminate(r *http.Request, id dayone.PersonID, in apiOrdered) (apiTerminated, error) {
	t, err := p.flow.Terminate(r.Context(), id, me(r).Name, in.Reason, in.Successor)
	return newAPITerminated(t), err
}

func (p *portal) apiReinstate(r *http.Request, id dayone.PersonID, in apiOrdered) (apiTerminated, error) {
	t, err := p.flow.Reinstate(r.Context(), id, me(r).Name, in.Reason)
	return newAPITerminated(t), err
}

type apiLegalHold struct {
	ID      dayone.LegalHoldID `json:"id"`
	Reason  string             `json:"reason"`
	By      string             `json:"by,omitempty"`
	From    *time.Time         `json:"from"`
	Ended   *time.Time         `json:"ended,omitempty"`
	EndedBy string             `json:"ended_by,omitempty"`
	Why     string             `json:"why,omitempty"`
}

func newAPILegalHold(h dayone.LegalHold) apiLegalHold {
	return apiLegalHold{h.ID, h.Reason, h.By, moment(h.From), moment(h.Ended), h.EndedBy, h.Why}
}

func (p *portal) apiLegalHolds(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	if _, err := p.flow.Person(r.Context(), id); err != nil {
		return err
	}
	list, err := p.flow.LegalHolds(r.Context(), id)
	if err != nil {
		return err
	}
	out := apiPage[apiLegalHold]{Items: []apiLegalHold{}}
	for _, h := range list {
		out.Items = append(out.Items, newAPILegalHold(h))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiHold(r *http.Request, id dayone.PersonID, in apiOrdered) (apiLegalHold, error) {
	h, err := p.flow.HoldLegally(r.Context(), id, me(r).Name, in.Reason)
	return newAPILegalHold(h), err
}

func (p *portal) apiRelease(r *http.Request, id dayone.PersonID, in apiOrdered) (apiLegalHold, error) {
	h, err := p.flow.ReleaseLegally(r.Context(), id, me(r).Name, in.Reason)
	return newAPILegalHold(h), err
}

func (p *portal) apiCertificates(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	list, err := p.flow.Certificates(r.Context(), id)
	if err != nil {
		return err
	}
	out := apiPage[dayone.Certificate]{Items: []dayone.Certificate{}}
	out.Items = append(out.Items, list...)
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiCertify(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	c, err := p.flow.Certify(r.Context(), id, me(r).Name)
	if err != nil {
		return orderFound(err)
	}
	return answerJSON(w, http.StatusCreated, c)
}

type apiErasure struct {
	Person   dayone.PersonID `json:"person"`
	Name     string          `json:"name"`
	Refused  string          `json:"refused,omitempty"`
	From     *time.Time      `json:"from,omitempty"`
	Accounts []dayone.Key    `json:"accounts"`
	Stays    []apiStays      `json:"stays"`
	Runs     int             `json:"runs"`
	Lines    int             `json:"lines"`
	Token    string          `json:"token,omitempty"`
}

func (p *portal) apiErasePreview(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	e, err := p.flow.ErasePreview(r.Context(), id)
	if err != nil {
		return orderFound(err)
	}
	return answerJSON(w, http.StatusOK, apiErasure{id, e.Row.Name, e.Refused, moment(e.From), append([]dayone.Key{}, e.Accounts...), newAPIStays(e.Stays), e.Runs, e.Lines, e.Token})
}

func (p *portal) apiErase(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in apiOrdered
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if err := p.flow.Erase(r.Context(), id, me(r).Name, in.Reason, in.Token); err != nil {
		return orderFound(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
