package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// What lies gathered of a person is what her facts are, however they came: at once, one after the other, said anew at the
// same instant, to somebody whom an older program wrote down, or whose box is damaged.
func TestWhatIsGatheredIsWhatTheFactsAre(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	at := file(t)
	d := open(t, at)
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(at, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	when := time.Date(2024, 11, 15, 9, 0, 0, 123_456_789, time.FixedZone("", 3600))
	fact := func(p dayone.PersonID, attr string, v dayone.Value, after time.Duration) dayone.Fact {
		return dayone.Fact{
			Engagement: dayone.EngagementID("eng_" + p), Attr: attr, Value: v, Effective: when.Add(after), Said: when, Again: when.Add(2 * after), Recorded: when, Source: "hr", Event: "evt_1",
			Personal: attr == "mobile", Bad: attr == "team", Veiled: attr == "level",
		}
	}
	save := func(p dayone.PersonID, fresh bool, facts ...dayone.Fact) {
		t.Helper()
		s := store.Saved{Person: p, New: fresh, Facts: facts, Row: &store.Row{ID: p, Managed: true}}
		if fresh {
			s.Employment = &dayone.Employment{ID: dayone.EngagementID("eng_" + p), Source: "hr", SourceID: string(p), Recorded: when}
		}
		if err := d.Save(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	const n = 8
	var ids []dayone.PersonID
	for i := range n {
		p := dayone.PersonID(fmt.Sprintf("per_%d", i))
		ids = append(ids, p)
		save(p, true, fact(p, "level", dayone.Int(4), 0), fact(p, "team", dayone.Text("Łódź \"x\" \xff\x00"), 0), fact(p, "mobile", dayone.Text(""), time.Hour))
	}
	same := func(what string, apart int) {
		t.Helper()
		read, err := d.Timelines(ctx, ids)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range read {
			one, err := d.Timeline(ctx, ids[i])
			if err != nil || r.Err != nil {
				t.Fatalf("%s: %s: %v, %v", what, ids[i], err, r.Err)
			}
			if diff := cmp.Diff(one, r.Timeline, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s by her facts (-) and gathered (+)\n%s", what, ids[i], diff)
			}
			if r.Apart {
				apart--
			}
		}
		if apart != 0 {
			t.Errorf("%s: %d more should have been read fact by fact", what, apart)
		}
	}
	change := func(query string) {
		t.Helper()
		if _, err := raw.ExecContext(context.Background(), query); err != nil {
			t.Fatal(err)
		}
	}
	same("new", 0)
	save(ids[0], false, fact(ids[0], "level", dayone.Int(5), 0), fact(ids[0], "country", dayone.List("b", "a"), -time.Hour))
	save(ids[1], false, fact(ids[1], "level", dayone.Int(5), 0), fact(ids[1], "level", dayone.Int(6), 0), fact(ids[1], "level", dayone.Int(7), time.Minute))
	same("changed", 0)

	change(`DELETE FROM timeline WHERE person IN ('per_2', 'per_3')`) // as an older program leaves them
	change(`UPDATE timeline SET box = '1.AAAA' WHERE person = 'per_4'`)
	change(`UPDATE timeline SET box = (SELECT box FROM timeline WHERE person = 'per_6') WHERE person = 'per_5'`) // another's
	same("not there, or damaged", 4)
	for _, p := range ids[2:6] {
		save(p, false, fact(p, "level", dayone.Int(9), time.Hour))
	}
	same("said more of them", 2) // what was damaged is taken away
	if made, err := d.GatherTimelines(ctx); err != nil || made != 2 {
		t.Errorf("gathered for %d, %v", made, err)
	}
	same("gathered at the start", 0)

	if err := d.Erase(ctx, "per_7", when); err != nil {
		t.Fatal(err)
	}
	same("erased", 1)
	if made, err := d.GatherTimelines(ctx); err != nil || made != 0 {
		t.Errorf("gathered for %d, %v", made, err)
	}
}
