package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// alerts are open once about a subject; letters are there once, go out in the order in which they are about one thing, and
// are marked.
func alerts(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a := dayone.Alert{ID: "alt_1", Rule: "disk-low", Subject: "database", Note: "too little", Opened: at, Told: at}
	letter := func(once, via, about string, made time.Duration) dayone.Letter {
		return dayone.Letter{Once: once, Via: via, Kind: "alert.opened", About: about, Body: "{}", Made: at.Add(made)}
	}
	if err := d.SaveAlerts(ctx, []dayone.Alert{a}, []dayone.Letter{letter("l1", "mail", "disk-low", 0), letter("l2", "webhook", "disk-low", 0)}); err != nil {
		t.Fatal(err)
	}
	again := a
	again.ID = "alt_2"
	if err := d.SaveAlerts(ctx, []dayone.Alert{again}, []dayone.Letter{letter("l9", "mail", "disk-low", 0)}); err == nil {
		t.Error("two alerts are open about one thing")
	}
	a.Note, a.Told = "less", at.Add(time.Hour)
	if err := d.SaveAlerts(ctx, []dayone.Alert{a}, []dayone.Letter{letter("l1", "mail", "other", time.Hour), letter("l3", "mail", "disk-low", time.Hour), letter("l4", "mail", "run_1", time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]dayone.Alert{a}, must[[]dayone.Alert](t)(d.Alerts(ctx, store.AlertFilter{Open: true, Rule: "disk-low"}))); diff != "" {
		t.Error(diff)
	}
	due := func(after time.Duration) (out string) {
		t.Helper()
		for _, l := range must[[]dayone.Letter](t)(d.DueLetters(ctx, "mail", at.Add(after), 10)) {
			out += l.Once + " "
		}
		return out
	}
	if got := due(2 * time.Hour); got != "l1 l4 " {
		t.Errorf("due: %q", got)
	}
	if err := d.LetterWaits(ctx, "l1", "nobody there", at.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := due(2 * time.Hour); got != "l4 " {
		t.Errorf("while the first waits: %q", got)
	}
	if err := d.SentLetter(ctx, "l4", "", at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if next := must[time.Time](t)(d.NextLetter(ctx, "mail")); !next.Equal(at.Add(3 * time.Hour)) {
		t.Errorf("next: %v", next)
	}
	list := must[[]dayone.Letter](t)(d.DueLetters(ctx, "mail", at.Add(3*time.Hour), 10))
	if len(list) != 1 || list[0].Once != "l1" || list[0].Tries != 1 || list[0].Error != "nobody there" || list[0].About != "disk-low" || !list[0].Made.Equal(at) {
		t.Errorf("it comes back as %+v", list)
	}
	if n := must[map[string]int](t)(d.CountLetters(ctx)); n["mail"] != 2 || n["webhook"] != 1 {
		t.Errorf("waiting: %v", n)
	}
	if n := must[map[string]int](t)(d.CountAlerts(ctx)); n["disk-low"] != 1 {
		t.Errorf("open: %v", n)
	}
	a.Resolved = at.Add(4 * time.Hour)
	if err := d.SaveAlerts(ctx, []dayone.Alert{a}, nil); err != nil {
		t.Fatal(err)
	}
	again.Opened = at.Add(5 * time.Hour)
	if err := d.SaveAlerts(ctx, []dayone.Alert{again}, nil); err != nil {
		t.Errorf("once it was resolved: %v", err)
	}
	if all := must[[]dayone.Alert](t)(d.Alerts(ctx, store.AlertFilter{})); len(all) != 2 || all[0].ID != "alt_2" || !all[1].Resolved.Equal(a.Resolved) {
		t.Errorf("all of them: %+v", all)
	}
	if err := d.ForgetLetters(ctx, at.Add(30*time.Minute+4*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := must[map[string]int](t)(d.CountLetters(ctx)); len(n) != 0 {
		t.Errorf("still there: %v", n)
	}
	if all := must[[]dayone.Alert](t)(d.Alerts(ctx, store.AlertFilter{Limit: 5})); len(all) != 1 || all[0].ID != "alt_2" {
		t.Errorf("what stays: %+v", all)
	}
}

// lookedFor is what rules find: who starts and leaves, tasks that are due, runs that ended badly, sources that were heard.
func lookedFor(t *testing.T, d *store.DB) {
	ctx := t.Context()
	p := Sarah(t, d)
	row := must[store.Row](t)(d.Person(ctx, p))
	row.Managed, row.Status, row.Starts, row.Ends = true, dayone.PreHire, at.Add(time.Hour), at.Add(2*time.Hour)
	if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	starts := func(since, until time.Duration) int {
		return len(must[[]store.Row](t)(d.Starting(ctx, at.Add(since), at.Add(until))))
	}
	if starts(0, 2*time.Hour) != 1 || starts(2*time.Hour, 3*time.Hour) != 0 || starts(-time.Hour, 0) != 0 {
		t.Error("who starts is not found, or somebody else is")
	}
	left := func() int {
		return len(must[[]store.Row](t)(d.LeftWithAccounts(ctx, at, at.Add(2*time.Hour))))
	}
	account := dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "okta", Kind: dayone.AccountKindName}, Ref: "u1", State: dayone.Active}}
	for _, c := range []struct {
		state dayone.State
		n     int
	}{{dayone.Disabled, 0}, {dayone.Active, 1}} {
		account.State = c.state
		if err := d.KeepHoldings(ctx, p, []dayone.Holding{account}); err != nil {
			t.Fatal(err)
		}
		if n := left(); n != c.n {
			t.Errorf("with an account that is %s: %d", c.state, n)
		}
	}
	over := 0
	d.Over = func(r dayone.Run) []dayone.Letter {
		over++
		return []dayone.Letter{{Once: string(r.ID), Via: "webhook", Kind: "run.finished", About: string(r.ID), Body: "{}", Made: r.Ended}}
	}
	run := dayone.Run{ID: "run_1", Person: p, State: dayone.RunRunning, Started: at}
	task := dayone.Task{ID: "tsk_1", Person: p, Run: "run_1", Step: "x", Once: "o", System: "okta", Title: "t", Opened: at, Due: at.Add(time.Hour)}
	if err := d.Commit(ctx, []dayone.Progress{{Run: run, New: true, Opened: []dayone.Task{task}}}); err != nil {
		t.Fatal(err)
	}
	if n := len(must[[]dayone.Task](t)(d.Overdue(ctx, at))); n != 0 {
		t.Errorf("%d tasks are overdue before they are due", n)
	}
	if due := must[[]dayone.Task](t)(d.Overdue(ctx, at.Add(time.Hour))); len(due) != 1 || due[0].Run != "run_1" || !due[0].Due.Equal(task.Due) {
		t.Errorf("overdue: %+v", due)
	}
	if n := len(must[[]dayone.Run](t)(d.Incomplete(ctx))); n != 0 || over != 0 {
		t.Errorf("a run that goes on is incomplete: %d, and over: %d", n, over)
	}
	run.State, run.Ended = dayone.RunIncomplete, at.Add(time.Minute)
	if err := d.Commit(ctx, []dayone.Progress{{Run: run, Moved: true}}); err != nil {
		t.Fatal(err)
	}
	if bad := must[[]dayone.Run](t)(d.Incomplete(ctx)); len(bad) != 1 || bad[0].Person != p || !bad[0].Ended.Equal(run.Ended) {
		t.Errorf("incomplete: %+v", bad)
	}
	if l := must[[]dayone.Letter](t)(d.DueLetters(ctx, "webhook", at.Add(time.Hour), 10)); len(l) != 1 || l[0].About != "run_1" {
		t.Errorf("the run's end is told by %+v", l)
	}
	if err := d.Commit(ctx, []dayone.Progress{{Run: dayone.Run{ID: "run_2", Person: p, State: dayone.RunRunning, Started: at}, New: true}}); err != nil {
		t.Fatal(err)
	}
	if n := len(must[[]dayone.Run](t)(d.Incomplete(ctx))); n != 0 {
		t.Error("a run counts after which there was another")
	}
	for _, when := range []time.Time{at, at.Add(time.Hour)} {
		if err := d.KeepHeard(ctx, map[string]time.Time{"hr": when}); err != nil {
			t.Fatal(err)
		}
	}
	if heard := must[map[string]time.Time](t)(d.Heard(ctx)); !heard["hr"].Equal(at.Add(time.Hour)) || len(heard) != 1 {
		t.Errorf("heard: %v", heard)
	}
	if err := d.SetWake(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	if n := must[int](t)(d.CountDue(ctx, at)); n != 1 {
		t.Errorf("%d people are due", n)
	}
	if old := must[time.Time](t)(d.OldestWaiting(ctx)); !old.IsZero() {
		t.Errorf("an event waits since %v", old)
	}
}

// alertsWithin: alerts go on where a page ended, and whoever has a scope finds those about her people and her systems.
func alertsWithin(t *testing.T, d *store.DB) {
	ctx := t.Context()
	for name, row := range map[string]store.Row{"ada": {Country: "DE"}, "luc": {Country: "FR"}, "eve": {Country: "DE", Veil: dayone.WholeVeiled}} {
		row.ID, row.Name, row.Status = dayone.PersonID("per_"+name), name, dayone.Working
		if err := d.Save(ctx, store.Saved{Person: row.ID, New: true, Row: &row}); err != nil {
			t.Fatal(err)
		}
	}
	var list []dayone.Alert
	for i, a := range []dayone.Alert{{Person: "per_ada"}, {Person: "per_luc"}, {Person: "per_eve"}, {Subject: "okta"}, {Subject: "gitlab"}, {Subject: "brk_1"}, {Person: "per_ada"}, {Person: "per_luc"}} {
		a.ID, a.Rule, a.Opened = fmt.Sprint("alt_", i), fmt.Sprint("rule-", i), at.Add(time.Duration(i/2)*time.Minute)
		if i >= 6 { // the newest are over
			a.Resolved = at.Add(time.Hour)
		}
		list = append(list, a)
	}
	if err := d.SaveAlerts(ctx, list, nil); err != nil {
		t.Fatal(err)
	}
	german, systems := dayone.Scope{{Countries: []string{"DE"}}}, dayone.Scope{{Systems: []string{"okta"}}}
	for _, c := range []struct {
		f    store.AlertFilter
		want string // the numbers, in order
	}{
		{store.AlertFilter{}, "54321076"},
		{store.AlertFilter{Over: true}, "76"},
		{store.AlertFilter{Open: true}, "543210"},
		{store.AlertFilter{Within: german}, "206"},
		{store.AlertFilter{Within: german, Public: true}, "06"},
		{store.AlertFilter{Within: german, Public: true, Systems: []string{"gitlab"}}, "406"},
		{store.AlertFilter{Within: german, Public: true, Systems: []string{"gitlab"}, Open: true}, "40"},
		{store.AlertFilter{Within: systems, Public: true, Systems: []string{"okta"}}, "321076"},
		{store.AlertFilter{Within: dayone.Scope{{Countries: []string{"XX"}}}}, ""},
	} {
		for limit := range 9 {
			f, got := c.f, ""
			for f.Limit = limit; ; {
				page := must[[]dayone.Alert](t)(d.Alerts(ctx, f))
				for _, a := range page {
					got += strings.TrimPrefix(a.ID, "alt_")
					f.From = store.Mark{Waits: a.Resolved.IsZero(), ID: a.ID}
				}
				if limit == 0 || len(page) < limit {
					break
				}
			}
			if got != c.want {
				t.Errorf("%+v, %d at once, finds %q, want %q", c.f, limit, got, c.want)
			}
			c.f.Limit = limit
			want := len(c.want)
			if limit > 0 {
				want = min(want, limit)
			}
			if n := must[int](t)(d.CountAlertsBy(ctx, c.f)); n != want {
				t.Errorf("%+v counts %d, want %d", c.f, n, want)
			}
		}
	}
}
