package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

const (
	alertsShown   = 8    // open ones, on the dashboard
	alertsCounted = 1000 // at most
)

var (
	alertState = state{Icon: "warn", Class: "s-fail", Text: "Alert"}
	alertOver  = state{Icon: "check", Class: "s-done", Text: "Over"}
)

// alertItem is an alert with what it is about, and where to look.
func alertItem(view viewer, a flow.AlertView) item {
	return item{
		State: &alertState, Title: link{joined(": ", view.label(a.Title), a.About), a.Path},
		Meta: sentence(joined("; ", view.found(a.Note), view.label("open since"))), At: view.at(a.Opened),
	}
}

// pastAlertItem is one that is over.
func pastAlertItem(view viewer, a flow.AlertView) item {
	it := alertItem(view, a)
	it.State, it.Meta, it.At = &alertOver, sentence(joined("; ", view.found(a.Note), view.label("resolved"))), view.at(a.Resolved)
	return it
}

type alertsView struct {
	Sentence string
	Open     []item
	Next     string // where others are that are open
	Past     []item
	Older    string // where others are that are over
	First    bool   // the page begins with the newest of both
	Empty    *empty
}

// alerts lists all that are open, and those that are over. Further pages have the one or the other.
func (p *portal) alerts(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	from, err := decidedMarkOf(r.URL.Query())
	if err != nil {
		return err
	}
	count, err := p.flow.CountAlerts(ctx, alertsCounted)
	if err != nil {
		return err
	}
	view := p.viewerOf(r)
	read := func(over bool) (out []item, next string, err error) {
		if from.ID != "" && from.Waits == over {
			return nil, "", nil
		}
		list, err := p.flow.AlertsBy(ctx, flow.AlertFilter{Open: !over, Over: over, From: from, Limit: pageSize + 1})
		if err != nil {
			return nil, "", err
		}
		if len(list) > pageSize {
			list = list[:pageSize]
			next = address("/alerts", url.Values{"after": {decidedMark(!over, list[pageSize-1].ID)}})
		}
		for _, a := range list {
			if over {
				out = append(out, pastAlertItem(view, a))
			} else {
				out = append(out, alertItem(view, a))
			}
		}
		return out, next, nil
	}
	open, next, err := read(false)
	if err != nil {
		return err
	}
	past, older, err := read(true)
	if err != nil {
		return err
	}
	v := newAlerts(view, count, open, past)
	v.Next, v.Older, v.First = next, older, from.ID == ""
	if !v.First {
		v.Empty = nil
	}
	return p.show(w, r, http.StatusOK, page{Template: "alerts", Title: "Alerts", Nav: "dashboard", Crumbs: []link{{"Alerts", ""}}, Main: v})
}

func newAlerts(view viewer, count int, open, past []item) alertsView {
	v := alertsView{Sentence: view.plural(count, "1 alert is open. It is resolved by itself when it is over.", "%d alerts are open. Each is resolved by itself when it is over."), Open: open, Past: past, First: true}
	switch {
	case count == 0:
		v.Sentence = "Nothing has to be looked at."
	case count >= alertsCounted:
		v.Sentence = view.say("%s alerts are open. Each is resolved by itself when it is over.", view.capped(count, alertsCounted))
	}
	if len(open) == 0 {
		v.Empty = &empty{Icon: "check", Title: "No alert is open", Text: "Dayone looks once a minute for what somebody has to know. What it finds stands here, and on the dashboard."}
	}
	return v
}

type apiAlert struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Title    string          `json:"title"`
	Subject  string          `json:"subject"`
	About    string          `json:"about"`
	Person   dayone.PersonID `json:"person,omitempty"`
	Run      dayone.RunID    `json:"run,omitempty"`
	Note     string          `json:"note,omitempty"`
	Open     bool            `json:"open"`
	Opened   *time.Time      `json:"opened"`
	Resolved *time.Time      `json:"resolved,omitempty"`
	Told     *time.Time      `json:"told,omitempty"`
}

func newAPIAlert(a flow.AlertView) apiAlert {
	return apiAlert{
		ID: a.ID, Rule: a.Rule, Title: a.Title, Subject: a.Subject, About: a.About, Person: a.Person, Run: a.Run, Note: a.Note,
		Open: a.Resolved.IsZero(), Opened: moment(a.Opened), Resolved: moment(a.Resolved), Told: moment(a.Told),
	}
}

func (p *portal) apiAlerts(w http.ResponseWriter, r *http.Request) error {
	open := true
	switch r.URL.Query().Get("state") {
	case "", "open":
	case "all":
		open = false
	default:
		return refuse(dayone.ErrInvalid, "state is open or all.")
	}
	q, limit := r.URL.Query(), apiLimit(r)
	from, err := decidedMarkOf(q)
	if err != nil {
		return err
	}
	list, err := p.flow.AlertsBy(r.Context(), flow.AlertFilter{Open: open, From: from, Limit: limit + 1})
	if err != nil {
		return err
	}
	out := apiPage[apiAlert]{Items: []apiAlert{}}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		q.Set("after", decidedMark(last.Resolved.IsZero(), last.ID))
		out.Next = address("/api/v1/alerts", q)
	}
	for _, a := range list {
		out.Items = append(out.Items, newAPIAlert(a))
	}
	return answerJSON(w, http.StatusOK, out)
}
