package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/web"
)

// Whoever follows an old link to somebody who was erased finds a page that says so, and nothing of her.
func TestPagesOfSomebodyErasedShowNothingOfHer(t *testing.T) {
	t.Parallel()
	var db *store.DB
	b := newCompany(t, func(_ *web.Options, d *flow.Deps) { db = d.Store })
	b.any.set("procurement/order", dayone.Wait{Kind: dayone.WaitTask, Note: "ship it to 1 Main St", Ask: []string{"serial"}}, nil)
	b.hireSarah()
	run := b.runOf("sarah.chen@company.com")
	id := string(run.Person)
	task := regexp.MustCompile(`/tasks/(tsk_[a-z0-9]+)`).FindString(b.page("/tasks"))
	if res := b.post(task, url.Values{"ask.serial": {"C02XK1ABCD"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("completing the task: %s", res.Status)
	}
	progress := "/progress/" + id + "/" + b.keeper.Token("progress "+id)
	b.page(progress)
	b.until("the run to end", func() bool { return b.started("sarah.chen@company.com").State.Over() })
	if err := db.Erase(t.Context(), run.Person, time.Now(), dayone.Record{At: time.Now(), Person: run.Person, What: "erased"}); err != nil {
		t.Fatal(err)
	}

	of := "/runs/" + string(run.ID)
	for _, path := range []string{
		"/", "/people", "/people/" + id, "/people/" + id + "/timeline", "/people/" + id + "/runs", "/people/" + id + "/records",
		"/people/" + id + "/why?key=okta/group:sales-team", "/runs", of, of + "/records", "/tasks", task, "/events", "/records", "/find?q=sarah", progress,
		"/api/v1/people", "/api/v1/people/" + id, "/api/v1/people/" + id + "/access", "/api/v1/runs", "/api" + "/v1" + of, "/api/v1/tasks", "/api/v1" + task,
		"/api/v1/events", "/api/v1/records",
	} {
		res := b.get(path)
		body := text(t, res)
		if res.StatusCode >= http.StatusInternalServerError || res.StatusCode != http.StatusOK && !strings.Contains(path, "?") && path != progress {
			t.Errorf("GET %s: %s", path, res.Status)
		}
		for _, hers := range []string{"Chen", "sarah.chen", "Main St", "emp_789", "C02XK1ABCD"} {
			if strings.Contains(body, hers) {
				t.Errorf("GET %s still shows %q", path, hers)
			}
		}
	}
	want(t, "person", b.page("/people/"+id), store.Erased)
	want(t, "run", b.page(of), store.Erased)
	if strings.Contains(b.page("/people"), id) {
		t.Error("she is still in the list")
	}
	want(t, "records", b.page("/people/"+id+"/records"), "the values were erased")
}
