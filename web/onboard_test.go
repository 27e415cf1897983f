package web_test

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/connector"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// directory is a source in which people are looked up, and whose list nobody reads.
type directory struct {
	people map[string]map[string]string
	down   bool
}

func (d *directory) Verify(http.Header, []byte, time.Time) error { return dayone.ErrAuth }
func (d *directory) Parse([]byte) ([]dayone.Event, error)        { return nil, dayone.ErrInvalid }
func (d *directory) Everybody(context.Context) iter.Seq2[dayone.Event, error] {
	return func(yield func(dayone.Event, error) bool) { yield(dayone.Event{}, dayone.ErrUnsupported) }
}

func (d *directory) Read(_ context.Context, subject string) (dayone.Event, error) {
	fields, ok := d.people[subject]
	if !ok {
		return dayone.Event{}, dayone.ErrNotFound
	}
	ev := dayone.Event{Type: dayone.Updated, Subject: subject, At: time.Now(), Full: true, Fields: map[string]dayone.Value{}}
	for name, text := range fields {
		ev.Fields[name] = dayone.Text(text)
	}
	return ev, nil
}

func (d *directory) Search(ctx context.Context, text string, _ int) (out []dayone.Event, err error) {
	if d.down {
		return nil, dayone.ErrUnavailable
	}
	for subject, p := range d.people {
		if strings.HasPrefix(strings.ToLower(p["first_name"]), strings.ToLower(text)) {
			ev, _ := d.Read(ctx, subject)
			out = append(out, ev)
		}
	}
	return out, nil
}

var _ connector.Directory = (*directory)(nil)

// Somebody of a directory is found from the wizard, brought in, shown what would happen and what she is going to read, and
// begun; what was found twice is shown once, and a directory that is down hides nobody.
func TestTheWizardFindsWhomADirectoryShows(t *testing.T) {
	t.Parallel()
	d := &directory{people: map[string]map[string]string{
		"E 9-1": {
			"first_name": "Núria", "last_name": "<b>Vidal</b>", "email": "nuria@company.com", "employee_id": "E 9-1", "department": "Sales", "job_title": "Sales Engineer", "team": "Iberia", "employment_type": "FTE",
			"start_date": "2020-03-02", "location": "Berlin", "work_arrangement": "Office", "manager_email": "boss@company.com",
		},
		"E-2": {"first_name": "Nuno", "last_name": "Dateless", "email": "nuno@company.com", "start_date": "someday"},
	}}
	b := newCompany(t, func(_ *web.Options, deps *flow.Deps) { deps.Sources["entra"] = flow.Source{Source: d} })
	fragment := func(q, target string) string {
		return b.page("/onboard?q="+url.QueryEscape(q), "HX-Request", "true", "HX-Target", target)
	}
	people := fragment("nú", "onboard-people")
	want(t, "who is here", people, "Nobody here is found.", `id="onboard-live" hx-get="/onboard?q=n%C3%BA"`, "delay:350ms")
	found := fragment("nú", "onboard-live")
	want(t, "who is there", found, "1 more person is in a directory and not here yet.", `role="option"`, "Núria &lt;b&gt;Vidal", "/onboard/bring?source=entra&amp;subject=E")
	want(t, "without script", b.page("/onboard?q=n%C3%BA&live=yes"), "Núria", `role="combobox"`, `aria-controls="onboard-list onboard-found"`)
	if one := fragment("n", "onboard-people"); strings.Contains(one, "hx-get") {
		t.Error("a directory is asked for one letter")
	}
	d.down = true
	want(t, "a directory that is down", fragment("nú", "onboard-live"), "Entra does not answer")
	d.down = false

	at := "/onboard/bring?source=entra&subject=E+9-1"
	want(t, "the record", b.page(at), "Bring in", "nuria@company.com", "Mon 2 Mar 2020", "Nothing is planned for them until you start")
	if res := b.get("/onboard/bring?source=entra&subject=E-2"); res.StatusCode != http.StatusUnprocessableEntity && res.StatusCode != http.StatusBadRequest {
		t.Errorf("a record that cannot be used: %s", res.Status)
	}
	if res := b.get("/onboard/bring?source=hr&subject=1"); res.StatusCode < 400 || res.StatusCode > 499 && res.StatusCode != http.StatusNotImplemented {
		t.Errorf("a source that is no directory: %s", res.Status)
	}
	res := b.post("/onboard/bring", url.Values{"source": {"entra"}, "subject": {"E 9-1"}})
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/onboard/per_") {
		t.Fatalf("brought in: %s to %q: %s", res.Status, to, text(t, res))
	}
	want(t, "what she needs", b.page(to), "They are here now", "Known from an import")
	person, _, _ := strings.Cut(to, "?")
	if res := b.get(at); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != person {
		t.Errorf("whoever is here is brought in again: %s", res.Status)
	}
	if again := fragment("nú", "onboard-live"); strings.Contains(again, "Vidal") {
		t.Error("she is shown twice")
	}

	preview := b.page(person + "/preview")
	want(t, "the preview", preview, `<svg class="graph"`, `href="#plan-1"`, `id="plan-1"`, "on the critical path", "The finish hangs on", "ready gate",
		"is going to read", "Welcome to Company", "a one-time link, made when this is sent", "Who else is told", "Start onboarding</button>")
	want(t, "what does not reach her", preview, "The mail may not be readable before the first sign-in", "It goes to nuria@company.com only")
	if strings.Contains(preview, `name="reason"`) || strings.Contains(preview, "Nobody is there to give the code") {
		t.Error("it asks for a reason where nothing is asked for, or misses the manager who is known")
	}
	if leaks := regexp.MustCompile(`/(secret|progress)/[^"< ]+`).FindString(preview); leaks != "" {
		t.Errorf("the preview holds a link that opens something: %s", leaks)
	}
	plan := regexp.MustCompile(`name="plan" value="([^"]*)"`).FindStringSubmatch(preview)[1]
	var pv struct {
		Steps []struct {
			Number int
			Needs  []int
		}
		Critical []int `json:"critical_path"`
		Messages []struct {
			ToPerson bool `json:"to_person"`
			Subject  string
		}
		Warnings []struct{ Kind, Title, Text string }
	}
	b.api("GET", "/api/v1/people/"+strings.TrimPrefix(person, "/onboard/")+"/products/preview", "", http.StatusOK, &pv)
	if len(pv.Steps) < 10 || len(pv.Critical) < 2 || len(pv.Messages) == 0 {
		t.Errorf("the API's preview: %+v", pv)
	}
	if len(pv.Warnings) != 1 || pv.Warnings[0].Kind != "unreadable mail" || !strings.HasPrefix(pv.Warnings[0].Text, "It goes to nuria@company.com only") {
		t.Errorf("the API warns of %+v", pv.Warnings)
	}
	var n struct{ Person, Type string }
	b.api("GET", "/api/v1/sources/entra/people/E%209-1", "", http.StatusOK, &n)
	if "/onboard/"+n.Person != person {
		t.Errorf("the API knows %+v", n)
	}
	b.api("POST", "/api/v1/sources/entra/people/E%209-1", "", http.StatusOK, &n)
	b.api("POST", "/api/v1/sources/entra/people/E-404", "", http.StatusNotFound, nil)

	begun := b.post(person, url.Values{"plan": {plan}, "manage": {"yes"}}).Header.Get("Location")
	if !strings.Contains(begun, "said=begun") {
		t.Fatalf("it leads to %q", begun)
	}
	var back string
	b.until("her run, to which Undo leads", func() bool {
		res, offered := b.undo(begun)
		if !offered {
			t.Fatal("what has begun cannot be undone from where it is said")
		}
		back = res.Header.Get("Location")
		return strings.HasPrefix(back, "/runs/")
	})
	want(t, "the way back", b.page(back), "Will be taken back", "Nothing is done before you say so")
}

// A preview marks what nothing does by itself as a run does, says who does it, and names the telephone number: the one that
// assigning would give, or, before an undo, the one that stays.
func TestAPreviewMarksWhatPeopleDoAndNamesTheNumber(t *testing.T) {
	t.Parallel()
	d := &directory{people: map[string]map[string]string{"E-9": {
		"first_name": "Núria", "last_name": "Vidal", "email": "nuria@company.com", "employee_id": "E-9", "department": "Sales", "job_title": "Sales Engineer", "team": "Iberia", "employment_type": "FTE",
		"start_date": "2020-03-02", "location": "Berlin", "work_arrangement": "Office", "manager_email": "boss@company.com",
	}}}
	b := newCompany(t, func(_ *web.Options, deps *flow.Deps) {
		deps.Sources["entra"] = flow.Source{Source: d}
		deps.Engine.Care = map[string]engine.Care{"slack": {Manual: true}}
		deps.Asking.Owners = map[string]string{"slack": "group:it-chat"}
	})
	b.api(http.MethodPut, "/api/v1/numbers/plan", `{"text":"`+strings.ReplaceAll(benchNumbers+"    when: person.department == 'Sales'\n", "\n", `\n`)+`","seq":0}`, http.StatusOK, nil)
	to := b.post("/onboard/bring", url.Values{"source": {"entra"}, "subject": {"E-9"}}).Header.Get("Location")
	person, _, _ := strings.Cut(to, "?")
	german := []string{"Cookie", "lang=de"}
	want(t, "the preview", b.page(person+"/preview"), "Opens a task", "Nothing does this by itself: it becomes a task for group it-chat.", "Telephone number", "14085550100", "gives this one: the one that is free for longest")
	want(t, "the German one", b.page(person+"/preview", german...), "Öffnet eine Aufgabe", "Telefonnummer", "vergibt diese: die, die am längsten frei ist")

	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	b.api(http.MethodPost, "/api/v1/numbers/assign", `{"person":"`+string(run.Person)+`","pool":"US-geo"}`, http.StatusCreated, nil)
	undo := b.page("/runs/" + string(run.ID) + "/undo")
	want(t, "the undo", undo, "Telephone number", "no undo takes it", "14085550100")
	want(t, "the German undo", b.page("/runs/"+string(run.ID)+"/undo", german...), "kein Rückgängigmachen nimmt sie", "14085550100")
	if other := b.page("/onboard/" + string(run.Person) + "/preview"); strings.Contains(other, "gives this one") {
		t.Error("whoever has a number is promised another one")
	}
}

// HR starts somebody in the wizard and is not offered to turn her run back, which is not for HR.
func TestTheWizardOffersUndoToWhoMay(t *testing.T) {
	t.Parallel()
	found := func(id string) map[string]string {
		return map[string]string{
			"first_name": "Nuria", "last_name": "Vidal", "email": id + "@company.com", "employee_id": id, "department": "Sales", "job_title": "Sales Engineer", "employment_type": "FTE",
			"start_date": "2020-03-02", "location": "Berlin", "work_arrangement": "Office", "manager_email": "boss@company.com",
		}
	}
	d := &directory{people: map[string]map[string]string{"hr": found("hr"), "operator": found("operator")}}
	b := newCompany(t, withRoles, func(_ *web.Options, deps *flow.Deps) { deps.Sources["entra"] = flow.Source{Source: d} })
	for _, r := range []dayone.Role{dayone.HR, dayone.Operator} {
		cookie := b.signIn(r)
		person, _, _ := strings.Cut(b.post("/onboard/bring", url.Values{"source": {"entra"}, "subject": {string(r)}}, "Cookie", cookie).Header.Get("Location"), "?")
		plan := regexp.MustCompile(`name="plan" value="([^"]*)"`).FindStringSubmatch(text(t, b.as(r, cookie, "GET", person+"/preview")))
		if plan == nil {
			t.Fatalf("%s finds no plan at %q", r, person)
		}
		begun := b.post(person, url.Values{"plan": {plan[1]}, "manage": {"yes"}}, "Cookie", cookie).Header.Get("Location")
		page := text(t, b.as(r, cookie, "GET", begun))
		want(t, "what has begun", page, `<div class="toast"`)
		want(t, "what asks again until it ends", page, `id="live-broken"`)
		if strings.Contains(page, `id="onboard-live" hx-get`) {
			want(t, "what asks again until it ends", page, `hx-trigger="every 2s"`)
		}
		if offered := undoForm.MatchString(page); offered != (r == dayone.Operator) {
			t.Errorf("%s is offered to undo what has begun: %v", r, offered)
		}
	}
}
