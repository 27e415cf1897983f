package flow_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/ledger"
	"github.com/dayone-hq/dayone/store"
	"github.com/dayone-hq/dayone/store/storetest"
)

// She is hired, welcomed by private mail, and leaves. All that time her values lie under her key; when that is destroyed
// everything still reads, and says nothing of her.
func TestWhatWeKnowOfAPersonLiesUnderHerKeyAndEndsWithIt(t *testing.T) {
	t.Parallel()
	const (
		home   = "17 Quillfeather Lane, Berlin"
		mobile = "+49 151 5557391"
		letter = "erin.privately@example.net"
	)
	w := newWorld(t)
	w.files = w.folder(housePolicy + `
  - id: welcome
    title: Welcome
    owner: it@company.com
    when: "true"
    grant:
      - {to: okta/group:sales-team}
    notify:
      - {on: ready, to: new-hire, template: welcome}
`)
	h := w.open()
	private := []string{"personal_email", letter, "mobile", mobile, "home_address", home}
	in := h.judged(h.hears(h.hr.Put(employee("1", private...)))[0].ID)
	p := in.Person
	h.clock.Jump(at(t, "2024-11-21T23:00:00Z"))
	r := h.rests(p, "")
	if f := failures(r); len(f) > 0 {
		t.Fatal(f)
	}
	until(h, "the welcome", func() (bool, bool) {
		for _, m := range h.mail.Messages() {
			if strings.Contains(strings.Join(m.To, " "), letter) {
				return true, true
			}
		}
		return false, false
	})
	if got := storetest.Readable(t, w.at, home, mobile, letter); len(got) > 0 {
		t.Errorf("read without her key: %s", strings.Join(got, "\n"))
	}

	h.hears(h.hr.Put(employee("1", append(private, "end_date", "2024-12-06")...)))
	h.clock.Jump(at(t, "2024-12-06T23:00:00Z"))
	until(h, "all is closed", func() (bool, bool) {
		row, err := h.Person(ctx, p)
		_, active := h.Store.ActiveRun(ctx, p)
		return true, err == nil && row.Status == dayone.Left && errors.Is(active, dayone.ErrNotFound) && h.settled(p)
	})
	if err := h.Store.Erase(ctx, p, h.clock.Now(), dayone.Record{At: h.clock.Now(), Person: p, What: "erased", By: "privacy@company.com"}); err != nil {
		t.Fatal(err)
	}
	if got := storetest.Readable(t, w.at, home, mobile, letter, "Erin No", "e1@company.com"); len(got) > 0 {
		t.Errorf("after she was erased: %s", strings.Join(got, "\n"))
	}

	row, err := h.Person(ctx, p)
	if err != nil || row.Name != store.Erased {
		t.Errorf("the list shows %+v, %v", row, err)
	}
	if l, _, err := h.Access(ctx, p); err != nil || len(l.Plan.Steps) > 0 {
		t.Errorf("she is still planned for: %+v, %v", l.Plan.Steps, err)
	}
	if run, err := h.Replan(ctx, p, "", ""); err != nil || run != "" {
		t.Errorf("planned again: %q, %v", run, err)
	}
	runs, err := h.Runs(ctx, flow.RunFilter{Person: p})
	if err != nil || len(runs) < 2 {
		t.Errorf("runs: %+v, %v", runs, err)
	}
	for _, head := range runs {
		if r, err := h.RunOf(ctx, head.ID); err != nil || r.Title != store.Erased || len(r.Steps) > 0 {
			t.Errorf("run %s: %+v, %v", head.ID, r, err)
		}
		if _, err := h.Pace(ctx, head); err != nil {
			t.Error(err)
		}
	}
	lines, err := h.Records(ctx, flow.RecordFilter{Person: p, Detail: true})
	if err != nil || len(lines) < 10 || lines[0].What != "erased" {
		t.Errorf("records: %+v, %v", lines, err)
	}
	for _, l := range lines {
		if rec, err := flow.RecordOf(l); err != nil || rec.Detail != nil {
			t.Errorf("line %d: %+v, %v", l.Seq, rec, err)
		}
	}
	var v ledger.Verifier
	for l, err := range h.Store.Ledger(ctx) {
		if err == nil {
			err = v.Next(l.Seq, l.Leaf, l.Chain)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	again := h.judged(h.hears(h.hr.Put(employee("1", "start_date", "2025-02-03")))[0].ID)
	if again.State != dayone.EventApplied || again.Person == p {
		t.Errorf("hired again she is %s, %s: %s", again.Person, again.State, again.Note)
	}
}
