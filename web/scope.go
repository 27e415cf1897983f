package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// Where a role ends somewhere, what an address is about decides: flow says whether that is in sight, before any handler. This
// is the one table of it. What no rule names is of the whole company, and not for whoever has a scope; a test finds it.

// What an address is about, besides one thing that flow knows.
const (
	ofNobody  flow.Thing = "nobody"  // nothing that anybody has
	ofHers    flow.Thing = "hers"    // whoever asks: her address says who she is, not her role
	ofList    flow.Thing = "list"    // a list, from which flow leaves out what is out of sight; who has systems only looks
	ofSystems flow.Thing = "systems" // systems as a whole
	ofAll     flow.Thing = "company" // the whole company
	ofMissing flow.Thing = ""        // no rule names it
)

// subjects: the first rule that fits counts. "/..." stands for what is below, too. The API's addresses are those of pages,
// unless a rule says otherwise.
var subjects = []struct {
	path  string
	about flow.Thing
}{
	{"/me", ofHers},
	{"/me/devices", ofHers},
	{"/team/...", ofHers},
	{"/sessions/...", ofHers},
	{"/leader", ofNobody},
	{"/gallery/...", ofNobody},
	{"/products", ofNobody},

	{"/{$}", ofList},
	{"/find", ofList},
	{"/people", ofList},
	{"/people/add", ofList},
	{"/onboard", ofList},
	{"/confidential", ofList},
	{"/runs", ofList},
	{"/tasks", ofList},
	{"/approvals", ofList},
	{"/delegations", ofList},
	{"/events", ofList},
	{"/records", ofList},
	{"/matches", ofList},
	{"/brakes", ofList},
	{"/holds", ofList},
	{"/tiles", ofList},
	{"/alerts", ofList},
	{"/drift", ofList},
	{"/overview", ofList},
	{"/api/v1/numbers", ofList},
	{"/numbers/all", ofList},
	{"/numbers/give", ofList},
	{"/numbers/reserve", ofList},
	{"/numbers/assign", ofList},
	{"/sources/missing", ofList},
	{"/sources/{source}/people", ofList},

	{"/systems", ofSystems},

	{"/announced/...", ofAll},
	{"/announcements/...", ofAll},
	{"/brakes/announcements/...", ofAll},
	{"/catalogue", ofAll},
	{"/mailbox/...", ofAll},
	{"/metrics", ofAll},
	{"/numbers", ofAll},
	{"/numbers/audit/...", ofAll},
	{"/numbers/import", ofAll},
	{"/numbers/plan", ofAll},
	{"/numbers/pools/...", ofAll},
	{"/plans", ofAll},
	{"/policies/...", ofAll},
	{"/proposals/...", ofAll},
	{"/settings/...", ofAll},
	{"/sources/...", ofAll},
	{"/tokens/...", ofAll},

	{"/people/{id}/...", flow.ThePerson},
	{"/onboard/bring", ofAll}, // whoever is in a directory only is nowhere yet
	{"/onboard/{id}/...", flow.ThePerson},
	{"/runs/{id}/steps/{number}/{verb}", flow.TheStep},
	{"/runs/{id}/steps/{number}/calls", flow.TheStep},
	{"/runs/{id}/...", flow.TheRun},
	{"/tasks/{id}/...", flow.TheTask},
	{"/approvals/{id}/...", flow.TheApproval},
	{"/requests/{id}/...", flow.TheRequest},
	{"/holds/{id}/...", flow.TheHold},
	{"/events/{id}/...", flow.TheEvent},
	{"/brakes/{id}/...", flow.TheBrake},
	{"/matches/{id}/...", flow.TheMatch},
	{"/numbers/{number}/...", flow.TheNumber},
	{"/delegations/{id}/...", flow.TheDelegation},
	{"/systems/orders/{order}/...", flow.TheOrder},
	{"/orders/{order}/...", flow.TheOrder},
	{"/systems/{system}/...", flow.TheSystem},
	{"/drift/{id}/...", flow.TheDrift},
}

// aboutOf is what an address is about.
func aboutOf(pattern string) flow.Thing {
	if roles, known := allowed[pattern]; known && len(roles) == 0 {
		return ofNobody // without a login
	}
	_, path, _ := strings.Cut(pattern, " ")
	bare := strings.TrimPrefix(path, "/api/v1")
	for _, s := range subjects {
		below, deep := strings.CutSuffix(s.path, "/...")
		if s.path == path || s.path == bare || deep && (bare == below || strings.HasPrefix(bare, below+"/")) {
			return s.about
		}
	}
	return ofMissing
}

// everywhere says that whoever has a scope may go to an address at all.
func everywhere(s dayone.Scope, pattern string) bool {
	switch aboutOf(pattern) {
	case ofAll, ofMissing:
		return s.Whole()
	case ofSystems, flow.TheSystem, flow.TheOrder:
		return s.Whole() || slices.ContainsFunc(s, dayone.Reach.AllPeople)
	}
	return true
}

// thingID is the id of what an address is about, as flow.Sees takes it.
func thingID(r *http.Request, what flow.Thing) string {
	switch what {
	case flow.TheStep:
		return r.PathValue("id") + "/" + r.PathValue("number")
	case flow.TheNumber:
		return r.PathValue("number")
	case flow.TheSystem:
		return r.PathValue("system")
	case flow.TheOrder:
		return r.PathValue("order")
	}
	return r.PathValue("id")
}

// looks says that a request changes nothing.
func looks(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// reaches says as whom somebody goes on to an address: as she is; of what is hers, and of what she is asked though it is out
// of her scope, as anybody who works here. ErrNotFound: what it is about is not there, or not in her scope.
func (p *portal) reaches(r *http.Request, w who) (who, error) {
	if w.Scope.Whole() {
		return w, nil
	}
	what := aboutOf(r.Pattern)
	switch {
	case what == ofNobody:
		return w, nil
	case what == ofHers:
		w.Scope = nil
		return w, nil
	case !everywhere(w.Scope, r.Pattern), what == ofList && !looks(r) && !w.Scope.AllSystems():
		return w, refuse(dayone.ErrForbidden, fmt.Sprintf(textBeyondScope, w.Role, w.Scope))
	case what == ofList, what == ofSystems:
		return w, nil
	}
	err := p.flow.Sees(with(r.Context(), w), what, thingID(r, what), !looks(r))
	switch {
	case errors.Is(err, dayone.ErrNotFound) && dayone.Employee.In(p.roles[r.Pattern]):
		w.Role, w.Scope, w.Knows = dayone.Employee, nil, false
		return w, nil
	case errors.Is(err, dayone.ErrForbidden):
		return w, refuse(dayone.ErrForbidden, fmt.Sprintf(textBeyondScope, w.Role, w.Scope))
	}
	return w, err
}
