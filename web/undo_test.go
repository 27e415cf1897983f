package web_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/policy"
	"github.com/dayone-hq/dayone/web"
)

// One undo is one number wherever it is told: so many accesses as the person's page then lists as held back, whether their accounts were
// deleted or closed, and whichever undo took them.
func TestAnUndoIsOneNumberWhereverItIsTold(t *testing.T) {
	t.Parallel()
	b := newCompany(t)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", berlinToday(t))
	run := b.runOf("e1@company.com")
	b.until("the run to end", func() bool { run = b.started("e1@company.com"); return run.State.Over() })
	slack := url.Values{"step": {"slack/account", "slack/channel:#announcements", "slack/channel:#emea", "slack/channel:#general"}}
	for _, undo := range []struct {
		steps          url.Values
		ahead, by, now string
	}{
		{slack, "4 accesses are held back, 0 things stay.", "Undo 4 steps", "8, now; 4 are held back<"},
		{nil, "12 accesses are held back, 3 things stay.", "Undo 8 steps", "0, now; 12 are held back<"},
	} {
		path := "/runs/" + string(id) + "/undo"
		body := b.page(path + "?" + undo.steps.Encode())
		want(t, "the preview", body, undo.ahead, undo.by)
		n, _, _ := strings.Cut(undo.ahead, " ")
		form := url.Values{"hash": {hashOf(t, body)}, "reason": {"a mistake"}}
		if undo.steps != nil {
			form["step"] = undo.steps["step"]
		}
		to, _, _ := strings.Cut(b.post(path, form).Header.Get("Location"), "?")
		var by struct{ State dayone.RunState }
		b.until("the undo to end", func() bool { b.api("GET", "/api/v1"+to, "", 200, &by); return by.State.Over() })
		want(t, "her page", b.page("/people/"+string(run.Person)), undo.now, ">"+n+" accesses</a>")
		if undo.steps != nil {
			want(t, "the dashboard", b.page("/"), n+" accesses are held back")
		}
	}
}

func hashOf(t *testing.T, preview string) string {
	t.Helper()
	hash := regexp.MustCompile(`name="hash" value="([0-9a-f]+)"`).FindStringSubmatch(preview)
	if len(hash) != 2 {
		t.Fatal("the preview has no hash")
	}
	return hash[1]
}

// A run is undone by its page: shown first, then done just so, and the hold is ended where it is shown.
func TestUndoByPageAndAPI(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now().AddDate(0, 0, -1))
	run := b.runOf("e1@company.com")
	b.until("the run to end", func() bool { run = b.started("e1@company.com"); return run.State.Over() })
	path, api := "/runs/"+string(id), "/api/v1/runs/"+string(id)
	want(t, "run", b.page(path), path+"/undo")
	body := b.page(path + "/undo")
	want(t, "preview", body, "Will be taken back", "Nothing is done before you say so", "Left alone afterwards", `name="reason"`)
	hash := regexp.MustCompile(`name="hash" value="([0-9a-f]+)"`).FindStringSubmatch(body)
	if len(hash) != 2 {
		t.Fatal("the preview has no hash")
	}
	if res := b.get(path + "/undo?step=nothing"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a step that there is none of: %s", res.Status)
	}
	res := b.post(path+"/undo", url.Values{"hash": {hash[1]}})
	if got := text(t, res); res.StatusCode != http.StatusConflict || !strings.Contains(got, "Say why it is undone") {
		t.Errorf("without a reason: %s", res.Status)
	}
	day := time.Now().AddDate(0, 0, 30).Format(time.DateOnly)
	res = b.post(path+"/undo", url.Values{"hash": {"of another day"}, "reason": {"a mistake"}, "until": {day}})
	if got := text(t, res); res.StatusCode != http.StatusConflict || !strings.Contains(got, "something has changed since that was shown") && !strings.Contains(got, "Something has changed since that was shown") || !strings.Contains(got, `value="a mistake"`) || !strings.Contains(got, `value="`+day+`"`) {
		t.Errorf("with an old hash: %s", res.Status)
	}

	var u struct {
		Hash string
		Does []struct{ Key string }
	}
	b.api("GET", api+"/undo", "", 200, &u)
	b.api("GET", api+"/undo?step=nothing", "", 400, nil)
	b.api("POST", api+"/undo", `{"reason":"x"}`, 400, nil)
	b.api("POST", api+"/undo", `{"reason":"x","hash":"y","until":"soon"}`, 400, nil)
	b.api("POST", api+"/undo", `{"reason":"x","hash":"y"}`, 409, nil)
	b.api("GET", "/api/v1/runs/run_01jd9x0000000000000000000a/undo", "", 404, nil)
	if len(u.Does) == 0 || u.Hash != hash[1] {
		t.Errorf("page and API show different things: %+v, %s", u, hash[1])
	}
	res = b.post(path+"/undo", url.Values{"hash": {hash[1]}, "reason": {"a mistake"}})
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/runs/run_") || strings.HasPrefix(to, path) {
		t.Fatalf("undone: %s to %s", res.Status, to)
	}
	var undo struct {
		State     dayone.RunState
		TakesBack dayone.RunID `json:"takes_back"`
	}
	by, _, _ := strings.Cut(strings.TrimPrefix(to, "/runs/"), "?")
	b.until("the undo to end", func() bool { b.api("GET", "/api/v1/runs/"+by, "", 200, &undo); return undo.State.Over() })
	if undo.TakesBack != id {
		t.Errorf("it takes back %q", undo.TakesBack)
	}
	want(t, "the run", b.page(path), "This run was taken back", to[:len("/runs/")+30])
	want(t, "the undo", b.page("/runs/"+by), "This run takes another one back", path, "a mistake. Its steps are what is taken back.")

	var holds struct{ Items []struct{ ID, Reason string } }
	b.api("GET", "/api/v1/holds?person="+string(run.Person), "", 200, &holds)
	if len(holds.Items) != 1 || holds.Items[0].Reason != "a mistake" {
		t.Fatalf("holds: %+v", holds)
	}
	want(t, "person", b.page("/people/"+string(run.Person)), "End the hold now", "/holds/"+holds.Items[0].ID+"/end", "Held back", "Access</", "are held back")
	b.api("GET", "/api/v1/people/"+string(run.Person)+"/access", "", 200, nil)
	res = b.post("/holds/"+holds.Items[0].ID+"/end", url.Values{})
	if res.StatusCode != http.StatusSeeOther {
		t.Errorf("ending it: %s", res.Status)
	}
	b.api("DELETE", "/api/v1/holds/"+holds.Items[0].ID, "", 409, nil)
	b.api("DELETE", "/api/v1/holds/hld_01jd9x0000000000000000000a", "", 404, nil)
	b.api("GET", "/api/v1/holds?ended=true&limit=1", "", 200, nil)
	want(t, "too late", b.page("/runs/"+by+"/undo"), "This run cannot be undone", "end its hold")
}

// A starter whose onboarding was undone is not ready, and wherever her run is shown it says that it was taken back, and by what.
func TestARunThatWasTakenBackSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", berlinToday(t))
	run := b.runOf("e1@company.com")
	b.until("the run to end", func() bool { run = b.started("e1@company.com"); return run.State.Over() })
	undo := func(steps string) (by string) {
		t.Helper()
		var u struct{ Hash, Run string }
		b.api("GET", "/api/v1/runs/"+string(id)+"/undo?step="+steps, "", 200, &u)
		in := `{"reason":"a mistake","hash":"` + u.Hash + `","steps":["` + steps + `"]}`
		b.api("POST", "/api/v1/runs/"+string(id)+"/undo", in, 200, &u)
		b.until("the undo to end", func() bool {
			var r struct{ State dayone.RunState }
			b.api("GET", "/api/v1/runs/"+u.Run, "", 200, &r)
			return r.State.Over()
		})
		return u.Run
	}
	type said struct {
		ID   dayone.RunID
		Back *struct {
			By    string
			Whole bool
		} `json:"taken_back"`
	}
	listed := func(by string, whole bool) {
		t.Helper()
		var one said
		var list struct{ Items []said }
		b.api("GET", "/api/v1/runs/"+string(id), "", 200, &one)
		b.api("GET", "/api/v1/runs", "", 200, &list)
		for _, r := range append(list.Items, one) {
			if is := r.Back != nil && r.Back.By == by && r.Back.Whole == whole; is != (r.ID == id) {
				t.Errorf("%s is taken back: %+v", r.ID, r.Back)
			}
		}
	}
	part := undo("okta/group:base-employee")
	listed(part, false)
	want(t, "the dashboard", b.page("/"), "Taken back in part", "1 access is held back", `href="/runs/`+part+`"`)
	want(t, "the list", b.page("/runs"), `<a class="small" href="/runs/`+part+`">Taken back in part</a>`)
	want(t, "the run", b.page("/runs/"+string(id)), "This run was taken back in part", "<small>taken back in part</small>", `/runs/`+string(id)+`/undo"`)

	whole := undo("")
	listed(whole, true)
	page := b.page("/")
	want(t, "the dashboard", page, "the onboarding was undone", `href="/runs/`+whole+`"`)
	if strings.Contains(page, ">Ready<") {
		t.Error("a starter whose onboarding was undone is called ready")
	}
	want(t, "the list", b.page("/runs"), `<a class="small" href="/runs/`+whole+`">Taken back</a>`)
	var told said
	for next := b.stream("/api/v1/runs/" + string(id) + "/events"); ; {
		f, more := next()
		if !more {
			break
		}
		if f.event == "run" {
			if err := json.Unmarshal([]byte(f.data), &told); err != nil {
				t.Fatal(err)
			}
		}
	}
	if told.Back == nil || told.Back.By != whole || !told.Back.Whole {
		t.Errorf("its stream says that it is taken back: %+v", told.Back)
	}
	page = b.page("/runs/" + string(id))
	want(t, "the run", page, "Nothing of it is left but what nobody can take back", `href="/runs/`+whole+`"`)
	if strings.Contains(page, "/runs/"+string(id)+"/undo") {
		t.Error("what was undone is offered to be undone")
	}
	var problem struct{ Detail string }
	b.api("GET", "/api/v1/runs/"+string(id)+"/undo", "", 409, &problem)
	if !strings.Contains(problem.Detail, whole+" has taken this run back already") {
		t.Errorf("the API says %q", problem.Detail)
	}
}

// Whoever may only look is offered nothing that ends at "Not for you".
func TestAnAuditorIsOfferedNothingToPress(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	if res := b.post("/login", url.Values{"token": {token}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in: %s", res.Status)
	}
	person, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now())
	b.until("the run to end", func() bool { return b.started("e1@company.com").State.Over() })
	var u struct{ Hash string }
	b.api("GET", "/api/v1/runs/"+string(id)+"/undo", "", 200, &u)
	b.api("POST", "/api/v1/runs/"+string(id)+"/undo", `{"reason":"a mistake","hash":"`+u.Hash+`"}`, 200, nil)
	acts := map[string][]string{"/people/" + string(person): {"End the hold now", "Add products"}, "/approvals": {"Let them decide"}}
	for role, may := range map[dayone.Role]bool{dayone.Administrator: true, dayone.Auditor: false} {
		cookie := b.signIn(role)
		for path, list := range acts {
			page := text(t, b.as(role, cookie, "GET", path))
			for _, act := range list {
				if strings.Contains(page, act) != may {
					t.Errorf("%s at %s: %q is offered: %t", role, path, act, !may)
				}
			}
		}
	}
}

// A page of a run that is left open offers Pause and Cancel as long as there is something to decide, and Undo as long as there is something
// to take back; to whoever only looks, it offers nothing to decide.
func TestAnOpenPageOffersNothingOfARunThatIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	admin := b.signIn(dayone.Administrator)
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"stop","reason":"its data looks odd"}`, http.StatusCreated, nil)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now())
	path := "/runs/" + string(id)
	page := b.page(path, "Cookie", admin)
	want(t, "the run under way", page, "Pause the run", "Cancel the run", path+"/undo")
	want(t, "its undo", b.page(path+"/undo", "Cookie", admin), `name="reason"`)
	auditor := b.signIn(dayone.Auditor)
	if looks := text(t, b.as(dayone.Auditor, auditor, "GET", path)); strings.Contains(looks, "Cancel the run") {
		t.Error("an auditor is offered to cancel it")
	}
	if looks := text(t, b.as(dayone.Auditor, auditor, "GET", path+"/undo")); strings.Contains(looks, `name="reason"`) || !strings.Contains(looks, "Left alone afterwards") {
		t.Error("an auditor is offered to undo it, or does not see what that would do")
	}
	live := regexp.MustCompile(`sse-connect="([^"]+)"`).FindStringSubmatch(page)
	if len(live) != 2 {
		t.Fatal("the page has no stream")
	}
	next := b.stream(strings.ReplaceAll(live[1], "&amp;", "&"), "Cookie", admin)
	if res := b.post("/systems/okta/start", url.Values{"reason": {"solved"}}, "Cookie", admin); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("starting it: %s", res.Status)
	}
	last := "Cancel the run"
	for {
		f, more := next()
		if !more {
			break
		}
		if strings.Contains(f.data, `id="run-acts"`) {
			last = f.data
		}
	}
	if strings.Contains(last, "Cancel the run") || strings.Contains(last, "Pause the run") || !strings.Contains(last, path+"/undo") {
		t.Errorf("when it is over the open page offers %s", last)
	}
	if page := b.page(path, "Cookie", admin); strings.Contains(page, "Cancel the run") || !strings.Contains(page, path+"/undo") {
		t.Error("when it is over its page offers to cancel it, or no undo")
	}
}

// Another undo of the same person waits for people: the page of the next one names that run and its task, and each link leads there, for
// everybody who sees it. Who left the page open while that began is told the same once, and nothing is undone.
func TestARefusedUndoLeadsToWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	b := newBench(t, withRoles)
	admin := b.signIn(dayone.Administrator)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now())
	b.until("the run to end", func() bool { return b.started("e1@company.com").State.Over() })
	path, api := "/runs/"+string(id)+"/undo", "/api/v1/runs/"+string(id)+"/undo"
	before := regexp.MustCompile(`name="hash" value="([0-9a-f]+)"`).FindStringSubmatch(b.page(path, "Cookie", admin))
	if len(before) != 2 {
		t.Fatal("the preview has no hash")
	}
	b.api("POST", "/api/v1/systems/okta/orders", `{"kind":"manual","reason":"its API is gone"}`, http.StatusCreated, nil)
	var u struct{ Hash, Run string }
	const step = "okta/group:base-employee"
	b.api("GET", api+"?step="+step, "", http.StatusOK, &u)
	b.api("POST", api, `{"reason":"a mistake","hash":"`+u.Hash+`","steps":["`+step+`"]}`, http.StatusOK, &u)
	task := ""
	b.until("somebody is asked", func() bool {
		list, err := b.flow.Tasks(t.Context(), "", dayone.RunID(u.Run))
		if err != nil || len(list) == 0 {
			return false
		}
		task = string(list[0].ID)
		return true
	})
	leads := map[string]string{"/runs/" + u.Run: "This run takes another one back", "/tasks/" + task: "its API is gone", "/runs/" + string(id): "Erin Ray"}
	links := regexp.MustCompile(`<a[^>]* href="(/(?:runs|tasks)/[^"?#]+)"`)
	for _, role := range []dayone.Role{dayone.Administrator, dayone.Operator, dayone.HR, dayone.Auditor} {
		cookie := b.signIn(role)
		page := text(t, b.as(role, cookie, "GET", path))
		want(t, string(role), page, "This run cannot be undone", "Open that run", u.Run)
		_, body, _ := strings.Cut(page, `<div class="head">`)
		seen := map[string]bool{}
		for _, l := range links.FindAllStringSubmatch(body, -1) {
			seen[l[1]] = true
			res := b.as(role, cookie, "GET", l[1])
			if got := text(t, res); res.StatusCode != http.StatusOK || leads[l[1]] == "" || !strings.Contains(got, leads[l[1]]) {
				t.Errorf("%s is led to %s: %s, which does not say %q", role, l[1], res.Status, leads[l[1]])
			}
		}
		if !seen["/runs/"+u.Run] || seen["/tasks/"+task] != strings.Contains(page, "Open the task") {
			t.Errorf("%s sees links to %v", role, seen)
		}
		if role == dayone.Administrator && !seen["/tasks/"+task] {
			t.Errorf("%s is not led to the task", role)
		}
	}
	res := b.post(path, url.Values{"hash": {before[1]}, "reason": {"a mistake"}}, "Cookie", admin)
	got := text(t, res)
	if res.StatusCode != http.StatusConflict || strings.Count(got, "takes something back already") != 1 || !strings.Contains(got, "/tasks/"+task) || strings.Contains(got, `name="hash"`) {
		t.Errorf("ordered from the open page: %s, %d times\n%s", res.Status, strings.Count(got, "takes something back already"), notices(got))
	}
}

// A sentence calls a run as its page does, in the reader's language. Programs go on reading its id.
func TestASentenceCallsARunByItsTitle(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now())
	run := b.runOf("e1@company.com")
	b.until("the run to end", func() bool { run = b.started("e1@company.com"); return run.State.Over() })
	var u struct{ Hash, Run string }
	api := "/api/v1/runs/" + string(id) + "/undo"
	b.api("GET", api, "", 200, &u)
	b.api("POST", api, `{"reason":"a mistake","hash":"`+u.Hash+`"}`, 200, &u)
	b.until("the undo to end", func() bool {
		var r struct{ State dayone.RunState }
		b.api("GET", "/api/v1/runs/"+u.Run, "", 200, &r)
		return r.State.Over()
	})
	english, german := b.page("/runs/"+string(id)+"/undo"), b.page("/runs/"+string(id)+"/undo", "Cookie", "lang=de")
	want(t, "in English", english, "Run “Undo: Onboard Erin Ray” has taken this run back already")
	want(t, "in German", german, "Lauf „Rückgängig: Eintritt von Erin Ray“ hat diesen Lauf schon zurückgenommen")
	for _, page := range []string{english, german} {
		if strings.Contains(page, u.Run) {
			t.Error("the page has the id of the run")
		}
	}
	var refused struct{ Detail string }
	b.api("GET", api, "", 409, &refused)
	want(t, "for programs", refused.Detail, "Run "+u.Run+" has taken this run back already")
}

// What a company calls a kind of access in its catalogue stays as it has written it, in every language and within a sentence,
// even where a text of ours is written alike. What a connector calls its own is said in the reader's language.
func TestACompanysKindsStayAsWritten(t *testing.T) {
	t.Parallel()
	for title, said := range map[string]struct{ english, german string }{
		"SAP-Rolle": {"Add SAP-Rolle base-employee", "SAP-Rolle base-employee hinzufügen"},
		"Location":  {"Add Location base-employee", "Location base-employee hinzufügen"},
		"Group":     {"Add group base-employee", "Gruppe base-employee hinzufügen"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(_ *web.Options, d *flow.Deps) {
				files := maps.Clone(fewPolicies)
				files["catalog/okta.yaml"] = &fstest.MapFile{Data: []byte("systems:\n  okta:\n    group: {title: " + title + ", names: [base-employee, sales-team]}\n")}
				set, diags := policy.Load(files, []dayone.System{d.Systems["okta"].Manifest.System("okta")})
				if set == nil {
					t.Fatalf("policies: %v", diags)
				}
				d.Policy, d.Files = set, files
			})
			_, id := b.hire("e1", "Erin", "Ray", "Engineering", time.Now())
			want(t, "in English", b.page("/runs/"+string(id)), said.english)
			want(t, "in German", b.page("/runs/"+string(id), "Cookie", "lang=de"), said.german)
		})
	}
}
