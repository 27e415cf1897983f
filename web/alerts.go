package web

import (
	"net/http"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// alertsShown is how many open alerts the dashboard shows.
const alertsShown = 8

var alertState = state{Icon: "warn", Class: "s-fail", Text: "Alert"}

// alertItem is an alert with what it is about, and where to look.
func alertItem(view viewer, a flow.AlertView) item {
	return item{
		State: &alertState, Title: link{joined(": ", view.label(a.Title), a.About), a.Path},
		Meta: sentence(joined("; ", view.found(a.Note), view.label("since"))), At: view.at(a.Opened),
	}
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
	list, err := p.flow.Alerts(r.Context(), open, apiLimit(r))
	if err != nil {
		return err
	}
	out := apiPage[apiAlert]{Items: []apiAlert{}}
	for _, a := range list {
		out.Items = append(out.Items, newAPIAlert(a))
	}
	return answerJSON(w, http.StatusOK, out)
}
