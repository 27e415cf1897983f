package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
)

// apiPolicies is how policies stand, and what each holds for.
type apiPolicies struct {
	Version   string            `json:"version"`
	Folder    string            `json:"folder,omitempty"` // what lies there, if it can be read
	Behind    bool              `json:"behind"`
	Faults    []apiFault        `json:"faults"`
	Stages    []apiStage        `json:"stages"`
	Announced []apiAct          `json:"announced"`
	Refused   []apiAct          `json:"refused"`
	Proposals []apiProposed     `json:"proposals"`
	Items     []apiPolicy       `json:"items"`
	Files     map[string]string `json:"files,omitempty"`
}

type apiFault struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Col     int    `json:"col,omitempty"`
	Error   bool   `json:"error"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func newAPIFaults(list []policy.Diagnostic) []apiFault {
	out := []apiFault{}
	for _, x := range list {
		out = append(out, apiFault{x.File, x.Line, x.Col, x.Severity == policy.Error, x.Message, x.Hint})
	}
	return out
}

type apiStage struct {
	Number   int64             `json:"number"`
	Version  string            `json:"version"`
	Only     map[string]string `json:"only,omitempty"`
	Approver string            `json:"approver"`
	Reason   string            `json:"reason,omitempty"`
	Applied  time.Time         `json:"applied"`
	People   int               `json:"people"`
}

func newAPIStage(s dayone.Stage) apiStage {
	return apiStage{s.Seq, s.Version, s.Only, s.Approver, s.Reason, s.Applied.UTC(), s.People}
}

type apiAct struct {
	ID       string            `json:"id"`
	Version  string            `json:"version"`
	Only     map[string]string `json:"only,omitempty"`
	Approver string            `json:"approver"`
	Reason   string            `json:"reason,omitempty"`
	Release  string            `json:"release,omitempty"`
	Made     time.Time         `json:"made"`
	Due      time.Time         `json:"due"`
	People   int               `json:"people"`
	State    dayone.ActState   `json:"state"`
	Ended    *time.Time        `json:"ended,omitempty"`
	By       string            `json:"by,omitempty"`
	Why      string            `json:"why,omitempty"`
}

func newAPIAct(a dayone.PolicyAct) apiAct {
	return apiAct{a.ID, a.Version, a.Only, a.Approver, a.Reason, a.Release, a.Made.UTC(), a.Due.UTC(), a.People, a.State, moment(a.Ended), a.By, a.Why}
}

type apiProposed struct {
	Version string    `json:"version"`
	Author  string    `json:"author"`
	Note    string    `json:"note,omitempty"`
	Commit  string    `json:"commit,omitempty"`
	Made    time.Time `json:"made"`
}

func newAPIProposed(v dayone.PolicyVersion) apiProposed {
	return apiProposed{v.ID, v.Author, v.Note, v.Commit, v.Made.UTC()}
}

type apiPolicy struct {
	ID     string `json:"id"`
	Title  string `json:"title,omitempty"`
	Owner  string `json:"owner,omitempty"`
	At     string `json:"at"`               // file:line
	People *int   `json:"people,omitempty"` // nil: everybody is still read
	Unsure int    `json:"unsure,omitempty"`
}

// apiPolicies says how policies stand; with ?files=true also what their files say.
func (p *portal) apiPolicies(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	st, err := p.flow.Policies(ctx)
	if err != nil {
		return err
	}
	out := apiPolicies{
		Version: st.Version, Folder: st.Folder, Behind: st.Behind(), Faults: newAPIFaults(st.Broken),
		Stages: []apiStage{}, Announced: []apiAct{}, Refused: []apiAct{}, Proposals: []apiProposed{}, Items: []apiPolicy{},
	}
	for _, s := range st.Stages {
		out.Stages = append(out.Stages, newAPIStage(s))
	}
	if err := p.actsOf(r, &out); err != nil {
		return err
	}
	proposals, err := p.flow.Proposals(ctx, 50)
	if err != nil {
		return err
	}
	for _, v := range proposals {
		out.Proposals = append(out.Proposals, newAPIProposed(v))
	}
	holders, ready, err := p.flow.HoldersSoon(ctx)
	if err != nil {
		return err
	}
	for _, x := range p.flow.Active().Policies {
		one := apiPolicy{ID: x.ID, Title: x.Title, Owner: x.Owner, At: x.At.String()}
		if h := holders[x.ID]; ready {
			one.People, one.Unsure = &h.Count, h.Unsure
		}
		out.Items = append(out.Items, one)
	}
	if r.URL.Query().Get("files") == "true" {
		if out.Files, err = p.flow.PolicyFiles(ctx); err != nil {
			return err
		}
	}
	return answerJSON(w, http.StatusOK, out)
}

// actsOf adds what is announced, and what was not put into force of late.
func (p *portal) actsOf(r *http.Request, out *apiPolicies) error {
	if p.flow.Load == nil {
		return nil
	}
	acts, err := p.flow.Acts(r.Context(), 100)
	if err != nil {
		return err
	}
	for _, a := range acts {
		switch {
		case a.State == dayone.ActWaiting:
			out.Announced = append(out.Announced, newAPIAct(a))
		case a.State == dayone.ActRefused && p.flow.Now().Sub(a.Ended) < refusedFor:
			out.Refused = append(out.Refused, newAPIAct(a))
		}
	}
	return nil
}

type apiNamed struct {
	ID   dayone.PersonID `json:"id"`
	Name string          `json:"name"`
}

// apiPolicyPeople says whom a policy in force holds for.
func (p *portal) apiPolicyPeople(w http.ResponseWriter, r *http.Request) error {
	h, _, err := p.holdersOf(r)
	if err != nil {
		return err
	}
	out := struct {
		Count  int        `json:"count"`
		Unsure int        `json:"unsure"`
		Items  []apiNamed `json:"items"`
	}{h.Count, h.Unsure, []apiNamed{}}
	for _, x := range h.First {
		out.Items = append(out.Items, apiNamed{x.ID, x.Name})
	}
	return answerJSON(w, http.StatusOK, out)
}

type apiOffered struct {
	Key       string           `json:"key"`
	Title     string           `json:"title,omitempty"`
	Closed    bool             `json:"closed,omitempty"`
	Authority dayone.Authority `json:"authority"`
	Seats     *apiLicences     `json:"seats,omitempty"`
	Policies  []string         `json:"policies"` // that give or offer it
}

type apiLicences struct {
	Pool  string `json:"pool"`
	Total int    `json:"total"`
	Used  int    `json:"used"`
}

// apiCatalogue says what systems offer, as policies may name it, page by page.
func (p *portal) apiCatalogue(w http.ResponseWriter, r *http.Request) error {
	q, limit := r.URL.Query(), apiLimit(r)
	text, err := searchedFor(q, textLongThing)
	if err != nil {
		return err
	}
	list, total, more, err := p.flow.Offerings(r.Context(), flow.OfferingFilter{Text: text, System: q.Get("system"), After: q.Get("after"), Limit: limit})
	if err != nil {
		return err
	}
	out := struct {
		apiPage[apiOffered]
		Total int `json:"total"`
	}{apiPage[apiOffered]{Items: []apiOffered{}}, total}
	by := givers(p.flow.Active())
	for _, o := range list {
		x := apiOffered{Key: o.Key.String(), Title: o.Title, Closed: o.Closed, Authority: o.Authority, Policies: append([]string{}, by[o.Key]...)}
		if o.Seats != nil {
			x.Seats = &apiLicences{o.Seats.Pool, o.Seats.Total, o.Seats.Used}
		}
		out.Items = append(out.Items, x)
	}
	if more {
		next := url.Values{"after": {list[len(list)-1].Key.String()}, "limit": {strconv.Itoa(limit)}}
		for _, k := range []string{"q", "system"} {
			if q.Get(k) != "" {
				next.Set(k, q.Get(k))
			}
		}
		out.Next = address("/api/v1/catalogue", next)
	}
	return answerJSON(w, http.StatusOK, out)
}

// apiProposal is what a kept version would do for everybody.
type apiProposal struct {
	apiProposed
	Mark     string     `json:"mark"` // of the plan, to approve just that
	InForce  bool       `json:"in_force"`
	Alone    bool       `json:"alone"`            // whoever asks wrote it
	Notice   float64    `json:"notice,omitempty"` // hours it waits, if they may approve it themselves
	Waits    *apiAct    `json:"waits,omitempty"`
	Looked   int        `json:"people"`
	Changes  int        `json:"changes"` // people for whom something changes
	Keys     []apiShift `json:"keys"`
	Policies []apiMoved `json:"policies"`
	Cases    []string   `json:"cases"`
	Brakes   []string   `json:"brakes"`
	Skipped  []string   `json:"skipped"`
}

type apiShift struct {
	Key     string   `json:"key"`
	Gained  int      `json:"gained"`
	Lost    int      `json:"lost"`
	Changed int      `json:"changed"`
	Pending int      `json:"pending"`
	By      []string `json:"by"`
}

type apiMoved struct {
	ID     string `json:"id"`
	Change string `json:"change"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

func (p *portal) newAPIProposal(view viewer, v proposalView, plan flow.Everybody) apiProposal {
	out := apiProposal{
		apiProposed: newAPIProposed(v.version), Mark: v.Mark, InForce: v.InForce, Alone: v.Alone, Looked: plan.People, Changes: len(plan.Changes), Keys: []apiShift{}, Policies: []apiMoved{},
		Cases: append([]string{}, casesOf(plan, view.heard)...), Brakes: append([]string{}, plan.Brakes...), Skipped: append([]string{}, plan.Skipped...),
	}
	if notice, may := p.flow.MayAlone(); may {
		out.Notice = notice.Hours()
	}
	if v.act != nil {
		a := newAPIAct(*v.act)
		out.Waits = &a
	}
	for _, k := range plan.Keys {
		out.Keys = append(out.Keys, apiShift{k.Key.String(), k.Gained, k.Lost, k.Changed, k.Pending, append([]string{}, k.By...)})
	}
	for _, s := range plan.Policies {
		out.Policies = append(out.Policies, apiMoved{s.ID, s.Change, s.Before, s.After})
	}
	return out
}

func (p *portal) apiProposal(w http.ResponseWriter, r *http.Request) error {
	v, _, plan, err := p.proposed(r)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, p.newAPIProposal(p.viewerOf(r), v, plan))
}

// apiApprove puts a proposal into force as it was shown: at once, or after a notice where its author approves it.
func (p *portal) apiApprove(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Mark    string `json:"mark"`
		Reason  string `json:"reason"`
		Release string `json:"release"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	v, pr, plan, err := p.proposed(r)
	switch {
	case err != nil:
		return err
	case in.Mark == "":
		return refuse(dayone.ErrInvalid, textNoMark)
	case v.act != nil:
		return refuse(dayone.ErrConflict, textAnnouncedAlready)
	case in.Mark != v.Mark:
		return refuse(dayone.ErrConflict, textOtherPlan)
	}
	in.Reason, in.Release = strings.TrimSpace(in.Reason), strings.TrimSpace(in.Release)
	if v.Alone {
		a, err := p.flow.ApplyAlone(r.Context(), pr, plan, me(r).Name, in.Reason, in.Release)
		if err != nil {
			return spoken(err)
		}
		return answerJSON(w, http.StatusAccepted, newAPIAct(a))
	}
	s, err := p.flow.Apply(r.Context(), pr, plan, me(r).Name, in.Reason, in.Release)
	if err != nil {
		return spoken(err)
	}
	return answerJSON(w, http.StatusOK, newAPIStage(s))
}

// apiWithdraw takes an announced act back.
func (p *portal) apiWithdraw(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	a, err := p.flow.Withdraw(r.Context(), r.PathValue("act"), me(r).Name, strings.TrimSpace(in.Reason))
	if err != nil {
		return spoken(err)
	}
	return answerJSON(w, http.StatusOK, newAPIAct(a))
}

// spoken gives an error that was written for people its words.
func spoken(err error) error {
	if dayone.KindOf(err) == nil {
		return err
	}
	return said(err, plainError(err))
}
