package flow_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/engine"
	"github.com/dayone-hq/dayone/flow"
	"github.com/dayone-hq/dayone/store"
)

// missing are the names on a page of those whom a held list lacks.
func (h *house) missing(as context.Context, id dayone.BrakeID, q flow.PeopleFilter) (names []string, page flow.MissingFrom) {
	h.t.Helper()
	v, err := h.Brake(as, id)
	if err == nil {
		page, err = h.MissingFrom(as, v, q)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range page.Rows {
		names = append(names, r.Name+" "+strings.Join(r.Subjects, ","))
	}
	return names, page
}

// halved is a town of thirteen, one of whom has left and one of whom is in San Francisco, whose list suddenly has six of them and
// somebody new; one of the six has moved.
func halved(t *testing.T) (*house, *feed, dayone.BrakeID) {
	t.Helper()
	h, f := town(t, 12, nil)
	h.looked(h.hears(h.hr.Put(employee("13", "first_name", "Zoe", "location", "San Francisco", "start_date", here)))[0].ID)
	h.leave("1")
	h.clock.Jump(h.clock.Now().Add(24 * time.Hour))
	until(h, "one has left", func() (bool, bool) { return true, h.count(dayone.Left) == 1 })
	if _, err := h.ReadSource(ctx, "hr", "kim"); err != nil {
		t.Fatal(err)
	}
	h.hr.Put(employee("12", "start_date", here, "department", "Sales"))
	h.hr.Put(employee("14", "start_date", "2024-11-29")) // their webhooks are lost
	gone := []string{"1", "2", "3", "4", "5", "6", "13"}
	f.alter = func(list []dayone.Event) ([]dayone.Event, error) {
		return slices.DeleteFunc(list, func(e dayone.Event) bool { return slices.Contains(gone, strings.TrimPrefix(e.Subject, "emp_")) }), nil
	}
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil || got.Brake == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	return h, f, got.Brake
}

func TestAHeldListNamesWhoIsMissingAndItsFiguresAddUp(t *testing.T) {
	t.Parallel()
	h, _, id := halved(t)
	v, err := h.Brake(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	want := dayone.ListFigures{Before: 13, Records: 7, There: 6, New: 1, Known: 13, Missing: 6, Aside: 1}
	if v.List == nil || *v.List != want {
		t.Fatalf("the figures are %+v, want %+v", v.List, want)
	}
	names, page := h.missing(ctx, id, flow.PeopleFilter{})
	if len(names) != 6 || !strings.HasPrefix(names[5], "Zoe No 13 ") || page.People != 6 || page.More || page.Unnamed != 0 {
		t.Errorf("missing are %q, %+v", names, page)
	}
	first, page := h.missing(ctx, id, flow.PeopleFilter{Limit: 4})
	if len(first) != 4 || !page.More {
		t.Errorf("the first page is %q, more %v", first, page.More)
	}
	last := page.Rows[3]
	rest, page := h.missing(ctx, id, flow.PeopleFilter{Limit: 4, AfterName: last.Name, AfterID: last.ID})
	if !slices.Equal(slices.Concat(first, rest), names) || page.More {
		t.Errorf("page by page they are %q and %q", first, rest)
	}
	found, _ := h.missing(ctx, id, flow.PeopleFilter{Text: "e5@"})
	same(t, "found", fmt.Sprint(found), fmt.Sprint(names[3:4]))

	// Whoever is for Germany sees a brake that holds the change of a German alone, and of those who are missing the Germans; the
	// other one is counted.
	h.hr.Remove("14")
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil {
		t.Fatal(err)
	}
	id = got.Brake
	names, page = h.missing(of(dayone.HR, german), id, flow.PeopleFilter{})
	if len(names) != 5 || page.Unnamed != 1 || strings.Contains(strings.Join(names, ""), "No 13") {
		t.Errorf("in Germany %q are missing, and %d more", names, page.Unnamed)
	}
}

func TestADecidedListKeepsItsFiguresAndNamesNobody(t *testing.T) {
	t.Parallel()
	absent := func(h *house) int {
		t.Helper()
		list, err := h.Absent(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	h, _, id := halved(t)
	if _, err := h.DiscardBrake(ctx, id, flow.BrakeDecision{By: "kim", Reason: "half a list"}); err != nil {
		t.Fatal(err)
	}
	same(t, "missing from the last list that counts", absent(h), 0)
	got, err := h.ReadSource(ctx, "hr", "kim") // it is so short again
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Brake(ctx, got.Brake)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{Hash: v.Hash, By: "kim", Reason: "it is so"}); err != nil {
		t.Fatal(err)
	}
	same(t, "missing from the list that was let through", absent(h), 6)
	list, err := h.Absent(ctx, 100)
	if !slices.IsSortedFunc(list, func(a, b flow.AbsentView) int { return strings.Compare(a.Name, b.Name) }) || list[5].Name != "Zoe No 13" {
		t.Errorf("they are not in the order of their names: %+v, %v", list, err)
	}
	for _, id := range []dayone.BrakeID{id, v.ID} {
		names, _ := h.missing(ctx, id, flow.PeopleFilter{})
		b, err := h.Brake(ctx, id)
		if err != nil || b.List == nil || b.List.Missing != 6 || len(names) > 0 {
			t.Errorf("decided, it has %+v and names %q (%v)", b.List, names, err)
		}
	}
	same(t, "missing is no leaving", h.count(dayone.Left), 1)
}

func TestAnUnfitListLacksNobody(t *testing.T) {
	t.Parallel()
	h, f := town(t, 6, nil)
	f.alter = func([]dayone.Event) ([]dayone.Event, error) { return nil, nil }
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Brake(ctx, got.Brake)
	want := dayone.ListFigures{Before: 6, Known: 6, Aside: 6, Unfit: true}
	if err != nil || v.List == nil || *v.List != want {
		t.Errorf("an empty list is %+v, want %+v (%v)", v.List, want, err)
	}
}

// What somebody decides about a brake ends its alert at once, as of the same instant, and the ledger says why.
func TestADecidedBrakeEndsItsAlertAndSaysWhy(t *testing.T) {
	t.Parallel()
	h, _, id := halved(t)
	h.later(time.Minute)
	h.alerted("brake-on", 1)
	if a := h.openOf("brake-on"); len(a) == 1 && a[0].About != "hr" {
		t.Errorf("the alert of a brake is about %q, not about its source", a[0].About)
	}
	h.later(20 * time.Second)
	b, err := h.DiscardBrake(ctx, id, flow.BrakeDecision{By: "kim", Reason: "half a list"})
	if err != nil {
		t.Fatal(err)
	}
	h.alerted("brake-on", 0) // at once, or after the look that is under way: no time passes
	list, err := h.Alerts(ctx, false, 10)
	i := slices.IndexFunc(list, func(a flow.AlertView) bool { return a.Subject == string(id) })
	if err != nil || i < 0 || !list[i].Opened.Equal(b.Opened) || !list[i].Resolved.Equal(b.Closed) {
		t.Errorf("the brake held from %s to %s, its alerts are %+v (%v)", b.Opened, b.Closed, list, err)
	}
	h.lineSays("brake discarded", "half a list")
}

// lineSays wants a line of the ledger to have a reason where nobody asks for details.
func (h *house) lineSays(what, why string) {
	h.t.Helper()
	lines, err := h.Records(ctx, flow.RecordFilter{Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	i := slices.IndexFunc(lines, func(l flow.Line) bool { return l.What == what })
	if i < 0 {
		h.t.Fatalf("no line says %q", what)
	}
	if rec, err := flow.RecordOf(lines[i]); err != nil || rec.Detail == nil || !strings.Contains(rec.Detail.Note, why) {
		h.t.Errorf("%q says %+v (%v), want %q", what, rec.Detail, err, why)
	}
}

func TestAnUndoSaysWhyInTheLedger(t *testing.T) {
	t.Parallel()
	h, _, run := erinWorks(t)
	h.undoes(run.ID)
	h.lineSays("hold", "a mistake")
}

// Somebody lets a list through while the next one is being read, which takes a large source minutes: that one is measured by
// what was let through, and does not put back what counted before.
func TestAListLetThroughWhileTheNextIsReadCounts(t *testing.T) {
	t.Parallel()
	h, f, id := halved(t)
	v, err := h.Brake(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	short := f.alter
	f.alter = func(list []dayone.Event) ([]dayone.Event, error) {
		if _, err := h.ReleaseBrake(ctx, v.ID, flow.BrakeDecision{Hash: v.Hash, By: "kim", Reason: "it is so"}); err != nil {
			return nil, err
		}
		return short(list)
	}
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil || got.Brake != "" {
		t.Fatalf("it is held again: %+v, %v", got, err)
	}
	reads, err := h.Store.SourceReads(ctx)
	if err != nil || reads["hr"].Records != 7 {
		t.Errorf("the next list is measured by %+v, %v", reads["hr"], err)
	}
}

// A decision about a brake waits for no look at what is to be alerted of, however long one takes, and ends its alert all the same.
func TestADecisionAboutABrakeWaitsForNoLook(t *testing.T) {
	t.Parallel()
	h, _, id := halved(t)
	h.later(time.Minute)
	h.alerted("brake-on", 1)
	w, joined := h.world, h.joined
	h.stop()
	looks, goOn := make(chan bool, 100), make(chan bool)
	w.joined = func(d *flow.Deps) {
		joined(d)
		d.Room = func() (uint64, uint64, error) { // a disk that does not answer
			looks <- true
			<-goOn
			return 1 << 40, 1 << 40, nil
		}
	}
	h = w.open()
	t.Cleanup(func() { close(goOn) })
	<-looks
	decided := make(chan error, 1)
	go func() {
		_, err := h.DiscardBrake(ctx, id, flow.BrakeDecision{By: "kim", Reason: "half a list"})
		decided <- err
	}()
	select {
	case err := <-decided:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the decision waits for the look at a disk")
	}
	if open := h.openOf("brake-on"); len(open) != 0 {
		t.Errorf("its alert is open: %+v", open)
	}
}

// A rule whose alerts cannot be kept keeps no other rule from being looked at.
func TestARuleThatFailsEndsNoOtherLook(t *testing.T) {
	t.Parallel()
	h, _, _ := halved(t)
	w, joined := h.world, h.joined
	h.stop()
	raw, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(w.at, "sqlite:")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, q := range []string{
		`DELETE FROM alert`,
		`CREATE TRIGGER unkept BEFORE INSERT ON alert WHEN NEW.rule = 'brake-on' BEGIN SELECT RAISE(ABORT, 'no room'); END`,
	} {
		if _, err := raw.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	w.joined = func(d *flow.Deps) {
		joined(d)
		d.Room = func() (uint64, uint64, error) { return 1 << 20, 1 << 40, nil }
	}
	h = w.open()
	h.alerted("disk-low", 1)
	if open := h.openOf("brake-on"); len(open) != 0 {
		t.Errorf("what cannot be kept is open: %+v", open)
	}
}

// Whenever we die, a brake that is on is named by what became of the read: its list counts once somebody lets it through. What only
// few may know of the list is held before it, since a list that was read is not read again that night.
func TestAHeldListIsNamedByItsReadAfterEachCommit(t *testing.T) {
	t.Parallel()
	h, f := town(t, 8, nil)
	w := h.world
	h.stop()
	var mu sync.Mutex
	var seen, unnamed int
	w.wired = func(db *store.DB, _ *engine.Driver) {
		db.Committed = func(int) { // all that a life has that is started after it
			brakes, err := db.Brakes(ctx, true, 10)
			reads, err2 := db.SourceReads(ctx)
			mu.Lock()
			defer mu.Unlock()
			for _, b := range brakes {
				seen++
				if b.Rule == dayone.BrakeRead && reads["hr"].Brake != b.ID {
					unnamed++
				}
			}
			if err := errors.Join(err, err2); err != nil {
				t.Error(err)
			}
		}
	}
	h = w.open()
	f.alter = func(list []dayone.Event) ([]dayone.Event, error) { return list[:3], nil }
	got, err := h.ReadSource(ctx, "hr", "kim")
	if err != nil || got.Brake == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if seen == 0 || unnamed > 0 {
		t.Errorf("after %d of %d commits a brake is on that no read names", unnamed, seen)
	}
}

// Somebody hidden who is missing from a list is in no figure of it, in no count and under no name: all is as if she were not there.
func TestWhoIsHiddenAndMissingIsInNoFigure(t *testing.T) {
	t.Parallel()
	figures := func(hidden bool) string {
		h, f := town(t, 9, secretive)
		if hidden {
			in := h.hears(h.hr.Put(employee("10", "start_date", "2024-12-02", "confidential", "true", "announced_on", "2024-11-29")))[0]
			got := until(h, "she is in the books", func() (dayone.Intake, bool) {
				e, err := h.Event(few, in.ID)
				return e, err == nil && e.State == dayone.EventApplied
			})
			is(t, errOf(h.Person(ctx, got.Person)), dayone.ErrNotFound)
		}
		h.clock.Jump(h.clock.Now().Add(24 * time.Hour))
		in := h.hears(h.hr.Put(employee("1", "start_date", here, "department", "Sales")))[0] // the list is newer than all of them
		until(h, "it is in the books", func() (bool, bool) {
			e, err := h.Event(few, in.ID)
			return true, err == nil && e.State == dayone.EventApplied
		})
		f.alter = func(list []dayone.Event) ([]dayone.Event, error) {
			return slices.DeleteFunc(list, func(e dayone.Event) bool {
				return !slices.Contains([]string{"1", "2", "3"}, strings.TrimPrefix(e.Subject, "emp_"))
			}), nil
		}
		got, err := h.ReadSource(ctx, "hr", "kim")
		if err != nil || got.Brake == "" {
			t.Fatalf("%+v, %v", got, err)
		}
		v, err := h.Brake(ctx, got.Brake)
		if err != nil || v.List == nil {
			t.Fatalf("%+v, %v", v, err)
		}
		names, page := h.missing(ctx, got.Brake, flow.PeopleFilter{})
		states, err := h.SourceStates(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v; absent %d; %s; %s; %q, %d people, %d unnamed; %q, %d of %d", *v.List, got.Absent, got.Note, v.Note, names, page.People, page.Unnamed, states[0].Note, states[0].Seen, states[0].Records)
	}
	with, without := figures(true), figures(false)
	same(t, "with somebody who is hidden", with, without)
	if !strings.Contains(without, "Missing:6") {
		t.Errorf("the figures are %s", without)
	}
}

// A rule that cannot be looked at is asked less and less often, says so once for each reason, and is looked at as ever afterwards.
func TestARuleThatCannotBeLookedAtRests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var looks atomic.Int64
	var broken atomic.Pointer[string]
	why := func(s string) { broken.Store(&s) }
	why("")
	log := &logged{}
	w.joined = func(d *flow.Deps) {
		d.Log = slog.New(slog.NewTextHandler(log, nil))
		d.Alerts.Rules = slices.DeleteFunc(flow.AlertRules(), func(r flow.AlertRule) bool { return r.Name != "disk-low" })
		d.Room = func() (uint64, uint64, error) {
			looks.Add(1)
			if s := *broken.Load(); s != "" {
				return 0, 0, errors.New(s)
			}
			return 1 << 40, 1 << 40, nil
		}
	}
	h := w.open()
	minutes := func(n int) (at []int) {
		t.Helper()
		for i := range n {
			was := looks.Load()
			h.later(time.Minute)
			if err := h.WatchOnce(ctx); err != nil {
				t.Fatal(err)
			}
			if looks.Load() > was {
				at = append(at, i+1)
			}
		}
		return at
	}
	same(t, "looks while all is well", len(minutes(3)), 3)
	why("the disk is mute")
	if got, want := minutes(60), []int{1, 2, 4, 8, 16, 31, 46}; !slices.Equal(got, want) {
		t.Errorf("looks in minutes %v, want %v", got, want)
	}
	same(t, "said of the disk", log.count("the disk is mute"), 1)
	why("the disk is deaf")
	minutes(30)
	same(t, "said of the disk's other fault", log.count("the disk is deaf"), 1)
	same(t, "said again of the first", log.count("the disk is mute"), 1)
	why("")
	minutes(15)
	same(t, "said of its end", log.count("looked for again"), 1)
	same(t, "looks once it is well", len(minutes(5)), 5)
}

// logged is a log that is read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *logged) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *logged) count(part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), part)
}
