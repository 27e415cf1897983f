package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// issues opens n tasks about a run, given to somebody, and returns them in the order in which they came.
func (b *bench) issues(n int, run dayone.RunID, who string) (out []dayone.Task) {
	b.t.Helper()
	for i := range n {
		t, err := b.flow.ReportIssue(b.t.Context(), run, fmt.Sprintf("It burns, for the %dth time.", i), "kim")
		if err == nil {
			t, err = b.flow.Assign(b.t.Context(), string(t.ID), who, "kim")
		}
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, t)
	}
	return out
}

// waitsFor is a company in which an approval is asked for, and whose helpdesk is Max.
func waitsFor(t *testing.T, settings ...setting) (*bench, *provider) {
	t.Helper()
	p := ownProvider(t)
	return startBench(t, twoCountries, false, append([]setting{func(o *web.Options, d *flow.Deps) {
		o.Open, o.SignOn = false, signOnAt(p.url)
		o.SignOn.Everyone = true
		d.Asking.Groups = map[string][]string{"Helpdesk": {"Max@company.com"}}
	}}, settings...)...), p
}

// asks counts what waits for an answer.
func (b *bench) asks(n int) func() bool {
	return func() bool {
		is, err := b.flow.CountApprovals(b.t.Context())
		return err == nil && is == n
	}
}

// What waits for an approval needs somebody, and what was not counted to its end is not said as if it were.
func TestTheDashboardSaysHowMuchWaits(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t)
	admin := b.inGroup(p, "olga@company.com", "it-admins")
	b.comes("sarah", "max@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	b.until("Max is asked", func() bool {
		his, _, err := b.flow.AsksOf(b.t.Context(), "max@company.com")
		return err == nil && len(his) == 1 && b.asks(1)()
	})
	_, page := admin("GET", "/", nil)
	want(t, "with one approval", page, "One thing needs you.", "1 request waits for an answer", "Approve it, or refuse it.")
	for _, login := range []string{"max@company.com", "olivia@company.com"} { // he is asked, and has it among what is his; she is not
		_, hers := b.inGroup(p, login, "helpdesk")("GET", "/", nil)
		if strings.Contains(hers, "1 request waits for an answer") || strings.Contains(hers, "Waiting for you") != (login == "max@company.com") {
			t.Errorf("%s does not read what waits for them alone", login)
		}
	}
	for i := range 101 {
		b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_bad%d","timestamp":%q,"data":{"employee_id":"somebody","start_date":"soon"}}`, i, time.Now().Format(time.RFC3339)))
	}
	b.until("all are put aside", func() bool {
		list, err := b.flow.Events(t.Context(), flow.EventFilter{State: dayone.EventQuarantined, Limit: 200})
		return err == nil && len(list) == 101
	})
	_, page = admin("GET", "/", nil)
	want(t, "with more than are counted", page, "More than 101 things need you.")
}

// Who is in a group does what the group is given: it waits on their page, opens, and is closed by them. Nobody else finds it.
func TestTasksOfAGroupAreItsMembers(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t)
	run := b.comes("sarah", "head@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	desk, okta := b.issues(1, run.ID, "group:Helpdesk")[0], b.issues(1, run.ID, "group:base-employee")[0]
	for _, c := range []struct {
		who        string
		task, none dayone.Task
	}{{"max@company.com", desk, okta}, {"sarah@company.com", okta, desk}} {
		her := b.somebody(p, c.who)
		path, none := "/tasks/"+string(c.task.ID), "/tasks/"+string(c.none.ID)
		if _, page := her("GET", "/me", nil); !strings.Contains(page, path) || strings.Contains(page, none) {
			t.Errorf("%s sees of hers %t, of others %t", c.who, strings.Contains(page, path), strings.Contains(page, none))
		}
		if status, page := her("GET", path, nil); status != http.StatusOK {
			t.Errorf("%s opens what the group is given: %d %s", c.who, status, page)
		}
		for _, method := range []string{"GET", "POST"} {
			if status, _ := her(method, none, url.Values{}); status != http.StatusNotFound {
				t.Errorf("%s finds what another group is given: %d", c.who, status)
			}
		}
		if status, to := her("POST", path, url.Values{"note": {"put out"}}); status != http.StatusSeeOther || !strings.HasPrefix(to, "/me") {
			t.Errorf("%s does it: %d %s", c.who, status, to)
		}
		if is, err := b.flow.Task(t.Context(), string(c.task.ID)); err != nil || is.By != c.who {
			t.Errorf("closed by %q (%v)", is.By, err)
		}
	}
}

// What waits for whoever looks stands on the dashboard, however much is due before it for others; what waits for others is not
// said to wait for her.
func TestTheDashboardKeepsWhatIsYours(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t)
	sarah := b.comes("sarah", "max@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	b.until("Max is asked", b.asks(1))
	others := b.issues(60, sarah.ID, "head@company.com")
	hers := b.issues(1, sarah.ID, "group:Helpdesk")[0]
	asked, err := b.flow.Approvals(t.Context(), flow.ApprovalFilter{Open: true})
	if err != nil || len(asked) != 1 {
		t.Fatalf("%+v %v", asked, err)
	}
	_, page := b.inGroup(p, "max@company.com", "helpdesk")("GET", "/", nil)
	_, mine, _ := strings.Cut(page, `id="h-mine"`)
	mine, rest, _ := strings.Cut(mine, "</section>")
	want(t, "what is Max's", mine, "Waiting for you", "/tasks/"+string(hers.ID), "/approvals/"+string(asked[0].ID))
	if strings.Contains(mine, string(others[0].ID)) {
		t.Errorf("what is somebody else's is Max's: %s", mine)
	}
	want(t, "what is everybody's", rest, "Waiting for somebody", "/tasks/"+string(others[0].ID))
	_, page = b.inGroup(p, "nobody@company.com", "helpdesk")("GET", "/", nil)
	if strings.Contains(page, "Waiting for you") {
		t.Error("what waits for others is said to wait for whoever looks")
	}
	want(t, "with nothing of one's own", page, "Waiting for somebody")

	france := flow.As(t.Context(), dayone.Viewer{Login: "max@company.com", Role: dayone.Operator, Scope: dayone.Scope{{Countries: []string{"FR"}}}})
	if asks, tasks, err := b.flow.AsksOf(france, "max@company.com"); err != nil || len(asks)+len(tasks) > 0 {
		t.Errorf("out of scope are %+v %+v (%v)", asks, tasks, err)
	}
	b.issues(12, sarah.ID, "max@company.com")
	_, page = b.inGroup(p, "max@company.com", "helpdesk")("GET", "/", nil)
	_, mine, _ = strings.Cut(page, `id="h-mine"`)
	mine, _, _ = strings.Cut(mine, "</section>")
	want(t, "with more than are shown", mine, `href="/me"`)
}

// nextPage is where a page or an answer of the API goes on; "": it is the last.
func nextPage(t *testing.T, text string) string {
	t.Helper()
	if m := regexp.MustCompile(`href="([^"]+)" rel="next"|"next": ?"([^"]+)"`).FindStringSubmatch(text); m != nil {
		return html.UnescapeString(strings.ReplaceAll(m[1]+m[2], `\u0026`, "&"))
	}
	return ""
}

// However many wait, the list says how many and leads on to the last, and what was decided before they came is found.
func TestApprovalsEndNowhereInSilence(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t, func(o *web.Options, _ *flow.Deps) { o.Token = dayone.NewSecret(token) })
	run := b.comes("sarah", "head@company.com", "Board", "Berlin", "", time.Now().AddDate(0, 0, -3))
	now := time.Now().Truncate(time.Second)
	request := func(n int, due time.Time) dayone.Petition {
		return dayone.Petition{
			ID: dayone.ApprovalID(b.flow.IDs.New("apr")), Person: run.Person, Key: dayone.Key{System: "okta", Kind: "group", Name: fmt.Sprint("g", n)}, Once: fmt.Sprint(n), State: dayone.ApprovalOpen,
			Rule: dayone.Approval{By: []string{"manager"}, Need: "any"}, Opened: now, Due: due,
		}
	}
	b.halt() // nobody looks at what is made up here, and finds that no run asks for it
	var all []dayone.Petition
	for i := range 3 { // decided before any other one came
		q := request(i, now)
		q.State, q.Decided, q.Votes = dayone.ApprovalGiven, now, []dayone.Vote{{Of: "head@company.com", By: "head@company.com", Yes: true, At: now}}
		all = append(all, q)
	}
	for i := range 205 { // the last one that came is due first
		all = append(all, request(10+i, now.AddDate(0, 0, 300-i)))
	}
	if err := b.flow.Store.AskApprovals(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	admin := b.inGroup(p, "olga@company.com", "it-admins")
	_, page := admin("GET", "/approvals", nil)
	want(t, "the first page", page, "205 requests wait for an answer.", string(all[0].ID), string(all[len(all)-1].ID))
	seen := strings.Count(page, "/approvals/apr_") - 3
	for at := nextPage(t, page); at != ""; at = nextPage(t, page) {
		_, page = admin("GET", at, nil)
		want(t, "a further page", page, "205 requests wait for an answer.", `href="/approvals"`)
		seen += strings.Count(page, "/approvals/apr_")
	}
	if want(t, "the last page", page, string(all[3].ID)); seen != 205 {
		t.Errorf("the pages have %d of 205", seen)
	}
	if status, _ := admin("GET", "/approvals?after=soon", nil); status != http.StatusBadRequest {
		t.Errorf("a mark that is none: %d", status)
	}
	for _, c := range []struct {
		state       string
		limit, all  int
		first, last dayone.Petition
	}{{"open", 100, 205, all[len(all)-1], all[3]}, {"decided", 2, 3, all[2], all[0]}, {"all", 150, 208, all[len(all)-1], all[0]}} {
		var ids []string
		for at := fmt.Sprintf("/api/v1/approvals?state=%s&limit=%d", c.state, c.limit); at != ""; {
			status, body := b.bearer(token, "GET", at, "")
			if status != http.StatusOK {
				t.Fatalf("%s: %d %s", at, status, body)
			}
			found := regexp.MustCompile(`"id": ?"(apr_[^"]+)"`).FindAllStringSubmatch(body, -1)
			for _, m := range found {
				ids = append(ids, m[1])
			}
			if len(found) > c.limit {
				t.Errorf("%s has %d of them", at, len(found))
			}
			at = nextPage(t, body)
		}
		if len(ids) != c.all || ids[0] != string(c.first.ID) || ids[len(ids)-1] != string(c.last.ID) {
			t.Errorf("%s are %d, from %s to %s; want %d from %s to %s", c.state, len(ids), ids[0], ids[len(ids)-1], c.all, c.first.ID, c.last.ID)
		}
	}
}

// Somebody's runs go on page by page.
func TestRunsOfSomebodyGoOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, first := b.hire("emp_1", "Erin", "Early", "Board", time.Now().AddDate(0, 0, -3))
	var more []dayone.Progress
	for range 55 {
		r := dayone.Run{ID: dayone.RunID(b.flow.IDs.New("run")), Person: person, Title: "Change Erin Early", State: dayone.RunDone, Started: time.Now(), Ended: time.Now()}
		more = append(more, dayone.Progress{Run: r, New: true})
	}
	if err := b.flow.Store.Commit(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	path := "/people/" + string(person) + "/runs"
	page := b.page(path)
	older := nextPage(t, page)
	if older == "" || strings.Contains(page, string(first)) {
		t.Fatalf("the first of 56 runs is on the first page, or nothing leads to it: %q", older)
	}
	want(t, "older ones", b.page(older), string(first), `href="`+path+`"`)
}

// However many employments wait for somebody to say whose they are, what was decided is found, and each page leads to the next.
func TestMatchesGoOn(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t, func(o *web.Options, _ *flow.Deps) { o.Token = dayone.NewSecret(token) })
	known := b.comes("sarah", "head@company.com", "Board", "Berlin", "", time.Now().AddDate(0, 0, -3))
	asks := func(n int) {
		t.Helper()
		b.say(fmt.Sprintf(`{"event_type":"employee.hired","event_id":"evt_twin%d","timestamp":%q,"data":{"employee_id":"twin%d","email":"sarah@company.com","first_name":"Sarah","last_name":"Test","department":"Board","employment_type":"FTE","start_date":%q,"location":"Berlin"}}`,
			n, time.Now().Format(time.RFC3339), n, time.Now().AddDate(0, 0, -2).Format(time.DateOnly)))
	}
	waits := func(n int) func() bool {
		return func() bool { is, err := b.flow.CountMatches(t.Context()); return err == nil && is == n }
	}
	asks(0)
	b.until("the first question", waits(1))
	list, err := b.flow.Matches(t.Context(), true, 1)
	if err != nil {
		t.Fatal(err)
	}
	first := list[0]
	if _, err := b.flow.DecideMatch(t.Context(), first.ID, known.Person, "kim", ""); err != nil {
		t.Fatal(err)
	}
	for i := range 205 {
		asks(i + 1)
	}
	b.until("all questions", waits(205))
	admin := b.inGroup(p, "olga@company.com", "it-admins")
	_, page := admin("GET", "/matches", nil)
	want(t, "the first page", page, "205 employments may be of somebody", string(first.ID))
	seen := strings.Count(page, "/matches/mat_") - 1
	for at := nextPage(t, page); at != ""; at = nextPage(t, page) {
		_, page = admin("GET", at, nil)
		want(t, "a further page", page, "205 employments may be of somebody", `href="/matches"`)
		seen += strings.Count(page, "/matches/mat_")
	}
	if seen != 205 {
		t.Errorf("the pages have %d of 205", seen)
	}
	var ids []string
	for at := "/api/v1/matches?state=all&limit=103"; at != ""; {
		status, body := b.bearer(token, "GET", at, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", at, status, body)
		}
		for _, m := range regexp.MustCompile(`"id": ?"(mat_[^"]+)"`).FindAllStringSubmatch(body, -1) {
			ids = append(ids, m[1])
		}
		at = nextPage(t, body)
	}
	if len(ids) != 206 || ids[205] != string(first.ID) {
		t.Errorf("the API has %d of 206, the last is %s", len(ids), ids[len(ids)-1])
	}
	if status, _ := admin("GET", "/matches?after=soon", nil); status != http.StatusBadRequest {
		t.Errorf("a mark that is none: %d", status)
	}
}

// Brakes go on in the API, those that hold before those that were decided.
func TestBrakesGoOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var order []string // as the list has them
	for i := range 6 {
		id := b.flow.IDs.New("brk")
		scope := fmt.Sprint("source:s", i)
		if _, err := b.flow.Store.HoldAll(t.Context(), dayone.Brake{ID: dayone.BrakeID(id), Scope: scope, Rule: dayone.BrakeTerminations, Note: "many", Opened: time.Now()}, nil); err != nil {
			t.Fatal(err)
		}
		order = slices.Insert(order, 0, id)
		if i >= 3 { // the newest are decided, and come last
			if err := b.flow.Store.ReplaceBrakes(t.Context(), scope, dayone.BrakeTerminations, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	order = append(slices.Clone(order[3:]), order[:3]...)
	for state, want := range map[string][]string{"on": order[:3], "all": order} {
		for limit := 1; limit < 8; limit++ {
			var got []string
			for at := fmt.Sprintf("/api/v1/brakes?state=%s&limit=%d", state, limit); at != ""; {
				var page struct {
					Items []struct{ ID string }
					Next  string
				}
				b.api("GET", at, "", http.StatusOK, &page)
				for _, x := range page.Items {
					got = append(got, x.ID)
				}
				at = page.Next
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d are %v, want %v", state, limit, got, want)
			}
		}
	}
	b.api("GET", "/api/v1/brakes?after=soon", "", http.StatusBadRequest, nil)
	const table = `href="/brakes?format=csv&amp;bom=yes"`
	if strings.Contains(b.page("/brakes"), table) {
		t.Error("the page has all, and says that there are more")
	}
	for i := range 200 {
		scope := fmt.Sprint("source:t", i)
		if _, err := b.flow.Store.HoldAll(t.Context(), dayone.Brake{ID: dayone.BrakeID(b.flow.IDs.New("brk")), Scope: scope, Rule: dayone.BrakeTerminations, Note: "many", Opened: time.Now()}, nil); err != nil {
			t.Fatal(err)
		}
		if err := b.flow.Store.ReplaceBrakes(t.Context(), scope, dayone.BrakeTerminations, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "with more than are shown", b.page("/brakes"), table)
}

// What waits for somebody comes in pages, and each of it stands on one of them; the page of a manager's people has the first of it.
func TestWhatWaitsForSomebodyComesInPages(t *testing.T) {
	t.Parallel()
	b, p := waitsFor(t)
	run := b.comes("sarah", "max@company.com", "Sales", "Berlin", "", time.Now().AddDate(0, 0, -3))
	b.until("Max is asked", b.asks(1))
	all := b.issues(105, run.ID, "max@company.com")
	his := b.inGroup(p, "max@company.com", "nobody")
	_, first := his("GET", "/me", nil)
	_, second := his("GET", "/me?from=100", nil)
	want(t, "the first page", first, `href="/me?from=100"`, "/approvals/")
	want(t, "the second page", second, `<a href="/me">First page</a>`)
	if strings.Contains(second, "/approvals/") || strings.Contains(second, `rel="next"`) {
		t.Error("the second page is not the last one, or has what the first one has")
	}
	for _, task := range all {
		if at := "/tasks/" + string(task.ID); strings.Contains(first, at) == strings.Contains(second, at) {
			t.Fatalf("%s stands on none of the pages, or on both", at)
		}
	}
	_, team := his("GET", "/team", nil)
	want(t, "his people", team, "Waits for you", `href="/me">All of them</a>`)
	if n := strings.Count(team, `href="/tasks/`) + strings.Count(team, `href="/approvals/`); n != 10 {
		t.Errorf("the page of his people has %d of them", n)
	}
	if status, _ := his("GET", "/me?from=x", nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("a place that is none answers %d", status)
	}
}
