package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

func TestAPersonIsAddedExtendedAndMatchedInThePortal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hire("emp_1", "John", "Doe", "Sales", b.flow.Now().AddDate(0, -1, 0))
	day := func(n int) string { return b.flow.Now().AddDate(0, 0, n).Format(time.DateOnly) }
	b.until("John to work here", func() bool {
		row, err := b.flow.Named(t.Context(), "emp_1@company.com")
		return err == nil && row.Status == "active"
	})
	form := url.Values{
		"type": {"Contractor"}, "first_name": {"Ngozi"}, "last_name": {"Eze"}, "email": {"ngozi@partner.example"}, "sponsor": {"emp_1@company.com"}, "end": {day(60)}, "department": {"Sales"}, "reason": {"<b>why</b>"},
	}
	bad := url.Values{"type": {"Contractor"}, "first_name": {"Ngozi"}, "sponsor": {"ghost@company.com"}, "end": {"never"}}
	res := b.post("/people/add", bad)
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatal(res.Status)
	}
	want(t, "what is wrong", text(t, res), "Nothing was entered", "Say how they are called.", "Nobody here has this address.", "Write the last day as 2025-01-31.", `value="Ngozi"`, `aria-invalid="true"`)
	want(t, "confirmation", text(t, b.post("/people/add", form)), "Nothing is entered yet", "Add them", "&lt;b&gt;why&lt;/b&gt;")
	if _, err := b.flow.Named(t.Context(), "ngozi@partner.example"); err == nil {
		t.Fatal("she is there before it was confirmed")
	}
	form.Set("confirm", "yes")
	res = b.post("/people/add", form)
	at := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(at, "/people/per_") {
		t.Fatalf("%s %s", res.Status, at)
	}
	person, _, _ := strings.Cut(at, "?")
	want(t, "her page", b.page(person), "Not in an HR system", "emp_1@company.com answers for them", "Put it off")

	want(t, "the page behind the mail", b.page(person+"/extend"), "Put the last day off", "emp_1@company.com (sponsor)")
	res = b.post(person+"/extend", url.Values{"until": {day(10)}, "of": {"emp_1@company.com"}, "reason": {"x"}})
	want(t, "an earlier day", text(t, res), "The last day stays", "name a later one")
	if res = b.post(person+"/extend", url.Values{"until": {day(90)}, "of": {"emp_1@company.com"}, "reason": {"x"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatal(res.Status)
	}
	want(t, "her page", b.page(person), day(90))

	var got struct {
		State    string
		Suspects []struct{ Person, Name string }
	}
	twin := `{"type": "contractor", "sponsor": "emp_1@company.com", "end": "` + day(30) + `", "attributes": {"first_name": "Ngozi", "last_name": "Eze", "email": "other@partner.example"}`
	b.api("POST", "/api/v1/people", twin+`, "check": true}`, 200, &got)
	if len(got.Suspects) != 1 || got.State != "" {
		t.Errorf("checked: %+v", got)
	}
	b.api("POST", "/api/v1/people", twin+`}`, 201, &got)
	if got.State != "asked" {
		t.Errorf("added: %+v", got)
	}
	b.api("POST", "/api/v1/people", `{"type": "contractor"}`, 400, nil)
	var matches struct{ Items []struct{ ID string } }
	b.api("GET", "/api/v1/matches", "", 200, &matches)
	want(t, "matches", b.page("/matches"), "Ngozi Eze", "May be Ngozi Eze.")
	match := "/matches/" + matches.Items[0].ID
	want(t, "match", b.page(match), "Is Ngozi Eze known already?", "Somebody else, who is not known yet", "other@partner.example")
	if res := b.post(match, url.Values{"person": {""}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nothing chosen: %s", res.Status)
	}
	b.api("POST", "/api/v1"+match, `{"person": "new", "reason": "her cousin"}`, 200, nil)
	b.api("POST", "/api/v1"+match, `{"person": "new"}`, 409, nil)
	b.api("GET", "/api/v1"+match, "", 200, nil)
	want(t, "decided", b.page(match), "Somebody else")
	b.until("the other one to be there", func() bool {
		_, err := b.flow.Named(t.Context(), "other@partner.example")
		return err == nil
	})
	b.api("POST", "/api/v1"+person+"/extend", `{"until": "`+day(5)+`", "by": "emp_1@company.com", "reason": "x"}`, 400, nil)
	b.api("GET", "/api/v1/events?state=held", "", 200, nil)
	b.api("GET", "/api/v1/matches?state=all", "", 200, nil)
}

func TestThePreHireFormNeedsNoLoginAndChangesNothingByBeingSeen(t *testing.T) {
	t.Parallel()
	b := newBench(t, withToken, func(_ *web.Options, d *flow.Deps) {
		d.PreHire = flow.PreHireSettings{Ask: []string{"first_name", "department"}}
	})
	for _, path := range []string{"/prehire/x", "/prehire/" + strings.Repeat("x", 200)} {
		if res := b.get(path); res.StatusCode != http.StatusNotFound || !strings.Contains(res.Header.Get("X-Robots-Tag"), "noindex") {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if res := b.post("/prehire/x", url.Values{"first_name": {"Eve"}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("a guessed link: %s", res.Status)
	}
	if res := b.get("/people/add"); res.StatusCode == http.StatusOK {
		t.Error("anybody may add people")
	}
	if got := regexp.MustCompile(`prehire/[^"]+`).FindString(b.log.String()); strings.Contains(got, "xxx") {
		t.Errorf("the log has a link: %s", got)
	}
}

// Whoever is entered several times at once is one of them, and every question names who is meant: it is the question that
// knows, not the look before it.
func TestWhoIsEnteredManyTimesAtOnceIsNamedInEveryQuestion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.hire("emp_1", "John", "Doe", "Sales", b.flow.Now().AddDate(0, -1, 0))
	b.until("John to work here", func() bool {
		row, err := b.flow.Named(t.Context(), "emp_1@company.com")
		return err == nil && row.Status == "active"
	})
	body := `{"type": "contractor", "sponsor": "emp_1@company.com", "end": "` + b.flow.Now().AddDate(0, 0, 30).Format(time.DateOnly) + `", "attributes": {"first_name": "Ngozi", "last_name": "Eze", "email": "ngozi@partner.example"}}`
	type answer struct {
		State    dayone.EventState
		Person   dayone.PersonID
		Suspects []struct{ Person dayone.PersonID }
	}
	answers := make([]answer, 6)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			res, err := http.Post(b.url+"/api/v1/people", "application/json", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = res.Body.Close() }()
			if err := json.NewDecoder(res.Body).Decode(&answers[i]); err != nil || res.StatusCode != http.StatusCreated {
				t.Errorf("%s, %v", res.Status, err)
			}
		})
	}
	wg.Wait()
	row, err := b.flow.Named(t.Context(), "ngozi@partner.example")
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, a := range answers {
		switch {
		case a.State == dayone.EventApplied && a.Person == row.ID:
			made++
		case a.State != dayone.EventAsked || len(a.Suspects) != 1 || a.Suspects[0].Person != row.ID:
			t.Errorf("an answer is %+v, and does not name %s", a, row.ID)
		}
	}
	if made != 1 {
		t.Errorf("%d of them are somebody new", made)
	}
}
