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
	res = b.post(path+"/undo", url.Values{"hash": {"of another day"}, "reason": {"a mistake"}})
	if got := text(t, res); res.StatusCode != http.StatusConflict || !strings.Contains(got, "something has changed since that was shown") && !strings.Contains(got, "Something has changed since that was shown") || !strings.Contains(got, `value="a mistake"`) {
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
	want(t, "the undo", b.page("/runs/"+by), "This run takes another one back", path)

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
