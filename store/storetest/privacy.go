package storetest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dayone-hq/dayone"
	"github.com/dayone-hq/dayone/store"
)

// Readable are the places where somebody who has the database and no key reads one of these values: table.column, and for
// SQLite the file and its log. A value needs a character that no box has, such as a blank or an @: else chance finds it.
func Readable(t testing.TB, at string, values ...string) []string {
	t.Helper()
	file, lite := strings.CutPrefix(at, "sqlite:")
	driver, address, tables := "pgx", at, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	if lite {
		driver, address, tables = "sqlite", "file:"+file+"?_pragma=query_only(1)", `SELECT name FROM sqlite_master WHERE type = 'table'`
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out []string
	for _, name := range rowsOf(t, db, tables) {
		table := fmt.Sprint(name[0].v)
		for _, row := range rowsOf(t, db, `SELECT * FROM `+table) {
			for _, cell := range row {
				for _, v := range found(fmt.Appendf(nil, "%s", cell.v), values) {
					out = append(out, fmt.Sprintf("%s.%s: %s", table, cell.column, v))
				}
			}
		}
	}
	if !lite {
		return out
	}
	for _, f := range []string{file, file + "-wal"} {
		raw, err := os.ReadFile(f)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, v := range found(raw, values) {
			out = append(out, fmt.Sprintf("%s: %s", f, v))
		}
	}
	return out
}

type cell struct {
	column string
	v      any
}

func rowsOf(t testing.TB, db *sql.DB, query string) (out [][]cell) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]cell, len(columns)), make([]any, len(columns))
		for i := range row {
			row[i].column, into[i] = columns[i], &row[i].v
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func found(in []byte, values []string) (out []string) {
	in = bytes.ToLower(in)
	for _, v := range values {
		if bytes.Contains(in, []byte(strings.ToLower(v))) {
			out = append(out, v)
		}
	}
	return out
}

// Privacy tests who reads what of a database that lies at an address.
func Privacy(t *testing.T, open func(t *testing.T) (d *store.DB, at string)) {
	t.Helper()
	for _, c := range []struct {
		name string
		f    func(*testing.T, *store.DB, string)
	}{
		{"WithoutTheKeyNothingPersonalIsRead", sealedApart},
		{"ErasedIsForgottenAndBreaksNothing", erased},
		{"NobodyIsErasedWhileARunIsUnderWay", erasedTooEarly},
		{"EventsAfterErasureMeetNobody", heardAfterErasure},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, at := open(t)
			c.f(t, d, at)
		})
	}
}

// hire is a person with unmistakable values, wherever the store takes any.
type hire struct {
	id       dayone.PersonID
	run      dayone.Run
	personal []string // in boxes only
	work     []string // in the clear, until she is erased
}

const (
	home   = "17 Quillfeather Lane"
	mobile = "+49 151 5557391"
	letter = "wilhelmina.privately@example.net"
)

// hired takes her in and carries out a run of hers, which is over.
func hired(t *testing.T, d *store.DB, id dayone.PersonID) hire {
	t.Helper()
	ctx := t.Context()
	h := hire{id: id, personal: []string{home, mobile, letter, "hunter2-quill"}}
	said := func(n, subject string) dayone.Event {
		ev := event("evt_"+n+string(id), n+string(id))
		ev.Subject = subject
		return ev
	}
	number := "zq-number-" + string(id)
	h.work = append(h.work, number, "zq-job")
	body := fmt.Appendf(nil, `{"home_address": %q, "mobile": %q, "personal_email": %q}`, home, mobile, letter)
	ev := said("1", number)
	if _, _, err := d.Accept(ctx, ev, body); err != nil {
		t.Fatal(err)
	}
	bad := said("2", number)
	if _, err := d.Quarantine(ctx, bad, body, "zq-note is no date"); err != nil {
		t.Fatal(err)
	}
	h.work = append(h.work, "zq-note")
	row := store.Row{ID: id, Managed: true, Status: dayone.Left, Starts: at, Ends: at.Add(time.Hour), Wake: at}
	for i, v := 0, reflect.ValueOf(&row).Elem(); i < v.NumField(); i++ { // what is added to lists later, too
		if f := v.Field(i); f.Type() == reflect.TypeFor[string]() {
			f.SetString("zq-" + strings.ToLower(v.Type().Field(i).Name) + "-" + string(id))
			h.work = append(h.work, f.String())
		}
	}
	fact := func(attr, v string, personal bool) dayone.Fact {
		return dayone.Fact{Engagement: dayone.EngagementID("eng_" + string(id)), Attr: attr, Recorded: at, Value: dayone.Text(v), Personal: personal, Source: "hr", Event: ev.ID}
	}
	if err := d.Save(ctx, store.Saved{
		Event: ev.ID, State: dayone.EventApplied, Note: "hire; zq-note", Person: id, New: true, Row: &row,
		Employment: &dayone.Employment{ID: dayone.EngagementID("eng_" + string(id)), Source: "hr", SourceID: number, Recorded: at},
		Facts:      []dayone.Fact{fact("home_address", home, true), fact("mobile", mobile, true), fact("personal_email", letter, true), fact("job_title", "zq-job", false)},
		Records:    []dayone.Record{{At: at, Person: id, What: "event: hired", Detail: &dayone.Detail{Note: home}}},
	}); err != nil {
		t.Fatal(err)
	}
	asked := aRequest("apr_"+string(id), "asked-"+string(id), id)
	asked.Votes, asked.Asks = []dayone.Vote{{Of: letter, By: letter, Reason: "lives at " + home}}, []dayone.Ask{{Of: letter, By: letter, Reason: "lives at " + home}}
	if err := d.AskApprovals(ctx, []dayone.Petition{asked}); err != nil {
		t.Fatal(err)
	}
	if err := d.Delegate(ctx, dayone.Delegation{ID: "dlg_" + string(id), Person: id, Delegate: "per_other", From: at, Until: at.Add(time.Hour), By: letter, Made: at}); err != nil {
		t.Fatal(err)
	}
	h.run = doneFor(id)
	if err := d.Commit(ctx, journey(h.run)); err != nil {
		t.Fatal(err)
	}
	return h
}

// doneFor is a run in which every field that takes text says something personal.
func doneFor(id dayone.PersonID) dayone.Run {
	r := aRun(dayone.RunID("run_"+string(id)), id)
	r.Title, r.State, r.Ended = "Onboard "+letter, dayone.RunDone, at.Add(time.Hour)
	own := dayone.Attrs{"ship_to": dayone.Text(home), "mobile": dayone.Text(mobile), "to": dayone.List(letter)}
	r.Have[0].Attrs = own
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		s.Subject = dayone.Subject{Keys: map[string]string{"email": letter}}
		s.Want.Attrs = own
		r.Steps[i].Step = *s
	}
	now := dayone.Item{Key: r.Plan.Steps[0].Key, Ref: "00u-" + string(id), State: dayone.Active, Attrs: own}
	r.Steps[0].State, r.Steps[0].Ended, r.Steps[0].Asked, r.Steps[0].Result = dayone.StepDone, at, own, dayone.Result{Now: &now, Also: []dayone.Item{now}}
	r.Steps[1].State, r.Steps[1].Error, r.Steps[1].Wait = dayone.StepFailed, "okta: no room for "+home, &dayone.Wait{Kind: dayone.WaitTask, Note: "call " + mobile, Ask: []string{"serial"}}
	undo := r.Steps[0]
	undo.Step.ID, undo.Of = "okta/account account.delete (undo)", r.Steps[0].Step.ID
	r.Steps = append(r.Steps, undo)
	return r
}

// journey is how such a run came to its end.
func journey(r dayone.Run) []dayone.Progress {
	begun := head(r)
	begun.State, begun.Ended = dayone.RunRunning, time.Time{}
	now := *r.Steps[0].Result.Now
	task := dayone.Task{Person: r.Person, Run: r.ID, Step: r.Steps[1].Step.ID, Once: "once-" + string(r.Person), System: "procurement", Title: "Ship to " + home, Note: "call " + mobile, Ask: []string{"serial"}, Opened: at, Due: at}
	closed := dayone.Task{Once: task.Once, Closed: at, By: letter, Attrs: dayone.Attrs{"note": dayone.Text("left at " + home)}}
	open := task
	open.Once = "open-" + string(r.Person)
	return []dayone.Progress{
		{Run: begun, New: true, Opened: []dayone.Task{task, open}, Secrets: []dayone.Sealed{{ID: dayone.SecretID("sec_" + string(r.Person)), Person: r.Person, Box: "hunter2-quill sealed"}}},
		{
			Run: head(r), Moved: true, Steps: changes(r, 0, 1, 2), Closed: []dayone.Task{closed},
			Holdings: []dayone.Holding{{Item: now, Asked: now.Attrs, Run: r.ID}},
			Holds:    []dayone.Hold{{ID: dayone.HoldID("hld_" + string(r.Person)), Person: r.Person, Run: r.ID, Keys: []dayone.Key{now.Key}, Reason: "moved to " + home, By: letter, From: at, Until: at}},
			Records:  []dayone.Record{{At: at, Person: r.Person, Run: r.ID, What: "granted", Detail: &dayone.Detail{Now: &now}}},
		},
	}
}

func sealedApart(t *testing.T, d *store.DB, where string) {
	h := hired(t, d, "per_wilhelmina")
	for _, place := range Readable(t, where, home, mobile, letter, "zq-job") {
		t.Errorf("read without her key: %s", place)
	}
	ctx := t.Context()
	r := must[dayone.Run](t)(d.Run(ctx, h.run.ID))
	if r.Title != "Onboard "+letter || r.Steps[0].Result.Now.Attrs.Text("ship_to") != home || r.Steps[2].Of == "" {
		t.Errorf("with it the run reads %+v", r)
	}
	if ts := must[[]dayone.Task](t)(d.Tasks(ctx, h.id, "")); len(ts) != 1 || ts[0].Title != "Ship to "+home {
		t.Errorf("tasks: %+v", ts)
	}
	if done := must[dayone.Task](t)(d.Task(ctx, "once-"+string(h.id))); done.By != letter || done.Attrs.Text("note") != "left at "+home {
		t.Errorf("done: %+v", done)
	}
	if hs := must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{Person: h.id})); len(hs) != 1 || hs[0].Reason != "moved to "+home || hs[0].By != letter {
		t.Errorf("holds: %+v", hs)
	}
	if hs := must[[]dayone.Holding](t)(d.Holdings(ctx, h.id, true)); len(hs) != 1 || hs[0].Attrs.Text("mobile") != mobile {
		t.Errorf("holdings: %+v", hs)
	}
}

func erased(t *testing.T, d *store.DB, where string) {
	ctx := t.Context()
	other := hired(t, d, "per_other")
	h := hired(t, d, "per_wilhelmina")
	stands(t, d, h.id)
	report := store.Row{ID: "per_report", Name: "Report", Manager: "zq-email-per_wilhelmina", Buddy: "zq-email-per_wilhelmina"}
	if err := d.Save(ctx, store.Saved{Person: report.ID, New: true, Row: &report}); err != nil {
		t.Fatal(err)
	}
	var before []store.Line
	for l, err := range d.Ledger(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, l)
	}
	stale := must[store.Row](t)(d.Person(ctx, h.id))
	for range 2 { // erased again, nothing happens
		if err := d.Erase(ctx, h.id, at, dayone.Record{Person: h.id, What: "erased"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.SaveRow(ctx, stale, time.Time{}, time.Time{}); err != nil { // somebody had looked at her just before
		t.Fatal(err)
	}
	if err := d.SetProblem(ctx, h.id, h.work[0], stale.Wake, stale.Wake); err != nil {
		t.Fatal(err)
	}

	var theirs []string // what was only hers
	for _, v := range h.work {
		if strings.HasSuffix(v, string(h.id)) {
			theirs = append(theirs, v)
		}
	}
	for _, place := range Readable(t, where, theirs...) {
		t.Errorf("after she was erased: %s", place)
	}
	if len(theirs) < 10 || len(Readable(t, where, other.work...)) < len(other.work) {
		t.Error("this test looks for the wrong things")
	}

	n := 0
	for l, err := range d.Ledger(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if n < len(before) && !reflect.DeepEqual(l, before[n]) {
			t.Errorf("line %d was changed: proofs do not verify any more", l.Seq)
		}
		n++
	}
	if n != len(before)+2 {
		t.Errorf("%d lines became %d", len(before), n)
	}
	for _, l := range must[[]store.Line](t)(d.Records(ctx, store.RecordFilter{Person: h.id, Detail: true})) {
		if len(l.Detail) > 0 || l.What != "erased" && !l.Erased {
			t.Errorf("line %d still says %s", l.Seq, l.Detail)
		}
	}

	if row := must[store.Row](t)(d.Person(ctx, h.id)); row.Name != store.Erased || row.Managed {
		t.Errorf("her row: %+v", row)
	}
	if rows := must[[]store.Row](t)(d.People(ctx, store.PeopleFilter{})); len(rows) != 2 || rows[0].ID == h.id || rows[1].ID == h.id {
		t.Errorf("lists show %+v", rows)
	}
	if n := must[map[dayone.Status]int](t)(d.CountPeople(ctx, nil)); n[dayone.Left] != 1 {
		t.Errorf("counted %v", n)
	}
	if err := d.EachPerson(ctx, func(p dayone.PersonID, _ bool) error {
		if p == h.id {
			t.Error("everybody is she, too")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if tl := must[dayone.Timeline](t)(d.Timeline(ctx, h.id)); len(tl.Facts) != 0 || len(tl.Employments) != 0 {
		t.Errorf("her timeline: %+v", tl)
	}
	if r := must[dayone.Run](t)(d.Run(ctx, h.run.ID)); r.Title != store.Erased || len(r.Steps) != 0 || r.State != dayone.RunDone {
		t.Errorf("her run: %+v", r)
	}
	if rs := must[[]dayone.Run](t)(d.Runs(ctx, store.RunFilter{})); len(rs) != 2 || rs[0].Title != store.Erased && rs[1].Title != store.Erased {
		t.Errorf("runs: %+v", rs)
	}
	if ts := must[[]dayone.Task](t)(d.Tasks(ctx, h.id, "")); len(ts) != 0 {
		t.Errorf("somebody is asked to do something for her: %+v", ts)
	}
	if done := must[dayone.Task](t)(d.Task(ctx, "open-"+string(h.id))); done.Closed.IsZero() || done.Title != store.Erased || done.Note != "" {
		t.Errorf("her task: %+v", done)
	}
	nothingStands(t, d, h.id, 1)
	if hs := must[[]dayone.Holding](t)(d.Holdings(ctx, h.id, true)); len(hs) != 1 || len(hs[0].Attrs) != 0 {
		t.Errorf("her holdings: %+v", hs)
	}
	if who, bound, err := d.Owner(ctx, "okta", "00u-"+string(h.id)); err != nil || !bound || who != h.id {
		t.Error("an account that was hers may be taken for nobody's")
	}
	if box, _, err := d.Secret(ctx, dayone.SecretID("sec_"+string(h.id))); err != nil || box != "" {
		t.Errorf("her credential outlives her: %q, %v", box, err)
	}
	if err := d.SetWake(ctx, h.id, at); err != nil {
		t.Fatal(err)
	}
	if due := must[[]dayone.PersonID](t)(d.Due(ctx, at.AddDate(100, 0, 0), 10)); slices.Contains(due, h.id) {
		t.Errorf("she is to be looked at: %v", due)
	}
	if r := must[dayone.Run](t)(d.Run(ctx, other.run.ID)); r.Steps[0].Result.Now.Attrs.Text("ship_to") != home {
		t.Error("another person lost her values, too")
	}
}

// stands adds what somebody else has to do with a person.
func stands(t *testing.T, d *store.DB, p dayone.PersonID) {
	t.Helper()
	ctx := t.Context()
	key := dayone.Key{System: "okta", Kind: "group", Name: "sales-team"}
	if err := d.AddRequest(ctx, dayone.Request{ID: "req_" + dayone.RequestID(p), Person: p, Key: key, By: letter, Reason: "lives at " + home, Made: at}); err != nil {
		t.Fatal(err)
	}
	if err := d.Delegate(ctx, dayone.Delegation{ID: "dlg_to_" + string(p), Person: "per_other", Delegate: p, From: at, Until: at.Add(time.Hour), Made: at}); err != nil {
		t.Fatal(err)
	}
}

// nothingStands says that nobody is asked for anything about somebody who was erased, and that counts agree with lists.
func nothingStands(t *testing.T, d *store.DB, p dayone.PersonID, others int) {
	t.Helper()
	ctx := t.Context()
	if n, list := must[int](t)(d.CountApprovals(ctx, nil)), must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Open: true})); n != others || len(list) != n {
		t.Errorf("%d approvals are counted and %d listed, not %d", n, len(list), others)
	}
	if n, list := must[int](t)(d.CountTasks(ctx, store.TaskFilter{})), must[[]dayone.Task](t)(d.Tasks(ctx, "", "")); n != others || len(list) != n {
		t.Errorf("%d tasks are counted and %d listed, not %d", n, len(list), others)
	}
	if rs := must[[]dayone.Petition](t)(d.Approvals(ctx, store.ApprovalFilter{Person: p})); len(rs) != 1 || rs[0].State != dayone.ApprovalWithdrawn || rs[0].Ended.IsZero() {
		t.Errorf("her approvals: %+v", rs)
	}
	if rs := must[[]dayone.Request](t)(d.Requests(ctx, p, true)); len(rs) != 0 {
		t.Errorf("her requests: %+v", rs)
	}
	if gs := must[[]dayone.Delegation](t)(d.Delegations(ctx, "", at)); len(gs) != 1 || gs[0].Person != "per_other" || gs[0].Delegate != "per_other" {
		t.Errorf("who decides for whom: %+v", gs)
	}
	if hs := must[[]dayone.Hold](t)(d.Holds(ctx, store.HoldFilter{})); len(hs) != others {
		t.Errorf("holds: %+v", hs)
	}
}

func erasedTooEarly(t *testing.T, d *store.DB, _ string) {
	ctx := t.Context()
	p := Sarah(t, d)
	r := aRun("run_1", p)
	if err := d.Commit(ctx, []dayone.Progress{{Run: head(r), New: true}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Erase(ctx, p, at); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("while a run is under way: %v", err)
	}
	if err := d.Erase(ctx, "per_nobody", at); !errors.Is(err, dayone.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if back := must[dayone.Run](t)(d.Run(ctx, r.ID)); len(back.Steps) != 2 {
		t.Errorf("the run lost something: %+v", back)
	}
}

func heardAfterErasure(t *testing.T, d *store.DB, _ string) {
	ctx := t.Context()
	p := Sarah(t, d)
	if err := d.Erase(ctx, p, at); err != nil {
		t.Fatal(err)
	}
	late := store.Saved{Person: p, Facts: []dayone.Fact{{Engagement: "eng_1", Attr: "mobile", Recorded: at, Value: dayone.Text(mobile), Personal: true}}}
	if err := d.Save(ctx, late); !errors.Is(err, dayone.ErrConflict) {
		t.Errorf("an event that had met her already: %v", err)
	}
	if _, known, err := d.PersonOf(ctx, "hr", "emp_789"); known || err != nil {
		t.Errorf("her employment is still known: %v", err)
	}
	again := store.Saved{Person: "per_again", New: true, Employment: &dayone.Employment{ID: "eng_2", Source: "hr", SourceID: "emp_789", Recorded: at}}
	if err := d.Save(ctx, again); err != nil {
		t.Errorf("hired again she is somebody new: %v", err)
	}
}
