package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

// somebodys is a person in the matrix, and the things that are about her: what addresses may be about.
type somebodys struct {
	is      string // to Max, who looks
	country string
	company string
	hidden  bool // only few may know that she comes
	leads   bool // Max is her manager, or a manager of that
	asked   bool // Max is asked about her
	things  map[flow.Thing]string
}

// matrix is Max, who signs in with each role, and the people around him.
type matrix struct {
	*bench
	p      *provider
	people []somebodys
}

// looker is Max in a role.
type looker struct {
	name, group string
	role        dayone.Role
	reach       dayone.Reach
	do          func(method, path string, form url.Values) (int, string)
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{p: ownProvider(t)}
	m.bench = startBench(t, twoCountries, false, func(o *web.Options, _ *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(m.p.url)
		o.SignOn.Everyone = true
		o.SignOn.Roles, o.SignOn.Reaches = map[string]dayone.Role{}, map[string]dayone.Reach{}
		for _, l := range lookers() {
			if l.role != dayone.Employee {
				o.SignOn.Roles[l.group], o.SignOn.Reaches[l.group] = l.role, l.reach
			}
		}
	})
	now := time.Now()
	m.comes("head", "", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -90))
	for _, x := range []struct{ id, is, manager, location, company string }{
		{"max", "himself", "head", "Berlin", "Acme GmbH"},
		{"sarah", "a report", "max", "Berlin", "Acme GmbH"},
		{"ivy", "a report's report", "sarah", "Berlin", "Acme GmbH"},
		{"olga", "a stranger", "head", "Berlin", "Acme GmbH"},
		{"berta", "of another company", "head", "Berlin", "Other AG"},
		{"fred", "in another country", "head", "Paris", "Acme GmbH"},
		{"petra", "a report in another country", "max", "Paris", "Acme GmbH"},
		{"nemo", "nobody knows where", "head", "", ""},
	} {
		run := m.comes(x.id, x.manager+"@company.com", "Sales", x.location, x.company, now.AddDate(0, 0, -30))
		s := somebodys{is: x.is, country: map[string]string{"Berlin": "DE", "Paris": "FR"}[x.location], company: x.company, leads: slices.Contains([]string{"sarah", "ivy", "petra"}, x.id), asked: x.manager == "max"}
		s.things = m.thingsOf(run)
		m.people = append(m.people, s)
	}
	in, err := m.flow.Enter(fewKnow, flow.Entry{Type: dayone.Hired, Subject: "ceo", By: "kim@company.com", Fields: map[string]string{
		"start_date": now.AddDate(0, 0, 30).Format(time.DateOnly), "first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@company.com", "department": "Sales", "employment_type": "FTE", "manager": "head@company.com",
		"location": "Berlin", "company": "Acme GmbH", "confidential": "true",
	}})
	if err != nil || in.State != dayone.EventApplied {
		t.Fatalf("the hire is %s: %s (%v)", in.State, in.Note, err)
	}
	m.people = append(m.people, somebodys{is: "a confidential hire", country: "DE", company: "Acme GmbH", hidden: true, things: map[flow.Thing]string{flow.ThePerson: string(in.Person), flow.TheEvent: string(in.ID)}})
	return m
}

// thingsOf makes one of each thing that may be about a person.
func (m *matrix) thingsOf(run dayone.Run) map[flow.Thing]string {
	m.t.Helper()
	ctx, now := m.t.Context(), time.Now()
	task, err := m.flow.ReportIssue(ctx, run.ID, "The printer burns.", "kim")
	if err != nil {
		m.t.Fatal(err)
	}
	hold := dayone.Hold{ID: dayone.HoldID(m.flow.IDs.New("hld")), Person: run.Person, Run: run.ID, Keys: []dayone.Key{{System: "okta", Kind: "group", Name: "other"}}, From: now, Until: now.AddDate(0, 1, 0), By: "kim", Reason: "x"}
	request := dayone.Request{ID: dayone.RequestID(m.flow.IDs.New("req")), Person: run.Person, Key: dayone.Key{System: "okta", Kind: "group", Name: "other"}, By: "kim@company.com", Made: now}
	if err := m.flow.Store.SaveHold(ctx, store.HoldChange{Hold: hold}); err != nil {
		m.t.Fatal(err)
	}
	if err := m.flow.Store.AddRequest(ctx, request); err != nil {
		m.t.Fatal(err)
	}
	drift := dayone.Drift{ID: dayone.DriftID(m.flow.IDs.New("drf")), Person: run.Person, Key: dayone.Key{System: "okta", Kind: "group", Name: "another"}, Kind: dayone.DriftExtra, Is: dayone.Item{State: dayone.Active}}
	if err := m.flow.Store.SaveDrift(ctx, "okta", now, []dayone.Drift{drift}, nil); err != nil {
		m.t.Fatal(err)
	}
	g, err := m.flow.LetDecide(ctx, string(run.Person), "head@company.com", now.AddDate(0, 0, 10), now.AddDate(0, 1, 0), "kim")
	if err != nil {
		m.t.Fatal(err)
	}
	asks, err := m.flow.Approvals(ctx, flow.ApprovalFilter{Person: run.Person})
	if err != nil || len(asks) != 1 {
		m.t.Fatalf("approvals %v (%v)", asks, err)
	}
	events, err := m.flow.Events(ctx, flow.EventFilter{Person: run.Person})
	if err != nil || len(events) == 0 {
		m.t.Fatalf("events %v (%v)", events, err)
	}
	return map[flow.Thing]string{
		flow.ThePerson: string(run.Person), flow.TheRun: string(run.ID), flow.TheStep: string(run.ID), flow.TheTask: string(task.ID), flow.TheHold: string(hold.ID), flow.TheRequest: string(request.ID),
		flow.TheDelegation: g.ID, flow.TheApproval: string(asks[0].ID), flow.TheEvent: string(events[0].ID), flow.TheDrift: string(drift.ID),
	}
}

func lookers() []looker {
	out := []looker{{name: "an employee", group: "everybody", role: dayone.Employee}}
	for _, r := range dayone.Roles {
		out = append(out, looker{name: string(r), group: string(r), role: r})
	}
	return append(out,
		looker{name: "hr of Acme in Germany", group: "hr-de", role: dayone.HR, reach: inGermany},
		looker{name: "operator in Germany", group: "op-de", role: dayone.Operator, reach: dayone.Reach{Countries: []string{"DE"}}},
		looker{name: "approver of Acme", group: "ap-acme", role: dayone.Approver, reach: dayone.Reach{Companies: []string{"Acme GmbH"}}},
		looker{name: "auditor in Germany", group: "au-de", role: dayone.Auditor, reach: dayone.Reach{Countries: []string{"DE"}}},
		looker{name: "operator of Okta", group: "op-okta", role: dayone.Operator, reach: dayone.Reach{Systems: []string{"okta"}}},
	)
}

// may is the rule of the whole matrix: what an address answers to a role about somebody's thing. 0: she may.
func (l looker) may(pattern string, what flow.Thing, s somebodys) int {
	method, path, _ := strings.Cut(pattern, " ")
	writes, path := method != http.MethodGet, strings.TrimPrefix(path, "/api/v1")
	knows := l.role == dayone.Administrator || l.role == dayone.HR
	scope := dayone.Scope{l.reach}
	insight := scope.Has(s.country, s.company) && (!s.hidden || knows)
	switch {
	case !l.role.In(web.Allowed()[pattern]):
		return http.StatusForbidden
	case path == "/team/{id}": // whoever leads her, in whatever role
		if s.leads {
			return 0
		}
		return http.StatusNotFound
	case what == flow.TheApproval:
		answers := []dayone.Role{dayone.Administrator, dayone.Operator, dayone.Approver}
		if !writes {
			answers = append(answers, dayone.Auditor)
		}
		if s.asked && dayone.Employee.In(web.Allowed()[pattern]) || l.role.In(answers) && insight {
			return 0
		}
		return http.StatusNotFound
	case what == flow.TheTask:
		// it is at no system, and asks nobody; an employee, and who only reads, finds what asks her
		if !insight || len(l.reach.Systems) > 0 || l.role == dayone.Employee || writes && !l.role.In([]dayone.Role{dayone.Administrator, dayone.Operator, dayone.Approver}) {
			return http.StatusNotFound
		}
		return 0
	case !insight:
		return http.StatusNotFound
	case path == "/people/{id}/bindings" && (!knows || !scope.AllPeople()): // the answer would tell of others
		return http.StatusForbidden
	case writes && len(l.reach.Systems) > 0 && !slices.Contains([]flow.Thing{flow.TheStep, flow.TheRun, flow.TheHold, flow.TheRequest, flow.TheDrift}, what):
		return http.StatusForbidden
	}
	return 0
}

// Each role, at each address about something, for each person's: as the rule says. A thing that an address is about and that
// nobody has here is tried elsewhere, and named.
func TestEachRoleAtEachAddressForEverybody(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	elsewhere := map[flow.Thing]string{
		flow.TheBrake: "TestABrakeIsForThoseWhoSeeAllOfIt", flow.TheMatch: "TestAScopeEndsWhatIsSeenAndDone", flow.TheNumber: "TestAScopeEndsWhatIsSeenAndDone",
		flow.TheSystem: "TestWhoHasSystemsActsThereAlone", flow.TheOrder: "TestWhoHasSystemsActsThereAlone",
	}
	general := []flow.Thing{"nobody", "hers", "list", "systems", "company"}
	streams := []string{"GET /runs/{id}/events", "GET /api/v1/runs/{id}/events"} // they do not end while a run waits
	// what is below a thing and is not there, though the thing may be seen
	bare := []string{"/photo", "/certificates/{certificate}/pdf", "/extend", "/prehire", "/split", "/succession", "/corrections/{attribute}/end", "/products/{product}/end", "/steps/{number}/{verb}"}
	ends := []string{"/delegations/{id}/end", "/delegations/{id}"} // done once, it is not there any more

	for _, l := range lookers() {
		l.do = m.inGroup(m.p, "max@company.com", l.group)
		for _, pattern := range web.Patterns() {
			what := web.About(pattern)
			_, path, _ := strings.Cut(strings.Replace(pattern, "/api/v1", "", 1), " ")
			if path == "/team/{id}" {
				what = flow.ThePerson
			}
			if slices.Contains(general, what) || len(web.Allowed()[pattern]) == 0 {
				continue
			}
			if _, tried := elsewhere[what]; tried {
				continue
			}
			if _, has := m.people[0].things[what]; !has {
				t.Fatalf("nobody has %q, which %s is about: give it to everybody here, or say where it is tried", what, pattern)
			}
			for _, s := range m.people {
				id, has := s.things[what]
				want := l.may(pattern, what, s)
				if !has || want == 0 && (slices.Contains(streams, pattern) || slices.ContainsFunc(ends, func(x string) bool { return path == x && !strings.HasPrefix(pattern, "GET") })) {
					continue
				}
				method, at := filled(strings.ReplaceAll(pattern, "{id}", id))
				at = strings.NewReplacer("{product}", "none", "{slot}", "1").Replace(at)
				got, _ := l.do(method, at, nil)
				missing := slices.ContainsFunc(bare, func(x string) bool { return strings.HasSuffix(path, x) })
				switch {
				case want != 0 && got != want, want == 0 && (got == http.StatusForbidden || got == http.StatusUnauthorized || got >= 500), want == 0 && got == http.StatusNotFound && !missing:
					t.Errorf("%s at %s, for %s: %d, want %s", l.name, pattern, s.is, got, wanted(want))
				}
				if want == http.StatusForbidden && !l.role.In(web.Allowed()[pattern]) {
					break // whoever it is about
				}
			}
		}
	}
}

func wanted(status int) string {
	if status == 0 {
		return "that it may"
	}
	return fmt.Sprint(status)
}
