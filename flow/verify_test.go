package flow_test

import (
	"database/sql"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone/flow"
)

// Whatever somebody does to a line of the ledger is found, and named by the first line that is wrong; it is alerted of after the
// next start, and that is over once the line is as it was.
func TestALedgerThatWasChangedIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.joined = func(d *flow.Deps) {
		d.Alerts.Rules = slices.DeleteFunc(flow.AlertRules(), func(r flow.AlertRule) bool { return r.Name != "ledger-broken" })
	}
	h := w.open()
	h.hires(employee("1", "start_date", here))
	good, err := flow.Verify(ctx, h.Store, 1, nil)
	if err != nil || good.Wrong != 0 || good.Last < 8 || len(good.Chain) != 64 {
		t.Fatalf("%+v, %v", good, err)
	}
	if tail, err := flow.Verify(ctx, h.Store, 5, nil); err != nil || tail.Wrong != 0 || tail.First != 5 || tail.Last < good.Last {
		t.Errorf("the last lines: %+v, %v", tail, err)
	}
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	do := func(q string) {
		t.Helper()
		if _, err := raw.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE was AS SELECT * FROM record`)
	back := `DELETE FROM record; INSERT INTO record SELECT * FROM was`
	for _, c := range []struct {
		does string
		from int64
		line int64
		why  string
	}{
		{`UPDATE record SET leaf = REPLACE(leaf, '"what":"', '"what":"not ') WHERE seq = 4`, 1, 4, "was changed"},
		{`UPDATE record SET leaf = REPLACE(leaf, '"what":"', '"what":"not ') WHERE seq = 4`, 4, 4, "was changed"},
		{`UPDATE record SET chain = (SELECT chain FROM was WHERE seq = 2) WHERE seq = 4`, 1, 4, "was changed"},
		{`UPDATE record SET what = 'something else' WHERE seq = 4`, 1, 4, "what was done beside it was changed"},
		{`UPDATE record SET at = at + 1 WHERE seq = 4`, 1, 4, "the time beside it was changed"},
		{`UPDATE record SET person = 'per_nobody' WHERE seq = 6`, 1, 6, "the person beside it was changed"},
		{`DELETE FROM record WHERE seq = 4`, 1, 4, "line 5 follows line 3"},
		{`DELETE FROM record WHERE seq < 4`, 1, 1, "line 4 follows line 0"},
		{`DELETE FROM record WHERE seq = 4`, 5, 4, "line 5 follows line 3"},
		{`UPDATE record SET leaf = 'nonsense' WHERE seq = 7`, 3, 7, "was changed"},
	} {
		do(c.does)
		if got, err := flow.Verify(ctx, h.Store, c.from, nil); err != nil || got.Wrong != c.line || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v, %v", c.does, got, err)
		}
		do(back)
	}
	h.stop()
	do(`UPDATE record SET leaf = REPLACE(leaf, '"what":"', '"what":"not ') WHERE seq = 4`)
	h = w.open()
	if open := h.alerted("ledger-broken", 1); open[0].Subject != "4" || !strings.Contains(open[0].Note, "from line 4 on") {
		t.Errorf("%+v", open)
	}
	h.stop()
	do(`UPDATE record SET leaf = (SELECT leaf FROM was WHERE seq = 4) WHERE seq = 4`)
	h = w.open()
	h.alerted("ledger-broken", 0)
	if got, err := flow.Verify(ctx, h.Store, 1, nil); err != nil || got.Wrong != 0 || got.Last < good.Last {
		t.Errorf("as it was: %+v, %v", got, err)
	}
}

// The night after, a server that was not started anew notices it, too.
func TestALedgerIsLookedAtEachNight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var looks atomic.Int64
	w.joined = func(d *flow.Deps) {
		rules := flow.AlertRules()
		d.Alerts.Rules = slices.Concat(slices.DeleteFunc(slices.Clone(rules), func(r flow.AlertRule) bool { return r.Name != "ledger-broken" }),
			slices.DeleteFunc(rules, func(r flow.AlertRule) bool { return r.Name != "disk-low" }))
		d.Room = func() (uint64, uint64, error) { looks.Add(1); return 1 << 40, 1 << 40, nil }
	}
	h := w.open()
	h.hires(employee("1", "start_date", here))
	looked := func() {
		t.Helper()
		was := looks.Load()
		until(h, "a look at all rules", func() (bool, bool) {
			h.later(time.Minute)
			return true, looks.Load() > was
		})
	}
	looked()
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`UPDATE record SET what = 'something else' WHERE seq = 4`); err != nil {
		t.Fatal(err)
	}
	looked()
	if open := h.openOf("ledger-broken"); len(open) != 0 {
		t.Errorf("it is looked at each minute: %+v", open)
	}
	h.later(24 * time.Hour)
	h.alerted("ledger-broken", 1)
}
