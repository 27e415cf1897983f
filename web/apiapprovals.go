package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type apiApproval struct {
	ID        dayone.ApprovalID    `json:"id"`
	Person    dayone.PersonID      `json:"person"`
	Name      string               `json:"name"`
	Key       dayone.Key           `json:"key"`
	Role      string               `json:"role,omitempty"`
	State     dayone.ApprovalState `json:"state"`
	Wanted    bool                 `json:"wanted"` // still
	Asks      []string             `json:"asks"`
	Need      string               `json:"need"`
	Because   []apiReason          `json:"because"`
	Requester string               `json:"requester,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	Asked     []apiAsk             `json:"asked"`
	Anew      bool                 `json:"anew"`
	Rests     string               `json:"rests,omitempty"` // why nobody has to answer now
	Run       dayone.RunID         `json:"run,omitempty"`
	Step      dayone.StepID        `json:"step,omitempty"`
	Opened    *time.Time           `json:"opened"`
	Due       *time.Time           `json:"due"`
	Reminded  *time.Time           `json:"reminded,omitempty"`
	Escalated *time.Time           `json:"escalated,omitempty"`
	Decided   *time.Time           `json:"decided,omitempty"`
	Deciders  []apiDecider         `json:"deciders"`
	Votes     []apiVote            `json:"votes"`
}

type apiAsk struct {
	By      string     `json:"by,omitempty"`
	Entered string     `json:"entered_by,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	At      *time.Time `json:"at"`
}

type apiDecider struct {
	Mail string `json:"mail"`
	As   string `json:"as"`
	Why  string `json:"why"`
}

type apiVote struct {
	Of      string     `json:"of"`
	By      string     `json:"by"`
	Approve bool       `json:"approve"`
	Reason  string     `json:"reason,omitempty"`
	At      *time.Time `json:"at"`
}

func newAPIApproval(x petition) apiApproval {
	q := x.req
	out := apiApproval{
		ID: q.ID, Person: q.Person, Name: x.row.Name, Key: q.Key, Role: q.Role, State: q.State, Wanted: q.Ended.IsZero(), Asks: q.Rule.By, Need: q.Rule.Need,
		Because: newAPIReasons(q.Because), Requester: q.Requester(), Reason: q.Reason(), Asked: []apiAsk{}, Anew: q.Anew, Rests: q.Why, Run: q.Run, Step: q.Step, Opened: moment(q.Opened), Due: moment(q.Due), Reminded: moment(q.Reminded),
		Escalated: moment(q.Escalated), Decided: moment(q.Decided), Deciders: []apiDecider{}, Votes: []apiVote{},
	}
	if out.Asks == nil {
		out.Asks = []string{}
	}
	if out.Because == nil {
		out.Because = []apiReason{}
	}
	for _, a := range q.Asks {
		out.Asked = append(out.Asked, apiAsk{a.Of, a.By, a.Reason, moment(a.At)})
	}
	for _, d := range q.Deciders {
		out.Deciders = append(out.Deciders, apiDecider(d))
	}
	for _, v := range q.Votes {
		out.Votes = append(out.Votes, apiVote{v.Of, v.By, v.Yes, v.Reason, moment(v.At)})
	}
	return out
}

func (p *portal) apiApprovals(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	f := flow.ApprovalFilter{Person: dayone.PersonID(q.Get("person")), Limit: limit + 1}
	switch q.Get("state") {
	case "", "open":
		f.Open = true
		if err := after(&f, q); err != nil {
			return err
		}
	case "decided":
		f.Over = true
	case "all":
	default:
		return refuse(dayone.ErrInvalid, "state is open, decided or all.")
	}
	if !f.Open {
		f.Before = dayone.ApprovalID(q.Get("before"))
	}
	list, err := p.flow.Approvals(r.Context(), f)
	if err != nil {
		return err
	}
	out := apiPage[apiApproval]{Items: []apiApproval{}}
	if len(list) > limit {
		list = list[:limit]
		if last := list[limit-1]; f.Open {
			q.Set("after", approvalMark(last))
		} else {
			q.Set("before", string(last.ID))
		}
		out.Next = address("/api/v1/approvals", q)
	}
	known, err := p.petitions(r.Context(), viewer{}, list)
	if err != nil {
		return err
	}
	for _, x := range known {
		out.Items = append(out.Items, newAPIApproval(x))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiApproval(w http.ResponseWriter, r *http.Request) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIApproval(x))
}

func (p *portal) apiAnswer(w http.ResponseWriter, r *http.Request) error {
	x, err := p.approvalOf(r)
	if err != nil {
		return err
	}
	var in struct {
		Verdict string `json:"verdict"`
		For     string `json:"for"`
		By      string `json:"by"`
		Reason  string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	ctx, decides := r.Context(), me(r).Role.In(deciders)
	switch in.Verdict {
	case "approve", "refuse":
		if in.For, err = p.answersFor(r, in.For); err != nil {
			return err
		}
		_, err = p.flow.Answer(ctx, x.req.ID, flow.Reply{Of: in.For, By: me(r).Name, Yes: in.Verdict == "approve", Reason: in.Reason})
	case "ask anew":
		if !decides {
			return p.may(me(r), "POST /approvals/{id}/again")
		}
		var fresh dayone.Petition
		if fresh, err = p.flow.AskAnew(ctx, x.req.ID, dayone.Ask{Of: in.By, By: me(r).Name, Reason: in.Reason}); err == nil {
			x.req.ID = fresh.ID
		}
	default:
		return refuse(dayone.ErrInvalid, "verdict is approve, refuse or ask anew.")
	}
	if err != nil {
		return err
	}
	now, err := p.flow.Approval(ctx, x.req.ID)
	if err != nil {
		return err
	}
	known, err := p.petition(ctx, viewer{}, now)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIApproval(known))
}

type apiDelegation struct {
	ID       string          `json:"id"`
	Person   dayone.PersonID `json:"person"`
	Delegate dayone.PersonID `json:"delegate"`
	From     *time.Time      `json:"from"`
	Until    *time.Time      `json:"until"`
	By       string          `json:"by,omitempty"`
}

func newAPIDelegation(g dayone.Delegation) apiDelegation {
	return apiDelegation{g.ID, g.Person, g.Delegate, moment(g.From), moment(g.Until), g.By}
}

func (p *portal) apiDelegations(w http.ResponseWriter, r *http.Request) error {
	list, err := p.flow.Delegations(r.Context())
	if err != nil {
		return err
	}
	out := apiPage[apiDelegation]{Items: []apiDelegation{}}
	for _, g := range list {
		out.Items = append(out.Items, newAPIDelegation(g))
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiDelegate(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Who   string    `json:"who"`
		To    string    `json:"to"`
		From  time.Time `json:"from"`
		Until time.Time `json:"until"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	g, err := p.flow.LetDecide(r.Context(), strings.TrimSpace(in.Who), strings.TrimSpace(in.To), in.From, in.Until, me(r).Name)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIDelegation(g))
}

func (p *portal) apiEndDelegation(w http.ResponseWriter, r *http.Request) error {
	if err := p.flow.EndDelegation(r.Context(), r.PathValue("id"), me(r).Name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *portal) apiAssign(w http.ResponseWriter, r *http.Request) error {
	t, err := p.taskOf(r)
	if err != nil {
		return err
	}
	var in struct {
		Assignee string `json:"assignee"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if t, err = p.flow.Assign(r.Context(), string(t.ID), in.Assignee, me(r).Name); err != nil {
		return err
	}
	d, err := p.todos().of(r.Context(), t)
	if err != nil {
		return err
	}
	out := newAPITask(d)
	if out.NobodyHears, err = p.flow.Unheard(r.Context(), t.Assignee); err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, out)
}

func (p *portal) apiReport(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	var in struct {
		Text string `json:"text"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	t, err := p.flow.ReportIssue(r.Context(), id, in.Text, me(r).Name)
	if err != nil {
		return err
	}
	return p.answerTask(w, r, t)
}
