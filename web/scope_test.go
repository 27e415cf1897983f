package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// twoCountries are policies of a company with two legal entities and two sites, where Sales takes an approval.
var twoCountries = func() fstest.MapFS {
	files := fstest.MapFS{}
	for name, f := range fewPolicies {
		files[name] = f
	}
	people := strings.Replace(string(files["people.yaml"].Data), "  manager: ", "  company:         {type: string, from: hr.company, optional: true}\n  manager: ", 1)
	files["people.yaml"] = &fstest.MapFile{Data: []byte(people)}
	files["sites.yaml"] = &fstest.MapFile{Data: []byte("sites:\n  Berlin: {country: DE, zone: Europe/Berlin}\n  Paris: {country: FR, zone: Europe/Paris}\n")}
	base := strings.Replace(string(files["policies/base.yaml"].Data), "okta/group:sales-team}", "okta/group:sales-team, approval: {by: [manager]}}", 1)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(base)}
	return files
}()

// comes hires somebody at a site, of a legal entity; "" is not said.
func (b *bench) comes(id, manager, department, location, company string, start time.Time) dayone.Run {
	b.t.Helper()
	res := b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_%s","timestamp":%q,"data":{"employee_id":%q,"email":%q,"first_name":%q,"last_name":"Test","department":%q,"employment_type":"FTE","start_date":%q,"location":%q,"company":%q,"job_title":"Engineer","manager_email":%q}}`,
		id, time.Now().Format(time.RFC3339), id, id+"@company.com", strings.ToUpper(id[:1])+id[1:], department, start.Format(time.DateOnly), location, company, manager))
	if res.StatusCode != http.StatusAccepted {
		b.t.Fatalf("the hook answers %s: %s", res.Status, text(b.t, res))
	}
	return b.runOf(id + "@company.com")
}

var inGermany = dayone.Reach{Countries: []string{"DE"}, Companies: []string{"Acme GmbH"}}

// withReach gives each role a login that is for Germany's Acme only; an administrator has none.
func withReach(o *web.Options, d *flow.Deps) {
	withRoles(o, d)
	for i := range o.Tokens {
		if o.Tokens[i].Role != dayone.Administrator {
			o.Tokens[i].Reach = inGermany
		}
	}
}

var ledgerNumber = regexp.MustCompile(`(before=|"seq":)\d+`)

// What is said of others is found nowhere: for whoever has a scope everything that can be read is, byte by byte, what it was
// before they came.
func TestWhatIsOutOfScopeIsFoundNowhere(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	b := startBench(t, twoCountries, false, withReach, func(_ *web.Options, d *flow.Deps) {
		d.Clock = frozen{at: now}
		hr := d.Sources["hr"]
		hr.Brakes.Terminations, hr.Brakes.Percent = 1, 0.001
		d.Sources["hr"] = hr
	})
	rest := func(ids ...dayone.PersonID) {
		t.Helper()
		for _, id := range ids {
			if _, err := b.flow.Replan(t.Context(), id, "", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	ada := b.comes("ada", "", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -30))
	eva := b.comes("eva", "ada@company.com", "Sales", "Berlin", "ACME GmbH", now.AddDate(0, 0, -20))
	rest(ada.Person, eva.Person)
	list := addresses([]dayone.PersonID{ada.Person, eva.Person}, []dayone.RunID{ada.ID}, nil)
	list = append(list, "/runs/"+string(eva.ID), "/runs/"+string(eva.ID)+"/undo", "/api/v1/runs/"+string(eva.ID))
	roles := []dayone.Role{dayone.HR, dayone.Operator, dayone.Approver, dayone.Auditor}
	cookies, before := map[dayone.Role]string{}, map[dayone.Role]map[string]string{}
	for _, r := range roles {
		cookies[r] = b.signIn(r)
		before[r] = b.reads(r, cookies[r], list)
	}
	want(t, "HR's people", before[dayone.HR]["/api/v1/people"], "Ada Test", "Eva Test")
	want(t, "HR's approvals", before[dayone.Auditor]["/api/v1/approvals"], string(eva.Person))

	// others come, in each way in which they are not hers
	françois := b.comes("françois", "ada@company.com", "Sales", "Paris", "Acme GmbH", now.AddDate(0, 0, -10))
	berta := b.comes("berta", "ada@company.com", "Sales", "Berlin", "Other AG", now.AddDate(0, 0, -10))
	nemo := b.comes("nemo", "ada@company.com", "Sales", "", "", now.AddDate(0, 0, -10))
	leaver := b.comes("luc", "ada@company.com", "Sales", "Paris", "Acme GmbH", now.AddDate(0, 0, -10))
	soon := b.comes("sofia", "ada@company.com", "Sales", "Paris", "Acme GmbH", now.AddDate(0, 0, 2))
	for _, id := range []string{"luc", "nemo"} {
		b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_end_%s","timestamp":%q,"data":{"employee_id":%q,"end_date":%q}}`, id, now.Format(time.RFC3339), id, now.AddDate(0, 0, 40).Format(time.DateOnly)))
	}
	b.say(fmt.Sprintf(`{"event_type":"employee.terminated","event_id":"evt_bad","timestamp":%q,"data":{"employee_id":"berta","end_date":"soon"}}`, now.Format(time.RFC3339)))
	b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_worse","timestamp":%q,"data":{"employee_id":"somebody","start_date":"soon","location":"Berlin","company":"Acme GmbH"}}`, now.Format(time.RFC3339)))
	all := context.Background()
	var brakes []dayone.Brake
	b.until("everything is judged", func() bool {
		open, err := b.flow.Events(all, flow.EventFilter{State: dayone.EventReceived})
		brakes, _ = b.flow.Brakes(all, true, 10)
		return err == nil && len(open) == 0 && len(brakes) == 1
	})
	rest(françois.Person, berta.Person, nemo.Person, leaver.Person, soon.Person)
	if _, err := b.flow.ReportIssue(all, françois.ID, "The printer burns.", "kim"); err != nil {
		t.Fatal(err)
	}
	g, err := b.flow.LetDecide(all, "françois@company.com", "berta@company.com", now, now.AddDate(0, 0, 20), "kim")
	if err != nil {
		t.Fatal(err)
	}
	hidden := map[flow.Thing]string{flow.ThePerson: string(françois.Person), flow.TheRun: string(françois.ID), flow.TheBrake: string(brakes[0].ID), flow.TheDelegation: g.ID}
	if list, err := b.flow.Approvals(all, flow.ApprovalFilter{Person: françois.Person}); err != nil || len(list) != 1 {
		t.Fatalf("of François are asked %+v (%v)", list, err)
	} else {
		hidden[flow.TheApproval] = string(list[0].ID)
	}
	if list, err := b.flow.Tasks(all, françois.Person, ""); err != nil || len(list) != 1 {
		t.Fatalf("of François are tasks %+v (%v)", list, err)
	} else {
		hidden[flow.TheTask] = string(list[0].ID)
	}
	if list, err := b.flow.Events(all, flow.EventFilter{Person: françois.Person}); err != nil || len(list) != 1 {
		t.Fatalf("of François are events %+v (%v)", list, err)
	} else {
		hidden[flow.TheEvent] = string(list[0].ID)
	}

	for _, r := range roles {
		after := b.reads(r, cookies[r], list)
		for at := range before[r] {
			if was, is := ledgerNumber.ReplaceAllString(before[r][at], ""), ledgerNumber.ReplaceAllString(after[at], ""); was != is {
				t.Errorf("%s finds others at %s:\n%s", r, at, difference(was, is))
			}
		}
		b.findsNo(r, cookies[r], hidden)
	}
	for _, id := range []dayone.PersonID{berta.Person, nemo.Person} {
		if res := b.as(dayone.HR, cookies[dayone.HR], "GET", "/people/"+string(id)); res.StatusCode != http.StatusNotFound {
			t.Errorf("HR finds %s: %s", id, res.Status)
		}
	}
	if page := text(t, b.as(dayone.HR, cookies[dayone.HR], "GET", "/people/"+string(eva.Person))); !strings.Contains(page, "Eva Test") {
		t.Error("HR does not find her own people")
	}

	// she may enter those of her scope only
	for _, c := range []struct{ location, company, says string }{
		{"Berlin", "Acme GmbH", ""}, {"Paris", "Acme GmbH", "location: your role is for country DE"}, {"Berlin", "Other AG", "company: your role"}, {"", "Acme GmbH", "location: your role"},
	} {
		o := flow.Outsider{Type: "Contractor", Sponsor: "ada@company.com", End: now.AddDate(0, 1, 0).Format(time.DateOnly), By: "hr", Fields: map[string]string{"first_name": "Kim", "last_name": "New", "email": "kim.new@company.com", "location": c.location, "company": c.company}}
		_, _, err := b.flow.CheckOutsider(flow.As(all, dayone.Viewer{Role: dayone.HR, Scope: dayone.Scope{inGermany}}), o)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("somebody of %s in %s is entered: %v", c.company, c.location, err)
		}
	}
}

// findsNo holds that what is not in sight is what is not there, at every address about it.
func (b *bench) findsNo(r dayone.Role, cookie string, hidden map[flow.Thing]string) {
	b.t.Helper()
	for _, pattern := range web.Patterns() {
		what := web.About(pattern)
		id, there := hidden[what]
		if what == flow.TheStep {
			id, there = hidden[flow.TheRun], true
		}
		if !there || !r.In(web.Allowed()[pattern]) {
			continue
		}
		nobody := id[:4] + "01jcr5d4s1129fyrpa99gx3xpc"
		ask := func(id string) (int, string) {
			method, path := filled(strings.ReplaceAll(pattern, "{id}", id))
			res := b.as(r, cookie, method, path)
			return res.StatusCode, strings.ReplaceAll(numberForIT.ReplaceAllString(text(b.t, res), ""), id, "ID")
		}
		is, page := ask(id)
		none, missing := ask(nobody)
		if is != http.StatusNotFound || none != is || page != missing {
			b.t.Errorf("%s learns by the id at %s: %d, and %d where nothing is:\n%s", r, pattern, is, none, difference(missing, page))
		}
	}
}

// Every address is about something, or a rule says that it is about the whole company.
func TestEveryAddressSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	for _, pattern := range web.Patterns() {
		if web.About(pattern) == "" {
			t.Errorf("nobody said what %s is about; add a rule to subjects in web/scope.go", pattern)
		}
	}
	if about := web.About("GET /new/{id}"); about != "" {
		t.Errorf("an address without a rule is about %q", about)
	}
}

// Whoever has systems sees people, and acts at her systems alone.
func TestWhoHasSystemsActsThereAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles, func(o *web.Options, _ *flow.Deps) {
		for i := range o.Tokens {
			switch o.Tokens[i].Role {
			case dayone.Operator:
				o.Tokens[i].Reach = dayone.Reach{Systems: []string{"okta"}}
			case dayone.Approver:
				o.Tokens[i].Reach = dayone.Reach{Systems: []string{"gitlab"}}
			case dayone.Auditor:
				o.Tokens[i].Reach = dayone.Reach{Countries: []string{"DE"}, Systems: []string{"okta"}}
			}
		}
	})
	ada, run := b.hire("emp_1", "Ada", "Lovelace", "Sales", time.Now().AddDate(0, 0, -30))
	task, err := b.flow.ReportIssue(t.Context(), run, "The printer burns.", "kim")
	if err != nil {
		t.Fatal(err)
	}
	operator := b.signIn(dayone.Operator)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/people/" + string(ada), http.StatusOK},
		{"GET", "/runs/" + string(run), http.StatusOK},
		{"GET", "/systems", http.StatusOK},
		{"GET", "/api/v1/systems", http.StatusOK},
		{"POST", "/api/v1/systems/okta/orders", http.StatusBadRequest},
		{"POST", "/api/v1/systems/gitlab/orders", http.StatusNotFound},
		{"POST", "/api/v1/systems/all/orders", http.StatusNotFound},
		{"POST", "/api/v1/people/" + string(ada) + "/corrections", http.StatusForbidden},
		{"POST", "/api/v1/runs/" + string(run) + "/steps/1/skip", http.StatusBadRequest},
		{"GET", "/tasks/" + string(task.ID), http.StatusNotFound}, // it is at no system
		{"GET", "/policies", http.StatusForbidden},
		{"GET", "/catalogue", http.StatusForbidden},
	} {
		if res := b.as(dayone.Operator, operator, c.method, c.path); res.StatusCode != c.want {
			t.Errorf("the operator of Okta, %s %s: %s", c.method, c.path, res.Status)
		}
	}
	if page := text(t, b.as(dayone.Operator, operator, "GET", "/people")); strings.Contains(page, `href="/policies"`) || !strings.Contains(page, `href="/systems"`) {
		t.Error("the menu leads where a scope ends")
	}
	auditor := b.signIn(dayone.Auditor)
	if res := b.as(dayone.Auditor, auditor, "GET", "/systems"); res.StatusCode != http.StatusForbidden {
		t.Errorf("an auditor of one country sees systems as a whole: %s", res.Status)
	}
	body := text(t, b.as(dayone.Auditor, auditor, "GET", "/api/v1/records"))
	if want(t, "records at Okta", body, `"system":"okta"`); strings.Contains(body, `"system":"hr"`) {
		t.Error("an auditor of Okta reads what HR said")
	}
}

// A token reaches as far as it was made to, and one that is said wrongly is not made.
func TestATokenHasAScope(t *testing.T) {
	t.Parallel()
	b := startBench(t, twoCountries, false, withToken)
	b.comes("ada", "", "Board", "Berlin", "Acme GmbH", time.Now().AddDate(0, 0, -30))
	b.comes("luc", "", "Board", "Paris", "Acme GmbH", time.Now().AddDate(0, 0, -30))
	for _, c := range []struct{ body, says string }{
		{`{"name":"hr-de","role":"hr","days":5,"countries":["Germany"]}`, "two capital letters"},
		{`{"name":"hr-xx","role":"hr","days":5,"countries":["XX"]}`, "of a country in ISO 3166-1"},
		{`{"name":"hr-none","role":"hr","days":5,"countries":[]}`, "empty list of countries would be every country"},
		{`{"name":"hr-none","role":"hr","days":5,"companies":[]}`, "empty list of companies would be every company"},
		{`{"name":"hr-none","role":"hr","days":5,"companies":[""]}`, "is no name of a company"},
		{`{"name":"op-none","role":"operator","days":5,"systems":[]}`, "empty list of systems would be every system"},
		{`{"name":"hr-de","role":"hr","days":5,"systems":["okta"]}`, "role hr is about people"},
		{`{"name":"op","role":"operator","days":5,"systems":["okto"]}`, `no system \"okto\"`},
		{`{"name":"root","role":"administrator","days":5,"countries":["DE"]}`, "administrator has no scope"},
	} {
		if status, body := b.bearer(token, "POST", "/api/v1/tokens", c.body); status != http.StatusBadRequest || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
	cookie := ""
	for _, c := range b.post("/login", url.Values{"token": {token}}).Cookies() {
		cookie = c.Name + "=" + c.Value
	}
	for _, nothing := range []string{",", "DE,", " , ,"} { // somebody wanted to narrow it
		page := text(t, b.post("/tokens", url.Values{"name": {"hr-none"}, "role": {"hr"}, "days": {"5"}, "countries": {nothing}, "companies": {""}, "systems": {""}}, "Cookie", cookie))
		want(t, "countries "+nothing, page, "It was not made")
	}
	status, body := b.bearer(token, "POST", "/api/v1/tokens", `{"name":"hr-de","role":"hr","days":5,"countries":["DE"]}`)
	if want(t, "the token", body, `"countries":["DE"]`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	opens := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(body)[1]
	_, people := b.bearer(opens, "GET", "/api/v1/people", "")
	if want(t, "people", people, "Ada Test"); strings.Contains(people, "Luc") {
		t.Error("the token finds somebody in France")
	}
	_, found := b.bearer(opens, "GET", "/api/v1/people?"+url.Values{"q": {"Luc"}}.Encode(), "")
	if strings.Contains(found, "Luc") {
		t.Error("the token finds somebody in France by name")
	}
	if _, list := b.bearer(token, "GET", "/api/v1/tokens", ""); !strings.Contains(list, `"countries":["DE"]`) {
		t.Errorf("the list of tokens does not say how far one reaches: %s", list)
	}
}

// bearer calls the API with a token.
func (b *bench) bearer(token, method, path, body string) (int, string) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res := b.do(req)
	return res.StatusCode, text(b.t, res)
}
