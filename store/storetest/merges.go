package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// onceOf names a question to those who approve, as the store is told to name it.
func onceOf(p dayone.PersonID, k dayone.Key, role string) string {
	return fmt.Sprint("ask ", p, " ", k, " ", role)
}

// kept is everything that is in the books of somebody, opened.
type kept struct {
	Row       store.Row
	Timeline  dayone.Timeline
	Gathered  dayone.Timeline
	Holdings  []dayone.Holding
	Tasks     []dayone.Task
	Approvals []dayone.Petition
	Requests  []dayone.Request
	Holds     []dayone.Hold
	Runs      int
	Events    int
	Mail      dayone.PersonID
	Matches   map[string][]dayone.PersonID
}

func keptOf(t *testing.T, d *store.DB, id dayone.PersonID) kept {
	t.Helper()
	ctx := t.Context()
	k := kept{
		Row: must[store.Row](t)(d.Person(ctx, id)), Timeline: must[dayone.Timeline](t)(d.Timeline(ctx, id)), Holdings: must[[]dayone.Holding](t)(d.Holdings(ctx, id, true)),
		Tasks: must[[]dayone.Task](t)(d.AllTasks(ctx, id)), Approvals: must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: id})),
		Requests: must[[]dayone.Request](t)(d.Requests(ctx, id, false)), Holds: must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: id, Ended: true})),
		Runs: len(must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{Person: id}))), Events: len(must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{Person: id}))),
		Mail: must[dayone.PersonID](t)(d.NameOwner(ctx, store.Name{Attr: "email", Value: string(id) + "@company.com"})), Matches: must[map[string][]dayone.PersonID](t)(d.Marked(ctx, []string{"mark " + string(id)})),
	}
	if read := must[[]store.Read](t)(d.Timelines(ctx, []dayone.PersonID{id})); read[0].Err != nil {
		t.Fatal(read[0].Err)
	} else {
		k.Gathered = read[0].Timeline
	}
	return k
}

// known makes somebody of whom there is one of everything that moves.
func known(t *testing.T, d *store.DB, n string, systems ...string) (dayone.PersonID, store.Row) {
	t.Helper()
	ctx := t.Context()
	p, e := dayone.PersonID("per_"+n), dayone.EngagementID("eng_"+n)
	row := store.Row{ID: p, Managed: true, Name: "Ngozi " + n, Email: string(p) + "@company.com", Department: "Sales", Status: dayone.Working, Starts: at, Wake: at}
	for _, err := range []error{
		d.Save(ctx, store.Saved{
			Person: p, New: true, Employment: &dayone.Employment{ID: e, Source: "hr", SourceID: n, Recorded: at}, Names: []store.Name{{Attr: "email", Value: row.Email}}, Row: &row, Marks: []string{"mark " + string(p)},
			Facts: []dayone.Fact{
				{Engagement: e, Attr: "email", Recorded: at, Said: at, Again: at, Value: dayone.Text(row.Email), Source: "hr", Event: "evt_1"},
				{Engagement: e, Attr: "mobile", Recorded: at, Said: at, Again: at, Value: dayone.Text("+1 " + n), Personal: true, Source: "hr", Event: "evt_1"},
			},
		}),
		d.OpenTask(ctx, dayone.Task{ID: dayone.TaskID("tsk_" + n), Person: p, Once: "review " + string(p) + " okta/account", Title: "Is it needed by " + n, Opened: at, Due: at}),
		d.AskApprovals(ctx, []dayone.Petition{{ID: dayone.ApprovalID("apr_" + n), Person: p, Key: dayone.Key{System: "aws", Kind: "role", Name: "admin"}, Role: "r", Once: onceOf(p, dayone.Key{System: "aws", Kind: "role", Name: "admin"}, "r"), State: dayone.ApprovalOpen, Opened: at, Due: at, Next: at, Why: "of " + n}}),
		d.AddRequest(ctx, dayone.Request{ID: dayone.RequestID("req_" + n), Person: p, Key: dayone.Key{System: "okta", Kind: "group", Name: n}, Made: at, Reason: "for " + n}),
		d.SaveHold(ctx, store.HoldChange{Hold: dayone.Hold{ID: dayone.HoldID("hld_" + n), Person: p, Keys: []dayone.Key{{System: "okta", Kind: "account"}}, From: at, Until: at.Add(time.Hour), Reason: "of " + n}}),
		d.Record(ctx, dayone.Record{At: at, Person: p, What: "known", Detail: &dayone.Detail{Note: n}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var have []dayone.Holding
	for _, s := range systems {
		for _, k := range []dayone.Key{{System: s, Kind: "account"}, {System: s, Kind: "group", Name: "all"}} {
			h := dayone.Holding{Since: at}
			h.Ref, h.Key, h.State, h.Attrs = n+" at "+s, k, dayone.Active, dayone.Attrs{"login": dayone.Text(n)}
			have = append(have, h)
		}
	}
	if err := d.KeepHoldings(ctx, p, have); err != nil {
		t.Fatal(err)
	}
	return p, row
}

// merges: what stands of one person moves to another and can be moved back; where both have the same it stays apart.
func merges(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a, rowA := known(t, d, "a", "okta")
	b, rowB := known(t, d, "b", "okta", "gitlab")
	before := []kept{keptOf(t, d, a), keptOf(t, d, b)}

	m := store.Merger{
		Merge: dayone.Merge{ID: "mrg_1", Person: a, Other: b, Made: at.Add(time.Hour), By: "kim", Reason: "one person"}, Row: rowA, Marks: []string{"mark per_a", "mark per_b"}, Once: onceOf,
		Facts: []dayone.Fact{{Engagement: "eng_b", Attr: "email", Recorded: at.Add(time.Hour), Said: at.Add(time.Hour), Again: at.Add(time.Hour), Value: dayone.Text(rowA.Email), Source: "dayone"}},
		Tasks: []dayone.Task{{Person: a, Once: store.SecondTask + "mrg_1 okta", System: "okta", Title: "A second account", Opened: at, Due: at}},
	}
	if err := d.SaveLegalHold(ctx, dayone.LegalHold{ID: "lgl_1", Person: b, Reason: "case", From: at}, at); err != nil {
		t.Fatal(err)
	}
	isKind(t, d.Merge(ctx, m), dayone.ErrConflict)
	if diff := cmp.Diff(before[0], keptOf(t, d, a), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was refused did something:\n%s", diff)
	}
	if err := d.SaveLegalHold(ctx, dayone.LegalHold{ID: "lgl_1", Person: b, Reason: "case", From: at, Ended: at.Add(time.Minute)}, at); err != nil {
		t.Fatal(err)
	}
	if err := d.Merge(ctx, m); err != nil {
		t.Fatal(err)
	}
	isKind(t, d.Merge(ctx, m), dayone.ErrConflict)

	one := keptOf(t, d, a)
	if len(one.Timeline.Employments) != 2 || len(one.Timeline.Facts) != 5 || !cmp.Equal(one.Timeline, one.Gathered, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(x, y dayone.Fact) bool { return fmt.Sprint(x) < fmt.Sprint(y) })) {
		t.Errorf("her timeline: %+v\ngathered: %+v", one.Timeline, one.Gathered)
	}
	var keys []string
	for _, h := range one.Holdings {
		keys = append(keys, h.Key.String()+" "+h.Ref)
	}
	if !slices.Equal(keys, []string{"gitlab/account b at gitlab", "gitlab/group:all b at gitlab", "okta/account a at okta", "okta/group:all a at okta"}) {
		t.Errorf("she has %v", keys)
	}
	if apart := must[[]dayone.Holding](t)(d.Holdings(ctx, b, true)); len(apart) != 2 || apart[0].Ref != "b at okta" {
		t.Errorf("apart: %+v", apart)
	}
	if len(one.Approvals) != 2 || len(must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: a, Live: true}))) != 1 {
		t.Errorf("one question stands, and the other is known: %+v", one.Approvals)
	}
	open := must[[]dayone.Task](t)(d.Tasks(ctx, a, ""))
	if len(open) != 2 || len(one.Tasks) != 3 {
		t.Errorf("the review of both is one, and a second account is a task: %+v", open)
	}
	if len(one.Requests) != 2 || len(one.Holds) != 2 || one.Requests[0].Reason != "for b" || one.Holds[0].Reason != "of b" {
		t.Errorf("requests %+v, holds %+v", one.Requests, one.Holds)
	}
	if owner := must[dayone.PersonID](t)(d.NameOwner(ctx, store.Name{Attr: "email", Value: rowB.Email})); owner != a {
		t.Errorf("the other's name is %s's", owner)
	}
	if lines := must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: a, Detail: true})); len(lines) < 2 || lines[0].Person != b {
		t.Errorf("her records: %+v", lines)
	}
	if to := must[dayone.PersonID](t)(d.PersonOfMerged(ctx, b)); to != a {
		t.Errorf("b points to %q", to)
	}
	if list := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{})); len(list) != 1 || list[0].ID != a {
		t.Errorf("people: %+v", list)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at.Add(time.Hour), 10)); !slices.Equal(due, []dayone.PersonID{a}) {
		t.Errorf("due: %v", due)
	}
	isKind(t, d.Save(ctx, store.Saved{Person: b, Facts: []dayone.Fact{{Engagement: "eng_b", Attr: "team", Value: dayone.Text("x")}}}), store.ErrMerged)

	was := must[[]dayone.Merge](t)(d.Merges(ctx, a))
	if len(was) != 1 || was[0].Reason != "one person" || !slices.Equal(was[0].Engagements, []dayone.EngagementID{"eng_b"}) {
		t.Fatalf("merges: %+v", was)
	}
	was[0].UndoneBy, was[0].Why = "kim", "two after all"
	s := store.Splitter{Merge: was[0], Person: a, Off: b, At: at.Add(2 * time.Hour), Rows: [2]store.Row{rowA, rowB}, Marks: [2][]string{{"mark per_a"}, {"mark per_b"}}, Once: onceOf}
	if err := d.Split(ctx, s); err != nil {
		t.Fatal(err)
	}
	isKind(t, d.Split(ctx, s), dayone.ErrConflict)
	for i, id := range []dayone.PersonID{a, b} {
		now := keptOf(t, d, id)
		if i == 0 { // the task about the second account was there, and is closed
			now.Tasks = slices.DeleteFunc(now.Tasks, func(x dayone.Task) bool { return x.System == "okta" && !x.Closed.IsZero() })
		}
		if diff := cmp.Diff(before[i], now, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s is not as before:\n%s", id, diff)
		}
	}
	if was := must[[]dayone.Merge](t)(d.Merges(ctx, b)); was[0].Undone.IsZero() || was[0].Why != "two after all" {
		t.Errorf("the merge says %+v", was[0])
	}
}

// split off: an employment that no merge brought becomes somebody else; who is erased takes with her whom she was merged with.
func splits(t *testing.T, d *store.DB) {
	ctx := t.Context()
	a, rowA := known(t, d, "a", "okta")
	s := store.Splitter{Person: a, Off: "per_n", Move: []dayone.EngagementID{"eng_2"}, At: at, Stay: []string{"login"}, Rows: [2]store.Row{rowA, {ID: "per_n", Managed: true, Name: "N", Status: dayone.Working}}, Once: onceOf}
	only := s
	only.Move = []dayone.EngagementID{"eng_a"}
	isKind(t, d.Split(ctx, only), dayone.ErrConflict)
	if err := d.Save(ctx, store.Saved{
		Person: a, Employment: &dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "2", Recorded: at}, Names: []store.Name{{Attr: "email", Value: "n@company.com"}},
		Facts: []dayone.Fact{
			{Engagement: "eng_2", Attr: "email", Value: dayone.Text("n@company.com"), Source: "hr", Recorded: at},
			{Engagement: "eng_2", Attr: "login", Value: dayone.Text("ngozi"), Source: "dayone", Recorded: at},
		},
	}); err != nil {
		t.Fatal(err)
	}
	s.Names = []store.Name{{Attr: "email", Value: "n@company.com"}}
	if err := d.Split(ctx, s); err != nil {
		t.Fatal(err)
	}
	line := must[dayone.Timeline](t)(d.Timeline(ctx, "per_n"))
	if len(line.Employments) != 1 || len(line.Facts) != 1 || line.Facts[0].Value.Text != "n@company.com" || !line.Managed {
		t.Errorf("the new one: %+v", line)
	}
	if owner := must[dayone.PersonID](t)(d.NameOwner(ctx, s.Names[0])); owner != "per_n" {
		t.Errorf("the name is %s's", owner)
	}
	if who, _, err := d.PersonOf(ctx, "hr", "2"); err != nil || who != "per_n" {
		t.Errorf("the employment is %s's, %v", who, err)
	}
	if err := d.Merge(ctx, store.Merger{Merge: dayone.Merge{ID: "mrg_1", Person: a, Other: "per_n", Made: at}, Row: rowA, Once: onceOf}); err != nil {
		t.Fatal(err)
	}
	if err := d.Erase(ctx, a, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []dayone.PersonID{a, "per_n"} {
		if gone := must[bool](t)(d.WasErased(ctx, id)); !gone {
			t.Errorf("%s was not erased", id)
		}
	}
}
