package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

var soon = time.Now().AddDate(0, 0, 3)

func TestPagesOfASmallCompany(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, run := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	id := string(person)

	want(t, "dashboard", b.page("/"), "Ada Lovelace", `href="/runs/`+string(run), "Start soon")
	want(t, "people", b.page("/people"), "Ada Lovelace", "/people/"+id, "Pre-hire")
	want(t, "access", b.page("/people/"+id), `data-access="okta/group:sales-team"`, "Sales department", "policies/base.yaml", "As wanted", "Department Sales")
	want(t, "timeline", b.page("/people/"+id+"/timeline"), "Future hire", "recorded", "Work mail", "emp_1@company.com")
	want(t, "runs of a person", b.page("/people/"+id+"/runs"), "/runs/"+string(run))
	want(t, "records of a person", b.page("/people/"+id+"/records"), "Granted", "okta/account account.create")
	want(t, "why", b.page("/people/"+id+"/why?key=okta/group:sales-team"), "<h1>Why <bdi>Okta group sales-team</bdi></h1>", "Given", "department", "Holds", "policies/base.yaml:")
	want(t, "why not", b.page("/people/"+id+"/why?key=okta/group:other"), "Not given")
	want(t, "runs", b.page("/runs"), "Onboard Ada Lovelace")
	want(t, "run", b.page("/runs/"+string(run)), `id="run-graph"`, `id="step-1"`, `id="node-1"`, `data-grant="okta/account"`, "Done, changed", "Choose a step")
	want(t, "step", b.page("/runs/"+string(run)+"?step=1"), "Why it is there", "emp_1@company.com", "made and sealed", "What is recorded")
	want(t, "records of a run", b.page("/runs/"+string(run)+"/records"), "Run started")
	want(t, "tasks", b.page("/tasks"), "Nothing waits for you")
	want(t, "events", b.page("/events"), "hired", "emp_1", "Applied")
	want(t, "policies", b.page("/policies"), "Everyone on the payroll", "policies/base.yaml", "it@company.com", "lines 2 to 8", `href="/policies/sales/text"`)
	want(t, "a policy", b.page("/policies/sales/text"), "okta/group:sales-team", `<span class="k">match</span>: {department: Sales}`)
	want(t, "records", b.page("/records"), "Ledger", "Granted")
	want(t, "gallery", b.page("/gallery"), "state tag")
	if strings.Contains(b.page("/"), `href="/gallery"`) {
		t.Error("the menu leads to a page for those who build the portal")
	}
}

func TestPeopleAreFoundAndPaged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, n := range []string{"Ada", "Bea", "Cleo"} {
		b.hire("emp_"+n, n, "Moss", "Sales", soon)
	}
	list := b.page("/people?q=be", "HX-Request", "true", "HX-Target", "people-list")
	want(t, "fragment", list, "Bea Moss", "aria-live")
	if strings.Contains(list, "<html") || strings.Contains(list, "Ada Moss") {
		t.Error("a search answers with more than its list")
	}
	if body := b.page("/people?q=be&status=leave"); !strings.Contains(body, "Nobody matches") {
		t.Error("a filter that nobody fits shows people")
	}
	var p struct {
		Items []struct{ Name string }
		Next  string
	}
	b.api(http.MethodGet, "/api/v1/people?limit=2", "", http.StatusOK, &p)
	if len(p.Items) != 2 || p.Next == "" {
		t.Fatalf("first page %+v", p)
	}
	next := p.Next
	p.Next = ""
	b.api(http.MethodGet, next, "", http.StatusOK, &p)
	if len(p.Items) != 1 || p.Items[0].Name != "Cleo Moss" || p.Next != "" {
		t.Errorf("second page %+v", p)
	}
	want(t, "palette", b.page("/find?q=cle", "HX-Request", "true"), "Cleo Moss", `role="option"`)
	want(t, "find", b.page("/find?q=cle"), "Cleo Moss", "<html")
}

func TestSarahsRunHas24Grants(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	body := b.page("/runs/" + string(run.ID))
	if n := strings.Count(body, "data-grant="); n != 24 {
		t.Errorf("%d rows are grants", n)
	}
	for _, row := range regexp.MustCompile(`<tr id="step-\d+"[^>]*>`).FindAllString(body, -1) {
		if strings.Count(row, "data-") != 1 {
			t.Errorf("%s says not exactly one thing", row)
		}
	}
	want(t, "run", body, `data-implied="procurement/order"`, `data-message="mail/message:welcome"`)
	if n := len(regexp.MustCompile(`<tr id="step-`).FindAllString(body, -1)); n != len(run.Steps) {
		t.Errorf("%d rows for %d steps", n, len(run.Steps))
	}
}

func TestFailuresAndTasksAreDecidedOnThePage(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	b.any.set("notion/account", dayone.Wait{}, dayone.ErrForbidden)
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "order it at https://shop.example/14", Ask: []string{"serial", "arrives"}}, nil)
	b.any.set("gitlab/account", dayone.Wait{Kind: dayone.WaitFirstLogin, Note: "after she signs in"}, nil)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	path := "/runs/" + string(run.ID)
	step := func(key string) string {
		for i, s := range run.Steps {
			if s.Step.Key.String() == key {
				return path + "/steps/" + itoa(i+1)
			}
		}
		t.Fatalf("no step for %s", key)
		return ""
	}
	body := b.page(path)
	want(t, "run", body, "Needs you", "Notion does not allow it.", "It blocks 3 more.", step("notion/account")+"/retry", "Open task", "Done by the person", "Finish depends on")
	if strings.Contains(body, "operator words") {
		t.Error("the list shows what is for operators; it belongs into the step's detail")
	}
	want(t, "detail", b.page(path+"?step="+strings.TrimPrefix(step("notion/account"), path+"/steps/")), "operator words: &lt;token&gt;", "Skip this step")

	if res := b.post(step("notion/account")+"/skip", url.Values{}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("skipping without a reason: %s", res.Status)
	}
	if res := b.post(step("notion/account")+"/explode", url.Values{}); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown verb: %s", res.Status)
	}
	b.any.set("notion/account", dayone.Wait{}, nil)
	if res := b.post(step("notion/account")+"/retry", url.Values{}); res.StatusCode != http.StatusSeeOther || !strings.Contains(res.Header.Get("Location"), "said=retry") {
		t.Errorf("retry: %s to %s", res.Status, res.Header.Get("Location"))
	}
	want(t, "toast", b.page(path+"?said=retry"), "The step is tried again")

	tasks := b.page("/tasks")
	want(t, "tasks", tasks, "1 task waits")
	task := regexp.MustCompile(`/tasks/(tsk_[a-z0-9]+)`).FindString(tasks)
	want(t, "task", b.page(task), "Serial number", "Arrival day", `href="https://shop.example/14"`)
	res := b.post(task, url.Values{"ask.serial": {"C02XK1ABCD"}, "ask.arrives": {"soon"}})
	if body := text(t, res); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "Enter a day as 2025-01-31.") || !strings.Contains(body, `value="C02XK1ABCD"`) {
		t.Errorf("a task with a bad day: %s", res.Status)
	}
	if res := b.post(task, url.Values{"ask.serial": {"C02XK1ABCD"}, "ask.arrives": {"2030-01-31"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("completing a task: %s\n%s", res.Status, text(t, res))
	}
	b.until("the run to go on", func() bool {
		now := b.started("sarah.chen@company.com")
		return now.Step("jamf/profile:standard entitlement.add").State == dayone.StepDone
	})
	want(t, "closed task", b.page(task), "Closed by demo", "C02XK1ABCD")
	if res := b.post(task, url.Values{"ask.serial": {"C02XK1ABCD"}, "ask.arrives": {"2030-01-31"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("completing it twice: %s", res.Status)
	}
	if res := b.post(task, url.Values{"ask.serial": {"X"}, "ask.arrives": {"2030-01-31"}}); res.StatusCode != http.StatusConflict || !strings.Contains(text(t, res), "Your answer was not taken") {
		t.Errorf("completing it otherwise: %s", res.Status)
	}
	if res := b.post(step("gitlab/account")+"/skip", url.Values{"reason": {"she uses none"}}); res.StatusCode != http.StatusSeeOther {
		t.Errorf("skip: %s", res.Status)
	}
	want(t, "records", b.page(path+"/records"), "Skipped", "she uses none", "by demo")
}

func TestQuarantinedEventsAreReplayed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if res := b.say(`{"event_type":"employee.hired","event_id":"evt_q","data":{"employee_id":"emp_q","email":"q@company.com","start_date":"never"}}`); res.StatusCode != http.StatusAccepted {
		t.Fatal(res.Status)
	}
	var page string
	b.until("quarantine", func() bool { page = b.page("/events"); return strings.Contains(page, "Quarantined</span>") })
	want(t, "events", page, "emp_q", "Replay")
	action := regexp.MustCompile(`/events/evt_[a-z0-9]+/replay`).FindString(page)
	if res := b.post(action, nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("replay: %s", res.Status)
	}
	want(t, "records", b.page("/records"), "Event replayed")
}

func TestTimesInTheViewersZone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, run := b.hire("emp_z", "Zoe", "Z", "Sales", soon)
	r, err := b.flow.RunOf(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	want(t, "UTC", b.page("/runs"), r.Started.UTC().Format("15:04"), `<time datetime="`)
	want(t, "Tokyo", b.page("/runs", "Cookie", "zone=Asia%2FTokyo"), r.Started.In(tokyo).Format("15:04"), "JST")
	for _, bad := range []string{"Local", "../../etc/passwd", strings.Repeat("A", 100), "%zz"} {
		want(t, "zone "+bad, b.page("/runs", "Cookie", "zone="+bad), "UTC")
	}
}

func itoa(n int) string {
	s := ""
	for ; n > 0; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}

// A run's finish is predicted from runs before it, and from nothing else.
func TestFinishIsPredicted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, first := b.hire("emp_1", "Ada", "Lovelace", "Sales", soon)
	if strings.Contains(b.page("/runs/"+string(first)), "Ready by about") {
		t.Error("a run that is over is predicted")
	}
	b.okta.Door().SetLatency(time.Hour)
	b.say(`{"event_type":"employee.hired","event_id":"evt_2","data":{"employee_id":"emp_2","email":"emp_2@company.com","first_name":"Bea","last_name":"Moss","department":"Sales","employment_type":"FTE","start_date":"` + soon.Format(time.DateOnly) + `","location":"Berlin","team":"One","job_title":"Engineer","manager_email":"boss@company.com"}}`)
	var run dayone.Run
	b.until("the run", func() bool {
		run = b.started("emp_2@company.com")
		return run.ID != "" && run.State == dayone.RunRunning
	})
	want(t, "run", b.page("/runs/"+string(run.ID)), "Ready by about", "Finish depends on", `class="b-p"`, "predicted from earlier runs", "thick line")
}

// A list is sorted by its heads, keeps that over filters, pages and its table, and begins anew where it is asked to go on at a place of
// another order; the API refuses that.
func TestPeopleAreSorted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i, n := range []string{"Ada", "Bea", "Cleo"} {
		b.hire("emp_"+n, n, "Moss", []string{"Sales", "Sales", "Legal"}[i], soon.AddDate(0, 0, -(i%2)))
	}
	type listed struct {
		Items []struct{ Name string }
		Next  string
	}
	ask := func(path string) (names []string, next string) {
		var p listed
		b.api(http.MethodGet, path, "", http.StatusOK, &p)
		for _, x := range p.Items {
			names = append(names, strings.TrimSuffix(x.Name, " Moss"))
		}
		return names, p.Next
	}
	for sort, want := range map[string]string{"": "Ada Bea Cleo", "name": "Ada Bea Cleo", "-name": "Cleo Bea Ada", "starts": "Bea Ada Cleo", "-starts": "Cleo Ada Bea", "ends": "Ada Bea Cleo", "-ends": "Ada Bea Cleo", "department": "Cleo Ada Bea", "-department": "Bea Ada Cleo"} {
		names, next := ask("/api/v1/people?limit=1&sort=" + sort)
		for next != "" {
			var more []string
			more, next = ask(next)
			names = append(names, more...)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("by %q: %s, want %s", sort, got, want)
		}
		body := b.page("/people?status=pre-hire&sort=" + sort)
		if order := regexp.MustCompile(`<bdi>(\w+) Moss</bdi>`).FindAllStringSubmatch(body, -1); len(order) != 3 || order[0][1]+" "+order[1][1]+" "+order[2][1] != want {
			t.Errorf("the page by %q: %v, want %s", sort, order, want)
		}
	}
	_, next := ask("/api/v1/people?limit=1&sort=-starts&department=Sales")
	if !strings.Contains(next, "sort=-starts") || !strings.Contains(next, "department=Sales") {
		t.Errorf("it goes on at %s", next)
	}
	for _, other := range []string{strings.Replace(next, "sort=-starts", "sort=starts", 1), strings.Replace(next, "sort=-starts", "", 1), strings.Replace(next, "T", "x", 1), "/api/v1/people?sort=age", "/api/v1/people?sort=ends&after=per_1&name=Ada"} {
		b.api(http.MethodGet, other, "", http.StatusBadRequest, nil)
	}
	query := func(path string) string {
		_, q, _ := strings.Cut(path, "?")
		return strings.Replace(q, "limit=1", "", 1)
	}
	if body := b.page("/people?" + query(next)); strings.Contains(body, ">Ada Moss<") || !strings.Contains(body, ">Bea Moss<") {
		t.Error("the second page of whoever begins last is another one")
	}
	anew := b.page("/people?" + strings.Replace(query(next), "sort=-starts", "sort=ends", 1))
	want(t, "sorted otherwise meanwhile", anew, ">Ada Moss<", ">Bea Moss<")
	if strings.Contains(anew, "First page") {
		t.Error("a list that begins anew is no later page")
	}
	body := b.page("/people?sort=-starts&q=moss")
	want(t, "heads", body, `aria-sort="descending"><a href="/people?q=moss&amp;sort=starts">First day<svg`, `<a href="/people?q=moss">Person</a>`, `<a href="/people?q=moss&amp;sort=department">Department</a>`, `<option value="-starts" selected>`, "By first day, latest first</caption>")
	if n := strings.Count(body, `<span class="sub show-s"><time`); n != 3 {
		t.Errorf("a phone shows the day by which the list is sorted of %d people", n)
	}
	if n := strings.Count(body, "aria-sort="); n != 1 {
		t.Errorf("the list is sorted by %d columns", n)
	}
	want(t, "by name", b.page("/people"), `aria-sort="ascending"><a href="/people?sort=-name">Person<svg`)
	table := b.page("/people?format=csv&sort=starts&department=Sales")
	if bea, ada := strings.Index(table, "Bea Moss"), strings.Index(table, "Ada Moss"); bea < 0 || ada < bea {
		t.Errorf("its table is %s", table)
	}
}
