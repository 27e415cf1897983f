package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// veiled: what is confidential lies in the books and is found by nobody, until it is unveiled, once.
func veiled(t *testing.T, d *store.DB) {
	ctx := t.Context()
	ev := event("evt_secret", "s1")
	ev.Veiled = true
	if _, _, err := d.Accept(ctx, ev, []byte("{}"), dayone.Record{At: at, What: "brought in", By: "kim"}); err != nil {
		t.Fatal(err)
	}
	when := at.Add(48 * time.Hour)
	if err := d.Save(ctx, store.Saved{
		Event: ev.ID, State: dayone.EventApplied, Note: "future hire", Person: "per_secret", New: true, Veiled: true,
		Row:        &store.Row{ID: "per_secret", Managed: true, Veil: dayone.WholeVeiled, Unveil: when},
		Employment: &dayone.Employment{ID: "eng_secret", Source: "hr", SourceID: "emp_789", Recorded: at},
		Facts:      []dayone.Fact{{Engagement: "eng_secret", Attr: "end_date", Recorded: at, Value: dayone.Text("2030-01-01"), Veiled: true, Source: "hr", Event: ev.ID}},
		Records:    []dayone.Record{{At: at, Person: "per_secret", What: "event: hired", System: "hr", By: "kim", Detail: &dayone.Detail{Note: "future hire"}}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.HushedRecord(ctx, ev.ID, dayone.Record{At: at, Person: "per_secret", What: "event replayed"}); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveRow(ctx, store.Row{ID: "per_secret", Veil: dayone.WholeVeiled, Unveil: when}, time.Time{}, time.Time{}); err != nil { // a look at her
		t.Fatal(err)
	}
	nowhere(t, ctx, d)
	tl := must[dayone.Timeline](t)(d.Timeline(ctx, "per_secret"))
	if !tl.Managed || len(tl.Facts) != 1 || !tl.Facts[0].Veiled {
		t.Errorf("the timeline comes back as %+v", tl)
	}
	if read := must[[]store.Read](t)(d.Timelines(ctx, []dayone.PersonID{"per_secret"})); len(read[0].Facts) != 1 || !read[0].Facts[0].Veiled {
		t.Errorf("read with others, she is %+v", read)
	}
	if all := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{})); len(all) != 1 || !all[0].Veiled {
		t.Errorf("those who may know find %+v", all)
	}
	if rows := must[[]store.Row](t)(d.Veiled(ctx)); len(rows) != 1 || rows[0].Veil != dayone.WholeVeiled || !rows[0].Unveil.Equal(when) {
		t.Errorf("confidential are %+v", rows)
	}
	if next := must[time.Time](t)(d.NextWake(ctx)); !next.Equal(when) {
		t.Errorf("she is looked at on %v", next)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, when, 9)); len(due) != 1 {
		t.Errorf("due are %v", due)
	}
	if err := d.SetProblem(ctx, "per_secret", "no plan", at, when.Add(time.Hour)); err != nil { // she is not due for ever
		t.Fatal(err)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, when, 9)); len(due) != 0 {
		t.Errorf("due after a look in vain are %v", due)
	}
	for range 2 { // cut short after it, it is done again
		if err := d.Unveil(ctx, "per_secret", when); err != nil {
			t.Fatal(err)
		}
	}
	if list := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{Public: true})); len(list) != 1 || list[0].Veiled {
		t.Errorf("unveiled, the events are %+v", list)
	}
	lines := must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: "per_secret"}))
	if len(lines) != 3 || lines[2].What != "brought in" || lines[1].What != "event: hired" || lines[1].At != when.UnixMicro() {
		t.Errorf("unveiled, the ledger has %+v", lines)
	}
}

// nowhere: no list, count or search has her.
func nowhere(t *testing.T, ctx context.Context, d *store.DB) {
	t.Helper()
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{})); len(rows) != 0 {
		t.Errorf("listed are %+v", rows)
	}
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx, nil)); len(n) != 0 {
		t.Errorf("counted are %v", n)
	}
	if _, err := d.Named(ctx, "per_secret"); err == nil {
		t.Error("she is found by her id")
	}
	if list := must[[]dayone.Intake](t)(d.Events(ctx, store.EventFilter{Public: true})); len(list) != 0 {
		t.Errorf("events are %+v", list)
	}
	if n := must[int64](t)(d.CountRecords(ctx)); n != 0 {
		t.Errorf("the ledger has %d lines", n)
	}
	if err := d.EachPerson(ctx, func(p dayone.PersonID, _ bool) error {
		t.Errorf("everybody is %s", p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
