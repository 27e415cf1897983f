package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

type apiTimeline struct {
	Person      dayone.PersonID `json:"person"`
	Name        string          `json:"name"`
	Status      dayone.Status   `json:"status,omitempty"`
	GardenLeave bool            `json:"garden_leave,omitempty"`
	Known       bool            `json:"known"` // false: nothing was known then
	Zone        string          `json:"zone"`
	AsOf        *time.Time      `json:"as_of"`
	KnownAt     *time.Time      `json:"known_at"`
	Engagements []apiEngagement `json:"engagements"`
	Attributes  []apiAttribute  `json:"attributes"`
	Changes     []apiChange     `json:"changes"`
	Next        string          `json:"next,omitempty"`
}

type apiAttribute struct {
	Name       string         `json:"name"`
	Value      dayone.Value   `json:"value"`
	From       string         `json:"from,omitempty"`
	Unknown    bool           `json:"unknown,omitempty"`
	Personal   bool           `json:"personal,omitempty"`
	Says       string         `json:"says"`
	Words      []apiWord      `json:"words"`
	Correction *apiCorrection `json:"correction,omitempty"`
}

type apiWord struct {
	Source    string         `json:"source"`
	Value     dayone.Value   `json:"value"`
	Bad       bool           `json:"bad,omitempty"`
	Effective *time.Time     `json:"effective,omitempty"`
	Recorded  *time.Time     `json:"recorded,omitempty"`
	Event     dayone.EventID `json:"event,omitempty"`
}

type apiCorrection struct {
	Value  dayone.Value   `json:"value"`
	From   *time.Time     `json:"from"`
	Until  *time.Time     `json:"until"`
	By     string         `json:"by,omitempty"`
	Reason string         `json:"reason,omitempty"`
	Event  dayone.EventID `json:"event"`
}

type apiChange struct {
	Seq       int              `json:"seq"`
	Intent    string           `json:"intent"`
	Type      dayone.EventType `json:"type,omitempty"`
	Source    string           `json:"source"`
	Event     dayone.EventID   `json:"event,omitempty"`
	Run       dayone.RunID     `json:"run,omitempty"`
	Recorded  *time.Time       `json:"recorded"`
	Said      *time.Time       `json:"said,omitempty"`
	Effective *time.Time       `json:"effective,omitempty"`
	Future    bool             `json:"future,omitempty"`
	By        string           `json:"by,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Facts     []apiTurn        `json:"facts"`
}

type apiTurn struct {
	Attribute  string              `json:"attribute"`
	Engagement dayone.EngagementID `json:"engagement"`
	Corrects   bool                `json:"corrects,omitempty"`
	Value      dayone.Value        `json:"value"`
	Was        dayone.Value        `json:"was"`
	Effective  *time.Time          `json:"effective,omitempty"`
	State      flow.TurnState      `json:"state"`
	Personal   bool                `json:"personal,omitempty"`
}

func (p *portal) apiTimeline(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	row, err := p.flow.Person(r.Context(), id)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	ask, err := instants(q, p.zoneOf(row.Location), p.now())
	if err != nil {
		return err
	}
	ask.Limit = apiLimit(r)
	h, err := p.flow.History(r.Context(), id, ask)
	if err != nil {
		return err
	}
	out := newAPITimeline(row, h)
	if h.More {
		out.Next = nextPage("/api/v1/people/"+string(id)+"/timeline", q, ask.Limit, strconv.Itoa(h.Changes[len(h.Changes)-1].Seq), "as_of", "known_at")
	}
	return answerJSON(w, http.StatusOK, out)
}

func newAPITimeline(row flow.Row, h flow.History) apiTimeline {
	zone, _ := h.Person.Location()
	out := apiTimeline{
		Person: row.ID, Name: row.Name, Status: h.Person.Status, GardenLeave: h.Person.Garden, Known: h.Heard, Zone: zone.String(), AsOf: moment(h.AsOf), KnownAt: moment(h.KnownAt),
		Engagements: []apiEngagement{}, Attributes: []apiAttribute{}, Changes: []apiChange{},
	}
	if !h.Heard {
		out.Status = ""
	}
	for _, e := range h.Person.Engagements {
		out.Engagements = append(out.Engagements, apiEngagement{e.ID, e.Source, e.SourceID, e.Type, e.Start, e.LastDay, e.Primary})
	}
	for _, a := range h.Attributes {
		x := apiAttribute{Name: a.Name, Value: a.Value, From: a.From, Unknown: a.Unknown, Personal: a.Personal, Says: a.Origin(), Words: []apiWord{}}
		for _, s := range a.Words {
			x.Words = append(x.Words, apiWord{s.Source, s.Value, s.Bad, moment(s.Effective), moment(s.Recorded), s.Event})
		}
		if c := a.Correction; c != nil {
			x.Correction = &apiCorrection{c.Value, moment(c.From), moment(c.Until), c.By, c.Reason, c.Event}
		}
		out.Attributes = append(out.Attributes, x)
	}
	for _, c := range h.Changes {
		x := apiChange{
			Seq: c.Seq, Intent: c.Intent, Type: c.Type, Source: c.Source, Event: c.Event, Run: c.Run, Recorded: moment(c.Recorded), Said: moment(c.Said), Effective: moment(c.Effective),
			Future: c.Future, By: c.By, Reason: c.Reason, Facts: []apiTurn{},
		}
		for _, t := range c.Turns {
			x.Facts = append(x.Facts, apiTurn{t.Attr, t.Engagement, t.Corrects, t.Value, t.Was, moment(t.Effective), t.State, t.Personal})
		}
		out.Changes = append(out.Changes, x)
	}
	return out
}

func (p *portal) apiCorrect(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Values map[string]string `json:"values"`
		Until  string            `json:"until"`
		Reason string            `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	got, err := p.flow.Correct(r.Context(), id, flow.Correction{Values: in.Values, Until: in.Until, Reason: in.Reason, By: me(r).Name})
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusCreated, newAPIEvent(got))
}

func (p *portal) apiEndCorrection(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	got, err := p.flow.EndCorrection(r.Context(), id, r.PathValue("attribute"), me(r).Name, strings.TrimSpace(in.Reason))
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, newAPIEvent(got))
}

func (p *portal) apiBind(w http.ResponseWriter, r *http.Request) error {
	id, err := personID(r)
	if err != nil {
		return err
	}
	var in struct {
		Source  string `json:"source"`
		Subject string `json:"subject"`
		Reason  string `json:"reason"`
	}
	if err := readJSON(r.Body, &in); err != nil {
		return err
	}
	if is := me(r); !is.Scope.AllPeople() { // and of one who is out of scope
		return refuse(dayone.ErrForbidden, fmt.Sprintf(textBeyondScope, is.Role, is.Scope))
	}
	if !me(r).Knows { // that a record is somebody's already would tell of one who is hidden: the answer is the same for every record
		return refuse(dayone.ErrForbidden, textBindKnows)
	}
	if err := p.flow.Bind(r.Context(), id, in.Source, in.Subject, me(r).Name, in.Reason); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
