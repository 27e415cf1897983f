package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/web"
)

// However many alerts are open, each is on a page that the dashboard leads to, and in the API.
func TestEveryAlertIsOnAPage(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	b := newBench(t, func(_ *web.Options, d *flow.Deps) {
		d.Clock = frozen{at: now} // rules are looked at once
		if err := d.Store.SaveAlerts(t.Context(), []dayone.Alert{{ID: "alt_first", Rule: "gone", Opened: now, Told: now}}, nil); err != nil {
			t.Fatal(err)
		}
	})
	b.until("rules were looked at", func() bool {
		n, err := b.flow.CountAlerts(t.Context(), 10)
		return err == nil && n == 0
	})
	const open, over = 130, 70
	var list []dayone.Alert
	for i := range open + over {
		a := dayone.Alert{ID: fmt.Sprintf("alt_%03d", i), Rule: "task-overdue", Subject: fmt.Sprint("tsk_", i), Opened: now.Add(time.Duration(i-300) * time.Minute), Told: now}
		if i >= open {
			a.Resolved = now
		}
		list = append(list, a)
	}
	if err := b.flow.Store.SaveAlerts(t.Context(), list, nil); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, a := range list {
		want = append(want, "/tasks/"+a.Subject)
	}
	slices.Sort(want)
	var got []string
	seen := map[string]bool{}
	for todo := []string{"/alerts"}; len(todo) > 0; {
		at := todo[0]
		if todo = todo[1:]; seen[at] {
			continue
		}
		seen[at] = true
		for _, href := range strings.Split(b.page(at), `href="`)[1:] {
			href, _, _ = strings.Cut(href, `"`)
			switch {
			case strings.HasPrefix(href, "/tasks/tsk_"):
				got = append(got, href)
			case strings.HasPrefix(href, "/alerts?after="):
				todo = append(todo, href)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the pages %v have %d alerts, want %d", seen, len(got), len(want))
	}
	var ids []string
	for at := "/api/v1/alerts?state=all&limit=60"; at != ""; {
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		b.api("GET", at, "", http.StatusOK, &page)
		for _, x := range page.Items {
			ids = append(ids, x.ID)
		}
		at = page.Next
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(list)+1 {
		t.Errorf("the API gives %d of %d", len(ids), len(list)+1)
	}
	if !strings.Contains(b.page("/"), `<a href="/alerts">All 130 alerts</a>`) {
		t.Error("the dashboard does not lead to all of them")
	}
	b.api("GET", "/api/v1/alerts?after=soon", "", http.StatusBadRequest, nil)
}
