package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
)

// However many tasks wait, each is on some page of the list and in the table, and is counted.
func TestTasksBeyondAPageAreNotLost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Ada", "Moss", "Sales", soon)
	before, err := b.flow.CountTasks(t.Context(), flow.TaskFilter{})
	if err != nil {
		t.Fatal(err)
	}
	const more = 667
	for i := range more {
		id := dayone.TaskID(fmt.Sprintf("tsk_%026d", i))
		if err := b.flow.Store.OpenTask(t.Context(), dayone.Task{ID: id, Person: person, Once: string(id), Title: "Bring the box", Opened: b.flow.Now(), Due: b.flow.Now().Add(time.Duration(i/10) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for next := "/api/v1/tasks?limit=300&person=" + string(person); next != ""; {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		b.api("GET", next, "", 200, &page)
		for _, x := range page.Items {
			seen[x.ID]++
		}
		next = page.Next
	}
	all := before + more
	if len(seen) != all {
		t.Errorf("%d of %d are on pages", len(seen), all)
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	shown := map[string]int{}
	for next := "/tasks"; next != ""; {
		body := b.page(next)
		for _, m := range regexp.MustCompile(`href="/tasks/(tsk_[0-9a-z]+)"`).FindAllStringSubmatch(body, -1) {
			shown[m[1]]++
		}
		if next != "/tasks" {
			want(t, "a further page", body, `<a href="/tasks">First page</a>`, fmt.Sprintf("%d tasks wait", all))
		}
		next = nextPage(t, body)
	}
	if !maps.Equal(shown, seen) {
		t.Errorf("%d of %d are on the portal's pages", len(shown), all)
	}
	if res := b.get("/tasks?after=tsk_1"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a mark that is none: %s", res.Status)
	}
	if rows := len(b.table("/tasks?format=csv")) - 1; rows != all {
		t.Errorf("%d of %d are in the table", rows, all)
	}
	if body := text(t, b.get("/tasks")); !strings.Contains(body, fmt.Sprintf("%d tasks wait", all)) {
		t.Error("the page does not say how many there are")
	}
	b.api("GET", "/api/v1/tasks?after=tsk_1", "", 400, nil)
}

func TestAFilterThatNothingIsCalledByIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, bad := range []string{
		"people?status=foo", "runs?state=zz", "runs?state=done&state=zz", "events?state=zz", "holds?ended=maybe", "records?before=zzz", "records?detail=x",
		"people?limit=0", "people?limit=-3", "people?limit=1001", "people?limit=ten", "tasks?limit=9999",
	} {
		b.api("GET", "/api/v1/"+bad, "", http.StatusBadRequest, nil)
	}
	for _, bad := range []string{"/runs?state=zz", "/runs?state=done&state=zz", "/records?before=zzz", "/records?before=-1", "/numbers/audit/cucm?after=x", "/numbers/audit/cucm?after=-1", "/numbers/audit/cucm?kind=zz"} {
		if res := b.get(bad); res.StatusCode != http.StatusBadRequest {
			t.Errorf("the page %s: %s", bad, res.Status)
		}
	}
	for _, good := range []string{"/runs?state=", "/runs?state=open", "/records?before=3"} {
		b.page(good)
	}
	for _, good := range []string{"people?status=unplanned", "people?status=&limit=", "people?limit=1000", "runs?state=undo+incomplete&state=", "events?state=asked", "records?before=3&detail=true"} {
		b.api("GET", "/api/v1/"+good, "", http.StatusOK, nil)
	}
}

// Whoever reads a page in another language reads in it why an address of it was refused, too: what a state, a mark or a day may be.
func TestARefusedAddressIsSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	person, _ := b.hire("emp_1", "Ada", "Moss", "Sales", soon)
	for path, says := range map[string]string{
		"/runs?state=zz":                                   "Als state nimmt diese Liste eines von",
		"/drift?kind=zz":                                   "Als kind nimmt diese Liste eines von",
		"/records?before=zzz":                              "keine Nummer einer Zeile des Protokolls",
		"/numbers/audit/cucm?after=x":                      "keine Zahl von Funden",
		"/numbers/audit/cucm?kind=zz":                      "Als kind nimmt diese Liste eines von",
		"/tasks?after=tsk_1":                               "keine Stelle einer Liste",
		"/people/" + string(person) + "/timeline?before=x": "keine Nummer einer Änderung",
		"/people/" + string(person) + "/timeline?as_of=zz": "ist kein Tag",
		"/people/" + string(person) + "/why?key=zz":        "Nennen Sie einen Zugang",
	} {
		if body := text(t, b.get(path, "Cookie", "lang=de")); !strings.Contains(body, says) {
			t.Errorf("%s does not say %q:\n%s", path, says, body)
		}
	}
}
