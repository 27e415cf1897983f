package storetest

import (
	order "cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Who works here.

// Sarah saves a person and returns her id.
func Sarah(t testing.TB, d *store.DB) dayone.PersonID {
	t.Helper()
	p := dayone.PersonID("per_sarah")
	err := d.Save(context.Background(), store.Saved{
		Person: p, New: true,
		Employment: &dayone.Employment{ID: "eng_1", Source: "hr", SourceID: "emp_789", Recorded: at},
		Facts: []dayone.Fact{
			{Engagement: "eng_1", Attr: "job_title", Recorded: at, Value: dayone.Text("Sales Engineer"), Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "home_address", Recorded: at, Value: dayone.Text("1 Main St"), Personal: true, Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "level", Recorded: at, Value: dayone.Int(4), Source: "hr", Event: "evt_1"},
			{Engagement: "eng_1", Attr: "team", Effective: at, Recorded: at.Add(time.Microsecond), Value: dayone.Value{}, Bad: true, Source: "hr", Event: "evt_2"},
		},
		Row: &store.Row{
			ID: p, Managed: true, Name: "Sarah Chen", Email: "Sarah.Chen@company.com", Manager: "john.doe@company.com", Title: "Sales Engineer", Department: "Sales",
			Team: "Enterprise", Location: "San Francisco", Status: dayone.PreHire, Starts: at.Add(60 * time.Hour), Wake: at.Add(60 * time.Hour),
		},
		Records: []dayone.Record{{At: at, Person: p, What: "person recorded", Detail: &dayone.Detail{Note: "Sarah Chen"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func timeline(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	tl := must[dayone.Timeline](t)(d.Timeline(t.Context(), p))
	if !tl.Managed || len(tl.Employments) != 1 || len(tl.Facts) != 4 {
		t.Fatalf("%+v", tl)
	}
	got := map[string]dayone.Fact{}
	for _, f := range tl.Facts {
		got[f.Attr] = f
	}
	if got["home_address"].Value != dayone.Text("1 Main St") || !got["home_address"].Personal {
		t.Errorf("home address: %+v", got["home_address"])
	}
	if got["level"].Value != dayone.Int(4) || !got["level"].Recorded.Equal(at) {
		t.Errorf("level: %+v", got["level"])
	}
	if !got["team"].Bad || !got["team"].Effective.Equal(at) {
		t.Errorf("team: %+v", got["team"])
	}
	if _, err := d.Timeline(t.Context(), "per_nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody says %v", err)
	}
}

// What is read of many at once is what is read of each.
func manyAtOnce(t *testing.T, d *store.DB) {
	ctx := t.Context()
	sarah := Sarah(t, d)
	crowd(t, d, 30)
	facts := func(p dayone.PersonID, n int) (out []dayone.Fact) {
		for i := range n {
			out = append(out, dayone.Fact{Engagement: dayone.EngagementID("eng_" + p), Attr: fmt.Sprintf("a%d", i), Said: at, Again: at.Add(time.Hour), Recorded: at, Value: dayone.List("x", string(p)), Source: "hr", Event: "evt_1"})
		}
		return out
	}
	ids := []dayone.PersonID{"per_nobody", sarah}
	for i := range 30 {
		p := dayone.PersonID(fmt.Sprintf("per_%03d", i))
		ids = append(ids, p)
		if err := d.Save(ctx, store.Saved{Person: p, Facts: facts(p, i%4), Employment: &dayone.Employment{ID: dayone.EngagementID("eng_" + p), Source: "hr", SourceID: string(p), Recorded: at}}); err != nil {
			t.Fatal(err)
		}
		run := aRun(dayone.RunID(fmt.Sprintf("run_%03d", i)), p)
		run.State = dayone.RunDone
		var hs []dayone.Holding
		for j, s := range []dayone.State{dayone.Active, dayone.Disabled, dayone.Gone}[:i%4%3+1] {
			hs = append(hs, dayone.Holding{Item: dayone.Item{Key: dayone.Key{System: "app", Kind: "group", Name: fmt.Sprintf("g%d", j), As: []dayone.AccountKind{dayone.Personal, dayone.Admin}[i%2]}, State: s, Role: "reader"}})
		}
		if err := d.Commit(ctx, []dayone.Progress{{Run: run, New: true, Holdings: hs}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Erase(ctx, "per_005", at); err != nil {
		t.Fatal(err)
	}
	read := must[[]store.Read](t)(d.Timelines(ctx, ids))
	if err := d.WithHoldings(ctx, read); err != nil {
		t.Fatal(err)
	}
	admins, kept := dayone.Key{System: "app", Kind: "group", Name: "g1", As: dayone.Admin}, dayone.Key{System: "app", Kind: "group", Name: "g0"}
	have := must[map[dayone.PersonID][]dayone.Key](t)(d.HaveOf(ctx, []dayone.Key{admins, kept, {System: "app", Kind: "none"}}))
	for i, r := range read {
		if r.Person != ids[i] {
			t.Fatalf("%s stands where %s was asked for", r.Person, ids[i])
		}
		one, err := d.Timeline(ctx, ids[i])
		if (err == nil) != (r.Err == nil) || err != nil && !errors.Is(r.Err, dayone.ErrNotFound) {
			t.Fatalf("%s: %v, and with others %v", ids[i], err, r.Err)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(one, r.Timeline, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s alone (-) and with others (+)\n%s", ids[i], diff)
		}
		states := map[dayone.Key]dayone.State{}
		for _, h := range must[[]dayone.Holding](t)(d.Holdings(ctx, ids[i], false)) {
			states[h.Key] = h.State
		}
		for _, h := range r.Held {
			if states[h.Key] != h.State {
				t.Errorf("%s has %s %s alone and %s with others", ids[i], h.Key, states[h.Key], h.State)
			}
			delete(states, h.Key)
		}
		if len(states) > 0 {
			t.Errorf("%s: with others these are missing: %v", ids[i], states)
		}
		if n := i - 2; n >= 0 && slices.Contains(have[ids[i]], kept) != (n%2 == 0) || slices.Contains(have[ids[i]], admins) {
			t.Errorf("%s has %v; what is disabled does not count", ids[i], have[ids[i]])
		}
	}
	seen := map[dayone.PersonID]bool{}
	if err := d.EachPerson(ctx, func(p dayone.PersonID, managed bool) error {
		seen[p] = managed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, erased := seen["per_005"]; erased || len(seen) != 30 || !seen[sarah] || seen["per_001"] {
		t.Errorf("everybody: %v", seen)
	}
	if _, err := d.Timelines(ctx, make([]dayone.PersonID, store.AtOnce+1)); !errors.Is(err, dayone.ErrInvalid) {
		t.Errorf("too many at once: %v", err)
	}
}

func employmentOnce(t *testing.T, d *store.DB) {
	Sarah(t, d)
	err := d.Save(t.Context(), store.Saved{Person: "per_other", New: true, Employment: &dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "emp_789", Recorded: at}})
	if !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("a second person with the same employment: %v", err)
	}
	if _, err := d.Person(t.Context(), "per_other"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("half of it was written: %v", err)
	}
	p, found, err := d.PersonOf(t.Context(), "hr", "emp_789")
	if err != nil || !found || p != "per_sarah" {
		t.Errorf("%v %v %v", p, found, err)
	}
}

func crowd(t *testing.T, d *store.DB, n int) {
	t.Helper()
	for i := range n {
		p := dayone.PersonID(fmt.Sprintf("per_%03d", i))
		name := fmt.Sprintf("Person %c%d", 'A'+i%26, i)
		if err := d.Save(t.Context(), store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: name, Email: fmt.Sprintf("p%d@company.com", i), Department: []string{"Sales", "IT"}[i%2], Status: dayone.Working}}); err != nil {
			t.Fatal(err)
		}
	}
}

func people(t *testing.T, d *store.DB) {
	crowd(t, d, 30)
	ctx := t.Context()
	seen := map[dayone.PersonID]bool{}
	f := store.PeopleFilter{Limit: 7}
	for {
		rows := must[[]store.Row](t)(d.People(ctx, f))
		for _, r := range rows {
			if seen[r.ID] {
				t.Fatalf("%s stands on two pages", r.ID)
			}
			seen[r.ID] = true
		}
		if len(rows) < f.Limit {
			break
		}
		f.AfterName, f.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
	if len(seen) != 30 {
		t.Errorf("pages show %d of 30", len(seen))
	}
	ids := []dayone.PersonID{"per_nobody", "per_003", "per_003"}
	for i := range 29 {
		ids = append(ids, dayone.PersonID(fmt.Sprintf("per_%03d", i)))
	}
	for range store.AtOnce / 10 { // more than one statement takes
		ids = append(ids, ids[:10]...)
	}
	several := must[map[dayone.PersonID]store.Row](t)(d.PeopleOf(ctx, ids))
	if len(several) != 29 || several["per_003"].Email != "p3@company.com" || several["per_nobody"].ID != "" {
		t.Errorf("several by id: %d, %+v", len(several), several["per_003"])
	}
	if none := must[map[dayone.PersonID]store.Row](t)(d.PeopleOf(ctx, nil)); len(none) > 0 {
		t.Errorf("nobody by id: %+v", none)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Department: "IT"})); len(rows) != 15 {
		t.Errorf("%d are in IT", len(rows))
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: "b1"})); len(rows) != 1 {
		t.Errorf("a word of the name finds %d", len(rows))
	}
	for _, trick := range []string{"%", "_", `\`, "'; DROP TABLE person; --"} {
		if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: trick})); len(rows) != 0 {
			t.Errorf("%q finds %d", trick, len(rows))
		}
	}
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx, nil)); n[dayone.Working] != 30 {
		t.Errorf("counted %v", n)
	}
	if ds := must[[]string](t)(d.Departments(ctx, nil)); !reflect.DeepEqual(ds, []string{"IT", "Sales"}) {
		t.Errorf("departments %v", ds)
	}
	for i := range 5 { // who is called the same is told apart by the id, over the borders of pages too
		p := dayone.PersonID(fmt.Sprintf("per_same%d", i))
		if err := d.Save(ctx, store.Saved{Person: p, New: true, Row: &store.Row{ID: p, Name: "Sam Same", Email: fmt.Sprintf("sam%d@company.com", i), Status: dayone.Working}}); err != nil {
			t.Fatal(err)
		}
	}
	var same []dayone.PersonID
	for f := (store.PeopleFilter{Text: "sam", Limit: 2}); len(same) < 9; {
		rows := must[[]store.Row](t)(d.People(ctx, f))
		for _, r := range rows {
			same = append(same, r.ID)
		}
		if len(rows) < f.Limit {
			break
		}
		f.AfterName, f.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
	if want := []dayone.PersonID{"per_same0", "per_same1", "per_same2", "per_same3", "per_same4"}; !reflect.DeepEqual(same, want) {
		t.Errorf("pages of who is called the same show %q, want %q", same, want)
	}
}

// peopleSorted: whatever the list is sorted by, pages go on where the one before them ended, where many have the same there, too, and who
// has nothing of it comes last either way. Nobody who is in no list is in a sorted one.
func peopleSorted(t *testing.T, d *store.DB) {
	ctx := t.Context()
	var all []store.Row
	for i := range 40 {
		r := store.Row{
			ID: dayone.PersonID(fmt.Sprintf("per_%03d", i*7%40)), Name: fmt.Sprintf("Person %d", i%6), Department: []string{"Sales", "", "IT", "Legal"}[i%4],
			Status: []dayone.Status{dayone.Working, dayone.Left, dayone.Working}[i%3], Country: []string{"de", "fr"}[i%2], Problem: []string{"", "", "", "", "no plan"}[i%5],
		}
		if i%5 > 0 {
			r.Starts = at.AddDate(0, 0, i%3)
		}
		if i%3 == 1 {
			r.Ends = at.AddDate(1, 0, i%2)
		}
		hidden := i == 8 || i == 13
		if hidden {
			r.Veil = dayone.WholeVeiled
		}
		if err := d.Save(ctx, store.Saved{Person: r.ID, New: true, Row: &r}); err != nil {
			t.Fatal(err)
		}
		if !hidden {
			all = append(all, r)
		}
	}
	erased := all[10].ID
	if err := d.Erase(ctx, erased, at); err != nil {
		t.Fatal(err)
	}
	all = slices.Delete(all, 10, 11)
	german := dayone.Scope{{Countries: []string{"de"}}}
	for name, f := range map[string]store.PeopleFilter{
		"everybody": {}, "who left": {Status: dayone.Left}, "of a department": {Department: "IT"}, "of a name": {Text: "person 3"}, "unplanned": {Unplanned: true},
		"of a country": {Within: german}, "who works in sales": {Status: dayone.Working, Department: "Sales"},
	} {
		for _, f.Sort = range store.PeopleSorts {
			for _, f.Down = range []bool{false, true} {
				var want []dayone.PersonID
				for _, r := range sortedRows(all, f.Sort, f.Down) {
					if (f.Status == "" || f.Status == r.Status) && (f.Department == "" || f.Department == r.Department) && (f.Text == "" || r.Name == "Person 3") && (!f.Unplanned || r.Problem != "") && f.Within.Has(r.Country, r.Company) {
						want = append(want, r.ID)
					}
				}
				for _, f.Limit = range []int{1, 3, 50} {
					var got []dayone.PersonID
					for page := f; len(got) <= len(all); {
						rows := must[[]store.Row](t)(d.People(ctx, page))
						for _, r := range rows {
							got = append(got, r.ID)
						}
						if len(rows) < f.Limit {
							break
						}
						page = page.Behind(rows[len(rows)-1])
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s by %q, down %v, in pages of %d\n got %q\nwant %q", name, f.Sort, f.Down, f.Limit, got, want)
					}
				}
			}
		}
	}
}

// sortedRows are rows as a sorted list has them: who has nothing of what it is sorted by last, by name.
func sortedRows(rows []store.Row, by store.PeopleSort, down bool) []store.Row {
	name := func(a, b store.Row) int {
		return order.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
	}
	has := func(r store.Row) bool {
		switch by {
		case store.ByFirstDay:
			return !r.Starts.IsZero()
		case store.ByLastDay:
			return !r.Ends.IsZero()
		case store.ByDepartment:
			return r.Department != ""
		}
		return true
	}
	value := func(a, b store.Row) int {
		switch by {
		case store.ByFirstDay:
			return a.Starts.Compare(b.Starts)
		case store.ByLastDay:
			return a.Ends.Compare(b.Ends)
		case store.ByDepartment:
			return strings.Compare(a.Department, b.Department)
		}
		return 0
	}
	var with, without []store.Row
	for _, r := range rows {
		if has(r) {
			with = append(with, r)
		} else {
			without = append(without, r)
		}
	}
	slices.SortFunc(with, func(a, b store.Row) int { return order.Or(value(a, b), name(a, b)) })
	if down {
		slices.Reverse(with)
	}
	slices.SortFunc(without, name)
	return append(with, without...)
}

// byWords: somebody is found by what any word of her name begins with, or her mail address, as she is called now, and by
// nothing once she was erased.
func byWords(t *testing.T, d *store.DB) {
	ctx := t.Context()
	crowd(t, d, 40)
	p := Sarah(t, d)
	finds := func(text string, want bool) {
		t.Helper()
		rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: text}))
		if found := len(rows) == 1 && rows[0].ID == p; found != want || !want && len(rows) > 0 {
			t.Errorf("%q finds %+v", text, rows)
		}
	}
	for _, text := range []string{"sa", "SAR", "chen", "sarah c", "Sarah  Chen", "sarah.chen@c", "SARAH.CHEN@COMPANY.COM"} {
		finds(text, true)
	}
	for _, text := range []string{"hen", "arah", "company.com", "chen s", "sarah chenx"} {
		finds(text, false)
	}
	row := must[store.Row](t)(d.Person(ctx, p))
	row.Name, row.Email = "Zażółć Gęślą Jaźń-Nguyễn Wolfeschlegelsteinhausenbergerdorff", "zg@company.com"
	if err := d.SaveRow(ctx, row, time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"zażółć", "GĘŚLĄ", "jaźń-nguyễn wolfeschlegelsteinhausen", "wolfeschlegelsteinhausenbergerdorff", "zg@",
		"zazolc", "Gesla", "jazn-nguyen", "zaz\u0307o\u0301łc\u0301", // without marks, and with each apart, as some systems write them
	} {
		finds(text, true)
	}
	for _, text := range []string{"sarah", "sarah.chen@", "wolfeschlegelsteinhausenbergerdorfx"} {
		finds(text, false)
	}
	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	finds("zażółć", false)
	finds("zg@", false)
}

// byLetters: names stand by their letters, whatever is above those; other scripts keep theirs.
func byLetters(t *testing.T, d *store.DB) {
	ctx := t.Context()
	want := []string{"Andrea Ost", "Ángel Cruz", "Anna Weiß", "Bo Ærø", "Łukasz Nowak", "Luke Ng", "Oskar Lind", "Özge Kaya", "Ozzy Hill", "Zoë Adams", "नीति राव", "田中 花"}
	for i, at := range []int{9, 3, 7, 0, 11, 4, 2, 8, 10, 6, 1, 5} {
		r := store.Row{ID: dayone.PersonID(fmt.Sprintf("per_%02d", i)), Name: want[at], Status: dayone.Working}
		if err := d.Save(ctx, store.Saved{Person: r.ID, New: true, Row: &r}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for f := (store.PeopleFilter{Limit: 5}); ; {
		rows := must[[]store.Row](t)(d.People(ctx, f))
		for _, r := range rows {
			got = append(got, r.Name)
		}
		if len(rows) < f.Limit {
			break
		}
		f.AfterName, f.AfterID = rows[len(rows)-1].Name, rows[len(rows)-1].ID
	}
	if !slices.Equal(got, want) {
		t.Errorf("they stand as\n%q, and should as\n%q", got, want)
	}
	for text, who := range map[string]string{"ozge": "Özge Kaya", "WEISS": "Anna Weiß", "lukasz": "Łukasz Nowak", "aero": "Bo Ærø", "नीति": "नीति राव", "花": "田中 花"} {
		if r, err := d.Named(ctx, text); err != nil || r.Name != who {
			t.Errorf("%q is %q, %v", text, r.Name, err)
		}
		if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: text})); len(rows) != 1 || rows[0].Name != who {
			t.Errorf("%q finds %+v", text, rows)
		}
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Text: "नाति"})); len(rows) > 0 {
		t.Errorf("another vowel finds %+v", rows)
	}
}

func named(t *testing.T, d *store.DB) {
	Sarah(t, d)
	crowd(t, d, 3)
	for _, who := range []string{"sarah.chen@company.com", "SARAH.CHEN@company.com", "Sarah Chen", "sarah"} {
		if r, err := d.Named(t.Context(), who); err != nil || r.ID != "per_sarah" {
			t.Errorf("%q is %v, %v", who, r.ID, err)
		}
	}
	if _, err := d.Named(t.Context(), "Nobody"); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody says %v", err)
	}
	if _, err := d.Named(t.Context(), "Person"); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("several say %v", err)
	}
}

func wakes(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at, 10)); len(due) != 0 {
		t.Errorf("due too early: %v", due)
	}
	if next := must[time.Time](t)(d.NextWake(ctx)); !next.Equal(at.Add(60 * time.Hour)) {
		t.Errorf("next is %v", next)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at.Add(60*time.Hour), 10)); len(due) != 1 {
		t.Errorf("not due in time: %v", due)
	}
	if err := d.SetWake(ctx, p, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if next := must[time.Time](t)(d.NextWake(ctx)); !next.IsZero() {
		t.Errorf("after it was taken out: %v", next)
	}

	// a look that began before she was made due writes over nothing
	row := must[store.Row](t)(d.Person(ctx, p))
	for _, x := range []struct{ since, woken, want time.Time }{{at.Add(-2 * time.Minute), at.Add(-time.Minute), at.Add(-time.Minute)}, {at.Add(-time.Minute), at.Add(-2 * time.Minute), at.Add(time.Hour)}} {
		if err := d.SetWake(ctx, p, x.woken); err != nil {
			t.Fatal(err)
		}
		row.Wake = at.Add(time.Hour)
		if err := d.SaveRow(ctx, row, x.since, at); err != nil {
			t.Fatal(err)
		}
		if got := must[store.Row](t)(d.Person(ctx, p)); !got.Wake.Equal(x.want) {
			t.Errorf("made due at %v, looked at since %v: due at %v", x.woken, x.since, got.Wake)
		}
	}
}

func problems(t *testing.T, d *store.DB) {
	p := Sarah(t, d)
	ctx := t.Context()
	if err := d.SetProblem(ctx, p, "notion is wanted twice", at.Add(70*time.Hour), at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Unplanned: true}))
	if len(rows) != 1 || rows[0].Problem != "notion is wanted twice" || !rows[0].Wake.Equal(at.Add(time.Hour)) {
		t.Fatalf("cannot be planned: %+v", rows)
	}
	rows[0].Problem = ""
	if err := d.SaveRow(ctx, rows[0], time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{Unplanned: true})); len(rows) != 0 {
		t.Errorf("after a look that could: %+v", rows)
	}
}
