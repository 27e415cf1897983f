package web_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// A policy that can be read and never be planned needs somebody, so it stands wherever somebody looks.
func TestWhoCannotBePlannedNeedsYou(t *testing.T) {
	t.Parallel()
	files := maps.Clone(fewPolicies)
	files["policies/base.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(fewPolicies["policies/base.yaml"].Data), "{to: okta/account}", `{to: okta/account, needs: ["okta/group:base-employee"]}`, 1))}
	b := startBench(t, files, false)
	b.say(`{"event_type":"employee.hired","event_id":"evt_1","data":{"employee_id":"emp_1","email":"emp_1@company.com","first_name":"Ada","last_name":"Moss","department":"Sales","employment_type":"FTE","start_date":"` + soon.Format(time.DateOnly) + `","location":"Berlin"}}`)
	var row flow.Row
	b.until("the problem to be known", func() bool {
		var err error
		row, err = b.flow.Named(t.Context(), "emp_1@company.com")
		return err == nil && row.Problem != ""
	})
	const why = "these steps wait for each other: okta/"
	person := "/people/" + string(row.ID)
	want(t, "dashboard", b.page("/"), "One thing needs you.", "Cannot be planned", why, `href="`+person+`"`, "Mend what it names")
	for _, path := range []string{"", "/timeline", "/runs", "/records"} {
		want(t, "person"+path, b.page(person+path), "No plan can be made for this person", why)
	}
	access := b.page(person)
	want(t, "access", access, "Not planned", "policies would give 3", `data-access="okta/group:sales-team"`)
	for _, untrue := range []string{"To come", "The log says", "No policy gives this person anything"} {
		if strings.Contains(access, untrue) {
			t.Errorf("the person's page says %q", untrue)
		}
	}
	want(t, "why", b.page(person+"/why?key=okta/account"), "Not planned", "A policy would give it", why)
	b.until("the event to say so", func() bool { return strings.Contains(b.page("/events"), "no plan could be made") })
	want(t, "events", b.page("/events"), "Applied", "Cannot be planned", why)
	want(t, "people", b.page("/people?status=unplanned"), "Ada Moss", "Cannot be planned")
	want(t, "the manager's page", b.page(b.flow.ProgressPath(row.ID)), "Not everything is ready yet", "IT is on it")

	var one struct{ Problem string }
	b.api("GET", "/api/v1/people/"+string(row.ID), "", http.StatusOK, &one)
	if !strings.HasPrefix(one.Problem, why) {
		t.Errorf("the API says %q", one.Problem)
	}
	var list struct {
		Items []struct{ Name, State string }
	}
	b.api("GET", "/api/v1/people?status=unplanned", "", http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].Name != "Ada Moss" {
		t.Errorf("the API lists %+v", list.Items)
	}
	b.api("GET", "/api/v1/people/"+string(row.ID)+"/access", "", http.StatusOK, &list)
	if len(list.Items) != 3 || list.Items[0].State != string(flow.NotPlanned) {
		t.Errorf("the API's access is %+v", list.Items)
	}
	var x struct{ Planned bool }
	b.api("GET", "/api/v1/people/"+string(row.ID)+"/explain?key=okta/account", "", http.StatusOK, &x)
	if x.Planned {
		t.Error("the API says that it is planned")
	}
}

// A task holds all that somebody needs who has only the system before them.
func TestATaskSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	for _, key := range []string{"notion/account", "slack/channel:#general", "aws/permission-set:demo-sandbox"} {
		b.any.set(key, dayone.Wait{}, dayone.ErrUnsupported)
	}
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	row, err := b.flow.Person(t.Context(), run.Person)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct {
			ID, Title, Note string
			Instructions    []string
			Due             time.Time
		}
	}
	b.api("GET", "/api/v1/tasks", "", http.StatusOK, &list)
	var titles []string
	for _, task := range list.Items {
		titles = append(titles, task.Title)
		if !task.Due.Equal(row.Starts) {
			t.Errorf("%s is due %v, the first day is %v", task.Title, task.Due, row.Starts)
		}
		if !strings.Contains(task.Note, "not supported") {
			t.Errorf("%s: the technical reason is %q", task.Title, task.Note)
		}
	}
	slices.Sort(titles)
	if want := []string{
		"Add sarah.chen@company.com to the channel #general in Slack as member", "Create a Notion account for Sarah Chen", "Give sarah.chen@company.com the permission set demo-sandbox in AWS",
	}; !slices.Equal(titles, want) {
		t.Fatalf("titles %q, want %q", titles, want)
	}
	i := slices.IndexFunc(list.Items, func(x struct {
		ID, Title, Note string
		Instructions    []string
		Due             time.Time
	},
	) bool {
		return strings.Contains(x.Title, "Notion")
	})
	notion := list.Items[i]
	told := strings.Join(notion.Instructions, "\n")
	want(t, "instructions", told, "Name: Sarah Chen", "Login: sarah.chen@company.com", "Mail: sarah.chen@company.com", "complete this task with: id in the system")
	page := b.page("/tasks/" + notion.ID)
	want(t, "task", page, "Create a Notion account for Sarah Chen", "Login: sarah.chen@company.com", "Why a human does it: notion: asking: not supported", "Id in the system")
	tasks := b.page("/tasks")
	want(t, "tasks", tasks, "Create a Notion account for Sarah Chen", "Due later", "Login: sarah.chen@company.com", "not supported")
	if strings.Contains(tasks, "Without a date") || strings.Contains(tasks, ">notion/account<") {
		t.Error("a task without a date, or called by its key")
	}
	want(t, "dashboard", b.page("/"), "Create a Notion account for Sarah Chen")
}

// A run that another took over has not failed: it says where it went on, and how long it worked itself.
func TestARunThatWasTakenOverSaysWhereItWentOn(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it"}, nil)
	b.hireSarah()
	first := b.runOf("sarah.chen@company.com")
	if first.State != dayone.RunWaiting {
		t.Fatalf("the first run is %s", first.State)
	}
	b.any.set("procurement/order", dayone.Wait{}, nil)
	b.say(sarahSays())
	b.until("what took over to be over", func() bool { // it may itself be taken over on the way
		last := b.started("sarah.chen@company.com")
		return last.ID != first.ID && last.State.Over()
	})
	second, err := b.flow.Next(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	path := "/runs/" + string(first.ID)
	page := b.page(path)
	want(t, "run", page, "Continued", "went on later", `href="/runs/`+string(second.ID)+`"`, second.Title)
	link := regexp.MustCompile(`href="(/runs/run_[a-z0-9]+\?step=\d+)#step-detail">confirmed later`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal("no step leads to where it went on")
	}
	want(t, "that step", b.page(link[1]), "Why it is there")
	step := 0
	for i, s := range first.Steps {
		if s.Step.Key.String() == "procurement/order" {
			step = i + 1
		}
	}
	row := regexp.MustCompile(`<tr id="step-` + itoa(step) + `".*</tr>`).FindString(page)
	want(t, "the order's row", row, "Confirmed later", "confirmed later in "+second.Title)
	for _, untrue := range []string{"given up", "Skipped"} {
		if strings.Contains(row, untrue) {
			t.Errorf("the order's row says %q", untrue)
		}
	}
	want(t, "detail", b.page(path+"?step="+itoa(step)), "Confirmed later in "+second.Title)
	want(t, "runs", b.page("/runs"), "Continued")
	want(t, "records", b.page(path+"/records"), "Continued")
	var api struct {
		State       dayone.RunState
		ContinuedBy dayone.RunID `json:"continued_by"`
		Steps       []struct {
			Key       string
			Continued *struct {
				Run   dayone.RunID
				State dayone.StepState
			}
		}
	}
	b.api("GET", "/api/v1"+path, "", http.StatusOK, &api)
	if api.State != dayone.RunSuperseded || api.ContinuedBy != second.ID {
		t.Errorf("the API says %s, continued by %s", api.State, api.ContinuedBy)
	}
	for _, s := range api.Steps {
		if order := s.Key == "procurement/order"; order && (s.Continued == nil || s.Continued.Run == first.ID || s.Continued.State != dayone.StepDone) || !order && s.Continued != nil && strings.HasPrefix(s.Key, "okta/") {
			t.Errorf("%s: %+v", s.Key, s.Continued)
		}
	}
}

// sarahSays is her record with another department: what her job gives stays wanted, something else changes.
func sarahSays() string {
	return strings.NewReplacer(
		"%q", `"`+time.Now().AddDate(0, 0, 1).Format(time.DateOnly)+`"`, "2024-11-22T15:01:00Z", time.Now().UTC().Format(time.RFC3339), "evt_abc123", "evt_2",
		"employee.hired", "employee.updated", `"department":"Sales"`, `"department":"Engineering"`,
	).Replace(sarah)
}

// A reference leads to the line that it names.
func TestReferencesLeadToTheLinesTheyName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, run := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	for _, path := range []string{"/people/" + string(person), "/people/" + string(person) + "/why?key=okta/group:sales-team", "/runs/" + string(run), "/runs/" + string(run) + "?step=1"} {
		found := regexp.MustCompile(`href="(/policies/[^"]*/text)#([^"]*)"`).FindAllStringSubmatch(b.page(path), -1)
		if len(found) == 0 {
			t.Errorf("%s names no policy", path)
		}
		for _, m := range found {
			if !strings.Contains(b.page(m[1]), ` id="`+m[2]+`"`) {
				t.Errorf("%s leads to %s#%s, which is not there", path, m[1], m[2])
			}
		}
	}
	want(t, "the line", b.page("/policies/sales/text"), `<li id="policies-base-yaml-14" data-n="14"><span>    - {to: okta/group:sales-team}</span>`)
}

func TestWhoSignsInIsToldWhereTheTokenLies(t *testing.T) {
	t.Parallel()
	want(t, "in the file", newBench(t, withToken).page("/login"), "The value of portal.token in dayone.yaml")
	b := newBench(t, withToken, func(o *web.Options, _ *flow.Deps) { o.TokenFile = "secrets/portal" })
	want(t, "in a file of its own", b.page("/login"), "What the file secrets/portal holds")
}
