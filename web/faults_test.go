package web_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
)

// Somebody whose entry cannot be read is not shown as somebody who is gone.
func TestWhoCannotBeReadIsNotGone(t *testing.T) {
	t.Parallel()
	b, q := managerAsked(t)
	if res := b.post("/runs/"+string(q.Run)+"/issues", url.Values{"text": {"her name is wrong"}}); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("reporting answers %d", res.StatusCode)
	}
	tasks, err := b.flow.Tasks(t.Context(), "", q.Run)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%d tasks: %v", len(tasks), err)
	}
	b.halt()
	raw, err := sql.Open("sqlite", "file:"+b.at+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`UPDATE person SET starts = 'no time' WHERE id = $1`, q.Person); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/approvals", "/approvals/" + string(q.ID), "/tasks", "/tasks/" + string(tasks[0].ID), "/api/v1/approvals", "/api/v1/tasks/" + string(tasks[0].ID)} {
		if res := b.get(path); res.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s answers %d of whom cannot be read", path, res.StatusCode)
		}
	}
	want(t, "table of runs", b.page("/runs?format=csv"), string(q.Person)+" (could not be read)")
}

// Facts say who somebody's manager is by name, where whoever looks may know it.
func TestAManagerIsCalledByName(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	b := startBench(t, twoCountries, false, withReach)
	ada := b.comes("ada", "", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -30))
	luc := b.comes("luc", "", "Board", "Paris", "Acme SAS", now.AddDate(0, 0, -30))
	eva := b.comes("eva", "ada@company.com", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -20))
	zoe := b.comes("zoe", "luc@company.com", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -20))
	max := b.comes("max", "nobody@company.com", "Board", "Berlin", "Acme GmbH", now.AddDate(0, 0, -20))
	hr := b.signIn(dayone.HR)
	fact := func(of dayone.PersonID) string {
		t.Helper()
		_, after, ok := strings.Cut(b.page("/people/"+string(of), "Cookie", hr), "<dt>Manager</dt>")
		if !ok {
			t.Fatal("no manager")
		}
		line, _, _ := strings.Cut(after, "</dd>")
		return line
	}
	want(t, "a manager", fact(eva.Person), fmt.Sprintf(`href="/people/%s"`, ada.Person), "Ada Test")
	if s := fact(zoe.Person); strings.Contains(s, "Luc") || strings.Contains(s, string(luc.Person)) || !strings.Contains(s, "luc@") {
		t.Errorf("who is out of scope is told of: %s", s)
	}
	want(t, "who is in no books", fact(max.Person), "nobody@")
}
