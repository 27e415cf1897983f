package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type approvalsView struct {
	Sentence string
	Open     []item
	Waiting  string // how many of them there are
	Next     string // where those are that are due later
	Past     []item
	Older    string // where those are that were asked for before
	First    bool   // the page begins with what is due first, and with the latest
	Empty    *empty
	StandIns []item
	Problem  *notice // of the form below
	Given    map[string]string
	Own      string // for whom alone its reader may say it; "": for anybody
	Fixed    bool   // its reader may let nobody decide for somebody else
}

type approvalView struct {
	ID               string
	Title            string
	State            state
	Facts            []pair
	WhoTitle         string
	Deciders         []item // who may still decide; once that is over, who was asked
	Said             []item
	Decide           []choice // who may still decide; empty: nobody, or it is over
	Alone            bool     // whoever looks is the only one of them, and enters nothing for anybody else
	Of               string   // chosen
	Reason           string   // as it was typed
	Problem          *notice
	Over             *notice
	Again            bool // it may be asked anew
	AskBy, AskReason field
}

// choice is one line of a select.
type choice struct {
	Value, Text string
	Selected    bool
}

// How many requests a page shows that wait, and that are decided.
const (
	waitingShown = 100
	pastShown    = 50
)

func (p *portal) approvals(w http.ResponseWriter, r *http.Request) error {
	return p.showApprovals(w, r, http.StatusOK, nil, nil)
}

func (p *portal) showApprovals(w http.ResponseWriter, r *http.Request, status int, problem *notice, given map[string]string) error {
	ctx, view := r.Context(), p.viewerOf(r)
	list, err := p.listApprovals(r)
	if err != nil {
		return err
	}
	own, err := p.flow.OwnPerson(ctx)
	if err != nil {
		return err
	}
	standIns, err := p.standIns(ctx, view, own)
	if err != nil {
		return err
	}
	for i := range list.open {
		list.open[i].reader = me(r).Name
	}
	v := newApprovals(view, list, standIns)
	v.Problem, v.Given = problem, given
	others, err := p.flow.ForOthers(ctx)
	if err != nil {
		return err
	}
	if !others && own != "" {
		row, err := p.flow.Person(ctx, own)
		if err != nil {
			return err
		}
		v.Own = cmp.Or(row.Email, me(r).Name)
	}
	if v.Fixed = !p.shows(r, "POST /delegations") || !others && v.Own == ""; v.Fixed {
		for i := range v.StandIns {
			v.StandIns[i].Acts = nil
		}
	}
	return p.show(w, r, status, page{Template: "approvals", Title: "Approvals", Nav: "approvals", Crumbs: []link{{"Approvals", ""}}, Main: v})
}

// approvalList is a page of requests: those that wait and those that are decided, each by itself, so that none of these hides
// any of those. Further pages have one of both.
type approvalList struct {
	open, past  []petition
	count       int // of all that wait
	next, older string
	further     bool
}

func (p *portal) listApprovals(r *http.Request) (l approvalList, err error) {
	ctx, view, q := r.Context(), p.viewerOf(r), r.URL.Query()
	waits := flow.ApprovalFilter{Open: true, Limit: waitingShown + 1}
	if err = after(&waits, q); err != nil {
		return l, err
	}
	over := flow.ApprovalFilter{Over: true, Before: dayone.ApprovalID(q.Get("before")), Limit: pastShown + 1}
	l.further = waits.AfterID != "" || over.Before != ""
	if l.count, err = p.flow.CountApprovals(ctx); err != nil {
		return l, err
	}
	if over.Before == "" {
		list, err := p.flow.Approvals(ctx, waits)
		if err != nil {
			return l, err
		}
		if len(list) > waitingShown {
			list = list[:waitingShown]
			l.next = address("/approvals", url.Values{"after": {approvalMark(list[waitingShown-1])}})
		}
		if l.open, err = p.petitions(ctx, view, list); err != nil {
			return l, err
		}
	}
	if waits.AfterID == "" {
		list, err := p.flow.Approvals(ctx, over)
		if err != nil {
			return l, err
		}
		if len(list) > pastShown {
			list = list[:pastShown]
			l.older = address("/approvals", url.Values{"before": {string(list[pastShown-1].ID)}})
		}
		if l.past, err = p.petitions(ctx, view, list); err != nil {
			return l, err
		}
	}
	return l, nil
}

// approvalMark is where a list of requests that wait goes on.
func approvalMark(q dayone.Petition) string { return dueMark(q.Due, string(q.ID)) }

// after lets a list of requests go on where an address says.
func after(f *flow.ApprovalFilter, q url.Values) error {
	due, id, err := markOf(q)
	f.AfterDue, f.AfterID = due, dayone.ApprovalID(id)
	return err
}

func newApprovals(view viewer, l approvalList, standIns []item) approvalsView {
	v := approvalsView{
		Sentence: view.plural(l.count, "1 request waits for an answer.", "%d requests wait for an answer."), StandIns: standIns,
		Waiting: view.number(l.count), Next: l.next, Older: l.older, First: !l.further,
	}
	for _, x := range l.open {
		v.Open = append(v.Open, approvalItem(view, x))
	}
	for _, x := range l.past {
		v.Past = append(v.Past, approvalItem(view, x))
	}
	if l.count == 0 {
		v.Sentence = "Nobody waits for an answer."
	}
	if len(l.open) == 0 && v.First {
		v.Empty = &empty{Icon: "hand", Title: "Nothing to decide", Text: "A request appears when a policy gives something with approval: in its line, or the catalogue calls it sensitive. Somebody may also ask for what is only offered: on the page of the person who is to have it.", Acts: []link{{"Choose a person", "/people"}}}
	}
	return v
}

func (p *portal) approvalOf(r *http.Request) (petition, error) {
	id := r.PathValue("id")
	if !dayone.ValidID("apr", id) {
		return petition{}, said(fmt.Errorf("%q is no id of a request: %w", id, dayone.ErrNotFound), "There is no such request. The list of approvals shows what waits.")
	}
	req, err := p.flow.Approval(r.Context(), dayone.ApprovalID(id))
	is := me(r)
	if hers := !is.Role.In(mayDo(r, approvals)); err != nil && !(hers && errors.Is(err, dayone.ErrNotFound)) {
		return petition{}, err
	} else if hers && (err != nil || !isAsked(req, is.Name)) { // one that is there is told from none by nothing
		return petition{}, said(fmt.Errorf("approval %s is not hers: %w", id, dayone.ErrNotFound), "There is no such request, or it is not you who is asked.")
	}
	return p.petition(r.Context(), p.viewerOf(r), req)
}

// mayDo are those for whom a page is, whoever is asked; answering is for fewer than reading.
func mayDo(r *http.Request, reading []dayone.Role) []dayone.Role {
	if r.Method == http.MethodPost {
		return deciders
	}
	return reading
}

// isAsked says whether somebody may decide a request.
func isAsked(q dayone.Petition, login string) bool {
	return slices.ContainsFunc(q.Deciders, func(d dayone.Decider) bool { return strings.EqualFold(d.Mail, login) })
}

// hers leaves of the page what is for somebody who is asked, and runs nothing here: her own answer, and no way elsewhere.
func (v approvalView) hers(login string) approvalView {
	v.Decide, v.Again = v.own(login), false
	for i := range v.Facts {
		v.Facts[i].Href = ""
	}
	return v
}

// own leaves of those who may still decide whoever asks.
func (v approvalView) own(login string) []choice {
	return slices.DeleteFunc(v.Decide, func(c choice) bool { return !strings.EqualFold(c.Value, login) })
}

// answersFor is for whom somebody answers.
func (p *portal) answersFor(r *http.Request, of string) (string, error) {
	is := me(r)
	switch others, err := p.flow.ForOthers(r.Context()); {
	case err != nil || others:
		return of, err
	case is.Role.In(deciders) && of != "" && !strings.EqualFold(of, is.Name):
		return "", refuse(dayone.ErrForbidden, "You answer for yourself alone. Whoever else is asked has to sign in, or to name a delegate; an administrator may enter an answer for them.")
	}
	return is.Name, nil
}

// choosesAlone says whether somebody decides for herself alone, so that there is nothing to choose. Where she is one of
// several, she is the one chosen unless she has chosen.
func choosesAlone(list []choice, login string, fresh bool) bool {
	for i := range list {
		if strings.EqualFold(list[i].Value, login) {
			list[i].Selected = list[i].Selected || fresh
			return len(list) == 1
		}
	}
	return false
}

// approval is where the link in the mail leads. Opening it decides nothing: scanners open links, too.
func (p *portal) approval(w http.ResponseWriter, r *http.Request) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	return p.showApproval(w, r, http.StatusOK, newApproval(p.viewerOf(r), x))
}

func (p *portal) showApproval(w http.ResponseWriter, r *http.Request, status int, v approvalView) error {
	from := link{"Approvals", "/approvals"}
	others, err := p.flow.ForOthers(r.Context())
	if err != nil {
		return err
	}
	switch is := me(r); {
	case !is.Role.In(approvals):
		v, from = v.hers(is.Name), link{"You", "/me"}
	case !others:
		v.Decide, v.Again, v.AskBy = v.own(is.Name), v.Again && is.Role.In(deciders), field{}
	}
	v.Alone = choosesAlone(v.Decide, me(r).Name, v.Of == "")
	return p.show(w, r, status, page{Template: "approval", Title: v.Title, Nav: "approvals", Crumbs: []link{from, {v.Title, ""}}, Main: v})
}

func newApproval(view viewer, x petition) approvalView {
	q := x.req
	v := approvalView{ID: string(q.ID), Title: view.say("May %s have this: %s?", x.row.Name, x.wish(view)), State: *new(state)}
	st := approvalState(q, view.now)
	v.State = *st.tag()
	who := pair{Name: "For", Value: x.row.Name, Href: "/people/" + string(q.Person)}
	v.Facts = append(v.Facts, who, pair{Name: "Access", Value: q.Key.String(), Code: true, Href: whyHref(string(q.Person), q.Key)})
	v.Facts = append(v.Facts, whyFacts(q.Because, x.policy)...)
	need := "any one of those named"
	if q.Rule.Need == "all" {
		need = "one for each of those named"
	}
	v.Facts = append(v.Facts, pair{Name: "Asks", Value: sentence(view.deciders(q.Rule.By))}, pair{Name: "It takes", Value: sentence(view.label(need))}, pair{Name: "Since", At: view.at(q.Opened)}, pair{Name: "Due", At: view.at(q.Due)})
	asked := []struct {
		name string
		at   time.Time
	}{{"Asked", q.Asked}, {"Reminded", q.Reminded}, {"One more asked", q.Escalated}}
	if x.mute {
		asked = nil
		v.Facts = append(v.Facts, pair{Name: "Asked", Value: view.label(textNoMail)})
	}
	for _, f := range asked {
		if s := view.at(f.at); s != nil {
			v.Facts = append(v.Facts, pair{Name: f.name, At: s})
		}
	}
	for _, a := range q.Asks {
		v.Facts = append(v.Facts, pair{Name: "Asked for by", Value: askedBy(view, a)})
		if a.Reason != "" {
			v.Facts = append(v.Facts, pair{Name: "Needed for", Value: a.Reason})
		}
	}
	if x.run.Href != "" {
		v.Facts = append(v.Facts, pair{Name: "Run", Value: view.label(x.run.Text), Href: x.run.Href})
	}
	said := map[string]bool{}
	for _, vote := range q.Votes {
		said[vote.Of] = true
		st := approvalTexts[dayone.ApprovalRefused]
		if vote.Yes {
			st = approvalTexts[dayone.ApprovalGiven]
		}
		answer := item{State: &st, Title: link{Text: vote.Of}, At: view.at(vote.At), Next: vote.Reason}
		if vote.Who() != vote.Of {
			answer.Meta = view.say("Entered by %s", vote.By)
		}
		v.Said = append(v.Said, answer)
	}
	seen := map[string]bool{}
	v.WhoTitle = "Who may decide"
	if q.State != dayone.ApprovalOpen {
		v.WhoTitle = "Who was asked"
	}
	for _, d := range q.Deciders {
		if q.State == dayone.ApprovalOpen && said[d.Mail] { // their answer stands above, and is their last
			continue
		}
		v.Deciders = append(v.Deciders, item{Title: link{Text: d.Mail}, Meta: sentence(view.in.Asked(d.Why))})
		if q.State == dayone.ApprovalOpen && !seen[d.Mail] {
			seen[d.Mail] = true
			v.Decide = append(v.Decide, choice{Value: d.Mail, Text: fmt.Sprintf("%s (%s)", d.Mail, view.in.Asked(d.Why))})
		}
	}
	switch q.State {
	case dayone.ApprovalOpen:
		if len(v.Decide) == 0 {
			v.Problem = &notice{Kind: "warn", Icon: "warn", Title: "Nobody is found who may decide", Text: "Name somebody in `approvals.fallback` of `dayone.yaml`, or let somebody decide for who is away. Without an answer it is not given."}
		}
	case dayone.ApprovalGiven:
		v.Over = &notice{Kind: "good", Icon: "check", Title: "Approved", Text: "It is given for as long as the policy wants it."}
	case dayone.ApprovalRefused, dayone.ApprovalExpired:
		v.Over = &notice{Kind: "warn", Icon: "x", Title: approvalTexts[q.State].Text, Text: "It is not given, and not asked for again by itself."}
		v.Again = q.Ended.IsZero()
		v.AskBy = field{ID: "ask-by", Name: "by", Label: "Who asks", Hint: "Mail address of whoever wants it. May stay empty. Who is logged in is recorded beside it", Type: "email"}
		v.AskReason = field{ID: "ask-reason", Name: "reason", Label: "What it is needed for", Hint: "Whoever decides reads it. May stay empty"}
	default:
		v.Over = &notice{Icon: "info", Title: approvalTexts[q.State].Text, Text: "The policies do not give it any more, so nobody has to answer."}
		if q.Why != "" {
			v.Over = &notice{Icon: "info", Title: st.Text, Text: sentence(view.in.Heard(q.Why)) + "."}
		}
	}
	return v
}

// askedBy says who asked, and who entered it.
func askedBy(view viewer, a dayone.Ask) string {
	switch {
	case a.Of == "":
		return view.say("entered by %s", a.By)
	case a.By == "" || a.By == a.Of:
		return a.Of
	}
	return view.say("%s, entered by %s", a.Of, a.By)
}

// decideApproval takes the form. What cannot be is said on the page, with what was typed kept.
func (p *portal) decideApproval(w http.ResponseWriter, r *http.Request) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", err, dayone.ErrInvalid)
	}
	a := flow.Reply{By: me(r).Name, Reason: strings.TrimSpace(r.PostForm.Get("reason"))}
	if a.Of, err = p.answersFor(r, r.PostForm.Get("of")); err != nil {
		return err
	}
	list := "/approvals"
	if !me(r).Role.In(deciders) {
		list = "/me"
	}
	switch r.PostForm.Get("verdict") {
	case "approve":
		a.Yes = true
	case "refuse":
	default:
		return refuse(dayone.ErrInvalid, "Choose to approve or to refuse.")
	}
	_, err = p.flow.Answer(r.Context(), x.req.ID, a)
	status, problem := 0, ""
	switch {
	case err == nil:
		http.Redirect(w, r, list+"?said=answered", http.StatusSeeOther)
		return nil
	case errors.Is(err, dayone.ErrInvalid), errors.Is(err, dayone.ErrForbidden):
		status, problem = http.StatusUnprocessableEntity, p.viewerOf(r).problem(err)
	case errors.Is(err, dayone.ErrConflict):
		return p.notDecided(w, r, a, err)
	default:
		return err
	}
	v := newApproval(p.viewerOf(r), x)
	v.Problem = &notice{Kind: "bad", Icon: "x", Title: "This was not decided", Text: problem}
	v.Of, v.Reason = a.Of, a.Reason
	for i := range v.Decide {
		v.Decide[i].Selected = v.Decide[i].Value == a.Of
	}
	return p.showApproval(w, r, status, v)
}

// notDecided says to whoever came second that the answer was not taken, and whose was. The same answer of the same login, as a
// double click sends it, was taken.
func (p *portal) notDecided(w http.ResponseWriter, r *http.Request, a flow.Reply, why error) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	of := cmp.Or(a.Of, a.By)
	if slices.ContainsFunc(x.req.Votes, func(v dayone.Vote) bool {
		return strings.EqualFold(v.Of, of) && strings.EqualFold(v.By, a.By) && v.Yes == a.Yes
	}) {
		http.Redirect(w, r, "/approvals/"+string(x.req.ID), http.StatusSeeOther)
		return nil
	}
	v := newApproval(p.viewerOf(r), x)
	v.Problem = &notice{Kind: "warn", Icon: "warn", Title: textNotTaken, Text: p.viewerOf(r).answered(x.req, of, why)}
	v.Of, v.Reason = a.Of, a.Reason
	return p.showApproval(w, r, http.StatusConflict, v)
}

// answered says who had answered before; why is told where nobody had.
func (v viewer) answered(q dayone.Petition, of string, why error) string {
	i := slices.IndexFunc(q.Votes, func(x dayone.Vote) bool { return strings.EqualFold(x.Of, of) })
	switch q.State {
	case dayone.ApprovalOpen:
	case dayone.ApprovalGiven, dayone.ApprovalRefused:
		i = len(q.Votes) - 1 // what decided it
	default:
		return v.label(approvalState(q, v.now).Text) + "."
	}
	if i < 0 {
		return v.problem(why) + "."
	}
	who, at := q.Votes[i].Of, v.at(q.Votes[i].At).Text
	if q.Votes[i].Who() != who {
		who = v.say("%s, entered by %s", who, q.Votes[i].By)
	}
	if q.Votes[i].Yes {
		return v.say("%s: approved on %s.", who, at)
	}
	return v.say("%s: refused on %s.", who, at)
}

func (p *portal) askAnew(w http.ResponseWriter, r *http.Request) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	fresh, err := p.flow.AskAnew(r.Context(), x.req.ID, dayone.Ask{Of: r.PostFormValue("by"), By: me(r).Name, Reason: r.PostFormValue("reason")})
	if errors.Is(err, dayone.ErrInvalid) {
		v := newApproval(p.viewerOf(r), x)
		v.Problem = &notice{Kind: "bad", Icon: "x", Title: "It was not asked anew", Text: p.viewerOf(r).problem(err) + "."}
		v.AskBy.Value, v.AskReason.Value = r.PostFormValue("by"), r.PostFormValue("reason")
		return p.showApproval(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/approvals/"+string(fresh.ID)+"?said=asked", http.StatusSeeOther)
	return nil
}
